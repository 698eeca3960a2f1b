/* GELU written out, in the form with erf or the one with tanh, becomes one operator. */
#include "interp/pass_util.h"

#include <math.h>

enum { MOST = 8 };
typedef struct formula {
  tsr_ir_node *end;                    /* the last multiplication */
  tsr_ir_node *nodes[MOST]; uint32_t count; /* before it, each used by the next only; users first */
  tsr_ir_value *x, *power;             /* power: 3 or 3.0, which differ for integers; NULL: none */
} formula;

static bool near(double a, double b) { return fabs(a - b) <= 1e-6 * fabs(b); }

/* The operand of what makes v, which belongs to the formula from now on; NULL: used elsewhere as well. */
static tsr_ir_node *take(formula *f, const tsr_ir_value *v) {
  tsr_ir_node *n = tsr_ir_sole_source(f->end, v);
  if (n == NULL || n->kind != TSR_IR_OP || f->count == MOST) return NULL;
  f->nodes[f->count++] = n;
  return n;
}

/* v = (result) * factor, or / (1 / factor) */
static tsr_ir_value *times(formula *f, const tsr_ir_value *v, double factor) {
  double c;
  tsr_ir_node *n = take(f, v);
  bool mul = tsr_ir_is_form(n, "aten::mul", "Tensor", 2) || tsr_ir_is_form(n, "aten::mul", "Scalar", 2);
  bool div = tsr_ir_is_form(n, "aten::div", "Tensor", 2) || tsr_ir_is_form(n, "aten::div", "Scalar", 2);
  if ((!mul && !div) || !tsr_ir_number_of(n->in[1], &c)) return NULL;
  return near(mul ? c : 1 / c, factor) ? n->in[0] : NULL;
}

/* v = (result) + 1 */
static tsr_ir_value *plus_one(formula *f, const tsr_ir_value *v) {
  double c;
  tsr_ir_node *n = take(f, v);
  if (!tsr_ir_is_form(n, "aten::add", "Tensor", 3) && !tsr_ir_is_form(n, "aten::add", "Scalar", 3)) return NULL;
  return tsr_ir_is_int(n->in[2], 1) && tsr_ir_number_of(n->in[1], &c) && c == 1 ? n->in[0] : NULL;
}

/* v = x + 0.044715 x^3 */
static bool is_cubic(formula *f, const tsr_ir_value *v) {
  double c;
  tsr_ir_node *add = take(f, v);
  if (!tsr_ir_is_form(add, "aten::add", "Tensor", 3) || !tsr_ir_is_int(add->in[2], 1)) return false;
  uint32_t other = add->in[0] == f->x ? 1 : 0;
  tsr_ir_value *cube = add->in[1 - other] == f->x ? times(f, add->in[other], 0.044715) : NULL;
  tsr_ir_node *pow = cube != NULL ? take(f, cube) : NULL;
  if (!tsr_ir_is_form(pow, "aten::pow", "Tensor_Scalar", 2) || pow->in[0] != f->x) return false;
  f->power = pow->in[1];
  return tsr_ir_number_of(f->power, &c) && c == 3;
}

/* end = (x * 0.5) * (1 + erf or tanh of …), the factors in either order; *tanh_form: which */
static bool read_formula(formula *f, uint32_t half, bool *tanh_form) {
  f->count = 0;
  f->power = NULL;
  f->x = times(f, f->end->in[half], 0.5);
  tsr_ir_value *t = f->x != NULL ? plus_one(f, f->end->in[1 - half]) : NULL;
  tsr_ir_node *n = t != NULL ? take(f, t) : NULL;
  *tanh_form = tsr_ir_is_form(n, "aten::tanh", "", 1);
  if (*tanh_form) {
    tsr_ir_value *u = times(f, n->in[0], 0.7978845608028654);
    return u != NULL && is_cubic(f, u);
  }
  return tsr_ir_is_form(n, "aten::erf", "", 1) && times(f, n->in[0], 0.7071067811865476) == f->x;
}

static tsr_status visit(tsr_fuser *u, tsr_ir_node *n) {
  formula f = {.end = n};
  bool tanh_form = false;
  if (!tsr_ir_is_form(n, "aten::mul", "Tensor", 2) || (!read_formula(&f, 0, &tanh_form) && !read_formula(&f, 1, &tanh_form))) return TSR_OK;
  for (uint32_t i = 0; i < f.count; i++)
    if (!tsr_ir_may_delay(f.nodes[i], n)) return TSR_OK;
  TSR_TRY(tsr_pass_schema(u->env, "tsr::gelu", &u->schema));
  if (f.power == NULL) f.power = tsr_ir_insert_const(u->fn, n, tsr_int(3), &tsr_type_int, 0);
  tsr_ir_value *in[] = {f.x, tsr_ir_insert_const(u->fn, n, tsr_bool(tanh_form), &tsr_type_bool, 0), f.power};
  tsr_ir_value *out = tsr_ir_insert_op(u->fn, n, n->loc, u->schema, in, TSR_COUNT(in));
  if (out == NULL || !tsr_subst_remove(&u->subst, n, &out)) return tsr_fail_nomem(u->env->e);
  for (uint32_t i = 0; i < f.count; i++) tsr_ir_remove(f.nodes[i]);
  u->changed = true;
  return TSR_OK;
}

tsr_status tsr_pass_gelu(tsr_pass_env *env, tsr_ir_fn *fn, bool *changed) { return tsr_fuser_run(env, fn, visit, NULL, changed); }
