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

/* A convolution's own weights, with a normalisation or without; those of a 1x1 kernel may stand in the middle of a larger one. */
typedef struct term { norm n; bool scaled; const float *w; int64_t count; } term;

/* How to compute the weights; everything it points to lives as long as the model. */
typedef struct recipe { int64_t channels, count, taps; uint32_t terms; term term[]; } recipe; /* count: weights of a channel */

__attribute__((optimize("O3"))) static void add_term(const term *t, int64_t channel, int64_t step, bool first, float *out) {
  const double s = t->scaled ? scale_of(&t->n, channel) : 1;
  const float *w = t->w + channel * t->count;
  for (int64_t i = 0; i < t->count && first; i++) out[i] = (float)(w[i] * s);
  for (int64_t i = 0; i < t->count && !first; i++) out[i * step] += (float)(w[i] * s);
}

static void make_weights(const void *user, int64_t row, int64_t rows, float *out) {
  const recipe *r = user;
  for (int64_t c = 0; c < rows; c++, out += r->count)
    for (uint32_t i = 0; i < r->terms; i++) {
      bool whole = r->term[i].count == r->count;
      if (i == 0 && !whole) memset(out, 0, (size_t)r->count * sizeof *out);
      add_term(&r->term[i], row + c, whole ? 1 : r->taps, i == 0 && whole, whole ? out : out + r->taps / 2);
    }
}

static void name_term(const term *t, int64_t channels, tsr_block_name *name) {
  int64_t ints[] = {t->count, t->scaled, t->n.gamma != NULL, 0};
  memcpy(&ints[3], &t->n.eps, sizeof t->n.eps);
  tsr_block_name_ints(name, ints, TSR_COUNT(ints));
  if (t->scaled) {
    tsr_block_name_floats(name, t->n.gamma, channels);
    tsr_block_name_floats(name, t->n.var, channels);
  }
  tsr_block_name_source(name, t->w, channels * t->count);
}

