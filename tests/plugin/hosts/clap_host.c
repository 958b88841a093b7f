/* The test host's face to CLAP. It keeps the rules that CLAP sets for hosts (a plug-in is activated before it plays,
 * events are in order, latency changes by a restart), and says `broken ...` where the plug-in breaks its own. */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "../../../plugin/source/clap_abi.h"
#include "host.h"

enum { MOST_EVENTS = 512 };

typedef union {
    ClapEvent event;
    ClapValue value;
    ClapMidi midi;
} Event;

typedef struct {
    const ClapPlugin *plugin;
    ClapHost host;
    Instance *one;
    Event events[MOST_EVENTS];
    uint32_t count, ids[PARAMETERS], parameters;
    uint32_t last_out, length;
    ClapTransport transport;
    bool placed, offline, refuses; /* every second block has no room for events */
    _Atomic bool restarts;
} Clap;

static const ClapFactory *factory;
static char state[4096];
static uint64_t state_size, state_read;

static void log_line(const ClapHost *host, int32_t severity, const char *line) {
    Instance *one = ((Clap *)host->data)->one;
    (void)severity;
    if (strstr(line, "the band is ready"))
        one->state = 2;
    else if (strstr(line, "cannot be started"))
        one->state = 4;
    else if (strstr(line, "was ended by") || strstr(line, "ended with"))
        one->state = 0;
    printf("log %s\n", line);
    fflush(stdout);
}

static void latency_changed(const ClapHost *host) {
    (void)host;
    puts("latency changed");
}

static void rescan(const ClapHost *host, uint32_t flags) {
    (void)host;
    printf("rescan %u\n", flags);
}

static const void *extension(const ClapHost *host, const char *id) {
    static const ClapHostLog log = {log_line};
    static const ClapHostLatency latency = {latency_changed};
    static const ClapHostParameters parameters = {rescan};
    (void)host;
    return strcmp(id, CLAP_LOG) == 0          ? (const void *)&log
           : strcmp(id, CLAP_LATENCY) == 0    ? (const void *)&latency
           : strcmp(id, CLAP_PARAMETERS) == 0 ? (const void *)&parameters
                                              : NULL;
}

static void ask_restart(const ClapHost *host) {
    ((Clap *)host->data)->restarts = true;
}

static void ask_nothing(const ClapHost *host) {
    (void)host;
}

void face_load(void *library) {
    const ClapEntry *entry = dlsym(library, "clap_entry");
    if (!entry || entry->clap.major < 1 || !entry->init("") || entry->factory("nothing of the kind"))
        exit(3);
    factory = entry->factory(CLAP_FACTORY);
    if (factory->count(factory) != 1 || factory->describe(factory, 1) ||
        factory->create(factory, &(ClapHost){.clap = {1, 0, 0}}, "other"))
        exit(3);
}

static void check(bool right, const char *what) {
    if (!right)
        printf("broken %s\n", what);
}

static void check_ports(const ClapPlugin *plugin) {
    const ClapAudioPorts *audio = plugin->extension(plugin, CLAP_AUDIO_PORTS);
    const ClapNotePorts *notes = plugin->extension(plugin, CLAP_NOTE_PORTS);
    ClapAudioPort port;
    ClapNotePort note;
    check(audio->count(plugin, true) == 1 && audio->count(plugin, false) == 4, "number of ports");
    for (uint32_t i = 0; i < 4; ++i)
        check(audio->get(plugin, i, false, &port) && port.channels == 2 && port.name[0] &&
                  (port.flags & CLAP_MAIN_PORT) == (i == 0),
              "an audio port");
    check(!audio->get(plugin, 4, false, &port) && !audio->get(plugin, 1, true, &port), "a port that is not there");
    check(notes->get(plugin, 0, true, &note) && note.dialects & CLAP_DIALECT_MIDI, "the note port");
    check(!plugin->extension(plugin, "no.such"), "an extension that is not there");
}

/* Each value that a parameter can have comes back from its text. */
static void check_parameters(Clap *own) {
    const ClapPlugin *plugin = own->plugin;
    const ClapParameters *all = plugin->extension(plugin, CLAP_PARAMETERS);
    ClapParameter one;
    own->parameters = all->count(plugin);
    check(!all->describe(plugin, own->parameters, &one), "a parameter that is not there");
    for (uint32_t i = 0; i < own->parameters; ++i) {
        char text[64], again[64];
        double value = 0.0, back = 0.0;
        check(all->describe(plugin, i, &one) && one.name[0] && one.low < one.high, "a parameter");
        own->ids[i] = one.id;
        check(all->value(plugin, one.id, &value) && value == one.otherwise, "a default");
        const double step = one.flags & CLAP_STEPPED ? 1.0 : (one.high - one.low) / 8;
        for (value = one.low; value <= one.high; value += step)
            check(all->to_text(plugin, one.id, value, text, sizeof text) &&
                      all->from_text(plugin, one.id, text, &back) &&
                      all->to_text(plugin, one.id, back, again, sizeof again) && strcmp(text, again) == 0,
                  one.name);
        check(!all->from_text(plugin, one.id, "what?", &back), "a text that is no value");
    }
    check(!all->value(plugin, 1, &(double){0}), "a number that is no parameter's");
}

