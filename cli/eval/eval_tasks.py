"""The tasks of `gigmate eval`: run once each, in any order, by several processes.

Each task renders what it needs, lets the band play, has it judged, and gives rows of plain values. Rows are appended
to a file of JSON lines as they come, so a run that was killed goes on; arrays lie beside it. Main thread of each
process.
"""

from __future__ import annotations

import json
import multiprocessing
from collections.abc import Callable, Iterator
from concurrent.futures import ProcessPoolExecutor, as_completed
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from ...engine.errors import ConfigError
from ...engine.player import Controls
from ...files.json_text import json_text, plain
from .eval_workbench import (
    Bench,
    Row,
    Settings,
    Task,
    about,
    cost,
    render,
    style_of,
)

if TYPE_CHECKING:
    from .eval_playing import Played

ABLATIONS = ("no_chord", "no_moment", "no_heard", "no_past")
STEADY_SEEDS_FROM = 60_000
KINDS = ("songs", "reaction", "control", "steady", "codec")


def plan(settings: Settings, kinds: tuple[str, ...] = KINDS) -> list[Task]:
    """Every task of these kinds, the dearest first."""
    from ...training.evaluate.scenes import KINDS as SCENES

    tasks: list[Task] = []
    if "steady" in kinds:
        tasks += [Task(f"steady:{i}", "steady", i) for i in range(settings.steady_runs)]
    if "control" in kinds:
        tasks += [Task(f"control:{i}", "control", i) for i in range(settings.control_leads)]
        if settings.control_leads and len(settings.styles) > 1:
            tasks += [
                Task(f"truth:{style}:{i}", "truth", i, style)
                for style in settings.styles
                for i in range(settings.truth_songs_per_style)
            ]
    if "reaction" in kinds:
        tasks += [Task(f"scene:{kind}:{i}", "scene", i, kind) for i in range(settings.scenes) for kind in SCENES]
    if "songs" in kinds:
        tasks += [Task(f"song:{i}", "song", i) for i in range(settings.songs)]
    if "codec" in kinds and settings.codec_songs:
        tasks.append(Task("codec", "codec", 0))
    return tasks


class Rows:
    """The file of rows: settings in its first line, then rows, some for each task that is done."""

    def __init__(self, path: Path, settings: Settings, fresh: bool = False) -> None:
        """Raises ConfigError for a file of other settings."""
        self.path, self.settings = path, settings
        self.arrays = path.with_name(f"{path.stem}.parts")
        self.rows: list[Row] = []
        asked = plain(settings)
        if fresh:
            path.unlink(missing_ok=True)
        if path.exists():
            lines = path.read_text(encoding="utf-8").splitlines()
            found = [row for row in map(_parsed, lines) if row is not None]
            if not found or found[0].get("settings") != asked:
                raise ConfigError(
                    f"{path}: contains rows with other settings: start again with --fresh, or choose another file"
                )
            self.rows = found[1:]
            self._write([{"settings": asked}, *self.rows], "w")  # without the line that a kill may have cut
        else:
            path.parent.mkdir(parents=True, exist_ok=True)
            self._write([{"settings": asked}], "w")

    @property
    def done(self) -> set[str]:
        return {row["task"] for row in self.rows}

    def add(self, rows: list[Row]) -> None:
        kept: list[Row] = plain(rows)
        self.rows += kept
        self._write(kept, "a")

    def _write(self, rows: list[Row], mode: str) -> None:
        with self.path.open(mode, encoding="utf-8") as file:
            file.write("".join(json_text(row) + "\n" for row in rows))


def _parsed(line: str) -> Row | None:
    try:
        row = json.loads(line)
    except ValueError:
        return None
    return row if isinstance(row, dict) else None


def run_all(rows: Rows, tasks: list[Task], weights: Path | None, workers: int, say: Callable[[Row], None]) -> None:
    """Do what is not done yet, over `workers` processes. Raises what a task raises; what was done stays."""
    todo = [task for task in tasks if task.name not in rows.done]
    rows.arrays.mkdir(parents=True, exist_ok=True)
    for made in _results(todo, rows, weights, workers):
        rows.add(made)
        for row in made:
            say(row)


def _results(todo: list[Task], rows: Rows, weights: Path | None, workers: int) -> Iterator[list[Row]]:
    if workers <= 1 or len(todo) <= 1:
        if todo:
            _begin(rows.settings, weights, rows.arrays)
        for task in todo:
            yield _do(task)
        return
    # fresh processes: a forked one would share the synthesiser's and torch's native state
    pool = ProcessPoolExecutor(
        workers, multiprocessing.get_context("spawn"), _begin, (rows.settings, weights, rows.arrays)
    )
    with pool:
        futures = [pool.submit(_do, task) for task in todo]
        try:
            for future in as_completed(futures):
                yield future.result()
        except BaseException:
            pool.shutdown(wait=False, cancel_futures=True)
            raise


# ------------------------------------------------------------------------------------- in the working process


_bench: Bench | None = None


def _begin(settings: Settings, weights: Path | None, arrays: Path) -> None:
    from .eval_playing import Stage

    global _bench
    _bench = Bench(settings, Stage(weights), weights, arrays)


def _do(task: Task) -> list[Row]:
    if _bench is None:
        raise RuntimeError("the process was not begun")
    from .eval_controls import control, truth_of_a_style

    work = {
        "song": _song,
        "scene": _scene,
        "control": control,
        "truth": truth_of_a_style,
        "steady": _steady,
        "codec": _codec,
    }
    rows = work[task.kind](_bench, task)
    return [{"task": task.name, "kind": task.kind, "number": task.number, **row} for row in rows]


