"""Writes songs that were learnt as charts into a folder, and adds them to a set list.

A song has a file of its own: NAME.chart, and NAME.yaml, the preset with which it was played. Nothing that was there
before is written over. Main thread only: files are written here, never where the band plays.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import datetime
from pathlib import Path
from typing import Protocol

from ..engine.charts.chart import Chart
from ..engine.charts.chart_parser import parse_chart
from ..engine.charts.chord_plan import Corrected
from ..engine.errors import ConfigError
from ..files.whole import write_whole
from ..sheets.sheet import SheetError
from ..sheets.writers.notation import as_notation
from .schema import Preset, as_text
from .strict import read_yaml

_MOST_LETTERS = 60
_FORBIDDEN = '<>:"/\\|?*#'
"""In names of files, on one system or another."""


class Learnt(Protocol):
    """A song as it is known (engine/learning). Any thread."""

    @property
    def chart(self) -> Chart: ...
    @property
    def name(self) -> str: ...
    @property
    def version(self) -> int: ...
    @property
    def finished(self) -> bool: ...
    @property
    def in_set(self) -> bool: ...
    @property
    def notes(self) -> tuple[str, ...]: ...


def file_name(name: str) -> str:
    """A name that every system takes, as near to the song's as may be; empty where nothing is left of it."""
    plain = "".join(" " if letter in _FORBIDDEN or not letter.isprintable() else letter for letter in name)
    return " ".join(plain.split()).strip(". ")[:_MOST_LETTERS].strip(". ")


def song_files(folder: Path, name: str) -> tuple[Path, Path | None]:
    """Chart and preset of a song that was kept; no preset where there is none. Raises ConfigError: no such song."""
    chart = folder / f"{file_name(name)}.chart"
    if not chart.is_file():
        there = sorted(path.stem for path in folder.glob("*.chart"))
        known = f"there are {', '.join(there[:12])}" if there else "none was kept yet"
        raise ConfigError(f"no song {name!r} in {folder}: {known}")
    preset = chart.with_suffix(".yaml")
    return chart, preset if preset.is_file() else None


def chart_text(chart: Chart, notes: Sequence[str] = ()) -> str:
    """The chart in our notation, with comments; it reads as the same chart. Raises SheetError where it cannot."""
    text = as_notation(chart) + "".join(f"\n# {' '.join(note.split())}" for note in notes)
    if notes and parse_chart(text, "the chart") != parse_chart(as_notation(chart), "the chart"):
        raise SheetError("its comments cannot be written")
    return text.rstrip() + "\n"


