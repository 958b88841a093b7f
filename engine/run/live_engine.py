"""The live engine: creates port, bridge, worker and recorder, starts, supervises and closes them.

Knows no model: player and conductor are handed in. Belongs to one thread (the one that made it); `post`, `status`,
`report` and `wait` may be used by any.
"""

from __future__ import annotations

import dataclasses
import math
import threading
import time
from types import TracebackType
from typing import Any

from ..callback.bridge import Bridge
from ..callback.sample_clock import SampleClock
from ..commands import STAMPED, Command, CommandQueue, Panic, Quit
from ..config import EngineConfig
from ..errors import EngineError
from ..fault_kinds import FaultKind
from ..fault_log import FaultLog
from ..notes.note_sender import NoteSender, NoteSink
from ..output.instrument_rows import Rack
from ..output.recorder import Recorder
from ..player import PARTS, Player
from ..ports.claimed_round_trip import ClaimedRoundTrip
from ..ports.port import Neighbours, Port, open_port
from ..ports.reconnecting import PortReconnector
from ..process_start import process_start_s
from ..status import Status
from ..timing.anchor import StartedSource
from ..timing.clocks.link_clock import LinkClock, LinkMode
from ..timing.clocks.link_session import LinkSession
from ..timing.conductor import Conducting
from .lookahead import PortFacts, PortLink
from .status_builder import figures_of_budget, figures_of_misses, figures_of_output, figures_of_steps, versions
from .thread_priority import raise_priority
from .worker import Worker, misses_of

_WARM_UP_TIMEOUT_S = 120.0
_STOP_TIMEOUT_S = 2.5
_STALE_S = 2.0
"""A worker that has not shown itself for so long is hanging in the player."""
_BUFFER_S = 2.0
_TO_DEVICES = (Neighbours(devices=True),) * len(PARTS)


