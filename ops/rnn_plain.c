/* Recurrent layers and cells from operators, a step at a time, in PyTorch's order: for operands that the kernels do not take
 * (sizes that broadcast, other element types, sequences shorter than the data), and to refuse in its words those that nothing takes. */
#include "ops/native.h"
#include "ops/rnn.h"

static tsr_val of(tsr_tensor *t) { return t == NULL ? tsr_none() : tsr_from_obj(t); }

static tsr_status run(tsr_ctx *ctx, tsr_tensor **out, const char *name, const char *overload, tsr_val *args, uint32_t n) {
  tsr_val ret;
  TSR_TRY(tsr_invoke(ctx, tsr_op_get(name, overload), args, n, &ret, 1));
  *out = ret.t;
  return TSR_OK;
}

static tsr_status run1(tsr_ctx *ctx, tsr_tensor **x, const char *name) { return run(ctx, x, name, "", (tsr_val[]){of(*x)}, 1); }

static tsr_status mul(tsr_ctx *ctx, tsr_tensor **out, const char *name, tsr_tensor *a, tsr_tensor *b) {
  return run(ctx, out, name, "Tensor", (tsr_val[]){of(a), of(b)}, 2);
}

/* name: add, add_ or sub; *a becomes the result */
static tsr_status sum(tsr_ctx *ctx, tsr_tensor **a, const char *name, tsr_tensor *b) {
  return run(ctx, a, name, "Tensor", (tsr_val[]){of(*a), of(b), tsr_int(1)}, 3);
}

static tsr_status linear(tsr_ctx *ctx, tsr_tensor **out, tsr_tensor *x, tsr_tensor *w, tsr_tensor *bias) {
  return run(ctx, out, "aten::linear", "", (tsr_val[]){of(x), of(w), of(bias)}, 3);
}

static tsr_status unbind(tsr_ctx *ctx, tsr_tensor ***out, int64_t *n, tsr_tensor *x) {
  tsr_val ret;
  TSR_TRY(tsr_invoke(ctx, tsr_op_get("aten::unbind", "int"), (tsr_val[]){of(x), tsr_int(0)}, 2, &ret, 1));
  *n = (int64_t)ret.l->len;
  *out = tsr_scratch(ctx, (ret.l->len + 1) * sizeof **out);
  if (*out == NULL) return tsr_op_nomem(ctx);
  for (size_t i = 0; i < ret.l->len; i++) (*out)[i] = ret.l->items[i].t;
  return TSR_OK;
}

static tsr_status chunks(tsr_ctx *ctx, tsr_tensor **out, int64_t n, tsr_tensor *x) {
  tsr_val ret;
  TSR_TRY(tsr_invoke(ctx, tsr_op_get("aten::unsafe_chunk", ""), (tsr_val[]){of(x), tsr_int(n), tsr_int(1)}, 3, &ret, 1));
  if ((int64_t)ret.l->len != n) return tsr_op_fail(ctx, "the %lld gates of a recurrent layer do not divide %lld columns", (long long)n, (long long)x->size[1]);
  for (int64_t i = 0; i < n; i++) out[i] = ret.l->items[i].t;
  return TSR_OK;
}

/* ---- cells ---- */

typedef struct state { tsr_tensor *h, *c; } state; /* c of LSTM only */

static tsr_status simple_step(tsr_ctx *ctx, const char *act, const tsr_rnn_weights *w, tsr_tensor *x, tsr_tensor *gx, state *s) {
  tsr_tensor *g;
  TSR_TRY(linear(ctx, &g, s->h, w->w_hh, w->b_hh));
  if (gx == NULL) TSR_TRY(linear(ctx, &gx, x, w->w_ih, w->b_ih));
  TSR_TRY(sum(ctx, &g, "aten::add_", gx));
  s->h = g;
  return run1(ctx, &s->h, act);
}

