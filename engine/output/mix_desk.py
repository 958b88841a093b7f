"""The mixing desk: each part compressed, trimmed, in its place, and in the room. No delay.

Knows neither players nor buses: parts at their levels in, parts out, at the host rate. The sum of what comes out is the
mix; each part brings its own share of the room, so that it can leave by outputs of its own. Inference thread only.
"""

from __future__ import annotations

import math
from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

from ...dsp.mixing.compressor import Compression, Compressor
from ...dsp.mixing.placing import Place, Placer
from ...dsp.mixing.room import Room
from ..mix import FLAT_MIX, Mix, PartMix
from ..player import PARTS
from .balance_table import TRIMS_DB

Array = NDArray[np.float32]
OWN_VOICE, INSTRUMENTS = "neural", "instruments"
"""Kinds of sound: the band's own voice, which comes in mono, and instruments, which come in stereo."""
_SPREAD = 0.25
"""Difference to sum, of sound that comes in mono, at full width."""
_GENTLE = {
    "drums": Compression(threshold_db=-16.0, ratio=4.0, knee_db=10.0, attack_ms=0.3, release_ms=90.0),
    "bass": Compression(threshold_db=-18.0, ratio=3.0, knee_db=10.0, attack_ms=1.0, release_ms=160.0),
    "keys": Compression(threshold_db=-27.0, ratio=3.0, knee_db=10.0, attack_ms=20.0, release_ms=220.0, rms_ms=10.0),
}
"""At compression 1, of a part at its written level; the ratio grows with the amount. A slower attack on the drums lets
their first millisecond through and holds what follows: peaks then stand out more than without."""


Trims = Mapping[str, Mapping[str, tuple[float, ...]]]


def trim_db(table: Trims, kind: str, style: str, place: int) -> float:
    """What brings a part of this kind of sound to its written level; 0 where nobody has measured it."""
    trims = table.get(kind, {})
    if style in trims:
        return trims[style][place]
    return float(np.median([row[place] for row in trims.values()])) if trims else 0.0


class _Strip:
    """One part's way through the desk."""

    def __init__(self, part: str, rate_hz: int) -> None:
        self._gentle = _GENTLE[part]
        self._compressor = Compressor(rate_hz)
        self._placer = Placer(rate_hz)
        self.room = Room(rate_hz)
        self._level_db = 0.0

    def set(self, part: PartMix, mix: Mix, kind: str, levels: tuple[float, float], at_once: bool) -> None:
        """`levels`: the trim and the part's level, dB. The compressor works as if the level were set behind it."""
        trim, level_db = levels
        if level_db > -math.inf:
            self._level_db = level_db
        gentle = self._gentle
        self._compressor.set(
            Compression(
                gentle.threshold_db + self._level_db - trim, 1.0 + (gentle.ratio - 1.0) * part.compression,
                gentle.knee_db, gentle.attack_ms, gentle.release_ms, 0.0, gentle.rms_ms,
            )
        )  # fmt: skip
        own = kind == OWN_VOICE
        place = Place(
            trim_db=trim,
            pan=part.pan,
            width=1.0 if own else part.width,
            spread=_SPREAD * part.width if own and not mix.flat else 0.0,
            send=part.room * mix.room_level,
        )
        if at_once:
            self._placer.jump(place)
        else:
            self._placer.glide(place)

    def process(self, sound: Array, send: Array) -> None:
        if not self._compressor.idle:
            self._compressor.process(sound)
        self._placer.process(sound, send)
        if not self.room.silent or send.any():
            self.room.add(send, sound)

    def start_anew(self) -> None:
        self._compressor.reset()
        self._placer.reset()
        self.room.reset()


class MixDesk:
    """One run's desk. Inference thread only; what it gives holds until the next call."""

    def __init__(self, rate_hz: int, frame_samples: int, trims_db: Trims = TRIMS_DB) -> None:
        """`frame_samples`: the most that is processed at once."""
        self._trims_db = trims_db
        self._strips = [_Strip(part, rate_hz) for part in PARTS]
        self._send = np.zeros(frame_samples, np.float32)
        self._set: tuple[object, ...] = ()
        self._fresh = True  # nobody has heard it yet: values may jump
        self.set(FLAT_MIX)

    def set(
        self,
        mix: Mix,
        style: str = "",
        kinds: tuple[str, ...] = (OWN_VOICE,) * len(PARTS),
        levels_db: tuple[float, ...] = (0.0,) * len(PARTS),
    ) -> None:
        """From the next frame on; gliding. `kinds`: each part's kind of sound. `levels_db`: those the parts come at."""
        wanted = (mix, style, kinds, levels_db)
        if wanted == self._set:
            return
        for place, (strip, part, kind) in enumerate(zip(self._strips, mix.parts, kinds, strict=True)):
            trim = 0.0 if mix.flat else trim_db(self._trims_db, kind, style, place)
            strip.set(part, mix, kind, (trim, levels_db[place]), self._fresh)
            if strip.room.decay_s != mix.decay_s:
                strip.room.set_decay(mix.decay_s)
        self._set = wanted

    def process(self, parts: Array) -> Array:
        """float32 [parts, 2, n], C-contiguous, changed in place; n is at most the frame."""
        self._fresh = False
        send = self._send[: parts.shape[2]]
        for strip, sound in zip(self._strips, parts, strict=True):
            strip.process(sound, send)
        return parts

    def start_anew(self) -> None:
        """What comes next does not go on from what was: nothing rings."""
        for strip in self._strips:
            strip.start_anew()
        self._fresh = True
