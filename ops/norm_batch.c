/* Batch and instance normalisation. */
#include <math.h>

#include "ops/native.h"
#include "ops/nn.h"
#include "ops/norm.h"

/* x as [outer][c][inner]: contiguous has inner = positions, channels last has outer = everything but channels. */
typedef struct bn_job {
  const tsr_nn_fns *nn;
  bool f64;
  int64_t outer, c, inner;
  const void *x;
  void *y;
  void *scale, *shift;          /* c each */
  double *mean, *var;           /* statistics: biased variance (first its sum) */
  bool rounded;                 /* var already holds 1 / sqrt(var + eps) */
  bool stepwise;                /* ((x - mean) * invstd) * w + b, as PyTorch computes what is not contiguous: x * scale + shift cancels badly */
  tsr_dtype half;               /* that rounds each of those steps, or float32 */
  const tsr_tensor *w, *b, *mu; /* contiguous, or NULL; for those steps */
} bn_job;

static double rounded(tsr_dtype d, double v) {
  uint64_t there;
  tsr_convert(d, &there, TSR_FLOAT64, &v, 1);
  tsr_convert(TSR_FLOAT64, &v, d, &there, 1);
  return v;
}

/* PyTorch keeps the batch's mean and 1/sqrt(var) in a half type when the parameters have it, and normalises by those. */
static void round_stats(bn_job *j, tsr_dtype d, double eps) {
  for (int64_t k = 0; k < j->c; k++) {
    j->mean[k] = rounded(d, j->mean[k]);
    j->var[k] = rounded(d, j->var[k] == 0 && eps == 0 ? 0 : 1 / sqrt(j->var[k] + eps));
  }
  j->rounded = true;
}

static double number_at(const tsr_tensor *t, int64_t i) { /* contiguous float32 or float64 */
  const void *p = tsr_tensor_data_ro(t);
  return t->dtype == TSR_FLOAT64 ? ((const double *)p)[i] : (double)((const float *)p)[i];
}

/* Channel k's n elements from `at` on, `stride` apart. */
static void apply_steps(const bn_job *j, int64_t k, int64_t at, int64_t n, int64_t stride) {
  double mean = j->mu != NULL ? number_at(j->mu, k) : j->mean[k], w = j->w != NULL ? number_at(j->w, k) : 1, b = j->b != NULL ? number_at(j->b, k) : 0;
  for (int64_t i = 0; i < n; i++, at += stride) {
    if (j->half != TSR_FLOAT32) {
      double v = rounded(j->half, rounded(j->half, (double)((const float *)j->x)[at] - mean) * j->var[k]);
      ((float *)j->y)[at] = (float)rounded(j->half, rounded(j->half, v * w) + b);
    } else if (j->f64) ((double *)j->y)[at] = (((const double *)j->x)[at] - mean) * j->var[k] * w + b;
    else ((float *)j->y)[at] = (((const float *)j->x)[at] - (float)mean) * (float)j->var[k] * (float)w + (float)b;
  }
}

static void steps_task(void *arg, int64_t begin, int64_t end) { /* tasks: channels */
  const bn_job *j = arg;
  for (int64_t k = begin; k < end; k++)
    for (int64_t o = 0; o < j->outer; o++) apply_steps(j, k, (o * j->c + k) * j->inner, j->inner, 1);
}

static void apply_task(void *arg, int64_t begin, int64_t end) { /* tasks: rows of outer x c, or of outer when inner is 1 */
  const bn_job *j = arg;
  for (int64_t r = begin; r < end; r++) {
    if (j->inner == 1) {
      int64_t at = r * j->c;
      if (!j->f64) {
        j->nn->scale_shift_v((float *)j->y + at, (const float *)j->x + at, j->scale, j->shift, j->c);
        continue;
      }
      for (int64_t k = 0; k < j->c; k++)
        ((double *)j->y)[at + k] = ((const double *)j->x)[at + k] * ((double *)j->scale)[k] + ((double *)j->shift)[k];
      continue;
    }
    int64_t at = r * j->inner, k = r % j->c;
    if (!j->f64) {
      j->nn->scale_shift((float *)j->y + at, (const float *)j->x + at, ((float *)j->scale)[k], ((float *)j->shift)[k], j->inner);
      continue;
    }
    for (int64_t i = 0; i < j->inner; i++)
      ((double *)j->y)[at + i] = ((const double *)j->x)[at + i] * ((double *)j->scale)[k] + ((double *)j->shift)[k];
  }
}

