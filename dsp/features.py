"""Input features of the models: log-mel sub-frames and a semitone spectrum, the same live and offline.

Keeps no state and knows no thread: each frame is a function of one chunk (a frame and the tail before it),
so a live run and a whole file give the same numbers. Causal: nothing after the frame's end is read.
"""

from __future__ import annotations

import copy
import math
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
from numba import njit
from numpy.typing import NDArray

from . import raw_memory as _raw_memory
from .raw_memory import cached_function

SOURCES = (__file__, _raw_memory.__file__)
FloatArray = NDArray[np.float32]
_STANDS_OUT = 0.25
"""Of the loudest semitone's magnitude: −12 dB."""
_LINE_STANDS_OUT, _LINE_LEAST = 0.18, 1e-4
"""The same for a note of a single line: −15 dB; and no softer than −80 dBFS."""
_OVERTONES, _OVERTONE_LOUDER = (12, 19, 24, 28, 31, 34, 36), 1.6
"""Semitones from a note to its overtones, and how much louder than it they may be (a factor)."""


@dataclass(frozen=True, slots=True)
class FeatureSpec:
    """Sizes of the analysis. Everything derived from it is fixed for one checkpoint."""

    rate_hz: int = 32_000
    frame_samples: int = 1280
    sub_frames: int = 4
    mel_window_samples: int = 1024
    mel_bins: int = 64
    mel_low_hz: float = 30.0
    mel_high_hz: float = 14_000.0
    pitch_window_samples: int = 8192
    pitch_low_midi: int = 28
    pitch_bins: int = 72

    @property
    def tail_samples(self) -> int:
        """Samples before the frame that its longest window reaches back to."""
        return self.pitch_window_samples - self.frame_samples

    @property
    def size(self) -> int:
        """Numbers per frame: sub-frames times mel bins, then the semitone bins."""
        return self.sub_frames * self.mel_bins + self.pitch_bins


def mel_filters(spec: FeatureSpec) -> FloatArray:
    """Triangular filters [mel_bins, window/2 + 1] spaced on the HTK mel scale, each summing to 1.

    Narrow low filters that fall between two bins of the transform are widened to one bin, so that none is empty.
    """
    bins_hz = np.fft.rfftfreq(spec.mel_window_samples, 1.0 / spec.rate_hz)
    low, high = (2595.0 * np.log10(1.0 + f / 700.0) for f in (spec.mel_low_hz, spec.mel_high_hz))
    centres_hz = 700.0 * (10.0 ** (np.linspace(low, high, spec.mel_bins + 2) / 2595.0) - 1.0)
    return _triangles(bins_hz, centres_hz)


def pitch_filters(spec: FeatureSpec, tuning_cents: float = 0.0, bins: int | None = None) -> FloatArray:
    """Triangular filters [pitch_bins, window/2 + 1], one per semitone from `pitch_low_midi`, each summing to 1.

    Semitones are those of an A that is `tuning_cents` beside 440 Hz; `bins`: of the transform's first ones alone.
    """
    bins_hz = np.fft.rfftfreq(spec.pitch_window_samples, 1.0 / spec.rate_hz)[:bins]
    midi = spec.pitch_low_midi - 1 + np.arange(spec.pitch_bins + 2)
    return _triangles(bins_hz, 440.0 * 2.0 ** ((midi - 69 + tuning_cents / 100.0) / 12.0))


def _triangles(bins_hz: NDArray[Any], centres_hz: NDArray[Any]) -> FloatArray:
    step_hz = bins_hz[1]
    left = np.minimum(centres_hz[:-2], centres_hz[1:-1] - step_hz)[:, None]
    mid = centres_hz[1:-1][:, None]
    right = np.maximum(centres_hz[2:], centres_hz[1:-1] + step_hz)[:, None]
    rise = (bins_hz - left) / (mid - left)
    fall = (right - bins_hz) / (right - mid)
    weights = np.clip(np.minimum(rise, fall), 0.0, None)
    return (weights / weights.sum(axis=1, keepdims=True)).astype(np.float32)


class _Filters(NamedTuple):
    """Filters [B] without the zeros around them."""

    first: NDArray[np.int64]
    """The bin with which each begins."""
    weights: FloatArray
    """[B, widest], 0 beyond a filter's own end."""


def _filters_of(dense: FloatArray) -> _Filters:
    """Of [B, bins], each a run of bins."""
    first = (dense > 0.0).argmax(axis=1)
    last = dense.shape[1] - (dense[:, ::-1] > 0.0).argmax(axis=1)
    width = int((last - first).max())
    first = np.minimum(first, dense.shape[1] - width)
    return _Filters(first, np.stack([row[at : at + width] for row, at in zip(dense, first, strict=True)]))


