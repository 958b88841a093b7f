"""Expands repeats: from bars as written to bars as played, with endings and counts.

Knows neither text nor chords: a bar is whatever it is given. One thread at a time.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Generic, TypeVar

Bar = TypeVar("Bar")


class RepeatError(ValueError):
    """Signs that do not go together; the message says what to write. Any thread."""


class Passage(Generic[Bar]):
    """One section. `bars` is what is played so far; every method raises RepeatError for a sign that does not fit.

    One thread at a time.
    """

    def __init__(self, room: Callable[[int], None]) -> None:
        """`room(n)` is asked before n more bars are played, and raises where there is none."""
        self.bars: list[Bar] = []
        self.straight: list[Bar] = []
        """The same without repeats: each once, with its last ending, as it is played after a jump back."""
        self._room = room
        self._begin = 0  # from where a `:|` repeats
        self._opened = False  # by `|:`
        self._head: list[Bar] = []  # what stands before the endings
        self._straight_head = 0  # how many bars `straight` has before them
        self._ending = 0  # the one that is being read
        self._due = 0  # the one that must come now

    def add(self, bar: Bar) -> None:
        """One bar more."""
        self._settle()
        self._room(1)
        self.bars.append(bar)
        self.straight.append(bar)

    def again(self, begin: int, times: int) -> None:
        """What was played from bar `begin` on is played so many times in all."""
        once = self.bars[begin:]
        self._room(len(once) * (times - 1))
        self.bars += once * (times - 1)

    def open(self) -> None:
        """`|:`"""
        self._settle()
        if self._opened and self._ending < 2:
            raise RepeatError("|: inside a repeat that was not closed: write :| before it")
        self._begin, self._opened, self._ending = len(self.bars), True, 0

    def close(self, times: int | None) -> None:
        """`:|`, and how often it is played in all (None: twice)."""
        self._settle()
        if len(self.bars) == self._begin:
            raise RepeatError(":| with nothing to repeat before it")
        if self._ending:
            if times is not None:
                raise RepeatError("a repeat with endings is played once for each: leave the count out")
            self._due, self._ending = self._ending + 1, 0
        else:
            self.again(self._begin, 2 if times is None else times)
        self._begin, self._opened = len(self.bars), False

    def ending(self, number: int) -> None:
        """`|1.`, `|2.` ...: the bars up to the next sign are played that time only."""
        if self._due:
            if number != self._due:
                raise RepeatError(f"ending {number}. where {self._due}. was expected")
            self._room(len(self._head))
            self.bars += self._head
            del self.straight[self._straight_head :]
            self._ending, self._due = number, 0
        elif number != 1 or self._ending:
            raise RepeatError(f"ending {number}. does not fit here: write |: ... |1. ... :|2. ... |")
        else:
            self._head, self._ending = self.bars[self._begin :], 1
            self._straight_head = len(self.straight)

    def finish(self) -> list[Bar]:
        """All of it, as it is played."""
        self._settle()
        if self._ending == 1:
            raise RepeatError("ending 1. is not closed by :|: write it after the ending, then |2.")
        if self._opened and not self._ending:
            raise RepeatError("a repeat |: is not closed: write :|")
        return self.bars

    def _settle(self) -> None:
        """No ending came where one could have: two are enough, one is not."""
        if self._due == 2:
            raise RepeatError("a repeat with ending 1. but no 2.: write |2. after its :|")
        if self._due:
            self._due, self._begin = 0, len(self.bars)
