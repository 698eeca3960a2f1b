/* Lists and dictionaries of the language. */
#include <math.h>
#include <stdlib.h>

#include "ops/lang.h"

static tsr_status out_of_range(tsr_call *c) { return tsr_op_fail(c->ctx, "list index out of range"); }

/* Negative indices count from the end. */
static bool wrap_index(const tsr_list *l, int64_t i, size_t *at) {
  int64_t n = (int64_t)l->len;
  if (i < 0) i += n;
  *at = (size_t)i;
  return i >= 0 && i < n;
}

static tsr_status ret_list(tsr_call *c, tsr_list *l) {
  if (l == NULL) return tsr_ctx_nomem(c->ctx);
  c->rets[0] = tsr_from_obj(l);
  return TSR_OK;
}

/* A new list of n elements taken from src by begin + k*step. */
static tsr_list *pick(tsr_call *c, const tsr_list *src, int64_t begin, int64_t step, int64_t n) {
  tsr_list *l = tsr_list_new(c->ctx->mem, src->elem, (size_t)n);
  if (l == NULL) return NULL;
  for (int64_t k = 0; k < n; k++) tsr_list_push_take(l, tsr_retain(src->items[begin + k * step]));
  return l;
}

TSR_KERNEL(len) { return tsr_ret_int(c, (int64_t)tsr_arg_list(c, 0)->len); }

TSR_KERNEL(getitem) {
  tsr_list *l = tsr_arg_list(c, 0);
  size_t at;
  if (!wrap_index(l, tsr_arg_int(c, 1), &at)) return out_of_range(c);
  return tsr_ret(c, 0, l->items[at]);
}

TSR_KERNEL(set_item) {
  tsr_list *l = tsr_arg_list(c, 0);
  size_t at;
  if (!wrap_index(l, tsr_arg_int(c, 1), &at)) return out_of_range(c);
  tsr_val old = l->items[at];
  l->items[at] = tsr_retain(c->args[2]);
  tsr_release(old);
  return tsr_ret(c, 0, c->args[0]);
}

TSR_KERNEL(append) {
  if (!tsr_list_push_take(tsr_arg_list(c, 0), tsr_retain(c->args[1]))) return tsr_ctx_nomem(c->ctx);
  return tsr_ret(c, 0, c->args[0]);
}

static tsr_status extend_by(tsr_call *c, tsr_list *l, const tsr_list *other) {
  size_t n = other->len; /* extending by itself doubles it */
  if (!tsr_list_reserve(l, l->len + n)) return tsr_ctx_nomem(c->ctx);
  for (size_t i = 0; i < n; i++) tsr_list_push_take(l, tsr_retain(other->items[i]));
  return tsr_ctx_poll(c->ctx, n >> 10);
}

TSR_KERNEL(extend) { return extend_by(c, tsr_arg_list(c, 0), tsr_arg_list(c, 1)); }
TSR_KERNEL(iadd) {
  TSR_TRY(extend_by(c, tsr_arg_list(c, 0), tsr_arg_list(c, 1)));
  return tsr_ret(c, 0, c->args[0]);
}

TSR_KERNEL(insert) {
  tsr_list *l = tsr_arg_list(c, 0);
  int64_t at = tsr_arg_int(c, 1), n = (int64_t)l->len;
  if (at < 0) at = TSR_MAX(at + n, (int64_t)0);
  return tsr_list_insert_take(l, (size_t)TSR_MIN(at, n), tsr_retain(c->args[2])) ? TSR_OK : tsr_ctx_nomem(c->ctx);
}

TSR_KERNEL(pop) {
  tsr_list *l = tsr_arg_list(c, 0);
  size_t at;
  if (l->len == 0) return tsr_op_fail(c->ctx, "pop from empty list");
  if (!wrap_index(l, tsr_arg_int(c, 1), &at)) return out_of_range(c);
  tsr_ret(c, 0, l->items[at]);
  tsr_list_erase(l, at);
  return TSR_OK;
}

