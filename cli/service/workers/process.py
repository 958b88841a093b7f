"""A worker process: the band, a server whose connections come from the front, or a pair of hands for files.

Started by workers/front.py with two descriptors. Main thread; then its event loop.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import signal
import sys
import threading
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ....engine.errors import EngineError
from ..jobs import Jobs
from ..service import Board, Service
from ..service_limits import TOKEN_VARIABLE, Limits
from ..spool import Spool
from ..watch.access_log import opened
from ..watch.load import Load, measured_cost
from .handed_socket import HandedSocket
from .orders import Orders, line_of

if TYPE_CHECKING:
    from ....band import Band

_REPORT_S = 0.25
_NICE = 10
"""Files may take what the streams leave."""


def main(orders_descriptor: int, connections_descriptor: int) -> int:
    """Do as the front says, until it says to end, or has gone. The exit code."""
    for name in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(name, signal.SIG_IGN)  # systemd tells every process: the front knows what to do
    orders = Orders(orders_descriptor)
    try:
        given = orders.next()
        try:
            band = _load(given["weights"])
            orders.say(told="loaded")
            if given["role"] == "files":
                return _complete_files(band, given, orders)
            return _serve(band, given, orders, connections_descriptor)
        except EngineError as error:
            orders.say(told="failed", line=str(error))
            return 1
    except (EOFError, BrokenPipeError, ConnectionResetError):
        return 0


def _load(weights: str | None) -> Band:
    from ....band import Band
    from ....model.weights_file import CheckpointError

    try:
        return Band.load(weights)
    except CheckpointError as error:
        raise EngineError(str(error)) from error


def _complete_files(band: Band, given: dict[str, Any], orders: Orders) -> int:
    """Take one file after the other. Ended by `leave`: what is being done is finished in that time, or handed back."""
    os.nice(_NICE)
    jobs = Jobs(band, Limits(**given["limits"]), Spool(Path(given["spool"]), given["name"]), workers=1)
    within_s = 0.0
    try:
        while True:
            asked = orders.next()
            if asked["do"] == "leave":
                within_s = float(asked["within_s"])
                break
    except EOFError:
        pass
    jobs.rest()
    done = threading.Event()
    end = threading.Timer(within_s, done.set)
    end.daemon = True
    end.start()
    while jobs.has_work and not done.wait(0.05):
        pass
    jobs.close()
    return 0


def _serve(band: Band, given: dict[str, Any], orders: Orders, connections_descriptor: int) -> int:
    """Streams and requests of the connections that the front hands over."""
    from .running import DrainingServer, server_config

    cost = given["cost"]
    while cost is None:
        asked = orders.next()
        if asked["do"] == "measure":
            orders.say(told="measured", cost=measured_cost(band))
        elif asked["do"] == "open":
            cost = float(asked["cost"])
        else:
            return 0
    limits = Limits(**given["limits"])
    service = Service(
        load=Load(cost, float(given["share"]), limits.streams),
        spool=Spool(Path(given["spool"]), given["name"]),
        job_workers=0,
        board=Board(Path(given["board"]), given["name"]),
        say=opened(given["access_log"]),
    )
    config = server_config(band, limits, os.environ.get(TOKEN_VARIABLE) or None, service)
    server = DrainingServer(config, 0.0, heeds_signals=False)
    connections = HandedSocket(fileno=connections_descriptor)
    connections.setblocking(False)
    connections.on_end = lambda: server.leave(0.0)  # type: ignore[method-assign]

    async def obey() -> None:
        reader, writer = await orders.streams()
        reports = asyncio.ensure_future(_report(service, writer))
        try:
            while line := await reader.readline():
                asked = json.loads(line)
                if asked.get("do") == "leave":
                    server.leave(float(asked["within_s"]))
        except OSError:
            pass
        finally:
            server.leave(0.0)
            reports.cancel()

    async def serve() -> None:
        obeying = asyncio.ensure_future(obey())
        await server.serve(sockets=[connections])
        obeying.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await obeying

    asyncio.run(serve())
    return 0


async def _report(service: Service, writer: asyncio.StreamWriter) -> None:
    """Say how it is, again and again."""
    said: dict[str, Any] = {}
    while True:
        load = service.load
        now = {"streams": load.streams, "room": load.room, "counters": load.counters.values()}
        if now != said:
            writer.write(line_of({"told": "report", **now}))
            await writer.drain()
            said = now
        await asyncio.sleep(_REPORT_S)


if __name__ == "__main__":
    sys.exit(main(int(sys.argv[1]), int(sys.argv[2])))
