/* Joining tensors: cat, stack and what is made of them. */
#include "ops/conv.h"
#include "ops/iter.h"
#include "ops/native.h"
#include "ops/shape.h"

/* One operand of a cat of C-ordered tensors: a row of `run` bytes at output column `at`. */
typedef struct cat_part { const char *data; size_t at, run; } cat_part;
typedef struct cat_job { char *out; size_t row; /* bytes an output row */ int64_t count; const cat_part *parts; } cat_job;

/* Write output bytes [begin, end): any split gives the same result. */
static void cat_bytes(void *arg, int64_t begin, int64_t end) {
  const cat_job *j = arg;
  size_t at = (size_t)begin, stop = (size_t)end;
  while (at < stop) {
    size_t row = at / j->row, col = at % j->row;
    int64_t lo = 0, hi = j->count - 1; /* last part that starts at or before col */
    while (lo < hi) {
      int64_t mid = (lo + hi + 1) / 2;
      if (j->parts[mid].at <= col) lo = mid;
      else hi = mid - 1;
    }
    for (const cat_part *p = &j->parts[lo]; p < j->parts + j->count && at < stop; p++) {
      size_t skip = col - p->at, len = TSR_MIN(p->run - skip, stop - at);
      memcpy(j->out + at, p->data + row * p->run + skip, len);
      at += len;
      col += len;
    }
  }
}

/* Rows [begin, end) of short parts: part by part, so that the copies have one constant size. */
static void cat_short_rows(void *arg, int64_t begin, int64_t end) {
  const cat_job *j = arg;
  for (const cat_part *p = j->parts; p < j->parts + j->count; p++) {
    char *out = j->out + (size_t)begin * j->row + p->at;
    const char *in = p->data + (size_t)begin * p->run;
    switch (p->run) {
    case 4:
      for (int64_t i = begin; i < end; i++, out += j->row, in += 4) memcpy(out, in, 4);
      break;
    case 8:
      for (int64_t i = begin; i < end; i++, out += j->row, in += 8) memcpy(out, in, 8);
      break;
    case 16:
      for (int64_t i = begin; i < end; i++, out += j->row, in += 16) memcpy(out, in, 16);
      break;
    default:
      for (int64_t i = begin; i < end; i++, out += j->row, in += p->run) memcpy(out, in, p->run);
    }
  }
}

static bool is_legacy_empty(const tsr_tensor *t) { return t->ndim == 1 && t->size[0] == 0; }

static tsr_status check_cat_sizes(tsr_ctx *ctx, const tsr_tensor *first, const tsr_tensor *t, int64_t dim, int64_t at) {
  if (t->ndim != first->ndim)
    return tsr_op_fail(ctx, "Tensors must have same number of dimensions: got %d and %d", first->ndim, t->ndim);
  for (int d = 0; d < t->ndim; d++)
    if (d != dim && t->size[d] != first->size[d])
      return tsr_op_fail(ctx,
                         "Sizes of tensors must match except in dimension %lld. Expected size %lld but got size %lld for tensor "
                         "number %lld in the list.",
                         (long long)dim, (long long)first->size[d], (long long)t->size[d], (long long)at);
  return TSR_OK;
}

/* Order of dimensions, outermost first, in which every operand is dense C order; false: none of the
 * two layouts tried (C order, channels last) fits all. */
static bool common_order(tsr_tensor *const *ts, int64_t n, bool channels_last, int *order) {
  int ndim = ts[0]->ndim;
  for (int d = 0; d < ndim; d++) order[d] = d;
  if (channels_last) {
    for (int d = 1; d < ndim - 1; d++) order[d] = d + 1;
    order[ndim - 1] = 1;
  }
  for (int64_t i = 0; i < n; i++) {
    int64_t expect = 1;
    for (int k = ndim - 1; k >= 0; k--) {
      int d = order[k];
      if (ts[i]->size[d] != 1 && ts[i]->stride[d] != expect && ts[i]->numel > 0) return false;
      expect *= ts[i]->size[d];
    }
  }
  return true;
}

