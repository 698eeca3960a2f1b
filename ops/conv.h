/* Convolutions of one to three spatial dimensions, plain and transposed.
 *
 * Everything is seen as three-dimensional (depth, height, width; missing ones have size 1) and, in
 * float32, computed with channels last; other layouts are turned around at the borders. */
#ifndef TSR_OPS_CONV_H
#define TSR_OPS_CONV_H

#include "ops/block.h"
#include "ops/gemm.h"

typedef struct tsr_conv {
  int nd;                      /* spatial dimensions of the operator: 1, 2, 3 */
  bool transposed;
  int64_t n, c, oc, groups;    /* batch, input and output channels */
  int64_t in[3], out[3], k[3], stride[3], pad[3], dil[3], opad[3];
} tsr_conv;

static inline int64_t tsr_conv_taps(const tsr_conv *p) { return p->k[0] * p->k[1] * p->k[2]; }
static inline int64_t tsr_conv_in(const tsr_conv *p) { return p->in[0] * p->in[1] * p->in[2]; }
static inline int64_t tsr_conv_out(const tsr_conv *p) { return p->out[0] * p->out[1] * p->out[2]; }

/* Positions of an input index: q * step + offset of the tap; of an output index: start + q * ostep. */
typedef struct tsr_conv_phase {
  int64_t start[3];
  int64_t taps;
  int64_t *tap;        /* [taps][4]: offsets in depth, height, width; index of the kernel element */
  tsr_packed plan;     /* data: of group 0, the groups follow each other */
} tsr_conv_phase;

typedef enum tsr_conv_kind { TSR_CONV_TILES, TSR_CONV_FEW, TSR_CONV_NARROW, TSR_CONV_WINOGRAD } tsr_conv_kind;

/* What depends on weights and hyperparameters only: made once a call site. */
typedef struct tsr_conv_plan {
  tsr_conv made_for;     /* sizes of data (n, in, out) do not matter */
  tsr_conv_kind kind;
  int64_t step[3], ostep[3];
  int64_t phase_count;
  tsr_conv_phase *phases;
  tsr_packed packed;     /* FEW, and WINOGRAD: of each of the 36 matrices in data; there are no phases */
  int64_t group_floats;  /* between the packed weights of two groups, whole plan */
  tsr_block block;       /* of data */
  float *data;
} tsr_conv_plan;

/* x: [n, c, in...], w: [oc, c/groups, k...] ([c, oc/groups, k...] transposed), both contiguous or channels
 * last; y: the result, contiguous or channels last.  bias: oc floats or NULL.  residual: y's layout or NULL.
 * site may be NULL; else it keeps the packed weights. */
tsr_status tsr_conv_f32(tsr_ctx *ctx, tsr_site *site, const tsr_conv *p, tsr_tensor *y, tsr_tensor *x, tsr_tensor *w,
                        const tsr_epi *epi);
/* May y be the residual itself, channels last?  Each result is written once, when its residual has been read. */
bool tsr_conv_f32_in_place(const tsr_ctx *ctx, const tsr_site *site, const tsr_conv *p);
/* The plan that a direct convolution of this site uses, kept by the site (not NULL); NULL when the site is made for others. */
tsr_status tsr_conv_plan_get(tsr_ctx *ctx, tsr_site *site, const tsr_conv *p, tsr_tensor *w, const tsr_conv_plan **out);
/* Pack w for p ahead of the first call; the sizes of data in p (n, in, out) are guesses. */
tsr_status tsr_conv_f32_prepare(tsr_ctx *ctx, tsr_site *site, const tsr_conv *p, tsr_tensor *w);
/* Any dtype but half; x, w, y contiguous; no bias. */
tsr_status tsr_conv_plain(tsr_ctx *ctx, const tsr_conv *p, tsr_tensor *y, tsr_tensor *x, tsr_tensor *w);

/* The operator: checks, dtypes, layouts.  stride etc. as PyTorch's `convolution` takes them. */
typedef struct tsr_conv_args {
  tsr_tensor *x, *w, *bias, *residual;
  const int64_t *stride, *pad, *dil, *opad; /* lists of n… numbers: 1 or as many as spatial dimensions */
  int64_t stride_n, pad_n, dil_n, opad_n;
  bool transposed;
  int64_t groups;
  tsr_epi epi;           /* activation only */
  bool hide;             /* a C-ordered result may be hidden (layout.h) */
  bool take;             /* the residual's memory may become the result's */
  tsr_site *site;        /* NULL unless the weight is the same at every call */
} tsr_conv_args;
tsr_status tsr_convolution(tsr_ctx *ctx, tsr_tensor **out, const tsr_conv_args *a);
/* *y: new, of x's element type, channels last or in C order; what p describes, whose padding may be below zero.  a: w and bias. */
tsr_status tsr_conv_compute(tsr_ctx *ctx, tsr_tensor **y, const tsr_conv *p, const tsr_conv_args *a, tsr_tensor *x, bool last);
/* PyTorch's suggest_memory_format() of 4 or 5 dimensions. */
bool tsr_conv_suggests_last(int ndim, const int64_t *size, const int64_t *stride);
/* Pack the weights for inputs of the usual sizes; all but the input are the same at every call.  *packed: the elements of
 * the weight are not read again. */
tsr_status tsr_convolution_prepare(tsr_ctx *ctx, const tsr_conv_args *a, bool *packed);

/* conv_check.c: what is to be computed for an input of x's size, or the error that PyTorch raises; x->stride may be NULL. */
tsr_status tsr_conv_describe(tsr_ctx *ctx, const tsr_conv_args *a, const tsr_tensor *x, tsr_conv *p);
tsr_status tsr_conv_describe_native(tsr_ctx *ctx, const tsr_conv_args *a, tsr_conv *p); /* … by oneDNN, before the types are looked at */
tsr_status tsr_conv_check_native(tsr_ctx *ctx, const tsr_conv_args *a, const tsr_conv *p); /* … and after */
/* p->out of everything else in it. */
tsr_status tsr_conv_sizes(tsr_ctx *ctx, tsr_conv *p);
tsr_status tsr_conv_check_reach(tsr_ctx *ctx, const tsr_conv *p); /* the kernel is not larger than the padded input */
tsr_status tsr_conv_check_out(tsr_ctx *ctx, const tsr_conv *p);   /* no size of the output is below 1 */
/* Would PyTorch let oneDNN compute it?  (Complex numbers are convolved as their parts.) */
bool tsr_conv_is_native(const tsr_conv *p, tsr_dtype d);
/* No batch or no channels: PyTorch multiplies what is left. */
static inline bool tsr_conv_is_empty(const tsr_conv *p) { return p->n == 0 || p->c == 0; }

/* conv_slow.c: the checks of the kernels that PyTorch falls back to, p->nd (2 or 3) dimensions; of p: kernel, stride, … */
typedef enum tsr_slow_kind { TSR_SLOW_PLAIN, TSR_SLOW_DILATED, TSR_SLOW_TRANSPOSED } tsr_slow_kind;
tsr_status tsr_conv_slow_check(tsr_ctx *ctx, tsr_slow_kind kind, const tsr_tensor *x, const tsr_tensor *w, const tsr_tensor *bias, tsr_conv *p);

/* Data between [n][c][s] and [n][s][c], in parallel. */
void tsr_to_last(tsr_ctx *ctx, float *dst, const float *src, int64_t n, int64_t c, int64_t s);
void tsr_from_last(tsr_ctx *ctx, float *dst, const float *src, int64_t n, int64_t c, int64_t s);

#endif