static tsr_status lstm_step(tsr_ctx *ctx, const tsr_rnn_weights *w, tsr_tensor *x, tsr_tensor *gx, state *s) {
  static const char *const acts[] = {"aten::sigmoid_", "aten::sigmoid_", "aten::tanh_", "aten::sigmoid_"};
  tsr_tensor *all, *g[4], *t;
  TSR_TRY(linear(ctx, &all, s->h, w->w_hh, w->b_hh));
  if (gx == NULL) TSR_TRY(linear(ctx, &gx, x, w->w_ih, w->b_ih));
  TSR_TRY(sum(ctx, &all, "aten::add_", gx));
  TSR_TRY(chunks(ctx, g, 4, all));
  for (int i = 0; i < 4; i++) TSR_TRY(run1(ctx, &g[i], acts[i]));
  TSR_TRY(mul(ctx, &s->c, "aten::mul", g[1], s->c));
  TSR_TRY(mul(ctx, &t, "aten::mul", g[0], g[2]));
  TSR_TRY(sum(ctx, &s->c, "aten::add_", t));
  t = s->c;
  TSR_TRY(run1(ctx, &t, "aten::tanh"));
  TSR_TRY(mul(ctx, &s->h, "aten::mul", g[3], t));
  if (w->w_hr == NULL) return TSR_OK;
  t = w->w_hr;
  TSR_TRY(run1(ctx, &t, "aten::t"));
  return run(ctx, &s->h, "aten::matmul", "", (tsr_val[]){of(s->h), of(t)}, 2);
}

static tsr_status gru_step(tsr_ctx *ctx, const tsr_rnn_weights *w, tsr_tensor *x, tsr_tensor *gx, state *s) {
  tsr_tensor *gh, *i[3], *h[3], *t;
  if (gx == NULL) TSR_TRY(linear(ctx, &gx, x, w->w_ih, w->b_ih));
  TSR_TRY(chunks(ctx, i, 3, gx));
  TSR_TRY(linear(ctx, &gh, s->h, w->w_hh, w->b_hh));
  TSR_TRY(chunks(ctx, h, 3, gh));
  for (int k = 0; k < 2; k++) { /* reset and input gate */
    TSR_TRY(sum(ctx, &h[k], "aten::add_", i[k]));
    TSR_TRY(run1(ctx, &h[k], "aten::sigmoid_"));
  }
  TSR_TRY(mul(ctx, &t, "aten::mul_", h[2], h[0]));
  TSR_TRY(sum(ctx, &i[2], "aten::add", t));
  TSR_TRY(run1(ctx, &i[2], "aten::tanh_"));
  TSR_TRY(sum(ctx, &s->h, "aten::sub", i[2]));
  TSR_TRY(mul(ctx, &s->h, "aten::mul_", s->h, h[1]));
  return sum(ctx, &s->h, "aten::add_", i[2]);
}

/* x, or gx, its product; s becomes the next state. */
static tsr_status step(tsr_ctx *ctx, tsr_rnn_kind kind, const tsr_rnn_weights *w, tsr_tensor *x, tsr_tensor *gx, state *s) {
  TSR_TRY(tsr_ctx_poll(ctx, 1));
  if (kind == TSR_RNN_LSTM) return lstm_step(ctx, w, x, gx, s);
  if (kind == TSR_RNN_GRU) return gru_step(ctx, w, x, gx, s);
  return simple_step(ctx, kind == TSR_RNN_TANH ? "aten::tanh" : "aten::relu", w, x, gx, s);
}

tsr_status tsr_rnn_plain_cell(tsr_ctx *ctx, tsr_rnn_kind kind, const tsr_rnn_weights *w, tsr_tensor *x, tsr_tensor **h, tsr_tensor **c) {
  state s = {*h, *c};
  TSR_TRY(step(ctx, kind, w, x, NULL, &s));
  *h = s.h;
  *c = s.c;
  return TSR_OK;
}

/* ---- a layer in one direction ---- */

typedef struct layer { tsr_rnn_kind kind; tsr_rnn_weights w; const int64_t *batch; int64_t steps; } layer; /* batch: NULL unless packed */

static tsr_status run_steps(tsr_ctx *ctx, const layer *l, tsr_tensor *x, bool backward, state *s, tsr_tensor **out) {
  tsr_tensor *gx, **g, **y;
  int64_t n;
  TSR_TRY(linear(ctx, &gx, x, l->w.w_ih, l->w.b_ih));
  TSR_TRY(unbind(ctx, &g, &n, gx));
  if (n == 0) return tsr_op_fail(ctx, "Expected sequence length to be larger than 0 in RNN");
  y = tsr_scratch(ctx, (size_t)n * sizeof *y);
  if (y == NULL) return tsr_op_nomem(ctx);
  for (int64_t i = 0; i < n; i++) {
    int64_t t = backward ? n - 1 - i : i;
    TSR_TRY(step(ctx, l->kind, &l->w, NULL, g[t], s));
    y[t] = s->h;
  }
  return tsr_stack(ctx, out, y, n, 0);
}

