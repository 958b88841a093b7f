"""`gigmate eval response`: whether the band answers its lead, on made songs and on recordings of others.

Made songs of the held-out split, one style after the other; or a folder as `gigmate eval leads` takes it. The band
plays along through the live engine. What it meets of its own lead stands beside what it meets of another one at the
same beats. Main thread.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from ...engine.errors import ConfigError
from ...files.json_text import json_text
from ..extras import need

if TYPE_CHECKING:
    from ...engine.player import Controls
    from .eval_playing import Played, Stage

LINE = ("band_level", "band_lead_rest_db", "band_rest_db", "band_repetition", "band_beat_f", "band_in_chord")
"""What a song's line shows beside the answers."""


def response_figures(
    folder: Annotated[
        Path | None, typer.Argument(help="Of NAME.lead.wav and NAME.json with beats_s. Default: made songs.")
    ] = None,
    songs: Annotated[int, typer.Option(min=1, help="Number of made songs, or at most so many of the folder.")] = 19,
    styles: Annotated[str, typer.Option(help="Made songs of these styles alone, one each: rock,funk")] = "",
    seconds: Annotated[float, typer.Option(min=20.0, help="Seconds played of each.")] = 40.0,
    first_seed: Annotated[int, typer.Option()] = 400,
    part: Annotated[str, typer.Option(help="all, even or odd places of the sorted list of a folder.")] = "all",
    listening: Annotated[float, typer.Option(min=0.0, max=1.0, help="How much the band is to listen.")] = 1.0,
    groove: Annotated[float, typer.Option(min=0.0, max=1.0, help="How closely it is to keep its groove.")] = 1.0,
    weights: Annotated[Path | None, typer.Option(metavar="DIR", help="Weights to judge; else the shipped.")] = None,
    rows: Annotated[Path | None, typer.Option(help="Also write a line of JSON for each song here.")] = None,
) -> None:
    """Accents met, stops kept, gaps filled, level followed: with the right lead, and with another."""
    from ...engine.player import Controls
    from .eval_playing import Stage

    need("mir_eval")
    need("librosa")
    if part not in ("all", "even", "odd"):
        raise ConfigError(f"--part {part}: give all, even or odd")
    asked = Controls(listening=listening, groove=groove)
    found = []
    for row in (
        _made(Stage(weights), asked, (songs, styles), seconds, first_seed)
        if folder is None
        else _of_folder(Stage(weights), asked, folder, part, songs, seconds)
    ):
        found.append(row)
        print(f"{row['name']:<32}" + _line(row), flush=True)
        if rows is not None:
            with rows.open("a", encoding="utf-8") as file:
                file.write(json_text(row) + "\n")
    print(_summary(found))


def _numbers(known: tuple[str, ...], songs: int, styles: str) -> list[int]:
    """The numbers of the made songs: song n is of the style n, counted round and round."""
    wanted = [name.strip() for name in styles.split(",") if name.strip()]
    unknown = [name for name in wanted if name not in known]
    if unknown:
        raise ConfigError(f"--styles {styles}: there is no style {unknown[0]!r}; there are {', '.join(known)}")
    return [known.index(name) for name in wanted] if wanted else list(range(songs))


def _made(stage: Stage, asked: Controls, which: tuple[int, str], seconds: float, first_seed: int) -> Any:
    """Rows of made songs. The other lead is written for the same bars."""
    import dataclasses

    from ...training.evaluate.response import (
        another_lead,
        lead_of_notes,
        lead_rest_db,
        level_follows,
        response,
    )
    from ...training.evaluate.take_scores import Truth, at_judges_rate, for_judges, score, stems_of
    from ...training.sound.render import render_song

    for number in _numbers(stage.styles, *which):
        style = stage.styles[number % len(stage.styles)]
        song = render_song(
            first_seed + number, split="test", styles=(style,), seconds=(seconds, seconds + 4.0), answers=True
        )
        truth = Truth.of(song, seconds)
        lead = song.stems["lead"][: int(seconds * song.rate_hz)]
        played = stage.play(lead, dataclasses.replace(asked, style=style), seed=number)
        if song.score is None:
            raise ConfigError("a song without its score: this is an error in GigMate")
        right = lead_of_notes(song.score, seconds)
        other = lead_of_notes(song.score, seconds, another_lead(song.score, first_seed + number + 1))
        band = at_judges_rate(played.parts, played.rate_hz)
        true = at_judges_rate(stems_of(song, seconds), song.rate_hz)
        heard = for_judges(lead, song.rate_hz)
        bars = truth.downbeats_s[truth.downbeats_s >= truth.skip_s]
        row: dict[str, Any] = {"name": f"{style} {first_seed + number}"}
        for name, take in (("band", band), ("true", true)):
            for whose, events in (("right", right), ("other", other)):
                row[f"{name}_{whose}"] = response(take["mix"], take["drums"], events, truth.skip_s, seconds - 0.5)
            row[f"{name}_level"] = level_follows(take["mix"], heard, bars)
            row[f"{name}_lead_rest_db"] = lead_rest_db(take["mix"], heard, truth.skip_s)
            scores = score(take, truth)
            row[f"{name}_rest_db"], row[f"{name}_repetition"] = scores["rest_db"], scores["repetition"]
            row[f"{name}_beat_f"], row[f"{name}_in_chord"] = scores["drums_beat_f"], scores["bass_in_chord"]
        row["silent"] = _silent(played, band["mix"], heard)
        yield row


