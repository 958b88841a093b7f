"""The boundary: every kind of error is one line on stderr and the right exit code; a traceback only when asked for."""

from __future__ import annotations

import errno
import io
import os
import sys
import warnings

import pytest
import typer
from gigmate.cli import boundary
from gigmate.control.midi import MidiError
from gigmate.engine.errors import ConfigError, EngineError
from gigmate.presets.schema import PresetError


def app_that_raises(error: BaseException) -> typer.Typer:
    app = typer.Typer(pretty_exceptions_enable=False, rich_markup_mode=None)

    @app.command()
    def verb(number: int = 1) -> None:
        raise error

    return app


CASES = [
    (EngineError("no server: start one"), 1, "no server: start one"),
    (ConfigError("--rate 1: give more"), 2, "--rate 1: give more"),
    (PresetError("no preset"), 2, "no preset"),
    (MidiError("no MIDI:\nplug it in"), 1, "no MIDI: plug it in"),
    (FileNotFoundError(errno.ENOENT, os.strerror(errno.ENOENT), "gone.wav"), 1, "gone.wav: No such file"),
    (FileExistsError(errno.EEXIST, os.strerror(errno.EEXIST), "a.wav"), 1, "choose another name"),
    (PermissionError(errno.EACCES, os.strerror(errno.EACCES), "/x"), 1, "may write"),
    (OSError(errno.ENOSPC, os.strerror(errno.ENOSPC)), 1, "No space left"),
    (ZeroDivisionError("division\nby zero"), 1, "GIGMATE_DEBUG=1"),
    (typer.BadParameter("no such thing"), 2, "--help"),
]


@pytest.mark.parametrize(("error", "code", "words"), CASES)
def test_an_error_is_one_line(
    error: Exception, code: int, words: str, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv(boundary.DEBUG_VARIABLE, raising=False)
    assert boundary.run(app_that_raises(error), "gigmate-live", []) == code
    written = capsys.readouterr()
    assert written.out == ""
    assert written.err.startswith("gigmate-live: ")
    assert written.err.count("\n") == 1
    assert words in written.err


def test_what_an_encoding_cannot_hold_is_printed_escaped(monkeypatch: pytest.MonkeyPatch) -> None:
    printed = io.TextIOWrapper(io.BytesIO(), encoding="ascii")
    monkeypatch.setattr(sys, "stdout", printed)
    app = typer.Typer(pretty_exceptions_enable=False, rich_markup_mode=None)
    app.command()(lambda: print("●", os.fsdecode(b"take-\xff.wav")))
    assert boundary.run(app, "gigmate", []) == 0
    assert printed.buffer.getvalue() == b"\\u25cf take-\\udcff.wav\n"


@pytest.mark.parametrize("name", ["stdin", "stdout", "stderr"])
def test_a_stream_that_is_closed_outside_is_no_fault(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, name, None)
    app = typer.Typer(pretty_exceptions_enable=False, rich_markup_mode=None)

    @app.command()
    def verb() -> None:
        assert sys.stdin is not None
        print("done")
        print("done", file=sys.stderr)

    assert boundary.run(app, "gigmate", []) == 0


def test_the_traceback_comes_when_asked_for(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(boundary.DEBUG_VARIABLE, "1")
    assert boundary.run(app_that_raises(EngineError("broken")), "gigmate", []) == 1
    assert "Traceback" in capsys.readouterr().err


def test_wrong_weights_are_the_users_to_mend(capsys: pytest.CaptureFixture[str]) -> None:
    checkpoint = pytest.importorskip("gigmate.model.checkpoint")
    assert (
        boundary.run(app_that_raises(checkpoint.CheckpointError("w: damaged; download it again")), "gigmate", []) == 1
    )
    assert capsys.readouterr().err == "gigmate: w: damaged; download it again\n"


@pytest.mark.parametrize(
    ("arguments", "words"), [(["--nope"], "--nope"), (["--number", "x"], "--number"), (["stray"], "stray")]
)
def test_usage(arguments: list[str], words: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert boundary.run(app_that_raises(ZeroDivisionError()), "gigmate-live", arguments) == 2
    error = capsys.readouterr().err
    assert words in error
    assert error.count("\n") == 1
    assert "gigmate-live --help" in error


@pytest.mark.parametrize(
    ("error", "code"), [(KeyboardInterrupt(), 130), (typer.Abort(), 130), (typer.Exit(0), 0), (typer.Exit(7), 7)]
)
def test_ends_that_say_nothing(error: BaseException, code: int, capsys: pytest.CaptureFixture[str]) -> None:
    assert boundary.run(app_that_raises(error), "gigmate", []) == code
    assert capsys.readouterr().err == ""


def test_a_verbs_number_is_the_exit_code() -> None:
    app = typer.Typer()
    app.command()(lambda: 143)
    assert boundary.run(app, "gigmate", []) == 143


def test_a_warning_is_one_line_without_a_path(capsys: pytest.CaptureFixture[str]) -> None:
    app, before = typer.Typer(), warnings.formatwarning

    @app.command()
    def warned() -> None:
        print(warnings.formatwarning("no C compiler:\ninstall gcc", UserWarning, "/a/long/path.py", 3), end="")

    boundary.run(app, "gigmate", [])
    assert capsys.readouterr().out == "gigmate: no C compiler: install gcc\n"
    assert warnings.formatwarning is before
