"""The shipped band on a real-time JACK server for a while, beside a thread that is busy in pure Python.

    python under_load.py SERVER SECONDS

Prints what it found as JSON.
"""

from __future__ import annotations

import json
import sys
import threading
import time

from gigmate.engine.config import EngineConfig
from gigmate.engine.run.live_engine import Engine
from gigmate.engine.timing.conductor import Conductor
from gigmate.model.accompanist import load_player
from memory import Growth


def busy() -> None:
    number = 0
    while True:
        number = (number * 1103515245 + 12345) % 2**31


def main(server: str, seconds: str) -> None:
    config = EngineConfig(backend="jack", server_name=server, start_playing=True, wait_for_musician=False)
    growth = Growth()
    with Engine(config, load_player(None), Conductor(48_000, 120.0)) as engine:
        threading.Thread(target=busy, daemon=True).start()
        engine.start()
        begin_s = time.perf_counter()
        while time.perf_counter() - begin_s < float(seconds) and not engine.wait(0.5):
            growth.look(time.perf_counter() - begin_s)
    print(json.dumps({"seconds": float(seconds), "memory": growth.report(), "report": engine.report()}))


if __name__ == "__main__":
    main(*sys.argv[1:3])
