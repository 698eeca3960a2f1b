/* Embeddings whose rows are quantized each for itself: packed bytes (values, then scale and offset of the row), 8, 4 or
 * 2 bits a value, and packed parameters that hold a tensor quantized along its rows. */
#include <float.h>
#include <math.h>

#include "ops/quant_packed.h"

static tsr_status bad(tsr_ctx *ctx, const char *what) { return tsr_op_fail(ctx, "packed parameters of a quantized embedding: %s", what); }

/* How rows are packed: 8 bits keep scale and offset in float32, fewer in half precision. */
typedef struct rows { int bits; } rows;
static const rows bits8 = {8}, bits4 = {4}, bits2 = {2};

static int64_t tail_of(const rows *r) { return r->bits == 8 ? 8 : 4; }

static float as_half(float x) {
  uint16_t h;
  tsr_convert(TSR_FLOAT16, &h, TSR_FLOAT32, &x, 1);
  tsr_convert(TSR_FLOAT32, &x, TSR_FLOAT16, &h, 1);
  return x;
}

static void put_half(uint8_t *to, float x) {
  uint16_t h;
  tsr_convert(TSR_FLOAT16, &h, TSR_FLOAT32, &x, 1);
  memcpy(to, &h, sizeof h);
}

static float get_half(const uint8_t *from) {
  uint16_t h;
  float x;
  memcpy(&h, from, sizeof h);
  tsr_convert(TSR_FLOAT32, &x, TSR_FLOAT16, &h, 1);
  return x;
}

/* ---- the range that loses least: shrink it from the side that costs less ---- */

static float range_loss(const float *x, int64_t n, float lo, float hi, int bits) {
  lo = as_half(lo);
  float range = hi - lo, top = (float)((1 << bits) - 1), sum = 0;
  float scale = range == 0 ? 1 : as_half(range / top), inverse = scale == 0 ? 1 : 1 / scale;
  for (int64_t i = 0; i < n; i++) {
    float q = fmaxf(0, fminf(nearbyintf((x[i] - lo) * inverse), top)), d = x[i] - (q * scale + lo);
    sum += d * d;
  }
  return sqrtf(sum);
}

static void choose_range(const float *x, int64_t n, int64_t bins, double ratio, int bits, float *lo, float *hi) {
  float step = (*hi - *lo) / (float)bins, least = (float)(int64_t)((float)bins * (1 - (float)ratio)) * step;
  float at_lo = *lo, at_hi = *hi, best = range_loss(x, n, *lo, *hi, bits), loss = best;
  while (step > 0 && at_lo + least < at_hi) {
    float left = range_loss(x, n, at_lo + step, at_hi, bits), right = range_loss(x, n, at_lo, at_hi - step, bits);
    if (loss < left && loss < right && loss < best) {
      best = loss;
      *lo = at_lo;
      *hi = at_hi;
    }
    if (left < right) at_lo += step, loss = left;
    else at_hi -= step, loss = right;
  }
}

static void range_of(const float *x, int64_t n, float *lo, float *hi) {
  *lo = n > 0 ? x[0] : FLT_MAX;
  *hi = n > 0 ? x[0] : -FLT_MAX;
  for (int64_t i = 1; i < n; i++) {
    *lo = fminf(*lo, x[i]);
    *hi = fmaxf(*hi, x[i]);
  }
}

