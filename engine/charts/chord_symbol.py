"""Parses chord symbols ("F#m7b5", "C6/9", "G7alt", "Bb/D") into root, pitch classes and bass.

Knows no bar and no time (`chart` does). Pure functions and frozen values, any thread.
"""

from __future__ import annotations

import difflib
import re
from dataclasses import dataclass
from functools import lru_cache

from ..errors import ConfigError
from .chord_spelling import english_note, plain_chord, plain_signs

FLAT_NAMES = ("C", "Db", "D", "Eb", "E", "F", "Gb", "G", "Ab", "A", "Bb", "B")
SHARP_NAMES = ("C", "C#", "D", "D#", "E", "F", "F#", "G", "G#", "A", "A#", "B")
_LETTERS = {"C": 0, "D": 2, "E": 4, "F": 5, "G": 7, "A": 9, "B": 11}
_SILENT = ("N.C.", "NC", "N.C", "n.c.", "nc")
_MOST_LETTERS = 24

_ROOT = re.compile(r"([A-G])(##|bb|#|b)?")
_KEY = re.compile(
    r"([A-Ha-h](?:[#b]|is|es)?|[EeAa]s)(?:\s*-?\s*(m(?![aio])|min(?:or)?|moll|maj(?:or)?|dur|-)\.?)?", re.IGNORECASE
)
_MINOR = ("m", "min", "minor", "moll", "-")
_THIRD = re.compile(r"(maj|Maj|MAJ|ma(?![jd])|M(?!i)|min|Min|MIN|mi|m(?!aj)|-|dim|aug|\+|ø|o(?!m))?")
_NUMBER = re.compile(r"(13|11|9|7|6/9|69|6|5|4|2)?")
_LATE_SEVENTH = re.compile(r"(maj|Maj|ma|Ma|M)(7|9|11|13)")
_TAIL = re.compile(
    r"sus(?P<sus>2|4|)(?![0-9])|add(?P<add>[b#]?(?:13|11|10|9|6|4|3|2))|(?:no|omit)(?P<no>3|5)"
    r"|(?P<sign>[b#+-])(?P<degree>13|11|9|6|5)|(?P<alt>alt)"
)
_DEGREES = {"2": 2, "3": 4, "10": 4, "4": 5, "5": 7, "6": 9, "9": 2, "11": 5, "13": 9}
_SIGNS = {"b": -1, "-": -1, "#": 1, "+": 1, "": 0}

# For "did you mean": what is written most.
_COMMON = (
    "", "m", "7", "maj7", "m7", "6", "m6", "9", "maj9", "m9", "11", "m11", "13", "maj13", "m13", "6/9", "m6/9", "dim",
    "dim7", "ø", "m7b5", "aug", "aug7", "sus2", "sus4", "7sus4", "9sus4", "add9", "madd9", "7b9", "7#9", "7b5", "7#5",
    "7alt", "mmaj7", "maj7#11", "5",
)  # fmt: skip


_SAYS_THIRD = re.compile(r"m(?!aj)|min|maj|M|-|dim|aug|\+|ø|sus|o(?!m)|5", re.IGNORECASE)
_MINOR_THIRDS = ("m", "mi", "min", "-", "dim", "o", "ø")


class ChordError(ConfigError):
    """No chord: one line that says which, and the nearest that is one. Any thread."""


@dataclass(frozen=True, slots=True)
class ChordSymbol:
    """One chord. Roots and basses are pitch classes, 0 is C; both are -1 in a bar without a chord. Any thread."""

    name: str
    """As it was written, with the signs # and b."""
    root: int
    pitch_classes: tuple[float, ...]
    """12 entries, C first: 1 where the chord (or its bass) has that tone, else 0."""
    bass: int

    @property
    def tones(self) -> tuple[int, ...]:
        """Its pitch classes, from C up."""
        return tuple(index for index, there in enumerate(self.pitch_classes) if there)


NO_CHORD = ChordSymbol("N.C.", -1, (0.0,) * 12, -1)


@lru_cache(maxsize=2048)
def parse_chord(text: str, german: bool = False) -> ChordSymbol:
    """The chord of a symbol, in any spelling that musicians use. H is B natural; with `german` B is B flat, and a root
    in lower case is minor. Raises ChordError with the nearest one that can be read."""
    if text in _SILENT:
        return NO_CHORD
    plain = plain_chord(text[: _MOST_LETTERS + 1], german)
    found = _read(plain) if len(text) <= _MOST_LETTERS else None
    if found is None:
        shown = text if len(text) <= _MOST_LETTERS else text[: _MOST_LETTERS - 3] + "..."
        raise ChordError(f"no chord {shown!r}{_nearest(plain)}")
    return found


