"""Records the mean of some JACK ports through a client of ours, until a line comes: `sound_tape.py FILE PORT...`.

Its callback is compiled: a Python one would come too late to the smallest blocks.
"""

from __future__ import annotations

import sys
import threading

import numpy as np
from gigmate.engine.callback.bridge import Bridge
from gigmate.engine.config import EngineConfig
from gigmate.engine.ports import open_port

if __name__ == "__main__":
    path, *ports = sys.argv[1:]
    config = EngineConfig(
        backend="jack",
        connect=False,
        client_name="tape",
        input_channels=tuple(range(1, len(ports) + 1)),
        midi_out="off",
    )
    port = open_port(config)
    bridge = Bridge(port.rate_hz, in_capacity=20 * port.rate_hz)
    port.start(bridge)
    for number, name in enumerate(ports):
        port._client.connect(name, f"tape:input_{number + 1}")  # type: ignore[attr-defined]
    over = threading.Event()
    threading.Thread(target=lambda: (sys.stdin.readline(), over.set()), daemon=True).start()
    print("ready", flush=True)
    pieces = []
    while not over.wait(0.02):
        count = bridge.in_ring.fill_samples
        pieces.append(bridge.in_ring.read(count).copy() if count else np.zeros(0, np.float32))
    counters = bridge.counters()
    np.savez(path, sound=np.concatenate(pieces), lost=counters.lost_samples + counters.in_dropped_samples)
    port.close()
    print("saved", flush=True)
