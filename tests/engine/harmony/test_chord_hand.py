"""A hand on MIDI keys, scripted: rolled, overlapping, staggered, latched or held, and note-offs that never come."""

from __future__ import annotations

import random

import pytest
from gigmate.engine.errors import ConfigError
from gigmate.engine.harmony.chord_hand import ALL_UP, BETWEEN_S, FORGOTTEN_S, TOGETHER_S, ChordHand

RATE_HZ = 48_000.0
C, F, G7 = (48, 52, 55), (53, 57, 60), (55, 59, 62, 65)


class Player:
    """A hand and its keyboard; `at` in seconds. Time passes in steps of 5 ms, as the worker looks."""

    def __init__(self, **options: object) -> None:
        self.hand = ChordHand(RATE_HZ)
        self.hand.set_option("chords", "midi")
        for name, value in options.items():
            self.hand.set_option(f"chords_{name}", value)
        self.now_s = 0.0

    def until(self, at_s: float) -> str:
        """Let time pass; the chord at the end of it."""
        while self.now_s < at_s:
            self.now_s = min(at_s, self.now_s + 0.005)
            self.hand.turn(self.now_s * RATE_HZ)
        return self.chord

    @property
    def chord(self) -> str:
        return "" if self.hand.chord is None else self.hand.chord.name

    def press(self, at_s: float, *keys: int, channel: int = 1, device: str = "") -> str:
        self.until(at_s)
        for key in keys:
            self.hand.message(0x90 | channel - 1, key, 90, at_s * RATE_HZ, device)
        return self.until(at_s)

    def lift(self, at_s: float, *keys: int, channel: int = 1) -> str:
        self.until(at_s)
        for key in keys:
            self.hand.message(0x80 | channel - 1, key, 0, at_s * RATE_HZ)
        return self.until(at_s)

    def say(self, at_s: float, status: int, number: int = 0, value: int = 0, device: str = "") -> str:
        self.until(at_s)
        self.hand.message(status, number, value, at_s * RATE_HZ, device)
        return self.until(at_s)


def test_a_whole_chord_counts_at_once() -> None:
    player = Player()
    assert player.press(1.0, *C) == "C"


def test_a_rolled_hand_is_one_chord() -> None:
    """Each order, over 45 ms: what it comes to is the whole, and nothing else is heard after it."""
    order = random.Random(3)
    for _ in range(30):
        player, keys = Player(), list(G7)
        order.shuffle(keys)
        for place, key in enumerate(keys):
            player.press(1.0 + 0.015 * place, key)
        assert player.until(1.0 + TOGETHER_S + 0.001) == "G7"
        assert player.until(3.0) == "G7"


def test_one_or_two_keys_wait_for_the_rest_of_the_hand() -> None:
    player = Player()
    assert player.press(1.0, 48, 55) == ""
    assert player.until(1.0 + TOGETHER_S - 0.002) == ""
    assert player.until(1.0 + TOGETHER_S) == "C5"
    assert player.press(1.5, 52) == "C5"
    assert player.until(1.5 + TOGETHER_S) == "C"


def test_a_stab_shorter_than_the_wait_counts() -> None:
    player = Player()
    player.press(1.0, 50)
    player.lift(1.02, 50)
    assert player.until(1.1) == "D5"


def test_a_hand_that_overlaps_the_last_is_the_new_chord() -> None:
    """The keys before leave 30 ms later, or 90: no third chord is heard that has the tones of neither alone."""
    player = Player()
    player.press(1.0, *C)
    assert player.press(2.0, *F) == "C"
    assert player.lift(2.03, *C) == "F", "once the others have left there is nothing to wait for"
    player = Player()
    player.press(1.0, *C)
    player.press(2.0, 62, 66, 69)
    player.until(2.09)
    assert player.lift(2.09, *C) != ""
    assert player.until(2.2) == "D"


def test_keys_are_let_go_unevenly_and_nothing_happens() -> None:
    player = Player()
    player.press(1.0, 57, 60, 64, 67)
    player.lift(2.0, 57)
    player.lift(2.03, 67)
    player.lift(2.1, 60)
    assert player.until(3.0) == "Am7"


def test_what_is_left_of_a_chord_is_one_where_three_tones_stay() -> None:
    player = Player()
    player.press(1.0, 48, 52, 55, 58)
    assert player.lift(2.0, 58) == "C7"
    assert player.until(2.0 + TOGETHER_S) == "C"


def test_latched_it_stays_and_held_it_goes_with_the_last_key() -> None:
    latched, held = Player(), Player(hold="held")
    for player in (latched, held):
        player.press(1.0, *C)
        player.lift(2.0, *C)
    assert latched.until(60.0) == "C"
    assert held.until(2.0 + BETWEEN_S - 0.01) == "C", "a hand on its way to the next chord"
    assert held.until(2.0 + BETWEEN_S) == ""
    assert held.press(4.0, *F) == "F"


