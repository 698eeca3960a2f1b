/* Dynamically quantized recurrent layers, and embeddings with quantized rows. */
#include "ops/quant_packed.h"

static tsr_status bad(tsr_ctx *ctx, const char *what) { return tsr_op_fail(ctx, "packed parameters of a quantized layer: %s", what); }

/* The two products of a cell: of the input and of the hidden state. */
typedef struct cell { tsr_qlinear ih, hh; bool reduce; } cell;

static tsr_status of_input(tsr_ctx *ctx, const cell *k, tsr_tensor *x, tsr_tensor **g) { return tsr_qlinear_dynamic(ctx, g, x, &k->ih, k->reduce); }
static tsr_status of_hidden(tsr_ctx *ctx, const cell *k, tsr_tensor *h, tsr_tensor **g) { return tsr_qlinear_dynamic(ctx, g, h, &k->hh, k->reduce); }

static tsr_status chunk_of(tsr_ctx *ctx, tsr_tensor **out, tsr_tensor *g, int64_t k, int64_t parts) {
  int64_t n = g->size[g->ndim - 1] / parts;
  return tsr_narrow(ctx, out, g, -1, k * n, n);
}

/* Steps take the product of the input. */
static tsr_status lstm_step(tsr_ctx *ctx, const cell *k, tsr_tensor *gx, tsr_tensor **h, tsr_tensor **state) {
  static const char *const acts[] = {"sigmoid", "sigmoid", "tanh", "sigmoid"};
  tsr_tensor *gh, *g[4], *t;
  TSR_TRY(of_hidden(ctx, k, *h, &gh));
  TSR_TRY(tsr_binary(ctx, &gx, "add", gx, gh));
  for (int i = 0; i < 4; i++) {
    TSR_TRY(chunk_of(ctx, &g[i], gx, i, 4));
    TSR_TRY(tsr_unary(ctx, &g[i], acts[i], g[i]));
  }
  TSR_TRY(tsr_binary(ctx, state, "mul", g[1], *state));
  TSR_TRY(tsr_binary(ctx, &t, "mul", g[0], g[2]));
  TSR_TRY(tsr_binary(ctx, state, "add", *state, t));
  TSR_TRY(tsr_unary(ctx, &t, "tanh", *state));
  return tsr_binary(ctx, h, "mul", g[3], t);
}

static tsr_status gru_step(tsr_ctx *ctx, const cell *k, tsr_tensor *gx, tsr_tensor **h) {
  tsr_tensor *gh, *x[3], *y[3], *r, *z, *t;
  TSR_TRY(of_hidden(ctx, k, *h, &gh));
  for (int i = 0; i < 3; i++) {
    TSR_TRY(chunk_of(ctx, &x[i], gx, i, 3));
    TSR_TRY(chunk_of(ctx, &y[i], gh, i, 3));
  }
  TSR_TRY(tsr_binary(ctx, &r, "add", x[0], y[0]));
  TSR_TRY(tsr_unary(ctx, &r, "sigmoid", r));
  TSR_TRY(tsr_binary(ctx, &z, "add", x[1], y[1]));
  TSR_TRY(tsr_unary(ctx, &z, "sigmoid", z));
  TSR_TRY(tsr_binary(ctx, &t, "mul", r, y[2]));
  TSR_TRY(tsr_binary(ctx, &t, "add", x[2], t));
  TSR_TRY(tsr_unary(ctx, &t, "tanh", t));
  TSR_TRY(tsr_binary(ctx, h, "sub", *h, t)); /* (h - n) z + n */
  TSR_TRY(tsr_binary(ctx, h, "mul", *h, z));
  return tsr_binary(ctx, h, "add", *h, t);
}

/* ---- cells ---- */

static tsr_status integer_weight(tsr_ctx *ctx, tsr_qlinear *out, tsr_val w, tsr_val bias, tsr_val scale, tsr_val zero);