static void stats_task(void *arg, int64_t begin, int64_t end) { /* tasks: channels */
  const bn_job *j = arg;
  for (int64_t k = begin; k < end; k++) {
    double sum = 0, sq = 0, n = (double)(j->outer * j->inner);
    for (int pass = 0; pass < 2; pass++) {
      double mean = pass == 0 ? 0 : sum / n;
      for (int64_t o = 0; o < j->outer; o++)
        for (int64_t i = 0; i < j->inner; i++) {
          int64_t at = (o * j->c + k) * j->inner + i;
          double v = j->f64 ? ((const double *)j->x)[at] : (double)((const float *)j->x)[at];
          if (pass == 0) sum += v;
          else sq += (v - mean) * (v - mean);
        }
    }
    j->mean[k] = sum / n;
    j->var[k] = sq;
  }
}

typedef struct bn_args {
  tsr_tensor *x, *w, *b, *rm, *rv;
  bool training, only_stats, native; /* native: no sizes are looked at before the kernel */
  double momentum, eps;
} bn_args;

static tsr_status check_param(tsr_ctx *ctx, const char *name, const tsr_tensor *t, int64_t c) {
  if (t != NULL && t->numel != c)
    return tsr_op_fail(ctx, "%s should contain %lld elements not %lld", name, (long long)c, (long long)t->numel);
  return TSR_OK;
}

/* Numbers of elements, which the operators that choose an implementation look at first. */
static tsr_status check_sizes(tsr_ctx *ctx, const bn_args *a, int64_t c) {
  TSR_TRY(check_param(ctx, "running_mean", a->rm, c));
  TSR_TRY(check_param(ctx, "running_var", a->rv, c));
  TSR_TRY(check_param(ctx, "weight", a->w, c));
  return check_param(ctx, "bias", a->b, c);
}

static tsr_status check(tsr_ctx *ctx, const bn_args *a, bool *mixed) {
  const tsr_tensor *x = a->x;
  tsr_tensor *ps[4] = {a->w, a->b, a->rm, a->rv}, *order[4] = {a->rm, a->rv, a->w, a->b};
  tsr_dtype compute;
  int64_t dim;
  if (!a->training && a->rm == NULL) return tsr_op_fail(ctx, "running_mean must be defined in evaluation mode");
  if (!a->training && a->rv == NULL) return tsr_op_fail(ctx, "running_var must be defined in evaluation mode");
  TSR_TRY(check_sizes(ctx, a, x->ndim > 1 ? x->size[1] : 0));
  if (x->ndim < 2) TSR_TRY(tsr_wrap_dim(ctx, 1, x->ndim, &dim));
  TSR_TRY(tsr_norm_dtype(ctx, x, "batch_norm", &compute));
  int first = 0; /* where types are not mixed, training meets the statistics first */
  while (first < 4 && ps[first] == NULL) first++;
  bool same = first == 4 || ps[first]->dtype == x->dtype;
  if (same && a->training) {
    for (int i = 0; i < 4; i++)
      if (order[i] != NULL && order[i]->dtype != x->dtype)
        return tsr_op_fail(ctx, "expected scalar type %s but found %s", tsr_dtype_get_info(x->dtype)->cpp_name, tsr_dtype_get_info(order[i]->dtype)->cpp_name);
  }
  return tsr_norm_mixed(ctx, x, ps, 4, mixed);
}

static void set_number(bn_job *j, void *p, int64_t i, double v) {
  if (j->f64) ((double *)p)[i] = v;
  else ((float *)p)[i] = (float)v;
}

/* running = (1 - momentum) * running + momentum * batch, written into the tensor that was passed, element by element: some may lie in one place.
 * batch[k] is a sum of squares to divide by n, or n is 0 and it is the mean.  steps: of bfloat16, whose steps PyTorch rounds where x lies in order, all but one. */
static tsr_status update_running(tsr_ctx *ctx, tsr_tensor *t, const double *batch, int64_t c, double momentum, double n, bool steps) {
  tsr_dtype d = (tsr_dtype)t->dtype;
  double rest = 1 - momentum;
  bool mean = n == 0;
  void *p;
  TSR_TRY(tsr_data_mut(ctx, t, &p));
  int64_t stride = t->ndim == 1 ? t->stride[0] : 1;
  size_t item = tsr_tensor_itemsize(t);
  if (steps) {
    momentum = rounded(d, momentum);
    rest = rounded(d, rest);
    n = rounded(d, n);
  }
  for (int64_t k = 0; k < c; k++) {
    double v;
    char *at = (char *)p + (size_t)(k * stride) * item;
    tsr_convert(TSR_FLOAT64, &v, d, at, 1);
    double part = mean ? batch[k] : batch[k] / n;
    part = momentum * (steps ? rounded(d, part) : part);
    v = (steps && mean ? rounded(d, part) : part) + (steps ? rounded(d, rest * v) : rest * v);
    tsr_convert(d, at, TSR_FLOAT64, &v, 1);
  }
  return TSR_OK;
}

