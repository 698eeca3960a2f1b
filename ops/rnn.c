/* The operators of recurrent layers and cells: arguments, layers above each other, dtypes. */
#include "ops/native.h"
#include "ops/rnn.h"
#include "ops/site.h"

typedef struct net {
  tsr_rnn_kind kind;
  bool biases, bidirectional, train;
  int64_t layers;
  double dropout;
  tsr_tensor **params;
  int64_t param_count;
  tsr_tensor *h0, *c0;        /* [layers * dirs, batch, …] */
  tsr_tensor *hn, *cn;        /* results */
  bool projected;
} net;

static tsr_status check_params(tsr_ctx *ctx, const net *n) {
  int64_t each = (n->biases ? 4 : 2) + n->projected, dirs = n->bidirectional ? 2 : 1;
  if (n->param_count % each != 0)
    return tsr_op_fail(ctx, "MatrixRef: ArrayRef size %lld not divisible by stride %lld", (long long)n->param_count, (long long)each);
  if (n->layers < 0 || n->param_count / each / dirs != n->layers || n->param_count % (each * dirs) != 0)
    return tsr_op_fail(ctx, "Expected %lld groups of parameters for %lld layers, but got %lld tensors", (long long)(n->layers * dirs),
                       (long long)n->layers, (long long)n->param_count);
  for (int64_t i = 0; i < n->param_count; i++)
    if (n->params[i] == NULL) return tsr_op_fail(ctx, "parameter %lld of the recurrent layer is undefined", (long long)i);
  return TSR_OK;
}

