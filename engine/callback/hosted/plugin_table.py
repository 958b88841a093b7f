"""The memory that a plug-in's shell and the engine share, and the words of the thread that carries blocks between them.

Knows nothing of how they are used. The shell is C, in another program (`plugin/source/`): `plugin/layout.py` makes its
header from these tables, so that both sides agree, and LAYOUT tells an engine a shell that was built from other ones.

Positions here count samples of the host since the shell was made; an engine's bridge counts from the epoch that it
serves. Any thread; nothing here changes after import.
"""

from __future__ import annotations

import hashlib

from ....dsp import ring as _ring
from ....dsp import word_table as _word_table
from ....dsp.ring import RING_TABLE
from ....dsp.word_table import WordTable

SOURCES = (__file__, _word_table.__file__, _ring.__file__)

MAGIC = 0x4749474D415445  # "GIGMATE"
IN_ROWS = 2
OUT_ROWS = 8
"""Main, drums, bass and keys, left and right of each."""
RING_SECONDS = 2
"""How much each of the two rings of sound holds at least."""
EVENTS = 8192
"""A power of two, as the next."""
EVENT_WORDS = 16
EVENT_KIND, EVENT_AT, EVENT_VALUE, EVENT_MORE, EVENT_POSITION = range(5)
"""Kind; position; value (packed MIDI, number of a parameter, rolling); the parameter's value as float64; from there on
the beginning of a jack_position_t."""
TRANSPORT_EVENT, MIDI_EVENT, PARAMETER_EVENT, EPOCH_EVENT = 1, 2, 3, 4
"""EPOCH: a new run begins; its value is 1 where it runs without a clock, and MORE holds the delay of what is heard."""
NOTES_OUT = 8192
"""Messages of MIDI out: position, packed bytes."""
TEXT_BYTES = 1024
TEXTS = 3
MESSAGE_TEXT, PRESET_TEXT, CHART_TEXT = range(TEXTS)
OTHER_VERSION_EXIT = 79
"""With this code an engine ends whose memory is laid out otherwise than the shell's: it can say nothing in it."""
TEXT_PARAMETER = 1000
"""A PARAMETER event of this number and above says that a text (number less this) has changed."""
PARAMETERS = 256
"""Changes of parameters that wait for Python at most; a power of two."""

PLUGIN_TABLE = WordTable(
    "Plug-in",
    "At the beginning of the memory that a plug-in's shell shares with its engine (`plugin/source/shell.c`, "
    "`engine/ports/plugin.py`). Offsets are bytes from there.",
)
_word = PLUGIN_TABLE.word
PLUGIN_TABLE.writer("shell, before the engine is started")
SHARED_MAGIC = _word("SHARED_MAGIC", "int64", "MAGIC, written last")
SHARED_LAYOUT = _word("SHARED_LAYOUT", "int64", "LAYOUT of the header that the shell was built with")
SHARED_SIZE = _word("SHARED_SIZE", "int64", "of the whole memory", "bytes")
SHARED_RATE = _word("SHARED_RATE", "int64", "the host's sample rate", "Hz")
SHARED_EVENTS = _word("SHARED_EVENTS", "offset", "int64 [EVENTS, EVENT_WORDS]: what happens at which position", "bytes")
SHARED_NOTES_OUT = _word("SHARED_NOTES_OUT", "offset", "int64 [2 * NOTES_OUT]: MIDI that goes out", "bytes")
SHARED_TEXTS = _word("SHARED_TEXTS", "offset", "char [TEXTS, TEXT_BYTES], each ended by 0", "bytes")
PLUGIN_TABLE.writer("see Ring")
SHARED_IN = _word("SHARED_IN", "Ring", "heard sound, of two rows", words=RING_TABLE.size)
SHARED_OUT = _word("SHARED_OUT", "Ring", "the band's sound, of OUT_ROWS rows", words=RING_TABLE.size)
PLUGIN_TABLE.writer("shell, audio thread")
SHELL_POSITION = _word("SHELL_POSITION", "int64", "so much sound, and all events before it, are there", "samples")
EVENT_WRITE = _word("EVENT_WRITE", "int64", "events put in", "events")
EVENTS_DROPPED = _word("EVENTS_DROPPED", "int64", "events that found no room, and are not sent again", "events")
NOTES_OUT_READ = _word("NOTES_OUT_READ", "int64", "messages taken out", "events")
SHELL_HOLD = _word("SHELL_HOLD", "int64", "from a sample's place to where the shell plays it, live", "samples")
SHELL_LOOP = _word("SHELL_LOOP", "int64", "the sound card's round trip, as the user gives it", "samples")
SHELL_BLOCK = _word("SHELL_BLOCK", "int64", "size of the last block", "samples")
SHELL_MISSES = _word("SHELL_MISSES", "int64", "samples that the engine had not made in time", "samples")
SHELL_DROPPED = _word("SHELL_DROPPED", "int64", "heard samples for which there was no room", "samples")
PLUGIN_TABLE.writer("shell, the thread that changes a text")
TEXT_SEQUENCE = _word(
    "TEXT_SEQUENCE", "int64", "of each text: odd while it is being written; the message's is the engine's", words=TEXTS
)
PLUGIN_TABLE.writer("engine, the thread that carries blocks")
EVENT_READ = _word("EVENT_READ", "int64", "events taken out", "events")
NOTES_OUT_WRITE = _word("NOTES_OUT_WRITE", "int64", "messages put in", "events")
ENGINE_POSITION = _word("ENGINE_POSITION", "int64", "so far has it carried the sound", "samples")
PLUGIN_TABLE.writer("engine, control thread")
ENGINE_ATTACHED = _word("ENGINE_ATTACHED", "int64", "its process id, once it can take an epoch; 0: nobody can")
ENGINE_STATE = _word("ENGINE_STATE", "int64", "one of the states below")
ENGINE_BEAT = _word("ENGINE_BEAT", "int64", "counts on as long as it lives")
ENGINE_SERVES = _word("ENGINE_SERVES", "int64", "position of the epoch that it plays in; -1: none", "samples")
ENGINE_TEMPO = _word("ENGINE_TEMPO", "float64", "the band's", "bpm")
ENGINE_AHEAD = _word("ENGINE_AHEAD", "int64", "its look-ahead", "samples")
SHARED_WORDS = PLUGIN_TABLE.size

