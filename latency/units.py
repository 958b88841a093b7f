"""Conversions between samples, frames and milliseconds that are exact or raise. Pure, any thread."""

from __future__ import annotations

from fractions import Fraction


def ms_of_samples(samples: float, rate_hz: int) -> float:
    """Milliseconds that so many samples last."""
    return 1000.0 * samples / rate_hz


def samples_of_ms(ms: float, rate_hz: int) -> float:
    """Samples in so many milliseconds, not rounded."""
    return ms * rate_hz / 1000.0


def samples_at(samples: int, from_rate_hz: int, to_rate_hz: int) -> Fraction:
    """The same stretch of time in samples of another rate, exact."""
    return Fraction(samples * to_rate_hz, from_rate_hz)


def frame_at(frame_samples: int, from_rate_hz: int, to_rate_hz: int) -> int:
    """A frame's length at another rate. Raises ValueError where it is not a whole number of samples."""
    length = samples_at(frame_samples, from_rate_hz, to_rate_hz)
    if length.denominator != 1:
        raise ValueError(
            f"a frame of {frame_samples} samples at {from_rate_hz} Hz is {float(length):.2f} samples at "
            f"{to_rate_hz} Hz: not a whole number"
        )
    return int(length)
