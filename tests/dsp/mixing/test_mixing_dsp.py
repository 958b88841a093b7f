"""Placing, compression and the room: pieces equal the whole, silence comes out of silence, mono loses nothing."""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np
import pytest
from gigmate.dsp.mixing.compressor import Compression, Compressor
from gigmate.dsp.mixing.placing import Place, Placer
from gigmate.dsp.mixing.room import Room

RATES_HZ = (44_100, 48_000, 96_000)
CUTS = [1, 7, 16, 640, 641, 3000, 3077]
Process = Callable[[np.ndarray], np.ndarray]


def noise(samples: int, level: float = 0.2, sides: int = 2) -> np.ndarray:
    return (level * np.random.default_rng(3).standard_normal((sides, samples))).astype(np.float32)


def placer(rate_hz: int) -> Process:
    made = Placer(rate_hz, Place(trim_db=-3.0, pan=0.3, width=0.7, spread=0.4, send=0.5))
    made.glide(Place(pan=-0.5, send=0.1))

    def process(sound: np.ndarray) -> np.ndarray:
        send = np.zeros(sound.shape[1], np.float32)
        made.process(sound, send)
        return np.concatenate([sound, send[None]])

    return process


def compressor(rate_hz: int) -> Process:
    made = Compressor(rate_hz, Compression(-24.0, 3.0, make_up_db=2.0, rms_ms=5.0))

    def process(sound: np.ndarray) -> np.ndarray:
        made.process(sound)
        return sound

    return process


def room(rate_hz: int) -> Process:
    made = Room(rate_hz, 0.4)

    def process(sound: np.ndarray) -> np.ndarray:
        out = np.zeros_like(sound)
        made.add(np.ascontiguousarray(sound[0]), out)
        return out

    return process


@pytest.mark.parametrize("make", [placer, compressor, room])
@pytest.mark.parametrize("rate_hz", RATES_HZ)
def test_pieces_equal_the_whole_to_the_bit(make: Callable[[int], Process], rate_hz: int) -> None:
    sound = noise(5000)
    whole = make(rate_hz)(sound.copy())
    process = make(rate_hz)
    pieces = [process(np.ascontiguousarray(piece)) for piece in np.split(sound, CUTS, axis=1)]
    np.testing.assert_array_equal(np.concatenate(pieces, axis=1), whole)


@pytest.mark.parametrize("make", [placer, compressor, room])
def test_what_is_no_sound_does_not_stay(make: Callable[[int], Process]) -> None:
    process = make(48_000)
    sound = noise(4800)
    if make is not room:  # its input comes out of the placer, which lets nothing but sound through
        sound[:, 100:110] = np.nan
        sound[0, 200], sound[1, 201] = np.inf, -np.inf
    assert np.isfinite(process(sound)).all()
    assert np.isfinite(process(noise(4800))).all()
    for _ in range(40):
        last = process(np.zeros((2, 4800), np.float32))
    assert not last.any(), "silence has to come out of silence once the tail is over"


def test_in_the_middle_a_part_is_what_it_was() -> None:
    sound, send = noise(1000), np.ones(1000, np.float32)
    out = sound.copy()
    Placer(48_000).process(out, send)
    np.testing.assert_allclose(out, sound, rtol=1e-6)
    assert not send.any()


def test_pan_keeps_power_and_goes_all_the_way() -> None:
    for pan in (-1.0, -0.5, 0.2, 1.0):
        sound = np.repeat(noise(1000, sides=1), 2, axis=0)
        before = np.square(sound).sum()
        Placer(48_000, Place(pan=pan)).process(sound, np.zeros(1000, np.float32))
        assert np.square(sound).sum() == pytest.approx(before, rel=1e-3)
        if abs(pan) == 1.0:
            assert np.abs(sound[0 if pan > 0 else 1]).max() < 1e-6


@pytest.mark.parametrize("place", [Place(width=0.0), Place(width=0.4), Place(spread=0.8), Place(width=0.2, spread=0.5)])
def test_width_and_spread_leave_the_mono_sum_as_it_is(place: Place) -> None:
    sound = noise(9600)
    out = sound.copy()
    Placer(48_000, place).process(out, np.zeros(9600, np.float32))
    np.testing.assert_allclose(out.sum(axis=0), sound.sum(axis=0), atol=1e-5)


def test_spread_makes_two_sides_of_one_and_spares_the_lows() -> None:
    time_s = np.arange(48_000) / 48_000
    differences = []
    for hz in (50.0, 2000.0):
        sound = np.repeat(0.3 * np.sin(2 * math.pi * hz * time_s)[None], 2, axis=0).astype(np.float32)
        Placer(48_000, Place(spread=0.5)).process(sound, np.zeros(48_000, np.float32))
        differences.append(float(np.std(sound[0] - sound[1])))
    assert differences[1] > 0.1 > 12 * differences[0]


