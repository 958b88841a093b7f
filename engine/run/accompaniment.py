"""The band without a sound card: blocks of input in, the parts at the same musical time out.

The worker's step (band_step.py) with no thread, no ring and no clock: the same input, seed and ahead give the live
run's samples (docs/serving.md says to what tolerance). Knows no model: player and conductor are handed in. One thread
at a time; memory does not grow with the length of the music.
"""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Iterable, Iterator, Mapping
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, field

import numpy as np
import soxr
from numpy.typing import NDArray

from ...dsp.limiter import Limiter
from ...latency.budget import MAX_AHEAD_FRAMES, Budget, Delays
from ..actions import command_of
from ..charts.chart import Chart
from ..charts.section_settings import SectionSettings
from ..commands import Fill, SetChart, SetControl, SetMix, SetSounds
from ..config import EngineConfig
from ..errors import ConfigError, EngineError
from ..fault_log import FaultLog
from ..mix import FLAT_MIX, Mix, checked_value
from ..notes.note_changes import NoteChange, NoteChanges
from ..output.band_mix import BandMix
from ..output.bus_mixer import mono_of
from ..output.instrument_rows import Rack
from ..output.mixer import rate_that_fits
from ..output.score_log import Score
from ..part_sounds import PartSound, with_sounds
from ..player import PARTS, Controls, Moment, Player
from ..timing.conductor import Conducting
from .band_step import BandStep
from .input_channels import InputChannels
from .lookahead import MARGIN_MS, OFFLINE_STEP_SHARE
from .moves.asked import MOVES, ask

Array = NDArray[np.float32]
_CHANNELS = 2 * (1 + len(PARTS))
"""Of the mix and of each part."""
_FILE_PORT_BLOCK_SAMPLES = 256
BATCH_FRAMES = 8
"""Frames turned into sound at once where a whole recording is there: more are hardly quicker."""
_SURE = 0.5
"""Confidence on inertia: nothing contradicts the grid any more, so the band need not hold back."""


@dataclass(frozen=True, slots=True)
class Stretch:
    """What the band plays from input sample `position_samples` on, at the caller's rate. Any thread."""

    position_samples: int
    mix: Array
    """[n, 2], left and right, limited: what the loudspeakers get."""
    parts: Array
    """[parts, n, 2], each at its level, before the limiter."""
    notes: tuple[NoteChange, ...] = ()
    """What begins and what ends in it, in order of time; every note that begins also ends."""

    @property
    def samples(self) -> int:
        return len(self.mix)

    @property
    def mono(self) -> Array:
        """The mix [n] on one loudspeaker: what is in the middle is as loud as in `mix`."""
        return mono_of(self.mix.T)

    @property
    def mono_parts(self) -> Array:
        """[parts, n]: each part on one loudspeaker."""
        return mono_of(self.parts.swapaxes(1, 2))


@dataclass(frozen=True, slots=True)
class AccompanimentSettings:
    """How a piece is accompanied. Any thread."""

    band_rate_hz: int | None = None
    """The rate at which the conductor counts; None: that of `rate_that_fits`."""
    controls: Controls | None = None
    mix: Mix = FLAT_MIX
    seed: int = 0
    ahead_frames: int | None = None
    """None: what a live run on a file takes."""
    ceiling_dbfs: float = -1.0
    play_along: bool = True
    """False: the band is silent, but not idle, until the input has ended."""
    wait: bool = False
    """The band comes in when the musician plays and a beat is found, and stops with them, as on stage."""
    chart: Chart | None = None
    """It gives the chords, from the bar line nearest to `chart_start_samples` of the input on."""
    chart_start_samples: int | None = 0
    """None: the bar line on which the band comes in, as on stage."""
    batch_frames: int = 1
    """A player that can turns so many frames into sound at once: quicker, the same music, and given so much later."""
    input_channels: tuple[int, ...] | None = None
    """Those of each block that are heard, from 1; None: the mean of all."""
    chart_tempo_bpm: float | None = None
    """The tempo there, where it is known beforehand: a band that waits comes in with the chart's first bar."""
    sounds: tuple[PartSound, ...] = ()
    """What each part sounds with, in the order of PARTS; empty: the neural voice."""
    fills: str = "auto"
    """Whether fills lead into sections of the chart by themselves: "auto", else "ask" or "never"."""
    sections: Mapping[str, SectionSettings] = field(default_factory=dict)
    """What sections of the chart ask for where it does not say so itself, by name."""
    rack: Rack | None = None
    """Where instruments come from, one that waits until they are there. None: there are none."""


