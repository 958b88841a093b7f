"""Styles that the generator was not taught, and which of those that it was taught it takes for each.

The embedding of styles in the weights has no place for more. So the network, its steering and its harmony are told the
kin; patterns of the groove, feel, balance and sounds are the style's own. A table; any thread.
"""

from __future__ import annotations

from collections.abc import Sequence

KIN: dict[str, str] = {
    "cumbia": "ska",
    "reggaeton": "hip_hop",
    "tango": "bossa_nova",
    "afrobeat": "funk",
    "house": "disco",
    "drum_and_bass": "hip_hop",
    "bluegrass": "country_train",
    "musette": "jazz_waltz",
    "six_eight_ballad": "slow_blues",
}


def taught(style: str, styles: Sequence[str]) -> str:
    """The style itself if it is one of `styles`, else its kin if that is, else the style."""
    kin = KIN.get(style, style)
    return style if style in styles or kin not in styles else kin
