/* The operators of recurrent layers and cells: arguments, layers above each other, dtypes. */
#include "ops/native.h"
#include "ops/rnn.h"
#include "ops/site.h"

tsr_rnn_weights tsr_rnn_weights_at(const tsr_rnn_net *n, int64_t index) {
  int64_t each = tsr_rnn_each(n);
  tsr_tensor **p = n->params + index * each;
  tsr_rnn_weights w = {.w_ih = p[0], .w_hh = p[1]};
  if (n->biases) {
    w.b_ih = p[2];
    w.b_hh = p[3];
  }
  if (n->projected) w.w_hr = p[each - 1];
  return w;
}

static bool is_matrix(const tsr_tensor *t, int64_t rows, int64_t cols) { return t->ndim == 2 && t->size[0] == rows && t->size[1] == cols; }
static bool is_vector(const tsr_tensor *t, int64_t n) { return t == NULL || (t->ndim == 1 && t->size[0] == n); }

/* Do the weights fit the layer?  l->in: of its input; the other sizes are set to the weights'. */
static bool weights_fit(tsr_rnn_layer *l, const tsr_rnn_weights *w, tsr_dtype d) {
  const tsr_tensor *all[] = {w->w_ih, w->w_hh, w->b_ih, w->b_hh, w->w_hr};
  for (size_t i = 0; i < TSR_COUNT(all); i++)
    if (all[i] != NULL && all[i]->dtype != d) return false;
  if (w->w_hh->ndim != 2 || (w->w_hr != NULL && w->w_hr->ndim != 2)) return false;
  int64_t rows = w->w_hh->size[0];
  l->hidden = rows / tsr_rnn_gates(l->kind);
  l->out = w->w_hr != NULL ? w->w_hr->size[0] : l->hidden;
  return l->hidden > 0 && l->out > 0 && rows == l->hidden * tsr_rnn_gates(l->kind) && is_matrix(w->w_ih, rows, l->in) && is_matrix(w->w_hh, rows, l->out) &&
         is_vector(w->b_ih, rows) && is_vector(w->b_hh, rows) && (w->w_hr == NULL || is_matrix(w->w_hr, l->out, l->hidden));
}

static bool is_narrow(const tsr_tensor *t) { return t->dtype == TSR_FLOAT16 || t->dtype == TSR_BFLOAT16; }

static bool is_state(const tsr_tensor *t, int64_t layers, int64_t batch, int64_t size, tsr_dtype d) {
  return t->ndim == 3 && t->size[0] == layers && t->size[1] == batch && t->size[2] == size && t->dtype == d;
}

/* May the kernels have it?  Everything has one element type and the sizes that it should have. */
static bool is_regular(const tsr_rnn_net *n, const tsr_tensor *x, int64_t batch) {
  int64_t dirs = n->bidirectional ? 2 : 1, each = tsr_rnn_each(n);
  tsr_dtype d = (tsr_dtype)x->dtype;
  tsr_rnn_layer l = {.kind = n->kind, .in = x->size[x->ndim - 1]};
  if ((d != TSR_FLOAT32 && d != TSR_FLOAT64 && !is_narrow(x)) || x->numel == 0 || batch < 1 || n->layers < 1) return false;
  if (n->param_count % (each * dirs) != 0 || n->param_count / (each * dirs) != n->layers) return false;
  for (int64_t i = 0; i < n->layers * dirs; i++) {
    tsr_rnn_weights w = tsr_rnn_weights_at(n, i);
    if (!weights_fit(&l, &w, d) || !is_state(n->h0, n->layers * dirs, batch, l.out, d)) return false;
    if (n->c0 != NULL && !is_state(n->c0, n->layers * dirs, batch, l.hidden, n->wide_cells ? TSR_FLOAT32 : d)) return false;
    if ((i + 1) % dirs == 0) l.in = l.out * dirs;
  }
  return true;
}

/* A contiguous [rows, size] of dtype d at index of the state. */
static tsr_status state_at(tsr_ctx *ctx, tsr_tensor **out, tsr_tensor *state, int64_t index, tsr_dtype d) {
  tsr_tensor *t;
  TSR_TRY(tsr_select(ctx, &t, state, 0, index));
  return tsr_ready(ctx, out, t, d);
}

