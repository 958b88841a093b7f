"""The servers that tests start: they end with their clients, and leave nothing in what all servers share."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

PEER = Path(__file__).parent / "engine" / "ports" / "jack_peer.py"
REGISTRY = Path("/dev/shm/jack-shm-registry")

pytestmark = [pytest.mark.jack, pytest.mark.skipif(not REGISTRY.parent.exists(), reason="Linux keeps it there")]


@pytest.mark.parametrize("asleep", [False, True])
def test_a_server_ends_after_its_clients_and_gives_its_name_back(start_jack: Callable[..., Any], asleep: bool) -> None:
    server = start_jack()
    name = server.name.encode()
    assert name in REGISTRY.read_bytes()
    client = subprocess.Popen(
        [sys.executable, str(PEER), "clock"], env=server.environment, stdin=subprocess.PIPE, stdout=subprocess.PIPE
    )
    assert client.stdout is not None
    assert client.stdout.readline() == b"ready\n"
    if asleep:
        os.kill(client.pid, signal.SIGSTOP)
    server.stop()
    assert client.wait(0.5) == -signal.SIGTERM
    client.communicate()
    assert name not in REGISTRY.read_bytes() or server._lock.exists()  # or another run has taken the place at once
    again = start_jack()  # the place is free
    assert again.name.encode() in REGISTRY.read_bytes()


def test_one_that_crashed_and_was_started_again_leaves_nobody_running(start_jack: Callable[..., Any]) -> None:
    server = start_jack()
    first = server._process
    server.kill()
    server.start()
    second = server._process
    server.start()  # it runs: nothing to be done
    assert server._process is second is not first
    server.stop()
    assert second.poll() is not None
    listed = subprocess.run(["jack_lsp"], env=server.environment, capture_output=True, check=False, timeout=20)
    assert listed.returncode != 0  # else a second server under the name, which nobody ends
