"""What a part may sound with, by name and number."""

from __future__ import annotations

import pytest
from gigmate.engine.errors import ConfigError
from gigmate.engine.part_sounds import PROGRAM_NAMES, ROUNDS, part_sound, sounds_of
from gigmate.engine.player import PARTS


@pytest.mark.parametrize(
    ("part", "wanted", "program"),
    [
        ("drums", "kit 1", 0),
        ("drums", "Jazz", 32),
        ("drums", 26, 25),
        ("bass", "finger bass", 33),
        ("bass", "34", 33),
        ("bass", "upright bass", 32),
        ("keys", "rhodes", 4),
        ("keys", "Drawbar-Organ", 16),
        ("keys", "program 1", 0),
        ("keys", "neural", -1),
        ("keys", "instruments", -1),
    ],
)
def test_names_and_numbers_as_musicians_write_them(part: str, wanted: object, program: int) -> None:
    assert part_sound(part, wanted).program == program


@pytest.mark.parametrize(
    ("part", "wanted", "said"),
    [
        ("keys", "pianno", "did you mean piano"),
        ("keys", "org", "fits several: drawbar organ"),
        ("keys", 0, "counted from 1 to 128"),
        ("keys", 129, "counted from 1 to 128"),
        ("keys", "", "give neural, instruments"),
        ("keys", True, "give neural, instruments"),
        ("keys", "x" * 100_000, "give neural, instruments"),
        ("keys", ["a"], "give neural, instruments"),
        ("choir", "neural", "there is no part 'choir'"),
    ],
)
def test_what_is_no_sound_is_one_line_with_what_to_write(part: str, wanted: object, said: str) -> None:
    with pytest.raises(ConfigError, match=said) as caught:
        part_sound(part, wanted)
    assert len(str(caught.value)) < 250 and "\n" not in str(caught.value)


def test_every_name_means_itself_and_every_round_exists() -> None:
    assert len(set(PROGRAM_NAMES)) == 128
    for program, name in enumerate(PROGRAM_NAMES):
        assert part_sound("keys", name).program == program
    for part in PARTS:
        for name in ROUNDS[part]:
            sound = part_sound(part, name)
            assert sound.name == name
            assert part_sound(part, sound.name) == sound


def test_the_option_takes_one_word_or_parts() -> None:
    assert {sound.name for sound in sounds_of("neural").values()} == {"neural"}
    assert list(sounds_of("instruments")) == list(PARTS)
    assert {part: sound.name for part, sound in sounds_of("keys=rhodes, drums=kit 1").items()} == {
        "keys": "electric piano 1",
        "drums": "standard kit",
    }
    for wrong in ("rhodes", "keys=", "choir=neural", "keys=rhodes,", ""):
        with pytest.raises(ConfigError):
            sounds_of(wrong)
