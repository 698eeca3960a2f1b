/* A pickled torch.nn.Module as the unpickler leaves it: an opaque object whose state holds dicts of children,
 * parameters and buffers. */
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
/* A value that describes the module and is not part of its machinery: "in_features", not "_backward_hooks". */
bool tsr_pmodule_is_setting(const tsr_entry *e);

#endif
