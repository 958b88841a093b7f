"""Where a figure comes from: the command, the day, and the commit of the code that measured it. Any thread."""

from __future__ import annotations

import datetime
import subprocess
from pathlib import Path

from .. import __version__


def commit() -> str:
    """The short hash of the checked-out commit; the version where this is no clone, or git is not installed."""
    try:
        found = subprocess.run(
            ["git", "-C", str(Path(__file__).resolve().parents[1]), "rev-parse", "--short", "HEAD"],
            capture_output=True, text=True, timeout=10, check=True,
        )  # fmt: skip
    except (OSError, subprocess.SubprocessError):
        return f"version {__version__}"
    return found.stdout.strip()


def today() -> str:
    return datetime.datetime.now(datetime.timezone.utc).date().isoformat()


def lines(command: str, date: str, made_by: str) -> list[str]:
    """The table at the top of a page of results, as Markdown lines."""
    return ["| Command | Date | Commit |", "|---|---|---|", f"| `{command}` | {date} | {made_by} |", ""]
