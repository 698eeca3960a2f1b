/* Attention.  softmax(x) . v becomes one operator that normalises blocks of rows in cache and never stores them, and that writes
 * its result the way the transposition after it wants it. */
#include "interp/pass_util.h"

static bool uses_value(const tsr_ir_node *n, const tsr_ir_value *v, uint32_t *count) {
  uint32_t before = *count;
  for (uint32_t i = 0; i < n->nin; i++) *count += n->in[i] == v;
  return *count > before;
}

/* Only shapes are read from v, and copies made that forget its strides; turned: through one transpose(1, 2). */
static bool strides_unseen(const tsr_ir_node *def, const tsr_ir_value *v, bool turned) {
  uint32_t found = 0;
  for (const tsr_ir_node *n = def->next; n != NULL; n = n->next) {
    if (!uses_value(n, v, &found)) continue;
    if (tsr_ir_is_op(n, "aten::size") || tsr_ir_is_op(n, "aten::dim")) continue;
    if (turned && tsr_ir_is_form(n, "aten::transpose", "int", 3) && n->in[0] == v && tsr_ir_is_int(n->in[1], 1) && tsr_ir_is_int(n->in[2], 2)) {
      if (!strides_unseen(n, n->out[0], false)) return false;
      continue;
    }
    bool copies = tsr_ir_is_form(n, "aten::reshape", "", 2) || (tsr_ir_is_form(n, "aten::contiguous", "", 2) && tsr_ir_is_int(n->in[1], 0));
    if (turned || !copies) return false;
  }
  return found == v->uses;
}

static tsr_status weigh_values(tsr_fuser *f, tsr_ir_node *product) {
  if (!tsr_ir_is_form(product, "aten::matmul", "", 2)) return TSR_OK;
  tsr_ir_node *cast = NULL, *soft = tsr_ir_sole_source(product, product->in[0]);
  if (tsr_ir_is_form(soft, "aten::to", "dtype", 5) && tsr_ir_is_false(soft->in[2]) && tsr_ir_is_false(soft->in[3]) && tsr_ir_is_none(soft->in[4])) {
    cast = soft;
    soft = tsr_ir_sole_source(cast, cast->in[0]);
  }
  if (!tsr_ir_is_form(soft, "aten::softmax", "int", 3) || !tsr_ir_is_none(soft->in[2]) || !tsr_ir_may_delay(soft, product)) return TSR_OK;
  TSR_TRY(tsr_pass_schema(f->env, "tsr::softmax_matmul", &f->schema));
  bool by_row = strides_unseen(product, product->out[0], true);
  tsr_ir_value *in[] = {soft->in[0], product->in[1], soft->in[1],
                        cast != NULL ? cast->in[1] : tsr_ir_insert_const(f->fn, product, tsr_none(), &tsr_type_none, 0),
                        tsr_ir_insert_const(f->fn, product, tsr_bool(by_row), &tsr_type_bool, 0)};
  tsr_ir_value *out = tsr_ir_insert_op(f->fn, product, product->loc, f->schema, in, TSR_COUNT(in));
  if (out == NULL || !tsr_subst_remove(&f->subst, product, &out)) return tsr_fail_nomem(f->env->e);
  if (cast != NULL) tsr_ir_remove(cast);
  tsr_ir_remove(soft);
  f->changed = true;
  return TSR_OK;
}

/* ---- the scores as well: softmax(q . kt * scale + mask) . v ---- */

typedef struct scores {
  tsr_ir_node *product, *scaled, *masked; /* q . kt and what is done to it; NULL: not */
  tsr_ir_value *q, *mask, *scale;         /* scale NULL: a number that is in `factor` */
  double factor;
  bool scale_q;                           /* scaled makes q */
  tsr_ir_node *branch;                    /* an If that adds a mask of windows, or not; NULL: none */
  uint32_t side;                          /* its block that does */
  tsr_ir_value *windows, *view;           /* inside that block */
} scores;

