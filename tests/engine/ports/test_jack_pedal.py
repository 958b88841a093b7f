"""A pedal over real JACK MIDI: the band begins and ends at the declared sample, and a flood of MIDI costs nothing."""

from __future__ import annotations

import json
import os
import subprocess
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from .test_jack import Peer

pytestmark = pytest.mark.jack
SOURCE = Path(__file__).parents[2] / "control" / "midi_source.py"
FLOOD_SECONDS = float(os.environ.get("GIGMATE_FLOOD_SECONDS", "60"))
RAMP_SAMPLES = 960
TRIES = 8


@pytest.fixture
def peer() -> Iterator[Callable[..., Peer]]:
    peers: list[Peer] = []

    def start(*arguments: Any) -> Peer:
        peers.append(Peer(*arguments))
        return peers[-1]

    yield start
    for one in peers:
        one.end()


def tell(one: Peer, text: str = "") -> str:
    assert one.process.stdin is not None
    one.process.stdin.write(text + "\n")
    one.process.stdin.flush()
    return one.line()


def report_of(run: Peer) -> dict[str, Any]:
    assert run.process.stdin is not None
    run.process.stdin.close()
    return json.loads(run.line())


def press(foot: Peer, ear: Peer, offset: int) -> tuple[int, list[int], int]:
    """Step on it: (sample of the press, samples at which the sound changed, blocks that were lost)."""
    tell(ear)
    pressed = int(tell(foot, str(offset)))
    time.sleep(1.5)
    heard = json.loads(tell(ear))
    return pressed, [place for place, _ in heard["changes"]], heard["lost"]


def test_the_band_begins_and_ends_at_the_declared_sample(
    start_jack: Callable[..., Any], peer: Callable[..., Peer]
) -> None:
    server = start_jack(block_samples=512)
    run = peer(server.environment, "pedal_run.py", server.name, 0)
    assert run.line() == "ready"
    ear = peer(server.environment, "pedal_peer.py", "ear", "gm:output_1")
    foot = peer(server.environment, "pedal_peer.py", "foot", "gm:midi_in")
    assert (ear.line(), foot.line()) == ("ready", "ready")
    begun, ended = [], []
    for turn in range(TRIES):
        for delays, offset in ((begun, 37 * turn % 512), (ended, (211 + 101 * turn) % 512)):
            pressed, changes, lost = press(foot, ear, offset)
            if not lost:  # a machine that is busy loses blocks, and with them the count
                assert len(changes) == 1, "once, and without a gap"
                delays.append(changes[0] - pressed)
        if len(begun) >= 3 and len(ended) >= 3:
            break
    report = report_of(run)
    declared = report["start_delay_samples"]
    assert len(set(begun)) == len(set(ended)) == 1, (begun, ended)
    assert begun[0] - declared in (0, 1), "the ramp's first sample may be nought"
    assert ended[0] - declared - RAMP_SAMPLES in (-1, 0, 1)


@pytest.mark.slow
@pytest.mark.timeout(FLOOD_SECONDS * 3 + 120)
@pytest.mark.parametrize("messages", ["b007", "b07f", "9030"], ids=["fader", "unbound", "notes"])
def test_ten_thousand_messages_a_second_cost_no_frame(
    messages: str, start_jack: Callable[..., Any], peer: Callable[..., Peer]
) -> None:
    server = start_jack(block_samples=256)
    run = peer(server.environment, "pedal_run.py", server.name, 10)
    assert run.line() == "ready"
    flood = Peer(server.environment, "../../control/midi_source.py", "flood")
    foot = peer(server.environment, "pedal_peer.py", "foot", "gm:midi_in")
    assert (flood.line(), foot.line()) == ("ready", "ready")
    try:
        tell(foot, "5")
        subprocess.run(["jack_connect", "flood:out", "gm:midi_in"], env=server.environment, check=True, timeout=60)
        count = round(FLOOD_SECONDS * 10_000)
        assert tell(flood, f"flood {messages}00 {count} 10000") == "done"
        tell(foot, "5")
        time.sleep(1.0)
    finally:
        flood.end()
    report = report_of(run)
    print({name: report[name] for name in ("misses", "midi", "callbacks", "xruns", "step_ms")})
    assert report["midi"]["dropped"] == 0
    assert report["midi"]["events"] >= 0.99 * count
    assert report["misses"]["frames"] == 0
    assert report["seconds_played"] >= 0.8 * FLOOD_SECONDS
