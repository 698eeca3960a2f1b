/* Losses over classes: negative log likelihood, cross entropy, margins. */
#include <math.h>

#include "ops/loss.h"
#include "ops/pointwise.h"

/* ---- negative log likelihood: input [n, classes, spatial], target [n, spatial] ---- */

typedef struct nll {
  int64_t n, classes, spatial, ignore, reduction;
  const tsr_tensor *x, *t, *w;
} nll;

static double at(const tsr_tensor *x, int64_t i) {
  return x->dtype == TSR_FLOAT64 ? ((const double *)tsr_tensor_data_ro(x))[i] : (double)((const float *)tsr_tensor_data_ro(x))[i];
}
static void put(tsr_tensor *y, int64_t i, double v) {
  if (y->dtype == TSR_FLOAT64) ((double *)y->storage->data)[i] = v;
  else ((float *)y->storage->data)[i] = (float)v;
}

/* y: per element losses or NULL; sums otherwise. */
static tsr_status nll_run(tsr_ctx *ctx, const nll *j, tsr_tensor *y, double *sum, double *weight) {
  const int64_t *t = tsr_tensor_data_ro(j->t);
  *sum = *weight = 0;
  for (int64_t i = 0; i < j->n * j->spatial; i++) {
    int64_t k = t[i];
    double v = 0;
    if (k != j->ignore) {
      if (k < 0 || k >= j->classes) return tsr_op_fail(ctx, "Target %lld is out of bounds.", (long long)k);
      double w = j->w ? at(j->w, k) : 1;
      v = -w * at(j->x, (i / j->spatial * j->classes + k) * j->spatial + i % j->spatial);
      *weight += w;
      *sum += v;
    }
    if (y) put(y, i, v);
  }
  return TSR_OK;
}

/* A kernel that reads or writes memory as `want`. */
static tsr_status need_type(tsr_ctx *ctx, tsr_dtype want, tsr_dtype got) {
  if (want == got) return TSR_OK;
  return tsr_op_fail(ctx, "expected scalar type %s but found %s", tsr_dtype_get_info(want)->cpp_name, tsr_dtype_get_info(got)->cpp_name);
}

/* The element type of result i: its out argument's, or x's. */
static tsr_dtype result_type(const tsr_call *c, uint32_t i, const tsr_tensor *x) {
  tsr_dtype d = (tsr_dtype)x->dtype;
  if (i < c->nrets) tsr_out_dtype(c, i, &d);
  return d;
}

/* Checks of [classes] or [n, classes]. */
static tsr_status check_flat(tsr_ctx *ctx, const tsr_tensor *x, const tsr_tensor *t, const tsr_tensor *w) {
  char xs[128], ts[128];
  if (x->ndim < 1 || x->ndim > 2) return tsr_op_fail(ctx, "input tensor should be 1D or 2D");
  if (t->ndim > 1) return tsr_op_fail(ctx, "0D or 1D target tensor expected, multi-target not supported");
  if (t->dtype != TSR_INT64 && t->dtype != TSR_UINT8)
    return tsr_op_fail(ctx, "expected target dtype to be Long or Byte, but got %s", tsr_dtype_get_info(t->dtype)->cpp_name);
  if (t->ndim == 0 && x->ndim != 1) return tsr_op_fail(ctx, "Dimension specified as 0 but tensor has no dimensions");
  tsr_sizes_print(xs, sizeof xs, x->ndim, x->size);
  tsr_sizes_print(ts, sizeof ts, t->ndim, t->size);
  if (x->ndim == 1 && t->numel != 1) return tsr_op_fail(ctx, "For 1D input, 1D target must have size 1, but got target size: %lld", (long long)t->numel);
  if (x->ndim == 2 && x->size[0] != t->size[0]) return tsr_op_fail(ctx, "size mismatch (got input: %s, target: %s)", xs, ts);
  int64_t classes = x->size[x->ndim - 1];
  if (w == NULL || (w->ndim == 1 && w->numel == classes)) return TSR_OK;
  tsr_sizes_print(ts, sizeof ts, w->ndim, w->size);
  return tsr_op_fail(ctx, "weight tensor should be defined either for all %lld classes or no classes but got weight tensor of shape: %s", (long long)classes, ts);
}

