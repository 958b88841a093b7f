#include "generator.h"

#include <math.h>
#include <string.h>

enum { STATE = 0, FIRST_NOTE = 2, QUARTERS = 4, LOWEST_NOTE = 12 }; /* score_tokens.py */
#define NEVER (-1e4f)
#define FAINT_CHANCE 0.02f

Depth deal_depth(Dealer *dealer, const GigmateSizes *s) {
    Depth depth = {.count = s->slots + s->codebooks};
    const int size = s->depth_size;
    depth.start = deal_dense(dealer, s->size, size);
    depth.chord = deal_dense(dealer, CHORD, size);
    depth.first = deal_floats(dealer, size);
    for (int place = 0; place < depth.count; place++)
        depth.entries[place] = place < s->slots ? s->slot_entries : s->entries;
    for (int place = 0; place + 1 < depth.count; place++)
        depth.embed[place] = deal_floats(dealer, (int64_t)depth.entries[place] * size);
    for (int i = 0; i < s->depth_layers; i++) {
        DepthLayer *layer = &depth.layer[i];
        layer->norm_a = deal_floats(dealer, size);
        layer->qkv = deal_linear(dealer, size, 3 * size);
        layer->out = deal_linear(dealer, size, size);
        layer->norm_f = deal_floats(dealer, size);
        layer->up = deal_linear(dealer, size, 2 * s->depth_hidden);
        layer->down = deal_linear(dealer, s->depth_hidden, size);
        layer->gain = deal_floats(dealer, 2);
    }
    depth.norm = deal_floats(dealer, size);
    for (int place = 0; place < depth.count; place++)
        depth.out[place] = deal_linear(dealer, size, depth.entries[place]);
    return depth;
}

size_t depth_work(const Depth *depth, const GigmateSizes *s) {
    const int most = s->entries > s->slot_entries ? s->entries : s->slot_entries;
    const size_t memory = (size_t)s->depth_layers * depth->count * s->parts * 2 * s->depth_size;
    return memory + (size_t)s->parts * (8 * s->depth_size + 3 * s->depth_hidden + most + s->slot_entries) + 4 * most + 64;
}

static void rms_normed(int size, const float *x, const float *weight, float *y) {
    const float by = sqrtf((float)size) / length_of(size, x);
    for (int i = 0; i < size; i++) y[i] = x[i] * by * weight[i];
}

/* One place of all rows, x in place; keys and values [places][rows][size]. */
static void depth_layer(const DepthLayer *layer, const GigmateSizes *s, float *x, float *keys, float *values, int place,
                        Scratch *scratch, float *work) {
    const int rows = s->parts, size = s->depth_size, head = size / s->depth_heads;
    float *normed = work, *qkv = normed + rows * size, *gate = qkv + rows * 3 * size;
    float *hidden = gate + rows * 2 * s->depth_hidden;
    for (int row = 0; row < rows; row++) rms_normed(size, x + row * size, layer->norm_a, normed + row * size);
    linear(&layer->qkv, rows, normed, size, qkv, 3 * size, &scratch->rounded);
    for (int row = 0; row < rows; row++) {
        const float *own = qkv + row * 3 * size;
        memcpy(keys + (size_t)(place * rows + row) * size, own + size, (size_t)size * sizeof(float));
        memcpy(values + (size_t)(place * rows + row) * size, own + 2 * size, (size_t)size * sizeof(float));
        float *y = normed + row * size;
        memset(y, 0, (size_t)size * sizeof(float));
        for (int h = 0; h < s->depth_heads; h++) {
            float weight[MAX_PLACES];
            for (int k = 0; k <= place; k++) {
                const float *key = keys + (size_t)(k * rows + row) * size + h * head;
                float sum = 0.0f;
                for (int i = 0; i < head; i++) sum += own[h * head + i] * key[i];
                weight[k] = sum / sqrtf((float)head);
            }
            softmax(place + 1, weight);
            for (int k = 0; k <= place; k++) {
                const float *value = values + (size_t)(k * rows + row) * size + h * head;
                for (int i = 0; i < head; i++) y[h * head + i] += weight[k] * value[i];
            }
        }
    }
    linear(&layer->out, rows, normed, size, qkv, size, &scratch->rounded);
    for (int i = 0; i < rows * size; i++) x[i] += qkv[i] * layer->gain[0];
    for (int row = 0; row < rows; row++) rms_normed(size, x + row * size, layer->norm_f, normed + row * size);
    linear(&layer->up, rows, normed, size, gate, 2 * s->depth_hidden, &scratch->rounded);
    for (int row = 0; row < rows; row++)
        gated(s->depth_hidden, gate + row * 2 * s->depth_hidden, hidden + row * s->depth_hidden);
    linear(&layer->down, rows, hidden, s->depth_hidden, normed, size, &scratch->rounded);
    for (int i = 0; i < rows * size; i++) x[i] += normed[i] * layer->gain[1];
}