/* Running statistics, from the batch's mean and its sums of squares; those become its variance. */
static tsr_status update_statistics(tsr_ctx *ctx, const bn_args *a, bn_job *j, double n, bool half, bool ordered) {
  tsr_dtype d = (tsr_dtype)a->x->dtype;
  bool steps = half && ordered && d == TSR_BFLOAT16;
  for (int64_t k = 0; k < j->c && half; k++) {
    if (steps || !ordered) j->mean[k] = rounded(d, j->mean[k]);
    if (steps) j->var[k] = rounded(d, j->var[k]);
  }
  if (a->rm != NULL) TSR_TRY(update_running(ctx, a->rm, j->mean, j->c, a->momentum, 0, steps));
  if (a->rv != NULL) TSR_TRY(update_running(ctx, a->rv, j->var, j->c, a->momentum, n > 1 ? n - 1 : NAN, steps));
  for (int64_t k = 0; k < j->c; k++) j->var[k] = steps ? rounded(d, j->var[k] / rounded(d, n)) : j->var[k] / n;
  return TSR_OK;
}

/* 1 / sqrt(var + eps); of a batch without any variance and eps 0: 0. */
static double inverse_deviation(const bn_job *j, double var, double eps, bool training) {
  if (training && var == 0 && eps == 0) return 0;
  return j->f64 ? 1 / sqrt(var + eps) : (double)(1 / sqrtf((float)var + (float)eps));
}

static bool in_order(const tsr_tensor *t) { return t == NULL || tsr_tensor_is_contiguous(t); }

/* y, and the statistics as float64 when training (mean, 1 / sqrt(var + eps)). */
static tsr_status run(tsr_ctx *ctx, const bn_args *a, bool mixed, tsr_tensor **out, double **mean, double **invstd) {
  tsr_dtype compute, d = (tsr_dtype)a->x->dtype;
  tsr_tensor *x = a->x, *y, *ps[4] = {a->w, a->b, a->rm, a->rv};
  TSR_TRY(tsr_norm_dtype(ctx, x, "batch_norm", &compute));
  bool last = x->ndim >= 4 && x->ndim <= 5 && !tsr_tensor_is_contiguous(x) && tsr_tensor_is_channels_last(x);
  int64_t c = x->ndim > 1 ? x->size[1] : 0, s = c == 0 ? 0 : x->numel / c;
  bn_job j = {.nn = ctx->kernels->nn, .f64 = compute == TSR_FLOAT64, .c = c};
  j.inner = x->ndim == 2 || last || x->numel == 0 ? 1 : x->numel / (x->size[0] * c);
  j.outer = j.inner == 0 ? 0 : s / j.inner;
  if (last) TSR_TRY(tsr_to_dtype(ctx, &x, x, compute));
  else TSR_TRY(tsr_ready(ctx, &x, x, compute));
  if (last) TSR_TRY(tsr_new_like(ctx, &y, x, compute));
  else TSR_TRY(tsr_new(ctx, &y, compute, x->ndim, x->size));
  if (c == 0) { /* no channels: nothing to scale */
    *mean = *invstd = tsr_scratch(ctx, sizeof **mean);
    return *mean == NULL ? tsr_op_nomem(ctx) : tsr_clone(ctx, out, a->x);
  }
  double *stats = tsr_scratch(ctx, (size_t)(4 * c + 1) * sizeof *stats);
  if (stats == NULL) return tsr_op_nomem(ctx);
  j.mean = stats;
  j.var = stats + c;
  j.scale = stats + 2 * c;
  j.shift = stats + 3 * c;
  j.x = tsr_tensor_data_ro(x);
  TSR_TRY(tsr_data_mut(ctx, y, &j.y));
  if (a->training) tsr_parallel_for(ctx, c, TSR_MAX(1, 8192 / TSR_MAX(1, s)), stats_task, &j);
  bool ordered = tsr_tensor_is_contiguous(a->x) || last, half = !mixed && d != compute;
  if (a->training) TSR_TRY(update_statistics(ctx, a, &j, (double)s, half, ordered));
  *mean = j.mean;
  *invstd = j.var;
  if (a->only_stats) return TSR_OK;
  for (int i = 0; i < 4; i++)
    if (ps[i] != NULL) TSR_TRY(tsr_ready(ctx, &ps[i], ps[i], compute));
  if (a->training && half) round_stats(&j, d, a->eps);
  j.stepwise = !(ordered && in_order(a->w) && in_order(a->b) && in_order(a->rm) && in_order(a->rv));
  j.half = half ? d : TSR_FLOAT32;
  for (int64_t k = 0; k < c; k++) {
    double mu = a->training ? j.mean[k] : number_at(ps[2], k), var = a->training ? j.var[k] : number_at(ps[3], k);
    double inv = j.rounded ? var : half && j.stepwise ? rounded(d, 1 / rounded(d, sqrt(rounded(d, var + a->eps)))) : inverse_deviation(&j, var, a->eps, a->training);
    double scale = (ps[0] != NULL ? number_at(ps[0], k) : 1) * inv;
    if (!j.f64) scale = (float)scale;
    set_number(&j, j.scale, k, scale);
    set_number(&j, j.shift, k, (ps[1] != NULL ? number_at(ps[1], k) : 0) - mu * scale);
    j.var[k] = inv;
  }
  int64_t rows = j.inner == 1 ? j.outer : j.outer * c, len = j.inner == 1 ? c : j.inner;
  j.w = ps[0];
  j.b = ps[1];
  j.mu = a->training ? NULL : ps[2];
  if (x->numel > 0 && j.stepwise) tsr_parallel_for(ctx, c, TSR_MAX(1, 16384 / TSR_MAX(1, s)), steps_task, &j);
  else if (x->numel > 0) tsr_parallel_for(ctx, rows, TSR_MAX(1, 16384 / len), apply_task, &j);
  return tsr_to_dtype(ctx, out, y, d);
}

