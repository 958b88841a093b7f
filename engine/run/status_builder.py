"""Builds the status snapshot from the parts of the worker, and changes none of them.

Inference thread only; the Status that comes out may be read by any.
"""

from __future__ import annotations

import math
import platform
from importlib.metadata import PackageNotFoundError, version
from typing import Any

from ...latency.budget import Budget
from ...latency.meter import Meter
from ..callback.bridge import Bridge, BridgeCounters
from ..config import EngineConfig
from ..fault_kinds import FaultKind
from ..fault_log import FaultLog
from ..mix import RANGES
from ..player import PARTS, Moment
from ..status import SILENCE_DB, Status, chord_name
from ..timing.entrance_cue import EntranceCue
from .band_step import BandStep
from .command_handler import CommandHandler
from .lookahead import LookAhead

_PACKAGES = ("torch", "numpy", "numba", "JACK-Client", "sounddevice", "soundfile")
_PLANNED_BARS = 4
_SAID_S = 0.5
"""How long a miss is shown as the state."""


def misses_of(counters: BridgeCounters, host_frame: int) -> int:
    """Frames' worth of samples that the callback had to cover, and at least one for each episode."""
    return max(counters.miss_episodes, math.ceil(counters.miss_samples / host_frame))


class StatusBuilder:
    """Makes the snapshot of a step. One worker's, for the length of a run. Inference thread only."""

    def __init__(
        self,
        bridge: Bridge,
        band: BandStep,
        command_handler: CommandHandler,
        look_ahead: LookAhead,
        fault_log: FaultLog,
        config: EngineConfig,
    ) -> None:
        self._input_channels = config.input_channels
        self._outputs = config.buses.outputs_of(PARTS)
        self._bridge, self._band, self._command_handler = bridge, band, command_handler
        self._look_ahead, self._fault_log = look_ahead, fault_log
        self._stage, self._host_frame = band.stage, band.host_frame
        self._last_misses = 0
        self._remarked: set[tuple[FaultKind, str]] = set()
        self._covering_until = 0

    def snapshot(
        self, state: str | None, frame: int, on: bool, failing: bool, made: Moment | None, part_db: tuple[float, ...]
    ) -> Status:
        """What is true when input frame `frame` is awaited. `made`: the moment of the frame made last; `state` None:
        as it is."""
        counters = self._bridge.counters()
        host_frame, rate_hz, look_ahead = self._host_frame, self._bridge.rate_hz, self._look_ahead
        conductor, handler = self._band.conductor, self._command_handler
        now = max(0, frame * host_frame - 1)
        moment = self._band.moment_of_newest(frame)
        known = conductor.bar_samples() > 0
        cue = conductor.entrance_cue()
        self._note_faults(counters, cue)
        controls = handler.controls
        return Status(
            state=state or self._state(counters, frame, on, failing),
            seconds=counters.samples / rate_hz,
            input_db=_db(counters.in_peak),
            input_channels=self._input_channels,
            channel_db=tuple(map(_db, self._bridge.take_channel_peaks(len(self._input_channels)))),
            output_db=_db(counters.out_peak),
            part_db=part_db,
            bar=conductor.bar_count(now) + 1 if known else 0,
            beat=int(moment.bar_phase * moment.beats_per_bar) + 1 if known else 0,
            beats_per_bar=moment.beats_per_bar,
            beat_phase=moment.beat_phase,
            tempo_bpm=moment.tempo_bpm if known else 0.0,
            confidence=moment.confidence,
            **self._chords_of(cue, made, now),
            tuning_hz=self._band.tuning_hz,
            step_ms=1000.0 * look_ahead.step_s,
            step_p99_ms=1000.0 * look_ahead.meter.recent_percentile_s(99.0),
            frame_ms=1000.0 * host_frame / rate_hz,
            ahead_samples=look_ahead.budget.ahead_samples,
            ahead_ms=1000.0 * look_ahead.budget.ahead_samples / rate_hz,
            misses=misses_of(counters, host_frame),
            miss_episodes=counters.miss_episodes,
            xruns=counters.xruns,
            callbacks=counters.callbacks,
            callbacks_expected=counters.callbacks,
            **self._song_of(handler),
            section=cue.section,
            next_section=cue.next_section,
            time_source=cue.source,
            **self._moves_of(now, on),
            holding=on and self._stage.silent,
            muted=self._muted(handler),
            fills=self._band.sections.fills,
            levels_db=handler.levels.levels_db,
            band_level_db=handler.levels.band_db,
            **self._mix_of(handler),
            **self._loop_of(now),
            style=controls.style,
            density=controls.density,
            recording=handler.recording,
            warnings=self._fault_log.warnings,
        )

    def _song_of(self, handler: CommandHandler) -> dict[str, Any]:
        """What is on of the evening."""
        said = handler.announced
        song = {"song": said.song, "song_number": said.song_number, "songs": said.songs}
        return {"preset": said.preset, **song, "next_at_end": handler.song_end.waits}

    def _moves_of(self, now: int, on: bool) -> dict[str, Any]:
        """What waits for its line and in how many beats it comes, and what is on."""
        if not on:
            return {}
        times, beat = self._band.moves.times, self._band.conductor.peek(now).beat
        coming, beats = times.pending(beat)
        waits = self._stage.pending
        pending = waits if waits not in ("", "fill") else ", ".join(filter(None, (waits, coming)))
        return {"pending": pending, "pending_beats": beats, "moves": times.on(beat)}

    def _chords_of(self, cue: EntranceCue, made: Moment | None, now: int) -> dict[str, Any]:
        """What is heard, what is played, and whose chord that is."""
        planned = self._band.conductor.planned(now, _PLANNED_BARS)
        played = "" if made is None else cue.symbol or chord_name(made.chord_root, made.chord_pitch_classes)
        return {
            "chord": chord_name(cue.chord_root, cue.chord_pitch_classes),
            "chord_played": played,
            "chord_source": cue.chord_source if played else "",
            "hand": self._command_handler.hand.words,
            "learning": self._command_handler.learner.state,
            "learning_words": self._command_handler.learner.words,
            "learnt_sections": self._command_handler.learner.section_names,
            "planned": planned,
            "planned_by": ("chart" if cue.charted else "ear") if planned else "",
        }

    def _loop_of(self, now: int) -> dict[str, Any]:
        """What the looper does."""
        loops = self._command_handler.loops
        view, mix = loops.view(now), loops.mix
        return {
            "loop": "" if view.phase == "empty" else view.phase,
            "loop_bars": view.bars,
            "loop_takes": view.takes,
            "loop_place": view.place,
            "loop_waits": view.waits,
            "loop_level_db": mix.level_db,
            "loop_muted": mix.muted,
            "loop_heard": mix.heard_by_band,
        }

    def _muted(self, handler: CommandHandler) -> tuple[bool, ...]:
        """By hand, by the preset, or by the song's section."""
        by_section = self._band.sections.muted
        return tuple(muted or part in by_section for part, muted in zip(PARTS, handler.levels.muted, strict=True))

    def _mix_of(self, handler: CommandHandler) -> dict[str, Any]:
        """What each part sounds with, how it is mixed, and where it is heard."""
        mix = {f"{name}s": handler.mix.values(name) for name in RANGES}
        return {"sounds": self._band.sounds, "outputs": self._outputs, **mix}

    def _note_faults(self, counters: BridgeCounters, cue: EntranceCue) -> None:
        if counters.in_dropped_samples:
            self._fault_log.fault(FaultKind.INPUT_DROPPED)
        for kind, text in cue.remarks:
            if (kind, text) not in self._remarked:
                self._remarked.add((kind, text))
                self._fault_log.fault(kind, cause=text)

    def _state(self, counters: BridgeCounters, frame: int, on: bool, failing: bool) -> str:
        if counters.miss_samples > self._last_misses:
            self._last_misses = counters.miss_samples
            self._covering_until = frame + max(1, round(_SAID_S * self._bridge.rate_hz / self._host_frame))
        if not on:
            return "stopping" if self._bridge.gain > 0.0 else "stopped"
        return "fallback" if frame < self._covering_until or failing else "playing"


