"""The groove: the table is what its command writes, draws are led to its places, bars resemble each other."""

from __future__ import annotations

import numpy as np
import pytest
from gigmate.engine.player import Controls, Moment
from gigmate.model.accompanist import Accompanist
from gigmate.model.generator.bass_roles import ABOVE, BELOW, ROOT, THIRD, TONE_ABOVE, TONE_BELOW, role_of
from gigmate.model.generator.groove_hand import GrooveAsked, GrooveHand
from gigmate.model.generator.groove_table import DENSITIES, KINDS, Cell, GrooveTable, shipped
from gigmate.model.generator.note_hand import Place, free_hand
from gigmate.model.generator.score_tokens import DRUM_VOICES, FIRST_NOTE, LOWEST_NOTE, SLOTS, STATE
from gigmate.model.loading import load_band
from gigmate.training.band.groove_cells import cells_of
from gigmate.training.band.styles import STYLES

PARTS = ("drums", "bass", "keys")
BEAT = 1.0 / 12.5
FREE = (False,) * 3


def place(frame: int) -> Place:
    return Place(frame * BEAT % 4.0, BEAT, 4, 120.0)


def test_the_table_is_what_its_command_writes() -> None:
    style, table = "swing", shipped()
    cells, events = cells_of(style)
    index = table.styles.index(style)
    ends = np.cumsum(table.cells[:, 6])
    rows = np.flatnonzero(table.cells[:, 0] == index)
    np.testing.assert_array_equal(table.cells[rows], cells)
    kept = np.concatenate([table.events[ends[row] - table.cells[row, 6] : ends[row]] for row in rows])
    np.testing.assert_array_equal(kept, events)


def test_every_style_has_patterns_of_its_metres_that_get_busier() -> None:
    for name, style in STYLES.items():
        for metre in style.metres:
            beats = {"3/4": 3, "5/4": 5, "2/4": 2, "6/8": 2}.get(metre, 4)
            rows = shipped().rows(name, beats)
            assert len(rows) >= 3 and rows.shape[1:] == (len(KINDS), len(DENSITIES)), (name, metre)
            cells = shipped().cells
            assert all(
                cells[row, 3] == kind and cells[row, 4] == level for (_, kind, level), row in np.ndenumerate(rows)
            )
            counts = cells[rows, 6]
            assert np.mean(counts[:, :, 0] < counts[:, :, 2]) > 0.8, name
            cell = shipped().cell(int(rows[0, 0, 1]), 110.0)
            assert cell.beats == 8 * beats
            for part in cell.parts:
                starts = [event.beat for event in part]
                assert starts == sorted(starts) and starts[0] >= 0.0 and starts[-1] < cell.beats
    assert len(shipped().rows("polka", 4)) == 0 == len(shipped().rows("rock", 5))


def bars_of(cell: Cell, part: int) -> list[list[tuple[float, int]]]:
    """What each bar of a phrase in four begins, and where."""
    return [
        [(e.beat - 4 * bar, e.what) for e in cell.parts[part] if 4 * bar <= e.beat < 4 * bar + 4] for bar in range(8)
    ]


def test_a_phrase_is_two_bars_that_are_varied_in_the_fourth_and_the_eighth() -> None:
    varied = 0
    for choice in range(3):
        drums = bars_of(shipped().cell(int(shipped().rows("rock", 4)[choice, 0, 1]), 110.0), 0)
        assert drums[0] == drums[2] == drums[4] == drums[6] and drums[1] == drums[5]
        varied += (drums[3] != drums[1]) + (drums[7] not in (drums[1], drums[3]))
    assert varied >= 5


def test_kinds_of_sections_have_patterns_of_their_own() -> None:
    for name in STYLES:
        rows = next(found for beats in (4, 3, 2, 5) if len(found := shipped().rows(name, beats)))
        for choice in rows:
            verse, chorus = (shipped().cell(int(choice[kind, 1]), 110.0) for kind in (0, 1))
            assert sum(a != b for a, b in zip(verse.parts, chorus.parts, strict=True)) >= 2, name


