/* Connectionist temporal classification: the forward recursion in log space. */
#include <math.h>
#include <stdio.h>

#include "ops/loss.h"
#include "ops/pointwise.h"

typedef struct ctc {
  int64_t t, n, classes, blank, width; /* width: 2 * longest target + 1 */
  const double *logp;                  /* [t, n, classes] */
  const int64_t *targets, *in_len, *target_len;
  double *alpha;                       /* [n, t, width] */
} ctc;

static double log_add3(double a, double b, double c) { /* compares as PyTorch does: NaN stays */
  double m = a;
  if (b > m) m = b;
  if (c > m) m = c;
  if (m == -INFINITY) m = 0;
  return log(exp(a - m) + exp(b - m) + exp(c - m)) + m;
}

/* Labels with blanks between: position s of the extended target. */
static int64_t label(const ctc *j, const int64_t *target, int64_t s) { return s % 2 ? target[s / 2] : j->blank; }

/* Minus the log probability of one sample. */
static double sample(const ctc *j, int64_t i, const int64_t *target) {
  int64_t len = j->target_len[i], steps = j->in_len[i], states = 2 * len + 1;
  double *a = j->alpha + i * j->t * j->width;
  if (steps == 0) return len == 0 ? 0 : INFINITY;
  const double *p = j->logp + i * j->classes;
  a[0] = p[j->blank];
  if (len > 0) a[1] = p[target[0]];
  for (int64_t t = 1; t < steps; t++) {
    const double *prev = a + (t - 1) * j->width;
    double *now = a + t * j->width;
    p = j->logp + (t * j->n + i) * j->classes;
    for (int64_t s = 0; s < states; s++) {
      int64_t k = label(j, target, s);
      double two = s > 1 && label(j, target, s - 2) != k ? prev[s - 2] : -INFINITY;
      now[s] = log_add3(prev[s], s > 0 ? prev[s - 1] : -INFINITY, two) + p[k];
    }
  }
  const double *last = a + (steps - 1) * j->width;
  return -log_add3(last[states - 1], states > 1 ? last[states - 2] : -INFINITY, -INFINITY);
}

/* A tensor or list of lengths as int64. */
static tsr_status lengths(tsr_call *c, uint32_t i, const char *what, const int64_t **out, int64_t *count) {
  if (c->args[i].tag == TSR_V_TENSOR) {
    tsr_tensor *t = c->args[i].t;
    if (!tsr_dtype_is_integral((tsr_dtype)t->dtype, false)) return tsr_op_fail(c->ctx, "%s must be integral", what);
    TSR_TRY(tsr_ready(c->ctx, &t, t, TSR_INT64));
    *count = t->numel;
    *out = tsr_tensor_data_ro(t);
    return TSR_OK;
  }
  *out = tsr_arg_ints(c, i, count);
  return *out == NULL ? tsr_ctx_nomem(c->ctx) : TSR_OK;
}

#define FAULT(...) return snprintf(text, cap, __VA_ARGS__), true
#define WHERE " (while checking arguments for ctc_loss_allocate_outputs)"

/* What is wrong with element types and numbers of dimensions, in PyTorch's order. */
static bool types_fault(const tsr_tensor *x, const tsr_tensor *targets, char *text, size_t cap) {
  if (x->numel == 0) FAULT("log_probs tensor must not be empty");
  if (targets->dtype != TSR_INT64 && targets->dtype != TSR_INT32)
    FAULT("Expected tensor for argument #2 'targets' to have scalar type Int; but got torch.%sTensor instead" WHERE, tsr_dtype_get_info(targets->dtype)->cpp_name);
  if (x->ndim != 3) FAULT("Expected 3-dimensional tensor, but got %d-dimensional tensor for argument #1 'log_probs'" WHERE, x->ndim);
  if (targets->ndim < 1 || targets->ndim > 2) FAULT("Expected 1 to 2 dimensions, but got %d-dimensional tensor for argument #2 'targets'" WHERE, targets->ndim);
  return false;
}

