"""Whether a band answers its lead: accents met, stops kept, gaps filled, level followed. Beside another lead's.

A band that plays good accents in the usual places meets many of anybody's. So every share is counted twice: with the
lead that it heard, and with another lead at the same beats and chords; the difference is what it heard. Sound in,
seconds and shares out; knows no engine.
"""

from __future__ import annotations

import itertools
import math
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..band.feel import humanise
from ..band.players.answers import answered
from ..band.players.lead import settle_lead, write_lead
from ..band.score import Score
from ..band.styles import STYLES
from .part_fit import HOP, JUDGE_RATE_HZ
from .sound_figures import onsets_s
from .statistics import rank_correlation

FloatArray = NDArray[np.floating[Any]]

NEAR_S = 0.05
ACCENT_DB = 3.0
"""An attack is an accent where it is so much stronger than the middle one of those of `AROUND_S` before and after."""
AROUND_S = 4.0
STRIKE_S = 0.07
TOGETHER_S = 0.04
"""Notes so near to one another are one attack."""
STOP_BEATS = 1.0
"""A stop is a silence of the lead so long, or longer, behind an accent: stop time, or a cut."""
STOP_KEPT = 0.34
"""It is kept where the band begins at most so many times as much as it does around it. Not by the level: a cymbal that
was struck with the lead rings through a stop that is kept."""
GAP_BEATS, PHRASE_ATTACKS, PHRASE_BEATS = (1.4, 6.0), 3, 3.0
"""A gap is a pause of the lead's attacks, no stop, after so many of them in the beats before it."""
FILLED, FILL_BELOW_HZ = 1.3, 1500.0
"""A gap is filled where the drums strike so many times as often as they do in the bars around it, hats and cymbals left
out."""
REST_SETTLES_S, RESTS_BELOW_DB = 2.5, 22.0
"""A lead that is so much softer than in its loud places for so long rests."""
FIGURES = ("accents", "stops", "gaps")
FORESEEN_LAGS_BEATS = (4, 8, 16, 32)
"""An accent can be foreseen where there was one so many beats before."""


@dataclass(frozen=True)
class LeadEvents:
    """What a lead does, in seconds. Any thread."""

    accents_s: FloatArray
    stops_s: FloatArray
    """[n, 2]: where nothing of it sounds."""
    gaps_s: FloatArray
    """[n, 2]: where nothing of it begins, though it goes on."""


def lead_of_notes(score: Score, seconds: float, notes: list[Any] | None = None) -> LeadEvents:
    """The events of a song's lead, or of other `notes` for it, as they are written."""
    notes = score.notes["lead"] if notes is None else notes
    spans = sorted((*score.note_seconds(note), float(note.velocity)) for note in notes)
    spans = [span for span in spans if span[0] < seconds]
    attacks: list[list[float]] = []  # start, power
    for start, _, velocity in spans:
        power = (velocity / 127.0) ** 4  # 40 dB for a tenth of the velocity
        if attacks and start - attacks[-1][0] < TOGETHER_S:
            attacks[-1][1] += power
        else:
            attacks.append([start, power])
    rows = np.array(attacks).reshape(-1, 2)
    return _events(rows[:, 0], 10.0 * np.log10(rows[:, 1] + 1e-9), [span[:2] for span in spans], 60.0 / score.bpm)


def lead_of_sound(audio: FloatArray, beat_s: float) -> LeadEvents:
    """The events of a lead that is known as sound alone, at the judges' rate."""
    times = onsets_s(audio)
    loud = level_db_of(audio)
    floor = float(np.percentile(loud, 90)) - RESTS_BELOW_DB
    sounding, spans = loud > floor, []
    edges = np.flatnonzero(np.diff(np.concatenate([[0], sounding.astype(int), [0]])))
    spans = [(a * HOP / JUDGE_RATE_HZ, b * HOP / JUDGE_RATE_HZ) for a, b in edges.reshape(-1, 2)]
    return _events(times, _strength_db(audio, times), spans, beat_s)