TSR_KERNEL(choose_qparams_optimized) { /* (input, numel, bins, ratio, bits) -> max, min */
  tsr_ctx *ctx = c->ctx;
  tsr_tensor *x, *out[2];
  int64_t n = tsr_arg_int(c, 1), bins = tsr_arg_int(c, 2), one = 1;
  float ends[2];
  if (tsr_arg_tensor(c, 0)->dtype != TSR_FLOAT32) return tsr_op_fail(ctx, "expected scalar type Float but found %s", tsr_dtype_get_info(tsr_arg_tensor(c, 0)->dtype)->cpp_name);
  TSR_TRY(tsr_ready(ctx, &x, tsr_arg_tensor(c, 0), TSR_FLOAT32));
  if (x->numel == 0) return tsr_op_fail(ctx, "input tensor is empty and has no data");
  if (n < 0 || n > x->numel) return tsr_op_fail(ctx, "numel is out of the bound of input tensor");
  if (bins < 0) return tsr_op_fail(ctx, "choose_qparams_optimized: %lld bins", (long long)bins); /* PyTorch would not come to an end */
  range_of(tsr_tensor_data_ro(x), TSR_MAX(n, 1), &ends[1], &ends[0]);
  choose_range(tsr_tensor_data_ro(x), n, bins, tsr_arg_float(c, 3), (int)tsr_arg_int(c, 4), &ends[1], &ends[0]);
  for (uint32_t i = 0; i < 2; i++) {
    TSR_TRY(tsr_new(ctx, &out[i], TSR_FLOAT32, 1, &one));
    memcpy(out[i]->storage->data, &ends[i], sizeof ends[i]);
    TSR_TRY(tsr_ret_tensor(c, i, out[i]));
  }
  return TSR_OK;
}

/* ---- packing ---- */

static void pack_byte_row(const float *x, int64_t n, float lo, float hi, uint8_t *out) {
  float range = hi - lo, scale = range / 255, inverse = 255 / (range + 1e-8f);
  for (int64_t i = 0; i < n; i++) out[i] = (uint8_t)lrintf((x[i] - lo) * inverse);
  memcpy(out + n, &scale, sizeof scale);
  memcpy(out + n + 4, &lo, sizeof lo);
}

static void pack_bits_row(const float *x, int64_t n, float lo, float hi, int bits, uint8_t *out) {
  int each = 8 / bits, top = (1 << bits) - 1;
  lo = as_half(lo);
  float range = hi - lo, scale = as_half(range == 0 ? 1 : range / (float)top), inverse = scale == 0 ? 1 : 1 / scale;
  if (scale == 0 || isinf(inverse)) scale = inverse = 1;
  int64_t bytes = (n + each - 1) / each;
  memset(out, 0, (size_t)bytes);
  for (int64_t i = 0; i < n; i++) {
    int64_t q = lrintf((x[i] - lo) * inverse);
    q = q < 0 ? 0 : q > top ? top : q;
    out[i / each] = (uint8_t)(out[i / each] | q << (i % each * bits));
  }
  put_half(out + bytes, scale);
  put_half(out + bytes + 2, lo);
}

/* (weight[, optimized, bins, ratio]) or (weight, ranges of the rows[, …]) */
TSR_KERNEL(pack) {
  const rows *r = c->op->data;
  tsr_ctx *ctx = c->ctx;
  tsr_tensor *w = tsr_arg_tensor(c, 0), *ends = NULL, *y;
  bool given = c->nargs > 1 && c->args[1].tag == TSR_V_TENSOR;
  uint32_t at = given ? 2 : 1;
  bool search = c->nargs > at && tsr_arg_bool(c, at);
  int64_t size[TSR_MAX_NDIM], n = w->ndim > 0 ? w->size[w->ndim - 1] : 0, each = 8 / r->bits;
  if (w->dtype != TSR_FLOAT32 && w->dtype != TSR_FLOAT16) return tsr_op_fail(ctx, "'embedding_bag%s_prepack' only support float32 or float16.", r->bits == 8 ? "_byte" : "");
  if (w->ndim < 1 || (r->bits < 8 && w->ndim != 2)) return tsr_op_fail(ctx, "embedding_bag_prepack: expected a matrix, but got %d dimensions", w->ndim);
  if (r->bits < 8 && n % each != 0) return tsr_op_fail(ctx, "qembeddingbag_%dbit_prepack only works for the number of columns a multiple of %lld", r->bits, (long long)each);
  TSR_TRY(tsr_ready(ctx, &w, w, TSR_FLOAT32));
  int64_t count = 1;
  for (int d = 0; d < w->ndim - 1; d++) count *= w->size[d];
  if (given) {
    TSR_TRY(tsr_ready(ctx, &ends, tsr_arg_tensor(c, 1), TSR_FLOAT32));
    if (ends->numel != 2 * count) return tsr_op_fail(ctx, "embedding_bag_prepack: expected two ends of a range for each of %lld rows", (long long)count);
  }
  memcpy(size, w->size, w->ndim * sizeof *size);
  size[w->ndim - 1] = (n + each - 1) / each + tail_of(r);
  TSR_TRY(tsr_new(ctx, &y, TSR_UINT8, w->ndim, size));
  const float *x = tsr_tensor_data_ro(w), *e = given ? tsr_tensor_data_ro(ends) : NULL;
  for (int64_t i = 0; i < count; i++) {
    float lo, hi;
    uint8_t *out = (uint8_t *)y->storage->data + i * size[w->ndim - 1];
    if (given) lo = e[2 * i], hi = e[2 * i + 1];
    else range_of(x + i * n, n, &lo, &hi);
    if (search) choose_range(x + i * n, n, tsr_arg_int(c, at + 1), tsr_arg_float(c, at + 2), r->bits, &lo, &hi);
    if (r->bits == 8) pack_byte_row(x + i * n, n, lo, hi, out);
    else pack_bits_row(x + i * n, n, lo, hi, r->bits, out);
  }
  return tsr_ret_tensor(c, 0, y);
}

