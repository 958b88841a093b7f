/* See shell.h. The audio thread works on memory that is there: it allocates, locks and calls nothing. */
#define _GNU_SOURCE
#include "shell.h"

#include <errno.h>
#include <fcntl.h>
#include <math.h>
#include <pthread.h>
#include <signal.h>
#include <spawn.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

extern char **environ;

enum { SHARED_FD = 3, WATCH_MS = 20, SOON_US = 200, SLOW_S = 1, HUNG_S = 30, LEAVE_MS = 3000, LONGEST_MEANT = 2048 };
#define TICKS_PER_BEAT 1e6
#define REPORT_S 0.010      /* from one report of a transport that rolls to the next */
#define HOLD_S 0.010        /* beyond a block: for the engine to wake up, and to carry it */
#define OFFLINE_HOLD_S 0.030 /* always the same, as what is played depends on it */
#define START_S 180         /* for an engine that loads: small machines take minutes for the first time */
#define OFFLINE_HANG_S 30   /* for one that plays, and does not get on */

typedef _Atomic int64_t Word;

struct Shell {
    Word *words; /* the shared memory */
    size_t size;
    int descriptor;
    double rate_hz;
    /* of the audio thread */
    int64_t position, delay, hold, live_hold, nominal;
    uint32_t samples;
    bool offline, studio, begun;
    Word gave_up; /* a bounce that does not wait any more */
    Transport told; /* by the host, at a position; it goes on from there until the host says another place */
    int64_t told_at, reports_at;
    bool transport_known;
    int64_t attached, epoch, waits_from; /* what lies before that nobody has made */
    float parameters[GM_PARAMETERS], sent[GM_PARAMETERS];
    bool unsent[GM_PARAMETERS];
    int64_t text_seen[GM_TEXTS];
    /* of the watcher */
    pthread_t watcher;
    Word quit, latency, state, alive;
    char *command;
    ShellLog log;
    void *owner;
    pid_t engine;
    int lifeline; /* the engine ends when it is closed, by us or by our end */
};

static double sane(double value, double low, double high, double otherwise) {
    return value >= low && value <= high ? value : otherwise;
}

static void nap(long us) {
    nanosleep(&(struct timespec){.tv_nsec = 1000 * us}, NULL);
}

/* ------------------------------------------------------------------------------------------------- the memory */

static int64_t get(const Shell *shell, int word) {
    return atomic_load_explicit(&shell->words[word], memory_order_acquire);
}

static void set(Shell *shell, int word, int64_t value) {
    atomic_store_explicit(&shell->words[word], value, memory_order_release);
}

static void add(Shell *shell, int word, int64_t value) {
    set(shell, word, get(shell, word) + value);
}

static int64_t *at_offset(const Shell *shell, int word) {
    return (int64_t *)((char *)shell->words + get(shell, word));
}

static float *ring_row(const Shell *shell, int ring, int row) {
    char *data = (char *)&shell->words[ring] + get(shell, ring + GM_RING_DATA);
    return (float *)data + row * (get(shell, ring + GM_RING_MASK) + 1);
}

/* As ring_write_at in dsp/ring.py. Returns how many samples were taken in. */
static int64_t ring_write_at(Shell *shell, int ring, int64_t position, const float *const rows[], int64_t count) {
    const int64_t mask = get(shell, ring + GM_RING_MASK), read = get(shell, ring + GM_RING_READ);
    const int64_t written = get(shell, ring + GM_RING_WRITE), start = read > written ? read : written;
    if (position < start || position - read + count > get(shell, ring + GM_RING_LIMIT))
        return 0;
    for (int row = 0; row < GM_IN_ROWS; ++row) {
        float *data = ring_row(shell, ring, row);
        const uint32_t hole = GM_HOLE_BITS;
        for (int64_t i = start; i < position; ++i)
            memcpy(&data[i & mask], &hole, sizeof hole);
        const int64_t first = position & mask, room = mask + 1 - first, head = count < room ? count : room;
        memcpy(data + first, rows[row], (size_t)head * sizeof(float));
        memcpy(data, rows[row] + head, (size_t)(count - head) * sizeof(float));
    }
    set(shell, ring + GM_RING_WRITE, position + count);
    return count;
}

