/* Building and editing the intermediate representation.  Arrays of values hold a power of two (at
 * least two) entries, so that whether one is full follows from its count alone. */
#include "interp/ir.h"

static size_t array_cap(uint32_t n) {
  size_t cap = 2;
  while (cap < n) cap *= 2;
  return cap;
}

static tsr_ir_value **array_new(tsr_arena *arena, uint32_t n) {
  return tsr_arena_alloc(arena, array_cap(n) * sizeof(tsr_ir_value *));
}

static bool array_push(tsr_arena *arena, tsr_ir_value ***items, uint32_t *count, tsr_ir_value *v) {
  uint32_t n = *count;
  if (*items == NULL || n == array_cap(n)) {
    if (n > UINT32_MAX / 4) return false;
    tsr_ir_value **grown = array_new(arena, n + 1);
    if (grown == NULL) return false;
    if (n > 0) memcpy(grown, *items, n * sizeof *grown);
    *items = grown;
  }
  (*items)[n] = v;
  *count = n + 1;
  return true;
}

tsr_ir_fn *tsr_ir_fn_new(tsr_arena *arena, const char *name) {
  tsr_ir_fn *fn = tsr_arena_alloc(arena, sizeof *fn);
  if (fn == NULL) return NULL;
  fn->name = name;
  fn->arena = arena;
  fn->names = arena;
  fn->body = tsr_ir_block_new(fn, NULL);
  return fn->body == NULL ? NULL : fn;
}

tsr_ir_block *tsr_ir_block_new(tsr_ir_fn *fn, tsr_ir_node *owner) {
  tsr_ir_block *b = tsr_arena_alloc(fn->arena, sizeof *b);
  if (b != NULL) b->owner = owner;
  return b;
}

static tsr_ir_value *value_new(tsr_ir_fn *fn, const tsr_type *type, const char *name) {
  tsr_ir_value *v = tsr_arena_alloc(fn->arena, sizeof *v);
  if (v == NULL) return NULL;
  v->id = fn->next_id++;
  v->type = type;
  v->name = name;
  return v;
}

tsr_ir_value *tsr_ir_block_add_param(tsr_ir_fn *fn, tsr_ir_block *b, const tsr_type *type, const char *name) {
  tsr_ir_value *v = value_new(fn, type, name);
  if (v == NULL || !array_push(fn->arena, &b->params, &b->nparams, v)) return NULL;
  v->block = b;
  return v;
}

bool tsr_ir_block_add_ret(tsr_ir_fn *fn, tsr_ir_block *b, tsr_ir_value *v) {
  if (!array_push(fn->arena, &b->rets, &b->nrets, v)) return false;
  v->uses++;
  return true;
}

tsr_ir_node *tsr_ir_node_new(tsr_ir_fn *fn, tsr_ir_kind kind, uint32_t nin, uint32_t nout, uint32_t nblocks, const tsr_loc *loc) {
  tsr_ir_node *n = tsr_arena_alloc(fn->arena, sizeof *n);
  if (n == NULL) return NULL;
  n->kind = kind;
  n->loc = loc;
  n->nin = nin;
  n->in = array_new(fn->arena, nin);
  n->out = array_new(fn->arena, nout);
  if (n->in == NULL || n->out == NULL) return NULL;
  if (nblocks > 0) {
    n->blocks = tsr_arena_alloc(fn->arena, nblocks * sizeof(tsr_ir_block *));
    if (n->blocks == NULL) return NULL;
    for (n->nblocks = 0; n->nblocks < nblocks; n->nblocks++)
      if ((n->blocks[n->nblocks] = tsr_ir_block_new(fn, n)) == NULL) return NULL;
  }
  return n;
}

void tsr_ir_set_input(tsr_ir_node *n, uint32_t i, tsr_ir_value *v) {
  if (n->in[i] != NULL) n->in[i]->uses--;
  n->in[i] = v;
  if (v != NULL) v->uses++;
}