/* A number: constant (also a tensor without dimensions), or a float that is known when the model runs. */
static bool read_scale(tsr_ir_value *v, scores *s) {
  s->scale = NULL;
  if (tsr_ir_number_of(v, &s->factor)) return true;
  s->scale = v;
  return v->type->kind == TSR_T_FLOAT && v->def != NULL && v->def->kind != TSR_IR_CONST;
}

static bool is_scaling(const tsr_ir_node *n, scores *s) {
  if (tsr_ir_is_form(n, "aten::mul", "Tensor", 2) || tsr_ir_is_form(n, "aten::mul", "Scalar", 2)) return read_scale(n->in[1], s);
  if (!tsr_ir_is_form(n, "aten::div", "Tensor", 2) && !tsr_ir_is_form(n, "aten::div", "Scalar", 2)) return false;
  if (!read_scale(n->in[1], s) || s->scale != NULL || s->factor == 0) return false;
  s->factor = 1 / s->factor;
  return true;
}

/* n is q . kt, or that scaled. */
static bool read_product(tsr_ir_node *n, scores *s) {
  s->scale = NULL;
  s->scaled = NULL;
  s->factor = 1;
  if (n == NULL) return false;
  if (is_scaling(n, s)) {
    s->scaled = n;
    n = tsr_ir_sole_source(n, n->in[0]);
  }
  s->product = n;
  if (!tsr_ir_is_form(n, "aten::matmul", "", 2)) return false;
  s->q = n->in[0];
  tsr_ir_node *before = s->scaled == NULL ? tsr_ir_sole_source(n, s->q) : NULL;
  s->scale_q = before != NULL && before->in[0]->type->kind == TSR_T_TENSOR && is_scaling(before, s);
  if (!s->scale_q) {
    if (s->scaled == NULL) s->scale = NULL, s->factor = 1;
    return true;
  }
  s->scaled = before;
  s->q = before->in[0];
  return true;
}

/* n is the scores before softmax: a product, or a product and a mask. */
static bool read_scores(tsr_ir_node *n, scores *s) {
  s->masked = NULL;
  s->mask = NULL;
  if (tsr_ir_is_form(n, "aten::add", "Tensor", 3) && tsr_ir_is_int(n->in[2], 1)) {
    for (uint32_t i = 0; i < 2; i++) {
      if (!read_product(tsr_ir_sole_source(n, n->in[i]), s) || n->in[1 - i]->type->kind != TSR_T_TENSOR) continue;
      s->masked = n;
      s->mask = n->in[1 - i];
      return true;
    }
    return false;
  }
  return read_product(n, s);
}

/* [b, h, l, s] seen as view of five, plus a mask, seen as [-1, h, l, s] again: shifted windows. */
static bool adds_windows(const tsr_ir_block *b, const tsr_ir_value *x, scores *s) {
  const tsr_ir_node *back = b->rets[0]->def;
  if (!tsr_ir_is_form(back, "aten::view", "", 2) || back->parent != b) return false;
  const tsr_ir_node *add = tsr_ir_sole_source(back, back->in[0]), *four = back->in[1]->def;
  if (!tsr_ir_is_form(add, "aten::add", "Tensor", 3) || !tsr_ir_is_int(add->in[2], 1)) return false;
  const tsr_ir_node *there = tsr_ir_sole_source(add, add->in[0]);
  if (!tsr_ir_is_form(there, "aten::view", "", 2) || there->in[0] != x) return false;
  const tsr_ir_node *five = there->in[1]->def;
  if (four == NULL || five == NULL || four->kind != TSR_IR_LIST || five->kind != TSR_IR_LIST || four->nin != 4 || five->nin != 5) return false;
  tsr_val p, q;
  for (uint32_t i = 1; i < 4; i++) {
    bool same = four->in[i] == five->in[i + 1] || (tsr_ir_const_of(four->in[i], &p) && tsr_ir_const_of(five->in[i + 1], &q) &&
                                                   p.tag == TSR_V_INT && q.tag == TSR_V_INT && p.i == q.i);
    if (!same) return false;
  }
  s->windows = add->in[1];
  s->view = there->in[1];
  return tsr_ir_is_int(four->in[0], -1) && back->out[0]->uses == 1 && s->view->uses == 1 && s->windows->type->kind == TSR_T_TENSOR;
}

