#include "steering.h"

#include <math.h>
#include <string.h>

enum { STATE = 0, LOUDNESS = 1, FIRST_NOTE = 2, QUARTERS = 4, LEVELS = 5 };

static float within(float x, float low, float high) { return fminf(fmaxf(x, low), high); }

Steering deal_steering(Dealer *dealer, const GigmateSizes *s) {
    Steering of = {.sizes = *s};
    const int64_t styles = s->styles + 1;
    of.is = (const SteeringConstants *)deal(dealer, sizeof(SteeringConstants) / sizeof(float), sizeof(float));
    of.mel_size = *(const int32_t *)deal(dealer, 1, sizeof(int32_t));
    of.pull = deal_floats(dealer, s->parts);
    of.usual = deal_floats(dealer, styles * s->parts);
    of.share = deal_floats(dealer, styles * s->parts);
    of.triplets = deal_floats(dealer, styles);
    of.fill_voices = deal_floats(dealer, s->slot_entries);
    of.toms = deal_floats(dealer, s->slot_entries);
    of.crash = deal_floats(dealer, s->slot_entries);
    of.classes = deal_floats(dealer, s->slot_entries);
    of.hits = (const int32_t *)deal(dealer, s->slot_entries, sizeof(int32_t));
    of.hit_levels_db = deal_floats(dealer, styles * LEVELS);
    return of;
}

SteeringState take_steering(Memory *memory, const Steering *of) {
    SteeringState state = {0};
    const GigmateSizes *s = &of->sizes;
    state.owed = take_floats(memory, s->parts);
    state.held = take_floats(memory, s->parts);
    state.age = take_floats(memory, s->parts);
    state.push = take_floats(memory, s->parts);
    state.bias = take_floats(memory, (size_t)s->parts * STEERED * s->slot_entries);
    return state;
}

void steering_clear(const Steering *of, SteeringState *state) {
    const SteeringState kept = *state;
    memset(state, 0, sizeof *state);
    state->owed = kept.owed, state->held = kept.held, state->age = kept.age;
    state->push = kept.push, state->bias = kept.bias;
    for (float **part = (float *[]){state->owed, state->held, state->age, NULL}; *part; part++)
        memset(*part, 0, (size_t)of->sizes.parts * sizeof(float));
}

/* Steering.hear: how loud the musician is. */
void steering_hear(const Steering *of, SteeringState *state, const float *features) {
    const SteeringConstants *is = of->is;
    double sum = 0.0;
    for (int i = 0; i < of->mel_size; i++) sum += pow(10.0, (features[i] - 1.0) * 5.0);
    const float frame_db = (float)(10.0 * log10(sum / of->mel_size + 1e-10)) + 100.0f;
    float quick = state->quick_db, slow = state->slow_db;
    const float step_s = 1.0f / of->sizes.frame_rate_hz;
    const int silent = frame_db < fmaxf(is->silent_level_db, slow - is->silent_below_db);
    state->silent_s = silent ? state->silent_s + step_s : 0.0f;
    if (state->silent_s > is->rest_s) {
        quick += (slow - quick) * step_s / is->fall_s; /* who is gone is no example */
    } else if (state->played_s == 0.0f) {
        quick = frame_db;
    } else {
        const double now = pow(10.0, frame_db / 10.0), mean = pow(10.0, quick / 10.0);
        const double share = fmin(1.0, step_s / (now > mean ? is->rise_s : is->fall_s));
        quick = (float)(10.0 * log10(mean + (now - mean) * share));
    }
    if (state->silent_s <= is->gap_s) {
        state->played_s = fminf(state->played_s + step_s, is->slow_s);
        const double now = pow(10.0, quick / 10.0), mean = pow(10.0, slow / 10.0);
        slow = (float)(10.0 * log10(mean + (now - mean) * step_s / state->played_s));
    }
    state->quick_db = quick;
    state->slow_db = slow;
}

float dynamics_db(const Steering *of, const SteeringState *state) {
    const SteeringConstants *is = of->is;
    const float sure = fminf(1.0f, state->played_s / is->sure_s);
    float off_db = state->quick_db - state->slow_db;
    off_db = fmaxf(0.0f, off_db - is->near_db) + fminf(0.0f, off_db + is->near_db);
    return sure * within(off_db, -is->softer_db, is->louder_db);
}

