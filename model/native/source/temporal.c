#include "generator.h"

#include <math.h>
#include <string.h>

#define TURN 6.283185307179586

static TemporalLayer deal_layer(Dealer *dealer, const GigmateSizes *s) {
    TemporalLayer layer;
    layer.modulate = deal_linear(dealer, s->condition, 6 * s->size);
    layer.qkv = deal_linear(dealer, s->size, 3 * s->size);
    layer.norm_q = deal_floats(dealer, s->size / s->heads);
    layer.norm_k = deal_floats(dealer, s->size / s->heads);
    layer.out = deal_linear(dealer, s->size, s->size);
    layer.up = deal_linear(dealer, s->size, 2 * s->hidden);
    layer.down = deal_linear(dealer, s->hidden, s->size);
    return layer;
}

Generator deal_generator(Dealer *dealer, const GigmateSizes *s) {
    Generator g = {.sizes = *s};
    g.heard_head = deal_head(dealer, s->heard_size, s->heard_channels, 3);
    for (int i = 0; i < 2; i++) g.heard_block[i] = deal_block(dealer, s->heard_channels, 5, 1 + i, 2);
    g.heard_tail = deal_linear(dealer, s->heard_channels, s->size);
    g.heard_gain = deal_floats(dealer, s->size);
    for (int place = 0; place < s->slots + s->codebooks; place++) {
        const int entries = place < s->slots ? s->slot_entries : s->entries;
        g.embed[place] = deal_floats(dealer, (int64_t)(entries + 1) * s->size);
    }
    g.chord = deal_dense(dealer, CHORD, s->size);
    g.chord_condition = deal_dense(dealer, CHORD, s->condition);
    g.style = deal_floats(dealer, (int64_t)(s->styles + 1) * s->condition);
    g.part = deal_floats(dealer, (int64_t)s->parts * s->condition);
    g.ahead = deal_floats(dealer, (int64_t)s->ahead_entries * s->condition);
    g.moment_in = deal_dense(dealer, MOMENT + 1, 2 * s->condition);
    g.moment_out = deal_dense(dealer, 2 * s->condition, s->condition);
    g.condition = deal_dense(dealer, s->condition, s->condition);
    for (int i = 0; i < s->layers; i++) g.layer[i] = deal_layer(dealer, s);
    g.norm = deal_floats(dealer, s->size);
    g.depth = deal_depth(dealer, s);
    return g;
}

static size_t padded(size_t count, size_t to) { return (count + to - 1) / to * to; }

GeneratorState take_generator(Memory *memory, const Generator *g) {
    const GigmateSizes *s = &g->sizes;
    GeneratorState state = {0};
    state.heard_past = take_head(memory, &g->heard_head, 1);
    for (int i = 0; i < 2; i++) state.heard_block[i] = take_block(memory, &g->heard_block[i], 1);
    state.heard = take_floats(memory, s->size);
    const size_t rows = (size_t)s->parts * s->heads, keys = padded(s->window, LANES), head = s->size / s->heads;
    for (int i = 0; i < s->layers; i++) {
        AttentionState *layer = &state.layer[i];
        layer->keys = (int8_t *)take(memory, rows * keys * padded(head, 4));
        layer->values = (int8_t *)take(memory, rows * keys * padded(head, LANES));
        layer->key_start = (int32_t *)take(memory, rows * keys * sizeof(int32_t));
        layer->value_start = (int32_t *)take(memory, rows * padded(head, LANES) * sizeof(int32_t));
        layer->key_scale = take_floats(memory, rows * keys);
        layer->value_scale = take_floats(memory, rows * keys);
    }
    state.last = (int32_t *)take(memory, (size_t)s->parts * (s->slots + s->codebooks) * sizeof(int32_t));
    return state;
}

