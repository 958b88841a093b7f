"""How far two bands in two processes are beside the beat of a Link session, as it is heard; run by hand or by its test.

    python tests/sync/link_phase.py [SECONDS]

Two private JACK servers (dummy, 48 kHz in blocks of 1024 and 44.1 kHz in blocks of 512), a band that clicks on the
beat in a process of its own on each, and this process as the third peer, which sets the tempo and changes it half way.
A client on each server records the clicks; when they are heard is told by the server's frame clock and the latency
that it claims, not by anything of ours. Needs jackd and the extra `link`.
"""

from __future__ import annotations

import ctypes
import math
import os
import subprocess
import sys
import time
from dataclasses import dataclass
from typing import Any

import numpy as np

SERVERS = ((48_000, 1024), (44_100, 512))
FIRST_BPM, THEN_BPM = 117.0, 123.0
SETTLE_S = 8.0
"""Joining and gliding to the session; the same after the change of tempo."""


def play(server: str) -> None:
    """The child: a band that clicks, following Link, until its stdin closes."""
    from gigmate.engine.config import EngineConfig
    from gigmate.engine.ports import open_port
    from gigmate.engine.run.click_player import ClickPlayer
    from gigmate.engine.run.live_engine import Engine
    from gigmate.engine.timing.clocks.link_session import LinkSession
    from gigmate.engine.timing.conductor import Conductor

    config = EngineConfig(
        backend="jack", server_name=server, output_channels=(1,), start_playing=True, wait_for_musician=False,
        link="follow", reconnect_s=0,
    )  # fmt: skip
    port = open_port(config)
    conductor = Conductor(port.rate_hz, 100.0, listen=False)
    with Engine(config, ClickPlayer(level=0.5), conductor, port) as engine:
        conductor.follow(engine.join_link(LinkSession(100.0), "follow"))
        engine.start()
        print("ready", flush=True)
        sys.stdin.read()
        report = engine.report()
        print(engine.status.time_source, report["misses"], report["xruns"], report["ahead"]["ms"], file=sys.stderr)


def playback_latency(port: Any) -> int:
    """Samples from that port to the ear, as the server claims; JACK-Client binds no such call."""
    import jack

    found = (ctypes.c_uint32 * 2)()
    call = ctypes.CDLL("libjack.so.0").jack_port_get_latency_range
    call.argtypes, call.restype = (ctypes.c_void_p, ctypes.c_int, ctypes.c_void_p), None
    call(int(jack._ffi.cast("uintptr_t", port._ptr)), 1, found)
    return int(found[1])


