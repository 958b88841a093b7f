"""A hand on the band's notes: what each part is asked for in one frame, above what it would play by itself.

Frozen values, made by whoever directs the band (the stage's commands, what is heard of the lead) and carried to the
player in `Controls.hand`. Two hands are laid over one another by `Hand.over`. The player draws the notes accordingly,
for neural voices and instruments alike; levels are done by the engine (`BandStep`). Any thread.

A frame is asked for by the moment of its first sample: it covers the input from `Playout.nominal(frame)` on, one host
frame long. That is not the stage's `start`, from which its *sound* is heard: the codec is late by some milliseconds.
"""

from __future__ import annotations

from dataclasses import dataclass

PARTS_OF_A_HAND = 3
"""Drums, bass, keys: the order of PARTS."""
DRUM_VOICES = ("kick", "snare", "side", "closed_hat", "cymbal", "crash", "tom")
"""What drums can strike, as the player's notes name it."""
MOST_LOUDER_DB, MOST_SOFTER_DB = 9.0, 60.0


@dataclass(frozen=True, slots=True)
class PartHand:
    """What one part is asked for in one frame. As it is made, it asks for nothing. Any thread."""

    rest: bool = False
    """Silent for sure: nothing begins in the frame, and what sounded ends at its beginning."""
    hold: bool = False
    """Nothing begins in the frame; what sounds may sound on or end."""
    hit_at: float | None = None
    """A note, chord or hit begins for sure at this share of the frame, in [0, 1): drawn to a quarter of the frame, and
    brought to the grid by the groove as all notes are. Chords and pitches are the part's own choice. Wins over `rest`
    and `hold`."""
    voices: tuple[str, ...] = ()
    """What the drums strike at `hit_at`, for sure: of DRUM_VOICES. Empty: what they
    like. Other parts have none."""
    sure: float = 1.0
    """How surely `hit_at` is struck: 1 for certain; below, only likelier the nearer it is to 1, and `voices`, rests and
    what else the part plays stay as they are."""
    busier: float = 0.0
    """Added to the density for this part alone: what is asked is kept within [0, 1]."""
    level_db: float = 0.0
    """How much louder or softer the part's sound is, gliding over one frame, and the notes that it gives away."""
    keep_out: tuple[int, int] | None = None
    """MIDI notes (lowest, highest) between which the part begins none if it can find others: the lead's register.
    The shipped keys know few notes outside B3 to F5 (59 to 77)."""

    def over(self, under: PartHand) -> PartHand:
        """Both at once. A hit on top wins over a rest below it, and the other way round; densities and levels add."""
        decides = self.rest or self.hold or (self.hit_at is not None and self.sure >= 1.0)
        bare = under.hit_at is None and not under.rest and not under.hold
        top = self if decides or (self.hit_at is not None and bare) else under
        return PartHand(
            top.rest,
            top.hold,
            top.hit_at,
            top.voices,
            top.sure,
            self.busier + under.busier,
            min(max(self.level_db + under.level_db, -MOST_SOFTER_DB), MOST_LOUDER_DB),
            self.keep_out or under.keep_out,
        )


_FREE = PartHand()


@dataclass(frozen=True, slots=True)
class Hand:
    """What the parts are asked for in one frame, in the order of PARTS. Any thread."""

    parts: tuple[PartHand, ...] = (_FREE,) * PARTS_OF_A_HAND

    @property
    def free(self) -> bool:
        """Whether it asks for nothing."""
        return all(part is _FREE or part == _FREE for part in self.parts)

    def over(self, under: Hand) -> Hand:
        """This hand above another: commands above what is heard of the lead."""
        if under.free:
            return self
        if self.free:
            return under
        return Hand(tuple(a.over(b) for a, b in zip(self.parts, under.parts, strict=True)))


FREE_HAND = Hand()


def all_parts(part: PartHand) -> Hand:
    """The same for every part."""
    return Hand((part,) * PARTS_OF_A_HAND)
