#include "decoder.h"

#include <math.h>
#include <string.h>

enum { FIRST_NOTE = 2, LOWEST_NOTE = 12 };

Voice deal_voice(Dealer *dealer, const GigmateSizes *s, int kinds) {
    Voice voice;
    const int channels = s->voice_channels;
    voice.latent = deal_linear(dealer, s->latent, channels);
    for (int slot = 0; slot < s->slots; slot++)
        voice.slot[slot] = deal_floats(dealer, (int64_t)s->slot_entries * channels);
    voice.part = deal_floats(dealer, (int64_t)kinds * channels);
    for (int i = 0; i < s->voice_blocks; i++) voice.block[i] = deal_block(dealer, channels, 3, s->voice_dilations[i], 2);
    voice.norm_weight = deal_floats(dealer, channels);
    voice.norm_bias = deal_floats(dealer, channels);
    voice.to_note = deal_linear(dealer, channels, s->note_size);
    voice.pitch = deal_floats(dealer, (int64_t)s->slot_entries * s->note_size);
    voice.held = deal_floats(dealer, s->note_size);
    voice.note_a = deal_linear(dealer, s->note_size, s->note_size);
    voice.note_b = deal_linear(dealer, s->note_size, s->sub_frames + s->harmonics);
    voice.gain = deal_linear(dealer, channels, s->sub_frames * s->bands);
    voice.tilt = deal_floats(dealer, s->harmonics);
    voice.offset = deal_floats(dealer, s->harmonics);
    voice.band_of_bin = (const int32_t *)deal(dealer, s->hop, sizeof(int32_t));
    voice.release = deal_floats(dealer, RELEASE_POINTS);
    return voice;
}

static size_t stretches(const Decoder *d) { return (size_t)d->sizes.hop * d->sizes.sub_frames / d->fine; }

size_t voice_work(const Decoder *d) {
    const GigmateSizes *s = &d->sizes;
    const size_t rows = (size_t)s->sung * d->notes;
    return (size_t)s->sung * (2 * s->voice_channels + s->note_size + s->sub_frames * s->bands) +
           rows * (2 * s->note_size + s->sub_frames + s->harmonics) +
           rows * 2 * (s->sub_frames + 1) * s->harmonics + 6 * (size_t)s->harmonics * (stretches(d) + d->fine) + 256;
}

static double hertz(int note) { return 440.0 * exp2((note + LOWEST_NOTE - 1 - 69) / 12.0); }

/* One tone of a frame: harmonics whose amplitudes go in straight lines from one of points [sub frames + 1][harmonics]
   to the next. A sample's angle is that of the first one of its stretch and what the tone turns within it, so that
   sines are taken of both and not of every sample. */
static void tone(const Decoder *d, int note, const float *points, double clock, double tuning, float *out, float *work) {
    const GigmateSizes *s = &d->sizes;
    const int fine = d->fine, count = s->harmonics, each = s->hop / fine;
    const double hz = hertz(note);
    float *angle = work, *turn_sine = angle + count * (fine > each ? fine : each), *turn_cosine = turn_sine + count * fine;
    float *sine = turn_cosine + count * fine, *cosine = sine + count * each;
    const float per_sample = (float)(hz * tuning / s->sample_rate_hz);
    for (int h = 0; h < count; h++)
        for (int i = 0; i < fine; i++) angle[h * fine + i] = per_sample * (float)(h + 1) * (float)i;
    sines(count * fine, angle, turn_sine, turn_cosine);
    for (int sub = 0; sub < s->sub_frames; sub++) {
        const float *from = points + sub * count, *to = from + count;
        for (int k = 0; k < each; k++) {
            const double cycles = hz * (clock + tuning * (double)(sub * s->hop + k * fine)) / s->sample_rate_hz;
            const float begin = (float)(cycles - floor(cycles)); /* exact however late it is */
            for (int h = 0; h < count; h++) angle[k * count + h] = begin * (float)(h + 1) + d->voice.offset[h];
        }
        sines(each * count, angle, sine, cosine);
        for (int k = 0; k < each; k++) {
            float low[256], high[256];
            memset(low, 0, sizeof(float) * (size_t)fine);
            memset(high, 0, sizeof(float) * (size_t)fine);
            for (int h = 0; h < count; h++) {
                const float a = sine[k * count + h], b = cosine[k * count + h];
                const float *turn_s = turn_sine + h * fine, *turn_c = turn_cosine + h * fine;
                for (int i = 0; i < fine; i++) {
                    const float wave = a * turn_c[i] + b * turn_s[i];
                    low[i] += from[h] * wave;
                    high[i] += to[h] * wave;
                }
            }
            float *own = out + sub * s->hop + k * fine;
            for (int i = 0; i < fine; i++) {
                const float rise = ((float)(k * fine + i) + 0.5f) / (float)s->hop;
                own[i] += low[i] + (high[i] - low[i]) * rise;
            }
        }
    }
}

