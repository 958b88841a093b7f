#include "decoder.h"

#include <math.h>
#include <string.h>

enum { FIRST_NOTE = 2 };

static Codec deal_codec(Dealer *dealer, const GigmateSizes *s) {
    Codec codec;
    codec.codes = deal_floats(dealer, (int64_t)s->codebooks * s->codec_entries * s->latent);
    codec.head = deal_head(dealer, s->latent, s->coarse_channels, 3);
    for (int i = 0; i < s->coarse_blocks; i++) codec.coarse[i] = deal_block(dealer, s->coarse_channels, 5, 1, 3);
    codec.up = deal_linear(dealer, s->coarse_channels, s->sub_frames * s->fine_channels);
    for (int i = 0; i < s->fine_blocks; i++) codec.fine[i] = deal_block(dealer, s->fine_channels, 7, 1, 3);
    codec.norm_weight = deal_floats(dealer, s->fine_channels);
    codec.norm_bias = deal_floats(dealer, s->fine_channels);
    codec.tail = deal_linear(dealer, s->fine_channels, 2 * s->hop);
    codec.inverse = deal_dense(dealer, s->hop, 2 * s->hop);
    return codec;
}

Decoder deal_decoder(Dealer *dealer, const GigmateSizes *s) {
    Decoder decoder = {.sizes = *s, .notes = s->slots - FIRST_NOTE, .fine = 1};
    const int kinds = *(const int32_t *)deal(dealer, 1, sizeof(int32_t)); /* parts that the voice was taught */
    for (int size = 1; size * size <= s->hop; size++)
        if (s->hop % size == 0) decoder.fine = size;
    decoder.codec = deal_codec(dealer, s);
    decoder.voice = deal_voice(dealer, s, kinds);
    return decoder;
}

DecoderState take_decoder(Memory *memory, const Decoder *d) {
    const GigmateSizes *s = &d->sizes;
    DecoderState state = {0};
    state.head_past = take_head(memory, &d->codec.head, s->parts);
    for (int i = 0; i < s->coarse_blocks; i++) state.coarse[i] = take_block(memory, &d->codec.coarse[i], s->parts);
    for (int i = 0; i < s->fine_blocks; i++) state.fine[i] = take_block(memory, &d->codec.fine[i], s->parts);
    for (int i = 0; i < s->voice_blocks; i++) state.voice[i] = take_block(memory, &d->voice.block[i], s->sung);
    state.overlap = take_floats(memory, (size_t)s->parts * s->hop);
    state.notes = (int32_t *)take(memory, (size_t)s->sung * d->notes * sizeof(int32_t));
    state.points = take_floats(memory, (size_t)s->sung * d->notes * s->harmonics);
    state.tail = take_floats(memory, (size_t)s->sung * s->hop);
    return state;
}

void decoder_clear(const Decoder *d, DecoderState *state) {
    const GigmateSizes *s = &d->sizes;
    head_clear(&d->codec.head, state->head_past, s->parts);
    for (int i = 0; i < s->coarse_blocks; i++) block_clear(&d->codec.coarse[i], &state->coarse[i], s->parts);
    for (int i = 0; i < s->fine_blocks; i++) block_clear(&d->codec.fine[i], &state->fine[i], s->parts);
    for (int i = 0; i < s->voice_blocks; i++) block_clear(&d->voice.block[i], &state->voice[i], s->sung);
    memset(state->overlap, 0, (size_t)s->parts * s->hop * sizeof(float));
    memset(state->notes, 0, (size_t)s->sung * d->notes * sizeof(int32_t));
    memset(state->points, 0, (size_t)s->sung * d->notes * s->harmonics * sizeof(float));
    memset(state->tail, 0, (size_t)s->sung * s->hop * sizeof(float));
    state->clock = 0.0;
}

