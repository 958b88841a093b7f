/* Tokens to sound: the codec's decoder, and the voice of the pitched parts (model/codec/, model/voice.py). */

#ifndef GIGMATE_DECODER_H
#define GIGMATE_DECODER_H

#include "layers.h"

enum { RELEASE_POINTS = 5 };

typedef struct {
    const float *codes; /* [codebooks][entries][latent] */
    Head head;
    Block coarse[MAX_BLOCKS], fine[MAX_BLOCKS];
    Linear up, tail;
    const float *norm_weight, *norm_bias;
    Dense inverse; /* [hop][2 * hop] */
} Codec;

typedef struct {
    Linear latent;
    const float *slot[MAX_SLOTS]; /* [slot entries][channels] */
    const float *part;            /* [kinds][channels] */
    Block block[MAX_BLOCKS];
    const float *norm_weight, *norm_bias;
    Linear to_note, note_a, note_b, gain;
    const float *pitch, *held; /* [slot entries][note size], [note size] */
    const float *tilt, *offset; /* [harmonics]; offset in cycles */
    const int32_t *band_of_bin; /* [hop] */
    const float *release;       /* [RELEASE_POINTS] */
} Voice;

typedef struct {
    GigmateSizes sizes;
    int notes, fine; /* fine: samples of a stretch */
    Codec codec;
    Voice voice;
} Decoder;

typedef struct {
    float *head_past;
    BlockState coarse[MAX_BLOCKS], fine[MAX_BLOCKS], voice[MAX_BLOCKS];
    float *overlap;       /* [parts][hop] */
    int32_t *notes;       /* [sung][notes] */
    float *points, *tail; /* [sung][notes][harmonics], [sung][hop] */
    double clock;         /* samples at A 440 */
} DecoderState;

Decoder deal_decoder(Dealer *dealer, const GigmateSizes *sizes);
DecoderState take_decoder(Memory *memory, const Decoder *decoder);
void decoder_clear(const Decoder *decoder, DecoderState *state);
size_t decoder_work(const Decoder *decoder);
/* Tokens [parts][places] of a frame to audio [parts][frame]. */
void decoder_step(const Decoder *decoder, DecoderState *state, const int32_t *tokens, double tuning_cents, float *audio,
                  Scratch *scratch, float *work);

Voice deal_voice(Dealer *dealer, const GigmateSizes *sizes, int kinds);
size_t voice_work(const Decoder *decoder);
/* Adds the oscillators to audio and weighs the codec's coefficients [sung][sub frames][hop] in place. */
void voice_step(const Decoder *decoder, DecoderState *state, const float *latents, const int32_t *tokens,
                double tuning_cents, float *coefficients, float *sound, Scratch *scratch, float *work);

#endif