static tsr_status rows_of(tsr_ctx *ctx, state *out, const state *s, int64_t start, int64_t n) {
  TSR_TRY(tsr_narrow(ctx, &out->h, s->h, 0, start, n));
  return s->c == NULL ? TSR_OK : tsr_narrow(ctx, &out->c, s->c, 0, start, n);
}

static tsr_status join(tsr_ctx *ctx, state *out, const state *parts, int64_t n) {
  tsr_tensor **t = tsr_scratch(ctx, (size_t)n * sizeof *t);
  if (t == NULL) return tsr_op_nomem(ctx);
  for (int64_t i = 0; i < n; i++) t[i] = parts[i].h;
  TSR_TRY(tsr_cat(ctx, &out->h, t, n, 0));
  if (parts[0].c == NULL) return TSR_OK;
  for (int64_t i = 0; i < n; i++) t[i] = parts[i].c;
  return tsr_cat(ctx, &out->c, t, n, 0);
}

/* Sequences end one after the other: the states of those that have, last one first, follow those that ran to the end. */
static tsr_status run_packed(tsr_ctx *ctx, const layer *l, tsr_tensor *gx, state *s, tsr_tensor **y) {
  state *ended = tsr_scratch(ctx, (size_t)(l->steps + 1) * sizeof *ended);
  int64_t row = 0, last = l->batch[0], at = l->steps;
  if (ended == NULL) return tsr_op_nomem(ctx);
  for (int64_t i = 0; i < l->steps; i++) {
    tsr_tensor *g;
    int64_t n = l->batch[i];
    TSR_TRY(tsr_narrow(ctx, &g, gx, 0, row, n));
    row += n;
    if (n < last) {
      ended[at] = (state){0};
      TSR_TRY(rows_of(ctx, &ended[at--], s, n, last - n));
      TSR_TRY(rows_of(ctx, s, s, 0, n));
    }
    last = n;
    TSR_TRY(step(ctx, l->kind, &l->w, NULL, g, s));
    y[i] = s->h;
  }
  ended[at] = *s;
  return join(ctx, s, ended + at, l->steps + 1 - at);
}

/* … and backwards they begin one after the other. */
static tsr_status run_packed_back(tsr_ctx *ctx, const layer *l, tsr_tensor *gx, state *s, tsr_tensor **y) {
  state first = *s;
  int64_t row = gx->size[0], last = l->batch[l->steps - 1];
  TSR_TRY(rows_of(ctx, s, &first, 0, last));
  for (int64_t i = l->steps - 1; i >= 0; i--) {
    tsr_tensor *g;
    int64_t n = l->batch[i];
    if (n > last) {
      state both[2] = {*s, {0}};
      TSR_TRY(rows_of(ctx, &both[1], &first, last, n - last));
      TSR_TRY(join(ctx, s, both, 2));
    }
    TSR_TRY(tsr_narrow(ctx, &g, gx, 0, row - n, n));
    row -= n;
    last = n;
    TSR_TRY(step(ctx, l->kind, &l->w, NULL, g, s));
    y[i] = s->h;
  }
  return TSR_OK;
}

static tsr_status run_direction(tsr_ctx *ctx, const layer *l, tsr_tensor *x, bool backward, state *s, tsr_tensor **out) {
  tsr_tensor *gx, **y;
  if (l->batch == NULL) return run_steps(ctx, l, x, backward, s, out);
  y = tsr_scratch(ctx, (size_t)l->steps * sizeof *y);
  if (y == NULL) return tsr_op_nomem(ctx);
  TSR_TRY(linear(ctx, &gx, x, l->w.w_ih, l->w.b_ih));
  TSR_TRY(backward ? run_packed_back(ctx, l, gx, s, y) : run_packed(ctx, l, gx, s, y));
  return tsr_cat(ctx, out, y, l->steps, 0);
}

/* ---- all layers ---- */

