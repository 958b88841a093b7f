"""Whether the beats stand where they are held, or half a beat beside: judged over a minute, by where the harmony turns.

A musician who strikes between the beats throughout sounds to the listener like one who strikes on them. What is played
still turns with the bars of the song: the notes of the two beats and a half after a beat differ more from those before
it than half a beat later. Knows the line by the beats that it is told. Inference thread only.
"""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from ....player import Heard
from ...conductor_settings import HalfBeatSettings

FloatArray = NDArray[np.float64]
_REACH = 2  # sub-frames beside a place, in which what was heard belongs to it
_BARS = (4, 3)  # beats
_CLASSES = 12
_AHEAD_FRAMES = 1  # what is played is that of the newest frame, everything else is told of the one before


class HalfBeatDoubt:
    """Remembers beats and what was heard around them, and weighs them against the places between them.

    Inference thread only.
    """

    def __init__(self, settings: HalfBeatSettings) -> None:
        self._settings = settings
        self._sub_s = self._frame_s = 0.0
        self.reset()

    def reset(self) -> None:
        """Forget what was heard."""
        self._beats = np.zeros(0)
        self.nats = 0.0
        """By how much the held beats are likelier than the places between them; 0 while too little was heard."""
        self._against = 0
        self._heard = np.zeros((3, 0))
        self._turns = np.zeros((0, _CLASSES))
        self._kept = self._kept_turns = np.zeros((0, 0))  # twice as long: what is heard moves back once a window
        self._moved_frames = 0

    def hear(self, heard: Heard, evidence: NDArray[np.float32], trust: float, end_s: float, frame_s: float) -> None:
        """One frame: what was heard, and the beat filter's log likelihood ratios [S] of it (one sub-frame late)."""
        size = len(evidence)
        frames = round(self._settings.window_s / frame_s)
        if self._heard.shape[1] != frames * size or not len(self._turns):
            self._frame_s, self._sub_s = frame_s, frame_s / size
            self._kept, self._kept_turns = np.zeros((3, 2 * frames * size)), np.zeros((2 * frames + 1, _CLASSES))
            self._moved_frames = 0
        self._end_s = end_s
        if self._moved_frames == frames:
            self._kept[:, : frames * size] = self._kept[:, frames * size :]
            self._kept_turns[: frames + 1] = self._kept_turns[frames:]
            self._moved_frames = 0
        self._moved_frames += 1
        at = self._moved_frames
        self._heard = self._kept[:, at * size : (at + frames) * size]
        self._turns = self._kept_turns[at : at + frames + 1]
        newest = self._heard[:, -size:]
        newest[0], newest[1], newest[2] = evidence * trust, heard.downbeat, heard.onset
        self._turns[-1] = self._turns[-2] + np.asarray(heard.played) * trust  # sums of what was played

    def beat(self, at_s: float) -> None:
        """The line's next beat was due then. Weighs anew."""
        settings = self._settings
        kept = self._beats[(self._beats > at_s - settings.window_s + 4.0) & (self._beats < at_s - 0.1)]
        self._beats = np.append(kept, at_s)
        length_s = float(self._beats[-1] - self._beats[0])
        if len(self._beats) < settings.least_beats or length_s < settings.least_s:
            self.nats, self._against = 0.0, 0
            return
        self.nats = self._weigh()
        self._against = self._against + 1 if self.nats < -settings.shift_nats else 0

    @property
    def beside(self) -> bool:
        """Whether the beats have been likelier half a beat beside for so long that they are to be moved there."""
        return self._against >= self._settings.shift_beats

    def moved(self, ratio: float, beat_s: float) -> None:
        """The line is another from now on: `ratio` old beats to one of its own, one of which is at `beat_s`."""
        self._against, self.nats = 0, 0.0
        if len(self._beats) < 2:
            return
        last, period_s = len(self._beats) - 1, float(np.median(np.diff(self._beats)))
        newest = last + (beat_s - self._beats[-1]) / period_s
        places = np.arange(newest, 0.0, -ratio)[::-1]
        self._beats = np.interp(places, np.arange(last + 1), self._beats) + np.maximum(places - last, 0.0) * period_s

    def _weigh(self) -> float:
        settings = self._settings
        period_s = float(np.median(np.diff(self._beats)))
        ended = self._end_s - (settings.turn_beats + 0.5) * period_s
        on = self._beats[self._beats < ended]
        if len(on) < settings.least_beats // 2:
            return 0.0
        between = on + 0.5 * np.append(np.diff(on), period_s)
        heard, beside = self._around(on), self._around(between)
        level = float(heard[0].mean() - beside[0].mean())
        bar = on < self._end_s - (settings.whole_turn_beats + 0.5) * period_s
        whole = self._turns_at(on[bar], between[bar], settings.whole_turn_beats * period_s)
        return (
            settings.level_weight * min(max(level, -1.0), 1.0)
            + settings.downbeat_weight * _log_ratio(heard[1], beside[1], 0.02)
            + settings.struck_weight * _log_ratio(heard[2], beside[2], 0.05)
            + settings.turn_weight * _log_ratio(*self._turns_at(on, between, settings.turn_beats * period_s), 0.01)
            + settings.whole_turn_weight * math.log((_strength(whole[0]) + 0.01) / (_strength(whole[1]) + 0.01))
        )

    def _around(self, at_s: FloatArray) -> FloatArray:
        """The most that was heard around each moment: log likelihood ratio, downbeat and onset [3, N]."""
        size = self._heard.shape[1]
        places = size - np.round((self._end_s - at_s) / self._sub_s + 0.5).astype(np.int64)
        near = np.clip(places[:, None] + np.arange(-_REACH, _REACH + 1), 0, size - 2)
        around = self._heard[:, near]
        around[0] = self._heard[0][near + 1]  # told one sub-frame late
        most: FloatArray = around.max(axis=-1)
        return most

    def _turns_at(self, on_s: FloatArray, between_s: FloatArray, wide_s: float) -> tuple[FloatArray, FloatArray]:
        return self._turn_at(on_s, wide_s), self._turn_at(between_s, wide_s)

    def _turn_at(self, at_s: FloatArray, wide_s: float) -> FloatArray:
        """How far what is played after each moment is another than before it, in [0, 1]."""
        before, here, after = (self._sums(at_s + self._settings.turn_late_s + step) for step in (-wide_s, 0.0, wide_s))
        past, next_ = here - before, after - here
        norms = np.sqrt((past * past).sum(axis=1) * (next_ * next_).sum(axis=1) + 1e-9)
        turns: FloatArray = 1.0 - (past * next_).sum(axis=1) / norms
        return turns

    def _sums(self, at_s: FloatArray) -> FloatArray:
        """Of what was played up to those moments, [N, 12]."""
        last = len(self._turns) - 1
        place = np.clip(last - (self._end_s + _AHEAD_FRAMES * self._frame_s - at_s) / self._frame_s, 0.0, last)
        low = np.minimum(place.astype(np.int64), last - 1)
        share = (place - low)[:, None]
        sums: FloatArray = self._turns[low] * (1.0 - share) + self._turns[low + 1] * share
        return sums


def _log_ratio(on: FloatArray, between: FloatArray, floor: float) -> float:
    return math.log((_one_of_many(on) + floor) / (_one_of_many(between) + floor))


def _strength(values: FloatArray) -> float:
    """Their root mean square: what stands out counts for more."""
    return math.sqrt(float((values * values).mean()))


def _one_of_many(values: FloatArray) -> float:
    """The highest mean that one beat of each bar has."""
    return max(float(values[place::beats].mean()) for beats in _BARS for place in range(beats))
