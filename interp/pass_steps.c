/* A recurrent cell in a loop whose input is a step of a sequence from outside (h = cell(x[t], h)) is told of the
 * sequence, when nothing in the loop writes it: the products of several steps' inputs are then made together.  Whether an
 * input really is a step is looked up when the program runs, so what is said here may be wrong. */
#include "interp/alias.h"
#include "interp/pass_util.h"

enum { NARGS = 9, MOST_BACK = 16 }; /* NARGS: of tsr::…_cell_steps: those of the cell, then the sequence, its dimension, what tsr::steps made */

typedef struct cell_row { const char *name, *with_steps; } cell_row;

static const cell_row cells[] = {
    {"aten::gru_cell", "tsr::gru_cell_steps"}, {"aten::lstm_cell", "tsr::lstm_cell_steps"},
    {"aten::rnn_tanh_cell", "tsr::rnn_tanh_cell_steps"}, {"aten::rnn_relu_cell", "tsr::rnn_relu_cell_steps"},
};

static const cell_row *cell_of(const tsr_ir_node *n) {
  if (n->schema == NULL || n->nin != 6) return NULL;
  for (size_t i = 0; i < TSR_COUNT(cells); i++)
    if (tsr_ir_is_op(n, cells[i].name)) return &cells[i];
  return NULL;
}

static bool is_constant(const tsr_ir_value *v) {
  tsr_val c;
  return tsr_ir_const_of(v, &c);
}

static bool is_inside(const tsr_ir_block *b, const tsr_ir_block *outer) {
  for (; b != NULL; b = b->owner != NULL ? b->owner->parent : NULL)
    if (b == outer) return true;
  return false;
}

static tsr_ir_block *block_of(const tsr_ir_value *v) { return v->def != NULL ? v->def->parent : v->block; }

/* What v is a view or a choice of; NULL: nothing that would be the same rows. */
static tsr_ir_value *behind(const tsr_ir_value *v) {
  static const char *const same[] = {"aten::unsqueeze", "aten::squeeze", "aten::view", "aten::reshape", "aten::contiguous", "aten::slice",
                                     "aten::to", "aten::float", "aten::flatten"};
  const tsr_ir_node *n = v->def;
  if (n == NULL) return NULL;
  if (n->kind == TSR_IR_IF) {
    uint32_t i = 0;
    while (n->out[i] != v) i++;
    return n->blocks[1]->rets[i];
  }
  if (n->kind == TSR_IR_CAST || n->kind == TSR_IR_UNWRAP) return n->in[0];
  for (size_t i = 0; i < TSR_COUNT(same); i++)
    if (tsr_ir_is_op(n, same[i])) return n->in[0];
  return NULL;
}

/* The sequence that v was selected from, and along which dimension: x.select(dim, t), x.unbind(dim)[t]. */
static tsr_ir_value *sequence_of(tsr_ir_value *v, const tsr_ir_block *loop, tsr_ir_value **dim) {
  int left = MOST_BACK;
  tsr_ir_value *x = NULL;
  for (; v != NULL && left > 0 && x == NULL; left--) {
    const tsr_ir_node *n = v->def;
    if (n != NULL && tsr_ir_is_op(n, "aten::__getitem__") && n->in[0]->type->kind == TSR_T_LIST) n = n->in[0]->def;
    if (n != NULL && (tsr_ir_is_form(n, "aten::select", "int", 3) || tsr_ir_is_form(n, "aten::unbind", "int", 2))) {
      x = n->in[0];
      *dim = n->in[1];
    } else if (n == v->def) {
      v = behind(v);
    } else {
      return NULL;
    }
  }
  for (; x != NULL && left > 0 && is_inside(block_of(x), loop); left--) x = behind(x);
  return x != NULL && x->type->kind == TSR_T_TENSOR && is_constant(*dim) && !is_inside(block_of(x), loop) ? x : NULL;
}

static tsr_ir_node *loop_around(const tsr_ir_node *n) {
  const tsr_ir_block *b = n->parent;
  while (b->owner != NULL && b->owner->kind != TSR_IR_LOOP) b = b->owner->parent;
  return b->owner;
}

static tsr_status visit(tsr_fuser *f, tsr_ir_node *n) {
  const cell_row *row = cell_of(n);
  tsr_ir_node *loop = row != NULL && is_constant(n->in[2]) && is_constant(n->in[3]) ? loop_around(n) : NULL;
  tsr_ir_value *dim = NULL, *x = loop != NULL ? sequence_of(n->in[0], loop->blocks[0], &dim) : NULL;
  if (x == NULL || !tsr_ir_block_spares(loop->blocks[0], x)) return TSR_OK;
  tsr_val at = tsr_none();
  const tsr_schema *steps = NULL, *cell = NULL;
  if (!tsr_ir_const_of(dim, &at) || at.tag != TSR_V_INT) return TSR_OK;
  TSR_TRY(tsr_pass_schema(f->env, "tsr::steps", &steps));
  TSR_TRY(tsr_pass_schema(f->env, row->with_steps, &cell));
  tsr_ir_node *make = tsr_ir_node_new(f->fn, TSR_IR_OP, 0, 1, 0, n->loc);
  tsr_ir_node *with = tsr_ir_node_new(f->fn, TSR_IR_OP, NARGS, n->nout, 0, n->loc);
  tsr_ir_value *which = tsr_ir_insert_const(f->fn, n, at, &tsr_type_int, 0), *outs[2] = {NULL};
  if (make == NULL || with == NULL || which == NULL) return tsr_fail_nomem(f->env->e);
  make->schema = steps;
  with->schema = cell;
  tsr_ir_insert_before(make, loop);
  tsr_ir_insert_before(with, n);
  tsr_ir_value *in[] = {x, which, tsr_ir_add_output(f->fn, make, &tsr_type_any, NULL)};
  if (in[2] == NULL) return tsr_fail_nomem(f->env->e);
  for (uint32_t i = 0; i < NARGS; i++) tsr_ir_set_input(with, i, i < n->nin ? n->in[i] : in[i - n->nin]);
  for (uint32_t i = 0; i < n->nout; i++) {
    outs[i] = tsr_ir_add_output(f->fn, with, n->out[i]->type, n->out[i]->name);
    if (outs[i] == NULL) return tsr_fail_nomem(f->env->e);
  }
  if (!tsr_subst_remove(&f->subst, n, outs)) return tsr_fail_nomem(f->env->e);
  f->changed = true;
  return TSR_OK;
}

tsr_status tsr_pass_steps(tsr_pass_env *env, tsr_ir_fn *fn, bool *changed) { return tsr_fuser_run(env, fn, visit, NULL, changed); }