def _events(times: FloatArray, strengths: FloatArray, spans: list[Any], beat_s: float) -> LeadEvents:
    stops, gaps, sounds_until = [], [], -math.inf
    strong = accents(times, strengths)

    def behind_accent(time: float) -> bool:
        before = times[times < time]
        return bool(len(before) and len(strong)) and bool(np.abs(strong - before[-1]).min() < TOGETHER_S)

    for start, end in sorted(spans):
        if sounds_until > 0.0 and start - sounds_until >= STOP_BEATS * beat_s and behind_accent(sounds_until):
            stops.append((sounds_until, start))
        sounds_until = max(sounds_until, end)
    for a, b in itertools.pairwise(times):
        phrase = ((times <= a) & (times > a - PHRASE_BEATS * beat_s)).sum() >= PHRASE_ATTACKS
        if GAP_BEATS[0] * beat_s <= b - a <= GAP_BEATS[1] * beat_s and phrase and not behind_accent(b):
            gaps.append((a + 0.5 * beat_s, b))
    return LeadEvents(strong, np.array(stops).reshape(-1, 2), np.array(gaps).reshape(-1, 2))


def accents(times: FloatArray, strengths_db: FloatArray) -> FloatArray:
    """Which of these attacks are accents: their times."""
    kept = [
        time
        for time, strength in zip(times, strengths_db, strict=True)
        if strength >= ACCENT_DB + float(np.median(strengths_db[np.abs(times - time) <= AROUND_S]))
    ]
    return np.array(kept)


def another_lead(score: Score, seed: int = 1) -> list[Any]:
    """Notes of another lead for the same bars: other patterns and figures at the same beats, chords and rests."""
    rng = np.random.default_rng([0x6C6561, score.seed, seed])
    lead = settle_lead(rng, STYLES[score.style], score.metre, score.lead_mode, score.programs["lead"])
    notes = humanise(rng, write_lead(rng, lead, score.bars), float(rng.uniform(5.0, 14.0)), 0.0, 5.0)
    other = replace(score, notes={**score.notes, "lead": notes})
    return answered(rng, other).notes["lead"]


def moved(events: LeadEvents, from_beats_s: FloatArray, to_beats_s: FloatArray) -> LeadEvents:
    """The events of a lead at the beats of another song: what falls on a beat does so there."""
    places = np.arange(len(from_beats_s))

    def there(times: FloatArray) -> FloatArray:
        beats = np.interp(times, from_beats_s, places)
        moved_s = np.interp(beats, np.arange(len(to_beats_s)), to_beats_s)
        return np.where(beats <= len(to_beats_s) - 1, moved_s, np.inf)

    def whole(spans: FloatArray) -> FloatArray:
        made = np.stack([there(spans[:, 0]), there(spans[:, 1])], axis=1) if len(spans) else spans
        return made[np.isfinite(made).all(axis=1)] if len(made) else made

    kept = there(events.accents_s)
    return replace(
        events, accents_s=kept[np.isfinite(kept)], stops_s=whole(events.stops_s), gaps_s=whole(events.gaps_s)
    )


def response(mix: FloatArray, drums: FloatArray, events: LeadEvents, from_s: float, until_s: float) -> dict[str, float]:
    """Shares of the events between these times that the band meets; nan where there are none. Sound at the judges'
    rate."""
    times = onsets_s(mix)
    own = accents(times, _strength_db(mix, times)) if len(times) else times
    lead = events.accents_s[(events.accents_s >= from_s) & (events.accents_s < until_s)]
    met = [bool(len(own)) and float(np.abs(own - time).min()) <= NEAR_S for time in lead]
    kept, filled = [], []
    hits = onsets_s(_without_cymbals(drums))
    for begin, end in events.stops_s:
        # what is struck with the lead at the beginning, and a return with it that comes early, are no part of it
        stop = min(end - 2 * NEAR_S, begin + 2.5)
        if from_s <= begin and stop - begin >= 4 * NEAR_S and stop < until_s:
            kept.append(_rate(times, begin + 2 * NEAR_S, stop) <= STOP_KEPT * _usual_rate(times, begin, end))
    for begin, end in events.gaps_s:
        if from_s <= begin and end < until_s:
            usual = _usual_rate(hits, begin, end)
            filled.append(usual > 0 and _rate(hits, begin - NEAR_S, end - NEAR_S) >= FILLED * usual)
    return {
        name: float(np.mean(found)) if found else math.nan
        for name, found in zip(FIGURES, (met, kept, filled), strict=True)
    }


