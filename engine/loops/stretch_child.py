"""A program of its own: takes of a loop in, the same at another length out. Run by retimer.py, file by file.

Not in a thread: the library holds the interpreter's lock for as long as it works, which would stop the band. Reads from
stdin a line "RATE TAKES SAMPLES PAD LENGTH" and float32 [TAKES, PAD + SAMPLES + PAD]; writes float32 [TAKES, LENGTH].
"""

from __future__ import annotations

import sys


def main() -> None:
    """Stretch what comes in."""
    import numpy as np
    from python_stretch.Signalsmith import Stretch  # type: ignore[import-not-found, unused-ignore]

    rate_hz, takes, samples, pad, length = map(int, sys.stdin.buffer.readline().split())
    sound = np.frombuffer(sys.stdin.buffer.read(), np.float32).reshape(takes, 2 * pad + samples)
    seam = min(rate_hz // 100, length // 2)
    rise = np.sin((np.arange(seam) + 0.5) * (np.pi / 2 / seam)).astype(np.float32) ** 2
    made = np.zeros((takes, length), np.float32)
    first = round(pad * length / samples)
    for row, take in zip(made, sound, strict=True):
        stretch = Stretch()
        stretch.preset(1, float(rate_hz))
        stretch.setTimeFactor(samples / length)
        out = np.asarray(stretch.process(take[None].copy()), np.float32)[0]  # it takes no memory that is read only
        row[:] = out[first : first + length]
        row[-seam:] += (out[first - seam : first] - row[-seam:]) * rise  # its end leads to its beginning
    sys.stdout.buffer.write(made.tobytes())


if __name__ == "__main__":
    main()
