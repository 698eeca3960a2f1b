/* View operators: results share their operand's storage.  In-place forms change the operand's own
 * geometry.  Splitting is in split.c, copies and scatters of views in view_copy.c. */
#include "ops/native.h"
#include "ops/shape.h"

static const char in_place = 1;             /* row data: store the geometry into args[0] */
static const int part_real = 0, part_imag = 1;
static const int rank1 = 1, rank2 = 2, rank3 = 3;
static const char name_mt[] = "mT", name_mh[] = "mH", name_adjoint[] = "adjoint()";

/* Return the view y, or, for an in-place row, give args[0] y's geometry. */
static tsr_status finish(tsr_call *c, const tsr_tensor *y) {
  if (c->op->data != &in_place) return tsr_ret(c, 0, tsr_from_obj((void *)(uintptr_t)y));
  tsr_tensor *x = tsr_arg_tensor(c, 0);
  if (!tsr_tensor_set_dims(x, y->ndim, y->size, y->stride)) return tsr_op_nomem(c->ctx);
  x->offset = y->offset;
  return tsr_ret_tensor(c, 0, x);
}

tsr_status tsr_new_view_dtype(tsr_ctx *ctx, tsr_tensor **out, const tsr_tensor *t, tsr_dtype dtype, int64_t offset, int ndim,
                              const int64_t *size, const int64_t *stride) {
  if (!tsr_view_fits(t->storage->nbytes, dtype, offset, ndim, size, stride))
    return tsr_op_fail(ctx, "view of another type does not fit the storage");
  tsr_tensor *y = tsr_tensor_view(ctx->mem, t->storage, dtype, offset, ndim, size, stride);
  if (y == NULL) return tsr_op_nomem(ctx);
  *out = y;
  return tsr_temp(ctx, tsr_from_obj(y));
}

TSR_KERNEL(view) {
  int64_t n;
  const int64_t *size;
  TSR_TRY(tsr_ints_arg(c, 1, &size, &n));
  tsr_tensor *y;
  TSR_TRY(tsr_check_ndim(c->ctx, n));
  TSR_TRY(tsr_view_as(c->ctx, &y, tsr_arg_tensor(c, 0), (int)n, size));
  return finish(c, y);
}

TSR_KERNEL(view_like) {
  tsr_tensor *y, *like = tsr_arg_tensor(c, 1);
  TSR_TRY(tsr_view_as(c->ctx, &y, tsr_arg_tensor(c, 0), like->ndim, like->size));
  return finish(c, y);
}

TSR_KERNEL(reshape) {
  int64_t n;
  const int64_t *size;
  TSR_TRY(tsr_ints_arg(c, 1, &size, &n));
  tsr_tensor *y;
  TSR_TRY(tsr_check_ndim(c->ctx, n));
  TSR_TRY(tsr_reshape(c->ctx, &y, tsr_arg_tensor(c, 0), (int)n, size));
  return finish(c, y);
}

TSR_KERNEL(reshape_as) {
  tsr_tensor *y, *like = tsr_arg_tensor(c, 1);
  TSR_TRY(tsr_reshape(c->ctx, &y, tsr_arg_tensor(c, 0), like->ndim, like->size));
  return finish(c, y);
}

TSR_KERNEL(reshape_copy) {
  int64_t n;
  const int64_t *size;
  TSR_TRY(tsr_ints_arg(c, 1, &size, &n));
  tsr_tensor *y, *x = tsr_arg_tensor(c, 0);
  TSR_TRY(tsr_check_ndim(c->ctx, n));
  TSR_TRY(tsr_new(c->ctx, &y, (tsr_dtype)x->dtype, x->ndim, x->size));
  TSR_TRY(tsr_copy_into(c->ctx, y, x));
  TSR_TRY(tsr_view_as(c->ctx, &y, y, (int)n, size));
  return finish(c, y);
}

TSR_KERNEL(ravel) {
  tsr_tensor *y, *x = tsr_arg_tensor(c, 0);
  int64_t all = -1;
  TSR_TRY(tsr_contiguous(c->ctx, &y, x));
  if (x->numel == 0) all = 0;
  TSR_TRY(tsr_view_as(c->ctx, &y, y, 1, &all));
  return finish(c, y);
}

TSR_KERNEL(flatten) {
  tsr_tensor *y;
  TSR_TRY(tsr_flatten(c->ctx, &y, tsr_arg_tensor(c, 0), tsr_arg_int(c, 1), tsr_arg_int(c, 2)));
  return finish(c, y);
}

/* The sizes that dimension of `have` elements is cut into, -1 filled in. */
static tsr_status unflatten_sizes(tsr_ctx *ctx, int64_t have, int64_t dim, int64_t n, const int64_t *size, int64_t *out) {
  char text[512];
  int64_t known = 1;
  int hole = -1;
  bool fits = true;
  if (n == 0) return tsr_op_fail(ctx, "unflatten: sizes must be non-empty");
  TSR_TRY(tsr_check_ndim(ctx, n));
  tsr_sizes_print(text, sizeof text, (int)n, size);
  for (int i = 0; i < n; i++) {
    out[i] = size[i];
    if (size[i] == -1 && hole >= 0) return tsr_op_fail(ctx, "unflatten got an unexpected error:\nonly one dimension can be inferred");
    if (size[i] == -1) hole = i;
    else if (size[i] < 0)
      return tsr_op_fail(ctx, "unflatten got an unexpected error:\ninvalid shape dimension %lld at index %d of shape %s",
                         (long long)size[i], i, text);
    else if (tsr_mul_overflow(known, size[i], &known)) fits = false, known = 1;
  }
  if (fits && hole < 0 && known == have) return TSR_OK;
  if (fits && hole >= 0 && known > 0 && have % known == 0) {
    out[hole] = have / known;
    return TSR_OK;
  }
  return tsr_op_fail(ctx, "unflatten: Provided sizes %s don't multiply up to the size of dim %lld (%lld) in the input tensor",
                     text, (long long)dim, (long long)have);
}