static tsr_status stats_tensor(tsr_ctx *ctx, tsr_tensor **out, const double *values, int64_t n, tsr_dtype d) {
  void *p;
  TSR_TRY(tsr_new(ctx, out, d, 1, &n));
  TSR_TRY(tsr_data_mut(ctx, *out, &p));
  if (n > 0) tsr_convert(d, p, TSR_FLOAT64, values, n);
  return TSR_OK;
}

/* PyTorch writes into some rows' out arguments as it goes: statistics in the parameters' type, the result in x's. */
static tsr_status check_outs(tsr_call *c, const bn_args *a, tsr_dtype param) {
  bool stats = a->training || tsr_tensor_is_contiguous(a->x) || tsr_tensor_is_channels_last(a->x);
  for (uint32_t n = 0; n < 3 && (c->op->flags & TSR_OUT_NEW) == TSR_OUT_PLAIN; n++) {
    uint32_t i = (n + 1) % 3;
    if (i == 0 || stats) TSR_TRY(tsr_out_check(c, i, i == 0 ? (tsr_dtype)a->x->dtype : param, TSR_OUT_ACCESS));
  }
  return TSR_OK;
}

/* What is not contiguous is computed by broadcasting, which has words of its own for other lengths. */
static tsr_status check_broadcast(tsr_ctx *ctx, const bn_args *a) {
  if (a->training) TSR_TRY(check_param(ctx, "running_mean", a->rm, a->x->size[1]));
  if (a->training) TSR_TRY(check_param(ctx, "running_var", a->rv, a->x->size[1]));
  for (int i = a->training ? 2 : 0; i < 4; i++) {
    const tsr_tensor *p = (const tsr_tensor *[]){a->rm, a->rv, a->w, a->b}[i];
    if (p != NULL && p->numel != 1 && a->x->size[1] != 1 && p->numel != a->x->size[1])
      return tsr_op_fail(ctx, "The size of tensor a (%lld) must match the size of tensor b (%lld) at non-singleton dimension 1", (long long)a->x->size[1], (long long)p->numel);
  }
  return TSR_OK;
}

