/* What CLAP 1 (https://cleveraudio.org) lays down between hosts and plug-ins, as far as this plug-in and its tests use
 * it: the order and the types of fields, numbers, names of extensions. CLAP's own header files are in few
 * distributions, so these are declared here, under names of ours; what they mean is said there. Pointers belong to
 * whoever gives them. */
#ifndef GIGMATE_CLAP_ABI_H
#define GIGMATE_CLAP_ABI_H

#include <stdbool.h>
#include <stdint.h>

#define CLAP_FACTORY "clap.plugin-factory"
#define CLAP_AUDIO_PORTS "clap.audio-ports"
#define CLAP_NOTE_PORTS "clap.note-ports"
#define CLAP_PARAMETERS "clap.params"
#define CLAP_STATE "clap.state"
#define CLAP_LATENCY "clap.latency"
#define CLAP_RENDER "clap.render"
#define CLAP_LOG "clap.log"

enum { CLAP_NAME = 256, CLAP_PATH = 1024 }; /* bytes */
#define CLAP_NONE UINT32_MAX                /* where a number is asked for, and there is none */
#define CLAP_FIXED 2147483648.0             /* beats and seconds are 64 bits, 31 of them behind the point */

enum { CLAP_NOTE_ON = 0, CLAP_NOTE_OFF = 1, CLAP_VALUE = 5, CLAP_TRANSPORT = 9, CLAP_MIDI = 10 }; /* events */
enum { CLAP_ERROR = 0, CLAP_CONTINUE = 1 };                                                     /* of process */
enum { CLAP_MAIN_PORT = 1 << 0 };
enum { CLAP_DIALECT_CLAP = 1 << 0, CLAP_DIALECT_MIDI = 1 << 1 };
enum { CLAP_STEPPED = 1 << 0, CLAP_AUTOMATABLE = 1 << 5, CLAP_ENUM = 1 << 16 };
enum { CLAP_RESCAN_VALUES = 1 << 0 };
enum { CLAP_LOG_INFO = 1, CLAP_LOG_ERROR = 3 };
enum { /* what a transport says */
    CLAP_HAS_TEMPO = 1 << 0,
    CLAP_HAS_BEATS = 1 << 1,
    CLAP_HAS_SECONDS = 1 << 2,
    CLAP_HAS_METRE = 1 << 3,
    CLAP_PLAYING = 1 << 4
};

typedef struct {
    uint32_t major, minor, revision;
} ClapVersion;
#define CLAP_VERSION_HERE {1, 1, 0}

typedef struct ClapHost {
    ClapVersion clap;
    void *data;
    const char *name, *vendor, *url, *version;
    const void *(*extension)(const struct ClapHost *host, const char *id);
    void (*restart)(const struct ClapHost *host);
    void (*go_on)(const struct ClapHost *host);
    void (*call_back)(const struct ClapHost *host);
} ClapHost;

/* ------------------------------------------------------------------------------------------------- the events */

typedef struct {
    uint32_t size, at;
    uint16_t space, kind; /* space 0 for all here */
    uint32_t flags;
} ClapEvent;

typedef struct {
    ClapEvent event;
    int32_t note;
    int16_t port, channel, key;
    double velocity;
} ClapNote;

typedef struct {
    ClapEvent event;
    uint32_t parameter;
    void *cookie;
    int32_t note;
    int16_t port, channel, key;
    double value;
} ClapValue;

typedef struct {
    ClapEvent event;
    uint32_t flags;
    int64_t beats, seconds;
    double tempo_bpm, tempo_step;
    int64_t loop_beats[2], loop_seconds[2];
    int64_t bar_beats; /* where the bar begins; beats are quarter notes */
    int32_t bar;
    uint16_t metre, unit;
} ClapTransport;

typedef struct {
    ClapEvent event;
    uint16_t port;
    uint8_t bytes[3];
} ClapMidi;

typedef struct ClapEventsIn {
    void *data;
    uint32_t (*count)(const struct ClapEventsIn *events);
    const ClapEvent *(*get)(const struct ClapEventsIn *events, uint32_t number);
} ClapEventsIn;

typedef struct ClapEventsOut {
    void *data;
    bool (*push)(const struct ClapEventsOut *events, const ClapEvent *event);
} ClapEventsOut;

/* --------------------------------------------------------------------------------------------------- the block */

typedef struct {
    float **floats;
    double **doubles;
    uint32_t channels, latency;
    uint64_t constant;
} ClapAudio;

