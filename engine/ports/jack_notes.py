"""The parts' MIDI outputs on JACK: which there are, and how they fall silent before the client goes.

Knows no callback: what is sent is decided in engine/callback/note_callback.py. Control thread only.
"""

from __future__ import annotations

import time

from ..callback.note_streams import NoteStreams
from ..config import EngineConfig
from ..player import PARTS

_PATIENCE_S = 0.25
"""Several of the largest blocks: a callback that has not come by then does not come."""


def note_parts(config: EngineConfig) -> tuple[str, ...]:
    """The parts that have an output of their own."""
    return PARTS if config.midi_out in ("auto", "jack") else ()


def end_notes(notes: NoteStreams) -> None:
    """Let the callback end whatever sounds, and wait until it has."""
    notes.panic()
    end_s = time.monotonic() + _PATIENCE_S
    while notes.asked and time.monotonic() < end_s:
        time.sleep(0.002)
    time.sleep(0.01)  # what it wrote is read in the same cycle
