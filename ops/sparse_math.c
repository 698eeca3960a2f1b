/* Arithmetic of sparse tensors: entries are gathered, computed as dense rows, and added up at their positions. */
#include <math.h>

#include "ops/index_run.h"
#include "ops/shape.h"
#include "ops/sparse.h"

static tsr_status index_select(tsr_ctx *ctx, tsr_tensor **out, tsr_tensor *x, tsr_tensor *at) {
  tsr_val args[3] = {tsr_from_obj(x), tsr_int(0), tsr_from_obj(at)}, ret;
  TSR_TRY(tsr_invoke(ctx, tsr_op_get("aten::index_select", ""), args, 3, &ret, 1));
  *out = ret.t;
  return TSR_OK;
}

/* out = x with src added at rows `at`. */
static tsr_status index_add(tsr_ctx *ctx, tsr_tensor **out, tsr_tensor *x, tsr_tensor *at, tsr_tensor *src) {
  tsr_val args[5] = {tsr_from_obj(x), tsr_int(0), tsr_from_obj(at), tsr_from_obj(src), tsr_int(1)}, ret;
  TSR_TRY(tsr_invoke(ctx, tsr_op_get("aten::index_add", ""), args, 5, &ret, 1));
  *out = ret.t;
  return TSR_OK;
}

static tsr_status zeros(tsr_ctx *ctx, tsr_tensor **out, tsr_dtype dtype, int n, const int64_t *size) {
  TSR_TRY(tsr_new(ctx, out, dtype, n, size));
  return tsr_fill(ctx, *out, tsr_scalar_int(0));
}

static int64_t outer_count(const tsr_tensor *x) {
  int64_t n = 1;
  for (int64_t d = 0; d < tsr_sparse_dims(x); d++) n *= x->size[d];
  return n;
}

/* values[i, …] times factor[i], for factors of one dimension */
static tsr_status scale_rows(tsr_ctx *ctx, tsr_tensor **out, tsr_tensor *values, tsr_tensor *factor) {
  int64_t size[TSR_MAX_NDIM];
  for (int d = 0; d < values->ndim; d++) size[d] = d == 0 ? factor->numel : 1;
  TSR_TRY(tsr_reshape(ctx, &factor, factor, values->ndim, size));
  return tsr_binary(ctx, out, "mul", values, factor);
}

/* ---- products ---- */

static tsr_status parts_2d(tsr_ctx *ctx, tsr_tensor *x, tsr_tensor **row, tsr_tensor **col) {
  tsr_tensor *checked;
  TSR_TRY(tsr_sparse_rows(ctx, x, &checked));
  if (x->ndim != 2 || tsr_sparse_dims(x) != 2) return tsr_fail(&ctx->err, TSR_EUNSUPPORTED, "products of sparse tensors need matrices without dense dimensions");
  TSR_TRY(tsr_select(ctx, row, x->sparse->a, 0, 0));
  return tsr_select(ctx, col, x->sparse->a, 0, 1);
}

static tsr_status sparse_by_dense(tsr_ctx *ctx, tsr_tensor **out, tsr_tensor *x, tsr_tensor *d) {
  tsr_tensor *row, *col, *lines, *y;
  int64_t size[2] = {x->size[0], d->size[1]};
  TSR_TRY(parts_2d(ctx, x, &row, &col));
  TSR_TRY(index_select(ctx, &lines, d, col));
  TSR_TRY(scale_rows(ctx, &lines, lines, x->sparse->values));
  TSR_TRY(zeros(ctx, &y, (tsr_dtype)x->dtype, 2, size));
  return index_add(ctx, out, y, row, lines);
}