/* … and with the sizes; the longest target. */
static bool sizes_fault(const ctc *j, const tsr_tensor *targets, int64_t ins, int64_t outs, int64_t *longest, char *text, size_t cap) {
  int64_t total = 0, rows = targets->size[0];
  *longest = 0;
  if (j->blank < 0 || j->blank >= j->classes) FAULT("blank must be in label range");
  if (ins != j->n) FAULT("input_lengths must be of size batch_size");
  if (outs != j->n) FAULT("target_lengths must be of size batch_size");
  for (int64_t i = 0; i < j->n; i++) {
    int64_t len = j->target_len[i];
    if (len < 0) FAULT("Expected target_lengths to have value at least 0, but got value %lld" WHERE, (long long)len);
    if (tsr_add_overflow(total, len, &total)) total = INT64_MAX - len;
    *longest = TSR_MAX(*longest, len);
  }
  int64_t want = targets->ndim == 1 ? total : j->n;
  if (rows != want) FAULT("Expected tensor to have size %lld at dimension 0, but got size %lld for argument #2 'targets'" WHERE, (long long)want, (long long)rows);
  if (targets->ndim == 2 && targets->size[1] < *longest)
    FAULT("Expected tensor to have size at least %lld at dimension 1, but got size %lld for argument #2 'targets'" WHERE, (long long)*longest, (long long)targets->size[1]);
  for (int64_t i = 0; i < j->n; i++) {
    if (j->in_len[i] < 0) FAULT("Expected input_lengths to have value at least 0, but got value %lld" WHERE, (long long)j->in_len[i]);
    if (j->in_len[i] > j->t) FAULT("Expected input_lengths to have value at most %lld, but got value %lld" WHERE, (long long)j->t, (long long)j->in_len[i]);
  }
  return false;
}

static tsr_status check_labels(tsr_ctx *ctx, const ctc *j, int64_t i, const int64_t *target) {
  for (int64_t k = 0; k < j->target_len[i]; k++)
    if (target[k] < 0 || target[k] >= j->classes) return tsr_op_fail(ctx, "Expected targets to be between 0 and %lld, but got value %lld", (long long)j->classes - 1, (long long)target[k]);
  return TSR_OK;
}

/* loss[n]; alpha as PyTorch keeps it. */
static tsr_status run(tsr_call *c, tsr_tensor *x, tsr_tensor *targets, tsr_tensor **loss, tsr_tensor **alpha, ctc *j) {
  tsr_tensor *in, *tg;
  tsr_dtype d = (tsr_dtype)x->dtype;
  char text[256];
  int64_t longest, ins, outs;
  *j = (ctc){.blank = tsr_arg_int(c, 4)};
  TSR_TRY(lengths(c, 2, "input_lengths", &j->in_len, &ins));
  TSR_TRY(lengths(c, 3, "target_lengths", &j->target_len, &outs));
  if (d != TSR_FLOAT32 && d != TSR_FLOAT64) return tsr_not_implemented(c->ctx, "ctc_loss_cpu", d); /* before it looks at anything else */
  bool fault = types_fault(x, targets, text, sizeof text);
  if (!fault) {
    j->t = x->size[0];
    j->n = x->size[1];
    j->classes = x->size[2];
    fault = sizes_fault(j, targets, ins, outs, &longest, text, sizeof text);
  }
  if (fault) return tsr_op_fail(c->ctx, "%s", text);
  TSR_TRY(tsr_ready(c->ctx, &in, x, TSR_FLOAT64));
  TSR_TRY(tsr_ready(c->ctx, &tg, targets, TSR_INT64));
  j->width = 2 * longest + 1;
  TSR_TRY(tsr_new(c->ctx, alpha, TSR_FLOAT64, 3, (int64_t[]){j->n, j->t, j->width}));
  TSR_TRY(tsr_fill(c->ctx, *alpha, tsr_scalar_float(-INFINITY)));
  TSR_TRY(tsr_new(c->ctx, loss, TSR_FLOAT64, 1, &j->n));
  j->logp = tsr_tensor_data_ro(in);
  j->alpha = (*alpha)->storage->data;
  const int64_t *at = tsr_tensor_data_ro(tg);
  for (int64_t i = 0; i < j->n; i++) {
    TSR_TRY(check_labels(c->ctx, j, i, at));
    ((double *)(*loss)->storage->data)[i] = sample(j, i, at);
    at += targets->ndim == 2 ? targets->size[1] : j->target_len[i];
  }
  return TSR_OK;
}