static tsr_rnn_weights weights_at(const net *n, int64_t index) {
  int64_t each = (n->biases ? 4 : 2) + n->projected;
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

static tsr_status check_weights(tsr_ctx *ctx, const tsr_rnn_layer *l, const tsr_rnn_weights *w, tsr_dtype d) {
  int64_t rows = tsr_rnn_gates(l->kind) * l->hidden;
  if (w->w_ih->ndim == 2 && w->w_ih->size[1] != l->in)
    return tsr_op_fail(ctx, "input has inconsistent input_size: got %lld expected %lld", (long long)l->in, (long long)w->w_ih->size[1]);
  if (!is_matrix(w->w_ih, rows, l->in) || !is_matrix(w->w_hh, rows, l->out) || !is_vector(w->b_ih, rows) || !is_vector(w->b_hh, rows) ||
      (w->w_hr != NULL && !is_matrix(w->w_hr, l->out, l->hidden)))
    return tsr_op_fail(ctx, "weights of the recurrent layer do not fit input size %lld and hidden size %lld", (long long)l->in, (long long)l->hidden);
  const tsr_tensor *all[] = {w->w_ih, w->w_hh, w->b_ih, w->b_hh, w->w_hr};
  for (size_t i = 0; i < TSR_COUNT(all); i++)
    if (all[i] != NULL && all[i]->dtype != d)
      return tsr_op_fail(ctx, "input and weights of the recurrent layer have different dtypes: %s and %s", tsr_dtype_get_info(d)->cpp_name,
                         tsr_dtype_get_info(all[i]->dtype)->cpp_name);
  return TSR_OK;
}

/* A contiguous [rows, size] of dtype d at index of the state; checks its shape. */
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

static tsr_status run_layer(tsr_ctx *ctx, net *n, tsr_site *site, int64_t index, const tsr_rnn_seq *s, source x, tsr_tensor **out) {
  int64_t dirs = n->bidirectional ? 2 : 1;
  tsr_dtype d = (tsr_dtype)x.t->dtype;
  tsr_rnn_weights w[2];
  tsr_rnn_layer l = {.kind = n->kind, .in = x.in, .dirs = (int)dirs, .w = w};
  for (int64_t i = 0; i < dirs; i++) {
    w[i] = weights_at(n, index * dirs + i);
    if (w[i].w_hh->ndim != 2) return tsr_op_fail(ctx, "weights of a recurrent layer must be matrices");
    l.hidden = w[i].w_hh->size[0] / tsr_rnn_gates(n->kind);
    l.out = n->projected && w[i].w_hr->ndim == 2 ? w[i].w_hr->size[0] : l.hidden;
    TSR_TRY(check_weights(ctx, &l, &w[i], d));
    if (n->h0->size[2] != l.out || (n->c0 != NULL && n->c0->size[2] != l.hidden))
      return tsr_op_fail(ctx, "hidden state of size %lld does not fit a layer of %lld units", (long long)n->h0->size[2], (long long)l.out);
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

/* All layers; *out: [rows, dirs * out]. */
static tsr_status run_net(tsr_ctx *ctx, net *n, tsr_site *site, const tsr_rnn_seq *s, source x, tsr_tensor **out) {
  tsr_dtype d = (tsr_dtype)x.t->dtype;
  TSR_TRY(check_params(ctx, n));
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

static bool is_narrow(const tsr_tensor *t) { return t->dtype == TSR_FLOAT16 || t->dtype == TSR_BFLOAT16; }

/* Half types run in float32. */
static tsr_status widen(tsr_ctx *ctx, net *n, tsr_tensor **x) {
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

static tsr_status return_all(tsr_call *c, net *n, tsr_tensor *y, tsr_dtype d) {
  TSR_TRY(tsr_to_dtype(c->ctx, &y, y, d));
  TSR_TRY(tsr_to_dtype(c->ctx, &n->hn, n->hn, d));
  TSR_TRY(tsr_ret_tensor(c, 1, n->hn));
  if (n->cn != NULL) {
    TSR_TRY(tsr_to_dtype(c->ctx, &n->cn, n->cn, d));
    TSR_TRY(tsr_ret_tensor(c, 2, n->cn));
  }
  return tsr_ret_tensor(c, 0, y);
}

static tsr_status read_states(tsr_call *c, uint32_t at, net *n) {
  tsr_ctx *ctx = c->ctx;
  if (n->kind != TSR_RNN_LSTM) {
    n->h0 = tsr_arg_tensor(c, at);
  } else {
    int64_t count;
    tsr_tensor **hx = tsr_arg_tensors(c, at, &count);
    if (count != 2 || hx[0] == NULL || hx[1] == NULL) return tsr_op_fail(ctx, "lstm expects two hidden states");
    n->h0 = hx[0];
    n->c0 = hx[1];
  }
  return TSR_OK;
}

/* The states' shapes against the batch. */
static tsr_status check_states(tsr_ctx *ctx, net *n, int64_t batch, tsr_dtype d) {
  tsr_tensor *all[] = {n->h0, n->c0};
  for (int i = 0; i < 2; i++) {
    if (all[i] == NULL) continue;
    int64_t want = n->layers * (n->bidirectional ? 2 : 1);
    if (all[i]->ndim != 3 || all[i]->size[0] < want)
      return tsr_op_fail(ctx, "Expected hidden state of %lld layers and directions with 3 dimensions", (long long)want);
    if (all[i]->size[1] != batch)
      return tsr_op_fail(ctx, "Expected hidden[%d] size (%lld, %lld, %lld), got [%lld, %lld, %lld]", i, (long long)want, (long long)batch,
                         (long long)all[i]->size[2], (long long)all[i]->size[0], (long long)all[i]->size[1], (long long)all[i]->size[2]);
    if (all[i]->dtype != d)
      return tsr_op_fail(ctx, "input and hidden state of the recurrent layer have different dtypes: %s and %s", tsr_dtype_get_info(d)->cpp_name,
                         tsr_dtype_get_info(all[i]->dtype)->cpp_name);
    if (all[i]->size[0] > want) { /* only the first ones are used */
      tsr_tensor *t;
      TSR_TRY(tsr_narrow(ctx, &t, all[i], 0, 0, want));
      if (i == 0) n->h0 = t;
      else n->c0 = t;
    }
  }
  n->projected = n->c0 != NULL && n->h0->size[2] != n->c0->size[2];
  return TSR_OK;
}

static tsr_status check_dtype(tsr_ctx *ctx, const tsr_tensor *x) {
  if (x->dtype == TSR_FLOAT32 || x->dtype == TSR_FLOAT64 || is_narrow(x)) return TSR_OK;
  return tsr_op_fail(ctx, "\"addmm_impl_cpu_\" not implemented for '%s'", tsr_dtype_get_info(x->dtype)->cpp_name);
}

/* Arguments from `at`: has_biases, num_layers, dropout, train, bidirectional. */
static void read_rest(tsr_call *c, uint32_t at, net *n) {
  n->biases = tsr_arg_bool(c, at);
  n->layers = tsr_arg_int(c, at + 1);
  n->dropout = tsr_arg_float(c, at + 2);
  n->train = tsr_arg_bool(c, at + 3);
  n->bidirectional = tsr_arg_bool(c, at + 4);
}

static net first_net(tsr_call *c) { return (net){.kind = (tsr_rnn_kind)(*(const int *)c->op->data)}; }

TSR_KERNEL(rnn_input) { /* input, hx, params, has_biases, num_layers, dropout, train, bidirectional, batch_first */
  tsr_ctx *ctx = c->ctx;
  net n = first_net(c);
  tsr_tensor *x = tsr_arg_tensor(c, 0), *y;
  tsr_dtype d = (tsr_dtype)x->dtype;
  int64_t dim;
  TSR_TRY(read_states(c, 1, &n));
  n.params = tsr_arg_tensors(c, 2, &n.param_count);
  if (n.params == NULL) return tsr_op_nomem(ctx);
  read_rest(c, 3, &n);
  bool batch_first = tsr_arg_bool(c, 8);
  TSR_TRY(check_dtype(ctx, x));
  if (x->ndim != 3) {
    TSR_TRY(tsr_wrap_dim(ctx, 2, x->ndim, &dim));
    return tsr_op_fail(ctx, "Expected input of a recurrent layer to have 3 dimensions, got %d", x->ndim);
  }
  if (batch_first) TSR_TRY(tsr_transpose(ctx, &x, x, 0, 1));
  int64_t steps = x->size[0], batch = x->size[1];
  if (steps == 0) return tsr_op_fail(ctx, "Expected sequence length to be larger than 0 in RNN");
  TSR_TRY(check_states(ctx, &n, batch, d));
  TSR_TRY(widen(ctx, &n, &x));
  if (x->stride[2] != 1) TSR_TRY(tsr_contiguous(ctx, &x, x));
  int64_t *table = tsr_scratch(ctx, (size_t)(2 * steps) * sizeof *table);
  if (table == NULL) return tsr_op_nomem(ctx);
  for (int64_t t = 0; t < steps; t++) {
    table[t] = batch;
    table[steps + t] = t * batch;
  }
  tsr_rnn_seq s = {steps, steps * batch, batch, table, table + steps};
  source src = {x, x->stride[0], x->stride[1], x->size[2]};
  TSR_TRY(run_net(ctx, &n, (c->constant & 4) != 0 ? c->site : NULL, &s, src, &y));
  int64_t size[3] = {steps, batch, y->size[1]};
  TSR_TRY(tsr_view_as(ctx, &y, y, 3, size));
  if (batch_first) TSR_TRY(tsr_transpose(ctx, &y, y, 0, 1));
  return return_all(c, &n, y, d);
}

/* Batch sizes as a table of steps; they must not grow and must add up to the rows. */
static tsr_status read_batches(tsr_ctx *ctx, tsr_tensor *t, int64_t rows, tsr_rnn_seq *s) {
  if (t->ndim != 1 || t->dtype != TSR_INT64) return tsr_op_fail(ctx, "batch_sizes of a packed sequence must be a 1-D int64 tensor");
  TSR_TRY(tsr_contiguous(ctx, &t, t));
  int64_t steps = t->size[0], total = 0;
  const int64_t *b = tsr_tensor_data_ro(t);
  int64_t *table = tsr_scratch(ctx, (size_t)(2 * steps + 1) * sizeof *table);
  if (table == NULL) return tsr_op_nomem(ctx);
  while (steps > 0 && b[steps - 1] == 0) steps--;
  for (int64_t i = 0; i < steps; i++) {
    if (b[i] <= 0 || (i > 0 && b[i] > b[i - 1]) || b[i] > rows - total)
      return tsr_op_fail(ctx, "batch_sizes of a packed sequence must be positive, not grow, and add up to its rows");
    table[i] = b[i];
    table[steps + i] = total;
    total += b[i];
  }
  if (steps == 0) return tsr_op_fail(ctx, "Expected sequence length to be larger than 0 in RNN");
  if (total != rows) return tsr_op_fail(ctx, "batch_sizes of a packed sequence must be positive, not grow, and add up to its rows");
  *s = (tsr_rnn_seq){steps, rows, b[0], table, table + steps};
  return TSR_OK;
}

TSR_KERNEL(rnn_data) { /* data, batch_sizes, hx, params, has_biases, num_layers, dropout, train, bidirectional */
  tsr_ctx *ctx = c->ctx;
  net n = first_net(c);
  tsr_tensor *x = tsr_arg_tensor(c, 0), *y;
  tsr_dtype d = (tsr_dtype)x->dtype;
  tsr_rnn_seq s;
  TSR_TRY(read_states(c, 2, &n));
  n.params = tsr_arg_tensors(c, 3, &n.param_count);
  if (n.params == NULL) return tsr_op_nomem(ctx);
  read_rest(c, 4, &n);
  TSR_TRY(check_dtype(ctx, x));
  if (x->ndim != 2) return tsr_op_fail(ctx, "Expected packed data of a recurrent layer to have 2 dimensions, got %d", x->ndim);
  TSR_TRY(read_batches(ctx, tsr_arg_tensor(c, 1), x->size[0], &s));
  TSR_TRY(check_states(ctx, &n, s.most, d));
  TSR_TRY(widen(ctx, &n, &x));
  TSR_TRY(tsr_contiguous(ctx, &x, x));
  source src = {x, -1, x->size[1], x->size[1]};
  TSR_TRY(run_net(ctx, &n, (c->constant & 8) != 0 ? c->site : NULL, &s, src, &y));
  return return_all(c, &n, y, d);
}

/* ---- cells: one step of one layer ---- */

static tsr_status check_cell(tsr_ctx *ctx, const tsr_tensor *x, const tsr_tensor *h, const tsr_tensor *w_ih, const tsr_tensor *w_hh, int64_t gates) {
  if (x->ndim != 2 || h->ndim != 2 || w_ih->ndim != 2 || w_hh->ndim != 2) return tsr_op_fail(ctx, "a recurrent cell takes matrices");
  if (x->size[1] != w_ih->size[1])
    return tsr_op_fail(ctx, "input has inconsistent input_size: got %lld expected %lld", (long long)x->size[1], (long long)w_ih->size[1]);
  if (x->size[0] != h->size[0])
    return tsr_op_fail(ctx, "Input batch size %lld doesn't match hidden0 batch size %lld", (long long)x->size[0], (long long)h->size[0]);
  if (h->size[1] * gates != w_hh->size[0])
    return tsr_op_fail(ctx, "hidden0 has inconsistent hidden_size: got %lld, expected %lld", (long long)h->size[1], (long long)(w_hh->size[0] / gates));
  return TSR_OK;
}

/* A cell of float32: nothing but its results is made. */
static tsr_status cell_f32(tsr_call *c, const net *n, tsr_site *site, tsr_tensor *x) {
  tsr_ctx *ctx = c->ctx;
  int64_t batch = x->size[0], zero = 0;
  tsr_rnn_weights w = weights_at(n, 0);
  tsr_rnn_layer l = {.kind = n->kind, .in = x->size[1], .hidden = n->h0->size[1], .out = n->h0->size[1], .dirs = 1, .w = &w};
  tsr_rnn_seq s = {1, batch, batch, &batch, &zero};
  tsr_tensor *y;
  void *p;
  TSR_TRY(check_weights(ctx, &l, &w, TSR_FLOAT32));
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
    return tsr_ret_tensor(c, 0, y);
  }
  TSR_TRY(tsr_contiguous(ctx, &x, x));
  TSR_TRY(tsr_rnn_f32(ctx, tsr_site_sub(site, 1, 0), &l, &s, p, tsr_tensor_data_ro(x), -1, x->size[1]));
  return tsr_ret_tensor(c, 0, y);
}

TSR_KERNEL(rnn_cell) { /* input, hx, w_ih, w_hh, b_ih, b_hh; in a loop also xs, dim, kept (rnn_steps.c) */
  tsr_ctx *ctx = c->ctx;
  net n = first_net(c);
  tsr_tensor *x = tsr_arg_tensor(c, 0), *y, *params[4] = {tsr_arg_tensor(c, 2), tsr_arg_tensor(c, 3), tsr_arg_opt_tensor(c, 4), tsr_arg_opt_tensor(c, 5)};
  tsr_dtype d = (tsr_dtype)x->dtype;
  if (n.kind == TSR_RNN_LSTM) {
    int64_t count;
    tsr_tensor **hx = tsr_arg_tensors(c, 1, &count);
    if (count != 2 || hx[0] == NULL || hx[1] == NULL) return tsr_op_fail(ctx, "lstm_cell expects two hidden states");
    n.h0 = hx[0];
    n.c0 = hx[1];
  } else {
    n.h0 = tsr_arg_tensor(c, 1);
  }
  TSR_TRY(check_dtype(ctx, x));
  TSR_TRY(check_cell(ctx, x, n.h0, params[0], params[1], tsr_rnn_gates(n.kind)));
  if (n.c0 != NULL && (n.c0->ndim != 2 || n.c0->size[0] != n.h0->size[0] || n.c0->size[1] != n.h0->size[1]))
    return tsr_op_fail(ctx, "hidden states of lstm_cell have different sizes");
  if ((params[2] == NULL) != (params[3] == NULL)) return tsr_op_fail(ctx, "a recurrent cell takes both biases or none");
  if (x->dtype != n.h0->dtype || (n.c0 != NULL && x->dtype != n.c0->dtype))
    return tsr_op_fail(ctx, "input and hidden state of the recurrent cell have different dtypes");
  n.params = params;
  n.biases = params[2] != NULL;
  n.param_count = n.biases ? 4 : 2;
  n.layers = 1;
  uint64_t need = 0x0c | (n.biases ? 0x30 : 0);
  tsr_site *site = (c->constant & need) == need ? c->site : NULL;
  if (d == TSR_FLOAT32 && x->size[0] > 0) return cell_f32(c, &n, site, x);
  TSR_TRY(tsr_contiguous(ctx, &x, x));
  TSR_TRY(tsr_unsqueeze(ctx, &n.h0, n.h0, 0));
  if (n.c0 != NULL) TSR_TRY(tsr_unsqueeze(ctx, &n.c0, n.c0, 0));
  TSR_TRY(widen(ctx, &n, &x));
  if (x->size[0] == 0) {
    TSR_TRY(tsr_clone(ctx, &y, n.h0));
    TSR_TRY(tsr_squeeze_dim(ctx, &y, y, 0));
    if (n.c0 != NULL) TSR_TRY(tsr_ret_tensor(c, 1, y));
    return tsr_ret_tensor(c, 0, y);
  }
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
  return tsr_ret_tensor(c, 0, y);
}

/* ---- ahead of the first call ---- */

static tsr_status prepare_layer(tsr_ctx *ctx, const net *n, tsr_site *site, int64_t index, bool *fits) {
  tsr_rnn_weights w[2];
  tsr_rnn_layer l = {.kind = n->kind, .dirs = n->bidirectional ? 2 : 1, .w = w};
  for (int i = 0; i < l.dirs; i++) {
    w[i] = weights_at(n, index * l.dirs + i);
    *fits = w[i].w_ih->ndim == 2 && w[i].w_hh->ndim == 2 && w[i].w_ih->numel > 0;
    if (!*fits) return TSR_OK;
    l.in = w[i].w_ih->size[1];
    l.hidden = w[i].w_hh->size[0] / tsr_rnn_gates(n->kind);
    l.out = n->projected && w[i].w_hr->ndim == 2 ? w[i].w_hr->size[0] : l.hidden;
    *fits = check_weights(ctx, &l, &w[i], TSR_FLOAT32) == TSR_OK;
    if (!*fits) return TSR_OK;
  }
  return tsr_rnn_f32_prepare(ctx, site, &l);
}

/* What is wrong with the weights is for the call to say. */
static tsr_status prepare_net(tsr_call *c, net *n) {
  bool fits = n->layers > 0 && check_params(c->ctx, n) == TSR_OK;
  for (int64_t i = 0; i < n->layers && fits; i++)
    TSR_TRY(prepare_layer(c->ctx, n, tsr_site_sub(c->site, (int)n->layers, (int)i), i, &fits));
  tsr_errrec_dispose(&c->ctx->err);
  return TSR_OK;
}

/* params and the five arguments after it */
static tsr_status prepare_params(tsr_call *c, uint32_t at) {
  net n = first_net(c);
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
  net n = first_net(c);
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
