"""The drummer: grooves, fills, crashes, and never more than two hands and two feet. Knows no sound."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np

from ..form import choose
from ..score import Bar, Note, unwarp
from ..style import Groove, Style
from .density import SPARSE, Busy
from .density_habits import MANNERS
from .drum_density import (
    CLOSED,
    KICK,
    OPEN,
    RIDE,
    SNARE,
    STICK,
    Hit,
    fitted,
    most_per_beat,
    usual_of_groove,
)

CLAP, PEDAL, CRASH, BELL = 39, 44, 49, 53
TOMS = (50, 48, 47, 45, 43, 41)
FASTEST_HAT_BPM = 138.0
FEET = (KICK, 35, PEDAL)
_VELOCITY = {"X": 112, "x": 92, "o": 68, "g": 38}

FILLS: dict[str, tuple[str, ...]] = {
    "rock": (
        "S...S.S.|",
        "SSSS|",
        "S.SSH.H.M.M.L.L.|",
        "SSSSHHHHMMMMLLLL|",
        "S.S.H.M.|",
        "S..SH.L.|",
        "SSHHMMLL|",
        "S.HSM.LK|",
        "KKSSKKLL|",
        "S.S.S.S.S.SSSSSS|",
    ),
    "soft": ("S...|", "..SS|", "H...M.L.|", "g.g.S.g.|", "..H.M.L.|"),
    "funk": ("SgSgS.S.|", "S.gS.gSS|", "g.SSg.S.SgS.HHLL|", "S..S..S.|", ".SS.SS.S|"),
    "swing": ("S.SS.S|", "SSS|", "S.HH.L|", "SSSHHHLLL|", "S.KS.K|"),
    "reggae": ("S.SS|", "SSSSHHL.|", "H.H.S.K.|", "..SSHHLL|"),
    "latin": ("S..S|", "..SS|", "H.M.L.H.|", "S..S..S.|"),
}
_FILL_PITCH = {"S": SNARE, "g": SNARE, "H": 50, "M": 47, "L": 43, "K": KICK}


@dataclass(frozen=True)
class Kit:
    """What the drummer settled on for one song: patterns per kind of section."""

    groove: Groove
    kick: dict[str, str]
    snare: dict[str, str]
    hat: dict[str, str]
    hat_pitch: dict[str, int]
    open_hat: dict[str, str]


def settle(rng: np.random.Generator, style: Style, metre: str, accents: Callable[[str], set[float]]) -> Kit:
    """Draws a song's grooves: one for quiet, one for loud, one for other sections.

    `accents` gives where the lead leans in each kind of section: the kick is drawn to meet it.
    """
    groove = style.grooves[metre]
    kick, snare, hat, pitch, open_hat = {}, {}, {}, {}, {}
    for kind in ("verse", "chorus", "bridge"):
        kick[kind] = _meeting(rng, groove, accents(kind))
        snare[kind] = choose(rng, groove.snares)
        loud = kind != "verse" and rng.random() < 0.65
        hat[kind] = choose(rng, groove.loud_hats if loud and groove.loud_hats else groove.hats)
        pitch[kind] = choose(rng, groove.loud_hat_pitches) if loud else groove.hat_pitch
        open_hat[kind] = choose(rng, groove.open_hat)
    if rng.random() < 0.5 and not accents("chorus"):
        kick["chorus"] = kick["verse"]
    snare["chorus"] = snare["verse"] if rng.random() < 0.6 else snare["chorus"]
    return Kit(groove, kick, snare, hat, pitch, open_hat)


def _meeting(rng: np.random.Generator, groove: Groove, accents: set[float]) -> str:
    """A kick pattern, the likelier the more it and the lead's accents meet."""
    if not accents:
        return choose(rng, groove.kicks)
    weights = []
    for pattern in groove.kicks:
        struck = {k / groove.steps_per_beat for k, mark in enumerate(pattern) if mark in "Xxo"}
        weights.append(0.15 + (2.0 * len(struck & accents) / max(1, len(struck) + len(accents))) ** 2)
    chances = np.array(weights) / sum(weights)
    return groove.kicks[int(rng.choice(len(chances), p=chances))]


def kind_of(bar: Bar) -> str:
    """Which of the song's grooves a bar uses."""
    if bar.section in ("chorus", "ending"):
        return "chorus"
    return "bridge" if bar.section in ("bridge", "solo") else "verse"


def steps(pattern: str, bar: Bar, steps_per_beat: int) -> list[tuple[float, str]]:
    """(offset in beats, character) of the part of a pattern of one or more bars that falls in this bar."""
    size = bar.beats * steps_per_beat
    if not pattern:
        return []
    start = (bar.bar_in_section * size) % len(pattern)
    return [(k / steps_per_beat, pattern[(start + k) % len(pattern)]) for k in range(size)]