static tsr_status drop(tsr_ctx *ctx, tsr_tensor **x, double p) {
  const tsr_op *op = tsr_op_get("aten::dropout", "");
  tsr_val args[3] = {tsr_none(), tsr_float(p), tsr_bool(true)}, ret = tsr_none();
  if (op == NULL) return tsr_fail(&ctx->err, TSR_EUNSUPPORTED, "aten::dropout is missing");
  args[0].tag = TSR_V_TENSOR;
  args[0].t = *x;
  TSR_TRY(tsr_invoke(ctx, op, args, 3, &ret, 1));
  *x = ret.t;
  return TSR_OK;
}

/* x: contiguous [rows, in], or for the first layer given by (x, xt, xb): see tsr_rnn_f32. */
typedef struct source { tsr_tensor *t; int64_t xt, xb, in; } source;

static tsr_status run_layer(tsr_ctx *ctx, tsr_rnn_net *n, tsr_site *site, int64_t index, const tsr_rnn_seq *s, source x, tsr_tensor **out) {
  int64_t dirs = n->bidirectional ? 2 : 1;
  tsr_dtype d = (tsr_dtype)x.t->dtype;
  tsr_rnn_weights w[2];
  tsr_rnn_layer l = {.kind = n->kind, .in = x.in, .dirs = (int)dirs, .w = w};
  for (int64_t i = 0; i < dirs; i++) {
    w[i] = tsr_rnn_weights_at(n, index * dirs + i);
    l.hidden = w[i].w_hh->size[0] / tsr_rnn_gates(n->kind);
    l.out = n->projected ? w[i].w_hr->size[0] : l.hidden;
    TSR_TRY(state_at(ctx, &l.h0[i], n->h0, index * dirs + i, d));
    TSR_TRY(tsr_select(ctx, &l.hn[i], n->hn, 0, index * dirs + i));
    if (n->c0 == NULL) continue;
    TSR_TRY(state_at(ctx, &l.c0[i], n->c0, index * dirs + i, d));
    TSR_TRY(tsr_select(ctx, &l.cn[i], n->cn, 0, index * dirs + i));
  }
  int64_t size[2] = {s->rows, dirs * l.out};
  TSR_TRY(tsr_new(ctx, out, d, 2, size));
  if (d == TSR_FLOAT64) {
    if (x.t->ndim != 2) { /* the first layer's input as time-major rows */
      TSR_TRY(tsr_contiguous(ctx, &x.t, x.t));
      TSR_TRY(tsr_view_as(ctx, &x.t, x.t, 2, (int64_t[]){s->rows, x.in}));
    }
    return tsr_rnn_f64(ctx, &l, s, *out, x.t);
  }
  void *y;
  TSR_TRY(tsr_data_mut(ctx, *out, &y));
  return tsr_rnn_f32(ctx, site, &l, s, y, tsr_tensor_data_ro(x.t), x.xt, x.xb);
}

/* All layers of a regular network; *out: [rows, dirs * out]. */
static tsr_status run_net(tsr_ctx *ctx, tsr_rnn_net *n, tsr_site *site, const tsr_rnn_seq *s, source x, tsr_tensor **out) {
  tsr_dtype d = (tsr_dtype)x.t->dtype;
  TSR_TRY(tsr_new(ctx, &n->hn, d, 3, n->h0->size));
  if (n->c0 != NULL) TSR_TRY(tsr_new(ctx, &n->cn, d, 3, n->c0->size));
  for (int64_t i = 0; i < n->layers; i++) {
    TSR_TRY(run_layer(ctx, n, tsr_site_sub(site, (int)n->layers, (int)i), i, s, x, out));
    if (n->train && n->dropout != 0 && i + 1 < n->layers) TSR_TRY(drop(ctx, out, n->dropout));
    int64_t width = (*out)->size[1];
    x = (source){*out, -1, width, width};
  }
  return TSR_OK;
}

/* Half types run in float32. */
static tsr_status widen(tsr_ctx *ctx, tsr_rnn_net *n, tsr_tensor **x) {
  if (!is_narrow(*x)) return TSR_OK;
  tsr_tensor **wide = tsr_scratch(ctx, (size_t)(n->param_count + 1) * sizeof *wide);
  if (wide == NULL) return tsr_op_nomem(ctx);
  for (int64_t i = 0; i < n->param_count; i++)
    if (n->params[i] != NULL) TSR_TRY(tsr_to_dtype(ctx, &wide[i], n->params[i], TSR_FLOAT32));
  n->params = wide;
  TSR_TRY(tsr_to_dtype(ctx, &n->h0, n->h0, TSR_FLOAT32));
  if (n->c0 != NULL) TSR_TRY(tsr_to_dtype(ctx, &n->c0, n->c0, TSR_FLOAT32));
  return tsr_to_dtype(ctx, x, *x, TSR_FLOAT32);
}

