"""A manual page out of a command's help, in the language of man(7). Pure functions, any thread.

click-man, which does this for click, reads click's own classes; typer has had others inside itself since 0.16.
"""

from __future__ import annotations

import textwrap
from collections.abc import Iterator
from typing import Any

import typer

_FILES = (
    ("~/.config/gigmate/config.yaml", "Options given once and for all: `gigmate config --keys` lists them."),
    ("~/.config/gigmate/bindings.yaml", "Pedals and keys: `gigmate midi-learn` writes it."),
    ("~/.config/gigmate/songs, presets", "Songs that were learnt, and presets of your own."),
)
_EXIT = (
    ("0", "done"),
    ("1", "something failed that can be mended: the line on the terminal says how"),
    ("2", "the request itself is wrong: an option, a channel, a preset"),
    ("128+N", "ended by signal N"),
)
_ENVIRONMENT = (
    ("GIGMATE_CONFIG_DIR", "The folder of config.yaml, bindings, presets and songs, instead of ~/.config/gigmate."),
    ("GIGMATE_DEBUG", "Not 0: print the traceback before the line that says what is wrong."),
)


def man_page(app: typer.Typer, prog: str, version: str) -> str:
    """The page of that program, with all of its verbs; it ends in a line break."""
    command: Any = typer.main.get_command(app)
    context = command.make_context(prog, [], resilient_parsing=True)
    about, _, more = (command.help or "").strip().partition("\n")
    lines = [
        f'.TH {prog.upper()} 1 "" "gigmate {version}" "User Commands"',
        ".SH NAME",
        f"{_text(prog)} \\- {_text(about.rstrip('.'))}",
        ".SH SYNOPSIS",
        _usage(command, context, prog),
        *([".SH DESCRIPTION", *_paragraphs(more)] if more.strip() else ()),
    ]
    verbs = list(_verbs(command, context, prog))
    if verbs:
        lines.append(".SH COMMANDS")
        for name, verb, inner in verbs:
            lines += [f".SS {_text(name)}", _usage(verb, inner, name), ".PP", *_paragraphs(verb.help or "")]
            lines += _options(verb, inner)
    options = _options(command, context)
    if options:
        lines += [".SH OPTIONS", *options]
    for title, rows in (("EXIT STATUS", _EXIT), ("ENVIRONMENT", _ENVIRONMENT), ("FILES", _FILES)):
        lines.append(f".SH {title}")
        lines += [line for name, text in rows for line in _entry(name, text)]
    return "\n".join(lines) + "\n"


def _verbs(command: Any, context: Any, prog: str) -> Iterator[tuple[str, Any, Any]]:
    """Every verb, and those of groups, each with its whole name and context."""
    for name, verb in getattr(command, "commands", {}).items():
        if verb.hidden:
            continue
        whole = f"{prog} {name}"
        inner = verb.make_context(name, [], parent=context, resilient_parsing=True)
        yield whole, verb, inner
        yield from _verbs(verb, inner, whole)


def _usage(command: Any, context: Any, name: str) -> str:
    return f".B {_text(name)}\n{_text(' '.join(command.collect_usage_pieces(context)))}"


def _options(command: Any, context: Any) -> list[str]:
    """Arguments and options with their help, as `--help` has them."""
    records = [param.get_help_record(context) for param in command.get_params(context)]
    return [line for record in records if record is not None for line in _entry(*record)]


def _entry(name: str, text: str) -> list[str]:
    return [".TP", f"\\fB{_text(name)}\\fR", *([_text(" ".join(text.split()))] if text.strip() else [])]


def _paragraphs(text: str) -> list[str]:
    whole = textwrap.dedent(text).strip()
    found = [_text(" ".join(one.split())) for one in whole.split("\n\n") if one.strip()]
    return [line for n, one in enumerate(found) for line in ([".PP"] if n else []) + [one]]


def _text(text: str) -> str:
    """As man(7) has to have it: no letter of it is a command."""
    plain = text.replace("\\", "\\e").replace("-", "\\-")
    plain = "".join(letter if letter.isascii() else f"\\[u{ord(letter):04X}]" for letter in plain)
    return f"\\&{plain}" if plain[:1] in (".", "'") else plain
