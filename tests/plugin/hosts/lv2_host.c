/* The test host's face to LV2: loads the library by itself, no lilv. */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <lv2/atom/forge.h>
#include <lv2/atom/util.h>
#include <lv2/buf-size/buf-size.h>
#include <lv2/core/lv2.h>
#include <lv2/log/log.h>
#include <lv2/midi/midi.h>
#include <lv2/options/options.h>
#include <lv2/patch/patch.h>
#include <lv2/state/state.h>
#include <lv2/time/time.h>
#include <lv2/urid/urid.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "host.h"

enum { IN = 0, OUT = 2, EVENTS_IN = 10, EVENTS_OUT, CONTROL, NOTIFY, OFFLINE, LATENCY, STATE, TEMPO, MISSES };
enum { PORTS = FIRST_PARAMETER + PARAMETERS };

static char *names[1024];
static int named;
static pthread_mutex_t naming = PTHREAD_MUTEX_INITIALIZER;

static LV2_URID map_uri(LV2_URID_Map_Handle handle, const char *uri) {
    (void)handle;
    pthread_mutex_lock(&naming);
    int i = 0;
    while (i < named && strcmp(names[i], uri) != 0)
        ++i;
    if (i == named)
        names[named++] = strdup(uri);
    pthread_mutex_unlock(&naming);
    return (LV2_URID)i + 1;
}

static int write_log(LV2_Log_Handle handle, LV2_URID type, const char *format, va_list arguments) {
    char line[2048];
    (void)handle, (void)type;
    const int count = vsnprintf(line, sizeof line, format, arguments);
    printf("log %s", line);
    fflush(stdout);
    return count;
}

static int print_log(LV2_Log_Handle handle, LV2_URID type, const char *format, ...) {
    va_list arguments;
    va_start(arguments, format);
    const int count = write_log(handle, type, format, arguments);
    va_end(arguments);
    return count;
}

static struct {
    char key[64], value[2048];
    size_t size;
    uint32_t type;
} kept[16];
static int keeps;

static LV2_State_Status store(LV2_State_Handle handle, uint32_t key, const void *value, size_t size, uint32_t type,
                              uint32_t flags) {
    (void)handle, (void)flags;
    snprintf(kept[keeps].key, sizeof kept->key, "%s", names[key - 1]);
    memcpy(kept[keeps].value, value, size);
    kept[keeps].size = size;
    kept[keeps].type = type;
    printf("kept %s %s\n", kept[keeps].key, kept[keeps].value);
    ++keeps;
    return LV2_STATE_SUCCESS;
}

static const void *retrieve(LV2_State_Handle handle, uint32_t key, size_t *size, uint32_t *type, uint32_t *flags) {
    (void)handle;
    for (int i = 0; i < keeps; ++i)
        if (strcmp(kept[i].key, names[key - 1]) == 0) {
            *size = kept[i].size;
            *type = kept[i].type;
            *flags = LV2_STATE_IS_POD;
            return kept[i].value;
        }
    return NULL;
}

static LV2_URID_Map map = {NULL, map_uri};
static LV2_Log_Log logger = {NULL, print_log, write_log};
static const LV2_Descriptor *plugin;
static LV2_Atom_Forge forge;

typedef struct {
    LV2_Handle band;
    float controls[PORTS];
    uint64_t events_in[4096], events_out[4096], notify[4096];
    LV2_Atom_Forge forge;
    LV2_Atom_Forge_Frame sequence;
} Lv2;

static void begin_events(Lv2 *own) {
    lv2_atom_forge_init(&own->forge, &map);
    lv2_atom_forge_set_buffer(&own->forge, (uint8_t *)own->events_in, sizeof own->events_in);
    lv2_atom_forge_sequence_head(&own->forge, &own->sequence, 0);
}

void face_load(void *library) {
    LV2_Descriptor_Function describe;
    *(void **)&describe = dlsym(library, "lv2_descriptor");
    plugin = describe(0);
    lv2_atom_forge_init(&forge, &map);
}

void face_open(Instance *one) {
    static int32_t block = 256;
    static LV2_Options_Option options[2];
    options[0] = (LV2_Options_Option){LV2_OPTIONS_INSTANCE, 0, map_uri(NULL, LV2_BUF_SIZE__nominalBlockLength),
                                      sizeof block, forge.Int, &block};
    const LV2_Feature features[] = {{LV2_URID__map, &map}, {LV2_LOG__log, &logger}, {LV2_OPTIONS__options, options}};
    const LV2_Feature *list[] = {&features[0], &features[1], &features[2], NULL};
    Lv2 *own = one->own ? one->own : calloc(1, sizeof *own); /* controls outlive a restart */
    one->own = own;
    own->band = plugin->instantiate(plugin, rate_hz, "", list);
    if (!own->band) {
        puts("no instance");
        exit(1);
    }
    for (uint32_t i = 0; i < PORTS; ++i)
        plugin->connect_port(own->band, i, &own->controls[i]);
    for (uint32_t i = 0; i < OUT_ROWS; ++i)
        plugin->connect_port(own->band, OUT + i, one->out[i]);
    plugin->connect_port(own->band, EVENTS_IN, own->events_in);
    plugin->connect_port(own->band, EVENTS_OUT, own->events_out);
    plugin->connect_port(own->band, CONTROL, NULL); /* one port takes events of every kind here */
    plugin->connect_port(own->band, NOTIFY, own->notify);
    begin_events(own);
}

void face_close(Instance *one) {
    plugin->cleanup(((Lv2 *)one->own)->band);
}

void face_set(Instance *one, int parameter, double value) {
    if (parameter < PARAMETERS)
        ((Lv2 *)one->own)->controls[FIRST_PARAMETER + parameter] = (float)value;
}

