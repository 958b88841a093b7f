"""Half-beats of what is heard, one after the other, to readings of chord, key and what comes next.

Numpy alone, on stage as offline. Knows no engine and no sound. Inference thread only.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from ...dsp.half_beat import HalfBeat
from ..configs import ANSWERS, CHORDS, ROOTS, UNPITCHED, HarmonyConfig
from ..generator.style_statistics import taught

FloatArray = NDArray[np.float32]
AnyFloats = NDArray[np.floating[Any]] | NDArray[np.int64]
SLOTS_PER_BEAT = 2
_ONE_THREAD = 1 << 18
"""Multiplications of a product of matrices that OpenBLAS (0.3) does not share with other threads."""
_REMEMBERED = 1024
"""Half-beats that a Harmonist keeps to look back into."""


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


class HarmonyNetwork:
    """What chord_network.Harmony computes, one half-beat at a time. It remembers nothing. Any thread."""

    def __init__(self, config: HarmonyConfig, arrays: Mapping[str, FloatArray]) -> None:
        """`arrays` as the network's file of weights names them. Raises KeyError where one is missing."""
        self.config = config
        self._style = arrays["style.weight"].T
        self._head, self._head_bias = arrays["head.weight"].T, arrays["head.bias"]
        self._in, self._in_bias = arrays["cell.weight_ih_l0"].T, arrays["cell.bias_ih_l0"]
        self._held, self._held_bias = arrays["cell.weight_hh_l0"].T, arrays["cell.bias_hh_l0"]
        self._tail, self._tail_bias = arrays["tail.weight"].T, arrays["tail.bias"]
        self._pitched = config.channels * ROOTS

    def step(self, x: FloatArray, held: FloatArray) -> FloatArray:
        """A half-beat [size] and what is remembered [ROOTS, units] (updated in place) to log-odds [ANSWERS, CHORDS]."""
        units = self.config.units
        pitched = x[: self._pitched].reshape(-1, ROOTS)
        turned = np.stack([np.roll(pitched, -root, 1).ravel() for root in range(ROOTS)])
        rest = x[self._pitched :]
        rest = np.concatenate([rest[:UNPITCHED], rest[UNPITCHED:] @ self._style])
        z = np.concatenate([turned, np.broadcast_to(rest, (ROOTS, len(rest)))], axis=1)
        z = _product(z, self._head) + self._head_bias
        z = z * _sigmoid(z)
        new, old = _product(z, self._in) + self._in_bias, _product(held, self._held) + self._held_bias
        reset, keep = (
            _sigmoid(new[:, :units] + old[:, :units]),
            _sigmoid(new[:, units : 2 * units] + old[:, units : 2 * units]),
        )
        held[:] = keep * held + (1.0 - keep) * np.tanh(new[:, 2 * units :] + reset * old[:, 2 * units :])
        odds = np.concatenate([held, z], axis=1) @ self._tail + self._tail_bias
        answers: FloatArray = odds.reshape(ROOTS, len(ANSWERS), 2).transpose(1, 2, 0).reshape(len(ANSWERS), CHORDS)
        return answers


def _product(x: FloatArray, weight: FloatArray) -> FloatArray:
    """x [n, k] @ weight [k, m] in pieces so small that OpenBLAS computes each where it is asked for. Larger ones it
    shares with other threads, and waits for them: 16 ms for .1 where another program has the core."""
    columns = max(1, _ONE_THREAD // (x.shape[0] * x.shape[1]))
    pieces = [x @ weight[:, first : first + columns] for first in range(0, weight.shape[1], columns)]
    whole: FloatArray = np.concatenate(pieces, axis=1)
    return whole


def _sigmoid(x: FloatArray) -> FloatArray:
    out: FloatArray = 0.5 + 0.5 * np.tanh(0.5 * x)  # a large x overflows nowhere
    return out


class Harmonist:
    """Harmony as a stream: one half-beat in, one reading out. Holds a fixed amount of memory. Inference thread only."""

    def __init__(self, model: HarmonyNetwork) -> None:
        self._model, self._config = model, model.config
        self._held = np.zeros((ROOTS, model.config.units), np.float32)
        self._style = np.zeros(len(self._config.styles) + 1, np.float32)
        self._style[0] = 1.0
        self._past = np.zeros((_REMEMBERED, ROOTS), np.float32)
        self._count = 0
        # the first of all readings takes many times as long: not on stage
        nothing = np.zeros(ROOTS)
        self.read(HalfBeat(np.zeros(ROOTS + 1), nothing, nothing, 0.0, 0.0, 0, 4 * SLOTS_PER_BEAT, 0.0))
        self.reset()

    def another(self) -> Harmonist:
        """One of the same network, with a memory of its own, that was told the same style."""
        other = Harmonist(self._model)
        other._style[:] = self._style
        return other

    def reset(self) -> None:
        """Forget the song, not the style."""
        self._held[:] = 0.0
        self._past[:] = 0.0
        self._count = 0

    def set_style(self, style: str | None) -> None:
        """The style that is played, or its kin; None, or one that it was not taught: not told."""
        known = self._config.styles
        style = taught(style, known) if style is not None else None
        self._style[:] = 0.0
        self._style[known.index(style) + 1 if style in known else 0] = 1.0

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
        odds = self._model.step(x.astype(np.float32), self._held)
        chances = np.exp(odds - odds.max(axis=1, keepdims=True))
        return HarmonyReading(*(chances / chances.sum(axis=1, keepdims=True)).astype(np.float32))

    def _back(self, slots: int) -> FloatArray:
        """Roots [12] as they were so many half-beats ago; zeros where nothing was."""
        if not 0 <= slots < min(self._count, _REMEMBERED):
            return np.zeros(ROOTS, np.float32)
        past: FloatArray = self._past[(self._count - 1 - slots) % _REMEMBERED]
        return past