static tsr_status cat_dense(tsr_ctx *ctx, tsr_tensor *y, tsr_tensor *const *ts, int64_t n, const int *order, int64_t dim) {
  cat_job j = {0};
  void *out;
  cat_part *parts = tsr_scratch(ctx, (size_t)n * sizeof *parts);
  if (parts == NULL) return tsr_op_nomem(ctx);
  TSR_TRY(tsr_data_mut(ctx, y, &out));
  for (int64_t i = 0; i < n; i++) {
    if (ts[i]->numel == 0) continue;
    size_t run = tsr_tensor_itemsize(y);
    for (int k = y->ndim - 1; k >= 0; k--) {
      run *= (size_t)ts[i]->size[order[k]];
      if (order[k] == dim) break;
    }
    parts[j.count++] = (cat_part){tsr_tensor_data_ro(ts[i]), j.row, run};
    j.row += run;
  }
  j.out = out;
  j.parts = parts;
  int64_t bytes = y->numel * (int64_t)tsr_tensor_itemsize(y);
  if (j.row <= 64 * (size_t)j.count) tsr_parallel_for(ctx, bytes / (int64_t)j.row, (int64_t)((1 << 17) / j.row + 1), cat_short_rows, &j);
  else tsr_parallel_for(ctx, bytes, 1 << 17, cat_bytes, &j);
  return TSR_OK;
}

static tsr_status cat_copy(tsr_ctx *ctx, tsr_tensor *y, tsr_tensor *const *ts, int64_t n, int64_t dim) {
  int64_t at = 0;
  for (int64_t i = 0; i < n; i++) {
    tsr_tensor *part;
    TSR_TRY(tsr_narrow(ctx, &part, y, dim, at, ts[i]->size[dim]));
    TSR_TRY(tsr_copy_into(ctx, part, ts[i]));
    at += ts[i]->size[dim];
  }
  return TSR_OK;
}

/* Operands that count (legacy 1-D empties dropped), with the sizes checked and the output's size. */
static tsr_status cat_operands(tsr_ctx *ctx, tsr_tensor *const *ts, int64_t n, int64_t *dim, tsr_tensor **used, int64_t *count, int64_t *size) {
  int64_t m = 0;
  for (int64_t i = 0; i < n; i++) {
    if (ts[i]->ndim == 0) return tsr_op_fail(ctx, "zero-dimensional tensor (at position %lld) cannot be concatenated", (long long)i);
    if (!is_legacy_empty(ts[i])) used[m++] = ts[i];
  }
  if (m == 0) {
    used[m++] = ts[0];
    *dim = 0; /* not looked at when nothing is joined */
  }
  const tsr_tensor *first = used[0];
  TSR_TRY(tsr_wrap_dim(ctx, *dim, first->ndim, dim));
  memcpy(size, first->size, first->ndim * sizeof *size);
  size[*dim] = 0;
  for (int64_t i = 0, k = 0; i < n; i++) {
    if (k >= m || ts[i] != used[k]) continue;
    k++;
    TSR_TRY(check_cat_sizes(ctx, first, ts[i], *dim, i));
    if (tsr_add_overflow(size[*dim], ts[i]->size[*dim], &size[*dim])) return tsr_op_nomem(ctx);
  }
  *count = m;
  return TSR_OK;
}

tsr_status tsr_cat(tsr_ctx *ctx, tsr_tensor **out, tsr_tensor *const *ts, int64_t n, int64_t dim) {
  if (n == 0) return tsr_op_fail(ctx, "torch.cat(): expected a non-empty list of Tensors");
  tsr_tensor **used = tsr_scratch(ctx, (size_t)n * sizeof *used), *y;
  if (used == NULL) return tsr_op_nomem(ctx);
  int64_t m = 0, size[TSR_MAX_NDIM], stride[TSR_MAX_NDIM];
  int order[TSR_MAX_NDIM];
  TSR_TRY(cat_operands(ctx, ts, n, &dim, used, &m, size));
  tsr_dtype dtype = (tsr_dtype)ts[0]->dtype;
  bool same = true, last = true;
  for (int64_t i = 0; i < n; i++) same = same && ts[i]->dtype == dtype;
  for (int64_t i = 0; i < m && last; i++) last = used[i]->hidden ? !tsr_tensor_is_contiguous(used[i]) : tsr_conv_suggests_last(used[i]->ndim, used[i]->size, used[i]->stride);
  if (!same) dtype = tsr_result_type(ts, (int)TSR_MIN(n, INT32_MAX));
  int ndim = used[0]->ndim;
  int64_t numel;
  if (!tsr_numel(ndim, size, &numel)) return tsr_op_nomem(ctx);
  if (last) tsr_strides_channels_last(ndim, size, stride);
  else tsr_strides_contiguous(ndim, size, stride);
  TSR_TRY(tsr_new_strided(ctx, &y, dtype, ndim, size, stride));
  *out = y;
  if (y->numel == 0) return TSR_OK;
  if (same && common_order(used, m, last, order)) return cat_dense(ctx, y, used, m, order, dim);
  return cat_copy(ctx, y, used, m, dim);
}

