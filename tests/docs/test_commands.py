"""Every command that a page shows can be given: the verb is there, and so is each of its options."""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import typer
from gigmate.cli import main

ROOT = Path(__file__).resolve().parents[2]
PAGES = [
    path
    for folder in (".", "docs", "docs/results", "docs/decisions", "model/weights")
    for path in sorted((ROOT / folder).glob("*.md"))
    if path.name not in ("CHANGELOG.md", "licences.md")
]
APPS = {"gigmate": main.app, "gigmate-live": main.live_app, "gigmate-latency": main.latency_app}
_FENCE = re.compile(r"^```(?:sh|bash|console)?\n(.*?)^```", re.MULTILINE | re.DOTALL)
_SPAN = re.compile(r"`(gigmate(?:-live|-latency)? [^`\n]+)`")
UsageError = typer.BadParameter.__mro__[1]
"""click's, wherever this typer keeps it."""
_NAMED_ONLY = ("MissingParameter", "NoArgsIsHelpError", "BadOptionUsage")
"""Of a verb or an option that a sentence names without what it needs."""
_PLACEHOLDER = re.compile(r"\[|\.\.\.|…|[|<>{}]|\bVERB\b")
"""Of a form, not a command: what may stand there, or is left out."""


COMMAND = {name: typer.main.get_command(app) for name, app in APPS.items()}


def commands_of(text: str) -> Iterator[str]:
    """The lines of fenced blocks that call one of our commands, whole, and those within sentences."""
    for block in _FENCE.findall(text):
        for line in block.replace("\\\n", " ").splitlines():
            line = line.strip().removeprefix("$ ").removeprefix(".venv/bin/")
            if line.partition(" ")[0] in APPS:
                yield line
    for span in _SPAN.findall(_FENCE.sub("", text)):
        if not _PLACEHOLDER.search(span):
            yield span


COMMANDS = sorted({(path.name, line) for path in PAGES for line in commands_of(path.read_text(encoding="utf-8"))})


def test_there_are_commands_to_hold() -> None:
    assert len(COMMANDS) > 100
    assert {"README.md", "playing.md", "serving.md", "training.md"} <= {page for page, _ in COMMANDS}


@pytest.mark.parametrize(("page", "line"), COMMANDS)
def test_it_can_be_given(page: str, line: str) -> None:
    name, *arguments = shlex.split(line, comments=True)
    command: Any = COMMAND[name]
    path = [name]
    while hasattr(command, "commands") and arguments:
        verb = arguments.pop(0)
        if verb.startswith("-"):
            arguments.insert(0, verb)
            break
        assert verb in command.commands, f"{page}: {line}: no verb {verb}"
        command = command.commands[verb]
        path.append(verb)
    try:
        command.make_context(" ".join(path), arguments)
    except (typer.Exit, SystemExit):  # --help, --version, --install-completion
        pass
    except UsageError as error:
        assert type(error).__name__ in _NAMED_ONLY, f"{page}: {line}: {error}"
