"""A newcomer's walk: README's own commands, run as they stand there, with the shipped band on a private JACK server.

What cannot be had here is left out by name. Lines that play until they are told to stop get a --duration.
"""

from __future__ import annotations

import os
import re
import shlex
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import soundfile

ROOT = Path(__file__).resolve().parents[2]
README = (ROOT / "README.md").read_text(encoding="utf-8")
NOT_HERE = {
    "--device Scarlett": "a sound card of that name",
    "gigmate serve": "ends only when told",
    "ws://": "a server",
}
RATE_HZ = 48_000
PATIENCE_S = 240.0


def lines_of(heading: str) -> list[str]:
    """Commands of the first fenced block under a heading."""
    block = re.search(rf"^## {heading}$.*?^```\n(.*?)^```", README, re.MULTILINE | re.DOTALL)
    assert block is not None
    lines = [line.partition("#")[0].strip() for line in block[1].splitlines()]
    return [line for line in lines if line and not any(words in line for words in NOT_HERE)]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Where the newcomer stands: a take, a chart and a set list of docs/sets.md."""
    sets = (ROOT / "docs" / "sets.md").read_text(encoding="utf-8")
    (chart,) = [text for text in re.findall(r"```chart\n(.*?)```", sets, re.DOTALL) if "title" in text]
    (tmp_path / "song.chart").write_text(chart, encoding="utf-8")
    (songs,) = [text for text in re.findall(r"```yaml\n(.*?)```", sets, re.DOTALL) if "title: Opening blues" in text]
    (tmp_path / "evening.yaml").write_text(songs, encoding="utf-8")
    time_s = np.arange(4 * RATE_HZ) / RATE_HZ
    chord = sum(np.sin(2 * np.pi * hz * time_s) for hz in (110.0, 138.6, 164.8, 220.0))
    strokes = np.exp(-4.0 * (time_s % 0.5))
    soundfile.write(tmp_path / "take.wav", (0.15 * chord * strokes).astype(np.float32), RATE_HZ)
    return tmp_path


def ran(line: str, folder: Path, environment: dict[str, str]) -> str:
    """What the command printed; the test fails where it does."""
    name, *arguments = shlex.split(line)
    program = [sys.executable if name == "python" else str(Path(sys.executable).parent / name), *arguments]
    done = subprocess.run(
        program, cwd=folder, env=environment, capture_output=True, text=True, timeout=PATIENCE_S, check=False
    )
    assert done.returncode == 0, f"{line}: {done.stderr or done.stdout}"
    assert "Traceback" not in done.stderr, f"{line}: {done.stderr}"
    assert "Warning" not in done.stderr, f"{line}: {done.stderr}"
    return done.stdout


@pytest.mark.jack
@pytest.mark.slow
@pytest.mark.timeout(900)
def test_play(folder: Path, start_jack: Callable[..., Any]) -> None:
    server = start_jack(block_samples=256)
    environment = {**server.environment, "XDG_CONFIG_HOME": str(folder / "config")}
    for line in lines_of("Play"):
        live = line.startswith("gigmate-live")
        said = ran(f"{line} --duration 2" if live else line, folder, environment)
        if live:
            assert re.search(r"^[\d.]+ s of sound, .* 0 xruns$", said, re.MULTILINE), said
            assert "0 misses" in said, said
        else:
            assert "capture_1" in said and "playback_4" in said, said


@pytest.mark.slow
@pytest.mark.timeout(900)
def test_files_and_programs(folder: Path) -> None:
    environment = {**os.environ, "XDG_CONFIG_HOME": str(folder / "config")}
    lines = lines_of("Files and programs")
    assert [line.split()[1] for line in lines] == ["complete", "export"]
    ran(lines[0], folder, environment)
    mix, rate_hz = soundfile.read(folder / "take-band.wav")
    assert rate_hz == RATE_HZ and len(mix) == 24 * RATE_HZ, "4 s of the take and 20 s of music after it"
    assert np.abs(mix[6 * RATE_HZ :]).max() > 0.02
    assert "band.ts" in ran(lines[1], folder, environment)
    assert (folder / "band.ts").stat().st_size > 1_000_000


@pytest.mark.slow
@pytest.mark.timeout(300)
def test_python(folder: Path) -> None:
    (text,) = re.findall(r"```python\n(.*?)```", README, re.DOTALL)
    (folder / "own.py").write_text(text, encoding="utf-8")
    ran("python own.py", folder, dict(os.environ))
    mix, rate_hz = soundfile.read(folder / "band.wav")
    assert len(mix) == 12 * rate_hz and mix.shape[1] == 2 and np.abs(mix).max() > 0.02
