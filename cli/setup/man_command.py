"""`gigmate man`: the manual page, made of the help. Main thread."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path
from typing import Annotated

import typer

from ...engine.errors import EngineError


def man(
    to: Annotated[
        Path | None, typer.Option("--to", metavar="DIR", help="Write gigmate.1 and the others into this folder.")
    ] = None,
) -> int:
    """Show the manual page, or write it: to a pipe as it is, on a terminal by `man`."""
    from ... import __version__
    from ...files.whole import write_whole
    from .. import main
    from .man_page import man_page

    if to is None:
        return _show(man_page(main.app_of(*main.VERBS), "gigmate", __version__))
    apps = {
        "gigmate": main.app_of(*main.VERBS),
        "gigmate-live": main.app_alone("live"),
        "gigmate-latency": main.app_alone("latency"),
    }
    try:
        to.mkdir(parents=True, exist_ok=True)
        for prog, app in apps.items():
            path = to / f"{prog}.1"
            write_whole(path, man_page(app, prog, __version__).encode())
            print(path)
    except OSError as error:
        raise EngineError(f"--to {to}: cannot be written ({error.strerror}): choose another folder") from None
    return 0


def _show(page: str) -> int:
    reader = shutil.which("man")
    if reader is None or not sys.stdout.isatty():
        print(page, end="")
        return 0
    return subprocess.run([reader, "-l", "-"], input=page.encode(), check=False).returncode
