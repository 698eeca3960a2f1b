/* What passes share: copying IR, recognising constants, replacing nodes. */
#ifndef TSR_INTERP_PASS_UTIL_H
#define TSR_INTERP_PASS_UTIL_H

#include "interp/emit_impl.h" /* tsr_grow */
#include "interp/passes.h"

/* Copies values of one function to values of another: map[id], NULL while not copied. */
typedef struct tsr_cloner {
  tsr_ir_fn *to;
  tsr_ir_value **map; uint32_t count;
  /* Location of the copy of a node; NULL: as it is. */
  const tsr_loc *(*relocate)(void *user, const tsr_loc *loc);
  void *user;
} tsr_cloner;

tsr_status tsr_cloner_init(tsr_cloner *c, tsr_ir_fn *to, const tsr_ir_fn *from, tsr_errrec *e);
void tsr_cloner_dispose(tsr_cloner *c);
/* Copy the nodes of a block to the end of `to`, or before a node.  false: out of memory. */
bool tsr_clone_nodes(tsr_cloner *c, const tsr_ir_block *from, tsr_ir_block *to, tsr_ir_node *before);
/* A copy whose blocks, nodes and values have an arena of their own. */
tsr_status tsr_ir_clone_fn(const tsr_ir_fn *fn, tsr_errrec *e, tsr_ir_fn **out);
/* Free that arena; the function has no body any more.  Nothing happens to other functions; NULL is allowed. */
void tsr_ir_clone_drop(tsr_ir_fn *fn);

/* Values to be replaced, applied while a pass walks forward: a definition comes before its uses, so
 * each node's operands are brought up to date when it is reached. */
typedef struct tsr_subst { tsr_ir_value **to; uint32_t cap; } tsr_subst;
bool tsr_subst_set(tsr_subst *s, const tsr_ir_value *from, tsr_ir_value *to); /* false: out of memory */
tsr_ir_value *tsr_subst_get(const tsr_subst *s, tsr_ir_value *v);
void tsr_subst_node(const tsr_subst *s, tsr_ir_node *n);    /* operands */
void tsr_subst_rets(const tsr_subst *s, tsr_ir_block *b);
/* n's results become vs and n leaves its block. */
bool tsr_subst_remove(tsr_subst *s, tsr_ir_node *n, tsr_ir_value *const *vs);

/* A pass that looks at one operator after another, forward, blocks inside first. */
typedef struct tsr_fuser tsr_fuser;
struct tsr_fuser {
  tsr_pass_env *env;
  tsr_ir_fn *fn;
  tsr_subst subst;
  const tsr_schema *schema; /* of the operator that it makes; NULL until needed */
  bool changed;
  void *user;
};
tsr_status tsr_fuser_run(tsr_pass_env *env, tsr_ir_fn *fn, tsr_status (*visit)(tsr_fuser *f, tsr_ir_node *n), void *user, bool *changed);
/* In front of `at`, an operator of ours with these operands; NULL: out of memory. */
tsr_ir_value *tsr_ir_insert_op(tsr_ir_fn *fn, tsr_ir_node *at, const tsr_loc *loc, const tsr_schema *s, tsr_ir_value *const *in, uint32_t nin);

