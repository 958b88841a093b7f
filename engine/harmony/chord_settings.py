"""The settings of chord tracking. A frozen value; any thread."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class ChordSettings:
    """How chords and keys are read, remembered and foretold (chord_tracker.py). Any thread."""

    chord_lag_s: float = 0.07
    """How long after a change the listener's answer turns."""
    chord_ahead_s: float = 0.08
    """How much later a moment's chord is than the moment: as the generator was taught."""
    chord_weight: float = 0.13
    """What a frame of 40 ms says of the chord: its log likelihood times this, since frames say much the same."""
    reading_weight: float = 0.6
    foretelling_weight: float = 0.4
    key_reading_weight: float = 0.4
    """What the harmonist's chord of a half-beat, its chords to come and its key say: exponents of what it believes."""
    melody_weight: float = 0.5
    """What the notes that are played say beside the harmonist, as an exponent."""
    chord_margin: float = 0.1
    """By how much another chord must be likelier than the one that sounds."""
    repeat_prior: float = 0.4
    repeat_forget: float = 0.01
    """How likely songs repeat themselves, and how soon in a half-beat one leaves off."""
    key_change: float = 0.0005
    """Probability that the key changes within a half-beat."""
    tones_time_s: float = 1.0
