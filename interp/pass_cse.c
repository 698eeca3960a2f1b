/* Common subexpressions among operators on numbers and shapes; conditions that are known because the
 * other side raised.  `dim` is asked of the earliest tensor that has the same rank, so that the checks
 * of normalisation layers become one. */
#include "interp/pass_util.h"

#include <stdlib.h>

typedef struct entry { const tsr_ir_node *node; uint64_t hash; uint32_t next; } entry; /* next: index + 1 in the chain */

typedef struct sharing {
  tsr_pass_env *env;
  tsr_ir_fn *fn;
  tsr_subst subst;
  entry *entries; uint32_t count, entries_cap; /* a stack: what a block added leaves with it */
  uint32_t heads[1024];                        /* by hash: index + 1 */
  tsr_ir_value **roots; uint32_t root_count;   /* by id: see rank_root; NULL while not known */
  const tsr_schema *dim;                       /* aten::dim, NULL until needed */
  bool shapes_change;                          /* some operator changes a tensor's shape in place */
  bool changed;
} sharing;

/* ---- what may be shared ---- */

static bool is_unboxed(const tsr_type *t) {
  return t->kind == TSR_T_INT || t->kind == TSR_T_FLOAT || t->kind == TSR_T_BOOL || t->kind == TSR_T_NONE || t->kind == TSR_T_DEVICE;
}

static bool changes_shape(const tsr_ir_node *n) {
  static const char *const fresh[] = {"aten::resize", "aten::squeeze", "aten::unsqueeze", "aten::t", "aten::transpose", "aten::set",
                                      "aten::swap", "aten::as_strided", "aten::rename", "aten::detach", "aten::sparse", "aten::movedim"};
  size_t len = strlen(n->schema->name);
  if (n->schema->name[len - 1] != '_') return false;
  for (size_t i = 0; i < TSR_COUNT(fresh); i++)
    if (strncmp(n->schema->name, fresh[i], strlen(fresh[i])) == 0) return true;
  return false;
}

static bool block_changes_shape(const tsr_ir_block *b) {
  for (const tsr_ir_node *n = b->first; n != NULL; n = n->next) {
    if (n->kind == TSR_IR_CALL || n->kind == TSR_IR_CALL_METHOD || n->kind == TSR_IR_CALL_VALUE || n->kind == TSR_IR_FORK) return true;
    if (n->kind == TSR_IR_OP && (n->schema == NULL || (n->schema->has_mut && changes_shape(n)))) return true;
    for (uint32_t k = 0; k < n->nblocks; k++)
      if (block_changes_shape(n->blocks[k])) return true;
  }
  return false;
}

static bool is_sharable(const sharing *s, const tsr_ir_node *n) {
  if (n->kind != TSR_IR_OP || n->schema == NULL || n->schema->op == NULL || n->nout != 1 || n->schema->has_mut || n->schema->vararg) return false;
  uint32_t flags = ((const tsr_op *)n->schema->op)->flags;
  if (!(flags & TSR_PURE) || (flags & (TSR_NOOPT | TSR_EFFECT)) || !is_unboxed(n->out[0]->type)) return false;
  for (uint32_t i = 0; i < n->nin; i++) {
    const tsr_type *t = n->in[i]->type;
    if (is_unboxed(t) || t->kind == TSR_T_STR) continue;
    if (t->kind != TSR_T_TENSOR || s->shapes_change || !tsr_ir_reads_shape(n)) return false;
  }
  return true;
}

/* ---- the table ---- */

static uint64_t mix(uint64_t h, uint64_t x) { return (h ^ x) * 0x9e3779b97f4a7c15u + (h >> 31); }

static bool plain_const(const tsr_ir_value *v, tsr_val *out) { return tsr_ir_const_of(v, out) && !tsr_is_boxed(*out); }

static uint64_t hash_node(const tsr_ir_node *n) {
  uint64_t h = (uint64_t)(uintptr_t)n->schema->op;
  tsr_val c;
  for (uint32_t i = 0; i < n->nin; i++) h = plain_const(n->in[i], &c) ? mix(h, (uint64_t)c.i + c.tag) : mix(h, (uint64_t)(uintptr_t)n->in[i]);
  return mix(h, 1);
}

static bool same_operand(const tsr_ir_value *a, const tsr_ir_value *b) {
  tsr_val x, y;
  return a == b || (plain_const(a, &x) && plain_const(b, &y) && x.tag == y.tag && x.i == y.i);
}

static bool same_node(const tsr_ir_node *a, const tsr_ir_node *b) {
  if (a->schema->op != b->schema->op || a->nin != b->nin) return false;
  for (uint32_t i = 0; i < a->nin; i++)
    if (!same_operand(a->in[i], b->in[i])) return false;
  return true;
}

