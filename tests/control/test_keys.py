"""Keys: from a real pseudo-terminal and from a pipe, arrows and Escape told apart; the table of docs/playing.md."""

from __future__ import annotations

import io
import os
import re
import time
from pathlib import Path

import pytest
from gigmate.control.keys import (
    HELP_KEYS,
    KEY_TABLE,
    REMOTE_KEYS,
    Keyboard,
    KeyDecoder,
    NoKeys,
    open_keys,
)
from gigmate.engine.commands import (
    NOW,
    Break,
    Build,
    Command,
    CountIn,
    Ending,
    Fill,
    Hit,
    LoopDo,
    LoopKeep,
    LoopPress,
    Panic,
    Quit,
    SetBandLevel,
    SetControl,
    SetFeel,
    SetMute,
    SetOption,
    SetSolo,
    StepPreset,
    StepSong,
    StepSound,
    Tap,
    Toggle,
)
from gigmate.engine.status import Status

ROOT = Path(__file__).resolve().parents[2]


class Clock:
    now_s = 0.0

    def __call__(self) -> float:
        return self.now_s


def poll_until(keys, count: int) -> list[str]:  # type: ignore[no-untyped-def]
    struck: list[str] = []
    deadline_s = time.monotonic() + 10.0
    while len(struck) < count and time.monotonic() < deadline_s:
        struck += keys.poll(0.05)
    return struck


@pytest.mark.parametrize(
    ("key", "command"),
    [
        (" ", Toggle()),
        ("t", Tap(NOW)),
        ("c", CountIn()),
        ("f", Fill()),
        ("e", Ending()),
        ("n", StepPreset(1)),
        ("P", StepPreset(-1)),
        ("1", SetMute("drums")),
        ("3", SetMute("keys")),
        ("s", StepSound()),
        ("l", SetOption("chords", "turn")),
        ("!", Panic()),
        ("escape", Panic()),
        ("q", Quit()),
        ("Q", Quit()),
        ("\x04", Quit()),
        ("?", None),
        ("x", Hit()),
        ("b", Break()),
        ("u", Build()),
        ("[", SetFeel(0.5, turn=True)),
        ("]", SetFeel(2.0, turn=True)),
        ("r", SetSolo()),
        ("j", None),
        ("z", LoopDo("undo")),
        ("g", LoopPress()),
        ("k", LoopKeep(4)),
        ("4", None),
        ("left", None),
    ],
)
def test_what_a_key_asks_for(key: str, command: Command | None) -> None:
    assert Keyboard().command(key, Status()) == command


def test_next_is_the_next_song_where_there_is_a_set() -> None:
    assert Keyboard().command("n", Status(songs=3)) == StepSong(1)
    assert Keyboard().command("p", Status(songs=3)) == StepSong(-1)


def test_density_goes_in_steps_though_the_status_comes_late() -> None:
    clock = Clock()
    keyboard, status = Keyboard(clock), Status(density=0.8)
    asked = [keyboard.command("up", status) for _ in range(3)]
    assert asked == [SetControl("density", value) for value in (0.9, 1.0, 1.0)]
    assert keyboard.command("down", status) == SetControl("density", 0.9)
    clock.now_s = 2.0
    assert keyboard.command("down", status) == SetControl("density", 0.7)


def test_the_whole_band_goes_in_steps_and_has_ends() -> None:
    clock = Clock()
    keyboard, status = Keyboard(clock), Status(band_level_db=5.0)
    assert [keyboard.command(key, status) for key in "++="] == [SetBandLevel(6.0)] * 3
    assert [keyboard.command(key, status) for key in "-_"] == [SetBandLevel(5.0), SetBandLevel(4.0)]
    clock.now_s = 2.0
    assert keyboard.command("-", Status(band_level_db=-float("inf"))) == SetBandLevel(-40.0)
    assert keyboard.command("up", Status(density=0.5)) == SetControl("density", 0.6)


def test_arrows_are_no_escape_however_they_arrive() -> None:
    decoder = KeyDecoder()
    assert decoder.feed("a\x1b[A\x1bOBz", 0.0) == ["a", "up", "down", "z"]
    assert decoder.feed("\x1b", 0.0) == [] == decoder.late(0.01)
    assert decoder.feed("[", 0.02) == []
    assert decoder.feed("A", 0.03) == ["up"]
    assert decoder.late(1.0) == []
    assert decoder.feed("\x1b[15~\x1b[[A\x1b[1;5Cq", 1.0) == ["q"]  # function keys, and one with Ctrl
    assert decoder.feed("\x1b\x1b[A", 2.0) == ["up"]  # with Alt, as some terminals send it


SPLIT_KEYS = ["\x1b[A", "\x1bOB", "\x1bOQ", "\x1bOR", "\x1b[12~", "\x1b[[B", "\x1b[1;5C", "\x1b[1;2Q"]
"""Arrows, F2 and F3 in the ways that terminals have for them: none of them is panic, and none quits."""


