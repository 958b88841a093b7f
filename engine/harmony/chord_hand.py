"""A hand that leads: MIDI keys that go down and come up in, the chord that they mean out.

Keys within 60 ms of the first belong together, as a rolled hand plays them. Three or more that make a chord count at
once, if no key of the hand before is still down; one or two, and a hand that overlaps the last, count when the 60 ms
are over. A chord stays while one of its keys is down, so that nobody need let go evenly; what is left of one is no
other chord unless three tones are. Knows no port and no clock: time is what the messages carry, in samples. One thread
at a time, the inference thread.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace

from ..charts.chord_symbol import FLAT_NAMES, ChordSymbol
from ..errors import ConfigError
from .hand_chords import LEAST, chord_of, largest_chord_of

TOGETHER_S = 0.06
"""Keys that go down so soon after the first are one gesture."""
BETWEEN_S = 0.15
"""A chord that is not latched outlasts its last key by so much: a hand on its way to the next chord is up for less."""
FORGOTTEN_S = 30.0
"""A key that went down so long before another does has lost its note-off."""
ALL_UP = 0xFF
"""As a status: the device has gone, or was reset."""
_OFF, _ON, _CONTROL = 0x80, 0x90, 0xB0
_SUSTAIN, _RESET = 64, 121
_ALL_OFF = (120, *range(123, 128))
"""Controllers that end all notes: all sound off, all notes off, and the modes, which do so as well."""
NOTE_MESSAGES = (_OFF, _ON, _CONTROL)
"""The statuses, without their channel, that a hand's messages have."""

_Key = tuple[str, int, int]
"""Device, channel and MIDI note."""


@dataclass(frozen=True, slots=True)
class HandSettings:
    """Which keys lead, and for how long. Any thread."""

    latched: bool = True
    """A chord stays until the next; else until its keys are up."""
    split: int | None = None
    """The last key of the zone that leads, a MIDI note; None: every key leads."""
    above: bool = False
    """The zone goes up from the split, not down."""
    channel: int = 0
    """1 to 16; 0: every channel."""

    def __post_init__(self) -> None:
        """Raises ConfigError for what cannot be."""
        if self.split is not None and not 0 <= self.split <= 127:
            raise ConfigError(f"split {self.split}: give a MIDI note from 0 to 127")
        if not 0 <= self.channel <= 16:
            raise ConfigError(f"channel {self.channel}: give 1 to 16, or 0 for every channel")

    def leads(self, pitch: int) -> bool:
        """Whether the key is in the zone."""
        return self.split is None or (pitch >= self.split if self.above else pitch <= self.split)


