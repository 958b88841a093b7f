"""What a frame is asked for by hand, as biases on its draws: for both runtimes, computed once in numpy.

A hand (engine/hand.py, met by shape only) says what each part must, may or should not do in one frame. Here that
becomes nats on the note slots, which the step in C and the eager modules add as they are. Knows no weights and no
time. Inference thread only.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple, Protocol

import numpy as np
from numpy.typing import NDArray

from .score_tokens import DRUM_VOICES, FIRST_NOTE, LOWEST_NOTE, ONSET_QUARTERS, SLOT_ENTRIES, STATE
from .steering_tables import STEERED

FloatArray = NDArray[np.float32]

FORCED_NATS = 2e3
"""Beyond anything that a network says: a draw that is decided. Half of what can never be (depth.NEVER), at most."""
LEAN_NATS = 8.0
"""By which a hit that is all but sure is likelier."""
KEEP_OUT_NATS = 8.0
"""By which a note in the lead's register is less likely."""


class Place(NamedTuple):
    """Where a frame is, in musical time. Any thread."""

    bar_beat: float
    """Beats since the bar line."""
    beats: float
    """That the frame lasts."""
    beats_per_bar: int
    tempo_bpm: float


class PartHandLike(Protocol):
    """The fields of the engine's PartHand that the model reads. Any thread."""

    @property
    def rest(self) -> bool: ...
    @property
    def hold(self) -> bool: ...
    @property
    def hit_at(self) -> float | None: ...
    @property
    def sure(self) -> float: ...
    @property
    def voices(self) -> tuple[str, ...]: ...
    @property
    def busier(self) -> float: ...
    @property
    def keep_out(self) -> tuple[int, int] | None: ...


class NoHand:
    """An engine's Hand that asks for nothing. Any thread."""

    free = True
    parts: tuple[PartHandLike, ...] = ()


NO_HAND = NoHand()


class NoteHand(NamedTuple):
    """Any thread."""

    bias: FloatArray
    """[parts, STEERED, SLOT_ENTRIES]: nats on state, loudness, first note, and every further note."""
    busier: FloatArray
    """[parts]: added to the density of each."""
    free: FloatArray
    """[parts]: 0 where the part is told to be silent, so that it owes nothing for it; else 1."""


def free_hand(parts: int) -> NoteHand:
    """Asks for nothing."""
    return NoteHand(
        np.zeros((parts, STEERED, SLOT_ENTRIES), np.float32), np.zeros(parts, np.float32), np.ones(parts, np.float32)
    )


def drum_set(voices: Sequence[str]) -> int:
    """The entry of the drums' slot for a set of voices. Raises ValueError for a voice that does not exist."""
    return sum(1 << DRUM_VOICES.index(voice) for voice in set(voices))


def speaks(part: PartHandLike) -> bool:
    """Whether the hand says what the part plays in the frame, or what it likes it to, and not only how much."""
    return part.rest or part.hold or (part.hit_at is not None and part.sure > 0.0)


def lay(hand: Sequence[PartHandLike], drums: int, density: float, to: NoteHand) -> None:
    """Add what is asked of the parts to `to`, in place; `drums` is their row, or -1."""
    for row, part in enumerate(hand[: len(to.bias)]):
        state = to.bias[row, STATE]
        begins = slice(1, 1 + ONSET_QUARTERS)
        if part.hit_at is not None:
            sure = part.sure >= 1.0
            quarter = 1 + min(ONSET_QUARTERS - 1, max(0, int(part.hit_at * ONSET_QUARTERS)))
            state[quarter] += FORCED_NATS if sure else LEAN_NATS * part.sure
            if sure and part.voices and row == drums:
                to.bias[row, FIRST_NOTE, drum_set(part.voices)] += FORCED_NATS
        elif part.rest:
            state[0] += FORCED_NATS
            to.free[row] = 0.0
        elif part.hold:
            state[begins] -= FORCED_NATS
        to.busier[row] = min(max(density + part.busier, 0.0), 1.0) - density
        if part.keep_out is not None and row != drums:
            low, high = (min(max(note - LOWEST_NOTE + 1, 1), SLOT_ENTRIES) for note in part.keep_out)
            to.bias[row, FIRST_NOTE:, low : high + 1] -= KEEP_OUT_NATS
