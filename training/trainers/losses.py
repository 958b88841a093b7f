"""Losses on sound: log-mel distance at several resolutions, waveform error, and the figures derived from them.

Torch only; knows no model and no data. Distances are in natural log units unless the name says `_db`.
"""

from __future__ import annotations

import math

import torch
from torch import Tensor, nn

NEPER_DB = 20.0 / math.log(10.0)


def mel_matrix(window: int, bins: int, rate_hz: int) -> Tensor:
    """Triangular HTK-mel filters [window / 2 + 1, bins], each summing to 1 and at least one transform bin wide."""
    step_hz = rate_hz / window
    frequencies_hz = torch.arange(window // 2 + 1, dtype=torch.float64) * step_hz
    top = 2595.0 * math.log10(1.0 + rate_hz / 2 / 700.0)
    centres = 700.0 * (10.0 ** (torch.linspace(0.0, top, bins + 2, dtype=torch.float64) / 2595.0) - 1.0)
    left = torch.minimum(centres[:-2], centres[1:-1] - step_hz)
    right = torch.maximum(centres[2:], centres[1:-1] + step_hz)
    rise = (frequencies_hz[:, None] - left) / (centres[1:-1] - left)
    fall = (right - frequencies_hz[:, None]) / (right - centres[1:-1])
    weights = torch.minimum(rise, fall).clamp(min=0.0)
    return (weights / weights.sum(dim=0, keepdim=True).clamp(min=1e-9)).float()


class MelDistance(nn.Module):
    """Mean |log mel(x) - log mel(y)| at one window; the floor of -80 dB keeps silence from ruling the mean."""

    def __init__(self, window: int, bins: int, rate_hz: int, floor: float = 1e-4) -> None:
        super().__init__()
        self.size, self.hop, self.floor = window, window // 4, floor
        self.window = nn.Buffer(torch.hann_window(window) / (window / 4), persistent=False)
        self.mel = nn.Buffer(mel_matrix(window, bins, rate_hz), persistent=False)

    def log_mel(self, x: Tensor) -> Tensor:
        """[B, N] to [B, T, bins]."""
        frames = x.unfold(1, self.size, self.hop) * self.window
        spectrum = torch.fft.rfft(frames)
        magnitude = (spectrum.real.square() + spectrum.imag.square() + 1e-12).sqrt()
        return torch.log(torch.matmul(magnitude, self.mel) + self.floor)

    def forward(self, x: Tensor, y: Tensor) -> Tensor:
        return (self.log_mel(x) - self.log_mel(y)).abs().mean()


class MultiMel(nn.Module):
    """MelDistance at several windows: [256..2048], few bins for the short ones."""

    def __init__(self, rate_hz: int) -> None:
        super().__init__()
        sizes = ((256, 20), (512, 40), (1024, 80), (2048, 120))
        self.scales = nn.ModuleList([MelDistance(window, bins, rate_hz) for window, bins in sizes])

    def forward(self, x: Tensor, y: Tensor) -> Tensor:
        total = x.new_zeros(())
        for scale in self.scales:
            total = total + scale(x, y)
        return total / len(self.scales)


def nmse(x: Tensor, y: Tensor) -> Tensor:
    """Energy of the error over the energy of y, per item, softened for near-silent items; mean over the batch."""
    error = (x - y).square().mean(dim=1)
    return (error / (y.square().mean(dim=1) + 1e-4)).mean()


def si_sdr_db(estimate: Tensor, target: Tensor) -> Tensor:
    """Scale-invariant signal-to-distortion ratio per item in dB (Le Roux 2019), [B, N] to [B]."""
    scale = (estimate * target).sum(1, keepdim=True) / target.square().sum(1, keepdim=True).clamp(min=1e-9)
    wanted = scale * target
    ratio = wanted.square().sum(1) / (estimate - wanted).square().sum(1).clamp(min=1e-12)
    return 10.0 * torch.log10(ratio.clamp(min=1e-12))
