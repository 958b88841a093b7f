"""The terminal output: a panel that is redrawn in place, plain lines, or JSON lines for programs.

Knows only the engine's status. One thread, the one that made it; none of it touches sound, and output that
cannot be written (a closed pipe) ends the display, not the music.
"""

from __future__ import annotations

import contextlib
import os
import time
from collections import deque
from collections.abc import Callable
from typing import IO, TYPE_CHECKING, Any, Protocol

from ..engine.status import SILENCE_DB, Status
from ..files.json_text import json_text
from .display_text import (
    big_state,
    clean,
    song_line,
    time_source,
)
from .panel import (
    MOST_COLUMNS,
    Row,
    code_panel,
    db_text,
    fitted,
    panel,
)
from .qr_code import qr_lines
from .song_words import wrapped

if TYPE_CHECKING:
    from rich.console import Console

REDRAW_EVERY_S = 0.1
"""Meters and figures. A new beat or state is shown sooner, but no sooner than SOONEST_S after the last drawing."""
SOONEST_S = 0.05
REPAINT_EVERY_S = 5.0
"""Everything is painted anew so often, over what other programs may have written into the terminal."""
_LINE_EVERY_S = 1.0
_KEPT_NOTES = 200
_SHOWN_S = 60.0
"""A warning or note stands in the panel for so long; after that it is found beside the keys."""
_LOGGED = 12
_PANEL_ROWS, _WORD_ROWS = 20, 12
"""Rows that the panel keeps for itself, and the most that a song's notes and words take."""


class Display(Protocol):
    """Shows what the engine says, until it is closed. Main thread only."""

    def note(self, text: str) -> None: ...
    def show(self, status: Status) -> None: ...
    def words(self, lines: list[str]) -> None: ...
    def help(self) -> None: ...
    def remote(self, address: str) -> None: ...
    def show_remote(self) -> None: ...
    def close(self) -> None: ...


def open_display(stream: IO[str], json_lines: bool = False) -> Display:
    """The display that fits the stream: JSON lines if asked, a panel on a terminal, else plain lines."""
    if json_lines:
        return LineDisplay(stream, as_json)
    if stream.isatty():
        console = console_on(stream)
        if console.is_terminal and not console.is_dumb_terminal and not console.legacy_windows:
            return PanelDisplay(console)
    return LineDisplay(stream, plain_line)


def console_on(stream: IO[str], **settings: Any) -> Console:
    """rich's console on that stream, which leaves it to us what a broken pipe means (its own would end the process)."""
    from rich.console import Console

    class OurConsole(Console):
        def on_broken_pipe(self) -> None:
            self.quiet = True
            raise BrokenPipeError("the terminal has gone")

    return OurConsole(file=stream, highlight=False, **settings)


def plain_line(status: Status) -> str:
    """One line of the log, with the seconds of sound in front."""
    beat = f"{status.bar}.{status.beat}" if status.beat else "-"
    source, song, section = time_source(status), song_line(status), clean(status.section)
    return (
        f"{status.seconds:8.1f}s {big_state(status)[0].lower()} bar {beat} {status.tempo_bpm:.1f} bpm"
        + (f" by {source}" if source else "")
        + f" chord {clean(status.chord) or '-'} played {clean(status.chord_played) or '-'}"
        + (f" by {clean(status.chord_source)}" if status.chord_source else "")
        + f" in {db_text(status.input_db)} out {db_text(status.output_db)} dB"
        f" model {status.step_ms:.1f}/{status.frame_ms:.0f} ms misses {status.misses} xruns {status.xruns}"
        + (f" song {song}" if song else "")
        + (f" section {section}" if section else "")
    )


def as_json(status: Status) -> str:
    """The whole status as one line of JSON (silence of -inf as its floor, since JSON has no infinity)."""
    return json_text(status, not_finite=SILENCE_DB)


