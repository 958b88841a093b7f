"""The options --osc and --osc-to: parses them and opens OSC. Main thread."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from ...engine.errors import ConfigError, EngineError
from ..extras import need

if TYPE_CHECKING:
    from ...control.osc import Endpoint, Osc


@dataclass(frozen=True, slots=True)
class OscAsk:
    """Where to listen, and whom to tell."""

    listen: Endpoint | None = None
    tell: tuple[Endpoint, ...] = ()
    by_time_tags: bool = False
    """Whether what is stamped with a time waits for it."""


def osc_asked(listen: str | None, tell: Sequence[str] | None, by_time_tags: bool = False) -> OscAsk | None:
    """What the options ask for; None for nothing. Raises ConfigError for what cannot be, EngineError without
    python-osc."""
    if by_time_tags and listen is None:
        raise ConfigError("--osc-time-tags belongs to --osc: give the port that is listened on")
    if listen is None and not tell:
        return None
    need("pythonosc")
    from ...control.osc import OscSetupError, parse_endpoint

    try:
        return OscAsk(
            None if listen is None else parse_endpoint("--osc", listen, host_needed=False),
            tuple(parse_endpoint("--osc-to", text, host_needed=True) for text in tell or ()),
            by_time_tags,
        )
    except OscSetupError as error:
        raise ConfigError(str(error)) from None


def open_osc(ask: OscAsk) -> Osc:
    """The sockets, open. Raises EngineError."""
    from ...control.osc import Osc, OscSetupError

    try:
        return Osc(ask.listen, ask.tell, ask.by_time_tags)
    except OscSetupError as error:
        raise EngineError(str(error)) from None


def describe(ask: OscAsk) -> list[str]:
    """Where OSC comes and goes, for the musician."""
    lines = []
    if ask.listen is not None:
        open_to_all = "" if _is_local(ask.listen[0]) else " (open to this network: OSC knows no password)"
        lines.append(f"OSC in on {ask.listen[0]}:{ask.listen[1]}{open_to_all}")
    if ask.tell:
        lines.append("OSC out to " + ", ".join(f"{host}:{port}" for host, port in ask.tell))
    return lines


def _is_local(host: str) -> bool:
    return host in ("localhost", "::1") or host.startswith("127.")