static int is_onset(int state) { return state >= 1 && state <= QUARTERS; }

/* Beginnings likelier by `push`, up only where there is a chance of one (Depth._pushed). */
static void pushed(int count, float *logits, float push, float *work) {
    memcpy(work, logits, (size_t)count * sizeof(float));
    softmax(count, work);
    float chance = 0.0f;
    for (int i = 1; i <= QUARTERS; i++) chance += work[i];
    const float nats = fminf(push, 0.0f) + fmaxf(push, 0.0f) * chance / (chance + FAINT_CHANCE);
    for (int i = 1; i <= QUARTERS; i++) logits[i] += nats;
}

static float outside(const float *chord, int entry, float pull) {
    if (entry == 0) return 0.0f;
    const float inside = fminf(fmaxf(chord[(entry + LOWEST_NOTE - 1) % 12], 0.0f), 1.0f);
    return fmaxf(pull, 0.0f) * (1.0f - inside) * chord[CHORD - 1];
}

/* What is added to the logits of the note slots, by the state that was drawn (Depth._bias). */
static void note_bias(const GigmateSizes *s, int state, const float *chord, const int32_t *last, float pull, float *bias) {
    const float fresh = is_onset(state) ? 0.0f : NEVER; /* what did not sound cannot sound on */
    for (int entry = 0; entry < s->slot_entries; entry++)
        bias[entry] = (entry > 0 ? fresh : 0.0f) - outside(chord, entry, pull);
    if (state == 0 || pull < 0.0f) return;
    for (int slot = FIRST_NOTE; slot < s->slots; slot++)
        if (last[slot] > 1) bias[last[slot] - 1] = -outside(chord, last[slot] - 1, pull);
}

static int by_size(uint64_t *values, int count, int wanted);

enum { STEPS = 64 };
#define FAR_NATS 24.0f

/* A bound that leaves the `wanted` likeliest (0: all), and few others: most need not be sorted. What is e^-24 times as
   likely as the best is never drawn. */
static float least_of_most(int count, const float *logits, float most, float temperature, int wanted) {
    const float far = FAR_NATS * temperature, step = far / STEPS;
    if (wanted <= 0 || 2 * wanted > count) return most - far;
    int counts[STEPS + 1] = {0}, step_of[4096], seen = 0;
    for (int i = 0; i < count; i++) {
        const float steps = (most - logits[i]) / step;
        step_of[i] = steps < (float)STEPS ? (int)steps : STEPS;
    }
    for (int i = 0; i < count; i++) counts[step_of[i]]++;
    for (int i = 0; i < STEPS; i++) {
        seen += counts[i];
        if (seen >= wanted) return most - step * (float)(i + 2); /* one more: the division was rounded */
    }
    return most - far;
}

int sample_token(int count, const float *logits, float noise, float temperature, int top_k, float top_p,
                 uint64_t *room) {
    const float most = largest(count, logits);
    if (temperature <= 0.0f) top_k = 1;
    const float least = least_of_most(count, logits, most, fmaxf(temperature, 1e-6f), top_k);
    int found = 0;
    for (int i = 0; i < count; i++) {
        /* sorts as its number does, and equal numbers by their place */
        uint32_t bits;
        memcpy(&bits, &logits[i], 4);
        bits = bits & 0x80000000u ? ~bits : bits | 0x80000000u;
        room[found] = (uint64_t)bits << 32 | (uint32_t)~i;
        found += logits[i] >= least;
    }
    if (found == 0) return 0; /* not a number */
    const int limit = by_size(room, found, top_k > 0 && top_k < found ? top_k : found);
    if (limit == 1) return (int)~(uint32_t)room[0];
    float *chance = (float *)(room + found + 1), sum = 0.0f;
    for (int i = 0; i < limit; i++) chance[i] = (logits[~(uint32_t)room[i]] - most) / temperature;
    exponential(limit, chance);
    for (int i = 0; i < limit; i++) sum += chance[i];
    float reached = 0.0f;
    int last = 0;
    for (int i = 0; i < limit; i++) {
        reached += chance[i] / sum;
        chance[i] = reached; /* from here on what is reached with it */
        last = i;
        if (reached >= top_p) break;
    }
    const float target = noise * chance[last];
    int place = 0;
    while (place < last && chance[place] <= target) place++;
    return (int)~(uint32_t)room[place];
}

