"""Takes for `gigmate eval balance` and `gigmate eval sound`: played once, kept in a folder, rendered again at will.

Main thread.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from ...engine.errors import ConfigError
from ..extras import need

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from ...band import Band
    from ...presets.schema import Preset
    from ...training.evaluate.sound.takes import Take

OWN_VOICE, INSTRUMENTS = "neural", "instruments"
PERFORMANCE = "performance"
TEN_STYLES = (
    "rock", "swing", "funk", "pop_ballad", "blues_shuffle", "reggae", "bossa_nova", "disco", "soul", "hip_hop",
)  # fmt: skip
"""Of the made leads that are judged unless others are asked for."""
LEAD_ENDING = ".lead.wav"
_SEEDS_FROM = 700


class Takes:
    """Takes by style and number; what is not in the folder is played, which takes as long as the music or longer."""

    def __init__(self, folder: Path, weights: Path | None, seconds: float) -> None:
        need("librosa", "tinysoundfont", "scipy")
        self._folder, self._weights, self._seconds = folder, weights, seconds
        self._band: Band | None = None

    def of(self, style: str, songs: int, first: int = 0) -> list[Take]:
        """So many takes of a style, on made leads, with the written parts beside."""
        return [self._take(f"{style}-{number}", style, number) for number in range(first, first + songs)]

    def performance(self) -> Take:
        """The bundled performance, beside which nothing is written."""
        from ...presets.loader import PERFORMANCE_FILE

        return self._take(PERFORMANCE, "rock", PERFORMANCE_FILE)

    def on(self, lead: Path, style: str) -> Take:
        """A take on a recording of others, whole, with the band told this style; nothing is written beside it."""
        return self._take(f"{lead.name.removesuffix(LEAD_ENDING)}-{style}", style, lead)

    def _take(self, name: str, style: str, source: int | Path) -> Take:
        """`source`: the number of a made lead, or a recording."""
        from ...training.evaluate.sound.takes import load_take, save_take

        path = self._folder / f"{OWN_VOICE}-{name}.npz"
        if path.exists():
            try:
                return load_take(path)
            except (OSError, ValueError) as error:
                raise ConfigError(f"{path}: {error}: remove it, and it is played again") from None
        take = self._played(name, style, source)
        save_take(take, path)
        return take

    def _played(self, name: str, style: str, source: int | Path) -> Take:
        from ...band import Band
        from ...engine.mix import FLAT_MIX
        from ...presets.schema import Preset
        from ...training.evaluate.sound.takes import PARTS, RATE_HZ, Note, Take, both_sides
        from ...training.sound.render import render_song

        if self._band is None:
            self._band = Band.load(self._weights)
        written = {}
        if isinstance(source, Path):
            lead = _read(source, RATE_HZ)
        else:
            length = (self._seconds, self._seconds + 4.0)
            song = render_song(_SEEDS_FROM + source, RATE_HZ, "test", styles=(style,), seconds=length)
            lead, written = song.stems["lead"], {part: song.stems[part] for part in PARTS}
        preset = Preset(name=name, style=style)
        seed = source if isinstance(source, int) else 0
        music = self._band.accompany(lead, RATE_HZ, preset=preset, seed=seed, mix=FLAT_MIX, sound=OWN_VOICE)
        notes = tuple(Note(n.part, n.pitch, n.velocity, n.start_s, n.end_s) for n in music.notes)
        parts = {part: both_sides(music.parts[part])[:, : len(lead)] for part in PARTS}
        return Take(name, style, parts, notes, written)


def _read(path: Path, rate_hz: int) -> NDArray[np.float32]:
    """A recording as mono at that rate. Raises ConfigError."""
    import numpy as np
    import soundfile
    import soxr

    try:
        audio, own_hz = soundfile.read(path, dtype="float32", always_2d=True)
    except soundfile.SoundFileError as error:
        raise ConfigError(f"{path}: cannot be read ({error})") from None
    return np.asarray(soxr.resample(audio.mean(axis=1), own_hz, rate_hz), np.float32)


def rendered(take: Take, kind: str) -> Take:
    """The same notes through another kind of sound: instruments as the band plays them live, or the name of a soundfont
    of training/sound/soundfonts.py."""
    import dataclasses

    from ...sound.general_midi import programs_of
    from ...training.evaluate.sound.takes import both_sides, font_parts

    if kind == OWN_VOICE:
        return take
    sounds = (
        _instrument_parts(take)
        if kind == INSTRUMENTS
        else font_parts(take.notes, programs_of(take.style), kind, take.samples)
    )
    return dataclasses.replace(take, parts={part: both_sides(sound) for part, sound in sounds.items()})


def _instrument_parts(take: Take) -> dict[str, NDArray[np.float32]]:
    """Each part [2, n], by the instruments of the style from the bank that a run would take."""
    import numpy as np

    from ...engine.output.instrument_rows import resolved
    from ...engine.part_sounds import PartSound
    from ...sound.rack import Rack
    from ...training.evaluate.sound.takes import PARTS, RATE_HZ

    rack, frame = Rack(RATE_HZ, patient=True), RATE_HZ // 25
    parts = {}
    for part in PARTS:
        instrument = rack.take(part, resolved(rack, part, PartSound(INSTRUMENTS), take.style))
        if instrument is None:
            raise ConfigError(f"--sound {INSTRUMENTS}: {rack.trouble()}")
        instrument.start_anew(0)
        events = sorted(
            event
            for note in take.notes
            if note.part == part
            for event in (
                (round(note.start_s * RATE_HZ), 1, note.pitch, note.velocity),
                (round(note.end_s * RATE_HZ), 0, note.pitch, 0),
            )
        )
        pieces, told = [], 0
        for first in range(0, take.samples, frame):
            while told < len(events) and events[told][0] < first + frame:
                position, _, pitch, velocity = events[told]
                instrument.note(position, pitch, velocity)
                told += 1
            pieces.append(instrument.render(min(frame, take.samples - first)).copy())
        parts[part] = np.concatenate(pieces, axis=1)
    return parts


def preset_of(style: str) -> Preset:
    """The shipped preset of a style's name, or one that says nothing but its style."""
    from ...presets.loader import PRESETS_DIR, load_preset
    from ...presets.schema import Preset

    if (PRESETS_DIR / f"{style}.yaml").exists():
        return load_preset(style)
    return Preset(name=style, style=style)