static tsr_status batch_norm(tsr_call *c, bn_args *a, uint32_t rets) {
  tsr_tensor *y, *t;
  bool mixed;
  double *mean, *invstd;
  bool plain = (tsr_tensor_is_contiguous(a->x) || tsr_tensor_is_channels_last(a->x)) && in_order(a->w) && in_order(a->b) && in_order(a->rm) && in_order(a->rv);
  if (!a->training && !plain && a->x->dtype == TSR_FLOAT32 && a->rv != NULL && tsr_dtype_is_integral((tsr_dtype)a->rv->dtype, true))
    TSR_TRY(tsr_to_dtype(c->ctx, &a->rv, a->rv, TSR_FLOAT32)); /* what is not contiguous is computed by operators, which promote */
  if (a->native && !plain && a->x->ndim > 1) TSR_TRY(check_broadcast(c->ctx, a));
  TSR_TRY(check(c->ctx, a, &mixed));
  TSR_TRY(check_outs(c, a, mixed ? TSR_FLOAT32 : (tsr_dtype)a->x->dtype));
  TSR_TRY(run(c->ctx, a, mixed, &y, &mean, &invstd));
  tsr_dtype d = mixed ? TSR_FLOAT32 : (tsr_dtype)a->x->dtype;
  int64_t n = a->training && a->x->ndim > 1 ? a->x->size[1] : 0, none = 0;
  bool kept = !a->training && c->outs != NULL && (c->op->flags & TSR_OUT_NEW) == TSR_OUT_PLAIN; /* evaluation does not touch the statistics' out arguments */
  for (uint32_t i = 1; i < 3 && kept; i++) {
    if (plain && c->outs[i].t->ndim != 1) return tsr_op_fail(c->ctx, "TensorAccessor expected 1 dims but tensor has %d", c->outs[i].t->ndim);
    TSR_TRY(tsr_ret_tensor(c, i, c->outs[i].t));
  }
  if (rets >= 3 && !kept) {
    TSR_TRY(stats_tensor(c->ctx, &t, mean, n, d));
    TSR_TRY(tsr_ret_tensor(c, 1, t));
    TSR_TRY(stats_tensor(c->ctx, &t, invstd, n, d));
    TSR_TRY(tsr_ret_tensor(c, 2, t));
  }
  if (rets >= 4) {
    if (c->outs != NULL && (c->op->flags & TSR_OUT_NEW) == TSR_OUT_PLAIN) t = c->outs[3].t; /* nothing is written to it */
    else TSR_TRY(tsr_new(c->ctx, &t, TSR_UINT8, 1, &none));
    TSR_TRY(tsr_ret_tensor(c, 3, t));
  }
  return tsr_ret_tensor(c, 0, y);
}

static bn_args first_args(tsr_call *c) { return (bn_args){.x = tsr_arg_tensor(c, 0), .w = tsr_arg_opt_tensor(c, 1), .b = tsr_arg_opt_tensor(c, 2)}; }

static bn_args all_args(tsr_call *c) { /* …, running_mean, running_var, training, momentum, eps */
  bn_args a = first_args(c);
  a.rm = tsr_arg_opt_tensor(c, 3);
  a.rv = tsr_arg_opt_tensor(c, 4);
  a.training = tsr_arg_bool(c, 5);
  a.momentum = tsr_arg_float(c, 6);
  a.eps = tsr_arg_float(c, 7);
  return a;
}

/* Of an empty input: what it is multiplied and shifted by matters for its type only; no types are checked. */
static tsr_status of_nothing(tsr_ctx *ctx, const bn_args *a, tsr_tensor **out) {
  tsr_tensor *p;
  TSR_TRY(tsr_clone(ctx, out, a->x));
  for (int i = 0; i < 2; i++) {
    if ((i == 0 ? a->w : a->b) == NULL) continue;
    TSR_TRY(tsr_select(ctx, &p, i == 0 ? a->w : a->b, 0, 0));
    TSR_TRY(tsr_binary(ctx, out, i == 0 ? "mul" : "add", *out, p));
  }
  return TSR_OK;
}

/* The forms that choose an implementation: sizes first. */
static tsr_status check_first(tsr_ctx *ctx, const bn_args *a) {
  if (!a->training && a->rm == NULL) return tsr_op_fail(ctx, "running_mean must be defined in evaluation mode");
  if (!a->training && a->rv == NULL) return tsr_op_fail(ctx, "running_var must be defined in evaluation mode");
  return check_sizes(ctx, a, a->x->ndim > 1 ? a->x->size[1] : 0);
}

TSR_KERNEL(batch_norm) {
  bn_args a = all_args(c);
  tsr_tensor *y;
  if (a.x->numel > 0) return batch_norm(c, &a, 1);
  TSR_TRY(check_first(c->ctx, &a));
  TSR_TRY(of_nothing(c->ctx, &a, &y));
  return tsr_ret_tensor(c, 0, y);
}

/* The native forms refuse to take statistics of nothing. */
static tsr_status native(tsr_call *c, bn_args *a, uint32_t rets) {
  if (a->training && a->x->numel == 0) {
    char text[256];
    tsr_sizes_print(text, sizeof text, a->x->ndim, a->x->size);
    return tsr_op_fail(c->ctx, "input tensor must have at least one element, but got input_sizes = %s", text);
  }
  a->native = true;
  return batch_norm(c, a, rets);
}

TSR_KERNEL(native_batch_norm) {
  bn_args a = all_args(c);
  return native(c, &a, 3);
}

