/* Convolution chains stay channels last in memory (ops/layout.h).
 *
 * A convolution may hide its result when operators that work in either order use it.  What follows is by
 * value: results of such operators on values that may be hidden may be hidden as well; every other use
 * (a return, a block's result, a container, an attribute, a call, another operator) sees tsr::reveal of
 * it.  A container is looked through only where it is a list that goes straight into such an operator. */
#include "interp/pass_util.h"

#include <stdlib.h>

#include "ops/layout.h"

typedef struct layouter {
  tsr_pass_env *env;
  tsr_ir_fn *fn;
  uint8_t *hidden; uint32_t count;   /* by id: the value, or an item of the list, may be hidden */
  uint8_t *wanted;                   /* by id: some operator of either order uses it */
  uint8_t *known;                    /* by id: 0 when something else than operators that keep its sizes sees it */
  const tsr_schema *conv, *reveal, *slice;
  bool reshapes;                     /* something may change a tensor's sizes in place */
  bool changed;
} layouter;

/* ---- which values ---- */

/* Operands of tsr::conv_last by position in the node, or NULL: not a convolution that can become one. */
static const uint8_t *conv_operands(const tsr_ir_node *n) {
  static const uint8_t short_form[] = {0, 1, 2, 3, 4, 5, 6}, long_form[] = {0, 1, 2, 3, 4, 5, 8};
  tsr_val transposed;
  if (n->kind != TSR_IR_OP || n->schema == NULL || n->nout != 1) return NULL;
  if (tsr_ir_is_op(n, "tsr::conv_act") || tsr_ir_is_op(n, "tsr::conv_last")) return short_form;
  if (tsr_ir_is_op(n, "aten::conv2d")) return n->schema->overload[0] == 0 && n->nin == 7 ? short_form : NULL;
  if (!tsr_ir_is_op(n, "aten::_convolution") || n->nin < 9) return NULL;
  return tsr_ir_const_of(n->in[6], &transposed) && transposed.tag == TSR_V_BOOL && !transposed.b ? long_form : NULL;
}

static bool any_order(const tsr_ir_node *n) {
  if (n->kind != TSR_IR_OP || n->schema == NULL || n->schema->op == NULL) return false;
  const tsr_op *op = n->schema->op;
  return tsr_op_any_order(op) || (op->flags & TSR_OWN_ORDER) != 0;
}

static bool may_hide(const layouter *l, const tsr_ir_value *v) { return v->id < l->count && l->hidden[v->id] != 0; }

static bool hidden_operand(const layouter *l, const tsr_ir_node *n) {
  for (uint32_t i = 0; i < n->nin; i++)
    if (may_hide(l, n->in[i])) return true;
  return false;
}

/* Uses by operators of either order, that is all but shapes; lists pass it on to their items later. */
static void mark_wanted(layouter *l, const tsr_ir_block *b) {
  for (const tsr_ir_node *n = b->first; n != NULL; n = n->next) {
    bool user = conv_operands(n) != NULL || (any_order(n) && !tsr_ir_reads_shape(n));
    for (uint32_t i = 0; i < n->nin && user; i++) l->wanted[n->in[i]->id] = 1;
    for (uint32_t k = 0; k < n->nblocks; k++) mark_wanted(l, n->blocks[k]);
  }
}

/* A slice of a hidden tensor is mostly the whole of it.  Then its result is the operand itself, which only what changes sizes or keeps
 * the value for later could tell from a view. */
static bool may_be_whole(const layouter *l, const tsr_ir_node *n) {
  return tsr_ir_is_form(n, "aten::slice", "Tensor", 5) && may_hide(l, n->in[0]) && l->known[n->in[0]->id] != 0 && l->known[n->out[0]->id] != 0 && !l->reshapes;
}

static void mark_known(layouter *l, const tsr_ir_block *b, const uint8_t *seen) {
  for (const tsr_ir_node *n = b->first; n != NULL; n = n->next) {
    bool list = n->kind == TSR_IR_LIST && n->nout == 1 && seen[n->out[0]->id] == 0;
    bool fine = list || (n->kind == TSR_IR_OP && n->schema != NULL && (any_order(n) || !tsr_ir_writes(n)));
    for (uint32_t i = 0; i < n->nin && !fine; i++) l->known[n->in[i]->id] = 0;
    bool writes = !fine && n->kind == TSR_IR_OP && n->schema != NULL && n->schema->param_count > 0 && n->schema->params[0].is_mut;
    l->reshapes = l->reshapes || (writes && n->in[0]->type->kind == TSR_T_TENSOR);
    for (uint32_t k = 0; k < n->nblocks; k++) mark_known(l, n->blocks[k], seen);
  }
  for (uint32_t i = 0; i < b->nrets; i++) l->known[b->rets[i]->id] = 0;
}