/* if …: x seen through windows, masked; else: x.  Gives x. */
static tsr_ir_value *read_branch(tsr_ir_node *n, scores *s) {
  s->branch = NULL;
  if (n->kind != TSR_IR_IF || n->nout != 1) return NULL;
  for (uint32_t side = 0; side < 2; side++) {
    tsr_ir_value *x = n->blocks[1 - side]->rets[0];
    if (x->def == NULL || x->def->parent != n->parent || x->uses != 2 || !adds_windows(n->blocks[side], x, s)) continue;
    s->branch = n;
    s->side = side;
    return x;
  }
  return NULL;
}

/* v comes out of an operator inside owner that makes a tensor of its own, perhaps by way of views. */
static bool made_inside(const tsr_ir_value *v, const tsr_ir_node *owner) {
  static const char *const makers[] = {"aten::new_zeros", "aten::zeros", "aten::new_ones", "aten::ones", "aten::new_full", "aten::full",
                                       "aten::new_empty", "aten::empty", "aten::clone"};
  for (const tsr_ir_node *n = v->def; n != NULL && n->kind == TSR_IR_OP && n->schema != NULL; n = n->in[0]->def) {
    const tsr_ir_block *b = n->parent;
    while (b != NULL && b->owner != owner) b = b->owner == NULL ? NULL : b->owner->parent;
    if (b == NULL) return false;
    for (size_t i = 0; i < TSR_COUNT(makers); i++)
      if (tsr_ir_is_op(n, makers[i])) return true;
    if (n->nin == 0 || n->schema->ret_count != 1 || n->schema->rets[0].alias == 0) return false;
  }
  return false;
}

/* What the block of a branch writes is its own. */
static bool writes_own(const tsr_ir_block *b, const tsr_ir_node *owner) {
  for (const tsr_ir_node *n = b->first; n != NULL; n = n->next) {
    if (!tsr_ir_writes(n)) continue;
    if (n->kind != TSR_IR_OP || n->schema == NULL || !n->schema->has_mut || n->nin == 0) return false;
    for (uint32_t i = 0; i < n->schema->param_count; i++)
      if (n->schema->params[i].is_mut && !made_inside(n->in[i], owner)) return false;
  }
  return true;
}

static bool may_wait(const tsr_ir_node *n, const tsr_ir_node *until, const tsr_ir_node *branch) {
  for (n = n->next; n != NULL && n != until; n = n->next) {
    if (!tsr_ir_writes(n)) continue;
    if (n != branch || !writes_own(n->blocks[0], n) || !writes_own(n->blocks[1], n)) return false;
  }
  return true;
}

/* The branch gives the mask of windows and the view instead of masked scores; without, an empty view (and any tensor). */
static bool split_branch(tsr_fuser *f, scores *s, tsr_ir_value *out[2]) {
  tsr_ir_node *old = s->branch, *n = tsr_ir_node_new(f->fn, TSR_IR_IF, 1, 2, 2, old->loc);
  tsr_ir_node *list = tsr_ir_node_new(f->fn, TSR_IR_LIST, 0, 1, 0, old->loc), *back = old->blocks[s->side]->rets[0]->def;
  tsr_ir_node *add = back->in[0]->def, *there = add->in[0]->def;
  if (n == NULL || list == NULL) return false;
  tsr_ir_set_input(n, 0, old->in[0]);
  tsr_ir_set_ret(old->blocks[s->side], 0, s->q);
  tsr_ir_set_ret(old->blocks[1 - s->side], 0, s->q);
  tsr_ir_remove(back);
  tsr_ir_remove(add);
  tsr_ir_remove(there);
  for (uint32_t k = 0; k < 2; k++)
    while (old->blocks[k]->first != NULL) {
      tsr_ir_node *moved = old->blocks[k]->first;
      tsr_ir_unlink(moved);
      tsr_ir_append(n->blocks[k], moved);
    }
  list->type = s->view->def->type;
  list->slot = s->view->def->slot;
  tsr_ir_append(n->blocks[1 - s->side], list);
  tsr_ir_value *none = tsr_ir_add_output(f->fn, list, s->view->type, NULL);
  if (none == NULL || !tsr_ir_block_add_ret(f->fn, n->blocks[s->side], s->windows) || !tsr_ir_block_add_ret(f->fn, n->blocks[s->side], s->view) ||
      !tsr_ir_block_add_ret(f->fn, n->blocks[1 - s->side], s->q) || !tsr_ir_block_add_ret(f->fn, n->blocks[1 - s->side], none)) return false;
  tsr_ir_insert_before(n, old);
  out[0] = tsr_ir_add_output(f->fn, n, &tsr_type_tensor, NULL);
  out[1] = tsr_ir_add_output(f->fn, n, s->view->type, NULL);
  return out[0] != NULL && out[1] != NULL;
}