void generator_clear(const Generator *g, GeneratorState *state) {
    const GigmateSizes *s = &g->sizes;
    head_clear(&g->heard_head, state->heard_past, 1);
    for (int i = 0; i < 2; i++) block_clear(&g->heard_block[i], &state->heard_block[i], 1);
    memset(state->last, 0, (size_t)s->parts * (s->slots + s->codebooks) * sizeof(int32_t));
    const size_t rows = (size_t)s->parts * s->heads, keys = padded(s->window, LANES), head = s->size / s->heads;
    for (int i = 0; i < s->layers; i++) { /* values that were not written yet are met with a share of nothing */
        memset(state->layer[i].values, 0, rows * keys * padded(head, LANES));
        memset(state->layer[i].value_start, 0, rows * padded(head, LANES) * sizeof(int32_t));
    }
    state->clock = 0;
}

void generator_hear(const Generator *g, GeneratorState *state, const float *features, Scratch *scratch) {
    float x[1024];
    head_step(&g->heard_head, state->heard_past, 1, features, x);
    for (int i = 0; i < 2; i++) block_step(&g->heard_block[i], &state->heard_block[i], 1, 1, x, scratch);
    linear(&g->heard_tail, 1, x, g->heard_head.map.out, state->heard, g->sizes.size, &scratch->rounded);
}

/* conditioning.moment_features and the density. */
static void moment_features(const GigmateWanted *w, float frame_rate_hz, float *out) {
    static const float beat_harmonics[6] = {1, 2, 3, 4, 6, 8}, few[4] = {1, 2, 3, 4};
    static const float metres[6] = {2, 3, 4, 5, 6, 12};
    for (int i = 0; i < 6; i++) {
        out[i] = (float)sin(TURN * w->beat_phase * beat_harmonics[i]);
        out[6 + i] = (float)cos(TURN * w->beat_phase * beat_harmonics[i]);
    }
    for (int i = 0; i < 4; i++) {
        out[12 + i] = (float)sin(TURN * w->bar_phase * few[i]);
        out[16 + i] = (float)cos(TURN * w->bar_phase * few[i]);
        const float position = w->beat_phase * few[i];
        const float distance = (1.0f - (position - floorf(position))) * (60.0f * frame_rate_hz / w->tempo_bpm) / few[i];
        out[20 + i] = fminf(distance, 2.0f) - 1.0f;
        out[24 + i] = distance < 1.0f ? 1.0f : 0.0f;
    }
    out[28] = log2f(w->tempo_bpm / 110.0f);
    for (int i = 0; i < 6; i++) out[29 + i] = w->beats_per_bar == metres[i] ? 1.0f : 0.0f;
    out[35] = w->playing;
    out[36] = w->confidence;
    out[37] = 1.0f;
    for (int i = 0; i < MOMENT; i++) out[i] *= w->known;
    out[MOMENT] = w->density;
}

static void chord_features(const GigmateWanted *w, float *out) {
    memset(out, 0, CHORD * sizeof(float));
    if (w->chord_root < 0 || w->chord_root > 11) return;
    memcpy(out, w->pitch_classes, 12 * sizeof(float));
    out[12 + 1 + w->chord_root] = 1.0f;
    out[CHORD - 1] = 1.0f;
}

/* What steers every layer, [parts][condition]. */
static void conditions(const Generator *g, const GigmateWanted *w, const float *chord, float *out, float *work) {
    const GigmateSizes *s = &g->sizes;
    float told[MOMENT + 1], *wide = work, *base = work + 2 * s->condition, *by_chord = base + s->condition;
    moment_features(w, s->frame_rate_hz, told);
    dense(&g->moment_in, 1, told, MOMENT + 1, wide, 2 * s->condition);
    silu(2 * s->condition, wide);
    dense(&g->moment_out, 1, wide, 2 * s->condition, base, s->condition);
    dense(&g->chord_condition, 1, chord, CHORD, by_chord, s->condition);
    const float *style = g->style + (size_t)w->style * s->condition, *ahead = g->ahead + (size_t)w->ahead * s->condition;
    float *full = by_chord + s->condition; /* [parts][condition] */
    for (int part = 0; part < s->parts; part++)
        for (int i = 0; i < s->condition; i++)
            full[part * s->condition + i] =
                base[i] + by_chord[i] + style[i] + ahead[i] + g->part[(size_t)part * s->condition + i];
    silu(s->parts * s->condition, full);
    dense(&g->condition, s->parts, full, s->condition, out, s->condition);
    silu(s->parts * s->condition, out);
}

