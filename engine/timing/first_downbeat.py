"""Finds the first downbeat of a recording by analysing it beforehand.

Knows neither files nor models: a Player listens, and blocks of sound are handed in. One thread at a time.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator
from typing import NamedTuple

import numpy as np
import soxr
from numpy.typing import NDArray

from ...dsp.framing import Framer
from ..player import Player
from .conductor import Conductor
from .conductor_settings import BarSettings, ConductorConfig

LISTENED_S = 60.0
"""Who has not found a beat by then will not."""
_SETTLED_BARS = 4.0
"""So long the bars must stay where they were found."""
_PICKUP_BEATS = 0.35
"""A first downbeat may be played this much before the line says."""
_MOVED_BARS = 0.2
_AUDIBLE_DB = -55.0


class FirstDownbeat(NamedTuple):
    """Where the first bar begins, and how fast it goes there. Any thread."""

    seconds: float
    tempo_bpm: float


def first_downbeat(
    player: Player,
    blocks: Iterable[NDArray[np.float32]],
    rate_hz: int,
    *,
    beats_per_bar: int | None = None,
    tempo_bpm: float | None = None,
) -> FirstDownbeat | None:
    """The first downbeat that is played in `blocks` (float32 [n], mono), from their beginning; None: no beat.

    Takes no more of the blocks than it needs, at most LISTENED_S. `beats_per_bar` and `tempo_bpm` are what is known
    of the music beforehand. The player forgets what it heard before.
    """
    config = ConductorConfig()
    if beats_per_bar is not None:
        config = ConductorConfig(bars=BarSettings(metres=(beats_per_bar,), metre_weights=(1.0,)))
    own_hz = player.sample_rate_hz
    conductor = Conductor(float(own_hz), tempo_bpm, config=config)
    player.reset(0, 1)
    begins_at: float | None = None  # sample from which on something is played
    found: float | None = None  # sample of a downbeat
    since = 0.0
    bar = 0.0
    for end, frame in _frames(player, blocks, rate_hz):
        heard = player.listen(frame)
        now = end - heard.delay_samples
        conductor.hear(heard, now, player.frame_samples)
        if begins_at is None and heard.level_db > _AUDIBLE_DB:
            begins_at = now - player.frame_samples
        if conductor.locked and conductor.bar_confidence >= config.lock.sure_bar:
            point, bar = conductor.peek(now), float(conductor.bar_samples())
            downbeat = now - point.bar_phase * bar
            bars = math.inf if found is None else (downbeat - found) / bar
            if found is None or abs(bars - round(bars)) > _MOVED_BARS:
                found, since = downbeat, now
            elif now - since >= _SETTLED_BARS * bar:
                break
        if end >= LISTENED_S * own_hz:
            break
    if found is None or begins_at is None:
        return None
    beat = bar / (beats_per_bar or conductor.peek(found).beats_per_bar)
    earliest = max(0.0, begins_at - _PICKUP_BEATS * beat)
    first = found - math.floor((found - earliest) / bar) * bar
    return FirstDownbeat(float(first) / own_hz, float(60.0 * own_hz / beat))


def first_downbeat_s(
    player: Player,
    blocks: Iterable[NDArray[np.float32]],
    rate_hz: int,
    *,
    beats_per_bar: int | None = None,
    tempo_bpm: float | None = None,
) -> float | None:
    """Its seconds alone."""
    found = first_downbeat(player, blocks, rate_hz, beats_per_bar=beats_per_bar, tempo_bpm=tempo_bpm)
    return None if found is None else found.seconds


def _frames(
    player: Player, blocks: Iterable[NDArray[np.float32]], rate_hz: int
) -> Iterator[tuple[int, NDArray[np.float32]]]:
    """Chunks as the player listens to them, each with the sample (at its rate) at which it ends."""
    framer = Framer(player.frame_samples, player.tail_samples)
    resampler = None
    if rate_hz != player.sample_rate_hz:
        resampler = soxr.ResampleStream(rate_hz, player.sample_rate_hz, 1, dtype="float32")
    end = 0
    for block in blocks:
        sound = block if resampler is None else resampler.resample_chunk(block)
        for chunk in framer.push(np.ascontiguousarray(sound, np.float32)):
            end += player.frame_samples
            yield end, chunk
