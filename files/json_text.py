"""JSON text from plain values; converts what numpy left in them. Pure functions.

Knows nothing of ours. Each JSON text of the program comes from here, so that no figure can end a run.
"""

from __future__ import annotations

import dataclasses
import json
import math
import os
from typing import Any


def json_text(value: Any, *, indent: int | None = None, compact: bool = False, not_finite: float | None = None) -> str:
    """`value` as JSON, on one line unless `indent` says otherwise, without spaces if `compact`. See `plain`."""
    separators = (",", ":") if compact else None
    return json.dumps(plain(value, not_finite), indent=indent, separators=separators, allow_nan=False)


def plain(value: Any, not_finite: float | None = None) -> Any:
    """`value` in JSON's own kinds: numpy numbers and arrays, tuples, sets, dataclasses and paths turned plain.

    What JSON has no word for (infinity, NaN) is `not_finite`. Raises TypeError for what is no value.
    """
    if value is None or isinstance(value, bool):
        return value
    if isinstance(value, (str, int)):
        return str(value) if isinstance(value, str) else int(value)
    if isinstance(value, float):
        return float(value) if math.isfinite(value) else not_finite
    if isinstance(value, dict):
        return {str(plain(key)): plain(item, not_finite) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [plain(item, not_finite) for item in value]
    if isinstance(value, (set, frozenset)):
        return sorted(plain(item, not_finite) for item in value)
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        return {field.name: plain(getattr(value, field.name), not_finite) for field in dataclasses.fields(value)}
    if isinstance(value, os.PathLike):
        return os.fspath(value)
    if hasattr(value, "tolist"):  # numpy's numbers and arrays
        return plain(value.tolist(), not_finite)
    raise TypeError(f"{type(value).__name__} {str(value)[:60]!r} is no value that JSON has")