/* Normed, weighed and turned by its place in time. */
static void turned(const float *x, int count, const float *weight, const float *turn, float *y) {
    const int half = count / 2;
    const float by = sqrtf((float)count) / length_of(count, x);
    for (int i = 0; i < half; i++) {
        const float a = x[i] * by * weight[i], b = x[i + half] * by * weight[i + half];
        y[i] = a * turn[i] - b * turn[half + i];
        y[i + half] = b * turn[i] + a * turn[half + i];
    }
}

/* One row's key and value into the places of this frame. */
static void remember(AttentionState *state, int row, int slot, size_t window, int head, const float *key,
                     const float *value) {
    int8_t codes[512 + LANES];
    const size_t keys = padded(window, LANES), groups = padded(head, 4) / 4, blocks = padded(head, LANES) / LANES;
    int8_t *to = state->keys + row * keys * groups * 4 + slot / LANES * groups * 64 + slot % LANES * 4;
    int32_t sum = 0;
    memset(codes, 0, sizeof codes);
    state->key_scale[row * keys + slot] = rounded(head, key, codes);
    for (size_t group = 0; group < groups; group++) memcpy(to + group * 64, codes + 4 * group, 4);
    for (int i = 0; i < head; i++) sum += codes[i];
    state->key_start[row * keys + slot] = -128 * sum;
    to = state->values + row * keys * blocks * LANES + slot / 4 * blocks * 64 + slot % 4;
    int32_t *start = state->value_start + row * blocks * LANES;
    state->value_scale[row * keys + slot] = rounded(head, value, codes);
    for (int i = 0; i < head; i++) {
        start[i] -= 128 * (codes[i] - to[4 * i]);
        to[4 * i] = codes[i];
    }
}

static void attend(const GigmateSizes *s, const TemporalLayer *layer, AttentionState *state, int64_t clock,
                   const float *turn, const float *qkv, float *y, float *weight) {
    const int head = s->size / s->heads, slot = (int)(clock % s->window);
    const int filled = clock + 1 < s->window ? (int)clock + 1 : s->window;
    const size_t keys = padded(s->window, LANES), groups = padded(head, 4) / 4, blocks = padded(head, LANES) / LANES;
    float query[512 + LANES], key[512];
    int8_t codes[512 + LANES], *shares = (int8_t *)(weight + keys);
    for (int row = 0; row < s->parts * s->heads; row++) {
        const float *from = qkv + (size_t)(row / s->heads) * 3 * s->size + (size_t)(row % s->heads) * head;
        const float *key_scale = state->key_scale + row * keys, *value_scale = state->value_scale + row * keys;
        turned(from, head, layer->norm_q, turn, query);
        turned(from + s->size, head, layer->norm_k, turn, key);
        remember(state, row, slot, s->window, head, key, from + 2 * s->size);
        memset(codes, 0, groups * 4);
        const float scale = rounded(head, query, codes) / sqrtf((float)head);
        row_sums(codes, (int)groups, state->keys + row * keys * groups * 4, 64, (filled + LANES - 1) / LANES,
                 groups * 64, state->key_start + row * keys, weight);
        for (int j = 0; j < filled; j++) weight[j] *= scale * key_scale[j];
        softmax(filled, weight);
        for (int j = 0; j < filled; j++) weight[j] *= value_scale[j];
        memset(shares + filled / 4 * 4, 0, 4);
        const float worth = rounded(filled, weight, shares);
        row_sums(shares, (filled + 3) / 4, state->values + row * keys * blocks * LANES, blocks * 64, (int)blocks, 64,
                 state->value_start + row * blocks * LANES, query);
        for (int i = 0; i < head; i++) y[(size_t)row * head + i] = query[i] * worth;
    }
}

static void modulated(int size, const float *x, const float *shift, const float *scale, float *y) {
    const float by = sqrtf((float)size) / length_of(size, x);
    for (int i = 0; i < size; i++) y[i] = shift[i] + x[i] * by * (1.0f + scale[i]);
}