/* Checks of [n, classes, height, width]. */
static tsr_status check_planes(tsr_ctx *ctx, const tsr_tensor *x, const tsr_tensor *t, const tsr_tensor *w) {
  char xs[128], ts[128];
  if (t->ndim != 3) return tsr_op_fail(ctx, "only batches of spatial targets supported (3D tensors) but got targets of dimension: %d", t->ndim);
  if (x->ndim != 4) return tsr_op_fail(ctx, "only batches of spatial inputs supported (4D tensors), but got input of dimension: %d", x->ndim);
  if (t->dtype != TSR_INT64 && t->dtype != TSR_UINT8)
    return tsr_op_fail(ctx, "expected target dtype to be Long or Byte, but got %s", tsr_dtype_get_info(t->dtype)->cpp_name);
  if (w != NULL && w->numel != x->size[1]) return tsr_op_fail(ctx, "weight tensor should be defined either for all or no classes");
  if (x->size[0] == t->size[0] && x->size[2] == t->size[1] && x->size[3] == t->size[2]) return TSR_OK;
  tsr_sizes_print(xs, sizeof xs, x->ndim, x->size);
  tsr_sizes_print(ts, sizeof ts, t->ndim, t->size);
  return tsr_op_fail(ctx, "size mismatch (got input: %s , target: %s", xs, ts);
}

/* Types, as the kernel meets them; the output of a sum is written (and looked at) when it is done. */
static tsr_status check_types(tsr_call *c, const tsr_tensor *x, const tsr_tensor *t, const tsr_tensor *w, bool flat, bool each) {
  tsr_dtype d = (tsr_dtype)x->dtype;
  if (!tsr_dtype_is_float(d)) return tsr_not_implemented(c->ctx, flat ? "nll_loss_out_frame" : "nll_loss2d_forward_out_frame", d);
  TSR_TRY(need_type(c->ctx, d, result_type(c, 1, x)));
  if (w != NULL) TSR_TRY(need_type(c->ctx, d, (tsr_dtype)w->dtype));
  if (each && !flat) TSR_TRY(need_type(c->ctx, d, result_type(c, 0, x)));
  if (t->numel == 0 && !each) return TSR_OK;
  if (!flat || t->dtype != TSR_UINT8) TSR_TRY(need_type(c->ctx, TSR_INT64, (tsr_dtype)t->dtype));
  return each && flat ? need_type(c->ctx, d, result_type(c, 0, x)) : TSR_OK;
}

/* Over checked operands: the loss and, if wanted, the sum of weights. */
static tsr_status nll_loss(tsr_call *c, tsr_tensor **out, tsr_tensor **total, tsr_tensor *x, tsr_tensor *t, tsr_tensor *w, int64_t reduction, int64_t ignore) {
  tsr_ctx *ctx = c->ctx;
  bool one = x->ndim == 1, flat = x->ndim <= 2, each = reduction == TSR_LOSS_NONE && !one;
  nll j = {one ? 1 : x->size[0], x->size[one ? 0 : 1], 1, ignore, reduction, NULL, NULL, NULL};
  tsr_dtype d = (tsr_dtype)x->dtype, work = d == TSR_FLOAT64 ? TSR_FLOAT64 : TSR_FLOAT32;
  tsr_tensor *in, *target, *weight = NULL, *y = NULL;
  double sum = 0, count = 0;
  for (int k = 2; k < x->ndim; k++) j.spatial *= x->size[k];
  TSR_TRY(check_types(c, x, t, w, flat, each));
  TSR_TRY(tsr_ready(ctx, &in, x, work));
  TSR_TRY(tsr_ready(ctx, &target, t, TSR_INT64));
  if (w) TSR_TRY(tsr_ready(ctx, &weight, w, work));
  j.x = in;
  j.t = target;
  j.w = weight;
  if (each) TSR_TRY(tsr_new(ctx, &y, work, t->ndim, t->size));
  if (t->numel > 0) {
    TSR_TRY(nll_run(ctx, &j, y, &sum, &count));
    TSR_TRY(need_type(ctx, d, result_type(c, 0, x)));
  }
  if (!each) TSR_TRY(tsr_new_scalar(ctx, &y, work, tsr_scalar_float(reduction == TSR_LOSS_MEAN ? sum / count : sum)));
  if (total) TSR_TRY(tsr_new_scalar(ctx, total, d, tsr_scalar_float(each ? 0 : count)));
  return tsr_to_dtype(ctx, out, y, result_type(c, 0, x));
}

