"""Levels by preset and by hand: what the musician turned down or muted stays so, whatever comes after it."""

from __future__ import annotations

import math

import pytest
from gigmate.engine.errors import ConfigError
from gigmate.engine.output.band_levels import HIGHEST_LEVEL_DB, BandLevels

OFF = -math.inf
NONE_MUTED = (False, False, False)


def levels(*presets_db: float) -> BandLevels:
    made = BandLevels()
    made.take_preset(presets_db, NONE_MUTED)
    return made


def test_an_offset_by_hand_stays_over_presets() -> None:
    band = levels(0.0, -3.0, 1.0)
    band.set_level("bass", -9.0)  # 6 dB softer than the preset has it
    assert band.levels_db == (0.0, -9.0, 1.0)
    band.take_preset((2.0, 0.0, OFF), NONE_MUTED)
    assert band.levels_db == (2.0, -6.0, OFF)
    band.set_level("bass", 0.0)  # as that preset has it: nothing by hand is left
    band.take_preset((0.0, -3.0, 1.0), NONE_MUTED)
    assert band.levels_db == (0.0, -3.0, 1.0)


def test_what_was_turned_off_stays_off_until_it_is_turned_up() -> None:
    band = levels(0.0, 0.0, 0.0)
    band.set_level("keys", OFF)
    band.take_preset((0.0, 0.0, 4.0), NONE_MUTED)
    assert band.levels_db[2] == OFF
    band.set_level("keys", 1.0)
    assert band.levels_db[2] == 1.0
    band.take_preset((0.0, 0.0, 0.0), NONE_MUTED)
    assert band.levels_db[2] == -3.0


def test_a_part_that_a_preset_has_off_can_be_let_in_and_is_off_again_in_the_next_that_has_it_off() -> None:
    band = levels(0.0, OFF, 0.0)
    band.set_level("bass", -4.0)
    assert band.levels_db[1] == -4.0
    band.take_preset((0.0, OFF, 0.0), NONE_MUTED)
    assert band.levels_db[1] == OFF
    band.take_preset((0.0, 1.0, 0.0), NONE_MUTED)
    assert band.levels_db[1] == -3.0


def test_a_mute_by_hand_stays_and_one_of_a_preset_goes_with_it() -> None:
    band = levels(0.0, 0.0, 0.0)
    band.set_muted("drums", None)
    band.take_preset((0.0, 0.0, 0.0), (False, True, False))
    assert band.muted == (True, True, False)
    band.take_preset((0.0, 0.0, 0.0), NONE_MUTED)
    assert band.muted == (True, False, False)
    assert band.mix_db == (OFF, 0.0, 0.0)
    band.set_muted("drums", None)
    band.set_muted("bass", False)  # it is not: nothing
    band.take_preset((0.0, 0.0, 0.0), (True, False, True))
    assert band.muted == (True, False, True)
    band.set_muted("keys", None)
    assert band.muted == (True, False, False)
    band.take_preset((0.0, 0.0, 0.0), (False, False, True))
    assert band.muted == (False, False, True)


def test_the_whole_band_has_a_level_of_its_own() -> None:
    band = levels(0.0, -3.0, OFF)
    band.set_band(-6.0)
    band.set_muted("drums", True)
    assert band.levels_db == (0.0, -3.0, OFF)  # what faders of parts show
    assert band.mix_db == (OFF, -9.0, OFF)
    band.take_preset((1.0, 1.0, 1.0), NONE_MUTED)
    assert band.mix_db == (OFF, -5.0, -5.0)
    band.set_band(OFF)
    assert band.mix_db == (OFF, OFF, OFF)


def test_what_cannot_be_is_said_and_changes_nothing() -> None:
    band = levels(0.0, 20.0, 0.0)
    for attempt in (
        lambda: band.set_level("flute", 0.0),
        lambda: band.set_muted("flute", True),
        lambda: band.set_level("bass", math.nan),
        lambda: band.set_level("bass", 60.0),
        lambda: band.set_band(25.0),
        lambda: band.set_band(math.nan),
    ):
        with pytest.raises(ConfigError):
            attempt()
    assert band.levels_db == (0.0, 20.0, 0.0)
    assert band.band_db == 0.0
    band.set_level("bass", 24.0)
    band.take_preset((0.0, 23.0, 0.0), NONE_MUTED)
    assert band.levels_db[1] == HIGHEST_LEVEL_DB
