"""`gigmate train`: what cannot be is said in one line before anything is rendered or learnt."""

from __future__ import annotations

from pathlib import Path

import pytest
from gigmate.cli import boundary, main


@pytest.mark.parametrize(
    ("arguments", "word"),
    [
        (["--songs", "0"], "--songs"),
        (["--workers", "0"], "--workers"),
        (["--variety", "7"], "--variety"),
        (["--style", "polka"], "rock"),
        (["--split", "none"], "held_style"),
        (["--music", "noise"], "leads"),
        (["--music", "leads", "--style", "rock"], "--style"),
        (["--music", "tunes"], "gigmate train tunes"),
    ],
)
def test_a_store_that_cannot_be(
    arguments: list[str], word: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert boundary.run(main.app, "gigmate", ["train", "store", "--out", str(tmp_path / "songs"), *arguments]) == 2
    error = capsys.readouterr().err
    assert word in error and len(error.splitlines()) == 1
    assert not (tmp_path / "songs").exists()


def test_a_listener_is_not_narrowed(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    verb = ["train", "listener", "--data", str(tmp_path), "--out", str(tmp_path / "run"), "--from", "shipped"]
    assert boundary.run(main.app, "gigmate", [*verb, "--expand", "1"]) == 2
    error = capsys.readouterr().err
    assert "are fewer" in error and len(error.splitlines()) == 1
    assert not list((tmp_path / "run").iterdir())


def test_a_store_of_leads_has_what_a_listener_learns_from(tmp_path: Path) -> None:
    pytest.importorskip("tinysoundfont")
    from gigmate.training.sound import soundfonts
    from gigmate.training.store import songs_in

    for name in ("fluid", "musescore"):
        try:
            soundfonts.find(name)
        except soundfonts.SoundFontError as error:
            pytest.skip(str(error))
    verb = ["train", "store", "--out", str(tmp_path), "--songs", "1", "--workers", "1", "--music", "leads"]
    assert boundary.run(main.app, "gigmate", [*verb, "--no-audio"]) == 0
    (song,) = songs_in(tmp_path)
    labels, features = song.labels(), song.array("features")
    assert len(labels["beat_phase"]) == len(features) > 25 * 30
    assert len(labels["beats_s"]) > 20 and len(labels["onsets_lead_s"]) > 20
