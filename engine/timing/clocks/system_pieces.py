"""System messages of MIDI put together again from the events that the audio callback makes of them.

Knows no meaning. One thread at a time.
"""

from __future__ import annotations

_EXCLUSIVE, _QUARTER_FRAME, _END = 0xF0, 0xF1, 0xF7


class SystemPieces:
    """Events in, whole messages out. One thread at a time."""

    def __init__(self) -> None:
        self._begun = bytearray()

    def take(self, status: int, low: int, high: int) -> list[bytes]:
        """The message that an event completes, if it does. A message that never ends is forgotten with the next."""
        if status == _QUARTER_FRAME:
            return [bytes((status, low))]
        if status == _EXCLUSIVE:
            self._begun = bytearray((status,))
        elif not self._begun:
            return []
        for byte in (low, high):
            self._begun.append(byte)
            if byte == _END:
                message, self._begun = bytes(self._begun), bytearray()
                return [message]
        return []
