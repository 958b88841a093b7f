"""Instruments in place of the neural voice, part by part: which sounds from where on, and the notes that it is given.

Notes come with the frame that was played, before they are due, and wait in the instruments. What sounds changes at a
bar line: the old one's notes end there, the new one has all that begin from there on. Knows no library and no bank: a
rack (sound/rack.py, met by shape only) brings the instruments. Inference thread only.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from contextlib import nullcontext
from dataclasses import dataclass, field
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from ...dsp.crossfade import fades
from ..fault_kinds import FaultKind
from ..fault_log import FaultLog
from ..notes.groove_timing import TimedNote
from ..part_sounds import DEFAULT_SOUND, PartSound
from ..player import PARTS
from .part_source import Aside

Array = NDArray[np.float32]
BEFORE_LINE_MS = 20.0
"""A note that begins so little before a bar line is the bar's own: the new sound has it."""
_FADE_MS = 10.0
_RINGS_S = 6.0
"""How long an instrument that was taken off is still heard ringing out."""
_PATIENCE_S = 4.0
"""After so long without a bar line the sound changes where the music is."""


class Instrument(Protocol):
    """A sound for a part at the host rate. Inference thread only."""

    def start_anew(self, position: int) -> None:
        """Silence; what is rendered next begins at that sample."""
        ...

    def note(self, position: int, pitch: int, velocity: int) -> None:
        """A note begins at a sample, or ends with velocity 0."""
        ...

    def end_all(self, position: int) -> None:
        """All notes end at that sample, and none begins after it."""
        ...

    def tune(self, cents: float) -> None:
        """All notes this much above A = 440 Hz."""
        ...

    def render(self, count: int) -> Array:
        """The next samples, float32 [2, count]."""
        ...


class Rack(Protocol):
    """Brings instruments. Inference thread only."""

    def usual(self, part: str, style: str) -> int:
        """The program of the instrument that a style has for a part, from 0."""
        ...

    def take(self, part: str, sound: PartSound) -> Instrument | None:
        """A new one, of nobody else; None while it is still loading (ask again), or where it cannot be had."""
        ...

    def trouble(self) -> str:
        """Why the last one cannot be had, in one line, said once; else empty."""
        ...


def resolved(rack: Rack, part: str, sound: PartSound, style: str) -> PartSound:
    """The instrument that the style has, where the sound leaves it to the style; else the sound itself."""
    return sound.of_program(part, rack.usual(part, style)) if sound.of_style else sound


@dataclass
class _Part:
    """What one part sounds with, and what is to come."""

    sound: PartSound = field(default_factory=PartSound)
    instrument: Instrument | None = None
    """None: the neural voice."""
    wanted: PartSound | None = None
    """From the next bar line on."""
    ready: Instrument | None = None
    """Of what is wanted, loaded."""
    refused: PartSound | None = None
    """What cannot be had, and is not asked for again."""
    waits_from: float = math.inf
    ringing: list[tuple[Instrument, float]] = field(default_factory=list)
    """Taken off, with the sample until which each is heard."""
    changed_at: float = -math.inf
    """Notes before it are the old sound's."""
    turns: list[tuple[int, bool]] = field(default_factory=list)
    """Where the neural voice comes (True) or goes."""
    neural_gain: float = 1.0


