"""`gigmate charts`, and charts of other programs as options and in set lists."""

from __future__ import annotations

from pathlib import Path
from urllib.parse import quote

import pytest
from gigmate.cli import boundary, main
from gigmate.cli.presets import open_show
from gigmate.engine.errors import ConfigError
from gigmate.presets.setlist import load_set
from gigmate.sheets.readers.ireal_links import scrambled


def run(*arguments: object) -> int:
    return boundary.run(main.app, "gigmate", ["charts", *map(str, arguments)])


@pytest.fixture
def page(tmp_path: Path) -> Path:
    bodies = [("Waltz", "[T34C  |F G|C  |G7  Z"), ("Bossa Nova", "[T44D-7   |G7(Db7)   |C^7   |x Z")]
    songs = [f"{style} Song=Doe Jane=={style}=C=={scrambled(body)}=={120}=0" for style, body in bodies]
    file = tmp_path / "tonight.html"
    file.write_text(f'<a href="irealb://{quote("===".join([*songs, "Tonight"]))}">Tonight</a>')
    return file


def test_show_lists_a_playlist_and_a_song(page: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run("show", page) == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines[0] == f"{page}: iReal Pro, 2 songs"
    assert "1. Waltz Song (Doe Jane): 4 bars, C, 120 bpm, Waltz (preset jazz_waltz)" in lines[1]
    assert run("show", f"{page}#2") == 0
    assert "| D-7 | G7 | Cmaj7 | Cmaj7 |" in (text := capsys.readouterr().out)
    assert "note: bar 2: the alternate chord (Db7) is left out" in text


def test_a_playlist_becomes_a_set_list_that_loads(
    page: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    target = tmp_path / "evening.yaml"
    assert run("convert", page, target) == 0
    assert "Bossa Nova Song: bar 2" in capsys.readouterr().err
    first, second = load_set(target).songs
    assert (first.preset_name, first.tempo_bpm, first.key) == ("jazz_waltz", 120, "C")
    assert first.chart is not None and first.chart.beats_per_bar == 3
    assert second.preset_name == "bossa_nova" and second.chart is not None and second.chart.bars == 4


def test_nothing_is_overwritten_unless_it_is_asked_for(
    page: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    target = tmp_path / "song.chart"
    assert run("convert", f"{page}#1", target) == 0
    assert run("convert", f"{page}#1", target) == 2 and "--force" in capsys.readouterr().err
    assert run("convert", f"{page}#2", target, "--force") == 0
    assert "| D-7 | G7 | Cmaj7 | Cmaj7 |" in target.read_text()
    assert run("convert", f"{page}#1") == 0
    assert "| C | F . G | C | G7 |" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("arguments", "why"),
    [
        (("show", "no.html"), "cannot read the chart no.html"),
        (("convert", "PAGE", "x.chart"), "name one as"),
        (("convert", "PAGE#1", "x.doc"), "no format .doc"),
        (("show", "PAGE#nine"), "no song 'nine'"),
    ],
)
def test_a_fault_is_one_line(
    page: Path, tmp_path: Path, arguments: tuple[str, ...], why: str, capsys: pytest.CaptureFixture[str]
) -> None:
    given = [text.replace("PAGE", str(page)).replace("x.", f"{tmp_path}/x.") for text in arguments]
    assert run(*given) == 2
    errors = capsys.readouterr().err.splitlines()
    assert len(errors) == 1 and why in errors[0]


def test_options_and_set_lists_read_them_too(page: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GIGMATE_CONFIG_DIR", str(tmp_path / "config"))
    songs = tmp_path / "evening.yaml"
    songs.write_text("songs:\n  - title: One\n    chart: tonight.html#bossa nova song\n    key: D\n")
    (song,) = load_set(songs).songs
    assert song.chart is not None and song.chart.symbol_at(0) == "E-7"
    with pytest.raises(ConfigError, match="holds 2 songs"):
        load_set_with(songs, "tonight.html")
    shown, remarks = open_show("rock", None, Path(f"{page}#2"), None)
    assert any("alternate chord" in text for text in remarks) and shown is not None


def load_set_with(songs: Path, chart: str) -> None:
    songs.write_text(f"songs:\n  - title: One\n    chart: {chart}\n")
    load_set(songs)


def test_a_song_that_cannot_be_written_does_not_keep_the_others_back(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    book = tmp_path / "book.abc"
    book.write_text('X:1\nT:Odd\nM:7/16\nL:1/16\nK:C\n"C"C7|\n\nX:2\nT:Even\nM:3/4\nL:1/4\nK:G\n"G"G3|"D"d3|\n')
    assert run("convert", book, tmp_path / "evening.yaml") == 2
    errors = capsys.readouterr().err
    assert "(Odd): the notation cannot write it" in errors and "1 of 2 songs are left out" in errors
    (song,) = load_set(tmp_path / "evening.yaml").songs
    assert song.title == "Even"
