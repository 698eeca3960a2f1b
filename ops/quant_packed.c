/* Reading and making packed parameters, in every form writers have used (1: fields, 2 and 3: config and lists). */
#include "ops/quant_packed.h"

static tsr_status bad(tsr_ctx *ctx, const char *what) { return tsr_op_fail(ctx, "packed parameters of a quantized layer: %s", what); }

TSR_CUSTOM_CLASS(linear, "quantized.LinearPackedParamsBase");
TSR_CUSTOM_CLASS(conv2d, "quantized.Conv2dPackedParamsBase");
TSR_CUSTOM_CLASS(conv3d, "quantized.Conv3dPackedParamsBase");

static tsr_status state_of(tsr_ctx *ctx, tsr_val packed, tsr_val *out) {
  if (packed.tag != TSR_V_OBJECT || !packed.obj->cls->is_custom || packed.obj->count < 1) return bad(ctx, "not an object of torch.classes.quantized");
  *out = packed.obj->slots[0];
  return TSR_OK;
}

static bool items_of(tsr_val v, const tsr_val **items, size_t *n) {
  if (v.tag == TSR_V_TUPLE) *items = v.u->items, *n = v.u->len;
  else if (v.tag == TSR_V_LIST) *items = v.l->items, *n = v.l->len;
  else return false;
  return true;
}

static tsr_tensor *tensor_or_null(tsr_val v) { return v.tag == TSR_V_TENSOR && v.t->numel > 0 ? v.t : NULL; }

tsr_status tsr_qlinear_read(tsr_ctx *ctx, tsr_qlinear *out, tsr_val packed) {
  tsr_val state = tsr_none();
  const tsr_val *v;
  size_t n;
  TSR_TRY(state_of(ctx, packed, &state));
  if (!items_of(state, &v, &n) || n != 2 || v[0].tag != TSR_V_TENSOR || v[0].t->ndim != 2) return bad(ctx, "expected (weight, bias) of a linear layer");
  out->weight = v[0].t;
  out->bias = tensor_or_null(v[1]);
  return TSR_OK;
}

/* A tensor or a list of numbers or of one-element tensors, as integers. */
static tsr_status integers(tsr_ctx *ctx, tsr_val v, int64_t *out, size_t cap, size_t *n) {
  const tsr_val *items;
  if (v.tag == TSR_V_TENSOR) {
    *n = (size_t)v.t->numel;
    for (int64_t i = 0; i < v.t->numel && (size_t)i < cap; i++) out[i] = tsr_tensor_get(ctx->mem, v.t, i).i;
  } else if (items_of(v, &items, n)) {
    for (size_t i = 0; i < *n && i < cap; i++) {
      tsr_val x = items[i];
      if (x.tag == TSR_V_TENSOR && x.t->numel == 1) x = tsr_tensor_get(ctx->mem, x.t, 0);
      if (x.tag != TSR_V_INT) return bad(ctx, "expected integers");
      out[i] = x.i;
    }
  } else {
    return bad(ctx, "expected integers");
  }
  return *n <= cap ? TSR_OK : bad(ctx, "too many integers");
}

static tsr_status finish_conv(tsr_ctx *ctx, const tsr_qconv *c) {
  if (c->weight == NULL || c->weight->ndim != c->dims + 2 || c->dims < 1 || c->dims > 3 || c->groups < 1) return bad(ctx, "weight and configuration of a convolution do not belong together");
  return TSR_OK;
}

/* config: dims, stride, padding, dilation, output_padding, groups, flags (bit 0: transposed) */
static tsr_status read_config(tsr_ctx *ctx, tsr_qconv *c, tsr_val v) {
  int64_t x[32];
  size_t n;
  TSR_TRY(integers(ctx, v, x, TSR_COUNT(x), &n));
  if (n < 1 || x[0] < 1 || x[0] > 3 || n != (size_t)(4 * x[0] + 3)) return bad(ctx, "malformed configuration of a convolution");
  c->dims = (int)x[0];
  for (int d = 0; d < c->dims; d++) {
    c->stride[d] = x[1 + d];
    c->padding[d] = x[1 + c->dims + d];
    c->dilation[d] = x[1 + 2 * c->dims + d];
    c->output_padding[d] = x[1 + 3 * c->dims + d];
  }
  c->groups = x[1 + 4 * c->dims];
  c->transposed = (x[2 + 4 * c->dims] & 1) != 0;
  return TSR_OK;
}