/* Packed weights follow the states; the oldest form has (w_ih, w_hh, b_ih, b_hh, packed and offsets of both, scales, zero points). */
static tsr_status cell_args(tsr_call *c, cell *k) {
  const tsr_val *a = c->args;
  if (c->nargs == 14) {
    k->reduce = false;
    TSR_TRY(integer_weight(c->ctx, &k->ih, a[2], a[4], a[10], a[12]));
    return integer_weight(c->ctx, &k->hh, a[3], a[5], a[11], a[13]);
  }
  k->reduce = true;
  TSR_TRY(tsr_qlinear_read(c->ctx, &k->ih, c->args[2]));
  return tsr_qlinear_read(c->ctx, &k->hh, c->args[3]);
}

TSR_KERNEL(lstm_cell) {
  int64_t n;
  tsr_tensor **hx = tsr_arg_tensors(c, 1, &n);
  cell k;
  if (hx == NULL) return c->ctx->err.status;
  if (n != 2) return tsr_op_fail(c->ctx, "lstm_cell expects two hidden states");
  tsr_tensor *gx;
  TSR_TRY(cell_args(c, &k));
  TSR_TRY(of_input(c->ctx, &k, tsr_arg_tensor(c, 0), &gx));
  TSR_TRY(lstm_step(c->ctx, &k, gx, &hx[0], &hx[1]));
  TSR_TRY(tsr_ret_tensor(c, 0, hx[0]));
  return tsr_ret_tensor(c, 1, hx[1]);
}

TSR_KERNEL(gru_cell) {
  tsr_tensor *h = tsr_arg_tensor(c, 1), *gx;
  cell k;
  TSR_TRY(cell_args(c, &k));
  TSR_TRY(of_input(c->ctx, &k, tsr_arg_tensor(c, 0), &gx));
  TSR_TRY(gru_step(c->ctx, &k, gx, &h));
  return tsr_ret_tensor(c, 0, h);
}

TSR_KERNEL(rnn_cell) {
  tsr_tensor *gx, *gh;
  cell k;
  TSR_TRY(cell_args(c, &k));
  TSR_TRY(of_input(c->ctx, &k, tsr_arg_tensor(c, 0), &gx));
  TSR_TRY(of_hidden(c->ctx, &k, tsr_arg_tensor(c, 1), &gh));
  TSR_TRY(tsr_binary(c->ctx, &gx, "add", gx, gh));
  TSR_TRY(tsr_unary(c->ctx, &gx, c->op->data, gx));
  return tsr_ret_tensor(c, 0, gx);
}

/* ---- whole layers ---- */

static bool items_of(tsr_val v, const tsr_val **items, size_t *n) {
  if (v.tag == TSR_V_TUPLE) *items = v.u->items, *n = v.u->len;
  else if (v.tag == TSR_V_LIST) *items = v.l->items, *n = v.l->len;
  else return false;
  return true;
}

/* A matrix of integers with one scale: how static cells keep their weights. */
static tsr_status integer_weight(tsr_ctx *ctx, tsr_qlinear *out, tsr_val w, tsr_val bias, tsr_val scale, tsr_val zero) {
  if (w.tag != TSR_V_TENSOR || w.t->dtype != TSR_INT8 || w.t->ndim != 2 || bias.tag != TSR_V_TENSOR || scale.tag != TSR_V_FLOAT || zero.tag != TSR_V_INT)
    return bad(ctx, "malformed state of a recurrent cell");
  tsr_quant quant = {.scale = scale.d, .zero_point = zero.i};
  out->bias = bias.t;
  return tsr_attach_quant(ctx, &out->weight, w.t, &quant, TSR_QINT8);
}

