/* The _foreach_ operators: one operator over the tensors of lists, element by element.
 *
 * A row names the operator that is run.  Which of the row's arguments are lists follows from the values: a list's
 * k-th item goes to the k-th call.  In-place rows (name ends in '_') and rows with a list `out` store the results. */
#include "ops/native.h"

typedef struct each {
  const char *name, *overload;
  int extra;     /* how many arguments of `name` the row lacks; they take the value 1 (alpha) or None */
  bool none;     /* … None */
} each;

typedef struct lists { /* a call, seen as lists */
  int64_t n;           /* how many tensors */
  uint32_t nargs;      /* of the row, without out */
  tsr_list *out;       /* where results go; NULL: they are returned */
  bool fresh;          /* out is an argument of that name: resized when the shape differs */
} lists;

static tsr_status check_lengths(tsr_call *c, lists *l) {
  tsr_ctx *ctx = c->ctx;
  l->n = -1;
  for (uint32_t i = 0; i < l->nargs; i++) {
    if (c->args[i].tag != TSR_V_LIST) continue;
    int64_t len = (int64_t)c->args[i].l->len;
    if (l->n < 0) {
      l->n = len;
      if (len == 0) return tsr_op_fail(ctx, "Tensor list must have at least one tensor.");
    } else if (len != l->n && len > 0 && c->args[i].l->items[0].tag != TSR_V_TENSOR) {
      return tsr_op_fail(ctx, "Tensor list must have same number of elements as scalar list.");
    } else if (len != l->n) {
      return tsr_op_fail(ctx, "Tensor lists must have the same number of tensors, got %lld and %lld", (long long)l->n, (long long)len);
    }
  }
  return l->n < 0 ? tsr_op_fail(ctx, "Tensor list must have at least one tensor.") : TSR_OK;
}

/* The numbers of a tensor of numbers, as a list that is one of the arguments. */
static tsr_status unpack_scalars(tsr_call *c, uint32_t i, int64_t n, tsr_val **items) {
  tsr_tensor *t = tsr_arg_tensor(c, i);
  if (t->ndim != 1) return tsr_op_fail(c->ctx, "Expected packed scalar Tensor to be of dimension 1. Got %d instead.", t->ndim);
  if (t->numel != n) return tsr_op_fail(c->ctx, "Expected length of scalars to match input of length %lld but got %lld instead.", (long long)n, (long long)t->numel);
  *items = tsr_scratch(c->ctx, ((size_t)n + 1) * sizeof **items);
  if (*items == NULL) return c->ctx->err.status;
  for (int64_t k = 0; k < n; k++) {
    (*items)[k] = tsr_tensor_get(c->ctx->mem, t, k);
    TSR_TRY(tsr_temp(c->ctx, (*items)[k]));
  }
  return TSR_OK;
}

static tsr_status store(tsr_ctx *ctx, tsr_val out, tsr_tensor *y, bool fresh) {
  if (out.tag != TSR_V_TENSOR) return tsr_op_fail(ctx, "Tensor list must hold tensors");
  if (fresh) return tsr_out_store(ctx, out.t, y);
  if (!tsr_dtype_can_cast((tsr_dtype)y->dtype, (tsr_dtype)out.t->dtype)) {
    return tsr_op_fail(ctx, "result type %s can't be cast to the desired output type %s", tsr_dtype_get_info(y->dtype)->cpp_name, tsr_dtype_get_info(out.t->dtype)->cpp_name);
  }
  if (!tsr_tensor_same_size(y, out.t)) {
    char got[256], want[256];
    tsr_sizes_print(got, sizeof got, out.t->ndim, out.t->size);
    tsr_sizes_print(want, sizeof want, y->ndim, y->size);
    return tsr_op_fail(ctx, "output with shape %s doesn't match the broadcast shape %s", got, want);
  }
  return y == out.t ? TSR_OK : tsr_copy_into(ctx, out.t, y);
}

static tsr_status run_each(tsr_call *c, const lists *l, tsr_val *packed, uint32_t packed_at) {
  const each *e = c->op->data;
  const tsr_op *op = tsr_op_get(e->name, e->overload);
  tsr_tensor **ys = tsr_scratch(c->ctx, ((size_t)l->n + 1) * sizeof *ys);
  if (ys == NULL) return c->ctx->err.status;
  for (int64_t k = 0; k < l->n; k++) {
    tsr_val args[8], ret;
    uint32_t n = 0;
    for (; n < l->nargs; n++) {
      tsr_val v = c->args[n];
      args[n] = packed != NULL && n == packed_at ? packed[k] : v.tag == TSR_V_LIST ? v.l->items[k] : v;
    }
    for (int i = 0; i < e->extra; i++) args[n++] = e->none ? tsr_none() : tsr_int(1);
    TSR_TRY(tsr_invoke(c->ctx, op, args, n, &ret, 1));
    ys[k] = ret.t;
    if (l->out != NULL) TSR_TRY(store(c->ctx, l->out->items[k], ret.t, l->fresh));
  }
  return l->out != NULL ? TSR_OK : tsr_ret_tensors(c, 0, ys, l->n);
}

