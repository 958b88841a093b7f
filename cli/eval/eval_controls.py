"""Evaluates the controls: densities, temperatures and styles on one lead, for `gigmate eval`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from ...engine.player import Controls
from .eval_workbench import (
    Bench,
    Row,
    Task,
    about,
    render,
)

if TYPE_CHECKING:
    from .eval_playing import Played

DENSITIES = (0.1, 0.3, 0.5, 0.7, 0.9)
TEMPERATURES = (0.5, 1.3)
CONTROL_SEEDS_FROM = 50_000


def control(bench: Bench, task: Task) -> list[Row]:
    """One lead played to with several densities, temperatures and styles."""
    from ...training.evaluate.sound_figures import density_per_s, repetition
    from ...training.evaluate.style_judges import can_be_asked
    from ...training.evaluate.take_scores import PARTS, Truth, at_judges_rate

    seconds, known = bench.settings.control_seconds, bench.settings.styles
    song = render(bench, CONTROL_SEEDS_FROM + task.number, seconds, known[task.number % len(known)])
    truth = Truth.of(song, seconds)
    lead = song.stems["lead"][: int(seconds * song.rate_hz)]

    def take(controls: Controls) -> tuple[Played, dict[str, Any]]:
        played = bench.stage.play(lead, controls, seed=task.number)
        whole = at_judges_rate(played.parts, played.rate_hz)
        first = int(truth.skip_s * 22_050)
        return played, {name: sound[first:] for name, sound in whole.items()}

    own = song.meta["style"]
    row: Row = {**about(song), "density": [], "temperature": [], "styles": [own]}
    sounds, notes = [], []

    def show_judges(played: Played, made: dict[str, Any]) -> None:
        sounds.append(_style_sound(made, own_bars_s(played, truth.skip_s)))
        notes.append(_style_notes(played, truth.skip_s))

    for density in DENSITIES:
        played, made = take(Controls(style=own, density=density))
        row["density"].append([density, *(density_per_s(made[part]) for part in (*PARTS, "mix"))])
        if density == 0.5:
            show_judges(played, made)
    bars = truth.downbeats_s[truth.downbeats_s >= truth.skip_s]
    for temperature in TEMPERATURES:
        _, made = take(Controls(style=own, temperature=temperature))
        row["temperature"].append([temperature, repetition(made["mix"], bars - truth.skip_s)])
    rng = np.random.default_rng(task.number)
    others = [s for s in known if s != own and can_be_asked(s, int(song.labels["beats_per_bar"][0]))]
    for style in rng.permutation(others)[: bench.settings.control_styles]:
        played, made = take(Controls(style=str(style)))
        row["styles"].append(str(style))
        show_judges(played, made)
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
    from ...training.evaluate.sound_figures import style_features
    from ...training.evaluate.take_scores import PARTS

    return style_features({part: take[part] for part in PARTS}, bars_s)


def _style_notes(played: Played, skip_s: float) -> Any:
    """What the judge of notes looks at, over the bars that the band itself counted."""
    from ...training.evaluate.style_judges import note_features

    kept = played.frames * 0.04 >= skip_s
    return note_features(
        played.slots[:, :, kept], played.bar_phase[kept], played.beats_per_bar[kept], played.tempo_bpm[kept]
    )


def truth_of_a_style(bench: Bench, task: Task) -> list[Row]:
    """True parts for the style judges: they learn from the first of them and are examined on the last quarter."""
    from ...model import checkpoint
    from ...model.runtime import load_eager
    from ...training.evaluate.style_judges import (
        WRITTEN_SEEDS_FROM,
        WRITTEN_SONGS,
        as_the_band_sounds,
        written_features,
    )
    from ...training.evaluate.take_scores import Truth, at_judges_rate

    seconds = bench.settings.control_seconds
    song = render(bench, CONTROL_SEEDS_FROM + task.number, seconds, task.what, "validation")
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
    return [{**about(song)}]
