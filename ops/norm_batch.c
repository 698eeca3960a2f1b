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
  double *mean, *var;           /* statistics: biased variance */
  bool rounded;                 /* var already holds 1 / sqrt(var + eps) */
} bn_job;

/* PyTorch keeps the batch's mean and 1/sqrt(var) in a half type when the parameters have it, and normalises by those. */
static void round_stats(bn_job *j, tsr_dtype d, double eps) {
  uint16_t half;
  for (int64_t k = 0; k < j->c; k++) {
    j->var[k] = 1 / sqrt(j->var[k] + eps);
    tsr_convert(d, &half, TSR_FLOAT64, &j->mean[k], 1);
    tsr_convert(TSR_FLOAT64, &j->mean[k], d, &half, 1);
    tsr_convert(d, &half, TSR_FLOAT64, &j->var[k], 1);
    tsr_convert(TSR_FLOAT64, &j->var[k], d, &half, 1);
  }
  j->rounded = true;
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
    j->var[k] = sq / n;
  }
}

typedef struct bn_args {
  tsr_tensor *x, *w, *b, *rm, *rv;
  bool training;
  double momentum, eps;
} bn_args;

static tsr_status check_param(tsr_ctx *ctx, const char *name, const tsr_tensor *t, int64_t c) {
  if (t != NULL && t->numel != c)
    return tsr_op_fail(ctx, "%s should contain %lld elements not %lld", name, (long long)c, (long long)t->numel);
  return TSR_OK;
}

static tsr_status check(tsr_ctx *ctx, const bn_args *a, bool *mixed) {
  const tsr_tensor *x = a->x;
  int64_t c = x->ndim > 1 ? x->size[1] : 0;
  if (!a->training && a->rm == NULL) return tsr_op_fail(ctx, "running_mean must be defined in evaluation mode");
  if (!a->training && a->rv == NULL) return tsr_op_fail(ctx, "running_var must be defined in evaluation mode");
  TSR_TRY(check_param(ctx, "running_mean", a->rm, c));
  TSR_TRY(check_param(ctx, "running_var", a->rv, c));
  TSR_TRY(check_param(ctx, "weight", a->w, c));
  TSR_TRY(check_param(ctx, "bias", a->b, c));
  for (int i = 0; i < 4; i++) {
    const tsr_tensor *p = (const tsr_tensor *[]){a->w, a->b, a->rm, a->rv}[i];
    if (p != NULL && p->dtype != x->dtype && !(p->dtype == TSR_FLOAT32 && (x->dtype == TSR_FLOAT16 || x->dtype == TSR_BFLOAT16)))
      return tsr_op_fail(ctx, "mixed dtype (CPU): all inputs must share same datatype.");
  }
  return tsr_norm_mixed(ctx, x, (tsr_tensor *[]){a->w, a->b, a->rm, a->rv}, 4, mixed);
}

static double number_at(const tsr_tensor *t, int64_t i) { /* contiguous float32 or float64 */
  const void *p = tsr_tensor_data_ro(t);
  return t->dtype == TSR_FLOAT64 ? ((const double *)p)[i] : (double)((const float *)p)[i];
}

static void set_number(bn_job *j, void *p, int64_t i, double v) {
  if (j->f64) ((double *)p)[i] = v;
  else ((float *)p)[i] = (float)v;
}

