"""The bridge: what goes into the callback, what comes out, what is counted, and what its compiled code may call."""

from __future__ import annotations

import os
import re
import subprocess
import sys
import threading
import time

import numpy as np
import pytest
from gigmate.dsp.raw_memory import load_f32, store_f32
from gigmate.engine.callback import audio_callback, jack_callback, portaudio_callback
from gigmate.engine.callback.bridge import Bridge
from hypothesis import given, settings
from hypothesis import strategies as st
from numba import cfunc, types

RATE_HZ = 48000
RAMP = 960
MODULES = {"jack": jack_callback, "portaudio": portaudio_callback}


def _run(bridge: Bridge, heard: np.ndarray, outputs: int = 1) -> np.ndarray:
    """One callback with float32 [channels, n]; float32 [outputs, n]."""
    played = np.full((outputs, heard.shape[1]), np.nan, np.float32)
    bridge.process_arrays(np.ascontiguousarray(heard, np.float32), played)
    return played


def _silence(count: int) -> np.ndarray:
    return np.zeros((1, count), np.float32)


def _playing(bridge: Bridge) -> Bridge:
    """Ramped up, with silence, to position RAMP."""
    bridge.set_playing(True)
    bridge.out_ring.write_at(0, np.zeros(RAMP))
    _run(bridge, _silence(RAMP))
    return bridge


@given(st.lists(st.integers(1, 700), min_size=1, max_size=30), st.integers(1, 3), st.integers(1, 3))
@settings(deadline=None)
def test_any_sequence_of_block_sizes_keeps_every_sample_in_place(blocks: list[int], ins: int, outs: int) -> None:
    bridge = Bridge(RATE_HZ, max_block_samples=256)
    total = sum(blocks)
    rng = np.random.default_rng(total)
    heard = (rng.standard_normal((ins, total)) * 0.1).astype(np.float32)
    band = (rng.standard_normal(total) * 0.1).astype(np.float32)
    bridge.set_playing(True)
    bridge.out_ring.write_at(0, band)
    played, at = [], 0
    for block in blocks:
        played.append(_run(bridge, heard[:, at : at + block], outs))
        at += block
        assert bridge.position == at == bridge.out_ring.read_index == bridge.in_ring.write_index
    np.testing.assert_allclose(bridge.in_ring.read(total), heard.mean(axis=0), atol=1e-6)
    ramp = np.sin(np.minimum(np.arange(1, total + 1), RAMP) * (np.pi / 2 / RAMP))
    for channel in np.concatenate(played, axis=1):
        np.testing.assert_allclose(channel, band * ramp, atol=1e-6)
    counters = bridge.counters()
    assert (counters.callbacks, counters.samples) == (len(blocks), total)
    assert (counters.max_block_samples, counters.block_samples) == (max(blocks), blocks[-1])
    assert (counters.miss_samples, counters.in_dropped_samples, counters.nonfinite_samples) == (0, 0, 0)
    assert counters.in_peak == pytest.approx(np.abs(heard.mean(axis=0)).max(), rel=1e-5)


def test_no_channel_at_all_is_no_fault() -> None:
    bridge = Bridge(RATE_HZ)
    bridge.process_arrays(np.zeros((0, 64), np.float32), np.zeros((0, 64), np.float32))
    assert bridge.position == 64
    assert not bridge.in_ring.read(64).any()


def test_start_and_stop_ramp_with_equal_power() -> None:
    bridge = Bridge(RATE_HZ)
    bridge.out_ring.write_at(0, np.full(6000, 0.5))
    assert not _run(bridge, _silence(500)).any()
    bridge.set_playing(True, from_position=700)
    up = _run(bridge, _silence(2000))[0]
    assert not up[:200].any()
    np.testing.assert_allclose(up[200:1160], 0.5 * np.sin(np.arange(1, RAMP + 1) * (np.pi / 2 / RAMP)), atol=1e-6)
    np.testing.assert_array_equal(up[1160:], np.float32(0.5))
    assert bridge.gain == 1.0
    bridge.set_playing(False)
    down = _run(bridge, _silence(2000))[0]
    assert np.abs(np.diff(down)).max() < 0.002
    assert not down[RAMP:].any()
    assert bridge.gain == 0.0
    assert bridge.counters().miss_samples == 0


def test_misses_count_only_while_the_band_sounds() -> None:
    bridge = Bridge(RATE_HZ)
    _run(bridge, _silence(1000))
    assert bridge.counters().miss_samples == 0
    bridge.set_playing(True)
    _run(bridge, _silence(1000))
    counters = bridge.counters()
    assert (counters.miss_samples, counters.miss_episodes, counters.miss_blocks) == (1000, 1, 1)