TSR_KERNEL(unflatten) {
  tsr_tensor *y, *x = tsr_arg_tensor(c, 0);
  int64_t n, dim, size[2 * TSR_MAX_NDIM], part[TSR_MAX_NDIM];
  const int64_t *sizes;
  TSR_TRY(tsr_ints_arg(c, 2, &sizes, &n));
  TSR_TRY(tsr_wrap_dim(c->ctx, tsr_arg_int(c, 1), x->ndim, &dim));
  if (n > 0 && x->ndim == 0) return tsr_op_fail(c->ctx, "Dimension specified as %lld but tensor has no dimensions", (long long)dim);
  TSR_TRY(unflatten_sizes(c->ctx, x->ndim ? x->size[dim] : 1, dim, n, sizes, part));
  TSR_TRY(tsr_check_ndim(c->ctx, x->ndim + n - 1));
  int k = 0;
  for (int d = 0; d < dim; d++) size[k++] = x->size[d];
  for (int i = 0; i < n; i++) size[k++] = part[i];
  for (int d = (int)dim + 1; d < x->ndim; d++) size[k++] = x->size[d];
  TSR_TRY(tsr_view_as(c->ctx, &y, x, k, size));
  return finish(c, y);
}

/* Drop the dimensions of size 1 that are marked. */
static tsr_status squeeze_marked(tsr_call *c, const bool *marked) {
  tsr_tensor *y, *x = tsr_arg_tensor(c, 0);
  int64_t size[TSR_MAX_NDIM], stride[TSR_MAX_NDIM];
  int n = 0;
  for (int d = 0; d < x->ndim; d++) {
    if (marked[d] && x->size[d] == 1) continue;
    size[n] = x->size[d];
    stride[n++] = x->stride[d];
  }
  TSR_TRY(tsr_new_view(c->ctx, &y, x, x->offset, n, size, stride));
  return finish(c, y);
}

TSR_KERNEL(squeeze) {
  bool marked[TSR_MAX_NDIM];
  memset(marked, 1, sizeof marked);
  return squeeze_marked(c, marked);
}

TSR_KERNEL(squeeze_dim) {
  tsr_tensor *y;
  TSR_TRY(tsr_squeeze_dim(c->ctx, &y, tsr_arg_tensor(c, 0), tsr_arg_int(c, 1)));
  return finish(c, y);
}

TSR_KERNEL(squeeze_dims) {
  bool marked[TSR_MAX_NDIM] = {false};
  int64_t n, d;
  const int64_t *dims;
  TSR_TRY(tsr_ints_arg(c, 1, &dims, &n));
  for (int64_t i = 0; i < n; i++) {
    TSR_TRY(tsr_wrap_dim(c->ctx, dims[i], tsr_arg_tensor(c, 0)->ndim, &d));
    if (marked[d]) return tsr_op_fail(c->ctx, "dim %lld appears multiple times in the list of dims", (long long)d);
    marked[d] = true;
  }
  return squeeze_marked(c, marked);
}

TSR_KERNEL(unsqueeze) {
  tsr_tensor *y;
  TSR_TRY(tsr_unsqueeze(c->ctx, &y, tsr_arg_tensor(c, 0), tsr_arg_int(c, 1)));
  return finish(c, y);
}

TSR_KERNEL(transpose) {
  tsr_tensor *y;
  TSR_TRY(tsr_transpose(c->ctx, &y, tsr_arg_tensor(c, 0), tsr_arg_int(c, 1), tsr_arg_int(c, 2)));
  return finish(c, y);
}

TSR_KERNEL(t) {
  tsr_tensor *y, *x = tsr_arg_tensor(c, 0);
  if (x->ndim > 2)
    return tsr_op_fail(c->ctx, "t%s() expects a tensor with <= 2 dimensions, but self is %dD", c->op->data ? "_" : "", x->ndim);
  TSR_TRY(tsr_transpose(c->ctx, &y, x, 0, x->ndim < 2 ? 0 : 1));
  return finish(c, y);
}

TSR_KERNEL(permute) {
  int64_t n;
  const int64_t *dims;
  TSR_TRY(tsr_ints_arg(c, 1, &dims, &n));
  tsr_tensor *y, *x = tsr_arg_tensor(c, 0);
  if (n != x->ndim)
    return tsr_op_fail(c->ctx,
                       "permute(sparse_coo): number of dimensions in the tensor input does not match the length of the desired "
                       "ordering of dimensions i.e. input.dim() = %d is not equal to len(dims) = %lld",
                       x->ndim, (long long)n);
  TSR_TRY(tsr_permute(c->ctx, &y, x, dims));
  return finish(c, y);
}

static tsr_status check_unique_dims(tsr_ctx *ctx, const char *which, int64_t n, const int64_t *wrapped, const int64_t *given) {
  char text[512];
  for (int64_t i = 0; i < n; i++)
    for (int64_t j = 0; j < i; j++)
      if (wrapped[i] == wrapped[j]) {
        tsr_sizes_print(text, sizeof text, (int)n, given);
        return tsr_op_fail(ctx, "movedim: repeated dim in `%s` (%s)", which, text);
      }
  return TSR_OK;
}

TSR_KERNEL(movedim) {
  tsr_tensor *y, *x = tsr_arg_tensor(c, 0);
  int64_t n, m, from[TSR_MAX_NDIM], to[TSR_MAX_NDIM], order[TSR_MAX_NDIM];
  const int64_t *src, *dst;
  TSR_TRY(tsr_ints_arg(c, 1, &src, &n));
  TSR_TRY(tsr_ints_arg(c, 2, &dst, &m));
  if (n != m || n > TSR_MAX_NDIM) {
    char a[512], b[512];
    tsr_sizes_print(a, sizeof a, (int)TSR_MIN(n, TSR_MAX_NDIM), src);
    tsr_sizes_print(b, sizeof b, (int)TSR_MIN(m, TSR_MAX_NDIM), dst);
    return tsr_op_fail(c->ctx,
                       "movedim: Invalid source or destination dims: source (%s dims) should contain the same number of dims as "
                       "destination (%s dims)",
                       a, b);
  }
  TSR_TRY(tsr_wrap_dims(c->ctx, n, src, x->ndim, from));
  TSR_TRY(tsr_wrap_dims(c->ctx, n, dst, x->ndim, to));
  TSR_TRY(check_unique_dims(c->ctx, "source", n, from, src));
  TSR_TRY(check_unique_dims(c->ctx, "destination", n, to, dst));
  bool used[TSR_MAX_NDIM] = {false};
  for (int d = 0; d < x->ndim; d++) order[d] = -1;
  for (int64_t i = 0; i < n && x->ndim > 0; i++) {
    order[to[i]] = from[i];
    used[from[i]] = true;
  }
  int next = 0;
  for (int d = 0; d < x->ndim; d++) {
    if (order[d] >= 0) continue;
    while (used[next]) next++;
    order[d] = next++;
  }
  TSR_TRY(tsr_permute(c->ctx, &y, x, order));
  return finish(c, y);
}