/* running = (1 - momentum) * running + momentum * batch, written into the tensor that was passed. */
static tsr_status update_running(tsr_ctx *ctx, tsr_tensor *t, const double *batch, int64_t c, double momentum, double factor) {
  tsr_tensor *old, *wide;
  void *p;
  int64_t size[1] = {c};
  TSR_TRY(tsr_ready(ctx, &old, t, TSR_FLOAT64));
  TSR_TRY(tsr_new(ctx, &wide, TSR_FLOAT64, 1, size));
  TSR_TRY(tsr_data_mut(ctx, wide, &p));
  for (int64_t k = 0; k < c; k++) ((double *)p)[k] = momentum * batch[k] * factor + (1 - momentum) * number_at(old, k);
  TSR_TRY(tsr_view_as(ctx, &wide, wide, t->ndim, t->size));
  return tsr_copy_into(ctx, t, wide);
}

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
  for (int i = 0; i < 4; i++)
    if (ps[i] != NULL) TSR_TRY(tsr_ready(ctx, &ps[i], ps[i], compute));
  double *stats = tsr_scratch(ctx, (size_t)(4 * c + 1) * sizeof *stats);
  if (stats == NULL) return tsr_op_nomem(ctx);
  j.mean = stats;
  j.var = stats + c;
  j.scale = stats + 2 * c;
  j.shift = stats + 3 * c;
  j.x = tsr_tensor_data_ro(x);
  TSR_TRY(tsr_data_mut(ctx, y, &j.y));
  if (a->training) tsr_parallel_for(ctx, c, TSR_MAX(1, 8192 / TSR_MAX(1, s)), stats_task, &j);
  if (a->training && a->rm != NULL) TSR_TRY(update_running(ctx, a->rm, j.mean, c, a->momentum, 1));
  if (a->training && a->rv != NULL) TSR_TRY(update_running(ctx, a->rv, j.var, c, a->momentum, (double)s / (double)(s - 1)));
  if (a->training && !mixed && d != compute) round_stats(&j, d, a->eps);
  for (int64_t k = 0; k < c; k++) {
    double mu = a->training ? j.mean[k] : number_at(ps[2], k), var = a->training ? j.var[k] : number_at(ps[3], k);
    double inv = j.rounded ? var : j.f64 ? 1 / sqrt(var + a->eps) : (double)(1 / sqrtf((float)var + (float)a->eps));
    double scale = (ps[0] != NULL ? number_at(ps[0], k) : 1) * inv;
    if (!j.f64) scale = (float)scale;
    set_number(&j, j.scale, k, scale);
    set_number(&j, j.shift, k, (ps[1] != NULL ? number_at(ps[1], k) : 0) - mu * scale);
    j.var[k] = inv;
  }
  int64_t rows = j.inner == 1 ? j.outer : j.outer * c, len = j.inner == 1 ? c : j.inner;
  if (x->numel > 0) tsr_parallel_for(ctx, rows, TSR_MAX(1, 16384 / len), apply_task, &j);
  *mean = j.mean;
  *invstd = j.var;
  return tsr_to_dtype(ctx, out, y, d);
}

static tsr_status stats_tensor(tsr_ctx *ctx, tsr_tensor **out, const double *values, int64_t n, tsr_dtype d) {
  void *p;
  TSR_TRY(tsr_new(ctx, out, d, 1, &n));
  TSR_TRY(tsr_data_mut(ctx, *out, &p));
  if (n > 0) tsr_convert(d, p, TSR_FLOAT64, values, n);
  return TSR_OK;
}