@cached_function(*SOURCES)("void(c8[::1], f4[::1])")
def _magnitudes(spectrum, magnitudes):
    """|x| of complex64 [n]."""
    for k in range(spectrum.size):
        value = spectrum[k]
        magnitudes[k] = np.sqrt(value.real * value.real + value.imag * value.imag)


@njit(forceinline=True, error_model="numpy", fastmath={"reassoc", "contract", "nsz"})
def _filtered(magnitudes, first, weights, scale, out):
    """Magnitudes (1 is a full-scale sine) in filters to about -1..1: -100 dBFS and below is -1, 0 dBFS is 1."""
    for b in range(out.size):
        total, row = np.float32(0.0), weights[b]
        under = magnitudes[first[b] :]
        for k in range(row.size):
            total += row[k] * under[k]
        out[b] = np.log10(total * scale + np.float32(1e-5)) * np.float32(0.4) + np.float32(1.0)


@cached_function(*SOURCES)("void(c8[:,::1], f4[::1], i8[::1], f4[:,::1], i8[::1], f4[:,::1], f4, f4, f4[::1], f4[::1])")
def _features(
    short, long, mel_first, mel_weights, pitch_first, pitch_weights, mel_scale, pitch_scale, magnitudes, out
):  # fmt: skip
    """One frame: `short` [sub-frames, bins] are transforms, `long` [bins] magnitudes; `magnitudes` [bins]: scratch."""
    bins = mel_first.size
    for s in range(short.shape[0]):
        row = short[s]
        for k in range(row.size):
            value = row[k]
            magnitudes[k] = np.sqrt(value.real * value.real + value.imag * value.imag)
        _filtered(magnitudes, mel_first, mel_weights, mel_scale, out[s * bins : (s + 1) * bins])
    _filtered(long, pitch_first, pitch_weights, pitch_scale, out[short.shape[0] * bins :])


