"""Processes of this machine that do tasks. One that dies costs nothing but time. Main thread.

Each worker has a pipe of its own, so it is known which task a dead one had: that is done again by another, and after
MOST_TRIES deaths counts as what kills.
"""

from __future__ import annotations

import contextlib
import multiprocessing
import signal
from collections import Counter, deque
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from multiprocessing.connection import Connection, wait
from multiprocessing.process import BaseProcess
from pathlib import Path

from ...engine.errors import EngineError
from .work import Outcome, Task, do, sweep

MOST_TRIES = 2
_LOOK_EVERY_S = 0.5
"""Signals are looked for so often."""


def _work(pipe: Connection) -> None:
    """What a worker does, until the pipe is closed."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # a terminal sends Ctrl-C to all: who started us sees to it
    try:
        while True:
            pipe.send(do(pipe.recv()))
    except (EOFError, BrokenPipeError):
        return
    except Exception as error:  # noqa: BLE001 - weights that cannot be used, say: for whoever started us
        pipe.send(EngineError(" ".join(str(error).split())))


@dataclass(eq=False)
class _Worker:
    process: BaseProcess
    pipe: Connection
    task: Task | None = None


class LocalPool:
    """So many processes. Close it."""

    def __init__(self, workers: int) -> None:
        self._context = multiprocessing.get_context("spawn")
        self._workers = [self._start() for _ in range(workers)]

    def _start(self) -> _Worker:
        ours, theirs = self._context.Pipe()
        process = self._context.Process(target=_work, args=(theirs,), daemon=True)
        process.start()
        theirs.close()
        return _Worker(process, ours)

    def run(self, tasks: list[Task], say: Callable[[str], None]) -> Iterator[tuple[Task, Outcome] | None]:
        """See Pool."""
        waiting, tries = deque(tasks), Counter[Path]()
        while waiting or any(worker.task for worker in self._workers):
            for worker in self._workers:
                if worker.task is None and waiting:
                    worker.task = waiting.popleft()
                    with contextlib.suppress(OSError):  # where it is dead, which is seen below
                        worker.pipe.send(worker.task)
            busy = {worker.pipe: worker for worker in self._workers if worker.task is not None}
            ready = wait(list(busy), _LOOK_EVERY_S)
            for pipe in ready:
                worker = busy[pipe]  # type: ignore[index]
                task = worker.task
                assert task is not None
                try:
                    outcome = worker.pipe.recv()
                except (EOFError, OSError):
                    self._replace(worker)
                    tries[task.target] += 1
                    how = f"a worker ended {_how(worker.process)} over {task.completion.source.name}"
                    sweep(task)
                    if tries[task.target] < MOST_TRIES:
                        say(f"{how}: another one begins it again")
                        waiting.appendleft(task)
                        continue
                    outcome = Outcome(error=f"{how}, as did one before: is the file damaged?")
                worker.task = None
                if isinstance(outcome, EngineError):
                    raise outcome
                yield task, outcome
            yield None

    def _replace(self, worker: _Worker) -> None:
        worker.pipe.close()
        worker.process.join(5)
        self._workers[self._workers.index(worker)] = self._start()

    def close(self) -> None:
        """See Pool."""
        for worker in self._workers:
            worker.pipe.close()
            if worker.task is not None:
                worker.process.kill()
        for worker in self._workers:
            worker.process.join(5)
            if worker.process.is_alive():
                worker.process.kill()
            if worker.task is not None:
                sweep(worker.task)


def _how(process: BaseProcess) -> str:
    code = process.exitcode or 0
    return f"by signal {-code}" if code < 0 else f"with exit code {code}"
