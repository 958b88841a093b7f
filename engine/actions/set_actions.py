"""The actions of the set list beyond choosing a song. Values only, any thread."""

from __future__ import annotations

from .. import commands as c
from .action import Action, Argument

_NUMBER = Argument("number", "whole", 1, 9999)

SET_ACTIONS = (
    Action(
        "next_at_end",
        "the next song, when this one ends (a chart that goes round: on the bar line after its last bar); again: not",
        c.NextAtEnd,
        (Argument("on", "switch", optional=True),),
    ),
    Action(
        "move_song",
        "a song of the set list to another place, for tonight",
        c.MoveSong,
        (_NUMBER, Argument("to", "whole", 1, 9999)),
    ),
)
