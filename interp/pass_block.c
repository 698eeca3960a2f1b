/* A 1x1 convolution (or a network's first), a depthwise one, a gate of each channel made of its mean, and another 1x1, each the
 * only user of the one before, become one operator (ops/conv_block.c), which need not keep the wide tensors between them. */
#include "interp/pass_util.h"

#include "ops/gemm.h"

typedef struct blocker { tsr_pass_env *env; tsr_ir_fn *fn; const tsr_schema *schema; bool changed; } blocker;

typedef struct conv { tsr_ir_node *n; const tsr_tensor *w; tsr_ir_value *residual, *act, *p0, *p1; bool fused; } conv;

static bool all_are(const tsr_ir_value *v, int64_t want) {
  tsr_val c;
  if (!tsr_ir_const_of(v, &c) || c.tag != TSR_V_LIST || c.l->len == 0) return false;
  for (size_t i = 0; i < c.l->len; i++)
    if (c.l->items[i].tag != TSR_V_INT || c.l->items[i].i != want) return false;
  return true;
}

static bool const_int(const tsr_ir_value *v, int64_t *out) {
  tsr_val c;
  if (!tsr_ir_const_of(v, &c) || c.tag != TSR_V_INT) return false;
  *out = c.i;
  return true;
}

static bool is_none(const tsr_ir_value *v) {
  tsr_val c;
  return tsr_ir_const_of(v, &c) && c.tag == TSR_V_NONE;
}

/* Two-dimensional, weights, strides and padding constant, not dilated. */
static bool read_conv(tsr_ir_node *n, conv *out) {
  tsr_val w, b, list;
  bool fused = tsr_ir_is_op(n, "tsr::conv_act");
  if (!fused && !(tsr_ir_is_op(n, "aten::conv2d") && n->schema->overload[0] == 0 && n->nin == 7)) return false;
  if (n->nout != 1 || !tsr_ir_const_of(n->in[1], &w) || w.tag != TSR_V_TENSOR || n->in[1]->def->slot != TSR_CONST_SHARED || w.t->ndim != 4) return false;
  if (!tsr_ir_const_of(n->in[2], &b) || !tsr_ir_const_of(n->in[3], &list) || !tsr_ir_const_of(n->in[4], &list) || !all_are(n->in[5], 1)) return false;
  *out = (conv){.n = n, .w = w.t, .fused = fused};
  if (!fused) return true;
  out->residual = is_none(n->in[7]) ? NULL : n->in[7];
  out->act = n->in[8];
  out->p0 = n->in[9];
  out->p1 = n->in[10];
  return true;
}

static bool is_point(tsr_ir_node *n, conv *out) {
  int64_t groups;
  return n != NULL && n->kind == TSR_IR_OP && n->schema != NULL && read_conv(n, out) && out->w->size[2] == 1 && out->w->size[3] == 1 &&
         all_are(n->in[3], 1) && all_are(n->in[4], 0) && const_int(n->in[6], &groups) && groups == 1;
}

static bool is_depthwise(tsr_ir_node *n, conv *out) {
  int64_t groups;
  return n->kind == TSR_IR_OP && n->schema != NULL && read_conv(n, out) && out->w->size[1] == 1 && out->w->size[0] > 1 && const_int(n->in[6], &groups) &&
         groups == out->w->size[0] && out->residual == NULL;
}

/* The only use of n's result, in the same block, nothing written on the way. */
static tsr_ir_node *sole_user(const tsr_ir_node *n) {
  if (n->out[0]->uses != 1) return NULL;
  for (tsr_ir_node *u = n->next; u != NULL; u = u->next) {
    for (uint32_t i = 0; i < u->nin; i++)
      if (u->in[i] == n->out[0]) return i == 0 ? u : NULL;
    if (tsr_ir_writes(u)) return NULL;
  }
  return NULL;
}

/* The parts of a block; n is NULL for those it lacks.  mean, mul: the operators around the gates' two convolutions. */
typedef struct parts { conv first, deep, last, down, up; tsr_ir_node *mean, *mul; } parts;