/* self, target, weight, reduction, ignore_index; op->data: of planes. */
TSR_KERNEL(nll) {
  tsr_tensor *x = tsr_arg_tensor(c, 0), *t = tsr_arg_tensor(c, 1), *w = tsr_arg_opt_tensor(c, 2), *y, *total;
  TSR_TRY(c->op->data != NULL ? check_planes(c->ctx, x, t, w) : check_flat(c->ctx, x, t, w));
  for (uint32_t i = 0; i < c->nrets && c->op->data == NULL; i++) { /* a structured operator */
    tsr_dtype d = result_type(c, i, x);
    if (d != x->dtype)
      return tsr_op_fail(c->ctx, "Expected out tensor to have dtype %s, but got %s instead", tsr_dtype_c_name((tsr_dtype)x->dtype), tsr_dtype_c_name(d));
  }
  TSR_TRY(nll_loss(c, &y, c->nrets > 1 ? &total : NULL, x, t, w, tsr_arg_int(c, 3), tsr_arg_int(c, 4)));
  TSR_TRY(tsr_ret_tensor(c, 0, y));
  return c->nrets > 1 ? tsr_ret_tensor(c, 1, total) : TSR_OK;
}

/* Any number of dimensions: all but flat ones as planes. */
static tsr_status nll_any(tsr_call *c, tsr_tensor **out, tsr_tensor *x, tsr_tensor *t, tsr_tensor *w, int64_t reduction, int64_t ignore) {
  tsr_ctx *ctx = c->ctx;
  char got[128], want[128];
  int64_t size[TSR_MAX_NDIM];
  if (x->ndim < 1) return tsr_op_fail(ctx, "Expected 1 or more dimensions (got %d)", x->ndim);
  int64_t batch = t->ndim > 0 ? t->size[0] : 0;
  if (x->ndim != 1 && x->size[0] != batch)
    return tsr_op_fail(ctx, "Expected input batch_size (%lld) to match target batch_size (%lld).", (long long)x->size[0], (long long)batch);
  if (x->ndim <= 2) {
    TSR_TRY(check_flat(ctx, x, t, w));
    return nll_loss(c, out, NULL, x, t, w, reduction, ignore);
  }
  if (x->ndim == 4) {
    TSR_TRY(check_planes(ctx, x, t, w));
    return nll_loss(c, out, NULL, x, t, w, reduction, ignore);
  }
  for (int k = 0; k < x->ndim - 1; k++) size[k] = x->size[k ? k + 1 : 0];
  if (t->ndim != x->ndim - 1 || memcmp(size, t->size, (size_t)t->ndim * sizeof *size) != 0) {
    tsr_sizes_print(want, sizeof want, x->ndim - 1, size);
    tsr_sizes_print(got, sizeof got, t->ndim, t->size);
    return tsr_op_fail(ctx, "Expected target size %s, got %s", want, got);
  }
  int64_t n = x->size[0], ch = x->size[1], plane[4] = {n, ch, x->numel > 0, x->numel > 0 ? -1 : 0}, flat[3] = {n, t->numel > 0, t->numel > 0 ? -1 : 0};
  TSR_TRY(tsr_reshape(ctx, &x, x, 4, plane));
  TSR_TRY(tsr_reshape(ctx, &t, t, 3, flat));
  TSR_TRY(check_planes(ctx, x, t, w));
  TSR_TRY(nll_loss(c, out, NULL, x, t, w, reduction, ignore));
  return reduction == TSR_LOSS_NONE ? tsr_view_as(ctx, out, *out, (int)(tsr_arg_tensor(c, 0)->ndim - 1), size) : TSR_OK;
}