bool tsr_ir_add_input(tsr_ir_fn *fn, tsr_ir_node *n, tsr_ir_value *v) {
  if (!array_push(fn->arena, &n->in, &n->nin, v)) return false;
  v->uses++;
  return true;
}

tsr_ir_value *tsr_ir_add_output(tsr_ir_fn *fn, tsr_ir_node *n, const tsr_type *type, const char *name) {
  tsr_ir_value *v = value_new(fn, type, name);
  if (v == NULL || !array_push(fn->arena, &n->out, &n->nout, v)) return NULL;
  v->def = n;
  v->block = n->parent;
  return v;
}

void tsr_ir_set_ret(tsr_ir_block *b, uint32_t i, tsr_ir_value *v) {
  if (b->rets[i] != NULL) b->rets[i]->uses--;
  b->rets[i] = v;
  if (v != NULL) v->uses++;
}

static void set_parent(tsr_ir_node *n, tsr_ir_block *b) {
  n->parent = b;
  for (uint32_t i = 0; i < n->nout; i++) n->out[i]->block = b;
}

void tsr_ir_append(tsr_ir_block *b, tsr_ir_node *n) {
  n->prev = b->last;
  n->next = NULL;
  if (b->last != NULL) b->last->next = n;
  else b->first = n;
  b->last = n;
  set_parent(n, b);
}

void tsr_ir_insert_before(tsr_ir_node *n, tsr_ir_node *before) {
  tsr_ir_block *b = before->parent;
  n->next = before;
  n->prev = before->prev;
  if (before->prev != NULL) before->prev->next = n;
  else b->first = n;
  before->prev = n;
  set_parent(n, b);
}

void tsr_ir_unlink(tsr_ir_node *n) {
  tsr_ir_block *b = n->parent;
  if (b == NULL) return;
  if (n->prev != NULL) n->prev->next = n->next;
  else b->first = n->next;
  if (n->next != NULL) n->next->prev = n->prev;
  else b->last = n->prev;
  n->prev = n->next = NULL;
  set_parent(n, NULL);
}

static void drop_block_uses(tsr_ir_block *b) {
  for (tsr_ir_node *n = b->first; n != NULL; n = n->next) {
    for (uint32_t i = 0; i < n->nin; i++) tsr_ir_set_input(n, i, NULL);
    for (uint32_t k = 0; k < n->nblocks; k++) drop_block_uses(n->blocks[k]);
  }
  for (uint32_t i = 0; i < b->nrets; i++) tsr_ir_set_ret(b, i, NULL);
}

void tsr_ir_remove(tsr_ir_node *n) {
  tsr_ir_unlink(n);
  for (uint32_t i = 0; i < n->nin; i++) tsr_ir_set_input(n, i, NULL);
  for (uint32_t k = 0; k < n->nblocks; k++) drop_block_uses(n->blocks[k]);
  n->nin = 0;
}

void tsr_ir_replace_uses(tsr_ir_block *block, tsr_ir_value *from, tsr_ir_value *to) {
  if (from->uses == 0) return;
  for (tsr_ir_node *n = block->first; n != NULL; n = n->next) {
    for (uint32_t i = 0; i < n->nin; i++)
      if (n->in[i] == from) tsr_ir_set_input(n, i, to);
    for (uint32_t k = 0; k < n->nblocks; k++) tsr_ir_replace_uses(n->blocks[k], from, to);
  }
  for (uint32_t i = 0; i < block->nrets; i++)
    if (block->rets[i] == from) tsr_ir_set_ret(block, i, to);
}

const char *tsr_ir_kind_name(tsr_ir_kind k) {
  static const char *const names[] = {
#define X(kind, name, doc) name,
      TSR_IR_KINDS(X)
#undef X
  };
  return (size_t)k < TSR_COUNT(names) ? names[k] : "?";
}