/* As ring_take in dsp/ring.py, but that nothing is silence. Returns how many samples were missing. */
static int64_t ring_take(Shell *shell, int ring, float *const rows[], uint32_t from, int64_t count) {
    const int64_t mask = get(shell, ring + GM_RING_MASK), read = get(shell, ring + GM_RING_READ);
    int64_t held = get(shell, ring + GM_RING_WRITE) - read, missing = 0;
    held = held < 0 ? 0 : held > count ? count : held;
    for (int row = 0; row < GM_OUT_ROWS; ++row) {
        const float *data = ring_row(shell, ring, row);
        float *into = rows[row] + from;
        const int64_t first = read & mask, room = mask + 1 - first, head = held < room ? held : room;
        memcpy(into, data + first, (size_t)head * sizeof(float));
        memcpy(into + head, data, (size_t)(held - head) * sizeof(float));
        memset(into + held, 0, (size_t)(count - held) * sizeof(float));
        for (int64_t i = 0; i < held; ++i) {
            uint32_t bits;
            memcpy(&bits, &into[i], sizeof bits);
            if (bits == GM_HOLE_BITS) {
                into[i] = 0.0f;
                missing += row == 0;
            }
        }
    }
    set(shell, ring + GM_RING_READ, read + count);
    return missing + count - held;
}

/* ------------------------------------------------------------------------------------------------- the events */

static bool push(Shell *shell, const int64_t event[GM_EVENT_WORDS]) {
    const int64_t write = get(shell, GM_EVENT_WRITE);
    if (write - get(shell, GM_EVENT_READ) >= GM_EVENTS)
        return false;
    memcpy(at_offset(shell, GM_SHARED_EVENTS) + GM_EVENT_WORDS * (write & (GM_EVENTS - 1)), event,
           GM_EVENT_WORDS * sizeof *event);
    set(shell, GM_EVENT_WRITE, write + 1);
    return true;
}

static void push_or_drop(Shell *shell, const int64_t event[GM_EVENT_WORDS]) {
    if (!push(shell, event))
        add(shell, GM_EVENTS_DROPPED, 1);
}

static bool push_parameter(Shell *shell, int number, double value) {
    int64_t event[GM_EVENT_WORDS] = {GM_PARAMETER_EVENT, shell->position, number};
    memcpy(&event[GM_EVENT_MORE], &value, sizeof value);
    return push(shell, event);
}

/* The fields of a jack_position_t that the engine reads, in their places. */
typedef struct __attribute__((packed)) {
    int64_t unread[2];
    uint32_t rate, frame, valid;
    int32_t bar, beat, tick;
    double unread_too;
    float beats_per_bar, beat_type;
    double ticks_per_beat, tempo_bpm;
} Position;
_Static_assert(offsetof(Position, rate) == GM_JACK_FRAME_RATE && offsetof(Position, tick) == GM_JACK_TICK &&
                   offsetof(Position, beats_per_bar) == GM_JACK_BEATS_PER_BAR &&
                   offsetof(Position, tempo_bpm) == GM_JACK_TEMPO_BPM,
               "the engine reads the fields elsewhere");

/* Where the transport is at a position, if it goes on as it was told. */
static Transport place_at(const Shell *shell, int64_t position) {
    Transport place = shell->told;
    const double samples = place.rolling ? (double)(position - shell->told_at) : 0.0;
    place.frame += samples;
    if (place.has_beats) {
        place.beat += samples / shell->rate_hz * place.tempo_bpm / 60.0;
        const double bars = floor(place.beat / place.beats_per_bar);
        place.bar += bars;
        place.beat -= bars * place.beats_per_bar;
    }
    return place;
}

