"""The PortAudio port: the compiled callback passed to Pa_OpenStream of the library that a Python binding ships.

Knows PortAudio's C interface (portaudio_api.py) but no music. PyAudio or sounddevice serves only to find the library;
no Python runs in the stream's thread. A small watcher thread notices when the callbacks stop coming.
"""

from __future__ import annotations

import ctypes
import threading
import time
from typing import TYPE_CHECKING, Any

from ..callback import portaudio_callback, state_table
from ..config import EngineConfig
from ..errors import ConfigError, EngineError
from . import jack
from .port import (
    Device,
    Port,
    PortUnavailable,
    keep_for_ever,
    run_detached,
)
from .portaudio_api import (
    FLOAT32_BY_CHANNEL,
    JACK_HOST_API,
    NO_DITHER_NO_CLIP,
    DeviceInfo,
    HostApiInfo,
    Library,
    StreamParameters,
)

if TYPE_CHECKING:
    from ..callback.bridge import Bridge

_CLOSE_S = 3.0
_WATCH_S = 0.05
_FIRST_CALLBACK_S = 1.0
_SILENT_POLLS = 30
"""Polls without a callback after which the stream counts as dead (counted, so that a paused process is no fault)."""
_IMMORTAL: list[object] = []


def _names(lib: Library) -> list[tuple[int, str, DeviceInfo, str]]:
    """(index, name, info, host API) of every device."""
    found = []
    for index in range(max(0, lib.call("Pa_GetDeviceCount"))):
        info: DeviceInfo = lib.Pa_GetDeviceInfo(index).contents
        api: HostApiInfo = lib.Pa_GetHostApiInfo(info.hostApi).contents
        found.append((index, info.name.decode("utf-8", "replace"), info, api.name.decode("utf-8", "replace")))
    return found


class _Choice:
    """One device for one direction."""

    def __init__(self, index: int, name: str, info: DeviceInfo, capture: bool) -> None:
        self.index = index
        self.name = name
        self.host_api = int(info.hostApi)
        self.channels = int(info.maxInputChannels if capture else info.maxOutputChannels)
        self.rate_hz = float(info.defaultSampleRate)
        self.latency_s = float(info.defaultLowInputLatency if capture else info.defaultLowOutputLatency)


def choose(lib: Library, config: EngineConfig) -> tuple[_Choice, _Choice]:
    """The input and the output device, of one host API. Raises EngineError with what there is instead."""
    devices = _names(lib)
    if not devices:
        raise EngineError("PortAudio finds no sound device: plug one in, start JACK, or use --input-file")
    if config.device is not None:
        wanted = config.device.lower()
        matching = [d for d in devices if wanted in f"{d[1]} ({d[3]})".lower()]
        if not matching:
            there = ", ".join(f'"{name}" ({api})' for _, name, _, api in devices)
            raise EngineError(f'no PortAudio device is called "{config.device}": there are {there}')
    else:
        chosen = {lib.call("Pa_GetDefaultInputDevice"), lib.call("Pa_GetDefaultOutputDevice")}
        matching = [d for d in devices if d[0] in chosen]
    sides = []
    for capture in (True, False):
        sides.append([c for c in (_Choice(i, name, info, capture) for i, name, info, _ in matching) if c.channels])
    need = max(config.input_channels), max(config.played_channels)
    pairs = [(a, b) for a in sides[0] for b in sides[1] if a.host_api == b.host_api]
    if not pairs:
        names = ", ".join(f'"{name}"' for _, name, _, _ in matching) or "none"
        raise EngineError(
            f"no sound system offers both an input and an output there ({names}): name one that has both with --device"
        )
    fitting = [pair for pair in pairs if pair[0].channels >= need[0] and pair[1].channels >= need[1]]
    if not fitting:
        source, sink = pairs[0]
        if source.channels < need[0]:
            raise EngineError(f'"{source.name}" has inputs 1 to {source.channels}: there is no input {need[0]}')
        raise EngineError(f'"{sink.name}" has outputs 1 to {sink.channels}: there is no output {need[1]}')
    return min(fitting, key=lambda pair: pair[0].index != pair[1].index)  # one full-duplex device where there is one


