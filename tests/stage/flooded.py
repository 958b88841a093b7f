"""A band on JACK that hums, while the system's MIDI (through rtmidi's JACK API) and OSC are read in the same process.

`python flooded.py SERVER`: prints the OSC port when sound flows; when stdin closes, its report as JSON. CC64 toggles.
"""

from __future__ import annotations

import json
import sys
import time

import numpy as np
import rtmidi
from gigmate.control.midi import MidiPedals
from gigmate.control.osc import LOCAL_HOST, Osc
from gigmate.engine.actions import ACTIONS
from gigmate.engine.commands import Command
from gigmate.engine.conductor import GridConductor
from gigmate.engine.config import EngineConfig
from gigmate.engine.engine import Engine
from gigmate.engine.pedal import Binding, BindingTable, Gesture
from gigmate.engine.player import Controls, HeardFrame, Moment

FRAME = 1280
STEP_S = 0.01
TABLE = BindingTable(
    [
        Binding(Gesture("cc", 64), ACTIONS["toggle"]),
        Binding(Gesture("cc", 7), ACTIONS["level"], (("part", "bass"),), (-40.0, 6.0)),
    ]
)


class Hum:
    """A band whose every frame takes ten milliseconds, and gives the lock away meanwhile as a model does."""

    sample_rate_hz, frame_samples, tail_samples, play_delay_samples = 32_000, FRAME, 640, 0

    def reset(self, seed: int, ahead_frames: int) -> None:
        pass

    def set_ahead(self, ahead_frames: int) -> None:
        pass

    def listen(self, chunk: np.ndarray) -> HeardFrame:
        return HeardFrame(activity=1.0, level_db=-20.0)

    def play(self, moment: Moment, controls: Controls) -> np.ndarray:
        time.sleep(STEP_S)
        return np.full((3, FRAME), 0.1, np.float32)


def main(server: str) -> None:
    config = EngineConfig(
        backend="jack",
        server_name=server,
        client_name="gm",
        connect=False,
        output_channels=(1,),
        start_playing=True,
        wait_for_musician=False,
    )
    engines: list[Engine] = []
    posted: dict[str, int] = {}

    def post(command: Command) -> None:
        name = type(command).__name__
        posted[name] = posted.get(name, 0) + 1
        for engine in engines:
            engine.post(command)

    pedals = MidiPedals(TABLE, post, "flood", rtmidi.API_UNIX_JACK, required=True)
    osc = Osc(listen=(LOCAL_HOST, 0), tell=[(LOCAL_HOST, 9)])
    with Engine(config, Hum(), GridConductor(120, 4, 48_000)) as engine:
        engine.start()
        engines.append(engine)
        osc.begin(post, lambda: engine.status)
        time.sleep(3.0)
        before = engine.report()
        print(osc.port, flush=True)
        sys.stdin.read()
        report = engine.report()
        pedals.close()
        osc.close()
    figures = {
        "misses": report["misses"]["frames"] - before["misses"]["frames"],
        "late": report["frames"]["late"] - before["frames"]["late"],
        "seconds": report["seconds"] - before["seconds"],
        "commands_dropped": report["commands_dropped"],
        "step_p99_ms": report["step_ms"]["p99"],
        "posted": posted,
        "osc": osc.figures(),
    }
    print(json.dumps(figures), flush=True)


if __name__ == "__main__":
    main(sys.argv[1])
