"""A steady tempo is found over half a minute where single beats say next to nothing; nothing is where there is none."""

from __future__ import annotations

import math

import numpy as np
import pytest
from gigmate.engine.timing.beats.long_memory.steady_tempo import SteadyTempo, Weighed
from gigmate.engine.timing.conductor_settings import SteadySettings, TempoRange

FRAME_S, SUB_FRAMES = 0.04, 4
SECONDS = 30.0


def evidence(beats_s: np.ndarray, height: float, noise: float, seed: int = 0) -> np.ndarray:
    """Rows [frames, S] of log likelihood ratios, each told one sub-frame late, as the beat filter gives them."""
    frames = round(SECONDS / FRAME_S)
    row = np.random.default_rng(seed).normal(-0.1, noise, frames * SUB_FRAMES)
    at = np.floor(beats_s / FRAME_S * SUB_FRAMES).astype(int) + 1
    for beside in (-1, 0, 1):  # a beat's peak is some sub-frames wide
        near = at + beside
        row[near[near < len(row)]] += height
    return row.reshape(frames, SUB_FRAMES).astype(np.float32)


def weighed(rows: np.ndarray, held: tuple[float, float] | None = None, asked_hz: float | None = None) -> Weighed:
    """The outcome of the last whole round, beside a line that `held` gives at the end of the last row."""
    memory = SteadyTempo(SteadySettings(), TempoRange())
    found = None
    for k, row in enumerate(rows):
        if memory.hear(row, FRAME_S, 1.0, None):
            left_s = (len(rows) - 1 - k) * FRAME_S
            found = memory.weighed(held and (held[0], (held[1] - left_s * held[0]) % 1.0), asked_hz)
    assert found is not None
    return found


@pytest.mark.parametrize("bpm", [64.0, 97.0, 123.0, 171.0])
def test_faint_beats_add_up(bpm: float) -> None:
    found = weighed(evidence(np.arange(0.37, SECONDS, 60.0 / bpm), 0.35, 0.2))
    ratio = found.best.rate_hz * 60.0 / bpm
    assert min(abs(math.log(ratio / level)) for level in (0.5, 1.0, 2.0)) < 0.006
    assert found.best.mass > 0.3


def test_a_beat_elsewhere_is_ahead_of_the_held_one_and_the_held_one_not_of_itself() -> None:
    bpm, first_s = 123.0, 0.37
    rows = evidence(np.arange(first_s, SECONDS, 60.0 / bpm), 0.5, 0.1)
    phase = (SECONDS - first_s) * bpm / 60.0 % 1.0
    same, beside = (weighed(rows, (bpm / 60.0, (phase + away) % 1.0)) for away in (0.0, 0.4))
    assert same.lead_nats == 0.0 and beside.lead_nats > 10.0 and beside.recent_nats > 2.0
    other = weighed(rows, (bpm / 60.0 * 1.13, phase))
    assert other.lead_nats > 10.0


def test_who_has_changed_the_tempo_is_not_taken_back() -> None:
    turned_s = 21.0
    before, after = np.arange(0.3, turned_s, 0.5), np.arange(turned_s, SECONDS, 0.44)
    found = weighed(evidence(np.concatenate([before, after]), 0.5, 0.1), (1 / 0.44, (SECONDS - turned_s) / 0.44 % 1.0))
    assert found.best.rate_hz == pytest.approx(2.0, rel=0.02), "the longer part explains more"
    assert found.recent_nats < 0.0


@pytest.mark.parametrize(("between", "doubled"), [(0.5, True), (0.2, False)])
def test_twice_the_tempo_needs_beats_between_that_are_as_strong(between: float, doubled: bool) -> None:
    beats = np.arange(0.3, SECONDS, 60.0 / 93.0)
    rows = evidence(beats, 0.5, 0.05) + evidence(beats + 30.0 / 93.0, between, 0.05, 1)
    found = weighed(rows, (93.0 / 60.0, (SECONDS - 0.3) * 93.0 / 60.0 % 1.0))
    assert (found.lead_nats > 1.0) is doubled


def test_noise_is_believed_in_nowhere() -> None:
    assert weighed(evidence(np.zeros(0), 0.0, 0.3)).best.mass < 0.5


def test_a_tempo_that_was_asked_for_bounds_the_search() -> None:
    rows = evidence(np.arange(0.3, SECONDS, 60.0 / 140.0), 0.5, 0.1)
    assert weighed(rows, asked_hz=70.0 / 60.0).best.rate_hz * 60.0 == pytest.approx(70.0, rel=0.02)


def test_triplets_are_no_beats() -> None:
    beats_s = np.arange(0.2, SECONDS, 1.2)
    triplets_s = np.arange(0.2, SECONDS, 0.4)
    rows = evidence(np.concatenate([beats_s, triplets_s]), 0.4, 0.05)
    found = weighed(rows, (1 / 1.2, (SECONDS - 0.2) / 1.2 % 1.0))
    assert found.lead_nats == 0.0 or abs(math.log(found.best.rate_hz * 0.4)) > 0.05


def test_it_can_be_begun_anew() -> None:
    memory = SteadyTempo(SteadySettings(), TempoRange())
    rows = evidence(np.arange(0.2, SECONDS, 0.5), 0.5, 0.1)
    outcomes = []
    for _ in range(2):
        memory.reset()
        for row in rows:
            if memory.hear(row, FRAME_S, 1.0, None):
                outcomes.append(memory.weighed(None).best)
    half = len(outcomes) // 2
    assert half > 10 and outcomes[:half] == outcomes[half:]