bool tsr_ir_is_none(const tsr_ir_value *v);
bool tsr_ir_is_false(const tsr_ir_value *v);
bool tsr_ir_is_int(const tsr_ir_value *v, int64_t want);
bool tsr_ir_number_of(const tsr_ir_value *v, double *out); /* a constant number, or a constant float tensor without dimensions */
bool tsr_ir_is_form(const tsr_ir_node *n, const char *name, const char *overload, uint32_t nin); /* one result; n may be NULL */
/* The node that makes v, when it is in the block of user and v goes nowhere else; else NULL. */
tsr_ir_node *tsr_ir_sole_source(const tsr_ir_node *user, const tsr_ir_value *v);
bool tsr_ir_may_delay(const tsr_ir_node *n, const tsr_ir_node *until); /* nothing between the two writes */
bool tsr_ir_const_of(const tsr_ir_value *v, tsr_val *out); /* v is a constant: its value, borrowed */
bool tsr_ir_is_op(const tsr_ir_node *n, const char *name);  /* any overload of "aten::relu" */
/* Put a constant in front of `at`; NULL: out of memory. */
tsr_ir_value *tsr_ir_insert_const(tsr_ir_fn *fn, tsr_ir_node *at, tsr_val v, const tsr_type *type, uint32_t slot);
/* Move the nodes of b before `at` (b is left empty). */
void tsr_ir_splice(tsr_ir_block *b, tsr_ir_node *at);
bool tsr_ir_has_effect(const tsr_ir_node *n); /* it or something inside must be kept although unused */
bool tsr_ir_writes(const tsr_ir_node *n);     /* an effect other than raising */
bool tsr_ir_reads_shape(const tsr_ir_node *n); /* an operator that looks at a tensor's shape, dtype or device only */
/* A value of v's rank from which v was made, or NULL. */
tsr_ir_value *tsr_ir_rank_source(const tsr_ir_value *v);
/* n applies an activation (tsr_act) with these parameters to its first operand, in place or not. */
bool tsr_ir_act_of(const tsr_ir_node *n, int *act, double p[2]);
/* The schema of one of tsrun's own operators, parsed the first time: *out is NULL until then. */
tsr_status tsr_pass_schema(tsr_pass_env *env, const char *name, const tsr_schema **out);
uint32_t tsr_ir_count_nodes(const tsr_ir_block *b, uint32_t limit);

/* pass_*.c */
tsr_status tsr_pass_inline(tsr_pass_env *env, tsr_ir_fn *fn, bool *changed);
tsr_status tsr_pass_scalars(tsr_pass_env *env, tsr_ir_fn *fn, bool *changed); /* attributes that are numbers and never set */
tsr_status tsr_pass_fold(tsr_pass_env *env, tsr_ir_fn *fn, bool *changed);
tsr_status tsr_pass_dce(tsr_pass_env *env, tsr_ir_fn *fn, bool *changed);
tsr_status tsr_pass_freeze(tsr_pass_env *env, tsr_ir_fn *fn, bool *changed);
tsr_status tsr_pass_share(tsr_pass_env *env, tsr_ir_fn *fn, bool *changed);   /* constants and literal lists nothing writes */
tsr_status tsr_pass_cse(tsr_pass_env *env, tsr_ir_fn *fn, bool *changed);
tsr_status tsr_pass_batchnorm(tsr_pass_env *env, tsr_ir_fn *fn, bool *changed);
tsr_status tsr_pass_sums(tsr_pass_env *env, tsr_ir_fn *fn, bool *changed);    /* convolutions of one input that are added */
tsr_status tsr_pass_lists(tsr_pass_env *env, tsr_ir_fn *fn, bool *changed);   /* local lists without appends */
tsr_status tsr_pass_norm(tsr_pass_env *env, tsr_ir_fn *fn, bool *changed);    /* what batchnorm left, with cat and activation */
tsr_status tsr_pass_scale(tsr_pass_env *env, tsr_ir_fn *fn, bool *changed);   /* factors of linear layers, sums with what is permuted */
tsr_status tsr_pass_gelu(tsr_pass_env *env, tsr_ir_fn *fn, bool *changed);    /* the formula becomes the operator */
tsr_status tsr_pass_fuse(tsr_pass_env *env, tsr_ir_fn *fn, bool *changed);
tsr_status tsr_pass_attention(tsr_pass_env *env, tsr_ir_fn *fn, bool *changed);
tsr_status tsr_pass_steps(tsr_pass_env *env, tsr_ir_fn *fn, bool *changed);   /* cells in loops */
tsr_status tsr_pass_block(tsr_pass_env *env, tsr_ir_fn *fn, bool *changed);   /* inverted residuals */
tsr_status tsr_pass_mlp(tsr_pass_env *env, tsr_ir_fn *fn, bool *changed);
tsr_status tsr_pass_layout(tsr_pass_env *env, tsr_ir_fn *fn, bool *changed);  /* last and once: what follows may not move uses */

#endif
