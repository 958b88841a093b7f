"""MIDI files, read again by mido: notes at their seconds, bars on the band's beats, every note ended."""

from __future__ import annotations

import io
import itertools
from typing import NamedTuple

import mido
import pytest
from gigmate.sound.general_midi import programs_of
from gigmate.sound.midi_file import midi_bytes


class Note(NamedTuple):
    part: str
    pitch: int
    velocity: int
    start_s: float
    end_s: float


class Beat(NamedTuple):
    time_s: float
    number: int
    beats_per_bar: int


class Marker(NamedTuple):
    time_s: float
    text: str


def read(data: bytes) -> mido.MidiFile:
    return mido.MidiFile(file=io.BytesIO(data), charset="utf-8")


def played(file: mido.MidiFile) -> list[tuple[float, mido.Message]]:
    """(seconds, message) of the whole file, in order."""
    now, found = 0.0, []
    for message in file:
        now += message.time
        found.append((now, message))
    return found


def beats(lengths_s: list[float], first_s: float = 0.0, metre: int = 4, first_number: int = 1) -> list[Beat]:
    times_s = itertools.accumulate(lengths_s, initial=first_s)
    return [Beat(time_s, (first_number - 1 + n) % metre + 1, metre) for n, time_s in enumerate(times_s)]


@pytest.mark.parametrize("first_s", [0.0, 0.31, 1.7])
def test_notes_stand_at_their_seconds_whatever_the_tempo_does(first_s: float) -> None:
    drifting = beats([0.5 + 0.01 * (n % 7) for n in range(40)], first_s)
    notes = [Note("drums", 36, 100, 0.2 + 0.37 * n, 0.25 + 0.37 * n) for n in range(60)]
    notes += [Note("bass", 40, 80, 1.0, 1.5), Note("keys", 60, 64, 25.0, 26.0)]
    file = read(midi_bytes(notes, drifting))
    assert file.type == 1 and [track.name for track in file.tracks[1:]] == ["drums", "bass", "keys"]
    heard = [(at, m.note, m.channel) for at, m in played(file) if m.type == "note_on"]
    assert len(heard) == len(notes)
    for note in notes:
        channel = {"drums": 9, "bass": 0, "keys": 1}[note.part]
        assert (
            min(abs(at - note.start_s) for at, pitch, where in heard if (pitch, where) == (note.pitch, channel)) < 1e-3
        )


def test_every_note_that_begins_ends_before_it_begins_again() -> None:
    notes = [Note("bass", 40, 80, 0.5 * n, 0.5 * n + 0.5) for n in range(8)]
    sounding = 0
    for _, message in played(read(midi_bytes(notes))):
        if message.type in ("note_on", "note_off"):
            sounding += 1 if message.type == "note_on" else -1
            assert 0 <= sounding <= 1
    assert sounding == 0


def test_bars_are_the_bands_and_what_comes_before_the_first_is_a_bar_of_its_own() -> None:
    file = read(midi_bytes([], beats([0.5] * 16, first_s=1.0, metre=3, first_number=3)))
    metres = [(at, m.numerator) for at, m in played(file) if m.type == "time_signature"]
    assert metres == [(0.0, 3), (pytest.approx(1.5), 3)] or metres == [(0.0, 3)]
    assert sum(m.time for m in file.tracks[0] if m.type != "end_of_track") <= 17 * file.ticks_per_beat
    changing = [*beats([0.5] * 8), *beats([0.5] * 6, first_s=4.5, metre=3)]
    metres = [(at, m.numerator) for at, m in played(read(midi_bytes([], changing))) if m.type == "time_signature"]
    assert [numerator for _, numerator in metres] == [4, 3]


def test_sections_are_markers_and_sounds_are_programs() -> None:
    file = read(midi_bytes([], beats([0.5] * 8), [Marker(0.0, "Verse"), Marker(2.0, "Früh")], programs_of("funk")))
    assert [(at, m.text) for at, m in played(file) if m.type == "marker"] == [(0.0, "Verse"), (2.0, "Früh")]
    assert {m.channel: m.program for _, m in played(file) if m.type == "program_change"} == {9: 0, 0: 36, 1: 7}


@pytest.mark.parametrize(
    "odd",
    [[], [Beat(0.5, 1, 4)], [Beat(0.5, 1, 4), Beat(0.5, 2, 4), Beat(0.4, 3, 4)], [Beat(-1.0, 1, 4), Beat(90.0, 2, 4)]],
)
def test_beats_that_are_few_or_strange_make_a_file_all_the_same(odd: list[Beat]) -> None:
    file = read(midi_bytes([Note("keys", 60, 64, 2.0, 3.0)], odd))
    (at,) = [at for at, message in played(file) if message.type == "note_on"]
    assert at == pytest.approx(2.0, abs=0.02)