static void name_weights(const void *user, tsr_block_name *name) {
  const recipe *r = user;
  int64_t ints[] = {r->channels, r->count, r->taps, r->terms};
  tsr_block_name_ints(name, ints, TSR_COUNT(ints));
  for (uint32_t i = 0; i < r->terms; i++) name_term(&r->term[i], r->channels, name);
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
  recipe *r = malloc(sizeof *r + sizeof *r->term);
  if (r == NULL) return tsr_fail_nomem(env->e);
  *r = (recipe){w->size[0], w->numel / w->size[0], 1, 1};
  r->term[0] = (term){*n, true, tsr_tensor_data_ro(w), r->count};
  TSR_TRY(tsr_model_defer(env->model, env->e, w, make_weights, name_weights, r, &wv));
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

/* ---- sums of convolutions of one input ---- */

/* The recipe that this pass made w by, or NULL. */
static const recipe *recipe_of(const tsr_model *m, const tsr_tensor *w) {
  for (uint32_t i = 0; i < m->ndeferred; i++)
    if (m->deferred[i].t == w && m->deferred[i].fill == make_weights && tsr_is_deferred(w)) return m->deferred[i].recipe;
  return NULL;
}

/* Element i of a list of constants; one stands for all. */
static bool list_at(const tsr_ir_value *v, int64_t i, int64_t *out) {
  tsr_val c;
  if (!tsr_ir_const_of(v, &c) || c.tag != TSR_V_LIST || c.l->len == 0) return false;
  tsr_val item = c.l->items[c.l->len == 1 ? 0 : (size_t)TSR_MIN(i, (int64_t)c.l->len - 1)];
  *out = item.i;
  return item.tag == TSR_V_INT;
}

static bool same_constant(const tsr_ir_value *a, const tsr_ir_value *b) {
  tsr_val x, y;
  return a == b || (tsr_ir_const_of(a, &x) && tsr_ir_const_of(b, &y) && x.tag == y.tag && tsr_val_equal(x, y));
}

/* Both see the same of each position, or `small` the middle of what `big` sees. */
static bool same_windows(const tsr_ir_node *big, const tsr_tensor *w, const tsr_ir_node *small, const tsr_tensor *v) {
  if (big->schema != small->schema || big->nin != small->nin || big->in[0] != small->in[0] || w->ndim != v->ndim || w->size[0] != v->size[0] || w->size[1] != v->size[1])
    return false;
  bool same = memcmp(w->size, v->size, (size_t)w->ndim * sizeof *w->size) == 0;
  for (int d = 0; d < w->ndim - 2; d++) {
    int64_t s[2], p[2], l[2], k = w->size[d + 2];
    const tsr_ir_node *of[2] = {big, small};
    for (int i = 0; i < 2; i++)
      if (!list_at(of[i]->in[3], d, &s[i]) || !list_at(of[i]->in[4], d, &p[i]) || !list_at(of[i]->in[5], d, &l[i])) return false;
    if (s[0] != s[1] || (same ? p[0] != p[1] || l[0] != l[1] : v->size[d + 2] != 1 || p[1] != 0 || k % 2 == 0 || 2 * p[0] != l[0] * (k - 1))) return false;
  }
  for (uint32_t i = 6; i < big->nin; i++)
    if (big->in[i] != small->in[i] && !same_constant(big->in[i], small->in[i])) return false;
  return true;
}

static bool comes_before(const tsr_ir_node *a, const tsr_ir_node *b) {
  while (a != NULL && a != b) a = a->next;
  return a == b;
}

/* Bias and constant sum of two, or of one and a number. */
static tsr_status sum_bias(tsr_pass_env *env, tsr_ir_fn *fn, tsr_ir_node *conv, int64_t channels, const float *a, const float *b, double c) {
  if (a == NULL && b == NULL && c == 0) return TSR_OK;
  tsr_tensor *t = tsr_tensor_new(env->model->mem, TSR_FLOAT32, 1, &channels);
  if (t == NULL) return tsr_fail_nomem(env->e);
  float *out = t->storage->data;
  for (int64_t i = 0; i < channels; i++) out[i] = (float)((a != NULL ? a[i] : 0.0) + (b != NULL ? b[i] : 0.0) + c);
  tsr_val v = tsr_from_obj(t);
  TSR_TRY(tsr_model_own(env->model, env->e, &v));
  tsr_ir_value *k = tsr_ir_insert_const(fn, conv, v, &tsr_type_tensor, TSR_CONST_SHARED);
  if (k == NULL) return tsr_fail_nomem(env->e);
  tsr_ir_set_input(conv, 2, k);
  return TSR_OK;
}

static void take_terms(const recipe *r, const tsr_tensor *w, recipe *to) {
  for (uint32_t i = 0; r != NULL && i < r->terms; i++) to->term[to->terms++] = r->term[i];
  if (r == NULL) to->term[to->terms++] = (term){.w = tsr_tensor_data_ro(w), .count = w->numel / w->size[0]};
}

/* The sum of a and b, which see the same input, is one convolution in the place of the later one. */
static tsr_status join(tsr_pass_env *env, tsr_ir_fn *fn, tsr_ir_node *add, tsr_ir_node *a, tsr_ir_node *b, bool *changed) {
  const tsr_tensor *w = const_f32(a->in[1]), *v = const_f32(b->in[1]);
  const float *bias[2];
  if (w == NULL || v == NULL || w->ndim < 3 || w->numel == 0 || v->numel == 0 || w->size[0] != v->size[0]) return TSR_OK;
  if (w->numel < v->numel) return join(env, fn, add, b, a, changed);
  if (!vector(a->in[2], w->size[0], true, &bias[0]) || !vector(b->in[2], w->size[0], true, &bias[1]) || !same_windows(a, w, b, v)) return TSR_OK;
  tsr_ir_node *first = comes_before(a, b) ? a : b, *last = first == a ? b : a;
  if (!tsr_ir_may_delay(first, last) || !tsr_ir_may_delay(last, add)) return TSR_OK;
  const recipe *parts[2] = {recipe_of(env->model, w), recipe_of(env->model, v)};
  if (!(parts[0] != NULL || tsr_model_settle(env->model, w)) || !(parts[1] != NULL || tsr_model_settle(env->model, v))) return tsr_fail_nomem(env->e);
  uint32_t terms = (parts[0] != NULL ? parts[0]->terms : 1) + (parts[1] != NULL ? parts[1]->terms : 1);
  recipe *r = malloc(sizeof *r + terms * sizeof *r->term);
  if (r == NULL) return tsr_fail_nomem(env->e);
  *r = (recipe){.channels = w->size[0], .count = w->numel / w->size[0], .taps = w->numel / w->size[0] / w->size[1]};
  take_terms(parts[0], w, r);
  take_terms(parts[1], v, r);
  tsr_val sum;
  TSR_TRY(tsr_model_defer(env->model, env->e, w, make_weights, name_weights, r, &sum));
  tsr_ir_value *wc = tsr_ir_insert_const(fn, last, sum, &tsr_type_tensor, TSR_CONST_SHARED);
  if (wc == NULL) return tsr_fail_nomem(env->e);
  for (uint32_t i = 2; i < a->nin; i++) tsr_ir_set_input(last, i, a->in[i]);
  tsr_ir_set_input(last, 1, wc);
  TSR_TRY(sum_bias(env, fn, last, w->size[0], bias[0], bias[1], 0));
  tsr_ir_replace_uses(fn->body, add->out[0], last->out[0]);
  tsr_ir_remove(add);
  tsr_ir_remove(first);
  *changed = true;
  return TSR_OK;
}

static tsr_ir_node *sole_conv(const tsr_ir_node *user, const tsr_ir_value *v) {
  tsr_ir_node *n = tsr_ir_sole_source(user, v);
  return n != NULL && is_plain_conv(n) ? n : NULL;
}

static tsr_status visit_sum(tsr_pass_env *env, tsr_ir_fn *fn, tsr_ir_node *n, bool *changed) {
  double alpha, c;
  const float *bias;
  if (!(tsr_ir_is_op(n, "aten::add") || tsr_ir_is_op(n, "aten::add_")) || n->nin != 3 || n->nout != 1) return TSR_OK;
  if (!tsr_ir_number_of(n->in[2], &alpha) || alpha != 1) return TSR_OK;
  tsr_ir_node *a = sole_conv(n, n->in[0]);
  if (a == NULL) return TSR_OK;
  if (strcmp(n->schema->overload, "Tensor") == 0) {
    tsr_ir_node *b = n->in[0] == n->in[1] ? NULL : sole_conv(n, n->in[1]);
    return b == NULL ? TSR_OK : join(env, fn, n, a, b, changed);
  }
  const tsr_tensor *w = const_f32(a->in[1]);
  if (strcmp(n->schema->overload, "Scalar") != 0 || !tsr_ir_number_of(n->in[1], &c) || w == NULL || w->ndim < 3 || !vector(a->in[2], w->size[0], true, &bias)) return TSR_OK;
  if (c != 0) TSR_TRY(sum_bias(env, fn, a, w->size[0], bias, NULL, c));
  tsr_ir_replace_uses(fn->body, n->out[0], a->out[0]);
  tsr_ir_remove(n);
  *changed = true;
  return TSR_OK;
}

static tsr_status walk_sums(tsr_pass_env *env, tsr_ir_fn *fn, tsr_ir_block *b, bool *changed) {
  for (tsr_ir_node *n = b->first, *next; n != NULL; n = next) {
    next = n->next;
    for (uint32_t k = 0; k < n->nblocks; k++) TSR_TRY(walk_sums(env, fn, n->blocks[k], changed));
    if (n->kind == TSR_IR_OP && n->schema != NULL) TSR_TRY(visit_sum(env, fn, n, changed));
  }
  return TSR_OK;
}

/* Branches of one input whose results are added, as networks have them that are trained in parts. */
tsr_status tsr_pass_sums(tsr_pass_env *env, tsr_ir_fn *fn, bool *changed) { return walk_sums(env, fn, fn->body, changed); }

tsr_status tsr_pass_batchnorm(tsr_pass_env *env, tsr_ir_fn *fn, bool *changed) {
  tsr_subst subst = {0};
  tsr_status s = walk(env, fn, &subst, fn->body, changed);
  free(subst.to);
  return s;
}
