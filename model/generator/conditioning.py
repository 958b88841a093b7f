"""The condition of a frame for the generator: position, chord, style, density, look-ahead, as plain numbers.

Pure tensor functions, shared by training (whole batches) and the live step (one frame), so that both see the same.
"""

from __future__ import annotations

import math
from typing import NamedTuple

import torch
from torch import Tensor

METRES = (2, 3, 4, 5, 6, 12)
MOMENT_SIZE = 2 * 6 + 2 * 4 + 2 * 4 + 1 + len(METRES) + 3
CHORD_SIZE = 12 + 13 + 1


class MomentColumns(NamedTuple):
    """Moments of frames, [...] each. Any thread."""

    beat_phase: Tensor
    """In [0, 1), as the bar's."""
    bar_phase: Tensor
    tempo_bpm: Tensor
    """Above 0."""
    beats_per_bar: Tensor
    playing: Tensor
    """In [0, 1], as the confidence."""
    confidence: Tensor
    known: Tensor
    """0 where the moment is withheld."""


class FrameCondition(NamedTuple):
    """What steers the frames of S songs besides what is heard. Any thread."""

    moment: Tensor
    """[S, T, MOMENT_SIZE], of `moment_features`."""
    chord: Tensor
    """[S, T, CHORD_SIZE], of `chord_features`."""
    density: Tensor
    """[S, T]"""
    style: Tensor
    """[S], as the weights number them."""
    ahead: Tensor
    """[S], in frames."""


def moment_features(of: MomentColumns, frame_rate_hz: float) -> Tensor:
    """[..., MOMENT_SIZE]; everything is 0 where the moment is not known.

    Besides the phases' harmonics, it gives for every subdivision of the beat by 1 to 4 how many frames away its next
    line is: where in the frame a hit belongs.
    """
    beat_phase, tempo_bpm = of.beat_phase, of.tempo_bpm
    beat_harmonics = torch.tensor([1.0, 2.0, 3.0, 4.0, 6.0, 8.0], device=beat_phase.device)
    few = torch.tensor([1.0, 2.0, 3.0, 4.0], device=beat_phase.device)
    metres = torch.tensor([2.0, 3.0, 4.0, 5.0, 6.0, 12.0], device=beat_phase.device)  # METRES, spelt for TorchScript
    beat_angle = 2 * math.pi * beat_phase.unsqueeze(-1) * beat_harmonics
    bar_angle = 2 * math.pi * of.bar_phase.unsqueeze(-1) * few
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
        (of.beats_per_bar.unsqueeze(-1) == metres).to(beat_phase.dtype),
        torch.stack([of.playing, of.confidence, torch.ones_like(of.known)], dim=-1),
    ]
    return torch.cat(columns, dim=-1) * of.known.unsqueeze(-1)


def chord_features(root: Tensor, pitch_classes: Tensor, known: Tensor) -> Tensor:
    """Root [...] (int, -1 none), pitch classes [..., 12] to [..., CHORD_SIZE]; all zero where `known` is 0."""
    one_hot = torch.nn.functional.one_hot(root.long() + 1, 13).to(pitch_classes.dtype)
    columns = torch.cat([pitch_classes, one_hot, torch.ones_like(pitch_classes[..., :1])], dim=-1)
    return columns * known.unsqueeze(-1)
