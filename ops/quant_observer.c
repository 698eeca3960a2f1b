/* Simulated quantization with running ranges, as models trained for quantization hold it. */
#include <math.h>

#include "ops/quant.h"

enum { X, OBSERVE, FAKE, LOW, HIGH, SCALE, ZERO, RATE, QMIN, QMAX, AXIS, ROWS, SYMMETRIC };

static tsr_status switched(tsr_ctx *ctx, tsr_tensor *t, bool *on) {
  if (t->numel != 1) return tsr_op_fail(ctx, "a Tensor with %lld elements cannot be converted to Scalar", (long long)t->numel);
  tsr_val v = tsr_tensor_get(ctx->mem, t, 0);
  *on = v.tag == TSR_V_FLOAT ? v.d != 0 : v.tag == TSR_V_BOOL ? v.b : v.i != 0;
  return TSR_OK;
}

/* Lowest and highest value of x, or of each slice along axis; float32. */
static tsr_status ends_of(tsr_call *c, tsr_tensor *x, tsr_tensor **low, tsr_tensor **high) {
  int64_t axis = tsr_arg_int(c, AXIS), dims[TSR_MAX_NDIM];
  int n = -1;
  if (tsr_arg_bool(c, ROWS)) {
    if (axis < 0 || axis >= x->ndim) return tsr_op_fail(c->ctx, "Error in fused_moving_avg_obs_fq_helper: ch_axis must be < self.dim()");
    n = 0;
    for (int d = 0; d < x->ndim; d++)
      if (d != axis) dims[n++] = d;
    if (n == 0) {
      *low = *high = x;
      return TSR_OK;
    }
  }
  TSR_TRY(tsr_reduce(c->ctx, low, "amin", x, n, dims, false, -1));
  return tsr_reduce(c->ctx, high, "amax", x, n, dims, false, -1);
}

/* running = running + rate (new - running); the first observation is taken as it is. */
static tsr_status follow(tsr_call *c, uint32_t at, tsr_tensor *seen, bool first) {
  tsr_tensor *running = tsr_arg_tensor(c, at), *t;
  int64_t n = seen->numel;
  TSR_TRY(tsr_reshape(c->ctx, &seen, seen, 1, &n));
  if (running->numel != n) {
    TSR_TRY(tsr_resize(c->ctx, running, 1, &n));
    first = true;
  }
  if (first) return tsr_copy_into(c->ctx, running, seen);
  TSR_TRY(tsr_reshape(c->ctx, &seen, seen, running->ndim, running->size));
  TSR_TRY(tsr_binary(c->ctx, &t, "sub", seen, running));
  TSR_TRY(tsr_binary_scalar(c->ctx, &t, "mul", t, tsr_scalar_float((double)(float)tsr_arg_float(c, RATE))));
  TSR_TRY(tsr_binary(c->ctx, &t, "add", running, t));
  return tsr_copy_into(c->ctx, running, t);
}

static tsr_status unset(tsr_ctx *ctx, tsr_tensor *running, bool *out) { /* infinite: nothing was observed yet */
  tsr_tensor *t;
  *out = running->numel == 0;
  if (*out) return TSR_OK;
  TSR_TRY(tsr_ready(ctx, &t, running, TSR_FLOAT64));
  double v = *(const double *)tsr_tensor_data_ro(t);
  *out = v - v != 0;
  return TSR_OK;
}

