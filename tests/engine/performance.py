"""Made-up performances for tests of the conductor: what a small listener network would say of a musician's playing.

A performance is a list of true beats and the noisy activations that they leave: blurred, late, missed, doubled.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from gigmate.engine.commands import Command
from gigmate.engine.player import HeardFrame, Moment
from gigmate.engine.position import Point
from gigmate.engine.timing.conductor import Conductor
from numpy.typing import NDArray

RATE_HZ = 48000.0
FRAME_S = 0.04
SUB_FRAMES = 4
FloatArray = NDArray[np.float64]


@dataclass(frozen=True)
class Noise:
    """How the activations differ from the truth."""

    miss: float = 0.2
    """Share of beats that leave no peak."""
    jitter_s: float = 0.010
    """Standard deviation of the played beat around the true one (half of it drifts slowly)."""
    false_per_beat: float = 0.15
    """Peaks anywhere, for each beat."""
    offbeat: float = 0.3
    """Share of beats followed by a peak half way (or at the swung place)."""
    offbeat_height: float = 0.6
    floor: float = 0.02
    downbeat_miss: float = 0.3
    downbeat_false: float = 0.1


@dataclass(frozen=True)
class Performance:
    beats_s: FloatArray
    """The true grid, whether played or not."""
    beat_in_bar: NDArray[np.int64]
    beats_per_bar: int
    beat: NDArray[np.float32]
    downbeat: NDArray[np.float32]
    onset: NDArray[np.float32]
    activity: NDArray[np.float32]
    root: NDArray[np.int64]
    """True root of each frame."""

    @property
    def frames(self) -> int:
        return len(self.activity)

    def heard(self, frame: int, chord_lag_frames: int = 3, rng: np.random.Generator | None = None) -> HeardFrame:
        root = int(self.root[max(0, frame - chord_lag_frames)])
        roots = np.full(13, 0.03, np.float32)
        classes = np.full(12, 0.08, np.float32)
        if root >= 0:
            roots[root] = 0.6
            classes[[root, (root + 4) % 12, (root + 7) % 12]] = 0.8
        else:
            roots[12] = 0.6
        if rng is not None:
            roots += rng.uniform(0, 0.4, 13).astype(np.float32) * (rng.random(13) < 0.15)
            classes = np.clip(classes + rng.normal(0, 0.1, 12), 0, 1).astype(np.float32)
        on = float(self.activity[frame])
        return HeardFrame(
            beat=self.beat[frame],
            downbeat=self.downbeat[frame],
            onset=self.onset[frame],
            chord_root=(roots / roots.sum()).astype(np.float32),
            chord_pitch_classes=classes,
            activity=on,
            level_db=-20.0 if on > 0.5 else -80.0,
        )


def steady(bpm: float, seconds: float, start_s: float = 0.3) -> FloatArray:
    return np.arange(start_s, seconds, 60.0 / bpm)


def from_tempi(bpm_of_beat: Callable[[int], float], beats: int, start_s: float = 0.3) -> FloatArray:
    """Beats whose intervals follow a tempo that changes from beat to beat."""
    gaps = [60.0 / bpm_of_beat(i) for i in range(beats - 1)]
    return start_s + np.concatenate([[0.0], np.cumsum(gaps)])


def perform(
    beats_s: FloatArray,
    seed: int = 0,
    noise: Noise = Noise(),
    beats_per_bar: int = 4,
    pickup: int = 0,
    rests: Sequence[tuple[int, int]] = (),
    swing: float = 0.5,
    roots: Sequence[int] = (0,),
    beats_per_chord: int = 4,
    bars: Sequence[int] = (),
) -> Performance:
    """Play the beats, in bars of `beats_per_bar` or of the lengths in `bars`, which go round.

    `rests` are (first, last) beats of silence, `pickup` beats come before the first downbeat, `swing` is where within
    the beat the off-beat falls, `roots` go round, one each `beats_per_chord`.
    """
    rng = np.random.default_rng(seed)
    frames = int(np.ceil((beats_s[-1] + 1.0) / FRAME_S))
    centres = (np.arange(frames * SUB_FRAMES) + 0.5) * FRAME_S / SUB_FRAMES
    beat = rng.exponential(noise.floor, len(centres))
    downbeat = rng.exponential(noise.floor / 2, len(centres))
    onset = rng.exponential(noise.floor, len(centres))

    def put(into: FloatArray, at_s: float, height: float) -> None:
        low, high = np.searchsorted(centres, (at_s - 0.06, at_s + 0.06))
        bump = height * np.exp(-0.5 * ((centres[low:high] - at_s) / 0.012) ** 2)
        into[low:high] = np.maximum(into[low:high], bump)

    places = np.concatenate([np.arange(bar) for bar in bars or (beats_per_bar,)])
    beat_in_bar = places[(np.arange(len(beats_s)) - pickup) % len(places)]
    silent = np.zeros(len(beats_s), bool)
    for first, last in rests:
        silent[first:last] = True
    drift = 0.0
    for i, at_s in enumerate(beats_s):
        drift = 0.7 * drift + rng.normal(0, noise.jitter_s * 0.5)
        gap_s = beats_s[i + 1] - at_s if i + 1 < len(beats_s) else at_s - beats_s[i - 1]
        draws = rng.random(6)
        if silent[i]:
            continue
        played_s = at_s + drift + rng.normal(0, noise.jitter_s * 0.7)
        if draws[0] > noise.miss:
            put(beat, played_s, rng.uniform(0.45, 0.95))
            put(onset, played_s, 0.9)
        if draws[1] < noise.offbeat:
            put(beat, at_s + swing * gap_s + rng.normal(0, noise.jitter_s), noise.offbeat_height * rng.uniform(0.5, 1))
        if draws[2] < noise.false_per_beat:
            put(beat, at_s + rng.random() * gap_s, rng.uniform(0.2, 0.7))
        is_down = beat_in_bar[i] == 0
        if (is_down and draws[3] > noise.downbeat_miss) or (not is_down and draws[4] < noise.downbeat_false):
            put(downbeat, played_s, rng.uniform(0.3, 0.8))
    sounding = np.ones(frames, np.float32)
    for first, last in rests:
        end_s = beats_s[last] if last < len(beats_s) else frames * FRAME_S
        sounding[int(beats_s[first] / FRAME_S) + 1 : int(end_s / FRAME_S)] = 0.02
    starts = (beats_s[pickup::beats_per_chord] / FRAME_S).astype(int)
    root = np.full(frames, -1, np.int64)
    for i, start in enumerate(starts):
        root[start:] = roots[i % len(roots)]

    def shaped(x: FloatArray) -> NDArray[np.float32]:
        return np.clip(x, 0, 1).astype(np.float32).reshape(frames, SUB_FRAMES)

    return Performance(
        beats_s, beat_in_bar, beats_per_bar, shaped(beat), shaped(downbeat), shaped(onset), sounding, root
    )


@dataclass
class Followed:
    """What a conductor said, once a frame, about a position `ahead_s` after the last it had heard."""

    time_s: FloatArray
    """Positions that were asked for."""
    moments: list[Moment]
    bar: NDArray[np.int64]
    chord_ahead_confidence: FloatArray
    beats: FloatArray
    """Continuous count of beats."""

    @property
    def tempo_bpm(self) -> FloatArray:
        return np.array([m.tempo_bpm for m in self.moments])

    @property
    def confidence(self) -> FloatArray:
        return np.array([m.confidence for m in self.moments])

    @property
    def bar_phase(self) -> FloatArray:
        return np.array([m.bar_phase for m in self.moments])

    @property
    def playing(self) -> NDArray[np.bool_]:
        return np.array([m.playing for m in self.moments])

    def predicted_beats_s(self) -> FloatArray:
        """When the count crossed whole numbers, interpolated."""
        count = np.maximum.accumulate(self.beats)
        whole = np.arange(np.ceil(count[0]), np.floor(count[-1]) + 1)
        return np.interp(whole, count, self.time_s)

    def errors_s(self, performance: Performance) -> FloatArray:
        """For each true beat within the run, the signed distance to the nearest predicted beat (NaN outside)."""
        predicted = self.predicted_beats_s()
        true = performance.beats_s
        error = predicted[np.abs(predicted[None] - true[:, None]).argmin(1)] - true
        error[(true < self.time_s[0]) | (true > self.time_s[-1])] = np.nan
        return error

    def at(self, what: FloatArray, times_s: FloatArray | float) -> NDArray[np.float64]:
        """`what` (one value a frame) at the frames asked nearest before the times."""
        place = np.searchsorted(self.time_s, np.asarray(times_s), side="right") - 1
        return np.asarray(what)[np.clip(place, 0, len(self.time_s) - 1)]


def follow(
    conductor: Conductor,
    performance: Performance,
    ahead_s: float = 0.14,
    chord_noise_seed: int | None = 7,
    taps_s: Sequence[float] = (),
    commands: Sequence[tuple[float, Command]] = (),
) -> Followed:
    """Run the conductor through a performance. The default asks 100 ms ahead of now, where what is heard now is
    described one frame (40 ms) late. `commands` are given at their seconds."""
    rng = None if chord_noise_seed is None else np.random.default_rng(chord_noise_seed)
    times, moments, bars, ahead, beats = [], [], [], [], []
    taps, waiting = sorted(taps_s), list(commands)
    for frame in range(performance.frames):
        end_s = (frame + 1) * FRAME_S
        while taps and taps[0] <= end_s:
            conductor.tap(taps.pop(0) * RATE_HZ)
        while waiting and waiting[0][0] <= end_s:
            conductor.obey(waiting[0][1], waiting.pop(0)[0] * RATE_HZ)
        conductor.hear(performance.heard(frame, rng=rng), round(end_s * RATE_HZ), round(FRAME_S * RATE_HZ))
        asked = (end_s + ahead_s) * RATE_HZ
        moments.append(conductor.moment(asked))
        times.append(end_s + ahead_s)
        bars.append(conductor.bar_count(asked))
        ahead.append(conductor.chord_ahead_confidence)
        beats.append(conductor.beat_count(asked))
    return Followed(np.array(times), moments, np.array(bars), np.array(ahead), np.array(beats))


def in_four(beat: float) -> Point:
    """That beat of a song in 4/4."""
    return Point(0.0, beat, beat // 4 * 4, int(beat // 4), 4)
