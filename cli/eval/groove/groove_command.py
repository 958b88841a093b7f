"""`gigmate eval groove` and `gigmate eval sections`: what the groove does, judged by notes. Main thread.

Songs of the arranger are played by the band's notes at their true moments (training/evaluate/groove/note_takes.py), and
stand beside the same songs as written. `gigmate eval groove --live` plays them through the live engine with sound.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from ....engine.errors import ConfigError
from ...extras import need

if TYPE_CHECKING:
    from ....training.evaluate.groove.note_takes import NoteTake

StylesOption = Annotated[
    list[str] | None, typer.Option("--style", help="May be repeated. Default: every style that there is.")
]
WeightsOption = Annotated[Path | None, typer.Option(metavar="DIR", help="Weights to judge; else the shipped.")]
_JUDGE_SEEDS = range(96_000, 96_006)


def groove_figures(
    style: StylesOption = None,
    takes: Annotated[int, typer.Option(min=1, help="Takes of each style.")] = 1,
    seconds: Annotated[float, typer.Option(min=15.0, help="Seconds played of each.")] = 24.0,
    first_seed: Annotated[int, typer.Option()] = 700,
    groove: Annotated[float, typer.Option(min=0.0, max=1.0, help="How closely the band is to keep it.")] = 1.0,
    live: Annotated[
        bool, typer.Option("--live", help="Through the live engine with sound: likeness and beat F of it.")
    ] = False,
    weights: WeightsOption = None,
) -> None:
    """Likeness to the bars before, styles told, and what the bass does; the band's beside what is written."""
    import numpy as np

    from ....model.loading import load_band
    from ....training.evaluate.groove import groove_figures as figures
    from ....training.evaluate.groove.note_takes import Told, played, song, written

    need("sklearn")
    styles = _checked(style)
    if live:
        _live(styles, takes, seconds, first_seed, groove, weights)
        return
    band, judge = load_band(weights), _style_judge(seconds)
    rows: list[tuple[float, ...]] = []
    print(f"{'style':<18}{'told as':<18}likeness    roots        others       led          on the kick  (band/written)")
    for name in styles:
        for take in range(takes):
            score = song(name, first_seed + take, seconds)
            own = written(score)
            band_take = played(band, score, Told(groove), seed=take)
            told = judge.told(np.array([_features(band_take), _features(own)]))
            pairs = [(figures.repetition(band_take), figures.repetition(own))]
            pairs += zip(figures.bass_figures(band_take), figures.bass_figures(own), strict=True)
            rows.append((float(told[0] == name), float(told[1] == name), *(value for pair in pairs for value in pair)))
            shown = [pairs[k] for k in (0, 1, 3, 4, 5)]
            print(f"{name:<18}{told[0]:<18}" + "  ".join(f"{a:.2f}/{b:.2f}  " for a, b in shown), flush=True)
    means = np.nanmean(np.array(rows), axis=0)
    names = (
        "told by notes",
        "likeness",
        "bass: roots",
        "bass: fifths",
        "bass: others",
        "bass: led",
        "bass: on the kick",
    )
    print(f"\n{len(rows)} takes of {seconds:g} s\n| figure | band | written |\n|---|---|---|")
    for k, name in enumerate(names):
        print(f"| {name} | {means[2 * k]:.2f} | {means[2 * k + 1]:.2f} |")