static tsr_status unpack_rows(tsr_ctx *ctx, tsr_tensor **out, tsr_tensor *packed, const rows *r) {
  int64_t size[TSR_MAX_NDIM], each = 8 / r->bits, last = packed->ndim > 0 ? packed->size[packed->ndim - 1] : 0, bytes = last - tail_of(r), n = bytes * each;
  if (packed->dtype != TSR_UINT8 || packed->ndim < 1 || bytes < 0) return tsr_op_fail(ctx, "expected packed rows of bytes with scale and offset at the end");
  TSR_TRY(tsr_contiguous(ctx, &packed, packed));
  memcpy(size, packed->size, packed->ndim * sizeof *size);
  size[packed->ndim - 1] = n;
  TSR_TRY(tsr_new(ctx, out, TSR_FLOAT32, packed->ndim, size));
  int64_t count = packed->numel / last;
  for (int64_t i = 0; i < count; i++) {
    const uint8_t *in = (const uint8_t *)tsr_tensor_data_ro(packed) + i * last;
    float *y = (float *)(*out)->storage->data + i * n, scale, offset;
    if (r->bits == 8) {
      memcpy(&scale, in + bytes, sizeof scale);
      memcpy(&offset, in + bytes + 4, sizeof offset);
    } else {
      scale = get_half(in + bytes);
      offset = get_half(in + bytes + 2);
    }
    for (int64_t k = 0; k < n; k++) y[k] = (float)(in[k / each] >> (k % each * r->bits) & ((1 << r->bits) - 1)) * scale + offset;
  }
  return TSR_OK;
}

TSR_KERNEL(unpack) {
  tsr_tensor *y;
  TSR_TRY(unpack_rows(c->ctx, &y, tsr_arg_tensor(c, 0), c->op->data));
  return tsr_ret_tensor(c, 0, y);
}

/* ---- looking up ---- */

static bool items_of(tsr_val v, const tsr_val **items, size_t *n) {
  if (v.tag == TSR_V_TUPLE) *items = v.u->items, *n = v.u->len;
  else if (v.tag == TSR_V_LIST) *items = v.l->items, *n = v.l->len;
  else return false;
  return true;
}