TSR_KERNEL(delete) {
  size_t at;
  if (!wrap_index(tsr_arg_list(c, 0), tsr_arg_int(c, 1), &at)) return tsr_arg_list(c, 0)->len == 0 ? tsr_op_fail(c->ctx, "pop index out of range") : out_of_range(c);
  tsr_list_erase(tsr_arg_list(c, 0), at);
  return TSR_OK;
}

TSR_KERNEL(clear) {
  tsr_list_clear(tsr_arg_list(c, 0));
  return TSR_OK;
}

TSR_KERNEL(copy) {
  tsr_list *l = tsr_arg_list(c, 0);
  return ret_list(c, pick(c, l, 0, 1, (int64_t)l->len));
}

TSR_KERNEL(reverse) {
  tsr_list *l = tsr_arg_list(c, 0);
  for (size_t i = 0; i < l->len / 2; i++) {
    tsr_val v = l->items[i];
    l->items[i] = l->items[l->len - 1 - i];
    l->items[l->len - 1 - i] = v;
  }
  return TSR_OK;
}

TSR_KERNEL(add) {
  tsr_list *a = tsr_arg_list(c, 0);
  tsr_list *l = pick(c, a, 0, 1, (int64_t)a->len);
  if (l == NULL) return tsr_ctx_nomem(c->ctx);
  tsr_status status = extend_by(c, l, tsr_arg_list(c, 1));
  if (status != TSR_OK) {
    tsr_obj_release(l);
    return status;
  }
  return ret_list(c, l);
}

static tsr_status repeat(tsr_call *c, tsr_list *src, int64_t times, tsr_list **out) {
  int64_t total;
  if (times < 0) times = 0;
  if (tsr_mul_overflow((int64_t)src->len, times, &total) || total > (int64_t)1 << 36) return tsr_ctx_nomem(c->ctx);
  tsr_list *l = tsr_list_new(c->ctx->mem, src->elem, (size_t)total);
  if (l == NULL) return tsr_ctx_nomem(c->ctx);
  for (int64_t k = 0; k < total; k++) tsr_list_push_take(l, tsr_retain(src->items[(size_t)k % src->len]));
  *out = l;
  return tsr_ctx_poll(c->ctx, (uint64_t)total >> 10);
}

TSR_KERNEL(mul) {
  bool left = c->args[0].tag == TSR_V_LIST;
  tsr_list *l = NULL;
  tsr_status status = repeat(c, tsr_arg_list(c, left ? 0 : 1), tsr_arg_int(c, left ? 1 : 0), &l);
  if (l != NULL) c->rets[0] = tsr_from_obj(l);
  return status;
}

TSR_KERNEL(imul) {
  tsr_list *l = tsr_arg_list(c, 0), *r = NULL;
  TSR_TRY(repeat(c, l, tsr_arg_int(c, 1), &r));
  tsr_val *items = r->items;
  size_t len = r->len, cap = r->cap;
  r->items = l->items, r->len = l->len, r->cap = l->cap; /* the old contents go with the temporary */
  l->items = items, l->len = len, l->cap = cap;
  tsr_obj_release(r);
  return tsr_ret(c, 0, c->args[0]);
}

/* Python's slice bounds. */
static tsr_status slice_bounds(tsr_call *c, int64_t n, int64_t *begin, int64_t *step, int64_t *count) {
  *step = tsr_arg_int_or(c, 3, 1);
  if (*step == 0) return tsr_op_fail(c->ctx, "List slice should have non-zero step");
  if (*step == INT64_MIN) return tsr_op_fail(c->ctx, "List slice step is out of bounds");
  int64_t lo = *step > 0 ? 0 : -1, hi = *step > 0 ? n : n - 1;
  int64_t b = tsr_arg_int_or(c, 1, *step > 0 ? 0 : INT64_MAX), e = tsr_arg_int_or(c, 2, INT64_MAX);
  if (b == INT64_MAX && *step > 0) b = 0; /* PyTorch's mark of a bound that is not given */
  if (e == INT64_MAX && *step < 0) e = INT64_MIN;
  if (b < 0 && b >= -n) b += n;
  else if (b < 0) b = lo;
  if (b > hi) b = hi;
  if (e < 0 && e >= -n) e += n;
  else if (e < 0) e = lo;
  if (e > hi) e = hi;
  *begin = b;
  if (*step > 0) *count = e > b ? (e - b - 1) / *step + 1 : 0;
  else *count = b > e ? (b - e - 1) / -*step + 1 : 0;
  return TSR_OK;
}

