"""The styles, by name. The order of `STYLE_NAMES` gives each its id and only ever grows at its end."""

from __future__ import annotations

from ..style import Style
from .jazz import BLUES_SHUFFLE, BOSSA_NOVA, SWING
from .popular import DISCO, FUNK, POP_BALLAD, REGGAE, ROCK

STYLES: dict[str, Style] = {
    s.name: s for s in (ROCK, POP_BALLAD, FUNK, BLUES_SHUFFLE, REGGAE, BOSSA_NOVA, SWING, DISCO)
}
STYLE_NAMES: tuple[str, ...] = tuple(STYLES)
FIRST_STYLES: tuple[str, ...] = STYLE_NAMES[:8]
