"""A JACK client for tests, in a process of its own: plays numbers into a port, records a port, or sends MIDI.

    python jack_peer.py play REGEX COUNT        numbers 1..COUNT, each / 2**24, into the input port that matches
    python jack_peer.py record REGEX FILE       what the output port that matches says, until a line comes
    python jack_peer.py recordall REGEX FILE    the same of all output ports that match, and their names
    python jack_peer.py midi REGEX HEX@FRAME..  messages in one block, into the MIDI input port that matches
    python jack_peer.py freewheel               from "on" until stdin closes
    python jack_peer.py press REGEX HEX OFFSET  one message; prints the server's frame at which it went out
    python jack_peer.py flood REGEX RATE SECONDS  so many messages a second; prints how many went out
    python jack_peer.py midilog REGEX FILE      what the MIDI output port says: [frame, bytes...], and the frame of each
                                                block that it read, until a line comes
    python jack_peer.py framelog REGEX FILE     what the audio port says, and each block's frame, until a line comes
    python jack_peer.py device NAME             MIDI ports of hardware, until stdin closes
    python jack_peer.py follow REGEX            a program's MIDI input, connected to the MIDI output that matches
    python jack_peer.py clock                   the server's frame time, at each line
    python jack_peer.py timebase BPM            timebase master of a rolling transport, until stdin closes

It prints "ready" when it is connected, and begins when it reads a line. In free-wheeling nobody loses a cycle.
"""

from __future__ import annotations

import json
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


def recordall(client: jack.Client, regex: str, path: str) -> None:
    ports = client.get_ports(regex, is_output=True, is_audio=True)
    sources = [client.inports.register(f"in_{place}") for place in range(len(ports))]
    blocks: list[np.ndarray] = []
    state = {"on": False}

    @client.set_process_callback
    def process(frames: int) -> None:
        if state["on"]:
            blocks.append(np.stack([source.get_array() for source in sources]))

    with client:
        for port, source in zip(ports, sources, strict=True):
            client.connect(port, source)
        _ready()
        state["on"] = True
        print("on", flush=True)
        sys.stdin.readline()
        state["on"] = False
        np.savez(path, names=[port.name for port in ports], sound=np.concatenate(blocks, axis=1))
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


def press(client: jack.Client, regex: str, text: str, offset: str) -> None:
    out = client.midi_outports.register("midi_out")
    send, frames, sent = threading.Event(), [], threading.Event()

    @client.set_process_callback
    def process(count: int) -> None:
        out.clear_buffer()
        if send.is_set():
            send.clear()
            out.write_midi_event(int(offset) % count, bytes.fromhex(text))
            frames.append(client.last_frame_time + int(offset) % count)
            sent.set()

    with client:
        client.connect(out, _matching(client, regex, is_input=True, is_midi=True))
        _ready()
        while True:
            send.set()
            sent.wait(10)
            sent.clear()
            print(frames[-1], flush=True)
            if not sys.stdin.readline():
                return