static tsr_status read_fields(tsr_ctx *ctx, tsr_qconv *c, const tsr_val *v, size_t n) { /* version 1 */
  size_t count;
  if (n < 6 || v[0].tag != TSR_V_TENSOR) return bad(ctx, "malformed state of a convolution");
  c->weight = v[0].t;
  c->bias = tensor_or_null(v[1]);
  c->dims = v[0].t->ndim - 2;
  TSR_TRY(integers(ctx, v[2], c->stride, 3, &count));
  TSR_TRY(integers(ctx, v[3], c->padding, 3, &count));
  TSR_TRY(integers(ctx, v[4], c->dilation, 3, &count));
  if (v[5].tag == TSR_V_INT) c->groups = v[5].i;
  else TSR_TRY(integers(ctx, v[5], &c->groups, 1, &count));
  return TSR_OK;
}

tsr_status tsr_qconv_read(tsr_ctx *ctx, tsr_qconv *out, tsr_val packed) {
  tsr_val state = tsr_none();
  const tsr_val *v, *a, *b;
  size_t n, na, nb;
  memset(out, 0, sizeof *out);
  TSR_TRY(state_of(ctx, packed, &state));
  if (!items_of(state, &v, &n) || n < 3) return bad(ctx, "malformed state of a convolution");
  if (v[0].tag == TSR_V_STR) { /* version 2: ("2", [config, weight], [bias]) */
    if (!items_of(v[1], &a, &na) || !items_of(v[2], &b, &nb) || na < 2) return bad(ctx, "malformed state of a convolution");
    TSR_TRY(read_config(ctx, out, a[0]));
    out->weight = a[1].tag == TSR_V_TENSOR ? a[1].t : NULL;
    out->bias = nb > 0 ? tensor_or_null(b[0]) : NULL;
  } else if (v[0].tag == TSR_V_INT) { /* version 3: (3, config, [None, weight, bias]) */
    if (!items_of(v[2], &b, &nb) || nb < 2) return bad(ctx, "malformed state of a convolution");
    TSR_TRY(read_config(ctx, out, v[1]));
    out->weight = b[1].tag == TSR_V_TENSOR ? b[1].t : NULL;
    out->bias = nb > 2 ? tensor_or_null(b[2]) : NULL;
  } else {
    TSR_TRY(read_fields(ctx, out, v, n));
  }
  return finish_conv(ctx, out);
}

static tsr_status make_object(tsr_ctx *ctx, tsr_val *out, tsr_class *cls, tsr_tuple *state) {
  TSR_TRY(tsr_custom_new(ctx, out, cls, state));
  return tsr_temp(ctx, *out);
}

static tsr_val tensor_val(tsr_tensor *t) { return t == NULL ? tsr_none() : tsr_retain(tsr_from_obj(t)); }

tsr_status tsr_qlinear_make(tsr_ctx *ctx, tsr_val *out, tsr_tensor *weight, tsr_tensor *bias) {
  tsr_tuple *state = tsr_tuple_new(ctx->mem, NULL, 2);
  if (state != NULL) {
    state->items[0] = tensor_val(weight);
    state->items[1] = tensor_val(bias);
  }
  return make_object(ctx, out, &linear_class, state);
}

tsr_status tsr_qconv_make(tsr_ctx *ctx, tsr_val *out, const tsr_qconv *c) { /* version 3 */
  tsr_tuple *state = tsr_tuple_new(ctx->mem, NULL, 3);
  tsr_list *config = tsr_list_new(ctx->mem, &tsr_type_int, 16), *tensors = tsr_list_new(ctx->mem, NULL, 3);
  if (state == NULL || config == NULL || tensors == NULL) {
    tsr_obj_release(state);
    tsr_obj_release(config);
    tsr_obj_release(tensors);
    return tsr_ctx_nomem(ctx);
  }
  const int64_t *groups[] = {c->stride, c->padding, c->dilation, c->output_padding};
  tsr_list_push_take(config, tsr_int(c->dims));
  for (size_t g = 0; g < TSR_COUNT(groups); g++) {
    for (int d = 0; d < c->dims; d++) tsr_list_push_take(config, tsr_int(groups[g][d]));
  }
  tsr_list_push_take(config, tsr_int(c->groups));
  tsr_list_push_take(config, tsr_int(c->transposed));
  tsr_list_push_take(tensors, tsr_none());
  tsr_list_push_take(tensors, tensor_val(c->weight));
  tsr_list_push_take(tensors, tensor_val(c->bias));
  state->items[0] = tsr_int(3);
  state->items[1] = tsr_from_obj(config);
  state->items[2] = tsr_from_obj(tensors);
  return make_object(ctx, out, c->dims == 3 ? &conv3d_class : &conv2d_class, state);
}
