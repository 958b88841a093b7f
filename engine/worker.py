"""The inference thread: a frame comes in, is heard, and the frame that will be heard with a later one goes out.

Knows no audio library and no model: it meets the port as a Bridge, the model as a Player. One thread, `gigmate-band`;
what other threads may call says so. The order of one step: hear, conduct, take commands, play ahead, measure.
"""

from __future__ import annotations

import contextlib
import math
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from fractions import Fraction

import numpy as np

from ..dsp.framing import Framer
from ..dsp.resample import Resampler
from ..latency.budget import Budget, Delays
from ..latency.meter import Meter
from .bridge import RAMP_MS, Bridge, BridgeCounters
from .commands import Command, CommandQueue, Panic, Quit, SetControl, SetLevel, Start, Stop, Tap, Toggle
from .conductor import Conducting
from .config import ConfigError, EngineConfig
from .guard import GuardedPlayer
from .mix import SILENT_PEAKS_DB, PartMixer, Playout, controls_after
from .notes import Notes
from .pedal import Gestures
from .player import Controls, Player
from .recorder import Recorder, Take
from .status import SILENCE_DB, Status, chord_name
from .threads import IdleCollector, kept_fluent, raise_priority

MARGIN_MS = 4.0
"""For waking up late and for other programs' turns."""
OFFLINE_STEP_SHARE = 0.4
"""Where there is no clock, a step counts as this part of a frame: the same band as on a fair machine, repeatable."""
WARM_UP_FRAMES = 10
_GUESS_STEPS = 250
"""Until so many steps were measured, the guess from the warm-up counts as well."""
_WAIT_S = 0.005
_END_PATIENCE_S = 1.0
_LATENCIES_EVERY_FRAMES = 25


@dataclass(frozen=True, slots=True)
class PortFacts:
    """What the worker has to know of the port, as it is now."""

    capture_latency_samples: int
    round_trip_samples: int
    block_samples: int


