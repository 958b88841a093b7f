"""The header of a chart: title, key, metre, tempo, notation and other lines before the first bar.

Knows no bars. Pure functions, any thread.
"""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterable

from ..errors import ConfigError
from .chart import flats_in
from .chord_symbol import ChordError, parse_chord

NAMES = ("title", "key", "metre", "tempo", "end", "notation", "pickup")
CHOICES = {
    "end": (("loop", "stop"), "give loop (goes round) or stop"),
    "notation": (("english", "german"), "give english, or german (B is B flat, lower case is minor)"),
}
"""What may stand there, and what to write instead of anything else."""
HEADER = re.compile(r"\s*([A-Za-z-]+)\s*:(?!\|)\s*(.*)")
SECTION = re.compile(r"\s*\[([^\[\]|]*)\]\s*(.*)")
COMMENT = re.compile(r"^\s*#.*$|\s#(\s.*)?$")

_OTHER_NAMES = {"meter": "metre", "time": "metre", "bpm": "tempo", "upbeat": "pickup", "pick-up": "pickup"}
ENTRIES = frozenset((*NAMES, *_OTHER_NAMES))
"""Every name that an entry may be called by."""
_GERMAN = re.compile(r"(?<![^\s|/(])[Hh](?![A-Z])[^\s|]*")
"""A chord on H, which only German notation has: its B is B flat."""


class HeaderError(ConfigError):
    """An entry that cannot be: what to write instead. Any thread."""


def near(word: str, words: Iterable[str]) -> str:
    """ " (did you mean X?)" for the closest of `words`, in whatever case; nothing where none is close."""
    known = {name.lower(): name for name in words}
    close = difflib.get_close_matches(word.lower(), list(known), n=1, cutoff=0.5)
    return f" (did you mean {known[close[0]]}?)" if close else ""


def header_of(name: str) -> str:
    """The entry's own name ("metre" of "Meter")."""
    key = _OTHER_NAMES.get(name.lower(), name.lower())
    if key not in NAMES:
        raise HeaderError(
            f"no entry {name!r}{near(name, NAMES)}: entries are {', '.join(NAMES)}; a section is [{name}]"
        )
    return key


def chosen(key: str, value: str) -> str:
    """A value of `end` or `notation`."""
    words, mend = CHOICES[key]
    if value.lower() not in words:
        raise HeaderError(f"{key} {value!r}{near(value, words)}: {mend}")
    return value.lower()


def metre_beats(value: str) -> int:
    """Beats of a bar of "4/4"; in 6/8, 9/8, 12/8 and 15/8 a beat is a dotted quarter."""
    match = re.fullmatch(r"([0-9]{1,2})\s*/\s*(2|4|8)", value)
    count = int(match[1]) if match else 0
    if not match or not 2 <= count <= 15:
        raise HeaderError(f"metre {value!r}: give one such as 4/4, 3/4 or 6/8")
    return count // 3 if match[2] == "8" and count in (6, 9, 12, 15) else count


def metre_quarters(value: str) -> float:
    """Length of a beat of "4/4" in quarter notes: 1.5 in 6/8 and its like, 0.5 in 7/8, 2 in 2/2."""
    count, kind = (int(number) for number in value.split("/"))
    return 1.5 if kind == 8 and metre_beats(value) != count else 4.0 / kind


def tempo_bpm(value: str) -> float:
    """30 to 300 bpm."""
    match = re.fullmatch(r"([0-9]{2,3}(?:\.[0-9]+)?)(\s*bpm)?", value)
    if not match or not 30 <= float(match[1]) <= 300:
        raise HeaderError(f"tempo {value!r}: give 30 to 300 bpm")
    return float(match[1])


def pickup_beats(value: str, beats_per_bar: int) -> int:
    """Beats of the bar before the first whole one."""
    if not re.fullmatch(r"[1-9]", value) or int(value) >= beats_per_bar:
        raise HeaderError(f"pickup {value!r}: give the beats of the first bar, fewer than the metre has")
    return int(value)


def is_german(line: str) -> bool:
    """Whether a line of bars has a chord on H, or the line says that the notation is German."""
    header = HEADER.match(line)
    if header is not None and "|" not in line:
        return header[1].lower() == "notation" and header[2].strip().lower() == "german"
    bars = COMMENT.sub("", line)
    section = SECTION.match(bars)
    bars = section[2] if section is not None else bars
    return any(_reads(found.group()) for found in _GERMAN.finditer(bars))


def _reads(text: str) -> bool:
    try:
        parse_chord(text, german=True)
    except ChordError:
        return False
    return True


def remarks_on(names: Iterable[str], key: str) -> tuple[str, ...]:
    """What may not be what was meant, of chords in English notation: B where a German would have B flat."""
    names = tuple(names)
    on_b = sorted(name for name in names if re.match(r"B(?![b#])", name) or name.endswith("/B"))
    if not on_b or not key or not flats_in(key) or any(name.startswith("Bb") or "/Bb" in name for name in names):
        return ()
    return (
        f"{on_b[0]} in the key of {key} is read as B natural: "
        "if B flat is meant, write Bb, or `notation: german` at the top",
    )


def dotted(words: list[str], beats: int) -> str:
    """A guess at what was meant: the chords one by one, the first ones longer."""
    chords = [word for word in words if word not in (".", "/", "%")][:beats] or ["Am"]
    more = beats - len(chords)
    cells = []
    for number, chord in enumerate(chords):
        share = (more + len(chords) - 1 - number) // len(chords)
        cells += [chord, *["."] * share]
    return " ".join(cells)
