"""What may be put into the way of the parts, at the host rate: instruments in place of the band's own voice, effects.

Protocols only. `BandStep` calls them frame by frame: own voice, placed -> sources -> levels -> processor -> buses.
"""

from __future__ import annotations

from typing import Protocol

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float32]


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


class PartProcessor(Protocol):
    """Changes the parts at their levels: width, room, compression. Inference thread only."""

    def process(self, parts: Array) -> Array:
        """Float32 [parts, 2, n] in and out, at the host rate; what comes out may be `parts` itself, changed in place.

        It adds no delay, and holds until the next call.
        """
        ...

    def start_anew(self) -> None:
        """What comes next does not go on from what was: forget what sounds."""
        ...
