/* Views that operators build for each other: geometry only, the storage is shared.
 *
 * Every function here computes sizes and strides and ends in tsr_new_view, which checks that the
 * result stays inside the storage.  The operators themselves are in view.c. */
#include "ops/native.h"
#include "ops/shape.h"

tsr_status tsr_workspace(tsr_ctx *ctx, int64_t n, size_t item, void *out) {
  int64_t bytes;
  tsr_tensor *t;
  void *p;
  if (n < 0 || tsr_mul_overflow(TSR_MAX(n, 1), (int64_t)item, &bytes)) return tsr_op_nomem(ctx);
  TSR_TRY(tsr_new(ctx, &t, TSR_UINT8, 1, &bytes));
  TSR_TRY(tsr_data_mut(ctx, t, &p));
  memcpy(out, &p, sizeof p);
  return TSR_OK;
}

tsr_status tsr_ints_arg(tsr_call *c, uint32_t i, const int64_t **out, int64_t *n) {
  *out = tsr_arg_ints(c, i, n);
  return *out == NULL ? tsr_op_nomem(c->ctx) : TSR_OK;
}

tsr_status tsr_tensors_arg(tsr_call *c, uint32_t i, tsr_tensor ***out, int64_t *n) {
  *out = tsr_arg_tensors(c, i, n);
  return *out == NULL ? tsr_op_nomem(c->ctx) : TSR_OK;
}

tsr_status tsr_wrap_dims(tsr_ctx *ctx, int64_t n, const int64_t *dims, int64_t ndim, int64_t *out) {
  for (int64_t i = 0; i < n; i++) TSR_TRY(tsr_wrap_dim(ctx, dims[i], ndim, &out[i]));
  return TSR_OK;
}

tsr_status tsr_check_ndim(tsr_ctx *ctx, int64_t ndim) {
  if (ndim <= TSR_MAX_NDIM) return TSR_OK;
  return tsr_fail(&ctx->err, TSR_EUNSUPPORTED, "tensors of more than %d dimensions are not supported, got %lld", TSR_MAX_NDIM,
                  (long long)ndim);
}

static const char *sizes_text(char buf[static 512], int64_t n, const int64_t *size) {
  tsr_sizes_print(buf, 512, (int)n, size);
  return buf;
}

tsr_status tsr_broadcast_sizes(tsr_ctx *ctx, int an, const int64_t *a, int bn, const int64_t *b, int *n, int64_t *out) {
  int rank = TSR_MAX(an, bn);
  for (int d = 0; d < rank; d++) { /* d counts from the last dimension */
    int64_t x = d < an ? a[an - 1 - d] : 1, y = d < bn ? b[bn - 1 - d] : 1;
    if (x != y && x != 1 && y != 1)
      return tsr_op_fail(ctx,
                         "The size of tensor a (%lld) must match the size of tensor b (%lld) at non-singleton dimension %d",
                         (long long)x, (long long)y, rank - 1 - d);
    out[rank - 1 - d] = x == 1 ? y : x;
  }
  *n = rank;
  return TSR_OK;
}

/* Strides of tensors without elements may be anything. */
static int64_t wrapped_mul(int64_t a, int64_t b) { return (int64_t)((uint64_t)a * (uint64_t)b); }

static tsr_status expand_refused(tsr_ctx *ctx, const tsr_tensor *t, int ndim, const int64_t *size, int d, int64_t have) {
  char target[512], own[512];
  return tsr_op_fail(ctx,
                     "The expanded size of the tensor (%lld) must match the existing size (%lld) at non-singleton "
                     "dimension %d.  Target sizes: %s.  Tensor sizes: %s",
                     (long long)size[d], (long long)have, d, sizes_text(target, ndim, size),
                     sizes_text(own, t->ndim, t->size));
}

