"""A file object made of byte ranges of another file and of bytes of ours, for decoders that read file handles.

So a header that is wrong is mended without a copy. Read only; one thread at a time.
"""

from __future__ import annotations

import io
from collections.abc import Sequence
from typing import BinaryIO

Piece = bytes | tuple[int, int]
"""Bytes of ours, or where a stretch of the file begins and ends."""


class BytePieces(io.RawIOBase):
    """`file` stays the caller's: it is neither closed here nor used by anyone else meanwhile."""

    def __init__(self, file: BinaryIO, pieces: Sequence[Piece]) -> None:
        super().__init__()
        self._file = file
        self._pieces: list[tuple[int, int, Piece]] = []
        self.size = 0
        for piece in pieces:
            length = len(piece) if isinstance(piece, bytes) else max(0, piece[1] - piece[0])
            self._pieces.append((self.size, self.size + length, piece))
            self.size += length
        self._at = 0

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def tell(self) -> int:
        return self._at

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        start = {io.SEEK_SET: 0, io.SEEK_CUR: self._at, io.SEEK_END: self.size}[whence]
        self._at = max(0, start + offset)
        return self._at

    def readinto(self, buffer) -> int:  # type: ignore[no-untyped-def]
        """As many bytes as there are, up to the buffer's size: fewer only at the end."""
        view, done = memoryview(buffer).cast("B"), 0
        for first, last, piece in self._pieces:
            if done == len(view) or self._at >= self.size:
                break
            if not first <= self._at < last:
                continue
            count = min(last - self._at, len(view) - done)
            if isinstance(piece, bytes):
                got = piece[self._at - first : self._at - first + count]
            else:
                self._file.seek(piece[0] + self._at - first)
                got = self._file.read(count)
            view[done : done + len(got)] = got
            done += len(got)
            self._at += len(got)
            if len(got) < count:
                break
        return done