size_t generator_work(const Generator *g) {
    const GigmateSizes *s = &g->sizes;
    const size_t temporal = (size_t)s->parts * (6 * s->size + 3 * s->size + 3 * s->size + 3 * s->hidden + 3 * s->condition) +
                            6 * s->condition + 2 * padded(s->window, LANES) + 2 * (s->size / s->heads);
    return temporal + depth_work(&g->depth, s) + 1024;
}

void generator_step(const Generator *g, GeneratorState *state, const GigmateWanted *wanted, const float *noise,
                    const Steer *steer, int32_t *tokens, Scratch *scratch, float *work) {
    const GigmateSizes *s = &g->sizes;
    const int size = s->size, rows = s->parts, places = s->slots + s->codebooks, head = size / s->heads;
    float chord[CHORD];
    float *x = work, *normed = x + rows * size, *m = normed + rows * size, *qkv = m + rows * 6 * size;
    float *gate = qkv + rows * 3 * size, *hidden = gate + rows * 2 * s->hidden, *condition = hidden + rows * s->hidden;
    float *y = condition + rows * s->condition, *turn = y + rows * size, *weight = turn + head, *rest = weight + 2 * padded(s->window, LANES);
    chord_features(wanted, chord);
    conditions(g, wanted, chord, condition, rest);
    dense(&g->chord, 1, chord, CHORD, y, size);
    for (int row = 0; row < rows; row++) {
        for (int i = 0; i < size; i++) x[row * size + i] = state->heard[i] * g->heard_gain[i] + y[i];
        for (int place = 0; place < places; place++) {
            const float *entry = g->embed[place] + (size_t)state->last[row * places + place] * size;
            for (int i = 0; i < size; i++) x[row * size + i] += entry[i];
        }
    }
    for (int i = 0; i < head / 2; i++) {
        const double angle = (double)state->clock * pow(10000.0, -2.0 * i / head);
        turn[i] = (float)cos(angle);
        turn[head / 2 + i] = (float)sin(angle);
    }
    for (int l = 0; l < s->layers; l++) {
        const TemporalLayer *layer = &g->layer[l];
        linear(&layer->modulate, rows, condition, s->condition, m, 6 * size, &scratch->rounded);
        for (int row = 0; row < rows; row++)
            modulated(size, x + row * size, m + row * 6 * size, m + row * 6 * size + size, normed + row * size);
        linear(&layer->qkv, rows, normed, size, qkv, 3 * size, &scratch->rounded);
        attend(s, layer, &state->layer[l], state->clock, turn, qkv, y, weight);
        linear(&layer->out, rows, y, size, normed, size, &scratch->rounded);
        for (int row = 0; row < rows; row++) {
            const float *own = m + row * 6 * size;
            for (int i = 0; i < size; i++) x[row * size + i] += own[2 * size + i] * normed[row * size + i];
            modulated(size, x + row * size, own + 3 * size, own + 4 * size, normed + row * size);
        }
        linear(&layer->up, rows, normed, size, gate, 2 * s->hidden, &scratch->rounded);
        for (int row = 0; row < rows; row++) gated(s->hidden, gate + row * 2 * s->hidden, hidden + row * s->hidden);
        linear(&layer->down, rows, hidden, s->hidden, normed, size, &scratch->rounded);
        for (int row = 0; row < rows; row++)
            for (int i = 0; i < size; i++)
                x[row * size + i] += m[row * 6 * size + 5 * size + i] * normed[row * size + i];
    }
    for (int row = 0; row < rows; row++) {
        const float by = sqrtf((float)size) / length_of(size, x + row * size);
        for (int i = 0; i < size; i++) x[row * size + i] *= by * g->norm[i];
    }
    depth_sample(&g->depth, s, x, chord, state->last, wanted, noise, steer, tokens, scratch, normed);
    for (int i = 0; i < rows * places; i++) state->last[i] = tokens[i] + 1;
    state->clock++;
}
