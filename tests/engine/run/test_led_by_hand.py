"""A hand on MIDI through the whole worker: how soon its chord sounds, by positions, and who is asked after it."""

from __future__ import annotations

import pytest
from gigmate.engine.actions import ACTIONS, command_of
from gigmate.engine.charts.chart_parser import parse_chart
from gigmate.engine.commands import HandMessage, Panic, SetChart, SetOption
from gigmate.engine.config import EngineConfig
from gigmate.engine.gestures import Binding, BindingTable, Gesture
from gigmate.engine.harmony.chord_hand import ALL_UP, BETWEEN_S, TOGETHER_S
from gigmate.engine.player import Controls, Moment
from gigmate.engine.ports.port import Neighbours
from gigmate.engine.run.lookahead import PortFacts
from gigmate.engine.timing.conductor import Conductor

from ..fakes import Driven, FakePlayer

RATE_HZ = 48_000
C = (48, 52, 55)
E_FLAT = (51, 55, 58)


class Band:
    """A worker with a hand that leads; of every frame made, where it is heard in the input and what it was told."""

    def __init__(self, round_trip: int = 0, bindings: BindingTable | None = None, **options: object) -> None:
        self.player = FakePlayer()
        config = EngineConfig(
            start_playing=True, output_channels=(1,), wait_for_musician=False, bindings=bindings, when_silent="go_on"
        )
        self.driven = Driven(self.player, RATE_HZ, Conductor(float(RATE_HZ), 120.0), round_trip, config=config)
        self.worker = self.driven.worker
        self.worker.budget.update = lambda *_: False  # type: ignore[method-assign,assignment]
        self.told: list[tuple[int, Moment]] = []
        play = self.player.play

        def remembered(moment: Moment, controls: Controls) -> object:
            frame = self.worker._next - 1
            self.told.append((self.worker._playout.position(frame, 0), moment))
            return play(moment, controls)

        self.player.play = remembered  # type: ignore[method-assign,assignment]
        self.post(SetOption("chords", "midi"), *(SetOption(f"chords_{name}", word) for name, word in options.items()))
        self.run(8)

    def post(self, *commands: object) -> None:
        for command in commands:
            self.driven.commands.post(command)  # type: ignore[arg-type]

    def run(self, frames: int) -> None:
        self.driven.run(frames)

    def at(self, share: float, *keys: int, on: bool = True, jack: bool = True) -> int:
        """Keys at that share of the frame that comes next, which is then heard and answered; their position."""
        position = self.driven.bridge.position + round(share * self.worker.host_frame)
        status = 0x90 if on else 0x80
        self.driven.callback()
        if jack:
            self.worker.command_handler.take_midi([(position, status, key, 80) for key in keys])
        else:
            self.post(*(HandMessage(status, key, 80, position, "piano") for key in keys))
        self.driven.step()
        return position

    def first_told(self, root: int, since: int) -> int:
        """Where the first frame is heard that was told that root, of those made since there were so many."""
        return next(position for position, moment in self.told[since:] if moment.chord_root == root)

    @property
    def root(self) -> int:
        return self.told[-1][1].chord_root


@pytest.mark.parametrize("jack", [True, False], ids=["jack", "rtmidi"])
@pytest.mark.parametrize("round_trip", [0, 700])
def test_a_chord_sounds_within_one_look_ahead(jack: bool, round_trip: int) -> None:
    """Wherever in a frame the keys go down: the first frame that is made then has it, from its first sample on."""
    band = Band(round_trip)
    ahead = band.worker.budget.ahead_samples
    for place, share in enumerate((0.0, 0.01, 0.3, 0.5, 0.77, 0.99)):
        keys, root = ((C, 0), (E_FLAT, 3))[place % 2]
        since = len(band.told)
        struck = band.at(share, *keys, jack=jack)
        band.run(4)
        assert 0 < band.first_told(root, since) - struck <= ahead
        band.at(0.0, *keys, on=False, jack=jack)
        band.run(4)


def test_one_key_sounds_a_frame_after_the_rest_of_the_hand_could_have_come() -> None:
    band = Band()
    most = band.worker.budget.ahead_samples + TOGETHER_S * RATE_HZ + band.worker.host_frame
    since = len(band.told)
    struck = band.at(0.4, 50)
    band.run(8)
    late = band.first_told(2, since) - struck
    assert TOGETHER_S * RATE_HZ < late <= most


def test_the_status_says_who_leads_and_how() -> None:
    band = Band(split=59)
    assert (band.worker.status.hand, band.worker.status.chord_source) == ("latched, B3 and down", "")
    band.at(0.2, 52, 55, 60 - 12)
    band.run(2)
    status = band.worker.status
    assert (status.chord_played, status.chord_source) == ("C", "hand")
    band.post(SetOption("chords", "auto"), SetChart(parse_chart("| Bb7 |")))
    band.run(2)
    status = band.worker.status
    assert (status.hand, status.chord_played, status.chord_source) == ("", "Bb7", "chart")


def test_held_the_chart_has_its_word_again_when_the_hand_is_up() -> None:
    band = Band(hold="held")
    band.post(SetChart(parse_chart("| Bb7 |")))
    band.run(2)
    assert band.root == 10
    band.at(0.0, *C)
    band.run(4)
    assert band.root == 0
    band.at(0.0, *C, on=False)
    assert band.root == 0, "a hand on its way to the next chord"
    band.run(2 + round(BETWEEN_S * RATE_HZ / band.worker.host_frame))
    assert band.root == 10


def test_latched_it_stays_until_panic() -> None:
    band = Band()
    band.at(0.0, *C)
    band.at(0.0, *C, on=False)
    band.run(40)
    assert band.root == 0
    band.post(Panic())
    band.run(10)
    assert band.worker.command_handler.hand.chord is None
    assert band.worker.status.hand == "latched", "and it goes on leading with the next chord"


def test_a_port_that_goes_takes_its_keys_along() -> None:
    band = Band(hold="held")
    band.driven.facts = PortFacts(0, 0, 128, midi_in_from=Neighbours(devices=True))
    band.run(40)  # the worker looks at its port now and then
    band.at(0.0, *C)
    band.run(4)
    assert band.root == 0
    band.driven.facts = PortFacts(0, 0, 128)
    band.run(60)
    assert band.worker.command_handler.hand.chord is None
    band.at(0.0, *E_FLAT, jack=False)
    band.run(4)
    assert band.root == 3
    band.post(HandMessage(ALL_UP, device="piano"))
    band.run(10)
    assert band.worker.command_handler.hand.chord is None


def test_a_key_that_is_bound_leads_no_chord() -> None:
    table = BindingTable([Binding(Gesture("note", 58), ACTIONS["fill"])])
    band = Band(bindings=table)
    band.at(0.0, 48, 52, 55, 58)
    assert band.worker.command_handler.hand.chord is not None
    assert band.worker.command_handler.hand.chord.name == "C"


def test_it_is_switched_by_the_actions_of_pedals_osc_and_page() -> None:
    band, words = Band(), []
    for name, values in (
        ("latch", {}), ("latch", {"on": 1}), ("split", {}), ("split", {"note": 60}), ("by_hand", {"on": False}),
        ("by_hand", {}),
    ):  # fmt: skip
        band.post(command_of(name, values))
        band.run(1)
        words.append(band.worker.status.hand)
    assert words == ["held", "latched", "press the split key", "latched, C4 and down", "", "latched, C4 and down"]
    band.post(SetOption("chords_hold", "never"))
    band.run(1)
    assert any("held or latched" in line for line in band.worker.status.warnings)
