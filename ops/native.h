/* Functions that operator families offer each other.  Results are temps (see op.h): never release them.
 * Shapes and dtypes are PyTorch's for the operator of the same name. */
#ifndef TSR_OPS_NATIVE_H
#define TSR_OPS_NATIVE_H

#include "ops/op.h"

/* copy.c */
tsr_status tsr_copy_into(tsr_ctx *ctx, tsr_tensor *dst, const tsr_tensor *src);     /* dst[...] = src, broadcast and cast; overlapping views are copied first */
tsr_status tsr_fill(tsr_ctx *ctx, tsr_tensor *dst, tsr_scalar s);
tsr_status tsr_to_dtype(tsr_ctx *ctx, tsr_tensor **out, tsr_tensor *t, tsr_dtype dtype); /* t itself when it has it; strides kept */
tsr_status tsr_contiguous(tsr_ctx *ctx, tsr_tensor **out, tsr_tensor *t);           /* t itself when contiguous */
tsr_status tsr_channels_last(tsr_ctx *ctx, tsr_tensor **out, tsr_tensor *t);        /* t itself when it is */
tsr_status tsr_lay_out(tsr_ctx *ctx, tsr_tensor **out, tsr_tensor *t, const int64_t *stride);  /* t itself when it has these strides */
tsr_status tsr_clone(tsr_ctx *ctx, tsr_tensor **out, tsr_tensor *t);                /* preserve_format */
/* Contiguous and of that dtype: what most non-hot kernels start with. */
tsr_status tsr_ready(tsr_ctx *ctx, tsr_tensor **out, tsr_tensor *t, tsr_dtype dtype);
tsr_status tsr_clone_strided(tsr_ctx *ctx, tsr_tensor **out, tsr_tensor *x); /* a copy with x's strides: of the whole storage, unless elements of x share memory */
tsr_status tsr_resize(tsr_ctx *ctx, tsr_tensor *t, int ndim, const int64_t *size);  /* resize_: grows storage */
tsr_status tsr_storage_grow(tsr_ctx *ctx, tsr_tensor *t, size_t nbytes); /* a larger block for t's storage, seen by every view of it */

/* shape.c: views and their copies */
tsr_status tsr_broadcast_sizes(tsr_ctx *ctx, int an, const int64_t *a, int bn, const int64_t *b, int *n, int64_t *out /* TSR_MAX_NDIM */);
tsr_status tsr_expand(tsr_ctx *ctx, tsr_tensor **out, tsr_tensor *t, int ndim, const int64_t *size);
tsr_status tsr_view_as(tsr_ctx *ctx, tsr_tensor **out, tsr_tensor *t, int ndim, const int64_t *size);   /* -1 allowed; error when strides do not permit */
tsr_status tsr_reshape(tsr_ctx *ctx, tsr_tensor **out, tsr_tensor *t, int ndim, const int64_t *size);   /* -1 allowed */
tsr_status tsr_permute(tsr_ctx *ctx, tsr_tensor **out, tsr_tensor *t, const int64_t *dims);             /* ndim entries, may be negative */
tsr_status tsr_transpose(tsr_ctx *ctx, tsr_tensor **out, tsr_tensor *t, int64_t d0, int64_t d1);
tsr_status tsr_select(tsr_ctx *ctx, tsr_tensor **out, tsr_tensor *t, int64_t dim, int64_t index);
tsr_status tsr_narrow(tsr_ctx *ctx, tsr_tensor **out, tsr_tensor *t, int64_t dim, int64_t start, int64_t length);
tsr_status tsr_squeeze_dim(tsr_ctx *ctx, tsr_tensor **out, tsr_tensor *t, int64_t dim);
tsr_status tsr_unsqueeze(tsr_ctx *ctx, tsr_tensor **out, tsr_tensor *t, int64_t dim);
tsr_status tsr_flatten(tsr_ctx *ctx, tsr_tensor **out, tsr_tensor *t, int64_t start, int64_t end);
tsr_status tsr_cat(tsr_ctx *ctx, tsr_tensor **out, tsr_tensor *const *ts, int64_t n, int64_t dim);
tsr_status tsr_cat_check_out(const tsr_call *c, tsr_tensor *const *ts, int64_t n, int64_t dim); /* the out argument's type, in the words of cat */
tsr_status tsr_stack(tsr_ctx *ctx, tsr_tensor **out, tsr_tensor *const *ts, int64_t n, int64_t dim);

/* pointwise.c: op is the name without namespace ("add", "mul", "exp", …) */
tsr_status tsr_unary(tsr_ctx *ctx, tsr_tensor **out, const char *op, tsr_tensor *x);
tsr_status tsr_binary(tsr_ctx *ctx, tsr_tensor **out, const char *op, tsr_tensor *a, tsr_tensor *b);
tsr_status tsr_binary_scalar(tsr_ctx *ctx, tsr_tensor **out, const char *op, tsr_tensor *a, tsr_scalar b);
tsr_status tsr_where(tsr_ctx *ctx, tsr_tensor **out, tsr_tensor *cond, tsr_tensor *a, tsr_tensor *b);
/* result dtype of operands by PyTorch's rules (dims, 0-dim, wrapped numbers); n operands, NULL entries skipped */
tsr_dtype tsr_result_type(tsr_tensor *const *ts, int n);

/* reduce.c: op "sum", "mean", "prod", "amax", "amin", "any", "all"; ndims -1: all dims; dtype -1: the operator's default */
tsr_status tsr_reduce(tsr_ctx *ctx, tsr_tensor **out, const char *op, tsr_tensor *x, int ndims, const int64_t *dims, bool keepdim, int dtype);
/* softmax.c */
tsr_status tsr_softmax(tsr_ctx *ctx, tsr_tensor **out, tsr_tensor *x, int64_t dim, bool log);

/* matmul.c */
tsr_status tsr_matmul(tsr_ctx *ctx, tsr_tensor **out, tsr_tensor *a, tsr_tensor *b);
tsr_status tsr_bmm(tsr_ctx *ctx, tsr_tensor **out, tsr_tensor *a, tsr_tensor *b);
tsr_status tsr_linear(tsr_ctx *ctx, tsr_tensor **out, tsr_tensor *x, tsr_tensor *w, tsr_tensor *bias /* or NULL */);

#endif