/* Voice._synthesise of one part: notes [notes], amplitudes [notes][sub frames][harmonics]. */
static void synthesise(const Decoder *d, const int32_t *notes, const int32_t *before, const float *amplitudes,
                       const float *last, double clock, double tuning, float *out, float *work) {
    const GigmateSizes *s = &d->sizes;
    const int count = s->harmonics;
    float points[16 * 64];
    for (int n = 0; n < d->notes; n++) {
        if (notes[n] <= 0) continue;
        memset(points, 0, (size_t)count * sizeof(float));
        for (int b = 0; b < d->notes; b++)
            for (int h = 0; h < count && before[b] == notes[n]; h++) points[h] += last[b * count + h];
        memcpy(points + count, amplitudes + (size_t)n * s->sub_frames * count,
               (size_t)s->sub_frames * count * sizeof(float));
        tone(d, notes[n], points, clock, tuning, out, work);
    }
    for (int b = 0; b < d->notes; b++) {
        int ended = before[b] > 0;
        for (int n = 0; n < d->notes; n++) ended &= notes[n] != before[b];
        if (!ended) continue;
        for (int i = 0; i <= s->sub_frames; i++)
            for (int h = 0; h < count; h++) points[i * count + h] = last[b * count + h] * d->voice.release[i];
        tone(d, before[b], points, clock, tuning, out, work);
    }
}

