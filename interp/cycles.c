/* See cycles.h: the containers within reach are counted; who has more references than the others and the caller account
 * for is held from outside, and keeps what it reaches. */
#include "interp/cycles.h"

#include <stdlib.h>

#include "frontend/pickle_vm.h"

typedef struct node {
  tsr_obj *o;
  uint32_t known; /* references that are accounted for */
  bool alive;
} node;

typedef struct graph {
  node *nodes;
  size_t count, cap;
  tsr_umap index; /* address -> position */
  uint64_t *todo; /* alive, and their parts not looked at yet */
  size_t todo_count;
  bool oom;
} graph;

static bool is_container(const tsr_obj *o) {
  return !o->immortal && (o->tag == TSR_V_LIST || o->tag == TSR_V_DICT || o->tag == TSR_V_TUPLE || o->tag == TSR_V_OBJECT || o->tag == TSR_V_FUNC);
}

/* The node of a container, made when it is new; NULL: v is none, or there was no memory. */
static node *node_of(graph *g, tsr_obj *o) {
  if (!is_container(o) || g->oom) return NULL;
  uint64_t key = (uint64_t)(uintptr_t)o, *known = tsr_umap_get(&g->index, key);
  if (known != NULL) return &g->nodes[*known];
  if (g->count == g->cap) {
    size_t cap = g->cap == 0 ? 64 : g->cap * 2;
    node *grown = realloc(g->nodes, cap * sizeof *grown);
    g->oom = grown == NULL;
    if (g->oom) return NULL;
    g->nodes = grown;
    g->cap = cap;
  }
  if (!tsr_umap_set(&g->index, key, g->count)) {
    g->oom = true;
    return NULL;
  }
  g->nodes[g->count] = (node){.o = o};
  return &g->nodes[g->count++];
}

typedef void (*visitor)(graph *g, tsr_val v);

static void visit(graph *g, tsr_obj *o, visitor fn) {
  tsr_val v = tsr_from_obj(o);
  switch (o->tag) {
    case TSR_V_LIST:
      for (size_t i = 0; i < v.l->len; i++) fn(g, v.l->items[i]);
      break;
    case TSR_V_TUPLE:
      for (size_t i = 0; i < v.u->len; i++) fn(g, v.u->items[i]);
      break;
    case TSR_V_DICT:
      for (size_t i = tsr_dict_next(v.m, 0); i < v.m->used; i = tsr_dict_next(v.m, i + 1)) {
        fn(g, v.m->entries[i].key);
        fn(g, v.m->entries[i].value);
      }
      break;
    case TSR_V_OBJECT:
      for (uint32_t i = 0; i < v.obj->count; i++) fn(g, v.obj->slots[i]);
      break;
    case TSR_V_FUNC:
      for (uint32_t i = 0; i < v.f->captured; i++) fn(g, v.f->captures[i]);
      break;
    default:
      break;
  }
}

static void count_reference(graph *g, tsr_val v) {
  node *n = tsr_is_boxed(v) ? node_of(g, v.o) : NULL;
  if (n != NULL) n->known++;
}

static void mark(graph *g, tsr_val v) {
  uint64_t *at = tsr_is_boxed(v) ? tsr_umap_get(&g->index, (uint64_t)(uintptr_t)v.o) : NULL;
  if (at == NULL || g->nodes[*at].alive) return;
  g->nodes[*at].alive = true;
  g->todo[g->todo_count++] = *at;
}

static void mark_alive(graph *g) {
  g->todo = malloc((g->count + 1) * sizeof *g->todo); /* each node enters once */
  g->oom = g->todo == NULL;
  for (size_t i = 0; i < g->count && !g->oom; i++)
    if (__atomic_load_n(&g->nodes[i].o->refs, __ATOMIC_ACQUIRE) > g->nodes[i].known) mark(g, tsr_from_obj(g->nodes[i].o));
  while (!g->oom && g->todo_count > 0) visit(g, g->nodes[g->todo[--g->todo_count]].o, mark);
  free(g->todo);
}

static void empty_values(tsr_val *items, size_t n) {
  for (size_t i = 0; i < n; i++) {
    tsr_val gone = items[i];
    items[i] = tsr_none();
    tsr_release(gone);
  }
}

static void empty(tsr_obj *o) {
  tsr_val v = tsr_from_obj(o);
  switch (o->tag) {
    case TSR_V_LIST: tsr_list_clear(v.l); break;
    case TSR_V_DICT: tsr_dict_clear(v.m); break;
    case TSR_V_TUPLE: empty_values(v.u->items, v.u->len); break;
    case TSR_V_OBJECT: empty_values(v.obj->slots, v.obj->count); break;
    default: empty_values(v.f->captures, v.f->captured); break;
  }
}

/* Look at everything within reach and empty what is not alive of the first `count` nodes (all: SIZE_MAX). */
static void settle(graph *g, size_t count) {
  for (size_t i = 0; i < g->count && !g->oom; i++) visit(g, g->nodes[i].o, count_reference);
  if (!g->oom) mark_alive(g);
  count = g->oom ? 0 : TSR_MIN(count, g->count);
  for (size_t i = 0; i < count; i++)
    if (!g->nodes[i].alive) tsr_obj_retain(g->nodes[i].o); /* none goes before all are empty */
  for (size_t i = 0; i < count; i++)
    if (!g->nodes[i].alive) empty(g->nodes[i].o);
  for (size_t i = 0; i < count; i++)
    if (!g->nodes[i].alive) tsr_obj_release(g->nodes[i].o);
  tsr_umap_dispose(&g->index);
  free(g->nodes);
}

void tsr_cycles_break(tsr_obj *const *held, size_t count) {
  graph g = {0};
  for (size_t i = 0; i < count; i++) count_reference(&g, tsr_from_obj(held[i]));
  settle(&g, SIZE_MAX);
}

/* Every cycle has a watched one in it.  Others are only read: lists of tensors, say, which users may hold too. */
void tsr_cycles_collect(tsr_mem *mem) {
  graph g = {0};
  tsr_obj *o;
  for (uint32_t i = 0; (o = tsr_mem_watched(mem, i)) != NULL; i++) node_of(&g, o);
  settle(&g, g.count);
  tsr_mem_cycles_done(mem);
}
