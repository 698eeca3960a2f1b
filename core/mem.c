/* The metered heap and its cache of tensor buffers. */
#include "core/mem.h"

#include <stdlib.h>
#include <sys/mman.h>

#include "core/threads.h"

/* Buffers are rounded up to size classes of a quarter power of two, so that calls with slightly
 * different shapes share them; at most MAX_CACHED bytes and CLASS_DEPTH buffers a class are kept. */
enum { CLASS_COUNT = 160, CLASS_DEPTH = 24, MIN_CLASS = 64 };
static const uint64_t max_cached = 256u << 20;
static const size_t huge_page = 2u << 20;
#ifdef MADV_POPULATE_WRITE
static const size_t populate_from = 64u << 10;
#endif

typedef struct free_list {
  void *blocks[CLASS_DEPTH];
  int count;
} free_list;

struct tsr_mem {
  uint64_t limit;
  uint64_t used, peak; /* atomic: handed-out bytes */
  uint64_t cached;     /* under lock */
  uint32_t refs;       /* atomic: the owner plus every live block */
  bool closed;
  bool hit_limit;
  tsr_lock *lock; /* protects the free lists: a value may be freed by another thread than its session's */
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
  mem->refs = 1;
  return mem;
}

static void mem_destroy(tsr_mem *mem) {
  tsr_mem_trim(mem);
  tsr_lock_free(mem->lock);
  free(mem);
}

static void mem_release(tsr_mem *mem) {
  if (__atomic_sub_fetch(&mem->refs, 1, __ATOMIC_ACQ_REL) == 0) mem_destroy(mem);
}

void tsr_mem_close(tsr_mem *mem) {
  if (mem == NULL) return;
  __atomic_store_n(&mem->closed, true, __ATOMIC_RELAXED);
  tsr_mem_trim(mem);
  mem_release(mem);
}

uint64_t tsr_mem_used(const tsr_mem *mem) { return __atomic_load_n(&mem->used, __ATOMIC_RELAXED); }
uint64_t tsr_mem_peak(const tsr_mem *mem) { return __atomic_load_n(&mem->peak, __ATOMIC_RELAXED); }
bool tsr_mem_hit_limit(const tsr_mem *mem) { return mem->hit_limit; }

/* Account for size more bytes and one more block; false: over the cap, or a fault is injected. */
static bool charge(tsr_mem *mem, size_t size) {
  if (TSR_UNLIKELY(injected_failure())) return false;
  uint64_t used = __atomic_add_fetch(&mem->used, size, __ATOMIC_RELAXED);
  if (TSR_UNLIKELY(mem->limit != 0 && (used > mem->limit || used < size))) {
    __atomic_sub_fetch(&mem->used, size, __ATOMIC_RELAXED);
    mem->hit_limit = true;
    return false;
  }
  uint64_t peak = __atomic_load_n(&mem->peak, __ATOMIC_RELAXED);
  while (used > peak && !__atomic_compare_exchange_n(&mem->peak, &peak, used, true, __ATOMIC_RELAXED, __ATOMIC_RELAXED)) {
  }
  __atomic_add_fetch(&mem->refs, 1, __ATOMIC_RELAXED);
  return true;
}

static void uncharge(tsr_mem *mem, size_t size) {
  __atomic_sub_fetch(&mem->used, size, __ATOMIC_RELAXED);
  mem_release(mem);
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

static void *buf_from_system(size_t rounded) {
  size_t align = rounded >= 2 * huge_page ? huge_page : 64;
  void *p = aligned_alloc(align, (rounded + align - 1) & ~(align - 1));
#ifdef MADV_HUGEPAGE
  if (p != NULL && align == huge_page) madvise(p, rounded, MADV_HUGEPAGE);
#endif
#ifdef MADV_POPULATE_WRITE
  /* One call instead of a fault for each page that the first run touches.  A wish: older kernels know nothing of it. */
  if (p != NULL && align != huge_page && rounded >= populate_from) {
    uintptr_t first = ((uintptr_t)p + 4095) & ~(uintptr_t)4095, last = ((uintptr_t)p + rounded) & ~(uintptr_t)4095;
    if (first < last) madvise((void *)first, last - first, MADV_POPULATE_WRITE);
  }
#endif
  return p;
}

void *tsr_buf_alloc(tsr_mem *mem, size_t size) {
  if (size > (size_t)PTRDIFF_MAX / 2) {
    mem->hit_limit = mem->limit != 0;
    return NULL;
  }
  size_t rounded;
  int cls = class_of(size, &rounded);
  if (!charge(mem, size)) return NULL;
  void *p = NULL;
  if (cls < CLASS_COUNT) {
    tsr_lock_enter(mem->lock);
    free_list *f = &mem->classes[cls];
    if (f->count > 0) {
      p = f->blocks[--f->count];
      mem->cached -= rounded;
    }
    tsr_lock_leave(mem->lock);
  }
  if (p == NULL) p = buf_from_system(rounded);
  if (p == NULL) {
    mem->hit_limit = false;
    uncharge(mem, size);
  }
  return p;
}

void tsr_buf_free(tsr_mem *mem, void *p, size_t size) {
  if (p == NULL) return;
  size_t rounded;
  int cls = class_of(size, &rounded);
  if (cls < CLASS_COUNT && !__atomic_load_n(&mem->closed, __ATOMIC_RELAXED)) {
    tsr_lock_enter(mem->lock);
    free_list *f = &mem->classes[cls];
    if (f->count < CLASS_DEPTH && mem->cached + rounded <= max_cached) {
      f->blocks[f->count++] = p;
      mem->cached += rounded;
      p = NULL;
    }
    tsr_lock_leave(mem->lock);
  }
  free(p);
  uncharge(mem, size);
}

void tsr_mem_trim(tsr_mem *mem) {
  tsr_lock_enter(mem->lock);
  for (int i = 0; i < CLASS_COUNT; i++) {
    free_list *f = &mem->classes[i];
    while (f->count > 0) free(f->blocks[--f->count]);
  }
  mem->cached = 0;
  tsr_lock_leave(mem->lock);
}