static void push_transport(Shell *shell, int64_t at) {
    int64_t event[GM_EVENT_WORDS] = {GM_TRANSPORT_EVENT, at, shell->told.rolling};
    const Transport place = place_at(shell, at);
    const double whole = floor(place.beat);
    const Position position = {.rate = (uint32_t)shell->rate_hz,
                               .frame = (uint32_t)(int64_t)place.frame,
                               .valid = place.has_beats ? GM_JACK_HAS_BBT : 0,
                               .bar = (int32_t)place.bar + 1,
                               .beat = (int32_t)whole + 1,
                               .tick = (int32_t)((place.beat - whole) * TICKS_PER_BEAT),
                               .beats_per_bar = (float)place.beats_per_bar,
                               .beat_type = (float)place.beat_unit,
                               .ticks_per_beat = TICKS_PER_BEAT,
                               .tempo_bpm = place.tempo_bpm};
    memcpy(&event[GM_EVENT_POSITION], &position, sizeof position);
    push_or_drop(shell, event);
}

/* Reports stand where they do not depend on the host's blocks: else a bounce in other blocks would be another. */
static void report(Shell *shell, int64_t until) {
    while (shell->begun && shell->transport_known && shell->reports_at < until) {
        push_transport(shell, shell->reports_at);
        shell->reports_at = shell->told.rolling ? shell->reports_at + (int64_t)(REPORT_S * shell->rate_hz) : INT64_MAX;
    }
}

/* ------------------------------------------------------------------------------------------ the audio thread */

static double now_s(void) {
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)now.tv_sec + 1e-9 * (double)now.tv_nsec;
}

/* Offline only: until the engine can take an epoch, or there is none to wait for. */
static void wait_for_engine(Shell *shell) {
    const double end_s = now_s() + START_S;
    while (get(shell, GM_ENGINE_ATTACHED) == 0 && get(shell, GM_ENGINE_STATE) != GM_STATE_FAILED && now_s() < end_s)
        nap(SOON_US);
    atomic_store(&shell->gave_up, get(shell, GM_ENGINE_ATTACHED) == 0);
}

/* Offline only: until what is to be played is there. */
static void wait_for_sound(Shell *shell, int64_t until) {
    int64_t seen = -1;
    double end_s = now_s() + OFFLINE_HANG_S;
    const bool of_this = until > shell->epoch - shell->hold; /* what was before is another epoch's */
    while ((of_this && get(shell, GM_ENGINE_SERVES) != shell->epoch) ||
           get(shell, GM_SHARED_OUT + GM_RING_WRITE) < until) {
        const int64_t done = get(shell, GM_ENGINE_POSITION) + get(shell, GM_ENGINE_SERVES);
        if (done != seen) {
            seen = done;
            end_s = now_s() + OFFLINE_HANG_S;
        }
        if (get(shell, GM_ENGINE_ATTACHED) != shell->attached || now_s() > end_s) {
            atomic_store(&shell->gave_up, 1); /* the bounce goes on without it, and does not wait at every block */
            return;
        }
        nap(SOON_US);
    }
}

/* Whatever has changed since it was sent; what finds no room is tried again in the next block. */
static void send_parameters(Shell *shell) {
    for (int i = 0; i < GM_PARAMETERS; ++i)
        if (shell->unsent[i] && push_parameter(shell, i, shell->parameters[i])) {
            shell->sent[i] = shell->parameters[i];
            shell->unsent[i] = false;
        }
    for (int i = GM_PRESET_TEXT; i < GM_TEXTS; ++i) {
        const int64_t now = get(shell, GM_TEXT_SEQUENCE + i);
        if (now != shell->text_seen[i] && now % 2 == 0 && push_parameter(shell, GM_TEXT_PARAMETER + i, 0.0))
            shell->text_seen[i] = now;
    }
    set(shell, GM_SHELL_LOOP, (int64_t)(1e-3 * sane(shell->parameters[GM_P_ROUND_TRIP], 0.0, 1e4, 0.0) * shell->rate_hz));
}

static void begin_epoch(Shell *shell, int64_t position) {
    shell->delay = shell->studio ? (int64_t)(STUDIO_S * shell->rate_hz) : 0;
    shell->begun = push(shell, (const int64_t[GM_EVENT_WORDS]){GM_EPOCH_EVENT, position, shell->offline, shell->delay});
    if (!shell->begun)
        return; /* full of what nobody takes: in the next block */
    shell->epoch = shell->reports_at = position;
    shell->told = place_at(shell, position);
    shell->told_at = position;
    for (int i = 0; i < GM_PARAMETERS; ++i)
        shell->unsent[i] = true;
    send_parameters(shell);
}

