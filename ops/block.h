/* Prepared weights: blocks that an operator fills once, or finds filled.
 *
 * A block's name says what it holds: the way of making it, the numbers that the way depends on, and which weights of the
 * archive it was made of.  Where the model has a store (a cache file), a block of that name comes from there, and those
 * that were made are offered to it.  Weights that are not the archive's own, untouched bytes have no name. */
#ifndef TSR_OPS_BLOCK_H
#define TSR_OPS_BLOCK_H

#include "core/digest.h"
#include "ops/site.h"

typedef struct tsr_block_name {
  tsr_digest sum;
  const tsr_store *store; /* NULL: nobody asks */
} tsr_block_name;

/* way: a word for how the block is made. */
tsr_block_name tsr_block_name_of(const tsr_ctx *ctx, const char *way);
void tsr_block_name_ints(tsr_block_name *n, const int64_t *x, size_t count);
void tsr_block_name_floats(tsr_block_name *n, const float *x, int64_t count); /* a few, by their values; NULL is allowed */
void tsr_block_name_source(tsr_block_name *n, const float *x, int64_t count); /* by their place in the archive */
/* A weight, in memory or made (ops/supply.h); NULL is allowed. */
void tsr_block_name_tensor(tsr_block_name *n, const tsr_ctx *ctx, const tsr_tensor *t);

typedef struct tsr_block { void *data; bool lent; } tsr_block; /* lent: it lies in the store, and nobody may write there */

/* *filled: it is what it should be; else the caller fills it.  data NULL: out of memory. */
tsr_block tsr_block_get(tsr_ctx *ctx, const tsr_block_name *n, size_t size, bool *filled);
/* The block is full, and will live as long as the model: the store may have it. */
void tsr_block_offer(tsr_ctx *ctx, const tsr_block_name *n, tsr_block b, size_t size);
void tsr_block_free(tsr_block b);

#endif