/* For each entry of a, the entries of b in the row that its column names: numbers of both. */
static tsr_status meet(tsr_ctx *ctx, tsr_tensor *a_col, tsr_tensor *b_row, int64_t rows, tsr_tensor **ia, tsr_tensor **ib) {
  int64_t *first, count = 0, n = 0;
  void *p, *q;
  TSR_TRY(tsr_contiguous(ctx, &a_col, a_col));
  TSR_TRY(tsr_contiguous(ctx, &b_row, b_row));
  const int64_t *ac = tsr_tensor_data_ro(a_col), *br = tsr_tensor_data_ro(b_row);
  TSR_TRY(tsr_workspace(ctx, rows + 1, sizeof *first, &first));
  memset(first, 0, (size_t)(rows + 1) * sizeof *first);
  for (int64_t i = 0; i < b_row->numel; i++) first[br[i] + 1]++;
  for (int64_t r = 0; r < rows; r++) first[r + 1] += first[r];
  for (int64_t i = 0; i < a_col->numel; i++) count += first[ac[i] + 1] - first[ac[i]];
  TSR_TRY(tsr_new(ctx, ia, TSR_INT64, 1, &count));
  TSR_TRY(tsr_new(ctx, ib, TSR_INT64, 1, &count));
  TSR_TRY(tsr_data_mut(ctx, *ia, &p));
  TSR_TRY(tsr_data_mut(ctx, *ib, &q));
  for (int64_t i = 0; i < a_col->numel; i++)
    for (int64_t k = first[ac[i]]; k < first[ac[i] + 1]; k++, n++) ((int64_t *)p)[n] = i, ((int64_t *)q)[n] = k;
  return TSR_OK;
}

static tsr_status sparse_by_sparse(tsr_ctx *ctx, tsr_tensor **out, tsr_tensor *a, tsr_tensor *b) {
  tsr_tensor *ar, *ac, *br, *bc, *ia, *ib, *pair[2], *indices, *va, *vb;
  int64_t size[2] = {a->size[0], b->size[1]};
  TSR_TRY(tsr_sparse_coalesce(ctx, &a, a));
  TSR_TRY(tsr_sparse_coalesce(ctx, &b, b));
  TSR_TRY(parts_2d(ctx, a, &ar, &ac));
  TSR_TRY(parts_2d(ctx, b, &br, &bc));
  TSR_TRY(meet(ctx, ac, br, b->size[0], &ia, &ib));
  TSR_TRY(index_select(ctx, &pair[0], ar, ia));
  TSR_TRY(index_select(ctx, &pair[1], bc, ib));
  TSR_TRY(tsr_stack(ctx, &indices, pair, 2, 0));
  TSR_TRY(index_select(ctx, &va, a->sparse->values, ia));
  TSR_TRY(index_select(ctx, &vb, b->sparse->values, ib));
  TSR_TRY(tsr_binary(ctx, &va, "mul", va, vb));
  TSR_TRY(tsr_sparse_new_coo(ctx, out, 2, size, indices, va, false));
  return tsr_sparse_coalesce(ctx, out, *out);
}

tsr_status tsr_sparse_mm(tsr_ctx *ctx, tsr_tensor **out, tsr_tensor *a, tsr_tensor *b) {
  int layout = a->layout != 0 ? a->layout : b->layout;
  if (layout == 0) return tsr_matmul(ctx, out, a, b);
  if (a->ndim != 2 || b->ndim != 2) return tsr_op_fail(ctx, "mm: Expected two matrices, but got tensors of %d and %d dimensions", a->ndim, b->ndim);
  if (a->size[1] != b->size[0])
    return tsr_op_fail(ctx, "mat1 and mat2 shapes cannot be multiplied (%lldx%lld and %lldx%lld)", (long long)a->size[0], (long long)a->size[1], (long long)b->size[0], (long long)b->size[1]);
  if (a->dtype != b->dtype)
    return tsr_op_fail(ctx, "expected m1 and m2 to have the same dtype, but got: %s != %s", tsr_dtype_get_info(a->dtype)->cpp_name, tsr_dtype_get_info(b->dtype)->cpp_name);
  bool both = a->layout != 0 && b->layout != 0, left = a->layout != 0;
  if (left && a->layout != TSR_COO) TSR_TRY(tsr_sparse_to(ctx, &a, a, TSR_COO));
  if (b->layout > TSR_COO) TSR_TRY(tsr_sparse_to(ctx, &b, b, TSR_COO));
  if (both) {
    TSR_TRY(sparse_by_sparse(ctx, out, a, b));
    return layout == TSR_COO ? TSR_OK : tsr_sparse_to(ctx, out, *out, layout);
  }
  if (left) return sparse_by_dense(ctx, out, a, b);
  tsr_tensor *at, *bt, *row, *col; /* the transposed product, transposed: [b^T a^T]^T */
  TSR_TRY(parts_2d(ctx, b, &row, &col));
  tsr_tensor *pair[2] = {col, row}, *indices;
  int64_t size[2] = {b->size[1], b->size[0]};
  TSR_TRY(tsr_stack(ctx, &indices, pair, 2, 0));
  TSR_TRY(tsr_sparse_new_coo(ctx, &bt, 2, size, indices, b->sparse->values, false));
  TSR_TRY(tsr_transpose(ctx, &at, a, 0, 1));
  TSR_TRY(sparse_by_dense(ctx, out, bt, at));
  TSR_TRY(tsr_transpose(ctx, out, *out, 0, 1));
  return layout == TSR_COO ? TSR_OK : tsr_contiguous(ctx, out, *out);
}

