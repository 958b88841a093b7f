"""Songs as somebody plays them in, for judging how songs are learnt: sections, each once alone and once with the band,
then the whole form again; two chords played wrong the first time; a tempo that drifts; and presses of a foot.

Deterministic: a seed gives the same song. Knows neither the engine nor what is learnt. Not for threads.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ..band import feel
from ..band.arrange import play
from ..band.chord_theory import NAMES, parse_numeral, parse_progression
from ..band.form import choose
from ..band.players.lead import PROGRAMS
from ..band.score import METRES, Bar, Chord, Score
from ..band.styles import STYLE_NAMES, STYLES
from ..sound.render import RenderedSong, render_score

STYLES_PLAYED = ("rock", "pop_ballad", "folk_strum", "country_train", "soul", "gospel", "reggae", "funk")
_KINDS = ("verse", "chorus", "bridge", "verse")
_CHORDAL = ("strum", "pick", "comp")
_SIZES = (4, 8)
_WRONG = ("bII", "bVI", "ii", "iii", "bVII", "IV", "V", "vi", "II")
WRONG_CHORDS = 2
_START_S = 2.5
_FOOT_S = 0.08
"""Standard deviation of a foot that presses on a bar line."""
_DRIFT = 0.04
"""By so much the tempo of the end differs from that of the beginning, at most."""


@dataclass(frozen=True)
class Pass:
    """A section played through once."""

    section: int
    first_bar: int
    bars: int
    learnt: bool
    """Whether it is played in, and not along with the band."""


@dataclass(frozen=True)
class PlayedInSong:
    """One song, as heard and as it is."""

    seed: int
    style: str
    lead: str
    rate_hz: int
    heard: NDArray[np.float32]
    """[n]: the lead, and with a melody the bass line of the same player."""
    sections: tuple[tuple[tuple[tuple[float, Chord], ...], ...], ...]
    """Of each distinct section the bars, each of (offset in beats, chord)."""
    passes: tuple[Pass, ...]
    beats_per_bar: int
    beat_times_s: NDArray[np.float64]
    presses_s: tuple[float, ...]
    """Begin and end of each section that is played in."""
    wrong: tuple[tuple[int, str], ...]
    """Bars (of the whole) in which another chord was played, and which one."""


def played_in(seed: int, melodic: bool, rate_hz: int = 32_000) -> PlayedInSong:
    """A song of two to four sections of 4 or 8 bars, comped, or (`melodic`) a melody over a bass line."""
    rng = np.random.default_rng([0x4C45, seed, int(melodic)])
    style = STYLES[choose(rng, STYLES_PLAYED)]
    metre = choose(rng, style.metres)
    beats = METRES[metre][0]
    low, high = style.metre_bpm.get(metre, style.bpm)
    bpm = float(rng.uniform(max(low, 66.0), min(high, 150.0)))
    key, minor = int(rng.integers(12)), bool(rng.random() < style.minor_share)
    sections = _sections(rng, style, minor, key, beats)
    passes = _passes(sections)
    bars, wrong = _bars(rng, (sections, passes), key, minor, beats)
    modes = {name: share for name, share in style.lead_modes.items() if name in _CHORDAL}
    mode = "melody" if melodic else choose(rng, modes or {"strum": 1.0})
    programs = {
        "lead": int(choose(rng, PROGRAMS[mode])), "drums": style.kit, "bass": style.bass_program,
        "keys": style.keys_program,
    }  # fmt: skip
    count = bars[-1].start_beat + beats
    drift = np.linspace(1.0, 1.0 + float(rng.uniform(-_DRIFT, _DRIFT)), count)
    times = feel.beat_times(rng, bpm, count, 0.01, _START_S, drift)
    swing = 0.5
    if style.swing_depth and not METRES[metre][1]:
        swing = feel.swing_by_tempo(bpm * (2 if style.swing_grid_beats == 0.25 else 1), style.swing_depth)
    score = Score(
        seed, style.name, STYLE_NAMES.index(style.name), bpm, beats, key, minor, swing, style.swing_grid_beats, mode,
        bars, times, programs, metre=metre,
    )  # fmt: skip
    play(rng, style, score)
    rendered = render_score(score, rng, rate_hz=rate_hz, split="test")
    return PlayedInSong(
        seed, style.name, mode, rate_hz, _heard(rendered, melodic), sections, passes, beats, times,
        _presses(rng, passes, times, beats), wrong,
    )  # fmt: skip


def _sections(rng, style, minor, key, beats):
    """Two to four sections that differ, each a progression once, or over and over until it is long enough."""
    table = style.minor if minor else style.major
    sections: list[tuple[tuple[tuple[float, Chord], ...], ...]] = []
    count = int(rng.integers(2, 5))
    for number in range(200):
        kind = _KINDS[len(sections)]
        cycle = parse_progression(choose(rng, table.get(kind, table["verse"])), key, beats)
        size = max(len(cycle), int(choose(rng, _SIZES)))
        made = tuple(tuple(cycle[bar % len(cycle)]) for bar in range(size))
        if all(_unlike(made, other) for other in sections) or number > 150:
            sections.append(made)
        if len(sections) == count:
            break
    return tuple(sections)


def _unlike(one, other) -> bool:
    """Whether at least a quarter of the shorter one's bars differ."""
    shorter = min(len(one), len(other))
    differ = sum(
        [(at, chord.root, chord.tones[:2]) for at, chord in one[bar]]
        != [(at, chord.root, chord.tones[:2]) for at, chord in other[bar]]
        for bar in range(shorter)
    )
    return differ >= max(1, shorter // 4)


def _passes(sections) -> tuple[Pass, ...]:
    passes, first = [], 0
    order = [(number, learnt) for number in range(len(sections)) for learnt in (True, False)]
    order += [(number, False) for number in range(len(sections))]
    for number, learnt in order:
        passes.append(Pass(number, first, len(sections[number]), learnt))
        first += len(sections[number])
    return tuple(passes)


def _bars(rng, form, key: int, minor: bool, beats: int) -> tuple[list[Bar], tuple[tuple[int, str], ...]]:
    """All bars of the performance, in two of which (of those played in) another chord is played."""
    sections, passes = form
    bars: list[Bar] = []
    for number, one in enumerate(passes):
        for bar in range(one.bars):
            density = float(np.clip(0.55 + 0.1 * (one.section % 2), 0.0, 1.0))
            index = len(bars)
            bars.append(
                Bar(index, index * beats, beats, _KINDS[one.section], list(sections[one.section][bar]), density,
                    key=key, minor=minor, first_of_section=bar == 0, section_number=number, bar_in_section=bar)
            )  # fmt: skip
    played = [one.first_bar + bar for one in passes if one.learnt for bar in range(one.bars)]
    wrong = []
    for index in sorted(int(one) for one in rng.choice(played, WRONG_CHORDS, replace=False)):
        at, right = bars[index].chords[-1]
        others = [chord for chord in (parse_numeral(name, key) for name in _WRONG) if chord.root != right.root]
        chord = choose(rng, others)
        bars[index].chords[-1] = (at, chord)
        wrong.append((index, NAMES[chord.root] + chord.quality))
    return bars, tuple(wrong)


def _heard(rendered: RenderedSong, melodic: bool) -> NDArray[np.float32]:
    lead = rendered.stems["lead"]
    if not melodic:
        return np.asarray(lead, np.float32)
    bass = rendered.stems["bass"]
    gain = np.sqrt(np.mean(np.square(lead)) / max(float(np.mean(np.square(bass))), 1e-12))
    both = lead + bass * np.float32(gain)
    return np.asarray(both / max(1.0, float(np.abs(both).max())), np.float32)


def _presses(rng, passes, times, beats: int) -> tuple[float, ...]:
    """Begin and end of each section that is played in; the first before a note is played."""
    presses: list[float] = []
    for one in passes:
        if one.learnt:
            begin_s, end_s = (float(times[bar * beats]) for bar in (one.first_bar, one.first_bar + one.bars))
            foot = rng.normal(0.0, _FOOT_S, 2)
            presses += [begin_s + float(foot[0]) if presses else begin_s - 1.0, end_s + float(foot[1])]
    return tuple(presses)
