/* LSTM layers of float32 and bfloat16 without projection: PyTorch hands them to oneDNN.  That path looks at fewer things than its own:
 * states and parameters beyond those needed are left alone, biases are added up in any element type, and many sizes are not looked at. */
#include "ops/native.h"
#include "ops/rnn.h"

bool tsr_rnn_is_onednn(const tsr_rnn_net *n, const tsr_tensor *x) {
  return n->kind == TSR_RNN_LSTM && !n->projected && x->numel > 0 && (x->dtype == TSR_FLOAT32 || x->dtype == TSR_BFLOAT16);
}

static tsr_status check_index(tsr_ctx *ctx, const tsr_rnn_net *n, int64_t index) {
  int64_t each = tsr_rnn_each(n);
  if (each * (index + 1) > n->param_count)
    return tsr_op_fail(ctx, "ArrayRef: invalid slice, N = %lld; M = %lld; size = %lld", (long long)(each * index), (long long)each, (long long)n->param_count);
  tsr_tensor *row, *states[] = {n->h0, n->c0};
  for (int i = 0; i < 2; i++) TSR_TRY(tsr_select(ctx, &row, states[i], 0, index));
  return TSR_OK;
}

static tsr_status check_dtype(tsr_ctx *ctx, tsr_dtype got, tsr_dtype want, bool also_float) {
  if (got == want || (also_float && got == TSR_FLOAT32)) return TSR_OK;
  if (got == TSR_INT8 || got == TSR_UINT8) return tsr_op_fail(ctx, "itensor_view_from_dense expects float, bfloat16 or half tensor input");
  if (got != TSR_FLOAT16 && got != TSR_BFLOAT16 && got != TSR_FLOAT32) return tsr_op_fail(ctx, "get_mkldnn_dtype: unsupported data type");
  return tsr_op_fail(ctx, "could not create a primitive descriptor for the LSTM forward propagation primitive. "
                          "Run workload with environment variable ONEDNN_VERBOSE=all to get additional diagnostic information.");
}

/* One bias, the sum of the two, in the place of the first; zeros in that of the second. */
static tsr_status add_biases(tsr_ctx *ctx, tsr_tensor **b, tsr_dtype d) {
  tsr_tensor *both;
  TSR_TRY(tsr_binary(ctx, &both, "add", b[0], b[1]));
  if (both->dtype != TSR_FLOAT32) TSR_TRY(check_dtype(ctx, (tsr_dtype)both->dtype, d, false));
  TSR_TRY(tsr_to_dtype(ctx, &b[0], both, d));
  TSR_TRY(tsr_binary_scalar(ctx, &b[1], "mul", b[0], tsr_scalar_int(0)));
  return TSR_OK;
}

static tsr_status check_layer(tsr_ctx *ctx, const tsr_rnn_net *n, int64_t index, tsr_tensor **p, tsr_dtype d) {
  TSR_TRY(check_index(ctx, n, index));
  TSR_TRY(check_dtype(ctx, (tsr_dtype)n->h0->dtype, d, false));
  TSR_TRY(check_dtype(ctx, (tsr_dtype)n->c0->dtype, d, true));
  for (int i = 0; i < 2; i++) TSR_TRY(check_dtype(ctx, (tsr_dtype)p[i]->dtype, d, false));
  return n->biases ? add_biases(ctx, p + 2, d) : TSR_OK;
}

tsr_status tsr_rnn_as_onednn(tsr_ctx *ctx, tsr_rnn_net *n, const tsr_tensor *x) {
  int64_t each = tsr_rnn_each(n), dirs = n->bidirectional ? 2 : 1, groups, dim;
  if (n->param_count % each != 0)
    return tsr_op_fail(ctx, "MatrixRef: ArrayRef size %lld not divisible by stride %lld", (long long)n->param_count, (long long)each);
  if (n->layers < 0) return tsr_op_fail(ctx, "cannot create std::vector larger than max_size()");
  if (n->layers == 0) return tsr_op_fail(ctx, "stack expects a non-empty TensorList");
  tsr_tensor **params = tsr_scratch(ctx, (size_t)(n->param_count + 1) * sizeof *params);
  if (params == NULL) return tsr_op_nomem(ctx);
  groups = (n->layers > n->param_count ? n->param_count + 1 : n->layers) * dirs; /* more end at the parameters */
  memcpy(params, n->params, (size_t)n->param_count * sizeof *params);
  for (int64_t i = 0; i < groups; i++) TSR_TRY(check_layer(ctx, n, i, params + i * each, (tsr_dtype)x->dtype));
  TSR_TRY(tsr_wrap_dim(ctx, 2, x->ndim, &dim));
  n->wide_cells = x->dtype != n->c0->dtype;
  n->params = params;
  n->param_count = groups * each;
  TSR_TRY(tsr_narrow(ctx, &n->h0, n->h0, 0, 0, groups));
  return tsr_narrow(ctx, &n->c0, n->c0, 0, 0, groups);
}
