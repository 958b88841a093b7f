"""Benchmarks several bands at once, spread over processes as `gigmate serve --workers` spreads them.

Each process loads a band of its own; all begin a round together. Main thread; the processes are this module's own.
"""

from __future__ import annotations

import contextlib
import multiprocessing
import signal
from collections.abc import Iterator
from multiprocessing.connection import Connection
from typing import Any

from ...band import Band
from ...engine.errors import EngineError
from ...model.weights_file import CheckpointError
from .bench_streams import Round, figures_of
from .peak_memory import peak_mib

_END_S = 5.0


def measure_workers(streams: int, workers: int, seconds: float) -> dict[str, Any]:
    """Figures of so many bands in `workers` processes, 1 to `streams`: those of `measure_streams`, and `peak_mib`, the
    most memory that the processes held, together. Raises EngineError where one of them fails.
    """
    shares = [streams // workers + (number < streams % workers) for number in range(workers)]
    with _processes(shares, seconds) as pipes:
        rounds = []
        for _ in ("free", "paced"):
            for pipe in pipes:
                _told(pipe)  # its streams are there
            for pipe in pipes:
                pipe.send("play")
            rounds.append([_told(pipe) for pipe in pipes])
        free, paced = rounds
        peaks_mib = [_told(pipe) for pipe in pipes]
    return {"workers": workers, **figures_of(free, paced, seconds), "peak_mib": sum(peaks_mib)}


def _told(pipe: Connection) -> Any:
    """What a process has to say next. Raises EngineError where that is why it failed, or nothing."""
    try:
        told = pipe.recv()
    except EOFError:
        raise EngineError("a process of the benchmark ended: too little memory? Take fewer --workers") from None
    if isinstance(told, EngineError):
        raise told
    return told


@contextlib.contextmanager
def _processes(shares: list[int], seconds: float) -> Iterator[list[Connection]]:
    """A process for each share of the streams; none is left over."""
    context = multiprocessing.get_context("spawn")  # a fork of a process that has threads may hang
    pipes, started = [], []
    try:
        for share in shares:
            ours, theirs = context.Pipe()
            process = context.Process(target=work, args=(theirs, share, seconds), daemon=True)
            process.start()
            theirs.close()
            pipes.append(ours)
            started.append(process)
        yield pipes
    finally:
        for pipe in pipes:
            pipe.close()  # who waits for it ends
        for process in started:
            process.join(_END_S)
            if process.is_alive():
                process.kill()


def work(pipe: Connection, streams: int, seconds: float) -> None:
    """In a process of its own: make the streams of a round, say so, and play it when told to."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # who started us ends us
    try:
        band = Band.load()
        for paced in (False, True):
            _play(pipe, Round(band, streams, seconds, paced))
        pipe.send(peak_mib() or 0.0)
    except (EngineError, CheckpointError) as error:
        pipe.send(EngineError(str(error)))
    except (EOFError, BrokenPipeError):
        return  # who asked has gone


def _play(pipe: Connection, ready: Round) -> None:
    """One round; its streams are gone before those of the next are made."""
    pipe.send("ready")
    pipe.recv()
    pipe.send(ready.play())
