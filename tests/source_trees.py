"""The source of the package as syntax trees, each file parsed once for all the tests that read it."""

from __future__ import annotations

import ast
from functools import cache
from pathlib import Path


@cache
def tree_of(path: Path) -> ast.Module:
    """What the file holds; not to be changed."""
    return ast.parse(path.read_text(encoding="utf-8"), str(path))
