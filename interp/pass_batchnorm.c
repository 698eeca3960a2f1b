/* Batch normalisation in evaluation mode, after a convolution with constant weights, becomes part of
 * the weights: w' = w * g / sqrt(var + eps), b' = (b - mean) * g / sqrt(var + eps) + beta, a channel at a time. */
#include "interp/pass_util.h"

#include <math.h>
#include <stdlib.h>

typedef struct norm { const float *gamma, *beta, *mean, *var; double eps; } norm;

static tsr_tensor *const_f32(const tsr_ir_value *v) {
  tsr_val c;
  if (!tsr_ir_const_of(v, &c) || c.tag != TSR_V_TENSOR || v->def->slot != TSR_CONST_SHARED) return NULL;
  return c.t->dtype == TSR_FLOAT32 && c.t->layout == 0 && tsr_tensor_is_contiguous(c.t) ? c.t : NULL;
}

/* A vector of n float32, or None when that is allowed. */
static bool vector(const tsr_ir_value *v, int64_t n, bool optional, const float **out) {
  tsr_val c;
  *out = NULL;
  if (optional && tsr_ir_const_of(v, &c) && c.tag == TSR_V_NONE) return true;
  const tsr_tensor *t = const_f32(v);
  if (t == NULL || t->ndim != 1 || t->numel != n) return false;
  *out = tsr_tensor_data_ro(t);
  return *out != NULL;
}

static bool is_plain_conv(const tsr_ir_node *n) {
  static const char *const names[] = {"aten::conv1d", "aten::conv2d", "aten::conv3d"};
  tsr_val transposed;
  for (size_t i = 0; i < TSR_COUNT(names); i++)
    if (tsr_ir_is_op(n, names[i])) return true;
  return (tsr_ir_is_op(n, "aten::_convolution") || tsr_ir_is_op(n, "aten::convolution")) && n->nin >= 9 &&
         tsr_ir_const_of(n->in[6], &transposed) && transposed.tag == TSR_V_BOOL && !transposed.b;
}

static bool read_norm(const tsr_ir_node *bn, int64_t channels, norm *out) {
  tsr_val training, eps;
  if (bn->nin < 8 || !tsr_ir_const_of(bn->in[5], &training) || training.b || !tsr_ir_const_of(bn->in[7], &eps) || eps.tag != TSR_V_FLOAT)
    return false;
  out->eps = eps.d;
  return vector(bn->in[1], channels, true, &out->gamma) && vector(bn->in[2], channels, true, &out->beta) &&
         vector(bn->in[3], channels, false, &out->mean) && vector(bn->in[4], channels, false, &out->var);
}

static double scale_of(const norm *n, int64_t c) { return (n->gamma != NULL ? n->gamma[c] : 1.0) / sqrt((double)n->var[c] + n->eps); }

/* How to compute the weights; everything it points to lives as long as the model. */
typedef struct recipe { norm n; const float *w; int64_t channels, count; /* weights of a channel */ } recipe;

__attribute__((optimize("O3"))) static void scale_weights(const void *user, int64_t row, int64_t rows, float *out) {
  const recipe *r = user;
  for (int64_t c = 0; c < rows; c++) {
    double s = scale_of(&r->n, row + c);
    const float *w = r->w + (row + c) * r->count;
    float *o = out + c * r->count;
    for (int64_t i = 0; i < r->count; i++) o[i] = (float)(w[i] * s);
  }
}

static void name_weights(const void *user, tsr_block_name *name) {
  const recipe *r = user;
  int64_t ints[] = {r->channels, r->count, r->n.gamma != NULL, 0};
  memcpy(&ints[3], &r->n.eps, sizeof r->n.eps);
  tsr_block_name_ints(name, ints, TSR_COUNT(ints));
  tsr_block_name_floats(name, r->n.gamma, r->channels);
  tsr_block_name_floats(name, r->n.var, r->channels);
  tsr_block_name_source(name, r->w, r->channels * r->count);
}

