"""The actions of the looper, one table. Values only, any thread."""

from __future__ import annotations

from collections.abc import Callable

from .. import commands as c
from .action import Action, Argument

_MOST_BARS = 64
_ON = (Argument("on", "switch", optional=True),)


def _deed(deed: c.LoopDeed) -> Callable[..., c.Command]:
    return lambda at_sample: c.LoopDo(deed, at_sample)


LOOP_ACTIONS = (
    Action(
        "loop",
        "the looper's one button: record, play, play over by turns; twice quickly stops, a pedal held clears",
        c.LoopPress,
        stamped=True,
        release=c.LoopRelease,
    ),
    Action(
        "loop_keep",
        "makes a loop of the bars that you just played; with a loop playing it lays them over it",
        lambda bars, at_sample: c.LoopKeep(bars, at_sample),
        (Argument("bars", "whole", 1, _MOST_BARS, default=4, optional=True),),
        stamped=True,
    ),
    Action("loop_record", "records a loop from the bar line on", _deed("record"), stamped=True),
    Action("loop_play", "ends the recording on the bar line and plays it, or plays again", _deed("play"), stamped=True),
    Action("loop_overdub", "begins or ends playing over the loop", _deed("overdub"), stamped=True),
    Action("loop_stop", "stops the loop", _deed("stop"), stamped=True),
    Action(
        "loop_undo",
        "takes back what was played over the loop last, or its clearing",
        _deed("undo"),
        stamped=True,
    ),
    Action("loop_redo", "does again what was taken back", _deed("redo"), stamped=True),
    Action("loop_clear", "clears the loop", _deed("clear"), stamped=True),
    Action("loop_half", "the loop is its first half", _deed("half"), stamped=True),
    Action("loop_double", "the loop is twice as long", _deed("double"), stamped=True),
    Action(
        "loop_level",
        "level of the loop",
        lambda value: c.SetLoop("level", value),
        (Argument("value", "level", -60.0, 12.0),),
        sweep=(-40.0, 6.0),
    ),
    Action("loop_mute", "mutes the loop; without a value turns it over", lambda on: c.SetLoop("muted", on), _ON),
    Action(
        "hear_loop",
        "the band hears the loop too, or you alone; without a value turns it over",
        lambda on: c.SetLoop("heard", on),
        _ON,
    ),
)
