"""`gigmate complete` of several recordings: which they are, who does them, and what came of it. Main thread."""

from __future__ import annotations

import os
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from ...engine.errors import ConfigError, EngineError
from ..complete_job import Completion
from ..output_files import claimed
from ..signals import Interrupted, Signals
from .recordings import recordings
from .work import Pool, Task, sweep

if TYPE_CHECKING:
    from collections.abc import Sequence

MOST_JOBS = 256
_STALE_S = 3600.0
"""Half a result that nobody has touched for so long is a dead worker's."""


class Means(NamedTuple):
    """By what it is done. Any thread."""

    jobs: int | None = None
    cluster: str | None = None
    weights: Path | None = None
    force: bool = False


def complete_many(wanted: Completion, named: Sequence[Path], output: Path | None, means: Means) -> int:
    """Complete them all as `wanted` says; the exit code: 1 where one failed. Raises ConfigError, EngineError."""
    if means.jobs is not None and not 1 <= means.jobs <= MOST_JOBS:
        raise ConfigError(f"--jobs {means.jobs}: give 1 to {MOST_JOBS}")
    if means.jobs is not None and means.cluster is not None:
        raise ConfigError("--jobs and --cluster: give one of them: the cluster has as many as it has workers")
    if output is not None and output.exists() and not output.is_dir():
        raise ConfigError(f"--output {output}: is a file: give a folder for the results of several recordings")
    pairs = recordings(named, output)
    place = output or pairs[0][1].parent
    weights = None if means.weights is None else str(means.weights.resolve())
    tasks = []
    for source, target in pairs:
        one = replace(wanted, source=source.resolve(), target=target.resolve())
        one.check()
        tasks.append(Task(one, weights, means.force))
    try:
        place.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise EngineError(f"--output {place}: {error.strerror}: choose another folder") from None
    lock = place / ".gigmate-batch"
    with claimed(lock, "complete"), Signals() as signals:
        try:
            for task in tasks:
                sweep(task, _STALE_S)
            return _run(tasks, means, signals)
        except Interrupted as interrupted:
            return interrupted.code
        finally:
            lock.unlink(missing_ok=True)  # also that of a batch that was killed


def _run(tasks: list[Task], means: Means, signals: Signals) -> int:
    from .batch import run

    left = sum(task.again or not task.target.exists() for task in tasks)
    pool = _pool(means, left)
    try:
        summary = run(pool, tasks, signals)
    finally:
        pool.close()
    for line in summary.lines():
        print(line)
    return 1 if summary.failed else 0


def _pool(means: Means, left: int) -> Pool:
    if means.cluster is not None:
        from .cluster import ClusterPool

        return ClusterPool(means.cluster)
    from .local_pool import LocalPool

    return LocalPool(min(means.jobs or os.cpu_count() or 1, left))
