"""The test host and the shell, built once for all tests of the plug-in."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from gigmate.engine.errors import EngineError
from gigmate.plugin.library import Face

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


@pytest.fixture(scope="session")
def built_clap(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    """Host and library of CLAP with the address and undefined-behaviour sanitizers."""
    return _build(tmp_path_factory, "address", "clap")


@pytest.fixture(scope="session")
def built_clap_threads(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    """Of CLAP, with the thread sanitizer."""
    return _build(tmp_path_factory, "thread", "clap")


def _build(factory: pytest.TempPathFactory, sanitizer: str, face: Face = "lv2") -> tuple[Path, Path]:
    try:
        return build(factory.mktemp("plugin"), sanitizer, face)
    except EngineError as error:
        if IN_CI:
            raise
        pytest.skip(str(error))
