/* A linear layer or convolution whose only user adds a tensor to it, applies an activation, or both,
 * becomes one operator with an epilogue. */
#include "interp/pass_util.h"

#include <stdlib.h>

#include "ops/gemm.h"

typedef struct fuser {
  tsr_pass_env *env;
  tsr_ir_fn *fn;
  tsr_subst subst;
  const tsr_schema *linear, *conv; /* tsr::linear_act, tsr::conv_act; NULL until needed */
  bool changed;
} fuser;

/* ---- activations ---- */

typedef struct act_row { const char *name; uint8_t act; uint8_t params; } act_row;

static const act_row acts[] = {
    {"aten::relu", TSR_ACT_RELU, 0}, {"aten::relu6", TSR_ACT_RELU6, 0}, {"aten::silu", TSR_ACT_SILU, 0},
    {"aten::hardswish", TSR_ACT_HARDSWISH, 0}, {"aten::sigmoid", TSR_ACT_SIGMOID, 0}, {"aten::hardsigmoid", TSR_ACT_HARDSIGMOID, 0},
    {"aten::tanh", TSR_ACT_TANH, 0}, {"aten::mish", TSR_ACT_MISH, 0}, {"aten::leaky_relu", TSR_ACT_LEAKY, 1},
    {"aten::hardtanh", TSR_ACT_CLAMP, 2}, {"aten::clamp", TSR_ACT_CLAMP, 2}, {"aten::gelu", TSR_ACT_GELU, 0}, {"aten::elu", TSR_ACT_ELU, 1},
};

typedef struct activation { int act; double p[2]; } activation;

static bool const_number(const tsr_ir_value *v, double *out) {
  tsr_val c;
  if (!tsr_ir_const_of(v, &c) || (c.tag != TSR_V_INT && c.tag != TSR_V_FLOAT)) return false;
  *out = c.tag == TSR_V_INT ? (double)c.i : c.d;
  return true;
}

/* In place or not: nobody else sees the operand. */
static bool names_act(const char *op, const char *name) {
  size_t n = strlen(name);
  return strncmp(op, name, n) == 0 && (op[n] == 0 || (op[n] == '_' && op[n + 1] == 0));
}

static bool read_act(const tsr_ir_node *n, activation *out) {
  double one;
  tsr_val how;
  const act_row *row = NULL;
  if (n->kind != TSR_IR_OP || n->schema == NULL || n->schema->overload[0] != 0 || n->nin == 0) return false;
  for (size_t i = 0; i < TSR_COUNT(acts) && row == NULL; i++)
    if (names_act(n->schema->name, acts[i].name)) row = &acts[i];
  tsr_val tanh_form;
  if (tsr_ir_is_op(n, "tsr::gelu") && tsr_ir_const_of(n->in[1], &tanh_form)) {
    *out = (activation){tanh_form.b ? TSR_ACT_GELU_TANH : TSR_ACT_GELU, {0, 0}};
    return true;
  }
  if (row == NULL || n->nin < 1u + row->params) return false;
  *out = (activation){row->act, {0, 0}};
  for (uint32_t i = 0; i < row->params; i++)
    if (!const_number(n->in[1 + i], &out->p[i])) return false;
  switch (row->act) {
    case TSR_ACT_ELU: return n->nin == 4 && const_number(n->in[2], &one) && one == 1 && const_number(n->in[3], &one) && one == 1;
    case TSR_ACT_GELU:
      if (n->nin < 2) return true;
      if (!tsr_ir_const_of(n->in[1], &how) || how.tag != TSR_V_STR) return false;
      if (strcmp(how.s->bytes, "tanh") == 0) out->act = TSR_ACT_GELU_TANH;
      return true;
    default: return n->nin == 1u + row->params;
  }
}

bool tsr_ir_act_of(const tsr_ir_node *n, int *act, double p[2]) {
  activation a;
  if (!read_act(n, &a)) return false;
  *act = a.act;
  memcpy(p, a.p, sizeof a.p);
  return true;
}

