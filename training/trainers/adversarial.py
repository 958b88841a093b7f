"""Adversarial training: a discriminator on short-time spectra, its losses, and a balancer of losses.

After EnCodec (Défossez 2022), made small: on a CPU the discriminator costs more than the codec. Torch only; knows no
codec and no data.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

import torch
from torch import Tensor, nn
from torch.nn import functional as F
from torch.nn.utils.parametrizations import weight_norm

Verdicts = tuple[list[Tensor], list[Tensor]]
"""Per scale: the map of verdicts. Per scale and layer: what the layer saw."""


class StftDiscriminator(nn.Module):
    """Judges the complex spectrum of one window length, place by place: [B, N] to ([B, 1, T, F], layers)."""

    def __init__(self, window: int, filters: int) -> None:
        super().__init__()
        self.size, self.hop = window, window // 4
        self.window = nn.Buffer(torch.hann_window(window) / (window / 4) ** 0.5, persistent=False)
        layers = [nn.Conv2d(2, filters, (3, 9), padding=(1, 4))]
        for dilation in (1, 2, 4):
            shape: dict[str, tuple[int, int]] = {"stride": (1, 2), "dilation": (dilation, 1), "padding": (dilation, 4)}
            layers.append(nn.Conv2d(filters, filters, (3, 9), **shape))  # type: ignore[arg-type]
        self.layers = nn.ModuleList([weight_norm(layer) for layer in layers])
        self.verdict = weight_norm(nn.Conv2d(filters, 1, 3, padding=1))

    def forward(self, x: Tensor) -> tuple[Tensor, list[Tensor]]:
        spectrum = torch.fft.rfft(x.unfold(1, self.size, self.hop) * self.window)
        y = torch.stack([spectrum.real, spectrum.imag], dim=1)
        seen = []
        for layer in self.layers:
            y = F.leaky_relu(layer(y), 0.2)
            seen.append(y)
        return self.verdict(y), seen


class Discriminator(nn.Module):
    """Several window lengths, each with a judge of its own."""

    def __init__(self, windows: tuple[int, ...] = (2048, 1024, 512), filters: int = 8) -> None:
        super().__init__()
        self.scales = nn.ModuleList([StftDiscriminator(window, filters) for window in windows])

    def forward(self, x: Tensor) -> Verdicts:
        verdicts, seen = [], []
        for scale in self.scales:
            verdict, layers = scale(x)
            verdicts.append(verdict)
            seen.extend(layers)
        return verdicts, seen


def _mean(values: Iterable[Tensor]) -> Tensor:
    return torch.stack(list(values)).mean()


def judge_loss(of_true: Verdicts, of_made: Verdicts) -> Tensor:
    """Hinge: true sound shall be judged above 1, made sound below -1."""
    return _mean(
        F.relu(1 - true).mean() + F.relu(1 + made).mean() for true, made in zip(of_true[0], of_made[0], strict=True)
    )


def deceiving_loss(of_made: Verdicts) -> Tensor:
    """Hinge: what the maker wants is that its sound is judged above 1."""
    return _mean(F.relu(1 - made).mean() for made in of_made[0])


def feature_loss(of_true: Verdicts, of_made: Verdicts) -> Tensor:
    """How differently the layers see the two, relative to how much they see in the true one."""
    pairs = zip(of_true[1], of_made[1], strict=True)
    return _mean((true - made).abs().mean() / true.abs().mean().clamp(min=1e-6) for true, made in pairs)


class Balancer:
    """Makes the weights of losses mean shares of the gradient on the sound, whatever each loss's own scale is.

    Each loss's gradient is divided by the moving average of its length and multiplied by its weight's share. A loss
    that is left out for a step keeps its share: the others do not grow.
    """

    def __init__(self, weights: Mapping[str, float], decay: float = 0.999, device: torch.device | None = None) -> None:
        self.weights, self.decay = dict(weights), decay
        self.lengths = torch.zeros(2, len(self.weights), device=device)
        """Moving average of each length, and of 1 (to correct the start); a checkpoint keeps it."""

    def gradient(self, losses: Mapping[str, Tensor], sound: Tensor) -> Tensor:
        """The gradient [B, N] to send back through whatever made `sound`. Losses that have none now are left out."""
        total = sum(self.weights.values())
        balanced = torch.zeros_like(sound)
        for place, (name, weight) in enumerate(self.weights.items()):
            if name not in losses:
                continue
            (own,) = torch.autograd.grad(losses[name], sound, retain_graph=True)
            length = own.flatten(1).norm(dim=1).mean()
            if not bool(torch.isfinite(length)):
                continue
            self.lengths[:, place].lerp_(torch.stack([length, torch.ones_like(length)]), 1 - self.decay)
            average = self.lengths[0, place] / self.lengths[1, place]
            balanced += weight / total * own / average.clamp(min=1e-12)
        return balanced


def kept_adam(model: nn.Module, learning_rate: float) -> tuple[torch.optim.Adam, dict[str, Tensor]]:
    """An optimiser of `model`, and every tensor that a checkpoint must keep to go on with both, by name."""
    optimizer = torch.optim.Adam(model.parameters(), learning_rate, betas=(0.5, 0.9))
    kept = {f"judge.{name}": value for name, value in model.state_dict().items()}
    for name, parameter in model.named_parameters():
        state = {
            "step": torch.zeros(()),
            "exp_avg": torch.zeros_like(parameter),
            "exp_avg_sq": torch.zeros_like(parameter),
        }
        optimizer.state[parameter] = state
        kept |= {f"judge.{name}.{what}": value for what, value in state.items()}
    return optimizer, kept
