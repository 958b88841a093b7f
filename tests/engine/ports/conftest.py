"""Peers that end with their test."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest

from .peers import Peer


@pytest.fixture
def peer() -> Iterator[Callable[..., Peer]]:
    peers: list[Peer] = []

    def start(*arguments: Any) -> Peer:
        peers.append(Peer(*arguments))
        return peers[-1]

    yield start
    for one in peers:
        one.end()
