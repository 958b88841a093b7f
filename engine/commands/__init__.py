"""All commands of the engine, as small frozen values by subject, and the bounded queue that carries them.

Knows neither where one came from nor what it does. Any thread may post; the worker alone takes them, between steps.
"""

from __future__ import annotations

from .command import Command
from .command_queue import CommandQueue
from .looping import LoopDeed, LoopDo, LoopKeep, LoopPress, LoopRelease, SetLoop
from .moves import Break, Build, Hit, SetFeel, SetSolo
from .playing import CountIn, Ending, Fill, Nothing, Panic, Quit, Start, Stop, Toggle
from .song import (
    BAND_OPTIONS,
    HAND_OPTIONS,
    Announce,
    HandMessage,
    JumpSection,
    SelectPreset,
    SelectSong,
    SetChart,
    SetOption,
    SetSections,
    StepPreset,
    StepSong,
)
from .sound import (
    SetBandLevel,
    SetControl,
    SetLevel,
    SetMix,
    SetMute,
    SetPresetLevels,
    SetPresetMix,
    SetPrograms,
    SetSound,
    SetSounds,
    StepSound,
)
from .stamp import NOW
from .timing import (
    TIME_SOURCES,
    ClockGap,
    ClockTick,
    ClockTransport,
    ScaleCount,
    SetTempo,
    SetTimeSource,
    ShiftHalfBeat,
    Tap,
    ThisIsOne,
)

__all__ = [
    "BAND_OPTIONS",
    "HAND_OPTIONS",
    "NOW",
    "TIME_SOURCES",
    "Announce",
    "Break",
    "Build",
    "ClockGap",
    "ClockTick",
    "ClockTransport",
    "Command",
    "CommandQueue",
    "CountIn",
    "Ending",
    "Fill",
    "HandMessage",
    "Hit",
    "JumpSection",
    "LoopDeed",
    "LoopDo",
    "LoopKeep",
    "LoopPress",
    "LoopRelease",
    "Nothing",
    "Panic",
    "Quit",
    "ScaleCount",
    "SelectPreset",
    "SelectSong",
    "SetBandLevel",
    "SetChart",
    "SetControl",
    "SetFeel",
    "SetLevel",
    "SetLoop",
    "SetMix",
    "SetMute",
    "SetOption",
    "SetPresetLevels",
    "SetPresetMix",
    "SetPrograms",
    "SetSections",
    "SetSolo",
    "SetSound",
    "SetSounds",
    "SetTempo",
    "SetTimeSource",
    "ShiftHalfBeat",
    "Start",
    "StepPreset",
    "StepSong",
    "StepSound",
    "Stop",
    "Tap",
    "ThisIsOne",
    "Toggle",
]