TSR_KERNEL(nll_nd) {
  tsr_tensor *y;
  TSR_TRY(nll_any(c, &y, tsr_arg_tensor(c, 0), tsr_arg_tensor(c, 1), tsr_arg_opt_tensor(c, 2), tsr_arg_int(c, 3), tsr_arg_int(c, 4)));
  return tsr_ret_tensor(c, 0, y);
}

/* ---- cross entropy ---- */

typedef struct entropy { tsr_tensor *logp, *target, *weight; int64_t reduction, ignore, dim, classes; double smoothing; } entropy;

/* The weight of each class, shaped to multiply log probabilities. */
static tsr_tensor *weight_view(tsr_ctx *ctx, const entropy *e) {
  int64_t size[TSR_MAX_NDIM];
  tsr_tensor *w;
  for (int k = 0; k < e->logp->ndim; k++) size[k] = k == e->dim ? e->weight->numel : 1;
  return tsr_reshape(ctx, &w, e->weight, e->logp->ndim, size) == TSR_OK ? w : NULL;
}

/* Targets are probabilities. */
static tsr_tensor *soft_entropy(tsr_ctx *x, const entropy *e) {
  tsr_tensor *t = e->target, *y;
  if (e->smoothing > 0) t = tsr_x_num(x, "add", tsr_x_num(x, "mul", t, 1 - e->smoothing), e->smoothing / (double)e->classes);
  y = tsr_x_bin(x, "mul", e->logp, t);
  if (e->weight) y = tsr_x_bin(x, "mul", y, weight_view(x, e));
  if (e->reduction == TSR_LOSS_NONE) return tsr_x_un(x, "neg", tsr_x_sum(x, y, e->dim, false));
  y = tsr_x_un(x, "neg", tsr_x_reduce(x, y, TSR_LOSS_SUM));
  return e->reduction == TSR_LOSS_SUM ? y : tsr_x_num(x, "div", y, (double)e->logp->numel / (double)e->classes);
}

/* Sum of the targets' class weights, ignored ones left out. */
static tsr_status target_weight(tsr_ctx *ctx, const entropy *e, double *sum) {
  tsr_tensor *t, *w = NULL;
  TSR_TRY(tsr_ready(ctx, &t, e->target, TSR_INT64));
  if (e->weight) TSR_TRY(tsr_ready(ctx, &w, e->weight, TSR_FLOAT64));
  const int64_t *k = tsr_tensor_data_ro(t);
  *sum = 0;
  for (int64_t i = 0; i < t->numel; i++)
    if (k[i] != e->ignore && k[i] >= 0 && k[i] < e->classes) *sum += w ? at(w, k[i]) : 1;
  return TSR_OK;
}

/* Label smoothing: a share of the loss is the mean over all classes. */
static tsr_tensor *smoothed(tsr_ctx *x, const entropy *e, tsr_tensor *hard) {
  double count;
  tsr_tensor *y = e->logp;
  if (e->weight) y = tsr_x_bin(x, "mul", y, weight_view(x, e));
  y = tsr_x_un(x, "neg", tsr_x_sum(x, y, e->dim, false));
  y = tsr_x_where(x, tsr_x_int(x, "eq", e->target, e->ignore), tsr_x_zero(x, y), y);
  y = tsr_x_reduce(x, y, e->reduction == TSR_LOSS_NONE ? TSR_LOSS_NONE : TSR_LOSS_SUM);
  if (e->reduction == TSR_LOSS_MEAN) {
    if (target_weight(x, e, &count) != TSR_OK) return NULL;
    y = tsr_x_num(x, "div", y, count);
  }
  return tsr_x_bin(x, "add", tsr_x_num(x, "mul", hard, 1 - e->smoothing), tsr_x_num(x, "mul", y, e->smoothing / (double)e->classes));
}

