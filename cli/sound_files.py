"""Sound files for `complete` and the server: read in blocks whatever their headers say, written whole or not at all.

Knows no band. Any thread; each file belongs to one at a time.
"""

from __future__ import annotations

import contextlib
import math
import os
import uuid
from collections import deque
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import soundfile
from numpy.typing import NDArray

from ..dsp.limiter import Limiter
from ..engine.errors import ConfigError, EngineError
from ..engine.player import PARTS
from ..files.channels import ChannelError, picked
from ..files.errors import SoundFileError
from ..files.names import sound_name, why_no_recording
from ..files.sound_reader import SoundReader

if TYPE_CHECKING:
    from ..engine.run.accompaniment import Stretch
    from .complete_job import Completion

Array = NDArray[np.float32]
FORMATS = {".wav": "WAV", ".flac": "FLAC"}
_BLOCK_S = 0.5
_WAV_BYTES = 4_000_000_000
"""A plain WAV counts its bytes in 32 bits: longer ones are written as RF64."""
_SOUND_ERRORS = (soundfile.LibsndfileError, RuntimeError, OSError)


class TooLong(ConfigError):
    """More music than is taken here."""


class NoSound(EngineError):
    """What was given cannot be read as sound."""


class Recording:
    """A sound file read in blocks, float32 [n, channels]. Raises NoSound, and TooLong beyond `most_s`."""

    def __init__(
        self, path: Path, start_s: float = 0.0, length_s: float | None = None, most_s: float = math.inf
    ) -> None:
        reason = why_no_recording(path)
        if reason is not None:
            raise EngineError(reason)
        try:
            self._file = SoundReader(path)
        except SoundFileError as error:
            raise NoSound(f"{path.name}: {error}") from error
        self.path = path
        self.rate_hz, self.channels = self._file.rate_hz, self._file.channels
        self._most_s, self._allowed_samples = most_s, most_s * self.rate_hz
        start = round(start_s * self.rate_hz)
        self.left_samples = math.inf if length_s is None else max(1, round(length_s * self.rate_hz))
        claimed = self._file.claimed_samples
        self.expected_samples = None if claimed is None else min(max(0, claimed - start), self.left_samples)
        try:
            if (self.expected_samples or 0) > self._allowed_samples or start > self._allowed_samples:
                raise self._too_long()
            self._skip(start)
        except BaseException:
            self._file.close()
            raise

    def _too_long(self) -> TooLong:
        return TooLong(f"{self.path.name}: is longer than the {self._most_s:g} s that are taken here: cut it")

    def _skip(self, samples: int) -> None:
        """By reading: not every format can seek, and headers may lie."""
        while samples > 0:
            got = len(self._read(min(samples, self.rate_hz)))
            if got == 0:
                raise ConfigError(f"{self.path.name}: ends before the requested start")
            samples -= got

    def _read(self, samples: int) -> Array:
        try:
            return self._file.read(samples)
        except SoundFileError as error:
            raise NoSound(f"{self.path.name}: {error}") from error

    def blocks(self) -> Iterator[Array]:
        """All of it. Raises EngineError for a file that is damaged further on, or that holds no samples."""
        size, any_samples, done = max(1, round(_BLOCK_S * self.rate_hz)), False, 0
        while self.left_samples > 0:
            block = self._read(int(min(size, self.left_samples)))
            if len(block) == 0:
                break
            any_samples = True
            self.left_samples -= len(block)
            done += len(block)
            if done > self._allowed_samples:
                raise self._too_long()
            yield np.where(np.isfinite(block), block, np.float32(0.0))
        if not any_samples:
            raise NoSound(f"{self.path.name}: contains no sound")

    def check_channels(self, channels: Sequence[int] | None) -> None:
        """Raise ConfigError for channels that it does not have."""
        try:
            picked(channels, self.channels)
        except ChannelError as error:
            raise ConfigError(f"{self.path.name}: {error}") from None

    @property
    def remark(self) -> str:
        """One line on what of the file was not read; empty for nothing, or before its end."""
        return f"{self.path.name}: {self._file.remark}" if self._file.remark else ""

    def close(self) -> None:
        self._file.close()


def mean_of_many(recording: Recording, channels: Sequence[int] | None) -> list[str]:
    """A line where so many channels are heard as one that it was hardly meant so."""
    if channels is not None or recording.channels <= 2:
        return []
    return [f"{recording.path.name}: the mean of its {recording.channels} channels was heard; --input N takes one"]