/* ---- sums of two ---- */

static tsr_status add_to_dense(tsr_ctx *ctx, tsr_tensor **out, tsr_tensor *d, tsr_tensor *x, tsr_scalar alpha) {
  tsr_tensor *rows, *values, *flat;
  int64_t size[TSR_MAX_NDIM + 1], dims;
  tsr_tensor *two[2] = {d, x->sparse->values};
  tsr_dtype dtype = d->dtype == x->dtype ? (tsr_dtype)d->dtype : tsr_result_type(two, 2);
  if (!tsr_tensor_same_size(d, x)) return tsr_op_fail(ctx, "add: expected 'self' and 'other' to have same sizes");
  TSR_TRY(tsr_sparse_to(ctx, &x, x, TSR_COO));
  dims = tsr_sparse_dims(x);
  TSR_TRY(tsr_sparse_rows(ctx, x, &rows));
  TSR_TRY(tsr_to_dtype(ctx, &values, x->sparse->values, dtype));
  TSR_TRY(tsr_binary_scalar(ctx, &values, "mul", values, alpha));
  TSR_TRY(tsr_to_dtype(ctx, &flat, d, dtype));
  size[0] = outer_count(x);
  memcpy(size + 1, x->size + dims, (size_t)(x->ndim - dims) * sizeof *size);
  TSR_TRY(tsr_reshape(ctx, &flat, flat, (int)(x->ndim - dims) + 1, size));
  TSR_TRY(index_add(ctx, out, flat, rows, values));
  return tsr_reshape(ctx, out, *out, d->ndim, d->size);
}

/* Merged as PyTorch merges: both lists from the front, the smaller position first, equal ones together. */
static tsr_status add_two(tsr_ctx *ctx, tsr_tensor **out, tsr_tensor *a, tsr_tensor *b, tsr_tensor *scaled, tsr_dtype dtype) {
  tsr_tensor *ra, *rb, *pos[2], *at, *indices, *values, *va, *vb;
  int64_t i = 0, k = 0, n = 0, *which, size[TSR_MAX_NDIM + 1];
  void *pa, *pb, *p;
  TSR_TRY(tsr_sparse_rows(ctx, a, &ra));
  TSR_TRY(tsr_sparse_rows(ctx, b, &rb));
  const int64_t *x = tsr_tensor_data_ro(ra), *y = tsr_tensor_data_ro(rb);
  TSR_TRY(tsr_new(ctx, &pos[0], TSR_INT64, 1, &ra->numel));
  TSR_TRY(tsr_new(ctx, &pos[1], TSR_INT64, 1, &rb->numel));
  TSR_TRY(tsr_data_mut(ctx, pos[0], &pa));
  TSR_TRY(tsr_data_mut(ctx, pos[1], &pb));
  TSR_TRY(tsr_workspace(ctx, ra->numel + rb->numel + 1, sizeof *which, &which));
  while (i < ra->numel || k < rb->numel) {
    bool left = k >= rb->numel || (i < ra->numel && x[i] <= y[k]), right = i >= ra->numel || (k < rb->numel && y[k] <= x[i]);
    which[n] = left ? x[i] : y[k];
    if (left) ((int64_t *)pa)[i++] = n;
    if (right) ((int64_t *)pb)[k++] = n;
    n++;
  }
  TSR_TRY(tsr_new(ctx, &at, TSR_INT64, 1, &n));
  TSR_TRY(tsr_data_mut(ctx, at, &p));
  if (n > 0) memcpy(p, which, (size_t)n * sizeof *which);
  TSR_TRY(tsr_sparse_unravel(ctx, &indices, at, tsr_sparse_dims(a), a->size));
  memcpy(size, a->sparse->values->size, a->sparse->values->ndim * sizeof *size);
  size[0] = n;
  TSR_TRY(zeros(ctx, &values, dtype, a->sparse->values->ndim, size));
  TSR_TRY(tsr_to_dtype(ctx, &va, a->sparse->values, dtype));
  TSR_TRY(tsr_to_dtype(ctx, &vb, scaled, dtype));
  TSR_TRY(index_add(ctx, &values, values, pos[0], va));
  TSR_TRY(index_add(ctx, &values, values, pos[1], vb));
  return tsr_sparse_new_coo(ctx, out, a->ndim, a->size, indices, values, a->sparse->coalesced && b->sparse->coalesced);
}

