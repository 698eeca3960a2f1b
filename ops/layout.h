/* Channels last behind the program's back.
 *
 * A *hidden* tensor (tsr_tensor.hidden) is float32 with four dimensions; to the program it is C-ordered,
 * in memory its channels lie innermost, which is what convolutions, pools and their kind compute in.  Only
 * tsr::conv_last makes hidden tensors, where the layout pass (interp/pass_layout.c) has shown that none but
 * operators see the result: what is returned, stored or carried on goes through tsr::reveal first.
 *
 * Operators meet hidden operands in tsr_layout_call.  Those that give the same values whatever order
 * memory has, and C-ordered results for C-ordered operands, are run as they are and their results
 * are hidden again; for all others the operands are turned around first, in place: the tensor stays the
 * same object, and views of it do not exist yet. */
#ifndef TSR_OPS_LAYOUT_H
#define TSR_OPS_LAYOUT_H

#include "ops/op.h"

/* May run on hidden operands: TSR_ANY_ORDER, and everything elementwise. */
bool tsr_op_any_order(const tsr_op *op);
/* run(c) with hidden operands and results taken care of. */
tsr_status tsr_layout_call(tsr_call *c, tsr_kernel_fn run);
/* C order in memory as well; nothing to do when t is not hidden. */
tsr_status tsr_layout_reveal(tsr_ctx *ctx, tsr_tensor *t);
/* A hidden copy of a C-ordered float32 tensor with four dimensions. */
tsr_status tsr_layout_hide(tsr_ctx *ctx, tsr_tensor **out, const tsr_tensor *t);
/* An uninitialised result: hidden, or simply C-ordered when the two orders are the same. */
tsr_status tsr_layout_new(tsr_ctx *ctx, tsr_tensor **out, const int64_t size[4]);

#endif
