/* What several networks are built of, and the hands that deal out weights and memory to them. */

#ifndef GIGMATE_LAYERS_H
#define GIGMATE_LAYERS_H

#include "kernels.h"

/* Deals out the arrays in order; the first that does not fit is remembered and everything after it is empty. */
typedef struct {
    const GigmateArray *arrays;
    int count, next, failed;
    int64_t wanted; /* what was asked for where it failed */
} Dealer;

const void *deal(Dealer *dealer, int64_t count, int64_t bytes);
const float *deal_floats(Dealer *dealer, int64_t count);
Linear deal_linear(Dealer *dealer, int in, int out);
Dense deal_dense(Dealer *dealer, int in, int out);

/* Hands out pieces of one block of memory; with no block it only counts. */
typedef struct {
    char *base;
    size_t used;
} Memory;

void *take(Memory *memory, size_t bytes);
static inline float *take_floats(Memory *memory, size_t count) { return (float *)take(memory, count * sizeof(float)); }

/* Room for one step's numbers; its contents mean nothing between calls. */
typedef struct {
    Rounded rounded;
    float *normed, *hidden, *wide;
} Scratch;

/* A residual block: convolution by channel, norm, up, gelu, down (layers.ConvBlock). */
typedef struct {
    int channels, kernel, dilation, hidden, span; /* span: steps that a convolution reaches over */
    const float *taps, *tap_bias, *norm_weight, *norm_bias, *gain;
    Linear up, down;
} Block;

typedef struct {
    float *ring; /* [batch][span][channels] */
    int at;
} BlockState;

Block deal_block(Dealer *dealer, int channels, int kernel, int dilation, int expand);
BlockState take_block(Memory *memory, const Block *block, int batch);
void block_clear(const Block *block, BlockState *state, int batch);
/* x [batch * steps][channels] in place, streams one after the other. */
void block_step(const Block *block, BlockState *state, int batch, int steps, float *x, Scratch *scratch);

/* A dense convolution over the last `kernel` steps of each stream (layers.CausalConv). */
typedef struct {
    int channels, kernel;
    Dense map; /* of [kernel][channels], oldest first */
} Head;

Head deal_head(Dealer *dealer, int channels, int out, int kernel);
float *take_head(Memory *memory, const Head *head, int batch);
void head_clear(const Head *head, float *past, int batch);
/* One step of each stream: x [batch][channels] to y [batch][out]. */
void head_step(const Head *head, float *past, int batch, const float *x, float *y);

#endif
