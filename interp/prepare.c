/* Packing at load.
 *
 * Weights with a normalisation folded in are never stored: their rows are computed when they are packed.
 *
 * Sites are independent of each other and packed side by side, large ones first; those that would keep one thread busy
 * while the others have nothing left are packed by all of them before that.  What a site has packed is not read again: pages of the mapped file are given back, and
 * other bytes that only the optimiser made are freed. */
#include "interp/prepare.h"

#include <stdlib.h>

#include "frontend/cache.h"
#include "interp/caching.h"
#include "interp/ptrset.h"
#include "ops/site.h"
#include "ops/supply.h"

#define FORGET_BYTES ((size_t)1 << 16)

typedef struct item { tsr_callsite *site; const tsr_bytecode *code; size_t bytes; uint64_t released; } item;

typedef struct work {
  tsr_model *m;
  item *items; size_t count, cap;
  tsr_ptrset seen; /* bytecode */
  tsr_ctx *ctxs;   /* one a worker */
  int workers;
  size_t first;    /* of the small items */
} work;

/* ---- which sites ---- */

static const tsr_val *constant_of(const item *it, uint32_t i) {
  uint32_t o = it->code->operands[it->site->first + i];
  return (o & TSR_OPERAND_CONST) != 0 ? &it->code->consts[o & TSR_OPERAND_INDEX] : NULL;
}

static size_t bytes_of(tsr_val v) {
  size_t bytes = 0;
  if (v.tag == TSR_V_TENSOR && v.t->layout == 0) return (size_t)v.t->numel * tsr_tensor_itemsize(v.t);
  for (size_t i = 0; v.tag == TSR_V_LIST && i < v.l->len; i++)
    if (v.l->items[i].tag == TSR_V_TENSOR) bytes += bytes_of(v.l->items[i]);
  return bytes;
}

static bool add_item(work *w, const tsr_bytecode *code, tsr_callsite *site) {
  item it = {site, code, 0, 0};
  for (uint32_t i = 0; i < site->nargs; i++)
    if (constant_of(&it, i) != NULL) it.bytes += bytes_of(*constant_of(&it, i));
  if (it.bytes == 0) return true;
  if (w->count == w->cap) {
    size_t cap = w->cap == 0 ? 64 : w->cap * 2;
    item *items = realloc(w->items, cap * sizeof *items);
    if (items == NULL) return false;
    w->items = items;
    w->cap = cap;
  }
  w->items[w->count++] = it;
  return true;
}

/* Sites of a function and of those it calls; functions that do not compile are for the run to complain about. */
static tsr_status gather(work *w, tsr_errrec *e, const tsr_bytecode *code, int depth) {
  if (depth > TSR_MAX_DEPTH || !tsr_ptrset_add(&w->seen, code)) return w->seen.oom ? tsr_fail_nomem(e) : TSR_OK;
  for (uint32_t i = 0; i < code->nsites; i++) {
    tsr_callsite *site = &code->sites[i];
    if (site->op != NULL && site->op->prepare != NULL && site->constant != 0 && !add_item(w, code, site)) return tsr_fail_nomem(e);
    if (site->fn == NULL || !site->fn->lowered) continue;
    const tsr_bytecode *callee = tsr_model_compile_fn(w->m, e, site->fn);
    if (callee == NULL) return e->status;
    TSR_TRY(gather(w, e, callee, depth + 1));
  }
  return TSR_OK;
}

static int by_bytes(const void *a, const void *b) {
  const item *x = a, *y = b;
  return (x->bytes < y->bytes) - (x->bytes > y->bytes);
}

/* ---- one site ---- */

static void forget(tsr_model *m, tsr_val v) {
  if (v.tag == TSR_V_TENSOR && v.t->layout == 0 && v.t->storage->nbytes >= FORGET_BYTES && !v.t->storage->owned)
    tsr_archive_forget(m->archive, v.t->storage->data, v.t->storage->nbytes);
  for (size_t i = 0; v.tag == TSR_V_LIST && i < v.l->len; i++)
    if (v.l->items[i].tag == TSR_V_TENSOR) forget(m, v.l->items[i]);
}

