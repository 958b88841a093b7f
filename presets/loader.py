"""Finds and reads presets: by the name of a shipped one or of one in a user folder, or by path.

Knows nothing of what a preset does (`schema` says what it may hold). Any thread; reads files.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from .schema import Preset, PresetError, parse_preset
from .strict import nearest, read_yaml

PRESETS_DIR = Path(__file__).resolve().parent
PERFORMANCE_FILE = PRESETS_DIR / "performance.flac"
"""The bundled performance: what the rehearsal hears where there is no sound card."""
DEFAULT_PRESET = "rock"
_ENDINGS = (".yaml", ".yml")


def preset_files(folders: Sequence[Path] = ()) -> dict[str, Path]:
    """Each preset's file by its name: those that ship, then those of `folders`, which may take a name over.

    In alphabetical order.
    """
    found = {path.stem: path for path in PRESETS_DIR.glob("*.yaml")}
    for folder in folders:
        found.update({path.stem: path for ending in _ENDINGS for path in folder.glob(f"*{ending}")})
    return dict(sorted(found.items()))


def preset_names(folders: Sequence[Path] = ()) -> list[str]:
    """Names of the presets that ship, and of those in `folders`, in alphabetical order."""
    return list(preset_files(folders))


def load_preset(name_or_path: str | Path, folders: Sequence[Path] = ()) -> Preset:
    """The preset of that name, or in that file (a folder or an ending .yaml or .yml makes it a path).

    Raises PresetError: no such preset (listing those that exist), unreadable, not YAML, against the schema.
    """
    text = str(name_or_path)
    path = Path(text)
    if isinstance(name_or_path, Path) or path.suffix in _ENDINGS or path.name != text:
        return read_preset(path)
    files = preset_files(folders)
    if text not in files:
        raise PresetError(f"no preset {text!r}{nearest(text, files)}: presets are {', '.join(files)}, or a .yaml file")
    return read_preset(files[text])


def read_preset(path: Path) -> Preset:
    """Read one YAML file. Raises PresetError as `load_preset` does."""
    return parse_preset(read_yaml(path, "preset", PresetError), str(path))
