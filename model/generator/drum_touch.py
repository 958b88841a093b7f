"""How loud each drum voice is beside the loudest one that is struck with it, by style. A table; any thread.

The generator gives one loudness a frame, which is that of the loudest voice; a closed hat under a kick is softer.
Made from the written music by `python -m gigmate.training.evaluate.drum_touch`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

SHARES: dict[str, tuple[int, ...]] = {
    "rock": (100, 99, 100, 70, 74, 90, 98),
    "pop_ballad": (99, 99, 100, 63, 68, 90, 98),
    "funk": (100, 84, 100, 74, 77, 89, 100),
    "blues_shuffle": (96, 92, 100, 78, 80, 90, 100),
    "reggae": (98, 98, 96, 63, 76, 94, 100),
    "bossa_nova": (98, 99, 95, 71, 75, 100, 99),
    "swing": (55, 87, 100, 85, 99, 100, 100),
    "disco": (99, 94, 60, 67, 100, 91, 98),
    "soul": (100, 99, 92, 71, 70, 90, 99),
    "slow_blues": (99, 85, 100, 66, 67, 91, 100),
    "country_train": (92, 80, 100, 61, 66, 93, 98),
    "ska": (99, 99, 100, 59, 73, 91, 97),
    "samba": (92, 100, 89, 80, 83, 100, 77),
    "jazz_waltz": (98, 86, 100, 96, 91, 100, 100),
    "hip_hop": (98, 93, 100, 67, 78, 100, 100),
    "metal": (97, 99, 100, 74, 78, 80, 98),
    "folk_strum": (100, 93, 81, 72, 74, 90, 100),
    "gospel": (97, 94, 63, 67, 71, 90, 98),
    "odd_five": (99, 94, 100, 67, 71, 90, 100),
    "cumbia": (98, 88, 91, 100, 98, 100, 91),
    "reggaeton": (100, 97, 100, 64, 63, 100, 100),
    "tango": (99, 93, 89, 75, 97, 100, 100),
    "afrobeat": (99, 79, 79, 82, 85, 100, 100),
    "house": (99, 98, 69, 70, 99, 89, 100),
    "drum_and_bass": (100, 90, 100, 67, 72, 90, 98),
    "bluegrass": (100, 95, 100, 60, 97, 100, 100),
    "musette": (98, 98, 100, 82, 97, 100, 100),
    "six_eight_ballad": (98, 95, 100, 66, 67, 91, 100),
}
"""Mean velocity in percent of the loudest's, in the order of score_tokens.DRUM_VOICES, where several are struck."""
USUAL: tuple[int, ...] = (96, 93, 93, 71, 77, 93, 98)
"""The same over all styles."""


def beside(
    loudest: int, voices: Sequence[int], style: str, shares: Mapping[str, tuple[int, ...]] = SHARES
) -> list[int]:
    """The velocity of each of the voices that are struck together, the loudest of which has velocity `loudest`."""
    row = shares.get(style, USUAL)
    most = max((row[voice] for voice in voices), default=100)
    return [max(1, round(loudest * row[voice] / most)) for voice in voices]
