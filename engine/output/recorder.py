"""The recorder: input, and mix and each part in stereo, aligned, as channels of one WAV or as separate files.

Knows no port and no player. `Take` lines the sounds up and belongs to the inference thread; `Recorder` writes in a
thread of its own, behind a bounded queue: a slow or full disk costs the recording, never the music.
"""

from __future__ import annotations

import queue
import shutil
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from ...dsp.crossfade import Gate
from ..config import is_folder
from ..errors import EngineError
from ..fault_kinds import FaultKind
from ..fault_log import FaultLog
from ..player import PARTS
from .growing_wav import DISK_ERRORS, GrowingWav, plain_reason

Array = NDArray[np.float32]
SOUNDS: tuple[tuple[str, int], ...] = (("heard", 1), ("mix", 2), *((part, 2) for part in PARTS))
"""What is recorded, and in how many channels."""
CHANNELS: tuple[str, ...] = tuple(
    name if count == 1 else f"{name} {side}" for name, count in SOUNDS for side in ("left", "right")[:count]
)
LOOP = "loop"
_NO_LOOP = np.zeros(0, np.float32)
MIX = slice(1, 3)
"""The mix among them."""
_HEADER_EVERY_S = 0.5
_QUEUE_FRAMES = 250
_MOST_TAKES = 10_000
_FULL_BYTES = 100_000


class Take:
    """Lines frames up in musical time: input sample s, and what is heard with it. Inference thread only.

    The parts are those that were made (with their levels and the ramps of start and stop), whole even where one came
    too late to be played; the limiter is not in it: the worker limits the mix as the callback does.
    """

    def __init__(self, host_frame: int, ramp_samples: int, frames_ahead: int) -> None:
        self._host_frame = host_frame
        self._made = np.zeros((len(CHANNELS) - 1, (frames_ahead + 4) * host_frame), np.float32)
        self._from = 0  # musical time up to which frames were given away
        self._gate = Gate(ramp_samples)
        self._open = False
        self._switches: list[tuple[int, bool]] = []

    def put(self, position: int, mix: Array, parts: Array) -> None:
        """[2, n] and [parts, 2, n] made for musical time `position` on; what is past already, or too far ahead, is left
        out."""
        first = max(0, self._from - position)
        last = min(mix.shape[1], self._from + self._made.shape[1] - position)
        if last > first:
            rows = parts.reshape(-1, mix.shape[1])
            for piece, part in self._pieces(position + first, last - first):
                self._made[:2, piece] = mix[:, first:last][:, part]
                self._made[2:, piece] = rows[:, first:last][:, part]

    def _pieces(self, position: int, count: int) -> Iterator[tuple[slice, slice]]:
        """Where so much musical time is kept: places in `_made`, and which part of it each holds."""
        size, done = self._made.shape[1], 0
        while done < count:
            place = (position + done) % size
            piece = min(count - done, size - place)
            yield slice(place, place + piece), slice(done, done + piece)
            done += piece

    def switch(self, position: int, opened: bool) -> None:
        """From musical time `position` on the band sounds, or goes out."""
        self._switches.append((position, opened))

    def frame(self, heard: Array) -> Array:
        """The next frame of musical time: heard [n] in, [channels, n] out, new memory."""
        count = heard.size
        block = np.empty((len(CHANNELS), count), np.float32)
        block[0] = heard
        gains = self._gains(count)
        for piece, part in self._pieces(self._from, count):
            np.multiply(self._made[:, piece], gains[part], out=block[1:, part])
            self._made[:, piece] = 0.0
        self._from += count
        return block

    def _gains(self, count: int) -> Array:
        gains, done = [], 0
        while self._switches and self._switches[0][0] < self._from + count:
            position, opened = self._switches.pop(0)
            until = max(done, position - self._from)
            gains.append(self._gate.gains(until - done, self._open))
            self._open, done = opened, until
        gains.append(self._gate.gains(count - done, self._open))
        return np.concatenate(gains)


