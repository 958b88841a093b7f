"""Playing by a chart offline: the first bar is found, the band is told the written chords, and ends where they end."""

from __future__ import annotations

import itertools
import math
from functools import cache

import numpy as np
import pytest
from gigmate.engine.charts.chart import Chart
from gigmate.engine.charts.chart_parser import parse_chart
from gigmate.engine.player import Controls, HeardFrame, Moment
from gigmate.engine.run.accompaniment import Accompaniment, AccompanimentSettings
from gigmate.engine.timing.conductor import Conductor
from gigmate.engine.timing.first_downbeat import first_downbeat, first_downbeat_s

from ..fakes import FRAME, PLAYER_HZ, FakePlayer
from ..note_fakes import Event
from ..performance import FRAME_S, Noise, Performance, perform, steady

QUIET = Noise(miss=0.05, jitter_s=0.004, false_per_beat=0.0, offbeat=0.1, downbeat_miss=0.1, downbeat_false=0.02)
CHART = parse_chart("[A] | C | F | G | Am |\n[B] | Dm7 | E7 . . A7 |")


class Listens(FakePlayer):
    """Hears a made performance, whatever comes in, and plays one note all the time."""

    def __init__(self, performance: Performance) -> None:
        super().__init__()
        self.performance = performance

    def listen(self, chunk: np.ndarray) -> HeardFrame:
        super().listen(chunk)
        return self.performance.heard(min(len(self.heard), self.performance.frames) - 1)

    def play(self, moment: Moment, controls: Controls) -> np.ndarray:
        n = len(self.moments) * FRAME + np.arange(FRAME)
        super().play(moment, controls)
        return np.tile(0.3 * np.sin(2 * np.pi * 200 * n / PLAYER_HZ).astype(np.float32), (3, 1))


def sound_of(performance: Performance, rate_hz: int = PLAYER_HZ, seconds: float = math.inf) -> list[np.ndarray]:
    """A performance, or the first seconds of it, by frames."""
    block = np.zeros(round(FRAME_S * rate_hz), np.float32)
    return [block] * round(min(performance.frames, seconds / FRAME_S))


def silent_before(performance: Performance, beat: int) -> Performance:
    performance.activity[: int(performance.beats_s[beat] / FRAME_S) - 1] = 0.0
    return performance


def accompany(
    performance: Performance, chart: Chart, start_s: float, seconds: float = math.inf
) -> tuple[Listens, np.ndarray]:
    player = Listens(performance)
    band = Accompaniment(
        player,
        Conductor(float(PLAYER_HZ)),
        PLAYER_HZ,
        AccompanimentSettings(ahead_frames=1, chart=chart, chart_start_samples=round(start_s * PLAYER_HZ)),
    )
    pieces = [band.push(block) for block in sound_of(performance, seconds=seconds)]
    pieces += band.finish()
    return player, np.concatenate([piece.mono for piece in pieces])


def roots_right(
    player: Listens, performance: Performance, chart: Chart, first_beat: int, from_beat: int, near_beats: float = 0.15
) -> float:
    """Share of the frames between `from_beat` and the end that were told the written root, away from its changes."""
    right = []
    for frame, moment in enumerate(player.moments):
        at_s = (frame + 1) * FRAME_S  # made one frame ahead
        beat = float(np.interp(at_s, performance.beats_s, np.arange(len(performance.beats_s)), left=-1, right=-1))
        place = beat - first_beat
        if beat < from_beat or abs(place - round(place)) < near_beats:
            continue
        right.append(moment.chord_root == chart.chord_at(place)[0])
    assert len(right) > 100
    return float(np.mean(right))


@pytest.mark.parametrize(
    ("beats_per_bar", "pickup", "bpm"), [(4, 0, 100.0), (4, 2, 132.0), (3, 1, 150.0), (5, 0, 120.0)]
)
def test_the_first_downbeat_is_found(beats_per_bar: int, pickup: int, bpm: float) -> None:
    performance = perform(steady(bpm, 40.0, 1.3), 3, QUIET, beats_per_bar, pickup, beats_per_chord=beats_per_bar)
    performance = silent_before(performance, 0)
    found = first_downbeat_s(
        Listens(performance), sound_of(performance), PLAYER_HZ, beats_per_bar=beats_per_bar, tempo_bpm=bpm
    )
    assert found == pytest.approx(performance.beats_s[pickup], abs=0.08)


def test_silence_before_the_music_is_not_counted_and_another_rate_is_taken() -> None:
    performance = silent_before(perform(steady(100.0, 60.0, 0.3), 1, QUIET, rests=((0, 8),)), 8)
    found = first_downbeat_s(Listens(performance), sound_of(performance, 48_000), 48_000)
    assert found == pytest.approx(performance.beats_s[8], abs=0.08)


def test_without_a_beat_there_is_no_first_bar() -> None:
    performance = perform(steady(100.0, 20.0), 1, Noise(miss=1.0, offbeat=0.0, false_per_beat=0.0))
    assert first_downbeat_s(Listens(performance), sound_of(performance), PLAYER_HZ) is None
    assert first_downbeat_s(Listens(performance), [], PLAYER_HZ) is None


