/* Splitting into views: split, chunk, tensor_split, hsplit and friends, unbind. */
#include "ops/native.h"
#include "ops/shape.h"

/* Views of consecutive runs along dim: run i has lengths[i] elements, or `same` when lengths is NULL. */
static tsr_status cut(tsr_call *c, tsr_tensor *x, int64_t dim, int64_t n, const int64_t *lengths, int64_t same) {
  tsr_tensor **ys;
  if (n == 0) return tsr_ret_tensors(c, 0, NULL, 0);
  TSR_TRY(tsr_workspace(c->ctx, n, sizeof *ys, &ys));
  int64_t at = 0, have = x->size[dim];
  for (int64_t i = 0; i < n; i++) {
    int64_t len = lengths != NULL ? lengths[i] : TSR_MIN(same, have - at);
    TSR_TRY(tsr_narrow(c->ctx, &ys[i], x, dim, at, len));
    at += len;
  }
  return tsr_ret_tensors(c, 0, ys, n);
}

static tsr_status split_even(tsr_call *c, tsr_tensor *x, int64_t width, int64_t dim) {
  if (width < 0) return tsr_op_fail(c->ctx, "split expects split_size be non-negative, but got split_size=%lld", (long long)width);
  int64_t have = x->size[dim];
  if (width == 0 && have != 0)
    return tsr_op_fail(c->ctx, "split_size can only be 0 if dimension size is 0, but got dimension size of %lld", (long long)have);
  int64_t n = width == 0 || have == 0 ? 1 : have / width + (have % width != 0);
  return cut(c, x, dim, n, NULL, width);
}

TSR_KERNEL(split) {
  tsr_tensor *x = tsr_arg_tensor(c, 0);
  int64_t dim;
  if (x->ndim == 0) return tsr_op_fail(c->ctx, "split expects at least a 1-dimensional tensor");
  TSR_TRY(tsr_wrap_dim(c->ctx, tsr_arg_int(c, 2), x->ndim, &dim));
  return split_even(c, x, tsr_arg_int(c, 1), dim);
}

static tsr_status split_sizes(tsr_call *c, int64_t n, const int64_t *lengths) {
  tsr_tensor *x = tsr_arg_tensor(c, 0);
  char text[512];
  int64_t dim, total = 0;
  if (x->ndim == 0) return tsr_op_fail(c->ctx, "split expects at least a 1-dimensional tensor");
  TSR_TRY(tsr_wrap_dim(c->ctx, tsr_arg_int(c, 2), x->ndim, &dim));
  tsr_sizes_print(text, sizeof text, (int)TSR_MIN(n, 1 << 20), lengths);
  for (int64_t i = 0; i < n; i++) {
    if (lengths[i] < 0)
      return tsr_op_fail(c->ctx, "split_with_sizes expects split_sizes have only non-negative entries, but got split_sizes=%s", text);
    if (tsr_add_overflow(total, lengths[i], &total)) total = INT64_MAX;
  }
  if (total != x->size[dim])
    return tsr_op_fail(c->ctx,
                       "split_with_sizes expects split_sizes to sum exactly to %lld (input tensor's size at dimension %lld), but "
                       "got split_sizes=%s",
                       (long long)x->size[dim], (long long)tsr_arg_int(c, 2), text);
  return cut(c, x, dim, n, lengths, 0);
}

TSR_KERNEL(split_sizes) {
  int64_t n;
  const int64_t *lengths;
  TSR_TRY(tsr_ints_arg(c, 1, &lengths, &n));
  return split_sizes(c, n, lengths);
}

TSR_KERNEL(chunk) {
  tsr_tensor *x = tsr_arg_tensor(c, 0);
  int64_t dim, n = tsr_arg_int(c, 1);
  if (x->ndim == 0) return tsr_op_fail(c->ctx, "chunk expects at least a 1-dimensional tensor");
  if (n <= 0) return tsr_op_fail(c->ctx, "chunk expects `chunks` to be greater than 0, got: %lld", (long long)n);
  TSR_TRY(tsr_wrap_dim(c->ctx, tsr_arg_int(c, 2), x->ndim, &dim));
  int64_t have = x->size[dim];
  if (have == 0) return cut(c, x, dim, n, NULL, 0);
  return split_even(c, x, have / n + (have % n != 0), dim);
}

