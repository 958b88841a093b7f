"""The inference thread: takes one input frame after another and generates the frame that will be heard later.

Knows no audio library and no model: it meets the port as a Bridge, the model as a Player. One thread, `gigmate-band`;
what other threads may call says so. The order of one step: hear, conduct, take commands, play ahead, measure. How a
frame is heard and made stands in band_step.py, which the offline band shares; what the band is asked is obeyed in
command_handler.py, when it sounds is decided in stage.py, how far ahead it is made in lookahead.py.
"""

from __future__ import annotations

import contextlib
import math
import threading
import time
from collections.abc import Iterator
from dataclasses import replace
from functools import partial

import numpy as np
from numpy.typing import NDArray

from ...dsp.limiter import Limiter
from ...latency.budget import Budget
from ...latency.meter import Meter
from ..callback.heard_frames import HeardFrames
from ..commands import Command, CommandQueue, Tap
from ..config import EngineConfig
from ..fault_kinds import FaultKind
from ..fault_log import FaultLog
from ..gestures import Gestures
from ..notes.note_out import NoteOut
from ..output.bus_mixer import SILENT_PEAKS_DB, PartMixer
from ..output.count_in_click import CountInClick
from ..output.recorder import MIX, Recorder
from ..player import Moment, Player
from ..status import Status
from ..timing.clocks.jack_transport import reading_of
from ..timing.clocks.link_clock import LinkClock
from ..timing.clocks.midi_clock_out import MidiClockOut
from ..timing.conductor import Conducting
from .band_step import BandStep
from .band_switch import Switch
from .command_handler import CommandHandler
from .input_monitor import InputMonitor
from .lookahead import LookAhead, PortFacts, PortLink
from .start.rehearsal import rehearse
from .status_builder import StatusBuilder, misses_of
from .thread_priority import IdleCollector, kept_fluent, raise_priority

__all__ = ["PortFacts", "Worker", "misses_of"]

WARM_UP_FRAMES = 10
_WAIT_S = 0.005
_END_PATIENCE_S = 1.0


