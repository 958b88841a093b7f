"""The limits of a client of the remote, and its counters. Values only."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class WebLimits:
    """All that a client can meet. Any thread."""

    clients: int = 8
    connections: int = 32
    """Open sockets, those included that have not said anything yet."""
    message_bytes: int = 1024
    messages_each_s: float = 40.0
    messages_burst: float = 80.0
    bytes_each_s: float = 32_768.0
    bytes_burst: float = 65_536.0
    hello_s: float = 5.0
    """Patience with a client that does not speak."""
    wrong_token_s: float = 1.0
    """How long a wrong token waits for its answer."""
    late_s: float = 2.5
    """A command that was given on sight of a snapshot older than that is not done: the way was blocked meanwhile."""
    snapshots_each_s: float = 20.0
    buffer_bytes: int = 8192
    """Of the system, each way: a stalled client holds no more than that of old snapshots."""


@dataclass(slots=True)
class WebCounts:
    """What has happened so far. Web thread only; any thread may read."""

    clients: int = 0
    """Connected now."""
    clients_in_all: int = 0
    commands: int = 0
    malformed: int = 0
    """Messages that were no commands."""
    refused: int = 0
    """Requests and clients turned away: other sites, wrong tokens, no room."""
    late: int = 0
    """Commands that came too late to be meant any more."""
    slowed: int = 0
    """Messages that came too fast and had to wait."""
    snapshots: int = 0
    snapshots_skipped: int = 0
    """Snapshots that a slow client did not get, since an older one was still on its way."""
