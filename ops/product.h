/* Products of matrices of any dtype. */
#ifndef TSR_OPS_PRODUCT_H
#define TSR_OPS_PRODUCT_H

#include "ops/gemm.h"

/* A stack of matrices inside a tensor: strides in elements. */
typedef struct tsr_side { tsr_tensor *t; int64_t step, rs, cs; } tsr_side;
/* The last two dimensions of t; step is that of the dimension before them when there are three. */
tsr_side tsr_side_of(tsr_tensor *t);
static inline tsr_side tsr_side_flip(tsr_side s) { return (tsr_side){s.t, s.step, s.cs, s.rs}; }

/* out: a new [count, m, n] (or [m, n] when count is negative: one product) of a's dtype, = a[m,k] . b[k,n].
 * Both sides have one dtype; name is what "not implemented for" messages call the operator. */
tsr_status tsr_product_any(tsr_ctx *ctx, tsr_tensor **out, const char *name, int64_t count, int64_t m, int64_t n, int64_t k,
                           tsr_side a, tsr_side b);

/* act(x . w^T + bias + residual) over the last dimension of x; w is [n, k].  site (may be NULL) keeps w packed:
 * give it only when w is the same at every call.  epi gives the activation; its pointers are ignored. */
tsr_status tsr_affine(tsr_ctx *ctx, tsr_site *site, tsr_tensor **out, tsr_tensor *x, tsr_tensor *w, tsr_tensor *bias,
                      tsr_tensor *residual, const tsr_epi *epi);
/* Pack w ahead of the first tsr_affine with this site. */
tsr_status tsr_affine_prepare(tsr_ctx *ctx, tsr_site *site, tsr_tensor *w);
/* args[arg] of the call, if it is constant; packed, its numbers are not read again. */
tsr_status tsr_affine_prepare_arg(tsr_call *c, tsr_site *site, uint32_t arg);
tsr_status tsr_linear_prepare(tsr_call *c); /* the weight is argument 1 */
/* A linear layer's operands. */
typedef struct tsr_layer { tsr_site *site; tsr_tensor *w, *bias, *residual; tsr_epi epi; } tsr_layer;
/* b(a(x)) for two of them.  When both weights fit in L2, a few rows at a time go through both. */
tsr_status tsr_affine_pair(tsr_ctx *ctx, tsr_tensor **out, tsr_tensor *x, const tsr_layer *a, const tsr_layer *b);
/* What the epilogue's activation does, as operators: for dtypes and layouts without a fused kernel. */
tsr_status tsr_act_apply(tsr_ctx *ctx, tsr_tensor **out, tsr_tensor *x, const tsr_epi *epi);
/* Arguments from `at` on: code of the activation (tsr_act) and its two parameters. */
tsr_status tsr_act_read(tsr_call *c, uint32_t at, tsr_epi *epi);
/* The out argument of a row times a matrix: PyTorch makes a matrix of one row of it, and a vector again, in order. */
tsr_status tsr_matmul_out_row(tsr_call *c, const tsr_tensor *a, const tsr_tensor *b, const tsr_tensor *y);

#endif