/* What ran in float32 becomes d again. */
static tsr_status narrow_results(tsr_ctx *ctx, tsr_rnn_net *n, tsr_tensor **y, tsr_dtype d) {
  TSR_TRY(tsr_to_dtype(ctx, y, *y, d));
  TSR_TRY(tsr_to_dtype(ctx, &n->hn, n->hn, d));
  return n->cn == NULL || n->wide_cells ? TSR_OK : tsr_to_dtype(ctx, &n->cn, n->cn, d);
}

static tsr_status return_all(tsr_call *c, const tsr_rnn_net *n, tsr_tensor *y) {
  TSR_TRY(tsr_ret_tensor(c, 1, n->hn));
  if (n->cn != NULL) TSR_TRY(tsr_ret_tensor(c, 2, n->cn));
  return tsr_ret_tensor(c, 0, y);
}

static tsr_status read_states(tsr_call *c, uint32_t at, tsr_rnn_net *n) {
  tsr_ctx *ctx = c->ctx;
  if (n->kind != TSR_RNN_LSTM) {
    n->h0 = tsr_arg_tensor(c, at);
  } else {
    int64_t count;
    tsr_tensor **hx = tsr_arg_tensors(c, at, &count);
    if (count != 2 || hx[0] == NULL || hx[1] == NULL) return tsr_op_fail(ctx, "lstm expects two hidden states");
    n->h0 = hx[0];
    n->c0 = hx[1];
    int64_t dim;
    for (int i = 0; i < 2; i++) TSR_TRY(tsr_wrap_dim(ctx, 2, hx[i]->ndim, &dim));
    n->projected = n->h0->size[2] != n->c0->size[2];
  }
  return TSR_OK;
}

/* Arguments from `at`: has_biases, num_layers, dropout, train, bidirectional. */
static void read_rest(tsr_call *c, uint32_t at, tsr_rnn_net *n) {
  n->biases = tsr_arg_bool(c, at);
  n->layers = tsr_arg_int(c, at + 1);
  n->dropout = tsr_arg_float(c, at + 2);
  n->train = tsr_arg_bool(c, at + 3);
  n->bidirectional = tsr_arg_bool(c, at + 4);
}

static tsr_rnn_net first_net(tsr_call *c) { return (tsr_rnn_net){.kind = (tsr_rnn_kind)(*(const int *)c->op->data)}; }

/* x: [steps, batch, in]; params: the number of that argument. */
static tsr_status input_by_kernels(tsr_call *c, uint32_t params, tsr_rnn_net *n, tsr_tensor *x, tsr_tensor **y) {
  tsr_ctx *ctx = c->ctx;
  int64_t steps = x->size[0], batch = x->size[1];
  tsr_dtype d = (tsr_dtype)x->dtype;
  TSR_TRY(widen(ctx, n, &x));
  if (x->stride[2] != 1) TSR_TRY(tsr_contiguous(ctx, &x, x));
  int64_t *table = tsr_scratch(ctx, (size_t)(2 * steps) * sizeof *table);
  if (table == NULL) return tsr_op_nomem(ctx);
  for (int64_t t = 0; t < steps; t++) {
    table[t] = batch;
    table[steps + t] = t * batch;
  }
  tsr_rnn_seq s = {steps, steps * batch, batch, table, table + steps};
  source src = {x, x->stride[0], x->stride[1], x->size[2]};
  TSR_TRY(run_net(ctx, n, (c->constant >> params & 1) != 0 ? c->site : NULL, &s, src, y));
  int64_t size[3] = {steps, batch, (*y)->size[1]};
  TSR_TRY(tsr_view_as(ctx, y, *y, 3, size));
  return narrow_results(ctx, n, y, d);
}

