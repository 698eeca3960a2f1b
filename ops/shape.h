/* Geometry shared by the view, joining and indexing operators; see native.h for what all families use. */
#ifndef TSR_OPS_SHAPE_H
#define TSR_OPS_SHAPE_H

#include "ops/op.h"

/* Room for n items, uninitialised, freed with the operator's temps.  Unlike scratch memory it counts
 * against the session's limit: for sizes that a program chooses. */
tsr_status tsr_workspace(tsr_ctx *ctx, int64_t n, size_t item, void *out /* T ** */);
/* A required int[] argument (scratch memory); a lone int is a list of one. */
tsr_status tsr_ints_arg(tsr_call *c, uint32_t i, const int64_t **out, int64_t *n);
tsr_status tsr_tensors_arg(tsr_call *c, uint32_t i, tsr_tensor ***out, int64_t *n); /* Tensor[], elements may be NULL for Tensor?[] */
tsr_status tsr_wrap_dims(tsr_ctx *ctx, int64_t n, const int64_t *dims, int64_t ndim, int64_t *out);
tsr_status tsr_check_ndim(tsr_ctx *ctx, int64_t ndim); /* at most TSR_MAX_NDIM */
/* Replace the -1 of size by what numel leaves; PyTorch's errors for impossible shapes. */
tsr_status tsr_infer_size(tsr_ctx *ctx, int64_t numel, int ndim, const int64_t *size, int64_t *out);
bool tsr_view_strides(const tsr_tensor *t, int ndim, const int64_t *size, int64_t *stride); /* false: needs a copy */
/* Python slicing of one dimension: negative positions count from the end, all are clamped; step > 0. */
tsr_status tsr_slice(tsr_ctx *ctx, tsr_tensor **out, tsr_tensor *t, int64_t dim, int64_t start, int64_t end, int64_t step);
/* A view with another dtype: offset in elements of dtype. */
tsr_status tsr_new_view_dtype(tsr_ctx *ctx, tsr_tensor **out, const tsr_tensor *t, tsr_dtype dtype, int64_t offset, int ndim,
                              const int64_t *size, const int64_t *stride);
/* A view of complex numbers as reals: with `pair` a last dimension of (real, imaginary), else the part `shift` (0, 1) alone. */
tsr_status tsr_as_real(tsr_ctx *ctx, tsr_tensor **out, const tsr_tensor *x, bool pair, int64_t shift);
tsr_status tsr_broadcast_all(tsr_ctx *ctx, tsr_tensor **ts, int64_t count); /* expand in place of the array; equal sizes are left alone */
tsr_status tsr_diagonal(tsr_ctx *ctx, tsr_tensor **out, tsr_tensor *x, int64_t offset, int64_t dim1, int64_t dim2);
tsr_status tsr_as_strided(tsr_ctx *ctx, tsr_tensor **out, const tsr_tensor *x, int64_t n, const int64_t *size, int64_t m,
                          const int64_t *stride, int64_t offset);

#endif
