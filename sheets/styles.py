"""Which of our presets is nearest to the style that another program names. Pure functions, any thread."""

from __future__ import annotations

# The first word that is in the name decides.
_PRESETS = (
    ("musette", "musette"), ("cumbia", "cumbia"), ("reggaeton", "reggaeton"), ("dembow", "reggaeton"),
    ("tango", "tango"), ("milonga", "tango"), ("afrobeat", "afrobeat"), ("house", "house"),
    ("drum and bass", "drum_and_bass"),
    ("drum & bass", "drum_and_bass"), ("jungle", "drum_and_bass"), ("6/8 ballad", "six_eight_ballad"),
    ("slow 6/8", "six_eight_ballad"), ("waltz", "jazz_waltz"), ("5/4", "odd_five"),
    ("slow blues", "slow_blues"), ("12/8", "slow_blues"),
    ("bossa", "bossa_nova"), ("samba", "samba"), ("brazil", "samba"), ("shuffle", "blues_shuffle"),
    ("chicago", "blues_shuffle"), ("boogie", "blues_shuffle"), ("blues", "blues_shuffle"),
    ("rockabilly", "country_train"),
    ("bluegrass", "bluegrass"), ("country", "country_train"), ("train", "country_train"), ("reggae", "reggae"),
    ("ska", "ska"), ("gospel", "gospel"), ("disco", "disco"), ("soul", "soul"), ("r&b", "soul"), ("motown", "soul"),
    ("hip hop", "hip_hop"), ("hip-hop", "hip_hop"), ("trap", "hip_hop"), ("funk", "funk"), ("metal", "metal"),
    ("folk", "folk_strum"), ("bluebeat", "ska"), ("smooth", "soul"), ("slow rock", "pop_ballad"), ("pop", "pop_ballad"),
    ("rock", "rock"), ("swing", "swing"), ("jazz", "swing"), ("bebop", "swing"), ("latin", "bossa_nova"),
    ("afro", "samba"),
    ("bolero", "bossa_nova"), ("son", "bossa_nova"), ("ballad", "pop_ballad"),
)  # fmt: skip


def preset_for(style: str, beats_per_bar: int = 4) -> str:
    """A preset's name; empty where nothing in the style's name tells one."""
    low = style.lower()
    found = next((preset for word, preset in _PRESETS if word in low), "")
    if found == "swing" and beats_per_bar == 3:
        return "jazz_waltz"
    return found