TSR_KERNEL(numpy_t) {
  tsr_tensor *y, *x = tsr_arg_tensor(c, 0);
  int64_t dims[TSR_MAX_NDIM];
  for (int d = 0; d < x->ndim; d++) dims[d] = x->ndim - 1 - d;
  TSR_TRY(tsr_permute(c->ctx, &y, x, dims));
  return finish(c, y);
}

/* Complex tensors are conjugated in memory: there is no lazy conjugate bit. */
static tsr_status conjugate(tsr_ctx *ctx, tsr_tensor **t) {
  return tsr_dtype_is_complex((tsr_dtype)(*t)->dtype) ? tsr_unary(ctx, t, "conj_physical", *t) : TSR_OK;
}

TSR_KERNEL(matrix_t) {
  tsr_tensor *y = tsr_arg_tensor(c, 0);
  if (y->ndim == 1)
    return tsr_op_fail(c->ctx, "tensor.%s is only supported on matrices or batches of matrices. Got 1-D tensor.",
                       (const char *)c->op->data);
  if (y->ndim > 1) TSR_TRY(tsr_transpose(c->ctx, &y, y, -2, -1));
  if (c->op->data != name_mt) TSR_TRY(conjugate(c->ctx, &y));
  return finish(c, y);
}

TSR_KERNEL(matrix_h) {
  tsr_tensor *y = tsr_arg_tensor(c, 0);
  if (y->ndim != 0 && y->ndim != 2)
    return tsr_op_fail(c->ctx, "tensor.H is only supported on matrices (2-D tensors). Got %d-D tensor.%s", y->ndim,
                       y->ndim > 2 ? " For batches of matrices, consider using tensor.mH" : "");
  if (y->ndim == 2) TSR_TRY(tsr_transpose(c->ctx, &y, y, 0, 1));
  TSR_TRY(conjugate(c->ctx, &y));
  return finish(c, y);
}

TSR_KERNEL(neg_view) {
  tsr_tensor *y;
  if (tsr_arg_tensor(c, 0)->dtype == TSR_BOOL) return tsr_op_fail(c->ctx, "\"neg_cpu\" not implemented for 'Bool'");
  TSR_TRY(tsr_unary(c->ctx, &y, "neg", tsr_arg_tensor(c, 0)));
  return finish(c, y);
}

TSR_KERNEL(expand) {
  int64_t n;
  const int64_t *size;
  TSR_TRY(tsr_ints_arg(c, 1, &size, &n));
  tsr_tensor *y;
  TSR_TRY(tsr_check_ndim(c->ctx, n));
  TSR_TRY(tsr_expand(c->ctx, &y, tsr_arg_tensor(c, 0), (int)n, size));
  return finish(c, y);
}

TSR_KERNEL(expand_as) {
  tsr_tensor *y, *like = tsr_arg_tensor(c, 1);
  TSR_TRY(tsr_expand(c->ctx, &y, tsr_arg_tensor(c, 0), like->ndim, like->size));
  return finish(c, y);
}

tsr_status tsr_broadcast_all(tsr_ctx *ctx, tsr_tensor **ts, int64_t count) {
  int64_t size[TSR_MAX_NDIM];
  int n = 0;
  for (int64_t i = 0; i < count; i++) {
    int64_t sofar[TSR_MAX_NDIM];
    memcpy(sofar, size, (size_t)n * sizeof *size);
    TSR_TRY(tsr_broadcast_sizes(ctx, n, sofar, ts[i]->ndim, ts[i]->size, &n, size));
  }
  for (int64_t i = 0; i < count; i++)
    if (ts[i]->ndim != n || memcmp(ts[i]->size, size, (size_t)n * sizeof *size) != 0)
      TSR_TRY(tsr_expand(ctx, &ts[i], ts[i], n, size));
  return TSR_OK;
}

TSR_KERNEL(broadcast_tensors) {
  int64_t n;
  tsr_tensor **ts;
  TSR_TRY(tsr_tensors_arg(c, 0, &ts, &n));
  TSR_TRY(tsr_broadcast_all(c->ctx, ts, n));
  return tsr_ret_tensors(c, 0, ts, n);
}

TSR_KERNEL(select) {
  tsr_tensor *y;
  TSR_TRY(tsr_select(c->ctx, &y, tsr_arg_tensor(c, 0), tsr_arg_int(c, 1), tsr_arg_int(c, 2)));
  return finish(c, y);
}

TSR_KERNEL(slice) {
  tsr_tensor *y;
  TSR_TRY(tsr_slice(c->ctx, &y, tsr_arg_tensor(c, 0), tsr_arg_int(c, 1), tsr_arg_int_or(c, 2, 0), tsr_arg_int_or(c, 3, INT64_MAX),
                    tsr_arg_int(c, 4)));
  return finish(c, y);
}

TSR_KERNEL(narrow) {
  tsr_tensor *y;
  int64_t start;
  if (c->args[2].tag == TSR_V_TENSOR) {
    tsr_tensor *s = tsr_arg_tensor(c, 2);
    if (s->ndim != 0 || !tsr_dtype_is_integral((tsr_dtype)s->dtype, false))
      return tsr_op_fail(c->ctx, "start must be an 0-dim integral Tensor.");
    start = tsr_tensor_get(c->ctx->mem, s, 0).i;
  } else {
    start = tsr_arg_int(c, 2);
  }
  TSR_TRY(tsr_narrow(c->ctx, &y, tsr_arg_tensor(c, 0), tsr_arg_int(c, 1), start, tsr_arg_int(c, 3)));
  return finish(c, y);
}

tsr_status tsr_diagonal(tsr_ctx *ctx, tsr_tensor **out, tsr_tensor *x, int64_t offset, int64_t dim1, int64_t dim2) {
  int64_t d1, d2, size[TSR_MAX_NDIM], stride[TSR_MAX_NDIM], at = x->offset;
  TSR_TRY(tsr_wrap_dim(ctx, dim1, x->ndim, &d1));
  TSR_TRY(tsr_wrap_dim(ctx, dim2, x->ndim, &d2));
  if (d1 == d2 || x->ndim < 2)
    return tsr_op_fail(ctx, "diagonal dimensions cannot be identical %lld, %lld", (long long)dim1, (long long)dim2);
  int64_t rows = x->size[d1], cols = x->size[d2], length;
  if (offset >= 0) length = TSR_MAX(TSR_MIN(rows, offset > cols ? 0 : cols - offset), 0);
  else length = TSR_MAX(TSR_MIN(offset < -rows ? 0 : rows + offset, cols), 0);
  if (length > 0) at += offset >= 0 ? offset * x->stride[d2] : -offset * x->stride[d1];
  int n = 0;
  for (int d = 0; d < x->ndim; d++) {
    if (d == d1 || d == d2) continue;
    size[n] = x->size[d];
    stride[n++] = x->stride[d];
  }
  size[n] = length;
  stride[n++] = (int64_t)((uint64_t)x->stride[d1] + (uint64_t)x->stride[d2]); /* wraps only without elements */
  return tsr_new_view(ctx, out, x, at, n, size, stride);
}

