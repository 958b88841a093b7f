"""Files that are completed in the background: what is asked for as a folder of the queue, workers, progress, results.

Knows no HTTP. Methods may be called from any thread; the work is done in threads of its own, which may as well run in
other processes with the same queue (spool.py).
"""

from __future__ import annotations

import contextlib
import shutil
import sys
import tempfile
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, fields
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ...engine.errors import ConfigError, EngineError
from ...files.json_text import json_text
from ...files.whole import write_whole
from ...sheets.library import chart_of_bytes, chart_of_text
from .. import complete_job
from ..complete_job import Cancelled, Completion, Progress
from ..sound_files import NoSound, TooLong
from .service_limits import Limits
from .spool import CANCEL, DONE, PROGRESS, Claimed, Full, Spool, read_json

if TYPE_CHECKING:
    from ...band import Band
    from ...engine.charts.chart import Chart

SOURCE, RESULT, NOTES = "request", "band.wav", "band.mid"
_WANTED, _CHART = "wanted.json", "chart"
_LOOK_EVERY_S = 0.2
_SAY_EVERY_S = 0.25
_PATHS = ("source", "target", "stems", "midi")
_TUPLES = ("parts", "input_channels")


@dataclass(frozen=True, slots=True)
class GivenChart:
    """A chart as it was sent: what another process reads it from again. Any thread."""

    data: bytes
    name: str | None
    """Of the file; None: it was sent as a text."""

    def read(self) -> Chart:
        """Raises ChartError."""
        if self.name is None:
            return chart_of_text(self.data.decode())
        return chart_of_bytes(self.data, self.name, "chart_file")


@dataclass(frozen=True, slots=True)
class Asked:
    """What a client asks for. The completion's own chart is that which was given, read. Any thread."""

    completion: Completion
    chart: GivenChart | None = None

    def write(self, folder: Path) -> None:
        """For whoever does the work, beside the recording. Raises OSError."""
        values = {
            field.name: getattr(self.completion, field.name)
            for field in fields(Completion)
            if field.name not in ("chart", "most_s", "most_bytes")
        }
        if self.chart is not None:
            values["chart_name"] = self.chart.name
            write_whole(folder / _CHART, self.chart.data)
        limits = {"most_s": self.completion.most_s, "most_bytes": self.completion.most_bytes}
        write_whole(folder / _WANTED, json_text({**values, **limits}).encode())

    @staticmethod
    def read(folder: Path) -> Completion:
        """The completion of a folder, with its files in it. Raises EngineError for what is none (any longer)."""
        values = read_json(folder / _WANTED)
        if values is None:
            raise EngineError("what was asked for cannot be read any longer: ask again")
        chart = None
        if "chart_name" in values:
            chart = GivenChart((folder / _CHART).read_bytes(), values.pop("chart_name")).read()
        for name in _PATHS:
            values[name] = None if values[name] is None else folder / values[name]
        for name in _TUPLES:
            values[name] = None if values[name] is None else tuple(values[name])
        for name in ("most_s", "most_bytes"):  # JSON has no infinity
            values[name] = float("inf") if values[name] is None else values[name]
        return Completion(**values, chart=chart)


@dataclass(frozen=True, slots=True)
class Job:
    """One file that somebody has asked for. `state` is waiting, working, done, failed or cancelled. Any thread."""

    id: str
    folder: Path
    spool: Spool

    @property
    def ended(self) -> bool:
        return not self.folder.is_dir() or (self.folder / DONE).exists()

    @property
    def outcome(self) -> dict[str, Any]:
        """What is known of work that is over: state; error and status; seconds, ahead_frames, remarks."""
        return read_json(self.folder / DONE) or {"state": self.spool.state(self.folder)}

    @property
    def result(self) -> Path:
        """The file that was made."""
        notes = self.folder / NOTES
        return notes if notes.exists() else self.folder / RESULT

    def shown(self) -> dict[str, Any]:
        """As plain values for a client."""
        outcome, told = self.outcome, read_json(self.folder / PROGRESS) or {}
        done_s, total_s, took_s = told.get("done_s", 0.0), told.get("total_s"), told.get("took_s", 0.0)
        if "seconds" in outcome:
            done_s = total_s = outcome["seconds"]
        left_s = None
        if outcome["state"] == "working" and total_s and done_s > 0:
            left_s = round(took_s * (total_s - done_s) / done_s, 1)
        return {
            "id": self.id,
            "state": outcome["state"],
            "done_s": round(done_s, 3),
            "total_s": None if total_s is None else round(total_s, 3),
            "left_s": left_s,
            "error": outcome.get("error"),
            "ahead_frames": outcome.get("ahead_frames"),
            "remarks": outcome.get("remarks", []),
        }


def status_of(error: Exception) -> int:
    """The HTTP status that says what is wrong."""
    if isinstance(error, TooLong):
        return 413
    if isinstance(error, NoSound):
        return 415
    if isinstance(error, ConfigError):
        return 400
    return 503 if isinstance(error, Full) else 500


