"""Optional packages: which extra installs each of them. Knows their names, imports none."""

from __future__ import annotations

from importlib.util import find_spec

from ..engine.errors import EngineError

EXTRA_OF: dict[str, str] = {
    "clearml": "train",
    "cryptography": "tls",
    "PIL": "train",
    "librosa": "train",
    "matplotlib": "train",
    "mir_eval": "train",
    "scipy": "train",
    "sklearn": "train",
    "tensorboard": "train",
    "tinysoundfont": "train",
    "fastapi": "api",
    "python_multipart": "api",
    "starlette": "api",
    "uvicorn": "api",
    "websockets": "api",
    "pythonosc": "osc",
    "av": "files",
    "python_stretch": "loops",
    "aalink": "link",
    "pyaudio": "pyaudio",
    "encodec": "encodec",
    "distributed": "cluster",
}
"""By the name that is imported."""


def missing_line(module: str) -> str:
    """One line for a module that is not there: how to get it."""
    name = module.split(".")[0]
    if name in EXTRA_OF:
        return f"{name} is missing: pip install 'gigmate[{EXTRA_OF[name]}]'"
    return f"{name} is missing, which GigMate itself needs: install GigMate again (pip install gigmate)"


def need(*modules: str) -> None:
    """Raise EngineError where one of them is not installed: said before any work is done."""
    for name in modules:
        if find_spec(name) is None:
            raise EngineError(missing_line(name))