/* A mean over height and width that keeps both dimensions. */
static bool is_mean(const tsr_ir_node *n) {
  tsr_val dims, keep;
  if (n->kind != TSR_IR_OP || n->schema == NULL || n->nin < 2 || !tsr_ir_const_of(n->in[1], &dims) || dims.tag != TSR_V_LIST || dims.l->len != 2) return false;
  if (tsr_ir_is_op(n, "aten::adaptive_avg_pool2d")) return n->schema->overload[0] == 0 && all_are(n->in[1], 1);
  if (!tsr_ir_is_op(n, "aten::mean") || strcmp(n->schema->overload, "dim") != 0 || n->nin != 4 || !is_none(n->in[3])) return false;
  int64_t a = dims.l->items[0].i, b = dims.l->items[1].i;
  a += a < 0 ? 4 : 0;
  b += b < 0 ? 4 : 0;
  return tsr_ir_const_of(n->in[2], &keep) && keep.tag == TSR_V_BOOL && keep.b && TSR_MIN(a, b) == 2 && TSR_MAX(a, b) == 3;
}

/* mul(gates, y) or mul(y, gates). */
static bool is_gated(const tsr_ir_node *n, const tsr_ir_value *y, const tsr_ir_value *gates) {
  if (!tsr_ir_is_op(n, "aten::mul") || strcmp(n->schema->overload, "Tensor") != 0 || n->nin != 2) return false;
  return (n->in[0] == y && n->in[1] == gates) || (n->in[0] == gates && n->in[1] == y);
}

/* y's two users are its mean, from which two 1x1 convolutions make gates, and the product with those, all in y's block and
 * with nothing written on the way. */
static bool read_gates(const tsr_ir_node *d, parts *p) {
  const tsr_ir_value *y = d->out[0];
  if (y->uses != 2) return false;
  p->mean = p->mul = NULL;
  for (tsr_ir_node *u = d->next; u != NULL && p->mul == NULL; u = u->next) {
    if (p->mean == NULL && u->nin > 0 && u->in[0] == y && is_mean(u)) {
      p->mean = u;
      if (!is_point(sole_user(u), &p->down) || p->down.residual != NULL || !is_point(sole_user(p->down.n), &p->up) || p->up.residual != NULL) return false;
    } else if (p->mean != NULL && u->kind == TSR_IR_OP && u->schema != NULL && is_gated(u, y, p->up.n->out[0])) {
      p->mul = u;
    }
    if (tsr_ir_writes(u)) return false;
  }
  if (p->mul == NULL || p->up.n->out[0]->uses != 1 || p->mul->out[0]->uses != 1) return false;
  int64_t c = p->deep.w->size[0];
  return p->down.w->size[1] == c && p->up.w->size[1] == p->down.w->size[0] && p->up.w->size[0] == c;
}

enum { X, W1, B1, STRIDE1, PADDING1, ACT1, W2 = 8, B2, STRIDE2, PADDING2, ACT2, W3 = 15, B3, RESIDUAL, ACT3, WA = 21, BA, ACTA, WB = 26, BB, ACTB, ARGS = 31 };

/* Weight, bias, and activation with its two numbers; those of a plain convolution are made in front of `at`. */
static bool add_conv(blocker *b, tsr_ir_node *at, const conv *c, tsr_ir_value *none, tsr_ir_value **in, int w, int act) {
  bool has = c->n != NULL, fused = has && c->fused;
  in[w] = has ? c->n->in[1] : none;
  in[w + 1] = has ? c->n->in[2] : none;
  in[act] = fused ? c->act : tsr_ir_insert_const(b->fn, at, tsr_int(TSR_ACT_NONE), &tsr_type_int, 0);
  in[act + 1] = fused ? c->p0 : tsr_ir_insert_const(b->fn, at, tsr_float(0), &tsr_type_float, 0);
  in[act + 2] = fused ? c->p1 : tsr_ir_insert_const(b->fn, at, tsr_float(0), &tsr_type_float, 0);
  return in[act] != NULL && in[act + 1] != NULL && in[act + 2] != NULL;
}

static void remove_part(tsr_ir_node *n) {
  if (n != NULL) tsr_ir_remove(n);
}

