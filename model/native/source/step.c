#include "step.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#if defined(__GLIBC__)
#include <malloc.h>
#endif
#if defined(__SSE__)
#include <xmmintrin.h>
#endif

#include "decoder.h"
#include "generator.h"
#include "steering.h"

typedef struct {
    Head head;
    Block block[MAX_BLOCKS];
    const float *norm_weight, *norm_bias;
    Linear tail;
} Listener;

struct GigmateModel {
    GigmateSizes sizes;
    Listener listener;
    Generator generator;
    Steering steering;
    Decoder decoder;
};

struct GigmateStream {
    const GigmateModel *model;
    float *listener_past;
    BlockState listener_block[MAX_BLOCKS];
    GeneratorState generator;
    SteeringState steering;
    DecoderState decoder;
    double tuning_cents;
    Scratch scratch;
    float *work, *audio;
};

void gigmate_prepare_thread(void) {
#if defined(__SSE__)
    _mm_setcsr(_mm_getcsr() | 0x8040u);
#endif
}

/* The same for one call, on a thread that nobody prepared. */
static unsigned quick_begin(void) {
#if defined(__SSE__)
    const unsigned before = _mm_getcsr();
    _mm_setcsr(before | 0x8040u);
    return before;
#else
    return 0;
#endif
}

static void quick_end(unsigned before) {
#if defined(__SSE__)
    _mm_setcsr(before);
#else
    (void)before;
#endif
}

static Listener deal_listener(Dealer *dealer, const GigmateSizes *s) {
    Listener listener;
    listener.head = deal_head(dealer, s->heard_size, s->listener_channels, 3);
    for (int i = 0; i < s->listener_blocks; i++)
        listener.block[i] = deal_block(dealer, s->listener_channels, s->listener_kernel, s->listener_dilations[i],
                                       s->listener_expand);
    listener.norm_weight = deal_floats(dealer, s->listener_channels);
    listener.norm_bias = deal_floats(dealer, s->listener_channels);
    listener.tail = deal_linear(dealer, s->listener_channels, s->listener_outputs);
    return listener;
}

GigmateModel *gigmate_model_new(const GigmateSizes *sizes, const GigmateArray *arrays, int32_t count, char *error,
                                int32_t error_size) {
    const int rows = sizes->parts * sizes->sub_frames;
    if (rows > MAX_ROWS || sizes->sung * (sizes->slots - 2) > MAX_ROWS || sizes->slots > MAX_SLOTS ||
        sizes->slots + sizes->codebooks > MAX_PLACES || sizes->size / sizes->heads > 512 ||
        sizes->heard_channels > 1024 || sizes->harmonics * (sizes->sub_frames + 1) > 16 * 64 ||
        sizes->entries > 4096 || sizes->slot_entries > 4096 || sizes->sub_frames + 1 != RELEASE_POINTS || sizes->hop % 4 || sizes->hop > 65536) {
        snprintf(error, (size_t)error_size, "sizes that the step in C does not know");
        return NULL;
    }
    GigmateModel *model = calloc(1, sizeof *model);
    if (!model) {
        snprintf(error, (size_t)error_size, "no memory");
        return NULL;
    }
    Dealer dealer = {.arrays = arrays, .count = count};
    model->sizes = *sizes;
    model->listener = deal_listener(&dealer, sizes);
    model->generator = deal_generator(&dealer, sizes);
    model->steering = deal_steering(&dealer, sizes);
    model->decoder = deal_decoder(&dealer, sizes);
    if (dealer.failed || dealer.next != count) {
        snprintf(error, (size_t)error_size, "array %d of %d is not the one that is wanted (%lld values)", dealer.next,
                 (int)count, (long long)dealer.wanted);
        free(model);
        return NULL;
    }
    return model;
}

void gigmate_model_free(GigmateModel *model) { free(model); }

void gigmate_give_back(void) {
#if defined(__GLIBC__)
    malloc_trim(0);
#endif
}

static size_t most(size_t a, size_t b) { return a > b ? a : b; }

/* All pieces of a stream out of `memory`; with none it only counts. */
static void lay_out(const GigmateModel *model, GigmateStream *stream, Memory *memory) {
    const GigmateSizes *s = &model->sizes;
    const size_t rows = MAX_ROWS;
    size_t widest = 6 * (size_t)s->size;
    widest = most(widest, (size_t)s->listener_expand * s->listener_channels);
    widest = most(widest, 3 * (size_t)s->coarse_channels);
    widest = most(widest, 3 * (size_t)s->fine_channels);
    widest = most(widest, 2 * (size_t)s->heard_channels);
    widest = most(widest, 2 * (size_t)s->voice_channels);
    widest = most(widest, most((size_t)s->hidden, (size_t)s->depth_hidden));
    widest = most(widest, most((size_t)s->latent, (size_t)s->note_size));
    widest = most(widest, most((size_t)s->condition, (size_t)s->depth_size));
    stream->listener_past = take_head(memory, &model->listener.head, 1);
    for (int i = 0; i < s->listener_blocks; i++)
        stream->listener_block[i] = take_block(memory, &model->listener.block[i], 1);
    stream->generator = take_generator(memory, &model->generator);
    stream->steering = take_steering(memory, &model->steering);
    stream->decoder = take_decoder(memory, &model->decoder);
    stream->scratch.rounded.codes = (int8_t *)take(memory, rows * (widest + 64));
    stream->scratch.normed = take_floats(memory, rows * widest);
    stream->scratch.hidden = take_floats(memory, rows * widest);
    stream->work = take_floats(memory, most(generator_work(&model->generator),
                                            decoder_work(&model->decoder) + (size_t)s->hop * s->sub_frames));
    stream->audio = take_floats(memory, (size_t)(s->parts + 2) * s->hop * s->sub_frames);
}

