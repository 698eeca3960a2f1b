/* Nested tensors as archives reach them: a padded tensor and the length of each row.  They exist between
 * aten::_nested_tensor_from_mask and aten::to_padded_tensor, inside transformer encoders. */
#ifndef TSR_OPS_NESTED_H
#define TSR_OPS_NESTED_H

#include "ops/native.h"

enum { TSR_LAYOUT_NESTED = 7 }; /* layout code of such a tensor: sizes are the padded ones */

static inline bool tsr_is_nested(const tsr_tensor *t) { return t->layout == TSR_LAYOUT_NESTED; }
/* padded[b, l, …] with lengths[b] (int64) */
tsr_status tsr_nested_new(tsr_ctx *ctx, tsr_tensor **out, tsr_tensor *padded, tsr_tensor *lengths);
static inline tsr_tensor *tsr_nested_padded(const tsr_tensor *t) { return t->sparse->values; }
static inline tsr_tensor *tsr_nested_lengths(const tsr_tensor *t) { return t->sparse->a; }
/* bool [b, l]: true in the padding */
tsr_status tsr_nested_padding_mask(tsr_ctx *ctx, tsr_tensor **out, const tsr_tensor *t);

#endif
