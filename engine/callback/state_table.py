"""All words of native memory that the audio callback works on, each with its type, unit, writer and meaning.

Knows nothing of how they are used. Offsets are computed from the order here and compiled into the callback. A ring's
words are in `dsp/ring.py`, a limiter's in `dsp/limiter.py`. `docs/native-state.md` is made from these tables:

    python -m gigmate.engine.callback.state_table > docs/native-state.md

Any thread; nothing here changes after import.
"""

from __future__ import annotations

from ...dsp import word_table as _word_table
from ...dsp.limiter import LIMITER_TABLE
from ...dsp.ring import RING_TABLE
from ...dsp.word_table import WordTable, as_markdown
from .hosted.plugin_table import CARRIER_TABLE, PLUGIN_TABLE

SOURCES = (__file__, _word_table.__file__)

MIDI_EVENTS = 8192
"""How many each of the two MIDI rings holds; a power of two."""
MORE_MIDI = 0xF4
"""Stands for the status of a message in MIDI_RING that is the rest of the one before it."""
NOTE_EVENTS = 2048
"""How many messages each part's ring of notes holds; a power of two."""
NOTES_MOST_DUE = NOTE_EVENTS + 512
"""Room for what one block sends of a part: all that waits, and the end of all that sounds."""
POSITION_WORDS = 12
"""The beginning of a jack_position_t, as far as the tempo."""

METERED_CHANNELS = 256
"""As many as a stream can have."""

_SETUP = "bridge and port, before the first callback"
_CALLBACK = "audio callback"
_INFERENCE = "inference thread"

STATE_TABLE = WordTable(
    "Stream",
    "One for each bridge (`engine/callback/bridge.py`). All counts run from the bridge's first sample.",
)
_word = STATE_TABLE.word

STATE_TABLE.writer(_SETUP)
IN_RING = _word("IN_RING", "address", "ring of heard samples, mono")
OUT_RING = _word("OUT_RING", "address", "ring of the band's samples, of ROWS rows")
CLICK_RING = _word("CLICK_RING", "address", "ring of the count-in click")
LOOP_RING = _word("LOOP_RING", "address", "ring of the musician's loop, which sounds whether the band does or not")
ROWS = _word("ROWS", "int64", "channels of sound that the band makes, those of all buses together")
BUSES = _word("BUSES", "int64", "the first is main")
BUS_ROWS = _word("BUS_ROWS", "address", "int64 [BUSES + 1]: the first row of each bus, of one or two; then ROWS")
OUTPUT_ROWS = _word(
    "OUTPUT_ROWS", "address", "int64 [METERED_CHANNELS]: the row that each output plays; ROWS: the click"
)
CLICK_APART = _word("CLICK_APART", "flag", "the click has outputs of its own, so that main does not play it")
LOOP_BUS = _word("LOOP_BUS", "int64", "the bus that plays the loop: 0 is main")
LIMITERS = _word("LIMITERS", "address", "the limiters' words, one limiter after another for each bus")
FALLBACK = _word("FALLBACK", "address", "the fallback's words")
MIX_SCRATCH = _word(
    "MIX_SCRATCH",
    "address",
    "float32 [ROWS + 2, MAX_BLOCK]: what is heard, then what is played; last click and loop",
)
GAIN_SCRATCH = _word("GAIN_SCRATCH", "address", "float32 [MAX_BLOCK]: the ramp of this block")
FLOAT_SCRATCH = _word("FLOAT_SCRATCH", "address", "8 bytes for the floating-point control word")
MAX_BLOCK = _word("MAX_BLOCK", "int64", "larger blocks are done in pieces", "samples")
RAMP_TABLE = _word("RAMP_TABLE", "address", "float32 [RAMP_SAMPLES + 1]: gains from 0 to 1, equal power")
RAMP_SAMPLES = _word("RAMP_SAMPLES", "int64", "length of the ramp in and out", "samples")
CHANNELS_IN = _word("CHANNELS_IN", "address", "int64 table: addresses of this block's input channels")
CHANNEL_METERS = _word(
    "CHANNEL_METERS",
    "address",
    "float64 [2 * METERED_CHANNELS + 2]: of each input channel its peak since it was taken, then its sum of squares;"
    " the sum of squares of their mean; the samples in these sums",
)
CHANNELS_OUT = _word("CHANNELS_OUT", "address", "int64 table: addresses of this block's output channels")
STALL_SAMPLES = _word("STALL_SAMPLES", "int64", "after so long without a callback the clock jumps", "samples")
MIDI_RING = _word("MIDI_RING", "address", "int64 [2 * MIDI_EVENTS]: position, packed bytes")
MIDI_OUT_RING = _word("MIDI_OUT_RING", "address", "the same; the packed word's fourth byte counts the message's bytes")
NOTES = _word("NOTES", "address", "int64 table: the address of each part's notes")
TRANSPORT_TABLE = _word("TRANSPORT_TABLE", "address", "int64 [POSITION_WORDS]: the beginning of the jack_position_t")
JACK_CLIENT = _word("JACK_CLIENT", "address", "jack_client_t")
JACK_MIDI_EVENT = _word("JACK_MIDI_EVENT", "address", "scratch for one jack_midi_event_t")
JACK_POSITION = _word("JACK_POSITION", "address", "scratch for one jack_position_t")
JACK_LATENCY_RANGE = _word("JACK_LATENCY_RANGE", "address", "scratch for a jack_latency_range_t (notification thread)")
FN_GET_BUFFER = _word("FN_GET_BUFFER", "address", "jack_port_get_buffer")
FN_FRAME_TIME = _word("FN_FRAME_TIME", "address", "jack_last_frame_time")
FN_MIDI_COUNT = _word("FN_MIDI_COUNT", "address", "jack_midi_get_event_count")
FN_MIDI_GET = _word("FN_MIDI_GET", "address", "jack_midi_event_get")
FN_MIDI_CLEAR = _word("FN_MIDI_CLEAR", "address", "jack_midi_clear_buffer")
FN_MIDI_WRITE = _word("FN_MIDI_WRITE", "address", "jack_midi_event_write")
FN_TRANSPORT_QUERY = _word("FN_TRANSPORT_QUERY", "address", "jack_transport_query; 0: the transport is not read")
FN_LATENCY_GET = _word("FN_LATENCY_GET", "address", "jack_port_get_latency_range")
FN_LATENCY_SET = _word("FN_LATENCY_SET", "address", "jack_port_set_latency_range")
FN_PORT_BY_ID = _word("FN_PORT_BY_ID", "address", "jack_port_by_id (notification thread)")
PA_INPUTS = _word("PA_INPUTS", "int64", "PortAudio: how many channels the band hears")
PA_OUTPUTS = _word("PA_OUTPUTS", "int64", "PortAudio: how many channels the band plays on")
PA_IN_INDEX = _word("PA_IN_INDEX", "address", "int64 table: index of each heard channel in the stream")
PA_OUT_INDEX = _word("PA_OUT_INDEX", "address", "int64 table: index of each played channel in the stream")
PA_OUT_TOTAL = _word("PA_OUT_TOTAL", "int64", "PortAudio: how many output channels the stream has")

