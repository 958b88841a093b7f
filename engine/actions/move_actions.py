"""The actions that are done on the spot: moves. Values only, any thread."""

from __future__ import annotations

from .. import commands as c
from .action import Action, Argument

_MOST_BARS = 32

MOVE_ACTIONS = (
    Action("hit", "a stab of the whole band on the next beat, and nothing until the beat after it", c.Hit),
    Action(
        "break",
        "silence from the next beat to the bar line, or to that after so many bars; there all are back",
        c.Break,
        (Argument("bars", "whole", 1, _MOST_BARS, default=1, optional=True),),
    ),
    Action(
        "build",
        "busier and louder to the next section, or for so many bars (4 without a chart); then as before",
        c.Build,
        (Argument("bars", "whole", 0, _MOST_BARS, default=0, optional=True),),
    ),
    Action(
        "half_time_feel",
        "from the next bar line on a pattern lasts twice as long, tempo and bars stay; again: as usual",
        lambda: c.SetFeel(0.5, turn=True),
    ),
    Action(
        "double_time_feel",
        "from the next bar line on a pattern lasts half as long, tempo and bars stay; again: as usual",
        lambda: c.SetFeel(2.0, turn=True),
    ),
    Action(
        "solo",
        "room for a solo from the next beat on: softer, sparser, no fills by itself; without a value turns it over",
        c.SetSolo,
        (Argument("on", "switch", optional=True),),
    ),
    Action(
        "fills",
        "whether a fill leads into a section of the chart: by itself, when asked for, or never",
        lambda name: c.SetOption("fills", name),
        (Argument("name", "choice", choices=("auto", "ask", "never")),),
    ),
)
