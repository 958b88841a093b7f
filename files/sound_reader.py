"""Reads a sound file to its end, in blocks, whatever length its header claims. Used by every verb.

libsndfile decodes what it knows, given a true header where the file's own is wrong; FFmpeg the rest
(`foreign_formats`). What is not read is said (`remark`). Knows no band. Any thread; each reader belongs to one at a
time.
"""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import BinaryIO

import numpy as np
import soundfile
from numpy.typing import NDArray

from .byte_pieces import BytePieces, Piece
from .errors import Damaged, NoSound
from .foreign_formats import Foreign, open_foreign
from .links import MOST_LINKS, flac_links, ogg_links
from .mpeg_frames import count_frames, with_true_header
from .names import HIGHEST_RATE_HZ, LOWEST_RATE_HZ, MOST_CHANNELS, sound_name
from .wav_sizes import wav_sound, with_true_sizes

Array = NDArray[np.float32]
_SOUND_ERRORS = (soundfile.LibsndfileError, RuntimeError, OSError)
_BLOCK_SAMPLES = 16_384
_MISSED_S = 0.05
"""So little less than claimed is the rounding of a format, not a loss."""
_UNKNOWN_SAMPLES = 2**35
_MOST_PADDING_SAMPLES = 4_096
"""Two frames of AAC or Opus."""
_SIZED_BY_FFMPEG = (b"FORM", b"caff")
"""Heads of formats whose sizes FFmpeg mends where they were never written."""
_CHANGES = "there its rate or its channels change: what follows was left out"


class SoundReader:
    """float32 [n, channels] from the beginning to the end. Raises NoSound here, Damaged further on. Close it."""

    def __init__(self, path: Path) -> None:
        self.remark = ""
        """At the end: one line on what was not read; empty where all of it was."""
        self.claimed_samples: int | None = None
        """How long it seems to be: what was counted, or what the header says. None: not known."""
        self._promised_share = 1.0  # of what the header says to what was counted
        self._pending = np.zeros((0, 1), np.float32)
        with contextlib.ExitStack() as things:
            self._things = things
            self._raw: BinaryIO = things.enter_context(path.open("rb"))
            self._blocks = self._open(path, self._raw.read(64))
            self._check()
            self._things = things.pop_all()

    def __enter__(self) -> SoundReader:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def read(self, samples: int) -> Array:
        """The next [samples, channels]; fewer only at the end, where nothing is left."""
        parts, count = [self._pending], len(self._pending)
        while count < samples:
            block = next(self._blocks, None)
            if block is None:
                break
            parts.append(block)
            count += len(block)
        whole = parts[0] if len(parts) == 1 else np.concatenate(parts)
        self._pending = whole[samples:]
        return whole[:samples]

    def close(self) -> None:
        """May be called twice."""
        self._things.close()

    # ---------------------------------------------------------------------------------------------- how it is opened

    def _open(self, path: Path, head: bytes) -> Iterator[Array]:
        """The blocks of the whole file; sets rate and channels."""
        try:
            links = self._links_of(head)
            if len(links) > 1:
                return self._linked(links)
            return self._single(self._sound_of(path, self._mended(head)), head)
        except _SOUND_ERRORS as error:
            reason = _plain(error)
        try:
            foreign = open_foreign(path, self._raw, head)
        except NoSound as error:
            raise NoSound(f"cannot be read as sound: {error}") from error
        if foreign is None:
            raise NoSound(f"cannot be read as sound ({reason}); give a WAV, FLAC, OGG or MP3")
        self._things.callback(foreign.close)
        self.rate_hz, self.channels, self.claimed_samples = foreign.rate_hz, foreign.channels, foreign.claimed_samples
        return self._decoded(foreign)

    def _links_of(self, head: bytes) -> list[tuple[int, int]]:
        if head[:4] == b"OggS":
            return ogg_links(self._raw)
        return flac_links(self._raw) if head[:4] == b"fLaC" else []

    def _mended(self, head: bytes) -> list[Piece] | None:
        """The pieces of the file with a true header; None where its own is true, or asks for nothing."""
        size = self._raw.seek(0, os.SEEK_END)
        if head[8:12] == b"WAVE":
            wav = wav_sound(self._raw)
            if wav is None:
                return None
            if wav.claimed_bytes is not None and wav.stop > wav.start:
                self._promised_share = wav.claimed_bytes / (wav.stop - wav.start)
            return None if wav.right else with_true_sizes(wav)
        if head[:3] == b"ID3" or head[:1] == b"\xff":
            stream = count_frames(self._raw)
            if stream is None:
                return None
            self.claimed_samples = stream.samples
            if stream.changes:
                self.remark = _CHANGES
            if stream.claimed_frames is None:  # it guesses, and stops where the guess ends
                guessed = self._guess_of(stream.samples)
                return with_true_header(stream, size) if guessed else None
            if stream.claimed_frames != stream.frames:
                self._promised_share = max(1.0, stream.claimed_frames / max(1, stream.frames))
                return with_true_header(stream, size)
        return None

    def _guess_of(self, samples: int) -> bool:
        """Whether libsndfile takes the file for shorter than was counted."""
        with soundfile.SoundFile(BytePieces(self._raw, [(0, self._raw.seek(0, os.SEEK_END))])) as file:
            return bool(file.frames < samples)

    def _sound_of(self, path: Path, pieces: Sequence[Piece] | None) -> soundfile.SoundFile:
        source = sound_name(path) if pieces is None else BytePieces(self._raw, pieces)
        return self._things.enter_context(_Forward(source))

    # ----------------------------------------------------------------------------------------------- how it is read

    def _single(self, file: soundfile.SoundFile, head: bytes) -> Iterator[Array]:
        if file.frames == 0 and head[:4] in _SIZED_BY_FFMPEG:
            raise OSError("its header says that it is empty")
        self.rate_hz, self.channels = int(file.samplerate), int(file.channels)
        known = int(file.frames) if 0 <= file.frames < _UNKNOWN_SAMPLES else None
        self.claimed_samples = min((n for n in (known, self.claimed_samples) if n is not None), default=None)
        return self._to_the_end(file)

    def _to_the_end(self, file: soundfile.SoundFile) -> Iterator[Array]:
        done = 0
        for block in _blocks_of(file):
            yield block
            done += len(block)
        promised = round(self._promised_share * (self.claimed_samples or 0))
        if done + _MISSED_S * self.rate_hz < promised:
            self.remark = f"ends after {done / self.rate_hz:.1f} s, its header promises {promised / self.rate_hz:.1f} s"

    def _linked(self, links: list[tuple[int, int]]) -> Iterator[Array]:
        """One link after another, as long as they are of one kind."""
        first = _Forward(BytePieces(self._raw, [links[0]]))
        self.rate_hz, self.channels = int(first.samplerate), int(first.channels)

        def blocks() -> Iterator[Array]:
            file = first
            for number, link in enumerate(links):
                if number >= MOST_LINKS:
                    self.remark = f"the first {MOST_LINKS} of the sounds that are joined in it were read"
                    return
                try:
                    file = first if number == 0 else _Forward(BytePieces(self._raw, [link]))
                except _SOUND_ERRORS:
                    self.remark = f"sound {number + 1} of the {len(links)} that are joined in it cannot be read"
                    return
                with file:
                    if (file.samplerate, file.channels) != (self.rate_hz, self.channels):
                        self.remark = _CHANGES
                        return
                    yield from _blocks_of(file)

        return blocks()

    def _decoded(self, foreign: Foreign) -> Iterator[Array]:
        yield from _trimmed(foreign.blocks(), foreign.exact_samples)
        self.remark = foreign.remark
        if foreign.bad:
            self.remark = f"{foreign.bad} piece{'s' * (foreign.bad > 1)} of it could not be decoded and are left out"

    def _check(self) -> None:
        if not LOWEST_RATE_HZ <= self.rate_hz <= HIGHEST_RATE_HZ or not 1 <= self.channels <= MOST_CHANNELS:
            raise NoSound(
                f"claims {self.channels} channels at {self.rate_hz} Hz; give at most {MOST_CHANNELS} channels at "
                f"{LOWEST_RATE_HZ} to {HIGHEST_RATE_HZ} Hz"
            )
        self._pending = np.zeros((0, self.channels), np.float32)


