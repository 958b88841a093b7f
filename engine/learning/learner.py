"""Learns a song while it is played: presses of a foot in, sections and charts out.

Knows the time by the conductor (timing/conducting.py), and no player, sound, file or screen. Beats are those of its own
count (beat_count.py); positions are samples of the input clock. Inference thread only.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Literal, Protocol

from ..charts.chart import Chart
from ..charts.chord_symbol import ChordSymbol
from ..commands import SetChart
from ..errors import ConfigError
from ..harmony.chord_settings import ChordSettings
from ..player import Harmonist, Heard
from ..style_priors import STYLE_PRIORS, StylePrior
from ..timing.conducting import Conducting
from .beat_count import BeatCount
from .chord_decoding import in_fours
from .heard_beats import HeardBeats
from .learnt_chart import LearntSong, dynamics, round_chart, section_name, song_chart
from .learnt_section import LearntSection, has_flats, key_of
from .section_follower import SectionFollower
from .song_form import SongForm
from .take import Take

State = Literal["off", "armed", "taking", "round"]
_MOST_BARS = 64
_SAME = 0.9
"""Share of beats that have the same chords, for a section that is played in to be one that is known."""
_BELONGS = 0.3
"""The same, for a pass with the band to have a vote. The first one with the band has it in any case."""
_SLOTS_AT_ONCE = 4
_SOUNDING_S = 2.0
"""Who was heard so lately is playing."""
_CONTEXT_BEATS = 8
"""Read before the first section, for what they tell of the key."""


class Stagehand(Protocol):
    """Who can let the band sound. Inference thread only."""

    @property
    def sounds(self) -> bool: ...  # or is about to

    def come_in(self, position: float) -> None:
        """Let the band sound from that place of the input on, if it does not yet."""
        ...


class Learner:
    """Presses and frames in; the conductor's chart, and the song as it is known, out. Inference thread only."""

    def __init__(self, time: Conducting, rate_hz: float, harmonist: Harmonist | None, stagehand: Stagehand) -> None:
        """`harmonist`: one that nobody else asks."""
        self.time, self._rate_hz, self._stagehand = time, rate_hz, stagehand
        self._count = BeatCount(time, rate_hz)
        self.heard = HeardBeats(ChordSettings(), rate_hz, harmonist, self._count)
        self._prior: StylePrior | None = None
        self._fours_fit = True  # bars of four are as usual in the style as bars of two
        self.song: LearntSong | None = None
        """As it is known by now; stays when all is forgotten."""
        self.reset()

    def reset(self) -> None:
        """Leave off, and forget what was learnt; what was published stays."""
        self._count.forget_song()
        self.state: State = "off"
        self.name = self._called = ""
        self.sections: list[LearntSection] = []
        self._form = SongForm()
        self._current = self._retaken = -1
        self._anchored = False
        self._armed_at: float | None = None  # position of the press, where no beat is known yet
        self._began: float | None = None  # position of the first note, where beats are counted back to it
        self._meant = 0.0  # position on which the take begins: its first note, or the line as it was then
        self._line = 0  # beat on which the next take begins
        self._by_ear = True
        self._take: Take | None = None
        self._ends_at: int | None = None  # beat on which a take ended that has not been read to its end
        self._follower: SectionFollower | None = None
        self._wanted: tuple[int, int] | None = None  # beat, and the section that is to go round from there on
        self._jobs: list[Iterator[None]] = []

    # ------------------------------------------------------------------------------------------------ what is asked

    def press(self, position: float, name: str = "") -> None:
        """Begin a section on the bar line that is meant, or end the one that is played. `name`: what it is called."""
        self._called = name or self._called
        if self.state == "taking":
            self._end_take(position)
        elif self.state != "armed":
            self._arm(position)

    def again(self, position: float) -> None:
        """Play the section at hand in anew, from the next bar line on. Raises ConfigError where there is none."""
        self._need_something()
        if self.state == "round":
            self._retaken = self._current
        self._arm(position)

    def forget(self) -> None:
        """Leave off what is being played in, else the section that goes round. Raises ConfigError where there is
        none."""
        self._need_something()
        if self.state == "round":
            self._drop(self._current)
        self._take = self._ends_at = self._armed_at = self._began = None
        self._retaken, self._called = -1, ""
        if not self.sections:
            self.reset()
            self.time.obey(SetChart(None), self._count.now)
            return
        self.state = "round"
        place = min(max(self._current, 0), len(self.sections) - 1)
        self._wanted = (self._next_line(self._count.now), place)
        self._publish()

    def finish(self, name: str = "", in_set: bool = False) -> None:
        """The song is whole: it is played by as one chart from here on. Raises ConfigError where nothing was learnt."""
        if not self.sections or self._follower is None:
            raise ConfigError("there is no song to keep: press learn, play a section, press learn again")
        for job in self._jobs:
            for _ in job:
                pass
        self.name = name or self.name
        self._publish(finished=True, in_set=in_set)
        assert self.song is not None
        before = sum(self.sections[one].bars for one in self._form.places[: self._form.current])
        self._lay(self.song.chart, self._follower.first, before)
        self.reset()

    def jump(self, name: str = "") -> None:
        """Go round in the section of that name from the next bar line on; "": in the next one. Raises ConfigError."""
        named = [n for n, section in enumerate(self.sections) if section.name.lower() == name.lower()]
        if name and not named:
            raise ConfigError(f"no section {name!r} was learnt: there are {', '.join(self.section_names)}")
        place = named[0] if name else (self._current + 1) % len(self.sections)
        self._wanted = (self._next_line(self._count.now), place)

    def replace(self, bar: int, beat: int, symbol: ChordSymbol) -> None:
        """Another chord in the section that goes round, bars and beats from 1. Raises ConfigError for no such place."""
        section = self.sections[self._current]
        if not (1 <= bar <= section.bars and 1 <= beat <= section.metre):
            raise ConfigError(f"{section.name} has no bar {bar}, beat {beat}: it has {section.bars} bars")
        section.pin((bar - 1) * section.metre + beat - 1, symbol, has_flats(key_of(self.sections)))
        self._show()
        self._publish()

    def undo(self) -> bool:
        """Take the last replaced chord of the section that goes round back; False where there is none."""
        done = self.sections[self._current].unpin()
        if done:
            self._show()
            self._publish()
        return done

    def set_style(self, style: str) -> None:
        """What is played."""
        self.heard.set_style(style)
        self._prior = STYLE_PRIORS.get(style)
        metres = dict(self._prior.metres) if self._prior is not None else {}
        self._fours_fit = metres.get(4, 0.0) >= metres.get(2, 0.0)

    def known(self) -> LearntSong | None:
        """The song that was learnt last, as it is known by now. From any thread: it is a value."""
        return self.song

    @property
    def goes_round(self) -> bool:
        """Whether a section that was learnt is played."""
        return self.state == "round" and self._follower is not None

    @property
    def section_names(self) -> tuple[str, ...]:
        return tuple(section.name for section in self.sections)

    @property
    def words(self) -> str:
        """What it is doing, for a screen; empty for nothing."""
        if self.state == "armed":
            return "play: your first note is the one" if self._armed_at is not None else "from the next bar line on"
        if self.state == "taking" and self._take is not None:
            chords = " ".join(self._take.chord_names()[-4:])
            return f"bar {self._bar_of_take() + 1}" + (f": {chords}" if chords else "")
        if self.state == "round" and self._current >= 0:
            section = self.sections[self._current]
            return f"{section.name} goes round, {section.bars} bars; {len(self.sections)} learnt"
        return ""

    # -------------------------------------------------------------------------------------------------- each frame

    def hear(self, heard: Heard, end_position: float, frame_samples: float) -> None:
        """One frame, after the conductor has heard it."""
        self.heard.frames.hear(heard, end_position, frame_samples)
        beat_told = self._count.hear(end_position)
        if self.state == "armed" and self._armed_at is not None:
            self._count_back(self._armed_at)
        elif beat_told and self.state == "taking" and self._began is not None and self._take is not None:
            first = self._count.counted_anew(self._began, self._take.first)
            if first is not None:
                self.heard.begin(first)
                self._begin_take(first)
        if self._anchored:
            self.heard.read(end_position, _SLOTS_AT_ONCE)
            self._move()
        if self._jobs and next(self._jobs[0], "done") == "done":
            del self._jobs[0]

    def reach(self, position: float) -> None:
        """The band is made until there: what waits for a bar line comes now."""
        grid = self._count.grid
        if self._wanted is not None and position >= grid.position_of(self._wanted[0]):
            (first, self._current), self._wanted = self._wanted, None
            self._form.visit(self._current)
            self._go_round(first)
        if self.state == "armed" and not self._by_ear and position >= grid.position_of(self._line):
            self.time.lay_chart(None, 0)
            self._by_ear = True

    def _count_back(self, armed_at: float) -> None:
        """Once the beat is known, find the one: the first note that was played after the press."""
        began = self.heard.frames.first_sound(armed_at)
        first = None if began is None else self._count.first_beat(began)
        if began is not None and first is not None:
            self._began, self._armed_at, self._anchored = began, None, True
            self._meant = began
            self.heard.begin(first)
            self._begin_take(first)

    def _move(self) -> None:
        """Go on by what was read since."""
        if self.state == "armed" and self._armed_at is None and self._beat_now() >= self._line:
            self._begin_take(self._line)
        if self.state == "taking" and self._take is not None:
            self._take.extend(self.heard)
            if self._bar_of_take() >= _MOST_BARS:
                self._end_take(self._count.now)
        if self._ends_at is not None:
            if self.heard.read_until >= self._ends_at:
                self._close_take(self._ends_at)
        elif self.state == "round" and self._follower is not None:
            self._follow(self._follower)

    def _beat_now(self) -> float:
        return self._count.grid.beat_at(self._count.now)

    # -------------------------------------------------------------------------------------------------------- takes

    def _need_something(self) -> None:
        if self.state == "off":
            raise ConfigError("nothing is learnt yet: press learn first")

    def _arm(self, position: float) -> None:
        """Wait for the line on which a section begins."""
        self._take = self._ends_at = self._began = None
        self.state = "armed"
        lately = self.heard.frames.first_sound(position - _SOUNDING_S * self._rate_hz)
        if not self._count.beats_known or (lately is None and not self._anchored):
            self._armed_at = position
            return
        if not self._anchored:
            self._count.start()
            self.heard.begin(int(self._count.grid.beat_at(position)) - _CONTEXT_BEATS)
            self._anchored = True
        if self._follower is not None and self._count.meet(position, self._follower.first) and self.goes_round:
            self._show()
        self._line = self._next_line(position)
        self._meant = self._count.grid.position_of(self._line)
        self._by_ear = not self.sections

    def _next_line(self, position: float) -> int:
        begun = self._count.bar_beat() if self._follower is None else self._follower.first
        return self._count.line_meant(position, begun)

    def _begin_take(self, beat: int) -> None:
        """A section begins on that beat."""
        self.heard.bar_line, self.heard.metre = beat, self._count.metre
        self._take = Take(beat, self.heard.metre, counted_back=self._began is not None)
        self.state, self._by_ear = "taking", True

    def _bar_of_take(self) -> int:
        return 0 if self._take is None else max(0, int(self._beat_now() - self._take.first) // self._take.metre)

    def _end_take(self, position: float) -> None:
        """The section ends on the line that is meant, and goes round from there on."""
        take, metre = self._take, self._count.metre
        assert take is not None
        moved = self._began is not None and self._count.meet(self._began, take.first)
        moved = self._count.meet(position, take.first) or moved
        heard_beats = max(1, round(self._count.grid.beat_at(position)) - take.first)
        laid = not moved and self._count.lay_by_song(take.first, self._meant, position)
        if self._prior is not None and not moved and not laid:
            laid = self._count.lay_by_style(take.first, self._meant, position, self._prior)
        first, end = self._count.bounds(take.first, position, take.counted_back)
        if (first, metre) != (take.first, take.metre):
            take = Take(first, metre)
            take.extend(self.heard)
            self.heard.bar_line, self.heard.metre = first, metre
        self._take, self._ends_at, self._began = take, end, None
        found = take.decode(heard_beats if laid else end - first).stretched(end - first)
        if metre == 2 and not self.sections and self._fours_fit and in_fours(found.chords):
            metre = self.heard.metre = 4
            self._take = Take(first, metre)
        section = LearntSection(self._name_of_take(), metre, end - first)
        section.settle(found)
        self._count.section_is(first, end)
        if (moved or laid) and self._count.grid.position_of(first) > self.heard.frames.oldest:
            self.heard.begin(first)  # all that is remembered is read anew, by the beats as they are
        self._take_in(section)
        at = self._count.grid.position_of(end)
        self._count.this_is_one(at)
        self._go_round(end)
        self._publish()
        self._stagehand.come_in(at)

    def _name_of_take(self) -> str:
        kept = self.sections[self._retaken].name if self._retaken >= 0 else section_name(self.section_names)
        return self._called or kept

    def _take_in(self, section: LearntSection) -> None:
        """A section that was played in: in place of one, one that is known and came again, or a new one."""
        alike = [(known.agreement(section.chords), n) for n, known in enumerate(self.sections)]
        best, place = max(alike, default=(0.0, -1))
        if self._retaken >= 0:
            place = self._retaken
            self.sections[place] = section
        elif best < _SAME or self._called:
            place = len(self.sections)
            self.sections.append(section)
        self._retaken, self._called = -1, ""
        self._current = place
        self._count.song_metre = section.metre
        self._form.visit(place)

    def _close_take(self, end: int) -> None:
        """All of the section was read: decide on its chords once more."""
        take, section = self._take, self.sections[self._current]
        if take is not None:
            section.add(self.heard.beats(take.first, end - take.first))
            self._decide(section)
        self._take = self._ends_at = None

    def _decide(self, section: LearntSection) -> None:
        def job() -> Iterator[None]:
            yield from section.deciding()
            if self.goes_round and self.sections[self._current] is section:
                self._show()
            self._publish()

        self._jobs.append(job())

    # ------------------------------------------------------------------------------------------------------- rounds

    def _go_round(self, first: int) -> None:
        """The current section is played from that beat on."""
        self.state = "round"
        self._follower = SectionFollower(self.sections, self._current, first)
        self._show()

    def _show(self) -> None:
        """Let the conductor have the chart of what goes round."""
        if self._follower is not None:
            chart = round_chart(self.sections[self._current], key_of(self.sections))
            self._lay(chart, self._follower.first, 0)

    def _lay(self, chart: Chart, first: int, bars_before: int) -> None:
        """Bar `bars_before` of the chart begins on that beat of our count."""
        entering = not self._stagehand.sounds
        self.time.lay_chart(chart, self._count.first_bar(chart, first, bars_before), entering)

    def _follow(self, follower: SectionFollower) -> None:
        """Which section is played, by what was heard of it, and what a whole pass says of its chords."""
        moved = follower.hear(self.heard, self._form.next)
        if moved is not None:
            self._current = moved
            self._show()
        passed = follower.passed(self.heard)
        if passed is None:
            return
        section = self.sections[self._current]
        if passed.agreement >= (_BELONGS if section.passes > 1 else 0.0):
            self._form.heard(self._current)
            section.add(passed.beats)
            self._decide(section)

    def _drop(self, place: int) -> None:
        """Forget a section."""
        del self.sections[place]
        self._current = self._form.drop(place)
        self._follower = None

    def _publish(self, finished: bool = False, in_set: bool = False) -> None:
        """The song as it is known now."""
        version = self.song.version + 1 if self.song is not None else 1
        chart = song_chart(self.sections, self._form.places, tempo_bpm=self._count.tempo_bpm, title=self.name)
        self.song = LearntSong(chart, self.name, version, finished, in_set, dynamics(self.sections))
