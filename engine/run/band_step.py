"""One frame of the band, live and offline alike: hear, conduct, place, play, mix, put.

Whoever runs it brings the input frames and says which frame is due: the worker by the sound card's clock, the
accompaniment as the input comes. Knows no ring, no thread, no command and no clock. Inference thread only; offline the
one thread that pushes.
"""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from ...dsp.framing import Framer
from ...dsp.resample import Resampler
from ...dsp.tuning import cents_of
from ..callback.bridge import RAMP_MS
from ..commands import SetSound, SetSounds, StepSound
from ..config import EngineConfig
from ..errors import ConfigError
from ..fault_log import FaultLog
from ..lead.lead_listener import LeadListener
from ..learning.learner import Learner
from ..mix import FLAT_MIX, Mix
from ..notes.audible_notes import AudibleNotes, HeardFrame
from ..notes.groove_timing import GrooveTiming, NoteFrame, TimedNote
from ..notes.hand_touch import levels_by_hand, touched
from ..notes.open_voicing import OpenVoicing
from ..output.bus_mixer import BusMixer, PartMixer
from ..output.instrument_rows import InstrumentRows, Rack
from ..output.made_frame import DrawnFrame, MadeFrame
from ..output.mix_desk import INSTRUMENTS, OWN_VOICE, MixDesk
from ..output.mixer import Playout
from ..output.part_source import PartSource
from ..output.recorder import Take
from ..output.score_log import ScoreLog
from ..part_sounds import NEURAL, PartSound, sounds_after, with_sounds
from ..player import (
    PARTS,
    Controls,
    Moment,
    NotedPlayer,
    PatientPlayer,
    Player,
    QuietPlayer,
    TunedPlayer,
    notes_late_samples,
)
from ..status import chord_name
from ..timing.conductor import Conducting, EntranceCue
from .guarded_player import GuardedPlayer
from .moves.section_director import SectionDirector
from .moves.stage_moves import StageMoves
from .stage import Stage

Array = NDArray[np.float32]
_NOT_YET = np.zeros((len(PARTS), 0), np.float32)
_LAST_BARS = 2
"""In so many bars before the end that a chart says, the band slows down with the musician."""


