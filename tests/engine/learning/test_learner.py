"""Songs learnt by hearing them: presses, bars, sections that come back, and what is done over."""

from __future__ import annotations

import math

import numpy as np
import pytest
from gigmate.engine.charts.chart import Chart
from gigmate.engine.charts.chord_symbol import parse_chord
from gigmate.engine.commands import Command, SetChart, ShiftHalfBeat, ThisIsOne
from gigmate.engine.errors import ConfigError
from gigmate.engine.learning.chord_decoding import in_fours
from gigmate.engine.learning.learner import Learner
from gigmate.engine.player import HeardFrame
from gigmate.engine.position import Point
from gigmate.engine.timing.entrance_cue import EntranceCue

RATE_HZ = 32_000
FRAME = 1280
BEAT = RATE_HZ // 2  # 120 bpm
VERSE, CHORUS = ("C", "Am", "F", "G"), ("F", "G", "Em", "Am")


class Time:
    """A conductor who knows the beat from its second bar on, and then counts bars of four."""

    def __init__(self, known_after: float = 0.0, bars_off: int = 0) -> None:
        self.known_after, self.bars_off = known_after, bars_off
        self.half, self.rate, self.led = 0.0, 1.0, False  # beats that it is beside, its tempo beside the true one
        self.chart: Chart | None = None
        self.first_bar = 0
        self.said: list[Command] = []
        self.now = 0.0

    def peek(self, position: float) -> Point:
        beat = self.rate * position / BEAT + self.half
        bar = math.floor((beat - self.bars_off) / 4)
        return Point(position, beat, 4.0 * bar + self.bars_off, bar, 4)

    def entrance_cue(self) -> EntranceCue:
        return EntranceCue(source="listener", beat=self.now >= self.known_after, bar=self.bars_off == 0)

    def bar_samples(self) -> int:
        return round(4 * BEAT / self.rate)

    def begin_bar(self, position: float, tempo_bpm: float | None = None) -> bool:
        assert tempo_bpm is not None
        self.rate, self.half = tempo_bpm / 120.0, 0.0
        self.bars_off = round(position / BEAT) % 4
        return True

    def lay_chart(self, chart: Chart | None, first_bar: int, entering: bool = False) -> None:
        self.chart, self.first_bar = chart, first_bar

    def obey(self, command: Command, position: float) -> None:
        if self.led:
            raise ConfigError("the count is that of a clock: change it there")
        self.said.append(command)
        if isinstance(command, ShiftHalfBeat):
            self.half += 0.5
        if isinstance(command, ThisIsOne):
            self.bars_off = round(self.rate * position / BEAT + self.half) % 4
        if isinstance(command, SetChart):
            self.chart = None

    def chord_on(self, beat: int) -> str:
        """What the band would play on that beat."""
        assert self.chart is not None
        bar = self.peek(beat * BEAT + 1.0)
        return self.chart.symbol_at(
            self.chart.beat_at_bar((bar.bar - self.first_bar) % self.chart.bars + bar.bar_phase)
        )


class Band:
    def __init__(self) -> None:
        self.sounds = False
        self.came_in: float | None = None

    def come_in(self, position: float) -> None:
        if not self.sounds:
            self.sounds, self.came_in = True, position


class Player:
    """Plays chords, a bar each, from a beat on, and presses on beats."""

    def __init__(self, time: Time) -> None:
        self.time, self.band = time, Band()
        self.learner = Learner(time, RATE_HZ, None, self.band)  # type: ignore[arg-type]
        self.frame = 0

    def play(self, bars: tuple[str, ...], presses: dict[float, str] | None = None) -> None:
        """So many bars, from where we are; `presses`: beats from there, and what is asked."""
        begin = self.frame * FRAME / BEAT
        waiting = sorted((presses or {}).items())
        end = round((begin + 4 * len(bars)) * BEAT / FRAME)
        while self.frame < end:
            self.frame += 1
            now = self.frame * FRAME
            beat = (now - FRAME / 2 - 0.07 * RATE_HZ) / BEAT - begin
            name = bars[min(max(0, math.floor(beat / 4)), len(bars) - 1)]
            self.time.now = now
            self.learner.hear(heard(name), now, FRAME)
            while waiting and (begin + waiting[0][0]) * BEAT <= now:
                at, what = waiting.pop(0)
                getattr(self.learner, what)(*([] if what == "forget" else [(begin + at) * BEAT]))
            self.learner.reach(now + 0.1 * RATE_HZ)


