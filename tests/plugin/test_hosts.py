"""The plug-in in hosts of other people: its description is valid, jalv plays it on JACK, lv2apply bounces with it."""

from __future__ import annotations

import os
import shutil
import subprocess
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import soundfile
from gigmate.plugin.bundle import URI, build

from ..conftest import IN_CI, JackServer
from .plugin_host import engine_command


def need(program: str) -> str:
    found = shutil.which(program)
    if found is None:
        if IN_CI:
            pytest.fail(f"{program} must be there in CI: apt install jalv lilv-utils sordi")
        pytest.skip(f"no {program} here: apt install jalv lilv-utils sordi")
    return found


@pytest.fixture
def hosted(tmp_path: Path) -> dict[str, str]:
    """The environment of a host that finds the plug-in, with an engine that claps on the beat."""
    build(tmp_path / "lv2", str(engine_command(tmp_path, "clicker")))
    path = f"{tmp_path / 'lv2'}:/usr/lib/lv2"
    return {**os.environ, "LV2_PATH": path, "GIGMATE_COMMAND": str(engine_command(tmp_path, "clicker"))}


def test_the_description_is_valid(tmp_path: Path) -> None:
    bundle = build(tmp_path, str(engine_command(tmp_path, "clicker")))
    known = [str(path) for path in Path("/usr/lib/lv2").glob("*.lv2/*.ttl") if "urn_ardour" not in str(path)]
    told = [need("sord_validate"), *known, *(str(path) for path in bundle.glob("*.ttl"))]
    done = subprocess.run(told, capture_output=True, text=True, timeout=60, check=False)
    ours = [line for line in (done.stdout + done.stderr).splitlines() if "gigmate" in line]
    assert not ours, done.stdout + done.stderr


def test_lilv_finds_ports_and_parameters(hosted: dict[str, str]) -> None:
    done = subprocess.run([need("lv2info"), URI], capture_output=True, text=True, timeout=60, env=hosted, check=True)
    assert "Has latency:       yes" in done.stdout
    assert done.stdout.count("lv2core#AudioPort") == 10
    assert "Symbol:      drums_mute" in done.stdout and "bossa_nova" in done.stdout


def test_lv2apply_bounces_the_same_twice(hosted: dict[str, str], tmp_path: Path) -> None:
    hosted["GIGMATE_COMMAND"] = str(engine_command(tmp_path, "improviser"))
    lead = tmp_path / "lead.wav"
    sound = np.random.default_rng(1).standard_normal((96_000, 2)) * 0.1
    soundfile.write(lead, sound, 48_000)
    takes = []
    for name in ("one.wav", "two.wav"):
        told = [need("lv2apply"), "-i", str(lead), "-o", str(tmp_path / name), "-c", "offline", "1", URI]
        subprocess.run(told, timeout=100, env=hosted, check=True, capture_output=True)
        takes.append(soundfile.read(tmp_path / name)[0])
    assert takes[0].shape == (96_000, 8)
    assert np.array_equal(*takes)


@pytest.mark.jack
def test_jalv_plays_it_on_jack(start_jack: Callable[..., JackServer], hosted: dict[str, str]) -> None:
    server = start_jack(block_samples=64)
    environment = {**hosted, **server.environment, "LV2_PATH": hosted["LV2_PATH"]}
    environment["GIGMATE_COMMAND"] = hosted["GIGMATE_COMMAND"]
    host = subprocess.Popen(
        [need("jalv"), "-p", "-n", "band", URI],
        env=environment,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    try:
        assert host.stdout is not None and host.stdin is not None
        said = ""
        end_s = time.monotonic() + 60
        while "the band is ready" not in said and time.monotonic() < end_s:
            said += host.stdout.readline()
        assert "the band is ready" in said, said
        ports = subprocess.run(["jack_lsp"], env=environment, capture_output=True, text=True, timeout=20, check=True)
        names = {f"band:{name}" for name in ("in_left", "main_left", "keys_right", "events_in", "events_out")}
        assert names <= set(ports.stdout.split())
    finally:
        host.terminate()
        said += host.communicate(timeout=20)[0]
    assert "ended" not in said
