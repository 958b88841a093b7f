"""Channels of a JACK device: the place among its own ports, whatever they are called, and monitors never.

The names are those that PipeWire 0.3.65's jack_lsp shows for devices in the Pro Audio profile, and jackd2's own.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator
from types import SimpleNamespace
from typing import Any

import pytest
from gigmate.engine.callback.bridge import Bridge
from gigmate.engine.config import EngineConfig
from gigmate.engine.errors import EngineError
from gigmate.engine.ports import list_devices, open_port
from gigmate.engine.ports.jack_channels import channels_of, in_order, is_monitor

PRO = "Scarlett 18i8 Pro"


def ports(*names: str, aliases: tuple[str, ...] = ()) -> list[Any]:
    return [SimpleNamespace(name=name, aliases=list(aliases)) for name in names]


def aux(client: str, kind: str, count: int) -> list[str]:
    return [f"{client}:{kind}_AUX{n}" for n in range(count)]


CAPTURES = aux(PRO, "capture", 12)
LISTED = ports(*CAPTURES, *aux(PRO, "monitor", 4), *aux("Built-in Audio Pro", "monitor", 2))


@pytest.mark.parametrize("device", [None, PRO, "scarlett", "18i8"])
def test_a_channel_is_the_place_among_the_devices_ports(device: str | None) -> None:
    assert channels_of(LISTED, CAPTURES, device) == CAPTURES


def test_ten_comes_after_nine_and_aux_0_is_the_first() -> None:
    shuffled = list(CAPTURES)
    random.Random(3).shuffle(shuffled)
    assert in_order(shuffled) == CAPTURES
    assert in_order(["system:capture_10", "system:capture_9", "system:capture_1"])[-1] == "system:capture_10"
    surround = [f"Built-in:playback_{place}" for place in ("FL", "FR", "RL", "RR", "FC", "LFE")]
    assert in_order(surround) == surround  # the server's order is the only one there is
    mixed = ["Ardour:Main/audio_out 2", "Ardour:Master/audio_out 1"]
    assert in_order(mixed) == mixed


def test_no_monitor_is_ever_an_input() -> None:
    monitors = ports(*aux(PRO, "monitor", 4), "Headset Monitor:monitor_FL", "system:monitor_1", aliases=(f"{PRO} x",))
    for device in (None, PRO, "monitor", "Headset", f"{PRO}:monitor_AUX0"):
        assert channels_of(monitors, [port.name for port in monitors], device) == []
    assert not is_monitor("Monitor Station:capture_1")
    assert not is_monitor("Mixer:monitoring_in")


def test_without_a_name_it_is_one_device_the_servers_own_or_the_first_that_it_lists() -> None:
    system = [f"system:capture_{n}" for n in (1, 2)]
    both = ports(*CAPTURES, *system)
    assert channels_of(both, [*CAPTURES, *system], None) == system
    two = ports(*CAPTURES[:2], "Webcam:capture_MONO")
    assert channels_of(two, [port.name for port in two], None) == CAPTURES[:2]
    assert channels_of(ports("Synth:out_1"), [], None) == []  # a program is no device


def test_a_name_means_the_device_before_a_program_that_is_called_like_it() -> None:
    names = ["Scarlett Mixer:out_1", "Scarlett 18i8:capture_FL", "Scarlett 18i8:capture_FR", "Scarlett:out_1"]
    physical = names[1:3]
    assert channels_of(ports(*names), physical, "scarl") == physical
    assert channels_of(ports(*names), physical, "Scarlett") == ["Scarlett:out_1"]
    assert channels_of(ports(*names), physical, "mixer") == names[:1]
    assert channels_of(ports("system:capture_1", aliases=("alsa_pcm:hw:USB:out1",)), [], "hw:USB") == [
        "system:capture_1"
    ]


@pytest.fixture
def pro_device(jack_server: Any, monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[..., Any]]:
    """A client with the ports of a device in the Pro Audio profile, registered in a jumbled order."""
    jack = pytest.importorskip("jack")
    client = jack.Client(PRO, no_start_server=True, servername=jack_server.name)
    for name in ("monitor_AUX1", "monitor_AUX0", *(f"capture_AUX{n}" for n in (0, 1, 11, 10, 2, 3, 4, 5, 6, 7, 8, 9))):
        client.outports.register(name, is_physical=not name.startswith("monitor"), is_terminal=True)
    for n in range(12):
        client.inports.register(f"playback_AUX{n}", is_physical=True, is_terminal=True)
    yield client
    client.close()


@pytest.mark.jack
def test_inputs_and_outputs_of_a_pro_audio_device(jack_server: Any, pro_device: Any) -> None:
    config = EngineConfig(
        backend="jack", server_name=jack_server.name, device="scarlett", input_channels=(1, 11), output_channels=(1, 2)
    )
    port = open_port(config)
    assert port.input_names == (f"{PRO}:capture_AUX0", f"{PRO}:capture_AUX10")
    assert port.output_names == (f"{PRO}:playback_AUX0", f"{PRO}:playback_AUX1")
    port.close()
    found = {device.name: (device.inputs, device.outputs, device.default) for device in list_devices("jack", config)}
    assert found == {"system": (4, 4, True), PRO: (12, 12, False)}
    with pytest.raises(EngineError, match=f'no input 13 of "scarlett" .*{PRO}:capture_AUX11; for those of system give'):
        open_port(EngineConfig(**{**_fields(config), "input_channels": (13,)}))


def _fields(config: EngineConfig) -> dict[str, Any]:
    return {name: getattr(config, name) for name in ("backend", "server_name", "device", "output_channels")}


@pytest.mark.jack
def test_our_ports_are_seen_when_they_can_be_connected_and_not_before(jack_server: Any) -> None:
    jack = pytest.importorskip("jack")
    port = open_port(EngineConfig(backend="jack", server_name=jack_server.name, output_channels=(1,), client_name="gm"))
    looker = jack.Client("looker", no_start_server=True, servername=jack_server.name)
    source = looker.outports.register("out")
    refused: list[str] = []
    seen: list[str] = []

    def connect_what_appears() -> None:
        """As a script does that waits for the port."""
        while not seen:
            seen.extend(name.name for name in looker.get_ports("gm:input_1"))
        try:
            looker.connect(source, seen[0])
        except jack.JackError as error:
            refused.append(str(error))

    try:
        looker.activate()
        assert looker.get_ports("gm:") == []
        import threading

        thread = threading.Thread(target=connect_what_appears)
        thread.start()
        port.start(Bridge(port.rate_hz))
        thread.join(30)
        assert seen == ["gm:input_1"]
        assert refused == []
        assert "looker:out" in [peer.name for peer in looker.get_all_connections(looker.get_port_by_name("gm:input_1"))]
    finally:
        port.close()
        looker.close()
