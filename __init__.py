"""GigMate: a band (drums, bass, keys) that plays along with a live instrument on a laptop's CPU.

The root of the repository is this package. `from gigmate import Band` is its face for programs; importing the package
alone loads nothing heavy (torch, numba come with the band).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from .band import Band, Music

__version__ = "0.1.0"
__all__ = ["Band", "Music", "__version__"]


def __getattr__(name: str) -> Any:
    """Names that cost something to import, when they are asked for."""
    if name in ("Band", "Music"):
        from . import band

        return getattr(band, name)
    raise AttributeError(f"module 'gigmate' has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
