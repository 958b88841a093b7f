"""Imports every module of the installed GigMate, and says which cannot be: `python tests/release/import_all.py`.

Run it by the interpreter of an environment that holds the wheel alone, not from within this tree. Modules whose extra
is not installed are counted, and are no failure.
"""

from __future__ import annotations

import importlib
import pkgutil
import sys


def main() -> int:
    import gigmate
    from gigmate.cli.extras import EXTRA_OF

    failed, left_out, done = [], [], 0
    for found in pkgutil.walk_packages(gigmate.__path__, "gigmate."):
        if found.name.endswith("__main__"):
            continue
        try:
            importlib.import_module(found.name)
            done += 1
        except ModuleNotFoundError as error:
            missing = (error.name or "").split(".")[0]
            (left_out if missing in EXTRA_OF else failed).append(f"{found.name}: no {missing}")
        except ImportError as error:
            failed.append(f"{found.name}: {error}")
    print(f"{done} modules of {gigmate.__path__[0]} are imported; {len(left_out)} want an extra")
    for line in failed:
        print(f"cannot be imported: {line}", file=sys.stderr)
    return 1 if failed or not done else 0


if __name__ == "__main__":
    sys.exit(main())
