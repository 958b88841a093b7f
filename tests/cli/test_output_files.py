"""Files named for writing: refused before the music, written whole."""

from __future__ import annotations

import contextlib
import io
import json
import os
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import soundfile
import typer
from gigmate.cli import boundary, main
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
    with pytest.raises(ConfigError, match="--force"):
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


WRITES = ("F.wav", "F.json", "F.mid", "F.png", "F.ts", "F.chart", "F.wav|DIR/", "OUT", "[OUT]")
"""Metavars of what a verb writes."""


def test_every_verb_that_writes_a_file_can_be_told_to_write_over_it() -> None:
    seen = []

    def look(command: Any, name: str) -> None:
        for verb, one in getattr(command, "commands", {}).items():
            look(one, f"{name} {verb}")
        writes = [option.name for option in command.params if option.metavar in WRITES]
        if writes:
            seen.append(name)
            assert "force" in {option.name for option in command.params}, f"{name}: {writes}"

    look(typer.main.get_command(main.app_of(*main.VERBS)), "gigmate")
    assert {"gigmate live", "gigmate play", "gigmate charts convert", "gigmate eval learn"} <= set(seen)


@pytest.mark.parametrize(
    "words",
    [
        "live --input-file {lead} --fast --output-file {there}.wav",
        "live --input-file {lead} --fast --record {there}.wav",
        "live --input-file {lead} --fast --report {there}.json",
        "play ws://127.0.0.1:9 --input-file {lead} --fast --report {there}.json",
        "complete {lead} --output {there}.wav",
        "complete {lead} --output {new}.wav --midi {there}.mid",
        "complete {lead} --output {new}.wav --stems {folder}",
        "listen {lead} --click {there}.wav",
        "listen {lead} --midi {there}.mid",
        "learn {lead} --out {there}.chart",
        "export --torchscript {there}.ts",
        "sounds --play keys --output-file {there}.wav",
        "latency --plot {there}.png",
        "eval learn --out {there}.json",
        "charts convert {there}.chart {there}.cho",
    ],
)
def test_no_verb_writes_over_what_is_there_unasked(
    words: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    lead = tmp_path / "lead.wav"
    soundfile.write(lead, np.zeros(8_000, np.float32), 8_000)
    for suffix in ("wav", "mid", "json", "ts", "png", "cho", "chart"):
        (tmp_path / f"there.{suffix}").write_text("title: Mine\n| C |")
    (tmp_path / "drums.wav").write_text("mine")
    told = [
        word.format(lead=lead, there=tmp_path / "there", new=tmp_path / "new", folder=tmp_path)
        for word in words.split()
    ]
    before = {path: path.read_bytes() for path in tmp_path.iterdir()}
    assert boundary.run(main.app_of(*main.VERBS), "gigmate", told) == 2
    said = capsys.readouterr().err
    assert "is there already" in said and "--force" in said and len(said.strip().splitlines()) == 1
    assert {path: path.read_bytes() for path in tmp_path.iterdir()} == before