static tsr_status start(tsr_call *c, lists *l) {
  size_t name = strcspn(c->op->schema, ".(");
  bool in_place = c->op->schema[name - 1] == '_';
  bool out = !in_place && c->nrets == 0;
  l->nargs = c->nargs - out;
  l->fresh = out;
  l->out = in_place ? tsr_arg_list(c, 0) : out ? tsr_arg_list(c, c->nargs - 1) : NULL;
  TSR_TRY(check_lengths(c, l));
  if (l->out != NULL && (int64_t)l->out->len != l->n) return tsr_op_fail(c->ctx, "Tensor lists must have the same number of tensors, got %lld and %zu", (long long)l->n, l->out->len);
  return TSR_OK;
}

TSR_KERNEL(each) {
  lists l;
  TSR_TRY(start(c, &l));
  const tsr_tensor *one = c->nargs > 1 && c->args[1].tag == TSR_V_TENSOR ? c->args[1].t : NULL;
  if (one != NULL && (one->ndim != 0 || one->numel != 1)) {
    return tsr_op_fail(c->ctx, "scalar tensor expected to be 0 dim but it has %d dimensions and %lld elements.", one->ndim, (long long)one->numel);
  }
  bool max = strcmp(((const struct each *)c->op->data)->name, "aten::max") == 0;
  for (int64_t i = 0; max && i < l.n; i++) {
    tsr_val x = c->args[0].l->items[i];
    if (x.tag == TSR_V_TENSOR && x.t->numel == 0) return tsr_op_fail(c->ctx, "_foreach_max cannot compute the maximum of an empty tensor; max over zero elements is undefined.");
  }
  return run_each(c, &l, NULL, 0);
}

/* The last argument is a tensor of numbers, one for each tensor. */
TSR_KERNEL(each_packed) {
  lists l;
  tsr_val *items;
  TSR_TRY(start(c, &l));
  TSR_TRY(unpack_scalars(c, l.nargs - 1, l.n, &items));
  return run_each(c, &l, items, l.nargs - 1);
}

static tsr_status norm_of(tsr_call *c, tsr_val x, tsr_tensor **y) {
  tsr_val args[] = {x, c->args[1], tsr_none(), tsr_bool(false), c->args[2]}, ret;
  TSR_TRY(tsr_invoke(c->ctx, tsr_op_get("aten::linalg_vector_norm", ""), args, 5, &ret, 1));
  *y = ret.t;
  return TSR_OK;
}

static tsr_status power_sum(tsr_call *c, tsr_tensor *x, tsr_tensor **y) {
  TSR_TRY(tsr_to_dtype(c->ctx, y, x, tsr_arg_dtype_or(c, 2, (tsr_dtype)x->dtype)));
  TSR_TRY(tsr_unary(c->ctx, y, "abs", *y));
  TSR_TRY(tsr_binary_scalar(c->ctx, y, "pow", *y, tsr_arg_scalar(c, 1)));
  return tsr_reduce(c->ctx, y, "sum", *y, -1, NULL, false, -1);
}

/* (tensors, ord, dtype): the norm, or the sum of powers, of each */
TSR_KERNEL(each_norm) {
  lists l;
  TSR_TRY(start(c, &l));
  tsr_tensor **ys = tsr_scratch(c->ctx, ((size_t)l.n + 1) * sizeof *ys);
  if (ys == NULL) return c->ctx->err.status;
  for (int64_t k = 0; k < l.n; k++) {
    TSR_TRY(c->op->data != NULL ? power_sum(c, c->args[0].l->items[k].t, &ys[k]) : norm_of(c, c->args[0].l->items[k], &ys[k]));
    if (l.out != NULL) TSR_TRY(store(c->ctx, l.out->items[k], ys[k], l.fresh));
  }
  return l.out != NULL ? TSR_OK : tsr_ret_tensors(c, 0, ys, l.n);
}

