/* Programs made from pickled modules: what torch.save(model) wrote.  The file holds objects and weights, no code;
 * classes of torch.nn have a known forward (layers.h), others are named and refused.  Nothing in it is executed. */
#ifndef TSR_INTERP_PICKLED_H
#define TSR_INTERP_PICKLED_H

#include "frontend/pmodule.h"
#include "interp/compile.h"
#include "interp/layers.h"

/* Forward functions that depend on the object (pickled_code.c): text in the compiler's arena. */
const char *tsr_pickled_rnn(tsr_compiler *c, const tsr_pmodule *m);
const char *tsr_pickled_chain(tsr_compiler *c, const tsr_pmodule *m);            /* Sequential */
const char *tsr_pickled_stack(tsr_compiler *c, const tsr_pmodule *m, bool decoder); /* TransformerEncoder */
/* The row's text with $activation replaced. */
const char *tsr_pickled_fill(tsr_compiler *c, const tsr_pmodule *m, const char *path, const char *text);

/* Hooks of torch.nn.utils that compute a weight before each call. */
bool tsr_pickled_knows_hook(tsr_val hook);
/* The text with self.NAME replaced by what the module's hooks compute for it. */
const char *tsr_pickled_hooked(tsr_compiler *c, const tsr_pmodule *m, const char *text);
/* The attributes that takes. */
typedef void (*tsr_pickled_name_fn)(void *user, const char *name);
void tsr_pickled_hook_names(tsr_compiler *c, const tsr_pmodule *m, tsr_pickled_name_fn fn, void *user);

#endif
