/* Passes over the IR of one entry method; one row a pass (passes.c). */
#ifndef TSR_INTERP_PASSES_H
#define TSR_INTERP_PASSES_H

#include "interp/model.h"

typedef struct tsr_pass_env {
  tsr_model *model;
  tsr_errrec *e;
} tsr_pass_env;

/* Told after every pass over an entry method, when it has changed something or not. */
struct tsr_pass_watch {
  void (*after)(void *user, const char *pass, const tsr_ir_fn *fn, bool changed);
  void *user;
};

/* What can be switched off by name: the passes, and the fusions that "fuse" is made of (which ask tsr_pass_is_on). */
typedef struct tsr_pass_switch { const char *name, *what; } tsr_pass_switch;
extern const tsr_pass_switch tsr_pass_switches[]; /* ends with a NULL name */
bool tsr_pass_is_on(const tsr_pass_env *env, const char *name);
/* "fold,cse" to a set of switches; unknown names fail with the list of those there are.  list may be NULL. */
tsr_status tsr_pass_parse(const char *list, tsr_errrec *e, uint64_t *off);
bool tsr_pass_is_known(const char *name, size_t len, size_t *index);

/* *changed: set when the pass did something. */
typedef tsr_status (*tsr_pass_fn)(tsr_pass_env *env, tsr_ir_fn *fn, bool *changed);

/* Fill method->entry: an optimised copy at level 2, the function as lowered at level 0.  The model's lock is held. */
tsr_status tsr_passes_run(tsr_model *m, tsr_errrec *e, tsr_method *method);

/* pass_print.c: the code of a method (NULL: forward) as `pass` left it; "all": what each pass changed, line by line. */
tsr_status tsr_print_passes(tsr_model *m, const char *pass, const char *method, tsr_errrec *e, tsr_write_fn write, void *user);

#endif
