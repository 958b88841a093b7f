"""What the engine says of itself: one immutable snapshot, replaced whole by the worker after every step.

Any thread may read the latest snapshot (reading a reference is atomic); none may change it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

SILENCE_DB = -120.0
NOTE_NAMES = ("C", "Db", "D", "Eb", "E", "F", "F#", "G", "Ab", "A", "Bb", "B")


def chord_name(root: int, pitch_classes: Sequence[float]) -> str:
    """Root and third as heard ("Am", "F#"); empty for root -1. `pitch_classes`: 12 probabilities, C first."""
    if root < 0:
        return ""
    minor, major = pitch_classes[(root + 3) % 12], pitch_classes[(root + 4) % 12]
    return NOTE_NAMES[root] + ("m" if minor > major else "")


@dataclass(frozen=True, slots=True)
class Status:
    state: str = "stopped"
    """"loading", "stopped", "playing", "stopping", "fallback" (the model is late or has failed), "ended"."""
    seconds: float = 0.0
    """Seconds of audio that the port has carried."""
    input_db: float = SILENCE_DB
    """Peak of the heard signal in the last frame, dBFS."""
    output_db: float = SILENCE_DB
    part_db: tuple[float, ...] = (SILENCE_DB, SILENCE_DB, SILENCE_DB)
    bar: int = 0
    beat: int = 0
    """Beat within the bar, from 1; 0 while unknown."""
    beats_per_bar: int = 4
    beat_phase: float = 0.0
    tempo_bpm: float = 0.0
    confidence: float = 0.0
    chord: str = ""
    """As heard, in plain spelling ("Am", "F#"); empty where none is known."""
    step_ms: float = 0.0
    """Last step of the worker."""
    step_p99_ms: float = 0.0
    frame_ms: float = 40.0
    """What a step may take before the worker falls behind for good."""
    ahead_samples: int = 0
    misses: int = 0
    """Frames that were not there when the audio thread asked for them (each covered by the last bar)."""
    miss_episodes: int = 0
    xruns: int = 0
    callbacks: int = 0
    callbacks_expected: int = 0
    warnings: tuple[str, ...] = field(default=())
    """In words, each with its mend; newest last."""
