"""What `gigmate eval` has to do, cut into tasks that are run in any order by several processes, and done only once.

Each task renders what it needs, lets the band play, has it judged, and gives rows of plain values. Rows are appended
to a file of JSON lines as they come, so a run that was killed goes on; arrays lie beside it. Main thread of each
process.
"""

from __future__ import annotations

import json
import multiprocessing
from collections.abc import Callable, Iterator
from concurrent.futures import ProcessPoolExecutor, as_completed
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from ..engine.config import ConfigError
from ..engine.player import Controls

if TYPE_CHECKING:
    from ..model.codec import MdctCodec
    from ..model.runtime import LiveBand
    from ..training.render import RenderedSong
    from .eval_play import Played, Stage

Row = dict[str, Any]
DENSITIES = (0.1, 0.3, 0.5, 0.7, 0.9)
TEMPERATURES = (0.5, 1.3)
ABLATIONS = ("no_chord", "no_moment", "no_heard", "no_past")
CONTROL_SEEDS_FROM, STEADY_SEEDS_FROM = 50_000, 60_000
EXAMPLES = 10
KINDS = ("songs", "reaction", "control", "steady", "codec")


@dataclass(frozen=True)
class Settings:
    """What is judged. Two runs with equal settings may share a file of rows."""

    weights_id: str
    styles: tuple[str, ...]
    split: str = "test"
    first_seed: int = 0
    songs: int = 104
    seconds: float = 30.0
    oracle_songs: int = 104
    ablation_songs: int = 32
    scenes: int = 16
    control_leads: int = 12
    control_seconds: float = 16.0
    control_styles: int = 4
    truth_songs_per_style: int = 8
    steady_runs: int = 3
    steady_minutes: float = 10.0
    codec_songs: int = 8


@dataclass(frozen=True)
class Task:
    name: str
    """Unique, as rows carry it: `song:12`."""
    kind: str
    number: int
    what: str = ""


def plan(settings: Settings, kinds: tuple[str, ...] = KINDS) -> list[Task]:
    """Every task of these kinds, the dearest first."""
    from ..training.evaluate_scenes import KINDS as SCENES

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
        asked = json.loads(json.dumps(asdict(settings)))
        if fresh:
            path.unlink(missing_ok=True)
        if path.exists():
            lines = path.read_text(encoding="utf-8").splitlines()
            found = [row for row in map(_parsed, lines) if row is not None]
            if not found or found[0].get("settings") != asked:
                raise ConfigError(f"{path}: holds the rows of other settings; begin anew with --fresh, or name another")
            self.rows = found[1:]
            self._write([{"settings": asked}, *self.rows], "w")  # without the line that a kill may have cut
        else:
            path.parent.mkdir(parents=True, exist_ok=True)
            self._write([{"settings": asked}], "w")

    @property
    def done(self) -> set[str]:
        return {row["task"] for row in self.rows}

    def add(self, rows: list[Row]) -> None:
        from ..training.evaluate_stats import without_nan

        plain = [without_nan(row) for row in rows]
        self.rows += plain
        self._write(plain, "a")

    def _write(self, rows: list[Row], mode: str) -> None:
        with self.path.open(mode, encoding="utf-8") as file:
            file.write("".join(json.dumps(row) + "\n" for row in rows))


def _parsed(line: str) -> Row | None:
    try:
        row = json.loads(line)
    except ValueError:
        return None
    return row if isinstance(row, dict) else None


def run_all(
    rows: Rows, tasks: list[Task], weights: Path | None, workers: int, examples: Path | None, say: Callable[[Row], None]
) -> None:
    """Do what is not done yet, over `workers` processes. Raises what a task raises; what was done stays."""
    todo = [task for task in tasks if task.name not in rows.done]
    rows.arrays.mkdir(parents=True, exist_ok=True)
    for made in _results(todo, rows, weights, workers, examples):
        rows.add(made)
        for row in made:
            say(row)


