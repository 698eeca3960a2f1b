/* Weights as they are packed: rows of memory, or rows that are computed when they are asked for and never stored. */
#ifndef TSR_OPS_SUPPLY_H
#define TSR_OPS_SUPPLY_H

#include "ops/op.h"

struct tsr_block_name; /* ops/block.h */

/* How to compute rows [row, row + rows), of the first dimension, of the tensor that has this storage. */
typedef struct tsr_maker {
  const tsr_storage *of;
  void (*fill)(const void *recipe, int64_t row, int64_t rows, float *out);
  const void *recipe;
  void (*name)(const void *recipe, struct tsr_block_name *n); /* says what the recipe makes; or NULL */
} tsr_maker;

typedef struct tsr_supply {
  const float *data;      /* NULL: they are made */
  const tsr_maker *maker;
  int64_t length;         /* floats of a row */
} tsr_supply;

/* w: float32, contiguous, not empty; made when the context has a maker of its storage. */
tsr_supply tsr_supply_of(const tsr_ctx *ctx, const tsr_tensor *w);
/* Rows [row, row + rows): where they lie, or computed to room, which has space for them when the source is made. */
static inline const float *tsr_supply_rows(const tsr_supply *s, int64_t row, int64_t rows, float *room) {
  if (s->data != NULL) return s->data + row * s->length;
  s->maker->fill(s->maker->recipe, row, rows, room);
  return room;
}
/* All rows, until the operator returns. */
tsr_status tsr_supply_all(tsr_ctx *ctx, const tsr_supply *s, int64_t rows, const float **out);

#endif
