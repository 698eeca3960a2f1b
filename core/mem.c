/* The metered heap and its cache of tensor buffers. */
#include "core/mem.h"

#include <stdlib.h>

#include "core/spans.h"
#include "core/threads.h"

/* Small buffers are rounded up to size classes of a quarter power of two, CLASS_DEPTH of each are kept.  In a heap that
 * was warmed buffers are spans, the small ones apart from the large, between which they would lie for long; in others,
 * of single values mostly, and with TSR_DEBUG_ARENA, so that ASan sees overruns, each is its own malloc. */
enum { CLASS_COUNT = 33, CLASS_DEPTH = 24, MIN_CLASS = 64 };
static const size_t max_idle = (size_t)256 << 20; /* of spans */
#ifndef TSR_DEBUG_ARENA
static const bool separate = false;
#else
static const bool separate = true;
#endif
static const size_t large_from = (size_t)16 << 10;
static const size_t small_region = (size_t)1 << 20, first_small = (size_t)32 << 10; /* mapped, and in memory before the first */

static const uint64_t grown_by = (uint64_t)16 << 20; /* bytes, and watched ones, before cycles are looked for */
static const uint32_t most_new = 4096;

typedef struct watched { void *o; uint32_t *at; } watched;

typedef struct free_list {
  void *blocks[CLASS_DEPTH];
  int count;
} free_list;

struct tsr_mem {
  uint64_t limit;
  uint64_t used, peak; /* atomic: handed-out bytes, every block counting for one at least, and one more until the owner closes it */
  bool closed;         /* under lock */
  bool hit_limit;
  tsr_lock *lock; /* protects what follows: a value may be freed by another thread than its session's */
  tsr_spans large, small;
  bool warmed, watching;
  watched *watched; uint32_t watched_count, watched_cap; /* atomic count */
  uint32_t next_count;
  uint64_t next_used, sharers; /* sharers: atomic */
  free_list classes[CLASS_COUNT];
};

/* Fault injection is for the tests of the whole library, hence global: countdown to the failing allocation. */
static int64_t fail_countdown;
static bool fail_sticky;

void tsr_mem_fail_at(uint64_t nth, bool sticky) {
  __atomic_store_n(&fail_countdown, (int64_t)nth, __ATOMIC_RELAXED);
  fail_sticky = sticky;
}

static bool injected_failure(void) {
  if (TSR_LIKELY(__atomic_load_n(&fail_countdown, __ATOMIC_RELAXED) == 0)) return false;
  int64_t left = __atomic_sub_fetch(&fail_countdown, 1, __ATOMIC_RELAXED);
  if (left > 0) return false;
  if (fail_sticky) __atomic_store_n(&fail_countdown, 1, __ATOMIC_RELAXED);
  return true;
}

tsr_mem *tsr_mem_new(uint64_t limit) {
  if (injected_failure()) return NULL;
  tsr_mem *mem = calloc(1, sizeof *mem);
  if (mem == NULL) return NULL;
  mem->lock = tsr_lock_new();
  if (mem->lock == NULL) {
    free(mem);
    return NULL;
  }
  mem->limit = limit;
  mem->used = mem->peak = 1;
  return mem;
}

static void mem_destroy(tsr_mem *mem) {
  tsr_mem_trim(mem);
  tsr_lock_free(mem->lock);
  free(mem->watched);
  free(mem);
}

static uint64_t weight(size_t size) { return size != 0 ? size : 1; }

static void uncharge(tsr_mem *mem, size_t size) {
  if (__atomic_sub_fetch(&mem->used, weight(size), __ATOMIC_ACQ_REL) == 0) mem_destroy(mem);
}

void tsr_mem_close(tsr_mem *mem) {
  if (mem == NULL) return;
  tsr_lock_enter(mem->lock);
  mem->closed = true;
  tsr_lock_leave(mem->lock);
  tsr_mem_trim(mem);
  uncharge(mem, 0);
}

uint64_t tsr_mem_used(const tsr_mem *mem) { return __atomic_load_n(&mem->used, __ATOMIC_RELAXED) - 1; }
uint64_t tsr_mem_peak(const tsr_mem *mem) { return __atomic_load_n(&mem->peak, __ATOMIC_RELAXED) - 1; }
bool tsr_mem_hit_limit(const tsr_mem *mem) { return mem->hit_limit; }