def foreseeable(events: LeadEvents, beats_s: FloatArray, from_s: float) -> dict[str, float]:
    """What could be known of a lead's accents from `from_s` on by whoever knew its beats and its past exactly.

    `accents_foreseen`: the share that has another one FORESEEN_LAGS_BEATS before; `foreseen_come`: of the places where
    one was so long before, the share where one is. nan where there are none.
    """
    places = np.interp(events.accents_s, beats_s, np.arange(len(beats_s)), left=np.nan, right=np.nan)
    places = places[np.isfinite(places)]
    near = NEAR_S / float(np.median(np.diff(beats_s)))
    first = float(np.interp(from_s, beats_s, np.arange(len(beats_s))))
    due = np.array([place + lag for place in places for lag in FORESEEN_LAGS_BEATS])
    due = due[(due >= first) & (due <= len(beats_s) - 1)]
    late = places[places >= first]
    seen = [bool(len(due)) and float(np.abs(due - place).min()) <= near for place in late]
    come = [bool(len(places)) and float(np.abs(places - place).min()) <= near for place in due]
    return {
        "accents_foreseen": float(np.mean(seen)) if seen else math.nan,
        "foreseen_come": float(np.mean(come)) if come else math.nan,
    }


def _rate(times: FloatArray, begin: float, end: float) -> float:
    """How many a second between two moments."""
    return float(((times >= begin) & (times < end)).sum()) / max(end - begin, 1e-6)


def _usual_rate(times: FloatArray, begin: float, end: float) -> float:
    """How many a second in the four seconds before and after."""
    return 0.5 * (_rate(times, begin - 4.0, begin) + _rate(times, end, end + 4.0))


def _without_cymbals(drums: FloatArray) -> FloatArray:
    from scipy.signal import butter, sosfiltfilt

    low = butter(4, FILL_BELOW_HZ, fs=JUDGE_RATE_HZ, output="sos")
    return np.asarray(sosfiltfilt(low, drums), np.float32)


def level_follows(mix: FloatArray, lead: FloatArray, bars_s: FloatArray) -> float:
    """Rank correlation of the levels of band and lead over bars; nan for fewer than six in which both sound."""
    pairs = []
    ours, theirs = _power(mix), _power(lead)
    for begin, end in itertools.pairwise(bars_s):
        a, b = _db(theirs, begin, end), _db(ours, begin, end)
        if a > -60.0 and b > -60.0:
            pairs.append((a, b))
    return rank_correlation([a for a, _ in pairs], [b for _, b in pairs]) if len(pairs) >= 6 else math.nan


def lead_rest_db(mix: FloatArray, lead: FloatArray, from_s: float, settle_s: float = REST_SETTLES_S) -> float:
    """Level of the band where the lead has rested for `settle_s` and does not sound yet, less its level where the lead
    sounds; nan for less than half a second of that."""
    theirs, ours = level_db_of(lead), _power(mix)
    count = min(len(theirs), len(ours))
    sounds = theirs[:count] > float(np.percentile(theirs, 90)) - RESTS_BELOW_DB
    since, rests, hops = 0, np.zeros(count, bool), settle_s * JUDGE_RATE_HZ / HOP
    for place in range(count):
        since = 0 if sounds[place] else since + 1
        rests[place] = since >= hops
    first = int(from_s * JUDGE_RATE_HZ / HOP)
    rests[:first] = sounds[:first] = False
    if rests.sum() < 0.5 * JUDGE_RATE_HZ / HOP or not sounds.any():
        return math.nan
    return float(10.0 * np.log10((ours[:count][rests].mean() + 1e-12) / (ours[:count][sounds].mean() + 1e-12)))


def _power(audio: FloatArray) -> FloatArray:
    count = len(audio) // HOP
    return np.asarray(np.mean(np.square(audio[: count * HOP].reshape(count, HOP), dtype=np.float64), axis=1))


def level_db_of(audio: FloatArray) -> FloatArray:
    """Level of each HOP samples."""
    return np.asarray(10.0 * np.log10(_power(audio) + 1e-12))


def _db(power: FloatArray, begin_s: float, end_s: float) -> float:
    rows = power[max(0, round(begin_s * JUDGE_RATE_HZ / HOP)) : max(1, round(end_s * JUDGE_RATE_HZ / HOP))]
    return 10.0 * math.log10(float(rows.mean()) + 1e-12) if len(rows) else -120.0


def _strength_db(audio: FloatArray, times: FloatArray) -> FloatArray:
    """How strong the onsets at these times are: the level that each reaches within STRIKE_S."""
    loud, hops = level_db_of(audio), round(STRIKE_S * JUDGE_RATE_HZ / HOP)
    places = np.round(times * JUDGE_RATE_HZ / HOP).astype(int)
    return np.array([loud[max(0, at - 1) : at + hops].max(initial=-120.0) for at in places])