static tsr_status check_entropy(tsr_ctx *ctx, const entropy *e, const tsr_tensor *x, bool soft) {
  char ws[128];
  if (soft && !tsr_dtype_is_float((tsr_dtype)e->target->dtype))
    return tsr_op_fail(ctx, "Expected floating point type for target with class probabilities, got %s", tsr_dtype_get_info(e->target->dtype)->cpp_name);
  if (soft && e->ignore >= 0) return tsr_op_fail(ctx, "ignore_index is not supported for floating point target");
  if (!soft && e->smoothing > 1) return tsr_op_fail(ctx, "label_smoothing must be between 0.0 and 1.0. Got: %g", e->smoothing);
  if (x->ndim == 0 && soft) return tsr_op_fail(ctx, "Dimension specified as 1 but tensor has no dimensions");
  if (x->ndim == 0 || !soft || e->weight == NULL || (e->weight->ndim == 1 && e->weight->numel == x->size[e->dim])) return TSR_OK;
  tsr_sizes_print(ws, sizeof ws, e->weight->ndim, e->weight->size);
  return tsr_op_fail(ctx, "cross_entropy: weight tensor should be defined either for all %lld classes or no classes but got weight tensor of shape: %s",
                     (long long)x->size[e->dim], ws);
}

TSR_KERNEL(cross_entropy) {
  tsr_tensor *x = tsr_arg_tensor(c, 0), *t = tsr_arg_tensor(c, 1), *y;
  entropy e = {.target = t, .weight = tsr_arg_opt_tensor(c, 2), .reduction = tsr_arg_int(c, 3), .ignore = tsr_arg_int(c, 4), .smoothing = tsr_arg_float(c, 5)};
  bool soft = tsr_tensor_same_size(x, t);
  e.dim = x->ndim == 1 ? 0 : 1;
  TSR_TRY(check_entropy(c->ctx, &e, x, soft));
  TSR_TRY(tsr_softmax(c->ctx, &e.logp, x, e.dim, true));
  e.classes = x->size[e.dim];
  if (soft && e.smoothing > 1) return tsr_op_fail(c->ctx, "label_smoothing must be between 0.0 and 1.0. Got: %g", e.smoothing);
  bool known = e.reduction >= TSR_LOSS_NONE && e.reduction <= TSR_LOSS_SUM;
  if (!soft) TSR_TRY(nll_any(c, &y, e.logp, t, e.weight, e.reduction, e.ignore));
  if (!known && (soft || e.smoothing > 0)) return tsr_op_fail(c->ctx, "Invalid reduction type encountered in cross_entropy: %lld", (long long)e.reduction);
  if (soft) return tsr_x_ret(c, 0, soft_entropy(c->ctx, &e));
  return tsr_x_ret(c, 0, e.smoothing > 0 ? smoothed(c->ctx, &e, y) : y);
}

/* ---- margins: input [n, classes] or [classes] ---- */

static tsr_status margin_result(tsr_call *c, tsr_tensor **out, const tsr_tensor *x, const double *each, int64_t n, int64_t reduction, bool one) {
  tsr_dtype d = result_type(c, 0, x);
  double sum = 0;
  for (int64_t i = 0; i < n; i++) sum += each[i];
  if (reduction != TSR_LOSS_NONE || one) {
    double y = x->numel == 0 ? 0 : reduction == TSR_LOSS_MEAN ? sum / (double)n : sum; /* of nothing, PyTorch writes no result at all */
    return tsr_new_scalar(c->ctx, out, d, tsr_scalar_float(y));
  }
  TSR_TRY(tsr_new(c->ctx, out, d, 1, &n));
  tsr_convert(d, (*out)->storage->data, TSR_FLOAT64, each, n);
  return TSR_OK;
}

