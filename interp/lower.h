/* Inside the lowering of one function: what lower*.c share. */
#ifndef TSR_INTERP_LOWER_H
#define TSR_INTERP_LOWER_H

#include "interp/match.h"

/* What a name or expression may stand for besides a value. */
typedef enum tsr_sv_kind {
  TSR_SV_UNBOUND,
  TSR_SV_VALUE,      /* v */
  TSR_SV_SPACE,      /* name: operators "<name>::x" */
  TSR_SV_OPS,        /* the word ops */
  TSR_SV_QUALIFIED,  /* name: "__torch__.a", not (yet) a class or function */
  TSR_SV_FUNCTION,   /* fn: called with the arguments as they are */
  TSR_SV_CLASS,      /* type */
  TSR_SV_NEW,        /* type.__new__ */
  TSR_SV_METHOD,     /* name of v */
  TSR_SV_BUILTIN,    /* name: operator with namespace */
  TSR_SV_SPECIAL,    /* special: index into the table of special forms */
  TSR_SV_CONSTANTS,
  TSR_SV_CLOSURE     /* v: closure value; fn */
} tsr_sv_kind;

typedef struct tsr_sv {
  tsr_sv_kind kind;
  uint32_t len;            /* of name */
  const char *name;
  tsr_ir_value *v;
  union { tsr_fnrec *fn; const tsr_type *type; uintptr_t special; };
} tsr_sv;

struct tsr_frame;
typedef struct tsr_var {
  const char *name; uint32_t len;
  tsr_sv sv;
  struct tsr_frame *logged; /* innermost frame that saved its earlier binding */
  uint32_t mark;            /* scratch of merges */
} tsr_var;

typedef struct tsr_change { tsr_var *var; tsr_sv sv; struct tsr_frame *logged; } tsr_change;
/* The bindings that a block changed, so that leaving it costs only what it assigned. */
typedef struct tsr_frame { struct tsr_frame *up; tsr_change *changes; uint32_t count; } tsr_frame;

enum { /* how a block may be left besides falling off its end; bits */
  TSR_EXIT_RETURN = 1, TSR_EXIT_BREAK = 2, TSR_EXIT_CONTINUE = 4,
  TSR_EXIT_ALWAYS = 8 /* never falls off its end (also after raise) */
};

typedef struct tsr_lower {
  tsr_compiler *c;
  tsr_fnrec *rec;
  tsr_ir_fn *fn;
  tsr_codefile *file;
  tsr_ir_block *block;      /* nodes are appended here */
  tsr_strmap vars;
  tsr_frame *frame;
  const tsr_ast *at;        /* location of the nodes being made */
  const tsr_ast *loc_at;
  const tsr_loc *loc;
  const tsr_type *ret;      /* declared, or so far; NULL: not known */
  bool flags;               /* returns inside blocks: $ret and $val say so */
  tsr_ir_value *result;     /* of the return statement that ends the body */
  struct tsr_lower *outer;  /* of a closure */
  tsr_ir_value **captured;  /* outer values, in the order of the body's parameters */
  uint32_t captured_count;
} tsr_lower;

#define tsr_lower_fail(L, at, ...) tsr_compile_fail((L)->c, (L)->file, (at), TSR_EFORMAT, __VA_ARGS__)
static inline tsr_sv tsr_sv_value(tsr_ir_value *v) { return (tsr_sv){.kind = TSR_SV_VALUE, .v = v}; }
static inline bool tsr_ast_is(const tsr_ast *a, const char *word) { return a->len == strlen(word) && memcmp(a->text, word, a->len) == 0; }
static inline bool tsr_ast_absent(const tsr_ast *a) { return a->kind == TSR_AST_NONE && a->begin == a->end; }

