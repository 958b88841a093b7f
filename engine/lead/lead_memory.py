"""What the lead plays, on the grid of bars: attacks with their strength, level by half-beats; and what comes next.

Songs repeat. Where the last bars are like those of 1, 2, 4 or 8 bars before, what followed then is expected now, as
surely as they are alike. Knows the listener's answers and musical time; knows no band. Inference thread only.
"""

from __future__ import annotations

import math
from collections import deque
from collections.abc import Callable
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from ..player import Heard
from ..position import Point

LAGS_BARS = (1, 2, 4, 8)
STEPS = 4
"""Steps of a beat, by which bars are compared."""
ONSET = 0.4
"""So likely an onset is an attack."""
APART_S = 0.06
"""Two attacks are at least so far apart: a strum is one."""
USUAL_ATTACKS = 24
"""An attack is held against the middle one of so many."""
ACCENT_DB, FULL_ACCENT_DB = 1.0, 4.5
"""An attack this much stronger than the middle one is the beginning of an accent, and this much stronger a full one."""
EARLY_BEATS = 0.12
"""Who begins so little before a bar line means the bar behind it."""
PLAYS = 0.3
"""Where the listener thinks it less likely than this that anybody plays, what sounds is noise."""
SILENT_DB, SILENT_BELOW_DB = -65.0, 22.0
"""A frame is silent below this level (dBFS), or so far below what is usual."""
SLOW_S, LONG_S = 12.0, 45.0
"""What is usual is that of so long; what the dynamics of a song are held against, of so long."""
FLOOR_DB = -120.0
RISE_S, FALL_S = 0.3, 0.45
"""The level now rises and falls so quickly; it rests with the lead."""
LEAST_ATTACKS = 6
"""Fewer in two bars are no figure that could come back."""
KEPT_BARS = 20
REGISTER_S, LEAST_LINE, WIDEST_REGISTER = 4.0, 0.6, 19
"""A melody's register is that of so long; of what was played then so much must be single notes, and no further apart
(semitones)."""
LEAST_LINE_FRAMES = 25

Peek = Callable[[float], Point]
FloatArray = NDArray[np.float64]


class Attack(NamedTuple):
    """A note or chord of the lead. Any thread."""

    beat: float
    """Of its bar."""
    level_db: float
    accent: float
    """0 as strong as most, 1 a full accent."""


class Expected(NamedTuple):
    """What is expected of a stretch of time. Any thread."""

    strikes: bool
    """Whether something began in it."""
    accent: float
    """Of the strongest attack in it, 0 to 1."""
    at: float
    """Where it is, as a share of the stretch."""
    silent: bool
    """Whether nothing sounded there."""
    likeness: float
    """How surely, 0 to 1."""


NOTHING_EXPECTED = Expected(False, 0.0, 0.0, False, 0.0)


class LeadBar:
    """One bar of the lead. Inference thread only."""

    def __init__(self, beats: int) -> None:
        self.beats = beats
        self.attacks: list[Attack] = []
        self.loudest_db = np.full(STEPS * beats, FLOOR_DB)
        """Of each step."""
        self._vector: FloatArray | None = None

    def add(self, attack: Attack) -> None:
        self.attacks.append(attack)
        self._vector = None

    def vector(self) -> FloatArray:
        """[beats * STEPS]: attacks, the stronger the larger."""
        if self._vector is None:
            made = np.zeros(self.beats * STEPS)
            for attack in self.attacks:
                step = round(attack.beat * STEPS) % len(made)
                made[step] = max(made[step], 0.4 + attack.accent)
            self._vector = made
        return self._vector