static tsr_status check_batch(tsr_ctx *ctx, const tsr_tensor *x) {
  char xs[128];
  if (x->ndim == 0 || (x->ndim <= 2 && x->size[x->ndim - 1] != 0)) return TSR_OK;
  tsr_sizes_print(xs, sizeof xs, x->ndim, x->size);
  return tsr_op_fail(ctx, "Expected non-empty vector or matrix with optional 0-dim batch size, but got: %s", xs);
}

static tsr_status check_multi_margin(tsr_call *c, const tsr_tensor *x, const tsr_tensor *t, const tsr_tensor *w, int64_t n, int64_t classes) {
  char xs[128], ts[128];
  tsr_dtype d = (tsr_dtype)x->dtype;
  TSR_TRY(check_batch(c->ctx, x));
  tsr_sizes_print(xs, sizeof xs, x->ndim, x->size);
  tsr_sizes_print(ts, sizeof ts, t->ndim, t->size);
  if (t->ndim > 1 || t->numel != n)
    return tsr_op_fail(c->ctx, "multi_margin_loss: target tensor should be 1-D with size equal to the number of input samples (batch size). Expected target size [%lld], but got %s. Input has shape %s.",
                       (long long)n, ts, xs);
  if (w && (w->ndim > 1 || w->numel != classes)) {
    tsr_sizes_print(ts, sizeof ts, w->ndim, w->size);
    return tsr_op_fail(c->ctx, "inconsistent weight size, expected %lld but got %s", (long long)classes, ts);
  }
  if (x->numel == 0) return TSR_OK;
  if (d != TSR_FLOAT32 && d != TSR_FLOAT64) return tsr_not_implemented(c->ctx, "multi_margin_loss_cpu_kernel", d);
  TSR_TRY(need_type(c->ctx, TSR_INT64, (tsr_dtype)t->dtype));
  if (w) TSR_TRY(need_type(c->ctx, d, (tsr_dtype)w->dtype));
  return need_type(c->ctx, d, result_type(c, 0, x));
}

TSR_KERNEL(multi_margin) {
  tsr_tensor *x = tsr_arg_tensor(c, 0), *t = tsr_arg_tensor(c, 1), *w = tsr_arg_opt_tensor(c, 4), *in, *target, *weight = NULL, *y;
  int64_t p = tsr_arg_scalar(c, 2).i;
  double margin = tsr_arg_scalar(c, 3).d;
  int64_t n = x->ndim < 2 ? 1 : x->size[0], classes = x->ndim == 0 ? 1 : x->size[x->ndim - 1];
  if (p != 1 && p != 2) return tsr_op_fail(c->ctx, "only p == 1 and p == 2 supported");
  TSR_TRY(check_multi_margin(c, x, t, w, n, classes));
  TSR_TRY(tsr_ready(c->ctx, &in, x, TSR_FLOAT64));
  TSR_TRY(tsr_ready(c->ctx, &target, t, TSR_INT64));
  if (w) TSR_TRY(tsr_ready(c->ctx, &weight, w, TSR_FLOAT64));
  double *each = tsr_scratch(c->ctx, (size_t)(n + 1) * sizeof *each);
  if (each == NULL) return tsr_ctx_nomem(c->ctx);
  const double *a = tsr_tensor_data_ro(in);
  const int64_t *k = tsr_tensor_data_ro(target);
  for (int64_t i = 0; i < n; i++, a += classes) {
    if (k[i] < 0 || k[i] >= classes) return tsr_op_fail(c->ctx, "target out of range");
    for (int64_t j = 0; j < classes; j++) {
      double z = margin - a[k[i]] + a[j];
      if (j != k[i] && z > 0) each[i] += (p == 1 ? z : z * z) * (weight ? at(weight, k[i]) : 1);
    }
    each[i] /= (double)classes;
  }
  TSR_TRY(margin_result(c, &y, x, each, n, tsr_arg_int(c, 5), t->ndim == 0));
  return tsr_ret_tensor(c, 0, y);
}