TSR_KERNEL(diagonal) {
  tsr_tensor *y;
  TSR_TRY(tsr_diagonal(c->ctx, &y, tsr_arg_tensor(c, 0), tsr_arg_int(c, 1), tsr_arg_int(c, 2), tsr_arg_int(c, 3)));
  return finish(c, y);
}

/* Bytes that a strided view needs from the start of its storage; false: no size, or one that does not fit 64 bits. */
static bool bytes_needed(int64_t n, const int64_t *size, const int64_t *stride, int64_t offset, int64_t item, int64_t *out) {
  int64_t last = offset, span;
  *out = 0;
  for (int64_t d = 0; d < n; d++)
    if (size[d] <= 0) return size[d] == 0;
  for (int64_t d = 0; d < n; d++)
    if ((stride[d] < 0 && size[d] > 1) || tsr_mul_overflow(size[d] - 1, stride[d], &span) || tsr_add_overflow(last, span, &last)) return false;
  return !tsr_add_overflow(last, 1, &last) && !tsr_mul_overflow(last, item, out);
}

/* A view of these sizes, of x's element type, must lie inside a storage of `have` bytes.  m: how many strides were given. */
static tsr_status check_bounds(tsr_ctx *ctx, const tsr_tensor *x, size_t have, int64_t offset, int64_t n, const int64_t *size, int64_t m, const int64_t *stride) {
  char a[512], b[512];
  int64_t need = 0, item = (int64_t)tsr_tensor_itemsize(x);
  if (bytes_needed(n, size, stride, offset, item, &need) && (uint64_t)need <= have) return TSR_OK;
  tsr_sizes_print(a, sizeof a, (int)n, size);
  tsr_sizes_print(b, sizeof b, (int)m, stride);
  return tsr_op_fail(ctx, "setStorage: sizes %s, strides %s, storage offset %lld, and itemsize %lld requiring a storage size of %lld are out of bounds for storage of size %zu",
                     a, b, (long long)offset, (long long)item, (long long)need, have);
}

/* as_strided, as_strided_ and _reshape_alias: which checks come before a negative size is found out. */
enum { WITHIN, IN_PLACE, ALIAS };

static tsr_status restride(tsr_ctx *ctx, tsr_tensor **out, const tsr_tensor *x, int64_t n, const int64_t *size, int64_t m, const int64_t *stride, int64_t offset, int how) {
  char a[512], b[512];
  int64_t need = 0, numel, item = (int64_t)tsr_tensor_itemsize(x);
  bool negative = false, overflows = false;
  if (n != m)
    return how == ALIAS ? tsr_op_fail(ctx, "dimensionality of sizes (%lld) must match dimensionality of strides (%lld)", (long long)n, (long long)m)
                        : tsr_op_fail(ctx, "mismatch in length of strides and shape");
  TSR_TRY(tsr_check_ndim(ctx, n));
  tsr_sizes_print(a, sizeof a, (int)n, size);
  tsr_sizes_print(b, sizeof b, (int)n, stride);
  for (int64_t d = 0; d < n; d++) {
    if (stride[d] < 0 && how != ALIAS) return tsr_op_fail(ctx, "as_strided: Negative strides are not supported at the moment, got strides: %s", b);
    negative = negative || size[d] < 0;
    overflows = overflows || (size[d] < 0 && stride[d] != 0);
  }
  if (offset < 0) return tsr_op_fail(ctx, "Tensor: invalid storage offset %lld", (long long)offset);
  bool counts = tsr_numel((int)n, size, &numel);
  if (how == WITHIN && (negative ? overflows : !bytes_needed(n, size, stride, offset, item, &need)))
    return tsr_op_fail(ctx, "Storage size calculation overflowed with sizes=%s and strides=%s", a, b);
  if (!negative && (counts || how != ALIAS)) TSR_TRY(check_bounds(ctx, x, x->storage->nbytes, offset, n, size, n, stride));
  if (!counts) return tsr_op_fail(ctx, "numel: integer multiplication overflow");
  return tsr_new_view(ctx, out, x, offset, (int)n, size, stride);
}

tsr_status tsr_as_strided(tsr_ctx *ctx, tsr_tensor **out, const tsr_tensor *x, int64_t n, const int64_t *size, int64_t m, const int64_t *stride, int64_t offset) {
  return restride(ctx, out, x, n, size, m, stride, offset, WITHIN);
}

static tsr_status restrided(tsr_call *c, int64_t offset, int how) {
  int64_t n, m;
  const int64_t *size, *stride;
  tsr_tensor *y;
  TSR_TRY(tsr_ints_arg(c, 1, &size, &n));
  TSR_TRY(tsr_ints_arg(c, 2, &stride, &m));
  TSR_TRY(restride(c->ctx, &y, tsr_arg_tensor(c, 0), n, size, m, stride, offset, how));
  return finish(c, y);
}

TSR_KERNEL(as_strided) { return restrided(c, tsr_arg_int_or(c, 3, tsr_arg_tensor(c, 0)->offset), c->op->data != NULL ? IN_PLACE : WITHIN); }
TSR_KERNEL(reshape_alias) { return restrided(c, tsr_arg_tensor(c, 0)->offset, ALIAS); }

