"""Actions: names and arguments of any type become commands, or one line that says what to write."""

from __future__ import annotations

import math
from typing import Any

import pytest
from gigmate.engine import commands as c
from gigmate.engine.actions import (
    ACTIONS,
    OFF_DB,
    ActionError,
    action_named,
    command_of,
)
from gigmate.engine.errors import ConfigError
from gigmate.engine.loops.loop_mix import LoopMix
from gigmate.engine.output.band_levels import BandLevels
from gigmate.engine.output.band_mix import BandMix
from gigmate.engine.output.mixer import controls_after
from gigmate.engine.player import Controls
from hypothesis import given, settings
from hypothesis import strategies as st


@pytest.mark.parametrize(
    ("name", "values", "command"),
    [
        ("start", {}, c.Start(7)),
        ("tap", {}, c.Tap(7)),
        ("fill", {}, c.Fill()),
        ("count_in", {}, c.CountIn(1)),
        ("count_in", {"bars": "2"}, c.CountIn(2)),
        ("level", {"part": "bass", "value": "-6"}, c.SetLevel("bass", -6.0)),
        ("band_level", {"value": -6}, c.SetBandLevel(-6.0)),
        ("band_level", {"value": "off"}, c.SetBandLevel(OFF_DB)),
        ("nothing", {}, c.Nothing()),
        ("level", {"part": "bass", "value": "off"}, c.SetLevel("bass", OFF_DB)),
        ("level", {"part": "bass", "value": False}, c.SetLevel("bass", OFF_DB)),
        ("mute", {"part": "keys"}, c.SetMute("keys", None)),
        ("mute", {"part": "keys", "muted": 1.0}, c.SetMute("keys", True)),
        ("mute", {"part": "keys", "muted": None}, c.SetMute("keys", None)),
        ("tempo", {"tempo_bpm": 120}, c.SetTempo(120.0)),
        ("style", {"name": "funk"}, c.SetControl("style", "funk")),
        ("previous_song", {}, c.StepSong(-1)),
        ("section", {}, c.JumpSection("")),
    ],
)
def test_words_become_commands(name: str, values: dict[str, Any], command: c.Command) -> None:
    assert command_of(name, values, at_sample=7) == command


@pytest.mark.parametrize(
    ("name", "values", "words"),
    [
        ("strt", {}, r"no action 'strt' \(did you mean start\?\): actions are start, stop"),
        ("fill", {"bars": 1}, "fill has no 'bars': it takes nothing"),
        ("mute", {}, "mute needs part: drums, bass or keys"),
        ("mute", {"part": "drum"}, "part 'drum': give drums, bass or keys"),
        ("count_in", {"bars": 3}, "bars 3: give a whole number from 1 to 2"),
        ("count_in", {"bars": 1.5}, "bars 1.5: give a whole number"),
        ("level", {"part": "bass", "value": math.nan}, "give dB from -60 to 12, or off"),
        ("level", {"part": "bass", "value": math.inf}, "give dB from -60 to 12, or off"),
        ("density", {"value": "much"}, "value 'much': give a number from 0 to 1"),
        ("density", {"value": -math.inf}, "give a number from 0 to 1"),
        ("time_source", {"name": "sun"}, "auto, link, transport, midi_clock, mtc, tap, listener"),
        ("preset", {"name": "a\nb"}, "give a name"),
        ("song", {"number": 10**400}, "give a whole number"),
        ("song", {"number": [1]}, "give a whole number"),
    ],
)
def test_what_cannot_be_is_one_line(name: str, values: dict[str, Any], words: str) -> None:
    with pytest.raises(ActionError, match=words) as caught:
        command_of(name, values)
    assert "\n" not in str(caught.value)
    assert isinstance(caught.value, ConfigError)


def test_what_a_controller_sweeps_the_engine_takes() -> None:
    for action in ACTIONS.values():
        if action.sweep is not None:
            argument = action.argument("value")
            for value in (*action.sweep, argument.low, argument.high):
                command = action.command({"value": value, **({"part": "bass"} if action.takes("part") else {})})
                if isinstance(command, c.SetBandLevel):
                    BandLevels().set_band(command.level_db)
                    continue
                if isinstance(command, c.SetMix):
                    BandMix().set(command.part, command.name, command.value)
                    continue
                if isinstance(command, c.SetLoop):
                    LoopMix().set(command)
                    continue
                assert isinstance(controls_after(Controls(), command), Controls)  # type: ignore[arg-type]


def test_names_and_texts_are_fit_for_a_table() -> None:
    for name, action in ACTIONS.items():
        assert action is action_named(name)
        assert name.isidentifier()
        assert name == name.lower()
        assert "|" not in action.text
        required = [argument.optional for argument in action.arguments]
        assert required == sorted(required), "what may be left out comes last"


@settings(max_examples=150, deadline=None)
@given(
    st.one_of(st.sampled_from(list(ACTIONS)), st.text(max_size=8)),
    st.dictionaries(
        st.one_of(st.sampled_from(["part", "value", "name", "number", "bars", "muted", "tempo_bpm"]), st.text()),
        st.one_of(st.none(), st.booleans(), st.integers(), st.floats(), st.text(), st.binary(), st.lists(st.none())),
        max_size=3,
    ),
)
def test_anything_is_a_command_or_an_action_error(name: str, values: dict[str, Any]) -> None:
    try:
        command = command_of(name, values)
    except ActionError:
        return
    for value in (getattr(command, field) for field in command.__dataclass_fields__):
        assert not (isinstance(value, float) and math.isnan(value))