static tsr_ir_value *none_before(tsr_fuser *f, tsr_ir_node *at) { return tsr_ir_insert_const(f->fn, at, tsr_none(), &tsr_type_none, 0); }

/* soft: tsr::softmax_matmul */
static tsr_status take_scores(tsr_fuser *f, tsr_ir_node *soft) {
  scores s = {0};
  tsr_ir_value *x = soft->in[0];
  tsr_ir_node *from = tsr_ir_sole_source(soft, x);
  if (from == NULL) return TSR_OK;
  tsr_ir_value *seen = read_branch(from, &s), *window[2] = {NULL, NULL};
  if (!read_scores(seen != NULL ? seen->def : from, &s)) return TSR_OK;
  tsr_ir_node *first = s.scale_q ? s.scaled : s.product;
  if (!may_wait(first, soft, s.branch)) return TSR_OK;
  TSR_TRY(tsr_pass_schema(f->env, "tsr::attention", f->user));
  if (s.branch != NULL && !split_branch(f, &s, window)) return tsr_fail_nomem(f->env->e);
  if (s.scale == NULL) s.scale = tsr_ir_insert_const(f->fn, soft, tsr_float(s.factor), &tsr_type_float, 0);
  tsr_ir_value *in[] = {s.q, s.product->in[1], soft->in[1],
                        s.mask != NULL ? s.mask : none_before(f, soft), s.branch != NULL ? window[0] : none_before(f, soft),
                        s.branch != NULL ? window[1] : none_before(f, soft), s.scale,
                        tsr_ir_insert_const(f->fn, soft, tsr_bool(s.scale_q), &tsr_type_bool, 0), soft->in[2], soft->in[3], soft->in[4]};
  tsr_ir_value *out = tsr_ir_insert_op(f->fn, soft, soft->loc, *(const tsr_schema **)f->user, in, TSR_COUNT(in));
  if (out == NULL || !tsr_subst_remove(&f->subst, soft, &out)) return tsr_fail_nomem(f->env->e);
  if (s.branch != NULL) tsr_ir_remove(s.branch);
  if (s.masked != NULL) tsr_ir_remove(s.masked);
  if (s.scaled != NULL && !s.scale_q) tsr_ir_remove(s.scaled);
  tsr_ir_remove(s.product);
  if (s.scale_q) tsr_ir_remove(s.scaled);
  f->changed = true;
  return TSR_OK;
}

static tsr_status visit(tsr_fuser *f, tsr_ir_node *n) {
  if (tsr_ir_is_op(n, "tsr::softmax_matmul")) return tsr_pass_is_on(f->env, "attention-scores") ? take_scores(f, n) : TSR_OK;
  return weigh_values(f, n);
}

tsr_status tsr_pass_attention(tsr_pass_env *env, tsr_ir_fn *fn, bool *changed) {
  const tsr_schema *whole = NULL; /* tsr::attention */
  return tsr_fuser_run(env, fn, visit, &whole, changed);
}
