"""What the audio callback asks of the system on a live server: nothing. libjack's own waiting is all that is seen."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from .runs import Run

TRACED_S = 3.0


def tracing() -> bool:
    """Whether strace is there and may look at our own children."""
    if not sys.platform.startswith("linux") or shutil.which("strace") is None:
        return False
    done = subprocess.run(["strace", "-o", "/dev/null", "true"], capture_output=True, check=False, timeout=60)
    return done.returncode == 0


@pytest.mark.slow
@pytest.mark.jack
@pytest.mark.skipif(not tracing(), reason="no strace here, or no right to trace: apt install strace")
def test_the_callback_makes_no_system_call(jack_server: Any, start_run: Callable[..., Run], tmp_path: Path) -> None:
    run = start_run(jack_server.environment, backend="jack")
    run.until("playing")
    time.sleep(1.0)
    pid, log = run.process.pid, tmp_path / "trace"
    pythons = set(run.status["threads"])
    others = {int(task.name) for task in Path(f"/proc/{pid}/task").iterdir()} - pythons
    tracer = subprocess.Popen(["strace", "-f", "-p", str(pid), "-o", str(log)], stderr=subprocess.DEVNULL)
    time.sleep(TRACED_S)
    tracer.terminate()
    tracer.wait(timeout=30)
    report = run.quit()["report"]
    assert report["callbacks"]["served"] > 300

    calls: dict[int, Counter[str]] = {}
    waited_on: dict[int, set[str]] = {}
    for line in log.read_text(errors="replace").splitlines():
        found = re.match(r"(\d+)\s+(?:<\.\.\. )?(\w+)(?:\((0x[0-9a-f]+))?", line)
        if found and int(found[1]) in others:
            calls.setdefault(int(found[1]), Counter())[found[2]] += 1
            if found[2] == "futex" and found[3]:
                waited_on.setdefault(int(found[1]), set()).add(found[3])
    assert calls, "no thread of the sound server's was seen"
    callback = max(calls, key=lambda thread: calls[thread].total())
    print(callback, dict(calls[callback]), waited_on[callback])
    assert calls[callback].total() > 100
    # libjack waits for its turn and wakes the next client: two semaphores. A lock of ours or Python's were another.
    assert set(calls[callback]) <= {"futex", "restart_syscall", "resumed"}
    assert len(waited_on[callback]) <= 2
