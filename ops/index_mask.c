/* Masks: nonzero and its forms, masked_select, masked_scatter, where(condition). */
#include "ops/index_run.h"
#include "ops/iter.h"
#include "ops/native.h"
#include "ops/shape.h"

/* t as C-ordered bytes, 0 or 1: is the element not zero? */
static tsr_status truth(tsr_ctx *ctx, tsr_tensor **out, tsr_tensor *t) { return tsr_ready(ctx, out, t, TSR_BOOL); }

static int64_t count_true(const tsr_tensor *mask) {
  const uint8_t *m = tsr_tensor_data_ro(mask);
  int64_t n = 0;
  for (int64_t i = 0; i < mask->numel; i++) n += m[i] != 0;
  return n;
}

/* Coordinates of the true elements: row[k * ndim + d], at most `rows` of them. */
static int64_t write_coordinates(const tsr_tensor *mask, int64_t *row, int64_t rows) {
  const uint8_t *m = tsr_tensor_data_ro(mask);
  int ndim = mask->ndim;
  int64_t pos[TSR_MAX_NDIM] = {0}, k = 0, width = ndim > 0 ? mask->size[ndim - 1] : 1;
  for (int64_t i = 0; i < mask->numel && k < rows; i += width) {
    for (int64_t j = 0; j < width && k < rows; j++) {
      if (m[i + j] == 0) continue;
      for (int d = 0; d < ndim - 1; d++) row[k * ndim + d] = pos[d];
      if (ndim > 0) row[k * ndim + ndim - 1] = j;
      k++;
    }
    for (int d = ndim - 2; d >= 0 && ++pos[d] == mask->size[d]; d--) pos[d] = 0;
  }
  return k;
}

/* [count, ndim] coordinates.  PyTorch stores them column by column: strides (1, count). */
static tsr_status nonzero(tsr_ctx *ctx, tsr_tensor **out, tsr_tensor *x) {
  tsr_tensor *mask;
  void *data;
  TSR_TRY(truth(ctx, &mask, x));
  int64_t size[2] = {count_true(mask), x->ndim};
  TSR_TRY(tsr_new(ctx, out, TSR_INT64, 2, size));
  TSR_TRY(tsr_data_mut(ctx, *out, &data));
  write_coordinates(mask, data, size[0]);
  return TSR_OK;
}

static tsr_status check_long_out(const tsr_call *c, const char *name) {
  tsr_dtype out;
  if (!tsr_out_dtype(c, 0, &out) || out == TSR_INT64) return TSR_OK;
  return tsr_op_fail(c->ctx, "%s: Expected out tensor to have scalar type Long but got scalar type%s", name, tsr_dtype_get_info(out)->cpp_name);
}

TSR_KERNEL(nonzero) {
  tsr_tensor *y, *rows;
  TSR_TRY(check_long_out(c, "nonzero"));
  TSR_TRY(nonzero(c->ctx, &rows, tsr_arg_tensor(c, 0)));
  int64_t stride[2] = {1, rows->size[0]};
  if (rows->size[0] <= 1 || rows->size[1] <= 1) {
    if (!tsr_tensor_set_dims(rows, 2, rows->size, stride)) return tsr_op_nomem(c->ctx);
    return tsr_ret_tensor(c, 0, rows);
  }
  TSR_TRY(tsr_new_strided(c->ctx, &y, TSR_INT64, 2, rows->size, stride));
  TSR_TRY(tsr_copy_into(c->ctx, y, rows));
  return tsr_ret_tensor(c, 0, y);
}

TSR_KERNEL(argwhere) {
  tsr_tensor *y;
  if (tsr_arg_tensor(c, 0)->ndim > 0) return op_nonzero(c);
  TSR_TRY(nonzero(c->ctx, &y, tsr_arg_tensor(c, 0)));
  return tsr_ret_tensor(c, 0, y);
}

/* One index vector a dimension; a 0-dim operand counts as one of size 1. */
TSR_KERNEL(nonzero_columns) {
  tsr_tensor *x = tsr_arg_tensor(c, 0), *rows, *columns[TSR_MAX_NDIM];
  if (x->ndim == 0) TSR_TRY(tsr_unsqueeze(c->ctx, &x, x, 0));
  TSR_TRY(nonzero(c->ctx, &rows, x));
  for (int d = 0; d < x->ndim; d++) {
    TSR_TRY(tsr_select(c->ctx, &columns[d], rows, 1, d));
    TSR_TRY(tsr_contiguous(c->ctx, &columns[d], columns[d]));
  }
  return tsr_ret_tensors(c, 0, columns, x->ndim);
}

TSR_KERNEL(nonzero_static) {
  tsr_tensor *x = tsr_arg_tensor(c, 0), *mask, *y;
  int64_t size[2] = {tsr_arg_int(c, 1), x->ndim};
  void *data;
  TSR_TRY(check_long_out(c, "nonzero_static"));
  if (size[0] < 0) return tsr_op_fail(c->ctx, "nonzero_static: 'size' must be an non-negative integer");
  TSR_TRY(truth(c->ctx, &mask, x));
  TSR_TRY(tsr_new(c->ctx, &y, TSR_INT64, 2, size));
  TSR_TRY(tsr_fill(c->ctx, y, tsr_scalar_int(tsr_arg_int(c, 2))));
  TSR_TRY(tsr_data_mut(c->ctx, y, &data));
  write_coordinates(mask, data, size[0]);
  return tsr_ret_tensor(c, 0, y);
}