static const tsr_ir_node *find(const sharing *s, const tsr_ir_node *n, uint64_t h) {
  for (uint32_t at = s->heads[h % TSR_COUNT(s->heads)]; at != 0; at = s->entries[at - 1].next)
    if (s->entries[at - 1].hash == h && same_node(s->entries[at - 1].node, n)) return s->entries[at - 1].node;
  return NULL;
}

static bool add(sharing *s, const tsr_ir_node *n, uint64_t h) {
  if (!tsr_grow((void **)&s->entries, &s->entries_cap, s->count + 1, sizeof *s->entries)) return false;
  uint32_t *head = &s->heads[h % TSR_COUNT(s->heads)];
  s->entries[s->count] = (entry){n, h, *head};
  *head = ++s->count;
  return true;
}

static void forget(sharing *s, uint32_t mark) {
  while (s->count > mark) {
    const entry *e = &s->entries[--s->count];
    s->heads[e->hash % TSR_COUNT(s->heads)] = e->next;
  }
}

/* ---- ranks ---- */

static bool keeps_rank(const tsr_ir_node *n) {
  static const char *const names[] = {
      "aten::conv1d", "aten::conv2d", "aten::conv3d", "aten::batch_norm", "aten::relu", "aten::relu_", "aten::relu6", "aten::silu",
      "aten::silu_", "aten::hardswish", "aten::hardswish_", "aten::hardsigmoid", "aten::hardsigmoid_", "aten::relu6_", "aten::sigmoid", "aten::sigmoid_", "aten::tanh", "aten::gelu", "aten::leaky_relu",
      "aten::leaky_relu_", "aten::hardtanh", "aten::hardtanh_", "aten::elu", "aten::dropout", "aten::max_pool1d", "aten::max_pool2d",
      "aten::max_pool3d", "aten::avg_pool1d", "aten::avg_pool2d", "aten::avg_pool3d", "aten::adaptive_avg_pool2d", "aten::instance_norm",
      "aten::group_norm", "aten::layer_norm", "aten::softmax", "tsr::conv_act", "aten::add_", "aten::mul_"};
  if (n == NULL || n->kind != TSR_IR_OP || n->schema == NULL || n->nin == 0 || n->in[0]->type->kind != TSR_T_TENSOR) return false;
  for (size_t i = 0; i < TSR_COUNT(names); i++)
    if (tsr_ir_is_op(n, names[i])) return true;
  return false;
}

/* A value of v's rank from which v was made, or NULL.  What a convolution or its kind gave is no empty vector, which
 * cat would skip. */
tsr_ir_value *tsr_ir_rank_source(const tsr_ir_value *v) {
  if (keeps_rank(v->def)) return v->def->in[0];
  if (v->def == NULL || !tsr_ir_is_op(v->def, "aten::cat") || v->def->nin == 0) return NULL;
  const tsr_ir_node *list = v->def->in[0]->def;
  bool known = list != NULL && list->kind == TSR_IR_LIST && list->out[0]->uses == 1 && list->nin > 0 && keeps_rank(list->in[0]->def);
  return known ? list->in[0] : NULL;
}

enum { MAX_DEPTH = 1000 };

/* Where v's rank comes from; the sum or product of two values of one rank has that rank. */
static tsr_ir_value *rank_root(sharing *s, tsr_ir_value *v, int depth) {
  if (v->id < s->root_count && s->roots[v->id] != NULL) return s->roots[v->id];
  tsr_ir_value *root = v, *source = tsr_ir_rank_source(v);
  const tsr_ir_node *def = v->def;
  bool two = def != NULL && def->kind == TSR_IR_OP && (tsr_ir_is_op(def, "aten::add") || tsr_ir_is_op(def, "aten::mul")) &&
             strcmp(def->schema->overload, "Tensor") == 0 && def->nin >= 2;
  if (source != NULL && depth < MAX_DEPTH) {
    root = rank_root(s, source, depth + 1);
  } else if (two && depth < MAX_DEPTH) {
    tsr_ir_value *a = rank_root(s, def->in[0], depth + 1);
    if (rank_root(s, def->in[1], depth + 1) == a) root = a;
  }
  if (v->id < s->root_count) s->roots[v->id] = root;
  return root;
}

static void move_dim_up(sharing *s, tsr_ir_node *n) {
  if (s->shapes_change || !tsr_ir_is_op(n, "aten::dim")) return;
  tsr_ir_value *v = rank_root(s, n->in[0], 0);
  if (v == n->in[0]) return;
  tsr_ir_set_input(n, 0, v);
  s->changed = true;
}