class FeatureExtractor:
    """Turns chunks into feature frames. Immutable after construction; any thread may call it."""

    def __init__(self, spec: FeatureSpec | None = None) -> None:
        self.spec = spec or FeatureSpec()
        self._mel = _filters_of(mel_filters(self.spec))
        self._pitch = _filters_of(pitch_filters(self.spec))
        sub = self.spec.frame_samples // self.spec.sub_frames
        ends = self.spec.tail_samples + sub * np.arange(1, self.spec.sub_frames + 1)
        self._windows = ends[:, None] + np.arange(-self.spec.mel_window_samples, 0)
        """Of each sub-frame, in a chunk."""
        self._mel_window = np.hanning(self.spec.mel_window_samples + 1)[:-1].astype(np.float32)
        self._pitch_window = np.hanning(self.spec.pitch_window_samples + 1)[:-1].astype(np.float32)

    def tuned(self, tuning_cents: float) -> FeatureExtractor:
        """The same for an instrument that is so many cents beside A 440. Takes a few milliseconds."""
        other = copy.copy(self)
        highest_hz = 440.0 * 2.0 ** ((self.spec.pitch_low_midi + self.spec.pitch_bins + 2 - 69) / 12.0)
        bins = math.ceil(highest_hz * self.spec.pitch_window_samples / self.spec.rate_hz)  # above, all are 0
        other._pitch = _filters_of(pitch_filters(self.spec, tuning_cents, bins))
        return other

    def spectrum(self, chunk: FloatArray) -> FloatArray:
        """Magnitudes [pitch window / 2 + 1] of one chunk [tail + frame]; a full-scale sine has a quarter of the window.

        Raises ValueError for another length.
        """
        spec = self.spec
        if chunk.shape != (spec.tail_samples + spec.frame_samples,):
            raise ValueError(f"a chunk holds {spec.tail_samples + spec.frame_samples} samples, not {chunk.shape}")
        magnitudes = np.empty(spec.pitch_window_samples // 2 + 1, np.float32)
        _magnitudes(np.fft.rfft(np.asarray(chunk, np.float32) * self._pitch_window), magnitudes)
        return magnitudes

    def frame(self, chunk: FloatArray, spectrum: FloatArray | None = None) -> FloatArray:
        """Features [size] of one chunk [tail + frame], whose `spectrum` may be given; ValueError for another length."""
        spectrum = self.spectrum(chunk) if spectrum is None else spectrum
        out = np.empty(self.spec.size, np.float32)
        self._frame(np.asarray(chunk, np.float32), spectrum, out)
        return out

    def whole(self, audio: FloatArray) -> FloatArray:
        """Features [T, size] of all whole frames of `audio` [N], silence assumed before it."""
        spec = self.spec
        count = len(audio) // spec.frame_samples
        padded = np.concatenate([np.zeros(spec.tail_samples, np.float32), audio.astype(np.float32, copy=False)])
        chunks = np.lib.stride_tricks.sliding_window_view(padded, spec.tail_samples + spec.frame_samples)
        chunks = chunks[:: spec.frame_samples][:count]
        out = np.empty((count, spec.size), np.float32)
        for chunk, row in zip(chunks, out, strict=True):
            self._frame(chunk, self.spectrum(chunk), row)
        return out

    def _frame(self, chunk: FloatArray, spectrum: FloatArray, out: FloatArray) -> None:
        spec = self.spec
        _features(
            np.fft.rfft(chunk[self._windows] * self._mel_window, axis=-1), spectrum, *self._mel, *self._pitch,
            4.0 / spec.mel_window_samples, 4.0 / spec.pitch_window_samples,
            np.empty(spec.mel_window_samples // 2 + 1, np.float32), out,
        )  # fmt: skip


@njit(forceinline=True, error_model="numpy")
def read_played(semitones, lowest_class, classes):
    """The notes that are played, of scaled semitones [n], as float32 [12] unit vector: see `played_pitch_classes`."""
    classes[:] = np.float32(0.0)
    loudest = semitones[0]
    for n in range(semitones.size):
        loudest = max(loudest, semitones[n])
    least = np.float32(_STANDS_OUT) * _magnitude(loudest)
    total = np.float32(0.0)
    for n in range(semitones.size):
        here = semitones[n]
        beside = (n == 0 or here >= semitones[n - 1]) and (n + 1 == semitones.size or here >= semitones[n + 1])
        if beside and _magnitude(here) > least:
            classes[(n + lowest_class) % 12] += _magnitude(here)
            total += _magnitude(here)
    for k in range(12):
        classes[k] = np.sqrt(classes[k] / (total + np.float32(1e-9)))


@njit(forceinline=True, error_model="numpy")
def _magnitude(scaled):
    """Of a semitone as `_filtered` scales it."""
    return np.float32(10.0) ** ((scaled - np.float32(1.0)) / np.float32(0.4))


@cached_function(*SOURCES)("i8(f4[::1], i8)")
def read_line(semitones, lowest_midi):
    """The note of a single line that is played, as MIDI, of scaled semitones [n]; 0 where several notes are, or none.

    Semitones that stand out and are no overtones of a lower one are notes: an overtone may be somewhat louder than its
    note.
    """
    loudest = semitones[0]
    for n in range(semitones.size):
        loudest = max(loudest, semitones[n])
    least, found = np.float32(_LINE_STANDS_OUT) * _magnitude(loudest), 0
    if _magnitude(loudest) < _LINE_LEAST:
        return 0
    for n in range(semitones.size):
        here = semitones[n]
        beside = (n == 0 or here >= semitones[n - 1]) and (n + 1 == semitones.size or here >= semitones[n + 1])
        if not beside or _magnitude(here) <= least:
            continue
        overtone = False
        for steps in _OVERTONES:
            under = n - steps
            if under >= 0 and _magnitude(semitones[under]) > least:
                overtone = overtone or _magnitude(here) <= np.float32(_OVERTONE_LOUDER) * _magnitude(semitones[under])
        if not overtone:
            if found > 0:
                return 0
            found = lowest_midi + n
    return found


def played_pitch_classes(features: FloatArray, spec: FeatureSpec | None = None) -> FloatArray:
    """Features [..., size] to the notes that are played, by pitch class (C first): unit vectors [..., 12].

    Square roots of the shares of the semitones that stand out: louder than their neighbours and not much softer than
    the loudest. Nothing is known of chords: a melody's own notes.
    """
    spec = spec or FeatureSpec()
    level = 10.0 ** ((features[..., -spec.pitch_bins :] - 1.0) / 0.4)
    edged = np.zeros((*level.shape[:-1], spec.pitch_bins + 2), level.dtype)
    edged[..., 1:-1] = level
    stands = (level >= edged[..., :-2]) & (level >= edged[..., 2:])
    stands &= level > _STANDS_OUT * level.max(axis=-1, keepdims=True)
    classes = np.where(stands, level, 0.0).reshape(*level.shape[:-1], -1, 12).sum(axis=-2)
    classes = np.roll(classes, spec.pitch_low_midi % 12, axis=-1)
    return np.sqrt(classes / (classes.sum(axis=-1, keepdims=True) + 1e-9)).astype(np.float32)
