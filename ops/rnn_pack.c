/* Packed sequences: from padded batches and back. */
#include "ops/native.h"

TSR_KERNEL(pack_padded) { /* input, lengths, batch_first */
  tsr_ctx *ctx = c->ctx;
  tsr_tensor *x = tsr_arg_tensor(c, 0), *lengths = tsr_arg_tensor(c, 1), *y, *sizes;
  void *p;
  if (lengths->ndim != 1 || lengths->dtype != TSR_INT64)
    return tsr_op_fail(ctx, "'lengths' argument should be a 1D CPU int64 tensor, but got %dD cpu %s tensor", lengths->ndim,
                       tsr_dtype_get_info(lengths->dtype)->cpp_name);
  if (x->numel == 0 || x->ndim < 2) return tsr_op_fail(ctx, "Cannot pack empty tensors.");
  if (tsr_arg_bool(c, 2)) TSR_TRY(tsr_transpose(ctx, &x, x, 0, 1));
  int64_t batch = x->size[1], rows = 0;
  TSR_TRY(tsr_contiguous(ctx, &lengths, lengths));
  const int64_t *len = tsr_tensor_data_ro(lengths);
  if (lengths->size[0] != batch)
    return tsr_op_fail(ctx, "Expected `len(lengths)` to be equal to batch_size, but got %lld (batch_size=%lld)", (long long)lengths->size[0], (long long)batch);
  if (len[batch - 1] <= 0) return tsr_op_fail(ctx, "Length of all samples has to be greater than 0, but found an element in 'lengths' that is <= 0");
  for (int64_t i = 0; i < batch; i++) {
    if (i > 0 && len[i] > len[i - 1])
      return tsr_op_fail(ctx, "`lengths` array must be sorted in decreasing order when `enforce_sorted` is True. You can pass `enforce_sorted=False` to "
                         "pack_padded_sequence and/or pack_sequence to sidestep this requirement if you do not need ONNX exportability.");
    if (len[i] > x->size[0]) return tsr_op_fail(ctx, "length %lld is longer than the padded sequences, %lld", (long long)len[i], (long long)x->size[0]);
    rows += len[i];
  }
  int64_t steps = len[0], size[TSR_MAX_NDIM];
  memcpy(size, x->size + 1, (x->ndim - 1u) * sizeof *size);
  size[0] = rows;
  TSR_TRY(tsr_contiguous(ctx, &x, x));
  TSR_TRY(tsr_new(ctx, &y, (tsr_dtype)x->dtype, x->ndim - 1, size));
  TSR_TRY(tsr_new(ctx, &sizes, TSR_INT64, 1, &steps));
  TSR_TRY(tsr_data_mut(ctx, sizes, &p));
  int64_t *bs = p, at = 0;
  TSR_TRY(tsr_data_mut(ctx, y, &p));
  size_t row = (size_t)(x->numel / (x->size[0] * batch)) * tsr_tensor_itemsize(x);
  for (int64_t t = 0, n = batch; t < steps; t++) {
    while (len[n - 1] <= t) n--;
    bs[t] = n;
    memcpy((char *)p + (size_t)at * row, (const char *)tsr_tensor_data_ro(x) + (size_t)(t * batch) * row, (size_t)n * row);
    at += n;
  }
  TSR_TRY(tsr_ret_tensor(c, 1, sizes));
  return tsr_ret_tensor(c, 0, y);
}

/* PyTorch takes the rows of all steps of one batch size at once, as [steps, batch, …]: in these words it finds that there are too few. */
static tsr_status check_steps(tsr_ctx *ctx, tsr_tensor *x, const int64_t *bs, int64_t steps) {
  int64_t rows = x->size[0], at = 0, size[TSR_MAX_NDIM];
  tsr_tensor *t;
  for (int64_t i = 0, n; i < steps; i += n) {
    for (n = 1; i + n < steps && bs[i + n] == bs[i];) n++;
    if (bs[i] <= 0 || bs[i] > INT32_MAX || n > INT32_MAX) return TSR_OK; /* told below */
    size[0] = n;
    size[1] = bs[i];
    memcpy(size + 2, x->size + 1, (x->ndim - 1u) * sizeof *size);
    int64_t from = TSR_MIN(at, rows), some = TSR_MIN(n * bs[i], rows - from);
    TSR_TRY(tsr_narrow(ctx, &t, x, 0, from, some));
    TSR_TRY(tsr_view_as(ctx, &t, t, x->ndim + 1, size));
    at += some;
  }
  return TSR_OK;
}

