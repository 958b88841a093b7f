"""--output: main, parts and the click, and what cannot be."""

from __future__ import annotations

import pytest
from gigmate.cli import boundary, main
from gigmate.cli.live.outputs import parse_outputs
from gigmate.engine.buses import BusLayout
from gigmate.engine.errors import ConfigError


@pytest.mark.parametrize(
    ("given", "click", "layout"),
    [
        ([], None, BusLayout((1, 2))),
        (["3"], None, BusLayout((3,))),
        (["3, 4"], "7", BusLayout((3, 4), click=(7,))),
        (["main=3,4", "drums=5,6"], None, BusLayout((3, 4), (("drums", (5, 6)),))),
        (["keys=8", "3,4", "bass=7"], "1,2", BusLayout((3, 4), (("keys", (8,)), ("bass", (7,))), (1, 2))),
        (["drums=3,4"], None, BusLayout((1, 2), (("drums", (3, 4)),))),
    ],
)
def test_what_was_asked_for(given: list[str], click: str | None, layout: BusLayout) -> None:
    assert parse_outputs(given, click) == layout


WRONG = [
    (["--output", "1,2", "--output", "3,4"], "--output 1,2 and 3,4: give the band's own outputs once"),
    (["--output", "flute=3"], "--output flute=: there is no part 'flute': the parts are drums, bass, keys"),
    (["--output", "drums=3,4,5"], "--output drums=3,4,5: a part has one output, or two for left and right"),
    (["--output", "drums=2"], "--output gives channel 2 to both main and drums"),
    (["--output", "drums=3", "--output", "bass=3"], "--output gives channel 3 to both drums and bass"),
    (["--output", "drums="], "--output drums: : give channels as numbers"),
    (["--output", "drums=x"], "--output drums: x: give channels as numbers from 1, such as 1 or 1,2"),
    (["--output", "3,3"], "one is given twice"),
]


@pytest.mark.parametrize(("arguments", "words"), WRONG)
def test_what_cannot_be_is_one_line(arguments: list[str], words: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert boundary.run(main.app, "gigmate", ["live", *arguments]) == 2
    said = capsys.readouterr().err.strip()
    assert words in said
    assert "\n" not in said
    assert boundary.run(main.app, "gigmate", ["play", "ws://127.0.0.1:1", *arguments]) == 2
    assert words in capsys.readouterr().err


def test_the_click_keeps_off_the_bands_outputs() -> None:
    with pytest.raises(ConfigError, match="--click-output 3: the band plays there"):
        parse_outputs(["drums=3"], "3")
