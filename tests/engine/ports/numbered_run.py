"""Runs one port with a numbered band and prints, as JSON, what it heard and counted. A process of its own, for tests.

    python numbered_run.py '{"backend": "jack", ...}' SECONDS_OF_BAND [binding]

Prints one line when the stream runs. At a line on stdin another thread of it gets busy, which it says; at the next one
it stops and prints its findings.
"""

from __future__ import annotations

import json
import sys
import threading

import numpy as np
from gigmate.engine.callback.bridge import Bridge
from gigmate.engine.config import EngineConfig
from gigmate.engine.errors import EngineError
from gigmate.engine.ports import open_port

SCALE = np.float32(2**-24)
ROW_STEP = 2_000_000
"""Each row of the band counts from so much more than the one before."""


def _frozen(value: object) -> object:
    return tuple(map(_frozen, value)) if isinstance(value, list) else value


def longest_count(samples: np.ndarray) -> tuple[int, int]:
    """First number and length of the longest stretch in which each number is one more than the last."""
    numbers = np.round(samples.astype(np.float64) / SCALE).astype(np.int64)
    breaks = np.flatnonzero(np.diff(numbers) != 1) + 1
    pieces = np.split(numbers, breaks)
    best = max(pieces, key=len)
    return int(best[0]), len(best)


def main(fields: str, seconds: str) -> None:
    settings = {name: _frozen(value) for name, value in json.loads(fields).items()}
    try:
        config = EngineConfig(**settings)
        port = open_port(config)
    except EngineError as error:
        print(json.dumps({"error": str(error), "kind": type(error).__name__}), flush=True)
        return
    count = int(float(seconds) * port.rate_hz)
    bridge = Bridge(port.rate_hz, in_capacity=2 * count, out_capacity=2 * count, buses=config.buses)
    numbers = np.arange(1, count + 1)
    bridge.out_ring.write_at(0, np.stack([numbers + ROW_STEP * row for row in range(bridge.out_ring.rows)]) * SCALE)
    bridge.set_playing(True)
    stop = threading.Event()

    def be_busy() -> None:
        number = 0
        while not stop.is_set():
            number += 1

    port.start(bridge)
    print(json.dumps({"inputs": port.input_names, "outputs": port.output_names, "rate_hz": port.rate_hz}), flush=True)
    sys.stdin.readline()  # those who play and listen are there: until then nobody gains by it
    threading.Thread(target=be_busy, daemon=True).start()
    print("busy", flush=True)
    sys.stdin.readline()
    heard = bridge.in_ring.read(2 * count)
    expected = port.callbacks_expected  # before the count: both grow
    counters = bridge.counters()
    facts = {
        "heard": longest_count(heard) if heard.size else (0, 0),
        "callbacks": counters.callbacks,
        "samples": counters.samples,
        "expected": expected,
        "misses": counters.miss_samples,
        "dropped": counters.in_dropped_samples,
        "block_samples": port.block_samples,
        "lost": port.lost,
        "band_end": count,
    }
    stop.set()
    port.close()
    print(json.dumps({**facts, "ended": port.ended.is_set()}), flush=True)


if __name__ == "__main__":
    main(*sys.argv[1:3])
