"""`gigmate serve`: the band for other programs, over HTTP and WebSocket. Main thread."""

from __future__ import annotations

import os
import secrets
import socket
from dataclasses import replace
from pathlib import Path
from typing import Annotated

import typer

from ..engine.errors import ConfigError, EngineError
from .extras import need


def serve(
    host: Annotated[
        str, typer.Option(metavar="ADDRESS", help="Address to listen on. Any but this machine needs a token.")
    ] = ("127.0.0.1"),
    port: Annotated[int, typer.Option(metavar="N", help="Port; 0 takes any free one.")] = 8000,
    workers: Annotated[
        int, typer.Option(metavar="N", help="Processes that serve streams; above 1, files get processes of their own.")
    ] = 1,
    streams: Annotated[
        int, typer.Option(metavar="N", help="Most streams of one process; fewer where the machine is not fast enough.")
    ] = 64,
    files: Annotated[
        int | None, typer.Option(metavar="N", help="Files processed at once. Default: one per core.")
    ] = None,
    upload_mib: Annotated[int, typer.Option("--upload", metavar="MIB", help="Largest upload accepted.")] = 200,
    drain: Annotated[
        float,
        typer.Option(metavar="S", help="Time to finish what was begun, after a signal. A second one ends at once."),
    ] = 25.0,
    spool: Annotated[
        Path | None, typer.Option(metavar="DIR", help="Keep jobs here, so that they outlive the server.")
    ] = None,
    access_log: Annotated[
        str, typer.Option(metavar="F|-|off", help="Write a line for each request here; -: standard output.")
    ] = "-",
    weights: Annotated[Path | None, typer.Option(metavar="DIR", help="A folder with your own weights.")] = None,
) -> int:
    """Serve the band over HTTP and WebSocket.

    On 127.0.0.1 any program on this machine may connect. On any other address a token is needed: that in GIGMATE_TOKEN,
    or a fresh one, which is printed.
    """
    for name, value, low, high in (
        ("--port", port, 0, 65_535),
        ("--workers", workers, 1, 256),
        ("--streams", streams, 1, 256),
        ("--files", files or 1, 1, 256),
        ("--upload", upload_mib, 1, 16_384),
        ("--drain", drain, 0, 3600),
    ):
        if not low <= value <= high:
            raise ConfigError(f"{name} {value}: give {low} to {high}")
    need("fastapi", "uvicorn", "websockets", "python_multipart")
    if workers > 1 and os.name != "posix":
        raise ConfigError(f"--workers {workers}: this system cannot hand connections over: give 1")
    from .service.service_limits import LOOPBACK, TOKEN_VARIABLE, Limits
    from .service.workers.launch import Asked, serve_alone, serve_with_workers

    token = os.environ.get(TOKEN_VARIABLE) or None
    fresh = token is None and host not in LOOPBACK
    if fresh:
        token = os.environ[TOKEN_VARIABLE] = secrets.token_urlsafe(24)  # for the workers too
    limits = Limits(streams=streams, upload_bytes=upload_mib * 2**20)
    limits = limits if files is None else replace(limits, files=files)
    listening = listen(host, port)
    address = f"http://{f'[{host}]' if ':' in host else host}:{listening.getsockname()[1]}"

    def opened(room: int) -> None:
        print(f"{address}/; /predict, /jobs, /stream, /docs, /metrics", flush=True)
        print(f"room for {room} streams in real time, {limits.files} files at once", flush=True)
        if token is not None:
            print(f"token: {token if fresh else f'that in {TOKEN_VARIABLE}'}", flush=True)

    asked = Asked(limits, weights, access_log, drain, spool)
    try:
        print("loading the band ...", flush=True)
        if workers == 1:
            return serve_alone(asked, token, listening, opened)
        return serve_with_workers(asked, workers, listening, opened)
    finally:
        listening.close()


def listen(host: str, port: int, option: str = "--port") -> socket.socket:
    """An open socket there. Raises EngineError where that cannot be, which names the option of the port."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    opened = socket.socket(family, socket.SOCK_STREAM)
    try:
        if os.name == "posix":  # elsewhere it would let two servers share a port
            opened.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        opened.bind((host, port))
    except (OSError, OverflowError) as error:
        opened.close()
        reason = getattr(error, "strerror", None) or str(error)
        raise EngineError(f"cannot listen on {host}:{port} ({reason}): choose another {option} or --host") from error
    return opened
