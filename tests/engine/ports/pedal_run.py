"""A whole engine on JACK with a band that hums, its pedal on CC64: `python pedal_run.py SERVER STEP_MS`.

The band takes STEP_MS to make each frame. It prints "ready" when sound flows; when stdin closes it ends with its report
as JSON.
"""

from __future__ import annotations

import json
import sys
import time

import numpy as np
from gigmate.engine.actions import ACTIONS
from gigmate.engine.conductor import GridConductor
from gigmate.engine.config import EngineConfig
from gigmate.engine.engine import Engine
from gigmate.engine.pedal import Binding, BindingTable, Gesture
from gigmate.engine.player import Controls, HeardFrame, Moment

FRAME = 1280


class Hum:
    """The same value for ever: where it begins can be seen to the sample."""

    sample_rate_hz, frame_samples, tail_samples, play_delay_samples = 32_000, FRAME, 640, 0

    def __init__(self, step_s: float) -> None:
        self.step_s = step_s

    def reset(self, seed: int, ahead_frames: int) -> None:
        pass

    def set_ahead(self, ahead_frames: int) -> None:
        pass

    def listen(self, chunk: np.ndarray) -> HeardFrame:
        return HeardFrame(activity=1.0, level_db=-20.0)

    def play(self, moment: Moment, controls: Controls) -> np.ndarray:
        time.sleep(self.step_s)
        return np.full((3, FRAME), 0.1, np.float32)


def main(server: str, step_ms: str) -> None:
    table = BindingTable(
        [
            Binding(Gesture("cc", 64), ACTIONS["toggle"]),
            Binding(Gesture("cc", 7), ACTIONS["level"], (("part", "bass"),), (-40.0, 6.0)),
        ]
    )
    config = EngineConfig(
        backend="jack",
        server_name=server,
        client_name="gm",
        connect=False,
        output_channels=(1,),
        bindings=table,
        wait_for_musician=False,
    )
    with Engine(config, Hum(float(step_ms) / 1000), GridConductor(120, 4, 48_000)) as engine:
        engine.start()
        time.sleep(1.0)
        print("ready", flush=True)
        sys.stdin.read()
    print(json.dumps(engine.report()), flush=True)


if __name__ == "__main__":
    main(*sys.argv[1:])
