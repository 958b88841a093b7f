"""The file port: reads the input from a recording and writes the band to a WAV. No sound card.

Knows no audio library but soundfile. It drives the bridge from a thread of its own: at the wall clock's pace
(`realtime`, the rehearsal) or as fast as the worker can follow, in exact step with it (tests, offline).
"""

from __future__ import annotations

import math
import os
import threading
import time
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import soundfile
import soxr
from numpy.typing import NDArray

from ...dsp.limiter import Limiter
from ...files.errors import SoundFileError
from ...files.names import sound_name, why_no_recording
from ...files.sound_reader import SoundReader
from ..config import EngineConfig
from ..errors import ConfigError, EngineError
from .port import Device, Port

if TYPE_CHECKING:
    from ..callback.bridge import Bridge

DEFAULT_BLOCK_SAMPLES = 256
_READ_SAMPLES = 8192
_LATE_S = 0.25
"""Later than this (the machine slept) the clock is set anew instead of racing after it."""
_FRAME_S = 0.04
_STALL_S = 10.0
"""As fast as possible: how long to wait for a worker that writes nothing before going on without it."""
_HANG_S = 120.0
"""The same for a worker that says what it wants: loading a model may take its time."""


class Source:
    """A sound file read piece by piece as float32 [channels, n] at any rate. EngineError for what is no sound.

    One thread at a time.
    """

    def __init__(self, path: str, channels: tuple[int, ...], rate_hz: int | None) -> None:
        file = Path(path)
        self._name = file.name
        reason = why_no_recording(file)
        if reason is not None:
            raise EngineError(reason)
        try:
            self._file = SoundReader(file)
        except (SoundFileError, OSError) as error:
            raise EngineError(f"{path}: {error}") from error
        if max(channels) > self._file.channels:
            self._file.close()
            raise EngineError(f"{path} has channels 1 to {self._file.channels}: there is no channel {max(channels)}")
        self.rate_hz = rate_hz or self._file.rate_hz
        self._pick = [channel - 1 for channel in channels]
        self._resampler = None
        if self.rate_hz != self._file.rate_hz:
            self._resampler = soxr.ResampleStream(self._file.rate_hz, self.rate_hz, len(channels), dtype="float32")
        self._waiting = np.zeros((len(channels), 0), np.float32)
        self._over = False

    def read(self, count: int) -> NDArray[np.float32]:
        """The next samples, float32 [channels, <= count] with contiguous rows; fewer only at the end.

        Raises EngineError for a file that is damaged further on.
        """
        while self._waiting.shape[1] < count and not self._over:
            try:
                piece = self._file.read(_READ_SAMPLES)[:, self._pick]
            except (SoundFileError, OSError) as error:
                raise EngineError(f"{self._name}: {error}") from error
            self._over = piece.shape[0] == 0
            if self._resampler is not None:
                piece = self._resampler.resample_chunk(np.ascontiguousarray(piece), last=self._over)
            self._waiting = np.concatenate([self._waiting, piece.reshape(-1, len(self._pick)).T], axis=1)
        block, self._waiting = self._waiting[:, :count], self._waiting[:, count:]
        return np.ascontiguousarray(block)

    @property
    def remark(self) -> str:
        """One line on what of the file was not read; empty for nothing, or before its end."""
        return f"{self._name}: {self._file.remark}" if self._file.remark else ""

    def close(self) -> None:
        self._file.close()


