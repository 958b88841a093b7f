"""The conductor: knows at which musical moment any sample of the clock is heard, now and a little ahead.

Knows neither models nor sound cards: it is told what was heard, and is asked for moments. Positions are samples of
the input clock at the host rate, and may be fractional. Every method belongs to the inference thread alone.
"""

from __future__ import annotations

import math
from typing import Protocol

from .chord_loop import ChordTracker
from .config import ConfigError
from .player import Heard, Moment
from .taps import Taps
from .timeline import Point, Timeline
from .tracker import Tracker
from .tracking import Anchor, ConductorConfig, TimeSource

__all__ = ["Anchor", "Conducting", "Conductor", "ConductorConfig", "GridConductor", "TimeSource"]

_IDLE_BPM = 120.0  # the tempo that time runs at before anything is known


class Conducting(Protocol):
    """What the worker asks of a conductor. Inference thread only."""

    def hear(self, heard: Heard, end_position_samples: float, frame_samples: float) -> None:
        """Take in one frame: it covers [end - frame_samples, end) of the input clock, host samples.

        `end_position_samples` is where the *described* frame ends: whoever calls has already taken off the
        listener's delay (`heard.delay_samples`, brought to the host rate) and that of the resampler.
        """
        ...

    def tap(self, position_samples: float) -> None: ...

    def moment(self, position_samples: float) -> Moment: ...

    def bar_samples(self) -> int:
        """Length of a bar in host samples; 0 while no bar is known."""
        ...

    def bar_count(self, position_samples: float) -> int:
        """Number of the bar that holds the position; the first one is 0. Negative before it."""
        ...

    def reset(self) -> None: ...


class GridConductor:
    """An exact, endless grid: for tests, clicks and fixed tempi. Hears nothing; taps leave it as it is.

    Raises ConfigError where the grid cannot be.
    """

    def __init__(self, tempo_bpm: float, beats_per_bar: int, rate_hz: float, first_beat_position: float = 0.0) -> None:
        if not (tempo_bpm > 0 and beats_per_bar >= 1 and rate_hz > 0):
            raise ConfigError(f"no grid at {tempo_bpm} bpm, {beats_per_bar} beats a bar, {rate_hz} Hz: give them > 0")
        self.tempo_bpm = float(tempo_bpm)
        self.beats_per_bar = int(beats_per_bar)
        self.first_beat_position = float(first_beat_position)
        self._beat_samples = 60.0 * rate_hz / tempo_bpm

    def hear(self, heard: Heard, end_position_samples: float, frame_samples: float) -> None:
        """A grid has no ears."""

    def tap(self, position_samples: float) -> None:
        """A grid does not move."""

    def reset(self) -> None:
        """A grid has nothing to forget."""

    def moment(self, position_samples: float) -> Moment:
        beats = (position_samples - self.first_beat_position) / self._beat_samples
        bars = beats / self.beats_per_bar
        return Moment(
            beat_phase=_fraction(beats),
            bar_phase=_fraction(bars),
            tempo_bpm=self.tempo_bpm,
            beats_per_bar=self.beats_per_bar,
            confidence=1.0,
        )

    def bar_samples(self) -> int:
        return round(self._beat_samples * self.beats_per_bar)

    def bar_count(self, position_samples: float) -> int:
        beats = (position_samples - self.first_beat_position) / self._beat_samples
        return math.floor(beats / self.beats_per_bar)


