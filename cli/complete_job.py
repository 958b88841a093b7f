"""Completes a recording: reads it in pieces, lets the band play, and writes complete files or none. Any thread.

Knows neither options nor HTTP: `gigmate complete` and the server's jobs both ask here. Memory does not grow with the
length of the recording, whatever its header claims.
"""

from __future__ import annotations

import contextlib
import math
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from ..dsp.loudness import gain_of_db
from ..dsp.loudness_meter import SILENT_LUFS, LoudnessMeter
from ..engine.config import SEEDS, check_tuning
from ..engine.errors import ConfigError, EngineError
from ..engine.mix import BAND_LUFS
from ..engine.part_sounds import sounds_of
from ..engine.player import PARTS
from ..presets.loader import DEFAULT_PRESET
from .output_files import MIDI_SUFFIXES, check_apart
from .sound_files import (
    FORMATS,
    Recording,
    Sinks,
    TooLong,
    mean_of_many,
)

if TYPE_CHECKING:
    from ..band import Band
    from ..engine.charts.chart import Chart
    from ..engine.run.accompaniment import Accompaniment, Stretch
    from ..engine.timing.first_downbeat import FirstDownbeat
    from ..presets.schema import Preset

Array = NDArray[np.float32]
LONGEST_CONTINUATION_S = 3600.0
_MOST_DB = 24.0
"""No band is made louder or softer than that for a recording's sake."""


class Cancelled(Exception):
    """Whoever asked has changed their mind; nothing was written."""


@dataclass(frozen=True, slots=True)
class Completion:
    """What is asked for. Raises ConfigError from `check` for what cannot be."""

    source: Path
    target: Path | None
    """WAV or FLAC by its ending; None where only stems are wanted."""
    parts: tuple[str, ...] = PARTS
    with_source: bool = False
    band_lu: float = 0.0
    """How much louder than the recording the band is in a target with both, in LU."""
    """Mix the recording itself into the target, which then has its channels."""
    stems: Path | None = None
    """Folder for one file of each part."""
    input_channels: tuple[int, ...] | None = None
    """Those that the band hears, from 1; None: the mean of all. The mix keeps all."""
    midi: Path | None = None
    """A Standard MIDI File for the notes of the parts, with the tempo and the metre that the band followed."""
    start_s: float = 0.0
    length_s: float | None = None
    """Of the recording, from the start; None takes all of it."""
    continue_s: float = 0.0
    output_length_s: float | None = None
    """Takes the place of `length_s` and `continue_s`: the band goes on, or stops early, to fill it."""
    most_s: float = math.inf
    """A longer recording, or a longer result, is refused (TooLong), whatever its header says."""
    most_bytes: float = math.inf
    """A larger target is refused (TooLong)."""
    play_along: bool = True
    wait: bool = False
    """Come in when a beat is found, and stop with the musician, as on stage."""
    chart: Chart | None = None
    """The chords to play by; None: by ear."""
    chart_start_s: float | None = None
    """Where its first bar begins, from `start_s` on; None: at the first downbeat that is found."""
    preset: str | Path | Preset = DEFAULT_PRESET
    sound: str | None = None
    """What the parts sound with, as --sound has it; None: as the preset says."""
    seed: int = 0
    tuning_hz: float | None = None
    """What A is; None: as it is heard."""
    ahead_frames: int | None = None
    """None takes a live run's."""

    @property
    def needs_first_downbeat(self) -> bool:
        """Whether the recording is listened to beforehand: for the place of the chart, or for the tempo in which a band
        that waits comes in there."""
        if self.chart is None:
            return False
        comes_in = self.wait and self.play_along and not self.chart.tempo_bpm
        return self.chart_start_s is None or comes_in

    def check(self) -> None:
        """Raise ConfigError with one line for the first thing that cannot be."""
        for name, seconds, least in (
            ("start", self.start_s, 0.0),
            ("length", self.length_s, 0.001),
            ("continuation", self.continue_s, 0.0),
            ("output length", self.output_length_s, 0.001),
        ):
            if seconds is not None and not (math.isfinite(seconds) and seconds >= least):
                raise ConfigError(f"{name} {seconds} s: give seconds, {least:g} or more")
        if not -_MOST_DB <= self.band_lu <= _MOST_DB:
            raise ConfigError(f"band {self.band_lu:g} LU over the recording: give -{_MOST_DB:g} to {_MOST_DB:g}")
        if self.continue_s > LONGEST_CONTINUATION_S:
            raise ConfigError(f"continuation {self.continue_s:g} s: give at most {LONGEST_CONTINUATION_S:g}")
        if max(self.output_length_s or 0.0, self.continue_s) > self.most_s:
            raise TooLong(f"longer than the limit of {self.most_s:g} s: ask for less")
        if self.chart_start_s is not None:
            if self.chart is None:
                raise ConfigError("a start for the chart needs a chart: give one")
            if not (math.isfinite(self.chart_start_s) and self.chart_start_s >= 0):
                raise ConfigError(f"a chart that starts at {self.chart_start_s:g} s: give seconds, 0 or more")
        if not self.play_along and not self.continue_s and self.output_length_s is None:
            raise ConfigError("nothing to play: the band has to play along, go on after the end, or both")
        if not 0 <= self.seed < SEEDS:
            raise ConfigError(f"seed {self.seed}: give a whole number, 0 or more and below 2**63")
        check_tuning(self.tuning_hz)
        if self.sound is not None:
            sounds_of(self.sound)
        self._check_files()

    def stem_of(self, part: str) -> Path:
        """The file of that part's own. Raises ValueError where no stems are wanted."""
        if self.stems is None:
            raise ValueError("no stems are wanted")
        return self.stems / f"{part}.wav"

    def _check_files(self) -> None:
        """What is written has a place of its own: nothing of the musician's is written over."""
        if self.target is None and self.stems is None and self.midi is None:
            raise ConfigError("nothing to write: give a file, or a folder for the stems")
        if self.target is not None and self.target.suffix.lower() not in FORMATS:
            raise ConfigError(f"{self.target}: the file extension sets the format: use {' or '.join(FORMATS)}")
        written = {} if self.target is None else {"the output": self.target}
        if self.stems is not None:
            if self.stems.exists() and not self.stems.is_dir():
                raise ConfigError(f"{self.stems}: is a file: give a folder for the stems")
            written |= {f"the stem of the {part}": self.stem_of(part) for part in self.parts}
        if self.midi is not None:
            if self.midi.suffix.lower() not in MIDI_SUFFIXES:
                raise ConfigError(f"{self.midi}: give a name that ends in {' or '.join(MIDI_SUFFIXES)}")
            written["the MIDI file"] = self.midi
        check_apart(self.source, written)


