/* The shell as an LV2 plug-in: ports, events and state, to and from shell.h. */
#define _POSIX_C_SOURCE 200809L
#include <lv2/atom/forge.h>
#include <lv2/atom/util.h>
#include <lv2/buf-size/buf-size.h>
#include <lv2/core/lv2.h>
#include <lv2/core/lv2_util.h>
#include <lv2/log/logger.h>
#include <lv2/midi/midi.h>
#include <lv2/options/options.h>
#include <lv2/patch/patch.h>
#include <lv2/state/state.h>
#include <lv2/time/time.h>
#include <lv2/urid/urid.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "shell.h"

#define GIGMATE_URI "urn:gigmate:band"

enum { /* ports; plugin/bundle.py writes them down in this order */
    AUDIO_IN = 0,
    AUDIO_OUT = AUDIO_IN + GM_IN_ROWS,
    EVENTS_IN = AUDIO_OUT + GM_OUT_ROWS,
    EVENTS_OUT,
    CONTROL, /* transport and texts apart from MIDI, which hosts give to no audio track */
    NOTIFY,
    OFFLINE,
    LATENCY,
    STATE,
    TEMPO,
    MISSES,
    PARAMETERS,
    PORTS = PARAMETERS + GM_PARAMETERS
};

#define URIDS(X)                                                                                                       \
    X(midi_Event, LV2_MIDI__MidiEvent) X(time_Position, LV2_TIME__Position) X(time_bar, LV2_TIME__bar)                 \
    X(time_barBeat, LV2_TIME__barBeat) X(time_beatUnit, LV2_TIME__beatUnit) X(time_speed, LV2_TIME__speed)             \
    X(time_beatsPerBar, LV2_TIME__beatsPerBar) X(time_bpm, LV2_TIME__beatsPerMinute) X(time_frame, LV2_TIME__frame)    \
    X(patch_Get, LV2_PATCH__Get) X(patch_Set, LV2_PATCH__Set) X(patch_property, LV2_PATCH__property)                   \
    X(patch_value, LV2_PATCH__value) X(nominal, LV2_BUF_SIZE__nominalBlockLength)                                      \
    X(longest, LV2_BUF_SIZE__maxBlockLength) X(preset, GIGMATE_URI "#preset") X(chart, GIGMATE_URI "#chart")
#define FIELD(name, uri) LV2_URID name;
#define MAP(name, uri) band->urids.name = map->map(map->handle, uri);

typedef struct {
    Shell *shell;
    void *ports[PORTS];
    struct {
        URIDS(FIELD)
    } urids;
    LV2_Atom_Forge forge;
    LV2_Log_Logger logger;
    double rate_hz;
    bool tell; /* the host asked what the texts are */
} Band;

static void write_log(void *owner, bool bad, const char *line) {
    Band *band = owner;
    (bad ? lv2_log_error : lv2_log_note)(&band->logger, "gigmate: %s\n", line);
}

static uint32_t option(const Band *band, const LV2_Options_Option *options, LV2_URID key) {
    for (; options && options->key; ++options)
        if (options->key == key && options->type == band->forge.Int)
            return (uint32_t) * (const int32_t *)options->value;
    return 0;
}

/* For hosts without events, which map nothing: what would be told by events stays as it is. */
static LV2_URID map_nothing(LV2_URID_Map_Handle handle, const char *uri) {
    return (void)handle, (void)uri, 0;
}

