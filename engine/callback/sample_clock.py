"""Maps the monotonic clock to sample positions of the port.

Knows no port: it is shown the count of samples now and then, as it stands after whole blocks. Any thread.
"""

from __future__ import annotations

import threading

_DRIFT = 2e-4
"""More than any two clocks differ; the line gives way by so much."""
_JUMP_S = 0.25
"""Further off than this the line is begun anew: the port stood still, or is another one."""
_WINDOW_S, _WINDOW_SEEN = 1.0, 10
"""What was seen so often in so long, and always late, was not late: time was lost that the port did not count, as
JACK's frames do not where a server was held up."""
_STEP_S = 0.001


class SampleClock:
    """A line through the earliest of what was seen: a count is never early, and late by a block at most. Any thread."""

    def __init__(self, rate_hz: float) -> None:
        self._rate_hz = float(rate_hz)
        self._offset: float | None = None
        self._seen_s = 0.0
        self._window = (0.0, 0, 0.0)  # when it began, how often was seen, the earliest of that
        self._lock = threading.Lock()

    def observe(self, position: int, now_s: float) -> None:
        """The count of samples that the port has carried, and when that was read."""
        with self._lock:
            offset = position - self._rate_hz * now_s
            if self._offset is None or abs(offset - self._offset) > _JUMP_S * self._rate_hz:
                self._offset = offset
            else:
                gave_way = self._offset - _DRIFT * self._rate_hz * max(0.0, now_s - self._seen_s)
                self._offset = max(offset, gave_way)
            self._seen_s = now_s
            self._look_back(offset, now_s)

    def _look_back(self, offset: float, now_s: float) -> None:
        """The line is that of the last second where it was seen often, however early something was before."""
        begin_s, seen, earliest = self._window
        self._window = (begin_s, seen + 1, max(earliest, offset)) if seen else (now_s, 1, offset)
        begin_s, seen, earliest = self._window
        if now_s - begin_s >= _WINDOW_S:
            if seen >= _WINDOW_SEEN and self._offset is not None and earliest < self._offset - _STEP_S * self._rate_hz:
                self._offset = earliest
            self._window = (now_s, 0, 0.0)

    def sample_at(self, at_s: float) -> int:
        """The sample that was the present one then; never negative. Without anything seen: 0."""
        offset = self._offset
        return 0 if offset is None else max(0, round(offset + self._rate_hz * at_s))