class _Forward(soundfile.SoundFile):
    """Read from the beginning on. soundfile seeks after every read to where it is already: an MP3 then sounds a little
    different after each block, and what does not say its length cannot be read to its end."""

    def seekable(self) -> bool:
        return False


def _trimmed(blocks: Iterator[Array], samples: int | None) -> Iterator[Array]:
    """Without the padding of an encoder's last frame. A stream that is much longer than it says is not cut."""
    done, beyond = 0, 0
    waiting: list[Array] = []
    for block in blocks:
        if samples is None or beyond > _MOST_PADDING_SAMPLES:
            yield from waiting
            waiting.clear()
            yield block
            continue
        inside = max(0, min(len(block), samples - done))
        done += len(block)
        beyond += len(block) - inside
        if inside:
            yield block[:inside]
        if inside < len(block):
            waiting.append(block[inside:])
    if beyond > _MOST_PADDING_SAMPLES:
        yield from waiting


def _blocks_of(file: soundfile.SoundFile) -> Iterator[Array]:
    """Raises Damaged."""
    while True:
        try:
            block: Array = file.read(_BLOCK_SAMPLES, dtype="float32", always_2d=True)
        except _SOUND_ERRORS as error:
            raise Damaged(f"is damaged ({_plain(error)}); give a whole file") from error
        if len(block) == 0:
            return
        yield block


def _plain(error: BaseException) -> str:
    """An error's own words on one line."""
    text = str(getattr(error, "error_string", "") or getattr(error, "strerror", "") or error).strip().splitlines()
    return text[0].rstrip(".") if text else type(error).__name__
