"""SEANet's layers keep the contract; a mirrored start equals the whole when its first frames come together."""

from __future__ import annotations

import dataclasses
import shutil
from pathlib import Path

import pytest
import torch
from gigmate.model import checkpoint
from gigmate.model.codec.seanet import (
    SeanetCodec,
    SeanetConfig,
    WaveConv,
    WaveLstm,
    WaveUpConv,
)
from gigmate.model.loading import load_band

from ..contract import verify_contract

TINY = SeanetConfig(filters=2, ratios=(4, 2), latent=6, codebooks=2, entries=8)


def test_convolutions_keep_the_contract() -> None:
    torch.manual_seed(0)
    verify_contract(WaveConv("c", 3, 4, 7, False, dilation=2), torch.randn(2, 3, 20), 2, 2, 1)
    verify_contract(WaveConv("c", 3, 4, 8, False, stride=4), torch.randn(2, 3, 40), 2, 2, 4)
    up = WaveUpConv("u", 3, 4, 8, 4)
    torch.nn.init.normal_(up.bias)
    verify_contract(up, torch.randn(2, 3, 10), 2, 2, 1)
    verify_contract(WaveLstm("l", 5, 2), torch.randn(2, 5, 12), 2, 2, 1)


@torch.no_grad()
def test_a_mirrored_start_streams() -> None:
    """The package mirrors the first samples to the left; later steps know nothing of it."""
    torch.manual_seed(0)
    config = dataclasses.replace(TINY, start="reflect")
    codec = SeanetCodec(config).eval()
    assert config.start_frames == 7
    audio = 0.3 * torch.randn(2, 20 * codec.frame_size)
    first, rest = audio.split([7 * codec.frame_size, 13 * codec.frame_size], dim=1)
    state = codec.encoder.init_state(2)
    pieces = [codec.encoder.step(piece, state) for piece in (first, *rest.split(codec.frame_size, dim=1))]
    latents = codec.encoder.whole(audio)
    torch.testing.assert_close(torch.cat(pieces, dim=2), latents, atol=1e-5, rtol=0)
    state = codec.decoder.init_state(2)
    pieces = [codec.decoder.step(piece, state) for piece in (latents[:, :, :7], *latents[:, :, 7:].split(1, dim=2))]
    torch.testing.assert_close(torch.cat(pieces, dim=1), codec.decoder.whole(latents), atol=1e-5, rtol=0)


@torch.no_grad()
def test_a_mirrored_start_frame_by_frame_settles() -> None:
    """Live, the first frames cannot wait for one another: they sound a little different, and soon they do not."""
    torch.manual_seed(0)
    codec = SeanetCodec(dataclasses.replace(TINY, start="reflect")).eval()
    latents = torch.randn(1, 6, 60)
    state = codec.init_decode(1)
    stepped = torch.cat([codec.decoder.step(frame, state) for frame in latents.split(1, dim=2)], dim=1)
    error = (stepped - codec.decoder.whole(latents)).abs()[0]
    assert float(error[40 * codec.frame_size :].max()) < 1e-3 < float(error[: 7 * codec.frame_size].max())


def test_a_wrong_start_is_said() -> None:
    with pytest.raises(ValueError, match="mirror"):
        SeanetConfig(start="mirror")


def test_a_live_band_through_it_is_refused_in_a_line(tiny_weights: Path, tmp_path: Path) -> None:
    """The voice of bass and keys weighs MDCT coefficients: with a waveform codec there are none."""
    for kind in ("listener", "generator", "voice", "harmony"):
        shutil.copyfile(tiny_weights / f"{kind}.safetensors", tmp_path / f"{kind}.safetensors")
    torch.manual_seed(0)
    codec = SeanetCodec(SeanetConfig(filters=2, latent=8, codebooks=3, entries=32))
    checkpoint.save(tmp_path / "codec.safetensors", "codec", codec, codec.config.to_dict())
    with pytest.raises(checkpoint.CheckpointError, match="MDCT codec"):
        load_band(tmp_path, compiled=False)