int64_t gigmate_stream_bytes(const GigmateModel *model) {
    GigmateStream counted = {.model = model};
    Memory memory = {NULL, 0};
    lay_out(model, &counted, &memory);
    return (int64_t)memory.used + (int64_t)sizeof(GigmateStream);
}

GigmateStream *gigmate_stream_new(const GigmateModel *model) {
    const size_t own = (sizeof(GigmateStream) + 63) / 64 * 64;
    const size_t bytes = own + (size_t)gigmate_stream_bytes(model) + 64;
    GigmateStream *stream = aligned_alloc(64, (bytes + 63) / 64 * 64);
    if (!stream) return NULL;
    memset(stream, 0, bytes); /* every page is there before the first step */
    Memory memory = {(char *)stream + own, 0};
    stream->model = model;
    lay_out(model, stream, &memory);
    gigmate_reset_listening(stream);
    gigmate_reset_playing(stream);
    return stream;
}

void gigmate_stream_free(GigmateStream *stream) { free(stream); }

void gigmate_reset_listening(GigmateStream *stream) {
    const Listener *listener = &stream->model->listener;
    head_clear(&listener->head, stream->listener_past, 1);
    for (int i = 0; i < stream->model->sizes.listener_blocks; i++)
        block_clear(&listener->block[i], &stream->listener_block[i], 1);
}

void gigmate_reset_playing(GigmateStream *stream) {
    generator_clear(&stream->model->generator, &stream->generator);
    steering_clear(&stream->model->steering, &stream->steering);
    decoder_clear(&stream->model->decoder, &stream->decoder);
    memset(stream->generator.heard, 0, (size_t)stream->model->sizes.size * sizeof(float));
    stream->tuning_cents = 0.0;
}

void gigmate_listen(GigmateStream *stream, const float *features, float *logits) {
    const unsigned quick = quick_begin();
    const GigmateModel *model = stream->model;
    const int channels = model->sizes.listener_channels;
    float *x = stream->work, *y = x + channels;
    head_step(&model->listener.head, stream->listener_past, 1, features, x);
    for (int i = 0; i < model->sizes.listener_blocks; i++)
        block_step(&model->listener.block[i], &stream->listener_block[i], 1, 1, x, &stream->scratch);
    layer_norm(channels, x, model->listener.norm_weight, model->listener.norm_bias, y);
    linear(&model->listener.tail, 1, y, channels, logits, model->sizes.listener_outputs, &stream->scratch.rounded);
    quick_end(quick);
}

void gigmate_hear(GigmateStream *stream, const float *features) {
    const unsigned quick = quick_begin();
    steering_hear(&stream->model->steering, &stream->steering, features);
    generator_hear(&stream->model->generator, &stream->generator, features, &stream->scratch);
    quick_end(quick);
}

void gigmate_encoded(const GigmateStream *stream, float *heard) {
    memcpy(heard, stream->generator.heard, (size_t)stream->model->sizes.size * sizeof(float));
}

int32_t gigmate_sample(int32_t count, const float *logits, float noise, float temperature, int32_t top_k, float top_p) {
    uint64_t room[4096];
    return count > 0 && count <= 2048 ? sample_token(count, logits, noise, temperature, top_k, top_p, room) : -1;
}

void gigmate_recall(GigmateStream *stream, const int32_t *tokens) {
    const GigmateSizes *s = &stream->model->sizes;
    for (int i = 0; i < s->parts * (s->slots + s->codebooks); i++) stream->generator.last[i] = tokens[i] + 1;
}

float gigmate_draw(GigmateStream *stream, const GigmateWanted *wanted, const float *noise, int32_t *tokens) {
    const unsigned quick = quick_begin();
    const GigmateModel *model = stream->model;
    stream->tuning_cents = wanted->tuning_cents;
    const Steer steer = steering_step(&model->steering, &stream->steering, wanted, stream->generator.last);
    generator_step(&model->generator, &stream->generator, wanted, noise, &steer, tokens, &stream->scratch, stream->work);
    const float loud_db = dynamics_db(&model->steering, &stream->steering);
    quick_end(quick);
    return loud_db;
}

void gigmate_sound(GigmateStream *stream, const int32_t *tokens, float loud_db, float *audio) {
    const unsigned quick = quick_begin();
    const GigmateModel *model = stream->model;
    const size_t count = (size_t)model->sizes.parts * model->sizes.hop * model->sizes.sub_frames;
    decoder_step(&model->decoder, &stream->decoder, tokens, stream->tuning_cents, stream->audio, &stream->scratch,
                 stream->work);
    steering_follow(&model->steering, &stream->steering, tokens, loud_db, stream->audio);
    memcpy(audio, stream->audio, count * sizeof(float));
    quick_end(quick);
}
