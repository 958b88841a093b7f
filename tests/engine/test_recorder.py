"""Recording: aligned, readable at any moment, and never in the way of the music."""

from __future__ import annotations

import shutil
import threading
import time
from pathlib import Path

import numpy as np
import pytest
import soundfile
from gigmate.engine import recorder as recorder_module
from gigmate.engine.config import EngineError
from gigmate.engine.notes import Notes
from gigmate.engine.recorder import CHANNELS, Recorder, Take, complete_header

from .fakes import wait_until

RATE_HZ = 48_000
H = 1920


def frame(value: float, count: int = H) -> np.ndarray:
    return np.full((len(CHANNELS), count), value, np.float32)


def test_frames_are_written_and_gaps_are_silence(tmp_path: Path) -> None:
    path, notes = tmp_path / "take.wav", Notes()
    recorder = Recorder(str(path), RATE_HZ, notes)
    recorder.put(0, frame(0.25))
    recorder.put(3 * H, frame(2.0))
    assert recorder.close()
    assert recorder.close()
    sound, rate_hz = soundfile.read(path)
    assert rate_hz == RATE_HZ
    assert sound.shape == (4 * H, 5)
    np.testing.assert_allclose(sound[:H], 0.25)
    assert np.abs(sound[H : 3 * H]).max() == 0.0
    np.testing.assert_allclose(sound[3 * H :], 1.0, atol=1e-6)  # clipped, not wrapped
    assert not notes.warnings


def test_a_copy_taken_while_it_runs_can_be_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(recorder_module, "_HEADER_EVERY_S", 0.02)
    path = tmp_path / "take.wav"
    recorder = Recorder(str(path), RATE_HZ, Notes())
    for i in range(20):
        recorder.put(i * H, frame(0.1))

    def readable() -> bool:
        copy = tmp_path / "copy.wav"
        shutil.copy(path, copy)
        try:
            return soundfile.info(copy).frames >= 10 * H
        except soundfile.LibsndfileError:
            return False

    assert wait_until(readable)
    recorder.put(20 * H, frame(0.2))
    assert recorder.close()
    sound, _ = soundfile.read(path)
    assert sound.shape == (21 * H, 5)
    np.testing.assert_allclose(sound[-H:], 0.2, atol=1e-6)


def test_a_full_disk_keeps_what_there_is_and_says_so(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path, notes = tmp_path / "take.wav", Notes()
    recorder = Recorder(str(path), RATE_HZ, notes)
    write = soundfile.SoundFile.write
    calls = 0

    def filling(self: soundfile.SoundFile, data: np.ndarray) -> None:
        nonlocal calls
        calls += 1
        if calls > 5:
            raise OSError(28, "No space left on device")
        write(self, data)

    monkeypatch.setattr(soundfile.SoundFile, "write", filling)
    for i in range(20):
        recorder.put(i * H, frame(0.1))
    assert recorder.close()
    assert len(notes.warnings) == 1
    assert "take.wav" in notes.warnings[0]
    assert "No space left" in notes.warnings[0]
    assert notes.counts() == {"recording_failed": 1}
    assert soundfile.info(path).frames == 5 * H


def test_a_slow_disk_costs_frames_and_no_time(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(recorder_module, "_QUEUE_FRAMES", 4)
    path, notes, go = tmp_path / "take.wav", Notes(), threading.Event()
    recorder = Recorder(str(path), RATE_HZ, notes)
    write = soundfile.SoundFile.write

    def slow(self: soundfile.SoundFile, data: np.ndarray) -> None:
        go.wait(10)
        write(self, data)

    monkeypatch.setattr(soundfile.SoundFile, "write", slow)
    begin = time.monotonic()
    for i in range(30):
        recorder.put(i * H, frame(0.1))
    assert time.monotonic() - begin < 5
    go.set()
    assert wait_until(lambda: recorder._queue.empty())
    recorder.put(30 * H, frame(0.3))
    assert recorder.close()
    assert recorder.report()["dropped_frames"] > 20
    sound, _ = soundfile.read(path)
    assert sound.shape[0] == 31 * H
    np.testing.assert_allclose(sound[-H:], 0.3, atol=1e-6)


def test_a_full_file_goes_on_in_another(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(recorder_module, "_MOST_BYTES", 3 * H * len(CHANNELS) * 3)
    path = tmp_path / "take.wav"
    recorder = Recorder(str(path), RATE_HZ, Notes())
    for i in range(7):
        recorder.put(i * H, frame(i / 10))
    assert recorder.close()
    files = recorder.report()["files"]
    assert [Path(str(f)).name for f in files] == ["take.wav", "take-2.wav", "take-3.wav"]  # type: ignore[attr-defined]
    whole = np.concatenate([soundfile.read(f)[0] for f in files])  # type: ignore[attr-defined]
    assert whole.shape[0] == 7 * H
    np.testing.assert_allclose(whole[::H, 0], np.arange(7) / 10, atol=1e-6)


@pytest.mark.parametrize("place", ["no/take.wav", "."])
def test_what_cannot_be_written_is_said(place: str, tmp_path: Path) -> None:
    with pytest.raises(EngineError, match="cannot be recorded to") as caught:
        Recorder(str(tmp_path / place), RATE_HZ, Notes())
    assert "\n" not in str(caught.value)


def test_headers_of_other_files_are_left_alone(tmp_path: Path) -> None:
    path = tmp_path / "text"
    path.write_bytes(b"no sound, but data inside" * 10)
    before = path.read_bytes()
    complete_header(path)
    assert path.read_bytes() == before


def test_a_take_lines_up_what_was_made_ahead() -> None:
    rows = len(CHANNELS) - 1
    take = Take(H, ramp_samples=100, frames_ahead=4)
    made = np.arange(1, 12 * H + 1, dtype=np.float32)
    take.switch(0, True)
    blocks, lead = [], 777
    for i in range(8):
        j = i + 3
        take.put(j * H - lead, np.tile(made[j * H - lead : (j + 1) * H - lead], (rows, 1)))
        blocks.append(take.frame(np.full(H, i, np.float32)))
    whole = np.concatenate(blocks, axis=1)
    np.testing.assert_array_equal(whole[0, ::H], np.arange(8))
    start = 3 * H - lead
    np.testing.assert_array_equal(whole[1:, start:], np.tile(made[start : 8 * H], (rows, 1)))
    assert whole[1:, :start].max() == 0.0


def test_a_take_ramps_where_the_band_does_and_drops_what_is_past() -> None:
    rows = len(CHANNELS) - 1
    take = Take(H, ramp_samples=100, frames_ahead=2)
    ones = np.ones((rows, H), np.float32)
    for i in range(3):
        take.put(i * H, ones)
    take.switch(500, True)
    take.switch(H + 700, False)
    blocks = [take.frame(ones[0]) for _ in range(2)]
    take.put(0, ones)  # long past
    take.switch(10, True)  # told late: from now on
    blocks.append(take.frame(ones[0]))
    mix = np.concatenate(blocks, axis=1)[1]
    assert mix[:500].max() == 0.0
    assert np.abs(np.diff(mix)).max() < 0.02
    assert mix[600] == mix[H + 699] == 1.0
    assert mix[H + 801 : 2 * H].max() == 0.0
    assert mix[2 * H + 100 :].min() == 1.0
