/* Inlining: every call whose target is known is replaced by the target's body, until the function
 * reaches a size limit.  Locations keep the chain of calls and the path of the module. */
#include "interp/pass_util.h"

#include <stdlib.h>

#define MAX_NODES 100000 /* of the function that grows */
#define MAX_CHAIN 200    /* calls inlined into one another */
#define MAX_NESTING 300  /* blocks within blocks: later stages recurse over them */

typedef struct inliner {
  tsr_pass_env *env;
  tsr_ir_fn *fn;
  uint32_t nodes;
  tsr_subst subst;
  bool changed;
} inliner;

typedef struct relocation {
  tsr_arena *arena;
  const tsr_loc *call;
  const char *path;
  const tsr_loc *last_from, *last_to; /* neighbours mostly share their location */
} relocation;

/* The callee's location seen from the caller.  Out of memory costs the chain, not the run. */
static const tsr_loc *relocate(void *user, const tsr_loc *loc) {
  relocation *r = user;
  if (loc == r->last_from) return r->last_to;
  tsr_loc *copy = tsr_arena_alloc(r->arena, sizeof *copy);
  if (copy == NULL) return loc;
  *copy = *loc;
  copy->module_path = r->path;
  copy->caller = r->call;
  r->last_from = loc;
  r->last_to = copy;
  return copy;
}

/* "layer1.0.conv2" when v is reached by attributes from the function's own self; else NULL. */
static const char *path_of(inliner *x, const tsr_ir_value *v) {
  const char *names[64];
  int n = 0;
  for (; v->def != NULL && n < 64; v = v->def->in[0]) {
    if (v->def->kind == TSR_IR_CAST) continue;
    if (v->def->kind != TSR_IR_GETATTR) return NULL;
    names[n++] = v->def->name;
  }
  if (n == 0 || v->def != NULL || v->block != x->fn->body) return NULL;
  tsr_buf b = {0};
  while (n-- > 0) {
    tsr_buf_puts(&b, names[n]);
    if (n > 0) tsr_buf_putc(&b, '.');
  }
  const char *path = b.oom ? NULL : tsr_arena_strdup(x->fn->names, b.data, b.len);
  tsr_buf_dispose(&b);
  return path;
}

static int chain_length(const tsr_loc *loc) {
  int n = 0;
  for (; loc != NULL && n <= MAX_CHAIN; loc = loc->caller) n++;
  return n;
}

static tsr_ir_fn *target_of(const tsr_ir_node *n) {
  if (n->kind == TSR_IR_CALL) return n->callee;
  if (n->kind == TSR_IR_CALL_METHOD && n->in[0]->type->kind == TSR_T_CLASS && n->in[0]->type->cls != NULL)
    return tsr_class_method(n->in[0]->type->cls, n->name);
  if ((n->kind == TSR_IR_FORK || n->kind == TSR_IR_CALL_VALUE) && n->nin > 0 && n->in[0]->def != NULL && n->in[0]->def->kind == TSR_IR_CLOSURE)
    return n->in[0]->def->callee;
  return NULL;
}

/* Arguments as the target's parameters: captured values stand before the operands of a closure's call. */
static bool bind_params(tsr_cloner *c, const tsr_ir_node *n, const tsr_ir_fn *target) {
  uint32_t at = 0, skip = 0;
  if (n->kind == TSR_IR_FORK || n->kind == TSR_IR_CALL_VALUE) {
    const tsr_ir_node *closure = n->in[0]->def;
    skip = 1;
    if (closure->nin + n->nin - 1 != target->body->nparams) return false;
    for (uint32_t i = 0; i < closure->nin; i++) c->map[target->body->params[at++]->id] = closure->in[i];
  }
  if (at + n->nin - skip != target->body->nparams) return false;
  for (uint32_t i = skip; i < n->nin; i++) c->map[target->body->params[at++]->id] = n->in[i];
  return true;
}