/* ---- lower_build.c: nodes */
tsr_ir_node *tsr_build_node(tsr_lower *L, tsr_ir_kind kind, uint32_t nin, uint32_t nout, uint32_t nblocks); /* appended */
tsr_ir_value *tsr_build_out(tsr_lower *L, tsr_ir_node *n, const tsr_type *type);
tsr_ir_value *tsr_build_const(tsr_lower *L, tsr_val v /* immortal or unboxed */, const tsr_type *type);
tsr_ir_value *tsr_build_none(tsr_lower *L);
tsr_ir_value *tsr_build_str(tsr_lower *L, const char *text, size_t len);
tsr_ir_value *tsr_build_list(tsr_lower *L, const tsr_type *elem, tsr_ir_value *const *items, uint32_t n);
tsr_ir_value *tsr_build_tuple(tsr_lower *L, const tsr_type *type /* NULL: of the items */, tsr_ir_value *const *items, uint32_t n);
tsr_ir_value *tsr_build_cast(tsr_lower *L, tsr_ir_value *v, const tsr_type *type); /* v itself when it has the type */
tsr_ir_value *tsr_build_unknown(tsr_lower *L, const char *what, tsr_ir_value *const *in, uint32_t nin); /* placeholder after a missing operator */
tsr_ir_value *tsr_build_getattr(tsr_lower *L, tsr_ir_value *obj, const char *name, size_t len); /* NULL: no such attribute */
tsr_ir_value *tsr_build_tuple_get(tsr_lower *L, tsr_ir_value *tuple, uint32_t index);
void tsr_build_unpack(tsr_lower *L, tsr_ir_value *v, uint32_t n, tsr_ir_value **out, const tsr_ast *at); /* tuple or list */
void tsr_build_ret(tsr_lower *L, tsr_ir_block *b, tsr_ir_value *v);
tsr_ir_value *tsr_build_param(tsr_lower *L, tsr_ir_block *b, const tsr_type *type, const char *name);
const tsr_type *tsr_tuple_member(tsr_lower *L, const tsr_type *tuple, uint32_t i); /* Tuple or NamedTuple */
uint32_t tsr_tuple_count(tsr_lower *L, const tsr_type *tuple);

/* ---- lower_env.c: names */
void tsr_env_enter(tsr_lower *L, tsr_frame *f);
void tsr_env_leave(tsr_lower *L, tsr_frame *f, tsr_change **changes, uint32_t *count); /* restores; changes: new bindings */
void tsr_env_set(tsr_lower *L, const char *name, uint32_t len, tsr_sv sv);
void tsr_env_set_var(tsr_lower *L, tsr_var *var, tsr_sv sv);
tsr_var *tsr_env_var(tsr_lower *L, const char *name, uint32_t len); /* made when first asked for */
tsr_sv tsr_env_get(tsr_lower *L, const char *name, uint32_t len);   /* UNBOUND when not local; captures from outer functions */

/* ---- lower_expr.c */
tsr_sv tsr_lower_sugared(tsr_lower *L, const tsr_ast *a, const tsr_type *hint);
tsr_ir_value *tsr_lower_expr(tsr_lower *L, const tsr_ast *a, const tsr_type *hint);
tsr_ir_value *tsr_lower_condition(tsr_lower *L, const tsr_ast *a);  /* a bool */
tsr_ir_value *tsr_lower_bool(tsr_lower *L, tsr_ir_value *v, const tsr_ast *at);
tsr_ir_value *tsr_lower_value(tsr_lower *L, tsr_sv sv, const tsr_ast *at);
tsr_sv tsr_lower_name(tsr_lower *L, const tsr_ast *a);              /* UNBOUND: unknown */
const char *tsr_lower_operator(const char *text, uint32_t len);     /* "+" -> "aten::add"; NULL: none */
tsr_ir_value *tsr_lower_binary(tsr_lower *L, const tsr_ast *at, const char *op, const char *magic, tsr_ir_value *l, tsr_ir_value *r);
const char *tsr_lower_magic(const char *text, uint32_t len);        /* "+" -> "__add__" */
/* ---- lower_index.c */
tsr_ir_value *tsr_lower_subscript(tsr_lower *L, const tsr_ast *a, const tsr_type *hint);
void tsr_lower_store_subscript(tsr_lower *L, const tsr_ast *target, tsr_ir_value *v);
void tsr_lower_delete(tsr_lower *L, const tsr_ast *target);

/* ---- lower_call.c */
tsr_sv tsr_lower_call(tsr_lower *L, const tsr_ast *a, const tsr_type *hint);
/* Call operator `name` ("aten::add") with values; the result, a tuple of several, or None. */
tsr_ir_value *tsr_lower_op(tsr_lower *L, const char *name, tsr_ir_value *const *vals, uint32_t n);
tsr_ir_value *tsr_lower_op_args(tsr_lower *L, const char *name, tsr_arg *args, uint32_t n);
tsr_ir_value *tsr_lower_op1(tsr_lower *L, const char *name, tsr_ir_value *a);
tsr_ir_value *tsr_lower_op2(tsr_lower *L, const char *name, tsr_ir_value *a, tsr_ir_value *b);
tsr_ir_value *tsr_lower_op3(tsr_lower *L, const char *name, tsr_ir_value *a, tsr_ir_value *b, tsr_ir_value *d);
tsr_ir_value *tsr_lower_method(tsr_lower *L, tsr_ir_value *recv, const char *name, tsr_ir_value *const *vals, uint32_t n, const tsr_ast *at);
/* A call of this overload; NULL: the arguments do not fit. */
tsr_ir_value *tsr_lower_candidate(tsr_lower *L, const tsr_candidate *cand, const tsr_arg *args, uint32_t n);
tsr_arg tsr_lower_arg(tsr_ir_value *v);
void tsr_lower_add_callee(tsr_lower *L, tsr_fnrec *f); /* for the search for recursion */
/* v as type: conversions, then a cast to the declared type; NULL when it cannot be. */
tsr_ir_value *tsr_lower_convert(tsr_lower *L, tsr_ir_value *v, const tsr_type *type);

