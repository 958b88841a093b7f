"""Foreign bytes against every parser of ours: damaged copies of good files, and chance. Each is read, or is one line.

Presets, set lists, charts, bindings and OSC have such tests of their own (tests/presets,
tests/engine/charts/test_chart.py, tests/control). Bounded in time by the number of examples.
"""

from __future__ import annotations

import json
import struct
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import soundfile
from gigmate.cli.service import stream_messages
from gigmate.cli.sound_files import Recording
from gigmate.engine.errors import EngineError
from gigmate.engine.gestures import Gestures
from gigmate.engine.hand import PartHand, all_parts
from gigmate.engine.output.growing_wav import complete_header
from gigmate.engine.player import Controls, HeardFrame, Moment
from gigmate.engine.ports.file import Source
from gigmate.latency.calibration import (
    CalibrationError,
    SignalPath,
    load_calibration,
    save_calibration,
)
from gigmate.model import checkpoint
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

bounded = settings(
    deadline=None, max_examples=30, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow]
)
damages = st.lists(
    st.tuples(
        st.sampled_from(["set", "cut", "insert", "repeat"]),
        st.floats(0, 1, allow_subnormal=False),
        st.binary(min_size=1, max_size=9),
    ),
    min_size=1,
    max_size=5,
)


def damaged(good: bytes, how: list[tuple[str, float, bytes]]) -> bytes:
    """A copy with bytes changed, cut off, put in or repeated. Half of the places lie in the first 300 bytes."""
    data = bytearray(good)
    for what, where, more in how:
        place = int(2 * where * min(300, len(data))) if where < 0.5 else int(where * len(data))
        if what == "set":
            data[place : place + len(more)] = more
        elif what == "cut":
            del data[place:]
        elif what == "insert":
            data[place:place] = more
        else:
            data[place:place] = data[place : place + 64]
    return bytes(data)


def one_line(error: Exception) -> None:
    assert str(error)
    assert "\n" not in str(error)


# ----------------------------------------------------------------------------------------------------- weights


@pytest.mark.parametrize("kind", checkpoint.KINDS)
@bounded
@given(how=damages)
def test_damaged_weights_are_refused_or_sound(kind: str, how: Any, tiny_weights: Path, tmp_path: Path) -> None:
    good = (tiny_weights / f"{kind}.safetensors").read_bytes()
    file = tmp_path / "w.safetensors"
    file.write_bytes(damaged(good, how))
    try:
        model, header = checkpoint.load(file, kind)
    except checkpoint.CheckpointError as error:
        one_line(error)
        assert str(file) in str(error)
    else:
        assert header["kind"] == kind
        assert all(bool(value.isfinite().all()) for value in model.state_dict().values() if value.is_floating_point())


@bounded
@given(text=st.one_of(st.text(max_size=40), st.recursive(
    st.none() | st.booleans() | st.integers(-(2**70), 2**70) | st.floats(allow_subnormal=False) | st.text(max_size=6),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(
        st.sampled_from(["version", "kind", "config", "notes", "dilations", "styles", "parts", "codebooks"]), inner),
    max_leaves=8).map(json.dumps)))  # fmt: skip
def test_any_header_of_weights_is_read_or_one_line(text: str, tmp_path: Path) -> None:
    file = tmp_path / "w.safetensors"
    body = json.dumps({"__metadata__": {"gigmate": text}}).encode()
    file.write_bytes(struct.pack("<Q", len(body)) + body)
    for kind in checkpoint.KINDS:
        with pytest.raises(checkpoint.CheckpointError) as caught:
            checkpoint.load(file, kind)
        one_line(caught.value)