static LV2_Handle instantiate(const LV2_Descriptor *descriptor, double rate, const char *path,
                              const LV2_Feature *const *features) {
    (void)descriptor, (void)path;
    static LV2_URID_Map no_map = {NULL, map_nothing};
    LV2_URID_Map *given = lv2_features_data(features, LV2_URID__map), *map = given ? given : &no_map;
    Band *band = calloc(1, sizeof *band);
    if (!band)
        return NULL;
    URIDS(MAP)
    band->rate_hz = rate;
    lv2_atom_forge_init(&band->forge, map);
    lv2_log_logger_init(&band->logger, map, lv2_features_data(features, LV2_LOG__log));
    const LV2_Options_Option *options = lv2_features_data(features, LV2_OPTIONS__options);
    band->shell = shell_open(rate, option(band, options, band->urids.nominal),
                             option(band, options, band->urids.longest), write_log, band);
    if (band->shell)
        return band;
    free(band);
    return NULL;
}

static void connect_port(LV2_Handle handle, uint32_t port, void *data) {
    if (port < PORTS)
        ((Band *)handle)->ports[port] = data;
}

static double number(const Band *band, const LV2_Atom *atom, double otherwise) {
    const LV2_Atom_Forge *of = &band->forge;
    return !atom                      ? otherwise
           : atom->type == of->Float  ? ((const LV2_Atom_Float *)atom)->body
           : atom->type == of->Double ? ((const LV2_Atom_Double *)atom)->body
           : atom->type == of->Int    ? ((const LV2_Atom_Int *)atom)->body
           : atom->type == of->Long   ? (double)((const LV2_Atom_Long *)atom)->body
                                      : otherwise;
}

/* What a position does not say goes on as it was. */
static void read_position(Band *band, uint32_t at, const LV2_Atom_Object *object) {
    const LV2_Atom *bar = NULL, *beat = NULL, *unit = NULL, *metre = NULL, *bpm = NULL, *frame = NULL, *speed = NULL;
    lv2_atom_object_get(object, band->urids.time_bar, &bar, band->urids.time_barBeat, &beat, band->urids.time_beatUnit,
                        &unit, band->urids.time_beatsPerBar, &metre, band->urids.time_bpm, &bpm,
                        band->urids.time_frame, &frame, band->urids.time_speed, &speed, 0);
    Transport now = shell_place(band->shell, at);
    now.rolling = number(band, speed, now.rolling ? 1.0 : 0.0) > 0.0;
    now.has_beats = now.has_beats || (bar && beat);
    now.frame = number(band, frame, now.frame);
    now.bar = number(band, bar, now.bar);
    now.beat = number(band, beat, now.beat);
    now.beat_unit = number(band, unit, now.beat_unit);
    now.beats_per_bar = number(band, metre, now.beats_per_bar);
    now.tempo_bpm = number(band, bpm, now.tempo_bpm);
    /* Hosts that count ticks round the beat: in a song of one tempo its place by frames is the exact one. */
    const double told = now.bar * now.beats_per_bar + now.beat;
    const double exact = now.frame / band->rate_hz * now.tempo_bpm / 60.0 * now.beat_unit / 4.0;
    if (fabs(exact - told) < MOST_ROUNDED)
        now.beat = fmax(0.0, now.beat + exact - told);
    shell_transport(band->shell, at, &now);
}

static void read_text(Band *band, const LV2_Atom_Object *object) {
    const LV2_Atom *property = NULL, *value = NULL;
    lv2_atom_object_get(object, band->urids.patch_property, &property, band->urids.patch_value, &value, 0);
    if (!property || property->type != band->forge.URID || !value || !value->size ||
        (value->type != band->forge.Path && value->type != band->forge.String))
        return;
    const char *text = LV2_ATOM_BODY_CONST(value);
    const LV2_URID which = ((const LV2_Atom_URID *)property)->body;
    if (text[value->size - 1] == '\0' && (which == band->urids.preset || which == band->urids.chart))
        shell_set_text(band->shell, which == band->urids.chart ? GM_CHART_TEXT : GM_PRESET_TEXT, text);
}