static bool takes_act(const fuser *f, const tsr_ir_node *n, activation *out) {
  return tsr_pass_is_on(f->env, "fuse-activation") && read_act(n, out);
}

/* ---- producers ---- */

typedef enum product_kind { NOT_PRODUCT, LINEAR, CONV, CONV_LONG } product_kind;

static product_kind product_of(const tsr_ir_node *n) {
  tsr_val transposed;
  if (n == NULL || n->kind != TSR_IR_OP || n->schema == NULL || n->nout != 1) return NOT_PRODUCT;
  if (tsr_ir_is_op(n, "aten::linear")) return n->nin == 3 ? LINEAR : NOT_PRODUCT;
  bool conv = tsr_ir_is_op(n, "aten::conv1d") || tsr_ir_is_op(n, "aten::conv2d") || tsr_ir_is_op(n, "aten::conv3d");
  if (conv) return n->schema->overload[0] == 0 && n->nin == 7 ? CONV : NOT_PRODUCT;
  if (tsr_ir_is_op(n, "aten::_convolution") && n->nin >= 9 && tsr_ir_const_of(n->in[6], &transposed) && transposed.tag == TSR_V_BOOL && !transposed.b)
    return CONV_LONG;
  return NOT_PRODUCT;
}

/* The product that v is, when v is used here only. */
static tsr_ir_node *sole_product(const tsr_ir_node *user, tsr_ir_value *v) {
  return v->uses == 1 && product_of(v->def) != NOT_PRODUCT && v->def->parent == user->parent ? v->def : NULL;
}

/* Nothing between the two (same block) writes, so the product may be computed later. */
static bool may_delay(const tsr_ir_node *product, const tsr_ir_node *until) {
  for (const tsr_ir_node *n = product->next; n != NULL && n != until; n = n->next)
    if (tsr_ir_writes(n)) return false;
  return true;
}

/* product + other, alpha 1: *residual is the other operand. */
static tsr_ir_node *added_product(const fuser *f, const tsr_ir_node *add, tsr_ir_value **residual) {
  double alpha;
  if (!tsr_pass_is_on(f->env, "fuse-residual")) return NULL;
  if (!tsr_ir_is_op(add, "aten::add") && !tsr_ir_is_op(add, "aten::add_")) return NULL;
  if (strcmp(add->schema->overload, "Tensor") != 0 || add->nin != 3 || !const_number(add->in[2], &alpha) || alpha != 1) return NULL;
  bool in_place = tsr_ir_is_op(add, "aten::add_");
  for (uint32_t i = 0; i < (in_place ? 1u : 2u); i++) {
    tsr_ir_node *p = sole_product(add, add->in[i]);
    *residual = add->in[1 - i];
    if (p != NULL && (*residual)->type->kind == TSR_T_TENSOR && may_delay(p, add)) return p;
  }
  return NULL;
}

/* ---- building ---- */

