/* The loaded model: archive, program, bytecode.  Immutable for its users; methods are compiled when
 * first needed, under its lock. */
#ifndef TSR_INTERP_MODEL_H
#define TSR_INTERP_MODEL_H

#include "interp/alias.h"
#include "interp/program.h"
#include "interp/vm.h"
#include "ops/block.h"

typedef struct tsr_method {
  const char *name;
  tsr_ir_fn *fn;             /* as lowered; schema says what it takes */
  tsr_ir_fn *entry;          /* optimised clone, or fn itself; NULL until prepared; without a body when that was let go */
  bool optimised;            /* entry has been through all passes */
  const tsr_bytecode *code;  /* of entry; NULL until compiled, published atomically */
  char *signature;           /* "(Tensor x, int n=3) -> Tensor" */
  char **arg_types;          /* printed; without self */
} tsr_method;

/* A constant whose bytes are computed when first needed: often only to be packed. */
typedef struct tsr_deferred {
  tsr_tensor *t;                       /* dense float32; its storage has no bytes yet */
  void (*fill)(const void *recipe, int64_t row, int64_t rows, float *out); /* of its first dimension */
  void (*name)(const void *recipe, struct tsr_block_name *n); /* says what they are computed from (ops/block.h) */
  void *recipe;                        /* malloc'ed */
  const tsr_tensor *from;              /* what it is computed from */
} tsr_deferred;

struct tsr_model {
  uint32_t refs;             /* atomic: the user, sessions, values that came out of sessions */
  tsr_mem *mem;
  tsr_archive *archive;
  tsr_program *program;
  tsr_pool *pool;
  tsr_site_heap *heap;       /* packed weights */
  struct tsr_cache *cache;   /* the file that some of them lie in, or NULL */
  tsr_load_stats stats;
  tsr_lock *lock;            /* guards compiling and the tables below */
  int opt_level;             /* negative: TSR_OPT_NONE */
  bool no_winograd;          /* of every context */
  bool had_session;          /* atomic */
  uint64_t passes_off;       /* bits of tsr_pass_switches */
  const struct tsr_pass_watch *watch; /* or NULL */
  const tsr_load_options *opt; /* while loading */
  tsr_status (*visit)(void *user, tsr_program *p, tsr_errrec *e); /* while loading, or NULL */
  void *visit_user;
  bool look_only;            /* for inspection: nothing of the file runs */
  tsr_method *methods; size_t method_count, exported; /* those users see, then the root's forward hooks */
  tsr_bytecode **codes; size_t ncodes, codes_cap; /* all, to be freed */
  bool prepared;             /* every method has its entry; writes is complete */
  tsr_writes writes;         /* by all methods */
  tsr_val *owned; size_t nowned, owned_cap; /* constants that passes made */
  tsr_deferred *deferred; uint32_t ndeferred, deferred_cap;
  bool defer;                /* tsr_model_prepare is at work: it computes deferred constants */
  tsr_val *constants; uint32_t nconstants, constants_cap; /* what sessions copy; borrowed from the program */
};

/* Load sources and values (and opt's weights), call fn while the objects may still change, let go of everything.
 * What fn retained stays.  archive: taken. */
tsr_status tsr_model_visit_archive(tsr_archive *archive, const tsr_load_options *opt,
                                   tsr_status (*fn)(void *user, tsr_program *p, tsr_errrec *e), void *user, tsr_errrec *e);
typedef enum tsr_model_depth {
  TSR_MODEL_SOURCES, /* sources and values, no methods */
  TSR_MODEL_LOOK,    /* methods, too; but nothing of the file runs, also no __setstate__ */
  TSR_MODEL_RUN
} tsr_model_depth;
/* archive: taken, also on failure. */
tsr_status tsr_model_load_archive(tsr_archive *archive, const tsr_load_options *opt, tsr_model_depth depth, tsr_errrec *e, tsr_model **out);
void tsr_model_retain(tsr_model *m);
tsr_method *tsr_model_find_method(tsr_model *m, const char *name); /* NULL: none */
/* Bytecode of a method, compiled on first use.  Thread-safe. */
tsr_status tsr_model_compile_method(tsr_model *m, tsr_errrec *e, tsr_method *method);
/* Optimised IR of a method (for printing). */
tsr_status tsr_model_optimise_method(tsr_model *m, tsr_errrec *e, tsr_method *method);
/* The IR of a compiled method makes room: bytecode is all that runs.  It cannot be printed any more. */
void tsr_model_drop_ir(tsr_model *m, tsr_method *method);
/* Any function; for tsr_vm_hooks.compile (user: the model). */
const tsr_bytecode *tsr_model_compile_fn(void *model, tsr_errrec *e, tsr_ir_fn *fn);
/* Keep *v (its reference moves) as an immortal constant of the model; the lock is held. */
tsr_status tsr_model_own(tsr_model *m, tsr_errrec *e, tsr_val *v);
/* An immortal tensor like w whose rows fill(recipe, …) computes; recipe: taken, also on failure. */
tsr_status tsr_model_defer(tsr_model *m, tsr_errrec *e, const tsr_tensor *w, void (*fill)(const void *, int64_t, int64_t, float *),
                           void (*name)(const void *, struct tsr_block_name *), void *recipe, tsr_val *out);
static inline bool tsr_is_deferred(const tsr_tensor *t) { return t->storage->data == NULL && t->storage->nbytes > 0; }
/* Give t its bytes if they are still missing; false: out of memory. */
bool tsr_model_settle(tsr_model *m, const tsr_tensor *t);
bool tsr_model_settle_all(tsr_model *m);
void tsr_model_forget_deferred(tsr_model *m); /* what has no bytes by now never gets any */
tsr_val tsr_model_constant(tsr_model *m, uint32_t index); /* borrowed, immortal */

/* binding of arguments: convert.c */
struct tsr_value;
/* Arguments of a user for a schema whose parameter 0 is self: positional, then by name, then defaults.
 * out: room for param_count values, filled from 1 on with owned ones (None on failure). */
tsr_status tsr_args_bind(tsr_model *m, tsr_mem *mem, tsr_errrec *e, const tsr_schema *schema, const char *method,
                         struct tsr_value *const *args, const char *const *names, size_t count, tsr_val *out);
void tsr_declaration_print(const tsr_schema *schema, const char *method, bool with_self, tsr_buf *out);

#endif