/* CellParamsBase: (kind, tensors, doubles, longs, packed); longs[0] of the dynamic kind: reduce_range */
static tsr_status read_cell(tsr_ctx *ctx, cell *k, tsr_val params) {
  const tsr_val *v, *part[5];
  size_t n, len[5];
  if (params.tag != TSR_V_OBJECT || !params.obj->cls->is_custom || params.obj->count < 1 || !items_of(params.obj->slots[0], &v, &n) || n != 5) return bad(ctx, "not a recurrent cell's");
  for (size_t i = 1; i < 5; i++)
    if (!items_of(v[i], &part[i], &len[i])) return bad(ctx, "malformed state of a recurrent cell");
  if (v[0].tag != TSR_V_STR) return bad(ctx, "malformed state of a recurrent cell");
  k->reduce = false;
  if (strcmp(v[0].s->bytes, "quantized") == 0) {
    if (len[1] < 4 || len[2] != 2 || len[3] != 2) return bad(ctx, "malformed state of a recurrent cell");
    TSR_TRY(integer_weight(ctx, &k->ih, part[1][0], part[1][2], part[2][0], part[3][0]));
    return integer_weight(ctx, &k->hh, part[1][1], part[1][3], part[2][1], part[3][1]);
  }
  if (len[4] != 2) return bad(ctx, "malformed state of a recurrent cell");
  k->reduce = len[3] > 0 && part[3][0].tag == TSR_V_INT && part[3][0].i != 0;
  TSR_TRY(tsr_qlinear_read(ctx, &k->ih, part[4][0]));
  return tsr_qlinear_read(ctx, &k->hh, part[4][1]);
}

typedef struct layers {
  tsr_tensor *h0, *c0;
  bool bidirectional, lstm, pairs; /* pairs: two packed weights a cell instead of one object */
  const tsr_list *params;
  int64_t count, steps;
  const int64_t *batch;            /* rows of each step, never growing */
} layers;

static tsr_status cell_at(tsr_ctx *ctx, const layers *l, int64_t index, cell *k) {
  if (!l->pairs) return read_cell(ctx, k, l->params->items[index]);
  k->reduce = false;
  TSR_TRY(tsr_qlinear_read(ctx, &k->ih, l->params->items[2 * index]));
  return tsr_qlinear_read(ctx, &k->hh, l->params->items[2 * index + 1]);
}

/* State of the first `rows` sequences, the others cut off to *rest; or grown again from the initial state. */
static tsr_status fit_rows(tsr_ctx *ctx, tsr_tensor **h, tsr_tensor *initial, int64_t rows, tsr_tensor **rest) {
  int64_t have = (*h)->size[0];
  *rest = NULL;
  if (rows < have) {
    TSR_TRY(tsr_narrow(ctx, rest, *h, 0, rows, have - rows));
    return tsr_narrow(ctx, h, *h, 0, 0, rows);
  }
  if (rows == have) return TSR_OK;
  tsr_tensor *more;
  TSR_TRY(tsr_narrow(ctx, &more, initial, 0, have, rows - have));
  return tsr_cat(ctx, h, (tsr_tensor *[]){*h, more}, 2, 0);
}

/* The last states: of those that ran to the end, then of those that ended before. */
static tsr_status join_ended(tsr_ctx *ctx, tsr_tensor **h, tsr_tensor **ended, int64_t steps) {
  tsr_tensor **all = tsr_scratch(ctx, ((size_t)steps + 1) * sizeof *all);
  int64_t n = 0;
  if (all == NULL) return ctx->err.status;
  all[n++] = *h;
  for (int64_t i = steps; i-- > 0;)
    if (ended[i] != NULL) all[n++] = ended[i];
  return n == 1 ? TSR_OK : tsr_cat(ctx, h, all, n, 0);
}

/* One direction of one layer over rows of x[rows, i]: outputs, last states.  The input's product is one, with
 * one quantization for the whole sequence; the hidden state is quantized at every step. */