class Jobs:
    """The jobs of a server, as one of its processes sees them. `close` ends the work; a queue of its own goes with it.

    `workers` None: as many threads as the limits say; 0: the work is done in other processes.
    """

    def __init__(
        self, band: Band, limits: Limits, spool: Spool | None = None, workers: int | None = None,
        give_way: Callable[[float], None] = lambda worked_s: None,
    ) -> None:  # fmt: skip
        self._band, self._limits, self._give_way = band, limits, give_way
        self._own = None if spool is not None else Path(tempfile.mkdtemp(prefix="gigmate-serve-"))
        self.spool = spool or Spool(self._own or Path())
        self._closing, self._patient = threading.Event(), threading.Event()
        count = limits.files if workers is None else workers
        self._threads = [
            threading.Thread(target=self._run, name=f"gigmate-job-{number}", daemon=True) for number in range(count)
        ]
        for thread in self._threads:
            thread.start()

    def new(self) -> Job:
        """A job with an empty folder, which takes one of the places. Raises Full."""
        self.sweep()
        folder = self.spool.new(self._limits.files + self._limits.waiting, self._limits.kept)
        return Job(folder.name, folder, self.spool)

    def start(self, job: Job, asked: Asked) -> None:
        """Queue it: the recording is in its folder. Raises OSError."""
        asked.write(job.folder)
        self.spool.start(job.folder)

    def get(self, job_id: str) -> Job | None:
        folder = self.spool.folder(job_id)
        return None if folder is None or (folder / CANCEL).exists() else Job(job_id, folder, self.spool)

    def remove(self, job: Job) -> None:
        """Cancel it, or forget it: its files go as soon as nobody works on them."""
        self.spool.remove(job.folder)

    def sweep(self) -> None:
        """Forget what was ready long ago."""
        self.spool.sweep(self._limits.keep_s)

    @property
    def counts(self) -> dict[str, int]:
        return self.spool.counts()

    @property
    def has_work(self) -> bool:
        """Whether this process works on a file, or would be the only one to take what waits."""
        counts = self.counts if self._own is not None else {"waiting": 0, "working": 0}
        mine = self.spool.root / "taken" / self.spool.name
        return bool(counts["waiting"] + counts["working"] or any(mine.iterdir()))

    def rest(self) -> None:
        """Take nothing new: what waits stays for another server, where the queue outlives this one."""
        if self._own is None:
            self._patient.set()

    def close(self) -> None:
        """End the work; what is not finished waits again, or is gone with a queue of this server's own."""
        self._closing.set()
        for thread in self._threads:
            thread.join()
        if self._own is not None:
            shutil.rmtree(self._own, ignore_errors=True)

    def _run(self) -> None:
        while not self._closing.is_set():
            work = None if self._patient.is_set() else self.spool.claim()
            if work is None:
                self.spool.news.wait(_LOOK_EVERY_S)
                self.spool.news.clear()
                continue
            try:
                self._work(work)
            except OSError as error:  # a full disk: what was made goes, so that others find room
                print(
                    f"gigmate: a file was given up ({error.strerror}): make room in {self.spool.root}", file=sys.stderr
                )
                self.spool.finish(work, {"state": "cancelled"})

    def _work(self, work: Claimed) -> None:
        began_s = time.monotonic()
        said_s = told_s = began_s

        def told(progress: Progress) -> None:
            nonlocal said_s, told_s
            now_s = time.monotonic()
            if now_s - said_s >= _SAY_EVERY_S:
                said_s = now_s
                values = {"done_s": progress.done_s, "total_s": progress.total_s, "took_s": now_s - began_s}
                with contextlib.suppress(OSError):  # news that nobody needs to finish
                    write_whole(work.folder / PROGRESS, json_text(values).encode())
            self._give_way(now_s - told_s)
            told_s = time.monotonic()

        def cancelled() -> bool:
            return self._closing.is_set() or (work.folder / CANCEL).exists() or not work.folder.is_dir()

        try:
            outcome = self._outcome(work, told, cancelled)
        finally:
            for name in (SOURCE, _CHART):
                if not self._closing.is_set():
                    (work.folder / name).unlink(missing_ok=True)
        if outcome["state"] == "cancelled" and self._closing.is_set() and not (work.folder / CANCEL).exists():
            self.spool.give_back(work)
        else:
            self.spool.finish(work, outcome)

    def _outcome(
        self, work: Claimed, told: Callable[[Progress], None], cancelled: Callable[[], bool]
    ) -> dict[str, Any]:
        """What `Spool.finish` takes."""
        try:
            if cancelled():
                raise Cancelled
            made = complete_job.complete(self._band, Asked.read(work.folder), told, cancelled)
        except Cancelled:
            return {"state": "cancelled"}
        except Exception as error:  # noqa: BLE001 - carried to whoever asks for the result
            return {"state": "failed", "error": " ".join(str(error).split()), "status": status_of(error)}
        return {
            "state": "done",
            "seconds": made.seconds,
            "ahead_frames": made.ahead_frames,
            "remarks": list(made.remarks),
        }