TSR_KERNEL(unfold) {
  tsr_tensor *y, *x = tsr_arg_tensor(c, 0);
  int64_t dim, width = tsr_arg_int(c, 2), step = tsr_arg_int(c, 3), size[TSR_MAX_NDIM + 1], stride[TSR_MAX_NDIM + 1];
  TSR_TRY(tsr_wrap_dim(c->ctx, tsr_arg_int(c, 1), x->ndim, &dim));
  int64_t have = x->ndim ? x->size[dim] : 1;
  if (width < 0) return tsr_op_fail(c->ctx, "size is %lld but must be >= 0", (long long)width);
  if (width > have)
    return tsr_op_fail(c->ctx, "maximum size for tensor at dimension %lld is %lld but size is %lld", (long long)dim,
                       (long long)have, (long long)width);
  if (step <= 0) return tsr_op_fail(c->ctx, "step is %lld but must be > 0", (long long)step);
  TSR_TRY(tsr_check_ndim(c->ctx, x->ndim + 1));
  memcpy(size, x->size, x->ndim * sizeof *size);
  memcpy(stride, x->stride, x->ndim * sizeof *stride);
  size[x->ndim] = width;
  stride[x->ndim] = x->ndim ? x->stride[dim] : 1;
  if (x->ndim > 0) {
    size[dim] = (have - width) / step + 1;
    if (tsr_mul_overflow(stride[dim], step, &stride[dim])) stride[dim] = INT64_MAX; /* size is 1 then */
  }
  TSR_TRY(tsr_new_view(c->ctx, &y, x, x->offset, x->ndim + 1, size, stride));
  return finish(c, y);
}

/* Every stride and the offset count twice. */
tsr_status tsr_as_real(tsr_ctx *ctx, tsr_tensor **out, const tsr_tensor *x, bool pair, int64_t shift) {
  int64_t size[TSR_MAX_NDIM + 1], stride[TSR_MAX_NDIM + 1];
  TSR_TRY(tsr_check_ndim(ctx, x->ndim + 1));
  for (int d = 0; d < x->ndim; d++) {
    size[d] = x->size[d];
    stride[d] = (int64_t)((uint64_t)x->stride[d] * 2);
  }
  size[x->ndim] = 2;
  stride[x->ndim] = 1;
  return tsr_new_view_dtype(ctx, out, x, tsr_dtype_real_of((tsr_dtype)x->dtype), x->offset * 2 + shift, x->ndim + pair, size, stride);
}

TSR_KERNEL(real) {
  tsr_tensor *y = tsr_arg_tensor(c, 0);
  bool complex = tsr_dtype_is_complex((tsr_dtype)y->dtype), imag = c->op->data == &part_imag;
  if (!complex && imag) return tsr_op_fail(c->ctx, "imag is not implemented for tensors with non-complex dtypes.");
  if (complex) TSR_TRY(tsr_as_real(c->ctx, &y, y, false, imag));
  return finish(c, y);
}

TSR_KERNEL(view_as_real) {
  tsr_tensor *y = tsr_arg_tensor(c, 0);
  if (!tsr_dtype_is_complex((tsr_dtype)y->dtype)) return tsr_op_fail(c->ctx, "view_as_real is only supported for complex tensors");
  TSR_TRY(tsr_as_real(c->ctx, &y, y, true, 0));
  return finish(c, y);
}

TSR_KERNEL(view_as_complex) {
  tsr_tensor *y, *x = tsr_arg_tensor(c, 0);
  int64_t stride[TSR_MAX_NDIM];
  tsr_dtype dt = (tsr_dtype)x->dtype;
  if (dt != TSR_FLOAT16 && dt != TSR_FLOAT32 && dt != TSR_FLOAT64)
    return tsr_op_fail(c->ctx,
                       "view_as_complex is only supported for half, float and double tensors, but got a tensor of scalar type: %s",
                       tsr_dtype_get_info(dt)->cpp_name);
  if (x->ndim == 0) return tsr_op_fail(c->ctx, "Input tensor must have one or more dimensions");
  int last = x->ndim - 1;
  if (x->size[last] != 2) return tsr_op_fail(c->ctx, "Tensor must have a last dimension of size 2");
  if (x->stride[last] != 1) return tsr_op_fail(c->ctx, "Tensor must have a last dimension with stride 1");
  for (int d = 0; d < last; d++) {
    if (x->stride[d] % 2 != 0) return tsr_op_fail(c->ctx, "Tensor must have a stride divisible by 2 for all but last dimension");
    stride[d] = x->stride[d] / 2;
  }
  if (x->offset % 2 != 0) return tsr_op_fail(c->ctx, "Tensor must have a storage_offset divisible by 2");
  TSR_TRY(tsr_new_view_dtype(c->ctx, &y, x, tsr_dtype_complex_of(dt), x->offset / 2, last, x->size, stride));
  return finish(c, y);
}

/* What view(dtype) asks of the operand when element sizes differ by the factor `ratio`. */
static tsr_status check_view_dtype(tsr_ctx *ctx, const tsr_tensor *x, tsr_dtype to, int64_t ratio, bool grow) {
  const char *a = tsr_dtype_get_info(x->dtype)->cpp_name, *b = tsr_dtype_get_info(to)->cpp_name;
  if (x->ndim == 0) return tsr_op_fail(ctx, "self.dim() cannot be 0 to view %s as %s (different element sizes)", a, b);
  int last = x->ndim - 1;
  if (grow && x->size[last] % ratio != 0)
    return tsr_op_fail(ctx, "self.size(-1) must be divisible by %lld to view %s as %s (different element sizes), but got %lld",
                       (long long)ratio, a, b, (long long)x->size[last]);
  if (grow && x->offset % ratio != 0)
    return tsr_op_fail(ctx,
                       "self.storage_offset() must be divisible by %lld to view %s as %s (different element sizes), but got %lld",
                       (long long)ratio, a, b, (long long)x->offset);
  if (x->stride[last] != 1)
    return tsr_op_fail(ctx, "self.stride(-1) must be 1 to view %s as %s (different element sizes), but got %lld", a, b,
                       (long long)x->stride[last]);
  for (int d = 0; grow && d < last; d++)
    if (x->stride[d] % ratio != 0)
      return tsr_op_fail(ctx,
                         "self.stride(%d) must be divisible by %lld to view %s as %s (different element sizes), but got %lld", d,
                         (long long)ratio, a, b, (long long)x->stride[d]);
  return TSR_OK;
}

TSR_KERNEL(view_dtype) {
  tsr_tensor *y, *x = tsr_arg_tensor(c, 0);
  int64_t code = tsr_arg_int(c, 1), size[TSR_MAX_NDIM], stride[TSR_MAX_NDIM], offset = x->offset;
  if (!tsr_dtype_is_known(code) || tsr_dtype_is_quantized((tsr_dtype)code) || x->quant != NULL)
    return tsr_fail(&c->ctx->err, TSR_EUNSUPPORTED, "view of dtype code %lld is not supported", (long long)code);
  tsr_dtype to = (tsr_dtype)code;
  int64_t from_size = (int64_t)tsr_tensor_itemsize(x), to_size = (int64_t)tsr_dtype_size(to);
  memcpy(size, x->size, x->ndim * sizeof *size);
  memcpy(stride, x->stride, x->ndim * sizeof *stride);
  if (from_size != to_size) {
    bool grow = to_size > from_size;
    int64_t ratio = grow ? to_size / from_size : from_size / to_size;
    TSR_TRY(check_view_dtype(c->ctx, x, to, ratio, grow));
    for (int d = 0; d < x->ndim - 1; d++) stride[d] = grow ? stride[d] / ratio : (int64_t)((uint64_t)stride[d] * (uint64_t)ratio);
    if (grow) size[x->ndim - 1] /= ratio;
    else if (tsr_mul_overflow(size[x->ndim - 1], ratio, &size[x->ndim - 1])) return tsr_op_nomem(c->ctx);
    offset = grow ? offset / ratio : offset * ratio;
  }
  TSR_TRY(tsr_new_view_dtype(c->ctx, &y, x, to, offset, x->ndim, size, stride));
  return finish(c, y);
}

