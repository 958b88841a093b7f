"""The songbook: common chord progressions as a prior for what comes next.

Bars are divided by spaces, chords within a bar by commas, progressions by `|`. Numerals count from the major scale;
small ones have a minor third; sevenths and the like are left out. Collected from what the arranger writes in the styles
that train (not in those held out), and from songs that everybody knows. Data and its reading; any thread.
"""

from __future__ import annotations

import re

IN_MAJOR = """
    I | I IV | I ii | I iii | I iv | I,IV bVII,IV | I,bVII IV | I,vi ii,V | IV iii | i IV | I I I IV | I I IV I
    | I I IV IV | I I IV V | I I bVII IV | I I ii V | I II IV I | I II ii V | I III IV iv | I III vi IV | I IV I
    V | I IV V IV | I IV V V | I IV bVII IV | I IV vi V | I V IV I | I V IV IV | I V V I | I V ii IV | I V vi IV
    | I VI II V | I VI ii V | I bII I bIII | I bIII IV I | I bIII IV bVI | I bVI bVII I | I bVII IV I | I bVII
    IV V | I bVII bVI V | I bVII bVI bVII | I ii IV V | I ii iii ii | I ii vi IV | I iii IV V | I iii IV iv | I
    iii ii V | I iii vi IV | I vi IV V | I vi bVI bVII | I vi ii V | IV I IV V | IV I V V | IV I V vi | IV IV I
    I | IV IV bVII V | IV V I I | IV V I IV,V | IV V iii vi | IV bVI I bVII | IV bVII I VI | IV iii ii V | IV iv
    I I | bII bII I I | bIII IV I I | bVI bVI bVII bVII | bVI bVII I I | bVII IV I I | ii IV V V | ii V I I | ii
    V I VI | ii V I vi | ii V iii vi | ii ii V V | ii iii IV V | iii vi ii V | vi IV I V | vi IV vi V | vi V IV
    V | vi iii IV I | vi vi ii V | vi vi ii ii | I vi IV ii V | vi III vi II ii V | I I I I IV IV V V | I I II
    II ii V I V | I I IV I I I V V | I I IV IV V V I I | I I IV bv I V I I | I I IV bv I VI ii V | I I IV iv iii
    VI ii V | I I ii V iii VI ii V | I I iv bVII iii VI ii V | I I vi vi IV IV V V | I III vi I IV I ii V | I IV
    I I IV iv I V | I IV I V I IV V I | I IV iii vi ii V I V | I V IV IV I V I V | I V vi I IV I ii V | I V vi I
    IV iv I V | I V vi II IV IV I V | I V vi V IV I ii V | I V vi iii IV I IV V | I iv I iv iii VI ii V | I
    iv,bVII I iii,VI ii V I ii,V | I,VI ii,V I,VI ii,V I IV,iv iii,VI ii,V | III III VI VI II II V V | III III
    vi vi II II V V | IV IV I I II II V V | IV IV I I IV IV II V | IV IV I I V V I I | IV IV iii VI ii ii V V |
    IV IV iii vi ii ii V V | IV V I vi IV V I I | IV V iii vi ii V I I | IV bv I VI ii V I I | IV iv iii VI ii V
    I I | IV iv iii biii ii V I I | bIII bIII iv bVII bIII bIII ii V | ii V I IV vii III vi VI | iv bVII bIII
    bVI ii V I I | v I IV IV iv bVII iii VI | v I IV IV vi II ii V | vi II ii V I IV I I | vi vi IV IV V V V V |
    I I I I IV IV I I V IV I V | I I I I IV IV I I V V I I | I IV I I IV IV I I V IV I V | I IV I I IV IV I VI
    ii V I,IV I,V | I IV I I IV IV I VI ii V I,VI ii,V | I IV I,V I IV bv I VI II V I,IV I,V
"""
IN_MINOR = """
    i | i,bVII | i,v | i IV | i bVI | i bVII | i iv | i v | i,bVI iv,V | i,iv i,V | i,vi ii,V | I I I bII | I I
    bII bII | I I bVI bVII | I bII I bIII | I bVI bIII bVII | I bVII bVI bVII | IV bVI bVII bII | bIII bIII iv
    bVII | bIII bVII i i | bIII bVII iv V | bVI V i i | bVI bIII bVII i | bVI bIII iv V | bVI bVI V V | bVI bVI
    bVII V | bVI bVI iv V | bVI bVII I I | bVI bVII i V | bVI bVII i i | bVI iv bIII V | i IV bVI V | i V i V |
    i bIII IV i | i bIII bVII IV | i bIII bVII iv | i bIII iv bVI | i bVI bIII bVII | i bVI bVII bVII | i bVI
    bVII i | i bVI i V | i bVI ii V | i bVI iv V | i bVI iv bVII | i bVII bVI V | i bVII bVI bVII | i bVII iv iv
    | i i bVI V | i i bVI bVII | i i ii V | i i iv V | i i iv iv | i i iv v | i iv bVI V | i iv bVII bIII | i iv
    bVII i | i iv i V | i iv ii V | i v bVI bVII | i v iv v | iv V i bVI | iv V i i | iv bVII bIII V | iv bVII
    bIII bVI | iv bVII i i | iv i V i | iv i iv V | iv iv V V | iv iv bVII V | iv iv i i | III III VI VI II II V
    V | bIII bIII bVII bVII i i V V | bIII bIII iv bVII bIII bVI ii V | bVI bVI i i iv iv V V | i V i iv i bVI V
    V | i i bVII bVII bVI bVI V V | i i iv iv bVI V i V | i i iv iv i i V V | i iv bVII bIII bVI ii V i | iv
    bVII bIII bIII ii V i i | iv bVII bIII bVI ii V i i | iv iv i i V V V V | iv iv i i iv iv bVI V | i i i i iv
    iv i i bVI V i V | i iv i i iv iv i i bVI V i,iv i,V | i iv i i iv iv i i ii V i V
"""
_DEGREES = {"I": 0, "II": 2, "III": 4, "IV": 5, "V": 7, "VI": 9, "VII": 11}
_NUMERAL = re.compile(r"(b?)([IV]+|[iv]+)")

Bars = tuple[tuple[int, ...], ...]
"""Chords of each bar, counted from the tonic: semitones + 12 * (minor third or not)."""


def progressions(text: str) -> tuple[Bars, ...]:
    """What a text of progressions says; ValueError for a numeral that is none."""
    return tuple(
        tuple(tuple(_degree(word) for word in bar.split(",")) for bar in piece.split()) for piece in text.split("|")
    )


def _degree(word: str) -> int:
    match = _NUMERAL.fullmatch(word)
    if match is None or match[2].upper() not in _DEGREES:
        raise ValueError(f"{word!r} is no numeral of a chord")
    return (_DEGREES[match[2].upper()] - len(match[1])) % 12 + 12 * match[2].islower()
