"""The probe on made loops: exact where the loop is clean, right where it is not, and an error where nothing is sure."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from gigmate.latency.probe import (
    PEAK_LEVELS,
    Clipping,
    NoCable,
    Probe,
    ProbeError,
    TooQuiet,
    Unstable,
)
from gigmate.latency.probe_burst import make_sweep, read_burst
from gigmate.latency.probe_tones import (
    PEAK,
    PERIOD_SAMPLES,
    make_tones,
    read_tones,
)

from .loops import MadeLoop, noise_at

BURST = make_sweep(48_000) * np.float32(PEAK_LEVELS[-1])


@pytest.mark.parametrize("delay", [0.0, 12_345.678, 200_000.0])
def test_a_clean_loop_is_measured_to_a_hundredth_of_a_sample(delay: float) -> None:
    found = Probe(MadeLoop(delay)).measure()
    assert abs(found.delay_samples - delay) < 0.01
    assert found.burst_samples is not None
    assert abs(found.burst_samples - delay) < 0.01, "both methods, each by itself"
    assert found.method == "tones"
    assert found.polarity == 1
    assert found.gain_db == pytest.approx(0.0, abs=1.0)
    assert found.spread_samples < 0.01
    assert found.confidence > 0.99
    assert found.notes == ()
    json.dumps(found.to_dict(), allow_nan=False)


@pytest.mark.parametrize("rate_hz", [8_000, 44_100, 96_000])
def test_any_rate(rate_hz: int) -> None:
    found = Probe(MadeLoop(321.75, rate_hz=rate_hz), repeats=2).measure()
    assert abs(found.delay_samples - 321.75) < 0.01
    assert found.delay_ms == pytest.approx(321_750 / rate_hz)


@pytest.mark.parametrize(("delay", "method"), [(1000.5, "auto"), (23_456.31, "tones"), (23_456.31, "burst")])
def test_noise_20_db_below_the_signal(delay: float, method: str) -> None:
    signal = make_tones(1) if method == "tones" else BURST
    loop = MadeLoop(delay, noise_rms=noise_at(20.0, signal))
    found = Probe(loop, method, repeats=2).measure()  # type: ignore[arg-type]
    assert abs(found.delay_samples - delay) < 0.1
    assert found.noise_dbfs > -60.0


@pytest.mark.parametrize("delay", [1000.5, 70_000.37])
def test_a_loop_gain_of_one_in_ten_thousand_and_noise(delay: float) -> None:
    found = Probe(MadeLoop(delay, 1e-4, noise_rms=noise_at(20.0, BURST, 1e-4)), repeats=2).measure()
    assert abs(found.delay_samples - delay) < 1.0
    assert found.gain_db == pytest.approx(-80.0, abs=1.0)
    assert found.method == "burst", "the tones cannot be trusted there"


def test_hum_louder_than_the_signal_is_heard_through() -> None:
    found = Probe(MadeLoop(100.3, 0.1, hum=0.1, noise_rms=1e-4), repeats=2).measure()
    assert abs(found.delay_samples - 100.3) < 0.1


def test_an_inverted_loop_is_told() -> None:
    for method in ("tones", "burst"):
        found = Probe(MadeLoop(4321.2, -0.5), method, repeats=2).measure()  # type: ignore[arg-type]
        assert abs(found.delay_samples - 4321.2) < 0.01
        assert found.polarity == -1


def test_a_loop_that_clips_low_is_still_found_and_too_much_gain_is_turned_down() -> None:
    assert abs(Probe(MadeLoop(500.2, 3.0, clip=0.2), repeats=2).measure().delay_samples - 500.2) < 0.1
    loop = MadeLoop(500.2, 50.0, clip=1.0)
    found = Probe(loop, repeats=2).measure()
    assert abs(found.delay_samples - 500.2) < 0.01
    assert found.clipped_samples == 0
    assert max(loop.loudest) * 50.0 < 1.0


def test_an_amplifier_and_a_microphone_take_the_burst_and_say_so() -> None:
    """The band's own group delay is a few samples: the figure lies within it."""
    found = Probe(MadeLoop(777.4, band=(100.0, 5000.0), noise_rms=1e-4), repeats=2).measure()
    assert 777.4 - 1.0 < found.delay_samples < 777.4 + 4.0
    assert found.method == "burst"
    assert "amplifier" in found.notes[0]


def test_two_clocks_that_drift_are_measured() -> None:
    found = Probe(MadeLoop(5000.5, drift_ppm=50.0), repeats=3).measure()
    assert found.drift_ppm == pytest.approx(50.0, abs=1.0)