static tsr_status input_as_onednn(tsr_call *c, uint32_t params, tsr_rnn_net *n, tsr_tensor *x, tsr_tensor **y) {
  TSR_TRY(tsr_rnn_as_onednn(c->ctx, n, x));
  if (x->ndim != 3 || !is_regular(n, x, x->size[1])) return tsr_op_fail(c->ctx, "lstm: sizes of input, states and parameters do not fit each other");
  return input_by_kernels(c, params, n, x, y);
}

TSR_KERNEL(rnn_input) { /* input, hx, params, has_biases, num_layers, dropout, train, bidirectional, batch_first */
  tsr_ctx *ctx = c->ctx;
  tsr_rnn_net n = first_net(c);
  tsr_tensor *x = tsr_arg_tensor(c, 0), *y;
  TSR_TRY(read_states(c, 1, &n));
  n.params = tsr_arg_tensors(c, 2, &n.param_count);
  if (n.params == NULL) return tsr_op_nomem(ctx);
  read_rest(c, 3, &n);
  bool batch_first = tsr_arg_bool(c, 8), onednn = tsr_rnn_is_onednn(&n, x);
  if (batch_first) TSR_TRY(tsr_transpose(ctx, &x, x, 0, 1));
  if (x->ndim == 3 && is_regular(&n, x, x->size[1])) TSR_TRY(input_by_kernels(c, 2, &n, x, &y));
  else if (onednn) TSR_TRY(input_as_onednn(c, 2, &n, x, &y));
  else TSR_TRY(tsr_rnn_plain(ctx, &n, x, NULL, &y));
  if (batch_first) TSR_TRY(tsr_transpose(ctx, &y, y, 0, 1));
  return return_all(c, &n, y);
}

/* Batch sizes as a table of steps, when they do not grow and add up to the rows. */
static tsr_status read_batches(tsr_ctx *ctx, tsr_tensor *t, int64_t rows, tsr_rnn_seq *s, bool *regular) {
  *regular = false;
  if (t->ndim != 1 || t->dtype != TSR_INT64 || t->size[0] == 0) return TSR_OK;
  TSR_TRY(tsr_contiguous(ctx, &t, t));
  int64_t steps = t->size[0], total = 0;
  const int64_t *b = tsr_tensor_data_ro(t);
  int64_t *table = tsr_scratch(ctx, (size_t)(2 * steps) * sizeof *table);
  if (table == NULL) return tsr_op_nomem(ctx);
  for (int64_t i = 0; i < steps; i++) {
    if (b[i] <= 0 || (i > 0 && b[i] > b[i - 1]) || b[i] > rows - total) return TSR_OK;
    table[i] = b[i];
    table[steps + i] = total;
    total += b[i];
  }
  *regular = total == rows;
  *s = (tsr_rnn_seq){steps, rows, b[0], table, table + steps};
  return TSR_OK;
}

/* Sequences of one length are none that need packing to PyTorch's path of oneDNN. */
static tsr_status data_as_onednn(tsr_call *c, tsr_rnn_net *n, tsr_tensor *x, tsr_tensor *sizes, tsr_tensor **y) {
  tsr_ctx *ctx = c->ctx;
  if (sizes->dtype != TSR_INT64) return tsr_op_fail(ctx, "expected scalar type Long but found %s", tsr_dtype_get_info(sizes->dtype)->cpp_name);
  TSR_TRY(tsr_contiguous(ctx, &sizes, sizes));
  int64_t steps = sizes->ndim == 0 ? 0 : sizes->size[0];
  const int64_t *b = tsr_tensor_data_ro(sizes);
  bool equal = sizes->numel > 0 && steps > 0;
  for (int64_t i = 1; i < steps && equal; i++) equal = b[i] == b[0];
  if (!equal) return tsr_rnn_plain(ctx, n, x, sizes, y);
  TSR_TRY(tsr_view_as(ctx, &x, x, 3, (int64_t[]){steps, b[0], x->size[x->ndim - 1]}));
  TSR_TRY(input_as_onednn(c, 3, n, x, y));
  return tsr_flatten(ctx, y, *y, 0, 1);
}