def _song(bench: Bench, task: Task) -> list[Row]:
    """One held-out song under every condition, beside its true parts and the next song's."""
    from ...training.evaluate.sound_figures import embed
    from ...training.evaluate.take_scores import (
        Truth,
        at_judges_rate,
        score,
        stems_of,
    )

    settings, seconds = bench.settings, bench.settings.seconds
    seed = settings.first_seed + task.number
    song, other = render(bench, seed, seconds), render(bench, seed + 1, seconds)
    truth, other_truth = Truth.of(song, seconds), Truth.of(other, seconds)
    true_take = at_judges_rate(stems_of(song, seconds), song.rate_hz)
    anchors = {
        "true": score(true_take, truth),
        "floor": score(at_judges_rate(stems_of(other, seconds), song.rate_hz), truth),
    }
    conditions = ["live"]
    conditions += ["oracle"] if task.number < settings.oracle_songs else []
    conditions += ABLATIONS if task.number < settings.ablation_songs else ()
    lead = song.stems["lead"][: int(seconds * song.rate_hz)]
    rows = []
    for condition in conditions:
        played = bench.stage.play(lead, Controls(style=style_of(bench, song)), condition, song.labels, seed)
        take = at_judges_rate(played.parts, played.rate_hz)
        rows.append(
            {"seed": seed, "condition": condition, **about(song), "band": score(take, truth), **anchors,
             "wrong": score(take, other_truth), **cost(played)}
        )  # fmt: skip
        if condition == "live":
            clouds = {f"band_{part}": embed(take[part]) for part in played.parts}
            clouds |= {f"true_{part}": embed(true_take[part]) for part in played.parts}
            np.savez(bench.arrays / f"song-{task.number}.npz", **clouds)  # type: ignore[arg-type]
    return rows


def _scene(bench: Bench, task: Task) -> list[Row]:
    """One scripted change, followed by the band, by its conductor, and by the arranger's own band."""
    from ...training.evaluate.scenes import measure, write_scene
    from ...training.evaluate.take_scores import at_judges_rate, stems_of

    scene = write_scene(task.what, task.number, bench.settings.styles)
    song = scene.song
    played = bench.stage.play(song.stems["lead"], Controls(style=song.meta["style"]), seed=task.number)
    row = {
        "scene": task.what,
        **about(song),
        "band": measure(scene, at_judges_rate(played.parts, played.rate_hz)),
        "true": measure(scene, at_judges_rate(stems_of(song, song.seconds), song.rate_hz)),
        **cost(played),
    }
    if task.what in ("faster", "slower"):
        row["conductor"] = {"tempo_bars": conductor_bars(played, song.labels, scene.change_s)}
    return [row]


def conductor_bars(played: Played, labels: dict[str, Any], change_s: float, near_s: float = 0.05) -> float:
    """Bars from a change until what the conductor tells is within `near_s` of the true beat in four of five frames."""
    frames, phase = played.frames, played.beat_phase
    kept = (frames * 0.04 >= change_s) & (frames < len(labels["beat_phase"]))
    frames, phase = frames[kept], phase[kept]
    if len(frames) < 50:
        return float("nan")
    beat_s = 60.0 / labels["tempo_bpm"][frames]
    off_s = np.abs((phase - labels["beat_phase"][frames] + 0.5) % 1.0 - 0.5) * beat_s
    near = off_s <= near_s
    later = np.cumsum(near[::-1])[::-1] / np.arange(len(near), 0, -1)
    good = np.flatnonzero(near & (later >= 0.8))
    bar_s = float(labels["beats_per_bar"][0] * np.median(beat_s))
    return (
        float((frames[good[0]] * 0.04 - change_s) / bar_s) if len(good) and good[0] < len(near) - 50 else float("nan")
    )


def _steady(bench: Bench, task: Task) -> list[Row]:
    """One long run on a song that goes round; the first round and the last."""
    from ...training.evaluate.examples import go_round
    from ...training.evaluate.take_scores import (
        PARTS,
        Truth,
        at_judges_rate,
        score,
    )

    seconds = 60.0 * bench.settings.steady_minutes
    song = render(bench, STEADY_SEEDS_FROM + task.number, min(60.0, seconds / 3))
    long, round_s = go_round(song, seconds)
    truth = Truth.of(long, long.seconds)
    played = bench.stage.play(long.stems["lead"], Controls(style=style_of(bench, song)), seed=task.number)
    rows = []
    first_s = truth.skip_s
    for name, start_s in (("first", first_s), ("last", long.seconds - 2 * round_s + first_s)):
        stretch = truth.part_of(start_s, start_s + round_s - first_s)
        row: Row = {**about(song), "when": name, "from_s": start_s, **cost(played)}
        for take, sound in (("band", played.parts), ("true", {part: long.stems[part] for part in PARTS})):
            a, b = int(start_s * 32_000), int((start_s + stretch.seconds) * 32_000)
            row[take] = score(at_judges_rate({part: sound[part][a:b] for part in PARTS}, 32_000), stretch)
        rows.append(row)
    return rows


def _codec(bench: Bench, task: Task) -> list[Row]:
    """What the codec keeps of the true parts."""
    from ...model import checkpoint
    from ...training.evaluate.codec_quality import evaluate_codec

    codec = checkpoint.load_codec((bench.weights or checkpoint.SHIPPED) / "codec.safetensors")
    rendered = [render(bench, seed, 15.0) for seed in range(bench.settings.codec_songs)]
    return [{"codec": evaluate_codec(codec, rendered, 15.0)}]