static void make_room(Shell *shell, uint32_t samples) {
    const int64_t spare = (int64_t)(HOLD_S * shell->rate_hz);
    const int64_t block = samples > shell->nominal ? samples : shell->nominal;
    if (block + spare / 2 > shell->live_hold)
        shell->live_hold = block + spare;
    if (!shell->offline || !shell->begun)
        shell->hold = shell->offline ? (int64_t)(OFFLINE_HOLD_S * shell->rate_hz) : shell->live_hold;
    set(shell, GM_SHELL_HOLD, shell->hold);
}

void shell_begin(Shell *shell, uint32_t samples, bool offline) {
    shell->samples = samples;
    set(shell, GM_SHELL_BLOCK, samples);
    shell->studio = shell->parameters[GM_P_EARLY] < 0.5f;
    shell->begun = shell->begun && offline == shell->offline && shell->studio == (shell->delay > 0);
    shell->offline = offline;
    atomic_store(&shell->latency, shell->studio ? (int64_t)(STUDIO_S * shell->rate_hz) : 0);
    if (offline && !atomic_load(&shell->gave_up) && get(shell, GM_ENGINE_ATTACHED) == 0)
        wait_for_engine(shell);
    const int64_t attached = get(shell, GM_ENGINE_ATTACHED);
    shell->begun = shell->begun && attached == shell->attached;
    shell->attached = attached;
    if (attached != 0 && !shell->begun)
        atomic_store(&shell->gave_up, 0);
    make_room(shell, samples);
    if (!shell->begun)
        shell->waits_from = shell->position - shell->hold;
    if (shell->begun)
        send_parameters(shell);
    else if (attached != 0)
        begin_epoch(shell, shell->position);
}

void shell_parameter(Shell *shell, int number, float value) {
    value = isnan(value) ? shell->parameters[number] : value;
    shell->unsent[number] = shell->unsent[number] || value != shell->sent[number];
    shell->parameters[number] = value;
}

/* The position of a place in the block; whatever a host names. */
static int64_t within(const Shell *shell, uint32_t at) {
    return shell->position + (at < shell->samples ? at : shell->samples ? shell->samples - 1 : 0);
}

Transport shell_place(const Shell *shell, uint32_t at) {
    return place_at(shell, within(shell, at));
}

/* Whether the host says what was known, but for what hosts that count ticks round. */
static bool goes_on(const Transport *expected, const Transport *told) {
    const double beats = (told->bar - expected->bar) * told->beats_per_bar + told->beat - expected->beat;
    return told->rolling == expected->rolling && told->has_beats == expected->has_beats &&
           fabs(told->frame - expected->frame) <= 1.0 && told->tempo_bpm == expected->tempo_bpm &&
           told->beats_per_bar == expected->beats_per_bar && told->beat_unit == expected->beat_unit &&
           (!told->has_beats || fabs(beats) < MOST_ROUNDED);
}

void shell_transport(Shell *shell, uint32_t at, const Transport *transport) {
    const int64_t position = within(shell, at);
    const Transport expected = place_at(shell, position);
    Transport told = {.rolling = transport->rolling,
                      .bar = floor(sane(transport->bar, 0.0, 1e9, -1.0)),
                      .beat = sane(transport->beat, 0.0, 1000.0, -1.0),
                      .beats_per_bar = sane(transport->beats_per_bar, 1.0, 1000.0, 4.0),
                      .beat_unit = sane(transport->beat_unit, 1.0, 1000.0, 4.0),
                      .tempo_bpm = sane(transport->tempo_bpm, 0.0, 1e5, 0.0),
                      .frame = sane(transport->frame, -1e15, 1e15, 0.0)};
    told.has_beats = transport->has_beats && told.tempo_bpm > 0.0 && told.bar >= 0.0 && told.beat >= 0.0;
    if (shell->transport_known && goes_on(&expected, &told))
        return;
    report(shell, position);
    shell->transport_known = true;
    shell->told = told;
    shell->told_at = shell->reports_at = position;
    if (shell->begun && shell->offline && told.rolling && !expected.rolling && position > shell->epoch)
        begin_epoch(shell, position); /* a bounce is the same whatever came before its first sample */
}

