/* Kernels of neural-network layers other than matrix products, one table an instruction set. */
#ifndef TSR_OPS_NN_H
#define TSR_OPS_NN_H

#include "ops/gemm.h"

/* One row times whole packed panels that follow each other (one k block, see tsr_packed). */
typedef struct tsr_gemv {
  const float *a, *b;        /* k terms; panels of nv vectors, [panel][k][vector] */
  const float *bias;         /* or NULL */
  float *y;
  int64_t k, panels;
  int nv;                    /* 1 to 3 */
  bool accumulate;           /* add to y */
} tsr_gemv;

/* Rows of n scores, 1 to `few` of them, ld apart and readable up to a whole vector: in place of them
 * e^(x * scale + mask + mask2 - their maximum), divided by the sum.  Rows of the masks may lie 0 apart. */
typedef struct tsr_weigh {
  float *x; int64_t ld, rows, n;
  const float *mask, *mask2;  /* mask2, or both, may be NULL */
  int64_t mask_ld, mask2_ld;
  float scale;
  float *sums;               /* of each row; NaN: of a row that holds NaN, or of which nothing is left */
} tsr_weigh;

typedef struct tsr_nn_fns {
  /* y = (x - mean) / sqrt(var + eps) * w + b over n elements; w, b may be NULL; stores mean and 1/sqrt when asked. */
  void (*layer_norm)(float *y, const float *x, const float *w, const float *b, int64_t n, float eps, float *mean, float *rstd);
  void (*rms_norm)(float *y, const float *x, const float *w, int64_t n, float eps);
  void (*scale_shift)(float *y, const float *x, float scale, float shift, int64_t n);
  void (*scale_shift_v)(float *y, const float *x, const float *scale, const float *shift, int64_t n);
  void (*moments)(const float *x, int64_t n, float *mean, float *m2); /* m2: sum of squared deviations */
  /* x = e^(x * scale + mask + mask2 - their maximum), n > 0; mask2, or both, may be NULL.  Returns the sum. */
  float (*weigh)(float *x, const float *mask, const float *mask2, float scale, int64_t n);
  void (*weigh_few)(const tsr_weigh *w);
  int64_t few;
  void (*max_into)(float *y, const float *x, int64_t n);  /* y = max(y, x), NaN wins */
  void (*add_into)(float *y, const float *x, int64_t n);  /* y += x */
  void (*scale)(float *y, float s, int64_t n);
  void (*axpy)(float *y, const float *x, float a, int64_t n);
  /* Summed gates i f g o of n units, `stride` apart; c is updated, h written. */
  void (*lstm_gates)(const float *gates, int64_t stride, float *c, float *h, int64_t n);
  /* Input and recurrent gates r z n, `stride` apart; h: previous state, out: the next. */
  void (*gru_gates)(const float *gx, const float *gh, int64_t stride, const float *h, float *out, int64_t n);
  void (*gemv)(const tsr_gemv *g);
  /* y[i] = sum over k < count of w[k] * x[at[k] * n + i], i < n; what has weight 0 from the second on is not looked at */
  void (*mix)(float *y, const float *x, const int64_t *at, const float *w, int count, int64_t n);
  float (*sum)(const float *x, int64_t n);
  float (*max)(const float *x, int64_t n);
} tsr_nn_fns;

extern const tsr_nn_fns tsr_nn_scalar, tsr_nn_avx2, tsr_nn_avx512, tsr_nn_neon;

#endif