static tsr_status run_direction(tsr_ctx *ctx, const layers *l, int64_t index, tsr_tensor *x, bool backward, tsr_tensor **y, tsr_tensor **h, tsr_tensor **s) {
  cell k;
  tsr_tensor *gx, *g, *h0, *s0 = NULL, **ended[2];
  tsr_tensor **out = tsr_scratch(ctx, ((size_t)l->steps + 1) * sizeof *out);
  for (int i = 0; i < 2; i++) ended[i] = tsr_scratch(ctx, ((size_t)l->steps + 1) * sizeof **ended);
  if (out == NULL || ended[0] == NULL || ended[1] == NULL) return ctx->err.status;
  TSR_TRY(cell_at(ctx, l, index, &k));
  TSR_TRY(of_input(ctx, &k, x, &gx));
  TSR_TRY(tsr_select(ctx, &h0, l->h0, 0, index));
  if (l->lstm) TSR_TRY(tsr_select(ctx, &s0, l->c0, 0, index));
  *h = h0;
  *s = s0;
  if (backward) {
    TSR_TRY(tsr_narrow(ctx, h, h0, 0, 0, l->batch[l->steps - 1]));
    if (l->lstm) TSR_TRY(tsr_narrow(ctx, s, s0, 0, 0, l->batch[l->steps - 1]));
  }
  int64_t row = backward ? x->size[0] : 0;
  for (int64_t i = 0; i < l->steps; i++) {
    int64_t t = backward ? l->steps - 1 - i : i, n = l->batch[t];
    if (backward) row -= n;
    TSR_TRY(tsr_narrow(ctx, &g, gx, 0, row, n));
    TSR_TRY(fit_rows(ctx, h, h0, n, &ended[0][i]));
    if (l->lstm) TSR_TRY(fit_rows(ctx, s, s0, n, &ended[1][i]));
    TSR_TRY(l->lstm ? lstm_step(ctx, &k, g, h, s) : gru_step(ctx, &k, g, h));
    out[t] = *h;
    if (!backward) row += n;
  }
  TSR_TRY(join_ended(ctx, h, ended[0], l->steps));
  if (l->lstm) TSR_TRY(join_ended(ctx, s, ended[1], l->steps));
  return tsr_cat(ctx, y, out, l->steps, 0);
}

static tsr_status check_layers(tsr_ctx *ctx, const layers *l, const tsr_tensor *x) {
  int64_t total = l->count * (l->bidirectional ? 2 : 1), rows = 0;
  if (l->count < 1 || (int64_t)l->params->len != total * (l->pairs ? 2 : 1) || l->h0->ndim != 3 || l->h0->size[0] != total)
    return tsr_op_fail(ctx, "quantized recurrent layer: expected %lld sets of parameters and hidden states, but got %zu and %lld", (long long)total, l->params->len, l->h0->ndim > 0 ? (long long)l->h0->size[0] : 0LL);
  if (x->ndim != 2 || l->steps < 1 || (l->lstm && (l->c0->ndim != 3 || l->c0->size[0] != total || l->c0->size[1] != l->h0->size[1])))
    return tsr_op_fail(ctx, "quantized recurrent layer: expected a sequence of at least one step, and two hidden states of one shape");
  for (int64_t t = 0; t < l->steps; t++) {
    if (l->batch[t] < 1 || l->batch[t] > (t > 0 ? l->batch[t - 1] : l->h0->size[1])) return tsr_op_fail(ctx, "batch sizes of a packed sequence must be positive and never grow");
    rows += l->batch[t];
  }
  if (rows != x->size[0] || l->batch[0] != l->h0->size[1])
    return tsr_op_fail(ctx, "quantized recurrent layer: %lld rows of input and %lld hidden states do not fit the batch sizes", (long long)x->size[0], (long long)l->h0->size[1]);
  return TSR_OK;
}

static tsr_status run_layers(tsr_ctx *ctx, const layers *l, tsr_tensor **x, tsr_tensor **hn, tsr_tensor **cn) {
  int64_t dirs = l->bidirectional ? 2 : 1, total = l->count * dirs;
  TSR_TRY(check_layers(ctx, l, *x));
  tsr_tensor **h = tsr_scratch(ctx, (size_t)total * sizeof *h + 1), **s = tsr_scratch(ctx, (size_t)total * sizeof *s + 1);
  if (h == NULL || s == NULL) return ctx->err.status;
  for (int64_t k = 0; k < l->count; k++) {
    tsr_tensor *y[2];
    for (int64_t d = 0; d < dirs; d++) TSR_TRY(run_direction(ctx, l, k * dirs + d, *x, d == 1, &y[d], &h[k * dirs + d], &s[k * dirs + d]));
    if (dirs == 2) TSR_TRY(tsr_cat(ctx, x, y, 2, 1));
    else *x = y[0];
  }
  TSR_TRY(tsr_stack(ctx, hn, h, total, 0));
  return l->lstm ? tsr_stack(ctx, cn, s, total, 0) : TSR_OK;
}

