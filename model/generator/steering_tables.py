"""The constants and tables of steering and of the drummer's touch, for both runtimes. Numpy; any thread.

note_steering.py and drum_dynamics.py say what they are for; the step in C (model/native/) reads them in the order that
is given here.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from .score_tokens import DRUM_VOICES, LOUDNESS_CLASSES, SLOT_ENTRIES
from .style_statistics import NO_STYLE, TRIPLETS, hit_gain_db, typical_density

FloatArray = NDArray[np.float32]

STEERED = 4
"""State, loudness, first note, and all further notes alike: the places that can be biased."""
MEMORY_BEATS = 8.0
DENSITY_OCTAVES = 2.4
"""From density 0 to 1 the wanted number of beginnings doubles so many times."""
PUSH_NATS, PUSH_UP_NATS, PUSH_DOWN_NATS, PUSH_DOWN_ON_BEAT_NATS = 4.0, 4.0, 5.0, 0.7
"""Push for an error as large as what is wanted, and its bounds. On the beat nearly nothing is taken away."""
DENSITY_NATS = 1.5
"""Push at once, for the densities 0 and 1."""
HOLD_NATS, HOLD_SHORTER_NATS, HOLD_LONGER_NATS = 14.0, 5.0, 0.5
"""Bias toward silence for an error of the whole share of sounding time, and its bounds."""
LEAST_NOTE_BEATS = 0.4
"""Shorter notes are let be."""
FILL_NATS, FILL_VOICE_NATS, CRASH_NATS = 6.0, 5.0, 8.0
FASTEST_FILL_FRAMES = 1.9
"""Hits of a fill are at least so far apart."""
LEAST_FILL_BEATS = 0.9
TOM_NATS = 9.0
LOUD_HITS_NATS = 0.4
LOUDNESS_NATS_PER_DB = 0.1
"""For each class of loudness above the middle."""

RISE_S, FALL_S, SLOW_S, SURE_S = 0.25, 1.2, 25.0, 2.0
"""The musician's level rises and falls so quickly, and is held against that of SLOW_S; nothing follows before SURE_S.
A chord that rings out is not playing softer: hence the slow fall."""
SILENT_LEVEL_DB, SILENT_BELOW_DB, GAP_S, REST_S = 20.0, 25.0, 0.6, 4.0
"""Over the floor of the features, and below the usual level. Gaps belong to the playing; after a rest the band plays
as it usually does."""
NEAR_DB = 1.0
"""So small a change is none."""
LOUDER_DB, SOFTER_DB = 6.0, 12.0
FOLLOW_SHARE = 0.7
"""What of the musician's change of level the band's sound makes too."""

OTHER_HIT, SMALL_HIT, SKIN_HIT, KICK_HIT = 1, 2, 3, 4
"""What is struck: hats and cymbals; small percussion and rims; snare and toms; the kick; the last one counts."""
RING_DB, RING_S, ATTACK_S = -6.0, 0.06, 0.002
"""Between hits the sound falls by so much with this time constant; a hit is there so quickly."""
FULL_DB = -2.0
"""No hit is lifted over this peak, which is that of the written drums: those that are not too soft stay as they are."""
KNEE = 0.8
"""What is louder all the same (a hit at a frame's end, whose peak comes in the next) is bent below full scale."""

CONSTANTS = (
    MEMORY_BEATS, DENSITY_OCTAVES, PUSH_NATS, PUSH_UP_NATS, PUSH_DOWN_NATS, PUSH_DOWN_ON_BEAT_NATS, DENSITY_NATS,
    HOLD_NATS, HOLD_SHORTER_NATS, HOLD_LONGER_NATS, LEAST_NOTE_BEATS, FILL_NATS, FASTEST_FILL_FRAMES,
    LEAST_FILL_BEATS, TOM_NATS, LOUD_HITS_NATS, LOUDNESS_NATS_PER_DB, SILENT_LEVEL_DB, SILENT_BELOW_DB, GAP_S,
    REST_S, NEAR_DB, RISE_S, FALL_S, SLOW_S, SURE_S, LOUDER_DB, SOFTER_DB, FOLLOW_SHARE,
    RING_S, ATTACK_S, FULL_DB, KNEE,
)  # fmt: skip
"""As SteeringConstants in native/source/steering.h names them."""


class StyleTables(NamedTuple):
    """By style, the last row for one that is not known. Any thread."""

    usual: FloatArray
    """[styles + 1, parts]: beginnings a beat."""
    share: FloatArray
    """[styles + 1, parts]: of the time, that sounds."""
    triplets: FloatArray
    """[styles + 1]: 1 where the beat falls into three."""
    hit_levels_db: FloatArray
    """[styles + 1, 5]: by what is struck, 0 for what rings on."""


class EntryTables(NamedTuple):
    """By entry of a slot [SLOT_ENTRIES]. Any thread."""

    fill_voices: FloatArray
    """Nats of a fill for each set of drum voices."""
    toms: FloatArray
    """1 where a tom is in the set."""
    crash: FloatArray
    """Nats of the crash after a fill."""
    classes: FloatArray
    """Loudness classes above the middle."""
    hits: NDArray[np.int32]
    """What is struck, OTHER_HIT to KICK_HIT."""


def style_tables(styles: list[str], parts: list[str]) -> StyleTables:
    """Of these styles and parts, in order."""
    rows = [*styles, NO_STYLE]
    typical = [[typical_density(style, part) for part in parts] for style in rows]
    levels = []
    for style in rows:
        kick_db, skin_db, small_db = hit_gain_db(style)
        levels.append([RING_DB, 0.0, small_db, skin_db, kick_db])
    return StyleTables(
        np.array([[begins for begins, _ in row] for row in typical], np.float32),
        np.array([[share for _, share in row] for row in typical], np.float32),
        np.array([style in TRIPLETS for style in rows], np.float32),
        np.array(levels, np.float32),
    )


def entry_tables() -> EntryTables:
    """Of all that a slot may hold."""
    entry = np.arange(SLOT_ENTRIES)
    voices = {name: ((entry >> bit) & 1).astype(np.float32) for bit, name in enumerate(DRUM_VOICES)}
    skins = (voices["tom"] + voices["snare"] > 0).astype(np.float32)
    others = voices["closed_hat"] + voices["cymbal"] + voices["side"] + voices["crash"]
    hits = np.where(voices["side"] > 0, SMALL_HIT, OTHER_HIT)
    hits = np.where(skins > 0, SKIN_HIT, hits)
    return EntryTables(
        np.float32(FILL_VOICE_NATS) * (skins - 1.0) - 2.0 * others,
        voices["tom"],
        np.float32(CRASH_NATS) * (voices["crash"] - 1.0) + 3.0 * voices["kick"],
        np.where(entry > 0, np.minimum(entry, LOUDNESS_CLASSES) - 4.5, 0.0).astype(np.float32),
        np.where(voices["kick"] > 0, KICK_HIT, hits).astype(np.int32),
    )