TSR_KERNEL(pad_packed) { /* data, batch_sizes, batch_first, padding_value, total_length */
  tsr_ctx *ctx = c->ctx;
  tsr_tensor *x = tsr_arg_tensor(c, 0), *sizes = tsr_arg_tensor(c, 1), *y, *lengths;
  int64_t total = tsr_arg_int(c, 4), size[TSR_MAX_NDIM];
  void *p;
  if (sizes->ndim != 1 || sizes->dtype != TSR_INT64)
    return tsr_op_fail(ctx, "'lengths' argument should be a 1D CPU int64 tensor, but got %dD cpu %s tensor", sizes->ndim, tsr_dtype_get_info(sizes->dtype)->cpp_name);
  if (sizes->size[0] == 0) return tsr_op_fail(ctx, "batch_sizes can not be empty");
  if (x->ndim < 1 || x->ndim + 1 > TSR_MAX_NDIM) return tsr_op_fail(ctx, "packed data must have at least one dimension");
  TSR_TRY(tsr_contiguous(ctx, &sizes, sizes));
  TSR_TRY(tsr_contiguous(ctx, &x, x));
  const int64_t *bs = tsr_tensor_data_ro(sizes);
  int64_t steps = sizes->size[0], batch = bs[0], rows = 0;
  if (total > 0) {
    if (total < steps)
      return tsr_op_fail(ctx, "Expected total_length to be at least the length of the longest sequence in input, but got total_length=%lld and max sequence length being %lld",
                         (long long)total, (long long)steps);
  } else {
    total = steps;
  }
  TSR_TRY(check_steps(ctx, x, bs, steps));
  for (int64_t t = 0; t < steps; t++) {
    if (bs[t] < 0 || bs[t] > batch || (t > 0 && bs[t] > bs[t - 1]) || bs[t] > x->size[0] - rows)
      return tsr_op_fail(ctx, "batch_sizes of a packed sequence must be positive, not grow, and add up to its rows");
    rows += bs[t];
  }
  size[0] = total;
  size[1] = batch;
  memcpy(size + 2, x->size + 1, (x->ndim - 1u) * sizeof *size);
  TSR_TRY(tsr_new(ctx, &y, (tsr_dtype)x->dtype, x->ndim + 1, size));
  TSR_TRY(tsr_fill(ctx, y, tsr_arg_scalar(c, 3)));
  TSR_TRY(tsr_new(ctx, &lengths, TSR_INT64, 1, &batch));
  TSR_TRY(tsr_data_mut(ctx, lengths, &p));
  int64_t *len = p, at = 0;
  TSR_TRY(tsr_data_mut(ctx, y, &p));
  size_t row = x->size[0] == 0 ? 0 : (size_t)(x->numel / x->size[0]) * tsr_tensor_itemsize(x);
  for (int64_t i = 0; i < batch; i++) len[i] = 0;
  for (int64_t t = 0; t < steps; t++) {
    if (bs[t] * (int64_t)row > 0)
      memcpy((char *)p + (size_t)(t * batch) * row, (const char *)tsr_tensor_data_ro(x) + (size_t)at * row, (size_t)bs[t] * row);
    for (int64_t i = 0; i < bs[t]; i++) len[i] = t + 1;
    at += bs[t];
  }
  if (tsr_arg_bool(c, 2)) TSR_TRY(tsr_transpose(ctx, &y, y, 0, 1));
  TSR_TRY(tsr_ret_tensor(c, 1, lengths));
  return tsr_ret_tensor(c, 0, y);
}

const tsr_op tsr_ops_rnn_pack[] = {
    {"aten::_pack_padded_sequence(Tensor input, Tensor lengths, bool batch_first) -> (Tensor, Tensor)", op_pack_padded, TSR_PURE},
    {"aten::_pad_packed_sequence(Tensor data, Tensor batch_sizes, bool batch_first, Scalar padding_value, int total_length) -> (Tensor, Tensor)",
     op_pad_packed, TSR_PURE},
    {0},
};
