"""The test host (hosts/) and the shell, built once with sanitizers, and a script run in it with its own engine."""

from __future__ import annotations

import contextlib
import os
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from gigmate.plugin.library import Face, compile_library, compiler
from gigmate.plugin.parameters import parameters

HERE = Path(__file__).parent
FIRST_PARAMETER = 19
SANITIZERS = {"address": ("-fsanitize=address,undefined", "-fno-sanitize-recover=all", "-g", "-O1"),
              "thread": ("-fsanitize=thread", "-g", "-O1"), "none": ()}  # fmt: skip
PORT = {one.symbol: FIRST_PARAMETER + number for number, one in enumerate(parameters())}
DEFAULTS = [f"set {FIRST_PARAMETER + number} {one.default:g}" for number, one in enumerate(parameters())]


def engine_command(folder: Path, kind: str) -> Path:
    """A program that the shell can start in the place of `gigmate`."""
    path = folder / f"engine-{kind}"
    path.write_text(f'#!/bin/sh\nexec "{sys.executable}" "{HERE / "fake_engine.py"}" {kind} "$@"\n')
    path.chmod(0o755)
    return path


def build(folder: Path, sanitizer: str, face: Face = "lv2") -> tuple[Path, Path]:
    """(host, library)."""
    flags = SANITIZERS[sanitizer]
    host, library = folder / f"host-{face}-{sanitizer}", folder / f"gigmate-{face}-{sanitizer}.so"
    compile_library(library, face, "/nowhere/gigmate", flags)
    sources = [str(HERE / "hosts" / name) for name in ("host.c", f"{face}_host.c")]
    told = ["-std=c11", "-Wall", "-Wextra", "-Werror", *flags, *sources, "-o", str(host)]
    subprocess.run([compiler(), *told, "-ldl", "-lm", "-pthread"], check=True, timeout=100)
    return host, library


@dataclass
class Bounce:
    """What a host printed and played."""

    played: np.ndarray
    """float32 [8, samples], of the first instance."""
    said: list[str] = field(default_factory=list)
    others: list[np.ndarray] = field(default_factory=list)
    """What further instances played, each as `played`."""

    def values(self, word: str) -> list[str]:
        return [line.partition(" ")[2] for line in self.said if line.startswith(word + " ")]

    @property
    def end(self) -> tuple[int, int, int, float, float]:
        """(position, state, misses, slowest block in microseconds of its thread, and by the clock on the wall)."""
        position, state, misses, slowest, longest = self.values("end")[0].split()
        return int(position), int(state), int(misses), float(slowest), float(longest)


class RunningHost:
    """A host that takes its script line by line."""

    def __init__(
        self, built: tuple[Path, Path], command: Path | str, out: Path, rate_hz: int = 48_000, instances: int = 1
    ) -> None:
        environment = {**os.environ, "GIGMATE_COMMAND": str(command)}
        self._outs = [out, *(out.with_name(f"{out.name}.{number}") for number in range(1, instances))]
        self._said: list[str] = []
        self._process = subprocess.Popen(
            [str(built[0]), str(built[1]), str(rate_hz), str(out), str(instances)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            env=environment,
        )
        self.pid = self._process.pid
        for number in range(instances):
            self.say("\n".join((f"use {number}", *DEFAULTS)))
        self.say("use 0")

    def say(self, lines: str) -> None:
        assert self._process.stdin is not None
        self._process.stdin.write(lines + "\n")
        self._process.stdin.flush()

    def line(self, begin: str) -> str:
        """Read on until a line begins so."""
        assert self._process.stdout is not None
        for line in self._process.stdout:
            self._said.append(line.rstrip("\n"))
            if line.startswith(begin):
                return line.rstrip("\n")
        raise AssertionError(f"the host ended without {begin!r}: {self._process.wait()}")

    def engine(self) -> int:
        """The process id of its engine, or of one of them."""
        return self.engines(1)[0]

    def engines(self, least: int) -> list[int]:
        """The process ids of its engines, as soon as there are so many."""
        end_s = time.monotonic() + 20
        while time.monotonic() < end_s:
            children = Path(f"/proc/{self.pid}/task").glob("*/children")
            with contextlib.suppress(OSError):
                found = [int(child) for child in " ".join(path.read_text() for path in children).split()]
                if len(found) >= least:
                    return found
            time.sleep(0.02)
        raise AssertionError("no engine was started")

    def finish(self, timeout_s: float = 100) -> Bounce:
        out, _ = self._process.communicate(timeout=timeout_s)
        assert self._process.returncode == 0, out[-2000:]
        played = [np.fromfile(path, np.float32).reshape(-1, 8).T for path in self._outs]
        return Bounce(played[0], [*self._said, *out.splitlines()], played[1:])

    def kill(self) -> None:
        self._process.kill()
        self._process.wait()


@contextlib.contextmanager
def running(
    built: tuple[Path, Path], command: Path | str, out: Path, rate_hz: int = 48_000, instances: int = 1
) -> Iterator[RunningHost]:
    host = RunningHost(built, command, out, rate_hz, instances)
    try:
        yield host
    finally:
        host.kill()


def bounce(built: tuple[Path, Path], command: Path | str, out: Path, script: str, rate_hz: int = 48_000) -> Bounce:
    with running(built, command, out, rate_hz) as host:
        host.say(script)
        return host.finish()


def peaks(row: np.ndarray, least: float = 0.1, around: int = 40) -> np.ndarray:
    """Places of impulses."""
    size = np.abs(row)
    whole = np.flatnonzero(size[:-around] > least)  # at the end an impulse may be cut off
    found = [i for i in whole if size[i] == size[max(0, i - around) : i + around].max()]
    return np.array(found)


def lives(pid: int) -> bool:
    """Whether a process is there, and more than a name that nobody has asked after."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False
