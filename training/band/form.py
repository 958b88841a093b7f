"""The form of a song: sections, bars with their chords, rests of the lead and what the band does about them.

Knows no notes, patterns or sound.
"""

from __future__ import annotations

import numpy as np

from .chord_theory import NAMES, parse_progression
from .score import Bar, Chord
from .splits import HELD_KEYS
from .style import Style

_FORMS = (
    ("intro", "verse", "chorus", "verse", "chorus", "bridge", "chorus", "ending"),
    ("verse", "chorus", "verse", "chorus", "solo", "chorus", "ending"),
    ("intro", "verse", "verse", "chorus", "verse", "chorus", "ending"),
    ("verse", "verse", "bridge", "verse", "solo", "chorus", "ending"),
    ("intro", "chorus", "verse", "chorus", "bridge", "verse", "chorus", "ending"),
)
_DENSITY = {"intro": 0.4, "verse": 0.5, "chorus": 0.8, "bridge": 0.55, "solo": 0.7, "ending": 0.65}
BREAKDOWN = 0.2
"""So much less dense is a section in which one of the three rests."""


def choose(rng: np.random.Generator, options):
    """One of a sequence, or a key of a dict of weights."""
    if isinstance(options, dict):
        names = list(options)
        weights = np.array([options[n] for n in names], dtype=np.float64)
        return names[int(rng.choice(len(names), p=weights / weights.sum()))]
    return options[int(rng.integers(len(options)))]


def _progressions(
    rng: np.random.Generator, style: Style, minor: bool, key: int, beats: int
) -> dict[str, list[list[tuple[float, Chord]]]]:
    table = style.minor if minor else style.major
    chosen: dict[str, list[list[tuple[float, Chord]]]] = {}
    for section in ("verse", "chorus", "bridge", "solo", "intro", "ending"):
        source = (
            section
            if section in table
            else {"intro": "verse", "ending": "chorus", "solo": "verse"}.get(section, "verse")
        )
        if section in ("intro", "solo") and source == "verse":
            chosen[section] = chosen["verse"]
        elif section == "ending" and source == "chorus" and "chorus" in chosen:
            chosen[section] = chosen["chorus"]
        else:
            if source not in table:
                source = "verse"
            chosen[section] = parse_progression(choose(rng, table[source]), key, beats)
    return chosen