/* len(x.size()) becomes x.dim(), which is visited next. */
static tsr_status use_dim(sharing *s, tsr_ir_node *len, bool *used) {
  const tsr_ir_node *size = len->nin == 1 ? len->in[0]->def : NULL;
  if (s->shapes_change || !tsr_ir_is_op(len, "aten::len") || size == NULL || !tsr_ir_is_op(size, "aten::size") || size->nin != 1 || size->out[0]->uses != 1)
    return TSR_OK;
  TSR_TRY(tsr_pass_schema(s->env, "aten::dim", &s->dim));
  tsr_ir_node *dim = tsr_ir_node_new(s->fn, TSR_IR_OP, 1, 1, 0, len->loc);
  if (dim == NULL) return tsr_fail_nomem(s->env->e);
  dim->schema = s->dim;
  tsr_ir_set_input(dim, 0, size->in[0]);
  tsr_ir_insert_before(dim, len);
  tsr_ir_value *v = tsr_ir_add_output(s->fn, dim, &tsr_type_int, len->out[0]->name);
  if (v == NULL || !tsr_subst_remove(&s->subst, len, &v)) return tsr_fail_nomem(s->env->e);
  *used = s->changed = true;
  return TSR_OK;
}

/* ---- conditions ---- */

static bool always_raises(const tsr_ir_block *b) { return b->last != NULL && b->last->kind == TSR_IR_RAISE; }

/* From `at` on cond has this value. */
static tsr_status assume(sharing *s, tsr_ir_value *cond, tsr_ir_node *at, bool value) {
  if (at == NULL || cond->uses < 2 || (cond->def != NULL && cond->def->kind == TSR_IR_CONST)) return TSR_OK;
  tsr_ir_value *c = tsr_ir_insert_const(s->fn, at, tsr_bool(value), &tsr_type_bool, 0);
  return c != NULL && tsr_subst_set(&s->subst, cond, c) ? TSR_OK : tsr_fail_nomem(s->env->e);
}

static tsr_status share_block(sharing *s, tsr_ir_block *b);

static tsr_status visit_if(sharing *s, tsr_ir_node *n) {
  tsr_ir_value *cond = n->in[0];
  for (uint32_t k = 0; k < 2; k++) TSR_TRY(share_block(s, n->blocks[k]));
  bool then_raises = always_raises(n->blocks[0]), else_raises = always_raises(n->blocks[1]);
  if (then_raises == else_raises || cond->block != n->parent) return TSR_OK;
  return assume(s, cond, n->next, else_raises);
}

static tsr_status visit(sharing *s, tsr_ir_node *n) {
  if (n->kind == TSR_IR_IF) return visit_if(s, n);
  for (uint32_t k = 0; k < n->nblocks; k++) TSR_TRY(share_block(s, n->blocks[k]));
  bool used = false;
  TSR_TRY(use_dim(s, n, &used));
  if (used || !is_sharable(s, n)) return TSR_OK;
  move_dim_up(s, n);
  uint64_t h = hash_node(n);
  const tsr_ir_node *same = find(s, n, h);
  if (same == NULL) return add(s, n, h) ? TSR_OK : tsr_fail_nomem(s->env->e);
  s->changed = true;
  tsr_ir_value *v = tsr_subst_get(&s->subst, same->out[0]);
  return tsr_subst_remove(&s->subst, n, &v) ? TSR_OK : tsr_fail_nomem(s->env->e);
}

static tsr_status share_block(sharing *s, tsr_ir_block *b) {
  uint32_t mark = s->count;
  for (tsr_ir_node *n = b->first, *next; n != NULL; n = next) {
    tsr_ir_node *before = n->prev;
    tsr_subst_node(&s->subst, n);
    TSR_TRY(visit(s, n));
    next = n->parent == b ? n->next : before != NULL ? before->next : b->first; /* n may have left */
  }
  tsr_subst_rets(&s->subst, b);
  forget(s, mark);
  return TSR_OK;
}

tsr_status tsr_pass_cse(tsr_pass_env *env, tsr_ir_fn *fn, bool *changed) {
  sharing s = {.env = env, .fn = fn, .shapes_change = block_changes_shape(fn->body)};
  s.root_count = fn->next_id;
  s.roots = calloc(s.root_count + 1, sizeof *s.roots);
  if (s.roots == NULL) return tsr_fail_nomem(env->e);
  tsr_status st = share_block(&s, fn->body);
  free(s.roots);
  free(s.entries);
  free(s.subst.to);
  *changed |= s.changed;
  return st;
}
