"""The exported file in a C++ program that knows libtorch and nothing of ours: the same sound as in Python."""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path

import numpy as np
import pytest
import torch
from gigmate.model.nn_tilde.patch_band import export_torchscript

pytestmark = [pytest.mark.slow, pytest.mark.timeout(1800)]  # the compiler takes a minute for torch's headers

SOURCE = Path(__file__).with_name("loader.cpp")
RATE_HZ = 48_000
BLOCKS = (512, 4096, 1, 1000)


def compiler() -> str:
    found = shutil.which("g++")
    if found is None:
        if os.environ.get("CI", "").lower() in ("1", "true", "yes"):
            pytest.fail("g++ must be there in CI: apt install g++")
        pytest.skip("no g++ here: apt install g++")
    return found


@pytest.fixture(scope="module")
def loader(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The program, against the headers and libraries of the installed torch."""
    from torch.utils.cpp_extension import include_paths, library_paths

    program = tmp_path_factory.mktemp("loader") / "loader"
    command = [compiler(), "-std=c++20", "-O0", f"-D_GLIBCXX_USE_CXX11_ABI={int(torch.compiled_with_cxx11_abi())}"]
    command += [f"-isystem{path}" for path in include_paths()] + [str(SOURCE), "-o", str(program)]
    for path in library_paths():
        command += [f"-L{path}", f"-Wl,-rpath,{path}"]
    command += ["-Wl,--no-as-needed", "-ltorch", "-ltorch_cpu", "-lc10"]
    subprocess.run(command, check=True, timeout=900)
    return program


def in_python(file: Path, sound: np.ndarray) -> np.ndarray:
    """[3, n] of the file, block by block."""
    band = torch.jit.load(str(file))
    assert band.set_tempo_bpm(100.0) == band.set_beats_per_bar(3) == band.set_seed(7) == band.set_restart(True) == 0
    out, at, turn = [], 0, 0
    with torch.inference_mode():
        while at < len(sound):
            piece = sound[at : at + BLOCKS[turn % len(BLOCKS)]]
            out.append(band.forward(torch.from_numpy(piece.copy()).view(1, 1, -1))[0].numpy())
            at, turn = at + len(piece), turn + 1
    return np.concatenate(out, axis=1)


@pytest.mark.parametrize("int8", [False, True])
def test_a_program_in_cpp_hears_our_band(loader: Path, tiny_weights: Path, tmp_path: Path, int8: bool) -> None:
    file = tmp_path / "band.ts"
    export_torchscript(file, tiny_weights, RATE_HZ, int8)
    n = np.arange(round(1.3 * RATE_HZ))
    sound = (0.3 * np.sin(2 * np.pi * 220 * n / RATE_HZ) * (n % (RATE_HZ // 2) < RATE_HZ // 5)).astype(np.float32)
    sound.astype("<f4").tofile(tmp_path / "in.f32")
    command = [loader, file, tmp_path / "in.f32", tmp_path / "out.f32", ",".join(map(str, BLOCKS))]
    subprocess.run([str(word) for word in command], check=True, timeout=300, env={"PATH": os.environ["PATH"]})
    theirs = np.fromfile(tmp_path / "out.f32", "<f4").reshape(-1, 3).T
    ours = in_python(file, sound)
    assert theirs.shape == ours.shape
    assert np.abs(ours).max() > 0.05
    np.testing.assert_allclose(theirs, ours, atol=1e-4)


def test_the_program_says_what_it_wants(loader: Path) -> None:
    done = subprocess.run([str(loader)], check=False, capture_output=True, timeout=60)
    assert done.returncode == 2
    assert b"BAND.ts" in done.stderr
