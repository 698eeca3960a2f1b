/* Setting up elementwise calls: operands, common dtype, refusals, result.  The rows are in the family
 * files (unary.c, binary.c, activation.c, compare.c …). */
#include "ops/pointwise.h"

#include <math.h>
#include <stdio.h>

const char *tsr_op_short_name(const tsr_op *op, char *buf, size_t cap) {
  const char *s = op->schema; /* a loop of its own: every call of an elementwise operator wants the name */
  while (*s != 0 && *s != ':') s++;
  s = *s == ':' ? s + 2 : op->schema;
  size_t n = 0;
  while (s[n] != 0 && s[n] != '.' && s[n] != '(') n++;
  if (n > 1 && s[n - 1] == '_' && s[0] != '_') n--;
  if (n >= cap) n = cap - 1;
  memcpy(buf, s, n);
  buf[n] = 0;
  return buf;
}

tsr_status tsr_not_implemented(tsr_ctx *ctx, const char *kernel, tsr_dtype d) {
  const tsr_dtype_info *info = tsr_dtype_get_info((int)d);
  return tsr_op_fail(ctx, "\"%s\" not implemented for '%s'", kernel, info ? info->cpp_name : "?");
}

tsr_status tsr_check_result_cast(tsr_ctx *ctx, tsr_dtype from, tsr_dtype to) {
  if (tsr_dtype_can_cast(from, to)) return TSR_OK;
  return tsr_op_fail(ctx, "result type %s can't be cast to the desired output type %s", tsr_dtype_get_info((int)from)->cpp_name,
                     tsr_dtype_get_info((int)to)->cpp_name);
}

/* Integers may wrap into unsigned types; floats must lie within the range, NaN and infinity need a type that has them. */
static bool fits(tsr_scalar s, tsr_dtype d) {
  double top = tsr_dtype_max(d), x = s.tag == TSR_V_COMPLEX ? s.z.re : s.d;
  if (d == TSR_BOOL) return true;
  if (tsr_dtype_is_complex(d) || isinf(top)) return true;
  if (s.tag == TSR_V_COMPLEX && s.z.im != 0) return false;
  if (tsr_dtype_is_float(d)) return x != x || isinf(x) || (x >= -top && x <= top);
  if (d == TSR_UINT8) return x >= (s.tag == TSR_V_INT ? -top : 0) && x <= top;
  return x >= -top - 1 && x <= top;
}

tsr_status tsr_check_scalar_fits(tsr_ctx *ctx, tsr_scalar s, tsr_dtype d) {
  static const char *const names[] = {[TSR_UINT8] = "uint8_t", [TSR_INT8] = "int8_t", [TSR_INT16] = "int16_t", [TSR_INT32] = "int", [TSR_INT64] = "int64_t",
                                      [TSR_FLOAT16] = "c10::Half", [TSR_FLOAT32] = "float", [TSR_FLOAT64] = "double", [TSR_BOOL] = "bool", [TSR_BFLOAT16] = "c10::BFloat16"};
  if (fits(s, d)) return TSR_OK;
  return tsr_op_fail(ctx, "value cannot be converted to type %s without overflow", (size_t)d < TSR_COUNT(names) && names[d] ? names[d] : tsr_dtype_name(d));
}

void tsr_pw_begin(tsr_pw_state *s, tsr_ctx *ctx, tsr_tensor *out) {
  tsr_iter_init(&s->it, ctx);
  tsr_iter_add_out(&s->it, out, TSR_FLOAT32);
  memset(&s->p, 0, sizeof s->p);
  s->p.bits = 64;
  s->pw = NULL;
  s->name = "";
  s->call = NULL;
  s->common = TSR_FLOAT32;
}

void tsr_pw_operand(tsr_pw_state *s, tsr_val v) {
  if (v.tag == TSR_V_TENSOR) tsr_iter_add_in(&s->it, v.t);
  else tsr_iter_add_scalar(&s->it, tsr_scalar_of(v));
}

void tsr_pw_swap(tsr_pw_state *s, int a, int b) {
  tsr_iter_operand *x = &s->it.op[a], *y = &s->it.op[b];
  tsr_iter_operand t; /* without step[], which is not filled yet */
  t.t = x->t, t.dtype = x->dtype, t.wrapped = x->wrapped;
  memcpy(t.value, x->value, sizeof t.value);
  x->t = y->t, x->dtype = y->dtype, x->wrapped = y->wrapped;
  memcpy(x->value, y->value, sizeof t.value);
  y->t = t.t, y->dtype = t.dtype, y->wrapped = t.wrapped;
  memcpy(y->value, t.value, sizeof t.value);
}