tsr_status tsr_sparse_add(tsr_ctx *ctx, tsr_tensor **out, tsr_tensor *a, tsr_tensor *b, tsr_scalar alpha) {
  int layout = a->layout;
  tsr_tensor *scaled;
  if (b->layout == 0) return tsr_op_fail(ctx, "add(sparse, dense) is not supported. Use add(dense, sparse) instead.");
  if (a->layout == 0) return add_to_dense(ctx, out, a, b, alpha);
  if (!tsr_tensor_same_size(a, b))
    return tsr_op_fail(ctx, "add: expected sizes of 'self' and 'other' to match, but they are of %d and %d dimensions or differ", a->ndim, b->ndim);
  if (a->layout != TSR_COO) TSR_TRY(tsr_sparse_to(ctx, &a, a, TSR_COO));
  if (b->layout != TSR_COO) TSR_TRY(tsr_sparse_to(ctx, &b, b, TSR_COO));
  if (tsr_sparse_dims(a) != tsr_sparse_dims(b)) return tsr_op_fail(ctx, "add: expected 'self' and 'other' to have same density, but they have %lld and %lld sparse dimensions", (long long)tsr_sparse_dims(a), (long long)tsr_sparse_dims(b));
  tsr_tensor *two[2] = {a->sparse->values, b->sparse->values};
  tsr_dtype dtype = tsr_result_type(two, 2);
  TSR_TRY(tsr_binary_scalar(ctx, &scaled, "mul", b->sparse->values, alpha));
  TSR_TRY(add_two(ctx, out, a, b, scaled, dtype));
  return layout == TSR_COO ? TSR_OK : tsr_sparse_compress(ctx, out, *out, layout);
}

/* ---- products element by element ---- */

static tsr_status mul_dense(tsr_ctx *ctx, tsr_tensor **out, tsr_tensor *x, tsr_tensor *d) {
  tsr_tensor *rows, *full, *values;
  int64_t size[TSR_MAX_NDIM + 1], dims = tsr_sparse_dims(x);
  TSR_TRY(tsr_sparse_rows(ctx, x, &rows));
  TSR_TRY(tsr_expand(ctx, &full, d, x->ndim, x->size));
  size[0] = outer_count(x);
  memcpy(size + 1, x->size + dims, (size_t)(x->ndim - dims) * sizeof *size);
  TSR_TRY(tsr_reshape(ctx, &full, full, (int)(x->ndim - dims) + 1, size));
  TSR_TRY(index_select(ctx, &full, full, rows));
  TSR_TRY(tsr_binary(ctx, &values, "mul", x->sparse->values, full));
  return tsr_sparse_like(ctx, out, x, values, x->sparse->coalesced);
}

