"""A queue of work in a folder, which several processes share: nothing in it is lost, and nothing is done twice.

Each piece of work has a folder of its own and a ticket, an empty file. Where the ticket lies says how far the work is,
and it is moved by renaming, which no two processes can do to one file:

    coming/WORKER/ID      its files are on their way
    queue/WHEN-TRIES-ID   it waits
    taken/WORKER/...      that worker does it
    ID/done.json          it is over, and this says how; no ticket any more

Knows neither sound nor HTTP. Any thread, any process.
"""

from __future__ import annotations

import contextlib
import json
import os
import re
import secrets
import shutil
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

from ...engine.errors import EngineError
from ...files.json_text import json_text
from ...files.whole import write_whole

try:
    import fcntl
except ImportError:  # Windows, where one process serves
    fcntl = None  # type: ignore[assignment]

DONE, CANCEL, PROGRESS = "done.json", "cancel", "progress.json"
MOST_TRIES = 2
"""Work that has ended so many workers ends as failed: it would end the next one too."""
_ID = re.compile(r"[A-Za-z0-9_-]{16}")
_PLACES = ("coming", "queue", "taken")


class Full(EngineError):
    """More work than is taken at once."""


class Claimed(NamedTuple):
    """Work that this process has taken. Any thread."""

    id: str
    folder: Path
    ticket: Path


