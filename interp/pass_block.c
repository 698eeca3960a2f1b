/* A 1x1 convolution, a depthwise one and mostly another 1x1, each the only user of the one before, become one operator
 * (ops/conv_block.c), which need not keep the wide tensors between them. */
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

/* Activation and its two numbers; those of a plain convolution are made in front of `at`. */
static bool add_act(blocker *b, tsr_ir_node *at, const conv *c, tsr_ir_value **in) {
  bool has = c != NULL && c->fused;
  in[0] = has ? c->act : tsr_ir_insert_const(b->fn, at, tsr_int(TSR_ACT_NONE), &tsr_type_int, 0);
  in[1] = has ? c->p0 : tsr_ir_insert_const(b->fn, at, tsr_float(0), &tsr_type_float, 0);
  in[2] = has ? c->p1 : tsr_ir_insert_const(b->fn, at, tsr_float(0), &tsr_type_float, 0);
  return in[0] != NULL && in[1] != NULL && in[2] != NULL;
}

/* e, d and, if not NULL, p become one node in the place of the last of them. */
static tsr_status build(blocker *b, const conv *e, const conv *d, const conv *p, tsr_ir_node **built) {
  tsr_ir_node *at = p != NULL ? p->n : d->n;
  tsr_ir_value *none = tsr_ir_insert_const(b->fn, at, tsr_none(), &tsr_type_none, 0);
  tsr_ir_value *in[19] = {e->n->in[0], e->n->in[1], e->n->in[2]};
  in[6] = d->n->in[1];
  in[7] = d->n->in[2];
  in[8] = d->n->in[3];
  in[9] = d->n->in[4];
  in[13] = p != NULL ? p->n->in[1] : none;
  in[14] = p != NULL ? p->n->in[2] : none;
  in[15] = p != NULL && p->residual != NULL ? p->residual : none;
  if (none == NULL || !add_act(b, at, e, in + 3) || !add_act(b, at, d, in + 10) || !add_act(b, at, p, in + 16)) return tsr_fail_nomem(b->env->e);
  tsr_ir_node *n = tsr_ir_node_new(b->fn, TSR_IR_OP, 19, 1, 0, d->n->loc);
  if (n == NULL) return tsr_fail_nomem(b->env->e);
  n->schema = b->schema;
  for (uint32_t i = 0; i < 19; i++) tsr_ir_set_input(n, i, in[i]);
  tsr_ir_insert_before(n, at);
  tsr_ir_value *out = tsr_ir_add_output(b->fn, n, at->out[0]->type, at->out[0]->name);
  if (out == NULL) return tsr_fail_nomem(b->env->e);
  tsr_ir_replace_uses(b->fn->body, at->out[0], out);
  if (p != NULL) tsr_ir_remove(p->n);
  tsr_ir_remove(d->n);
  tsr_ir_remove(e->n);
  b->changed = true;
  *built = n;
  return TSR_OK;
}

/* *built: what took the place of n, or as it was. */
static tsr_status visit(blocker *b, tsr_ir_node *n, tsr_ir_node **built) {
  conv e, d, p;
  if (!is_depthwise(n, &d)) return TSR_OK;
  tsr_ir_node *before = n->in[0]->def;
  if (before == NULL || before->parent != n->parent || !is_point(before, &e) || e.residual != NULL || sole_user(before) != n) return TSR_OK;
  if (e.w->size[0] != d.w->size[0]) return TSR_OK;
  TSR_TRY(tsr_pass_schema(b->env, "tsr::conv_block", &b->schema));
  tsr_ir_node *after = sole_user(n);
  bool three = is_point(after, &p) && p.w->size[1] == d.w->size[0];
  return build(b, &e, &d, three ? &p : NULL, built);
}

static tsr_status walk(blocker *b, tsr_ir_block *block) {
  for (tsr_ir_node *n = block->first; n != NULL; n = n->next) {
    for (uint32_t k = 0; k < n->nblocks; k++) TSR_TRY(walk(b, n->blocks[k]));
    if (n->kind == TSR_IR_OP && n->schema != NULL) TSR_TRY(visit(b, n, &n));
  }
  return TSR_OK;
}

tsr_status tsr_pass_block(tsr_pass_env *env, tsr_ir_fn *fn, bool *changed) {
  blocker b = {.env = env, .fn = fn};
  tsr_status s = walk(&b, fn->body);
  *changed |= b.changed;
  return s;
}
