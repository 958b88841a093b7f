"""Sends an array through a port at a known sample and returns what came in: the measurement of a loop.

Knows no test signal. It uses the bridge that the band uses, so what is measured is the way of the band. One control
thread; no file is touched.
"""

from __future__ import annotations

import math
import os
import time
from dataclasses import replace
from types import TracebackType

import numpy as np
from numpy.typing import NDArray

from ...latency.calibration import (
    CalibrationError,
    SignalPath,
    load_calibration,
    signal_path_of,
)
from ..callback.bridge import RAMP_MS, Bridge
from ..config import EngineConfig
from ..errors import EngineError
from .port import Port

_LONGEST_S = 16.0
_LEAD_S = 0.1
_PATIENCE_S = 5.0
"""How long nothing may come in at all."""
_SLOW = 10.0
"""A busy machine's server may run so many times slower than its clock before it is given up."""
_TRIES = 4
_MOST_REPEATED = 4
"""Of all exchanges together: where samples are lost all the time, repeats must agree with holes in them too."""
CEILING_DBFS = -3.0
"""A second guard: the signals stay well below it, and a limiter at rest changes nothing."""


class PortLoop:
    """One open port, measured. It starts the port and closes it; use it as a context manager. Control thread only."""

    def __init__(self, port: Port) -> None:
        """Raises EngineError if the port will not start; it is closed then."""
        self.port = port
        self.rate_hz = port.rate_hz
        capacity = round(_LONGEST_S * self.rate_hz)
        self._margin = 2 * math.ceil(RAMP_MS * self.rate_hz / 1000)
        self.disturbed = 0
        """Exchanges that were done again because the sound system lost samples meanwhile."""
        try:
            self._bridge = Bridge(self.rate_hz, in_capacity=capacity, out_capacity=capacity, ceiling_dbfs=CEILING_DBFS)
            port.start(self._bridge)
        except BaseException:
            port.close()
            raise

    def __enter__(self) -> PortLoop:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Give the port back. May be called twice."""
        self.port.close()

    @property
    def lost_samples(self) -> int:
        """Samples of the port's clock for which no callback came, since the start."""
        return self._bridge.counters(take_peaks=False).lost_samples

    def exchange(self, signal: NDArray[np.float32], before_samples: int, after_samples: int) -> NDArray[np.float32]:
        """As `latency.probe.Loop` says. Raises EngineError if the port is lost or its sound does not flow.

        Where samples were lost meanwhile it is done again, a few times at most.
        """
        echo = None
        for attempt in range(_TRIES):
            lost_before = self.lost_samples
            echo = self._try(signal, before_samples, after_samples, _LEAD_S * 2**attempt)
            if echo is not None and (self.lost_samples == lost_before or self.disturbed >= _MOST_REPEATED):
                return echo
            self.disturbed += 1
        if echo is None:
            raise EngineError("this machine is too busy to measure: close other programs, or use a larger block")
        return echo

    def _try(
        self, signal: NDArray[np.float32], before_samples: int, after_samples: int, lead_s: float
    ) -> NDArray[np.float32] | None:
        """One attempt; None where the signal could not be laid out in time."""
        bridge = self._bridge
        bridge.in_ring.skip_to(bridge.in_ring.write_index)
        lead = round(lead_s * self.rate_hz) + 4 * max(self.port.block_samples, 64) + self._margin
        start = bridge.position + lead + before_samples
        silence = np.zeros(self._margin, np.float32)
        laid_out = np.concatenate([silence, np.asarray(signal, np.float32), silence])
        count = before_samples + signal.size + after_samples
        if count + lead > _LONGEST_S * self.rate_hz:
            raise EngineError(f"a measurement may last {_LONGEST_S:.0f} s at most: use a smaller --max-delay")
        taken = bridge.out_ring.write_at(start - self._margin, laid_out)
        bridge.set_playing(True, start - self._margin)
        try:
            echo = self._collect(start - before_samples, count, lead)
        finally:
            bridge.set_playing(False)
        return echo if taken == laid_out.size else None

    def _collect(self, first: int, count: int, lead: int) -> NDArray[np.float32]:
        """Input samples [first, first + count), waited for with an end."""
        ring = self._bridge.in_ring
        pieces: list[NDArray[np.float32]] = []
        have = 0
        begin_s = heard_s = time.monotonic()
        end_s = begin_s + _SLOW * (count + lead) / self.rate_hz + _PATIENCE_S
        position = self._bridge.position
        while have < count:
            ring.skip_to(first)
            piece = ring.read(count - have) if ring.read_index >= first else np.zeros(0, np.float32)
            if piece.size:
                pieces.append(piece)
                have += piece.size
                continue
            if self.port.lost is not None or self.port.ended.is_set():
                raise EngineError(self.port.lost or "the sound stopped during the measurement: start again")
            now_s = time.monotonic()
            if self._bridge.position != position:
                position, heard_s = self._bridge.position, now_s
            if now_s > end_s or now_s > heard_s + _PATIENCE_S:
                raise EngineError(
                    f"no sound flows through {', '.join(self.port.input_names) or 'the input'}:"
                    " is the device in use, or the server stopped?"
                )
            time.sleep(0.005)
        return np.concatenate(pieces)


def signal_path_of_port(port: Port, config: EngineConfig) -> SignalPath:
    """What a measurement through this port belongs to. To be asked before the port starts."""
    server, block_samples = "", port.block_samples
    if port.backend == "jack":
        server = config.server_name or os.environ.get("JACK_DEFAULT_SERVER", "")
    elif port.backend == "portaudio":
        block_samples = config.block_samples or 0  # without being asked it says its block only when it runs
    return signal_path_of(port.backend, port.output_names, port.input_names, port.rate_hz, block_samples, server)


def calibrated(config: EngineConfig, port: Port) -> tuple[EngineConfig, str, str | None]:
    """The config with the saved round trip of this port's signal path, where there is one and no other was asked for.

    Returns it with a few words on where the round trip comes from, and one line if the saved ones cannot be used.
    To be asked before the port starts.
    """
    if config.round_trip_samples is not None:
        return config, "as asked for", None
    if port.backend == "file":
        return config, "a file has none", None
    claim = "as the driver claims; `gigmate latency --save` measures it"
    try:
        saved = load_calibration(signal_path_of_port(port, config))
    except CalibrationError as error:
        return config, claim, str(error)
    if saved is None:
        return config, claim, None
    return replace(config, round_trip_samples=round(saved.round_trip_samples)), f"measured on {saved.day}", None