class PortAudioPort(Port):
    """One full-duplex PortAudio stream, opened with as many channels as the highest one asked for.

    Control thread only; the properties may be read by any thread.
    """

    backend = "portaudio"
    can_reconnect = True

    def __init__(self, config: EngineConfig, binding: str | None = None) -> None:
        """`binding`: "pyaudio" or "sounddevice"; None takes $GIGMATE_PORTAUDIO, else whichever is installed."""
        super().__init__(config)
        self._lib = Library.load(binding)
        self.binding = self._lib.binding
        self._stream: ctypes.c_void_p | None = None
        self._watcher: threading.Thread | None = None
        self._quit = threading.Event()
        self._first: tuple[float, int] | None = None
        self._source, self._sink = choose(self._lib, config)
        host_api: HostApiInfo = self._lib.Pa_GetHostApiInfo(self._sink.host_api).contents
        self._api = host_api.name.decode("utf-8", "replace")
        self._is_jack = int(host_api.type) == JACK_HOST_API
        self.rate_hz = int(config.rate_hz or self._sink.rate_hz)
        # PortAudio chooses where nobody asks: until the first callback says it, its latency is the best guess.
        self.block_samples = config.block_samples or max(64, round(self._sink.latency_s * self.rate_hz))
        self._parameters = self._check_format(self.rate_hz, asked=config.rate_hz is not None)
        self.input_names = tuple(f"{self._source.name}:{channel}" for channel in config.input_channels)
        names = [f"{self._sink.name}:{channel}" for channel in config.played_channels]
        self.output_names, self.part_output_names = config.buses.split(names)
        self.capture_latency_samples = round(self._source.latency_s * self.rate_hz)
        self.playback_latency_samples = round(self._sink.latency_s * self.rate_hz)

    def _reopen(self, bridge: Bridge) -> None:
        if self._is_jack:
            # PortAudio can neither forget a server that died nor be started anew after it: another copy of it can.
            missing = jack.unavailable_reason(EngineConfig(client_name="gigmate-look"))
            if missing is not None:
                raise PortUnavailable(missing)
            self._lib, self._stream = self._lib.another(), None
        else:
            self._close()
            self._lib = Library.load(self.binding)
        self._quit = threading.Event()
        self._source, self._sink = (
            self._same(choice, max(channels), capture)
            for choice, channels, capture in (
                (self._source, self.config.input_channels, True),
                (self._sink, self.config.played_channels, False),
            )
        )
        self._parameters = self._check_any_format(bridge)
        try:
            self._start(bridge)
        except EngineError:
            self._close()
            raise

    def _same(self, choice: _Choice, channels: int, capture: bool) -> _Choice:
        """The device of that name in the same sound system, wherever it stands in the list now."""
        for index, name, info, api in _names(self._lib):
            again = _Choice(index, name, info, capture)
            if (name, api) == (choice.name, self._api) and again.channels >= channels:
                return again
        raise PortUnavailable(f'"{choice.name}" is not there: plug it in again')

    def _check_any_format(self, bridge: Bridge) -> tuple[StreamParameters, StreamParameters]:
        """At our own rate where the device still has it, else at the one that it has now."""
        try:
            parameters = self._check_format(self.rate_hz, asked=True)
            self._adopt(bridge, self.rate_hz)
        except ConfigError:
            card_rate_hz = round(self._sink.rate_hz)
            parameters = self._check_format(card_rate_hz, asked=False)
            self._adopt(bridge, card_rate_hz)
        return parameters

    def _check_format(self, rate_hz: int, asked: bool) -> tuple[StreamParameters, StreamParameters]:
        sides = []
        for side, channels in (
            (self._source, self.config.input_channels),
            (self._sink, self.config.played_channels),
        ):
            sides.append(StreamParameters(side.index, max(channels), FLOAT32_BY_CHANNEL, side.latency_s, None))
        code = self._lib.call(
            "Pa_IsFormatSupported",
            ctypes.byref(sides[0]),
            ctypes.byref(sides[1]),
            ctypes.c_double(rate_hz),
        )
        if code == 0:
            return sides[0], sides[1]
        if asked:
            raise ConfigError(
                f'"{self._sink.name}" does not run at {rate_hz} Hz ({self._lib.text(code)}): it prefers'
                f" {self._sink.rate_hz:.0f}"
            )
        raise EngineError(f'"{self._sink.name}" cannot be opened: {self._lib.text(code)}; is it in use?')

    def _start(self, bridge: Bridge) -> None:
        config = self.config
        bridge.set_word(state_table.PA_INPUTS, len(config.input_channels))
        bridge.set_word(state_table.PA_OUTPUTS, len(config.played_channels))
        bridge.set_table(state_table.PA_IN_INDEX, [channel - 1 for channel in config.input_channels])
        bridge.set_table(state_table.PA_OUT_INDEX, [channel - 1 for channel in config.played_channels])
        bridge.set_word(state_table.PA_OUT_TOTAL, max(config.played_channels))
        stream = ctypes.c_void_p()
        code = self._lib.call(
            "Pa_OpenStream",
            ctypes.byref(stream),
            ctypes.byref(self._parameters[0]),
            ctypes.byref(self._parameters[1]),
            ctypes.c_double(self.card_rate_hz),
            ctypes.c_ulong(config.block_samples or 0),
            ctypes.c_ulong(NO_DITHER_NO_CLIP),
            ctypes.c_void_p(int(portaudio_callback.portaudio_process.address)),
            ctypes.c_void_p(bridge.stream_address),
        )
        if code:
            raise EngineError(f'"{self._sink.name}" cannot be opened: {self._lib.text(code)}; is it in use?')
        self._stream = stream
        self._lib.open_streams += 1
        _IMMORTAL.append(bridge)  # until the stream is known to be closed
        code = self._lib.call("Pa_StartStream", stream)
        if code:
            raise EngineError(f'"{self._sink.name}" would not start: {self._lib.text(code)}')
        info = self._lib.Pa_GetStreamInfo(stream)
        if info:
            ways = [round(s * self.card_rate_hz) for s in (info.contents.inputLatency, info.contents.outputLatency)]
            self.capture_latency_samples = self._bridge_samples(ways[0], capture=True)
            self.playback_latency_samples = self._bridge_samples(ways[1], capture=False)
        end_s = time.perf_counter() + _FIRST_CALLBACK_S
        while not bridge.word(state_table.LAST_BLOCK) and time.perf_counter() < end_s:
            time.sleep(0.002)
        self.block_samples = bridge.word(state_table.LAST_BLOCK) or self.block_samples
        self._watcher = threading.Thread(target=self._watch, name="gigmate-portaudio-watch", daemon=True)
        self._watcher.start()

    def _stop(self) -> None:
        self._quit.set()
        if self._stream is not None and not self._is_dead_jack():
            self._run_detached("Pa_AbortStream")

    def _close(self) -> None:
        self._quit.set()
        if self._stream is None:
            return
        # A dead server's stream is left as it is: PortAudio would wait for ever for the server.
        if self._is_dead_jack() or not self._run_detached("Pa_CloseStream"):
            keep_for_ever(self._bridge, *vars(portaudio_callback).values())  # its thread may still call us
            return
        self._stream = None
        self._lib.open_streams -= 1
        if self._bridge in _IMMORTAL:
            _IMMORTAL.remove(self._bridge)

    def _run_detached(self, name: str) -> bool:
        stream = self._stream
        return run_detached(lambda: self._lib.call(name, stream), _CLOSE_S)

    def _is_dead_jack(self) -> bool:
        return self._lost is not None and self._is_jack

    @property
    def callbacks_expected(self) -> int:
        """By the wall clock since the first callback was seen, in blocks of the mean size so far."""
        bridge, first = self._bridge, self._first
        if bridge is None or first is None:
            return 0
        counters = bridge.counters(take_peaks=False)
        now_s = self._stopped_s or time.perf_counter()
        samples = first[1] + (now_s - first[0]) * self.rate_hz
        return max(counters.callbacks, int(samples * counters.callbacks / max(1, counters.samples)) - 1)

    def _watch(self) -> None:
        bridge, ended = self._bridge, self._quit
        position, silent = 0, 0
        while bridge is not None and not ended.wait(_WATCH_S):
            now = bridge.position
            if self._first is None and now > 0:
                self._first = (time.perf_counter(), now)
            silent = 0 if now != position else silent + 1
            position = now
            self.block_samples = bridge.word(state_table.LAST_BLOCK) or self.block_samples
            if silent >= _SILENT_POLLS:
                self._lost = f'"{self._sink.name}" stopped calling: is it unplugged? Plug it in and start again'
                if self._is_jack:
                    self._lost = "the JACK server that PortAudio plays through went away: start it again"
                self.ended.set()
                return


