/* Batches of matrices in LAPACK's layout, shared by the linear algebra families. */
#ifndef TSR_OPS_LINALG_H
#define TSR_OPS_LINALG_H

#include "ops/lapack.h"
#include "ops/native.h"

typedef struct tsr_mats { /* batch column-major m x n matrices, float64 or complex128 */
  tsr_tensor *t;          /* contiguous [batch..., n, m], a temp */
  bool z;
  int m, n;
  int64_t batch;
} tsr_mats;

/* A private copy of t[..., m, n]; name is for errors ("linalg.inv").  Refuses vectors, integers, half. */
tsr_status tsr_mats_load(tsr_ctx *ctx, tsr_mats *out, tsr_tensor *t, const char *name);
/* Any element type that fits into double. */
tsr_status tsr_mats_copy(tsr_ctx *ctx, tsr_mats *out, tsr_tensor *t, const char *name);
/* Refuses what PyTorch's function of that name refuses, in its words. */
tsr_status tsr_mats_check_dtype(tsr_ctx *ctx, const tsr_tensor *t, const char *name);
/* A must have two dimensions or more, the last two of one size. */
tsr_status tsr_mats_check_square(tsr_ctx *ctx, const tsr_tensor *t, const char *name);
tsr_status tsr_mats_load_square(tsr_ctx *ctx, tsr_mats *out, tsr_tensor *t, const char *name);
/* Uninitialised, with the batch dimensions of like[..., x, y]. */
tsr_status tsr_mats_new(tsr_ctx *ctx, tsr_mats *out, const tsr_tensor *like, bool z, int64_t m, int64_t n);
/* The tensor [batch..., m, n] of the caller's dtype; strides are Fortran's, as PyTorch's are. */
tsr_status tsr_mats_store(tsr_ctx *ctx, tsr_tensor **out, const tsr_mats *a, tsr_dtype dtype);
static inline size_t tsr_mats_item(const tsr_mats *a) { return a->z ? 16 : 8; }
static inline void *tsr_mats_at(const tsr_mats *a, int64_t i) {
  return (char *)a->t->storage->data + (size_t)i * (size_t)a->m * (size_t)a->n * tsr_mats_item(a);
}
/* One value or vector a matrix: shape [batch..., extra] (extra < 0: [batch...]), dtype as given. */
tsr_status tsr_mats_vector(tsr_ctx *ctx, tsr_tensor **out, const tsr_tensor *like, tsr_dtype dtype, int64_t extra);
/* Both operands' batch dimensions expanded to their common shape. */
tsr_status tsr_mats_broadcast(tsr_ctx *ctx, tsr_tensor **a, tsr_tensor **b);
/* LAPACK's info of matrix i as an error: info < 0 ours, > 0 by format (one %d: info). */
tsr_status tsr_mats_info(tsr_ctx *ctx, const tsr_tensor *like, int64_t i, int info, const char *name, const char *format);
/* Zero the triangle of each matrix that is not upper (or not lower). */
void tsr_mats_keep_triangle(const tsr_mats *a, bool upper);

#endif