/* Hits on snare and toms toward the bar line, and a crash on it (Steering._fill). */
static void fill(const Steering *of, SteeringState *state, const GigmateWanted *w, float asked, float beat) {
    const SteeringConstants *is = of->is;
    const GigmateSizes *s = &of->sizes;
    const float phase = w->beat_phase, left = (1.0f - w->bar_phase) * w->beats_per_bar;
    const float beats = state->filled_beats;
    const int line_here = left < 0.999f * beat;
    const int crash = beats > 0.0f && (asked <= 0.0f || (line_here && beats >= is->least_fill_beats));
    int quarter = -1;
    if (crash) {
        quarter = line_here ? (int)fminf(3.0f, left / beat * 4.0f) : 0;
    } else if (asked > 0.0f) {
        float lines = of->triplets[w->style] > 0.0f ? 3.0f : left <= 2.0f ? 4.0f : 2.0f;
        while (lines > 1.0f && 1.0f / lines < is->fastest_fill_frames * beat) lines = lines != 4.0f ? lines - 1.0f : 2.0f;
        const float ahead = (float)((ceil(phase * lines - 1e-4) - phase * lines) / lines);
        if (ahead < 0.999f * beat) quarter = (int)within(ahead / beat * 4.0f, 0.0f, 3.0f);
    }
    const float low = is->tom_nats * (1.0f - fminf(1.0f, left / 3.0f)) - 1.0f;
    state->filled_beats = asked > 0.0f && !crash ? beats + beat : 0.0f;
    for (int part = 0; part < s->parts; part++) {
        if (of->pull[part] >= 0.0f) continue;
        float *bias = state->bias + (size_t)part * STEERED * s->slot_entries;
        if (quarter >= 0) bias[STATE * s->slot_entries + 1 + quarter] += is->fill_nats;
        if (!crash && asked <= 0.0f) continue;
        for (int entry = 0; entry < s->slot_entries; entry++) {
            bias[FIRST_NOTE * s->slot_entries + entry] +=
                crash ? of->crash[entry] : of->fill_voices[entry] + of->toms[entry] * low;
            bias[LOUDNESS * s->slot_entries + entry] += is->loud_hits_nats * of->classes[entry];
        }
    }
}

Steer steering_step(const Steering *of, SteeringState *state, const GigmateWanted *w, const int32_t *last) {
    const SteeringConstants *is = of->is;
    const GigmateSizes *s = &of->sizes;
    const int places = s->slots + s->codebooks;
    const float playing = w->playing * w->known, beat = w->tempo_bpm / (60.0f * s->frame_rate_hz);
    const float keep = 1.0f - beat / is->memory_beats, loud_db = dynamics_db(of, state);
    const int on_beat = fminf(w->beat_phase, 1.0f - w->beat_phase) <= 1.25f * beat;
    state->style = w->style;
    const size_t biased = (size_t)s->parts * STEERED * s->slot_entries;
    memset(state->bias, 0, biased * sizeof(float));
    for (int part = 0; part < s->parts; part++) {
        const int before = last[part * places + STATE] - 1;
        const float begun = before >= 1 && before <= QUARTERS ? 1.0f : 0.0f;
        const float sounding = last[part * places + FIRST_NOTE] > 1 ? 1.0f : 0.0f;
        const float usual = of->usual[w->style * s->parts + part], share = of->share[w->style * s->parts + part];
        const float density = w->density + w->busier[part], owing = playing * w->unasked[part];
        const float wanted = usual * exp2f(is->density_octaves * (density - 0.5f));
        float *bias = state->bias + (size_t)part * STEERED * s->slot_entries;
        state->owed[part] = (state->owed[part] * keep + wanted * beat - begun) * owing;
        state->held[part] = (state->held[part] * keep + (sounding - share) * beat) * owing;
        state->age[part] = (state->age[part] + beat) * (1.0f - begun);
        const float push = is->push_nats * state->owed[part] / (is->memory_beats * wanted) +
                           2.0f * is->density_nats * (density - 0.5f);
        state->push[part] =
            within(push, on_beat ? -is->push_down_on_beat_nats : -is->push_down_nats, is->push_up_nats) * playing;
        const float shorter = within(is->hold_nats * state->held[part] / is->memory_beats, -is->hold_longer_nats,
                                     is->hold_shorter_nats);
        if (of->pull[part] >= 0.0f && state->age[part] >= is->least_note_beats) bias[STATE * s->slot_entries] = shorter;
        for (int entry = 0; entry < s->slot_entries; entry++)
            bias[LOUDNESS * s->slot_entries + entry] = is->loudness_nats_per_db * loud_db * of->classes[entry];
    }
    fill(of, state, w, w->fill * w->known, beat);
    for (size_t i = 0; w->hand_bias && i < biased; i++) state->bias[i] += w->hand_bias[i];
    Steer steer = {of->pull, state->push, state->bias};
    return steer;
}

