"""Weights in the order and the form in which the step in C asks for them (source/kernels.h). Numpy; any thread.

Matrices are rounded to int8 by the largest of each output, or kept as floats where they are small or span too many
decibels. Everything lies in one aligned piece of memory.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from ...dsp.features import FeatureSpec
from .. import weights_file
from ..configs import (
    CHORD_PULL,
    CODEC_SHARE,
    RELEASE,
    SOUND_TEMPERATURE,
    STYLE_STRENGTH,
    CodecConfig,
    ListenerConfig,
    VoiceConfig,
)
from ..generator.generator_config import MAX_AHEAD_FRAMES, GeneratorConfig
from ..generator.score_tokens import SLOT_ENTRIES, SLOTS
from ..generator.steering_tables import CONSTANTS, entry_tables, style_tables
from .library import MAX_BLOCKS, MAX_PARTS, Sizes

Arrays = Mapping[str, NDArray[np.float32]]
_LANES, _GROUP, _ALIGNED = 16, 4, 64
MAX_SIZE = 4096
"""Of windows, dilations and the like, which no array gives away."""


class UnknownShape(Exception):
    """Weights that the step in C cannot take. Any thread."""


class Packed:
    """The arrays of a band, one after the other. One thread at a time."""

    def __init__(self) -> None:
        self.arrays: list[NDArray[Any]] = []
        self._weights: Arrays = {}
        self._used: set[str] = set()

    def of(self, weights: Arrays) -> None:
        """Take what follows from these; raises UnknownShape if something of the last ones was left over."""
        left = sorted(name for name in self._weights if name not in self._used and not name.endswith(_WITHOUT_GAIN))
        if left:
            raise UnknownShape(f"{left[0]} is not known")
        self._weights, self._used = weights, set()

    def get(self, name: str, *shape: int) -> NDArray[np.float32]:
        """The array of that name; raises UnknownShape where it is missing or has another shape."""
        self._used.add(name)
        value = self._weights.get(name)
        if value is None or (shape and value.shape != shape):
            raise UnknownShape(f"{name} is {None if value is None else value.shape}, wanted is {shape}")
        return value

    def add(self, value: Any, kind: Any = np.float32) -> None:
        """An array as it is."""
        self.arrays.append(np.ascontiguousarray(value, kind).ravel())

    def plain(self, *names: str) -> None:
        """Arrays of weights as they are."""
        for name in names:
            self.add(self.get(name))

    def linear(self, name: str) -> None:
        """A matrix [out, in] as int8, its sums, scales and bias."""
        weight = self.get(f"{name}.weight")
        out, size = weight.shape
        padded = np.zeros((_up(out, _LANES), _up(size, _GROUP)), np.float32)
        padded[:out, :size] = weight
        scale = np.maximum(np.abs(padded).max(axis=1), 1e-12) / 127.0
        codes = np.rint(padded / scale[:, None]).astype(np.int8)
        self.add(codes.reshape(-1, _LANES, padded.shape[1] // _GROUP, _GROUP).transpose(0, 2, 1, 3), np.int8)
        self.add(-128 * codes.astype(np.int32).sum(axis=1), np.int32)
        self.add(scale)
        self._bias(name, out)

    def dense(self, name: str, weight: NDArray[np.float32] | None = None) -> None:
        """A matrix [out, in] as floats [in, out] and its bias."""
        weight = self.get(f"{name}.weight") if weight is None else weight
        padded = np.zeros((weight.shape[1], _up(weight.shape[0], _LANES)), np.float32)
        padded[:, : weight.shape[0]] = weight.T
        self.add(padded)
        self._bias(name, weight.shape[0])

    def _bias(self, name: str, out: int) -> None:
        bias = np.zeros(_up(out, _LANES), np.float32)
        if f"{name}.bias" in self._weights:
            bias[:out] = self.get(f"{name}.bias", out)
        self.add(bias)

    def head(self, name: str) -> None:
        """A dense convolution [out, in, kernel], oldest step first."""
        weight = self.get(f"{name}.conv.weight")
        self.dense(f"{name}.conv", weight.transpose(0, 2, 1).reshape(len(weight), -1))

    def block(self, name: str) -> None:
        """layers.ConvBlock"""
        self.add(self.get(f"{name}.depthwise.conv.weight")[:, 0].T)
        self.plain(f"{name}.depthwise.conv.bias", f"{name}.norm.weight", f"{name}.norm.bias")
        self.linear(f"{name}.up")
        self.linear(f"{name}.down")
        self.plain(f"{name}.gain")


_WITHOUT_GAIN = ("norm_a.weight", "norm_f.weight")
"""Norms of the temporal layers are stored with gains that are all 1."""


def _up(count: int, to: int) -> int:
    return -(-count // to) * to


def packed_band(folder: Path) -> tuple[Sizes, list[NDArray[Any]]]:
    """Sizes and arrays of the band in `folder`. Raises CheckpointError, UnknownShape."""
    try:
        shapes = _Shapes.read(folder)
        shapes.check()
        packed = Packed()
        packed.of(weights_file.read_arrays(folder / "listener.safetensors"))
        _listener(packed, shapes.listener)
        packed.of(weights_file.read_arrays(folder / "generator.safetensors"))
        _generator(packed, shapes.generator)
        packed.of({})
        _steering(packed, shapes.generator)
        packed.of(weights_file.read_arrays(folder / "codec.safetensors", without="encoder."))
        _codec(packed, shapes.codec, shapes.generator, len(shapes.voice.parts))
        packed.of(weights_file.read_arrays(folder / "voice.safetensors"))
        _voice(packed, shapes.voice)
        packed.of({})
        return shapes.sizes(), _together(packed.arrays)
    except (TypeError, LookupError, ValueError, ArithmeticError, AttributeError, MemoryError) as error:
        raise UnknownShape(f"{type(error).__name__}: {error}") from error


class _Shapes(NamedTuple):
    """The configs of all that plays."""

    codec: CodecConfig
    listener: ListenerConfig
    voice: VoiceConfig
    generator: GeneratorConfig

    @classmethod
    def read(cls, folder: Path) -> _Shapes:
        found = {}
        for kind in ("codec", "listener", "voice", "generator"):
            header = weights_file.read_header(folder / f"{kind}.safetensors")
            if header["kind"] != kind:
                raise UnknownShape(f"{kind}.safetensors contains another model")
            found[kind] = header["config"]
        codec = weights_file.codec_config(found["codec"])
        if not isinstance(codec, CodecConfig):
            raise UnknownShape("the codec is not the one of the MDCT")
        tuples = {name: tuple(found["generator"][name]) for name in ("styles", "parts")}
        return cls(
            codec,
            weights_file.listener_config(found["listener"]),
            weights_file.voice_config(found["voice"]),
            GeneratorConfig(**{**found["generator"], **tuples}),
        )

    def check(self) -> None:
        """Raises UnknownShape for weights that do not belong together, and for sizes that no array gives away and that
        the step in C has no room for."""
        c, li, v, g = self
        apart = (
            g.codebooks > c.codebooks
            or g.entries != c.entries
            or (v.latent, v.hop, v.sub_frames, v.sample_rate_hz) != (c.latent, c.hop, c.sub_frames, c.sample_rate_hz)
            or g.heard_size != li.heard_size
            or (g.slots, g.slot_entries) != (SLOTS, SLOT_ENTRIES)
        )
        blocks = (len(li.dilations), len(v.dilations), c.coarse_blocks, c.fine_blocks, g.layers, g.depth_layers)
        bounded = [
            (size, MAX_SIZE) for size in (g.window_frames, g.heads, g.depth_heads, c.hop, *li.dilations, *v.dilations)
        ]
        bounded += [(size, MAX_BLOCKS) for size in (*blocks, li.kernel, c.sub_frames)]
        bounded += [(len(g.parts), MAX_PARTS), (len(v.parts), MAX_PARTS), (c.sample_rate_hz, 1_000_000)]
        if apart or not all(isinstance(size, int) and 1 <= size <= most for size, most in bounded):
            raise UnknownShape("weights of different trainings, or sizes out of bounds")
        if g.size % (2 * g.heads) or g.depth_size % g.depth_heads or not g.frame_rate_hz > 0.0:
            raise UnknownShape("sizes that cannot be divided by their heads")

    def sizes(self) -> Sizes:
        """For the step in C."""
        c, li, v, g = self
        sung = [row for row, part in enumerate(g.parts) if part in v.parts]
        pulls = [CHORD_PULL.get(part, -1.0) for part in g.parts]
        drummer = next((row for row, nats in enumerate(pulls) if nats < 0.0), -1)
        sizes = Sizes(
            heard_size=li.heard_size, sub_frames=c.sub_frames, listener_channels=li.channels,
            listener_blocks=len(li.dilations), listener_kernel=li.kernel, listener_expand=li.expand,
            listener_outputs=max(stop for _, stop in li.layout().values()), parts=len(g.parts), styles=len(g.styles),
            slots=g.slots, codebooks=g.codebooks, slot_entries=g.slot_entries, entries=g.entries,
            codec_entries=c.entries, layers=g.layers, size=g.size, heads=g.heads, hidden=g.hidden,
            window=g.window_frames, condition=g.condition_size, heard_channels=g.heard_channels,
            ahead_entries=MAX_AHEAD_FRAMES + 1, depth_layers=g.depth_layers, depth_size=g.depth_size,
            depth_heads=g.depth_heads, depth_hidden=g.depth_hidden, latent=c.latent, hop=c.hop,
            coarse_channels=c.coarse_channels, coarse_blocks=c.coarse_blocks, fine_channels=c.fine_channels,
            fine_blocks=c.fine_blocks, voice_channels=v.channels, voice_blocks=len(v.dilations),
            note_size=v.note_size, harmonics=v.harmonics, bands=v.bands, sung=len(sung),
            sample_rate_hz=c.sample_rate_hz, drummer=drummer, frame_rate_hz=g.frame_rate_hz, codec_share=CODEC_SHARE,
            sound_temperature=SOUND_TEMPERATURE,
        )  # fmt: skip
        kinds = [v.parts.index(g.parts[row]) for row in sung]
        for field, values in (
            (sizes.listener_dilations, li.dilations), (sizes.voice_dilations, v.dilations), (sizes.sung_rows, sung),
            (sizes.sung_kinds, kinds),
        ):  # fmt: skip
            for place, value in enumerate(values):
                field[place] = value
        return sizes


def _listener(packed: Packed, config: ListenerConfig) -> None:
    packed.head("head")
    for i in range(len(config.dilations)):
        packed.block(f"blocks.{i}")
    packed.plain("norm.weight", "norm.bias")
    packed.linear("tail")


def _generator(packed: Packed, config: GeneratorConfig) -> None:
    packed.head("heard.head")
    packed.block("heard.blocks.0")
    packed.block("heard.blocks.1")
    packed.linear("heard.tail")
    packed.plain("heard_gain", *(f"embed.{place}.weight" for place in range(len(config.places))))
    packed.dense("chord")
    packed.dense("chord_condition")
    style = packed.get("style.weight")
    packed.add(style[-1:] + STYLE_STRENGTH * (style - style[-1:]))
    packed.plain("part.weight", "ahead.weight")
    for name in ("moment.0", "moment.2", "condition.1"):
        packed.dense(name)
    for i in range(config.layers):
        packed.linear(f"layers.{i}.modulate")
        packed.linear(f"layers.{i}.attention.qkv")
        packed.plain(f"layers.{i}.attention.norm_q.weight", f"layers.{i}.attention.norm_k.weight")
        for name in ("attention.out", "feed.up", "feed.down"):
            packed.linear(f"layers.{i}.{name}")
    packed.plain("norm.weight")
    _depth(packed, config)


def _depth(packed: Packed, config: GeneratorConfig) -> None:
    packed.dense("depth.start")
    packed.dense("depth.chord")
    places = packed.get("depth.places")
    packed.add(places[0])
    for place in range(len(config.places) - 1):
        packed.add(packed.get(f"depth.embed.{place}.weight")[1:] + places[place + 1])
    for i in range(config.depth_layers):
        packed.plain(f"depth.layers.{i}.norm_a.weight")
        packed.linear(f"depth.layers.{i}.qkv")
        packed.linear(f"depth.layers.{i}.out")
        packed.plain(f"depth.layers.{i}.norm_f.weight")
        packed.linear(f"depth.layers.{i}.feed.up")
        packed.linear(f"depth.layers.{i}.feed.down")
        packed.plain(f"depth.layers.{i}.gain")
    packed.plain("depth.norm.weight")
    for place in range(len(config.places)):
        packed.linear(f"depth.outs.{place}")


def _steering(packed: Packed, config: GeneratorConfig) -> None:
    packed.add(CONSTANTS)
    packed.add([FeatureSpec().sub_frames * FeatureSpec().mel_bins], np.int32)
    packed.add([CHORD_PULL.get(part, -1.0) for part in config.parts])
    by_style, by_entry = style_tables(list(config.styles), list(config.parts)), entry_tables()
    for table in (by_style.usual, by_style.share, by_style.triplets):
        packed.add(table)
    for table in by_entry[:4]:
        packed.add(table)
    packed.add(by_entry.hits, np.int32)
    packed.add(by_style.hit_levels_db)


def _codec(packed: Packed, config: CodecConfig, generator: GeneratorConfig, kinds: int) -> None:
    packed.add([kinds], np.int32)
    packed.add(packed.get("quantizer.codes")[: generator.codebooks])
    packed.head("decoder.head")
    for i in range(config.coarse_blocks):
        packed.block(f"decoder.coarse.{i}")
    packed.linear("decoder.up")
    for i in range(config.fine_blocks):
        packed.block(f"decoder.fine.{i}")
    packed.plain("decoder.norm.weight", "decoder.norm.bias")
    packed.linear("decoder.tail")
    packed.dense("inverse", mdct_basis(config.hop))


def mdct_basis(hop: int) -> NDArray[np.float32]:
    """codec.mdct.mdct_matrix: [2 * hop, hop]."""
    n, k = np.arange(2 * hop)[:, None], np.arange(hop)[None, :]
    window = np.sin(math.pi * (n + 0.5) / (2 * hop))
    basis = np.cos(math.pi / hop * (n + 0.5 + hop / 2) * (k + 0.5))
    made: NDArray[np.float32] = (window * basis * math.sqrt(2.0 / hop)).astype(np.float32)
    return made


def _voice(packed: Packed, config: VoiceConfig) -> None:
    packed.linear("latent")
    packed.plain(*(f"slot.{slot}.weight" for slot in range(SLOTS)), "part.weight")
    for i in range(len(config.dilations)):
        packed.block(f"blocks.{i}")
    packed.plain("norm.weight", "norm.bias")
    packed.linear("to_note")
    packed.plain("pitch.weight", "held")
    for name in ("from_note.1", "from_note.3", "gain"):
        packed.linear(name)
    order = np.arange(1, config.harmonics + 1, dtype=np.float64)
    packed.add(-1.2 * np.log(order))
    packed.add(np.modf(0.17 * order * order)[0])
    edges = config.hop * np.linspace(0.0, 1.0, config.bands + 1) ** 2.2
    bins = (np.arange(config.hop)[:, None] + 0.5 >= edges[None, 1:]).sum(axis=1)
    packed.add(np.minimum(bins, config.bands - 1), np.int32)
    packed.add(RELEASE)


def _together(arrays: list[NDArray[Any]]) -> list[NDArray[Any]]:
    """The arrays as views of one piece of memory, each where a processor likes to read from."""
    places, size = [], 0
    for array in arrays:
        places.append(size)
        size += _up(array.nbytes, _ALIGNED)
    whole = np.zeros(size + _ALIGNED, np.uint8)
    first = -whole.ctypes.data % _ALIGNED
    views = []
    for array, place in zip(arrays, places, strict=True):
        view = whole[first + place : first + place + array.nbytes].view(array.dtype)
        view[:] = array
        views.append(view)
    return views