class ChordHand:
    """The keys that are down, and the chord that they mean. Inference thread only."""

    def __init__(self, rate_hz: float) -> None:
        self._together = TOGETHER_S * rate_hz
        self._between = BETWEEN_S * rate_hz
        self._forgotten = FORGOTTEN_S * rate_hz
        self.on = False
        self.settings = HandSettings()
        self.learning = False
        """The next key that goes down is the split."""
        self.chord: ChordSymbol | None = None
        """What the hand asks for now; None: nothing."""
        self.let_go()

    def let_go(self) -> None:
        """Every key is up, whatever the devices say, and no chord is asked for."""
        self._down: dict[_Key, float] = {}
        self._struck: set[int] = set()  # of the gesture that runs, whether still down or not
        self._gesture_at: float | None = None
        self._thinned_at = self._empty_at = math.inf
        self._pedal = False
        self.chord = None

    @property
    def words(self) -> str:
        """How it leads, for a person; empty where it does not."""
        if not self.on:
            return ""
        if self.learning:
            return "press the split key"
        settings = self.settings
        zone = (
            "" if settings.split is None else f", {note_name(settings.split)} and {'up' if settings.above else 'down'}"
        )
        return ("latched" if settings.latched else "held") + zone

    def set_option(self, name: str, value: object) -> None:
        """One of HAND_OPTIONS (commands/song.py). Raises ConfigError for a value that it does not have."""
        settings = self.settings
        if name == "chords":
            self._turn_on(_chosen(name, value, ("auto", "midi"), self.on))
        elif name == "chords_hold":
            settings = replace(settings, latched=_chosen(name, value, ("held", "latched"), settings.latched))
        elif name == "chords_side":
            settings = replace(settings, above=_chosen(name, value, ("below", "above"), settings.above))
        elif name == "chords_split" and value in ("learn", "all"):
            self.learning = value == "learn"
            settings = replace(settings, split=None) if value == "all" else settings
        elif isinstance(value, bool) or not isinstance(value, int):
            raise ConfigError(f"{name} {value!r}: give a whole number")
        elif name == "chords_split":
            settings, self.learning = replace(settings, split=value), False
        else:
            settings = replace(settings, channel=value)
        self._set(settings)

    def _set(self, settings: HandSettings) -> None:
        zone_stays = replace(settings, latched=True) == replace(self.settings, latched=True)
        self.settings = settings
        if not zone_stays:
            chord = self.chord
            self.let_go()  # what is down may not belong to it any more
            self.chord = chord if settings.latched else None

    def _turn_on(self, on: bool) -> None:
        if on != self.on:
            self.on, self.learning = on, False
            self.let_go()

    # ------------------------------------------------------------------------------------------------ what comes in

    def message(self, status: int, number: int, value: int, position: float, device: str = "") -> None:
        """A MIDI message of a device, at its sample. Whatever the bytes are, it raises nothing."""
        if status == ALL_UP:
            self._up([key for key in self._down if key[0] == device], position)
            return
        code, channel = status & 0xF0, (status & 0x0F) + 1
        if not self.on or code not in NOTE_MESSAGES or (self.settings.channel not in (0, channel)):
            return
        if code == _CONTROL:
            self._controller(number, value, position, (device, channel))
        elif code == _OFF or value == 0:
            self._up([(device, channel, number)], position)
        elif self.learning:
            self.learning = False
            self._set(replace(self.settings, split=number))
        elif self.settings.leads(number):
            self._strike((device, channel, number), position)

    def turn(self, position: float) -> None:
        """Decide what waits for its time, now that it is that sample."""
        if self._gesture_at is not None and position - self._gesture_at >= self._together:
            self._close()
        if self._gesture_at is None and position - self._thinned_at >= self._together:
            self._thinned_at = math.inf
            self._take(chord_of(self._pitches()) if self._tones() >= LEAST else None)
        free = not (self.settings.latched or self._pedal or self._down or self._gesture_at is not None)
        if free and position - min(self._empty_at, position) >= self._between:
            self.chord = None

    # ------------------------------------------------------------------------------------------------ how it is done

    def _controller(self, number: int, value: int, position: float, source: tuple[str, int]) -> None:
        if number == _SUSTAIN:
            self._pedal = value >= 64
        elif number in _ALL_OFF or number == _RESET:
            self._pedal = False
            if number != _RESET:
                self._up([key for key in self._down if key[:2] == source], position)
        if not self._pedal and not self._down:
            self._empty_at = min(self._empty_at, position)

    def _strike(self, key: _Key, position: float) -> None:
        self._down = {old: at for old, at in self._down.items() if position - at < self._forgotten}
        if self._gesture_at is not None and not 0 <= position - self._gesture_at < self._together:
            self._close()
        if self._gesture_at is None:
            self._gesture_at = position
        self._struck.add(key[2])
        self._down[key] = position
        self._thinned_at = self._empty_at = math.inf
        self._decide_at_once()

    def _up(self, keys: list[_Key], position: float) -> None:
        gone = [key for key in keys if self._down.pop(key, None) is not None]
        if not gone:
            return
        self._thinned_at = position
        if not self._down:
            self._empty_at = position
        if self._gesture_at is not None:
            self._decide_at_once()

    def _decide_at_once(self) -> None:
        """A whole chord needs no waiting for, unless keys that were down before may be leaving."""
        if self._pitches() <= self._struck and len({pitch % 12 for pitch in self._struck}) >= LEAST:
            self._take(chord_of(self._struck))

    def _close(self) -> None:
        """The gesture is over: what is down counts, else what was struck last, else what is known in it."""
        struck, keys = self._struck, self._pitches() | self._struck
        self._gesture_at, self._struck = None, set()
        self._take(chord_of(keys) or (chord_of(struck) if len(struck) >= LEAST else None) or largest_chord_of(keys))

    def _take(self, chord: ChordSymbol | None) -> None:
        """Another chord; None, or the same again, changes nothing."""
        if chord is not None and chord != self.chord:
            self.chord = chord

    def _pitches(self) -> set[int]:
        return {key[2] for key in self._down}

    def _tones(self) -> int:
        return len({key[2] % 12 for key in self._down})


def _chosen(name: str, value: object, words: tuple[str, str], now: bool) -> bool:
    """Whether the second of two words is asked for; "turn": the one that is not on."""
    if value == "turn":
        return not now
    if value not in words:
        raise ConfigError(f"{name} {value!r}: give {words[0]} or {words[1]}")
    return value == words[1]


def note_name(pitch: int) -> str:
    """Of a MIDI note, with middle C (60) as C4."""
    return f"{FLAT_NAMES[pitch % 12]}{pitch // 12 - 1}"
