"""The engine on a JACK server that free-wheels: numbers in, numbers out, an hour of sound in minutes.

    python freewheel.py SERVER SECONDS

A second client plays and checks the numbers, and holds the server back until the band has made what comes next: without
that the server would run ahead of any Python. Prints what it found as JSON.
"""

from __future__ import annotations

import json
import sys
import threading
import time

import jack
from gigmate.engine.config import EngineConfig
from gigmate.engine.run.live_engine import Engine
from gigmate.engine.timing.conductor import GridConductor
from memory import Growth
from numbered import HEARD_K, PLAYED_K, Check, Counting, numbered

_PATIENCE_S = 5.0


class Loop:
    """The other client. Its callback runs Python: in free-wheeling nobody is late."""

    def __init__(self, server: str, engine: Engine) -> None:
        self.client = jack.Client("loop", servername=server, no_start_server=True)
        self._out = self.client.outports.register("out")
        self._in = self.client.inports.register("in")
        self._bridge = engine._bridge
        self.check = Check(PLAYED_K)
        self.sent = 0
        self.gave_up = 0
        self.going = threading.Event()
        self.holding = threading.Event()
        self.client.set_process_callback(self._process)

    def _process(self, frames: int) -> None:
        out = self._out.get_array()
        if self.holding.is_set():
            self._wait_for_band()
        if not self.going.is_set():
            out[:] = 0
            return
        out[:] = numbered(self.sent, frames, HEARD_K)
        self.sent += frames
        self.check.look(self._in.get_array())

    def _wait_for_band(self) -> None:
        end_s = time.monotonic() + _PATIENCE_S
        while self._bridge.position >= self._bridge.input_needed_samples:
            if time.monotonic() > end_s:
                self.gave_up += 1
                return
            time.sleep(0.0001)


def main(server: str, seconds: str) -> None:
    config = EngineConfig(
        backend="jack", server_name=server, client_name="gm", connect=False, input_channels=(1,), output_channels=(1,),
        round_trip_samples=0, start_playing=True, wait_for_musician=False,
    )  # fmt: skip
    player, growth = Counting(), Growth()
    with Engine(config, player, GridConductor(120, 4, 48_000)) as engine:
        loop = Loop(server, engine)
        with loop.client:
            engine.start()
            loop.holding.set()
            loop.client.set_freewheel(True)
            time.sleep(0.2)
            loop.client.connect("loop:out", "gm:input_1")
            loop.client.connect("gm:output_1", "loop:in")
            time.sleep(0.2)
            loop.going.set()
            begin_s = time.perf_counter()
            first = engine.status.seconds
            while engine.status.seconds - first < float(seconds) and not engine.wait(0.1):
                growth.look(engine.status.seconds - first, max(1.0, float(seconds) / 500))
            wall_s = time.perf_counter() - begin_s
            report = engine.report()  # what follows is no part of it: nobody holds the server any more
            heard, played = dict(vars(player.check)), dict(vars(loop.check))
            loop.going.clear()
            loop.client.set_freewheel(False)
            time.sleep(0.2)
            loop.holding.clear()
    print(
        json.dumps(
            {
                "seconds": float(seconds), "wall_s": wall_s, "sent": loop.sent, "gave_up": loop.gave_up,
                "heard": _plain(heard), "played": _plain(played), "memory": growth.report(), "report": report,
            }
        )
    )  # fmt: skip


def _plain(values: dict[str, object]) -> dict[str, object]:
    return {name: value for name, value in values.items() if not name.startswith("_")}


if __name__ == "__main__":
    main(*sys.argv[1:3])
