#include "ops/site.h"

#include <stdlib.h>
#include <sys/mman.h>

#define HUGE_PAGE ((size_t)2 << 20)
#define FIRST_CHUNK ((size_t)256 << 10) /* small models stay small */
#define CHUNK (4 * HUGE_PAGE)
#define HEAD 64

typedef struct chunk {
  size_t size, used;  /* used: under the heap's lock */
  int64_t blocks;     /* atomic: those alive, and one while the heap allocates from it */
} chunk;

typedef struct head { /* in the HEAD bytes before a block */
  chunk *of;            /* NULL: from malloc */
  tsr_site_heap *heap;
  size_t size;
  uint32_t refs;        /* atomic: sites that have it */
} head;

typedef struct offer { const void *packer; const tsr_storage *of; int64_t at[5]; void *block; } offer; /* offset, sizes and strides of a matrix */

struct tsr_site_heap {
  tsr_lock *lock;
  chunk *current;
  chunk *reserved; /* until it is trimmed; current at first */
  bool grown;     /* the first, small chunk is full */
  uint64_t bytes; /* atomic */
  bool sharing;   /* as the offers, under lock */
  offer *offers; size_t count, cap;
  const tsr_store *store;
  tsr_noted *noted; size_t nnoted, noted_cap; /* under lock */
  uint64_t lent; /* atomic */
};

tsr_site_heap *tsr_site_heap_new(void) {
  tsr_site_heap *h = calloc(1, sizeof *h);
  if (h == NULL) return NULL;
  h->lock = tsr_lock_new();
  if (h->lock != NULL) return h;
  free(h);
  return NULL;
}

static void chunk_release(chunk *k) {
  if (__atomic_sub_fetch(&k->blocks, 1, __ATOMIC_ACQ_REL) == 0) munmap(k, k->size);
}

void tsr_site_heap_free(tsr_site_heap *h) {
  if (h == NULL) return;
  if (h->current != NULL) chunk_release(h->current);
  if (h->reserved != NULL) chunk_release(h->reserved);
  free(h->offers);
  free(h->noted);
  tsr_lock_free(h->lock);
  free(h);
}

uint64_t tsr_site_heap_bytes(const tsr_site_heap *h) { return h == NULL ? 0 : __atomic_load_n(&h->bytes, __ATOMIC_RELAXED); }

