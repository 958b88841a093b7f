#include "layers.h"

#include <string.h>

const void *deal(Dealer *dealer, int64_t count, int64_t bytes) {
    static const char nothing[64] = {0};
    if (dealer->failed) return nothing;
    const GigmateArray *array = dealer->arrays + dealer->next;
    if (dealer->next >= dealer->count || array->count != count || array->bytes != bytes) {
        dealer->failed = 1;
        dealer->wanted = count;
        return nothing;
    }
    dealer->next++;
    return array->data;
}

const float *deal_floats(Dealer *dealer, int64_t count) { return (const float *)deal(dealer, count, sizeof(float)); }

Linear deal_linear(Dealer *dealer, int in, int out) {
    Linear of = {.in = in, .out = out, .groups = (in + 3) / 4, .blocks = (out + LANES - 1) / LANES};
    const int64_t padded = (int64_t)of.blocks * LANES;
    of.weight = (const int8_t *)deal(dealer, padded * of.groups * 4, 1);
    of.start = (const int32_t *)deal(dealer, padded, 4);
    of.scale = deal_floats(dealer, padded);
    of.bias = deal_floats(dealer, padded);
    return of;
}

Dense deal_dense(Dealer *dealer, int in, int out) {
    Dense of = {.in = in, .out = out, .blocks = (out + LANES - 1) / LANES};
    const int64_t padded = (int64_t)of.blocks * LANES;
    of.weight = deal_floats(dealer, padded * in);
    of.bias = deal_floats(dealer, padded);
    return of;
}

void *take(Memory *memory, size_t bytes) {
    void *piece = memory->base ? memory->base + memory->used : NULL;
    memory->used += (bytes + 63) / 64 * 64;
    return piece;
}

Block deal_block(Dealer *dealer, int channels, int kernel, int dilation, int expand) {
    Block block = {.channels = channels, .kernel = kernel, .dilation = dilation, .hidden = expand * channels,
                   .span = (kernel - 1) * dilation + 1};
    block.taps = deal_floats(dealer, (int64_t)kernel * channels);
    block.tap_bias = deal_floats(dealer, channels);
    block.norm_weight = deal_floats(dealer, channels);
    block.norm_bias = deal_floats(dealer, channels);
    block.up = deal_linear(dealer, channels, block.hidden);
    block.down = deal_linear(dealer, block.hidden, channels);
    block.gain = deal_floats(dealer, channels);
    return block;
}

BlockState take_block(Memory *memory, const Block *block, int batch) {
    BlockState state = {take_floats(memory, (size_t)batch * block->span * block->channels), 0};
    return state;
}

void block_clear(const Block *block, BlockState *state, int batch) {
    memset(state->ring, 0, (size_t)batch * block->span * block->channels * sizeof(float));
    state->at = 0;
}

static void by_channel(const Block *block, const float *ring, int at, float *y) {
    const int channels = block->channels;
    memcpy(y, block->tap_bias, (size_t)channels * sizeof(float));
    for (int k = 0; k < block->kernel; k++) {
        /* the slot after the newest is the oldest */
        const float *row = ring + (size_t)((at + 1 + k * block->dilation) % block->span) * channels;
        const float *tap = block->taps + (size_t)k * channels;
        for (int c = 0; c < channels; c++) y[c] += tap[c] * row[c];
    }
}

void block_step(const Block *block, BlockState *state, int batch, int steps, float *x, Scratch *scratch) {
    const int channels = block->channels, rows = batch * steps;
    for (int step = 0; step < steps; step++) {
        for (int stream = 0; stream < batch; stream++) {
            float *ring = state->ring + (size_t)stream * block->span * channels;
            const size_t row = (size_t)stream * steps + step;
            memcpy(ring + (size_t)state->at * channels, x + row * channels, (size_t)channels * sizeof(float));
            by_channel(block, ring, state->at, scratch->hidden);
            layer_norm(channels, scratch->hidden, block->norm_weight, block->norm_bias,
                       scratch->normed + row * channels);
        }
        state->at = (state->at + 1) % block->span;
    }
    linear(&block->up, rows, scratch->normed, channels, scratch->hidden, block->hidden, &scratch->rounded);
    gelu(rows * block->hidden, scratch->hidden);
    linear(&block->down, rows, scratch->hidden, block->hidden, scratch->normed, channels, &scratch->rounded);
    for (int row = 0; row < rows; row++)
        for (int c = 0; c < channels; c++)
            x[(size_t)row * channels + c] += block->gain[c] * scratch->normed[(size_t)row * channels + c];
}

Head deal_head(Dealer *dealer, int channels, int out, int kernel) {
    Head head = {channels, kernel, deal_dense(dealer, kernel * channels, out)};
    return head;
}

float *take_head(Memory *memory, const Head *head, int batch) {
    return take_floats(memory, (size_t)batch * head->kernel * head->channels);
}

void head_clear(const Head *head, float *past, int batch) {
    memset(past, 0, (size_t)batch * head->kernel * head->channels * sizeof(float));
}

void head_step(const Head *head, float *past, int batch, const float *x, float *y) {
    const size_t row = (size_t)head->kernel * head->channels, kept = row - (size_t)head->channels;
    for (int stream = 0; stream < batch; stream++) {
        float *own = past + stream * row;
        memmove(own, own + head->channels, kept * sizeof(float));
        memcpy(own + kept, x + (size_t)stream * head->channels, (size_t)head->channels * sizeof(float));
    }
    dense(&head->map, batch, past, (int)row, y, head->map.out);
}
