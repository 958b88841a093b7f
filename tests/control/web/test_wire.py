"""Messages: every action by its name, every field of the snapshot, and one line for whatever is neither."""

from __future__ import annotations

import dataclasses
import json
import math

import pytest
from gigmate.control.web import web_messages
from gigmate.control.web.web_messages import WireError
from gigmate.engine.actions import ACTIONS, PARTS
from gigmate.engine.commands import (
    Command,
    CountIn,
    SelectSong,
    SetLevel,
    SetMute,
    Start,
)
from gigmate.engine.status import Status
from hypothesis import given
from hypothesis import strategies as st


def taken(text: str | bytes) -> Command:
    return web_messages.command_from(*web_messages.read(text))


@pytest.mark.parametrize(
    ("text", "command"),
    [
        ('{"do": "start"}', Start()),
        ('{"do": "count_in", "bars": 2}', CountIn(2)),
        ('{"do": "level", "part": "bass", "value": -6}', SetLevel("bass", -6.0)),
        ('{"do": "level", "part": "bass", "value": "off"}', SetLevel("bass", -math.inf)),
        ('{"do": "mute", "part": "keys"}', SetMute("keys", None)),
        ('{"do": "mute", "part": "keys", "muted": true}', SetMute("keys", True)),
        ('{"do": "song", "number": 3}', SelectSong(3)),
    ],
)
def test_commands(text: str, command: Command) -> None:
    assert taken(text) == command


@pytest.mark.parametrize(
    ("text", "words"),
    [
        (b'{"do": "start"}', "binary"),
        ("", "JSON"),
        ("[" * 1000, "JSON"),
        ("[1]", '"do"'),
        ('{"do": 5}', '"do"'),
        ('{"do": "strat"}', "did you mean start?"),
        ('{"do": "level"}', "part"),
        ('{"do": "level", "part": "kazoo", "value": 0}', "drums, bass or keys"),
        ('{"do": "level", "part": "bass", "value": NaN}', "dB"),
        ('{"do": "level", "part": "bass", "value": 1e999}', "dB"),
        ('{"do": "level", "part": "bass", "value": [1]}', "dB"),
        ('{"do": "start", "at_sample": 5}', "takes nothing"),
        ('{"do": "quit"}', "no action"),
    ],
)
def test_what_is_no_command_is_answered_in_a_line(text: str | bytes, words: str) -> None:
    with pytest.raises(WireError, match=words.replace("?", r"\?")) as caught:
        taken(text)
    assert "\n" not in str(caught.value)


_VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=6,
)


@given(
    name=st.sampled_from(sorted(ACTIONS)) | st.text(max_size=20),
    arguments=st.dictionaries(
        st.sampled_from(["part", "value", "bars", "name", "number", "muted"]) | st.text(max_size=8), _VALUES, max_size=4
    ),
)
def test_anything_is_a_command_or_a_line(name: str, arguments: dict[str, object]) -> None:
    text = json.dumps({**arguments, "do": name})
    try:
        taken(text)
    except WireError as error:
        assert "\n" not in str(error)


def test_a_snapshot_holds_every_field_and_no_infinity() -> None:
    status = Status(state="playing", input_db=-math.inf, output_db=math.nan, warnings=("slow: larger block",))
    values = json.loads(web_messages.status_text(status), parse_constant=lambda name: pytest.fail(name))
    assert {field.name for field in dataclasses.fields(Status)} <= set(values)
    assert (values["type"], values["words"], values["on"]) == ("status", "PLAYING", True)
    assert values["warnings"] == ["slow: larger block"]
    assert len(web_messages.status_text(status)) < 2000


def test_hello_and_lists() -> None:
    lists = {"presets": [{"name": "rock", "title": "Rock"}], "songs": (), "sections": ("A",)}
    values = json.loads(web_messages.hello(lists))
    assert values["parts"] == list(PARTS) and values["version"] == web_messages.VERSION and values["sections"] == ["A"]
    assert json.loads(web_messages.lists_text(lists))["type"] == "lists"
