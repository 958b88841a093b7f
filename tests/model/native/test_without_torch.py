"""The band plays where torch cannot be imported: a machine with a compiler needs it for training and export alone."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import numpy as np
import soundfile

RATE_HZ = 48_000
_WITHOUT_TORCH = """
import sys
sys.modules["torch"] = None  # an import of it fails
from gigmate.cli.main import main
sys.argv = ["gigmate", *sys.argv[1:]]
main()
"""


def test_a_recording_is_completed(tmp_path: Path, tiny_weights: Path) -> None:
    take, band = tmp_path / "take.wav", tmp_path / "band.wav"
    soundfile.write(take, 0.1 * np.sin(np.arange(RATE_HZ) / 20.0), RATE_HZ)
    call = ["complete", take, "-o", band, "--no-wait", "--sound", "neural", "--weights", tiny_weights]
    done = subprocess.run(
        [sys.executable, "-c", _WITHOUT_TORCH, *map(str, call)],
        capture_output=True,
        text=True,
        timeout=100,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert len(soundfile.read(band)[0]) == RATE_HZ


def test_what_needs_it_says_so(tmp_path: Path) -> None:
    call = ["export", "--torchscript", tmp_path / "band.ts"]
    done = subprocess.run(
        [sys.executable, "-c", _WITHOUT_TORCH, *map(str, call)],
        capture_output=True,
        text=True,
        timeout=100,
        check=False,
    )
    assert done.returncode == 1
    assert "torch is missing" in done.stderr and done.stderr.count("\n") == 1
