"""What the generator is told about a frame besides sound: moment, chord, style, density, ahead, as plain numbers.

Pure tensor functions, shared by training (whole batches) and the live step (one frame), so that both see the same.
"""

from __future__ import annotations

import math

import torch
from torch import Tensor

METRES = (2, 3, 4, 5, 6, 12)
MOMENT_SIZE = 2 * 6 + 2 * 4 + 2 * 4 + 1 + len(METRES) + 3
CHORD_SIZE = 12 + 13 + 1
MAX_AHEAD_FRAMES = 12
CHORD_AHEAD_FRAMES = 2
"""A frame is told the chord of so many frames later: a note of the next chord may begin anywhere in the frame before
the change, and people play it a little early. Told the chord of its own beginning, it learnt to mistrust chords."""


def moment_features(
    beat_phase: Tensor,
    bar_phase: Tensor,
    tempo_bpm: Tensor,
    beats_per_bar: Tensor,
    playing: Tensor,
    confidence: Tensor,
    known: Tensor,
    frame_rate_hz: float,
) -> Tensor:
    """[...] each to [..., MOMENT_SIZE]. `known` is 0 where the moment is withheld: everything else is then 0 too.

    Phases in [0, 1), playing and confidence in [0, 1]; tempo_bpm > 0. Besides the phases' harmonics, it gives for
    every subdivision of the beat by 1 to 4 how many frames away its next line is: where in the frame a hit belongs.
    """
    beat_harmonics = torch.tensor([1.0, 2.0, 3.0, 4.0, 6.0, 8.0], device=beat_phase.device)
    few = torch.tensor([1.0, 2.0, 3.0, 4.0], device=beat_phase.device)
    metres = torch.tensor([2.0, 3.0, 4.0, 5.0, 6.0, 12.0], device=beat_phase.device)  # METRES, spelt for TorchScript
    beat_angle = 2 * math.pi * beat_phase.unsqueeze(-1) * beat_harmonics
    bar_angle = 2 * math.pi * bar_phase.unsqueeze(-1) * few
    position = beat_phase.unsqueeze(-1) * few
    distance = (1.0 - (position - torch.floor(position))) * (60.0 * frame_rate_hz / tempo_bpm).unsqueeze(-1) / few
    columns = [
        torch.sin(beat_angle),
        torch.cos(beat_angle),
        torch.sin(bar_angle),
        torch.cos(bar_angle),
        distance.clamp(max=2.0) - 1.0,
        (distance < 1.0).to(beat_phase.dtype),
        torch.log2(tempo_bpm / 110.0).unsqueeze(-1),
        (beats_per_bar.unsqueeze(-1) == metres).to(beat_phase.dtype),
        torch.stack([playing, confidence, torch.ones_like(known)], dim=-1),
    ]
    return torch.cat(columns, dim=-1) * known.unsqueeze(-1)


def chord_features(root: Tensor, pitch_classes: Tensor, known: Tensor) -> Tensor:
    """Root [...] (int, -1 none), pitch classes [..., 12] to [..., CHORD_SIZE]; all zero where `known` is 0."""
    one_hot = torch.nn.functional.one_hot(root.long() + 1, 13).to(pitch_classes.dtype)
    columns = torch.cat([pitch_classes, one_hot, torch.ones_like(pitch_classes[..., :1])], dim=-1)
    return columns * known.unsqueeze(-1)