class Worker:
    """One run's inference thread. `start`, wait for `ready`, `go`; it ends by itself, or after `end`.

    Each method says its thread.
    """

    link: LinkClock | None = None
    """A Link session that is read once a frame; set before `start`."""

    def __init__(
        self,
        config: EngineConfig,
        port: PortLink,
        player: Player,
        conductor: Conducting,
        commands: CommandQueue,
        fault_log: FaultLog,
        recorder: Recorder | None = None,
    ) -> None:
        """Raises ConfigError for a rate at which the player's frames cannot be played."""
        bridge, clocked = port.bridge, port.clocked
        rate_hz = bridge.rate_hz
        self._config, self._bridge, self._conductor = config, bridge, conductor
        self._commands, self._fault_log, self._recorder = commands, fault_log, recorder
        self._port_ended = port.ended
        self._rate_hz, self._clocked = rate_hz, clocked
        self._band = BandStep(config, rate_hz, player, conductor, fault_log)
        self._rehearse = partial(rehearse, config, rate_hz, player, fault_log)
        self.play_instruments = self._band.play_instruments
        self._guard, self._playout, self.stage = self._band.guard, self._band.playout, self._band.stage
        self.host_frame = self._band.host_frame
        self.heard = HeardFrames(bridge, self.host_frame)
        self._input_monitor = InputMonitor(rate_hz, fault_log, config.input_channels)
        self._gestures = Gestures(config.bindings or (), rate_hz)
        self._midi_connections = 0
        self.frame_s = self.host_frame / rate_hz
        delay_in = self._band.resample_in_samples
        self.look_ahead = LookAhead(self.host_frame, rate_hz, self._playout, delay_in, port.facts, clocked)
        self.switch = Switch(bridge, config.start_playing)
        self.command_handler = CommandHandler(
            config, bridge, self._band, self.switch, self.look_ahead, fault_log, self._first_free_samples
        )
        self._status_builder = StatusBuilder(
            bridge, self._band, self.command_handler, self.look_ahead, fault_log, config
        )
        self._mix_limiter = Limiter(rate_hz, config.ceiling_dbfs)
        self._clicks = CountInClick(bridge.click_ring, rate_hz, config.ceiling_dbfs)
        self._port_facts = port.facts
        self._clock_out = MidiClockOut(self._push_clock, rate_hz)
        self.note_out = NoteOut(bridge.notes, rate_hz, config.midi_latency_ms)
        self._sends_midi = self._said_beatless = self._caught_up = False  # the last: with what came before the run
        self.priority = "normal"
        self.made_frames = self.late_frames = self.skipped_frames = self.failed_frames = 0
        self.played_samples = 0
        self.first_sound_s: float | None = None
        """When the first sound left for the sound card, on the monotonic clock."""

        self._frame = self._next = 0  # the next input frame, and the next frame to be made
        self._made_moment: Moment | None = None
        self._peaks_db = SILENT_PEAKS_DB

        self.beat_s = time.monotonic()
        """When the worker last showed that it lives."""
        self.status = Status(state="loading", frame_ms=1000.0 * self.frame_s)
        self.ready = threading.Event()
        self.ended = threading.Event()
        self._go = threading.Event()
        self._end = threading.Event()
        self._thread = threading.Thread(target=self._run, name="gigmate-band", daemon=True)

    # ------------------------------------------------------------------------------------------- any thread

    def start(self) -> None:
        """Control thread only. Begin with the warm-up; `ready` is set after it."""
        self._thread.start()

    def go(self) -> None:
        """Control thread only. The port runs and its latencies are known: take the first frame."""
        self._go.set()

    def end(self) -> None:
        """Control thread only. End after the step that runs now, without a ramp."""
        self._end.set()
        self._go.set()

    def join(self, timeout_s: float) -> bool:
        """Control thread only. Wait for the thread's end; False if it still runs (a player that hangs)."""
        if self._thread.ident is not None:
            self._thread.join(timeout_s)
        return not self._thread.is_alive()

    @property
    def meter(self) -> Meter:
        """Any thread. Compute times of steps that made one frame."""
        return self.look_ahead.meter

    @property
    def budget(self) -> Budget:
        """Any thread. How far ahead the band is made, and why."""
        return self.look_ahead.budget

    # ------------------------------------------------------------------------------------- the inference thread

    def _run(self) -> None:
        try:
            if self._clocked:
                self.priority = raise_priority()
            with kept_fluent() as collector:
                if self._clocked:
                    with self._whatever_happens():
                        self.look_ahead.guess_s = self._rehearse(self.command_handler.controls)
                else:
                    self._guard.warm_up(self.command_handler.controls, WARM_UP_FRAMES)
                self.beat_s = time.monotonic()
                self._bridge.set_input_needed(0)  # a port without a clock waits from its first sample on
                self.ready.set()
                self._go.wait()
                self._begin()
                self.beat_s = time.monotonic()
                while self._wait_for_frame(collector):
                    with self._whatever_happens():
                        self._step()
        finally:
            self._bridge.set_playing(False)
            self.ready.set()
            with self._whatever_happens():
                self._say("ended")
            self.ended.set()

    @contextlib.contextmanager
    def _whatever_happens(self) -> Iterator[None]:
        try:
            yield
        except Exception as error:  # noqa: BLE001 - a fault of ours must not end the music either
            self._fault_log.fault(FaultKind.WORKER, error=f"{type(error).__name__}: {str(error)[:160]}")

    def _begin(self) -> None:
        """The port's delays are known: fix the first budget and let the player begin."""
        self.look_ahead.notes_late_samples = self._band.notes_late_samples
        self.look_ahead.note_out_samples = float(self.note_out.before_samples)
        self.look_ahead.begin()
        self._sends_midi = self._bridge.sends_midi
        self._guard.reset(self.budget.ahead_frames_up)
        if self.switch.on:
            self.stage.start()
        if self._recorder is not None:
            self._band.line_up(self.budget.max_ahead_frames)
        self._say("playing" if self.switch.on else "stopped")

    def _wait_for_frame(self, collector: IdleCollector) -> bool:
        """Sleep until the next frame is complete, taking commands meanwhile; False when the run is over."""
        end_position = (self._frame + 1) * self.host_frame
        self._take_commands()
        self._bridge.set_input_needed(end_position)
        while not self._end.is_set():
            if self.command_handler.quitting_s < math.inf:
                patience = time.monotonic() - self.command_handler.quitting_s < _END_PATIENCE_S
                if (self._bridge.gain == 0.0 and self.command_handler.loops.silent) or not patience:
                    return False
            if self.heard.wait(_WAIT_S):
                self.heard.let_callback_finish(end_position, self._port_ended)
                return True
            self.beat_s = time.monotonic()
            if self._port_ended.is_set() and self.heard.missing_samples > 0:
                return False
            collector.collect(self.heard.missing_samples / self._rate_hz)
            self._take_commands()
        return False

    # ------------------------------------------------------------------------------------------------- one step

    def _step(self) -> None:
        begin_s = time.perf_counter()
        index = self._frame
        heard = self.heard.read()
        self._frame += 1  # whatever fails below, the clock goes on
        self._input_monitor.hear(index * self.host_frame, heard, self._bridge.nonfinite_in_samples)
        self._input_monitor.hear_channels(*self._bridge.channel_energies(len(self._config.input_channels)))
        self._input_monitor.hear_stalls(self._bridge.stalled_samples)
        for_band = self.command_handler.loops.hear(index * self.host_frame, heard)
        if not self.heard.lost:  # of a time that nobody heard nothing is known: the beat goes on as it was
            self._hear(index, for_band)
        self._take_commands()
        made = self._play(index)
        self._send_notes()
        self._play_loop(index)
        waited_samples = self._bridge.position - (index + 1) * self.host_frame
        # what came in before the run began had to wait for that, and says nothing of steps
        counts, self._caught_up = self._caught_up, self._caught_up or waited_samples < self.host_frame
        later = self.look_ahead.measure(made, time.perf_counter() - begin_s, waited_samples if counts else 0)
        if later or self._playout.turned:
            self._next = self._playout.move(self._next, self.budget.offset_samples, later)
            self._guard.set_ahead(self.budget.ahead_frames_up)
        if self.budget.exceeds_maximum:
            self._fault_log.fault(FaultKind.OVERDRAWN)
        if self._band.take is not None and self._recorder is not None:
            loop = self.command_handler.loops.played(index * self.host_frame, heard.size)
            block = self._band.take.frame(heard)
            block[MIX] = self._mix_limiter.limit(block[MIX] + loop)  # as it is heard; the parts stay as they were made
            self._recorder.put(index * self.host_frame, block, loop)
        if self.switch.on and not self.switch.entering and not self.stage.silent:
            self.played_samples += self.host_frame
        if self.first_sound_s is None:
            self._note_first_sound()
        self._say()
        self.beat_s = time.monotonic()

    def _hear(self, index: int, block: NDArray[np.float32]) -> None:
        transport = self._bridge.transport()
        if transport is not None:
            position, rolling, table = transport
            # What others play at that moment of the song is heard with the input a round trip later, as we are.
            reading = reading_of(position + self.look_ahead.facts.transport_after_samples, rolling, table)
            self._conductor.read_transport(reading)
            if reading.rolling and not reading.has_beats and not self._said_beatless:
                self._said_beatless = True
                text = "JACK transport is rolling without beats: start a program that is its timebase master"
                self._fault_log.fault(FaultKind.TRANSPORT, cause=text)
        if self.link is not None:
            self.link.read(self._conductor.peek, self._conductor.entrance_cue().beat, self.switch.on)
        self._band.hear(index, block)
        self.look_ahead.listen_samples = self._band.listen_delay_samples

    def _play(self, index: int) -> int:
        """Make the frames that are due when input frame `index` has come in; returns how many were made."""
        last = index + self.budget.ahead_frames
        round_trip = self.look_ahead.facts.round_trip_samples
        if self.switch.on and self.stage.over_samples <= self._bridge.position + round_trip:
            self.command_handler.go_out()
        if self.switch.resting:
            self.switch.settle()
            if self.look_ahead.settle():
                self._guard.set_ahead(self.budget.ahead_frames_up)
                self._band.broken, last = True, index + self.budget.ahead_frames
            if self.command_handler.forget:
                self.command_handler.forget = False
                self._guard.reset(self.budget.ahead_frames_up)
            self._peaks_db, self._made_moment = SILENT_PEAKS_DB, None
            self._send_clock(last)
            return 0
        if self._next < last and self.switch.entering:
            self._next, self._band.broken = last, True  # from rest: begin with the newest
        made, first = 0, None
        while self._next <= last:
            frame, self._next = self._next, self._next + 1
            if self._make_in_time(frame):
                made += 1
                first = frame if first is None else first
        silent = self.stage.silent or self._band.moves.silent
        self._bridge.set_fallback_period(0 if silent else self._conductor.bar_samples())
        if self.switch.entering and first is not None:
            position = self.switch.enter(self._playout.position(first, round_trip))
            if self._band.take is not None:
                self._band.take.switch(position + round_trip, True)
        return made

    def _make_in_time(self, frame: int) -> bool:
        """Decide, make and write one frame; False where there was no time for it, or the player could not."""
        moment = self._direct(frame)
        self._send_clock(frame)
        end = self._playout.position(frame + 1, self.look_ahead.facts.round_trip_samples)
        if not self.look_ahead.too_late(end, self._bridge.position):
            return self._make(frame, moment)
        self._band.leave_out(frame)
        if not self.switch.entering:  # else nobody waits for it yet
            self.skipped_frames += 1
            if not self.heard.lost:  # else there was no time in which to make them
                self._fault_log.fault(FaultKind.SKIPPED_FRAMES)
        return False

    def _direct(self, frame: int) -> Moment:
        """The moment of a frame, as the stage will have it played; clicks on the way."""
        moment = self._band.direct(frame, fresh=self.switch.entering and self._bridge.gain == 0.0)
        for click in self.stage.clicks:
            position = click.position_samples - self.look_ahead.facts.round_trip_samples
            self._clicks.click(position, click.accent, click.gain * self.command_handler.click_gain)
        self.stage.clicks.clear()
        return moment

    def _send_clock(self, frame: int) -> None:
        """What a machine that follows the band hears of this frame: it sounds at once, without our round trip."""
        if not self._sends_midi:
            return
        phase = self.stage.phase
        self._clock_out.frame(
            *self._band.span(frame),
            self._conductor.peek,
            self.look_ahead.facts.midi_out_before_samples,
            known=self._conductor.entrance_cue().beat,
            sounds=phase == "in" or (phase == "ending" and self.stage.over_samples == math.inf),
            off=not self.switch.on or self.stage.waits_for_clock,
        )

    def _play_loop(self, index: int) -> None:
        """The musician's loop, as far ahead as the band is made: it sounds whether the band does or not."""
        made = self.command_handler.loops.make(self._playout.position(index + self.budget.ahead_frames + 1, 0))
        if made is not None:
            position, sound = made
            self._bridge.loop_ring.write_at(position - self.look_ahead.facts.round_trip_samples, sound)

    def _send_notes(self) -> None:
        facts = self.look_ahead.facts
        self.note_out.set_programs(self.command_handler.programs, self._bridge.position)
        self.note_out.send(self._band.take_notes(), facts.notes_before_samples, facts.round_trip_samples)

    def _make(self, frame: int, moment: Moment) -> bool:
        """Make one frame and write it; False where the player could not."""
        frames = self._band.make(frame, moment, self.command_handler.controls, self.command_handler.levels.mix_db)
        if frames is None:
            self.failed_frames += 1
            return False
        round_trip = self.look_ahead.facts.round_trip_samples
        for made in frames:
            self._peaks_db = SILENT_PEAKS_DB if made.silent else PartMixer.peaks_db(made.parts)
            self._input_monitor.play(made.start_samples - round_trip, made.mix, made.rows)
            late_samples = self._playout.write(self._bridge.out_ring, frame, made.rows, round_trip)
            if late_samples > 0 and not self.switch.entering:
                self.late_frames += 1
            self._band.put(made)
            self.made_frames += 1
            self._made_moment = moment
        return True

    def _first_free_samples(self) -> float:
        """First input position at which a bar may be made to begin: no frame that reaches it is made yet."""
        next_frame = max(self._next, self._frame + self.budget.ahead_frames)
        return float(self._playout.position(next_frame + 1, 0))

    def _note_first_sound(self) -> None:
        first = self._bridge.first_sound_samples
        if first >= 0:
            self.first_sound_s = time.monotonic() - (self._bridge.position - first) / self._rate_hz

    # ------------------------------------------------------------------------------------------ commands and status

    def _take_commands(self) -> None:
        events = self._bridge.pop_midi_events()
        connections, connected_position = self._bridge.midi_connected()
        if connections != self._midi_connections:
            self._midi_connections = connections
            self._gestures.connected(connected_position)
        if events:
            self.command_handler.take_midi(events, self._port_facts().midi_in_from)
        by_pedal = self._gestures.commands_of(events) + self._gestures.due(self._bridge.position)
        for command in (*map(self._in_place, by_pedal), *self._commands.drain()):
            self.command_handler.obey(command)
        self.command_handler.turn_hand()

    def _in_place(self, command: Command) -> Command:
        """A tap that a program sent means what is heard of it; where a device is connected too, a foot did it."""
        if isinstance(command, Tap):
            source = self._port_facts().midi_in_from
            return replace(command, from_program=source.programs and not source.devices)
        return command

    def _push_clock(self, position: int, message: bytes) -> bool:
        self.command_handler.echo.sent(position, message)
        return self._bridge.push_midi(position, message)

    def _say(self, state: str | None = None) -> None:
        """Replace the snapshot. Any thread may read it."""
        self.status = self._status_builder.snapshot(
            state, self._frame, self.switch.on, self._guard.failing, self._made_moment, self._peaks_db
        )
