"""Who leads, and what stays when it stops: by whole conductors, fed with ticks, transports and a musician."""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np
import pytest
from gigmate.engine.charts.chart_parser import parse_chart
from gigmate.engine.commands import ClockTick, ClockTransport, SetChart, SetOption, SetTempo, SetTimeSource
from gigmate.engine.player import HeardFrame
from gigmate.engine.timing.clocks.jack_transport import Reading
from gigmate.engine.timing.conductor import Conductor

from ..performance import FRAME_S, RATE_HZ, Noise, perform, steady
from .test_clock import ticks_s

SILENCE = HeardFrame()
Before = Callable[[Conductor, float], None]


def hear(conductor: Conductor, begin_s: float, end_s: float, before: Before, performance: object = None) -> None:
    """Frames of silence, or of a performance; `before(conductor, end of the frame)` says what else comes."""
    for frame in range(round(begin_s / FRAME_S), round(end_s / FRAME_S)):
        at_s = (frame + 1) * FRAME_S
        before(conductor, at_s)
        heard = SILENCE if performance is None else performance.heard(frame)  # type: ignore[attr-defined]
        conductor.hear(heard, at_s * RATE_HZ, FRAME_S * RATE_HZ)
        conductor.moment((at_s + 0.12) * RATE_HZ)


class Cable:
    """A MIDI clock and what it says, to be fed frame by frame."""

    def __init__(self, times_s: np.ndarray, said: dict[float, tuple[str, int]] | None = None) -> None:
        events: list[tuple[float, object]] = [(float(at_s), ClockTick()) for at_s in times_s]
        events += [(at_s, ClockTransport(word, -1, place)) for at_s, (word, place) in (said or {}).items()]
        self._events = sorted(events, key=lambda event: (event[0], isinstance(event[1], ClockTick)))

    def __call__(self, conductor: Conductor, until_s: float) -> None:
        while self._events and self._events[0][0] < until_s:
            at_s, command = self._events.pop(0)
            conductor.obey(command, at_s * RATE_HZ)  # type: ignore[arg-type]


def transport(
    bpm: float = 100.0, begin_s: float = 0.0, stop_s: float = math.inf, place_s: float = 0.0, metre: int = 4
) -> Before:
    """A transport that rolls from one second to another, from a place in its song."""

    def read(conductor: Conductor, at_s: float) -> None:
        rolls = begin_s <= at_s < stop_s
        song_s = place_s + min(max(at_s - begin_s, 0.0), stop_s - begin_s)
        beat = song_s * bpm / 60.0
        whole = math.floor(beat + 1e-9)
        conductor.read_transport(
            Reading(
                at_s * RATE_HZ,
                rolls,
                True,
                whole // metre + 1,
                whole % metre + 1,
                max(0.0, beat - whole) * 1920,
                1920.0,
                float(metre),
                bpm,
                4.0,
                song_s,
            )
        )

    return read


def nothing(conductor: Conductor, at_s: float) -> None:
    """Nobody says anything."""


def phase_error_s(conductor: Conductor, at_s: float, bpm: float, beat_at_s: float) -> float:
    off = conductor.moment(at_s * RATE_HZ).beat_phase - (at_s - beat_at_s) * bpm / 60.0
    return ((off + 0.5) % 1.0 - 0.5) * 60.0 / bpm


def test_a_keyboard_that_only_ticks_does_not_overrule_a_player_who_is_heard() -> None:
    conductor = Conductor(RATE_HZ)
    performance = perform(steady(96, 40), 3, Noise(miss=0.05, jitter_s=0.004))
    hear(conductor, 0.0, 36.0, Cable(ticks_s(120, 1.3, 70.0, 0.001)), performance)
    assert conductor.tempo_bpm == pytest.approx(96, rel=0.02)
    cue = conductor.entrance_cue()
    assert cue.source == "listener"
    assert [kind for kind, _ in cue.remarks] == ["clock_aside"]
    conductor.obey(SetTimeSource("midi_clock"), 0.0)
    hear(conductor, 36.0, 36.4, nothing, performance)
    assert conductor.entrance_cue().source == "midi_clock", "chosen is chosen"


