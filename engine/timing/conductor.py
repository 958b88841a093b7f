"""The conductor: gives the musical position at any sample, now and a little ahead.

Knows neither models nor sound cards: it is told what was heard, and is asked for moments. Positions are samples of
the input clock at the host rate, and may be fractional. Every method belongs to the inference thread alone.
"""

from __future__ import annotations

import math

from ..charts.chart import Chart, Section
from ..charts.chart_position import ChartPosition
from ..charts.chord_plan import ChordPlan
from ..charts.chord_symbol import ChordSymbol
from ..commands import (
    ClockGap,
    ClockTick,
    ClockTransport,
    Command,
    JumpSection,
    ReplaceChord,
    ScaleCount,
    SetChart,
    SetControl,
    SetOption,
    SetTempo,
    SetTimeSource,
    ShiftHalfBeat,
    SystemMessage,
    ThisIsOne,
    UndoChord,
)
from ..errors import ConfigError
from ..harmony.chord_tracker import Chord, ChordTracker, as_written
from ..player import Harmonist, Heard, Moment
from ..position import Point
from ..style_priors import STYLE_PRIORS
from .anchor import Anchor, StartedSource, TimeSource
from .clocks.jack_transport import Reading
from .clocks.midi_clock_in import TICKS_PER_QUARTER, MidiClockIn
from .conducting import Conducting
from .conductor_settings import ConductorConfig
from .entrance_cue import EntranceCue
from .fixed_grid import GridConductor, fraction
from .time_sources import IDLE_BPM, Sources
from .timeline import Timeline

__all__ = ["Anchor", "Conducting", "Conductor", "ConductorConfig", "EntranceCue", "GridConductor", "TimeSource"]

_GLIDING_CONFIDENCE = 0.5
"""While the time glides from one source to another that is sure, no one need hold back."""
_PAST_DOWNBEAT_S = 0.12
"""So long after a bar line the ear has judged its downbeat, and the next beat has not come."""