def leads_of(folder: Path, count: int) -> list[tuple[Path, str]]:
    """So many recordings NAME.lead.wav of a folder, evenly from those at odd places (even ones are there to choose
    settings on), and the style that the band is told beside each: TEN_STYLES in turn. Raises ConfigError."""
    leads = sorted(folder.glob(f"*{LEAD_ENDING}"))[1::2]
    if len(leads) < count:
        raise ConfigError(f"{folder}: holds {len(leads)} NAME{LEAD_ENDING} at odd places, and {count} are asked for")
    return [(leads[place * len(leads) // count], TEN_STYLES[place % len(TEN_STYLES)]) for place in range(count)]


def checked_styles(styles: Sequence[str] | None) -> tuple[str, ...]:
    """Those asked for, or all. Raises ConfigError for one that there is none of."""
    from ...presets.schema import STYLES

    for style in styles or ():
        if style not in STYLES:
            raise ConfigError(f"--style {style}: give {', '.join(STYLES)}")
    return tuple(styles) if styles else STYLES


def checked_kinds(kinds: Sequence[str] | None, default: tuple[str, ...]) -> tuple[str, ...]:
    """Kinds of sound. Raises ConfigError for one that there is none of."""
    from ...training.sound.soundfonts import FONTS

    known = (OWN_VOICE, INSTRUMENTS, *(font.name for font in FONTS))
    for kind in kinds or ():
        if kind not in known:
            raise ConfigError(f"--sound {kind}: give {', '.join(known)}")
    return tuple(kinds) if kinds else default
