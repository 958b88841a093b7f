"""The arranger: songs that a musician would accept, the same from the same seed, and no two alike."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
from gigmate.training.band.arrange import lead_spans, write_song
from gigmate.training.band.form import lay_out
from gigmate.training.band.rules import faults
from gigmate.training.band.score import (
    METRES,
    PARTS,
    unwarp,
    warp,
)
from gigmate.training.band.splits import (
    HELD_KEYS,
    HELD_LEADS,
    HELD_STYLES,
    HELD_TEMPO_BPM,
    SPLITS,
    held_out_in,
)
from gigmate.training.band.style import Groove
from gigmate.training.band.styles import FIRST_STYLES, STYLE_NAMES, STYLES
from gigmate.training.sound.soundfonts import FONTS
from gigmate.training.sound.survey import fingerprint, written

SHORT = (25.0, 35.0)


@pytest.mark.parametrize("style", STYLE_NAMES)
def test_songs_of_every_style_hold_the_rules(style: str) -> None:
    for seed in range(6):
        wide = float(seed % 2)
        score = write_song(seed, styles=(style,), seconds=SHORT, sound_variety=wide, playing_variety=wide)
        assert faults(score) == []
        assert all(score.notes[part] for part in (*PARTS, "lead"))


def test_styles_cover_the_metres_and_tempos_asked_for() -> None:
    assert len(STYLE_NAMES) >= 16
    assert {m for s in STYLES.values() for m in s.grooves} == set(METRES)
    spans = [span for s in STYLES.values() for span in (s.bpm, *s.metre_bpm.values())]
    assert min(low for low, _ in spans) <= 50
    assert max(high for _, high in spans) >= 200


def test_style_numbers_of_the_first_eight_never_change() -> None:
    assert FIRST_STYLES == (
        "rock", "pop_ballad", "funk", "blues_shuffle", "reggae", "bossa_nova", "swing", "disco",
    )  # fmt: skip
    assert STYLE_NAMES[:8] == FIRST_STYLES


@pytest.mark.parametrize("style", STYLE_NAMES)
def test_every_step_string_fills_whole_bars(style: str) -> None:
    data = STYLES[style]
    assert set(data.metres) == set(data.grooves) == set(data.bass) == set(data.keys) == set(data.strums)
    for metre, groove in data.grooves.items():
        beats = METRES[metre][0]
        for name in Groove.__dataclass_fields__:
            value = getattr(groove, name)
            patterns = [p for _, p in value] if name == "extra" else [value] if isinstance(value, str) else value
            for pattern in patterns if name in ("kicks", "snares", "hats", "loud_hats", "pedal", "extra") else ():
                assert len(pattern) % (beats * groove.steps_per_beat) == 0, (metre, name, pattern)
        for kind, cells in (("bass", data.bass), ("keys", data.keys), ("strum", data.strums)):
            for cell in cells[metre]:
                assert len(cell) % (beats * data.steps(kind, metre)) == 0, (metre, kind, cell)


def test_every_progression_can_be_laid_out_in_its_metre() -> None:
    rng = np.random.default_rng(0)
    for style in STYLES.values():
        for metre in style.metres:
            for minor in (False, True):
                for key in range(12):
                    bars = lay_out(rng, style, key, minor, METRES[metre][0], 24)
                    assert all(0.0 <= at < bar.beats for bar in bars for at, _ in bar.chords)


def test_same_seed_same_song_and_another_seed_another() -> None:
    first, again = (write_song(3, styles=("funk",), seconds=SHORT) for _ in range(2))
    assert first.notes == again.notes
    assert np.array_equal(first.beat_times_s, again.beat_times_s)
    assert write_song(3, "validation", ("funk",), seconds=SHORT).notes != first.notes


def test_no_two_songs_are_alike() -> None:
    prints = {fingerprint(write_song(seed, seconds=SHORT)) for seed in range(120)}
    assert len(prints) == 120


@pytest.mark.slow
def test_no_two_of_a_thousand_songs_are_alike_and_none_has_a_fault() -> None:
    found = written(range(1000))
    assert found["distinct"] == 1000
    assert found["faults"] == []


def test_the_band_enters_a_bar_after_the_lead_and_stops_a_bar_after_it() -> None:
    stops = 0
    for seed in range(30):
        score = write_song(seed)
        for before, bar in itertools.pairwise(score.bars):
            heard = min(before.lead_to_beats, before.beats) > before.lead_from_beats
            assert heard or not bar.band
            stops += before.band and not bar.band
    assert stops > 10


def test_the_lead_sounds_soon_after_each_of_its_spans_begins() -> None:
    for seed in range(20):
        score = write_song(seed)
        starts = np.array([n.beat for n in score.notes["lead"]])
        for begin, end in lead_spans(score.bars):
            assert np.any((starts >= begin - 1e-6) & (starts < min(end, begin + 1.0))), (seed, begin)


def test_drummer_keeps_the_backbeat_of_a_rock_song() -> None:
    score = write_song(1, styles=("rock",), seconds=SHORT)
    bars = [b for b in score.bars[:-1] if b.parts[0] and not b.fill_beats]
    snares = {round(n.beat, 3) for n in score.notes["drums"] if n.pitch == 38 and n.velocity > 60}
    hit = [b for b in bars if {b.start_beat + 1.0, b.start_beat + 3.0} <= snares]
    assert len(hit) > 0.9 * len(bars)


def test_walking_bass_walks_and_lands_on_roots() -> None:
    lines = [write_song(seed, styles=("swing",), seconds=SHORT) for seed in range(8)]
    walked = [s for s in lines if s.metre == "4/4" and len(s.notes["bass"]) > 3.6 * sum(b.parts[1] for b in s.bars)]
    assert walked
    for score in walked:
        bass = sorted(score.notes["bass"], key=lambda n: n.beat)
        steps = [abs(a.pitch - b.pitch) for a, b in itertools.pairwise(bass)]
        assert np.mean(np.array(steps) <= 4) > 0.6


def test_a_walking_line_beside_its_lowest_note_still_finds_a_way_to_it() -> None:
    taught = tuple(style for style in STYLE_NAMES[:19] if style not in HELD_STYLES)
    score = write_song(100848, styles=taught, sound_variety=0.5, playing_variety=0.5)
    assert score.style == "swing"
    assert faults(score) == []


def test_bass_and_lead_lock_with_the_kick_in_metal() -> None:
    shares: dict[str, list[float]] = {"bass": [], "lead": []}
    for seed in range(12):
        score = write_song(seed, styles=("metal",), seconds=SHORT)
        kicks = {round(n.beat, 2) for n in score.notes["drums"] if n.pitch == 36}
        band = [b for b in score.bars if all(b.parts[:2]) and not b.fill_beats]
        spans = [(b.start_beat, b.start_beat + b.beats) for b in band]
        for part in ("bass", "lead") if score.lead_mode == "power" else ("bass",):
            onsets = {round(n.beat, 2) for n in score.notes[part]}
            inside = [t for t in onsets if any(a <= t < e for a, e in spans)]
            shares[part].append(float(np.mean([t in kicks for t in inside])))
    assert np.mean(shares["bass"]) > 0.6
    assert np.mean(shares["lead"]) > 0.6


def test_swing_bends_only_the_offbeat_and_can_be_undone() -> None:
    assert warp(2.0, 2 / 3, 0.5) == 2.0
    assert warp(2.5, 2 / 3, 0.5) == pytest.approx(2 + 2 / 3)
    assert warp(2.5, 0.5, 0.5) == 2.5
    for third in (1 / 3, 2 / 3):
        assert warp(4 + unwarp(third, 0.62), 0.62, 0.5) == pytest.approx(4 + third)


def test_held_out_things_stay_out_of_training_and_are_in_their_splits() -> None:
    for seed in range(60):
        score = write_song(seed, seconds=SHORT)
        meta = {"style": score.style, "bpm": score.bpm, "key": score.key, "programs": score.programs, "font": "fluid"}
        assert held_out_in(meta) == ()
        assert {held_out_in({**meta, "font": font.name}) for font in FONTS if font.held_out} == {("held_font",)}
        assert all(b.key not in HELD_KEYS for b in score.bars)
    low, high = HELD_TEMPO_BPM
    for seed in range(5):
        assert write_song(seed, "held_style", seconds=SHORT).style in HELD_STYLES
        assert low <= write_song(seed, "held_tempo", seconds=SHORT).bpm <= high
        assert write_song(seed, "held_key", seconds=SHORT).key in HELD_KEYS
        assert write_song(seed, "held_lead", seconds=SHORT).programs["lead"] in HELD_LEADS


def test_sounds_are_fixed_per_style_until_variety_is_asked_for() -> None:
    for name in FIRST_STYLES:
        fixed = {tuple(write_song(s, styles=(name,), seconds=SHORT).programs[p] for p in PARTS) for s in range(4)}
        assert fixed == {(STYLES[name].kit, STYLES[name].bass_program, STYLES[name].keys_program)}
    varied = {write_song(s, styles=("rock",), seconds=SHORT, sound_variety=1.0).programs["keys"] for s in range(20)}
    assert len(varied) > 1


def test_playing_variety_changes_the_tempo_inside_a_song() -> None:
    def spread(variety: float) -> float:
        ratios = []
        for seed in range(12):
            times = write_song(seed, styles=("rock",), playing_variety=variety).beat_times_s
            ratios.append(np.diff(times).max() / np.diff(times).min())
        return float(np.max(ratios))

    assert spread(1.0) > spread(0.0) + 0.03


def test_wrong_names_are_answered_with_the_ones_that_exist() -> None:
    with pytest.raises(ValueError, match="known: train"):
        write_song(0, "training")
    with pytest.raises(ValueError, match="known: rock"):
        write_song(0, styles=("polka",))
    assert set(SPLITS) >= {"train", "validation", "test"}
