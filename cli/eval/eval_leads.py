"""`gigmate eval leads`: how well beats and chords are found in recordings of others; a file beside each has the truth.

A folder of NAME.lead.wav and NAME.json: `beats_s`, and `downbeats_s` or null; for chords also `halves_s`, where halves
of bars begin, and `chroma`, seconds of each pitch class in them. Streaming, the lead alone, as live. Main thread.
"""

from __future__ import annotations

import json
import warnings
from collections import Counter
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from ...engine.errors import ConfigError
from ..extras import need
from .lead_chords import chord_share, true_chords

if TYPE_CHECKING:
    from ...engine.player import Harmonist
    from ..listen_stream import ListeningPlayer

FloatArray = NDArray[np.float64]
REACH_S = 0.07
RIGHT_F = 0.7
_LEVELS = {
    "double": (1 / 2, (0.0, 0.25)), "half": (2.0, (0.0, 0.5, 1.0, 1.5)), "triple": (1 / 3, (0.0,)),
    "3/2": (2 / 3, (0.0, 1 / 3)), "2/3": (3 / 2, (0.0, 0.5, 1.0)), "4/3": (3 / 4, (0.0, 0.25, 0.5)),
    "3/4": (4 / 3, (0.0, 1 / 3, 2 / 3, 1.0)), "half a beat off": (1.0, (0.5,)),
}  # fmt: skip
_BAR_BEATS = 4
_TAP_ERROR_S = 0.015


@dataclass(frozen=True, slots=True)
class Told:
    """What the conductor told while it heard one recording."""

    beats: FloatArray
    """Rows of (second, place in the bar from 1, confidence), a beat each."""
    at_s: FloatArray
    chords: NDArray[np.int64]
    """At each of these moments, as told before it was heard: root + 12 * (minor third or not), -1 for none."""


@dataclass(frozen=True, slots=True)
class LeadRow:
    """What was found in one recording."""

    name: str
    kind: str
    """"right", a name of another level or place, or "lost"."""
    beat_f: float
    downbeat_f: float
    bars: tuple[tuple[float, bool], ...]
    """For each four beats told: confidence, and whether they were right."""
    chord_share: float = float("nan")
    """Of the time in which the parts together hold a clear major or minor triad, the share in which it was told."""


def judge(folder: Path, taps: int, style: str, part: str, weights: Path | None) -> None:
    """Print a line for each recording, and what comes out over all."""
    from ..listen_stream import ListeningPlayer

    need("mir_eval")
    if part not in ("all", "even", "odd"):
        raise ConfigError(f"--part {part}: give all, even or odd")
    leads = sorted(folder.glob("*.lead.wav"))
    if not leads:
        raise ConfigError(f"{folder}: holds no NAME.lead.wav")
    ear = ListeningPlayer(weights)
    rows = []
    for lead in leads if part == "all" else leads[part == "odd" :: 2]:
        rows.append(score_lead(ear, lead, taps, style))
        row = rows[-1]
        scores = f"beat {row.beat_f:.2f}  bar {row.downbeat_f:.2f}  chords {row.chord_share:.2f}"
        print(f"{row.name:<46} {row.kind:<16} {scores}", flush=True)
    print(summary(rows))


def score_lead(ear: ListeningPlayer, lead: Path, taps: int, style: str) -> LeadRow:
    """Listen to one recording as on stage, tapping along first if asked."""
    name = lead.name.removesuffix(".lead.wav")
    try:
        truth = json.loads((lead.parent / f"{name}.json").read_text(encoding="utf-8"))
        beats = np.asarray(truth["beats_s"], np.float64)
        downbeats = np.asarray(truth.get("downbeats_s") or [], np.float64)
        halves = np.asarray(truth.get("halves_s") or [], np.float64)
        seconds = np.asarray(truth.get("chroma") or [], np.float64).reshape(-1, 12)
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise ConfigError(f"{lead.parent / name}.json: no beats_s to be read ({error})") from error
    if len(seconds) and len(halves) != len(seconds) + 1:
        raise ConfigError(f"{lead.parent / name}.json: {len(seconds)} rows of chroma, {len(halves)} halves_s: one more")
    tapped = taps_on(beats, downbeats, taps)
    told = listen_to(ear, lead, tapped, style)
    from_s = max(10.0, float(tapped[-1]) + 0.5 if len(tapped) else 0.0)
    share = chord_share(told.at_s, told.chords, halves, true_chords(seconds), from_s)
    return replace(figures(name, told.beats, beats, downbeats, from_s), chord_share=share)


def listen_to(ear: ListeningPlayer, lead: Path, taps_s: FloatArray | None = None, style: str = "") -> Told:
    """Hear one recording frame by frame, and conduct."""
    from ..listen import read_mono
    from .eval_listener import hear_song

    heard = hear_song(ear, read_mono(lead))[0]
    return conducted(heard, np.zeros(0) if taps_s is None else taps_s, style, ear.harmonist)


def taps_on(beats: FloatArray, downbeats: FloatArray, count: int) -> FloatArray:
    """The first true beats of a bar after second 6, as a foot taps them."""
    if not count:
        return np.zeros(0)
    first = int(np.searchsorted(beats, 6.0))
    if len(downbeats):
        first = int(np.abs(beats - downbeats[min(int(np.searchsorted(downbeats, 6.0)), len(downbeats) - 1)]).argmin())
    return beats[first : first + count] + np.random.default_rng(len(beats)).normal(0, _TAP_ERROR_S, count)


