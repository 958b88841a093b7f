"""Chords out of notes: in every key, by what was played lately, beside what the harmonist reads."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import pytest
from gigmate.engine.harmony.chord_settings import ChordSettings
from gigmate.engine.harmony.melody_reader import MelodyReader

ROOT_SHARES = np.eye(12, dtype=np.float32)
UNSURE = np.full(24, 1.0 / 24, np.float32)


class Read(NamedTuple):
    chord: np.ndarray
    key: np.ndarray
    next: np.ndarray
    after: np.ndarray


def says(chord: int, sure: float) -> Read:
    found = np.full(24, (1.0 - sure) / 23, np.float32)
    found[chord] = sure
    return Read(found, UNSURE, found, found)


def play(reader: MelodyReader, half_beats: list[list[int | tuple[int, ...]]], read: Read) -> Read:
    """Each half-beat holds pitch classes, played one after another, or at once where they come as a tuple."""
    blend = read
    for notes in half_beats:
        frames = []
        for note in notes:
            sounding = ROOT_SHARES[list(note) if isinstance(note, tuple) else [note]].sum(axis=0)
            frames += [np.sqrt(sounding / sounding.sum()).astype(np.float32)] * 3
        reader.close(np.mean(frames, axis=0, dtype=np.float64), 1.0)
        blend = reader.blend(read)
    return blend


@pytest.mark.parametrize("up", range(12))
@pytest.mark.parametrize(("third", "chord"), [(4, 0), (3, 12)])
def test_a_broken_chord_is_that_chord_in_every_key(up: int, third: int, chord: int) -> None:
    reader = MelodyReader(ChordSettings())
    notes = [[(tone + up) % 12] for tone in (0, third, 7, third)] * 4
    play(reader, notes, says(0, 0.9))
    assert int(reader.chords().argmax()) == (chord + up) % 12 + chord


def test_the_harmonist_is_swayed_where_it_wavers_and_kept_where_it_is_sure() -> None:
    melody: list[list[int | tuple[int, ...]]] = [[7], [4], [0], [4]] * 8
    assert int(play(MelodyReader(ChordSettings()), melody, says(10, 0.08)).chord.argmax()) == 0
    assert int(play(MelodyReader(ChordSettings()), melody, says(10, 0.97)).chord.argmax()) == 10


def test_silence_is_no_chord_and_a_new_song_forgets() -> None:
    reader, fresh = MelodyReader(ChordSettings()), MelodyReader(ChordSettings())
    play(reader, [[0], [4], [7], [4]] * 8, says(10, 0.3))
    assert not np.allclose(reader.chords(), fresh.chords())
    reader.close(np.zeros(12), 0.0)
    assert np.isfinite(reader.blend(says(10, 0.9)).chord).all()
    reader.reset()
    assert np.allclose(reader.chords(), fresh.chords())
