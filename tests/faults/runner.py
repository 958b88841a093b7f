"""One engine in a process of its own, for tests that kill what it stands on: an endless sine as the band, or a click on
each beat.

    python runner.py '{"backend": "jack", "clicks": true, ...}'

Prints {"running": [...]} when the sound flows, then a status line fifty times a second, and the report when it reads
"quit" (or when the run ends by itself). What the process does besides is what a real run does.
"""

from __future__ import annotations

import json
import sys
import threading
import time
from typing import Any

import numpy as np
from gigmate.engine.config import EngineConfig
from gigmate.engine.player import Controls, HeardFrame, Moment
from gigmate.engine.run.live_engine import Engine
from gigmate.engine.timing.conductor import GridConductor

FRAME, PLAYER_HZ = 1280, 32_000


class Singer:
    """An endless sine of 200 Hz at half scale."""

    sample_rate_hz, frame_samples, tail_samples, play_delay_samples = PLAYER_HZ, FRAME, 640, 0

    def __init__(self) -> None:
        self.at = 0

    def reset(self, seed: int, ahead_frames: int) -> None:
        return None

    def set_ahead(self, ahead_frames: int) -> None:
        return None

    def listen(self, chunk: np.ndarray) -> HeardFrame:
        return HeardFrame(activity=1.0, level_db=-20.0)

    def play(self, moment: Moment, controls: Controls) -> np.ndarray:
        n = np.arange(self.at, self.at + FRAME)
        self.at += FRAME
        sine = 0.5 * np.sin(2 * np.pi * 200.0 / PLAYER_HZ * n)
        return np.stack([sine, sine * 0, sine * 0]).astype(np.float32)


class Clicker(Singer):
    """A click where each beat begins."""

    def play(self, moment: Moment, controls: Controls) -> np.ndarray:
        parts = np.zeros((3, FRAME), np.float32)
        left = (1.0 - moment.beat_phase) % 1.0 * 60.0 / moment.tempo_bpm * PLAYER_HZ
        if left < FRAME:
            parts[0, round(left) : round(left) + 64] = 0.5
        return parts


def frozen(value: Any) -> Any:
    return tuple(map(frozen, value)) if isinstance(value, list) else value


def main(fields: str) -> None:
    settings = {key: frozen(value) for key, value in json.loads(fields).items()}
    player = Clicker() if settings.pop("clicks", False) else Singer()
    config = EngineConfig(**{"start_playing": True, **settings})
    from gigmate.engine.ports import open_port

    port = open_port(config)
    engine = Engine(config, player, GridConductor(120, 4, port.rate_hz), port)
    asked: list[str] = []

    def read() -> None:
        for line in sys.stdin:
            asked.append(line.strip())
        asked.append("quit")

    with engine:
        engine.start()
        print(json.dumps({"running": [*port.input_names, *port.output_names]}), flush=True)
        threading.Thread(target=read, daemon=True).start()
        while not engine.wait(0.02):
            if asked and asked.pop(0) == "quit":
                break
            _tell(engine)
        begin_s = time.perf_counter()
    words = {"report": engine.report(), "close_s": time.perf_counter() - begin_s, "lost": port.lost}
    print(json.dumps(words), flush=True)


def _tell(engine: Engine) -> None:
    status = engine.status
    words = {"state": status.state, "seconds": status.seconds, "warnings": status.warnings}
    print(json.dumps({**words, "threads": [thread.native_id for thread in threading.enumerate()]}), flush=True)


if __name__ == "__main__":
    main(sys.argv[1])
