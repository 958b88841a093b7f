"""docs/api.md is what the docstrings say, and has every public name."""

from __future__ import annotations

import importlib.util
import re
from pathlib import Path
from types import ModuleType

import gigmate


def script() -> ModuleType:
    spec = importlib.util.spec_from_file_location("api_page", Path(__file__).parent / "api_page.py")
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


api_page = script()


def test_the_page_is_that_of_the_docstrings() -> None:
    assert api_page.PAGE.read_text(encoding="utf-8") == api_page.page(), "run: python tests/api_page.py"


def test_every_public_name_has_its_words() -> None:
    parts = re.split(r"^### `(\w+)[^\n]*\n", api_page.page(), flags=re.MULTILINE)[1:]
    words = dict(zip(parts[::2], parts[1::2], strict=True))
    assert set(words) == set(gigmate.__all__) - {"__version__"}
    assert all(len(re.sub(r"`[^`]*`", "", text).split()) >= 5 for text in words.values())