STATE_TABLE.writer("port, at any time")
JACK_INPUTS = _word("JACK_INPUTS", "int64", "length of JACK_IN_PORTS")
JACK_OUTPUTS = _word("JACK_OUTPUTS", "int64", "length of JACK_OUT_PORTS")
JACK_IN_PORTS = _word("JACK_IN_PORTS", "address", "int64 table: jack_port_t of each input")
JACK_OUT_PORTS = _word("JACK_OUT_PORTS", "address", "int64 table: jack_port_t of each output")
JACK_MIDI_PORT = _word("JACK_MIDI_PORT", "address", "jack_port_t of the MIDI input; 0: none")
JACK_MIDI_OUT_PORT = _word("JACK_MIDI_OUT_PORT", "address", "jack_port_t of the MIDI output; 0: none")
JACK_NOTE_OUTS = _word("JACK_NOTE_OUTS", "int64", "length of JACK_NOTE_PORTS: one for each part, or none")
JACK_NOTE_PORTS = _word("JACK_NOTE_PORTS", "address", "int64 table: jack_port_t of each part's MIDI output")
JACK_OWN_DELAY = _word("JACK_OWN_DELAY", "int64", "delay from our inputs to our outputs; may be negative", "samples")

STATE_TABLE.writer(_INFERENCE)
PLAYING = _word("PLAYING", "flag", "the band is to sound")
PLAY_FROM_POSITION = _word("PLAY_FROM_POSITION", "int64", "not before this output position", "samples")
PLAY_UNTIL_POSITION = _word(
    "PLAY_UNTIL_POSITION",
    "int64",
    "the ramp out begins there; one before PLAY_FROM_POSITION belongs to an earlier stretch; -1: none",
    "samples",
)
BAR_SAMPLES = _word("BAR_SAMPLES", "int64", "period that the fallback repeats; 0: no bar is known", "samples")
INPUT_NEEDED = _word(
    "INPUT_NEEDED", "int64", "the worker can do nothing more before the input reaches this; -1: never said", "samples"
)
TURNS = _word("TURNS", "int64", "how often the worker has looked for commands, and obeyed them")
MIDI_READ = _word("MIDI_READ", "int64", "messages taken out of MIDI_RING", "events")
MIDI_OUT_WRITE = _word("MIDI_OUT_WRITE", "int64", "messages put into MIDI_OUT_RING", "events")