/* The samples' losses and the recursion's table */
TSR_KERNEL(ctc_forward) {
  tsr_tensor *x = tsr_arg_tensor(c, 0), *loss, *alpha;
  ctc j;
  TSR_TRY(run(c, x, tsr_arg_tensor(c, 1), &loss, &alpha, &j));
  TSR_TRY(tsr_to_dtype(c->ctx, &loss, loss, (tsr_dtype)x->dtype));
  TSR_TRY(tsr_to_dtype(c->ctx, &alpha, alpha, (tsr_dtype)x->dtype));
  TSR_TRY(tsr_ret_tensor(c, 0, loss));
  return tsr_ret_tensor(c, 1, alpha);
}

TSR_KERNEL(ctc_loss) {
  tsr_tensor *x = tsr_arg_tensor(c, 0), *loss, *alpha;
  ctc j;
  bool batched = x->ndim == 3;
  tsr_tensor *targets = tsr_arg_tensor(c, 1);
  int64_t reduction = tsr_arg_int(c, 5);
  if (!batched) TSR_TRY(tsr_unsqueeze(c->ctx, &x, x, 1));
  TSR_TRY(tsr_to_dtype(c->ctx, &targets, targets, TSR_INT64)); /* labels of any type here */
  TSR_TRY(run(c, x, targets, &loss, &alpha, &j));
  double *v = loss->storage->data, sum = 0;
  for (int64_t i = 0; i < j.n; i++) {
    if (tsr_arg_bool(c, 6) && v[i] == INFINITY) v[i] = 0;
    sum += reduction == TSR_LOSS_MEAN ? v[i] / (double)TSR_MAX(j.target_len[i], 1) : v[i];
  }
  if (reduction != TSR_LOSS_NONE) TSR_TRY(tsr_new_scalar(c->ctx, &loss, TSR_FLOAT64, tsr_scalar_float(reduction == TSR_LOSS_MEAN ? sum / (double)j.n : sum)));
  else if (!batched) TSR_TRY(tsr_select(c->ctx, &loss, loss, 0, 0));
  TSR_TRY(tsr_to_dtype(c->ctx, &loss, loss, (tsr_dtype)x->dtype));
  return tsr_ret_tensor(c, 0, loss);
}

const tsr_op tsr_ops_loss_ctc[] = {
    {"aten::ctc_loss.IntList(Tensor log_probs, Tensor targets, int[] input_lengths, int[] target_lengths, int blank=0, int reduction=1, bool zero_infinity=False) -> Tensor",
     op_ctc_loss, TSR_PURE},
    {"aten::ctc_loss.Tensor(Tensor log_probs, Tensor targets, Tensor input_lengths, Tensor target_lengths, int blank=0, int reduction=1, bool zero_infinity=False) -> Tensor",
     op_ctc_loss, TSR_PURE},
    {"aten::_ctc_loss(Tensor log_probs, Tensor targets, int[] input_lengths, int[] target_lengths, int blank=0, bool zero_infinity=False) -> (Tensor, Tensor)",
     op_ctc_forward, TSR_PURE},
    {"aten::_ctc_loss.Tensor(Tensor log_probs, Tensor targets, Tensor input_lengths, Tensor target_lengths, int blank=0, bool zero_infinity=False) -> (Tensor, Tensor)",
     op_ctc_forward, TSR_PURE},
    {"aten::_ctc_loss.out(Tensor log_probs, Tensor targets, int[] input_lengths, int[] target_lengths, int blank=0, bool zero_infinity=False, *, Tensor(a!) out0, Tensor(b!) out1) -> (Tensor(a!), Tensor(b!))",
     op_ctc_forward, TSR_OUT_NEW},
    {"aten::_ctc_loss.Tensor_out(Tensor log_probs, Tensor targets, Tensor input_lengths, Tensor target_lengths, int blank=0, bool zero_infinity=False, *, Tensor(a!) out0, Tensor(b!) out1) -> (Tensor(a!), Tensor(b!))",
     op_ctc_forward, TSR_OUT_NEW},
    {0},
};
