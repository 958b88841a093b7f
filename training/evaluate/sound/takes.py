"""A take: what a band sounded like on one lead, part by part, the notes that it played, and the written parts beside.

Files of takes let figures be taken again without playing again. Knows neither band nor engine: whoever plays fills it.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from ....files.json_text import json_text
from ...sound import soundfont_synth

FloatArray = NDArray[np.floating[Any]]
PARTS = ("drums", "bass", "keys")
RATE_HZ = 48_000


class Note(NamedTuple):
    """One note that was played, in seconds of the take."""

    part: str
    pitch: int
    velocity: int
    start_s: float
    end_s: float


Notes = tuple[Note, ...]
Renderer = Callable[[Notes, str], Mapping[str, FloatArray]]
"""Notes and a style to sound: each part float32 [2, n] at RATE_HZ."""


@dataclass(frozen=True)
class Take:
    """One piece as it was played. All sound is float32 at RATE_HZ."""

    name: str
    style: str
    parts: dict[str, FloatArray]
    """Each part [2, n], as it comes: no level, no desk."""
    notes: Notes
    written: dict[str, FloatArray]
    """The arranger's own parts to the same lead [n], at its levels; empty where none were written."""

    @property
    def samples(self) -> int:
        return int(self.parts["drums"].shape[1])


def save_take(take: Take, path: Path) -> None:
    """One compressed file, whole or not at all."""
    arrays: dict[str, Any] = {f"part_{part}": np.asarray(sound, np.float32) for part, sound in take.parts.items()}
    arrays |= {f"written_{part}": np.asarray(sound, np.float32) for part, sound in take.written.items()}
    about = {"name": take.name, "style": take.style, "notes": [list(note) for note in take.notes]}
    temporary = path.with_name(f".{path.name}.part")
    path.parent.mkdir(parents=True, exist_ok=True)
    with temporary.open("wb") as file:
        np.savez(file, about=np.array(json_text(about)), **arrays)
    temporary.replace(path)


def load_take(path: Path) -> Take:
    """Read a take back. Raises OSError or ValueError for a file that is none."""
    import json

    with np.load(path, allow_pickle=False) as data:
        if "about" not in data:
            raise ValueError(f"{path} is no take: it holds no 'about'")
        about = json.loads(str(data["about"]))
        parts = {part: data[f"part_{part}"] for part in PARTS}
        written = {part: data[f"written_{part}"] for part in PARTS if f"written_{part}" in data}
    return Take(about["name"], about["style"], parts, tuple(Note(*note) for note in about["notes"]), written)


def both_sides(sound: FloatArray) -> NDArray[np.float32]:
    """[n] or [n, 2] or [2, n] as float32 [2, n]: mono sound is in the middle."""
    rows = np.asarray(sound, np.float32)
    if rows.ndim == 1:
        return np.stack([rows, rows])
    return np.ascontiguousarray(rows if rows.shape[0] == 2 else rows.T)


def font_parts(notes: Notes, programs: Mapping[str, int], font: str, samples: int) -> dict[str, NDArray[np.float32]]:
    """The same notes through a soundfont: each part [n] at RATE_HZ, at the font's own level; touch by the standard."""
    rendered = {}
    for part in PARTS:
        events = [(n.start_s, n.end_s, n.pitch, n.velocity) for n in notes if n.part == part]
        rendered[part] = soundfont_synth.render_events(
            events, programs[part], drums=part == "drums", length_samples=samples, rate_hz=RATE_HZ, font=font
        )
    return rendered
