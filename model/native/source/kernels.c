#include "kernels.h"

#include <math.h>
#include <string.h>

#if defined(__AVX512VNNI__) || defined(__AVX2__)
#include <immintrin.h>
#elif defined(__ARM_FEATURE_DOTPROD)
#include <arm_neon.h>
#endif

typedef float Floats __attribute__((vector_size(64), aligned(4)));
#define INLINE static inline __attribute__((always_inline))

/* ------------------------------------------------------------------------------- four inputs, sixteen outputs */

#if defined(__AVX512VNNI__)

typedef __m512i Sums;
/* The instruction wants unsigned inputs: they are moved up by 128, and `start` takes that off again. */
INLINE Sums sums_begin(const int32_t *start) { return _mm512_loadu_si512(start); }
INLINE Sums sums_add(Sums sums, const int8_t *four, const int8_t *weight) {
    int32_t word;
    memcpy(&word, four, 4);
    return _mm512_dpbusd_epi32(sums, _mm512_set1_epi32(word ^ (int32_t)0x80808080), _mm512_loadu_si512(weight));
}
INLINE Floats sums_end(Sums sums) { return (Floats)_mm512_cvtepi32_ps(sums); }

#elif defined(__AVX2__)

typedef struct {
    __m256i half[2];
} Sums;
INLINE Sums sums_begin(const int32_t *start) {
    (void)start;
    Sums none = {{_mm256_setzero_si256(), _mm256_setzero_si256()}};
    return none;
}
INLINE Sums sums_add(Sums sums, const int8_t *four, const int8_t *weight) {
    int32_t word;
    memcpy(&word, four, 4);
    const __m256i inputs = _mm256_set1_epi32(word), ones = _mm256_set1_epi16(1);
    const __m256i sizes = _mm256_abs_epi8(inputs);
    for (int half = 0; half < 2; half++) {
        /* no pair of products is more than 2 * 127 * 127, so none is clipped */
        const __m256i signed_weight =
            _mm256_sign_epi8(_mm256_loadu_si256((const __m256i *)(weight + 32 * half)), inputs);
        const __m256i pairs = _mm256_maddubs_epi16(sizes, signed_weight);
        sums.half[half] = _mm256_add_epi32(sums.half[half], _mm256_madd_epi16(pairs, ones));
    }
    return sums;
}
INLINE Floats sums_end(Sums sums) {
    Floats out;
    _mm256_storeu_ps((float *)&out, _mm256_cvtepi32_ps(sums.half[0]));
    _mm256_storeu_ps((float *)&out + 8, _mm256_cvtepi32_ps(sums.half[1]));
    return out;
}

#elif defined(__ARM_FEATURE_DOTPROD)

typedef struct {
    int32x4_t quarter[4];
} Sums;
INLINE Sums sums_begin(const int32_t *start) {
    (void)start;
    Sums none = {{vdupq_n_s32(0), vdupq_n_s32(0), vdupq_n_s32(0), vdupq_n_s32(0)}};
    return none;
}
INLINE Sums sums_add(Sums sums, const int8_t *four, const int8_t *weight) {
    int32_t word;
    memcpy(&word, four, 4);
    const int8x16_t inputs = vreinterpretq_s8_s32(vdupq_n_s32(word));
    for (int quarter = 0; quarter < 4; quarter++)
        sums.quarter[quarter] = vdotq_s32(sums.quarter[quarter], inputs, vld1q_s8(weight + 16 * quarter));
    return sums;
}
INLINE Floats sums_end(Sums sums) {
    Floats out;
    for (int quarter = 0; quarter < 4; quarter++)
        vst1q_f32((float *)&out + 4 * quarter, vcvtq_f32_s32(sums.quarter[quarter]));
    return out;
}

#else

