"""The JACK port: the compiled callback as a JACK client, one registered port per channel, connected by number.

Knows libjack (through JACK-Client for opening, registering and connecting; through ctypes for what that does not bind)
but no music. No Python runs in any JACK thread: the callbacks are native, and a watcher thread looks at their words.
"""

from __future__ import annotations

import ctypes
import errno
import threading
import time
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from ..callback import jack_callback, state_table
from ..config import EngineConfig
from ..errors import ConfigError, EngineError
from .jack_channels import channels_of, is_monitor, owner_of
from .jack_notes import end_notes, note_parts
from .jack_server import (
    CLOSE_S,
    latency_samples,
    library_of,
    list_devices,
    list_midi_sources,
    load,
    midi_sources,
    open_client,
    probe,
    server_text,
    set_functions,
    unavailable_reason,
    wait_for_server,
)
from .port import Neighbours, Port, keep_for_ever, run_detached

if TYPE_CHECKING:
    from ..callback.bridge import Bridge

__all__ = ["JackPort", "list_devices", "list_midi_sources", "probe", "unavailable_reason", "wait_for_server"]

_WATCH_S = 0.05
_WATCHER_S = 1.0
_CONNECTIONS_EVERY = 10
"""Looks of the watcher for one at the connections."""
_SETTLE_S = 0.5
_CAPTURE, _PLAYBACK = 0, 1
_IMMORTAL: list[object] = []
"""What native code of a client that would not close may still touch."""


