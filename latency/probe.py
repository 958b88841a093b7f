"""Measures the round trip of a loop: which signals to send, how loud, and how to combine their echoes.

Knows no sound card: whatever can send an array and bring back what came in meanwhile is a loop. One thread; a
measurement takes as long as its signals and its waiting, and has an end.

It begins quietly, 40 dB and more below full scale, and gets louder only where nothing comes back. It never guesses: an
echo that is not certain is an error that says what to do.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any, ClassVar, Literal, Protocol

import numpy as np
from numpy.typing import NDArray

from .probe_burst import (
    BurstReading,
    make_sweep,
    read_burst,
    stands_out,
)
from .probe_tones import (
    PEAK,
    PERIOD_SAMPLES,
    SETTLE_SAMPLES,
    ToneReading,
    make_tones,
    read_tones,
)

Method = Literal["auto", "tones", "burst"]
METHODS: tuple[Method, ...] = ("auto", "tones", "burst")
PEAK_LEVELS = (0.005, 0.02, 0.08, 0.25)
"""The burst's peaks, from the quietest up: -46, -34, -22 and -12 dBFS."""
MAX_DELAY_S = 4.5
_SHORT_TAIL_S = 0.5
_NOISE_S = 0.25
_GAPS_S = (0.0, 0.083, 0.031, 0.127, 0.059)
"""Uneven, so that an echo from before shows itself: it stands at another distance each time."""
_RETURN_PEAK = 0.25
_TONES_NEED_GAIN = 1e-3
_SAME_SAMPLES = 4.0
_TONES_AGREE_SAMPLES = 1.0
_TONES_AFTER_S = 8.0
_CLIPPED_SAMPLES = 3
_MANY_CLIPPED_SHARE = 0.02


class Loop(Protocol):
    """Something with an output, an input, and a way from one to the other."""

    @property
    def rate_hz(self) -> int: ...

    def exchange(self, signal: NDArray[np.float32], before_samples: int, after_samples: int) -> NDArray[np.float32]:
        """Send float32 [n], silence around it; return the input, float32 [before + n + after], from `before_samples`
        before the first sample went out.
        """
        ...


class ProbeError(Exception):
    """No delay can be told. One line says why and what to do; `cause` names the kind in a word or two."""

    cause: ClassVar[str] = "failed"


class NoCable(ProbeError):
    """Nothing of the signal comes back."""

    cause = "no cable"


class TooQuiet(ProbeError):
    """Something may come back, too little to be sure."""

    cause = "too quiet"


class Clipping(ProbeError):
    """The input is overdriven so far that the echo cannot be told."""

    cause = "clipping"


class WrongChannel(ProbeError):
    """The signal comes back on another input than the one asked for."""

    cause = "wrong channel"


class Unstable(ProbeError):
    """Every repeat says something else."""

    cause = "unstable"


@dataclass(frozen=True, slots=True)
class Measurement:
    """The delay of a loop, and how sure it is."""

    delay_samples: float
    rate_hz: int
    method: str
    """"tones" or "burst": where `delay_samples` comes from."""
    polarity: int
    """1 upright, -1 inverted."""
    gain_db: float
    noise_dbfs: float
    confidence: float
    """In [0, 1)."""
    spread_samples: float
    """Largest less smallest of the repeats, drift taken off."""
    drift_ppm: float
    repeats: int
    clipped_samples: int
    peak_level_dbfs: float
    """Of what was sent."""
    tones_samples: float | None
    """What the tones said, with the wraps that the burst knows of; None where they were not used."""
    burst_samples: float | None
    notes: tuple[str, ...] = ()
    response: NDArray[np.float32] = field(default_factory=lambda: np.zeros(0, np.float32), repr=False, compare=False)
    """The loop's impulse response from lag 0, float32 [n]; empty where only tones were sent."""

    @property
    def delay_ms(self) -> float:
        return 1000.0 * self.delay_samples / self.rate_hz

    def to_dict(self) -> dict[str, Any]:
        """Plain values, without the impulse response."""
        values: dict[str, Any] = {"delay_samples": self.delay_samples, "delay_ms": self.delay_ms}
        for name in self.__slots__:
            if name not in ("response", "delay_samples"):
                values[name] = getattr(self, name)
        values["notes"] = list(self.notes)
        return values


