"""The front of a server with several worker processes: accepts connections and hands them over, starts workers and
starts them again, and ends them well. Knows no HTTP but the first line of a request. POSIX only; event loop.

A stream goes to the worker with the most room, anything else to each in turn. The workers refuse what they cannot hold;
where the one with the most room cannot, nobody can.
"""

from __future__ import annotations

import asyncio
import contextlib
import itertools
import json
import os
import signal
import socket
import subprocess
import sys
import time
from collections import deque
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from ....engine.errors import EngineError
from ....files.json_text import json_text
from ....files.whole import write_whole
from ..spool import Spool
from ..watch import metrics
from ..watch.load import SHARE
from .handed_socket import hand_over
from .launch import Asked
from .orders import MOST_BYTES, line_of

STREAM_PATHS = ("/stream", "/player")
_HEAD_S, _HEAD_BYTES = 10.0, 4096
_PLACED_S = 1.0
"""For so long a connection that was handed over counts as a stream that the worker has not told of yet."""
_BOARD_S = 0.25
_LOAD_S = 600.0
_LAST_S = 8.0
"""Beyond the time for an end: then whoever is left is killed."""
_SHORT_LIFE_S, _MOST_SHORT_LIVES = 10.0, 5
_FULL = (
    b"HTTP/1.1 503 Service Unavailable\r\nRetry-After: 10\r\nConnection: close\r\nContent-Type: application/json\r\n"
    b'Content-Length: 61\r\n\r\n{"error": "no worker is ready to take this: try again later"}'
)


@dataclass(frozen=True, slots=True)
class Plan:
    """What is to be started. Any thread."""

    workers: int
    asked: Asked

    @property
    def share(self) -> float:
        """Of a core, for the streams of one worker."""
        return SHARE * min(1.0, (os.cpu_count() or 1) / self.workers)


@dataclass(eq=False)
class Worker:
    """One process, as the front knows it. Event loop only."""

    name: str
    role: str
    process: asyncio.subprocess.Process
    connections: socket.socket
    reader: asyncio.StreamReader
    writer: asyncio.StreamWriter
    began_s: float = field(default_factory=time.monotonic)
    ready: bool = False
    told: dict[str, Any] = field(default_factory=dict)
    placed: deque[float] = field(default_factory=deque)

    @property
    def room(self) -> int:
        now_s = time.monotonic()
        while self.placed and self.placed[0] < now_s - _PLACED_S:
            self.placed.popleft()
        return int(self.told.get("room", 0)) - len(self.placed)

    async def ask(self, **message: Any) -> None:
        with contextlib.suppress(OSError):
            self.writer.write(line_of(message))
            await self.writer.drain()

    async def answer(self, patience_s: float) -> dict[str, Any]:
        """The next line of it. Raises EngineError where it has ended or says what failed."""
        try:
            line = await asyncio.wait_for(self.reader.readline(), patience_s)
        except asyncio.TimeoutError:
            raise EngineError(f"worker {self.name} did not load in {patience_s:g} s: start again") from None
        if not line:
            raise EngineError(f"worker {self.name} ended while it loaded: see what it printed")
        told = dict(json.loads(line))
        if told.get("told") == "failed":
            raise EngineError(str(told["line"]))
        return told


