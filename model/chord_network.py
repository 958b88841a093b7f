"""The harmony network: from half-beats of listener output to the current chord, the key, and the next chords.

The listener knows neither bars nor the song. This small recurrent network is asked once for each half-beat of the
conductor's, with its place in the bar and with what was heard at the same places of the bars before, and remembers.
The same cells look at the twelve transpositions of everything side by side (weights shared), so that what it learns
in one key it knows in all. Knows no engine, no sound; streaming contract; inference thread only.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any, Dict, NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.nn import functional as F

from ..dsp.half_beat import HalfBeat
from .streaming import Streaming, reset_state

FloatArray = NDArray[np.float32]
AnyFloats = NDArray[np.floating[Any]] | NDArray[np.int64]
ROOTS = 12
CHORDS = 24
"""Root (0 is C) + 12 * (minor third or not); keys likewise: tonic + 12 * minor."""
HEARD = 3
"""Channels of pitch classes of a half-beat itself: roots, pitch classes of the chord, notes that were played."""
UNPITCHED = 12
"""Numbers of a half-beat that have no pitch: see `unpitched_features`."""
ANSWERS = ("chord", "key", "next", "after")
"""What it is asked for: the half-beat's chord, the key, the chords of the next half-beat and of the one after it."""
SLOTS_PER_BEAT = 2
FORGOTTEN = 0.2
"""Share of the units that a step of training does without: songs are few, and are soon known by heart."""
_REMEMBERED = 1024
"""Half-beats that a Harmonist keeps to look back into."""


@dataclass(frozen=True)
class HarmonyConfig:
    """Sizes of the network. Any thread."""

    styles: tuple[str, ...]
    units: int = 128
    style_size: int = 8
    look_bars: tuple[int, ...] = (1, 2, 4, 8, 12)
    """How far back it is shown what the listener said at the same place of a bar, and at the next one."""

    def to_dict(self) -> dict[str, Any]:
        return asdict(self)

    @property
    def channels(self) -> int:
        return HEARD + 2 * len(self.look_bars)

    @property
    def size(self) -> int:
        """Numbers for a half-beat: pitch classes of each channel, `unpitched_features`, style (the first: unknown)."""
        return self.channels * ROOTS + UNPITCHED + len(self.styles) + 1


class Harmony(Streaming):
    """Half-beats [B, T, size] to log-odds [B, T, len(ANSWERS), CHORDS]. One thread at a time."""

    def __init__(self, config: HarmonyConfig) -> None:
        super().__init__()
        self.config = config
        self.pitched = config.channels * ROOTS
        self.style = nn.Linear(len(config.styles) + 1, config.style_size, bias=False)
        nn.init.normal_(self.style.weight, std=0.3)
        self.head = nn.Linear(self.pitched + UNPITCHED + config.style_size, config.units)
        self.forget = nn.Dropout(FORGOTTEN)
        self.cell = nn.GRU(config.units, config.units, batch_first=True)
        self.tail = nn.Linear(2 * config.units, 2 * len(ANSWERS))

    def init_state(self, batch: int) -> Dict[str, Tensor]:
        units = self.config.units
        return {"harmony": torch.zeros(batch, ROOTS, units, device=self.tail.weight.device)}

    def step(self, x: Tensor, state: Dict[str, Tensor]) -> Tensor:
        batch, steps = x.shape[:2]
        pitched = x[:, :, : self.pitched].unflatten(2, (-1, ROOTS))
        turned = torch.stack([torch.roll(pitched, -root, 3) for root in range(ROOTS)], dim=1).flatten(3)
        rest = x[:, :, self.pitched :]
        rest = torch.cat([rest[:, :, :UNPITCHED], self.style(rest[:, :, UNPITCHED:])], dim=2)
        z = F.silu(self.head(torch.cat([turned, rest[:, None].expand(-1, ROOTS, -1, -1)], dim=3)))
        held = state["harmony"]
        y, last = self.cell(self.forget(z).flatten(0, 1), held.flatten(0, 1)[None].clone())
        held.copy_(last[0].view_as(held))
        odds = self.tail(self.forget(torch.cat([y.view_as(z), z], dim=3))).view(batch, ROOTS, steps, len(ANSWERS), 2)
        return odds.permute(0, 2, 3, 4, 1).flatten(3)

    def whole(self, x: Tensor) -> Tensor:
        return self.step(x, self.init_state(x.shape[0]))


