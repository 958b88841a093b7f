"""What the sections of a song ask of the band, on their bar lines, and the fill that leads into each.

Knows a chart's sections by their settings (engine/charts/section_settings.py) and time as points; no sound and no
player. Asked once for each frame, in order. Inference thread only.
"""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Callable, Mapping
from typing import NamedTuple

from ...charts.chart import Section
from ...charts.section_kind import BUSIER, kind_of
from ...charts.section_settings import AS_IT_IS, FEELS, SectionSettings, by_name
from ...commands import SetTempo
from ...errors import ConfigError
from ...hand import Hand, PartHand
from ...part_sounds import PartSound
from ...player import PARTS, Controls
from ...position import Point
from ...timing.conducting import Conducting
from ...timing.entrance_cue import EntranceCue
from ..stage import Stage
from .beat_lines import Peek
from .stage_moves import StageMoves

FILLS = ("auto", "ask", "never")
_SHORTEST_SECTION_BARS = 4
"""Out of a shorter one no fill leads by itself."""
_SHORTEST_FILL_BEATS = 2
_LEAST_OF_TEMPO = 0.7
"""Who plays slower than this share of what is written has not the same count, and so above."""
_EARLY_BEATS = 1.0
"""So long before its bar line it is said what a section sounds with: instruments turn on the line by themselves."""

Sounds = Mapping[str, PartSound]


class SectionCall(NamedTuple):
    """What the director wants done elsewhere. Any thread."""

    fill: bool = False
    sounds: Sounds | None = None
    """From the next bar line on (at once where nothing sounds), over what the parts sound with else."""
    feel: float | None = None
    """From the next bar line on."""
    tempo_bpm: float = 0.0
    """As written, from here on; 0: as it is."""


_NOTHING = SectionCall()


class _Asked(NamedTuple):
    """The controls as they were when a section began: what is changed by hand after that counts more."""

    density: float
    style: str


