"""Notes of a stream: each in the stretch that it belongs to, at the caller's rate, and none left open."""

from __future__ import annotations

import math

from gigmate.engine.notes.groove_timing import TimedNote
from gigmate.engine.notes.note_changes import NoteChange, NoteChanges


def test_changes_come_with_their_stretch() -> None:
    changes = NoteChanges(0.5)
    changes.put([TimedNote(1, 40, 90, 100), TimedNote(1, 40, 0, 300), TimedNote(2, 60, 80, 250)])
    assert changes.take(0, 100, 0.0) == (NoteChange("bass", 40, 90, 50),)
    assert changes.take(100, 200, 0.0) == (NoteChange("keys", 60, 80, 125), NoteChange("bass", 40, 0, 150))
    assert changes.take(200, 300, 0.0, over=True) == (NoteChange("keys", 60, 0, 300),)


def test_what_lies_before_the_band_comes_in_is_left_out_with_its_end() -> None:
    changes = NoteChanges(1.0)
    changes.put([TimedNote(1, 40, 90, 100), TimedNote(1, 40, 0, 300), TimedNote(1, 41, 90, 300)])
    assert changes.take(0, 1000, 200.0) == (NoteChange("bass", 41, 90, 300),)


def test_what_comes_late_is_told_at_the_beginning() -> None:
    changes = NoteChanges(1.0)
    changes.put([TimedNote(0, 36, 90, 90)])
    assert changes.take(100, 200, 0.0) == (NoteChange("drums", 36, 90, 100),)


def test_a_band_that_is_not_switched_on_yet_has_no_notes() -> None:
    changes = NoteChanges(1.0)
    changes.put([TimedNote(1, 40, 90, 100), TimedNote(1, 41, 90, 300)])
    assert changes.take(0, 200, math.inf) == ()
    assert changes.take(200, 400, 250.0) == (NoteChange("bass", 41, 90, 300),)
