/* The shell as a CLAP plug-in: ports, parameters, events and state, to and from shell.h. What the parameters are called
 * and where they end is in parameters.h, which plugin/library.py writes when it builds. Functions run in the thread
 * that CLAP names for them. */
#define _POSIX_C_SOURCE 200809L
#include <math.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "clap_abi.h"
#include "parameters.h"
#include "shell.h"

#define GIGMATE_ID "org.gigmate.band"
enum { BUSES = GM_OUT_ROWS / 2, TEXT = 64 };
static const char state_begin[8] = "gigmate1";

typedef struct {
    ClapPlugin plugin;
    const ClapHost *host;
    const ClapHostLog *log;
    Shell *shell; /* from the first activation on; scanning a plug-in starts no engine */
    double rate_hz;
    _Atomic double values[GM_PARAMETERS]; /* hosts ask for them in another thread than the one that changes them */
    _Atomic bool offline, restarts;
    _Atomic bool studio;   /* latency as it was when the host activated: it must not change in between */
    ClapMidi unsent;       /* for which the host had no room */
    bool has_unsent;
} Band;

static Band *band_of(const ClapPlugin *plugin) {
    return plugin->data;
}

static void write_log(void *owner, bool bad, const char *line) {
    const Band *band = owner;
    char text[1280];
    snprintf(text, sizeof text, "gigmate: %s", line);
    if (band->log)
        band->log->log(band->host, bad ? CLAP_LOG_ERROR : CLAP_LOG_INFO, text);
    else
        fprintf(stderr, "%s\n", text);
}

/* ----------------------------------------------------------------------------------------------- parameters */

static int number_of(uint32_t id) {
    int number = 0;
    while (number < GM_PARAMETERS && gm_parameters[number].id != id)
        ++number;
    return number;
}

static bool is_whole(int number) {
    return gm_parameters[number].kind != GM_NUMBER;
}

static void set_value(Band *band, uint32_t id, double value) {
    const int number = number_of(id);
    if (number == GM_PARAMETERS || isnan(value))
        return;
    value = fmin(fmax(value, gm_parameters[number].low), gm_parameters[number].high);
    atomic_store(&band->values[number], is_whole(number) ? trunc(value) : value);
}

static uint32_t count_parameters(const ClapPlugin *plugin) {
    return (void)plugin, GM_PARAMETERS;
}

static bool describe_parameter(const ClapPlugin *plugin, uint32_t number, ClapParameter *parameter) {
    (void)plugin;
    if (number >= GM_PARAMETERS)
        return false;
    memset(parameter, 0, sizeof *parameter);
    parameter->id = gm_parameters[number].id;
    parameter->flags = number == GM_P_EARLY ? 0 : CLAP_AUTOMATABLE;
    parameter->flags |= is_whole((int)number) ? CLAP_STEPPED : 0;
    parameter->flags |= gm_parameters[number].choices ? CLAP_ENUM : 0;
    snprintf(parameter->name, CLAP_NAME, "%s", gm_parameters[number].name);
    parameter->low = gm_parameters[number].low;
    parameter->high = gm_parameters[number].high;
    parameter->otherwise = gm_parameters[number].otherwise;
    return true;
}

static bool get_value(const ClapPlugin *plugin, uint32_t id, double *value) {
    const int number = number_of(id);
    if (number < GM_PARAMETERS)
        *value = atomic_load(&band_of(plugin)->values[number]);
    return number < GM_PARAMETERS;
}

static bool to_text(const ClapPlugin *plugin, uint32_t id, double value, char *text, uint32_t size) {
    (void)plugin;
    const int number = number_of(id);
    if (number == GM_PARAMETERS || !size || isnan(value))
        return false;
    value = fmin(fmax(value, gm_parameters[number].low), gm_parameters[number].high);
    if (gm_parameters[number].choices)
        return snprintf(text, size, "%s", gm_parameters[number].choices[(int)value]) > 0;
    return snprintf(text, size, "%.*f%s", is_whole(number) ? 0 : 2, value, gm_parameters[number].unit) > 0;
}

static bool from_text(const ClapPlugin *plugin, uint32_t id, const char *text, double *value) {
    (void)plugin;
    const int number = number_of(id);
    if (number == GM_PARAMETERS)
        return false;
    const char *const *choices = gm_parameters[number].choices;
    for (int i = 0; choices && i <= (int)gm_parameters[number].high; ++i)
        if (strcmp(choices[i], text) == 0)
            return *value = i, true;
    char *end;
    const double read = strtod(text, &end);
    if (choices || end == text || isnan(read))
        return false;
    *value = fmin(fmax(read, gm_parameters[number].low), gm_parameters[number].high);
    return true;
}

