/* What the files of the compiler share: the records behind a program's classes and functions, and how
 * errors leave.  The compiler's memory is arenas only, so an error is one jump to the entry point
 * (tsr_compile_guard); whoever holds anything else across such a call registers it first. */
#ifndef TSR_INTERP_COMPILE_H
#define TSR_INTERP_COMPILE_H

#include <setjmp.h>

#include "frontend/ast.h"
#include "interp/program.h"
#include "interp/strmap.h"

typedef struct tsr_codefile {
  tsr_source src;
  const char *qualifier;   /* "__torch__.a.b" */
  size_t entry;            /* of the archive; SIZE_MAX: text is given */
  bool loaded, parsed;
  tsr_ast *ast;
  const char *debug_name;  /* entry of its source ranges, or NULL */
  bool loose_returns;      /* PyTorch 1.2 called a power of integers, a float, an int: returned values have their own type */
  bool builtin;            /* our own text (builtins.c): operators mean what they mean today */
} tsr_codefile;

typedef enum tsr_fn_state { TSR_FN_DECLARED, TSR_FN_LOWERING, TSR_FN_LOWERED } tsr_fn_state;

typedef struct tsr_fnrec {
  tsr_ir_fn fn;              /* first: a tsr_ir_fn * of the compiler is a tsr_fnrec * */
  const tsr_ast *def;
  tsr_codefile *file;
  const tsr_class *cls;      /* of a method */
  const char *short_name;    /* "forward"; qualified for free functions */
  struct tsr_fnrec *outer;   /* closures: the function they stand in */
  struct tsr_fnrec *next_active; /* being lowered, innermost first: put back when lowering fails */
  tsr_fn_state state;
  bool declared;             /* schema is filled */
  bool declaring;
  struct tsr_fnrec *next_declaring;
  bool infer_return;         /* no annotation: the body decides */
  bool queued;
  uint8_t visit;             /* search for recursion: 0 new, 1 on the path, 2 done */
  struct tsr_fnrec **callees; uint32_t callee_count;
  struct tsr_lite_code *lite; /* bytecode instead of def (lite.h) */
} tsr_fnrec;

typedef enum tsr_class_kind {
  TSR_CLASS_MODULE, TSR_CLASS_SCRIPT, TSR_CLASS_NAMEDTUPLE, TSR_CLASS_ENUM, TSR_CLASS_INTERFACE, TSR_CLASS_CUSTOM
} tsr_class_kind;

typedef struct tsr_classrec {  /* tsr_class.impl */
  tsr_class *cls;
  tsr_class_kind kind;
  const tsr_ast *ast;          /* NULL: custom or synthesised */
  tsr_codefile *file;
  tsr_strmap attrs;            /* name -> slot + 1 */
  tsr_strmap constants;        /* name -> FIELD with Final, or ASSIGN */
  tsr_strmap methods;          /* name -> tsr_fnrec */
  tsr_fnrec **method_list;     /* declaration order, hooks included */
  uint32_t method_count;
  const char **hooks[2];       /* pre, post */
  size_t hook_count[2];
  const char **state[2];       /* names of the parameters, of the buffers */
  size_t state_count[2];
  bool lists_buffers;          /* since 1.6; before, what is a tensor and no parameter is a buffer */
  bool filled, filling;
  struct tsr_classrec *next_filling; /* being filled, innermost first: put back when that fails */
  bool open;                   /* __init__ is being lowered: what it assigns are the attributes (before 1.3) */
  bool instantiated;           /* some object of it may exist */
} tsr_classrec;

typedef struct tsr_entity {    /* a top-level class or function of a code file */
  const tsr_ast *ast;
  tsr_codefile *file;
  const char *qualified;
  tsr_fnrec *fn;
  tsr_type *type;              /* classes, once asked for */
} tsr_entity;

/* One overload of an operator name: a row of the table, or a function of builtins.c (fn != NULL). */
typedef struct tsr_candidate { const tsr_schema *schema; tsr_fnrec *fn; } tsr_candidate;
typedef struct tsr_opset { tsr_candidate *items; size_t count; } tsr_opset; /* in matching order */

typedef struct tsr_iface_call { const tsr_class *iface; const char *name; } tsr_iface_call;

/* Questions "does cls implement iface" that are being answered, innermost first. */
typedef struct tsr_implements { const tsr_class *cls, *iface; struct tsr_implements *up; } tsr_implements;

typedef struct tsr_call_path { tsr_fnrec *f; uint32_t next; /* callee */ } tsr_call_path;