class SongKeeper:
    """Songs in, files out. Main thread only."""

    def __init__(
        self,
        folder: Path,
        learnt: Callable[[], Learnt | None],
        preset: Callable[[], Preset],
        set_list: Path | None = None,
        corrected: Callable[[], Corrected | None] = lambda: None,
        put_right: Callable[[Corrected], None] = lambda corrected: None,
    ) -> None:
        """`learnt()`: the song as it is known now; `preset()`: what it is played with; `set_list`: that of tonight.

        `corrected()`: the chart that was put right by hand last; `put_right`: who plays it so from then on.
        """
        self._folder, self._learnt, self._preset, self._set_list = folder, learnt, preset, set_list
        self._seen = 0
        self._corrected, self._put_right = corrected, put_right
        self._last: Corrected | None = None
        self._done: list[Corrected] = []
        self._own: Path | None = None  # the chart of the song that is being learnt

    def news(self) -> list[str]:
        """Write what has changed since; lines for the musician."""
        song, corrected = self._learnt(), self._corrected()
        lines: list[str] = []
        try:
            if song is not None and song.version != self._seen:
                self._seen = song.version
                lines = self._keep(song)
            if corrected is not None and corrected is not self._last:
                self._last = corrected
                self._put_right(corrected)
                lines += self._write_back(corrected)
            return lines
        except (OSError, SheetError, ConfigError) as error:
            reason = error.strerror if isinstance(error, OSError) else error
            return [f"the song cannot be written into {self._folder}: {reason}; it is still played"]

    def _keep(self, song: Learnt) -> list[str]:
        first, old = self._own is None, self._own
        wanted = file_name(song.name)
        if old is None or (wanted and old.stem.partition(" (")[0] != wanted):
            self._own = self._free(wanted or f"song {datetime.now():%Y-%m-%d %H.%M}")
        own = self._own
        assert own is not None
        self._folder.mkdir(parents=True, exist_ok=True)
        write_whole(own, chart_text(song.chart, song.notes).encode())
        preset = self._preset().model_copy(update={"name": own.stem[:_MOST_LETTERS]})
        write_whole(own.with_suffix(".yaml"), as_text(preset).encode())
        if old is not None and old != own:  # what was written before it had its name
            old.unlink(missing_ok=True)
            old.with_suffix(".yaml").unlink(missing_ok=True)
        lines = [f"the song is kept as {own}"] if first or old != own else []
        if song.finished:
            self._own = None
            if song.in_set:
                lines.append(self._into_set(own))
        return lines

    def _write_back(self, corrected: Corrected) -> list[str]:
        """A song of the folder is written with the chords that were put right; anybody else's chart stays as it is."""
        before = [one.now for one in self._done if one.written == corrected.written]
        self._done.append(corrected)
        path, there = self._file_of([corrected.written, *before])
        if path is None or there is None:
            told = "put right for tonight: the chart is not among your songs, and its file stays as it is"
            return [] if before else [told]
        text = path.read_text(encoding="utf-8")
        notes = [line[1:].strip() for line in text.splitlines() if line.startswith("#")]
        write_whole(path, chart_text(replace(there, changes=corrected.now.changes), notes).encode())
        return [f"put right in {path}"]

    def _file_of(self, charts: Sequence[Chart]) -> tuple[Path | None, Chart | None]:
        """The song that is one of these, whatever tempo it is played in tonight, and its chart as it is written."""
        for path in sorted(self._folder.glob("*.chart")):
            try:
                there = parse_chart(path.read_text(encoding="utf-8"), path.name)
            except (OSError, ConfigError, UnicodeDecodeError):  # whatever it is, it is not what is played
                continue
            if any(_alike(there, chart) for chart in charts):
                return path, there
        return None, None

    def _free(self, name: str) -> Path:
        """A file that is not there yet, nor its preset."""
        number, path = 1, self._folder / f"{name}.chart"
        while path.exists() or path.with_suffix(".yaml").exists():
            number += 1
            path = self._folder / f"{name} ({number}).chart"
        return path

    def _into_set(self, chart: Path) -> str:
        """Add the song at the end of the set list; a line on it. What would not hold afterwards is not written."""
        from .setlist import load_set

        path = self._set_list
        if path is None:
            return f"there is no set list to add it to: begin with --set, or play it with --song {chart.stem!r}"
        text = path.read_text(encoding="utf-8")
        before = read_yaml(path, "set list", ConfigError)
        indent = "  " if "\n  - " in text else ""
        entry = "".join(
            f"{indent}{line}\n"
            for line in (
                f"- title: {_quoted(chart.stem)}",
                f"  preset: {_quoted(str(chart.with_suffix('.yaml').resolve()))}",
                f"  chart: {_quoted(str(chart.resolve()))}",
            )
        )
        trial = path.with_name(f".{path.name}.trial")
        try:
            trial.write_text(text.rstrip() + "\n" + entry, encoding="utf-8")
            songs = load_set(trial).songs
            after = read_yaml(trial, "set list", ConfigError)
            if not isinstance(before, dict) or not isinstance(after, dict) or after["songs"][:-1] != before["songs"]:
                raise ConfigError("it has something behind its songs")
        except ConfigError as error:
            return f"{path.name} cannot be added to ({error}): add `chart: {chart}` to it yourself"
        finally:
            trial.unlink(missing_ok=True)
        write_whole(path, (text.rstrip() + "\n" + entry).encode())
        return f"{chart.stem} is song {len(songs)} of {path.name} from the next start on"


def _alike(one: Chart, other: Chart) -> bool:
    """Whether both are the same song with the same chords."""
    return (one.title, one.beats_per_bar, one.length_beats, one.changes) == (
        other.title, other.beats_per_bar, other.length_beats, other.changes,
    )  # fmt: skip


def _quoted(text: str) -> str:
    return '"' + text.replace("\\", "\\\\").replace('"', '\\"') + '"'
