"""The attributes of the exported band, as nn~ (Max, Pd) asks for them: a getter and a setter each.

A setter gives 0 where the value was taken, else -1. TorchScript reads this source: annotations are not put off, and
types are spelt as it knows them.
"""

from typing import List, Tuple

import torch
from torch import nn

BOOL, INT, FLOAT, TEXT = 0, 1, 2, 3
ATTRIBUTES: dict[str, int] = {
    "tempo_bpm": FLOAT,
    "beats_per_bar": INT,
    "style": TEXT,
    "density": FLOAT,
    "temperature": FLOAT,
    "top_k": INT,
    "top_p": FLOAT,
    "playing": BOOL,
    "seed": INT,
    "round_trip": INT,
    "restart": BOOL,
}


class PatchAttributes(nn.Module):
    """What a patch can read and set of a band. One thread at a time."""

    styles: List[str]
    lead: int
    frame: int

    def _reset(self) -> None:
        raise NotImplementedError

    # A getter gives a tuple: nn~ 1.6.0 and later read lists and tuples alone, the versions before them read those too.

    @torch.jit.export
    def get_methods(self) -> List[str]:
        return ["forward"]

    @torch.jit.export
    def get_attributes(self) -> List[str]:
        return [
            "tempo_bpm", "beats_per_bar", "style", "density", "temperature", "top_k", "top_p", "playing", "seed",
            "round_trip", "restart",
        ]  # fmt: skip

    @torch.jit.export
    def get_tempo_bpm(self) -> Tuple[float]:
        return (self.tempo_bpm,)

    @torch.jit.export
    def set_tempo_bpm(self, value: float) -> int:
        if not (value >= 30.0 and value <= 300.0):
            return -1
        self.tempo_bpm = value
        return 0

    @torch.jit.export
    def get_beats_per_bar(self) -> Tuple[int]:
        return (self.beats_per_bar,)

    @torch.jit.export
    def set_beats_per_bar(self, value: int) -> int:
        if value < 1 or value > 12:
            return -1
        self.beats_per_bar = value
        return 0

    @torch.jit.export
    def get_style(self) -> Tuple[str]:
        return (self.style,)

    @torch.jit.export
    def set_style(self, value: str) -> int:
        if value not in self.styles:
            return -1
        self.style = value
        return 0

    @torch.jit.export
    def get_density(self) -> Tuple[float]:
        return (self.density,)

    @torch.jit.export
    def set_density(self, value: float) -> int:
        if not (value >= 0.0 and value <= 1.0):
            return -1
        self.density = value
        return 0

    @torch.jit.export
    def get_temperature(self) -> Tuple[float]:
        return (self.temperature,)

    @torch.jit.export
    def set_temperature(self, value: float) -> int:
        if not (value >= 0.01 and value <= 5.0):
            return -1
        self.temperature = value
        return 0

    @torch.jit.export
    def get_top_k(self) -> Tuple[int]:
        return (self.top_k,)

    @torch.jit.export
    def set_top_k(self, value: int) -> int:
        if value < 1:
            return -1
        self.top_k = value
        return 0

    @torch.jit.export
    def get_top_p(self) -> Tuple[float]:
        return (self.top_p,)

    @torch.jit.export
    def set_top_p(self, value: float) -> int:
        if not (value > 0.0 and value <= 1.0):
            return -1
        self.top_p = value
        return 0

    @torch.jit.export
    def get_playing(self) -> Tuple[bool]:
        return (self.playing,)

    @torch.jit.export
    def set_playing(self, value: bool) -> int:
        self.playing = value
        return 0

    @torch.jit.export
    def get_seed(self) -> Tuple[int]:
        return (self.seed,)

    @torch.jit.export
    def set_seed(self, value: int) -> int:
        """From the next restart on."""
        if value < 0:
            return -1
        self.seed = value
        return 0

    @torch.jit.export
    def get_round_trip(self) -> Tuple[int]:
        return (self.round_trip,)

    @torch.jit.export
    def set_round_trip(self, value: int) -> int:
        """Samples from a sound's way out to its way in, the patch's own buffers included. Starts anew."""
        if value < 0 or value + self.lead > 11 * self.frame:
            return -1
        self.round_trip = value
        self._reset()
        return 0

    @torch.jit.export
    def get_restart(self) -> Tuple[bool]:
        return (False,)

    @torch.jit.export
    def set_restart(self, value: bool) -> int:
        """Forget everything; the next sample is the first of a bar."""
        if value:
            self._reset()
        return 0