@pytest.mark.parametrize("late_s", [0.04, 0.1, 0.3, 0.45])
@pytest.mark.parametrize("sent", SPLIT_KEYS)
def test_a_key_that_the_network_tears_apart_is_one_key(sent: str, late_s: float) -> None:
    whole = KeyDecoder().feed(sent, 0.0)
    assert whole in ([], ["up"], ["down"])
    for place in range(1, len(sent)):
        decoder, at_s, keys = KeyDecoder(), 10.0, []
        for part in (sent[:place], sent[place:]):
            keys += decoder.feed(part, at_s)
            for turn in range(int(late_s / 0.03)):
                keys += decoder.late(at_s + 0.03 * (turn + 1))
            at_s += late_s
        assert keys + decoder.late(at_s + 5.0) == whole
        assert decoder.feed("t", at_s + 5.0) == ["t"]


@pytest.mark.parametrize("sent", SPLIT_KEYS)
def test_what_comes_after_its_escape_was_taken_for_a_key_is_still_no_other_key(sent: str) -> None:
    decoder = KeyDecoder()
    assert decoder.feed(sent[0], 0.0) == []
    assert decoder.late(0.6) == ["escape"]
    assert [key for key in decoder.feed(sent[1:], 1.5) if key not in ("up", "down")] == []
    assert decoder.feed("q", 1.6) == ["q"]


def test_the_rest_that_waits_to_be_read_is_read_before_the_escape_is_judged() -> None:
    read_fd, write_fd = os.pipe()
    with os.fdopen(read_fd) as stream:
        keys = open_keys(stream)
        os.write(write_fd, b"\x1b")
        assert keys.poll(1.0) == []
        os.write(write_fd, b"[A")
        time.sleep(0.6)  # this program stood still meanwhile
        assert keys.poll(0.0) == ["up"]
        os.close(write_fd)


def test_an_escape_alone_is_a_key() -> None:
    decoder = KeyDecoder()
    assert decoder.feed("\x1b", 0.0) == [] == decoder.late(0.4)
    assert decoder.late(0.5) == ["escape"]
    assert decoder.late(0.6) == []
    assert decoder.feed("\x1bx", 2.0) == []  # Alt with a key
    assert decoder.feed("\x1b", 5.0) == []
    assert decoder.feed("\x1b", 5.1) == ["escape"]  # struck twice, it need not wait
    assert decoder.late(5.6) == ["escape"]
    assert decoder.feed("\x1b", 9.0) == []
    assert decoder.feed("q", 9.1) == ["escape", "q"]  # nor with another key after it


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
        os.write(write_fd, b" q\x1b")
        assert poll_until(keys, 3) == [" ", "q", "escape"]
        os.close(write_fd)
        assert keys.poll() == [] == keys.poll()
        keys.close()


def test_a_key_ends_the_waiting() -> None:
    read_fd, write_fd = os.pipe()
    with os.fdopen(read_fd) as stream:
        keys = open_keys(stream)
        os.write(write_fd, b"t")
        began_s = time.monotonic()
        assert keys.poll(60.0) == ["t"]
        assert time.monotonic() - began_s < 30.0
        os.close(write_fd)


def test_a_terminal_gives_single_keys_and_is_put_back() -> None:
    pty = pytest.importorskip("pty")
    import signal
    import termios

    pid, master = pty.fork()
    if pid == 0:  # the child has the pseudo-terminal as its own, in front
        signal.alarm(30)
        before = termios.tcgetattr(0)
        keys = open_keys(os.fdopen(0, closefd=False))
        during = termios.tcgetattr(0)
        os.write(1, b"ready")
        got = poll_until(keys, 5)
        keys.close()
        quiet = not during[3] & termios.ECHO and not during[0] & termios.IXON
        good = got == ["\x1a", " ", "down", "escape", "q"] and termios.tcgetattr(0) == before and quiet
        os._exit(0 if good else 1)
    read = b""
    while b"ready" not in read:
        read += os.read(master, 100)
    os.write(master, b"\x1a \x1b[B\x1b")  # Ctrl-Z does not stop the band
    time.sleep(0.3)
    os.write(master, b"q")
    assert os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) == 0
    os.close(master)


def test_the_table_is_that_of_the_docs() -> None:
    text = (ROOT / "docs" / "playing.md").read_text(encoding="utf-8")
    rows = re.findall(r"^\| `?([^`|]+?)`? \| ([^|]+?) \|$", text.split("| Key | Does |")[1].split("\n\n")[0], re.M)
    assert rows == [(key.shown, key.text) for key in KEY_TABLE]


def test_every_key_stands_once_and_does_something() -> None:
    names = [name for key in KEY_TABLE for name in key.names]
    assert len(names) == len(set(names))
    silent = [name for name in names if Keyboard().command(name, Status()) is None]
    assert silent == [*REMOTE_KEYS, *HELP_KEYS]
