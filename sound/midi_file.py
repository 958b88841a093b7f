"""Notes, beats and sections as a Standard MIDI File of format 1: a track for time and sections, and one for each part.

The file's bars and tempi are those that the band followed, so that notes stand on the grid of whoever opens it, and at
the same second as in the recording. Knows no engine. Pure functions, any thread; the file's format is mido's business.
"""

from __future__ import annotations

import io
import itertools
import math
from bisect import bisect_right
from collections.abc import Mapping, Sequence
from typing import Protocol

import mido

from .general_midi import CHANNELS

TICKS_PER_BEAT = 960
"""Half a millisecond at 120 bpm."""
_USUAL_BEAT_S = 0.5
_SLOWEST_BEAT_S, _FASTEST_BEAT_S = 16.0, 0.02
_MOST_NUMERATOR = 255


class NoteLike(Protocol):
    """One note of a part, in seconds from the beginning of the music."""

    @property
    def part(self) -> str: ...  # "drums", "bass" or "keys"
    @property
    def pitch(self) -> int: ...  # MIDI note, 0 to 127; of the drums the keys of General MIDI's percussion
    @property
    def velocity(self) -> int: ...  # 1 to 127
    @property
    def start_s(self) -> float: ...
    @property
    def end_s(self) -> float: ...


class BeatLike(Protocol):
    """One beat that the band followed."""

    @property
    def time_s(self) -> float: ...
    @property
    def number(self) -> int: ...  # its place in the bar, from 1
    @property
    def beats_per_bar(self) -> int: ...


class MarkerLike(Protocol):
    """A word at a moment: a section, a chord."""

    @property
    def time_s(self) -> float: ...
    @property
    def text(self) -> str: ...


def midi_bytes(
    notes: Sequence[NoteLike],
    beats: Sequence[BeatLike] = (),
    markers: Sequence[MarkerLike] = (),
    programs: Mapping[str, int] | None = None,
    title: str = "GigMate",
) -> bytes:
    """The file as bytes. `beats` follow one another; without any the tempo is 120. Every note that begins also ends.

    A part that has no note has a track all the same, so that tracks are where they were last time.
    """
    clock = _Clock(beats)
    file = mido.MidiFile(type=1, ticks_per_beat=TICKS_PER_BEAT, charset="utf-8")
    file.tracks.append(_track(title, [*clock.events(), *_marked(clock, markers)]))
    for part, channel in CHANNELS.items():
        program = (programs or {}).get(part, 0)
        events = [(0, mido.Message("program_change", channel=channel, program=program))]
        for note in notes:
            if note.part == part:
                events += _note(clock, channel, note)
        file.tracks.append(_track(part, events))
    out = io.BytesIO()
    file.save(file=out)
    return out.getvalue()


class _Clock:
    """Seconds to ticks along the beats; before the first and after the last one their tempo goes on."""

    def __init__(self, beats: Sequence[BeatLike]) -> None:
        kept: list[BeatLike] = []
        for beat in beats:
            if math.isfinite(beat.time_s) and (not kept or beat.time_s > kept[-1].time_s + _FASTEST_BEAT_S):
                kept.append(beat)
        kept = [beat for beat in kept if beat.time_s >= 0.0]
        first_s = kept[0].time_s if kept else 0.0
        usual_s = kept[1].time_s - kept[0].time_s if len(kept) > 1 else _USUAL_BEAT_S
        lead_in = math.ceil(first_s / min(max(usual_s, _FASTEST_BEAT_S), _SLOWEST_BEAT_S) - 1e-9)
        self._beats = kept
        self._lead_in = lead_in
        # Beats before the first one that was heard, evenly from the beginning of the recording on.
        self._times_s = [first_s * number / lead_in for number in range(lead_in)] + [beat.time_s for beat in kept]
        if not self._times_s:
            self._times_s = [0.0]
        self._last_beat_s = self._times_s[-1] - self._times_s[-2] if len(self._times_s) > 1 else _USUAL_BEAT_S

    def tick(self, time_s: float) -> int:
        """0 and up."""
        times_s = self._times_s
        index = max(0, bisect_right(times_s, time_s) - 1)
        length_s = times_s[index + 1] - times_s[index] if index + 1 < len(times_s) else self._last_beat_s
        return max(0, round((index + (time_s - times_s[index]) / length_s) * TICKS_PER_BEAT))

    def events(self) -> list[tuple[int, mido.MetaMessage]]:
        """Tempi, one for each beat that has another than the one before, and metres, one for each that changes."""
        events: list[tuple[int, mido.MetaMessage]] = []
        lengths_s = [after - before for before, after in itertools.pairwise(self._times_s)]
        told = None
        for number, length_s in enumerate([*lengths_s, self._last_beat_s]):
            tempo = min(round(1e6 * min(length_s, _SLOWEST_BEAT_S)), 0xFFFFFF)
            if tempo != told:
                events.append((number * TICKS_PER_BEAT, mido.MetaMessage("set_tempo", tempo=tempo)))
                told = tempo
        metre, first_bar = None, next((n for n, beat in enumerate(self._beats) if beat.number == 1), None)
        if first_bar is not None and self._lead_in + first_bar:
            # what stands before the first downbeat is one bar of its own length
            odd = min(self._lead_in + first_bar, _MOST_NUMERATOR)
            events.append((0, mido.MetaMessage("time_signature", numerator=odd, denominator=4)))
            metre = odd
        for number, beat in enumerate(self._beats):
            if beat.number == 1 and beat.beats_per_bar != metre:
                metre = min(max(1, beat.beats_per_bar), _MOST_NUMERATOR)
                at = (self._lead_in + number) * TICKS_PER_BEAT
                events.append((at, mido.MetaMessage("time_signature", numerator=metre, denominator=4)))
        return events


def _marked(clock: _Clock, markers: Sequence[MarkerLike]) -> list[tuple[int, mido.MetaMessage]]:
    return [(clock.tick(marker.time_s), mido.MetaMessage("marker", text=marker.text)) for marker in markers]


def _note(clock: _Clock, channel: int, note: NoteLike) -> list[tuple[int, mido.Message]]:
    start = clock.tick(note.start_s)
    end = max(clock.tick(note.end_s), start + 1)
    values = {"channel": channel, "note": note.pitch}
    return [
        (start, mido.Message("note_on", velocity=note.velocity, **values)),
        (end, mido.Message("note_off", velocity=0, **values)),
    ]


def _track(name: str, events: Sequence[tuple[int, mido.Message | mido.MetaMessage]]) -> mido.MidiTrack:
    """Events by tick; at the same tick what ends comes before what begins."""
    track = mido.MidiTrack([mido.MetaMessage("track_name", name=name)])
    now = 0
    for tick, message in sorted(events, key=lambda event: (event[0], event[1].type == "note_on")):
        track.append(message.copy(time=tick - now))
        now = tick
    track.append(mido.MetaMessage("end_of_track"))
    return track