def test_swung_styles_swing_by_the_tempo() -> None:
    slow, fast = (
        {
            round(event.beat % 1.0, 2)
            for row in shipped().rows("swing", 4)[:, 0, 1]
            for event in shipped().cell(int(row), bpm).parts[0]
        }
        for bpm in (110.0, 220.0)
    )
    assert 0.67 in slow and 0.5 not in slow
    assert 0.58 in fast and 0.67 not in fast


def test_beginnings_are_led_to_the_patterns_places_and_nowhere_else() -> None:
    hand = GrooveHand(PARTS, shipped())
    cell = shipped().cell(int(shipped().rows("rock", 4)[0, 0, 1]), 120.0)
    led: list[float] = []
    for frame in range(100):
        asked = free_hand(3)
        hand.lay(place(frame), GrooveAsked("rock", "", 0.5, 0), FREE, asked)
        nats = asked.bias[0, STATE]
        if nats[1:5].max() > 0.0:
            led.append(frame * BEAT + (int(nats[1:5].argmax()) + 0.5) / 4.0 * BEAT)
            wanted = next(event for event in cell.parts[0] if -1e-6 <= event.beat - frame * BEAT < BEAT)
            assert int(asked.bias[0, FIRST_NOTE].argmax()) == wanted.what
        else:
            assert nats[1:5].max() < -1.0
    np.testing.assert_allclose(led, [event.beat for event in cell.parts[0] if event.beat < 8.0], atol=BEAT / 4)


def led_to(frame: int, root: int, next_root: int, classes: tuple[float, ...]) -> tuple[int, set[int]]:
    """The likeliest bass pitch of a swing's frame, and the pitch classes that are likelier."""
    hand, asked = GrooveHand(PARTS, shipped()), free_hand(3)
    hand.lay(place(frame), GrooveAsked("swing", "", 0.5, root, 1.0, classes, next_root), FREE, asked)
    bias = asked.bias[1, FIRST_NOTE]
    pitches = (np.flatnonzero(bias > 1.0) + LOWEST_NOTE - 1).tolist()
    return int(bias.argmax()) + LOWEST_NOTE - 1, {pitch % 12 for pitch in pitches}


def test_bass_is_led_to_the_degree_of_the_chord_and_toward_the_next_one() -> None:
    line = shipped().cell(int(shipped().rows("swing", 4)[0, 0, 1]), 120.0).parts[1]
    for root in (0, 7):
        third = {(root + 3) % 12, (root + 4) % 12}
        for minor in (False, True):
            tones = (0, 3 if minor else 4, 7, 10)
            classes = tuple(float((k - root) % 12 in tones) for k in range(12))
            for event in line[:8]:
                frame = int(event.beat / BEAT + 1e-6)
                pitch, likelier = led_to(frame, root, (root + 5) % 12, classes)
                assert len(likelier) == 1 and pitch % 12 in likelier and 28 <= pitch <= 55
                if role_of(event.what) == ROOT:
                    assert pitch % 12 == root
                elif role_of(event.what) == THIRD:
                    assert pitch % 12 in third and (pitch - root) % 12 in tones
                elif role_of(event.what) in (BELOW, ABOVE):
                    assert (pitch - root - 5) % 12 in (1, 11)


def test_a_walking_line_is_more_than_roots_and_fifths() -> None:
    roles = [
        role_of(event.what)
        for row in shipped().rows("swing", 4)[:, 0, 1]
        for event in shipped().cell(int(row), 120.0).parts[1]
    ]
    assert 0.2 < np.mean([role == ROOT for role in roles]) < 0.5
    assert np.mean([role in (BELOW, TONE_BELOW, ABOVE, TONE_ABOVE) for role in roles]) > 0.08


def test_a_section_has_a_pattern_of_its_own_and_always_the_same() -> None:
    def pattern(name: str) -> list[float]:
        hand = GrooveHand(PARTS, shipped())
        biases = []
        for frame in range(100):
            hand.lay(place(frame), GrooveAsked("funk", name, 0.5, 0), FREE, asked := free_hand(3))
            biases.append(asked.bias.copy())
        return list(np.ravel(biases))

    verse, chorus, bridge = pattern("verse"), pattern("chorus"), pattern("bridge")
    assert verse == pattern("verse") and verse != chorus != bridge != verse
    assert pattern("A") == verse, "names that say nothing have the kinds in order"
    assert pattern("solo") not in (verse, chorus, bridge)


