"""A batch with one worker killed in the middle: `python tests/stage/batch_killed.py [--cluster] [--files 100]`.

Makes that many short recordings, lets four workers complete them (processes of `gigmate complete --jobs 4`, or, with
--cluster, a Dask scheduler and four workers on this machine), kills one when a third is done, and counts: results that
are missing, that stand half written, recordings that were told of twice. Then the command itself is killed in the
middle of another batch, and given again.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import os
import re
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import soundfile

RATE_HZ = 16_000


def make(folder: Path, files: int, seconds: float) -> None:
    at_s = np.arange(round(seconds * RATE_HZ)) / RATE_HZ
    for index in range(files):
        place = folder / f"disc {index % 3}"
        place.mkdir(parents=True, exist_ok=True)
        sound = 0.2 * np.sin(2 * np.pi * (110 + index) * at_s) * (at_s % 0.5 < 0.1)
        soundfile.write(place / f"take {index:03}.wav", sound.astype(np.float32), RATE_HZ)


def children(pid: int) -> list[int]:
    """Its worker processes, which are those that have loaded a band."""
    found = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
    return [int(child) for child in found if b"spawn_main" in Path(f"/proc/{child}/cmdline").read_bytes()]


class Batch:
    """A running `gigmate complete`, whose lines are counted."""

    def __init__(self, music: Path, out: Path, weights: str | None, *options: str) -> None:
        command = [sys.executable, "-m", "gigmate", "complete", str(music), "-o", str(out), "--no-wait", *options]
        command += [] if weights is None else ["--weights", weights]
        self.process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
        self.lines: list[str] = []

    def read(self, until_done: int | None = None) -> None:
        """Lines, to the end or until so many recordings are told."""
        assert self.process.stdout is not None
        for line in self.process.stdout:
            self.lines.append(line.rstrip())
            if until_done is not None and len(self.told) >= until_done:
                return
        self.process.wait(60)

    @property
    def told(self) -> list[str]:
        found = (re.match(r"\d+ of \d+: (.*\.wav)", line) for line in self.lines)
        return [one[1] for one in found if one]


@contextlib.contextmanager
def cluster(workers: int) -> Iterator[tuple[str, list[subprocess.Popen[bytes]]]]:
    """The address of a scheduler on this machine, and its workers."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = str(probe.getsockname()[1])
    address = f"tcp://127.0.0.1:{port}"
    quiet: dict[str, Any] = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
    dask = [sys.executable, "-m", "dask"]
    host = ["--host", "127.0.0.1"]
    scheduler = subprocess.Popen([*dask, "scheduler", *host, "--port", port, "--no-dashboard"], **quiet)
    started = [
        subprocess.Popen([*dask, "worker", address, *host, "--nthreads", "1", "--no-nanny", "--no-dashboard"], **quiet)
        for _ in range(workers)
    ]
    try:
        yield address, started
    finally:
        for process in (*started, scheduler):
            process.kill()
        for process in (*started, scheduler):
            process.wait(30)


def state(music: Path, out: Path) -> dict[str, int]:
    wanted = {out / path.relative_to(music).with_name(f"{path.stem}-band.wav") for path in music.rglob("*.wav")}
    there = {path for path in out.rglob("*") if path.is_file()}
    whole = sum(soundfile.info(path).frames > 0 for path in wanted & there)
    return {"wanted": len(wanted), "missing": len(wanted) - whole, "besides": len(there - wanted)}


def one_worker_killed(
    music: Path, out: Path, weights: str | None, options: list[str], victims: list[subprocess.Popen[bytes]]
) -> dict[str, Any]:
    began_s = time.monotonic()
    batch = Batch(music, out, weights, *options)
    files = sum(1 for _ in music.rglob("*.wav"))
    batch.read(until_done=files // 3)
    victim = victims[0].pid if victims else children(batch.process.pid)[0]
    os.kill(victim, signal.SIGKILL)
    batch.read()
    return {
        **state(music, out),
        "told_twice": len(batch.told) - len(set(batch.told)),
        "said": [line for line in batch.lines if "worker" in line],
        "exit_code": batch.process.returncode,
        "seconds": round(time.monotonic() - began_s, 1),
        "last_line": batch.lines[-1],
    }


def command_killed(music: Path, out: Path, weights: str | None, options: list[str]) -> dict[str, Any]:
    first = Batch(music, out, weights, *options)
    files = sum(1 for _ in music.rglob("*.wav"))
    first.read(until_done=files // 3)
    first.process.kill()
    first.read()
    between = state(music, out)
    second = Batch(music, out, weights, *options)
    second.read()
    return {
        "missing_between": between["missing"],
        **state(music, out),
        "done_again": len(set(first.told) & set(second.told)),
        "exit_code": second.process.returncode,
        "last_line": second.lines[-1],
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--files", type=int, default=100)
    parser.add_argument("--seconds", type=float, default=2.0)
    parser.add_argument("--cluster", action="store_true")
    parser.add_argument("--weights")
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="gigmate-batch-") as place, contextlib.ExitStack() as held:
        music, out = Path(place) / "music", Path(place) / "out"
        make(music, asked.files, asked.seconds)
        options, victims = ["--jobs", "4"], []
        if asked.cluster:
            address, victims = held.enter_context(cluster(4))
            options = ["--cluster", address]
        found = {"worker_killed": one_worker_killed(music, out / "1", asked.weights, options, victims)}
        found["command_killed"] = command_killed(music, out / "2", asked.weights, options)
    print(json.dumps(found, indent=2))


if __name__ == "__main__":
    main()