/* Lists that something else sees as well. */
static void mark_seen_lists(uint8_t *seen, const tsr_ir_block *b) {
  for (const tsr_ir_node *n = b->first; n != NULL; n = n->next) {
    for (uint32_t i = 0; i < n->nin; i++)
      if (n->in[i]->type->kind == TSR_T_LIST && !any_order(n)) seen[n->in[i]->id] = 1;
    for (uint32_t k = 0; k < n->nblocks; k++) mark_seen_lists(seen, n->blocks[k]);
  }
  for (uint32_t i = 0; i < b->nrets; i++)
    if (b->rets[i]->type->kind == TSR_T_LIST) seen[b->rets[i]->id] = 1;
}

static bool is_private_list(const tsr_ir_node *n, const uint8_t *seen) {
  return n->kind == TSR_IR_LIST && n->nout == 1 && n->out[0]->uses > 0 && seen[n->out[0]->id] == 0;
}

static void mark_hidden(layouter *l, const tsr_ir_block *b, const uint8_t *seen) {
  for (const tsr_ir_node *n = b->first; n != NULL; n = n->next) {
    if (conv_operands(n) != NULL) {
      l->hidden[n->out[0]->id] = may_hide(l, n->in[0]) || l->wanted[n->out[0]->id];
    } else if (tsr_ir_is_op(n, "tsr::conv_block") || may_be_whole(l, n)) {
      l->hidden[n->out[0]->id] = 1;
    } else if (is_private_list(n, seen) || any_order(n)) {
      for (uint32_t i = 0; i < n->nout && hidden_operand(l, n); i++)
        if (n->out[i]->type->kind == TSR_T_TENSOR || n->kind == TSR_IR_LIST) l->hidden[n->out[i]->id] = 1;
    }
    for (uint32_t k = 0; k < n->nblocks; k++) mark_hidden(l, n->blocks[k], seen);
  }
}

/* A convolution inside a list whose user is of either order wants to hide as well. */
static void mark_items(layouter *l, const tsr_ir_block *b, const uint8_t *seen) {
  for (const tsr_ir_node *n = b->first; n != NULL; n = n->next) {
    if (is_private_list(n, seen))
      for (uint32_t i = 0; i < n->nin; i++) l->wanted[n->in[i]->id] = 1;
    for (uint32_t k = 0; k < n->nblocks; k++) mark_items(l, n->blocks[k], seen);
  }
}

/* ---- rewriting ---- */

static tsr_status nomem(layouter *l) { return tsr_fail_nomem(l->env->e); }

/* A node tsr::reveal(v), not placed yet; its result is *out. */
static tsr_ir_node *new_reveal(layouter *l, tsr_ir_value *v, const tsr_loc *loc, tsr_ir_value **out) {
  tsr_ir_node *n = tsr_ir_node_new(l->fn, TSR_IR_OP, 1, 1, 0, loc);
  if (n == NULL) return NULL;
  n->schema = l->reveal;
  tsr_ir_set_input(n, 0, v);
  *out = tsr_ir_add_output(l->fn, n, v->type, NULL);
  l->changed = true;
  return *out == NULL ? NULL : n;
}

static tsr_status reveal_operands(layouter *l, tsr_ir_node *n) {
  for (uint32_t i = 0; i < n->nin; i++) {
    tsr_ir_value *v;
    if (!may_hide(l, n->in[i])) continue;
    tsr_ir_node *r = new_reveal(l, n->in[i], n->loc, &v);
    if (r == NULL) return nomem(l);
    tsr_ir_insert_before(r, n);
    tsr_ir_set_input(n, i, v);
  }
  return TSR_OK;
}

static tsr_status reveal_rets(layouter *l, tsr_ir_block *b) {
  for (uint32_t i = 0; i < b->nrets; i++) {
    tsr_ir_value *v;
    if (!may_hide(l, b->rets[i])) continue;
    const tsr_ir_node *def = b->rets[i]->def;
    tsr_ir_node *r = new_reveal(l, b->rets[i], def != NULL ? def->loc : NULL, &v);
    if (r == NULL) return nomem(l);
    tsr_ir_append(b, r);
    tsr_ir_set_ret(b, i, v);
  }
  return TSR_OK;
}

/* Room for the values made since. */
static tsr_status grow(layouter *l) {
  uint8_t **maps[] = {&l->hidden, &l->known};
  for (size_t i = 0; i < TSR_COUNT(maps); i++) {
    uint8_t *more = realloc(*maps[i], l->fn->next_id + 1);
    if (more == NULL) return nomem(l);
    memset(more + l->count, 0, l->fn->next_id + 1 - l->count);
    *maps[i] = more;
  }
  l->count = l->fn->next_id;
  return TSR_OK;
}

