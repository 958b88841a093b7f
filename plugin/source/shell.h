/* The shell of the band in a host: what every plug-in interface shares. It holds no music, only memory.
 *
 * One shell, one engine: a process of its own, which the shell's watcher starts and watches. Both see the memory that
 * layout.h describes. Functions say who may call them: the host's audio thread, or its main thread. */
#ifndef GIGMATE_SHELL_H
#define GIGMATE_SHELL_H

#include <stdbool.h>
#include <stdint.h>

#include "layout.h"

typedef struct Shell Shell;

/* Where a host's transport stands, at one sample. Bar and beat count from 0, the beat within the bar, the frame within
 * the song. What a host may say wrongly is put right in shell.c: where there is no tempo and no bar, there are no beats. */
typedef struct {
    bool rolling, has_beats;
    double bar, beat, beats_per_bar, beat_unit, tempo_bpm, frame;
} Transport;
#define MOST_ROUNDED 0.0011 /* of a beat: a tick of Ardour's is 1/1920, of JACK's often 1/960 */

typedef struct {
    int64_t position;
    uint8_t bytes[4];
    uint32_t size;
} MidiOut;

typedef void (*ShellLog)(void *owner, bool bad, const char *line);

/* Main thread. NULL: no memory, or no thread, for it. Blocks of 0: not known. `log` is called from the watcher's
 * thread. What is started is the program that GIGMATE_COMMAND names, else that for which the shell was built. */
Shell *shell_open(double rate_hz, uint32_t nominal_block, uint32_t longest_block, ShellLog log, void *owner);

/* Main thread, when no audio thread calls any more. Ends the engine. */
void shell_close(Shell *shell);

/* Main thread, or the audio thread. A text of the session: a preset's name, or a chart's file. False: too long. */
bool shell_set_text(Shell *shell, int number, const char *text);
void shell_get_text(const Shell *shell, int number, char into[GM_TEXT_BYTES]);

/* Audio thread, in this order for each block: parameters; begin; transport and MIDI, by their sample in the block, each
 * kind in order; process; then take_midi until it says that there is none. None of them waits, but process where the
 * host has no clock (offline). */
void shell_begin(Shell *shell, uint32_t samples, bool offline);
void shell_parameter(Shell *shell, int number, float value);
void shell_transport(Shell *shell, uint32_t at, const Transport *transport);
Transport shell_place(const Shell *shell, uint32_t at); /* of the transport, if it goes on as it was told */
void shell_midi(Shell *shell, uint32_t at, const uint8_t *bytes, uint32_t size);
/* A right input that is not there, or silent to the bit, is none: the left one is heard on both sides. */
void shell_process(Shell *shell, const float *const in[GM_IN_ROWS], float *const out[GM_OUT_ROWS]);
bool shell_take_midi(Shell *shell, MidiOut *message);

#define STUDIO_S 0.300 /* of latency, with *Play ahead* off */

typedef struct {
    double latency_samples, state, tempo_bpm, misses;
} ShellStatus;

/* Any thread. */
ShellStatus shell_status(const Shell *shell);

#endif
