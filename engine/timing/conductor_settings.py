"""All settings of the conductor as frozen values: one for each of its parts, and one that contains them all.

The defaults were found on simulated activations; those of tempo votes and bars on what the listener says of held-out
songs (docs/results/listener.md). Any thread.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from ..errors import ConfigError
from ..harmony.chord_settings import ChordSettings


@dataclass(frozen=True, slots=True)
class TempoRange:
    """Tempi that are possible. Any thread."""

    lowest_bpm: float = 44.4
    highest_bpm: float = 220.0

    def __post_init__(self) -> None:
        if not 20.0 <= self.lowest_bpm < self.highest_bpm <= 400.0:
            raise ConfigError(f"tempi from {self.lowest_bpm} to {self.highest_bpm} bpm: give a range within 20 to 400")


@dataclass(frozen=True, slots=True)
class BeatFilterSettings:
    """The forward filter over tempo and beat phase (beats/bar_pointer.py). Any thread."""

    tempo_step: float = 0.02
    """Spacing of the tempi, as a ratio less one."""
    phase_bins: int = 96
    centre_bpm: float = 118.0
    spread_octaves: float = 0.9
    """Where tempi lie before anything is heard: a bump in log tempo, this wide."""

    # Beat filter: how the beat moves (per second, so that the frame's length does not matter)
    tempo_walk: float = 0.012
    """Standard deviation of log tempo after a second."""
    jump_rate_hz: float = 0.12
    """Sudden changes of tempo a second, of about `jump_size`."""
    jump_size: float = 0.11
    phase_walk_s: float = 0.012
    """Standard deviation of the phase after a second."""
    forget_rate_hz: float = 0.01
    """Share of the belief spread over everything each second while no beat is held."""
    forget_rate_held_hz: float = 0.0005

    # Beat filter: what an activation says
    peak_width_s: float = 0.014
    evidence_weight: float = 0.28
    evidence_high: float = 2.6
    evidence_low: float = -1.5
    """Bounds of the log likelihood ratio of a sub-frame before the weight."""
    activation_floor: float = 0.02
    doubt_floor: float = 0.15
    """Even an activation of 1 is as doubtful as this: bounds the odds from above, as the floor does from below."""
    even_level: float = 0.23
    """The activation that says nothing either way, as a share of the recent peaks' height."""
    level_at_start: float = 0.5
    level_least: float = 0.15
    """Activations that never rise above noise are not taken for peaks."""
    level_rise_s: float = 0.3
    level_fall_s: float = 12.0
    """How fast the recent peaks' height is learnt and forgotten; without peaks little by little nothing is a miss."""
    tempo_vote_weight: float = 0.06
    """Weight of the listener's own tempo distribution (where it gives one), for each frame."""

    # The style that the band plays
    style_reach_octaves: float = 0.4
    """Tempi so far outside of what the style is counted at are held against in full."""
    style_prior_nats: float = 2.5
    style_penalty_hz: float = 1.0
    """By how much less likely they are before anything is heard (nats), and how fast they go on losing belief while
    no beat is held firmly (nats a second)."""
    off_beat_nats: float = 0.5
    """What a note that is struck says for the place between the beats, in styles that strike there."""
    half_share: float = 0.8
    third_share: float = 0.6
    """What a beat that is heard says for the one half a beat before it, where the style does not count so fast; in
    styles of triplets for those a third and two thirds before."""

    # Octave inertia
    near_ratio: float = 0.28
    """Tempi further from the held one than this (natural log) are another reading, not a change of tempo."""
    far_penalty_hz: float = 0.9
    """How fast such readings lose belief while a beat is held, in nats a second."""


@dataclass(frozen=True, slots=True)
class KalmanSettings:
    """The Kalman filters over beat and tempo, and the peaks that they are fed (beats/beat_kalman.py). Any thread."""

    gate_beats: float = 0.2
    """Peaks further from the line than this are not its beats."""
    peak_threshold: float = 0.15
    peak_error_s: float = 0.016
    """Of a usual peak; a low one is vaguer."""
    rate_walks: tuple[float, float] = (0.0005, 0.01)
    """Standard deviation of the relative tempo of the line after a second: of who keeps a tempo, and of who drifts."""
    drifting_share: float = 0.5
    """How many drift."""
    drift_turn_hz: float = 0.03
    """How often one forgets which of them the musician was."""
    line_phase_walk_s: float = 0.015


def _tapped_kalman() -> KalmanSettings:
    """Of a line that was tapped against what the ear held: what is heard is vaguer than it thought."""
    return KalmanSettings(peak_error_s=0.03, rate_walks=(0.0005, 0.01), line_phase_walk_s=0.01)