def test_a_keyboard_that_only_ticks_brings_nobody_in() -> None:
    conductor = Conductor(RATE_HZ)
    hear(conductor, 0.0, 3.0, Cable(ticks_s(120, 0.5, 10.0, 0.001)))
    cue = conductor.entrance_cue()
    assert (cue.source, cue.free) == ("midi_clock", False)


@pytest.mark.parametrize("bpm", [90.0, 100.0, 110.0])
@pytest.mark.parametrize("kind", ["transport", "clock", "cable out"])
def test_the_tempo_that_was_led_stays_when_nobody_plays(bpm: float, kind: str) -> None:
    conductor = Conductor(RATE_HZ)
    if kind == "transport":
        before: Before = transport(bpm, 0.5, 8.0)
    else:
        times = ticks_s(bpm, 0.5, 7.5 * bpm / 60, 0.001)
        said = {0.499: ("start", 0)} | ({8.0: ("stop", 0)} if kind == "clock" else {})
        before = Cable(times, said)
    hear(conductor, 0.0, 8.5, before)
    assert conductor.entrance_cue().halted == (kind != "cable out")
    hear(conductor, 8.5, 40.0, nothing if kind != "transport" else before)
    assert conductor.tempo_bpm == pytest.approx(bpm, rel=0.002)
    assert abs(phase_error_s(conductor, 40.1, bpm, 0.5)) < 0.03
    conductor.obey(SetTempo(75.0), 0.0)
    hear(conductor, 40.0, 41.0, nothing)
    assert conductor.tempo_bpm == pytest.approx(75.0)


def test_a_transport_that_starts_again_is_met_at_once() -> None:
    conductor = Conductor(RATE_HZ)
    hear(conductor, 0.0, 12.0, transport(100.0, 0.5, 8.0))
    hear(conductor, 12.0, 16.0, transport(100.0, 12.33))
    for at_s in np.arange(12.7, 16.0, 0.1):
        assert abs(phase_error_s(conductor, at_s, 100.0, 12.33)) < 0.003
    assert conductor.moment((12.33 + 2.4) * RATE_HZ + 10).bar_phase < 0.01


def test_a_transport_that_is_moved_while_it_rolls_is_met_at_once() -> None:
    conductor = Conductor(RATE_HZ)
    hear(conductor, 0.0, 8.0, transport(100.0, 0.0))
    hear(conductor, 8.0, 12.0, transport(100.0, 8.0, place_s=4.8 + 0.37))
    for at_s in np.arange(8.3, 12.0, 0.1):
        assert abs(phase_error_s(conductor, at_s, 100.0, 8.0 - 0.37)) < 0.003


def test_a_clock_that_starts_again_is_met_at_once() -> None:
    conductor = Conductor(RATE_HZ)
    said = {0.499: ("start", 0), 8.0: ("stop", 0), 12.329: ("start", 0)}
    times = np.concatenate([ticks_s(100, 0.5, 12.4, 0.0005), ticks_s(100, 12.33, 10.0, 0.0005)])
    hear(conductor, 0.0, 16.0, Cable(times, said))
    for at_s in np.arange(12.7, 16.0, 0.1):
        assert abs(phase_error_s(conductor, at_s, 100.0, 12.33)) < 0.005
    assert conductor.moment((12.33 + 2.4) * RATE_HZ + 200).bar_phase < 0.02


CHART = parse_chart("| C | D | E | F | G | A | B | Bb |\n")
ROOTS = [0, 2, 4, 5, 7, 9, 11, 10]


def root_at(conductor: Conductor, at_s: float) -> int:
    return conductor.moment(at_s * RATE_HZ).chord_root


def test_a_chart_is_where_the_transport_is() -> None:
    conductor = Conductor(RATE_HZ)
    conductor.obey(SetChart(CHART), 0.0)
    bar_s = 2.4
    hear(conductor, 0.0, 1.5, transport(100.0, 0.0, place_s=4 * bar_s))
    conductor.begin_chart(1.6 * RATE_HZ)
    hear(conductor, 1.5, 4.0, transport(100.0, 0.0, place_s=4 * bar_s))
    assert root_at(conductor, 4.1) == ROOTS[5], "located to its fifth bar, now in the sixth"
    hear(conductor, 4.0, 6.0, transport(100.0, 4.0, place_s=bar_s + 0.3))
    assert root_at(conductor, 5.9) == ROOTS[1], "moved while it rolls"


