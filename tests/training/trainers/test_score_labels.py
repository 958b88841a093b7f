"""Notes as slots per frame: what sounds, what begins and how loud, held against the written song."""

from __future__ import annotations

import numpy as np
import pytest
from gigmate.model.generator import score_tokens as st
from gigmate.training.band.arrange import write_song
from gigmate.training.band.score import PARTS, Score
from gigmate.training.sound.song_labels import FRAME_S, label
from gigmate.training.trainers.score_labels import score_slots


@pytest.fixture(scope="module")
def song() -> Score:
    return write_song(11, "train", ("funk",), 0.0, (30.0, 40.0), 0.0)


@pytest.fixture(scope="module")
def slots(song: Score) -> np.ndarray:
    frames = int(float(song.seconds(song.length_beats)) / FRAME_S)
    return score_slots(song, frames)


def test_every_onset_of_the_labels_is_a_beginning_in_its_frame(song: Score, slots: np.ndarray) -> None:
    labels = label(song, slots.shape[2])
    for row, part in enumerate(PARTS):
        frames = np.floor(labels[f"onsets_{part}_s"] / FRAME_S + 1e-9).astype(int)
        frames = np.unique(frames[(frames >= 0) & (frames < slots.shape[2])])
        begins = np.flatnonzero([st.is_onset(int(s)) for s in slots[row, st.STATE]])
        np.testing.assert_array_equal(begins, frames)


def test_a_frame_holds_the_notes_that_sound_in_it(song: Score, slots: np.ndarray) -> None:
    for row, part in ((1, "bass"), (2, "keys")):
        for note in song.notes[part][:60]:
            start_s, end_s = song.note_seconds(note)
            middle = int((start_s + end_s) / 2 / FRAME_S)
            if middle >= slots.shape[2] or end_s - start_s < 2 * FRAME_S:
                continue
            sounding = [
                n for n in song.notes[part] if song.note_seconds(n)[0] <= middle * FRAME_S < song.note_seconds(n)[1]
            ]
            heard = st.notes_of(tuple(slots[row, :, middle].tolist()))
            if len({n.pitch for n in sounding}) <= st.NOTE_SLOTS:
                assert note.pitch in heard
            assert slots[row, st.LOUDNESS, middle] > 0


def test_silence_is_all_zero(slots: np.ndarray) -> None:
    silent = slots[1:, st.STATE] == 0
    for row in (0, 1):
        assert not slots[1 + row][:, silent[row]].any()


def test_drum_voices_are_the_keys_that_were_hit(song: Score, slots: np.ndarray) -> None:
    wanted = np.zeros(slots.shape[2], int)
    for note in song.notes["drums"]:
        frame = int(song.note_seconds(note)[0] / FRAME_S + 1e-9)
        if 0 <= frame < len(wanted):
            wanted[frame] |= 1 << st.VOICE_OF_KEY[note.pitch]
    np.testing.assert_array_equal(slots[0, st.FIRST_NOTE], wanted)


def test_every_style_stays_inside_the_tables() -> None:
    from gigmate.training.band.styles import STYLES

    for seed, style in enumerate(STYLES):
        made = score_slots(write_song(seed, "train", (style,), 1.0, (20.0, 25.0), 1.0), 600)
        assert made.min() >= 0 and made.max() < st.SLOT_ENTRIES
        assert made[:, st.STATE].max() < st.STATES and made[:, st.LOUDNESS].max() <= st.LOUDNESS_CLASSES
        unknown = {n.pitch for n in write_song(seed, "train", (style,)).notes["drums"]} - set(st.VOICE_OF_KEY)
        assert not unknown, f"{style} hits keys without a voice: {unknown}"


def test_age_grows_with_the_note() -> None:
    ages = [st.age_state(frames) for frames in range(1, 60)]
    assert ages == sorted(ages) and ages[0] == 1 + st.ONSET_QUARTERS and ages[-1] == st.STATES - 1
