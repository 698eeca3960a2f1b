/* softmax(x) . v becomes one operator that normalises blocks of rows in cache and never stores them, and that writes
 * its result the way the transposition after it wants it. */
#include "interp/pass_util.h"

#include <stdlib.h>

typedef struct fuser {
  tsr_pass_env *env;
  tsr_ir_fn *fn;
  tsr_subst subst;
  const tsr_schema *schema; /* tsr::softmax_matmul; NULL until needed */
  bool changed;
} fuser;

static bool is_none(const tsr_ir_value *v) {
  tsr_val c;
  return tsr_ir_const_of(v, &c) && c.tag == TSR_V_NONE;
}

static bool is_false(const tsr_ir_value *v) {
  tsr_val c;
  return tsr_ir_const_of(v, &c) && c.tag == TSR_V_BOOL && !c.b;
}

static bool is_int(const tsr_ir_value *v, int64_t want) {
  tsr_val c;
  return tsr_ir_const_of(v, &c) && c.tag == TSR_V_INT && c.i == want;
}

static bool has_form(const tsr_ir_node *n, const char *name, const char *overload, uint32_t nin) {
  return n != NULL && tsr_ir_is_op(n, name) && strcmp(n->schema->overload, overload) == 0 && n->nin == nin && n->nout == 1;
}

/* The node that makes v, when it is in the block of user and v goes nowhere else. */
static tsr_ir_node *sole_source(const tsr_ir_node *user, const tsr_ir_value *v) {
  return v->uses == 1 && v->def != NULL && v->def->parent == user->parent ? v->def : NULL;
}

static bool may_delay(const tsr_ir_node *n, const tsr_ir_node *until) {
  for (n = n->next; n != NULL && n != until; n = n->next)
    if (tsr_ir_writes(n)) return false;
  return true;
}

static bool uses_value(const tsr_ir_node *n, const tsr_ir_value *v, uint32_t *count) {
  uint32_t before = *count;
  for (uint32_t i = 0; i < n->nin; i++) *count += n->in[i] == v;
  return *count > before;
}

/* Only shapes are read from v, and copies made that forget its strides; turned: through one transpose(1, 2). */
static bool strides_unseen(const tsr_ir_node *def, const tsr_ir_value *v, bool turned) {
  uint32_t found = 0;
  for (const tsr_ir_node *n = def->next; n != NULL; n = n->next) {
    if (!uses_value(n, v, &found)) continue;
    if (tsr_ir_is_op(n, "aten::size") || tsr_ir_is_op(n, "aten::dim")) continue;
    if (turned && has_form(n, "aten::transpose", "int", 3) && n->in[0] == v && is_int(n->in[1], 1) && is_int(n->in[2], 2)) {
      if (!strides_unseen(n, n->out[0], false)) return false;
      continue;
    }
    bool copies = has_form(n, "aten::reshape", "", 2) || (has_form(n, "aten::contiguous", "", 2) && is_int(n->in[1], 0));
    if (turned || !copies) return false;
  }
  return found == v->uses;
}

static tsr_status visit(fuser *f, tsr_ir_node *product) {
  if (!has_form(product, "aten::matmul", "", 2)) return TSR_OK;
  tsr_ir_node *cast = NULL, *soft = sole_source(product, product->in[0]);
  if (has_form(soft, "aten::to", "dtype", 5) && is_false(soft->in[2]) && is_false(soft->in[3]) && is_none(soft->in[4])) {
    cast = soft;
    soft = sole_source(cast, cast->in[0]);
  }
  if (!has_form(soft, "aten::softmax", "int", 3) || !is_none(soft->in[2]) || !may_delay(soft, product)) return TSR_OK;
  TSR_TRY(tsr_pass_schema(f->env, "tsr::softmax_matmul", &f->schema));
  tsr_ir_node *n = tsr_ir_node_new(f->fn, TSR_IR_OP, 5, 1, 0, product->loc);
  bool by_row = strides_unseen(product, product->out[0], true);
  tsr_ir_value *in[5] = {soft->in[0], product->in[1], soft->in[1],
                         cast != NULL ? cast->in[1] : tsr_ir_insert_const(f->fn, product, tsr_none(), &tsr_type_none, 0),
                         tsr_ir_insert_const(f->fn, product, tsr_bool(by_row), &tsr_type_bool, 0)};
  for (int i = 0; i < 5; i++)
    if (in[i] == NULL || n == NULL) return tsr_fail_nomem(f->env->e);
  n->schema = f->schema;
  for (uint32_t i = 0; i < 5; i++) tsr_ir_set_input(n, i, in[i]);
  tsr_ir_insert_before(n, product);
  tsr_ir_value *out = tsr_ir_add_output(f->fn, n, &tsr_type_tensor, NULL);
  if (out == NULL || !tsr_subst_remove(&f->subst, product, &out)) return tsr_fail_nomem(f->env->e);
  if (cast != NULL) tsr_ir_remove(cast);
  tsr_ir_remove(soft);
  f->changed = true;
  return TSR_OK;
}

static tsr_status walk(fuser *f, tsr_ir_block *b) {
  for (tsr_ir_node *n = b->first, *next; n != NULL; n = next) {
    next = n->next;
    tsr_subst_node(&f->subst, n);
    for (uint32_t k = 0; k < n->nblocks; k++) TSR_TRY(walk(f, n->blocks[k]));
    if (n->kind == TSR_IR_OP) TSR_TRY(visit(f, n));
  }
  tsr_subst_rets(&f->subst, b);
  return TSR_OK;
}

tsr_status tsr_pass_attention(tsr_pass_env *env, tsr_ir_fn *fn, bool *changed) {
  fuser f = {.env = env, .fn = fn};
  tsr_status s = walk(&f, fn->body);
  free(f.subst.to);
  *changed |= f.changed;
  return s;
}
