"""How far two bands in two processes are beside the beat of a Link session, as it is heard; run by hand or by its test.

    python tests/sync/link_phase.py [SECONDS]

Two private JACK servers (dummy, 48 kHz in blocks of 1024 and 44.1 kHz in blocks of 512), a band that clicks on the
beat in a process of its own on each, and this process as the third peer, which sets the tempo and changes it half way.
A client on each server records the clicks; when they are heard is told by the server's frame clock and the latency
that it claims, not by anything of ours. Needs jackd and the extra `link`.
"""

from __future__ import annotations

import ctypes
import sys
from dataclasses import dataclass
from typing import Any

import numpy as np

if __package__:
    from .two_bands import FIRST_BPM, SAME_BEAT_S, Recorder, apart, each_tempo, end_on_sigterm, own_server, running
else:  # run by hand
    from two_bands import FIRST_BPM, SAME_BEAT_S, Recorder, apart, each_tempo, end_on_sigterm, own_server, running

SERVERS = ((48_000, 1024), (44_100, 512))


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


def playback_latency(client: Any) -> int:
    """Samples from the port of the first output to the ear, as the server claims; JACK-Client binds no such call."""
    import jack

    port = client.get_port_by_name("system:playback_1")
    found = (ctypes.c_uint32 * 2)()
    call = ctypes.CDLL("libjack.so.0").jack_port_get_latency_range
    call.argtypes, call.restype = (ctypes.c_void_p, ctypes.c_int, ctypes.c_void_p), None
    call(int(jack._ffi.cast("uintptr_t", port._ptr)), 1, found)
    return int(found[1])


@dataclass
class Phases:
    """Milliseconds after the session's beat at which each click was heard, band by band, and the bands apart."""

    of_bands: list[list[float]]
    apart: list[float]

    @property
    def worst_ms(self) -> float:
        return max(abs(one) for one in (*self.of_bands[0], *self.of_bands[1], *self.apart))


def beside_ms(at_s: float, since: tuple[float, float, float]) -> float:
    """How far a moment is from the nearest beat of the session: (time, beat, tempo) of a reading near it."""
    known_s, beat, tempo_bpm = since
    there = beat + (at_s - known_s) * tempo_bpm / 60.0
    return (there - round(there)) * 60_000.0 / tempo_bpm


def measure(seconds: float, say: Any = print) -> Phases:
    """Both bands for that long at each tempo, after they have settled."""
    from gigmate.engine.timing.clocks.link_session import LinkSession

    servers = [own_server(f"link-{place}", *kind) for place, kind in enumerate(SERVERS)]
    session = LinkSession(FIRST_BPM)
    try:
        with running(servers, __file__, [[one.name] for one in servers]):
            recorders = [Recorder(one, ["gigmate:output_1"]) for one in servers]
            late_samples = [playback_latency(recorder.client) for recorder in recorders]
            bands: list[list[float]] = [[], []]
            between: list[float] = []
            for tempo_bpm in each_tempo(recorders, session.set_tempo, seconds):
                reading = session.read()
                since = (reading.at_s, reading.beat, reading.tempo_bpm)
                heard_s = [
                    [(frame + late) / one.rate_hz + one.offset_s for frame in one.clicks()]
                    for one, late in zip(recorders, late_samples, strict=True)
                ]
                for place, clicks_s in enumerate(heard_s):
                    found = [beside_ms(at_s, since) for at_s in clicks_s]
                    bands[place] += found
                    rate, block = SERVERS[place]
                    say(f"{tempo_bpm:.0f} bpm, {rate} Hz, blocks of {block}: {told(found)} beside the session")
                between += [1000.0 * one for one in apart(heard_s[0], heard_s[1], SAME_BEAT_S)]
            say(f"peers seen: {session.read().peers}; the bands apart: at most {np.abs(between).max():.2f} ms")
            for recorder in recorders:
                recorder.close()
            return Phases(bands, between)
    finally:
        session.close()


def told(found: list[float]) -> str:
    """In milliseconds."""
    if not found:
        return "no clicks"
    return f"{len(found)} clicks, {np.mean(found):+.2f} ms on average, at most {np.abs(found).max():.2f}"


if __name__ == "__main__":
    if sys.argv[1:2] == ["--play"]:
        play(sys.argv[2])
    else:
        end_on_sigterm()
        phases = measure(float(sys.argv[1]) if sys.argv[1:] else 20.0)
        print(f"worst {phases.worst_ms:.2f} ms")
        sys.exit(0 if phases.worst_ms <= 3.0 else 1)
