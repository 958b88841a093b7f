"""What a part may sound with: the neural voice, or an instrument of General MIDI by its name or number.

Knows no sound and no bank. Values and a table of names; any thread. Programs are counted from 0 here, and from 1 by
musicians, who write them.
"""

from __future__ import annotations

import difflib
from collections.abc import Mapping
from dataclasses import dataclass

from .commands import SetSound, SetSounds, StepSound
from .errors import ConfigError
from .player import PARTS

NEURAL, INSTRUMENTS = "neural", "instruments"
DEFAULT_SOUND = INSTRUMENTS
"""What a part sounds with where nobody says: the instruments of the style, which answer velocity as hands do
(docs/results/sound.md); the neural voice where there is no bank."""
_MOST_LETTERS = 60

_FAMILIES = """
grand piano, bright piano, electric grand, honky tonk piano, electric piano 1, electric piano 2, harpsichord, clavinet
celesta, glockenspiel, music box, vibraphone, marimba, xylophone, tubular bells, dulcimer
drawbar organ, percussive organ, rock organ, church organ, reed organ, accordion, harmonica, bandoneon
nylon guitar, steel guitar, jazz guitar, clean guitar
muted guitar, overdriven guitar, distorted guitar, guitar harmonics
acoustic bass, fingered bass, picked bass, fretless bass, slap bass 1, slap bass 2, synth bass 1, synth bass 2
violin, viola, cello, contrabass, tremolo strings, pizzicato strings, harp, timpani
string ensemble, slow strings, synth strings 1, synth strings 2, choir aahs, voice oohs, synth voice, orchestra hit
trumpet, trombone, tuba, muted trumpet, french horn, brass section, synth brass 1, synth brass 2
soprano sax, alto sax, tenor sax, baritone sax, oboe, english horn, bassoon, clarinet
piccolo, flute, recorder, pan flute, bottle, shakuhachi, whistle, ocarina
square lead, saw lead, calliope lead, chiff lead, charang lead, voice lead, fifths lead, bass and lead
new age pad, warm pad, polysynth pad, choir pad, bowed pad, metallic pad, halo pad, sweep pad
rain, soundtrack, crystal, atmosphere, brightness, goblins, echoes, science fiction
sitar, banjo, shamisen, koto, kalimba, bagpipe, fiddle, shanai
tinkle bell, agogo, steel drums, woodblock, taiko, melodic tom, synth drum, reverse cymbal
fret noise, breath noise, seashore, bird, telephone, helicopter, applause, gunshot
"""
PROGRAM_NAMES: tuple[str, ...] = tuple(
    name.strip() for line in _FAMILIES.strip().splitlines() for name in line.split(",")
)
"""By program, from 0."""
KITS: dict[int, str] = {
    0: "standard kit",
    8: "room kit",
    16: "power kit",
    24: "electronic kit",
    25: "analog kit",
    32: "jazz kit",
    40: "brush kit",
    48: "orchestra kit",
}
"""Kits of drums that banks agree on, by program from 0."""
ALIASES: dict[str, int] = {
    "piano": 0,
    "e piano": 4,
    "electric piano": 4,
    "rhodes": 4,
    "fm piano": 5,
    "dx7": 5,
    "wurlitzer": 4,
    "clav": 7,
    "vibes": 11,
    "organ": 16,
    "hammond": 16,
    "guitar": 25,
    "double bass": 32,
    "upright bass": 32,
    "bass": 33,
    "electric bass": 33,
    "slap bass": 36,
    "synth bass": 38,
    "strings": 48,
    "brass": 61,
    "pad": 89,
}
"""What musicians say. A Wurlitzer is no program of its own: the nearest one."""


@dataclass(frozen=True, slots=True)
class PartSound:
    """The sound of one part. Any thread."""

    name: str = NEURAL
    """As it is shown, and as it may be written."""
    program: int = -1
    """0 to 127, of drums the kit; -1 where the name is not that of a program."""
    bank: str = ""
    """The file of the bank, or its name; empty: the one that was found."""

    @property
    def neural(self) -> bool:
        return self.name == NEURAL

    @property
    def of_style(self) -> bool:
        """Whether it is whatever instrument the style has."""
        return self.name == INSTRUMENTS

    def of_program(self, part: str, program: int) -> PartSound:
        """The instrument of that number, of the same bank."""
        return PartSound(name_of(part, program), program, self.bank)


def name_of(part: str, program: int) -> str:
    """How General MIDI calls a program, or a kit of the drums."""
    if part == "drums":
        return KITS.get(program, f"kit {program + 1}")
    return PROGRAM_NAMES[program]


def part_sound(part: str, wanted: object, bank: str = "") -> PartSound:
    """The sound that a word or a number means for a part: "neural", "instruments", "fingered bass", "kit 1", 34.

    Part of a name is enough where it fits one. Raises ConfigError with names that are near.
    """
    if part not in PARTS:
        raise ConfigError(f"there is no part {part!r}: the parts are {', '.join(PARTS)}")
    if isinstance(wanted, PartSound):
        return wanted
    if isinstance(wanted, bool) or not isinstance(wanted, (str, int)):
        raise ConfigError(
            f"sound of {part} {str(wanted)[:_MOST_LETTERS]!r}: give neural, instruments, or an instrument"
        )
    text = " ".join(str(wanted).lower().replace("_", " ").replace("-", " ").split())
    if len(text) > _MOST_LETTERS or not text:
        raise ConfigError(f"sound of {part}: give neural, instruments, or an instrument's name or number")
    if text in (NEURAL, INSTRUMENTS):
        return PartSound(text, -1, bank if text == INSTRUMENTS else "")
    program = _program(part, text)
    return PartSound(name_of(part, program), program, bank)


