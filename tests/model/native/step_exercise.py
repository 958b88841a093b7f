"""Thirty frames of a built step: what it says, and, as `python -m tests.model.native.step_exercise WEIGHTS LIBRARY`
under sanitizers, that it touches nothing else."""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
from gigmate.model.native.stream import NativeBand

from ..asked_frames import wanted


def exercise(weights: str | Path, built: str | Path | None) -> np.ndarray:
    """Logits and sound of thirty frames, with everything that a frame may ask for."""
    stream = NativeBand(Path(weights), None if built is None else Path(built)).new_stream()
    stream.reset()
    rng = np.random.default_rng(0)
    out = []
    for frame in range(30):
        features = rng.normal(0, 0.5, 328).astype(np.float32)
        out.append(stream.listen(features))
        stream.hear(features)
        stream.draw(wanted(frame, stream._tokens.shape[1], rng))
        tokens = np.zeros_like(stream._tokens)  # a draw may fall otherwise where sums of floats differ in the last bit
        tokens[:, 2] = 1 + (30 + frame // 4 + np.arange(3)) % 120
        stream.recall(tokens)
        stream._drawn[-1] = (tokens, stream._drawn[-1][1])
        out.append(stream.sound().ravel())
    return np.concatenate(out)


if __name__ == "__main__":
    exercise(*sys.argv[1:])