def _db(peak: float) -> float:
    return max(SILENCE_DB, 20.0 * math.log10(peak)) if peak > 0.0 else SILENCE_DB


def figures_of_steps(meter: Meter) -> dict[str, Any]:
    """For the report: how long steps took, in ms."""
    return {
        "p50": 1000.0 * meter.percentile_s(50.0),
        "p99": 1000.0 * meter.percentile_s(99.0),
        "p99.9": 1000.0 * meter.percentile_s(99.9),
        "mean": 1000.0 * meter.mean_s,
        "max": 1000.0 * meter.highest_s,
        "steps": meter.steps,
        "growth": meter.growth,
    }


def figures_of_budget(budget: Budget, rate_hz: int) -> dict[str, Any]:
    """For the report: how far ahead the band is made, stage by stage."""
    stages = budget.stages()
    return {
        "frames": budget.ahead_frames,
        "samples": budget.ahead_samples,
        "ms": 1000.0 * budget.ahead_samples / rate_hz,
        "by_stage_samples": stages,
        "by_stage_ms": {name: 1000.0 * samples / rate_hz for name, samples in stages.items()},
        "hearing_samples": budget.hearing_samples,
        "grown": budget.grown,
        "shrunk": budget.shrunk,
    }


def figures_of_misses(counters: BridgeCounters, host_frame: int) -> dict[str, int]:
    """For the report: what was not there in time."""
    return {
        "frames": misses_of(counters, host_frame),
        "episodes": counters.miss_episodes,
        "blocks": counters.miss_blocks,
        "samples": counters.miss_samples,
    }


def figures_of_output(counters: BridgeCounters, ceiling_dbfs: float) -> dict[str, float]:
    """For the report: what the limiters did."""
    return {
        "nonfinite": counters.nonfinite_out_samples,
        "limited_samples": counters.limited_samples,
        "ceiling_dbfs": ceiling_dbfs,
    }


def versions() -> dict[str, str]:
    """For the report: of what the run stands on."""
    found = {"python": platform.python_version(), "system": f"{platform.system()} {platform.machine()}"}
    for package in _PACKAGES:
        try:
            found[package] = version(package)
        except PackageNotFoundError:
            continue
    return found
