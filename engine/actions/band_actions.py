"""The actions of the band, one table. Values only, any thread."""

from __future__ import annotations

from collections.abc import Callable

from .. import commands as c
from .action import Action, Argument


def _control(name: str) -> Callable[..., c.Command]:
    return lambda value: c.SetControl(name, value)


def _mix(name: str) -> Callable[..., c.Command]:
    return lambda part, value: c.SetMix(part, name, value)


def _option(name: str, no: str, yes: str) -> Callable[..., c.Command]:
    words: dict[bool | None, str] = {None: "turn", False: no, True: yes}
    return lambda on: c.SetOption(name, words[on])


_PART = Argument("part", "part")
_BY_NAME = Argument("name", "word")

BAND_ACTIONS = (
    Action("start", "the band comes in", c.Start, stamped=True),
    Action("stop", "the band goes out", c.Stop, stamped=True),
    Action("toggle", "start if stopped, stop if playing", c.Toggle, stamped=True),
    Action("tap", "one tap of the tempo", c.Tap, stamped=True),
    Action(
        "count_in",
        "clicks so many bars, then the band comes in",
        c.CountIn,
        (Argument("bars", "whole", 1, 2, default=1, optional=True),),
    ),
    Action("fill", "a fill up to the next bar line", c.Fill),
    Action("ending", "plays to the next bar line, ends on its downbeat", c.Ending),
    Action(
        "mute",
        "mutes a part or lets it be heard; without a value turns it over",
        c.SetMute,
        (_PART, Argument("muted", "switch", optional=True)),
    ),
    Action(
        "level",
        "level of a part",
        lambda part, value: c.SetLevel(part, value),
        (_PART, Argument("value", "level", -60.0, 12.0)),
        sweep=(-40.0, 6.0),
    ),
    Action(
        "band_level",
        "level of the whole band",
        lambda value: c.SetBandLevel(value),
        (Argument("value", "level", -60.0, 12.0),),
        sweep=(-40.0, 6.0),
    ),
    Action(
        "pan",
        "where a part stands: -1 left, 0 middle, 1 right",
        _mix("pan"),
        (_PART, Argument("value", "number", -1.0, 1.0)),
        sweep=(-1.0, 1.0),
    ),
    Action(
        "width",
        "how wide a part is: 0 a point, 1 from side to side",
        _mix("width"),
        (_PART, Argument("value", "number", 0.0, 1.0)),
        sweep=(0.0, 1.0),
    ),
    Action(
        "room",
        "how much of the room a part has: 0 dry, 1 as much room as part",
        _mix("room"),
        (_PART, Argument("value", "number", 0.0, 1.0)),
        sweep=(0.0, 0.5),
    ),
    Action(
        "compression",
        "how much a part is compressed",
        _mix("compression"),
        (_PART, Argument("value", "number", 0.0, 1.0)),
        sweep=(0.0, 1.0),
    ),
    Action(
        "density",
        "how busy the parts are",
        _control("density"),
        (Argument("value", "number", 0.0, 1.0),),
        sweep=(0.0, 1.0),
    ),
    Action(
        "temperature",
        "how wild the band is",
        _control("temperature"),
        (Argument("value", "number", 0.05, 2.0),),
        sweep=(0.5, 1.5),
    ),
    Action("style", "plays in that style", lambda name: c.SetControl("style", name), (_BY_NAME,)),
    Action(
        "tempo",
        "expects this tempo; 0 finds it by ear",
        c.SetTempo,
        (Argument("tempo_bpm", "number", 0.0, 300.0),),
    ),
    Action("half_beat", "shifts the beat by half a beat", c.ShiftHalfBeat),
    Action("half_time", "counts half as fast from the next bar line on", lambda: c.ScaleCount(0.5)),
    Action("double_time", "counts twice as fast from the next bar line on", lambda: c.ScaleCount(2.0)),
    Action("this_is_one", "a bar begins here", c.ThisIsOne, stamped=True),
    Action(
        "sound",
        "what a part sounds with from the next bar line on: neural, instruments, or an instrument",
        c.SetSound,
        (_PART, _BY_NAME),
    ),
    Action(
        "next_sound",
        "the next sound of a part; without one the whole band turns between neural and instruments",
        c.StepSound,
        (Argument("part", "part", default="", optional=True),),
    ),
    Action(
        "time_source", "whom the band follows", c.SetTimeSource, (Argument("name", "choice", choices=c.TIME_SOURCES),)
    ),
    Action("preset", "a preset by name", c.SelectPreset, (_BY_NAME,)),
    Action("next_preset", "the next preset", lambda: c.StepPreset(1)),
    Action("previous_preset", "the preset before", lambda: c.StepPreset(-1)),
    Action("song", "a song of the set list, from 1", c.SelectSong, (Argument("number", "whole", 1, 9999),)),
    Action("next_song", "the next song", lambda: c.StepSong(1)),
    Action("previous_song", "the song before", lambda: c.StepSong(-1)),
    Action(
        "section",
        "at the next bar line to that section of the chart; without a name to the one after this",
        c.JumpSection,
        (Argument("name", "word", default="", optional=True),),
    ),
    Action(
        "by_hand",
        "chords by hand on a MIDI keyboard, or not; without a value turns it over",
        _option("chords", "auto", "midi"),
        (Argument("on", "switch", optional=True),),
    ),
    Action(
        "latch",
        "a chord by hand stays until the next, or until its keys are up; without a value turns it over",
        _option("chords_hold", "held", "latched"),
        (Argument("on", "switch", optional=True),),
    ),
    Action(
        "split",
        "the last key (MIDI note) of the zone that leads the chords; without one it is the next key that you press",
        lambda note: c.SetOption("chords_split", "learn" if note is None else note),
        (Argument("note", "whole", 0, 127, optional=True),),
    ),
    Action("panic", "fades out at once and forgets everything", c.Panic),
    Action("nothing", "does nothing: switches a gesture off", c.Nothing),
)
