"""Reconnects a port that went away: the run continues in silence until the same device can be opened again.
Another block or rate that it comes back with is the port's own affair: the bridge's clock keeps its rate.

Knows ports and the bridge, no worker: while no port calls, a stand-in carries the bridge's clock at the pace of the
wall clock, with silence in and nowhere to go out. So positions, bars, commands and the recording go on, and the band
comes back in its place. One thread, `gigmate-port`; what other threads may call says so.
"""

from __future__ import annotations

import threading
import time
from collections import deque

import numpy as np

from ..callback.bridge import Bridge
from ..errors import EngineError
from ..fault_kinds import FaultKind
from ..fault_log import FaultLog
from .port import Port, PortUnavailable

_POLL_S = 0.05
_RETRY_S = 0.5
_PIECE_S = 0.005
_MOST_BEHIND_S = 2.5
"""Longer than it takes to notice a loss: what the wall clock says beyond that is no loss of ours (a machine asleep)."""
_CLOCK_READINGS = 40
_LAST_CALL_S = 0.02
"""A callback that runs while its stream is retired has ended by then."""
_CLOSE_S = 10.0


class SilentClock:
    """Carries the clock of a bridge while no port does. One thread at a time."""

    def __init__(self, bridge: Bridge) -> None:
        self._bridge = bridge
        self._rate_hz = bridge.rate_hz
        piece = max(1, round(_PIECE_S * self._rate_hz))
        self._silence = np.zeros((1, piece), np.float32)
        self._discarded = np.zeros((1, piece), np.float32)
        self._quit = threading.Event()
        self._thread = threading.Thread(target=self._run, name="gigmate-stand-in", daemon=True)
        self._origin_s = 0.0

    def start(self, origin_s: float) -> None:
        """Begin, at once catching up. `origin_s`: when, by the wall clock, position 0 would have been."""
        self._origin_s = origin_s
        self._thread.start()

    def stop(self) -> None:
        """End, with the clock at the wall clock's sample."""
        if not self._quit.is_set():
            self._quit.set()
            self._thread.join()
            self._process_until_now(0)

    def _run(self) -> None:
        while not self._quit.wait(_PIECE_S):
            self._process_until_now(self._silence.shape[1] - 1)

    def _process_until_now(self, least: int) -> None:
        while not (self._quit.is_set() and least):
            due = int((time.perf_counter() - self._origin_s) * self._rate_hz) - self._bridge.position
            if due <= least:
                return
            count = min(due, self._silence.shape[1])
            self._bridge.process_arrays(self._silence[:, :count], self._discarded[:, :count])


class PortReconnector:
    """Watches the port of one run and brings it back. `over` is set when no sound will come any more.

    Each method says its thread.
    """

    def __init__(self, port: Port, bridge: Bridge, fault_log: FaultLog, patience_s: float) -> None:
        """`patience_s`: how long to wait for a port that went away, infinity included."""
        self._port = port
        self._bridge = bridge
        self._fault_log = fault_log
        self._patience_s = patience_s
        self._quit = threading.Event()
        self._thread = threading.Thread(target=self._run, name="gigmate-port", daemon=True)
        self._clock_origins_s: deque[float] = deque(maxlen=_CLOCK_READINGS)
        self._lost_since_s: float | None = None
        self._reconnections = 0
        self._away_s = 0.0
        self._longest_s = 0.0
        self.over = threading.Event()

    def start(self) -> None:
        """Control thread only. The port runs: watch it."""
        self._thread.start()

    def close(self) -> bool:
        """Any thread. Watch no more and reconnect no more; False if a sound library still holds the thread."""
        self._quit.set()
        if self._thread.ident is not None:
            self._thread.join(_CLOSE_S)
        self.over.set()
        return not self._thread.is_alive()

    @property
    def away(self) -> bool:
        """Any thread. Whether the port is gone at this moment."""
        return self._lost_since_s is not None

    def report(self) -> dict[str, object]:
        """Any thread. Plain values: how often the port came back, and how long it was away."""
        since_s = self._lost_since_s
        now_s = 0.0 if since_s is None else time.perf_counter() - since_s
        return {
            "times": self._reconnections,
            "away_seconds": self._away_s + now_s,
            "longest_seconds": max(self._longest_s, now_s),
        }

    # ------------------------------------------------------------------------------------------- the thread

    def _run(self) -> None:
        try:
            while not self._quit.is_set():
                if not self._port.ended.wait(_POLL_S):
                    self._note_clock()
                elif self._port.lost is None or self._quit.is_set() or not self._bring_back():
                    return
        finally:
            self.over.set()

    def _note_clock(self) -> None:
        """The earliest of the last looks says when position 0 was: callbacks are never early."""
        position = self._bridge.position
        if position > 0:
            self._clock_origins_s.append(time.perf_counter() - position / self._bridge.rate_hz)

    def _bring_back(self) -> bool:
        """Go on without the port until it is there again; False if it will not be waited for any longer."""
        lost_s = self._lost_since_s = time.perf_counter()
        lost = f"{self._port.lost}; the band comes back with it by itself"
        self._fault_log.fault(FaultKind.PORT_LOST, cause=lost)
        self._bridge.new_lease(waiting=True)  # a device that only slept shall not call beside the stand-in
        self._quit.wait(_LAST_CALL_S)
        silent_clock = SilentClock(self._bridge)
        known_s = lost_s - self._bridge.position / self._bridge.rate_hz
        silent_clock.start(max(known_s - _MOST_BEHIND_S, min(self._clock_origins_s, default=known_s)))
        try:
            while not self._quit.is_set() and time.perf_counter() - lost_s < self._patience_s:
                if self._reopened():
                    silent_clock.stop()
                    self._port.resume()
                    self._note_return(lost_s)
                    return True
                self._quit.wait(_RETRY_S)
            return False
        finally:
            silent_clock.stop()

    def _reopened(self) -> bool:
        try:
            self._port.reopen()
        except PortUnavailable:
            return False
        except EngineError as error:  # it is back, but not as it was
            self._fault_log.fault(FaultKind.RECONNECTING, cause=str(error))
            return False
        except Exception as error:  # noqa: BLE001 - a sound library in distress may raise anything; it is tried again
            cause = f"the sound system answered with {type(error).__name__}: {error}"
            self._fault_log.fault(FaultKind.RECONNECTING, cause=cause)
            return False
        return True

    def _note_return(self, lost_s: float) -> None:
        away_s = time.perf_counter() - lost_s
        self._lost_since_s = None
        self._reconnections += 1
        self._away_s += away_s
        self._longest_s = max(self._longest_s, away_s)
        self._clock_origins_s.clear()
        port = self._port
        if port.card_rate_hz != port.rate_hz:
            self._fault_log.fault(FaultKind.PORT_RATE, card_rate_hz=port.card_rate_hz, rate_hz=port.rate_hz)