/* Mapped at a multiple of the huge page when it holds one. */
static chunk *chunk_new(size_t size) {
  size_t align = size >= HUGE_PAGE ? HUGE_PAGE : 4096, room = size + (align > 4096 ? align : 0);
  char *p = mmap(NULL, room, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  if (p == MAP_FAILED) return NULL;
  size_t skip = (size_t)(-(uintptr_t)p & (align - 1));
  if (skip > 0) munmap(p, skip);
  if (room - skip > size) munmap(p + skip + size, room - skip - size);
#if defined(MADV_HUGEPAGE)
  if (align == HUGE_PAGE) (void)madvise(p + skip, size, MADV_HUGEPAGE); /* a wish: failure costs speed only */
#endif
  chunk *k = (chunk *)(void *)(p + skip);
  *k = (chunk){size, HEAD, 1};
  return k;
}

void tsr_site_heap_reserve(tsr_site_heap *h, size_t size) {
  if (size < CHUNK || size > SIZE_MAX / 4) return;
  tsr_lock_enter(h->lock);
  chunk *k = h->reserved == NULL ? chunk_new((size + HUGE_PAGE - 1) / HUGE_PAGE * HUGE_PAGE) : NULL;
  if (k != NULL) {
    if (h->current != NULL) chunk_release(h->current);
    k->blocks = 2; /* for current and for reserved */
    h->current = h->reserved = k;
    h->grown = true;
  }
  tsr_lock_leave(h->lock);
}

void tsr_site_heap_enter(tsr_site_heap *h, size_t size, const int *stop) {
#ifdef MADV_POPULATE_WRITE
  chunk *k = h->reserved;
  for (size_t at = 0; k != NULL && at < TSR_MIN(size, k->size) && __atomic_load_n(stop, __ATOMIC_RELAXED) == 0; at += HUGE_PAGE)
    if (madvise((char *)k + at, HUGE_PAGE, MADV_POPULATE_WRITE) != 0) return;
#else
  TSR_UNUSED(h), TSR_UNUSED(size), TSR_UNUSED(stop);
#endif
}

void tsr_site_heap_trim(tsr_site_heap *h) {
  tsr_lock_enter(h->lock);
  chunk *k = h->reserved;
  size_t keep = k == NULL ? 0 : (k->used + HUGE_PAGE - 1) / HUGE_PAGE * HUGE_PAGE;
  if (k != NULL && keep < k->size && munmap((char *)k + keep, k->size - keep) == 0) k->size = keep;
  if (k != NULL) chunk_release(k);
  h->reserved = NULL;
  tsr_lock_leave(h->lock);
}

static void *carve(chunk *k, size_t size) {
  if (k == NULL || k->size - k->used < size) return NULL;
  void *p = (char *)k + k->used;
  k->used += size;
  __atomic_add_fetch(&k->blocks, 1, __ATOMIC_RELAXED);
  return p;
}

/* size: with its head, a multiple of 64; the lock is held.  Large blocks have a chunk of their own. */
static head *heap_take(tsr_site_heap *h, size_t size) {
  head *p = carve(h->current, size);
  if (p != NULL) {
    p->of = h->current;
    return p;
  }
  bool large = size > CHUNK / 4;
  size_t want = large ? (size + HEAD + 4095) / 4096 * 4096 : h->grown || size > FIRST_CHUNK / 2 ? CHUNK : FIRST_CHUNK;
  chunk *k = chunk_new(want);
  if (k == NULL) return NULL;
  p = carve(k, size);
  p->of = k;
  if (large) {
    chunk_release(k);
  } else {
    if (h->current != NULL) chunk_release(h->current);
    h->grown = h->grown || h->current != NULL || want == CHUNK;
    h->current = k;
  }
  return p;
}

void *tsr_site_alloc(tsr_ctx *ctx, size_t size) {
  tsr_site_heap *h = ctx->heap;
  if (size > SIZE_MAX / 2) return NULL;
  size = (size + HEAD + 63) / 64 * 64;
  head *p;
  if (h == NULL) {
    p = aligned_alloc(64, size);
    if (p != NULL) p->of = NULL;
  } else {
    tsr_lock_enter(h->lock);
    p = heap_take(h, size);
    tsr_lock_leave(h->lock);
    if (p != NULL) __atomic_add_fetch(&h->bytes, size, __ATOMIC_RELAXED);
  }
  if (p == NULL) return NULL;
  p->heap = h;
  p->size = size;
  p->refs = 1;
  return (char *)p + HEAD;
}

static head *head_of(void *block) { return (head *)(void *)((char *)block - HEAD); }

void tsr_site_free(void *block) {
  if (block == NULL) return;
  head *p = head_of(block);
  if (__atomic_sub_fetch(&p->refs, 1, __ATOMIC_ACQ_REL) > 0) return;
  if (p->of == NULL) {
    free(p);
    return;
  }
  __atomic_sub_fetch(&p->heap->bytes, p->size, __ATOMIC_RELAXED);
  chunk_release(p->of);
}

void *tsr_site_publish(tsr_site *site, void *data, void (*free_fn)(void *)) {
  void *expected = NULL;
  __atomic_store_n(&site->free_fn, free_fn, __ATOMIC_RELEASE);
  if (__atomic_compare_exchange_n(&site->data, &expected, data, false, __ATOMIC_ACQ_REL, __ATOMIC_ACQUIRE)) return data;
  free_fn(data);
  return expected;
}

/* ---- sharing ---- */

void tsr_site_heap_share(tsr_site_heap *h, bool on) {
  tsr_lock_enter(h->lock);
  h->sharing = on;
  free(h->offers);
  h->offers = NULL;
  h->count = h->cap = 0;
  tsr_lock_leave(h->lock);
}

static bool describe(const tsr_ctx *ctx, const void *packer, const tsr_tensor *w, offer *o) {
  if (ctx->heap == NULL || !w->h.immortal || w->ndim != 2) return false;
  *o = (offer){packer, w->storage, {w->offset, w->size[0], w->size[1], w->stride[0], w->stride[1]}, NULL};
  return true;
}

/* The lock is held. */
static void *find_offer(const tsr_site_heap *h, const offer *o) {
  for (size_t i = 0; i < h->count; i++) {
    const offer *k = &h->offers[i];
    if (k->packer == o->packer && k->of == o->of && memcmp(k->at, o->at, sizeof k->at) == 0) return k->block;
  }
  return NULL;
}

void *tsr_site_shared(tsr_ctx *ctx, const void *packer, const tsr_tensor *w) {
  offer o;
  if (!describe(ctx, packer, w, &o)) return NULL;
  tsr_lock_enter(ctx->heap->lock);
  void *block = find_offer(ctx->heap, &o);
  if (block != NULL) __atomic_add_fetch(&head_of(block)->refs, 1, __ATOMIC_RELAXED);
  tsr_lock_leave(ctx->heap->lock);
  return block;
}

void tsr_site_offer(tsr_ctx *ctx, const void *packer, const tsr_tensor *w, void *block) {
  tsr_site_heap *h = ctx->heap;
  offer o;
  if (!describe(ctx, packer, w, &o)) return;
  o.block = block;
  tsr_lock_enter(h->lock);
  if (h->sharing && h->count == h->cap) {
    size_t cap = h->cap == 0 ? 64 : h->cap * 2;
    offer *offers = realloc(h->offers, cap * sizeof *offers);
    if (offers != NULL) h->offers = offers, h->cap = cap;
  }
  if (h->sharing && h->count < h->cap) h->offers[h->count++] = o; /* else memory is short: it is packed again */
  tsr_lock_leave(h->lock);
}

/* ---- blocks with names ---- */

void tsr_site_heap_set_store(tsr_site_heap *h, const tsr_store *store) {
  h->store = store;
  if (store != NULL) return;
  free(h->noted);
  h->noted = NULL;
  h->nnoted = h->noted_cap = 0;
}

const tsr_store *tsr_site_heap_store(const tsr_site_heap *h) { return h->store; }

uint64_t tsr_site_heap_lent(const tsr_site_heap *h) { return h == NULL ? 0 : __atomic_load_n(&h->lent, __ATOMIC_RELAXED); }

const tsr_noted *tsr_site_heap_noted(const tsr_site_heap *h, size_t *count) {
  *count = h->nnoted;
  return h->noted;
}

void tsr_site_heap_note(tsr_site_heap *h, tsr_noted block) {
  tsr_lock_enter(h->lock);
  bool known = false;
  for (size_t i = 0; i < h->nnoted && !known; i++) known = tsr_digest_same(h->noted[i].name, block.name);
  if (!known && h->nnoted == h->noted_cap) {
    size_t cap = h->noted_cap == 0 ? 64 : h->noted_cap * 2;
    tsr_noted *noted = realloc(h->noted, cap * sizeof *noted);
    if (noted != NULL) h->noted = noted, h->noted_cap = cap;
  }
  if (!known && h->nnoted < h->noted_cap) h->noted[h->nnoted++] = block; /* else it is made again the next time */
  tsr_lock_leave(h->lock);
}

void *tsr_site_heap_find(tsr_site_heap *h, tsr_digest name, size_t size) {
  const void *p = h->store->find == NULL ? NULL : h->store->find(h->store->user, name, size);
  if (p == NULL) return NULL;
  __atomic_add_fetch(&h->bytes, size, __ATOMIC_RELAXED);
  __atomic_add_fetch(&h->lent, size, __ATOMIC_RELAXED);
  tsr_site_heap_note(h, (tsr_noted){name, p, size, true});
  return (void *)(uintptr_t)p;
}

typedef struct group { int n; tsr_site sub[]; } group;

static void group_free(void *data) {
  group *g = data;
  for (int i = 0; i < g->n; i++)
    if (g->sub[i].data != NULL) g->sub[i].free_fn(g->sub[i].data);
  free(g);
}

tsr_site *tsr_site_sub(tsr_site *site, int n, int index) {
  if (site == NULL) return NULL;
  group *g = tsr_site_get(site);
  if (g == NULL) {
    g = calloc(1, sizeof *g + (size_t)n * sizeof *g->sub);
    if (g == NULL) return NULL;
    g->n = n;
    g = tsr_site_publish(site, g, group_free);
  }
  return index < g->n ? &g->sub[index] : NULL;
}