class InstrumentRows:
    """The sounds of the parts, a PartSource (part_source.py). Inference thread only."""

    def __init__(self, rack: Rack, rate_hz: int, fault_log: FaultLog, aside: Aside = nullcontext) -> None:
        """`aside`: entered around all that needs no interpreter (see BandStep)."""
        self._aside = aside
        self._rack, self._rate_hz, self._fault_log = rack, rate_hz, fault_log
        self.early_samples = BEFORE_LINE_MS * rate_hz / 1000
        """So long before a bar line its own notes may begin."""
        self._rise, self._fall = fades(max(1, round(_FADE_MS * rate_hz / 1000)))
        self._parts = [_Part() for _ in PARTS]
        self._told: tuple[PartSound, ...] = (PartSound(DEFAULT_SOUND),) * len(PARTS)
        self._at: int | None = None
        self._cents = 0.0

    @property
    def names(self) -> tuple[str, ...]:
        """What each part sounds with now."""
        return tuple(part.sound.name for part in self._parts)

    @property
    def told(self) -> tuple[PartSound, ...]:
        """What each part was told to sound with."""
        return self._told

    @property
    def all_instruments(self) -> bool:
        """Whether nothing of the neural voice is heard, or will be in the next frame."""
        return not any(sound.neural for sound in self._told) and all(
            part.instrument is not None and not part.turns and part.wanted is None for part in self._parts
        )

    def needs_voice(self, style: str) -> bool:
        """Whether the neural voice is heard in the next frame, or will be: it is asked for, or stands in for an
        instrument that is not there."""
        for row, part in enumerate(self._parts):
            if self._told[row].neural:
                return True
            if self._at is None:  # what was wanted is on at once where it is there
                self._turn_to(row, part, style)
            if part.turns or (part.instrument is None and (self._at is not None or not self._fetch(row, part))):
                return True
        return False

    def want(self, sounds: Sequence[PartSound]) -> None:
        """What the parts shall sound with, from the next bar line on; at once where nothing sounds yet."""
        self._told = tuple(sounds)
        for part in self._parts:
            part.refused = None

    def start_anew(self) -> None:
        """What comes does not go on from what was: nothing sounds, and what was wanted is on at once."""
        self._at = None

    def frame(self, notes: Sequence[TimedNote], begins: int, start: float, bar_line: float | None, style: str) -> None:
        """The notes of a frame whose sound begins at sample `begins` and whose first moment is heard at `start`.

        `bar_line`: where a bar begins within the time of the frame that is `early_samples` later; None: nowhere there.
        """
        if self._at is None:
            self._begin(begins, style)
        for row, part in enumerate(self._parts):
            self._turn_to(row, part, style)
            if part.wanted is None or not self._fetch(row, part):
                continue
            part.waits_from = min(part.waits_from, start)
            if bar_line is not None:
                self._change(part, max(start, bar_line - self.early_samples))
            elif start - part.waits_from > _PATIENCE_S * self._rate_hz:
                self._change(part, start)
        for note in notes:
            part, at = self._parts[note.part], note.position_samples
            if at >= part.changed_at:
                if part.instrument is not None:
                    part.instrument.note(round(at), note.pitch, note.velocity)
            elif part.ringing:
                part.ringing[-1][0].note(round(at), note.pitch, note.velocity)

    def tune(self, cents: float) -> None:
        """All instruments this much above A = 440 Hz."""
        if cents == self._cents:
            return
        self._cents = cents
        for part in self._parts:
            for instrument in (part.instrument, part.ready, *(one for one, _ in part.ringing)):
                if instrument is not None:
                    instrument.tune(cents)

    def fill(self, start_samples: int, parts: Array) -> None:
        """Write over the parts that instruments play: [parts, 2, n] of the neural voice from that sample on."""
        if self._at is None:
            self._begin(start_samples, "")
        count = parts.shape[-1]
        sounding = [
            (row, instrument)
            for row, part in zip(parts, self._parts, strict=True)
            for instrument in (part.instrument, *(one for one, _ in part.ringing))
            if instrument is not None
        ]
        with self._aside():
            sounds = [instrument.render(count) for _, instrument in sounding]
        for row, part in zip(parts, self._parts, strict=True):
            self._fade_neural(part, start_samples, row)
        for (row, _), sound in zip(sounding, sounds, strict=True):
            row += sound
        for part in self._parts:
            part.ringing = [one for one in part.ringing if one[1] > start_samples + count]
        self._at = start_samples + count

    # -------------------------------------------------------------------------------------------- how it is done

    def _begin(self, position: int, style: str) -> None:
        self._at = position
        for row, part in enumerate(self._parts):
            part.ringing.clear()
            self._turn_to(row, part, style)
            if part.wanted is not None and self._fetch(row, part):
                self._change(part, float(position))
                part.ringing.clear()
            part.turns.clear()
            part.changed_at = -math.inf
            part.neural_gain = 1.0 if part.instrument is None else 0.0
            if part.instrument is not None:
                part.instrument.start_anew(position)

    def _turn_to(self, row: int, part: _Part, style: str) -> None:
        """See to it that what was told is wanted, or there already."""
        target = resolved(self._rack, PARTS[row], self._told[row], style)
        if target in (part.sound, part.refused):
            part.wanted = part.ready = None
        elif target != part.wanted:
            part.wanted, part.ready, part.waits_from = target, None, math.inf

    def _fetch(self, row: int, part: _Part) -> bool:
        """Whether what is wanted may come on. What cannot be had is said, and the part stays as it is."""
        if part.wanted is None:
            return False
        if part.wanted.neural or part.ready is not None:
            return True
        part.ready = self._rack.take(PARTS[row], part.wanted)
        if part.ready is not None:
            part.ready.tune(self._cents)
            return True
        trouble = self._rack.trouble()
        if trouble:
            self._fault_log.fault(FaultKind.NO_INSTRUMENT, cause=trouble)
            part.refused, part.wanted = part.wanted, None
        return False

    def _change(self, part: _Part, position: float) -> None:
        """From that sample on what was wanted sounds."""
        old, sound = part.instrument, part.wanted
        if sound is None:
            return
        if old is not None:
            old.end_all(math.floor(position))
            part.ringing.append((old, position + _RINGS_S * self._rate_hz))
        if (old is None) != sound.neural:
            part.turns.append((math.floor(position), sound.neural))
        part.instrument = None if sound.neural else part.ready
        if part.instrument is not None:
            part.instrument.start_anew(self._at or 0)
        part.sound, part.changed_at = sound, position
        part.wanted = part.ready = None

    def _fade_neural(self, part: _Part, position: int, row: Array) -> None:
        """The neural voice at the gain that it has, which turns where the sound changes."""
        if not part.turns:
            if part.neural_gain == 0.0:
                row.fill(0.0)
            return
        count = row.shape[-1]
        gains = np.full(count, part.neural_gain, np.float32)
        while part.turns and part.turns[0][0] < position + count:
            turn, comes = part.turns[0]
            curve = (self._rise if comes else self._fall)[max(0, position - turn) :]
            first = max(0, turn - position)
            last = min(count, first + curve.size)
            gains[first:last] = curve[: last - first]
            gains[last:] = 1.0 if comes else 0.0
            if first + curve.size > count:
                break  # the rest of the curve comes with the next frame
            part.neural_gain = 1.0 if comes else 0.0
            part.turns.pop(0)
        row *= gains
