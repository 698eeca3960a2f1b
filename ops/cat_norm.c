/* tsr::cat_norm_act: act(batch_norm(cat(parts, 1))) in evaluation mode, every element read and written once when
 * the parts are hidden (layout.h), step by step otherwise. */
#include <math.h>

#include "ops/conv_kernels.h"
#include "ops/layout.h"
#include "ops/native.h"
#include "ops/product.h"

typedef struct part { const float *x; int64_t c, at; } part;

typedef struct job {
  const tsr_conv_fns *f;
  const part *parts; int64_t count;
  float *y;
  int64_t c;
  const float *scale, *shift;
  tsr_epi act;
} job;

static void rows_task(void *arg, int64_t begin, int64_t end) { /* part by part: factors stay in registers */
  const job *j = arg;
  for (const part *p = j->parts; p < j->parts + j->count; p++) {
    tsr_scaled s = {.y = j->y + begin * j->c + p->at, .y_step = j->c, .x = p->x + begin * p->c, .x_step = p->c, .scale = j->scale + p->at,
                    .shift = j->shift + p->at, .rows = end - begin, .n = p->c, .act = j->act.act, .p0 = j->act.p0, .p1 = j->act.p1};
    j->f->scale_act(&s);
  }
}

/* What the fast way can take: float32 of one size but for the channels, at least one of them hidden. */
static bool are_hidden(tsr_tensor *const *ts, int64_t n, int64_t *channels) {
  bool any = false;
  *channels = 0;
  for (int64_t i = 0; i < n; i++) {
    const tsr_tensor *t = ts[i], *a = ts[0];
    if (t == NULL || t->ndim != 4 || t->dtype != TSR_FLOAT32 || t->numel == 0 || (!t->hidden && !tsr_tensor_is_contiguous(t))) return false;
    if (t->size[0] != a->size[0] || t->size[2] != a->size[2] || t->size[3] != a->size[3]) return false;
    any = any || t->hidden;
    *channels += t->size[1];
  }
  return any;
}

static bool fits(const tsr_tensor *p, int64_t c) { return p == NULL || (p->dtype == TSR_FLOAT32 && p->numel == c && tsr_tensor_is_contiguous(p)); }

/* As aten::batch_norm computes them. */
static void coefficients(tsr_tensor *const *params, double eps, int64_t c, float *scale, float *shift) {
  const float *p[4];
  for (int i = 0; i < 4; i++) p[i] = params[i] == NULL ? NULL : tsr_tensor_data_ro(params[i]);
  for (int64_t k = 0; k < c; k++) {
    double inv = (double)(1 / sqrtf(p[3][k] + (float)eps));
    scale[k] = (float)((p[0] != NULL ? (double)p[0][k] : 1) * inv);
    shift[k] = (float)((p[1] != NULL ? (double)p[1][k] : 0) - (double)p[2][k] * (double)scale[k]);
  }
}

static tsr_status run_hidden(tsr_ctx *ctx, tsr_tensor **y, tsr_tensor **ts, int64_t n, int64_t c, tsr_tensor *const *params, double eps, const tsr_epi *epi) {
  part *parts = tsr_scratch(ctx, (size_t)n * sizeof *parts);
  float *scale;
  int64_t size[4] = {ts[0]->size[0], c, ts[0]->size[2], ts[0]->size[3]}, at = 0;
  if (parts == NULL) return tsr_op_nomem(ctx);
  for (int64_t i = 0; i < n; i++) {
    tsr_tensor *t = ts[i];
    if (!t->hidden) TSR_TRY(tsr_layout_hide(ctx, &t, t));
    parts[i] = (part){tsr_tensor_data_ro(t), t->size[1], at};
    at += t->size[1];
  }
  TSR_TRY(tsr_work(ctx, 2 * c, &scale));
  coefficients(params, eps, c, scale, scale + c);
  TSR_TRY(tsr_layout_new(ctx, y, size));
  job j = {ctx->kernels->conv, parts, n, (*y)->storage->data, c, scale, scale + c, *epi};
  tsr_parallel_for(ctx, size[0] * size[2] * size[3], TSR_MAX(1, 16384 / c), rows_task, &j);
  return TSR_OK;
}

static tsr_status step_by_step(tsr_call *c, tsr_tensor **y, tsr_tensor **ts, int64_t n, const tsr_epi *epi) {
  tsr_ctx *ctx = c->ctx;
  tsr_tensor *x = ts[0];
  tsr_val ret;
  for (int64_t i = 0; i < n; i++)
    if (ts[i] != NULL) TSR_TRY(tsr_layout_reveal(ctx, ts[i]));
  if (tsr_arg_bool(c, 6)) TSR_TRY(tsr_cat(ctx, &x, ts, n, 1));
  tsr_val args[9] = {tsr_from_obj(x), c->args[1], c->args[2], c->args[3], c->args[4], tsr_bool(false), tsr_float(0), c->args[5], tsr_bool(false)};
  TSR_TRY(tsr_invoke(ctx, tsr_op_get("aten::batch_norm", ""), args, 9, &ret, 1));
  return tsr_act_apply(ctx, y, ret.t, epi);
}

TSR_KERNEL(cat_norm_act) { /* parts, weight, bias, mean, var, eps, joined, act, p0, p1 */
  int64_t n, channels = 0;
  tsr_epi epi;
  tsr_tensor *y, **ts = tsr_arg_tensors(c, 0, &n), *params[4];
  if (ts == NULL) return tsr_op_nomem(c->ctx);
  for (uint32_t i = 0; i < 4; i++) params[i] = tsr_arg_opt_tensor(c, 1 + i);
  TSR_TRY(tsr_act_read(c, 7, &epi));
  bool fast = n > 0 && are_hidden(ts, n, &channels) && params[2] != NULL && params[3] != NULL;
  for (int i = 0; i < 4; i++) fast = fast && fits(params[i], channels);
  if (fast) TSR_TRY(run_hidden(c->ctx, &y, ts, n, channels, params, tsr_arg_float(c, 5), &epi));
  else TSR_TRY(step_by_step(c, &y, ts, n, &epi));
  return tsr_ret_tensor(c, 0, y);
}

const tsr_op tsr_ops_cat_norm[] = {
    {"tsr::cat_norm_act(Tensor[] parts, Tensor? weight, Tensor? bias, Tensor? running_mean, Tensor? running_var, float eps, bool joined, int act, "
     "float p0=0., float p1=0.) -> Tensor", op_cat_norm_act, TSR_PURE | TSR_HIDDEN | TSR_OWN_ORDER},
    {0},
};
