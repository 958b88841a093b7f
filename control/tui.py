"""The face in the terminal: one live line at 80 columns, plain lines elsewhere, JSON lines for programs.

Knows only the engine's status. One thread, the one that made it; none of it touches sound, and output that
cannot be written (a closed pipe) ends the face, not the music.
"""

from __future__ import annotations

import dataclasses
import json
import math
import time
from collections.abc import Callable
from typing import IO, Protocol

from ..engine.status import SILENCE_DB, Status

WIDTH_COLUMNS = 79
"""Room of the live line: a terminal of 80 columns without touching the last."""
_METER_CELLS = 4
_METER_FLOOR_DB = -48.0
_LINE_EVERY_S = 1.0
_REDRAW_EVERY_S = 0.09

_STATE_STYLES = {
    "playing": "bold green",
    "fallback": "bold yellow",
    "stopping": "yellow",
    "ended": "dim",
}

Segment = tuple[str, str]
"""A piece of the line and its style, as rich names styles."""


class Face(Protocol):
    """Shows what the engine says, until it is closed."""

    def note(self, text: str) -> None: ...
    def show(self, status: Status) -> None: ...
    def close(self) -> None: ...


def open_face(stream: IO[str], json_lines: bool = False) -> Face:
    """The face that fits the stream: JSON lines if asked, a live line on a terminal, else plain lines."""
    if json_lines:
        return LineFace(stream, as_json)
    if stream.isatty():
        from rich.console import Console

        console = Console(file=stream)
        if console.is_terminal and not console.is_dumb_terminal:
            return LiveFace(console)
    return LineFace(stream, plain_line)


def segments(status: Status, blocks: bool = True) -> list[Segment]:
    """The live line in pieces, at most WIDTH_COLUMNS columns together."""
    beat = f"{status.bar}.{status.beat}" if status.beat else "-.-"
    tempo = f"{status.tempo_bpm:.0f}bpm" if status.tempo_bpm > 0 else "---bpm"
    late = status.step_ms > status.frame_ms
    return [
        (f"{status.state.upper():<8.8}", _STATE_STYLES.get(status.state, "bold")),
        (f" {beat[-6:]:>6}", "bold" if status.beat == 1 else ""),
        (f" {tempo:>6.6}", ""),
        (f" {status.chord or '-':<4.4}", "cyan"),
        (
            f" in {meter(status.input_db, blocks)}{decibels(status.input_db)}",
            _loudness_style(status.input_db),
        ),
        (
            f" out {meter(status.output_db, blocks)}{decibels(status.output_db)}",
            _loudness_style(status.output_db),
        ),
        (f" {min(status.step_ms, 999):3.0f}/{status.frame_ms:.0f}ms", "bold red" if late else ""),
        (f" miss {_count(status.misses)}", "bold red" if status.misses else "dim"),
        (f" xrun {_count(status.xruns)}", "bold red" if status.xruns else "dim"),
    ]


def plain_line(status: Status) -> str:
    """One line of the log, with the seconds of sound in front."""
    beat = f"{status.bar}.{status.beat}" if status.beat else "-"
    return (
        f"{status.seconds:8.1f}s {status.state} bar {beat} {status.tempo_bpm:.1f} bpm"
        f" chord {status.chord or '-'}"
        f" in {_db_text(status.input_db)} out {_db_text(status.output_db)} dB"
        f" model {status.step_ms:.1f}/{status.frame_ms:.0f} ms misses {status.misses} xruns {status.xruns}"
    )


def as_json(status: Status) -> str:
    """The whole status as one line of JSON (silence of -inf as its floor, since JSON has no infinity)."""
    values = dataclasses.asdict(status)
    return json.dumps({key: _finite(value) for key, value in values.items()})


def meter(level_db: float, blocks: bool = True) -> str:
    """A bar of four cells from -48 to 0 dBFS."""
    share = 0.0 if math.isnan(level_db) else (level_db - _METER_FLOOR_DB) / -_METER_FLOOR_DB
    cells = round(min(max(share, 0.0), 1.0) * _METER_CELLS)
    full, empty = ("█", "░") if blocks else ("#", ".")
    return full * cells + empty * (_METER_CELLS - cells)


def decibels(level_db: float) -> str:
    """Four columns: the level in whole dB, or nothing where it is silent."""
    return f"{_db_text(level_db):>4.4}"


def _db_text(level_db: float) -> str:
    if math.isnan(level_db) or level_db <= -100.0:
        return "-"
    return f"{level_db:.0f}"


def _loudness_style(level_db: float) -> str:
    return "bold red" if level_db > -1.0 else ("yellow" if level_db > -6.0 else "")


def _count(number: int) -> str:
    return str(number) if number < 1000 else "1k+"


def _finite(value: object) -> object:
    if isinstance(value, float):
        return value if math.isfinite(value) else SILENCE_DB
    if isinstance(value, tuple):
        return [_finite(item) for item in value]
    return value


class LineFace:
    """A line of text at most once a second, for logs, pipes and programs."""

    def __init__(
        self, stream: IO[str], form: Callable[[Status], str], clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._stream = stream
        self._form = form
        self._clock = clock
        self._json = form is as_json
        self._next_s = float("-inf")
        self._warned = 0
        self._broken = False

    def note(self, text: str) -> None:
        self._write(json.dumps({"note": text}) if self._json else text)

    def show(self, status: Status) -> None:
        if not self._json:
            for warning in status.warnings[self._warned :]:
                self._write(f"warning: {warning}")
            self._warned = len(status.warnings)
        if self._clock() >= self._next_s:
            self._next_s = self._clock() + _LINE_EVERY_S
            self._write(self._form(status))

    def close(self) -> None:
        pass

    def _write(self, line: str) -> None:
        if self._broken:
            return
        try:
            self._stream.write(line + "\n")
            self._stream.flush()
        except (OSError, ValueError):  # the reader has gone: the band plays on unseen
            self._broken = True
        except UnicodeEncodeError:
            self._stream.write(line.encode("ascii", "replace").decode() + "\n")


class LiveFace:
    """One line that is redrawn in place, about eleven times a second; warnings stand above it."""

    def __init__(self, console, clock: Callable[[], float] = time.monotonic) -> None:  # type: ignore[no-untyped-def]
        from rich.live import Live

        self._console = console
        self._blocks = (console.encoding or "").lower().startswith("utf")
        self._clock = clock
        self._next_s = float("-inf")
        self._warned = 0
        self._live = Live(console=console, auto_refresh=False, transient=False, redirect_stdout=False)
        self._started = False
        self._broken = False

    def note(self, text: str) -> None:
        self._safely(lambda: self._console.print(text, markup=False, highlight=False))

    def show(self, status: Status) -> None:
        from rich.text import Text

        for warning in status.warnings[self._warned :]:
            self.note(f"warning: {warning}")
        self._warned = len(status.warnings)
        if self._clock() < self._next_s:
            return
        self._next_s = self._clock() + _REDRAW_EVERY_S
        line = Text.assemble(*segments(status, self._blocks), no_wrap=True, overflow="crop")

        def draw() -> None:
            if not self._started:
                self._live.start()
                self._started = True
            self._live.update(line, refresh=True)

        self._safely(draw)

    def close(self) -> None:
        if self._started:
            self._started = False
            self._safely(self._live.stop)

    def _safely(self, draw: Callable[[], object]) -> None:
        if self._broken:
            return
        try:
            draw()
        except (OSError, ValueError):  # the terminal has gone: the band plays on unseen
            self._broken = True