/* A forked function stays in a block of its own: its errors wait for whoever waits. */
static tsr_ir_value *open_fork(inliner *x, tsr_ir_node *n) {
  tsr_ir_node *fork = tsr_ir_node_new(x->fn, TSR_IR_FORK, 0, 1, 1, n->loc);
  if (fork == NULL) return NULL;
  tsr_ir_insert_before(fork, n);
  return tsr_ir_add_output(x->fn, fork, n->out[0]->type, n->out[0]->name);
}

static tsr_status inline_call(inliner *x, tsr_ir_node *n, tsr_ir_fn *target, bool *done) {
  relocation r = {.arena = x->fn->names, .call = n->loc, .path = n->nin > 0 ? path_of(x, n->in[0]) : NULL};
  if (r.path == NULL && n->loc != NULL) r.path = n->loc->module_path;
  tsr_cloner c;
  TSR_TRY(tsr_cloner_init(&c, x->fn, target, x->env->e));
  c.relocate = relocate;
  c.user = &r;
  *done = bind_params(&c, n, target);
  *done = *done && (n->nout == 0 || (n->nout == 1 && target->body->nrets == 1));
  bool forks = n->kind == TSR_IR_FORK;
  tsr_ir_value *future = forks && *done ? open_fork(x, n) : NULL;
  tsr_ir_block *body = future != NULL ? future->def->blocks[0] : NULL;
  bool ok = !*done || ((!forks || body != NULL) && tsr_clone_nodes(&c, target->body, body, forks ? NULL : n));
  if (ok && *done) {
    tsr_ir_value *ret = target->body->nrets > 0 ? c.map[target->body->rets[0]->id] : NULL;
    ok = (!forks || tsr_ir_block_add_ret(x->fn, body, ret)) && tsr_subst_remove(&x->subst, n, forks ? &future : &ret);
  }
  tsr_cloner_dispose(&c);
  x->changed |= *done;
  return ok ? TSR_OK : tsr_fail_nomem(x->env->e);
}

static int nesting(const tsr_ir_block *b) {
  int deepest = 0;
  for (const tsr_ir_node *n = b->first; n != NULL; n = n->next)
    for (uint32_t k = 0; k < n->nblocks; k++) deepest = TSR_MAX(deepest, 1 + nesting(n->blocks[k]));
  return deepest;
}

/* Small enough, and neither chain nor nesting too deep afterwards. */
static bool may_inline(const inliner *x, const tsr_ir_node *n, const tsr_ir_fn *target, int depth, uint32_t *size) {
  if (target == NULL || !target->lowered || chain_length(n->loc) >= MAX_CHAIN) return false;
  *size = tsr_ir_count_nodes(target->body, MAX_NODES);
  return *size < MAX_NODES - x->nodes && depth + nesting(target->body) + (n->kind == TSR_IR_FORK) < MAX_NESTING;
}

static tsr_status inline_block(inliner *x, tsr_ir_block *b, int depth) {
  tsr_ir_node *n = b->first;
  while (n != NULL) {
    tsr_subst_node(&x->subst, n);
    tsr_ir_fn *target = target_of(n);
    uint32_t size = 0;
    if (may_inline(x, n, target, depth, &size)) {
      tsr_ir_node *before = n->prev;
      bool done = false;
      TSR_TRY(inline_call(x, n, target, &done));
      if (done) {
        x->nodes += size;
        n = before != NULL ? before->next : b->first; /* the inlined nodes are looked at too */
        continue;
      }
    }
    for (uint32_t k = 0; k < n->nblocks; k++) TSR_TRY(inline_block(x, n->blocks[k], depth + 1));
    n = n->next;
  }
  tsr_subst_rets(&x->subst, b);
  return TSR_OK;
}

tsr_status tsr_pass_inline(tsr_pass_env *env, tsr_ir_fn *fn, bool *changed) {
  inliner x = {.env = env, .fn = fn, .nodes = TSR_MIN(tsr_ir_count_nodes(fn->body, MAX_NODES), (uint32_t)MAX_NODES)};
  tsr_status s = inline_block(&x, fn->body, 0);
  free(x.subst.to);
  *changed = x.changed;
  return s;
}