tsr_status tsr_expand(tsr_ctx *ctx, tsr_tensor **out, tsr_tensor *t, int ndim, const int64_t *size) {
  char text[512], own[512];
  int64_t nsize[TSR_MAX_NDIM], nstride[TSR_MAX_NDIM];
  TSR_TRY(tsr_check_ndim(ctx, ndim));
  if (ndim < t->ndim)
    return tsr_op_fail(ctx,
                       "expand(torch.%sTensor{%s}, size=%s): the number of sizes provided (%d) must be greater or equal to "
                       "the number of dimensions in the tensor (%d)",
                       tsr_dtype_get_info(t->dtype)->cpp_name, sizes_text(own, t->ndim, t->size),
                       sizes_text(text, ndim, size), ndim, t->ndim);
  int lead = ndim - t->ndim;
  if (t->ndim == 0) { /* numbers spread freely: no size is compared, every stride is 0 */
    for (int d = 0; d < ndim; d++)
      if (size[d] < 0) return tsr_op_fail(ctx, "numel: integer multiplication overflow");
    memset(nstride, 0, sizeof nstride);
    return tsr_new_view(ctx, out, t, t->offset, ndim, size, nstride);
  }
  for (int d = ndim - 1; d >= 0; d--) {
    bool real = d >= lead;
    int64_t have = real ? t->size[d - lead] : 1, want = size[d];
    if (want == -1) {
      if (!real)
        return tsr_op_fail(ctx, "The expanded size of the tensor (-1) isn't allowed in a leading, non-existing dimension %d", d);
      want = have;
    }
    if (want != have && have != 1) return expand_refused(ctx, t, ndim, size, d, have);
    if (want < 0) return expand_refused(ctx, t, ndim, size, d, have);
    nsize[d] = want;
    if (want != have) nstride[d] = 0;
    else if (real) nstride[d] = t->stride[d - lead];
    else nstride[d] = d + 1 < ndim ? wrapped_mul(nsize[d + 1], nstride[d + 1]) : 1;
  }
  return tsr_new_view(ctx, out, t, t->offset, ndim, nsize, nstride);
}

tsr_status tsr_infer_size(tsr_ctx *ctx, int64_t numel, int ndim, const int64_t *size, int64_t *out) {
  char text[512];
  int64_t known = 1;
  int hole = -1;
  bool fits = true;
  for (int d = 0; d < ndim; d++) {
    out[d] = size[d];
    if (size[d] == -1) {
      if (hole >= 0) return tsr_op_fail(ctx, "only one dimension can be inferred");
      hole = d;
    } else if (size[d] < 0) {
      return tsr_op_fail(ctx, "invalid shape dimension %lld at index %d of shape %s", (long long)size[d], d,
                         sizes_text(text, ndim, size));
    } else if (known != 0 && tsr_mul_overflow(known, size[d], &known)) {
      fits = false;
      known = 1;
    }
    if (size[d] == 0) known = 0, fits = true;
  }
  if (fits && known == numel && hole < 0) return TSR_OK;
  if (fits && hole >= 0 && known > 0 && numel % known == 0) {
    out[hole] = numel / known;
    return TSR_OK;
  }
  if (fits && hole >= 0 && known == 0 && numel == 0)
    return tsr_op_fail(ctx,
                       "cannot reshape tensor of 0 elements into shape %s because the unspecified dimension size -1 can be "
                       "any value and is ambiguous",
                       sizes_text(text, ndim, size));
  return tsr_op_fail(ctx, "shape '%s' is invalid for input of size %lld", sizes_text(text, ndim, size), (long long)numel);
}

/* Strides that give t's elements the sizes `size` without a copy; false: impossible.  Both walk from
 * the last dimension: a run of old dimensions that is one contiguous block must be used up exactly by
 * a run of new ones. */
bool tsr_view_strides(const tsr_tensor *t, int ndim, const int64_t *size, int64_t *stride) {
  if (t->numel == 0) {
    if (t->ndim == ndim && memcmp(t->size, size, (size_t)ndim * sizeof *size) == 0) {
      memcpy(stride, t->stride, (size_t)ndim * sizeof *size);
      return true;
    }
    for (int d = ndim - 1; d >= 0; d--) stride[d] = d == ndim - 1 ? 1 : wrapped_mul(stride[d + 1], TSR_MAX(size[d + 1], 1));
    return true;
  }
  if (t->ndim == 0) {
    for (int d = 0; d < ndim; d++) stride[d] = 1;
    return true;
  }
  int vd = ndim - 1;
  int64_t base = t->stride[t->ndim - 1], block = 1, used = 1;
  for (int d = t->ndim - 1; d >= 0; d--) {
    block *= t->size[d];
    if (d > 0 && (t->size[d - 1] == 1 || t->stride[d - 1] == block * base)) continue;
    while (vd >= 0 && (used < block || size[vd] == 1)) {
      stride[vd] = used * base;
      used *= size[vd];
      vd--;
    }
    if (used != block) return false;
    if (d > 0) {
      base = t->stride[d - 1];
      block = used = 1;
    }
  }
  return vd == -1;
}

