"""What frames say of the chord, half-beats that are read by a harmonist, and what is made of the reading."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
import pytest
from gigmate.dsp.half_beat import HalfBeat
from gigmate.dsp.log_probability import pitch_class_log_odds, root_log_probabilities
from gigmate.engine.commands import SetControl
from gigmate.engine.harmony import chord_evidence
from gigmate.engine.harmony.chord_evidence import HalfBeatHeard
from gigmate.engine.harmony.chord_settings import ChordSettings
from gigmate.engine.harmony.chord_tracker import ChordTracker
from gigmate.engine.timing.conductor import Conductor
from gigmate.engine.timing.conductor_settings import BarSettings

from ..performance import in_four

FRAME_S = 0.04
FRAMES_PER_BEAT = 12
C, A_MINOR = 0, 9 + 12


def frame(root: int, minor: bool) -> tuple[np.ndarray, np.ndarray]:
    roots, classes = np.full(13, 0.02, np.float32), np.full(12, 0.1, np.float32)
    roots[root] = 0.76
    classes[[root, (root + 7) % 12, (root + (3 if minor else 4)) % 12]] = 0.9
    return roots, classes


@pytest.mark.parametrize("minor", [False, True])
def test_a_frame_says_its_chord_in_every_key(minor: bool) -> None:
    said = []
    for root in range(12):
        roots, classes = frame(root, minor)
        evidence = chord_evidence.of_frame(root_log_probabilities(roots), pitch_class_log_odds(classes))
        assert int(evidence[:24].argmax()) == root + 12 * minor
        said.append(np.roll(evidence[:24].reshape(2, 12), -root, axis=1))
    np.testing.assert_allclose(said, said[:1] * 12, atol=1e-5)


def test_a_half_beat_is_the_mean_of_what_was_heard_of_it() -> None:
    heard = HalfBeatHeard()
    assert heard.trust == 0.0
    assert not heard.means()[0].any()
    loud, soft = np.ones(13), np.full(13, 5.0)
    heard.add(loud, np.ones(12), np.zeros(12, np.float32), 1.0, FRAME_S)
    heard.add(soft, np.zeros(12), np.ones(12, np.float32), 0.0, FRAME_S)
    heard.add(soft, np.zeros(12), np.ones(12, np.float32), 0.5, 2 * FRAME_S)
    roots, classes, played = heard.means()
    assert (roots[0], classes[0], played[0]) == (pytest.approx(3.0), pytest.approx(0.5), pytest.approx(0.5))
    assert (heard.trust, heard.length_s) == (pytest.approx(0.5), pytest.approx(4 * FRAME_S))
    heard.clear()
    assert heard.length_s == 0.0


@dataclass
class Says:
    chord: np.ndarray
    key: np.ndarray
    next: np.ndarray
    after: np.ndarray


@dataclass
class Reader:
    """A harmonist that is sure of what it is told to say."""

    chord: int = C
    next: int = C
    after: int = C
    key: int = C
    given: list[HalfBeat] = field(default_factory=list)
    styles: list[str | None] = field(default_factory=list)
    resets: int = 0

    def reset(self) -> None:
        self.resets += 1

    def set_style(self, style: str | None) -> None:
        self.styles.append(style)

    def read(self, given: HalfBeat) -> Says:
        self.given.append(given)

        def sure(number: int) -> np.ndarray:
            found = np.full(24, 1e-3, np.float32)
            found[number] = 1.0 - 23e-3
            return found

        return Says(sure(self.chord), sure(self.key), sure(self.next), sure(self.after))


def hear(tracker: ChordTracker, beats: int, start: int = 0, root: int = C, minor: bool = False) -> None:
    roots, classes = frame(root, minor)
    for number in range(start * FRAMES_PER_BEAT, (start + beats) * FRAMES_PER_BEAT):
        beat = number / FRAMES_PER_BEAT
        tracker.hear(roots, classes, np.zeros(12, np.float32), in_four(beat), 0.8, FRAME_S, 1.0)


def test_every_half_beat_is_read_once_with_its_place() -> None:
    reader = Reader()
    tracker = ChordTracker(ChordSettings(), BarSettings().metres, reader)
    hear(tracker, 9)
    assert [row.slot for row in reader.given] == [*range(8), *range(8), 0][: len(reader.given)]
    assert len(reader.given) == 17
    for row in reader.given:
        assert row.trust == pytest.approx(1.0)
        assert row.length_s == pytest.approx(FRAMES_PER_BEAT // 2 * FRAME_S)
        assert (row.slots_per_bar, row.bar_confidence) == (8, 0.8)
        np.testing.assert_allclose(row.roots, root_log_probabilities(frame(C, False)[0]))


def test_half_beats_that_were_skipped_are_read_as_not_heard() -> None:
    reader = Reader()
    tracker = ChordTracker(ChordSettings(), BarSettings().metres, reader)
    hear(tracker, 1)
    hear(tracker, 1, start=3)
    assert [row.trust for row in reader.given] == pytest.approx([1.0, 1.0, 0.0, 0.0, 0.0, 0.0, 1.0])


def test_the_reader_is_believed_more_than_the_frames() -> None:
    reader = Reader(chord=A_MINOR, next=A_MINOR, after=A_MINOR, key=A_MINOR)
    tracker = ChordTracker(ChordSettings(reading_weight=2.0, foretelling_weight=1.0), BarSettings().metres, reader)
    hear(tracker, 4)
    assert tracker.chord.root == 9
    assert tracker.key()[:2] == (9, True)


def test_what_is_read_to_follow_is_foretold() -> None:
    followed = []
    for after in (C, 7):
        reader = Reader(after=after)
        tracker = ChordTracker(ChordSettings(foretelling_weight=1.5), BarSettings().metres, reader)
        hear(tracker, 8)
        followed.append(tracker.ahead(8.25).root)
    assert followed == [C, 7]


def test_a_conductor_tells_its_reader_the_style_and_when_to_forget() -> None:
    reader = Reader()
    conductor = Conductor(32_000.0, harmonist=reader)
    conductor.obey(SetControl("style", "swing"), 0.0)
    assert reader.styles == [None, "swing"], "a reader that others had before knows no style"
    before = reader.resets
    conductor.reset()
    assert reader.resets == before + 1
    assert reader.styles[-1] == "swing"