/* n nearly equal parts, the longer ones first. */
static tsr_status split_sections(tsr_call *c, tsr_tensor *x, int64_t n, int64_t dim) {
  int64_t *lengths, have = x->size[dim];
  if (n <= 0) return tsr_op_fail(c->ctx, "number of sections must be larger than 0, got %lld", (long long)n);
  TSR_TRY(tsr_workspace(c->ctx, n, sizeof *lengths, &lengths));
  for (int64_t i = 0; i < n; i++) lengths[i] = have / n + (i < have % n);
  return cut(c, x, dim, n, lengths, 0);
}

/* Cut before each index, as Python slices do. */
static tsr_status split_indices(tsr_call *c, tsr_tensor *x, int64_t n, const int64_t *at, int64_t dim) {
  tsr_tensor **ys = tsr_scratch(c->ctx, (size_t)(n + 1) * sizeof *ys);
  if (ys == NULL) return tsr_op_nomem(c->ctx);
  for (int64_t i = 0; i <= n; i++)
    TSR_TRY(tsr_slice(c->ctx, &ys[i], x, dim, i == 0 ? 0 : at[i - 1], i == n ? INT64_MAX : at[i], 1));
  return tsr_ret_tensors(c, 0, ys, n + 1);
}

/* The common prologue of tensor_split. */
static tsr_status tensor_split_dim(tsr_call *c, int64_t *dim) {
  const tsr_tensor *x = tsr_arg_tensor(c, 0);
  if (x->ndim == 0)
    return tsr_op_fail(c->ctx, "tensor_split expected at least a 1-dimensional tensor, but got a tensor with 0 dims");
  return tsr_wrap_dim(c->ctx, tsr_arg_int(c, 2), x->ndim, dim);
}

TSR_KERNEL(tensor_split_sections) {
  int64_t dim;
  TSR_TRY(tensor_split_dim(c, &dim));
  return split_sections(c, tsr_arg_tensor(c, 0), tsr_arg_int(c, 1), dim);
}

TSR_KERNEL(tensor_split_indices) {
  int64_t dim, n;
  TSR_TRY(tensor_split_dim(c, &dim));
  const int64_t *at;
  TSR_TRY(tsr_ints_arg(c, 1, &at, &n));
  return split_indices(c, tsr_arg_tensor(c, 0), n, at, dim);
}

TSR_KERNEL(tensor_split_tensor) {
  int64_t dim;
  tsr_tensor *by = tsr_arg_tensor(c, 1);
  TSR_TRY(tensor_split_dim(c, &dim));
  if (by->dtype != TSR_INT64)
    return tsr_op_fail(c->ctx, "tensor_split expected tensor_indices_or_sections to have dtype of long, but got %s",
                       tsr_dtype_get_info(by->dtype)->cpp_name);
  if (by->ndim > 1)
    return tsr_op_fail(c->ctx,
                       "tensor_split expected tensor_indices_or_sections to be a zero-dimensional or one-dimensional tensor, but "
                       "got a tensor with %d dims",
                       by->ndim);
  TSR_TRY(tsr_contiguous(c->ctx, &by, by));
  const int64_t *at = tsr_tensor_data_ro(by);
  if (by->ndim == 0) return split_sections(c, tsr_arg_tensor(c, 0), at[0], dim);
  return split_indices(c, tsr_arg_tensor(c, 0), by->numel, at, dim);
}

/* hsplit, vsplit, dsplit: row data names the operator, its dimension and the rank it wants. */
typedef struct axis_split { char name; int dim, rank; } axis_split;
static const axis_split split_h = {'h', 1, 1}, split_v = {'v', 0, 2}, split_d = {'d', 2, 3};

TSR_KERNEL(axis_split) {
  const axis_split *how = c->op->data;
  tsr_tensor *x = tsr_arg_tensor(c, 0);
  if (x->ndim < how->rank)
    return tsr_op_fail(c->ctx, "torch.%csplit requires a tensor with at least %d dimension, but got a tensor with %d dimensions!",
                       how->name, how->rank, x->ndim);
  int64_t n, dim = how->name == 'h' && x->ndim == 1 ? 0 : how->dim;
  if (c->args[1].tag != TSR_V_INT) {
    const int64_t *at;
  TSR_TRY(tsr_ints_arg(c, 1, &at, &n));
    return split_indices(c, x, n, at, dim);
  }
  n = tsr_arg_int(c, 1);
  if (n == 0 || x->size[dim] % n != 0)
    return tsr_op_fail(c->ctx,
                       "torch.%csplit attempted to split along dimension %lld, but the size of the dimension %lld is not "
                       "divisible by the split_size %lld!",
                       how->name, (long long)dim, (long long)x->size[dim], (long long)n);
  return split_sections(c, x, n, dim);
}