def lay_out(rng: np.random.Generator, style: Style, key: int, minor: bool, beats: int, bar_count: int) -> list[Bar]:
    """The bars of a song of about `bar_count` bars. The last bar holds the final tonic."""
    progressions = _progressions(rng, style, minor, key, beats)
    form = choose(rng, _FORMS)
    bars: list[Bar] = []
    number = 0
    position = 0
    base = float(rng.uniform(-0.2, 0.2))
    lifted = 0
    sections = list(form)
    while len(bars) < bar_count - 1:
        section = sections[position % (len(sections) - 1)] if position < 40 else "verse"
        position += 1
        left = bar_count - 1 - len(bars)
        cycle = progressions[section]
        size = len(cycle) * max(1, int(choose(rng, style.section_bars)) // len(cycle))
        if section == "intro":
            size = min(size, 4)
        size = min(size, left)
        if section == "chorus" and number > 4 and lifted == 0 and rng.random() < 0.12 and left > size:
            lifted = int(choose(rng, [up for up in (1, 2) if (key + up) % 12 not in HELD_KEYS or key in HELD_KEYS]))
            progressions = {
                name: [[(at, _lift(chord, lifted)) for at, chord in bar] for bar in cycle_bars]
                for name, cycle_bars in progressions.items()
            }
            cycle = progressions[section]
        density = float(np.clip(_DENSITY[section] + base + 0.02 * number + rng.normal(0, 0.08), 0.05, 1.0))
        for k in range(size):
            bar = Bar(
                len(bars),
                len(bars) * beats,
                beats,
                section,
                cycle[k % len(cycle)],
                round(density, 3),
                key=(key + lifted) % 12,
                minor=minor,
                first_of_section=k == 0,
                section_number=number,
                bar_in_section=k,
            )
            if k == size - 1 and size >= 4:
                bar.fill_beats = (
                    float(choose(rng, {1: 0.35, 2: 0.35, beats: 0.3})) if beats != 3 else float(rng.integers(1, 4))
                )
            elif size >= 8 and k == size // 2 - 1 and rng.random() < 0.4:
                bar.fill_beats = 1.0
            bars.append(bar)
        number += 1
    bars.append(_last_bar(bars, progressions["chorus"][0][0][1], (key + lifted) % 12, minor, number))
    _arrange_parts(rng, bars)
    return bars


def _last_bar(bars: list[Bar], home: Chord, key: int, minor: bool, section_number: int) -> Bar:
    """The final tonic: the chorus's first chord where it is one."""
    beats = bars[-1].beats
    tonic = home if home.root == key else parse_progression("i" if minor else "I", key, beats)[0][0][1]
    return Bar(
        len(bars),
        len(bars) * beats,
        beats,
        "ending",
        [(0.0, tonic)],
        bars[-1].density,
        key=key,
        minor=minor,
        first_of_section=True,
        section_number=section_number,
    )


def _lift(chord: Chord, semitones: int) -> Chord:
    root, bass = (chord.root + semitones) % 12, (chord.bass + semitones) % 12
    name = NAMES[root] + chord.quality + ("" if root == bass else "/" + NAMES[bass])
    return Chord(root, chord.tones, bass, name, chord.quality)


def _arrange_parts(rng: np.random.Generator, bars: list[Bar]) -> None:
    """Thin intros, breakdowns and the like: which of drums, bass, keys sound in which bars."""
    by_section: dict[int, list[Bar]] = {}
    for bar in bars:
        by_section.setdefault(bar.section_number, []).append(bar)
    for members in by_section.values():
        section = members[0].section
        draw = rng.random()
        if section == "intro" and draw < 0.45:
            sounding = choose(
                rng, ((True, False, True), (False, True, True), (True, True, False), (False, False, True))
            )
        elif section in ("verse", "bridge", "solo") and draw < 0.14:
            sounding = choose(rng, ((True, True, False), (False, True, True), (True, False, True)))
            for bar in members:
                bar.density = round(max(0.05, bar.density - BREAKDOWN), 3)
        else:
            continue
        for bar in members:
            bar.parts = sounding


def plan_lead(rng: np.random.Generator, bars: list[Bar], bar_s: float) -> None:
    """Silent or lonely starts, and stops of 1 to 4 bars.

    The rule that the band follows: the lead stops inside a bar, the band plays that bar to its end and is silent from
    the next bar line; the lead starts again, and the band comes in at the next bar line (a pick-up on drums may lead
    into it). So what the band does follows from what was heard.
    """
    silent = 0
    alone = 0
    if rng.random() < 0.45:
        if rng.random() < 0.4:
            silent = max(1, round(float(rng.uniform(1.5, 5.0)) / bar_s))
        alone = max(1, round(float(rng.uniform(1.0, 6.0)) / bar_s))
    for bar in bars[: silent + alone]:
        bar.parts = (False, False, False)
        if bar.index < silent:
            bar.lead_to_beats = 0.0
            bar.section = "silence"
    if silent and rng.random() < 0.5:
        bars[silent - 1].lead_from_beats = bars[silent - 1].beats - 1.0
        bars[silent - 1].lead_to_beats = 99.0
    if alone:
        bars[silent + alone - 1].pickup_beats = float(choose(rng, (0.0, 1.0, 2.0)))
    k = silent + alone + 6
    while k < len(bars) - 8:
        here = bars[k].first_of_section or rng.random() < 0.03
        if here and rng.random() < 0.35:
            length = int(rng.integers(1, 5))
            _stop(rng, bars, k, length)
            k += length + 8
        else:
            k += 1


def _stop(rng: np.random.Generator, bars: list[Bar], at: int, length: int) -> None:
    """The lead falls silent in bar `at` and comes back `length` bars later."""
    first = bars[at]
    first.lead_to_beats = float(choose(rng, (0.0, 0.25, 1.0, 2.0) if first.beats > 2 else (0.0, 0.25, 1.0)))
    back = at + length
    for bar in bars[at + 1 : back]:
        bar.lead_to_beats = 0.0
    for bar in bars[at + 1 : back + 1]:
        bar.parts = (False, False, False)
        bar.fill_beats = 0.0
    if length > 1 and rng.random() < 0.3:
        bars[back - 1].lead_from_beats = bars[back - 1].beats - 1.0
        bars[back - 1].lead_to_beats = 99.0
    if length >= 1:
        bars[back].pickup_beats = float(choose(rng, (0.0, 1.0, 2.0)))