typedef struct {
    int64_t steady;
    uint32_t samples;
    const ClapTransport *transport; /* at the first sample; NULL: there is none */
    const ClapAudio *in;
    ClapAudio *out;
    uint32_t ins, outs;
    const ClapEventsIn *events_in;
    const ClapEventsOut *events_out;
} ClapBlock;

/* ------------------------------------------------------------------------------------------------- the plug-in */

typedef struct {
    ClapVersion clap;
    const char *id, *name, *vendor, *url, *manual_url, *support_url, *version, *description;
    const char *const *features;
} ClapDescriptor;

typedef struct ClapPlugin {
    const ClapDescriptor *descriptor;
    void *data;
    bool (*init)(const struct ClapPlugin *plugin);
    void (*destroy)(const struct ClapPlugin *plugin);
    bool (*activate)(const struct ClapPlugin *plugin, double rate_hz, uint32_t shortest, uint32_t longest);
    void (*deactivate)(const struct ClapPlugin *plugin);
    bool (*start)(const struct ClapPlugin *plugin);
    void (*stop)(const struct ClapPlugin *plugin);
    void (*reset)(const struct ClapPlugin *plugin);
    int32_t (*process)(const struct ClapPlugin *plugin, const ClapBlock *block);
    const void *(*extension)(const struct ClapPlugin *plugin, const char *id);
    void (*called_back)(const struct ClapPlugin *plugin);
} ClapPlugin;

typedef struct ClapFactory {
    uint32_t (*count)(const struct ClapFactory *factory);
    const ClapDescriptor *(*describe)(const struct ClapFactory *factory, uint32_t number);
    const ClapPlugin *(*create)(const struct ClapFactory *factory, const ClapHost *host, const char *id);
} ClapFactory;

typedef struct {
    ClapVersion clap;
    bool (*init)(const char *path);
    void (*deinit)(void);
    const void *(*factory)(const char *id);
} ClapEntry; /* the library's symbol clap_entry */

/* ---------------------------------------------------------------------------------------------- the extensions */

typedef struct {
    uint32_t id;
    char name[CLAP_NAME];
    uint32_t flags, channels;
    const char *kind;
    uint32_t in_place_with;
} ClapAudioPort;

typedef struct {
    uint32_t (*count)(const ClapPlugin *plugin, bool in);
    bool (*get)(const ClapPlugin *plugin, uint32_t number, bool in, ClapAudioPort *port);
} ClapAudioPorts;

typedef struct {
    uint32_t id, dialects, preferred;
    char name[CLAP_NAME];
} ClapNotePort;

typedef struct {
    uint32_t (*count)(const ClapPlugin *plugin, bool in);
    bool (*get)(const ClapPlugin *plugin, uint32_t number, bool in, ClapNotePort *port);
} ClapNotePorts;

typedef struct {
    uint32_t id, flags;
    void *cookie;
    char name[CLAP_NAME], module[CLAP_PATH];
    double low, high, otherwise;
} ClapParameter;

typedef struct {
    uint32_t (*count)(const ClapPlugin *plugin);
    bool (*describe)(const ClapPlugin *plugin, uint32_t number, ClapParameter *parameter);
    bool (*value)(const ClapPlugin *plugin, uint32_t id, double *value);
    bool (*to_text)(const ClapPlugin *plugin, uint32_t id, double value, char *text, uint32_t size);
    bool (*from_text)(const ClapPlugin *plugin, uint32_t id, const char *text, double *value);
    void (*flush)(const ClapPlugin *plugin, const ClapEventsIn *in, const ClapEventsOut *out);
} ClapParameters;

typedef struct ClapSource {
    void *data;
    int64_t (*read)(const struct ClapSource *source, void *into, uint64_t size); /* 0: the end, below: an error */
} ClapSource;

typedef struct ClapSink {
    void *data;
    int64_t (*write)(const struct ClapSink *sink, const void *from, uint64_t size);
} ClapSink;

typedef struct {
    bool (*save)(const ClapPlugin *plugin, const ClapSink *sink);
    bool (*load)(const ClapPlugin *plugin, const ClapSource *source);
} ClapState;

typedef struct {
    uint32_t (*get)(const ClapPlugin *plugin);
} ClapLatency;

typedef struct {
    bool (*needs_clock)(const ClapPlugin *plugin);
    bool (*set)(const ClapPlugin *plugin, int32_t offline);
} ClapRender;

typedef struct {
    void (*log)(const ClapHost *host, int32_t severity, const char *line);
} ClapHostLog;

typedef struct {
    void (*changed)(const ClapHost *host);
} ClapHostLatency;

typedef struct {
    void (*rescan)(const ClapHost *host, uint32_t flags);
} ClapHostParameters;

#endif
