"""Frames of the band on their way to the mix: drawn, and made. Values; inference thread only."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from ..mix import Mix

Array = NDArray[np.float32]


class MadeFrame(NamedTuple):
    """One frame at the host rate. Inference thread only: its arrays hold until the next frame is made."""

    start_samples: int
    """The input sample together with which its first sample is heard."""
    rows: Array
    """[rows, host_frame], half a frame more or less where the look-ahead changes: what each row of the buses plays."""
    mix: Array
    """[2, host_frame]: all parts together, whichever outputs they go to. May be `rows` itself."""
    parts: Array
    """[parts, 2, host_frame]: each part as it is in them."""
    silent: bool
    """Whether the stage lets nothing of it be heard."""


class DrawnFrame(NamedTuple):
    """What a frame is mixed with once its sound is there. Inference thread only."""

    start_samples: int
    levels_db: tuple[float, ...]
    gains: Array | None
    mix: Mix
    style: str
    kinds: tuple[str, ...]
