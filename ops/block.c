#include "ops/block.h"

#include "ops/supply.h"

tsr_block_name tsr_block_name_of(const tsr_ctx *ctx, const char *way) {
  tsr_block_name n = {.store = ctx->heap != NULL ? tsr_site_heap_store(ctx->heap) : NULL};
  if (n.store != NULL) tsr_digest_text(&n.sum, way);
  return n;
}

void tsr_block_name_ints(tsr_block_name *n, const int64_t *x, size_t count) {
  if (n->store != NULL) tsr_digest_add(&n->sum, x, count * sizeof *x);
}

void tsr_block_name_floats(tsr_block_name *n, const float *x, int64_t count) {
  if (n->store != NULL) tsr_digest_add(&n->sum, x, x == NULL ? 0 : (size_t)count * sizeof *x);
}

void tsr_block_name_source(tsr_block_name *n, const float *x, int64_t count) {
  if (n->store == NULL) return;
  uintptr_t from = (uintptr_t)n->store->mapped, at = (uintptr_t)x;
  size_t bytes = (size_t)count * sizeof *x;
  if (at < from || at - from > n->store->mapped_len || bytes > n->store->mapped_len - (at - from)) {
    n->store = NULL;
    return;
  }
  tsr_digest_int(&n->sum, at - from);
  tsr_digest_int(&n->sum, bytes);
}

void tsr_block_name_tensor(tsr_block_name *n, const tsr_ctx *ctx, const tsr_tensor *t) {
  if (n->store == NULL) return;
  tsr_digest_int(&n->sum, t != NULL);
  if (t == NULL) return;
  int64_t head[3] = {t->dtype, t->ndim, t->offset}, last = t->offset;
  tsr_block_name_ints(n, head, 2);
  tsr_block_name_ints(n, t->size, (size_t)t->ndim);
  tsr_block_name_ints(n, t->stride, (size_t)t->ndim);
  if (t->storage->data == NULL) {
    tsr_supply made = tsr_supply_of(ctx, t);
    if (made.maker == NULL || made.maker->name == NULL || t->offset != 0) n->store = NULL;
    else made.maker->name(made.maker->recipe, n);
    return;
  }
  for (int d = 0; d < t->ndim; d++) {
    if (t->size[d] == 0) n->store = NULL;
    last += (t->size[d] - 1) * t->stride[d];
  }
  if (t->dtype != TSR_FLOAT32 || t->layout != 0 || t->storage->owned) n->store = NULL;
  tsr_block_name_source(n, (const float *)t->storage->data + t->offset, last - t->offset + 1);
}

tsr_block tsr_block_get(tsr_ctx *ctx, const tsr_block_name *n, size_t size, bool *filled) {
  void *lent = n->store == NULL ? NULL : tsr_site_heap_find(ctx->heap, n->sum, size);
  *filled = lent != NULL;
  return lent != NULL ? (tsr_block){lent, true} : (tsr_block){tsr_site_alloc(ctx, size), false};
}

void tsr_block_offer(tsr_ctx *ctx, const tsr_block_name *n, tsr_block b, size_t size) {
  if (n->store != NULL) tsr_site_heap_note(ctx->heap, (tsr_noted){n->sum, b.data, size, false});
}

void tsr_block_free(tsr_block b) {
  if (!b.lent) tsr_site_free(b.data);
}
