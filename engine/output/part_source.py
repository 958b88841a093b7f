"""What may be put into the way of the parts, at the host rate: instruments in place of the band's own voice.

A protocol only. `BandStep` goes frame by frame: own voice, placed -> source -> levels -> desk (mix_desk.py) -> buses.
"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float32]
Aside = Callable[[], AbstractContextManager[Any]]
"""Entered around what needs no interpreter, so that other streams of the same players go on meanwhile."""


class PartSource(Protocol):
    """Makes sound of its own for some parts. Inference thread only."""

    def fill(self, start_samples: int, parts: Array) -> None:
        """Write over the parts that it plays, before their levels: float32 [parts, 2, n] at the host rate.

        The first sample is heard together with input sample `start_samples`. Frames follow each other without a gap,
        until `start_anew`.
        """
        ...

    def start_anew(self) -> None:
        """What comes next does not go on from what was: forget what sounds."""
        ...
