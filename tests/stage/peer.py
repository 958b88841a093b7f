"""JACK clients for the stage tests, each in a process of its own: one plays a WAV round and round, one records.

python peer.py play REGEX FILE      until stdin closes
python peer.py record REGEX FILE    until stdin closes, then a WAV is written
"""

from __future__ import annotations

import sys

import jack
import numpy as np
import soundfile


def play(client: jack.Client, regex: str, path: str) -> None:
    """Send the file, looped, into the input port that matches; it must have the server's rate."""
    sound, rate_hz = soundfile.read(path, dtype="float32")
    if rate_hz != client.samplerate:
        sys.exit(f"{path} has {rate_hz} Hz, the server {client.samplerate}")
    out = client.outports.register("out")
    state = {"at": 0}

    @client.set_process_callback
    def process(frames: int) -> None:
        out.get_array()[:] = np.take(sound, range(state["at"], state["at"] + frames), mode="wrap")
        state["at"] = (state["at"] + frames) % len(sound)

    with client:
        client.connect(out, client.get_ports(regex, is_input=True, is_audio=True)[0])
        print("ready", flush=True)
        sys.stdin.read()


def record(client: jack.Client, regex: str, path: str) -> None:
    """Keep what the output port that matches says; blocks that Python came too late for are not made up."""
    source = client.inports.register("in")
    rate_hz = client.samplerate
    blocks: list[np.ndarray] = []

    @client.set_process_callback
    def process(frames: int) -> None:
        blocks.append(source.get_array().copy())

    with client:
        client.connect(client.get_ports(regex, is_output=True, is_audio=True)[0], source)
        print("ready", flush=True)
        sys.stdin.read()
    soundfile.write(path, np.concatenate(blocks), rate_hz, subtype="FLOAT")


if __name__ == "__main__":
    {"play": play, "record": record}[sys.argv[1]](jack.Client(f"peer-{sys.argv[1]}"), *sys.argv[2:])
