"""Executes commands: the one place that says what each command of commands/ does.

Knows the stage, the switch and the conductor, and no player, ring or sound. Inference thread only.
"""

from __future__ import annotations

import dataclasses
import math
import time
from collections.abc import Callable, Sequence
from typing import Literal, cast

from ...dsp.loudness import gain_of_db
from ..callback.bridge import Bridge
from ..charts.section_settings import SectionSettings
from ..commands import (
    HAND_OPTIONS,
    NOW,
    Announce,
    ClockGap,
    ClockTick,
    ClockTransport,
    Command,
    CommandQueue,
    CountIn,
    Ending,
    Fill,
    HandMessage,
    JumpSection,
    LoopDo,
    LoopKeep,
    LoopPress,
    LoopRelease,
    MoveSong,
    NextAtEnd,
    Panic,
    Quit,
    ScaleCount,
    SelectPreset,
    SelectSong,
    SetBandLevel,
    SetChart,
    SetControl,
    SetLevel,
    SetLoop,
    SetMix,
    SetMute,
    SetOption,
    SetPresetLevels,
    SetPresetMix,
    SetPrograms,
    SetSections,
    SetSound,
    SetSounds,
    SetTempo,
    SetTimeSource,
    ShiftHalfBeat,
    Start,
    StepPreset,
    StepSong,
    StepSound,
    Stop,
    SystemMessage,
    Tap,
    ThisIsOne,
    Toggle,
)
from ..config import EngineConfig
from ..errors import ConfigError
from ..fault_kinds import FaultKind
from ..fault_log import FaultLog
from ..harmony.chord_hand import ALL_UP, ChordHand
from ..learning import learning_desk
from ..learning.learner import Learner
from ..loops.looper import Looper
from ..output.band_levels import BandLevels
from ..output.band_mix import BandMix
from ..output.mixer import controls_after
from ..player import Controls
from ..ports.port import Neighbours
from ..timing.clocks.own_echo import OwnEcho
from ..timing.clocks.time_code import machine_of
from .band_step import BandStep
from .band_switch import Entrance, Switch
from .intake.port_midi import NOBODY, TRANSPORT, MidiEvent, PortMidi
from .lookahead import LookAhead
from .moves.asked import MOVES, ask
from .moves.song_end import SongEnd

_OF_TIME = (SetTempo, SetTimeSource, ShiftHalfBeat, ScaleCount, SetChart, JumpSection)
_OF_LOOPS = (LoopPress, LoopRelease, LoopDo, LoopKeep, SetLoop)
_OF_SESSION = (SelectPreset, StepPreset, SelectSong, StepSong, MoveSong)
MOST_COUNTED_BARS = 2
_HIGHEST_CLICK_DB = 6.0  # a click is at half the ceiling
_LEADS_US = ("midi_clock", "transport")
"""While one of them leads, our clock is in time with others' by itself."""
_STATUS = {action: status for status, action in TRANSPORT.items()}