/* The parts become one node in the place of the last of them. */
static tsr_status build(blocker *b, const parts *p) {
  tsr_ir_node *at = p->last.n != NULL ? p->last.n : p->deep.n;
  const tsr_ir_node *first = p->first.n != NULL ? p->first.n : p->deep.n;
  tsr_ir_value *none = tsr_ir_insert_const(b->fn, at, tsr_none(), &tsr_type_none, 0), *in[ARGS] = {NULL};
  if (none == NULL) return tsr_fail_nomem(b->env->e);
  bool ok = add_conv(b, at, &p->first, none, in, W1, ACT1) && add_conv(b, at, &p->deep, none, in, W2, ACT2) && add_conv(b, at, &p->last, none, in, W3, ACT3) &&
            add_conv(b, at, &p->down, none, in, WA, ACTA) && add_conv(b, at, &p->up, none, in, WB, ACTB);
  in[X] = first->in[0];
  in[STRIDE1] = first->in[3]; /* of the depthwise one when there is no first: not looked at */
  in[PADDING1] = first->in[4];
  in[STRIDE2] = p->deep.n->in[3];
  in[PADDING2] = p->deep.n->in[4];
  in[RESIDUAL] = p->last.n != NULL && p->last.residual != NULL ? p->last.residual : none;
  tsr_ir_node *n = ok ? tsr_ir_node_new(b->fn, TSR_IR_OP, ARGS, 1, 0, p->deep.n->loc) : NULL;
  if (n == NULL) return tsr_fail_nomem(b->env->e);
  n->schema = b->schema;
  for (uint32_t i = 0; i < ARGS; i++) tsr_ir_set_input(n, i, in[i]);
  tsr_ir_insert_before(n, at);
  tsr_ir_value *out = tsr_ir_add_output(b->fn, n, at->out[0]->type, at->out[0]->name);
  if (out == NULL) return tsr_fail_nomem(b->env->e);
  tsr_ir_replace_uses(b->fn->body, at->out[0], out);
  remove_part(p->last.n);
  if (p->up.n != NULL) remove_part(p->mul);
  remove_part(p->up.n);
  remove_part(p->down.n);
  if (p->up.n != NULL) remove_part(p->mean);
  remove_part(p->deep.n);
  remove_part(p->first.n);
  b->changed = true;
  return TSR_OK;
}

static bool is_first(tsr_ir_node *n, conv *out) {
  int64_t groups;
  if (is_point(n, out)) return out->residual == NULL;
  return n != NULL && n->kind == TSR_IR_OP && n->schema != NULL && read_conv(n, out) && out->w->size[1] <= 4 && const_int(n->in[6], &groups) &&
         groups == 1 && out->residual == NULL;
}

static void read_first(blocker *b, tsr_ir_node *n, parts *p) {
  tsr_ir_node *before = n->in[0]->def;
  bool has = before != NULL && before->parent == n->parent && is_first(before, &p->first) && sole_user(before) == n &&
             p->first.w->size[0] == p->deep.w->size[0];
  bool point = has && p->first.w->size[2] * p->first.w->size[3] == 1;
  if (!has || (!point && !tsr_pass_is_on(b->env, "block-first"))) p->first = (conv){0};
}

static void read_last(blocker *b, tsr_ir_node *n, parts *p) {
  int64_t c = p->deep.w->size[0];
  bool gated = tsr_pass_is_on(b->env, "block-gate") && read_gates(n, p) && is_point(sole_user(p->mul), &p->last) && p->last.w->size[1] == c;
  if (gated) return;
  p->up = p->down = (conv){0};
  if (!is_point(sole_user(n), &p->last) || p->last.w->size[1] != c) p->last = (conv){0};
}

static tsr_status visit(blocker *b, tsr_ir_node *n, bool *built) {
  parts p = {0};
  if (!is_depthwise(n, &p.deep)) return TSR_OK;
  read_first(b, n, &p);
  read_last(b, n, &p);
  *built = p.first.n != NULL || p.last.n != NULL;
  if (!*built) return TSR_OK;
  TSR_TRY(tsr_pass_schema(b->env, "tsr::conv_block", &b->schema));
  return build(b, &p);
}

static tsr_status walk(blocker *b, tsr_ir_block *block) {
  for (tsr_ir_node *n = block->first, *next; n != NULL; n = next) {
    bool built = false;
    for (uint32_t k = 0; k < n->nblocks; k++) TSR_TRY(walk(b, n->blocks[k]));
    if (n->kind == TSR_IR_OP && n->schema != NULL) TSR_TRY(visit(b, n, &built));
    next = built ? block->first : n->next; /* nodes before and behind may have left */
  }
  return TSR_OK;
}

tsr_status tsr_pass_block(tsr_pass_env *env, tsr_ir_fn *fn, bool *changed) {
  blocker b = {.env = env, .fn = fn};
  tsr_status s = walk(&b, fn->body);
  *changed |= b.changed;
  return s;
}
