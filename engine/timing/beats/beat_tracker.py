"""Beat tracking as a time source: filters and bars combined, and when the beat counts as locked or lost.

Knows no output clock and no band. Times are seconds of the input clock. Inference thread only.
"""

from __future__ import annotations

import math
from dataclasses import replace

from ...player import Heard
from ...style_priors import StylePrior
from ..anchor import Anchor
from ..conductor_settings import ConductorConfig
from .bar_counter import BarCounter
from .bar_pointer import BeatFilter, HeldTempo, Reading
from .beat_grid import CELLS
from .beat_kalman import BeatKalman, Peak, PeakFinder
from .given_count import GivenCount, reading_of_taps
from .held.beat_support import BeatSupport
from .held.waiting import FirstNote, WaitingReading
from .long_memory.long_memory import Held, LongMemory
from .metrical_readings import MetricalReading, level_between
from .rival_readings import RivalReadings
from .tapped_line import TappedLine
from .tempo_change import NewTempo, TempoChangeDetector

_SAME_TEMPO = 0.05  # natural log
_SETTLE_S = 0.07  # how long after a beat its peak is surely told
_NEAR_THIRD = 0.24  # of a third of a beat
_NEAR = 0.12  # of a beat that was given: what is heard may be no further from it
_OFF_BEAT = 0.3  # further from a beat than this one is between two
_GIVEN_CONFIDENCE = 0.9