/* Entries of `a` whose position `b`, sorted and without repetition, has too. */
static tsr_status intersect(tsr_ctx *ctx, tsr_tensor *ra, tsr_tensor *rb, tsr_tensor **ia, tsr_tensor **ib) {
  int64_t n = 0, *found;
  const int64_t *x = tsr_tensor_data_ro(ra), *y = tsr_tensor_data_ro(rb);
  void *p, *q;
  TSR_TRY(tsr_workspace(ctx, 2 * ra->numel + 1, sizeof *found, &found));
  for (int64_t i = 0; i < ra->numel; i++) {
    int64_t low = 0, high = rb->numel;
    while (low < high) {
      int64_t mid = (low + high) / 2;
      if (y[mid] < x[i]) low = mid + 1;
      else high = mid;
    }
    if (low < rb->numel && y[low] == x[i]) found[2 * n] = i, found[2 * n + 1] = low, n++;
  }
  TSR_TRY(tsr_new(ctx, ia, TSR_INT64, 1, &n));
  TSR_TRY(tsr_new(ctx, ib, TSR_INT64, 1, &n));
  TSR_TRY(tsr_data_mut(ctx, *ia, &p));
  TSR_TRY(tsr_data_mut(ctx, *ib, &q));
  for (int64_t i = 0; i < n; i++) ((int64_t *)p)[i] = found[2 * i], ((int64_t *)q)[i] = found[2 * i + 1];
  return TSR_OK;
}

static tsr_status pick_columns(tsr_ctx *ctx, tsr_tensor **out, tsr_tensor *indices, tsr_tensor *at) {
  tsr_val args[3] = {tsr_from_obj(indices), tsr_int(1), tsr_from_obj(at)}, ret;
  TSR_TRY(tsr_invoke(ctx, tsr_op_get("aten::index_select", ""), args, 3, &ret, 1));
  *out = ret.t;
  return TSR_OK;
}

tsr_status tsr_sparse_mul(tsr_ctx *ctx, tsr_tensor **out, tsr_tensor *a, tsr_tensor *b) {
  int layout = a->layout != 0 ? a->layout : b->layout;
  tsr_tensor *ra, *rb, *ia, *ib, *indices, *va, *vb;
  if (a->layout > TSR_COO) TSR_TRY(tsr_sparse_to(ctx, &a, a, TSR_COO));
  if (b->layout > TSR_COO) TSR_TRY(tsr_sparse_to(ctx, &b, b, TSR_COO));
  if (a->layout == 0 || b->layout == 0) {
    TSR_TRY(mul_dense(ctx, out, a->layout == 0 ? b : a, a->layout == 0 ? a : b));
    return layout == TSR_COO ? TSR_OK : tsr_sparse_to(ctx, out, *out, layout);
  }
  if (!tsr_tensor_same_size(a, b) || tsr_sparse_dims(a) != tsr_sparse_dims(b))
    return tsr_op_fail(ctx, "mul: expected 'self' and 'other' to have same sizes");
  if (!a->sparse->coalesced && !b->sparse->coalesced) TSR_TRY(tsr_sparse_coalesce(ctx, &b, b));
  if (!b->sparse->coalesced) {
    tsr_tensor *swap = a;
    a = b;
    b = swap;
  }
  TSR_TRY(tsr_sparse_rows(ctx, a, &ra));
  TSR_TRY(tsr_sparse_rows(ctx, b, &rb));
  TSR_TRY(intersect(ctx, ra, rb, &ia, &ib));
  TSR_TRY(pick_columns(ctx, &indices, a->sparse->a, ia));
  TSR_TRY(index_select(ctx, &va, a->sparse->values, ia));
  TSR_TRY(index_select(ctx, &vb, b->sparse->values, ib));
  TSR_TRY(tsr_binary(ctx, &va, "mul", va, vb));
  TSR_TRY(tsr_sparse_new_coo(ctx, out, a->ndim, a->size, indices, va, a->sparse->coalesced));
  return layout == TSR_COO ? TSR_OK : tsr_sparse_to(ctx, out, *out, layout);
}

/* ---- reductions ---- */

