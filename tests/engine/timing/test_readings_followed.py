"""The conductor leaves a wrong first reading on a bar line, without a jump in the moment, and keeps a right one."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest
from gigmate.engine.timing.conductor import Conductor

from ..performance import FRAME_S, RATE_HZ, SUB_FRAMES, Noise, Performance, follow, perform, steady

BPM = 150.0
FIRST_S = 9.0
ROOTS = (0, 5, 7, 9)


def half_heard_at_first() -> Performance:
    """Comping on every beat, of which the network tells every other one at first."""
    noise = Noise(miss=0.0, offbeat=0.0, false_per_beat=0.0, jitter_s=0.004)
    performance = perform(steady(BPM, 36), 3, noise, roots=ROOTS)
    beat = performance.beat.copy().reshape(-1)
    at_s = (np.arange(len(beat)) + 0.5) * FRAME_S / SUB_FRAMES
    for i, beat_s in enumerate(performance.beats_s):
        if i % 2 and beat_s < FIRST_S:
            beat[np.abs(at_s - beat_s) < 0.06] = 0.02
    return dataclasses.replace(performance, beat=beat.reshape(performance.beat.shape))


def test_a_wrong_first_reading_is_left_on_a_bar_line_without_a_jump() -> None:
    performance = half_heard_at_first()
    followed = follow(Conductor(RATE_HZ), performance)
    assert followed.at(followed.tempo_bpm, 8.0) == pytest.approx(BPM / 2, rel=0.03)
    assert followed.tempo_bpm[-1] == pytest.approx(BPM, rel=0.03)
    changed = int(np.argmax(followed.tempo_bpm > 0.9 * BPM))
    assert followed.bar_phase[changed] < 0.15 or followed.bar_phase[changed - 4] > 0.85
    steps = np.diff(followed.beats[changed - 25 : changed + 50]) / FRAME_S * 60.0
    assert steps.min() > 0.65 * BPM / 2, "time never stands still"
    assert steps.max() < 1.35 * BPM, "nor leaps"
    errors = followed.errors_s(performance)[performance.beats_s > followed.time_s[changed] + 1.0]
    assert np.nanmax(np.abs(errors)) < 0.05


def test_a_right_reading_is_kept_where_the_music_can_be_counted_otherwise() -> None:
    noise = Noise(miss=0.1, offbeat=0.3, offbeat_height=0.6)
    performance = perform(steady(96.0, 36), 5, noise, roots=ROOTS)
    followed = follow(Conductor(RATE_HZ), performance)
    late = followed.tempo_bpm[followed.time_s > 12.0]
    assert np.mean(np.abs(late / 96.0 - 1.0) < 0.06) > 0.98