/* hx, params, has_biases, num_layers, dropout, train, bidirectional stand from argument `at` on. */
static tsr_status read_layers(tsr_call *c, layers *l, uint32_t at) {
  l->params = tsr_arg_list(c, at + 1);
  l->count = tsr_arg_int(c, at + 3);
  l->bidirectional = tsr_arg_bool(c, at + 6);
  l->pairs = strstr(c->op->schema, "LinearPackedParamsBase") != NULL;
  if (l->count > 1000) return tsr_op_fail(c->ctx, "quantized recurrent layer: %lld layers", (long long)l->count);
  if (!l->lstm) {
    l->h0 = tsr_arg_tensor(c, at);
    return TSR_OK;
  }
  int64_t n;
  tsr_tensor **hx = tsr_arg_tensors(c, at, &n);
  if (hx == NULL) return c->ctx->err.status;
  if (n != 2) return tsr_op_fail(c->ctx, "lstm expects two hidden states");
  l->h0 = hx[0];
  l->c0 = hx[1];
  return TSR_OK;
}

static tsr_status ret_layers(tsr_call *c, const layers *l, tsr_tensor *x, tsr_tensor *hn, tsr_tensor *cn) {
  TSR_TRY(tsr_ret_tensor(c, 0, x));
  TSR_TRY(tsr_ret_tensor(c, 1, hn));
  return l->lstm ? tsr_ret_tensor(c, 2, cn) : TSR_OK;
}

/* (input, hx, params, has_biases, num_layers, dropout, train, bidirectional, batch_first, …) */
static tsr_status recurrent(tsr_call *c, bool lstm) {
  tsr_ctx *ctx = c->ctx;
  tsr_tensor *x = tsr_arg_tensor(c, 0), *hn, *cn = NULL;
  layers l = {.lstm = lstm};
  bool batch_first = tsr_arg_bool(c, 8);
  TSR_TRY(read_layers(c, &l, 1));
  if (x->ndim != 3) return tsr_op_fail(ctx, "quantized recurrent layer: expected an input with 3 dimensions, but got %d", x->ndim);
  if (batch_first) TSR_TRY(tsr_transpose(ctx, &x, x, 0, 1));
  int64_t steps = x->size[0], rows = x->size[1], *batch = tsr_scratch(ctx, ((size_t)steps + 1) * sizeof *batch);
  if (batch == NULL) return ctx->err.status;
  for (int64_t t = 0; t < steps; t++) batch[t] = rows;
  l.steps = steps;
  l.batch = batch;
  TSR_TRY(tsr_reshape(ctx, &x, x, 2, (int64_t[]){steps * rows, x->size[2]}));
  TSR_TRY(run_layers(ctx, &l, &x, &hn, &cn));
  TSR_TRY(tsr_view_as(ctx, &x, x, 3, (int64_t[]){steps, rows, x->size[1]}));
  if (batch_first) TSR_TRY(tsr_transpose(ctx, &x, x, 0, 1));
  return ret_layers(c, &l, x, hn, cn);
}
TSR_KERNEL(lstm) { return recurrent(c, true); }
TSR_KERNEL(gru) { return recurrent(c, false); }

/* (data, batch_sizes, hx, params, has_biases, num_layers, dropout, train, bidirectional, …) */
static tsr_status recurrent_data(tsr_call *c, bool lstm) {
  tsr_tensor *x = tsr_arg_tensor(c, 0), *sizes = tsr_arg_tensor(c, 1), *hn, *cn = NULL;
  layers l = {.lstm = lstm};
  if (sizes->ndim != 1 || sizes->dtype != TSR_INT64) return tsr_op_fail(c->ctx, "batch_sizes of a packed sequence must be a 1-D int64 tensor");
  TSR_TRY(read_layers(c, &l, 2));
  TSR_TRY(tsr_contiguous(c->ctx, &sizes, sizes));
  l.steps = sizes->size[0];
  l.batch = tsr_tensor_data_ro(sizes);
  TSR_TRY(run_layers(c->ctx, &l, &x, &hn, &cn));
  return ret_layers(c, &l, x, hn, cn);
}
TSR_KERNEL(lstm_data) { return recurrent_data(c, true); }
TSR_KERNEL(gru_data) { return recurrent_data(c, false); }

