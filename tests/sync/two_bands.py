"""Two bands that click, in processes of their own on private JACK servers, and a recorder of what is heard of them.

Knows neither Link nor MIDI clock: who follows whom is the callers' business. Needs jackd.
"""

from __future__ import annotations

import math
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any, NamedTuple

import numpy as np

FIRST_BPM, THEN_BPM = 117.0, 123.0
SETTLE_S = 8.0
"""Joining and gliding to the other's time; the same after the change of tempo."""
SAME_BEAT_S = 0.2
"""Clicks that are further apart are of different beats: a busy recorder misses some."""
CLICK_LEVEL = 0.2
_CLICK_S = 0.05


def end_on_sigterm() -> None:
    """For a program: who is told to end (`timeout`) ends its servers and bands too."""
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(128 + signal.SIGTERM))


class Server(NamedTuple):
    """A dummy server of our own."""

    name: str
    rate_hz: int
    block_samples: int


def own_server(kind: str, rate_hz: int, block_samples: int) -> Server:
    """One whose name no other process has."""
    return Server(f"gm-{kind}-{os.getpid()}", rate_hz, block_samples)


@contextmanager
def running(
    servers: Sequence[Server], script: str, children: Sequence[Sequence[str]]
) -> Iterator[list[subprocess.Popen[Any]]]:
    """The servers, and on them a child `script --play ...` for each; all have said that they are ready. They end
    here. Raises RuntimeError where one did not start."""
    started: list[subprocess.Popen[Any]] = []
    try:
        for name, rate, block in servers:
            command = ["jackd", "-n", name, "-r", "-d", "dummy", "-r", str(rate), "-p", str(block)]
            started.append(subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL))
        time.sleep(2.0)
        bands = []
        for arguments in children:
            command = [sys.executable, script, "--play", *arguments]
            bands.append(subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True))
            started.append(bands[-1])
        for band in bands:
            assert band.stdout is not None
            while band.stdout.readline().strip() != "ready":
                if band.poll() is not None:
                    raise RuntimeError("a band did not start")
        yield bands
    finally:
        for process in reversed(started):
            if process.stdin is not None:
                process.stdin.close()  # a band ends by itself
                process.wait(20)
            process.terminate()
        for process in started:
            process.wait(10)


class Recorder:
    """What bands play on one server, by its frames, and how these stand to time.monotonic."""

    def __init__(self, on: Server, sources: Sequence[str]) -> None:
        """`sources`: their ports."""
        import jack

        self.blocks: list[tuple[int, np.ndarray]] = []
        self.offset_s = math.inf
        self.client: Any = jack.Client("ear", servername=on.name, no_start_server=True)
        self.rate_hz = self.client.samplerate
        self.ports = [self.client.inports.register(f"in_{place}") for place in range(len(sources))]
        self.client.set_process_callback(self._process)
        self.client.activate()
        for source, port in zip(sources, self.ports, strict=True):
            self.client.connect(source, port)

    def begin(self) -> None:
        """Forget what was recorded, and how the server's frames stood to the clock: it may have lost some."""
        self.blocks.clear()
        self.offset_s = math.inf

    def close(self) -> None:
        self.client.deactivate()
        self.client.close()

    def _process(self, frames: int) -> None:
        frame = self.client.last_frame_time
        self.offset_s = min(self.offset_s, time.monotonic() - frame / self.rate_hz)  # a cycle is never early
        self.blocks.append((frame, np.stack([port.get_array().copy() for port in self.ports])))

    def clicks(self, place: int = 0) -> list[int]:
        """Frames of the clicks' middles, of one source."""
        blocks = list(self.blocks)
        if not blocks:
            return []
        start = blocks[0][0]
        sound = np.zeros(blocks[-1][0] - start + blocks[-1][1].shape[1], np.float32)
        for frame, block in blocks:
            sound[frame - start : frame - start + block.shape[1]] = block[place]
        found: list[int] = []
        at, click = 0, round(_CLICK_S * self.rate_hz)
        while True:
            loud = np.flatnonzero(np.abs(sound[at:]) > CLICK_LEVEL)
            if not loud.size:
                return found
            near = slice(at + loud[0], at + loud[0] + click)
            peak = near.start + int(np.abs(sound[near]).argmax())
            found.append(start + peak)
            at = peak + 4 * click


def each_tempo(recorders: Sequence[Recorder], set_tempo: Callable[[float], None], seconds: float) -> Iterator[float]:
    """Two tempi, one after the other: yields each when the bands have settled in it and so long was recorded."""
    for tempo_bpm in (FIRST_BPM, THEN_BPM):
        set_tempo(tempo_bpm)
        time.sleep(SETTLE_S)
        for recorder in recorders:
            recorder.begin()
        time.sleep(seconds)
        yield tempo_bpm


def apart(ones: Sequence[float], others: Sequence[float], same_beat: float) -> list[float]:
    """How far each of `ones` is after the nearest of `others`, where both are of the same beat. Raises RuntimeError:
    none is."""
    nearest = [min((one - other for other in others), key=abs) for one in ones] if others else []
    found = [difference for difference in nearest if abs(difference) < same_beat]
    if not found:
        raise RuntimeError(f"of {len(ones)} and {len(others)} clicks no two are of one beat: is the machine too busy?")
    return found
