"""A band of few units with random weights, and how the tests of its runtimes play it."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import torch
from gigmate.engine.player import Controls, Moment
from gigmate.model import checkpoint
from gigmate.model.accompanist import Accompanist
from gigmate.model.band_stream import Wanted
from gigmate.model.codec.mdct_codec import MdctCodec
from gigmate.model.configs import CodecConfig, HarmonyConfig, ListenerConfig, VoiceConfig
from gigmate.model.generator.generator_config import GeneratorConfig
from gigmate.model.generator.note_hand import NoteHand, free_hand
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


def write_small_band(folder: Path, odd: bool = False) -> Path:
    """All five files of weights; `odd`: of sizes that no processor likes."""
    torch.manual_seed(0)
    codec, listener = (ODD_CODEC, ODD_LISTENER) if odd else (CODEC, LISTENER)
    shape, voice = (ODD_GENERATOR, ODD_VOICE) if odd else (GENERATOR, VOICE)
    generator = Generator(shape)
    with torch.no_grad():
        for out in generator.depth.outs:  # as sure of its draws as a trained one
            out.weight.mul_(40.0)  # type: ignore[operator]
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


def by_hand(frame: int) -> NoteHand:
    """Something of everything: biases on all slots, parts that are busier, one that must be silent."""
    hand = free_hand(3)
    hand.bias[:] = 2.0 * np.sin(np.arange(hand.bias.size) * 0.7 + frame).reshape(hand.bias.shape)
    hand.busier[:] = (0.3, -0.2, 0.1)
    hand.free[frame % 3] = 0.0
    return hand


def wanted(frame: int, places: int, rng: np.random.Generator, **changed: float) -> Wanted:
    """Two bars a second of all that can be asked: fills, rests, chords that turn, no chord, no tempo, no style."""
    beat = frame * 124.0 / 60.0 / 25.0
    root = (0, 9, 5, -1)[int(beat // 4) % 4]
    classes = tuple(float(root >= 0 and (k - root) % 12 in (0, 4, 7)) for k in range(12))
    asked = Wanted(
        beat % 1.0, beat % 4.0 / 4.0, 124.0, 4.0, float(frame % 30 < 26), 0.9, float(frame % 35 != 34),
        0.5 + 0.4 * np.sin(frame / 9.0), float(beat % 8.0 > 6.5), root, classes, frame // 20 % 3, 2,
        rng.random((3, places), dtype=np.float32), 0.9, 60, 0.95, 8.0 * (frame // 10),
        by_hand(frame) if frame % 4 == 3 else None,
    )  # fmt: skip
    return asked._replace(**changed)
