"""The judge of notes: the written part is its own measure, fills, crashes and swells are found where they are."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
from gigmate.model.generator import score_tokens as st
from gigmate.model.loading import load_band
from gigmate.training.evaluate.note_figures import (
    Take,
    bars_of,
    fill_figures,
    follow_correlation,
    note_figures,
    play,
)

FRAMES, BAR = 200, 50
KICK, CRASH, TOM = 1, 1 << st.DRUM_VOICES.index("crash"), 1 << st.DRUM_VOICES.index("tom")


def drums(hits: dict[int, int]) -> np.ndarray:
    """[3, SLOTS, FRAMES] with these sets of voices by frame."""
    slots = np.zeros((3, st.SLOTS, FRAMES), np.int64)
    for frame, voices in hits.items():
        slots[0, st.STATE, frame], slots[0, st.FIRST_NOTE, frame] = 1, voices
    return slots


def test_the_written_part_has_what_is_written_and_a_held_one_more() -> None:
    written = drums({0: KICK, 50: KICK})
    written[2, st.STATE, [10, 60]] = 2
    for first in (10, 60):
        written[2, st.FIRST_NOTE, first : first + 20] = 40
    active = np.ones((FRAMES, 3), bool)
    assert note_figures(written, written, active)["keys_sounding_of_written"] == 1.0
    held = written.copy()
    held[2, st.FIRST_NOTE, 10:90] = 40
    figures = note_figures(held, written, active)
    assert (figures["keys_sounding_of_written"], figures["keys_onsets_of_written"]) == (2.0, 1.0)
    assert figures["drums_onsets_of_written"] == 1.0
    active[50:] = False
    assert note_figures(held, written, active)["keys_sounding_of_written"] == 2.0


def test_fills_are_told_from_other_bars() -> None:
    bars = bars_of({"bar_phase": np.arange(FRAMES) % BAR / BAR}, 0, FRAMES)
    assert bars.tolist() == [k // BAR for k in range(FRAMES)]
    filled = bars == 1
    hits = dict.fromkeys(range(50, 100, 5), TOM) | {100: CRASH | KICK, 120: KICK}
    figures = fill_figures(drums(hits), bars, filled)
    assert (figures["fill_hits_a_bar"], figures["other_hits_a_bar"]) == (10.0, 2.0)
    assert (figures["fill_tom_share"], figures["other_tom_share"], figures["crash_after"]) == (1.0, 0.0, 1.0)


def test_a_band_that_swells_with_the_lead_is_told_from_one_that_does_not() -> None:
    rate_hz, frame, lines = 1000, 40, np.arange(0.0, 20.0, 1.0)
    gain_db = np.repeat([0.0, -9.0, 0.0, 6.0, -9.0, 3.0, 0.0, -9.0, 0.0, 6.0], 2 * rate_hz)
    noise = np.random.default_rng(0).normal(0, 0.1, (3, len(gain_db)))
    slots = np.zeros((3, st.SLOTS, len(gain_db) // frame), np.int64)
    follows = Take(slots, noise * 10 ** (gain_db / 20), 0)
    assert follow_correlation(follows, gain_db, lines, rate_hz, frame) > 0.95
    assert abs(follow_correlation(Take(slots, noise, 0), gain_db, lines, rate_hz, frame)) < 0.8


@pytest.mark.parametrize("filled", [False, True])
def test_a_band_is_played_with_what_is_true_of_the_song(tiny_weights: Path, filled: bool) -> None:
    count = 30
    labels = {
        "beat_phase": np.arange(count) * 0.08 % 1.0, "bar_phase": np.arange(count) * 0.02 % 1.0,
        "tempo_bpm": np.full(count, 120.0), "beats_per_bar": np.full(count, 4), "chord_root": np.zeros(count, int),
        "chord_pcs": np.zeros((count, 12)), "part_active": np.ones((count, 3), bool),
    }  # fmt: skip
    song = SimpleNamespace(labels=labels, stems={"lead": np.zeros(count * 1280)}, meta={"style": "rock"})
    band = load_band(tiny_weights, compiled=False)
    take = play(band, song, fill=np.full(count, float(filled)))  # type: ignore[arg-type]
    frames = take.slots.shape[2]
    assert take.slots.shape == (3, st.SLOTS, frames) and take.sound.shape == (3, frames * 1280)
    hits = int(((take.slots[0, st.STATE] >= 1) & (take.slots[0, st.STATE] <= 4)).sum())
    if filled:
        assert hits >= 4
