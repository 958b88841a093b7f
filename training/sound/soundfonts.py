"""Finds free soundfonts on this machine; the error for a missing one names its package. Knows nothing of music."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path

VARIABLE = "GIGMATE_SOUNDFONTS"
SEARCH = (
    "/usr/share/sounds/sf2",
    "/usr/share/sounds/sf3",
    "/usr/share/soundfonts",
    "/usr/local/share/soundfonts",
    "/opt/homebrew/share/soundfonts",
    "~/.local/share/soundfonts",
    "~/soundfonts",
)


@dataclass(frozen=True)
class SoundFont:
    """A font that may be used: its file name, licence, and the packages that carry it."""

    name: str
    file: str
    licence: str
    debian: str
    held_out: bool = False


FONTS = (
    SoundFont("fluid", "FluidR3_GM.sf2", "MIT", "fluid-soundfont-gm"),
    SoundFont("fluid_mono", "FluidR3Mono_GM.sf3", "MIT", "fluidr3mono-gm-soundfont"),
    SoundFont("csound", "sf_GMbank.sf2", "public domain", "csound-soundfont", held_out=True),
    SoundFont("musescore", "MuseScore_General_Lite.sf3", "MIT", "musescore-general-soundfont-small", held_out=True),
)


class SoundFontError(RuntimeError):
    """No soundfont where one is needed; the message says what to install."""


def find(name: str = "fluid") -> Path:
    """The file of a font. Looks in the folders of $GIGMATE_SOUNDFONTS first, then where systems keep them.

    Raises SoundFontError with the install command; ValueError for a name that is not known.
    """
    known = {f.name: f for f in FONTS}
    if name not in known:
        raise ValueError(f"unknown soundfont {name!r}; known: {', '.join(known)}")
    font = known[name]
    folders = [*os.environ.get(VARIABLE, "").split(os.pathsep), *SEARCH]
    for folder in folders:
        if folder:
            path = Path(folder).expanduser() / font.file
            if path.is_file():
                return path
    raise SoundFontError(
        f"soundfont {font.file} not found: install it with `sudo apt install {font.debian}`, "
        f"or put the file in a folder and name the folder in ${VARIABLE}"
    )