/* With a cache, few weights of the archive are looked at. */
static void fetch(tsr_model *m, tsr_val v) {
  if (m->cache == NULL && v.tag == TSR_V_TENSOR && v.t->layout == 0 && v.t->storage->nbytes >= FORGET_BYTES && !v.t->storage->owned && v.t->storage->data != NULL)
    tsr_archive_fetch(m->archive, v.t->storage->data, v.t->storage->nbytes);
}

static const tsr_deferred *deferred_of(const tsr_model *m, tsr_val v) {
  if (v.tag != TSR_V_TENSOR || v.t->layout != 0 || !tsr_is_deferred(v.t)) return NULL;
  for (uint32_t i = 0; i < m->ndeferred; i++)
    if (m->deferred[i].t == v.t) return &m->deferred[i];
  return NULL;
}

/* Operators that cannot make weights find none without bytes among their operands: the passes that defer weights give
 * them to those that can. */
static tsr_status call_prepare(tsr_model *m, tsr_call *c) {
  tsr_ctx *ctx = c->ctx;
  tsr_maker *makers = calloc((size_t)c->nargs + 1, sizeof *makers);
  if (makers == NULL) return tsr_ctx_nomem(ctx);
  bool blank = false;
  ctx->makers = makers;
  for (uint32_t i = 0; i < c->nargs; i++) {
    const tsr_deferred *d = deferred_of(m, c->args[i]);
    if (d == NULL) continue;
    fetch(m, tsr_from_obj((void *)(uintptr_t)d->from));
    makers[ctx->maker_count++] = (tsr_maker){d->t->storage, d->fill, d->recipe, d->name};
    blank = blank || (c->op->flags & TSR_MAKES) == 0;
  }
  tsr_status s = blank ? TSR_OK : tsr_call_prepare(c);
  for (uint32_t i = 0; i < c->nargs; i++) {
    const tsr_deferred *d = deferred_of(m, c->args[i]);
    if (d != NULL) forget(m, tsr_from_obj((void *)(uintptr_t)d->from));
  }
  ctx->makers = NULL;
  ctx->maker_count = 0;
  free(makers);
  return s;
}

static void prepare_item(work *w, item *it, int worker) {
  tsr_ctx *ctx = &w->ctxs[worker];
  tsr_callsite *s = it->site;
  tsr_val *args = calloc((size_t)s->nargs + 1, sizeof *args);
  if (args == NULL) {
    tsr_fail_nomem(&ctx->err);
    return;
  }
  for (uint32_t i = 0; i < s->nargs; i++) args[i] = constant_of(it, i) != NULL ? *constant_of(it, i) : tsr_none();
  tsr_call c = {.ctx = ctx, .op = s->op, .args = args, .nargs = s->nargs, .constant = s->constant, .site = &s->site};
  for (uint32_t i = 0; i < s->nargs; i++) fetch(w->m, args[i]);
  if (ctx->err.status == TSR_OK) call_prepare(w->m, &c);
  if (s->site.data != NULL) {
    it->released = c.released;
    for (uint32_t i = 0; i < s->nargs; i++) forget(w->m, args[i]);
  }
  free(args);
}

static void small_task(void *arg, int64_t task, int worker) {
  work *w = arg;
  prepare_item(w, &w->items[w->first + (size_t)task], worker);
}