@pytest.mark.parametrize("first_beat", [0, 8])
def test_the_band_is_told_what_is_written(first_beat: int) -> None:
    """Heard is C all the time; told is the chart, from the bar that it begins with, round and round."""
    performance = perform(steady(110.0, 42.0), 5, QUIET)
    player, _ = accompany(performance, CHART, performance.beats_s[first_beat], 28.0)
    assert roots_right(player, performance, CHART, first_beat, from_beat=24) > 0.97


class Noted(Listens):
    """One that can say which notes it plays: none."""

    def notes(self) -> list[Event]:
        return []


def test_the_score_has_the_chords_where_they_are_written() -> None:
    performance = perform(steady(120.0, 30.0), 5, QUIET)
    settings = AccompanimentSettings(ahead_frames=1, chart=CHART, chart_start_samples=0)
    band = Accompaniment(Noted(performance), Conductor(float(PLAYER_HZ)), PLAYER_HZ, settings)
    for block in sound_of(performance):
        band.push(block)
    for _ in band.finish():
        pass
    written = ["C", "F", "G", "Am", "Dm7", "E7", "A7"]
    chords = [chord for chord in band.score().chords if 10.0 < chord.time_s < 29.0]
    places = [written.index(chord.text) for chord in chords]
    assert len(chords) > 8 and all((after - before) % 7 == 1 for before, after in itertools.pairwise(places))
    lines_s = performance.beats_s[performance.beat_in_bar == 0]
    off_s = [abs(lines_s - chord.time_s).min() for chord in chords if chord.text != "A7"]
    assert max(off_s) < 0.15, "told a little before the bar line, for notes that come early"


def test_a_chart_in_five_says_the_metre() -> None:
    chart = parse_chart("metre: 5/4\n| Em . . D . | C |")
    performance = perform(steady(126.0, 42.0), 2, QUIET, 5, beats_per_chord=5)
    player, _ = accompany(performance, chart, performance.beats_s[0], 28.0)
    assert {moment.beats_per_bar for moment in player.moments[100:]} == {5}
    assert roots_right(player, performance, chart, 0, from_beat=30) > 0.97


SECTIONS = parse_chart(
    "[A] | C | F | G | Am | x2\n[B]\nmetre: 3/4\n| Dm7 | E7 . A7 | Dm7 | G7 | x2\n[C] | 2/4 C | 4/4 F |"
)
TURNS = parse_chart("| C . G . | 3/4 F . G | % | 4/4 Am | 2/4 E | 5/4 F . G . . |")