TSR_KERNEL(batch_norm_impl_index) {
  bn_args a = all_args(c);
  c->rets[4] = tsr_int(0);
  if (a.x->numel > 0) return batch_norm(c, &a, 4);
  tsr_tensor *y, *t;
  tsr_dtype d = (tsr_dtype)a.x->dtype;
  int64_t none = 0;
  TSR_TRY(check_first(c->ctx, &a));
  TSR_TRY(of_nothing(c->ctx, &a, &y));
  TSR_TRY(tsr_ret_tensor(c, 0, y));
  for (uint32_t i = 1; i < 3; i++) { /* statistics that PyTorch leaves unwritten, in the type it accumulates in */
    tsr_dtype wide = d == TSR_FLOAT32 ? TSR_FLOAT64 : tsr_dtype_is_float(d) && tsr_dtype_size(d) < 4 ? TSR_FLOAT32 : tsr_dtype_is_integral(d, false) ? TSR_INT64 : d;
    TSR_TRY(tsr_new(c->ctx, &t, wide, 1, &a.x->size[1]));
    TSR_TRY(tsr_fill(c->ctx, t, tsr_scalar_int(0)));
    TSR_TRY(tsr_ret_tensor(c, i, t));
  }
  TSR_TRY(tsr_new(c->ctx, &t, TSR_UINT8, 1, &none));
  return tsr_ret_tensor(c, 3, t);
}

TSR_KERNEL(batch_norm_no_stats) { /* input, weight, bias, training, momentum, eps */
  bn_args a = first_args(c);
  a.training = tsr_arg_bool(c, 3);
  a.momentum = tsr_arg_float(c, 4);
  a.eps = tsr_arg_float(c, 5);
  return native(c, &a, 3);
}

/* input, weight, bias, running_mean, running_var, momentum, eps; op->data says whether it trains */
TSR_KERNEL(batch_norm_update) {
  bn_args a = first_args(c);
  a.rm = tsr_arg_opt_tensor(c, 3);
  a.rv = tsr_arg_opt_tensor(c, 4);
  a.training = c->op->data != NULL;
  a.momentum = tsr_arg_float(c, 5);
  a.eps = tsr_arg_float(c, 6);
  return native(c, &a, c->nrets);
}

/* The running statistics come back as new tensors. */
TSR_KERNEL(batch_norm_functional) {
  bn_args a = all_args(c);
  TSR_TRY(tsr_clone(c->ctx, &a.rm, a.rm));
  TSR_TRY(tsr_clone(c->ctx, &a.rv, a.rv));
  TSR_TRY(native(c, &a, 3));
  TSR_TRY(tsr_ret_tensor(c, 3, a.rm));
  return tsr_ret_tensor(c, 4, a.rv);
}

/* … also beside a reserve, which is empty here. */
TSR_KERNEL(batch_norm_update_functional) {
  bn_args a = first_args(c);
  TSR_TRY(tsr_clone(c->ctx, &a.rm, tsr_arg_tensor(c, 3)));
  TSR_TRY(tsr_clone(c->ctx, &a.rv, tsr_arg_tensor(c, 4)));
  a.training = true;
  a.momentum = tsr_arg_float(c, 5);
  a.eps = tsr_arg_float(c, 6);
  TSR_TRY(native(c, &a, 4));
  TSR_TRY(tsr_ret_tensor(c, 4, a.rm));
  return tsr_ret_tensor(c, 5, a.rv);
}

/* input, running_mean, running_var, momentum: the batch's mean and biased variance. */
TSR_KERNEL(batch_norm_update_stats) {
  bn_args a = {.x = tsr_arg_tensor(c, 0), .rm = tsr_arg_opt_tensor(c, 1), .rv = tsr_arg_opt_tensor(c, 2), .training = true, .momentum = tsr_arg_float(c, 3)};
  tsr_tensor *y, *t, *ps[2] = {a.rm, a.rv};
  bool mixed;
  tsr_dtype compute;
  double *mean, *var;
  char text[256];
  TSR_TRY(tsr_norm_dtype(c->ctx, a.x, "batch_norm_update_stats_cpu", &compute));
  TSR_TRY(tsr_norm_mixed(c->ctx, a.x, ps, 2, &mixed));
  tsr_sizes_print(text, sizeof text, a.x->ndim, a.x->size);
  if (a.x->numel == 0) return tsr_op_fail(c->ctx, "input tensor must have at least one element, but got input_sizes = %s", text);
  int64_t dim;
  if (a.x->ndim < 2) TSR_TRY(tsr_wrap_dim(c->ctx, 1, a.x->ndim, &dim));
  TSR_TRY(check_sizes(c->ctx, &a, a.x->size[1]));
  a.only_stats = true;
  TSR_TRY(run(c->ctx, &a, mixed, &y, &mean, &var));
  tsr_dtype d = mixed ? TSR_FLOAT32 : (tsr_dtype)a.x->dtype;
  TSR_TRY(stats_tensor(c->ctx, &t, mean, a.x->size[1], d));
  TSR_TRY(tsr_ret_tensor(c, 0, t));
  TSR_TRY(stats_tensor(c->ctx, &t, var, a.x->size[1], d));
  return tsr_ret_tensor(c, 1, t);
}

