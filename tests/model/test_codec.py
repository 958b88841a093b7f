"""The codec: streaming equals whole, its delay is the declared one, fewer codebooks decode too, it compiles."""

from __future__ import annotations

import pytest
import torch
from gigmate.model.codec import CodecConfig, MdctCodec
from gigmate.model.quantizer import ResidualQuantizer, learn_codes

from .contract import verify_contract

SMALL = CodecConfig(
    hop=32, fine_channels=16, fine_blocks=1, coarse_channels=24, coarse_blocks=1, latent=8, codebooks=4, entries=16
)


@pytest.fixture
def codec() -> MdctCodec:
    torch.manual_seed(0)
    return MdctCodec(SMALL).eval()


def test_encoder_and_decoder_keep_the_contract(codec: MdctCodec) -> None:
    audio = 0.1 * torch.randn(2, 10 * codec.frame_samples)
    latents = verify_contract(codec.encoder, audio, 1, 2, codec.frame_samples)
    verify_contract(codec.decoder, latents, 2, 1, 1)


@torch.no_grad()
def test_streamed_tokens_are_the_whole_tokens(codec: MdctCodec) -> None:
    audio = 0.1 * torch.randn(1, 12 * codec.frame_samples)
    state = codec.init_encode(1)
    streamed = [codec.encode_step(frame, state) for frame in audio.split(codec.frame_samples, dim=1)]
    assert torch.equal(torch.cat(streamed, dim=2), codec.encode(audio))


@torch.no_grad()
def test_declared_delay_is_the_true_one(codec: MdctCodec) -> None:
    """A change of frame t of the tokens shows first at t * frame minus nothing, and a hop of it belongs to the past."""
    tokens = torch.randint(0, 16, (1, 4, 10))
    other = tokens.clone()
    other[:, :, 5:] = torch.randint(0, 16, (1, 4, 5))
    difference = (codec.decode(tokens) - codec.decode(other)).abs()[0]
    first = int(torch.nonzero(difference > 1e-7)[0])
    assert 5 * codec.frame_samples <= first < 5 * codec.frame_samples + 4
    assert codec.decode_delay_samples == SMALL.hop


@torch.no_grad()
def test_fewer_codebooks_decode(codec: MdctCodec) -> None:
    tokens = codec.encode(0.1 * torch.randn(1, 8 * codec.frame_samples))
    assert codec.decode(tokens[:, :2]).shape == codec.decode(tokens).shape


@torch.no_grad()
def test_compiled_decoder_is_the_eager_one(codec: MdctCodec) -> None:
    class Wrap(torch.nn.Module):
        def __init__(self, decoder: torch.nn.Module) -> None:
            super().__init__()
            self.decoder = decoder

        def forward(self, x: torch.Tensor) -> torch.Tensor:
            return self.decoder.step(x, self.decoder.init_state(1))

    latents = torch.randn(1, 8, 6)
    torch.testing.assert_close(torch.jit.script(Wrap(codec.decoder))(latents), codec.decoder.whole(latents))


def test_quantiser_roundtrip_and_learning() -> None:
    torch.manual_seed(0)
    quantizer = ResidualQuantizer(4, codebooks=3, entries=32)
    x = torch.randn(400, 4)
    counts, sums = torch.ones(3, 32), quantizer.codes.clone()

    def error() -> float:
        tokens = quantizer.encode(x.T[None])
        assert torch.equal(quantizer.encode(x.T[None], levels=1), tokens[:, :1])
        return float((quantizer.decode(tokens)[0].T - x).square().mean())

    before = error()
    for _ in range(60):
        _, perplexity = learn_codes(quantizer, x, counts, sums, 0.9, 0.02)
    assert error() < 0.5 * before
    assert float(perplexity[0]) > 20, "most entries of the first codebook are in use"
