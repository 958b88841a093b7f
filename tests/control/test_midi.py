"""The pedal: one toggle for one press, whatever the messages around it."""

from __future__ import annotations

import pytest
from gigmate.control.midi import MidiError, PedalSwitch, parse_pedal
from gigmate.engine.commands import Toggle


@pytest.mark.parametrize(
    ("text", "pedal"),
    [("CC64", ("cc", 64)), ("note36", ("note", 36)), (" Cc 0 ", ("cc", 0)), ("CC:127", ("cc", 127))],
)
def test_pedal_names(text: str, pedal: tuple[str, int]) -> None:
    assert parse_pedal(text) == pedal


@pytest.mark.parametrize("text", ["", "64", "CC", "CC128", "CC-1", "NOTE999", "PC3", "CC6x", "CC64,CC65"])
def test_pedal_names_that_are_none(text: str) -> None:
    with pytest.raises(MidiError, match="CC64 or NOTE36"):
        parse_pedal(text)


def presses(pedal: tuple[str, int], messages: list[tuple[float, list[int]]]) -> int:
    switch = PedalSwitch(pedal)
    commands = [switch.feed(message, at_s) for at_s, message in messages]
    assert all(command in (None, Toggle()) for command in commands)
    return sum(command is not None for command in commands)


def test_a_momentary_pedal_toggles_once_per_step() -> None:
    messages = [(t * 0.5 + d, [0xB0, 64, v]) for t in range(4) for d, v in ((0.0, 127), (0.2, 0))]
    assert presses(("cc", 64), messages) == 4


def test_a_swept_controller_presses_once() -> None:
    assert presses(("cc", 11), [(i * 0.001, [0xB3, 11, i]) for i in range(128)]) == 1


def test_a_bouncing_contact_presses_once() -> None:
    messages = [
        (0.0, [0xB0, 64, 127]),
        (0.004, [0xB0, 64, 0]),
        (0.008, [0xB0, 64, 127]),
        (0.5, [0xB0, 64, 0]),
    ]
    assert presses(("cc", 64), messages) == 1


def test_notes_end_by_note_off_or_by_velocity_0() -> None:
    messages = [
        (0.0, [0x99, 36, 100]),
        (0.2, [0x99, 36, 0]),
        (0.5, [0x90, 36, 1]),
        (0.7, [0x80, 36, 64]),
        (1.0, [0x90, 36, 90]),
    ]
    assert presses(("note", 36), messages) == 3


@pytest.mark.parametrize(
    "message", [[], [0xF8], [0xB0, 64], [0xB0, 65, 127], [0x90, 64, 127], [0xE0, 64, 127], [0xC0, 64]]
)
def test_other_messages_do_nothing(message: list[int]) -> None:
    assert presses(("cc", 64), [(0.0, message)]) == 0