/* aten::conv2d and its kind become tsr::conv_last without epilogue; tsr::conv_act has the same operands. */
static tsr_status hide_conv(layouter *l, tsr_ir_node *n) {
  const uint8_t *at = conv_operands(n);
  l->changed = true;
  if (strncmp(n->schema->name, "tsr::", 5) == 0) {
    n->schema = l->conv;
    return TSR_OK;
  }
  tsr_ir_value *in[11];
  for (uint32_t i = 0; i < 7; i++) in[i] = n->in[at[i]];
  in[7] = tsr_ir_insert_const(l->fn, n, tsr_none(), &tsr_type_none, 0);
  in[8] = tsr_ir_insert_const(l->fn, n, tsr_int(0), &tsr_type_int, 0);
  in[9] = in[10] = tsr_ir_insert_const(l->fn, n, tsr_float(0), &tsr_type_float, 0);
  tsr_ir_node *fresh = tsr_ir_node_new(l->fn, TSR_IR_OP, 11, 1, 0, n->loc);
  if (in[7] == NULL || in[8] == NULL || in[9] == NULL || fresh == NULL) return nomem(l);
  fresh->schema = l->conv;
  for (uint32_t i = 0; i < 11; i++) tsr_ir_set_input(fresh, i, in[i]);
  tsr_ir_insert_before(fresh, n);
  tsr_ir_value *out = tsr_ir_add_output(l->fn, fresh, n->out[0]->type, n->out[0]->name);
  if (out == NULL) return nomem(l);
  uint8_t known = l->known[n->out[0]->id];
  tsr_ir_replace_uses(l->fn->body, n->out[0], out);
  tsr_ir_remove(n);
  TSR_TRY(grow(l));
  l->hidden[out->id] = 1;
  l->known[out->id] = known;
  return TSR_OK;
}

static tsr_status rewrite(layouter *l, tsr_ir_block *b) {
  for (tsr_ir_node *n = b->first, *next; n != NULL; n = next) {
    next = n->next;
    bool conv = conv_operands(n) != NULL, list = n->kind == TSR_IR_LIST && n->nout == 1 && may_hide(l, n->out[0]);
    if (conv && may_hide(l, n->out[0])) {
      TSR_TRY(hide_conv(l, n));
      continue;
    } else if (may_be_whole(l, n)) {
      n->schema = l->slice;
    } else if (!list && !any_order(n)) {
      TSR_TRY(reveal_operands(l, n));
    }
    for (uint32_t k = 0; k < n->nblocks; k++) TSR_TRY(rewrite(l, n->blocks[k]));
  }
  return reveal_rets(l, b);
}

static tsr_status run(layouter *l) {
  uint8_t *seen = calloc(l->count + 1, 1);
  l->hidden = calloc(l->count + 1, 1);
  l->wanted = calloc(l->count + 1, 1);
  l->known = malloc(l->count + 1);
  bool ok = seen != NULL && l->hidden != NULL && l->wanted != NULL && l->known != NULL;
  if (ok) {
    memset(l->known, 1, l->count + 1);
    mark_seen_lists(seen, l->fn->body);
    mark_known(l, l->fn->body, seen);
    mark_wanted(l, l->fn->body);
    mark_items(l, l->fn->body, seen);
    mark_hidden(l, l->fn->body, seen);
  }
  free(seen);
  if (!ok) return nomem(l);
  TSR_TRY(tsr_pass_schema(l->env, "tsr::conv_last", &l->conv));
  TSR_TRY(tsr_pass_schema(l->env, "tsr::reveal", &l->reveal));
  TSR_TRY(tsr_pass_schema(l->env, "tsr::slice_whole", &l->slice));
  return rewrite(l, l->fn->body);
}

static bool has_conv(const tsr_ir_block *b) {
  for (const tsr_ir_node *n = b->first; n != NULL; n = n->next) {
    if (conv_operands(n) != NULL || tsr_ir_is_op(n, "tsr::conv_block")) return true;
    for (uint32_t k = 0; k < n->nblocks; k++)
      if (has_conv(n->blocks[k])) return true;
  }
  return false;
}

tsr_status tsr_pass_layout(tsr_pass_env *env, tsr_ir_fn *fn, bool *changed) {
  if (!has_conv(fn->body)) return TSR_OK;
  layouter l = {.env = env, .fn = fn, .count = fn->next_id};
  tsr_status s = run(&l);
  free(l.hidden);
  free(l.wanted);
  free(l.known);
  *changed |= l.changed;
  return s;
}
