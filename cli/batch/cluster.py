"""Workers of a Dask cluster that do tasks: `--cluster tcp://scheduler:8786`. Main thread.

The scheduler gives a task whose worker died to another one. The files are named as they are here: every worker must
see them under the same paths, and have this GigMate installed.
"""

from __future__ import annotations

import time
import uuid
from collections.abc import Callable, Iterator
from concurrent.futures import CancelledError
from typing import Any

from ...engine.errors import ConfigError, EngineError
from ..extras import need
from .work import Outcome, Task, do

MOST_TRIES = 2
_OPEN_S = 10.0
_LOOK_EVERY_S = 0.2
_AGAIN = "give the same command to go on"
_PATIENCE_S = 60.0
"""Without any worker for so long, the batch ends."""


class ClusterPool:
    """A cluster that is running. Close it. Raises EngineError where no scheduler answers."""

    def __init__(self, address: str) -> None:
        need("distributed")
        from distributed import Client

        wrong = ConfigError(f"--cluster {address}: give the scheduler's address, such as tcp://192.168.1.20:8786")
        if " " in address or not address.rpartition(":")[2].isdigit():
            raise wrong
        self._address = address
        try:
            self._client: Any = Client(address, timeout=_OPEN_S)
        except (OSError, TimeoutError):
            raise EngineError(f"--cluster {address}: no scheduler answers: start `dask scheduler` there") from None
        except ValueError:
            raise wrong from None

    def run(self, tasks: list[Task], say: Callable[[str], None]) -> Iterator[tuple[Task, Outcome] | None]:
        """See Pool."""
        from distributed import KilledWorker, as_completed
        from distributed.comm import CommClosedError

        run = uuid.uuid4().hex[:8]
        futures = {
            self._client.submit(do, task, pure=False, retries=MOST_TRIES - 1, key=f"gigmate-{run}-{number}"): task
            for number, task in enumerate(tasks)
        }
        coming, watch = as_completed(list(futures), with_results=False), _Watch(self._client, self._address, say)
        while futures:
            while not coming.has_ready():
                watch.look()
                yield None
                time.sleep(_LOOK_EVERY_S)
            future = next(coming)
            task = futures.pop(future)
            try:
                outcome = future.result()
            except KilledWorker:
                outcome = Outcome(error=f"several workers died over {task.completion.source.name}: is it damaged?")
            except (CancelledError, CommClosedError):
                raise EngineError(f"--cluster {self._address}: the scheduler has gone: {_AGAIN}") from None
            except ModuleNotFoundError as error:
                raise EngineError(
                    f"--cluster {self._address}: a worker has no {error.name}: install GigMate there"
                ) from None
            future.release()  # a result that is held is made again where its worker dies
            yield task, outcome

    def close(self) -> None:
        """See Pool."""
        self._client.close()


class _Watch:
    """Who is there, again and again. Main thread."""

    def __init__(self, client: Any, address: str, say: Callable[[str], None]) -> None:
        self._client, self._address, self._say = client, address, say
        self._workers: set[str] = set()
        self._seen_s = time.monotonic()

    def look(self) -> None:
        """Say which workers have come and gone. Raises EngineError where none is left for long."""
        try:
            now = set(self._client.nthreads())
        except (OSError, TimeoutError, RuntimeError):
            now = set()
        for gone in sorted(self._workers - now):
            self._say(f"the worker at {gone} is gone: others do what it had")
        if now - self._workers:
            self._say(f"{len(now)} workers")
        self._workers = now
        if now:
            self._seen_s = time.monotonic()
        elif time.monotonic() - self._seen_s > _PATIENCE_S:
            raise EngineError(
                f"--cluster {self._address}: no worker for {_PATIENCE_S:g} s: start `dask worker`, and {_AGAIN}"
            )