def _of_folder(stage: Stage, asked: Controls, folder: Path, part: str, songs: int, seconds: float) -> Any:
    """Rows of recordings. The other lead is that of the next one, at this one's beats; so is the other band."""
    import numpy as np

    from ...training.evaluate.foreign_fit import foreign_fit
    from ...training.evaluate.response import (
        foreseeable,
        lead_of_sound,
        lead_rest_db,
        level_follows,
        moved,
        response,
    )
    from ...training.evaluate.sound_figures import repetition
    from ...training.evaluate.take_scores import at_judges_rate, for_judges

    paths = sorted(folder.glob("*.lead.wav"))
    if not paths:
        raise ConfigError(f"{folder}: holds no NAME.lead.wav")
    paths = _spread(paths if part == "all" else paths[part == "odd" :: 2], songs)
    read = [_read(path, seconds) for path in paths]
    events = []
    for sound, rate_hz, truth in read:
        events.append(lead_of_sound(for_judges(sound, rate_hz), float(np.median(np.diff(truth["beats_s"])))))
    for number, path in enumerate(paths):
        sound, rate_hz, truth = read[number]
        beats = truth["beats_s"]
        played = stage.play(_at_band_rate(sound, rate_hz), asked, seed=number)
        band, heard = at_judges_rate(played.parts, played.rate_hz), for_judges(sound, rate_hz)
        after = (number + 1) % len(paths)
        end = min(float(beats[-1]), len(sound) / rate_hz)
        first, last = float(beats[min(16, len(beats) - 2)]), end - 0.5
        row: dict[str, Any] = {"name": path.name.removesuffix(".lead.wav")}
        others = moved(events[after], read[after][2]["beats_s"], beats)
        for whose, own in (("right", events[number]), ("other", others)):
            row[f"band_{whose}"] = response(band["mix"], band["drums"], own, first, last)
        row["foreseeable"] = foreseeable(events[number], beats, first)
        row["band_level"] = level_follows(band["mix"], heard, beats[16::4])
        row["band_lead_rest_db"] = lead_rest_db(band["mix"], heard, first)
        row["band_repetition"] = repetition(band["mix"], beats[16::4]) if len(beats) > 32 else float("nan")
        row["silent"] = _silent(played, band["mix"], heard)
        row["fit"] = foreign_fit(band["drums"], band["bass"], truth, end)
        true = [_part(path, name, seconds) for name in ("drums", "bass")]
        if true[0] is not None and true[1] is not None:
            row["true_fit"] = foreign_fit(true[0], true[1], truth, end)
        yield row


