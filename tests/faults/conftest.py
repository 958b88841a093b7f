"""Runs and peers that end with their test."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest

from ..engine.ports.peers import Peer
from .runs import Run


@pytest.fixture
def start_run() -> Iterator[Callable[..., Run]]:
    """`start_run(environment, **fields_of_the_config)`."""
    runs: list[Run] = []

    def start(environment: dict[str, str], **fields: Any) -> Run:
        runs.append(Run(environment, **fields))
        return runs[-1]

    yield start
    for run in runs:
        run.end()


@pytest.fixture
def start_peer() -> Iterator[Callable[..., Peer]]:
    """`start_peer(environment, what, ...)` of tests/engine/ports/jack_peer.py."""
    peers: list[Peer] = []

    def start(environment: dict[str, str], *arguments: object) -> Peer:
        peers.append(Peer(environment, "jack_peer.py", *arguments))
        return peers[-1]

    yield start
    for peer in peers:
        peer.end()
