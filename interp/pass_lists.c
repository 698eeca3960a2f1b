/* A list that is made, appended to and read in one block, by operators without effects, is no object that
 * anybody could tell from another: each reader gets a list of what it holds by then, and the appends go. */
#include "interp/pass_util.h"

#include <stdlib.h>

typedef struct tracked {
  tsr_ir_node *made;             /* prim::ListConstruct */
  tsr_ir_value **items; uint32_t count, cap;
  tsr_ir_value *current;         /* a list of these items, or NULL since the last append */
} tracked;

static bool is_append(const tsr_ir_node *n, const tsr_ir_value *list) {
  return tsr_ir_is_op(n, "aten::append") && strcmp(n->schema->overload, "t") == 0 && n->nin == 2 && n->in[0] == list && n->in[1] != list &&
         (n->nout == 0 || n->out[0]->uses == 0);
}

/* Gives numbers or tensors of its own: does not keep or return the list. */
static bool is_reader(const tsr_ir_node *n) {
  if (n->kind != TSR_IR_OP || n->schema == NULL || n->schema->op == NULL || n->schema->has_mut) return false;
  if ((((const tsr_op *)n->schema->op)->flags & TSR_PURE) == 0) return false;
  for (uint32_t i = 0; i < n->nout; i++)
    if (n->out[i]->type->kind != TSR_T_TENSOR && n->out[i]->type->kind != TSR_T_INT) return false;
  return true;
}

/* Every use is an append or a reader of the same block, and there is an append. */
static bool is_local(const tsr_ir_node *made) {
  const tsr_ir_value *list = made->out[0];
  uint32_t seen = 0, appends = 0;
  for (const tsr_ir_node *n = made->next; n != NULL && seen < list->uses; n = n->next)
    for (uint32_t i = 0; i < n->nin; i++) {
      if (n->in[i] != list) continue;
      if (is_append(n, list)) appends++;
      else if (!is_reader(n)) return false;
      seen++;
    }
  return appends > 0 && seen == list->uses;
}

static bool add_item(tracked *t, tsr_ir_value *v) {
  if (!tsr_grow((void **)&t->items, &t->cap, t->count + 1, sizeof *t->items)) return false;
  t->items[t->count++] = v;
  t->current = NULL;
  return true;
}

/* The list as it is in front of `at`. */
static tsr_ir_value *list_at(tsr_ir_fn *fn, tracked *t, tsr_ir_node *at) {
  if (t->current != NULL) return t->current;
  tsr_ir_node *n = tsr_ir_node_new(fn, TSR_IR_LIST, t->count, 1, 0, t->made->loc);
  if (n == NULL) return NULL;
  n->type = t->made->type;
  n->slot = t->made->slot;
  for (uint32_t i = 0; i < t->count; i++) tsr_ir_set_input(n, i, t->items[i]);
  tsr_ir_insert_before(n, at);
  t->current = tsr_ir_add_output(fn, n, t->made->out[0]->type, t->made->out[0]->name);
  return t->current;
}

static tsr_status unfold(tsr_pass_env *env, tsr_ir_fn *fn, tracked *t) {
  tsr_ir_value *list = t->made->out[0];
  for (uint32_t i = 0; i < t->made->nin; i++)
    if (!add_item(t, t->made->in[i])) return tsr_fail_nomem(env->e);
  t->current = list;
  for (tsr_ir_node *n = t->made->next, *next; n != NULL; n = next) {
    next = n->next;
    if (is_append(n, list)) {
      if (!add_item(t, n->in[1])) return tsr_fail_nomem(env->e);
      tsr_ir_remove(n);
      continue;
    }
    for (uint32_t i = 0; i < n->nin; i++) {
      if (n->in[i] != list) continue;
      tsr_ir_value *v = list_at(fn, t, n);
      if (v == NULL) return tsr_fail_nomem(env->e);
      tsr_ir_set_input(n, i, v);
    }
  }
  return TSR_OK;
}

static tsr_status walk(tsr_pass_env *env, tsr_ir_fn *fn, tsr_ir_block *b, bool *changed) {
  for (tsr_ir_node *n = b->first; n != NULL; n = n->next) {
    for (uint32_t k = 0; k < n->nblocks; k++) TSR_TRY(walk(env, fn, n->blocks[k], changed));
    if (n->kind != TSR_IR_LIST || n->nout != 1 || !is_local(n)) continue;
    tracked t = {.made = n};
    tsr_status s = unfold(env, fn, &t);
    free(t.items);
    TSR_TRY(s);
    *changed = true;
  }
  return TSR_OK;
}

tsr_status tsr_pass_lists(tsr_pass_env *env, tsr_ir_fn *fn, bool *changed) { return walk(env, fn, fn->body, changed); }