@dataclass(frozen=True, slots=True)
class Progress:
    """How far it is."""

    done_s: float
    """Seconds of music written."""
    total_s: float | None
    """None where the recording does not say how long it is."""


@dataclass(frozen=True, slots=True)
class Completed:
    """What was made."""

    files: tuple[Path, ...]
    rate_hz: int
    channels: int
    """Of the recording."""
    seconds: float
    ahead_frames: int
    ahead_ms: float
    took_s: float
    chart_start_s: float | None = None
    """In the recording from `start_s` on: where the chart's first bar begins; None without a chart."""
    waited: bool = False
    """Whether the band waited for the musician."""
    came_in_s: float | None = None
    """From `start_s` on: where the band first sounded; None: it never came in."""
    remarks: tuple[str, ...] = ()
    """Lines on what of the recording was not read, and what is wrong with its channels."""
    chart_found: bool = True
    """False where no beat was found to count the chart's bars from."""


def _stream(
    band: Band, wanted: Completion, preset: Preset, rate_hz: int, chart_at: tuple[float, float | None]
) -> Accompaniment:
    """`chart_at`: seconds to the chart's first bar, and the tempo there if it was found."""
    from ..engine.run.accompaniment import BATCH_FRAMES

    return band.stream(
        rate_hz,
        preset=preset,
        parts=wanted.parts,
        seed=wanted.seed,
        ahead_frames=wanted.ahead_frames,
        play_along=wanted.play_along,
        wait=wanted.wait,
        chart=wanted.chart,
        chart_start_s=chart_at[0],
        chart_tempo_bpm=chart_at[1],
        batch_frames=BATCH_FRAMES,
        tuning_hz=wanted.tuning_hz,
        input_channels=wanted.input_channels,
        sound=wanted.sound,
    )


def _pieces(wanted: Completion, recording: Recording, sinks: Sinks, stream: Accompaniment) -> Iterator[Stretch]:
    """What the band plays to the recording, and beyond its end as far as it is wanted."""
    for block in recording.blocks():
        sinks.heard(block)
        yield stream.push(block)
    more = round(wanted.continue_s * recording.rate_hz)
    if wanted.output_length_s is not None:
        more = max(0, round(wanted.output_length_s * recording.rate_hz) - stream.samples_pushed)
    yield from stream.finish(more)


