"""The codec: sound to 25 frames of 8 tokens a second and back, causal and streaming, in the MDCT domain.

Knows no thread and no sound card. `MdctCodec` keeps the face of codec_protocol.py: MDCT coefficients, companded,
through a stack of causal blocks, a residual vector quantiser, and the mirror of it.
"""

from __future__ import annotations

from typing import Dict

import torch
from torch import Tensor, nn

from ..configs import CodecConfig
from ..layers import CausalConv, ConvBlock, scaled_normal_
from .codec_protocol import Decoder, Encoder, TokenCodec
from .mdct import InverseMdct, Mdct

COMPAND_GAIN = 4.0


def compand(coefficients: Tensor, gain: float = COMPAND_GAIN) -> Tensor:
    """Signed square root: brings the 60 dB that MDCT coefficients span into the reach of a small network."""
    return torch.sign(coefficients) * (coefficients.abs() + 1e-8).sqrt() * gain


class MdctEncoder(Encoder):
    """Audio [B, N] to latents [B, latent, T]. One thread at a time."""

    def __init__(self, config: CodecConfig) -> None:
        super().__init__()
        c = config
        self.mdct = Mdct(c.hop, "enc.mdct")
        self.head = CausalConv("enc.head", c.hop, c.fine_channels, 3)
        self.fine = nn.ModuleList([ConvBlock(f"enc.fine{i}", c.fine_channels) for i in range(c.fine_blocks)])
        self.down = CausalConv("enc.down", c.fine_channels, c.coarse_channels, 2 * c.sub_frames, stride=c.sub_frames)
        self.coarse = nn.ModuleList([ConvBlock(f"enc.coarse{i}", c.coarse_channels, 5) for i in range(c.coarse_blocks)])
        self.tail = CausalConv("enc.tail", c.coarse_channels, c.latent, 1)

    def init_state(self, batch: int) -> Dict[str, Tensor]:
        state = self.mdct.init_state(batch)
        state.update(self.head.init_state(batch))
        for block in self.fine:
            state.update(block.init_state(batch))
        state.update(self.down.init_state(batch))
        for block in self.coarse:
            state.update(block.init_state(batch))
        state.update(self.tail.init_state(batch))
        return state

    def front(self, x: Tensor) -> Tensor:
        """What is not learnt of `whole`: audio [B, T * frame] to companded coefficients [B, hop, T * sub_frames]."""
        return compand(self.mdct.whole(x))

    def step(self, x: Tensor, state: Dict[str, Tensor]) -> Tensor:
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
        return self.latents(self.front(x))

    def latents(self, coefficients: Tensor) -> Tensor:
        """The learnt part of `whole`: companded coefficients [B, hop, T * sub_frames] to latents [B, latent, T]."""
        y = self.head.whole(coefficients)
        for block in self.fine:
            y = block.whole(y)
        y = self.down.whole(y)
        for block in self.coarse:
            y = block.whole(y)
        return self._scaled(self.tail.whole(y))


class MdctDecoder(Decoder):
    """Latents [B, latent, T] to audio [B, T * frame], one MDCT hop late. One thread at a time."""

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

    def init_state(self, batch: int) -> Dict[str, Tensor]:
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

    def coefficients_of(self, y: Tensor) -> Tensor:
        """Envelope times sign-like carrier: a magnitude in the log domain is easy to learn, and may be large."""
        magnitude, carrier = self.tail(self.norm(y.transpose(1, 2))).chunk(2, dim=-1)
        return (torch.exp((magnitude - 4.0).clamp(-12.0, 4.0)) * torch.tanh(carrier)).transpose(1, 2)

    def step(self, x: Tensor, state: Dict[str, Tensor]) -> Tensor:
        return self.inverse.step(self.coefficients_step(x, state), state)

    def coefficients_step(self, x: Tensor, state: Dict[str, Tensor]) -> Tensor:
        """`step` but its transform: latents [B, latent, T] to coefficients [B, hop, T * sub_frames]."""
        y = self.head.step(x, state)
        for block in self.coarse:
            y = block.step(y, state)
        y = self._upsample(y)
        for block in self.fine:
            y = block.step(y, state)
        return self.coefficients_of(y)

    def whole(self, x: Tensor) -> Tensor:
        return self.audio(self.features(x))

    def coefficients(self, x: Tensor) -> Tensor:
        """`whole` without the transform."""
        return self.coefficients_of(self.features(x))

    def audio(self, features: Tensor) -> Tensor:
        """The last map of `whole`, [B, fine, T * sub_frames] to [B, T * frame]; wants float32 (it spans 100 dB)."""
        return self.inverse.whole(self.coefficients_of(features))

    def features(self, x: Tensor) -> Tensor:
        """The learnt part of `whole` but its last map: latents [B, latent, T] to [B, fine, T * sub_frames]."""
        y = self.head.whole(x)
        for block in self.coarse:
            y = block.whole(y)
        y = self._upsample(y)
        for block in self.fine:
            y = block.whole(y)
        return y


SIGN_HOPS = 16
"""Hops after which the signs of a gap repeat."""


class MdctCodec(TokenCodec):
    """The MDCT codec under the `Codec` face.

    A gap keeps the spectrum of the last two hops and draws new signs, as a transform codec can: a hit is not struck
    again, and the windows of the transform make the joints. One thread at a time.
    """

    def __init__(self, config: CodecConfig) -> None:
        super().__init__(config, MdctEncoder, MdctDecoder)
        self.hop, self.sub_frames = config.hop, config.sub_frames
        chance = torch.Generator().manual_seed(0)
        signs = torch.randint(0, 2, (config.hop, SIGN_HOPS), generator=chance) * 2 - 1
        self.signs = nn.Buffer(signs.float(), persistent=False)

    def _init_gap(self, batch: int) -> Dict[str, Tensor]:
        return {"gap.spectrum": torch.zeros(batch, self.hop, 1, device=self.quantizer.codes.device)}

    def _continue(self, latents: Tensor, state: Dict[str, Tensor]) -> Tensor:
        coefficients = self.decoder.coefficients_step(latents, state)
        newest = coefficients[:, :, coefficients.shape[2] - 2 :]
        state["gap.spectrum"].copy_(newest.square().mean(dim=2, keepdim=True).sqrt())
        return self.decoder.inverse.step(coefficients, state)

    def _conceal(self, state: Dict[str, Tensor]) -> Tensor:
        # the network goes on with what it last heard, so that the frames after the gap find their places
        self.decoder.coefficients_step(state["gap.latent"], state)
        hop = torch.arange(1, self.sub_frames + 1, device=self.signs.device)
        fade = self.fade ** ((hop + 1) / self.sub_frames)  # new signs may stand up higher: begin a little lower
        which = (hop + int(state["gap.lost"][0].item()) * self.sub_frames) % self.signs.shape[1]
        held = state["gap.spectrum"] * state["gap.level"][:, None, None]
        return self.decoder.inverse.step(held * fade * self.signs[:, which], state)
