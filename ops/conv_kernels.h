/* Kernels of convolutions that are no matrix product, channels last, one table an instruction set. */
#ifndef TSR_OPS_CONV_KERNELS_H
#define TSR_OPS_CONV_KERNELS_H

#include "ops/gemm.h"

/* One row of a depthwise convolution: out[ow][c] = epilogue(sum of w[r][kw][c] * row r [iw][c]); positions (of rows, of out and
 * residual) and kernel elements lie x_step, y_step and w_step floats apart. */
typedef struct tsr_dw {
  const float *const *rows; /* input rows of this output row, NULL: outside the input */
  int64_t row_count;        /* kernel rows (depth times height) */
  const float *w;           /* [row][kw][c] */
  const float *bias;        /* c or NULL */
  const float *residual;    /* as out, or NULL */
  float *out;
  int64_t c, iw, ow, kw, stride, pad, dil;
  int64_t x_step, y_step, w_step;
  tsr_act act;
  float p0, p1;
} tsr_dw;

enum { TSR_GROUP_TILE = 8, TSR_GROUP_ROWS = 16, TSR_GROUP_SPAN = 48, TSR_GROUP_LANES = 16 };

/* TSR_GROUP_TILE outputs of a row of a convolution in groups of 2, 4, … channels, at most a vector's. */
typedef struct tsr_group {
  const float *at[TSR_GROUP_ROWS][TSR_GROUP_SPAN];   /* where the channels of each column lie, by kernel row that is inside */
  const float *w[TSR_GROUP_ROWS];                    /* [kw][channel of a group][channel], w_step floats apart */
  int32_t lanes[TSR_GROUP_LANES][TSR_GROUP_LANES];   /* of each channel of a group: which lane each lane reads */
  int64_t rows, group, outputs;                      /* only so many are stored */
} tsr_group;

/* One row of results of a convolution with few input channels. */
typedef struct tsr_few {
  const float *const *rows; /* input rows by channel and kernel row, padded; NULL: outside the input */
  int64_t taps, kw;         /* how many rows, terms of each */
  const float *w;           /* panels of nv vectors of channels (the last may have fewer): [panel][tap][kw][channel] */
  int nv;
  const float *bias;        /* n or NULL */
  const float *residual;    /* as out, or NULL */
  float *out;               /* ow results of n channels, y_step apart */
  int64_t n, ow, y_step, stride;
  tsr_act act;
  float p0, p1;
} tsr_few;

/* Input of one tile of Winograd's algorithm, F(2x2, 3x3) or F(4x4, 3x3): channels [c0, c0 + c) of x[e], e < 16 or 36, are
 * transformed to v + at[e]. */
typedef struct tsr_wino_in { const float *const *x; int64_t c0, c; float *v; const int64_t *at; } tsr_wino_in;

/* The tile after the products. */
typedef struct tsr_wino_out {
  const float *m; int64_t step;  /* sums of transform element e at m + e * step */
  float *y[16];                  /* where the 2 x 2 or 4 x 4 positions lie; NULL: outside the result */
  int64_t residual;              /* of position i at y[i] + residual, when has_residual */
  bool has_residual;
  const float *bias;             /* c or NULL */
  int64_t c;
  tsr_act act;
  float p0, p1;
} tsr_wino_out;

/* A window of a pool: rows x cols positions, row_step and col_step floats apart, c channels of each. */
typedef struct tsr_window { const float *x; int64_t rows, cols, row_step, col_step; } tsr_window;

/* y[r][i] = act(x[r][i] * scale[i] + shift[i]), i < n, rows y_step and x_step floats apart. */
typedef struct tsr_scaled {
  float *y; int64_t y_step;
  const float *x; int64_t x_step;
  const float *scale, *shift;
  int64_t rows, n;
  tsr_act act;
  float p0, p1;
} tsr_scaled;

typedef struct tsr_conv_fns {
  void (*dw_row)(const tsr_dw *d);
  void (*group_tile)(const tsr_dw *d, const tsr_group *g); /* activations that are more than bounds are left out */
  /* y[i] = sum of x[r * step + i] over r < rows, i < n */
  void (*sum_rows)(float *y, const float *x, int64_t step, int64_t rows, int64_t n);
  /* y[r * y_step + i] = x[r * x_step + i], r < rows, i < n: a few vectors of each row */
  void (*copy_columns)(float *y, int64_t y_step, const float *x, int64_t x_step, int64_t rows, int64_t n);
  void (*few_row)(const tsr_few *f);
  void (*wino_in[2])(const tsr_wino_in *t);  /* F(2x2), F(4x4) */
  void (*wino_out[2])(const tsr_wino_out *t);
  /* u[e * step + i] for the 16 or 36 elements e of the transform of the weights g[tap][i], i < n, whole vectors */
  void (*wino_expand[2])(float *u, int64_t step, const float *const *g, int64_t n);
  /* u[e * step + k * w + i] = sum over t < 9 of coef[e][t] * g[k][t][i], k < channels, e < elements, i < w, whole vectors */
  void (*wino_weights)(float *u, int64_t step, const float *g, const float (*coef)[9], int64_t channels, int64_t w, int elements);
  void (*scale_act)(const tsr_scaled *s);
  void (*max_window)(float *y, const tsr_window *w, int64_t c);             /* NaN wins; the window is not empty */
  void (*mean_window)(float *y, const tsr_window *w, int64_t c, float div); /* sum / div */
} tsr_conv_fns;

extern const tsr_conv_fns tsr_conv_scalar, tsr_conv_avx2, tsr_conv_avx512, tsr_conv_neon;

#endif
