"""Notes of a part in one frame as tokens: the slots that the generator writes before the codec tokens.

Low in entropy where the codec's tokens are noise-like: which notes, whether they begin here, how loud. The generator
decides on music first and then on sound (the idea of a semantic stage before the acoustic one: AudioLM, Borsos 2022).
Tables only; knows no model and no thread.

Slots of one frame, each 0..SLOT_ENTRIES - 1, and -1 where nobody knows (recordings without notes):
    0  state     0 silent, 1..4 a note or hit begins in that quarter of the frame, 5..10 a note sounds on, by its age
    1  loudness  0 silent, 1..8 by the loudest note's MIDI velocity
    2..5         pitched parts: up to four notes, lowest first and then the highest ones, MIDI note - LOWEST_NOTE + 1,
                 0 none; drums: slot 2 holds the set of voices hit in the frame (a bit for each of DRUM_VOICES)
"""

from __future__ import annotations

SLOTS = 6
SLOT_ENTRIES = 128
STATE, LOUDNESS, FIRST_NOTE = 0, 1, 2
NOTE_SLOTS = SLOTS - FIRST_NOTE
LOWEST_NOTE = 12
ONSET_QUARTERS = 4
AGE_LIMITS_FRAMES = (1, 3, 7, 15, 31)
"""A note that began so many frames before is in the age class of the first limit that it does not pass."""
STATES = 1 + ONSET_QUARTERS + len(AGE_LIMITS_FRAMES) + 1
LOUDNESS_CLASSES = 8
DRUM_VOICES = ("kick", "snare", "side", "closed_hat", "cymbal", "crash", "tom")
"""General MIDI percussion in seven voices: snare with clap, side stick with shakers and other small percussion,
closed and pedal hi-hat, ride with open hi-hat, crash, toms with congas."""
_VOICE_KEYS = (
    (35, 36),
    (38, 39, 40),
    (37, 54, 56, 69, 70, 75, 76, 77, 82),
    (42, 44),
    (46, 51, 53, 59),
    (49, 52, 55, 57),
    (41, 43, 45, 47, 48, 50, 60, 61, 62, 63, 64, 65, 66),
)
VOICE_OF_KEY = {key: voice for voice, keys in enumerate(_VOICE_KEYS) for key in keys}


def age_state(age_frames: int) -> int:
    """The state of a note that began `age_frames` >= 1 frames ago."""
    older = sum(age_frames > limit for limit in AGE_LIMITS_FRAMES)
    return 1 + ONSET_QUARTERS + older


def loudness_class(velocity: int) -> int:
    """1..8 for a MIDI velocity of 1..127."""
    return 1 + min(LOUDNESS_CLASSES - 1, velocity * LOUDNESS_CLASSES // 128)


def is_onset(state: int) -> bool:
    """Whether a frame of that state has a note or hit that begins in it."""
    return 1 <= state <= ONSET_QUARTERS


def notes_of(slots: tuple[int, ...]) -> tuple[int, ...]:
    """MIDI notes that sound in a frame of a pitched part, lowest first."""
    return tuple(sorted(s + LOWEST_NOTE - 1 for s in slots[FIRST_NOTE:] if s > 0))
