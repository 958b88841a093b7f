"""Locates the audio in a WAV whose header was never completed, as after a power failure.

Knows bytes, decodes nothing. Any thread.
"""

from __future__ import annotations

import struct
from dataclasses import dataclass
from typing import BinaryIO

from .byte_pieces import Piece

_HEADS = (b"RIFF", b"RF64", b"BW64")
_NEVER_WRITTEN_BYTES = 0x7F000000
"""Programs that cannot say the size write a number at the end of the range, or near it."""
_MOST_CHUNKS = 10_000
_MOST_FORM_BYTES = 4_096
_LARGEST_RIFF_BYTES = 2**32 - 2**12
_TRAILING_BYTES = 65_536
"""What follows the sound and is no chunk: so little is a tag or padding, more is sound that was never counted."""


@dataclass(frozen=True, slots=True)
class WavSound:
    """The stretch of a file that is its sound."""

    form: bytes
    """The content of its form chunk."""
    start: int
    stop: int
    right: bool
    """Whether the header says so too."""
    claimed_bytes: int | None
    """What the header claims; None where it was never written."""


def wav_sound(file: BinaryIO) -> WavSound | None:
    """None for what is no WAV, or one without form or sound."""
    size = file.seek(0, 2)
    file.seek(0)
    head = file.read(12)
    if head[:4] not in _HEADS or head[8:12] != b"WAVE":
        return None
    at, form, large_bytes = 12, b"", None
    for _ in range(_MOST_CHUNKS):
        file.seek(at)
        chunk = file.read(8)
        if len(chunk) < 8:
            return None
        name, length = chunk[:4], struct.unpack("<I", chunk[4:])[0]
        if name == b"ds64":
            found = file.read(28)
            large_bytes = struct.unpack_from("<Q", found, 8)[0] if len(found) >= 16 else None
        if name == b"fmt ":
            form = file.read(min(length, _MOST_FORM_BYTES))
        if name == b"data":
            break
        at += 8 + length + (length & 1)
    else:
        return None
    if len(form) < 16:
        return None
    start = at + 8
    claimed = large_bytes if head[:4] != b"RIFF" and length == 0xFFFFFFFF else length
    there = size - start
    trailing = claimed not in (None, 0) and 0 <= there - claimed <= _TRAILING_BYTES
    if claimed is not None and claimed <= there and (trailing or _only_chunks(file, start + claimed, size)):
        return WavSound(form, start, start + claimed, True, claimed)
    cut_off = claimed is not None and there < claimed < _NEVER_WRITTEN_BYTES
    block = max(1, struct.unpack_from("<H", form, 12)[0])
    return WavSound(form, start, start + there // block * block, cut_off, claimed if cut_off else None)


def with_true_sizes(sound: WavSound) -> list[Piece]:
    """The same sound under a header that is right."""
    length = sound.stop - sound.start
    form = struct.pack("<4sI", b"fmt ", len(sound.form)) + sound.form + bytes(len(sound.form) & 1)
    if length < _LARGEST_RIFF_BYTES:
        sizes = struct.pack("<4sI", b"data", length)
        return [b"RIFF" + struct.pack("<I", 4 + len(form) + 8 + length) + b"WAVE" + form + sizes,
                (sound.start, sound.stop)]  # fmt: skip
    block = max(1, struct.unpack_from("<H", sound.form, 12)[0])
    large = struct.pack("<4sIQQQI", b"ds64", 28, 4 + 36 + len(form) + 8 + length, length, length // block, 0)
    sizes = struct.pack("<4sI", b"data", 0xFFFFFFFF)
    return [b"RF64" + struct.pack("<I", 0xFFFFFFFF) + b"WAVE" + large + form + sizes, (sound.start, sound.stop)]


def _only_chunks(file: BinaryIO, at: int, size: int) -> bool:
    """Whether nothing but whole chunks (or some bytes of padding) lies from there to the end: no sound is left."""
    at += at & 1
    for _ in range(_MOST_CHUNKS):
        file.seek(at)
        chunk = file.read(8)
        if len(chunk) < 8 or not any(chunk):
            return size - at < 8 or _is_padding(file, at, size)
        name, length = chunk[:4], struct.unpack("<I", chunk[4:])[0]
        if not all(32 <= byte < 127 for byte in name) or at + 8 + length > size + 1 or name in _HEADS:
            return False
        at += 8 + length + (length & 1)
    return False


def _is_padding(file: BinaryIO, at: int, size: int) -> bool:
    """Whether little is left, and all of it zeros, as a disk's blocks are filled up."""
    if size - at > _TRAILING_BYTES:
        return False
    file.seek(at)
    return not any(file.read(_TRAILING_BYTES))
