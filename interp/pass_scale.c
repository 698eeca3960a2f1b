/* What stands between a linear layer and the operators that it could take as its epilogue.
 *
 * A constant factor of each of its results (layer scale) goes into its weights, also through a permutation of dimensions; a sum with
 * a permuted result becomes the permuted sum, whose addition the layer takes (pass_fuse.c). */
#include "interp/pass_util.h"

#include <stdlib.h>

typedef struct scaler { tsr_pass_env *env; tsr_ir_fn *fn; const tsr_schema *permute; bool changed; } scaler;

enum { MAX_RANK = 8 };

/* A linear layer of constant weights, and perhaps the permutation of its result; each has one user, the next. */
typedef struct layer { tsr_ir_node *linear, *permute; int rank; int64_t order[MAX_RANK]; } layer; /* rank 0: not known */

static tsr_tensor *const_f32(const tsr_ir_value *v) {
  tsr_val c;
  if (!tsr_ir_const_of(v, &c) || c.tag != TSR_V_TENSOR || v->def->slot != TSR_CONST_SHARED) return NULL;
  return c.t->dtype == TSR_FLOAT32 && c.t->layout == 0 && tsr_tensor_is_contiguous(c.t) ? c.t : NULL;
}

/* A permutation: the dimensions of a constant list, which are all there once; 0: something else. */
static int read_order(const tsr_ir_node *n, int64_t order[MAX_RANK]) {
  tsr_val list;
  uint32_t seen = 0;
  if (n == NULL || !tsr_ir_is_op(n, "aten::permute") || n->nin != 2 || !tsr_ir_const_of(n->in[1], &list) || list.tag != TSR_V_LIST) return 0;
  int rank = (int)TSR_MIN(list.l->len, (size_t)MAX_RANK + 1);
  if (rank > MAX_RANK) return 0;
  for (int d = 0; d < rank; d++) {
    int64_t at = list.l->items[d].i + (list.l->items[d].i < 0 ? rank : 0);
    if (at < 0 || at >= rank || (seen >> at & 1) != 0) return 0;
    seen |= 1u << at;
    order[d] = at;
  }
  return rank;
}

static tsr_ir_node *sole_source(const tsr_ir_node *user, const tsr_ir_value *v) {
  return v->uses == 1 && v->def != NULL && v->def->parent == user->parent ? v->def : NULL;
}

/* Nothing between the two writes, so that the first may be computed later. */
static bool may_delay(const tsr_ir_node *n, const tsr_ir_node *until) {
  for (n = n->next; n != NULL && n != until; n = n->next)
    if (tsr_ir_writes(n)) return false;
  return true;
}

static bool read_layer(const tsr_ir_node *user, const tsr_ir_value *v, layer *l) {
  tsr_ir_node *n = sole_source(user, v);
  *l = (layer){0};
  l->rank = read_order(n, l->order);
  if (l->rank > 0) {
    l->permute = n;
    n = sole_source(n, n->in[0]);
  }
  l->linear = n;
  if (n == NULL || !tsr_ir_is_op(n, "aten::linear") || n->nin != 3 || !may_delay(n, user)) return false;
  const tsr_tensor *w = const_f32(n->in[1]);
  return w != NULL && w->ndim == 2 && w->numel > 0;
}

/* At once: who uses what is asked of the nodes that follow. */
static void become(scaler *s, tsr_ir_node *n, tsr_ir_value *v) {
  tsr_ir_replace_uses(s->fn->body, n->out[0], v);
  tsr_ir_remove(n);
  s->changed = true;
}

/* ---- factors ---- */

/* One number a result of the layer, along the dimension where its last one has gone. */
static const float *factors_of(const layer *l, const tsr_ir_value *v, int64_t n) {
  const tsr_tensor *t = const_f32(v);
  if (t == NULL || t->numel != n || t->ndim < 1) return NULL;
  if (l->permute == NULL) return t->ndim == 1 ? tsr_tensor_data_ro(t) : NULL;
  int shift = l->rank - t->ndim;
  if (shift < 0) return NULL;
  for (int d = 0; d < l->rank; d++)
    if (l->order[d] == l->rank - 1 && (d < shift ? n != 1 : t->size[d - shift] != n)) return NULL;
  return tsr_tensor_data_ro(t);
}

