"""Bindings in YAML: what may be written, what is answered to what may not, files that change and lose no word."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import yaml
from gigmate.engine.actions import ACTIONS
from gigmate.engine.errors import ConfigError
from gigmate.engine.gestures import ANY, Gesture
from gigmate.presets.bindings import (
    BindingRow,
    BindingsError,
    add_rows,
    bindings_of,
    forget_rows,
    parse_bindings,
    pedal_row,
    read_bindings,
    row_of,
)
from gigmate.presets.strict import parse_yaml
from hypothesis import given, settings
from hypothesis import strategies as st


def write(folder: Path, text: str) -> Path:
    path = folder / "mine.yaml"
    path.write_text(text)
    return path


def row(**values: Any) -> BindingRow:
    return BindingRow.model_validate(values)


GOOD = """
bindings:
  - {cc: 64, does: toggle}
  - {cc: 65, channel: 2, threshold: 100, pedal: latching, does: fill}
  - {note: 36, does: tap}
  - {program: any, does: song}
  - {program: 128, does: preset, name: funk}
  - {midi: start, does: start}
  - {midi: continue, does: count_in, bars: 2}
  - cc: 7
    does: level
    part: bass
    at_0: -30
    at_127: 0
  - {cc: 1, does: density}
  - {cc: 2, does: level, part: keys, value: off}
  - {cc: 3, does: mute, part: drums}
  - {cc: 4, does: section}
  - {cc: 5, does: section, name: bridge}
  - {cc: 6, does: song, number: 3}
