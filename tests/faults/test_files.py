"""Files that are cut off or not ours, given to the real command: one line, an exit code, and nothing begun."""

from __future__ import annotations

import ast
import os
from pathlib import Path

import gigmate.session
import pytest
from gigmate.cli import boundary, main

from tests.engine.fakes import write_noise

from .runner import Singer

ROOT = Path(__file__).resolve().parents[2]


def live(*arguments: object) -> int:
    return boundary.run(main.live_app, "gigmate-live", [str(argument) for argument in arguments])


@pytest.fixture
def lead(tmp_path: Path) -> Path:
    return write_noise(tmp_path / "lead.wav", 48_000, 0.4)


@pytest.fixture
def singer(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(gigmate.session, "_shipped_player", lambda weights, seed: Singer())


@pytest.mark.parametrize(
    ("option", "name", "content", "code"),
    [
        ("--preset", "mine.yaml", b"style: ro\xff\xfe", 2),
        ("--preset", "mine.yaml", b"style: rock\ndensity: [", 2),
        ("--preset", "mine.yaml", b"\x89PNG\r\n\x1a\n" + bytes(64), 2),
        ("--chart", "song.txt", b"| C | F | G", None),
        ("--chart", "song.txt", b"\x00\x01\x02 not a chart \xff", 2),
        ("--set", "gig.yaml", b"songs:\n  - name: One\n    chart: |", None),
        ("--set", "gig.yaml", b"songs: 5", 2),
        ("--set", "gig.yaml", b"PK\x03\x04" + bytes(99), 2),
        ("--bindings", "feet.yaml", b"- pedal: CC64\n  does: fly", 2),
    ],
)  # fmt: skip
def test_a_file_that_is_cut_off_or_not_ours(
    option: str, name: str, content: bytes, code: int | None, lead: Path, tmp_path: Path, singer: None,
    capsys: pytest.CaptureFixture[str],
) -> None:  # fmt: skip
    file, report = tmp_path / name, tmp_path / "report.json"
    file.write_bytes(content)
    found = live(option, file, "--input-file", lead, "--fast", "--report", report)
    errors = capsys.readouterr().err
    assert "Traceback" not in errors
    assert "error in GigMate" not in errors
    if code is None:  # cut off where it still means something
        assert found in (0, 2)
    else:
        assert found == code
        assert name in errors
        assert errors.count("\n") == 1
        assert not report.exists(), "nothing was begun"


@pytest.mark.parametrize("kind", ["codec", "listener", "generator"])
@pytest.mark.parametrize("share", [0.0, 0.5, 0.99])
def test_weights_that_are_cut_off(
    kind: str, share: float, tiny_weights: Path, lead: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = tmp_path / "weights"
    folder.mkdir()
    for file in tiny_weights.iterdir():
        data = file.read_bytes()
        (folder / file.name).write_bytes(data[: int(share * len(data))] if file.stem == kind else data)
    assert live("--weights", folder, "--input-file", lead, "--fast") == 1
    errors = capsys.readouterr().err.splitlines()
    assert f"{kind}.safetensors" in errors[-1]
    assert "download it again" in errors[-1]
    assert "Traceback" not in "".join(errors)


@pytest.mark.parametrize("content", [b"", b"{", b'{"format": "something else"}', b"\xff\xfe\x00"])
def test_a_calibration_that_is_damaged_is_said_and_not_used(
    content: bytes, lead: Path, tmp_path: Path, singer: None, monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:  # fmt: skip
    from gigmate.engine.config import EngineConfig
    from gigmate.engine.ports.loopback import calibrated

    from tests.engine.fakes import DeadPort

    monkeypatch.setenv("GIGMATE_CONFIG_DIR", str(tmp_path))
    (tmp_path / "latency.json").write_bytes(content)
    port = DeadPort()
    port.input_names, port.output_names = ("system:capture_1",), ("system:playback_1",)
    config, _, warning = calibrated(EngineConfig(backend="jack"), port)
    assert config.round_trip_samples is None
    assert warning is not None
    assert "delete it, and measure again" in warning
    assert (tmp_path / "latency.json").read_bytes() == content, "and nothing is lost by it"


def test_the_time_of_day_may_jump() -> None:
    """What plays asks the monotonic clock alone: nothing reads the time of day but names and dates of files."""
    for path in [
        *sorted((ROOT / "engine").rglob("*.py")),
        ROOT / "session.py",
        ROOT / "cli" / "live" / "live_run.py",
    ]:
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Call):
                assert ast.unparse(node.func) not in {"time.time", "time.time_ns", "datetime.now"}, path


def test_a_wall_clock_that_stood_still_is_counted_and_not_raced_after(lead: Path) -> None:
    from gigmate.engine.config import EngineConfig
    from gigmate.engine.ports.file import FilePort

    port = FilePort(EngineConfig(backend="file", input_file=str(lead)))
    try:
        import time

        begin_s = time.perf_counter() - 5.0  # the machine slept
        anew_s = port._wait_for_clock(begin_s, 256)
        assert anew_s == pytest.approx(time.perf_counter() - 256 / port.rate_hz, abs=0.2)
        assert port.xruns == 1
    finally:
        port.close()


@pytest.mark.skipif(os.name != "posix", reason="paths of POSIX")
@pytest.mark.parametrize("option", ["--record", "--report", "--output-file"])
def test_where_nothing_may_be_written(
    option: str, lead: Path, singer: None, capsys: pytest.CaptureFixture[str]
) -> None:
    assert live(option, "/proc/nowhere/x.wav", "--input-file", lead, "--fast") == 1
    errors = capsys.readouterr().err
    assert errors.count("\n") == 1
    assert "/proc/nowhere" in errors


@pytest.mark.parametrize("option", ["--record", "--output-file"])
def test_a_run_that_cannot_be_costs_no_earlier_file(
    option: str, tmp_path: Path, singer: None, capsys: pytest.CaptureFixture[str]
) -> None:
    """A rate at which the band cannot play is met late, when everything else is open."""
    odd, earlier = write_noise(tmp_path / "odd.wav", 44_101, 0.4), tmp_path / "earlier.wav"
    earlier.write_bytes(b"a take that nobody can play again")
    assert live("--input-file", odd, "--fast", "--force", option, earlier) == 2
    assert "44101" in capsys.readouterr().err
    assert earlier.read_bytes() == b"a take that nobody can play again"


def test_a_server_that_does_not_answer_costs_no_earlier_file(
    lead: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    earlier = tmp_path / "earlier.wav"
    earlier.write_bytes(b"a take that nobody can play again")
    arguments = ["play", "ws://127.0.0.1:9", "--input-file", lead, "--fast", "--force", "--record", earlier]
    assert boundary.run(main.app, "gigmate", [str(argument) for argument in arguments]) == 1
    assert "no server" in capsys.readouterr().err
    assert earlier.read_bytes() == b"a take that nobody can play again"
    arguments[-2] = "--output-file"
    assert boundary.run(main.app, "gigmate", [str(argument) for argument in arguments]) == 1
    assert earlier.read_bytes() == b"a take that nobody can play again"
