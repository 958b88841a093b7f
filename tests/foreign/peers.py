"""What other programs hear in the same leads, beside what we hear: one command, one table.

    python tests/foreign/peers.py SET [--part odd|even] [--folder F] [--only NAME ...] [--limit S] [--json F.json]

SET holds NAME.lead.wav and NAME.json, as for `gigmate eval leads`. Each peer is installed, at a pinned version, in an
environment of its own under the folder, which may be deleted at any time; what it answered is kept there too. A peer
that cannot be installed, that fails or that hangs on a lead is said, and the others go on. Beats count from second 5
on. No GPU is used.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import os
import shutil
import subprocess
import sys
import tempfile
import threading
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parent))
from peer_scores import Answer, score, table

RUNS = Path(__file__).parent / "runs"
FOLDER = Path.home() / ".cache" / "gigmate-peers"
LIMIT_S = 600.0
"""For one lead: the slowest peer takes half a minute of a free core."""


class PeerError(Exception):
    """A peer cannot be had here; says why in one line."""


@dataclass(frozen=True)
class Environment:
    """A virtual environment, and how it is filled: arguments of pip, one call after another."""

    name: str
    pythons: tuple[str, ...]
    installs: tuple[tuple[str, ...], ...]


@dataclass(frozen=True)
class Peer:
    """A program that hears beats or chords. Without an environment it runs where this runs."""

    name: str
    script: str
    arguments: tuple[str, ...] = ()
    environment: Environment | None = None
    causal: bool = False


_OLD = ("3.11", "3.10", "3.9")
_MADMOM = (
    ("setuptools==65.5.1", "wheel==0.43.0", "numpy==1.23.5", "cython==0.29.37"),
    ("--no-build-isolation", "numpy==1.23.5", "scipy==1.10.1", "mido==1.2.10", "madmom==0.16.1"),
)
MADMOM = Environment("madmom", _OLD, _MADMOM)
BEATNET = Environment(
    "beatnet",
    ("3.11",),
    (
        *_MADMOM,
        # the build for processors alone: where pip sees none, this fails, and brings no gigabytes of CUDA
        ("torch==2.13.0+cpu", "numpy==1.23.5"),
        ("librosa==0.10.2.post1", "numba==0.60.0", "numpy==1.23.5", "scipy==1.10.1", "matplotlib==3.8.4"),
        # madmom wants pkg_resources, which the setuptools that torch brings no longer has
        ("--no-deps", "BeatNet==1.1.3", "setuptools==65.5.1"),
    ),
)
AUBIO = Environment(
    "aubio",
    _OLD,
    (
        ("setuptools==65.5.1", "wheel==0.43.0", "numpy==1.23.5", "soundfile==0.12.1"),
        ("--no-build-isolation", "--no-deps", "aubio==0.4.9"),
    ),
)
LIBROSA = Environment("librosa", ("3.11", "3.10", "3.12"), (("librosa==0.10.2.post1", "numpy==1.26.4"),))
ESSENTIA = Environment("essentia", _OLD, (("essentia==2.1b6.dev1110", "numpy==1.26.4"),))
CHORDINO = Environment(
    "chordino",
    _OLD,
    (
        ("setuptools==65.5.1", "wheel==0.43.0", "numpy==1.23.5", "soundfile==0.12.1"),
        ("--no-build-isolation", "--no-deps", "vamp==1.1.0"),
        # its wheel brings the plugin nnls-chroma, built
        ("--no-deps", "chord-extractor==0.1.3"),
    ),
)
PEERS = (
    Peer("madmom online", "madmom_beats.py", ("online",), MADMOM, causal=True),
    Peer("BeatNet online", "beatnet_beats.py", (), BEATNET, causal=True),
    Peer("aubio", "aubio_beats.py", (), AUBIO, causal=True),
    Peer("madmom", "madmom_beats.py", ("offline",), MADMOM),
    Peer("essentia", "essentia_beats.py", (), ESSENTIA),
    Peer("librosa", "librosa_beats.py", (), LIBROSA),
    Peer("Chordino", "chordino_chords.py", (), CHORDINO),
    Peer("madmom chords", "madmom_chords.py", (), MADMOM),
)
OURS = Peer("GigMate", "our_ear.py", (), None, causal=True)


def installed(environment: Environment, folder: Path) -> Path:
    """The Python of an environment, which is made and filled if need be. Raises PeerError."""
    home = folder / "environments" / home_of(environment)
    python = home / "bin" / "python"
    if (home / "filled").exists():
        return python
    print(f"{environment.name}: installing", file=sys.stderr, flush=True)
    shutil.rmtree(home, ignore_errors=True)
    home.parent.mkdir(parents=True, exist_ok=True)
    _call([python_of(environment.pythons), "-m", "venv", str(home)], environment.name)
    for arguments in environment.installs:
        _call([str(python), "-m", "pip", "install", "--disable-pip-version-check", *arguments], environment.name)
    (home / "filled").touch()
    return python


def home_of(environment: Environment) -> str:
    """The name of its folder: another one as soon as anything in it is another."""
    return f"{environment.name}-{hashlib.sha256(repr(environment).encode()).hexdigest()[:12]}"


def python_of(versions: Sequence[str]) -> str:
    """A Python of one of these versions, the first that is there. Raises PeerError."""
    own = f"{sys.version_info.major}.{sys.version_info.minor}"
    if own in versions:
        return sys.executable
    for version in versions:
        found = shutil.which(f"python{version}")
        if found and subprocess.run([found, "-c", ""], capture_output=True, check=False).returncode == 0:
            return found
    raise PeerError(f"needs Python {' or '.join(versions)}, which is not here")


def _call(command: list[str], name: str) -> None:
    # madmom's source package brings C files of a Cython that knew no Python 3.11: they are to be made anew
    environ = {**os.environ, "CYTHON_FORCE_REGEN": "1"}
    done = subprocess.run(command, capture_output=True, text=True, check=False, env=environ)
    if done.returncode:
        lines = [line.strip() for line in (done.stdout + done.stderr).splitlines() if "rror" in line] or ["no word"]
        raise PeerError(f"cannot be installed: {lines[0][:160]}")


def heard_by(peer: Peer, leads: list[Path], folder: Path, limit_s: float = LIMIT_S) -> dict[str, Answer]:
    """What a peer hears in each lead; what it has answered before is taken from the folder. Raises PeerError, also
    where it takes longer than `limit_s` over one lead."""
    kept = folder / "answers" / peer.name.replace(" ", "-")
    kept.mkdir(parents=True, exist_ok=True)
    places = {lead: kept / f"{_print_of(peer, lead)}.json" for lead in leads}
    missing = [lead for lead, place in places.items() if not place.exists() or peer.environment is None]
    if missing:
        python = sys.executable if peer.environment is None else str(installed(peer.environment, folder))
        command = [python, str(RUNS / peer.script), *peer.arguments, *map(str, missing)]
        _ask(command, places, limit_s)
    return {lead.name: Answer(**json.loads(place.read_text(encoding="utf-8"))) for lead, place in places.items()}


def _ask(command: list[str], places: dict[Path, Path], limit_s: float) -> None:
    """Run a peer, and keep each answer as it comes: long runs may be broken off. Raises PeerError."""
    with tempfile.TemporaryFile("w+", encoding="utf-8", errors="replace") as said:
        with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=said, text=True) as run:
            late = threading.Event()
            watch = _watch(run, limit_s, late)
            for line in run.stdout or ():
                if line.startswith('{"lead"'):
                    watch.cancel()
                    answer = json.loads(line)
                    places[Path(answer.pop("lead"))].write_text(json.dumps(answer), encoding="utf-8")
                    watch = _watch(run, limit_s, late)
            watch.cancel()
        if late.is_set():
            raise PeerError(f"has answered nothing for {limit_s:g} s, and was ended: --limit gives it longer")
        if run.returncode:
            said.seek(0)
            raise PeerError(f"failed: {(said.read().strip().splitlines() or ['without a word'])[-1][:160]}")


def _watch(run: subprocess.Popen[str], limit_s: float, late: threading.Event) -> threading.Timer:
    """End a run after so long, and say so."""

    def end() -> None:
        late.set()
        run.kill()

    watch = threading.Timer(limit_s, end)
    watch.daemon = True
    watch.start()
    return watch


def _print_of(peer: Peer, lead: Path) -> str:
    """A name for what this peer answers to this very sound."""
    digest = hashlib.sha256(repr((peer.script, peer.arguments, peer.environment)).encode())
    digest.update((RUNS / peer.script).read_bytes())
    digest.update(lead.read_bytes())
    return digest.hexdigest()[:24]


def compare(
    leads: list[Path], peers: Sequence[Peer], folder: Path, limit_s: float = LIMIT_S
) -> tuple[list[dict[str, Any]], dict[str, str]]:
    """A row of figures for each peer that could be heard; and for each other one, why not."""
    rows, left_out = [], {}
    for peer in peers:
        try:
            answers = heard_by(peer, leads, folder, limit_s)
        except PeerError as error:
            left_out[peer.name] = str(error)
            print(f"{peer.name}: {error}", file=sys.stderr, flush=True)
            continue
        rows.append({"peer": peer.name, "causal": peer.causal, **score(leads, answers)})
    return rows, left_out


def main(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("set", type=Path)
    parser.add_argument("--part", choices=("all", "even", "odd"), default="all")
    parser.add_argument("--folder", type=Path, default=FOLDER, help=f"for environments and answers; {FOLDER}")
    parser.add_argument("--only", nargs="+", default=[], metavar="NAME", help="of these peers, and ours")
    parser.add_argument("--limit", type=float, default=LIMIT_S, metavar="S", help=f"for one lead; {LIMIT_S:g}")
    parser.add_argument("--json", type=Path, metavar="F.json", help="also write the figures to this file")
    given = parser.parse_args(arguments)
    if not given.limit > 0:
        parser.error(f"--limit {given.limit:g}: give seconds above 0")
    leads = sorted(given.set.resolve().glob("*.lead.wav"))
    leads = leads if given.part == "all" else leads[given.part == "odd" :: 2]
    if not leads:
        parser.error(f"{given.set}: holds no NAME.lead.wav")
    unknown = set(given.only) - {peer.name for peer in PEERS}
    if unknown:
        parser.error(f"--only {', '.join(unknown)}: peers are {', '.join(peer.name for peer in PEERS)}")
    chosen = [peer for peer in PEERS if not given.only or peer.name in given.only]
    rows, left_out = compare(leads, [OURS, *chosen], given.folder.resolve(), given.limit)
    print(f"{len(leads)} leads ({given.part})\n{table(rows)}")
    for name, why in left_out.items():
        print(f"{name} {why}")
    if given.json is not None:
        result = {"set": str(given.set), "part": given.part, "rows": rows, "left_out": left_out}
        given.json.write_text(json.dumps(result, indent=1) + "\n", encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