@pytest.mark.parametrize("chart", [SECTIONS, TURNS], ids=["sections", "bars"])
@pytest.mark.parametrize(("bpm", "first_beat", "seconds"), [(96.0, 0, 45.0), (168.0, 8, 36.0)])
def test_the_metre_follows_the_chart(chart: Chart, bpm: float, first_beat: int, seconds: float) -> None:
    """Into the second round; every frame is told the bar as it is written, from when the beat was found on."""
    bars = [chart.beats_of_bar(bar) for bar in range(chart.bars)]
    performance = perform(steady(bpm, 60.0), 5, QUIET, bars=[4] * (first_beat // 4) + bars * 20)
    assert performance.beats_s[first_beat + round(chart.length_beats) + 8] < seconds
    player, _ = accompany(performance, chart, performance.beats_s[first_beat], seconds)
    assert roots_right(player, performance, chart, first_beat, from_beat=first_beat + 24, near_beats=0.25) > 0.97
    told = []
    for frame, moment in enumerate(player.moments):
        beat = float(np.interp((frame + 1) * FRAME_S, performance.beats_s, np.arange(len(performance.beats_s)), -1, -1))
        if beat > first_beat + 24:
            bar = chart.bar_at_beat(beat - first_beat)
            off = (bar - moment.bar_phase + 0.5) % 1.0 - 0.5
            near_line = min(bar % 1.0, 1.0 - bar % 1.0) < 0.04
            told.append(abs(off) < 0.06 and (near_line or moment.beats_per_bar == chart.beats_of_bar(int(bar))))
    assert len(told) > 500
    assert np.mean(told) > 0.97


def test_a_chart_may_begin_where_the_band_comes_in() -> None:
    performance = silent_before(perform(steady(110.0, 40.0), 5, QUIET, rests=((0, 8),)), 8)
    player = Listens(performance)
    band = Accompaniment(
        player,
        Conductor(float(PLAYER_HZ)),
        PLAYER_HZ,
        AccompanimentSettings(ahead_frames=1, wait=True, chart=CHART, chart_start_samples=None),
    )
    for block in sound_of(performance, seconds=28.0):
        band.push(block)
    assert band.came_in_s is not None
    first_beat = int(np.argmin(np.abs(performance.beats_s - band.came_in_s)))
    assert first_beat > 8
    assert first_beat % 4 == 0
    assert roots_right(player, performance, CHART, first_beat, from_beat=first_beat) > 0.97


def test_the_band_ends_where_the_chart_does() -> None:
    chart = parse_chart("end: stop\n| C | F | x4\n| G |")
    performance = perform(steady(120.0, 40.0), 4, QUIET)
    player, mix = accompany(performance, chart, performance.beats_s[0], 24.0)
    last_s = performance.beats_s[int(chart.length_beats)]
    end = round((last_s + 0.25 + 1.2 + 0.1) * PLAYER_HZ)  # it rings for half a beat, and fades
    assert np.abs(mix[end:]).max() == 0.0
    assert np.abs(mix[end - PLAYER_HZ // 2 : end - PLAYER_HZ // 4]).max() > 0.2  # the last downbeat rings
    assert not player.moments[round(last_s / FRAME_S) + 3].playing
    assert player.moments[round(last_s / FRAME_S) - 5].playing


def waiting(
    performance: Performance, chart: Chart | None, tempo_bpm: float | None, seconds: float, **more: object
) -> tuple:
    """(where the band comes in, its sound, the accompaniment) of a band that waits, as `gigmate complete` has it."""
    band = Accompaniment(
        Listens(performance),
        Conductor(float(PLAYER_HZ), tempo_bpm),
        PLAYER_HZ,
        AccompanimentSettings(ahead_frames=1, wait=True, chart=chart, **more),  # type: ignore[arg-type]
    )
    pieces = [band.push(block) for block in sound_of(performance, seconds=seconds)]
    sound = np.concatenate([piece.mono for piece in (*pieces, *band.finish())])
    return band.came_in_s, sound, band


def with_pickup(beats_per_bar: int, pickup: int, bpm: float) -> Performance:
    performance = perform(steady(bpm, 30.0, 1.3), 3, QUIET, beats_per_bar, pickup, beats_per_chord=beats_per_bar)
    return silent_before(performance, 0)


@cache
def comes_in_by_ear(beats_per_bar: int, pickup: int, bpm: float) -> float:
    """Without a chart, at so many seconds."""
    return float(waiting(with_pickup(beats_per_bar, pickup, bpm), None, None, 16.0)[0])


@pytest.mark.parametrize(
    ("beats_per_bar", "pickup", "bpm"), [(4, 0, 100.0), (4, 2, 132.0), (3, 1, 150.0), (4, 3, 84.0)]
)
@pytest.mark.parametrize("told", [False, True])
def test_a_band_that_waits_comes_in_with_the_charts_first_bar(
    beats_per_bar: int, pickup: int, bpm: float, told: bool
) -> None:
    """Not before it, on its bar line, and no later than by ear; with a tempo in the chart and without."""
    performance = with_pickup(beats_per_bar, pickup, bpm)
    chart = parse_chart(f"metre: {beats_per_bar}/4\n" + (f"tempo: {bpm:.0f}\n" if told else "") + "| C | F | G | Am |")
    tempo_bpm = bpm if told else None
    found = first_downbeat(
        Listens(performance), sound_of(performance), PLAYER_HZ, beats_per_bar=beats_per_bar, tempo_bpm=tempo_bpm
    )
    assert found is not None and found.tempo_bpm == pytest.approx(bpm, rel=0.02)
    by_ear = comes_in_by_ear(beats_per_bar, pickup, bpm)
    start = round(found.seconds * PLAYER_HZ)
    came_in, sound, band = waiting(
        performance, chart, tempo_bpm, 24.0, chart_start_samples=start, chart_tempo_bpm=found.tempo_bpm
    )
    assert came_in == pytest.approx(found.seconds, abs=0.002)
    assert came_in <= by_ear
    fade = round(0.021 * PLAYER_HZ)  # an entrance is at its level on the line
    assert np.abs(sound[: start - fade]).max() == 0.0
    assert np.abs(sound[start : start + 2_000]).max() > 0.1
    # and from there on it goes with the musician
    last = performance.beats_s[performance.beats_s < 23.0][-1]
    beat = 60.0 / bpm
    point = band._conductor.peek(last * PLAYER_HZ)
    assert abs((point.beat + 0.5) % 1.0 - 0.5) * beat < 0.08


def test_a_chart_that_begins_later_is_waited_for() -> None:
    """By --chart-start: the musician plays all the time, the band from there on."""
    performance = perform(steady(110.0, 40.0), 5, QUIET)
    start_s = float(performance.beats_s[16])
    for tempo_bpm in (None, 110.0):
        came_in, sound, _ = waiting(
            performance, CHART, tempo_bpm, 16.0, chart_start_samples=round(start_s * PLAYER_HZ), chart_tempo_bpm=110.0
        )
        assert start_s - 0.08 <= came_in <= start_s + 60 / 110 + 0.08
        assert np.abs(sound[: round((start_s - 0.1) * PLAYER_HZ)]).max() == 0.0
