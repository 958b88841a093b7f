"""The test host and the shell, built once for all tests of the plug-in."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from gigmate.engine.errors import EngineError

from tests.plugin.plugin_host import build

IN_CI = os.environ.get("CI", "").lower() in ("1", "true", "yes")


@pytest.fixture(scope="session")
def built(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    """Host and library with the address and undefined-behaviour sanitizers."""
    return _build(tmp_path_factory, "address")


@pytest.fixture(scope="session")
def built_plain(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    """As users have it."""
    return _build(tmp_path_factory, "none")


@pytest.fixture(scope="session")
def built_threads(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    """With the thread sanitizer."""
    return _build(tmp_path_factory, "thread")


def _build(factory: pytest.TempPathFactory, sanitizer: str) -> tuple[Path, Path]:
    try:
        return build(factory.mktemp("plugin"), sanitizer)
    except EngineError as error:
        if IN_CI:
            raise
        pytest.skip(str(error))
