"""A synth on the same server: FluidSynth as a JACK client, whose sound is recorded beside ours."""

from __future__ import annotations

import ctypes
import math
import os
import shutil
import subprocess
import time
from collections.abc import Callable, Iterator
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from gigmate.engine.ports import open_port
from gigmate.engine.run.live_engine import Engine
from gigmate.engine.timing.conductor import GridConductor

from ..fakes import wait_until
from ..note_fakes import Trio
from .peers import Peer, config_for

FONT = Path("/usr/share/sounds/sf2/FluidR3_GM.sf2")
IN_CI = os.environ.get("CI", "").lower() in ("1", "true", "yes")
pytestmark = [
    pytest.mark.jack,
    pytest.mark.timeout(300),
    pytest.mark.skipif(
        not IN_CI and (shutil.which("fluidsynth") is None or not FONT.exists()),
        reason="no FluidSynth here: apt install fluidsynth fluid-soundfont-gm",
    ),
]
RATE_HZ, BLOCK = 48_000, 32
LATENCY_MS = 120.0
GAIN = 0.6
_LEAST_PAIRS = 5
_TRIES = 12
_KICK, _VELOCITY = 36, 100


@cache
def own_rise() -> int:
    """From a message to where FluidSynth's kick exceeds a fifth of its peak, in samples: asked of its library."""
    library = ctypes.CDLL("libfluidsynth.so.3")
    library.new_fluid_settings.restype = library.new_fluid_synth.restype = ctypes.c_void_p
    settings = ctypes.c_void_p(library.new_fluid_settings())
    for name, value in ((b"synth.sample-rate", float(RATE_HZ)), (b"synth.gain", GAIN)):
        library.fluid_settings_setnum(settings, name, ctypes.c_double(value))
    for name in (b"synth.reverb.active", b"synth.chorus.active"):
        library.fluid_settings_setint(settings, name, 0)
    synth = ctypes.c_void_p(library.new_fluid_synth(settings))
    library.fluid_synth_sfload(synth, str(FONT).encode(), 1)
    left, right = (np.zeros(RATE_HZ, np.float32) for _ in range(2))
    into = [ctypes.c_void_p(left.ctypes.data), 0, 1, ctypes.c_void_p(right.ctypes.data), 0, 1]
    library.fluid_synth_noteon(synth, 9, _KICK, _VELOCITY)
    library.fluid_synth_write_float(synth, RATE_HZ, *into)
    library.delete_fluid_synth(synth)
    library.delete_fluid_settings(settings)
    return rise_of(left)


def rise_of(sound: np.ndarray) -> int:
    return int(np.flatnonzero(np.abs(sound) > 0.2 * np.abs(sound).max())[0])


def impulses(sound: np.ndarray) -> np.ndarray:
    """Peaks of our own sound: nothing of a kick is as sharp."""
    bend = np.abs(np.diff(sound, 2))
    sharp = np.flatnonzero(bend > 0.5 * bend.max())
    first = sharp[np.diff(sharp, prepend=-RATE_HZ) > RATE_HZ // 8]
    return np.array([at + int(np.argmax(np.abs(sound[at : at + 16]))) for at in first])


@pytest.fixture
def synth(start_jack: Callable[..., Any]) -> Iterator[Any]:
    server = start_jack(rate_hz=RATE_HZ, block_samples=BLOCK)
    command = [
        "fluidsynth",
        "-si",
        "-a",
        "jack",
        "-m",
        "jack",
        "-R",
        "0",
        "-C",
        "0",
        "-g",
        str(GAIN),
        "-r",
        str(RATE_HZ),
    ]
    for setting in ("audio.jack.id=fluid", "midi.jack.id=fluid", f"audio.jack.server={server.name}"):
        command += ["-o", setting]
    command += ["-o", f"midi.jack.server={server.name}", "-o", "synth.polyphony=32", str(FONT)]
    process = subprocess.Popen(
        command, env=server.environment, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    )
    yield server
    process.terminate()
    process.wait(timeout=10)


def test_a_synth_whose_latency_is_declared_sounds_that_much_before_the_bands_own_sound(
    synth: Any, peer: Callable[..., Peer], tmp_path: Path
) -> None:
    """Within 1 ms, although FluidSynth begins what comes only with its own blocks of 64 samples."""
    config = config_for(
        synth, client_name="gm", start_playing=True, wait_for_musician=False, midi_latency_ms=LATENCY_MS
    )
    port = open_port(config)
    with Engine(config, Trio(), GridConductor(97, 4, port.rate_hz), port) as engine:
        engine.start()
        client = port._client  # type: ignore[attr-defined]
        assert wait_until(lambda: len(client.get_ports("fluid.*", is_midi=True, is_input=True)) == 1)
        assert wait_until(lambda: len(client.get_ports("fluid.*", is_audio=True, is_output=True)) == 2)
        left = client.get_ports("fluid.*", is_audio=True, is_output=True)[0].name
        client.connect("gm:drums_midi", client.get_ports("fluid.*", is_midi=True, is_input=True)[0])
        time.sleep(1.0)
        for _ in range(_TRIES):
            tape = peer(synth.environment, "sound_tape.py", tmp_path / "tape.npz", "gm:output_3", left)
            assert tape.line() == "ready"
            time.sleep(5.0)
            assert tape.go() == "saved"
            tape.end()
            taped = np.load(tmp_path / "tape.npz")
            near = np.abs(off_by_ms(taped["sound"])) <= 1.0
            # Where the machine lost samples between a kick and our own sound of it, the pair says nothing.
            if near.sum() >= _LEAST_PAIRS and (near.all() or (int(taped["lost"]) > 0 and near.mean() > 0.5)):
                break
        else:
            pytest.fail(f"pairs within 1 ms in the last of {_TRIES} recordings: {near.tolist()}, {taped['lost']} lost")


def off_by_ms(sound: np.ndarray) -> np.ndarray:
    """How much later than declared each kick comes before our own sound of it, in ms."""
    early, rise = round(LATENCY_MS * RATE_HZ / 1000), own_rise()
    windows = [sound[at - early - 480 : at - 480] for at in impulses(sound) if at > early + 480]
    return 1000.0 / RATE_HZ * np.array([rise_of(one) - 480 - rise if one.any() else math.inf for one in windows])
