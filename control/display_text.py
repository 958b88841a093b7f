"""Texts for the displays: the state in one or two words, the time source, and text that any terminal can show.

Knows the engine's status alone; neither terminals nor pages. Pure functions, any thread.
"""

from __future__ import annotations

import math

from ..engine.status import Status

MOODS = ("off", "ready", "on", "care", "bad")
"""What a state means to the musician, for colours: off, silent but ready, playing, about to change, in trouble."""

_STATES = {
    "loading": ("LOADING", "off"),
    "stopped": ("STOPPED", "off"),
    "playing": ("PLAYING", "on"),
    "stopping": ("STOPPING", "care"),
    "fallback": ("COVERING", "bad"),
    "away": ("NO SOUND", "bad"),
    "ended": ("ENDED", "off"),
}
_PENDING = {
    "start": ("STARTING", "care"),
    "count-in": ("COUNT-IN", "care"),
    "ending": ("LAST BAR", "care"),
}
_SOURCES = {
    "transport": "transport",
    "midi_clock": "MIDI clock",
    "link": "Ableton Link",
    "mtc": "MIDI Time Code",
    "loop": "the loop",
    "tap": "taps",
    "tempo": "set tempo",
    "listener": "ear",
}
_SURE = 0.3
"""From here on the band plays out."""
_AUDIBLE_DB = -45.0
_TROUBLE = ("fallback", "away", "ended", "loading")


def big_state(status: Status) -> tuple[str, str]:
    """(words, mood): what is going on, to be read from two metres away, and one of MOODS."""
    if status.state not in _TROUBLE and status.pending in _PENDING:
        return _PENDING[status.pending]
    if status.state == "playing" and status.holding:
        return ("TAP", "care") if asks_for_tap(status) else ("HOLDING", "ready")
    return _STATES.get(status.state, (clean(status.state).upper(), "off"))


def asks_for_tap(status: Status) -> bool:
    """Whether somebody plays and the beat found by ear is not sure: the band holds back, and a few taps help."""
    by_ear = status.time_source in ("", "listener")
    return status.state == "playing" and by_ear and status.confidence < _SURE and status.input_db > _AUDIBLE_DB


def is_on(status: Status) -> bool:
    """Whether the next step on a start-and-stop switch stops the band."""
    return status.state in ("playing", "fallback") or status.pending in ("start", "count-in", "ending")


def next_text(status: Status) -> str:
    """What waits for its line, and in how many beats: "hit in 2"; empty for nothing."""
    beats = math.ceil(status.pending_beats)
    return clean(status.pending) + (f" in {beats}" if beats > 0 and status.pending else "")


def moves_text(status: Status) -> str:
    """The moves that are on, in words; empty for none."""
    return ", ".join(name.replace("_time_feel", "-time feel") for name in status.moves)


def time_source(status: Status) -> str:
    """Whom the band follows, in a word or two; empty while nobody knows."""
    return _SOURCES.get(status.time_source, clean(status.time_source))


def song_line(status: Status) -> str:
    """The song as "3/12 Blue Hour"; empty where none is chosen."""
    return f"{status.song_number}/{status.songs} {clean(status.song)}".rstrip() if status.songs else clean(status.song)


def sounds_line(status: Status) -> str:
    """What the parts sound with; empty where all have the neural voice."""
    if all(sound == "neural" for sound in status.sounds):
        return ""
    return "sound " + ", ".join(clean(sound) for sound in status.sounds)


def place_text(pan: float) -> str:
    """Where a part stands, in four columns at most: mid, L30 (per cent of the way), R100."""
    percent = round(100 * min(max(pan, -1.0), 1.0)) if pan == pan else 0
    return f"{'L' if percent < 0 else 'R'}{abs(percent)}" if percent else "mid"


def outputs_differ(status: Status) -> bool:
    """Whether a part has outputs of its own."""
    return len(set(status.outputs)) > 1


def clean(text: str) -> str:
    """One line without control characters: names of songs and files go to terminals."""
    return "".join(character if character.isprintable() else " " for character in str(text)).strip()


def tuning(status: Status) -> str:
    """ "A 432 Hz", where that is not 440 to the Hertz; empty where it is, or nobody says."""
    return f"A {status.tuning_hz:.0f} Hz" if status.tuning_hz and round(status.tuning_hz) != 440 else ""


def loop_text(status: Status) -> str:
    """The looper, in words: "loop playing 4 bars, 2 takes"; empty where there is no loop."""
    if not status.loop:
        return ""
    words = [f"loop {status.loop}"]
    if status.loop_bars:
        words.append(f"{status.loop_bars} bar{'s' * (status.loop_bars > 1)}")
    text = " ".join(words) + (f", {status.loop_takes} takes" if status.loop_takes > 1 else "")
    text += ", muted" if status.loop_muted else ""
    return text + {"tempo": ", waits for its tempo", "line": ", on the next bar line"}.get(status.loop_waits, "")


def plan_text(status: Status) -> str:
    """What is being learnt, and the chords to come: "learn bar 3: Am F | plan | Am . F . | G | by chart"."""
    words = [f"learn {clean(status.learning_words)}"] if status.learning_words else []
    if status.planned:
        bars = " | ".join(clean(bar.partition(": ")[2]).rstrip(" .") for bar in status.planned)
        words.append(f"| {bars} | by {status.planned_by}")
    return "  ".join(words)
