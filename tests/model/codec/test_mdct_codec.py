"""Every codec keeps one face: streaming equals whole, the delay is the declared one, gaps do not click, it compiles."""

from __future__ import annotations

from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
import soundfile
import torch
from gigmate.model import checkpoint
from gigmate.model.codec.codec_protocol import Codec, TokenCodec
from gigmate.model.codec.mdct_codec import CodecConfig, MdctCodec
from gigmate.model.codec.quantizer import ResidualQuantizer, learn_codes
from gigmate.model.codec.seanet import SeanetCodec, SeanetConfig

from ..contract import verify_contract

SMALL = CodecConfig(
    hop=32, fine_channels=16, fine_blocks=1, coarse_channels=24, coarse_blocks=1, latent=8, codebooks=4, entries=16
)
SMALL_SEANET = SeanetConfig(filters=4, ratios=(4, 4, 4, 2), latent=8, codebooks=4, entries=16, residual_layers=2)
PERFORMANCE = Path(checkpoint.__file__).parents[1] / "presets" / "performance.flac"


def made(architecture: str) -> TokenCodec:
    torch.manual_seed(0)
    return checkpoint.build_codec(SMALL if architecture == "mdct" else SMALL_SEANET).eval().requires_grad_(False)


@pytest.fixture(params=["mdct", "seanet"])
def codec(request: pytest.FixtureRequest) -> TokenCodec:
    return made(request.param)


@pytest.fixture(scope="module")
def shipped() -> TokenCodec:
    return checkpoint.load_codec(checkpoint.SHIPPED / "codec.safetensors")


@pytest.fixture(scope="module")
def guitar() -> torch.Tensor:
    """Two seconds of the bundled performance, [1, N]."""
    audio, rate_hz = soundfile.read(PERFORMANCE, dtype="float32", start=4 * 32_000, frames=50 * 1280)
    assert rate_hz == 32_000
    return torch.from_numpy(audio)[None]


def test_they_show_the_face(codec: TokenCodec) -> None:
    face: Codec = codec  # what the type checker proves, said again for the numbers
    assert face.frame_size == codec.frame_samples == 128
    assert face.frame_rate_hz == face.sample_rate_hz / face.frame_size == 250
    assert face.num_codebooks == 4
    assert face.decode_delay_samples == (SMALL.hop if isinstance(codec, MdctCodec) else 0)


def test_encoder_and_decoder_keep_the_contract(codec: TokenCodec) -> None:
    audio = 0.1 * torch.randn(2, 10 * codec.frame_size)
    latents = verify_contract(codec.encoder, audio, 1, 2, codec.frame_size)
    verify_contract(codec.decoder, latents, 2, 1, 1)


def test_streamed_tokens_are_the_whole_tokens(codec: TokenCodec) -> None:
    audio = 0.1 * torch.randn(1, 12 * codec.frame_size)
    state = codec.init_encode(1)
    streamed = [codec.encode_step(frame, state) for frame in audio.split(codec.frame_size, dim=1)]
    tokens = codec.encode(audio)
    assert torch.equal(torch.cat(streamed, dim=2), tokens)
    state = codec.init_decode(1)
    pieces = [codec.decode_step(frame, state) for frame in tokens.split(1, dim=2)]
    torch.testing.assert_close(torch.cat(pieces, dim=1), codec.decode(tokens), atol=1e-5, rtol=0)


def test_the_front_and_what_is_learnt_are_the_whole(codec: TokenCodec) -> None:
    audio = 0.1 * torch.randn(1, 6 * codec.frame_size)
    latents = codec.encoder.latents(codec.encoder.front(audio))
    assert torch.equal(latents, codec.encoder.whole(audio))
    assert torch.equal(codec.decoder.audio(codec.decoder.features(latents)), codec.decoder.whole(latents))


def test_nothing_lags_but_what_is_declared(codec: TokenCodec) -> None:
    """A frame's last sample is in its own tokens, and its tokens sound from the frame's first sample on: what lags
    between the two is the transform's one hop, which MDCT declares (test_layers proves it of the transform)."""
    audio = 0.1 * torch.randn(1, 10 * codec.frame_size)
    other = audio.clone()
    other[:, 6 * codec.frame_size - 1 :] += 0.5
    changed = (codec.encoder.whole(audio) - codec.encoder.whole(other)).abs().amax(dim=(0, 1))
    assert torch.nonzero(changed)[0] == 5
    tokens = torch.randint(0, 16, (1, 4, 10))
    others = tokens.clone()
    others[:, :, 5:] = torch.randint(0, 16, (1, 4, 5))
    difference = (codec.decode(tokens) - codec.decode(others)).abs()[0]
    first = int(torch.nonzero(difference > 1e-7)[0])
    assert 5 * codec.frame_size <= first < 5 * codec.frame_size + 4


def test_the_shipped_codec_is_late_by_what_it_declares(shipped: TokenCodec, guitar: torch.Tensor) -> None:
    decoded = shipped.decode(shipped.encode(guitar))[0].numpy()
    spectrum = np.fft.rfft(decoded, 2 * len(decoded)) * np.conj(np.fft.rfft(guitar[0].numpy(), 2 * len(decoded)))
    lags = np.fft.irfft(spectrum)[:2000]
    assert int(np.argmax(lags)) == pytest.approx(shipped.decode_delay_samples, abs=3)


def test_fewer_codebooks_decode(codec: TokenCodec) -> None:
    tokens = codec.encode(0.1 * torch.randn(1, 8 * codec.frame_size))
    assert codec.decode(tokens[:, :2]).shape == codec.decode(tokens).shape


