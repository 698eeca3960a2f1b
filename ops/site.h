/* What call sites keep between calls: large aligned blocks, published once. */
#ifndef TSR_OPS_SITE_H
#define TSR_OPS_SITE_H

#include "core/digest.h"
#include "ops/op.h"

/* Blocks lie close together on huge pages, so that packing touches few of them and a kernel that streams
 * weights misses its address translations seldom.  A freed block's place is not used again before all of its
 * neighbours are free: what is packed stays.  Any thread may allocate and free; free all blocks before the heap. */
tsr_site_heap *tsr_site_heap_new(void); /* NULL: out of memory */
void tsr_site_heap_free(tsr_site_heap *h); /* NULL is allowed */
/* Map room for the blocks to come in one piece, about this much; a wish. */
void tsr_site_heap_reserve(tsr_site_heap *h, size_t size);
/* Have the first pages of that room in memory ahead of its use, until *stop (atomic) is set; beside other threads. */
void tsr_site_heap_enter(tsr_site_heap *h, size_t size, const int *stop);
void tsr_site_heap_trim(tsr_site_heap *h); /* the rest of that room goes back */
uint64_t tsr_site_heap_bytes(const tsr_site_heap *h); /* in blocks, lent ones too */

/* While sites are prepared, blocks may come from elsewhere, and those that were made are noted (ops/block.h). */
typedef struct tsr_store {
  void *user;
  const void *(*find)(void *user, tsr_digest name, size_t size); /* NULL: it has none; lives as long as the heap; any thread */
  const void *mapped; size_t mapped_len; /* the archive's bytes, which nothing has changed */
} tsr_store;
typedef struct tsr_noted { tsr_digest name; const void *data; size_t size; bool lent; } tsr_noted;
void tsr_site_heap_set_store(tsr_site_heap *h, const tsr_store *store); /* borrowed; NULL: no more, and what was noted is forgotten */
const tsr_store *tsr_site_heap_store(const tsr_site_heap *h);           /* or NULL */
void *tsr_site_heap_find(tsr_site_heap *h, tsr_digest name, size_t size); /* of the store: not to be written */
void tsr_site_heap_note(tsr_site_heap *h, tsr_noted block);
/* All blocks with a name, found ones as well; a name comes once. */
const tsr_noted *tsr_site_heap_noted(const tsr_site_heap *h, size_t *count);
uint64_t tsr_site_heap_lent(const tsr_site_heap *h); /* bytes of tsr_site_heap_bytes that lie in the store */

/* 64-byte aligned; NULL: out of memory.  Not metered: sites belong to the model, not to a session. */
void *tsr_site_alloc(tsr_ctx *ctx, size_t size);
void tsr_site_free(void *p); /* NULL is allowed */
/* What the site holds, or NULL. */
static inline void *tsr_site_get(const tsr_site *site) {
  return site == NULL ? NULL : __atomic_load_n(&site->data, __ATOMIC_ACQUIRE);
}
/* Publish data unless another thread was faster; returns what the site holds now, having freed the loser.
 * One site always gets the same free_fn. */
void *tsr_site_publish(tsr_site *site, void *data, void (*free_fn)(void *));
/* While a model is prepared, sites that pack the same constant in the same way have one block.  packer: an address that
 * stands for the way; w: an immortal constant, others are never shared.  tsr_site_shared: a reference of the caller's
 * (tsr_site_free) or NULL.  tsr_site_offer: of a block that was published. */
void tsr_site_heap_share(tsr_site_heap *h, bool on);
void *tsr_site_shared(tsr_ctx *ctx, const void *packer, const tsr_tensor *w);
void tsr_site_offer(tsr_ctx *ctx, const void *packer, const tsr_tensor *w, void *block);
/* The index-th of n sites kept inside one, for operators with several constants; every call passes the same n.
 * NULL without a site or memory. */
tsr_site *tsr_site_sub(tsr_site *site, int n, int index);

#endif
