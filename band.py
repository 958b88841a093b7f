"""The band for Python programs: load it once, then let it accompany arrays of audio, whole or block by block.

Like `session`, a place where engine, model and presets meet, but without a sound card. Loads torch when a band is
loaded. A Band may be used by any threads at once; each stream belongs to one thread at a time.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from .engine.charts.chart import Chart, ChartError
from .engine.charts.chart_parser import parse_chart
from .engine.config import check_tuning
from .engine.errors import ConfigError, EngineError
from .engine.fault_log import FaultLog
from .engine.mix import Mix
from .engine.notes.note_changes import NoteChange
from .engine.output.bus_mixer import mono_of
from .engine.output.mixer import rate_that_fits
from .engine.output.score_log import NO_SCORE, PlayedBeat, PlayedChord, PlayedNote, PlayedSection, Score
from .engine.part_sounds import sounds_of, with_sounds
from .engine.player import (
    PARTS,
    Moment,
    Player,
    TunedPlayer,
    harmonist_of,
)
from .engine.run.accompaniment import (
    BATCH_FRAMES,
    Accompaniment,
    AccompanimentSettings,
    Stretch,
)
from .engine.run.input_channels import InputChannels
from .engine.timing.conductor import Conductor
from .engine.timing.first_downbeat import FirstDownbeat, first_downbeat
from .model.weights_file import CheckpointError
from .presets.loader import DEFAULT_PRESET, load_preset
from .presets.schema import Preset, PresetError
from .presets.sections import settings_by_name
from .session import controls_of, expected_tempo_bpm, with_parts
from .sheets.link import is_link
from .show import midi_programs_of
from .sound.general_midi import programs_of
from .sound.rack import Rack

__all__ = [
    "Accompaniment",
    "Band",
    "Chart",
    "ChartError",
    "CheckpointError",
    "ConfigError",
    "EngineError",
    "FirstDownbeat",
    "Mix",
    "Moment",
    "Music",
    "NoteChange",
    "PlayedBeat",
    "PlayedChord",
    "PlayedNote",
    "PlayedSection",
    "Preset",
    "PresetError",
    "Score",
    "Stretch",
    "load_preset",
]
"""What programs need, and `from gigmate import` finds: the band, what it gives and takes, and what it raises."""
NewPlayer = Callable[[int], Player]
TRAINED_AHEAD_FRAMES = 1
"""The least ahead that generators are trained with: what a band that need not hurry takes."""
_BLOCK_SAMPLES = 48_000


@dataclass(frozen=True, slots=True)
class Music:
    """What the band played, as long as what it heard (and what was asked for beyond): float32, in stereo."""

    rate_hz: int
    mix: NDArray[np.float32]
    """[n, 2], left and right: all parts at their levels, limited."""
    parts: dict[str, NDArray[np.float32]]
    """Each part [n, 2], before the limiter."""
    ahead_frames: int
    """How far ahead of the sound the band was made."""
    chart_start_s: float | None = None
    """Where the chart's first bar begins; None without a chart."""
    warnings: tuple[str, ...] = ()
    """What is wrong with what was heard, such as channels that cancel."""
    score: Score = NO_SCORE
    """What was played as notes, the beats that the band followed, and the sections of the chart."""
    style: str = ""
    programs: Mapping[str, int] | None = None
    """General MIDI programs of the parts, from 0; None: those of the style."""

    @property
    def mono(self) -> NDArray[np.float32]:
        """The mix on one loudspeaker, [n]: what is in the middle is as loud as in `mix`."""
        return mono_of(self.mix.T)

    @property
    def notes(self) -> tuple[PlayedNote, ...]:
        """Every note of the parts that were asked for, in seconds, in order."""
        return tuple(note for note in self.score.notes if note.part in self.parts)

    @property
    def beats(self) -> tuple[PlayedBeat, ...]:
        """The beats that the band followed, in seconds."""
        return self.score.beats

    @property
    def chords(self) -> tuple[PlayedChord, ...]:
        """The chords that the band played by, in seconds, in order: each holds until the next."""
        return self.score.chords

    @property
    def midi(self) -> bytes:
        """A Standard MIDI File of format 1: tempo, metre and sections, and a track for each part."""
        from .sound.midi_file import midi_bytes

        return midi_bytes(self.notes, self.beats, self.score.sections, self.programs or programs_of(self.style))


