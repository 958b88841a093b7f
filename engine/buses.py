"""Which output plays what: the band's main bus, buses of their own for parts, and the click. Values only.

A bus has one or two rows (channels of sound); an output is a channel of the sound card that plays one row. Rows are
counted over all buses, main first; the click's row comes after them. Any thread.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from .errors import ConfigError

MAIN, LOOP = "main", "loop"
DEFAULT_OUTPUTS = (1, 2)
MOST_OF_A_PART = 2


@dataclass(frozen=True, slots=True)
class Bus:
    """One bus and its outputs. Any thread."""

    name: str
    """"main", or the part (or "loop") that has it to itself."""
    channels: tuple[int, ...]
    """1-based outputs: left and right by turns; a single one plays both as mono."""

    @property
    def rows(self) -> int:
        return min(2, len(self.channels))


@dataclass(frozen=True, slots=True)
class BusLayout:
    """All outputs of one run. A part with a bus of its own is not in main, but where that is asked for. Any thread."""

    main: tuple[int, ...] = DEFAULT_OUTPUTS
    parts: tuple[tuple[str, tuple[int, ...]], ...] = ()
    """(part, its outputs) of each part, and of "loop", that has its own."""
    click: tuple[int, ...] = ()
    """Outputs that play the click alone; empty: main plays it too."""
    parts_in_main: bool = False
    """Parts with a bus of their own are in main as well."""

    @property
    def buses(self) -> tuple[Bus, ...]:
        """Main, then those of parts."""
        return (Bus(MAIN, self.main), *(Bus(name, channels) for name, channels in self.parts))

    def outputs_of(self, names: Sequence[str]) -> tuple[str, ...]:
        """The outputs that each of these parts is heard on, as they are written: its own, or those of main."""
        own = dict(self.parts)
        return tuple(",".join(map(str, own.get(name, self.main))) for name in names)

    @property
    def rows(self) -> int:
        """Of all buses together, without the click's."""
        return sum(bus.rows for bus in self.buses)

    @property
    def first_rows(self) -> tuple[int, ...]:
        """The first row of each bus, then the click's."""
        firsts = [0]
        for bus in self.buses:
            firsts.append(firsts[-1] + bus.rows)
        return tuple(firsts)

    @property
    def loop_bus(self) -> int:
        """The number of the bus that plays the musician's loop."""
        names = [bus.name for bus in self.buses]
        return names.index(LOOP) if LOOP in names else 0

    @property
    def channels(self) -> tuple[int, ...]:
        """Every output: those of main, of the parts, of the click."""
        return (*(channel for bus in self.buses for channel in bus.channels), *self.click)

    @property
    def output_rows(self) -> tuple[int, ...]:
        """The row that each of `channels` plays."""
        rows = [
            first + place % bus.rows
            for bus, first in zip(self.buses, self.first_rows, strict=False)
            for place in range(len(bus.channels))
        ]
        return (*rows, *(self.rows for _ in self.click))

    def split(self, names: Sequence[str]) -> tuple[tuple[str, ...], dict[str, tuple[str, ...]]]:
        """The names of all `channels` as (those of main, those of each part that has its own)."""
        parts, at = {}, len(self.main)
        for part, channels in self.parts:
            parts[part] = tuple(names[at : at + len(channels)])
            at += len(channels)
        return tuple(names[: len(self.main)]), parts

    @property
    def port_names(self) -> tuple[str, ...]:
        """What each of `channels` is called where outputs have names: output_3, drums_1, drums_2, click_4."""
        names = [f"output_{channel}" for channel in self.main]
        names += [f"{part}_{place + 1}" for part, channels in self.parts for place in range(len(channels))]
        return (*names, *(f"click_{channel}" for channel in self.click))


MONO = BusLayout(main=(1,))


def check_buses(layout: BusLayout) -> None:
    """Raise ConfigError for outputs that cannot be."""
    from .player import PARTS  # which brings numpy along

    _check_channels("--output", layout.main)
    for part, channels in layout.parts:
        if part not in (*PARTS, LOOP):
            parts = ", ".join(PARTS)
            raise ConfigError(f"--output {part}=: there is no part {part!r}: the parts are {parts}; or {LOOP}")
        given = f"--output {part}"
        _check_channels(given, channels)
        if len(channels) > MOST_OF_A_PART:
            text = ",".join(map(str, channels))
            raise ConfigError(f"{given}={text}: a part has one output, or two for left and right")
    names = [part for part, _ in layout.parts]
    for part in names:
        if names.count(part) > 1:
            raise ConfigError(f"--output {part}=... is given twice: give its outputs once, such as {part}=5,6")
    if any(channel < 1 for channel in layout.click) or len(set(layout.click)) != len(layout.click):
        text = ",".join(map(str, layout.click))
        raise ConfigError(f"--click-output {text}: give channels counted from 1, each once")
    taken: dict[int, str] = {}
    for bus in layout.buses:
        for channel in bus.channels:
            if channel in taken:
                both = f"{taken[channel]} and {bus.name}"
                raise ConfigError(f"--output gives channel {channel} to both {both}: give each its own")
            taken[channel] = bus.name
    shared = set(layout.click) & set(taken)
    if shared:
        raise ConfigError(f"--click-output {min(shared)}: the band plays there: give the click another channel")


def _check_channels(option: str, channels: tuple[int, ...]) -> None:
    text = ",".join(map(str, channels))
    if not channels or any(channel < 1 for channel in channels):
        raise ConfigError(f"{option} takes channels counted from 1: {text or 'none'} given")
    if len(set(channels)) != len(channels):
        raise ConfigError(f"{option} names a channel twice: {text}")
