"""Says that nothing arrives at the input that was chosen, where another one moves.

Looks once the run has been silent for a while, in a thread of its own that opens ports of its own: neither the band
nor the keys wait for it. Main thread only.
"""

from __future__ import annotations

import threading
from collections.abc import Callable

from ...engine.config import EngineConfig
from ...engine.errors import EngineError
from ...engine.status import Status

_SILENT_DB, _SILENT_S = -60.0, 6.0
_AGAIN_S = 20.0
_LOOKS = 5
"""Who has not begun after so many looks is not at the wrong plug."""


class InputWatch:
    """Asks the status, and tells once. Main thread only."""

    def __init__(self, config: EngineConfig, status: Callable[[], Status]) -> None:
        """Watches JACK and PortAudio alone; a recording is at no plug."""
        self._config, self._status = config, status
        self._left = _LOOKS if config.backend in ("jack", "portaudio") else 0
        self._look_at_s = _SILENT_S
        self._found: list[str] = []
        self._thread: threading.Thread | None = None

    def news(self) -> list[str]:
        """A line, if another input moves and this one does not."""
        if self._found:
            self._left, found, self._found = 0, self._found, []
            return found
        if not self._left:
            return []
        status = self._status()
        if status.input_db > _SILENT_DB:
            self._left = 0
        elif status.seconds >= self._look_at_s and (self._thread is None or not self._thread.is_alive()):
            self._left -= 1
            self._look_at_s = status.seconds + _AGAIN_S
            self._thread = threading.Thread(target=self._look, name="gigmate-inputs", daemon=True)
            self._thread.start()
        return []

    def _look(self) -> None:
        from ...engine.ports.input_levels import moving_input

        own = self._config.input_channels
        try:
            found = moving_input(self._config, left_out=own)
        except EngineError:  # the device lets nobody else listen: there is nothing to tell
            self._left = 0
            return
        if found is not None and self._status().input_db <= _SILENT_DB:
            asked = ",".join(map(str, own))
            self._found = [
                f"nothing arrives at input {asked}; input {found[0]} moves ({found[1]:.0f} dB): move the plug, or give "
                f"--input {found[0]}"
            ]
