"""The metre network, numpy alone: which of four places in the beat the beats stand on, and at which level.

Reads quarters of a beat (dsp/metre_slots.py), so it knows no tempo but as a number. Convolutions over up to 64 beats
say of each quarter how much of a beat it is; all quarters of a kind are added up. Learnt by `gigmate train metre`. It
works in steps, so that no frame of the stage pays for all of them. Inference thread only.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache
from pathlib import Path
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from safetensors.numpy import load_file

from .....dsp.metre_slots import MASK, SLOTS, SLOTS_PER_BEAT

FloatArray = NDArray[np.float32]
SHIPPED = Path(__file__).with_name("metre.safetensors")
_ONE_THREAD = 1 << 18
"""Multiplications of a product of matrices that OpenBLAS (0.3) does not share with other threads."""


class Verdict(NamedTuple):
    """What the network says of a line. Any thread."""

    places: FloatArray
    """[4] log probabilities that the beats are the slots of each kind, counted from the end: the last slot is of kind
    3; if the level is right."""
    levels: FloatArray
    """[levels] log probabilities of dsp.metre_slots.LEVELS."""


class MetreNetwork:
    """Reads one line in `steps` calls of `advance`. Any thread, one at a time."""

    def __init__(self, arrays: Mapping[str, FloatArray]) -> None:
        """`arrays` as `gigmate train metre` names them. Raises KeyError where one is missing."""
        self._arrays = {name: np.asarray(values, np.float32) for name, values in arrays.items()}
        self._blocks = sum(name.endswith("conv.weight") for name in arrays)
        self._kernels = [self._kernel(k) for k in range(self._blocks)]

    @property
    def steps(self) -> int:
        """Calls of `advance` until the verdict."""
        return self._blocks + 1

    def _kernel(self, block: int) -> FloatArray:
        weight = self._arrays[f"blocks.{block}.conv.weight"]  # [out, in, taps]
        return np.ascontiguousarray(weight.transpose(2, 1, 0).reshape(-1, weight.shape[0]))

    def begin(self, slots: FloatArray, overall: FloatArray) -> FloatArray:
        """What `advance` takes first: [SLOTS, width] of [SLOTS, CHANNELS] and [OVERALL]."""
        whole = np.concatenate([slots, np.broadcast_to(overall, (SLOTS, len(overall)))], axis=1)
        return self._linear("enter", whole) * slots[:, MASK : MASK + 1]

    def advance(self, step: int, z: FloatArray, mask: FloatArray) -> FloatArray | Verdict:
        """The next `z` from the one before; the verdict from the last. `mask` [SLOTS, 1]: what was heard."""
        if step == self._blocks:
            return self._verdict(z, mask)
        name, taps = f"blocks.{step}", 5
        reach = taps // 2 << step
        padded = np.zeros((SLOTS + 2 * reach, z.shape[1]), np.float32)
        padded[reach:-reach] = self._normal(f"{name}.norm", z)
        around = np.concatenate([padded[k << step : (k << step) + SLOTS] for k in range(taps)], axis=1)
        inner = _gelu(_product(around, self._kernels[step]) + self._arrays[f"{name}.conv.bias"])
        out: FloatArray = (z + self._linear(f"{name}.out", inner)) * mask
        return out

    def _verdict(self, z: FloatArray, mask: FloatArray) -> Verdict:
        z = self._normal("norm", z)
        said = self._linear("slot", z)
        weight = mask / (1.0 + np.exp(-said[:, 1:2]))
        beats = np.maximum(mask.reshape(-1, SLOTS_PER_BEAT).sum(axis=0) + 1e-6, 1.0)
        scale = SLOTS_PER_BEAT * np.exp(self._arrays["sharpness"][0])
        places = (said[:, :1] * weight).reshape(-1, SLOTS_PER_BEAT).sum(axis=0) / beats * scale
        mean = (z * mask).sum(axis=0) / max(float(mask.sum()), 1.0)
        levels = mean @ self._arrays["level.weight"].T + self._arrays["level.bias"]
        return Verdict(_log_softmax(places), _log_softmax(levels))

    def _linear(self, name: str, x: FloatArray) -> FloatArray:
        out: FloatArray = _product(x, self._arrays[f"{name}.weight"].T) + self._arrays[f"{name}.bias"]
        return out

    def _normal(self, name: str, x: FloatArray) -> FloatArray:
        centred = x - x.mean(axis=1, keepdims=True)
        spread = np.sqrt((centred * centred).mean(axis=1, keepdims=True) + 1e-5)
        out: FloatArray = centred / spread * self._arrays[f"{name}.weight"] + self._arrays[f"{name}.bias"]
        return out


@lru_cache(maxsize=1)
def shipped_network() -> MetreNetwork:
    """The network that comes with the package, read once. Any thread."""
    return MetreNetwork(load_file(SHIPPED))


def _product(x: FloatArray, weight: FloatArray) -> FloatArray:
    """x [n, k] @ weight [k, m], in pieces so small that OpenBLAS wakes no other thread for them."""
    rows = max(1, _ONE_THREAD // (weight.shape[0] * weight.shape[1]))
    return np.concatenate([x[first : first + rows] @ weight for first in range(0, len(x), rows)])


def _gelu(x: FloatArray) -> FloatArray:
    """By its approximation with tanh, as the network is taught."""
    inner = np.tanh(0.7978846 * (x + 0.044715 * x * x * x))
    return np.asarray(0.5 * x * (1.0 + inner), np.float32)


def _log_softmax(x: FloatArray) -> FloatArray:
    shifted = x - x.max()
    out: FloatArray = shifted - np.log(np.exp(shifted).sum())
    return out
