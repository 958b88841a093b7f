"""Fixtures that more than one directory needs: a private JACK server that belongs to the test alone."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import time
import uuid
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

IN_CI = os.environ.get("CI", "").lower() in ("1", "true", "yes")


class JackServer:
    """A dummy jackd of our own: `name`, `environment` for clients, `kill()`."""

    def __init__(self, rate_hz: int = 48000, block_samples: int = 128, channels: int = 4) -> None:
        self.name = f"gigmate-test-{os.getpid()}-{uuid.uuid4().hex[:6]}"
        self.rate_hz = rate_hz
        self.block_samples = block_samples
        self.environment = {
            **os.environ,
            "JACK_DEFAULT_SERVER": self.name,
            "JACK_NO_AUDIO_RESERVATION": "1",
            "JACK_NO_START_SERVER": "1",
        }
        self.environment.pop("DBUS_SESSION_BUS_ADDRESS", None)
        self._process: subprocess.Popen[bytes] | None = None
        self._crashed = False
        self.start()

    def start(self) -> None:
        """Start (again) under the same name and wait until clients can connect."""
        for more in ([], ["-r"]):  # realtime scheduling is not permitted everywhere
            command = ["jackd", "-n", self.name, *more, "-d", "dummy", "-r", str(self.rate_hz)]
            command += ["-p", str(self.block_samples), "-C", "4", "-P", "4"]
            self._process = subprocess.Popen(
                command, env=self.environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
            )
            if self._answers():
                return
            self.kill()
        raise RuntimeError("jackd would not start")

    def _answers(self) -> bool:
        assert self._process is not None
        for _ in range(100):
            if self._process.poll() is not None:
                return False
            asked = subprocess.run(["jack_lsp"], env=self.environment, capture_output=True, check=False, timeout=60)
            if asked.returncode == 0 and b"system:" in asked.stdout:
                return True
            time.sleep(0.05)
        return False

    def kill(self, how: int = signal.SIGKILL) -> None:
        """As if it crashed."""
        if self._process is not None and self._process.poll() is None:
            self._process.send_signal(how)
            self._process.wait(timeout=10)
            self._crashed = True

    def stop(self) -> None:
        """End it in order. A server that crashed is run once more: libjack's registry holds eight names, and only a
        server itself takes its name out.
        """
        if self._process is not None and self._process.poll() is None:
            self._process.terminate()
            try:
                self._process.wait(timeout=2)
            except subprocess.TimeoutExpired:
                self.kill()
        if self._crashed:
            self._crashed = False
            self.start()
            self.stop()
        for left in Path("/dev/shm").glob(f"jack_sem.*_{self.name}_*"):
            left.unlink(missing_ok=True)


@pytest.fixture
def start_jack() -> Iterator[Callable[..., JackServer]]:
    """`start_jack(rate_hz=..., block_samples=...)`: as many private servers as the test wants."""
    if shutil.which("jackd") is None or shutil.which("jack_lsp") is None:
        if IN_CI:
            pytest.fail("jackd and jack_lsp must be there in CI: apt install jackd2 jack-example-tools")
        pytest.skip("no jackd here: apt install jackd2 jack-example-tools")
    servers: list[JackServer] = []

    def start(**settings: int) -> JackServer:
        servers.append(JackServer(**settings))
        return servers[-1]

    yield start
    for server in servers:
        server.stop()


@pytest.fixture
def jack_server(start_jack: Callable[..., JackServer]) -> JackServer:
    """One private dummy server at 48 kHz with blocks of 128 samples and 4 channels each way."""
    return start_jack()
