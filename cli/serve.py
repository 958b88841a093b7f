"""`gigmate serve`: the band for other programs, over HTTP and WebSocket. Main thread."""

from __future__ import annotations

import os
import secrets
import socket
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from ..engine.errors import ConfigError, EngineError
from .extras import need

if TYPE_CHECKING:
    from ..band import Band


def serve(
    host: Annotated[
        str, typer.Option(metavar="ADDRESS", help="Address to listen on. Any but this machine needs a token.")
    ] = ("127.0.0.1"),
    port: Annotated[int, typer.Option(metavar="N", help="Port; 0 takes any free one.")] = 8000,
    streams: Annotated[int, typer.Option(metavar="N", help="Maximum number of WebSocket clients.")] = 8,
    workers: Annotated[
        int | None, typer.Option(metavar="N", help="Files processed at once. Default: one per core.")
    ] = None,
    upload_mib: Annotated[int, typer.Option("--upload", metavar="MIB", help="Largest upload accepted.")] = 200,
    weights: Annotated[Path | None, typer.Option(metavar="DIR", help="A folder with your own weights.")] = None,
) -> int:
    """Serve the band over HTTP and WebSocket.

    On 127.0.0.1 any program on this machine may connect. On any other address a token is needed: that in GIGMATE_TOKEN,
    or a fresh one, which is printed.
    """
    for name, value, low, high in (
        ("--port", port, 0, 65_535),
        ("--streams", streams, 1, 256),
        ("--workers", workers or 1, 1, 256),
        ("--upload", upload_mib, 1, 16_384),
    ):
        if not low <= value <= high:
            raise ConfigError(f"{name} {value}: give {low} to {high}")
    need("fastapi", "uvicorn", "websockets", "python_multipart")
    from .service.service_limits import LOOPBACK, TOKEN_VARIABLE, Limits

    token = os.environ.get(TOKEN_VARIABLE) or None
    fresh = token is None and host not in LOOPBACK
    if fresh:
        token = secrets.token_urlsafe(24)
    limits = Limits(streams=streams, upload_bytes=upload_mib * 2**20)
    if workers is not None:
        limits = Limits(streams=streams, upload_bytes=upload_mib * 2**20, workers=workers)
    listening = listen(host, port)
    try:
        print("loading the band ...", flush=True)
        band = _load(weights)
        address = f"http://{f'[{host}]' if ':' in host else host}:{listening.getsockname()[1]}"
        print(
            f"{address}/docs; /predict, /jobs, /stream; {streams} streams, {limits.workers} files at once", flush=True
        )
        if fresh:
            print(f"token: {token}", flush=True)
        elif token is not None:
            print(f"token: that in {TOKEN_VARIABLE}", flush=True)
        run(band, limits, token, listening)
    finally:
        listening.close()
    return 0


def run(band: Band, limits: object, token: str | None, listening: socket.socket) -> None:
    """Serve on an open socket until a signal comes."""
    import uvicorn

    uvicorn.Server(server_config(band, limits, token)).run(sockets=[listening])


def server_config(band: Band, limits: object, token: str | None):  # type: ignore[no-untyped-def]
    """How uvicorn runs the app."""
    import uvicorn

    from .service.app import create_app
    from .service.service_limits import Limits

    known = limits if isinstance(limits, Limits) else Limits()
    return uvicorn.Config(
        create_app(band, known, token),
        log_level="warning",
        http="h11",  # it bounds the headers too
        limit_concurrency=known.connections,
        ws="auto",
        ws_max_size=known.message_bytes,
        ws_per_message_deflate=False,  # sound does not shrink, and a bomb would grow
        timeout_graceful_shutdown=3,
    )


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


def _load(weights: Path | None) -> Band:
    from ..band import Band

    return Band.load(weights)