def _spread(paths: list[Path], songs: int) -> list[Path]:
    """At most so many of them, evenly over the list."""
    count = min(songs, len(paths))
    return [paths[number * len(paths) // count] for number in range(count)]


def _read(path: Path, seconds: float) -> tuple[Any, int, dict[str, Any]]:
    import numpy as np
    import soundfile

    try:
        sound, rate_hz = soundfile.read(path, dtype="float32", always_2d=True)
        truth = json.loads(path.with_name(path.name.replace(".lead.wav", ".json")).read_text(encoding="utf-8"))
        beats = np.asarray(truth["beats_s"], np.float64)
    except (OSError, ValueError, KeyError, RuntimeError) as error:
        raise ConfigError(f"{path}: cannot be read with its NAME.json ({error})") from error
    beats = beats[beats < seconds]
    if len(beats) < 8:
        raise ConfigError(f"{path}: fewer than eight beats are known")
    return sound.mean(axis=1)[: int(seconds * rate_hz)], int(rate_hz), {**truth, "beats_s": beats}


def _part(lead: Path, name: str, seconds: float) -> Any:
    """The true part beside a lead, NAME.drums.wav or NAME.bass.wav, at the judges' rate; None where there is none."""
    import soundfile

    from ...training.evaluate.take_scores import for_judges

    path = lead.with_name(lead.name.replace(".lead.wav", f".{name}.wav"))
    if not path.is_file():
        return None
    try:
        sound, rate_hz = soundfile.read(path, dtype="float32", always_2d=True)
    except RuntimeError as error:
        raise ConfigError(f"{path}: cannot be read ({error})") from error
    return for_judges(sound.mean(axis=1)[: int(seconds * rate_hz)], int(rate_hz))


def _at_band_rate(sound: Any, rate_hz: int) -> Any:
    import numpy as np
    import soxr

    from .eval_playing import RATE_HZ

    return np.asarray(soxr.resample(sound, rate_hz, RATE_HZ), np.float32)


def _silent(played: Played, mix: Any, heard: Any) -> float:
    """The share of the time in which the lead sounds that the band is silent, from its entrance on."""
    import numpy as np

    from ...training.evaluate.response import HOP, level_db_of

    ours, theirs = level_db_of(mix), level_db_of(heard)
    count = min(len(ours), len(theirs))
    first = int(played.frames[0] * 0.04 * 22_050 / HOP) if len(played.frames) else count
    sounds = theirs[first:count] > np.percentile(theirs, 90) - 25.0
    sung = np.flatnonzero(ours[first:count] > -50.0)
    if not len(sung) or not sounds.any():
        return float("nan")
    since = slice(int(sung[0]), None)
    return float((ours[first:count][since] < -60.0)[sounds[since]].mean())


def _line(row: dict[str, Any]) -> str:
    cells = []
    for name in ("accents", "stops", "gaps"):
        cells.append(f"{name} {row['band_right'][name]:.2f}/{row['band_other'][name]:.2f}")
        if "true_right" in row:
            cells.append(f"(written {row['true_right'][name]:.2f}/{row['true_other'][name]:.2f})")
    cells += [f"{name} {row[name]:.2f}" for name in LINE if name in row]
    if "fit" in row:
        cells += [f"{name} {value:.2f}" for name, value in row["fit"].items()]
    return "  ".join(cells) + f"  silent {row['silent']:.2f}"


def _summary(found: list[dict[str, Any]]) -> str:
    """Means over songs, as a table of Markdown."""
    head = ("figure", "band, its lead", "band, another", "written, its lead", "written, another")
    lines = ["", "| " + " | ".join(head) + " |", "|---" * len(head) + "|"]
    for name in ("accents", "stops", "gaps"):
        cells = [_mean(found, side, name) for side in ("band_right", "band_other", "true_right", "true_other")]
        lines.append(f"| {name} | " + " | ".join(cells) + " |")
    for name in ("level", "lead_rest_db", "rest_db", "repetition", "beat_f", "in_chord"):
        if not any(f"band_{name}" in row for row in found):
            continue
        cells = [_mean(found, f"{side}_{name}") for side in ("band", "true")]
        lines.append(f"| {name} | {cells[0]} |  | {cells[1]} |  |")
    lines.append(f"| silent while the lead sounds | {_mean(found, 'silent')} |  |  |  |")
    for name in ("accents_foreseen", "foreseen_come"):
        if any("foreseeable" in row for row in found):
            lines.append(f"| {name} | {_mean(found, 'foreseeable', name)} |  |  |  |")
    for name in next((row["fit"] for row in found if "fit" in row), ()):
        lines.append(f"| {name} | {_mean(found, 'fit', name)} |  | {_mean(found, 'true_fit', name)} |  |")
    return "\n".join(lines)


def _mean(found: list[dict[str, Any]], key: str, name: str | None = None) -> str:
    import numpy as np

    values = [row[key] if name is None else row[key][name] for row in found if key in row]
    known = [value for value in values if np.isfinite(value)]
    return f"{np.mean(known):.2f} ({len(known)})" if known else "–"