def parse_root(text: str, german: bool = False) -> int:
    """Pitch class of a note's name ("F#", "B♭", "Fis"). Raises ChordError."""
    note, rest = english_note(plain_signs(text), german)
    match = _ROOT.fullmatch(note) if not rest else None
    if match is None:
        raise ChordError(f"no note {text[:_MOST_LETTERS]!r}: notes are A to G, with # or b")
    return _pitch(match)


def parse_key(text: str, german: bool = False) -> tuple[int, bool]:
    """Tonic and whether it is minor, of "Am", "a", "Bb", "F# minor", "C major", "Es-Dur". Raises ChordError.

    A letter in lower case alone is minor, as in "fis" and "a"; with `german` B is B flat.
    """
    match = _KEY.fullmatch(plain_signs(text.strip()))
    if match is None:
        raise ChordError(f"no key {text[:_MOST_LETTERS]!r}: write one as Am, Bb or F# minor")
    name, mode = match.groups()
    minor = name[0].islower() if mode is None else mode.lower() in _MINOR
    return parse_root(name[0].upper() + name[1:], german), minor


def english_key(text: str, german: bool = False) -> str:
    """A key that `parse_key` reads, as others write it: "fis-moll" is F#m, "Es-Dur" is Eb."""
    _, minor = parse_key(text, german)
    note, rest = english_note(plain_signs(text.strip()[0].upper() + text.strip()[1:]), german)
    return text.strip() if text.strip().startswith(note) and not rest.startswith("-") else note + ("m" if minor else "")


def transposed(chord: ChordSymbol, semitones: int, flats: bool = True) -> ChordSymbol:
    """The same chord so many semitones higher, spelt with flats or with sharps."""
    if chord.root < 0 or semitones % 12 == 0:
        return chord
    names = FLAT_NAMES if flats else SHARP_NAMES
    match = _ROOT.match(chord.name)
    quality = chord.name[match.end() if match else 0 :]
    root, bass = (chord.root + semitones) % 12, (chord.bass + semitones) % 12
    if chord.bass != chord.root:
        quality = quality[: quality.rfind("/")]
    shift = -semitones % 12
    return ChordSymbol(
        names[root] + quality + ("" if bass == root else f"/{names[bass]}"),
        root,
        chord.pitch_classes[shift:] + chord.pitch_classes[:shift],
        bass,
    )


def _pitch(match: re.Match[str]) -> int:
    letter, accidental = match.groups()
    return (_LETTERS[letter] + {"": 0, "#": 1, "b": -1, "##": 2, "bb": -2}[accidental or ""]) % 12


def _read(text: str) -> ChordSymbol | None:
    match = _ROOT.match(text)
    if match is None:
        return None
    root, rest = _pitch(match), text[match.end() :]
    bass = root
    head, slash, low = rest.rpartition("/")
    if slash and not low.isdigit():  # 6/9 is no slash chord
        low_match = _ROOT.fullmatch(low)
        if low_match is None:
            return None
        bass, rest = _pitch(low_match), head
        if bass == root:
            text = text[: text.rfind("/")]
    intervals = _intervals(rest)
    if intervals is None:
        return None
    tones = {(root + interval) % 12 for interval in intervals} | {bass}
    classes = tuple(1.0 if index in tones else 0.0 for index in range(12))
    return ChordSymbol(text, root, classes, bass)


def _intervals(quality: str) -> set[int] | None:
    """Semitones above the root of a quality ("m7b5"); None for what is no quality."""
    quality = re.sub(r"[(),\s]", "", quality)
    third = _THIRD.match(quality)
    kind = _kind(third.group(1) if third else None)
    rest = quality[third.end() if third else 0 :]
    number = _NUMBER.match(rest)
    size = (number.group(1) if number else None) or ""
    rest = rest[number.end() if number else 0 :]
    degrees = _triad(kind)
    late = _LATE_SEVENTH.match(rest) if kind in ("minor", "dim", "aug") and not size else None
    seventh = None
    if late is not None:
        size, rest, seventh = late.group(2), rest[late.end() :], 11
    if not _extend(degrees, kind, size, seventh):
        return None
    return set(degrees.values()) if _change(degrees, rest, size) else None


def _kind(sign: str | None) -> str:
    if sign is None:
        return "dominant"
    if sign in ("ma", "M") or sign.lower() == "maj":
        return "major"
    if sign in ("m", "mi", "-") or sign.lower() == "min":
        return "minor"
    return {"dim": "dim", "o": "dim", "aug": "aug", "+": "aug", "ø": "half"}[sign]


def _triad(kind: str) -> dict[str, int]:
    third = 3 if kind in ("minor", "dim", "half") else 4
    fifth = {"dim": 6, "half": 6, "aug": 8}.get(kind, 7)
    return {"1": 0, "3": third, "5": fifth}