static tsr_status merged_bias(tsr_pass_env *env, const norm *n, const float *bias, int64_t channels, tsr_val *out) {
  tsr_tensor *t = tsr_tensor_new(env->model->mem, TSR_FLOAT32, 1, &channels);
  if (t == NULL) return tsr_fail_nomem(env->e);
  float *b = t->storage->data;
  for (int64_t c = 0; c < channels; c++)
    b[c] = (float)(((bias != NULL ? bias[c] : 0.0) - n->mean[c]) * scale_of(n, c) + (n->beta != NULL ? n->beta[c] : 0.0));
  *out = tsr_from_obj(t);
  return tsr_model_own(env->model, env->e, out);
}

/* Weights of the merged convolution, in front of it. */
static tsr_status merge(tsr_pass_env *env, tsr_ir_fn *fn, tsr_ir_node *conv, const tsr_tensor *w, const float *bias, const norm *n) {
  tsr_val wv, bv;
  if (!tsr_model_settle(env->model, w)) return tsr_fail_nomem(env->e); /* two normalisations in a row */
  recipe *r = malloc(sizeof *r);
  if (r == NULL) return tsr_fail_nomem(env->e);
  *r = (recipe){*n, tsr_tensor_data_ro(w), w->size[0], w->numel / w->size[0]};
  TSR_TRY(tsr_model_defer(env->model, env->e, w, scale_weights, name_weights, r, &wv));
  TSR_TRY(merged_bias(env, n, bias, w->size[0], &bv));
  tsr_ir_value *wc = tsr_ir_insert_const(fn, conv, wv, &tsr_type_tensor, TSR_CONST_SHARED);
  tsr_ir_value *bc = tsr_ir_insert_const(fn, conv, bv, &tsr_type_tensor, TSR_CONST_SHARED);
  if (wc == NULL || bc == NULL) return tsr_fail_nomem(env->e);
  tsr_ir_set_input(conv, 1, wc);
  tsr_ir_set_input(conv, 2, bc);
  return TSR_OK;
}

static tsr_status visit(tsr_pass_env *env, tsr_ir_fn *fn, tsr_subst *subst, tsr_ir_node *bn, bool *changed) {
  norm n;
  const float *bias;
  if (!tsr_ir_is_op(bn, "aten::batch_norm")) return TSR_OK;
  tsr_ir_node *conv = bn->in[0]->def;
  if (conv == NULL || !is_plain_conv(conv) || bn->in[0]->uses != 1 || conv->parent != bn->parent) return TSR_OK;
  const tsr_tensor *w = const_f32(conv->in[1]);
  if (w == NULL || w->ndim < 3 || w->numel == 0) return TSR_OK;
  if (!vector(conv->in[2], w->size[0], true, &bias) || !read_norm(bn, w->size[0], &n)) return TSR_OK;
  TSR_TRY(merge(env, fn, conv, w, bias, &n));
  *changed = true;
  return tsr_subst_remove(subst, bn, &bn->in[0]) ? TSR_OK : tsr_fail_nomem(env->e);
}

static tsr_status walk(tsr_pass_env *env, tsr_ir_fn *fn, tsr_subst *subst, tsr_ir_block *b, bool *changed) {
  for (tsr_ir_node *n = b->first, *next; n != NULL; n = next) {
    next = n->next;
    tsr_subst_node(subst, n);
    if (n->kind == TSR_IR_OP) TSR_TRY(visit(env, fn, subst, n, changed));
    else for (uint32_t k = 0; k < n->nblocks; k++) TSR_TRY(walk(env, fn, subst, n->blocks[k], changed));
  }
  tsr_subst_rets(subst, b);
  return TSR_OK;
}

tsr_status tsr_pass_batchnorm(tsr_pass_env *env, tsr_ir_fn *fn, bool *changed) {
  tsr_subst subst = {0};
  tsr_status s = walk(env, fn, &subst, fn->body, changed);
  free(subst.to);
  return s;
}