def heard(name: str) -> HeardFrame:
    if not name:
        return HeardFrame()
    chord = parse_chord(name)
    roots = np.full(13, 0.01, np.float32)
    roots[chord.root] = 0.9
    classes = np.where(np.array(chord.pitch_classes) > 0, 0.95, 0.03).astype(np.float32)
    return HeardFrame(chord_root=roots, chord_pitch_classes=classes, played=classes, activity=0.9, level_db=-20.0)


def chords(player: Player, place: int = 0) -> list[str]:
    section = player.learner.sections[place]
    return [symbol.name for symbol in section.symbols(flats=True)][:: section.metre]


@pytest.mark.parametrize("press_beat", [15.7, 16.0, 16.4])
def test_a_section_played_in_once_goes_round_from_the_bar_line_that_was_meant(press_beat: float) -> None:
    player = Player(Time())
    player.play(("",), {2.0: "press"})
    player.play((*VERSE, *VERSE), {press_beat: "press"})
    assert chords(player) == list(VERSE)
    assert [player.time.chord_on(20 + 4 * bar) for bar in range(5)] == [*VERSE, "C"]
    assert player.band.came_in == pytest.approx(20 * BEAT, abs=FRAME)


def test_the_beat_may_be_found_late_and_the_bars_be_wrong_until_the_press() -> None:
    player = Player(Time(known_after=14 * BEAT, bars_off=1))
    player.play(("",), {2.0: "press"})
    player.play(VERSE)
    player.play(VERSE, {0.1: "press"})
    assert chords(player) == list(VERSE)
    assert any(isinstance(command, ThisIsOne) for command in player.time.said)
    assert player.time.bars_off == 0
    player.play(VERSE)
    assert player.time.chord_on(40) == player.time.chord_on(24 + 32)


def test_another_section_and_the_first_one_comes_back_by_hearing() -> None:
    player = Player(Time())
    player.play(("",), {2.0: "press"})
    player.play(VERSE)
    player.play(VERSE, {0.0: "press", 15.0: "press"})
    player.play(CHORUS)
    player.play(CHORUS, {0.0: "press"})
    assert [chords(player, place) for place in (0, 1)] == [list(VERSE), list(CHORUS)]
    player.play(VERSE)  # without a press
    player.play(VERSE)
    song = player.learner.known()
    assert song is not None
    assert [section.name for section in song.chart.sections] == ["Verse", "Chorus"]
    assert player.learner.words.startswith("Verse goes round")


def test_a_chord_played_wrong_once_is_outvoted() -> None:
    player = Player(Time())
    player.play(("",), {2.0: "press"})
    player.play(("C", "Am", "E", "G"))
    player.play(VERSE, {0.0: "press"})
    assert chords(player)[2] == "E"
    player.play(VERSE)
    player.play(VERSE)
    player.play(("C",))
    assert chords(player) == list(VERSE)


def test_again_takes_the_place_of_the_section_and_forget_leaves_it_off() -> None:
    player = Player(Time())
    player.play(("",), {2.0: "press"})
    player.play(VERSE)
    player.play(VERSE, {0.0: "press", 15.0: "again"})
    player.play(CHORUS)
    player.play(CHORUS, {0.0: "press"})
    assert [chords(player), len(player.learner.sections)] == [list(CHORUS), 1]
    player.play(CHORUS, {15.0: "forget"})
    assert player.learner.state == "off" and player.time.chart is None
    with pytest.raises(ConfigError, match="press learn first"):
        player.learner.forget()


def test_a_chord_put_right_by_hand_stays_whatever_is_played() -> None:
    player = Player(Time())
    player.play(("",), {2.0: "press"})
    player.play(VERSE)
    player.play(VERSE, {0.0: "press"})
    player.learner.replace(2, 3, parse_chord("D7"))
    player.play(VERSE)
    song = player.learner.known()
    assert song is not None and [song.chart.symbol_at(beat) for beat in (4.0, 6.0, 8.0)] == ["Am", "D7", "F"]
    assert player.learner.undo() and not player.learner.undo()
    with pytest.raises(ConfigError, match="no bar 9"):
        player.learner.replace(9, 1, parse_chord("C"))


