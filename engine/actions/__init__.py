"""The actions of the band by name, with their arguments: for bindings of pedals, OSC and the page.

From a name and its arguments to a command. Knows neither gestures nor networks; values only, any thread.
"""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Mapping

from .. import commands as c
from ..player import PARTS
from .action import OFF_DB, WORD_LENGTH, Action, ActionError, Argument
from .band_actions import BAND_ACTIONS
from .learning_actions import LEARNING_ACTIONS
from .loop_actions import LOOP_ACTIONS
from .move_actions import MOVE_ACTIONS
from .set_actions import SET_ACTIONS

__all__ = [
    "ACTIONS",
    "OFF_DB",
    "PARTS",
    "WORD_LENGTH",
    "Action",
    "ActionError",
    "Argument",
    "action_named",
    "command_of",
]

_ALL = (*BAND_ACTIONS, *MOVE_ACTIONS, *LOOP_ACTIONS, *SET_ACTIONS, *LEARNING_ACTIONS)
ACTIONS: dict[str, Action] = {action.name: action for action in _ALL}


def action_named(name: str) -> Action:
    """The action. Raises ActionError, with the nearest name there is."""
    action = ACTIONS.get(name) if isinstance(name, str) else None
    if action is None:
        raise ActionError(f"no action {name!r}{_nearest(str(name), ACTIONS)}: actions are {', '.join(ACTIONS)}")
    return action


def command_of(name: str, values: Mapping[str, object] | None = None, at_sample: int = c.NOW) -> c.Command:
    """The command of an action by its name. Raises ActionError."""
    return action_named(name).command(values, at_sample)


def _nearest(word: str, words: Iterable[str]) -> str:
    close = difflib.get_close_matches(word[:WORD_LENGTH], list(words), n=1, cutoff=0.5)
    return f" (did you mean {close[0]}?)" if close else ""
