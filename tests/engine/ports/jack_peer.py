"""A JACK client for tests, in a process of its own: plays numbers into a port, records a port, or sends MIDI.

    python jack_peer.py play REGEX COUNT        numbers 1..COUNT, each / 2**24, into the input port that matches
    python jack_peer.py record REGEX FILE       what the output port that matches says, until a line comes
    python jack_peer.py midi REGEX HEX@FRAME..  messages in one block, into the MIDI input port that matches
    python jack_peer.py freewheel               from "on" until stdin closes

It prints "ready" when it is connected, and begins when it reads a line. In free-wheeling nobody loses a cycle.
"""

from __future__ import annotations

import sys
import threading

import jack
import numpy as np

SCALE = np.float32(2**-24)


def _matching(client: jack.Client, regex: str, **kind: bool) -> jack.Port:
    ports = client.get_ports(regex, **kind)
    if not ports:
        sys.exit(f"no port matches {regex}: {client.get_ports()}")
    return ports[0]


def _ready() -> None:
    print("ready", flush=True)
    sys.stdin.readline()


def play(client: jack.Client, regex: str, count: str) -> None:
    out = client.outports.register("out")
    numbers = np.arange(1, int(count) + 1, dtype=np.float32) * SCALE
    state = {"at": -1}
    done = threading.Event()

    @client.set_process_callback
    def process(frames: int) -> None:
        block = out.get_array()
        block[:] = 0
        if state["at"] >= 0:
            piece = numbers[state["at"] : state["at"] + frames]
            block[: piece.size] = piece
            state["at"] += frames
            if piece.size == 0:
                done.set()

    with client:
        client.connect(out, _matching(client, regex, is_input=True, is_audio=True))
        _ready()
        state["at"] = 0
        done.wait(60)
        print("done", flush=True)
        sys.stdin.read()


def record(client: jack.Client, regex: str, path: str) -> None:
    source = client.inports.register("in")
    blocks: list[np.ndarray] = []
    state = {"on": False}

    @client.set_process_callback
    def process(frames: int) -> None:
        if state["on"]:
            blocks.append(source.get_array().copy())

    with client:
        client.connect(_matching(client, regex, is_output=True, is_audio=True), source)
        _ready()
        state["on"] = True
        print("on", flush=True)
        sys.stdin.readline()
        state["on"] = False
        np.save(path, np.concatenate(blocks) if blocks else np.zeros(0, np.float32))
        print("saved", flush=True)
        sys.stdin.read()


def midi(client: jack.Client, regex: str, *messages: str) -> None:
    out = client.midi_outports.register("midi_out")
    waiting = [(int(frame), bytes.fromhex(text)) for text, frame in (m.split("@") for m in messages)]
    send = threading.Event()

    @client.set_process_callback
    def process(frames: int) -> None:
        out.clear_buffer()
        if send.is_set():
            send.clear()
            for frame, message in waiting:
                out.write_midi_event(frame, message)

    with client:
        client.connect(out, _matching(client, regex, is_input=True, is_midi=True))
        _ready()
        send.set()
        print("done", flush=True)
        sys.stdin.read()


def freewheel(client: jack.Client) -> None:
    started = threading.Event()
    client.set_freewheel_callback(lambda starting: started.set() if starting else None)
    with client:
        _ready()
        client.set_freewheel(True)
        started.wait(10)
        print("done", flush=True)
        sys.stdin.read()
        client.set_freewheel(False)


if __name__ == "__main__":
    what, *arguments = sys.argv[1:]
    globals()[what](jack.Client(f"peer-{what}", no_start_server=True), *arguments)
