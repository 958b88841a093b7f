"""Prints how late a band's last hit is that follows made-up final ritards: python tests/engine/timing/final_ritards.py

The tempo falls to a share of what it was by the law of final ritards (its q-th power falls evenly over the beats). The
listener and the conductor are left out: attacks reach engine/timing/slowing.py within 10 ms, and the hit is told
0.26 s ahead.
"""

from __future__ import annotations

import itertools

import numpy as np
from gigmate.engine.player import HeardFrame
from gigmate.engine.timing.anchor import Anchor
from gigmate.engine.timing.slowing import Slowing

RATE_HZ, FRAME_S, TOLD_S, BEFORE, FINE = 48_000.0, 0.04, 0.26, 8, 400


def last_hit_s(bpm: float, law: tuple[int, float, float], off_beat: float | None, seed: int) -> tuple[float, float]:
    """How late the band's last hit is, and how late one at the tempo before. `law`: beats, share, q; `off_beat`: where
    the eighths between beats are, None for quarters."""
    beats, share, power = law
    places = np.linspace(0, BEFORE + beats, FINE * (BEFORE + beats) + 1)
    slow = 1.0 + (share**power - 1.0) * np.clip((places - BEFORE) / beats, 0.0, 1.0)
    each_s = 60.0 / bpm / slow ** (1.0 / power) / FINE
    times_s = np.concatenate([[0.0], np.cumsum((each_s[1:] + each_s[:-1]) / 2)])
    played = [float(beat) for beat in range(BEFORE + beats + 1)]
    if off_beat is not None:
        played += [beat + off_beat for beat in range(BEFORE + beats)]
    attacks_s = np.interp(sorted(played), places, times_s) + np.random.default_rng(seed).normal(0, 0.01, len(played))
    line, begin_s = Slowing(RATE_HZ), BEFORE * 60.0 / bpm - 0.3
    line.begin(Anchor(begin_s * RATE_HZ, BEFORE - 0.3 * bpm / 60.0, bpm, 1.0, 4, 3))
    for frame in itertools.count(round(begin_s / FRAME_S)):
        onset, end_s = np.zeros(4, np.float32), (frame + 1) * FRAME_S
        for at_s in attacks_s[(attacks_s >= frame * FRAME_S) & (attacks_s < end_s)]:
            onset[int((at_s / FRAME_S - frame) * 4)] = 0.9
        line.hear(HeardFrame(onset=onset), end_s * RATE_HZ, FRAME_S * RATE_HZ)
        now = line.line(end_s * RATE_HZ, 0.25 * RATE_HZ)
        assert now is not None
        hit_s = end_s + (BEFORE + beats - now.beat) * 60.0 / now.tempo_bpm
        if hit_s <= end_s + TOLD_S:
            return hit_s - float(times_s[-1]), (BEFORE + beats) * 60.0 / bpm - float(times_s[-1])
    raise AssertionError


def main() -> None:
    print("| beats, to, q | band (ms: median over 18 takes, largest) | at the tempo before (ms) |\n|---|---|---|")
    laws = [(beats, share, q) for beats in (2, 4, 8) for share, q in ((1.0, 2.0), (0.7, 2.0), (0.5, 2.0), (0.5, 3.0))]
    for law in laws:
        takes = [
            last_hit_s(bpm, law, off_beat, seed)
            for bpm in (70.0, 100.0, 140.0) for off_beat in (None, 0.5, 0.667) for seed in range(2)
        ]  # fmt: skip
        late, alone = 1e3 * np.array(takes).T
        worst = late[np.abs(late).argmax()]
        print(f"| {law[0]}, {law[1]:g}, {law[2]:g} | {np.median(late):+.0f}, {worst:+.0f} | {np.median(alone):+.0f} |")


if __name__ == "__main__":
    main()
