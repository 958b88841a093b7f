"""An Ardour session with a recorded guitar and the band, made and exported by script; onsets on the host's grid.

    python tests/plugin/ardour/export.py --into FOLDER [--engine clicker] [--bpm 120] [--bars 8] [--takes 2]

Needs Ardour 7's utilities (Debian: ardour): ardour7-lua, ardour7-export. Runs on its dummy back end, without a
screen. The resampler of its ports is off: with it Ardour 7.3 takes 16 samples of latency into account after one load of
a session and not after the next, and moves all that it exports by them. An export that Ardour does not end by itself
(on a busy machine it waits for its own butler for ever, or aborts when the file is written) is made again, and counted
in `host_failures`. Prints one JSON line: for each of mix, drums, bass and keys whether all takes are the same file, and
how far onsets lie from the nearest sixteenth of the host's grid (drums; mean and standard deviation in ms, and in
samples the furthest impulse where --engine clicker plays). The sound of the last take stays in the folder.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import soundfile
import soxr
from gigmate.plugin.bundle import build
from gigmate.plugin.library import own_command

HERE = Path(__file__).parent
CONFIG = '<?xml version="1.0"?>\n<Ardour><Config><Option name="port-resampler-quality" value="0"/></Config></Ardour>\n'
TRIES = 4
RATE_HZ = 48_000
SUPERCLOCK = 282_240_000 // RATE_HZ
BUSES = ("Guitar", "Drums", "Bass", "Keys")


def guitar(seconds: float) -> np.ndarray:
    """The bundled performance, [n, 2]."""
    import gigmate

    sound, rate_hz = soundfile.read(Path(gigmate.__file__).parent / "presets/performance.flac", dtype="float32")
    sound = soxr.resample(sound if sound.ndim == 1 else sound.mean(axis=1), rate_hz, RATE_HZ)
    return np.repeat(np.resize(sound, round(seconds * RATE_HZ))[:, None], 2, axis=1)


def write_session(folder: Path, bus: str, bpm: float, seconds: float, environment: dict[str, str]) -> None:
    """The session, of which only that bus (Guitar: the band's mix) is heard on the master."""
    shutil.rmtree(folder, ignore_errors=True)
    told = ["ardour7-lua", str(HERE / "session.lua"), str(folder), "band"]
    subprocess.run(told, env=environment, check=True, timeout=120, capture_output=True)
    (folder / "interchange" / folder.name / "audiofiles").mkdir(parents=True, exist_ok=True)
    soundfile.write(folder / "interchange" / folder.name / "audiofiles/guitar.wav", guitar(seconds), RATE_HZ, "FLOAT")
    path = folder / "band.ardour"
    text = path.read_text(encoding="utf-8")
    length = round(seconds * RATE_HZ) * SUPERCLOCK
    sources = "".join(
        f'<Source name="guitar.wav" take-id="" type="audio" flags="" id="{9001 + side}" channel="{side}" origin=""/>'
        for side in (0, 1)
    )
    region = (
        '<Region name="guitar" muted="0" opaque="1" locked="0" automatic="0" whole-file="0" import="0" external="1" '
        'sync-marked="0" left-of-split="0" right-of-split="0" hidden="0" position-locked="0" valid-transients="0" '
        f'start="a0" length="a{length}@a0" sync-position="a0" first-edit="nothing" layering-index="0" id="9003" '
        'type="audio" default-fade-in="0" default-fade-out="0" fade-in-active="0" fade-out-active="0" '
        'channels="2" source-0="9001" master-source-0="9001" source-1="9002" master-source-1="9002"/>'
    )
    place = f'<Location id="9004" name="session" start="a0" end="a{length}" flags="IsSessionRange" locked="0"/>'
    text = text.replace("<Sources/>", f"<Sources>{sources}</Sources>")
    text = text.replace("<Locations/>", f"<Locations>{place}</Locations>")
    text = re.sub(r'(<Playlist [^>]*name="Guitar"[^>]*)/>', rf"\1>{region}</Playlist>", text)
    text = re.sub(r'npm="120" enpm="120"', f'npm="{bpm:g}" enpm="{bpm:g}"', text)
    routes = re.split(r"(?=<Route )", text)
    for number, route in enumerate(routes):
        if 'name="Master"' in route[:120]:
            routes[number] = re.sub(r"(?:Guitar|Drums|Bass|Keys)(/audio_out \d)", rf"{bus}\1", route)
        elif any(f'name="{name}"' in route[:120] for name in BUSES if name != bus):
            routes[number] = re.sub(r'<Connection other="Master/audio_in \d"/>', "", route)
        elif f'name="{bus}"' in route[:120] and "Master/audio_in" not in route:
            routes[number] = re.sub(
                r'(name="[^"]+/audio_out (\d)"[^>]*?)/>', r'\1><Connection other="Master/audio_in \2"/></Port>', route
            )
    path.write_text("".join(routes), encoding="utf-8")


def onsets(sound: np.ndarray) -> np.ndarray:
    """Where hits begin, in samples: where the highs are thrice what they were at most in the 15 ms before. It finds a
    hit up to 2 ms after its first sample, and none that begins within 50 ms of another."""
    highs = np.convolve(np.abs(np.diff(sound.astype(np.float64), n=2)), np.ones(24) / 24)[: len(sound) - 2]
    padded = np.concatenate([np.zeros(720), highs])
    before = np.lib.stride_tricks.sliding_window_view(padded, 720).max(axis=1)[: len(highs)]
    before = np.concatenate([np.zeros(96), before[:-96]])
    rising = np.flatnonzero((highs > 0.02 * highs.max(initial=0.0)) & (highs > 3.0 * before))
    found: list[int] = []
    for place in rising:
        if not found or place - found[-1] > 2400:
            found.append(int(place))
    return np.array(found, float)


def off_grid(sound: np.ndarray, bpm: float, impulses: bool) -> dict[str, Any]:
    step = RATE_HZ * 60.0 / bpm / (1 if impulses else 4)
    if impulses:
        size = np.abs(sound)
        whole = np.flatnonzero(size[:-40] > 0.1)
        places = np.array([i for i in whole if size[i] == size[max(0, i - 40) : i + 40].max()], float)
    else:
        places = onsets(sound)
    off = places - step * np.round(places / step)
    ms = 1000.0 / RATE_HZ
    return {
        "onsets": len(places),
        "first_s": round(float(places[0]) / RATE_HZ, 4) if len(places) else None,
        "mean_ms": round(float(off.mean()) * ms, 3) if len(places) else None,
        "sd_ms": round(float(off.std()) * ms, 3) if len(places) else None,
        "furthest_samples": float(np.abs(off).max()) if impulses and len(places) else None,
    }


def export(folder: Path, bus: str, out: Path, environment: dict[str, str], within_s: float) -> tuple[np.ndarray, int]:
    """What Ardour exports of that session, float32 [n, 2], and how often it failed before."""
    told = ["ardour7-export", "-b", "float", "-o", str(out), str(folder / f"session-{bus}"), "band"]
    for failures in range(TRIES):
        try:
            subprocess.run(told, env=environment, check=True, timeout=within_s, capture_output=True)
        except (subprocess.CalledProcessError, subprocess.TimeoutExpired) as error:
            print(f"Ardour failed: {error}", file=sys.stderr)
            continue
        return soundfile.read(out, dtype="float32", always_2d=True)[0], failures
    raise SystemExit(f"Ardour failed {TRIES} times")


def main() -> None:
    asked = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    asked.add_argument("--into", type=Path, required=True)
    asked.add_argument("--engine", default="gigmate", help="gigmate, or clicker: impulses on the beat")
    asked.add_argument("--bpm", type=float, default=120.0)
    asked.add_argument("--bars", type=int, default=8)
    asked.add_argument("--takes", type=int, default=2)
    asked.add_argument("--buses", default="Guitar,Drums,Bass,Keys")
    given = asked.parse_args()
    folder = given.into.resolve()
    folder.mkdir(parents=True, exist_ok=True)
    command = own_command()
    if given.engine != "gigmate":
        command = str(folder / "engine")
        words = f'#!/bin/sh\nexec "{sys.executable}" "{HERE.parent / "fake_engine.py"}" {given.engine} "$@"\n'
        Path(command).write_text(words, encoding="utf-8")
        Path(command).chmod(0o755)
    build(folder / "lv2", os.environ.get("GIGMATE_COMMAND", command))
    environment = {**os.environ, "LV2_PATH": f"{folder / 'lv2'}:/usr/lib/lv2", "HOME": str(folder / "home")}
    environment.setdefault("XDG_CACHE_HOME", str(Path.home() / ".cache"))  # else the engine compiles all anew
    (folder / "home/.config/ardour7").mkdir(parents=True, exist_ok=True)
    (folder / "home/.config/ardour7/config").write_text(CONFIG, encoding="utf-8")
    seconds = given.bars * 4 * 60.0 / given.bpm
    failures = 0
    figures: dict[str, Any] = {"engine": given.engine, "bpm": given.bpm, "seconds": seconds}
    for bus in given.buses.split(","):
        write_session(folder / f"session-{bus}", bus, given.bpm, seconds, environment)
        name = "mix" if bus == "Guitar" else bus.lower()
        sums = set()
        for _ in range(given.takes):
            sound, failed = export(folder, bus, folder / f"{name}.wav", environment, 60.0 + 10.0 * seconds)
            sums.add(hashlib.sha256(sound.tobytes()).hexdigest())
            failures += failed
        figures[name] = {
            "samples": len(sound),
            "the_same_each_time": len(sums) == 1,
            "peak": round(float(np.abs(sound).max()), 3),
            **off_grid(sound[:, 0], given.bpm, given.engine == "clicker"),
        }
    print(json.dumps({**figures, "host_failures": failures}))


if __name__ == "__main__":
    main()