class JackPort(Port):
    """A client of a running JACK server: `input_N` per heard channel, `output_N` per channel of main, `drums_1` and the
    like per channel of a part that has its own, `click_N`, MIDI.

    Control thread only; the properties may be read by any thread.
    """

    backend = "jack"
    can_reconnect = True

    def __init__(self, config: EngineConfig) -> None:
        super().__init__(config)
        self._jack = load()
        self._library = library_of(self._jack)
        self._client = open_client(self._jack, config, config.client_name)
        self._watcher: threading.Thread | None = None
        self._quit = threading.Event()
        self._notes: list[Any] = []
        self._seen: set[tuple[str, str]] = set()  # every connection of ours, whoever drew it
        self._lost_connections: set[tuple[str, str]] = set()  # those that came back without their other end
        try:
            self._open(config)
        except BaseException:
            self._close_client()
            raise

    def _reopen(self, bridge: Bridge) -> None:
        self._close_client()
        client = self._client = open_client(self._jack, self.config, self.config.client_name)
        self._quit = threading.Event()
        try:
            self._adopt(bridge, int(client.samplerate))
            seen = set(self._seen)
            self.block_samples = int(client.blocksize)
            self._choose(self.config)
            self._start(bridge)
            self._lost_connections = seen - set(self._connections)
            self._restore_connections()
        except self._jack.JackError as error:
            self._close_client()
            raise EngineError(f"JACK refused to let the band back in: {error}") from error
        except BaseException:
            self._close_client()
            raise

    def _open(self, config: EngineConfig) -> None:
        client = self._client
        self.rate_hz = int(client.samplerate)
        self.block_samples = int(client.blocksize)
        if config.rate_hz not in (None, self.rate_hz):
            raise ConfigError(
                f"the {server_text(config)} runs at {self.rate_hz} Hz, not {config.rate_hz}:"
                " leave --rate out, or restart the server with that rate"
            )
        if config.block_samples not in (None, self.block_samples):
            raise ConfigError(
                f"the {server_text(config)} runs with blocks of {self.block_samples}, not {config.block_samples}:"
                " leave --block out, or restart the server with -p"
            )
        self._choose(config)

    def _choose(self, config: EngineConfig) -> None:
        """Find what to connect with. Our own ports appear when the sound flows: before, nobody could connect them."""
        own = self._client.name
        self._sources, self._sinks = [], []
        if config.connect:
            self._sources = self._targets(config.input_channels, capture=True)
            self._sinks = self._targets(config.played_channels, capture=False)
        self.input_names = tuple(self._sources) or tuple(f"{own}:input_{channel}" for channel in config.input_channels)
        self.note_names = tuple(f"{own}:{part}_midi" for part in note_parts(config))
        names = self._sinks or [f"{own}:{name}" for name in config.buses.port_names]
        self.output_names, self.part_output_names = config.buses.split(names)

    def _register(self, config: EngineConfig) -> None:
        client = self._client
        self._inputs = [client.inports.register(f"input_{channel}") for channel in config.input_channels]
        self._outputs = [client.outports.register(name) for name in config.buses.port_names]
        self._midi = client.midi_inports.register("midi_in")
        self._midi_out = client.midi_outports.register("midi_out")
        self._notes = [client.midi_outports.register(f"{part}_midi") for part in note_parts(config)]
        self._connections = list(zip(self._sources, [port.name for port in self._inputs], strict=False))
        self._connections += zip([port.name for port in self._outputs], self._sinks, strict=False)

    def _targets(self, channels: tuple[int, ...], capture: bool) -> list[str]:
        """Full names of the ports to connect these channels with."""
        if not channels:
            return []
        own = f"{self._client.name}:"
        flags = {"is_output": True} if capture else {"is_input": True}
        ports = [p for p in self._client.get_ports(is_audio=True, **flags) if not p.name.startswith(own)]
        physical = [p.name for p in self._client.get_ports(is_audio=True, is_physical=True, **flags)]
        device = self.config.device
        chosen = channels_of(ports, physical, device)
        beyond = [channel for channel in channels if channel > len(chosen)]
        if beyond:
            kind = "input" if capture else "output"
            there = ", ".join(chosen or [port.name for port in ports if not is_monitor(port.name)]) or "none"
            of = f' of "{device}"' if device else ""
            others = list(
                dict.fromkeys(owner_of(name) for name in physical if chosen and owner_of(name) != owner_of(chosen[0]))
            )
            hint = f"; for those of {' or '.join(others)} give --device" if others else ""
            raise EngineError(f"there is no {kind} {beyond[0]}{of} on JACK: the {kind}s are {there}{hint}")
        return [chosen[channel - 1] for channel in channels]

    # ----------------------------------------------------------------------------------------- start and stop

    def _start(self, bridge: Bridge) -> None:
        _IMMORTAL.append(bridge)  # until the client is known to be closed
        self._set_words(bridge)
        lib, ffi = self._jack._lib, self._jack._ffi
        pointer, state = self._client._ptr, ffi.cast("void*", bridge.stream_address)
        process = ffi.cast("JackProcessCallback", jack_callback.jack_process.address)
        self._check(lib.jack_set_process_callback(pointer, process, state))
        self._check(
            lib.jack_set_xrun_callback(pointer, ffi.cast("JackXRunCallback", jack_callback.jack_xrun.address), state)
        )
        self._check(
            lib.jack_set_sample_rate_callback(
                pointer, ffi.cast("JackSampleRateCallback", jack_callback.jack_rate.address), state
            )
        )
        self._check(
            lib.jack_set_freewheel_callback(
                pointer, ffi.cast("JackFreewheelCallback", jack_callback.jack_freewheel.address), state
            )
        )
        self._check(
            lib.jack_set_port_connect_callback(
                pointer, ffi.cast("JackPortConnectCallback", jack_callback.jack_connected.address), state
            )
        )
        self._library.jack_set_latency_callback.argtypes = [ctypes.c_void_p] * 3
        self._check(
            self._library.jack_set_latency_callback(
                self._pointer(self._client), int(jack_callback.jack_latency.address), bridge.stream_address
            )
        )
        lib.jack_on_info_shutdown(
            pointer, ffi.cast("JackInfoShutdownCallback", jack_callback.jack_shutdown.address), state
        )
        try:
            self._client.activate()
            self._register(self.config)
            self._set_ports(bridge)
            for source, destination in self._connections:
                self._client.connect(source, destination)
        except self._jack.JackError as error:
            raise EngineError(f"JACK would not start the stream: {error}") from error
        self._midi_sources: set[str] = set()
        if self._midi_wired:
            self._connect_midi()
        self._look_at_midi()
        self._settle_latencies()
        self._watcher = threading.Thread(target=self._watch, name="gigmate-jack-watch", daemon=True)
        self._watcher.start()

    def _set_words(self, bridge: Bridge) -> None:
        bridge.set_word(state_table.JACK_OWN_DELAY, self._own_delay_on_card)
        bridge.set_word(state_table.JACK_CLIENT, self._pointer(self._client))
        for count_or_port in (  # none yet, and none of a client that died
            state_table.JACK_INPUTS,
            state_table.JACK_OUTPUTS,
            state_table.JACK_MIDI_PORT,
            state_table.JACK_MIDI_OUT_PORT,
            state_table.JACK_NOTE_OUTS,
        ):
            bridge.set_word(count_or_port, 0)
        set_functions(bridge, self._library)

    def _set_ports(self, bridge: Bridge) -> None:
        """The callbacks come already: a table is whole before its length says so."""
        pointer_of = self._pointer
        bridge.set_table(state_table.JACK_IN_PORTS, [pointer_of(port) for port in self._inputs])
        bridge.set_table(state_table.JACK_OUT_PORTS, [pointer_of(port) for port in self._outputs])
        bridge.set_word(state_table.JACK_INPUTS, len(self._inputs))
        bridge.set_word(state_table.JACK_OUTPUTS, len(self._outputs))
        bridge.set_word(state_table.JACK_MIDI_PORT, pointer_of(self._midi))
        bridge.set_word(state_table.JACK_MIDI_OUT_PORT, pointer_of(self._midi_out))
        bridge.set_table(state_table.JACK_NOTE_PORTS, [pointer_of(port) for port in self._notes])
        bridge.set_word(state_table.JACK_NOTE_OUTS, len(self._notes))
        bridge.notes.used = bridge.notes.used or bool(self._notes)

    def _pointer(self, thing: Any) -> int:
        """Address of a JACK-Client client or port."""
        return int(self._jack._ffi.cast("intptr_t", thing._ptr))

    def _check(self, code: int) -> None:
        if code:
            raise EngineError(f"JACK refused a callback (code {code}): restart the server")

    @property
    def _midi_wired(self) -> bool:
        return self.config.connect or self.config.midi_name is not None

    def _connect_midi(self) -> None:
        """Let MIDI sources that are new reach us: all controllers of the system, or those of the name asked for.

        A connection that the user took out stays out. A source that refuses is not worth failing for.
        """
        there = midi_sources(self._client, self.config.midi_name)
        new, self._midi_sources = sorted(there - self._midi_sources), there
        for name in new:
            try:
                self._client.connect(name, self._midi)
            except self._jack.JackError:
                continue

    def _stop(self) -> None:
        self._quit.set()
        if self._client is not None and self._lost is None:  # a dead server's client waits for ever
            if self._bridge is not None and self._notes:
                end_notes(self._bridge.notes)
            self._run_detached(self._client.deactivate)

    def _close(self) -> None:
        self._close_client()

    def _close_client(self) -> None:
        self._quit.set()
        if self._watcher is not None and self._watcher is not threading.current_thread():
            self._watcher.join(_WATCHER_S)
        client, self._client = self._client, None
        if client is None:
            return
        if not self._run_detached(client.close):
            # Its thread may still call us, at the interpreter's end too; nor may Python close it when it tidies up.
            keep_for_ever(client, self._bridge, *vars(jack_callback).values())
        elif self._bridge in _IMMORTAL:
            _IMMORTAL.remove(self._bridge)

    def _run_detached(self, action: Callable[[], object]) -> bool:
        """libjack waits for ever for a server that died: never wait for it here. False if it still waits."""
        return run_detached(action, CLOSE_S, ignore=(self._jack.JackError,))

    # --------------------------------------------------------------------------------------------- watching

    def _watch(self) -> None:
        bridge, ended, turn, midi_connections = self._bridge, self._quit, 0, -1
        while bridge is not None and not ended.wait(_WATCH_S):
            if bridge.word(state_table.SHUTDOWN):
                self._lost = f"the {server_text(self.config)} went away: start it again"
            elif bridge.word(state_table.RATE_CHANGED) not in (0, self.card_rate_hz):
                rate_hz = bridge.word(state_table.RATE_CHANGED)
                self._lost = (
                    f"the {server_text(self.config)} went from {self.card_rate_hz} to {rate_hz} Hz: start again"
                )
            if self._lost is not None:
                self.ended.set()
                return
            self.block_samples = bridge.word(state_table.LAST_BLOCK) or self.block_samples
            self._read_latencies()
            self._publish_delay(bridge)
            connections = bridge.word(state_table.MIDI_CONNECTIONS)
            if connections != midi_connections:  # whose first ticks come at once
                midi_connections = connections
                self._look_at_midi()
            turn += 1
            if turn % _CONNECTIONS_EVERY == 0:
                self._remember_connections()

    def _remember_connections(self) -> None:
        """Remember what we are connected with, in case the server dies; and draw what is missing since it did."""
        try:
            self._restore_connections()
            if self._midi_wired:
                self._connect_midi()
            seen = set(self._lost_connections)
            for port in (*self._inputs, self._midi):
                seen |= {(peer.name, port.name) for peer in self._client.get_all_connections(port)}
            for port in (*self._outputs, self._midi_out, *self._notes):
                seen |= {(port.name, peer.name) for peer in self._client.get_all_connections(port)}
            self._seen = seen
            self._look_at_midi()
        except self._jack.JackError:
            return  # it is dying: what was seen last holds

    def _look_at_midi(self) -> None:
        """Whether MIDI is exchanged with hardware or with programs."""
        self.midi_in_from = self._neighbours(self._midi)
        self.midi_out_to = self._neighbours(self._midi_out)
        self.notes_out_to = tuple(self._neighbours(port) for port in self._notes)

    def _neighbours(self, port: Any) -> Neighbours:
        own = f"{self._client.name}:"
        try:
            peers = [peer for peer in self._client.get_all_connections(port) if not peer.name.startswith(own)]
            physical = [bool(peer.is_physical) for peer in peers]
        except self._jack.JackError:
            return Neighbours()  # it is dying, or the other end has just gone
        return Neighbours(any(physical), not all(physical))

    def _restore_connections(self) -> None:
        for connection in sorted(self._lost_connections):
            try:
                self._client.connect(*connection)
            except self._jack.JackErrorCode as error:
                if error.code != errno.EEXIST:
                    continue  # the other end is not there yet
            self._lost_connections.discard(connection)

    def _publish_delay(self, bridge: Bridge) -> None:
        """Our own delay has changed: let the server ask the latency callback again, and tell its neighbours."""
        if bridge.word(state_table.JACK_OWN_DELAY) != self._own_delay_on_card:
            bridge.set_word(state_table.JACK_OWN_DELAY, self._own_delay_on_card)
            self._recompute_latencies()

    @property
    def _own_delay_on_card(self) -> int:
        return round(self.own_delay_samples * self.card_rate_hz / self.rate_hz)

    def _recompute_latencies(self) -> None:
        self._library.jack_recompute_total_latencies(ctypes.c_void_p(self._pointer(self._client)))

    def _settle_latencies(self) -> None:
        """The server works latencies out some time after a connection; ask for it, and wait a moment for the answer."""
        self._recompute_latencies()
        end_s = time.perf_counter() + _SETTLE_S
        while True:
            self._read_latencies()
            if self.capture_latency_samples and self.playback_latency_samples:
                return
            if not self._connections or time.perf_counter() > end_s:
                return
            time.sleep(0.01)

    def _read_latencies(self) -> None:
        """What the server says, or what the connected ports themselves say where it has not worked it out.

        (It does not where its graph has a ring, as with a loopback: our clients' sums stay 0 then.)
        """
        self.capture_latency_samples = self._bridge_samples(self._largest(self._inputs, _CAPTURE), capture=True)
        # A part's way into a program, or the click's, says nothing of when the band is heard.
        main = self._outputs[: len(self.config.output_channels)]
        latency = self._largest(main, _PLAYBACK) or self._largest(self._outputs, _PLAYBACK)
        self.playback_latency_samples = self._bridge_samples(latency, capture=False)

    def _largest(self, ports: list[Any], mode: int) -> int:
        largest = max((self._latency(port, mode) for port in ports), default=0)
        if largest == 0:
            peers = [peer for port in ports for peer in self._client.get_all_connections(port)]
            largest = max((self._latency(peer, mode) for peer in peers), default=0)
        return largest

    def _latency(self, port: Any, mode: int) -> int:
        return latency_samples(self._library, self._pointer(port), mode)
