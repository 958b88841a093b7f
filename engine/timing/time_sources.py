"""Chooses the time source: transport, MIDI clock, taps or the beat tracker, the first that has an answer.

Knows the sources and no output: it gives anchors, and the conductor makes time of them. Positions are samples of the
input clock. Inference thread only.
"""

from __future__ import annotations

from dataclasses import replace

from ..commands import TIME_SOURCES, ScaleCount, ShiftHalfBeat, ThisIsOne
from ..errors import ConfigError
from ..fault_kinds import FaultKind
from ..position import Point
from .anchor import Anchor, StartedSource, TimeSource, changed
from .beats.beat_tracker import BeatTracker
from .clocks.jack_transport import JackTransport
from .clocks.link_clock import LinkClock
from .clocks.midi_clock_in import MidiClockIn
from .clocks.time_code import TimeCodeClock
from .conductor_settings import ConductorConfig
from .slowing import Slowing
from .tap_tempo import TapTempo

IDLE_BPM = 120.0
"""The tempo that time runs at before anything is known."""
_HEARD_BEATS = 4.0
"""So many beats heard where they were tapped, and it is the ear that is followed."""
_FIRST_MET_BEATS = 1.0
"""So many of its beats must be heard before the ear takes over a time that was given."""
_COASTING = 0.5
"""Confidence after a source of time has fallen silent: its time goes on unless something else is found."""
_ENDING_AHEAD_S = 0.25
"""The line of an ending is straight for as long as the band is ahead."""