tsr_status tsr_view_as(tsr_ctx *ctx, tsr_tensor **out, tsr_tensor *t, int ndim, const int64_t *size) {
  int64_t nsize[TSR_MAX_NDIM], nstride[TSR_MAX_NDIM];
  TSR_TRY(tsr_check_ndim(ctx, ndim));
  TSR_TRY(tsr_infer_size(ctx, t->numel, ndim, size, nsize));
  if (!tsr_view_strides(t, ndim, nsize, nstride))
    return tsr_op_fail(ctx, "view size is not compatible with input tensor's size and stride (at least one dimension spans "
                            "across two contiguous subspaces). Use .reshape(...) instead.");
  return tsr_new_view(ctx, out, t, t->offset, ndim, nsize, nstride);
}

tsr_status tsr_reshape(tsr_ctx *ctx, tsr_tensor **out, tsr_tensor *t, int ndim, const int64_t *size) {
  int64_t nsize[TSR_MAX_NDIM], nstride[TSR_MAX_NDIM];
  TSR_TRY(tsr_check_ndim(ctx, ndim));
  TSR_TRY(tsr_infer_size(ctx, t->numel, ndim, size, nsize));
  if (tsr_view_strides(t, ndim, nsize, nstride)) return tsr_new_view(ctx, out, t, t->offset, ndim, nsize, nstride);
  tsr_tensor *copy;
  TSR_TRY(tsr_new(ctx, &copy, (tsr_dtype)t->dtype, t->ndim, t->size));
  TSR_TRY(tsr_copy_into(ctx, copy, t));
  tsr_strides_contiguous(ndim, nsize, nstride);
  return tsr_new_view(ctx, out, copy, 0, ndim, nsize, nstride);
}

tsr_status tsr_permute(tsr_ctx *ctx, tsr_tensor **out, tsr_tensor *t, const int64_t *dims) {
  int64_t nsize[TSR_MAX_NDIM], nstride[TSR_MAX_NDIM];
  bool seen[TSR_MAX_NDIM] = {false};
  for (int i = 0; i < t->ndim; i++) {
    int64_t d;
    TSR_TRY(tsr_wrap_dim(ctx, dims[i], t->ndim, &d));
    if (seen[d]) return tsr_op_fail(ctx, "permute(): duplicate dims are not allowed.");
    seen[d] = true;
    nsize[i] = t->size[d];
    nstride[i] = t->stride[d];
  }
  return tsr_new_view(ctx, out, t, t->offset, t->ndim, nsize, nstride);
}

tsr_status tsr_transpose(tsr_ctx *ctx, tsr_tensor **out, tsr_tensor *t, int64_t d0, int64_t d1) {
  int64_t dims[TSR_MAX_NDIM];
  TSR_TRY(tsr_wrap_dim(ctx, d0, t->ndim, &d0));
  TSR_TRY(tsr_wrap_dim(ctx, d1, t->ndim, &d1));
  for (int d = 0; d < t->ndim; d++) dims[d] = d;
  if (t->ndim > 0) {
    dims[d0] = d1;
    dims[d1] = d0;
  }
  return tsr_permute(ctx, out, t, dims);
}

/* View without dimension `dim`, starting `start` elements later. */
static tsr_status drop_dim(tsr_ctx *ctx, tsr_tensor **out, const tsr_tensor *t, int64_t dim, int64_t start) {
  int64_t nsize[TSR_MAX_NDIM], nstride[TSR_MAX_NDIM];
  int n = 0;
  for (int d = 0; d < t->ndim; d++) {
    if (d == dim) continue;
    nsize[n] = t->size[d];
    nstride[n++] = t->stride[d];
  }
  return tsr_new_view(ctx, out, t, t->offset + start, n, nsize, nstride);
}

tsr_status tsr_select(tsr_ctx *ctx, tsr_tensor **out, tsr_tensor *t, int64_t dim, int64_t index) {
  char text[512];
  if (t->ndim == 0) return tsr_op_fail(ctx, "select() cannot be applied to a 0-dim tensor.");
  TSR_TRY(tsr_wrap_dim(ctx, dim, t->ndim, &dim));
  int64_t size = t->size[dim];
  if (index < -size || index >= size)
    return tsr_op_fail(ctx, "select(): index %lld out of range for tensor of size %s at dimension %lld", (long long)index,
                       sizes_text(text, t->ndim, t->size), (long long)dim);
  if (index < 0) index += size;
  return drop_dim(ctx, out, t, dim, (t->numel > 0 ? index * t->stride[dim] : 0));
}

