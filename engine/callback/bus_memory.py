"""The memory of the callback's outputs: of each bus its limiter, the rows' scratch, and which output plays what.

Knows no ring and no port. It is made before the first callback and outlives the last one.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from ...dsp.limiter import CEILING, KNEE_LEVEL, LIMITER_WORDS, setup_limiter
from ...dsp.raw_memory import aligned_words, touched_floats
from ..buses import BusLayout
from . import state_table


class BusMemory:
    """Words and floats for the buses of one bridge. Each method says its thread."""

    def __init__(self, layout: BusLayout, rate_hz: int, ceiling_dbfs: float, max_block_samples: int) -> None:
        """Raises ValueError for more outputs than there can be, or a ceiling above 0 dBFS."""
        outputs = layout.output_rows
        if len(outputs) > state_table.METERED_CHANNELS:
            raise ValueError(f"{len(outputs)} outputs: at most {state_table.METERED_CHANNELS}")
        self._rate_hz = rate_hz
        count = len(layout.buses)
        self._limiters = aligned_words(count * LIMITER_WORDS).view(np.float64)
        for bus in range(count):
            setup_limiter(self._limiter(bus), rate_hz, ceiling_dbfs)
        self._count = count
        self._bounds = aligned_words(count + 1)
        self._bounds[: count + 1] = layout.first_rows
        self._outputs = aligned_words(state_table.METERED_CHANNELS)  # what nobody named plays the first row
        self._outputs[: len(outputs)] = outputs
        self._mix = touched_floats((layout.rows + 2) * max_block_samples)
        self._gains = touched_floats(max_block_samples)
        self._layout = layout

    def fill(self, words: NDArray[np.int64]) -> None:
        """Control thread only, before the first callback: the stream's words that lead here."""
        words[state_table.ROWS] = self._layout.rows
        words[state_table.BUSES] = self._count
        words[state_table.CLICK_APART] = int(bool(self._layout.click))
        words[state_table.LOOP_BUS] = self._layout.loop_bus
        words[state_table.BUS_ROWS] = self._bounds.ctypes.data
        words[state_table.OUTPUT_ROWS] = self._outputs.ctypes.data
        words[state_table.LIMITERS] = self._limiters.ctypes.data
        words[state_table.MIX_SCRATCH] = self._mix.ctypes.data
        words[state_table.GAIN_SCRATCH] = self._gains.ctypes.data

    def set_ceiling(self, ceiling_dbfs: float) -> None:
        """Inference thread only. Of all limiters. Raises ValueError above 0 dBFS."""
        fresh = np.zeros(LIMITER_WORDS, np.float64)
        setup_limiter(fresh, self._rate_hz, ceiling_dbfs)
        for bus in range(self._count):
            words = self._limiter(bus)
            lower = fresh[CEILING] < words[CEILING]
            # The knee is never above the ceiling.
            for word in (KNEE_LEVEL, CEILING) if lower else (CEILING, KNEE_LEVEL):
                words[word] = fresh[word]

    def _limiter(self, bus: int) -> NDArray[np.float64]:
        return self._limiters[bus * LIMITER_WORDS : (bus + 1) * LIMITER_WORDS]