TSR_KERNEL(unbind) {
  tsr_tensor *x = tsr_arg_tensor(c, 0);
  int64_t dim;
  TSR_TRY(tsr_wrap_dim(c->ctx, tsr_arg_int(c, 1), x->ndim, &dim));
  if (x->ndim == 0) return tsr_op_fail(c->ctx, "Dimension specified as %lld but tensor has no dimensions", (long long)dim);
  int64_t n = x->size[dim];
  if (n == 0) return tsr_ret_tensors(c, 0, NULL, 0);
  tsr_tensor **ys;
  TSR_TRY(tsr_workspace(c->ctx, n, sizeof *ys, &ys));
  for (int64_t i = 0; i < n; i++) TSR_TRY(tsr_select(c->ctx, &ys[i], x, dim, i));
  return tsr_ret_tensors(c, 0, ys, n);
}

const tsr_op tsr_ops_split[] = {
    {"aten::split.Tensor(Tensor(a -> *) self, SymInt split_size, int dim=0) -> Tensor(a)[]", op_split, TSR_PURE},
    {"aten::split.sizes(Tensor(a -> *) self, SymInt[] split_size, int dim=0) -> Tensor(a)[]", op_split_sizes, TSR_PURE},
    {"aten::split(Tensor(a -> *) self, int[] split_sizes, int dim=0) -> Tensor(a)[]", op_split_sizes, TSR_PURE},
    {"aten::split_with_sizes(Tensor(a -> *) self, SymInt[] split_sizes, int dim=0) -> Tensor(a)[]", op_split_sizes, TSR_PURE},
    {"aten::unsafe_split.Tensor(Tensor self, SymInt split_size, int dim=0) -> Tensor[]", op_split, TSR_PURE},
    {"aten::unsafe_split_with_sizes(Tensor self, SymInt[] split_sizes, int dim=0) -> Tensor[]", op_split_sizes, TSR_PURE},
    {"aten::chunk(Tensor(a -> *) self, int chunks, int dim=0) -> Tensor(a)[]", op_chunk, TSR_PURE},
    {"aten::unsafe_chunk(Tensor self, int chunks, int dim=0) -> Tensor[]", op_chunk, TSR_PURE},
    {"aten::tensor_split.sections(Tensor(a -> *) self, SymInt sections, int dim=0) -> Tensor(a)[]",
     op_tensor_split_sections, TSR_PURE},
    {"aten::tensor_split.indices(Tensor(a -> *) self, SymInt[] indices, int dim=0) -> Tensor(a)[]",
     op_tensor_split_indices, TSR_PURE},
    {"aten::tensor_split.tensor_indices_or_sections(Tensor(a -> *) self, Tensor tensor_indices_or_sections, int dim=0) -> Tensor(a)[]",
     op_tensor_split_tensor, TSR_PURE},
    {"aten::hsplit.int(Tensor(a -> *) self, int sections) -> Tensor(a)[]", op_axis_split, TSR_PURE, &split_h},
    {"aten::hsplit.array(Tensor(a -> *) self, int[] indices) -> Tensor(a)[]", op_axis_split, TSR_PURE, &split_h},
    {"aten::vsplit.int(Tensor(a -> *) self, int sections) -> Tensor(a)[]", op_axis_split, TSR_PURE, &split_v},
    {"aten::vsplit.array(Tensor(a -> *) self, int[] indices) -> Tensor(a)[]", op_axis_split, TSR_PURE, &split_v},
    {"aten::dsplit.int(Tensor(a -> *) self, int sections) -> Tensor(a)[]", op_axis_split, TSR_PURE, &split_d},
    {"aten::dsplit.array(Tensor(a -> *) self, int[] indices) -> Tensor(a)[]", op_axis_split, TSR_PURE, &split_d},
    {"aten::unbind.int(Tensor(a -> *) self, int dim=0) -> Tensor(a)[]", op_unbind, TSR_PURE},
    {0},
};
