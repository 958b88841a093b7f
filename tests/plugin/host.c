/* A small LV2 host for tests: loads the library by itself, no lilv, and does what a script on standard input says.
 *
 *   host LIBRARY RATE OUT.f32 < script
 *
 * Words of a script, one line each:
 *   run N [TIMES]             blocks of N samples; with `pace 1` at the wall clock's pace
 *   set PORT VALUE            a control port, by number
 *   offline 0|1
 *   pos SPEED BAR BEAT BPM METRE FRAME [UNIT]    a time:Position in the next block
 *   midi AT XXYYZZ            in the next block, at that sample
 *   text preset|chart WORDS   a patch:Set in the next block
 *   tell                      a patch:Get in the next block
 *   impulse                   one sample of 0.5 at the beginning of the next block
 *   noise GAIN                the input from now on: white noise, the same each time
 *   mono 0|1                  whether the right input is connected
 *   pace 0|1, sleep MS, save, restore, restart
 *   until STATE SECONDS       blocks of 256 until the state port says so, or the time is over
 *
 * It writes what the eight outputs play, interleaved, and prints: `midi POSITION BYTES`, `text WHICH WORDS`, `log ...`,
 * `latency N`, `slow MICROSECONDS POSITION` for each new slowest block while a clock runs, `kept KEY VALUE`, and at the
 * end `end POSITION STATE MISSES SLOWEST_US`. */
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
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum { IN = 0, OUT = 2, EVENTS_IN = 10, EVENTS_OUT, CONTROL, NOTIFY, OFFLINE, LATENCY, STATE, TEMPO, MISSES, PORTS = 64, MOST = 16384 };

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
static float controls[PORTS], sound_in[2][MOST], sound_out[8][MOST];
static uint64_t events_in[4096], events_out[4096], notify[4096];
static const LV2_Descriptor *plugin;
static LV2_Handle band;
static LV2_Atom_Forge forge;
static LV2_Atom_Forge_Frame sequence;
static FILE *played;
static long position;
static bool paced, impulse;
static double rate, slowest_s, longest_s, begun_s = -1.0, gain, latency = -1.0;
static uint32_t noise = 1;

static double now_s(void) {
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)now.tv_sec + 1e-9 * (double)now.tv_nsec;
}

/* Of this thread alone: what others do with the processor meanwhile is not the plug-in's. */
static double own_s(void) {
    struct timespec now;
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
    return (double)now.tv_sec + 1e-9 * (double)now.tv_nsec;
}

static void begin_events(void) {
    lv2_atom_forge_set_buffer(&forge, (uint8_t *)events_in, sizeof events_in);
    lv2_atom_forge_sequence_head(&forge, &sequence, 0);
}

static void open_band(void) {
    static int32_t block = 256;
    static LV2_Options_Option options[2];
    options[0] = (LV2_Options_Option){LV2_OPTIONS_INSTANCE, 0, map_uri(NULL, LV2_BUF_SIZE__nominalBlockLength),
                                      sizeof block, forge.Int, &block};
    const LV2_Feature features[] = {{LV2_URID__map, &map}, {LV2_LOG__log, &logger}, {LV2_OPTIONS__options, options}};
    const LV2_Feature *list[] = {&features[0], &features[1], &features[2], NULL};
    band = plugin->instantiate(plugin, rate, "", list);
    if (!band) {
        puts("no instance");
        exit(1);
    }
    for (int i = 0; i < PORTS; ++i)
        plugin->connect_port(band, (uint32_t)i, &controls[i]);
    for (int i = 0; i < 2; ++i)
        plugin->connect_port(band, (uint32_t)(IN + i), sound_in[i]);
    for (int i = 0; i < 8; ++i)
        plugin->connect_port(band, (uint32_t)(OUT + i), sound_out[i]);
    plugin->connect_port(band, EVENTS_IN, events_in);
    plugin->connect_port(band, EVENTS_OUT, events_out);
    plugin->connect_port(band, CONTROL, NULL); /* one port takes events of every kind here */
    plugin->connect_port(band, NOTIFY, notify);
    begin_events();
}

