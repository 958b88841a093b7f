"""Runs of the engine in processes of their own, and what they say. For the tests beside this file."""

from __future__ import annotations

import json
import subprocess
import sys
import threading
import time
from pathlib import Path
from typing import Any

HERE = Path(__file__).parent


class Run:
    """runner.py, running: `status` is what it said last; `quit` ends it and gives its last words."""

    def __init__(self, environment: dict[str, str], **fields: object) -> None:
        self.process = subprocess.Popen(
            [sys.executable, str(HERE / "runner.py"), json.dumps(fields)],
            env=environment, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
        )  # fmt: skip
        self.status: dict[str, Any] = {}
        self.last: dict[str, Any] = {}
        self._thread = threading.Thread(target=self._read, daemon=True)
        self._thread.start()

    def _read(self) -> None:
        assert self.process.stdout is not None
        for line in self.process.stdout:
            words = json.loads(line)
            if "report" in words:
                self.last = words
            else:
                self.status = words

    def until(self, state: str, timeout_s: float = 60.0) -> float:
        """Wait for a state; seconds that it took."""
        begin_s = time.perf_counter()
        while self.status.get("state") != state:
            if self.process.poll() is not None or time.perf_counter() - begin_s > timeout_s:
                raise AssertionError(f"not {state} but {self.status or self.errors()}")
            time.sleep(0.005)
        return time.perf_counter() - begin_s

    def errors(self) -> str:
        self.process.kill()
        assert self.process.stderr is not None
        return self.process.stderr.read()

    def quit(self, timeout_s: float = 40.0) -> dict[str, Any]:
        """Ask for the end; its report, with `close_s` and `lost`."""
        if self.process.poll() is None:
            assert self.process.stdin is not None
            self.process.stdin.write("quit\n")
            self.process.stdin.flush()
        return self.ended(timeout_s)

    def ended(self, timeout_s: float = 40.0) -> dict[str, Any]:
        """Wait for the end of the process, which must be in order."""
        try:
            code = self.process.wait(timeout_s)
        except subprocess.TimeoutExpired:
            raise AssertionError(f"the process hangs: {self.errors()}") from None
        self._thread.join(5)
        assert self.process.stderr is not None
        assert (code, self.process.stderr.read()) == (0, "")
        return self.last

    def end(self) -> None:
        if self.process.poll() is None:
            self.process.kill()
        self.process.wait()
