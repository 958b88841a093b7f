"""What each command does to the learner, and which of them it leaves to the conductor.

Knows commands and the learner. Inference thread only.
"""

from __future__ import annotations

from ..charts.chord_symbol import parse_chord
from ..commands import (
    Command,
    ForgetLearnt,
    JumpSection,
    KeepSong,
    Learn,
    LearnAgain,
    ReplaceChord,
    SetChart,
    UndoChord,
)
from ..errors import ConfigError
from .learner import Learner

STAMPED = (Learn, LearnAgain)
"""Those that say when a foot came down."""


def obey(learner: Learner, command: Command, position: float) -> bool:
    """Do it, if it is the learner's; False where somebody else has to. Raises ConfigError for what cannot be.

    `position`: of the input clock, where the gesture belongs, or now.
    """
    if isinstance(command, Learn):
        learner.press(position, command.name)
    elif isinstance(command, LearnAgain):
        learner.again(position)
    elif isinstance(command, ForgetLearnt):
        learner.forget()
    elif isinstance(command, KeepSong):
        learner.finish(command.name, command.in_set)
    elif isinstance(command, SetChart):  # another song
        learner.reset()
        return False
    elif isinstance(command, (ReplaceChord, UndoChord)) and not learner.goes_round:
        learner.time.obey(command, position)
    elif not learner.goes_round:
        return False
    elif isinstance(command, ReplaceChord):
        learner.replace(command.bar, command.beat, parse_chord(command.name))
    elif isinstance(command, UndoChord):
        if not learner.undo():
            raise ConfigError("no chord was replaced: there is nothing to take back")
    elif isinstance(command, JumpSection):
        learner.jump(command.name)
    else:
        return False
    return True
