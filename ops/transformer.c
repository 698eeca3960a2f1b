/* The fast-path operators of torch.nn.MultiheadAttention and TransformerEncoderLayer, and the nested
 * tensors that travel between them. */
#include <math.h>
#include <stdlib.h>

#include "ops/attention.h"
#include "ops/nested.h"
#include "ops/product.h"
#include "ops/site.h"

/* ---- nested tensors ---- */

tsr_status tsr_nested_new(tsr_ctx *ctx, tsr_tensor **out, tsr_tensor *padded, tsr_tensor *lengths) {
  tsr_tensor *t = tsr_tensor_alias(ctx->mem, padded);
  if (t == NULL) return tsr_ctx_nomem(ctx);
  TSR_TRY(tsr_temp(ctx, tsr_from_obj(t)));
  t->sparse = tsr_zalloc(ctx->mem, sizeof *t->sparse);
  if (t->sparse == NULL) return tsr_ctx_nomem(ctx);
  t->layout = TSR_LAYOUT_NESTED;
  tsr_obj_retain(padded);
  tsr_obj_retain(lengths);
  t->sparse->values = padded;
  t->sparse->a = lengths;
  *out = t;
  return TSR_OK;
}

tsr_status tsr_nested_padding_mask(tsr_ctx *ctx, tsr_tensor **out, const tsr_tensor *t) {
  const int64_t *lengths = tsr_tensor_data_ro(tsr_nested_lengths(t));
  TSR_TRY(tsr_new(ctx, out, TSR_BOOL, 2, t->size));
  uint8_t *m = (*out)->storage->data;
  for (int64_t b = 0; b < t->size[0]; b++) {
    for (int64_t l = 0; l < t->size[1]; l++) *m++ = l >= lengths[b];
  }
  return TSR_OK;
}

/* Lengths of a mask whose true values come first in each row; false: they do not. */
static tsr_status mask_lengths(tsr_ctx *ctx, tsr_tensor **out, tsr_tensor *t, tsr_tensor *mask, bool *aligned) {
  if (t->ndim != 3 || mask->ndim != 2 || mask->dtype != TSR_BOOL) return tsr_op_fail(ctx, "_nested_tensor_from_mask: expected a 3-D tensor and a 2-D bool mask");
  if (mask->size[0] != t->size[0] || mask->size[1] != t->size[1]) return tsr_op_fail(ctx, "_nested_tensor_from_mask: mask does not match the tensor's first two dimensions");
  TSR_TRY(tsr_contiguous(ctx, &mask, mask));
  TSR_TRY(tsr_new(ctx, out, TSR_INT64, 1, mask->size));
  const uint8_t *m = tsr_tensor_data_ro(mask);
  *aligned = true;
  for (int64_t b = 0; b < mask->size[0]; b++, m += mask->size[1]) {
    int64_t n = 0;
    while (n < mask->size[1] && m[n] != 0) n++;
    ((int64_t *)(*out)->storage->data)[b] = n;
    for (int64_t l = n; l < mask->size[1]; l++) *aligned &= m[l] == 0;
  }
  return TSR_OK;
}

TSR_KERNEL(nested_from_mask) {
  tsr_tensor *lengths, *out;
  bool aligned;
  TSR_TRY(mask_lengths(c->ctx, &lengths, tsr_arg_tensor(c, 0), tsr_arg_tensor(c, 1), &aligned));
  if (!aligned) return tsr_op_fail(c->ctx, "Mask must have left-aligned without gaps");
  TSR_TRY(tsr_contiguous(c->ctx, &out, tsr_arg_tensor(c, 0)));
  TSR_TRY(tsr_nested_new(c->ctx, &out, out, lengths));
  return tsr_ret_tensor(c, 0, out);
}

TSR_KERNEL(left_aligned) {
  tsr_tensor *lengths;
  bool aligned;
  TSR_TRY(mask_lengths(c->ctx, &lengths, tsr_arg_tensor(c, 0), tsr_arg_tensor(c, 1), &aligned));
  return tsr_ret_bool(c, aligned);
}