static void activate(Clap *own) {
    const ClapPlugin *plugin = own->plugin;
    const ClapLatency *latency = plugin->extension(plugin, CLAP_LATENCY);
    own->restarts = false;
    if (!plugin->activate(plugin, rate_hz, 1, 2048) || !plugin->start(plugin))
        puts("no instance");
    own->one->latency = latency->get(plugin);
}

void face_open(Instance *one) {
    Clap *own = calloc(1, sizeof *own);
    own->host = (ClapHost){{1, 1, 0}, own, "test", "test", "", "1", extension, ask_restart, ask_nothing, ask_nothing};
    own->one = one;
    own->plugin = factory->create(factory, &own->host, factory->describe(factory, 0)->id);
    if (!own->plugin || !own->plugin->init(own->plugin))
        exit(3);
    one->own = own;
    check_ports(own->plugin);
    check_parameters(own);
    activate(own);
}

void face_close(Instance *one) {
    Clap *own = one->own;
    own->plugin->stop(own->plugin);
    own->plugin->deactivate(own->plugin);
    own->plugin->destroy(own->plugin);
    free(own);
}

static Event *add(Clap *own, uint16_t kind, uint32_t size, uint32_t at) {
    Event *event = &own->events[own->count < MOST_EVENTS ? own->count++ : MOST_EVENTS - 1];
    memset(event, 0, sizeof *event);
    event->event = (ClapEvent){size, at, 0, kind, 0};
    return event;
}

void face_set(Instance *one, int parameter, double value) {
    Clap *own = one->own;
    if (parameter >= (int)own->parameters)
        return;
    ClapValue *event = &add(own, CLAP_VALUE, sizeof *event, 0)->value;
    event->parameter = own->ids[parameter];
    event->value = value;
    event->note = event->port = event->channel = event->key = -1;
}

void face_midi(Instance *one, uint32_t at, const uint8_t *bytes, uint32_t size) {
    ClapMidi *event = &add(one->own, CLAP_MIDI, sizeof *event, at)->midi;
    memcpy(event->bytes, bytes, size < 3 ? size : 3);
}

void face_place(Instance *one, const Place *place) {
    Clap *own = one->own;
    const double quarters = place->frame / rate_hz * place->bpm / 60.0;
    own->transport = (ClapTransport){
        .event = {sizeof(ClapTransport), 0, 0, CLAP_TRANSPORT, 0},
        .flags = CLAP_HAS_TEMPO | CLAP_HAS_BEATS | CLAP_HAS_SECONDS | CLAP_HAS_METRE |
                 (place->speed > 0 ? CLAP_PLAYING : 0),
        .beats = (int64_t)(CLAP_FIXED * quarters + 0.5),
        .seconds = (int64_t)(CLAP_FIXED * place->frame / rate_hz + 0.5),
        .tempo_bpm = place->bpm,
        .bar_beats = (int64_t)(CLAP_FIXED * (quarters - place->beat * 4.0 / place->unit) + 0.5),
        .bar = (int32_t)place->bar,
        .metre = (uint16_t)place->metre,
        .unit = (uint16_t)place->unit};
    own->placed = true;
}

/* As hosts do it, each block is told where it stands; nonsense stays as it is. */
static void move_on(Clap *own, uint32_t count) {
    ClapTransport *at = &own->transport;
    const double within = ((double)at->beats - (double)at->bar_beats) / CLAP_FIXED;
    const bool sane = at->metre && at->unit && within >= 0.0 && within < 1e3 && at->tempo_bpm < 1e4 &&
                      at->bar < 1000000 && at->seconds < INT64_MAX / 2;
    if (!(at->flags & CLAP_PLAYING) || !sane)
        return;
    at->seconds += (int64_t)(CLAP_FIXED * count / rate_hz + 0.5);
    at->beats = (int64_t)((double)at->beats + CLAP_FIXED * count / rate_hz * at->tempo_bpm / 60.0 + 0.5);
    const int64_t bar = (int64_t)(CLAP_FIXED * at->metre * 4.0 / at->unit);
    while (at->beats >= at->bar_beats + bar) {
        at->bar_beats += bar;
        at->bar += 1;
    }
}

void face_text(Instance *one, const char *which, const char *words) {
    (void)one, (void)which, (void)words; /* CLAP has no texts */
}

void face_tell(Instance *one) {
    (void)one;
}

