"""The looper's one button, as on pedals that loop: press, press again, twice quickly, long.

Knows no sound: it says what is meant. Positions are samples of the input clock. Inference thread only.
"""

from __future__ import annotations

import math

DOUBLE_S = 0.4
"""Two presses within so long stop."""
HOLD_S = 1.0
"""A press that lasts so long clears."""
_FIRST = {"empty": "record", "armed": "clear", "playing": "overdub"}


class LoopButton:
    """What presses mean. Inference thread only."""

    def __init__(self, rate_hz: int) -> None:
        self._rate_hz = rate_hz
        self._pressed = -math.inf
        self._down_since: float | None = None
        self._began_overdub = False

    def press(self, position: float, told_release: bool, phase: str) -> tuple[str, ...]:
        """What a press asks for, one after the other, while the looper is in that phase."""
        again = 0.0 <= position - self._pressed < DOUBLE_S * self._rate_hz
        self._pressed = -math.inf if again else position
        self._down_since = position if told_release else None
        dropped, self._began_overdub = self._began_overdub and again, phase == "playing" and not again
        if not again:
            return (_FIRST.get(phase, "play"),)
        if phase in ("empty", "armed"):
            return ("clear",)
        return ("drop", "stop") if dropped else ("stop",)

    def release(self) -> None:
        """It is let go."""
        self._down_since = None

    def held(self, position: float) -> tuple[str, ...]:
        """What is asked for because it is still down at that position."""
        if self._down_since is None or position - self._down_since < HOLD_S * self._rate_hz:
            return ()
        self._down_since, self._pressed = None, -math.inf
        return ("drop", "clear") if self._began_overdub else ("clear",)