/* Rows of 4 bits keep scale and offset in half precision. */
static tsr_status half_rows(tsr_ctx *ctx, tsr_tensor **out, tsr_tensor *q) {
  tsr_tensor *part[2], *x;
  TSR_TRY(tsr_to_dtype(ctx, &part[0], q->quant->scales, TSR_FLOAT32));
  TSR_TRY(tsr_binary(ctx, &part[1], "mul", part[0], q->quant->zero_points));
  TSR_TRY(tsr_unary(ctx, &part[1], "neg", part[1]));
  for (int i = 0; i < 2; i++) {
    TSR_TRY(tsr_to_dtype(ctx, &part[i], part[i], TSR_FLOAT16));
    TSR_TRY(tsr_to_dtype(ctx, &part[i], part[i], TSR_FLOAT32));
    TSR_TRY(tsr_unsqueeze(ctx, &part[i], part[i], 1));
  }
  TSR_TRY(tsr_int_repr(ctx, &x, q));
  TSR_TRY(tsr_binary(ctx, &x, "mul", x, part[0]));
  return tsr_binary(ctx, out, "add", x, part[1]);
}

/* The float matrix of packed parameters: (version, [weight], [], [bits]), or of packed rows. */
static tsr_status weight_of(tsr_call *c, tsr_tensor **out, bool dequantized) {
  tsr_ctx *ctx = c->ctx;
  tsr_val packed = c->args[0];
  const tsr_val *v, *tensors;
  size_t n, nt;
  if (packed.tag == TSR_V_TENSOR) return unpack_rows(ctx, out, packed.t, c->op->data);
  if (packed.tag != TSR_V_OBJECT || !packed.obj->cls->is_custom || packed.obj->count < 1 || !items_of(packed.obj->slots[0], &v, &n) || n < 2) return bad(ctx, "not an embedding's");
  if (!items_of(v[1], &tensors, &nt) || nt < 1 || tensors[0].tag != TSR_V_TENSOR || tensors[0].t->quant == NULL) return bad(ctx, "malformed state of an embedding");
  *out = tensors[0].t;
  if (!dequantized) return TSR_OK;
  return (*out)->dtype == TSR_QUINT4X2 && (*out)->quant->scales != NULL && (*out)->ndim == 2 && (*out)->quant->axis == 0 ? half_rows(ctx, out, *out) : tsr_dequantize(ctx, out, *out);
}

TSR_KERNEL(embedding) {
  tsr_tensor *w;
  TSR_TRY(weight_of(c, &w, true));
  tsr_val args[] = {tsr_from_obj(w), c->args[1], tsr_int(-1), tsr_bool(false), tsr_bool(false)}, ret;
  TSR_TRY(tsr_invoke(c->ctx, tsr_op_get("aten::embedding", ""), args, 5, &ret, 1));
  return tsr_ret(c, 0, ret);
}

/* Pruned rows: indices go through a mapping first, and those mapped to -1 count as nothing (a weight of 0). */
static tsr_status map_pruned(tsr_call *c, tsr_tensor **indices, tsr_val *weights) {
  tsr_ctx *ctx = c->ctx;
  tsr_tensor *mapping = tsr_arg_opt_tensor(c, 7), *w;
  if (!tsr_arg_bool(c, 5) || mapping == NULL || mapping->numel < 2) return TSR_OK;
  TSR_TRY(tsr_ready(ctx, &mapping, mapping, TSR_INT64));
  TSR_TRY(tsr_ready(ctx, indices, *indices, TSR_INT64));
  TSR_TRY(tsr_clone(ctx, indices, *indices));
  if (weights->tag == TSR_V_TENSOR) {
    TSR_TRY(tsr_ready(ctx, &w, weights->t, TSR_FLOAT32));
    TSR_TRY(tsr_clone(ctx, &w, w));
  } else {
    TSR_TRY(tsr_new(ctx, &w, TSR_FLOAT32, (*indices)->ndim, (*indices)->size));
    TSR_TRY(tsr_fill(ctx, w, tsr_scalar_int(1)));
  }
  const int64_t *m = tsr_tensor_data_ro(mapping);
  int64_t *at = (*indices)->storage->data;
  for (int64_t i = 0; i < (*indices)->numel; i++) {
    if (at[i] < 0 || at[i] >= mapping->numel) return tsr_op_fail(ctx, "embedding_bag: index %lld is outside the mapping of %lld rows", (long long)at[i], (long long)mapping->numel);
    at[i] = m[at[i]];
    if (at[i] >= 0) continue;
    at[i] = 0;
    ((float *)w->storage->data)[i] = 0;
  }
  *weights = tsr_from_obj(w);
  return TSR_OK;
}

