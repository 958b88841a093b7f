"""The keyboard: bytes from a terminal or pipe to names of keys, and the table of what each key does.

Knows nothing of what a command does. One thread only, the one that made it.
"""

from __future__ import annotations

import contextlib
import os
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from types import TracebackType
from typing import IO, Protocol

from ..engine.actions import PARTS
from ..engine.commands import (
    NOW,
    Break,
    Build,
    Command,
    CountIn,
    Ending,
    Fill,
    Hit,
    Learn,
    LoopDo,
    LoopKeep,
    LoopPress,
    Panic,
    Quit,
    ScaleCount,
    SetBandLevel,
    SetControl,
    SetFeel,
    SetMute,
    SetOption,
    SetSolo,
    ShiftHalfBeat,
    StepPreset,
    StepSong,
    StepSound,
    Tap,
    ThisIsOne,
    Toggle,
)
from ..engine.status import Status
from .held_keys import HeldKeys

HELP_KEYS = ("?", "h")
REMOTE_KEYS = ("w",)
DENSITY_STEP = 0.1
LEVEL_STEP_DB = 1.0
LEVEL_RANGE_DB = (-40.0, 6.0)
_ESCAPE_WAIT_S = 0.5
"""An Escape with nothing behind it for so long is the key itself: a network brings the rest of an arrow sooner."""
_LOOK_S = 0.05
_ALT_S = 0.03
"""What follows an Escape so soon was struck with it: no hand goes from one key to the other in that time."""
_REST_S = 2.0
"""So long the rest of a key is waited for, and known as such even after its Escape was taken for a key."""
_ARROWS = {"A": "up", "B": "down", "C": "right", "D": "left"}
_WINDOWS_ARROWS = {"H": "up", "P": "down", "M": "right", "K": "left"}
_MEMORY_S = 0.5
"""So long what was asked for counts, and not what the engine says it has."""


@dataclass(frozen=True, slots=True)
class Key:
    """One line of the table of keys. Any thread."""

    names: tuple[str, ...]
    shown: str
    text: str
    make: Callable[[Status], Command] | None = None
    """Of a key that needs no more than the status."""


KEY_TABLE = (
    Key((" ",), "space", "starts and stops the band", lambda status: Toggle()),
    Key(("t",), "t", "taps the tempo", lambda status: Tap(NOW)),
    Key(("o",), "o", "one: a bar begins here", lambda status: ThisIsOne()),
    Key(("/",), "/", "shifts the beat by half a beat", lambda status: ShiftHalfBeat()),
    Key((",",), ",", "half time: counts half as fast from the next bar line on", lambda status: ScaleCount(0.5)),
    Key((".",), ".", "double time: counts twice as fast from the next bar line on", lambda status: ScaleCount(2.0)),
    Key(("c",), "c", "counts in one bar, then the band comes in", lambda status: CountIn()),
    Key(("f",), "f", "a fill up to the next bar line", lambda status: Fill()),
    Key(("e",), "e", "an ending on the next bar line", lambda status: Ending()),
    Key(("x", "b", "u"), "x b u", "a hit, a break, a build up to the next section"),
    Key(("[", "]", "r"), "[ ] r", "half-time feel, double-time feel, room for a solo; again: back"),
    Key(("n", "p"), "n p", "next song, previous song; presets where there is no set list"),
    Key(tuple(str(place + 1) for place in range(len(PARTS))), "1 2 3", "mutes drums, bass, keys, and lets them back"),
    Key(("s",), "s", "the band turns to the other sound: neural voice, instruments", lambda status: StepSound()),
    Key(("l",), "l", "leads the chords by hand on MIDI, and leaves off", lambda status: SetOption("chords", "turn")),
    Key(("m",), "m", "memory: learns what you play from the bar line on; again: plays it round", lambda now: Learn()),
    Key(("g",), "g", "goes round: the looper records, plays, plays over; twice stops", lambda status: LoopPress()),
    Key(("k",), "k", "keeps the last four bars that you played as a loop", lambda status: LoopKeep()),
    Key(("z",), "z", "takes back what was played over the loop last", lambda status: LoopDo("undo")),
    Key(("up", "down"), "↑ ↓", "busier, sparser"),
    Key(("+", "=", "-", "_"), "+ -", "the whole band louder, softer"),
    Key(("!", "escape"), "! or Esc", "panic: fades out at once, forgets everything", lambda status: Panic()),
    Key(REMOTE_KEYS, "w", "shows the remote's address for a phone's camera (--web), and hides it"),
    Key(HELP_KEYS, "?", "shows the keys, and hides them"),
    Key(("q", "\x04"), "q", "quits", lambda status: Quit()),
)
KEYS_HELP = "space starts and stops, ! is panic, ? shows the keys, q quits"

_MOVES: dict[str, Command] = {
    "x": Hit(), "b": Break(), "u": Build(), "[": SetFeel(0.5, turn=True), "]": SetFeel(2.0, turn=True), "r": SetSolo()
}  # fmt: skip
_BY_NAME = {name: key for key in KEY_TABLE for name in key.names}