void shell_midi(Shell *shell, uint32_t at, const uint8_t *bytes, uint32_t size) {
    if (!shell->begun || size < 1 || size > 3)
        return;
    int64_t packed = 0;
    for (uint32_t i = 0; i < size; ++i)
        packed |= (int64_t)bytes[i] << 8 * i;
    report(shell, within(shell, at) + 1);
    push_or_drop(shell, (const int64_t[GM_EVENT_WORDS]){GM_MIDI_EVENT, within(shell, at), packed});
}

void shell_process(Shell *shell, const float *const in[GM_IN_ROWS], float *const out[GM_OUT_ROWS]) {
    const int64_t count = shell->samples, behind = shell->delay + shell->hold;
    bool stereo = false;
    for (int64_t i = 0; in[1] && i < count && !stereo; ++i)
        stereo = in[1][i] != 0.0f;
    const float *const heard[GM_IN_ROWS] = {in[0], in[stereo]};
    report(shell, shell->position + count);
    if (shell->begun && count && ring_write_at(shell, GM_SHARED_IN, shell->position, heard, count) < count)
        add(shell, GM_SHELL_DROPPED, count);
    shell->position += count;
    set(shell, GM_SHELL_POSITION, shell->position);
    const int64_t until = shell->position - behind;
    if (shell->offline && shell->begun && !atomic_load(&shell->gave_up) && until > shell->waits_from)
        wait_for_sound(shell, until);
    int64_t early = get(shell, GM_SHARED_OUT + GM_RING_READ) - (until - count); /* the hold has grown: it pauses */
    if (early < 0) {
        set(shell, GM_SHARED_OUT + GM_RING_READ, until - count);
        early = 0;
    }
    const uint32_t pause = (uint32_t)(early < count ? early : count);
    for (int row = 0; row < GM_OUT_ROWS; ++row)
        memset(out[row], 0, pause * sizeof(float));
    const int64_t missing = ring_take(shell, GM_SHARED_OUT, out, pause, count - pause);
    if (missing && get(shell, GM_ENGINE_SERVES) >= 0 && until - count >= get(shell, GM_ENGINE_SERVES))
        add(shell, GM_SHELL_MISSES, missing);
}

bool shell_take_midi(Shell *shell, MidiOut *message) {
    const int64_t read = get(shell, GM_NOTES_OUT_READ);
    const int64_t first = shell->position - shell->samples, shift = shell->delay + shell->hold;
    if (read >= get(shell, GM_NOTES_OUT_WRITE))
        return false;
    const int64_t *slot = at_offset(shell, GM_SHARED_NOTES_OUT) + 2 * (read & (GM_NOTES_OUT - 1));
    const int64_t at = slot[0] + shift - first;
    if (at >= shell->samples)
        return false;
    message->position = at < 0 ? 0 : at;
    message->size = (uint32_t)(slot[1] >> 24 & 3);
    for (uint32_t i = 0; i < 4; ++i)
        message->bytes[i] = (uint8_t)(slot[1] >> 8 * i);
    set(shell, GM_NOTES_OUT_READ, read + 1);
    return true;
}

ShellStatus shell_status(const Shell *shell) {
    ShellStatus now = {.latency_samples = (double)atomic_load(&shell->latency),
                       .state = (double)atomic_load(&shell->state),
                       .misses = (double)get(shell, GM_SHELL_MISSES)};
    const int64_t bits = get(shell, GM_ENGINE_TEMPO);
    memcpy(&now.tempo_bpm, &bits, sizeof bits);
    return now;
}

/* -------------------------------------------------------------------------------------------------- the texts */

static char *text_of(const Shell *shell, int number) {
    return (char *)at_offset(shell, GM_SHARED_TEXTS) + number * GM_TEXT_BYTES;
}

