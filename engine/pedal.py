"""A foot switch in the MIDI that the audio callback read: presses of one controller or note. Knows no port."""

from __future__ import annotations

_PRESSED_VALUE = 64
_DEBOUNCE_MS = 20.0


class Pedal:
    """Counts presses of ("cc", number) or ("note", number). One thread."""

    def __init__(self, pedal: tuple[str, int], rate_hz: int) -> None:
        self._kind, self._number = pedal
        self._bounce_samples = _DEBOUNCE_MS * rate_hz / 1000.0
        self._pressed = False
        self._last_press: int | None = None

    def press(self, event: tuple[int, int, int, int]) -> bool:
        """Whether the message (position in samples, status, data1, data2) begins a press."""
        position, status, number, value = event
        if number != self._number:
            return False
        kind = status & 0xF0
        if self._kind == "cc" and kind == 0xB0:
            pressed = value >= _PRESSED_VALUE
        elif self._kind == "note" and kind in (0x80, 0x90):
            pressed = kind == 0x90 and value > 0
        else:
            return False
        was_pressed, self._pressed = self._pressed, pressed
        if not pressed or was_pressed:
            return False
        if self._last_press is not None and position - self._last_press < self._bounce_samples:
            return False
        self._last_press = position
        return True
