/* Objects of custom classes (torch.classes) that operators make: packed parameters of layers.  Their classes are equal by name
 * to those an archive declares; what they hold is the state that an archive would hold. */
#ifndef TSR_OPS_CUSTOM_H
#define TSR_OPS_CUSTOM_H

#include "ops/op.h"

#define TSR_CUSTOM_CLASS(id, text)                                                                       \
  static tsr_class id##_class;                                                                           \
  static const tsr_type id##_type = {TSR_T_CLASS, 0, NULL, "__torch__.torch.classes." text, &id##_class}; \
  static tsr_class id##_class = {.name = "__torch__.torch.classes." text, .type = &id##_type, .is_custom = true}

/* *out: own, not a temporary.  state is taken; NULL means that there was no memory for it. */
static inline tsr_status tsr_custom_new(tsr_ctx *ctx, tsr_val *out, tsr_class *cls, tsr_tuple *state) {
  if (state == NULL) return tsr_ctx_nomem(ctx);
  tsr_object *o = tsr_object_new(ctx->mem, cls, 1);
  if (o == NULL) {
    tsr_obj_release(state);
    return tsr_ctx_nomem(ctx);
  }
  o->slots[0] = tsr_from_obj(state);
  *out = tsr_from_obj(o);
  return TSR_OK;
}

#endif