class Keyboard:
    """Turns names of keys into commands. Holds what was asked for last: the status comes later.

    Main thread only.
    """

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._asked: dict[str, tuple[float, float]] = {}
        """Of each value that goes in steps: what was asked for last, and when."""

    def command(self, key: str, status: Status) -> Command | None:
        """What that key asks for in that state; None where it asks the engine for nothing."""
        name = key.lower()
        known = _BY_NAME.get(name)
        if known is None:
            return None
        if known.make is not None:
            return known.make(status)
        if name in ("n", "p"):
            step = 1 if name == "n" else -1
            return StepSong(step) if status.songs else StepPreset(step)
        if name in _MOVES:
            return _MOVES[name]
        if name.isdigit():
            return SetMute(PARTS[int(name) - 1])
        if name in ("up", "down"):
            by = DENSITY_STEP if name == "up" else -DENSITY_STEP
            return SetControl("density", self._stepped("density", status.density, by, (0.0, 1.0)))
        if name in ("+", "=", "-", "_"):
            by = LEVEL_STEP_DB if name in ("+", "=") else -LEVEL_STEP_DB
            return SetBandLevel(self._stepped("band level", status.band_level_db, by, LEVEL_RANGE_DB))
        return None

    def _stepped(self, what: str, known: float, by: float, ends: tuple[float, float]) -> float:
        now_s = self._clock()
        asked, at_s = self._asked.get(what, (known, float("-inf")))
        value = min(ends[1], max(ends[0], round((asked if now_s - at_s < _MEMORY_S else known) + by, 2)))
        self._asked[what] = (value, now_s)
        return value


class KeyDecoder:
    """Characters as a terminal sends them, into names of keys: "a", " ", "up", "down", "escape" ...

    Arrows and function keys are an Escape with more behind it, and the network may tear them apart anywhere. One thread
    at a time. One thread at a time.
    """

    def __init__(self) -> None:
        self._begun = ""
        self._begun_s = 0.0
        self._alone_s = float("-inf")
        """When an Escape was last taken for the key itself because nothing had followed."""

    def feed(self, text: str, at_s: float) -> list[str]:
        """Names of the keys that are complete. `at_s`: any clock that only goes forward."""
        if len(self._begun) > 1 and at_s - self._begun_s >= _REST_S:
            self._begun = ""
        keys = []
        for character in text:
            if self._begun:
                keys += self._within(character, at_s)
            elif character == "\x1b":
                self._begun, self._begun_s = character, at_s
            elif character in "[O" and at_s - self._alone_s < _REST_S:  # what that Escape was the beginning of
                self._begun, self._begun_s = "\x1b" + character, at_s
            else:
                keys.append(character)
        return keys

    def late(self, at_s: float) -> list[str]:
        """["escape"] once an Escape has stood alone for long enough. Not while characters wait to be read."""
        if self._begun != "\x1b" or at_s - self._begun_s < _ESCAPE_WAIT_S:
            return []
        self._begun, self._alone_s = "", at_s
        return ["escape"]

    @property
    def waits(self) -> bool:
        """Whether a key has begun and is not complete."""
        return bool(self._begun)

    def _within(self, character: str, at_s: float) -> list[str]:
        begun, together = self._begun, at_s - self._begun_s < _ALT_S
        if character == "\x1b":
            self._begun, self._begun_s = character, at_s
            # Two at once may be Alt with an arrow; a second Escape after the first makes sure that it was the key.
            return ["escape"] if begun == "\x1b" and not together else []
        if (begun == "\x1b" and character in "[O") or (
            begun == "\x1b[" and character == "["
        ):  # the latter: Linux console
            self._begun, self._begun_s = begun + character, at_s
            return []
        if begun == "\x1b":
            self._begun = ""
            return [] if together else ["escape", character]  # Alt with a key; or Escape, and then a key
        if begun.startswith("\x1b[") and len(begun) < 16 and not "@" <= character <= "~":
            self._begun, self._begun_s = begun + character, at_s
            return []
        self._begun = ""
        arrow = _ARROWS.get(character) if begun in ("\x1b[", "\x1bO") else None
        return [arrow] if arrow is not None else []  # or a key that stands for nothing here


class Keys(Protocol):
    """Something to poll for keys, until it is closed. Main thread only."""

    def poll(self, wait_s: float = 0.0) -> list[str]:
        """Names of the keys struck; returns as soon as there is one, and after `wait_s` at the latest."""
        ...

    def close(self) -> None: ...


def open_keys(stream: IO[str] | None = None) -> Keys:
    """Keys of that stream (standard input if none): a terminal, a pipe, or nothing at all."""
    stream = sys.stdin if stream is None else stream
    try:
        fd = stream.fileno() if stream is not None else -1
        terminal = stream is not None and stream.isatty()
    except (OSError, ValueError):  # closed, or not a file at all
        return NoKeys()
    if fd < 0:
        return NoKeys()
    if sys.platform == "win32":
        return WindowsKeys() if terminal else NoKeys()
    return TerminalKeys(fd) if terminal else PipeKeys(fd)


