"""The judge of answers: a band that hears its lead is told from one that plays accents of its own."""

from __future__ import annotations

import numpy as np
import pytest
from gigmate.training.band.arrange import write_song
from gigmate.training.band.players.answers import PHRASE_BARS, STRONG, answered, answering
from gigmate.training.band.rules import faults
from gigmate.training.evaluate.response import (
    LeadEvents,
    accents,
    another_lead,
    foreseeable,
    lead_of_notes,
    lead_of_sound,
    lead_rest_db,
    level_follows,
    moved,
    response,
)

pytest.importorskip("librosa")
RATE = 22_050
BEATS = np.arange(0.5, 30.0, 0.5)


def clicks(times: np.ndarray, levels: np.ndarray, seconds: float = 30.0, ring_s: float = 0.12) -> np.ndarray:
    rng = np.random.default_rng(0)
    sound = 1e-5 * rng.normal(0, 1, int(seconds * RATE)).astype(np.float32)
    for time, level in zip(times, levels, strict=True):
        at = int(time * RATE)
        ring = rng.normal(0, level, int(ring_s * RATE)) * np.exp(-np.linspace(0, 5, int(ring_s * RATE)))
        sound[at : at + len(ring)] += ring[: len(sound) - at].astype(np.float32)
    return sound


def test_accents_are_what_stands_out_from_what_is_around() -> None:
    levels = np.zeros(len(BEATS))
    levels[::4] = 6.0
    np.testing.assert_array_equal(accents(BEATS, levels), BEATS[::4])
    assert not len(accents(BEATS, np.zeros(len(BEATS))))


def test_a_band_on_the_leads_accents_meets_them_and_one_beside_them_does_not() -> None:
    none = np.zeros((0, 2))
    lead = LeadEvents(BEATS[2::8], none, none)
    on, off = (clicks(BEATS, np.where(np.arange(len(BEATS)) % 8 == k, 0.5, 0.08)) for k in (2, 4))
    assert response(on, on, lead, 4.0, 29.0)["accents"] > 0.8
    assert response(off, off, lead, 4.0, 29.0)["accents"] == 0.0
    assert np.isnan(response(on, on, lead, 4.0, 29.0)["stops"])


def test_stops_are_kept_by_silence_and_gaps_filled_by_drums() -> None:
    stop, gap = np.array([[10.3, 12.0]]), np.array([[20.0, 21.5]])
    lead = LeadEvents(np.zeros(0), stop, gap)
    steady = clicks(BEATS, np.full(len(BEATS), 0.3))
    silent = steady.copy()
    silent[int(10.35 * RATE) : int(12.0 * RATE)] = 0.0
    rolled = clicks(
        np.sort(np.concatenate([BEATS, np.arange(20.0, 21.4, 0.125) + 0.06])), np.full(len(BEATS) + 12, 0.3)
    )
    assert response(steady, steady, lead, 4.0, 29.0)["stops"] == 0.0
    assert response(silent, steady, lead, 4.0, 29.0)["stops"] == 1.0
    assert response(steady, steady, lead, 4.0, 29.0)["gaps"] == 0.0
    assert response(steady, rolled, lead, 4.0, 29.0)["gaps"] == 1.0


def test_level_follows_over_bars() -> None:
    bars = np.arange(0.0, 30.0, 2.0)
    gains = np.repeat(np.resize([0.05, 0.2, 0.1, 0.4], len(bars)), RATE * 2)[: RATE * 30]
    noise = np.random.default_rng(1).normal(0, 1.0, len(gains))
    assert level_follows(noise * gains, noise * gains**2, bars) == pytest.approx(1.0)
    assert level_follows(noise * gains, noise / gains / 100, bars) < -0.8


def test_level_in_rests_is_that_where_the_lead_itself_rests() -> None:
    rng = np.random.default_rng(1)
    lead, band = (rng.normal(0, 0.1, RATE * 30).astype(np.float32) for _ in range(2))
    lead[RATE * 10 : RATE * 16] = 0.0
    band[RATE * 12 : RATE * 16] *= 0.01  # it went on for two seconds, and was back with the lead
    assert lead_rest_db(band, lead, 2.0) == pytest.approx(-40.0, abs=1.0)
    assert lead_rest_db(lead + band, lead, 2.0) == pytest.approx(-43.0, abs=1.0)
    assert np.isnan(lead_rest_db(band, lead + 0.1, 2.0)), "without a rest there is no such level"


def test_events_are_found_in_notes_and_in_sound() -> None:
    levels = np.where(np.arange(len(BEATS)) % 8 == 0, 0.5, 0.1)
    kept = (BEATS <= 12.5) | (BEATS >= 15.0)
    found = lead_of_sound(clicks(BEATS[kept], levels[kept], ring_s=0.45), 0.5)
    assert np.abs(found.accents_s[:, None] - BEATS[::8][kept[::8]]).min(axis=0).max() < 0.06
    assert any(abs(begin - 13.0) < 0.3 and abs(end - 15.0) < 0.2 for begin, end in found.stops_s)
    score = write_song(401, "test", ("funk",), seconds=(40.0, 44.0))
    assert len(lead_of_notes(answered(np.random.default_rng(0), score), 40.0).stops_s) > 2


