"""What each style's players leave out in a sparse bar and add in a dense one. Data only; knows no notes, no sound."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Manner:
    """How a style's band grows and shrinks.

    `drums`: what the drummer may add: `h` hat or ride, `s` shaker, `g` a few ghost notes, `G` many, `k` kicks,
    `t` ghost notes on the middle triplet, `c` comping on the snare. `stick`: a quiet backbeat goes to the rim.
    `clave`: the snare line is the style and stays whole. `off_hat`: the hat belongs to the off-beats. `bass`: marks to
    fill up with (`=` the last one again). `fine`: bass and keys may go to sixteenths. `sustain`: a sparse bass lies on
    its notes, where others leave holes. `keys`: which strikes are the style's own: on the `beat`, on 2 and 4 (`back`),
    between the beats (`off`), or none more than others (`free`). `pad`: sparse keys hold chords, where others play
    fewer stabs.
    """

    drums: str
    bass: str
    keys: str = "free"
    fine: bool = False
    sustain: bool = True
    pad: bool = False
    stick: bool = False
    clave: bool = False
    off_hat: bool = False


MANNERS: dict[str, Manner] = {
    "rock": Manner("hgk", "r", "beat", fine=True, pad=True, stick=True),
    "pop_ballad": Manner("hgk", "r5", "beat", fine=True, pad=True, stick=True),
    "funk": Manner("hGk", "8x7", "free", fine=True, sustain=False, stick=True),
    "blues_shuffle": Manner("htk", "=", "free", pad=True),
    "reggae": Manner("h", "35r", "back", fine=True, sustain=False),
    "bossa_nova": Manner("s", "5r", "free", clave=True),
    "swing": Manner("htc", "=", "free"),
    "disco": Manner("hG", "8r", "off", fine=True, sustain=False, off_hat=True),
    "soul": Manner("hGk", "56r", "beat", fine=True, pad=True, stick=True),
    "slow_blues": Manner("hgk", "=5", "beat", pad=True, stick=True),
    "country_train": Manner("Gh", "=5", "off", fine=True),
    "ska": Manner("hgk", "=", "off", fine=True, off_hat=True),
    "samba": Manner("s", "5r", "free", fine=True, clave=True),
    "jazz_waltz": Manner("htc", "=", "free"),
    "hip_hop": Manner("hGk", "r8", "beat", fine=True, sustain=False, pad=True, stick=True),
    "metal": Manner("kh", "r", "beat", fine=True, pad=True),
    "folk_strum": Manner("hgk", "5r", "beat", fine=True, pad=True, stick=True),
    "gospel": Manner("hGk", "58r", "beat", fine=True, pad=True, stick=True),
    "odd_five": Manner("hgk", "5r", "beat", pad=True, stick=True),
    "cumbia": Manner("s", "53r", "off", fine=True),
    "reggaeton": Manner("hgk", "r8", "free", fine=True, pad=True),
    "tango": Manner("g", "5r", "beat", fine=True),
    "afrobeat": Manner("hGk", "57r", "free", fine=True, sustain=False, clave=True),
    "house": Manner("hs", "8r", "free", fine=True, sustain=False, off_hat=True),
    "drum_and_bass": Manner("hGk", "r5", "free", fine=True, pad=True),
    "bluegrass": Manner("G", "=5", "off", fine=True),
    "musette": Manner("h", "=5", "free"),
    "six_eight_ballad": Manner("hgk", "r5", "beat", pad=True, stick=True),
}
