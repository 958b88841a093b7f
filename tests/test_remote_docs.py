"""docs/remote.md says what the remote does: every action, as it is, with an example that is one."""

from __future__ import annotations

import re
from pathlib import Path

from gigmate.control.web import web_messages
from gigmate.control.web.client_limits import WebLimits
from gigmate.engine.actions import ACTIONS

ROOT = Path(__file__).resolve().parents[1]
TEXT = (ROOT / "docs" / "remote.md").read_text(encoding="utf-8")


def test_the_table_is_that_of_the_actions() -> None:
    rows = re.findall(r"^\| `(\w+)` \| (.+?) \| (.+?) \| `(\{.+?\})` \|$", TEXT, re.M)
    assert [name for name, *_ in rows] == list(ACTIONS)
    for name, arguments, text, example in rows:
        action = ACTIONS[name]
        said = "; ".join(
            f"`{argument.name}`: {argument.text}" + (" (may be left out)" if argument.optional else "")
            for argument in action.arguments
        )
        assert arguments == (said or "none")
        assert text == action.text
        asked, values = web_messages.read(example)
        assert asked == name
        assert web_messages.command_from(asked, values) is not None
        assert list(values) == [argument.name for argument in action.arguments]


def test_the_limits_are_as_said() -> None:
    limits = WebLimits()
    assert (limits.clients, limits.message_bytes, limits.messages_each_s, limits.bytes_each_s) == (
        8,
        1024,
        40,
        32 * 1024,
    )
    assert (limits.snapshots_each_s, limits.wrong_token_s, limits.late_s) == (20, 1, 2.5)


def test_its_pictures_are_there_and_small() -> None:
    pictures = sorted((ROOT / "docs" / "pictures").iterdir())
    assert {path.name for path in pictures} >= {"page.png", "page-lists.png", "terminal.svg", "terminal.png"}
    assert all(path.stat().st_size < 150_000 for path in pictures)
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    for name in ("page.png", "terminal.png"):
        assert f"docs/pictures/{name}" in readme