/* (packed, indices, offsets?, scale_grad, mode, pruned, weights?, mapping?, include_last): always sums */
TSR_KERNEL(embedding_bag) {
  tsr_tensor *w, *offsets = tsr_arg_opt_tensor(c, 2), *indices = tsr_arg_tensor(c, 1);
  tsr_val weights = c->args[6];
  TSR_TRY(weight_of(c, &w, true));
  if (offsets == NULL) { /* rows of a matrix are bags */
    int64_t n = indices->ndim == 2 ? indices->size[0] : 0, flat = indices->numel;
    if (indices->ndim != 2) return tsr_op_fail(c->ctx, "embedding_bag: expected offsets, or indices with 2 dimensions");
    TSR_TRY(tsr_new(c->ctx, &offsets, TSR_INT64, 1, &n));
    for (int64_t i = 0; i < n; i++) ((int64_t *)offsets->storage->data)[i] = i * indices->size[1];
    TSR_TRY(tsr_reshape(c->ctx, &indices, indices, 1, &flat));
  }
  TSR_TRY(map_pruned(c, &indices, &weights));
  if (indices->dtype != offsets->dtype) {
    TSR_TRY(tsr_to_dtype(c->ctx, &indices, indices, TSR_INT64));
    TSR_TRY(tsr_to_dtype(c->ctx, &offsets, offsets, TSR_INT64));
  }
  tsr_val args[] = {tsr_from_obj(w), tsr_from_obj(indices), tsr_from_obj(offsets), tsr_bool(false), tsr_int(0), tsr_bool(false), weights, c->args[8]}, rets[4];
  TSR_TRY(tsr_invoke(c->ctx, tsr_op_get("aten::embedding_bag", ""), args, 8, rets, 4));
  return tsr_ret(c, 0, rets[0]);
}

/* ---- packed parameters ---- */

TSR_CUSTOM_CLASS(embedding, "quantized.EmbeddingPackedParamsBase");

static tsr_list *list_of(tsr_ctx *ctx, const tsr_type *elem, const tsr_val *item) {
  tsr_list *l = tsr_list_new(ctx->mem, elem, 1);
  if (l != NULL && item != NULL) tsr_list_push_take(l, tsr_retain(*item));
  return l;
}

TSR_KERNEL(make_packed) {
  tsr_ctx *ctx = c->ctx;
  tsr_tensor *w = tsr_arg_tensor(c, 0);
  if (w->quant == NULL || w->quant->scales == NULL) return tsr_op_fail(ctx, "Expect embedding_bag weights to be quantized using kPerChannelAffineFloatQParams");
  if (w->dtype != TSR_QUINT8 && w->dtype != TSR_QUINT4X2) return tsr_op_fail(ctx, "qembedding_bag_prepack currently only supports quint8 and quint4x2 weights");
  tsr_val bits = tsr_int(8 / tsr_dtype_packed((tsr_dtype)w->dtype));
  tsr_tuple *state = tsr_tuple_new(ctx->mem, NULL, 4);
  tsr_object *o = tsr_object_new(ctx->mem, &embedding_class, 1);
  tsr_list *l[] = {list_of(ctx, &tsr_type_tensor, &c->args[0]), list_of(ctx, &tsr_type_float, NULL), list_of(ctx, &tsr_type_int, &bits)};
  if (state == NULL || o == NULL || l[0] == NULL || l[1] == NULL || l[2] == NULL) {
    tsr_obj_release(state);
    tsr_obj_release(o);
    for (int i = 0; i < 3; i++) tsr_obj_release(l[i]);
    return tsr_ctx_nomem(ctx);
  }
  state->items[0] = tsr_int(1);
  for (int i = 0; i < 3; i++) state->items[i + 1] = tsr_from_obj(l[i]);
  o->slots[0] = tsr_from_obj(state);
  c->rets[0] = tsr_from_obj(o);
  return TSR_OK;
}

