"""Floods beside the music: ten thousand messages a second over the system's MIDI, as many over OSC, and over the
remote's socket all that it takes; no frame is missed.

Slow: a minute each (GIGMATE_FLOOD_SECONDS says otherwise). What counts is time: the band must have a core, and the
flood's source another. So the same band is looked at for ten seconds without a flood. Where frames are lost there
already, the machine is too busy to say anything of floods: the test is skipped with that number, and to be repeated.
"""

from __future__ import annotations

import json
import os
import socket
import subprocess
import sys
import threading
import time
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest
from websockets.exceptions import ConnectionClosed
from websockets.sync.client import ClientConnection, connect

SECONDS = float(os.environ.get("GIGMATE_FLOOD_SECONDS", "60"))
HERE = Path(__file__).parent
SOURCE = HERE.parent / "control" / "midi_source.py"


def started(environment: dict[str, str], *command: str) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, *command], env=environment, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )


def flood_by_osc(port: int) -> None:
    """Faders, presses and rubbish, ten thousand packets a second."""
    packets = [
        b"/gigmate/level/bass\x00,i\x00\x00\xff\xff\xff\xf4",
        b"/gigmate/density\x00\x00\x00\x00,f\x00\x00\x3f\x00\x00\x00",
        b"/gigmate/fill\x00\x00\x00,\x00\x00\x00",
        b"/gigmate/nothing\x00\x00\x00\x00,\x00\x00\x00",
        b"rubbish",
    ]
    begin_s = time.monotonic()
    sent = 0
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as out:
        while (passed_s := time.monotonic() - begin_s) < SECONDS:
            while sent < passed_s * 10_000:
                out.sendto(packets[sent % len(packets)], ("127.0.0.1", port))
                sent += 1
            time.sleep(0.001)


def flood_by_web(port: int) -> None:
    """A client that sends all the way will take, and comes back where it is put out; what it is sent is left."""
    message = '{"do": "level", "part": "bass", "value": -12}'
    end_s = time.monotonic() + SECONDS
    while (left_s := end_s - time.monotonic()) > 0:
        with connect(f"ws://127.0.0.1:{port}/ws", max_queue=None, ping_interval=None) as client:
            thread = threading.Thread(target=_send_for_ever, args=(client, message), daemon=True)
            thread.start()
            thread.join(left_s)
            with suppress(OSError):  # it may be closed already
                client.socket.shutdown(socket.SHUT_RDWR)
            thread.join(10)


def _send_for_ever(client: ClientConnection, message: str) -> None:
    try:
        while True:
            client.send(message)
    except (ConnectionClosed, OSError):
        return


@pytest.mark.slow
@pytest.mark.jack
@pytest.mark.timeout(SECONDS * 4 + 120)
@pytest.mark.parametrize("way", ["midi", "osc", "web"])
def test_a_flood_costs_no_frame(way: str, start_jack: Any) -> None:
    server = start_jack(block_samples=256)
    source = started(server.environment, str(SOURCE), "flood")
    assert source.stdin is not None and source.stdout is not None
    assert source.stdout.readline() == "ready\n"
    band = started(server.environment, str(HERE / "flooded.py"), server.name)
    assert band.stdin is not None and band.stdout is not None
    try:
        quiet = json.loads(band.stdout.readline())
        if quiet["lost"]:
            pytest.skip(f"{quiet['lost']} frames were lost before any flood: repeat it where nothing else runs")
        if way == "midi":
            source.stdin.write(f"flood b007 {round(SECONDS * 10_000)} 10000\n")
            source.stdin.flush()
            assert source.stdout.readline() == "done\n"
        elif way == "osc":
            flood_by_osc(quiet["osc"])
        else:
            flood_by_web(quiet["web"])
        band.stdin.close()
        figures = json.loads(band.stdout.readline())
    finally:
        for process in (source, band):
            process.kill()
            process.wait()
    print(json.dumps(figures))
    assert figures["seconds"] > 0.8 * SECONDS
    assert (figures["lost"], figures["commands_dropped"]) == (0, 0)
    assert 0 < figures["posted"]["SetLevel"] < 55 * (figures["seconds"] + 2)
