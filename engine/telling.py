"""The snapshot, made of what the worker's parts know. Knows every one of them and changes none.

Inference thread only; the Status that comes out may be read by any.
"""

from __future__ import annotations

import math

from .bridge import BridgeCounters
from .conductor import Conducting
from .desk import Desk
from .pace import Pace
from .player import Moment
from .stage import Stage
from .status import SILENCE_DB, Status, chord_name


def misses_of(counters: BridgeCounters, host_frame: int) -> int:
    """Frames' worth of samples that the callback had to cover, and at least one for each episode."""
    return max(counters.miss_episodes, math.ceil(counters.miss_samples / host_frame))


def snapshot(
    state: str,
    now: int,
    counters: BridgeCounters,
    conductor: Conducting,
    desk: Desk,
    stage: Stage,
    pace: Pace,
    *,
    host_frame: int,
    rate_hz: int,
    part_db: tuple[float, ...],
    told: Moment | None,
    on: bool,
    recording: str,
    warnings: tuple[str, ...],
) -> Status:
    """What is true at input sample `now`. `told`: the moment of the frame made last."""
    moment = conductor.moment(now)
    known = conductor.bar_samples() > 0
    ground = conductor.ground()
    played = "" if told is None else ground.symbol or chord_name(told.chord_root, told.chord_pitch_classes)
    said, controls = desk.announced, desk.controls
    return Status(
        state=state,
        seconds=counters.samples / rate_hz,
        input_db=_db(counters.in_peak),
        output_db=_db(counters.out_peak),
        part_db=part_db,
        bar=conductor.bar_count(now) + 1 if known else 0,
        beat=int(moment.bar_phase * moment.beats_per_bar) + 1 if known else 0,
        beats_per_bar=moment.beats_per_bar,
        beat_phase=moment.beat_phase,
        tempo_bpm=moment.tempo_bpm if known else 0.0,
        confidence=moment.confidence,
        chord=chord_name(ground.chord_root, ground.chord_pitch_classes),
        chord_played=played,
        step_ms=1000.0 * pace.step_s,
        step_p99_ms=1000.0 * pace.meter.recent_percentile_s(99.0),
        frame_ms=1000.0 * host_frame / rate_hz,
        ahead_samples=pace.budget.ahead_samples,
        ahead_ms=1000.0 * pace.budget.ahead_samples / rate_hz,
        misses=misses_of(counters, host_frame),
        miss_episodes=counters.miss_episodes,
        xruns=counters.xruns,
        callbacks=counters.callbacks,
        callbacks_expected=counters.callbacks,
        preset=said.preset,
        song=said.song,
        song_number=said.song_number,
        songs=said.songs,
        section=ground.section,
        next_section=ground.next_section,
        time_source=ground.source,
        pending=stage.pending if on else "",
        holding=on and stage.silent,
        muted=desk.muted,
        levels_db=controls.levels_db,
        style=controls.style,
        density=controls.density,
        recording=recording,
        warnings=warnings,
    )


def _db(peak: float) -> float:
    return max(SILENCE_DB, 20.0 * math.log10(peak)) if peak > 0.0 else SILENCE_DB