/* One sample: targets up to the first -1 against all the other classes. */
static void multilabel_one(const double *a, const int64_t *t, double *is, int64_t classes, double *loss) {
  int64_t count = 0;
  for (; count < classes && t[count] >= 0; count++) is[t[count]] = 1;
  for (int64_t k = 0; k < count; k++)
    for (int64_t j = 0; j < classes; j++) {
      double z = 1 - a[t[k]] + a[j];
      if (is[j] == 0 && z > 0) *loss += z;
    }
  *loss /= (double)classes;
}

static tsr_status check_multilabel(tsr_call *c, const tsr_tensor *x, const tsr_tensor *t, const tsr_tensor *labels, int64_t classes) {
  char xs[128], ts[128];
  tsr_dtype d = (tsr_dtype)x->dtype;
  TSR_TRY(check_batch(c->ctx, x));
  bool same = x->ndim == 2 ? t->ndim == 2 && t->size[0] == x->size[0] && t->size[1] == classes : t->ndim <= 1 && t->numel == classes;
  if (!same) {
    tsr_sizes_print(xs, sizeof xs, x->ndim, x->size);
    tsr_sizes_print(ts, sizeof ts, t->ndim, t->size);
    return tsr_op_fail(c->ctx, "inconsistent target size: %s for input of size: %s", ts, xs);
  }
  if (x->numel == 0) return TSR_OK;
  const int64_t *k = tsr_tensor_data_ro(labels);
  for (int64_t i = 0; i < t->numel; i++)
    if (k[i] < -1 || k[i] >= classes) return tsr_op_fail(c->ctx, "argument #2 'target' is out of range");
  bool fits = t->dtype == TSR_INT64 && result_type(c, 0, x) == d && result_type(c, 1, x) == d;
  if (!tsr_dtype_is_float(d) || (tsr_dtype_size(d) < 4 && !fits)) return tsr_not_implemented(c->ctx, "multilabel_margin_loss_forward_out_frame", d);
  TSR_TRY(need_type(c->ctx, TSR_INT64, (tsr_dtype)t->dtype));
  TSR_TRY(need_type(c->ctx, d, result_type(c, 1, x)));
  return need_type(c->ctx, d, result_type(c, 0, x));
}

TSR_KERNEL(multilabel_margin) {
  tsr_tensor *x = tsr_arg_tensor(c, 0), *t = tsr_arg_tensor(c, 1), *in, *target, *is, *y;
  int64_t n = x->ndim < 2 ? 1 : x->size[0], classes = x->ndim == 0 ? 1 : x->size[x->ndim - 1];
  TSR_TRY(tsr_ready(c->ctx, &target, t, TSR_INT64));
  TSR_TRY(check_multilabel(c, x, t, target, classes));
  TSR_TRY(tsr_ready(c->ctx, &in, x, TSR_FLOAT64));
  TSR_TRY(tsr_new(c->ctx, &is, TSR_FLOAT64, t->ndim, t->size));
  TSR_TRY(tsr_fill(c->ctx, is, tsr_scalar_int(0)));
  double *each = tsr_scratch(c->ctx, (size_t)(n + 1) * sizeof *each);
  if (each == NULL) return tsr_ctx_nomem(c->ctx);
  const double *a = tsr_tensor_data_ro(in);
  const int64_t *k = tsr_tensor_data_ro(target);
  for (int64_t i = 0; i < n && x->numel > 0; i++)
    multilabel_one(a + i * classes, k + i * classes, (double *)is->storage->data + i * classes, classes, &each[i]);
  TSR_TRY(margin_result(c, &y, x, each, n, tsr_arg_int(c, 2), t->ndim <= 1));
  TSR_TRY(tsr_ret_tensor(c, 0, y));
  if (c->nrets < 2) return TSR_OK;
  TSR_TRY(tsr_to_dtype(c->ctx, &is, is, result_type(c, 1, x)));
  return tsr_ret_tensor(c, 1, is);
}