def write_drums(
    rng: np.random.Generator, style: Style, bars: list[Bar], kit: Kit, swing: float, bpm: float, seed: int
) -> list[Note]:
    """All drum notes of a song, with feel left to `feel.humanise`. `seed`: of what density makes of the patterns."""
    notes: list[Note] = []
    previous: Bar | None = None
    kit = _playable(kit, bpm)
    triplets = kit.groove.steps_per_beat % 3 == 0 or (style.swing_depth > 0.3 and style.swing_grid_beats == 0.5)
    usual = usual_of_groove(kit.groove, bars[0].beats)
    busy = Busy(MANNERS[style.name], usual, 60.0 / bpm, seed, most_per_beat(kit.groove, triplets))
    for bar in bars:
        if bar.pickup_beats and not bar.parts[0] and _next_plays(bars, bar):
            notes += _pickup(rng, style, bar, swing, triplets)
        if bar.parts[0]:
            last = bar is bars[-1]
            came_in = previous is None or not previous.parts[0]
            hits = [] if last else _groove(rng, style, bar, kit)
            hits = fitted(hits, bar, busy, kit.groove, swing, triplets)
            notes += _bar(rng, style, bar, hits, 1.0 / kit.groove.steps_per_beat, last, came_in)
            if bar.fill_beats and not last:
                notes += _fill(rng, style, bar, bar.fill_beats, swing, 0.82 + 0.28 * bar.density, triplets)
        previous = bar
    return limbs(notes)


def _playable(kit: Kit, bpm: float) -> Kit:
    """Above `FASTEST_HAT_BPM` one hand keeps eighths where the pattern has sixteenths."""
    if bpm <= FASTEST_HAT_BPM or kit.groove.steps_per_beat != 4:
        return kit
    hat = {kind: "".join("." if k % 2 else mark for k, mark in enumerate(text)) for kind, text in kit.hat.items()}
    return replace(kit, hat=hat)


def _next_plays(bars: list[Bar], bar: Bar) -> bool:
    return bar.index + 1 < len(bars) and bars[bar.index + 1].parts[0]


def _bar(
    rng: np.random.Generator, style: Style, bar: Bar, hits: list[Hit], step: float, last: bool, came_in: bool
) -> list[Note]:
    """A bar's hits as notes, with the crash of a section's beginning."""
    start = float(bar.start_beat)
    if last:
        ends = [Note(start, 1.0, KICK, 110), Note(start, 2.0, CRASH, 104)]
        return ends if style.crash else [Note(start, 1.0, KICK, 90), Note(start, 2.0, RIDE, 90)]
    gain = 0.82 + 0.28 * bar.density
    notes = [
        Note(start + hit.offset_beats, step, hit.pitch, int(np.clip(_VELOCITY[hit.mark] * gain * hit.scale, 8, 126)))
        for hit in hits
    ]
    if style.crash and ((bar.first_of_section and bar.section != "intro") or came_in) and rng.random() < 0.9:
        notes.append(Note(start, 1.0, choose(rng, (CRASH, CRASH, 57)), int(100 * gain)))
        if not any(n.pitch == KICK and n.beat == start for n in notes):
            notes.append(Note(start, step, KICK, int(100 * gain)))
    return notes


def _groove(rng: np.random.Generator, style: Style, bar: Bar, kit: Kit) -> list[Hit]:
    """What the song's patterns have for a bar, at any density."""
    groove, kind = kit.groove, kind_of(bar)
    per_beat = groove.steps_per_beat
    fill_from = bar.beats - bar.fill_beats
    hits = _kicks(rng, bar, kit)
    rim = bar.density < 0.5 and kind == "verse"
    snare_pitch = groove.soft_snare_pitch if rim else groove.snare_pitch
    if bar.density < SPARSE and MANNERS[style.name].stick:
        snare_pitch = STICK
    for offset, mark in steps(kit.snare[kind], bar, per_beat):
        if offset >= fill_from or mark == ".":
            continue
        if mark == "g" and (rng.random() > 0.45 + 0.5 * bar.density or snare_pitch == STICK):
            continue
        if mark == "?" and rng.random() > 0.12 + 0.3 * bar.density:
            continue
        scale = 1.0 if mark != "?" else float(rng.uniform(1.0, 1.9))
        hits.append(Hit(offset, snare_pitch, "g" if mark == "?" else mark, scale, "snare"))
    hat_pitch = kit.hat_pitch[kind]
    opens = {offset for offset, mark in steps(kit.open_hat[kind], bar, per_beat) if mark == "O"}
    for offset, mark in steps(kit.hat[kind], bar, per_beat):
        if offset >= fill_from or mark == ".":
            continue
        if mark == "?":
            if rng.random() < 0.3:
                hits.append(Hit(offset, hat_pitch, "o", 0.9, "hat"))
            continue
        pitch = OPEN if mark == "O" or (offset in opens and hat_pitch == CLOSED) else hat_pitch
        hits.append(Hit(offset, pitch, "x" if mark == "O" else mark, 0.78, "hat"))
    for offset, mark in steps(groove.pedal, bar, per_beat):
        if mark != "." and hat_pitch != CLOSED:
            hits.append(Hit(offset, PEDAL, mark, 0.8, "pedal"))
    for pitch, pattern in groove.extra:
        for offset, mark in steps(pattern, bar, per_beat):
            if mark != "." and (offset < fill_from or pitch > 60):
                hits.append(Hit(offset, pitch, mark, 0.75, "extra"))
    return hits