/* Account for size more bytes; false: over the cap, or a fault is injected. */
static bool charge(tsr_mem *mem, size_t size) {
  if (TSR_UNLIKELY(injected_failure())) return false;
  uint64_t used = __atomic_add_fetch(&mem->used, weight(size), __ATOMIC_RELAXED);
  if (TSR_UNLIKELY(mem->limit != 0 && (used - 1 > mem->limit || used < size))) {
    __atomic_sub_fetch(&mem->used, weight(size), __ATOMIC_RELAXED);
    mem->hit_limit = true;
    return false;
  }
  uint64_t peak = __atomic_load_n(&mem->peak, __ATOMIC_RELAXED);
  while (used > peak && !__atomic_compare_exchange_n(&mem->peak, &peak, used, true, __ATOMIC_RELAXED, __ATOMIC_RELAXED)) {
  }
  return true;
}

void *tsr_alloc(tsr_mem *mem, size_t size) {
  if (!charge(mem, size)) return NULL;
  void *p = size <= PTRDIFF_MAX ? malloc(size != 0 ? size : 1) : NULL;
  if (p == NULL) {
    mem->hit_limit = false;
    uncharge(mem, size);
  }
  return p;
}

void *tsr_zalloc(tsr_mem *mem, size_t size) {
  void *p = tsr_alloc(mem, size);
  if (p != NULL) memset(p, 0, size);
  return p;
}

void *tsr_realloc(tsr_mem *mem, void *p, size_t old_size, size_t size) {
  if (p == NULL) return tsr_alloc(mem, size);
  if (!charge(mem, size)) return NULL;
  void *q = size <= PTRDIFF_MAX ? realloc(p, size != 0 ? size : 1) : NULL;
  if (q == NULL) {
    mem->hit_limit = false;
    uncharge(mem, size);
    return NULL;
  }
  uncharge(mem, old_size);
  return q;
}

void tsr_free(tsr_mem *mem, void *p, size_t size) {
  if (p == NULL) return;
  free(p);
  uncharge(mem, size);
}

/* Smallest class that holds size: classes are 64, 80, 96, 112, 128, 160, … bytes. */
static int class_of(size_t size, size_t *rounded) {
  if (size < MIN_CLASS) size = MIN_CLASS;
  int shift = 63 - __builtin_clzll((unsigned long long)size);
  size_t base = (size_t)1 << shift;
  size_t quarter = base / 4;
  size_t steps = (size - base + quarter - 1) / quarter; /* 0..4 */
  *rounded = base + steps * quarter;
  *rounded = (*rounded + 63) & ~(size_t)63; /* aligned_alloc wants a multiple of the alignment */
  return (shift - 6) * 4 + (int)steps;
}

static tsr_spans *spans_of(tsr_mem *mem, size_t size) {
  if (!mem->warmed) return NULL;
  return size >= large_from ? &mem->large : &mem->small;
}

/* The lock is held, here and below. */
static void *new_buffer(tsr_mem *mem, size_t size) {
  tsr_spans *h = spans_of(mem, size);
  return h == NULL ? aligned_alloc(64, (size + 63) & ~(size_t)63) : tsr_spans_alloc(h, size);
}

static void drop_buffer(tsr_mem *mem, void *p, size_t size) {
  tsr_spans *h = spans_of(mem, size);
  if (h == NULL) free(p);
  else tsr_spans_free(h, p, mem->closed ? 0 : max_idle);
}

static void *buffer_take(tsr_mem *mem, size_t size) {
  size_t rounded;
  if (size >= large_from) return new_buffer(mem, size);
  free_list *f = &mem->classes[class_of(size, &rounded)];
  return f->count > 0 ? f->blocks[--f->count] : new_buffer(mem, TSR_MIN(rounded, large_from - 1));
}

static void buffer_give(tsr_mem *mem, void *p, size_t size) {
  size_t rounded;
  if (size >= large_from) {
    drop_buffer(mem, p, size);
    return;
  }
  free_list *f = &mem->classes[class_of(size, &rounded)];
  if (!mem->closed && f->count < CLASS_DEPTH) f->blocks[f->count++] = p;
  else drop_buffer(mem, p, size);
}

void *tsr_buf_alloc(tsr_mem *mem, size_t size) {
  if (size > (size_t)PTRDIFF_MAX / 2) {
    mem->hit_limit = mem->limit != 0;
    return NULL;
  }
  if (!charge(mem, size)) return NULL;
  tsr_lock_enter(mem->lock);
  void *p = buffer_take(mem, size);
  tsr_lock_leave(mem->lock);
  if (p == NULL) {
    mem->hit_limit = false;
    uncharge(mem, size);
  }
  return p;
}