/* The `wanted` largest to the front, largest first. */
static int by_size(uint64_t *values, int count, int wanted) {
    int low = 0, high = count - 1;
    while (wanted < count && low < high) {
        const uint64_t middle = values[(low + high) / 2];
        int i = low, j = high;
        while (i <= j) {
            while (values[i] > middle) i++;
            while (values[j] < middle) j--;
            if (i <= j) {
                const uint64_t other = values[i];
                values[i++] = values[j];
                values[j--] = other;
            }
        }
        if (wanted <= j)
            high = j;
        else if (wanted > i)
            low = i;
        else
            break;
    }
    for (int gap = wanted / 2; gap > 0; gap /= 2)
        for (int i = gap; i < wanted; i++) {
            const uint64_t own = values[i];
            int j = i;
            for (; j >= gap && values[j - gap] < own; j -= gap) values[j] = values[j - gap];
            values[j] = own;
        }
    return wanted;
}

void depth_sample(const Depth *depth, const GigmateSizes *s, const float *z, const float *chord, const int32_t *last,
                  const GigmateWanted *wanted, const float *noise, const Steer *steer, int32_t *tokens,
                  Scratch *scratch, float *work) {
    const int rows = s->parts, size = s->depth_size, places = depth->count;
    const int most = s->entries > s->slot_entries ? s->entries : s->slot_entries;
    const size_t memory = (size_t)places * rows * size;
    float *keys = work, *values = keys + s->depth_layers * memory, *base = values + s->depth_layers * memory;
    float *x = base + rows * size, *logits = x + rows * size, *bias = logits + rows * most;
    uint64_t *room = (uint64_t *)(((uintptr_t)(bias + rows * s->slot_entries) + 63) / 64 * 64);
    float *rest = (float *)room + 4 * most;
    dense(&depth->chord, 1, chord, CHORD, x, size);
    dense(&depth->start, rows, z, s->size, base, size);
    for (int row = 0; row < rows; row++)
        for (int i = 0; i < size; i++) base[row * size + i] += x[i];
    for (int place = 0; place < places; place++) {
        for (int row = 0; row < rows; row++) {
            const float *entry =
                place == 0 ? depth->first
                           : depth->embed[place - 1] + (size_t)tokens[row * places + place - 1] * size;
            for (int i = 0; i < size; i++) x[row * size + i] = base[row * size + i] + entry[i];
        }
        for (int l = 0; l < s->depth_layers; l++)
            depth_layer(&depth->layer[l], s, x, keys + l * memory, values + l * memory, place, scratch, rest);
        for (int row = 0; row < rows; row++) rms_normed(size, x + row * size, depth->norm, x + row * size);
        const int count = depth->entries[place];
        linear(&depth->out[place], rows, x, size, logits, count, &scratch->rounded);
        for (int row = 0; row < rows; row++) {
            float *own = logits + (size_t)row * count, *notes = bias + row * s->slot_entries;
            const int32_t *drawn = tokens + row * places;
            if (place == STATE) pushed(count, own, steer->push[row], rest);
            if (place < s->slots) {
                const int steered = place < STEERED ? place : STEERED - 1;
                for (int i = 0; i < count; i++)
                    own[i] += steer->bias[((size_t)row * STEERED + steered) * s->slot_entries + i];
            }
            if (place == FIRST_NOTE) {
                note_bias(s, drawn[STATE], chord, last + row * places, steer->pull[row], notes);
                if (is_onset(drawn[STATE])) own[0] += NEVER; /* something begins, so there is something */
            }
            if (place >= FIRST_NOTE && place < s->slots)
                for (int i = 0; i < count; i++) own[i] += notes[i];
            const float heat = place < s->slots ? wanted->temperature : s->sound_temperature;
            tokens[row * places + place] =
                sample_token(count, own, noise[row * places + place], heat, wanted->top_k, wanted->top_p, room);
        }
    }
}
