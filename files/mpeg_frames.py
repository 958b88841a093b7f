"""Counts the frames of an MP3, because its header may give no length or a wrong one.

Decoders that trust the header stop early in what was joined, and guess where there is none (every encoder that wrote
into a pipe). Knows bytes, decodes nothing. Any thread.
"""

from __future__ import annotations

import struct
from dataclasses import dataclass
from typing import BinaryIO

from .byte_pieces import Piece

_KBITS = {
    (1, 1): (0, 32, 64, 96, 128, 160, 192, 224, 256, 288, 320, 352, 384, 416, 448),
    (1, 2): (0, 32, 48, 56, 64, 80, 96, 112, 128, 160, 192, 224, 256, 320, 384),
    (1, 3): (0, 32, 40, 48, 56, 64, 80, 96, 112, 128, 160, 192, 224, 256, 320),
    (2, 1): (0, 32, 48, 56, 64, 80, 96, 112, 128, 144, 160, 176, 192, 224, 256),
    (2, 2): (0, 8, 16, 24, 32, 40, 48, 56, 64, 80, 96, 112, 128, 144, 160),
    (2, 3): (0, 8, 16, 24, 32, 40, 48, 56, 64, 80, 96, 112, 128, 144, 160),
}
"""By MPEG version (2 stands for 2.5 too) and layer."""
_RATES_HZ = {3: (44_100, 48_000, 32_000), 2: (22_050, 24_000, 16_000), 0: (11_025, 12_000, 8_000)}
"""By the two bits of the version."""
_MOST_LOST_BYTES = 2**20
"""What lies between two frames and is none (a tag, a cover, damage) may be so long."""
_WINDOW_BYTES = 2**20
_KEPT_BYTES = 4_096
"""Longer than any frame."""


@dataclass(frozen=True, slots=True)
class Frame:
    """What a frame's four bytes of header say."""

    bytes: int
    samples: int
    kind: tuple[int, int, int]
    """Version bits, layer and rate in Hz: the same in all frames of one stream."""
    side_bytes: int
    """From the frame's first byte to where a Xing header would stand."""


@dataclass(frozen=True, slots=True)
class MpegStream:
    """What was counted."""

    samples: int
    """In all frames but that of the header."""
    rate_hz: int
    start: int
    """Where the first frame begins, in bytes."""
    header: bytes
    """Of the first frame."""
    claimed_frames: int | None
    """What a Xing or Info header says; None without one."""
    count_at: int
    """Where that number stands; 0 without."""
    frames: int
    changes: bool
    """Whether the stream goes on at another rate or in another version, which is not counted."""


