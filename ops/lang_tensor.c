/* Tensors as lists, and lists of tensors: tolist, and searching and sorting by the tensors' own comparison. */
#include "ops/native.h"

/* ---- tolist(tensor, dim, elem): elem 0 int, 1 float, 2 complex, 3 bool, as the compiler passes it ---- */

static tsr_status check_tolist(tsr_call *c, const tsr_tensor *t, int64_t dim, int64_t elem) {
  static const tsr_dtype wanted[] = {TSR_INT64, TSR_FLOAT32, TSR_COMPLEX64, TSR_BOOL};
  tsr_dtype have = (tsr_dtype)t->dtype;
  if (elem < 0 || elem > 3)
    return tsr_op_fail(c->ctx, "Unsupported element type for tolist; only int, float, complex and bool are supported");
  bool fits = elem == 1 ? tsr_dtype_is_float(have) : elem == 2 ? tsr_dtype_is_complex(have) : have == wanted[elem];
  if (!fits)
    return tsr_op_fail(c->ctx, "Output annotation element type and runtime tensor element type must match for tolist(): %s vs %s",
                       elem == 1 ? "Double" : elem == 2 ? "ComplexDouble" : tsr_dtype_get_info(wanted[elem])->cpp_name, tsr_dtype_get_info(have)->cpp_name);
  if (dim != t->ndim) return tsr_op_fail(c->ctx, "Output annotation list dimension and runtime tensor dimension must match for tolist()");
  return TSR_OK;
}

/* Lists of dimensions d … ndim; next counts elements in C order.  Owned; None when out of memory. */
static tsr_val nested(tsr_call *c, const tsr_tensor *t, int d, const tsr_type *const *types, int64_t *next) {
  if (d == t->ndim) return tsr_tensor_get(c->ctx->mem, t, (*next)++);
  tsr_list *l = tsr_list_new(c->ctx->mem, types[d], (size_t)t->size[d]);
  if (l == NULL) return tsr_none();
  for (int64_t i = 0; i < t->size[d]; i++) {
    tsr_val v = nested(c, t, d + 1, types, next);
    if (v.tag == TSR_V_NONE || !tsr_list_push_take(l, v)) {
      tsr_obj_release(l);
      return tsr_none();
    }
  }
  return tsr_from_obj(l);
}

TSR_KERNEL(tolist) {
  static const tsr_type *const elems[] = {&tsr_type_int, &tsr_type_float, &tsr_type_complex, &tsr_type_bool};
  const tsr_tensor *t = tsr_arg_tensor(c, 0);
  int64_t elem = tsr_arg_int(c, 2), next = 0;
  TSR_TRY(check_tolist(c, t, tsr_arg_int(c, 1), elem));
  const tsr_type *types[TSR_MAX_NDIM + 1]; /* element type of the list at each depth */
  types[t->ndim == 0 ? 0 : t->ndim - 1] = elems[elem];
  for (int d = t->ndim - 2; d >= 0; d--) {
    types[d] = c->ctx->types == NULL ? &tsr_type_any : tsr_type_list(c->ctx->types, types[d + 1]);
    if (types[d] == NULL) return tsr_ctx_nomem(c->ctx);
  }
  tsr_val v = nested(c, t, 0, types, &next);
  if (v.tag == TSR_V_NONE) return tsr_ctx_nomem(c->ctx);
  c->rets[0] = v;
  return TSR_OK;
}

/* ---- lists of tensors: "equal" is bool(a == b), which must have one element ---- */

static tsr_status holds(tsr_ctx *ctx, const char *op, tsr_val a, tsr_val b, bool *yes) {
  tsr_tensor *r;
  TSR_TRY(tsr_binary(ctx, &r, op, a.t, b.t));
  if (r->numel == 0) return tsr_op_fail(ctx, "Boolean value of Tensor with no values is ambiguous");
  if (r->numel > 1) return tsr_op_fail(ctx, "Boolean value of Tensor with more than one value is ambiguous");
  *yes = tsr_tensor_get(ctx->mem, r, 0).b;
  return TSR_OK;
}

/* *at: position of the first equal tensor, -1: none. */
static tsr_status find(tsr_call *c, int64_t *at) {
  const tsr_list *l = tsr_arg_list(c, 0);
  *at = -1;
  for (size_t i = 0; i < l->len && *at < 0; i++) {
    bool same;
    TSR_TRY(holds(c->ctx, "eq", l->items[i], c->args[1], &same));
    if (same) *at = (int64_t)i;
  }
  return TSR_OK;
}

TSR_KERNEL(index) {
  int64_t at;
  TSR_TRY(find(c, &at));
  if (at >= 0) return tsr_ret_int(c, at);
  tsr_buf text = {0};
  tsr_val_print(c->args[1], &text);
  tsr_status status = tsr_op_fail(c->ctx, "'%s' is not in list", text.data != NULL ? text.data : "");
  tsr_buf_dispose(&text);
  return status;
}

TSR_KERNEL(remove) {
  int64_t at;
  TSR_TRY(find(c, &at));
  if (at < 0) return tsr_op_fail(c->ctx, "list.remove(x): x not in list");
  tsr_list_erase(tsr_arg_list(c, 0), (size_t)at);
  return TSR_OK;
}

