"""What a server tells those who watch it (/health, /livez, /readyz, /metrics), and its page (/). Event loop."""

from importlib import resources
from typing import Any

from fastapi import FastAPI
from fastapi.responses import JSONResponse, Response

from .... import __version__
from ....engine.player import PARTS
from ..jobs import Jobs
from ..service import Service
from ..service_limits import Limits
from ..upload_guard import RETRY_AFTER_S
from . import metrics

_PAGE = {
    "/": ("index.html", "text/html; charset=utf-8"),
    "/page.js": ("page.js", "text/javascript; charset=utf-8"),
    "/page.css": ("page.css", "text/css; charset=utf-8"),
}
_PAGE_HEADERS = {
    "Content-Security-Policy": (
        "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; media-src blob:; "
        "base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
    ),
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Cache-Control": "no-store",
}


def add_health(app: FastAPI, jobs: Jobs, limits: Limits, service: Service) -> None:
    """For people, for probes, and for Prometheus."""

    @app.get("/health")
    async def health() -> dict[str, Any]:
        """Whether it lives, what it does, and what it allows."""
        others = service.board.others()
        return {
            "status": "leaving" if service.leaving else "ok",
            "gigmate": __version__,
            "parts": list(PARTS),
            "streams": service.load.streams + sum(one.get("streams", 0) for one in others.values()),
            "room": service.load.room + sum(one.get("room", 0) for one in others.values()),
            "processes": 1 + len(others),
            "jobs": jobs.counts,
            "limits": limits.shown(),
        }

    @app.get("/livez")
    async def livez() -> dict[str, str]:
        """The process answers."""
        return {"status": "ok"}

    @app.get("/readyz")
    async def readyz() -> JSONResponse:
        """200 while new work is taken; 503 while the server ends."""
        if service.leaving:
            return JSONResponse({"status": "leaving"}, 503, {"Retry-After": str(RETRY_AFTER_S)})
        return JSONResponse({"status": "ok"})

    @app.get("/metrics")
    def metrics_of_all() -> Response:
        """Prometheus' text format: the sums over all processes."""
        return Response(service.metrics_text(jobs.counts), media_type=metrics.CONTENT_TYPE)


def add_page(app: FastAPI) -> None:
    """The page that takes a file and plays what the band makes of it."""
    folder = resources.files(__package__.rpartition(".")[0]).joinpath("page")

    def add(path: str, name: str, kind: str) -> None:
        data = folder.joinpath(name).read_bytes()

        @app.get(path, include_in_schema=False)
        async def file() -> Response:
            return Response(data, media_type=kind, headers=_PAGE_HEADERS)

    for path, (name, kind) in _PAGE.items():
        add(path, name, kind)