"""


def test_what_may_be_written(tmp_path: Path) -> None:
    bindings = bindings_of(read_bindings(write(tmp_path, GOOD)))
    gestures = [binding.gesture for binding in bindings]
    assert gestures[:7] == [
        Gesture("cc", 64),
        Gesture("cc", 65, 2, 100, "toggle"),
        Gesture("note", 36, threshold=1),
        Gesture("program", ANY),
        Gesture("program", 127),
        Gesture("start"),
        Gesture("continue"),
    ]
    assert bindings[7].ends == (-30.0, 0.0)
    assert bindings[8].ends == (0.0, 1.0)
    assert bindings[9].ends is None
    assert [binding.text for binding in bindings[9:]] == [
        "CC2: level keys off",
        "CC3: mute drums",
        "CC4: section",
        "CC5: section bridge",
        "CC6: song 3",
    ]


def test_rows_and_bindings_say_the_same(tmp_path: Path) -> None:
    for one in read_bindings(write(tmp_path, GOOD)):
        assert row_of(one.binding()).binding() == one.binding()
        assert row(**yaml.safe_load(one.line())) == one


def test_every_action_can_be_bound() -> None:
    extra = {
        "mute": {"part": "bass"},
        **{name: {"part": "bass"} for name in ("level", "pan", "width", "room", "compression")},
        "style": {"name": "funk"},
        "preset": {"name": "funk"},
        "tempo": {"tempo_bpm": 120},
        "time_source": {"name": "tap"},
        "fills": {"name": "never"},
        "chord": {"bar": 3, "name": "Am7"},
        "sound": {"part": "keys", "name": "rhodes"},
        "song": {"number": 1},
        "move_song": {"number": 2, "to": 1},
    }
    for name in ACTIONS:
        assert row(cc=1, does=name, **extra.get(name, {})).binding().action is ACTIONS[name]


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("bindings: [{cc: 64, dose: fill}]", ["'bindings 1.dose'", "did you mean does?", "program"]),
        ("binding: []", ["binding", "did you mean bindings?"]),
        ("bindings: [{cc: 1, does: fill}, {cc: 64, does: fil}]", ["bindings 2.does", "did you mean fill?", "panic"]),
        ("bindings: [{cc: 128, does: fill}]", ["bindings 1.cc", "128", "less than or equal to 127"]),
        ("bindings: [{cc: 1.5, does: fill}]", ["bindings 1.cc", "1.5"]),
        ("bindings: [{cc: true, does: fill}]", ["bindings 1.cc"]),
        ("bindings: [{program: 0, does: fill}]", ["bindings 1.program", "1 to 128"]),
        ("bindings: [{midi: strat, does: fill}]", ["bindings 1.midi", "did you mean start?"]),
        ("bindings: [{does: fill}]", ["bindings 1", "one gesture", "none given"]),
        ("bindings: [{cc: 1, note: 2, does: fill}]", ["bindings 1", "cc and note given"]),
        ("bindings: [{cc: 1}]", ["bindings 1.does", "missing"]),
        ("bindings: [{cc: 1, does: mute}]", ["bindings 1", "mute needs part", "drums, bass or keys"]),
        ("bindings: [{cc: 1, does: mute, part: drum}]", ["part 'drum'", "drums, bass or keys"]),
        ("bindings: [{cc: 1, does: fill, bars: 2}]", ["fill has no 'bars'", "takes nothing"]),
        ("bindings: [{cc: 1, does: count_in, bars: 9}]", ["bars 9", "1 to 2"]),
        ("bindings: [{note: 1, does: level, part: bass}]", ["level needs value", "dB"]),
        ("bindings: [{note: 1, does: density, at_0: 0}]", ["at_0", "belong to a controller"]),
        ("bindings: [{cc: 1, does: level, part: bass, at_127: 90}]", ["at_127", "-60 to 12"]),
        ("bindings: [{cc: 1, does: density, pedal: toggle}]", ["follows the controller"]),
        ("bindings: [{program: 1, does: fill, threshold: 3}]", ["program takes no threshold"]),
        ("bindings: [{midi: stop, does: stop, channel: 3}]", ["midi takes no channel"]),
        ("bindings: [{cc: 1, does: fill, pedal: sprung}]", ["bindings 1.pedal", "sprung", "'press'"]),
        ("bindings: [{cc: 1, cc: 2, does: fill}]", ["line 1", "twice"]),
        ("bindings: 3", ["bindings", "list"]),
        ("- {cc: 1}", ["bindings:"]),
        ("bindings: [", ["not YAML"]),
        ("bindings: [2024-99-99]", ["mine.yaml"]),
    ],
)
def test_a_wrong_file_is_answered_with_what_to_write(tmp_path: Path, text: str, words: list[str]) -> None:
    with pytest.raises(BindingsError) as caught:
        read_bindings(write(tmp_path, text))
    message = str(caught.value)
    assert "\n" not in message
    for word in ["mine.yaml", *words]:
        assert word in message, message


def test_what_the_page_of_pedals_shows_holds() -> None:
    text = (Path(__file__).resolve().parents[2] / "docs" / "pedals.md").read_text(encoding="utf-8")
    (shown,) = [block.split("```")[0] for block in text.split("```yaml\n")[1:] if block.startswith("bindings:")]
    rows = parse_bindings(yaml.safe_load(shown), "pedals.md")
    assert len(rows) == shown.count("- {") >= 9


def test_no_bindings_is_a_file_too(tmp_path: Path) -> None:
    for text in ("", "# nothing yet\n", "bindings:\n", "bindings: []\n"):
        assert read_bindings(write(tmp_path, text)) == ()


def test_errors_are_the_users_to_mend(tmp_path: Path) -> None:
    assert issubclass(BindingsError, ConfigError)
    with pytest.raises(BindingsError, match="no bindings file"):
        read_bindings(tmp_path / "gone.yaml")


def test_a_row_in_a_preset_says_where_it_is_wrong() -> None:
    with pytest.raises(BindingsError, match="here: bindings 1"):
        parse_bindings({"bindings": [{"cc": 1, "does": "mute"}]}, "here")


# ------------------------------------------------------------------------------------------------- changing a file


def test_a_file_is_made_with_its_folder(tmp_path: Path) -> None:
    path = tmp_path / "config" / "gigmate" / "bindings.yaml"
    assert add_rows(path, [row(cc=64, does="start")]) == ()
    assert read_bindings(path) == (row(cc=64, does="start"),)
    assert path.read_text().endswith("bindings:\n  - {cc: 64, does: start}\n")
    assert [file.name for file in path.parent.iterdir()] == ["bindings.yaml"]


COMMENTED = """\
# my pedals
bindings:
  # left foot
  - {cc: 64, does: toggle}   # the old one
  - cc: 65
    does: fill
  # right foot

  - {note: 36,
     does: tap}
  # the end