TSR_KERNEL(rnn_data) { /* data, batch_sizes, hx, params, has_biases, num_layers, dropout, train, bidirectional */
  tsr_ctx *ctx = c->ctx;
  tsr_rnn_net n = first_net(c);
  tsr_tensor *x = tsr_arg_tensor(c, 0), *y;
  tsr_dtype d = (tsr_dtype)x->dtype;
  tsr_rnn_seq s;
  bool regular = false;
  TSR_TRY(read_states(c, 2, &n));
  n.params = tsr_arg_tensors(c, 3, &n.param_count);
  if (n.params == NULL) return tsr_op_nomem(ctx);
  read_rest(c, 4, &n);
  if (x->ndim == 2) TSR_TRY(read_batches(ctx, tsr_arg_tensor(c, 1), x->size[0], &s, &regular));
  if (!regular || !is_regular(&n, x, s.most)) {
    if (tsr_rnn_is_onednn(&n, x) && x->ndim == 2) TSR_TRY(data_as_onednn(c, &n, x, tsr_arg_tensor(c, 1), &y));
    else TSR_TRY(tsr_rnn_plain(ctx, &n, x, tsr_arg_tensor(c, 1), &y));
    return return_all(c, &n, y);
  }
  TSR_TRY(widen(ctx, &n, &x));
  TSR_TRY(tsr_contiguous(ctx, &x, x));
  source src = {x, -1, x->size[1], x->size[1]};
  TSR_TRY(run_net(ctx, &n, (c->constant & 8) != 0 ? c->site : NULL, &s, src, &y));
  TSR_TRY(narrow_results(ctx, &n, &y, d));
  return return_all(c, &n, y);
}

/* ---- cells: one step of one layer ---- */

static tsr_status size_of(tsr_ctx *ctx, const tsr_tensor *t, int64_t dim, int64_t *out) {
  TSR_TRY(tsr_wrap_dim(ctx, dim, t->ndim, &dim));
  *out = t->size[dim];
  return TSR_OK;
}

static tsr_status check_hidden(tsr_ctx *ctx, const tsr_tensor *x, const tsr_tensor *h, int64_t hidden, int label) {
  int64_t rows, size;
  TSR_TRY(size_of(ctx, h, 0, &rows));
  if (x->size[0] != rows)
    return tsr_op_fail(ctx, "Input batch size %lld doesn't match hidden%d batch size %lld", (long long)x->size[0], label, (long long)rows);
  TSR_TRY(size_of(ctx, h, 1, &size));
  if (size != hidden) return tsr_op_fail(ctx, "hidden%d has inconsistent hidden_size: got %lld, expected %lld", label, (long long)size, (long long)hidden);
  return TSR_OK;
}

static tsr_status check_gates(tsr_ctx *ctx, const tsr_rnn_net *n, int64_t hidden) {
  int64_t gates = tsr_rnn_gates(n->kind);
  for (int i = 0; i < 2; i++)
    if (n->params[i]->ndim == 0 || n->params[i]->size[0] != gates * hidden)
      return tsr_op_fail(ctx, "weight_%s first dim must be %lld * hidden_size = %lld, but got %lld", i == 0 ? "ih" : "hh", (long long)gates,
                         (long long)(gates * hidden), n->params[i]->ndim == 0 ? 0LL : (long long)n->params[i]->size[0]);
  return TSR_OK;
}

static tsr_status check_input(tsr_ctx *ctx, const tsr_rnn_net *n, const tsr_tensor *x) {
  int64_t got, want;
  TSR_TRY(size_of(ctx, n->params[0], 1, &want));
  TSR_TRY(size_of(ctx, x, 1, &got));
  if (got != want) return tsr_op_fail(ctx, "input has inconsistent input_size: got %lld expected %lld", (long long)got, (long long)want);
  return TSR_OK;
}

/* Which fault is told first is another for each kind of cell. */
static tsr_status check_cell(tsr_ctx *ctx, const tsr_rnn_net *n, const tsr_tensor *x) {
  bool simple = n->kind == TSR_RNN_TANH || n->kind == TSR_RNN_RELU;
  int64_t hidden;
  if (!simple) TSR_TRY(check_input(ctx, n, x));
  TSR_TRY(size_of(ctx, n->params[1], 1, &hidden));
  if (n->kind != TSR_RNN_GRU) TSR_TRY(check_gates(ctx, n, hidden));
  if (simple) TSR_TRY(check_input(ctx, n, x));
  TSR_TRY(check_hidden(ctx, x, n->h0, hidden, 0));
  if (n->c0 != NULL) TSR_TRY(check_hidden(ctx, x, n->c0, hidden, 1));
  return n->kind == TSR_RNN_GRU ? check_gates(ctx, n, hidden) : TSR_OK;
}