typedef struct recipe { const float *w, *factor; int64_t rows, count; } recipe;

static void scale_rows(const void *user, int64_t row, int64_t rows, float *out) {
  const recipe *r = user;
  const float *w = r->w + row * r->count;
  for (int64_t i = 0; i < rows; i++)
    for (int64_t k = 0; k < r->count; k++) out[i * r->count + k] = w[i * r->count + k] * r->factor[row + i];
}

static void name_rows(const void *user, tsr_block_name *name) {
  const recipe *r = user;
  int64_t ints[] = {r->rows, r->count};
  tsr_block_name_ints(name, ints, TSR_COUNT(ints));
  tsr_block_name_floats(name, r->factor, r->rows);
  tsr_block_name_source(name, r->w, r->rows * r->count);
}

static tsr_status scaled_bias(tsr_pass_env *env, const float *bias, const float *factor, int64_t n, tsr_val *out) {
  tsr_tensor *t = tsr_tensor_new(env->model->mem, TSR_FLOAT32, 1, &n);
  if (t == NULL) return tsr_fail_nomem(env->e);
  float *b = t->storage->data;
  for (int64_t i = 0; i < n; i++) b[i] = bias[i] * factor[i];
  *out = tsr_from_obj(t);
  return tsr_model_own(env->model, env->e, out);
}

/* mul is the layer's result times its factors: the layer makes that. */
static tsr_status scale(scaler *s, tsr_ir_node *mul, const layer *l, const float *factor, const float *bias) {
  tsr_val wv, bv;
  tsr_ir_node *linear = l->linear;
  const tsr_tensor *w = const_f32(linear->in[1]);
  if (!tsr_model_settle(s->env->model, w)) return tsr_fail_nomem(s->env->e);
  recipe *r = malloc(sizeof *r);
  if (r == NULL) return tsr_fail_nomem(s->env->e);
  *r = (recipe){tsr_tensor_data_ro(w), factor, w->size[0], w->size[1]};
  TSR_TRY(tsr_model_defer(s->env->model, s->env->e, w, scale_rows, name_rows, r, &wv));
  tsr_ir_value *wc = tsr_ir_insert_const(s->fn, linear, wv, &tsr_type_tensor, TSR_CONST_SHARED);
  if (wc == NULL) return tsr_fail_nomem(s->env->e);
  tsr_ir_set_input(linear, 1, wc);
  if (bias != NULL) {
    TSR_TRY(scaled_bias(s->env, bias, factor, w->size[0], &bv));
    tsr_ir_value *bc = tsr_ir_insert_const(s->fn, linear, bv, &tsr_type_tensor, TSR_CONST_SHARED);
    if (bc == NULL) return tsr_fail_nomem(s->env->e);
    tsr_ir_set_input(linear, 2, bc);
  }
  tsr_ir_value *v = l->permute != NULL ? l->permute->out[0] : linear->out[0];
  become(s, mul, v);
  return TSR_OK;
}

static tsr_status visit_mul(scaler *s, tsr_ir_node *n) {
  tsr_val none;
  layer l;
  for (uint32_t i = 0; i < 2; i++) {
    if (!read_layer(n, n->in[i], &l)) continue;
    int64_t rows = const_f32(l.linear->in[1])->size[0];
    const float *factor = factors_of(&l, n->in[1 - i], rows);
    const tsr_tensor *b = const_f32(l.linear->in[2]);
    bool bare = tsr_ir_const_of(l.linear->in[2], &none) && none.tag == TSR_V_NONE;
    if (factor == NULL || (!bare && (b == NULL || b->ndim != 1 || b->size[0] != rows))) continue;
    return scale(s, n, &l, factor, bare ? NULL : tsr_tensor_data_ro(b));
  }
  return TSR_OK;
}

/* ---- sums ---- */

static int known_rank(tsr_ir_value *v) {
  int64_t order[MAX_RANK];
  for (int steps = 0; v != NULL && steps < 100; steps++) {
    int rank = v->def != NULL && v->def->kind == TSR_IR_OP ? read_order(v->def, order) : 0;
    if (rank > 0) return rank;
    v = tsr_ir_rank_source(v);
  }
  return 0;
}

