"""The interface of all codecs, and what those of encoder, quantiser and decoder share: whole, streaming, gaps.

Knows no architecture, no thread and no sound card. `Codec` is the protocol; `TokenCodec` is the base of ours.

The rules of the face
---------------------
* Audio is float32 [B, N], N a multiple of `frame_size` samples; tokens are int64 [B, K, T], T frames.
* State is explicit: `init_encode(batch)` and `init_decode(batch)` give that of a silent past, the steps update it in
  place (model/streaming.py). `encode`, `decode` run a whole sequence from a silent past; steps give the same.
* `decode_delay_samples` is declared: sample n of what was encoded is heard as sample n + delay of what is decoded.
  Encoding lags nothing: the tokens of a frame are complete with its last sample.
* A gap: `decode_step(None, state)` stands for one frame that never came. It goes on with what was last heard, fades
  by at least `GAP_FADE_DB` a frame, and joins without a click on both sides; from silence it is silence. The frame
  after a gap is decoded as usual, so that two frames later nothing is left of it but what the network remembers.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Dict, Optional, Protocol

import torch
from torch import Tensor, nn

from ..streaming import Streaming
from .quantizer import ResidualQuantizer

GAP_FADE_DB = 6.0
"""How much a concealed frame falls below the one before it."""


class Codec(Protocol):
    """What every codec offers. See the module for shapes and rules; sizes are in samples at `sample_rate_hz`.

    One thread at a time.
    """

    @property
    def sample_rate_hz(self) -> int: ...
    @property
    def frame_size(self) -> int: ...
    @property
    def frame_rate_hz(self) -> float: ...
    @property
    def num_codebooks(self) -> int: ...
    @property
    def decode_delay_samples(self) -> int: ...

    def init_encode(self, batch: int) -> Dict[str, Tensor]: ...
    def init_decode(self, batch: int) -> Dict[str, Tensor]: ...
    def encode_step(self, audio: Tensor, state: Dict[str, Tensor]) -> Tensor: ...
    def decode_step(self, tokens: Optional[Tensor], state: Dict[str, Tensor]) -> Tensor: ...
    def encode(self, audio: Tensor) -> Tensor: ...
    def decode(self, tokens: Tensor) -> Tensor: ...


class CodecShape(Protocol):
    """What `TokenCodec` reads of an architecture's config. Any thread."""

    @property
    def sample_rate_hz(self) -> int: ...
    @property
    def frame_samples(self) -> int: ...
    @property
    def decode_delay_samples(self) -> int: ...
    @property
    def latent(self) -> int: ...
    @property
    def codebooks(self) -> int: ...
    @property
    def entries(self) -> int: ...
    def to_dict(self) -> dict[str, Any]: ...


class Encoder(Streaming):
    """Audio [B, T * frame] to latents [B, latent, T]; `whole` is `latents` of `front`. One thread at a time."""

    def front(self, x: Tensor) -> Tensor:
        """What is not learnt, and wants float32."""
        raise NotImplementedError

    def latents(self, x: Tensor) -> Tensor:
        """What is learnt, and may run in mixed precision."""
        raise NotImplementedError


class Decoder(Streaming):
    """Latents [B, latent, T] to audio [B, T * frame]; `whole` is `audio` of `features`. One thread at a time."""

    def features(self, x: Tensor) -> Tensor:
        """What is learnt but the last map, and may run in mixed precision."""
        raise NotImplementedError

    def audio(self, features: Tensor) -> Tensor:
        """The last map, which wants float32."""
        raise NotImplementedError