def unavailable_reason(config: EngineConfig) -> str | None:
    """None if PortAudio has a device for this config; else why not, in a few words."""
    try:
        lib = Library.load(None)
    except EngineError as error:
        return str(error)
    try:
        choose(lib, config)
    except EngineError as error:
        return str(error)
    return None


def list_devices(config: EngineConfig) -> list[Device]:
    """Every device of every host API. Raises EngineError without PortAudio."""
    lib = Library.load(None)
    defaults = {lib.call("Pa_GetDefaultInputDevice"), lib.call("Pa_GetDefaultOutputDevice")}
    found = []
    for index, name, info, api in _names(lib):
        channels = int(info.maxInputChannels), int(info.maxOutputChannels)
        found.append(Device("portaudio", name, *channels, round(info.defaultSampleRate), api, index in defaults))
    return found


def probe(config: EngineConfig) -> dict[str, Any]:
    """For `gigmate doctor`: {"library": bool, "binding", "version": str, "devices": int, "reason": str}."""
    facts: dict[str, Any] = {"library": False, "binding": "", "version": "", "devices": 0, "reason": ""}
    try:
        lib = Library.load(None)
    except EngineError as error:
        facts["reason"] = str(error)
        return facts
    facts.update(library=True, binding=lib.binding, version=lib.version, devices=len(_names(lib)))
    return facts
