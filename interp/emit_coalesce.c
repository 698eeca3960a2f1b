/* Numbers that one control-flow join hands to another share a register, so that nothing is copied.
 *
 * Every If gives its outputs to the results of its arms, every Loop its carried values to what they start as and to
 * what the body returns.  Where two such values are never needed at the same time they become one class with one
 * register of its own (value_info.home).  Only values that hold no reference take part: registers of others tell who
 * owns what.
 *
 * Times: nodes are numbered in the order of the text, inputs are read at even times, results written at the odd ones
 * after them.  A value is alive in closed intervals of time, one for each block where it is needed; from the end of
 * one arm control goes to the end of the If, so what lies between does not count. */
#include "interp/emit_impl.h"

#include <stdlib.h>

#define MAX_SPANS 64 /* intervals of a value or class; what has more stays alone */

typedef struct span { int32_t from, to; uint32_t next; } span; /* to < 0: the end of loop -to - 1 */

typedef struct scope { /* a block on the way from the function's body */
  const tsr_ir_block *block;
  const struct scope *outer;
  int32_t start, owner_at; /* owner_at: time of the node that holds the block */
  int32_t loop;            /* number of the loop whose body it is, or -1 */
} scope;

typedef struct item { int32_t def; uint32_t spans; uint32_t count; uint32_t leader; bool busy, grouped; } item; /* one a value; spans: index + 1 */

typedef struct pair { uint32_t a, b; } pair;
typedef struct pairs { pair *list; uint32_t count, cap; } pairs;

typedef struct coalescer {
  emitter *m;
  item *items;
  span *spans; uint32_t nspans, spans_cap;
  int32_t *loop_ends; uint32_t nloops, loops_cap;
  pairs given, wanted;     /* loops have one register for a carried value and its output; wanted: inner constructs first */
  int32_t time;
  bool oom;
} coalescer;

static bool takes_part(const coalescer *c, const tsr_ir_value *v) {
  return !tsr_emit_is_const(v) && !tsr_emit_may_hold_reference(v->type) && !(v->def == NULL && v->block == c->m->fn->body);
}

static void span_add(coalescer *c, const tsr_ir_value *v, int32_t from, int32_t to) {
  item *it = &c->items[v->id];
  for (uint32_t at = it->spans; at != 0; at = c->spans[at - 1].next)
    if (c->spans[at - 1].from == from) {
      c->spans[at - 1].to = to; /* uses come in the order of time */
      return;
    }
  if (it->count >= MAX_SPANS) it->busy = true;
  if (it->busy) return;
  if (!tsr_grow((void **)&c->spans, &c->spans_cap, c->nspans + 1, sizeof *c->spans)) {
    c->oom = true;
    return;
  }
  c->spans[c->nspans] = (span){from, to, it->spans};
  it->spans = ++c->nspans;
  it->count++;
}

static void define(coalescer *c, const tsr_ir_value *v, int32_t at) {
  if (!takes_part(c, v)) return;
  c->items[v->id].def = at;
  span_add(c, v, at, at);
}

static void use(coalescer *c, const scope *s, const tsr_ir_value *v, int32_t at) {
  if (!takes_part(c, v)) return;
  const tsr_ir_block *home = v->def != NULL ? v->def->parent : v->block;
  int32_t to = at;
  for (; s != NULL && s->block != home; s = s->outer) {
    if (s->loop >= 0) to = -s->loop - 1; /* the next turn needs it too */
    span_add(c, v, s->start, to);
    if (s->loop < 0) to = s->owner_at;
  }
  if (s != NULL) span_add(c, v, c->items[v->id].def, to);
}

static void add_pair(coalescer *c, pairs *to, const tsr_ir_value *a, const tsr_ir_value *b) {
  if (a == b || !takes_part(c, a) || !takes_part(c, b)) return;
  if (!tsr_grow((void **)&to->list, &to->cap, to->count + 1, sizeof *to->list)) c->oom = true;
  else to->list[to->count++] = (pair){a->id, b->id};
}

static void visit_block(coalescer *c, const scope *s);

