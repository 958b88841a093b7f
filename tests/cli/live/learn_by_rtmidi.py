"""`gigmate midi-learn fill` through rtmidi's JACK API: `python learn_by_rtmidi.py FILE [SECONDS]`."""

from __future__ import annotations

import contextlib
import sys
from pathlib import Path

import rtmidi
from gigmate.cli.live import midi_learn
from gigmate.engine.actions import ACTIONS
from gigmate.engine.errors import EngineError

if __name__ == "__main__":
    timeout_s = float(sys.argv[2]) if len(sys.argv) > 2 else 30.0
    try:
        with contextlib.ExitStack() as stack:
            poll = midi_learn.system_source(stack, None, rtmidi.API_UNIX_JACK)
            learned = midi_learn.learn([poll], "fill", False, timeout_s)
        midi_learn._write(Path(sys.argv[1]), ACTIONS["fill"], {}, learned)
    except EngineError as error:
        print(f"error {error}")
