"""The jobs of the server: a bounded queue, workers, progress, cancelling, and cleaning up of files.

Knows no HTTP. Methods may be called from any thread; the work is done in threads of its own.
"""

from __future__ import annotations

import secrets
import shutil
import tempfile
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ...engine.errors import EngineError
from .. import complete_job
from ..complete_job import (
    Cancelled,
    Completed,
    Completion,
    Progress,
)
from .service_limits import Limits

if TYPE_CHECKING:
    from ...band import Band


class Full(EngineError):
    """More work than is taken at once."""


@dataclass
class Job:
    """One file. `state` is waiting, working, done, failed or cancelled."""

    id: str
    folder: Path
    state: str = "waiting"
    progress: Progress | None = None
    error: Exception | None = None
    result: Completed | None = None
    began_s: float = 0.0
    ended_s: float | None = None
    cancelled: threading.Event = field(default_factory=threading.Event)
    ended: threading.Event = field(default_factory=threading.Event)

    def shown(self) -> dict[str, Any]:
        """As plain values for a client."""
        done_s, total_s = (self.progress.done_s, self.progress.total_s) if self.progress else (0.0, None)
        left_s = None
        if self.state == "working" and total_s and done_s > 0:
            left_s = round((time.monotonic() - self.began_s) * (total_s - done_s) / done_s, 1)
        return {
            "id": self.id,
            "state": self.state,
            "done_s": round(done_s, 3),
            "total_s": None if total_s is None else round(total_s, 3),
            "left_s": left_s,
            "error": None if self.error is None else " ".join(str(self.error).split()),
            "ahead_frames": None if self.result is None else self.result.ahead_frames,
            "remarks": [] if self.result is None else list(self.result.remarks),
        }


class Jobs:
    """All jobs of one server. `close` cancels what runs and removes every file."""

    def __init__(self, band: Band, limits: Limits) -> None:
        self._band, self._limits = band, limits
        self._root = Path(tempfile.mkdtemp(prefix="gigmate-serve-"))
        self._jobs: dict[str, Job] = {}
        self._lock = threading.Lock()
        self._pool = ThreadPoolExecutor(limits.workers, thread_name_prefix="gigmate-job")

    def new(self) -> Job:
        """A job with an empty folder, which takes one of the places. Raises Full."""
        self.sweep()
        with self._lock:
            busy = sum(job.ended_s is None for job in self._jobs.values())
            if busy >= self._limits.workers + self._limits.waiting:
                raise Full(f"{busy} files are being processed or waiting: try again later")
            if len(self._jobs) - busy >= self._limits.kept:
                raise Full(
                    f"{len(self._jobs) - busy} results are waiting to be fetched: DELETE some, or try again later"
                )
            job = Job(secrets.token_urlsafe(12), self._root / secrets.token_hex(8))
            self._jobs[job.id] = job
        job.folder.mkdir()
        return job

    def start(self, job: Job, wanted: Completion) -> None:
        """Queue it: what it says of source and target is taken within the job's folder."""
        wanted = replace(wanted, source=job.folder / wanted.source.name)
        if wanted.target is not None:
            wanted = replace(wanted, target=job.folder / wanted.target.name)
        if wanted.midi is not None:
            wanted = replace(wanted, midi=job.folder / wanted.midi.name)
        self._pool.submit(self._work, job, wanted)

    def get(self, job_id: str) -> Job | None:
        with self._lock:
            return self._jobs.get(job_id)

    def remove(self, job: Job) -> None:
        """Cancel it, or forget it: its files go as soon as nobody works on them."""
        job.cancelled.set()
        with self._lock:
            self._jobs.pop(job.id, None)
            idle = job.ended_s is not None or job.state == "waiting"
        if idle:
            shutil.rmtree(job.folder, ignore_errors=True)

    def sweep(self) -> None:
        """Forget what was ready long ago."""
        now_s = time.monotonic()
        with self._lock:
            old = [job for job in self._jobs.values() if job.ended_s and now_s - job.ended_s > self._limits.keep_s]
        for job in old:
            self.remove(job)

    @property
    def counts(self) -> dict[str, int]:
        with self._lock:
            states = [job.state for job in self._jobs.values()]
        return {state: states.count(state) for state in ("waiting", "working", "done", "failed")}

    def close(self) -> None:
        """Cancel everything, wait for the workers, remove all files."""
        with self._lock:
            jobs = list(self._jobs.values())
        for job in jobs:
            job.cancelled.set()
        self._pool.shutdown(wait=True, cancel_futures=True)
        shutil.rmtree(self._root, ignore_errors=True)

    def _work(self, job: Job, wanted: Completion) -> None:
        def told(progress: Progress) -> None:
            job.progress = progress

        try:
            if job.cancelled.is_set():
                raise Cancelled
            job.state, job.began_s = "working", time.monotonic()
            job.result = complete_job.complete(self._band, wanted, told, job.cancelled.is_set)
            job.state = "done"
        except Cancelled:
            job.state = "cancelled"
        except Exception as error:  # noqa: BLE001 - carried to whoever asks for the result
            job.state, job.error = "failed", error
        finally:
            with self._lock:
                job.ended_s = time.monotonic()
                gone = job.id not in self._jobs
            if wanted.source.is_file():
                wanted.source.unlink(missing_ok=True)
            if gone or job.state != "done":
                shutil.rmtree(job.folder, ignore_errors=True)
            job.ended.set()