/* Along a dimension of the operands: joined there, and split again into how many there are and the size of each. */
tsr_status tsr_stack(tsr_ctx *ctx, tsr_tensor **out, tsr_tensor *const *ts, int64_t n, int64_t dim) {
  char a[512], b[512];
  if (n == 0) return tsr_op_fail(ctx, "stack expects a non-empty TensorList");
  int ndim = ts[0]->ndim;
  TSR_TRY(tsr_wrap_dim(ctx, dim, ndim + 1, &dim));
  tsr_tensor **rows = tsr_scratch(ctx, (size_t)n * sizeof *rows);
  if (rows == NULL) return tsr_op_nomem(ctx);
  for (int64_t i = 0; i < n; i++) {
    if (ts[i]->ndim != ndim || memcmp(ts[i]->size, ts[0]->size, (size_t)ndim * sizeof(int64_t)) != 0) {
      tsr_sizes_print(a, sizeof a, ndim, ts[0]->size);
      tsr_sizes_print(b, sizeof b, ts[i]->ndim, ts[i]->size);
      return tsr_op_fail(ctx, "stack expects each tensor to be equal size, but got %s at entry 0 and %s at entry %lld", a, b, (long long)i);
    }
    if (dim == ndim) TSR_TRY(tsr_unsqueeze(ctx, &rows[i], ts[i], dim));
  }
  if (dim == ndim) return tsr_cat(ctx, out, rows, n, dim);
  int64_t size[TSR_MAX_NDIM];
  TSR_TRY(tsr_check_ndim(ctx, ndim + 1));
  memcpy(size, ts[0]->size, (size_t)dim * sizeof *size);
  size[dim] = n;
  memcpy(size + dim + 1, ts[0]->size + dim, (size_t)(ndim - dim) * sizeof *size);
  TSR_TRY(tsr_cat(ctx, out, ts, n, dim));
  return tsr_reshape(ctx, out, *out, ndim + 1, size);
}

static tsr_status check_out_overlap(const tsr_call *c, tsr_tensor *const *ts, int64_t n) {
  if (c->outs == NULL || c->outs[0].tag != TSR_V_TENSOR) return TSR_OK;
  TSR_TRY(tsr_check_no_internal_overlap(c->ctx, c->outs[0].t));
  for (int64_t i = 0; i < n; i++) TSR_TRY(tsr_check_no_overlap(c->ctx, c->outs[0].t, ts[i]));
  return TSR_OK;
}

/* What is said of an out argument's type comes after zero-dimensional operands and the dimension, before the sizes. */
tsr_status tsr_cat_check_out(const tsr_call *c, tsr_tensor *const *ts, int64_t n, int64_t dim) {
  int rank = 1;
  if (c->outs == NULL || n == 0) return TSR_OK;
  for (int64_t i = n - 1; i >= 0; i--) {
    if (ts[i]->ndim == 0) return TSR_OK;
    if (!is_legacy_empty(ts[i])) rank = ts[i]->ndim;
  }
  if (dim < -rank || dim >= rank) return TSR_OK;
  TSR_TRY(tsr_out_cast(c, 0, tsr_result_type(ts, (int)TSR_MIN(n, INT32_MAX)), "torch.cat(): input types%.0s can't be cast to the desired output type %s"));
  return check_out_overlap(c, ts, n);
}

static tsr_status ret_cat(tsr_call *c, tsr_tensor *const *ts, int64_t n, int64_t dim) {
  tsr_tensor *y;
  TSR_TRY(tsr_cat_check_out(c, ts, n, dim));
  TSR_TRY(tsr_cat(c->ctx, &y, ts, n, dim));
  return tsr_ret_tensor(c, 0, y);
}

TSR_KERNEL(cat) {
  tsr_tensor **ts;
  int64_t n;
  TSR_TRY(tsr_tensors_arg(c, 0, &ts, &n));
  return ret_cat(c, ts, n, tsr_arg_int(c, 1));
}

TSR_KERNEL(stack) {
  tsr_tensor **ts, *y;
  int64_t n;
  TSR_TRY(tsr_tensors_arg(c, 0, &ts, &n));
  TSR_TRY(tsr_stack(c->ctx, &y, ts, n, tsr_arg_int(c, 1)));
  TSR_TRY(tsr_cat_check_out(c, &y, 1, 0));
  TSR_TRY(check_out_overlap(c, ts, n));
  return tsr_ret_tensor(c, 0, y);
}

