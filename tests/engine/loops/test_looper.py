"""The looper on a steady grid: what is recorded is what is played, at its place, to the sample."""

from __future__ import annotations

import numpy as np
import pytest
from gigmate.engine.commands import LoopKeep, LoopPress, LoopRelease, SetLoop, SetTempo
from gigmate.engine.errors import ConfigError
from gigmate.engine.loops.looper import Looper
from gigmate.engine.timing.conductor import Conductor

from .looping import AHEAD, FRAME, RATE, OtherClock, PlainTime, Rig, looped

BAR = 2 * RATE
SEAM = RATE // 100


def recorded(bars: int = 2, tempo_bpm: float = 120.0) -> tuple[Rig, int]:
    """A rig whose loop of bars 1 to `bars` is playing; and where its next turn begins."""
    rig = Rig(tempo_bpm)
    rig.run(BAR // 2)
    rig.press()
    rig.run(BAR + bars * BAR - BAR // 4)
    assert rig.phase == "recording"
    rig.press()
    rig.run((bars + 2) * BAR)
    assert rig.phase == "playing"
    return rig, (bars + 1) * BAR


def test_a_loop_lies_on_its_lines_and_is_what_was_played() -> None:
    rig, begin = recorded(2)
    rig.run(begin + 5 * BAR)
    ramp = RATE // 50
    for turn in range(2):
        at = begin + turn * 2 * BAR
        first = ramp if turn == 0 else 0
        expected = looped(rig, BAR, 2 * BAR)[first:-SEAM]
        assert np.array_equal(rig.out[at + first : at + 2 * BAR - SEAM], expected)
    assert not rig.out[:begin].any(), "nothing is heard before it goes round"


def test_the_seam_leads_from_what_came_before_the_end_to_what_came_before_the_beginning() -> None:
    rig, begin = recorded(2)
    rig.run(begin + 4 * BAR)
    seam = rig.out[begin + 2 * BAR - SEAM : begin + 2 * BAR]
    end, before = rig.sound(3 * BAR - SEAM, SEAM), rig.sound(BAR - SEAM, SEAM)
    assert abs(seam[0] - end[0]) < 1e-4 and abs(seam[-1] - before[-1]) < 1e-4
    assert np.all((seam >= np.minimum(end, before) - 1e-6) & (seam <= np.maximum(end, before) + 1e-6))


@pytest.mark.parametrize("late", [0.0, 0.2, 0.45])
def test_a_press_up_to_a_beat_after_the_line_means_that_line(late: float) -> None:
    rig = Rig()
    rig.run(BAR + FRAME)
    rig.press(BAR + late * RATE)
    rig.run(3 * BAR + 20 * FRAME)
    rig.press(3 * BAR + late * RATE)
    rig.run(7 * BAR)
    assert rig.looper.view(rig.at).bars == 2
    at = 5 * BAR
    assert np.array_equal(rig.out[at : at + BAR], looped(rig, BAR, BAR))


def test_what_was_just_played_is_kept_without_having_been_asked_for_before() -> None:
    rig = Rig()
    rig.run(6 * BAR + FRAME)
    rig.keep(4)
    rig.run(11 * BAR)
    begin = 6 * BAR
    rise = FRAME * 4 + AHEAD + RATE // 50  # what was made already sounds without it
    assert np.array_equal(rig.out[begin + rise : begin + 4 * BAR - SEAM], looped(rig, 2 * BAR, 4 * BAR)[rise:-SEAM])
    assert not rig.out[: begin + AHEAD].any()


def test_more_than_was_heard_cannot_be_kept() -> None:
    rig = Rig()
    rig.run(3 * BAR + FRAME)
    with pytest.raises(ConfigError, match="keep fewer"):
        rig.keep(8)
    with pytest.raises(ConfigError, match="1 to 64"):
        rig.keep(100)
    assert rig.phase == "empty"


@pytest.mark.parametrize("minutes", [3, pytest.param(60, marks=pytest.mark.slow)])
def test_an_hour_to_the_sample(minutes: int) -> None:
    """At 117.3 bpm bars are no whole number of samples: the loop leads, and no turn is a sample off the first."""
    rig = Rig(117.3)
    rig.looper = Looper(RATE, FRAME, PlainTime(117.3), rig.faults)  # type: ignore[arg-type]
    rig.conductor = rig.looper._conductor = PlainTime(117.3, rig.looper)  # type: ignore[assignment]
    rig.run(4 * RATE)
    rig.press()
    rig.run(11 * RATE)
    rig.press()
    rig.run(16 * RATE)
    loop = rig.looper._loop
    assert loop is not None
    length, sound, anchor = loop.length, loop.sound.copy(), rig.looper._reader.anchor_at(rig.at)
    bar = 60.0 / 117.3 * 4 * RATE
    assert abs(length - round(length / bar) * bar) <= 1.0 and bar != round(bar)
    silence, places = np.zeros(FRAME, np.float32), np.arange(FRAME)
    at, end = rig.at, minutes * 60 * RATE
    while at < end:
        rig.looper.hear(at, silence)
        at += FRAME
        made = rig.looper.make(at + AHEAD)
        assert made is not None and made[1].size == FRAME
        assert np.array_equal(made[1], sound[(made[0] - anchor + places) % length])


def test_the_loop_leads_the_time() -> None:
    rig, _ = recorded(2)
    rig.run(8 * BAR)
    assert rig.conductor.entrance_cue().source == "loop"
    point = rig.conductor.peek(8 * BAR + 1)
    assert point.bar_beat == pytest.approx(point.beat, abs=1e-3)
    rig.do("clear")
    rig.run(9 * BAR)
    assert rig.conductor.entrance_cue().source != "loop"
    assert rig.conductor.tempo_bpm == pytest.approx(120.0)


# ------------------------------------------------------------------------------------------------------ play over


def test_an_overdub_lies_where_it_was_played_and_can_be_undone_and_done_again() -> None:
    rig, begin = recorded(2)
    first = begin + 2 * BAR + RATE // 2
    rig.run(first + FRAME)
    rig.press(first)
    assert rig.phase == "overdubbing"
    last = first + RATE
    rig.run(last + 2 * FRAME)
    rig.press(last)
    assert rig.phase == "playing"
    rig.run(begin + 6 * BAR)
    at, fade = first + 2 * BAR, RATE // 100
    base = looped(rig, BAR, 2 * BAR)
    place = (first - begin) % (2 * BAR)
    inside = slice(at + fade, at + RATE - fade)
    expected = base[place + fade : place + RATE - fade] + rig.sound(first + fade, RATE - 2 * fade)
    assert np.array_equal(rig.out[inside], expected)
    outside = rig.out[at + RATE : at + RATE + BAR // 4]
    assert np.allclose(outside, base[(place + RATE + np.arange(outside.size)) % (2 * BAR)], atol=1e-6)
    rig.do("undo")
    rig.run(begin + 10 * BAR)
    plain = rig.out[begin + 8 * BAR : begin + 10 * BAR - SEAM]
    assert np.array_equal(plain, base[:-SEAM]), "undone, it is what it was to the bit"
    rig.do("redo")
    rig.run(begin + 14 * BAR)
    assert np.array_equal(rig.out[inside.start + 8 * BAR : inside.stop + 8 * BAR], expected)


def test_two_presses_stop_and_leave_no_take_behind_and_the_next_plays_from_a_line() -> None:
    rig, begin = recorded(2)
    rig.run(begin + 2 * BAR + RATE)
    rig.press()
    rig.run(rig.at + 2 * FRAME)
    rig.press()
    assert rig.phase == "stopped" and rig.looper.view(rig.at).takes == 1
    stopped = rig.at
    rig.run(stopped + BAR)
    assert not rig.out[stopped + AHEAD + RATE // 50 :].any()
    rig.press()
    rig.run(rig.at + 3 * BAR)
    starts = begin + 4 * BAR
    assert rig.phase == "playing"
    assert np.array_equal(rig.out[starts + RATE // 50 : starts + BAR], looped(rig, BAR, BAR)[RATE // 50 :])


def test_a_long_press_clears_and_undo_brings_it_back() -> None:
    rig, begin = recorded(1)
    rig.run(begin + 2 * BAR)
    rig.ask(LoopPress(held=True))
    rig.run(rig.at + RATE // 2)
    rig.ask(LoopRelease())
    rig.press()  # an overdub of half a second, ended
    rig.run(rig.at + 2 * RATE)
    assert rig.phase == "playing" and rig.looper.view(rig.at).takes == 2, "a short press does not clear"
    rig.ask(LoopPress(held=True))
    rig.run(rig.at + RATE + 2 * FRAME)
    assert rig.phase == "empty" and rig.looper.view(rig.at).bars == 0
    rig.run(rig.at + BAR)
    assert not rig.out[rig.at - BAR // 2 :].any()
    rig.do("undo")
    assert rig.phase == "stopped" and rig.looper.view(rig.at).takes == 2
    rig.do("play")
    rig.run(rig.at + 2 * BAR)
    assert rig.phase == "playing" and rig.out[-BAR:].any()


def test_what_was_just_played_is_laid_over_a_loop_that_plays() -> None:
    rig, begin = recorded(2)
    rig.run(begin + 2 * BAR + FRAME)
    rig.keep(1)
    rig.run(begin + 6 * BAR)
    base = looped(rig, BAR, 2 * BAR)
    at, fade = begin + 5 * BAR, RATE // 100
    expected = base[BAR + fade : 2 * BAR - SEAM] + rig.sound(begin + BAR + fade, BAR - fade - SEAM)
    assert np.array_equal(rig.out[at + fade : at + BAR - SEAM], expected)


def test_half_and_double_length() -> None:
    rig, begin = recorded(2)
    rig.run(begin + 2 * BAR)
    rig.do("half")
    assert rig.looper.view(rig.at).bars == 1
    rig.run(begin + 6 * BAR)
    base = looped(rig, BAR, 2 * BAR)
    assert np.array_equal(rig.out[begin + 5 * BAR : begin + 6 * BAR - SEAM], base[: BAR - SEAM])
    rig.do("double")
    rig.run(begin + 10 * BAR)
    assert np.array_equal(rig.out[begin + 8 * BAR : begin + 10 * BAR - SEAM], base[:-SEAM]), "the second half is back"
    rig.do("double")
    assert rig.looper.view(rig.at).bars == 4
    rig.do("half")
    rig.do("half")
    with pytest.raises(ConfigError, match="half of 1 bars"):
        rig.do("half")


def test_level_and_mute_glide() -> None:
    rig, begin = recorded(1)
    rig.ask(SetLoop("level", -6.0))
    rig.run(begin + 3 * BAR)
    inside = slice(begin + 2 * BAR, begin + 3 * BAR - SEAM)
    assert np.allclose(rig.out[inside], looped(rig, BAR, BAR)[:-SEAM] * 10 ** (-6 / 20), rtol=1e-5)
    rig.ask(SetLoop("muted"))
    rig.run(begin + 5 * BAR)
    assert not rig.out[begin + 4 * BAR :].any()
    assert rig.looper.mix.muted
    with pytest.raises(ConfigError, match="at most 12"):
        rig.ask(SetLoop("level", 40.0))


def test_the_band_hears_the_loop_only_where_it_is_asked_to() -> None:
    rig, begin = recorded(1)
    rig.run(begin + 2 * BAR)
    assert np.array_equal(rig.heard_by_band[-1], rig.sound(rig.at - FRAME, FRAME))
    rig.ask(SetLoop("heard", True))
    rig.run(begin + 3 * BAR)
    at = rig.at - FRAME
    assert np.allclose(rig.heard_by_band[-1], rig.sound(at, FRAME) + rig.out[at : at + FRAME])


# ------------------------------------------------------------------------------------------------- what cannot be


def test_without_a_beat_there_is_nothing_to_loop_on() -> None:
    rig = Rig()
    rig.conductor = Conductor(RATE)
    rig.looper = Looper(RATE, FRAME, rig.conductor, rig.faults)
    rig.run(RATE)
    with pytest.raises(ConfigError, match="no beat to loop on yet"):
        rig.press()
    with pytest.raises(ConfigError, match="no beat to loop on yet"):
        rig.ask(LoopKeep(2))
    assert rig.phase == "empty"


@pytest.mark.parametrize("deed", ["play", "stop", "half", "double", "undo", "redo"])
def test_what_needs_a_loop_says_so(deed: str) -> None:
    rig = Rig()
    rig.run(BAR)
    with pytest.raises(ConfigError, match=r"no loop|nothing to"):
        rig.do(deed)


def test_a_recording_is_never_longer_than_the_looper_takes() -> None:
    rig = Rig(60.0, lambda position, count: np.full(count, 0.1, np.float32))
    rig.run(RATE)
    rig.press()
    rig.run(110 * RATE)
    assert rig.phase == "playing" and rig.looper.view(rig.at).bars == 22
    assert any("as much as the looper takes" in line for line in rig.faults.warnings)


# -------------------------------------------------------------------------------------------- another gives the time


def followed() -> tuple[Rig, OtherClock]:
    rig = Rig()
    clock = OtherClock(120.0)
    rig.conductor.follow(clock)
    rig.run(BAR // 2)
    rig.press()
    rig.run(2 * BAR + BAR // 2)
    rig.press()
    rig.run(6 * BAR)
    assert rig.phase == "playing" and rig.looper.view(rig.at).bars == 2
    return rig, clock


def test_a_loop_is_put_on_each_line_of_another_clock_and_does_not_drift() -> None:
    """The other clock is 0.1 % slower than it was: in eighty seconds a loop left alone would be 80 ms off."""
    rig, clock = followed()
    clock.turn_to(120.0 / 1.001, float(rig.at))
    rig.run(40 * BAR)
    assert rig.looper.view(rig.at).waits == ""
    lines = rig.looper._lines
    line = lines.last(rig.at)
    assert line is not None
    off = (line.position_samples - rig.looper._reader.anchor_at(line.position_samples)) % BAR
    assert min(off, BAR - off) <= 0.0021 * RATE
    assert clock.line.beat_at(line.position_samples, RATE) % 4 == pytest.approx(0.0, abs=0.01)


def test_without_the_library_a_loop_waits_for_its_tempo_and_says_so() -> None:
    rig, clock = followed()
    rig.looper._tempo._retimer.available = False
    clock.turn_to(126.0, float(rig.at))
    rig.run(rig.at + 6 * BAR)
    assert rig.looper.view(rig.at).waits == "tempo"
    assert not rig.out[-2 * RATE :].any()
    (line,) = [line for line in rig.faults.warnings if "bpm" in line]
    assert "120.0 bpm" in line and "126.0" in line and "pip install" in line
    clock.turn_to(120.0, float(rig.at))
    rig.run(rig.at + 6 * BAR)
    assert rig.looper.view(rig.at).waits == "" and rig.out[-2 * RATE :].any()


def test_a_stop_of_the_other_clock_stops_the_loop() -> None:
    rig, clock = followed()
    clock.stopped = True
    rig.run(rig.at + 2 * BAR)
    assert rig.phase == "stopped"


def test_a_tempo_that_cannot_be_had_is_refused_in_one_line() -> None:
    rig, _ = recorded(2)
    rig.looper._tempo._retimer.available = False
    with pytest.raises(ConfigError, match=r"keeps its 120 bpm: clear it first, or pip install"):
        rig.ask(SetTempo(130.0))
