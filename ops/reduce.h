/* Reducing some dimensions of a tensor: the walk over memory, and pieces its operators share. */
#ifndef TSR_OPS_REDUCE_H
#define TSR_OPS_REDUCE_H

#include "ops/native.h"
#include "ops/red.h"

typedef struct tsr_reduction {
  const tsr_tensor *x;
  bool dims[TSR_MAX_NDIM]; /* which are reduced */
  tsr_red_id id;
  tsr_ct ct;               /* elements are converted to it first */
  double p;
  const double *m;         /* one number an output, or NULL */
} tsr_reduction;

/* One partial result an output, in C order of the kept dimensions: a double, int64 or complex each (see red.h). */
tsr_status tsr_reduce_run(tsr_ctx *ctx, const tsr_reduction *r, void **acc);

/* dims NULL or empty: all.  Wraps, refuses repeated dimensions. */
tsr_status tsr_reduce_dims(tsr_ctx *ctx, const tsr_tensor *x, const int64_t *dims, int64_t n, bool *mask);
int tsr_reduce_shape(const tsr_tensor *x, const bool *mask, bool keepdim, int64_t *size); /* gives the rank */
int64_t tsr_reduce_count(const tsr_tensor *x, const bool *mask); /* elements an output is made of */
/* Accumulators, n of them of ct's kind, as a tensor. */
tsr_status tsr_reduce_store(tsr_ctx *ctx, tsr_tensor **out, tsr_dtype dtype, int ndim, const int64_t *size, tsr_ct ct, const void *acc);
/* min and max of nothing are refused with the operator's name. */
tsr_status tsr_reduce_nonempty(tsr_ctx *ctx, const tsr_tensor *x, const bool *mask, const char *name);

#endif