class NoKeys:
    """No keyboard: never gives a key. Main thread only."""

    def poll(self, wait_s: float = 0.0) -> list[str]:
        if wait_s > 0:
            time.sleep(wait_s)
        return []

    def close(self) -> None:
        pass


class _Reader:
    """Bytes of a descriptor into keys, with an Escape that waits for what may follow it."""

    def __init__(self, fd: int) -> None:
        self._fd = fd
        self._decoder = KeyDecoder()
        self.ended = False

    def poll(self, wait_s: float) -> list[str]:
        import select

        if self.ended:
            time.sleep(wait_s)
            return self._decoder.late(time.monotonic())
        if self._decoder.waits:
            wait_s = min(wait_s, _LOOK_S)
        if not select.select([self._fd], [], [], wait_s)[0]:
            return self._decoder.late(time.monotonic())
        try:
            data = os.read(self._fd, 256)
        except OSError:  # the terminal went away
            data = b""
        self.ended = not data
        return self._decoder.feed(data.decode("latin-1"), time.monotonic())


class PipeKeys:
    """Characters of a pipe, for scripts and remotes. Its end is not a command: the band plays on. Main thread only."""

    def __init__(self, fd: int) -> None:
        self._reader = _Reader(fd)

    def poll(self, wait_s: float = 0.0) -> list[str]:
        return self._reader.poll(wait_s)

    def close(self) -> None:
        pass


class TerminalKeys:
    """Keys of a POSIX terminal, one at a time and unseen, a held one once. Put back as it was by `close`.

    Ctrl-Z and Ctrl-S do nothing meanwhile: one would stop the music, the other freeze the face.
    In the background (`gigmate-live &`) the terminal belongs to another program: it is left alone until we
    are in front again, since touching it would stop this process. Main thread only.
    """

    def __init__(self, fd: int) -> None:
        self._fd = fd
        self._reader = _Reader(fd)
        self._held = HeldKeys()
        self._before: list | None = None
        self._enter()

    def __enter__(self) -> TerminalKeys:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def poll(self, wait_s: float = 0.0) -> list[str]:
        if not in_front(self._fd) or not self._enter():
            time.sleep(wait_s)
            return []
        return _presses(self._held, self._reader.poll(min(wait_s, _LOOK_S) if self._held.waits else wait_s))

    def close(self) -> None:
        import termios

        if self._before is not None and in_front(self._fd):
            with contextlib.suppress(termios.error, OSError):  # it may have gone: nothing to put back then
                termios.tcsetattr(self._fd, termios.TCSADRAIN, self._before)
        self._before = None

    def _enter(self) -> bool:
        """Set single keys without echo. False where the terminal will not have it."""
        import termios

        if self._before is not None:
            return True
        if not in_front(self._fd):
            return False
        try:
            before = termios.tcgetattr(self._fd)
            wanted = termios.tcgetattr(self._fd)
            wanted[0] &= ~termios.IXON
            wanted[3] &= ~(termios.ICANON | termios.ECHO)
            wanted[6][termios.VMIN], wanted[6][termios.VTIME] = 1, 0
            wanted[6][termios.VSUSP] = os.fpathconf(self._fd, "PC_VDISABLE")
            termios.tcsetattr(self._fd, termios.TCSADRAIN, wanted)
        except (termios.error, OSError):
            return False
        self._before = before
        return True


class WindowsKeys:
    """Keys of a Windows console, a held one once. Written for, not tested. Main thread only."""

    _TICK_S = 0.005

    def __init__(self) -> None:
        self._held = HeldKeys()

    def poll(self, wait_s: float = 0.0) -> list[str]:
        import msvcrt

        until_s = time.monotonic() + wait_s
        while not msvcrt.kbhit():  # type: ignore[attr-defined,unused-ignore]
            if time.monotonic() >= until_s:
                return self._held.late(time.monotonic())
            time.sleep(self._TICK_S)
        keys: list[str] = []
        while msvcrt.kbhit():  # type: ignore[attr-defined,unused-ignore]
            character = msvcrt.getwch()  # type: ignore[attr-defined,unused-ignore]
            if character in ("\x00", "\xe0"):
                arrow = _WINDOWS_ARROWS.get(msvcrt.getwch())  # type: ignore[attr-defined,unused-ignore]
                keys += [] if arrow is None else [arrow]
            else:
                keys.append("escape" if character == "\x1b" else character)
        return _presses(self._held, keys)

    def close(self) -> None:
        pass


def _presses(held: HeldKeys, struck: list[str]) -> list[str]:
    now_s = time.monotonic()
    return held.feed(struck, now_s) + held.late(now_s)


def in_front(fd: int) -> bool:
    """Whether that terminal is ours to use now, and not that of a shell which has us in the background."""
    try:
        return os.tcgetpgrp(fd) == os.getpgrp()
    except OSError:
        return False
