"""The file port: exact lock-step or the wall clock, any format and rate, faults in words."""

from __future__ import annotations

import threading
import time
from pathlib import Path

import numpy as np
import pytest
import soundfile
from gigmate.engine.callback.bridge import Bridge
from gigmate.engine.config import EngineConfig
from gigmate.engine.errors import ConfigError, EngineError
from gigmate.engine.ports import open_port
from gigmate.engine.ports.file import Source
from gigmate.engine.ports.port import Port

RATE_HZ = 48000
FRAME = 1920


@pytest.fixture
def recording(tmp_path: Path) -> Path:
    path = tmp_path / "lead.wav"
    rng = np.random.default_rng(0)
    soundfile.write(path, (rng.standard_normal((RATE_HZ + 77, 2)) * 0.1).astype(np.float32), RATE_HZ, "FLOAT")
    return path


def _echo(port: Port, bridge: Bridge, says_wanted: bool) -> None:
    """A worker: plays what it heard, two frames later, slowly now and then."""
    done = 0
    while True:
        if says_wanted:
            bridge.set_input_needed((done + 1) * FRAME)
        if not bridge.wait(0.05, FRAME):
            if port.ended.is_set():
                return
            continue
        frame = bridge.in_ring.read(FRAME)
        if done % 9 == 4:
            time.sleep(0.01)
        bridge.out_ring.write_at((done + 2) * FRAME, frame)
        done += 1


def _run(config: EngineConfig, says_wanted: bool = True) -> tuple[Port, Bridge]:
    port = open_port(config)
    bridge = Bridge(port.rate_hz)
    bridge.out_ring.write_at(0, np.zeros(2 * FRAME))
    bridge.set_playing(True)
    worker = threading.Thread(target=_echo, args=(port, bridge, says_wanted))
    worker.start()
    port.start(bridge)
    assert port.ended.wait(30)
    worker.join()
    port.close()
    return port, bridge


@pytest.mark.parametrize("says_wanted", [True, False])
@pytest.mark.parametrize("block", [64, 1000, 4096])
def test_as_fast_as_possible_misses_nothing(recording: Path, tmp_path: Path, block: int, says_wanted: bool) -> None:
    out = tmp_path / "band.wav"
    config = EngineConfig(
        input_file=str(recording), output_file=str(out), realtime=False, block_samples=block, input_channels=(1, 2)
    )
    if not says_wanted and block > FRAME:
        pytest.skip("a block longer than the frame needs a worker that says what it wants")
    begin = time.perf_counter()
    port, bridge = _run(config, says_wanted)
    heard, _ = soundfile.read(recording, dtype="float32")
    band, rate_hz = soundfile.read(out, dtype="float32")
    assert rate_hz == RATE_HZ
    assert band.shape == (RATE_HZ + 77, 2)
    assert soundfile.info(out).subtype == "PCM_24"
    np.testing.assert_allclose(band[2 * FRAME :, 0], heard.mean(axis=1)[: -2 * FRAME], atol=2e-7)
    counters = bridge.counters()
    assert (counters.samples, counters.miss_samples, counters.in_dropped_samples) == (RATE_HZ + 77, 0, 0)
    assert port.callbacks_expected == counters.callbacks
    assert time.perf_counter() - begin < 10


