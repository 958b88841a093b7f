"""The actions that learn songs and put chords right. Values only, any thread."""

from __future__ import annotations

from .. import commands as c
from .action import Action, Argument

LEARNING_ACTIONS = (
    Action(
        "learn",
        "learns what you play from the bar line on; again: the section ends there and the band plays it round",
        c.Learn,
        (Argument("name", "word", default="", optional=True),),
        stamped=True,
    ),
    Action(
        "learn_again", "the section at hand is played in anew, from the next bar line on", c.LearnAgain, stamped=True
    ),
    Action("learn_forget", "leaves off what is being learnt, else forgets the section that goes round", c.ForgetLearnt),
    Action(
        "keep_song",
        "keeps the song that was learnt under a name, and in the set list if asked",
        lambda name, in_set: c.KeepSong(name, bool(in_set)),
        (Argument("name", "word", default="", optional=True), Argument("in_set", "switch", optional=True)),
    ),
    Action(
        "chord",
        "another chord in that bar of the chart, or of what is foretold",
        lambda bar, name, beat: c.ReplaceChord(bar, name, beat),
        (
            Argument("bar", "whole", 1, 99_999),
            Argument("name", "word"),
            Argument("beat", "whole", 1, 15, default=1, optional=True),
        ),
    ),
    Action("undo_chord", "takes the last replaced chord back", c.UndoChord),
)
