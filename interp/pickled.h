/* Programs made from pickled modules: what torch.save(model) wrote.  The file holds objects and weights, no code;
 * classes of torch.nn have a known forward (layers.h), others are named and refused.  Nothing in it is executed. */
#ifndef TSR_INTERP_PICKLED_H
#define TSR_INTERP_PICKLED_H

#include "interp/compile.h"
#include "interp/layers.h"

/* A pickled torch.nn.Module, as the unpickler left it. */
typedef struct tsr_pmodule {
  const char *cls;                                     /* "torch.nn.modules.linear.Linear" */
  const tsr_dict *state, *children, *params, *buffers; /* children … may be NULL */
} tsr_pmodule;
bool tsr_pmodule_of(tsr_val v, tsr_pmodule *out); /* false: not a module */
/* A parameter, buffer or other attribute; NULL: there is none of that name. */
const tsr_val *tsr_pmodule_attr(const tsr_pmodule *m, const char *name);

/* Forward functions that depend on the object (pickled_code.c): text in the compiler's arena. */
const char *tsr_pickled_rnn(tsr_compiler *c, const tsr_pmodule *m);
const char *tsr_pickled_chain(tsr_compiler *c, const tsr_pmodule *m);            /* Sequential */
const char *tsr_pickled_stack(tsr_compiler *c, const tsr_pmodule *m, bool decoder); /* TransformerEncoder */
/* The row's text with $activation replaced. */
const char *tsr_pickled_fill(tsr_compiler *c, const tsr_pmodule *m, const char *path, const char *text);

#endif
