"""Files named for writing: refused before the music, written whole."""

from __future__ import annotations

import contextlib
import io
import json
import os
import sys
from pathlib import Path

import pytest
from gigmate.cli.output_files import check_apart, check_free, check_writable, write_json
from gigmate.engine.errors import ConfigError, EngineError


def test_what_can_be_written_passes_and_nothing_is_made(tmp_path: Path) -> None:
    check_writable(tmp_path / "new.json", "--report")
    assert list(tmp_path.iterdir()) == []
    old = tmp_path / "old.json"
    old.write_text("old")
    check_writable(old, "--report")
    assert old.read_text() == "old"
    check_writable(Path(os.devnull), "--report")


def test_what_cannot_be_written(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(EngineError, match=r"--report .*is a folder"):
        check_writable(tmp_path, "--report")
    with pytest.raises(EngineError, match=r"folder .*does not exist: create it first"):
        check_writable(tmp_path / "gone" / "a.wav", "--record")
    monkeypatch.setattr(os, "access", lambda path, mode: False)  # root may write anywhere
    with pytest.raises(EngineError, match="no permission to write"):
        check_writable(tmp_path / "a.wav", "--record")


def test_json_is_written_whole_or_not_at_all(tmp_path: Path) -> None:
    path = tmp_path / "report.json"
    write_json(path, {"a": 1})
    with pytest.raises(TypeError, match="JSON"):
        write_json(path, {"b": 2, "a": object()})
    assert json.loads(path.read_text()) == {"a": 1}
    assert [entry.name for entry in tmp_path.iterdir()] == ["report.json"]


def test_nothing_is_written_over_what_is_read_or_written_besides(tmp_path: Path) -> None:
    take = tmp_path / "take.wav"
    take.write_bytes(b"music")
    (tmp_path / "other.wav").hardlink_to(take)
    check_apart(take, {"--record": tmp_path / "a.wav", "--report": tmp_path / "a.json"})
    check_apart(None, {"--record": Path(os.devnull), "--report": Path(os.devnull)})
    for same in (take, tmp_path / "." / "take.wav", tmp_path / "other.wav"):
        with pytest.raises(ConfigError, match=r"--record .*is the recording itself"):
            check_apart(take, {"--record": same})
    with pytest.raises(ConfigError, match=r"--report .*is already written by --record"):  # though it is not there yet
        check_apart(None, {"--record": tmp_path / "a.wav", "--report": tmp_path / "a.wav"})


def test_what_is_there_is_written_over_only_where_that_is_wanted(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "take.wav"
    check_free(path, "--output", force=False)
    path.touch()
    check_free(path, "--output", force=False)  # nothing is lost
    path.write_text("music")
    check_free(path, "--output", force=True)
    with pytest.raises(EngineError, match="--force"):
        check_free(path, "--output", force=False)

    class Terminal(io.StringIO):
        def isatty(self) -> bool:
            return True

    monkeypatch.setattr(sys, "stderr", Terminal())
    for answer, written in (("y\n", True), ("\n", False), ("no\n", False), ("", False)):
        monkeypatch.setattr(sys, "stdin", Terminal(answer))
        with contextlib.nullcontext() if written else pytest.raises(EngineError):
            check_free(path, "--output", force=False)
    assert path.read_text() == "music"
