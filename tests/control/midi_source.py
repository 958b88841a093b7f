"""A MIDI device on JACK in a process of its own: `python midi_source.py CLIENT`, which has the output port "out".

It prints "ready", then sends what each line of stdin holds, messages in hex apart by spaces, one block after another;
"flood MESSAGE N PER_SECOND" sends so many, the second data byte counting. "done" after each. It ends with stdin.
"""

from __future__ import annotations

import sys
import threading
from collections import deque

import jack


def main(name: str) -> None:
    client = jack.Client(name, no_start_server=True)
    out = client.midi_outports.register("out")
    waiting: deque[list[bytes]] = deque()
    empty = threading.Event()

    @client.set_process_callback
    def process(frames: int) -> None:
        out.clear_buffer()
        if waiting:
            batch = waiting.popleft()
            for place, message in enumerate(batch):
                out.write_midi_event(place * frames // len(batch), message)
        else:
            empty.set()

    with client:
        print("ready", flush=True)
        for line in sys.stdin:
            if line.startswith("flood"):
                _, text, count, per_second = line.split()
                a_block = max(1, round(int(per_second) * client.blocksize / client.samplerate))
                first = bytes.fromhex(text)[:2]
                numbers = iter(range(int(count)))
                batch = [first + bytes([number % 128]) for number in numbers]
                waiting.extend(batch[at : at + a_block] for at in range(0, len(batch), a_block))
            else:
                waiting.extend([bytes.fromhex(text)] for text in line.split())
            empty.clear()
            empty.wait(300)
            print("done", flush=True)


if __name__ == "__main__":
    main(sys.argv[1])
