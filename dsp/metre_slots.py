"""What was heard along the beats of a supposed line, by quarters of a beat: what the metre network reads.

The same on stage and in training. Keeps no state. Any thread.
"""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

FloatArray = NDArray[np.floating]
SLOTS_PER_BEAT = 4
SLOTS = 256
"""The longest stretch that is looked at: 64 beats."""
TURN_BEATS = (1.0, 2.0, 2.5, 4.0)
"""Before and after each slot, what is played and the chord's root are compared over so many beats."""
LEVELS = (1.0, 2.0, 0.5, 1.5, 2 / 3, 4 / 3, 0.75)
"""Beats of a supposed line to one of the music's: the right one first."""
ACTIVATIONS, MASK = 4, 4
"""Channels before the turns: beat, downbeat and onset as half log-odds, activity; and whether the slot was heard."""
CHANNELS = 5 + 2 * len(TURN_BEATS)
OVERALL = len(LEVELS) + 1
VOTES_BPM = (48.0, 228.0)
"""First and last tempo of the listener's view of the tempo, evenly in the logarithm."""
_CLASSES = 12
_ACTIVITY = 2 * _CLASSES
SUMS = _ACTIVITY + 1
_CENTRE_BPM = 118.0
_LATE_S = 0.04
"""So much later than it is struck a note is heard in the pitch classes: half their window, about."""
_KNOWN_SHARE = 0.6
"""Of the stretch on either side of a slot that must have been heard for a turn to be told."""
_LEAST_SUM = 0.1


class HeardSpan(NamedTuple):
    """What the listener said of n frames on end. Any thread."""

    sub: NDArray[np.float32]
    """[3, n * S]: probability of a beat, a downbeat and an onset in each sub-frame."""
    sums: NDArray[np.float64]
    """[n + 1, SUMS]: summed from the first frame on: notes played by pitch class, where anybody plays; the chord's
    root by pitch class; activity."""
    votes: NDArray[np.float64]
    """[n + 1, V]: the same of the logarithm of the listener's view of the tempo; V may be 0: it has none."""
    frame_s: float


def frame_sums(played: FloatArray, chord_root: FloatArray, activity: FloatArray) -> NDArray[np.float64]:
    """[..., SUMS] of played [..., 12], chord_root [..., 12 or more] and activity [...]."""
    part = np.asarray(activity, np.float64)[..., None]
    roots = np.asarray(chord_root, np.float64)[..., :_CLASSES]
    return np.concatenate([np.asarray(played, np.float64) * part, roots, part], axis=-1)


def tempo_votes(tempo: FloatArray) -> NDArray[np.float64]:
    """The listener's view of the tempo [..., V], probabilities, as bounded log-odds against an even one."""
    even = np.asarray(tempo, np.float64) * tempo.shape[-1]
    votes: NDArray[np.float64] = np.clip(np.log(even + 0.1), -2.3, 2.5)
    return votes


def slot_features(
    heard: HeardSpan, at_s: NDArray[np.float64], period_s: float
) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """[SLOTS, CHANNELS] and [OVERALL] along the slots at `at_s`, a quarter of a beat apart, counted from the span's
    beginning. The last ones stand at the end, and what is before the first one is not heard. Those of the last slot
    must have been heard.
    """
    at_s = at_s[-SLOTS:]
    size = len(at_s)
    slots = np.zeros((SLOTS, CHANNELS), np.float32)
    here = slots[-size:]
    here[:, :3] = _loudest(heard, at_s, period_s)
    end_s = at_s[-1] + period_s / SLOTS_PER_BEAT
    frames = len(heard.sums) - 1
    last = min(float(frames), end_s / heard.frame_s)
    wide_s = period_s / SLOTS_PER_BEAT
    active = heard.sums[:, _ACTIVITY:]
    here[:, 3] = (
        (_sums(active, heard, at_s + wide_s, last) - _sums(active, heard, at_s, last))[:, 0] / wide_s * heard.frame_s
    )
    here[:, 5:] = _turns(heard, at_s, period_s, end_s, last)
    known = (at_s >= 0) & (at_s < frames * heard.frame_s)
    here[~known] = 0.0
    here[:, MASK] = known
    return slots, _overall(heard, at_s, period_s)


