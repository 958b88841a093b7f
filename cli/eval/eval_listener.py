"""`gigmate eval listener`: evaluates listener and conductor on held-out songs, streaming, from the lead alone.

Beside an offline tracker (librosa, which sees the whole song) and a naive causal one. Main thread.
"""

from __future__ import annotations

import time
import warnings
from collections.abc import Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from ...engine.commands import SetControl
from ...engine.player import Harmonist, Heard
from ...engine.timing.conductor import Conductor, ConductorConfig
from ..listen_stream import (
    FRAME_S,
    FRAME_SAMPLES,
    RATE_HZ,
    ListeningPlayer,
)

if TYPE_CHECKING:
    from ...training.sound.render import RenderedSong

FloatArray = NDArray[np.float64]
AHEAD_S = 0.1
SKIP_BARS = 4
MOST_FORM_BARS = 16
MELODIC = ("melody", "riff")
"""The leads that are not strummed, picked or comped."""


@dataclass(frozen=True, slots=True)
class Track:
    """What the conductor told, frame by frame [T]: moments AHEAD_S ahead of the end of each frame."""

    at_s: FloatArray
    beat_phase: FloatArray
    bar_phase: FloatArray
    tempo_bpm: FloatArray
    beats_per_bar: FloatArray
    confidence: FloatArray
    chord_root: FloatArray
    minor: NDArray[np.bool_]
    tonic: FloatArray
    key_minor: NDArray[np.bool_]
    cpu_s: float

    def beats_s(self) -> FloatArray:
        """When it said that beats would be."""
        i = np.flatnonzero(np.diff(self.beat_phase) < -0.5)
        return self.at_s[i] + (1 - self.beat_phase[i]) * 60 / self.tempo_bpm[i]

    def downbeats_s(self) -> FloatArray:
        i = np.flatnonzero(np.diff(self.bar_phase) < -0.5)
        return self.at_s[i] + (1 - self.bar_phase[i]) * self.beats_per_bar[i] * 60 / self.tempo_bpm[i]


def hear_song(ear: ListeningPlayer, lead: NDArray[np.float32]) -> tuple[list[Heard], float]:
    """What the listener says of every whole frame, one by one, and the processor seconds that it took."""
    ear.reset(0, 1)
    padded = np.concatenate([np.zeros(ear.tail_samples, np.float32), lead])
    count = len(lead) // FRAME_SAMPLES
    began = time.process_time()
    size = ear.tail_samples + FRAME_SAMPLES
    heard: list[Heard] = [ear.listen(padded[i * FRAME_SAMPLES : i * FRAME_SAMPLES + size]) for i in range(count)]
    return heard, time.process_time() - began


def conduct(
    heard: Iterable[Heard],
    config: ConductorConfig | None = None,
    ahead_s: float = AHEAD_S,
    style: str | None = None,
    harmonist: Harmonist | None = None,
) -> Track:
    """Follow what was heard, asking after every frame for the moment `ahead_s` later; `style` is told if given."""
    conductor = Conductor(float(RATE_HZ), config=config, harmonist=harmonist)
    if style is not None:
        conductor.obey(SetControl("style", style), 0.0)
    rows = []
    began = time.process_time()
    for i, frame in enumerate(heard):
        now = (i + 1) * FRAME_SAMPLES
        conductor.hear(frame, now - frame.delay_samples, FRAME_SAMPLES)
        moment = conductor.moment(now + ahead_s * RATE_HZ)
        root, classes = moment.chord_root, moment.chord_pitch_classes
        minor = root >= 0 and classes[(root + 3) % 12] > classes[(root + 4) % 12]
        tonic, key_minor, _ = conductor.key()
        rows.append(
            (
                now / RATE_HZ + ahead_s,
                moment.beat_phase,
                moment.bar_phase,
                moment.tempo_bpm,
                moment.beats_per_bar,
                moment.confidence,
                root,
                minor,
                tonic,
                key_minor,
            )
        )
    cpu_s = time.process_time() - began
    columns = np.array(rows, np.float64).T
    at_s, beat, bar, tempo, metre, confidence, roots, minors, tonics, key_minors = columns
    return Track(at_s, beat, bar, tempo, metre, confidence, roots, minors > 0, tonics, key_minors > 0, cpu_s)


