"""The whole command, killed while it records a set list: what was recorded opens, and lacks a second at most."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
import soundfile

from tests.engine.fakes import write_noise

from .test_process import live

EVENING = Path(__file__).resolve().parents[2] / "docs" / "examples" / "evening.yaml"


@pytest.mark.parametrize("form", ["take.wav", "stems/"])
def test_a_killed_command_leaves_a_recording_that_opens(form: str, tmp_path: Path) -> None:
    lead = write_noise(tmp_path / "lead.wav", 48_000, 60.0)
    record = f"{tmp_path}/{form}"
    process = live("--input-file", lead, "--record", record, "--set", EVENING, "--json")
    assert process.stdout is not None
    shown: list[dict[str, object]] = []
    for line in process.stdout:
        if line.startswith("{") and "seconds" in (words := json.loads(line)):
            shown.append(words)
            if float(words["seconds"]) >= 3.0:
                break
    process.kill()
    process.wait()
    process.stdout.close()
    assert process.stderr is not None
    process.stderr.close()
    assert shown, "it never ran"
    assert shown[-1]["song"] == "Opening blues"
    assert shown[-1]["recording"]
    files = [Path(record)] if form.endswith(".wav") else sorted(Path(record).iterdir())
    assert len(files) == (1 if form.endswith(".wav") else 5)
    lengths = []
    for file in files:
        sound, rate_hz = soundfile.read(file, dtype="float32", always_2d=True)
        lengths.append(len(sound) / rate_hz)
        assert np.isfinite(sound).all()
        if file.stem in ("take", "heard"):
            assert np.abs(sound[:, 0]).max() > 0.01, "what was heard is in it"
    assert min(lengths) >= float(shown[-1]["seconds"]) - 1.0 - 0.2  # and what the status was behind
    assert max(lengths) - min(lengths) <= 1.0