/* ---- making the parameters of a cell ---- */

TSR_CUSTOM_CLASS(cell, "rnn.CellParamsBase");

typedef enum cell_kind { STATIC, DYNAMIC, HALF } cell_kind;
static const cell_kind make_static = STATIC, make_dynamic = DYNAMIC, make_half = HALF;
static const char *const kind_names[] = {"quantized", "quantized_dynamic", "quantized_fp16"};

static tsr_status filled_list(tsr_ctx *ctx, tsr_val *out, const tsr_type *elem, const tsr_val *items, size_t n) {
  tsr_list *l = tsr_list_new(ctx->mem, elem, n);
  if (l == NULL) return tsr_ctx_nomem(ctx);
  for (size_t i = 0; i < n; i++) tsr_list_push_take(l, tsr_retain(items[i]));
  *out = tsr_from_obj(l);
  return tsr_temp(ctx, *out);
}

/* Float weights become int8 here; packed ones are kept. */
TSR_KERNEL(make_cell) {
  cell_kind kind = *(const cell_kind *)c->op->data;
  tsr_val lists[4], tensors[6], scales[2], longs[2], packed[2];
  size_t counts[4] = {0};
  if (kind == STATIC) {
    for (uint32_t i = 0; i < 2; i++) {
      tsr_val rets[4];
      TSR_TRY(tsr_invoke(c->ctx, tsr_op_get("aten::fbgemm_linear_quantize_weight", ""), &c->args[i], 1, rets, 4));
      tensors[i] = rets[0];
      tensors[4 + i] = rets[1];
      tensors[2 + i] = c->args[2 + i];
      scales[i] = rets[2];
      longs[i] = rets[3];
    }
    counts[0] = 6, counts[1] = counts[2] = 2;
  } else {
    packed[0] = c->args[0], packed[1] = c->args[1];
    counts[3] = 2;
    if (kind == DYNAMIC) {
      tensors[0] = c->args[2], tensors[1] = c->args[3];
      longs[0] = tsr_int(tsr_arg_bool(c, 4));
      counts[0] = 2, counts[2] = 1;
    }
  }
  TSR_TRY(filled_list(c->ctx, &lists[0], &tsr_type_tensor, tensors, counts[0]));
  TSR_TRY(filled_list(c->ctx, &lists[1], &tsr_type_float, scales, counts[1]));
  TSR_TRY(filled_list(c->ctx, &lists[2], &tsr_type_int, longs, counts[2]));
  TSR_TRY(filled_list(c->ctx, &lists[3], NULL, packed, counts[3]));
  tsr_tuple *state = tsr_tuple_new(c->ctx->mem, NULL, 5);
  tsr_object *o = tsr_object_new(c->ctx->mem, &cell_class, 1);
  tsr_str *name = tsr_str_new(c->ctx->mem, kind_names[kind], strlen(kind_names[kind]));
  if (state == NULL || o == NULL || name == NULL) {
    tsr_obj_release(state);
    tsr_obj_release(o);
    tsr_obj_release(name);
    return tsr_ctx_nomem(c->ctx);
  }
  state->items[0] = tsr_from_obj(name);
  for (int i = 0; i < 4; i++) state->items[i + 1] = tsr_retain(lists[i]);
  o->slots[0] = tsr_from_obj(state);
  c->rets[0] = tsr_from_obj(o);
  return TSR_OK;
}