/* May the kernels have it?  Sizes were checked, except those of what is no matrix, and of biases. */
static bool is_regular_cell(const tsr_rnn_net *n, const tsr_tensor *x) {
  tsr_rnn_layer l = {.kind = n->kind, .in = x->size[1]};
  tsr_rnn_weights w = tsr_rnn_weights_at(n, 0);
  tsr_dtype d = (tsr_dtype)x->dtype;
  if ((d != TSR_FLOAT32 && d != TSR_FLOAT64 && !is_narrow(x)) || x->ndim != 2 || x->numel == 0 || (n->params[2] == NULL) != (n->params[3] == NULL)) return false;
  return weights_fit(&l, &w, d) && n->h0->ndim == 2 && n->h0->dtype == d && (n->c0 == NULL || (n->c0->ndim == 2 && n->c0->dtype == d));
}

/* The new state of a GRU lies in memory as the old one does: it begins as a difference to it. */
static tsr_status ret_state(tsr_call *c, const tsr_rnn_net *n, const tsr_tensor *h, tsr_tensor *y) {
  if (n->kind == TSR_RNN_GRU && h->stride[0] > 0 && h->stride[0] < h->stride[1] && h->size[0] > 1 && h->size[1] > 1) {
    TSR_TRY(tsr_transpose(c->ctx, &y, y, 0, 1));
    TSR_TRY(tsr_contiguous(c->ctx, &y, y));
    TSR_TRY(tsr_transpose(c->ctx, &y, y, 0, 1));
  }
  return tsr_ret_tensor(c, 0, y);
}

/* A cell of float32: nothing but its results is made. */
static tsr_status cell_f32(tsr_call *c, const tsr_rnn_net *n, tsr_site *site, tsr_tensor *x) {
  tsr_ctx *ctx = c->ctx;
  int64_t batch = x->size[0], zero = 0;
  tsr_rnn_weights w = tsr_rnn_weights_at(n, 0);
  tsr_rnn_layer l = {.kind = n->kind, .in = x->size[1], .hidden = n->h0->size[1], .out = n->h0->size[1], .dirs = 1, .w = &w};
  tsr_rnn_seq s = {1, batch, batch, &batch, &zero};
  tsr_tensor *y;
  void *p;
  TSR_TRY(tsr_contiguous(ctx, &l.h0[0], n->h0));
  if (n->c0 != NULL) {
    TSR_TRY(tsr_contiguous(ctx, &l.c0[0], n->c0));
    TSR_TRY(tsr_new(ctx, &l.cn[0], TSR_FLOAT32, 2, n->c0->size));
    TSR_TRY(tsr_ret_tensor(c, 1, l.cn[0]));
  }
  TSR_TRY(tsr_new(ctx, &y, TSR_FLOAT32, 2, n->h0->size));
  TSR_TRY(tsr_data_mut(ctx, y, &p));
  const float *gx = NULL;
  if (site != NULL && c->nargs > 6)
    TSR_TRY(tsr_rnn_steps_row(ctx, tsr_site_sub(site, 1, 0), &l, x, tsr_arg_tensor(c, 6), tsr_arg_int(c, 7), c->args[8], &gx));
  if (gx != NULL) {
    TSR_TRY(tsr_rnn_f32_step(ctx, tsr_site_sub(site, 1, 0), &l, &s, p, gx));
    return ret_state(c, n, n->h0, y);
  }
  TSR_TRY(tsr_contiguous(ctx, &x, x));
  TSR_TRY(tsr_rnn_f32(ctx, tsr_site_sub(site, 1, 0), &l, &s, p, tsr_tensor_data_ro(x), -1, x->size[1]));
  return ret_state(c, n, n->h0, y);
}

static tsr_status read_cell(tsr_call *c, tsr_rnn_net *n) {
  if (n->kind == TSR_RNN_LSTM) {
    int64_t count;
    tsr_tensor **hx = tsr_arg_tensors(c, 1, &count);
    if (count != 2 || hx[0] == NULL || hx[1] == NULL) return tsr_op_fail(c->ctx, "lstm_cell expects two hidden states");
    n->h0 = hx[0];
    n->c0 = hx[1];
  } else {
    n->h0 = tsr_arg_tensor(c, 1);
  }
  for (uint32_t i = 0; i < 4; i++) n->params[i] = tsr_arg_opt_tensor(c, i + 2);
  n->biases = n->params[2] != NULL;
  n->param_count = n->biases ? 4 : 2;
  n->layers = 1;
  return check_cell(c->ctx, n, tsr_arg_tensor(c, 0));
}

