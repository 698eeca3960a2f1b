/* Hidden tensors: making them, turning them around, calls that have some among their operands. */
#include "ops/layout.h"

#include "ops/conv.h"
#include "ops/native.h"
#include "ops/pointwise.h"
#include "ops/shape.h"

enum { MAX_ARGS = 64 };

bool tsr_op_any_order(const tsr_op *op) {
  if ((op->flags & TSR_OUT) != 0) return false; /* the out argument is written, not read */
  return (op->flags & TSR_ANY_ORDER) != 0 || op->kernel == tsr_pw_call || op->kernel == tsr_pw_inplace;
}

static bool writes_first(const tsr_op *op) { return op->kernel == tsr_pw_inplace || (op->flags & TSR_INPLACE) != 0; }

/* ---- tensors ---- */

static bool orders_agree(const int64_t size[4]) { return size[1] == 1 || size[2] * size[3] == 1; }

tsr_status tsr_layout_new(tsr_ctx *ctx, tsr_tensor **out, const int64_t size[4]) {
  int64_t stride[4];
  if (orders_agree(size)) return tsr_new(ctx, out, TSR_FLOAT32, 4, size);
  tsr_strides_channels_last(4, size, stride);
  TSR_TRY(tsr_new_strided(ctx, out, TSR_FLOAT32, 4, size, stride));
  (*out)->hidden = (*out)->numel > 0;
  return TSR_OK;
}

tsr_status tsr_layout_hide(tsr_ctx *ctx, tsr_tensor **out, const tsr_tensor *t) {
  TSR_TRY(tsr_layout_new(ctx, out, t->size));
  float *dst = (*out)->storage->data;
  int64_t s = t->size[2] * t->size[3];
  if ((*out)->hidden) tsr_to_last(ctx, dst, tsr_tensor_data_ro(t), t->size[0], t->size[1], s);
  else if (t->numel > 0) memcpy(dst, tsr_tensor_data_ro(t), (size_t)t->numel * sizeof *dst);
  return TSR_OK;
}

/* t gets the bytes of a C-ordered copy, which is a temporary. */
static tsr_status take_bytes(tsr_ctx *ctx, tsr_tensor *t, tsr_tensor *copy) {
  tsr_storage *old = t->storage;
  tsr_obj_retain(copy->storage);
  t->storage = copy->storage;
  t->offset = copy->offset;
  t->hidden = 0;
  tsr_obj_release(old);
  return tsr_tensor_set_dims(t, t->ndim, t->size, NULL) ? TSR_OK : tsr_op_nomem(ctx);
}

tsr_status tsr_layout_reveal(tsr_ctx *ctx, tsr_tensor *t) {
  tsr_tensor *copy;
  if (!t->hidden) return TSR_OK;
  TSR_TRY(tsr_new(ctx, &copy, TSR_FLOAT32, t->ndim, t->size));
  tsr_from_last(ctx, copy->storage->data, tsr_tensor_data_ro(t), t->size[0], t->size[1], t->size[2] * t->size[3]);
  return take_bytes(ctx, t, copy);
}

/* ---- operands ---- */

static bool is_hidden(tsr_val v) { return v.tag == TSR_V_TENSOR && v.t->hidden; }

static tsr_status reveal_value(tsr_ctx *ctx, tsr_val v) {
  if (is_hidden(v)) return tsr_layout_reveal(ctx, v.t);
  if (v.tag != TSR_V_LIST) return TSR_OK;
  for (size_t k = 0; k < v.l->len; k++)
    if (is_hidden(v.l->items[k])) TSR_TRY(tsr_layout_reveal(ctx, v.l->items[k].t));
  return TSR_OK;
}

static tsr_status reveal_all(tsr_call *c) {
  for (uint32_t i = 0; i < c->nargs; i++) TSR_TRY(reveal_value(c->ctx, c->args[i]));
  return TSR_OK;
}

static bool is_plain(const tsr_tensor *t) { return t->dtype == TSR_FLOAT32 && t->ndim == 4 && !t->hidden && tsr_tensor_is_contiguous(t); }

/* The hidden operand with most elements: a result has its size. */
static const tsr_tensor *largest(const tsr_call *c) {
  const tsr_tensor *best = NULL;
  for (uint32_t i = 0; i < c->nargs; i++)
    if (is_hidden(c->args[i]) && (best == NULL || c->args[i].t->numel > best->numel)) best = c->args[i].t;
  return best;
}

/* Items of a list in one order; its own list where some had to be turned. */
static tsr_status settle_list(tsr_ctx *ctx, tsr_val *v) {
  bool mixed = false, any = false;
  for (size_t k = 0; k < v->l->len; k++) {
    any = any || is_hidden(v->l->items[k]);
    mixed = mixed || !is_hidden(v->l->items[k]);
  }
  if (!any || !mixed) return TSR_OK;
  tsr_list *l = tsr_list_new(ctx->mem, &tsr_type_tensor, v->l->len);
  if (l == NULL) return tsr_op_nomem(ctx);
  TSR_TRY(tsr_temp(ctx, tsr_from_obj(l)));
  for (size_t k = 0; k < v->l->len; k++) {
    tsr_val item = v->l->items[k];
    if (item.tag == TSR_V_TENSOR && is_plain(item.t) && item.t->numel > 0) TSR_TRY(tsr_layout_hide(ctx, &item.t, item.t));
    tsr_list_push_take(l, tsr_retain(item));
  }
  v->l = l;
  return TSR_OK;
}

