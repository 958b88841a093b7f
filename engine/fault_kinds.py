"""Every kind of fault that a run can report: what is heard, said and kept, and what to do about it.

The closed list: the fault log takes no others, and the table of docs/faults.md is made from it:
`python -m gigmate.engine.fault_kinds docs/faults.md`. Frozen values; any thread.
"""

from __future__ import annotations

import re
import sys
from enum import Enum, unique
from pathlib import Path

_FIRST = "| name in `faults` |"
_THE_LAST_BAR = "the last bar, on the grid"
_NOTHING = "nothing"
_ALL = "everything"
_CAUSE = "{cause}"
"""The words, mend included, come from where it happened."""
_BRACES = re.compile(r"{\w+}")


@unique
class FaultKind(str, Enum):  # StrEnum came with Python 3.11
    """The kinds by their names in the report. Any thread."""

    heard: str
    said: str
    """One line with its mend; what stands in braces is known when it happens."""
    kept: str
    mend: str

    def __new__(cls, name: str, heard: str, said: str, kept: str, mend: str) -> FaultKind:
        kind = str.__new__(cls, name)
        kind._value_ = name
        kind.heard, kind.said, kind.kept, kind.mend = heard, said, kept, mend
        return kind

    def __str__(self) -> str:
        return str(self.value)

    # the port
    PORT_LOST = (
        "port_lost",
        "silence; then the band, at the place in the bar where it would be",
        _CAUSE,
        "connections, tempo, controls; the recording, with the gap as silence",
        "start the server again, or plug the device in again",
    )
    RECONNECTING = (
        "reconnecting",
        "silence",
        _CAUSE,
        "all, until it comes back as it was",
        "the message says it: it came back, but changed",
    )
    PORT_RATE = (
        "port_rate",
        "the band, in tune and in time",
        "the sound system came back at {card_rate_hz} Hz: nothing to do, it is converted, and the band and its"
        " recording go on at {rate_hz} Hz",
        _ALL,
        "nothing to do",
    )
    PORT_LEFT = (
        "port_left",
        "silence",
        "the sound system hung while it was opened again: start it again before the next time",
        "report and recording",
        "start the sound system again",
    )
    XRUNS = (
        "xruns",
        "a click, or a moment of silence",
        "the sound system lost a moment of sound: raise the block size to {block_samples}",
        _ALL,
        "a larger block",
    )
    STALLED = (
        "stalled",
        "with jackd2 one period again and again, then the band on the beat where it would have been",
        "this program was stopped for {seconds} s and is back in its place: nothing to do, if you stopped it; else look"
        " for what halts programs here",
        "the place in the bar; what was not heard meanwhile is silence in the recording",
        "look for what halts programs: a debugger, a shell's Ctrl-Z, a machine that sleeps",
    )
    ROUND_TRIP = (
        "round_trip",
        "the band, perhaps early or late against you",
        "the round trip that the sound system claims fell from {before_ms} to {now_ms} ms: a program between the band"
        " and the sound card may hide it: look at what is connected, or give --round-trip",
        _ALL,
        "look at what is connected, or give --round-trip",
    )
    # the model and its time
    SKIPPED_FRAMES = (
        "skipped_frames",
        _THE_LAST_BAR,
        "the band fell behind, and the last bar was repeated: close other programs",
        "tempo and controls",
        "close other programs",
    )
    OVERDRAWN = (
        "overdrawn",
        "the last bar, repeatedly",
        "the machine is too slow for this band: close other programs, or use a larger block",
        "tempo and controls",
        "close other programs, or use a larger block",
    )
    INPUT_DROPPED = (
        "input_dropped",
        _THE_LAST_BAR,
        "the band did not read the input in time and missed a part of it: close other programs",
        "the position of every sample: what was lost is silence",
        "close other programs",
    )
    MODEL_HANGS = (
        "model_hangs",
        "the last bar, repeated",
        "the model does not answer; the last bar is repeated until it does: if it lasts, stop and start again",
        "the process; closing abandons the model",
        "stop, and start again",
    )
    PLAYER_PLAY = (
        "player_play",
        _THE_LAST_BAR,
        "the model failed; the last bar is repeated ({error}): if that goes on, start again",
        _ALL,
        "recovers with the next good frame; if it goes on, start again",
    )
    PLAYER_LISTEN = (
        "player_listen",
        "the band, which continues from what it knows",
        "the model could not listen ({error}): if that goes on, start again",
        "tempo and chord, as they were",
        "recovers with the next good frame; if it goes on, start again",
    )
    PLAYER_RESET = (
        "player_reset",
        "the last bar, then the band, without memory of what it played",
        "the model was reset, {how}: if that goes on, start again",
        "tempo, chart and controls",
        "start again if it goes on",
    )
    PLAYER_SET_AHEAD = (
        "player_set_ahead",
        "the band plays on",
        "the model did not accept the new look-ahead ({error}): if that goes on, start again",
        _ALL,
        "start again if it goes on",
    )
    WORKER_LEFT = (
        "worker_left",
        _NOTHING,
        "the model hung at the end and was abandoned: nothing to do, the next start is a fresh one",
        "report and recording",
        "nothing to do",
    )
    WORKER = (
        "worker",
        _THE_LAST_BAR,
        "a step failed ({error}); please report this",
        _ALL,
        "an error in GigMate: report it",
    )
    NO_INSTRUMENT = (
        "no_instrument",
        "the part with the sound that it had, the neural voice at first",
        _CAUSE,
        _ALL,
        "install FluidSynth and a bank, or choose another sound: `gigmate sounds`",
    )
    # the input
    INPUT_NONFINITE = (
        "input_nonfinite",
        "the band plays on",
        "the input contains values that are not numbers, taken as silence: look at what is connected to it",
        "the valid part of the input",
        "look at what is connected to the input",
    )
    INPUT_CLIPPED = (
        "input_clipped",
        "the band plays on",
        "the input clips: turn it down",
        _ALL,
        "turn the input down",
    )
    INPUTS_CANCEL = (
        "inputs_cancel",
        "little or nothing of what cancels: the band may wait for ever",
        "inputs {inputs} cancel: take one (--input {first})",
        "the level of each input on its own",
        "take one of the inputs",
    )
    HOWL = (
        "howl",
        "the band, 12 dB softer until the loop is open",
        "the band hears itself and plays softer until it stops: turn the loudspeaker away from the microphone, or the"
        " input down",
        "the ceiling",
        "turn the loudspeaker away, or the input down",
    )
    # recordings
    RECORDING_FAILED = (
        "recording_failed",
        _NOTHING,
        "{file}: recording stopped ({reason}), {seconds} s are kept; {mend}",
        "what was written, with a correct header; the music goes on",
        "make room, or record to another disk",
    )
    RECORDING_GAPS = (
        "recording_gaps",
        _NOTHING,
        "{file}: the disk is too slow, there are gaps in the recording: record to a faster one",
        "the recording, with the gaps as silence",
        "record to a faster disk",
    )
    RECORDING_CLOSE = (
        "recording_close",
        _NOTHING,
        "{file}: was not closed properly, and its end may be missing: look at that disk",
        "the recording up to its last header; most programs read it",
        "look at that disk",
    )
    RECORDING_SHORT = (
        "recording_short",
        "what could be read",
        "{remark}: look at that file",
        "everything that could be read",
        "an undamaged file",
    )
    # commands and time sources
    COMMAND = (
        "command",
        _NOTHING,
        _CAUSE,
        "everything, unchanged",
        "the message says what is possible",
    )
    LOOP = (
        "loop",
        "the band; the loop is silent where it does not fit the time",
        _CAUSE,
        "the loop, with every take",
        "the message says it: a tempo, a library, or fewer bars",
    )
    COMMANDS_DROPPED = (
        "commands_dropped",
        "the last commands",
        "more commands arrived than the band takes; the oldest were dropped: look for what sends so many",
        "panic, quit, and the last commands",
        "find what sends so many",
    )
    TRANSPORT = (
        "transport",
        "the band, by another source of time or by whole bars",
        _CAUSE,
        _ALL,
        "let one program be the timebase master, and its beats run at its tempo",
    )
    OWN_CLOCK = (
        "own_clock",
        _NOTHING,
        "the band's own MIDI clock comes back to it and is ignored: nothing to do, or look for a MIDI thru",
        _ALL,
        "nothing to do, or look for a MIDI thru",
    )
    MIDI_MIXED = (
        "midi_mixed",
        "the band, perhaps early or late against the clock",
        "a device and a program are connected to midi_in, and a clock arrives: it is taken as the program's: look at"
        " what else is connected if the clock is the device's",
        _ALL,
        "connect one of them alone, if the clock is the device's",
    )
    CLOCK_ASIDE = (
        "clock_aside",
        "the band, following another clock, or you",
        _CAUSE,
        _ALL,
        "disconnect the clock, press start on it, or choose the time source",
    )


def table() -> str:
    """The kinds as a table of docs/faults.md."""
    lines = [f"{_FIRST} heard | said | kept | mend |", "|---|---|---|---|---|"]
    for kind in FaultKind:
        said = "the cause and its mend" if kind.said == _CAUSE else '"' + _BRACES.sub("...", kind.said) + '"'
        lines.append(f"| `{kind}` | {kind.heard} | {said} | {kind.kept} | {kind.mend} |")
    return "\n".join(lines) + "\n"


def with_table(page: str) -> str:
    """The page with its table of kinds made anew. Raises ValueError where there is none."""
    before, first, rest = page.partition(_FIRST)
    if not first:
        raise ValueError(f"no table that begins with {_FIRST}")
    after = re.sub(r"\A[^\n]*\n(\|[^\n]*\n)*", "", rest)
    return before + table() + after


if __name__ == "__main__":
    path = Path(sys.argv[1])
    path.write_text(with_table(path.read_text(encoding="utf-8")), encoding="utf-8")
