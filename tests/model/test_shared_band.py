"""The turn of streams that share a band: Python one at a time, what is compiled beside it."""

import threading

import numpy as np
import pytest
from gigmate.model.shared_band import FrameTurn, SharedPrograms

TIMEOUT_S = 20.0


def in_thread(run):
    thread = threading.Thread(target=run, daemon=True)
    thread.start()
    return thread


def test_one_has_the_turn_and_another_gets_it_while_the_first_is_aside():
    turn, seen = FrameTurn(), []
    waits, went = threading.Event(), threading.Event()

    def other():
        waits.set()
        with turn:
            seen.append("other")
            went.set()

    with turn:
        thread = in_thread(other)
        assert waits.wait(TIMEOUT_S)
        assert not went.wait(0.05), "two had the turn at once"
        with turn.aside():
            assert went.wait(TIMEOUT_S), "nobody else could go on"
        seen.append("first")
        again = in_thread(other)
        went.clear()
        assert not went.wait(0.05), "the turn was not taken back"
    for one in (thread, again):
        one.join(TIMEOUT_S)
    assert seen == ["other", "first", "other"]


def test_who_has_no_turn_steps_aside_from_nothing():
    turn = FrameTurn()
    with turn:
        tried = []

        def other():
            with turn.aside():
                tried.append(True)

        in_thread(other).join(TIMEOUT_S)
        assert tried == [True]
        assert not turn._lock.acquire(blocking=False), "another thread has let go of this one's turn"
    with turn.aside():
        pass
    with turn:
        pass


def test_an_error_aside_leaves_the_turn_as_it_was():
    turn = FrameTurn()
    with pytest.raises(RuntimeError), turn:
        with pytest.raises(ValueError), turn.aside():
            raise ValueError
        raise RuntimeError
    with turn:
        pass


@pytest.mark.parametrize("what", ["listen", "draw", "sound"])
def test_a_stream_lets_others_go_on_while_its_band_computes(what):
    programs = SharedPrograms(None)
    player = programs.new_player(0)
    turn = player.frame_turn
    if turn is None:
        pytest.skip("a compiled step is not there: TorchScript has its own lock")
    from gigmate.engine.player import Controls, Moment

    moment = Moment(0.0, 0.0, 120.0, 4, 1.0)
    chunk = np.zeros(player.tail_samples + player.frame_samples, np.float32)
    computing, may_end, others = threading.Event(), threading.Event(), threading.Event()
    stream = player._player.stream
    inner = getattr(stream, what)

    def slow(*given):
        computing.set()
        assert may_end.wait(TIMEOUT_S)
        return inner(*given)

    setattr(stream, what, slow)

    def frame():
        with turn:
            player.listen(chunk)
            player.draw(moment, Controls())
            player.sound()

    def another():
        with turn:
            others.set()

    first = in_thread(frame)
    assert computing.wait(TIMEOUT_S)
    second = in_thread(another)
    went = others.wait(TIMEOUT_S)
    may_end.set()
    for one in (first, second):
        one.join(TIMEOUT_S)
    assert went, "a second stream waited until the first had computed"
