"""`--midi-out` and `--midi-latency`: where the band's notes go, checked and opened. Main thread."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from ...engine.config import EngineConfig
from ...engine.errors import ConfigError

if TYPE_CHECKING:
    from ...control.midi_out import SystemMidiOut

MidiOutOption = Annotated[
    str | None,
    typer.Option(
        "--midi-out",
        metavar="NAME",
        help="Send the band's notes: jack, virtual, off, or a MIDI output. Default: jack on JACK, else off.",
    ),
]
MidiLatencyOption = Annotated[
    float, typer.Option("--midi-latency", metavar="MS", help="Latency of the instrument that plays them, 0 to 200.")
]
_NOT_NAMES = ("auto", "jack", "off")


def open_midi_out(config: EngineConfig) -> SystemMidiOut | None:
    """The output of the system that notes go to; None where they go to JACK, or nowhere.

    To be opened before a JACK client runs. Raises ConfigError for what does not fit, MidiError where there is none.
    """
    named = config.midi_out not in _NOT_NAMES
    if config.midi_out == "jack" and config.backend != "jack":
        raise ConfigError(
            f"--midi-out jack: the sound system is {config.backend}: give virtual, or the name of an output"
        )
    if config.midi_latency_ms > 0.0 and not named and (config.midi_out == "off" or config.backend != "jack"):
        raise ConfigError("--midi-latency: no notes go out: give --midi-out as well")
    if not named:
        return None
    if config.backend == "file" and not config.realtime:
        raise ConfigError("--midi-out: faster than real time no instrument can play: leave out --fast")
    from ...control.midi_out import SystemMidiOut

    return SystemMidiOut(config.midi_out)
