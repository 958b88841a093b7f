"""Which output plays what, and what cannot be."""

from __future__ import annotations

import pytest
from gigmate.engine.buses import BusLayout, check_buses
from gigmate.engine.config import EngineConfig
from gigmate.engine.errors import ConfigError


def test_each_output_plays_its_row() -> None:
    layout = BusLayout((3, 4), (("drums", (5, 6)), ("bass", (7,))), click=(8,))
    assert layout.channels == (3, 4, 5, 6, 7, 8)
    assert layout.rows == 5
    assert layout.output_rows == (0, 1, 2, 3, 4, 5)
    assert layout.first_rows == (0, 2, 4, 5)
    assert layout.port_names == ("output_3", "output_4", "drums_1", "drums_2", "bass_1", "click_8")


def test_each_part_is_heard_on_its_own_outputs_or_those_of_main() -> None:
    layout = BusLayout((3, 4), (("drums", (5, 6)), ("bass", (7,))), click=(8,))
    assert layout.outputs_of(("drums", "bass", "keys")) == ("5,6", "7", "3,4")


@pytest.mark.parametrize(
    ("main", "rows"), [((1,), (0,)), ((2, 1), (0, 1)), ((1, 2, 3), (0, 1, 0)), ((5, 6, 7, 8), (0, 1, 0, 1))]
)
def test_main_is_mono_on_one_output_and_left_and_right_by_turns_on_more(
    main: tuple[int, ...], rows: tuple[int, ...]
) -> None:
    assert BusLayout(main).output_rows == rows


@pytest.mark.parametrize(
    ("layout", "words"),
    [
        (BusLayout((1, 1)), "--output names a channel twice: 1,1"),
        (BusLayout(()), "--output takes channels counted from 1: none given"),
        (BusLayout((0,)), "counted from 1: 0 given"),
        (
            BusLayout(parts=(("flute", (3,)),)),
            "--output flute=: there is no part 'flute': the parts are drums, bass, keys",
        ),
        (BusLayout(parts=(("drums", (3, 4, 5)),)), "--output drums=3,4,5: a part has one output, or two"),
        (BusLayout(parts=(("drums", (3, 3)),)), "--output drums names a channel twice"),
        (BusLayout(parts=(("drums", (3,)), ("drums", (4,)))), "--output drums=... is given twice"),
        (BusLayout(parts=(("drums", (2, 3)),)), "channel 2 to both main and drums"),
        (BusLayout(parts=(("drums", (3,)), ("keys", (3,)))), "channel 3 to both drums and keys"),
        (BusLayout(parts=(("drums", (3,)),), click=(3,)), "--click-output 3: the band plays there"),
        (BusLayout(click=(3, 3)), "--click-output 3,3: give channels"),
    ],
)
def test_outputs_that_cannot_be_are_said_in_one_line(layout: BusLayout, words: str) -> None:
    with pytest.raises(ConfigError) as caught:
        check_buses(layout)
    assert words in str(caught.value)
    assert "\n" not in str(caught.value)
    with pytest.raises(ConfigError):
        EngineConfig(output_channels=layout.main, part_outputs=layout.parts, click_channels=layout.click)


def test_a_config_says_its_buses() -> None:
    config = EngineConfig(output_channels=(3, 4), part_outputs=(("keys", (1,)),), click_channels=(2,))
    assert config.buses == BusLayout((3, 4), (("keys", (1,)),), (2,))
    assert config.played_channels == (3, 4, 1, 2)
