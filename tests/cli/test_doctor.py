"""The doctor: each finding has its mend, exit code 1 only for what stops the band, JSON that programs can read."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from gigmate.cli import boundary, doctor, main
from gigmate.cli.doctor import Finding
from gigmate.engine.config import EngineConfig


def test_every_trouble_comes_with_its_mend() -> None:
    findings = list(doctor.examine(EngineConfig(server_name="no-such-server-here"), quick=True))
    names = {finding.name for finding in findings}
    assert {"python", "torch", "jack", "portaudio", "midi", "cache", "audio callback"} <= names
    for finding in findings:
        assert finding.level in ("ok", "warn", "fail")
        assert finding.level == "ok" or finding.mend
    jack = next(finding for finding in findings if finding.name == "jack")
    assert jack.level == "warn"
    assert next(finding for finding in findings if finding.name == "audio callback").level == "ok"


@pytest.mark.parametrize(("level", "code"), [("ok", 0), ("warn", 0), ("fail", 1)])
def test_exit_code_and_json(
    level: doctor.Level, code: int, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(doctor, "examine", lambda config, quick: iter([Finding("thing", level, "so", "do this")]))
    assert boundary.run(main.app, "gigmate", ["doctor", "--json"]) == code
    values = json.loads(capsys.readouterr().out)
    assert values == {
        "ok": code == 0,
        "findings": [{"name": "thing", "level": level, "text": "so", "mend": "do this"}],
    }
    assert boundary.run(main.app, "gigmate", ["doctor"]) == code
    assert "-> do this" in capsys.readouterr().out


def test_torch_outside_the_tested_range(monkeypatch: pytest.MonkeyPatch) -> None:
    for version, level in (("2.13.0+cpu", "ok"), ("2.5.1", "warn"), ("2.14.0", "warn"), ("3.0.0a1", "warn")):
        monkeypatch.setattr(doctor, "installed_version", lambda name, version=version: version)
        assert next(iter(doctor.look_at_torch())).level == level


def test_a_cache_that_cannot_be_written(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file = tmp_path / "file"
    file.write_text("")
    monkeypatch.setenv("GIGMATE_CACHE_DIR", str(file / "below"))
    (finding,) = doctor.look_at_cache()
    assert finding.level == "warn"
    assert "GIGMATE_CACHE_DIR" in finding.mend


def test_no_bank_is_a_warning_with_the_command_that_installs_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from gigmate.sound import banks, fluid_library

    monkeypatch.setattr(banks, "FOLDERS", ())
    monkeypatch.setenv("GIGMATE_CONFIG_DIR", str(tmp_path))
    monkeypatch.delenv(banks.VARIABLE, raising=False)
    monkeypatch.setattr(fluid_library, "NAMES", ("libnothing.so.9",))
    monkeypatch.setattr(fluid_library.ctypes.util, "find_library", lambda _name: None)
    fluid_library.fluid_library.cache_clear()
    (finding,) = doctor.look_at_instruments()
    fluid_library.fluid_library.cache_clear()
    assert finding.level == "warn"
    assert "the neural voice plays" in finding.text and "fluid" in finding.mend.lower()


def test_without_a_compiler_the_step_is_slow_and_the_doctor_says_what_to_install(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.delenv("CC", raising=False)
    (finding,) = doctor.look_at_step()
    assert finding.level == "warn" and "no C compiler" in finding.text and "install gcc" in finding.mend


class SlowPlayer:
    """As long per step as told, by a clock of its own."""

    sample_rate_hz, frame_samples, tail_samples = 32_000, 1280, 0

    def listen(self, chunk: object) -> None:
        pass

    def play(self, moment: object, controls: object) -> None:
        pass


@pytest.mark.parametrize(("step_ms", "level"), [(10.0, "ok"), (30.0, "warn"), (45.0, "fail")])
def test_the_models_speed_is_judged_against_its_frame(
    step_ms: float, level: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    accompanist = pytest.importorskip("gigmate.model.accompanist")
    monkeypatch.setattr(accompanist, "load_player", SlowPlayer)
    monkeypatch.setattr(doctor, "_time_steps", lambda player: [step_ms] * 100)
    (finding,) = doctor.look_at_model()
    assert finding.level == level


def test_a_model_that_does_not_load_is_a_finding(monkeypatch: pytest.MonkeyPatch) -> None:
    accompanist = pytest.importorskip("gigmate.model.accompanist")

    def broken() -> None:
        raise RuntimeError("torch is broken\nvery much")

    monkeypatch.setattr(accompanist, "load_player", broken)
    (finding,) = doctor.look_at_model()
    assert (finding.level, finding.text) == ("fail", "RuntimeError: torch is broken")
