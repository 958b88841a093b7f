"""Held keys of a terminal: the auto-repeat of a key counts as one press.

Pure: names of keys and times in, names of keys out. A terminal says nothing of a key that is let go: what is a repeat
is told by time alone. One thread.
"""

from __future__ import annotations

HELD_AGAIN = ("up", "down", "+", "=", "-", "_")
"""Levels: held, they go on in steps."""
_AT_ONCE = ("t", "q", "\x04")
"""A tap counts from when it was struck, and a key that quits needs no second look."""
_LOCKED = (" ", "c", "e", "f", "!", "escape")
"""What must not come twice by chance: nobody starts and stops within so short a time."""
FASTER_THAN_A_HAND_S = 0.17
"""Systems repeat a held key every 25 to 100 ms."""
FIRST_REPEAT_S = 0.8
"""They begin to repeat it after 200 to 700 ms."""


class HeldKeys:
    """Lets a key through when it is struck, and not again while it is held.

    The second strike of a key may be its first repeat or a second press. Keys that start, stop or end something wait
    until it can be no repeat; of the others the second strike is held back for a moment, and is a press if no third one
    follows at once. One thread at a time.
    """

    def __init__(self) -> None:
        self._key = ""
        self._struck_s = self._let_through_s = float("-inf")
        self._held = False
        self._doubted_s: float | None = None

    @property
    def waits(self) -> bool:
        """Whether a strike is held back: ask `late` soon."""
        return self._doubted_s is not None

    def feed(self, keys: list[str], at_s: float) -> list[str]:
        """The presses among keys that were struck now. `at_s`: any clock that only goes forward."""
        return [press for key in keys for press in self._struck(key, at_s)]

    def late(self, at_s: float) -> list[str]:
        """The strike that was held back, once it is sure that the key is not held."""
        if self._doubted_s is None or at_s - self._doubted_s < FASTER_THAN_A_HAND_S:
            return []
        self._doubted_s = None
        self._let_through_s = at_s
        return [self._key]

    def _struck(self, key: str, at_s: float) -> list[str]:
        presses = self.late(at_s)
        key = key.lower() if len(key) == 1 else key
        gap_s = at_s - self._struck_s
        if key != self._key:
            if self._doubted_s is not None:  # another key: the one before was let go
                presses.append(self._key)
            self._key, gap_s, self._let_through_s = key, float("inf"), float("-inf")
            self._doubted_s, self._held = None, False
        self._struck_s = at_s
        if key in HELD_AGAIN:
            return [*presses, key]
        if gap_s < FASTER_THAN_A_HAND_S:
            self._held, self._doubted_s = True, None
            return presses
        second = gap_s < FIRST_REPEAT_S and not self._held
        self._held = False
        if second and key in _LOCKED and at_s - self._let_through_s < FIRST_REPEAT_S:
            return presses
        if second and key not in _LOCKED and key not in _AT_ONCE:
            self._doubted_s = at_s
            return presses
        self._let_through_s = at_s
        return [*presses, key]
