"""Splits of songs: by seed into train, validation and test, and what is held out entirely. Knows no sound.

`train`, `validation` and `test` draw from the same music by different seeds and hold nothing of what is held out. Each
`held_...` split has exactly one thing that training never had: a style, a span of tempo, a key, a soundfont, a lead
instrument, or all sounds. So generalising is measured. (MuseScore's font, which sounds only in the listener's leads,
shares most samples with the one for training; csound's bank and `held_sound`, our own instruments, share none.)
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

SPLITS: dict[str, int] = {
    "train": 0, "validation": 1, "test": 2, "held_style": 3, "held_tempo": 4, "held_key": 5, "held_font": 6,
    "held_lead": 7, "held_sound": 8,
}  # fmt: skip
HELD_STYLES = ("ska", "samba")
HELD_TEMPO_BPM = (132.0, 140.0)
HELD_KEYS = (6,)
HELD_FONT = "csound"
OTHER_HELD_FONTS = ("musescore",)
HELD_SOUND = "own"
HELD_LEADS = (5, 22, 71)


def check(split: str) -> str:
    """The split's name; ValueError with the names that exist."""
    if split not in SPLITS:
        raise ValueError(f"unknown split {split!r}; known: {', '.join(SPLITS)}")
    return split


def held_out_in(meta: Mapping[str, Any]) -> tuple[str, ...]:
    """The held-out things that a song's `meta` shows: names of splits; empty for a song fit to train on."""
    low, high = HELD_TEMPO_BPM
    found = {
        "held_style": meta["style"] in HELD_STYLES,
        "held_tempo": low <= meta["bpm"] <= high,
        "held_key": meta["key"] in HELD_KEYS,
        "held_font": meta.get("font") in (HELD_FONT, *OTHER_HELD_FONTS),
        "held_sound": HELD_SOUND in (meta.get("fonts") or {}).values(),
        "held_lead": meta["programs"].get("lead") in HELD_LEADS,
    }
    return tuple(name for name, is_there in found.items() if is_there)