static tsr_status pack(work *w, tsr_errrec *e) {
  tsr_model *m = w->m;
  if (w->count == 0) return TSR_OK;
  w->workers = tsr_pool_threads(m->pool);
  w->ctxs = calloc((size_t)w->workers, sizeof *w->ctxs);
  if (w->ctxs == NULL) return tsr_fail_nomem(e);
  for (int i = 0; i < w->workers; i++) {
    tsr_ctx_init(&w->ctxs[i], m->mem, m->pool);
    w->ctxs[i].heap = m->heap;
    w->ctxs[i].no_winograd = m->no_winograd;
    w->ctxs[i].types = m->program->types;
    w->ctxs[i].archive_version = m->program->version;
  }
  tsr_site_heap_share(m->heap, true);
  qsort(w->items, w->count, sizeof *w->items, by_bytes);
  size_t total = 0;
  for (size_t i = 0; i < w->count; i++) total += w->items[i].bytes;
  while (w->first < w->count && w->items[w->first].bytes > total / (2 * (size_t)w->workers)) prepare_item(w, &w->items[w->first++], 0);
  if (w->first < w->count) tsr_pool_run(m->pool, 0, (int64_t)(w->count - w->first), small_task, w);
  tsr_site_heap_share(m->heap, false);
  for (int i = 0; i < w->workers; i++) {
    tsr_status s = w->ctxs[i].err.status;
    if (s != TSR_OK && e->status == TSR_OK) tsr_fail(e, s, "%s", w->ctxs[i].err.message);
    tsr_ctx_dispose(&w->ctxs[i]);
  }
  free(w->ctxs);
  return e->status;
}

/* ---- bytes that nobody reads any more ---- */

static void keep_value(tsr_ptrset *kept, tsr_val v, int depth) {
  if (depth > TSR_MAX_DEPTH) return;
  switch (v.tag) {
    case TSR_V_TENSOR: if (v.t->storage != NULL) tsr_ptrset_add(kept, v.t->storage); break;
    case TSR_V_LIST: for (size_t i = 0; i < v.l->len; i++) keep_value(kept, v.l->items[i], depth + 1); break;
    case TSR_V_TUPLE: for (size_t i = 0; i < v.u->len; i++) keep_value(kept, v.u->items[i], depth + 1); break;
    default: break;
  }
}

/* Storages that something other than a releasing argument refers to. */
static void keep_others(const tsr_bytecode *code, tsr_ptrset *kept, const uint64_t *released) {
  for (uint32_t i = 0; i < code->nconstregs; i++) keep_value(kept, code->consts[code->constregs[i].constant], 0);
  for (uint32_t i = 0; i < code->ninsns; i++)
    if (code->insns[i].op == TSR_BC_LOADK) keep_value(kept, code->consts[code->insns[i].b], 0);
  for (uint32_t i = 0; i < code->nsites; i++) {
    item it = {&code->sites[i], code, 0, 0};
    for (uint32_t k = 0; k < it.site->nargs; k++)
      if (constant_of(&it, k) != NULL && (k >= 64 || (released[i] >> k & 1) == 0)) keep_value(kept, *constant_of(&it, k), 0);
  }
}

static bool keep_code(work *w, const tsr_bytecode *code, tsr_ptrset *kept) {
  uint64_t *released = calloc((size_t)code->nsites + 1, sizeof *released);
  if (released == NULL) return false;
  for (size_t i = 0; i < w->count; i++)
    if (w->items[i].code == code) released[w->items[i].site - code->sites] = w->items[i].released;
  keep_others(code, kept, released);
  free(released);
  return true;
}

/* Only tensors that passes made for this method can go: no other code knows them.  Deferred ones that are still
 * wanted get their bytes. */
static tsr_status drop_dead(work *w, tsr_errrec *e) {
  tsr_model *m = w->m;
  tsr_ptrset kept = {0}, released = {0};
  bool ok = true;
  for (size_t i = 0; i < w->count; i++)
    for (uint32_t k = 0; k < w->items[i].site->nargs && k < 64; k++)
      if ((w->items[i].released >> k & 1) != 0) keep_value(&released, *constant_of(&w->items[i], k), 0);
  for (size_t i = 0; i < m->ncodes && ok; i++) ok = keep_code(w, m->codes[i], &kept);
  for (uint32_t i = 0; i < m->nconstants; i++) keep_value(&kept, m->constants[i], 0);
  ok = ok && !kept.oom && !released.oom;
  for (uint32_t i = 0; i < m->ndeferred && ok; i++) {
    const tsr_tensor *t = m->deferred[i].t;
    if (tsr_ptrset_has(&kept, t->storage)) ok = tsr_model_settle(m, t);
    else m->stats.freed_bytes += t->storage->nbytes;
  }
  for (size_t i = 0; i < m->nowned && ok; i++) {
    tsr_val v = m->owned[i];
    if (v.tag != TSR_V_TENSOR || v.t->layout != 0) continue;
    tsr_storage *s = v.t->storage;
    if (!s->owned || s->cow || s->data == NULL || s->h.refs != 1) continue;
    if (!tsr_ptrset_has(&released, s) || tsr_ptrset_has(&kept, s)) continue;
    m->stats.freed_bytes += s->nbytes;
    tsr_storage_drop(s);
  }
  tsr_ptrset_dispose(&kept);
  tsr_ptrset_dispose(&released);
  tsr_mem_trim(m->mem);
  if (!ok) return tsr_fail_nomem(e);
  tsr_model_forget_deferred(m);
  return TSR_OK;
}