typedef struct tsr_compiler {
  tsr_program *p;
  tsr_arena *arena;
  tsr_types *types;
  tsr_codefile **files; size_t file_count;
  tsr_strmap files_by_qualifier, entities, classes /* name -> tsr_classrec */, missing_map;
  tsr_strmap overloads;        /* "aten::add.Tensor" -> tsr_candidate */
  tsr_strmap opsets[2];        /* 0: as the file's version means them, 1: as today */
  tsr_classrec **class_list; size_t class_count;
  tsr_fnrec **queue; size_t queue_len, queue_done;
  tsr_fnrec *active, *declaring;
  tsr_classrec *filling;
  tsr_iface_call *iface_calls; size_t iface_count;
  bool iface_dirty;            /* new classes or calls since implementations were last looked for */
  tsr_implements *implements;
  tsr_call_path *path; size_t path_len; /* of the search for recursion */
  tsr_val *owned; size_t owned_count, owned_cap;   /* malloc'ed: constants of functions, objects of the file */
  tsr_obj **frozen; size_t frozen_count, frozen_cap; /* malloc'ed: what tsr_values_freeze made immortal */
  bool is_frozen;
  tsr_strmap fitted;           /* containers already checked: (object, type) */
  const tsr_program_hooks *hooks;
  jmp_buf *jump;
  tsr_errrec *err;
  const char *stack_base;      /* address near the entry: bounds recursion in bytes */
} tsr_compiler;

/* For the rarer arms of recursive functions: inlined, each would add its locals to every level of nesting. */
#define TSR_NOINLINE __attribute__((noinline))

/* Type of values that a missing operator would give: agrees with everything. */
extern const tsr_type tsr_type_unknown;
static inline bool tsr_is_unknown(const tsr_type *t) { return t == &tsr_type_unknown; }

/* ---- errors and memory: these jump ---- */
typedef void (*tsr_compile_fn)(tsr_compiler *c, void *arg);
tsr_status tsr_compile_guard(tsr_compiler *c, tsr_errrec *e, tsr_compile_fn fn, void *arg);
_Noreturn void tsr_compile_fail(tsr_compiler *c, const tsr_codefile *file, const tsr_ast *at, tsr_status status, const char *fmt, ...) TSR_PRINTF(5, 6);
_Noreturn void tsr_compile_nomem(tsr_compiler *c);
void tsr_compile_check(tsr_compiler *c, tsr_status s); /* s came with a message in c->err */
void *tsr_compile_alloc(tsr_compiler *c, size_t size);
char *tsr_compile_text(tsr_compiler *c, const char *fmt, ...) TSR_PRINTF(2, 3); /* in the arena */
const char *tsr_compile_typename(tsr_compiler *c, const tsr_type *t);           /* in the arena */
void tsr_compile_depth(tsr_compiler *c, const tsr_codefile *file, const tsr_ast *at); /* call in every recursive function */
void tsr_compile_strmap_set(tsr_compiler *c, tsr_strmap *m, const char *key, size_t len, void *value);
/* Room for one more item in an arena array whose length is count: capacities are powers of two. */
void *tsr_compile_grow(tsr_compiler *c, void *items, size_t count, size_t item_size);

/* ---- values (values.c) ---- */
tsr_val tsr_values_own(tsr_compiler *c, tsr_val v);  /* takes v: lives as long as the program, immortal once that is loaded */
tsr_val tsr_values_hold(tsr_val v);                  /* another reference, counted even when immortal (under the caller's lock) */
tsr_status tsr_values_freeze(tsr_compiler *c);       /* everything reachable becomes immortal */
void tsr_values_dispose(tsr_compiler *c);            /* frees root, constants and what is owned */
/* Make v a value of type t: checks deeply, tags containers with their declared element types. */
bool tsr_values_fit(tsr_compiler *c, tsr_val *v, const tsr_type *t);

/* ---- loading (load.c, legacy.c, lite.c) ---- */
void tsr_load_archive(tsr_compiler *c);              /* jumps on failure */
void tsr_load_legacy(tsr_compiler *c);
void tsr_load_lite(tsr_compiler *c);
void tsr_load_pickled(tsr_compiler *c);              /* pickled.c */
/* An object of cls from a pickled state: a dict of attributes, or what __setstate__ takes.  own */
tsr_val tsr_load_object(tsr_compiler *c, const tsr_class *cls, tsr_val state);
void tsr_load_setstate(tsr_compiler *c, tsr_object *obj, tsr_val state);
void tsr_load_set_attr(tsr_compiler *c, tsr_object *obj, uint32_t slot, tsr_val v /* borrowed */);
tsr_status tsr_compile_reachable(tsr_compiler *c, tsr_errrec *e, tsr_fnrec *f);

/* ---- names (names.c) ---- */
void tsr_names_add_file(tsr_compiler *c, const char *qualifier, const char *name, const char *text, size_t len, size_t entry);
tsr_codefile *tsr_names_parse(tsr_compiler *c, tsr_codefile *f);
tsr_entity *tsr_names_find(tsr_compiler *c, const char *qualified, size_t len);  /* NULL: none */
tsr_fnrec *tsr_names_function(tsr_compiler *c, tsr_entity *en);                  /* declared */
tsr_fnrec *tsr_fnrec_new(tsr_compiler *c, const char *name, const char *short_name, const tsr_ast *def, tsr_codefile *file, const tsr_class *cls);
void tsr_fnrec_declare(tsr_compiler *c, tsr_fnrec *f);                           /* fills the schema */