def score(track: Track, labels: dict[str, NDArray[Any]]) -> dict[str, float]:
    """Figures of one song, after SKIP_BARS bars."""
    downbeats = labels["downbeats_s"]
    found, end_s = track.beats_s(), float(track.at_s[-1])
    skip_s = _skip_s(labels)
    figures = beat_figures(found, labels, end_s)
    truth = _between(labels["beats_s"], skip_s, end_s)
    near = [np.abs(found - beat).min(initial=9.0) for beat in truth]
    figures["within_20_ms"] = float(np.mean(np.array(near) < 0.02)) if near else float("nan")
    figures["beat_lag_ms"] = _lag_ms(truth, found)
    bars = _between(downbeats, skip_s, end_s)
    figures["downbeat_f"] = _f(bars, track.downbeats_s(), skip_s, end_s)
    kept = track.at_s > skip_s
    ratio = float(np.median(track.tempo_bpm[kept]) / np.median(labels["tempo_bpm"])) if kept.any() else 1.0
    figures["octave_error"] = float(abs(np.log2(ratio)) > 0.4)
    figures["lock_bars"] = lock_bars(found, labels)
    figures["confidence"] = float(track.confidence[kept].mean()) if kept.any() else float("nan")
    if "chord_pcs" in labels:
        figures.update(chord_figures(track, labels, skip_s))
    return figures


def _lag_ms(truth: FloatArray, found: FloatArray) -> float:
    """How late the beats that were found stand, median over those within 70 ms; nan where there is none."""
    if not len(found):
        return float("nan")
    late = np.array([found[np.abs(found - beat).argmin()] - beat for beat in truth])
    late = late[np.abs(late) < 0.07]
    return float(np.median(late) * 1000.0) if len(late) else float("nan")


def beat_figures(found: FloatArray, labels: dict[str, NDArray[Any]], end_s: float) -> dict[str, float]:
    """Beat F after the first bars, and the F of the same beats taken half a beat later (a lock on the off-beat)."""
    skip_s = _skip_s(labels)
    beats = labels["beats_s"]
    middles = (beats[1:] + beats[:-1]) / 2
    return {
        "beat_f": _f(_between(beats, skip_s, end_s), found, skip_s, end_s),
        "off_beat_f": _f(_between(middles, skip_s, end_s), found, skip_s, end_s),
    }


def lock_bars(found: FloatArray, labels: dict[str, NDArray[Any]]) -> float:
    """Bars from the first note until four true beats in a row are foretold within 70 ms; nan: never."""
    onsets = labels["onsets_lead_s"] if "onsets_lead_s" in labels else labels["beats_s"]
    start = float(onsets[0])
    beats = labels["beats_s"][labels["beats_s"] >= start - 0.05]
    bar_s = float(np.median(np.diff(labels["downbeats_s"])))
    first = first_in_beat(found, beats)
    return float("nan") if first is None else float((beats[first] - start) / bar_s)


def first_in_beat(found: FloatArray, beats: FloatArray) -> int | None:
    """The first of four true beats in a row that are foretold within 70 ms; None: there are none."""
    hit = np.array([np.abs(found - beat).min(initial=9.0) < 0.07 for beat in beats])
    return next((i for i in range(len(hit) - 3) if hit[i : i + 4].all()), None)