const tsr_op tsr_ops_loss_class[] = {
    {"aten::nll_loss(Tensor self, Tensor target, Tensor? weight=None, int reduction=1, SymInt ignore_index=-100) -> Tensor",
     op_nll, TSR_PURE},
    {"aten::nll_loss.out(Tensor self, Tensor target, Tensor? weight=None, int reduction=1, SymInt ignore_index=-100, *, Tensor(a!) out) -> Tensor(a!)",
     op_nll, TSR_OUT},
    {"aten::nll_loss_nd(Tensor self, Tensor target, Tensor? weight=None, int reduction=1, SymInt ignore_index=-100) -> Tensor",
     op_nll_nd, TSR_PURE},
    {"aten::nll_loss2d(Tensor self, Tensor target, Tensor? weight=None, int reduction=1, SymInt ignore_index=-100) -> Tensor",
     op_nll, TSR_PURE, "planes"},
    {"aten::nll_loss2d.out(Tensor self, Tensor target, Tensor? weight=None, int reduction=1, SymInt ignore_index=-100, *, Tensor(a!) out) -> Tensor(a!)",
     op_nll, TSR_OUT, "planes"},
    {"aten::nll_loss_forward(Tensor self, Tensor target, Tensor? weight, int reduction, SymInt ignore_index) -> (Tensor output, Tensor total_weight)",
     op_nll, TSR_PURE},
    {"aten::nll_loss_forward.output(Tensor self, Tensor target, Tensor? weight, int reduction, SymInt ignore_index, *, Tensor(a!) output, Tensor(b!) total_weight) -> (Tensor(a!), Tensor(b!))",
     op_nll, TSR_OUT},
    {"aten::nll_loss2d_forward(Tensor self, Tensor target, Tensor? weight, int reduction, SymInt ignore_index) -> (Tensor output, Tensor total_weight)",
     op_nll, TSR_PURE, "planes"},
    {"aten::nll_loss2d_forward.output(Tensor self, Tensor target, Tensor? weight, int reduction, SymInt ignore_index, *, Tensor(a!) output, Tensor(b!) total_weight) -> (Tensor(a!), Tensor(b!))",
     op_nll, TSR_OUT, "planes"},
    {"aten::cross_entropy_loss(Tensor self, Tensor target, Tensor? weight=None, int reduction=1, SymInt ignore_index=-100, float label_smoothing=0.) -> Tensor",
     op_cross_entropy, TSR_PURE},
    {"aten::multi_margin_loss(Tensor self, Tensor target, Scalar p=1, Scalar margin=1, Tensor? weight=None, int reduction=1) -> Tensor",
     op_multi_margin, TSR_PURE},
    {"aten::multi_margin_loss.out(Tensor self, Tensor target, Scalar p=1, Scalar margin=1, Tensor? weight=None, int reduction=1, *, Tensor(a!) out) -> Tensor(a!)",
     op_multi_margin, TSR_OUT},
    {"aten::multilabel_margin_loss(Tensor self, Tensor target, int reduction=1) -> Tensor", op_multilabel_margin, TSR_PURE},
    {"aten::multilabel_margin_loss.out(Tensor self, Tensor target, int reduction=1, *, Tensor(a!) out) -> Tensor(a!)",
     op_multilabel_margin, TSR_OUT},
    {"aten::multilabel_margin_loss_forward(Tensor self, Tensor target, int reduction) -> (Tensor output, Tensor is_target)",
     op_multilabel_margin, TSR_PURE},
    {"aten::multilabel_margin_loss_forward.output(Tensor self, Tensor target, int reduction, *, Tensor(a!) output, Tensor(b!) is_target) -> (Tensor(a!), Tensor(b!))",
     op_multilabel_margin, TSR_OUT},
    {0},
};
