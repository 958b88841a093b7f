"""The shape of the generator, as stored in its weights file. A frozen value; any thread."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any

from .score_tokens import SLOT_ENTRIES, SLOTS

MAX_AHEAD_FRAMES = 12
CHORD_AHEAD_FRAMES = 2
"""A frame is told the chord of so many frames later: a note of the next chord may begin anywhere in the frame before
the change, and people play it a little early. Told the chord of its own beginning, it learnt to mistrust chords."""


@dataclass(frozen=True)
class GeneratorConfig:
    """Vocabulary and sizes of the generator, as its file of weights gives them. Any thread."""

    styles: tuple[str, ...] = ("rock",)
    parts: tuple[str, ...] = ("drums", "bass", "keys")
    codebooks: int = 4
    """Codec codebooks that it writes, the coarsest first: the finer ones are close to noise for it."""
    entries: int = 1024
    slots: int = SLOTS
    slot_entries: int = SLOT_ENTRIES
    heard_size: int = 328
    frame_rate_hz: float = 25.0
    layers: int = 6
    size: int = 256
    heads: int = 4
    hidden: int = 704
    window_frames: int = 256
    condition_size: int = 128
    heard_channels: int = 160
    depth_layers: int = 2
    depth_size: int = 192
    depth_heads: int = 4
    depth_hidden: int = 512

    @property
    def places(self) -> tuple[int, ...]:
        """What a frame of one part is made of, in order: the number of entries of each slot and codebook."""
        return (self.slot_entries,) * self.slots + (self.entries,) * self.codebooks

    def to_dict(self) -> dict[str, Any]:
        return asdict(self)
