"""The schema of the data of a style. Knows no notes and no sound.

Step strings: one character a step, `steps_per_beat` steps a beat. Drums: `X` accent, `x` normal, `o` soft, `g` ghost,
`.` rest. Bass: `R` root, `r` soft root, `8` octave, `5` fifth, `3` third, `7` seventh, `6` sixth, `4` fourth,
`2` second,
`a` approach to the next root, `x` dead note, `-` hold, `.` rest. Keys: `X`/`x` short, `H`/`h` held until the next,
`-` hold, `.` rest, digits: single voices (arpeggio).
Lead strum: `D`/`d` down, `U`/`u` up, `m` muted low strings, `-` or `.` ring on, `!` stop the strings.
In a compound metre (6/8, 12/8) a beat is a dotted quarter, and bass, keys and strum cells have three steps a beat.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from .score import METRES


@dataclass(frozen=True)
class Groove:
    """Drum choices for one metre: one of each list is drawn per song and kind of section, so grooves combine."""

    steps_per_beat: int
    kicks: tuple[str, ...]
    snares: tuple[str, ...]
    hats: tuple[str, ...]
    loud_hats: tuple[str, ...] = ()
    snare_pitch: int = 38
    soft_snare_pitch: int = 38
    loud_hat_pitches: tuple[int, ...] = (42, 51)
    hat_pitch: int = 42
    open_hat: tuple[str, ...] = ("",)
    extra: tuple[tuple[int, str], ...] = ()
    pedal: str = ""


@dataclass(frozen=True)
class Style:
    """A style. Lists are drawn from per song. `programs_*` hold the fixed program first."""

    name: str
    bpm: tuple[float, float]
    major: dict[str, tuple[str, ...]]
    minor: dict[str, tuple[str, ...]]
    minor_share: float
    grooves: dict[str, Groove]
    bass: dict[str, tuple[str, ...]]
    bass_steps: int
    keys: dict[str, tuple[str, ...]]
    keys_steps: int
    keys_voicing: str
    strums: dict[str, tuple[str, ...]]
    lead_modes: dict[str, float]
    strum_steps: int
    bass_program: int
    keys_program: int
    kit: int
    metres: dict[str, float] = field(default_factory=lambda: {"4/4": 1.0})
    swing_depth: float = 0.0
    swing_grid_beats: float = 0.5
    walking: float = 0.0
    kick_lock: float = 0.5
    keys_range: tuple[int, int] = (52, 79)
    other_bass_programs: tuple[int, ...] = ()
    other_keys_programs: tuple[int, ...] = ()
    other_kits: tuple[int, ...] = ()
    timing_ms: dict[str, tuple[float, float]] = field(
        default_factory=lambda: {"drums": (0.0, 4.0), "bass": (2.0, 5.0), "keys": (2.0, 7.0)}
    )
    levels_db: dict[str, float] = field(default_factory=lambda: {"drums": 0.0, "bass": 0.0, "keys": -4.0})
    fills: tuple[str, ...] = ("rock",)
    section_bars: tuple[int, ...] = (8,)
    lead_scale: str = "key"
    crash: bool = True
    lead_programs: tuple[int, ...] = ()
    short_strums_beats: float = 0.0
    metre_bpm: dict[str, tuple[float, float]] = field(default_factory=dict)

    def steps(self, kind: str, metre: str) -> int:
        """Steps a beat of this style's `bass`, `keys` or `strum` cells in a metre."""
        if METRES[metre][1]:
            return 3
        return {"bass": self.bass_steps, "keys": self.keys_steps, "strum": self.strum_steps}[kind]


def words(text: str) -> tuple[str, ...]:
    """Step strings from a text: divided by any white space."""
    return tuple(text.split())


def choices(text: str) -> tuple[str, ...]:
    """Progressions from a text: divided by `|`, white space made single."""
    return tuple(" ".join(part.split()) for part in text.split("|"))