def conducted(heard: list[Any], taps_s: FloatArray, style: str, harmonist: Harmonist | None) -> Told:
    """What the conductor makes of what was heard, frame by frame."""
    from ...engine.commands import SetControl
    from ...engine.timing.conductor import Conductor
    from ..listen_stream import FRAME_SAMPLES, RATE_HZ

    conductor = Conductor(float(RATE_HZ), harmonist=harmonist)
    if style:
        conductor.obey(SetControl("style", style), 0.0)
    rows, chords, waiting, last = [], [], list(taps_s), 0.0
    for i, frame in enumerate(heard):
        now = (i + 1) * FRAME_SAMPLES
        while waiting and waiting[0] * RATE_HZ <= now:
            conductor.tap(waiting.pop(0) * RATE_HZ)
        conductor.hear(frame, now - frame.delay_samples, FRAME_SAMPLES)
        moment = conductor.moment(now)
        if moment.beat_phase < last - 0.5:
            at_s = now / RATE_HZ - moment.beat_phase * 60.0 / moment.tempo_bpm
            rows.append((at_s, int(moment.bar_phase * moment.beats_per_bar + 1e-6) + 1, moment.confidence))
        last = moment.beat_phase
        root, classes = moment.chord_root, moment.chord_pitch_classes
        chords.append(-1 if root < 0 else root + 12 * (classes[(root + 3) % 12] > classes[(root + 4) % 12]))
    # a moment tells the chord of a little later
    moments_s = (np.arange(len(heard)) + 1.0) * FRAME_SAMPLES / RATE_HZ + conductor.config.chords.chord_ahead_s
    return Told(np.array(rows, np.float64).reshape(-1, 3), moments_s, np.array(chords, np.int64))


def figures(name: str, told: FloatArray, beats: FloatArray, downbeats: FloatArray, from_s: float) -> LeadRow:
    """Score what was told of one recording."""
    found = told[:, 0]
    own = f_measure(beats, found, from_s)
    kind, best = ("right", own) if own >= RIGHT_F else ("lost", RIGHT_F)
    if kind == "lost":
        for level, (ratio, shifts) in _LEVELS.items():
            at = max(f_measure(_every(beats, ratio, shift), found, from_s) for shift in shifts)
            kind, best = (level, at) if at >= best else (kind, best)
    bars = []
    for first in range(0, len(told) - _BAR_BEATS, _BAR_BEATS):
        bar, end = told[first : first + _BAR_BEATS], found[first + _BAR_BEATS]
        if bar[0, 0] >= 5.0 and end < beats[-1]:
            true = beats[(beats >= bar[0, 0] - REACH_S) & (beats < end - REACH_S)]
            bars.append((float(bar[:, 2].mean()), f_measure(true, bar[:, 0], 0.0) >= RIGHT_F))
    downbeat_f = f_measure(downbeats, found[told[:, 1] == 1], from_s) if len(downbeats) > 2 else float("nan")
    return LeadRow(name, kind, own, downbeat_f, tuple(bars))


def f_measure(truth: FloatArray, found: FloatArray, from_s: float) -> float:
    """mir_eval's F within 70 ms, from that second on."""
    import mir_eval

    truth, found = truth[truth >= from_s], np.unique(found[found >= from_s])
    if not len(truth) or not len(found):
        return 0.0
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return float(mir_eval.beat.f_measure(truth, found, f_measure_threshold=REACH_S))


def _every(beats: FloatArray, ratio: float, shift: float) -> FloatArray:
    """The beats of another level: one for each `ratio` true ones."""
    return np.interp(np.arange(shift, len(beats) - 1, ratio), np.arange(len(beats)), beats)


def tells_apart(bars: list[tuple[float, bool]]) -> float:
    """Probability that a right bar has more confidence than a wrong one (area under the curve); nan: all are alike."""
    sure = np.array([confidence for confidence, right in bars if right])
    unsure = np.array([confidence for confidence, right in bars if not right])
    if not len(sure) or not len(unsure):
        return float("nan")
    return float(np.mean((sure[:, None] > unsure) + 0.5 * (sure[:, None] == unsure)))


def summary(rows: list[LeadRow]) -> str:
    """Means and shares over all recordings, in lines."""
    kinds = Counter(row.kind for row in rows)
    bars = [bar for row in rows for bar in row.bars]
    down = [row.downbeat_f for row in rows if np.isfinite(row.downbeat_f)]
    chords = [row.chord_share for row in rows if np.isfinite(row.chord_share)]
    beat_f, downbeat_f = np.mean([row.beat_f for row in rows]), np.mean(down) if down else float("nan")
    return (
        f"{len(rows)} recordings: right {kinds['right'] / len(rows):.2f}, beat F {beat_f:.3f}, "
        f"downbeat F {downbeat_f:.3f}, confidence tells right bars from wrong ones "
        f"{tells_apart(bars):.2f}, chords {np.mean(chords) if chords else float('nan'):.3f}\n"
        + ", ".join(f"{kind} {count}" for kind, count in kinds.most_common())
    )