def flood(client: jack.Client, regex: str, rate_hz: str, seconds: str) -> None:
    out = client.midi_outports.register("midi_out")
    state = {"on": False, "due": 0.0, "sent": 0, "frames": 0}
    done = threading.Event()
    share = float(rate_hz) / client.samplerate
    messages = [bytes([0xB0 + i % 3, 20 + i % 40, i % 128]) for i in range(997)]

    @client.set_process_callback
    def process(count: int) -> None:
        out.clear_buffer()
        if not state["on"] or done.is_set():
            return
        state["due"] += share * count
        many = int(state["due"])
        state["due"] -= many
        for i in range(many):
            out.write_midi_event(i * count // many, messages[(state["sent"] + i) % 997])
        state["sent"] += many
        state["frames"] += count
        if state["frames"] >= float(seconds) * client.samplerate:
            done.set()

    with client:
        client.connect(out, _matching(client, regex, is_input=True, is_midi=True))
        _ready()
        state["on"] = True
        done.wait(20 * float(seconds))
        print(state["sent"], flush=True)
        sys.stdin.read()


def midilog(client: jack.Client, regex: str, path: str) -> None:
    source = client.midi_inports.register("midi_in")
    events: list[list[int]] = []
    blocks: list[int] = []

    @client.set_process_callback
    def process(count: int) -> None:
        frame = client.last_frame_time
        if blocks and frame == blocks[-1]:
            return  # it came so late to the last block that it already read this one
        blocks.append(frame)
        for offset, data in source.incoming_midi_events():
            events.append([frame + offset, *bytes(data)])

    with client:
        client.connect(_matching(client, regex, is_output=True, is_midi=True), source)
        _ready()
        with open(path, "w", encoding="utf-8") as file:
            json.dump({"events": list(events), "blocks": list(blocks)}, file)
        print("saved", flush=True)
        sys.stdin.read()


def framelog(client: jack.Client, regex: str, path: str) -> None:
    source = client.inports.register("in")
    blocks: list[tuple[int, np.ndarray]] = []

    @client.set_process_callback
    def process(count: int) -> None:
        blocks.append((client.last_frame_time, source.get_array().copy()))

    with client:
        client.connect(_matching(client, regex, is_output=True, is_audio=True), source)
        _ready()
        kept = list(blocks)
        np.savez(path, frames=np.array([frame for frame, _ in kept]), sound=np.concatenate([b for _, b in kept]))
        print("saved", flush=True)
        sys.stdin.read()


def notelog(client: jack.Client, name: str, audio: str, path: str) -> None:
    """The parts' MIDI and an output's sound, by the server's frames, heard in the same cycles."""
    parts = ("drums", "bass", "keys")
    sources = [client.midi_inports.register(part) for part in parts]
    sound = client.inports.register("in")
    events: list[list[int]] = []
    blocks: list[tuple[int, np.ndarray]] = []

    @client.set_process_callback
    def process(count: int) -> None:
        frame = client.last_frame_time
        if blocks and frame == blocks[-1][0]:
            return
        blocks.append((frame, sound.get_array().copy()))
        for row, source in enumerate(sources):
            for offset, data in source.incoming_midi_events():
                events.append([frame + offset, row, *bytes(data)])

    with client:
        client.connect(_matching(client, f"{name}:{audio}", is_output=True, is_audio=True), sound)
        for part, source in zip(parts, sources, strict=True):
            client.connect(_matching(client, f"{name}:{part}_midi", is_output=True, is_midi=True), source)
        _ready()
        kept, heard = list(blocks), list(events)
        frames, pieces = np.array([frame for frame, _ in kept]), np.stack([piece for _, piece in kept])
        np.savez(path, frames=frames, sound=pieces, events=json.dumps(heard))
        print("saved", flush=True)
        sys.stdin.read()


def device(client: jack.Client, name: str) -> None:
    client.midi_outports.register(f"{name}_out", is_physical=True, is_terminal=True)
    client.midi_inports.register(f"{name}_in", is_physical=True, is_terminal=True)
    with client:
        _ready()
        sys.stdin.read()


def follow(client: jack.Client, regex: str) -> None:
    source = client.midi_inports.register("midi_in")
    with client:
        client.connect(_matching(client, regex, is_output=True, is_midi=True), source)
        _ready()
        sys.stdin.read()


def clock(client: jack.Client) -> None:
    with client:
        print("ready", flush=True)
        for _ in sys.stdin:
            print(client.frame_time, flush=True)


def timebase(client: jack.Client, bpm: str) -> None:
    @client.set_timebase_callback
    def count(state: int, frames: int, position: object, new: bool) -> None:
        beat = position.frame / position.frame_rate * float(bpm) / 60.0
        whole = int(beat)
        position.valid = 0x10
        position.bar, position.beat = whole // 4 + 1, whole % 4 + 1
        position.tick = int((beat - whole) * 1920)
        position.bar_start_tick = whole // 4 * 4 * 1920.0
        position.beats_per_bar, position.beat_type = 4.0, 4.0
        position.ticks_per_beat, position.beats_per_minute = 1920.0, float(bpm)

    with client:
        client.transport_locate(0)
        client.transport_start()
        _ready()
        print("rolls", flush=True)
        sys.stdin.read()
        client.transport_stop()


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