class LeadMemory:
    """Of one run. Inference thread only."""

    def __init__(self, rate_hz: float) -> None:
        self._rate_hz = rate_hz
        self.reset()

    def reset(self) -> None:
        """Nothing was heard."""
        self._bars: dict[int, LeadBar] = {}
        self._starts: dict[int, float] = {}
        self._strengths: deque[float] = deque(maxlen=USUAL_ATTACKS)
        self._spacings: deque[float] = deque(maxlen=USUAL_ATTACKS // 2)
        self._onsets = np.zeros(0)
        self._levels: deque[tuple[float, float]] = deque(maxlen=8)
        self._last_attack = -math.inf
        self._played_s = 0.0
        self.usual_db = self.song_db = -120.0
        """The level of playing, over the last SLOW_S, and over the last LONG_S."""
        self.quick_db = -120.0
        """The level of playing now."""
        self._spread = 0.0
        self._lines: deque[int] = deque()
        self.silent_since: float | None = None
        """Input sample from which on nothing was heard; None: something is."""
        self.last_attack_beat = -math.inf
        """Absolute beat of the last attack."""
        self.heard_beat, self._heard_bar = -math.inf, 0
        """Until where the lead has been listened to: attacks are known up to there."""
        self._likeness: dict[tuple[int, int], tuple[int, float]] = {}

    @property
    def spread_db(self) -> float:
        """How far the level of playing is from that of the song, as a root of mean squares over LONG_S."""
        return math.sqrt(self._spread)

    @property
    def known(self) -> bool:
        """Whether the lead has played for a while."""
        return self._played_s > 2.0

    # ------------------------------------------------------------------------------------------------------ hear

    def hear(self, heard: Heard, end_samples: float, frame_samples: int, delay_samples: float, peek: Peek) -> None:
        """A frame whose listener's answer ends at `end_samples` of the input; its level is of `delay_samples` later."""
        level_end, level_db = end_samples + delay_samples, heard.level_db if heard.level_db > FLOOR_DB else FLOOR_DB
        self._levels.append((level_end, level_db))
        self._follow_level(level_db, heard.activity >= PLAYS, level_end, frame_samples, peek)
        onsets = np.asarray(heard.onset, np.float64)
        if not len(onsets):
            return
        self._follow_line(heard, frame_samples)
        point = peek(end_samples)
        self.heard_beat, self._heard_bar = point.beat, point.bar
        before, self._onsets = self._onsets, onsets
        if not len(before):
            return
        sub = frame_samples / len(onsets)
        row = np.concatenate([before[-1:], onsets])  # the last sub-frame of a frame is judged with the next one
        first = end_samples - frame_samples - sub
        for k in range(len(row) - 1):
            left = before[-2] if k == 0 and len(before) > 1 else row[k - 1] if k else 0.0
            position = first + (k + 0.5) * sub
            if row[k] >= ONSET and row[k] >= left and row[k] > row[k + 1]:
                self._attack(position, frame_samples, peek)

    def _attack(self, position: float, frame_samples: int, peek: Peek) -> None:
        if position - self._last_attack < APART_S * self._rate_hz:
            return
        near = [level for end, level in self._levels if 0.5 * frame_samples <= end - position < 2 * frame_samples]
        level_db = max(near, default=self.quick_db)
        if level_db < max(SILENT_DB, self.usual_db - SILENT_BELOW_DB):
            return
        self._last_attack = position
        point = peek(position)
        if 0.0 < point.beat - self.last_attack_beat < 2.0 * point.beats_per_bar:
            self._spacings.append(point.beat - self.last_attack_beat)
        self.last_attack_beat = point.beat
        usual = float(np.median(self._strengths)) if self._strengths else level_db
        if point.beat - point.bar_beat > point.beats_per_bar - EARLY_BEATS:
            point = point._replace(bar=point.bar + 1, bar_beat=point.bar_beat + point.beats_per_bar)
        accent = min(max((level_db - usual - ACCENT_DB) / (FULL_ACCENT_DB - ACCENT_DB), 0.0), 1.0)
        self._strengths.append(level_db)
        self._bar(point).add(Attack(max(0.0, point.beat - point.bar_beat), level_db, accent))

    def _follow_line(self, heard: Heard, frame_samples: int) -> None:
        """The notes of a melody, frame by frame where something is played; 0 for chords."""
        if self.silent_since is None:
            self._lines.append(heard.line_midi)
        while len(self._lines) > REGISTER_S * self._rate_hz / frame_samples:
            self._lines.popleft()

    @property
    def register(self) -> tuple[int, int] | None:
        """The lowest and highest note of the melody that is played; None for chords, and where it is everywhere."""
        notes = sorted(note for note in self._lines if note > 0)
        if not notes or len(notes) < LEAST_LINE * len(self._lines) or len(self._lines) < LEAST_LINE_FRAMES:
            return None
        low, high = notes[len(notes) // 10], notes[-1 - len(notes) // 10]
        return (low, high) if high - low <= WIDEST_REGISTER else None

    def _follow_level(self, level_db: float, plays: bool, end: float, frame_samples: int, peek: Peek) -> None:
        step_s = frame_samples / self._rate_hz
        silent = not plays or level_db < max(SILENT_DB, self.usual_db - SILENT_BELOW_DB)
        if silent:
            if self.silent_since is None:
                self.silent_since = end - frame_samples
        else:
            self.silent_since = None
            self._played_s += step_s
            share = step_s / min(self._played_s, SLOW_S)
            known = self.usual_db > -100.0
            self.usual_db = _mixed_db(self.usual_db, level_db, share) if known else level_db
            share = step_s / min(self._played_s, LONG_S)
            self.song_db = _mixed_db(self.song_db, level_db, share) if known else level_db
            seconds = RISE_S if level_db > self.quick_db else FALL_S
            self.quick_db = _mixed_db(self.quick_db, level_db, min(1.0, step_s / seconds))
            self._spread += share * ((self.quick_db - self.song_db) ** 2 - self._spread)
        point = peek(end - 0.5 * frame_samples)
        bar = self._bar(point)
        step = min(int(STEPS * (point.beat - point.bar_beat)), STEPS * bar.beats - 1)
        bar.loudest_db[step] = max(bar.loudest_db[step], FLOOR_DB if silent else level_db)

    def _bar(self, point: Point) -> LeadBar:
        bar = self._bars.get(point.bar)
        if bar is None or bar.beats != point.beats_per_bar:
            bar = self._bars[point.bar] = LeadBar(point.beats_per_bar)
            self._starts[point.bar] = point.bar_beat
            for old in [number for number in self._bars if number < point.bar - KEPT_BARS]:
                del self._bars[old]
                self._starts.pop(old, None)
            self._likeness.clear()
        return bar

    # ------------------------------------------------------------------------------------------------------ expect

    def expect(self, here: Point, there: Point) -> Expected:
        """What is to come between two points not heard yet, by what came after bars like the last two."""
        lag, likeness = self.likeness(here.bar)
        then = self._bars.get(here.bar - lag)
        if likeness <= 0.0 or then is None or there.beat <= here.beat:
            return NOTHING_EXPECTED
        first, length = here.beat - here.bar_beat, there.beat - here.beat
        inside = [attack for attack in then.attacks if 0.0 <= attack.beat - first < length]
        silent = then.loudest_db[min(int(STEPS * first), STEPS * then.beats - 1)] < self.usual_db - SILENT_BELOW_DB
        if not inside:
            return Expected(False, 0.0, 0.0, bool(silent), likeness)
        strongest = max(inside, key=lambda attack: attack.accent)
        return Expected(True, strongest.accent, (strongest.beat - first) / length, bool(silent), likeness)

    def likeness(self, bar: int) -> tuple[int, float]:
        """The lag in bars, and how alike the two bars before `bar`, and what is heard of it, are to those so many bars
        before."""
        heard = 0
        if bar == self._heard_bar and bar in self._bars:
            start = self.heard_beat - self.first_beat(bar)
            heard = max(0, int(start * STEPS))
        known = self._likeness.get((bar, heard))
        if known is not None:
            return known
        best = (0, 0.0)
        now = self._figure(bar, bar, heard)
        if now is not None:
            for lag in LAGS_BARS:
                then = self._figure(bar - lag, bar, heard)
                if then is not None and len(then) == len(now):
                    alike = float(now @ then) / math.sqrt(float(now @ now) * float(then @ then) + 1e-12)
                    if alike > best[1] + 0.02:
                        best = (lag, alike)
        self._likeness[bar, heard] = best
        return best

    def first_beat(self, bar: int) -> float:
        return self._starts.get(bar, self.heard_beat)

    def _figure(self, bar: int, of: int, heard: int) -> FloatArray | None:
        """Attacks of the two bars before, and of the first `heard` steps of the bar, which count double; None where too
        little was played. `of`: the bar that is compared."""
        two = [self._bars.get(number) for number in (bar - 2, bar - 1)]
        if two[0] is None or two[1] is None or len(two[0].attacks) + len(two[1].attacks) < LEAST_ATTACKS:
            return None
        rows = [two[0].vector(), two[1].vector()]
        own = self._bars.get(bar)
        if heard > 0 and own is not None and of - bar in (0, *LAGS_BARS):
            rows.append(1.4 * own.vector()[:heard])
        return np.concatenate(rows)

    def bar(self, number: int) -> LeadBar | None:
        """A bar as far as it was heard; None where it is not known (any more)."""
        return self._bars.get(number)

    @property
    def bars(self) -> list[int]:
        """The numbers of the bars that are known, oldest first."""
        return sorted(self._bars)

    @property
    def heard_bar(self) -> int:
        """The bar in which `heard_beat` is."""
        return self._heard_bar

    def alike(self, bar: int, then: int) -> float:
        """How alike the two bars before `bar` are to the two before `then`; 0 where too little was played."""
        a, b = self._figure(bar, bar, 0), self._figure(then, bar, 0)
        if a is None or b is None or len(a) != len(b):
            return 0.0
        return float(a @ b) / math.sqrt(float(a @ a) * float(b @ b) + 1e-12)

    def attack_beats(self, bar: int) -> list[float]:
        """Where the attacks of a bar are."""
        known = self._bars.get(bar)
        return [] if known is None else [attack.beat for attack in known.attacks]

    def silent_for_bars(self, point: Point) -> bool:
        """Whether nothing began for two bars: that is a rest, and no gap."""
        return min(point.beat, self.heard_beat) - self.last_attack_beat > 2.0 * point.beats_per_bar

    @property
    def usual_beats(self) -> float:
        """From one attack to the next, the middle of the last ones; 0 where there are few."""
        return float(np.median(self._spacings)) if len(self._spacings) >= 4 else 0.0

    def rate(self, point: Point, bars: int = 2) -> float:
        """Attacks a beat over the whole bars before that point; 0 where they are not known."""
        known = [self._bars[n] for n in range(point.bar - bars, point.bar) if n in self._bars]
        beats = sum(bar.beats for bar in known)
        return sum(len(bar.attacks) for bar in known) / beats if len(known) == bars else 0.0


def _mixed_db(a_db: float, b_db: float, share: float) -> float:
    """The level of both together, by power."""
    a, b = 10.0 ** (a_db / 10.0), 10.0 ** (b_db / 10.0)
    return 10.0 * math.log10(a + (b - a) * share + 1e-12)