typedef struct {
    int32_t lane[LANES];
} Sums;
INLINE Sums sums_begin(const int32_t *start) {
    (void)start;
    Sums none;
    memset(&none, 0, sizeof none);
    return none;
}
INLINE Sums sums_add(Sums sums, const int8_t *four, const int8_t *weight) {
    for (int lane = 0; lane < LANES; lane++)
        for (int input = 0; input < 4; input++) sums.lane[lane] += (int32_t)four[input] * weight[4 * lane + input];
    return sums;
}
INLINE Floats sums_end(Sums sums) {
    Floats out;
    for (int lane = 0; lane < LANES; lane++) out[lane] = (float)sums.lane[lane];
    return out;
}

#endif

/* ------------------------------------------------------------------------------------------------- matrices */

/* Numbers as integers of the same order: their largest is found side by side, which that of floats is not. */
INLINE int32_t ordered(float x) {
    int32_t bits;
    memcpy(&bits, &x, 4);
    return bits ^ ((bits >> 31) & 0x7fffffff);
}

float largest(int count, const float *x) {
    int32_t most = ordered(x[0]);
    for (int i = 1; i < count; i++) {
        const int32_t own = ordered(x[i]);
        most = own > most ? own : most;
    }
    most ^= (most >> 31) & 0x7fffffff;
    float value;
    memcpy(&value, &most, 4);
    return value;
}

float rounded(int count, const float *x, int8_t *codes) {
    int32_t bits = 0;
    for (int i = 0; i < count; i++) {
        const int32_t own = ordered(fabsf(x[i]));
        bits = own > bits ? own : bits;
    }
    float most;
    memcpy(&most, &bits, 4);
    most = most > 1e-20f ? most : 1e-20f;
    const float by = 127.0f / most;
    for (int i = 0; i < count; i++) codes[i] = (int8_t)(int32_t)rintf(x[i] * by);
    return most / 127.0f;
}

static void round_rows(const Linear *of, int rows, const float *x, int stride, Rounded *into) {
    into->stride = 4 * of->groups;
    for (int row = 0; row < rows; row++) {
        int8_t *codes = into->codes + (size_t)row * into->stride;
        into->scale[row] = rounded(of->in, x + (size_t)row * stride, codes);
        for (int i = of->in; i < into->stride; i++) codes[i] = 0;
    }
}

static void store(int count, float *y, Floats value) {
    if (count >= LANES)
        memcpy(y, &value, sizeof value);
    else
        memcpy(y, &value, (size_t)count * sizeof(float));
}

INLINE void linear_tile(const int blocks, const int rows, const Linear *of, int block, const Rounded *x, int row,
                        float *y, int stride) {
    Sums sums[4][4];
    const size_t step = (size_t)of->groups * 64;
    const int8_t *weight = of->weight + block * step;
    for (int b = 0; b < blocks; b++)
        for (int r = 0; r < rows; r++) sums[b][r] = sums_begin(of->start + (block + b) * LANES);
    for (int group = 0; group < of->groups; group++)
        for (int b = 0; b < blocks; b++)
            for (int r = 0; r < rows; r++)
                sums[b][r] = sums_add(sums[b][r], x->codes + (size_t)(row + r) * x->stride + 4 * group,
                                      weight + b * step + (size_t)group * 64);
    for (int b = 0; b < blocks; b++)
        for (int r = 0; r < rows; r++) {
            const int first = (block + b) * LANES;
            Floats scale, bias;
            memcpy(&scale, of->scale + first, sizeof scale);
            memcpy(&bias, of->bias + first, sizeof bias);
            store(of->out - first, y + (size_t)(row + r) * stride + first,
                  sums_end(sums[b][r]) * (scale * x->scale[row + r]) + bias);
        }
}

#define ROWS(TILE, BLOCKS, ...)                                                                                        \
    switch (rows - row) {                                                                                              \
        case 1: TILE(BLOCKS, 1, __VA_ARGS__); break;                                                                   \
        case 2: TILE(BLOCKS, 2, __VA_ARGS__); break;                                                                   \
        case 3: TILE(BLOCKS, 3, __VA_ARGS__); break;                                                                   \
        default: TILE(BLOCKS, 4, __VA_ARGS__); break;                                                                  \
    }