class Band:
    """Drums, bass and keys, loaded once. `Band.load()` takes the shipped one."""

    def __init__(self, new_player: NewPlayer) -> None:
        """`new_player(seed)` gives a Player with a state of its own."""
        self._new_player = new_player

    @classmethod
    def load(cls, weights: str | Path | None = None) -> Band:
        """The shipped band, or that of the folder `weights`. Some seconds the first time on a machine.

        Raises CheckpointError for weights that cannot be used.
        """
        from .model.shared_band import SharedPrograms

        return cls(SharedPrograms(None if weights is None else Path(weights)).new_player)

    def new_player(self, seed: int = 0) -> Player:
        """A player with its own state, for an engine or a stream."""
        return self._new_player(seed)

    def stream(
        self,
        rate_hz: int,
        *,
        preset: str | Path | Preset = DEFAULT_PRESET,
        parts: Iterable[str] = PARTS,
        seed: int = 0,
        ahead_frames: int | None = TRAINED_AHEAD_FRAMES,
        play_along: bool = True,
        wait: bool = False,
        chart: str | Path | Chart | None = None,
        chart_start_s: float | None = 0.0,
        batch_frames: int = 1,
        tuning_hz: float | None = None,
        input_channels: Iterable[int] | None = None,
        chart_tempo_bpm: float | None = None,
        sound: str | None = None,
        mix: Mix | None = None,
    ) -> Accompaniment:
        """A new piece of music: `push` blocks of sound, then `finish`.

        The same input, seed and ahead give the same samples as a live run (whose ahead `None` takes). With `wait` the
        band comes in with the musician's beat and stops with them, as on stage; else it sounds at once. `chart` gives
        the chords, from the bar line nearest to `chart_start_s` on (None: from that on which the band comes in): a
        Chart, bar notation ("| Am | F |") or a file with it. `batch_frames` above 1 is quicker, and gives so many
        frames at once, later: for whole recordings. `tuning_hz` is what A is; None: as it is heard.
        `input_channels` are those of each block that are heard, from 1; None: the mean of all. `chart_tempo_bpm` is how
        fast the music goes where the chart begins (see `first_downbeat`): a band that waits then comes in with the
        chart's first bar; so it does by the tempo that the chart itself gives. `sound`: neural, instruments, or by part
        (keys=rhodes); `mix`: how the parts are mixed; None: as the preset says.
        Raises ConfigError (PresetError, ChartError) for a preset, part, rate, ahead, chart or sound that cannot be.
        """
        wanted = preset if isinstance(preset, Preset) else load_preset(preset)
        sheet = chart_of(chart)
        if chart_start_s is not None and not (math.isfinite(chart_start_s) and chart_start_s >= 0):
            raise ConfigError(f"a chart that starts at {chart_start_s} s: give seconds, 0 or more")
        check_tuning(tuning_hz)
        sounds = with_sounds(wanted.sound.in_order(PARTS), {} if sound is None else sounds_of(sound))
        player = self._new_player(seed)
        if tuning_hz is not None and isinstance(player, TunedPlayer):
            player.fix_tuning(tuning_hz)
        band_rate_hz = rate_that_fits(rate_hz, player)
        return Accompaniment(
            player,
            Conductor(float(band_rate_hz), _tempo_bpm(wanted, sheet), harmonist=harmonist_of(player)),
            rate_hz,
            AccompanimentSettings(
                band_rate_hz=band_rate_hz,
                controls=with_parts(controls_of(wanted), parts),
                mix=wanted.mixed if mix is None else mix,
                seed=seed,
                ahead_frames=ahead_frames,
                ceiling_dbfs=wanted.ceiling_dbfs,
                play_along=play_along,
                wait=wait,
                chart=sheet,
                chart_start_samples=None if chart_start_s is None else round(chart_start_s * rate_hz),
                batch_frames=batch_frames,
                input_channels=None if input_channels is None else tuple(input_channels),
                chart_tempo_bpm=chart_tempo_bpm,
                sounds=sounds,
                fills=wanted.fills,
                sections=settings_by_name(wanted.sections),
                rack=Rack(band_rate_hz, patient=True),
            ),
        )

    def first_downbeat(
        self,
        blocks: Iterable[NDArray[np.floating]],
        rate_hz: int,
        *,
        preset: str | Path | Preset = DEFAULT_PRESET,
        chart: str | Path | Chart | None = None,
        input_channels: Iterable[int] | None = None,
    ) -> FirstDownbeat | None:
        """The first downbeat that is played in `blocks`, float [n] or [n, channels]: its `seconds` and the `tempo_bpm`
        there; None: no beat found.

        Listens to as much of them as it needs, at most a minute. The metre is the chart's, if there is one.
        """
        wanted = preset if isinstance(preset, Preset) else load_preset(preset)
        sheet = chart_of(chart)
        heard = InputChannels(rate_hz, None if input_channels is None else tuple(input_channels), FaultLog())
        return first_downbeat(
            self._new_player(0),
            map(heard.mono, blocks),
            rate_hz,
            beats_per_bar=None if sheet is None else sheet.beats_per_bar,
            tempo_bpm=_tempo_bpm(wanted, sheet),
        )

    def first_downbeat_s(
        self,
        blocks: Iterable[NDArray[np.floating]],
        rate_hz: int,
        *,
        preset: str | Path | Preset = DEFAULT_PRESET,
        chart: str | Path | Chart | None = None,
        input_channels: Iterable[int] | None = None,
    ) -> float | None:
        """The seconds of `first_downbeat` alone."""
        found = self.first_downbeat(blocks, rate_hz, preset=preset, chart=chart, input_channels=input_channels)
        return None if found is None else found.seconds

    def accompany(
        self,
        audio: NDArray[np.floating],
        rate_hz: int,
        *,
        preset: str | Path | Preset = DEFAULT_PRESET,
        parts: Iterable[str] = PARTS,
        seed: int = 0,
        continue_s: float = 0.0,
        play_along: bool = True,
        wait: bool = False,
        ahead_frames: int | None = TRAINED_AHEAD_FRAMES,
        chart: str | Path | Chart | None = None,
        chart_start_s: float | None = None,
        tuning_hz: float | None = None,
        input_channels: Iterable[int] | None = None,
        sound: str | None = None,
        mix: Mix | None = None,
    ) -> Music:
        """Play along with `audio`, float [n] or [n, channels] as soundfile reads it, and `continue_s` beyond its end.

        With `play_along=False` the band comes in where the audio ends; with `wait` when a beat is found, as on stage.
        What comes out is at the rate of what went in. Of several channels the mean is heard, or that of
        `input_channels`, which count from 1.
        `chart` gives the chords as for `stream`; its first bar is the first downbeat that is played (the beginning,
        where no beat is found), or the bar at `chart_start_s`.
        Raises ConfigError for what is no sound, and as `stream` does; EngineError if the model fails.
        """
        if not (math.isfinite(continue_s) and continue_s >= 0):
            raise ConfigError(f"continue for {continue_s} s: give seconds, 0 or more")
        wanted = tuple(parts)
        faults = FaultLog()
        heard = None if input_channels is None else tuple(input_channels)
        blocks = _heard(audio, InputChannels(rate_hz, heard, faults))
        sheet, chart_tempo_bpm = chart_of(chart), None
        if sheet is not None and chart_start_s is None:
            rate_that_fits(rate_hz, self._new_player(seed))  # a rate that no sound has is said before listening
            found = self.first_downbeat(blocks, rate_hz, preset=preset, chart=sheet)
            if found is not None:
                chart_start_s, chart_tempo_bpm = found
        start_s = chart_start_s or 0.0
        stream = self.stream(
            rate_hz,
            preset=preset,
            parts=wanted,
            seed=seed,
            ahead_frames=ahead_frames,
            play_along=play_along,
            wait=wait,
            chart=sheet,
            chart_start_s=start_s,
            batch_frames=BATCH_FRAMES,
            tuning_hz=tuning_hz,
            chart_tempo_bpm=chart_tempo_bpm,
            sound=sound,
            mix=mix,
        )
        pieces = [stream.push(block) for block in blocks]
        pieces += stream.finish(round(continue_s * rate_hz))
        sounds = np.concatenate([piece.parts for piece in pieces], axis=1)
        return Music(
            rate_hz=rate_hz,
            mix=np.concatenate([piece.mix for piece in pieces]),
            parts={name: sounds[index] for index, name in enumerate(PARTS) if name in wanted},
            ahead_frames=stream.ahead_frames,
            chart_start_s=None if sheet is None else start_s,
            warnings=faults.warnings + stream.warnings,
            score=stream.score(),
            style=stream.controls.style,
            programs=midi_programs_of(preset if isinstance(preset, Preset) else load_preset(preset)),
        )


def _heard(audio: NDArray[np.floating], channels: InputChannels) -> list[NDArray[np.float32]]:
    """What the band hears of a whole recording, by blocks."""
    sound = np.asarray(audio)
    if sound.ndim == 0:
        return [channels.mono(sound)]
    return [channels.mono(sound[at : at + _BLOCK_SAMPLES]) for at in range(0, max(1, len(sound)), _BLOCK_SAMPLES)]


def chart_of(chart: str | Path | Chart | None) -> Chart | None:
    """A chart from itself, from bar notation (text with a | in it), a file of any format, or a link of iReal Pro.

    Raises ChartError.
    """
    if chart is None or isinstance(chart, Chart):
        return chart
    if isinstance(chart, str) and "|" in chart and not is_link(chart):
        return parse_chart(chart)
    from .sheets.library import read_chart

    return read_chart(chart)


def _tempo_bpm(preset: Preset, chart: Chart | None) -> float | None:
    """What is expected: what the chart says, else the preset."""
    if chart is not None and chart.tempo_bpm:
        return chart.tempo_bpm
    return expected_tempo_bpm(preset)
