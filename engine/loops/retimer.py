"""Brings a loop to another length without changing its pitch, by a library in a process of its own.

Knows no musical time. The process is waited for by a thread, `gigmate-loop-stretch`; the band never waits.
"""

from __future__ import annotations

import importlib.util
import subprocess
import sys
import threading
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from .loop_sound import LoopSound

Array = NDArray[np.float32]
LIBRARY = "python_stretch"
_CHILD = Path(__file__).with_name("stretch_child.py")
_PAD_S = 0.25
"""Heard before and after, so that the seam is stretched as the rest is."""
_TIMEOUT_S = 60.0


@dataclass
class _Job:
    loop: LoopSound
    version: int
    offsets: tuple[int, ...]
    takes: list[Array] | None = None
    trouble: str = ""
    done: bool = False


class Retimer:
    """One loop at a time. Inference thread only, but for the thread that waits."""

    def __init__(self, rate_hz: int) -> None:
        self._rate_hz = rate_hz
        self._job: _Job | None = None
        self.available = importlib.util.find_spec(LIBRARY) is not None
        """Whether the library is there."""

    def ask(self, loop: LoopSound, length: int) -> None:
        """Begin to bring the loop to that length; what was asked for before is forgotten."""
        job = self._job
        if job is not None and (job.loop, job.version, job.offsets[-1]) == (loop, loop.version, length):
            return
        offsets = tuple(round(offset * length / loop.length) for offset in loop.offsets)
        job = self._job = _Job(loop, loop.version, offsets)
        takes = [take.copy() for take in loop.takes]
        threading.Thread(target=self._work, args=(job, takes), name="gigmate-loop-stretch", daemon=True).start()

    def forget(self) -> None:
        """Nobody wants it any more."""
        self._job = None

    def take(self) -> LoopSound | str | None:
        """The loop at the length asked for, once; why that cannot be; or None: not yet."""
        job = self._job
        if job is None or not job.done:
            return None
        self._job = None
        return job.loop.at_length(job.offsets, job.takes) if job.takes is not None else job.trouble

    def _work(self, job: _Job, takes: list[Array]) -> None:
        length, samples = job.offsets[-1], takes[0].size
        pad = round(_PAD_S * self._rate_hz)
        around = np.arange(-pad, samples + pad) % samples
        head = f"{self._rate_hz} {len(takes)} {samples} {pad} {length}\n".encode()
        sound = np.stack([take[around] for take in takes])
        try:
            child = subprocess.run(
                [sys.executable, str(_CHILD)], input=head + sound.tobytes(), capture_output=True, timeout=_TIMEOUT_S
            )
            made = np.frombuffer(child.stdout, np.float32)
            if child.returncode == 0 and made.size == len(takes) * length:
                job.takes = [take.copy() for take in made.reshape(len(takes), length)]
            else:
                said = child.stderr.decode("utf-8", "replace").strip().splitlines()
                job.trouble = said[-1][:160] if said else f"exit code {child.returncode}"
        except (OSError, subprocess.SubprocessError) as error:
            job.trouble = str(error)[:160]
        job.done = True
