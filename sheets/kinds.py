"""Chords of MusicXML: kinds and degrees to the names of chord symbols, and back. Pure functions, any thread."""

from __future__ import annotations

import re

KINDS = {
    "major": "", "minor": "m", "augmented": "aug", "diminished": "dim", "dominant": "7", "major-seventh": "maj7",
    "minor-seventh": "m7",
    "diminished-seventh": "dim7", "augmented-seventh": "aug7", "half-diminished": "m7b5",
    "major-minor": "mMaj7", "major-sixth": "6", "minor-sixth": "m6", "dominant-ninth": "9", "major-ninth": "maj9",
    "minor-ninth": "m9", "dominant-11th": "11", "major-11th": "maj11", "minor-11th": "m11", "dominant-13th": "13",
    "major-13th": "maj13", "minor-13th": "m13", "suspended-second": "sus2",
    "suspended-fourth": "sus4", "power": "5",
    "pedal": "5",
}  # fmt: skip
"""Kinds by their names in the standard; those that are missing are named by their text."""
_WRITTEN = tuple(
    sorted(((name, kind) for kind, name in KINDS.items() if kind != "pedal"), key=lambda one: -len(one[0]))
)
_ALTER = {-2: "bb", -1: "b", 0: "", 1: "#", 2: "##"}


def degree_name(value: int, alter: int, kind: str) -> str:
    """What a degree adds to a name: "add9", "b9", "no3"."""
    sign = _ALTER.get(alter, "")
    if kind == "subtract":
        return f"no{value}"
    if value == 7:
        return {0: "7", 1: "maj7", -1: "dim7"}.get(alter, "7")
    if kind == "add" and not sign:
        return f"add{value}"
    return f"{sign}{value}"


def name_of(kind: str, degrees: list[str]) -> str:
    """A quality of a kind and its degrees' names."""
    base = KINDS.get(kind, "")
    if base.startswith("sus") and "7" in degrees:
        size = "13" if "add13" in degrees else "9" if "add9" in degrees else "7"
        rest = [one for one in degrees if one not in ("7", "add9", "add13")]
        return size + "".join(rest) + base
    if base in ("", "m") and degrees and degrees[-1:] != degrees[:1]:
        degrees = sorted(degrees, key=lambda one: one not in ("7", "maj7"))  # the seventh first
    return base + "".join(degrees)


def split_name(quality: str) -> tuple[str, str]:
    """(kind, what is left) of a quality: ("dominant", "b9") of "7b9". "other" where no kind begins it."""
    plain = quality.replace("ø7", "m7b5").replace("ø", "m7b5").replace("°", "dim")
    plain = re.sub(r"^o(?=7|$)", "dim", re.sub(r"^-", "m", re.sub(r"^\+", "aug", plain)))
    suspended = re.fullmatch(r"(7|9|13)(.*)sus([24]?)", plain)
    if suspended is not None:
        added = {"7": "add7", "9": "add7add9", "13": "add7add9add13"}[suspended[1]]
        return "suspended-second" if suspended[3] == "2" else "suspended-fourth", added + suspended[2]
    plain = re.sub(r"^m[mM](?:aj)?7", "mMaj7", re.sub(r"^sus$", "sus4", plain))
    for name, kind in _WRITTEN:
        if name and plain.startswith(name) and not (name == "m" and plain.startswith("maj")):
            return kind, plain[len(name) :]
    return ("major", plain) if not plain or not plain[0].isdigit() else ("other", plain)
