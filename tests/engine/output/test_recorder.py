"""Recording: aligned, readable at any moment, and never in the way of the music."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import threading
import time
from pathlib import Path

import numpy as np
import pytest
import soundfile
from gigmate.engine.errors import EngineError
from gigmate.engine.fault_log import FaultLog
from gigmate.engine.output import growing_wav as wav_module
from gigmate.engine.output import recorder as recorder_module
from gigmate.engine.output.growing_wav import complete_header
from gigmate.engine.output.recorder import CHANNELS, SOUNDS, Recorder, Take

from ..fakes import wait_until

RATE_HZ = 48_000
H = 1920


def frame(value: float, count: int = H) -> np.ndarray:
    return np.full((len(CHANNELS), count), value, np.float32)


def test_frames_are_written_and_gaps_are_silence(tmp_path: Path) -> None:
    path, fault_log = tmp_path / "take.wav", FaultLog()
    recorder = Recorder(str(path), RATE_HZ, fault_log)
    recorder.put(0, frame(0.25))
    recorder.put(3 * H, frame(2.0))
    assert recorder.close()
    assert recorder.close()
    sound, rate_hz = soundfile.read(path)
    assert rate_hz == RATE_HZ
    assert sound.shape == (4 * H, 9)
    np.testing.assert_allclose(sound[:H], 0.25)
    assert np.abs(sound[H : 3 * H]).max() == 0.0
    np.testing.assert_array_equal(sound[3 * H :], 2.0)  # floats: neither clipped nor wrapped
    assert soundfile.info(path).subtype == "FLOAT"
    assert not fault_log.warnings


def test_a_copy_taken_while_it_runs_can_be_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(recorder_module, "_HEADER_EVERY_S", 0.02)
    path = tmp_path / "take.wav"
    recorder = Recorder(str(path), RATE_HZ, FaultLog())
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
    assert sound.shape == (21 * H, 9)
    np.testing.assert_allclose(sound[-H:], 0.2, atol=1e-6)


def test_a_full_disk_keeps_what_there_is_and_says_so(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path, fault_log = tmp_path / "take.wav", FaultLog()
    recorder = Recorder(str(path), RATE_HZ, fault_log)
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
    assert len(fault_log.warnings) == 1
    assert "take.wav" in fault_log.warnings[0]
    assert "No space left" in fault_log.warnings[0]
    assert fault_log.counts() == {"recording_failed": 1}
    assert soundfile.info(path).frames == 5 * H


def test_a_slow_disk_costs_frames_and_no_time(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(recorder_module, "_QUEUE_FRAMES", 4)
    path, fault_log, go = tmp_path / "take.wav", FaultLog(), threading.Event()
    recorder = Recorder(str(path), RATE_HZ, fault_log)
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
    monkeypatch.setattr(wav_module, "MOST_BYTES", 3 * H * len(CHANNELS) * 4)
    path = tmp_path / "take.wav"
    recorder = Recorder(str(path), RATE_HZ, FaultLog())
    for i in range(7):
        recorder.put(i * H, frame(i / 10))
    assert recorder.close()
    files = recorder.report()["files"]
    assert [Path(str(f)).name for f in files] == ["take.wav", "take-2.wav", "take-3.wav"]  # type: ignore[attr-defined]
    whole = np.concatenate([soundfile.read(f)[0] for f in files])  # type: ignore[attr-defined]
    assert whole.shape[0] == 7 * H
    np.testing.assert_allclose(whole[::H, 0], np.arange(7) / 10, atol=1e-6)


def test_an_earlier_take_is_kept_until_the_first_sample(tmp_path: Path) -> None:
    path = tmp_path / "take.wav"
    path.write_bytes(b"an earlier take")
    recorder = Recorder(str(path), RATE_HZ, FaultLog())
    assert recorder.close()
    assert path.read_bytes() == b"an earlier take"
    recorder = Recorder(str(path), RATE_HZ, FaultLog())
    recorder.put(0, frame(0.25))
    assert recorder.close()
    assert soundfile.info(path).frames == H


@pytest.mark.parametrize("place", ["take.wav", "stems/"])
def test_a_run_that_never_played_leaves_no_file(tmp_path: Path, place: str) -> None:
    recorder = Recorder(os.path.join(tmp_path, place), RATE_HZ, FaultLog())
    assert recorder.close()
    assert not [found for found in tmp_path.rglob("*") if found.is_file()]


@pytest.mark.parametrize("place", ["no/take.wav", "file.txt/stems/", "/dev/full"])
def test_what_cannot_be_written_is_said(place: str, tmp_path: Path) -> None:
    (tmp_path / "file.txt").write_text("")
    if place.startswith("/") and not Path(place).exists():
        pytest.skip(f"no {place} here")
    with pytest.raises(EngineError, match="cannot be written") as caught:
        Recorder(os.path.join(tmp_path, place), RATE_HZ, FaultLog())
    assert "\n" not in str(caught.value)


def test_a_folder_gets_a_file_for_each_sound_and_nothing_is_written_over(tmp_path: Path) -> None:
    folder = f"{tmp_path / 'stems'}/"
    for take, value in ((1, 0.1), (2, 0.2)):
        recorder = Recorder(folder, RATE_HZ, FaultLog())
        block = frame(value)
        block[CHANNELS.index("bass left")], block[CHANNELS.index("bass right")] = 0.5, -0.5
        recorder.put(0, block)
        recorder.put(2 * H, block)
        assert recorder.close()
        names = [Path(str(file)).name for file in recorder.report()["files"]]  # type: ignore[attr-defined]
        assert names == [f"{sound}{'' if take == 1 else '-take2'}.wav" for sound, _ in SOUNDS]
    for name, value in (("heard", [0.1]), ("bass", [0.5, -0.5]), ("heard-take2", [0.2]), ("keys-take2", [0.2, 0.2])):
        sound, _ = soundfile.read(tmp_path / "stems" / f"{name}.wav", always_2d=True)
        assert sound.shape == (3 * H, len(value))
        np.testing.assert_allclose(sound[-H:], np.tile(value, (H, 1)), atol=1e-6)
        assert np.abs(sound[H : 2 * H]).max() == 0.0


# ------------------------------------------------------------------------------------ what happens to real programs

CHILD = """
import resource, signal, sys, time
import numpy as np
from gigmate.engine.fault_log import FaultLog
from gigmate.engine.output.recorder import CHANNELS, Recorder

