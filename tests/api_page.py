"""Writes docs/api.md, the public names of `gigmate`, from their docstrings. No test: a script.

    python tests/api_page.py            writes the page
    python tests/api_page.py --check    says whether it is as the docstrings are; exit code 1 if not

pdoc finds classes, members and the words under fields; signatures are those of the source. tests/test_api_docs.py
holds the page to both.
"""

from __future__ import annotations

import inspect
import sys
from pathlib import Path
from typing import Any

import gigmate
import gigmate.band
import pdoc.doc

PAGE = Path(__file__).resolve().parents[1] / "docs" / "api.md"
_HEAD = """# Python: the public names

Written by `python tests/api_page.py` from the docstrings. All of them come by `from gigmate import NAME`; how they are
used together stands in [serving.md](serving.md). What an object does beyond these names may change without notice.
"""
_LONGEST = 40
"""Characters of a default value that are shown."""


def page() -> str:
    """docs/api.md as the docstrings are now."""
    module = pdoc.doc.Module(gigmate.band)
    found = {name: module.get(name) for name in gigmate.__all__ if name != "__version__"}
    kinds = {
        "Functions": [name for name, doc in found.items() if isinstance(doc, pdoc.doc.Function)],
        "Classes": [name for name in found if _is_class(name) and not _is_error(name)],
        "Errors": [name for name in found if _is_class(name) and _is_error(name)],
    }
    lines = [_HEAD]
    for kind, names in kinds.items():
        lines += [f"## {kind}", ""]
        for name in names:
            lines += _class(name) if _is_class(name) else _function("### `", found[name], "`")
    return "\n".join(lines).rstrip() + "\n"


def _is_class(name: str) -> bool:
    return inspect.isclass(getattr(gigmate.band, name))


def _is_error(name: str) -> bool:
    return issubclass(getattr(gigmate.band, name), BaseException)


def _class(name: str) -> list[str]:
    obj = getattr(gigmate.band, name)
    at = (obj.__module__, obj.__qualname__)  # where it is defined: from there its members are its own
    doc = pdoc.doc.Class(*at, obj, at)
    base = next((base.__name__ for base in obj.__mro__[1:] if base in (OSError, ValueError, RuntimeError)), "")
    lines = [f"### `{name}`", "", _text(doc.docstring) + (f" A `{base}`." if base else ""), ""]
    if _is_error(name):
        return lines
    made = obj.__dict__.get("__init__")
    if not hasattr(obj, "__dataclass_fields__") and made is not None and inspect.getdoc(made):
        lines += _function("- `", doc.get("__init__"), "`:", shown=name)
    for member in doc.members.values():
        if member.name.startswith("_") or member.is_inherited:
            continue
        if isinstance(member, pdoc.doc.Function):
            lines += _function("- `", member, "`:")
        else:
            lines += _field(obj, member)
    return lines if lines[-1] == "" else [*lines, ""]


def _field(owner: Any, member: Any) -> list[str]:
    value = inspect.getattr_static(owner, member.name, None)
    if isinstance(value, property):
        kind = inspect.signature(value.fget).return_annotation if value.fget else ""
        words = inspect.getdoc(value) or ""
    else:
        kind, words = getattr(owner, "__annotations__", {}).get(member.name, ""), member.docstring
    kind = getattr(kind, "__forward_arg__", kind)
    said = "" if words.startswith("Alias for field number") else _text(words)
    shown = f"{member.name}: {kind}" if kind else member.name
    return [f"- `{shown}`" + (f": {said}" if said else "")]


def _function(before: str, member: Any, after: str, shown: str = "") -> list[str]:
    obj = member.obj
    name = shown or member.name
    line = f"{before}{name}{_signature(obj, bool(shown))}{after}"
    words = _text(inspect.getdoc(obj) or "")
    return [line, "", words, ""] if before.startswith("#") else [f"{line} {words}".rstrip(": ")]


def _signature(obj: Any, is_init: bool) -> str:
    """As the source has it: annotations in its own words, whatever they stand for."""
    signature = inspect.signature(obj)
    parts, starred = [], False
    for parameter in signature.parameters.values():
        if parameter.name in ("self", "cls"):
            continue
        if parameter.kind is parameter.KEYWORD_ONLY and not starred:
            parts, starred = [*parts, "*"], True
        text = parameter.name
        if parameter.annotation is not parameter.empty:
            text += f": {parameter.annotation}"
        if parameter.default is not parameter.empty:
            default = repr(parameter.default)
            text += f" = {default if len(default) <= _LONGEST else '...'}"
        parts.append(text)
    result = signature.return_annotation
    returns = "" if is_init or result is signature.empty else f" -> {result}"
    return f"({', '.join(parts)}){returns}"


def _text(docstring: str) -> str:
    """The docstring as one paragraph."""
    return " ".join(docstring.split())


if __name__ == "__main__":
    if "--check" in sys.argv:
        sys.exit(0 if PAGE.read_text(encoding="utf-8") == page() else f"{PAGE.name}: run python tests/api_page.py")
    PAGE.write_text(page(), encoding="utf-8")
    print(PAGE)
