"""What a start imports: of all verbs the one that is called, and none of what numba knows where its code is there."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import soundfile

_RATE_HZ = 48_000
_RUN = """
import json, sys
from gigmate.cli import main
try:
    getattr(main, sys.argv.pop(1))()
except SystemExit as left:
    assert not left.code, left.code
print()
print(json.dumps(sorted(sys.modules)))
"""
_NOT_NEEDED = {
    *("torch", "scipy.linalg", "mido", "fastapi", "jack", "sounddevice"),
    *("gigmate.training", "gigmate.sheets.library", "gigmate.cli.serve", "gigmate.cli.eval.eval_command"),
    *("gigmate.engine.callback.jack_callback", "gigmate.engine.callback.portaudio_callback"),
}
_COMPILING = "numba.np.arraymath"
"""What numba imports before it compiles."""


def _imported(*words: object) -> set[str]:
    done = subprocess.run(
        [sys.executable, "-c", _RUN, *map(str, words)], capture_output=True, text=True, timeout=140, check=False
    )
    assert done.returncode == 0, done.stderr
    return set(json.loads(done.stdout.splitlines()[-1]))


@pytest.mark.timeout(300)  # two starts, the first of which may compile
def test_a_live_run_from_a_file(tmp_path: Path, tiny_weights: Path) -> None:
    take = tmp_path / "take.wav"
    soundfile.write(take, 0.1 * np.sin(np.arange(_RATE_HZ // 2) / 20.0), _RATE_HZ)

    def live(name: str) -> set[str]:
        files = ("--input-file", take, "--output-file", tmp_path / name)
        return _imported("main_live", *files, "--fast", "--sound", "neural", "--weights", tiny_weights)

    imported = live("first.wav")
    if _COMPILING in imported:  # the first start on this machine
        imported = live("second.wav")
    assert _COMPILING not in imported
    assert not imported & _NOT_NEEDED
    assert {"gigmate.engine.run.live_engine", "gigmate.cli.live.live_command"} <= imported


def test_a_verb_brings_no_other() -> None:
    imported = _imported("main", "version")
    verbs = {name for name in imported if name.startswith("gigmate.cli.") and "options" not in name}
    assert verbs <= {"gigmate.cli.main", "gigmate.cli.boundary", "gigmate.cli.setup", "gigmate.cli.setup.config_file"}


def test_help_tells_of_all_of_them() -> None:
    imported = _imported("main", "--help")
    assert {"gigmate.cli.complete", "gigmate.cli.eval.eval_command", "gigmate.cli.live.live_command"} <= imported
    assert not imported & {"numpy", "numba", "torch", "pydantic"}