TSR_KERNEL(to_padded) {
  tsr_ctx *ctx = c->ctx;
  tsr_tensor *t = tsr_arg_tensor(c, 0), *x, *mask, *fill, *out;
  int64_t n;
  const int64_t *size = tsr_arg_ints(c, 2, &n);
  if (ctx->err.status != TSR_OK) return ctx->err.status;
  if (!tsr_is_nested(t)) return tsr_op_fail(ctx, "to_padded_tensor: the tensor is not nested");
  x = tsr_nested_padded(t);
  if (size != NULL && (n != x->ndim || memcmp(size, x->size, (size_t)n * sizeof *size) != 0)) {
    for (int64_t d = 0; d < n && n == x->ndim; d++) {
      if (size[d] < x->size[d]) return tsr_op_fail(ctx, "Value in output_size is less than NestedTensor padded size. Truncation is not supported.");
    }
    return tsr_fail(&ctx->err, TSR_EUNSUPPORTED, "to_padded_tensor to another size than the padded one");
  }
  TSR_TRY(tsr_nested_padding_mask(ctx, &mask, t));
  for (int d = 2; d < x->ndim; d++) TSR_TRY(tsr_unsqueeze(ctx, &mask, mask, -1));
  TSR_TRY(tsr_new_scalar(ctx, &fill, (tsr_dtype)x->dtype, tsr_scalar_float(tsr_arg_float(c, 1))));
  TSR_TRY(tsr_where(ctx, &out, mask, fill, x));
  return tsr_ret_tensor(c, 0, out);
}

/* Nested tensors may stand in the first `nested` arguments; other layouts nowhere. */
static tsr_status check_layouts(tsr_call *c, uint32_t nested) {
  for (uint32_t i = 0; i < c->nargs; i++) {
    const tsr_tensor *t = tsr_arg_opt_tensor(c, i);
    if (t == NULL || t->layout == 0 || (i < nested && tsr_is_nested(t))) continue;
    return tsr_fail(&c->ctx->err, TSR_EUNSUPPORTED, "%.*s is not available for sparse tensors", (int)strcspn(c->op->schema, "("), c->op->schema);
  }
  return TSR_OK;
}

TSR_KERNEL(is_nested) { return tsr_ret_bool(c, tsr_is_nested(tsr_arg_tensor(c, 0))); }

/* ---- weights of one call site, packed once each ---- */

enum { MAX_WEIGHTS = 4 };
typedef struct sites { tsr_site s[MAX_WEIGHTS]; } sites;

static void free_sites(void *data) {
  sites *s = data;
  for (int i = 0; i < MAX_WEIGHTS; i++) {
    if (s->s[i].free_fn != NULL) s->s[i].free_fn(s->s[i].data);
  }
  free(s);
}

/* NULL when the weights may change between calls, or there is no memory: they are packed each time then. */
static sites *get_sites(tsr_call *c, uint64_t weights) {
  if (c->site == NULL || (c->constant & weights) != weights) return NULL;
  sites *s = tsr_site_get(c->site);
  if (s != NULL) return s;
  s = calloc(1, sizeof *s);
  return s == NULL ? NULL : tsr_site_publish(c->site, s, free_sites);
}

static tsr_status affine(tsr_ctx *ctx, sites *s, int i, tsr_tensor **out, tsr_tensor *x, tsr_tensor *w, tsr_tensor *b, tsr_tensor *residual, tsr_act act) {
  tsr_epi epi = {.act = act};
  return tsr_affine(ctx, s == NULL ? NULL : &s->s[i], out, x, w, b, residual, &epi);
}

/* Pack the weights at args[at[i]] into their sites. */
static tsr_status prepare_weights(tsr_call *c, uint64_t weights, const uint32_t *at, int n) {
  sites *s = get_sites(c, weights);
  for (int i = 0; i < n && s != NULL; i++) TSR_TRY(tsr_affine_prepare(c->ctx, &s->s[i], tsr_arg_tensor(c, at[i])));
  return TSR_OK;
}

/* ---- multi-head attention ---- */

typedef struct mha {
  int64_t heads, embed;
  tsr_tensor *qkv_w, *qkv_b, *out_w, *out_b;
  tsr_tensor *mask;  /* bool, true is left out, or NULL */
  int64_t mask_type; /* 0: [l, s], 1: [b, s], 2: [b, h, l, s], or such that broadcast */
  bool weights;      /* also give the attention weights, averaged over heads */
  bool average;
} mha;

/* [b, l, e] to [b, heads, l, e / heads] */
static tsr_status split_heads(tsr_ctx *ctx, tsr_tensor **out, tsr_tensor *x, int64_t heads) {
  int64_t size[] = {x->size[0], x->size[1], heads, x->size[2] / heads};
  TSR_TRY(tsr_reshape(ctx, out, x, 4, size));
  return tsr_transpose(ctx, out, *out, 1, 2);
}