bool shell_set_text(Shell *shell, int number, const char *text) {
    const size_t length = strnlen(text, GM_TEXT_BYTES);
    if (length >= GM_TEXT_BYTES)
        return false;
    add(shell, GM_TEXT_SEQUENCE + number, 1);
    memcpy(text_of(shell, number), text, length + 1);
    add(shell, GM_TEXT_SEQUENCE + number, 1);
    return true;
}

void shell_get_text(const Shell *shell, int number, char into[GM_TEXT_BYTES]) {
    memcpy(into, text_of(shell, number), GM_TEXT_BYTES);
    into[GM_TEXT_BYTES - 1] = '\0';
}

/* ------------------------------------------------------------------------------------------------ the watcher */

static void say(Shell *shell, bool bad, const char *line) {
    if (shell->log)
        shell->log(shell->owner, bad, line);
}

static bool start_engine(Shell *shell) {
    int ends[2];
    if (pipe2(ends, O_CLOEXEC) != 0)
        return false;
    char *const arguments[] = {shell->command, "plugin", "engine", "--shared", "3", NULL};
    posix_spawn_file_actions_t files;
    posix_spawnattr_t how;
    sigset_t none, all;
    sigemptyset(&none);
    sigfillset(&all);
    posix_spawn_file_actions_init(&files);
    posix_spawnattr_init(&how);
    /* What is copied onto its own number would stay closed-on-exec: by way of a number that is free. */
    const int shared = fcntl(shell->descriptor, F_DUPFD_CLOEXEC, 10), lifeline = fcntl(ends[0], F_DUPFD_CLOEXEC, 10);
    posix_spawn_file_actions_adddup2(&files, lifeline, 0);
    posix_spawn_file_actions_adddup2(&files, 2, 1);
    posix_spawn_file_actions_adddup2(&files, shared, SHARED_FD);
#if defined(__GLIBC__) && (__GLIBC__ > 2 || __GLIBC_MINOR__ >= 34)
    posix_spawn_file_actions_addclosefrom_np(&files, SHARED_FD + 1);
#endif
    posix_spawnattr_setsigmask(&how, &none);
    posix_spawnattr_setsigdefault(&how, &all);
    posix_spawnattr_setpgroup(&how, 0); /* what a terminal interrupts is the host */
    posix_spawnattr_setflags(&how, POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF | POSIX_SPAWN_SETPGROUP);
    int error = EMFILE;
    if (shared >= 0 && lifeline >= 0)
        error = posix_spawnp(&shell->engine, shell->command, &files, &how, arguments, environ);
    posix_spawn_file_actions_destroy(&files);
    posix_spawnattr_destroy(&how);
    close(ends[0]);
    close(shared);
    close(lifeline);
    if (error) {
        char line[1200];
        snprintf(line, sizeof line, "%s cannot be started (%s): install gigmate, then `make plugin`", shell->command,
                 strerror(error));
        say(shell, true, line);
        shell->engine = 0;
        close(ends[1]);
        return false;
    }
    shell->lifeline = ends[1];
    return true;
}

/* Whether it has ended; `how` says how. */
static bool engine_ended(Shell *shell, char how[80]) {
    int status = 0;
    const pid_t done = waitpid(shell->engine, &status, WNOHANG);
    if (done == 0 || (done < 0 && (errno == EINTR || kill(shell->engine, 0) == 0)))
        return false; /* a host that ignores SIGCHLD: nobody may wait for it */
    if (done > 0 && WIFSIGNALED(status))
        snprintf(how, 80, "was ended by signal %d", WTERMSIG(status));
    else if (done > 0 && WEXITSTATUS(status) == GM_OTHER_VERSION_EXIT)
        snprintf(how, 80, "is of another version: build the plug-in again (make plugin)");
    else
        snprintf(how, 80, "ended with exit code %d", done > 0 ? WEXITSTATUS(status) : -1);
    return true;
}

static void forget_engine(Shell *shell, int64_t state) {
    close(shell->lifeline);
    shell->engine = 0;
    set(shell, GM_ENGINE_ATTACHED, 0);
    set(shell, GM_ENGINE_SERVES, -1);
    set(shell, GM_ENGINE_STATE, state);
}