class Spool:
    """One such folder, as the worker called `name` sees it."""

    def __init__(self, root: Path, name: str = "0") -> None:
        self.root, self.name = root, name
        for place in (*_PLACES, f"coming/{name}", f"taken/{name}"):
            (root / place).mkdir(parents=True, exist_ok=True)
        self._lock = threading.Lock()
        self.news = threading.Event()
        """Set where this process has put something into the queue."""

    def new(self, most_busy: int, most_kept: int) -> Path:
        """The folder of a new piece of work, whose files may come now. Raises Full."""
        with self._alone():
            busy, kept = self._busy(), len(self._done())
            if busy >= most_busy:
                raise Full(f"{busy} files are being processed or waiting: try again later")
            if kept >= most_kept:
                raise Full(f"{kept} results are waiting to be fetched: DELETE some, or try again later")
            made = secrets.token_urlsafe(12)
            (self.root / "coming" / self.name / made).touch()
        folder = self.root / made
        folder.mkdir()
        return folder

    def start(self, folder: Path) -> None:
        """All its files are there: whoever is free may take it."""
        ticket = self.root / "queue" / f"{time.time_ns():020d}-0-{folder.name}"
        (self.root / "coming" / self.name / folder.name).rename(ticket)
        self.news.set()

    def claim(self) -> Claimed | None:
        """Take what has waited longest; None: nothing waits."""
        for name in sorted(os.listdir(self.root / "queue")):
            ticket = self.root / "taken" / self.name / name
            try:
                (self.root / "queue" / name).rename(ticket)
            except FileNotFoundError:  # another was quicker
                continue
            made = _id_of(name)
            folder = self.root / made
            if not folder.is_dir():
                ticket.unlink(missing_ok=True)
                continue
            return Claimed(made, folder, ticket)
        return None

    def finish(self, work: Claimed, outcome: dict[str, Any]) -> None:
        """It is over; `outcome` is what is to be known of it. Cancelled work leaves nothing behind."""
        if outcome["state"] == "cancelled" or (work.folder / CANCEL).exists() or not work.folder.is_dir():
            shutil.rmtree(work.folder, ignore_errors=True)
        else:
            write_whole(work.folder / DONE, json_text({**outcome, "ended_s": time.time()}).encode())
        work.ticket.unlink(missing_ok=True)
        if (
            work.folder / CANCEL
        ).exists():  # cancelled meanwhile, by somebody who still saw the ticket and left it to us
            shutil.rmtree(work.folder, ignore_errors=True)

    def give_back(self, work: Claimed) -> None:
        """Unfinished: another may take it, before all that came later."""
        work.ticket.rename(self.root / "queue" / work.ticket.name)

    def died(self, name: str) -> int:
        """The worker of that name has ended in the middle: what it did waits again, at most MOST_TRIES times; what it
        was being sent is dropped. How many pieces of work wait again."""
        again = 0
        for ticket in _listed(self.root / "taken" / name):
            made = _id_of(ticket.name)
            folder = self.root / made
            when, tries, _ = ticket.name.split("-", 2)
            if (folder / DONE).exists() or not folder.is_dir():
                ticket.unlink(missing_ok=True)
            elif int(tries) + 1 >= MOST_TRIES:
                line = "the worker died over this file, twice: is it damaged?"
                self.finish(Claimed(made, folder, ticket), {"state": "failed", "error": line, "status": 500})
            else:
                ticket.rename(self.root / "queue" / f"{when}-{int(tries) + 1}-{made}")
                again += 1
        for ticket in _listed(self.root / "coming" / name):
            shutil.rmtree(self.root / ticket.name, ignore_errors=True)
            ticket.unlink(missing_ok=True)
        return again

    def all_died(self) -> int:
        """As `died`, for every worker: what an earlier server left behind."""
        names = {path.name for place in ("coming", "taken") for path in _listed(self.root / place)}
        return sum(self.died(name) for name in sorted(names))

    def folder(self, made: str) -> Path | None:
        """The folder of the work with that id, or None."""
        folder = self.root / made
        return folder if _ID.fullmatch(made) and folder.is_dir() else None

    def state(self, folder: Path) -> str:
        """waiting, working, done, failed or cancelled."""
        done = read_json(folder / DONE)
        if done is not None:
            return str(done["state"])
        if (folder / CANCEL).exists() or not folder.is_dir():
            return "cancelled"
        return "working" if any(_id_of(ticket.name) == folder.name for ticket in self._taken()) else "waiting"

    def remove(self, folder: Path) -> None:
        """Cancel it, or forget it: its files go as soon as nobody works on them."""
        with contextlib.suppress(OSError):
            (folder / CANCEL).touch()
        for ticket in (*_listed(self.root / "queue"), *_listed(self.root / "coming" / self.name)):
            if ticket.name.endswith(folder.name):
                with contextlib.suppress(FileNotFoundError):
                    ticket.unlink()
                    break
        else:
            if any(ticket.name.endswith(folder.name) for ticket in self._taken()):
                return  # whoever works on it looks at the mark, and sweeps up
        shutil.rmtree(folder, ignore_errors=True)

    def sweep(self, keep_s: float) -> None:
        """Forget what was ready long ago."""
        for folder in self._done():
            done = read_json(folder / DONE)
            if done is not None and time.time() - float(done.get("ended_s", 0.0)) > keep_s:
                self.remove(folder)

    def counts(self) -> dict[str, int]:
        """How many are waiting, working, done and failed."""
        states = [str((read_json(folder / DONE) or {}).get("state")) for folder in self._done()]
        working = sum(1 for _ in self._taken())
        return {
            "waiting": self._busy() - working,
            "working": working,
            "done": states.count("done"),
            "failed": states.count("failed"),
        }

    def _busy(self) -> int:
        coming = sum(1 for worker in _listed(self.root / "coming") for _ in _listed(worker))
        return coming + sum(1 for _ in _listed(self.root / "queue")) + sum(1 for _ in self._taken())

    def _taken(self) -> Iterator[Path]:
        for worker in _listed(self.root / "taken"):
            yield from _listed(worker)

    def _done(self) -> list[Path]:
        return [path for path in _listed(self.root) if _ID.fullmatch(path.name) and (path / DONE).exists()]

    @contextlib.contextmanager
    def _alone(self) -> Iterator[None]:
        """Held by one thread of one process."""
        with self._lock:
            if fcntl is None:
                yield
                return
            handle = os.open(self.root, os.O_RDONLY)
            try:
                fcntl.flock(handle, fcntl.LOCK_EX)
                yield
            finally:
                os.close(handle)


def read_json(path: Path) -> dict[str, Any] | None:
    """What the file says, or None where there is none (yet)."""
    try:
        value = json.loads(path.read_bytes())
    except (OSError, ValueError):
        return None
    return value if isinstance(value, dict) else None


def _id_of(ticket: str) -> str:
    return ticket.split("-", 2)[2]


def _listed(folder: Path) -> list[Path]:
    try:
        return sorted(folder.iterdir())
    except (FileNotFoundError, NotADirectoryError):
        return []
