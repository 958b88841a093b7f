"""What is asked by hand is what the shipped band plays, whatever runs it: rests, hits, a register left free."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache

import numpy as np
import pytest
from gigmate.engine.hand import FREE_HAND, Hand, PartHand, all_parts
from gigmate.engine.player import PARTS, Controls, Moment
from gigmate.model.accompanist import Accompanist
from gigmate.model.generator.note_hand import FORCED_NATS, drum_set, free_hand, lay
from gigmate.model.generator.score_tokens import FIRST_NOTE, LOWEST_NOTE, SLOTS, STATE, is_onset
from gigmate.model.loading import load_band

BEAT = 1.0 / 12.5
Asked = Callable[[int], Hand]


EVERY_RUNTIME = pytest.mark.parametrize("player", ["native", "eager"], indirect=True)
"""Where it is forced or forbidden. By how much it is leaned on is counted in one: that both draw the same by the same
hand is tested in tests/model/native/test_native_step.py."""

band = cache(load_band)


@pytest.fixture
def player(request: pytest.FixtureRequest) -> Accompanist:
    return Accompanist(band(runtime=getattr(request, "param", "native")), 3)


def slots(player: Accompanist, frames: int, asked: Asked) -> np.ndarray:
    """[frames, parts, SLOTS] of rock in C."""
    made = np.empty((frames, len(PARTS), SLOTS), np.int64)
    chunk = np.zeros(player.tail_samples + player.frame_samples, np.float32)
    classes = tuple(float(k in (0, 4, 7)) for k in range(12))
    for frame in range(frames):
        player.listen(chunk)
        beat = frame * BEAT
        moment = Moment(beat % 1.0, beat / 4.0 % 1.0, 120.0, 4, 1.0, 0, classes)
        player.draw(moment, Controls("rock", hand=asked(frame)))
        player.pass_over()
        made[frame] = player.slots()
    return made


@EVERY_RUNTIME
def test_a_rest_is_silence_and_after_it_the_parts_play_as_before(player: Accompanist) -> None:
    resting = range(100, 150)
    made = slots(player, 200, lambda frame: all_parts(PartHand(rest=True)) if frame in resting else FREE_HAND)
    assert not made[100:150, :, STATE].any() and not made[100:150, :, FIRST_NOTE:].any()
    begun = ((made[:, :, STATE] >= 1) & (made[:, :, STATE] <= 4)).sum(axis=1)
    before, after = begun[50:100].sum(), begun[150:200].sum()
    assert 0.5 * before < after < 1.7 * before, "nothing is owed for a rest"


@EVERY_RUNTIME
def test_a_hit_is_struck_by_all_in_its_quarter_with_the_voices_that_are_asked(player: Accompanist) -> None:
    drums = PartHand(hit_at=0.6, voices=("kick", "crash"))
    other = PartHand(hit_at=0.6)
    made = slots(player, 80, lambda frame: Hand((drums, other, other)) if frame % 7 == 3 else FREE_HAND)
    for frame in range(3, 80, 7):
        assert made[frame, :, STATE].tolist() == [3, 3, 3]
        assert made[frame, 0, FIRST_NOTE] == drum_set(("kick", "crash"))
        assert (made[frame, 1:, FIRST_NOTE] > 0).all()


def test_what_is_leaned_on_comes_often_and_what_is_sure_always(player: Accompanist) -> None:
    def struck(sure: float) -> float:
        player.reset(4, 2)
        hand = all_parts(PartHand(hit_at=0.3, sure=sure))
        made = slots(player, 120, lambda frame: hand if frame % 7 == 3 else FREE_HAND)
        return float(np.mean([is_onset(int(state)) for state in made[3::7, :, STATE].ravel()]))

    never, often, always = (struck(sure) for sure in (0.0, 0.9, 1.0))
    assert never + 0.15 < often and always == 1.0, (never, often, always)


@EVERY_RUNTIME
def test_held_parts_begin_nothing(player: Accompanist) -> None:
    made = slots(player, 120, lambda frame: all_parts(PartHand(hold=True)) if frame >= 60 else FREE_HAND)
    assert not any(is_onset(int(state)) for state in made[60:, :, STATE].ravel())
    assert any(is_onset(int(state)) for state in made[:60, :, STATE].ravel())


def test_keys_keep_out_of_the_leads_register(player: Accompanist) -> None:
    low, high = 67, 84

    def inside(hand: Hand) -> float:
        player.reset(5, 2)
        made = slots(player, 300, lambda _: hand)[:, 2]
        notes = made[(made[:, STATE] >= 1) & (made[:, STATE] <= 4), FIRST_NOTE:] + LOWEST_NOTE - 1
        notes = notes[notes >= LOWEST_NOTE]
        return float(((notes >= low) & (notes <= high)).mean())

    free, kept = inside(FREE_HAND), inside(Hand((PartHand(), PartHand(), PartHand(keep_out=(low, high)))))
    assert free > 0.2 and kept < 0.3 * free, (free, kept)


def test_a_hand_that_asks_for_nothing_changes_nothing() -> None:
    player = Accompanist(band(runtime="native"), 3)
    free = slots(player, 60, lambda _: FREE_HAND)
    player.reset(3, 2)
    soft = slots(player, 60, lambda _: all_parts(PartHand(level_db=-3.0)))
    np.testing.assert_array_equal(free, soft)


def test_what_is_asked_of_one_part_is_not_asked_of_another() -> None:
    asked = free_hand(3)
    lay((PartHand(rest=True), PartHand(busier=0.8), PartHand(hit_at=0.99, voices=("kick",))), 0, 0.5, asked)
    assert asked.free.tolist() == [0.0, 1.0, 1.0]
    np.testing.assert_allclose(asked.busier, [0.0, 0.5, 0.0])
    assert asked.bias[0, STATE, 0] == FORCED_NATS and asked.bias[2, STATE, 4] == FORCED_NATS
    assert np.count_nonzero(asked.bias) == 2, "keys have no drum voices"
