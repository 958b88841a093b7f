"""Compiles what numba compiles on this machine, before several test processes would all do it at the same time.

Half a minute where nothing is compiled yet, a moment where all is. The root of the repository is the package, so it is
to be installed: `make test` runs this first. Not a test itself.
"""

from __future__ import annotations

import importlib
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
PACKAGES = ("engine", "dsp", "model")
PROCESSES = 2


def compiled_modules() -> list[str]:
    """Modules of ours whose functions are compiled when they are imported; those that take longest come first."""
    found = [path for package in PACKAGES for path in (ROOT / package).rglob("*.py")]
    names = [path.relative_to(ROOT).with_suffix("") for path in found if "cached_" in path.read_text(encoding="utf-8")]
    return sorted((".".join(("gigmate", *name.parts)) for name in names), key=lambda name: "callback" not in name)


def import_one(name: str) -> None:
    importlib.import_module(name)


if __name__ == "__main__":
    with ProcessPoolExecutor(PROCESSES) as pool:
        list(pool.map(import_one, compiled_modules()))
