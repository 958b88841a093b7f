/* The band's step in C: what one frame of listening and playing computes, with int8 weights.

   The eager modules of model/ are the reference; the tests hold the two together. A model is read-only once it is made
   and may be shared by all threads; a stream belongs to one thread at a time. Nothing here allocates, locks or calls
   the system but gigmate_model_new, gigmate_stream_new and what frees them.

   Weights come as a list of arrays in the order in which the modules ask for them (packing.py), each checked for its
   size. Matrices are stored for the direction in which they are read: see kernels.h. */

#ifndef GIGMATE_STEP_H
#define GIGMATE_STEP_H

#include <stddef.h>
#include <stdint.h>

enum { LANES = 16, MAX_ROWS = 16, MAX_BLOCKS = 16, MAX_LAYERS = 16, MAX_PLACES = 32, MAX_PARTS = 8, MAX_SLOTS = 8 };

/* One array of weights: `count` values of `bytes` each. */
typedef struct {
    const void *data;
    int64_t count, bytes;
} GigmateArray;

/* Sizes, as the files of weights give them (packing.py fills it field by field). */
typedef struct {
    int32_t heard_size, sub_frames;
    int32_t listener_channels, listener_blocks, listener_kernel, listener_expand, listener_outputs;
    int32_t listener_dilations[MAX_BLOCKS];
    int32_t parts, styles, slots, codebooks, slot_entries, entries, codec_entries;
    int32_t layers, size, heads, hidden, window, condition, heard_channels, ahead_entries;
    int32_t depth_layers, depth_size, depth_heads, depth_hidden;
    int32_t latent, hop, coarse_channels, coarse_blocks, fine_channels, fine_blocks;
    int32_t voice_channels, voice_blocks, note_size, harmonics, bands, sung, sample_rate_hz;
    int32_t voice_dilations[MAX_BLOCKS];
    int32_t sung_rows[MAX_PARTS], sung_kinds[MAX_PARTS];
    int32_t drummer;
    float frame_rate_hz, codec_share, sound_temperature;
} GigmateSizes;

/* What the next frame is to be: see WantedFrame in runtime.py. */
typedef struct {
    float beat_phase, bar_phase, tempo_bpm, beats_per_bar, playing, confidence, known, density, fill;
    int32_t chord_root;
    float pitch_classes[12];
    int32_t style, ahead;
    float temperature, top_p;
    int32_t top_k;
    double tuning_cents;
    const float *hand_bias;                          /* [parts][STEERED][slot entries]: see note_hand.py; NULL: none */
    float busier[MAX_PARTS], unasked[MAX_PARTS];     /* of each part: density besides, and 0 where it must be silent */
} GigmateWanted;

typedef struct GigmateModel GigmateModel;
typedef struct GigmateStream GigmateStream;

GigmateModel *gigmate_model_new(const GigmateSizes *sizes, const GigmateArray *arrays, int32_t count, char *error,
                                int32_t error_size);
void gigmate_model_free(GigmateModel *model);
/* Hand memory that loading has left over back to the system. */
void gigmate_give_back(void);
GigmateStream *gigmate_stream_new(const GigmateModel *model);
void gigmate_stream_free(GigmateStream *stream);
int64_t gigmate_stream_bytes(const GigmateModel *model);
/* Numbers too small to be heard are nothing from now on in this thread: computing with them takes long. */
void gigmate_prepare_thread(void);
void gigmate_reset_listening(GigmateStream *stream);
void gigmate_reset_playing(GigmateStream *stream);
void gigmate_listen(GigmateStream *stream, const float *features, float *logits);
void gigmate_hear(GigmateStream *stream, const float *features);
float gigmate_draw(GigmateStream *stream, const GigmateWanted *wanted, const float *noise, int32_t *tokens);
void gigmate_sound(GigmateStream *stream, const int32_t *tokens, float dynamics_db, float *audio);
/* Go on as if these tokens [parts][places] (-1: none) had been played last. */
void gigmate_recall(GigmateStream *stream, const int32_t *tokens);
/* For tests: one draw, and what was made of the newest sound. */
int32_t gigmate_sample(int32_t count, const float *logits, float noise, float temperature, int32_t top_k, float top_p);
void gigmate_encoded(const GigmateStream *stream, float *heard);

#endif