def frame_of(head: bytes) -> Frame | None:
    """The frame that begins with these four bytes; None where none does (or one of a free format)."""
    if len(head) < 4 or head[0] != 0xFF or head[1] & 0xE0 != 0xE0:
        return None
    version, layer_bits, rate_bits = head[1] >> 3 & 3, head[1] >> 1 & 3, head[2] >> 2 & 3
    if version == 1 or layer_bits == 0 or rate_bits == 3 or head[2] >> 4 in (0, 15) or head[3] & 3 == 2:
        return None
    layer, rate_hz = 4 - layer_bits, _RATES_HZ[version][rate_bits]
    kbits = _KBITS[1 if version == 3 else 2, layer][head[2] >> 4]
    padding = head[2] >> 1 & 1
    if layer == 1:
        samples, size = 384, (12_000 * kbits // rate_hz + padding) * 4
    else:
        samples = 1152 if layer == 2 or version == 3 else 576
        size = samples // 8 * 1000 * kbits // rate_hz + padding
    mono = head[3] >> 6 == 3
    side = (17 if mono else 32) if version == 3 else (9 if mono else 17)
    return Frame(size, samples, (version, layer, rate_hz), 4 + side)


def count_frames(file: BinaryIO) -> MpegStream | None:
    """Walk the whole file. None for what is no stream of MPEG audio."""
    walker = _Walker(file)
    start = walker.find(_after_tags(file), None)
    if start is None:
        return None
    head = walker.at(start, _KEPT_BYTES)
    first = frame_of(head[:4])
    if first is None:
        return None
    claimed, count_at = _xing(head, first)
    frames, changes, at = (0 if count_at or claimed is not None else 1), False, start + first.bytes
    known: dict[bytes, Frame | None] = {}
    while True:
        four = walker.at(at, 4)
        if four not in known:
            known[four] = frame_of(four) if len(known) < 4096 else None
        frame = known[four] or frame_of(four)
        if frame is None:
            found = walker.find(at, first.kind)
            if found is None:
                break
            at = found
            continue
        if frame.kind != first.kind:
            changes = walker.find(at, frame.kind) == at
            break
        if walker.at(at, frame.bytes)[-1:] == b"" or at + frame.bytes > walker.size:
            break  # cut off within it
        frames += 1
        at += frame.bytes
    return MpegStream(
        frames * first.samples, first.kind[2], start, head[:4], claimed, start + count_at if count_at else 0, frames,
        changes,
    )  # fmt: skip


def with_true_header(stream: MpegStream, size: int) -> list[Piece]:
    """The file as it would be with a header that counts its frames right."""
    if stream.count_at:
        frames = max(stream.frames, stream.claimed_frames or 0)  # of what was cut off the padding is gone too
        whole = struct.pack(">II", frames, min(size - stream.start, 2**32 - 1))
        return [(0, stream.count_at), whole, (stream.count_at + len(whole), size)]
    frame = frame_of(stream.header)
    if frame is None:
        return [(0, size)]
    # The smallest bit rate whose frame has room, without checksum and padding, of the stream's kind and channels.
    for step in range(1, 15):
        head = bytes((0xFF, stream.header[1] | 1, step << 4 | stream.header[2] & 0x0C, stream.header[3]))
        made = frame_of(head)
        if made is not None and made.bytes >= made.side_bytes + 200:
            tag = b"Xing" + struct.pack(">II", 1, stream.frames)
            body = head + bytes(made.side_bytes - 4) + tag
            first = stream.start + (0 if stream.claimed_frames is None else frame.bytes)  # one that says nothing goes
            return [(0, stream.start), body + bytes(made.bytes - len(body)), (first, size)]
    return [(0, size)]


def _xing(head: bytes, first: Frame) -> tuple[int | None, int]:
    """(frames that a header claims, where that stands after the frame's start); (None, 0) for none, (0, 0) for one
    that does not say."""
    if head[first.side_bytes : first.side_bytes + 4] not in (b"Xing", b"Info"):
        return None, 0
    (flags,) = struct.unpack_from(">I", head, first.side_bytes + 4)
    if flags & 3 != 3:
        return 0, 0
    (frames,) = struct.unpack_from(">I", head, first.side_bytes + 8)
    return frames, first.side_bytes + 8


def _after_tags(file: BinaryIO) -> int:
    """Where the sound begins: after tags at the front, one after another."""
    at = 0
    for _ in range(16):
        file.seek(at)
        head = file.read(10)
        if len(head) < 10 or head[:3] != b"ID3" or any(byte & 0x80 for byte in head[6:]):
            break
        at += 10 + (head[6] << 21 | head[7] << 14 | head[8] << 7 | head[9]) + (10 if head[5] & 0x10 else 0)
    return at


class _Walker:
    """Bytes of a file by windows, and where the next frame begins."""

    def __init__(self, file: BinaryIO) -> None:
        self._file = file
        self.size = file.seek(0, 2)
        self._from, self._window = 0, b""

    def at(self, place: int, count: int) -> bytes:
        """Up to `count` bytes from a place on (at most _KEPT_BYTES)."""
        if not self._from <= place or place + count > self._from + len(self._window):
            self._file.seek(place)
            self._from, self._window = place, self._file.read(_WINDOW_BYTES)
        return self._window[place - self._from : place - self._from + count]

    def find(self, place: int, kind: tuple[int, int, int] | None) -> int | None:
        """The next frame (of that kind) from a place on that another one follows; None within reach."""
        end = min(self.size, place + _MOST_LOST_BYTES)
        while place < end:
            window = self.at(place, _KEPT_BYTES)
            step = window.find(b"\xff")
            if step < 0:
                place += max(1, len(window))
                continue
            place += step
            frame = frame_of(self.at(place, 4))
            if frame is not None and kind in (None, frame.kind):
                follower = frame_of(self.at(place + frame.bytes, 4))
                last = place + frame.bytes >= self.size
                if (follower is not None and follower.kind == frame.kind) or (last and kind is not None):
                    return place
            place += 1
        return None
