"""The options --web, --host, --web-token and --tls: parses them and opens the remote. Main thread."""

from __future__ import annotations

import os
import socket
import ssl
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from typer.core import TyperCommand

from ...engine.errors import ConfigError
from ..extras import need

if TYPE_CHECKING:
    from ...control.web.server import WebRemote
    from ...session import Session

DEFAULT_PORT = 8765
_NOWHERE = ("192.0.2.1", 9)
"""An address that belongs to nobody: asking for the way there sends nothing, and tells our own."""


def web_command(base: type[Any]) -> type[Any]:
    """That class of typer's commands, for which a bare `--web` is `--web 8765`."""

    class WithWeb(base):  # type: ignore[misc]
        def parse_args(self, context: Any, arguments: list[str]) -> list[str]:
            return super().parse_args(context, with_port(arguments))  # type: ignore[no-any-return]

    return WithWeb


def with_port(arguments: list[str]) -> list[str]:
    """The arguments with a port behind every `--web` that has none."""
    whole: list[str] = []
    for place, argument in enumerate(arguments):
        whole.append(argument)
        following = arguments[place + 1] if place + 1 < len(arguments) else "--"
        if argument == "--web" and following.startswith("-"):
            whole.append(str(DEFAULT_PORT))
    return whole


LiveCommand = web_command(TyperCommand)


@dataclass(frozen=True, slots=True)
class WebAsk:
    """What the options asked for."""

    port: int
    host: str = "127.0.0.1"
    token: str | None = None
    fresh: bool = False
    """The token was made here, and has to be told."""
    tls: Path | None = None
    """HTTPS with the certificate in this file; SELF: with one of our own."""
    tls_key: Path | None = None


SELF = Path("self")


def web_asked(
    port: int | None,
    host: str | None,
    token: str | None,
    tls: str | None = None,
    tls_key: Path | None = None,
    env_token: bool = True,
) -> WebAsk | None:
    """The options --web, --host, --web-token, --tls and --tls-key; None without --web.

    `env_token`: whether GIGMATE_TOKEN is the remote's, and not that of a server. Raises ConfigError for what cannot be,
    EngineError without cryptography where a certificate has to be made.
    """
    if port is None:
        if (host, token, tls, tls_key) != (None, None, None, None):
            raise ConfigError("--host, --web-token, --tls and --tls-key need --web, the remote for a phone")
        return None
    if tls_key is not None and tls in (None, "self"):
        raise ConfigError("--tls-key belongs to a certificate of yours: give its file by --tls F.pem")
    if tls == "self":
        need("cryptography")
    from ...control.web.access_guard import TOKEN_LEAST, is_loopback, new_token
    from ..service.service_limits import TOKEN_VARIABLE

    if not 0 <= port <= 65_535:
        raise ConfigError(f"--web {port}: give a port from 0 to 65535")
    token = token or (os.environ.get(TOKEN_VARIABLE) if env_token else None) or None
    if token is not None and (len(token.strip()) < TOKEN_LEAST or not token.isprintable() or len(token) > 200):
        raise ConfigError(f"--web-token: give {TOKEN_LEAST} to 200 characters that are hard to guess")
    host = host or "127.0.0.1"
    fresh = token is None and not is_loopback(host)
    said = new_token() if fresh else None if token is None else token.strip()
    return WebAsk(port, host, said, fresh, None if tls is None else Path(tls), tls_key)


class Remote:
    """The remote of one run: its socket from the beginning, its server once there is a session. Main thread."""

    def __init__(self, ask: WebAsk) -> None:
        """Bind the socket before anything else takes time. Raises EngineError where that cannot be."""
        from ..serve import listen

        self._ask = ask
        self._tls: ssl.SSLContext | None = None
        self._seal = ""
        if ask.tls is not None:
            self._tls, self._seal = _tls_of(ask.tls, ask.tls_key)
        self._socket = listen(ask.host, ask.port, "--web")
        self.port = int(self._socket.getsockname()[1])
        self._web: WebRemote | None = None

    def begin(self, session: Session) -> list[str]:
        """Serve that session. Returns what the musician types into the phone."""
        from ...control.web.access_guard import WebAccess
        from ...control.web.server import WebRemote

        ask = self._ask
        self._web = WebRemote(
            self._socket, session.post, lambda: session.status, session.lists, WebAccess(ask.token, ask.host, self._tls)
        )
        self._web.start()
        return [*addresses(ask, self.port), *([self._seal] if self._seal else [])]

    def for_phone(self) -> str | None:
        """The address with its token, for the camera of a phone; None where no phone can reach it."""
        return phone_address(self._ask, self.port)

    def news(self) -> list[str]:
        """Lines for the musician, each once."""
        return [] if self._web is None else self._web.news()

    def figures(self) -> dict[str, int]:
        """Counts for the report."""
        return {} if self._web is None else asdict(self._web.counts)

    def close(self) -> None:
        """End the server and free the port. May be called twice."""
        if self._web is not None:
            self._web.close()
        self._socket.close()


def addresses(ask: WebAsk, port: int, own_address: Callable[[], str | None] | None = None) -> list[str]:
    """What to type into a phone, one line each."""
    line = f"remote on {_root(ask, port, own_address)}"
    if ask.fresh:
        return [f"{line}#token={ask.token}"]
    return [line if ask.token is None else f"{line} with your token (or add #token=... to the address)"]


def phone_address(ask: WebAsk, port: int, own_address: Callable[[], str | None] | None = None) -> str | None:
    """The whole address, token included, for the camera of a phone; None where no phone can reach this machine."""
    from ...control.web.access_guard import is_loopback

    if is_loopback(ask.host):
        return None
    token = "" if ask.token is None else f"#token={quote(ask.token, safe='')}"
    return _root(ask, port, own_address) + token


def _root(ask: WebAsk, port: int, own_address: Callable[[], str | None] | None) -> str:
    host = ask.host
    if host in ("0.0.0.0", "::", ""):
        host = (own_address or _own_address)() or socket.gethostname()
    shown = f"[{host}]" if ":" in host else host
    return f"http{'s' if ask.tls else ''}://{shown}:{port}/"


def _tls_of(certificate: Path, key: Path | None) -> tuple[ssl.SSLContext, str]:
    """The context, and a line for the musician where the phone will warn."""
    from ...control.web import tls

    if certificate != SELF:
        return tls.tls_context(certificate, key), ""
    import platformdirs

    name = socket.gethostname()
    names = ["localhost", name, f"{name.partition('.')[0]}.local", "127.0.0.1", "::1", _own_address()]
    folder = Path(platformdirs.user_config_dir("gigmate", appauthor=False))
    path = tls.own_certificate(folder, tuple(dict.fromkeys(text for text in names if text)))
    return tls.tls_context(path), (
        f"the phone asks once whether it may trust this certificate: its SHA-256 is {tls.fingerprint(path)}"
    )


def _own_address() -> str | None:
    """Of this machine in its network, as far as it is in one."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        try:
            probe.connect(_NOWHERE)
            return str(probe.getsockname()[0])
        except OSError:
            return None