class CommandHandler:
    """Commands in; the band's switch, stage, controls and time as they say. Inference thread only."""

    def __init__(
        self,
        config: EngineConfig,
        bridge: Bridge,
        band: BandStep,
        switch: Switch,
        look_ahead: LookAhead,
        fault_log: FaultLog,
        first_free_samples: Callable[[], float],
    ) -> None:
        """`first_free_samples()`: the first input position at which a bar may be made to begin."""
        self._bridge, self._band, self._switch = bridge, band, switch
        self._conductor, self._stage = band.conductor, band.stage
        self._look_ahead, self._fault_log, self._first_free_samples = look_ahead, fault_log, first_free_samples
        self._count_in_bars = config.count_in
        self.controls = Controls()
        """As asked for: levels as if nothing were muted."""
        look_ahead.voiced = lambda: band.needs_voice(self.controls.style)
        self.levels = BandLevels()
        self.programs: tuple[int, ...] = ()
        """General MIDI programs of the parts, for notes that go out; empty: none is sent."""
        self.mix = BandMix()
        self.click_gain = 1.0
        """Of a count-in's clicks; 0: none is heard."""
        self.announced = Announce()
        self.forget = False
        """The player is to forget everything once it rests."""
        self.quitting_s = math.inf
        self.recording = config.record_file or ""
        self.echo = OwnEcho(bridge.rate_hz)
        """Told of the clock that we send."""
        self.hand = ChordHand(bridge.rate_hz)
        entrance = Entrance(switch, band.stage, first_free_samples)
        self.learner = Learner(band.conductor, float(bridge.rate_hz), band.guard.new_harmonist(), entrance)
        """What is learnt; it hears what the band hears."""
        band.learner = self.learner
        self._bindings = config.bindings
        self._had_source, self._port_midi = False, PortMidi(bridge, fault_log)
        self.loops = Looper(bridge.rate_hz, band.host_frame, band.conductor, fault_log)
        self.song_end = SongEnd()
        self.requests = CommandQueue()
        """What only the session can resolve; any thread may take it."""

    def take_midi(self, events: Sequence[MidiEvent], source: Neighbours = NOBODY) -> None:
        """Clock, transport and a leading hand's keys among messages of the audio callback, (position, status, data1,
        data2) each, in place for whoever sent them."""
        for command in self._port_midi.commands(events, source):
            self.obey(command)

    def turn_hand(self) -> None:
        """Let the conductor have the chord that the hand asks for by now: the end of a turn. To be called often."""
        source = self._look_ahead.facts.midi_in_from
        has_source = source.programs or source.devices
        if self._had_source and not has_source:
            self._take_key(HandMessage(ALL_UP))
        self._had_source = has_source
        if self.hand.on:
            self.hand.turn(self._bridge.position)
        self._conductor.lead(self.hand.chord)
        if self.song_end.waits and self._switch.on:
            bar = self._conductor.peek(self._in_input(-1)).bar
            if self.song_end.is_here(bar, self._conductor.entrance_cue()):
                self.requests.post(StepSong(1))
        self._bridge.end_turn()

    def _take_key(self, message: HandMessage) -> None:
        """A key of the hand, unless it is bound to something else."""
        status, hand = message.status, self.hand
        if not hand.on:
            return
        if self._bindings is not None and status != ALL_UP:
            kind: Literal["cc", "note"] = "cc" if status & 0xF0 == 0xB0 else "note"
            if self._bindings.meaning(kind, message.number, (status & 0x0F) + 1):
                return
        position = message.at_sample if message.at_sample >= 0 else self._bridge.position
        hand.message(status, message.number, message.value, position, message.device)

    def obey(self, command: Command) -> None:
        """Do it. What cannot be is said and counted, and changes nothing."""
        try:
            at_sample = command.at_sample if isinstance(command, learning_desk.STAMPED) else -1
            if not self._quitting and learning_desk.obey(self.learner, command, self._in_input(at_sample)):
                return
            if not (self._of_the_band(command) or self._of_the_sound(command)):
                self._of_the_time(command)
        except ConfigError as error:
            self._fault_log.fault(FaultKind.COMMAND, cause=str(error))

    # ------------------------------------------------------------------------------------------------ start and stop

    def _of_the_band(self, command: Command) -> bool:
        stage = self._stage
        if isinstance(command, Toggle):
            command = Stop(command.at_sample) if self._switch.on else Start(command.at_sample)
        if isinstance(command, Start):
            self._start(self._at(command.at_sample))
        elif isinstance(command, Stop):
            self.go_out(self._at(command.at_sample))
        elif isinstance(command, CountIn):
            self._count_in(command.bars)
        elif isinstance(command, Fill):
            if self._band.sections.fills == "never":
                raise ConfigError("fills: never is set, so none is played: set auto or ask")
            stage.fill()
        elif isinstance(command, Ending):
            if self._switch.on and not stage.ending():
                self.go_out()
        elif isinstance(command, MOVES):
            ask(self._band.moves, command, plays=self._switch.on and stage.phase == "in")
        elif isinstance(command, NextAtEnd):
            self.song_end.ask(command.on)
        elif isinstance(command, Panic):
            self.song_end.ask(False)
            self.go_out()
            self.forget = True
            self.hand.let_go()
            self.loops.clear()
            self.learner.reset()
            self._conductor.reset()
        elif isinstance(command, Quit):
            self.go_out()
            self.loops.clear()
            self.quitting_s = min(self.quitting_s, time.monotonic())
        else:
            return False
        return True

    def _at(self, at_sample: int) -> int | None:
        """Output sample at which a gesture made at that sample takes effect; None: as soon as may be."""
        return at_sample + self._look_ahead.start_delay_samples if at_sample >= 0 else None

    def _start(self, at_position: int | None) -> None:
        if self._quitting or self._switch.on:
            return
        if self._count_in_bars and self._conductor.begin_bar(self._first_free_samples()):
            self._stage.count_in(self._count_in_bars)
        else:
            self._stage.start()
        self._switch.start(at_position)

    def _count_in(self, bars: int) -> None:
        if not 1 <= bars <= MOST_COUNTED_BARS:
            raise ConfigError(f"a count-in of {bars} bars: give 1 or {MOST_COUNTED_BARS}")
        if self._quitting:
            return
        if not self._conductor.begin_bar(self._first_free_samples()):
            raise ConfigError("a count-in needs a tempo: tap it, or set one")
        self._stage.count_in(bars)
        self._switch.start()

    def go_out(self, at_position: int | None = None) -> None:
        """Stop with a ramp, from that output position on or now."""
        position = self._switch.stop(at_position)
        self._stage.stop()
        self._band.moves.clear()
        if self.song_end.stopped():
            self.requests.post(StepSong(1))
        if position is not None and self._band.take is not None:
            self._band.take.switch(position + self._look_ahead.facts.round_trip_samples, False)

    @property
    def _quitting(self) -> bool:
        return self.quitting_s < math.inf

    # ----------------------------------------------------------------------------------------------------- the sound

    def _of_the_sound(self, command: Command) -> bool:
        if isinstance(command, SetControl):
            self.controls = controls_after(self.controls, command)
            self.learner.set_style(self.controls.style)
            self._conductor.obey(command, self._in_input(-1))
        elif isinstance(command, (SetLevel, SetBandLevel, SetMute, SetPresetLevels)):
            self._set_levels(command)
        elif isinstance(command, (SetSound, StepSound, SetSounds)):
            self._band.set_sounds(command)
        elif isinstance(command, (SetMix, SetPresetMix)):
            self._set_mix(command)
        elif isinstance(command, SetOption):
            self._set_option(command)
        elif isinstance(command, SetSections):
            self._band.sections.set_sections(cast("dict[str, SectionSettings]", dict(command.settings)))
        elif isinstance(command, SetPrograms):
            self.programs = command.programs
        elif isinstance(command, Announce):
            self.announced = command
        elif isinstance(command, _OF_LOOPS):
            self.loops.obey(command, self._in_input(getattr(command, "at_sample", NOW)))
        elif isinstance(command, _OF_SESSION):
            self.requests.post(command)
        else:
            return False
        return True

    def _set_levels(self, command: SetLevel | SetBandLevel | SetMute | SetPresetLevels) -> None:
        if isinstance(command, SetLevel):
            self.levels.set_level(command.part, command.level_db)
        elif isinstance(command, SetBandLevel):
            self.levels.set_band(command.level_db)
        elif isinstance(command, SetMute):
            if command.muted is not True and self._band.sections.lift(command.part):
                return  # the section's mute, not the musician's
            self.levels.set_muted(command.part, command.muted)
        else:
            self.levels.take_preset(command.levels_db, command.muted)
        self.controls = dataclasses.replace(self.controls, levels_db=self.levels.levels_db)

    def _set_mix(self, command: SetMix | SetPresetMix) -> None:
        if isinstance(command, SetMix):
            self.mix.set(command.part, command.name, command.value)
        else:
            self.mix.take_preset(command.mix)
        self._band.mix = self.mix.mix

    def _set_option(self, command: SetOption) -> None:
        name, value = command.name, command.value
        if name in HAND_OPTIONS:
            self.hand.set_option(name, value)
        elif name == "count_in":
            if isinstance(value, (bool, str)) or value not in range(MOST_COUNTED_BARS + 1):
                raise ConfigError(f"count_in {value!r}: give 0, 1 or 2 bars")
            self._count_in_bars = int(value)
        elif name == "click_db":
            if isinstance(value, (bool, str)) or not value <= _HIGHEST_CLICK_DB:
                raise ConfigError(f"click {value!r} dB: give at most {_HIGHEST_CLICK_DB:g}")
            self.click_gain = gain_of_db(float(value)) if value > -120.0 else 0.0
        elif name == "ceiling_dbfs":
            if isinstance(value, (bool, str)) or not -60.0 <= value <= 0.0:
                raise ConfigError(f"limiter ceiling {value!r} dBFS: give a value between -60 and 0")
            self._bridge.set_ceiling(float(value))
        elif name == "fills":
            self._band.sections.set_fills(value)
        elif name == "chart_place":
            if value not in ("song", "entrance"):
                raise ConfigError(f"chart_place {value!r}: give song or entrance")
            self._conductor.obey(command, self._in_input(-1))
        else:
            self._stage.set_habit(name, value)

    # ------------------------------------------------------------------------------------------------------ the time

    def _of_the_time(self, command: Command) -> None:
        if isinstance(command, Tap):
            self._conductor.tap(self._in_input(command.at_sample, command.from_program))
        elif isinstance(command, HandMessage):
            self._take_key(command)
        elif isinstance(command, (ClockTick, ClockTransport)):
            if not self._is_own(command):
                self._conductor.obey(command, self._in_input(command.at_sample, command.from_program))
        elif isinstance(command, SystemMessage):
            machine = machine_of(command.message)
            self._conductor.obey(command, self._in_input(command.at_sample, command.from_program))
            if machine is not None and machine.deed != "locate":
                self._of_the_band(Start() if machine.deed == "play" else Stop())
        elif isinstance(command, ThisIsOne):
            self._conductor.obey(command, self._in_input(command.at_sample))
        elif isinstance(command, (ClockGap, *_OF_TIME)):
            if isinstance(command, SetTempo):
                self.loops.set_tempo(command.tempo_bpm)
            self._conductor.obey(command, self._in_input(-1))

    def _is_own(self, command: ClockTick | ClockTransport) -> bool:
        """Whether our own clock comes back to us."""
        if isinstance(command, ClockTransport):
            status = _STATUS.get(command.action)
            return status is not None and self.echo.is_own_word(command.at_sample, status)
        known = self.echo.known
        own = self.echo.is_own_tick(command.at_sample, self._conductor.entrance_cue().source in _LEADS_US)
        if self.echo.known and not known:
            self._fault_log.fault(FaultKind.OWN_CLOCK)
        return own

    def _in_input(self, at_sample: int, from_program: bool = False) -> float:
        """Place in the input of what was heard or done at a sample: it enters by the way through the converter."""
        position = at_sample if at_sample >= 0 else self._bridge.position
        return float(position + self._look_ahead.facts.heard_after_samples(from_program))