static tsr_status rows_of(tsr_ctx *ctx, tsr_tensor **out, tsr_tensor *t, int64_t part, int64_t embed) { return tsr_narrow(ctx, out, t, 0, part * embed, embed); }

static tsr_status project(tsr_ctx *ctx, sites *s, const mha *m, tsr_tensor *q, tsr_tensor *k, tsr_tensor *v, tsr_tensor **out) {
  if (q == k && k == v) {
    tsr_tensor *all;
    TSR_TRY(affine(ctx, s, 0, &all, q, m->qkv_w, m->qkv_b, NULL, TSR_ACT_NONE));
    for (int i = 0; i < 3; i++) TSR_TRY(tsr_narrow(ctx, &out[i], all, 2, i * m->embed, m->embed));
  } else {
    tsr_tensor *in[] = {q, k, v}, *w, *b;
    for (int i = 0; i < 3; i++) {
      TSR_TRY(rows_of(ctx, &w, m->qkv_w, i, m->embed));
      TSR_TRY(rows_of(ctx, &b, m->qkv_b, i, m->embed));
      TSR_TRY(affine(ctx, NULL, 0, &out[i], in[i], w, b, NULL, TSR_ACT_NONE));
    }
  }
  for (int i = 0; i < 3; i++) TSR_TRY(split_heads(ctx, &out[i], out[i], m->heads));
  return TSR_OK;
}

/* true where a key takes part, broadcastable to [b, h, l, s] */
static tsr_status keep_mask(tsr_ctx *ctx, const mha *m, tsr_tensor **out) {
  *out = NULL;
  if (m->mask == NULL) return TSR_OK;
  tsr_tensor *mask = m->mask;
  if (mask->dtype != TSR_BOOL) {
    *out = mask; /* added to the scores */
  } else {
    TSR_TRY(tsr_unary(ctx, out, "logical_not", mask));
  }
  if (m->mask_type == 1 && mask->ndim == 2) {
    TSR_TRY(tsr_unsqueeze(ctx, out, *out, 1));
    TSR_TRY(tsr_unsqueeze(ctx, out, *out, 1));
  }
  return TSR_OK;
}

/* With the weights wanted, the scores are stored. */
static tsr_status with_weights(tsr_ctx *ctx, const mha *m, tsr_tensor **x, tsr_tensor *keep, tsr_tensor **out, tsr_tensor **weights) {
  tsr_tensor *scores, *kt, *low;
  double scale = 1 / sqrt((double)x[0]->size[3]);
  TSR_TRY(tsr_transpose(ctx, &kt, x[1], 2, 3));
  TSR_TRY(tsr_matmul(ctx, &scores, x[0], kt));
  TSR_TRY(tsr_binary_scalar(ctx, &scores, "mul", scores, tsr_scalar_float(scale)));
  if (keep != NULL && keep->dtype == TSR_BOOL) {
    TSR_TRY(tsr_new_scalar(ctx, &low, (tsr_dtype)scores->dtype, tsr_scalar_float(-INFINITY)));
    TSR_TRY(tsr_where(ctx, &scores, keep, scores, low));
  } else if (keep != NULL) {
    TSR_TRY(tsr_binary(ctx, &scores, "add", scores, keep));
  }
  TSR_TRY(tsr_softmax(ctx, &scores, scores, -1, false));
  TSR_TRY(tsr_matmul(ctx, out, scores, x[2]));
  *weights = scores;
  int64_t head_dim = 1;
  return m->average ? tsr_reduce(ctx, weights, "mean", scores, 1, &head_dim, false, -1) : TSR_OK;
}

