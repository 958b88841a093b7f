"""What speaks for one reading of the beat, counted out of a grid of cells (metrical_readings.py): compiled.

Nothing is kept. Inference thread only.
"""

from __future__ import annotations

import math

import numpy as np
from numba import njit

from ....dsp import raw_memory as _raw_memory
from ....dsp.raw_memory import cached_function

_ROOTS = 13
MOST_BEATS = 128
"""More than so many numbers numpy adds up in halves."""


@njit(forceinline=True, error_model="numpy")
def _hit(beat, level, at, period):
    """The mean of activations [cells], none above `level`, in every so many cells from `at` on, as a share of it."""
    total, count = 0.0, 0
    for cell in range(at, beat.size, period):
        total += min(beat[cell], level)
        count += 1
    return total / (count * level)


@njit(forceinline=True, error_model="numpy")
def _turn(roots, at, period):
    """How far the chord of the beat from a cell on is another than before it, in [0, 1]; `roots` [cells + 1, 13]: sums
    up to each cell."""
    cells = roots.shape[0] - 1
    start = min(at, cells)
    until, since = min(at + int(0.9 * period + 0.5), cells), max(at - period, 0)
    after = past = alike = 0.0
    for root in range(_ROOTS):
        here = roots[start, root]
        coming, gone = roots[until, root] - here, here - roots[since, root]
        after += coming
        past += gone
        alike += math.sqrt(coming * gone)
    total = math.sqrt(after * past)
    return 1.0 - alike / total if total > 1e-6 else 0.0


@njit(forceinline=True, error_model="numpy")
def _one_of_many(values, floor):
    """How much higher than all the highest of each two, three or four stands (log ratio); a bar of four needs less."""
    mean, best = 0.0, -math.inf
    for value in values:
        mean += value
    mean = mean / values.size + floor
    for beats, cost in ((4, 0.0), (3, 0.3), (2, 0.6)):
        bars = values.size // beats
        if bars:
            highest = 0.0
            for place in range(beats):
                total = 0.0
                for bar in range(bars):
                    total += values[bar * beats + place]
                highest = max(highest, total)
            best = max(best, math.log((highest / bars + floor) / mean) - cost)
    return best


@cached_function(__file__, _raw_memory.__file__)(
    "UniTuple(f8, 5)(f8[::1], f8[::1], i8[::1], f8[:,::1], f8, i8, i8, f8)"
)
def read_evidence(beat, downbeat, struck, roots, level, first, period, reach):
    """(quarter, struck, turn, bar, downbeat) as in Evidence, of a reading with beats in every `period` cells from
    `first` on.

    `beat`, `downbeat` [cells]: activations, peaks of the first about `level` high. `struck`: cells in which notes
    begin, which are a beat's within `reach` cells. `roots` [cells + 1, 13]: the chord's root, summed up to each cell.
    """
    count = (beat.size - first + period - 1) // period
    between = max(_hit(beat, level, first + period // 4, period), _hit(beat, level, first + (3 * period) // 4, period))
    turns, downbeats = np.empty(count), np.empty(count)
    turn = middle = 0.0
    for n in range(count):
        cell = first + n * period
        turns[n], downbeats[n] = _turn(roots, cell, period), downbeat[cell]
        turn += turns[n] / count
        middle += _turn(roots, cell + period // 2, period) / count
    near = 0
    for n in range(struck.size):
        away = (struck[n] - first + period / 2) % period - period / 2
        near += abs(away) <= reach
    return (
        math.log((_hit(beat, level, first, period) + 0.1) / (between + 0.1)),
        near / max(1, struck.size),
        math.log((turn + 0.02) / (middle + 0.02)),
        _one_of_many(turns, 0.05),
        _one_of_many(downbeats, 0.03),
    )


@cached_function(__file__, _raw_memory.__file__, exact=True)("void(f4[::1], i4[:, :, ::1], f8[:, :])")
def sums_at(heard, at, sums):
    """`heard[at].sum(axis=-1)` into `sums` [tempi, phases], to the bit: up to 128 places are added up as numpy does it,
    eight side by side, and then what is left."""
    tempi, phases, beats = at.shape
    whole = beats // 8 * 8
    for tempo in range(tempi):
        for phase in range(phases):
            row = at[tempo, phase]
            a = b = c = d = e = f = g = h = np.float32(0.0)
            for beat in range(0, whole, 8):
                a += heard[row[beat]]
                b += heard[row[beat + 1]]
                c += heard[row[beat + 2]]
                d += heard[row[beat + 3]]
                e += heard[row[beat + 4]]
                f += heard[row[beat + 5]]
                g += heard[row[beat + 6]]
                h += heard[row[beat + 7]]
            total = ((a + b) + (c + d)) + ((e + f) + (g + h))
            for beat in range(whole, beats):
                total += heard[row[beat]]
            sums[tempo, phase] = total