static int32_t visit_arm(coalescer *c, const scope *s, const tsr_ir_node *n, const tsr_ir_block *b, int32_t at) {
  c->time += 2; /* not the time at which the arm before wrote the outputs */
  scope in = {b, s, c->time + 1, at, -1};
  visit_block(c, &in);
  c->time += 2;
  for (uint32_t i = 0; i < b->nrets; i++) use(c, &in, b->rets[i], c->time);
  for (uint32_t i = 0; i < n->nout; i++) define(c, n->out[i], c->time + 1);
  return c->time;
}

static void visit_loop(coalescer *c, const scope *s, const tsr_ir_node *n, int32_t at) {
  const tsr_ir_block *b = n->blocks[0];
  if (!tsr_grow((void **)&c->loop_ends, &c->loops_cap, c->nloops + 1, sizeof *c->loop_ends)) {
    c->oom = true;
    return;
  }
  scope in = {b, s, at + 1, at, (int32_t)c->nloops++};
  for (uint32_t i = 0; i < b->nparams; i++) define(c, b->params[i], at + 1);
  c->items[b->params[0]->id].busy = true; /* counts in place */
  use(c, &in, n->in[0], at + 1); /* compared at the end of each turn */
  use(c, s, n->in[1], at + 1);   /* tested when the carried values stand in their registers */
  c->time += 2;
  visit_block(c, &in);
  c->time += 2;
  for (uint32_t i = 1; i < b->nrets; i++) use(c, &in, b->rets[i], c->time);
  use(c, &in, b->rets[0], c->time + 1); /* tested after the writing of the others */
  c->loop_ends[in.loop] = c->time + 1;
  for (uint32_t i = 0; i < n->nout; i++) {
    define(c, n->out[i], c->time + 1);
    add_pair(c, &c->given, b->params[i + 1], n->out[i]);
    add_pair(c, &c->wanted, b->rets[i + 1], n->out[i]);
    add_pair(c, &c->wanted, n->in[i + 2], n->out[i]);
  }
}

static void visit_node(coalescer *c, const scope *s, const tsr_ir_node *n) {
  int32_t at = c->time += 2;
  if (n->kind != TSR_IR_LOOP)
    for (uint32_t i = 0; i < n->nin; i++) use(c, s, n->in[i], at);
  switch (n->kind) {
    case TSR_IR_LOOP:
      for (uint32_t i = 2; i < n->nin; i++) use(c, s, n->in[i], at);
      visit_loop(c, s, n, at);
      return;
    case TSR_IR_IF: case TSR_IR_WITH: case TSR_IR_FORK:
      if (n->nblocks == 0) define(c, n->out[0], at + 1);
      for (uint32_t k = 0; k < n->nblocks; k++) visit_arm(c, s, n, n->blocks[k], at);
      for (uint32_t k = 0; k < n->nblocks; k++)
        for (uint32_t i = 0; i < n->nout; i++) add_pair(c, &c->wanted, n->blocks[k]->rets[i], n->out[i]);
      return;
    default:
      for (uint32_t i = 0; i < n->nout; i++) define(c, n->out[i], at + 1);
      if (n->kind == TSR_IR_CAST && n->slot == 0) add_pair(c, &c->wanted, n->in[0], n->out[0]);
  }
}

static void visit_block(coalescer *c, const scope *s) {
  for (const tsr_ir_node *n = s->block->first; n != NULL && !c->oom; n = n->next) visit_node(c, s, n);
}

/* ---- classes ---- */

static uint32_t leader_of(const coalescer *c, uint32_t id) {
  while (c->items[id].leader != id) id = c->items[id].leader;
  return id;
}

static void resolve_ends(coalescer *c) {
  for (uint32_t i = 0; i < c->nspans; i++)
    if (c->spans[i].to < 0) c->spans[i].to = c->loop_ends[-c->spans[i].to - 1];
}

static bool meet(const coalescer *c, uint32_t a, uint32_t b) {
  for (uint32_t i = c->items[a].spans; i != 0; i = c->spans[i - 1].next)
    for (uint32_t k = c->items[b].spans; k != 0; k = c->spans[k - 1].next)
      if (c->spans[i - 1].from <= c->spans[k - 1].to && c->spans[k - 1].from <= c->spans[i - 1].to) return true;
  return false;
}

static void join(coalescer *c, uint32_t a, uint32_t b) {
  item *x = &c->items[a], *y = &c->items[b];
  uint32_t last = y->spans;
  while (c->spans[last - 1].next != 0) last = c->spans[last - 1].next;
  c->spans[last - 1].next = x->spans;
  x->spans = y->spans;
  x->count += y->count;
  y->leader = a;
  x->grouped = true;
}