TSR_KERNEL(count) {
  const tsr_list *l = tsr_arg_list(c, 0);
  int64_t n = 0;
  for (size_t i = 0; i < l->len; i++) {
    bool same;
    TSR_TRY(holds(c->ctx, "eq", l->items[i], c->args[1], &same));
    n += same;
  }
  return tsr_ret_int(c, n);
}

static tsr_status lists_equal(tsr_call *c, bool *same) {
  const tsr_list *a = tsr_arg_list(c, 0), *b = tsr_arg_list(c, 1);
  *same = a->len == b->len;
  for (size_t i = 0; i < a->len && *same; i++) TSR_TRY(holds(c->ctx, "eq", a->items[i], b->items[i], same));
  return TSR_OK;
}

TSR_KERNEL(eq) {
  bool same;
  TSR_TRY(lists_equal(c, &same));
  return tsr_ret_bool(c, same);
}

TSR_KERNEL(ne) {
  bool same;
  TSR_TRY(lists_equal(c, &same));
  return tsr_ret_bool(c, !same);
}

/* Insertion keeps equal tensors in order and compares as few as a list of tensors needs. */
static tsr_status sort_items(tsr_call *c, tsr_val *items, size_t n, bool reverse) {
  for (size_t i = 1; i < n; i++) {
    TSR_TRY(tsr_ctx_poll(c->ctx, 1));
    for (size_t k = i; k > 0; k--) {
      bool before;
      TSR_TRY(holds(c->ctx, reverse ? "gt" : "lt", items[k], items[k - 1], &before));
      if (!before) break;
      tsr_val v = items[k];
      items[k] = items[k - 1];
      items[k - 1] = v;
    }
  }
  return TSR_OK;
}

TSR_KERNEL(sort) { return sort_items(c, tsr_arg_list(c, 0)->items, tsr_arg_list(c, 0)->len, tsr_arg_bool(c, 1)); }

TSR_KERNEL(sorted) {
  const tsr_list *l = tsr_arg_list(c, 0);
  tsr_list *r = tsr_list_new(c->ctx->mem, &tsr_type_tensor, l->len);
  if (r == NULL) return tsr_ctx_nomem(c->ctx);
  TSR_TRY(tsr_temp(c->ctx, tsr_from_obj(r)));
  for (size_t i = 0; i < l->len; i++)
    if (!tsr_list_push_take(r, tsr_retain(l->items[i]))) return tsr_ctx_nomem(c->ctx);
  TSR_TRY(sort_items(c, r->items, r->len, false));
  return tsr_ret(c, 0, tsr_from_obj(r));
}

/* ---- complex(a, b) where one is a tensor of one element ---- */

static tsr_status real_of(tsr_ctx *ctx, tsr_val v, double *out) {
  if (v.tag == TSR_V_TENSOR) {
    if (v.t->numel != 1) return tsr_op_fail(ctx, "a Tensor with %lld elements cannot be converted to Scalar", (long long)v.t->numel);
    v = tsr_tensor_get(ctx->mem, v.t, 0);
    if (v.tag == TSR_V_COMPLEX) TSR_TRY(tsr_temp(ctx, v));
  }
  *out = tsr_scalar_of(v).d;
  return TSR_OK;
}

TSR_KERNEL(complex_of) {
  double re, im;
  TSR_TRY(real_of(c->ctx, c->args[0], &re));
  TSR_TRY(real_of(c->ctx, c->args[1], &im));
  return tsr_ret_complex(c, re, im);
}

#define COMPLEX(name, a, b) {"aten::Complex." name "(" a ", " b ") -> complex", op_complex_of, TSR_PURE, NULL}

const tsr_op tsr_ops_lang_tensor[] = {
    COMPLEX("Tensor_Tensor", "Tensor a", "Tensor b"), COMPLEX("Tensor_float", "Tensor x", "float y"), COMPLEX("float_Tensor", "float x", "Tensor y"),
    COMPLEX("Tensor_int", "Tensor x", "int y"), COMPLEX("int_Tensor", "int x", "Tensor y"), COMPLEX("Tensor_bool", "Tensor x", "bool y"),
    COMPLEX("bool_Tensor", "bool x", "Tensor y"),
    {"prim::tolist(Tensor self, int dim, int elem) -> Any", op_tolist, TSR_PURE | TSR_NOOPT, NULL},
    {"aten::count.Tensor(Tensor[] self, Tensor el) -> int", op_count, TSR_PURE, NULL},
    {"aten::remove.Tensor(Tensor[](a!) self, Tensor el) -> ()", op_remove, 0, NULL},
    {"aten::index.list_Tensor(Tensor[] self, Tensor el) -> int", op_index, TSR_PURE, NULL},
    {"aten::sort.Tensor(Tensor[](a!) self, bool reverse=False) -> ()", op_sort, 0, NULL},
    {"aten::sorted.Tensor(Tensor[](a) input) -> Tensor[]", op_sorted, TSR_PURE | TSR_NOOPT, NULL},
    {"aten::eq.Tensor_list(Tensor[] a, Tensor[] b) -> bool", op_eq, TSR_PURE, NULL},
    {"aten::ne.Tensor_list(Tensor[] a, Tensor[] b) -> bool", op_ne, TSR_PURE, NULL},
    {0}};