def complete(
    band: Band,
    wanted: Completion,
    progress: Callable[[Progress], None] | None = None,
    cancelled: Callable[[], bool] | None = None,
) -> Completed:
    """Let the band complete a recording. `progress` is told, and `cancelled` asked, about twice a second of music.

    Raises ConfigError for what cannot be, EngineError for a file that is no sound or a place that cannot be written,
    Cancelled; then nothing is left behind. A chart's bars are counted from the first downbeat of the recording, which
    is listened to twice for that, unless `chart_start_s` says from where.
    """
    from ..presets.loader import load_preset

    wanted.check()
    preset = load_preset(wanted.preset) if isinstance(wanted.preset, (str, Path)) else wanted.preset
    began_s = time.perf_counter()
    with contextlib.ExitStack() as open_things:
        length_s = wanted.length_s if wanted.output_length_s is None else wanted.output_length_s
        recording = Recording(wanted.source, wanted.start_s, length_s, wanted.most_s)
        open_things.callback(recording.close)
        recording.check_channels(wanted.input_channels)
        rate_hz = recording.rate_hz
        chart_start_s, chart_tempo_bpm = wanted.chart_start_s, None
        if wanted.needs_first_downbeat:
            found = _first_downbeat(band, wanted, preset, length_s, cancelled)
            if found is not None:
                chart_tempo_bpm = found.tempo_bpm
                chart_start_s = found.seconds if chart_start_s is None else chart_start_s
        stream = _stream(band, wanted, preset, rate_hz, (chart_start_s or 0.0, chart_tempo_bpm))
        loudness = _loudness(wanted, length_s, cancelled) if wanted.with_source and wanted.target else None
        gain_db = 0.0 if loudness is None else min(max(loudness + wanted.band_lu - BAND_LUFS, -_MOST_DB), _MOST_DB)
        channels = target_channels(wanted, recording)
        sinks = Sinks(wanted, recording, channels, preset.ceiling_dbfs, gain_of_db(gain_db))
        open_things.callback(sinks.drop)
        expected, written = recording.expected_samples, 0
        total_s = None if expected is None else expected / rate_hz + wanted.continue_s
        total_s = wanted.output_length_s or total_s
        _check_size(wanted, recording, total_s or 0.0)

        for piece in _pieces(wanted, recording, sinks, stream):
            sinks.write(piece)
            written += piece.samples
            _check_size(wanted, recording, written / rate_hz)
            if cancelled is not None and cancelled():
                raise Cancelled
            if progress is not None:
                progress(Progress(written / rate_hz, total_s))
        if wanted.midi is not None:
            _write_notes(wanted.midi, wanted.parts, stream, preset)
        files = sinks.keep() + (() if wanted.midi is None else (wanted.midi,))
    return Completed(
        files, rate_hz, recording.channels, written / rate_hz, stream.ahead_frames, stream.ahead_ms,
        time.perf_counter() - began_s,
        chart_start_s=None if wanted.chart is None else chart_start_s or 0.0,
        waited=wanted.wait and wanted.play_along,
        came_in_s=stream.came_in_s,
        chart_found=chart_start_s is not None,
        remarks=(*([recording.remark] if recording.remark else ()), *_on_channels(recording, wanted, stream)),
    )  # fmt: skip


def _on_channels(recording: Recording, wanted: Completion, stream: Accompaniment) -> list[str]:
    """What is to be said of the channels that were heard."""
    lines = [f"{recording.path.name}: {line}" for line in stream.warnings]
    return lines + mean_of_many(recording, wanted.input_channels)


def _write_notes(path: Path, parts: tuple[str, ...], stream: Accompaniment, preset: Preset) -> None:
    """The notes of these parts as a MIDI file. Raises EngineError where it cannot be written."""
    from ..files.whole import write_whole
    from ..show import midi_programs_of
    from ..sound.midi_file import midi_bytes

    score = stream.score()
    notes = [note for note in score.notes if note.part in parts]
    try:
        write_whole(path, midi_bytes(notes, score.beats, score.sections, midi_programs_of(preset)))
    except OSError as error:
        raise EngineError(f"cannot write {path}: {error.strerror}") from None


def target_channels(wanted: Completion, recording: Recording) -> int:
    """Of the output: stereo, or as many as the recording has more that goes into it."""
    return max(2, recording.channels) if wanted.with_source else 2


def _check_size(wanted: Completion, recording: Recording, seconds: float) -> None:
    """Raise TooLong where so much of the target is larger than it may be."""
    channels = target_channels(wanted, recording)
    if 3 * channels * recording.rate_hz * seconds > wanted.most_bytes:
        raise TooLong(
            f"the result exceeds the limit of {wanted.most_bytes:g} bytes ({channels} channels at "
            f"{recording.rate_hz} Hz): ask for less"
        )


def _loudness(wanted: Completion, length_s: float | None, cancelled: Callable[[], bool] | None) -> float | None:
    """Integrated loudness of the recording as it will stand in the mix, listened to once for that; None: silence."""
    recording = Recording(wanted.source, wanted.start_s, length_s, wanted.most_s)
    try:
        meter = LoudnessMeter(recording.rate_hz, recording.channels)
        for block in recording.blocks():
            if cancelled is not None and cancelled():
                raise Cancelled
            meter.push(np.nan_to_num(block.T, nan=0.0, posinf=0.0, neginf=0.0))
    finally:
        recording.close()
    loudness = meter.integrated_lufs
    # what the loudspeakers add up: of one channel both sides, of more than two each as much as of two
    return None if loudness <= SILENT_LUFS else loudness + 10.0 * math.log10(2.0 / recording.channels)


def _first_downbeat(
    band: Band, wanted: Completion, preset: Preset, length_s: float | None, cancelled: Callable[[], bool] | None
) -> FirstDownbeat | None:
    """Where the recording's first bar begins, listened to once on its own; None where no beat is found."""
    recording = Recording(wanted.source, wanted.start_s, length_s, wanted.most_s)

    def blocks() -> Iterator[Array]:
        for block in recording.blocks():
            if cancelled is not None and cancelled():
                raise Cancelled
            yield block

    try:
        return band.first_downbeat(
            blocks(),
            recording.rate_hz,
            preset=preset,
            chart=wanted.chart,
            input_channels=wanted.input_channels,
        )
    finally:
        recording.close()
