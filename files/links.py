"""Sound files that contain several streams: chained Ogg, and FLAC files joined end to end.

Decoders read the first and stop. Knows bytes, decodes nothing. Any thread.
"""

from __future__ import annotations

from typing import BinaryIO

MOST_LINKS = 1_000
_PAGE = b"OggS"
_PAGE_HEAD_BYTES = 27
_FIRST_PAGE = 0x02
_FLAC = b"fLaC\x00\x00\x00\x22"
"""The mark and the head of the block that must follow it: no sound looks like it by chance."""
_WINDOW_BYTES = 2**20


def ogg_links(file: BinaryIO) -> list[tuple[int, int]]:
    """Where each link begins and ends. Streams that run side by side (a film's) are one link."""
    size = file.seek(0, 2)
    starts: list[int] = []
    at, in_heads = 0, False
    while at < size and len(starts) <= MOST_LINKS:
        file.seek(at)
        head = file.read(_PAGE_HEAD_BYTES + 255)
        if head[:4] != _PAGE or len(head) < _PAGE_HEAD_BYTES:
            found = _find(file, _PAGE, at + 1)
            if found is None:
                break
            at = found
            continue
        first = bool(head[5] & _FIRST_PAGE)
        if first and not in_heads:
            starts.append(at)
        in_heads = first
        lengths = head[_PAGE_HEAD_BYTES : _PAGE_HEAD_BYTES + head[26]]
        at += _PAGE_HEAD_BYTES + len(lengths) + sum(lengths)
    return _stretches(starts, size)


def flac_links(file: BinaryIO) -> list[tuple[int, int]]:
    """The same for FLACs."""
    size = file.seek(0, 2)
    starts: list[int] = []
    found = _find(file, _FLAC, 0)
    while found is not None and len(starts) <= MOST_LINKS:
        starts.append(found)
        found = _find(file, _FLAC, found + len(_FLAC))
    return _stretches(starts, size)


def _stretches(starts: list[int], size: int) -> list[tuple[int, int]]:
    return list(zip(starts, [*starts[1:], size], strict=False))


def _find(file: BinaryIO, mark: bytes, start: int) -> int | None:
    """Where a mark stands next."""
    at, tail = start, b""
    file.seek(at)
    while True:
        window = file.read(_WINDOW_BYTES)
        if not window:
            return None
        place = (tail + window).find(mark)
        if place >= 0:
            return at - len(tail) + place
        at += len(window)
        tail = window[-(len(mark) - 1) :]