static tsr_status read_states(tsr_ctx *ctx, const tsr_rnn_net *n, state **out, int64_t *count) {
  tsr_tensor **h, **c = NULL;
  int64_t cells = 0;
  TSR_TRY(unbind(ctx, &h, count, n->h0));
  if (n->c0 != NULL) TSR_TRY(unbind(ctx, &c, &cells, n->c0));
  if (n->c0 != NULL && cells < *count) return tsr_op_fail(ctx, "lstm: %lld hidden states, but only %lld cell states", (long long)*count, (long long)cells);
  *out = tsr_scratch(ctx, (size_t)(*count + 1) * sizeof **out);
  if (*out == NULL) return tsr_op_nomem(ctx);
  for (int64_t i = 0; i < *count; i++) (*out)[i] = (state){h[i], c == NULL ? NULL : c[i]};
  return TSR_OK;
}

static tsr_status read_batches(tsr_ctx *ctx, layer *l, tsr_tensor *sizes) {
  if (sizes == NULL) return TSR_OK;
  if (sizes->ndim == 0) return tsr_op_fail(ctx, "Dimension specified as 0 but tensor has no dimensions");
  if (sizes->dtype != TSR_INT64) return tsr_op_fail(ctx, "expected scalar type Long but found %s", tsr_dtype_get_info(sizes->dtype)->cpp_name);
  l->steps = sizes->size[0];
  if (sizes->numel == 0) return tsr_op_fail(ctx, "Expected sequence length to be larger than 0 in RNN");
  TSR_TRY(tsr_contiguous(ctx, &sizes, sizes));
  l->batch = tsr_tensor_data_ro(sizes);
  return TSR_OK;
}

/* PyTorch's checks of the numbers of things, in its order. */
static tsr_status check_counts(tsr_ctx *ctx, const tsr_rnn_net *n, int64_t states) {
  int64_t groups = n->param_count / tsr_rnn_each(n), dirs = n->bidirectional ? 2 : 1;
  if (states % dirs != 0 || groups % dirs != 0) return tsr_op_fail(ctx, "Odd number of params or hiddens given to a bidirectional RNN");
  if (states / dirs != n->layers) return tsr_op_fail(ctx, "Expected more hidden states in stacked_rnn");
  if (groups / dirs != n->layers) return tsr_op_fail(ctx, "Expected more weights in stacked_rnn");
  if (states == 0) return tsr_op_fail(ctx, "stack expects a non-empty TensorList");
  return TSR_OK;
}

static tsr_status drop(tsr_ctx *ctx, tsr_tensor **x, double p) {
  return run(ctx, x, "aten::dropout", "", (tsr_val[]){of(*x), tsr_float(p), tsr_bool(true)}, 3);
}

tsr_status tsr_rnn_plain(tsr_ctx *ctx, tsr_rnn_net *n, tsr_tensor *x, tsr_tensor *batch_sizes, tsr_tensor **out) {
  state *s;
  int64_t count, dirs = n->bidirectional ? 2 : 1;
  layer l = {.kind = n->kind};
  if (n->param_count % tsr_rnn_each(n) != 0) return tsr_op_fail(ctx, "got an incorrect number of RNN parameters");
  TSR_TRY(read_states(ctx, n, &s, &count));
  TSR_TRY(check_counts(ctx, n, count));
  TSR_TRY(read_batches(ctx, &l, batch_sizes));
  for (int64_t i = 0; i < n->layers; i++) {
    tsr_tensor *y[2];
    for (int64_t d = 0; d < dirs; d++) {
      l.w = tsr_rnn_weights_at(n, i * dirs + d);
      TSR_TRY(run_direction(ctx, &l, x, d == 1, &s[i * dirs + d], &y[d]));
    }
    x = y[0];
    if (dirs == 2) TSR_TRY(tsr_cat(ctx, &x, y, 2, l.batch != NULL ? -1 : y[0]->ndim - 1));
    if (n->train && n->dropout != 0 && i + 1 < n->layers) TSR_TRY(drop(ctx, &x, n->dropout));
  }
  *out = x;
  tsr_tensor **last = tsr_scratch(ctx, (size_t)count * sizeof *last);
  if (last == NULL) return tsr_op_nomem(ctx);
  for (int64_t i = 0; i < count; i++) last[i] = s[i].h;
  TSR_TRY(tsr_stack(ctx, &n->hn, last, count, 0));
  if (n->c0 == NULL) return TSR_OK;
  for (int64_t i = 0; i < count; i++) last[i] = s[i].c;
  return tsr_stack(ctx, &n->cn, last, count, 0);
}
