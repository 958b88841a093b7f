"""EnCodec's weights on our layers: the package's own output, token by token and to 1e-4, whole and streamed."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import Any

import pytest
import torch
from gigmate.model import checkpoint
from gigmate.model.codec import encodec_adapter
from gigmate.model.codec.seanet import SeanetCodec

IN_CI = os.environ.get("CI", "").lower() in ("1", "true", "yes")


@pytest.fixture(scope="module")
def model() -> Any:
    """The package's 24 kHz model with weights of chance, codebooks included (untrained, it has them at zero)."""
    try:
        encodec_adapter.package()
    except checkpoint.CheckpointError as error:
        if IN_CI:
            pytest.fail(str(error))
        pytest.skip(str(error))
    torch.manual_seed(0)
    model = encodec_adapter.reference()
    for level, layer in enumerate(model.quantizer.vq.layers):
        layer._codebook.embed.normal_(std=0.3 * 0.8**level)
        layer._codebook.inited.fill_(1)
    return model


@pytest.fixture(scope="module")
def codec(model: Any) -> SeanetCodec:
    return encodec_adapter.codec_of(model.state_dict())


@pytest.fixture(scope="module")
def audio() -> torch.Tensor:
    """A third of a second of a chord in noise, [2, N]."""
    torch.manual_seed(1)
    t = torch.arange(24 * 320) / 24_000
    tones = sum(torch.sin(2 * torch.pi * f * t) for f in (220.0, 277.2, 329.6))
    return 0.15 * tones + 0.05 * torch.randn(2, len(t))


def test_the_package_comes_without_torchaudio(model: Any) -> None:
    """The empty stand-in is gone again: who wants torchaudio later finds the real one, or none."""
    assert "torchaudio" not in sys.modules or hasattr(sys.modules["torchaudio"], "load")
    assert sys.modules["encodec.model"].EncodecModel is type(model)


@torch.no_grad()
def test_whole_is_the_packages_own(model: Any, codec: SeanetCodec, audio: torch.Tensor) -> None:
    torch.testing.assert_close(codec.encoder.whole(audio), model.encoder(audio.unsqueeze(1)), atol=1e-4, rtol=0)
    share, distance = encodec_adapter.difference(codec, model, audio)
    assert share == 0
    assert distance < 1e-4


@torch.no_grad()
def test_streamed_is_the_packages_own(model: Any, codec: SeanetCodec, audio: torch.Tensor) -> None:
    tokens = model.encode(audio.unsqueeze(1))[0][0]
    wanted = model.decode([(tokens, None)])[:, 0]
    first, size = codec.config.start_frames, codec.frame_size
    state = codec.init_encode(2)
    blocks = (audio[:, : first * size], *audio[:, first * size :].split(size, dim=1))
    streamed = torch.cat([codec.encode_step(block, state) for block in blocks], dim=2)
    assert torch.equal(streamed, tokens)
    state = codec.init_decode(2)
    frames = (tokens[:, :, :first], *tokens[:, :, first:].split(1, dim=2))
    decoded = torch.cat([codec.decode_step(frame, state) for frame in frames], dim=1)
    torch.testing.assert_close(decoded, wanted, atol=1e-4, rtol=0)
    assert float(wanted.abs().max()) > 1e-3, "the weights of chance must sound, or this proves nothing"


@torch.no_grad()
def test_fewer_codebooks_are_a_lower_bandwidth(model: Any, codec: SeanetCodec, audio: torch.Tensor) -> None:
    model.set_target_bandwidth(6.0)
    tokens = model.encode(audio.unsqueeze(1))[0][0]
    model.bandwidth = None
    assert tokens.shape[1] == 8
    assert torch.equal(codec.encode(audio)[:, :8], tokens)
    wanted = model.decode([(tokens, None)])[:, 0]
    torch.testing.assert_close(codec.decode(tokens), wanted, atol=1e-4, rtol=0)


def test_face(codec: SeanetCodec) -> None:
    assert (codec.sample_rate_hz, codec.frame_size, codec.frame_rate_hz) == (24_000, 320, 75)
    assert (codec.num_codebooks, codec.decode_delay_samples) == (32, 0)


def test_a_state_on_disk_becomes_weights_of_ours(
    model: Any, codec: SeanetCodec, audio: torch.Tensor, tmp_path: Path
) -> None:
    torch.save(model.state_dict(), tmp_path / "state.th")
    encodec_adapter.import_weights(tmp_path / "state.th", tmp_path / "codec.safetensors")
    again = checkpoint.load_codec(tmp_path / "codec.safetensors")
    tokens = codec.encode(audio[:1])
    assert torch.equal(again.encode(audio[:1]), tokens)
    assert torch.equal(again.decode(tokens), codec.decode(tokens))


# ------------------------------------------------------------------------------------- what needs no package to show


def test_weight_norm_in_both_spellings_is_folded() -> None:
    torch.manual_seed(0)
    old = torch.nn.utils.parametrizations.weight_norm(torch.nn.ConvTranspose1d(3, 5, 4))
    torch.nn.init.normal_(old.parametrizations.weight.original0)
    new = {f"x.{name}": value for name, value in old.state_dict().items()}
    names = {"original0": "x.weight_g", "original1": "x.weight_v"}
    spelled = {names.get(name.rpartition(".")[2], name): value for name, value in new.items()}
    for state in (new, spelled):
        torch.testing.assert_close(encodec_adapter._Taken(state).folded("x"), old.weight.detach())


def test_files_that_are_no_weights_are_said(tmp_path: Path) -> None:
    for name, content in (("missing", None), ("text", b"hello"), ("objects", "code"), ("others", "tensors")):
        path = tmp_path / f"{name}.th"
        if content == "code":
            torch.save({"model": object}, path)  # would have to be unpickled
        elif content == "tensors":
            torch.save({"encoder.weight": torch.zeros(2)}, path)
        elif isinstance(content, bytes):
            path.write_bytes(content)
        with pytest.raises(checkpoint.CheckpointError, match=path.name):
            encodec_adapter.import_weights(path, tmp_path / "out.safetensors")
    assert not (tmp_path / "out.safetensors").exists()


def test_another_models_weights_are_said(model: Any) -> None:
    state = dict(model.state_dict())
    with pytest.raises(checkpoint.CheckpointError, match="1 extra tensors"):
        encodec_adapter.codec_of({**state, "decoder.model.99.weight": torch.zeros(1)})
    state["encoder.model.0.conv.conv.bias"] = torch.zeros(64)
    with pytest.raises(checkpoint.CheckpointError, match=r"encoder\.head"):
        encodec_adapter.codec_of(state)


def test_without_the_package_the_command_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delitem(sys.modules, "encodec", raising=False)
    monkeypatch.setattr(
        encodec_adapter.importlib, "import_module", lambda name: (_ for _ in ()).throw(ImportError(name))
    )
    with pytest.raises(checkpoint.CheckpointError, match="pip install --no-deps encodec"):
        encodec_adapter.package()
