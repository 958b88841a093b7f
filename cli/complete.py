"""`gigmate complete`: adds the band to a recording. Main thread. complete_job.py does the work."""

from __future__ import annotations

import contextlib
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from ..engine.errors import ConfigError, EngineError
from ..files.channels import ChannelError, check_channels
from ..files.names import why_no_recording
from .live.sounds_command import SoundOption
from .options.files import ForceOption
from .options.playing import DensityOption, FillsOption, LevelOption, MuteOption, StyleOption, TempoOption, wish_of

if TYPE_CHECKING:
    from .complete_job import Completed, Completion, Progress

_SAY_EVERY_S = 10.0


def complete(
    sources: Annotated[
        list[Path],
        typer.Argument(
            metavar="IN...",
            help="The recording: WAV, FLAC, OGG, MP3 and others; any rate, any length. Or several, or folders of them.",
        ),
    ],
    output: Annotated[
        Path | None,
        typer.Option(
            "--output",
            "-o",
            metavar="OUT",
            help="The file to write, WAV or FLAC; of several, the folder. Default: IN-band.wav beside IN.",
        ),
    ] = None,
    parts: Annotated[
        str, typer.Option(metavar="NAME[,NAME]", help="The parts to play: drums, bass, keys.")
    ] = "drums,bass,keys",
    mix: Annotated[bool, typer.Option("--mix", help="Mix the recording into OUT.")] = False,
    band_lu: Annotated[
        float, typer.Option(metavar="LU", help="With --mix: how much louder than the recording the band is.")
    ] = 0.0,
    stems: Annotated[
        Path | None, typer.Option(metavar="DIR", help="Also write a WAV of each part into this folder.")
    ] = None,
    input_: Annotated[
        str | None,
        typer.Option("--input", metavar="N[,N]", help="Channels to use, counted from 1. Default: the mean of all."),
    ] = None,
    midi: Annotated[
        Path | None, typer.Option(metavar="F.mid", help="Also write the notes, tempo and sections as a MIDI file.")
    ] = None,
    start: Annotated[float, typer.Option(metavar="S", help="Start at this time in the recording.")] = 0.0,
    length: Annotated[float | None, typer.Option(metavar="S", help="Use only this much of the recording.")] = None,
    go_on: Annotated[
        float, typer.Option("--continue", metavar="S", help="Go on playing for this long after the end.")
    ] = 0.0,
    play_along: Annotated[
        bool, typer.Option("--accompany/--no-accompany", help="Play along, or come in only after the end.")
    ] = True,
    no_wait: Annotated[
        bool, typer.Option("--no-wait", help="Play from the first frame on, without waiting for a beat.")
    ] = False,
    preset: Annotated[str, typer.Option(metavar="NAME", help="The name of a preset, or a .yaml file.")] = "rock",
    chart: Annotated[Path | None, typer.Option(metavar="F", help="Play the chords of this chart.")] = None,
    chart_start: Annotated[
        float | None, typer.Option(metavar="S", help="Where the chart begins. Default: the first downbeat.")
    ] = None,
    tempo: TempoOption = None,
    style: StyleOption = None,
    density: DensityOption = None,
    level: LevelOption = None,
    mute: MuteOption = None,
    fills: FillsOption = None,
    sound: SoundOption = None,
    seed: Annotated[int, typer.Option(metavar="N", help="The same seed and recording give the same result.")] = 0,
    tuning: Annotated[
        float | None, typer.Option(metavar="HZ", help="Tuning of A, 392 to 494. Default: as heard.")
    ] = None,
    ahead: Annotated[str, typer.Option(metavar="FRAMES|live", help="Look-ahead in frames; live: as on stage.")] = "1",
    jobs: Annotated[
        int | None,
        typer.Option(metavar="N", help="Of several recordings, complete so many at once. Default: one per core."),
    ] = None,
    cluster: Annotated[
        str | None, typer.Option(metavar="ADDRESS", help="Of several, let a Dask cluster do them: tcp://HOST:8786.")
    ] = None,
    force: ForceOption = False,
    weights: Annotated[Path | None, typer.Option(metavar="DIR", help="A folder with your own weights.")] = None,
) -> int:
    """Add the band to a recording: along with it, after it, or both.

    Of several recordings, what is done already is left out: give the same command again to go on where it stopped.
    """
    from ..presets.loader import load_preset
    from ..sheets.library import read_chart
    from .batch.many import Means, complete_many
    from .complete_job import Completion
    from .presets import own_folder

    wish = wish_of(tempo, style, density, level, mute, fills)
    several = len(sources) > 1 or sources[0].is_dir()
    first = sources[0]
    wanted = Completion(
        source=first,
        target=Path("band.wav") if several else output or first.with_name(f"{first.stem}-band.wav"),
        parts=parse_parts(parts),
        with_source=mix,
        band_lu=band_lu,
        stems=stems,
        input_channels=None if input_ is None else parse_channels("--input", input_),
        midi=midi,
        start_s=start,
        length_s=length,
        continue_s=go_on,
        play_along=play_along,
        wait=not no_wait,
        preset=wish.first(load_preset(preset, (own_folder(),))),
        chart=wish.chart(None if chart is None else read_chart(chart)),
        chart_start_s=None if chart_start is None else chart_start - start,
        sound=sound,
        seed=seed,
        tuning_hz=tuning,
        ahead_frames=parse_ahead(ahead),
    )
    if several:
        if stems is not None or midi is not None:
            raise ConfigError("--stems and --midi are of one recording: complete those one by one")
        return complete_many(wanted, sources, output, Means(jobs, cluster, weights, force))
    if jobs is not None or cluster is not None:
        raise ConfigError("--jobs and --cluster are for several recordings, or a folder of them")
    return _complete_one(wanted, weights, force)