static tsr_ir_value *permuted(scaler *s, tsr_ir_node *at, tsr_ir_value *x, tsr_ir_value *order) {
  tsr_ir_node *n = order == NULL ? NULL : tsr_ir_node_new(s->fn, TSR_IR_OP, 2, 1, 0, at->loc);
  if (n == NULL) return NULL;
  n->schema = s->permute;
  tsr_ir_set_input(n, 0, x);
  tsr_ir_set_input(n, 1, order);
  tsr_ir_insert_before(n, at);
  return tsr_ir_add_output(s->fn, n, &tsr_type_tensor, NULL);
}

static tsr_status inverse_order(scaler *s, tsr_ir_node *at, const layer *l, tsr_ir_value **out) {
  tsr_list *list = tsr_list_new(s->env->model->mem, &tsr_type_int, (size_t)l->rank);
  int64_t inverse[MAX_RANK];
  if (list == NULL) return tsr_fail_nomem(s->env->e);
  for (int d = 0; d < l->rank; d++) inverse[l->order[d]] = d;
  for (int d = 0; d < l->rank; d++) tsr_list_push_take(list, tsr_int(inverse[d]));
  tsr_val v = tsr_from_obj(list);
  TSR_TRY(tsr_model_own(s->env->model, s->env->e, &v));
  *out = tsr_ir_insert_const(s->fn, at, v, l->permute->in[1]->type, TSR_CONST_SHARED);
  return *out != NULL ? TSR_OK : tsr_fail_nomem(s->env->e);
}

/* permute(linear) + r = permute(linear + r permuted back).  The first operand decides the order of the result's memory, so that
 * it is the permuted one's either way. */
static tsr_status visit_add(scaler *s, tsr_ir_node *n) {
  tsr_val alpha;
  layer l;
  if (n->nin != 3 || n->in[1]->type->kind != TSR_T_TENSOR || !tsr_ir_const_of(n->in[2], &alpha) || alpha.tag != TSR_V_INT || alpha.i != 1) return TSR_OK;
  if (!read_layer(n, n->in[0], &l) || l.permute == NULL || known_rank(n->in[1]) != l.rank) return TSR_OK;
  tsr_ir_value *order, *back, *sum, *out;
  TSR_TRY(tsr_pass_schema(s->env, "aten::permute", &s->permute));
  TSR_TRY(inverse_order(s, n, &l, &order));
  back = permuted(s, n, n->in[1], order);
  tsr_ir_node *add = back == NULL ? NULL : tsr_ir_node_new(s->fn, TSR_IR_OP, 3, 1, 0, n->loc);
  if (add == NULL) return tsr_fail_nomem(s->env->e);
  add->schema = n->schema;
  tsr_ir_set_input(add, 0, l.linear->out[0]);
  tsr_ir_set_input(add, 1, back);
  tsr_ir_set_input(add, 2, n->in[2]);
  tsr_ir_insert_before(add, n);
  sum = tsr_ir_add_output(s->fn, add, &tsr_type_tensor, NULL);
  out = sum == NULL ? NULL : permuted(s, n, sum, l.permute->in[1]);
  if (out == NULL) return tsr_fail_nomem(s->env->e);
  become(s, n, out);
  tsr_ir_remove(l.permute);
  return TSR_OK;
}

static tsr_status visit(scaler *s, tsr_ir_node *n) {
  if (n->schema == NULL || strcmp(n->schema->overload, "Tensor") != 0) return TSR_OK;
  if (tsr_ir_is_op(n, "aten::mul") && n->nin == 2) return visit_mul(s, n);
  return tsr_ir_is_op(n, "aten::add") || tsr_ir_is_op(n, "aten::add_") ? visit_add(s, n) : TSR_OK;
}

static tsr_status walk(scaler *s, tsr_ir_block *b) {
  for (tsr_ir_node *n = b->first, *next; n != NULL; n = next) {
    next = n->next;
    for (uint32_t k = 0; k < n->nblocks; k++) TSR_TRY(walk(s, n->blocks[k]));
    if (n->kind == TSR_IR_OP) TSR_TRY(visit(s, n));
  }
  return TSR_OK;
}

tsr_status tsr_pass_scale(tsr_pass_env *env, tsr_ir_fn *fn, bool *changed) {
  scaler s = {.env = env, .fn = fn};
  tsr_status st = walk(&s, fn->body);
  *changed |= s.changed;
  return st;
}