@dataclass(frozen=True, slots=True)
class AttackSettings:
    """Taps beside what is heard (beats/tapped_line.py, beats/attack_lead.py). Any thread."""

    confirm_s: float = 0.027
    """Taps that lie this near to the beats that the ear was sure of confirm them."""
    sure: float = 0.5
    """Confidence from which it was."""
    most_s: float = 0.08
    """Attacks are heard at most so far beside the beats."""
    usual_s: float = 0.04
    """The standard deviation of that."""
    fitted_s: float = 0.003
    """How exactly it is known once it is fitted, and how far it wanders in a second from then on."""
    walk_s: float = 0.0002
    error_s: float = 0.025
    """Standard deviation of a single attack."""
    window_s: float = 8.0
    """The fit rests on so much before the taps, and on so much after them."""
    fit_s: float = 10.0
    fit_weight: float = 0.6
    """What a peak counts for, in nats."""
    tap_error: float = 0.02
    """Relative error of the tempo of four taps, and of one that the ear held, which counts for so many nats."""
    held_error: float = 0.004
    held_nats: float = 3.0
    tap_error_s: float = 0.01
    sloppy: float = 1.5
    """A lead below that error of the taps' place, and that many times their unevenness, is theirs."""


@dataclass(frozen=True, slots=True)
class TempoChangeSettings:
    """Peaks in a row that keep another tempo (beats/tempo_change.py). Any thread."""

    run_peaks: int = 3
    run_height: float = 0.6
    run_uneven: float = 0.06
    run_apart: tuple[float, float] = (0.04, 0.17)
    """So many peaks in a row of at least that height, with gaps that differ by no more than that share, are a new tempo
    if it is so far from the line's (log tempo)."""


@dataclass(frozen=True, slots=True)
class LockSettings:
    """When a beat is held, lost, or left for another (beats/beat_tracker.py). Any thread."""

    inertia_beats: tuple[float, float] = (12.0, 40.0)
    """Beats met until a reading is held with some, and with full inertia: a first guess may be put right."""
    bound_inertia: float = 6.0
    """Inertia of a tempo that was tapped or asked for: its octave is not the listener's to choose."""
    switch_beats: float = 8.0
    """How long another reading must dominate before it takes over a held beat."""
    rival_beats: float = 0.07
    rival_tempo: float = 0.045
    """Distance (beats; log tempo) at which the filter's belief counts as another line than the held one."""
    rival_patience_beats: float = 0.75
    lock_mass: float = 0.5
    lock_hits: float = 1.2
    """Beats met by a peak that a lock needs."""
    lost_confidence: float = 0.2
    sure_bar: float = 0.5
    """Belief in the downbeat from which the band waits for it."""
    sure_confidence: float = 0.3
    """From here on the band plays out, and time may only glide."""
    silence_bars: float = 8.0
    """After this many bars without a beat heard the confidence is gone."""
    hit_memory_beats: float = 8.0
    given_rest_s: float = 20.0
    """What the musician said of the count holds until they have rested for so long."""


@dataclass(frozen=True, slots=True)
class ReadingSettings:
    """Rival readings of the held beat (beats/metrical_readings.py, beats/rival_readings.py).

    The weights are those of a logistic model over readings, fitted to leads that other people wrote, comping of
    another program and made songs (docs/results/foreign.md). Any thread.
    """

    window_s: float = 16.0
    """Of what was heard, readings are weighed by so much."""
    least_s: float = 5.0
    vote_memory_s: float = 8.0
    centre_bpm: float = 115.0
    lowest_bpm: float = 48.0
    highest_bpm: float = 220.0
    quarter_weight: float = 0.93
    struck_weight: float = 2.93
    turn_weight: float = 2.14
    bar_weight: float = 3.74
    downbeat_weight: float = 1.1
    tempo_weight: float = 0.63
    usual_weight: float = 0.51
    style_nats: float = 2.5
    """What tempi .4 octaves or further outside of the style's lose."""
    bound_ratio: float = 0.18
    """Natural log: tempi further from the one that was asked for are not its level."""
    held_nats: float = 1.0
    """What the held reading has before any evidence."""
    double_nats: float = 0.2
    other_nats: float = 7.0
    switch_rounds: int = 5
    """Another reading takes over once it has been ahead by so much for so many rounds (of about a second). Comping that
    is counted at half its tempo is told well; other readings are as often wrong as right unless they are far ahead."""
    again_nats: float = 1.5
    """By so much more after each change."""
    doubt_nats: float = 0.5
    patience_beats: float = 6.0
    """So long the beat filter must insist on a reading that is this far behind the held one."""


@dataclass(frozen=True, slots=True)
class MetreSettings:
    """What the metre network is asked, and what is made of its answers (beats/long_memory/). Any thread."""

    window_s: float = 64.0
    least_s: float = 8.0
    least_beats: int = 12
    unheard_share: float = 0.5
    """Weight of its answer without the listener's beats, beside the one with them."""
    shift_nats: float = 1.0
    shift_rounds: int = 3
    """The beats move to another quarter once that has been so much likelier for so many answers on end, about a second
    apart."""
    seek_share: float = 0.6
    seek_rounds: int = 3
    """While no beat is locked, a steady one is followed whose place has been so sure for so many answers."""


