"""GigMate: a band (drums, bass, keys) that plays along with a live instrument on a laptop's CPU.

The root of the repository is this package. `from gigmate import Band` is its face for programs; importing the package
alone loads nothing heavy (torch, numba come with the band).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from .band import (
        Accompaniment,
        Band,
        Chart,
        ChartError,
        CheckpointError,
        ConfigError,
        EngineError,
        FirstDownbeat,
        Mix,
        Moment,
        Music,
        NoteChange,
        PlayedBeat,
        PlayedChord,
        PlayedNote,
        PlayedSection,
        Preset,
        PresetError,
        Score,
        Stretch,
        load_preset,
    )

__version__ = "0.1.0"
__all__ = [
    "Accompaniment",
    "Band",
    "Chart",
    "ChartError",
    "CheckpointError",
    "ConfigError",
    "EngineError",
    "FirstDownbeat",
    "Mix",
    "Moment",
    "Music",
    "NoteChange",
    "PlayedBeat",
    "PlayedChord",
    "PlayedNote",
    "PlayedSection",
    "Preset",
    "PresetError",
    "Score",
    "Stretch",
    "__version__",
    "load_preset",
]


def __getattr__(name: str) -> Any:
    """Names that cost something to import, when they are asked for. Any thread."""
    if name in __all__:
        from . import band

        return getattr(band, name)
    raise AttributeError(f"module 'gigmate' has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
