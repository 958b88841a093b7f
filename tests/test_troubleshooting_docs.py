"""docs/troubleshooting.md offers only what there is: commands, their options, and keys."""

from __future__ import annotations

import re
import shlex
from pathlib import Path

import pytest
import typer
from gigmate.cli import main
from gigmate.control.keys import KEY_TABLE

TEXT = (Path(__file__).resolve().parents[1] / "docs" / "troubleshooting.md").read_text(encoding="utf-8")
SPANS = re.findall(r"`([^`]+)`", TEXT)
COMMANDS = [span for span in SPANS if span.startswith("gigmate")]


@pytest.mark.parametrize("line", COMMANDS)
def test_every_command_on_the_page_can_be_given(line: str) -> None:
    name, *arguments = shlex.split(line)
    command = typer.main.get_command(main.live_app if name == "gigmate-live" else main.app)
    while hasattr(command, "commands"):
        command = command.commands[arguments.pop(0)]
    command.make_context(name, arguments)  # raises for an option that is not there


def test_every_symptom_has_something_to_do_with_the_hands() -> None:
    sections = TEXT.split("\n## ")[1:]
    assert len(sections) >= 7
    for section in sections:
        assert "`" in section and section.count("\n| ") >= 3, section.splitlines()[0]


def test_every_key_on_the_page_does_something() -> None:
    keys = {span for span in SPANS if len(span) == 1}
    assert len(keys) >= 8
    assert keys <= {name for key in KEY_TABLE for name in key.names}