/* ---- lower_special.c: annotate, isinstance, fork, casts … */
bool tsr_special_find(const char *name, uint32_t len, tsr_sv *out);
tsr_ir_value *tsr_special_wait(tsr_lower *L, tsr_ir_value *await);  /* runs its function unless that has been done */
tsr_ir_value *tsr_special_nowait(tsr_lower *L, tsr_ir_value *v);
tsr_sv tsr_special_call(tsr_lower *L, uintptr_t special, const tsr_ast *a, const tsr_type *hint);
/* true, false: decided by types alone; else -1 */
int tsr_special_isinstance(tsr_lower *L, const tsr_type *t, const tsr_type *const *types, uint32_t n);
tsr_ir_value *tsr_special_test(tsr_lower *L, tsr_ir_value *v, const tsr_type *const *types, uint32_t n); /* the test as a node */
uint32_t tsr_special_types(tsr_lower *L, const tsr_ast *a, const tsr_type ***out); /* "T" or "(A, B)" */

/* ---- lower_cond.c: conditions that types decide or refine */
typedef struct tsr_refine { tsr_var *var; const tsr_type *type; } tsr_refine;
typedef struct tsr_refines { tsr_refine *items; uint32_t count; } tsr_refines;
typedef struct tsr_cond {
  int known;               /* 1, 0: by types alone, v is NULL; -1: v tells */
  tsr_ir_value *v;
  tsr_refines yes, no;     /* what variables are known to be afterwards */
} tsr_cond;
tsr_cond tsr_lower_cond(tsr_lower *L, const tsr_ast *a);
tsr_ir_value *tsr_cond_value(tsr_lower *L, const tsr_cond *c); /* as a bool value */
void tsr_cond_apply(tsr_lower *L, const tsr_refines *r);

/* ---- lower_flow.c, lower_loop.c: statements with blocks; all return exit bits */
typedef struct tsr_branch { tsr_ast *const *stmts; uint32_t n; const tsr_refines *refines; bool exits; /* left before: values are irrelevant */
                            const tsr_ast *raise; /* an assertion that fails here */ } tsr_branch;
unsigned tsr_lower_branches(tsr_lower *L, const tsr_ast *at, tsr_ir_value *cond, const tsr_branch *yes, const tsr_branch *no);
unsigned tsr_lower_stmts(tsr_lower *L, tsr_ast *const *stmts, uint32_t n);
unsigned tsr_lower_if(tsr_lower *L, const tsr_ast *a);
unsigned tsr_lower_while(tsr_lower *L, const tsr_ast *a);
unsigned tsr_lower_for(tsr_lower *L, const tsr_ast *a);
unsigned tsr_lower_with(tsr_lower *L, const tsr_ast *a);
unsigned tsr_lower_assert(tsr_lower *L, const tsr_ast *a);
tsr_ir_value *tsr_lower_comprehension(tsr_lower *L, const tsr_ast *a, const tsr_type *hint);
/* then- and else-expressions as one If with a value */
tsr_ir_value *tsr_lower_choice(tsr_lower *L, const tsr_ast *at, tsr_ir_value *cond, const tsr_ast *yes, const tsr_refines *yes_r,
                               const tsr_ast *no, const tsr_refines *no_r, const tsr_type *hint);
tsr_ir_value *tsr_lower_and_or(tsr_lower *L, const tsr_ast *a);
tsr_ir_value *tsr_lower_ternary(tsr_lower *L, const tsr_ast *a, const tsr_type *hint);
/* if (flag of bits) false else last(); for the next round of a loop */
tsr_ir_value *tsr_lower_flag(tsr_lower *L, unsigned bits);

/* ---- lower.c */
unsigned tsr_lower_stmt(tsr_lower *L, const tsr_ast *a);
void tsr_lower_assign_target(tsr_lower *L, const tsr_ast *target, tsr_sv sv);
void tsr_lower_assign_targets(tsr_lower *L, const tsr_ast *targets, tsr_ir_value *v); /* one, or unpacking */
void tsr_lower_raise(tsr_lower *L, tsr_ir_value *message, tsr_ir_value *class_name);
void tsr_lower_closure(tsr_lower *L, const tsr_ast *def);
bool tsr_lower_has(const tsr_ast *block, tsr_ast_kind kind, bool into_loops); /* a statement of that kind in it */

#endif