class Recorder:
    """What a band plays, by the frames of its server, and when those are heard, by time.monotonic."""

    def __init__(self, server: str) -> None:
        import jack

        self.blocks: list[tuple[int, np.ndarray]] = []
        self.offset_s = math.inf
        self.client: Any = jack.Client("ear", servername=server, no_start_server=True)
        self.rate_hz = self.client.samplerate
        self.port = self.client.inports.register("in")
        self.client.set_process_callback(self._process)
        self.client.activate()
        self.client.connect("gigmate:output_1", self.port)
        self.latency_samples = playback_latency(self.client.get_port_by_name("system:playback_1"))

    def begin(self) -> None:
        """Forget what was recorded, and how the server's frames stood to the clock: it may have lost some."""
        self.blocks.clear()
        self.offset_s = math.inf

    def _process(self, frames: int) -> None:
        frame = self.client.last_frame_time
        self.offset_s = min(self.offset_s, time.monotonic() - frame / self.rate_hz)  # a cycle is never early
        self.blocks.append((frame, self.port.get_array().copy()))

    def clicks_s(self) -> list[float]:
        """When each click's middle was heard."""
        blocks = list(self.blocks)
        start = blocks[0][0]
        sound = np.zeros(blocks[-1][0] - start + blocks[-1][1].size, np.float32)
        for frame, block in blocks:
            sound[frame - start : frame - start + block.size] = block
        heard, at, gap = [], 0, round(0.2 * self.rate_hz)
        while True:
            found = np.flatnonzero(np.abs(sound[at:]) > 0.2)
            if not found.size:
                return heard
            near = slice(at + found[0], at + found[0] + gap // 4)
            peak = near.start + int(np.abs(sound[near]).argmax())
            heard.append((start + peak + self.latency_samples) / self.rate_hz + self.offset_s)
            at = peak + gap


@dataclass
class Phases:
    """Milliseconds after the session's beat at which each click was heard, band by band, and the bands apart."""

    of_bands: list[list[float]]
    apart: list[float]

    @property
    def worst_ms(self) -> float:
        return max(abs(one) for one in (*self.of_bands[0], *self.of_bands[1], *self.apart))


def beside_ms(session: Any, at_s: float, since: tuple[float, float, float]) -> float:
    """How far a moment is from the nearest beat of the session: (time, beat, tempo) of a reading near it."""
    known_s, beat, tempo_bpm = since
    there = beat + (at_s - known_s) * tempo_bpm / 60.0
    return (there - round(there)) * 60_000.0 / tempo_bpm


def measure(seconds: float, say: Any = print) -> Phases:
    """Both bands for that long at each tempo, after they have settled."""
    from gigmate.engine.timing.clocks.link_session import LinkSession

    names = [f"gm-link-{os.getpid()}-{place}" for place in range(len(SERVERS))]
    started: list[subprocess.Popen[Any]] = []
    session = LinkSession(FIRST_BPM)
    try:
        for name, (rate, block) in zip(names, SERVERS, strict=True):
            command = ["jackd", "-n", name, "-r", "-d", "dummy", "-r", str(rate), "-p", str(block)]
            started.append(subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL))
        time.sleep(2.0)
        children = []
        for name in names:
            child = subprocess.Popen(
                [sys.executable, __file__, "--play", name],
                stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
            )  # fmt: skip
            started.append(child)
            children.append(child)
        for child in children:
            assert child.stdout is not None
            while child.stdout.readline().strip() != "ready":
                if child.poll() is not None:
                    raise RuntimeError("a band did not start")
        recorders = [Recorder(name) for name in names]
        bands: list[list[float]] = [[], []]
        apart: list[float] = []
        for tempo_bpm in (FIRST_BPM, THEN_BPM):
            session.set_tempo(tempo_bpm)
            time.sleep(SETTLE_S)
            reading = session.read()
            for recorder in recorders:
                recorder.begin()
            time.sleep(seconds)
            since = (reading.at_s, reading.beat, reading.tempo_bpm)
            heard = [recorder.clicks_s() for recorder in recorders]
            for place, clicks in enumerate(heard):
                found = [beside_ms(session, at_s, since) for at_s in clicks]
                bands[place] += found
                say(
                    f"{tempo_bpm:.0f} bpm, {SERVERS[place][0]} Hz, blocks of {SERVERS[place][1]}: {len(found)} clicks, "
                    f"{np.mean(found):+.2f} ms on average, at most {np.abs(found).max():.2f} beside the session"
                )
            nearest = [1000.0 * min((at_s - other_s for other_s in heard[1]), key=abs) for at_s in heard[0]]
            apart += [one for one in nearest if abs(one) < 200.0]  # of the same beat: a busy recorder misses some
        say(f"peers seen: {session.read().peers}; the bands apart: at most {np.abs(apart).max():.2f} ms")
        for recorder in recorders:
            recorder.client.deactivate()
            recorder.client.close()
        return Phases(bands, apart)
    finally:
        session.close()
        for process in reversed(started):
            if process.stdin is not None:
                process.stdin.close()  # a band ends by itself
                process.wait(20)
            process.terminate()
        for process in started:
            process.wait(10)


if __name__ == "__main__":
    if sys.argv[1:2] == ["--play"]:
        play(sys.argv[2])
    else:
        phases = measure(float(sys.argv[1]) if sys.argv[1:] else 20.0)
        print(f"worst {phases.worst_ms:.2f} ms")
        sys.exit(0 if phases.worst_ms <= 3.0 else 1)