"""


def test_lines_are_added_and_replaced_where_they_stand(tmp_path: Path) -> None:
    path = write(tmp_path, COMMENTED)
    assert add_rows(path, [row(cc=65, does="ending"), row(midi="stop", does="stop")]) == (row(cc=65, does="fill"),)
    assert path.read_text() == COMMENTED.replace("  - cc: 65\n    does: fill\n", "").replace(
        "     does: tap}\n", "     does: tap}\n  - {cc: 65, does: ending}\n  - {midi: stop, does: stop}\n"
    )
    assert not path.with_name("mine.yaml.before").exists()


def test_what_is_forgotten_goes_and_the_rest_stays(tmp_path: Path) -> None:
    path = write(tmp_path, COMMENTED)
    assert forget_rows(path, "tap") == (row(note=36, does="tap"),)
    assert forget_rows(path, "cc 64") == (row(cc=64, does="toggle"),)
    assert path.read_text() == (
        "# my pedals\nbindings:\n  # left foot\n  - cc: 65\n    does: fill\n  # right foot\n\n  # the end\n"
    )
    with pytest.raises(BindingsError, match=r"nothing is bound to .panic.*CC65: fill"):
        forget_rows(path, "panic")
    assert forget_rows(path, "fill") == (row(cc=65, does="fill"),)
    assert read_bindings(path) == ()
    add_rows(path, [row(cc=1, does="panic")])
    assert read_bindings(path) == (row(cc=1, does="panic"),)
    assert path.read_text().startswith("# my pedals\n")


def test_a_file_of_another_form_is_written_anew_and_kept(tmp_path: Path) -> None:
    old = "bindings: [{cc: 64, does: toggle}, {cc: 65, does: fill}]  # in one line\n"
    path = write(tmp_path, old)
    add_rows(path, [row(cc=66, does="tap")])
    assert [r.does for r in read_bindings(path)] == ["toggle", "fill", "tap"]
    assert path.with_name("mine.yaml.before").read_text() == old


def test_a_damaged_file_is_not_touched(tmp_path: Path) -> None:
    path = write(tmp_path, "bindings: [{cc: 64, dose: toggle}]\n")
    with pytest.raises(BindingsError, match="did you mean does"):
        add_rows(path, [row(cc=66, does="tap")])
    assert path.read_text() == "bindings: [{cc: 64, dose: toggle}]\n"


def test_where_nothing_can_be_written(tmp_path: Path) -> None:
    write(tmp_path, "")
    with pytest.raises(BindingsError, match="cannot be written"):
        add_rows(tmp_path / "mine.yaml" / "below.yaml", [row(cc=66, does="tap")])


# ------------------------------------------------------------------------------------------------------- anything

_KEYS = st.sampled_from([*BindingRow.model_fields, "bogus", "on"])
_VALUES = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(-(10**30), 10**30),
    st.integers(0, 128),
    st.floats(),
    st.text(max_size=12),
    st.sampled_from([*ACTIONS, "drums", "any", "off", "start", "toggle"]),
    st.lists(st.integers(), max_size=2),
)


@settings(max_examples=60, deadline=None)
@given(st.recursive(_VALUES, lambda inner: st.dictionaries(st.text(max_size=5), inner, max_size=3), max_leaves=5))
def test_any_values_are_bindings_or_one_line(values: Any) -> None:
    for wrapped in (values, {"bindings": values}, {"bindings": [values]}):
        try:
            parse_bindings(wrapped, "here")
        except BindingsError as error:
            assert "\n" not in str(error)


@settings(max_examples=60, deadline=None)
@given(st.dictionaries(_KEYS, _VALUES, max_size=6))
def test_any_row_is_a_binding_that_goes_round_or_one_line(values: dict[str, Any]) -> None:
    try:
        (one,) = parse_bindings({"bindings": [values]}, "here")
    except BindingsError:
        return
    assert row(**yaml.safe_load(one.line())) == one
    assert row_of(one.binding()).binding() == one.binding()


@settings(max_examples=60, deadline=None)
@given(st.binary(max_size=200))
def test_any_bytes_are_bindings_or_one_line(data: bytes) -> None:
    try:
        parse_bindings(parse_yaml(data, "here", BindingsError), "here")
    except BindingsError as error:
        assert str(error).startswith("here")


@settings(max_examples=100, deadline=None)
@given(st.one_of(st.text(max_size=12), st.from_regex(r"\A(cc|note|CC|NOTE)[ :]?[0-9]{1,4}\Z")))
def test_any_short_form_is_a_pedal_or_one_line(text: str) -> None:
    try:
        gesture = pedal_row(text).binding().gesture
    except BindingsError as error:
        assert "such as CC64 or NOTE36" in str(error)
        return
    assert 0 <= gesture.number <= 127
    assert text.strip().lower().startswith(gesture.kind)
