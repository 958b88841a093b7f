"""The listener without the band: sound in, listener output frame by frame. Inference thread only.

Knows neither ports nor options. What it says is what the live band's listener says, in float32.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from ..engine.errors import EngineError

if TYPE_CHECKING:
    from ..model.heard import HeardByModel
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

        from ..dsp.tuning import TunedFeatures
        from ..model import checkpoint
        from ..model.harmony.harmonist import Harmonist
        from ..model.listener import Listener
        from ..model.loading import load_harmony

        torch.set_num_threads(1)
        model, _ = checkpoint.load((weights or checkpoint.SHIPPED) / "listener.safetensors", "listener")
        if not isinstance(model, Listener):
            raise EngineError("listener.safetensors contains another model: download the weights again")
        self._model: Listener = model
        self._layout = model.config.layout()
        self._tuned = TunedFeatures(RATE_HZ)
        self.harmonist = Harmonist(load_harmony(weights or checkpoint.SHIPPED))
        self.tail_samples = self._tuned.extractor.spec.tail_samples
        self.reset(0, 1)

    def reset(self, seed: int, ahead_frames: int) -> None:
        """Forget everything heard."""
        self._state = self._model.init_state(1)
        self._tuned.reset()

    @property
    def tuning_hz(self) -> float:
        """A, as it is heard or as it was fixed."""
        return self._tuned.tuning_hz

    def fix_tuning(self, tuning_hz: float | None) -> None:
        """A is this many Hz, whatever is heard; None: as it is heard. Raises ValueError outside 392 to 494 Hz."""
        self._tuned.fix(tuning_hz)

    def set_ahead(self, ahead_frames: int) -> None:
        """An ear makes nothing ahead."""

    def listen(self, chunk: Array) -> HeardByModel:
        """What was heard in one chunk, float32 [tail + frame] at 32 kHz; it describes the frame before."""
        import torch

        from ..model.heard import read_heard

        features = self._tuned.frame(chunk, sounding=False)
        with torch.inference_mode():
            logits = self._model.step(torch.from_numpy(features)[None, None], self._state)[0, 0].numpy()
        return read_heard(logits, self._layout, features, chunk[self.tail_samples :])

    def play(self, moment: Any, controls: Any) -> Array:
        """Silence, float32 [parts, frame]."""
        return np.zeros((_PARTS, FRAME_SAMPLES), np.float32)
