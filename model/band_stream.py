"""One stream of the band under any runtime: what the Player (accompanist.py) asks of a program. Types only.

Three runtimes have this face: the step in C (native/), TorchScript and the eager modules (runtime.py). A stream belongs
to one thread at a time; streams of a program that is `concurrent` may run on as many threads as there are.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import NamedTuple, Protocol

import numpy as np
from numpy.typing import NDArray

from .generator.note_hand import NoteHand
from .harmony.harmonist import HarmonyNetwork

FloatArray = NDArray[np.float32]


class Wanted(NamedTuple):
    """What the next frame is to be, besides what was heard. Any thread."""

    beat_phase: float
    bar_phase: float
    tempo_bpm: float
    beats_per_bar: float
    playing: float
    confidence: float
    known: float
    """0 where there is no tempo yet."""
    density: float
    fill: float
    chord_root: int
    """-1 where no chord is known."""
    chord_pitch_classes: tuple[float, ...]
    style: int
    """As the weights number them."""
    ahead: int
    """In frames."""
    noise: FloatArray
    """[parts, places], uniform in [0, 1)."""
    temperature: float
    """Of the notes."""
    top_k: int
    top_p: float
    tuning_cents: float
    """Beside A 440, of the voice."""
    hand: NoteHand | None = None
    """What the notes are asked for by hand; None: nothing."""


class BandStream(Protocol):
    """Listening and playing, frame by frame. One thread at a time."""

    def prepare_thread(self) -> None:
        """What the calling thread needs before its first frame."""

    def reset(self) -> None:
        """A silent past, for listening and playing."""

    def forget_played(self) -> None:
        """Nothing was played, and nothing of what was heard has come to the generator."""

    def listen(self, features: FloatArray) -> FloatArray:
        """Features [heard_size] of the newest frame to the listener's logits [outputs]."""

    def hear(self, features: FloatArray) -> None:
        """Tell the generator what was heard, [heard_size]."""

    def draw(self, wanted: Wanted) -> None:
        """Decide on the next frame; `sound` gives the sound of all that was drawn since the last time."""

    def sound(self) -> FloatArray:
        """Float32 [parts, frames * frame_samples]."""

    def pass_over(self) -> None:
        """Make no sound of what was drawn since the last time."""

    def recall(self, tokens: NDArray[np.int32]) -> None:
        """Go on as if these tokens [parts, places] (-1: none) had been played last."""

    def slots(self) -> NDArray[np.int64]:
        """Slots of the frame drawn last, [parts, SLOTS]; -1 before the first."""


@dataclass
class LoadedBand:
    """A band ready to run, and what is known of it. Any thread."""

    new_stream: Callable[[], BandStream]
    runtime: str
    """`native`, `torchscript` or `eager`."""
    concurrent: bool
    """Whether two of its streams may run at once."""
    styles: tuple[str, ...]
    parts: tuple[str, ...]
    heard_size: int
    places: int
    """Tokens of one frame of one part: slots and codebooks."""
    frame_samples: int
    sample_rate_hz: int
    decode_delay_samples: int
    listener_layout: dict[str, tuple[int, int]]
    harmony: HarmonyNetwork
    """Asked once in half a beat, so not a part of the program."""
    weights_id: str
