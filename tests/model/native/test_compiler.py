"""Building the step in C: once, for this processor, and a plain word where it cannot be."""

from __future__ import annotations

import os
import platform
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from gigmate.model.loading import load_band
from gigmate.model.native import compiler
from gigmate.model.native.compiler import SOURCE, CompilerError, find_compiler, library

from ..small_band import write_small_band
from .step_exercise import exercise

ROOT = Path(__file__).resolve().parents[3]


@pytest.fixture(autouse=True)
def _own_cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setenv("GIGMATE_CACHE_DIR", str(tmp_path / "cache"))
    compiler._key.cache_clear()
    yield
    compiler._key.cache_clear()


@pytest.fixture(scope="module")
def exercised(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, np.ndarray]:
    """Weights, and what the library that all tests share says of them: no test has its own cache yet."""
    weights = write_small_band(tmp_path_factory.mktemp("band"), odd=True)
    return weights, exercise(weights, None)


def no_compiler(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(folder))
    monkeypatch.delenv("CC", raising=False)


@pytest.fixture
def small_source(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What is built matters to no cache: a line of C takes no seconds."""
    (tmp_path / "source").mkdir()
    (tmp_path / "source" / "step.c").write_text("int step(void) { return 0; }\n")
    monkeypatch.setattr(compiler, "SOURCE", tmp_path / "source")


@pytest.mark.usefixtures("small_source")
def test_it_is_built_once(monkeypatch: pytest.MonkeyPatch) -> None:
    first = library()
    built = first.stat().st_mtime_ns

    def never(*_: object, **__: object) -> None:
        raise AssertionError("built again")

    monkeypatch.setattr(subprocess, "run", never)
    assert library() == first and first.stat().st_mtime_ns == built


def test_another_processor_or_source_is_another_library(monkeypatch: pytest.MonkeyPatch) -> None:
    here = compiler._key(find_compiler())
    compiler._key.cache_clear()
    monkeypatch.setattr(compiler, "_processor", lambda: "another")
    assert compiler._key(find_compiler()) != here


WAYS = {
    "this processor": ("-march=native",),
    "AVX2": ("-march=native", "-mno-avx512f"),
    "no vectors of integers": ("-march=native", "-mno-avx2", "-mno-avx512f"),
}


@pytest.mark.parametrize("way", [*WAYS, "sanitizers"])
def test_every_way_to_multiply_builds_without_a_warning_and_says_the_same(
    way: str, tmp_path: Path, exercised: tuple[Path, np.ndarray]
) -> None:
    """This processor's instructions, those of older ones, and none: the integer sums are exact in all of them."""
    if way != "sanitizers" and platform.machine() not in ("x86_64", "AMD64"):
        pytest.skip("flags of another processor")
    flags = WAYS.get(way, ("-O1", "-fsanitize=address,undefined", "-fno-sanitize-recover=all", "-g"))
    command = [find_compiler(), *compiler._FLAGS, *flags, "-Wall", "-Wextra", "-Wshadow", "-Werror"]
    built, sources = tmp_path / "step.so", sorted(str(path) for path in SOURCE.glob("*.c"))
    done = subprocess.run([*command, "-o", str(built), *sources, "-lm"], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    weights, said = exercised
    if way == "sanitizers":
        asan = subprocess.run(
            [find_compiler(), "-print-file-name=libasan.so"], capture_output=True, text=True, check=True
        )
        command = [sys.executable, "-m", "tests.model.native.step_exercise", str(weights), str(built)]
        environment = {**os.environ, "LD_PRELOAD": asan.stdout.strip(), "ASAN_OPTIONS": "detect_leaks=0"}
        ran = subprocess.run(command, capture_output=True, text=True, env=environment, check=False, cwd=ROOT)
        assert ran.returncode == 0, ran.stderr[-3000:]
        return
    np.testing.assert_allclose(exercise(weights, built), said, atol=2e-4)


def test_without_a_compiler_torch_plays_and_it_is_said(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    weights = write_small_band(tmp_path)
    no_compiler(tmp_path, monkeypatch)
    with pytest.warns(UserWarning, match="no C compiler.*install gcc.*TorchScript plays instead"):
        band = load_band(weights)
    assert band.runtime == "torchscript"
    with pytest.raises(CompilerError, match="no C compiler"):
        load_band(weights, runtime="native")


def test_a_compiler_that_fails_is_quoted_in_one_line(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    broken = tmp_path / "cc"
    broken.write_text("#!/bin/sh\necho 'step.c:1:1: error: no such thing' >&2\nexit 1\n")
    broken.chmod(0o755)
    monkeypatch.setenv("CC", str(broken))
    with pytest.raises(CompilerError, match="no such thing") as caught:
        library()
    assert "\n" not in str(caught.value)
    assert not list((tmp_path / "cache").rglob("*.part"))


@pytest.mark.usefixtures("small_source")
def test_a_damaged_library_is_built_anew_at_the_next_start(tmp_path: Path) -> None:
    from gigmate.model.native import library as signatures

    path = library()
    broken = path.with_name("broken.so")
    broken.write_bytes(b"not a library")
    with pytest.raises(CompilerError, match="start again"):
        signatures.load(broken)
    assert not broken.exists()


@pytest.mark.skipif(os.geteuid() == 0, reason="root writes everywhere")
@pytest.mark.usefixtures("small_source")
def test_a_cache_that_cannot_be_written_costs_the_next_start_only(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "cache").mkdir(mode=0o500)
    assert library().exists()


@pytest.mark.usefixtures("small_source")
def test_a_cache_that_is_a_file_costs_the_next_start_only(tmp_path: Path) -> None:
    (tmp_path / "cache").write_text("")
    assert library().exists()
