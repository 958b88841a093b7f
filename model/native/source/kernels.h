/* Products of few rows with a matrix, and the functions of a number that the layers need.

   Linear: int8 weights, a scale for each output, activations of each row rounded to int8 by the row's largest. Stored
   as [outputs / 16][inputs / 4][16][4], so that one instruction multiplies four inputs with sixteen outputs and none
   has to be summed across lanes. The integer sums are exact, whichever instructions make them.
   Dense: float weights [inputs][outputs], for what is small, or spans too many decibels for int8. */

#ifndef GIGMATE_KERNELS_H
#define GIGMATE_KERNELS_H

#include "step.h"

typedef struct {
    int in, out, groups, blocks; /* groups of 4 inputs, blocks of 16 outputs */
    const int8_t *weight;
    const int32_t *start; /* [blocks * 16]: -128 times the sum of the weights */
    const float *scale;   /* [blocks * 16] */
    const float *bias;    /* [blocks * 16] */
} Linear;

typedef struct {
    int in, out, blocks;
    const float *weight; /* [in][blocks * 16] */
    const float *bias;   /* [blocks * 16] */
} Dense;

/* Rows rounded to int8; `codes` holds them padded to whole groups. */
typedef struct {
    int8_t *codes;
    int stride;
    float scale[MAX_ROWS];
} Rounded;

/* Numbers rounded to int8 by the largest of them, and what one of the codes is worth. */
float rounded(int count, const float *x, int8_t *codes);
/* Exact sums of one row of codes [groups * 4] with int8 weights, [blocks * 16]: a group of a block is 64 bytes, the next
   group's lie `group_step` further, the next block's `block_step`. */
void row_sums(const int8_t *codes, int groups, const int8_t *weight, size_t group_step, int blocks, size_t block_step,
              const int32_t *start, float *y);
float largest(int count, const float *x);
void linear(const Linear *of, int rows, const float *x, int x_stride, float *y, int y_stride, Rounded *scratch);
void dense(const Dense *of, int rows, const float *x, int x_stride, float *y, int y_stride);
void layer_norm(int size, const float *x, const float *weight, const float *bias, float *y);
float length_of(int size, const float *x);
void gelu(int count, float *x);
void silu(int count, float *x);
void gated(int count, const float *gate_and_value, float *y); /* silu(first half) * second half */
void softmax(int count, float *x);
void sines(int count, const float *cycles, float *sine, float *cosine);
void sigmoid(int count, float *x);
void exponential(int count, float *x);
void hyperbolic_tangent(int count, float *x);

#endif
