/* The state dict of a program: what PyTorch's Module.state_dict() names, in its order; loading it. */
#ifndef TSR_INTERP_STATE_H
#define TSR_INTERP_STATE_H

#include "interp/program.h"

/* Parameters, then buffers, then the children of each module.  tensor may be changed while the program is not frozen. */
typedef struct tsr_state_visitor {
  void *user;
  tsr_status (*tensor)(void *user, const char *name, tsr_tensor *t, tsr_role role);
  /* After a module's own tensors: its prefix ("" or "layer1.").  May be NULL. */
  tsr_status (*module)(void *user, const char *prefix, const tsr_object *module);
} tsr_state_visitor;
tsr_status tsr_state_visit(tsr_program *p, tsr_errrec *e, const tsr_state_visitor *v);

/* The object's child of that name, or its tensor: what a key "name.…" or "name" can mean. */
bool tsr_state_has_child(const tsr_object *module, const char *name, size_t len);
bool tsr_state_has_tensor(const tsr_object *module, const char *name, size_t len);

typedef struct tsr_state_options {
  const tsr_weights *weights;
  bool no_strict, ignore_mismatched_sizes;
  tsr_note_fn note; /* one line each; or NULL */
  void *user;
} tsr_state_options;

/* load_state_dict: its rules and its messages.  Before the program is frozen. */
tsr_status tsr_state_load(tsr_program *p, tsr_errrec *e, const tsr_state_options *opt);
/* Why copy_ refuses: NULL when it does not; text is room for one that has to be written. */
typedef struct tsr_why { const char *why; char text[200]; } tsr_why;
/* t[...] = x[...], as copy_ does. */
tsr_status tsr_state_copy(tsr_program *p, tsr_errrec *e, tsr_tensor *t, const tsr_weight *x, tsr_why *why);
/* Lines that say what may be wrong and which option helps. */
void tsr_state_hints(tsr_program *p, const tsr_weights *w, tsr_buf *out);

#endif
