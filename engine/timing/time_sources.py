"""Whom the conductor follows: transport, MIDI clock, taps or the listener's beat, the first that has an answer.

Knows the sources and no output: it gives anchors, and the conductor makes time of them. Positions are samples of the
input clock. Inference thread only.
"""

from __future__ import annotations

from ..commands import TIME_SOURCES
from ..errors import ConfigError
from ..position import Point
from .anchor import Anchor, TimeSource
from .beats.beat_tracker import BeatTracker
from .clocks.jack_transport import JackTransport
from .clocks.midi_clock_in import MidiClockIn
from .conductor_settings import ConductorConfig
from .tap_tempo import TapTempo

IDLE_BPM = 120.0
"""The tempo that time runs at before anything is known."""
_HEARD_BEATS = 4.0
"""So many beats heard where they were tapped, and it is the ear that is followed."""
_COASTING = 0.5
"""Confidence after a source of time has fallen silent: its time goes on unless something else is found."""


class Sources:
    """Everything that can say the time, and which of it is asked.

    TapTempo and the listener's beat are one source where none is chosen: taps set its line, hearing bends it gently.

    Inference thread only.
    """

    def __init__(self, config: ConductorConfig, rate_hz: float, tempo_bpm: float | None, listen: bool) -> None:
        """Raises ConfigError for a tempo that cannot be."""
        self._config = config
        self._rate_hz = rate_hz
        self._wants_to_listen = listen
        self._others: tuple[TimeSource, ...] = ()
        self.transport = JackTransport(rate_hz)
        self.clock = MidiClockIn(rate_hz)
        self.taps = TapTempo(config.taps, config.tempo, rate_hz)
        self.chosen = "auto"
        self.tempo_bpm: float | None = None
        self.tracker = BeatTracker(config, rate_hz, None)
        self.set_tempo(tempo_bpm)
        self.reset()

    def reset(self) -> None:
        """Forget everything heard, tapped and counted. Choice and expected tempo stay."""
        self.tracker.reset()
        self.taps.reset()
        self.clock.reset()
        self.transport.reset()
        self._tapped: Anchor | None = None
        self._fixed: Anchor | None = None
        self._led = False

    def follow(self, sources: tuple[TimeSource, ...]) -> None:
        """Ask these first."""
        self._others = sources

    def choose(self, name: str) -> None:
        """Ask only the one of that name; "auto": all in their order. Raises ConfigError for another name."""
        if name not in TIME_SOURCES:
            raise ConfigError(f"there is no source of time {name!r}: there are {', '.join(TIME_SOURCES)}")
        self.chosen = name

    def set_tempo(self, tempo_bpm: float | None) -> None:
        """Expect this tempo, None: any. Raises ConfigError for one that cannot be."""
        if tempo_bpm is not None and not 20.0 <= tempo_bpm <= 400.0:
            raise ConfigError(f"tempo {tempo_bpm} bpm: give one from 20 to 400")
        self.tempo_bpm = tempo_bpm
        inside = tempo_bpm is None or self._config.tempo.lowest_bpm <= tempo_bpm <= self._config.tempo.highest_bpm
        self.listen = self._wants_to_listen and inside
        self.tracker.expect(tempo_bpm if inside else None)
        self._fixed = self._tapped = None

    def tap(self, position_samples: float) -> bool:
        """One tap; True if it made a line that counts from now on."""
        anchor = self.taps.tap(position_samples)
        if anchor is None or self.chosen == "listener":
            return False
        self.begin(anchor)
        return True

    def begin(self, anchor: Anchor) -> None:
        """Somebody has given the time: let taps and ear go on from there."""
        self.tracker.take(anchor)
        self._tapped = anchor
        if not self.listen:
            self._fixed = self.tracker.anchor(anchor.position_samples)

    def leader(self, position_samples: float) -> tuple[TimeSource, Anchor] | None:
        """The first of transport, clock and the like that has an answer."""
        for source in (*self._others, self.transport, self.clock):
            name = getattr(source, "name", self.chosen)
            if self.chosen in ("auto", name):
                anchor = source.anchor(position_samples)
                if anchor is not None:
                    return source, anchor
        return None

    def anchor(self, position_samples: float, now: Point | None, metre: int) -> tuple[object, Anchor]:
        """Who is followed, and the line to follow. `now`: the end of what was told, from where time goes on alone."""
        led = self.leader(position_samples)
        if led is not None:
            self._fixed, self._led = None, True
            return led
        if self.chosen == "tap" and self._tapped is not None:
            return self.taps, self._tapped
        if self.listen and self.chosen in ("auto", "tap", "listener"):
            anchor = self.tracker.anchor(position_samples)
            if anchor is not None:
                self._fixed = None
                return self.tracker, anchor
        if self._fixed is None:
            tempo_bpm = self.tempo_bpm or IDLE_BPM
            sure = 1.0 if not self.listen else 0.0
            if now is None:
                self._fixed = Anchor(position_samples, 0.0, tempo_bpm, sure, metre, 0)
            else:
                place = int(now.beat // 1 - now.bar_beat)
                sure = max(sure, _COASTING if self._led else 0.0)
                self._fixed = Anchor(now.position_samples, now.beat, tempo_bpm, sure, now.beats_per_bar, place)
        return self, self._fixed

    def given_tempo_bpm(self) -> float | None:
        """The tempo that somebody has tapped or asked for; None where only the ear could tell."""
        if self._tapped is not None:
            return self._tapped.tempo_bpm
        return self.tempo_bpm

    def knows_bars(self, source: object) -> bool:
        """Whether a source is sure where bars begin, whatever is written: a transport, and those given to `follow`."""
        return source is not None and source not in (self, self.tracker, self.taps, self.clock)

    def name_of(self, source: object) -> str:
        """As Status.time_source has it; empty where nobody knows the time."""
        if source is self.taps:
            return "tap"
        if source is self.tracker:
            return "tap" if self._tapped is not None and self.tracker.beats_met < _HEARD_BEATS else "listener"
        if source is self or source is None:
            return ""
        return str(getattr(source, "name", ""))
