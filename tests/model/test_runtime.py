"""Weights on disk, the compiled band against the eager one, and the band as a Player."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
import torch
from gigmate.engine.player import Controls, Moment
from gigmate.model import checkpoint, runtime
from gigmate.model.accompanist import Accompanist
from gigmate.model.checkpoint import CheckpointError
from gigmate.model.chord_network import Harmony, HarmonyConfig
from gigmate.model.codec.mdct_codec import CodecConfig, MdctCodec
from gigmate.model.generator.generator_config import GeneratorConfig
from gigmate.model.generator.transformer import Generator
from gigmate.model.listener import Listener, ListenerConfig
from gigmate.model.runtime import cache_path, load_band, weights_id
from gigmate.model.voice import Voice, VoiceConfig
from safetensors.torch import save_file

CODEC = CodecConfig(
    fine_channels=16, fine_blocks=1, coarse_channels=24, coarse_blocks=1, latent=8, codebooks=3, entries=32
)
LISTENER = ListenerConfig(channels=16, dilations=(1, 2))
GENERATOR = GeneratorConfig(
    styles=("rock", "funk"),
    codebooks=3,
    entries=32,
    layers=1,
    size=16,
    heads=2,
    hidden=24,
    window_frames=12,
    condition_size=8,
    heard_channels=8,
    depth_layers=1,
    depth_size=16,
    depth_heads=2,
    depth_hidden=24,
)
VOICE = VoiceConfig(latent=8, channels=16, dilations=(1,), note_size=8, harmonics=4)
HARMONY = HarmonyConfig(("rock", "funk"), units=8, style_size=2, look_bars=(1, 2))


@pytest.fixture(scope="module")
def weights(tmp_path_factory: pytest.TempPathFactory) -> Path:
    torch.manual_seed(0)
    folder = tmp_path_factory.mktemp("weights")
    checkpoint.save(folder / "codec.safetensors", "codec", MdctCodec(CODEC), CODEC.to_dict())
    checkpoint.save(folder / "listener.safetensors", "listener", Listener(LISTENER), LISTENER.to_dict())
    checkpoint.save(folder / "generator.safetensors", "generator", Generator(GENERATOR), GENERATOR.to_dict())
    checkpoint.save(folder / "voice.safetensors", "voice", Voice(VOICE), VOICE.to_dict())
    checkpoint.save(folder / "harmony.safetensors", "harmony", Harmony(HARMONY), HARMONY.to_dict())
    return folder


@pytest.fixture(autouse=True)
def _own_cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GIGMATE_CACHE_DIR", str(tmp_path / "cache"))


MOMENT = Moment(0.1, 0.2, 120.0, 4, 1.0, 0, (1.0,) + (0.0,) * 11)


def play(player: Accompanist, frames: int = 12) -> np.ndarray:
    rng = np.random.default_rng(1)
    out = []
    for _ in range(frames):
        player.listen(rng.normal(0, 0.1, player.tail_samples + player.frame_samples).astype(np.float32))
        out.append(player.play(MOMENT, Controls()))
    return np.concatenate(out, axis=1)


def test_compiled_float_is_the_eager_band(weights: Path) -> None:
    """To rounding; a draw that lies within rounding of a boundary may fall the other way, and only such a one."""
    eager = Accompanist(load_band(weights, compiled=False))
    compiled = Accompanist(load_band(weights, int8=False))
    rng = np.random.default_rng(1)
    same, drawn = 0, 0
    for seed in range(20):
        chunk = rng.normal(0, 0.1, eager.tail_samples + eager.frame_samples).astype(np.float32)
        heard, sound = [], []
        for player in (eager, compiled):
            player.reset(seed, 2)
            heard.append(player.listen(chunk))
            sound.append(player.play(MOMENT, Controls()))
        for name in ("beat", "chord_root", "tempo"):
            np.testing.assert_allclose(getattr(heard[1], name), getattr(heard[0], name), atol=1e-5)
        agree = eager._play_state["tokens"] == compiled._play_state["tokens"]
        same, drawn = same + int(agree.sum()), drawn + agree.numel()
        if bool(agree.all()):
            np.testing.assert_allclose(sound[1], sound[0], atol=1e-4)
    assert same / drawn > 0.97


def test_drawn_now_and_heard_later_is_what_is_played(weights: Path) -> None:
    """With int8 maps too, which take their scale from all that they are given."""
    player = Accompanist(load_band(weights))
    at_once = play(player, 9)
    player.reset(0, 2)
    rng = np.random.default_rng(1)
    pieces = []
    for count in (1, 5, 3):
        for _ in range(count):
            player.listen(rng.normal(0, 0.1, player.tail_samples + player.frame_samples).astype(np.float32))
            player.draw(MOMENT, Controls())
        pieces.append(player.sound())
    np.testing.assert_array_equal(np.concatenate(pieces, axis=1), at_once)


def test_compiled_stream_is_the_eager_whole_for_every_stream(weights: Path) -> None:
    """Long after the first frame, for a second stream as for the first, and while another one runs."""
    band = load_band(weights, int8=False)
    eager = load_band(weights, compiled=False)
    features = torch.randn(40, band.heard_size)
    with torch.inference_mode():
        wanted = eager.program.listener.whole(features[None])[0]
        for _ in range(2):
            first, other = band.program.init_listen(1), band.program.init_listen(1)
            heard = []
            for row in features:
                heard.append(band.program.listen(row.clone(), first))
                band.program.listen(torch.randn(band.heard_size), other)
            torch.testing.assert_close(torch.stack(heard), wanted, atol=1e-4, rtol=0)


def test_no_two_entries_of_a_state_share_memory(weights: Path) -> None:
    """A compiler that folds fresh zeros into one constant would make every layer write into the same place."""
    program = load_band(weights).program
    states = [program.init_listen(1), program.init_listen(1), program.init_play(1), program.init_play(1)]
    places = [value.data_ptr() for state in states for value in state.values() if value.numel() > 0]
    assert len(set(places)) == len(places)


def test_int8_listener_stays_near_the_eager_one(weights: Path) -> None:
    chunk = np.random.default_rng(0).normal(0, 0.1, 8192).astype(np.float32)
    eager = Accompanist(load_band(weights, compiled=False)).listen(chunk)
    small = Accompanist(load_band(weights, int8=True)).listen(chunk)
    np.testing.assert_allclose(small.chord_root, eager.chord_root, atol=0.03)


def test_cache_serves_the_second_load_and_survives_damage(weights: Path) -> None:
    first = play(Accompanist(load_band(weights), seed=1))
    path = cache_path(weights_id(weights), True)
    assert path.exists()
    np.testing.assert_array_equal(play(Accompanist(load_band(weights), seed=1)), first)
    path.write_bytes(b"not a program")
    np.testing.assert_array_equal(play(Accompanist(load_band(weights), seed=1)), first)


def test_same_seed_same_band_and_reset_forgets(weights: Path) -> None:
    player = Accompanist(load_band(weights, compiled=False), seed=5)
    first = play(player)
    player.reset(5, 2)
    np.testing.assert_array_equal(play(player), first)
    player.reset(6, 2)
    assert not np.array_equal(play(player), first)


def test_a_long_stop_makes_a_fresh_start(weights: Path) -> None:
    player = Accompanist(load_band(weights, compiled=False), seed=5)
    play(player)
    chunk = np.zeros(player.tail_samples + player.frame_samples, np.float32)
    for _ in range(60):
        player.listen(chunk)
    assert not bool(player._play_state["tokens"].any())


def test_silence_is_no_activity(weights: Path) -> None:
    player = Accompanist(load_band(weights, compiled=False))
    heard = player.listen(np.zeros(player.tail_samples + player.frame_samples, np.float32))
    assert heard.activity == 0.0 and heard.level_db < -100
    assert heard.beat.shape == (4,) and heard.delay_samples == player.frame_samples


def test_player_shapes(weights: Path) -> None:
    player = Accompanist(load_band(weights, compiled=False))
    assert (player.sample_rate_hz, player.frame_samples, player.play_delay_samples) == (32_000, 1280, 320)
    assert play(player, 2).shape == (3, 2560)
    unknown = Moment(0.0, 0.0, 0.0, 4, 0.0)
    assert np.isfinite(player.play(unknown, Controls(style="polka"))).all()


def _damaged(weights: Path, tmp_path: Path, name: str) -> Path:
    path = tmp_path / "x.safetensors"
    if name == "absent":
        return path
    if name == "text":
        path.write_text("hello")
    elif name == "truncated":
        path.write_bytes((weights / "codec.safetensors").read_bytes()[:5000])
    elif name == "foreign":
        save_file({"a": torch.zeros(2)}, path)
    elif name == "newer":
        header = json.dumps({"version": 99, "kind": "codec", "config": {}, "notes": {}})
        save_file({"a": torch.zeros(2)}, path, metadata={"gigmate": header})
    elif name == "bad header":
        save_file({"a": torch.zeros(2)}, path, metadata={"gigmate": "{"})
    elif name == "unknown config":
        header = json.dumps({"version": 1, "kind": "codec", "config": {"wings": 2}, "notes": {}})
        save_file({"a": torch.zeros(2)}, path, metadata={"gigmate": header})
    elif name == "missing tensors":
        header = json.dumps({"version": 1, "kind": "codec", "config": CODEC.to_dict(), "notes": {}})
        save_file({"a": torch.zeros(2)}, path, metadata={"gigmate": header})
    elif name == "other kind":
        return weights / "listener.safetensors"
    return path


@pytest.mark.parametrize(
    ("name", "word"),
    [
        ("absent", "no such"),
        ("text", "not a readable"),
        ("truncated", "not a readable"),
        ("foreign", "not GigMate's"),
        ("newer", "update GigMate"),
        ("bad header", "damaged"),
        ("unknown config", "does not fit"),
        ("missing tensors", "missing"),
        ("other kind", "contains a listener"),
    ],
)
def test_wrong_weights_are_said_in_one_line(weights: Path, tmp_path: Path, name: str, word: str) -> None:
    with pytest.raises(CheckpointError, match=word) as caught:
        checkpoint.load(_damaged(weights, tmp_path, name), "codec")
    assert "\n" not in str(caught.value)


def test_weights_that_do_not_belong_together(weights: Path, tmp_path: Path) -> None:
    for kind in checkpoint.KINDS:
        (tmp_path / f"{kind}.safetensors").write_bytes((weights / f"{kind}.safetensors").read_bytes())
    other = CodecConfig(**{**CODEC.to_dict(), "codebooks": 2})
    checkpoint.save(tmp_path / "codec.safetensors", "codec", MdctCodec(other), other.to_dict())
    with pytest.raises(CheckpointError, match="same training"):
        load_band(tmp_path, compiled=False)


def test_diverged_weights_are_not_written(tmp_path: Path) -> None:
    model = Listener(LISTENER)
    with torch.no_grad():
        model.tail.bias[0] = float("nan")
    with pytest.raises(CheckpointError, match="diverged"):
        checkpoint.save(tmp_path / "l.safetensors", "listener", model, LISTENER.to_dict())


def test_the_cache_knows_the_sources(weights: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A program compiled from other code is none of ours, whatever its weights."""
    before = cache_path(weights_id(weights), True)
    monkeypatch.setattr(runtime, "_sources_id", lambda: "other")
    assert cache_path(weights_id(weights), True) != before
