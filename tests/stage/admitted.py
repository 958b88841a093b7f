"""How many streams a server lets in, and whether those are in time: `python tests/stage/admitted.py --streams 16`.

Starts `gigmate serve` on a free port, plays that many clients at once from one process, each by the clock, and prints
who was let in, how late they were served, and what the others were told. With --patient nobody asks to be in time, so
that all are let in: then the same figures tell what the refusals have spared.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import re
import struct
import subprocess
import sys
import time
from typing import Any

import numpy as np
from websockets.asyncio import client
from websockets.exceptions import ConnectionClosed

RATE_HZ, BLOCK = 48_000, 1920
LATE_S = 0.25
NOISE = np.random.default_rng(0).normal(0.0, 0.05, BLOCK).astype("<f4").tobytes()


async def musician(url: str, seed: int, seconds: float, patient: bool) -> list[float] | str:
    """Seconds from each block, sent when it has been played, to its acknowledgement; or why there was no place."""
    hello: dict[str, Any] = {"type": "hello", "version": 1, "rate_hz": RATE_HZ, "seed": seed, "live": not patient}
    behind: list[float] = []
    try:
        async with client.connect(url, compression=None, max_size=2**22) as socket:
            await socket.send(json.dumps(hello))
            answer = json.loads(await socket.recv())
            if answer["type"] != "ready":
                return str(answer["error"])
            blocks = round(seconds * RATE_HZ / BLOCK)
            began_s = time.perf_counter()

            async def send() -> None:
                for index in range(blocks):
                    await asyncio.sleep(max(0.0, began_s + (index + 1) * BLOCK / RATE_HZ - time.perf_counter()))
                    await socket.send(struct.pack("<IQ", index, index * BLOCK) + NOISE)

            sending = asyncio.ensure_future(send())
            while len(behind) < blocks:
                message = await socket.recv()
                if isinstance(message, str) and json.loads(message)["type"] == "ack":
                    due_s = began_s + (len(behind) + 1) * BLOCK / RATE_HZ
                    behind.append(time.perf_counter() - due_s)
            await sending
    except ConnectionClosed as closed:
        return f"closed: {closed}"
    return behind


async def play(url: str, streams: int, seconds: float, patient: bool) -> list[list[float] | str]:
    return await asyncio.gather(*(musician(url, seed, seconds, patient) for seed in range(streams)))


def figures(answers: list[list[float] | str]) -> dict[str, Any]:
    played = [answer for answer in answers if isinstance(answer, list)]
    refused = [answer for answer in answers if isinstance(answer, str)]
    behind_ms = 1000 * np.concatenate([np.array(row) for row in played] or [np.zeros(1)])
    return {
        "admitted": len(played),
        "refused": len(refused),
        "behind_p50_ms": round(float(np.percentile(behind_ms, 50)), 1),
        "behind_p99_ms": round(float(np.percentile(behind_ms, 99)), 1),
        "behind_most_ms": round(float(behind_ms.max()), 1),
        "late_share": round(float(np.mean(behind_ms > 1000 * LATE_S)), 4),
        "last_behind_ms": [round(1000 * row[-1]) for row in played],
        "told": sorted(set(refused)),
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--streams", type=int, default=16)
    parser.add_argument("--seconds", type=float, default=20.0)
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--patient", action="store_true")
    asked = parser.parse_args()
    command = [sys.executable, "-m", "gigmate", "serve", "--port", "0", "--workers", str(asked.workers)]
    with subprocess.Popen([*command, "--access-log", "off"], stdout=subprocess.PIPE, text=True) as server:
        said = ""
        assert server.stdout is not None
        while "room for" not in said:
            line = server.stdout.readline()
            assert line, "the server did not start"
            said += line
        found = re.search(r"127\.0\.0\.1:(\d+)", said)
        room = re.search(r"room for (\d+)", said)
        assert found is not None and room is not None
        try:
            url = f"ws://127.0.0.1:{found[1]}/stream"
            answers = asyncio.run(play(url, asked.streams, asked.seconds, asked.patient))
        finally:
            server.terminate()
            code = server.wait(60)
    print(json.dumps({"room_at_start": int(room[1]), **figures(answers), "exit_code": code}, indent=2))


if __name__ == "__main__":
    main()