#define P TSR_PURE
#define LIN "__torch__.torch.classes.quantized.LinearPackedParamsBase"
#define CELL LIN " w_ih, " LIN " w_hh, Tensor b_ih, Tensor b_hh"
#define DATA_REST "[] params, bool has_biases, int num_layers, float dropout, bool train, bool bidirectional"
#define REST DATA_REST ", bool batch_first"
#define PARAMS "__torch__.torch.classes.rnn.CellParamsBase"
#define LSTM_TAIL ", *, ScalarType? dtype=None, bool use_dynamic=False) -> (Tensor, Tensor, Tensor)"
#define INT8_CELL "Tensor w_ih, Tensor w_hh, Tensor b_ih, Tensor b_hh, Tensor packed_ih, Tensor packed_hh, Tensor col_offsets_ih, Tensor col_offsets_hh, " \
  "Scalar scale_ih, Scalar scale_hh, Scalar zero_point_ih, Scalar zero_point_hh"
const tsr_op tsr_ops_quant_rnn[] = {
    {"quantized::quantized_lstm_cell_dynamic(Tensor input, Tensor[] hx, " CELL ") -> (Tensor, Tensor)", op_lstm_cell, P},
    {"quantized::quantized_gru_cell_dynamic(Tensor input, Tensor hx, " CELL ") -> Tensor", op_gru_cell, P},
    {"quantized::quantized_rnn_tanh_cell_dynamic(Tensor input, Tensor hx, " CELL ") -> Tensor", op_rnn_cell, P, "tanh"},
    {"quantized::quantized_rnn_relu_cell_dynamic(Tensor input, Tensor hx, " CELL ") -> Tensor", op_rnn_cell, P, "relu"},
    {"aten::quantized_lstm.input(Tensor input, Tensor[] hx, " PARAMS REST LSTM_TAIL, op_lstm, P},
    {"aten::quantized_lstm.data(Tensor data, Tensor batch_sizes, Tensor[] hx, " PARAMS DATA_REST LSTM_TAIL, op_lstm_data, P},
    {"aten::quantized_gru.input(Tensor input, Tensor hx, " PARAMS REST ") -> (Tensor, Tensor)", op_gru, P},
    {"aten::quantized_gru.data(Tensor data, Tensor batch_sizes, Tensor hx, " PARAMS DATA_REST ") -> (Tensor, Tensor)", op_gru_data, P},
    /* before 1.6: packed weights in pairs, which were tensors then */
    {"aten::quantized_lstm.input_legacy(Tensor input, Tensor[] hx, " LIN REST LSTM_TAIL, op_lstm, P},
    {"aten::quantized_lstm.data_legacy(Tensor data, Tensor batch_sizes, Tensor[] hx, " LIN DATA_REST LSTM_TAIL, op_lstm_data, P},
    {"aten::quantized_gru.input_legacy(Tensor input, Tensor hx, " LIN REST ") -> (Tensor, Tensor)", op_gru, P},
    {"aten::quantized_gru.data_legacy(Tensor data, Tensor batch_sizes, Tensor hx, " LIN DATA_REST ") -> (Tensor, Tensor)", op_gru_data, P},
    {"aten::quantized_lstm_cell(Tensor input, Tensor[] hx, " INT8_CELL ") -> (Tensor, Tensor)", op_lstm_cell, P},
    {"aten::quantized_gru_cell(Tensor input, Tensor hx, " INT8_CELL ") -> Tensor", op_gru_cell, P},
    {"aten::quantized_rnn_tanh_cell(Tensor input, Tensor hx, " INT8_CELL ") -> Tensor", op_rnn_cell, P, "tanh"},
    {"aten::quantized_rnn_relu_cell(Tensor input, Tensor hx, " INT8_CELL ") -> Tensor", op_rnn_cell, P, "relu"},
    {"quantized::make_quantized_cell_params(Tensor w_ih, Tensor w_hh, Tensor b_ih, Tensor b_hh) -> " PARAMS, op_make_cell, P, &make_static},
    {"quantized::make_quantized_cell_params_dynamic(" LIN " w_ih, " LIN " w_hh, Tensor bias_ih, Tensor bias_hh, bool reduce_range=False) -> " PARAMS, op_make_cell, P, &make_dynamic},
    {"quantized::make_quantized_cell_params_fp16(" LIN " w_ih, " LIN " w_hh) -> " PARAMS, op_make_cell, P, &make_half},
    {0}};
