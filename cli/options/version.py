"""`gigmate version`, and `--version` on all three commands. Main thread."""

from __future__ import annotations

import platform
from typing import Annotated

import typer

from ... import __version__

_RUNS_ON = ("torch", "numba", "numpy", "JACK-Client", "sounddevice", "PyAudio")


def version() -> None:
    """Print the versions of GigMate and of what it runs on."""
    from importlib.metadata import PackageNotFoundError
    from importlib.metadata import version as installed

    print(f"gigmate {__version__} (Python {platform.python_version()}, {platform.system()} {platform.machine()})")
    for package in _RUNS_ON:
        try:
            print(f"{package} {installed(package)}")
        except PackageNotFoundError:
            print(f"{package} not installed")


def _tell(context: typer.Context, wanted: bool) -> None:
    """Print one line and end, before any other option is looked at."""
    if wanted and not context.resilient_parsing:  # a shell that completes the line runs nothing
        print(f"{context.find_root().info_name} {__version__}")
        raise typer.Exit


VersionOption = Annotated[
    bool, typer.Option("--version", help="Print the version and exit.", callback=_tell, is_eager=True)
]
