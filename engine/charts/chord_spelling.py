"""Normalises spellings of chord symbols: German and Dutch notes, lower-case minor, iReal, Brazilian, Danish.

Knows letters only: what a quality holds is chord_symbol.py's business. Pure functions, any thread.
"""

from __future__ import annotations

import re

# Other spellings of the same sign, brought to one before anything else is read.
_SIGNS = (
    ("♭", "b"), ("♯", "#"), ("𝄫", "bb"), ("𝄪", "##"),
    ("°", "dim"), ("º", "dim"), ("Ø", "ø"), ("∅", "ø"), ("⌀", "ø"),
    ("–", "-"), ("−", "-"), ("⁺", "+"), ("⁷", "7"), ("⁶", "6"), ("⁹", "9"),
)  # fmt: skip

_TRIANGLE = re.compile(r"[△Δ^](?=[0-9])|([△Δ^])")  # with a number it is "maj", alone it means the seventh

# German and Dutch names. "Esus4" is E and "Asus2" is A, so that their s is none of these.
_NOTE = re.compile(
    r"(Heses|[CDFGAH]is|[DEG]es|[CFAHB]es|Eis|Es(?!us)|As(?!us)|H)(?=$|[^a-z]|maj|m|dim|aug|sus|add|o|h|j)"
)
_ENGLISH = {
    "Heses": "Bbb", "Hes": "Bb", "Bes": "Bb", "His": "B#", "H": "B", "Es": "Eb", "Ees": "Eb", "As": "Ab", "Aes": "Ab",
    "Eis": "E#",
}  # fmt: skip
_LOWER = re.compile(r"(heses|[cdfgah]is|[degh]es|[cfab]es|eis|es(?!us)|as(?!us)|[a-h](?:##|bb|#|b)?)")
_SAYS_MINOR = re.compile(r"m(?!aj|a[0-9]|M)|-|dim|o(?!m)|ø")

_CAPITALS = re.compile(r"MAJ|MIN|DIM|AUG|SUS|ADD|OMIT|ALT|NO(?=[35])|MA(?=$|[0-9(])|MI(?=$|[0-9(])")
_SEVENTH_LAST = re.compile(r"(m|-|min|mi)?(7|9|11|13)(?:M(?!i)|maj)")  # C7M, Cm7M
_HALF_DIMINISHED = re.compile(r"h(?=$|[79])")
_DANISH = re.compile(r"(m|-)?j(?:(?=7|9|11|13)|(?=$|\())")
_BRACKET = re.compile(r"\(([^()]*)\)")
_ADDED = re.compile(r"(?<=[0-9])/([b#]?(?:9|11|13))(?=$|[/(])")
_RESPELT = tuple(
    (re.compile(pattern), plain)
    for pattern, plain in (
        (r"^(7|9|13)(?:\+|aug)$", r"aug\1"),  # C7+, C9aug
        (r"^(?:m|mi|min|-)(?:/(?:maj|Maj|M)|\+)7$", "mM7"),  # Cm/maj7, Cm+7
        (r"^mi(?=Ma)", "m"),  # CmiMa7
        (r"^-5$", "b5"),
        (r"sus(?:24|42|2sus4)", "sus4add9"),
        (r"^sus(9|13)$", r"\1sus4"),
    )
)
"""Spellings that mean another one, as a whole."""
_NUMBERS = ("2", "4", "6", "9", "11", "13")


def plain_signs(text: str) -> str:
    """The text with # and b for every way to write them, `dim` for a circle, `maj` for a triangle."""
    text = _TRIANGLE.sub(lambda match: "maj7" if match[1] else "maj", text)
    for written, sign in _SIGNS:
        text = text.replace(written, sign)
    return text


def english_note(text: str, german: bool = False) -> tuple[str, str]:
    """The note that begins the text, in English ("F#" for "Fis"), and what follows it; ("", text) where none does.

    H is B natural everywhere; B is B flat where the notation is German.
    """
    match = _NOTE.match(text)
    if match is not None:
        name = match.group()
        return _ENGLISH.get(name) or name[0] + ("#" if name.endswith("is") else "b"), text[match.end() :]
    match = re.match(r"[A-G](?:##|bb|#|b)?", text)
    if match is None:
        return "", text
    name = "Bb" if german and match.group() == "B" else match.group()
    return name, text[match.end() :]


def plain_chord(text: str, german: bool = False) -> str:
    """A chord symbol in the spelling that chord_symbol.py reads; what is no chord comes back as something that is none.

    With `german` a root in lower case is minor ("a7" is Am7), and B is B flat.
    """
    text = plain_signs(text)
    if german and _LOWER.match(text):
        text = _minor_of_lower_case(text)
    note, rest = english_note(text, german)
    if not note:
        return text
    head, slash, low = rest.rpartition("/")
    if slash and low[:1].isalpha():
        bass, more = english_note(low[0].upper() + low[1:], german)
        if bass and not more:
            return note + _apart(_quality(head)) + "/" + bass
    return note + _apart(_quality(rest))


def _minor_of_lower_case(text: str) -> str:
    match = _LOWER.match(text)
    assert match is not None
    rest = text[match.end() :]
    if rest[:3].lower() == "maj":
        return text  # "amaj7": whoever writes that means no minor, nor says major
    note = match.group()[0].upper() + match.group()[1:]
    return note + ("" if _SAYS_MINOR.match(rest) else "m") + rest


def _apart(quality: str) -> str:
    """A quality that begins with a sign stays in brackets: C(b5) is no chord on C flat."""
    return f"({quality})" if quality[:1] in ("b", "#") else quality


def _quality(text: str) -> str:
    for pattern, plain in _RESPELT:
        text = pattern.sub(plain, text)
    text = _CAPITALS.sub(lambda match: match.group().lower(), text)
    text = _HALF_DIMINISHED.sub("ø", text) if text.startswith("h") else text
    match = _SEVENTH_LAST.match(text)
    if match is not None:
        text = ("mM" if match[1] else "maj") + match[2] + text[match.end() :]
    match = _DANISH.match(text)
    if match is not None:
        number = "" if text[match.end() : match.end() + 1].isdigit() else "7"
        text = ("mM" if match[1] else "maj") + number + text[match.end() :]
    text = _ADDED.sub(r"(\1)", text) if not text.startswith(("6/9", "m6/9")) else text
    return _BRACKET.sub(lambda found: _bracketed(found.group(1)), text)


def _bracketed(inside: str) -> str:
    """C7(9), C7(9,13), Cm7(11): a number in brackets is added to the chord."""
    words = [word for word in re.split(r"[,\s/]+", inside) if word]
    return "".join(f"add{word}" if word in _NUMBERS else word for word in words)