STATE_TABLE.writer(_CALLBACK)
POSITION = _word("POSITION", "int64", "the clock: how much the callback has carried", "samples")
CALLBACKS = _word("CALLBACKS", "int64", "callbacks that are over")
LAST_BLOCK = _word("LAST_BLOCK", "int64", "size of the last block, at the sound system's rate", "samples")
LARGEST_BLOCK = _word("LARGEST_BLOCK", "int64", "size of the largest block", "samples")
RAMP_INDEX = _word("RAMP_INDEX", "int64", "where in RAMP_TABLE the gain stands; a stream that takes over begins at 0")
FIRST_SOUND_POSITION = _word(
    "FIRST_SOUND_POSITION", "int64", "begin of the first block in which anything sounded; -1 before", "samples"
)
NONFINITE_IN = _word("NONFINITE_IN", "int64", "heard samples that were NaN or infinite", "samples")
NONFINITE_OUT = _word("NONFINITE_OUT", "int64", "the band's samples that were NaN or infinite, in all rows", "samples")
LIMITED = _word("LIMITED", "int64", "samples that a bus's limiter made smaller, in all buses", "samples")
IN_DROPPED = _word("IN_DROPPED", "int64", "heard samples that found IN_RING full", "samples")
MISS_BLOCKS = _word("MISS_BLOCKS", "int64", "blocks with an underrun")
STALLED_SAMPLES = _word("STALLED_SAMPLES", "int64", "so far did the clock jump, in all", "samples")
LOST_SAMPLES = _word("LOST_SAMPLES", "int64", "JACK's clock went on for so long without a callback", "samples")
MIDI_WRITE = _word("MIDI_WRITE", "int64", "messages put into MIDI_RING", "events")
MIDI_DROPPED = _word("MIDI_DROPPED", "int64", "messages that found MIDI_RING full", "events")
MIDI_OUT_READ = _word("MIDI_OUT_READ", "int64", "messages taken out of MIDI_OUT_RING", "events")
MIDI_OUT_LATE = _word("MIDI_OUT_LATE", "int64", "messages sent after their sample", "events")
MIDI_OUT_DROPPED = _word("MIDI_OUT_DROPPED", "int64", "messages not sent: far too late, or no room in JACK", "events")
JACK_LAST_FRAME = _word("JACK_LAST_FRAME", "int64", "JACK's frame time at the last callback", "samples")
JACK_LAST_FRAME_KNOWN = _word("JACK_LAST_FRAME_KNOWN", "flag", "JACK_LAST_FRAME holds a time of this stream")
TRANSPORT_SEQUENCE = _word(
    "TRANSPORT_SEQUENCE", "int64", "odd while the next two and TRANSPORT_TABLE are being written; 0: nothing read yet"
)
TRANSPORT_POSITION = _word("TRANSPORT_POSITION", "int64", "output position at which the transport was read", "samples")
TRANSPORT_STATE = _word("TRANSPORT_STATE", "int64", "jack_transport_state_t; 1: rolling")

STATE_TABLE.writer("audio callback raises, any thread takes (sets to 0)")
IN_PEAK = _word("IN_PEAK", "float64", "largest magnitude heard since it was taken")
OUT_PEAK = _word("OUT_PEAK", "float64", "largest magnitude played since it was taken")

STATE_TABLE.writer("the sound system's notification thread; cleared before a stream")
FREEWHEEL = _word("FREEWHEEL", "flag", "JACK runs without the clock, whose time then says nothing")
SHUTDOWN = _word("SHUTDOWN", "flag", "JACK has shut the client down")
RATE_CHANGED = _word("RATE_CHANGED", "int64", "JACK's new sample rate; 0: none", "Hz")
MIDI_CONNECTIONS = _word("MIDI_CONNECTIONS", "int64", "how often something was connected to the MIDI input")
MIDI_CONNECTED_POSITION = _word("MIDI_CONNECTED_POSITION", "int64", "POSITION when it last was", "samples")

STATE_TABLE.writer("the sound system's notification thread (JACK), audio callback (PortAudio)")
XRUNS = _word("XRUNS", "int64", "underruns and overruns that the sound system reported")
STATE_WORDS = STATE_TABLE.size

