"""Where a figure comes from: the command, the day, and the commit of the code that measured it. Any thread."""

from __future__ import annotations

import datetime
import subprocess
from pathlib import Path

from .. import __version__

ROOT = Path(__file__).resolve().parents[1]


def commit(root: Path = ROOT) -> str:
    """The short hash of the commit that is checked out at `root`, with `-dirty` if files differ from it.

    The version if `root` is no clone (also if it lies inside a clone of something else), or git is not installed.
    """
    try:
        top = _git(root, "rev-parse", "--show-toplevel")
        if Path(top).resolve() == root.resolve():
            return _git(root, "describe", "--always", "--dirty", "--exclude=*")
    except (OSError, subprocess.SubprocessError):
        pass
    return f"version {__version__}"


def _git(root: Path, *arguments: str) -> str:
    found = subprocess.run(["git", "-C", str(root), *arguments], capture_output=True, text=True, timeout=10, check=True)
    return found.stdout.strip()


def today() -> str:
    return datetime.datetime.now(datetime.timezone.utc).date().isoformat()


def lines(command: str, date: str, made_by: str) -> list[str]:
    """The table at the top of a page of results, as Markdown lines."""
    return ["| Command | Date | Commit |", "|---|---|---|", f"| `{command}` | {date} | {made_by} |", ""]
