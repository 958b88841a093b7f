"""The lead on the grid of bars: what comes back is expected, and answered ahead of time; rests, gaps and solos."""

from __future__ import annotations

import numpy as np
import pytest
from gigmate.engine.hand import PartHand
from gigmate.engine.lead.lead_answer import LeadAnswer, LeadFrame
from gigmate.engine.lead.lead_memory import LeadMemory
from gigmate.engine.player import Controls, HeardFrame
from gigmate.engine.position import Point

RATE, FRAME, BEAT = 1000.0, 40, 500
AHEAD = 5
"""At 120 bpm in four; frames of 40 ms of a slow clock."""
Strokes = dict[float, float]


def peek(position: float) -> Point:
    beat = position / BEAT
    return Point(position, beat, beat // 4 * 4, int(beat // 4), 4)


class Band:
    """Hears a lead, bar by bar, and remembers what it answered."""

    def __init__(self, listening: float = 1.0, goes_on: bool = False) -> None:
        self.answer = LeadAnswer(RATE)
        self.controls, self.goes_on = Controls(listening=listening), goes_on
        self.frame = 0
        self._onset = np.zeros(4, np.float32)
        self.made: list[tuple[float, Controls]] = []

    def hear(self, bars: list[tuple[Strokes, float]], lines_midi: tuple[int, ...] = (0,)) -> None:
        """Bars of (beat: level, ring): strokes ring for so many beats. `lines_midi`: the melody's notes, round and
        round."""
        first = self.frame * FRAME // (4 * BEAT)
        strokes = [
            ((4 * (first + number) + beat) * BEAT, level, ring * BEAT)
            for number, (bar, ring) in enumerate(bars)
            for beat, level in bar.items()
        ]
        for _ in range(len(bars) * 4 * BEAT // FRAME):
            start, end = self.frame * FRAME, (self.frame + 1) * FRAME
            sounding = [(at, level) for at, level, ring in strokes if at < end and start < at + ring]
            level_db = max((level for _, level in sounding), default=-90.0)
            onset = np.zeros(4, np.float32)
            for at, _, _ in strokes:
                if start <= at < end:
                    onset[int((at - start) / 10)] = 0.9
            line = lines_midi[self.frame % len(lines_midi)]
            heard = HeardFrame(onset=self._onset, level_db=level_db, activity=1.0, line_midi=line)
            self._onset = onset  # the listener answers a frame later
            self.answer.hear(heard, start, FRAME, FRAME, peek)
            ahead = float(end + AHEAD * FRAME)
            frame = LeadFrame(peek(ahead), peek(ahead + FRAME), ahead, FRAME / RATE, self.goes_on)
            self.made.append((ahead / BEAT, self.answer.controls(self.controls, frame)))
            self.frame += 1

    def parts(self, first_beat: float, last_beat: float) -> list[tuple[float, tuple[PartHand, ...], float]]:
        return [(beat, made.hand.parts, made.fill) for beat, made in self.made if first_beat <= beat < last_beat]


SOFT = dict.fromkeys((0.0, 0.5, 1.0, 1.5, 2.0, 2.5, 3.0, 3.5), -20.0)
OTHER = dict.fromkeys((0.0, 1.0, 1.5, 2.5, 3.0), -20.0)
FIGURE = {0.0: -12.0, 1.5: -11.0}
PHRASE = [(SOFT, 0.5), (OTHER, 0.6), (SOFT, 0.5), (FIGURE, 0.3)]


def test_a_figure_that_comes_back_is_struck_by_all_and_its_silence_kept() -> None:
    band = Band()
    band.hear(PHRASE * 3)
    struck = {}
    for beat, parts, _ in band.parts(44.0 - 0.1, 48.0 - 0.1):
        if parts[0].hit_at is not None and parts[0].sure >= 1.0:
            assert all(part.hit_at == parts[0].hit_at for part in parts) and "crash" in parts[0].voices
            struck[round((beat + parts[0].hit_at * FRAME / BEAT) % 4.0, 1)] = True
    assert set(struck) == {0.0, 1.5}
    silent = [
        round(beat % 4.0, 2)
        for beat, parts, _ in band.parts(44.0, 48.0)
        if parts[0].hold and parts[1].rest and parts[2].rest
    ]
    assert min(silent) >= 0.4 and len([beat for beat in silent if beat > 2.4]) > 8, "cymbals ring"


def test_the_first_time_nobody_knows_it() -> None:
    band = Band()
    band.hear(PHRASE)
    assert not any(
        part.rest or (part.sure >= 1.0 and part.hit_at is not None)
        for _, parts, _ in band.parts(0, 15.5)
        for part in parts
    )


def test_an_accent_in_plain_bars_is_only_leaned_on() -> None:
    accented = {**SOFT, 2.5: -14.0}
    band = Band()
    band.hear([(accented, 0.5)] * 8)
    leans = [
        (round((beat + part.hit_at * FRAME / BEAT) % 4.0, 1), part.sure)
        for beat, parts, _ in band.parts(24.0, 32.0)
        for part in parts[:1]
        if part.hit_at is not None
    ]
    assert {place for place, _ in leans} == {2.5} and all(0.3 < sure < 1.0 for _, sure in leans)


def test_in_a_rest_the_band_sinks_and_is_back_with_the_lead() -> None:
    band = Band()
    band.hear([(SOFT, 0.5)] * 4 + [({}, 0.0)] * 2 + [(SOFT, 0.5)])
    levels = {beat: parts[0].level_db for beat, parts, _ in band.parts(16.0, 28.0)}
    assert all(level > -1.0 for beat, level in levels.items() if beat < 17.5)
    assert min(level for beat, level in levels.items() if 21.0 <= beat < 24.0) < -20.0
    assert all(level > -6.0 for beat, level in levels.items() if beat >= 24.8)


def test_who_plays_on_alone_does_not_sink() -> None:
    band = Band(goes_on=True)
    band.hear([(SOFT, 0.5)] * 4 + [({}, 0.0)] * 2)
    assert all(parts[0].level_db > -1.0 for _, parts, _ in band.parts(17.0, 24.0))


def test_a_gap_at_the_end_of_a_phrase_is_filled_up_to_the_bar_line_and_a_phrase_is_not() -> None:
    phrase = dict.fromkeys((0.0, 0.5, 1.0, 1.5), -20.0)
    band = Band()
    band.hear([(SOFT, 0.5), (phrase, 0.5)] * 4)
    filled = [beat for beat, _, fill in band.parts(8.0, 32.0) if fill > 0.0]
    assert filled and all(beat // 4 % 2 == 1 and beat % 4.0 > 1.6 for beat in filled)
    steady = Band()
    steady.hear([(SOFT, 0.5)] * 8)
    assert not any(fill for _, _, fill in steady.parts(0.0, 32.0))


def test_level_and_density_go_with_the_lead_and_keys_leave_room_for_a_solo() -> None:
    loud, soft = dict.fromkeys(SOFT, -12.0), dict.fromkeys(SOFT, -26.0)
    band = Band()
    band.hear([(SOFT, 0.5)] * 6 + [(loud, 0.5)] * 2 + [(soft, 0.5)] * 2)
    louder, softer = (np.mean([p[1].level_db for _, p, _ in band.parts(*stretch)]) for stretch in ((28, 32), (36, 40)))
    assert louder > 1.0 > -1.0 > softer
    solo = Band()
    solo.hear([(dict.fromkeys(np.arange(0.0, 4.0, 0.33).tolist(), -20.0), 0.3)] * 4)
    assert solo.made[-1][1].hand.parts[2].busier < -0.2


def test_small_dynamics_are_followed_further_than_they_go_and_large_ones_less_far() -> None:
    def reach_db(step_db: float) -> float:
        band = Band()
        loud, soft = (dict.fromkeys(SOFT, -20.0 + sign * step_db) for sign in (0.5, -0.5))
        band.hear([(loud, 0.5)] * 2 + [(soft, 0.5)] * 2 + [(loud, 0.5)] * 2 + [(soft, 0.5)] * 2)
        middles = [np.mean([p[1].level_db for _, p, _ in band.parts(*stretch)]) for stretch in ((18, 24), (26, 32))]
        return float(middles[0] - middles[1])

    assert 1.5 < reach_db(1.0) <= 2.6, "behind a compressor"
    assert 4.0 < reach_db(8.0) < 7.0
    assert abs(reach_db(0.0)) < 0.1


@pytest.mark.parametrize(
    ("lines", "kept"),
    [((69, 71, 72, 74), (65, 77)), ((0, 0, 69, 71), None), ((40, 52, 64, 76), None), ((0,), None)],
    ids=["a melody", "mostly chords", "all over the neck", "chords"],
)
def test_keys_leave_the_octave_of_a_melody_free(lines: tuple[int, ...], kept: tuple[int, int] | None) -> None:
    band = Band()
    band.hear([(SOFT, 0.5)] * 4, lines)
    drums, bass, keys = band.made[-1][1].hand.parts
    assert drums.keep_out is bass.keep_out is None
    assert keys.keep_out == kept
    band.hear([(SOFT, 0.5)] * 3)
    assert band.made[-1][1].hand.parts[2].keep_out is None, "chords now"


@pytest.mark.parametrize("listening", [0.0, 0.4])
def test_it_listens_as_much_as_it_is_told(listening: float) -> None:
    band = Band(listening)
    band.hear(PHRASE * 3)
    hands = [parts for _, parts, _ in band.parts(0.0, 48.0)]
    assert not any(part.rest for parts in hands for part in parts)
    if not listening:
        assert all(made == Controls(listening=0.0) for _, made in band.made)


def test_memory_does_not_grow_and_forgets_on_reset() -> None:
    memory = LeadMemory(RATE)
    heard = HeardFrame(onset=np.array([0.0, 0.9, 0.0, 0.0], np.float32), level_db=-20.0)
    for frame in range(4000):
        memory.hear(heard, (frame + 1) * FRAME, FRAME, 0.0, peek)
    assert len(memory._bars) <= 21 and len(memory._likeness) < 200 and len(memory._starts) <= 21
    memory.reset()
    assert not memory.known and memory.expect(peek(0.0), peek(40.0)).likeness == 0.0


def test_what_is_not_a_number_is_silence() -> None:
    memory = LeadMemory(RATE)
    broken = HeardFrame(onset=np.full(4, np.nan, np.float32), level_db=float("nan"))
    for frame in range(50):
        memory.hear(broken, (frame + 1) * FRAME, FRAME, 0.0, peek)
    assert np.isfinite(memory.usual_db) and np.isfinite(memory.quick_db)


def struck(band: Band, first_beat: float, last_beat: float) -> set[float]:
    """Beats of the bar on which all parts strike for sure."""
    return {
        round((beat + parts[1].hit_at * FRAME / BEAT) % 4.0, 1)
        for beat, parts, _ in band.parts(first_beat, last_beat)
        if parts[1].hit_at is not None and parts[1].sure >= 1.0
    }


def kept(band: Band, first_beat: float, last_beat: float) -> int:
    """Frames in which the band keeps a stop."""
    return sum(parts[1].rest and parts[0].hold for _, parts, _ in band.parts(first_beat, last_beat))


def test_a_figure_that_came_once_is_struck_along_and_its_silence_kept_once_it_is_heard_to_begin() -> None:
    other = dict.fromkeys((0.5, 1.5, 2.0, 3.5), -20.0)
    band = Band()
    band.hear([(SOFT, 0.5), (OTHER, 0.6), (SOFT, 0.5), (FIGURE, 0.3)])
    band.hear([(other, 0.5), (SOFT, 0.5), (other, 0.5), (FIGURE, 0.3)])  # what leads to it is another thing
    assert struck(band, 28.0 - 0.1, 32.0 - 0.1) == {0.0, 1.5}
    assert kept(band, 28.0, 29.4) == 0, "nobody knows yet whether the lead stops as well"
    assert kept(band, 30.0, 32.0) > 10, "the first stroke and the silence behind it were heard"


def test_a_bar_that_begins_in_another_way_is_no_figure() -> None:
    band = Band()
    band.hear([*PHRASE, (SOFT, 0.5), (OTHER, 0.6), (SOFT, 0.5), (SOFT, 0.5)])
    assert kept(band, 29.5, 32.0) == 0 and not struck(band, 29.5, 32.0)


def test_a_phrase_with_its_pause_is_no_figure() -> None:
    phrase = dict.fromkeys((0.0, 0.5, 1.0, 1.5), -14.0)
    band = Band()
    band.hear([(SOFT, 0.5), (OTHER, 0.6), (SOFT, 0.5), (phrase, 0.4)] * 3)
    assert kept(band, 0.0, 48.0) == 0 and not struck(band, 0.0, 48.0)


def test_a_gap_that_is_known_is_filled_on_the_grid_from_its_beginning_and_lands_on_the_bar_line() -> None:
    phrase = dict.fromkeys((0.0, 0.5, 1.0, 1.5), -20.0)
    band = Band()
    band.hear([(SOFT, 0.5), (phrase, 0.5), (SOFT, 0.5), (SOFT, 0.5)] * 4)
    drums = [(beat, parts[0]) for beat, parts, _ in band.parts(36.0, 41.0)]
    hits = {round(4 * (beat + part.hit_at * FRAME / BEAT)) / 4: part.voices for beat, part in drums if part.voices}
    assert min(hits) <= 38.25 and max(hits) == 40.0 and hits[40.0] == ("kick", "crash")
    assert {voices for beat, voices in hits.items() if beat < 40.0} == {("snare",), ("tom",)}
    assert all(part.hold or part.voices for beat, part in drums if min(hits) < beat < 39.8), "both hands are busy"


def test_a_fill_ends_where_the_lead_is_back() -> None:
    phrase = dict.fromkeys((0.0, 0.5, 1.0, 1.5), -20.0)
    early = {**phrase, 2.75: -20.0, 3.0: -20.0, 3.5: -20.0}
    band = Band()
    band.hear([(SOFT, 0.5), (phrase, 0.5), (SOFT, 0.5), (SOFT, 0.5)] * 2 + [(SOFT, 0.5), (early, 0.5), (SOFT, 0.5)])
    assert any(fill for _, _, fill in band.parts(38.0, 39.0))
    assert not any(fill for _, _, fill in band.parts(39.4, 40.0)), "as soon as it is heard: a look-ahead later"
    assert not any(parts[0].voices for _, parts, _ in band.parts(39.4, 41.0)), "and does not land"
