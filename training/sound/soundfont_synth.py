"""Notes to sound through a soundfont. One synthesiser per process, rate and font. Knows nothing of music or labels.

Not for threads: a process renders one part at a time.
"""

from __future__ import annotations

import math
from functools import lru_cache

import numpy as np

from . import soundfonts

_CHANNELS = 16
_STEP_DB = 1.5
"""Of a channel's volume to the next one's."""
_FLUSH_S = 0.2


class SynthError(RuntimeError):
    """The synthesiser refuses a program; the message says what to do."""


@lru_cache(maxsize=4)
def _synth(rate_hz: int, font: str):
    import tinysoundfont

    path = soundfonts.find(font)
    synth = tinysoundfont.Synth(samplerate=rate_hz)
    identity = synth.sfload(str(path), max_voices=128)
    return synth, identity


def render_events(
    events: list[tuple[float, float, int, int]],
    program: int,
    *,
    drums: bool,
    length_samples: int,
    rate_hz: int,
    font: str = "fluid",
    tuning_cents: float = 0.0,
) -> np.ndarray:
    """Mono float32 [length_samples] of (start_s, end_s, pitch, velocity) events on one program. Notes are sample-exact.

    Touch is as SoundFont 2 has it, 40 log10(velocity / 127) dB: this synthesiser gives half of that, so the other half
    is the volume of the channel that a note goes to. Raises SynthError for a program that the font lacks.
    """
    synth, identity = _synth(rate_hz, font)
    synth.sounds_off()
    synth.generate(int(_FLUSH_S * rate_hz))
    for channel in range(_CHANNELS):
        try:
            synth.program_select(channel, identity, 128 if drums else 0, program, drums)
        except (RuntimeError, tinysoundfont_error()) as error:
            raise SynthError(f"soundfont {font!r} has no {'kit' if drums else 'program'} {program}") from error
        synth.set_tuning(channel, tuning_cents / 100.0)
        synth.control_change(channel, _VOLUME, _volume(channel))
    timeline = _timeline(events, rate_hz, length_samples)
    raw = bytearray(length_samples * 8)
    out = memoryview(raw)
    at = 0
    for sample, on, pitch, velocity in timeline:
        if sample > at:
            synth.generate(sample - at, out[at * 8 : sample * 8])
            at = sample
        channel, struck = _placed(velocity)
        if on:
            synth.noteon(channel, pitch, struck)
        else:
            synth.noteoff(channel, pitch)
    if at < length_samples:
        synth.generate(length_samples - at, out[at * 8 :])
    stereo = np.frombuffer(raw, dtype=np.float32)
    return (stereo[0::2] + stereo[1::2]) * np.float32(0.5)


_VOLUME = 7  # the controller


def _volume(channel: int) -> int:
    """The controller's value for so many steps below full: the synthesiser takes the third power of its share."""
    return round(127.0 * 10.0 ** (-channel * _STEP_DB / 60.0))


def _volume_db(channel: int) -> float:
    return 60.0 * math.log10((_volume(channel) * 128 + 127) / 16383)


@lru_cache(maxsize=128)
def _placed(velocity: int) -> tuple[int, int]:
    """The channel whose volume is nearest to the missing half of a velocity's dB, and the velocity that makes up for
    the rest: near the true one, so that a font's layers are chosen as written."""
    wanted_db = 40.0 * math.log10(max(velocity, 1) / 127.0)
    channel = min(range(_CHANNELS), key=lambda c: abs(_volume_db(c) - wanted_db / 2.0))
    struck = 127.0 * 10.0 ** ((wanted_db - _volume_db(channel)) / 20.0)
    return channel, min(max(round(struck), 1), 127)


def tinysoundfont_error() -> type[Exception]:
    """The exception type of the synthesiser's package."""
    from tinysoundfont.synth import SoundFontException

    return SoundFontException


def _timeline(
    events: list[tuple[float, float, int, int]], rate_hz: int, length_samples: int
) -> list[tuple[int, int, int, int]]:
    """(sample, 1 on / 0 off, pitch, velocity), offs first; a note ends where the same pitch starts again."""
    ordered = sorted(events)
    nexts: dict[int, int] = {}
    timeline = []
    for start_s, end_s, pitch, velocity in reversed(ordered):
        start = max(0, round(start_s * rate_hz))
        end = max(start + 1, round(end_s * rate_hz))
        if pitch in nexts:
            end = min(end, nexts[pitch])
        nexts[pitch] = start
        if start < length_samples and 0 <= pitch <= 127:
            timeline.append((start, 1, pitch, velocity))
            timeline.append((min(end, length_samples), 0, pitch, velocity))
    return sorted(timeline)
