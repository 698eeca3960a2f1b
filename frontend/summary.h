/* The few lines about a checkpoint that people look for first: epoch, loss, learning rates, the optimizer and the
 * size of its state, every state dict with its counts. */
#ifndef TSR_FRONTEND_SUMMARY_H
#define TSR_FRONTEND_SUMMARY_H

#include "core/tensor.h"
#include "frontend/pickle_vm.h"

typedef struct tsr_tally { uint64_t tensors, elements, bytes; tsr_umap seen; bool oom; } tsr_tally; /* seen: storages counted */
void tsr_tally_add(tsr_tally *t, tsr_val v);  /* everything below v, shared storages once */
void tsr_tally_dispose(tsr_tally *t);
/* Tensors under the dotted names of modules: not just any dict of tensors, such as an optimizer's. */
bool tsr_is_state_dict(tsr_val v);
/* "Adam or AdamW" when v is an optimizer's state_dict(), else NULL. */
const char *tsr_optimizer_kind(tsr_val v);
void tsr_summary_print(tsr_val v, bool json, tsr_buf *b, bool *oom); /* nothing when v is no checkpoint */

#endif
