"""Evaluates recovery: how soon the beat is found again after a tempo change, a rest, or an extra half-beat.

Held-out made songs, streaming, from the lead alone, beside `eval_listener`. Main thread.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from ..listen_stream import ListeningPlayer
from .eval_listener import (
    FloatArray,
    conduct,
    first_in_beat,
    hear_song,
)

if TYPE_CHECKING:
    from ...training.band.score import Score

KINDS = ("faster", "slower", "rest", "half_beat")
SECONDS = (45.0, 55.0)
TEMPO_FACTORS = {"faster": 1.1, "slower": 0.9}
SETTLE_BARS = 6
"""What the lead plays before anything changes."""
REST_BARS = 4
AFTER_BARS = 4
"""The least that is played after the rest."""
PLAYED_SHARE = 0.75
SEEDS_PER_SONG = 4
EARLY_S = 0.03
"""Notes on a beat may begin so much before it: cuts are made there, not in the middle of an attack."""
FADE_S = 0.005


@dataclass(frozen=True, slots=True)
class Scene:
    """A lead with one change in it. `sound`: float32 [T]; moments in seconds of that sound.

    The change comes at `change_s`; bars are counted from `from_s` on: the first beat from which being right is asked.
    """

    kind: str
    sound: NDArray[np.float32]
    beats_s: FloatArray
    onsets_s: FloatArray
    beats_per_bar: int
    change_s: float
    from_s: float


def place_of(score: Score) -> int | None:
    """The first bar that the lead has played up to for SETTLE_BARS and plays on from, long enough for every scene.

    None where there is none: the song is too short or the lead pauses too much.
    """
    starts = [bar.start_beat for bar in score.bars]
    played = [
        sum(max(0.0, min(end, at + bar.beats) - max(begin, at)) for begin, end in score.lead_spans_beats) / bar.beats
        for at, bar in zip(starts, score.bars, strict=True)
    ]
    first = next((i for i, share in enumerate(played) if share > 0), len(played))
    for bar in range(first + SETTLE_BARS, len(played) - REST_BARS - AFTER_BARS + 1):
        before, after = played[bar - 4 : bar], played[bar : bar + REST_BARS + AFTER_BARS]
        if np.mean(before) >= PLAYED_SHARE and np.mean(after) >= PLAYED_SHARE:
            return bar
    return None


def other_tempo(beat_times_s: FloatArray, beat: int, factor: float) -> FloatArray:
    """The same beats, `factor` times as fast from `beat` on."""
    start_s = beat_times_s[beat]
    return np.where(np.arange(len(beat_times_s)) < beat, beat_times_s, start_s + (beat_times_s - start_s) / factor)


def muted(sound: NDArray[np.float32], rate_hz: int, start_s: float, end_s: float) -> NDArray[np.float32]:
    """Silence from EARLY_S before `start_s` until EARLY_S before `end_s`, faded at both ends."""
    moments = np.arange(len(sound)) / rate_hz
    gain = np.maximum((start_s - EARLY_S - moments) / FADE_S, (moments - end_s + EARLY_S) / FADE_S + 1.0)
    return sound * np.clip(gain, 0.0, 1.0).astype(np.float32)


def spliced(scene: Scene, rate_hz: int, gap_s: float) -> Scene:
    """The same lead with a silence of `gap_s` before the beat at `change_s`; what comes later comes later by it."""
    gap = round(gap_s * rate_hz)
    cut_s = scene.change_s - EARLY_S
    at, fade = round(cut_s * rate_hz), round(FADE_S * rate_hz)
    ramp = np.linspace(0.0, 1.0, fade, dtype=np.float32)
    before, after = scene.sound[:at].copy(), scene.sound[at:].copy()
    before[-fade:] *= ramp[::-1]
    after[:fade] *= ramp

    def later(times_s: FloatArray) -> FloatArray:
        return np.where(times_s < cut_s, times_s, times_s + gap / rate_hz)

    return replace(
        scene,
        sound=np.concatenate([before, np.zeros(gap, np.float32), after]),
        beats_s=later(scene.beats_s),
        onsets_s=later(scene.onsets_s),
        from_s=scene.change_s + gap / rate_hz,
    )


def scenes_of(seed: int, split: str) -> Iterator[tuple[Scene, dict[str, Any]]]:
    """Every scene of one song with what the song is; none of a song that has no place for them."""
    from ...training.band import splits
    from ...training.band.arrange import write_song
    from ...training.sound.render import RenderedSong, render_score, render_song

    bar = place_of(write_song(seed, split, None, 0.0, SECONDS, 0.0))
    if bar is None:
        return
    song = render_song(seed, split=split, seconds=SECONDS)
    score = song.score
    if score is None:
        raise RuntimeError(f"song {seed} was rendered without its score")
    about = {"seed": seed, "style": song.meta["style"], "lead": song.meta["lead_mode"], "bpm": round(score.bpm, 1)}
    beat, metre = score.bars[bar].start_beat, score.beats_per_bar

    def scene(kind: str, of: RenderedSong) -> Scene:
        at_s = float(of.labels["beats_s"][beat])
        return Scene(kind, of.stems["lead"], of.labels["beats_s"], of.labels["onsets_lead_s"], metre, at_s, at_s)

    for kind, factor in TEMPO_FACTORS.items():
        changed = replace(score, beat_times_s=other_tempo(score.beat_times_s, beat, factor))
        rng = np.random.default_rng([splits.SPLITS[split], seed])
        yield scene(kind, render_score(changed, rng, split=split, fonts=song.meta["fonts"])), about
    still = scene("rest", song)
    back_s = float(song.labels["downbeats_s"][bar + REST_BARS])
    yield replace(still, sound=muted(still.sound, song.rate_hz, still.change_s, back_s), from_s=back_s), about
    half_s = float(still.beats_s[beat] - still.beats_s[beat - 1]) / 2
    yield spliced(replace(still, kind="half_beat"), song.rate_hz, half_s), about


def recovery(scene: Scene, found_s: FloatArray, end_s: float) -> dict[str, Any]:
    """Bars from `from_s` until four true beats in a row are foretold within 70 ms, as in `lock_bars`.

    Where that never comes, `bars` is all that is left until the lead's last note, and `recovered` is false.
    `in_beat_before`: the four beats before the change were foretold. `end_s`: where what was found ends.
    """
    beats = scene.beats_s[scene.beats_s < min(end_s - 0.2, float(scene.onsets_s[-1]) + 0.05)]
    before, after = beats[beats < scene.change_s - 1e-3][-4:], beats[beats >= scene.from_s - 1e-3]
    bar_s = scene.beats_per_bar * float(np.median(np.diff(after)))
    first = first_in_beat(found_s, after)
    until_s = after[-1] if first is None else after[first]
    return {
        "scene": scene.kind,
        "bars": float((until_s - scene.from_s) / bar_s),
        "bars_left": float((after[-1] - scene.from_s) / bar_s),
        "recovered": first is not None,
        "in_beat_before": first_in_beat(found_s, before) is not None,
    }


def evaluate_scene(ear: ListeningPlayer, scene: Scene) -> dict[str, Any]:
    """`recovery` of what the listener hears of a scene and the conductor makes of it."""
    track = conduct(hear_song(ear, scene.sound)[0], harmonist=ear.harmonist)
    return recovery(scene, track.beats_s(), float(track.at_s[-1]))


def evaluate(ear: ListeningPlayer, songs: int, first_seed: int, split: str) -> Iterator[dict[str, Any]]:
    """Rows of every scene of `songs` songs, of the seeds from `first_seed` on that have a place for the scenes.

    Ends with fewer where SEEDS_PER_SONG times as many seeds do not hold so many.
    """
    done = 0
    for seed in range(first_seed, first_seed + SEEDS_PER_SONG * songs):
        if done == songs:
            return
        rows = [{**about, **evaluate_scene(ear, scene)} for scene, about in scenes_of(seed, split)]
        yield from rows
        done += bool(rows)


def summarise(rows: list[dict[str, Any]]) -> dict[str, dict[str, float]]:
    """Figures for each kind of scene, over all its songs, those that never recovered and those lost before included."""
    result = {}
    for kind in KINDS:
        members = [row for row in rows if row["scene"] == kind]
        if not members:
            continue
        bars = np.array([row["bars"] for row in members])
        result[kind] = {
            "songs": float(len(members)),
            "bars_median": float(np.median(bars)),
            "bars_worst": float(bars.max()),
            "within_2_bars": float(sum(row["recovered"] and row["bars"] <= 2.0 for row in members)),
            "never_recovered": float(sum(not row["recovered"] for row in members)),
            "not_in_beat_before": float(sum(not row["in_beat_before"] for row in members)),
        }
    return result


def line_of(row: dict[str, Any]) -> str:
    """One scene in words."""
    said = f"{row['bars']:.2f} bars" if row["recovered"] else f"never in the {row['bars_left']:.2f} bars left"
    lost = "" if row["in_beat_before"] else "  (not in the beat before)"
    return f"{row['seed']:4d} {row['style']:<14} {row['lead']:<7} {row['bpm']:5.0f} bpm  {row['scene']:<9} {said}{lost}"