class Sink:
    """One file under another name until it is whole."""

    def __init__(
        self, path: Path, rate_hz: int, channels: int, expected_samples: float, subtype: str = "PCM_24"
    ) -> None:
        """`subtype`: "PCM_24", or "FLOAT" for what may be over full scale (WAV alone)."""
        self.path, self._clips = path, subtype != "FLOAT"
        self._part = path.with_name(f".{path.name}.{uuid.uuid4().hex[:8]}.part")
        form = FORMATS[path.suffix.lower()]
        if form == "WAV" and (3 if self._clips else 4) * channels * expected_samples > _WAV_BYTES:
            form = "RF64"
        try:
            self._file = soundfile.SoundFile(sound_name(self._part), "w", rate_hz, channels, subtype, format=form)
        except _SOUND_ERRORS as error:
            self._part.unlink(missing_ok=True)
            raise EngineError(f"{path}: cannot be written ({_plain(error)}); choose another place or format") from error

    def write(self, sound: Array) -> None:
        try:
            self._file.write(np.clip(sound, -1.0, 1.0 - 2.0**-23) if self._clips else sound)
        except (*_SOUND_ERRORS, AssertionError) as error:
            raise EngineError(f"{self.path}: cannot be written ({_plain(error)}); is the disk full?") from error

    def keep(self) -> None:
        """It is whole: give it its name."""
        try:
            self._file.close()
            os.replace(self._part, self.path)
        except _SOUND_ERRORS as error:
            raise EngineError(f"{self.path}: cannot be written ({_plain(error)}); is the disk full?") from error

    def drop(self) -> None:
        """Leave nothing behind (but what was kept)."""
        with contextlib.suppress(*_SOUND_ERRORS):
            self._file.close()
        self._part.unlink(missing_ok=True)


def _plain(error: BaseException) -> str:
    text = str(getattr(error, "error_string", "") or getattr(error, "strerror", "") or error).strip().splitlines()
    return text[0].rstrip(".") if text else type(error).__name__


class Sinks:
    """Target and stems of a completion."""

    def __init__(
        self, wanted: Completion, recording: Recording, channels: int, ceiling_dbfs: float, band_gain: float
    ) -> None:
        """`channels` of the target; `band_gain`: of the band beside the recording, where both are in it."""
        self._wanted = wanted
        self._target: Sink | None = None
        self._stems: list[tuple[int, Sink]] = []
        self._source: deque[Array] = deque()
        self._channels, self._band_gain = channels, np.float32(band_gain)
        self._limiter = Limiter(recording.rate_hz, ceiling_dbfs)
        more_s = max(wanted.continue_s, wanted.output_length_s or 0.0)
        expected = (recording.expected_samples or 0) + more_s * recording.rate_hz
        try:
            if wanted.target is not None:
                self._target = Sink(wanted.target, recording.rate_hz, self._channels, expected)
            if wanted.stems is not None:
                wanted.stems.mkdir(parents=True, exist_ok=True)
                for index, part in enumerate(PARTS):
                    if part in wanted.parts:
                        path = wanted.stems / f"{part}.wav"
                        self._stems.append((index, Sink(path, recording.rate_hz, 2, expected, "FLOAT")))
        except BaseException:
            self.drop()
            raise

    @property
    def all(self) -> list[Sink]:
        return ([self._target] if self._target is not None else []) + [sink for _, sink in self._stems]

    def heard(self, block: Array) -> None:
        """[n, channels] of the recording, for the mix."""
        if self._wanted.with_source and self._target is not None:
            self._source.append(block)

    def write(self, stretch: Stretch) -> None:
        for index, sink in self._stems:
            sink.write(stretch.parts[index])
        if self._target is None:
            return
        if not self._wanted.with_source:
            self._target.write(stretch.mix)
            return
        band = self._band_gain * stretch.mix[:, np.arange(self._channels) % 2]  # left and right by turns
        self._target.write(self._limiter.limit((self._take_source(stretch.samples) + band).T).T)

    def _take_source(self, samples: int) -> Array:
        """The next samples of the recording, [samples, channels], with silence after its end; mono in the middle."""
        taken = np.zeros((samples, self._channels), np.float32)
        done = 0
        while done < samples and self._source:
            block = self._source.popleft()
            count = min(len(block), samples - done)
            taken[done : done + count] = block[:count]
            if count < len(block):
                self._source.appendleft(block[count:])
            done += count
        return taken

    def keep(self) -> tuple[Path, ...]:
        for sink in self.all:
            sink.keep()
        return tuple(sink.path for sink in self.all)

    def drop(self) -> None:
        for sink in self.all:
            sink.drop()
