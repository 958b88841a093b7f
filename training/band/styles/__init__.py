"""The styles, by name. The order of `STYLE_NAMES` gives each its id and only ever grows at its end."""

from __future__ import annotations

from ..style import Style
from .dance import AFROBEAT, DRUM_AND_BASS, HOUSE
from .dances import BLUEGRASS, MUSETTE, SIX_EIGHT_BALLAD
from .groove import (
    DISCO,
    FUNK,
    GOSPEL,
    HIP_HOP,
    SOUL,
)
from .islands import (
    BOSSA_NOVA,
    REGGAE,
    SAMBA,
    SKA,
)
from .jazz import JAZZ_WALTZ, SWING
from .latin import CUMBIA, REGGAETON, TANGO
from .rock import (
    METAL,
    ODD_FIVE,
    POP_BALLAD,
    ROCK,
)
from .roots import (
    BLUES_SHUFFLE,
    COUNTRY_TRAIN,
    FOLK_STRUM,
    SLOW_BLUES,
)

STYLES: dict[str, Style] = {
    s.name: s
    for s in (
        ROCK, POP_BALLAD, FUNK, BLUES_SHUFFLE, REGGAE, BOSSA_NOVA, SWING, DISCO,
        SOUL, SLOW_BLUES, COUNTRY_TRAIN, SKA, SAMBA, JAZZ_WALTZ, HIP_HOP, METAL, FOLK_STRUM, GOSPEL, ODD_FIVE,
        CUMBIA, REGGAETON, TANGO, AFROBEAT, HOUSE, DRUM_AND_BASS, BLUEGRASS, MUSETTE, SIX_EIGHT_BALLAD,
    )
}  # fmt: skip
STYLE_NAMES: tuple[str, ...] = tuple(STYLES)
FIRST_STYLES: tuple[str, ...] = STYLE_NAMES[:8]