static void read_events(Band *band, const LV2_Atom_Sequence *events) {
    if (!events)
        return;
    LV2_ATOM_SEQUENCE_FOREACH(events, event) {
        const uint32_t at = event->time.frames > 0 ? (uint32_t)event->time.frames : 0;
        if (event->body.type == band->urids.midi_Event) {
            shell_midi(band->shell, at, LV2_ATOM_BODY(&event->body), event->body.size);
        } else if (lv2_atom_forge_is_object_type(&band->forge, event->body.type)) {
            const LV2_Atom_Object *object = (const LV2_Atom_Object *)&event->body;
            if (object->body.otype == band->urids.time_Position)
                read_position(band, at, object);
            else if (object->body.otype == band->urids.patch_Set)
                read_text(band, object);
            else if (object->body.otype == band->urids.patch_Get)
                band->tell = true;
        }
    }
}

static void tell_text(Band *band, LV2_URID property, int number, LV2_URID type) {
    char text[GM_TEXT_BYTES];
    LV2_Atom_Forge_Frame frame;
    shell_get_text(band->shell, number, text);
    lv2_atom_forge_frame_time(&band->forge, 0);
    lv2_atom_forge_object(&band->forge, &frame, 0, band->urids.patch_Set);
    lv2_atom_forge_key(&band->forge, band->urids.patch_property);
    lv2_atom_forge_urid(&band->forge, property);
    lv2_atom_forge_key(&band->forge, band->urids.patch_value);
    lv2_atom_forge_atom(&band->forge, (uint32_t)strlen(text) + 1, type);
    lv2_atom_forge_write(&band->forge, text, (uint32_t)strlen(text) + 1);
    lv2_atom_forge_pop(&band->forge, &frame);
}

static uint32_t begin_sequence(Band *band, LV2_Atom_Forge_Frame *frame, LV2_Atom_Sequence *events) {
    const uint32_t capacity = events->atom.size;
    lv2_atom_forge_set_buffer(&band->forge, (uint8_t *)events, capacity);
    lv2_atom_forge_sequence_head(&band->forge, frame, 0);
    return capacity;
}

static void write_texts(Band *band, LV2_Atom_Sequence *events) {
    LV2_Atom_Forge_Frame frame;
    if (!events)
        return;
    if (begin_sequence(band, &frame, events) > 2 * GM_TEXT_BYTES + 512 && band->tell) {
        tell_text(band, band->urids.preset, GM_PRESET_TEXT, band->forge.String);
        tell_text(band, band->urids.chart, GM_CHART_TEXT, band->forge.Path);
        band->tell = false;
    }
    lv2_atom_forge_pop(&band->forge, &frame);
}

static void write_midi(Band *band, LV2_Atom_Sequence *events) {
    LV2_Atom_Forge_Frame frame;
    MidiOut message;
    uint32_t last = 0;
    const uint32_t capacity = events ? begin_sequence(band, &frame, events) : 0;
    /* What finds no room waits for the next block: the end of a note must not be lost. */
    while ((!events || capacity > band->forge.offset + 64) && shell_take_midi(band->shell, &message))
        if (events) {
            last = (uint32_t)message.position > last ? (uint32_t)message.position : last; /* in order, as LV2 wants */
            lv2_atom_forge_frame_time(&band->forge, last);
            lv2_atom_forge_atom(&band->forge, message.size, band->urids.midi_Event);
            lv2_atom_forge_write(&band->forge, message.bytes, message.size);
        }
    if (events)
        lv2_atom_forge_pop(&band->forge, &frame);
}

static void put(const Band *band, int port, double value) {
    if (band->ports[port])
        *(float *)band->ports[port] = (float)value;
}