static void join_all(coalescer *c) {
  for (uint32_t i = 0; i < c->given.count; i++) {
    uint32_t a = c->given.list[i].a, b = c->given.list[i].b;
    if (c->items[a].busy || c->items[b].busy || c->items[a].count + c->items[b].count > MAX_SPANS) c->items[a].busy = c->items[b].busy = true;
    else join(c, a, b);
  }
  for (uint32_t i = 0; i < c->wanted.count; i++) {
    uint32_t a = leader_of(c, c->wanted.list[i].a), b = leader_of(c, c->wanted.list[i].b);
    if (a == b || c->items[a].busy || c->items[b].busy || c->items[a].count + c->items[b].count > MAX_SPANS || meet(c, a, b)) continue;
    if (c->items[a].count >= c->items[b].count) join(c, a, b);
    else join(c, b, a);
  }
}

/* ---- registers: classes in the order in which they begin take the first register that is free again ---- */

typedef struct class_range { int32_t from, to; uint32_t id; } class_range;

static int by_start(const void *a, const void *b) {
  const class_range *x = a, *y = b;
  return x->from != y->from ? (x->from < y->from ? -1 : 1) : (x->id > y->id) - (x->id < y->id);
}

static class_range range_of(const coalescer *c, uint32_t id) {
  class_range r = {INT32_MAX, 0, id};
  for (uint32_t at = c->items[id].spans; at != 0; at = c->spans[at - 1].next) {
    r.from = TSR_MIN(r.from, c->spans[at - 1].from);
    r.to = TSR_MAX(r.to, c->spans[at - 1].to);
  }
  return r;
}

static bool give_registers(coalescer *c) {
  emitter *m = c->m;
  uint32_t count = 0, used = 0, first = m->code->nregs;
  class_range *all = calloc((size_t)m->nvals + 1, sizeof *all);
  int32_t *until = calloc((size_t)m->nvals + 1, sizeof *until);
  if (all != NULL && until != NULL) {
    for (uint32_t id = 0; id < m->nvals; id++)
      if (c->items[id].leader == id && c->items[id].grouped) all[count++] = range_of(c, id);
    qsort(all, count, sizeof *all, by_start);
    for (uint32_t i = 0; i < count; i++) {
      uint32_t r = 0;
      while (r < used && until[r] >= all[i].from) r++;
      if (r == used) used++;
      until[r] = all[i].to;
      m->vals[all[i].id].home = first + r;
    }
    m->code->nregs += used;
    for (uint32_t id = 0; id < m->nvals; id++) m->vals[id].home = m->vals[leader_of(c, id)].home;
  }
  bool ok = all != NULL && until != NULL;
  free(all);
  free(until);
  return ok;
}

static bool has_joins(const tsr_ir_block *b) {
  for (const tsr_ir_node *n = b->first; n != NULL; n = n->next) {
    if (n->nblocks > 0)
      for (uint32_t i = 0; i < n->nout; i++)
        if (!tsr_emit_may_hold_reference(n->out[i]->type)) return true;
    for (uint32_t k = 0; k < n->nblocks; k++)
      if (has_joins(n->blocks[k])) return true;
  }
  return false;
}

void tsr_emit_coalesce(emitter *m) {
  if (!has_joins(m->fn->body)) return;
  coalescer c = {.m = m};
  scope body = {m->fn->body, NULL, 1, 0, -1};
  c.items = calloc((size_t)m->nvals + 1, sizeof *c.items);
  if (c.items != NULL) {
    for (uint32_t i = 0; i < m->nvals; i++) c.items[i].leader = i;
    visit_block(&c, &body);
    c.time += 2;
    for (uint32_t i = 0; i < m->fn->body->nrets; i++) use(&c, &body, m->fn->body->rets[i], c.time);
    if (!c.oom) {
      resolve_ends(&c);
      join_all(&c);
    }
  }
  if (c.items == NULL || c.oom || !give_registers(&c)) tsr_emit_fail(m, TSR_ENOMEM);
  free(c.items);
  free(c.spans);
  free(c.loop_ends);
  free(c.given.list);
  free(c.wanted.list);
}
