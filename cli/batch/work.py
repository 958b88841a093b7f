"""One recording of a batch, as a worker completes it: in a process of this machine or of a cluster. Any process."""

from __future__ import annotations

import contextlib
import glob
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple, Protocol

from ...engine.errors import EngineError
from ..complete_job import Cancelled, Completion, complete

if TYPE_CHECKING:
    from ...band import Band


@dataclass(frozen=True, slots=True)
class Task:
    """What is to be made of one recording. Its target is written in one go: where it stands, the task is done."""

    completion: Completion
    weights: str | None = None
    again: bool = False
    """Done even where the target stands."""

    @property
    def target(self) -> Path:
        target = self.completion.target
        assert target is not None
        return target


class Outcome(NamedTuple):
    """What became of a task."""

    seconds: float = 0.0
    """Of music."""
    took_s: float = 0.0
    remarks: tuple[str, ...] = ()
    error: str | None = None
    skipped: bool = False
    """It was done before."""


class Pool(Protocol):
    """Workers that do tasks. One thread at a time."""

    def run(self, tasks: list[Task], say: Callable[[str], None]) -> Iterator[tuple[Task, Outcome] | None]:
        """Each task's outcome as it comes, once, and None now and then; `say` gets a line for what went wrong
        meanwhile. Raises EngineError where no worker is left."""

    def close(self) -> None:
        """Stop whatever is being done."""


def do(task: Task) -> Outcome:
    """Complete one recording; what is wrong with it is in the outcome. Raises CheckpointError, CompilerError."""
    if task.target.exists() and not task.again:
        return Outcome(skipped=True)
    band = _band(task.weights)
    began_s = time.monotonic()
    try:
        task.target.parent.mkdir(parents=True, exist_ok=True)
        made = complete(band, task.completion)
    except (EngineError, Cancelled) as error:
        return Outcome(error=" ".join(str(error).split()))
    except OSError as error:
        return Outcome(error=f"{error.filename or task.target}: {error.strerror}")
    return Outcome(made.seconds, time.monotonic() - began_s, made.remarks)


def sweep(task: Task, older_s: float = 0.0) -> None:
    """Remove what a dead worker had written of the target so far (cli/sound_files.py, Sink)."""
    for path in task.target.parent.glob(f".{glob.escape(task.target.name)}.????????.part"):
        with contextlib.suppress(FileNotFoundError):
            if time.time() - path.stat().st_mtime >= older_s:
                path.unlink()


@lru_cache(maxsize=1)
def _band(weights: str | None) -> Band:
    """Loaded once in each process."""
    from ...band import Band

    return Band.load(weights)