def sounds_of(text: str) -> dict[str, PartSound]:
    """The sounds of "neural", "instruments" or "drums=kit 1,keys=rhodes", by part. Raises ConfigError."""
    found: dict[str, PartSound] = {}
    for piece in text.split(","):
        part, equals, wanted = (word.strip() for word in piece.partition("="))
        if not equals:
            if piece.strip() not in (NEURAL, INSTRUMENTS):
                raise ConfigError(
                    f"sound {piece.strip()[:_MOST_LETTERS]!r}: give neural, instruments, or PART=WHAT (keys=rhodes)"
                )
            found |= {part: part_sound(part, piece.strip()) for part in PARTS}
        else:
            found[part] = part_sound(part, wanted)
    return found


def in_order(sounds: Mapping[str, PartSound]) -> tuple[PartSound, ...]:
    """Of each part, the usual where none is given."""
    return tuple(sounds.get(part, PartSound(DEFAULT_SOUND)) for part in PARTS)


def with_sounds(sounds: tuple[PartSound, ...], changed: Mapping[str, PartSound]) -> tuple[PartSound, ...]:
    """The sounds of all parts with some of them changed."""
    return tuple(changed.get(part, sound) for part, sound in zip(PARTS, sounds, strict=True))


ROUNDS: dict[str, tuple[str, ...]] = {
    "drums": (NEURAL, INSTRUMENTS, "room kit", "power kit", "jazz kit", "brush kit", "electronic kit"),
    "bass": (NEURAL, INSTRUMENTS, "fingered bass", "picked bass", "acoustic bass", "slap bass 1", "synth bass 1"),
    "keys": (NEURAL, INSTRUMENTS, "grand piano", "electric piano 1", "drawbar organ", "clavinet", "string ensemble"),
}
"""What `next_sound` goes through."""


def next_sounds(sounds: tuple[PartSound, ...], part: str, heard: tuple[str, ...] = ()) -> tuple[PartSound, ...]:
    """The sounds with the next of a part's round; without a part all neural, or all instruments.

    `heard`: the names of what sounds now, which is left out of the round.

    Raises ConfigError for a part that does not exist.
    """
    if not part:
        other = INSTRUMENTS if all(sound.neural for sound in sounds) else NEURAL
        return (PartSound(other, bank=sounds[0].bank),) * len(PARTS)
    if part not in PARTS:
        raise ConfigError(f"there is no part {part!r}: the parts are {', '.join(PARTS)}")
    now = sounds[PARTS.index(part)]
    names = ROUNDS[part]
    place = names.index(now.name) + 1 if now.name in names else 0
    if heard and names[place % len(names)] == heard[PARTS.index(part)]:
        place += 1
    return with_sounds(sounds, {part: part_sound(part, names[place % len(names)], now.bank)})


def sounds_after(
    sounds: tuple[PartSound, ...], command: SetSound | StepSound | SetSounds, heard: tuple[str, ...] = ()
) -> tuple[PartSound, ...]:
    """The sounds as the command leaves them. `heard`: the names of what sounds now.

    Raises ConfigError for a part or a sound that does not exist.
    """
    if isinstance(command, SetSounds):
        return tuple(sound for sound in command.sounds if isinstance(sound, PartSound))
    if isinstance(command, StepSound):
        return next_sounds(sounds, command.part, heard)
    bank = sounds[PARTS.index(command.part)].bank if command.part in PARTS else ""
    return with_sounds(sounds, {command.part: part_sound(command.part, command.name, bank)})


def _program(part: str, text: str) -> int:
    names = {name: number for number, name in (KITS.items() if part == "drums" else enumerate(PROGRAM_NAMES))}
    number = text.removeprefix("kit ").removeprefix("program ")
    if number.isdecimal():
        if not 1 <= int(number) <= 128:
            raise ConfigError(f"sound of {part} {text!r}: programs are counted from 1 to 128")
        return int(number) - 1
    if text in names:
        return names[text]
    if part != "drums" and text in ALIASES:
        return ALIASES[text]
    fits = [name for name in names if _fits(text, name)]
    if len(fits) == 1:
        return names[fits[0]]
    if fits:
        raise ConfigError(f"sound of {part} {text!r} fits several: {', '.join(fits[:6])}")
    close = difflib.get_close_matches(text, [*names, *ALIASES], n=1, cutoff=0.5)
    hint = f" (did you mean {close[0]}?)" if close else ""
    raise ConfigError(f"no sound {text!r} for {part}{hint}: `gigmate sounds` lists them")


def _fits(text: str, name: str) -> bool:
    """Whether each word of the text begins a word of the name."""
    words = name.replace("(", "").replace(")", "").split()
    return all(any(word.startswith(wanted) for word in words) for wanted in text.split())