/* The engine's message, if it is a new one. */
static void pass_message(Shell *shell, int64_t *seen) {
    const int64_t now = get(shell, GM_TEXT_SEQUENCE + GM_MESSAGE_TEXT);
    char text[GM_TEXT_BYTES];
    if (now == *seen || now % 2)
        return;
    shell_get_text(shell, GM_MESSAGE_TEXT, text);
    if (get(shell, GM_TEXT_SEQUENCE + GM_MESSAGE_TEXT) == now) {
        *seen = now;
        say(shell, get(shell, GM_ENGINE_STATE) == GM_STATE_FAILED, text);
    }
}

static void *watch(void *argument) {
    Shell *shell = argument;
    int64_t beat = -1, message = 0;
    double beat_s = now_s(), start_s = beat_s, wait_s = 1.0;
    bool silent = false, given_up = false;
    while (!atomic_load(&shell->quit)) {
        char how[80], line[200];
        if (atomic_load(&shell->gave_up) != given_up && (given_up = !given_up))
            say(shell, true, "the bounce goes on without the band, in silence: it did not get ready or get on in time");
        if (shell->engine == 0) {
            if (now_s() >= start_s) {
                set(shell, GM_ENGINE_STATE, start_engine(shell) ? GM_STATE_LOADING : GM_STATE_FAILED);
                wait_s = wait_s < 16.0 ? 2.0 * wait_s : 30.0;
                start_s = now_s() + wait_s;
                beat_s = now_s();
            }
        } else if (engine_ended(shell, how)) {
            pass_message(shell, &message);
            snprintf(line, sizeof line, "the band's engine %s: it is started again in %.0f s", how,
                     start_s > now_s() ? start_s - now_s() : 0.0);
            say(shell, true, line);
            forget_engine(shell, get(shell, GM_ENGINE_STATE) == GM_STATE_FAILED ? GM_STATE_FAILED : GM_STATE_ABSENT);
        } else if (get(shell, GM_ENGINE_BEAT) != beat) {
            beat = get(shell, GM_ENGINE_BEAT);
            beat_s = now_s();
            if (get(shell, GM_ENGINE_STATE) == GM_STATE_PLAYING)
                wait_s = 0.5; /* it had been well: start it again at once */
            if (wait_s < 1.0 && start_s > now_s() + 1.0)
                start_s = now_s();
            if (silent)
                say(shell, false, "the band's engine answers again");
            silent = false;
        } else if (now_s() - beat_s > (get(shell, GM_ENGINE_STATE) == GM_STATE_LOADING ? START_S : HUNG_S)) {
            say(shell, true, "the band's engine hangs: it is ended, and started again");
            kill(shell->engine, SIGKILL);
            beat_s = now_s();
        } else if (!silent && get(shell, GM_ENGINE_ATTACHED) && now_s() - beat_s > SLOW_S) {
            silent = true;
            say(shell, true, "the band's engine does not answer: silence until it does");
        }
        pass_message(shell, &message);
        atomic_store(&shell->state, silent ? GM_STATE_ABSENT : get(shell, GM_ENGINE_STATE));
        nap(1000 * WATCH_MS);
    }
    if (shell->engine) {
        const pid_t engine = shell->engine;
        char how[80];
        forget_engine(shell, GM_STATE_ABSENT); /* which closes its lifeline */
        shell->engine = engine;
        for (int ms = 0; ms < LEAVE_MS && !engine_ended(shell, how); ms += WATCH_MS)
            nap(1000 * WATCH_MS);
        if (kill(engine, SIGKILL) == 0)
            waitpid(engine, NULL, 0);
    }
    return NULL;
}

/* ------------------------------------------------------------------------------------------- opening, closing */

static size_t up_to_line(size_t bytes) {
    return (bytes + 127) / 128 * 128;
}

