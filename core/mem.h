/* Memory: a metered heap (tsr_mem) with a cap and buffers for tensors that share memory, and arenas
 * for compile-time objects.
 *
 * A tsr_mem lives until it is closed AND its last block is freed, so values may outlive their session.
 * Allocation failure and the cap are ordinary errors: NULL comes back, nothing aborts. */
#ifndef TSR_CORE_MEM_H
#define TSR_CORE_MEM_H

#include "core/base.h"

typedef struct tsr_mem tsr_mem;

tsr_mem *tsr_mem_new(uint64_t limit /* bytes, 0: none */); /* NULL: out of memory */
void tsr_mem_close(tsr_mem *mem);     /* the owner is gone */
uint64_t tsr_mem_used(const tsr_mem *mem);
uint64_t tsr_mem_peak(const tsr_mem *mem);
bool tsr_mem_hit_limit(const tsr_mem *mem); /* the last NULL was because of the cap */
/* Fault injection for tests: the nth allocation from now fails (0: off); once, or from then on. */
void tsr_mem_fail_at(uint64_t nth, bool sticky);

void *tsr_alloc(tsr_mem *mem, size_t size);               /* 16-byte aligned, not zeroed; size 0 gives a block */
void *tsr_zalloc(tsr_mem *mem, size_t size);              /* zeroed */
void *tsr_realloc(tsr_mem *mem, void *p, size_t old_size, size_t size);
void tsr_free(tsr_mem *mem, void *p, size_t size);        /* size as allocated; p may be NULL */

/* What may come to contain itself is watched, so that interp/cycles.h can find it: *at is its place, 0 while nobody
 * watches.  Values out of the heap that reach such things and that users hold are sharers of it, as its owner is: others
 * may read and free those, on other threads, so nothing is collected but when the owner is the only one, or nobody is. */
void tsr_mem_watch_all(tsr_mem *mem);                         /* from now on; the owner is a sharer */
void tsr_mem_watch(tsr_mem *mem, void *o, uint32_t *at);
void tsr_mem_unwatch(tsr_mem *mem, uint32_t *at);
void *tsr_mem_watched(const tsr_mem *mem, uint32_t i);        /* NULL: there are no more */
bool tsr_mem_share(tsr_mem *mem);                             /* false: it watches nothing */
void tsr_mem_share_for_good(tsr_mem *mem);                    /* nobody will say when that ends: nothing is collected any more */
bool tsr_mem_leave(tsr_mem *mem);                             /* a sharer goes; true: it was the last */
void tsr_mem_unpin(tsr_mem *mem);                             /* after that: the heap need not live on for the sharer */
bool tsr_mem_cycles_due(const tsr_mem *mem);                  /* enough was made since the last time, and it is the owner's alone */
void tsr_mem_cycles_done(tsr_mem *mem);

/* Tensor buffers: 64-byte aligned, not zeroed. */
void *tsr_buf_alloc(tsr_mem *mem, size_t size);
void tsr_buf_free(tsr_mem *mem, void *p, size_t size);
/* Before the first buffer, for heaps that serve many: what is freed is kept for the next, and pages for the first small
 * ones and for `size` bytes of large ones are in memory when they come. */
void tsr_mem_warm(tsr_mem *mem, size_t size);
void tsr_mem_trim(tsr_mem *mem);      /* give cached buffers back to the system */

/* Arena: freed as a whole.  In TSR_DEBUG_ARENA builds each object is its own malloc, so that ASan sees overruns. */
typedef struct tsr_arena tsr_arena;
tsr_arena *tsr_arena_new(void);
void tsr_arena_free(tsr_arena *a);
void tsr_arena_reset(tsr_arena *a);                       /* everything in it is gone; one block is kept for reuse */
void *tsr_arena_alloc(tsr_arena *a, size_t size);         /* zeroed, 16-byte aligned; NULL: out of memory */
char *tsr_arena_strdup(tsr_arena *a, const char *s, size_t len); /* NUL-terminated copy */
uint64_t tsr_arena_used(const tsr_arena *a);
void tsr_arena_set_limit(tsr_arena *a, uint64_t limit);   /* 0: none */

/* Growable byte buffer (malloc'ed, always NUL-terminated when not empty); oom is sticky, so writers need not check. */
typedef struct tsr_buf { char *data; size_t len, cap; bool oom; } tsr_buf;
void tsr_buf_put(tsr_buf *b, const void *bytes, size_t len);
void tsr_buf_puts(tsr_buf *b, const char *s);
void tsr_buf_putc(tsr_buf *b, char c);
void tsr_buf_printf(tsr_buf *b, const char *fmt, ...) TSR_PRINTF(2, 3);
void tsr_buf_dispose(tsr_buf *b);
char *tsr_buf_take(tsr_buf *b);       /* own (free); NULL when oom; "" becomes an allocated empty string */

#endif
