"""The whole command, in a process of its own: a full disk, a home that is read-only, two at once, no memory."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import soundfile
from gigmate.cli import boundary, output_files
from gigmate.engine.errors import EngineError

from tests.engine.fakes import write_noise

from .runs import Run

resource = pytest.importorskip("resource", reason="limits and signals of POSIX")

LIVE = """
import sys
sys.path.insert(0, {folder!r})
import gigmate.session
from runner import Singer
gigmate.session._shipped_player = lambda weights, seed: Singer()
from gigmate.cli.main import main_live
main_live()
"""


def live(*arguments: object, limit: Callable[[], None] | None = None, **environment: str) -> subprocess.Popen[str]:
    """gigmate-live with a sine for a band."""
    code = LIVE.format(folder=str(Path(__file__).parent))
    return subprocess.Popen(
        [sys.executable, "-c", code, "--start-now", *map(str, arguments)],
        env={**os.environ, "JACK_DEFAULT_SERVER": "no-such-server-here", **environment},
        stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, preexec_fn=limit,
    )  # fmt: skip


def smallest_files() -> None:
    resource.setrlimit(resource.RLIMIT_FSIZE, (720_000, 720_000))


def test_a_full_disk_costs_the_recording_and_not_the_music(tmp_path: Path) -> None:
    lead = write_noise(tmp_path / "lead.wav", 48_000, 4.0)
    record, report = tmp_path / "take.wav", tmp_path / "report.json"
    process = live(
        "--input-file", lead, "--fast", "--record", record, "--report", report, "--json", limit=smallest_files
    )  # fmt: skip
    output, errors = process.communicate(timeout=100)
    assert process.returncode == 0, errors
    assert "Traceback" not in errors
    figures = json.loads(report.read_text())
    assert figures["seconds"] == pytest.approx(4.0), "the music went on to the end"
    assert figures["faults"]["recording_failed"] == 1
    assert len([w for w in figures["warnings"] if "is the disk full?" in w]) == 1
    assert output.count("is the disk full?") >= 1
    kept, rate_hz = soundfile.read(record)
    assert len(kept) / rate_hz > 0.3
    assert np.isfinite(kept).all()


def test_a_home_that_is_read_only_is_no_reason_not_to_play(tmp_path: Path) -> None:
    lead, band = write_noise(tmp_path / "lead.wav", 48_000, 1.0), tmp_path / "band.wav"
    nowhere = "/proc/nowhere"
    homes = dict.fromkeys(("HOME", "XDG_CACHE_HOME", "XDG_CONFIG_HOME", "XDG_DATA_HOME"), nowhere)
    process = live("--input-file", lead, "--fast", "--output-file", band, GIGMATE_CACHE_DIR=nowhere, **homes)
    _, errors = process.communicate(timeout=110)
    assert process.returncode == 0, errors
    assert "Traceback" not in errors
    assert soundfile.info(band).frames == 48_000


def test_two_at_once_do_not_write_into_one_file(tmp_path: Path) -> None:
    path = tmp_path / "take.wav"
    with output_files.claimed(path, "--record"):
        code = "import sys, pathlib; from gigmate.cli import output_files\n"
        code += "with output_files.claimed(pathlib.Path(sys.argv[1]), '--record'): pass"
        other = subprocess.run(
            [sys.executable, "-c", code, str(path)], capture_output=True, text=True, check=False, timeout=60
        )
        assert "another GigMate is writing to it: choose another file" in other.stderr
        with pytest.raises(EngineError, match="another GigMate"), output_files.claimed(path, "--record"):
            pass
        path.write_bytes(b"sound")
    with output_files.claimed(path, "--record"):
        assert path.read_bytes() == b"sound"
    with output_files.claimed(tmp_path / "never.wav", "--record"):
        pass
    assert not (tmp_path / "never.wav").exists()


@pytest.mark.jack
def test_two_at_once_play_side_by_side_under_names_of_their_own(
    jack_server: Any, start_run: Callable[..., Run]
) -> None:
    environment = jack_server.environment
    runs = [start_run(environment, backend="jack", client_name="gm", output_channels=[3]) for _ in range(2)]
    for run in runs:
        run.until("playing")
    ports = subprocess.run(["jack_lsp"], env=environment, capture_output=True, text=True, check=True, timeout=60).stdout
    assert {line.split(":")[0] for line in ports.splitlines() if line.startswith("gm")} == {"gm", "gm-01"}
    for run in runs:
        assert run.quit()["lost"] is None


@pytest.mark.parametrize(
    ("error", "words"),
    [
        (MemoryError(), "not enough memory: close other programs"),
        (RuntimeError("[enforce fail] DefaultCPUAllocator: can't allocate memory: you tried"), "not enough memory"),
        (OSError(28, "No space left on device", "report.json"), "report.json: No space left on device: make room"),
        (OSError(30, "Read-only file system", "r.json"), "choose a place where you may write"),
    ],
)
def test_what_the_machine_lacks_is_said_with_its_mend(error: Exception, words: str) -> None:
    line, code = boundary.explain(error)
    assert words in line
    assert code == 1


def test_no_memory_while_loading_is_one_line(tmp_path: Path) -> None:
    lead = write_noise(tmp_path / "lead.wav", 48_000, 0.5)
    code = LIVE.format(folder=str(Path(__file__).parent)).replace("lambda weights, seed: Singer()", "no_memory")
    code = "def no_memory(weights, seed):\n    raise MemoryError\n" + code
    done = subprocess.run(
        [sys.executable, "-c", code, "--input-file", str(lead), "--fast"],
        capture_output=True, text=True, timeout=100, check=False,
    )  # fmt: skip
    assert done.returncode == 1
    assert (
        done.stderr.splitlines()[-1]
        == "gigmate-live: there is not enough memory: close other programs, and start again"
    )


@pytest.mark.jack
def test_the_command_outlives_its_server_and_ends_as_it_is_asked_to(jack_server: Any, tmp_path: Path) -> None:
    report, record = tmp_path / "report.json", tmp_path / "take.wav"
    environment = {name: value for name, value in jack_server.environment.items() if name.startswith("JACK")}
    process = live("--backend", "jack", "--json", "--report", report, "--record", record, **environment)
    states: list[str] = []
    deeds = [("playing", jack_server.kill), ("away", jack_server.start), ("playing", lambda: process.send_signal(2))]
    assert process.stdout is not None and process.stderr is not None
    for line in process.stdout:
        words = json.loads(line)
        states += [words["state"]] if "state" in words else []
        if deeds and states and states[-1] == deeds[0][0]:
            deeds.pop(0)[1]()
    assert process.wait(60) == 130, process.stderr.read()
    assert "Traceback" not in process.stderr.read()
    figures = json.loads(report.read_text())
    assert figures["reconnects"]["times"] == 1
    assert figures["faults"]["port_lost"] == 1
    kept, rate_hz = soundfile.read(record)
    assert len(kept) / rate_hz == pytest.approx(figures["seconds"], abs=0.5)
