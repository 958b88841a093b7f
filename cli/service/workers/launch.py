"""How the server runs: in this process, or as a front with workers, which loads no band. Main thread."""

from __future__ import annotations

import asyncio
import contextlib
import socket
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from ....engine.errors import EngineError
from ...output_files import claimed
from ..service import Service
from ..service_limits import Limits
from ..spool import Spool
from ..watch import access_log
from ..watch.load import Load, measured_cost

if TYPE_CHECKING:
    from ....band import Band


class Asked(NamedTuple):
    """How it is to run. Any thread."""

    limits: Limits
    weights: Path | None = None
    access_log: str = "-"
    drain_s: float = 25.0
    spool: Path | None = None
    """Where jobs are kept, so that they outlive the server."""


@contextlib.contextmanager
def _queue(asked: Asked) -> Iterator[tuple[Path, Spool | None]]:
    """A folder for this run, and the queue that outlives it, if that is asked for. Raises EngineError where the queue
    cannot be, or is another server's."""
    with contextlib.ExitStack() as held, tempfile.TemporaryDirectory(prefix="gigmate-serve-") as run:
        spool = None
        if asked.spool is not None:
            try:
                spool = Spool(asked.spool)
                held.enter_context(claimed(asked.spool / "serving", "--spool"))
            except OSError as error:
                raise EngineError(f"--spool {asked.spool}: {error.strerror}: choose another folder") from None
            spool.all_died()
        yield Path(run), spool


def serve_alone(asked: Asked, token: str | None, listening: socket.socket, opened: Callable[[int], None]) -> int:
    """Serve in this process until a signal comes; `opened(room)` is called when it begins. Raises EngineError."""
    from .running import DrainingServer, server_config

    band = _load(asked.weights)
    load = Load(measured_cost(band), most=asked.limits.streams)
    with _queue(asked) as (_, spool):
        service = Service(load, spool, say=access_log.opened(asked.access_log))
        server = DrainingServer(server_config(band, asked.limits, token, service), asked.drain_s)
        opened(load.room)
        server.run(sockets=[listening])
        return server.exit_code


def serve_with_workers(asked: Asked, workers: int, listening: socket.socket, opened: Callable[[int], None]) -> int:
    """Serve with worker processes until a signal comes. Raises EngineError."""
    from .front import Front, Plan

    access_log.opened(asked.access_log)  # what cannot be written is said before they start
    with _queue(asked) as (run, spool):
        plan = Plan(workers, asked)
        front = Front(plan, listening, run, spool or Spool(run / "jobs"))
        return asyncio.run(front.run(lambda cost: opened(workers * Load(cost, plan.share, asked.limits.streams).room)))


def _load(weights: Path | None) -> Band:
    from ....band import Band

    return Band.load(weights)
