"""The system's MIDI inputs, heard through rtmidi's JACK API: prints each command that comes, and each piece of news.

Messages for a hand that leads the chords come at its end, all together.

`python midi_listener.py [PORT_NAME]`; ends when stdin closes, with its counts as JSON.
"""

from __future__ import annotations

import json
import sys
import threading
import time

import rtmidi
from gigmate.control.midi import MidiError, MidiPedals
from gigmate.engine.actions import ACTIONS
from gigmate.engine.gestures import Binding, BindingTable, Gesture

TABLE = BindingTable(
    [
        Binding(Gesture("cc", 64), ACTIONS["toggle"]),
        Binding(Gesture("note", 36, threshold=1), ACTIONS["fill"]),
        Binding(Gesture("cc", 7), ACTIONS["level"], (("part", "bass"),), (-40.0, 6.0)),
        Binding(Gesture("program", 4), ACTIONS["next_preset"]),
    ]
)


def main() -> None:
    counts: dict[str, int] = {}
    levels: list[float] = []
    hand: list[tuple[int, int, int, str]] = []

    def post(command: object) -> None:
        name = type(command).__name__
        counts[name] = counts.get(name, 0) + 1
        if name == "SetLevel":
            levels.append(command.level_db)  # type: ignore[attr-defined]
        elif name == "HandMessage":
            hand.append((command.status, command.number, command.value, command.device))  # type: ignore[attr-defined]
        elif name != "ClockTick":
            print(command, flush=True)

    try:
        pedals = MidiPedals(TABLE, post, sys.argv[1] if len(sys.argv) > 1 else None, rtmidi.API_UNIX_JACK)
    except MidiError as error:
        print(f"error {error}", flush=True)
        return
    print(f"open {pedals.names}", flush=True)
    end = threading.Event()

    def tell() -> None:
        while not end.wait(0.02):
            for line in pedals.news():
                print(f"news {line}", flush=True)

    teller = threading.Thread(target=tell)
    teller.start()
    sys.stdin.read()
    end.set()
    teller.join()
    before_s = time.perf_counter()
    pedals.close()
    pedals.close()
    close_s = time.perf_counter() - before_s
    print(
        json.dumps({"counts": counts, "lost": pedals.lost, "close_s": close_s, "levels": levels[-1:], "hand": hand}),
        flush=True,
    )


if __name__ == "__main__":
    main()