def test_events_move_with_the_beats_of_another_song() -> None:
    events = LeadEvents(np.array([1.0, 4.0]), np.array([[2.0, 3.0]]), np.zeros((0, 2)))
    there = moved(events, np.arange(8.0), np.arange(8.0) * 0.5 + 10.0)
    np.testing.assert_allclose(there.accents_s, [10.5, 12.0])
    np.testing.assert_allclose(there.stops_s, [[11.0, 11.5]])


def test_another_lead_plays_other_notes_at_the_same_bars() -> None:
    score = answered(np.random.default_rng(0), write_song(401, "test", ("funk",), seconds=(30.0, 34.0)))
    before = {part: list(notes) for part, notes in score.notes.items()}
    other = another_lead(score, 1)
    assert score.notes == before, "the song stays as it was"
    own = {round(note.beat, 2) for note in score.notes["lead"]}
    theirs = {round(note.beat, 2) for note in other}
    assert own != theirs and max(theirs) <= score.length_beats


@pytest.mark.parametrize("style", ["rock", "funk", "jazz_waltz", "samba"])
def test_the_answering_band_is_in_the_figure_from_the_second_time_on(style: str) -> None:
    known = len(faults(write_song(405, "test", (style,), seconds=(60.0, 64.0))))
    score = answered(np.random.default_rng(3), write_song(405, "test", (style,), seconds=(60.0, 64.0)))
    figures = []
    for bar in score.bars[:-1]:
        inside = {part: [n for n in notes if bar.start_beat - 1e-6 <= n.beat < bar.start_beat + bar.beats - 1e-6]
                  for part, notes in score.notes.items()}  # fmt: skip
        if answering(bar) and any(note.velocity >= STRONG for note in inside["lead"]):
            strokes = {round(note.beat, 3) for note in inside["lead"]}
            figures.append((bar, strokes == {round(note.beat, 3) for note in inside["drums"]}))
            assert len(strokes) <= 4
    assert len(figures) >= 2 and not figures[0][1] and all(with_it for _, with_it in figures[1:])
    assert len({bar.bar_in_section % PHRASE_BARS for bar, _ in figures}) == 1, "in the same bar of four"
    assert len(faults(score)) <= known + 12, "voicings and leaps of the strokes"


@pytest.mark.parametrize("seed", [401, 405, 411])
def test_the_answering_band_is_as_loud_as_its_lead_bar_by_bar(seed: int) -> None:
    score = answered(np.random.default_rng(2), write_song(seed, "test", ("rock",), seconds=(60.0, 64.0)))
    plain = write_song(seed, "test", ("rock",), seconds=(60.0, 64.0))

    def lifted(part: str) -> dict[int, float]:
        """By how much the notes of each bar are louder than they were."""
        made = {}
        for bar in score.bars:
            now, then = (
                [n.velocity for n in of.notes[part] if 0 <= n.beat - bar.start_beat < bar.beats and n.velocity < STRONG]
                for of in (score, plain)
            )
            if now and len(now) == len(then):
                made[bar.index] = float(np.mean(now) - np.mean(then))
        return made

    lead, drums = lifted("lead"), lifted("drums")
    both = sorted(set(lead) & set(drums))
    assert len(both) >= 8
    assert np.corrcoef([lead[k] for k in both], [drums[k] for k in both])[0, 1] > 0.7


def test_a_ringing_cymbal_is_no_broken_stop_and_a_groove_is_one() -> None:
    lead = LeadEvents(np.zeros(0), np.array([[10.3, 12.0]]), np.zeros((0, 2)))
    kept = clicks(np.append(BEATS[(BEATS <= 10.0) | (BEATS >= 12.0)], 10.01), np.full(len(BEATS) - 2, 0.3), ring_s=2.0)
    assert response(kept, kept, lead, 4.0, 29.0)["stops"] == 1.0
    played = clicks(BEATS, np.full(len(BEATS), 0.3), ring_s=0.3)
    assert response(played, played, lead, 4.0, 29.0)["stops"] == 0.0


def test_a_silence_is_a_stop_behind_an_accent_alone() -> None:
    times = np.arange(0.5, 20.0, 0.25)
    kept = (times <= 8.0) | (times >= 10.0)
    kept &= (times <= 14.0) | (times >= 16.0)
    levels = np.full(len(times), 0.1)
    levels[times == 8.0] = 0.5
    found = lead_of_sound(clicks(times[kept], levels[kept], seconds=20.0), 0.5)
    assert [round(begin) for begin, _ in found.stops_s] == [8]
    assert [round(begin) for begin, _ in found.gaps_s] == [14]


def test_what_could_be_foreseen_is_what_comes_again_on_the_same_beat() -> None:
    beats_s = np.arange(0.0, 40.0, 0.5)
    events = LeadEvents(np.array([1.0, 3.0, 9.0, 9.6, 17.0]), np.zeros((0, 2)), np.zeros((0, 2)))
    found = foreseeable(events, beats_s, 8.0)
    assert found["accents_foreseen"] == pytest.approx(2 / 3), "9 and 17 by those 16 and 32 beats before, 9.6 by none"
    assert 0.0 < found["foreseen_come"] < 0.5
    none = foreseeable(LeadEvents(np.zeros(0), np.zeros((0, 2)), np.zeros((0, 2))), beats_s, 8.0)
    assert np.isnan(none["accents_foreseen"]) and np.isnan(none["foreseen_come"])
