"""A written song as the slots of model/generator/score_tokens.py: each part, frame by frame. Knows no sound."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from ...model.generator import score_tokens as st
from ..band.score import PARTS, Score
from ..sound.song_labels import FRAME_S


def score_slots(score: Score, frames: int) -> NDArray[np.int16]:
    """int16 [parts, SLOTS, frames] of a song's drums, bass and keys."""
    out = np.zeros((len(PARTS), st.SLOTS, frames), np.int16)
    for row, part in enumerate(PARTS):
        notes = sorted((*score.note_seconds(n), n.pitch, n.velocity) for n in score.notes[part])
        if part == "drums":
            _hits(notes, out[row])
        else:
            _notes(notes, out[row])
    return out


def _place(start_s: float) -> tuple[int, int]:
    """Frame, and its quarter counted from 1, in which a note begins."""
    quarter = int(start_s / FRAME_S * st.ONSET_QUARTERS + 1e-9)
    return quarter // st.ONSET_QUARTERS, 1 + quarter % st.ONSET_QUARTERS


def _hits(notes: list[tuple[float, float, int, int]], out: NDArray[np.int16]) -> None:
    """Drums: the frame of each hit, and how long ago the last one was (a cymbal rings on)."""
    frames = out.shape[1]
    last = -1
    for start_s, _, pitch, velocity in notes:
        frame, quarter = _place(start_s)
        if not 0 <= frame < frames:
            continue
        for silent in range(last + 1, frame) if last >= 0 else ():
            out[st.STATE, silent] = st.age_state(silent - last)
        if out[st.STATE, frame] == 0:
            out[st.STATE, frame] = quarter
        out[st.LOUDNESS, frame] = max(out[st.LOUDNESS, frame], st.loudness_class(velocity))
        out[st.FIRST_NOTE, frame] |= 1 << st.VOICE_OF_KEY.get(pitch, 2)
        last = frame
    for silent in range(last + 1, min(frames, last + 100)) if last >= 0 else ():
        out[st.STATE, silent] = st.age_state(silent - last)


def _notes(notes: list[tuple[float, float, int, int]], out: NDArray[np.int16]) -> None:
    frames = out.shape[1]
    sounding: list[list[tuple[int, int]]] = [[] for _ in range(frames)]
    onset_frame = np.full(frames, -1)
    for start_s, end_s, pitch, velocity in notes:
        first, quarter = _place(start_s)
        if not 0 <= first < frames:
            continue
        # a note counts in its last frame only if it fills a quarter of it
        stop = min(frames, max(first + 1, int(np.ceil(end_s / FRAME_S - 0.25))))
        if out[st.STATE, first] == 0 or not st.is_onset(int(out[st.STATE, first])):
            out[st.STATE, first] = quarter
        for frame in range(first, stop):
            sounding[frame].append((pitch, velocity))
            onset_frame[frame] = max(onset_frame[frame], first)
    for frame, there in enumerate(sounding):
        if not there:
            continue
        if not st.is_onset(int(out[st.STATE, frame])):
            out[st.STATE, frame] = st.age_state(frame - int(onset_frame[frame]))
        out[st.LOUDNESS, frame] = max(st.loudness_class(velocity) for _, velocity in there)
        pitches = sorted({pitch for pitch, _ in there})
        kept = pitches if len(pitches) <= st.NOTE_SLOTS else [pitches[0], *pitches[1 - st.NOTE_SLOTS :]]
        for slot, pitch in enumerate(kept):
            out[st.FIRST_NOTE + slot, frame] = np.clip(pitch - st.LOWEST_NOTE + 1, 1, st.SLOT_ENTRIES - 1)
