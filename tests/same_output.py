"""Has the output changed, to the bit? Fixed runs of the file port, of `complete` and of `Band.stream`, as hashes.

    python tests/same_output.py > before.json              # on the code before a change that should change no sound
    python tests/same_output.py --against before.json      # on the code after it: exit code 1 where a hash differs

A change that may move the last bits, or add a channel, is looked at by its sound instead:

    python tests/same_output.py --keep before              # the sounds themselves, into a folder
    python tests/same_output.py --beside before            # how far each is from the one there, by its first channel

Runs the package that is imported as `gigmate`. The hashes hold for one machine and one version of torch only: they are
for comparing two states of the code side by side, not for keeping.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path

import numpy as np
import soundfile

PRESETS = ("rock", "swing", "bossa_nova")
SECONDS = 14.0
_BLOCK_SAMPLES = 4096


def _lead(folder: Path) -> Path:
    """The first seconds of the bundled performance, as a file of its own."""
    import gigmate

    bundled = Path(gigmate.__file__).parent / "presets" / "performance.flac"
    sound, rate_hz = soundfile.read(bundled, dtype="float32")
    path = folder / "lead.wav"
    soundfile.write(path, sound[: int(SECONDS * rate_hz)], rate_hz, subtype="PCM_24")
    return path


def _hash_of(path: Path) -> str:
    sound, rate_hz = soundfile.read(path, dtype="float32", always_2d=True)
    return hashlib.sha256(np.ascontiguousarray(sound).tobytes() + str(rate_hz).encode()).hexdigest()


def _gigmate(*words: str) -> None:
    command = [sys.executable, "-m", "gigmate", *words]
    done = subprocess.run(command, capture_output=True, text=True, check=False, stdin=subprocess.DEVNULL)
    if done.returncode:
        raise SystemExit(f"{' '.join(command)}\n{done.stderr}")


def _by_file_port(lead: Path, preset: str, out: Path) -> None:
    live = ("live", "--input-file", str(lead), "--output-file", str(out), "--preset", preset)
    _gigmate(*live, "--start-now", "--fast", "--monitor", "-6")


def _by_complete(lead: Path, preset: str, out: Path) -> None:
    _gigmate("complete", str(lead), "--output", str(out), "--preset", preset, "--seed", "3")


def _by_stream(lead: Path, preset: str, out: Path) -> None:
    from gigmate import Band

    sound, rate_hz = soundfile.read(lead, dtype="float32")
    stream = Band.load().stream(rate_hz, preset=preset, wait=True)
    made = [stream.push(sound[at : at + _BLOCK_SAMPLES]).mix for at in range(0, len(sound), _BLOCK_SAMPLES)]
    made += [stretch.mix for stretch in stream.finish()]
    soundfile.write(out, np.concatenate(made), rate_hz, subtype="FLOAT")


WAYS = {"file port": _by_file_port, "complete": _by_complete, "stream": _by_stream}


def _difference(one: Path, other: Path) -> tuple[float, float]:
    """(largest difference of the first channels, largest between the channels of the one)."""
    sound, _ = soundfile.read(one, dtype="float64", always_2d=True)
    before, _ = soundfile.read(other, dtype="float64", always_2d=True)
    if len(sound) != len(before):
        raise SystemExit(f"{one.name}: {len(sound)} samples, and {len(before)} before")
    return float(np.abs(sound[:, 0] - before[:, 0]).max()), float(np.ptp(sound, axis=1).max())


def measured(kept: Path, beside: Path | None) -> dict[str, str]:
    """{"file port, rock": sha256 of what was played, ...}; the sounds are in `kept`."""
    hashes = {}
    lead = _lead(kept)
    for way, play in WAYS.items():
        for preset in PRESETS:
            out = kept / f"{way.replace(' ', '-')}-{preset}.wav"
            play(lead, preset, out)
            hashes[f"{way}, {preset}"] = _hash_of(out)
            said = f"{way}, {preset}"
            if beside is not None:
                apart, between = _difference(out, beside / out.name)
                said += f": at most {apart:.2e} from before, {between:.2e} between channels"
            print(said, file=sys.stderr, flush=True)
    return hashes


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--against", type=Path, help="hashes that an earlier run printed")
    parser.add_argument("--keep", type=Path, help="keep the sounds in this folder")
    parser.add_argument("--beside", type=Path, help="a folder with the sounds of an earlier run")
    asked = parser.parse_args()
    against = asked.against
    with tempfile.TemporaryDirectory() as scratch:
        kept = Path(scratch) if asked.keep is None else asked.keep
        kept.mkdir(parents=True, exist_ok=True)
        hashes = measured(kept, asked.beside)
    print(json.dumps(hashes, indent=1))
    if against is None:
        return 0
    before = json.loads(against.read_text(encoding="utf-8"))
    changed = sorted(name for name in before if hashes.get(name) != before[name])
    for name in changed:
        print(f"changed: {name}", file=sys.stderr)
    return 1 if changed or set(before) != set(hashes) else 0


if __name__ == "__main__":
    os.environ.setdefault("OMP_NUM_THREADS", "1")
    sys.exit(main())