/* ---- classes (classes.c) ---- */
tsr_type *tsr_class_type(tsr_compiler *c, const char *qualified, size_t len);    /* declared; NULL: unknown name */
tsr_classrec *tsr_class_rec(tsr_compiler *c, const tsr_class *cls);              /* filled */
tsr_fnrec *tsr_class_find_method(tsr_compiler *c, const tsr_class *cls, const char *name, size_t len); /* declared; NULL: none */
tsr_classrec *tsr_class_declare(tsr_compiler *c, tsr_type *type, tsr_class_kind kind, const tsr_ast *ast, tsr_codefile *file);
void tsr_class_add_attr(tsr_compiler *c, tsr_classrec *r, const char *name, size_t len, const tsr_type *type);
/* A class of an old file: the assignment to target in f, if that is its __init__, declares an attribute. */
void tsr_class_define(tsr_compiler *c, const tsr_fnrec *f, const tsr_class *cls, const tsr_ast *target, const tsr_type *type);
void tsr_class_add_method(tsr_compiler *c, tsr_classrec *r, const tsr_ast *def);
void tsr_class_instantiated(tsr_compiler *c, const tsr_class *cls);              /* some object of it may exist from now on */
bool tsr_class_implements(tsr_compiler *c, const tsr_class *cls, const tsr_class *iface);
void tsr_class_unfill(tsr_classrec *r);                                           /* as declared: filling it failed */
bool tsr_class_is_schema_custom(const char *qualified, size_t len);              /* __torch__.torch.classes.… */

/* ---- types (resolve.c) ---- */
const tsr_type *tsr_resolve_type(tsr_compiler *c, tsr_codefile *file, const tsr_ast *a); /* jumps when unknown */
const tsr_type *tsr_resolve_type_of(tsr_compiler *c, tsr_val v);
bool tsr_resolve_subtype(tsr_compiler *c, const tsr_type *a, const tsr_type *b);         /* with interfaces and unknowns */
const tsr_type *tsr_resolve_unify(tsr_compiler *c, const tsr_type *a, const tsr_type *b); /* NULL: none */
const tsr_type *tsr_resolve_list(tsr_compiler *c, const tsr_type *elem);
const tsr_type *tsr_resolve_dict(tsr_compiler *c, const tsr_type *key, const tsr_type *value);
const tsr_type *tsr_resolve_tuple(tsr_compiler *c, const tsr_type *const *members, uint32_t n);
const tsr_type *tsr_resolve_optional(tsr_compiler *c, const tsr_type *inner);
bool tsr_resolve_dotted(tsr_compiler *c, const tsr_ast *a, const char **text, size_t *len); /* a.b.c as one word */

/* ---- constant expressions (consteval.c) ---- */
/* Value of a default, enum member or Final; hint may be NULL.  false: not constant.  The value is owned by the program. */
bool tsr_consteval(tsr_compiler *c, tsr_codefile *file, const tsr_ast *a, const tsr_type *hint, tsr_val *out);

/* ---- operators (opset.c, builtins.c) ---- */
/* NULL: no such operator.  today: without the version's upgraders. */
const tsr_opset *tsr_opset_find(tsr_compiler *c, const char *qualified, size_t len, bool today);
/* Functions written in TorchScript that stand beside the operator table. */
enum { TSR_ANY_VERSION = 1000 };
typedef struct tsr_builtin_row {
  const char *op;          /* "aten::mul"; with overload "aten::div.Tensor" for an upgrader that replaces it */
  const char *function;    /* in the source of its set */
  int max_version;         /* files up to this version see it */
  bool replaces;
} tsr_builtin_row;
typedef struct tsr_builtin_set {
  const char *qualifier;
  const char *source;
  const tsr_builtin_row *rows; /* ends with op == NULL */
} tsr_builtin_set;
extern const tsr_builtin_set tsr_builtins_1, tsr_builtins_gone;
extern const tsr_builtin_set *const tsr_builtin_sets[]; /* ends with NULL */
/* The overload as the file's version means it; when none has that name, one that is a function, or the only one there is.  NULL: unknown. */
const tsr_candidate *tsr_opset_overload(tsr_compiler *c, const char *name, const char *overload);
void tsr_opset_record_missing(tsr_compiler *c, const char *text, const tsr_loc *loc);

/* ---- lowering (lower.c) ---- */
void tsr_lower_function(tsr_compiler *c, tsr_fnrec *f);
void tsr_lower_enqueue(tsr_compiler *c, tsr_fnrec *f);

#endif
