"""The arithmetic of the beat filter (bar_pointer.py), compiled: one frame of belief, and the readings in it.

Beliefs are float32 [T, K] over log-spaced tempo and beat phase. Nothing here is kept: the filter brings the tables.
Inference thread only.
"""

from __future__ import annotations

import math

import numpy as np
from numba import njit

from ....dsp import raw_memory as _raw_memory
from ....dsp.raw_memory import cached_function

SOURCES = (__file__, _raw_memory.__file__)
_LOG2_E = np.float32(1.4426950408889634)
_LOG_2, _LOG_2_REST = np.float32(0.693359375), np.float32(-2.12194440e-4)
"""In two pieces, so that what is left of an exponent is exact."""
_LEAST, _MOST = np.float32(-87.0), np.float32(88.0)


@njit(forceinline=True, error_model="numpy")
def _exponentials(values, bits, powers):
    """e to each of the values [K], in place, within 3e-7 of it. `bits`, `powers`: one scratch, as int32 and as float32.

    By Cephes' polynomial, since a library's exponential takes one number at a time here.
    """
    one, half = np.float32(1.0), np.float32(0.5)
    for k in range(values.size):
        x = min(max(values[k], _LEAST), _MOST)
        whole = np.floor(x * _LOG2_E + half)
        bits[k] = (np.int32(whole) + np.int32(127)) << np.int32(23)
        r = (x - whole * _LOG_2) - whole * _LOG_2_REST
        p = np.float32(1.9875691500e-4) * r + np.float32(1.3981999507e-3)
        p = p * r + np.float32(8.3334519073e-3)
        p = p * r + np.float32(4.1665795894e-2)
        p = p * r + np.float32(1.6666665459e-1)
        p = p * r + np.float32(5.0000001201e-1)
        values[k] = (p * r * r + r) + one
    for k in range(values.size):
        values[k] *= powers[k]


@njit(forceinline=True, error_model="numpy", fastmath={"contract"})
def _add(to, row, times):
    """Add a row, so many times, to the beginning of another."""
    for k in range(row.size):
        to[k] += times * row[k]


@njit(forceinline=True, error_model="numpy")
def _add_rolled(to, row, places, phases):
    """Add a row, moved on by so many places around the circle."""
    for k in range(places):
        to[k] += row[phases - places + k]
    for k in range(phases - places):
        to[places + k] += row[k]


@njit(forceinline=True, error_model="numpy", fastmath={"contract"})
def _wander(old, t, within, row, walk, jump, jump_bins):
    """Changes of tempo: to a neighbour, or anywhere within reach. `within`: the sum of that for the row before."""
    tempi = old.shape[0]
    enters, leaves = t + jump_bins, t - jump_bins - 1
    if enters < tempi:
        _add(within, old[enters], np.float32(1.0))
    if leaves >= 0:
        _add(within, old[leaves], np.float32(-1.0))
    here = old[t]
    stays = np.float32(1.0) - np.float32(2.0) * walk - jump
    far = jump / np.float32(2 * jump_bins + 1)
    for k in range(here.size):
        row[k] = here[k] * stays + within[k] * far
    if t > 0:
        _add(row, old[t - 1], walk)
    if t + 1 < tempi:
        _add(row, old[t + 1], walk)