def _complete_one(wanted: Completion, weights: Path | None, force: bool) -> int:
    """One recording, whose result is told in some lines."""
    from . import complete_job
    from .output_files import check_free, check_output
    from .signals import Interrupted, Signals
    from .sound_files import Recording

    reason = why_no_recording(wanted.source)
    if reason is not None:
        raise EngineError(reason)
    wanted.check()
    for path, option in ((wanted.target, "--output"), (wanted.midi, "--midi")):
        if path is not None:
            check_output(path, option, force)
    for part in wanted.parts if wanted.stems is not None else ():
        check_free(wanted.stem_of(part), "--stems", force)
    with Signals() as signals:
        try:
            Recording(wanted.source).close()  # what is no sound is said before the model loads
            band = _load(weights)

            with _shown(sys.stderr) as show:

                def told(progress: Progress) -> None:
                    signals.raise_if_any()
                    show(progress)

                done = complete_job.complete(band, wanted, told)
        except Interrupted as interrupted:
            return interrupted.code
    for line in summary(done, wanted.start_s):
        print(line)
    return 0


def _load(weights: Path | None):  # type: ignore[no-untyped-def]
    from ..band import Band

    return Band.load(weights)


def parse_parts(text: str) -> tuple[str, ...]:
    """("drums", "bass") of "drums,bass". Raises ConfigError for a part that does not exist, or twice."""
    from ..engine.player import PARTS

    parts = tuple(part.strip() for part in text.split(","))
    for part in parts:
        if part not in PARTS:
            raise ConfigError(f"there is no part {part!r}: the parts are {', '.join(PARTS)}")
    if len(set(parts)) != len(parts):
        raise ConfigError(f"parts {text}: one is given twice")
    return parts


def parse_channels(option: str, text: str) -> tuple[int, ...]:
    """(1, 2) of "1,2". Raises ConfigError for what is not a list of channels."""
    try:
        channels = tuple(int(part) for part in text.split(","))
        check_channels(channels)
    except ValueError:
        raise ConfigError(f"{option} {text}: give channels as numbers from 1, such as 1 or 1,2") from None
    except ChannelError as error:
        raise ConfigError(f"{option} {text}: {error}") from None
    return channels


def parse_ahead(text: str) -> int | None:
    """Frames of "1", None of "live". Raises ConfigError for anything else."""
    from ..latency.budget import MAX_AHEAD_FRAMES

    if text == "live":
        return None
    try:
        frames = int(text)
    except ValueError:
        frames = -1
    if not 0 <= frames <= MAX_AHEAD_FRAMES:
        raise ConfigError(f"ahead {text}: give frames from 0 to {MAX_AHEAD_FRAMES}, or live")
    return frames


def summary(done: Completed, start_s: float = 0.0) -> list[str]:
    """The last lines: what was made, and how. `start_s`: where in the recording it began."""
    from ..band import TRAINED_AHEAD_FRAMES

    frames = done.ahead_frames
    if frames < TRAINED_AHEAD_FRAMES:
        why = f"less than the {TRAINED_AHEAD_FRAMES} that the model was trained with"
    elif frames == TRAINED_AHEAD_FRAMES:
        why = "the least that the model was trained with"
    else:
        why = "as on stage"
    return [
        f"{done.seconds:.1f} s of music at {done.rate_hz} Hz in {done.took_s:.1f} s "
        f"({done.seconds / max(done.took_s, 1e-6):.1f} times real time)",
        f"made {frames} frame{'s' * (frames != 1)} ({done.ahead_ms:.0f} ms) ahead, {why}",
        "no look-ahead: these weights were taught to play ahead of what they hear, and hear no future",
        *_entrance_lines(done, start_s),
        *_chart_lines(done, start_s),
        *done.remarks,
        *(str(path) for path in done.files),
    ]


def _entrance_lines(done: Completed, start_s: float) -> list[str]:
    if not done.waited:
        return []
    if done.came_in_s is None:
        return ["the band never came in: no beat was found to play to; --no-wait plays all the same"]
    return [f"the band comes in at {start_s + done.came_in_s:.2f} s"]


def _chart_lines(done: Completed, start_s: float) -> list[str]:
    if done.chart_start_s is None:
        return []
    if not done.chart_found:
        return ["no beat was found: the chart begins where the recording does; say where with --chart-start"]
    return [f"the chart begins at {start_s + done.chart_start_s:.2f} s"]


@contextlib.contextmanager
def _shown(stream) -> Iterator[Callable[[Progress], None]]:  # type: ignore[no-untyped-def]
    """A bar with the time left on a terminal; elsewhere a line now and then."""
    if not stream.isatty():
        said_s = time.monotonic()

        def say(progress: Progress) -> None:
            nonlocal said_s
            if time.monotonic() - said_s >= _SAY_EVERY_S:
                said_s = time.monotonic()
                of = "" if progress.total_s is None else f" of {progress.total_s:.0f}"
                print(f"{progress.done_s:.0f}{of} s", file=stream, flush=True)

        yield say
        return
    from rich.console import Console
    from rich.progress import BarColumn, TextColumn, TimeRemainingColumn
    from rich.progress import Progress as Bar

    columns = (BarColumn(), TextColumn("{task.completed:.0f} of {task.total:.0f} s"), TimeRemainingColumn())
    with Bar(*columns, console=Console(file=stream), transient=True) as bar:
        task = bar.add_task("", total=None)
        yield lambda progress: bar.update(task, completed=progress.done_s, total=progress.total_s)