void tsr_buf_free(tsr_mem *mem, void *p, size_t size) {
  if (p == NULL) return;
  tsr_lock_enter(mem->lock);
  buffer_give(mem, p, size);
  tsr_lock_leave(mem->lock);
  uncharge(mem, size);
}

void tsr_mem_warm(tsr_mem *mem, size_t size) {
  if (separate) return;
  tsr_lock_enter(mem->lock);
  mem->warmed = true;
  mem->small.first = small_region;
  tsr_spans_warm(&mem->small, first_small);
  if (size >= large_from) tsr_spans_warm(&mem->large, size);
  tsr_lock_leave(mem->lock);
}

void tsr_mem_trim(tsr_mem *mem) {
  tsr_lock_enter(mem->lock);
  for (int i = 0; i < CLASS_COUNT; i++) {
    free_list *f = &mem->classes[i];
    while (f->count > 0) drop_buffer(mem, f->blocks[--f->count], 0);
  }
  tsr_spans_trim(&mem->large);
  tsr_spans_trim(&mem->small);
  tsr_lock_leave(mem->lock);
}

/* ---- what may come to contain itself ---- */

void tsr_mem_watch_all(tsr_mem *mem) {
  mem->watching = true;
  mem->sharers = 1;
  tsr_mem_cycles_done(mem);
}

void tsr_mem_watch(tsr_mem *mem, void *o, uint32_t *at) {
  if (!mem->watching) return;
  tsr_lock_enter(mem->lock);
  if (mem->watched_count == mem->watched_cap && mem->watched_cap < (uint32_t)1 << 30) {
    uint32_t cap = mem->watched_cap == 0 ? 64 : mem->watched_cap * 2;
    watched *grown = realloc(mem->watched, cap * sizeof *grown);
    if (grown != NULL) {
      mem->watched = grown;
      mem->watched_cap = cap;
    }
  }
  if (mem->watched_count < mem->watched_cap) { /* without room it is not watched, and nothing else is lost */
    mem->watched[mem->watched_count] = (watched){o, at};
    *at = __atomic_add_fetch(&mem->watched_count, 1, __ATOMIC_RELAXED);
  }
  tsr_lock_leave(mem->lock);
}

void tsr_mem_unwatch(tsr_mem *mem, uint32_t *at) {
  tsr_lock_enter(mem->lock);
  watched last = mem->watched[__atomic_sub_fetch(&mem->watched_count, 1, __ATOMIC_RELAXED)];
  mem->watched[*at - 1] = last;
  *last.at = *at;
  *at = 0;
  tsr_lock_leave(mem->lock);
}

void *tsr_mem_watched(const tsr_mem *mem, uint32_t i) { return i < mem->watched_count ? mem->watched[i].o : NULL; }

bool tsr_mem_share(tsr_mem *mem) {
  if (!mem->watching) return false;
  __atomic_fetch_add(&mem->used, weight(0), __ATOMIC_RELAXED);
  __atomic_fetch_add(&mem->sharers, 1, __ATOMIC_RELAXED);
  return true;
}

void tsr_mem_share_for_good(tsr_mem *mem) { __atomic_fetch_add(&mem->sharers, 1, __ATOMIC_RELAXED); }
bool tsr_mem_leave(tsr_mem *mem) { return __atomic_sub_fetch(&mem->sharers, 1, __ATOMIC_ACQ_REL) == 0; }
void tsr_mem_unpin(tsr_mem *mem) { uncharge(mem, 0); }

bool tsr_mem_cycles_due(const tsr_mem *mem) {
  uint32_t count = __atomic_load_n(&mem->watched_count, __ATOMIC_RELAXED);
  return (count >= mem->next_count || (count > 0 && tsr_mem_used(mem) >= mem->next_used)) && __atomic_load_n(&mem->sharers, __ATOMIC_ACQUIRE) == 1;
}

void tsr_mem_cycles_done(tsr_mem *mem) {
  uint64_t used = tsr_mem_used(mem);
  mem->next_count = mem->watched_count + TSR_MAX(mem->watched_count, most_new);
  mem->next_used = used + (mem->limit != 0 ? TSR_MIN(mem->limit / 8, grown_by) : TSR_MAX(used, grown_by));
}
