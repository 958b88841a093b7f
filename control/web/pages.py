"""The files of the page and HTTP responses with security headers. Pure functions."""

from __future__ import annotations

import http
from importlib import resources

from websockets.datastructures import Headers
from websockets.http11 import Response

_FILES = {
    "/": ("page.html", "text/html; charset=utf-8"),
    "/page.css": ("page.css", "text/css; charset=utf-8"),
    "/page.js": ("page.js", "text/javascript; charset=utf-8"),
    "/song.js": ("song.js", "text/javascript; charset=utf-8"),
    "/moves.js": ("moves.js", "text/javascript; charset=utf-8"),
    "/loop.js": ("loop.js", "text/javascript; charset=utf-8"),
    "/learn.js": ("learn.js", "text/javascript; charset=utf-8"),
    "/icon.svg": ("icon.svg", "image/svg+xml"),
}


def response(
    status: http.HTTPStatus, body: str | bytes, kind: str = "text/plain; charset=utf-8", connect_to: str = ""
) -> Response:
    """An answer over HTTP, after which the connection is closed. `connect_to`: the host that our page was asked by."""
    data = body if isinstance(body, bytes) else f"{body}\n".encode()
    policy = (
        "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; "
        f"connect-src 'self' ws://{connect_to}; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
    )
    headers = Headers(
        {
            "Content-Type": kind,
            "Content-Length": str(len(data)),
            "Content-Security-Policy": policy,
            "X-Content-Type-Options": "nosniff",
            "Referrer-Policy": "no-referrer",
            "Cache-Control": "no-store",
            "Connection": "close",
        }
    )
    return Response(status.value, status.phrase, headers, data)


def page_files() -> dict[str, tuple[bytes, str]]:
    """Every file of the page by its path: (bytes, kind). Read once."""
    folder = resources.files(__package__)
    return {path: (folder.joinpath(name).read_bytes(), kind) for path, (name, kind) in _FILES.items()}
