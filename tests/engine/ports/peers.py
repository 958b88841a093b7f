"""Programs beside this file that speak JACK while a test does, and what a port of ours is asked for there."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import Any

from gigmate.engine.config import EngineConfig

HERE = Path(__file__).parent


def config_for(server: Any, **more: Any) -> EngineConfig:
    """Of a port on output 3 of a server of the tests."""
    return EngineConfig(**{"backend": "jack", "server_name": server.name, "output_channels": (3,), **more})


class Peer:
    """A helper script beside this file, running."""

    def __init__(self, environment: dict[str, str], script: str, *arguments: object) -> None:
        self.process = subprocess.Popen(
            [sys.executable, str(HERE / script), *map(str, arguments)],
            env=environment,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )

    def line(self) -> str:
        assert self.process.stdout is not None
        line = self.process.stdout.readline().strip()
        if not line:
            raise AssertionError(f"a peer died: {self.process.communicate(timeout=10)[1]}")
        return line

    def go(self) -> str:
        """Let it begin, and return what it says then."""
        assert self.process.stdin is not None
        self.process.stdin.write("\n")
        self.process.stdin.flush()
        return self.line()

    def end(self) -> None:
        if self.process.poll() is None:
            assert self.process.stdin is not None
            self.process.stdin.close()
            try:
                self.process.wait(timeout=1.0)
            except subprocess.TimeoutExpired:
                self.process.kill()
                self.process.wait()
