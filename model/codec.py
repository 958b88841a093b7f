"""The codec: sound to 25 frames of 8 tokens a second and back, causal and streaming, in the MDCT domain.

Knows no thread and no sound card. `Codec` is the face that other codecs share; `MdctCodec` is ours: MDCT
coefficients, companded, through a stack of causal blocks, a residual vector quantiser, and the mirror of it.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any, Dict, Protocol  # noqa: UP035

import torch
from torch import Tensor, nn

from .layers import CausalConv, ConvBlock, scaled_normal_
from .mdct import InverseMdct, Mdct
from .quantizer import ResidualQuantizer
from .streaming import Streaming


class Codec(Protocol):
    """What every codec offers. Audio is float32 [B, N], N a multiple of `frame_samples`; tokens are int64 [B, K, T]."""

    sample_rate_hz: int
    frame_samples: int
    num_codebooks: int
    decode_delay_samples: int

    def init_encode(self, batch: int) -> Dict[str, Tensor]: ...  # noqa: UP006
    def init_decode(self, batch: int) -> Dict[str, Tensor]: ...  # noqa: UP006
    def encode_step(self, audio: Tensor, state: Dict[str, Tensor]) -> Tensor: ...  # noqa: UP006
    def decode_step(self, tokens: Tensor, state: Dict[str, Tensor]) -> Tensor: ...  # noqa: UP006
    def encode(self, audio: Tensor) -> Tensor: ...
    def decode(self, tokens: Tensor) -> Tensor: ...


@dataclass(frozen=True)
class CodecConfig:
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

    def to_dict(self) -> dict[str, Any]:
        return asdict(self)


COMPAND_GAIN = 4.0


def compand(coefficients: Tensor) -> Tensor:
    """Signed square root: brings the 60 dB that MDCT coefficients span into the reach of a small network."""
    return torch.sign(coefficients) * (coefficients.abs() + 1e-8).sqrt() * COMPAND_GAIN


class MdctEncoder(Streaming):
    """Audio [B, N] to latents [B, latent, T]."""

    def __init__(self, config: CodecConfig) -> None:
        super().__init__()
        c = config
        self.mdct = Mdct(c.hop, "enc.mdct")
        self.head = CausalConv("enc.head", c.hop, c.fine_channels, 3)
        self.fine = nn.ModuleList([ConvBlock(f"enc.fine{i}", c.fine_channels) for i in range(c.fine_blocks)])
        self.down = CausalConv("enc.down", c.fine_channels, c.coarse_channels, 2 * c.sub_frames, stride=c.sub_frames)
        self.coarse = nn.ModuleList([ConvBlock(f"enc.coarse{i}", c.coarse_channels, 5) for i in range(c.coarse_blocks)])
        self.tail = CausalConv("enc.tail", c.coarse_channels, c.latent, 1)

    def init_state(self, batch: int) -> Dict[str, Tensor]:  # noqa: UP006
        state = self.mdct.init_state(batch)
        state.update(self.head.init_state(batch))
        for block in self.fine:
            state.update(block.init_state(batch))
        state.update(self.down.init_state(batch))
        for block in self.coarse:
            state.update(block.init_state(batch))
        state.update(self.tail.init_state(batch))
        return state

    def step(self, x: Tensor, state: Dict[str, Tensor]) -> Tensor:  # noqa: UP006
        y = self.head.step(compand(self.mdct.step(x, state)), state)
        for block in self.fine:
            y = block.step(y, state)
        y = self.down.step(y, state)
        for block in self.coarse:
            y = block.step(y, state)
        return self._scaled(self.tail.step(y, state))

    def _scaled(self, z: Tensor) -> Tensor:
        """Latents of fixed length: without it encoder and codebooks chased each other to infinity in training."""
        return nn.functional.layer_norm(z.transpose(1, 2), [z.shape[1]]).transpose(1, 2)

    def whole(self, x: Tensor) -> Tensor:
        return self.latents(compand(self.mdct.whole(x)))

    def latents(self, coefficients: Tensor) -> Tensor:
        """The learnt part of `whole`: companded coefficients [B, hop, T * sub_frames] to latents [B, latent, T]."""
        y = self.head.whole(coefficients)
        for block in self.fine:
            y = block.whole(y)
        y = self.down.whole(y)
        for block in self.coarse:
            y = block.whole(y)
        return self._scaled(self.tail.whole(y))


class MdctDecoder(Streaming):
    """Latents [B, latent, T] to audio [B, T * frame], one MDCT hop late."""

    def __init__(self, config: CodecConfig) -> None:
        super().__init__()
        c = config
        self.hop, self.sub_frames, self.fine_channels = c.hop, c.sub_frames, c.fine_channels
        self.head = CausalConv("dec.head", c.latent, c.coarse_channels, 3)
        self.coarse = nn.ModuleList([ConvBlock(f"dec.coarse{i}", c.coarse_channels, 5) for i in range(c.coarse_blocks)])
        self.up = nn.Linear(c.coarse_channels, c.sub_frames * c.fine_channels)
        scaled_normal_(self.up.weight)
        self.fine = nn.ModuleList([ConvBlock(f"dec.fine{i}", c.fine_channels) for i in range(c.fine_blocks)])
        self.norm = nn.LayerNorm(c.fine_channels)
        self.tail = nn.Linear(c.fine_channels, 2 * c.hop)
        scaled_normal_(self.tail.weight)
        self.inverse = InverseMdct(c.hop, "dec.mdct")
        self.delay = c.hop

    def init_state(self, batch: int) -> Dict[str, Tensor]:  # noqa: UP006
        state = self.head.init_state(batch)
        for block in self.coarse:
            state.update(block.init_state(batch))
        for block in self.fine:
            state.update(block.init_state(batch))
        state.update(self.inverse.init_state(batch))
        return state

    def _upsample(self, y: Tensor) -> Tensor:
        batch, _, steps = y.shape
        y = self.up(y.transpose(1, 2)).view(batch, steps * self.sub_frames, self.fine_channels)
        return y.transpose(1, 2)

    def _coefficients(self, y: Tensor) -> Tensor:
        """Envelope times sign-like carrier: a magnitude in the log domain is easy to learn, and may be large."""
        magnitude, carrier = self.tail(self.norm(y.transpose(1, 2))).chunk(2, dim=-1)
        return (torch.exp((magnitude - 4.0).clamp(-12.0, 4.0)) * torch.tanh(carrier)).transpose(1, 2)

    def step(self, x: Tensor, state: Dict[str, Tensor]) -> Tensor:  # noqa: UP006
        y = self.head.step(x, state)
        for block in self.coarse:
            y = block.step(y, state)
        y = self._upsample(y)
        for block in self.fine:
            y = block.step(y, state)
        return self.inverse.step(self._coefficients(y), state)

    def whole(self, x: Tensor) -> Tensor:
        return self.audio(self.features(x))

    def audio(self, features: Tensor) -> Tensor:
        """The last map of `whole`, [B, fine, T * sub_frames] to [B, T * frame]; wants float32 (it spans 100 dB)."""
        return self.inverse.whole(self._coefficients(features))

    def features(self, x: Tensor) -> Tensor:
        """The learnt part of `whole` but its last map: latents [B, latent, T] to [B, fine, T * sub_frames]."""
        y = self.head.whole(x)
        for block in self.coarse:
            y = block.whole(y)
        y = self._upsample(y)
        for block in self.fine:
            y = block.whole(y)
        return y


class MdctCodec(nn.Module):
    """Encoder, quantiser and decoder under the `Codec` face."""

    def __init__(self, config: CodecConfig) -> None:
        super().__init__()
        self.config = config
        self.sample_rate_hz = config.sample_rate_hz
        self.frame_samples = config.frame_samples
        self.num_codebooks = config.codebooks
        self.decode_delay_samples = config.hop
        self.encoder = MdctEncoder(config)
        self.quantizer = ResidualQuantizer(config.latent, config.codebooks, config.entries)
        self.decoder = MdctDecoder(config)

    @property
    def frame_rate_hz(self) -> float:
        return self.sample_rate_hz / self.frame_samples

    def init_encode(self, batch: int) -> Dict[str, Tensor]:  # noqa: UP006
        return self.encoder.init_state(batch)

    def init_decode(self, batch: int) -> Dict[str, Tensor]:  # noqa: UP006
        return self.decoder.init_state(batch)

    def encode_step(self, audio: Tensor, state: Dict[str, Tensor]) -> Tensor:  # noqa: UP006
        return self.quantizer.encode(self.encoder.step(audio, state))

    def decode_step(self, tokens: Tensor, state: Dict[str, Tensor]) -> Tensor:  # noqa: UP006
        return self.decoder.step(self.quantizer.decode(tokens), state)

    def encode(self, audio: Tensor) -> Tensor:
        return self.quantizer.encode(self.encoder.whole(audio))

    def decode(self, tokens: Tensor) -> Tensor:
        return self.decoder.whole(self.quantizer.decode(tokens))
