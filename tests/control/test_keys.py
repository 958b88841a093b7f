"""Keys: from a real pseudo-terminal and from a pipe; the terminal is as it was afterwards."""

from __future__ import annotations

import io
import os
import time

import pytest
from gigmate.control.keys import KEYS, NoKeys, commands_for, open_keys
from gigmate.engine.commands import Command, Panic, Quit, Toggle


def poll_until(keys, count: int) -> list[Command]:  # type: ignore[no-untyped-def]
    commands: list[Command] = []
    deadline_s = time.monotonic() + 2.0
    while len(commands) < count and time.monotonic() < deadline_s:
        commands += keys.poll()
    return commands


def test_characters() -> None:
    assert commands_for(" xq\x1b[Ap") == [Toggle(), Quit(), Panic()]
    assert KEYS["\x04"]() == Quit()


def test_no_input_at_all() -> None:
    assert isinstance(open_keys(io.StringIO("q")), NoKeys)
    with open(os.devnull) as closed:
        pass
    assert open_keys(closed).poll() == []


def test_a_pipe_gives_keys_and_its_end_is_no_command() -> None:
    read_fd, write_fd = os.pipe()
    with os.fdopen(read_fd) as stream:
        keys = open_keys(stream)
        assert keys.poll() == []
        os.write(write_fd, b" \n q")
        assert poll_until(keys, 3) == [Toggle(), Toggle(), Quit()]
        os.close(write_fd)
        assert keys.poll() == [] == keys.poll()
        keys.close()


def test_a_terminal_gives_single_keys_and_is_put_back() -> None:
    pty = pytest.importorskip("pty")
    import signal
    import termios

    pid, master = pty.fork()
    if pid == 0:  # the child has the pseudo-terminal as its own, in front
        signal.alarm(5)
        before = termios.tcgetattr(0)
        keys = open_keys(os.fdopen(0, closefd=False))
        during = termios.tcgetattr(0)
        os.write(1, b"ready")
        got = poll_until(keys, 2)
        keys.close()
        good = got == [Toggle(), Quit()] and termios.tcgetattr(0) == before and not during[3] & termios.ECHO
        os._exit(0 if good else 1)
    read = b""
    while b"ready" not in read:
        read += os.read(master, 100)
    os.write(master, b" q")
    assert os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) == 0
    os.close(master)
