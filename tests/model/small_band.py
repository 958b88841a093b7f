"""A band of few units with random weights, and how the tests of its runtimes play it."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import torch
from gigmate.engine.player import Controls, Moment
from gigmate.model import checkpoint
from gigmate.model.accompanist import Accompanist
from gigmate.model.codec.mdct_codec import MdctCodec
from gigmate.model.configs import CodecConfig, HarmonyConfig, ListenerConfig, VoiceConfig
from gigmate.model.generator.generator_config import GeneratorConfig
from gigmate.model.generator.transformer import Generator
from gigmate.model.harmony.chord_network import Harmony
from gigmate.model.listener import Listener
from gigmate.model.voice import Voice

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


ODD_CODEC = CodecConfig(
    fine_channels=17, fine_blocks=2, coarse_channels=23, coarse_blocks=1, latent=130, codebooks=3, entries=33
)
ODD_LISTENER = ListenerConfig(channels=21, dilations=(1, 3), expand=3)
ODD_GENERATOR = replace(
    GENERATOR, entries=33, layers=2, size=20, hidden=31, window_frames=13, condition_size=9, heard_channels=11,
    depth_size=18, depth_heads=3, depth_hidden=29,
)  # fmt: skip
ODD_VOICE = VoiceConfig(latent=130, channels=19, dilations=(2,), note_size=37, harmonics=7)


def write_small_band(folder: Path, odd: bool = False, sure: bool = True) -> Path:
    """All five files of weights; `odd`: of sizes that no processor likes; `sure` of its draws, as a trained one is."""
    torch.manual_seed(0)
    codec, listener = (ODD_CODEC, ODD_LISTENER) if odd else (CODEC, LISTENER)
    shape, voice = (ODD_GENERATOR, ODD_VOICE) if odd else (GENERATOR, VOICE)
    generator = Generator(shape)
    with torch.no_grad():
        for out in generator.depth.outs:
            out.weight.mul_(40.0 if sure else 1.0)  # type: ignore[operator]
    checkpoint.save(folder / "codec.safetensors", "codec", MdctCodec(codec), codec.to_dict())
    checkpoint.save(folder / "listener.safetensors", "listener", Listener(listener), listener.to_dict())
    checkpoint.save(folder / "generator.safetensors", "generator", generator, shape.to_dict())
    checkpoint.save(folder / "voice.safetensors", "voice", Voice(voice), voice.to_dict())
    checkpoint.save(folder / "harmony.safetensors", "harmony", Harmony(HARMONY), HARMONY.to_dict())
    return folder


MOMENT = Moment(0.1, 0.2, 120.0, 4, 1.0, 0, (1.0,) + (0.0,) * 11)


def play(player: Accompanist, frames: int = 12) -> np.ndarray:
    rng = np.random.default_rng(1)
    out = []
    for _ in range(frames):
        player.listen(rng.normal(0, 0.1, player.tail_samples + player.frame_samples).astype(np.float32))
        out.append(player.play(MOMENT, Controls()))
    return np.concatenate(out, axis=1)
