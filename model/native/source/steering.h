/* Steers the notes and follows the musician's dynamics (model/generator/note_steering.py, drum_dynamics.py). */

#ifndef GIGMATE_STEERING_H
#define GIGMATE_STEERING_H

#include "generator.h"

/* The constants of note_steering.py and drum_dynamics.py, in the order of steering_tables.CONSTANTS. */
typedef struct {
    float memory_beats, density_octaves, push_nats, push_up_nats, push_down_nats, push_down_on_beat_nats, density_nats;
    float hold_nats, hold_shorter_nats, hold_longer_nats, least_note_beats, fill_nats, fastest_fill_frames;
    float least_fill_beats, tom_nats, loud_hits_nats, loudness_nats_per_db, silent_level_db, silent_below_db, gap_s;
    float rest_s, near_db, rise_s, fall_s, slow_s, sure_s, louder_db, softer_db, follow_share;
    float ring_s, attack_s, full_db, knee;
} SteeringConstants;

typedef struct {
    GigmateSizes sizes;
    int mel_size;
    const SteeringConstants *is;
    const float *pull;                      /* [parts] */
    const float *usual, *share;             /* [styles + 1][parts] */
    const float *triplets;                  /* [styles + 1] */
    const float *fill_voices, *toms, *crash, *classes; /* [slot entries] */
    const int32_t *hits;                    /* [slot entries]: what is struck, 1 to 4 */
    const float *hit_levels_db;             /* [styles + 1][5] */
} Steering;

typedef struct {
    float *owed, *held, *age; /* [parts] */
    float *push, *bias;       /* the last Steer */
    float filled_beats, gain_db;
    float quick_db, slow_db, played_s, silent_s;
    int style;
    float drum_gain_db;
    int late;
} SteeringState;

Steering deal_steering(Dealer *dealer, const GigmateSizes *sizes);
SteeringState take_steering(Memory *memory, const Steering *steering);
void steering_clear(const Steering *steering, SteeringState *state);
void steering_hear(const Steering *steering, SteeringState *state, const float *features);
Steer steering_step(const Steering *steering, SteeringState *state, const GigmateWanted *wanted, const int32_t *last);
float dynamics_db(const Steering *steering, const SteeringState *state);
/* Audio [parts][frame] in place, of the frame with these tokens [parts][places]. */
void steering_follow(const Steering *steering, SteeringState *state, const int32_t *tokens, float now_db, float *audio);

#endif