class Recorder:
    """Writes frames to WAV files of 32-bit floats whose headers are true at least every second. `put` never waits.

    Into a folder: heard.wav, and in stereo mix.wav, drums.wav ... (heard-take2.wav ... where they are there: none is
    written over). Else: one file with all of them as channels, in the order of CHANNELS. The musician's loop goes into
    a file of its own, loop.wav or NAME-loop.wav, which is begun when it first sounds. Raises EngineError if it cannot
    be begun.

    Each method says its thread.
    """

    def __init__(self, path: str, rate_hz: int, fault_log: FaultLog) -> None:
        self.path = Path(path)
        self._rate_hz = rate_hz
        self._fault_log = fault_log
        self._queue: queue.Queue[tuple[int, Array, Array] | None] = queue.Queue(_QUEUE_FRAMES)
        self._loop: GrowingWav | None = None
        self._loop_path = self.path.with_name(f"{self.path.stem}-{LOOP}.wav")
        self._wavs: list[tuple[slice, GrowingWav]] = self._begin(is_folder(path))
        self._going = True
        self._samples = 0
        self._expected = 0
        self._dropped_frames = 0
        self._thread = threading.Thread(target=self._run, name="gigmate-record", daemon=True)
        self._thread.start()

    @property
    def recording_to(self) -> str:
        """Any thread. Where it records to; empty once it has given up."""
        return str(self.path) if self._going else ""

    def put(self, position: int, block: Array, loop: Array | None = None) -> None:
        """Inference thread only. [channels, n] at a position, and the musician's loop there [n]; what finds no room is
        silence in the recording."""
        if not self._going:
            return
        try:
            self._queue.put_nowait((position, block, _NO_LOOP if loop is None else loop))
        except queue.Full:
            self._dropped_frames += 1
            self._fault_log.fault(FaultKind.RECORDING_GAPS, file=self.path.name)

    def close(self, timeout_s: float = 5.0) -> bool:
        """Control thread only. Write what waits and end the file. May be called twice.

        False if the disk did not answer in time.
        """
        if self._thread.is_alive():
            try:
                self._queue.put(None, timeout=timeout_s)
            except queue.Full:
                return False
            self._thread.join(timeout_s)
        return not self._thread.is_alive()

    def report(self) -> dict[str, object]:
        """Any thread. Plain values for the report."""
        return {
            "files": [str(file) for wav in self._all for file in wav.files],
            "seconds": self._samples / self._rate_hz,
            "channels": list(CHANNELS),
            "dropped_frames": self._dropped_frames,
        }

    @property
    def _all(self) -> list[GrowingWav]:
        wavs = [wav for _, wav in self._wavs]
        return wavs if self._loop is None else [*wavs, self._loop]

    # -------------------------------------------------------------------------------------- the recorder's thread

    def _begin(self, stems: bool) -> list[tuple[slice, GrowingWav]]:
        places = {self.path: slice(0, len(CHANNELS))}
        begun: list[tuple[slice, GrowingWav]] = []
        try:
            if stems:
                self.path.mkdir(parents=True, exist_ok=True)
                places, row = {}, 0
                *names, self._loop_path = _free_names(self.path)
                for path, (_, count) in zip(names, SOUNDS, strict=True):
                    places[path] = slice(row, row + count)
                    row += count
            for path, rows in places.items():
                begun.append((rows, GrowingWav(path, self._rate_hz, rows.stop - rows.start)))
        except DISK_ERRORS as error:
            for _, wav in begun:
                wav.close()
            raise EngineError(
                f"{self.path}: cannot be written ({plain_reason(error)}); choose a folder that you may write to"
            ) from error
        return begun

    def _run(self) -> None:
        header_s = time.monotonic()
        while True:
            try:
                item = self._queue.get(timeout=_HEADER_EVERY_S)
            except queue.Empty:
                item = (self._expected, np.zeros((len(CHANNELS), 0), np.float32), _NO_LOOP)
            if item is None:
                break
            if not self._going:
                continue
            try:
                self._write(*item)
                if time.monotonic() - header_s >= _HEADER_EVERY_S:
                    header_s = time.monotonic()
                    for wav in self._all:
                        wav.settle()
            except DISK_ERRORS as error:
                self._give_up(error)
        for wav in self._all:
            try:
                wav.close()
            except DISK_ERRORS as error:
                self._give_up(error)

    def _write(self, position: int, block: Array, loop: Array) -> None:
        gap = max(0, position - self._expected)
        if self._loop is None and loop.any():
            self._loop = GrowingWav(self._loop_path, self._rate_hz, 1)
            self._loop.silence(self._expected)
        if self._loop is not None:
            self._loop.silence(gap)
            self._loop.write(loop[None] if loop.size == block.shape[1] else np.zeros((1, block.shape[1]), np.float32))
        for rows, wav in self._wavs:
            wav.silence(gap)
            wav.write(block[rows])
        self._expected = max(self._expected, position) + block.shape[1]
        self._samples += gap + block.shape[1]

    def _give_up(self, error: Exception) -> None:
        """Said once; what there is stays readable, and the music goes on."""
        if self._going:
            self._going = False
            full = _is_full(self.path.parent)
            reason = "the disk is full" if full else plain_reason(error)
            mend = "make room, or record to another disk" if full else "is the disk full?"
            seconds = f"{self._samples / self._rate_hz:.0f}"
            self._fault_log.fault(
                FaultKind.RECORDING_FAILED, file=self.path.name, reason=reason, seconds=seconds, mend=mend
            )
        for wav in self._all:
            try:
                wav.abandon()
            except DISK_ERRORS:
                self._fault_log.fault(FaultKind.RECORDING_CLOSE, file=self.path.name)


def _is_full(folder: Path) -> bool:
    try:
        return shutil.disk_usage(folder).free < _FULL_BYTES
    except OSError:
        return False


def _free_names(folder: Path) -> list[Path]:
    """A file for each sound and the loop, of the first take that is not there yet."""
    for take in range(1, _MOST_TAKES):
        sounds = (*(name for name, _ in SOUNDS), LOOP)
        names = [folder / f"{name}{'' if take == 1 else f'-take{take}'}.wav" for name in sounds]
        if not any(path.exists() for path in names):
            return names
    raise OSError(f"there are {_MOST_TAKES} takes in it")
