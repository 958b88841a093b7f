"""`gigmate listen`: prints beat, bar, tempo and chord as the band hears them, from a file or live. Main thread."""

from __future__ import annotations

import contextlib
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, NamedTuple

import typer

from ..engine.errors import ConfigError, EngineError
from ..files.json_text import json_text
from .complete import parse_channels
from .options.files import ForceOption

if TYPE_CHECKING:
    import numpy as np

    from .listen_stream import ListeningPlayer

LIVE_BACKENDS = ("auto", "jack", "portaudio")
_CLICK_HZ = {True: 1760.0, False: 1320.0}  # downbeat, other beats
_CLICK_S = 0.03
_CLICK_LEVEL = 0.4

_LOWEST_CHORD_NOTE = 48
_CHORD_VELOCITY = 72


class _Note(NamedTuple):
    part: str
    pitch: int
    velocity: int
    start_s: float
    end_s: float


class _Beat(NamedTuple):
    time_s: float
    number: int
    beats_per_bar: int


class _Chord(NamedTuple):
    time_s: float
    text: str


def listen(
    source: Annotated[str, typer.Argument(metavar="FILE|live", help="A recording, or `live` for a live input.")],
    input_: Annotated[
        str | None,
        typer.Option(
            "--input", metavar="N[,N]", help="Channels to use, counted from 1. Default: all of a file; 1 live."
        ),
    ] = None,
    backend: Annotated[str, typer.Option(help="live: auto, jack or portaudio.")] = "auto",
    click: Annotated[
        Path | None, typer.Option(metavar="F.wav", help="Write the recording with a click on every beat.")
    ] = None,
    midi: Annotated[Path | None, typer.Option(metavar="F.mid", help="Write beats and chords as a MIDI file.")] = None,
    force: ForceOption = False,
    style: Annotated[str, typer.Option(help="Prefer the tempi and metres of this style.")] = "",
    tuning: Annotated[
        float | None, typer.Option(metavar="HZ", help="Tuning of A, 392 to 494. Default: as heard.")
    ] = None,
    weights: Annotated[Path | None, typer.Option(metavar="DIR", help="A folder with your own weights.")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object for every beat.")] = False,
) -> int:
    """Print what the band hears, beat by beat: bar, beat, tempo, chord."""
    from ..engine.style_priors import STYLE_PRIORS
    from .output_files import MIDI_SUFFIXES, check_output

    if style and style not in STYLE_PRIORS:
        raise ConfigError(f"--style {style}: no such style; styles are {', '.join(STYLE_PRIORS)}")

    channels = None if input_ is None else parse_channels("--input", input_)
    if backend not in LIVE_BACKENDS:
        raise ConfigError(f"--backend {backend}: give one of {', '.join(LIVE_BACKENDS)}")
    if source == "live":
        if midi is not None:
            raise ConfigError("--midi writes what was heard in a recording: give a file to listen to")
        if click is not None:
            raise ConfigError("--click needs a recording: give a file to listen to")
        return _live(_player(weights, tuning), channels or (1,), backend, style, as_json)
    if click is not None:
        if click.suffix.lower() != ".wav":
            raise ConfigError(f"--click {click}: give a name that ends in .wav")
        if click.exists() and Path(source).exists() and click.samefile(source):
            raise ConfigError(f"--click {click}: is the recording itself: choose another name")
        check_output(click, "--click", force)
    if midi is not None:
        if midi.suffix.lower() not in MIDI_SUFFIXES:
            raise ConfigError(f"--midi {midi}: give a name that ends in {' or '.join(MIDI_SUFFIXES)}")
        check_output(midi, "--midi", force)
    sound = read_mono(Path(source), channels)
    beats = []
    for beat in beats_heard(_player(weights, tuning), sound, style):
        beats.append(beat)
        say(beat, as_json)
    if not beats:
        print(f"{source}: no beat was found", file=sys.stderr)
    if click is not None:
        write_clicks(click, sound, beats)
    if midi is not None:
        write_beats(midi, beats)
    return 0


def _player(weights: Path | None, tuning_hz: float | None) -> ListeningPlayer:
    from ..engine.config import check_tuning
    from .listen_stream import ListeningPlayer

    check_tuning(tuning_hz)
    player = ListeningPlayer(weights)
    player.fix_tuning(tuning_hz)
    return player


def read_mono(path: Path, channels: tuple[int, ...] | None = None) -> np.ndarray:
    """The recording as float32 [n], mono at 32 kHz: the mean of those channels, from 1; None: of all.

    What is wrong with it goes to stderr. Raises EngineError for what is no sound, ConfigError for a channel that is
    not there.
    """
    import numpy as np
    import soxr

    from ..engine.fault_log import FaultLog
    from ..engine.run.input_channels import InputChannels
    from .listen_stream import RATE_HZ
    from .sound_files import Recording, mean_of_many

    recording, faults = Recording(path), FaultLog()
    with contextlib.closing(recording):
        recording.check_channels(channels)
        heard = InputChannels(recording.rate_hz, channels, faults)
        blocks = [heard.mono(block) for block in recording.blocks()]
    warnings = [f"{path.name}: {line}" for line in faults.warnings]
    for line in (recording.remark, *warnings, *mean_of_many(recording, channels)):
        if line:
            print(line, file=sys.stderr)
    mono: np.ndarray = np.concatenate(blocks)
    if recording.rate_hz == RATE_HZ:
        return mono
    return np.asarray(soxr.resample(mono, recording.rate_hz, RATE_HZ), np.float32)


def beats_heard(ear: ListeningPlayer, sound: np.ndarray, style: str = "") -> Iterator[dict[str, Any]]:
    """Every beat of `sound` [n] at 32 kHz, as the conductor foretells it while it listens, from the first it knows."""
    import numpy as np

    from ..engine.commands import SetControl
    from ..engine.status import chord_name
    from ..engine.timing.conductor import Conductor
    from .listen_stream import FRAME_SAMPLES, RATE_HZ

    conductor = Conductor(float(RATE_HZ), harmonist=ear.harmonist)
    if style:
        conductor.obey(SetControl("style", style), 0.0)
    padded = np.concatenate([np.zeros(ear.tail_samples, np.float32), sound])
    size = ear.tail_samples + FRAME_SAMPLES
    last = None
    for i in range(len(sound) // FRAME_SAMPLES):
        heard = ear.listen(padded[i * FRAME_SAMPLES : i * FRAME_SAMPLES + size])
        now = (i + 1) * FRAME_SAMPLES
        conductor.hear(heard, now - heard.delay_samples, FRAME_SAMPLES)
        moment = conductor.moment(now)
        known = conductor.bar_samples() > 0  # until then time runs at a tempo that nobody has heard
        if known and last is not None and moment.beat_phase < last - 0.5:
            yield {
                "seconds": round(now / RATE_HZ - moment.beat_phase * 60.0 / moment.tempo_bpm, 3),
                "bar": conductor.bar_count(now) + 1,
                "beat": int(moment.bar_phase * moment.beats_per_bar + 1e-6) + 1,
                "beats_per_bar": moment.beats_per_bar,
                "tempo_bpm": round(moment.tempo_bpm, 1),
                "confidence": round(moment.confidence, 2),
                "chord": chord_name(moment.chord_root, moment.chord_pitch_classes),
                "playing": bool(moment.playing),
            }
        last = moment.beat_phase


def say(beat: dict[str, Any], as_json: bool) -> None:
    """One line for one beat."""
    if as_json:
        print(json_text(beat), flush=True)
        return
    dots = "".join("●" if n == beat["beat"] else "·" for n in range(1, beat["beats_per_bar"] + 1))
    sure = "sure" if beat["confidence"] >= 0.3 else "lost"
    print(
        f"{beat['seconds']:8.2f} s  bar {beat['bar']:3d}  {dots:<6} {beat['tempo_bpm']:6.1f} bpm  "
        f"{beat['chord'] or '-':<4} {sure} {beat['confidence']:.2f}",
        flush=True,
    )


def write_clicks(path: Path, sound: np.ndarray, beats: list[dict[str, Any]]) -> None:
    """The recording with a click on every beat, higher on downbeats, 24 bit."""
    import numpy as np

    from .listen_stream import RATE_HZ
    from .sound_files import Sink

    mixed = 0.6 * sound / max(1.0, float(np.abs(sound).max(initial=0.0)))
    t = np.arange(int(_CLICK_S * RATE_HZ)) / RATE_HZ
    for beat in beats:
        start = round(beat["seconds"] * RATE_HZ)
        shape = _CLICK_LEVEL * np.sin(2 * np.pi * _CLICK_HZ[beat["beat"] == 1] * t) * np.exp(-t / 0.006)
        piece = mixed[max(start, 0) : start + len(t)]
        piece += shape[: len(piece)].astype(mixed.dtype)
    sink = Sink(path, RATE_HZ, 1, len(mixed))
    try:
        sink.write(np.asarray(mixed, np.float32))
        sink.keep()
    finally:
        sink.drop()


def write_beats(path: Path, beats: Sequence[dict[str, Any]]) -> None:
    """Beats as `gigmate listen` gives them. Raises EngineError where the file cannot be written."""
    from ..engine.charts.chord_symbol import parse_chord
    from ..files.whole import write_whole
    from ..sound.midi_file import midi_bytes

    heard = [_Beat(float(beat["seconds"]), int(beat["beat"]), int(beat["beats_per_bar"])) for beat in beats]
    chords: list[_Chord] = []
    for beat in beats:
        name = str(beat["chord"])
        if name and (not chords or chords[-1].text != name):
            chords.append(_Chord(float(beat["seconds"]), name))
    last_s = heard[-1].time_s if heard else 0.0
    notes = []
    ends_s = [*(chord.time_s for chord in chords[1:]), last_s][: len(chords)]
    for chord, end_s in zip(chords, ends_s, strict=True):
        tones = parse_chord(chord.text).tones
        notes += [_Note("keys", _LOWEST_CHORD_NOTE + tone, _CHORD_VELOCITY, chord.time_s, end_s) for tone in tones]
    try:
        write_whole(path, midi_bytes(notes, heard, chords))
    except OSError as error:
        raise EngineError(f"cannot write {path}: {error.strerror}") from None


def _live(ear: ListeningPlayer, channels: tuple[int, ...], backend: str, style: str, as_json: bool) -> int:
    """Show every beat of what the sound card hears, until stopped."""
    from typing import cast

    from ..engine.commands import SetControl
    from ..engine.config import Backend, EngineConfig
    from ..engine.ports.port import open_port
    from ..engine.run.live_engine import Engine
    from ..engine.timing.conductor import Conductor
    from .signals import Interrupted, Signals

    config = EngineConfig(input_channels=channels, backend=cast(Backend, backend))
    with Signals() as signals:
        try:
            port = open_port(config)
            with Engine(config, ear, Conductor(float(port.rate_hz), harmonist=ear.harmonist), port) as engine:
                if style:
                    engine.post(SetControl("style", style))
                engine.start()
                last = (0, 0)
                while not engine.wait(0.02):
                    signals.raise_if_any()
                    status = engine.status
                    if status.beat and (status.bar, status.beat) != last:
                        last = (status.bar, status.beat)
                        say(
                            {
                                "seconds": round(status.seconds, 2),
                                "bar": status.bar,
                                "beat": status.beat,
                                "beats_per_bar": status.beats_per_bar,
                                "tempo_bpm": round(status.tempo_bpm, 1),
                                "confidence": round(status.confidence, 2),
                                "chord": status.chord,
                            },
                            as_json,
                        )
        except Interrupted as interrupted:
            return interrupted.code
    return 0