def _loudest(heard: HeardSpan, at_s: NDArray[np.float64], period_s: float) -> NDArray[np.float64]:
    """The most that was said of beat, downbeat and onset within an eighth of a beat of each slot, half log-odds."""
    sub_s = heard.frame_s * (len(heard.sums) - 1) / heard.sub.shape[1]
    reach_s, count = period_s / (2 * SLOTS_PER_BEAT), heard.sub.shape[1]
    first = np.floor((at_s - reach_s) / sub_s).astype(np.int64)
    last = np.ceil((at_s + reach_s) / sub_s).astype(np.int64)
    wide = max(3, math.ceil(2 * reach_s / sub_s) + 1)
    places = np.clip(first[:, None] + np.arange(wide), 0, count - 1)
    places = np.minimum(places, np.clip(last, 0, count - 1)[:, None])
    most = heard.sub[:, places].max(axis=-1).T.astype(np.float64)
    odds: NDArray[np.float64] = 0.5 * np.log((most + 0.02) / (1.02 - most))
    return odds


def _sums(
    columns: NDArray[np.float64], heard: HeardSpan, at_s: NDArray[np.float64], last: float
) -> NDArray[np.float64]:
    """Of what was heard up to those moments, none later than frame `last`."""
    places = np.clip(at_s / heard.frame_s, 0.0, last)
    low = np.minimum(places.astype(np.int64), len(columns) - 2)
    share = (places - low)[:, None]
    sums: NDArray[np.float64] = columns[low] * (1.0 - share) + columns[low + 1] * share
    return sums


def _turns(
    heard: HeardSpan, at_s: NDArray[np.float64], period_s: float, end_s: float, last: float
) -> NDArray[np.float64]:
    """Roots of the cosine distances between what is after each slot and what is before it [T, 2 * widths]; 0 where too
    little of either is known."""
    pitched = heard.sums[:, :_ACTIVITY]
    middle = at_s + _LATE_S
    here = _sums(pitched, heard, middle, last)
    found = []
    for beats in TURN_BEATS:
        wide_s = beats * period_s
        before = here - _sums(pitched, heard, middle - wide_s, last)
        after = _sums(pitched, heard, middle + wide_s, last) - here
        known = (middle + _KNOWN_SHARE * wide_s <= end_s) & (middle - _KNOWN_SHARE * wide_s >= 0)
        for classes in (slice(0, _CLASSES), slice(_CLASSES, _ACTIVITY)):
            past, next_ = before[:, classes], after[:, classes]
            norms = np.sqrt((past * past).sum(axis=1) * (next_ * next_).sum(axis=1) + 1e-9)
            far = np.sqrt(np.clip(1.0 - (past * next_).sum(axis=1) / norms, 0.0, 1.0))
            enough = known & (past.sum(axis=1) >= _LEAST_SUM) & (next_.sum(axis=1) >= _LEAST_SUM)
            found.append(np.where(enough, far, 0.0))
    return np.stack(found, axis=1)


def _overall(heard: HeardSpan, at_s: NDArray[np.float64], period_s: float) -> NDArray[np.float32]:
    """What the listener's view of the tempo says of each level, and the tempo itself."""
    rate = -math.log(period_s)
    levels = np.full(len(LEVELS), -2.3)
    count = heard.votes.shape[1]
    if count:
        frames = len(heard.votes) - 1
        first = int(np.clip(at_s[0] / heard.frame_s, 0, frames - 2))
        last = int(np.clip(at_s[-1] / heard.frame_s, first + 1, frames))
        mean = (heard.votes[last] - heard.votes[first]) / (last - first)
        low, high = (math.log(bpm / 60.0) for bpm in VOTES_BPM)
        at = rate + np.log(np.array(LEVELS))
        levels = np.interp(at, np.linspace(low, high, count), mean, left=-2.3, right=-2.3)
    return np.array([*levels, rate - math.log(_CENTRE_BPM / 60.0)], np.float32)