def section_figures(
    style: StylesOption = None,
    songs: Annotated[int, typer.Option(min=1, help="Number of songs, one style after the other.")] = 12,
    seconds: Annotated[float, typer.Option(min=40.0, help="Least length of each.")] = 75.0,
    first_seed: Annotated[int, typer.Option()] = 800,
    taught: Annotated[int, typer.Option(min=1, help="Written songs of each style that the judge is taught with.")] = 6,
    sections: Annotated[bool, typer.Option(help="Whether the band is told the sections, as by a chart.")] = True,
    weights: WeightsOption = None,
) -> None:
    """Changes of section told by a judge that is shown nothing but the band's notes."""
    import numpy as np

    from ....model.loading import load_band
    from ....training.evaluate.groove.note_takes import Told, played, song, written
    from ....training.evaluate.groove.section_judge import SectionJudge, balanced, f_of, joined, lines_of

    need("sklearn")
    styles = _checked(style)
    band = load_band(weights)
    lessons = [
        lines_of(written(score), score)
        for name in styles
        for score in (song(name, seed, seconds, "train") for seed in range(97_000, 97_000 + taught))
    ]
    judge = SectionJudge(joined(lessons))
    ours, theirs = [], []
    for number in range(songs):
        name = styles[number % len(styles)]
        score = song(name, first_seed + number, seconds)
        theirs.append(lines_of(written(score), score))
        ours.append(lines_of(played(band, score, Told(sections=sections), seed=number), score))
        told = judge.told(ours[-1]) if len(ours[-1].features) else np.zeros(0, bool)
        right = int((told & ours[-1].changes).sum())
        print(
            f"{name:<18}{right} of {int(ours[-1].changes.sum())} changes, {int(told.sum()) - right} false", flush=True
        )
    print(f"\n{songs} songs, {int(joined(ours).changes.sum())} changes\n| figure | band | written |\n|---|---|---|")
    for what, measure in (("F of changes told", f_of), ("changes found and others let be, mean", balanced)):
        cells = [measure(judge.told(lines), lines.changes) for lines in (joined(ours), joined(theirs))]
        print(f"| {what} | {cells[0]:.2f} | {cells[1]:.2f} |")


def _checked(style: list[str] | None) -> list[str]:
    from ....training.band.styles import STYLE_NAMES

    for name in style or ():
        if name not in STYLE_NAMES:
            raise ConfigError(f"--style {name}: styles are {', '.join(STYLE_NAMES)}")
    return list(style or STYLE_NAMES)


def _features(take: NoteTake) -> Any:
    import numpy as np

    from ....training.evaluate.style_judges import note_features

    beats = np.full(len(take.bar), float(take.beats_per_bar))
    return note_features(take.slots, take.bar_phase, beats, take.tempo_bpm)


def _style_judge(seconds: float) -> Any:
    """Taught with written songs of all styles, other ones than are played."""
    import numpy as np

    from ....training.band.styles import STYLE_NAMES
    from ....training.evaluate.groove.note_takes import song, written
    from ....training.evaluate.style_judges import StyleJudge

    features, names = [], []
    for name in STYLE_NAMES:
        for seed in _JUDGE_SEEDS:
            features.append(_features(written(song(name, seed, seconds, "validation"))))
            names.append(name)
    return StyleJudge(np.array(features), names)


def _live(styles: list[str], takes: int, seconds: float, first_seed: int, groove: float, weights: Path | None) -> None:
    """With sound and the band's own ears."""
    import numpy as np

    from ....engine.player import Controls
    from ....training.evaluate.take_scores import Truth, at_judges_rate, score, stems_of
    from ....training.sound.render import render_song
    from ..eval_playing import Stage

    need("mir_eval")
    need("librosa")
    stage, rows = Stage(weights), []
    names = ("repetition", "drums_beat_f", "bass_in_chord", "keys_in_chord")
    print(f"{'style':<18}" + "  ".join(names) + "  (band/written)")
    for name in styles:
        for take in range(takes):
            made = render_song(first_seed + take, split="test", styles=(name,), seconds=(seconds, seconds + 4.0))
            truth = Truth.of(made, seconds)
            lead = made.stems["lead"][: int(seconds * made.rate_hz)]
            band = stage.play(lead, Controls(style=name, groove=groove), seed=take)
            ours = score(at_judges_rate(band.parts, band.rate_hz), truth)
            theirs = score(at_judges_rate(stems_of(made, seconds), made.rate_hz), truth)
            rows.append([value for key in names for value in (ours[key], theirs[key])])
            print(f"{name:<18}" + "  ".join(f"{ours[key]:.2f}/{theirs[key]:.2f}" for key in names), flush=True)
    means = np.nanmean(np.array(rows, np.float64), axis=0)
    print(f"\n{len(rows)} takes of {seconds:g} s, groove {groove:g}\n| figure | band | written |\n|---|---|---|")
    for k, key in enumerate(names):
        print(f"| {key} | {means[2 * k]:.2f} | {means[2 * k + 1]:.2f} |")