/* x with at least `rank` dimensions, as atleast_1d/2d/3d add them. */
static tsr_status at_least(tsr_ctx *ctx, tsr_tensor **x, int rank) {
  static const int64_t ones[3] = {1, 1, 1};
  int have = (*x)->ndim;
  if (have == 0) return tsr_reshape(ctx, x, *x, rank, ones);
  if (have == 1 && rank >= 2) TSR_TRY(tsr_unsqueeze(ctx, x, *x, 0));
  if (have <= 2 && rank == 3) TSR_TRY(tsr_unsqueeze(ctx, x, *x, -1));
  return TSR_OK;
}

/* hstack, vstack, dstack: row data is the rank. */
static const int rank_h = 1, rank_v = 2, rank_d = 3;
TSR_KERNEL(axis_stack) {
  tsr_tensor **ts;
  int64_t n;
  int rank = *(const int *)c->op->data;
  TSR_TRY(tsr_tensors_arg(c, 0, &ts, &n));
  if (n == 0) return tsr_op_fail(c->ctx, "%cstack expects a non-empty TensorList", "hvd"[rank - 1]);
  for (int64_t i = 0; i < n; i++) TSR_TRY(at_least(c->ctx, &ts[i], rank));
  int64_t dim = rank == 1 ? (ts[0]->ndim == 1 ? 0 : 1) : rank == 2 ? 0 : 2;
  return ret_cat(c, ts, n, dim);
}

TSR_KERNEL(column_stack) {
  tsr_tensor **ts;
  int64_t n;
  TSR_TRY(tsr_tensors_arg(c, 0, &ts, &n));
  if (n == 0) return tsr_op_fail(c->ctx, "column_stack expects a non-empty TensorList");
  for (int64_t i = 0; i < n; i++) {
    int64_t column[2] = {ts[i]->numel, 1};
    if (ts[i]->ndim <= 1) TSR_TRY(tsr_reshape(c->ctx, &ts[i], ts[i], 2, column));
  }
  return ret_cat(c, ts, n, 1);
}

TSR_KERNEL(block_diag) {
  tsr_tensor **ts, *y;
  int64_t n, size[2] = {0, 0}, row = 0, col = 0;
  TSR_TRY(tsr_tensors_arg(c, 0, &ts, &n));
  if (n == 0) {
    size[0] = 1;
    TSR_TRY(tsr_new(c->ctx, &y, TSR_FLOAT32, 2, size));
    return tsr_ret_tensor(c, 0, y);
  }
  tsr_dtype dtype = (tsr_dtype)ts[0]->dtype;
  for (int64_t i = 0; i < n; i++) dtype = tsr_dtype_promote(dtype, (tsr_dtype)ts[i]->dtype);
  for (int64_t i = 0; i < n; i++) {
    if (ts[i]->ndim > 2)
      return tsr_op_fail(c->ctx, "torch.block_diag: Input tensors must have 2 or fewer dimensions. Input %lld has %d dimensions",
                         (long long)i, ts[i]->ndim);
    TSR_TRY(at_least(c->ctx, &ts[i], 2));
    if (tsr_add_overflow(size[0], ts[i]->size[0], &size[0]) || tsr_add_overflow(size[1], ts[i]->size[1], &size[1]))
      return tsr_op_nomem(c->ctx);
  }
  TSR_TRY(tsr_new(c->ctx, &y, dtype, 2, size));
  TSR_TRY(tsr_fill(c->ctx, y, tsr_scalar_int(0)));
  for (int64_t i = 0; i < n; i++) {
    tsr_tensor *part;
    TSR_TRY(tsr_narrow(c->ctx, &part, y, 0, row, ts[i]->size[0]));
    TSR_TRY(tsr_narrow(c->ctx, &part, part, 1, col, ts[i]->size[1]));
    TSR_TRY(tsr_copy_into(c->ctx, part, ts[i]));
    row += ts[i]->size[0];
    col += ts[i]->size[1];
  }
  return tsr_ret_tensor(c, 0, y);
}

TSR_KERNEL(flatten_dense) {
  tsr_tensor **ts, *y;
  int64_t n;
  TSR_TRY(tsr_tensors_arg(c, 0, &ts, &n));
  for (int64_t i = 0; i < n; i++) TSR_TRY(tsr_reshape(c->ctx, &ts[i], ts[i], 1, &ts[i]->numel));
  TSR_TRY(tsr_cat(c->ctx, &y, ts, n, 0));
  return tsr_ret_tensor(c, 0, y);
}

