"""The shapes of the models, as their files of weights give them, and how they are played. No torch; any thread.

The generator's is in generator/generator_config.py.
"""

from __future__ import annotations

import math
from dataclasses import asdict, dataclass
from typing import Any

DELAY_FRAMES = 1
TEMPO_BINS = 50
TEMPO_LOW_BPM, TEMPO_HIGH_BPM = 48.0, 228.0
ROOTS = 12
CHORDS = 24
"""Root (0 is C) + 12 * (minor third or not); keys likewise: tonic + 12 * minor."""
HEARD = 3
"""Channels of pitch classes of a half-beat itself: roots, pitch classes of the chord, notes that were played."""
UNPITCHED = 12
"""Numbers of a half-beat that have no pitch: see `unpitched_features`."""
ANSWERS = ("chord", "key", "next", "after")
"""What it is asked for: the half-beat's chord, the key, the chords of the next half-beat and of the one after it."""


# How the trained band is played, under all runtimes: what no training set.

SOUND_TEMPERATURE = 0.9
"""For the codec's tokens: colder ones collapse into silence. The musician's temperature is that of the notes."""
STYLE_STRENGTH = 1.5
"""How far styles are exaggerated, see `Generator.exaggerate_styles`."""
CHORD_PULL = {"bass": 1.0, "keys": 2.5}
"""Nats by which a note outside the chord is less likely, by part; parts that are not here have no pitch."""
CODEC_SHARE = 0.6
"""How much of what the voice asks of the codec is played. It learnt on tokens better than a generator's, whose part in
a held chord is noise: at 0.6 two thirds of the keys' energy lie in the chord, at 1 half."""
RELEASE = (1.0, 0.55, 0.25, 0.08, 0.0)
"""How a note that ended goes on through the next frame, at its quarters."""

STARTS = ("silence", "reflect")


@dataclass(frozen=True)
class ListenerConfig:
    """Sizes of the listener, as its file of weights gives them. Any thread."""

    heard_size: int = 328
    sub_frames: int = 4
    channels: int = 160
    dilations: tuple[int, ...] = (1, 2, 4, 8, 16, 32, 64, 1, 4, 16)
    kernel: int = 3
    expand: int = 5
    """Hidden units of a block, for each channel."""

    def to_dict(self) -> dict[str, Any]:
        return asdict(self)

    def layout(self) -> dict[str, tuple[int, int]]:
        """Where each answer lies in the output: name to (start, stop)."""
        sizes = {
            "beat": self.sub_frames,
            "downbeat": self.sub_frames,
            "onset": self.sub_frames,
            "chord_root": 13,
            "chord_pitch_classes": 12,
            "activity": 1,
            "tempo": TEMPO_BINS,
        }
        places, start = {}, 0
        for name, size in sizes.items():
            places[name] = (start, start + size)
            start += size
        return places


@dataclass(frozen=True)
class VoiceConfig:
    """Parts, rates and sizes of the voice, as its file of weights gives them. Any thread."""

    parts: tuple[str, ...] = ("bass", "keys")
    latent: int = 96
    levels: int = 4
    """Codebooks whose latents it was taught with."""
    sample_rate_hz: int = 32_000
    hop: int = 320
    sub_frames: int = 4
    harmonics: int = 20
    bands: int = 16
    channels: int = 160
    dilations: tuple[int, ...] = (1, 2, 4)
    note_size: int = 128

    def to_dict(self) -> dict[str, Any]:
        return asdict(self)


@dataclass(frozen=True)
class HarmonyConfig:
    """Sizes of the network. Any thread."""

    styles: tuple[str, ...]
    units: int = 128
    style_size: int = 8
    look_bars: tuple[int, ...] = (1, 2, 4, 8, 12)
    """How far back it is shown what the listener said at the same place of a bar, and at the next one."""

    def to_dict(self) -> dict[str, Any]:
        return asdict(self)

    @property
    def channels(self) -> int:
        return HEARD + 2 * len(self.look_bars)

    @property
    def size(self) -> int:
        """Numbers for a half-beat: pitch classes of each channel, `unpitched_features`, style (the first: unknown)."""
        return self.channels * ROOTS + UNPITCHED + len(self.styles) + 1


@dataclass(frozen=True)
class CodecConfig:
    """Rates and sizes of the codec, as its file of weights gives them. Any thread."""

    architecture: str = "mdct"
    sample_rate_hz: int = 32_000
    hop: int = 320
    """MDCT hop: 10 ms. Shorter blurs a hit less, longer resolves tones better."""
    sub_frames: int = 4
    fine_channels: int = 192
    fine_blocks: int = 3
    coarse_channels: int = 320
    coarse_blocks: int = 3
    latent: int = 96
    codebooks: int = 8
    entries: int = 1024

    @property
    def frame_samples(self) -> int:
        return self.hop * self.sub_frames

    @property
    def decode_delay_samples(self) -> int:
        return self.hop

    def to_dict(self) -> dict[str, Any]:
        return asdict(self)


@dataclass(frozen=True)
class SeanetConfig:
    """Rates and sizes of the codec, as its file of weights gives them. Any thread."""

    architecture: str = "seanet"
    sample_rate_hz: int = 32_000
    filters: int = 16
    """Channels at the audio's rate; doubled with every ratio."""
    ratios: tuple[int, ...] = (8, 8, 5, 4)
    """By how much each stage of the decoder lengthens time; the encoder runs them backwards."""
    residual_layers: int = 1
    kernel: int = 7
    residual_kernel: int = 3
    dilation_base: int = 2
    compress: int = 2
    lstm_layers: int = 2
    latent: int = 96
    codebooks: int = 8
    entries: int = 1024
    scaled_latents: bool = True
    """Latents of one length, as our training needs them; EnCodec's own weights know nothing of it."""
    start: str = "silence"
    """What stands before the first sample: silence, or (EnCodec's way) the first samples in a mirror. With `reflect`
    the first `start_frames` frames belong together: give them in one step where it shall equal `whole`."""

    def __post_init__(self) -> None:
        if self.start not in STARTS:
            raise ValueError(f"start {self.start!r}: expected one of {', '.join(STARTS)}")
        object.__setattr__(self, "ratios", tuple(self.ratios))

    @property
    def frame_samples(self) -> int:
        return math.prod(self.ratios)

    @property
    def decode_delay_samples(self) -> int:
        return 0

    @property
    def start_frames(self) -> int:
        """Frames that the first step must hold to equal `whole`: 1, but with mirrored starts a kernel's length."""
        return self.kernel if self.start == "reflect" else 1

    def to_dict(self) -> dict[str, Any]:
        return asdict(self)