TSR_KERNEL(alias) {
  tsr_tensor *y, *x = tsr_arg_tensor(c, 0);
  TSR_TRY(tsr_new_view(c->ctx, &y, x, x->offset, x->ndim, x->size, x->stride));
  return finish(c, y);
}

TSR_KERNEL(self) { return tsr_ret_tensor(c, 0, tsr_arg_tensor(c, 0)); }

TSR_KERNEL(detach_inplace) {
  tsr_arg_tensor(c, 0)->requires_grad = 0;
  return tsr_ret_tensor(c, 0, tsr_arg_tensor(c, 0));
}

static tsr_status at_least(tsr_ctx *ctx, tsr_tensor **t, int rank) {
  static const int64_t ones[3] = {1, 1, 1};
  tsr_tensor *x = *t;
  if (x->ndim == 0) return tsr_reshape(ctx, t, x, rank, ones);
  if (x->ndim == 1 && rank >= 2) TSR_TRY(tsr_unsqueeze(ctx, t, *t, 0));
  if ((x->ndim == 1 || x->ndim == 2) && rank == 3) TSR_TRY(tsr_unsqueeze(ctx, t, *t, -1));
  return TSR_OK;
}

TSR_KERNEL(atleast) {
  tsr_tensor *y = tsr_arg_tensor(c, 0);
  TSR_TRY(at_least(c->ctx, &y, *(const int *)c->op->data));
  return finish(c, y);
}

TSR_KERNEL(atleast_list) {
  int64_t n;
  tsr_tensor **ts;
  TSR_TRY(tsr_tensors_arg(c, 0, &ts, &n));
  for (int64_t i = 0; i < n; i++) TSR_TRY(at_least(c->ctx, &ts[i], *(const int *)c->op->data));
  return tsr_ret_tensors(c, 0, ts, n);
}

/* x, whatever its own element type, becomes a view of y's storage. */
static tsr_status set_storage(tsr_call *c, tsr_tensor *x, const tsr_tensor *y, int64_t offset, int64_t n, const int64_t *size, const int64_t *stride) {
  if (x->quant != NULL || y->quant != NULL) return tsr_fail(&c->ctx->err, TSR_EUNSUPPORTED, "set_ is not available for quantized tensors");
  if (!tsr_tensor_set_dims(x, (int)n, size, stride)) return tsr_op_nomem(c->ctx);
  tsr_storage *old = x->storage;
  tsr_obj_retain(y->storage);
  x->storage = y->storage;
  x->offset = offset;
  tsr_obj_release(old);
  return tsr_ret_tensor(c, 0, x);
}

/* A storage that is too small grows, unless the geometry stays as it is. */
static tsr_status set_growing(tsr_call *c, tsr_tensor *x, tsr_tensor *y, int64_t offset, int64_t n, const int64_t *size, int64_t m, const int64_t *stride) {
  tsr_ctx *ctx = c->ctx;
  int64_t need;
  char a[512], b[512];
  size_t bytes = (size_t)n * sizeof *size;
  if (n == x->ndim && memcmp(x->size, size, bytes) == 0 && memcmp(x->stride, stride, bytes) == 0) {
    TSR_TRY(check_bounds(ctx, x, y->storage->nbytes, offset, n, size, m, stride));
  } else if (!bytes_needed(n, size, stride, offset, (int64_t)tsr_tensor_itemsize(x), &need)) {
    tsr_sizes_print(a, sizeof a, (int)n, size);
    tsr_sizes_print(b, sizeof b, (int)n, stride);
    return tsr_op_fail(ctx, "Storage size calculation overflowed with sizes=%s and strides=%s", a, b);
  } else if ((uint64_t)need > y->storage->nbytes) {
    TSR_TRY(tsr_storage_grow(ctx, y, (size_t)need));
  }
  return set_storage(c, x, y, offset, n, size, stride);
}

TSR_KERNEL(set) {
  tsr_tensor *y = tsr_arg_tensor(c, 1);
  return set_growing(c, tsr_arg_tensor(c, 0), y, y->offset, y->ndim, y->size, y->ndim, y->stride);
}

TSR_KERNEL(set_strided) {
  tsr_ctx *ctx = c->ctx;
  tsr_tensor *y = tsr_arg_tensor(c, 1);
  int64_t n, m, numel, offset = tsr_arg_int(c, 2), dense[TSR_MAX_NDIM];
  const int64_t *size, *stride;
  TSR_TRY(tsr_ints_arg(c, 3, &size, &n));
  TSR_TRY(tsr_ints_arg(c, 4, &stride, &m));
  if (!tsr_tensor_is_contiguous(y)) return tsr_op_fail(ctx, "passed in tensor to be used as storage must be contiguous");
  if (m > 0 && m != n) return tsr_op_fail(ctx, "unequal size length (%lld) and stride length (%lld)", (long long)n, (long long)m);
  if (offset < 0) return tsr_op_fail(ctx, "Tensor: invalid storage offset %lld", (long long)offset);
  TSR_TRY(tsr_check_ndim(ctx, n));
  if (!tsr_numel((int)n, size, &numel)) return tsr_op_fail(ctx, "numel: integer multiplication overflow");
  if (m <= 0) {
    tsr_strides_contiguous((int)n, size, dense);
    stride = dense;
  }
  return set_growing(c, tsr_arg_tensor(c, 0), y, offset, n, size, TSR_MAX(m, 0), stride);
}

TSR_KERNEL(shape_as_tensor) {
  tsr_tensor *y, *x = tsr_arg_tensor(c, 0);
  int64_t n = x->ndim;
  void *p;
  TSR_TRY(tsr_new(c->ctx, &y, TSR_INT64, 1, &n));
  TSR_TRY(tsr_data_mut(c->ctx, y, &p));
  if (n > 0) memcpy(p, x->size, (size_t)n * sizeof *x->size);
  return tsr_ret_tensor(c, 0, y);
}