size_t decoder_work(const Decoder *d) {
    const GigmateSizes *s = &d->sizes;
    const size_t rows = (size_t)s->parts * s->sub_frames;
    return (size_t)s->parts * (s->latent + s->coarse_channels) + rows * (2 * s->fine_channels + 5 * s->hop) +
           voice_work(d) + (size_t)(s->sung + 1) * s->hop * s->sub_frames + 256;
}

void decoder_step(const Decoder *d, DecoderState *state, const int32_t *tokens, double tuning_cents, float *audio,
                  Scratch *scratch, float *work) {
    const GigmateSizes *s = &d->sizes;
    const Codec *codec = &d->codec;
    const int places = s->slots + s->codebooks, rows = s->parts * s->sub_frames, hop = s->hop;
    const int frame = hop * s->sub_frames;
    float *latents = work, *coarse = latents + s->parts * s->latent, *fine = coarse + s->parts * s->coarse_channels;
    float *normed = fine + rows * s->fine_channels, *both = normed + rows * s->fine_channels;
    float *coefficients = both + rows * 2 * hop, *pieces = coefficients + rows * hop, *rest = pieces + rows * 2 * hop;
    for (int part = 0; part < s->parts; part++) {
        float *own = latents + part * s->latent;
        memset(own, 0, (size_t)s->latent * sizeof(float));
        for (int book = 0; book < s->codebooks; book++) {
            const int entry = tokens[part * places + s->slots + book];
            const float *code = codec->codes + ((size_t)book * s->codec_entries + entry) * s->latent;
            for (int i = 0; i < s->latent; i++) own[i] += code[i];
        }
    }
    head_step(&codec->head, state->head_past, s->parts, latents, coarse);
    for (int i = 0; i < s->coarse_blocks; i++)
        block_step(&codec->coarse[i], &state->coarse[i], s->parts, 1, coarse, scratch);
    linear(&codec->up, s->parts, coarse, s->coarse_channels, fine, s->sub_frames * s->fine_channels, &scratch->rounded);
    for (int i = 0; i < s->fine_blocks; i++)
        block_step(&codec->fine[i], &state->fine[i], s->parts, s->sub_frames, fine, scratch);
    for (int row = 0; row < rows; row++)
        layer_norm(s->fine_channels, fine + row * s->fine_channels, codec->norm_weight, codec->norm_bias,
                   normed + row * s->fine_channels);
    linear(&codec->tail, rows, normed, s->fine_channels, both, 2 * hop, &scratch->rounded);
    for (int row = 0; row < rows; row++) {
        float *magnitude = both + row * 2 * hop, *carrier = magnitude + hop;
        for (int i = 0; i < hop; i++) magnitude[i] = fminf(fmaxf(magnitude[i] - 4.0f, -12.0f), 4.0f);
        exponential(hop, magnitude);
        hyperbolic_tangent(hop, carrier);
        for (int i = 0; i < hop; i++) coefficients[row * hop + i] = magnitude[i] * carrier[i];
    }
    float *sound = rest; /* [sung][frame] */
    voice_step(d, state, latents, tokens, tuning_cents, coefficients, sound, scratch, sound + (size_t)s->sung * frame);
    dense(&codec->inverse, rows, coefficients, hop, pieces, 2 * hop);
    for (int part = 0; part < s->parts; part++)
        for (int sub = 0; sub < s->sub_frames; sub++) {
            const float *piece = pieces + (size_t)(part * s->sub_frames + sub) * 2 * hop;
            float *overlap = state->overlap + part * hop, *out = audio + (size_t)part * frame + sub * hop;
            for (int i = 0; i < hop; i++) out[i] = piece[i] + overlap[i];
            memcpy(overlap, piece + hop, (size_t)hop * sizeof(float));
        }
    for (int row = 0; row < s->sung; row++) {
        float *out = audio + (size_t)s->sung_rows[row] * frame;
        for (int i = 0; i < frame; i++) out[i] += sound[(size_t)row * frame + i];
    }
}
