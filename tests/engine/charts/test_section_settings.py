"""What a section asks of the band, as charts, presets and set lists write it: read, kept, written, and refused with its
place."""

from __future__ import annotations

from pathlib import Path

import pytest
from gigmate.engine.charts.chart import ChartError
from gigmate.engine.charts.chart_parser import parse_chart
from gigmate.engine.charts.section_settings import AS_IT_IS, NAMES, SettingError, settings_of
from gigmate.presets.setlist import SetListError, load_set
from gigmate.sheets.writers.notation import as_notation

CHART = """key: C
[Verse]
density: 0.3
mute: keys
sound: bass=neural,keys=rhodes
| C | F | x2

[Chorus x2]
level: +2, drums=-3
style: funk
feel: half
| Am | F |

[Verse]

[Chorus]
mute: nobody
| Am | G |

[End]
sound: neural
level: -4 dB
metre: 3/4
| C |
"""


def test_a_chart_says_it_below_a_section_s_name_and_a_section_that_comes_again_has_it_too() -> None:
    chart = parse_chart(CHART)
    verse, chorus, again, other, end = (section.settings for section in chart.sections)
    assert (verse.density, verse.mute, verse.feel) == (0.3, ("keys",), None)
    assert [(part, sound.name) for part, sound in verse.sound or ()] == [
        ("bass", "neural"), ("keys", "electric piano 1")
    ]  # fmt: skip
    assert (chorus.level, chorus.style, chorus.feel) == ((-1.0, 2.0, 2.0), "funk", "half")
    assert again == verse
    assert other.mute == () and other.level is None
    assert end.level == (-4.0,) * 3 and len(end.sound or ()) == 3
    assert chart.beats_of_bar(chart.bars - 1) == 3
    assert chart.transposed(2).sections == chart.sections


def test_what_is_written_reads_as_the_same() -> None:
    chart = parse_chart(CHART)
    assert parse_chart(as_notation(chart)).sections == chart.sections
    plain = parse_chart("| C | F |")
    assert plain.sections[0].settings == AS_IT_IS and ":" not in as_notation(plain).replace("metre: 4/4", "")


@pytest.mark.parametrize(
    ("line", "words"),
    [
        ("densty: 0.3", ["line 2", "no 'densty'", "did you mean density?", "feel"]),
        ("density: 1.5", ["line 2", "density '1.5'", "0 to 1"]),
        ("density: nan", ["line 2", "0 to 1"]),
        ("level: loud", ["line 2", "level 'loud'", "-24 to 9"]),
        ("level: kees=2", ["line 2", "no part 'kees'", "did you mean keys?"]),
        ("mute: everyone", ["line 2", "no part 'everyone'"]),
        ("sound: keys=kazoooo", ["line 2", "kazoooo"]),
        ("style: fank", ["line 2", "no style 'fank'", "did you mean funk?"]),
        ("feel: halv", ["line 2", "feel 'halv'", "did you mean half?", "half, usual or double"]),
        ("density: 0.1\ndensity: 0.2", ["line 3", "density is given twice"]),
    ],
)
def test_a_setting_that_cannot_be_is_named_with_its_line(line: str, words: list[str]) -> None:
    with pytest.raises(ChartError) as caught:
        parse_chart(f"[Verse]\n{line}\n| C |", "song.chart")
    assert all(word in str(caught.value) for word in ["song.chart", *words]), caught.value


def test_a_setting_belongs_below_a_name_and_before_the_bars() -> None:
    with pytest.raises(ChartError, match="line 1: density is of a section"):
        parse_chart("density: 0.3\n| C |")
    with pytest.raises(ChartError, match=r"line 3: density must come before the first bar of \[A\]"):
        parse_chart("[A]\n| C |\ndensity: 0.3\n| F |")
    with pytest.raises(ChartError, match=r"a section is \[Bridge\]"):
        parse_chart("[A]\nBridge:\n| C |")


def test_every_name_can_be_given_in_yaml_too() -> None:
    values = {
        "density": 0.2,
        "level": {"keys": 1},
        "mute": ["bass"],
        "sound": {"keys": 5},
        "style": "ska",
        "tempo": 90,
        "feel": "usual",
    }
    assert set(settings_of(values).given()) == set(NAMES)
    with pytest.raises(SettingError, match="no 'loudness'"):
        settings_of({"loudness": 1})


def test_a_song_of_a_set_list_counts_more_than_its_chart(tmp_path: Path) -> None:
    path = tmp_path / "evening.yaml"
    song = "songs:\n  - title: One\n    chart: |\n      [A]\n      density: 0.2\n      feel: half\n      | C |\n"
    path.write_text(song + "    sections: {a: {density: 0.9}}\n    lyrics: |\n      [A]\n      La la\n")
    (loaded,) = load_set(path).songs
    assert loaded.chart is not None and loaded.lyrics == "[A]\nLa la\n"
    assert loaded.chart.sections[0].settings.lines() == ["density: 0.9", "feel: half"]
    path.write_text(song + "    sections: {A: {style: fank}}\n")
    with pytest.raises(SetListError, match=r"songs 1.sections.A: no style 'fank' \(did you mean funk\?\)"):
        load_set(path)
    path.write_text(song + "    sections: {A: {stile: funk}}\n")
    with pytest.raises(SetListError, match=r"no key 'songs 1\.sections\.A\.stile'"):
        load_set(path)