#define P TSR_PURE
#define OP(n, o, ...) &(const each){"aten::" n, o, __VA_ARGS__}
/* name, overload, arguments after self, kernel, what is run: the three forms of one overload */
#define FORMS(n, o, params, kernel, ...) \
  {"aten::_foreach_" n "." o "(Tensor[] self, " params ") -> Tensor[]", kernel, P, __VA_ARGS__}, \
  {"aten::_foreach_" n "_." o "(Tensor(a!)[] self, " params ") -> ()", kernel, 0, __VA_ARGS__}, \
  {"aten::_foreach_" n "." o "_out(Tensor[] self, " params ", *, Tensor(a!)[] out) -> ()", kernel, 0, __VA_ARGS__}
#define UNARY(n) \
  {"aten::_foreach_" #n "(Tensor[] self) -> Tensor[]", op_each, P, OP(#n, "", 0)}, \
  {"aten::_foreach_" #n "_(Tensor(a!)[] self) -> ()", op_each, 0, OP(#n, "", 0)}, \
  {"aten::_foreach_" #n ".out(Tensor[] self, *, Tensor(a!)[] out) -> ()", op_each, 0, OP(#n, "", 0)}
#define SCALARS(n, name, ...) \
  FORMS(n, "Scalar", "Scalar " name, op_each, __VA_ARGS__), \
  FORMS(n, "ScalarList", "Scalar[] " name "s", op_each, __VA_ARGS__)
/* with alpha: the keyword comes before out */
#define ALPHA(n, o, params, ...) \
  {"aten::_foreach_" n "." o "(Tensor[] self, " params ", *, Scalar alpha=1) -> Tensor[]", op_each, P, __VA_ARGS__}, \
  {"aten::_foreach_" n "_." o "(Tensor(a!)[] self, " params ", *, Scalar alpha=1) -> ()", op_each, 0, __VA_ARGS__}, \
  {"aten::_foreach_" n "." o "_out(Tensor[] self, " params ", *, Scalar alpha=1, Tensor(a!)[] out) -> ()", op_each, 0, __VA_ARGS__}

const tsr_op tsr_ops_foreach[] = {
    UNARY(abs), UNARY(acos), UNARY(asin), UNARY(atan), UNARY(ceil), UNARY(cos), UNARY(cosh), UNARY(erf), UNARY(erfc), UNARY(exp), UNARY(expm1),
    UNARY(floor), UNARY(frac), UNARY(lgamma), UNARY(log), UNARY(log10), UNARY(log1p), UNARY(log2), UNARY(neg), UNARY(reciprocal), UNARY(round),
    UNARY(rsqrt), UNARY(sigmoid), UNARY(sign), UNARY(sin), UNARY(sinh), UNARY(sqrt), UNARY(tan), UNARY(tanh), UNARY(trunc),
    SCALARS("add", "scalar", OP("add", "Scalar", 1)),
    ALPHA("add", "List", "Tensor[] other", OP("add", "Tensor", 0)),
    ALPHA("add", "Tensor", "Tensor other", OP("add", "Tensor", 0)),
    SCALARS("sub", "scalar", OP("sub", "Scalar", 1)),
    ALPHA("sub", "List", "Tensor[] other", OP("sub", "Tensor", 0)),
    SCALARS("mul", "scalar", OP("mul", "Scalar", 0)),
    FORMS("mul", "List", "Tensor[] other", op_each, OP("mul", "Tensor", 0)),
    FORMS("mul", "Tensor", "Tensor other", op_each, OP("mul", "Tensor", 0)),
    SCALARS("div", "scalar", OP("div", "Scalar", 0)),
    FORMS("div", "List", "Tensor[] other", op_each, OP("div", "Tensor", 0)),
    FORMS("div", "Tensor", "Tensor other", op_each, OP("div", "Tensor", 0)),
    SCALARS("clamp_min", "scalar", OP("clamp_min", "", 0)),
    FORMS("clamp_min", "List", "Tensor[] other", op_each, OP("clamp_min", "Tensor", 0)),
    SCALARS("clamp_max", "scalar", OP("clamp_max", "", 0)),
    FORMS("clamp_max", "List", "Tensor[] other", op_each, OP("clamp_max", "Tensor", 0)),
    SCALARS("maximum", "scalar", OP("clamp_min", "", 0)),
    FORMS("maximum", "List", "Tensor[] other", op_each, OP("maximum", "", 0)),
    SCALARS("minimum", "scalar", OP("clamp_max", "", 0)),
    FORMS("minimum", "List", "Tensor[] other", op_each, OP("minimum", "", 0)),
    FORMS("pow", "List", "Tensor[] exponent", op_each, OP("pow", "Tensor_Tensor", 0)),
    FORMS("pow", "Scalar", "Scalar exponent", op_each, OP("pow", "Tensor_Scalar", 0)),
    FORMS("pow", "ScalarList", "Scalar[] exponent", op_each, OP("pow", "Tensor_Scalar", 0)),
    {"aten::_foreach_pow.ScalarAndTensor(Scalar self, Tensor[] exponent) -> Tensor[]", op_each, P, OP("pow", "Scalar", 0)},
    FORMS("addcdiv", "Scalar", "Tensor[] tensor1, Tensor[] tensor2, Scalar value=1", op_each, OP("addcdiv", "", 0)),
    FORMS("addcdiv", "ScalarList", "Tensor[] tensor1, Tensor[] tensor2, Scalar[] scalars", op_each, OP("addcdiv", "", 0)),
    FORMS("addcdiv", "Tensor", "Tensor[] tensor1, Tensor[] tensor2, Tensor scalars", op_each_packed, OP("addcdiv", "", 0)),
    FORMS("addcmul", "Scalar", "Tensor[] tensor1, Tensor[] tensor2, Scalar value=1", op_each, OP("addcmul", "", 0)),
    FORMS("addcmul", "ScalarList", "Tensor[] tensor1, Tensor[] tensor2, Scalar[] scalars", op_each, OP("addcmul", "", 0)),
    FORMS("addcmul", "Tensor", "Tensor[] tensor1, Tensor[] tensor2, Tensor scalars", op_each_packed, OP("addcmul", "", 0)),
    FORMS("lerp", "List", "Tensor[] tensors1, Tensor[] weights", op_each, OP("lerp", "Tensor", 0)),
    FORMS("lerp", "Scalar", "Tensor[] tensors1, Scalar weight", op_each, OP("lerp", "Scalar", 0)),
    FORMS("lerp", "ScalarList", "Tensor[] tensors1, Scalar[] weight", op_each, OP("lerp", "Scalar", 0)),
    {"aten::_foreach_norm.Scalar(Tensor[] self, Scalar ord=2, ScalarType? dtype=None) -> Tensor[]", op_each_norm, P},
    {"aten::_foreach_norm.Scalar_out(Tensor[] self, Scalar ord=2, ScalarType? dtype=None, *, Tensor(a!)[] out) -> ()", op_each_norm, 0},
    {"aten::_foreach_powsum.Scalar(Tensor[] self, Scalar ord=2, ScalarType? dtype=None) -> Tensor[]", op_each_norm, P, "power"},
    {"aten::_foreach_powsum.Scalar_out(Tensor[] self, Scalar ord=2, ScalarType? dtype=None, *, Tensor(a!)[] out) -> ()", op_each_norm, 0, "power"},
    {"aten::_foreach_max(Tensor[] self) -> Tensor[]", op_each, P, OP("max", "", 0)},
    {"aten::_foreach_max.out(Tensor[] self, *, Tensor(a!)[] out) -> ()", op_each, 0, OP("max", "", 0)},
    {"aten::_foreach_mm(Tensor[] self, Tensor[] mat2) -> Tensor[]", op_each, P, OP("mm", "", 0)},
    {"aten::_foreach_clone(Tensor[] self, *, MemoryFormat? memory_format=None) -> Tensor[]", op_each, P, OP("clone", "", 0)},
    {"aten::_foreach_clone.out(Tensor[] self, *, MemoryFormat? memory_format=None, Tensor(a!)[] out) -> ()", op_each, 0, OP("clone", "", 0)},
    {"aten::_foreach_copy(Tensor[] self, Tensor[] src, bool non_blocking=False) -> Tensor[] self_out", op_each, P, OP("copy", "", 0)},
    {"aten::_foreach_copy_(Tensor(a!)[] self, Tensor[] src, bool non_blocking=False) -> ()", op_each, 0, OP("copy", "", 0)},
    {"aten::_foreach_copy.out(Tensor[] self, Tensor[] src, bool non_blocking=False, *, Tensor(a!)[] out) -> ()", op_each, 0, OP("copy", "", 0)},
    {"aten::_foreach_zero(Tensor[] self) -> Tensor[] self_out", op_each, P, OP("zeros_like", "", 5, true)},
    {"aten::_foreach_zero_(Tensor(a!)[] self) -> ()", op_each, 0, OP("zeros_like", "", 5, true)},
    {"aten::_foreach_zero.out(Tensor[] self, *, Tensor(a!)[] out) -> ()", op_each, 0, OP("zeros_like", "", 5, true)},
    {0},
};