def test_a_kept_song_goes_on_as_a_whole_and_a_song_without_sections_cannot_be_kept() -> None:
    player = Player(Time())
    with pytest.raises(ConfigError, match="no song to keep"):
        player.learner.finish()
    player.play(("",), {2.0: "press"})
    player.play(VERSE)
    player.play(VERSE, {0.0: "press"})
    player.learner.finish("Harbour")
    song = player.learner.known()
    assert song is not None and (song.name, song.finished) == ("Harbour", True)
    assert song.chart.title == "Harbour" and song.chart.tempo_bpm == pytest.approx(120.0, abs=0.2)
    assert player.time.chart is song.chart and player.learner.state == "off"


def test_a_beat_that_is_heard_half_a_beat_beside_is_moved_by_first_note_and_press() -> None:
    time = Time()
    time.half = 0.5
    player = Player(time)
    player.play(("",), {2.0: "press"})
    player.play(VERSE)
    player.play(VERSE, {0.1: "press"})
    assert sum(isinstance(command, ShiftHalfBeat) for command in time.said) == 1
    assert chords(player) == list(VERSE) and player.learner.sections[0].bars == 4
    assert player.band.came_in == pytest.approx(20 * BEAT, abs=FRAME)
    player.play(CHORUS, {-0.1: "press"})  # and stays so
    player.play(CHORUS, {0.0: "press"})
    assert chords(player, 1) == list(CHORUS)
    assert sum(isinstance(command, ShiftHalfBeat) for command in time.said) == 1


def test_another_clock_is_right_whatever_the_foot_says() -> None:
    time = Time()
    time.half, time.led = 0.5, True
    player = Player(time)
    player.play(("",), {2.0: "press"})
    player.play(VERSE)
    player.play(VERSE, {0.0: "press"})
    assert not time.said and time.half == 0.5 and player.learner.goes_round


def test_a_section_heard_in_another_tempo_is_counted_in_the_song_s() -> None:
    time = Time()
    player = Player(time)
    player.play(("",), {2.0: "press"})
    player.play(VERSE)
    player.play(VERSE, {0.0: "press", 15.8: "press"})
    player.play(CHORUS[:2])
    time.rate = 4 / 3  # the ear has lost it
    player.play(CHORUS[2:])
    player.play(CHORUS, {0.0: "press"})
    assert time.rate == pytest.approx(1.0, abs=0.01)
    assert chords(player, 1) == list(CHORUS) and player.learner.sections[1].bars == 4
    song = player.learner.known()
    assert song is not None and song.chart.tempo_bpm == pytest.approx(120.0, abs=1.0)


def test_bars_of_two_whose_chords_change_at_every_other_line_are_bars_of_four() -> None:
    verse = np.repeat([0, 21, 5, 7], 4)
    assert in_fours(verse) and in_fours(np.tile(verse, 2))
    assert not in_fours(np.repeat([0, 21, 5, 7] * 2, 2))
    assert not in_fours(verse[:-2])  # no whole number of them
    assert not in_fours(np.zeros(16, np.int64))  # a single chord says nothing


@pytest.mark.parametrize(
    ("style", "heard_at", "bars"),
    [("soul", 2.0, 4), ("soul", 1.0, 4), ("disco", 0.5, 4), ("metal", 2.0, 8), ("no style", 2.0, 8)],
)
def test_a_tempo_in_which_a_style_never_is_was_heard_twice_or_half_as_fast(
    style: str, heard_at: float, bars: int
) -> None:
    time = Time()
    player = Player(time)
    player.learner.set_style(style)
    time.rate = heard_at
    player.play(("",), {2.0: "press"})
    player.play(VERSE)
    player.play(VERSE, {0.0: "press"})
    assert player.learner.sections[0].bars == bars
    if bars == 4:
        assert chords(player) == list(VERSE) and time.rate == pytest.approx(1.0, abs=0.02)
