/* The generator: what is heard and asked for to the tokens of the next frame (model/generator/). */

#ifndef GIGMATE_GENERATOR_H
#define GIGMATE_GENERATOR_H

#include "layers.h"

enum { MOMENT = 38, CHORD = 26, STEERED = 4 };

typedef struct {
    Linear modulate, qkv, out, up, down;
    const float *norm_q, *norm_k;
} TemporalLayer;

typedef struct {
    Linear qkv, out, up, down;
    const float *norm_a, *norm_f, *gain;
} DepthLayer;

typedef struct {
    int count; /* places of a frame */
    Dense start, chord;
    const float *first; /* what the first place adds */
    const float *embed[MAX_PLACES]; /* [entries + 1][size], the place after added; the last place has none */
    DepthLayer layer[MAX_LAYERS];
    const float *norm;
    Linear out[MAX_PLACES];
    int entries[MAX_PLACES];
} Depth;

typedef struct {
    GigmateSizes sizes;
    Head heard_head;
    Block heard_block[2];
    Linear heard_tail;
    const float *heard_gain;
    const float *embed[MAX_PLACES]; /* [entries + 1][size] */
    Dense chord, chord_condition, moment_in, moment_out, condition;
    const float *style, *part, *ahead;
    TemporalLayer layer[MAX_LAYERS];
    const float *norm;
    Depth depth;
} Generator;

/* A layer's memory of each row (part and head): keys and values in int8, each by the largest of its numbers, laid out as
   the weights of a Linear are: keys are the outputs of the product with a query, values that of one with the shares. */
typedef struct {
    int8_t *keys;                             /* [rows][window / 16][head size / 4][16][4] */
    int8_t *values;                           /* [rows][window / 4][head size / 16][16][4] */
    int32_t *key_start, *value_start;         /* [rows][window], [rows][head size]: see Linear */
    float *key_scale, *value_scale;           /* [rows][window] */
} AttentionState;

typedef struct {
    float *heard_past;
    BlockState heard_block[2];
    float *heard; /* [size]: what was made of the newest frame */
    AttentionState layer[MAX_LAYERS];
    int64_t clock; /* frames drawn */
    int32_t *last; /* [parts][places]: tokens of the last frame + 1 */
} GeneratorState;

/* What a frame's draw is bent by: see note_steering.Steer. */
typedef struct {
    const float *pull, *push; /* [parts] */
    const float *bias;        /* [parts][STEERED][slot entries] */
} Steer;

Generator deal_generator(Dealer *dealer, const GigmateSizes *sizes);
GeneratorState take_generator(Memory *memory, const Generator *generator);
void generator_clear(const Generator *generator, GeneratorState *state);
void generator_hear(const Generator *generator, GeneratorState *state, const float *features, Scratch *scratch);
void generator_step(const Generator *generator, GeneratorState *state, const GigmateWanted *wanted, const float *noise,
                    const Steer *steer, int32_t *tokens, Scratch *scratch, float *work);
size_t generator_work(const Generator *generator);

Depth deal_depth(Dealer *dealer, const GigmateSizes *sizes);
size_t depth_work(const Depth *depth, const GigmateSizes *sizes);
/* Tokens [parts][places] for z [parts][size]; last [parts][places] + 1. */
void depth_sample(const Depth *depth, const GigmateSizes *sizes, const float *z, const float *chord,
                  const int32_t *last, const GigmateWanted *wanted, const float *noise, const Steer *steer,
                  int32_t *tokens, Scratch *scratch, float *work);
int sample_token(int count, const float *logits, float noise, float temperature, int top_k, float top_p,
                 uint64_t *room);

#endif