static void run(LV2_Handle handle, uint32_t samples) {
    Band *band = handle;
    const float *offline = band->ports[OFFLINE];
    for (int i = 0; i < GM_PARAMETERS; ++i)
        if (band->ports[PARAMETERS + i])
            shell_parameter(band->shell, i, *(const float *)band->ports[PARAMETERS + i]);
    shell_begin(band->shell, samples, offline && *offline > 0.5f);
    read_events(band, band->ports[CONTROL]);
    read_events(band, band->ports[EVENTS_IN]);
    shell_process(band->shell, (const float *const *)&band->ports[AUDIO_IN], (float *const *)&band->ports[AUDIO_OUT]);
    write_midi(band, band->ports[EVENTS_OUT]);
    write_texts(band, band->ports[NOTIFY]);
    const ShellStatus now = shell_status(band->shell);
    put(band, LATENCY, now.latency_samples);
    put(band, STATE, now.state);
    put(band, TEMPO, now.tempo_bpm);
    put(band, MISSES, now.misses);
}

static void cleanup(LV2_Handle handle) {
    shell_close(((Band *)handle)->shell);
    free(handle);
}

static void free_mapped(const LV2_Feature *const *features, char *mapped) {
    LV2_State_Free_Path *free_path = lv2_features_data(features, LV2_STATE__freePath);
    if (mapped && free_path)
        free_path->free_path(free_path->handle, mapped);
    else
        free(mapped);
}

static LV2_State_Status save(LV2_Handle handle, LV2_State_Store_Function store, LV2_State_Handle state, uint32_t flags,
                             const LV2_Feature *const *features) {
    (void)flags;
    Band *band = handle;
    LV2_State_Map_Path *paths = lv2_features_data(features, LV2_STATE__mapPath);
    char preset[GM_TEXT_BYTES], chart[GM_TEXT_BYTES];
    shell_get_text(band->shell, GM_PRESET_TEXT, preset);
    shell_get_text(band->shell, GM_CHART_TEXT, chart);
    char *mapped = paths && *chart ? paths->abstract_path(paths->handle, chart) : NULL;
    const char *path = mapped ? mapped : chart;
    const uint32_t how = LV2_STATE_IS_POD | LV2_STATE_IS_PORTABLE;
    LV2_State_Status status =
        store(state, band->urids.preset, preset, strlen(preset) + 1, band->forge.String, how);
    if (status == LV2_STATE_SUCCESS && *chart)
        status = store(state, band->urids.chart, path, strlen(path) + 1, band->forge.Path, how);
    free_mapped(features, mapped);
    return status;
}

/* What was stored as such a text; empty where there is none. */
static const char *stored(LV2_State_Retrieve_Function retrieve, LV2_State_Handle state, LV2_URID key, LV2_URID type) {
    size_t size = 0;
    uint32_t found = 0, how = 0;
    const char *text = retrieve(state, key, &size, &found, &how);
    return text && found == type && size && text[size - 1] == '\0' ? text : "";
}

static LV2_State_Status restore(LV2_Handle handle, LV2_State_Retrieve_Function retrieve, LV2_State_Handle state,
                                uint32_t flags, const LV2_Feature *const *features) {
    (void)flags;
    Band *band = handle;
    LV2_State_Map_Path *paths = lv2_features_data(features, LV2_STATE__mapPath);
    const char *chart = stored(retrieve, state, band->urids.chart, band->forge.Path);
    char *mapped = paths && *chart ? paths->absolute_path(paths->handle, chart) : NULL;
    shell_set_text(band->shell, GM_CHART_TEXT, mapped ? mapped : chart);
    shell_set_text(band->shell, GM_PRESET_TEXT, stored(retrieve, state, band->urids.preset, band->forge.String));
    free_mapped(features, mapped);
    band->tell = true;
    return LV2_STATE_SUCCESS;
}

static const void *extension_data(const char *uri) {
    static const LV2_State_Interface state = {save, restore};
    return strcmp(uri, LV2_STATE__interface) == 0 ? &state : NULL;
}

LV2_SYMBOL_EXPORT const LV2_Descriptor *lv2_descriptor(uint32_t index) {
    static const LV2_Descriptor band = {GIGMATE_URI, instantiate, connect_port, NULL, run, NULL, cleanup,
                                        extension_data};
    return index == 0 ? &band : NULL;
}
