/* The loaded program: sources, classes, functions, constants and the root object of one archive.
 *
 * Loading indexes code/, reads constants.pkl and data.pkl (running __setstate__ where a class has one)
 * and declares the classes reached; bodies are lowered on first use.  What a program holds is never
 * written after tsr_program_load except by tsr_program_lower and tsr_program_find_*, which the caller
 * serialises.  Every value reachable from root and constants is immortal: threads share it without
 * counting, a session copies what the code writes, and a value that leaves the model must keep the
 * program alive or be copied. */
#ifndef TSR_INTERP_PROGRAM_H
#define TSR_INTERP_PROGRAM_H

#include "core/tensor.h"
#include "frontend/archive.h"
#include "frontend/weights.h"
#include "interp/ir.h"

typedef struct tsr_program tsr_program;

/* Runs a lowered function while the archive is loading (__setstate__).  args are borrowed, *out is own. */
typedef struct tsr_program_hooks {
  void *user;
  bool look_only; /* for inspection: __setstate__ does not run, the states are kept (tsr_program.kept) */
  tsr_status (*run)(void *user, tsr_program *p, tsr_errrec *e, tsr_ir_fn *fn, const tsr_val *args, uint32_t nargs,
                    tsr_val *out);
  tsr_status (*loaded)(void *user, tsr_program *p, tsr_errrec *e); /* the objects are there and may still change; or NULL */
} tsr_program_hooks;

/* An operator the code calls that has no row, or no overload for these argument types. */
typedef struct tsr_missing {
  const char *text;   /* "aten::foo(Tensor, int)" */
  uint32_t count;     /* call sites */
  const tsr_loc *loc; /* the first one */
} tsr_missing;

struct tsr_program {
  tsr_archive *archive; /* retained */
  tsr_types *types;     /* retained; classes live in its arena, so values that leave need only the table */
  tsr_mem *mem;         /* of the constants and the root's values; borrowed */
  tsr_arena *arena;     /* AST and IR */
  int version;          /* archive format version 1–10; of model.json: 0 by PyTorch 1.2, −1 before */
  tsr_val *constants;   /* CONSTANTS.cN; owned, immortal */
  size_t constant_count;
  tsr_val root;         /* the root object; owned, immortal */
  tsr_class *root_class;
  struct tsr_kept_state { tsr_object *object; tsr_val state; } *kept; /* of objects whose __setstate__ did not run; in the arena */
  size_t kept_count;
  tsr_missing *missing; /* so far, in order of first use */
  size_t missing_count;
  struct tsr_compiler *impl;
};

/* hooks may be NULL when no class needs __setstate__ to run (it then fails with TSR_EUNSUPPORTED).  mem must
 * outlive the program.  own: tsr_program_free. */
tsr_status tsr_program_load(tsr_archive *a, tsr_mem *mem, const tsr_program_hooks *hooks, tsr_errrec *e, tsr_program **out);
/* A program without archive, from one source text of qualifier "__torch__" (tests, tools).  text is borrowed. */
tsr_status tsr_program_from_source(const char *text, size_t len, int version, tsr_mem *mem, tsr_errrec *e, tsr_program **out);
void tsr_program_free(tsr_program *p); /* NULL is allowed */

/* Declared functions: schema is filled, body only after tsr_program_lower.  *out is NULL when there is none. */
tsr_status tsr_program_find_method(tsr_program *p, tsr_errrec *e, const tsr_class *cls, const char *name, tsr_ir_fn **out);
tsr_status tsr_program_find_function(tsr_program *p, tsr_errrec *e, const char *qualified_name, tsr_ir_fn **out);
tsr_status tsr_program_find_class(tsr_program *p, tsr_errrec *e, const char *qualified_name, tsr_class **out);
/* Lower fn and everything it calls (for interface calls: the method of every declared class that offers it).
 * Refuses recursion.  Missing operators are recorded, not an error. */
tsr_status tsr_program_lower(tsr_program *p, tsr_errrec *e, tsr_ir_fn *fn);
/* TSR_EUNSUPPORTED with the full list in the message when an operator is missing. */
tsr_status tsr_program_check_missing(const tsr_program *p, tsr_errrec *e);
void tsr_program_print_missing(const tsr_program *p, tsr_buf *out); /* one a line: schema, uses, first source line */

/* Methods a user may call, in declaration order (no hooks, no dunder methods but those PyTorch exports). */
size_t tsr_program_method_count(const tsr_program *p, const tsr_class *cls);
const char *tsr_program_method_name(const tsr_program *p, const tsr_class *cls, size_t index);
/* A lowered method of cls, for CALL_METHOD; NULL when there is none.  Safe from any thread after lowering. */
tsr_ir_fn *tsr_class_method(const tsr_class *cls, const char *name);
/* Slot of an attribute; false when cls has none of that name. */
bool tsr_class_find_attr(const tsr_class *cls, const char *name, size_t len, uint32_t *slot);
/* Slot of the index-th child module of a container (MODULE_ITEM), in declaration order; by name when key is not NULL. */
bool tsr_class_find_child(const tsr_class *cls, int64_t index, const char *key, size_t len, uint32_t *slot);
bool tsr_program_is_training(const tsr_program *p); /* some module was saved in training mode */
/* The index-th attribute of a module class is a parameter or buffer that state_dict() names. */
tsr_role tsr_class_attr_role(const tsr_class *cls, uint32_t index);
/* Names in __forward_pre_hooks__ (or __forward_hooks__) of a module class; n in *count. */
const char *const *tsr_class_hooks(const tsr_class *cls, bool pre, size_t *count);

/* Sources, for `tsrun code --source` and --ast. */
size_t tsr_program_source_count(const tsr_program *p);
const tsr_source *tsr_program_source(const tsr_program *p, size_t index);
tsr_status tsr_program_parse_source(tsr_program *p, tsr_errrec *e, size_t index, const struct tsr_ast **out);

#endif
