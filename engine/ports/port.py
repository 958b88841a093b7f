"""The base of all audio ports: names, sample rate, latencies, start, stop and close; and how a port is chosen.

Knows no audio library: back ends are imported by name when they are asked for. `open_port` and a port's methods belong
to one control thread (the one that opened it); the properties may be read from any thread.
"""

from __future__ import annotations

import atexit
import contextlib
import ctypes
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from importlib import import_module
from typing import TYPE_CHECKING

from ..config import EngineConfig
from ..errors import EngineError

if TYPE_CHECKING:
    from ..callback.bridge import Bridge
    from ..callback.rate_conversion import Conversion

_RUNNING: list[Port] = []
"""Ports whose native callbacks may still come: compiled code and memory must not go while they do."""


@atexit.register
def _close_all() -> None:
    for port in list(_RUNNING):
        port.close()


_BACKENDS = {"jack": "JackPort", "portaudio": "PortAudioPort", "file": "FilePort"}


@dataclass(frozen=True, slots=True)
class Device:
    """One line of `gigmate devices`. Any thread."""

    backend: str
    name: str
    inputs: int
    outputs: int
    rate_hz: int
    """The rate that it runs at, or prefers."""
    detail: str = ""
    """Host API of PortAudio, channel names of JACK."""
    default: bool = False


@dataclass(frozen=True, slots=True)
class Neighbours:
    """What a MIDI port of ours is connected with. Any thread."""

    devices: bool = False
    """Ports that lead to hardware: what comes and goes there does so at its own sample."""
    programs: bool = False
    """Ports of programs on the same server: their samples are those of the sound that they play."""


class PortUnavailable(EngineError):
    """The server or the device is not there now; it may come. Any thread."""


class Port:
    """One open port. `start` once, `stop` once, `close` always; `close` returns within seconds whatever has died.

    Control thread only; the properties may be read by any thread.
    """

    backend = ""
    can_reconnect = False
    """Whether `reopen` may succeed after a loss."""

    def __init__(self, config: EngineConfig) -> None:
        """Opens nothing: subclasses open in their own `__init__` and raise EngineError or ConfigError there."""
        self.config = config
        self.rate_hz = 0
        """Of the bridge's clock, in whose samples latencies and delays are given."""
        self.card_rate_hz = 0
        """Of the sound system: another one after it came back with another, whose sound is then converted."""
        self.block_samples = 0
        """Of the sound system, in samples of its own."""
        self.input_names: tuple[str, ...] = ()
        self.output_names: tuple[str, ...] = ()
        """Of the main bus."""
        self.part_output_names: dict[str, tuple[str, ...]] = {}
        """Of each part that has outputs of its own."""
        self.capture_latency_samples = 0
        self.playback_latency_samples = 0
        self.midi_in_from = Neighbours()
        self.midi_out_to = Neighbours()
        """Where MIDI comes from, and goes to, on the sound server (JACK)."""
        self.notes_out_to: tuple[Neighbours, ...] = ()
        """The same of each part's notes, where they have ports."""
        self.note_names: tuple[str, ...] = ()
        """Of the ports that the parts' notes leave by."""
        self.transport_delay_samples: int | None = None
        """From a place of the host's transport to where it is heard with the input; None: the round trip."""
        self.own_delay_samples = 0
        """What we add on the way from input to output, as others shall know it (JACK); any thread may set it.

        The band is written earlier than its place by the round trip that is made up for: that is a negative delay. How
        far ahead it is *made* is no delay: it is heard in its place all the same.
        """
        self.remark = ""
        """One line on what of a recording was not played, once it has ended; empty for nothing."""
        self.ended = threading.Event()
        """Set when no callback will come any more: the file is over, the server has gone, or `stop` was called."""
        self._conversion: Conversion | None = None
        self._bridge: Bridge | None = None
        self._lost: str | None = None
        self._started_s = 0.0
        self._stopped_s: float | None = None

    def start(self, bridge: Bridge) -> None:
        """Let the callbacks come. The bridge must have this port's rate and belongs to this port from now on."""
        if self._bridge is not None:
            raise RuntimeError("a port starts once")
        if bridge.rate_hz != self.rate_hz:
            raise ValueError(f"the bridge runs at {bridge.rate_hz} Hz, the port at {self.rate_hz} Hz")
        self._bridge = bridge
        self.card_rate_hz = self.rate_hz
        bridge.new_lease()
        _RUNNING.append(self)
        self._start(bridge)
        self._started_s = time.perf_counter()

    def reopen(self) -> None:
        """After a loss: open the same device under the same names again; its callbacks wait for `resume`.

        Never another device. Its rate and block may be others than before. Raises EngineError while it is not there, or
        has come back without the channels or with a rate that is a stranger to ours; the port then stays lost, and may
        try again.
        """
        if self._bridge is None or self._lost is None or self._stopped_s is not None:
            raise RuntimeError("only a port that was lost is opened again")
        lost, self._lost = self._lost, None
        self.ended.clear()
        try:
            self._bridge.new_lease(waiting=True)
            self._reopen(self._bridge)
        except BaseException:
            self._lost = lost
            self.ended.set()
            raise

    def resume(self) -> None:
        """After `reopen`, while nothing else carries the bridge's clock: sound flows again."""
        if self._bridge is not None:
            self._bridge.activate_lease()

    def stop(self) -> None:
        """No callback comes after this. May be called twice."""
        if self._bridge is not None and self._stopped_s is None:
            self._stopped_s = time.perf_counter()
            self._stop()
        self.ended.set()

    def close(self) -> None:
        """Stop, and give everything back. May be called twice."""
        self.stop()
        self._close()
        if self in _RUNNING:
            _RUNNING.remove(self)

    def _adopt(self, bridge: Bridge, card_rate_hz: int) -> None:
        """In `_reopen`, before the callbacks come: from now on the sound system runs at that rate."""
        try:
            self._conversion = bridge.set_card_rate(card_rate_hz)
        except ValueError as error:
            raise EngineError(
                f"the sound system is back, but at {card_rate_hz} Hz, which cannot be converted to {self.rate_hz} Hz:"
                f" restart it with {self.rate_hz} Hz, or start again"
            ) from error
        self.card_rate_hz = card_rate_hz

    def _bridge_samples(self, samples: int, capture: bool) -> int:
        """A latency of the sound system as the bridge's clock has it: in its samples, with the conversion's delay."""
        if self._conversion is None:
            return samples
        conversion = self._conversion
        delay = conversion.capture_delay_samples if capture else conversion.playback_delay_samples
        return round(samples * conversion.ratio + delay)

    def _start(self, bridge: Bridge) -> None:
        raise NotImplementedError

    def _reopen(self, bridge: Bridge) -> None:
        raise EngineError(f"a {self.backend} port cannot reconnect: start again")

    def _stop(self) -> None:
        raise NotImplementedError

    def _close(self) -> None:
        raise NotImplementedError

    @property
    def lost(self) -> str | None:
        """None while all is well; else one line that says what went away and what to do."""
        return self._lost

    @property
    def xruns(self) -> int:
        """Over- and underruns that the back end has reported since the start."""
        return 0 if self._bridge is None else self._bridge.counters(take_peaks=False).xruns

    @property
    def callbacks_expected(self) -> int:
        """How many callbacks a perfect run would have had by now, by the port's own clock (exact to about one)."""
        if self._bridge is None:
            return 0
        counters = self._bridge.counters(take_peaks=False)
        if counters.callbacks == 0:
            return 0
        return counters.callbacks + round(counters.lost_samples / max(1, counters.block_samples))


