/* A small host for tests, without its plug-in interface: host.c obeys a script, a face (lv2_host.c, clap_host.c) speaks
 * with the plug-in. Instances are played one after another in every block. */
#ifndef GIGMATE_TEST_HOST_H
#define GIGMATE_TEST_HOST_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

enum { IN_ROWS = 2, OUT_ROWS = 8, MOST = 65536, FIRST_PARAMETER = 19, PARAMETERS = 45, MOST_INSTANCES = 4 };

typedef struct {
    float in[IN_ROWS][MOST], out[OUT_ROWS][MOST];
    bool offline, mono;
    double latency, told_latency, misses; /* after a block */
    _Atomic int state;
    long position; /* of the block's first sample */
    void *own;     /* the face's */
} Instance;

typedef struct {
    double speed, bar, beat, bpm, metre, frame, unit;
} Place;

extern double rate_hz;

void face_load(void *library);
void face_open(Instance *one);
void face_close(Instance *one);
void face_set(Instance *one, int parameter, double value); /* and in the next block: */
void face_place(Instance *one, const Place *place);
void face_midi(Instance *one, uint32_t at, const uint8_t *bytes, uint32_t size);
void face_text(Instance *one, const char *which, const char *words);
void face_tell(Instance *one);
void face_before(Instance *one, uint32_t count);
void face_run(Instance *one, uint32_t count); /* the plug-in alone: it is timed */
void face_after(Instance *one);
void face_save(Instance *one);
void face_restore(Instance *one);
void face_spoil(void);

#endif