tsr_status tsr_slice(tsr_ctx *ctx, tsr_tensor **out, tsr_tensor *t, int64_t dim, int64_t start, int64_t end, int64_t step) {
  int64_t nsize[TSR_MAX_NDIM], nstride[TSR_MAX_NDIM];
  if (t->ndim == 0) return tsr_op_fail(ctx, "slice() cannot be applied to a 0-dim tensor.");
  TSR_TRY(tsr_wrap_dim(ctx, dim, t->ndim, &dim));
  if (step <= 0) return tsr_op_fail(ctx, "slice step must be positive");
  int64_t size = t->size[dim];
  if (start < 0) start += size;
  if (end < 0) end += size;
  start = TSR_MIN(TSR_MAX(start, 0), size);
  end = TSR_MIN(TSR_MAX(end, start), size);
  memcpy(nsize, t->size, t->ndim * sizeof *nsize);
  memcpy(nstride, t->stride, t->ndim * sizeof *nstride);
  int64_t length = end - start;
  nsize[dim] = length / step + (length % step != 0);
  if (tsr_mul_overflow(nstride[dim], step, &nstride[dim])) nstride[dim] = nsize[dim] > 1 ? nstride[dim] : INT64_MAX;
  return tsr_new_view(ctx, out, t, t->offset + (t->numel > 0 ? start * t->stride[dim] : 0), t->ndim, nsize, nstride);
}

tsr_status tsr_narrow(tsr_ctx *ctx, tsr_tensor **out, tsr_tensor *t, int64_t dim, int64_t start, int64_t length) {
  if (t->ndim == 0) return tsr_op_fail(ctx, "narrow() cannot be applied to a 0-dim tensor.");
  if (length < 0) return tsr_op_fail(ctx, "narrow(): length must be non-negative.");
  TSR_TRY(tsr_wrap_dim(ctx, dim, t->ndim, &dim));
  int64_t size = t->size[dim];
  if (start < -size || start > size)
    return tsr_op_fail(ctx, "start out of range (expected to be in range of [%lld, %lld], but got %lld)", (long long)-size,
                       (long long)size, (long long)start);
  if (start < 0) start += size;
  if (length > size - start)
    return tsr_op_fail(ctx, "start (%lld) + length (%lld) exceeds dimension size (%lld).", (long long)start,
                       (long long)length, (long long)size);
  return tsr_slice(ctx, out, t, dim, start, start + length, 1);
}

tsr_status tsr_squeeze_dim(tsr_ctx *ctx, tsr_tensor **out, tsr_tensor *t, int64_t dim) {
  TSR_TRY(tsr_wrap_dim(ctx, dim, t->ndim, &dim));
  if (t->ndim == 0 || t->size[dim] != 1)
    return tsr_new_view(ctx, out, t, t->offset, t->ndim, t->size, t->stride);
  return drop_dim(ctx, out, t, dim, 0);
}

tsr_status tsr_unsqueeze(tsr_ctx *ctx, tsr_tensor **out, tsr_tensor *t, int64_t dim) {
  int64_t nsize[TSR_MAX_NDIM + 1], nstride[TSR_MAX_NDIM + 1];
  TSR_TRY(tsr_wrap_dim(ctx, dim, t->ndim + 1, &dim));
  TSR_TRY(tsr_check_ndim(ctx, t->ndim + 1));
  for (int d = 0; d <= t->ndim; d++) {
    if (d < dim) nsize[d] = t->size[d], nstride[d] = t->stride[d];
    if (d > dim) nsize[d] = t->size[d - 1], nstride[d] = t->stride[d - 1];
  }
  nsize[dim] = 1;
  int64_t stride = 1;
  if (dim < t->ndim && tsr_mul_overflow(t->size[dim], t->stride[dim], &stride)) stride = 1;
  nstride[dim] = stride;
  return tsr_new_view(ctx, out, t, t->offset, t->ndim + 1, nsize, nstride);
}

tsr_status tsr_flatten(tsr_ctx *ctx, tsr_tensor **out, tsr_tensor *t, int64_t start, int64_t end) {
  int64_t nsize[TSR_MAX_NDIM], one = 1;
  TSR_TRY(tsr_wrap_dim(ctx, start, t->ndim, &start));
  TSR_TRY(tsr_wrap_dim(ctx, end, t->ndim, &end));
  if (start > end) return tsr_op_fail(ctx, "flatten() has invalid args: start_dim cannot come after end_dim");
  if (t->ndim == 0) return tsr_reshape(ctx, out, t, 1, &one);
  if (start == end) {
    *out = t;
    return TSR_OK;
  }
  int n = 0;
  for (int d = 0; d < t->ndim; d++) {
    if (d > start && d <= end) nsize[n - 1] = wrapped_mul(nsize[n - 1], t->size[d]); /* only wraps when there are no elements */
    else nsize[n++] = t->size[d];
  }
  return tsr_reshape(ctx, out, t, n, nsize);
}
