"""Hits, breaks, builds, feels and solos at their moments, in any metre, on a clock that no one waits for."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
from gigmate.engine.charts.chart_parser import parse_chart
from gigmate.engine.commands import Break, Build, Ending, Fill, Hit, Panic, SetChart, SetFeel, SetSolo, Start, Stop
from gigmate.engine.errors import ConfigError
from gigmate.engine.player import Controls, Moment
from gigmate.engine.position import Point
from gigmate.engine.run.accompaniment import Accompaniment, AccompanimentSettings
from gigmate.engine.run.moves.stage_moves import StageMoves
from gigmate.engine.timing.conductor import Conductor
from gigmate.engine.timing.fixed_grid import GridConductor

from ...fakes import Singer
from .obedient import HZ, Gig, Obedient

METRES = [(120.0, 4), (97.0, 3), (140.0, 7), (66.0, 2)]


@pytest.mark.parametrize("delay", [0, 512])
@pytest.mark.parametrize(("tempo_bpm", "metre"), METRES)
def test_a_hit_is_all_parts_on_the_next_beat_and_nothing_until_the_one_after(
    tempo_bpm: float, metre: int, delay: int
) -> None:
    gig = Gig(tempo_bpm, metre, player=Obedient(delay))
    presses = [2.03 + 0.71 * number * 4 * 60 / tempo_bpm for number in range(4)]
    gig.play(presses[-1] + 3.0, {press: Hit() for press in presses})
    beat = gig.beat_samples
    hits = list(gig.worker._band.moves.struck)
    assert len(hits) == 4
    for press, place in zip(presses, hits, strict=True):
        assert abs(place / beat - round(place / beat)) * beat < 1.0, "on a beat"
        ahead_samples = gig.worker.budget.ahead_samples + 2 * gig.worker.host_frame
        assert press * HZ < place <= press * HZ + ahead_samples + beat, "the next one that is not made yet"
        assert [part for part, at in gig.onsets(place - 1, place + 1)] == [0, 1, 2]
        assert not gig.onsets(place - 0.03 * HZ, place - 1), "nobody comes before it"
        assert not gig.onsets(place + 1, place + beat - 0.03 * HZ), "and nobody behind it"
        assert len(gig.onsets(place + beat - 0.03 * HZ, place + beat + 0.03 * HZ)) == 3, "the groove goes on"


def test_a_hit_asked_for_twice_is_one(tmp_path: object) -> None:
    gig = Gig()
    gig.play(5.0, {2.05: Hit(), 2.1: Hit(), 2.15: Hit()})
    assert len(gig.worker._band.moves.struck) == 1


@pytest.mark.parametrize(("tempo_bpm", "metre"), METRES)
@pytest.mark.parametrize("bars", [1, 2])
def test_a_break_is_silence_up_to_the_bar_line_and_all_are_back_on_it(tempo_bpm: float, metre: int, bars: int) -> None:
    gig = Gig(tempo_bpm, metre)
    beat = gig.beat_samples
    bar = metre * beat
    press = (2 * bar + 0.2 * beat) / HZ
    gig.play((6 + bars) * bar / HZ, {press: Break(bars), press + 1.1 * beat / HZ: Break(5)})
    (back,) = gig.worker._band.moves.struck
    assert abs(back / bar - round(back / bar)) * bar < 1.0, "on a bar line"
    (begun,) = gig.cuts
    assert abs(begun / beat - round(begun / beat)) * beat < 1.0, "from a beat on"
    assert np.abs(gig.driven.played[round(begun) + 1 : round(back) - 250]).max() < 1e-4
    assert press * HZ < begun <= press * HZ + gig.worker.budget.ahead_samples + 2 * gig.worker.host_frame + beat
    lines = sum(begun < line * bar <= back + 1 for line in range(100))
    assert lines == bars
    assert not gig.onsets(begun - 1, back - 1)
    assert len(gig.onsets(back - 1, back + 1)) == 3
    assert gig.energy_db(back, back + 480) > -25
    assert not gig.worker._band.moves.silent


@pytest.mark.parametrize("delay", [0, 700])
def test_a_break_cuts_what_rings_on_the_beat_and_lets_it_back_on_the_line_without_a_click(delay: int) -> None:
    gig = Gig(player=Singer(delay))
    gig.play(8.0, {3.05: Break()})
    (begun,), (back,) = gig.cuts, gig.worker._band.moves.struck
    assert (begun, back) == (pytest.approx(3.5 * HZ, abs=1), pytest.approx(4.0 * HZ, abs=1))
    played = gig.driven.played
    faded = 48 if delay else 700  # without a delay of its own the band learns of the beat in the frame that holds it
    assert not np.abs(played[round(begun) + faded : round(back) - 250]).any()
    assert np.abs(played[round(begun) - 1400 : round(begun) - 700]).max() > 0.4
    assert np.abs(played[round(back) : round(back) + 240]).max() > 0.45, "at its level on the line"
    assert np.abs(np.diff(played)).max() < 0.05


def test_a_stab_may_lead_into_a_break_and_stand_in_one() -> None:
    gig = Gig()
    gig.play(9.0, {2.05: Hit(), 2.06: Break(2), 3.1: Hit()})
    struck = [place / 24_000 for place in gig.worker._band.moves.struck]
    assert struck == pytest.approx([5, 7, 12], abs=1e-3)
    assert gig.energy_db(struck[0] * 24_000, struck[0] * 24_000 + 2400) > -30
    assert gig.energy_db(struck[0] * 24_000 + 14_400, struck[1] * 24_000 - 480) < -80
    assert gig.energy_db(struck[1] * 24_000, struck[1] * 24_000 + 2400) > -30
    assert gig.energy_db(struck[1] * 24_000 + 14_400, struck[2] * 24_000 - 480) < -80


def test_a_build_swells_for_its_bars_fills_the_last_and_lets_go_on_the_line() -> None:
    gig = Gig(120, 4)
    gig.play(16.0, {4.1: Build(3)})
    (release,) = gig.worker._band.moves.struck
    assert release == pytest.approx(12.0 * HZ, abs=1), "three whole bars after the bar that it was asked for in"
    density = np.array([controls.density for controls in gig.player.told])
    fills = np.array([controls.fill for controls in gig.player.told])
    level = np.array([controls.hand.parts[1].level_db for controls in gig.player.told])
    last = int(np.searchsorted(gig.places, release + 1)) - 1
    swell = density[last - 150 : last - 2]
    assert (np.diff(swell) >= 0).all() and swell[-1] > 0.88
    assert density[last + 2] == 0.5
    assert fills[last - 48 : last - 1].all() and not fills[last - 54] and not fills[last + 2]
    assert level[last - 2] == pytest.approx(3.0, abs=0.1) and level[last - 120] < -1.0 and level[last + 30] == 0.0


def test_without_bars_a_build_goes_to_the_next_section_of_the_chart() -> None:
    conductor = Conductor(float(HZ), 120.0, listen=False)
    gig = Gig(120, 4, conductor)
    chart = parse_chart("[A] | C | F | C | G | C | F |\n[B] | Am | F |")
    gig.play(18.0, {0.0: SetChart(chart), 3.1: Build()})
    (release,) = gig.worker._band.moves.struck
    point = conductor.peek(release + 5)
    assert conductor._chart.section in ("A", "B")
    origin = conductor._chart._origin
    assert point.bar - origin == 6 and point.beat - point.bar_beat < 0.01, "on the first bar of B"


@pytest.mark.parametrize("factor", [0.5, 2.0])
@pytest.mark.parametrize("metre", [4, 3, 7])
def test_a_feel_changes_what_the_band_is_told_from_the_bar_line_on_and_neither_tempo_nor_bars(
    factor: float, metre: int
) -> None:
    gig = Gig(120, metre)
    gig.play(16.0, {3.1: SetFeel(factor, turn=True), 11.1: SetFeel(factor, turn=True)})
    bar_s = metre * 0.5
    told = gig.player.moments
    tempi = np.array([moment.tempo_bpm for moment in told])
    changed = np.flatnonzero(np.diff(tempi))
    assert len(changed) == 2 and set(tempi) == {120.0, 120.0 * factor}
    frame_s = gig.worker.host_frame / HZ
    for place in changed:
        line_s = gig.places[place + 1] / HZ
        assert abs(line_s / bar_s - round(line_s / bar_s)) * bar_s < 2 * frame_s, "on a bar line"
    inside = told[changed[0] + 2 : changed[1] - 2]
    bars = np.unwrap([2 * np.pi * moment.bar_phase for moment in inside]) / (2 * np.pi)
    assert np.diff(bars) == pytest.approx(frame_s / bar_s * factor, abs=1e-6)
    assert all(moment.beat_phase == pytest.approx(moment.bar_phase * metre % 1.0, abs=1e-6) for moment in inside)
    assert {status.tempo_bpm for status in gig.statuses[5:]} == {120.0}  # type: ignore[attr-defined]


def test_a_solo_leaves_room_gliding_and_gives_it_back() -> None:
    gig = Gig()
    gig.play(12.0, {3.1: SetSolo(), 8.1: SetSolo()})
    keys = np.array([controls.hand.parts[2].level_db for controls in gig.player.told])
    assert keys.min() == -6.0 and keys[-1] == 0.0
    assert np.abs(np.diff(keys)).max() < 1.0, "no step"
    busier = [controls.hand.parts[2].busier for controls in gig.player.told]
    edges = [place for place, (a, b) in enumerate(itertools.pairwise(busier)) if a != b]
    assert len(edges) == 2
    beats = [gig.places[place + 1] / 24_000 for place in edges]
    assert all(0 <= (beat + 0.09) % 1 < 0.1 for beat in beats), "in the frames that hold beats"
    on = {status.moves for status in gig.statuses}  # type: ignore[attr-defined]
    assert on == {(), ("solo",)}
    assert len(gig.onsets(4 * HZ, 8 * HZ, part=2)) <= 5, "two beats from chord to chord, where there were eighths"
    assert len(gig.onsets(4 * HZ, 8 * HZ, part=0)) == 16


def test_keys_lay_out_under_the_start_of_a_solo_and_the_band_comes_up_while_it_grows() -> None:
    frame, beat = 400, 5000  # of a clock of 10 kHz at 120 bpm in four: 40 ms, and half a second
    moves = StageMoves(10_000, frame)
    moves.set_solo(True)

    def peek(position: float) -> Point:
        at = position / beat
        return Point(position, at, at // 4 * 4, int(at // 4), 4)

    bars, keys = [], []
    for start in range(0, 16 * 4 * beat, frame):
        moves.frame((start, start), Moment(0.0, 0.0, 120.0, 4, 1.0), peek, None)
        bars.append(start / beat / 4)
        keys.append(moves.controls(Controls()).hand.parts[2])
    out = [part.hold for bar, part in zip(bars, keys, strict=True) if 0.1 < bar < 1.9]
    assert all(out) and not any(part.hold for bar, part in zip(bars, keys, strict=True) if bar > 2.1)
    room = [(part.busier, part.level_db) for bar, part in zip(bars, keys, strict=True) if 1.0 < bar < 4.0]
    assert set(room) == {(-0.4, -6.0)}
    grown = [(part.busier, part.level_db) for bar, part in zip(bars, keys, strict=True) if bar > 13.0]
    assert all(row == pytest.approx((-0.2, -3.0), abs=0.01) for row in grown)


def test_what_waits_is_said_with_the_beats_until_it_comes() -> None:
    gig = Gig()
    gig.play(8.0, {3.05: Break()})
    said = [(s.pending, s.pending_beats, s.moves) for s in gig.statuses]  # type: ignore[attr-defined]
    waiting = [beats for pending, beats, _ in said if pending == "break"]
    assert waiting and all(a > b for a, b in itertools.pairwise(waiting)), "it counts down"
    back = [beats for pending, beats, on in said if pending == "back" and on == ("break",)]
    assert back and all(a > b for a, b in itertools.pairwise(back))
    assert 0 < back[-1] < 0.1 and 0 < waiting[-1] < 0.1
    assert said[-1] == ("", 0.0, ())


@pytest.mark.parametrize("off", [Stop(), Panic()])
def test_a_stop_ends_every_move_and_the_next_start_knows_none(off: Stop | Panic) -> None:
    gig = Gig()
    at = {2.05: SetSolo(), 2.06: SetFeel(0.5), 3.05: Break(8), 4.0: off, 5.0: Start()}
    gig.play(9.0, at)
    assert gig.driven.worker.status.moves == ()
    assert gig.player.told[-1].hand.free
    assert gig.player.moments[-1].tempo_bpm == 120.0
    assert gig.energy_db(7.0 * HZ, 8.9 * HZ) > -40, "the break is over"


def test_a_move_of_a_band_that_does_not_play_is_said_and_done_nothing_of() -> None:
    gig = Gig()
    gig.play(1.0, {0.2: Stop()})
    gig.play(2.0, {1.1: Hit(), 1.2: Build(), 1.3: Break()})
    assert "start it first" in gig.driven.fault_log.warnings[-1]
    gig.play(3.0, {3.0: Start()})
    assert not gig.worker._band.moves.struck


def test_bars_that_cannot_be_are_said() -> None:
    gig = Gig()
    gig.play(3.0, {2.0: Break(33), 2.1: Build(-1)})
    assert gig.driven.fault_log.counts()["command"] == 2
    assert not gig.worker._band.moves.struck


def test_a_fill_in_half_time_feel_is_told_the_bar_as_it_is() -> None:
    gig = Gig()
    gig.play(10.0, {2.05: SetFeel(0.5), 6.6: Fill()})
    pairs = zip(gig.player.told, gig.player.moments, strict=True)
    assert {moment.tempo_bpm for controls, moment in pairs if controls.fill} == {120.0}


def test_a_stream_does_moves_by_their_names() -> None:
    player = Obedient()
    stream = Accompaniment(player, GridConductor(120, 4, HZ), HZ, AccompanimentSettings(band_rate_hz=HZ))
    silence = np.zeros(HZ // 2, np.float32)
    with pytest.raises(ConfigError, match="start it first"):
        stream.do("hit")
    stretches = [stream.push(silence) for _ in range(4)]
    stream.do("break", bars=1)
    stream.do("solo")
    for name, arguments in (("panic", {}), ("hits", {}), ("break", {"bars": 99})):
        with pytest.raises(ConfigError):
            stream.do(name, **arguments)
    stretches += [stream.push(silence) for _ in range(10)]
    mix = np.concatenate([stretch.mix for stretch in stretches])
    begun, back = 2.5 * HZ, 4 * HZ
    assert np.abs(mix[round(begun) + 100 : round(back) - 300]).max() < 1e-4
    assert np.abs(mix[back : back + 480]).max() > 0.01
    assert player.told[-1].hand.parts[2].level_db == -6.0


@pytest.mark.parametrize("delay", [0, 512])
@pytest.mark.parametrize("press_beats", [0.5, 2.3, 3.9])
def test_an_ending_is_struck_by_all_on_its_downbeat_and_rings(press_beats: float, delay: int) -> None:
    gig = Gig(player=Obedient(delay))
    beat = gig.beat_samples
    gig.play((8 + press_beats + 10) * beat / HZ, {(8 + press_beats) * beat / HZ: Ending()})
    (last,) = gig.worker._band.moves.struck
    assert last / beat % 4.0 == pytest.approx(0.0, abs=1e-3), "on a bar line"
    assert (8 + press_beats) * beat < last < (8 + press_beats + 5) * beat, "the next one that is not made yet"
    assert [part for part, _ in gig.onsets(last - 1, last + 1)] == [0, 1, 2]
    assert not gig.onsets(last + 1, last + 2.5 * beat), "and nobody behind it, until it has rung out"
    begin = [told.hand.parts[0].voices for told in gig.player.told]
    assert ("kick", "crash") in begin


def test_a_break_that_is_on_ends_with_the_song_and_all_strike_its_end() -> None:
    gig = Gig()
    beat = gig.beat_samples
    gig.play(20 * beat / HZ, {4.5 * beat / HZ: Break(4), 9.5 * beat / HZ: Ending()})
    (last,) = gig.worker._band.moves.struck
    assert last == pytest.approx(12 * beat, abs=2)
    assert gig.energy_db(last, last + 0.05 * HZ) > -40.0


def test_before_an_end_the_band_slows_down_with_the_lead_and_not_before() -> None:
    asked: list[tuple[float, bool]] = []

    class Asked(GridConductor):
        def end_with_lead(self, on: bool) -> None:
            asked.append((gig.worker._playout.nominal(gig.worker._next), on))

    gig = Gig(conductor=Asked(120.0, 4, HZ))
    beat = gig.beat_samples
    gig.play(12 * beat / HZ, {5.0 * beat / HZ: Ending()})
    assert {on for at, on in asked if at < 4.9 * beat} == {False}
    assert {on for at, on in asked if 6.0 * beat < at < 9.0 * beat} == {True}