TSR_KERNEL(packed_weight) {
  tsr_tensor *w;
  TSR_TRY(weight_of(c, &w, false));
  return tsr_ret_tensor(c, 0, w);
}

/* State: (version, [weight], [], [bits of an element]). */
static tsr_status packed_number(tsr_call *c, size_t at) {
  const tsr_val *v, *longs;
  size_t n, count;
  tsr_val packed = c->args[0];
  if (packed.tag != TSR_V_OBJECT || packed.obj->count < 1 || !items_of(packed.obj->slots[0], &v, &n) || n < 4 || v[0].tag != TSR_V_INT ||
      !items_of(v[3], &longs, &count) || count < 1 || longs[0].tag != TSR_V_INT)
    return bad(c->ctx, "malformed state of an embedding");
  return tsr_ret_int(c, at == 0 ? v[0].i : longs[0].i);
}

TSR_KERNEL(packed_version) { return packed_number(c, 0); }
TSR_KERNEL(packed_bits) { return packed_number(c, 3); }

#define P TSR_PURE
#define EMB "__torch__.torch.classes.quantized.EmbeddingPackedParamsBase"
#define BAG "Tensor indices, Tensor? offsets=None, bool scale_grad_by_freq=False, int mode=0, bool pruned_weights=False, " \
  "Tensor? per_sample_weights=None, Tensor? compressed_indices_mapping=None, bool include_last_offset=False) -> Tensor"
#define SEARCH ", bool optimized_qparams=False, int nbins=200, float ratio=0.16"
#define ROWS(n, search, b)                                                                                                          \
  {"quantized::embedding_bag_" n "_prepack(Tensor weight" search ") -> Tensor", op_pack, P, &b},                                    \
  {"quantized::embedding_bag_" n "_prepack_with_rowwise_min_max(Tensor weight, Tensor rowwise_min_max" search ") -> Tensor", op_pack, P, &b}, \
  {"quantized::embedding_bag_" n "_unpack(Tensor weight) -> Tensor", op_unpack, P, &b},                                             \
  {"quantized::embedding_bag_" n "_rowwise_offsets(Tensor weight, " BAG, op_embedding_bag, P, &b}
const tsr_op tsr_ops_quant_embedding[] = {
    ROWS("byte", "", bits8),
    ROWS("4bit", SEARCH, bits4),
    ROWS("2bit", SEARCH, bits2),
    {"quantized::embedding_byte(" EMB " weight, Tensor indices, bool pruned_weights=False) -> Tensor", op_embedding, P},
    {"quantized::embedding_4bit(" EMB " weight, Tensor indices, bool pruned_weights=False) -> Tensor", op_embedding, P},
    {"quantized::embedding_bag_byte(" EMB " weight, " BAG, op_embedding_bag, P},
    {"quantized::embedding_bag_4bit(" EMB " weight, " BAG, op_embedding_bag, P},
    {"quantized::embedding_bag_prepack(Tensor weight) -> " EMB " W_prepack", op_make_packed, P},
    {"quantized::EmbeddingPackedParamsBase_unpack(" EMB " self) -> Tensor", op_packed_weight, P},
    {"quantized::EmbeddingPackedParamsBase_bit_rate(" EMB " self) -> int", op_packed_bits, P},
    {"quantized::EmbeddingPackedParamsBase_version(" EMB " self) -> int", op_packed_version, P},
    {"quantized::embedding_bag_unpack(" EMB " W_prepack) -> Tensor W_origin", op_packed_weight, P},
    {"aten::choose_qparams_optimized(Tensor input, int numel, int n_bins, float ratio, int bit_width) -> (Tensor, Tensor)", op_choose_qparams_optimized, P},
    {0},
};