static uint32_t class_of(tsr_dtype d) {
  switch (tsr_dtype_category(d)) {
  case TSR_CAT_BOOL: return TSR_NO_BOOL;
  case TSR_CAT_INT: return TSR_NO_INT;
  case TSR_CAT_FLOAT: return d == TSR_FLOAT16 || d == TSR_BFLOAT16 ? TSR_NO_FLOAT | TSR_NO_HALF : TSR_NO_FLOAT;
  case TSR_CAT_COMPLEX: return TSR_NO_COMPLEX;
  default: return 0;
  }
}

/* Refusals that come before anything else is looked at. */
static tsr_status refuse_early(tsr_ctx *ctx, const tsr_pw *pw, const char *name, tsr_dtype common) {
  uint32_t c = class_of(common) & pw->refuse;
  if (class_of(common) == 0) return tsr_fail(&ctx->err, TSR_EUNSUPPORTED, "%s is not available for tensors of %s", name, tsr_dtype_name(common));
  if ((c & TSR_NO_BOOL) && pw->no_bool) return tsr_op_fail(ctx, "%s", pw->no_bool);
  if ((c & TSR_NO_COMPLEX) && pw->no_complex) return tsr_op_fail(ctx, "%s", pw->no_complex);
  return TSR_OK;
}

/* Those of the kernel itself, after shapes and result type are settled. */
static tsr_status refuse_late(tsr_ctx *ctx, const tsr_pw *pw, const char *name, tsr_dtype common) {
  char buf[96];
  if ((class_of(common) & pw->refuse) == 0) return TSR_OK;
  snprintf(buf, sizeof buf, "%s_cpu", name);
  return tsr_not_implemented(ctx, pw->kernel ? pw->kernel : buf, common);
}

tsr_status tsr_pw_refuse(tsr_ctx *ctx, const tsr_pw *pw, const char *name, tsr_dtype common) {
  TSR_TRY(refuse_early(ctx, pw, name, common));
  return refuse_late(ctx, pw, name, common);
}

static tsr_dtype result_dtype(tsr_map_id id, tsr_dtype common) {
  switch (tsr_map_out_kind(id)) {
  case TSR_MAP_OUT_B: return TSR_BOOL;
  case TSR_MAP_OUT_M: return tsr_dtype_real_of(common);
  case TSR_MAP_OUT_Z: return tsr_dtype_complex_of(common);
  default: return common;
  }
}

/* PyTorch's iterator writes into the out argument itself. */
static tsr_status check_out_overlap(tsr_pw_state *s) {
  const tsr_call *c = s->call;
  if (c->outs[0].tag != TSR_V_TENSOR || (c->op->flags & TSR_OUT_PLAIN) == TSR_OUT_PLAIN) return TSR_OK;
  TSR_TRY(tsr_check_no_internal_overlap(c->ctx, c->outs[0].t));
  for (int i = s->it.nout; i < s->it.count; i++)
    if (s->it.op[i].t) TSR_TRY(tsr_check_no_partial_overlap(c->ctx, c->outs[0].t, s->it.op[i].t));
  return TSR_OK;
}

tsr_status tsr_pw_finish(tsr_pw_state *s) {
  tsr_iter_operand *out = &s->it.op[0];
  int error = 0;
  tsr_dtype d = result_dtype(s->id, s->common);
  if (s->pw) TSR_TRY(refuse_early(s->it.ctx, s->pw, s->name, s->common));
  bool outs = s->call && s->call->outs;
  if (outs) TSR_TRY(check_out_overlap(s));
  if (out->t || outs || (s->pw && s->pw->refuse)) TSR_TRY(tsr_iter_check(&s->it));
  if (outs) TSR_TRY(tsr_out_expect(s->call, 0, d));
  if (out->t) TSR_TRY(tsr_check_result_cast(s->it.ctx, d, (tsr_dtype)out->t->dtype));
  else out->dtype = d;
  if (s->pw && s->pw->refuse) TSR_TRY(refuse_late(s->it.ctx, s->pw, s->name, s->common));
  s->it.promoted = (int)s->common;
  TSR_TRY(tsr_iter_plan(&s->it));
  s->p.error = &error;
  s->p.bits = 8 * (int)tsr_dtype_size(s->common);
  TSR_TRY(tsr_map_run(&s->it, s->id, s->common, &s->p));
  return error ? tsr_op_fail(s->it.ctx, "ZeroDivisionError") : TSR_OK;
}

/* A buffer the result may take over: an operand that the caller will not look at again. */
static void offer_moved(tsr_call *c, tsr_pw_state *s, uint32_t arg, int operand) {
  tsr_tensor *t = c->args[arg].t;
  if ((c->moved >> arg & 1) == 0 || !tsr_obj_is_unique(t) || !tsr_obj_is_unique(t->storage) || !t->storage->owned) return;
  if (t->wrapped_number || t->requires_grad || t->quant || !tsr_tensor_is_dense(t)) return;
  tsr_iter_offer(&s->it, operand);
}