_AS_IT_IS = AccompanimentSettings()


class Accompaniment:
    """One piece of music, from its first sample on: `push` blocks of any size, then `finish` once.

    Output sample s is meant to be heard together with input sample s. Exactly as many samples come out as went in
    (and were asked for beyond the end). One thread at a time.
    """

    def __init__(
        self,
        player: Player,
        conductor: Conducting,
        rate_hz: int,
        settings: AccompanimentSettings = _AS_IT_IS,
    ) -> None:
        """`conductor` counts at the settings' `band_rate_hz`. Raises ConfigError for a rate, an ahead or channels
        that cannot be."""
        self.rate_hz = rate_hz
        self.band_rate_hz = settings.band_rate_hz or rate_that_fits(rate_hz, player)
        self.controls = settings.controls or Controls()
        self._settings = settings
        self._conductor = conductor
        self._fault_log = FaultLog()
        self._input = InputChannels(rate_hz, settings.input_channels, self._fault_log)
        waits = settings.wait and settings.play_along
        config = EngineConfig(wait_for_musician=waits, start_playing=True, seed=settings.seed)
        self._band = BandStep(
            config, self.band_rate_hz, player, conductor, self._fault_log, batch_frames=settings.batch_frames
        )
        if settings.rack is not None and self._band.play_instruments(settings.rack):
            self._band.set_sounds(SetSounds(settings.sounds))
        self._band.sections.set_fills(settings.fills)
        self._band.sections.set_sections(settings.sections)
        self._mix = BandMix()
        self._mix.take_preset(settings.mix)
        self._band.mix = self._mix.mix
        self._playout, self._host_frame = self._band.playout, self._band.host_frame
        self._turn: AbstractContextManager[object] = getattr(player, "frame_turn", None) or nullcontext()
        ahead_frames = settings.ahead_frames
        self.ahead_frames = self._live_ahead_frames() if ahead_frames is None else ahead_frames
        if not 0 <= self.ahead_frames <= MAX_AHEAD_FRAMES:
            raise ConfigError(f"ahead {ahead_frames} frames: give 0 to {MAX_AHEAD_FRAMES}")
        late = math.ceil(self._playout.lead_samples / self._host_frame) - self.ahead_frames
        self._held_frames = max(0, late + self._band.batch_frames - 1)
        self._take = self._band.line_up(self.ahead_frames + self._held_frames)
        self._limiter = Limiter(rate_hz, settings.ceiling_dbfs)
        self._in: soxr.ResampleStream | None = None
        self._out: soxr.ResampleStream | None = None
        if self.band_rate_hz != rate_hz:
            self._in = soxr.ResampleStream(rate_hz, self.band_rate_hz, 1, dtype="float32")
            self._out = soxr.ResampleStream(self.band_rate_hz, rate_hz, _CHANNELS, dtype="float32")

        self._block = np.zeros(self._host_frame, np.float32)
        self._filled = self._frame = 0
        self._next = self.ahead_frames
        self._entered = self._going_on = False  # the latter: beyond the end
        self._end_samples: int | None = None  # band rate: where the input has ended
        self._last_heard: Moment | None = None
        self._band.stage.start()
        self._pushed_samples = self._given_samples = 0
        self._finished = False
        self._band.guard.reset(self.ahead_frames)
        self._band.keep_score()
        self._notes = NoteChanges(rate_hz / self.band_rate_hz)
        self._sounds_from: float | None = None  # band rate: where the band was switched on
        self._begin()

    def _begin(self) -> None:
        """The conductor learns what is known before the first sample."""
        settings, conductor, chart = self._settings, self._conductor, self._settings.chart
        if settings.controls is not None:
            conductor.obey(SetControl("style", settings.controls.style), 0.0)
        if chart is not None:
            conductor.obey(SetChart(chart), 0.0)
        self._band.moment_of_newest(0)  # as the worker, whose status shows the moment from the beginning on
        start_samples = settings.chart_start_samples
        self._band.chart_from_entrance = chart is not None and start_samples is None
        if chart is not None and start_samples is not None:
            position = max(0, start_samples) * self.band_rate_hz / self.rate_hz
            if settings.wait and settings.play_along:
                conductor.begin_bar(position, settings.chart_tempo_bpm)
                self._band.stage.earliest_samples = position
            conductor.begin_chart(position)

    @property
    def ahead_ms(self) -> float:
        """The ahead in milliseconds."""
        return 1000.0 * self.ahead_frames * self._host_frame / self.band_rate_hz

    @property
    def came_in_s(self) -> float | None:
        """Where in the input the band first sounded; None: it has not come in yet."""
        entrance_samples = self._band.first_entrance_samples
        return None if entrance_samples is None else max(0.0, entrance_samples) / self.band_rate_hz

    @property
    def moment(self) -> Moment:
        """The musical moment of the newest sample heard."""
        return self._band.moment_of_newest(self._frame)

    def score(self) -> Score:
        """What was played until now, as notes: complete after the last stretch of `finish`. Empty where the player
        knows no notes."""
        log = self._band.score
        if log is None or self._sounds_from is None:
            return Score()
        end = self._given_samples * self.band_rate_hz / self.rate_hz
        if self._finished:
            log.end_all(end)
        return log.score(self._sounds_from, end, float(self.band_rate_hz))

    @property
    def sounds(self) -> tuple[str, ...]:
        """What each part sounds with now, in the order of PARTS."""
        return self._band.sounds

    def check_changes(self, mix: Iterable[SetMix], sounds: Mapping[str, PartSound]) -> None:
        """Raise ConfigError for what `change_mix` and `change_sounds` cannot do."""
        for change in mix:
            checked_value(change.name, change.value, change.part)
        if sounds and not self._band.told_sounds:
            raise ConfigError("instruments need the notes of the band, and this one does not give them")

    def change_mix(self, changes: Iterable[SetMix]) -> None:
        """Bring pan, width, room or compression of parts there, gliding. Raises ConfigError for what cannot be."""
        for change in changes:
            self._mix.set(change.part, change.name, change.value)
        self._band.mix = self._mix.mix

    def change_sounds(self, sounds: Mapping[str, PartSound]) -> None:
        """From the next bar line on these parts sound with that. Raises ConfigError where there are no instruments."""
        self.check_changes((), sounds)
        if sounds:
            self._band.set_sounds(SetSounds(with_sounds(self._band.told_sounds, sounds)))

    def do(self, name: str, **arguments: object) -> None:
        """A move (docs/moves.md) or a "fill" by its action's name: on the next line that is not made yet. Raises
        ConfigError for another name, and for what a band that is not in cannot do."""
        command = command_of(name, arguments)
        plays = self._entered and self._band.stage.phase == "in"
        if isinstance(command, MOVES):
            ask(self._band.moves, command, plays)
        elif isinstance(command, Fill) and plays:
            self._band.stage.fill()
        else:
            raise ConfigError(f"{name}: a stream takes moves, and fills while its band plays")

    @property
    def warnings(self) -> tuple[str, ...]:
        """What is wrong with the input, in words."""
        return self._fault_log.warnings

    @property
    def samples_pushed(self) -> int:
        return self._pushed_samples

    def push(self, block: NDArray[np.floating]) -> Stretch:
        """Take float [n] or [n, channels] (one of them or a mean; what is not finite counts as 0, and all beyond 24 dB
        over full scale as that), and give what it lets the band play: often less or more than n samples, after the last
        given.

        Raises ConfigError for another shape, EngineError where the model fails.
        """
        if self._finished or self._end_samples is not None:
            raise RuntimeError("the music has ended: begin a new accompaniment")
        mono = self._input.mono(block)
        self._pushed_samples += mono.size
        if self._in is not None:
            mono = self._in.resample_chunk(mono)
        return self._give(self._feed(mono))

    def finish(self, continue_samples: int = 0) -> Iterator[Stretch]:
        """The input has ended: what is left, and `continue_samples` of music beyond, on the conductor's inertia.

        Exhaust the iterator. Raises EngineError where the model fails.
        """
        if self._finished or self._end_samples is not None:
            raise RuntimeError("the music has ended: begin a new accompaniment")
        if continue_samples < 0:
            raise ConfigError(f"continue for {continue_samples} samples: give 0 or more")
        if self._in is not None:
            yield self._give(self._feed(self._in.resample_chunk(np.zeros(0, np.float32), last=True)))
        total = self._pushed_samples + continue_samples
        at_band_rate = math.ceil(total * self.band_rate_hz / self.rate_hz)
        self._end_samples = self._frame * self._host_frame + self._filled
        if not self._settings.play_along and continue_samples:
            self._take.switch(self._end_samples, True)
            self._sounds_from = self._end_samples
        if continue_samples:
            self._going_on = True
            self._band.stage.enter_alone(max(self._end_samples, self._playout.position(self._next, 0)))
            self._take.switch(max(0, at_band_rate - self._band.ramp_samples), False)
        silence = np.zeros(self._host_frame, np.float32)
        while (self._frame - self._held_frames) * self._host_frame < at_band_rate:
            yield self._give(self._feed(silence[self._filled :]), total)
        if self._out is not None:
            last = self._out.resample_chunk(np.zeros((0, _CHANNELS), np.float32), last=True)
            yield self._give(None, total, last.T)
        missing = total - self._given_samples
        if missing > 0:  # a resampler that gives a sample less than the ratio says
            yield self._give(None, total, np.zeros((_CHANNELS, missing), np.float32))
        self._finished = True

    # ---------------------------------------------------------------------------------------------- one frame

    def _feed(self, mono: Array) -> list[Array]:
        rows, done = [], 0
        while done < mono.size:
            count = min(mono.size - done, self._host_frame - self._filled)
            self._block[self._filled : self._filled + count] = mono[done : done + count]
            self._filled += count
            done += count
            if self._filled == self._host_frame:
                self._filled = 0
                with self._turn:
                    made = self._step()
                if made is not None:
                    rows.append(made)
        return rows

    def _step(self) -> Array | None:
        """Frame in; [mix and parts, frame] of musical time out, or None while nothing is complete."""
        index = self._frame
        self._frame += 1
        ended = self._end_samples is not None and index * self._host_frame >= self._end_samples
        if ended and self._last_heard is None:
            self._last_heard = self._conductor.moment(self._end_samples or 0)
        if not self._band.hear(index, self._block, conduct=not ended):
            raise EngineError(self._fault_log.warnings[-1])
        while self._next <= index + self.ahead_frames:
            self._make(self._next, ended)
            self._next += 1
        self._band.moment_of_newest(self._frame)  # as the worker does for its status
        if index < self._held_frames:
            return None
        return self._take.frame(np.zeros(self._host_frame, np.float32))[1:]

    def _make(self, frame: int, ended: bool) -> None:
        moment = self._conductor.moment(self._playout.nominal(frame))
        if ended or self._going_on:
            known = moment if self._last_heard is None else self._last_heard
            confidence = max(known.confidence, _SURE)
            moment = dataclasses.replace(moment, playing=True, confidence=confidence)
        moment = self._band.direct(frame, fresh=not self._entered, moment=moment)
        frames = self._band.make(frame, moment, self.controls, self.controls.levels_db)
        if frames is None:
            raise EngineError(self._fault_log.warnings[-1])
        for made in frames:
            self._band.put(made)
        if not self._entered:
            self._entered = True
            if self._settings.play_along:
                self._sounds_from = max(0, self._playout.position(frame, 0))
                self._take.switch(self._sounds_from, True)
        self._notes.put(self._band.take_notes())

    def _give(self, rows: list[Array] | None, total_samples: int | None = None, more: Array | None = None) -> Stretch:
        """What was made as a stretch at the caller's rate, not beyond `total_samples`."""
        made = np.concatenate(rows, axis=1) if rows else np.zeros((_CHANNELS, 0), np.float32)
        if self._out is not None and made.shape[1]:
            made = self._out.resample_chunk(np.ascontiguousarray(made.T)).T
        if more is not None:
            made = np.concatenate([made, more], axis=1)
        if total_samples is not None:
            made = made[:, : total_samples - self._given_samples]
        position = self._given_samples
        self._given_samples += made.shape[1]
        mix = np.ascontiguousarray(self._limiter.limit(made[:2]).T)
        parts = np.ascontiguousarray(made[2:].reshape(len(PARTS), 2, -1).swapaxes(1, 2), np.float32)
        over = total_samples is not None and self._given_samples >= total_samples > position
        sounds_from = math.inf if self._sounds_from is None else self._sounds_from
        return Stretch(position, mix, parts, self._notes.take(position, self._given_samples, sounds_from, over))

    def _live_ahead_frames(self) -> int:
        delays = Delays(
            player_samples=self._playout.player_samples,
            resample_out_samples=self._playout.resample_samples,
            block_samples=_FILE_PORT_BLOCK_SAMPLES,
            margin_samples=MARGIN_MS * self.band_rate_hz / 1000.0,
        )
        return Budget(self._host_frame, delays, OFFLINE_STEP_SHARE * self._host_frame).ahead_frames