class Probe:
    """Measures one loop. `source` and `target` are the names of the two plugs, for what an error says."""

    def __init__(
        self,
        loop: Loop,
        method: Method = "auto",
        repeats: int = 3,
        max_delay_s: float = MAX_DELAY_S,
        source: str = "the output",
        target: str = "the input",
        progress: Callable[[str], object] = lambda line: None,
    ) -> None:
        """`progress` is told, in a line, what is tried next where nothing has come back so far.

        Raises ValueError for a method or numbers that cannot be.
        """
        if method not in METHODS:
            raise ValueError(f"no method {method!r}: there are {', '.join(METHODS)}")
        if not 1 <= repeats <= 100 or not 0.01 <= max_delay_s <= 30.0:
            raise ValueError("repeats are 1 to 100, the longest delay is 0.01 to 30 s")
        self._loop = loop
        self._method = method
        self._repeats = repeats
        self._source, self._target = source, target
        self._progress = progress
        self._rate_hz = loop.rate_hz
        self._max_delay = round(max_delay_s * loop.rate_hz)
        self._short_tail = min(self._max_delay, round(_SHORT_TAIL_S * loop.rate_hz))
        self._before = max(4096, round(_NOISE_S * loop.rate_hz))
        self._sweep = make_sweep(loop.rate_hz)

    def measure(self) -> Measurement:
        """The delay, by the method asked for. Raises the ProbeError that fits, or what the loop raises."""
        if self._method == "tones":
            return self._measured_by_tones()
        level, tail = self._find_level()
        try:
            readings, drift_ppm, spread = self._repeat(level, tail)
        except Unstable:
            if tail >= self._max_delay:
                raise
            # Echoes of earlier bursts may have been in the way: wait them out.
            readings, drift_ppm, spread = self._repeat(level, self._max_delay, self._max_delay)
        best = max(readings, key=lambda reading: reading.ratio)
        burst_samples = float(np.median([reading.delay_samples for reading in readings]))
        tones, note = None, ""
        if self._method == "auto" and best.gain >= _TONES_NEED_GAIN:
            tones = self._tones(burst_samples, best.gain)
            moved = abs(drift_ppm) * 1e-6 * (_TONES_AFTER_S * self._rate_hz)  # meanwhile, where two clocks drift
            note = _disagreement_of(tones, burst_samples, moved)
        use_tones = tones is not None and not note
        wrapped = None if tones is None else _nearest(tones.delay_samples, burst_samples)
        delay = wrapped if use_tones and wrapped is not None else burst_samples
        notes = [note] if note else []
        clipped = max(reading.clipped_samples for reading in readings)
        if clipped >= _CLIPPED_SAMPLES:
            notes.append(f"the input clips: turn {self._target} down")
        return Measurement(
            delay_samples=delay,
            rate_hz=self._rate_hz,
            method="tones" if use_tones else "burst",
            polarity=-1 if best.inverted else 1,
            gain_db=_db(best.gain),
            noise_dbfs=_db(best.noise_rms),
            confidence=min(reading.confidence for reading in readings),
            spread_samples=spread,
            drift_ppm=tones.drift_ppm if use_tones and tones is not None else drift_ppm,
            repeats=len(readings),
            clipped_samples=clipped,
            peak_level_dbfs=_db(level),
            tones_samples=wrapped,
            burst_samples=burst_samples,
            notes=tuple(notes),
            response=best.response,
        )

    def watch(self, first: Measurement) -> Iterator[Measurement]:
        """Measure again and again, quickly, at the level and place that `first` found. Raises as `measure` does."""
        level = 10.0 ** (first.peak_level_dbfs / 20.0)
        tail = min(self._max_delay, math.ceil(first.delay_samples) + self._short_tail)
        while True:
            reading = self._send(level, tail)
            if not reading.found:
                raise self._explain_missing_echo(reading)
            yield Measurement(
                delay_samples=reading.delay_samples,
                rate_hz=self._rate_hz,
                method="burst",
                polarity=-1 if reading.inverted else 1,
                gain_db=_db(reading.gain),
                noise_dbfs=_db(reading.noise_rms),
                confidence=reading.confidence,
                spread_samples=abs(reading.delay_samples - first.delay_samples),
                drift_ppm=0.0,
                repeats=1,
                clipped_samples=reading.clipped_samples,
                peak_level_dbfs=first.peak_level_dbfs,
                tones_samples=None,
                burst_samples=reading.delay_samples,
                response=reading.response,
            )

    def detects_burst(self) -> bool:
        """Whether the burst at its loudest is found within half a second: for looking at other plugs."""
        return self._send(PEAK_LEVELS[-1], self._short_tail).found

    # ------------------------------------------------------------------------------------------------- burst

    def _send(self, level: float, tail: int, gap: int = 0) -> BurstReading:
        sent = self._sweep * np.float32(level)
        echo = self._loop.exchange(sent, gap + self._before, tail)
        return read_burst(echo[gap:], sent, self._rate_hz, self._before, tail)

    def _find_level(self) -> tuple[float, int]:
        """The peak to send with, and how long to wait for the echo. Raises where there is none."""
        for step, level in enumerate(PEAK_LEVELS):
            if step:
                self._progress(f"nothing comes back on {self._target} yet: once more, louder ({_db(level):.0f} dBFS)")
            reading = self._send(level, self._short_tail)
            clips = reading.clipped_samples > _MANY_CLIPPED_SHARE * self._sweep.size
            if reading.found and not (clips and step == 0):
                return self._level_for(reading.gain), self._short_tail
            if clips:
                raise self._clipping()
        last = reading
        longest_s = self._max_delay / self._rate_hz
        self._progress(f"nothing comes back within {_SHORT_TAIL_S:g} s: waiting {longest_s:g} s for a longer way")
        reading = self._send(PEAK_LEVELS[-1], self._max_delay)
        if reading.found:
            return self._level_for(reading.gain), self._max_delay
        again = self._send(PEAK_LEVELS[-1], self._short_tail)
        count = min(last.response.size, reading.response.size, again.response.size)
        together = sum(each.response[:count] for each in (last, reading, again))
        raise self._explain_missing_echo(reading, stands_out(np.asarray(together)))

    def _level_for(self, gain: float) -> float:
        return float(np.clip(_RETURN_PEAK / max(gain, 1e-9), PEAK_LEVELS[0], PEAK_LEVELS[-1]))

    def _explain_missing_echo(self, reading: BurstReading, faint: bool = False) -> ProbeError:
        if reading.clipped_samples > _MANY_CLIPPED_SHARE * self._sweep.size:
            return self._clipping()
        if reading.faint or faint:
            return TooQuiet(
                f"too little comes back from {self._source} on {self._target}:"
                " turn the output or the input up, or move the microphone closer, and measure again"
            )
        return NoCable(
            f"nothing comes back from {self._source} on {self._target}: connect the two with a cable,"
            " and turn the output and the input up"
        )

    def _clipping(self) -> Clipping:
        return Clipping(f"the input clips even at the quietest signal: turn {self._target} down and measure again")

    def _repeat(self, level: float, tail: int, wait: int = 0) -> tuple[list[BurstReading], float, float]:
        """Several bursts: readings, drift in ppm, spread in samples. Raises Unstable where they do not agree."""
        readings: list[BurstReading] = []
        times_s = [0.0]
        for repeat in range(max(2, self._repeats)):  # one alone could be the echo of an earlier burst
            gap = round(_GAPS_S[repeat % len(_GAPS_S)] * self._rate_hz) + (wait if repeat == 0 else 0)
            reading = self._send(level, tail, gap)
            if not reading.found:
                raise self._unstable("the signal comes and goes")
            readings.append(reading)
            times_s.append(times_s[-1] + (gap + self._before + self._sweep.size + tail) / self._rate_hz)
        delays = np.array([reading.delay_samples for reading in readings])
        if len(delays) < 2:
            return readings, 0.0, 0.0
        apart = float(np.ptp(delays))
        if apart > _SAME_SAMPLES + 300e-6 * times_s[-1] * self._rate_hz:
            raise self._unstable(f"the delay varies by {apart:.0f} samples from one burst to the next")
        if len(delays) < 3:
            return readings, 0.0, apart
        slope, base = np.polyfit(times_s[:-1], delays, 1)
        spread = float(np.ptp(delays - slope * np.array(times_s[:-1]) - base))
        return readings, float(slope) / self._rate_hz * 1e6, spread

    def _unstable(self, what: str) -> Unstable:
        return Unstable(
            f"{what}: close programs that play on {self._source}, check the plugs, take a larger block,"
            " and measure again"
        )

    # ------------------------------------------------------------------------------------------------- tones

    def _tones(self, about_samples: float, gain: float) -> ToneReading:
        """Send the tones and read the last two periods that lie wholly in the echo."""
        scale = min(1.0, 0.8 / max(gain * PEAK, 1e-9))
        tones = make_tones(2) * np.float32(scale)
        delay = math.ceil(about_samples)
        echo = self._loop.exchange(tones, 0, delay + 1024)
        first = delay + SETTLE_SAMPLES
        return read_tones(echo[first : first + 2 * PERIOD_SAMPLES - SETTLE_SAMPLES], first)

    def _measured_by_tones(self) -> Measurement:
        """Tones alone: the delay modulo 65536, at rising levels until they are certain."""
        reading = None
        for scale in (0.02, 0.1, 0.4, 1.0):
            tones = make_tones(2) * np.float32(scale)
            echo = self._loop.exchange(tones, 0, 0)
            # The last period of the signal holds steady tones whatever the delay up to one period.
            end = SETTLE_SAMPLES + 2 * PERIOD_SAMPLES
            reading = read_tones(echo[end - PERIOD_SAMPLES : end], end - PERIOD_SAMPLES)
            clipped = int(np.count_nonzero(np.abs(echo) >= 0.999))
            if clipped > _CLIPPED_SAMPLES:
                raise self._clipping()
            if reading.certain and reading.gain > 1e-7:
                return self._measurement_of(reading, scale)
        if reading is None or reading.gain * 0.2 < 1e-7 or reading.gain * 0.02 < reading.noise_rms / 100.0:
            raise self._explain_missing_tones(NoCable, "nothing")
        raise self._explain_missing_tones(TooQuiet, "too little")

    def _explain_missing_tones(self, kind: type[ProbeError], what: str) -> ProbeError:
        return kind(
            f"{what} comes back from {self._source} on {self._target}: connect the two with a cable, turn the output"
            " and the input up, or measure with --method burst"
        )

    def _measurement_of(self, reading: ToneReading, scale: float) -> Measurement:
        return Measurement(
            delay_samples=reading.delay_samples,
            rate_hz=self._rate_hz,
            method="tones",
            polarity=-1 if reading.inverted else 1,
            gain_db=_db(reading.gain / scale),
            noise_dbfs=_db(reading.noise_rms),
            confidence=1.0 - reading.doubt,
            spread_samples=0.0,
            drift_ppm=reading.drift_ppm,
            repeats=1,
            clipped_samples=0,
            peak_level_dbfs=_db(scale * PEAK),
            tones_samples=reading.delay_samples,
            burst_samples=None,
            notes=(f"tones alone: a delay above {PERIOD_SAMPLES} samples would look shorter by as much",),
        )


def _nearest(wrapped: float, about: float) -> float:
    """The delay with that remainder that lies nearest to `about`."""
    return wrapped + PERIOD_SAMPLES * round((about - wrapped) / PERIOD_SAMPLES)


def _disagreement_of(tones: ToneReading, burst_samples: float, moved_samples: float) -> str:
    """Why the tones are not taken; empty where they are."""
    apart = abs(_nearest(tones.delay_samples, burst_samples) - burst_samples)
    if tones.certain and apart <= _TONES_AGREE_SAMPLES + moved_samples:
        return ""
    return (
        "the tones do not agree with the burst: the loop shifts phases (an amplifier, a microphone) or is noisy;"
        " the burst's figure is given"
    )


def _db(value: float) -> float:
    return 20.0 * math.log10(value) if value > 1e-12 else -240.0