class TokenCodec(nn.Module):
    """Encoder, residual quantiser and decoder under the `Codec` face; scripts as a whole. One thread at a time."""

    def __init__(self, shape: CodecShape, encoder: Callable[[Any], Encoder], decoder: Callable[[Any], Decoder]) -> None:
        super().__init__()
        self.sample_rate_hz = shape.sample_rate_hz
        self.frame_samples = shape.frame_samples
        self.frame_size = shape.frame_samples
        """The same number, under the name that codecs elsewhere give it."""
        self.frame_rate_hz = shape.sample_rate_hz / shape.frame_samples
        self.num_codebooks = shape.codebooks
        self.decode_delay_samples = shape.decode_delay_samples
        self.config = shape
        self.encoder = encoder(shape)
        self.quantizer = ResidualQuantizer(shape.latent, shape.codebooks, shape.entries)
        self.decoder = decoder(shape)
        self.latent_size = shape.latent
        self.fade = 10.0 ** (-GAP_FADE_DB / 20.0)

    @torch.jit.export
    def init_encode(self, batch: int) -> Dict[str, Tensor]:
        """State of a silent past for `batch` streams."""
        return self.encoder.init_state(batch)

    @torch.jit.export
    def init_decode(self, batch: int) -> Dict[str, Tensor]:
        """State of a silent past for `batch` streams, with what a gap will need."""
        state = self.decoder.init_state(batch)
        device = self.quantizer.codes.device
        state["gap.latent"] = torch.zeros(batch, self.latent_size, 1, device=device)
        state["gap.level"] = torch.zeros(batch, device=device)  # of what is held; 0: nothing was heard yet
        state["gap.lost"] = torch.zeros(batch, dtype=torch.int64, device=device)  # frames in a row
        state.update(self._init_gap(batch))
        return state

    @torch.jit.export
    def encode_step(self, audio: Tensor, state: Dict[str, Tensor]) -> Tensor:
        """Audio [B, T * frame] to tokens [B, K, T]."""
        return self.quantizer.encode(self.encoder.step(audio, state))

    @torch.jit.export
    def decode_step(self, tokens: Optional[Tensor], state: Dict[str, Tensor]) -> Tensor:
        """Tokens [B, K', T], K' <= K, to audio [B, T * frame]; None is one frame that is missing in all streams."""
        if tokens is None:
            audio = self._conceal(state)
            state["gap.level"].mul_(self.fade)
            state["gap.lost"].add_(1)
            return audio
        latents = self.quantizer.decode(tokens)
        audio = self._continue(latents, state)
        state["gap.latent"].copy_(latents[:, :, latents.shape[2] - 1 :])
        state["gap.level"].fill_(1.0)
        state["gap.lost"].zero_()
        return audio

    @torch.jit.export
    def encode(self, audio: Tensor) -> Tensor:
        """Audio [B, T * frame] to tokens [B, K, T], from a silent past."""
        return self.quantizer.encode(self.encoder.whole(audio))

    @torch.jit.export
    def decode(self, tokens: Tensor) -> Tensor:
        """Tokens [B, K', T] to audio [B, T * frame], from a silent past, `decode_delay_samples` late."""
        return self.decoder.whole(self.quantizer.decode(tokens))

    # What an architecture may do in its own domain. On the waveform: the network goes on with the last latents, and
    # a gain that has no step in it falls during the gap and rises during the frame after.

    def _init_gap(self, batch: int) -> Dict[str, Tensor]:
        empty: Dict[str, Tensor] = {}
        return empty

    def _conceal(self, state: Dict[str, Tensor]) -> Tensor:
        audio = self.decoder.step(state["gap.latent"], state)
        start = state["gap.level"][:, None]
        return audio * start * _slope(1.0, self.fade, audio)

    def _continue(self, latents: Tensor, state: Dict[str, Tensor]) -> Tensor:
        audio = self.decoder.step(latents, state)
        if int(state["gap.lost"][0].item()) > 0:
            frame = audio.shape[1] // latents.shape[2]
            missing = (1.0 - state["gap.level"])[:, None] * _slope(1.0, 0.0, audio[:, :frame])
            audio = torch.cat([audio[:, :frame] * (1.0 - missing), audio[:, frame:]], dim=1)
        return audio


def _slope(start: float, stop: float, like: Tensor) -> Tensor:
    """A straight line over the last axis of `like`, ending on `stop` with the last sample."""
    size = like.shape[-1]
    return start + (stop - start) * torch.arange(1, size + 1, device=like.device, dtype=like.dtype) / size