/* Operands of the result's size that are C-ordered get a turned copy; *fits: the kernel may run on args. */
static tsr_status settle(const tsr_call *c, tsr_val *args, bool *fits) {
  const tsr_tensor *most = largest(c);
  *fits = true;
  for (uint32_t i = 0; i < c->nargs; i++) {
    args[i] = c->args[i];
    if (args[i].tag == TSR_V_LIST) TSR_TRY(settle_list(c->ctx, &args[i]));
    if (args[i].tag != TSR_V_TENSOR || args[i].t->hidden || most == NULL) continue;
    tsr_tensor *t = args[i].t;
    *fits = *fits && (t->numel <= 1 || t->dtype == TSR_FLOAT32);
    if (t->ndim != 4 || memcmp(t->size, most->size, 4 * sizeof *t->size) != 0) continue;
    if (is_plain(t)) TSR_TRY(tsr_layout_hide(c->ctx, &args[i].t, t));
    else *fits = false;
  }
  return TSR_OK;
}

/* ---- results ---- */

static bool is_operand(const tsr_call *c, const tsr_tensor *t) {
  for (uint32_t i = 0; i < c->nargs; i++)
    if (c->args[i].tag == TSR_V_TENSOR && c->args[i].t == t) return true;
  return false;
}

/* What the kernel made of operands that it took for channels last. */
static tsr_status hide_result(tsr_ctx *ctx, tsr_tensor *t) {
  tsr_tensor *copy;
  if (t->hidden) return TSR_OK;
  if (tsr_tensor_is_contiguous(t)) return tsr_tensor_set_dims(t, t->ndim, t->size, NULL) ? TSR_OK : tsr_op_nomem(ctx);
  if (t->dtype == TSR_FLOAT32 && t->ndim == 4 && tsr_tensor_is_channels_last(t)) {
    t->hidden = 1;
    return TSR_OK;
  }
  TSR_TRY(tsr_contiguous(ctx, &copy, t));
  return take_bytes(ctx, t, copy);
}

tsr_status tsr_layout_call(tsr_call *c, tsr_kernel_fn run) {
  tsr_val args[MAX_ARGS];
  if ((c->op->flags & TSR_OWN_ORDER) != 0) return run(c);
  bool fits = tsr_op_any_order(c->op) && c->nargs <= MAX_ARGS && !(writes_first(c->op) && !is_hidden(c->args[0]));
  if (fits) TSR_TRY(settle(c, args, &fits));
  if (!fits) {
    TSR_TRY(reveal_all(c));
    return run(c);
  }
  tsr_call inner = *c;
  inner.args = args;
  TSR_TRY(run(&inner));
  for (uint32_t i = 0; i < c->nrets; i++)
    if (c->rets[i].tag == TSR_V_TENSOR && !is_operand(c, c->rets[i].t)) TSR_TRY(hide_result(c->ctx, c->rets[i].t));
  return TSR_OK;
}

TSR_KERNEL(reveal) {
  tsr_tensor *t = tsr_arg_tensor(c, 0);
  TSR_TRY(tsr_layout_reveal(c->ctx, t));
  return tsr_ret_tensor(c, 0, t);
}

/* aten::slice where its result may be the operand itself: nothing uses it that could tell it from a view of the whole. */
TSR_KERNEL(slice_whole) {
  tsr_tensor *y, *x = tsr_arg_tensor(c, 0);
  for (int turn = 0; turn < 2; turn++) {
    TSR_TRY(tsr_slice(c->ctx, &y, x, tsr_arg_int(c, 1), tsr_arg_int_or(c, 2, 0), tsr_arg_int_or(c, 3, INT64_MAX), tsr_arg_int(c, 4)));
    if (!x->hidden) break;
    if (y->numel == x->numel) return tsr_ret_tensor(c, 0, x);
    TSR_TRY(tsr_layout_reveal(c->ctx, x));
  }
  return tsr_ret_tensor(c, 0, y);
}

const tsr_op tsr_ops_layout[] = {
    {"tsr::slice_whole(Tensor(a) self, int dim=0, SymInt? start=None, SymInt? end=None, SymInt step=1) -> Tensor(a)", op_slice_whole,
     TSR_PURE | TSR_HIDDEN | TSR_OWN_ORDER | TSR_ANY_LAYOUT},
    {"tsr::reveal(Tensor(a) x) -> Tensor(a)", op_reveal, TSR_PURE | TSR_HIDDEN | TSR_OWN_ORDER | TSR_ANY_LAYOUT},
    {0},
};