void voice_step(const Decoder *d, DecoderState *state, const float *latents, const int32_t *tokens,
                double tuning_cents, float *coefficients, float *sound, Scratch *scratch, float *work) {
    const GigmateSizes *s = &d->sizes;
    const Voice *v = &d->voice;
    const int channels = s->voice_channels, places = s->slots + s->codebooks, frame = s->hop * s->sub_frames;
    const int sung = s->sung, rows = sung * d->notes, answers = s->sub_frames + s->harmonics, note_size = s->note_size;
    const double tuning = exp2(tuning_cents / 1200.0);
    float *x = work, *normed = x + sung * channels, *by_part = normed + sung * channels;
    float *gain = by_part + sung * note_size, *note = gain + sung * s->sub_frames * s->bands;
    float *wide = note + rows * note_size, *answer = wide + rows * note_size, *amplitude = answer + rows * answers;
    float *rest = amplitude + rows * s->sub_frames * s->harmonics;
    for (int row = 0; row < sung; row++) {
        const int32_t *own = tokens + s->sung_rows[row] * places;
        linear(&v->latent, 1, latents + s->sung_rows[row] * s->latent, s->latent, x + row * channels, channels,
               &scratch->rounded);
        for (int i = 0; i < channels; i++) x[row * channels + i] += v->part[s->sung_kinds[row] * channels + i];
        for (int slot = 0; slot < s->slots; slot++) {
            const float *entry = v->slot[slot] + (size_t)(own[slot] > 0 ? own[slot] : 0) * channels;
            for (int i = 0; i < channels; i++) x[row * channels + i] += entry[i];
        }
    }
    for (int i = 0; i < s->voice_blocks; i++) block_step(&v->block[i], &state->voice[i], sung, 1, x, scratch);
    for (int row = 0; row < sung; row++)
        layer_norm(channels, x + row * channels, v->norm_weight, v->norm_bias, normed + row * channels);
    linear(&v->to_note, sung, normed, channels, by_part, note_size, &scratch->rounded);
    linear(&v->gain, sung, normed, channels, gain, s->sub_frames * s->bands, &scratch->rounded);
    sigmoid(sung * s->sub_frames * s->bands, gain);
    for (int row = 0; row < sung; row++)
        for (int n = 0; n < d->notes; n++) {
            const int pitch = tokens[s->sung_rows[row] * places + FIRST_NOTE + n];
            const int32_t *before = state->notes + row * d->notes;
            float *own = note + (size_t)(row * d->notes + n) * note_size, there = 0.0f;
            for (int b = 0; b < d->notes; b++) there = before[b] == (pitch > 0 ? pitch : 0) ? 1.0f : there;
            const float *entry = v->pitch + (size_t)(pitch > 0 ? pitch : 0) * note_size;
            for (int i = 0; i < note_size; i++)
                own[i] = by_part[row * note_size + i] + entry[i] + v->held[i] * there;
        }
    silu(rows * note_size, note);
    linear(&v->note_a, rows, note, note_size, wide, note_size, &scratch->rounded);
    silu(rows * note_size, wide);
    linear(&v->note_b, rows, wide, note_size, answer, answers, &scratch->rounded);
    for (int row = 0; row < sung; row++) {
        int32_t notes[MAX_SLOTS], *before = state->notes + row * d->notes;
        float *last = state->points + (size_t)row * d->notes * s->harmonics;
        float *ours = amplitude + (size_t)row * d->notes * s->sub_frames * s->harmonics;
        for (int n = 0; n < d->notes; n++) {
            const int pitch = tokens[s->sung_rows[row] * places + FIRST_NOTE + n];
            notes[n] = pitch > 0 ? pitch : 0;
            float *loud = answer + (size_t)(row * d->notes + n) * answers, *spread = loud + s->sub_frames;
            const float hz = (float)hertz(notes[n]);
            for (int i = 0; i < s->sub_frames; i++) loud[i] = fminf(fmaxf(loud[i] - 3.0f, -9.0f), 2.0f);
            exponential(s->sub_frames, loud);
            for (int h = 0; h < s->harmonics; h++) spread[h] += v->tilt[h];
            softmax(s->harmonics, spread);
            for (int h = 0; h < s->harmonics; h++)
                if (notes[n] <= 0 || hz * (float)(h + 1) >= 0.45f * (float)s->sample_rate_hz) spread[h] = 0.0f;
            for (int i = 0; i < s->sub_frames; i++)
                for (int h = 0; h < s->harmonics; h++)
                    ours[(n * s->sub_frames + i) * s->harmonics + h] = loud[i] * spread[h];
        }
        float *out = sound + (size_t)row * frame, *fresh = rest, *room = rest + frame;
        memset(fresh, 0, (size_t)frame * sizeof(float));
        synthesise(d, notes, before, ours, last, state->clock, tuning, fresh, room);
        /* as late as the decoder */
        float *tail = state->tail + row * s->hop;
        memcpy(out, tail, (size_t)s->hop * sizeof(float));
        memcpy(out + s->hop, fresh, (size_t)(frame - s->hop) * sizeof(float));
        memcpy(tail, fresh + frame - s->hop, (size_t)s->hop * sizeof(float));
        for (int n = 0; n < d->notes; n++) {
            before[n] = notes[n];
            memcpy(last + n * s->harmonics, ours + (n * s->sub_frames + s->sub_frames - 1) * s->harmonics,
                   (size_t)s->harmonics * sizeof(float));
        }
        for (int sub = 0; sub < s->sub_frames; sub++) {
            float *bins = coefficients + (size_t)(s->sung_rows[row] * s->sub_frames + sub) * s->hop;
            const float *own = gain + (size_t)(row * s->sub_frames + sub) * s->bands;
            for (int i = 0; i < s->hop; i++) bins[i] *= own[v->band_of_bin[i]] * s->codec_share;
        }
    }
    state->clock += tuning * (double)frame;
}