static tsr_status batch_norm(tsr_call *c, bn_args *a, uint32_t rets) {
  tsr_tensor *y, *t;
  bool mixed;
  double *mean, *invstd;
  TSR_TRY(check(c->ctx, a, &mixed));
  TSR_TRY(run(c->ctx, a, mixed, &y, &mean, &invstd));
  tsr_dtype d = mixed ? TSR_FLOAT32 : (tsr_dtype)a->x->dtype;
  int64_t n = a->training && a->x->ndim > 1 ? a->x->size[1] : 0, none = 0;
  if (rets >= 3) {
    TSR_TRY(stats_tensor(c->ctx, &t, mean, n, d));
    TSR_TRY(tsr_ret_tensor(c, 1, t));
    TSR_TRY(stats_tensor(c->ctx, &t, invstd, n, d));
    TSR_TRY(tsr_ret_tensor(c, 2, t));
  }
  if (rets >= 4) {
    TSR_TRY(tsr_new(c->ctx, &t, TSR_UINT8, 1, &none));
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

TSR_KERNEL(batch_norm) {
  bn_args a = all_args(c);
  return batch_norm(c, &a, 1);
}

TSR_KERNEL(native_batch_norm) {
  bn_args a = all_args(c);
  if (a.training && a.x->numel == 0) {
    char text[256];
    tsr_sizes_print(text, sizeof text, a.x->ndim, a.x->size);
    return tsr_op_fail(c->ctx, "input tensor must have at least one element, but got input_sizes = %s", text);
  }
  return batch_norm(c, &a, 3);
}

TSR_KERNEL(batch_norm_impl_index) {
  bn_args a = all_args(c);
  TSR_TRY(batch_norm(c, &a, 4));
  c->rets[4] = tsr_int(0);
  return TSR_OK;
}

TSR_KERNEL(batch_norm_no_stats) { /* input, weight, bias, training, momentum, eps */
  bn_args a = first_args(c);
  a.training = tsr_arg_bool(c, 3);
  a.momentum = tsr_arg_float(c, 4);
  a.eps = tsr_arg_float(c, 5);
  return batch_norm(c, &a, 3);
}

/* input, weight, bias, running_mean, running_var, momentum, eps; op->data says whether it trains */
TSR_KERNEL(batch_norm_update) {
  bn_args a = first_args(c);
  a.rm = tsr_arg_opt_tensor(c, 3);
  a.rv = tsr_arg_opt_tensor(c, 4);
  a.training = c->op->data != NULL;
  a.momentum = tsr_arg_float(c, 5);
  a.eps = tsr_arg_float(c, 6);
  return batch_norm(c, &a, c->nrets);
}

/* The running statistics come back as new tensors. */
TSR_KERNEL(batch_norm_functional) {
  bn_args a = all_args(c);
  TSR_TRY(tsr_clone(c->ctx, &a.rm, a.rm));
  TSR_TRY(tsr_clone(c->ctx, &a.rv, a.rv));
  TSR_TRY(batch_norm(c, &a, 3));
  TSR_TRY(tsr_ret_tensor(c, 3, a.rm));
  return tsr_ret_tensor(c, 4, a.rv);
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
  TSR_TRY(check_param(ctx, "running_mean", a.rm, ch));
  TSR_TRY(check_param(ctx, "running_var", a.rv, ch));
  TSR_TRY(check_param(ctx, "weight", a.w, ch));
  TSR_TRY(check_param(ctx, "bias", a.b, ch));
  memcpy(size, x->size, x->ndim * sizeof *size);
  size[0] = 1;
  size[1] = n * ch;
  TSR_TRY(tsr_contiguous(ctx, &in.x, x));
  TSR_TRY(tsr_view_as(ctx, &in.x, in.x, x->ndim, size));
  TSR_TRY(repeat(ctx, &in.w, n));
  TSR_TRY(repeat(ctx, &in.b, n));
  TSR_TRY(repeat(ctx, &in.rm, n));
  TSR_TRY(repeat(ctx, &in.rv, n));
  TSR_TRY(check(ctx, &in, &mixed));
  TSR_TRY(run(ctx, &in, mixed, &y, &mean, &invstd));
  if (a.training && a.rm != NULL && n > 0) TSR_TRY(fold_back(ctx, a.rm, in.rm, n, ch));
  if (a.training && a.rv != NULL && n > 0) TSR_TRY(fold_back(ctx, a.rv, in.rv, n, ch));
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
    {"aten::_native_batch_norm_legit_no_training(Tensor input, Tensor? weight, Tensor? bias, Tensor running_mean, Tensor running_var, float momentum, "
     "float eps) -> (Tensor, Tensor, Tensor)", op_batch_norm_update, TSR_PURE},
    {"aten::_native_batch_norm_legit_functional(Tensor input, Tensor? weight, Tensor? bias, Tensor running_mean, Tensor running_var, bool training, "
     "float momentum, float eps) -> (Tensor, Tensor, Tensor, Tensor running_mean_out, Tensor running_var_out)", op_batch_norm_functional, TSR_PURE},
    {"aten::_batch_norm_with_update(Tensor input, Tensor? weight, Tensor? bias, Tensor(a!) running_mean, Tensor(b!) running_var, float momentum, "
     "float eps) -> (Tensor, Tensor, Tensor, Tensor)", op_batch_norm_update, 0, "training"},
    {"aten::_batch_norm_no_update(Tensor input, Tensor? weight, Tensor? bias, Tensor? running_mean, Tensor? running_var, float momentum, float eps) -> "
     "(Tensor, Tensor, Tensor, Tensor)", op_batch_norm_update, TSR_PURE},
    {"aten::instance_norm(Tensor input, Tensor? weight, Tensor? bias, Tensor? running_mean, Tensor? running_var, bool use_input_stats, float momentum, "
     "float eps, bool cudnn_enabled) -> Tensor", op_instance_norm},
    {0},
};