class BeatTracker:
    """Follows beats and bars in what is heard. `anchor` is the present answer. Inference thread only."""

    def __init__(self, config: ConductorConfig, rate_hz: float, tempo_bpm: float | None = None) -> None:
        self._config = config
        self._rate_hz = rate_hz
        self._tempo_bpm = tempo_bpm
        self._filter = BeatFilter(config.tempo, config.beat_filter)
        self._bars = BarCounter(config.bars, config.chords.chord_lag_s)
        self._peaks = PeakFinder(config.kalman.peak_threshold, config.beat_filter.level_least)
        self._run = TempoChangeDetector(config.tempo_change)
        self._rivals = RivalReadings(config.readings, config.chords.chord_lag_s)
        self._off_beat = self._triplets = False
        self._tapped = TappedLine(config, rate_hz)
        self._long = LongMemory(config)
        self._support = BeatSupport(config.lock)
        self.reset()

    def reset(self) -> None:
        self._filter.reset()
        if self._tempo_bpm is not None:
            self._filter.expect(self._tempo_bpm)
        self._bars.reset()
        self._peaks.reset()
        self._first_note = FirstNote()
        self._line: BeatKalman | None = None
        self._time_s = 0.0
        self.locked = False
        self._rivals.reset()
        self._long.reset()
        self._given = GivenCount()
        self._tapped.reset()
        self._chosen = False  # whether the line is one of the rival readings, against the filter
        self._waiting = WaitingReading()
        self._bound_hz = self._tempo_bpm / 60.0 if self._tempo_bpm else None  # the octave that was asked for
        self._forget_hits()

    def _forget_hits(self) -> None:
        self._support.forget()
        self._rival_beats = 0.0  # how long another reading has been stronger
        self._due = 0
        self._run.reset()

    @property
    def beats_per_bar(self) -> int:
        return self._bars.metre

    @property
    def bar_confidence(self) -> float:
        """How sure the downbeat is, in [0, 1]."""
        return self._bars.confidence

    @property
    def beats_met(self) -> float:
        """Beats that were heard where the line has them, since the line was given or found."""
        return self._support.hits

    def expect(self, tempo_bpm: float | None) -> None:
        """Expect another tempo; a line that runs at another one is let go."""
        self._tempo_bpm = tempo_bpm
        self._bound_hz = tempo_bpm / 60.0 if tempo_bpm else None
        self._given.take_back()
        self._tapped.forget()
        line = self._line
        if tempo_bpm is None and self.locked:
            return
        if tempo_bpm is not None and line is not None and abs(math.log(line.rate_hz * 60.0 / tempo_bpm)) < _SAME_TEMPO:
            return
        self._filter.reset()
        self._filter.expect(tempo_bpm)
        self._line, self.locked, self._chosen = None, False, False
        self._waiting.ask(None)
        self._rivals.reset()
        self._forget_hits()

    def expect_style(self, style_prior: StylePrior | None) -> None:
        """Lean towards the tempi and metres of a style; None: any are as likely as any. What runs goes on."""
        self._filter.lean(style_prior)
        self._rivals.expect_style(style_prior)
        self._off_beat = style_prior is not None and style_prior.off_beat
        self._triplets = style_prior is not None and style_prior.triplets
        self._bars.expect_style(style_prior, self._due)

    def expect_metre(self, beats_per_bar: int | None) -> None:
        """All bars have so many beats (a chart says so); None: whatever is heard. Where a bar is known it stays."""
        self._bars.expect_metre(beats_per_bar, self._due)

    @property
    def confidence(self) -> float:
        """How sure level and phase are, in [0, 1]: how well the line is met, and how far ahead of its rivals it is."""
        if self._given.count:
            return _GIVEN_CONFIDENCE * max(0.0, 1.0 - self._given.rest_s / self._config.lock.given_rest_s)
        return self._met_confidence * self._rivals.held_share(self._long.place_nats) ** 0.5

    @property
    def _met_confidence(self) -> float:
        """Belief in this line, beats met lately, peaks elsewhere, and silence."""
        if self._line is None:
            return 0.0
        near = self._filter.near(self._line.rate_hz, self._line.beat).mass
        if self._chosen:
            near = max(near, self._rivals.held_share(self._long.place_nats))
        return self._support.confidence(near, self._line.error_s, self._bars.metre)

    def anchor(self, position_samples: float) -> Anchor | None:
        """See TimeSource; None until anything like a beat was heard."""
        line = self._line
        if line is None:
            return None
        place = self._bars.place_of(math.floor(line.beat))
        return Anchor(
            line.time_s * self._rate_hz, line.beat, line.rate_hz * 60.0, self.confidence, self._bars.metre, place
        )

    def take(self, anchor: Anchor, by_hand: bool) -> None:
        """Believe another source at once: its tempo, its phase and, if it knows, its bar. `by_hand`: the musician's."""
        time_s = max(self._time_s, anchor.position_samples / self._rate_hz)
        anchor, line = self._tapped.take(anchor, self._line, by_hand, time_s)
        self._filter.set(line.rate_hz, line.beat_at(self._time_s - self._tapped.late_s), 0.03)
        self._move_to(line)
        self._forget_hits()
        self._due = math.ceil(line.beat)
        self._support.trust(0.8, self._config.lock.lock_hits)
        self.locked, self._bound_hz = True, line.rate_hz
        if anchor.beat_in_bar >= 0:
            self._bars.set_place(anchor.beat_in_bar + self._due - 1 - math.floor(anchor.beat), self._due)
        self._given.take_back()
        if by_hand:
            self._given.give(bar=anchor.beat_in_bar >= 0)
        self._chosen = False
        self._waiting.ask(None)
        self._bars.first_counted = True

    def choose(self, anchor: Anchor) -> bool:
        """Two or three taps choose a reading of the held line; where none is held they say near which tempo and
        phase to listen. True if the line has moved."""
        line, rate_hz = self._line, anchor.tempo_bpm / 60.0
        self._tapped.few(anchor, line if self.locked else None, self.confidence)
        if line is None or not self.locked:
            self._filter.set(rate_hz, anchor.beat_at(self._time_s * self._rate_hz, self._rate_hz), 0.06, 0.06)
            self._bound_hz = rate_hz
            return False
        at_tap = line.beat_at(anchor.position_samples / self._rate_hz)
        reading = reading_of_taps(at_tap, line.rate_hz, rate_hz, anchor.beat % 1.0)
        self.take(replace(anchor, beat=reading.phase, tempo_bpm=reading.rate_hz * 60.0, beat_in_bar=-1), True)
        return True

    def shift_half(self) -> None:
        """The beats are half a beat beside where they were held."""
        if self._line is not None:
            self._take_reading(self._line.beat + 0.5, self._line.rate_hz)
            self._given.give()

    def scale(self, factor: float) -> None:
        """Count so many times as fast, from the next bar line on."""
        if self._line is not None:
            period = round(CELLS / factor)
            self._waiting.ask(MetricalReading(period, self._bars.downbeat * CELLS % period))
            self._given.give()

    def this_is_one(self, at_s: float) -> None:
        """The beat nearest to that moment is a downbeat; between two beats it says that the beats stand there."""
        if self._line is None:
            return
        beat = self._line.beat_at(at_s)
        if abs(beat - round(beat)) > _OFF_BEAT:
            self.shift_half()
            beat += 0.5
        self._bars.set_place(self._due - 1 - round(beat), self._due)
        self._given.give(bar=True)

    def turn(self, position_samples: float, on_bar: bool) -> None:
        """A beat has been told, the first of a bar or not: what waits for a bar line may come now."""
        line = self._line
        if line is None:
            return
        number = round(line.beat_at(position_samples / self._rate_hz))
        wanted = self._waiting.due(number, on_bar, self._bars.metre)
        if wanted is not None:
            self._follow(wanted, number)

    def _follow(self, reading: MetricalReading, number: int) -> None:
        """Hold another reading from here on; beat `number` keeps its number."""
        line = self._line
        assert line is not None
        ahead = number + (line.beat - number) / reading.ratio
        phase = reading.phase_at(line.beat)
        self._take_reading(phase + round(ahead - phase), line.rate_hz / reading.ratio)
        self._chosen = not self._given.count
        self._waiting.ask(None)
        self._rivals.followed()
        if reading.period_cells != CELLS:
            self._bars.keep_downbeat(number, self._due)

    def _take_reading(self, beat: float, rate_hz: float) -> None:
        """Hold a line that has this beat now."""
        config = self._config
        self._tapped.settle()
        self._filter.set(rate_hz, beat % 1.0, 0.03)
        self._move_to(BeatKalman(config.kalman, self._time_s, beat, rate_hz, 0.03, 0.01))
        self._forget_hits()
        self._due = math.ceil(beat)
        self._support.trust(0.6, config.lock.inertia_beats[0])
        self.locked, self._bound_hz = True, rate_hz

    def _move_to(self, line: BeatKalman) -> None:
        """Hold another line; what the rival readings rest on moves along where its level is a relative."""
        old, self._line = self._line, line
        if old is None:
            return
        level = level_between(old.rate_hz, line.rate_hz)
        self._long.moved(level, line)
        if level is None:
            self._rivals.reset()
        else:
            self._rivals.recount(level, old.beat_at(line.time_s), line.beat)

    def hear(self, heard: Heard, end_s: float, frame_s: float) -> None:
        """Take in the frame that ends at `end_s`."""
        trust = min(max((float(heard.activity) - 0.2) / 0.3, 0.0), 1.0)
        freedom = max(trust, 0.03)  # who rests keeps time with the band
        line, asked_hz = self._line, self._tempo_bpm / 60.0 if self._tempo_bpm else None
        self._time_s = end_s
        if trust > 0:
            self._first_note.hear(heard, end_s, frame_s)
        self._bars.hear(heard, end_s, frame_s)
        if self._given.hear(trust, frame_s, self._config.lock.given_rest_s):
            self._support.hits, self._bound_hz = 0.0, None
            self._tapped.forget()
        if line is not None:
            line.move(end_s, freedom)
            self._rivals.hear(heard, line.beat_at(end_s - frame_s), line.beat, line.rate_hz, trust, asked_hz)
            if self.locked and not self._given.count and self._rivals.wanted not in (None, self._waiting.reading):
                self._waiting.ask(self._rivals.wanted)
        some, full = self._config.lock.inertia_beats
        inertia = min(max((self._support.hits - some) / (full - some), 0.0), 1.0)
        held_hz = line.rate_hz if line is not None and self.locked else None
        if self._bound_hz is not None:
            held_hz, inertia = held_hz or self._bound_hz, self._config.lock.bound_inertia
        lean = 0.0 if self._bound_hz is not None else 1.0 if held_hz is None else 1.0 - min(inertia, 1.0)
        held = None if held_hz is None else HeldTempo(held_hz, inertia)
        self._filter.hear(heard.beat, frame_s, trust, held, getattr(heard, "tempo", None), lean, heard.onset)
        for peak in map(self._tapped.hear, self._peaks.hear(heard.beat, end_s, frame_s)):
            if self._line is not None and trust > 0:
                self._meet(self._line, peak)
        self._seek(self._filter.best(), frame_s)
        self._long.hear(heard, self._filter.evidence, frame_s, trust, end_s, Held(self._line, self.locked, asked_hz))
        self._look_back()
        self._count_beats(end_s, trust)

    def _meet(self, line: BeatKalman, peak: Peak) -> None:
        """Let a peak bend the line, and count it for the beat that is due or as a stray."""
        beat = line.beat_at(peak.time_s)
        self._given.meet(beat % 1.0, peak.height)
        between = self._off_beat or ((self._given.count or self._chosen) and self._given.played_between)
        middle = between and abs(beat % 1.0 - 0.5) < 0.25  # as good as a beat, where one strikes there
        met, number = line.meet(peak, 0.5 if middle else 0.0)
        if self._tapped.kept:
            self._line = self._tapped.meet(line, (beat - number - 0.5 * middle) / line.rate_hz, met, peak.time_s)
        if number + middle == self._due:  # the beat before a middle has been judged
            self._support.meet(met)
        follows = self.locked and not middle and not self._given.count
        found = self._run.hear(peak, met, number, line.rate_hz) if follows else None
        if found is not None:
            self._change_tempo(found)
            return
        third = round(3.0 * beat)
        if self._triplets and third % 3 and abs(3.0 * beat - third) < _NEAR_THIRD:
            return
        self._support.stray(peak.height, met)

    def _change_tempo(self, found: NewTempo) -> None:
        """Another line, in the same count of beats; the filter comes to it by itself."""
        self._long.tempo_changed()
        rate_hz = found.rate_hz
        self._line = BeatKalman(self._config.kalman, found.time_s, found.beat, rate_hz, 0.02 * rate_hz, 0.03)
        self._line.move(self._time_s, 1.0)
        self._rival_beats = 0.0

    def _seek(self, best: Reading, frame_s: float) -> None:
        """Seed the line where the filter is sure, or move it where the filter has come to believe otherwise."""
        config, line = self._config, self._line
        if line is None:
            if best.mass > 0.5 * config.lock.lock_mass:
                self._seed(best)
            return
        best = replace(best, phase=(best.phase + self._tapped.late_s * best.rate_hz) % 1.0)
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
        patience = self._patience_beats(best, line, far, abs(away))
        if best.mass < (0.8 if far else 0.5) or (far and self._bound_hz is not None):
            self._rival_beats = max(0.0, self._rival_beats - frame_s * line.rate_hz)
            return
        self._rival_beats += frame_s * line.rate_hz
        if self._rival_beats > patience:
            self._seed(best, keep_lock=not far)

    def _look_back(self) -> None:
        """Move where many bars together say that the beats are others, or half a beat beside."""
        line = self._line
        if line is None or self._given.count or self._tapped.kept or self._off_beat:
            return
        steady = self._long.steady_beside
        if steady is not None:
            self._filter.set(steady.rate_hz, steady.phase, 0.03)
            self._seed(steady)
        elif self._long.beside and self.locked:
            self._take_reading(line.beat + 0.5, line.rate_hz)
            self._given.turn_over()
            self._chosen = True

    def _patience_beats(self, best: Reading, line: BeatKalman, far: bool, away_beats: float) -> float:
        """How long the filter must insist on another line before it is followed."""
        lock, settings = self._config.lock, self._config.readings
        apart = abs(math.log(best.rate_hz / line.rate_hz))
        far_off = apart > settings.bound_ratio or away_beats > _NEAR
        if self._tapped.kept or (self._given.count and far_off):
            return math.inf
        usual = lock.switch_beats if far else lock.rival_patience_beats
        if not far and self._long.keeps(best, line, self._chosen):
            return math.inf
        doubted = self._rivals.doubts(line.rate_hz / best.rate_hz, best.phase, line.beat)
        return usual if not doubted else math.inf if self._chosen else usual + settings.patience_beats

    def _seed(self, reading: Reading, keep_lock: bool = False) -> None:
        old = self._line
        count = round(old.beat - reading.phase) if old is not None else 0
        beat, error = reading.phase + count, max(reading.phase_spread, 0.01)
        self._move_to(BeatKalman(self._config.kalman, self._time_s, beat, reading.rate_hz, error, 0.02))
        self._rival_beats, self._chosen = 0.0, False
        self._waiting.ask(None)
        if keep_lock:
            self._long.tempo_changed()
            return
        same_tempo = old is not None and abs(math.log(reading.rate_hz / old.rate_hz)) < 0.1
        if old is None or not same_tempo:
            self._forget_hits()
            self._bars.forget()
            self.locked = False
        self._due = math.ceil(beat)

    def _count_beats(self, end_s: float, trust: float) -> None:
        """Judge every beat whose peak must have come by now, and move the bars on."""
        config, line = self._config, self._line
        if line is None:
            return
        while line.beat_at(end_s - _SETTLE_S) >= self._due:
            self._support.judge(trust)
            at_s, before_s = line.time_of(self._due), line.time_of(self._due - 1)
            self._bars.judge(self._due, at_s, before_s, trust, self._support.hits, self._given.bar)
            self._long.beat(at_s)
            self._due += 1
        if not self.locked:
            sure = self._filter.near(line.rate_hz, line.beat).mass > config.lock.lock_mass
            self.locked = sure and self._support.hits >= config.lock.lock_hits
            if self.locked:
                self._support.share = max(self._support.share, 0.5)
                if not self._bars.first_counted and self._first_note.at_s is not None:
                    beat = line.beat_at(self._first_note.at_s)
                    self._bars.count_from_first_note(beat, self._due, config.kalman.gate_beats)
        elif not self._given.count and self._met_confidence < 0.5 * config.lock.lost_confidence and trust > 0.5:
            self.locked = self._chosen = False
            self._support.hits = 0.0
            self._waiting.ask(None)
            self._bound_hz = self._tempo_bpm / 60.0 if self._tempo_bpm else None