static tsr_status build(fuser *f, const tsr_ir_node *p, tsr_ir_node *at, tsr_ir_value *residual, const activation *a, tsr_ir_value **out) {
  static const uint8_t conv_args[] = {0, 1, 2, 3, 4, 5, 6}, long_args[] = {0, 1, 2, 3, 4, 5, 8}, linear_args[] = {0, 1, 2};
  product_kind kind = product_of(p);
  const uint8_t *args = kind == LINEAR ? linear_args : kind == CONV ? conv_args : long_args;
  uint32_t n = kind == LINEAR ? 3 : 7;
  TSR_TRY(kind == LINEAR ? tsr_pass_schema(f->env, "tsr::linear_act", &f->linear) : tsr_pass_schema(f->env, "tsr::conv_act", &f->conv));
  tsr_ir_value *act = tsr_ir_insert_const(f->fn, at, tsr_int(a->act), &tsr_type_int, 0);
  tsr_ir_value *p0 = tsr_ir_insert_const(f->fn, at, tsr_float(a->p[0]), &tsr_type_float, 0);
  tsr_ir_value *p1 = tsr_ir_insert_const(f->fn, at, tsr_float(a->p[1]), &tsr_type_float, 0);
  if (residual == NULL) residual = tsr_ir_insert_const(f->fn, at, tsr_none(), &tsr_type_none, 0);
  tsr_ir_node *fused = tsr_ir_node_new(f->fn, TSR_IR_OP, n + 4, 1, 0, p->loc);
  if (act == NULL || p0 == NULL || p1 == NULL || residual == NULL || fused == NULL) return tsr_fail_nomem(f->env->e);
  fused->schema = kind == LINEAR ? f->linear : f->conv;
  for (uint32_t i = 0; i < n; i++) tsr_ir_set_input(fused, i, p->in[args[i]]);
  tsr_ir_value *rest[] = {residual, act, p0, p1};
  for (uint32_t i = 0; i < 4; i++) tsr_ir_set_input(fused, n + i, rest[i]);
  tsr_ir_insert_before(fused, at);
  *out = tsr_ir_add_output(f->fn, fused, &tsr_type_tensor, NULL);
  return *out != NULL ? TSR_OK : tsr_fail_nomem(f->env->e);
}

/* The chain ends at `last`, which becomes the fused value; what came before is dead. */
static tsr_status replace(fuser *f, tsr_ir_node *p, tsr_ir_node *at, tsr_ir_value *residual, const activation *a, tsr_ir_node *add, tsr_ir_node *last) {
  tsr_ir_value *v = NULL;
  TSR_TRY(build(f, p, at, residual, a, &v));
  if (!tsr_subst_remove(&f->subst, last, &v)) return tsr_fail_nomem(f->env->e);
  if (add != NULL && add != last) tsr_ir_remove(add);
  tsr_ir_remove(p);
  f->changed = true;
  return TSR_OK;
}

/* n as the end of a chain: act(product), act(product + r) or product + r. */
static tsr_status visit(fuser *f, tsr_ir_node *n) {
  activation a = {TSR_ACT_NONE, {0, 0}};
  tsr_ir_value *residual = NULL;
  tsr_ir_node *add = n, *p;
  if (takes_act(f, n, &a)) {
    p = sole_product(n, n->in[0]);
    if (p != NULL) return replace(f, p, p, NULL, &a, NULL, n);
    add = n->in[0]->uses == 1 && n->in[0]->def != NULL && n->in[0]->def->parent == n->parent ? n->in[0]->def : NULL;
    p = add != NULL ? added_product(f, add, &residual) : NULL;
    return p != NULL ? replace(f, p, add, residual, &a, add, n) : TSR_OK;
  }
  tsr_ir_node *user = n->next; /* leave the sum to the activation that follows it */
  p = added_product(f, n, &residual);
  if (p == NULL) return TSR_OK;
  for (; user != NULL && n->out[0]->uses == 1; user = user->next)
    if (user->nin > 0 && user->in[0] == n->out[0] && takes_act(f, user, &a)) return TSR_OK;
  a = (activation){TSR_ACT_NONE, {0, 0}};
  return replace(f, p, n, residual, &a, n, n);
}

static tsr_status walk(fuser *f, tsr_ir_block *b) {
  for (tsr_ir_node *n = b->first, *next; n != NULL; n = next) {
    next = n->next;
    tsr_subst_node(&f->subst, n);
    if (n->kind == TSR_IR_OP) TSR_TRY(visit(f, n));
    else for (uint32_t k = 0; k < n->nblocks; k++) TSR_TRY(walk(f, n->blocks[k]));
  }
  tsr_subst_rets(&f->subst, b);
  return TSR_OK;
}

tsr_status tsr_pass_fuse(tsr_pass_env *env, tsr_ir_fn *fn, bool *changed) {
  fuser f = {.env = env, .fn = fn};
  tsr_status s = walk(&f, fn->body);
  free(f.subst.to);
  *changed |= f.changed;
  return s;
}
