"""What kind of section a name says, and how much busier than a verse a band plays there. Pure functions, any thread."""

from __future__ import annotations

import re

_KINDS = (
    ("pre-chorus", "bridge"), ("prechorus", "bridge"), ("chorus", "chorus"), ("refrain", "chorus"), ("hook", "chorus"),
    ("drop", "chorus"), ("bridge", "bridge"), ("middle", "bridge"), ("interlude", "bridge"), ("solo", "solo"),
    ("improv", "solo"), ("intro", "intro"), ("verse", "verse"), ("strophe", "verse"), ("ending", "ending"),
    ("outro", "ending"), ("coda", "ending"),
)  # fmt: skip
"""The first word that is in the name decides; `chorus` and `solo` in "Solo chorus" is a solo."""
BUSIER = {"intro": -0.15, "verse": -0.05, "chorus": 0.2, "bridge": 0.0, "solo": 0.1, "ending": 0.1}
"""Added to the density where a section names none: what the arranger's songs do, at two thirds."""


def kind_of(name: str) -> str:
    """`intro`, `verse`, `chorus`, `bridge`, `solo` or `ending`; empty where the name says none."""
    low = re.sub(r"[\s_]+", " ", name.lower())
    if "solo" in low:
        return "solo"
    return next((kind for word, kind in _KINDS if word in low), "")
