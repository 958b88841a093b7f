"""A next song that waits: for the last bar of a chart that goes round, or for the band to stop."""

from __future__ import annotations

from gigmate.engine.charts.chart_parser import parse_chart
from gigmate.engine.commands import Ending, NextAtEnd, Panic, SetChart, StepSong, Stop
from gigmate.engine.timing.conductor import Conductor

from .obedient import HZ, Gig


def gig_of(chart: str) -> Gig:
    gig = Gig(120, 4, Conductor(float(HZ), 120.0, listen=False))
    gig.play(0.5, {0.0: SetChart(parse_chart(chart))})
    return gig


def test_a_chart_that_goes_round_is_over_in_its_last_bar() -> None:
    gig = gig_of("| C | F | C | G |")
    gig.play(1.0, {0.6: NextAtEnd()})
    waited = 0
    while not (asked := gig.worker.command_handler.requests.drain()):
        gig.play(0.2)
        waited += 1
        assert waited < 60
    assert asked == [StepSong(1)]
    conductor = gig.worker._band.conductor
    heard = conductor.peek(gig.driven.bridge.position)
    assert (heard.bar - conductor._chart._origin) % 4 == 3  # type: ignore[attr-defined]
    assert not gig.worker.status.next_at_end
    gig.play(9.0)
    assert not gig.worker.command_handler.requests.drain(), "once"


def test_a_song_that_is_ended_or_stopped_is_over_then_and_panic_forgets_it() -> None:
    for command, expected in ((Stop(), [StepSong(1)]), (Ending(), [StepSong(1)]), (Panic(), [])):
        gig = Gig()
        gig.play(3.0, {1.0: NextAtEnd()})
        assert gig.worker.status.next_at_end and not gig.worker.command_handler.requests.drain()
        gig.play(6.0, {0.0: command})
        assert gig.worker.command_handler.requests.drain() == expected


def test_asked_twice_it_does_not_wait_any_more() -> None:
    gig = Gig()
    gig.play(4.0, {1.0: NextAtEnd(), 2.0: NextAtEnd(), 3.0: Stop()})
    assert not gig.worker.command_handler.requests.drain()
