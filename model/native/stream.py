"""The step in C as a band of streams (band_stream.py): weights shared by all, a memory for each."""

from __future__ import annotations

import ctypes
import weakref
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from ..band_stream import Wanted
from ..generator.note_hand import free_hand
from ..generator.score_tokens import SLOTS
from . import library
from .compiler import library as built_library
from .packing import UnknownShape, packed_band

__all__ = ["NativeBand", "NativeStream", "UnknownShape"]

FloatArray = NDArray[np.float32]


class NativeBand:
    """Weights, ready for any number of streams. Any thread."""

    def __init__(self, folder: Path, built: Path | None = None) -> None:
        """`built`: another library than this machine's. Raises CompilerError, CheckpointError, UnknownShape."""
        self.lib = library.load(built or built_library())
        self.sizes, self._arrays = packed_band(folder)
        arrays = (library.Array * len(self._arrays))()
        for place, array in enumerate(self._arrays):
            arrays[place] = library.Array(array.ctypes.data, array.size, array.itemsize)
        said = ctypes.create_string_buffer(200)
        self.model = self.lib.gigmate_model_new(ctypes.byref(self.sizes), arrays, len(self._arrays), said, len(said))
        if not self.model:
            raise UnknownShape(said.value.decode())
        weakref.finalize(self, self.lib.gigmate_model_free, self.model)
        self.lib.gigmate_give_back()

    def new_stream(self) -> NativeStream:
        return NativeStream(self)

    def sample(self, logits: FloatArray, noise: float, temperature: float, top_k: int, top_p: float) -> int:
        """One token of at most 2,048, as the step draws it. For tests."""
        given = np.ascontiguousarray(logits, np.float32)
        return int(self.lib.gigmate_sample(len(given), given.ctypes.data, noise, temperature, top_k, top_p))

    @property
    def stream_bytes(self) -> int:
        """Memory that each stream takes."""
        return int(self.lib.gigmate_stream_bytes(self.model))


class NativeStream:
    """One stream; others may run meanwhile, since no call holds the interpreter. One thread at a time."""

    def __init__(self, band: NativeBand) -> None:
        """Raises MemoryError."""
        sizes = band.sizes
        self._band, self._lib = band, band.lib  # the band's weights live as long as its streams
        stream = band.lib.gigmate_stream_new(band.model)
        if not stream:
            raise MemoryError("no memory for a stream of the band")
        self._stream = stream
        weakref.finalize(self, _free, band, stream)
        self._frame = sizes.hop * sizes.sub_frames
        self._parts = sizes.parts
        self._wanted = library.WantedFrame()
        self._logits = np.zeros(sizes.listener_outputs, np.float32)
        self._tokens = np.full((sizes.parts, sizes.slots + sizes.codebooks), -1, np.int32)
        self._noise = np.zeros(self._tokens.shape, np.float32)
        self._features = np.zeros(sizes.heard_size, np.float32)
        self._free = free_hand(sizes.parts)
        self._hand_bias = np.zeros_like(self._free.bias)
        self._drawn: list[tuple[NDArray[np.int32], float]] = []
        arrays = self._features, self._logits, self._noise, self._tokens
        self._at_features, self._at_logits, self._at_noise, self._at_tokens = (one.ctypes.data for one in arrays)
        self._wanted.hand_bias = self._hand_bias.ctypes.data

    def prepare_thread(self) -> None:
        self._lib.gigmate_prepare_thread()

    def reset(self) -> None:
        self._lib.gigmate_reset_listening(self._stream)
        self.forget_played()

    def forget_played(self) -> None:
        self._lib.gigmate_reset_playing(self._stream)
        self._tokens[:] = -1
        self._drawn.clear()

    def listen(self, features: FloatArray) -> FloatArray:
        self._features[:] = features
        self._lib.gigmate_listen(self._stream, self._at_features, self._at_logits)
        return self._logits.copy()

    def hear(self, features: FloatArray) -> None:
        self._features[:] = features
        self._lib.gigmate_hear(self._stream, self._at_features)

    def draw(self, wanted: Wanted) -> None:
        to = self._wanted
        (
            to.beat_phase, to.bar_phase, to.tempo_bpm, to.beats_per_bar, to.playing, to.confidence, to.known,
            to.density, to.fill, to.chord_root,
        ) = wanted[:10]  # fmt: skip
        to.pitch_classes[:] = wanted.chord_pitch_classes
        to.style, to.ahead = wanted.style, wanted.ahead
        to.temperature, to.top_k, to.top_p = wanted.temperature, wanted.top_k, wanted.top_p
        to.tuning_cents = wanted.tuning_cents
        hand = wanted.hand or self._free
        self._hand_bias[:] = hand.bias
        to.busier[: self._parts], to.unasked[: self._parts] = hand.busier.tolist(), hand.free.tolist()
        self._noise[:] = wanted.noise
        tokens = self._tokens
        dynamics_db = self._lib.gigmate_draw(self._stream, ctypes.byref(to), self._at_noise, self._at_tokens)
        self._drawn.append((tokens.copy(), dynamics_db))

    def sound(self) -> FloatArray:
        frames = len(self._drawn)
        audio = np.empty((frames, self._parts, self._frame), np.float32)
        for frame, (tokens, dynamics_db) in enumerate(self._drawn):
            self._lib.gigmate_sound(self._stream, tokens.ctypes.data, dynamics_db, audio[frame].ctypes.data)
        self._drawn.clear()
        return audio.transpose(1, 0, 2).reshape(self._parts, frames * self._frame)

    def pass_over(self) -> None:
        self._drawn.clear()

    def slots(self) -> NDArray[np.int64]:
        return self._tokens[:, :SLOTS].astype(np.int64)

    def recall(self, tokens: NDArray[np.int32]) -> None:
        self._tokens[:] = tokens
        self._lib.gigmate_recall(self._stream, self._at_tokens)

    def encoded(self) -> FloatArray:
        """What the generator made of the newest frame heard, [size]. For tests."""
        heard = np.empty(self._band.sizes.size, np.float32)
        self._lib.gigmate_encoded(self._stream, heard.ctypes.data)
        return heard


def _free(band: NativeBand, stream: int) -> None:
    band.lib.gigmate_stream_free(stream)