static tsr_status collect(tsr_call *c, const tsr_pw *pw, tsr_pw_state *s) {
  int params = 0;
  for (uint32_t i = 0; i < c->nargs && pw->plan[i]; i++) {
    if (pw->plan[i] == 'o') {
      tsr_pw_operand(s, c->args[i]);
      if (c->args[i].tag == TSR_V_TENSOR) offer_moved(c, s, i, s->it.count - 1);
    } else if (pw->plan[i] == 'p') {
      if (!tsr_arg_is_none(c, i)) tsr_map_set_param(&s->p, params, tsr_arg_scalar(c, i));
      params++;
    }
  }
  s->id = pw->id;
  s->common = tsr_iter_result_type(&s->it);
  if (pw->promo == TSR_PROMO_FLOAT && tsr_dtype_is_integral(s->common, true)) s->common = TSR_FLOAT32;
  return pw->prepare ? pw->prepare(c, s) : TSR_OK;
}

static tsr_status run(tsr_call *c, tsr_tensor *out) {
  const tsr_pw *pw = c->op->data;
  char name[80];
  tsr_pw_state s;
  tsr_pw_begin(&s, c->ctx, out);
  TSR_TRY(collect(c, pw, &s));
  s.pw = pw;
  s.name = tsr_op_short_name(c->op, name, sizeof name);
  s.call = c;
  TSR_TRY(tsr_pw_finish(&s));
  return tsr_ret_tensor(c, 0, tsr_iter_out(&s.it, 0));
}

tsr_status tsr_pw_call(tsr_call *c) { return run(c, NULL); }
tsr_status tsr_pw_inplace(tsr_call *c) { return run(c, tsr_arg_tensor(c, 0)); }

/* ---- for other families ---- */

static tsr_status invoke1(tsr_ctx *ctx, tsr_tensor **out, const char *op, const char *const *overloads, tsr_val *args, uint32_t n) {
  char name[64];
  snprintf(name, sizeof name, "aten::%s", op);
  const tsr_op *row = NULL;
  for (; *overloads && row == NULL; overloads++) row = tsr_op_get(name, *overloads);
  if (row == NULL) return tsr_fail(&ctx->err, TSR_EINTERNAL, "no operator %s", name);
  tsr_val ret, full[3] = {args[0], n > 1 ? args[1] : tsr_none(), tsr_int(1)};
  if (strcmp(op, "add") == 0 || strcmp(op, "sub") == 0 || strcmp(op, "rsub") == 0) n = 3; /* alpha */
  TSR_TRY(tsr_invoke(ctx, row, full, n, &ret, 1));
  *out = ret.t;
  return TSR_OK;
}

static tsr_val borrow(tsr_tensor *t) { return tsr_from_obj(t); }

tsr_status tsr_unary(tsr_ctx *ctx, tsr_tensor **out, const char *op, tsr_tensor *x) {
  static const char *const overloads[] = {"", NULL};
  tsr_val v = borrow(x);
  return invoke1(ctx, out, op, overloads, &v, 1);
}

tsr_status tsr_binary(tsr_ctx *ctx, tsr_tensor **out, const char *op, tsr_tensor *a, tsr_tensor *b) {
  static const char *const overloads[] = {"Tensor", "", "Tensor_Tensor", NULL};
  tsr_val v[2] = {borrow(a), borrow(b)};
  return invoke1(ctx, out, op, overloads, v, 2);
}

tsr_status tsr_binary_scalar(tsr_ctx *ctx, tsr_tensor **out, const char *op, tsr_tensor *a, tsr_scalar b) {
  static const char *const overloads[] = {"Scalar", "Tensor_Scalar", NULL};
  tsr_val v[2] = {borrow(a), b.tag == TSR_V_FLOAT ? tsr_float(b.d) : b.tag == TSR_V_BOOL ? tsr_bool(b.i != 0) : tsr_int(b.i)};
  if (b.tag == TSR_V_COMPLEX) {
    tsr_complex *z = tsr_complex_new(ctx->mem, b.z.re, b.z.im);
    if (z == NULL) return tsr_ctx_nomem(ctx);
    v[1] = tsr_from_obj(z);
    TSR_TRY(tsr_temp(ctx, v[1]));
  }
  return invoke1(ctx, out, op, overloads, v, 2);
}

tsr_status tsr_where(tsr_ctx *ctx, tsr_tensor **out, tsr_tensor *cond, tsr_tensor *a, tsr_tensor *b) {
  tsr_val v[3] = {borrow(cond), borrow(a), borrow(b)}, ret;
  TSR_TRY(tsr_invoke(ctx, tsr_op_get("aten::where", "self"), v, 3, &ret, 1));
  *out = ret.t;
  return TSR_OK;
}