class BandStep:
    """The band's frames, one after another, for one run. Inference thread only."""

    learner: Learner | None = None
    """Who learns songs by what is heard; None: nobody."""

    def __init__(
        self,
        config: EngineConfig,
        rate_hz: int,
        player: Player,
        conductor: Conducting,
        fault_log: FaultLog,
        batch_frames: int = 1,
    ) -> None:
        """A PatientPlayer turns `batch_frames` frames into sound at once.

        Raises ConfigError for a rate at which the player's frames cannot be played.
        """
        frame_samples = player.frame_samples
        self.conductor = conductor
        self._noted = player if isinstance(player, NotedPlayer) else None
        self._tuned = player if isinstance(player, TunedPlayer) else None
        if self._tuned is not None and config.tuning_hz is not None:
            self._tuned.fix_tuning(config.tuning_hz)
        self.guard = GuardedPlayer(player, fault_log, config.seed)
        delay, buses = player.play_delay_samples, config.buses
        self.playout = Playout(rate_hz, player.sample_rate_hz, frame_samples, delay, buses.rows)
        self.host_frame = self.playout.host_frame
        self.stage, self.moves = Stage(config, rate_hz, self.host_frame), StageMoves(rate_hz, self.host_frame)
        self.sections, self.answer = SectionDirector(self.host_frame), LeadListener(rate_hz, self.host_frame, conductor)
        self.batch_frames = max(1, batch_frames) if isinstance(player, PatientPlayer) else 1
        self.placed_notes: list[TimedNote] = []
        """Notes of the frame made last, where groove and voicing have them, whether they are heard or not."""
        self.score: ScoreLog | None = None
        """What is played, as notes; None: nobody asked for it, or the player knows no notes."""
        self.source: PartSource | None = None
        """What plays parts in place of the band's own voice."""
        self._instruments: InstrumentRows | None = None
        self._own_sounds: tuple[PartSound, ...] = ()  # what parts sound with where no section says otherwise
        self._may_be_quiet = isinstance(player, QuietPlayer)
        self.mix: Mix = FLAT_MIX
        """How the parts are mixed, from the next frame on."""
        self.take: Take | None = None
        """Where what was made is lined up in musical time; None: nobody asked for it."""
        self.chart_from_entrance = True
        """Whether a chart begins where the band comes in."""
        self.broken = True
        """Whether the next frame made does not go on from the last."""
        self.listen_delay_samples = 0.0
        """How long before the end of an input frame the sound ends that the player has described."""
        self.first_entrance_samples: float | None = None
        """Where in the input the band first came in."""
        self._rate_hz, self._fault_log = rate_hz, fault_log
        self._down = Resampler(rate_hz, player.sample_rate_hz, self.host_frame, rate_hz)
        self._framer = Framer(frame_samples, player.tail_samples)
        self._mixer = PartMixer(self.host_frame)
        self._desk = MixDesk(rate_hz, 2 * self.host_frame)
        self._buses = BusMixer(buses, self.host_frame)
        self._host_ratio = rate_hz / player.sample_rate_hz
        self.notes_late_samples = notes_late_samples(player) * self._host_ratio
        """By how much the notes of a frame belong before it, at the host rate: those of a player that is far away."""
        self._drawn: list[DrawnFrame] = []
        self._groove, self._voicing = GrooveTiming(rate_hz), OpenVoicing(rate_hz)
        self._audible = AudibleNotes()
        self._heard_notes: list[TimedNote] = []

    @property
    def kinds(self) -> tuple[str, ...]:
        """The kind of sound of each part, as the desk trims them."""
        return tuple(OWN_VOICE if name == NEURAL else INSTRUMENTS for name in self.sounds)

    @property
    def tuning_hz(self) -> float:
        """What A is; 0 where the player does not say."""
        return 0.0 if self._tuned is None else self._tuned.tuning_hz

    @property
    def sounds(self) -> tuple[str, ...]:
        """What each part sounds with."""
        return (NEURAL,) * len(PARTS) if self._instruments is None else self._instruments.names

    @property
    def told_sounds(self) -> tuple[PartSound, ...]:
        """What each part was told to sound with; empty where there is nothing but the band's own voice."""
        return () if self._instruments is None else self._instruments.told

    def play_instruments(self, rack: Rack) -> bool:
        """Let instruments of this rack sound where they are asked for; False if the player does not know its notes."""
        if self._noted is None:
            return False
        self._instruments = self.source = InstrumentRows(rack, self._rate_hz, self._fault_log, self.guard.aside)
        return True

    def needs_voice(self, style: str) -> bool:
        """Whether the player's own voice is heard in the next frame, or will be."""
        return self._instruments is None or self._instruments.needs_voice(style)

    def set_sounds(self, command: SetSound | StepSound | SetSounds) -> None:
        """What the parts sound with from the next bar line on. Raises ConfigError for what does not exist."""
        if self._instruments is not None:
            before = self._instruments.told
            told = sounds_after(before, command, self.sounds)
            if isinstance(command, SetSounds):
                self._own_sounds = told
            else:
                changes = zip(told, before, self._own_sounds or before, strict=True)
                self._own_sounds = tuple(own if new == old else new for new, old, own in changes)
            self._instruments.want(told)
        elif not isinstance(command, SetSounds):
            raise ConfigError("instruments need the notes of the band, and this one does not give them")

    @property
    def resample_in_samples(self) -> float:
        """The delay of the input's way to the player's rate, at the host rate."""
        return float(self._down.delay_in_samples)

    @property
    def ramp_samples(self) -> int:
        """Length of the ramp with which the band is switched on and off."""
        return max(1, round(RAMP_MS * self._rate_hz / 1000))

    def line_up(self, most_ahead_frames: int) -> Take:
        """Begin a take of what is made at most so many frames ahead."""
        self.take = Take(self.host_frame, self.ramp_samples, most_ahead_frames + 1)
        return self.take

    def keep_score(self) -> None:
        """Begin a score of what is made from now on, if the player knows its notes."""
        if self._noted is not None:
            self.score = ScoreLog()

    def hear(self, index: int, block: Array, conduct: bool = True) -> bool:
        """Input frame `index`, float32 [host_frame]; False where the player could not listen.

        Without `conduct` the player hears it and the conductor goes on by inertia.
        """
        listened = True
        for chunk in self._framer.push(self._down.process(block)):
            heard = self.guard.listen(chunk)
            if heard is None:
                listened = False
                continue
            self.listen_delay_samples = heard.delay_samples * self._host_ratio
            if conduct:
                end = (index + 1) * self.host_frame - self.resample_in_samples - self.listen_delay_samples
                self.conductor.hear(heard, end, self.host_frame)
                self.answer.take(heard, end, self.listen_delay_samples)
                if self.learner is not None:
                    self.learner.hear(heard, end, self.host_frame)
        return listened

    def moment_of_newest(self, heard_frames: int) -> Moment:
        """The moment of the newest sample heard. To be asked once a step: asking moves the conductor on."""
        return self.conductor.moment(max(0, heard_frames * self.host_frame - 1))

    def direct(self, frame: int, fresh: bool, moment: Moment | None = None) -> Moment:
        """The moment of a frame as the stage will have it played. `moment` None: as the conductor says.

        `fresh`: nobody hears the band yet, so that it may be at its level at once.
        """
        conductor, stage = self.conductor, self.stage
        if self.learner is not None:
            self.learner.reach(self.playout.position(frame + 1, 0))
        known = conductor.moment(self.playout.nominal(frame)) if moment is None else moment
        start, samples = self.span(frame)
        nominal = self.playout.nominal(frame) - self._longer
        stage.set_length(samples)
        self.moves.set_length(samples)
        if not known.playing and self.moves.stays(conductor.peek(nominal)):
            known = dataclasses.replace(known, playing=True)
        cue = conductor.entrance_cue()
        directed = stage.frame(start, known, cue, conductor.peek, fresh)
        if stage.phase == "in":
            directed = self.moves.frame((start, nominal), directed, conductor.peek, cue.section_bar, stage.filling)
        elif stage.phase == "ending":
            directed = self.moves.last((start, nominal), directed, conductor.peek, stage.over_samples < math.inf)
        else:
            self.moves.pause(start)
        conductor.end_with_lead(stage.phase == "ending" or self._ends_soon(nominal, cue))
        self._direct_section(nominal, cue)
        if stage.entrance_samples is not None:
            if self.first_entrance_samples is None:
                self.first_entrance_samples = stage.entrance_samples
            if self.chart_from_entrance:
                conductor.begin_chart(stage.entrance_samples)
            stage.entrance_samples = None
        return directed

    def _ends_soon(self, nominal: float, cue: EntranceCue) -> bool:
        """Whether the chart says that these are the song's last bars."""
        if cue.end_bar is None or self.stage.phase != "in":
            return False
        return self.conductor.peek(nominal).bar >= cue.end_bar - _LAST_BARS

    def _direct_section(self, nominal: int, cue: EntranceCue) -> None:
        """What the song's section asks for, and the fill that leads into it."""
        sounds = self.sections.direct(nominal, self.conductor, self.stage, self.moves, cue)
        if sounds is not None and self._instruments is not None:
            self._instruments.want(with_sounds(self._own_sounds or self._instruments.told, sounds))

    # --------------------------------------------------------------------------------------- play, mix, put

    def make(
        self, frame: int, moment: Moment, controls: Controls, levels_db: tuple[float, ...]
    ) -> Iterator[MadeFrame] | None:
        """Let the player make a frame; None where it could not.

        What comes out is to be taken before the next call: the frame, or none until a batch is whole, or the batch.
        """
        told = self.moves.controls(self.stage.controls(self.sections.controls(controls)))
        for_player = self.answer.answer(told, self.playout.nominal(frame), self.stage.goes_on, self.moves.stays)
        levels_db = levels_by_hand(self.sections.levels_db(levels_db), for_player.hand)
        parts = self._played(moment, for_player)
        if parts is None:
            self.leave_out(frame)
            self._drawn.clear()
            return None
        start, _ = self.span(frame)
        gains = self.stage.gains(start)
        if self.broken and not self._drawn and self.source is not None:
            self.source.start_anew()  # before it has the notes of this frame
        cut = self.moves.gains(start)
        heard_gains = gains if cut is None else cut if gains is None else gains * cut
        self._drawn.append(DrawnFrame(start, levels_db, heard_gains, self.mix, told.style, self.kinds))
        if self._noted is not None:
            heard = HeardFrame(self._notes_from(frame), levels_db, gains, start)
            self._place(self._noted, heard, for_player, moment)
            self._drawn[-1] = self._drawn[-1]._replace(kinds=self.kinds)  # a bar line in it may have changed them
        return self._mixed(parts) if parts.size else iter(())

    def _played(self, moment: Moment, controls: Controls) -> Array | None:
        """The sound of the frame, of none until a batch is whole, or of the batch; None where there is none."""
        instruments = self._instruments
        unheard = self._may_be_quiet and instruments is not None and instruments.all_instruments
        if self.batch_frames == 1 and not unheard:
            return self.guard.play(moment, controls)
        if not self.guard.draw(moment, controls):
            return None
        if len(self._drawn) + 1 < self.batch_frames:
            return _NOT_YET
        return self.guard.pass_over(self.batch_frames) if unheard else self.guard.sound(self.batch_frames)

    @property
    def _longer(self) -> int:
        """By so many samples the next frame is longer than others: only one that goes on from the last makes room."""
        return 0 if self.broken else self.playout.longer_samples

    def span(self, frame: int) -> tuple[int, int]:
        """Of the next frame: the input sample together with which its first one is heard, and how many it has."""
        return self.playout.position(frame, 0) - self._longer, self.host_frame + self._longer

    def leave_out(self, frame: int) -> None:
        """The frame is not made: what comes next does not go on from the last, and no note sounds through the gap."""
        self.broken = True
        self._hand_out(self._audible.end_all(self._notes_from(frame)))

    def _notes_from(self, frame: int) -> float:
        """From where on a frame has its notes. Those that the player gives with a longer one are so much later."""
        return self.playout.nominal(frame) - self._longer - self.notes_late_samples

    def _place(self, noted: NotedPlayer, heard: HeardFrame, controls: Controls, moment: Moment) -> None:
        """The notes of the frame just made for `moment`: where the groove wants them, and what is heard of them."""
        start, style = heard.start_samples, controls.style
        cue = self.conductor.entrance_cue()
        if self.broken and len(self._drawn) == 1:  # the first of a batch
            self._groove.reset()
            self._voicing.reset()
            self._hand_out(self._audible.end_all(start))
        frame = NoteFrame(start + self._longer, self.host_frame, self._host_ratio, style, cue.beat)
        in_groove = self._groove.frame(noted.notes(), frame, self.conductor.peek)
        self.placed_notes = self.moves.settle(self._voicing.frame(in_groove, style))
        if self.score is not None:
            chord = cue.symbol or chord_name(moment.chord_root, moment.chord_pitch_classes)
            self.score.follow(self.conductor.peek(start), cue.section, chord)
        self._hand_out(self._audible.frame(touched(self.placed_notes, controls.hand), heard))
        if self.moves.cut_samples is not None:
            self._hand_out(self._audible.end_all(self.moves.cut_samples))
        instruments = self._instruments
        if instruments is not None:
            if self._tuned is not None:
                instruments.tune(float(round(cents_of(self._tuned.tuning_hz))))
            bar_line = self._bar_line(start + instruments.early_samples)
            instruments.frame(self.placed_notes, round(heard.gains_from_samples), start, bar_line, style)

    def _bar_line(self, position: float) -> float | None:
        """Where in the time of a frame from that position on a bar begins."""
        samples = self.host_frame + self._longer
        here, there = self.conductor.peek(position), self.conductor.peek(position + samples)
        if there.bar <= here.bar or there.beat <= here.beat:
            return None
        return position + min(max((there.bar_beat - here.beat) / (there.beat - here.beat), 0.0), 1.0) * samples

    def _hand_out(self, notes: list[TimedNote]) -> None:
        self._heard_notes += notes
        if self.score is not None:
            self.score.take(notes)

    def take_notes(self) -> list[TimedNote]:
        """What is heard of the notes since this was asked last."""
        notes, self._heard_notes = self._heard_notes, []
        return notes

    def _mixed(self, parts: Array) -> Iterator[MadeFrame]:
        if self.broken:
            for one in (self.playout, self._desk):
                one.start_anew()
            self.broken = False
        drawn, self._drawn = self._drawn, []
        for frame_parts, (start, levels_db, gains, how, style, kinds) in zip(
            np.split(parts, len(drawn), axis=1), drawn, strict=True
        ):
            placed = self._mixer.place(self.playout.resample(frame_parts))
            if self.source is not None:
                self.source.fill(start, placed)
            sounding = self._mixer.level(placed, levels_db)
            if gains is not None:
                sounding *= gains
            self._desk.set(how, style, kinds, levels_db)
            sounding = self._desk.process(sounding)
            mix, rows = self._buses.sum(sounding)
            yield MadeFrame(start, rows, mix, sounding, gains is not None and not gains.any())

    def put(self, made: MadeFrame) -> None:
        """Into the take, if there is one."""
        if self.take is not None:
            self.take.put(made.start_samples, made.mix, made.parts)