static tsr_status put_qparams(tsr_call *c) {
  tsr_ctx *ctx = c->ctx;
  tsr_tensor *low, *high, *scale, *zero;
  int64_t n, qmin = tsr_arg_int(c, QMIN), qmax = tsr_arg_int(c, QMAX);
  TSR_TRY(tsr_ready(ctx, &low, tsr_arg_tensor(c, LOW), TSR_FLOAT64));
  TSR_TRY(tsr_ready(ctx, &high, tsr_arg_tensor(c, HIGH), TSR_FLOAT64));
  n = low->numel;
  if (high->numel != n) return tsr_op_fail(ctx, "running ranges do not belong together: %lld and %lld values", (long long)n, (long long)high->numel);
  for (uint32_t i = SCALE; i <= ZERO; i++)
    if (tsr_arg_tensor(c, i)->numel != n) TSR_TRY(tsr_resize(ctx, tsr_arg_tensor(c, i), 1, &n));
  TSR_TRY(tsr_new(ctx, &scale, TSR_FLOAT64, 1, &n));
  TSR_TRY(tsr_new(ctx, &zero, TSR_INT64, 1, &n));
  const double *lo = tsr_tensor_data_ro(low), *hi = tsr_tensor_data_ro(high);
  double *s = scale->storage->data;
  int64_t *z = zero->storage->data;
  for (int64_t i = 0; i < n; i++) {
    double a = lo[i], b = hi[i], half = (double)((qmax - qmin) / 2);
    bool even = tsr_arg_bool(c, SYMMETRIC) && a < 0 && b > 0; /* the same scale on both sides, zero in the middle */
    if (even) {
      double step = fmax(fabs(a / -(half + 1)), fabs(b / half));
      a = -step * (half + 1);
      b = step * half;
    }
    tsr_choose_qparams(a, b, qmin, qmax, &s[i], &z[i]);
    if (even) z[i] = (int64_t)nearbyint((double)(qmin + qmax) / 2);
  }
  TSR_TRY(tsr_reshape(ctx, &scale, scale, tsr_arg_tensor(c, SCALE)->ndim, tsr_arg_tensor(c, SCALE)->size));
  TSR_TRY(tsr_reshape(ctx, &zero, zero, tsr_arg_tensor(c, ZERO)->ndim, tsr_arg_tensor(c, ZERO)->size));
  TSR_TRY(tsr_copy_into(ctx, tsr_arg_tensor(c, SCALE), scale));
  return tsr_copy_into(ctx, tsr_arg_tensor(c, ZERO), zero);
}

TSR_KERNEL(observe) {
  tsr_ctx *ctx = c->ctx;
  tsr_tensor *x = tsr_arg_tensor(c, X), *low, *high, *mask;
  bool observing, faking, first;
  if (tsr_arg_bool(c, ROWS) && tsr_arg_int(c, AXIS) != 0) return tsr_op_fail(ctx, "Per-channel FakeQuant in fused_moving_avg_obs_fake_quant is only supported on axis == 0");
  TSR_TRY(switched(ctx, tsr_arg_tensor(c, OBSERVE), &observing));
  TSR_TRY(switched(ctx, tsr_arg_tensor(c, FAKE), &faking));
  if (x->numel > 0 && observing) {
    TSR_TRY(ends_of(c, x, &low, &high));
    TSR_TRY(unset(ctx, tsr_arg_tensor(c, LOW), &first));
    TSR_TRY(follow(c, LOW, low, first));
    TSR_TRY(follow(c, HIGH, high, first));
    TSR_TRY(put_qparams(c));
  }
  if (!faking) {
    TSR_TRY(tsr_clone(ctx, &x, x));
    TSR_TRY(tsr_ret_tensor(c, 0, x));
    if (c->nrets < 2) return TSR_OK;
    TSR_TRY(tsr_new_like(ctx, &mask, x, TSR_BOOL));
    TSR_TRY(tsr_fill(ctx, mask, tsr_scalar_int(1)));
    return tsr_ret_tensor(c, 1, mask);
  }
  tsr_val args[] = {c->args[X], c->args[SCALE], c->args[ZERO], c->args[ROWS].b ? c->args[AXIS] : tsr_from_obj(tsr_arg_tensor(c, FAKE)), c->args[QMIN], c->args[QMAX]}, rets[2];
  const char *name = tsr_arg_bool(c, ROWS) ? "aten::fake_quantize_per_channel_affine_cachemask" : "aten::_fake_quantize_per_tensor_affine_cachemask_tensor_qparams";
  TSR_TRY(tsr_invoke(ctx, tsr_op_get(name, ""), args, 6, rets, 2));
  TSR_TRY(tsr_ret(c, 0, rets[0]));
  return c->nrets > 1 ? tsr_ret(c, 1, rets[1]) : TSR_OK;
}

#define STATE "Tensor(a!) running_min, Tensor(b!) running_max, Tensor(c!) scale, Tensor(d!) zero_point"
#define SETTINGS "float averaging_const, int quant_min, int quant_max, int ch_axis, bool per_row_fake_quant=False, bool symmetric_quant=False"
const tsr_op tsr_ops_quant_observer[] = {
    {"aten::fused_moving_avg_obs_fake_quant(Tensor self, Tensor observer_on, Tensor fake_quant_on, " STATE ", " SETTINGS ") -> Tensor", op_observe, 0},
    {"aten::_fused_moving_avg_obs_fq_helper(Tensor self, Tensor observer_on, Tensor fake_quant_on, " STATE ", " SETTINGS ") -> (Tensor output, Tensor mask)", op_observe, 0},
    {0},
};