@njit(forceinline=True, error_model="numpy", fastmath={"reassoc", "contract", "nsz"})
def _go_on(row, kernel, moved):
    """Time goes on: `row` [2 K], whose first half holds phases, by circular convolution into `moved`."""
    phases = kernel.size
    for k in range(phases):
        row[phases + k] = row[k]
        moved[k] = 0.0
    j = 0
    while j + 8 <= phases:  # eight at a time, each a row of its own: so the compiler adds many places at once
        of = phases - j
        a, b, c, d = kernel[j], kernel[j + 1], kernel[j + 2], kernel[j + 3]
        e, f, g, h = kernel[j + 4], kernel[j + 5], kernel[j + 6], kernel[j + 7]
        at_a, at_b, at_c, at_d = row[of:], row[of - 1 :], row[of - 2 :], row[of - 3 :]
        at_e, at_f, at_g, at_h = row[of - 4 :], row[of - 5 :], row[of - 6 :], row[of - 7 :]
        for k in range(phases):
            moved[k] += (a * at_a[k] + b * at_b[k] + c * at_c[k] + d * at_d[k]) + (
                e * at_e[k] + f * at_f[k] + g * at_g[k] + h * at_h[k]
            )
        j += 8
    while j < phases:
        a, at_a = kernel[j], row[phases - j :]
        for k in range(phases):
            moved[k] += a * at_a[k]
        j += 1


