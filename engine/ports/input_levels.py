"""How loud each input of the sound system is, one after the other: for finding the one that somebody plays into.

Opens ports of its own with the callback that the band has: peaks are counted there, and nothing else is done. Control
thread only, or a thread of its own.
"""

from __future__ import annotations

import math
import time
from collections.abc import Iterator
from dataclasses import replace

from ..callback.bridge import Bridge
from ..config import EngineConfig
from ..errors import EngineError
from .port import open_port

MOVES_DB = -50.0
"""An input that is louder than this has somebody on it: noise of an open input is less, dBFS."""
MOST_INPUTS = 16
_DWELL_S = 0.4
_SETTLES_S = 0.1
"""What a card says in its first moments is no signal."""


def input_peaks(
    config: EngineConfig, left_out: tuple[int, ...] = (), dwell_s: float = _DWELL_S
) -> Iterator[tuple[int, float]]:
    """Each channel there is, from 1, with its peak over `dwell_s`, dBFS (-inf: nothing at all), without those left out.

    Ends where there are no more channels, or where the device lets nobody else listen. Raises EngineError where the
    first one that is tried cannot be opened.
    """
    own = EngineConfig(
        backend=config.backend,
        device=config.device,
        server_name=config.server_name,
        rate_hz=config.rate_hz,
        block_samples=config.block_samples,
        output_channels=config.output_channels[:1],
        client_name="gigmate-inputs",
    )
    tried = 0
    for channel in range(1, MOST_INPUTS + 1):
        if channel in left_out:
            continue
        try:
            port = open_port(replace(own, input_channels=(channel,)))
        except EngineError:
            if not tried:
                raise
            return
        tried += 1
        try:
            bridge = Bridge(port.rate_hz)
            port.start(bridge)
            time.sleep(_SETTLES_S)
            bridge.counters()  # takes the peaks of the beginning
            time.sleep(dwell_s)
            peak = bridge.counters().in_peak
        finally:
            port.close()
        yield channel, 20.0 * math.log10(peak) if peak > 0.0 else -math.inf


def moving_input(config: EngineConfig, left_out: tuple[int, ...] = ()) -> tuple[int, float] | None:
    """The loudest channel and its peak, if it is one that somebody plays into; None for none. Raises EngineError."""
    loudest = max(input_peaks(config, left_out), key=lambda found: found[1], default=None)
    return loudest if loudest is not None and loudest[1] > MOVES_DB else None