static tsr_status repeat(tsr_ctx *ctx, tsr_tensor **t, int64_t n) {
  if (*t == NULL) return TSR_OK;
  int64_t c = (*t)->numel, size[2] = {n, c};
  TSR_TRY(tsr_reshape(ctx, t, *t, 1, &c));
  TSR_TRY(tsr_expand(ctx, t, *t, 2, size));
  int64_t flat = n * c;
  TSR_TRY(tsr_reshape(ctx, t, *t, 1, &flat));
  return tsr_clone(ctx, t, *t); /* written to: never a view of the parameter */
}

/* Averages over the batch what each instance made of its copy. */
static tsr_status fold_back(tsr_ctx *ctx, tsr_tensor *dst, tsr_tensor *t, int64_t n, int64_t c) {
  int64_t size[2] = {n, c}, dim = 0;
  tsr_tensor *m;
  TSR_TRY(tsr_view_as(ctx, &m, t, 2, size));
  TSR_TRY(tsr_reduce(ctx, &m, "mean", m, 1, &dim, false, -1));
  return tsr_copy_into(ctx, dst, m);
}

/* Every instance is a channel of its own: batch norm of [1, n * c, …]. */
TSR_KERNEL(instance_norm) {
  tsr_ctx *ctx = c->ctx;
  bn_args a = all_args(c), in = a;
  tsr_tensor *x = a.x, *y;
  double *mean, *invstd;
  bool mixed;
  int64_t size[TSR_MAX_NDIM];
  if (!a.training && (a.rm == NULL || a.rv == NULL))
    return tsr_op_fail(ctx, "Expected running_mean and running_var to be defined when use_input_stats is false");
  if (x->ndim < 2) {
    int64_t dim;
    return tsr_wrap_dim(ctx, 1, x->ndim, &dim);
  }
  int64_t n = x->size[0], ch = x->size[1];
  memcpy(size, x->size, x->ndim * sizeof *size);
  size[0] = 1;
  size[1] = n * ch;
  TSR_TRY(tsr_contiguous(ctx, &in.x, x));
  TSR_TRY(tsr_view_as(ctx, &in.x, in.x, x->ndim, size));
  TSR_TRY(repeat(ctx, &in.w, n));
  TSR_TRY(repeat(ctx, &in.b, n));
  tsr_dtype stats = (tsr_dtype)(a.w != NULL ? a.w->dtype : x->dtype);
  if (in.rm != NULL && in.rm->dtype != stats) { /* the statistics follow the weight where the mean does not */
    TSR_TRY(tsr_to_dtype(ctx, &in.rm, in.rm, stats));
    if (in.rv != NULL) TSR_TRY(tsr_to_dtype(ctx, &in.rv, in.rv, stats));
  }
  TSR_TRY(repeat(ctx, &in.rm, n));
  TSR_TRY(repeat(ctx, &in.rv, n));
  if (x->numel == 0) {
    TSR_TRY(check_first(ctx, &in));
    TSR_TRY(of_nothing(ctx, &in, &y));
  } else {
    TSR_TRY(check(ctx, &in, &mixed));
    TSR_TRY(run(ctx, &in, mixed, &y, &mean, &invstd));
  }
  if (a.training && a.rm != NULL) TSR_TRY(fold_back(ctx, a.rm, in.rm, n, ch));
  if (a.training && a.rv != NULL) TSR_TRY(fold_back(ctx, a.rv, in.rv, n, ch));
  TSR_TRY(tsr_view_as(ctx, &y, y, x->ndim, x->size));
  return tsr_ret_tensor(c, 0, y);
}

#define BN "Tensor input, Tensor? weight, Tensor? bias, Tensor? running_mean, Tensor? running_var, bool training, float momentum, float eps"