@pytest.mark.parametrize("config", [
    {"codebooks": 10**9}, {"latent": -1}, {"fine_channels": 0}, {"entries": "many"}, {"coarse_blocks": None}, [], None,
])  # fmt: skip
def test_a_config_that_no_model_can_have_is_one_line(config: Any, tiny_weights: Path, tmp_path: Path) -> None:
    from safetensors import safe_open
    from safetensors.torch import save_file

    source, file = tiny_weights / "codec.safetensors", tmp_path / "codec.safetensors"
    with safe_open(source, framework="pt") as opened:
        header = json.loads(opened.metadata()["gigmate"])
        state = {name: opened.get_tensor(name) for name in opened.keys()}  # noqa: SIM118 - not a dict
    header["config"] = {**header["config"], **config} if isinstance(config, dict) else config
    save_file(state, file, metadata={"gigmate": json.dumps(header)})
    with pytest.raises(checkpoint.CheckpointError) as caught:
        checkpoint.load(file, "codec")
    one_line(caught.value)


@pytest.mark.parametrize(("kind", "config"), [
    ("generator", {"window_frames": 0}), ("generator", {"window_frames": 10**12}), ("generator", {"heads": 0}),
    ("generator", {"heads": 3}), ("generator", {"size": 17}), ("generator", {"depth_heads": -2}),
    ("generator", {"frame_rate_hz": 0.0}), ("generator", {"frame_rate_hz": "x"}), ("generator", {"parts": ["x"] * 9}),
    ("generator", {"layers": 99}), ("generator", {"hidden": 2**40}), ("generator", {"styles": 5}),
    ("listener", {"dilations": [0, 0]}), ("listener", {"dilations": [2**33, 1]}), ("listener", {"kernel": 2}),
    ("listener", {"expand": 1.5}), ("voice", {"parts": ["bass"] * 30}), ("voice", {"harmonics": 10**6}),
    ("voice", {"sub_frames": 3}), ("codec", {"hop": 0}), ("codec", {"coarse_blocks": 17}), ("codec", {"sub_frames": 5}),
])  # fmt: skip
def test_a_config_that_the_step_in_c_cannot_have_never_reaches_it(
    kind: str, config: dict[str, Any], tiny_weights: Path, tmp_path: Path
) -> None:
    """Sizes become addresses there, so none is believed that was not looked at."""
    from gigmate.model.native.packing import UnknownShape, packed_band
    from gigmate.model.native.stream import NativeBand
    from safetensors import safe_open
    from safetensors.torch import save_file

    for path in tiny_weights.iterdir():
        (tmp_path / path.name).write_bytes(path.read_bytes())
    file = tmp_path / f"{kind}.safetensors"
    with safe_open(file, framework="pt") as opened:
        header = json.loads(opened.metadata()["gigmate"])
        state = {name: opened.get_tensor(name) for name in opened.keys()}  # noqa: SIM118 - not a dict
    packed_band(tmp_path)
    header["config"].update(config)
    save_file(state, file, metadata={"gigmate": json.dumps(header)})
    with pytest.raises(UnknownShape):
        NativeBand(tmp_path)


# ------------------------------------------------------------------------------------------------- calibration

SIGNAL_PATH = SignalPath("jack", "system", "system", 48_000, 128)


@bounded
@given(how=damages)
def test_damaged_calibration_is_used_or_one_line(how: Any, tmp_path: Path) -> None:
    file = tmp_path / "latency.json"
    file.unlink(missing_ok=True)
    save_calibration(SIGNAL_PATH, 1234.5, 0.9, "probe", file)
    file.write_bytes(damaged(file.read_bytes(), how))
    try:
        found = load_calibration(SIGNAL_PATH, file)
    except CalibrationError as error:
        one_line(error)
    else:
        assert found is None or 0 <= found.round_trip_samples < 2**24
    save_calibration(SIGNAL_PATH, 99.0, 0.9, "probe", file)
    again = load_calibration(SIGNAL_PATH, file)
    assert again is not None
    assert again.round_trip_samples == 99.0, "and it can be measured again, whatever was there"


# -------------------------------------------------------------------------------------------------- recordings

FORMS: dict[str, tuple[str, str, str]] = {
    "wav": ("WAV", "PCM_16", "x.wav"),
    "wav float": ("WAV", "FLOAT", "x.wav"),
    "flac": ("FLAC", "PCM_16", "x.flac"),
    "ogg": ("OGG", "VORBIS", "x.ogg"),
}


