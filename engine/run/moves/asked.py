"""What each command of engine/commands/moves.py asks of the moves. Inference thread only."""

from __future__ import annotations

from ...commands import Break, Build, Command, Hit, SetFeel, SetSolo
from ...errors import ConfigError
from .stage_moves import StageMoves

MOVES = (Hit, Break, Build, SetFeel, SetSolo)


def ask(moves: StageMoves, command: Command, plays: bool) -> None:
    """Ask for it; `plays`: whether the band is in. Raises ConfigError for what cannot be."""
    if isinstance(command, SetFeel):
        moves.set_feel(command.factor, command.turn)
    elif isinstance(command, SetSolo):
        moves.set_solo(command.on)
    elif not plays:
        name = type(command).__name__.lower()
        raise ConfigError(f"a {name} is of a band that plays: start it first, and play")
    elif isinstance(command, Hit):
        moves.hit()
    elif isinstance(command, Break):
        moves.rest(command.bars)
    elif isinstance(command, Build):
        moves.build(command.bars)
