"""Prior knowledge of each style: its usual range of tempo and its usual metres.

The same music can be counted twice as fast or half as fast; whoever is told "a slow blues" does not count it at 140.
Only a lean, never a wall: who plays outside of it is followed all the same. Any thread; knows no sound.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class StylePrior:
    """Tempi in which a style is usually counted, and the share of each metre (beats to the bar). Any thread."""

    low_bpm: float
    high_bpm: float
    metres: tuple[tuple[int, float], ...] = ((4, 1.0),)
    off_beat: bool = False
    """Chords are struck between the beats."""
    triplets: bool = False
    """Each beat falls into three that are played like beats."""


STYLE_PRIORS: dict[str, StylePrior] = {
    "rock": StylePrior(85, 180),
    "pop_ballad": StylePrior(56, 96, ((4, 0.8), (3, 0.2))),
    "funk": StylePrior(84, 126),
    "blues_shuffle": StylePrior(80, 150),
    "reggae": StylePrior(60, 96),
    "bossa_nova": StylePrior(100, 160),
    "swing": StylePrior(100, 210, ((4, 0.8), (3, 0.2))),
    "disco": StylePrior(104, 136),
    "soul": StylePrior(70, 132),
    "slow_blues": StylePrior(44, 72, triplets=True),
    "country_train": StylePrior(80, 136, ((2, 0.8), (4, 0.2))),
    "ska": StylePrior(108, 180, off_beat=True),
    "samba": StylePrior(78, 124, ((2, 0.8), (4, 0.2))),
    "jazz_waltz": StylePrior(90, 210, ((3, 1.0),)),
    "hip_hop": StylePrior(70, 106),
    "metal": StylePrior(90, 220),
    "folk_strum": StylePrior(66, 150, ((4, 0.5), (3, 0.25), (2, 0.25))),
    "gospel": StylePrior(60, 138, ((4, 0.8), (2, 0.2))),
    "odd_five": StylePrior(95, 190, ((5, 1.0),)),
    "cumbia": StylePrior(78, 116, ((4, 0.8), (2, 0.2)), off_beat=True),
    "reggaeton": StylePrior(80, 108),
    "tango": StylePrior(98, 138, ((4, 0.8), (2, 0.2))),
    "afrobeat": StylePrior(90, 128),
    "house": StylePrior(112, 134),
    "drum_and_bass": StylePrior(150, 186),
    "bluegrass": StylePrior(98, 158, ((2, 0.8), (4, 0.2))),
    "musette": StylePrior(140, 210, ((3, 1.0),)),
    "six_eight_ballad": StylePrior(42, 80, ((4, 0.6), (2, 0.4)), triplets=True),
}
"""By the names of presets. Written from common practice, with the tempi that the arranger writes in sight."""


@dataclass(frozen=True, slots=True)
class StyleGroove:
    """Where a style's band puts its notes beside the even grid. Any thread."""

    swing_depth: float = 0.0
    """0 is straight; 1 swings as far as the tempo allows."""
    swing_grid_beats: float = 0.5
    """Length of the notes that are swung: eighths or sixteenths."""
    late_ms: tuple[float, float, float] = (0.0, 0.0, 0.0)
    """How far behind the grid drums, bass and keys stand."""


NO_GROOVE = StyleGroove()
STYLE_GROOVES: dict[str, StyleGroove] = {
    "rock": StyleGroove(late_ms=(0.0, 1.0, 2.0)),
    "pop_ballad": StyleGroove(late_ms=(3.0, 5.0, 4.0)),
    "funk": StyleGroove(0.18, 0.25, (0.0, 2.0, 1.0)),
    "blues_shuffle": StyleGroove(1.0, 0.5, (3.0, 4.0, 4.0)),
    "reggae": StyleGroove(0.3, 0.25, (2.0, 6.0, 0.0)),
    "bossa_nova": StyleGroove(late_ms=(0.0, 1.0, 2.0)),
    "swing": StyleGroove(1.0, 0.5, (-1.0, -2.0, 5.0)),
    "disco": StyleGroove(late_ms=(0.0, 0.0, 1.0)),
    "soul": StyleGroove(0.15, 0.25, (2.0, 4.0, 2.0)),
    "slow_blues": StyleGroove(late_ms=(6.0, 8.0, 6.0)),
    "country_train": StyleGroove(late_ms=(0.0, 0.0, 1.0)),
    "ska": StyleGroove(late_ms=(0.0, 1.0, 0.0)),
    "samba": StyleGroove(0.25, 0.25, (0.0, 0.0, 0.0)),
    "jazz_waltz": StyleGroove(1.0, 0.5, (-1.0, -1.0, 4.0)),
    "hip_hop": StyleGroove(0.4, 0.25, (0.0, 6.0, 6.0)),
    "metal": StyleGroove(late_ms=(0.0, 0.0, 2.0)),
    "folk_strum": StyleGroove(late_ms=(2.0, 3.0, 3.0)),
    "gospel": StyleGroove(late_ms=(1.0, 3.0, 2.0)),
    "odd_five": StyleGroove(0.35, 0.5, (0.0, 2.0, 2.0)),
    "cumbia": StyleGroove(late_ms=(0.0, 1.0, 0.0)),
    "reggaeton": StyleGroove(late_ms=(0.0, 2.0, 1.0)),
    "tango": StyleGroove(late_ms=(0.0, 0.0, 0.0)),
    "afrobeat": StyleGroove(0.15, 0.25, (0.0, 2.0, 1.0)),
    "house": StyleGroove(late_ms=(0.0, 0.0, 0.0)),
    "drum_and_bass": StyleGroove(late_ms=(0.0, 1.0, 1.0)),
    "bluegrass": StyleGroove(late_ms=(0.0, -1.0, 0.0)),
    "musette": StyleGroove(late_ms=(0.0, 0.0, 2.0)),
    "six_eight_ballad": StyleGroove(late_ms=(3.0, 4.0, 3.0)),
}
"""What the band learnt from: the feel of the arranger's styles (training/band/styles), which a test holds equal."""

_SWING_BY_BPM = ((60.0, 0.68), (120.0, 0.667), (160.0, 0.64), (220.0, 0.585), (280.0, 0.55))
"""The share of the first of two swung notes, by the tempo in which they are eighths."""


def swing_share(tempo_bpm: float, groove: StyleGroove) -> float:
    """The share of the time of two notes that the first takes: 0.5 is straight. Hard when slow, flat when very fast."""
    if groove.swing_depth == 0.0:
        return 0.5
    pace = tempo_bpm * 0.5 / groove.swing_grid_beats
    low = _SWING_BY_BPM[0]
    share = low[1] if pace <= low[0] else _SWING_BY_BPM[-1][1]
    for high in _SWING_BY_BPM[1:]:
        if low[0] < pace <= high[0]:
            share = low[1] + (pace - low[0]) / (high[0] - low[0]) * (high[1] - low[1])
        low = high
    return 0.5 + (share - 0.5) * groove.swing_depth
