"""Which recordings of others `gigmate eval sound` plays to, and what is said of a folder that cannot be."""

from __future__ import annotations

from pathlib import Path

import pytest
from gigmate.cli.eval.sound_takes import TEN_STYLES, Takes, leads_of
from gigmate.engine.errors import ConfigError


def test_recordings_come_evenly_from_odd_places_each_in_another_style(tmp_path: Path) -> None:
    for number in range(24):
        (tmp_path / f"{number:02}.lead.wav").touch()
        (tmp_path / f"{number:02}.bass.wav").touch()
    found = leads_of(tmp_path, 4)
    assert [lead.name for lead, _ in found] == [f"{number:02}.lead.wav" for number in (1, 7, 13, 19)]
    assert [style for _, style in found] == list(TEN_STYLES[:4])
    assert len(leads_of(tmp_path, 12)) == 12
    with pytest.raises(ConfigError, match=r"holds 12 .* and 13 are asked for"):
        leads_of(tmp_path, 13)


def test_a_recording_that_cannot_be_read_is_said_in_one_line(tmp_path: Path, tiny_weights: Path) -> None:
    (tmp_path / "a.lead.wav").write_bytes(b"no sound")
    with pytest.raises(ConfigError, match=r"a\.lead\.wav: cannot be read") as caught:
        Takes(tmp_path / "takes", tiny_weights, 15.0).on(tmp_path / "a.lead.wav", "rock")
    assert "\n" not in str(caught.value)