static void print_events(const uint64_t *events) {
    const LV2_Atom_Sequence *out = (const LV2_Atom_Sequence *)events;
    LV2_ATOM_SEQUENCE_FOREACH(out, event) {
        const uint8_t *bytes = LV2_ATOM_BODY(&event->body);
        if (event->body.type == map_uri(NULL, LV2_MIDI__MidiEvent)) {
            printf("midi %ld ", position + (long)event->time.frames);
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

static void run(uint32_t count) {
    for (uint32_t i = 0; i < count; ++i) {
        noise = noise * 1664525u + 1013904223u;
        sound_in[0][i] = sound_in[1][i] = (float)(gain * ((double)noise / 2147483648.0 - 1.0));
    }
    if (impulse)
        sound_in[0][0] = sound_in[1][0] = 0.5f;
    impulse = false;
    if (paced) {
        if (begun_s < 0.0 || now_s() > begun_s + (double)(position + count) / rate + 0.25)
            begun_s = now_s() - (double)position / rate;
        const double left_s = begun_s + (double)(position + count) / rate - now_s();
        if (left_s > 0.0)
            nanosleep(&(struct timespec){(time_t)left_s, (long)(1e9 * (left_s - (double)(time_t)left_s))}, NULL);
    }
    lv2_atom_forge_pop(&forge, &sequence);
    memset(events_out, 0, sizeof events_out);
    memset(notify, 0, sizeof notify);
    ((LV2_Atom *)events_out)->size = ((LV2_Atom *)notify)->size = sizeof notify - 64;
    const double before_s = now_s(), own_before_s = own_s();
    plugin->run(band, count);
    const double waited_s = now_s() - before_s, took_s = own_s() - own_before_s;
    if (waited_s > longest_s && controls[OFFLINE] < 0.5f)
        longest_s = waited_s;
    if (took_s > slowest_s && controls[OFFLINE] < 0.5f) {
        slowest_s = took_s;
        printf("slow %.0f %ld\n", 1e6 * took_s, position);
    }
    if (controls[LATENCY] != latency)
        printf("latency %.0f\n", latency = controls[LATENCY]);
    print_events(events_out);
    print_events(notify);
    begin_events();
    for (uint32_t i = 0; i < count; ++i)
        for (int row = 0; row < 8; ++row)
            fwrite(&sound_out[row][i], sizeof(float), 1, played);
    position += count;
}

static void add_position(const char *rest) {
    double speed = 0, bar = 0, beat = 0, bpm = 0, metre = 4, frame = 0, unit = 4;
    LV2_Atom_Forge_Frame object;
    sscanf(rest, "%lf %lf %lf %lf %lf %lf %lf", &speed, &bar, &beat, &bpm, &metre, &frame, &unit);
    lv2_atom_forge_frame_time(&forge, 0);
    lv2_atom_forge_object(&forge, &object, 0, map_uri(NULL, LV2_TIME__Position));
    lv2_atom_forge_key(&forge, map_uri(NULL, LV2_TIME__speed));
    lv2_atom_forge_float(&forge, (float)speed);
    lv2_atom_forge_key(&forge, map_uri(NULL, LV2_TIME__frame));
    lv2_atom_forge_long(&forge, (int64_t)frame);
    lv2_atom_forge_key(&forge, map_uri(NULL, LV2_TIME__bar));
    lv2_atom_forge_long(&forge, (int64_t)bar);
    lv2_atom_forge_key(&forge, map_uri(NULL, LV2_TIME__barBeat));
    lv2_atom_forge_float(&forge, (float)beat);
    lv2_atom_forge_key(&forge, map_uri(NULL, LV2_TIME__beatUnit));
    lv2_atom_forge_int(&forge, (int32_t)unit);
    lv2_atom_forge_key(&forge, map_uri(NULL, LV2_TIME__beatsPerBar));
    lv2_atom_forge_float(&forge, (float)metre);
    lv2_atom_forge_key(&forge, map_uri(NULL, LV2_TIME__beatsPerMinute));
    lv2_atom_forge_float(&forge, (float)bpm);
    lv2_atom_forge_pop(&forge, &object);
}

static void add_text(const char *which, const char *words) {
    LV2_Atom_Forge_Frame object;
    char uri[64];
    snprintf(uri, sizeof uri, "urn:gigmate:band#%s", which);
    lv2_atom_forge_frame_time(&forge, 0);
    lv2_atom_forge_object(&forge, &object, 0, map_uri(NULL, LV2_PATCH__Set));
    lv2_atom_forge_key(&forge, map_uri(NULL, LV2_PATCH__property));
    lv2_atom_forge_urid(&forge, map_uri(NULL, uri));
    lv2_atom_forge_key(&forge, map_uri(NULL, LV2_PATCH__value));
    lv2_atom_forge_path(&forge, words, (uint32_t)strlen(words));
    lv2_atom_forge_pop(&forge, &object);
}

static void add_midi(const char *rest) {
    unsigned at = 0, packed = 0;
    char hex[16] = "";
    uint8_t bytes[3];
    sscanf(rest, "%u %15s", &at, hex);
    const uint32_t size = (uint32_t)strlen(hex) / 2;
    sscanf(hex, "%x", &packed);
    for (uint32_t i = 0; i < size && i < 3; ++i)
        bytes[i] = (uint8_t)(packed >> 8 * (size - 1 - i));
    lv2_atom_forge_frame_time(&forge, at);
    lv2_atom_forge_atom(&forge, size, map_uri(NULL, LV2_MIDI__MidiEvent));
    lv2_atom_forge_write(&forge, bytes, size);
}

static void obey(char *line) {
    char word[32] = "";
    int taken = 0;
    sscanf(line, "%31s %n", word, &taken);
    char *rest = line + taken;
    if (strcmp(word, "run") == 0) {
        unsigned count = 0, times = 1;
        sscanf(rest, "%u %u", &count, &times);
        while (times-- > 0)
            run(count > MOST ? MOST : count);
    } else if (strcmp(word, "set") == 0) {
        int port = 0;
        float value = 0;
        if (sscanf(rest, "%d %f", &port, &value) == 2 && port > MISSES && port < PORTS)
            controls[port] = value;
    } else if (strcmp(word, "offline") == 0) {
        controls[OFFLINE] = (float)atof(rest);
    } else if (strcmp(word, "pos") == 0) {
        add_position(rest);
    } else if (strcmp(word, "midi") == 0) {
        add_midi(rest);
    } else if (strcmp(word, "text") == 0) {
        char which[32] = "";
        sscanf(rest, "%31s %n", which, &taken);
        add_text(which, rest + taken);
    } else if (strcmp(word, "tell") == 0) {
        LV2_Atom_Forge_Frame object;
        lv2_atom_forge_frame_time(&forge, 0);
        lv2_atom_forge_object(&forge, &object, 0, map_uri(NULL, LV2_PATCH__Get));
        lv2_atom_forge_pop(&forge, &object);
    } else if (strcmp(word, "impulse") == 0) {
        impulse = true;
    } else if (strcmp(word, "noise") == 0) {
        gain = atof(rest);
        noise = 1;
    } else if (strcmp(word, "mono") == 0) {
        plugin->connect_port(band, IN + 1, atoi(rest) ? NULL : sound_in[1]);
    } else if (strcmp(word, "pace") == 0) {
        paced = atoi(rest) != 0;
        begun_s = -1.0;
    } else if (strcmp(word, "sleep") == 0) {
        nanosleep(&(struct timespec){atol(rest) / 1000, atol(rest) % 1000 * 1000000}, NULL);
    } else if (strcmp(word, "until") == 0) {
        float state = 0;
        double seconds = 0;
        sscanf(rest, "%f %lf", &state, &seconds);
        const double end_s = now_s() + seconds;
        do {
            run(256);
            nanosleep(&(struct timespec){.tv_nsec = 5000000}, NULL);
        } while (controls[STATE] != state && now_s() < end_s);
        printf("state %.0f\n", controls[STATE]);
    } else if (strcmp(word, "save") == 0 || strcmp(word, "restore") == 0) {
        const LV2_State_Interface *state = plugin->extension_data(LV2_STATE__interface);
        if (word[0] == 's') {
            keeps = 0;
            state->save(band, store, NULL, 0, NULL);
        } else {
            state->restore(band, retrieve, NULL, 0, NULL);
        }
    } else if (strcmp(word, "restart") == 0) {
        plugin->cleanup(band);
        open_band();
    } else if (word[0]) {
        printf("unknown %s\n", word);
    }
    fflush(stdout);
}

int main(int count, char **words) {
    char line[4096];
    if (count != 4)
        return 2;
    void *library = dlopen(words[1], RTLD_NOW | RTLD_LOCAL);
    if (!library) {
        puts(dlerror());
        return 1;
    }
    LV2_Descriptor_Function describe;
    *(void **)&describe = dlsym(library, "lv2_descriptor");
    plugin = describe(0);
    rate = atof(words[2]);
    played = fopen(words[3], "wb");
    lv2_atom_forge_init(&forge, &map);
    open_band();
    while (fgets(line, sizeof line, stdin)) {
        line[strcspn(line, "\n")] = '\0';
        obey(line);
    }
    printf("end %ld %.0f %.0f %.0f %.0f\n", position, controls[STATE], controls[MISSES], 1e6 * slowest_s, 1e6 * longest_s);
    fflush(stdout);
    plugin->cleanup(band);
    fclose(played);
    return 0;
}
