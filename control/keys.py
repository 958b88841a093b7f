"""The keyboard: characters of the terminal (or of a pipe) in, commands out.

Knows nothing of what a command does. One thread only, the one that made it; `poll` never waits.
"""

from __future__ import annotations

import contextlib
import os
import sys
from collections.abc import Callable
from types import TracebackType
from typing import IO, Protocol

from ..engine.commands import Command, Panic, Quit, Toggle

KEYS: dict[str, Callable[[], Command]] = {
    " ": Toggle,
    "q": Quit,
    "Q": Quit,
    "\x04": Quit,  # Ctrl-D
    "p": Panic,
    "P": Panic,
}
KEYS_HELP = "space starts and stops, p is panic, q quits"


class Keys(Protocol):
    """Something to poll for commands, until it is closed."""

    def poll(self) -> list[Command]: ...
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


def commands_for(text: str) -> list[Command]:
    """The commands that these characters stand for; others are passed over."""
    return [KEYS[character]() for character in text if character in KEYS]


class NoKeys:
    """No keyboard: never gives a command."""

    def poll(self) -> list[Command]:
        return []

    def close(self) -> None:
        pass


class PipeKeys:
    """Characters of a pipe, for scripts and remotes. Its end is not a command: the band plays on."""

    def __init__(self, fd: int) -> None:
        self._fd = fd
        self._ended = False

    def poll(self) -> list[Command]:
        import select

        text = ""
        while not self._ended and select.select([self._fd], [], [], 0)[0]:
            try:
                data = os.read(self._fd, 256)
            except OSError:
                data = b""
            self._ended = not data
            text += data.decode("latin-1")
        return commands_for(text)

    def close(self) -> None:
        pass


class TerminalKeys:
    """Keys of a POSIX terminal, one at a time and unseen. Put back as it was by `close`.

    In the background (`gigmate-live &`) the terminal belongs to another program: it is left alone until we
    are in front again, since touching it would stop this process.
    """

    def __init__(self, fd: int) -> None:
        self._fd = fd
        self._before: list | None = None
        self._enter()

    def __enter__(self) -> TerminalKeys:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def poll(self) -> list[Command]:
        import select

        if not self._in_front() or not self._enter():
            return []
        if not select.select([self._fd], [], [], 0)[0]:
            return []
        try:
            data = os.read(self._fd, 256)
        except OSError:  # the terminal went away
            return []
        return commands_for(data.decode("latin-1"))

    def close(self) -> None:
        import termios

        if self._before is not None and self._in_front():
            with contextlib.suppress(termios.error, OSError):  # it may have gone: nothing to put back then
                termios.tcsetattr(self._fd, termios.TCSADRAIN, self._before)
        self._before = None

    def _in_front(self) -> bool:
        try:
            return os.tcgetpgrp(self._fd) == os.getpgrp()
        except OSError:
            return False

    def _enter(self) -> bool:
        """Set single keys without echo. False where the terminal will not have it."""
        import termios

        if self._before is not None:
            return True
        if not self._in_front():
            return False
        try:
            before = termios.tcgetattr(self._fd)
            wanted = termios.tcgetattr(self._fd)
            wanted[3] &= ~(termios.ICANON | termios.ECHO)
            wanted[6][termios.VMIN], wanted[6][termios.VTIME] = 1, 0
            termios.tcsetattr(self._fd, termios.TCSADRAIN, wanted)
        except (termios.error, OSError):
            return False
        self._before = before
        return True


class WindowsKeys:
    """Keys of a Windows console. Written for, not tested."""

    def poll(self) -> list[Command]:
        import msvcrt

        text = ""
        while msvcrt.kbhit():  # type: ignore[attr-defined,unused-ignore]
            text += msvcrt.getwch()  # type: ignore[attr-defined,unused-ignore]
        return commands_for(text)

    def close(self) -> None:
        pass