static void take_values(Band *band, const ClapEventsIn *events) {
    for (uint32_t i = 0, count = events->count(events); i < count; ++i) {
        const ClapEvent *event = events->get(events, i);
        if (event->space == 0 && event->kind == CLAP_VALUE)
            set_value(band, ((const ClapValue *)event)->parameter, ((const ClapValue *)event)->value);
    }
}

static void flush(const ClapPlugin *plugin, const ClapEventsIn *in, const ClapEventsOut *out) {
    (void)out;
    take_values(band_of(plugin), in);
}

/* --------------------------------------------------------------------------------------------------- a block */

static void read_transport(Band *band, uint32_t at, const ClapTransport *told) {
    const bool metred = told->flags & CLAP_HAS_METRE && told->metre > 0 && told->unit > 0;
    Transport now = {.rolling = told->flags & CLAP_PLAYING, .has_beats = told->flags & CLAP_HAS_BEATS,
                     .bar = told->bar, .beats_per_bar = metred ? told->metre : 4.0, .beat_unit = metred ? told->unit : 4.0};
    now.beat = ((double)told->beats - (double)told->bar_beats) / CLAP_FIXED * now.beat_unit / 4.0;
    now.tempo_bpm = told->flags & CLAP_HAS_TEMPO ? told->tempo_bpm * now.beat_unit / 4.0 : 0.0;
    if (told->flags & CLAP_HAS_SECONDS)
        now.frame = floor((double)told->seconds / CLAP_FIXED * band->rate_hz + 0.5);
    shell_transport(band->shell, at, &now);
}

static void read_events(Band *band, const ClapEventsIn *events) {
    for (uint32_t i = 0, count = events->count(events); i < count; ++i) {
        const ClapEvent *event = events->get(events, i);
        if (event->space != 0)
            continue;
        if (event->kind == CLAP_TRANSPORT)
            read_transport(band, event->at, (const ClapTransport *)event);
        else if (event->kind == CLAP_MIDI)
            shell_midi(band->shell, event->at, ((const ClapMidi *)event)->bytes, 3);
        else if (event->kind == CLAP_NOTE_ON || event->kind == CLAP_NOTE_OFF) {
            const ClapNote *note = (const ClapNote *)event;
            const bool on = event->kind == CLAP_NOTE_ON;
            const double velocity = fmin(fmax(note->velocity, on ? 0.01 : 0.0), 1.0);
            const uint8_t bytes[3] = {(uint8_t)((on ? 0x90 : 0x80) | (note->channel & 15)), (uint8_t)(note->key & 127),
                                      (uint8_t)(127.0 * velocity)};
            if (note->channel >= 0 && note->key >= 0)
                shell_midi(band->shell, event->at, bytes, 3);
        }
    }
}

/* In order of their time: notes first, then what has gone back. */
static void write_events(Band *band, const ClapEventsOut *events, uint32_t samples) {
    MidiOut message;
    uint32_t last = 0;
    while (band->has_unsent || shell_take_midi(band->shell, &message)) {
        if (!band->has_unsent) {
            band->unsent = (ClapMidi){.event = {sizeof(ClapMidi), (uint32_t)message.position, 0, CLAP_MIDI, 0}};
            memcpy(band->unsent.bytes, message.bytes, sizeof band->unsent.bytes);
        }
        last = band->unsent.event.at = band->unsent.event.at > last ? band->unsent.event.at : last;
        band->has_unsent = !events->push(events, &band->unsent.event);
        if (band->has_unsent) { /* the end of a note must not be lost: in the next block */
            band->unsent.event.at = 0;
            return;
        }
    }
    for (int i = 0; i < GM_PARAMETERS; ++i) /* what was stepped on comes up again */
        if (gm_parameters[i].kind == GM_TRIGGER && atomic_load(&band->values[i]) > 0.5) {
            const ClapValue up = {.event = {sizeof up, samples ? samples - 1 : 0, 0, CLAP_VALUE, 0},
                                  .parameter = gm_parameters[i].id, .note = -1, .port = -1, .channel = -1, .key = -1};
            atomic_store(&band->values[i], 0.0);
            events->push(events, &up.event);
        }
}

