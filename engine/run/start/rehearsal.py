"""Frames that nobody hears, before a run: all code and memory of a step has been used once by then, and it is known how
long a step takes.

Knows no port and no clock but that of its own steps. Inference thread only.
"""

from __future__ import annotations

import dataclasses
import statistics
import time

import numpy as np

from ...config import EngineConfig
from ...fault_log import FaultLog
from ...player import Controls, Player, second_harmonist
from ...timing.conductor import Conductor
from ..band_step import BandStep

SLOW_STEP = 1.75
"""A slow step (p99.9, with what other programs take of it) by a usual one, before anything was measured on stage."""
_FRAMES = 16
PACED_FRAMES = 10
_AHEAD_FRAMES = 2
_BEAT_FRAMES = 10
_TEMPO_BPM = 150.0
"""Of 40 ms frames: half-beats, on which more is computed than between them, come often."""
_LEVEL = 0.1


def rehearse(config: EngineConfig, rate_hz: int, player: Player, fault_log: FaultLog, controls: Controls) -> float:
    """Let the player play along with struck noise, in a band and by a conductor of its own; what it remembers of that
    is for `Player.reset`. Seconds that a slow step is to be expected to take.

    The last frames begin as far apart as on stage: after a pause a step takes half as long again. Instruments are not
    rehearsed: the voice in their place takes about as long.
    """
    alone = dataclasses.replace(config, wait_for_musician=False, start_playing=True)
    conductor = Conductor(rate_hz, _TEMPO_BPM, harmonist=second_harmonist(player))
    band = BandStep(alone, rate_hz, player, conductor, fault_log)
    band.stage.start()
    frame_samples = band.host_frame
    noise = _LEVEL * np.random.default_rng(0).standard_normal((_BEAT_FRAMES, frame_samples)).astype(np.float32)
    noise *= np.exp(-np.arange(_BEAT_FRAMES) / 2.0).astype(np.float32)[:, None]
    times_s = []
    for index in range(_FRAMES + PACED_FRAMES):
        begin_s = time.perf_counter()
        band.hear(index, noise[index % _BEAT_FRAMES])
        band.moment_of_newest(index + 1)
        for made in band.make(index + _AHEAD_FRAMES, band.direct(index + _AHEAD_FRAMES, index == 0), controls,
                              controls.levels_db) or ():  # fmt: skip
            band.put(made)
        times_s.append(time.perf_counter() - begin_s)
        if index >= _FRAMES:
            time.sleep(max(0.0, frame_samples / rate_hz - times_s[-1]))
    return SLOW_STEP * statistics.median(times_s[_FRAMES + 1 :])