def keep_for_ever(*things: object) -> None:
    """Not even the interpreter's end shall free these: a native thread that was left behind may still use them."""
    for thing in things:
        ctypes.pythonapi.Py_IncRef(ctypes.py_object(thing))


def run_detached(action: Callable[[], object], timeout_s: float, ignore: tuple[type[Exception], ...] = ()) -> bool:
    """Run something that may hang for ever in a thread that may be left behind; False if it was still at it."""

    def attempt() -> None:
        with contextlib.suppress(*ignore):
            action()

    thread = threading.Thread(target=attempt, name="gigmate-aside", daemon=True)
    thread.start()
    thread.join(timeout_s)
    return not thread.is_alive()


def open_port(config: EngineConfig) -> Port:
    """Open the port that the config asks for. "auto": JACK if a server answers, else PortAudio if it has a device.

    Raises EngineError (no server, no device, no such channel, ...) or ConfigError (a rate that the device has not).
    """
    backend: str = config.backend
    if backend == "auto":
        backend = _choose_backend(config)
    module = import_module(f".{backend}", __package__)
    port: Port = getattr(module, _BACKENDS[backend])(config)
    return port


def _choose_backend(config: EngineConfig) -> str:
    if config.input_file is not None:
        return "file"
    reasons = []
    for backend in ("jack", "portaudio"):
        reason = unavailable_reason(backend, config)
        if reason is None:
            return backend
        reasons.append(reason)
    raise EngineError(
        "no sound system found: " + "; ".join(reasons) + ". Start JACK, plug in a sound card, or give a file"
    )


def unavailable_reason(backend: str, config: EngineConfig | None = None) -> str | None:
    """None if the back end could open a port now; else the reason in a few words."""
    answer: str | None = import_module(f".{backend}", __package__).unavailable_reason(config or EngineConfig())
    return answer


def list_devices(backend: str, config: EngineConfig | None = None) -> list[Device]:
    """The devices of one back end ("jack", "portaudio"). Raises EngineError if it cannot be asked."""
    devices: list[Device] = import_module(f".{backend}", __package__).list_devices(config or EngineConfig())
    return devices