/* Sums over the marked dimensions; the others keep their order. */
static tsr_status sum_dims(tsr_ctx *ctx, tsr_tensor **out, tsr_tensor *x, const bool *gone, int dtype) {
  int64_t sd = tsr_sparse_dims(x), inner[TSR_MAX_NDIM], size[TSR_MAX_NDIM], kept_sparse = 0;
  int n = 0, inners = 0;
  tsr_tensor *values = x->sparse->values, *rows[TSR_MAX_NDIM], *indices;
  for (int d = 0; d < x->ndim; d++) {
    if (!gone[d]) size[n++] = x->size[d];
    if (d >= sd && gone[d]) inner[inners++] = d - sd + 1;
    if (d < sd && !gone[d]) TSR_TRY(tsr_select(ctx, &rows[kept_sparse++], x->sparse->a, 0, d));
  }
  if (kept_sparse == 0) inner[inners++] = 0;
  if (inners > 0) TSR_TRY(tsr_reduce(ctx, &values, "sum", values, inners, inner, false, dtype));
  else if (dtype >= 0) TSR_TRY(tsr_to_dtype(ctx, &values, values, (tsr_dtype)dtype));
  if (kept_sparse == 0) {
    *out = values;
    return TSR_OK;
  }
  TSR_TRY(tsr_stack(ctx, &indices, rows, kept_sparse, 0));
  TSR_TRY(tsr_sparse_new_coo(ctx, out, n, size, indices, values, x->sparse->coalesced && kept_sparse == sd));
  return tsr_sparse_coalesce(ctx, out, *out);
}

/* Dimensions of size 1 at the marked places: what keepdim puts back. */
static tsr_status put_back(tsr_ctx *ctx, tsr_tensor **out, tsr_tensor *x, const tsr_tensor *like, const bool *gone) {
  int64_t size[TSR_MAX_NDIM], at = 0, nnz = x->sparse->values->size[0];
  tsr_tensor *rows[TSR_MAX_NDIM], *indices, *zero, *values = x->sparse->values;
  TSR_TRY(zeros(ctx, &zero, TSR_INT64, 1, &nnz));
  int64_t sd = tsr_sparse_dims(like);
  for (int d = 0; d < like->ndim; d++) {
    size[d] = gone[d] ? 1 : like->size[d];
    if (d < sd && gone[d]) rows[d] = zero;
    else if (d < sd) TSR_TRY(tsr_select(ctx, &rows[d], x->sparse->a, 0, at++));
    else if (gone[d]) TSR_TRY(tsr_unsqueeze(ctx, &values, values, d - sd + 1));
  }
  TSR_TRY(tsr_stack(ctx, &indices, rows, sd, 0));
  return tsr_sparse_new_coo(ctx, out, like->ndim, size, indices, values, false);
}

tsr_status tsr_sparse_sum(tsr_ctx *ctx, tsr_tensor **out, tsr_tensor *x, int64_t n, const int64_t *dims, bool keepdim, int dtype) {
  bool gone[TSR_MAX_NDIM] = {0};
  int layout = x->layout;
  tsr_tensor *like;
  if (dtype < 0 && tsr_dtype_is_integral((tsr_dtype)x->dtype, true)) dtype = TSR_INT64;
  if (n <= 0) return tsr_reduce(ctx, out, "sum", x->sparse->values, -1, NULL, false, dtype);
  for (int64_t i = 0; i < n; i++) {
    int64_t d;
    TSR_TRY(tsr_wrap_dim(ctx, dims[i], x->ndim, &d));
    gone[d] = true;
  }
  if (layout != TSR_COO) TSR_TRY(tsr_sparse_to(ctx, &x, x, TSR_COO));
  like = x;
  TSR_TRY(sum_dims(ctx, out, x, gone, dtype));
  if (!keepdim || (*out)->layout == 0) return TSR_OK;
  TSR_TRY(put_back(ctx, out, *out, like, gone));
  return layout == TSR_COO ? TSR_OK : tsr_sparse_to(ctx, out, *out, layout);
}

