"""A band on JACK that hums, while the system's MIDI (through rtmidi's JACK API), OSC and the remote are served.

`python flooded.py SERVER`: when sound has flowed undisturbed for QUIET_S, prints the ports of OSC and of the remote and
how many frames were missed or late meanwhile; when stdin closes, its report as JSON. CC64 toggles.
"""

from __future__ import annotations

import json
import socket
import sys
import time
from typing import Any

import numpy as np
import rtmidi
from gigmate.control.midi import MidiPedals
from gigmate.control.osc import LOCAL_HOST, Osc
from gigmate.control.web.server import WebRemote
from gigmate.engine.actions import ACTIONS
from gigmate.engine.commands import Command
from gigmate.engine.config import EngineConfig
from gigmate.engine.gestures import Binding, BindingTable, Gesture
from gigmate.engine.player import Controls, HeardFrame, Moment
from gigmate.engine.run.live_engine import Engine
from gigmate.engine.timing.conductor import GridConductor

FRAME = 1280
STEP_S = 0.01
BEGIN_S, QUIET_S = 3.0, 10.0
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


def lost(report: dict[str, Any]) -> int:
    """Frames that were not there when they were due, or only in part."""
    return int(report["misses"]["frames"]) + int(report["frames"]["late"])


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
        listening = socket.create_server((LOCAL_HOST, 0))
        web = WebRemote(listening, post, lambda: engine.status, dict)
        web.start()
        time.sleep(BEGIN_S)
        quiet = engine.report()
        time.sleep(QUIET_S)
        before = engine.report()
        ports = {"osc": osc.port, "web": listening.getsockname()[1]}
        print(json.dumps({**ports, "lost": lost(before) - lost(quiet)}), flush=True)
        sys.stdin.read()
        report = engine.report()
        pedals.close()
        osc.close()
        web.close()
        listening.close()
    figures = {
        "lost": lost(report) - lost(before),
        "seconds": report["seconds"] - before["seconds"],
        "commands_dropped": report["commands_dropped"],
        "step_p99_ms": report["step_ms"]["p99"],
        "posted": posted,
        "osc": osc.figures(),
        "web_slowed": web.counts.slowed,
    }
    print(json.dumps(figures), flush=True)


if __name__ == "__main__":
    main(sys.argv[1])