@njit(forceinline=True, error_model="numpy")
def _weigh(exponent, met, t, at_beat, evidence, struck, between, between_share):
    """Add to the log weights of a tempo's phases what was heard."""
    phases = at_beat.shape[2]
    for s in range(evidence.size):
        _add(exponent, at_beat[s, t], evidence[s])
    if between.size and between_share[t] != 0.0:
        met[:phases] = 0.0
        for s in range(evidence.size):
            _add(met, at_beat[s, t], max(evidence[s], np.float32(0.0)) * between_share[t])
        for b in range(between.size):
            _add_rolled(exponent, met, between[b], phases)
    if struck.size:
        met[:phases] = 0.0
        for s in range(struck.size):
            _add(met, at_beat[s, t], struck[s])
        _add_rolled(exponent, met, phases // 2, phases)
        _add(exponent, met[:phases], np.float32(-1.0))


@cached_function(*SOURCES)(
    "void(f4[:,::1], f4[:,::1], f4[:,::1], f4[:,::1], f4[:,:,::1], f4[::1], f4[::1], f4[::1],"
    "i8[::1], f4[::1], f4[:,::1], i4[::1], f4[::1], f4, f4, i8, f4)"
)
def hear_frame(
    old, new, prior, kernel, at_beat, evidence, struck, row_nats,
    between, between_share, scratch, bits, powers, walk, jump, jump_bins, forget,
):  # fmt: skip
    """The belief `old` a frame later and weighed by what was heard, into `new`; both sum to 1.

    `kernel` [T, K] moves a tempo's phases on. `at_beat` [S, T, K] says how near to a beat each sub-frame is;
    `evidence` [S] is a beat's log odds there, `struck` [S] (or [0]) what notes say for the place half a beat off.
    `row_nats` [T] weighs tempi. `between`: phases before a beat for which it speaks too, as far as `between_share` [T]
    has it. `walk`, `jump`: share that goes to each neighbour in tempo, and anywhere within `jump_bins`. `forget`: share
    of the result that is `prior`. `scratch`: float32 [5, 2 K]; `bits`, `powers` [K]: see `_exponentials`.
    """
    tempi, phases = old.shape
    within, row, moved, exponent, met = scratch[0], scratch[1], scratch[2], scratch[3], scratch[4]
    within[:phases] = 0.0
    for t in range(min(jump_bins, tempi)):
        _add(within, old[t], np.float32(1.0))
    total = 0.0
    for t in range(tempi):
        _wander(old, t, within, row, walk, jump, jump_bins)
        _go_on(row, kernel[t], moved)
        exponent[:phases] = row_nats[t]
        _weigh(exponent, met, t, at_beat, evidence, struck, between, between_share)
        weights = exponent[:phases]
        _exponentials(weights, bits, powers)
        mass, there = np.float32(0.0), new[t]
        for k in range(phases):
            weighed = max(moved[k], np.float32(0.0)) * weights[k]
            there[k] = weighed
            mass += weighed
        total += float(mass)
    keep = np.float32((1.0 - forget) / max(total, 1e-30))
    for t in range(tempi):
        there, usual = new[t], prior[t]
        for k in range(phases):
            there[k] = keep * there[k] + forget * usual[k]


@cached_function(*SOURCES)("UniTuple(f8, 4)(f4[:,::1], f8, f8, f8, f8, f8, f8)")
def reading_near(belief, log_rate, phase, first_log_rate, step, tempo_reach, phase_reach):
    """What is believed within reach (log tempo; beats) of a tempo and phase: (mass, mean log tempo, mean of the phase
    less the given one, its variance); the mass is 0 where there is next to nothing."""
    tempi, phases = belief.shape
    centre, half = (log_rate - first_log_rate) / step, tempo_reach / step
    low, high = max(0, math.ceil(centre - half)), min(tempi, math.floor(centre + half) + 1)
    mass = tempo = mean = square = 0.0
    for k in range(phases):
        away = (k / phases - phase + 0.5) % 1.0 - 0.5
        if abs(away) <= phase_reach:
            here = 0.0
            for t in range(low, high):
                here += belief[t, k]
                tempo += belief[t, k] * (t - centre)
            mass += here
            mean += here * away
            square += here * away * away
    if mass < 1e-9:
        return 0.0, log_rate, 0.0, 0.0
    mean /= mass
    return mass, log_rate + step * tempo / mass, mean, square / mass - mean * mean


@cached_function(*SOURCES)("i8(f4[:,::1], f4[:,::1])")
def strongest(belief, scratch):
    """Index of the tempo and phase with the most belief in it and around it. `scratch`: float32 [5, 2 K]."""
    tempi, phases = belief.shape
    before, here, after = scratch[0], scratch[1], scratch[2]
    for k in range(phases):
        before[k] = 0.0
        here[k] = belief[0, k] + belief[0, k - 1] + belief[0, (k + 1) % phases]
    most, place = np.float32(-1.0), 0
    for t in range(tempi):
        for k in range(phases):
            after[k] = 0.0
        if t + 1 < tempi:
            for k in range(1, phases - 1):
                after[k] = belief[t + 1, k] + belief[t + 1, k - 1] + belief[t + 1, k + 1]
            last = phases - 1
            after[0] = belief[t + 1, 0] + belief[t + 1, last] + belief[t + 1, 1]
            after[last] = belief[t + 1, last] + belief[t + 1, last - 1] + belief[t + 1, 0]
        top = np.float32(0.0)
        for k in range(phases):
            before[k] += here[k] + after[k]
            top = max(top, before[k])
        if top > most:
            most = top
            for k in range(phases):
                if before[k] == top:
                    place = t * phases + k
                    break
        before, here, after = here, after, before
    return place


@cached_function(*SOURCES)("void(f4[::1], f8[::1], f8[:,::1], b1[::1], f8, f4[::1], f8, f8[::1], f8, f8, f8)")
def weigh_tempi(
    nats, votes, vote_at, inside, vote_weight, outside, outside_nats, log_rate, held_log_rate, near_ratio, far_nats
):  # fmt: skip
    """What is known of tempi in this frame into `nats` [T].

    `votes` [V]: the listener's, times V; none where it has no view. `vote_at` [N, T]: the place of each tempo in them,
    in the first row as it is, in others as the listener may count it for tempi `inside` [T] of the style; -1: no vote.
    `outside_nats` is held against those outside, as far as `outside` [T] says, `far_nats` against those further than
    `near_ratio` from the held one.
    """
    for t in range(nats.size):
        total = 0.0
        if votes.size:
            share = 0.0
            for n in range(vote_at.shape[0]):
                at = vote_at[n, t]
                if at >= 0.0 and (n == 0 or inside[t]):
                    low = min(int(at), votes.size - 2)
                    share = max(share, votes[low] + (at - low) * (votes[low + 1] - votes[low]))
            total = vote_weight * min(max(math.log(share + 0.1), -2.3), 2.5)
        total -= outside_nats * outside[t]
        if abs(log_rate[t] - held_log_rate) > near_ratio:
            total -= far_nats
        nats[t] = total
