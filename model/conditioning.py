"""What the generator is told about a frame besides sound: moment, chord, style, density, ahead, as plain numbers.

Pure tensor functions, shared by training (whole batches) and the live step (one frame), so that both see the same.
"""

from __future__ import annotations

import math

import torch
from torch import Tensor

BEAT_HARMONICS = (1, 2, 3, 4, 6, 8)
BAR_HARMONICS = (1, 2, 3, 4)
GRIDS = (1, 2, 3, 4)
"""Subdivisions of the beat whose next line's distance is given in frames: where in the frame a hit belongs."""
METRES = (2, 3, 4, 5, 6, 12)
MOMENT_SIZE = 2 * len(BEAT_HARMONICS) + 2 * len(BAR_HARMONICS) + 2 * len(GRIDS) + 1 + len(METRES) + 3
CHORD_SIZE = 12 + 13 + 1
MAX_AHEAD_FRAMES = 12


def moment_features(
    beat_phase: Tensor, bar_phase: Tensor, tempo_bpm: Tensor, beats_per_bar: Tensor, playing: Tensor,
    confidence: Tensor, known: Tensor, frame_rate_hz: float,
) -> Tensor:
    """[...] each to [..., MOMENT_SIZE]. `known` is 0 where the moment is withheld: everything else is then 0 too.

    Phases in [0, 1), playing and confidence in [0, 1]; tempo_bpm > 0.
    """
    columns = []
    for harmonic in BEAT_HARMONICS:
        columns += [torch.sin(2 * math.pi * harmonic * beat_phase), torch.cos(2 * math.pi * harmonic * beat_phase)]
    for harmonic in BAR_HARMONICS:
        columns += [torch.sin(2 * math.pi * harmonic * bar_phase), torch.cos(2 * math.pi * harmonic * bar_phase)]
    beat_frames = 60.0 * frame_rate_hz / tempo_bpm
    for grid in GRIDS:
        position = beat_phase * grid
        distance = (1.0 - (position - torch.floor(position))) * beat_frames / grid
        columns += [distance.clamp(max=2.0) - 1.0, (distance < 1.0).to(beat_phase.dtype)]
    columns.append(torch.log2(tempo_bpm / 110.0))
    columns += [(beats_per_bar == metre).to(beat_phase.dtype) for metre in METRES]
    columns += [playing, confidence, torch.ones_like(known)]
    return torch.stack(columns, dim=-1) * known.unsqueeze(-1)


def chord_features(root: Tensor, pitch_classes: Tensor, known: Tensor) -> Tensor:
    """Root [...] (int, -1 none), pitch classes [..., 12] to [..., CHORD_SIZE]; all zero where `known` is 0."""
    one_hot = torch.nn.functional.one_hot(root.long() + 1, 13).to(pitch_classes.dtype)
    columns = torch.cat([pitch_classes, one_hot, torch.ones_like(pitch_classes[..., :1])], dim=-1)
    return columns * known.unsqueeze(-1)
