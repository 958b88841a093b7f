"""Songs that are played in once, through the live engine: are they known afterwards?

Each song is heard by the engine as on stage, press by press; what it then has is compared with what was meant, beat by
beat, by root and third. Main thread.
"""

from __future__ import annotations

import tempfile
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from ...listen_stream import ListeningPlayer

if TYPE_CHECKING:
    from ....engine.charts.chart import Chart
    from ....engine.run.live_engine import Engine
    from ....training.evaluate.played_in_songs import PlayedInSong

WANTED = {"comped": 0.95, "melodic": 0.85}
_FIRST_BARS = 0.9
_HEARD_LATE_S = 0.1
"""A press and the chord of a moment are so much apart at least: the look-ahead."""


@dataclass(frozen=True, slots=True)
class Learnt:
    """What came of one song."""

    kind: str
    form_right: bool
    once: float
    """Share of beats whose chord was right when each section had been played in once, as it was played."""
    chords: float
    """The same at the end, as it was meant."""
    first_bars: tuple[float, ...]
    """For each section the share of its first bar that was planned right, as it was played in."""
    same_again: bool
    """Whether the chart, written and read back, gives the same chords and sections at every beat."""
    tempo_off: float
    """Of the tempo in the chart, beside the true mean: a ratio less 1."""


def judge(ear: ListeningPlayer, song: PlayedInSong, kind: str) -> Learnt:
    """Play the song to the engine, and compare."""
    known = hear(ear, song)
    meant = [_beats_of(section, song.beats_per_bar) for section in song.sections]
    sections = _sections_of(known.chart)
    bars = [] if known.chart is None else [section.bars for section in known.chart.sections]
    form_right = bars == [len(section) for section in song.sections] and len(sections) == len(meant)
    chords = _share(sections, meant) if form_right else 0.0
    once = [_as_played(song, number) for number in range(len(meant))]
    tempo_bpm = 60.0 / float(np.mean(np.diff(song.beat_times_s)))
    return Learnt(
        kind,
        form_right,
        _share(known.once, once) if len(known.once) == len(once) else 0.0,
        chords,
        tuple(_first_bar(song, known, number, beats) for number, beats in enumerate(once)),
        _same_again(known.chart),
        (known.chart.tempo_bpm / tempo_bpm - 1.0) if known.chart is not None else -1.0,
    )


class _Known:
    """What the engine had, as time went by."""

    def __init__(self) -> None:
        self.chart: Chart | None = None
        self.once: list[NDArray[np.int64]] = []
        self.told: list[tuple[float, int]] = []  # (second that is told about, chord)


class _Foot(ListeningPlayer):
    """The listener, with somebody beside it who presses the pedal at the right samples."""

    def __init__(self, ear: ListeningPlayer) -> None:
        self.__dict__.update(ear.__dict__)
        self.each_frame: Callable[[int], None] = lambda frame: None
        self._frames = 0

    def reset(self, seed: int, ahead_frames: int) -> None:
        """Also after the warm-up, whose frames are none of the song's."""
        super().reset(seed, ahead_frames)
        self._frames = 0

    def listen(self, chunk: Any) -> Any:
        self.each_frame(self._frames)
        self._frames += 1
        return super().listen(chunk)


def hear(ear: ListeningPlayer, song: PlayedInSong) -> _Known:
    """What is known, and when, of a song that the live engine hears from a file."""
    import soundfile

    from ....engine.config import EngineConfig
    from ....engine.run.live_engine import Engine
    from ....engine.timing.conductor import Conductor

    known, foot = _Known(), _Foot(ear)
    ear.harmonist.reset()
    with tempfile.TemporaryDirectory(prefix="gigmate-learn-") as folder:
        heard = Path(folder) / "heard.wav"
        soundfile.write(heard, song.heard, song.rate_hz, subtype="FLOAT")
        config = EngineConfig(backend="file", input_file=str(heard), realtime=False)
        conductor = Conductor(float(song.rate_hz), harmonist=ear.harmonist)
        with Engine(config, foot, conductor) as engine:
            foot.each_frame = _Watch(engine, conductor, song, known)
            engine.start()
            while not engine.wait(0.2):
                pass
            foot.each_frame = lambda frame: None
            learnt = engine.learnt()
            known.chart = None if learnt is None else learnt.chart
    return known


class _Watch:
    """Presses when the song says so, and notes what is planned."""

    def __init__(self, engine: Engine, conductor: Any, song: PlayedInSong, known: _Known) -> None:
        from ....engine.commands import Learn, SetControl

        self._engine, self._conductor, self._song, self._known = engine, conductor, song, known
        self._presses = [(second, Learn(round(second * song.rate_hz))) for second in song.presses_s]
        self._until_s = [float(song.beat_times_s[(p.first_bar + p.bars) * song.beats_per_bar]) for p in song.passes]
        self._frame_s = ear_frame_s()
        engine.post(SetControl("style", song.style))

    def __call__(self, frame: int) -> None:
        now_s = frame * self._frame_s
        while self._presses and self._presses[0][0] <= now_s:
            self._engine.post(self._presses.pop(0)[1])
        at_s = now_s + _HEARD_LATE_S
        moment = self._conductor.moment(at_s * self._song.rate_hz)
        root, classes = moment.chord_root, moment.chord_pitch_classes
        chord = -1 if root < 0 else root + 12 * (classes[(root + 3) % 12] > classes[(root + 4) % 12])
        ahead_s = self._conductor.config.chords.chord_ahead_s
        self._known.told.append((at_s + ahead_s, chord))
        learnt = self._engine.learnt()
        number = len(self._known.once)
        passes = [n for n, one in enumerate(self._song.passes) if one.learnt]
        if number < len(passes) and learnt is not None:
            end_s = self._until_s[passes[number]] + 1.0
            sections = _sections_of(learnt.chart)
            if now_s >= end_s and len(sections) > number:
                self._known.once.append(sections[number])


