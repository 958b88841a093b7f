"""A MIDI output through rtmidi's JACK API: `python midi_out_child.py NAME`; messages as hex, one a line."""

from __future__ import annotations

import sys

import rtmidi
from gigmate.control.midi import MidiError
from gigmate.control.midi_out import SystemMidiOut

if __name__ == "__main__":
    try:
        out = SystemMidiOut(sys.argv[1], rtmidi.API_UNIX_JACK)
    except MidiError as error:
        print(f"error {error}", flush=True)
        sys.exit(1)
    print(f"open {out.name}", flush=True)
    for line in sys.stdin:
        if line.strip() == "look":
            print(f"back {out.look()} lost {out.lost}", flush=True)
        else:
            out.send(bytes.fromhex(line))
            print("sent", flush=True)
    out.close()
    out.close()
    print("closed", flush=True)
