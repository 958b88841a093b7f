"""Step time and memory as functions of the time played, of the number of streams and of the length of a file.

    python tests/soak/growth.py OUT [--minutes 20] [--streams 8] [--file-minutes 16]

Writes OUT/growth.json and OUT/growth.png, and prints the slopes. Run it alone on a machine; needs matplotlib.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import soundfile
from gigmate.band import Band
from gigmate.presets.loader import PERFORMANCE_FILE

Points = list[tuple[float, ...]]


def resident_mib() -> float:
    """Of this process, now."""
    pages = int(Path("/proc/self/statm").read_text(encoding="utf-8").split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE") / 2**20


def by_time(minutes: float) -> Points:
    """(minutes played, median step in ms, MiB) of each minute of one stream, as fast as it goes."""
    sound, rate_hz = soundfile.read(PERFORMANCE_FILE, dtype="float32")
    stream, frame = Band.load().stream(rate_hz), rate_hz // 25
    points: Points = []
    for minute in range(round(minutes)):
        steps = []
        for number in range(minute * 1500, (minute + 1) * 1500):
            block = np.take(sound, np.arange(number * frame, (number + 1) * frame), mode="wrap", axis=0)
            began = time.thread_time()
            stream.push(block)
            steps.append(1e3 * (time.thread_time() - began))
        points.append((minute + 1.0, float(np.median(steps)), resident_mib()))
    return points


def by_streams(most: int) -> Points:
    """(streams, median step in ms, MiB) with 1, 2, 4 ... streams in turns on one thread."""
    sound, rate_hz = soundfile.read(PERFORMANCE_FILE, dtype="float32")
    band, frame, streams = Band.load(), rate_hz // 25, []
    points: Points = []
    count = 1
    while count <= most:
        streams += [band.stream(rate_hz, seed=seed) for seed in range(len(streams), count)]
        steps = []
        for number in range(250):
            block = np.take(sound, np.arange(number * frame, (number + 1) * frame), mode="wrap", axis=0)
            for stream in streams:
                began = time.thread_time()
                stream.push(block)
                steps.append(1e3 * (time.thread_time() - began))
        points.append((float(count), float(np.median(steps)), resident_mib()))
        count *= 2
    return points


def by_file(minutes: float, folder: Path) -> Points:
    """(minutes of music, ms a frame of 40 ms, peak MiB) of `gigmate complete` on files of 1, 2, 4 ... minutes."""
    sound, rate_hz = soundfile.read(PERFORMANCE_FILE, dtype="float32")
    script = (
        "import sys\nfrom gigmate.cli.main import main\n"
        "try: main()\nexcept SystemExit as left: assert not left.code\n"
        # not ru_maxrss, which begins with what the parent had
        "told = open('/proc/self/status').read().split('VmHWM:')[1]\n"
        "print(int(told.split()[0]) / 1024, file=sys.stderr)"
    )
    points: Points = []
    length = 1.0
    while length <= minutes:
        take, out = folder / "growth-take.wav", folder / "growth-band.wav"
        soundfile.write(take, np.take(sound, np.arange(round(length * 60 * rate_hz)), mode="wrap", axis=0), rate_hz)
        began = time.perf_counter()
        command = [sys.executable, "-c", script, "complete", str(take), "--output", str(out)]
        done = subprocess.run(command, capture_output=True, text=True, check=True)
        took_s = time.perf_counter() - began
        points.append((length, 1e3 * took_s / (length * 1500), float(done.stderr.split()[-1])))
        take.unlink()
        out.unlink()
        length *= 2.0
    return points


def slope(points: Points, column: int) -> float:
    """Per unit of the first column; the first point is warm-up where there are more than three."""
    told = np.array(points[1:] if len(points) > 3 else points)
    return float(np.polyfit(told[:, 0], told[:, column], 1)[0])


def draw(found: dict[str, Points], path: Path) -> None:
    """A row for step time and one for memory."""
    from matplotlib.figure import Figure

    figure = Figure(figsize=(10, 5), layout="constrained")
    axes = figure.subplots(2, len(found))
    for column, (name, points) in enumerate(found.items()):
        for row, what in enumerate(("ms a frame", "MiB")):
            own = axes[row][column]
            own.plot([p[0] for p in points], [p[row + 1] for p in points], marker="o", markersize=3)
            own.set_ylim(bottom=0)
            own.set_xlabel(name)
            own.set_ylabel(what)
    figure.savefig(path, dpi=80)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("out", type=Path)
    parser.add_argument("--minutes", type=float, default=20.0)
    parser.add_argument("--streams", type=int, default=8)
    parser.add_argument("--file-minutes", type=float, default=16.0)
    asked = parser.parse_args()
    asked.out.mkdir(parents=True, exist_ok=True)
    found = {
        "minutes played": by_time(asked.minutes),
        "streams": by_streams(asked.streams),
        "minutes of a file": by_file(asked.file_minutes, asked.out),
    }
    (asked.out / "growth.json").write_text(json.dumps(found, indent=1) + "\n", encoding="utf-8")
    draw(found, asked.out / "growth.png")
    for name, points in found.items():
        print(f"{name}: {slope(points, 1):+.4f} ms and {slope(points, 2):+.3f} MiB for each one more")


if __name__ == "__main__":
    main()