/* x takes over the data of another tensor, whatever its type. */
TSR_KERNEL(set_data) {
  tsr_tensor *x = tsr_arg_tensor(c, 0);
  const tsr_tensor *y = tsr_arg_tensor(c, 1);
  if (x->quant != NULL || y->quant != NULL) return tsr_fail(&c->ctx->err, TSR_EUNSUPPORTED, "set_data is not available for quantized tensors");
  x->dtype = y->dtype;
  tsr_call inner = *c;
  tsr_val ret = tsr_none();
  inner.rets = &ret;
  tsr_status st = set_storage(&inner, x, y, y->offset, y->ndim, y->size, y->stride);
  tsr_release(ret);
  return st;
}

TSR_KERNEL(set_empty) {
  int64_t none = 0;
  tsr_tensor *y, *x = tsr_arg_tensor(c, 0);
  TSR_TRY(tsr_new(c->ctx, &y, (tsr_dtype)x->dtype, 1, &none));
  return set_storage(c, x, y, y->offset, y->ndim, y->size, y->stride);
}

TSR_KERNEL(reshape_from_tensor) {
  tsr_tensor *y, *shape;
  TSR_TRY(tsr_ready(c->ctx, &shape, tsr_arg_tensor(c, 1), TSR_INT64));
  TSR_TRY(tsr_check_ndim(c->ctx, shape->numel));
  TSR_TRY(tsr_reshape(c->ctx, &y, tsr_arg_tensor(c, 0), (int)shape->numel, tsr_tensor_data_ro(shape)));
  return tsr_ret_tensor(c, 0, y);
}

TSR_KERNEL(same_list) { return tsr_ret(c, 0, c->args[0]); }