static tsr_status run_mha(tsr_ctx *ctx, sites *s, const mha *m, tsr_tensor *q, tsr_tensor *k, tsr_tensor *v, tsr_tensor *residual, tsr_tensor **out, tsr_tensor **weights) {
  tsr_tensor *x[3], *keep, *y;
  if (q->ndim != 3 || m->heads <= 0 || m->embed % m->heads != 0 || q->size[2] != m->embed) {
    return tsr_op_fail(ctx, "expected embedding dim %lld of the query to be divisible by %lld heads", (long long)m->embed, (long long)m->heads);
  }
  TSR_TRY(project(ctx, s, m, q, k, v, x));
  TSR_TRY(keep_mask(ctx, m, &keep));
  if (m->weights) TSR_TRY(with_weights(ctx, m, x, keep, &y, weights));
  else TSR_TRY(tsr_attention(ctx, &y, x[0], x[1], x[2], keep, false, 1 / sqrt((double)(m->embed / m->heads))));
  TSR_TRY(tsr_transpose(ctx, &y, y, 1, 2));
  int64_t size[] = {q->size[0], q->size[1], m->embed};
  TSR_TRY(tsr_reshape(ctx, &y, y, 3, size));
  return affine(ctx, s, 1, out, y, m->out_w, m->out_b, residual, TSR_ACT_NONE);
}

#define MHA_WEIGHTS 0x1e0u

static tsr_status prepare_mha(tsr_call *c) { return prepare_weights(c, MHA_WEIGHTS, (const uint32_t[]){5, 7}, 2); }

TSR_KERNEL(native_mha) {
  tsr_ctx *ctx = c->ctx;
  tsr_tensor *q = tsr_arg_tensor(c, 0), *k = tsr_arg_tensor(c, 1), *v = tsr_arg_tensor(c, 2), *out, *weights = NULL, *nested = NULL;
  mha m = {.embed = tsr_arg_int(c, 3), .heads = tsr_arg_int(c, 4), .qkv_w = tsr_arg_tensor(c, 5), .qkv_b = tsr_arg_tensor(c, 6), .out_w = tsr_arg_tensor(c, 7),
           .out_b = tsr_arg_tensor(c, 8), .mask = tsr_arg_opt_tensor(c, 9), .weights = tsr_arg_bool(c, 10), .average = tsr_arg_bool(c, 11), .mask_type = tsr_arg_int_or(c, 12, 2)};
  TSR_TRY(check_layouts(c, 3));
  if (tsr_is_nested(q)) {
    nested = q;
    if (m.mask == NULL) {
      TSR_TRY(tsr_nested_padding_mask(ctx, &m.mask, q));
      m.mask_type = 1;
    }
    bool self = q == k && k == v;
    q = tsr_nested_padded(q);
    k = self ? q : tsr_is_nested(k) ? tsr_nested_padded(k) : k;
    v = self ? q : tsr_is_nested(v) ? tsr_nested_padded(v) : v;
  }
  TSR_TRY(run_mha(ctx, get_sites(c, MHA_WEIGHTS), &m, q, k, v, NULL, &out, &weights));
  if (nested != NULL) TSR_TRY(tsr_nested_new(ctx, &out, out, tsr_nested_lengths(nested)));
  TSR_TRY(tsr_ret_tensor(c, 0, out));
  if (weights == NULL) { /* undefined in PyTorch: an empty tensor stands for it */
    int64_t none = 0;
    TSR_TRY(tsr_new(ctx, &weights, (tsr_dtype)q->dtype, 1, &none));
  }
  return tsr_ret_tensor(c, 1, weights);
}

/* ---- the encoder layer ---- */

static tsr_status layer_norm(tsr_ctx *ctx, tsr_tensor **out, tsr_tensor *x, tsr_tensor *w, tsr_tensor *b, double eps) {
  tsr_list *shape = tsr_list_new(ctx->mem, &tsr_type_int, 1);
  if (shape == NULL) return tsr_ctx_nomem(ctx);
  tsr_list_push_take(shape, tsr_int(x->size[x->ndim - 1]));
  TSR_TRY(tsr_temp(ctx, tsr_from_obj(shape)));
  tsr_val args[] = {tsr_from_obj(x), tsr_from_obj(shape), tsr_from_obj(w), tsr_from_obj(b), tsr_float(eps), tsr_bool(false)}, ret;
  TSR_TRY(tsr_invoke(ctx, tsr_op_get("aten::layer_norm", ""), args, 6, &ret, 1));
  *out = ret.t;
  return TSR_OK;
}

#define LAYER_WEIGHTS 0x14078u

static tsr_status prepare_layer(tsr_call *c) { return prepare_weights(c, LAYER_WEIGHTS, (const uint32_t[]){3, 5, 14, 16}, 4); }

