"""Balance and touch, on sound whose figures are known beforehand."""

from __future__ import annotations

import math
from pathlib import Path

import numpy as np
import pytest
from gigmate.dsp.loudness_meter import integrated_lufs
from gigmate.training.evaluate.sound.balance import HEADROOM_DB, balance_of, table_source
from gigmate.training.evaluate.sound.takes import PARTS, RATE_HZ, Note, Take, both_sides, load_take, save_take
from gigmate.training.evaluate.sound.touch import above_16_khz_db, alone, register, touch_of, velocity_class

SECONDS = 8


def noise(level_db: float, seed: int = 0) -> np.ndarray:
    sound = np.random.default_rng(seed).standard_normal(SECONDS * RATE_HZ)
    return (10 ** (level_db / 20) * sound).astype(np.float32)


def take(heard_db: tuple[float, ...], written_db: tuple[float, ...]) -> Take:
    parts = {part: both_sides(noise(db, seed)) for seed, (part, db) in enumerate(zip(PARTS, heard_db, strict=True))}
    written = {part: noise(db, seed) for seed, (part, db) in enumerate(zip(PARTS, written_db, strict=True))}
    return Take("one", "rock", parts, (Note("keys", 60, 100, 0.5, 1.0),), written)


def fader(parts: np.ndarray, style: str, trims_db: tuple[float, ...]) -> np.ndarray:
    gains = 10 ** (np.array(trims_db) / 20)
    return (parts * gains[:, None, None]).astype(np.float32)


def test_trims_bring_every_part_to_where_it_was_written() -> None:
    found = balance_of("rock", [take((-30, -20, -40), (-25, -25, -30))], fader, lambda parts, _: parts)
    np.testing.assert_allclose(found.trims_db, np.array([5.0, -5.0, 10.0]) - HEADROOM_DB, atol=0.11)
    np.testing.assert_allclose(found.after_lu, 0.0, atol=0.11)
    assert max(found.before_lu) == pytest.approx(found.before_lu[1])
    assert found.after["lufs"] == pytest.approx(integrated_lufs(noise(-25 - HEADROOM_DB), RATE_HZ) + 3.0, abs=5.0)
    kept = balance_of("rock", [take((-30, -20, -40), (-25, -25, -30))], fader, lambda parts, _: parts, (0.0,) * 3)
    assert kept.trims_db == (0.0, 0.0, 0.0) and abs(kept.after_lu[2]) > 5.0


def test_the_table_reads_as_it_was_written() -> None:
    scope: dict[str, object] = {}
    exec(table_source({"neural": {"rock": (1.0, -2.5, 0.0)}}, "a command"), scope)
    assert scope["TRIMS_DB"] == {"neural": {"rock": (1.0, -2.5, 0.0)}}


def test_a_take_comes_back_from_its_file(tmp_path: Path) -> None:
    one = take((-30, -30, -30), (-30, -30, -30))
    save_take(one, tmp_path / "one.npz")
    back = load_take(tmp_path / "one.npz")
    assert (back.name, back.style, back.notes) == (one.name, one.style, one.notes)
    np.testing.assert_array_equal(back.parts["bass"], one.parts["bass"])
    np.savez(tmp_path / "other.npz", a=np.zeros(1))
    with pytest.raises(ValueError, match="no take"):
        load_take(tmp_path / "other.npz")


def hits(rise_s: float, decay_s: float, db_for_velocity: float) -> tuple[np.ndarray, tuple[Note, ...]]:
    """A snare every half second, softer and louder by turns: a tone that rises and falls by 60 dB in `decay_s`."""
    sound, notes = np.zeros(SECONDS * RATE_HZ), []
    time_s = np.arange(int(0.4 * RATE_HZ)) / RATE_HZ
    shape = np.minimum(1.0, time_s / rise_s) * 10 ** (-3.0 * np.maximum(0.0, time_s - rise_s) / decay_s)
    for count in range(14):
        velocity, start_s = (40, 120)[count % 2], 0.5 + 0.5 * count
        gain = 0.5 * 10 ** ((velocity - 127) / 80 * db_for_velocity / 20)
        first = round(start_s * RATE_HZ)
        sound[first : first + time_s.size] += gain * shape * np.sin(2 * math.pi * 1000 * time_s)
        notes.append(Note("drums", 38, velocity, start_s, start_s + 0.02))
    return sound, tuple(notes)


def test_touch_tells_range_rise_and_decay() -> None:
    for rise_s, decay_s, range_db in ((0.002, 0.3, 20.0), (0.012, 0.15, 3.0)):
        sound, notes = hits(rise_s, decay_s, range_db)
        row = touch_of(sound, notes, "snare").row()
        assert row["hits"] == 14
        assert row["range_db"] == pytest.approx(range_db, abs=0.2)
        assert row["rise_ms"] == pytest.approx(800 * rise_s, abs=1.0)
        assert row["decay_ms"] == pytest.approx(1000 * decay_s / 3, abs=12.0)
    assert touch_of(sound, notes, "hat").row()["range_db"] is None


def test_a_hit_beside_another_is_left_out_and_a_chord_is_one() -> None:
    notes = (
        Note("drums", 38, 100, 1.0, 1.02), Note("drums", 45, 100, 1.03, 1.05), Note("drums", 38, 100, 2.0, 2.02),
        Note("drums", 42, 90, 2.0, 2.02), Note("keys", 60, 80, 3.0, 3.5), Note("keys", 64, 100, 3.01, 3.5),
    )  # fmt: skip
    assert [note.start_s for note, _ in alone(notes, "snare")] == [2.0]
    assert [(note.pitch, note.velocity) for note, _ in alone(notes, "keys")] == [(64, 100)]
    assert not list(alone(notes, "hat")), "beside a snare a hat cannot be measured"
    assert [velocity_class(v) for v in (1, 15, 16, 127)] == [1, 1, 2, 8]


def test_the_register_of_the_keys_is_told_beside_the_bass_of_the_same_take() -> None:
    one = (Note("keys", 64, 80, 0.0, 1.0), Note("keys", 46, 80, 0.0, 1.0), Note("bass", 43, 90, 0.5, 2.0))
    other = (Note("keys", 59, 80, 0.0, 2.0), Note("bass", 53, 90, 0.0, 2.0))
    found = register([one, other])
    assert found == {"median_pitch": 59.0, "below_c4": 2 / 3, "below_c3": 1 / 3, "near_bass": 0.5 / 4.0}
    assert register([(Note("drums", 36, 80, 0.0, 1.0),)])["median_pitch"] is None


def test_air_is_what_lies_above_16_khz() -> None:
    time_s = np.arange(RATE_HZ) / RATE_HZ
    low, high = np.sin(2 * math.pi * 1000 * time_s), np.sin(2 * math.pi * 18_000 * time_s)
    assert above_16_khz_db(low) == -90.0
    assert above_16_khz_db(low + 0.1 * high) == pytest.approx(-20.0, abs=0.2)