def test_a_miss_is_covered_by_the_last_bar_and_late_sound_is_discarded() -> None:
    bridge = _playing(Bridge(RATE_HZ))
    bar = 12000
    band = (np.random.default_rng(3).standard_normal(bar) * 0.1).astype(np.float32)
    bridge.set_fallback_period(bar)
    bridge.out_ring.write_at(RAMP, np.tile(band, 2))
    first = np.concatenate([_run(bridge, _silence(128))[0] for _ in range(bar // 128)])
    np.testing.assert_array_equal(first, band[: first.size])
    _run(bridge, _silence(2 * bar - first.size))
    cover = _run(bridge, _silence(bar))[0]  # nothing was written for this bar
    np.testing.assert_array_equal(cover[1000:], band[1000:])
    assert bridge.out_ring.write_at(RAMP + 2 * bar, band) == 0
    counters = bridge.counters()
    assert (counters.miss_samples, counters.miss_episodes) == (bar, 1)


def test_nonfinite_samples_become_silence_and_are_counted() -> None:
    bridge = _playing(Bridge(RATE_HZ))
    heard = np.full((2, 64), 0.25, np.float32)
    heard[0, 3], heard[1, 5], heard[:, 7] = np.nan, np.inf, -np.inf
    band = np.full(64, 0.5, np.float32)
    band[10:13] = np.nan, np.inf, -np.inf
    bridge.in_ring.skip_to(RAMP)
    bridge.out_ring.write_at(RAMP, band)
    played = _run(bridge, heard)[0]
    np.testing.assert_array_equal(played[[9, 10, 11, 12, 13]], np.float32([0.5, 0, 0, 0, 0.5]))
    np.testing.assert_array_equal(bridge.in_ring.read(8), np.float32([0.25] * 3 + [0.125, 0.25, 0.125, 0.25, 0]))
    counters = bridge.counters()
    assert (counters.nonfinite_in_samples, counters.nonfinite_out_samples, counters.nonfinite_samples) == (4, 3, 7)


@given(st.lists(st.floats(width=32), min_size=1, max_size=200))
@settings(deadline=None, max_examples=50)
def test_whatever_the_model_says_nothing_is_above_the_ceiling(band: list[float]) -> None:
    bridge = _playing(Bridge(RATE_HZ, ceiling_dbfs=-3.0))
    bridge.out_ring.write_at(RAMP, np.array(band, np.float32))
    played = _run(bridge, np.array([band], np.float32), outputs=2)
    assert np.isfinite(played).all()
    assert np.abs(played.astype(np.float64)).max() <= 10 ** (-3 / 20)
    assert bridge.counters().out_peak <= 10 ** (-3 / 20)


def test_peaks_are_taken_once() -> None:
    bridge = Bridge(RATE_HZ)
    _run(bridge, np.full((1, 32), -0.5))
    assert bridge.counters(take_peaks=False).in_peak == 0.0
    assert bridge.counters().in_peak == 0.5
    assert bridge.counters().in_peak == 0.0


def test_a_worker_that_sleeps_finds_the_clock_right() -> None:
    bridge = Bridge(RATE_HZ, in_capacity=1000)
    for block in range(20):
        _run(bridge, np.full((1, 100), block + 1) / 100)
    assert bridge.counters().in_dropped_samples == 1000
    np.testing.assert_allclose(bridge.in_ring.read(2000), np.repeat(np.arange(1, 11), 100) / 100, atol=1e-6)
    _run(bridge, np.full((1, 100), 0.99))
    gap = bridge.in_ring.read(5000)
    assert bridge.in_ring.read_index == bridge.position == 2100
    assert not gap[:1000].any()
    np.testing.assert_allclose(gap[1000:], 0.99, atol=1e-6)


def test_wait_returns_when_the_sound_is_there() -> None:
    bridge = Bridge(RATE_HZ)
    assert not bridge.wait(0.02, 10)
    timer = threading.Timer(0.05, lambda: _run(bridge, _silence(64)))
    timer.start()
    assert bridge.wait(5.0, 64)
    timer.join()


@cfunc(types.float32(types.int64, types.float32))
def _product_of(scratch, small):  # type: ignore[no-untyped-def]
    store_f32(scratch, 0, small)
    return load_f32(scratch, 0) * np.float32(0.5)


def test_denormals_are_flushed_inside_and_the_caller_keeps_its_mode() -> None:
    bridge = _playing(Bridge(RATE_HZ))
    tiny = np.full((1, 64), 1e-39, np.float32)
    bridge.in_ring.skip_to(RAMP)
    bridge.out_ring.write_at(RAMP, tiny[0])
    scratch = np.zeros(1, np.float32)
    denormal = np.float32(1e-39)
    assert _product_of.ctypes(scratch.ctypes.data, denormal) > 0
    _run(bridge, np.concatenate([tiny, tiny]))
    assert _product_of.ctypes(scratch.ctypes.data, denormal) > 0
    assert not bridge.in_ring.read(64).any()


@pytest.mark.parametrize(
    "name", ["process", "jack_process", "portaudio_process", "jack_xrun", "jack_shutdown", "jack_freewheel"]
)
def test_the_compiled_callback_calls_neither_python_nor_an_allocator_nor_a_lock(name: str) -> None:
    cached = getattr(MODULES.get(name.split("_")[0], audio_callback), name)
    fresh = cfunc(cached._sig, error_model="numpy")(cached._pyfunc)  # cached code cannot be inspected
    text, assembly = fresh._library.get_llvm_str(), fresh._library.get_asm_str()
    called = set(re.findall(r"(?:call|invoke)[^@\n]*@\"?([\w.$]+)", text))
    own = {function for function in called if name in function}
    assert not {function for function in called - own if not function.startswith("llvm.")}
    named = set(re.findall(r"(?:movabsq\s+\$|callq?\s+\$?)([A-Za-z]\w*)", assembly))  # of x86; elsewhere it finds none
    assert named <= {"memcpy", "memset", "memmove"}
    for word in ("NRT_", "Py", "pthread", "mutex", "malloc", "gil"):
        assert word not in re.sub(r"_ZN\w+", "", assembly), word


@pytest.mark.timeout(600)  # compiling anew on a busy machine
def test_a_second_process_compiles_nothing(tmp_path) -> None:
    code = (
        "from gigmate.engine.callback import audio_callback, jack_callback, portaudio_callback, bridge\n"
        "from gigmate.dsp import ring\n"
        "functions = [audio_callback.process, jack_callback.jack_process,"
        " portaudio_callback.portaudio_process, ring._take]\n"
        "print(sum(f.cache_hits for f in functions), len(functions))"
    )
    environment = {**os.environ, "XDG_CACHE_HOME": str(tmp_path), "HOME": str(tmp_path), "LOCALAPPDATA": str(tmp_path)}
    outputs = [
        subprocess.run([sys.executable, "-c", code], env=environment, capture_output=True, text=True, check=True).stdout
        for _ in range(2)
    ]
    assert outputs[0].split() == ["0", "4"]
    assert outputs[1].split() == ["4", "4"]


@pytest.mark.timeout(600)
@pytest.mark.skipif(sys.platform == "win32" or os.geteuid() != 0, reason="needs a home that is read-only")
def test_a_home_that_cannot_be_written_still_works() -> None:
    environment = {**os.environ, "XDG_CACHE_HOME": "/proc/nowhere", "HOME": "/proc/nowhere"}
    code = "from gigmate.dsp.ring import Ring; print(Ring(4).write([1.0, 2.0]))"
    done = subprocess.run([sys.executable, "-c", code], env=environment, capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "2"


def test_process_arrays_refuses_what_it_would_misread() -> None:
    bridge = Bridge(RATE_HZ)
    with pytest.raises(ValueError, match="contiguous"):
        bridge.process_arrays(np.zeros((1, 8)), np.zeros((1, 8), np.float32))
    with pytest.raises(ValueError, match="contiguous"):
        bridge.process_arrays(np.zeros((8, 2), np.float32).T, np.zeros((2, 8), np.float32))
    with pytest.raises(ValueError, match="length"):
        bridge.process_arrays(np.zeros((1, 8), np.float32), np.zeros((1, 9), np.float32))


def test_the_callback_runs_while_a_worker_writes() -> None:
    """Two threads: every sample that the worker got in is played at its position, the others are misses."""
    bridge = Bridge(RATE_HZ)
    bridge.set_playing(True)
    stop = threading.Event()

    def work() -> None:
        while not stop.is_set():
            begin = bridge.out_ring.write_index
            bridge.out_ring.write_at(begin, np.full(500, 0.25))
            time.sleep(0.001)

    worker = threading.Thread(target=work)
    worker.start()
    played = []
    for _ in range(300):
        played.append(_run(bridge, _silence(96))[0])
        time.sleep(0.0005)
    stop.set()
    worker.join()
    counters = bridge.counters()
    assert counters.samples == 300 * 96
    assert np.abs(np.concatenate(played)).max() <= 0.36  # two equal-power fades of the same sound at most


def test_each_input_channel_has_its_meter() -> None:
    bridge = Bridge(RATE_HZ)
    one = (0.5 * np.sin(np.arange(1000))).astype(np.float32)
    inputs = np.stack([one, -one, np.full(1000, np.nan, np.float32)])
    for _ in range(3):
        bridge.process_arrays(inputs, np.zeros((1, 1000), np.float32))
    peaks = bridge.take_channel_peaks(3)
    np.testing.assert_allclose(peaks, (np.abs(one).max(), np.abs(one).max(), 0.0))
    assert bridge.take_channel_peaks(3) == (0.0, 0.0, 0.0), "they are taken"
    energies, of_the_mean, samples = bridge.channel_energies(3)
    wanted = 3 * np.square(one, dtype=np.float64).sum()
    np.testing.assert_allclose(energies, (wanted, wanted, 0.0))
    assert of_the_mean < 1e-9 and samples == 3000