def pitch_channels(roots: AnyFloats, classes: AnyFloats, played: AnyFloats, trust: AnyFloats) -> FloatArray:
    """Channels [..., HEARD, 12] of half-beats, about -1 to 1: log probabilities of roots [..., 12], log-odds of pitch
    classes [..., 12], square roots of the shares of what was played [..., 12]; less as `trust` [...] is less."""
    stacked = np.stack([roots / 3.0 + 0.8, classes / 3.0 + 0.3, 2.0 * played - 0.3], axis=-2)
    return (stacked * np.minimum(trust, 1.0)[..., None, None]).astype(np.float32)


def unpitched_features(
    no_root: AnyFloats,
    trust: AnyFloats,
    length_s: AnyFloats,
    place: AnyFloats,
    slots_per_bar: AnyFloats,
    bar_sure: AnyFloats,
) -> FloatArray:
    """[..., UNPITCHED] of half-beats: the log probability of no chord, how far it was heard, its length, and its
    `place` (half-beats after the downbeat) in the bar, as far as that is sure in [0, 1]."""
    downbeat = place == 0
    middle = (2 * place == slots_per_bar) & (slots_per_bar % 4 == 0)
    beat = (place % SLOTS_PER_BEAT == 0) & ~downbeat & ~middle
    angle = 2.0 * np.pi * place / slots_per_bar
    columns = [
        no_root / 4.0,
        trust,
        np.log(np.maximum(length_s, 0.04) / 0.25),
        downbeat * bar_sure,
        middle * bar_sure,
        beat * bar_sure,
        place % SLOTS_PER_BEAT,
        bar_sure,
        np.sin(angle) * bar_sure,
        np.cos(angle) * bar_sure,
        slots_per_bar == 3 * SLOTS_PER_BEAT,
        slots_per_bar == 2 * SLOTS_PER_BEAT,
    ]
    return np.stack([np.asarray(column, np.float32) for column in columns], axis=-1)


class HarmonyReading(NamedTuple):
    """Probabilities [CHORDS] each, about the half-beat that was given. Any thread."""

    chord: FloatArray
    key: FloatArray
    next: FloatArray
    """The chord of the half-beat after it."""
    after: FloatArray


class Harmonist:
    """Harmony as a stream: one half-beat in, one reading out. Holds a fixed amount of memory. Inference thread only."""

    def __init__(self, model: Harmony) -> None:
        self._model = model.eval()
        self._config = model.config
        self._state = model.init_state(1)
        self._style = np.zeros(len(self._config.styles) + 1, np.float32)
        self._style[0] = 1.0
        self._past = np.zeros((_REMEMBERED, ROOTS), np.float32)
        self._count = 0
        # the first of all readings takes many times as long: not on stage
        nothing = np.zeros(ROOTS)
        self.read(HalfBeat(np.zeros(ROOTS + 1), nothing, nothing, 0.0, 0.0, 0, 4 * SLOTS_PER_BEAT, 0.0))
        self.reset()

    def reset(self) -> None:
        """Forget the song, not the style."""
        reset_state(self._state)
        self._past[:] = 0.0
        self._count = 0

    def set_style(self, style: str | None) -> None:
        """The style that is played; None, or one that it was not taught: not told."""
        known = self._config.styles
        self._style[:] = 0.0
        self._style[known.index(style) + 1 if style in known else 0] = 1.0

    @torch.inference_mode()
    def read(self, half_beat: HalfBeat) -> HarmonyReading:
        """A half-beat that has ended; its `played` as `played_pitch_classes` gives them."""
        roots, classes, played, trust, length_s, slot, slots_per_bar, bar_confidence = half_beat
        heard = pitch_channels(roots[:ROOTS], classes, played, np.asarray(trust))
        self._past[self._count % _REMEMBERED] = heard[0]
        self._count += 1
        looked = [self._back(bars * slots_per_bar - ahead) for ahead in (0, 1) for bars in self._config.look_bars]
        rest = unpitched_features(
            *(
                np.asarray(value, np.float32)
                for value in (roots[ROOTS], trust, length_s, slot, slots_per_bar, bar_confidence)
            )
        )
        x = np.concatenate([heard.ravel(), *looked, rest, self._style])
        odds = self._model.step(torch.from_numpy(x.astype(np.float32)).view(1, 1, -1), self._state)[0, 0]
        return HarmonyReading(*torch.softmax(odds, dim=1).numpy())

    def _back(self, slots: int) -> FloatArray:
        """Roots [12] as they were so many half-beats ago; zeros where nothing was."""
        if not 0 <= slots < min(self._count, _REMEMBERED):
            return np.zeros(ROOTS, np.float32)
        past: FloatArray = self._past[(self._count - 1 - slots) % _REMEMBERED]
        return past