/* Not TSR_PURE where training writes to the running statistics. */
const tsr_op tsr_ops_norm_batch[] = {
    {"aten::batch_norm(" BN ", bool cudnn_enabled) -> Tensor", op_batch_norm, TSR_ANY_ORDER},
    {"aten::native_batch_norm(" BN ") -> (Tensor, Tensor, Tensor)", op_native_batch_norm},
    {"aten::_batch_norm_impl_index(" BN ", bool cudnn_enabled) -> (Tensor, Tensor, Tensor, Tensor, int)", op_batch_norm_impl_index},
    {"aten::_native_batch_norm_legit(Tensor input, Tensor? weight, Tensor? bias, Tensor(a!) running_mean, Tensor(b!) running_var, bool training, "
     "float momentum, float eps) -> (Tensor, Tensor, Tensor)", op_native_batch_norm},
    {"aten::_native_batch_norm_legit.no_stats(Tensor input, Tensor? weight, Tensor? bias, bool training, float momentum, float eps) -> "
     "(Tensor, Tensor, Tensor)", op_batch_norm_no_stats, TSR_PURE},
    {"aten::native_batch_norm.out(" BN ", *, Tensor(a!) out, Tensor(b!) save_mean, Tensor(c!) save_invstd) -> (Tensor(a!), Tensor(b!), Tensor(c!))",
     op_native_batch_norm, TSR_OUT_PLAIN},
    {"aten::_native_batch_norm_legit.out(Tensor input, Tensor? weight, Tensor? bias, Tensor(a!) running_mean, Tensor(b!) running_var, bool training, "
     "float momentum, float eps, *, Tensor(d!) out, Tensor(e!) save_mean, Tensor(f!) save_invstd) -> (Tensor(d!), Tensor(e!), Tensor(f!))",
     op_native_batch_norm, TSR_OUT_PLAIN},
    {"aten::_native_batch_norm_legit.no_stats_out(Tensor input, Tensor? weight, Tensor? bias, bool training, float momentum, float eps, *, "
     "Tensor(a!) out, Tensor(b!) save_mean, Tensor(c!) save_invstd) -> (Tensor(a!), Tensor(b!), Tensor(c!))", op_batch_norm_no_stats, TSR_OUT_PLAIN},
    {"aten::_native_batch_norm_legit_no_training(Tensor input, Tensor? weight, Tensor? bias, Tensor running_mean, Tensor running_var, float momentum, "
     "float eps) -> (Tensor, Tensor, Tensor)", op_batch_norm_update, TSR_PURE},
    {"aten::_native_batch_norm_legit_functional(Tensor input, Tensor? weight, Tensor? bias, Tensor running_mean, Tensor running_var, bool training, "
     "float momentum, float eps) -> (Tensor, Tensor, Tensor, Tensor running_mean_out, Tensor running_var_out)", op_batch_norm_functional, TSR_PURE},
    {"aten::_batch_norm_with_update(Tensor input, Tensor? weight, Tensor? bias, Tensor(a!) running_mean, Tensor(b!) running_var, float momentum, "
     "float eps) -> (Tensor, Tensor, Tensor, Tensor)", op_batch_norm_update, 0, "training"},
    {"aten::_batch_norm_no_update(Tensor input, Tensor? weight, Tensor? bias, Tensor? running_mean, Tensor? running_var, float momentum, float eps) -> "
     "(Tensor, Tensor, Tensor, Tensor)", op_batch_norm_update, TSR_PURE},
    {"aten::_batch_norm_with_update_functional(Tensor input, Tensor? weight, Tensor? bias, Tensor running_mean, Tensor running_var, float momentum, float eps) -> "
     "(Tensor, Tensor, Tensor, Tensor, Tensor running_mean_out, Tensor running_var_out)", op_batch_norm_update_functional, TSR_PURE},
    {"aten::_batch_norm_with_update.out(Tensor input, Tensor? weight, Tensor? bias, Tensor(a!) running_mean, Tensor(b!) running_var, float momentum, float eps, *, "
     "Tensor(d!) out, Tensor(e!) save_mean, Tensor(f!) save_invstd, Tensor(g!) reserve) -> (Tensor(d!), Tensor(e!), Tensor(f!), Tensor(g!))",
     op_batch_norm_update, TSR_OUT_PLAIN, "training"},
    {"aten::_batch_norm_no_update.out(Tensor input, Tensor? weight, Tensor? bias, Tensor? running_mean, Tensor? running_var, float momentum, float eps, *, "
     "Tensor(a!) out0, Tensor(b!) out1, Tensor(c!) out2, Tensor(d!) out3) -> (Tensor(a!), Tensor(b!), Tensor(c!), Tensor(d!))",
     op_batch_norm_update, TSR_OUT_NEW},
    {"aten::batch_norm_update_stats(Tensor input, Tensor? running_mean, Tensor? running_var, float momentum) -> (Tensor, Tensor)", op_batch_norm_update_stats},
    {"aten::batch_norm_update_stats.out(Tensor input, Tensor? running_mean, Tensor? running_var, float momentum, *, Tensor(a!) out0, Tensor(b!) out1) -> "
     "(Tensor(a!), Tensor(b!))", op_batch_norm_update_stats, TSR_OUT_NEW},
    {"aten::instance_norm(Tensor input, Tensor? weight, Tensor? bias, Tensor? running_mean, Tensor? running_var, bool use_input_stats, float momentum, "
     "float eps, bool cudnn_enabled) -> Tensor", op_instance_norm},
    {0},
};
