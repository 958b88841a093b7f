"""A batch from begin to end: what is done already is left out, progress is shown, what failed is said. Main thread."""

from __future__ import annotations

import contextlib
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import NamedTuple

from ..signals import Interrupted, Signals
from .work import Outcome, Pool, Task, sweep

MOST_FAILURES_SHOWN = 20


class Summary(NamedTuple):
    """What became of all."""

    done: int
    skipped: int
    failed: dict[Path, str]
    music_s: float
    took_s: float

    def lines(self) -> list[str]:
        speed = f" ({self.music_s / self.took_s:.1f} times real time)" if self.took_s and self.music_s else ""
        first = f"{self.done} recordings, {self.music_s:.0f} s of music in {self.took_s:.0f} s{speed}"
        before = f"; {self.skipped} were done before" if self.skipped else ""
        failed = f"; {len(self.failed)} failed:" if self.failed else ""
        shown = [f"{path}: {line}" for path, line in list(self.failed.items())[:MOST_FAILURES_SHOWN]]
        more = len(self.failed) - len(shown)
        return [first + before + failed, *shown, *([f"... and {more} more"] if more else [])]


def run(pool: Pool, tasks: list[Task], signals: Signals) -> Summary:
    """Do all that is not done, and show how far it is. Raises Interrupted, which leaves what is done; EngineError."""
    left = [task for task in tasks if task.again or not task.target.exists()]
    skipped, done, music_s = len(tasks) - len(left), 0, 0.0
    failed: dict[Path, str] = {}
    began_s = time.monotonic()
    with _progress(len(tasks), skipped) as (step, say):
        for event in pool.run(left, say):
            if signals.exit_code is not None:
                there = sum(task.target.exists() for task in tasks)  # more than was told: the last came with the signal
                say(f"{there} of {len(tasks)} are done; give the same command to go on")
                raise Interrupted(signals.exit_code)
            if event is None:
                continue
            task, outcome = event
            sweep(task)  # what one that died over it has left
            if outcome.error is not None:
                failed[task.completion.source] = outcome.error
            elif outcome.skipped:
                skipped += 1
            else:
                done += 1
                music_s += outcome.seconds
            step(task, outcome)
    return Summary(done, skipped, failed, music_s, time.monotonic() - began_s)


Step = Callable[[Task, Outcome], None]


@contextlib.contextmanager
def _progress(total: int, before: int) -> Iterator[tuple[Step, Callable[[str], None]]]:
    """A bar with the time left on a terminal, else a line for each recording; on stderr."""
    stream = sys.stderr
    if not stream.isatty():
        count = before

        def step(task: Task, outcome: Outcome) -> None:
            nonlocal count
            count += 1
            print(f"{count} of {total}: {_told(task, outcome)}", file=stream, flush=True)

        yield step, lambda line: print(line, file=stream, flush=True)
        return
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

    columns = (BarColumn(), MofNCompleteColumn(), TimeRemainingColumn(), TextColumn("{task.description}"))
    with Progress(*columns, console=Console(file=stream), transient=True) as bar:
        shown = bar.add_task("", total=total, completed=before)

        def advance(task: Task, outcome: Outcome) -> None:
            bar.update(shown, advance=1, description=task.completion.source.name)
            if outcome.error is not None:
                bar.console.print(f"{task.completion.source}: {outcome.error}", markup=False, highlight=False)

        yield advance, lambda line: bar.console.print(line, markup=False, highlight=False)


def _told(task: Task, outcome: Outcome) -> str:
    if outcome.error is not None:
        return f"{task.completion.source}: failed: {outcome.error}"
    if outcome.skipped:
        return f"{task.target}: was done before"
    return f"{task.target} ({outcome.seconds:.1f} s in {outcome.took_s:.1f} s)"