def _results(
    todo: list[Task], rows: Rows, weights: Path | None, workers: int, examples: Path | None
) -> Iterator[list[Row]]:
    if workers <= 1 or len(todo) <= 1:
        if todo:
            _begin(rows.settings, weights, rows.arrays, examples)
        for task in todo:
            yield _do(task)
        return
    # fresh processes: a forked one would share the synthesiser's and torch's native state
    pool = ProcessPoolExecutor(
        workers, multiprocessing.get_context("spawn"), _begin, (rows.settings, weights, rows.arrays, examples)
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


@dataclass
class _Bench:
    settings: Settings
    stage: Stage
    weights: Path | None
    arrays: Path
    examples: Path | None
    eager: tuple[LiveBand, MdctCodec] | None = None


_bench: _Bench | None = None


def _begin(settings: Settings, weights: Path | None, arrays: Path, examples: Path | None) -> None:
    from .eval_play import Stage

    global _bench
    _bench = _Bench(settings, Stage(weights), weights, arrays, examples)


def _do(task: Task) -> list[Row]:
    if _bench is None:
        raise RuntimeError("the process was not begun")
    work = {"song": _song, "scene": _scene, "control": _control, "truth": _truth, "steady": _steady, "codec": _codec}
    rows = work[task.kind](_bench, task)
    return [{"task": task.name, "kind": task.kind, "number": task.number, **row} for row in rows]


def _render(
    bench: _Bench, seed: int, seconds: float, style: str | None = None, split: str | None = None
) -> RenderedSong:
    from ..training.render import render_song

    split = split or bench.settings.split
    styles = (style,) if style else None if split == "held_style" else bench.settings.styles
    return render_song(seed, split=split, styles=styles, seconds=(seconds, seconds + 4.0))


def _song(bench: _Bench, task: Task) -> list[Row]:
    """One held-out song under every condition, beside its true parts and the next song's."""
    from ..training.evaluate_examples import write_example
    from ..training.evaluate_sound import embed
    from ..training.evaluate_takes import Truth, at_judges_rate, score, stems_of

    settings, seconds = bench.settings, bench.settings.seconds
    seed = settings.first_seed + task.number
    song, other = _render(bench, seed, seconds), _render(bench, seed + 1, seconds)
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
        played = bench.stage.play(lead, Controls(style=_style(bench, song)), condition, song.labels, seed)
        take = at_judges_rate(played.parts, played.rate_hz)
        rows.append(
            {"seed": seed, "condition": condition, **_about(song), "band": score(take, truth), **anchors,
             "wrong": score(take, other_truth), **_cost(played)}
        )  # fmt: skip
        if condition == "live":
            clouds = {f"band_{part}": embed(take[part]) for part in played.parts}
            clouds |= {f"true_{part}": embed(true_take[part]) for part in played.parts}
            np.savez(bench.arrays / f"song-{task.number}.npz", **clouds)  # type: ignore[arg-type]
            if bench.examples is not None and task.number < EXAMPLES:
                write_example(bench.examples, task.number, lead, played.parts, song)
    return rows


def _scene(bench: _Bench, task: Task) -> list[Row]:
    """One scripted change, followed by the band, by its conductor, and by the arranger's own band."""
    from ..training.evaluate_scenes import measure, write_scene
    from ..training.evaluate_takes import at_judges_rate, stems_of

    scene = write_scene(task.what, task.number, bench.settings.styles)
    song = scene.song
    played = bench.stage.play(song.stems["lead"], Controls(style=song.meta["style"]), seed=task.number)
    row = {
        "scene": task.what,
        **_about(song),
        "band": measure(scene, at_judges_rate(played.parts, played.rate_hz)),
        "true": measure(scene, at_judges_rate(stems_of(song, song.seconds), song.rate_hz)),
        **_cost(played),
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


def _control(bench: _Bench, task: Task) -> list[Row]:
    """One lead played to with several densities, temperatures and styles."""
    from ..training.evaluate_sound import density_per_s, repetition
    from ..training.evaluate_style import can_be_asked
    from ..training.evaluate_takes import PARTS, Truth, at_judges_rate

    seconds, known = bench.settings.control_seconds, bench.settings.styles
    song = _render(bench, CONTROL_SEEDS_FROM + task.number, seconds, known[task.number % len(known)])
    truth = Truth.of(song, seconds)
    lead = song.stems["lead"][: int(seconds * song.rate_hz)]

    def take(controls: Controls) -> tuple[Played, dict[str, Any]]:
        played = bench.stage.play(lead, controls, seed=task.number)
        whole = at_judges_rate(played.parts, played.rate_hz)
        first = int(truth.skip_s * 22_050)
        return played, {name: sound[first:] for name, sound in whole.items()}

    own = song.meta["style"]
    row: Row = {**_about(song), "density": [], "temperature": [], "styles": [own]}
    sounds, notes = [], []
    for density in DENSITIES:
        played, made = take(Controls(style=own, density=density))
        row["density"].append([density, *(density_per_s(made[part]) for part in (*PARTS, "mix"))])
        if density == 0.5:
            sounds.append(_style_sound(made, own_bars_s(played, truth.skip_s)))
            notes.append(_style_notes(played, truth.skip_s))
    bars = truth.downbeats_s[truth.downbeats_s >= truth.skip_s]
    for temperature in TEMPERATURES:
        _, made = take(Controls(style=own, temperature=temperature))
        row["temperature"].append([temperature, repetition(made["mix"], bars - truth.skip_s)])
    rng = np.random.default_rng(task.number)
    others = [s for s in known if s != own and can_be_asked(s, int(song.labels["beats_per_bar"][0]))]
    for style in rng.permutation(others)[: bench.settings.control_styles]:
        played, made = take(Controls(style=str(style)))
        row["styles"].append(str(style))
        sounds.append(_style_sound(made, own_bars_s(played, truth.skip_s)))
        notes.append(_style_notes(played, truth.skip_s))
    np.savez(bench.arrays / f"control-{task.number}.npz", features=np.array(sounds), notes=np.array(notes))
    return [row]


def own_bars_s(played: Played, skip_s: float) -> NDArray[np.float64]:
    """Where the band itself counted its downbeats, seconds after `skip_s`."""
    begins = np.flatnonzero(np.diff(played.bar_phase) < -0.5)
    ahead_s = (
        (1.0 - played.bar_phase[begins])
        * played.beats_per_bar[begins]
        * 60.0
        / np.maximum(played.tempo_bpm[begins], 1.0)
    )
    at_s = played.frames[begins] * 0.04 + ahead_s - skip_s
    return np.asarray(at_s[at_s >= 0.0], np.float64)


def _style_sound(take: dict[str, Any], bars_s: NDArray[np.floating[Any]]) -> Any:
    from ..training.evaluate_sound import style_features
    from ..training.evaluate_takes import PARTS

    return style_features({part: take[part] for part in PARTS}, bars_s)


def _style_notes(played: Played, skip_s: float) -> Any:
    """What the judge of notes looks at, over the bars that the band itself counted."""
    from ..training.evaluate_style import note_features

    kept = played.frames * 0.04 >= skip_s
    return note_features(
        played.slots[:, :, kept], played.bar_phase[kept], played.beats_per_bar[kept], played.tempo_bpm[kept]
    )


def _truth(bench: _Bench, task: Task) -> list[Row]:
    """True parts for the style judges: they learn from the first of them and are examined on the last quarter."""
    from ..model import checkpoint
    from ..model.runtime import load_eager
    from ..training.evaluate_style import WRITTEN_SEEDS_FROM, WRITTEN_SONGS, as_the_band_sounds, written_features
    from ..training.evaluate_takes import Truth, at_judges_rate

    seconds = bench.settings.control_seconds
    song = _render(bench, CONTROL_SEEDS_FROM + task.number, seconds, task.what, "validation")
    truth = Truth.of(song, seconds)
    first = int(truth.skip_s * 22_050)
    bench.eager = bench.eager or load_eager(bench.weights or checkpoint.SHIPPED)
    take = at_judges_rate(as_the_band_sounds(song, seconds, *bench.eager), song.rate_hz)
    take = {name: sound[first:] for name, sound in take.items()}
    written = range(
        WRITTEN_SEEDS_FROM + WRITTEN_SONGS * task.number, WRITTEN_SEEDS_FROM + WRITTEN_SONGS * (task.number + 1)
    )
    np.savez(
        bench.arrays / f"truth-{task.what}-{task.number}.npz",
        features=_style_sound(take, truth.downbeats_s[truth.downbeats_s >= truth.skip_s] - truth.skip_s),
        notes=written_features(task.what, written, seconds, seconds / 2),
    )
    return [{**_about(song)}]


def _steady(bench: _Bench, task: Task) -> list[Row]:
    """One long run on a song that goes round; the first round and the last."""
    from ..training.evaluate_examples import go_round
    from ..training.evaluate_takes import PARTS, Truth, at_judges_rate, score

    seconds = 60.0 * bench.settings.steady_minutes
    song = _render(bench, STEADY_SEEDS_FROM + task.number, min(60.0, seconds / 3))
    long, round_s = go_round(song, seconds)
    truth = Truth.of(long, long.seconds)
    played = bench.stage.play(long.stems["lead"], Controls(style=_style(bench, song)), seed=task.number)
    rows = []
    first_s = truth.skip_s
    for name, start_s in (("first", first_s), ("last", long.seconds - 2 * round_s + first_s)):
        stretch = truth.part_of(start_s, start_s + round_s - first_s)
        row: Row = {**_about(song), "when": name, "from_s": start_s, **_cost(played)}
        for take, sound in (("band", played.parts), ("true", {part: long.stems[part] for part in PARTS})):
            a, b = int(start_s * 32_000), int((start_s + stretch.seconds) * 32_000)
            row[take] = score(at_judges_rate({part: sound[part][a:b] for part in PARTS}, 32_000), stretch)
        rows.append(row)
    return rows


def _codec(bench: _Bench, task: Task) -> list[Row]:
    """What the codec keeps of the true parts."""
    from ..model import checkpoint
    from ..training.evaluate_codec import evaluate_codec

    codec = checkpoint.load_codec((bench.weights or checkpoint.SHIPPED) / "codec.safetensors")
    rendered = [_render(bench, seed, 15.0) for seed in range(bench.settings.codec_songs)]
    return [{"codec": evaluate_codec(codec, rendered, 15.0)}]


def _style(bench: _Bench, song: RenderedSong) -> str:
    """The song's style, or the nearest that the band knows: its first."""
    style = str(song.meta["style"])
    return style if style in bench.settings.styles else bench.settings.styles[0]


def _about(song: RenderedSong) -> Row:
    bpm = round(float(np.median(song.labels["tempo_bpm"])), 1)
    return {"style": song.meta["style"], "bpm": bpm, "lead": song.meta["lead_mode"], "metre": song.meta["metre"]}


def _cost(played: Played) -> Row:
    cpu = played.cpu_ms if len(played.cpu_ms) else np.zeros(1)
    p50, p99, p999 = (float(x) for x in np.percentile(cpu, (50.0, 99.0, 99.9)))
    cost = {"p50_ms": p50, "p99_ms": p99, "p99.9_ms": p999, "times_real_time": 40.0 / max(1e-3, float(cpu.mean()))}
    return {"step": cost, "ahead_frames": played.ahead_frames, "misses": played.misses}