path, most_bytes, seconds = sys.argv[1], int(sys.argv[2]), float(sys.argv[3])
if most_bytes:
    resource.setrlimit(resource.RLIMIT_FSIZE, (most_bytes, most_bytes))
fault_log = FaultLog()
recorder = Recorder(path, 48_000, fault_log)
block = np.full((len(CHANNELS), 1920), 0.25, np.float32)
begin = time.monotonic()
for i in range(round(seconds / 0.04)):
    recorder.put(i * 1920, block)
    print(i + 1, time.monotonic(), flush=True)
    time.sleep(max(0.0, begin + (i + 1) * 0.04 - time.monotonic()) if not most_bytes else 0.002)
recorder.close()
print("end", list(fault_log.warnings), fault_log.counts(), repr(recorder.recording_to), flush=True)
"""


def child(*arguments: object) -> subprocess.Popen[str]:
    command = [sys.executable, "-c", CHILD, *(str(argument) for argument in arguments)]
    return subprocess.Popen(command, stdout=subprocess.PIPE, text=True)


@pytest.mark.skipif(sys.platform == "win32", reason="SIGKILL")
@pytest.mark.parametrize("form", ["take.wav", "stems/"])
def test_killed_at_any_moment_it_opens_and_holds_all_but_the_last_second(tmp_path: Path, form: str) -> None:
    path = os.path.join(tmp_path, form)
    process = child(path, 0, 60)
    assert process.stdout is not None
    times = []
    for line in process.stdout:
        times.append(float(line.split()[1]))
        if len(times) == 70:
            break
    process.kill()
    killed = time.monotonic()
    times += [float(line.split()[1]) for line in process.stdout.read().splitlines()]
    process.wait()
    process.stdout.close()
    due = sum(at <= killed - 1.0 for at in times) * H  # monotonic clocks of one machine
    assert due >= 30 * H
    files = [Path(path)] if form.endswith(".wav") else [Path(path) / f"{sound}.wav" for sound, _ in SOUNDS]
    for file in files:
        sound, rate_hz = soundfile.read(file, dtype="float32")
        assert rate_hz == RATE_HZ
        assert len(sound) >= due
        np.testing.assert_allclose(sound, 0.25, atol=1e-6)


@pytest.mark.skipif(sys.platform != "linux", reason="a limit on the size of files")
@pytest.mark.parametrize("form", ["take.wav", "stems/"])
def test_a_disk_that_takes_no_more_is_said_once(tmp_path: Path, form: str) -> None:
    path = os.path.join(tmp_path, form)
    process = child(path, 500_001, 20)
    out, _ = process.communicate(timeout=100)
    assert process.returncode == 0
    end = out.splitlines()[-1]
    assert end.count("recording stopped") == 1, end
    assert "'recording_failed': 1" in end
    assert end.endswith("''")
    assert len(out.splitlines()) == 501  # all frames were taken: nothing waited
    file = Path(path) if form.endswith(".wav") else Path(path) / "drums.wav"
    sound, _ = soundfile.read(file, always_2d=True)
    assert len(sound) > 400_000 / 4 / sound.shape[1] / (1 if form.endswith(".wav") else 2)
    np.testing.assert_allclose(sound[:-1], 0.25, atol=1e-6)


@pytest.mark.skipif(sys.platform != "linux", reason="tmpfs")
def test_a_full_disk(tmp_path: Path) -> None:
    disk = tmp_path / "disk"
    disk.mkdir()
    if subprocess.run(["mount", "-t", "tmpfs", "-o", "size=600k", "tmpfs", str(disk)], capture_output=True).returncode:
        pytest.skip("no right to mount a small disk")
    try:
        process = child(disk / "take.wav", 0, 4)
        out, _ = process.communicate(timeout=100)
        assert process.returncode == 0
        end = out.splitlines()[-1]
        assert "the disk is full" in end
        assert end.count("recording stopped") == 1
        sound, _ = soundfile.read(disk / "take.wav")
        assert len(sound) > 500_000 / 4 / len(CHANNELS)
        np.testing.assert_allclose(sound[:-1], 0.25, atol=1e-6)
    finally:
        subprocess.run(["umount", str(disk)], check=True)


def test_headers_of_other_files_are_left_alone(tmp_path: Path) -> None:
    path = tmp_path / "text"
    path.write_bytes(b"no sound, but data inside" * 10)
    before = path.read_bytes()
    complete_header(path)
    assert path.read_bytes() == before


def test_a_take_lines_up_what_was_made_ahead() -> None:
    take = Take(H, ramp_samples=100, frames_ahead=4)
    made = np.arange(1, 12 * H + 1, dtype=np.float32)
    take.switch(0, True)
    blocks, lead = [], 777
    for i in range(8):
        j = i + 3
        sound = made[j * H - lead : (j + 1) * H - lead]
        take.put(j * H - lead, np.stack([sound, 2 * sound]), np.tile(np.stack([3 * sound, 4 * sound]), (3, 1, 1)))
        blocks.append(take.frame(np.full(H, i, np.float32)))
    whole = np.concatenate(blocks, axis=1)
    np.testing.assert_array_equal(whole[0, ::H], np.arange(8))
    start = 3 * H - lead
    for row, factor in enumerate((1, 2, 3, 4, 3, 4, 3, 4)):
        np.testing.assert_array_equal(whole[1 + row, start:], factor * made[start : 8 * H])
    assert whole[1:, :start].max() == 0.0


def test_a_take_ramps_where_the_band_does_and_drops_what_is_past() -> None:
    take = Take(H, ramp_samples=100, frames_ahead=2)
    ones = np.ones((2, H), np.float32), np.ones((3, 2, H), np.float32)
    for i in range(3):
        take.put(i * H, *ones)
    take.switch(500, True)
    take.switch(H + 700, False)
    blocks = [take.frame(ones[0][0]) for _ in range(2)]
    take.put(0, *ones)  # long past
    take.switch(10, True)  # told late: from now on
    blocks.append(take.frame(ones[0][0]))
    mix = np.concatenate(blocks, axis=1)[1]
    assert mix[:500].max() == 0.0
    assert np.abs(np.diff(mix)).max() < 0.02
    assert mix[600] == mix[H + 699] == 1.0
    assert mix[H + 801 : 2 * H].max() == 0.0
    assert mix[2 * H + 100 :].min() == 1.0
