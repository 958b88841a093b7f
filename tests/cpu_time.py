"""What the tests cost: seconds of processor time, of each test, each file and each fixture; programs they start count.

    .venv/bin/python -m pytest -p tests.cpu_time -n 4 --dist loadfile     (or with the names of some tests)

Wall time says little on a machine that does something else as well, and cannot tell working from waiting. A program
counts for the test that waits for its end. What was measured stays in a folder under /tmp (or GIGMATE_CPU_TIME_DIR), a
line of JSON for each test, fixture and collection. Not a test itself; Linux and macOS.
"""

from __future__ import annotations

import json
import os
import resource
import tempfile
import time
from collections import defaultdict
from collections.abc import Generator, Iterator
from pathlib import Path

import pytest

_SHOWN = 40
_FOLDER = "GIGMATE_CPU_TIME_DIR"  # where the processes of one run leave what they measured


def _spent_s() -> tuple[float, float]:
    """Processor time so far, of this process and of those it has waited for; and the wall's."""
    own, others = resource.getrusage(resource.RUSAGE_SELF), resource.getrusage(resource.RUSAGE_CHILDREN)
    return own.ru_utime + own.ru_stime + others.ru_utime + others.ru_stime, time.monotonic()


class Recorder:
    """Measures in each worker; a line of JSON for each test and each fixture."""

    def __init__(self, folder: Path) -> None:
        self._file = (folder / f"{os.getpid()}.jsonl").open("w")

    def _write(self, kind: str, name: str, before: tuple[float, float]) -> None:
        cpu_s, wall_s = (now - then for now, then in zip(_spent_s(), before, strict=True))
        self._file.write(json.dumps([kind, name, cpu_s, wall_s]) + "\n")
        self._file.flush()

    @pytest.hookimpl(wrapper=True, tryfirst=True)
    def pytest_runtest_protocol(self, item: pytest.Item) -> Generator[None, object, object]:
        before = _spent_s()
        try:
            return (yield)
        finally:
            self._write("test", item.nodeid, before)

    @pytest.hookimpl(wrapper=True, tryfirst=True)
    def pytest_fixture_setup(self, fixturedef: pytest.FixtureDef[object]) -> Generator[None, object, object]:
        before = _spent_s()
        try:
            return (yield)
        finally:
            self._write("fixture", f"{fixturedef.argname} ({fixturedef.scope}, {fixturedef.baseid})", before)

    @pytest.hookimpl(wrapper=True, tryfirst=True)
    def pytest_collection(self) -> Generator[None, object, object]:
        before = _spent_s()
        try:
            return (yield)
        finally:
            self._write("collecting", "collecting", before)


def pytest_configure(config: pytest.Config) -> None:
    if _FOLDER not in os.environ:
        os.environ[_FOLDER] = tempfile.mkdtemp(prefix="gigmate-cpu-time-")
    config.pluginmanager.register(Recorder(Path(os.environ[_FOLDER])))


def _lines(folder: Path) -> Iterator[tuple[str, str, float, float]]:
    for path in folder.glob("*.jsonl"):
        for line in path.read_text().splitlines():
            yield tuple(json.loads(line))


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter, config: pytest.Config) -> None:
    if hasattr(config, "workerinput"):
        return
    sums: dict[str, dict[str, list[float]]] = {
        kind: defaultdict(lambda: [0.0, 0.0, 0]) for kind in ("collecting", "test", "file", "fixture")
    }
    for kind, name, cpu_s, wall_s in _lines(Path(os.environ[_FOLDER])):
        for place, key in ((kind, name), *([("file", name.partition("::")[0])] if kind == "test" else [])):
            entry = sums[place][key]
            entry[0] += cpu_s
            entry[1] += wall_s
            entry[2] += 1
    for kind, entries in sums.items():
        total_s, waited_s = (sum(entry[place] for entry in entries.values()) for place in (0, 1))
        terminalreporter.section(f"processor time by {kind}: {total_s:.0f} s, {waited_s:.0f} s by the wall")
        for name, (cpu_s, wall_s, count) in sorted(entries.items(), key=lambda pair: -pair[1][0])[:_SHOWN]:
            terminalreporter.write_line(f"{cpu_s:8.2f} s {wall_s:8.2f} s {int(count):5d}  {name}")