def test_a_chart_begins_with_the_band_where_that_is_wished() -> None:
    conductor = Conductor(RATE_HZ)
    conductor.obey(SetOption("chart_place", "entrance"), 0.0)
    conductor.obey(SetChart(CHART), 0.0)
    hear(conductor, 0.0, 2.3, transport(100.0, 0.0, place_s=9.6))
    conductor.begin_chart(2.4 * RATE_HZ)
    hear(conductor, 2.3, 3.5, transport(100.0, 0.0, place_s=9.6))
    assert root_at(conductor, 3.6) == ROOTS[0]


def test_a_chart_is_at_the_song_position_that_a_clock_tells() -> None:
    """From bar 2, beat 3, without a stop before: beats, bars and chart."""
    conductor = Conductor(RATE_HZ)
    conductor.obey(SetChart(CHART), 0.0)
    cable = Cable(ticks_s(100, 3.6, 30.0, 0.0005), {3.55: ("locate", 24), 3.56: ("continue", 0)})
    hear(conductor, 0.0, 5.0, cable)
    conductor.begin_chart(4.8 * RATE_HZ)
    hear(conductor, 5.0, 8.0, cable)
    assert root_at(conductor, 8.1) == ROOTS[int((8.1 - 3.6 + 6 * 0.6) / 2.4)]
    assert conductor.moment(4.8 * RATE_HZ + 300).bar_phase == pytest.approx(0.0, abs=0.02)


SIX = parse_chart("metre: 6/8\ntempo: 80\n| Am | F | C | G |\n")


def test_a_clock_of_quarters_is_counted_in_dotted_ones_in_six_eight() -> None:
    conductor = Conductor(RATE_HZ)
    conductor.obey(SetChart(SIX), 0.0)
    hear(conductor, 0.0, 12.0, Cable(ticks_s(120, 2.0, 30.0, 0.0005), {1.999: ("start", 0)}))
    assert conductor.tempo_bpm == pytest.approx(80, rel=0.003)
    assert abs(phase_error_s(conductor, 12.1, 80, 2.0)) < 0.003
    assert conductor.peek(12.0 * RATE_HZ).beat_quarters == 1.5


def test_time_at_a_set_tempo_is_exact_while_nobody_is_heard() -> None:
    conductor = Conductor(RATE_HZ, 120.0)
    conductor.obey(SetChart(parse_chart("metre: 3/4\ntempo: 120\n| C | G | C | F |\n")), 0.0)
    hear(conductor, 0.0, 0.4, nothing)
    conductor.begin_chart(0.4 * RATE_HZ)
    positions = np.arange(0.8, 12.0, 0.04)
    beats = []
    for at_s in positions:
        hear(conductor, at_s - 0.04, at_s, nothing)
        beats.append(conductor.beat_count(at_s * RATE_HZ))
    np.testing.assert_allclose(np.diff(beats), 0.08, atol=1e-6)
    assert conductor.moment(12.0 * RATE_HZ).beats_per_bar == 3
    roots = {round(at_s, 1): conductor.moment(at_s * RATE_HZ).chord_root for at_s in (12.0, 12.8)}
    assert len({conductor.peek(at_s * RATE_HZ).bar for at_s in (12.0, 12.8)}) >= 1
    assert set(roots.values()) <= {0, 7, 5}
    assert conductor.entrance_cue().source == "tempo"


@pytest.mark.parametrize("bpm", [80, 100, 120, 140])
def test_a_count_in_is_even_while_nobody_plays(bpm: float) -> None:
    """Whatever little the ear takes for beats in what it hears."""
    rng = np.random.default_rng(1)
    conductor = Conductor(RATE_HZ, bpm)
    begun_s = 1.0

    def murmur(heard_s: float) -> HeardFrame:
        return HeardFrame(beat=tuple(rng.uniform(0.0, 0.3, 4)), activity=0.1)

    for frame in range(150):
        at_s = (frame + 1) * FRAME_S
        conductor.hear(murmur(at_s), at_s * RATE_HZ, FRAME_S * RATE_HZ)
        if frame == 20:
            assert conductor.begin_bar(begun_s * RATE_HZ)
        if at_s > 1.2:
            assert abs(phase_error_s(conductor, at_s + 0.1, bpm, begun_s)) < 0.0005
    assert conductor.entrance_cue().source == "tempo", "nobody has tapped"
