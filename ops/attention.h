/* Attention, shared by its operators. */
#ifndef TSR_OPS_ATTENTION_H
#define TSR_OPS_ATTENTION_H

#include "ops/native.h"

/* out[b,h,l,ev] = softmax(q k^T * scale + mask) v for q[b,h,l,e], k[b,hk,s,e], v[b,hk,s,ev], hk dividing h.
 * mask: NULL, bool (true takes part) or added, broadcastable to [b,h,l,s].  A row with nothing left is 0.
 * The result is stored [b,l,h,ev] in memory, as PyTorch's is. */
tsr_status tsr_attention(tsr_ctx *ctx, tsr_tensor **out, tsr_tensor *q, tsr_tensor *k, tsr_tensor *v, tsr_tensor *mask, bool causal, double scale);

#endif
