"""The status of the engine: one immutable snapshot, replaced by the worker after every step.

Any thread may read the latest snapshot (reading a reference is atomic); none may change it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

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
    """One snapshot of the run. Any thread."""

    state: str = "stopped"
    """"loading", "stopped", "playing", "stopping", "fallback" (the model is late or has failed), "away" (the sound
    system went away and is waited for), "ended"."""
    seconds: float = 0.0
    """Seconds of audio that the port has carried."""
    input_db: float = SILENCE_DB
    """Peak of the heard signal in the last frame, dBFS."""
    input_channels: tuple[int, ...] = (1,)
    """Those whose mean is heard, from 1."""
    channel_db: tuple[float, ...] = (SILENCE_DB,)
    """Peak of each of them in the last frame, dBFS."""
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
    tuning_hz: float = 0.0
    """What A is, as the band plays it; 0 where nobody says."""
    step_ms: float = 0.0
    """Last step of the worker."""
    step_p99_ms: float = 0.0
    frame_ms: float = 40.0
    """What a step may take before the worker falls behind for good."""
    ahead_samples: int = 0
    ahead_ms: float = 0.0
    """The same in milliseconds: so far before it is heard the band is made."""
    misses: int = 0
    """Frames that were not there when the audio thread asked for them (each covered by the last bar)."""
    miss_episodes: int = 0
    xruns: int = 0
    callbacks: int = 0
    callbacks_expected: int = 0
    chord_played: str = ""
    """The chord that the band was given for the frame made last: by hand, from the chart, foretold, or as heard."""
    chord_source: str = ""
    """Whose chord that is: "hand", "chart" or "ear"; empty where none was given."""
    hand: str = ""
    """How chords are led by hand, in words ("latched, C4 and down"); empty where they are not."""
    planned: tuple[str, ...] = ()
    """The chords of the running bar and of those to come, a bar each: its number, from 1 (of the chart, where there is
    one), and its beats, as in "5: Am . F ."; a dot is a beat on which no other chord begins."""
    planned_by: str = ""
    """"chart", or "ear": foretold; empty where nothing is planned."""
    learning: str = "off"
    """"off", "armed" (begins on the next bar line, or with your first note), "taking" (a section is played in), "round"
    (it goes round)."""
    learning_words: str = ""
    """The same in words: the bar, and the chords so far."""
    learnt_sections: tuple[str, ...] = ()
    """Of the song that is being learnt."""
    preset: str = ""
    song: str = ""
    song_number: int = 0
    """From 1; 0 without a set list."""
    songs: int = 0
    next_at_end: bool = False
    """Whether the next song waits for the end of this one."""
    section: str = ""
    """Of the chart; empty without one."""
    next_section: str = ""
    """Asked for, and begun at the next bar line."""
    fills: str = "auto"
    """Whether a fill leads into a section: "auto" (by itself), "ask" (when asked for) or "never"."""
    time_source: str = ""
    """Whom the conductor follows now: "link", "transport", "midi_clock", "loop", "tap", "tempo" (set, or
    counted in), "listener", or empty while nobody knows."""
    pending: str = ""
    """What waits for its line, soonest first: "start", "ending", "fill", "count-in", and the moves ("hit", "break",
    "build", what ends them: "back", "release" ...); empty for nothing."""
    pending_beats: float = 0.0
    """In how many beats the first of these moves comes; 0 where none waits."""
    moves: tuple[str, ...] = ()
    """What of them is on: "hit", "break", "build", "half_time_feel", "double_time_feel", "solo"."""
    holding: bool = False
    """The band is on but keeps still: the musician does not play, or no beat is found."""
    muted: tuple[bool, ...] = (False, False, False)
    levels_db: tuple[float, ...] = (0.0, 0.0, 0.0)
    band_level_db: float = 0.0
    """Of the whole band, over those of its parts."""
    sounds: tuple[str, ...] = ("neural", "neural", "neural")
    """What each part sounds with."""
    pans: tuple[float, ...] = (0.0, 0.0, 0.0)
    """Of each part, -1 left to 1 right."""
    widths: tuple[float, ...] = (0.0, 0.0, 0.0)
    rooms: tuple[float, ...] = (0.0, 0.0, 0.0)
    """How much of the room each part has."""
    compressions: tuple[float, ...] = (0.0, 0.0, 0.0)
    outputs: tuple[str, ...] = ("1,2", "1,2", "1,2")
    """The outputs that each part is heard on, as `--output` names them."""
    loop: str = ""
    """The looper: "armed", "recording", "playing", "overdubbing", "stopped"; empty without a loop."""
    loop_bars: int = 0
    """Of the loop; while it is recorded, of what is recorded so far."""
    loop_takes: int = 0
    """The first, and those played over it."""
    loop_place: float = 0.0
    """How far round it is, 0 to 1."""
    loop_waits: str = ""
    """For what: "line" (the next bar line), "tempo" (the time has another than the loop), or nothing."""
    loop_level_db: float = 0.0
    loop_muted: bool = False
    loop_heard: bool = False
    """Whether the band hears it too."""
    style: str = ""
    density: float = 0.5
    recording: str = ""
    """The file that is recorded to; empty for none."""
    midi_out: str = ""
    """Where the band's notes go as MIDI; empty for nowhere."""
    warnings: tuple[str, ...] = field(default=())
    """In words, each with its mend; newest last."""

    def __post_init__(self) -> None:
        """Plain values, whatever numpy handed in: every face and every program reads them."""
        for name in self.__slots__:
            value = getattr(self, name)
            if type(value) not in _PLAIN:
                object.__setattr__(self, name, _plain(value))


_PLAIN = (str, int, float, bool)


def _plain(value: Any) -> Any:
    if isinstance(value, tuple):
        return tuple(_plain(item) for item in value)
    return value.item() if hasattr(value, "item") else value