static tsr_status plain_cell(tsr_call *c, const tsr_rnn_net *n, tsr_tensor *x) {
  tsr_rnn_weights w = {.w_ih = n->params[0], .w_hh = n->params[1], .b_ih = n->params[2], .b_hh = n->params[3]};
  tsr_tensor *h = n->h0, *state = n->c0;
  TSR_TRY(tsr_rnn_plain_cell(c->ctx, n->kind, &w, x, &h, &state));
  if (state != NULL) TSR_TRY(tsr_ret_tensor(c, 1, state));
  return tsr_ret_tensor(c, 0, h);
}

TSR_KERNEL(rnn_cell) { /* input, hx, w_ih, w_hh, b_ih, b_hh; in a loop also xs, dim, kept (rnn_steps.c) */
  tsr_ctx *ctx = c->ctx;
  tsr_rnn_net n = first_net(c);
  tsr_tensor *x = tsr_arg_tensor(c, 0), *h, *y, *params[4];
  tsr_dtype d = (tsr_dtype)x->dtype;
  n.params = params;
  TSR_TRY(read_cell(c, &n));
  if (!is_regular_cell(&n, x)) return plain_cell(c, &n, x);
  uint64_t need = 0x0c | (n.biases ? 0x30 : 0);
  tsr_site *site = (c->constant & need) == need ? c->site : NULL;
  if (d == TSR_FLOAT32) return cell_f32(c, &n, site, x);
  TSR_TRY(tsr_contiguous(ctx, &x, x));
  h = n.h0;
  TSR_TRY(tsr_unsqueeze(ctx, &n.h0, n.h0, 0));
  if (n.c0 != NULL) TSR_TRY(tsr_unsqueeze(ctx, &n.c0, n.c0, 0));
  TSR_TRY(widen(ctx, &n, &x));
  int64_t batch = x->size[0], zero = 0;
  tsr_rnn_seq s = {1, batch, batch, &batch, &zero};
  source src = {x, -1, x->size[1], x->size[1]};
  TSR_TRY(run_net(ctx, &n, site, &s, src, &y));
  TSR_TRY(tsr_to_dtype(ctx, &y, y, d));
  if (n.cn != NULL) {
    TSR_TRY(tsr_squeeze_dim(ctx, &n.cn, n.cn, 0));
    TSR_TRY(tsr_to_dtype(ctx, &n.cn, n.cn, d));
    TSR_TRY(tsr_ret_tensor(c, 1, n.cn));
  }
  return ret_state(c, &n, h, y);
}

/* ---- ahead of the first call ---- */

static tsr_status prepare_layer(tsr_ctx *ctx, const tsr_rnn_net *n, tsr_site *site, int64_t index, bool *fits) {
  tsr_rnn_weights w[2];
  tsr_rnn_layer l = {.kind = n->kind, .dirs = n->bidirectional ? 2 : 1, .w = w};
  for (int i = 0; i < l.dirs; i++) {
    w[i] = tsr_rnn_weights_at(n, index * l.dirs + i);
    *fits = w[i].w_ih->ndim == 2 && w[i].w_ih->numel > 0;
    if (!*fits) return TSR_OK;
    l.in = w[i].w_ih->size[1];
    *fits = weights_fit(&l, &w[i], TSR_FLOAT32);
    if (!*fits) return TSR_OK;
  }
  return tsr_rnn_f32_prepare(ctx, site, &l);
}

/* What is wrong with the weights is for the call to say. */
static tsr_status prepare_net(tsr_call *c, tsr_rnn_net *n) {
  int64_t dirs = n->bidirectional ? 2 : 1, group = tsr_rnn_each(n) * dirs;
  bool fits = n->layers > 0 && n->param_count % group == 0 && n->param_count / group == n->layers;
  for (int64_t i = 0; i < n->layers && fits; i++)
    TSR_TRY(prepare_layer(c->ctx, n, tsr_site_sub(c->site, (int)n->layers, (int)i), i, &fits));
  return TSR_OK;
}