TSR_KERNEL(slice) {
  tsr_list *l = tsr_arg_list(c, 0);
  int64_t begin, step, n;
  TSR_TRY(slice_bounds(c, (int64_t)l->len, &begin, &step, &n));
  return ret_list(c, pick(c, l, begin, step, n));
}

TSR_KERNEL(slice_str) {
  tsr_str *s = tsr_arg_str(c, 0);
  int64_t begin, step, n;
  TSR_TRY(slice_bounds(c, (int64_t)s->len, &begin, &step, &n));
  tsr_str *r = tsr_str_new(c->ctx->mem, NULL, (size_t)n);
  if (r == NULL) return tsr_ctx_nomem(c->ctx);
  for (int64_t k = 0; k < n; k++) r->bytes[k] = s->bytes[begin + k * step];
  c->rets[0] = tsr_from_obj(r);
  return TSR_OK;
}

/* ---- search: numbers, strings by value; tensors by identity or equal single elements are the tensor family's ---- */

static int64_t position(const tsr_list *l, tsr_val v) {
  for (size_t i = 0; i < l->len; i++) {
    if (tsr_val_equal(l->items[i], v)) return (int64_t)i;
  }
  return -1;
}

TSR_KERNEL(contains) { return tsr_ret_bool(c, position(tsr_arg_list(c, 0), c->args[1]) >= 0); }

TSR_KERNEL(index) {
  int64_t at = position(tsr_arg_list(c, 0), c->args[1]);
  if (at >= 0) return tsr_ret_int(c, at);
  tsr_buf text = {0};
  tsr_val v = c->args[1];
  if (v.tag == TSR_V_FLOAT) tsr_buf_printf(&text, "%g", v.d); /* as C++ writes numbers into a message */
  else tsr_val_print(v.tag == TSR_V_BOOL ? tsr_int(v.b) : v, &text);
  tsr_status status = tsr_op_fail(c->ctx, "'%s' is not in list", text.data != NULL ? text.data : "");
  tsr_buf_dispose(&text);
  return status;
}

TSR_KERNEL(remove) {
  int64_t at = position(tsr_arg_list(c, 0), c->args[1]);
  if (at < 0) return tsr_op_fail(c->ctx, "list.remove(x): x not in list");
  tsr_list_erase(tsr_arg_list(c, 0), (size_t)at);
  return TSR_OK;
}

TSR_KERNEL(count) {
  tsr_list *l = tsr_arg_list(c, 0);
  int64_t n = 0;
  for (size_t i = 0; i < l->len; i++) n += tsr_val_equal(l->items[i], c->args[1]);
  return tsr_ret_int(c, n);
}

TSR_KERNEL(eq) { return tsr_ret_bool(c, tsr_val_equal(c->args[0], c->args[1])); }
TSR_KERNEL(ne) { return tsr_ret_bool(c, !tsr_val_equal(c->args[0], c->args[1])); }

/* ---- order ---- */

TSR_KERNEL(sort) { return tsr_lang_sort(c, tsr_arg_list(c, 0), tsr_arg_bool(c, 1)); }
TSR_KERNEL(sorted) {
  tsr_list *l = tsr_arg_list(c, 0);
  TSR_TRY(ret_list(c, pick(c, l, 0, 1, (int64_t)l->len)));
  return tsr_lang_sort(c, c->rets[0].l, false);
}

/* prim::min and max: of one list, or the lesser of two lists. */
static tsr_status extreme(tsr_call *c, int sign, const char *name) {
  if (c->nargs == 2) {
    int order = tsr_lang_compare(c->args[0], c->args[1]) * sign;
    return tsr_ret(c, 0, c->args[order > 0]);
  }
  tsr_list *l = tsr_arg_list(c, 0);
  if (l->len == 0) return tsr_op_fail(c->ctx, "%s() arg is an empty sequence", name);
  size_t best = 0;
  for (size_t i = 1; i < l->len; i++) {
    if (tsr_lang_compare(l->items[i], l->items[best]) * sign < 0) best = i;
  }
  return tsr_ret(c, 0, l->items[best]);
}
TSR_KERNEL(min) { return extreme(c, 1, "min"); }
TSR_KERNEL(max) { return extreme(c, -1, "max"); }

