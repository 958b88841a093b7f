"""When a command counts. Values; any thread."""

from __future__ import annotations

NOW = -1
"""As a sample: whenever the worker gets to it."""