class SectionDirector:
    """Sections in, settings out. Inference thread only."""

    def __init__(self, host_frame: int) -> None:
        self._frame = host_frame
        self.fills = "auto"
        """Whether a fill leads into a section by itself: one of FILLS."""
        self._by_name: Mapping[str, SectionSettings] = {}
        self._section: Section | None = None
        self._settings = AS_IT_IS
        self._asked: _Asked | None = None
        self._lifted: set[str] = set()
        self._said_of: int | None = None
        self._filled_to: int | None = None
        self._has_feel = self._has_sounds = False
        self._off = (False,) * len(PARTS)
        self._hand = Hand()

    def set_fills(self, fills: object) -> None:
        """One of FILLS. Raises ConfigError for another word."""
        if fills not in FILLS:
            raise ConfigError(f"fills {fills!r}: give {', '.join(FILLS[:-1])} or {FILLS[-1]}")
        self.fills = str(fills)

    def set_sections(self, by_name: Mapping[str, SectionSettings]) -> None:
        """What sections of these names ask for where their chart does not say it, from the next one on."""
        self._by_name = dict(by_name)
        self._said_of = None

    def lift(self, part: str) -> bool:
        """The musician lets a part in that the section mutes, until the next section; False: it does not mute it."""
        if part not in self.muted:
            return False
        self._lifted.add(part)
        return True

    @property
    def muted(self) -> tuple[str, ...]:
        """The parts that the section mutes."""
        return tuple(part for part in self._settings.mute or () if part not in self._lifted)

    def direct(
        self, nominal: int, conductor: Conducting, stage: Stage, moves: StageMoves, cue: EntranceCue
    ) -> Sounds | None:
        """See to the frame that plays the moments from `nominal` on; returns `sounds` of the call."""
        written_bpm = self._settings.tempo or cue.written_bpm
        call = self.frame(nominal, conductor.peek, conductor.section_of_bar, cue.section_bar)
        if call.fill and stage.phase == "in" and not (moves.solo or moves.silent):
            stage.fill()
        if call.feel is not None:
            moves.set_feel(call.feel)
        if call.tempo_bpm:
            tonight = conductor.moment(nominal).tempo_bpm / written_bpm if written_bpm else 1.0
            tonight = min(max(tonight, _LEAST_OF_TEMPO), 1.0 / _LEAST_OF_TEMPO)
            conductor.obey(SetTempo(min(max(call.tempo_bpm * tonight, 30.0), 300.0)), float(nominal))
        return call.sounds

    def frame(
        self, nominal: int, peek: Peek, section_of_bar: Callable[[int], Section | None], section_bar: int | None
    ) -> SectionCall:
        """The frame that plays the moments from `nominal` on. `section_bar`: with which the next section begins."""
        here, there = peek(nominal), peek(nominal + self._frame)
        section = section_of_bar(there.bar)
        before = self._muted_rows()
        began = section != self._section
        if began:
            self._section, self._settings = section, self._settings_of(section)
            self._asked = None
            self._lifted.clear()
        ahead = before
        following = section_of_bar(peek(nominal + 2 * self._frame).bar)
        if following != section:
            muted = self._settings_of(following).mute or ()
            ahead = tuple(part in muted for part in PARTS)
        else:
            ahead = self._muted_rows()
        line = (here.bar_beat + here.beats_per_bar - here.beat) / max(there.beat - here.beat, 1e-6)
        self._hand = self._hand_of(before, self._muted_rows(), line if began and there.bar > here.bar else 0.0)
        self._off = tuple(all(rows) for rows in zip(before, self._muted_rows(), ahead, strict=True))
        tempo_bpm = self._settings.tempo or 0.0 if began else 0.0
        if began and self._said_of != there.bar:  # the song's first section, or one that nobody foresaw
            self._said_of = there.bar
            return self._dress(self._settings)._replace(tempo_bpm=tempo_bpm)
        return self._call(here, section_of_bar, section_bar)._replace(tempo_bpm=tempo_bpm)

    def controls(self, controls: Controls) -> Controls:
        """The controls as the section has them; what was changed by hand since it began stays."""
        settings, asked = self._settings, self._asked
        if asked is None:
            asked = self._asked = _Asked(controls.density, controls.style)
        density, style, pattern = controls.density, controls.style, controls.pattern
        if self._section is not None and self._section.name:
            kind = kind_of(self._section.name)
            pattern = kind or self._section.name
            if density == asked.density:
                own = settings.density
                density = min(max(density + BUSIER.get(kind, 0.0), 0.0), 1.0) if own is None else own
        elif settings.density is not None and density == asked.density:
            density = settings.density
        if settings.style is not None and style == asked.style:
            style = settings.style
        if self._hand.free and (density, style, pattern) == (controls.density, controls.style, controls.pattern):
            return controls
        hand = self._hand.over(controls.hand)
        return dataclasses.replace(controls, density=density, style=style, pattern=pattern, hand=hand)

    def levels_db(self, levels_db: tuple[float, ...]) -> tuple[float, ...]:
        """The levels of the parts without those that the section mutes."""
        if not any(self._off):
            return levels_db
        return tuple(-math.inf if off else level for off, level in zip(self._off, levels_db, strict=True))

    # ------------------------------------------------------------------------------------------------ how it is done

    def _settings_of(self, section: Section | None) -> SectionSettings:
        if section is None:
            return AS_IT_IS
        return section.settings.over(by_name(self._by_name, section.name))

    def _muted_rows(self) -> tuple[bool, ...]:
        return tuple(part in self.muted for part in PARTS)

    def _hand_of(self, before: tuple[bool, ...], now: tuple[bool, ...], line: float) -> Hand:
        """Who is muted rests, and comes back together on the line; `line`: where in the frame, 0 to 1."""
        parts = []
        for row, (was, is_muted) in enumerate(zip(before, now, strict=True)):
            level_db = 0.0 if self._settings.level is None else self._settings.level[row]
            back = was and not is_muted
            parts.append(
                PartHand(
                    rest=was and is_muted,
                    hold=is_muted and not was,
                    hit_at=min(max(line, 0.0), 0.99) if back else None,
                    level_db=level_db,
                )
            )
        return Hand(tuple(parts))

    def _call(
        self, here: Point, section_of_bar: Callable[[int], Section | None], section_bar: int | None
    ) -> SectionCall:
        """What is to be done elsewhere: sounds and feel a little before the line, the fill before that."""
        if section_bar is None or section_bar != here.bar + 1:
            return _NOTHING
        left_beats = here.bar_beat + here.beats_per_bar - here.beat
        call = _NOTHING
        if left_beats <= _EARLY_BEATS and self._said_of != section_bar:
            self._said_of = section_bar
            call = self._dress(self._settings_of(section_of_bar(section_bar)))
        long = self._section is not None and self._section.bars >= _SHORTEST_SECTION_BARS
        fill_beats = min(max(_SHORTEST_FILL_BEATS, math.ceil(here.beats_per_bar / 2)), here.beats_per_bar)
        if self.fills == "auto" and long and 1.0 <= left_beats <= fill_beats and self._filled_to != section_bar:
            self._filled_to = section_bar
            call = call._replace(fill=True)
        return call

    def _dress(self, settings: SectionSettings) -> SectionCall:
        """Sounds and feel of a section; as they were before, where the last one had others."""
        sounds, feel = settings.sound, settings.feel
        call = SectionCall(
            sounds=dict(sounds or ()) if sounds or self._has_sounds else None,
            feel=FEELS[feel or "usual"] if feel or self._has_feel else None,
        )
        self._has_sounds, self._has_feel = bool(sounds), feel is not None
        return call