STATES = ("absent", "loading", "ready", "playing", "failed")
"""ENGINE_STATE by number. Absent: the shell looks for it, or starts it."""

CARRIER_TABLE = WordTable(
    "Plug-in's carrier",
    "The engine's own words of the thread that carries blocks (`engine/callback/hosted/plugin_callback.py`).",
)
_word = CARRIER_TABLE.word
CARRIER_TABLE.writer("port, before the thread begins")
CARRIER_LEASE = _word("CARRIER_LEASE", "address", "the stream's lease")
CARRIER_SHARED = _word("CARRIER_SHARED", "address", "the shared memory")
CARRIER_SLEEP = _word("CARRIER_SLEEP", "address", "nanosleep")
CARRIER_NAP = _word("CARRIER_NAP", "address", "a timespec: for how long")
CARRIER_HEARD = _word("CARRIER_HEARD", "address", "float32 [IN_ROWS, PIECE]")
CARRIER_PLAYED = _word("CARRIER_PLAYED", "address", "float32 [OUT_ROWS, PIECE]")
CARRIER_PARAMETERS = _word("CARRIER_PARAMETERS", "address", "int64 [2 * PARAMETERS]: number, value as float64")
CARRIER_BASE = _word("CARRIER_BASE", "int64", "position of the bridge's first sample", "samples")
CARRIER_FROM = _word(
    "CARRIER_FROM", "int64", "position of the first sample that is heard, and whose events count at once", "samples"
)
CARRIER_DELAY = _word("CARRIER_DELAY", "int64", "sound and events are carried so much after they came", "samples")
CARRIER_LOCKSTEP = _word("CARRIER_LOCKSTEP", "flag", "there is no clock: it waits for the worker, and for Python")
CARRIER_TABLE.writer("port, at any time")
CARRIER_LEAD = _word("CARRIER_LEAD", "int64", "the transport is told so much earlier than it is heard", "samples")
CARRIER_QUIT = _word("CARRIER_QUIT", "flag", "the thread is to end")
PARAMETER_READ = _word("PARAMETER_READ", "int64", "changes that Python has obeyed", "events")
CARRIER_TABLE.writer("the thread")
PARAMETER_WRITE = _word("PARAMETER_WRITE", "int64", "changes of parameters for Python", "events")
TRANSPORT_READ = _word("TRANSPORT_READ", "int64", "events that were looked at for the transport", "events")
CARRIER_ENDED = _word("CARRIER_ENDED", "flag", "a new epoch has come, whose event waits")
TURNS_SEEN = _word("TURNS_SEEN", "int64", "the worker's turn when an event was last told it")
CARRIER_WORDS = CARRIER_TABLE.size

PIECE = 1024
"""Samples that are carried at once at most."""

CONSTANTS = {
    name: globals()[name]
    for name in (
        *("IN_ROWS", "OUT_ROWS", "RING_SECONDS", "EVENTS", "EVENT_WORDS", "EVENT_KIND", "EVENT_AT", "EVENT_VALUE"),
        *("EVENT_MORE", "EVENT_POSITION", "TRANSPORT_EVENT", "MIDI_EVENT", "PARAMETER_EVENT", "EPOCH_EVENT"),
        *("NOTES_OUT", "TEXT_BYTES", "TEXTS", "MESSAGE_TEXT", "PRESET_TEXT", "CHART_TEXT", "TEXT_PARAMETER"),
        "OTHER_VERSION_EXIT",
    )
}
"""What a shell has to know besides the words."""


def layout_number() -> int:
    """LAYOUT: another one for every change of what shell and engine share."""
    words = [(table.title, word.name, word.offset) for table in (PLUGIN_TABLE, RING_TABLE) for word in table.declared]
    digest = hashlib.sha256(repr((words, sorted(CONSTANTS.items()))).encode()).digest()
    return int.from_bytes(digest[:7], "little")


LAYOUT = layout_number()