def test_it_begins_quietly_and_is_never_loud() -> None:
    loop = MadeLoop(10.0, 0.0)
    with pytest.raises(NoCable):
        Probe(loop, max_delay_s=1.0).measure()
    assert loop.loudest[0] <= 0.005
    assert max(loop.loudest) <= 0.25
    assert all(after <= 4.01 * before for before, after in zip(loop.loudest, loop.loudest[1:], strict=False))
    assert float(np.abs(make_tones()).max()) <= PEAK < 0.33
    assert loop.sent.size < 15 * 48_000, "the waiting has an end"


@pytest.mark.parametrize("noise_rms", [0.0, 0.01])
@pytest.mark.parametrize("method", ["auto", "tones"])
def test_no_cable(noise_rms: float, method: str) -> None:
    loop = MadeLoop(10.0, 0.0, noise_rms=noise_rms)
    with pytest.raises(NoCable, match="connect the two with a cable") as caught:
        Probe(loop, method, max_delay_s=1.0, source="output 3", target="input 1").measure()  # type: ignore[arg-type]
    assert "output 3" in str(caught.value)
    assert caught.value.cause == "no cable"


def test_who_forgot_the_cable_is_told_what_is_tried_meanwhile() -> None:
    loop, told_s = MadeLoop(10.0, 0.0), [0.0]
    lines: list[str] = []

    def tell(line: str) -> None:
        lines.append(line)
        told_s.append(loop.sent.size / 48_000)

    with pytest.raises(NoCable):
        Probe(loop, max_delay_s=4.5, target="input 1", progress=tell).measure()
    told_s.append(loop.sent.size / 48_000)
    assert np.diff(told_s).max() < 9.0
    assert np.diff(told_s)[:4].max() < 3.0
    assert "louder" in lines[0] and "input 1" in lines[0] and "4.5 s" in lines[-1]
    lines.clear()
    Probe(MadeLoop(777.4), progress=lines.append).measure()
    assert lines == []  # where it comes back at once there is nothing to say


def test_too_quiet_to_be_sure() -> None:
    with pytest.raises(TooQuiet, match="turn the output or the input up"):
        Probe(MadeLoop(10.0, 2e-3, noise_rms=0.01), max_delay_s=1.0).measure()


@pytest.mark.parametrize("method", ["auto", "tones"])
def test_an_overdriven_input(method: str) -> None:
    with pytest.raises(Clipping, match="turn the input down"):
        Probe(MadeLoop(10.0, 1000.0, clip=1.0), method, max_delay_s=1.0).measure()  # type: ignore[arg-type]


def test_a_delay_that_jumps_is_unstable() -> None:
    class Jumping(MadeLoop):
        def exchange(self, signal: np.ndarray, before_samples: int, after_samples: int) -> np.ndarray:
            self.delay += 500.0
            return super().exchange(signal, before_samples, after_samples)

    with pytest.raises(Unstable, match="varies by"):
        Probe(Jumping(10.0), max_delay_s=1.0).measure()


def test_a_cable_that_falls_out_is_unstable() -> None:
    class Falling(MadeLoop):
        def exchange(self, signal: np.ndarray, before_samples: int, after_samples: int) -> np.ndarray:
            self.gain = 1.0 if len(self.loudest) < 2 else 0.0
            return super().exchange(signal, before_samples, after_samples)

    with pytest.raises(ProbeError, match="comes and goes"):
        Probe(Falling(10.0), max_delay_s=1.0).measure()


def test_watching_goes_on_at_the_level_found() -> None:
    loop = MadeLoop(333.3, 2.0)
    probe = Probe(loop, repeats=2)
    watching: Iterator = probe.watch(probe.measure())
    assert abs(next(watching).delay_samples - 333.3) < 0.01
    loop.delay = 444.4
    assert abs(next(watching).delay_samples - 444.4) < 0.01
    loop.gain = 0.0
    with pytest.raises(NoCable):
        next(watching)


def test_tones_alone_say_that_they_wrap() -> None:
    found = Probe(MadeLoop(PERIOD_SAMPLES - 20.5), "tones").measure()
    assert abs(found.delay_samples - (PERIOD_SAMPLES - 20.5)) < 0.01
    assert "65536" in found.notes[0]


def test_what_cannot_be_asked(tmp_path: Path) -> None:
    loop = MadeLoop()
    for settings in ({"method": "guess"}, {"repeats": 0}, {"max_delay_s": 0.0}):
        with pytest.raises(ValueError, match=r"method|repeats"):
            Probe(loop, **settings)  # type: ignore[arg-type]
    with pytest.raises(ValueError, match="65536"):
        read_tones(np.zeros(100, np.float32))
    with pytest.raises(ValueError, match="before"):
        read_burst(np.zeros(100, np.float32), BURST, 48_000, 0, 100)
    with pytest.raises(ValueError, match="no sweep"):
        make_sweep(48_000, 10)
