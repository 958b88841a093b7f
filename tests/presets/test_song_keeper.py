"""Songs that were learnt are written whole, never over another, and read back the same."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path

import pytest
import yaml
from gigmate.engine.charts.chart import Chart
from gigmate.engine.charts.chart_parser import parse_chart
from gigmate.engine.charts.chart_position import ChartPosition
from gigmate.engine.charts.chord_plan import ChordPlan, Corrected
from gigmate.engine.commands import ReplaceChord, UndoChord
from gigmate.engine.errors import ConfigError
from gigmate.presets.loader import load_preset
from gigmate.presets.setlist import load_set
from gigmate.presets.song_keeper import SongKeeper, file_name, song_files


@dataclass
class Song:
    chart: Chart
    name: str = ""
    version: int = 1
    finished: bool = False
    in_set: bool = False
    notes: tuple[str, ...] = ("Verse: -5 dB as you played it",)


def a_song(**more: object) -> Song:
    chart = parse_chart("key: Am\ntempo: 96\n[Verse]\n| Am | F . G . |\n[Chorus]\n| C | G |", "chart")
    return Song(chart, **more)  # type: ignore[arg-type]


def keeper(folder: Path, song: Song, set_list: Path | None = None) -> SongKeeper:
    return SongKeeper(folder, lambda: song, lambda: load_preset("swing"), set_list)


def test_it_is_written_with_its_preset_and_read_back_the_same(tmp_path: Path) -> None:
    song = a_song(name="Harbour lights")
    writer = keeper(tmp_path / "songs", song)
    assert writer.news() == [f"the song is kept as {tmp_path / 'songs' / 'Harbour lights.chart'}"]
    assert writer.news() == []
    sheet, preset = song_files(tmp_path / "songs", "Harbour lights")
    read = parse_chart(sheet.read_text(), "chart")
    assert read.changes == song.chart.changes and read.sections == song.chart.sections
    assert (read.key, read.tempo_bpm) == ("Am", 96.0)
    assert preset is not None and load_preset(preset).style == "swing"
    assert "# Verse: -5 dB" in sheet.read_text()


def test_nothing_is_written_over(tmp_path: Path) -> None:
    (tmp_path / "Mine.chart").write_text("| C |")
    keeper(tmp_path, a_song(name="Mine")).news()
    assert (tmp_path / "Mine.chart").read_text() == "| C |"
    assert (tmp_path / "Mine (2).chart").is_file()


def test_a_song_takes_its_name_along_when_it_gets_one(tmp_path: Path) -> None:
    song = a_song()
    writer = keeper(tmp_path, song)
    writer.news()
    (unnamed,) = tmp_path.glob("song *.chart")
    song.name, song.version, song.finished = "a/b:c", 2, True
    writer.news()
    assert not unnamed.exists() and (tmp_path / "a b c.chart").is_file()


def test_what_cannot_be_written_is_said_and_nothing_is_raised(tmp_path: Path) -> None:
    (tmp_path / "songs").write_text("a file where the folder should be")
    (line,) = keeper(tmp_path / "songs", a_song(name="X")).news()
    assert "cannot be written" in line and "still played" in line


def test_into_the_set_list_if_asked(tmp_path: Path) -> None:
    evening = tmp_path / "evening.yaml"
    evening.write_text("name: Tonight\nsongs:\n  - title: One\n    chart: |\n      | C | F |\n")
    song = a_song(name='Say "hi"', finished=True, in_set=True)
    lines = keeper(tmp_path / "songs", song, evening).news()
    assert lines[-1] == "Say hi is song 2 of evening.yaml from the next start on"
    songs = load_set(evening).songs
    assert songs[1].chart is not None and songs[1].chart.changes == song.chart.changes
    assert songs[1].preset.style == "swing" and songs[1].tempo_bpm == 96.0


def test_a_set_list_with_more_behind_its_songs_stays_as_it_was(tmp_path: Path) -> None:
    evening = tmp_path / "evening.yaml"
    evening.write_text("songs:\n  - title: One\nname: Tonight\n")
    before = evening.read_text()
    lines = keeper(tmp_path / "songs", a_song(name="Two", finished=True, in_set=True), evening).news()
    assert "cannot be added to" in lines[-1] and evening.read_text() == before
    assert yaml.safe_load(before)["name"] == "Tonight"
    assert sorted(path.name for path in tmp_path.iterdir()) == ["evening.yaml", "songs"]


def test_no_song_of_that_name(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="none was kept yet"):
        song_files(tmp_path, "Gone")
    assert file_name("../../etc/passwd") == "etc passwd" and file_name("...") == ""


class Evening:
    """A chart that is played, with a plan to put its chords right and a keeper beside it."""

    def __init__(self, folder: Path, chart: Chart) -> None:
        position = ChartPosition()
        position.lie(chart, 0, stays=False)
        self.plan = ChordPlan(position)
        self.told: list[Corrected] = []
        self.keeper = SongKeeper(
            folder, lambda: None, lambda: load_preset("swing"), None, lambda: self.plan.corrected, self.told.append
        )

    def put_right(self, *what: ReplaceChord | UndoChord) -> list[str]:
        for one in what:
            self.plan.obey(one)
        return self.keeper.news()


def test_a_chord_put_right_in_a_song_that_was_kept_is_written_back(tmp_path: Path) -> None:
    keeper(tmp_path, a_song(name="Harbour")).news()
    path = tmp_path / "Harbour.chart"
    before = path.read_text()
    evening = Evening(tmp_path, replace(parse_chart(before, "chart"), tempo_bpm=70.0))  # slower tonight
    assert evening.keeper.news() == []
    assert evening.put_right(ReplaceChord(2, "Dm7", 1)) == [f"put right in {path}"]
    assert evening.put_right(ReplaceChord(3, "C/E", 1)) == [f"put right in {path}"]
    read = parse_chart(path.read_text(), "chart")
    assert [read.symbol_at(beat) for beat in (0.0, 4.0, 6.0, 8.0)] == ["Am", "Dm7", "G", "C/E"]
    assert read.tempo_bpm == 96.0 and "# Verse: -5 dB" in path.read_text()
    assert [one.now.symbol_at(4.0) for one in evening.told] == ["Dm7", "Dm7"]
    evening.put_right(UndoChord(), UndoChord())
    assert path.read_text() == before


def test_nobody_else_s_chart_is_written_and_that_is_said_once(tmp_path: Path) -> None:
    (tmp_path / "Mine.chart").write_text("title: Mine\n| C | G |")
    (tmp_path / "broken.chart").write_text("| C | Hmm |")
    evening = Evening(tmp_path, parse_chart("title: Yours\n| C | G |", "chart"))
    (line,) = evening.put_right(ReplaceChord(1, "Am", 1))
    assert "not among your songs" in line
    assert evening.put_right(ReplaceChord(2, "F", 1)) == []
    assert (tmp_path / "Mine.chart").read_text() == "title: Mine\n| C | G |"


def test_a_song_that_was_edited_meanwhile_is_left_alone(tmp_path: Path) -> None:
    keeper(tmp_path, a_song(name="Harbour")).news()
    path = tmp_path / "Harbour.chart"
    evening = Evening(tmp_path, parse_chart(path.read_text(), "chart"))
    path.write_text(path.read_text().replace("Am", "Em"))
    edited = path.read_text()
    evening.put_right(ReplaceChord(2, "Dm7", 1))
    assert path.read_text() == edited
