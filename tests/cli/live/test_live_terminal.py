"""`gigmate-live` on a pseudo-terminal: the panel, every kind of key, a smaller window, and the terminal put back."""

from __future__ import annotations

import codecs
import os
import re
import struct
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from gigmate.control.big_letters import big_letters
from gigmate.control.held_keys import FASTER_THAN_A_HAND_S

from ...control.screen import Screen
from .test_live import pulse_file

pty = pytest.importorskip("pty")
fcntl = pytest.importorskip("fcntl")
termios = pytest.importorskip("termios")

CODE = f"""
import sys
sys.path.insert(0, {str(Path(__file__).parent)!r})
import gigmate.session
from test_live import FakeBand
gigmate.session._shipped_player = lambda weights, seed: FakeBand()
from gigmate.cli.main import main_live
main_live()
"""
ALT_ON, ALT_OFF, CLEAR = "\x1b[?1049h", "\x1b[?1049l", "\x1b[2J"
PATIENCE_S = 60.0


class Terminal:
    """The command in a terminal of its own."""

    def __init__(self, *arguments: str) -> None:
        self.pid, self._master = pty.fork()
        if self.pid == 0:
            environment = {**os.environ, "TERM": "xterm-256color", "PYTHONIOENCODING": "utf-8"}
            for name in ("COLUMNS", "LINES", "NO_COLOR"):
                environment.pop(name, None)
            time.sleep(0.3)  # until the window has its size
            os.execve(sys.executable, [sys.executable, "-c", CODE, *arguments], environment)
        self.text = ""
        self._decoder = codecs.getincrementaldecoder("utf-8")()
        self.resize(80, 24)

    def resize(self, columns: int, rows: int) -> None:
        fcntl.ioctl(self._master, termios.TIOCSWINSZ, struct.pack("HHHH", rows, columns, 0, 0))
        self.screen = Screen(columns, rows)
        self._stale = True  # what was written for another size is still on its way

    def press(self, keys: str) -> None:
        os.write(self._master, keys.encode())

    def read(self, wait_s: float = 0.1) -> bool:
        """Take what is there; False at the end."""
        import select

        if not select.select([self._master], [], [], wait_s)[0]:
            return True
        try:
            text = self._decoder.decode(os.read(self._master, 65536))
        except OSError:
            return False
        self.text += text
        drawn = self.text.rpartition(ALT_ON)[2] if ALT_OFF not in self.text else ""
        if self._stale and CLEAR in text and drawn:
            self._stale = False
            self.screen.feed(text.rpartition(CLEAR)[2])
        elif not self._stale and drawn:
            self.screen.feed(text)
        return True

    def until(self, true: Callable[[str], object]) -> None:
        until_s = time.monotonic() + PATIENCE_S
        while not true("\n".join(self.screen.lines())):
            assert time.monotonic() < until_s, "\n".join(self.screen.lines()) + self.text[-500:]
            self.read()

    def end(self) -> int:
        while self.read(1.0):
            pass
        return os.waitstatus_to_exitcode(os.waitpid(self.pid, 0)[1])

    def close(self) -> None:
        os.close(self._master)


@pytest.fixture
def terminal(tmp_path: Path) -> Iterator[Terminal]:
    take = pulse_file(tmp_path / "take.wav", 90)
    opened = Terminal("--input-file", str(take), "--output-file", str(tmp_path / "band.wav"))
    yield opened
    opened.close()


def says(lines: str, state: str) -> bool:
    """Whether the panel shows that state, in whatever size the terminal has room for."""
    sizes = [[" ".join(state)], *(big_letters(state, 200, rows) for rows in (3, 5, 10))]
    wide = big_letters(state, 5 * len(state) + len(state), 5)  # of squares that are one column wide
    return any(drawn and all(line.strip() in lines for line in drawn) for drawn in (*sizes, wide))


def test_a_run_by_keys_alone(terminal: Terminal) -> None:
    terminal.until(lambda lines: says(lines, "STOPPED"))
    terminal.press(" ")
    terminal.until(lambda lines: says(lines, "PLAYING") or says(lines, "HOLDING"))
    terminal.press("3\x1b[A")
    terminal.until(lambda lines: re.search(r"keys .*MUTED", lines))
    before = re.search(r"preset (.+?)  ", "\n".join(terminal.screen.lines()))
    terminal.press("n")
    terminal.until(lambda lines: before and f"preset {before[1]}  " not in lines)
    terminal.press("?")
    terminal.until(lambda lines: "panic: fades out" in lines)
    time.sleep(2 * FASTER_THAN_A_HAND_S)  # sooner, it would be a key that is held
    terminal.press("?")
    terminal.resize(40, 20)
    terminal.until(lambda lines: "density" in lines and "panic: fades out" not in lines)
    terminal.press("\x1b")
    terminal.until(lambda lines: says(lines, "STOPPED"))
    terminal.press("\x1a\x13q")  # neither Ctrl-Z nor Ctrl-S stops anything
    assert terminal.end() == 0
    assert terminal.text.count(ALT_ON) == 1 == terminal.text.count(ALT_OFF)
    after = terminal.text.partition(ALT_OFF)[2]
    assert "callbacks" in after and "\x1b[?25h" in terminal.text  # the summary is read, the cursor is back