@dataclass(frozen=True, slots=True)
class SteadySettings:
    """Steady tempi over a long time (beats/steady_tempo.py). Any thread."""

    window_s: float = 24.0
    lowest_bpm: float = 50.0
    highest_bpm: float = 215.0
    tempo_step: float = 0.004
    """Natural log."""
    evidence_weight: float = 1.5
    centre_bpm: float = 118.0
    spread_octaves: float = 0.9
    usual_weight: float = 1.0
    vote_weight: float = 1.0
    least_s: float = 10.0
    recent_s: float = 6.0
    """By the last of it the held beat must be no better: who has changed the tempo is not taken back."""
    double_share: float = 0.8
    """Twice the held tempo is believed only where what is between its beats is as much of a beat."""
    switch_nats: float = 4.0
    switch_rounds: int = 3
    """Another steady beat takes over where the held one has been so far behind it for so many rounds of a second."""


@dataclass(frozen=True, slots=True)
class BarSettings:
    """The forward filter over the place in the bar (beats/bar_pointer.py). Any thread."""

    style_metre_share: float = 0.7
    """How much of the metres' weights is the style's."""
    metres: tuple[int, ...] = (2, 3, 4, 5)
    metre_weights: tuple[float, ...] = (0.05, 0.25, 0.65, 0.05)
    beat_slip: float = 0.001
    metre_change: float = 0.0005
    downbeat_weight: float = 1.2
    chord_turn_weight: float = 0.4
    first_note_weight: float = 1.0
    """What the first note says for its beat as a downbeat, in nats: it may as well be a pickup."""
    bar_switch: float = 0.85
    """Belief that another beat is the downbeat, before the bars move."""

    def __post_init__(self) -> None:
        if not self.metres or len(self.metres) != len(self.metre_weights) or min(self.metres) < 1:
            raise ConfigError("metres: give at least one number of beats, and as many weights as metres")


@dataclass(frozen=True, slots=True)
class TimelineSettings:
    """How the musical time that the band is given closes on the tracked one (timeline.py). Any thread."""

    glide_s: float = 0.1
    """Time constant with which the moment closes on the line."""
    slew: float = 0.12
    """Most that a correction may change the tempo by, as a share, toward any source but the ear, and on the way from
    one to another."""
    ear_slew: float = 0.3
    far_beats: float = 0.3
    """The same while the ear is followed and the moment is so far off or further, so that a musician who changes the
    tempo is met sooner; nearer by, less."""
    ending_slew: float = 0.8
    """The same while a song ends with the musician: time may all but wait."""
    commit_ahead_s: float = 1.2
    """Moments asked further than this beyond what was heard are guesses that bind nothing."""


@dataclass(frozen=True, slots=True)
class PlayingSettings:
    """Whether the musician plays. Any thread."""

    activity_on: float = 0.5
    activity_off: float = 0.3
    hold_bars: float = 0.6
    """Silence that still counts as playing: who stops on a bar line takes the band along on the next one."""
    hold_s: float = 2.0
    """Hold while no bar is known."""


@dataclass(frozen=True, slots=True)
class TapSettings:
    """Taps of the tempo (tap_tempo.py). Any thread."""

    taps_to_lock: int = 4
    """From here on taps say the bar too, and need no ear; from the second on they choose level and phase."""
    tap_gap_s: float = 2.2
    """A longer pause starts a new count."""


@dataclass(frozen=True, slots=True)
class ConductorConfig:
    """All of them. Raises ConfigError for a range of tempi or for metres that cannot be. Any thread."""

    tempo: TempoRange = field(default_factory=TempoRange)
    beat_filter: BeatFilterSettings = field(default_factory=BeatFilterSettings)
    kalman: KalmanSettings = field(default_factory=KalmanSettings)
    tapped_kalman: KalmanSettings = field(default_factory=_tapped_kalman)
    attacks: AttackSettings = field(default_factory=AttackSettings)
    tempo_change: TempoChangeSettings = field(default_factory=TempoChangeSettings)
    lock: LockSettings = field(default_factory=LockSettings)
    readings: ReadingSettings = field(default_factory=ReadingSettings)
    metre: MetreSettings = field(default_factory=MetreSettings)
    steady: SteadySettings = field(default_factory=SteadySettings)
    bars: BarSettings = field(default_factory=BarSettings)
    timeline: TimelineSettings = field(default_factory=TimelineSettings)
    playing: PlayingSettings = field(default_factory=PlayingSettings)
    taps: TapSettings = field(default_factory=TapSettings)
    chords: ChordSettings = field(default_factory=ChordSettings)