def drawn(hits: dict[int, int]) -> np.ndarray:
    """Slots of a frame in which drums strike these sets, by the quarter."""
    slots = np.zeros((3, SLOTS), np.int64)
    for quarter, voices in hits.items():
        slots[0, STATE], slots[0, FIRST_NOTE] = 1 + quarter, voices
    return slots


def test_without_a_known_style_the_own_bars_lead_and_a_fill_is_no_groove() -> None:
    hand, kick, tom = GrooveHand(PARTS, shipped()), 1, 1 << DRUM_VOICES.index("tom")
    for frame in range(150):  # three bars; the third is a fill
        fills = frame >= 100
        free = (fills, False, False)
        hand.lay(place(frame), GrooveAsked("polka", "", 0.5, 0), free, free_hand(3))
        hits = {0: tom} if fills and frame % 4 == 0 else {0: kick} if not fills and frame % 25 == 0 else {}
        hand.remember(drawn(hits), place(frame), 0, free)
    led = []
    for frame in range(200, 250):  # led by the bar of two bars before
        hand.lay(place(frame), GrooveAsked("polka", "", 0.5, 0), FREE, asked := free_hand(3))
        if asked.bias[0, STATE, 1:5].max() > 0.0:
            led.append((frame % 50, int(asked.bias[0, FIRST_NOTE].argmax())))
    assert led == [(0, kick), (25, kick)]


def patterns(groove: float, style: str, bars: int = 8) -> np.ndarray:
    """[bars, 16]: where the shipped band strikes kick or snare."""
    player = Accompanist(load_band(runtime="native"), 4)
    chunk = np.zeros(player.tail_samples + player.frame_samples, np.float32)
    classes = tuple(float(k in (0, 4, 7)) for k in range(12))
    struck = np.zeros((bars, 16))
    for frame in range(bars * 50):
        player.listen(chunk)
        beat = frame * BEAT
        moment = Moment(beat % 1.0, beat / 4.0 % 1.0, 120.0, 4, 1.0, 0, classes)
        player.draw(moment, Controls(style, groove=groove))
        player.pass_over()
        state, voices = player.slots()[0, STATE], int(player.slots()[0, FIRST_NOTE])
        if 1 <= state <= 4 and voices & 0b11:
            step = round((beat + BEAT * (state - 0.5) / 4.0) * 4)
            struck[step // 16 % bars, step % 16] = 1.0
    return struck


def test_bars_resemble_the_bars_before_and_yet_are_not_a_loop() -> None:
    def likeness(struck: np.ndarray) -> float:
        return float(np.mean([max((struck[k] == struck[j]).mean() for j in (k - 1, k - 2)) for k in range(2, 8)]))

    kept = patterns(1.0, "funk")
    free = likeness(patterns(0.0, "funk"))
    assert likeness(kept) > 0.85 and likeness(kept) > free + 0.1, (likeness(kept), free)
    assert len({tuple(row) for row in kept}) > 2


def test_a_table_that_knows_nothing_is_no_error() -> None:
    none = np.zeros((0, 7), int)
    empty = GrooveTable((), none, none, np.zeros(0, np.float32), np.zeros((0, 0, 2), np.float32))
    for table in (None, empty):
        hand, asked = GrooveHand(PARTS, table), free_hand(3)
        hand.lay(place(0), GrooveAsked("rock", "", 0.5, 0), FREE, asked)
        assert not asked.bias.any()


@pytest.mark.parametrize("early_frames", [0, 1, 6])
def test_the_phrase_begins_with_the_first_whole_bar(early_frames: int) -> None:
    hand, freer = GrooveHand(PARTS, shipped()), set()
    for frame in range(-early_frames, 400):
        asked = free_hand(3)
        at = place(frame + 1000 * round(4 / BEAT))  # bars fall back to 0 before the first line as well
        hand.lay(at, GrooveAsked("rock", "", 0.5, 0), FREE, asked)
        led = asked.bias[0, STATE, 1:5].max()
        if 0.0 < led < 6.0:
            freer.add(int((frame + 1e-6) * BEAT // 4))
    assert freer == {3, 7}, "the fourth and the eighth bar"