class Conductor:
    """Follows the musician: beat, bar and chord, as a moment that can be asked for ahead of time.

    In this order, whatever has an answer is followed: sources given to `follow`, then taps and the listener's beat
    together. Without any, time runs at the expected tempo.
    """

    def __init__(
        self,
        rate_hz: float,
        tempo_bpm: float | None = None,
        listen: bool = True,
        config: ConductorConfig | None = None,
    ) -> None:
        """`tempo_bpm` is the tempo expected at first; without `listen` it is kept exactly, until taps say otherwise.

        Raises ConfigError for a rate or a tempo that cannot be.
        """
        if not rate_hz > 0:
            raise ConfigError(f"sample rate {rate_hz} Hz: give one above 0")
        self.config = config or ConductorConfig()
        low, high = self.config.lowest_bpm, self.config.highest_bpm
        if tempo_bpm is not None and not 20.0 <= tempo_bpm <= 400.0:
            raise ConfigError(f"tempo {tempo_bpm} bpm: give one from 20 to 400")
        inside = tempo_bpm is None or low <= tempo_bpm <= high
        self.rate_hz = float(rate_hz)
        self._tempo_bpm = tempo_bpm
        self._listen = listen and inside
        self._tracker = Tracker(self.config, self.rate_hz, tempo_bpm if inside else None)
        self._taps = Taps(self.config, self.rate_hz)
        self._chords = ChordTracker(self.config)
        self._sources: tuple[TimeSource, ...] = ()
        self.reset()

    def reset(self) -> None:
        """Forget everything heard and tapped. Sources stay."""
        self._tracker.reset()
        self._taps.reset()
        self._chords.reset()
        self._metre = self._tracker.beats_per_bar
        self._timeline = Timeline(self.config, self.rate_hz, self._metre)
        self._fixed: Anchor | None = None
        self._source: object = None
        self._heard_until = -math.inf
        self._confidence = 0.0
        self._found = False
        self._silent_s = 0.0
        self._playing = False

    def follow(self, *sources: TimeSource) -> None:
        """Follow these sources of time, the first that has an answer, before taps and listener."""
        self._sources = sources

    # What comes in

    def hear(self, heard: Heard, end_position_samples: float, frame_samples: float) -> None:
        """See Conducting.hear."""
        frame_s = frame_samples / self.rate_hz
        trust = min(max((float(heard.activity) - 0.2) / 0.3, 0.0), 1.0)
        self._hear_playing(float(heard.activity), frame_s)
        if self._listen:
            self._tracker.hear(heard, end_position_samples / self.rate_hz, frame_s)
        self._heard_until = float(end_position_samples)
        self._aim(self._heard_until)
        self._timeline.advance(self._heard_until)
        sounded = self._heard_until - frame_samples / 2 - self.config.chord_lag_s * self.rate_hz
        beat = self._timeline.at(sounded).beat
        if self._chords.hear(heard.chord_root, heard.chord_pitch_classes, beat, self._metre, frame_s, trust):
            self._tracker.chord_changed((sounded - self.config.chord_time_s * 0.7 * self.rate_hz) / self.rate_hz)

    def tap(self, position_samples: float) -> None:
        """One tap of the tempo. Four in a row lock tempo, phase and downbeat (the first tap) at once."""
        anchor = self._taps.tap(position_samples)
        if anchor is None:
            return
        self._tracker.take(anchor)
        if not self._listen:
            self._fixed = self._tracker.anchor(position_samples)
        self._found = True
        self._aim(max(position_samples, self._timeline.end_samples), leap_beyond_beats=0.1)

    # What is told

    def moment(self, position_samples: float) -> Moment:
        """The musical moment of a position. Time told once is bound; far ahead it is a guess (`commit_ahead_s`)."""
        point = self._point(position_samples)
        chord = self._chords.ahead(point.beat)
        return Moment(
            beat_phase=_fraction(point.beat),
            bar_phase=point.bar_phase,
            tempo_bpm=self.tempo_bpm,
            beats_per_bar=point.beats_per_bar,
            confidence=self._confidence,
            chord_root=chord.root,
            chord_pitch_classes=chord.pitch_classes,
            # who has not found the beat yet holds back
            playing=self._playing and (self._found or not self._listen),
        )

    def beat_count(self, position_samples: float) -> float:
        """Beats since the first bar that was told began; grows evenly, never back."""
        return self._point(position_samples).beat

    def bar_count(self, position_samples: float) -> int:
        """Number of the bar that holds the position; the first one told is 0."""
        return self._point(position_samples).bar

    def bar_samples(self) -> int:
        """Length of the running bar in host samples; 0 while neither tempo nor bar is known."""
        if not self._found and self._tempo_bpm is None:
            return 0
        return round(self._metre * 60.0 / self.tempo_bpm * self.rate_hz)

    @property
    def tempo_bpm(self) -> float:
        target = self._timeline.target
        return target.tempo_bpm if target is not None else self._tempo_bpm or _IDLE_BPM

    @property
    def confidence(self) -> float:
        """How sure the phase is, in [0, 1], at the last frame heard."""
        return self._confidence

    @property
    def bar_confidence(self) -> float:
        """How sure the downbeat is, in [0, 1]."""
        return self._tracker.bar_confidence

    @property
    def locked(self) -> bool:
        """Whether a beat is held, from whatever source."""
        return self._found and self._confidence >= self.config.lost_confidence

    @property
    def chord_ahead_confidence(self) -> float:
        """How well the song has gone round so far, in [0, 1]; 0 while no loop is known and chords are only heard."""
        return self._chords.ahead_confidence

    @property
    def loop_bars(self) -> int:
        """Length of the loop that foretells chords; 0 while there is none."""
        return self._chords.loop_bars

    def key(self) -> tuple[int, bool, float]:
        """Tonic (0 is C), whether minor, and how clear that is, in [0, 1]."""
        return self._chords.key()

    # How it is done

    def _point(self, position_samples: float) -> Point:
        if not self._timeline.started:
            self._aim(position_samples)
        if position_samples <= max(self._heard_until, 0.0) + self.config.commit_ahead_s * self.rate_hz:
            self._timeline.advance(position_samples)
        return self._timeline.at(position_samples)

    def _aim(self, position_samples: float, leap_beyond_beats: float | None = None) -> None:
        """Choose the source, bend the timeline toward it, and leap where gliding would be wrong."""
        source, anchor = self._choose(position_samples)
        started, was_sure = self._timeline.started, self._confidence >= self.config.lost_confidence
        self._timeline.aim(anchor, same_source=source is self._source)
        self._source = source
        if anchor.beats_per_bar:
            self._metre = anchor.beats_per_bar
        off = abs(self._timeline.error_beats())
        sure = anchor.confidence >= self.config.lost_confidence
        if (leap_beyond_beats is not None and off > leap_beyond_beats) or (started and sure and not self._found):
            self._timeline.leap(at_downbeat=False)
        elif started and sure and not was_sure and off > 0.1:
            self._timeline.leap(at_downbeat=True)
        elif off < 0.05 or self._confidence >= self.config.sure_confidence:
            self._timeline.stop_leap()
        self._found = self._found or sure
        agreement = math.exp(-0.5 * (self._timeline.error_beats() / 0.15) ** 2)
        self._confidence = min(max(anchor.confidence * agreement, 0.0), 1.0)

    def _choose(self, position_samples: float) -> tuple[object, Anchor]:
        for source in self._sources:
            anchor = source.anchor(position_samples)
            if anchor is not None:
                return source, anchor
        anchor = self._tracker.anchor(position_samples) if self._listen else None
        if anchor is not None:
            return self._tracker, anchor
        if self._fixed is None:
            sure = 0.0 if self._listen else 1.0
            tempo_bpm = self._tempo_bpm or _IDLE_BPM
            self._fixed = Anchor(position_samples, 0.0, tempo_bpm, sure, self._metre, 0)
        return self, self._fixed

    def _hear_playing(self, activity: float, frame_s: float) -> None:
        config = self.config
        if activity >= config.activity_on:
            self._playing, self._silent_s = True, 0.0
        elif activity < config.activity_off:
            self._silent_s += frame_s
            bar_s = self.bar_samples() / self.rate_hz
            if self._silent_s > (config.hold_bars * bar_s if bar_s else config.hold_s):
                self._playing = False


def _fraction(x: float) -> float:
    """x modulo 1, never 1 itself (which rounding could give just below a whole number)."""
    part = x - math.floor(x)
    return part if part < 1.0 else 0.0