def chord_figures(track: Track, labels: dict[str, NDArray[Any]], skip_s: float) -> dict[str, float]:
    """Chord and key as told AHEAD_S ahead, against what then sounds.

    A chord is right when its root and its third (minor or not) are. `chord_share_settled` leaves out the first beat
    of each chord. `change_foretold` counts the changes that were told by the frame in which they came, so before they
    could be heard, among those that a form had brought twice before (`repeated`); nan in a song that has none.
    `key_share` counts from bar 9 on; `key_relative` is the share that told the relative key instead.
    """
    from ...training.sound.song_labels import chords_of

    frame = np.minimum((track.at_s / FRAME_S).astype(int), len(labels["chord_root"]) - 1)
    root, chord = labels["chord_root"].astype(int), chords_of(labels)
    rows = np.arange(len(root))
    starts = np.flatnonzero(np.diff(chord, prepend=-2))  # frames where a chord begins
    since = rows - starts[np.searchsorted(starts, rows, side="right") - 1]
    settled = since * FRAME_S > 60.0 / labels["tempo_bpm"]
    use = (track.at_s > skip_s) & (root[frame] >= 0)
    right_root = track.chord_root == root[frame]
    told = np.where(track.chord_root < 0, -1, track.chord_root + 12 * track.minor)
    right = right_root & (told == chord[frame])
    late = use & settled[frame]
    figures = {
        "root_share": _mean(right_root[use]),
        "chord_share": _mean(right[use]),
        "chord_share_settled": _mean(right[late]),
    }
    begins = [f for f in starts[repeated(labels, chord, starts)] if f * FRAME_S > skip_s and f < len(root) - 1]
    at = np.clip(np.searchsorted(track.at_s, np.array(begins) * FRAME_S + FRAME_S), 0, len(track.at_s) - 1)
    figures["change_foretold"] = _mean(told[at] == chord[begins]) if begins else float("nan")
    downbeats = labels["downbeats_s"]
    eight = track.at_s > float(downbeats[min(8, len(downbeats) - 1)])
    tonic, key_minor = labels["key"][frame], labels["minor"][frame]
    figures["key_share"] = _mean(((track.tonic == tonic) & (track.key_minor == key_minor))[eight])
    relative = (tonic + np.where(key_minor, 3, 9)) % 12
    figures["key_relative"] = _mean(((track.tonic == relative) & (track.key_minor != key_minor))[eight])
    return figures


def repeated(labels: dict[str, NDArray[Any]], chord: NDArray[Any], starts: NDArray[Any]) -> NDArray[np.bool_]:
    """Which chord changes, given by their first frames `starts`, lie in the third or a later pass of a form.

    So where some number of bars up to MOST_FORM_BARS went round twice just before, chord for chord and half-beat by
    half-beat, the lead playing at least three quarters of both passes, and the change is what the form has there. A
    change by which a song leaves its form cannot be foretold and does not count; nor does a song that has no form.
    """
    beats = labels["beats_s"]
    grid = np.stack([beats[:-1], (beats[1:] + beats[:-1]) / 2], axis=1).ravel()
    frames = np.minimum(np.ceil(grid / FRAME_S - 1e-6).astype(int), len(chord) - 1)
    heard, played = chord[frames], np.concatenate([[0], np.cumsum(labels["playing"][frames])])
    bar = 2 * int(labels["beats_per_bar"][0])
    slots = np.abs(frames - starts[:, None]).argmin(axis=1)
    found = np.zeros(len(starts), bool)
    for i, at in enumerate(slots):
        for form in range(bar, MOST_FORM_BARS * bar + 1, bar):
            if at < 2 * form or chord[starts[i]] < 0:
                break
            first, second = heard[at - 2 * form : at - form], heard[at - form : at]
            again = (first == second).all() and first.min() >= 0 and heard[at - form] == chord[starts[i]]
            found[i] |= bool(again and played[at] - played[at - 2 * form] >= 1.5 * form)
    return found


def offline_beats(song: RenderedSong) -> FloatArray:
    """librosa's beats of the lead, which sees the whole song before it answers; its known bias taken off."""
    import librosa

    from ...training.evaluate.part_fit import (
        HOP,
        JUDGE_RATE_HZ,
        TRACKER_BIAS_S,
        for_judges,
        onset_envelope,
    )

    envelope = onset_envelope(for_judges(song.stems["lead"], song.rate_hz))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        _, found = librosa.beat.beat_track(onset_envelope=envelope, sr=JUDGE_RATE_HZ, hop_length=HOP, units="time")
    return np.asarray(found, np.float64) - TRACKER_BIAS_S


def naive_beats(song: RenderedSong, window_s: float = 6.0) -> FloatArray:
    """A plain causal tracker: the onset envelope's autocorrelation over the last seconds gives the tempo, a comb the
    phase, and the next beat is foretold from both."""
    from ...training.evaluate.part_fit import (
        HOP,
        JUDGE_RATE_HZ,
        LAG_BIAS_S,
        for_judges,
        onset_envelope,
    )

    envelope = onset_envelope(for_judges(song.stems["lead"], song.rate_hz))
    step_s = HOP / JUDGE_RATE_HZ
    size = int(window_s / step_s)
    lags = np.arange(int(60 / 220 / step_s), int(60 / 50 / step_s))
    prior = np.exp(-0.5 * (np.log2(60 / (lags * step_s) / 118) / 0.9) ** 2)
    beats: list[float] = []
    next_s, period_s = window_s / 2, 0.5
    for end in range(int(window_s / 2 / step_s), len(envelope), 8):
        now_s = end * step_s
        if now_s + AHEAD_S < next_s:
            continue
        beats.append(next_s - LAG_BIAS_S)
        recent = envelope[max(0, end - size) : end]
        recent = recent - recent.mean()
        spectrum = np.abs(np.fft.rfft(recent, 2 * len(recent))) ** 2
        lag = int(lags[np.argmax(np.fft.irfft(spectrum)[lags] * prior)])
        period_s = lag * step_s
        combs = [recent[::-1][phase::lag][:6].sum() for phase in range(lag)]
        last_s = now_s - (1 + int(np.argmax(combs))) * step_s
        next_s = last_s + period_s * np.ceil((beats[-1] + LAG_BIAS_S + 0.5 * period_s - last_s) / period_s)
    return np.array(beats)