TSR_KERNEL(sum) {
  tsr_list *l = tsr_arg_list(c, 0);
  tsr_c128 z = {0, 0};
  int64_t i = 0;
  const tsr_type *elem = l->elem != NULL ? l->elem : &tsr_type_int;
  for (size_t k = 0; k < l->len; k++) {
    tsr_scalar s = tsr_scalar_of(l->items[k]);
    i = (int32_t)(uint32_t)((uint64_t)i + (uint64_t)s.i); /* PyTorch adds integers up in 32 bits */
    z.re += s.z.re;
    z.im += s.z.im;
  }
  if (elem->kind == TSR_T_COMPLEX) return tsr_ret_complex(c, z.re, z.im);
  return elem->kind == TSR_T_FLOAT ? tsr_ret_float(c, z.re) : tsr_ret_int(c, i);
}

static bool truth(tsr_val v) { return v.tag == TSR_V_STR ? v.s->len != 0 : v.tag == TSR_V_FLOAT ? v.d != 0 : v.tag == TSR_V_BOOL ? v.b : v.i != 0; }
TSR_KERNEL(any) {
  tsr_list *l = tsr_arg_list(c, 0);
  for (size_t i = 0; i < l->len; i++) {
    if (truth(l->items[i])) return tsr_ret_bool(c, true);
  }
  return tsr_ret_bool(c, false);
}
TSR_KERNEL(all) {
  tsr_list *l = tsr_arg_list(c, 0);
  for (size_t i = 0; i < l->len; i++) {
    if (!truth(l->items[i])) return tsr_ret_bool(c, false);
  }
  return tsr_ret_bool(c, true);
}

TSR_KERNEL(rangelist) {
  int64_t n = tsr_arg_int(c, 0);
  if (n < 0) return tsr_op_fail(c->ctx, "vector::reserve");
  if (n > (int64_t)1 << 36) return tsr_ctx_nomem(c->ctx);
  tsr_list *l = tsr_list_new(c->ctx->mem, &tsr_type_int, (size_t)n);
  for (int64_t i = 0; l != NULL && i < n; i++) tsr_list_push_take(l, tsr_int(i));
  return ret_list(c, l);
}

TSR_KERNEL(list_of_str) {
  tsr_str *s = tsr_arg_str(c, 0);
  tsr_list *l = tsr_list_new(c->ctx->mem, &tsr_type_str, s->len);
  if (l == NULL) return tsr_ctx_nomem(c->ctx);
  TSR_TRY(tsr_temp(c->ctx, tsr_from_obj(l)));
  for (size_t i = 0; i < s->len; i++) {
    tsr_str *one = tsr_str_new(c->ctx->mem, s->bytes + i, 1);
    if (one == NULL) return tsr_ctx_nomem(c->ctx);
    tsr_list_push_take(l, tsr_from_obj(one));
  }
  return tsr_ret(c, 0, tsr_from_obj(l));
}

#define P TSR_PURE
#define N (TSR_PURE | TSR_NOOPT)
#define SEARCH(T, name)                                                                              \
  {"aten::count." name "(" T "[] self, " T " el) -> int", op_count, P},                              \
      {"aten::remove." name "(" T "[](a!) self, " T " el) -> ()", op_remove, 0},                     \
      {"aten::index.list_" name "(" T "[] self, " T " el) -> int", op_index, P},                     \
      {"aten::sort." name "(" T "[](a!) self, bool reverse=False) -> ()", op_sort, 0},               \
      {"aten::sorted." name "(" T "[](a) input) -> " T "[]", op_sorted, N},                          \
      {"aten::eq." name "_list(" T "[] a, " T "[] b) -> bool", op_eq, P},                            \
      {"aten::ne." name "_list(" T "[] a, " T "[] b) -> bool", op_ne, P}