static int32_t process(const ClapPlugin *plugin, const ClapBlock *block) {
    Band *band = band_of(plugin);
    const float *in[GM_IN_ROWS] = {NULL, NULL};
    float *out[GM_OUT_ROWS];
    if (block->ins < 1 || !block->in[0].floats || block->in[0].channels < 1 || block->outs < BUSES)
        return CLAP_ERROR;
    for (uint32_t i = 0; i < GM_IN_ROWS && i < block->in[0].channels; ++i)
        in[i] = block->in[0].floats[i];
    for (int i = 0; i < GM_OUT_ROWS; ++i) {
        if (!block->out[i / 2].floats || block->out[i / 2].channels < 2)
            return CLAP_ERROR;
        out[i] = block->out[i / 2].floats[i % 2];
        block->out[i / 2].constant = 0;
    }
    take_values(band, block->events_in);
    const bool studio = atomic_load(&band->studio);
    if (studio != (atomic_load(&band->values[GM_P_EARLY]) < 0.5) && !atomic_exchange(&band->restarts, true))
        band->host->restart(band->host);
    for (int i = 0; i < GM_PARAMETERS; ++i)
        shell_parameter(band->shell, i, i == GM_P_EARLY ? !studio : (float)atomic_load(&band->values[i]));
    shell_begin(band->shell, block->samples, atomic_load(&band->offline));
    if (block->transport)
        read_transport(band, 0, block->transport);
    read_events(band, block->events_in);
    shell_process(band->shell, in, out);
    write_events(band, block->events_out, block->samples);
    return CLAP_CONTINUE;
}

/* ------------------------------------------------------------------------------------------- ports and state */

static uint32_t count_audio(const ClapPlugin *plugin, bool in) {
    return (void)plugin, in ? 1 : BUSES;
}

static bool describe_audio(const ClapPlugin *plugin, uint32_t number, bool in, ClapAudioPort *port) {
    static const char *const names[BUSES] = {"Band", "Drums", "Bass", "Keys"};
    if (number >= count_audio(plugin, in))
        return false;
    *port = (ClapAudioPort){.id = number, .flags = number ? 0 : CLAP_MAIN_PORT, .channels = 2, .kind = "stereo",
                            .in_place_with = CLAP_NONE};
    snprintf(port->name, CLAP_NAME, "%s", in ? "You" : names[number]);
    return true;
}

static uint32_t count_notes(const ClapPlugin *plugin, bool in) {
    return (void)plugin, (void)in, 1;
}

static bool describe_notes(const ClapPlugin *plugin, uint32_t number, bool in, ClapNotePort *port) {
    (void)plugin;
    if (number > 0)
        return false;
    port->id = 0;
    port->dialects = CLAP_DIALECT_MIDI | (in ? CLAP_DIALECT_CLAP : 0);
    port->preferred = CLAP_DIALECT_MIDI;
    snprintf(port->name, CLAP_NAME, "%s", in ? "MIDI in" : "Notes and clock");
    return true;
}

typedef struct {
    uint64_t id;
    double value;
} Kept;

static bool save(const ClapPlugin *plugin, const ClapSink *sink) {
    struct {
        char begin[8];
        uint64_t count;
        Kept kept[GM_PARAMETERS];
    } state = {.count = GM_PARAMETERS};
    memcpy(state.begin, state_begin, sizeof state_begin);
    for (int i = 0; i < GM_PARAMETERS; ++i)
        state.kept[i] = (Kept){gm_parameters[i].id, atomic_load(&band_of(plugin)->values[i])};
    const char *from = (const char *)&state, *end = from + sizeof state;
    while (from < end) {
        const int64_t done = sink->write(sink, from, (uint64_t)(end - from));
        if (done <= 0 || done > end - from)
            return false;
        from += done;
    }
    return true;
}

static bool read_whole(const ClapSource *source, void *into, size_t size) {
    for (char *at = into, *end = at + size; at < end;) {
        const int64_t done = source->read(source, at, (uint64_t)(end - at));
        if (done <= 0 || done > end - at)
            return false;
        at += done;
    }
    return true;
}

/* What a newer one has kept and this one does not know is passed over; what was not kept is at its default. */
static bool load(const ClapPlugin *plugin, const ClapSource *source) {
    Band *band = band_of(plugin);
    char begin[sizeof state_begin];
    uint64_t count = 0;
    Kept kept[4 * GM_PARAMETERS];
    if (!read_whole(source, begin, sizeof begin) || memcmp(begin, state_begin, sizeof begin) != 0 ||
        !read_whole(source, &count, sizeof count) || count > sizeof kept / sizeof *kept ||
        !read_whole(source, kept, count * sizeof *kept))
        return false;
    for (int i = 0; i < GM_PARAMETERS; ++i)
        atomic_store(&band->values[i], gm_parameters[i].otherwise);
    for (uint64_t i = 0; i < count; ++i)
        set_value(band, (uint32_t)kept[i].id, kept[i].value);
    const ClapHostParameters *host = band->host->extension(band->host, CLAP_PARAMETERS);
    if (host)
        host->rescan(band->host, CLAP_RESCAN_VALUES);
    return true;
}

