"""A foot and an ear on JACK, each a process: what they do and hear is told by the server's own count of samples.

python pedal_peer.py foot REGEX   each line of stdin is an offset: CC64 is pressed there in the next block, and let go
                                  ten blocks later; prints the sample
python pedal_peer.py ear REGEX    each line of stdin: prints, as JSON, the samples at which sound began and ended since
                                  the last one, and how many blocks were lost meanwhile
"""

from __future__ import annotations

import json
import sys
import threading

import jack
import numpy as np


def _other(client: jack.Client, regex: str, **kind: bool) -> jack.Port:
    (port,) = client.get_ports(regex, **kind)
    return port


def foot(client: jack.Client, regex: str) -> None:
    out = client.midi_outports.register("out")
    state = {"offset": -1, "pressed": -1, "release": -1}
    done = threading.Event()

    @client.set_process_callback
    def process(frames: int) -> None:
        out.clear_buffer()
        if state["offset"] >= 0:
            out.write_midi_event(state["offset"], bytes([0xB0, 64, 127]))
            state.update(pressed=client.last_frame_time + state["offset"], offset=-1, release=10)
            done.set()
        elif state["release"] >= 0:
            if state["release"] == 0:
                out.write_midi_event(0, bytes([0xB0, 64, 0]))
            state["release"] -= 1

    with client:
        client.connect(out, _other(client, regex, is_input=True, is_midi=True))
        print("ready", flush=True)
        for line in sys.stdin:
            done.clear()
            state["offset"] = int(line)
            done.wait(30)
            print(state["pressed"], flush=True)


def ear(client: jack.Client, regex: str) -> None:
    source = client.inports.register("in")
    heard = {"sounding": False, "next": -1, "lost": 0}
    changes: list[tuple[int, bool]] = []

    @client.set_process_callback
    def process(frames: int) -> None:
        begin = client.last_frame_time
        heard["lost"] += heard["next"] not in (-1, begin)
        heard["next"] = begin + frames
        sounds = np.abs(source.get_array()) > 1e-6
        edges = np.flatnonzero(np.diff(sounds.astype(np.int8), prepend=np.int8(heard["sounding"])))
        for place in edges:
            changes.append((begin + int(place), bool(sounds[place])))
        heard["sounding"] = bool(sounds[-1])

    with client:
        client.connect(_other(client, regex, is_output=True, is_audio=True), source)
        print("ready", flush=True)
        for _ in sys.stdin:
            found, lost = list(changes), heard["lost"]
            del changes[: len(found)]
            heard["lost"] -= lost
            print(json.dumps({"changes": found, "lost": lost}), flush=True)


if __name__ == "__main__":
    {"foot": foot, "ear": ear}[sys.argv[1]](jack.Client(f"peer-{sys.argv[1]}", no_start_server=True), sys.argv[2])
