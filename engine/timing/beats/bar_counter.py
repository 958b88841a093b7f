"""Metre and downbeat of the beats that are held: a filter over bars, the first note, and what the musician says.

Knows the numbers of beats and when they were, and no line. Inference thread only.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from ...player import Heard
from ...style_priors import StylePrior
from ..conductor_settings import BarSettings
from .bar_pointer import BarFilter
from .chord_change import ChordChangeDetector

_HISTORY = 64  # sub-frames of activation kept for the bars' evidence
_FIRST_BEATS = 16  # further back than this nobody counts to the first note
_EARLY_SURE = 0.5
_KEPT = 0.6  # belief in the bar line of another level from which this one was taken over


class BarCounter:
    """Which beat is a downbeat. `due` is the number of the beat that is judged next, as its owner counts. Inference
    thread only."""

    def __init__(self, settings: BarSettings, chord_lag_s: float) -> None:
        self._plain = self._settings = settings
        self._heard_metres = (settings.metres, settings.metre_weights)
        self._filter = BarFilter(settings)
        self._downbeats = np.zeros((_HISTORY, 2))  # time, activation
        self._turns = ChordChangeDetector(chord_lag_s)
        self.reset()

    def reset(self) -> None:
        """Forget everything heard. Expected metres stay."""
        self._filter.reset()
        self._downbeats[:] = 0.0
        self._downbeats[:, 0] = -1e9
        self._turns.reset()
        self.metre = max(zip(self._settings.metre_weights, self._settings.metres, strict=True))[1]
        self.downbeat, self.confidence = 0, 0.0
        """Number of a beat that is a downbeat, and how sure that is, in [0, 1]."""
        self.known = self.first_counted = False

    def forget(self) -> None:
        """The beats are others from now on."""
        self._filter.reset()
        self.known = self.first_counted = False

    def place_of(self, beat: int) -> int:
        """Place in its bar of a beat, 0 for a downbeat; -1 where no bar is known."""
        return (beat - self.downbeat) % self.metre if self.known else -1

    # What is expected

    def expect_style(self, style: StylePrior | None, due: int) -> None:
        """Lean towards the metres of a style; None: any are as likely as any. A song that runs goes on as it was."""
        share = self._plain.style_metre_share
        weights = self._plain.metre_weights
        if style is not None:
            own = dict(style.metres)
            total, own_total = sum(weights), sum(own.values())
            weights = tuple(
                (1 - share) * weight / total + share * own.get(metre, 0.0) / own_total
                for metre, weight in zip(self._plain.metres, weights, strict=True)
            )
        by_ear = self._settings.metres == self._heard_metres[0]
        self._heard_metres = (self._plain.metres, weights)
        if by_ear and self._settings.metre_weights != weights:
            counted = self.metre, self.downbeat, self.confidence
            self._weigh_metres(self._plain.metres, weights, due)
            if self.known:
                self.metre, self.downbeat, self.confidence = counted
                self._filter.set((due - 1 - self.downbeat) % self.metre, self.metre)

    def expect_metre(self, beats_per_bar: int | None, due: int) -> None:
        """All bars have so many beats (a chart says so); None: whatever is heard. Where a bar is known it stays."""
        metres, weights = self._heard_metres if beats_per_bar is None else ((beats_per_bar,), (1.0,))
        if metres != self._settings.metres:
            self._weigh_metres(metres, weights, due)

    def _weigh_metres(self, metres: tuple[int, ...], weights: tuple[float, ...], due: int) -> None:
        self._settings = replace(self._settings, metres=metres, metre_weights=weights)
        place = (due - 1 - self.downbeat) % self.metre
        self._filter = BarFilter(self._settings)
        self.metre, self.confidence = max(zip(weights, metres, strict=True))[1], 0.0
        if self.known:
            self._filter.set(place % self.metre)
            self.downbeat = due - 1 - place % self.metre

    # What is given

    def set_place(self, place: int, due: int) -> None:
        """The last beat that was judged is at that place of its bar."""
        self._filter.set(place)
        self.metre, place, self.confidence = self._filter.best()
        self.downbeat, self.known = due - 1 - place, True

    def keep_downbeat(self, beat: int, due: int) -> None:
        """The beats are those of another level, and that one was a downbeat before: likely it still is."""
        self._filter.reset()
        self.set_place(due - 1 - beat, due)
        self._filter.set((due - 1 - beat) % self.metre, self.metre, _KEPT)

    # What is heard

    def hear(self, heard: Heard, end_s: float, frame_s: float) -> None:
        """Keep what the frame that ends at `end_s` says of downbeats and chords."""
        count = len(heard.downbeat)
        self._downbeats[:-count] = self._downbeats[count:]
        self._downbeats[-count:, 0] = end_s - (np.arange(count, 0, -1) - 0.5) * frame_s / count
        self._downbeats[-count:, 1] = heard.downbeat
        self._turns.hear(heard.chord_root, end_s - frame_s / 2)

    def judge(self, due: int, at_s: float, before_s: float, trust: float, hits: float, given: bool) -> None:
        """Beat `due` was at `at_s`, the one before it at `before_s`. `given`: the bar is the musician's word."""
        near = np.abs(self._downbeats[:, 0] - at_s) < 0.05
        downbeat = float(self._downbeats[near, 1].max()) if near.any() else 0.0
        turn = self._turns.turn(before_s, at_s - before_s)
        self._filter.beat(downbeat, trust if near.any() else 0.0, turn, trust)
        if given:
            self.confidence = 1.0
            return
        metre, place, sure = self._filter.best()
        held = self._filter.of(self.metre, (due - self.downbeat) % self.metre)
        needed = self._settings.bar_switch if hits > 4 * self.metre else _EARLY_SURE
        if not self.known or (sure > needed and sure > held):
            self.metre, self.downbeat, self.known = metre, due - place, True
            held = sure
        self.confidence = held

    def count_from_first_note(self, beat: float, due: int, reach_beats: float) -> None:
        """Who begins, begins on a downbeat more often than elsewhere: weighed once, as soon as beats can be counted.
        `beat`: where the first note fell."""
        self.first_counted = True
        since = due - 1 - round(beat)
        if abs(beat - round(beat)) < reach_beats and 0 <= since <= _FIRST_BEATS:
            self._filter.began(since)