def test_a_place_is_reached_without_a_click() -> None:
    made = Placer(48_000)
    time_s = np.arange(9600) / 48_000
    sound = np.repeat(0.5 * np.sin(2 * math.pi * 100 * time_s)[None], 2, axis=0).astype(np.float32)
    steady = float(np.abs(np.diff(sound)).max())
    made.glide(Place(pan=1.0, trim_db=-6.0))
    made.process(sound, np.zeros(9600, np.float32))
    assert float(np.abs(np.diff(sound)).max()) < 1.3 * steady
    assert np.abs(sound[0, 4800:]).max() < 1e-6


@pytest.mark.parametrize("rate_hz", RATES_HZ)
@pytest.mark.parametrize("rms_ms", [0.0, 8.0])
def test_a_steady_tone_comes_down_by_what_the_curve_says(rate_hz: int, rms_ms: float) -> None:
    wanted = Compression(-24.0, 3.0, knee_db=6.0, attack_ms=5.0, release_ms=400.0, rms_ms=rms_ms)
    made = Compressor(rate_hz, wanted)
    tone = np.sin(2 * math.pi * 1000.0 * np.arange(rate_hz) / rate_hz)
    for level_db in (-40.0, -25.0, -12.0):
        made.reset()
        sound = np.repeat(tone[None] * 10 ** (level_db / 20), 2, axis=0).astype(np.float32)
        made.process(sound)
        out_db = 20 * math.log10(float(np.abs(sound[:, rate_hz // 2 :]).max()))
        measured_db = level_db - 3.01 if rms_ms else level_db
        assert level_db - out_db == pytest.approx(wanted.reduction_db(measured_db), abs=0.3)


def test_attack_and_release_take_their_time() -> None:
    made = Compressor(48_000, Compression(-30.0, 4.0, attack_ms=10.0, release_ms=100.0))
    loud = np.full((2, 480), 0.5, np.float32)
    made.process(loud)  # one attack
    whole = Compression(-30.0, 4.0).reduction_db(20 * math.log10(0.5))
    assert made.reduction_db == pytest.approx((1 - math.exp(-1)) * whole, rel=0.1)
    made.process(np.full((2, 48_000), 0.5, np.float32))
    made.process(np.zeros((2, 4800), np.float32))  # one release
    assert made.reduction_db == pytest.approx(math.exp(-1) * whole, rel=0.1)


def test_no_compression_changes_nothing() -> None:
    made, sound = Compressor(48_000), noise(4800)
    out = sound.copy()
    made.process(out)
    np.testing.assert_array_equal(out, sound)
    assert made.idle


@pytest.mark.parametrize("rate_hz", RATES_HZ)
@pytest.mark.parametrize("decay_s", [0.3, 0.6])
def test_the_room_decays_as_asked_for_and_is_two_rooms_left_and_right(rate_hz: int, decay_s: float) -> None:
    made = Room(rate_hz, decay_s)
    send, out = np.zeros(rate_hz, np.float32), np.zeros((2, rate_hz), np.float32)
    send[0] = 1.0
    made.add(send, out)
    low = _lowpassed(out[0], rate_hz)
    energy = np.cumsum(np.square(low[::-1], dtype=np.float64))[::-1]
    level_db = 10 * np.log10(energy / energy[0] + 1e-30)
    measured_s = 2.0 * (int(np.argmax(level_db < -35)) - int(np.argmax(level_db < -5))) / rate_hz
    assert measured_s == pytest.approx(decay_s, rel=0.25)
    assert abs(np.corrcoef(out)[0, 1]) < 0.1
    assert np.square(out.mean(axis=0)).sum() > 0.4 * np.square(out[0]).sum()


def test_the_room_rests_once_it_is_silent() -> None:
    made = Room(48_000, 0.3)
    assert made.silent
    out = np.zeros((2, 48_000), np.float32)
    made.add(noise(48_000, sides=1)[0], out)
    assert not made.silent
    for _ in range(3):
        out[:] = 0.0
        made.add(np.zeros(48_000, np.float32), out)
    assert made.silent and not out.any()


def test_lows_stay_out_of_the_room() -> None:
    time_s = np.arange(48_000) / 48_000
    levels = []
    for hz in (40.0, 1000.0):
        out = np.zeros((2, 48_000), np.float32)
        Room(48_000).add(np.sin(2 * math.pi * hz * time_s).astype(np.float32), out)
        levels.append(float(out.std()))
    assert levels[0] < 0.2 * levels[1]


def _lowpassed(sound: np.ndarray, rate_hz: int) -> np.ndarray:
    """By a Gaussian, which rings nowhere."""
    spectrum = np.fft.rfft(sound, 2 * sound.size)
    spectrum *= np.exp(-np.square(np.fft.rfftfreq(2 * sound.size, 1.0 / rate_hz) / 1500.0))
    return np.fft.irfft(spectrum)[: sound.size]
