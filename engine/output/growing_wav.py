"""A WAV file that can be read while it grows, and continues in another file before it becomes too large.

Knows neither what is recorded nor who asks. One thread at a time; every method may raise one of DISK_ERRORS.
"""

from __future__ import annotations

import contextlib
import os
import struct
from pathlib import Path

import numpy as np
import soundfile
from numpy.typing import NDArray

from ...files.names import sound_name

MOST_BYTES = 4_000_000_000
"""A WAV counts its bytes in 32 bits: before that, another file goes on. (RF64 would not end there, but few programs
read it, and none a half one.)"""
DISK_ERRORS = (soundfile.LibsndfileError, OSError, RuntimeError, AssertionError)
_BYTES_PER_SAMPLE = 4
_SILENCE_SAMPLES = 48_000


class GrowingWav:
    """WAV files of 32-bit floats, one after another: take.wav, take-2.wav ... True headers after each `settle`.

    A file that is there already keeps what it holds until the first sample is written: a run that fails before that
    costs no earlier take. One that was made and got no sample is taken away again.

    One thread at a time.
    """

    def __init__(self, path: Path, rate_hz: int, channels: int) -> None:
        self.path = path
        self.files = [path]
        self._rate_hz, self._channels = rate_hz, channels
        self._bytes = 0
        self._closed = False
        self._sink: soundfile.SoundFile | None = None
        self._made = not path.exists()
        if path.is_file():
            with open(path, "ab"):  # may it be written to? To be said now, not when the band plays
                pass
        else:
            self._sink = self._open(path)

    def write(self, block: NDArray[np.float32]) -> None:
        """[channels, n], as it is: floats have no full scale."""
        if self._closed or block.shape[1] == 0:
            return
        if self._sink is None:
            self._sink = self._open(self.files[-1])
        self._sink.write(block.T)
        self._bytes += block.size * _BYTES_PER_SAMPLE
        if self._bytes >= MOST_BYTES:
            self._next()

    def silence(self, samples: int) -> None:
        """So much of it, however long."""
        while samples > 0:
            count = min(samples, _SILENCE_SAMPLES)
            self.write(np.zeros((self._channels, count), np.float32))
            samples -= count

    def settle(self) -> None:
        """What was written is on the disk, and the header says so."""
        if self._sink is not None:
            self._sink.flush()
            complete_header(self.files[-1])

    def close(self) -> None:
        """End it. May be called twice."""
        self._closed = True
        sink, self._sink = self._sink, None
        if sink is not None:
            sink.close()
        if self._made and self.files == [self.path] and self._bytes == 0:
            self.path.unlink(missing_ok=True)
            self._made = False

    def abandon(self) -> None:
        """The disk takes no more: keep what there is readable, and end."""
        self._closed = True
        sink, self._sink = self._sink, None
        if sink is None:
            return
        with contextlib.suppress(*DISK_ERRORS):  # it tries to write what it still holds, in vain as before
            sink.close()
        complete_header(self.files[-1])

    def _open(self, path: Path) -> soundfile.SoundFile:
        return soundfile.SoundFile(sound_name(path), "w", self._rate_hz, self._channels, "FLOAT", format="WAV")

    def _next(self) -> None:
        if self._sink is not None:
            self._sink.close()
        path = self.path.with_name(f"{self.path.stem}-{len(self.files) + 1}{self.path.suffix}")
        self._sink = self._open(path)
        self.files.append(path)
        self._bytes = 0


def complete_header(path: Path) -> None:
    """Make the sizes in a WAV's header those of the file as it is. Raises OSError; leaves what is no WAV alone."""
    with open(path, "r+b") as file:
        head = file.read(4096)
        place = head.find(b"data", 12)
        size = file.seek(0, os.SEEK_END)
        if head[:4] != b"RIFF" or place < 34 or size < place + 8:  # its form stands before its data
            return
        frame = max(1, struct.unpack_from("<H", head, 32)[0])
        data = (size - place - 8) // frame * frame  # a disk that is full takes half a sample
        file.seek(4)
        file.write(struct.pack("<I", place + data))
        file.seek(place + 4)
        file.write(struct.pack("<I", data))
        fact = head.find(b"fact", 12, place)
        if fact > 0:
            file.seek(fact + 8)
            file.write(struct.pack("<I", data // frame))


def plain_reason(error: BaseException) -> str:
    """What a disk said, in one line without its full stop."""
    text = str(getattr(error, "error_string", "") or getattr(error, "strerror", "") or error).strip().splitlines()
    return text[0].rstrip(".") if text else type(error).__name__