const tsr_op tsr_ops_view[] = {
    {"aten::view(Tensor(a) self, SymInt[] size) -> Tensor(a)", op_view, TSR_PURE},
    {"aten::view.dtype(Tensor(a) self, ScalarType dtype) -> Tensor(a)", op_view_dtype, TSR_PURE},
    {"aten::view_as(Tensor(a) self, Tensor other) -> Tensor(a)", op_view_like, TSR_PURE},
    {"aten::reshape(Tensor(a) self, SymInt[] shape) -> Tensor(a)", op_reshape, TSR_PURE},
    {"aten::reshape_as(Tensor(a) self, Tensor other) -> Tensor(a)", op_reshape_as, TSR_PURE},
    {"aten::_reshape_alias(Tensor(a) self, SymInt[] size, SymInt[] stride) -> Tensor(a)", op_reshape_alias, TSR_PURE},
    {"aten::_reshape_copy(Tensor self, SymInt[] size) -> Tensor", op_reshape_copy, TSR_PURE},
    {"aten::_unsafe_view(Tensor self, SymInt[] size) -> Tensor", op_view, TSR_PURE},
    {"aten::_unsafe_view.out(Tensor self, SymInt[] size, *, Tensor(a!) out) -> Tensor(a!)", op_view, TSR_OUT_NEW},
    {"aten::ravel(Tensor(a) self) -> Tensor(a)", op_ravel, TSR_PURE},
    {"aten::flatten.using_ints(Tensor(a) self, int start_dim=0, int end_dim=-1) -> Tensor(a)", op_flatten, TSR_PURE},
    {"aten::unflatten.int(Tensor(a) self, int dim, SymInt[] sizes) -> Tensor(a)", op_unflatten, TSR_PURE},
    {"aten::squeeze(Tensor(a) self) -> Tensor(a)", op_squeeze, TSR_PURE},
    {"aten::squeeze.dim(Tensor(a) self, int dim) -> Tensor(a)", op_squeeze_dim, TSR_PURE},
    {"aten::squeeze.dims(Tensor(a) self, int[] dim) -> Tensor(a)", op_squeeze_dims, TSR_PURE},
    {"aten::squeeze_(Tensor(a!) self) -> Tensor(a!)", op_squeeze, 0, &in_place},
    {"aten::squeeze_.dim(Tensor(a!) self, int dim) -> Tensor(a!)", op_squeeze_dim, 0, &in_place},
    {"aten::squeeze_.dims(Tensor(a!) self, int[] dim) -> Tensor(a!)", op_squeeze_dims, 0, &in_place},
    {"aten::unsqueeze(Tensor(a) self, int dim) -> Tensor(a)", op_unsqueeze, TSR_PURE},
    {"aten::unsqueeze_(Tensor(a!) self, int dim) -> Tensor(a!)", op_unsqueeze, 0, &in_place},
    {"aten::transpose.int(Tensor(a) self, int dim0, int dim1) -> Tensor(a)", op_transpose, TSR_PURE},
    {"aten::transpose_(Tensor(a!) self, int dim0, int dim1) -> Tensor(a!)", op_transpose, 0, &in_place},
    {"aten::swapaxes(Tensor(a) self, int axis0, int axis1) -> Tensor(a)", op_transpose, TSR_PURE},
    {"aten::swapaxes_(Tensor(a!) self, int axis0, int axis1) -> Tensor(a!)", op_transpose, 0, &in_place},
    {"aten::swapdims(Tensor(a) self, int dim0, int dim1) -> Tensor(a)", op_transpose, TSR_PURE},
    {"aten::swapdims_(Tensor(a!) self, int dim0, int dim1) -> Tensor(a!)", op_transpose, 0, &in_place},
    {"aten::t(Tensor(a) self) -> Tensor(a)", op_t, TSR_PURE},
    {"aten::t_(Tensor(a!) self) -> Tensor(a!)", op_t, 0, &in_place},
    {"aten::permute(Tensor(a) self, int[] dims) -> Tensor(a)", op_permute, TSR_PURE},
    {"aten::movedim.int(Tensor(a) self, int source, int destination) -> Tensor(a)", op_movedim, TSR_PURE},
    {"aten::movedim.intlist(Tensor(a) self, int[] source, int[] destination) -> Tensor(a)", op_movedim, TSR_PURE},
    {"aten::moveaxis.intlist(Tensor(a) self, int[] source, int[] destination) -> Tensor(a)", op_movedim, TSR_PURE},
    {"aten::moveaxis.int(Tensor(a) self, int source, int destination) -> Tensor(a)", op_movedim, TSR_PURE},
    {"aten::numpy_T(Tensor(a) self) -> Tensor(a)", op_numpy_t, TSR_PURE},
    {"aten::numpy_T.a(Tensor(a) self) -> Tensor(a)", op_numpy_t, TSR_PURE},
    {"aten::mT(Tensor(a) self) -> Tensor(a)", op_matrix_t, TSR_PURE, &name_mt},
    {"aten::mT.a(Tensor(a) self) -> Tensor(a)", op_matrix_t, TSR_PURE, &name_mt},
    {"aten::mH(Tensor(a) self) -> Tensor(a)", op_matrix_t, TSR_PURE, &name_mh},
    {"aten::mH.a(Tensor(a) self) -> Tensor(a)", op_matrix_t, TSR_PURE, &name_mh},
    {"aten::adjoint(Tensor(a) self) -> Tensor(a)", op_matrix_t, TSR_PURE, &name_adjoint},
    {"aten::matrix_H(Tensor(a) self) -> Tensor(a)", op_matrix_h, TSR_PURE},
    {"aten::matrix_H.a(Tensor(a) self) -> Tensor(a)", op_matrix_h, TSR_PURE},
    {"aten::expand(Tensor(a) self, SymInt[] size, *, bool implicit=False) -> Tensor(a)", op_expand, TSR_PURE},
    {"aten::broadcast_to(Tensor(a) self, SymInt[] size) -> Tensor(a)", op_expand, TSR_PURE},
    {"aten::expand_as(Tensor(a) self, Tensor other) -> Tensor(a)", op_expand_as, TSR_PURE},
    {"aten::broadcast_tensors(Tensor[] tensors) -> Tensor[]", op_broadcast_tensors, TSR_PURE},
    {"aten::select.int(Tensor(a) self, int dim, SymInt index) -> Tensor(a)", op_select, TSR_PURE},
    {"aten::slice.Tensor(Tensor(a) self, int dim=0, SymInt? start=None, SymInt? end=None, SymInt step=1) -> Tensor(a)",
     op_slice, TSR_PURE},
    {"aten::narrow(Tensor(a) self, int dim, SymInt start, SymInt length) -> Tensor(a)", op_narrow, TSR_PURE},
    {"aten::narrow.Tensor(Tensor(a) self, int dim, Tensor start, SymInt length) -> Tensor(a)", op_narrow, TSR_PURE},
    {"aten::diagonal(Tensor(a) self, int offset=0, int dim1=0, int dim2=1) -> Tensor(a)", op_diagonal, TSR_PURE},
    {"aten::linalg_diagonal(Tensor(a) A, *, int offset=0, int dim1=-2, int dim2=-1) -> Tensor(a)", op_diagonal, TSR_PURE},
    {"aten::as_strided(Tensor(a) self, SymInt[] size, SymInt[] stride, SymInt? storage_offset=None) -> Tensor(a)",
     op_as_strided, TSR_PURE},
    {"aten::as_strided_(Tensor(a!) self, SymInt[] size, SymInt[] stride, SymInt? storage_offset=None) -> Tensor(a!)",
     op_as_strided, 0, &in_place},
    {"aten::unfold(Tensor(a) self, int dimension, int size, int step) -> Tensor(a)", op_unfold, TSR_PURE},
    {"aten::real(Tensor(a) self) -> Tensor(a)", op_real, TSR_PURE, &part_real},
    {"aten::imag(Tensor(a) self) -> Tensor(a)", op_real, TSR_PURE, &part_imag},
    {"aten::view_as_real(Tensor(a) self) -> Tensor(a)", op_view_as_real, TSR_PURE},
    {"aten::view_as_complex(Tensor(a) self) -> Tensor(a)", op_view_as_complex, TSR_PURE},
    {"aten::detach(Tensor(a) self) -> Tensor(a)", op_alias, TSR_PURE},
    {"aten::detach_(Tensor(a!) self) -> Tensor(a!)", op_detach_inplace, 0},
    {"aten::alias(Tensor(a) self) -> Tensor(a)", op_alias, TSR_PURE},
    {"aten::lift(Tensor self) -> Tensor", op_self, TSR_PURE},
    {"aten::lift.out(Tensor self, *, Tensor(a!) out) -> Tensor(a!)", op_self, TSR_OUT_NEW},
    {"aten::lift_fresh(Tensor(a) self) -> Tensor(a)", op_self, TSR_PURE},
    {"aten::resolve_conj(Tensor(a) self) -> Tensor(a)", op_self, TSR_PURE},
    {"aten::resolve_neg(Tensor(a) self) -> Tensor(a)", op_self, TSR_PURE},
    {"aten::_neg_view(Tensor(a) self) -> Tensor(a)", op_neg_view, TSR_PURE},
    {"aten::atleast_1d(Tensor self) -> Tensor", op_atleast, TSR_PURE, &rank1},
    {"aten::atleast_1d.Sequence(Tensor[] tensors) -> Tensor[]", op_atleast_list, TSR_PURE, &rank1},
    {"aten::atleast_2d(Tensor self) -> Tensor", op_atleast, TSR_PURE, &rank2},
    {"aten::atleast_2d.Sequence(Tensor[] tensors) -> Tensor[]", op_atleast_list, TSR_PURE, &rank2},
    {"aten::atleast_3d(Tensor self) -> Tensor", op_atleast, TSR_PURE, &rank3},
    {"aten::atleast_3d.Sequence(Tensor[] tensors) -> Tensor[]", op_atleast_list, TSR_PURE, &rank3},
    {"aten::set_.source_Tensor(Tensor(a!) self, Tensor source) -> Tensor(a!)", op_set, 0},
    {"aten::set_(Tensor(a!) self) -> Tensor(a!)",
     op_set_empty, 0},
    {"aten::_shape_as_tensor(Tensor self) -> Tensor", op_shape_as_tensor, TSR_PURE},
    {"aten::set_.source_Tensor_storage_offset(Tensor(a!) self, Tensor source, SymInt storage_offset, SymInt[] size, SymInt[] stride=[]) -> Tensor(a!)",
     op_set_strided, 0},
    {"aten::set_data(Tensor(a!) self, Tensor new_data) -> ()",
     op_set_data, 0},
    {"aten::_reshape_from_tensor(Tensor self, Tensor shape) -> Tensor",
     op_reshape_from_tensor, TSR_PURE},
    {"aten::_to_cpu(Tensor[] tensors) -> Tensor[]",
     op_same_list, TSR_PURE},
    {"aten::_pin_memory(Tensor self, Device? device=None) -> Tensor",
     op_self, TSR_PURE},
    {0},
};
