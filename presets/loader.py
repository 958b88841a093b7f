"""Finds presets and reads them: by the name of one that ships, or by the path of the user's own YAML file.

Knows nothing of what a preset does (`schema` says what it may hold). Any thread; reads files.
"""

from __future__ import annotations

from collections.abc import Hashable
from pathlib import Path
from typing import Any

import yaml

from .schema import Preset, PresetError, nearest, parse_preset

PRESETS_DIR = Path(__file__).resolve().parent
PERFORMANCE_FILE = PRESETS_DIR / "performance.flac"
"""The bundled performance: what the rehearsal hears where there is no sound card."""
DEFAULT_PRESET = "rock"
_MAX_FILE_BYTES = 100_000


def preset_names() -> list[str]:
    """Names of the presets that ship, in alphabetical order."""
    return sorted(path.stem for path in PRESETS_DIR.glob("*.yaml"))


def load_preset(name_or_path: str | Path) -> Preset:
    """The preset of that name, or in that file (a folder or an ending .yaml or .yml makes it a path).

    Raises PresetError: no such preset (listing those that exist), unreadable, not YAML, against the schema.
    """
    text = str(name_or_path)
    path = Path(text)
    if isinstance(name_or_path, Path) or path.suffix in (".yaml", ".yml") or path.name != text:
        return read_preset(path)
    names = preset_names()
    if text not in names:
        raise PresetError(f"no preset {text!r}{nearest(text, names)}: presets are {', '.join(names)}, or a .yaml file")
    return read_preset(PRESETS_DIR / f"{text}.yaml")


def read_preset(path: Path) -> Preset:
    """Read one YAML file. Raises PresetError as `load_preset` does."""
    try:
        with path.open("rb") as file:
            data = file.read(_MAX_FILE_BYTES + 1)
    except FileNotFoundError:
        raise PresetError(f"no preset file {path}: presets that ship are {', '.join(preset_names())}") from None
    except OSError as error:
        raise PresetError(f"cannot read the preset {path}: {error.strerror}") from None
    if len(data) > _MAX_FILE_BYTES:
        raise PresetError(f"{path}: larger than any preset ({_MAX_FILE_BYTES} bytes): is this the right file?")
    try:
        values = yaml.load(data, Loader=_UniqueKeyLoader)  # a SafeLoader: makes plain values only
    except yaml.MarkedYAMLError as error:
        line = f" line {error.problem_mark.line + 1}" if error.problem_mark else ""
        raise PresetError(f"{path}:{line} is not YAML ({error.problem or 'unreadable'}): mend that line") from None
    except (yaml.YAMLError, UnicodeDecodeError, RecursionError) as error:
        reason = str(error).splitlines()[0] if str(error) else type(error).__name__
        raise PresetError(f"{path}: is not YAML text ({reason})") from None
    return parse_preset(values, str(path))


class _UniqueKeyLoader(yaml.SafeLoader):
    """PyYAML keeps the last of two equal keys without a word; a musician wants to know."""

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Hashable, Any]:
        seen: set[str] = set()
        for key_node, _ in node.value:
            key = str(key_node.value)
            if key in seen:
                raise yaml.constructor.ConstructorError(
                    None, None, f"the key {key!r} stands there twice", key_node.start_mark
                )
            seen.add(key)
        return super().construct_mapping(node, deep)