void linear(const Linear *of, int rows, const float *x, int x_stride, float *y, int y_stride, Rounded *scratch) {
    round_rows(of, rows, x, x_stride, scratch);
    int block = 0;
    for (; block + 4 <= of->blocks; block += 4)
        for (int row = 0; row < rows; row += 4) ROWS(linear_tile, 4, of, block, scratch, row, y, y_stride)
    for (; block < of->blocks; block++)
        for (int row = 0; row < rows; row += 4) ROWS(linear_tile, 1, of, block, scratch, row, y, y_stride)
}

INLINE void sums_tile(const int count, const int8_t *codes, int groups, const int8_t *weight, size_t group_step,
                      size_t block_step, const int32_t *start, float *y) {
    Sums sums[4];
    for (int b = 0; b < count; b++) sums[b] = sums_begin(start + b * LANES);
    for (int group = 0; group < groups; group++)
        for (int b = 0; b < count; b++)
            sums[b] = sums_add(sums[b], codes + 4 * group, weight + b * block_step + group * group_step);
    for (int b = 0; b < count; b++) {
        const Floats made = sums_end(sums[b]);
        memcpy(y + b * LANES, &made, sizeof made);
    }
}

void row_sums(const int8_t *codes, int groups, const int8_t *weight, size_t group_step, int blocks, size_t block_step,
              const int32_t *start, float *y) {
    int block = 0;
    for (; block + 4 <= blocks; block += 4)
        sums_tile(4, codes, groups, weight + block * block_step, group_step, block_step, start + block * LANES,
                  y + block * LANES);
    for (; block < blocks; block++)
        sums_tile(1, codes, groups, weight + block * block_step, group_step, block_step, start + block * LANES,
                  y + block * LANES);
}

INLINE void dense_tile(const int blocks, const int rows, const Dense *of, int block, const float *x, int x_stride,
                       int row, float *y, int y_stride) {
    Floats sums[4][4];
    const size_t step = (size_t)of->blocks * LANES;
    const float *weight = of->weight + (size_t)block * LANES;
    for (int b = 0; b < blocks; b++)
        for (int r = 0; r < rows; r++) memcpy(&sums[b][r], of->bias + (block + b) * LANES, sizeof(Floats));
    for (int i = 0; i < of->in; i++)
        for (int b = 0; b < blocks; b++) {
            Floats column;
            memcpy(&column, weight + i * step + b * LANES, sizeof column);
            for (int r = 0; r < rows; r++) sums[b][r] += column * x[(size_t)(row + r) * x_stride + i];
        }
    for (int b = 0; b < blocks; b++)
        for (int r = 0; r < rows; r++) {
            const int first = (block + b) * LANES;
            store(of->out - first, y + (size_t)(row + r) * y_stride + first, sums[b][r]);
        }
}

void dense(const Dense *of, int rows, const float *x, int x_stride, float *y, int y_stride) {
    int block = 0;
    for (; block + 4 <= of->blocks; block += 4)
        for (int row = 0; row < rows; row += 4) ROWS(dense_tile, 4, of, block, x, x_stride, row, y, y_stride)
    for (; block < of->blocks; block++)
        for (int row = 0; row < rows; row += 4) ROWS(dense_tile, 1, of, block, x, x_stride, row, y, y_stride)
}

/* -------------------------------------------------------------------------------------- functions of a number */

