"""`gigmate devices`: lists sound devices, MIDI inputs and MIDI outputs by name. Main thread."""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING, Annotated, Any

import typer

from ..engine.config import EngineConfig
from ..engine.errors import EngineError
from ..files.json_text import json_text

if TYPE_CHECKING:
    from ..engine.ports.port import Device

_BACKENDS = ("jack", "portaudio")


def devices(
    server: Annotated[str | None, typer.Option(metavar="NAME", help="JACK: name of the server.")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print the list as JSON.")] = False,
) -> int:
    """List sound devices, MIDI inputs and MIDI outputs by name."""
    found: list[Device] = []
    reasons: dict[str, str] = {}
    for backend in _BACKENDS:
        try:
            found += _list(backend, EngineConfig(server_name=server))
        except EngineError as error:
            reasons[backend] = str(error)
    midi, midi_reason = _midi_inputs()
    if midi_reason:
        reasons["midi"] = midi_reason
    outputs = _midi_outputs()
    jack_midi = _jack_midi(server)
    if as_json:
        values: dict[str, Any] = {
            "devices": [dataclasses.asdict(device) for device in found],
            "midi_inputs": midi,
            "midi_outputs": outputs,
            "jack_midi_sources": jack_midi,
            "unavailable": reasons,
        }
        print(json_text(values, indent=2))
    else:
        print("\n".join(_lines(found, midi, jack_midi, reasons)))
        if outputs:
            print("\n".join(["midi outputs:", *(f"   {name}" for name in outputs)]))
    return 0


def _list(backend: str, config: EngineConfig) -> list[Device]:
    from ..engine.ports.port import list_devices

    return list_devices(backend, config)


def _midi_inputs() -> tuple[list[str], str]:
    """Names, and the reason where there can be none."""
    from ..control.midi import MidiError, list_midi_inputs

    try:
        return list_midi_inputs(), ""
    except MidiError as error:
        return [], str(error)


def _midi_outputs() -> list[str]:
    """Names; where there can be none, the inputs say why."""
    from ..control.midi import MidiError
    from ..control.midi_out import list_midi_outputs

    try:
        return list_midi_outputs()
    except MidiError:
        return []


def _jack_midi(server: str | None) -> list[str]:
    """What MIDI can come from on JACK; none without a server, which the list of devices says already."""
    from ..engine.ports.jack import list_midi_sources

    try:
        return list_midi_sources(EngineConfig(server_name=server, midi_name=""))
    except EngineError:
        return []


def _lines(found: list[Device], midi: list[str], jack_midi: list[str], reasons: dict[str, str]) -> list[str]:
    lines = []
    for backend in _BACKENDS:
        own = [device for device in found if device.backend == backend]
        lines.append(f"{backend}:" if own else f"{backend}: {reasons.get(backend, 'no device')}")
        for device in own:
            star = "*" if device.default else " "
            detail = f"  ({device.detail})" if device.detail else ""
            lines.append(
                f" {star} {device.name}: {device.inputs} in, {device.outputs} out, {device.rate_hz} Hz{detail}"
            )
    if midi:
        lines += ["midi:", *(f"   {name}" for name in midi)]
    else:
        lines.append(f"midi: {reasons.get('midi', 'no input')}")
    if jack_midi:
        lines += ["jack midi:", *(f"   {name}" for name in jack_midi)]
    if any(device.default for device in found):
        lines.append("* is what is taken without --device")
    return lines
