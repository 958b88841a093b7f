"""Recording: what was heard, the mix and each part as channels of one WAV, aligned as the musician hears them.

Knows no port and no player. `Take` lines the sounds up and belongs to the inference thread; `Recorder` writes in a
thread of its own, behind a bounded queue: a slow or full disk costs the recording, never the music.
"""

from __future__ import annotations

import os
import queue
import struct
import threading
import time
from pathlib import Path

import numpy as np
import soundfile
from numpy.typing import NDArray

from ..dsp.crossfade import Gate
from .config import EngineError
from .notes import Notes
from .player import PARTS

Array = NDArray[np.float32]
CHANNELS: tuple[str, ...] = ("heard", "mix", *PARTS)
_HEADER_EVERY_S = 0.5
_QUEUE_FRAMES = 250
_MOST_BYTES = 4_000_000_000
"""A WAV counts its bytes in 32 bits: before that, another file goes on."""
_DISK_ERRORS = (soundfile.LibsndfileError, OSError, RuntimeError, AssertionError)


class Take:
    """Lines frames up in musical time: input sample s, and what is heard with it. Inference thread only.

    The parts are those that were made (with their levels and the ramps of start and stop), whole even where one came
    too late to be played; the limiter is not in it.
    """

    def __init__(self, host_frame: int, ramp_samples: int, frames_ahead: int) -> None:
        self._host_frame = host_frame
        self._made = np.zeros((len(CHANNELS) - 1, (frames_ahead + 4) * host_frame), np.float32)
        self._from = 0  # musical time up to which frames were given away
        self._gate = Gate(ramp_samples)
        self._open = False
        self._switches: list[tuple[int, bool]] = []

    def put(self, position: int, rows: Array) -> None:
        """[1 + parts, n] made for musical time `position` on; what is past already, or too far ahead, is left out."""
        first = max(0, self._from - position)
        last = min(rows.shape[1], self._from + self._made.shape[1] - position)
        if last > first:
            places = (position + np.arange(first, last)) % self._made.shape[1]
            self._made[:, places] = rows[:, first:last]

    def switch(self, position: int, opened: bool) -> None:
        """From musical time `position` on the band sounds, or goes out."""
        self._switches.append((position, opened))

    def frame(self, heard: Array) -> Array:
        """The next frame of musical time: heard [n] in, [channels, n] out, new memory."""
        count = heard.size
        places = (self._from + np.arange(count)) % self._made.shape[1]
        block = np.empty((len(CHANNELS), count), np.float32)
        block[0] = heard
        block[1:] = self._made[:, places] * self._gains(count)
        self._made[:, places] = 0.0
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
    """Writes frames to a 24-bit WAV whose header is true at least every second. `put` never waits.

    Raises EngineError if the file cannot be begun.
    """

    def __init__(self, path: str, rate_hz: int, notes: Notes) -> None:
        self.path = Path(path)
        self._rate_hz = rate_hz
        self._notes = notes
        self._files = [self.path]
        self._queue: queue.Queue[tuple[int, Array] | None] = queue.Queue(_QUEUE_FRAMES)
        self._sink: soundfile.SoundFile | None = self._open(self.path)
        self._samples = 0
        self._expected = 0
        self._bytes = 0
        self._dropped_frames = 0
        self._thread = threading.Thread(target=self._run, name="gigmate-record", daemon=True)
        self._thread.start()

    def put(self, position: int, block: Array) -> None:
        """Inference thread. [channels, n] at a position; what finds no room is silence in the recording."""
        try:
            self._queue.put_nowait((position, block))
        except queue.Full:
            self._dropped_frames += 1
            self._notes.fault(
                "recording_gaps", f"{self.path.name}: the disk is too slow, there are gaps in the recording"
            )

    def close(self, timeout_s: float = 5.0) -> bool:
        """Write what waits and end the file. False if the disk did not answer in time. May be called twice."""
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
            "files": [str(path) for path in self._files],
            "seconds": self._samples / self._rate_hz,
            "channels": list(CHANNELS),
            "dropped_frames": self._dropped_frames,
        }

    # -------------------------------------------------------------------------------------- the recorder's thread

    def _open(self, path: Path) -> soundfile.SoundFile:
        try:
            return soundfile.SoundFile(str(path), "w", self._rate_hz, len(CHANNELS), "PCM_24", format="WAV")
        except _DISK_ERRORS as error:
            raise EngineError(
                f"{path}: cannot be recorded to ({_plain(error)}); choose a folder that you may write to"
            ) from error

    def _run(self) -> None:
        header_s = time.monotonic()
        while True:
            try:
                item = self._queue.get(timeout=_HEADER_EVERY_S)
            except queue.Empty:
                item = (self._expected, np.zeros((len(CHANNELS), 0), np.float32))
            if item is None:
                break
            try:
                self._write(*item)
                if time.monotonic() - header_s >= _HEADER_EVERY_S:
                    header_s = time.monotonic()
                    self._update_header()
            except (*_DISK_ERRORS, EngineError) as error:
                self._give_up(error)
        if self._sink is not None:
            try:
                self._sink.close()
            except _DISK_ERRORS as error:
                self._give_up(error)

    def _write(self, position: int, block: Array) -> None:
        if self._sink is None or block.shape[1] == 0:
            return
        gap = position - self._expected
        if gap > 0:
            self._sink.write(np.zeros((gap, len(CHANNELS)), np.float32))
        self._sink.write(np.clip(block, -1.0, 1.0 - 2.0**-23).T)
        self._expected = position + block.shape[1]
        self._samples += max(0, gap) + block.shape[1]
        self._bytes += (max(0, gap) + block.shape[1]) * len(CHANNELS) * 3
        if self._bytes >= _MOST_BYTES:
            self._next_file()

    def _next_file(self) -> None:
        if self._sink is not None:
            self._sink.close()
            self._sink = None
        path = self.path.with_name(f"{self.path.stem}-{len(self._files) + 1}{self.path.suffix}")
        self._sink = self._open(path)
        self._files.append(path)
        self._bytes = 0

    def _update_header(self) -> None:
        if self._sink is None:
            return
        self._sink.flush()
        complete_header(self._files[-1])

    def _give_up(self, error: Exception) -> None:
        sink, self._sink = self._sink, None
        kept = f"{self._samples / self._rate_hz:.0f} s are kept"
        self._notes.fault(
            "recording_failed", f"{self.path.name}: recording stopped ({_plain(error)}), {kept}; is the disk full?"
        )
        if sink is not None:
            try:
                complete_header(self._files[-1])
                sink.close()
            except _DISK_ERRORS:
                self._notes.fault("recording_close", f"{self.path.name}: was not closed well")


def complete_header(path: Path) -> None:
    """Make the sizes in a WAV's header those of the file as it is. Raises OSError; leaves what is no WAV alone."""
    with open(path, "r+b") as file:
        head = file.read(4096)
        place = head.find(b"data", 12)
        if head[:4] != b"RIFF" or place < 0:
            return
        size = file.seek(0, os.SEEK_END)
        file.seek(4)
        file.write(struct.pack("<I", size - 8))
        file.seek(place + 4)
        file.write(struct.pack("<I", size - place - 8))


def _plain(error: Exception) -> str:
    text = str(getattr(error, "error_string", "") or getattr(error, "strerror", "") or error).strip().splitlines()
    return text[0].rstrip(".") if text else type(error).__name__