/* Pieces of a flat tensor with the sizes of the given ones. */
TSR_KERNEL(unflatten_dense) {
  tsr_tensor *flat = tsr_arg_tensor(c, 0), **ts;
  int64_t n, at = 0;
  TSR_TRY(tsr_tensors_arg(c, 1, &ts, &n));
  for (int64_t i = 0; i < n; i++) {
    tsr_tensor *part;
    TSR_TRY(tsr_narrow(c->ctx, &part, flat, 0, at, ts[i]->numel));
    at += ts[i]->numel;
    TSR_TRY(tsr_view_as(c->ctx, &ts[i], part, ts[i]->ndim, ts[i]->size));
  }
  return tsr_ret_tensors(c, 0, ts, n);
}

const tsr_op tsr_ops_join[] = {
    {"aten::cat(Tensor[] tensors, int dim=0) -> Tensor", op_cat, TSR_PURE | TSR_ANY_ORDER},
    {"aten::cat.out(Tensor[] tensors, int dim=0, *, Tensor(a!) out) -> Tensor(a!)", op_cat, TSR_OUT},
    {"aten::concat(Tensor[] tensors, int dim=0) -> Tensor", op_cat, TSR_PURE | TSR_ANY_ORDER},
    {"aten::concat.out(Tensor[] tensors, int dim=0, *, Tensor(a!) out) -> Tensor(a!)", op_cat, TSR_OUT},
    {"aten::concatenate(Tensor[] tensors, int dim=0) -> Tensor", op_cat, TSR_PURE | TSR_ANY_ORDER},
    {"aten::concatenate.out(Tensor[] tensors, int dim=0, *, Tensor(a!) out) -> Tensor(a!)", op_cat, TSR_OUT},
    {"aten::stack(Tensor[] tensors, int dim=0) -> Tensor", op_stack, TSR_PURE},
    {"aten::stack.out(Tensor[] tensors, int dim=0, *, Tensor(a!) out) -> Tensor(a!)", op_stack, TSR_OUT},
    {"aten::_stack(Tensor[] tensors, int dim=0) -> Tensor", op_stack, TSR_PURE},
    {"aten::_stack.out(Tensor[] tensors, int dim=0, *, Tensor(a!) out) -> Tensor(a!)", op_stack, TSR_OUT},
    {"aten::hstack(Tensor[] tensors) -> Tensor", op_axis_stack, TSR_PURE, &rank_h},
    {"aten::hstack.out(Tensor[] tensors, *, Tensor(a!) out) -> Tensor(a!)", op_axis_stack, TSR_OUT, &rank_h},
    {"aten::vstack(Tensor[] tensors) -> Tensor", op_axis_stack, TSR_PURE, &rank_v},
    {"aten::vstack.out(Tensor[] tensors, *, Tensor(a!) out) -> Tensor(a!)", op_axis_stack, TSR_OUT, &rank_v},
    {"aten::row_stack(Tensor[] tensors) -> Tensor", op_axis_stack, TSR_PURE, &rank_v},
    {"aten::row_stack.out(Tensor[] tensors, *, Tensor(a!) out) -> Tensor(a!)", op_axis_stack, TSR_OUT, &rank_v},
    {"aten::dstack(Tensor[] tensors) -> Tensor", op_axis_stack, TSR_PURE, &rank_d},
    {"aten::dstack.out(Tensor[] tensors, *, Tensor(a!) out) -> Tensor(a!)", op_axis_stack, TSR_OUT, &rank_d},
    {"aten::column_stack(Tensor[] tensors) -> Tensor", op_column_stack, TSR_PURE},
    {"aten::column_stack.out(Tensor[] tensors, *, Tensor(a!) out) -> Tensor(a!)", op_column_stack, TSR_OUT},
    {"aten::block_diag(Tensor[] tensors) -> Tensor", op_block_diag, TSR_PURE},
    {"aten::block_diag.out(Tensor[] tensors, *, Tensor(a!) out) -> Tensor(a!)", op_block_diag, TSR_OUT_NEW},
    {"aten::flatten_dense_tensors(Tensor[] tensors) -> Tensor",
     op_flatten_dense, TSR_PURE},
    {"aten::unflatten_dense_tensors(Tensor flat, Tensor[] tensors) -> Tensor[]",
     op_unflatten_dense, TSR_PURE},
    {0},
};
