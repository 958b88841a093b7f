"""The stems of a song in a folder: found by their names, read whole, and looked at before anything learns from them.

Knows no labels and no models. What is left out is said.
"""

from __future__ import annotations

import math
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from ...dsp.limiter import LOUDEST
from ...files.channels import picked
from ...files.errors import SoundFileError
from ...files.sound_reader import SoundReader
from ..band.score import PARTS

Array = NDArray[np.float32]
NAMES: dict[str, tuple[str, ...]] = {
    "lead": ("lead", "guitar", "gtr", "git"),
    "drums": ("drums", "drum", "drumkit", "kit"),
    "bass": ("bass", "bassguitar"),
    "keys": ("keys", "keyboard", "keyboards", "piano", "epiano", "organ"),
}
"""What a stem may be called, the first one first; upper and lower case are one, and so are "bass guitar", "bass-guitar"
and "bass_guitar"."""
ENDINGS = (
    ".wav", ".flac", ".aif", ".aiff", ".ogg", ".mp3", ".m4a", ".wv", ".opus", ".caf", ".w64", ".rf64", ".mp4", ".webm",
    ".mka", ".wma", ".aac", ".ape", ".tta", ".au", ".oga",
)  # fmt: skip
"""Other files of such a name (notes, a sequencer's own) are no stems."""
SILENT_DB = -80.0
_BLOCK_SAMPLES = 65_536


class StemError(ValueError):
    """A folder that cannot be a song; the message says what it must hold, or which file is wrong."""


def find_stems(folder: Path) -> tuple[dict[str, Path], list[str]]:
    """The file of each part that has one, and lines on those that have more than one."""
    if not folder.is_dir():
        return {}, []
    order = {name: (part, place) for part, names in NAMES.items() for place, name in enumerate(names)}
    found: dict[str, list[tuple[int, int, Path]]] = {}
    for path in sorted(folder.iterdir()):
        name = path.stem.casefold().replace(" ", "").replace("-", "").replace("_", "")
        ending = path.suffix.casefold()
        if name in order and ending in ENDINGS and path.is_file():
            part, place = order[name]
            found.setdefault(part, []).append((place, ENDINGS.index(ending), path))
    chosen = {part: min(files)[2] for part, files in found.items()}
    said = []
    for part, files in found.items():
        others = ", ".join(path.name for *_, path in sorted(files)[1:])
        said += [f"{folder}: {chosen[part].name} is taken for the {part}, {others} left out"] if others else []
    return chosen, said


def read_stem(path: Path, rate_hz: int, channels: tuple[int, ...] | None = None) -> tuple[Array, str]:
    """Mono float32 [n] at that rate, and a line on what of the file was not read. `channels`: those taken, from 1.

    Raises StemError, which names the file.
    """
    import soxr

    try:
        with SoundReader(path) as reader:
            places = picked(channels, reader.channels)
            blocks: list[Array] = []
            while len(block := reader.read(_BLOCK_SAMPLES)):
                finite = np.isfinite(block).all(axis=1)
                if not finite.all():
                    at = sum(len(there) for there in blocks) + int(np.argmin(finite))
                    raise StemError(f"{path}: holds no number at {at / reader.rate_hz:.2f} s: export it again")
                blocks.append(np.clip(block[:, places], -LOUDEST, LOUDEST).mean(axis=1, dtype=np.float32))
    except SoundFileError as error:
        raise StemError(f"{path}: {error}") from error
    if not blocks:
        raise StemError(f"{path}: holds no sound")
    sound = np.concatenate(blocks)
    remark = f"{path}: {reader.remark}" if reader.remark else ""
    return np.asarray(soxr.resample(sound, reader.rate_hz, rate_hz), np.float32), remark


def read_stems(
    folder: Path, rate_hz: int, lead_channels: tuple[int, ...] | None = None
) -> tuple[dict[str, Array], list[str]]:
    """Mono float32 [T] for every part, as long as the longest in whole frames and silent where there is none; and lines
    on what was left out. A lead and one part are needed. Raises StemError."""
    paths, said = find_stems(folder)
    found: dict[str, Array] = {}
    for part, path in paths.items():
        sound, remark = read_stem(path, rate_hz, lead_channels if part == "lead" else None)
        said += [remark] if remark else []
        if _is_silent(sound):
            if part == "lead":
                raise StemError(f"{path}: is silent, and there is nothing to play along with")
            said.append(f"{path}: is silent and left out: the song has no {part}")
        else:
            found[part] = sound
    if "lead" not in found or len(found) < 2:
        raise StemError(
            f"{folder}: needs lead.wav and at least one of drums.wav, bass.wav, keys.wav that is not silent (other "
            "names and formats: docs/training.md)"
        )
    longest = max(len(sound) for sound in found.values())
    frame = rate_hz * 1280 // 32000
    total = -(-longest // frame) * frame
    stems = {part: np.zeros(total, np.float32) for part in ("lead", *PARTS)}
    for part, sound in found.items():
        stems[part][: len(sound)] = sound
    return stems, said


def _is_silent(sound: Array) -> bool:
    peak = float(np.abs(sound).max(initial=0.0))
    return peak == 0.0 or 20.0 * math.log10(peak) < SILENT_DB