def evaluate_song(
    ear: ListeningPlayer, song: RenderedSong, baselines: bool = True, told_style: bool = False
) -> dict[str, Any]:
    """All figures of one song as rendered with live sound: room, pickup, noise, bleed.

    `told_style`: the conductor knows the style, as on stage, where somebody has chosen one.
    """
    heard, listen_s = hear_song(ear, song.stems["lead"])
    track = conduct(heard, style=str(song.meta["style"]) if told_style else None, harmonist=ear.harmonist)
    row: dict[str, Any] = {
        "seed": song.seed,
        "style": song.meta["style"],
        "lead": song.meta["lead_mode"],
        "metre": song.meta["metre"],
        "bpm": round(float(np.median(song.labels["tempo_bpm"])), 1),
        **score(track, song.labels),
        "listener_cpu_ms": listen_s / len(heard) * 1e3,
        "conductor_cpu_ms": track.cpu_s / len(heard) * 1e3,
    }
    if baselines:
        end_s = float(track.at_s[-1])
        for name, beats in (("librosa", offline_beats(song)), ("naive", naive_beats(song))):
            for figure, value in beat_figures(beats, song.labels, end_s).items():
                row[f"{name}_{figure}"] = value
    return row


def summarise(rows: list[dict[str, Any]]) -> dict[str, dict[str, float | None]]:
    """Means over all songs, over strummed and comped leads, and over melodic ones; the median and worst lock."""
    groups = {
        "all": rows,
        "comped": [r for r in rows if r["lead"] not in MELODIC],
        "melodic": [r for r in rows if r["lead"] in MELODIC],
    }
    result: dict[str, dict[str, float | None]] = {}
    for group, members in groups.items():
        if not members:
            continue
        figures: dict[str, float | None] = {"songs": float(len(members))}
        for name, value in members[0].items():
            if isinstance(value, float) and name not in ("bpm", "lock_bars"):
                figures[name] = _finite(np.array([r[name] for r in members]), np.mean)
        locks = np.array([r["lock_bars"] for r in members])
        figures["lock_bars_median"] = _finite(locks, np.median)
        figures["lock_bars_worst"] = _finite(locks, np.max)
        figures["never_locked"] = float(np.isnan(locks).sum())
        figures["half_beat_off"] = float(sum(r["off_beat_f"] > max(0.6, r["beat_f"]) for r in members))
        result[group] = figures
    return result


def _skip_s(labels: dict[str, NDArray[Any]]) -> float:
    downbeats = labels["downbeats_s"]
    return float(downbeats[min(SKIP_BARS, len(downbeats) - 1)])


def _between(times_s: FloatArray, start_s: float, end_s: float) -> FloatArray:
    return times_s[(times_s >= start_s - 1e-6) & (times_s < end_s - 0.2)]


def _f(truth: FloatArray, found: FloatArray, start_s: float, end_s: float) -> float:
    """mir_eval's F within 70 ms; what lies just outside the stretch judged counts neither for nor against."""
    import mir_eval

    if len(truth) < 2:
        return float("nan")
    reach = 0.07
    found = found[(found > max(start_s, truth[0]) - reach) & (found < min(truth[-1], end_s) + reach)]
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return float(mir_eval.beat.f_measure(truth, found))


def _mean(values: NDArray[Any]) -> float:
    return float(np.mean(values)) if len(values) else float("nan")


def _finite(values: FloatArray, how: Any) -> float | None:
    values = values[np.isfinite(values)]
    return float(how(values)) if len(values) else None