/* Softmax among the entries that differ in dimension dim only: what is not stored counts as minus infinity. */
static tsr_status group_softmax(tsr_ctx *ctx, tsr_tensor **out, tsr_tensor *values, tsr_tensor *group, int64_t groups, bool log) {
  tsr_tensor *top, *e, *sum;
  int64_t size[TSR_MAX_NDIM + 1];
  memcpy(size, values->size, values->ndim * sizeof *size);
  size[0] = groups;
  TSR_TRY(tsr_new(ctx, &top, (tsr_dtype)values->dtype, values->ndim, size));
  TSR_TRY(tsr_fill(ctx, top, tsr_scalar_float(-INFINITY)));
  tsr_str *how = tsr_str_new(ctx->mem, "amax", 4);
  if (how == NULL) return tsr_op_nomem(ctx);
  TSR_TRY(tsr_temp(ctx, tsr_from_obj(how)));
  tsr_val args[6] = {tsr_from_obj(top), tsr_int(0), tsr_from_obj(group), tsr_from_obj(values), tsr_from_obj(how), tsr_bool(true)}, ret;
  TSR_TRY(tsr_invoke(ctx, tsr_op_get("aten::index_reduce", ""), args, 6, &ret, 1));
  TSR_TRY(index_select(ctx, &top, ret.t, group));
  TSR_TRY(tsr_binary(ctx, &values, "sub", values, top));
  TSR_TRY(tsr_unary(ctx, &e, "exp", values));
  TSR_TRY(zeros(ctx, &sum, (tsr_dtype)values->dtype, values->ndim, size));
  TSR_TRY(index_add(ctx, &sum, sum, group, e));
  TSR_TRY(index_select(ctx, &sum, sum, group));
  if (!log) return tsr_binary(ctx, out, "div", e, sum);
  TSR_TRY(tsr_unary(ctx, &sum, "log", sum));
  return tsr_binary(ctx, out, "sub", values, sum);
}

tsr_status tsr_sparse_softmax(tsr_ctx *ctx, tsr_tensor **out, tsr_tensor *x, int64_t dim, bool log) {
  tsr_tensor *rows, *values, *others;
  int64_t size[TSR_MAX_NDIM];
  TSR_TRY(tsr_sparse_need_coo(ctx, x, log ? "log_softmax" : "softmax"));
  TSR_TRY(tsr_wrap_dim(ctx, dim, x->ndim, &dim));
  TSR_TRY(tsr_sparse_coalesce(ctx, &x, x));
  int64_t sd = tsr_sparse_dims(x);
  if (dim >= sd) {
    TSR_TRY(tsr_softmax(ctx, &values, x->sparse->values, dim - sd + 1, log));
    return tsr_sparse_like(ctx, out, x, values, true);
  }
  memcpy(size, x->size, x->ndim * sizeof *size);
  TSR_TRY(tsr_clone(ctx, &rows, x->sparse->a));
  TSR_TRY(tsr_select(ctx, &others, rows, 0, dim));
  TSR_TRY(tsr_fill(ctx, others, tsr_scalar_int(0)));
  TSR_TRY(tsr_sparse_new_coo(ctx, &others, x->ndim, size, rows, x->sparse->values, false));
  TSR_TRY(tsr_sparse_rows(ctx, others, &rows));
  tsr_val args[4] = {tsr_from_obj(rows), tsr_bool(true), tsr_bool(true), tsr_bool(false)}, found[3];
  TSR_TRY(tsr_invoke(ctx, tsr_op_get("aten::_unique2", ""), args, 4, found, 3));
  TSR_TRY(group_softmax(ctx, &values, x->sparse->values, found[1].t, found[0].t->numel, log));
  return tsr_sparse_like(ctx, out, x, values, true);
}

/* ---- parts ---- */

/* Slices x[at] along dimension 0, stacked: in the order of `at`, entries as they stand. */
tsr_status tsr_sparse_pick(tsr_ctx *ctx, tsr_tensor **out, tsr_tensor *x, tsr_tensor *at) {
  tsr_tensor *row, *ia, *ib, *indices, *values, *first, *order;
  TSR_TRY(tsr_index_ready(ctx, &at, at));
  TSR_TRY(tsr_index_check(ctx, at, x->size[0], 0));
  TSR_TRY(tsr_sparse_coalesce(ctx, &x, x)); /* sorted by row: meet needs that */
  TSR_TRY(tsr_sparse_rows(ctx, x, &order));
  TSR_TRY(tsr_select(ctx, &row, x->sparse->a, 0, 0));
  TSR_TRY(meet(ctx, at, row, x->size[0], &ia, &ib));
  TSR_TRY(pick_columns(ctx, &indices, x->sparse->a, ib));
  TSR_TRY(tsr_select(ctx, &first, indices, 0, 0));
  TSR_TRY(tsr_copy_into(ctx, first, ia));
  TSR_TRY(index_select(ctx, &values, x->sparse->values, ib));
  int64_t size[TSR_MAX_NDIM];
  memcpy(size, x->size, x->ndim * sizeof *size);
  size[0] = at->numel;
  return tsr_sparse_new_coo(ctx, out, x->ndim, size, indices, values, false);
}
