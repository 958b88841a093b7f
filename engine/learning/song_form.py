"""The order in which sections of a song are played, as it becomes known. Knows sections by their places alone.

Inference thread only.
"""

from __future__ import annotations


class SongForm:
    """Places of sections in the order of the song, and where in it the band is. Inference thread only."""

    def __init__(self) -> None:
        self.places: list[int] = []
        self._at = -1

    @property
    def current(self) -> int:
        """How many places lie before the one that is played."""
        return max(0, self._at)

    @property
    def next(self) -> int:
        """The section that follows; -1 where none is known to."""
        return self.places[(self._at + 1) % len(self.places)] if len(self.places) > 1 else -1

    def heard(self, place: int) -> None:
        """A section is heard again: the next place that has it. What is played for pleasure is no news."""
        count = len(self.places)
        after = ((self._at + step) % count for step in range(count))
        self._at = next((at for at in after if self.places[at] == place), self._at)

    def visit(self, place: int) -> None:
        """A section is asked for: what follows already is no news."""
        places = self.places
        if places and places[self._at] == place:
            return
        after = (self._at + 1) % len(places) if places else 0
        if places and places[after] == place:
            self._at = after
        else:
            places.append(place)
            self._at = len(places) - 1

    def drop(self, place: int) -> int:
        """Without that section, whose successors move up; the last one of the song then, -1 for none."""
        left = [one - (one > place) for one in self.places if one != place]
        self.places = [one for n, one in enumerate(left) if n == 0 or one != left[n - 1]]
        self._at = len(self.places) - 1
        return self.places[-1] if self.places else -1
