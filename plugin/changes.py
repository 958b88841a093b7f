"""What a change of a parameter, or of a text of the session, does to the band: parameters in, commands out.

The band is always the preset, and over it every parameter that is not at its default. Knows no port and no thread; one
thread at a time.
"""

from __future__ import annotations

from collections.abc import Callable

from ..engine.charts.chart import Chart
from ..engine.commands import (
    Command,
    Ending,
    Fill,
    JumpSection,
    SelectPreset,
    SetBandLevel,
    SetChart,
    SetControl,
    SetLevel,
    SetMute,
    SetOption,
    Start,
    Stop,
)
from ..engine.player import PARTS
from ..presets.schema import OFF_DB, STYLES, Preset
from .parameters import parameters, shipped_presets

LOWEST_DB = -60.0
"""A level at this, or below it, is off."""


def _shifted(value: float, by: float) -> float:
    """A value from 0 to 1, moved toward 1 (`by` above 0) or toward 0."""
    return value + by * (1.0 - value) if by > 0 else value * (1.0 + by)


class Changes:
    """The parameters as the host has them, and what each change asks of the band. One thread at a time."""

    def __init__(self, preset_of: Callable[[], Preset], chart_of: Callable[[], Chart | None]) -> None:
        """`preset_of()`, `chart_of()`: those that are on."""
        self._table = parameters()
        self._presets = shipped_presets()
        self._values = [one.default for one in self._table]
        self._preset_of, self._chart_of = preset_of, chart_of
        self.named_preset = ""
        """The preset that the session names, for where the parameter names none."""

    def number(self, symbol: str) -> int:
        """The parameter's number. Raises StopIteration for one that does not exist."""
        return next(number for number, one in enumerate(self._table) if one.symbol == symbol)

    def value(self, symbol: str) -> float:
        """As the host has it."""
        return self._values[self.number(symbol)]

    @property
    def preset(self) -> str:
        """The name of the preset that is asked for; empty for none."""
        number = round(self.value("preset"))
        return self._presets[number - 1] if 0 < number <= len(self._presets) else self.named_preset

    def name_preset(self, name: str) -> list[Command]:
        """The session names another preset."""
        if name == self.named_preset:
            return []
        self.named_preset = name
        return self._take_preset() if round(self.value("preset")) == 0 and name else []

    def change(self, number: int, value: float) -> list[Command]:
        """A parameter's new value; what the table does not allow is brought to the nearest that it does."""
        if not 0 <= number < len(self._table) or value != value:
            return []
        one = self._table[number]
        value = min(max(value, one.low), one.high)
        before, self._values[number] = self._values[number], value
        if one.symbol == "preset":
            return self._take_preset() if self.preset else []
        if one.kind == "trigger" and not before < 0.5 <= value:
            return []
        return self._commands(one.symbol, value) if value != before or one.symbol == "play" else []

    def _take_preset(self) -> list[Command]:
        return [SelectPreset(self.preset)]

    def over_preset(self) -> list[Command]:
        """What the parameters change of a preset that has just been taken."""
        lasting = ("number", "switch", "choice")
        changed = [
            (one.symbol, value)
            for one, value in zip(self._table, self._values, strict=True)
            if one.kind in lasting and value != one.default and one.symbol not in ("play", "preset")
        ]
        return [command for symbol, value in changed for command in self._commands(symbol, value)]

    def _commands(self, symbol: str, value: float) -> list[Command]:
        part, _, what = symbol.partition("_")
        if part in PARTS and what == "level":
            return [SetLevel(part, self._level(part, value))]
        if part in PARTS and what == "mute":
            return [SetMute(part, value >= 0.5 or part in self._preset_of().muted)]
        preset = self._preset_of()
        if symbol == "play":
            return [Start() if value >= 0.5 else Stop()]
        if symbol == "style":
            return [SetControl("style", STYLES[round(value) - 1] if value >= 0.5 else preset.style)]
        if symbol == "density":
            return [SetControl("density", _shifted(preset.density, value))]
        if symbol == "band_level":
            return [SetBandLevel(OFF_DB if value <= LOWEST_DB else value)]
        if symbol == "go_on":
            return [SetOption("when_silent", "go_on" if value >= 0.5 else preset.when_silent)]
        if symbol == "section":
            chart, number = self._chart_of(), round(value)
            named = () if chart is None else chart.section_names
            return [JumpSection(named[number - 1])] if 0 < number <= len(named) else []
        if symbol == "fill":
            return [Fill()]
        return [Ending()] if symbol == "ending" else []

    def _level(self, part: str, value: float) -> float:
        own = float(getattr(self._preset_of().levels_db, part))
        return OFF_DB if value <= LOWEST_DB or own == OFF_DB else min(max(own + value, -60.0), 12.0)

    @staticmethod
    def chart(chart: Chart | None) -> list[Command]:
        """The session has another chart."""
        return [SetChart(chart)]