class FilePort(Port):
    """Plays `config.input_file` into the band and writes what it plays to `config.output_file` (24 bit), if any.

    Its channels are those of main, then of the parts that have their own, then of the click. Control thread only; the
    properties may be read by any thread.
    """

    backend = "file"

    def __init__(self, config: EngineConfig) -> None:
        super().__init__(config)
        if config.input_file is None:
            raise ConfigError("the file port needs a recording to play: give an input file")
        self._source = Source(config.input_file, config.input_channels, config.rate_hz)
        self.rate_hz = self._source.rate_hz
        self.block_samples = config.block_samples or DEFAULT_BLOCK_SAMPLES
        name = Path(config.input_file).name
        self.input_names = tuple(f"{name}:{channel}" for channel in config.input_channels)
        self._sink: soundfile.SoundFile | None = None
        if config.output_file is not None:
            try:
                if _keeps(Path(config.output_file)):  # opened at the start: a run that fails before costs no file
                    _check_writable(Path(config.output_file))
                else:
                    self._sink = _open_sink(config.output_file, self.rate_hz, len(config.played_channels))
            except EngineError:
                self._source.close()
                raise
        target = "nowhere" if config.output_file is None else Path(config.output_file).name
        names = [f"{target}:{channel}" for channel in config.played_channels]
        self.output_names, self.part_output_names = config.buses.split(names)
        self._monitor = None if config.monitor_db is None else np.float32(10.0 ** (config.monitor_db / 20.0))
        self._limiter = Limiter(self.rate_hz, config.ceiling_dbfs)
        self._quit = threading.Event()
        self._thread = threading.Thread(target=self._run, name="gigmate-file", daemon=True)
        self._late = 0
        self._gave_up = False

    def _start(self, bridge: Bridge) -> None:
        if self.config.output_file is not None and self._sink is None:
            self._sink = _open_sink(self.config.output_file, self.rate_hz, len(self.config.played_channels))
        self._thread.start()

    def _stop(self) -> None:
        self._quit.set()
        if self._thread.is_alive() and threading.current_thread() is not self._thread:
            self._thread.join(timeout=5.0)

    def _close(self) -> None:
        if self._thread.is_alive():
            return  # it hangs in a write; its files close with the process
        self._source.close()
        if self._sink is not None:
            sink, self._sink = self._sink, None
            _close_sink(sink)

    @property
    def xruns(self) -> int:
        """Times at which the clock had to be set anew because the machine was away."""
        return self._late

    @property
    def callbacks_expected(self) -> int:
        """Real time: by the wall clock, up to the end of the file; else what was served."""
        bridge = self._bridge
        if bridge is None:
            return 0
        served = bridge.counters(take_peaks=False).callbacks
        if not self.config.realtime or self.ended.is_set():
            return served + self._late
        return max(served, int((time.perf_counter() - self._started_s) * self.rate_hz / self.block_samples))

    # ------------------------------------------------------------------------------------- the port's thread

    def _run(self) -> None:
        bridge = self._bridge
        if bridge is None:
            raise RuntimeError("the file port's thread runs after start")
        outputs = np.zeros((len(self.config.played_channels), self.block_samples), np.float32)
        begin_s = time.perf_counter()
        try:
            while not self._quit.is_set():
                position = bridge.position
                count = self.block_samples
                if self.config.realtime:
                    begin_s = self._wait_for_clock(begin_s, position + count)
                else:
                    count = self._wait_for_worker(bridge, position)
                heard = self._source.read(count)
                if heard.shape[1] == 0 and position == 0:
                    raise EngineError(f"{self.config.input_file}: contains no sound: give a recording that does")
                if heard.shape[1] == 0 or self._quit.is_set():
                    break
                played = outputs[:, : heard.shape[1]]
                bridge.process_arrays(heard, played)
                self._write(heard, played)
        except EngineError as error:
            self._lost = str(error)
        except (OSError, soundfile.LibsndfileError) as error:
            self._lost = f"the file port stopped: {_plain(error)}; is the disk full?"
        finally:
            self.remark = self._source.remark
            self.ended.set()

    def _wait_for_clock(self, begin_s: float, until_position: int) -> float:
        """Sleep until the block is complete by the wall clock; returns the stream's beginning, anew after a hold-up."""
        due_s = begin_s + until_position / self.rate_hz
        late_s = time.perf_counter() - due_s
        if late_s > _LATE_S:
            self._late += 1
            return begin_s + late_s
        if late_s < 0:
            self._quit.wait(-late_s)
        return begin_s

    def _wait_for_worker(self, bridge: Bridge, position: int) -> int:
        """Sleep until the worker can use another block, and (where it does not say so) has written the one to play."""
        frame_samples = math.ceil(_FRAME_S * self.rate_hz)
        patience_s = 0.0 if self._gave_up else _HANG_S if bridge.input_needed_samples >= 0 else _STALL_S
        end_s = time.perf_counter() + patience_s
        while not self._quit.is_set():
            wanted = bridge.input_needed_samples
            if wanted > position:
                self._gave_up = False
                return min(self.block_samples, wanted - position)
            if wanted < 0:
                ready = bridge.out_ring.write_index >= position + self.block_samples
                if ready or (not bridge.playing and bridge.in_ring.fill_samples < frame_samples):
                    self._gave_up = False
                    break
            if time.perf_counter() >= end_s:
                self._gave_up = True  # the file ends without it, and does not wait again at every block
                break
            time.sleep(0.0002)
        return self.block_samples

    def _write(self, heard: NDArray[np.float32], played: NDArray[np.float32]) -> None:
        if self._sink is None:
            return
        if self._monitor is None:
            self._sink.write(played.T)
            return
        own = np.nan_to_num(heard.mean(axis=0), nan=0.0, posinf=0.0, neginf=0.0) * self._monitor
        main = len(self.config.output_channels)
        mixed = self._limiter.limit(played[:main] + own)
        self._sink.write(np.concatenate([mixed, played[main:]]).T)


def _keeps(path: Path) -> bool:
    """Whether what is written there is a file: a device or a pipe keeps nothing, and is asked by opening it."""
    return path.is_file() or path.is_dir() or not path.exists()


def _check_writable(path: Path) -> None:
    """Raise EngineError where no file can be written. Changes none: what is there keeps what it holds."""
    made = not path.exists()
    try:
        with path.open("ab"):
            pass
        if made:
            path.unlink()
    except OSError as error:
        raise EngineError(
            f"{path}: cannot be written ({error.strerror}); choose a folder that you may write to"
        ) from error


def _open_sink(path: str, rate_hz: int, channels: int) -> soundfile.SoundFile:
    form = "FLAC" if path.lower().endswith(".flac") else "WAV"
    try:
        return soundfile.SoundFile(sound_name(path), "w", rate_hz, channels, "PCM_24", format=form)
    except (soundfile.LibsndfileError, RuntimeError, OSError) as error:
        raise EngineError(
            f"{path}: cannot be written ({_plain(error)}); choose a folder that you may write to"
        ) from error


def _close_sink(sink: soundfile.SoundFile) -> None:
    try:
        sink.close()
    except (soundfile.LibsndfileError, OSError) as error:
        name = os.fsdecode(sink.name)
        raise EngineError(f"{name}: was not written completely ({_plain(error)}); is the disk full?") from error


def _plain(error: Exception) -> str:
    """An error's own words, on one line and without the path that stands before it anyway."""
    text = str(getattr(error, "error_string", "") or error).strip().splitlines()
    return text[0].rstrip(".") if text else type(error).__name__


def unavailable_reason(config: EngineConfig) -> str | None:
    """None if there is a recording to play."""
    return None if config.input_file is not None else "no input file"


def list_devices(config: EngineConfig) -> list[Device]:
    """A file is no device."""
    return []