def test_in_real_time_it_keeps_the_clock(recording: Path) -> None:
    begin = time.perf_counter()
    port, bridge = _run(EngineConfig(input_file=str(recording), realtime=True))
    took = time.perf_counter() - begin
    assert 1.0 <= took < 3.0
    assert bridge.counters().callbacks == port.callbacks_expected == -(-(RATE_HZ + 77) // 256)
    assert port.block_samples == 256


@pytest.mark.parametrize(("form", "subtype"), [("WAV", "PCM_16"), ("FLAC", "PCM_24"), ("OGG", "VORBIS")])
def test_any_format_and_rate_is_read(tmp_path: Path, form: str, subtype: str) -> None:
    path = tmp_path / f"lead.{form.lower()}"
    tone = 0.5 * np.sin(2 * np.pi * 440 * np.arange(44100) / 44100)
    soundfile.write(path, tone, 44100, subtype=subtype, format=form)
    source = Source(str(path), (1,), 96000)
    blocks = []
    while (block := source.read(777)).shape[1]:
        blocks.append(block)
    source.close()
    sound = np.concatenate(blocks, axis=1)[0]
    assert abs(sound.size - 96000) <= 1
    expected = 0.5 * np.sin(2 * np.pi * 440 * np.arange(sound.size) / 96000)
    np.testing.assert_allclose(sound[2000:-2000], expected[2000:-2000], atol=0.02)
    assert all(block.shape[1] == 777 for block in blocks[:-1])


def test_the_monitor_is_only_in_the_file_and_under_the_ceiling(recording: Path, tmp_path: Path) -> None:
    out = tmp_path / "mix.wav"
    config = EngineConfig(
        input_file=str(recording), output_file=str(out), realtime=False, monitor_db=30.0, output_channels=(3,)
    )
    _, bridge = _run(config)
    mix, _ = soundfile.read(out, dtype="float32")
    assert 0.5 < np.abs(mix).max() <= 10 ** (-1 / 20)
    assert bridge.counters().out_peak < 0.5


def test_a_stereo_file_has_main_then_parts_then_the_click(recording: Path, tmp_path: Path) -> None:
    out = tmp_path / "band.wav"
    config = EngineConfig(
        input_file=str(recording), output_file=str(out), realtime=False, monitor_db=-20.0,
        part_outputs=(("keys", (7,)),), click_channels=(5,),
    )  # fmt: skip
    port = open_port(config)
    assert port.output_names == ("band.wav:1", "band.wav:2")
    assert port.part_output_names == {"keys": ("band.wav:7",)}
    bridge = Bridge(port.rate_hz, buses=config.buses)
    total = RATE_HZ + 77
    bridge.out_ring.write_at(0, np.array([[0.1], [0.2], [0.3]], np.float32) * np.ones(total, np.float32))
    bridge.click_ring.write_at(0, np.full(total, 0.05, np.float32))
    bridge.set_playing(True)
    bridge.set_input_needed(total + 1)
    port.start(bridge)
    assert port.ended.wait(30)
    port.close()
    sound, _ = soundfile.read(out, dtype="float32")
    heard = soundfile.read(recording, dtype="float32")[0][:, 0]
    assert sound.shape == (total, 4)
    np.testing.assert_allclose(
        sound[960:, :2] - 0.1 * heard[960:, None], np.tile([0.1, 0.2], (total - 960, 1)), atol=1e-6
    )
    np.testing.assert_allclose(sound[960:, 2:], np.tile([0.3, 0.05], (total - 960, 1)), atol=1e-6)


@pytest.mark.parametrize("says_wanted", [True, False])
def test_a_worker_that_died_does_not_stop_the_file(
    recording: Path, monkeypatch: pytest.MonkeyPatch, says_wanted: bool
) -> None:
    monkeypatch.setattr("gigmate.engine.ports.file._STALL_S", 0.05)
    monkeypatch.setattr("gigmate.engine.ports.file._HANG_S", 0.05)
    port = open_port(EngineConfig(input_file=str(recording), realtime=False))
    bridge = Bridge(port.rate_hz)
    bridge.set_playing(True)
    if says_wanted:
        bridge.set_input_needed(1)
    port.start(bridge)
    assert port.ended.wait(10)
    port.close()
    assert bridge.counters().miss_samples == RATE_HZ + 77


def test_stop_ends_it_at_once(recording: Path) -> None:
    port = open_port(EngineConfig(input_file=str(recording)))
    bridge = Bridge(port.rate_hz)
    port.start(bridge)
    time.sleep(0.1)
    port.close()
    assert port.ended.is_set()
    assert 0 < bridge.position < RATE_HZ // 2
    position = bridge.position
    time.sleep(0.05)
    assert bridge.position == position


def test_what_cannot_be_is_said(recording: Path, tmp_path: Path) -> None:
    text = tmp_path / "song.wav"
    text.write_text("this is no sound")
    cases = [
        (EngineConfig(backend="file"), ConfigError, "needs a recording"),
        (EngineConfig(input_file=str(tmp_path / "gone.wav")), EngineError, "gone.wav: no such file"),
        (EngineConfig(input_file=str(tmp_path)), EngineError, "is a folder"),
        (EngineConfig(input_file=str(text)), EngineError, "cannot be read as sound"),
        (EngineConfig(input_file=str(recording), input_channels=(3,)), EngineError, "has channels 1 to 2"),
        (EngineConfig(input_file=str(recording), output_file=str(tmp_path / "no" / "o.wav")), EngineError, "written"),
        (EngineConfig(input_file=str(recording), output_file=str(tmp_path)), EngineError, "cannot be written"),
    ]
    for config, kind, words in cases:
        with pytest.raises(EngineError, match=words) as caught:
            open_port(config)
        assert type(caught.value) is kind
        assert "\n" not in str(caught.value)


def test_a_full_disk_ends_the_run_with_a_word(recording: Path) -> None:
    if not Path("/dev/full").exists():
        pytest.skip("no /dev/full here")
    try:
        port = open_port(EngineConfig(input_file=str(recording), output_file="/dev/full", realtime=False))
    except EngineError as error:
        assert "cannot be written" in str(error)
        return
    port.start(Bridge(port.rate_hz))
    assert port.ended.wait(30)
    assert port.lost is not None and "disk full" in port.lost


def test_what_was_written_before_is_kept_until_the_start(recording: Path, tmp_path: Path) -> None:
    """A run whose model or rate cannot be ends between opening and start."""
    old, new = tmp_path / "old.wav", tmp_path / "new.wav"
    old.write_bytes(b"an earlier take")
    for path in (old, new):
        open_port(EngineConfig(input_file=str(recording), output_file=str(path))).close()
    assert old.read_bytes() == b"an earlier take"
    assert not new.exists()
    port = open_port(EngineConfig(input_file=str(recording), output_file=str(old), realtime=False))
    port.start(Bridge(port.rate_hz))
    port.close()
    assert soundfile.info(old).samplerate == port.rate_hz