static uint32_t count_in(const ClapEventsIn *events) {
    return ((const Clap *)events->data)->count;
}

static const ClapEvent *get_in(const ClapEventsIn *events, uint32_t number) {
    return &((const Clap *)events->data)->events[number].event;
}

static bool push_out(const ClapEventsOut *events, const ClapEvent *event) {
    Clap *own = events->data;
    if (own->refuses) /* as hosts without room do */
        return false;
    check(event->at >= own->last_out, "events out of order");
    own->last_out = event->at;
    if (event->kind == CLAP_VALUE)
        for (uint32_t i = 0; i < own->parameters; ++i)
            if (own->ids[i] == ((const ClapValue *)event)->parameter)
                printf("up %u\n", i);
    if (event->kind == CLAP_MIDI) {
        const uint8_t *bytes = ((const ClapMidi *)event)->bytes;
        printf("midi %ld %02x", own->one->position + (long)event->at, bytes[0]);
        for (int i = 1; i < 3 && bytes[0] < 0xf0; ++i)
            printf("%02x", bytes[i]);
        puts("");
    }
    return true;
}

void face_before(Instance *one, uint32_t count) {
    Clap *own = one->own;
    own->length = count;
    own->last_out = 0;
    own->refuses = !own->refuses;
    if (own->restarts) { /* what the plug-in asked for */
        own->plugin->stop(own->plugin);
        own->plugin->deactivate(own->plugin);
        activate(own);
    }
    const ClapRender *render = own->plugin->extension(own->plugin, CLAP_RENDER);
    if (own->offline != one->offline)
        render->set(own->plugin, one->offline);
    own->offline = one->offline;
    if (one->mono)
        memset(one->in[1], 0, sizeof one->in[1]);
}

void face_run(Instance *one, uint32_t count) {
    Clap *own = one->own;
    float *in[] = {one->in[0], one->in[1]}, *out[OUT_ROWS];
    for (int i = 0; i < OUT_ROWS; ++i)
        out[i] = one->out[i];
    ClapAudio heard = {in, NULL, 2, 0, 0}, buses[OUT_ROWS / 2];
    for (int i = 0; i < OUT_ROWS / 2; ++i)
        buses[i] = (ClapAudio){out + 2 * i, NULL, 2, 0, 3};
    const ClapEventsIn events = {own, count_in, get_in};
    const ClapEventsOut back = {own, push_out};
    const ClapTransport *place = own->placed ? &own->transport : NULL;
    const ClapBlock block = {-1, count, place, &heard, buses, 1, OUT_ROWS / 2, &events, &back};
    check(own->plugin->process(own->plugin, &block) == CLAP_CONTINUE && !buses[0].constant, "process");
}

void face_after(Instance *one) {
    Clap *own = one->own;
    own->count = 0;
    if (own->placed)
        move_on(own, own->length);
}

static int64_t write_state(const ClapSink *sink, const void *from, uint64_t size) {
    const uint64_t part = size < 7 ? size : 7; /* hosts may take little at a time */
    (void)sink;
    memcpy(state + state_size, from, part);
    state_size += part;
    return (int64_t)part;
}

static int64_t read_state(const ClapSource *source, void *into, uint64_t size) {
    const uint64_t left = state_size - state_read, most = left < 5 ? left : 5, part = size < most ? size : most;
    (void)source;
    memcpy(into, state + state_read, part);
    state_read += part;
    return (int64_t)part;
}

void face_save(Instance *one) {
    Clap *own = one->own;
    const ClapState *kept = own->plugin->extension(own->plugin, CLAP_STATE);
    const ClapParameters *all = own->plugin->extension(own->plugin, CLAP_PARAMETERS);
    state_size = 0;
    check(kept->save(own->plugin, &(ClapSink){NULL, write_state}), "saving");
    for (uint32_t i = 0; i < own->parameters; ++i) {
        double value = 0.0;
        all->value(own->plugin, own->ids[i], &value);
        printf("kept %u %g\n", i, value);
    }
}

/* First what is broken, which must be refused; then what was saved. */
void face_restore(Instance *one) {
    Clap *own = one->own;
    const ClapState *kept = own->plugin->extension(own->plugin, CLAP_STATE);
    const ClapSource source = {NULL, read_state};
    const uint64_t whole = state_size;
    for (state_size = 0; state_size < whole; state_size += 13) {
        state_read = 0;
        check(!kept->load(own->plugin, &source), "half a state");
    }
    state_size = whole;
    state[9] ^= 0x7f; /* a count beyond all measure */
    state_read = 0;
    check(!kept->load(own->plugin, &source), "a state with a wrong count");
    state[9] ^= 0x7f;
    state_read = 0;
    check(kept->load(own->plugin, &source), "loading");
}

void face_spoil(void) {} /* face_restore does */