LEASE_TABLE = WordTable(
    "Lease",
    "What a real port's callbacks are given. A stream that has died keeps its lease, which is retired: whatever a dead "
    "server or a sleeping device still calls can do nothing to the stream that took its place.",
)
_word = LEASE_TABLE.word
LEASE_TABLE.writer("port, before the stream's first callback")
LEASE_STATE = _word("LEASE_STATE", "address", "the stream's words")
LEASE_CONVERSION = _word("LEASE_CONVERSION", "address", "a conversion's words; 0: the stream has the bridge's rate")
LEASE_TABLE.writer("port")
LEASE_PHASE = _word(
    "LEASE_PHASE", "int64", "0 waiting: plays silence, something else carries the clock; 1 active; 2 retired"
)
WAITING = 0
ACTIVE = 1
RETIRED = 2
LEASE_WORDS = LEASE_TABLE.size

FALLBACK_TABLE = WordTable("Fallback", "What covers an underrun: `engine/callback/fallback_bar.py`.")
_word = FALLBACK_TABLE.word
FALLBACK_TABLE.writer(_SETUP)
FALLBACK_HISTORY = _word("FALLBACK_HISTORY", "address", "float32 [rows, MASK + 1]: what was played, rings by position")
FALLBACK_HISTORY_MASK = _word("FALLBACK_HISTORY_MASK", "int64", "length of each row's history - 1", "samples")
FALLBACK_FADE_TABLE = _word("FALLBACK_FADE_TABLE", "address", "float32 [FADE_SAMPLES]: gains from 0 to 1, equal power")
FALLBACK_FADE_SAMPLES = _word("FALLBACK_FADE_SAMPLES", "int64", "length of a crossfade", "samples")
FALLBACK_TABLE.writer(_CALLBACK)
FALLBACK_MODE = _word("FALLBACK_MODE", "int64", "0 fresh sound; 1 covering; 2 fading back into fresh sound")
FALLBACK_PERIOD = _word("FALLBACK_PERIOD", "int64", "period of this cover; 0: none that the history holds", "samples")
FALLBACK_START_POSITION = _word("FALLBACK_START_POSITION", "int64", "where the cover began", "samples")
FALLBACK_FADE_IN_INDEX = _word("FALLBACK_FADE_IN_INDEX", "int64", "how far the fade into the cover is", "samples")
FALLBACK_FADE_OUT_INDEX = _word("FALLBACK_FADE_OUT_INDEX", "int64", "how far the fade out of it is", "samples")
FALLBACK_MISS_SAMPLES = _word("FALLBACK_MISS_SAMPLES", "int64", "samples that were covered", "samples")
FALLBACK_MISS_EPISODES = _word("FALLBACK_MISS_EPISODES", "int64", "covers that began")
FALLBACK_WORDS = FALLBACK_TABLE.size

NOTES_TABLE = WordTable(
    "Notes",
    "One for each part: its notes on their way out as MIDI (`engine/callback/note_callback.py`). They are sent by "
    "JACK's callback, or by the thread that sends to another system's MIDI.",
)
_word = NOTES_TABLE.word
NOTES_TABLE.writer(_SETUP)
NOTES_STREAM = _word("NOTES_STREAM", "address", "the stream's words")
NOTES_RING = _word("NOTES_RING", "address", "int64 [2 * NOTE_EVENTS]: as MIDI_OUT_RING")
NOTES_HELD = _word("NOTES_HELD", "address", "int64 [128]: 1 for each pitch that sounds")
NOTES_DUE = _word("NOTES_DUE", "address", "int64 [2 * NOTES_MOST_DUE]: what a block sends: offset, packed bytes")
NOTES_CHANNEL = _word("NOTES_CHANNEL", "int64", "MIDI channel, from 0")
NOTES_LATEST = _word("NOTES_LATEST", "int64", "a note that would begin later than this is left out", "samples")
NOTES_TABLE.writer(_INFERENCE)
NOTES_WRITE = _word("NOTES_WRITE", "int64", "messages put into the ring", "events")
NOTES_LEAD = _word("NOTES_LEAD", "int64", "sent so much before the band's sound of the same moment leaves", "samples")
NOTES_TABLE.writer("who sends")
NOTES_READ = _word("NOTES_READ", "int64", "messages taken out of the ring", "events")
NOTES_SOUNDING = _word("NOTES_SOUNDING", "int64", "how many pitches sound")
NOTES_PROGRAM = _word("NOTES_PROGRAM", "int64", "the program that was sent last, plus 1; 0: none yet")
NOTES_SENT = _word("NOTES_SENT", "int64", "notes that were begun", "events")
NOTES_LATE = _word("NOTES_LATE", "int64", "notes that were begun after their sample", "events")
NOTES_DROPPED = _word("NOTES_DROPPED", "int64", "notes that would have begun far too late, and were left out", "events")
NOTES_TABLE.writer("any thread raises, who sends takes (sets to 0)")
NOTES_RELEASE = _word("NOTES_RELEASE", "flag", "end whatever sounds")
NOTES_PANIC = _word("NOTES_PANIC", "flag", "the same, with All Notes Off and All Sound Off")
NOTES_TELL_PROGRAM = _word("NOTES_TELL_PROGRAM", "flag", "send the program again: somebody was connected")
NOTES_WORDS = NOTES_TABLE.size