/* DrumDynamics.forward */
static void touch(const Steering *of, SteeringState *state, const int32_t *slots, float *audio) {
    const SteeringConstants *is = of->is;
    const int frame = of->sizes.hop * of->sizes.sub_frames, length = frame / QUARTERS;
    const float *levels_db = of->hit_levels_db + (size_t)state->style * LEVELS;
    const int begins = slots[STATE], struck = of->hits[slots[FIRST_NOTE] > 0 ? slots[FIRST_NOTE] : 0];
    const float ring_share = 1.0f - expf(-1.0f / (QUARTERS * of->sizes.frame_rate_hz * is->ring_s));
    const float attack = is->attack_s * of->sizes.frame_rate_hz * (float)frame;
    for (int quarter = 0; quarter < QUARTERS; quarter++) {
        /* the decoder is a quarter late: a hit of the last one sounds in the next frame */
        const int hit = quarter == 0 ? state->late : begins == quarter ? struck : 0;
        const int stop = (quarter + 2) * length < frame ? (quarter + 2) * length : frame;
        float *own = audio + quarter * length, peak = 0.0f;
        for (int i = quarter * length; i < stop; i++) peak = fmaxf(peak, fabsf(audio[i]));
        const float room_db = fmaxf(0.0f, is->full_db - 20.0f * log10f(peak + 1e-6f));
        float now_db = levels_db[hit];
        if (hit == 0) now_db = state->drum_gain_db + (now_db - state->drum_gain_db) * ring_share;
        now_db = fminf(now_db, room_db);
        /* the peak of the next quarter is looked at before its gain is known, so gains are kept until the end */
        for (int i = 0; i < length; i++) {
            const float glide = hit > 0 ? fminf((i + 1.0f) / attack, 1.0f) : (i + 1.0f) / (float)length;
            own[frame + i] = (state->drum_gain_db + (now_db - state->drum_gain_db) * glide) * 0.11512925f;
        }
        state->drum_gain_db = now_db;
    }
    state->late = begins == QUARTERS ? struck : 0;
    float *gain = audio + frame;
    exponential(frame, gain);
    for (int i = 0; i < frame; i++) {
        const float drums = audio[i] * gain[i], over = fmaxf(fabsf(drums) - is->knee, 0.0f);
        audio[i] = over > 0.0f
                       ? drums - copysignf(over - (1.0f - is->knee) * tanhf(over / (1.0f - is->knee)), drums)
                       : drums;
    }
}

void steering_follow(const Steering *of, SteeringState *state, const int32_t *tokens, float now_db, float *audio) {
    const GigmateSizes *s = &of->sizes;
    const int frame = s->hop * s->sub_frames, places = s->slots + s->codebooks;
    const float before = state->gain_db, now = of->is->follow_share * now_db;
    float *gain = audio + (size_t)s->parts * frame; /* room behind the last part */
    if (before != 0.0f || now != 0.0f) {
        for (int i = 0; i < frame; i++) gain[i] = (before + (now - before) * (i + 1.0f) / (float)frame) * 0.11512925f;
        exponential(frame, gain);
        for (int part = 0; part < s->parts; part++)
            for (int i = 0; i < frame; i++) audio[(size_t)part * frame + i] *= gain[i];
    }
    state->gain_db = now;
    if (s->drummer < 0) return;
    float *drums = gain;
    float *own = audio + (size_t)s->drummer * frame;
    memcpy(drums, own, (size_t)frame * sizeof(float));
    touch(of, state, tokens + s->drummer * places, drums);
    memcpy(own, drums, (size_t)frame * sizeof(float));
}
