/* What the indexing operators share: checked int64 indices, typed runs that combine elements, and
 * the working copy of an operand that is updated. */
#ifndef TSR_OPS_INDEX_RUN_H
#define TSR_OPS_INDEX_RUN_H

#include "ops/op.h"

typedef enum tsr_combine { TSR_SET, TSR_ADD, TSR_MUL, TSR_AMAX, TSR_AMIN } tsr_combine;

/* dst[i * dstep] = dst[i * dstep] ∘ src[i * sstep], steps in bytes; NULL: not for this type. */
typedef void (*tsr_run_fn)(char *dst, ptrdiff_t dstep, const char *src, ptrdiff_t sstep, int64_t n);
tsr_run_fn tsr_combine_run(tsr_combine how, tsr_dtype dtype);
/* "sum", "prod", "mean", "amax", "amin" → what is done to each element; false: another word. */
bool tsr_combine_parse(const char *word, tsr_combine *how, bool *mean);

tsr_scalar tsr_combine_identity(tsr_combine how, tsr_dtype dtype); /* the value that combining leaves alone */

/* idx as C-ordered int64 (int32 is widened); check: every value in [0, size), dim names the
 * dimension in the message. */
tsr_status tsr_index_ready(tsr_ctx *ctx, tsr_tensor **out, tsr_tensor *idx);
tsr_status tsr_index_check(tsr_ctx *ctx, tsr_tensor *idx, int64_t size, int64_t dim);

/* An operand to update: C-ordered.  In place it is args[0] itself when that is contiguous, else a
 * copy that tsr_update_end brings back; out of place always a copy. */
typedef struct tsr_update {
  tsr_tensor *self, *work;
  bool in_place, keeps_order; /* keeps_order: the result is laid out as self is, not in C order */
} tsr_update;
tsr_status tsr_update_begin(tsr_call *c, bool in_place, tsr_update *u);
tsr_status tsr_update_end(tsr_call *c, tsr_update *u); /* stores the result into rets[0] */

#endif
