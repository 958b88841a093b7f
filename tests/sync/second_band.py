"""How far a second band, in a process of its own, is beside the first that it follows; run by hand or by its test.

    python tests/sync/second_band.py [midi|link] [SECONDS]

One private JACK server (dummy, 48 kHz in blocks of 2048). Two bands click on the beat; the first keeps its own tempo,
which is changed half way. The second follows by MIDI clock, from the first one's port midi_out to its own midi_in, or
by Ableton Link, where the first leads (`--link lead`). A client records both and compares the clicks sample by sample.
Needs jackd; for Link the extra `link`.
"""

from __future__ import annotations

import os
import subprocess
import sys
import time
from dataclasses import dataclass
from typing import Any

import numpy as np

RATE, BLOCK = 48_000, 2048
FIRST_BPM, THEN_BPM = 117.0, 123.0
SETTLE_S = 8.0
NAMES = ("gm-one", "gm-two")


def play(server: str, by: str, name: str, tempo_bpm: float) -> None:
    """The child: a band that clicks, until its stdin closes; a line on stdin is another tempo."""
    from gigmate.engine.commands import SetTempo
    from gigmate.engine.config import EngineConfig
    from gigmate.engine.ports import open_port
    from gigmate.engine.run.click_player import ClickPlayer
    from gigmate.engine.run.live_engine import Engine
    from gigmate.engine.timing.clocks.link_session import LinkSession
    from gigmate.engine.timing.conductor import Conductor

    config = EngineConfig(
        backend="jack", server_name=server, client_name=name, output_channels=(1,), start_playing=True,
        wait_for_musician=False, reconnect_s=0, connect=False,
    )  # fmt: skip
    port = open_port(config)
    conductor = Conductor(port.rate_hz, tempo_bpm, listen=False)
    with Engine(config, ClickPlayer(level=0.5), conductor, port) as engine:
        if by == "link":
            mode: Any = "lead" if name == NAMES[0] else "follow"
            conductor.follow(engine.join_link(LinkSession(tempo_bpm), mode))
        engine.start()
        print("ready", flush=True)
        for line in sys.stdin:
            engine.post(SetTempo(float(line)))
        print(engine.status.time_source, engine.report()["xruns"], file=sys.stderr)


class Recorder:
    """What both bands play, by the frames of the server."""

    def __init__(self, server: str, by: str) -> None:
        import jack

        self.client: Any = jack.Client("ear", servername=server, no_start_server=True)
        self.ports = [self.client.inports.register(f"in_{place}") for place in range(2)]
        self.blocks: list[tuple[int, np.ndarray]] = []
        self.client.set_process_callback(self._process)
        self.client.activate()
        for name, port in zip(NAMES, self.ports, strict=True):
            self.client.connect(f"{name}:output_1", port)
        if by == "midi":
            self.client.connect("gm-one:midi_out", "gm-two:midi_in")

    def _process(self, frames: int) -> None:
        self.blocks.append((self.client.last_frame_time, np.stack([port.get_array().copy() for port in self.ports])))

    def clicks(self, place: int) -> list[int]:
        """Frames of the clicks' middles, of one band."""
        found: list[int] = []
        blocks = list(self.blocks)
        start = blocks[0][0]
        sound = np.zeros(blocks[-1][0] - start + BLOCK, np.float32)
        for frame, block in blocks:
            sound[frame - start : frame - start + BLOCK] = block[place][: sound.size - (frame - start)]
        at = 0
        while True:
            loud = np.flatnonzero(np.abs(sound[at:]) > 0.2)
            if not loud.size:
                return found
            near = slice(at + loud[0], at + loud[0] + RATE // 20)
            peak = near.start + int(np.abs(sound[near]).argmax())
            found.append(start + peak)
            at = peak + RATE // 5


@dataclass
class Beside:
    """Samples by which each click of the second band comes after one of the first."""

    samples: list[int]

    @property
    def worst(self) -> int:
        return max(abs(one) for one in self.samples)


def measure(by: str, seconds: float, say: Any = print) -> Beside:
    """The second beside the first, for that long at each tempo, after it has settled."""
    server = f"gm-two-{os.getpid()}"
    started: list[subprocess.Popen[Any]] = []
    try:
        command = ["jackd", "-n", server, "-r", "-d", "dummy", "-r", str(RATE), "-p", str(BLOCK)]
        started.append(subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL))
        time.sleep(2.0)
        bands = []
        for name, tempo_bpm in zip(NAMES, (FIRST_BPM, 100.0), strict=True):
            child = subprocess.Popen(
                [sys.executable, __file__, "--play", server, by, name, str(tempo_bpm)],
                stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
            )  # fmt: skip
            started.append(child)
            bands.append(child)
        for child in bands:
            assert child.stdout is not None
            while child.stdout.readline().strip() != "ready":
                if child.poll() is not None:
                    raise RuntimeError("a band did not start")
        recorder = Recorder(server, by)
        beside: list[int] = []
        for tempo_bpm in (FIRST_BPM, THEN_BPM):
            if tempo_bpm != FIRST_BPM:
                assert bands[0].stdin is not None
                bands[0].stdin.write(f"{tempo_bpm}\n")
                bands[0].stdin.flush()
            time.sleep(SETTLE_S)
            recorder.blocks.clear()
            time.sleep(seconds)
            first, second = recorder.clicks(0), recorder.clicks(1)
            found = [min((at - other for other in first), key=abs) for at in second]
            found = [one for one in found if abs(one) < RATE // 5]  # of the same beat: a busy recorder misses some
            say(
                f"{tempo_bpm:.0f} bpm: {len(found)} clicks of {len(second)}, the second {np.mean(found):+.1f} samples "
                f"after the first on average, at most {np.abs(found).max()}"
            )
            beside += found
        recorder.client.deactivate()
        recorder.client.close()
        return Beside(beside)
    finally:
        for process in reversed(started):
            if process.stdin is not None:
                process.stdin.close()
                process.wait(20)
            process.terminate()
        for process in started:
            process.wait(10)


if __name__ == "__main__":
    if sys.argv[1:2] == ["--play"]:
        play(sys.argv[2], sys.argv[3], sys.argv[4], float(sys.argv[5]))
    else:
        found = measure(sys.argv[1] if sys.argv[1:] else "midi", float(sys.argv[2]) if sys.argv[2:] else 20.0)
        print(f"worst {found.worst} samples, {1000 * found.worst / RATE:.2f} ms")
        sys.exit(0 if found.worst <= RATE // 1000 else 1)
