"""Slots of frames to note events: begun, held, struck again and ended; drums by their voices."""

from __future__ import annotations

from gigmate.model.generator.score_tokens import LOWEST_NOTE, loudness_class
from gigmate.model.note_events import NoteEvent, NoteReader, velocity_of

FRAME = 1280
SILENT = [0] * 6


def frame(state: int, velocity: int, *pitches: int) -> list[int]:
    slots = [pitch - LOWEST_NOTE + 1 for pitch in pitches]
    return [state, loudness_class(velocity), *slots, *[0] * (4 - len(slots))]


def reader() -> NoteReader:
    return NoteReader(drums=0, parts=3, frame_samples=FRAME)


def test_a_note_begins_in_its_quarter_is_held_and_ends_with_the_rest() -> None:
    read = reader()
    assert read.read([SILENT, frame(3, 90, 40), SILENT]) == [NoteEvent(1, 40, velocity_of(loudness_class(90)), 800)]
    assert read.read([SILENT, frame(5, 90, 40), SILENT]) == []
    assert read.read([SILENT, SILENT, SILENT]) == [NoteEvent(1, 40, 0, 0)]
    assert read.read([SILENT, SILENT, SILENT]) == []


def test_the_same_note_struck_again_ends_first() -> None:
    read = reader()
    read.read([SILENT, frame(1, 90, 40), SILENT])
    again = read.read([SILENT, frame(2, 50, 40), SILENT])
    assert [(event.velocity > 0, event.offset_samples) for event in again] == [(False, 480), (True, 480)]


def test_a_chord_that_changes_keeps_the_note_that_stays() -> None:
    read = reader()
    read.read([SILENT, SILENT, frame(1, 70, 60, 64, 67)])
    events = read.read([SILENT, SILENT, frame(1, 70, 60, 65, 69)])
    assert {(event.pitch, event.velocity > 0) for event in events} == {(64, False), (67, False), (65, True), (69, True)}


def test_drums_are_keys_of_general_midi_and_end_with_the_next_frame() -> None:
    read = reader()
    hit = [2, loudness_class(120), 0b1001, 0, 0, 0]  # kick and closed hat
    events = read.read([hit, SILENT, SILENT], "rock")
    assert [(event.pitch, event.offset_samples) for event in events] == [(36, 480), (42, 480)]
    ended = read.read([[5, 0, 0, 0, 0, 0], SILENT, SILENT])
    assert [(event.pitch, event.velocity) for event in ended] == [(36, 0), (42, 0)]


def test_the_loudest_voice_of_a_frame_has_its_loudness_and_a_hat_under_it_is_softer() -> None:
    read = reader()
    both, alone = [2, loudness_class(120), 0b1001, 0, 0, 0], [2, loudness_class(120), 0b1000, 0, 0, 0]
    rock = {event.pitch: event.velocity for event in read.read([both, SILENT, SILENT], "rock") if event.velocity}
    assert rock[36] == 120 and 74 <= rock[42] <= 96  # 2 to 4 steps of loudness below the kick
    swing = {event.pitch: event.velocity for event in read.read([[2, 8, 0b10001, 0, 0, 0], SILENT, SILENT], "swing")}
    assert swing[51] == 120 and swing[36] < 80  # a kick that is felt under the ride
    assert [event.velocity for event in read.read([alone, SILENT, SILENT], "rock") if event.velocity] == [120]
    softest = reader().read([[1, 1, 0b1111111, 0, 0, 0], SILENT, SILENT], "no style")
    assert len(softest) == 7
    assert min(event.velocity for event in softest) >= 1


def test_nobody_knows_is_silence_and_reset_forgets() -> None:
    read = reader()
    assert read.read([[-1] * 6] * 3) == []
    read.read([SILENT, frame(1, 90, 40), SILENT])
    read.reset()
    assert read.read([SILENT, SILENT, SILENT]) == []


def test_velocities_are_the_middle_of_their_class() -> None:
    for velocity in range(1, 128):
        assert abs(velocity_of(loudness_class(velocity)) - velocity) <= 8


def test_notes_that_midi_does_not_have_are_none() -> None:
    assert reader().read([SILENT, frame(1, 90, 40, 128, 138), SILENT])[0].pitch == 40
    assert len(reader().read([SILENT, frame(1, 90, 40, 128, 138), SILENT])) == 1