INLINE float exp_of(float x) {
    x = x < -87.0f ? -87.0f : x > 88.0f ? 88.0f : x;
    const float turns = rintf(x * 1.44269504f);
    const float rest = (x - turns * 0.693359375f) + turns * 2.12194440e-4f;
    float sum = 1.9875691500e-4f;
    sum = sum * rest + 1.3981999507e-3f;
    sum = sum * rest + 8.3334519073e-3f;
    sum = sum * rest + 4.1665795894e-2f;
    sum = sum * rest + 1.6666665459e-1f;
    sum = sum * rest + 5.0000001201e-1f;
    sum = sum * rest * rest + rest + 1.0f;
    const int32_t bits = ((int32_t)turns + 127) << 23;
    float power;
    memcpy(&power, &bits, 4);
    return sum * power;
}

/* Abramowitz and Stegun 7.1.26; the error is below 2e-7. */
INLINE float erf_of(float x) {
    const float size = fabsf(x), t = 1.0f / (1.0f + 0.3275911f * size);
    const float sum = ((((1.061405429f * t - 1.453152027f) * t + 1.421413741f) * t - 0.284496736f) * t + 0.254829592f) * t;
    return copysignf(1.0f - sum * exp_of(-size * size), x);
}

void layer_norm(int size, const float *x, const float *weight, const float *bias, float *y) {
    float mean = 0.0f, spread = 0.0f;
    for (int i = 0; i < size; i++) mean += x[i];
    mean /= (float)size;
    for (int i = 0; i < size; i++) spread += (x[i] - mean) * (x[i] - mean);
    const float by = 1.0f / sqrtf(spread / (float)size + 1e-5f);
    for (int i = 0; i < size; i++) y[i] = (x[i] - mean) * by * weight[i] + bias[i];
}

float length_of(int size, const float *x) {
    float sum = 0.0f;
    for (int i = 0; i < size; i++) sum += x[i] * x[i];
    return fmaxf(sqrtf(sum), 1e-6f);
}

void gelu(int count, float *x) {
    for (int i = 0; i < count; i++) x[i] = 0.5f * x[i] * (1.0f + erf_of(x[i] * 0.70710678f));
}

void silu(int count, float *x) {
    for (int i = 0; i < count; i++) x[i] = x[i] / (1.0f + exp_of(-x[i]));
}

void gated(int count, const float *both, float *y) {
    for (int i = 0; i < count; i++) y[i] = both[i] / (1.0f + exp_of(-both[i])) * both[count + i];
}

void sigmoid(int count, float *x) {
    for (int i = 0; i < count; i++) x[i] = 1.0f / (1.0f + exp_of(-x[i]));
}

void exponential(int count, float *x) {
    for (int i = 0; i < count; i++) x[i] = exp_of(x[i]);
}

void hyperbolic_tangent(int count, float *x) {
    for (int i = 0; i < count; i++) x[i] = 1.0f - 2.0f / (exp_of(2.0f * x[i]) + 1.0f);
}

void softmax(int count, float *x) {
    const float most = largest(count, x);
    float sum = 0.0f;
    for (int i = 0; i < count; i++) {
        x[i] = exp_of(x[i] - most);
        sum += x[i];
    }
    const float by = 1.0f / sum;
    for (int i = 0; i < count; i++) x[i] *= by;
}

/* sin(2 pi x) for x in [-.25, .25]; the error is below 1e-7. */
INLINE float quarter_sine(float x) {
    const float square = x * x;
    float sum = -14.9113f;
    sum = sum * square + 42.0443f;
    sum = sum * square - 76.70415f;
    sum = sum * square + 81.605222f;
    sum = sum * square - 41.341702f;
    return x * (sum * square + 6.2831853f);
}

INLINE float sine_of(float cycles) {
    float x = cycles - rintf(cycles);
    x = x > 0.25f ? 0.5f - x : x < -0.25f ? -0.5f - x : x;
    return quarter_sine(x);
}

void sines(int count, const float *cycles, float *sine, float *cosine) {
    for (int i = 0; i < count; i++) {
        sine[i] = sine_of(cycles[i]);
        cosine[i] = sine_of(cycles[i] + 0.25f);
    }
}