TSR_KERNEL(masked_select) {
  tsr_ctx *ctx = c->ctx;
  tsr_tensor *pair[2] = {tsr_arg_tensor(c, 1), tsr_arg_tensor(c, 0)}, *y; /* mask, self: the order messages name them in */
  void *data;
  if (pair[0]->dtype != TSR_BOOL) return tsr_op_fail(ctx, "masked_select: expected BoolTensor for mask");
  tsr_dtype found;
  if (tsr_out_dtype(c, 0, &found) && found != (tsr_dtype)pair[1]->dtype) return tsr_op_fail(ctx, "masked_select(): self and result must have the same scalar type");
  if (c->outs != NULL && c->outs[0].tag == TSR_V_TENSOR) TSR_TRY(tsr_check_no_internal_overlap(ctx, c->outs[0].t));
  TSR_TRY(tsr_broadcast_all(ctx, pair, 2));
  TSR_TRY(tsr_contiguous(ctx, &pair[0], pair[0]));
  TSR_TRY(tsr_contiguous(ctx, &pair[1], pair[1]));
  int64_t count = count_true(pair[0]);
  TSR_TRY(tsr_new(ctx, &y, (tsr_dtype)pair[1]->dtype, 1, &count));
  TSR_TRY(tsr_data_mut(ctx, y, &data));
  const uint8_t *m = tsr_tensor_data_ro(pair[0]);
  const char *in = tsr_tensor_data_ro(pair[1]);
  size_t item = tsr_tensor_itemsize(y);
  char *out = data;
  for (int64_t i = 0; i < pair[0]->numel; i++) {
    if (m[i] == 0) continue;
    memcpy(out, in + (size_t)i * item, item);
    out += item;
  }
  return tsr_ret_tensor(c, 0, y);
}

static const char in_place = 1;

TSR_KERNEL(masked_scatter) {
  tsr_ctx *ctx = c->ctx;
  tsr_tensor *x = tsr_arg_tensor(c, 0), *mask = tsr_arg_tensor(c, 1), *source = tsr_arg_tensor(c, 2), *work;
  bool writes = c->op->data == &in_place;
  void *data;
  int64_t size[TSR_MAX_NDIM];
  int n = 0;
  if (!writes) TSR_TRY(tsr_broadcast_sizes(ctx, mask->ndim, mask->size, x->ndim, x->size, &n, size));
  if (x->dtype != source->dtype)
    return tsr_op_fail(ctx, "masked_scatter: expected self and source to have same dtypes but got%s and %s", tsr_dtype_get_info(x->dtype)->cpp_name,
                       tsr_dtype_get_info(source->dtype)->cpp_name);
  if (writes) n = x->ndim, memcpy(size, x->size, (size_t)n * sizeof *size);
  TSR_TRY(tsr_expand(ctx, &mask, mask, n, size));
  if (mask->dtype != TSR_BOOL)
    return tsr_op_fail(ctx, "masked_scatter_ only supports boolean masks, but got mask with dtype %s", tsr_dtype_get_info(mask->dtype)->cpp_name);
  TSR_TRY(truth(ctx, &mask, mask));
  TSR_TRY(tsr_contiguous(ctx, &source, source));
  if (count_true(mask) > source->numel) return tsr_op_fail(ctx, "Number of elements of source < number of ones in mask");
  TSR_TRY(tsr_new(ctx, &work, (tsr_dtype)x->dtype, n, size));
  TSR_TRY(tsr_copy_into(ctx, work, x));
  TSR_TRY(tsr_data_mut(ctx, work, &data));
  const uint8_t *m = tsr_tensor_data_ro(mask);
  const char *in = tsr_tensor_data_ro(source);
  size_t item = tsr_tensor_itemsize(x);
  for (int64_t i = 0; i < work->numel; i++) {
    if (m[i] == 0) continue;
    memcpy((char *)data + (size_t)i * item, in, item);
    in += item;
  }
  if (!writes) return tsr_ret_tensor(c, 0, work);
  TSR_TRY(tsr_copy_into(ctx, x, work));
  return tsr_ret_tensor(c, 0, x);
}

const tsr_op tsr_ops_index_mask[] = {
    {"aten::nonzero(Tensor self) -> Tensor",
     op_nonzero, TSR_PURE},
    {"aten::nonzero.out(Tensor self, *, Tensor(a!) out) -> Tensor(a!)",
     op_nonzero, TSR_OUT},
    {"aten::argwhere(Tensor self) -> Tensor",
     op_argwhere, TSR_PURE},
    {"aten::nonzero_numpy(Tensor self) -> Tensor[]",
     op_nonzero_columns, TSR_PURE},
    {"aten::where(Tensor condition) -> Tensor[]",
     op_nonzero_columns, TSR_PURE},
    {"aten::nonzero_static(Tensor self, *, SymInt size, int fill_value=-1) -> Tensor",
     op_nonzero_static, TSR_PURE},
    {"aten::nonzero_static.out(Tensor self, *, SymInt size, int fill_value=-1, Tensor(a!) out) -> Tensor(a!)",
     op_nonzero_static, TSR_OUT},
    {"aten::masked_select(Tensor self, Tensor mask) -> Tensor",
     op_masked_select, TSR_PURE},
    {"aten::masked_select.out(Tensor self, Tensor mask, *, Tensor(a!) out) -> Tensor(a!)",
     op_masked_select, TSR_OUT},
    {"aten::masked_scatter(Tensor self, Tensor mask, Tensor source) -> Tensor",
     op_masked_scatter, TSR_PURE},
    {"aten::masked_scatter.out(Tensor self, Tensor mask, Tensor source, *, Tensor(a!) out) -> Tensor(a!)",
     op_masked_scatter, TSR_OUT_NEW},
    {"aten::masked_scatter_(Tensor(a!) self, Tensor mask, Tensor source) -> Tensor(a!)",
     op_masked_scatter, 0, &in_place},
    {0},
};
