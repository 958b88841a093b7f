"""How loud each drum voice is beside the loudest one that is struck with it, in the written music.

The generator gives one loudness a frame for all voices that strike in it; these figures give each its own.
`python -m gigmate.training.evaluate.drum_touch` prints the table of model/generator/drum_touch.py and what it is worth
on songs that it was not made from. Knows no sound; one thread at a time.
"""

from __future__ import annotations

import argparse
import math
from collections import defaultdict
from collections.abc import Iterator, Mapping

import numpy as np

from ...model.generator.drum_touch import beside
from ...model.generator.score_tokens import DRUM_VOICES, VOICE_OF_KEY, loudness_class
from ...model.note_events import velocity_of
from ..band.arrange import write_song
from ..band.styles import STYLE_NAMES
from ..sound.song_labels import FRAME_S

MADE_FROM, JUDGED_FROM = 900_000, 910_000
"""The first seeds of the songs that the table is made from, and of those that judge it."""
_SMALL_HITS = 2  # the row of score_tokens.py for keys that have none


def struck_together(style: str, first_seed: int, songs: int) -> Iterator[dict[int, int]]:
    """Velocities by voice of each frame in which at least two voices are struck."""
    for seed in range(first_seed, first_seed + songs):
        score = write_song(seed, "train", (style,), playing_variety=0.5)
        frames: dict[int, dict[int, int]] = defaultdict(dict)
        for note in score.notes["drums"]:
            frame = frames[int(score.note_seconds(note)[0] / FRAME_S + 1e-9)]
            voice = VOICE_OF_KEY.get(note.pitch, _SMALL_HITS)
            frame[voice] = max(frame.get(voice, 0), note.velocity)
        yield from (frame for frame in frames.values() if len(frame) > 1)


def shares(frames: list[dict[int, int]]) -> tuple[int, ...]:
    """Of each voice the mean velocity in percent of the loudest struck with it; 100 where it is never struck so."""
    found: list[list[float]] = [[] for _ in DRUM_VOICES]
    for frame in frames:
        loudest = max(frame.values())
        for voice, velocity in frame.items():
            found[voice].append(velocity / loudest)
    return tuple(round(100 * float(np.mean(share))) if share else 100 for share in found)


def errors_db(frames: list[dict[int, int]], table: Mapping[str, tuple[int, ...]], style: str) -> tuple[float, float]:
    """RMS error of each voice's level, in dB of a sampler's law: one velocity for all, and that of the table."""
    same, by_table = [], []
    for frame in frames:
        given = velocity_of(loudness_class(max(frame.values())))
        struck = sorted(frame)
        for voice, guess in zip(struck, beside(given, struck, style, table), strict=True):
            same.append(40 * math.log10(given / frame[voice]))
            by_table.append(40 * math.log10(guess / frame[voice]))
    return float(np.sqrt(np.mean(np.square(same)))), float(np.sqrt(np.mean(np.square(by_table))))


def main() -> None:
    """Print the table, and each style's errors."""
    parser = argparse.ArgumentParser(description="How loud each drum voice is beside the loudest struck with it.")
    parser.add_argument("--songs", type=int, default=24, help="songs of each style that the table is made from")
    songs = parser.parse_args().songs
    made = {style: shares(list(struck_together(style, MADE_FROM, songs))) for style in STYLE_NAMES}
    print(f"percent of the loudest's velocity: {', '.join(DRUM_VOICES)}")
    for style, row in made.items():
        print(f'    "{style}": {row},')
    print("RMS error in dB on other songs: one velocity for all, by the table")
    for style in STYLE_NAMES:
        same, by_table = errors_db(list(struck_together(style, JUDGED_FROM, max(1, songs // 4))), made, style)
        print(f"{style:14s} {same:4.1f} {by_table:4.1f}")


if __name__ == "__main__":
    main()
