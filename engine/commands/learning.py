"""Songs that are learnt by hearing them, and chords that are put right. Values; any thread."""

from __future__ import annotations

from dataclasses import dataclass

from .stamp import NOW


@dataclass(frozen=True, slots=True)
class Learn:
    """Begin a section on the bar line that is meant, or end the one that is played in and go round in it. A press a
    little after a bar line counts for it. At a sample of the port's clock; a negative one means now. Any thread.
    """

    at_sample: int = NOW
    name: str = ""
    """What the section is called; empty: Verse, Chorus and so on."""


@dataclass(frozen=True, slots=True)
class LearnAgain:
    """Play the section at hand in anew, from the next bar line on. Any thread."""

    at_sample: int = NOW


@dataclass(frozen=True, slots=True)
class ForgetLearnt:
    """Leave off what is being played in; else forget the section that goes round. Any thread."""


@dataclass(frozen=True, slots=True)
class KeepSong:
    """The song is whole: it is kept under that name, and in the set list if asked, and goes on as it was learnt.

    Any thread.
    """

    name: str = ""
    in_set: bool = False


@dataclass(frozen=True, slots=True)
class ReplaceChord:
    """Another chord in the chart, or in the bars to come where there is none: bar (of Status.planned) and beat, from 1.

    Any thread.
    """

    bar: int
    name: str
    beat: int = 1


@dataclass(frozen=True, slots=True)
class UndoChord:
    """Take the last replaced chord back. Any thread."""
