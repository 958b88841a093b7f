"""Leads alone: what a musician could play and would count, labels that are true, the same from the same seed."""

from __future__ import annotations

from collections import Counter

import numpy as np
import pytest
from gigmate.training.band import splits
from gigmate.training.band.score import Score
from gigmate.training.leads.song import FASTEST_CHUGS_HZ, METRES, TEXTURES, write_lead_song
from gigmate.training.sound import song_labels

SEEDS = range(120)


@pytest.fixture(scope="module")
def songs() -> list[Score]:
    return [write_lead_song(seed) for seed in SEEDS]


def test_the_same_seed_is_the_same_song(songs: list[Score]) -> None:
    again = write_lead_song(7)
    assert again.notes == songs[7].notes and np.array_equal(again.beat_times_s, songs[7].beat_times_s)
    assert songs[7].notes != songs[8].notes


def test_beats_are_what_people_count_and_kinds_are_free_of_tempo(songs: list[Score]) -> None:
    tempi = np.array([song.bpm for song in songs])
    assert tempi.min() >= 56 and tempi.max() <= 210
    assert np.sum(tempi > 160) > 6 and np.sum(tempi < 80) > 6
    low, high = splits.HELD_TEMPO_BPM
    assert not np.any((tempi >= low) & (tempi <= high))
    assert {song.beats_per_bar for song in songs} == {int(metre[0]) for metre in METRES}
    counted = Counter(song.lead_mode for song in songs)
    for texture in ("melody", "chords", "arpeggio", "two_hands"):
        paces = [song.bpm for song in songs if song.lead_mode == texture]
        assert counted[texture] >= 5 and max(paces) > 1.5 * min(paces)
    assert len(counted) >= len(TEXTURES) - 2


def test_notes_can_be_played(songs: list[Score]) -> None:
    for song in songs:
        notes = song.notes["lead"]
        assert notes and all(21 <= n.pitch <= 108 and 1 <= n.velocity <= 127 and n.length_beats > 0 for n in notes)
        struck = Counter((round(n.beat, 3), n.pitch) for n in notes)
        assert max(struck.values()) == 1  # nobody strikes one key twice at once
        together = Counter(round(n.beat, 3) for n in notes)
        assert max(together.values()) <= 10
        assert song.programs["lead"] not in splits.HELD_LEADS
        moments = np.unique(np.round([song.note_seconds(n)[0] - n.shift_ms / 1000 for n in notes], 4))
        if len(moments) > 40:  # over some bars nobody is faster than that
            assert np.min(moments[32:] - moments[:-32]) > 32 / (2.1 * FASTEST_CHUGS_HZ)


def test_bars_join_and_where_the_lead_rests_nothing_is_played(songs: list[Score]) -> None:
    rests = 0
    for song in songs:
        for k, bar in enumerate(song.bars):
            assert bar.start_beat == k * song.beats_per_bar and not bar.band and bar.chords[0][0] == 0.0
            if bar.lead_to_beats == 0.0:
                rests += 1
                assert not [n for n in song.notes["lead"] if bar.start_beat <= n.beat < bar.start_beat + bar.beats]
    assert rests > 0


def test_labels_are_the_notes_own_places() -> None:
    """A lead that is struck on every beat, exactly in time, is struck at every labelled beat."""
    for seed in range(400):
        song = write_lead_song(seed)
        on = [n for n in song.notes["lead"] if n.beat % 1 == 0 and n.shift_ms == 0.0]
        if len({n.beat for n in on}) > 0.8 * song.length_beats:
            break
    else:
        pytest.fail("no such song")
    frames = int(np.ceil((float(song.seconds(song.length_beats)) + 1.0) / song_labels.FRAME_S))
    labels = song_labels.label(song, frames)
    away = np.abs(labels["beats_s"][:, None] - labels["onsets_lead_s"][None]).min(axis=1)
    assert np.mean(away < 1e-3) > 0.7
    assert np.allclose(np.median(60.0 / np.diff(labels["beats_s"])), song.bpm, rtol=0.03)
    assert np.all(np.isin(labels["downbeats_s"], labels["beats_s"]))


def test_people_anticipate_and_leave_the_first_beat_out(songs: list[Score]) -> None:
    """Not only what falls on the beat: in some songs hardly anything does, in most something does."""
    shares = np.array([np.mean([n.beat % 1 == 0 for n in song.notes["lead"]]) for song in songs])
    assert np.sum(shares < 0.2) >= 2 and np.sum(shares > 0.5) > 40
    first = np.array([np.mean([n.beat % song.beats_per_bar < 0.1 for n in song.notes["lead"]]) for song in songs])
    assert np.sum(first < 0.02) >= 4