/* ---- what goes on beside the compiler ---- */

#define AHEAD_LEAST ((size_t)16 << 20) /* files that are worth a thread */
#define AHEAD_MOST ((size_t)64 << 20)  /* of pages: some networks pack little of what the file holds */

typedef struct ahead { tsr_model *m; size_t file; int stop; /* atomic */ tsr_aside *thread; } ahead;

/* The weights come from the disk, and pages for their packed form into memory. */
static void look_ahead(void *user) {
  ahead *a = user;
  if (a->m->cache != NULL) {
    tsr_cache_enter(a->m->cache, &a->stop);
    return;
  }
  tsr_archive_expect(a->m->archive);
  tsr_site_heap_enter(a->m->heap, TSR_MIN(a->file / 2, AHEAD_MOST), &a->stop);
}

static void start_ahead(ahead *a) {
  if (a->m->archive == NULL) return;
  (void)tsr_archive_bytes(a->m->archive, &a->file);
  if (a->file < AHEAD_LEAST) return;
  if (a->m->cache == NULL) tsr_site_heap_reserve(a->m->heap, a->file + a->file / 2);
  if (tsr_pool_threads(a->m->pool) > 1) a->thread = tsr_aside_start(look_ahead, a);
}

static void stop_ahead(ahead *a) {
  __atomic_store_n(&a->stop, 1, __ATOMIC_RELAXED);
  tsr_aside_join(a->thread);
}

/* ---- entry ---- */

static tsr_method *entry_of(tsr_model *m, const char *name) {
  tsr_method *method = tsr_model_find_method(m, name != NULL ? name : "forward");
  return method == NULL && name == NULL && m->exported == 1 ? &m->methods[0] : method;
}

tsr_status tsr_model_prepare(tsr_model *m, tsr_errrec *e, const tsr_load_options *opt) {
  tsr_method *method = entry_of(m, opt->method);
  work w = {.m = m};
  if (method == NULL) return TSR_OK;
  double start = tsr_clock_now();
  tsr_caching caching;
  tsr_caching_begin(&caching, m, opt, method->name);
  ahead beside = {.m = m};
  start_ahead(&beside);
  m->defer = true;
  tsr_status s = tsr_model_compile_method(m, e, method);
  m->defer = false;
  if (s == TSR_OK) s = gather(&w, e, method->code, 0);
  tsr_model_drop_ir(m, method);
  stop_ahead(&beside);
  double compiled = tsr_clock_now();
  m->stats.compile_seconds = compiled - start;
  if (s == TSR_OK) s = pack(&w, e);
  if (s == TSR_OK) s = drop_dead(&w, e);
  tsr_site_heap_trim(m->heap);
  tsr_caching_end(&caching, s == TSR_OK);
  m->stats.pack_seconds = tsr_clock_now() - compiled;
  free(w.items);
  tsr_ptrset_dispose(&w.seen);
  if (!tsr_model_settle_all(m) && s == TSR_OK) s = tsr_fail_nomem(e);
  if (s == TSR_OK || s == TSR_ENOMEM || s == TSR_ELIMIT) return s;
  tsr_errrec_dispose(e);
  return TSR_OK;
}
