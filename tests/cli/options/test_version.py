"""What every command answers: its version, its help by `-h`, and a shell that asks how a line goes on."""

from __future__ import annotations

import os
import subprocess
import sys

import gigmate
import pytest
import typer
from gigmate.cli import boundary, main

COMMANDS = {"gigmate": main.app, "gigmate-live": main.live_app, "gigmate-latency": main.latency_app}


@pytest.mark.parametrize("name", COMMANDS)
def test_the_version_is_one_line_and_nothing_else_happens(name: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert boundary.run(COMMANDS[name], name, ["--version"]) == 0
    assert capsys.readouterr().out == f"{name} {gigmate.__version__}\n"


@pytest.mark.parametrize("arguments", [["live"], ["live", "--backend", "nonsense"], ["latency"]])
def test_a_verb_that_is_a_command_too_knows_its_version(
    arguments: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    assert boundary.run(main.app, "gigmate", [*arguments, "--version"]) == 0
    assert capsys.readouterr().out == f"gigmate {gigmate.__version__}\n"


@pytest.mark.parametrize("name", COMMANDS)
def test_a_short_wish_for_help_is_understood(name: str, capsys: pytest.CaptureFixture[str]) -> None:
    answers = []
    for wish in ("-h", "--help"):
        assert boundary.run(COMMANDS[name], name, [wish]) == 0
        answers.append(capsys.readouterr().out)
    assert answers[0] == answers[1] and f"Usage: {name}" in answers[0] and "-h, --help" in answers[0]


def verbs() -> list[list[str]]:
    """Every verb below `gigmate`, and every verb below those."""
    found = []
    for name, command in typer.main.get_command(main.app).commands.items():  # type: ignore[attr-defined]
        found.append([name])
        found += [[name, below] for below in getattr(command, "commands", {})]
    return found


@pytest.mark.parametrize("verb", verbs(), ids=" ".join)
def test_every_verb_understands_a_short_wish_for_help(verb: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    assert boundary.run(main.app, "gigmate", [*verb, "-h"]) == 0
    assert f"Usage: gigmate {' '.join(verb)}" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("main_name", "name", "line", "expected"),
    [
        ("main", "gigmate", "gigmate be", "bench"),
        ("main", "gigmate", "gigmate complete --band", "--band-lu"),
        ("main_live", "gigmate-live", "gigmate-live --osc-t", "--osc-time-tags"),
        ("main_latency", "gigmate-latency", "gigmate-latency --ver", "--version"),
    ],
)
def test_a_shell_is_told_how_the_line_goes_on(main_name: str, name: str, line: str, expected: str) -> None:
    variable = f"_{name.replace('-', '_').upper()}_COMPLETE"
    told = subprocess.run(
        [sys.executable, "-c", f"import gigmate.cli.main as m; m.{main_name}()"],
        env={**os.environ, variable: "complete_bash", "COMP_WORDS": line, "COMP_CWORD": str(line.count(" "))},
        capture_output=True,
        text=True,
        check=True,
    )
    assert expected in told.stdout.split()
    assert told.stderr == ""
