"""Beat tracking as a time source: filters and bars combined, and when the beat counts as locked or lost.

Knows no output clock and no band. Times are seconds of the input clock. Inference thread only.
"""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np

from ...player import Heard
from ...style_priors import StylePrior
from ..anchor import Anchor
from ..conductor_settings import ConductorConfig
from .bar_pointer import BarFilter, BeatFilter, HeldTempo, Reading
from .beat_kalman import BeatKalman, Peak, PeakFinder
from .chord_change import ChordChangeDetector
from .tempo_change import NewTempo, TempoChangeDetector

_HISTORY = 64  # sub-frames of activation kept for the bars' evidence
_SAME_TEMPO = 0.05  # natural log
_SETTLE_S = 0.07  # how long after a beat its peak is surely told
_ONSET = 0.5  # activation from which a note has surely begun
_FIRST_BEATS = 16  # further back than this nobody counts to the first note
_NEAR_THIRD = 0.24  # of a third of a beat


class BeatTracker:
    """Follows beats and bars in what is heard. `anchor` is the present answer. Inference thread only."""

    def __init__(self, config: ConductorConfig, rate_hz: float, tempo_bpm: float | None = None) -> None:
        self._config = config
        self._plain = self._bar_settings = config.bars
        self._heard_metres = (config.bars.metres, config.bars.metre_weights)
        self._rate_hz = rate_hz
        self._tempo_bpm = tempo_bpm
        self._filter = BeatFilter(config.tempo, config.beat_filter)
        self._bars = BarFilter(config.bars)
        self._peaks = PeakFinder(config.kalman.peak_threshold, config.beat_filter.level_least)
        self._run = TempoChangeDetector(config.tempo_change)
        self._downbeats = np.zeros((_HISTORY, 2))  # time, activation
        self._turns = ChordChangeDetector(config.chords.chord_lag_s)
        self._off_beat = self._triplets = False
        self.reset()

    def reset(self) -> None:
        self._filter.reset()
        if self._tempo_bpm is not None:
            self._filter.expect(self._tempo_bpm)
        self._bars.reset()
        self._peaks.reset()
        self._downbeats[:] = 0.0
        self._downbeats[:, 0] = -1e9
        self._turns.reset()
        self._first_note_s: float | None = None
        self._line: BeatKalman | None = None
        self._time_s = 0.0
        self.locked = False
        self._bound_hz = self._tempo_bpm / 60.0 if self._tempo_bpm else None  # the octave that was asked for
        self._forget_hits()
        self._metre, self._downbeat, self.bar_confidence = self._bar_settings.metres[0], 0, 0.0
        self._metre = max(zip(self._bar_settings.metre_weights, self._bar_settings.metres, strict=True))[1]
        self._bar_known = self._first_counted = False

    def _forget_hits(self) -> None:
        self._hits = 0.0  # beats met since the line was seeded
        self._support = 0.0  # share of recent beats that were met
        self._quiet_beats = 0.0  # since a beat was last met
        self._rival_beats = 0.0  # how long another reading has been stronger
        self._met = 0.0  # how far the beat that is due was met
        self._due = 0
        self._stray = 0.0  # peaks beside the beats, for each beat, lately
        self._strays = 0.0  # since the last beat
        self._run.reset()

    @property
    def beats_per_bar(self) -> int:
        return self._metre

    @property
    def beats_met(self) -> float:
        """Beats that were heard where the line has them, since the line was given or found."""
        return self._hits

    def expect(self, tempo_bpm: float | None) -> None:
        """Expect another tempo; a line that runs at another one is let go."""
        self._tempo_bpm = tempo_bpm
        self._bound_hz = tempo_bpm / 60.0 if tempo_bpm else None
        line = self._line
        if tempo_bpm is None and self.locked:
            return
        if tempo_bpm is not None and line is not None and abs(math.log(line.rate_hz * 60.0 / tempo_bpm)) < _SAME_TEMPO:
            return
        self._filter.reset()
        self._filter.expect(tempo_bpm)
        self._line, self.locked = None, False
        self._forget_hits()

    def expect_style(self, style_prior: StylePrior | None) -> None:
        """Lean towards the tempi and metres of a style; None: any are as likely as any. What runs goes on."""
        bars, share = self._plain, self._plain.style_metre_share
        weights = bars.metre_weights
        if style_prior is not None:
            own = dict(style_prior.metres)
            total, own_total = sum(weights), sum(own.values())
            weights = tuple(
                (1 - share) * weight / total + share * own.get(metre, 0.0) / own_total
                for metre, weight in zip(bars.metres, weights, strict=True)
            )
        by_ear = self._bar_settings.metres == self._heard_metres[0]
        self._heard_metres = (bars.metres, weights)
        self._filter.lean(style_prior)
        self._off_beat = style_prior is not None and style_prior.off_beat
        self._triplets = style_prior is not None and style_prior.triplets
        if by_ear and self._bar_settings.metre_weights != weights:
            counted = self._metre, self._downbeat, self.bar_confidence
            self._weigh_metres(bars.metres, weights)
            if self._bar_known:  # a song that runs goes on as it was counted
                self._metre, self._downbeat, self.bar_confidence = counted
                self._bars.set((self._due - 1 - self._downbeat) % self._metre, self._metre)

    def expect_metre(self, beats_per_bar: int | None) -> None:
        """All bars have so many beats (a chart says so); None: whatever is heard. Where a bar is known it stays."""
        metres, weights = self._heard_metres if beats_per_bar is None else ((beats_per_bar,), (1.0,))
        if metres != self._bar_settings.metres:
            self._weigh_metres(metres, weights)

    def _weigh_metres(self, metres: tuple[int, ...], weights: tuple[float, ...]) -> None:
        self._bar_settings = replace(self._bar_settings, metres=metres, metre_weights=weights)
        place = (self._due - 1 - self._downbeat) % self._metre
        self._bars = BarFilter(self._bar_settings)
        self._metre, self.bar_confidence = max(zip(weights, metres, strict=True))[1], 0.0
        if self._bar_known:
            self._bars.set(place % self._metre)
            self._downbeat = self._due - 1 - place % self._metre

    @property
    def confidence(self) -> float:
        """How sure the phase is, in [0, 1]: belief in this reading, beats met lately, peaks elsewhere, and silence."""
        if self._line is None:
            return 0.0
        config = self._config
        near = self._filter.near(self._line.rate_hz, self._line.beat).mass
        met = min(max((self._support - 0.2) / 0.4, 0.0), 1.0)
        pure = min(max((self._support / (self._support + 0.3 * self._stray + 1e-6) - 0.4) / 0.4, 0.0), 1.0)
        quiet = max(0.0, self._quiet_beats - 2.0) / (config.lock.silence_bars * self._metre)
        sharp = min(1.0, 0.08 / max(self._line.error_s, 1e-3)) ** 0.5
        return min(1.0, near * 1.05) * met * pure * max(0.0, 1.0 - quiet) * sharp

    def anchor(self, position_samples: float) -> Anchor | None:
        """See TimeSource; None until anything like a beat was heard."""
        line = self._line
        if line is None:
            return None
        beat_in_bar = (math.floor(line.beat) - self._downbeat) % self._metre if self._bar_known else -1
        return Anchor(
            line.time_s * self._rate_hz, line.beat, line.rate_hz * 60.0, self.confidence, self._metre, beat_in_bar
        )

    def take(self, anchor: Anchor) -> None:
        """Believe another source at once (taps): its tempo, its phase and, if it knows, its bar."""
        time_s = max(self._time_s, anchor.position_samples / self._rate_hz)
        beat, rate_hz = anchor.beat_at(time_s * self._rate_hz, self._rate_hz), anchor.tempo_bpm / 60.0
        old = self._line
        count = round(old.beat_at(time_s) - beat) if old is not None else 0
        self._filter.set(rate_hz, beat - rate_hz * (time_s - self._time_s), 0.03)
        self._line = BeatKalman(self._config.kalman, time_s, beat + count, rate_hz, 0.02 * rate_hz, 0.015)
        self._forget_hits()
        self._due = math.ceil(self._line.beat)
        self._support, self._hits, self.locked = 0.8, self._config.lock.lock_hits, True
        self._bound_hz = rate_hz
        if anchor.beat_in_bar >= 0:
            last = self._due - 1
            place = anchor.beat_in_bar + last - (math.floor(anchor.beat) + count)
            self._bars.set(place % self._metre)
            self._metre, place, self.bar_confidence = self._bars.best()
            self._downbeat, self._bar_known = last - place, True
        self._first_counted = True

    def hear(self, heard: Heard, end_s: float, frame_s: float) -> None:
        """Take in the frame that ends at `end_s`."""
        trust = min(max((float(heard.activity) - 0.2) / 0.3, 0.0), 1.0)
        freedom = max(trust, 0.03)  # who rests keeps time with the band
        line = self._line
        self._time_s = end_s
        if self._first_note_s is None and trust > 0:
            began = np.flatnonzero(np.asarray(heard.onset) > _ONSET)
            if len(began):
                self._first_note_s = end_s - (1.0 - (began[0] + 0.5) / len(heard.onset)) * frame_s
        self._keep_downbeats(heard, end_s, frame_s)
        self._turns.hear(heard.chord_root, end_s - frame_s / 2)
        if line is not None:
            line.move(end_s, freedom)
        some, full = self._config.lock.inertia_beats
        inertia = min(max((self._hits - some) / (full - some), 0.0), 1.0)
        held_hz = line.rate_hz if line is not None and self.locked else None
        if self._bound_hz is not None:
            held_hz, inertia = held_hz or self._bound_hz, self._config.lock.bound_inertia
        lean = 0.0 if self._bound_hz is not None else 1.0 if held_hz is None else 1.0 - min(inertia, 1.0)
        tempo_vote = getattr(heard, "tempo", None)
        held = None if held_hz is None else HeldTempo(held_hz, inertia)
        self._filter.hear(heard.beat, frame_s, trust, held, tempo_vote, lean, heard.onset)
        for peak in self._peaks.hear(heard.beat, end_s, frame_s):
            if self._line is not None and trust > 0:
                self._meet(self._line, peak)
        self._seek(self._filter.best(), frame_s)
        self._count_beats(end_s, trust)

    def _meet(self, line: BeatKalman, peak: Peak) -> None:
        """Let a peak bend the line, and count it for the beat that is due or as a stray."""
        beat = line.beat_at(peak.time_s)
        middle = self._off_beat and abs(beat % 1.0 - 0.5) < 0.25  # as good as a beat, where the style strikes there
        met, number = line.meet(peak, 0.5 if middle else 0.0)
        if number + middle == self._due:  # the beat before a middle has been judged
            self._met = max(self._met, met)
        found = self._run.hear(peak, met, number, line.rate_hz) if self.locked and not middle else None
        if found is not None:
            self._change_tempo(found)
            return
        third = round(3.0 * beat)
        if self._triplets and third % 3 and abs(3.0 * beat - third) < _NEAR_THIRD:
            return
        self._strays += max(0.0, min(1.0, peak.height) - met)

    def _change_tempo(self, found: NewTempo) -> None:
        """Another line, in the same count of beats; the filter comes to it by itself."""
        self._line = BeatKalman(
            self._config.kalman, found.time_s, found.beat, found.rate_hz, 0.02 * found.rate_hz, 0.03
        )
        self._line.move(self._time_s, 1.0)
        self._rival_beats = 0.0

    def _seek(self, best: Reading, frame_s: float) -> None:
        """Seed the line where the filter is sure, or move it where the filter has come to believe otherwise."""
        config, line = self._config, self._line
        if line is None:
            if best.mass > 0.5 * config.lock.lock_mass:
                self._seed(best)
            return
        away = (best.phase - line.beat + 0.5) % 1.0 - 0.5
        apart = math.log(best.rate_hz / line.rate_hz)
        far = abs(apart) > config.beat_filter.near_ratio
        if not far and abs(away) < config.lock.rival_beats and abs(apart) < config.lock.rival_tempo:
            self._rival_beats = 0.0
            return
        if not self.locked:
            if best.mass > 0.4 * config.lock.lock_mass:
                self._seed(best)
            return
        if best.mass < (0.8 if far else 0.5) or (far and self._bound_hz is not None):
            self._rival_beats = max(0.0, self._rival_beats - frame_s * line.rate_hz)
            return
        self._rival_beats += frame_s * line.rate_hz
        if self._rival_beats > (config.lock.switch_beats if far else config.lock.rival_patience_beats):
            self._seed(best, keep_lock=not far)

    def _seed(self, reading: Reading, keep_lock: bool = False) -> None:
        old = self._line
        count = round(old.beat - reading.phase) if old is not None else 0
        phase_error = max(reading.phase_spread, 0.01)
        self._line = BeatKalman(
            self._config.kalman, self._time_s, reading.phase + count, reading.rate_hz, phase_error, 0.02
        )
        self._rival_beats = 0.0
        if keep_lock:
            return
        same_tempo = old is not None and abs(math.log(reading.rate_hz / old.rate_hz)) < 0.1
        if old is None or not same_tempo:
            self._forget_hits()
            self._bars.reset()
            self._bar_known = self._first_counted = self.locked = False
        self._due = math.ceil(self._line.beat)

    def _count_beats(self, end_s: float, trust: float) -> None:
        """Judge every beat whose peak must have come by now, and move the bars on."""
        config, line = self._config, self._line
        if line is None:
            return
        while line.beat_at(end_s - _SETTLE_S) >= self._due:
            share = 1.0 / config.lock.hit_memory_beats
            if trust > 0.5:
                self._support += share * (self._met - self._support)
                self._stray += share * (self._strays - self._stray)
            self._hits += self._met
            self._quiet_beats = 0.0 if self._met > 0.3 else self._quiet_beats + 1.0
            at_s = line.time_of(self._due)
            near = np.abs(self._downbeats[:, 0] - at_s) < 0.05
            downbeat = float(self._downbeats[near, 1].max()) if near.any() else 0.0
            turn = self._turns.turn(line.time_of(self._due - 1), 1.0 / line.rate_hz)
            self._bars.beat(downbeat, trust if near.any() else 0.0, turn, trust)
            self._choose_bar(self._due)
            self._met = self._strays = 0.0
            self._due += 1
        if not self.locked:
            sure = self._filter.near(line.rate_hz, line.beat).mass > config.lock.lock_mass
            self.locked = sure and self._hits >= config.lock.lock_hits
            if self.locked:
                self._support = max(self._support, 0.5)
                self._count_from_first_note(line)
        elif self.confidence < 0.5 * config.lock.lost_confidence and trust > 0.5:
            self.locked = False
            self._hits = 0.0
            self._bound_hz = self._tempo_bpm / 60.0 if self._tempo_bpm else None

    def _count_from_first_note(self, line: BeatKalman) -> None:
        """Who begins, begins on a downbeat more often than elsewhere: weighed once, as soon as beats can be counted."""
        if self._first_counted or self._first_note_s is None:
            return
        self._first_counted = True
        beat = line.beat_at(self._first_note_s)
        since = self._due - 1 - round(beat)
        if abs(beat - round(beat)) < self._config.kalman.gate_beats and 0 <= since <= _FIRST_BEATS:
            self._bars.began(since)

    def _choose_bar(self, beat: int) -> None:
        """Move the downbeat when the bars' filter has become sure of another place."""
        metre, place, sure = self._bars.best()
        held = self._bars.of(self._metre, (beat - self._downbeat) % self._metre)
        needed = self._bar_settings.bar_switch if self._hits > 4 * self._metre else 0.5
        if not self._bar_known or (sure > needed and sure > held):
            self._metre, self._downbeat, self._bar_known = metre, beat - place, True
            held = sure
        self.bar_confidence = held

    def _keep_downbeats(self, heard: Heard, end_s: float, frame_s: float) -> None:
        count = len(heard.downbeat)
        self._downbeats = np.roll(self._downbeats, -count, axis=0)
        self._downbeats[-count:, 0] = end_s - (np.arange(count, 0, -1) - 0.5) * frame_s / count
        self._downbeats[-count:, 1] = heard.downbeat
