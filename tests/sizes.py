"""How much room an installation takes, package by package. No test: a script.

    python tests/sizes.py               the plain install, as a table
    python tests/sizes.py --extra api   with an extra

It adds up the files that each package says it brought (compiled Python is not counted), as installed here.
"""

from __future__ import annotations

import argparse
import importlib.util
import sys
from importlib.metadata import distribution
from pathlib import Path

SHOWN = 8
MB = 1e6


def closure(extras: tuple[str, ...]) -> set[str]:
    """Names of the packages, by tests/licences.py."""
    spec = importlib.util.spec_from_file_location("licences", Path(__file__).parent / "licences.py")
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules["licences"] = module
    spec.loader.exec_module(module)
    return set(module.closure(extras))


def size_bytes(name: str) -> int:
    """Of the files that the package brought, and that are there."""
    found = distribution(name)
    places = [Path(str(found.locate_file(file))) for file in found.files or () if "__pycache__" not in str(file)]
    return sum(place.stat().st_size for place in places if place.is_file())


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--extra", action="append", default=[], help="of pyproject.toml; may be repeated")
    sizes = {name: size_bytes(name) for name in closure(tuple(parser.parse_args().extra))}
    order = sorted(sizes, key=sizes.__getitem__, reverse=True)
    print("| package | MB |\n|---|---|")
    for name in order[:SHOWN]:
        print(f"| {name} | {sizes[name] / MB:.0f} |")
    rest = sum(sizes[name] for name in order[SHOWN:])
    print(f"| {len(order) - SHOWN} others | {rest / MB:.0f} |\n| together | {sum(sizes.values()) / MB:.0f} |")


if __name__ == "__main__":
    main()
