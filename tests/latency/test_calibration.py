"""Saved round trips: found again for the same way alone, and a file that is no use is an error in one line."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from gigmate.latency.calibration import (
    FOLDER_VARIABLE,
    CalibrationError,
    SignalPath,
    calibration_file,
    load_calibration,
    save_calibration,
    signal_path_of,
)

SIGNAL_PATH = signal_path_of("jack", ["system:playback_3", "system:playback_4"], ["system:capture_1"], 48_000, 128)


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv(FOLDER_VARIABLE, str(tmp_path / "made" / "config"))
    return tmp_path / "made" / "config"


def test_what_was_saved_is_found_for_the_same_way_alone(folder: Path) -> None:
    assert load_calibration(SIGNAL_PATH) is None
    path = save_calibration(SIGNAL_PATH, 384.25, 0.99, "tones")
    assert path == calibration_file() == folder / "latency.json"
    found = load_calibration(SIGNAL_PATH)
    assert found is not None
    assert (found.round_trip_samples, found.confidence, found.method) == (384.25, 0.99, "tones")
    assert len(found.day) == 10
    others = [
        SignalPath("portaudio", SIGNAL_PATH.source, SIGNAL_PATH.target, 48_000, 128),
        SignalPath("jack", "loopback", SIGNAL_PATH.target, 48_000, 128),
        SignalPath("jack", SIGNAL_PATH.source, SIGNAL_PATH.target, 44_100, 128),
        SignalPath("jack", SIGNAL_PATH.source, SIGNAL_PATH.target, 48_000, 256),
        signal_path_of("jack", ["system:playback_3"], ["system:capture_1"], 48_000, 128, server="studio"),
    ]
    assert [load_calibration(other) for other in others] == [None] * len(others)
    save_calibration(others[0], 10.0, 1.0, "burst")
    save_calibration(SIGNAL_PATH, 385.0, 1.0, "burst")
    again = load_calibration(SIGNAL_PATH)
    assert again is not None
    assert again.round_trip_samples == 385.0
    assert [path.name for path in folder.iterdir()] == ["latency.json"], "no scraps"


def test_a_device_counts_and_not_its_channel() -> None:
    assert signal_path_of("portaudio", ["HDA: ALC (hw:0,0):2"], ["HDA: ALC (hw:0,0):1"], 44_100, 64) == SignalPath(
        "portaudio", "HDA: ALC (hw:0,0)", "HDA: ALC (hw:0,0)", 44_100, 64
    )
    assert signal_path_of("jack", [], [], 48_000, 64).text == "jack none at 48000 Hz, block 64"


@pytest.mark.parametrize(
    "content",
    [
        "",
        '{"format": "gigmate latency", "version": 1, "ways": {"a',
        "[1, 2]",
        '{"format": "something else"}',
        '{"format": "gigmate latency", "version": 99, "ways": {}}',
        '{"format": "gigmate latency", "version": 1, "ways": 5}',
        json.dumps({"format": "gigmate latency", "version": 1, "ways": {SIGNAL_PATH.key: 7}}),
        json.dumps({"format": "gigmate latency", "version": 1, "ways": {SIGNAL_PATH.key: {"round_trip_samples": "x"}}}),
        json.dumps(
            {
                "format": "gigmate latency",
                "version": 1,
                "ways": {SIGNAL_PATH.key: {"round_trip_samples": float("nan"), "measured_at": ""}},
            }
        ),
    ],
)
def test_a_file_that_is_no_use_is_one_line_and_can_be_begun_anew(folder: Path, content: str) -> None:
    folder.mkdir(parents=True)
    (folder / "latency.json").write_text(content)
    with pytest.raises(CalibrationError, match="is not used") as caught:
        load_calibration(SIGNAL_PATH)
    assert "\n" not in str(caught.value)
    save_calibration(SIGNAL_PATH, 100.0, 1.0, "tones")
    found = load_calibration(SIGNAL_PATH)
    assert found is not None
    assert found.round_trip_samples == 100.0


def test_binary_rubbish_and_a_folder_in_its_place(folder: Path) -> None:
    folder.mkdir(parents=True)
    (folder / "latency.json").write_bytes(b"\xff\x00\xfe")
    with pytest.raises(CalibrationError, match="damaged"):
        load_calibration(SIGNAL_PATH)
    (folder / "latency.json").unlink()
    (folder / "latency.json").mkdir()
    with pytest.raises(CalibrationError):
        load_calibration(SIGNAL_PATH)


def test_where_nothing_can_be_written(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "file").write_text("")
    monkeypatch.setenv(FOLDER_VARIABLE, str(tmp_path / "file" / "below"))
    with pytest.raises(CalibrationError, match=FOLDER_VARIABLE):
        save_calibration(SIGNAL_PATH, 1.0, 1.0, "tones")
    with pytest.raises(ValueError, match="no round trip"):
        save_calibration(SIGNAL_PATH, float("nan"), 1.0, "tones")
