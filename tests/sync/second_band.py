"""How far a second band, in a process of its own, is beside the first that it follows; run by hand or by its test.

    python tests/sync/second_band.py [midi|link] [SECONDS]

One private JACK server (dummy, 48 kHz in blocks of 2048). Two bands click on the beat; the first keeps its own tempo,
which is changed half way. The second follows by MIDI clock, from the first one's port midi_out to its own midi_in, or
by Ableton Link, where the first leads (`--link lead`). A client records both and compares the clicks sample by sample.
Needs jackd; for Link the extra `link`.
"""

from __future__ import annotations

import sys
from dataclasses import dataclass
from typing import Any

import numpy as np

if __package__:
    from .two_bands import FIRST_BPM, SAME_BEAT_S, Recorder, apart, each_tempo, end_on_sigterm, own_server, running
else:  # run by hand
    from two_bands import FIRST_BPM, SAME_BEAT_S, Recorder, apart, each_tempo, end_on_sigterm, own_server, running

RATE, BLOCK = 48_000, 2048
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


@dataclass
class Beside:
    """Samples by which each click of the second band comes after one of the first."""

    samples: list[int]

    @property
    def worst(self) -> int:
        return max(abs(one) for one in self.samples)


def measure(by: str, seconds: float, say: Any = print) -> Beside:
    """The second beside the first, for that long at each tempo, after it has settled."""
    where = own_server("two", RATE, BLOCK)
    children = [[where.name, by, name, str(bpm)] for name, bpm in zip(NAMES, (FIRST_BPM, 100.0), strict=True)]
    with running([where], __file__, children) as bands:
        recorder = Recorder(where, [f"{name}:output_1" for name in NAMES])
        if by == "midi":
            recorder.client.connect("gm-one:midi_out", "gm-two:midi_in")

        def set_tempo(tempo_bpm: float) -> None:
            if tempo_bpm != FIRST_BPM:
                assert bands[0].stdin is not None
                bands[0].stdin.write(f"{tempo_bpm}\n")
                bands[0].stdin.flush()

        beside: list[int] = []
        for tempo_bpm in each_tempo([recorder], set_tempo, seconds):
            second = recorder.clicks(1)
            found = [round(one) for one in apart(second, recorder.clicks(0), SAME_BEAT_S * RATE)]
            say(
                f"{tempo_bpm:.0f} bpm: {len(found)} clicks of {len(second)}, the second {np.mean(found):+.1f} samples "
                f"after the first on average, at most {np.abs(found).max()}"
            )
            beside += found
        recorder.close()
        return Beside(beside)


if __name__ == "__main__":
    if sys.argv[1:2] == ["--play"]:
        play(sys.argv[2], sys.argv[3], sys.argv[4], float(sys.argv[5]))
    else:
        end_on_sigterm()
        found = measure(sys.argv[1] if sys.argv[1:] else "midi", float(sys.argv[2]) if sys.argv[2:] else 20.0)
        print(f"worst {found.worst} samples, {1000 * found.worst / RATE:.2f} ms")
        sys.exit(0 if found.worst <= RATE // 1000 else 1)