def _kicks(rng: np.random.Generator, bar: Bar, kit: Kit) -> list[Hit]:
    per_beat = kit.groove.steps_per_beat
    fill_from = bar.beats - bar.fill_beats
    hits = []
    for offset, mark in steps(kit.kick[kind_of(bar)], bar, per_beat):
        if offset >= fill_from:
            continue
        if mark == "?":
            if rng.random() < 0.15 + 0.3 * bar.density:
                hits.append(Hit(offset, KICK, "o", 1.0, "kick"))
        elif mark != ".":
            hits.append(Hit(offset, KICK, mark, 1.0, "kick"))
        elif offset % 0.5 == 0.5 - 1.0 / per_beat and rng.random() < 0.02 * bar.density:
            hits.append(Hit(offset, KICK, "o", 1.0, "kick"))
    return hits


def _fill(
    rng: np.random.Generator, style: Style, bar: Bar, length: float, swing: float, gain: float, triplets: bool
) -> list[Note]:
    pattern = choose(rng, FILLS[choose(rng, style.fills)]).rstrip("|")
    per_beat = 3 if triplets else 4
    if triplets and len(pattern) % 3:
        pattern = "S.SHLL" if rng.random() < 0.5 else "SSSHHHLLL"
    size = int(length * per_beat)
    text = pattern[-size:] if len(pattern) >= size else (pattern * (size // len(pattern) + 1))[:size]
    begin = bar.start_beat + bar.beats - length
    notes = []
    for k, mark in enumerate(text):
        whole, part = divmod(k, per_beat)
        if mark == "." or (bar.density < SPARSE and part not in (0, per_beat / 2)):
            continue
        fraction = unwarp(part / per_beat, swing) if triplets else part / per_beat
        rise = 0.82 + 0.3 * k / max(1, size - 1)
        base = 40 if mark == "g" else 96
        notes.append(Note(begin + whole + fraction, 0.25, _FILL_PITCH[mark], int(np.clip(base * rise * gain, 10, 126))))
        if per_beat == 4 and mark in "SL" and part == 0 and rng.random() < 0.5:
            notes.append(Note(begin + whole + fraction, 0.25, KICK, int(80 * gain)))
    return notes


def _pickup(rng: np.random.Generator, style: Style, bar: Bar, swing: float, triplets: bool) -> list[Note]:
    """What leads the band in: stick clicks on the last beats, or a short fill."""
    count = int(bar.pickup_beats)
    begin = bar.start_beat + bar.beats - count
    if rng.random() < 0.5:
        return [Note(float(begin + k), 0.25, STICK, 88) for k in range(count)]
    return _fill(rng, style, bar, float(count), swing, 0.9, triplets)


def limbs(notes: list[Note]) -> list[Note]:
    """Drops what four limbs cannot play: at one moment two hands, one kick, one pedal; drums win over cymbals."""
    order = {CRASH: 0, 57: 0, SNARE: 1, STICK: 1, CLAP: 5, OPEN: 3, CLOSED: 4, RIDE: 4, BELL: 4}
    moments: dict[float, dict[int, Note]] = {}
    for note in notes:
        at = moments.setdefault(round(note.beat, 4), {})
        if note.pitch not in at or at[note.pitch].velocity < note.velocity:
            at[note.pitch] = note
    kept: list[Note] = []
    for at in moments.values():
        feet = [n for n in at.values() if n.pitch in FEET]
        if any(n.pitch == OPEN for n in at.values()):
            feet = [n for n in feet if n.pitch != PEDAL]
        hands = sorted(
            (n for n in at.values() if n.pitch not in FEET and n.pitch < 54 and n.pitch != CLAP),
            key=lambda n: (order.get(n.pitch, 2), -n.velocity),
        )
        others = [
            n for n in at.values() if n.pitch not in FEET and (n.pitch >= 54 or n.pitch == CLAP) and n.pitch != 57
        ]
        hands += [n for n in at.values() if n.pitch == 57]
        hands.sort(key=lambda n: (order.get(n.pitch, 2), -n.velocity))
        kept += feet + hands[:2] + others
    return sorted(kept, key=lambda n: (n.beat, n.pitch))
