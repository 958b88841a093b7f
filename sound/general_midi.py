"""General MIDI: which program stands for a part of the band in a style. A table; any thread."""

from __future__ import annotations

DRUM_CHANNEL = 9
"""As MIDI files count channels, from 0; musicians call it 10."""
CHANNELS = {"drums": DRUM_CHANNEL, "bass": 0, "keys": 1}
"""The channel of each part."""

_ACCORDION, _BANDONEON, _BANJO, _WARM_PAD = 21, 23, 105, 89
_ACOUSTIC_BASS, _FINGERED_BASS, _PICKED_BASS, _SLAP_BASS, _SYNTH_BASS = 32, 33, 34, 36, 38
_PIANO, _BRIGHT_PIANO, _E_PIANO, _CLAVINET, _ORGAN, _ROCK_ORGAN = 0, 1, 4, 7, 16, 18

_USUAL = (_FINGERED_BASS, _PIANO)
_OF_STYLE = {
    "afrobeat": (_FINGERED_BASS, _ORGAN),
    "bluegrass": (_ACOUSTIC_BASS, _BANJO),
    "blues_shuffle": (_FINGERED_BASS, _ORGAN),
    "bossa_nova": (_ACOUSTIC_BASS, _E_PIANO),
    "cumbia": (_FINGERED_BASS, _ACCORDION),
    "disco": (_PICKED_BASS, _BRIGHT_PIANO),
    "drum_and_bass": (_SYNTH_BASS, _WARM_PAD),
    "funk": (_SLAP_BASS, _CLAVINET),
    "gospel": (_FINGERED_BASS, _ORGAN),
    "hip_hop": (_SYNTH_BASS, _E_PIANO),
    "house": (_SYNTH_BASS, _BRIGHT_PIANO),
    "jazz_waltz": (_ACOUSTIC_BASS, _PIANO),
    "metal": (_PICKED_BASS, _ROCK_ORGAN),
    "musette": (_ACOUSTIC_BASS, _ACCORDION),
    "reggae": (_FINGERED_BASS, _ORGAN),
    "reggaeton": (_SYNTH_BASS, _E_PIANO),
    "rock": (_PICKED_BASS, _ROCK_ORGAN),
    "samba": (_ACOUSTIC_BASS, _PIANO),
    "ska": (_FINGERED_BASS, _ORGAN),
    "soul": (_FINGERED_BASS, _E_PIANO),
    "swing": (_ACOUSTIC_BASS, _PIANO),
    "tango": (_ACOUSTIC_BASS, _BANDONEON),
}


def programs_of(style: str) -> dict[str, int]:
    """The program of each part, 0 to 127; the drums' is the number of the kit. Any style, known or not."""
    bass, keys = _OF_STYLE.get(style, _USUAL)
    return {"drums": 0, "bass": bass, "keys": keys}
