"""Which packages the project installs, directly and by way of others, and under which licence. No test: a script.

    python tests/licences.py            writes docs/licences.md from what is installed here
    python tests/licences.py --check    says what is missing in it, or not free; exit code 1 then

It reads installed packages' own metadata and asks no network. tests/test_supply_chain.py holds the page to it.
"""

from __future__ import annotations

import re
import sys
from dataclasses import dataclass
from functools import cache
from importlib.metadata import Distribution, PackageNotFoundError, distribution
from pathlib import Path

from packaging.requirements import Requirement

ROOT = Path(__file__).resolve().parents[1]
PAGE = ROOT / "docs" / "licences.md"
EXTRAS = ("pyaudio", "api", "osc", "files", "tls", "train", "test", "lint")
"""What `make test` adds to what `make live` installs."""

_KNOWN = {
    # what the metadata leaves out or says in a sentence
    "soxr": "LGPL-2.1-or-later",
    "numba": "BSD-2-Clause",
    "llvmlite": "BSD-2-Clause AND Apache-2.0 WITH LLVM-exception",
    "jack-client": "MIT",
    "pyaudio": "MIT",
    "tinysoundfont": "MIT",
    "matplotlib": "PSF-2.0",
    "python-dateutil": "Apache-2.0 OR BSD-3-Clause",
    "mpmath": "BSD-3-Clause",
    "python-osc": "Unlicense",
    "pytest-timeout": "MIT",
    "orderedmultidict": "Unlicense",
}
_WORDS = (
    (r"\bLGPL|lesser general public", "LGPL"),
    (r"\bAGPL|affero", "AGPL"),
    (r"(?<!L)GPL|(?<!lesser )general public licen[sc]e", "GPL"),
    (r"non.?commercial|\bCC.BY.NC", "non-commercial"),
    (r"\bMPL|mozilla", "MPL-2.0"),
    (r"apache", "Apache-2.0"),
    (r"\bBSD\b", "BSD"),
    (r"\bMIT\b|MIT-CMU|\bHPND", "MIT"),
    (r"\bISC\b", "ISC"),
    (r"\bPSF|python software foundation", "PSF-2.0"),
    (r"\b(unlicense|0BSD|zlib|CC0|public domain)", "public domain"),
)
NOT_FREE_ENOUGH = ("GPL", "AGPL", "non-commercial", "unknown")
"""Kinds that the default install does not hold. (The LGPL is not among them: such a library can be replaced.)"""


@dataclass(frozen=True, order=True)
class Package:
    name: str
    licence: str
    kinds: tuple[str, ...]
    default: bool
    """Whether `make live` installs it; else it belongs to an extra."""


def plain(name: str) -> str:
    """A package's name as pip compares it."""
    return re.sub(r"[-_.]+", "-", name).lower()


def licence_of(found: Distribution) -> str:
    """A package's licence in a few words, from its own metadata."""
    meta = found.metadata
    known = _KNOWN.get(plain(meta["Name"]))
    if known:
        return known
    expression = meta.get("License-Expression")
    if expression:
        return str(expression)
    classifiers = [c.rpartition("::")[2].strip() for c in meta.get_all("Classifier") or () if c.startswith("License")]
    named = [c for c in classifiers if c != "OSI Approved"]
    if named:
        return " AND ".join(sorted(named))
    text = (meta.get("License") or "").strip().splitlines()
    return text[0][:60] if text else "unknown"


def kinds_of(licence: str) -> tuple[str, ...]:
    """The kinds of licence that a text names; ("unknown",) where it names none."""
    found = tuple(kind for words, kind in _WORDS if re.search(words, licence, re.IGNORECASE))
    return found or ("unknown",)


def closure(extras: tuple[str, ...]) -> set[str]:
    """Names of all packages that the project with those extras needs here. What is not installed is left out."""
    seen: set[tuple[str, str]] = set()
    waiting = [("gigmate", extra) for extra in ("", *extras)]
    while waiting:
        name, extra = waiting.pop()
        if (name, extra) in seen:
            continue
        try:
            found = distribution(name)
        except PackageNotFoundError:
            continue
        seen.add((name, extra))
        for line in found.requires or ():
            wanted = Requirement(line)
            if wanted.marker is None or wanted.marker.evaluate({"extra": extra}):
                waiting += [(plain(wanted.name), more) for more in ("", *wanted.extras)]
    return {name for name, _ in seen} - {"gigmate"}


@cache
def packages() -> list[Package]:
    """Everything that the two commands install here."""
    default = closure(())
    found = []
    for name in sorted(default | closure(EXTRAS)):
        licence = licence_of(distribution(name))
        found.append(Package(name, licence, kinds_of(licence), name in default))
    return found


def faults(found: list[Package]) -> list[str]:
    """Packages of the default install that are not free enough, in words."""
    return [f"{p.name}: {p.licence}" for p in found if p.default and set(p.kinds) & set(NOT_FREE_ENOUGH)]


def page(found: list[Package]) -> str:
    """docs/licences.md."""
    lines = [
        "# Licences of what is installed",
        "",
        "GigMate is under the MIT licence. These packages come with it, directly or by way of others; their versions"
        " stand in",
        "constraints.txt. Written by `python tests/licences.py` from the packages' own metadata, and held by a test:"
        " nothing",
        "under the GPL and nothing non-commercial is in the default install.",
        "",
        "A library under the LGPL (soxr) is loaded at run time and may be replaced. Compiled wheels carry libraries of",
        "others, which their metadata does not name: soundfile's libsndfile, LAME and mpg123, python-rtmidi's libjack",
        "(LGPL, loaded likewise); in numpy, scipy, scikit-learn and torch the run-time libraries of GCC (libquadmath:",
        "LGPL; the others: GPL-3 with the Runtime Library Exception, which asks nothing of what uses them). JACK's",
        "client library (LGPL), PortAudio (MIT), FluidSynth (LGPL) and the bank MuseScore_General (MIT), which",
        "`make live` installs by apt, are the system's own. The `encodec` extra, which no command",
        "installs, is non-commercial (CC-BY-NC in its archive); where it was installed by hand it is not listed here.",
        "PyAV's wheels (the extra `files`) carry FFmpeg under the LGPL-3 and with it x264 and x265 under the GPL-2:",
        "that is why `make live` does not install it, though its own licence is BSD.",
        "The `link` extra (aalink, and Ableton's Link in it) is under the GPL (version 3 or later; Link itself 2 or",
        "later, or another licence from Ableton): no command installs it, and who passes GigMate on together with it",
        "passes on the whole under the GPL. The `loops` extra (python-stretch, Signalsmith Stretch in it) is under the",
        "MIT licence.",
    ]
    for title, default in (("`make live` (the default install)", True), ("`make test` adds", False)):
        lines += ["", f"## {title}", "", "| package | licence |", "|---|---|"]
        lines += [f"| {p.name} | {p.licence.replace('|', '/')} |" for p in found if p.default == default]
    return "\n".join(lines) + "\n"


def main(arguments: list[str]) -> int:
    found = packages()
    problems = faults(found)
    if "--check" in arguments:
        written = PAGE.read_text(encoding="utf-8") if PAGE.exists() else ""
        problems += [f"{p.name}: not in docs/licences.md" for p in found if f"| {p.name} |" not in written]
    else:
        PAGE.write_text(page(found), encoding="utf-8")
    for problem in problems:
        print(problem, file=sys.stderr)
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