def ear_frame_s() -> float:
    """Length of a frame of the listener."""
    from ...listen_stream import FRAME_S

    return FRAME_S


def _third(chord: Any) -> int:
    """Root + 12 * (minor third or not) of a written chord."""
    return int(chord.root) + 12 * (3 in chord.tones and 4 not in chord.tones)


def _beats_of(section: Any, metre: int) -> NDArray[np.int64]:
    return np.array([
        _third([chord for at, chord in bar if at <= beat + 1e-6][-1]) for bar in section for beat in range(metre)
    ])  # fmt: skip


def _as_played(song: PlayedInSong, number: int) -> NDArray[np.int64]:
    """The chords of a section as they were played in, slips and all."""
    from ....engine.charts.chord_symbol import parse_chord

    metre = song.beats_per_bar
    beats = _beats_of(song.sections[number], metre).copy()
    first = next(one.first_bar for one in song.passes if one.learnt and one.section == number)
    for bar, name in song.wrong:
        place = bar - first
        if 0 <= place < len(song.sections[number]):
            symbol = parse_chord(name)
            at = int(song.sections[number][place][-1][0])
            minor = symbol.pitch_classes[(symbol.root + 3) % 12] > symbol.pitch_classes[(symbol.root + 4) % 12]
            beats[place * metre + at : (place + 1) * metre] = symbol.root + 12 * int(minor)
    return beats


def _sections_of(chart: Chart | None) -> list[NDArray[np.int64]]:
    """Each distinct section of a chart, in the order in which they come first, a chord for each beat."""
    if chart is None:
        return []
    found: dict[str, NDArray[np.int64]] = {}
    first = 0
    for section in chart.sections:
        end = round(chart.beat_at_bar(first + section.bars))
        if section.name not in found:
            roots = [chart.chord_at(float(beat)) for beat in range(round(section.start_beats), end)]
            found[section.name] = np.array([
                root + 12 * (root >= 0 and classes[(root + 3) % 12] > classes[(root + 4) % 12])
                for root, classes in roots
            ])  # fmt: skip
        first += section.bars
    return list(found.values())


def _share(found: list[NDArray[np.int64]], meant: list[NDArray[np.int64]]) -> float:
    """Share of beats that are right; a section of another length has none."""
    right = [one == two if len(one) == len(two) else np.zeros(len(two), bool)
             for one, two in zip(found, meant, strict=True)]  # fmt: skip
    return float(np.concatenate(right).mean())


def _first_bar(song: PlayedInSong, known: _Known, number: int, beats: NDArray[np.int64]) -> float:
    """Share of the first bar after a section was played in whose chord was planned as it was played in.

    In the middle of each beat; not where the press itself came too late for the look-ahead.
    """
    one = next(one for one in song.passes if one.learnt and one.section == number)
    first = (one.first_bar + one.bars) * song.beats_per_bar
    pressed_s = song.presses_s[2 * number + 1]
    at_s, told = (np.array(column) for column in zip(*known.told, strict=True))
    right = []
    for beat in range(song.beats_per_bar):
        times = song.beat_times_s[first + beat : first + beat + 2]
        middle = int(np.searchsorted(at_s, times.mean()))
        if times.mean() > pressed_s + 2 * _HEARD_LATE_S and middle < len(told):
            right.append(bool(told[middle] == beats[beat]))
    return float(np.mean(right)) if right else float("nan")


def _same_again(chart: Chart | None) -> bool:
    """Whether the chart as it is written reads as the same one."""
    from ....engine.charts.chart_parser import parse_chart
    from ....sheets.writers.notation import as_notation

    if chart is None:
        return False
    read = parse_chart(as_notation(chart), "the chart")
    beats = range(round(chart.length_beats))
    return replace(read, remarks=()) == replace(chart, remarks=()) or all(
        (read.chord_at(b), read.symbol_at(b), read.section_at(b)) == (chart.chord_at(b), chart.symbol_at(b),
                                                                      chart.section_at(b))
        for b in map(float, beats)
    )  # fmt: skip


def line_of(song: PlayedInSong, row: Learnt) -> str:
    bars = " ".join(f"{share:.2f}" for share in row.first_bars)
    return (
        f"{row.kind:<8} {song.seed:<5} {song.style:<14} {song.lead:<7} form {'right' if row.form_right else 'wrong'}  "
        f"chords {row.chords:.2f}  once {row.once:.2f}  first bars {bars}  tempo {100 * row.tempo_off:+.1f} %"
    )


def summary(rows: list[Learnt]) -> str:
    """Figures beside what is wanted, a line each."""
    lines = []
    for kind, wanted in WANTED.items():
        own = [row for row in rows if row.kind == kind]
        if own:
            chords, once = np.mean([row.chords for row in own]), np.mean([row.once for row in own])
            forms = sum(row.form_right for row in own)
            lines.append(
                f"{kind}: form right {forms} of {len(own)}, chords {chords:.3f} (wanted {wanted:.2f}), "
                f"after playing each section in once {once:.3f} of what was played"
            )
    bars = np.array([share for row in rows for share in row.first_bars])
    right = float(np.mean(bars[np.isfinite(bars)] >= 1.0)) if np.isfinite(bars).any() else 0.0
    lines.append(f"first bar with the band right: {right:.3f} of {len(bars)} sections (wanted {_FIRST_BARS:.2f})")
    lines.append(f"written and read back the same: {sum(row.same_again for row in rows)} of {len(rows)}")
    return "\n".join(lines)