class Worker:
    """One run's inference thread. `start`, wait for `ready`, `go`; it ends by itself, or after `end`."""

    def __init__(
        self,
        config: EngineConfig,
        bridge: Bridge,
        player: Player,
        conductor: Conducting,
        commands: CommandQueue,
        notes: Notes,
        port_facts: Callable[[], PortFacts],
        port_ended: threading.Event,
        recorder: Recorder | None = None,
        clocked: bool = True,
    ) -> None:
        """`clocked`: the port follows a clock; else it waits for the worker, and the same input gives the same samples.

        Raises ConfigError for a rate at which the player's frames cannot be played.
        """
        rate_hz = bridge.rate_hz
        self._config, self._bridge, self._conductor = config, bridge, conductor
        self._commands, self._notes, self._recorder = commands, notes, recorder
        self._port_facts, self._port_ended = port_facts, port_ended
        self._rate_hz = rate_hz
        self._clocked = clocked
        self._guard = GuardedPlayer(player, notes, config.seed)
        self._playout = Playout(
            rate_hz, player.sample_rate_hz, player.frame_samples, player.play_delay_samples, recorder is not None
        )
        self.host_frame = self._playout.host_frame
        self._down = Resampler(rate_hz, player.sample_rate_hz, self.host_frame, rate_hz)
        self._framer = Framer(player.frame_samples, player.tail_samples)
        self._ratio = Fraction(rate_hz, player.sample_rate_hz)
        self._mixer = PartMixer(player.frame_samples)
        self._heard_block = np.zeros(self.host_frame, np.float32)
        self._take: Take | None = None
        self._gestures = Gestures(config.bindings or (), rate_hz)
        self._controls = Controls()
        self.frame_s = self.host_frame / rate_hz
        self.meter = Meter()
        """Compute times of steps that made one frame; any thread may read."""
        self._response = Meter()
        self._guess_s = 0.0
        self._facts = PortFacts(0, 0, 0)
        self._listen_samples = 0.0
        self._step_frames = 0
        self._step_s = 0.0
        self.budget = Budget(self.host_frame, Delays(), 0.0)
        self.priority = "normal"
        self.made_frames = 0
        self.late_frames = 0
        self.skipped_frames = 0
        self.failed_frames = 0
        self.played_samples = 0

        self._frame = 0  # the next input frame
        self._next = 0  # the next frame to be made
        self._on = config.start_playing
        self._entering = self._on  # the callback has not been told yet
        self._broken = True  # the next frame made does not go on from the last
        self._forget = False
        self._quitting_s = math.inf
        self._peaks_db = SILENT_PEAKS_DB
        self._last_misses = 0
        self._covering_until = 0

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
        """Begin with the warm-up; `ready` is set after it."""
        self._thread.start()

    def go(self) -> None:
        """The port runs and its latencies are known: take the first frame."""
        self._go.set()

    def end(self) -> None:
        """End after the step that runs now, without a ramp."""
        self._end.set()
        self._go.set()

    def join(self, timeout_s: float) -> bool:
        """Wait for the thread's end; False if it still runs (a player that hangs)."""
        if self._thread.ident is not None:
            self._thread.join(timeout_s)
        return not self._thread.is_alive()

    # ------------------------------------------------------------------------------------- the inference thread

    def _run(self) -> None:
        try:
            if self._clocked:
                self.priority = raise_priority()
            with kept_fluent() as collector:
                times_s = self._guard.warm_up(self._controls, WARM_UP_FRAMES)
                self._guess_s = 1.2 * max(times_s[WARM_UP_FRAMES // 2 :])
                self.beat_s = time.monotonic()
                self._bridge.set_wanted(0)  # a port without a clock waits from its first sample on
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
            self._notes.fault(
                "worker", f"a step failed ({type(error).__name__}: {str(error)[:160]}); please report this"
            )

    def _begin(self) -> None:
        """The port's delays are known: fix the first budget and let the player begin."""
        if not self._clocked:
            self._guess_s = OFFLINE_STEP_SHARE * self.frame_s
        self._facts = self._port_facts()
        self.budget = Budget(self.host_frame, self._delays(), self._guess_s * self._rate_hz)
        self._guard.reset(self.budget.ahead_frames)
        if self._recorder is not None:
            ramp_samples = max(1, round(RAMP_MS * self._rate_hz / 1000))
            self._take = Take(self.host_frame, ramp_samples, self.budget.max_ahead_frames)
        self._say("playing" if self._on else "stopped")

    def _delays(self) -> Delays:
        return Delays(
            round_trip_samples=self._facts.round_trip_samples,
            player_samples=self._playout.player_samples,
            resample_out_samples=self._playout.resample_samples,
            block_samples=self._facts.block_samples if self._clocked else 0,  # such a port cuts to what is wanted
            margin_samples=MARGIN_MS * self._rate_hz / 1000.0,
            resample_in_samples=float(self._down.delay_in_samples),
            listen_samples=self._listen_samples,
        )

    def _wait_for_frame(self, collector: IdleCollector) -> bool:
        """Sleep until the next frame is complete, taking commands meanwhile; False when the run is over."""
        end_position = (self._frame + 1) * self.host_frame
        self._take_commands()
        self._bridge.set_wanted(end_position)
        while not self._end.is_set():
            if self._quitting_s < math.inf:
                patience = time.monotonic() - self._quitting_s < _END_PATIENCE_S
                if self._bridge.gain == 0.0 or not patience:
                    return False
            if self._bridge.wait(_WAIT_S, self.host_frame):
                # The heard block is there before the callback has played: let it finish, so that the clock is exact.
                self._let_callback_finish(end_position)
                return True
            self.beat_s = time.monotonic()
            if self._port_ended.is_set() and self._bridge.in_ring.fill_samples < self.host_frame:
                return False
            missing_samples = self.host_frame - self._bridge.in_ring.fill_samples
            collector.collect(missing_samples / self._rate_hz)
            self._take_commands()
        return False

    def _let_callback_finish(self, end_position: int) -> None:
        for _ in range(50):
            if self._bridge.position >= end_position or self._port_ended.is_set():
                return
            time.sleep(0.0001)

    # ------------------------------------------------------------------------------------------------- one step

    def _step(self) -> None:
        begin_s = time.perf_counter()
        index = self._frame
        self._bridge.in_ring.read_into(self._heard_block)
        self._frame += 1  # whatever fails below, the clock goes on
        self._hear(index)
        self._take_commands()
        made = self._play(index)
        self._measure(index, made, time.perf_counter() - begin_s)
        if self._take is not None and self._recorder is not None:
            self._recorder.put(index * self.host_frame, self._take.frame(self._heard_block))
        if self._on and not self._entering:
            self.played_samples += self.host_frame
        self._say()
        self.beat_s = time.monotonic()

    def _hear(self, index: int) -> None:
        for chunk in self._framer.push(self._down.process(self._heard_block)):
            heard = self._guard.listen(chunk)
            if heard is not None:
                self._listen_samples = float(heard.delay_samples * self._ratio)
                end = (index + 1) * self.host_frame - float(self._down.delay_in_samples) - self._listen_samples
                self._conductor.hear(heard, end, self.host_frame)

    def _play(self, index: int) -> int:
        """Make the frames that are due when input frame `index` has come in; returns how many were made."""
        resting = not self._on and self._bridge.gain == 0.0
        if resting:
            if self._forget:
                self._forget = False
                self._guard.reset(self.budget.ahead_frames)
            self._peaks_db = SILENT_PEAKS_DB
            return 0
        last = index + self.budget.ahead_frames
        if self._next < last and self._entering:
            self._next, self._broken = last, True  # from rest: begin with the newest
        made, first = 0, None
        while self._next <= last:
            frame, self._next = self._next, self._next + 1
            if self._too_late(frame) and self._entering:
                self._broken = True  # nobody waits for it yet
            elif self._too_late(frame):
                self.skipped_frames += 1
                self._notes.fault("skipped_frames", "the band fell behind and left frames out; the last bar went on")
                self._broken = True
            elif self._make(frame):
                made += 1
                first = frame if first is None else first
        self._bridge.set_fallback_period(self._conductor.bar_samples())
        if self._entering and self._on and first is not None:
            self._enter(first)
        return made

    def _too_late(self, frame: int) -> bool:
        """Whether all of the frame would have been played before it is made."""
        if not self._clocked:
            return False
        end = self._playout.position(frame + 1, self._facts.round_trip_samples)
        step_samples = min(self.meter.recent_percentile_s(50.0) * self._rate_hz, self.host_frame)
        return end <= self._bridge.position + step_samples

    def _make(self, frame: int) -> bool:
        """Make one frame and write it; False where the player could not."""
        moment = self._conductor.moment(frame * self.host_frame)
        parts = self._guard.play(moment, self._controls)
        if parts is None:
            self.failed_frames += 1
            self._broken = True
            return False
        if self._broken:
            self._playout.start_anew()
            self._broken = False
        mix, scaled = self._mixer.mix(parts, self._controls.levels_db)
        self._peaks_db = self._mixer.peaks_db(scaled)
        rows = self._playout.resample(mix, scaled)
        late_samples = self._playout.write(self._bridge.out_ring, frame, rows[0], self._facts.round_trip_samples)
        if late_samples > 0 and not self._entering:
            self.late_frames += 1
        if self._take is not None:
            self._take.put(self._playout.position(frame, 0), rows)
        self.made_frames += 1
        return True

    def _enter(self, first_frame: int) -> None:
        """The first frames lie ready: let the callback open at the first of them that can still be heard whole."""
        position = self._playout.position(first_frame, self._facts.round_trip_samples)
        position = max(position, self._bridge.position)
        self._bridge.set_playing(True, position)
        self._entering = False
        if self._take is not None:
            self._take.switch(position + self._facts.round_trip_samples, True)

    def _measure(self, index: int, made: int, step_s: float) -> None:
        """Keep the step's time, and the budget by it."""
        self._step_s = step_s
        if made == 1:
            self.meter.add(step_s)
            waited = self._bridge.position - (index + 1) * self.host_frame - self._facts.block_samples
            self._response.add(max(step_s, waited / self._rate_hz))
        before = self.budget.ahead_frames
        self._step_frames += 1
        if self._step_frames % _LATENCIES_EVERY_FRAMES == 0:
            self._follow_port()
        if self._clocked and made:
            slow_s = self._response.recent_percentile_s(99.9)
            if self._response.steps < _GUESS_STEPS:
                slow_s = max(slow_s, self._guess_s)
            self.budget.update(min(slow_s, 3 * self.frame_s) * self._rate_hz)
        if self.budget.ahead_frames != before:
            self._guard.set_ahead(self.budget.ahead_frames)
        if self.budget.overdrawn:
            self._notes.fault(
                "overdrawn", "the machine is too slow for this band: close other programs, or take a larger block"
            )

    def _follow_port(self) -> None:
        """The server may have changed its block or its latencies, and the player has said how late it hears."""
        self._facts = self._port_facts()
        delays = self._delays()
        if delays != self.budget.delays:
            self.budget.declare(delays)

    # ------------------------------------------------------------------------------------------------- commands

    def _take_commands(self) -> None:
        for command in self._gestures.commands_of(self._bridge.pop_midi_events()):
            self._do(command)
        for command in self._commands.drain():
            self._do(command)

    def _do(self, command: Command) -> None:
        if isinstance(command, Toggle):
            command = Stop() if self._on else Start()
        if isinstance(command, Start):
            if self._quitting_s == math.inf and not self._on:
                self._on = self._entering = True
        elif isinstance(command, (Stop, Panic, Quit)):
            self._go_out()
            if isinstance(command, Panic):
                self._forget = True
                self._conductor.reset()
            elif isinstance(command, Quit):
                self._quitting_s = min(self._quitting_s, time.monotonic())
        elif isinstance(command, Tap):
            # What the musician tapped to enters the input later, by the way through the converter.
            at_sample = command.at_sample if command.at_sample >= 0 else self._bridge.position
            self._conductor.tap(at_sample + self._facts.capture_latency_samples)
        elif isinstance(command, (SetLevel, SetControl)):
            try:
                self._controls = controls_after(self._controls, command)
            except ConfigError as error:
                self._notes.fault("command", str(error))

    def _go_out(self) -> None:
        was_sounding = self._on and not self._entering
        self._on = self._entering = False
        self._bridge.set_playing(False)
        if self._take is not None and was_sounding:
            self._take.switch(self._bridge.position + self._facts.round_trip_samples, False)

    # --------------------------------------------------------------------------------------------------- status

    def _state(self, counters: BridgeCounters) -> str:
        if counters.miss_samples > self._last_misses:
            self._last_misses = counters.miss_samples
            self._covering_until = self._frame + max(1, round(0.5 / self.frame_s))
        if not self._on:
            return "stopping" if self._bridge.gain > 0.0 else "stopped"
        return "fallback" if self._frame < self._covering_until or self._guard.failing else "playing"

    def _say(self, state: str | None = None) -> None:
        """Replace the snapshot. Any thread may read it."""
        counters = self._bridge.counters()
        now = max(0, self._frame * self.host_frame - 1)
        moment = self._conductor.moment(now)
        known = self._conductor.bar_samples() > 0
        if counters.in_dropped_samples:
            self._notes.fault("input_dropped", "the band did not listen in time: a stretch of the input is lost to it")
        self.status = Status(
            state=state or self._state(counters),
            seconds=counters.samples / self._rate_hz,
            input_db=_db(counters.in_peak),
            output_db=_db(counters.out_peak),
            part_db=self._peaks_db,
            bar=self._conductor.bar_count(now) + 1 if known else 0,
            beat=int(moment.bar_phase * moment.beats_per_bar) + 1 if known else 0,
            beats_per_bar=moment.beats_per_bar,
            beat_phase=moment.beat_phase,
            tempo_bpm=moment.tempo_bpm if known else 0.0,
            confidence=moment.confidence,
            chord=chord_name(moment.chord_root, moment.chord_pitch_classes),
            step_ms=1000.0 * self._step_s,
            step_p99_ms=1000.0 * self.meter.recent_percentile_s(99.0),
            frame_ms=1000.0 * self.frame_s,
            ahead_samples=self.budget.ahead_samples,
            misses=misses_of(counters, self.host_frame),
            miss_episodes=counters.miss_episodes,
            xruns=counters.xruns,
            callbacks=counters.callbacks,
            callbacks_expected=counters.callbacks,
            warnings=self._notes.warnings,
        )


def misses_of(counters: BridgeCounters, host_frame: int) -> int:
    """Frames' worth of samples that the callback had to cover, and at least one for each episode."""
    return max(counters.miss_episodes, math.ceil(counters.miss_samples / host_frame))


def _db(peak: float) -> float:
    return max(SILENCE_DB, 20.0 * math.log10(peak)) if peak > 0.0 else SILENCE_DB
