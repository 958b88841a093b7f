"""Measures this GigMate and another one in turns, on the same machine in one run: what has become faster, and smaller.

The other one is a checkout: its folder is put in front of Python's path under the name `gigmate`, and both run in the
same environment through their own commands, each in processes of its own. Main thread.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np

from ...engine.errors import ConfigError, EngineError

OURS = Path(__file__).resolve().parents[2]
ROUNDS = 5
LIMIT_S = 600.0
WORKERS = max(2, os.cpu_count() or 1)
"""Over so many processes streams are spread; a build that cannot has the figures of its one process there."""
Figures = dict[str, float]


def check_folder(folder: Path) -> Path:
    """The checkout; raises ConfigError for what is none."""
    for needed in ("cli/main.py", "model/weights", "pyproject.toml"):
        if not (folder / needed).exists():
            raise ConfigError(f"--against {folder}: no checkout of GigMate (it has no {needed})")
    return folder.resolve()


def measure_against(folder: Path, recording: Path, streams: int, rounds: int = ROUNDS) -> dict[str, Any]:
    """For each figure what the other one has, what this one has (medians over the rounds, taken in turns), and the
    ratio of this one to the other. Raises ConfigError for a folder that is none, EngineError where a command fails.
    """
    folder = check_folder(folder)
    with tempfile.TemporaryDirectory(prefix="gigmate-against-") as place:
        both = {"other": _Build("other", folder, Path(place)), "this": _Build("this", OURS, Path(place))}
        for build in both.values():
            build.warm_up(recording)
        rows: dict[str, list[Figures]] = {name: [] for name in both}
        for number in range(rounds):
            for name, build in both.items() if number % 2 else reversed(both.items()):
                rows[name].append(build.measure(recording, streams))
    found: dict[str, Any] = {"rounds": rounds, "streams": streams, "other": str(folder.name)}
    for figure in rows["this"][0]:
        values = {name: float(np.median([row[figure] for row in made])) for name, made in rows.items()}
        found[figure] = {**values, "ratio": values["this"] / values["other"] if values["other"] else float("nan")}
    return found


class _Build:
    """One of the two, and where it writes."""

    def __init__(self, name: str, folder: Path, place: Path) -> None:
        self._link = place / f"{name}.path"
        self._link.mkdir()
        (self._link / "gigmate").symlink_to(folder, target_is_directory=True)
        self._out = place / f"{name}.wav"
        self._voice: list[str] = []
        """What asks for the neural voice, where there is another."""
        self._spreads = False
        """Whether it spreads streams over processes."""

    def warm_up(self, recording: Path) -> None:
        """Compile what is compiled once on a machine."""
        if "--sound" in self._finished(["complete", "--help"], "main")[0]:
            self._voice = ["--sound", "neural"]
        self._spreads = "--workers" in self._finished(["bench", "--help"], "main")[0]
        self._complete(recording)
        self._live(recording)

    def measure(self, recording: Path, streams: int) -> Figures:
        """One round."""
        model = self._json(["bench", "--seconds", "3", "--json"])["model"]
        many, one_mib = self._streams(streams)
        spread, spread_mib = self._streams(streams, "--workers", str(WORKERS)) if self._spreads else (many, one_mib)
        help_s, _ = self._timed(lambda: self._run(["--help"]))
        moment_s, _ = self._timed(lambda: self._complete(recording, "--length", "0.1"))
        whole_s, _ = self._timed(lambda: self._complete(recording))
        live_s, peak_mib = self._timed(lambda: self._live(recording))
        return {
            "step_p50_ms": model["step_ms"]["p50"],
            "step_p99_9_ms": model["step_ms"]["p99.9"],
            "help_s": help_s,
            "complete_a_moment_s": moment_s,
            "complete_the_rest_s": whole_s - moment_s,
            "live_as_fast_as_it_goes_s": live_s,
            "live_peak_mib": peak_mib,
            "streams_real_time_factor": many["real_time_factor"],
            "streams_peak_mib": one_mib,
            "streams_in_workers_real_time_factor": spread["real_time_factor"],
            "streams_in_workers_peak_mib": spread.get("peak_mib", spread_mib),
        }

    def _streams(self, streams: int, *options: str) -> tuple[Figures, float]:
        """Figures of so many streams, and the peak memory in MiB of the process that was asked for them."""
        told, peak_mib = self._finished(
            ["bench", "--streams", str(streams), "--seconds", "3", "--json", *options], "main"
        )
        found: Figures = json.loads(told)["streams"]
        return found, peak_mib

    def _complete(self, recording: Path, *options: str) -> float:
        self._out.unlink(missing_ok=True)  # nothing is written over without --force, which the other may not know
        return self._run(["complete", str(recording), "--output", str(self._out), *options, *self._voice])

    def _live(self, recording: Path) -> float:
        """A live run from a file as fast as it goes; its peak memory in MiB."""
        options = ["--input-file", str(recording), "--output-file", str(self._out), "--fast", "--start-now"]
        return self._run([*options, *self._voice], "main_live")

    def _timed(self, run: Callable[[], float]) -> tuple[float, float]:
        began_s = time.perf_counter()
        peak = run()
        return time.perf_counter() - began_s, peak

    def _json(self, arguments: list[str]) -> Any:
        return json.loads(self._finished(arguments, "main")[0])

    def _run(self, arguments: list[str], entry: str = "main") -> float:
        return self._finished(arguments, entry)[1]

    def _finished(self, arguments: list[str], entry: str) -> tuple[str, float]:
        """What a command printed, and its peak memory in MiB."""
        script = (
            "import resource, sys\n"
            "from pathlib import Path\n"
            f"from gigmate.cli.main import {entry}\n"
            f"try: code = {entry}()\n"
            "except SystemExit as left: code = left.code\n"
            "told = Path('/proc/self/status')\n"  # ru_maxrss begins with what the parent had
            "text = told.read_text().split('VmHWM:')[1].split()[0] if told.exists() else ''\n"
            "print(text or resource.getrusage(resource.RUSAGE_SELF).ru_maxrss, file=sys.stderr)\n"
            "sys.exit(code)"
        )
        self._out.unlink(missing_ok=True)  # a file that is there is not written over
        environment: Mapping[str, str] = {**os.environ, "PYTHONPATH": str(self._link)}
        try:
            done = subprocess.run(
                [sys.executable, "-c", script, *arguments],
                capture_output=True, text=True, env=environment, cwd=self._out.parent, timeout=LIMIT_S, check=False,
            )  # fmt: skip
        except subprocess.TimeoutExpired:
            raise EngineError(f"{self._link.stem}: {' '.join(arguments[:3])} took more than {LIMIT_S:.0f} s") from None
        lines = done.stderr.strip().splitlines()
        if done.returncode or not lines or not lines[-1].isdigit():
            raise EngineError(f"{self._link.stem}: {' '.join(arguments[:3])}: {lines[-1] if lines else 'failed'}")
        unit = 1 if sys.platform == "darwin" else 1024
        return done.stdout, int(lines[-1]) * unit / 2**20
