/* Made by python -m gigmate.plugin.layout from engine/callback/hosted/plugin_table.py: change that. */
#ifndef GIGMATE_LAYOUT_H
#define GIGMATE_LAYOUT_H

#define GM_MAGIC INT64_C(0x4749474d415445)
#define GM_LAYOUT INT64_C(0xad7ac106651028)
#define GM_HOLE_BITS 0x7fedc0deu

enum { /* words of 64 bits from the beginning of the memory */
    GM_SHARED_MAGIC = 0,
    GM_SHARED_LAYOUT = 1,
    GM_SHARED_SIZE = 2,
    GM_SHARED_RATE = 3,
    GM_SHARED_EVENTS = 4,
    GM_SHARED_NOTES_OUT = 5,
    GM_SHARED_TEXTS = 6,
    GM_SHARED_IN = 16,
    GM_SHARED_OUT = 64,
    GM_SHELL_POSITION = 112,
    GM_EVENT_WRITE = 113,
    GM_EVENTS_DROPPED = 114,
    GM_NOTES_OUT_READ = 115,
    GM_SHELL_HOLD = 116,
    GM_SHELL_LOOP = 117,
    GM_SHELL_BLOCK = 118,
    GM_SHELL_MISSES = 119,
    GM_SHELL_DROPPED = 120,
    GM_TEXT_SEQUENCE = 128,
    GM_EVENT_READ = 144,
    GM_NOTES_OUT_WRITE = 145,
    GM_ENGINE_POSITION = 146,
    GM_ENGINE_ATTACHED = 160,
    GM_ENGINE_STATE = 161,
    GM_ENGINE_BEAT = 162,
    GM_ENGINE_SERVES = 163,
    GM_ENGINE_TEMPO = 164,
    GM_ENGINE_AHEAD = 165,
    GM_SHARED_WORDS = 176
};

enum { /* words of a ring, from its own beginning */
    GM_RING_DATA = 0,
    GM_RING_MASK = 1,
    GM_RING_LIMIT = 2,
    GM_RING_ROWS = 3,
    GM_RING_WRITE = 16,
    GM_RING_GAP_START = 17,
    GM_RING_GAP_END = 18,
    GM_RING_PUSHED = 19,
    GM_RING_READ = 32,
    GM_RING_WORDS = 48
};

enum {
    GM_IN_ROWS = 2,
    GM_OUT_ROWS = 8,
    GM_RING_SECONDS = 2,
    GM_EVENTS = 8192,
    GM_EVENT_WORDS = 16,
    GM_EVENT_KIND = 0,
    GM_EVENT_AT = 1,
    GM_EVENT_VALUE = 2,
    GM_EVENT_MORE = 3,
    GM_EVENT_POSITION = 4,
    GM_TRANSPORT_EVENT = 1,
    GM_MIDI_EVENT = 2,
    GM_PARAMETER_EVENT = 3,
    GM_EPOCH_EVENT = 4,
    GM_NOTES_OUT = 8192,
    GM_TEXT_BYTES = 1024,
    GM_TEXTS = 3,
    GM_MESSAGE_TEXT = 0,
    GM_PRESET_TEXT = 1,
    GM_CHART_TEXT = 2,
    GM_TEXT_PARAMETER = 1000,
    GM_OTHER_VERSION_EXIT = 79,
    GM_STATE_ABSENT = 0,
    GM_STATE_LOADING = 1,
    GM_STATE_READY = 2,
    GM_STATE_PLAYING = 3,
    GM_STATE_FAILED = 4,
    GM_POSITION_WORDS = 12
};

enum { /* bytes from the beginning of a jack_position_t */
    GM_JACK_FRAME_RATE = 16,
    GM_JACK_FRAME = 20,
    GM_JACK_VALID = 24,
    GM_JACK_BAR = 28,
    GM_JACK_BEAT = 32,
    GM_JACK_TICK = 36,
    GM_JACK_BEATS_PER_BAR = 48,
    GM_JACK_BEAT_TYPE = 52,
    GM_JACK_TICKS_PER_BEAT = 56,
    GM_JACK_TEMPO_BPM = 64,
    GM_JACK_HAS_BBT = 0x10
};

enum { /* parameters */
    GM_P_PLAY = 0,
    GM_P_PRESET = 1,
    GM_P_STYLE = 2,
    GM_P_DENSITY = 3,
    GM_P_DRUMS_LEVEL = 4,
    GM_P_BASS_LEVEL = 5,
    GM_P_KEYS_LEVEL = 6,
    GM_P_BAND_LEVEL = 7,
    GM_P_DRUMS_MUTE = 8,
    GM_P_BASS_MUTE = 9,
    GM_P_KEYS_MUTE = 10,
    GM_P_FILL = 11,
    GM_P_ENDING = 12,
    GM_P_SECTION = 13,
    GM_P_GO_ON = 14,
    GM_P_SEED = 15,
    GM_P_EARLY = 16,
    GM_P_ROUND_TRIP = 17,
    GM_PARAMETERS = 18
};

#endif