#define EXTREME(T)                                                                                   \
  {"prim::min." T "_list(" T "[] l, " T "[] r) -> " T "[]", op_min, N}, {"prim::min.self_" T "(" T "[] self) -> " T, op_min, P}, \
      {"prim::max." T "_list(" T "[] l, " T "[] r) -> " T "[]", op_max, N}, {"prim::max.self_" T "(" T "[] self) -> " T, op_max, P}

const tsr_op tsr_ops_lang_list[] = {
    {"aten::len.t(t[] a) -> int", op_len, P}, {"aten::len.any(Any[] a) -> int", op_len, P},
    {"aten::__getitem__.t(t[](a) list, int idx) -> t(*)", op_getitem, P}, {"aten::select.t(t[](a) list, int idx) -> t(*)", op_getitem, P},
    {"aten::_set_item.t(t[](a!) l, int idx, t(b -> *) el) -> t[](a!)", op_set_item, 0},
    {"aten::append.t(t[](a!) self, t(c -> *) el) -> t[](a!)", op_append, 0}, {"aten::extend.t(t[](a!) self, t[] other) -> ()", op_extend, 0},
    {"aten::add_.t(t[](a!) self, t[] b) -> t[]", op_iadd, 0}, {"aten::insert.t(t[](a!) self, int idx, t(b -> *) el) -> ()", op_insert, 0},
    {"aten::pop.t(t[](a!) self, int idx=-1) -> t(*)", op_pop, 0}, {"aten::Delete.t(t[](a!) self, int idx) -> ()", op_delete, 0},
    {"aten::clear.t(t[](a!) self) -> ()", op_clear, 0}, {"aten::copy.t(t[](a) self) -> t[]", op_copy, N}, {"aten::list(str t) -> str[]", op_list_of_str, N},
    {"aten::reverse.t(t[](a!) self) -> ()", op_reverse, 0}, {"aten::add.t(t[] a, t[] b) -> t[]", op_add, N},
    {"aten::mul.left_t(t[] l, int n) -> t[]", op_mul, N}, {"aten::mul.right_(int n, t[] l) -> t[]", op_mul, N},
    {"aten::mul_.t(t[](a!) l, int n) -> t[](a!)", op_imul, 0},
    {"aten::slice.t(t[] l, int? start=None, int? end=None, int step=1) -> t[]", op_slice, N},
    {"aten::slice.str(str string, int? start=None, int? end=None, int step=1) -> str", op_slice_str, P},
    {"aten::list.t(t[] l) -> t[]", op_copy, N},
    {"aten::__contains__.int_list(int[] l, int item) -> bool", op_contains, P}, {"aten::__contains__.str_list(str[] l, str item) -> bool", op_contains, P},
    {"aten::__contains__.float_list(float[] l, float item) -> bool", op_contains, P},
    SEARCH("int", "int"), SEARCH("float", "float"), SEARCH("bool", "bool"), SEARCH("str", "str"),
    {"aten::sort.any(t[](a!) self, bool reverse=False) -> ()", op_sort, 0}, {"aten::sorted.any(t[](a) self) -> t[]", op_sorted, N},
    EXTREME("int"), EXTREME("float"), EXTREME("bool"),
    {"aten::sum.int(int[] self) -> int", op_sum, P}, {"aten::sum.float(float[] self) -> float", op_sum, P},
    {"aten::sum.complex(complex[] self) -> complex", op_sum, P}, {"aten::sum.bool(bool[] self) -> int", op_sum, P},
    {"aten::any.str(str[] self) -> bool", op_any, P}, {"aten::any.int(int[] self) -> bool", op_any, P},
    {"aten::any.float(float[] self) -> bool", op_any, P}, {"aten::any.bool(bool[] self) -> bool", op_any, P},
    {"aten::all.int(int[] self) -> bool", op_all, P}, {"aten::all.float(float[] self) -> bool", op_all, P}, {"aten::all.bool(bool[] self) -> bool", op_all, P},
    {"prim::rangelist(int n) -> int[]", op_rangelist, N},
    {0}};
