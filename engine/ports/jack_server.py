"""Connecting to the JACK server: the library, a client, and the ports that are available.

Knows no callback and no music (`jack` does). Any thread; what may hang, because a server died, is left behind.
"""

from __future__ import annotations

import ctypes
import os
import time
from typing import TYPE_CHECKING, Any

from ..callback import audio_callback, state_table
from ..config import EngineConfig
from ..errors import EngineError
from .jack_channels import channels_of, in_order, is_monitor, owner_of
from .port import Device, PortUnavailable, run_detached

if TYPE_CHECKING:
    from ..callback.bridge import Bridge

CLOSE_S = 3.0
"""How long a client may take to close."""


def load() -> Any:
    """The JACK-Client module, its error chatter silenced. Raises EngineError if it or libjack is missing."""
    try:
        import jack
    except ImportError as error:
        raise EngineError("the JACK-Client package is not installed: pip install JACK-Client") from error
    except OSError as error:
        raise EngineError(
            "the JACK library is missing: apt install libjack-jackd2-0, dnf install jack-audio-connection-kit,"
            " brew install jack, or jackaudio.org on Windows"
        ) from error
    silent = int(audio_callback.ignore_text.address)
    # Natively: libjack calls this from the audio thread too, where Python must not run.
    jack._lib.jack_set_error_function(jack._ffi.cast("void(*)(const char*)", silent))
    jack._lib.jack_set_info_function(jack._ffi.cast("void(*)(const char*)", silent))
    return jack


def library_of(jack: Any) -> ctypes.CDLL:
    """libjack, for what JACK-Client does not bind."""
    return ctypes.CDLL(jack._libname)  # already loaded: this only gives a second handle


def address_of(library: ctypes.CDLL, name: str) -> int:
    """Where a function of it lies."""
    return ctypes.cast(getattr(library, name), ctypes.c_void_p).value or 0


def set_functions(bridge: Bridge, library: ctypes.CDLL) -> None:
    """Tell the callback what of the library it may call."""
    for word, name in (
        (state_table.FN_GET_BUFFER, "jack_port_get_buffer"),
        (state_table.FN_MIDI_COUNT, "jack_midi_get_event_count"),
        (state_table.FN_MIDI_GET, "jack_midi_event_get"),
        (state_table.FN_FRAME_TIME, "jack_last_frame_time"),
        (state_table.FN_MIDI_CLEAR, "jack_midi_clear_buffer"),
        (state_table.FN_MIDI_WRITE, "jack_midi_event_write"),
        (state_table.FN_TRANSPORT_QUERY, "jack_transport_query"),
        (state_table.FN_LATENCY_GET, "jack_port_get_latency_range"),
        (state_table.FN_LATENCY_SET, "jack_port_set_latency_range"),
        (state_table.FN_PORT_BY_ID, "jack_port_by_id"),
    ):
        bridge.set_word(word, address_of(library, name))


class _LatencyRange(ctypes.Structure):
    _fields_ = (("min", ctypes.c_uint32), ("max", ctypes.c_uint32))


def latency_samples(library: ctypes.CDLL, port_address: int, mode: int) -> int:
    """What the server says lies between the port and the connector, at most."""
    result = _LatencyRange()
    ask = library.jack_port_get_latency_range
    ask.argtypes = [ctypes.c_void_p, ctypes.c_int, ctypes.POINTER(_LatencyRange)]
    ask.restype = None
    ask(port_address, mode, ctypes.byref(result))
    return int(result.max)


def server_text(config: EngineConfig) -> str:
    """The server's name for a person."""
    name = config.server_name or os.environ.get("JACK_DEFAULT_SERVER")
    return f'JACK server "{name}"' if name else "JACK server"


def open_client(jack: Any, config: EngineConfig, name: str) -> Any:
    """A client, not active. Raises EngineError if no server answers."""
    try:
        return jack.Client(name, no_start_server=True, servername=config.server_name)
    except jack.JackOpenError as error:
        raise PortUnavailable(
            f"no {server_text(config)} answers: start one (for instance jackd -d alsa, or QjackCtl),"
            " or choose another --backend"
        ) from error


def unavailable_reason(config: EngineConfig) -> str | None:
    """None if a JACK server answers now; else why not, in a few words."""
    try:
        jack = load()
        client = open_client(jack, config, f"{config.client_name}-probe")
    except EngineError as error:
        return str(error)
    run_detached(client.close, CLOSE_S, ignore=(jack.JackError,))
    return None


def list_devices(config: EngineConfig) -> list[Device]:
    """Every JACK client that sound can come from or go to. Raises EngineError if no server answers."""
    jack = load()
    client = open_client(jack, config, f"{config.client_name}-probe")
    try:
        counts: dict[str, list[list[str]]] = {}
        defaults: set[str] = set()
        for direction, flags in enumerate(({"is_output": True}, {"is_input": True})):
            ports = client.get_ports(is_audio=True, **flags)
            physical = [port.name for port in client.get_ports(is_audio=True, is_physical=True, **flags)]
            defaults |= {owner_of(name) for name in channels_of(ports, physical, None)}
            for port in ports:
                if not is_monitor(port.name):
                    owner, _, short = port.name.partition(":")
                    counts.setdefault(owner, [[], []])[direction].append(short)
        return [
            Device(
                "jack",
                name,
                len(ins),
                len(outs),
                int(client.samplerate),
                ", ".join(in_order(ins) + in_order(outs)),
                name in defaults,
            )
            for name, (ins, outs) in counts.items()
        ]
    finally:
        run_detached(client.close, CLOSE_S, ignore=(jack.JackError,))


def list_midi_sources(config: EngineConfig) -> list[str]:
    """What JACK MIDI can come from, as the port chooses it. Raises EngineError if no server answers."""
    jack = load()
    client = open_client(jack, config, f"{config.client_name}-probe")
    try:
        return sorted(midi_sources(client, config.midi_name))
    finally:
        run_detached(client.close, CLOSE_S, ignore=(jack.JackError,))


def midi_sources(client: Any, wanted: str | None) -> set[str]:
    """All controllers of the system, or whatever has a name (or an alias) that holds the wanted one; not our own."""
    own = f"{client.name}:"
    return {
        port.name
        for port in client.get_ports(is_midi=True, is_output=True, is_physical=wanted is None)
        if not port.name.startswith(own)
        and (wanted is None or any(wanted.lower() in name.lower() for name in (port.name, *port.aliases)))
    }


def probe(config: EngineConfig) -> dict[str, Any]:
    """For `gigmate doctor`: {"library", "server", "realtime": bool; "rate_hz", "block_samples": int; "reason": str}."""
    facts: dict[str, Any] = {
        "library": False, "server": False, "realtime": False, "rate_hz": 0, "block_samples": 0, "reason": "",
    }  # fmt: skip
    try:
        jack = load()
        facts["library"] = True
        client = open_client(jack, config, f"{config.client_name}-probe")
    except EngineError as error:
        facts["reason"] = str(error)
        return facts
    facts.update(server=True, realtime=bool(client.realtime))
    facts.update(rate_hz=int(client.samplerate), block_samples=int(client.blocksize))
    run_detached(client.close, CLOSE_S, ignore=(jack.JackError,))
    return facts


def wait_for_server(config: EngineConfig, timeout_s: float) -> bool:
    """Sleep until a server answers; False when the time is over first."""
    end_s = time.perf_counter() + timeout_s
    while time.perf_counter() < end_s:
        if unavailable_reason(config) is None:
            return True
        time.sleep(0.1)
    return False