def _extend(degrees: dict[str, int], kind: str, size: str, seventh: int | None) -> bool:
    """Put in what a number stands for; False for a number that does not go with the triad."""
    if size in ("2", "4"):
        if kind != "dominant":
            return False
        degrees["3"] = _DEGREES[size]
    elif size == "5":
        if kind != "dominant":
            return False
        del degrees["3"]
    elif size in ("6", "6/9", "69"):
        if kind not in ("dominant", "minor", "major"):
            return False
        degrees["6"] = 9
        if size != "6":
            degrees["9"] = 2
    elif size:
        if seventh is None:
            seventh = {"major": 11, "dim": 9}.get(kind, 10)
        degrees["7"] = seventh
        if size in ("9", "11", "13"):
            degrees["9"] = 2
        if size == "11":
            degrees["11"] = 5
            if kind == "dominant":
                del degrees["3"]  # nobody plays both
        if size == "13":
            degrees["13"] = 9
    elif kind == "half":
        degrees["7"] = 10
    return True


def _change(degrees: dict[str, int], tail: str, size: str) -> bool:
    """Put in what follows the number (sus, add, b9, alt, no3); False where something cannot be read."""
    while tail:
        match = _TAIL.match(tail)
        if match is None:
            return False
        tail = tail[match.end() :]
        if match["sus"] is not None:
            degrees["3"] = _DEGREES[match["sus"] or "4"]
        elif match["add"] is not None:
            degree = match["add"].lstrip("b#")
            degrees[f"add{match['add']}"] = (_DEGREES[degree] + _SIGNS[match["add"][: -len(degree)]]) % 12
        elif match["no"] is not None:
            degrees.pop(match["no"], None)
        elif match["alt"] is not None:
            degrees.pop("5", None)
            degrees.update({"7": 10, "b9": 1, "#9": 3, "b13": 8})
        else:
            sign, degree = match["sign"], match["degree"]
            if degree in degrees and degree != "6":
                del degrees[degree]
            degrees[f"{sign}{degree}"] = (_DEGREES[degree] + _SIGNS[sign]) % 12
    return True


def _nearest(text: str) -> str:
    """What to write instead, in a few words: only what has the third and the seventh that were written."""
    if text[:1].islower() and text[:1].upper() in _LETTERS:
        return _nearest_of_lower_case(text)
    match = _ROOT.match(text)
    if match is None:
        return ": a chord begins with a note from A to G"
    head, slash, low = text.rpartition("/")
    if slash and _read(head) is not None:
        return f": after the slash comes a bass note, and {low!r} is none"
    root, quality = match.group(), text[match.end() :]
    written = _third_and_seventh(quality)
    alike = [name for name in _COMMON if _third_and_seventh(name) == written]
    close = difflib.get_close_matches(quality.lower(), alike, n=1, cutoff=0.4)
    if not close:
        return f": write it as {root}, {root}m7, {root}sus4 ..."
    return f" (did you mean {root}{close[0]}?)"


def _nearest_of_lower_case(text: str) -> str:
    """A lower-case root is a slip of the key or minor: only a chord that says so itself can be told."""
    upper = text[0].upper() + text[1:]
    if _read(upper) is None:
        return _nearest(upper)
    if _SAYS_THIRD.match(text[1:].lstrip("b#")):
        return f" (did you mean {upper}?)"
    match = _ROOT.match(upper)
    assert match is not None
    minor = f"{match.group()}m{upper[match.end() :]}"
    return f": write {upper} or {minor} (lower case is minor in charts with `notation: german`)"


def _third_and_seventh(quality: str) -> tuple[str, str]:
    """Of what is written, complete or not: ("minor", "minor") of "m7x"."""
    quality = re.sub(r"^(?:mja|jma|amj|may)", "maj", quality)  # slips of the fingers
    sign = re.match(r"maj|ma(?![d])|M(?!i)|min|mi|m(?!aj)|-|dim|aug|\+|ø|o(?!m)|sus|5", quality, re.IGNORECASE)
    kind = sign.group() if sign else ""
    if quality.startswith("M") and not quality.lower().startswith(("maj", "min")):
        kind = "maj"
    third = "none" if "sus" in quality or kind == "5" else "minor" if kind.lower() in _MINOR_THIRDS else "major"
    late = re.search(r"(?:maj|ma|M|j)(?=7|9|11|13)", quality[len(kind) :])
    if re.search(r"(?<![0-9b#])(?:7|9|11|13)|alt|ø", quality.replace("add9", "").replace("add11", "")) is None:
        return third, "none"
    if late or kind.lower() in ("maj", "ma"):
        return third, "major"
    return third, "diminished" if kind.lower() in ("dim", "o") else "minor"
