"""The listener without the band: sound in, listener output frame by frame. Inference thread only.

Knows neither ports nor options. What it says is what the live band's listener says, in float32.
"""

from __future__ import annotations

import math
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from ..engine.errors import EngineError

if TYPE_CHECKING:
    from ..model.accompanist import HeardByModel
    from ..model.listener import Listener

Array = NDArray[np.float32]
RATE_HZ = 32_000
FRAME_SAMPLES = 1280
FRAME_S = FRAME_SAMPLES / RATE_HZ
_PARTS = 3


class ListeningPlayer:
    """A Player that only listens: `listen` answers with what was heard, `play` with silence."""

    sample_rate_hz = RATE_HZ
    frame_samples = FRAME_SAMPLES
    play_delay_samples = 320

    def __init__(self, weights: Path | None = None) -> None:
        """Loads listener and harmony from the folder `weights`, or the shipped ones. Raises CheckpointError."""
        import torch

        from ..dsp.features import FeatureExtractor
        from ..dsp.tuning import TuningFollower
        from ..model import checkpoint
        from ..model.chord_network import Harmonist
        from ..model.listener import Listener
        from ..model.runtime import load_harmony

        torch.set_num_threads(1)
        model, _ = checkpoint.load((weights or checkpoint.SHIPPED) / "listener.safetensors", "listener")
        if not isinstance(model, Listener):
            raise EngineError("listener.safetensors contains another model: download the weights again")
        self._model: Listener = model
        self._layout = model.config.layout()
        self._extractor = self._in_tune = FeatureExtractor()
        self._tuning, self._tuned_cents = TuningFollower(RATE_HZ), 0.0
        self.harmonist = Harmonist(load_harmony(weights or checkpoint.SHIPPED))
        self.tail_samples = self._extractor.spec.tail_samples
        self.reset(0, 1)

    def reset(self, seed: int, ahead_frames: int) -> None:
        """Forget everything heard."""
        self._state = self._model.init_state(1)
        self._tuning.reset()

    @property
    def tuning_hz(self) -> float:
        """A, as it is heard or as it was fixed."""
        return self._tuning.tuning_hz

    def fix_tuning(self, tuning_hz: float | None) -> None:
        """A is this many Hz, whatever is heard; None: as it is heard. Raises ValueError outside 392 to 494 Hz."""
        self._tuning.fix(tuning_hz)

    def set_ahead(self, ahead_frames: int) -> None:
        """An ear makes nothing ahead."""

    def listen(self, chunk: Array) -> HeardByModel:
        """What was heard in one chunk, float32 [tail + frame] at 32 kHz; it describes the frame before."""
        import torch

        from ..dsp.features import played_pitch_classes
        from ..model.accompanist import HeardByModel
        from ..model.listener import DELAY_FRAMES

        self._tuning.hear(chunk, sounding=False)
        if self._tuning.cents != self._tuned_cents:
            self._tuned_cents = self._tuning.cents
            self._in_tune = self._extractor.tuned(self._tuned_cents)
        features = self._in_tune.frame(chunk)
        with torch.inference_mode():
            logits = self._model.step(torch.from_numpy(features)[None, None], self._state)[0, 0].numpy()

        def part(name: str) -> Array:
            start, stop = self._layout[name]
            piece: Array = logits[start:stop]
            return piece

        level_db = 10.0 * math.log10(float(np.mean(np.square(chunk[self.tail_samples :], dtype=np.float64))) + 1e-12)
        return HeardByModel(
            beat=_sigmoid(part("beat")),
            downbeat=_sigmoid(part("downbeat")),
            onset=_sigmoid(part("onset")),
            chord_root=_softmax(part("chord_root")),
            chord_pitch_classes=_sigmoid(part("chord_pitch_classes")),
            tempo=_softmax(part("tempo")),
            played=played_pitch_classes(features, self._extractor.spec),
            activity=float(_sigmoid(part("activity"))[0]) if level_db > -80.0 else 0.0,
            level_db=level_db,
            delay_samples=DELAY_FRAMES * FRAME_SAMPLES,
        )

    def play(self, moment: Any, controls: Any) -> Array:
        """Silence, float32 [parts, frame]."""
        return np.zeros((_PARTS, FRAME_SAMPLES), np.float32)


def _sigmoid(x: Array) -> Array:
    return (1.0 / (1.0 + np.exp(-x))).astype(np.float32)


def _softmax(x: Array) -> Array:
    e = np.exp(x - x.max())
    return (e / e.sum()).astype(np.float32)