_SAID = {
    "link": "the Link session",
    "transport": "the transport",
    "midi_clock": "the MIDI clock",
    "mtc": "the time code",
    "loop": "the loop",
}


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
        self._loops: tuple[StartedSource, ...] = ()
        self._loop_starts = 0  # of the loop, when somebody else led last
        self.transport = JackTransport(rate_hz)
        self.clock = MidiClockIn(rate_hz)
        """Of a device."""
        self.program_clock = MidiClockIn(rate_hz)
        """Of a program on the same sound server: its ticks stand for what it plays, not for when it was heard."""
        self.time_code = TimeCodeClock(rate_hz)
        self.playing = False
        """Whether the musician plays; the conductor says it."""
        self.taps = TapTempo(config.taps, config.tempo, rate_hz)
        self.chosen = "auto"
        self.tempo_bpm: float | None = None
        self.tracker = BeatTracker(config, rate_hz, None)
        self.slowing = Slowing(rate_hz)
        """The line of the ear while a song ends."""
        self.set_tempo(tempo_bpm)
        self.reset()

    def reset(self) -> None:
        """Forget everything heard, tapped and counted. Choice and expected tempo stay."""
        self.tracker.reset()
        self.taps.reset()
        for clock in self._clocks:
            clock.reset()
        self.transport.reset()
        self.time_code.reset()
        self._tapped: Anchor | None = None
        self._by_hand = False  # whether that line was tapped, not counted in
        self._hits_given = 0.0  # beats that the ear had met when a line was given to it
        self._ear = False  # whether the ear has taken over since the last time was given
        self._scale: ScaleCount | None = None  # waits for a bar line
        self._fixed: Anchor | None = None
        self._led_by: TimeSource | None = None
        self._led_bpm: float | None = None
        self._starts: dict[int, int] = {}  # of each who has led, as it was last seen
        self._jumped = False
        self._aside = False
        self.end_with_lead(False)

    @property
    def _clocks(self) -> tuple[MidiClockIn, MidiClockIn]:
        return self.clock, self.program_clock

    def follow(self, sources: tuple[TimeSource, ...]) -> None:
        """Ask these first."""
        self._others = sources

    def follow_loop(self, source: StartedSource) -> None:
        """Ask that one after all clocks, whichever source is chosen: a loop that plays is what everybody plays to."""
        self._loops = (source,)

    def choose(self, name: str) -> None:
        """Ask only the one of that name; "auto": all in their order. Raises ConfigError for another name."""
        if name not in TIME_SOURCES:
            raise ConfigError(f"there is no time source {name!r}: there are {', '.join(TIME_SOURCES)}")
        self.chosen = name

    def count_in(self, ticks_per_beat: int, position_samples: float) -> None:
        """A beat has so many ticks of a MIDI clock from there on, as the chart's metre says."""
        for clock in self._clocks:
            clock.count_in(ticks_per_beat, position_samples)

    def pass_gap(self, samples: int) -> None:
        """The port lost so many samples: clocks went on meanwhile."""
        for clock in self._clocks:
            clock.pass_gap(samples)

    def expect_metre(self, beats_per_bar: int) -> None:
        """Bars have so many beats from the next one on, in a tempo that was given, and for who knows no bars."""
        self.time_code.metre = beats_per_bar
        for source in self._others:
            if isinstance(source, LinkClock):
                source.expect_metre(beats_per_bar)
        if self._tapped is not None:
            self._tapped = replace(self._tapped, beats_per_bar=beats_per_bar, beat_in_bar=-1)
        if self._fixed is not None:
            self._fixed = replace(self._fixed, beats_per_bar=beats_per_bar, beat_in_bar=-1)

    def set_tempo(self, tempo_bpm: float | None) -> None:
        """Expect this tempo, None: any. Raises ConfigError for one that cannot be."""
        if tempo_bpm is not None and not 20.0 <= tempo_bpm <= 400.0:
            raise ConfigError(f"tempo {tempo_bpm} bpm: give one from 20 to 400")
        self.tempo_bpm = self.time_code.tempo_bpm = tempo_bpm
        inside = tempo_bpm is None or self._config.tempo.lowest_bpm <= tempo_bpm <= self._config.tempo.highest_bpm
        self.listen = self._wants_to_listen and inside
        self.tracker.expect(tempo_bpm if inside else None)
        self._fixed = self._tapped = None
        self._led_bpm = None
        self._ear, self._hits_given = False, 0.0

    def tap(self, position_samples: float) -> bool:
        """One tap; True if it made a line that counts from now on."""
        anchor = self.taps.tap(position_samples)
        if self.chosen == "listener":
            return False
        if anchor is None:
            few = self.taps.few() if self.listen else None
            if few is None or not self.tracker.choose(few):
                return False
            if self._tapped is not None:
                self._tapped = self.tracker.anchor(position_samples)
            return True
        self.begin(anchor, by_hand=True)
        return True

    def correct(self, command: ShiftHalfBeat | ScaleCount | ThisIsOne, position_samples: float) -> None:
        """What the musician says of the count. Raises ConfigError where the count is not theirs to change, or there is
        none yet."""
        led = self.leader(position_samples)
        if led is not None:
            said = _SAID.get(self.name_of(led[0]), "another clock")
            raise ConfigError(f"the count is that of {said}: change it there")
        by_ear = self.listen and self.chosen != "tap"
        line = self.tracker.anchor(position_samples) if by_ear else self._fixed or self._tapped
        if line is None:
            raise ConfigError("there is no beat yet to change: play, or tap it")
        if isinstance(command, ScaleCount):
            tempo_bpm, least, most = line.tempo_bpm * command.factor, 20.0, 400.0
            if by_ear:
                least, most = self._config.tempo.lowest_bpm, self._config.tempo.highest_bpm
            if not least <= tempo_bpm <= most:
                raise ConfigError(f"{tempo_bpm:.0f} beats a minute cannot be counted: {least:.0f} to {most:.0f} can")
            self._scale = command
        if by_ear:
            self._tell_tracker(command, position_samples)
        if not isinstance(command, ScaleCount):
            self._change(command, position_samples)

    def turn(self, position_samples: float, on_bar: bool) -> None:
        """A beat has been told, the first of a bar or not: another count begins there."""
        self.tracker.turn(position_samples, on_bar)
        if self._scale is not None and on_bar:
            self._change(self._scale, position_samples)
            self._scale = None

    def _change(self, command: ShiftHalfBeat | ScaleCount | ThisIsOne, position_samples: float) -> None:
        self._fixed = changed(self._fixed, command, position_samples, self._rate_hz)
        self._tapped = changed(self._tapped, command, position_samples, self._rate_hz)

    def _tell_tracker(self, command: ShiftHalfBeat | ScaleCount | ThisIsOne, position_samples: float) -> None:
        if isinstance(command, ShiftHalfBeat):
            self.tracker.shift_half()
        elif isinstance(command, ScaleCount):
            self.tracker.scale(command.factor)
        else:
            self.tracker.this_is_one(position_samples / self._rate_hz)

    def begin(self, anchor: Anchor, by_hand: bool = False, teach: bool = True) -> None:
        """Somebody has given the time: it holds until the ear has met it. `by_hand`: it was tapped; `teach`: the ear is
        to expect beats there."""
        if teach:
            self.tracker.take(anchor, by_hand)
        self._tapped, self._by_hand = anchor, by_hand
        self._ear, self._hits_given = False, self.tracker.beats_met
        self._led_by = self._led_bpm = None
        if not self.listen:
            self._fixed = self.tracker.anchor(anchor.position_samples) if teach else anchor

    def leader(self, position_samples: float) -> tuple[TimeSource, Anchor] | None:
        """The first of transport, clock and the like that has an answer.

        A clock that never said start may be a keyboard that always ticks: it does not overrule a musician who is heard,
        unless it was chosen.
        """
        clocks = sorted(self._clocks, key=lambda clock: not clock.started)
        self._aside = False
        for source in (*self._others, self.transport, *clocks, self.time_code, *self._loops):
            name = getattr(source, "name", self.chosen)
            if source in self._loops:
                if self.halted and self._loop_starts == source.starts:  # it followed who has stopped, and stops too
                    continue
            elif self.chosen not in ("auto", name):
                continue
            anchor = source.anchor(position_samples)
            if anchor is None:
                continue
            if isinstance(source, MidiClockIn) and not self._may_lead(source):
                self._aside = True
                continue
            return source, anchor
        return None

    def _may_lead(self, clock: MidiClockIn) -> bool:
        return clock.started or self.chosen == clock.name or not (self.listen and (self.playing or self._ear_holds()))

    def _ear_holds(self) -> bool:
        """Whether the ear has met a beat since the time was last given, and holds it."""
        tracker = self.tracker
        met = tracker.beats_met >= self._hits_given + _FIRST_MET_BEATS
        return tracker.locked and met and tracker.confidence >= self._config.lock.lost_confidence

    def anchor(self, position_samples: float, now: Point | None, metre: int) -> tuple[object, Anchor]:
        """Who is followed, and the line to follow. `now`: the end of what was told, from where time goes on alone."""
        led = self.leader(position_samples)
        if led is not None:
            self._lead(*led)
            return led
        if self.chosen == "tap" and self._tapped is not None:
            return self.taps, self._tapped
        if self.listen and self.chosen in ("auto", "tap", "listener"):
            anchor = self.tracker.anchor(position_samples)
            self._ear = self._ear or self._ear_holds()
            given = self._tapped is not None or self._led_bpm is not None or self.tempo_bpm is not None
            heard = self._ear or (self.playing and self._led_bpm is None)
            if anchor is not None and (heard or not given):
                self._fixed = None
                return self.tracker, self._by_ear(anchor, position_samples)
            if self._tapped is not None and self._led_bpm is None:
                return self.taps, self._tapped
        if self._fixed is None:
            tempo_bpm = self._led_bpm or self.tempo_bpm or IDLE_BPM
            sure = 1.0 if not self.listen else 0.0
            if now is None:
                self._fixed = Anchor(position_samples, 0.0, tempo_bpm, sure, metre, 0)
            else:
                place = int(now.beat // 1 - now.bar_beat)
                metre = now.beats_per_bar if self._led_bpm else self.tracker.beats_per_bar
                place = place if metre == now.beats_per_bar else -1
                sure = max(sure, _COASTING if self._led_bpm else 0.0)
                self._fixed = Anchor(now.position_samples, now.beat, tempo_bpm, sure, metre, place)
        return self, self._fixed

    def _lead(self, source: TimeSource, anchor: Anchor) -> None:
        """Somebody leads: what it says stays when it falls silent."""
        starts = int(getattr(source, "starts", 0))
        again = source is self._led_by or not (self.listen and (self.playing or self._ear_holds()))
        if again and starts != self._starts.get(id(source), 0):
            self._jumped = True
        self._starts[id(source)] = starts
        if source not in self._loops:
            self._loop_starts = sum(loop.starts for loop in self._loops)
        self._led_by, self._led_bpm, self._fixed = source, anchor.tempo_bpm, None
        self._ear, self._hits_given = False, 0.0

    def end_with_lead(self, on: bool) -> None:
        """The song ends soon, or does not: the ear's line slows down with the lead's attacks."""
        self._ends = on
        if not on:
            self.slowing.reset()

    @property
    def ear_slew(self) -> float:
        """Most by which a correction towards the ear's line may change the tempo, as a share."""
        timeline = self._config.timeline
        return timeline.ending_slew if self.slowing.on else timeline.ear_slew

    def _by_ear(self, line: Anchor, position_samples: float) -> Anchor:
        """The tracker's line, or that of an ending that begins once the tracker is sure of its own."""
        if self._ends and line.confidence >= self._config.lock.lost_confidence:
            self.slowing.begin(line)
        return self.slowing.line(position_samples, _ENDING_AHEAD_S * self._rate_hz) or line

    def take_jump(self) -> bool:
        """Whether who leads has begun, or was moved in its song, since this was last asked: time is to leap with it."""
        jumped, self._jumped = self._jumped, False
        return jumped

    @property
    def halted(self) -> bool:
        """Whether who led has said stop, or stands still, and nothing was given since."""
        return self._led_by is not None and bool(getattr(self._led_by, "stopped", False))

    def remarks(self) -> tuple[tuple[FaultKind, str], ...]:
        """What is odd about who tells the time: (kind of fault, line)."""
        said = []
        others = [bpm for clock in self._clocks for bpm in clock.others_bpm]
        if others and self._led_by in self._clocks:
            tempi = " and ".join(f"{bpm:.0f}" for bpm in others)
            line = f"a second MIDI clock comes in ({tempi} bpm): the one that said start leads; take the other off this"
            said.append((FaultKind.CLOCK_ASIDE, f"{line} input"))
        if self._aside:
            line = "a MIDI clock comes in that never said start: you are followed, not it; press start on it, or choose"
            said.append((FaultKind.CLOCK_ASIDE, f"{line} --time-source midi_clock"))
        if self.time_code.waits_for_tempo:
            line = "MIDI Time Code comes in, which tells no tempo: set the song's (--tempo, preset or chart)"
            said.append((FaultKind.CLOCK_ASIDE, line))
        if self.transport.disagrees and self._led_by is self.transport:
            line = "the beats of JACK's transport do not run at the tempo that it tells: whole bars say which of them"
            said.append((FaultKind.TRANSPORT, f"{line} is followed; look at its timebase master"))
        return tuple(said)

    def given_tempo_bpm(self) -> float | None:
        """The tempo that somebody has tapped or asked for; None where only the ear could tell."""
        if self._tapped is not None:
            return self._tapped.tempo_bpm
        return self.tempo_bpm

    def knows_bars(self, source: object) -> bool:
        """Whether a source is sure where bars begin, whatever is written: a transport, and those given to `follow`."""
        return source is not None and source not in (self, self.tracker, self.taps, *self._clocks)

    def gives(self, source: object) -> bool:
        """Whether a source is somebody who gives the time, so that the band need hear nobody to begin."""
        if source is self or source is None:
            return False
        if isinstance(source, MidiClockIn):
            return source.started or self.chosen == source.name
        return source is not self.tracker or self.name_of(source) != "listener"

    def name_of(self, source: object) -> str:
        """As Status.time_source has it; empty where nobody knows the time."""
        if source is self.taps:
            return "tap" if self._by_hand else "tempo"
        if source is self.tracker:
            by_hand = self._by_hand and self._tapped is not None
            return "tap" if by_hand and self.tracker.beats_met < _HEARD_BEATS else "listener"
        if source is self or source is None:
            return ""
        return str(getattr(source, "name", ""))