class Front:
    """The whole server. `run` returns the exit code."""

    def __init__(self, plan: Plan, listening: socket.socket, folder: Path, spool: Spool) -> None:
        """`folder`: for what the processes tell each other; `spool`: the queue of files."""
        self._plan, self._listening, self._spool = plan, listening, spool
        self._board = folder / "board.json"
        self._workers: dict[str, Worker] = {}
        self._ended: metrics.Values = {}
        self._cost: float | None = None
        self._turn = itertools.count()
        self._exit_code: int | None = None
        self._fault: EngineError | None = None
        self._short_lives = 0
        self._over = asyncio.Event()
        self._tasks: set[asyncio.Task[None]] = set()

    async def run(self, opened: Any = lambda cost: None) -> int:
        """Serve until a signal comes. `opened(cost)` is called when connections are taken. Raises EngineError."""
        loop = asyncio.get_running_loop()
        for number in (signal.SIGINT, signal.SIGTERM):
            loop.add_signal_handler(number, self._signalled, number)
        try:
            await self._begin()
            self._listening.listen(512)
            self._listening.setblocking(False)
            opened(self._cost)
            accepting = self._go_on(self._accept())
            self._go_on(self._write_board())
            await self._over.wait()
            if self._exit_code is not None:
                await self._leave()
            accepting.cancel()
        finally:
            for worker in self._workers.values():
                if worker.process.returncode is None:
                    worker.process.kill()
            for task in list(self._tasks):
                task.cancel()
            await asyncio.gather(*self._tasks, return_exceptions=True)
            for number in (signal.SIGINT, signal.SIGTERM):
                loop.remove_signal_handler(number)
        if self._fault is not None:
            raise self._fault
        return self._exit_code or 0

    def _go_on(self, work: Any) -> asyncio.Task[None]:
        task = asyncio.ensure_future(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        return task

    def _signalled(self, number: int) -> None:
        if self._exit_code is not None:  # the second one: at once
            for worker in self._workers.values():
                with contextlib.suppress(ProcessLookupError):
                    worker.process.kill()
        self._exit_code = 128 + number
        self._over.set()

    # ------------------------------------------------------------------------------------------- worker processes

    async def _begin(self) -> None:
        names = [(str(number + 1), "streams") for number in range(self._plan.workers)]
        names += [(f"files-{number + 1}", "files") for number in range(self._plan.asked.limits.files)]
        first = await self._start(*names[0])
        await self._loaded(first)
        await first.ask(do="measure")  # so that it compiles, on a new machine, what the others then find compiled
        await first.answer(_LOAD_S)
        started = [first, *[await self._start(name, role) for name, role in names[1:]]]
        for worker in started[1:]:
            await self._loaded(worker)
        streams = [worker for worker in started if worker.role == "streams"]
        for worker in streams:
            await worker.ask(do="measure")
        answers = await asyncio.gather(*(worker.answer(_LOAD_S) for worker in streams))
        self._cost = max(float(answer["cost"]) for answer in answers)
        for worker in started:
            await self._open(worker)

    async def _start(self, name: str, role: str) -> Worker:
        ours, theirs = socket.socketpair()
        connections, handed = socket.socketpair()
        connections.setblocking(False)
        package = __package__ or ""
        process = await asyncio.create_subprocess_exec(
            sys.executable, "-m", f"{package}.process", str(theirs.fileno()), str(handed.fileno()),
            pass_fds=(theirs.fileno(), handed.fileno()), stdin=subprocess.DEVNULL,
            start_new_session=True,
        )  # fmt: skip
        theirs.close()
        handed.close()
        reader, writer = await asyncio.open_connection(sock=ours, limit=MOST_BYTES)
        worker = Worker(name, role, process, connections, reader, writer)
        self._workers[name] = worker
        await worker.ask(
            name=name,
            role=role,
            weights=None if self._plan.asked.weights is None else str(self._plan.asked.weights),
            limits=asdict(self._plan.asked.limits),
            spool=str(self._spool.root),
            board=str(self._board),
            access_log=self._plan.asked.access_log,
            share=self._plan.share,
            cost=self._cost,
        )
        return worker

    async def _loaded(self, worker: Worker) -> None:
        while (await worker.answer(_LOAD_S)).get("told") != "loaded":
            pass

    async def _open(self, worker: Worker) -> None:
        """It may be given connections from now on."""
        if worker.role == "streams":
            await worker.ask(do="open", cost=self._cost)
        worker.ready = True
        self._go_on(self._listen_to(worker))

    async def _listen_to(self, worker: Worker) -> None:
        """Take its reports until it ends; start another in its place, if it should not have."""
        while line := await worker.reader.readline():
            worker.told = json.loads(line)
        worker.ready = False
        code = await worker.process.wait()
        worker.connections.close()
        worker.writer.close()
        self._workers.pop(worker.name, None)
        self._ended = metrics.summed([self._ended, worker.told.get("counters", {})])
        if self._exit_code is None:
            await self._again(worker, code)

    async def _again(self, worker: Worker, code: int) -> None:
        again = self._spool.died(worker.name)
        self._ended = metrics.summed([self._ended, {"worker_deaths": 1.0}])
        how = f"by signal {-code}" if code < 0 else f"with exit code {code}"
        lost = int(worker.told.get("streams", 0))
        print(
            f"gigmate: worker {worker.name} (process {worker.process.pid}) ended {how}: {lost} streams are lost, "
            f"{again} files wait again, another one takes its place",
            file=sys.stderr,
            flush=True,
        )
        lived_s = time.monotonic() - worker.began_s
        short = self._short_lives = self._short_lives + 1 if lived_s < _SHORT_LIFE_S else 0
        if short >= _MOST_SHORT_LIVES:
            self._fault = EngineError("the workers end as soon as they begin: see what they printed, and start again")
            self._over.set()
            return
        await asyncio.sleep(min(0.2 * 2**short, 5.0) if short else 0.0)
        try:
            begun = await self._start(worker.name, worker.role)
            await self._loaded(begun)
            await self._open(begun)
        except EngineError as error:
            self._fault = error
            self._over.set()

    async def _leave(self) -> None:
        """Tell all to end, take connections so that they are refused in words, and wait."""
        drain_s = self._plan.asked.drain_s
        for worker in list(self._workers.values()):
            await worker.ask(do="leave", within_s=drain_s)
        end_s = time.monotonic() + drain_s + _LAST_S
        while self._workers and time.monotonic() < end_s:
            await asyncio.sleep(0.05)

    # ------------------------------------------------------------------------------------------------ connections

    async def _accept(self) -> None:
        loop = asyncio.get_running_loop()
        while True:
            try:
                connection, _ = await loop.sock_accept(self._listening)
            except OSError:  # too many open files: those that are there end some day
                await asyncio.sleep(0.1)
                continue
            if len(self._tasks) > 4 * self._plan.asked.limits.connections:
                connection.close()
                continue
            self._go_on(self._place(connection))

    async def _place(self, connection: socket.socket) -> None:
        with connection:
            connection.setblocking(False)
            path = await _path_of(connection)
            if path is None:
                return
            is_stream = path in STREAM_PATHS
            end_s = time.monotonic() + _HEAD_S
            while time.monotonic() < end_s:
                for worker in self._in_order(is_stream):
                    try:
                        hand_over(worker.connections, connection)
                    except OSError:  # it takes no more now, or is ending
                        continue
                    if is_stream:
                        worker.placed.append(time.monotonic())
                    return
                if self._exit_code is not None:
                    break
                await asyncio.sleep(0.05)
            with contextlib.suppress(OSError):
                connection.send(_FULL)

    def _in_order(self, is_stream: bool) -> list[Worker]:
        """Whom to offer the next connection to first, and then."""
        ready = [worker for worker in self._workers.values() if worker.ready and worker.role == "streams"]
        if is_stream:
            return sorted(ready, key=lambda worker: -worker.room)
        turn = next(self._turn) % max(1, len(ready))
        return ready[turn:] + ready[:turn]

    async def _write_board(self) -> None:
        """What all processes are to know of each other."""
        said = ""
        while True:
            workers = {
                name: {"pid": worker.process.pid, **{key: worker.told[key] for key in worker.told if key != "told"}}
                for name, worker in self._workers.items()
            }
            workers["front"] = {"pid": os.getpid()}
            text = json_text({"workers": workers, "ended": self._ended})
            if text != said:
                said = text
                with contextlib.suppress(OSError):
                    write_whole(self._board, text.encode())
            await asyncio.sleep(_BOARD_S)


async def _path_of(connection: socket.socket) -> str | None:
    """The path of the first request, which stays unread; "" for what is none; None: nothing came."""
    end_s = time.monotonic() + _HEAD_S
    while time.monotonic() < end_s:
        try:
            head = connection.recv(_HEAD_BYTES, socket.MSG_PEEK)
        except BlockingIOError:
            if not await _readable(connection, end_s - time.monotonic()):
                return None
            continue
        except OSError:
            return None
        if not head:
            return None
        line, found, _ = head.partition(b"\r\n")
        if found or len(head) >= _HEAD_BYTES:
            words = line.split(b" ")
            return words[1].partition(b"?")[0].decode("latin-1") if len(words) == 3 else ""
        await asyncio.sleep(0.02)  # what has come so far stays readable
    return None


async def _readable(connection: socket.socket, patience_s: float) -> bool:
    """Wait until something has come."""
    loop, came = asyncio.get_running_loop(), asyncio.Event()
    loop.add_reader(connection.fileno(), came.set)
    try:
        await asyncio.wait_for(came.wait(), patience_s)
    except asyncio.TimeoutError:
        return False
    finally:
        loop.remove_reader(connection.fileno())
    return True