static void print_events(const Instance *one, const uint64_t *events) {
    const LV2_Atom_Sequence *out = (const LV2_Atom_Sequence *)events;
    LV2_ATOM_SEQUENCE_FOREACH(out, event) {
        const uint8_t *bytes = LV2_ATOM_BODY(&event->body);
        if (event->body.type == map_uri(NULL, LV2_MIDI__MidiEvent)) {
            printf("midi %ld ", one->position + (long)event->time.frames);
            for (uint32_t i = 0; i < event->body.size; ++i)
                printf("%02x", bytes[i]);
            puts("");
        } else {
            const LV2_Atom *which = NULL, *value = NULL;
            lv2_atom_object_get((const LV2_Atom_Object *)&event->body, map_uri(NULL, LV2_PATCH__property), &which,
                                map_uri(NULL, LV2_PATCH__value), &value, 0);
            printf("text %s %s\n", names[((const LV2_Atom_URID *)which)->body - 1],
                   (const char *)LV2_ATOM_BODY_CONST(value));
        }
    }
}

void face_before(Instance *one, uint32_t count) {
    Lv2 *own = one->own;
    (void)count;
    for (uint32_t i = 0; i < IN_ROWS; ++i)
        plugin->connect_port(own->band, IN + i, i == 1 && one->mono ? NULL : one->in[i]);
    lv2_atom_forge_pop(&own->forge, &own->sequence);
    memset(own->events_out, 0, sizeof own->events_out);
    memset(own->notify, 0, sizeof own->notify);
    ((LV2_Atom *)own->events_out)->size = ((LV2_Atom *)own->notify)->size = sizeof own->notify - 64;
    own->controls[OFFLINE] = one->offline;
}

void face_run(Instance *one, uint32_t count) {
    plugin->run(((Lv2 *)one->own)->band, count);
}

void face_after(Instance *one) {
    Lv2 *own = one->own;
    one->latency = own->controls[LATENCY];
    one->state = (int)own->controls[STATE];
    one->misses = own->controls[MISSES];
    print_events(one, own->events_out);
    print_events(one, own->notify);
    begin_events(own);
}

void face_place(Instance *one, const Place *place) {
    LV2_Atom_Forge *into = &((Lv2 *)one->own)->forge;
    LV2_Atom_Forge_Frame object;
    lv2_atom_forge_frame_time(into, 0);
    lv2_atom_forge_object(into, &object, 0, map_uri(NULL, LV2_TIME__Position));
    lv2_atom_forge_key(into, map_uri(NULL, LV2_TIME__speed));
    lv2_atom_forge_float(into, (float)place->speed);
    lv2_atom_forge_key(into, map_uri(NULL, LV2_TIME__frame));
    lv2_atom_forge_long(into, (int64_t)place->frame);
    lv2_atom_forge_key(into, map_uri(NULL, LV2_TIME__bar));
    lv2_atom_forge_long(into, (int64_t)place->bar);
    lv2_atom_forge_key(into, map_uri(NULL, LV2_TIME__barBeat));
    lv2_atom_forge_float(into, (float)place->beat);
    lv2_atom_forge_key(into, map_uri(NULL, LV2_TIME__beatUnit));
    lv2_atom_forge_int(into, (int32_t)place->unit);
    lv2_atom_forge_key(into, map_uri(NULL, LV2_TIME__beatsPerBar));
    lv2_atom_forge_float(into, (float)place->metre);
    lv2_atom_forge_key(into, map_uri(NULL, LV2_TIME__beatsPerMinute));
    lv2_atom_forge_float(into, (float)place->bpm);
    lv2_atom_forge_pop(into, &object);
}

void face_text(Instance *one, const char *which, const char *words) {
    LV2_Atom_Forge *into = &((Lv2 *)one->own)->forge;
    LV2_Atom_Forge_Frame object;
    char uri[64];
    snprintf(uri, sizeof uri, "urn:gigmate:band#%s", which);
    lv2_atom_forge_frame_time(into, 0);
    lv2_atom_forge_object(into, &object, 0, map_uri(NULL, LV2_PATCH__Set));
    lv2_atom_forge_key(into, map_uri(NULL, LV2_PATCH__property));
    lv2_atom_forge_urid(into, map_uri(NULL, uri));
    lv2_atom_forge_key(into, map_uri(NULL, LV2_PATCH__value));
    lv2_atom_forge_path(into, words, (uint32_t)strlen(words));
    lv2_atom_forge_pop(into, &object);
}

void face_midi(Instance *one, uint32_t at, const uint8_t *bytes, uint32_t size) {
    LV2_Atom_Forge *into = &((Lv2 *)one->own)->forge;
    lv2_atom_forge_frame_time(into, at);
    lv2_atom_forge_atom(into, size, map_uri(NULL, LV2_MIDI__MidiEvent));
    lv2_atom_forge_write(into, bytes, size);
}

void face_tell(Instance *one) {
    LV2_Atom_Forge *into = &((Lv2 *)one->own)->forge;
    LV2_Atom_Forge_Frame object;
    lv2_atom_forge_frame_time(into, 0);
    lv2_atom_forge_object(into, &object, 0, map_uri(NULL, LV2_PATCH__Get));
    lv2_atom_forge_pop(into, &object);
}

static const LV2_State_Interface *state_of_plugin(void) {
    return plugin->extension_data(LV2_STATE__interface);
}

void face_save(Instance *one) {
    keeps = 0;
    state_of_plugin()->save(((Lv2 *)one->own)->band, store, NULL, 0, NULL);
}

void face_restore(Instance *one) {
    state_of_plugin()->restore(((Lv2 *)one->own)->band, retrieve, NULL, 0, NULL);
}

void face_spoil(void) {
    for (int i = 0; i < keeps; ++i)
        --kept[i].size;
}
