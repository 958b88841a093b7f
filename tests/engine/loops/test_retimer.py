"""A loop at another tempo, by the real library: its length, its beats where they belong, its seam, and its pitch."""

from __future__ import annotations

import time

import numpy as np
import pytest
from gigmate.engine.commands import SetTempo
from gigmate.engine.loops.loop_sound import LoopSound
from gigmate.engine.loops.retimer import LIBRARY, Retimer

from .looping import FRAME, RATE, OtherClock, Rig

BEAT = RATE // 2
BAR = 4 * BEAT
HZ = 440.0


def plucked(position: int, count: int) -> np.ndarray:
    """A short tone on every beat."""
    place = (position + np.arange(count)) % BEAT
    return (0.3 * np.exp(-place / (0.05 * RATE)) * np.sin(2 * np.pi * HZ * place / RATE)).astype(np.float32)


def loop_of(bars: int) -> LoopSound:
    loop = LoopSound(tuple(BAR * bar for bar in range(bars + 1)), (4,) * bars, RATE // 100)
    loop.fill(0, plucked(0, bars * BAR))
    loop.begin_take(RATE)
    return loop


def waited(retimer: Retimer) -> LoopSound | str:
    end_s = time.monotonic() + 60
    while time.monotonic() < end_s:
        made = retimer.take()
        if made is not None:
            return made
        time.sleep(0.02)
    raise AssertionError("the library did not answer")


def onsets(sound: np.ndarray) -> np.ndarray:
    """Where the short-time level rises most in each beat of `BEAT` samples' neighbourhood, in samples."""
    level = np.convolve(np.abs(sound), np.ones(96) / 96, "same")
    rise = np.diff(level, prepend=level[:1])
    found = []
    for at in np.flatnonzero(rise > 0.3 * rise.max()):
        if not found or at - found[-1] > BEAT // 2:
            found.append(int(at))
    return np.array(found)


@pytest.mark.parametrize("tempo_bpm", [100.0, 126.0, 140.0])
def test_beats_stay_on_beats_and_the_pitch_stays(tempo_bpm: float) -> None:
    pytest.importorskip(LIBRARY)
    retimer, loop = Retimer(RATE), loop_of(2)
    length = round(loop.length * 120.0 / tempo_bpm)
    retimer.ask(loop, length)
    made = waited(retimer)
    assert isinstance(made, LoopSound)
    assert made.length == length and made.bars == 2 and len(made.takes) == 2
    beat = length / 8
    found = onsets(np.tile(made.sound, 2))[1:9]  # the seam among them
    usual = ((onsets(plucked(0, BAR))[1:] + BEAT / 2) % BEAT - BEAT / 2).mean()
    off = (found + beat / 2) % beat - beat / 2 - usual
    assert np.abs(off).max() < 0.003 * RATE
    spectrum = np.abs(np.fft.rfft(made.sound))
    assert spectrum.argmax() * RATE / made.length == pytest.approx(HZ, rel=0.01)


def test_what_the_library_cannot_do_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("gigmate.engine.loops.retimer.sys.executable", "/nowhere/python")
    retimer = Retimer(RATE)
    retimer.ask(loop_of(1), 1000)
    said = waited(retimer)
    assert isinstance(said, str) and "/nowhere/python" in said


def test_a_loop_that_leads_takes_another_tempo_and_one_that_follows_comes_back() -> None:
    pytest.importorskip(LIBRARY)
    for led in (True, False):
        rig, clock = Rig(120.0, plucked), OtherClock(120.0)
        if not led:
            rig.conductor.follow(clock)
        rig.run(BAR // 2)
        rig.press()
        rig.run(BAR + BAR // 2)
        rig.press()
        rig.run(3 * BAR)
        if led:
            rig.ask(SetTempo(126.0))
        else:
            clock.turn_to(126.0, float(rig.at))
        end_s = time.monotonic() + 60
        while rig.looper.view(rig.at).waits == "tempo" or rig.looper._loop.length == BAR:  # type: ignore[union-attr]
            rig.run(rig.at + 5 * FRAME)
            time.sleep(0.02)
            assert time.monotonic() < end_s
        rig.run(rig.at + 2 * BAR)
        assert rig.conductor.tempo_bpm == pytest.approx(126.0, rel=1e-3)
        assert rig.out[-RATE:].any()