/* params and the five arguments after it */
static tsr_status prepare_params(tsr_call *c, uint32_t at) {
  tsr_rnn_net n = first_net(c);
  uint64_t need = (uint64_t)0x3f << at;
  if ((c->constant & need) != need) return TSR_OK;
  n.params = tsr_arg_tensors(c, at, &n.param_count);
  if (n.params == NULL) return tsr_op_nomem(c->ctx);
  read_rest(c, at + 1, &n);
  int64_t groups = n.layers * (n.bidirectional ? 2 : 1);
  n.projected = n.kind == TSR_RNN_LSTM && groups > 0 && n.param_count == groups * (n.biases ? 5 : 3);
  return prepare_net(c, &n);
}

static tsr_status prepare_input(tsr_call *c) { return prepare_params(c, 2); }
static tsr_status prepare_data(tsr_call *c) { return prepare_params(c, 3); }

static tsr_status prepare_cell(tsr_call *c) {
  tsr_rnn_net n = first_net(c);
  tsr_tensor *params[4] = {NULL};
  if ((c->constant & 0x3c) != 0x3c) return TSR_OK;
  for (uint32_t i = 0; i < 4; i++) params[i] = tsr_arg_opt_tensor(c, i + 2);
  n.params = params;
  n.biases = params[2] != NULL;
  n.param_count = n.biases ? 4 : 2;
  n.layers = 1;
  return prepare_net(c, &n);
}

static const int lstm = TSR_RNN_LSTM, gru = TSR_RNN_GRU, rnn_tanh = TSR_RNN_TANH, rnn_relu = TSR_RNN_RELU;

#define REST "Tensor[] params, bool has_biases, int num_layers, float dropout, bool train, bool bidirectional"
#define CELL "Tensor w_ih, Tensor w_hh, Tensor? b_ih=None, Tensor? b_hh=None"
#define STEPS ", Tensor xs=None, int dim=0, Any kept=None"
#define PLAIN_ROWS(name, k)                                                                                           \
  {"aten::" #name ".input(Tensor input, Tensor hx, " REST ", bool batch_first) -> (Tensor, Tensor)", op_rnn_input, 0, &k, prepare_input}, \
  {"aten::" #name ".data(Tensor data, Tensor batch_sizes, Tensor hx, " REST ") -> (Tensor, Tensor)", op_rnn_data, 0, &k, prepare_data},  \
  {"aten::" #name "_cell(Tensor input, Tensor hx, " CELL ") -> Tensor", op_rnn_cell, TSR_PURE, &k, prepare_cell}

/* Layers may draw random numbers for dropout: not TSR_PURE. */
const tsr_op tsr_ops_rnn[] = {
    {"aten::lstm.input(Tensor input, Tensor[] hx, " REST ", bool batch_first) -> (Tensor, Tensor, Tensor)", op_rnn_input, 0, &lstm, prepare_input},
    {"aten::lstm.data(Tensor data, Tensor batch_sizes, Tensor[] hx, " REST ") -> (Tensor, Tensor, Tensor)", op_rnn_data, 0, &lstm, prepare_data},
    {"aten::lstm_cell(Tensor input, Tensor[] hx, " CELL ") -> (Tensor, Tensor)", op_rnn_cell, TSR_PURE, &lstm, prepare_cell},
    PLAIN_ROWS(gru, gru),
    PLAIN_ROWS(rnn_tanh, rnn_tanh),
    PLAIN_ROWS(rnn_relu, rnn_relu),
    {"tsr::lstm_cell_steps(Tensor input, Tensor[] hx, " CELL STEPS ") -> (Tensor, Tensor)", op_rnn_cell, TSR_HIDDEN, &lstm, prepare_cell},
    {"tsr::gru_cell_steps(Tensor input, Tensor hx, " CELL STEPS ") -> Tensor", op_rnn_cell, TSR_HIDDEN, &gru, prepare_cell},
    {"tsr::rnn_tanh_cell_steps(Tensor input, Tensor hx, " CELL STEPS ") -> Tensor", op_rnn_cell, TSR_HIDDEN, &rnn_tanh, prepare_cell},
    {"tsr::rnn_relu_cell_steps(Tensor input, Tensor hx, " CELL STEPS ") -> Tensor", op_rnn_cell, TSR_HIDDEN, &rnn_relu, prepare_cell},
    {0},
};
