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

    def hear(self, bars: list[tuple[Strokes, float]]) -> None:
        """Bars of (beat: level, ring): strokes ring for so many beats."""
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
            heard = HeardFrame(onset=self._onset, level_db=level_db, activity=1.0)
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
    rests = [round(beat % 4.0, 2) for beat, parts, _ in band.parts(44.0, 48.0) if all(part.rest for part in parts)]
    assert min(rests) >= 0.5 and len([beat for beat in rests if beat > 2.4]) > 8


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
    assert len(memory._bars) <= 13 and len(memory._likeness) < 200 and len(memory._starts) <= 13
    memory.reset()
    assert not memory.known and memory.expect(peek(0.0), peek(40.0)).likeness == 0.0


def test_what_is_not_a_number_is_silence() -> None:
    memory = LeadMemory(RATE)
    broken = HeardFrame(onset=np.full(4, np.nan, np.float32), level_db=float("nan"))
    for frame in range(50):
        memory.hear(broken, (frame + 1) * FRAME, FRAME, 0.0, peek)
    assert np.isfinite(memory.usual_db) and np.isfinite(memory.quick_db)