@pytest.mark.parametrize("form", FORMS)
@settings(bounded, max_examples=25)
@given(how=damages)
def test_a_damaged_recording_is_read_as_far_as_it_goes_or_is_one_line(form: str, how: Any, tmp_path: Path) -> None:
    kind, subtype, name = FORMS[form]
    good, file = tmp_path / f"good-{name}", tmp_path / name
    if not good.exists():
        sound = 0.1 * np.sin(np.arange(4000) / 9.0)
        soundfile.write(good, np.stack([sound, -sound], axis=1), 44_100, subtype, format=kind)
    file.write_bytes(damaged(good.read_bytes(), how))
    try:
        recording = Recording(file, most_s=60.0)
        try:
            total = 0
            for block in recording.blocks():
                assert np.isfinite(block).all()
                total += len(block)
            assert total <= 60 * recording.rate_hz + recording.rate_hz
        finally:
            recording.close()
    except EngineError as error:
        one_line(error)
    try:
        source = Source(str(file), (1,), 48_000)
        try:
            for _ in range(40):
                if source.read(4096).shape[1] == 0:
                    break
        finally:
            source.close()
    except EngineError as error:
        one_line(error)


@bounded
@given(data=st.one_of(st.binary(max_size=200), damages.map(lambda how: damaged(b"RIFF\0\0\0\0WAVEdata" * 3, how))))
def test_completing_a_header_never_harms_what_it_cannot_read(data: bytes, tmp_path: Path) -> None:
    file = tmp_path / "x.wav"
    file.write_bytes(data)
    complete_header(file)
    assert len(file.read_bytes()) == len(data)
    if data[:4] != b"RIFF":
        assert file.read_bytes() == data


# ----------------------------------------------------------------------------------------- what the network says

ASKED = PartHand(hit_at=0.5, voices=("kick", "crash"), busier=0.1, level_db=-3.0, keep_out=(60, 72))
MOMENT, CONTROLS = Moment(0.2, 0.3, 120.0, 4, 0.9), Controls(hand=all_parts(ASKED))
READERS: dict[str, tuple[bytes, Callable[[bytes], object]]] = {
    "block": (
        stream_messages.pack_block(1, 2, np.zeros(64, np.float32)),
        lambda data: stream_messages.unpack_block(data, 2),
    ),
    "call": (stream_messages.pack_call(stream_messages.PLAY, 7, b"body"), stream_messages.unpack_call),
    "sound": (
        stream_messages.pack_sound(np.zeros((3, 8), np.float32)),
        lambda data: stream_messages.unpack_sound(data, 3, 8),
    ),
    "ask": (stream_messages.pack_ask(MOMENT, CONTROLS), stream_messages.unpack_ask),
    "heard": (stream_messages.pack_heard(HeardFrame()), lambda data: stream_messages.unpack_heard(data, 10)),
    "json": (b'{"type": "hello", "rate_hz": 48000}', lambda data: stream_messages.read_json(data.decode("latin-1"))),
}


@pytest.mark.parametrize("name", READERS)
@settings(bounded, max_examples=150)
@given(how=damages, chance=st.binary(max_size=120))
def test_damaged_frames_of_the_network_are_understood_or_one_line(name: str, how: Any, chance: bytes) -> None:
    good, read = READERS[name]
    for data in (damaged(good, how), chance):
        try:
            read(data)
        except stream_messages.WireError as error:
            one_line(error)


# -------------------------------------------------------------------------------------------------------- MIDI


@settings(bounded, max_examples=100)
@given(events=st.lists(st.tuples(st.integers(0, 10**9), *(st.integers(0, 255) for _ in range(3))), max_size=60))
def test_any_midi_is_a_command_or_nothing(events: list[tuple[int, int, int, int]]) -> None:
    from gigmate.engine.gestures import BindingTable

    gestures = Gestures(BindingTable(), 48_000)
    assert gestures.commands_of(sorted(events)) == []