def test_a_hand_that_goes_on_soon_leaves_no_gap() -> None:
    player = Player(hold="held")
    player.press(1.0, *C)
    player.lift(2.0, *C)
    seen = {player.until(2.0 + 0.005 * step) for step in range(25)}
    player.press(2.13, *F)
    assert seen == {"C"}
    assert player.until(4.0) == "F"


def test_turning_the_latch_off_lets_go_of_what_no_key_holds() -> None:
    player = Player()
    player.press(1.0, *C)
    player.lift(2.0, *C)
    player.until(4.0)
    player.hand.set_option("chords_hold", "turn")
    assert player.until(4.01) == ""


def test_the_sustain_pedal_holds_a_chord() -> None:
    player = Player(hold="held")
    player.press(1.0, *C)
    player.say(1.5, 0xB0, 64, 127)
    player.lift(2.0, *C)
    assert player.until(5.0) == "C"
    player.say(5.0, 0xB0, 64, 0)
    assert player.until(5.2) == ""


@pytest.mark.parametrize(("status", "number"), [(0xB0, 123), (0xB0, 120), (0xB0, 126), (ALL_UP, 0)])
def test_note_offs_that_never_come(status: int, number: int) -> None:
    """All notes off, and a port that goes, end what no note-off did."""
    player = Player(hold="held")
    player.press(1.0, *C, device="" if status != ALL_UP else "piano")
    assert player.until(9.0) == "C"
    player.say(9.0, status, number, device="" if status != ALL_UP else "piano")
    assert player.until(9.2) == ""
    assert player.press(10.0, *F) == "F", "and the next chord is free of them"


def test_another_port_that_goes_takes_nothing_along() -> None:
    player = Player(hold="held")
    player.press(1.0, *C, device="piano")
    player.say(2.0, ALL_UP, device="pedal")
    assert player.until(3.0) == "C"


def test_a_key_that_hangs_is_forgotten() -> None:
    player = Player()
    player.press(1.0, 61)
    at_s = 1.0 + FORGOTTEN_S + 0.1
    assert player.press(at_s, *C) == "C"


def test_panic_lets_go_of_everything() -> None:
    player = Player()
    player.press(1.0, *C)
    player.hand.let_go()
    assert player.until(3.0) == ""
    assert player.lift(3.0, *C) == ""
    assert player.press(4.0, *F) == "F"


def test_the_split_keeps_the_melody_out() -> None:
    player = Player(split=59)
    player.press(1.0, *C)
    player.press(2.0, 72)
    player.press(2.5, 73, 75, 77)
    assert player.until(4.0) == "C"
    assert player.hand.words == "latched, B3 and down"
    above = Player(split=60, side="above")
    assert above.press(1.0, 60, 64, 67, 45) == "C"
    assert above.hand.words == "latched, C4 and up"


def test_the_split_is_learnt_from_the_next_key() -> None:
    player = Player(split="learn")
    assert player.hand.words == "press the split key"
    player.press(1.0, 56)
    assert (player.hand.settings.split, player.hand.learning) == (56, False)
    player.lift(1.2, 56)
    assert player.until(2.0) == "", "the key that said it is no chord"
    assert player.press(3.0, *C, 57) == "C"
    player.hand.set_option("chords_split", "all")
    assert player.hand.settings.split is None


def test_one_channel_leads() -> None:
    player = Player(channel=2)
    player.press(1.0, *F, channel=1)
    assert player.until(2.0) == ""
    assert player.press(2.5, *C, channel=2) == "C"


def test_a_guitar_sends_each_string_on_its_own_channel() -> None:
    player = Player()
    for string, key in enumerate((40, 47, 52, 56, 59, 64)):
        player.press(1.0 + 0.008 * string, key, channel=string + 1)
    assert player.until(1.1) == "E"
    for string, key in enumerate((40, 47, 52, 56, 59, 64)):
        player.lift(2.0, key, channel=string + 1)
    assert player.press(2.1, 45, 52, 57, 60, 64) == "Am"


def test_off_it_hears_nothing() -> None:
    player = Player()
    player.press(1.0, *C)
    player.hand.set_option("chords", "auto")
    assert (player.until(1.1), player.hand.words) == ("", "")
    player.press(2.0, *F)
    player.hand.set_option("chords", "turn")
    assert player.until(3.0) == ""
    assert player.hand.words == "latched"


def test_any_bytes_are_taken() -> None:
    rng = random.Random(5)
    player = Player()
    for step in range(3000):
        player.say(0.01 * step, rng.randrange(256), rng.randrange(128), rng.randrange(128))


@pytest.mark.parametrize(
    ("name", "value"),
    [("chords", "ear"), ("chords_hold", "never"), ("chords_split", 128), ("chords_split", "C4"), ("chords_channel", 17),
     ("chords_side", 1), ("chords_channel", True)],
)  # fmt: skip
def test_what_cannot_be_is_said_and_changes_nothing(name: str, value: object) -> None:
    hand = ChordHand(RATE_HZ)
    before = hand.settings
    with pytest.raises(ConfigError, match=name.removeprefix("chords_")):
        hand.set_option(name, value)
    assert (hand.settings, hand.on) == (before, False)