def test_compiled_is_eager(codec: TokenCodec) -> None:
    compiled = torch.jit.script(codec)
    audio = 0.1 * torch.randn(1, 6 * codec.frame_size)
    tokens = codec.encode(audio)
    assert torch.equal(compiled.encode(audio), tokens)
    torch.testing.assert_close(compiled.decode(tokens), codec.decode(tokens))
    state, compiled_state = codec.init_decode(1), compiled.init_decode(1)
    for frame in (tokens[:, :, :1], None, tokens[:, :, 1:3]):
        wanted = codec.decode_step(frame, state)
        torch.testing.assert_close(compiled.decode_step(frame, compiled_state), wanted)


# ------------------------------------------------------------------------------------------------------------ gaps


def with_gap(codec: TokenCodec, tokens: torch.Tensor, at: int, frames: int) -> torch.Tensor:
    """Decoded step by step [N], with `frames` frames from `at` on that never came."""
    state = codec.init_decode(1)
    steps = [None if at <= t < at + frames else tokens[:, :, t : t + 1] for t in range(tokens.shape[2])]
    return torch.cat([codec.decode_step(step, state) for step in steps], dim=1)[0]


def level_db(audio: torch.Tensor) -> float:
    return 10 * float(torch.log10(audio.square().mean() + 1e-12))


@pytest.mark.parametrize("at", [12, 21, 30])
def test_a_gap_does_not_click(shipped: TokenCodec, guitar: torch.Tensor, at: int) -> None:
    """No sample-to-sample step in the gap or at its ends is above the slope of the sound around it."""
    size = shipped.frame_size
    tokens = shipped.encode(guitar)
    undisturbed = shipped.decode(tokens)[0]
    slope = float(undisturbed[(at - 2) * size : (at + 4) * size].diff().abs().max())
    sound = with_gap(shipped, tokens, at, 2)
    joint = shipped.decode_delay_samples  # over so many samples gap and sound overlap
    assert float(sound[at * size - 1 : (at + 2) * size + joint].diff().abs().max()) <= slope


def test_a_gap_fades_and_what_follows_recovers(shipped: TokenCodec, guitar: torch.Tensor) -> None:
    size, at = shipped.frame_size, 16
    tokens = shipped.encode(guitar)
    undisturbed = shipped.decode(tokens)[0]
    levels = [level_db(frame) for frame in with_gap(shipped, tokens, at, 5)[(at - 1) * size :].split(size)[:6]]
    assert all(after < before - 3 for before, after in pairwise(levels)), levels
    sound = with_gap(shipped, tokens, at, 1)
    after = slice((at + 3) * size, (at + 6) * size)  # the second frame after the gap is whole, and so on
    assert level_db(sound[after] - undisturbed[after]) < level_db(undisturbed[after]) - 10
    assert torch.equal(sound[: at * size], with_gap(shipped, tokens, at, 0)[: at * size])


def test_a_gap_joins_on_the_waveform_too(codec: TokenCodec) -> None:
    """In both domains: nothing before was heard, so silence; then a fade, then the sound comes back whole."""
    tokens = codec.encode(0.1 * torch.randn(1, 30 * codec.frame_size))
    state = codec.init_decode(1)
    assert not codec.decode_step(None, state).any()
    size = codec.frame_size
    sound, undisturbed = with_gap(codec, tokens, 8, 12), with_gap(codec, tokens, 8, 0)
    slope = float(undisturbed.diff().abs().max())
    assert float(sound.diff().abs().max()) <= 1.1 * slope
    assert level_db(sound[19 * size : 20 * size]) < level_db(undisturbed) - 50
    assert level_db(sound[22 * size :]) == pytest.approx(level_db(undisturbed[22 * size :]), abs=3)


def test_without_a_gap_nothing_is_touched(shipped: TokenCodec, guitar: torch.Tensor) -> None:
    """Bit for bit: decode_step is the decoder's own step, which the live band runs."""
    tokens = shipped.encode(guitar)[:, :, :6]
    state, plain = shipped.init_decode(1), shipped.decoder.init_state(1)
    for frame in tokens.split(1, dim=2):
        wanted = shipped.decoder.step(shipped.quantizer.decode(frame), plain)
        assert torch.equal(shipped.decode_step(frame, state), wanted)


# ------------------------------------------------------------------------------------------------------ checkpoints


def test_architecture_lies_in_the_checkpoint(tmp_path: Path, codec: TokenCodec) -> None:
    path = tmp_path / "codec.safetensors"
    checkpoint.save(path, "codec", codec, codec.config.to_dict())
    again = checkpoint.load_codec(path)
    assert type(again) is type(codec) and again.config == codec.config
    assert checkpoint.read_header(path)["config"]["architecture"] == codec.config.to_dict()["architecture"]


def test_weights_older_than_the_choice_are_mdct(tmp_path: Path) -> None:
    config = SMALL.to_dict()
    del config["architecture"]
    path = tmp_path / "codec.safetensors"
    checkpoint.save(path, "codec", made("mdct"), config)
    assert isinstance(checkpoint.load_codec(path), MdctCodec)
    assert checkpoint.read_header(path)["config"] == SMALL.to_dict()


def test_an_unknown_architecture_is_said(tmp_path: Path) -> None:
    path = tmp_path / "codec.safetensors"
    checkpoint.save(path, "codec", made("mdct"), {**SMALL.to_dict(), "architecture": "wavelet"})
    with pytest.raises(checkpoint.CheckpointError, match="wavelet"):
        checkpoint.load_codec(path)


def test_full_precision_can_be_kept(tmp_path: Path) -> None:
    codec = made("seanet")
    checkpoint.save(tmp_path / "codec.safetensors", "codec", codec, codec.config.to_dict(), half=False)
    assert isinstance(codec, SeanetCodec)
    assert torch.equal(checkpoint.load_codec(tmp_path / "codec.safetensors").quantizer.codes, codec.quantizer.codes)


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
