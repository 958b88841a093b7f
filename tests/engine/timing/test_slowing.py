"""Endings that slow down with the musician: the last hit is where theirs is, and who keeps the tempo keeps it."""

from __future__ import annotations

import numpy as np
import pytest
from gigmate.engine.player import HeardFrame
from gigmate.engine.timing.anchor import Anchor
from gigmate.engine.timing.conductor import Conductor
from gigmate.engine.timing.slowing import Slowing

from ..performance import FRAME_S, RATE_HZ, FloatArray, Noise, Performance, from_tempi, perform

BEATS, PLAYS = 25, Noise(miss=0.0, jitter_s=0.010, offbeat=0.0, false_per_beat=0.0)
AHEAD_S = 0.2


def ending(bpm: float, slow_beats: int, last_share: float) -> FloatArray:
    """Beats the last of which come slower and slower, to a share of the tempo: the root law of final ritards."""

    def tempo(beat: int) -> float:
        place = min(max((beat + 0.5 - (BEATS - 1 - slow_beats)) / slow_beats, 0.0), 1.0)
        return bpm * float(np.sqrt(1.0 + (last_share**2 - 1.0) * place))

    return from_tempi(tempo, BEATS)


def last_hit_s(performance: Performance, ends: bool, last_beats: int) -> float:
    """How late the band's last hit is, by the last time before it that was told so far ahead."""
    conductor, beats_s = Conductor(RATE_HZ), performance.beats_s
    asked_from = beats_s[-1 - last_beats] - 0.2
    for frame in range(performance.frames):
        end_s = (frame + 1) * FRAME_S
        if ends and end_s > asked_from:
            conductor.end_with_lead(True)
        conductor.hear(performance.heard(frame), round(end_s * RATE_HZ), round(FRAME_S * RATE_HZ))
        asked = (end_s + AHEAD_S) * RATE_HZ
        before, now = conductor.beat_count(asked - FRAME_S * RATE_HZ), conductor.beat_count(asked)
        if end_s > asked_from and int(now) > int(before):
            last_beats -= 1
            if last_beats < 0:  # the beat that is asked for first is the one from which on they are counted
                crossed = (int(now) - before) / (now - before)
                return end_s + AHEAD_S - FRAME_S * (1.0 - crossed) - float(beats_s[-1])
    return np.nan


@pytest.mark.parametrize(("bpm", "share"), [(120.0, 0.6)])
def test_the_last_hit_of_a_ritard_is_together(bpm: float, share: float) -> None:
    runs = [perform(ending(bpm, 4, share), seed, PLAYS) for seed in range(2)]
    late = np.array([last_hit_s(run, True, 4) for run in runs])
    alone = np.array([last_hit_s(run, False, 4) for run in runs])
    assert np.median(np.abs(late)) < 0.09, late
    assert np.median(np.abs(alone)) > 0.15, alone


def test_who_keeps_the_tempo_is_not_slowed_down() -> None:
    late = [last_hit_s(perform(ending(140.0, 4, 1.0), seed, PLAYS), True, 4) for seed in range(2)]
    assert np.max(np.abs(late)) < 0.06, late


def test_time_goes_on_as_usual_after_an_ending_that_was_called_off() -> None:
    performance, conductor = perform(from_tempi(lambda _: 140.0, 44), 1, PLAYS), Conductor(RATE_HZ)
    counts = []
    for frame in range(performance.frames):
        end_s = (frame + 1) * FRAME_S
        conductor.end_with_lead(9.0 < end_s < 12.0)
        conductor.hear(performance.heard(frame), round(end_s * RATE_HZ), round(FRAME_S * RATE_HZ))
        counts.append(conductor.beat_count(end_s * RATE_HZ))
    assert np.all(np.diff(counts) > 0)
    told = np.interp(performance.beats_s[20:-2], FRAME_S * (1 + np.arange(len(counts))), counts)
    assert np.max(np.abs(told - np.round(told))) < 0.1
    assert np.ptp(np.round(told) - np.arange(len(told))) == 0, "no beat is lost"


def slowing(attacks_s: list[float], until_s: float) -> Anchor:
    """The line after attacks, from a line at 120 bpm that had beat 8 at second 4."""
    line = Slowing(1000.0)
    line.begin(Anchor(4000.0, 8.0, 120.0, 1.0, 4, 0))
    for frame in range(100, round(until_s / 0.04)):
        onset = np.zeros(4, np.float32)
        for at_s in attacks_s:
            if frame * 0.04 <= at_s < (frame + 1) * 0.04:
                onset[int((at_s - frame * 0.04) / 0.01)] = 0.9
        line.hear(HeardFrame(onset=onset), (frame + 1) * 40.0, 40.0)
    found = line.line(until_s * 1000.0, 250.0)
    assert found is not None
    return found


def test_eighths_that_swing_and_triplets_are_no_slowing() -> None:
    swung = [4.0 + beat * 0.5 + off for beat in range(8) for off in (0.0, 0.31)]
    triplets = [4.0 + beat * 0.5 / 3.0 for beat in range(24)]
    for attacks in (swung, triplets):
        found = slowing(attacks, 8.0)
        assert found.tempo_bpm == pytest.approx(120.0, rel=0.04)
        assert found.beat == pytest.approx(16.0, abs=0.1)


def test_the_line_keeps_its_bars_and_its_slowest() -> None:
    found = slowing([4.0 + 0.5 * beat * 1.06**beat for beat in range(7)], 8.6)
    assert found.beats_per_bar == 4 and found.beat_in_bar == int(found.beat) % 4
    assert 120.0 / 2.5 - 1e-6 <= found.tempo_bpm < 100.0
    left_alone = slowing([4.0 + 0.5 * beat * 1.06**beat for beat in range(7)], 20.0)
    assert left_alone.beat > 8.0 + 16.0 * 0.5, "who stops playing in a ritard does not stop time"
    assert left_alone.tempo_bpm >= 120.0 / 2.5 - 1e-6
    silent = slowing([], 9.0)
    assert silent.tempo_bpm == pytest.approx(120.0) and silent.beat == pytest.approx(18.0)
