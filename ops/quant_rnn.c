/* Dynamically quantized recurrent layers, and embeddings with quantized rows. */
#include "ops/quant_packed.h"

static tsr_status bad(tsr_ctx *ctx, const char *what) { return tsr_op_fail(ctx, "packed parameters of a quantized layer: %s", what); }

/* The two products of a cell: of the input and of the hidden state. */
typedef struct cell { tsr_qlinear ih, hh; bool reduce; } cell;

static tsr_status gates(tsr_ctx *ctx, const cell *k, tsr_tensor *x, tsr_tensor *h, tsr_tensor **gx, tsr_tensor **gh) {
  TSR_TRY(tsr_qlinear_dynamic(ctx, gx, x, &k->ih, k->reduce));
  return tsr_qlinear_dynamic(ctx, gh, h, &k->hh, k->reduce);
}

static tsr_status chunk_of(tsr_ctx *ctx, tsr_tensor **out, tsr_tensor *g, int64_t k, int64_t parts) {
  int64_t n = g->size[g->ndim - 1] / parts;
  return tsr_narrow(ctx, out, g, -1, k * n, n);
}

static tsr_status lstm_step(tsr_ctx *ctx, const cell *k, tsr_tensor *x, tsr_tensor **h, tsr_tensor **state) {
  static const char *const acts[] = {"sigmoid", "sigmoid", "tanh", "sigmoid"};
  tsr_tensor *gx, *gh, *g[4], *t;
  TSR_TRY(gates(ctx, k, x, *h, &gx, &gh));
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

static tsr_status gru_step(tsr_ctx *ctx, const cell *k, tsr_tensor *in, tsr_tensor **h) {
  tsr_tensor *gx, *gh, *x[3], *y[3], *r, *z, *t;
  TSR_TRY(gates(ctx, k, in, *h, &gx, &gh));
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

static tsr_status cell_args(tsr_call *c, cell *k) {
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
  TSR_TRY(cell_args(c, &k));
  TSR_TRY(lstm_step(c->ctx, &k, tsr_arg_tensor(c, 0), &hx[0], &hx[1]));
  TSR_TRY(tsr_ret_tensor(c, 0, hx[0]));
  return tsr_ret_tensor(c, 1, hx[1]);
}

TSR_KERNEL(gru_cell) {
  tsr_tensor *h = tsr_arg_tensor(c, 1);
  cell k;
  TSR_TRY(cell_args(c, &k));
  TSR_TRY(gru_step(c->ctx, &k, tsr_arg_tensor(c, 0), &h));
  return tsr_ret_tensor(c, 0, h);
}

TSR_KERNEL(rnn_cell) {
  tsr_tensor *gx, *gh;
  cell k;
  TSR_TRY(cell_args(c, &k));
  TSR_TRY(gates(c->ctx, &k, tsr_arg_tensor(c, 0), tsr_arg_tensor(c, 1), &gx, &gh));
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

/* CellParamsBase: (kind, tensors, doubles, longs, packed); longs[0]: reduce_range */
static tsr_status read_cell(tsr_ctx *ctx, cell *k, tsr_val params) {
  const tsr_val *v, *longs, *packed;
  size_t n, nl, np;
  if (params.tag != TSR_V_OBJECT || !params.obj->cls->is_custom || params.obj->count < 1 || !items_of(params.obj->slots[0], &v, &n) || n != 5) return bad(ctx, "not a recurrent cell's");
  if (v[0].tag != TSR_V_STR || strcmp(v[0].s->bytes, "quantized") == 0) {
    return tsr_fail(&ctx->err, TSR_EUNSUPPORTED, "statically quantized recurrent cells are not supported; export the model with dynamic quantization");
  }
  if (!items_of(v[3], &longs, &nl) || !items_of(v[4], &packed, &np) || np != 2) return bad(ctx, "malformed state of a recurrent cell");
  k->reduce = nl > 0 && longs[0].tag == TSR_V_INT && longs[0].i != 0;
  TSR_TRY(tsr_qlinear_read(ctx, &k->ih, packed[0]));
  return tsr_qlinear_read(ctx, &k->hh, packed[1]);
}

typedef struct layers { tsr_tensor *h0, *c0; bool bidirectional, lstm; const tsr_list *params; int64_t count; } layers;

/* One direction of one layer over x[t, b, i]: outputs stacked, last states. */
static tsr_status run_direction(tsr_ctx *ctx, const layers *l, int64_t index, tsr_tensor *x, bool backward, tsr_tensor **y, tsr_tensor **h, tsr_tensor **s) {
  cell k;
  int64_t steps = x->size[0];
  tsr_tensor **out = tsr_scratch(ctx, ((size_t)steps + 1) * sizeof *out), *in;
  if (out == NULL) return ctx->err.status;
  TSR_TRY(read_cell(ctx, &k, l->params->items[index]));
  TSR_TRY(tsr_select(ctx, h, l->h0, 0, index));
  *s = NULL;
  if (l->lstm) TSR_TRY(tsr_select(ctx, s, l->c0, 0, index));
  for (int64_t i = 0; i < steps; i++) {
    int64_t t = backward ? steps - 1 - i : i;
    TSR_TRY(tsr_select(ctx, &in, x, 0, t));
    TSR_TRY(l->lstm ? lstm_step(ctx, &k, in, h, s) : gru_step(ctx, &k, in, h));
    out[t] = *h;
  }
  return tsr_stack(ctx, y, out, steps, 0);
}

static tsr_status run_layers(tsr_ctx *ctx, const layers *l, tsr_tensor **x, tsr_tensor **hn, tsr_tensor **cn) {
  int64_t dirs = l->bidirectional ? 2 : 1, total = l->count * dirs;
  tsr_tensor **h = tsr_scratch(ctx, (size_t)total * sizeof *h + 1), **s = tsr_scratch(ctx, (size_t)total * sizeof *s + 1);
  if (h == NULL || s == NULL) return ctx->err.status;
  if (l->count < 1 || (int64_t)l->params->len != total || l->h0->ndim != 3 || l->h0->size[0] != total || (*x)->ndim != 3 || (*x)->size[0] < 1) {
    return tsr_op_fail(ctx, "quantized recurrent layer: expected %lld sets of parameters and hidden states, but got %zu and %lld", (long long)total, l->params->len, l->h0->ndim > 0 ? (long long)l->h0->size[0] : 0LL);
  }
  for (int64_t k = 0; k < l->count; k++) {
    tsr_tensor *y[2];
    for (int64_t d = 0; d < dirs; d++) TSR_TRY(run_direction(ctx, l, k * dirs + d, *x, d == 1, &y[d], &h[k * dirs + d], &s[k * dirs + d]));
    if (dirs == 2) TSR_TRY(tsr_cat(ctx, x, y, 2, 2));
    else *x = y[0];
  }
  TSR_TRY(tsr_stack(ctx, hn, h, total, 0));
  return l->lstm ? tsr_stack(ctx, cn, s, total, 0) : TSR_OK;
}

/* (input, hx, params, has_biases, num_layers, dropout, train, bidirectional, batch_first, …) */
static tsr_status recurrent(tsr_call *c, bool lstm) {
  tsr_ctx *ctx = c->ctx;
  tsr_tensor *x = tsr_arg_tensor(c, 0), *hn, *cn = NULL;
  layers l = {.bidirectional = tsr_arg_bool(c, 7), .lstm = lstm, .params = tsr_arg_list(c, 2), .count = tsr_arg_int(c, 4)};
  bool batch_first = tsr_arg_bool(c, 8);
  if (lstm) {
    int64_t n;
    tsr_tensor **hx = tsr_arg_tensors(c, 1, &n);
    if (hx == NULL) return ctx->err.status;
    if (n != 2) return tsr_op_fail(ctx, "lstm expects two hidden states");
    l.h0 = hx[0];
    l.c0 = hx[1];
  } else {
    l.h0 = tsr_arg_tensor(c, 1);
  }
  if (batch_first) TSR_TRY(tsr_transpose(ctx, &x, x, 0, 1));
  TSR_TRY(run_layers(ctx, &l, &x, &hn, &cn));
  if (batch_first) TSR_TRY(tsr_transpose(ctx, &x, x, 0, 1));
  TSR_TRY(tsr_ret_tensor(c, 0, x));
  TSR_TRY(tsr_ret_tensor(c, 1, hn));
  return lstm ? tsr_ret_tensor(c, 2, cn) : TSR_OK;
}
TSR_KERNEL(lstm) { return recurrent(c, true); }
TSR_KERNEL(gru) { return recurrent(c, false); }

/* ---- embeddings: (version, [weight], [], [bits]) ---- */

static tsr_status embedding_weight(tsr_ctx *ctx, tsr_tensor **out, tsr_val packed) {
  const tsr_val *v, *tensors;
  size_t n, nt;
  if (packed.tag != TSR_V_OBJECT || !packed.obj->cls->is_custom || packed.obj->count < 1 || !items_of(packed.obj->slots[0], &v, &n) || n < 2) return bad(ctx, "not an embedding's");
  if (!items_of(v[1], &tensors, &nt) || nt < 1 || tensors[0].tag != TSR_V_TENSOR || tensors[0].t->quant == NULL) return bad(ctx, "malformed state of an embedding");
  return tsr_dequantize(ctx, out, tensors[0].t);
}

TSR_KERNEL(embedding) {
  tsr_tensor *w;
  TSR_TRY(embedding_weight(c->ctx, &w, c->args[0]));
  tsr_val args[] = {tsr_from_obj(w), c->args[1], tsr_int(-1), tsr_bool(false), tsr_bool(false)}, ret;
  TSR_TRY(tsr_invoke(c->ctx, tsr_op_get("aten::embedding", ""), args, 5, &ret, 1));
  return tsr_ret(c, 0, ret);
}

/* (packed, indices, offsets?, scale_grad, mode, pruned, weights?, mapping?, include_last): always sums */
TSR_KERNEL(embedding_bag) {
  tsr_tensor *w, *offsets = tsr_arg_opt_tensor(c, 2), *indices = tsr_arg_tensor(c, 1);
  TSR_TRY(embedding_weight(c->ctx, &w, c->args[0]));
  if (offsets == NULL) { /* rows of a matrix are bags */
    int64_t n = indices->ndim == 2 ? indices->size[0] : 0, flat = indices->numel;
    if (indices->ndim != 2) return tsr_op_fail(c->ctx, "embedding_bag: expected offsets, or indices with 2 dimensions");
    TSR_TRY(tsr_new(c->ctx, &offsets, TSR_INT64, 1, &n));
    for (int64_t i = 0; i < n; i++) ((int64_t *)offsets->storage->data)[i] = i * indices->size[1];
    TSR_TRY(tsr_reshape(c->ctx, &indices, indices, 1, &flat));
  }
  tsr_val args[] = {tsr_from_obj(w), tsr_from_obj(indices), tsr_from_obj(offsets), tsr_bool(false), tsr_int(0), tsr_bool(false), c->args[6], c->args[8]}, rets[4];
  TSR_TRY(tsr_invoke(c->ctx, tsr_op_get("aten::embedding_bag", ""), args, 8, rets, 4));
  return tsr_ret(c, 0, rets[0]);
}

#define P TSR_PURE
#define LIN "__torch__.torch.classes.quantized.LinearPackedParamsBase"
#define EMB "__torch__.torch.classes.quantized.EmbeddingPackedParamsBase"
#define CELL LIN " w_ih, " LIN " w_hh, Tensor b_ih, Tensor b_hh"
#define PARAMS "__torch__.torch.classes.rnn.CellParamsBase[] params, bool has_biases, int num_layers, float dropout, bool train, bool bidirectional, bool batch_first"
const tsr_op tsr_ops_quant_rnn[] = {
    {"quantized::quantized_lstm_cell_dynamic(Tensor input, Tensor[] hx, " CELL ") -> (Tensor, Tensor)", op_lstm_cell, P},
    {"quantized::quantized_gru_cell_dynamic(Tensor input, Tensor hx, " CELL ") -> Tensor", op_gru_cell, P},
    {"quantized::quantized_rnn_tanh_cell_dynamic(Tensor input, Tensor hx, " CELL ") -> Tensor", op_rnn_cell, P, "tanh"},
    {"quantized::quantized_rnn_relu_cell_dynamic(Tensor input, Tensor hx, " CELL ") -> Tensor", op_rnn_cell, P, "relu"},
    {"aten::quantized_lstm.input(Tensor input, Tensor[] hx, " PARAMS ", *, ScalarType? dtype=None, bool use_dynamic=False) -> (Tensor, Tensor, Tensor)", op_lstm, P},
    {"aten::quantized_gru.input(Tensor input, Tensor hx, " PARAMS ") -> (Tensor, Tensor)", op_gru, P},
    {"quantized::embedding_byte(" EMB " weight, Tensor indices, bool pruned_weights=False) -> Tensor", op_embedding, P},
    {"quantized::embedding_bag_byte(" EMB " weight, Tensor indices, Tensor? offsets=None, bool scale_grad_by_freq=False, int mode=0, bool pruned_weights=False, "
     "Tensor? per_sample_weights=None, Tensor? compressed_indices_mapping=None, bool include_last_offset=False) -> Tensor", op_embedding_bag, P},
    {0}};