class Engine:
    """One live run. `start`, then `post` commands and read `status`; `close` always (or use it as a context manager).

    Raises EngineError or ConfigError where it cannot be: a port that will not open, a rate that does not fit, a
    recording that cannot be written. Each method says its thread.
    """

    _link: LinkSession | None = None

    def __init__(
        self,
        config: EngineConfig,
        player: Player,
        conductor: Conducting,
        port: Port | None = None,
        note_sink: NoteSink | None = None,
    ) -> None:
        """`port` None opens the one that the config names; `note_sink` takes the notes where JACK does not. An engine
        closes both, whoever opened them."""
        self.config = config
        self._fault_log = FaultLog()
        self._commands = CommandQueue()
        self._recorder: Recorder | None = None
        self._final_report: dict[str, Any] | None = None
        self._closed = self._started = False
        self._closing = threading.Lock()
        self._ready_s: float | None = None
        self._said_lost = self._said_xruns = self._said_remark = False
        self._measured_way: tuple[int, int] | None = None
        self._measured_claim = 0
        self._claim = ClaimedRoundTrip()
        opened = port is None
        self.port = open_port(config) if port is None else port
        self._reconnecting: PortReconnector | None = None
        self._over = self.port.ended
        try:
            rate_hz = self.port.rate_hz
            self._clocked = config.realtime or self.port.backend not in ("file", "plugin")
            self._sample_clock = SampleClock(rate_hz)
            buffer_samples = round(_BUFFER_S * rate_hz)
            self._bridge = Bridge(
                rate_hz,
                in_capacity=buffer_samples,
                out_capacity=buffer_samples,
                ceiling_dbfs=config.ceiling_dbfs,
                buses=config.buses,
            )
            if config.record_file is not None:
                self._recorder = Recorder(config.record_file, rate_hz, self._fault_log)
            if self.port.can_reconnect and config.reconnect_s > 0:
                self._reconnecting = PortReconnector(self.port, self._bridge, self._fault_log, config.reconnect_s)
                self._over = self._reconnecting.over
            self._sender = None if note_sink is None else NoteSender(self._bridge, note_sink, raise_priority)
            self._worker = Worker(
                config,
                PortLink(self._bridge, self._port_facts, self._over, self._clocked),
                player,
                conductor,
                self._commands,
                self._fault_log,
                self._recorder,
            )
            self.learnt = self._worker.command_handler.learner.known  # any thread may ask for it
        except BaseException:
            if self._recorder is not None:
                self._recorder.close()
            if opened:
                self.port.close()
            raise

    def __enter__(self) -> Engine:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    # -------------------------------------------------------------------------------------------- the run

    def play_instruments(self, rack: Rack) -> bool:
        """Control thread only, before `start`. Let instruments of this rack sound where they are asked for; False if
        the player does not know its notes."""
        return self._worker.play_instruments(rack)

    def join_link(self, session: LinkSession, mode: LinkMode) -> LinkClock:
        """Control thread only, before `start`. Read that Link session once a frame; the engine leaves it at its end."""
        self._link = session
        clock = self._worker.link = LinkClock(session, mode, self._bridge.rate_hz, self._heard_at)
        return clock

    def _heard_at(self, at_s: float) -> float:
        """Input position with which is heard what sounds at a moment of time.monotonic: what is captured then. A count
        that a callback has just left stands a block further than the moment at which it came."""
        facts = self._worker.look_ahead.facts
        return float(self.sample_at(at_s) - facts.block_samples + facts.capture_latency_samples)

    @property
    def loop_time(self) -> StartedSource:
        """Control thread only, before `start`. What the conductor is to follow while a loop plays."""
        return self._worker.command_handler.loops.time

    def start(self) -> None:
        """Control thread only. Warm the player up, then let the sound flow.

        Raises EngineError if player or port will not start.
        """
        if self._started:
            raise RuntimeError("an engine starts once")
        self._started = True
        self._worker.start()
        try:
            if not self._worker.ready.wait(_WARM_UP_TIMEOUT_S):
                raise EngineError(
                    f"the model did not finish its warm-up within {_WARM_UP_TIMEOUT_S:.0f} s: see `gigmate bench`"
                )
            self.port.start(self._bridge)
            self._check_midi_latency()
            if self._sender is not None:
                self._sender.start()
            if self._reconnecting is not None:
                self._reconnecting.start()
        except BaseException:
            self._worker.end()
            raise
        self._worker.go()
        self._ready_s = time.monotonic()

    def post(self, command: Command) -> None:
        """Any thread. Ask for something; it happens between two steps. Never waits. Panic silences at once."""
        if isinstance(command, Panic):
            self._bridge.set_playing(False)  # even if the worker hangs
            self._bridge.notes.panic()
        elif isinstance(command, STAMPED) and command.at_sample < 0:
            command = dataclasses.replace(command, at_sample=self.sample_at(time.monotonic()))
        if not self._commands.post(command):
            self._fault_log.fault(FaultKind.COMMANDS_DROPPED)

    def sample_at(self, at_s: float) -> int:
        """Any thread. The sample of the port's clock that was the present one at a moment of time.monotonic."""
        position = self._bridge.position
        if not self._clocked:  # its samples come as fast as they are taken
            return position
        self._sample_clock.observe(position, time.monotonic())
        return self._sample_clock.sample_at(at_s)

    @property
    def notes_go_to(self) -> str:
        """Any thread. Where the band's notes go as MIDI, in words; empty for nowhere."""
        return ", ".join(self.port.note_names) if self._sender is None else self._sender.name

    def take_requests(self) -> list[Command]:
        """Any thread. What pedals asked for in the audio and only the session can resolve, oldest first."""
        return self._worker.command_handler.requests.drain()

    def warn(self, text: str) -> None:
        """Any thread. Something asked for cannot be: it is said in the status and counted."""
        self._fault_log.fault(FaultKind.COMMAND, cause=text)

    @property
    def status(self) -> Status:
        """Any thread. The latest snapshot."""
        status = self._worker.status
        if not self._started or status.state in ("ended", "loading"):
            return dataclasses.replace(status, warnings=self._fault_log.warnings)
        state = status.state
        silent_s = time.monotonic() - self._worker.beat_s
        if silent_s > _STALE_S and not self._worker.ended.is_set():
            state = "fallback" if self._bridge.playing else state
            self._fault_log.fault(FaultKind.MODEL_HANGS)
        if self._reconnecting is not None and self._reconnecting.away:
            state = "away"
        counters = self._bridge.counters(take_peaks=False)
        self._sample_clock.observe(counters.samples, time.monotonic())
        self._say_if_lossy()
        return dataclasses.replace(
            status,
            state=state,
            seconds=counters.samples / self._bridge.rate_hz,
            callbacks=counters.callbacks,
            callbacks_expected=self.port.callbacks_expected,
            xruns=self.port.xruns,
            misses=misses_of(counters, self._worker.host_frame),
            miss_episodes=counters.miss_episodes,
            warnings=self._fault_log.warnings,
            midi_out=self.notes_go_to,
        )

    def wait(self, timeout_s: float) -> bool:
        """Any thread. Wait at most that long; True once the run has ended (file over, server lost, Quit)."""
        if self._worker.ended.wait(timeout_s):
            self._say_if_lost()
            return True
        # Without a port nothing more will be heard, even if the player hangs.
        return self._over.is_set() and time.monotonic() - self._worker.beat_s > 2 * _STALE_S

    def _say_if_lost(self) -> None:
        if self._reconnecting is None and self.port.lost is not None and not self._said_lost:
            self._said_lost = True
            self._fault_log.fault(FaultKind.PORT_LOST, cause=self.port.lost)
        if self.port.remark and not self._said_remark:
            self._said_remark = True
            self._fault_log.fault(FaultKind.RECORDING_SHORT, remark=self.port.remark)

    def _say_if_lossy(self) -> None:
        """The mend of moments that the sound system lost: a block that gives it more time."""
        if self.port.xruns and not self._said_xruns:
            self._said_xruns = True
            block_samples = max(256, 2 * self.port.block_samples)
            self._fault_log.fault(FaultKind.XRUNS, block_samples=block_samples)

    def stop(self) -> None:
        """Control thread only. Fade out and end. Returns within seconds, whatever hangs."""
        if self._started and not self._worker.ended.is_set():
            self.post(Quit())
            if not self._worker.ended.wait(_STOP_TIMEOUT_S):
                self._bridge.set_playing(False)
        if self._sender is not None:
            self._sender.close()
        if self._reconnecting is not None and not self._reconnecting.close():
            self._fault_log.fault(FaultKind.PORT_LEFT)
        self.port.stop()

    def close(self) -> None:
        """Control thread only. Stop, write what was recorded, free the port. May be called twice; never hangs."""
        with self._closing:
            if self._closed:
                return
            self._closed = True
        try:
            self.stop()
            self._worker.end()
            if not self._worker.join(_STOP_TIMEOUT_S):
                self._fault_log.fault(FaultKind.WORKER_LEFT)
            if self._recorder is not None and not self._recorder.close():
                self._fault_log.fault(FaultKind.RECORDING_CLOSE, file=self._recorder.path.name)
            self._say_if_lost()
            self._final_report = self._figures()
        finally:
            self.port.close()
            if self._link is not None:
                self._link.close()

    # ---------------------------------------------------------------------------------------------- figures

    def report(self) -> dict[str, Any]:
        """Any thread. The figures of the run so far, as plain values; after `close` those of its end."""
        return self._final_report or self._figures()

    def _port_facts(self) -> PortFacts:
        port, measured = self.port, self.config.round_trip_samples
        claimed = port.capture_latency_samples + port.playback_latency_samples
        way = (port.card_rate_hz, port.block_samples)
        if self._measured_way is None:
            self._measured_way, self._measured_claim = way, claimed
        if measured is None:
            round_trip = max(0, claimed)
        elif way == self._measured_way:
            round_trip, self._measured_claim = measured, claimed
        else:  # another rate or block since it was measured: what the claim left out then, it leaves out still
            round_trip = max(0, measured + claimed - self._measured_claim)
        self._watch_claim(claimed, way)
        port.own_delay_samples = -round_trip
        return PortFacts(
            capture_latency_samples=min(max(0, port.capture_latency_samples), round_trip),
            round_trip_samples=round_trip,
            block_samples=math.ceil(port.block_samples * port.rate_hz / (port.card_rate_hz or port.rate_hz)),
            midi_in_from=port.midi_in_from,
            midi_out_to=port.midi_out_to,
            notes_out_to=port.notes_out_to or _TO_DEVICES,
            transport_delay_samples=port.transport_delay_samples,
        )

    def _check_midi_latency(self) -> None:
        """Raises EngineError where notes would have to leave before they can be made."""
        if not self._bridge.notes.used:
            return
        latency_ms, rate_hz = self.config.midi_latency_ms, self._bridge.rate_hz
        most_samples = self._worker.look_ahead.most_notes_before_samples(self._port_facts())
        spare_samples = most_samples - self._worker.note_out.before_samples
        if latency_ms > 0.0 and spare_samples < 0:
            most_ms = max(0, math.floor(latency_ms + 1000.0 * spare_samples / rate_hz))
            raise EngineError(f"--midi-latency {latency_ms:g}: here at most {most_ms} ms can be made up for")

    def _watch_claim(self, claimed: int, way: tuple[int, int]) -> None:
        fallen = self._claim.see(claimed, way, time.monotonic())
        if fallen is not None:
            before_ms, now_ms = (1000.0 * samples / self.port.rate_hz for samples in fallen)
            self._fault_log.fault(FaultKind.ROUND_TRIP, before_ms=f"{before_ms:.1f}", now_ms=f"{now_ms:.1f}")

    def _figures_of_notes(self) -> dict[str, Any]:
        counters = self._bridge.notes.counters()
        late_ms = {} if self._sender is None else {"late_ms": self._sender.report()}
        dropped = counters.dropped + self._worker.note_out.dropped
        return {"notes": counters.sent, "late": counters.late, "dropped": dropped, **late_ms}

    def _figures(self) -> dict[str, Any]:
        worker, port, rate_hz = self._worker, self.port, self._bridge.rate_hz
        counters = self._bridge.counters(take_peaks=False)
        measured = self.config.round_trip_samples is not None
        first_s = worker.first_sound_s
        return {
            "rate_hz": rate_hz,
            "card_rate_hz": port.card_rate_hz or rate_hz,
            "block_samples": port.block_samples,
            "max_block_samples": counters.max_block_samples,
            "callbacks": {"expected": port.callbacks_expected, "served": counters.callbacks},
            "xruns": port.xruns,
            "lost_samples": counters.lost_samples,
            "reconnects": {} if self._reconnecting is None else self._reconnecting.report(),
            "seconds": counters.samples / rate_hz,
            "ready_seconds": None if self._ready_s is None else round(self._ready_s - process_start_s(), 3),
            "first_sound_seconds": None if first_s is None else round(first_s - process_start_s(), 3),
            "seconds_played": worker.played_samples / rate_hz,
            "start_delay_samples": worker.look_ahead.start_delay_samples,
            "misses": figures_of_misses(counters, worker.host_frame),
            "frames": {name: getattr(worker, f"{name}_frames") for name in ("made", "late", "skipped", "failed")},
            "frame_ms": 1000.0 * worker.frame_s,
            "step_ms": figures_of_steps(worker.meter),
            "ahead": {**figures_of_budget(worker.budget, rate_hz), "growths": worker.look_ahead.growths},
            "round_trip": {
                "samples": self._port_facts().round_trip_samples,
                "source": "measured" if measured else "claimed by the port",
            },
            "input": {"dropped_samples": counters.in_dropped_samples, "nonfinite": counters.nonfinite_in_samples},
            "output": figures_of_output(counters, self.config.ceiling_dbfs),
            "commands_dropped": self._commands.dropped,
            "midi": {"events": counters.midi_events, "dropped": counters.midi_dropped},
            "midi_out": self._figures_of_notes(),
            "sounds": dict(zip(PARTS, worker.status.sounds, strict=True)),
            "priority": worker.priority,
            "recording": None if self._recorder is None else self._recorder.report(),
            "faults": self._fault_log.counts(),
            "warnings": list(self._fault_log.warnings),
            "versions": versions(),
        }