RESAMPLER_TABLE = WordTable(
    "Resampler", "One stream of a rate conversion: a polyphase filter (`engine/callback/rate_conversion.py`)."
)
_word = RESAMPLER_TABLE.word
RESAMPLER_TABLE.writer("port, before the stream's first callback")
RESAMPLER_BANK = _word("RESAMPLER_BANK", "address", "float32 [UP, TAPS]: the filter, oldest sample first")
RESAMPLER_TAPS = _word("RESAMPLER_TAPS", "int64", "length of each phase", "samples")
RESAMPLER_UP = _word("RESAMPLER_UP", "int64", "numerator of the ratio of rates")
RESAMPLER_DOWN = _word("RESAMPLER_DOWN", "int64", "denominator of the ratio of rates")
RESAMPLER_HISTORY = _word("RESAMPLER_HISTORY", "address", "float32: TAPS - 1 old samples, then the new ones")
RESAMPLER_OUT = _word("RESAMPLER_OUT", "address", "float32: what was made")
RESAMPLER_TABLE.writer(_CALLBACK)
RESAMPLER_SKIP = _word("RESAMPLER_SKIP", "int64", "inputs to pass before the next output's newest one", "samples")
RESAMPLER_PHASE = _word("RESAMPLER_PHASE", "int64", "phase of the filter at the next output")
RESAMPLER_HELD = _word("RESAMPLER_HELD", "int64", "samples in RESAMPLER_OUT that were not taken yet", "samples")
RESAMPLER_WORDS = RESAMPLER_TABLE.size

CONVERSION_TABLE = WordTable(
    "Rate conversion", "Between a sound system at one rate and a bridge at another: resamplers and their tables."
)
_word = CONVERSION_TABLE.word
CONVERSION_TABLE.writer("see Resampler")
CONVERSION_HEARD = _word("CONVERSION_HEARD", "Resampler", "heard sound, to the bridge", words=RESAMPLER_WORDS)
CONVERSION_TABLE.writer("port, before the stream's first callback")
CONVERSION_PLAYED = _word(
    "CONVERSION_PLAYED", "address", "Resampler [ROWS + 1]: each row of the band, then the click, from the bridge"
)
CONVERSION_TABLE_OUT = _word("CONVERSION_TABLE_OUT", "address", "int64 [ROWS + 1]: where the bridge puts each row")
CONVERSION_ORDER = _word("CONVERSION_ORDER", "address", "int64 [ROWS + 1]: 0, 1, 2 ...: the row that goes there")
CONVERSION_TABLE.writer(_CALLBACK)
CONVERSION_TABLE_IN = _word("CONVERSION_TABLE_IN", "address", "the one channel that the bridge hears")
CONVERSION_WORDS = CONVERSION_TABLE.size

TABLES = (
    STATE_TABLE,
    LEASE_TABLE,
    FALLBACK_TABLE,
    NOTES_TABLE,
    RESAMPLER_TABLE,
    CONVERSION_TABLE,
    RING_TABLE,
    LIMITER_TABLE,
)

_PAGE_BEGIN = """# Native state

What the audio callback and Python share: plain memory, in words of 64 bits. Compiled code gets the address of a
structure and works on the words below. Each group of words that has one writer stands on cache lines of its own.

This page is made from the tables in `engine/callback/state_table.py`, `engine/callback/hosted/plugin_table.py`,
`dsp/ring.py` and `dsp/limiter.py`:
`python -m gigmate.engine.callback.state_table > docs/native-state.md`.

"""


def page() -> str:
    """The text of docs/native-state.md."""
    return _PAGE_BEGIN + as_markdown((*TABLES, CARRIER_TABLE, PLUGIN_TABLE))


if __name__ == "__main__":
    print(page(), end="")