static uint32_t get_latency(const ClapPlugin *plugin) {
    const Band *band = band_of(plugin);
    return atomic_load(&band->studio) ? (uint32_t)(STUDIO_S * band->rate_hz) : 0;
}

static bool needs_clock(const ClapPlugin *plugin) {
    return (void)plugin, false;
}

static bool set_offline(const ClapPlugin *plugin, int32_t offline) {
    atomic_store(&band_of(plugin)->offline, offline == 1);
    return true;
}

static const void *extension(const ClapPlugin *plugin, const char *id) {
    static const ClapAudioPorts audio = {count_audio, describe_audio};
    static const ClapNotePorts notes = {count_notes, describe_notes};
    static const ClapParameters parameters = {count_parameters, describe_parameter, get_value,
                                              to_text,          from_text,          flush};
    static const ClapState state = {save, load};
    static const ClapLatency latency = {get_latency};
    static const ClapRender render = {needs_clock, set_offline};
    const struct {
        const char *id;
        const void *what;
    } all[] = {{CLAP_AUDIO_PORTS, &audio}, {CLAP_NOTE_PORTS, &notes}, {CLAP_PARAMETERS, &parameters},
               {CLAP_STATE, &state},       {CLAP_LATENCY, &latency},  {CLAP_RENDER, &render}};
    for (size_t i = 0; i < sizeof all / sizeof *all; ++i)
        if (strcmp(all[i].id, id) == 0)
            return all[i].what;
    return (void)plugin, NULL;
}

/* ------------------------------------------------------------------------------------- from creation to the end */

static bool init(const ClapPlugin *plugin) {
    Band *band = band_of(plugin);
    band->log = band->host->extension(band->host, CLAP_LOG);
    return true;
}

/* A band that plays goes on over a restart of the plug-in, for it takes seconds to load. Another rate: another band. */
static bool activate(const ClapPlugin *plugin, double rate_hz, uint32_t shortest, uint32_t longest) {
    (void)shortest;
    Band *band = band_of(plugin);
    if (band->shell && band->rate_hz != rate_hz) {
        shell_close(band->shell);
        band->shell = NULL;
    }
    if (!band->shell)
        band->shell = shell_open(rate_hz, 0, longest, write_log, band);
    band->rate_hz = rate_hz;
    atomic_store(&band->restarts, false);
    const bool studio = atomic_load(&band->values[GM_P_EARLY]) < 0.5;
    if (atomic_exchange(&band->studio, studio) != studio) {
        const ClapHostLatency *host = band->host->extension(band->host, CLAP_LATENCY);
        if (host)
            host->changed(band->host);
    }
    return band->shell != NULL;
}

static void destroy(const ClapPlugin *plugin) {
    Band *band = band_of(plugin);
    if (band->shell)
        shell_close(band->shell);
    free(band);
}

static void nothing(const ClapPlugin *plugin) {
    (void)plugin;
}

static bool start(const ClapPlugin *plugin) {
    return band_of(plugin)->shell != NULL;
}

static const char *const features[] = {"audio-effect", "stereo", NULL};
static const ClapDescriptor descriptor = {CLAP_VERSION_HERE, GIGMATE_ID, "GigMate", "GigMate", "", "", "",
                                          GIGMATE_VERSION, "A band that plays along with you", features};

static uint32_t count_plugins(const ClapFactory *factory) {
    return (void)factory, 1;
}

static const ClapDescriptor *describe(const ClapFactory *factory, uint32_t number) {
    return (void)factory, number == 0 ? &descriptor : NULL;
}

static const ClapPlugin *create(const ClapFactory *factory, const ClapHost *host, const char *id) {
    (void)factory;
    if (host->clap.major < 1 || strcmp(id, GIGMATE_ID) != 0)
        return NULL;
    Band *band = calloc(1, sizeof *band);
    if (!band)
        return NULL;
    band->host = host;
    band->plugin = (ClapPlugin){&descriptor, band,    init,    destroy,   activate, nothing,
                                start,       nothing, nothing, process, extension, nothing};
    for (int i = 0; i < GM_PARAMETERS; ++i)
        atomic_store(&band->values[i], gm_parameters[i].otherwise);
    return &band->plugin;
}

static bool open_library(const char *path) {
    return (void)path, true;
}

static void close_library(void) {}

static const void *get_factory(const char *id) {
    static const ClapFactory factory = {count_plugins, describe, create};
    return strcmp(id, CLAP_FACTORY) == 0 ? &factory : NULL;
}

__attribute__((visibility("default"))) const ClapEntry clap_entry = {CLAP_VERSION_HERE, open_library, close_library,
                                                                     get_factory};