TSR_KERNEL(encoder_layer) {
  tsr_ctx *ctx = c->ctx;
  tsr_tensor *src = tsr_arg_tensor(c, 0), *x = src, *y, *h, *none;
  bool gelu = tsr_arg_bool(c, 7), norm_first = tsr_arg_bool(c, 8);
  double eps = tsr_arg_float(c, 9);
  mha m = {.embed = tsr_arg_int(c, 1), .heads = tsr_arg_int(c, 2), .qkv_w = tsr_arg_tensor(c, 3), .qkv_b = tsr_arg_tensor(c, 4), .out_w = tsr_arg_tensor(c, 5),
           .out_b = tsr_arg_tensor(c, 6), .mask = tsr_arg_opt_tensor(c, 18), .mask_type = tsr_arg_int_or(c, 19, 2)};
  TSR_TRY(check_layouts(c, 1));
  tsr_tensor *n1w = tsr_arg_tensor(c, 10), *n1b = tsr_arg_tensor(c, 11), *n2w = tsr_arg_tensor(c, 12), *n2b = tsr_arg_tensor(c, 13);
  sites *s = get_sites(c, LAYER_WEIGHTS);
  if (tsr_is_nested(src)) {
    x = tsr_nested_padded(src);
    TSR_TRY(tsr_nested_padding_mask(ctx, &m.mask, src));
    m.mask_type = 1;
  }
  y = x;
  if (norm_first) TSR_TRY(layer_norm(ctx, &y, x, n1w, n1b, eps));
  TSR_TRY(run_mha(ctx, s, &m, y, y, y, x, &x, &none));
  if (!norm_first) TSR_TRY(layer_norm(ctx, &x, x, n1w, n1b, eps));
  y = x;
  if (norm_first) TSR_TRY(layer_norm(ctx, &y, x, n2w, n2b, eps));
  TSR_TRY(affine(ctx, s, 2, &h, y, tsr_arg_tensor(c, 14), tsr_arg_tensor(c, 15), NULL, gelu ? TSR_ACT_GELU : TSR_ACT_RELU));
  TSR_TRY(affine(ctx, s, 3, &x, h, tsr_arg_tensor(c, 16), tsr_arg_tensor(c, 17), x, TSR_ACT_NONE));
  if (!norm_first) TSR_TRY(layer_norm(ctx, &x, x, n2w, n2b, eps));
  if (tsr_is_nested(src)) TSR_TRY(tsr_nested_new(ctx, &x, x, tsr_nested_lengths(src)));
  return tsr_ret_tensor(c, 0, x);
}

const tsr_op tsr_ops_transformer[] = {
    {"aten::_native_multi_head_attention(Tensor query, Tensor key, Tensor value, int embed_dim, int num_head, Tensor qkv_weight, Tensor qkv_bias, Tensor proj_weight, Tensor proj_bias, "
     "Tensor? mask=None, bool need_weights=True, bool average_attn_weights=True, int? mask_type=None) -> (Tensor, Tensor)", op_native_mha, TSR_PURE | TSR_ANY_LAYOUT, .prepare = prepare_mha},
    {"aten::_transformer_encoder_layer_fwd(Tensor src, int embed_dim, int num_heads, Tensor qkv_weight, Tensor qkv_bias, Tensor proj_weight, Tensor proj_bias, bool use_gelu, bool norm_first, "
     "float eps, Tensor norm_weight_1, Tensor norm_bias_1, Tensor norm_weight_2, Tensor norm_bias_2, Tensor ffn_weight_1, Tensor ffn_bias_1, Tensor ffn_weight_2, Tensor ffn_bias_2, "
     "Tensor? mask=None, int? mask_type=None) -> Tensor", op_encoder_layer, TSR_PURE | TSR_ANY_LAYOUT, .prepare = prepare_layer},
    {"prim::is_nested(Tensor a) -> bool", op_is_nested, TSR_PURE | TSR_ANY_LAYOUT},
    {"aten::_nested_tensor_from_mask(Tensor t, Tensor mask, bool mask_check=True) -> Tensor", op_nested_from_mask, TSR_PURE},
    {"aten::_nested_tensor_from_mask_left_aligned(Tensor t, Tensor mask) -> bool", op_left_aligned, TSR_PURE},
    {"aten::to_padded_tensor(Tensor self, float padding, SymInt[]? output_size=None) -> Tensor", op_to_padded, TSR_PURE | TSR_ANY_LAYOUT},
    {"aten::nested_to_padded_tensor(Tensor self, float padding, int[]? output_size=None) -> Tensor", op_to_padded, TSR_PURE | TSR_ANY_LAYOUT},
    {0}};
