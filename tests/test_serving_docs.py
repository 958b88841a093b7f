"""The programs in docs/serving.md are run as they stand there, against a real server."""

from __future__ import annotations

import importlib.util
import inspect
import re
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import soundfile
from gigmate.cli.serve import serve

ROOT = Path(__file__).resolve().parents[1]
TEXT = (ROOT / "docs" / "serving.md").read_text(encoding="utf-8")
PROGRAMS = re.findall(r"```python\n(.*?)```", TEXT, re.DOTALL)


def program(word: str) -> str:
    (found,) = [text for text in PROGRAMS if word in text]
    return found


@pytest.fixture
def fakes() -> Any:
    path = ROOT / "tests" / "cli" / "service" / "service_fakes.py"
    spec = importlib.util.spec_from_file_location("service_fakes", path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture
def take(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    noise = np.random.default_rng(0).standard_normal((48_000, 2)) * 0.05
    soundfile.write("take.wav", noise, 48_000)
    return tmp_path


def test_predict(take: Path, fakes: Any) -> None:
    with fakes.serving() as server:
        exec(program("httpx").replace("127.0.0.1:8000", f"127.0.0.1:{server.port}"), {})
    assert soundfile.info("band.wav").frames == 12 * 48_000


def test_stream(take: Path, fakes: Any) -> None:
    with fakes.serving() as server:
        names: dict[str, Any] = {}
        exec(program("/stream").replace("127.0.0.1:8000", f"127.0.0.1:{server.port}"), names)
    played = np.frombuffer(b"".join(names["played"]), "<f4")
    assert played.size == 3 * 48_000
    assert np.abs(played[-48_000:]).max() > 0.01


def test_python(take: Path, tiny_weights: Path, capsys: pytest.CaptureFixture[str]) -> None:
    exec(program("accompany").replace("Band.load()", f"Band.load({str(tiny_weights)!r})"), {})
    assert soundfile.info("band.wav").frames == 9 * 48_000


def test_patch(take: Path, tiny_weights: Path) -> None:
    from gigmate.model.nn_tilde.patch_band import export_torchscript

    export_torchscript(Path("band.ts"), tiny_weights)
    names: dict[str, Any] = {}
    exec(program("torch.jit.load"), names)
    assert names["parts"].shape == (1, 3, 512)


def test_the_limits_that_are_named_are_the_limits(fakes: Any) -> None:
    limits = fakes.Limits()
    for words in (
        f"{limits.upload_bytes // 2**20} MiB",
        f"{limits.predict_s:.0f} s; {limits.job_s / 3600:.0f} h",
        f"at most {inspect.signature(serve).parameters['streams'].default} |",
        f"{limits.message_bytes // 2**20} MiB; {limits.idle_s:.0f} s",
        f"kept for {limits.keep_s / 60:.0f} minutes",
        f"{limits.uploads}; {limits.upload_s:.0f} s; {limits.kept} |",
        f"| one result | {limits.result_bytes / 2**30:.0f} GiB |",
        f"| connections at once | {limits.connections} |",
    ):
        assert words in TEXT
