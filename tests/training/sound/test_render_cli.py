"""`gigmate data …` from the outside: a page that can be opened, tables, and errors in one line."""

from __future__ import annotations

from pathlib import Path

import pytest
from gigmate.cli.train import data_command
from gigmate.engine.errors import ConfigError
from typer.testing import CliRunner

pytest.importorskip("tinysoundfont")
pytest.importorskip("matplotlib")
runner = CliRunner()


def test_listen_writes_a_page_with_its_sounds_and_pictures(tmp_path: Path) -> None:
    done = runner.invoke(data_command.app, ["listen", "--out", str(tmp_path), "--songs", "1", "--seconds", "10"])
    assert done.exit_code == 0, done.output
    page = (tmp_path / "index.html").read_text(encoding="utf-8")
    files = {p.name for p in tmp_path.iterdir()}
    named = {part.split('"')[0] for part in page.split('src="')[1:]}
    assert named <= files
    assert len([n for n in named if n.endswith(".flac")]) == 6
    assert len([n for n in named if n.endswith(".png")]) == 2


def test_stats_counts_and_names_no_fault() -> None:
    done = runner.invoke(data_command.app, ["stats", "--songs", "3", "--style", "funk"])
    assert done.exit_code == 0, done.output
    assert "3 songs written, 3 distinct, 0 faults" in done.output
    assert "| funk |" in done.output


def test_an_unknown_style_is_a_fault_of_the_request(tmp_path: Path) -> None:
    done = runner.invoke(data_command.app, ["render", "--songs", "1", "--out", str(tmp_path), "--style", "polka"])
    assert isinstance(done.exception, ConfigError)
    assert "known: rock" in str(done.exception)


def test_all_styles_leave_the_held_out_ones_aside_for_training() -> None:
    assert "ska" not in (data_command._styles(["all"], trainable=True) or ())
    assert "ska" in (data_command._styles(["all"]) or ())
    assert data_command._styles(None) is None
