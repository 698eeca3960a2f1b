/* What pickled things are.  A torch.nn.Module is, as the unpickler leaves it, an opaque object whose state holds dicts
 * of children, parameters and buffers. */
#ifndef TSR_FRONTEND_PMODULE_H
#define TSR_FRONTEND_PMODULE_H

#include "core/value.h"

typedef struct tsr_pmodule {
  const char *cls; /* "torch.nn.modules.linear.Linear" */
  const tsr_dict *state, *children, *params, *buffers;
} tsr_pmodule;

bool tsr_pmodule_of(tsr_val v, tsr_pmodule *out); /* false: not a module */
/* A parameter, buffer, child or other attribute; NULL: there is none of that name. */
const tsr_val *tsr_pmodule_attr(const tsr_pmodule *m, const char *name);
/* The value of a string key; NULL: absent, or d is NULL. */
const tsr_val *tsr_dict_lookup(const tsr_dict *d, const char *name);
/* A dict, or what an object of a subclass of dict holds; NULL: it is neither. */
const tsr_dict *tsr_pickled_dict(tsr_val v);
/* The attributes of an object: its state, or the first half of (attributes, slots); NULL: it has none. */
const tsr_dict *tsr_pickled_attributes(tsr_val v);
/* Tensors of a dict from names to tensors, with what else modules put there; 0: it is no such dict.  *proper: a name
 * is that of a module's tensor ("fc.weight"). */
size_t tsr_state_dict_tensors(tsr_val v, bool *proper);
/* Tensors that state_dict() of a module would name. */
size_t tsr_pmodule_tensors(const tsr_pmodule *m);
/* A buffer registered with persistent=False is in no state dict. */
bool tsr_pmodule_is_volatile(const tsr_pmodule *m, tsr_val name);
/* A value that describes the module and is not part of its machinery: "in_features", not "_backward_hooks". */
bool tsr_pmodule_is_setting(const tsr_entry *e);

#endif
