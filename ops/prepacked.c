/* prepacked:: operators of mobile-optimised archives: convolutions and linear layers whose weights and bounds are
 * in an object of torch.classes.xnnpack (slot 0 holds what the archive stores). */
#include "ops/custom.h"
#include "ops/native.h"

/* (weight, bias?, [stride, padding, [output_padding,] dilation, groups,] output_min?, output_max?) */
static tsr_status read_state(tsr_call *c, size_t count, const tsr_val **out) {
  tsr_val p = c->args[1];
  if (p.tag != TSR_V_OBJECT || !p.obj->cls->is_custom || p.obj->count < 1 || p.obj->slots[0].tag != TSR_V_TUPLE || p.obj->slots[0].u->len != count)
    return tsr_op_fail(c->ctx, "packed context of a layer: expected a tuple of %zu values", count);
  const tsr_val *v = p.obj->slots[0].u->items;
  if (v[0].tag != TSR_V_TENSOR || (v[1].tag != TSR_V_TENSOR && v[1].tag != TSR_V_NONE)) return tsr_op_fail(c->ctx, "packed context of a layer: expected weight and bias");
  for (size_t i = 2; i + 2 < count; i++)
    if (v[i].tag != (i + 3 == count ? TSR_V_INT : TSR_V_LIST)) return tsr_op_fail(c->ctx, "packed context of a convolution: expected lists of numbers and groups");
  for (size_t i = count - 2; i < count; i++)
    if (v[i].tag != TSR_V_NONE && v[i].tag != TSR_V_FLOAT && v[i].tag != TSR_V_INT) return tsr_op_fail(c->ctx, "packed context of a layer: expected bounds");
  *out = v;
  return TSR_OK;
}

/* y between the bounds; infinite ones are none. */
static tsr_status bounded(tsr_call *c, tsr_tensor *y, const tsr_val *bounds) {
  tsr_val args[] = {tsr_from_obj(y), bounds[0], bounds[1]}, ret = args[0];
  if (bounds[0].tag != TSR_V_NONE || bounds[1].tag != TSR_V_NONE) TSR_TRY(tsr_invoke(c->ctx, tsr_op_get("aten::clamp", ""), args, 3, &ret, 1));
  return tsr_ret(c, 0, ret);
}

TSR_KERNEL(linear) {
  const tsr_val *v = NULL;
  tsr_tensor *y;
  TSR_TRY(read_state(c, 4, &v));
  TSR_TRY(tsr_linear(c->ctx, &y, tsr_arg_tensor(c, 0), v[0].t, v[1].tag == TSR_V_TENSOR ? v[1].t : NULL));
  return bounded(c, y, v + 2);
}

TSR_KERNEL(conv) {
  const tsr_val *v = NULL;
  tsr_val ret;
  TSR_TRY(read_state(c, 8, &v));
  tsr_val args[] = {c->args[0], v[0], v[1], v[2], v[3], v[4], v[5]};
  TSR_TRY(tsr_invoke(c->ctx, tsr_op_get("aten::conv2d", ""), args, 7, &ret, 1));
  return bounded(c, ret.t, v + 6);
}

TSR_KERNEL(conv_transpose) {
  const tsr_val *v = NULL;
  tsr_val ret;
  TSR_TRY(read_state(c, 9, &v));
  tsr_val args[] = {c->args[0], v[0], v[1], v[2], v[3], v[4], v[6], v[5]}; /* the operator takes groups before dilation */
  TSR_TRY(tsr_invoke(c->ctx, tsr_op_get("aten::conv_transpose2d", "input"), args, 8, &ret, 1));
  return bounded(c, ret.t, v + 7);
}

TSR_CUSTOM_CLASS(linear, "xnnpack.LinearOpContext");
TSR_CUSTOM_CLASS(conv, "xnnpack.Conv2dOpContext");
TSR_CUSTOM_CLASS(conv_transpose, "xnnpack.TransposeConv2dOpContext");

/* The arguments are what the context stores, in its order: for weights that are computed, such as a part of a larger matrix. */
TSR_KERNEL(prepack) {
  tsr_tuple *state = tsr_tuple_new(c->ctx->mem, NULL, c->nargs);
  for (uint32_t i = 0; state != NULL && i < c->nargs; i++) state->items[i] = tsr_retain(c->args[i]);
  return tsr_custom_new(c->ctx, &c->rets[0], (tsr_class *)c->op->data, state);
}

#define MADE(name) "__torch__.torch.classes.xnnpack." name "OpContext"
#define BOUNDS "Scalar? output_min=None, Scalar? output_max=None) -> "
#define CONTEXT(name) MADE(name) " W_prepack) -> Tensor Y"
const tsr_op tsr_ops_prepacked[] = {
    {"prepacked::linear_clamp_run(Tensor X, " CONTEXT("Linear"), op_linear, TSR_PURE},
    {"prepacked::conv2d_clamp_run(Tensor X, " CONTEXT("Conv2d"), op_conv, TSR_PURE},
    {"prepacked::conv2d_transpose_clamp_run(Tensor X, " CONTEXT("TransposeConv2d"), op_conv_transpose, TSR_PURE},
    {"prepacked::linear_clamp_prepack(Tensor W, Tensor? B=None, " BOUNDS MADE("Linear"), op_prepack, TSR_PURE, &linear_class},
    {"prepacked::conv2d_clamp_prepack(Tensor W, Tensor? B, int[2] stride, int[2] padding, int[2] dilation, int groups, " BOUNDS MADE("Conv2d"), op_prepack, TSR_PURE, &conv_class},
    {"prepacked::conv2d_transpose_clamp_prepack(Tensor W, Tensor? B, int[2] stride, int[2] padding, int[2] output_padding, int[2] dilation, int groups, " BOUNDS MADE("TransposeConv2d"),
     op_prepack, TSR_PURE, &conv_transpose_class},
    {0}};
