"""Which recordings a batch completes, and where each result stands. Reads folders; any thread."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from ...engine.errors import ConfigError, EngineError
from ...files.names import why_no_recording

SUFFIXES = frozenset((
    ".wav", ".wave", ".rf64", ".w64", ".aif", ".aiff", ".aifc", ".caf", ".au", ".flac", ".ogg", ".oga", ".opus", ".mp3",
    ".mp2", ".m4a", ".mp4", ".aac", ".alac", ".wma", ".wv", ".webm", ".mka", ".mov", ".ape",
))  # fmt: skip
"""What a folder is searched for. A file that is named is taken whatever its name."""
ENDING = "-band"


def recordings(named: Iterable[Path], output: Path | None) -> list[tuple[Path, Path]]:
    """(recording, target) in order, each recording once. Folders are searched with all that is in them, but for names
    that begin with a dot and for results.

    Without `output`, results stand beside their recordings; else in that folder, in the folders of what was searched.
    Raises EngineError where there is nothing, ConfigError where two results would have one name.
    """
    found: dict[Path, Path] = {}
    for path in named:
        if path.is_dir():
            for inside in sorted(path.rglob("*")):
                below = inside.relative_to(path)
                hidden = any(part.startswith(".") for part in below.parts)
                if not hidden and inside.suffix.lower() in SUFFIXES and inside.is_file() and not _is_result(inside):
                    found.setdefault(inside, below)
            continue
        reason = why_no_recording(path)
        if reason is not None:
            raise EngineError(reason)
        found.setdefault(path, Path(path.name))
    if not found:
        raise EngineError(f"{', '.join(map(str, named))}: there are no recordings: sound files end in .wav, .flac, ...")
    pairs = []
    taken: dict[Path, Path] = {}
    for source, below in found.items():
        place = source.parent if output is None else output / below.parent
        target = place / f"{source.stem}{ENDING}.wav"
        if target in taken:
            raise ConfigError(f"{source} and {taken[target]} would both be {target}: complete them one by one")
        taken[target] = source
        pairs.append((source, target))
    if output is not None and any(output.resolve() == path.resolve() for path in found):
        raise ConfigError(f"--output {output}: is a recording: give a folder")
    return pairs


def _is_result(path: Path) -> bool:
    """Whether it is what an earlier batch made of another file beside it."""
    if path.suffix != ".wav" or not path.stem.endswith(ENDING):
        return False
    stem = path.stem.removesuffix(ENDING)
    return any(path.with_name(f"{stem}{suffix}").exists() for suffix in SUFFIXES)