static size_t add_ring(Shell *shell, int ring, int64_t limit, int64_t rows, size_t end) {
    int64_t length = 1;
    while (length < limit)
        length *= 2;
    if (shell) {
        set(shell, ring + GM_RING_DATA, (int64_t)end - ring * (int64_t)sizeof(int64_t));
        set(shell, ring + GM_RING_MASK, length - 1);
        set(shell, ring + GM_RING_LIMIT, limit);
        set(shell, ring + GM_RING_ROWS, rows);
    }
    return up_to_line(end + (size_t)(length * rows) * sizeof(float));
}

/* Where everything lies; a shell that has its memory is told so. Returns the size of all. */
static size_t lay_out(Shell *shell, int64_t ring_samples) {
    size_t end = up_to_line(GM_SHARED_WORDS * sizeof(int64_t));
    const struct {
        int word;
        size_t bytes;
    } tables[] = {{GM_SHARED_EVENTS, sizeof(int64_t) * GM_EVENTS * GM_EVENT_WORDS},
                  {GM_SHARED_NOTES_OUT, sizeof(int64_t) * 2 * GM_NOTES_OUT},
                  {GM_SHARED_TEXTS, GM_TEXTS * GM_TEXT_BYTES}};
    for (size_t i = 0; i < sizeof tables / sizeof *tables; ++i) {
        if (shell)
            set(shell, tables[i].word, (int64_t)end);
        end = up_to_line(end + tables[i].bytes);
    }
    end = add_ring(shell, GM_SHARED_IN, ring_samples, GM_IN_ROWS, end);
    return add_ring(shell, GM_SHARED_OUT, ring_samples, GM_OUT_ROWS, end);
}

/* Memory without a name: nothing is left behind, whoever is killed. */
static bool make_memory(Shell *shell) {
    const int64_t ring_samples = GM_RING_SECONDS * (int64_t)shell->rate_hz;
    void *memory = MAP_FAILED;
    shell->size = lay_out(NULL, ring_samples);
    shell->descriptor = memfd_create("gigmate", MFD_CLOEXEC);
    if (shell->descriptor >= 0 && posix_fallocate(shell->descriptor, 0, (off_t)shell->size) == 0) /* or an error later */
        memory = mmap(NULL, shell->size, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_POPULATE, shell->descriptor, 0);
    if (memory == MAP_FAILED)
        return false;
    mlock(memory, shell->size); /* where that is permitted */
    shell->words = memory;
    lay_out(shell, ring_samples);
    set(shell, GM_SHARED_LAYOUT, GM_LAYOUT);
    set(shell, GM_SHARED_SIZE, (int64_t)shell->size);
    set(shell, GM_SHARED_RATE, (int64_t)shell->rate_hz);
    set(shell, GM_ENGINE_SERVES, -1);
    set(shell, GM_SHARED_MAGIC, GM_MAGIC);
    return true;
}

static void let_go(Shell *shell) {
    if (shell->words)
        munmap(shell->words, shell->size);
    if (shell->descriptor >= 0)
        close(shell->descriptor);
    free(shell->command);
    free(shell);
}

Shell *shell_open(double rate_hz, uint32_t nominal_block, uint32_t longest_block, ShellLog log, void *owner) {
    Shell *shell = calloc(1, sizeof *shell);
    if (!shell)
        return NULL;
    const char *command = getenv("GIGMATE_COMMAND");
    shell->command = strdup(command && *command ? command : GIGMATE_COMMAND);
    shell->rate_hz = rate_hz;
    shell->nominal = nominal_block ? nominal_block : longest_block <= LONGEST_MEANT ? longest_block : 0;
    shell->position = (int64_t)rate_hz; /* there is time before the first sample, for what is made before it */
    shell->log = log;
    shell->owner = owner;
    shell->lifeline = shell->descriptor = -1;
    shell->parameters[GM_P_EARLY] = 1.0f;
    if (shell->command && make_memory(shell)) {
        make_room(shell, (uint32_t)shell->nominal);
        if (pthread_create(&shell->watcher, NULL, watch, shell) == 0)
            return shell;
    }
    say(shell, true, "no memory to share with the band, or no thread for it: is the machine's full?");
    let_go(shell);
    return NULL;
}

void shell_close(Shell *shell) {
    atomic_store(&shell->quit, 1);
    pthread_join(shell->watcher, NULL);
    let_go(shell);
}