class Conductor:
    """Follows the musician: beat, bar and chord, as a moment that can be asked for ahead of time.

    In this order, whatever has an answer is followed: sources given to `follow`, the transport, a MIDI clock, then
    taps and the listener's beat together. Without any, time runs on, or at the expected tempo. Inference thread only.
    """

    def __init__(
        self,
        rate_hz: float,
        tempo_bpm: float | None = None,
        listen: bool = True,
        config: ConductorConfig | None = None,
        harmonist: Harmonist | None = None,
    ) -> None:
        """`tempo_bpm` is the tempo expected at first; without `listen` it is kept exactly, until taps say otherwise.

        Raises ConfigError for a rate or a tempo that cannot be.
        """
        if not rate_hz > 0:
            raise ConfigError(f"sample rate {rate_hz} Hz: give one above 0")
        self.config = config or ConductorConfig()
        self.rate_hz = float(rate_hz)
        self._sources = Sources(self.config, self.rate_hz, tempo_bpm, listen)
        self._tracker = self._sources.tracker
        self._chords = ChordTracker(self.config.chords, self.config.bars.metres, harmonist)
        self._chart = ChartPosition()
        self.plan = ChordPlan(self._chart)
        self._chart_follows = True  # whoever leads and knows the place in the song
        self.reset()

    def reset(self) -> None:
        """Forget everything heard, tapped and counted. A chart stays, and begins anew."""
        self._sources.reset()
        self._chords.reset()
        self._lead: ChordSymbol | None = None
        self._chart.rewind()
        self.plan.forget()
        if self._chart.known:
            self._tracker.expect_metre(self._chart.beats_per_bar)  # it may have ended in another one
        self._metre = self._tracker.beats_per_bar
        self._timeline = self._new_timeline()
        self._source: object = None
        self._anchor: Anchor | None = None
        self._gliding = self._arriving = False
        self._heard_until = -math.inf
        self._confidence = 0.0
        self._found = False
        self._silent_s = 0.0
        self._playing = False
        self._turned_beat, self._turned_bar = -1, -1

    def follow(self, *sources: TimeSource) -> None:
        """Follow these sources of time, the first that has an answer, before all others."""
        self._sources.follow(sources)

    def follow_loop(self, source: StartedSource) -> None:
        """Follow that one, a loop of the musician's, where no clock gives the time."""
        self._sources.follow_loop(source)

    # What comes in

    def hear(self, heard: Heard, end_position_samples: float, frame_samples: float) -> None:
        """See Conducting.hear."""
        frame_s = frame_samples / self.rate_hz
        trust = min(max((float(heard.activity) - 0.2) / 0.3, 0.0), 1.0)
        self._hear_playing(float(heard.activity), frame_s)
        self._sources.playing = self._playing
        if self._sources.listen:
            self._tracker.hear(heard, end_position_samples / self.rate_hz, frame_s)
            self._sources.slowing.hear(heard, end_position_samples, frame_samples)
        self._heard_until = float(end_position_samples)
        self._aim(self._heard_until)
        self._timeline.advance(self._heard_until)
        self._follow_place(anew=False)
        self._turn()
        self._expect_written_metre()
        sounded = self._heard_until - frame_samples / 2 - self.config.chords.chord_lag_s * self.rate_hz
        at = self._timeline.at(sounded)
        sure = self.bar_confidence if self._source is self._tracker else 1.0
        roots, classes = heard.chord_root, heard.chord_pitch_classes
        self._chords.hear(roots, classes, heard.played, at, sure, frame_s, trust)

    def tap(self, position_samples: float) -> None:
        """One tap of the tempo. Two choose level and phase of the beat that is heard; four in a row lock tempo, phase
        and downbeat (the first tap), heard or not."""
        if self._sources.tap(position_samples):
            self._found = True
            self._aim(max(position_samples, self._timeline.end_samples), leap_beyond_beats=0.1)

    def obey(self, command: Command, position_samples: float) -> None:
        """See Conducting.obey."""
        if isinstance(command, ClockTick):
            self._clock_of(command).tick(position_samples)
        elif isinstance(command, ClockGap):
            self._sources.pass_gap(command.samples)
        elif isinstance(command, ClockTransport):
            self._clock_of(command).transport(command.action, command.sixteenths, position_samples)
        elif isinstance(command, SetTempo):
            self._sources.set_tempo(command.tempo_bpm or None)
        elif isinstance(command, SetTimeSource):
            self._sources.choose(command.name)
        elif isinstance(command, (ShiftHalfBeat, ScaleCount, ThisIsOne)):
            self._correct(command, position_samples)
        elif isinstance(command, SystemMessage):
            self._sources.time_code.take(command.message, position_samples)
        elif isinstance(command, SetChart):
            self.set_chart(command.chart)
        elif isinstance(command, JumpSection):
            self.jump_section(command.name)
        elif isinstance(command, (ReplaceChord, UndoChord)):
            self.plan.obey(command)
        elif isinstance(command, SetOption) and command.name == "chart_place":
            self._chart_follows = command.value == "song"
        elif isinstance(command, SetControl) and command.name == "style":
            self._tracker.expect_style(STYLE_PRIORS.get(str(command.value)))
            self._chords.set_style(str(command.value))

    def _clock_of(self, command: ClockTick | ClockTransport) -> MidiClockIn:
        return self._sources.program_clock if command.from_program else self._sources.clock

    def _correct(self, command: ShiftHalfBeat | ScaleCount | ThisIsOne, position_samples: float) -> None:
        """The musician's word on the count: phase and downbeat at once, half and double time on the bar line."""
        self._sources.correct(command, position_samples)
        self._found = True
        if not isinstance(command, ScaleCount):
            self._aim(max(position_samples, self._timeline.end_samples), leap_beyond_beats=0.1)

    def lead(self, chord: ChordSymbol | None) -> None:
        """See Conducting.lead."""
        self._lead = chord

    def end_with_lead(self, on: bool) -> None:
        """See Conducting.end_with_lead."""
        self._sources.end_with_lead(on)

    def read_transport(self, reading: Reading) -> None:
        """See Conducting.read_transport."""
        self._sources.transport.read(reading)

    def begin_bar(self, position_samples: float, tempo_bpm: float | None = None) -> bool:
        """See Conducting.begin_bar."""
        if self._sources.leader(position_samples) is not None:
            return True
        tempo_bpm = tempo_bpm or self._sources.given_tempo_bpm()
        if tempo_bpm is None:
            return self.locked
        self._chart.rewind()
        self._metre = self._tracker.beats_per_bar
        if self._chart.known:
            self._metre = self._chart.beats_per_bar
            self._tracker.expect_metre(self._metre)
        anchor = Anchor(position_samples, 0.0, tempo_bpm, 1.0, self._metre, 0)
        self._timeline = self._new_timeline()
        self._timeline.aim(anchor)
        self._sources.begin(anchor)
        self._found, self._gliding, self._arriving = True, False, False
        self._confidence = 1.0
        return True

    def begin_chart(self, position_samples: float) -> None:
        """See Conducting.begin_chart."""
        point = self.peek(position_samples)
        tempo_bpm = self._sources.given_tempo_bpm()
        if not self._found and tempo_bpm is not None and self._heard_until > -math.inf:
            # Nobody is heard, and the band begins: the tempo that was set is the time, until the ear has another.
            place = int(point.beat // 1 - point.bar_beat)
            anchor = Anchor(position_samples, point.beat, tempo_bpm, 1.0, point.beats_per_bar, place)
            self._sources.begin(anchor, teach=False)
            self._found = True
        self._chart.begin(point, self._found, self._first_bar(point))

    def set_chart(self, chart: object | None) -> None:
        """Take the chords from a chart (engine/charts/chart.py), from the next bar line on; None: by ear again."""
        self._chart.take(chart)
        metre = self._chart.beats_per_bar
        self._tracker.expect_metre(metre or None)
        if metre and metre != self._metre and not self._found:  # nobody plays by what was told so far
            self._metre = metre
            self._timeline = self._new_timeline()
            self._sources.set_tempo(self._sources.tempo_bpm)
        if metre:
            self._sources.expect_metre(metre)

    def lay_chart(self, chart: Chart | None, first_bar: int, entering: bool = False) -> None:
        """See Conducting.lay_chart."""
        self._chart.lie(chart, first_bar, entering)
        for who in (self._tracker, self._sources) if chart is not None else ():
            who.expect_metre(self._chart.beats_per_bar)

    def jump_section(self, name: str = "") -> None:
        """Be in that section of the chart from the next bar line on; "": in the one after this. Raises ConfigError."""
        self._chart.jump(name)

    # What is told

    def moment(self, position_samples: float) -> Moment:
        """The musical moment of a position. Time told once is bound; far ahead it is a guess (`commit_ahead_s`).
        The chord is that of a little later (`chord_ahead_s`): a note of the next one begins within a frame, or early.
        """
        point = self._point(position_samples)
        chord = self._chord(self._timeline.at(position_samples + self.config.chords.chord_ahead_s * self.rate_hz))
        return Moment(
            beat_phase=float(fraction(point.beat)),
            bar_phase=float(point.bar_phase),
            tempo_bpm=float(self.tempo_bpm),
            beats_per_bar=int(point.beats_per_bar),
            confidence=float(self._confidence),
            chord_root=int(chord.root),
            chord_pitch_classes=tuple(map(float, chord.pitch_classes)),
            next_root=-1 if self._lead is not None else self.plan.bass_in(1.0, point, self._chords.ahead),
            playing=bool(self._playing and (self._found or not self._sources.listen)),  # who looks for the beat waits
            chord_bass=int(chord.bass if chord.bass != chord.root else -1),
        )

    def peek(self, position_samples: float) -> Point:
        """See Conducting.peek."""
        if not self._timeline.started:
            self._aim(position_samples)
        point = self._timeline.at(position_samples)
        quarters = self._beat_quarters(point.bar)
        return point if quarters == 1.0 else point._replace(beat_quarters=quarters)

    def entrance_cue(self) -> EntranceCue:
        """See Conducting.ground."""
        sources, chord = self._sources, self._chords.chord
        by_ear = self._source is self._tracker
        charted = (self._chart.known or self._lead is not None) and sources.given_tempo_bpm() is not None
        return EntranceCue(
            source=sources.name_of(self._source),
            beat=self._found or not sources.listen,
            bar=not by_ear or self.bar_confidence >= self.config.lock.sure_bar,
            free=sources.gives(self._source) or not sources.listen or charted,
            halted=sources.halted,
            remarks=sources.remarks(),
            chord_root=chord.root,
            chord_pitch_classes=chord.pitch_classes,
            section=self._chart.section,
            next_section=self._chart.next_section,
            symbol=self._chart.symbol if self._lead is None else self._lead.name,
            chord_source="hand" if self._lead is not None else "chart" if self._chart.known else "ear",
            charted=self._chart.known,
            end_bar=self._chart.end_bar,
            round_bar=self._chart.round_bar,
            written_bpm=self._chart.tempo_bpm,
            section_bar=self._chart.section_bar,
        )

    def section_of_bar(self, bar: int) -> Section | None:
        """See Conducting.section_of_bar."""
        return self._chart.section_of_bar(bar)

    def planned(self, position_samples: float, bars: int) -> tuple[str, ...]:
        """See Conducting.planned."""
        return self.plan.bars(self.peek(position_samples), bars, self._chords.name_ahead) if self._found else ()

    def beat_count(self, position_samples: float) -> float:
        """Beats since the first bar that was told began; grows evenly, never back."""
        return self._point(position_samples).beat

    def bar_count(self, position_samples: float) -> int:
        """Number of the bar that holds the position; the first one told is 0."""
        return self._point(position_samples).bar

    def bar_samples(self) -> int:
        """Length of the running bar in host samples; 0 while neither tempo nor bar is known."""
        if not self._found and self._sources.tempo_bpm is None:
            return 0
        return round(self._metre * 60.0 / self.tempo_bpm * self.rate_hz)

    @property
    def tempo_bpm(self) -> float:
        target = self._timeline.target
        return target.tempo_bpm if target is not None else self._sources.tempo_bpm or IDLE_BPM

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
        return self._found and self._confidence >= self.config.lock.lost_confidence

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

    def _new_timeline(self) -> Timeline:
        return Timeline(self.config.timeline, self.rate_hz, self._metre, self._written_metre)

    def _written_metre(self, bar: int) -> int | None:
        """Beats of that bar where a chart that changes its metre says so, and nobody who knows the bars better."""
        metre = self._chart.metre_of(bar)
        return None if metre is None or self._sources.knows_bars(self._source) else metre

    def _beat_quarters(self, bar: int) -> float:
        """Length of a beat of that bar in quarter notes, by who knows the bars, else by the chart."""
        if self._anchor is not None and self._anchor.beat_quarters:
            return self._anchor.beat_quarters
        return self._chart.quarters_of_beat(bar)

    def _first_bar(self, point: Point) -> int | None:
        """Number of the bar that is the chart's first, by the place in the song that who leads says; None for none."""
        anchor, target = self._anchor, self._timeline.target
        if not (self._chart_follows and self._chart.known) or anchor is None or target is None:
            return None
        line = point.bar_beat - (target.beat - anchor.beat)  # where the bar begins, in the count of who leads
        if anchor.song_bar is not None:
            began = math.floor(anchor.beat) - max(anchor.beat_in_bar, 0)
            return point.bar - anchor.song_bar - round((line - began) / max(1, anchor.beats_per_bar))
        return None if anchor.song_beat is None else point.bar - self._chart.bar_of_beat(line)

    def _follow_place(self, anew: bool) -> None:
        """The chart is where who leads says that the song is."""
        if self._chart.placed and self._chart_follows:
            point = self._timeline.at(self._timeline.end_samples)
            first = self._first_bar(point)
            if first is not None:
                self._chart.follow(first, anew)
        ticks = round(TICKS_PER_QUARTER * self._chart.quarters_of_beat(self._timeline.at(self._heard_until).bar))
        self._sources.count_in(ticks, self._heard_until)

    def _expect_written_metre(self) -> None:
        """Let the ear expect the metre of the bar that it is in; when its downbeat is past, so that it keeps it."""
        if self._chart.placed:
            point = self._timeline.at(self._heard_until - _PAST_DOWNBEAT_S * self.rate_hz)
            metre = self._chart.metre_of(point.bar)
            if metre is not None:
                self._tracker.expect_metre(metre)

    def _point(self, position_samples: float) -> Point:
        if not self._timeline.started:
            self._aim(position_samples)
        if position_samples <= max(self._heard_until, 0.0) + self.config.timeline.commit_ahead_s * self.rate_hz:
            self._timeline.advance(position_samples)
        return self._timeline.at(position_samples)

    def _chord(self, point: Point) -> Chord:
        """Of the hand that leads, else of the chart, else what the loop foretells, else what is heard."""
        sure = self._source is not self._tracker or self.bar_confidence >= self.config.lock.sure_bar
        written = self._chart.chord(point, self._found, sure, self.bar_samples() / self._metre)
        if self._lead is not None:
            return as_written(self._lead)
        if written is not None:
            return Chord(*written, bass=self._chart.bass_in(0.0))
        fixed = self.plan.heard_at(point.bar, point.beat - point.bar_beat, self._chords.loop_bars)
        return self._chords.ahead(point.beat) if fixed is None else as_written(fixed)

    def _aim(self, position_samples: float, leap_beyond_beats: float | None = None) -> None:
        """Choose the source, bend the timeline toward it, and leap where gliding would be wrong."""
        line, config = self._timeline, self.config
        now = line.at(line.end_samples) if line.started else None
        source, anchor = self._sources.anchor(position_samples, now, self._metre)
        started, was_sure = line.started, self._confidence >= config.lock.lost_confidence
        line.aim(anchor, same_source=source is self._source)
        self._anchor = anchor
        jumped = self._sources.take_jump() and started
        if source is not self._source:
            self._gliding = self._arriving = self._found
            self._source = source
        if anchor.beats_per_bar:
            self._metre = anchor.beats_per_bar
        off = abs(line.error_beats())
        sure = anchor.confidence >= config.lock.lost_confidence
        if (leap_beyond_beats is not None and off > leap_beyond_beats) or (started and sure and not self._found):
            line.leap(at_downbeat=False)
            self._gliding = False
        elif jumped:
            line.leap(at_downbeat=False)
            self._gliding = self._arriving = False
        elif self._gliding:
            line.stop_leap()
        elif started and sure and not was_sure and off > 0.1:
            line.leap(at_downbeat=True)
        elif off < 0.05 or self._confidence >= config.lock.sure_confidence:
            line.stop_leap()
        self._found = self._found or sure
        self._gliding = self._gliding and sure and off >= 0.02
        self._arriving = self._arriving and off >= 0.02  # from another source, however sure this one is by now
        by_ear = source is self._tracker and not self._arriving
        line.bend(self._sources.ear_slew if by_ear else config.timeline.slew)
        agreement = math.exp(-0.5 * (line.error_beats() / 0.15) ** 2)
        if self._gliding:
            agreement = max(agreement, _GLIDING_CONFIDENCE)
        self._confidence = min(max(anchor.confidence * agreement, 0.0), 1.0)
        if jumped:
            self._follow_place(anew=True)

    def _turn(self) -> None:
        """Say when a beat has been told: another count of the ear begins there, so that the groove goes on."""
        end = self._timeline.at(self._timeline.end_samples)
        beat = math.floor(end.beat)
        if beat > self._turned_beat or not self._found:
            self._sources.turn(end.position_samples, end.bar != self._turned_bar or not self._found)
            self._turned_beat, self._turned_bar = beat, end.bar

    def _hear_playing(self, activity: float, frame_s: float) -> None:
        config = self.config
        if activity >= config.playing.activity_on:
            self._playing, self._silent_s = True, 0.0
        elif activity < config.playing.activity_off:
            self._silent_s += frame_s
            bar_s = self.bar_samples() / self.rate_hz
            if self._silent_s > (config.playing.hold_bars * bar_s if bar_s else config.playing.hold_s):
                self._playing = False