class LineDisplay:
    """One line a second, warnings at once. For pipes, logs and programs. Main thread only."""

    def __init__(
        self, stream: IO[str], form: Callable[[Status], str], clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._stream, self._form, self._clock = stream, form, clock
        self._json = form is as_json
        self._next_s = float("-inf")
        self._shown_warnings = WarningHistory()
        self._broken = False

    def note(self, text: str) -> None:
        self._write(json_text({"note": text}) if self._json else text)

    def show(self, status: Status) -> None:
        fresh = self._shown_warnings.new(status)
        if not self._json:
            for warning in fresh:
                self._write(f"warning: {warning}")
        if self._clock() >= self._next_s or (self._json and fresh):
            self._next_s = self._clock() + _LINE_EVERY_S
            self._write(self._form(status))

    def words(self, lines: list[str]) -> None:
        """Nothing: a log is not read on stage."""

    def help(self) -> None:
        """Nothing: lines have no room for a table."""

    def remote(self, address: str) -> None:
        """Nothing: the address is a note already."""

    def show_remote(self) -> None:
        """Nothing: as help."""

    def close(self) -> None:
        pass

    def _write(self, line: str) -> None:
        if self._broken:
            return
        try:
            try:
                self._stream.write(line + "\n")
            except UnicodeEncodeError:
                self._stream.write(line.encode("ascii", "replace").decode() + "\n")
            self._stream.flush()
        except (OSError, ValueError):  # the reader has gone: the band plays on unseen
            self._broken = True


class WarningHistory:
    """Which warnings were said already. Main thread only."""

    def __init__(self) -> None:
        self._said: tuple[str, ...] = ()

    def new(self, status: Status) -> list[str]:
        """Those that were not there in the status before."""
        if status.warnings == self._said:
            return []
        fresh = [warning for warning in status.warnings if warning not in self._said]
        self._said = status.warnings
        return fresh


class PanelDisplay:
    """The panel on the terminal's other screen: only rows that have changed are written, so that nothing flickers.

    Notes and warnings are printed to the ordinary screen again when the display is closed. Main thread only.
    """

    def __init__(self, console: Console, clock: Callable[[], float] = time.monotonic) -> None:
        self._console = console
        self._blocks = (console.encoding or "").lower().startswith("utf")
        self._clock = clock
        self._drawn: list[Row] = []
        self._size = (0, 0)
        self._last_drawn_state: object = None
        self._drawn_s = self._painted_s = float("-inf")
        self._shown_warnings = WarningHistory()
        self._notes: deque[str] = deque(maxlen=_KEPT_NOTES)
        self._log: deque[tuple[str, float]] = deque(maxlen=_LOGGED)
        self._started = self._broken = self._help = self._remote_shown = False
        self._words: list[str] = []
        self._remote = ""
        self._code: list[str] = []

    def note(self, text: str) -> None:
        if self._started:
            self._notes.append(text)
            self._log.append((text, self._clock()))
        else:
            self._log.append((text, float("-inf")))
            self._write_safely(lambda: self._console.print(text, markup=False, highlight=False))

    def words(self, lines: list[str]) -> None:
        """Notes and words of the song as it is now, shown below where there is room."""
        self._words = lines
        self._last_drawn_state = None

    def help(self) -> None:
        """Show the keys and what was said so far, or the panel again."""
        self._help, self._remote_shown = not self._help, False
        self._last_drawn_state = None

    def remote(self, address: str) -> None:
        """From now on `show_remote` shows that address as a code for a phone's camera."""
        self._remote = address

    def show_remote(self) -> None:
        """Show the remote's address as a code, or the panel again."""
        if not self._remote:
            self.note("no phone can reach a remote here: start with --web --host 0.0.0.0")
            return
        self._code = self._code or qr_lines(self._remote)
        self._remote_shown, self._help = not self._remote_shown, False
        self._last_drawn_state = None

    def show(self, status: Status) -> None:
        now_s = self._clock()
        for warning in self._shown_warnings.new(status):
            self._notes.append(f"warning: {warning}")
            self._log.append((warning, now_s))
        mark = (
            status.state,
            status.pending,
            status.moves,
            status.beat,
            status.bar,
            status.muted,
            status.section,
            self._help,
            self._remote_shown,
        )
        patience_s = REDRAW_EVERY_S if mark == self._last_drawn_state else SOONEST_S
        if now_s - self._drawn_s < patience_s or not self._owns_terminal():
            return
        self._last_drawn_state, self._drawn_s = mark, now_s
        self._write_safely(lambda: self._draw(status, now_s))

    def close(self) -> None:
        """Back to the ordinary screen, and say there what was said meanwhile. May be called twice."""
        if self._started:
            self._started = False
            self._write_safely(self._restore_screen)
        while self._notes:
            self.note(self._notes.popleft())

    def _owns_terminal(self) -> bool:
        """Not while the terminal belongs to a shell that has us in the background."""
        try:
            return os.tcgetpgrp(self._console.file.fileno()) == os.getpgrp()
        except (OSError, ValueError, AttributeError):  # no terminal of a shell's: nobody to disturb
            return True

    def _draw(self, status: Status, now_s: float) -> None:
        from rich.control import Control
        from rich.text import Text

        console = self._console
        size = (console.size.width, console.size.height)
        if not self._started:
            self._started = True
            console.set_alt_screen(True)
            console.show_cursor(False)
        width = min(size[0], MOST_COLUMNS + 1) - 1  # a full last column would wrap
        if self._remote_shown:
            code = self._code if self._blocks else []
            rows = code_panel(self._remote, code, width, size[1])
        else:
            words = [] if self._help else wrapped(self._words, width, min(_WORD_ROWS, size[1] - _PANEL_ROWS))
            rows = panel(status, width, size[1] - len(words), self._blocks, self._messages(now_s), self._help)
            rows += [fitted(((f" {line}", "italic"),), width) for line in words]
        anew = size != self._size or now_s - self._painted_s >= REPAINT_EVERY_S
        if anew:
            self._painted_s, self._drawn = now_s, []
        with console:  # gathers everything into one write
            if size != self._size:
                console.control(Control.clear())
                self._size = size
            for place, row in enumerate(rows):
                if place >= len(self._drawn) or self._drawn[place] != row:
                    console.control(Control.move_to(0, place))
                    console.print(Text.assemble(*row, end="", no_wrap=True, overflow="crop"), end="", soft_wrap=True)
            for place in range(len(rows), max(len(self._drawn), size[1] if anew else 0)):
                console.control(Control.move_to(0, place))
                console.print(" " * max(width, 1), end="", soft_wrap=True)
        self._drawn = rows

    def _messages(self, now_s: float) -> list[str]:
        return [text for text, at_s in self._log if self._help or now_s - at_s < _SHOWN_S]

    def _restore_screen(self) -> None:
        with contextlib.suppress(AttributeError):
            self._console.show_cursor(True)
        self._console.set_alt_screen(False)

    def _write_safely(self, draw: Callable[[], object]) -> None:
        if self._broken:
            return
        try:
            draw()
        except (OSError, ValueError):  # the terminal has gone: the band plays on unseen
            self._broken = True
