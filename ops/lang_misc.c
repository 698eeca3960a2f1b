/* What is left of the language: identity, enums, devices, print and warn, mode switches, type queries,
 * profiler scopes. */
#include <stdio.h>

#include "ops/op.h"

TSR_KERNEL(is) { return tsr_ret_bool(c, tsr_val_identical(c->args[0], c->args[1])); }
TSR_KERNEL(is_not) { return tsr_ret_bool(c, !tsr_val_identical(c->args[0], c->args[1])); }
TSR_KERNEL(identity) { return tsr_ret(c, 0, c->args[0]); }

/* A forked function has run by now: its result, or what it raised. */
TSR_KERNEL(wait) {
  const tsr_errrec *e = tsr_val_error(c->args[0]);
  return e != NULL ? tsr_errrec_copy(&c->ctx->err, e) : tsr_ret(c, 0, c->args[0]);
}

TSR_KERNEL(unwrap) { return tsr_arg_is_none(c, 0) ? tsr_op_fail(c->ctx, "Unwrapping null optional") : tsr_ret(c, 0, c->args[0]); }
TSR_KERNEL(false_) { return tsr_ret_bool(c, false); }
TSR_KERNEL(true_) { return tsr_ret_bool(c, true); }
TSR_KERNEL(nothing) {
  TSR_UNUSED(c);
  return TSR_OK;
}

/* ---- equality of what is neither number, string nor list ---- */

TSR_KERNEL(eq) { return tsr_ret_bool(c, tsr_val_identical(c->args[0], c->args[1])); }
TSR_KERNEL(ne) { return tsr_ret_bool(c, !tsr_val_identical(c->args[0], c->args[1])); }

/* ---- hash(): programs see its numbers, so they are those of PyTorch, which takes std::hash of GNU's
 * library: numbers as they are, doubles and strings by MurmurHash64A ---- */

#define MURMUR 0xc6a4a7935bd1e995u

static uint64_t shift_mix(uint64_t v) { return v ^ v >> 47; }

static uint64_t murmur(const void *data, size_t len) {
  const unsigned char *p = data, *end = p + (len & ~(size_t)7);
  uint64_t h = 0xc70f6907u ^ len * MURMUR, w;
  for (; p != end; p += 8) {
    memcpy(&w, p, 8);
    h = (h ^ shift_mix(w * MURMUR) * MURMUR) * MURMUR;
  }
  w = 0;
  for (size_t i = len & 7; i-- > 0;) w = w << 8 | p[i];
  if ((len & 7) != 0) h = (h ^ w) * MURMUR;
  return shift_mix(shift_mix(h) * MURMUR);
}

static tsr_status fail_unhashable(tsr_call *c, tsr_val v) {
  tsr_buf text = {0};
  tsr_val_print_type(v, &text);
  tsr_status s = tsr_op_fail(c->ctx, "unhashable type: '%s'", text.data != NULL ? text.data : "?");
  tsr_buf_dispose(&text);
  return s;
}

static tsr_status hash_value(tsr_call *c, tsr_val v, int depth, uint64_t *h) {
  *h = 0;
  switch (v.tag) {
    case TSR_V_NONE: return TSR_OK;
    case TSR_V_BOOL: *h = v.b; return TSR_OK;
    case TSR_V_INT: *h = (uint64_t)v.i; return TSR_OK;
    case TSR_V_FLOAT: *h = v.d == 0 ? 0 : murmur(&v.d, sizeof v.d); return TSR_OK;
    case TSR_V_STR: *h = murmur(v.s->bytes, v.s->len); return TSR_OK;
    case TSR_V_DEVICE: *h = (uint64_t)v.dev.type << 16 | (uint8_t)v.dev.index; return TSR_OK;
    case TSR_V_TENSOR: *h = (uint64_t)(uintptr_t)v.t; return TSR_OK;
    case TSR_V_TUPLE:
      if (depth > TSR_MAX_DEPTH) return tsr_op_fail(c->ctx, "hash: tuples are nested too deeply");
      for (size_t i = 0; i < v.u->len; i++) {
        uint64_t item;
        TSR_TRY(hash_value(c, v.u->items[i], depth + 1, &item));
        *h ^= item + 0x9e3779b9u + (*h << 6) + (*h >> 2);
      }
      return TSR_OK;
    default: return fail_unhashable(c, v);
  }
}

TSR_KERNEL(hash) {
  uint64_t h;
  TSR_TRY(hash_value(c, c->args[0], 0, &h));
  return tsr_ret_int(c, (int64_t)h);
}
TSR_KERNEL(id) { return tsr_ret_int(c, tsr_arg_is_none(c, 0) ? 0 : (int64_t)(uintptr_t)c->args[0].o); }

/* ---- enums, tuples, devices ---- */

TSR_KERNEL(enum_value) { return tsr_ret(c, 0, c->args[0].e->cls->member_values[c->args[0].e->member]); }
TSR_KERNEL(enum_name) {
  const char *name = c->args[0].e->cls->member_names[c->args[0].e->member];
  return tsr_ret_str(c, name, strlen(name));
}

TSR_KERNEL(tuple_index) {
  if (c->args[0].tag != TSR_V_TUPLE) return tsr_op_fail(c->ctx, "tuple index: the value is a %s", tsr_tag_name(c->args[0]));
  tsr_tuple *u = c->args[0].u;
  int64_t n = (int64_t)u->len, i = tsr_arg_int(c, 1);
  if (i < -n || i >= n) return tsr_op_fail(c->ctx, "Tuple index out of range");
  return tsr_ret(c, 0, u->items[i < 0 ? i + n : i]);
}

TSR_KERNEL(device) {
  tsr_str *s = tsr_arg_str(c, 0);
  tsr_device d;
  if (!tsr_device_parse(s->bytes, s->len, &d)) return tsr_op_fail(c->ctx, "Invalid device string: '%s'", s->bytes);
  if (c->nargs > 1) d.index = (int16_t)tsr_arg_int(c, 1);
  c->rets[0] = tsr_device_val(d);
  return TSR_OK;
}
TSR_KERNEL(device_type) {
  const char *name = tsr_device_type_name(c->args[0].dev.type);
  return tsr_ret_str(c, name, strlen(name));
}
TSR_KERNEL(device_index) {
  c->rets[0] = c->args[0].dev.index < 0 ? tsr_none() : tsr_int(c->args[0].dev.index);
  return TSR_OK;
}

/* ---- output ---- */

static tsr_status emit(tsr_call *c, tsr_buf *b, void (*to)(void *, const char *, size_t), FILE *otherwise) {
  if (b->oom) {
    tsr_buf_dispose(b);
    return tsr_fail_nomem(&c->ctx->err);
  }
  if (to != NULL) to(c->ctx->user, b->data, b->len);
  else fwrite(b->data, 1, b->len, otherwise);
  tsr_buf_dispose(b);
  return TSR_OK;
}

TSR_KERNEL(print) {
  tsr_buf b = {0};
  for (uint32_t i = 0; i < c->nargs; i++) {
    if (i > 0) tsr_buf_putc(&b, ' ');
    tsr_val_print(c->args[i], &b);
  }
  tsr_buf_putc(&b, '\n');
  return emit(c, &b, c->ctx->print, stdout);
}

TSR_KERNEL(warn) {
  tsr_buf b = {0};
  tsr_buf_puts(&b, "Warning: ");
  tsr_buf_put(&b, tsr_arg_str(c, 0)->bytes, tsr_arg_str(c, 0)->len);
  tsr_buf_putc(&b, '\n');
  return emit(c, &b, c->ctx->warn, stderr);
}

/* ---- modes ---- */

TSR_KERNEL(is_grad_enabled) { return tsr_ret_bool(c, c->ctx->grad_enabled); }
TSR_KERNEL(set_grad_enabled) {
  c->ctx->grad_enabled = tsr_arg_bool(c, 0);
  return TSR_OK;
}
TSR_KERNEL(autocast_dtype) { return tsr_ret_int(c, strcmp(tsr_arg_str(c, 0)->bytes, "cpu") == 0 ? TSR_BFLOAT16 : TSR_FLOAT16); }
TSR_KERNEL(time_point) { return tsr_ret_int(c, (int64_t)(tsr_clock_now() * 1e9)); }

/* ---- sizes and dtypes as numbers ---- */

TSR_KERNEL(broadcast_shapes) {
  int64_t an, bn, out[TSR_MAX_NDIM];
  const int64_t *a = tsr_arg_ints(c, 0, &an), *b = tsr_arg_ints(c, 1, &bn);
  if (a == NULL || b == NULL) return c->ctx->err.status;
  int64_t n = TSR_MAX(an, bn);
  if (n > TSR_MAX_NDIM) return tsr_op_fail(c->ctx, "too many dimensions: %lld", (long long)n);
  for (int64_t d = n - 1; d >= 0; d--) {
    int64_t x = d < n - an ? 1 : a[d - (n - an)], y = d < n - bn ? 1 : b[d - (n - bn)];
    if (x != y && x != 1 && y != 1) {
      return tsr_op_fail(c->ctx, "The size of tensor a (%lld) must match the size of tensor b (%lld) at non-singleton dimension %lld",
                         (long long)y, (long long)x, (long long)d); /* in PyTorch's order */
    }
    out[d] = x == 1 ? y : x;
  }
  return tsr_ret_ints(c, 0, out, n);
}

TSR_KERNEL(size_if_not_equal) { return tsr_val_equal(c->args[0], c->args[1]) ? TSR_OK : tsr_ret(c, 0, c->args[0]); }

TSR_KERNEL(assert_scalar) {
  tsr_val v = c->args[0];
  bool holds = v.tag == TSR_V_BOOL ? v.b : v.tag == TSR_V_FLOAT ? v.d != 0 : v.tag != TSR_V_INT || v.i != 0;
  tsr_str *text = tsr_arg_str(c, 1);
  return holds ? TSR_OK : tsr_op_fail(c->ctx, "%s", text->len ? text->bytes : "Assertion is failed");
}

static tsr_dtype checked_dtype(const tsr_call *c, uint32_t i) {
  return tsr_dtype_is_known(tsr_arg_int(c, i)) ? (tsr_dtype)tsr_arg_int(c, i) : TSR_FLOAT32;
}
TSR_KERNEL(promote_types) { return tsr_ret_int(c, tsr_dtype_promote(checked_dtype(c, 0), checked_dtype(c, 1))); }
TSR_KERNEL(can_cast) { return tsr_ret_bool(c, tsr_dtype_can_cast(checked_dtype(c, 0), checked_dtype(c, 1))); }

static tsr_dtype scalar_dtype(tsr_val v) {
  return v.tag == TSR_V_BOOL ? TSR_BOOL : v.tag == TSR_V_INT ? TSR_INT64 : v.tag == TSR_V_FLOAT ? TSR_FLOAT32 : TSR_COMPLEX64;
}
TSR_KERNEL(result_type_scalars) { return tsr_ret_int(c, tsr_dtype_promote(scalar_dtype(c->args[0]), scalar_dtype(c->args[1]))); }

TSR_KERNEL(cpu_capability) { return tsr_ret_str(c, "DEFAULT", 7); }

/* A profiler scope's handle is any value: nothing is recorded. */
TSR_KERNEL(record_enter) {
  tsr_capsule *cap = tsr_capsule_new(c->ctx->mem, "RecordFunction", NULL, NULL);
  if (cap == NULL) return tsr_ctx_nomem(c->ctx);
  c->rets[0] = tsr_from_obj(cap);
  return TSR_OK;
}

/* Before 1.12 the handle was a tensor. */
TSR_KERNEL(record_enter_tensor) {
  tsr_tensor *t;
  TSR_TRY(tsr_new(c->ctx, &t, TSR_UINT8, 0, NULL));
  *(uint8_t *)t->storage->data = 0;
  return tsr_ret_tensor(c, 0, t);
}

/* No tensor here has a history: PyTorch's answer to the same question. */
TSR_KERNEL(no_gradient) { return tsr_op_fail(c->ctx, "element 0 of tensors does not require grad and does not have a grad_fn"); }

/* Left factors, then right ones: the sum of their products.  PyTorch's optimiser writes it, and saves it without operands. */
TSR_KERNEL(product_tree) {
  tsr_val sum = tsr_none(), pair[3], product;
  if (c->nargs == 0 || c->nargs % 2 != 0) return tsr_op_fail(c->ctx, "!inputs.empty() INTERNAL ASSERT FAILED: prim::MMTreeReduce was saved without operands");
  for (uint32_t i = 0, n = c->nargs / 2; i < n; i++) {
    pair[0] = c->args[i], pair[1] = c->args[n + i];
    if (pair[0].tag != TSR_V_TENSOR || pair[1].tag != TSR_V_TENSOR) return tsr_op_fail(c->ctx, "prim::MMTreeReduce: operand %u is not a tensor", i);
    TSR_TRY(tsr_invoke(c->ctx, tsr_op_get("aten::mm", ""), pair, 2, &product, 1));
    pair[0] = sum, pair[1] = product, pair[2] = tsr_int(1);
    if (i == 0) sum = product;
    else TSR_TRY(tsr_invoke(c->ctx, tsr_op_get("aten::add", "Tensor"), pair, 3, &sum, 1));
  }
  return tsr_ret(c, 0, sum);
}

#define P TSR_PURE
#define E TSR_EFFECT

const tsr_op tsr_ops_lang_misc[] = {
    {"aten::__is__(t1 self, t2 obj) -> bool", op_is, P}, {"aten::__isnot__(t1 self, t2 obj) -> bool", op_is_not, P},
    {"aten::_unwrap_optional(t(a)? optional) -> t(a)", op_unwrap, E}, {"prim::unchecked_unwrap_optional(t(a)? optional) -> t(a)", op_identity, 0},
    {"prim::unchecked_cast(t x) -> t", op_identity, 0},
    {"aten::eq.device(Device a, Device b) -> bool", op_eq, P}, {"aten::ne.device(Device a, Device b) -> bool", op_ne, P},
    {"aten::eq.enum(AnyEnumType a, AnyEnumType b) -> bool", op_eq, P}, {"aten::ne.enum(AnyEnumType a, AnyEnumType b) -> bool", op_ne, P},
    {"aten::hash.generic(t value) -> int", op_hash, P}, {"prim::id(AnyClassType? x) -> int", op_id, E},
    {"prim::EnumValue.int(AnyEnumType enum) -> int", op_enum_value, P}, {"prim::EnumValue.float(AnyEnumType enum) -> float", op_enum_value, P},
    {"prim::EnumValue.str(AnyEnumType enum) -> str", op_enum_value, P}, {"prim::EnumName(AnyEnumType enum) -> str", op_enum_name, P},
    {"prim::TupleIndex(Any tup, int i) -> Any", op_tuple_index, P},
    {"aten::device(str a) -> Device", op_device, P}, {"aten::device.with_index(str type, int index) -> Device", op_device, P},
    {"prim::type(Device self) -> str", op_device_type, P}, {"prim::index(Device self) -> int?", op_device_index, P},
    {"prim::Print(...) -> ()", op_print, E}, {"aten::warn(str message, int stacklevel=2) -> ()", op_warn, E}, {"aten::_print(str s) -> ()", op_print, E},
    {"aten::is_grad_enabled() -> bool", op_is_grad_enabled, E}, {"aten::set_grad_enabled(bool val) -> ()", op_set_grad_enabled, E},
    {"aten::is_scripting() -> bool", op_true_, P}, {"aten::has_torch_function(...) -> bool", op_false_, P},
    {"aten::_get_tracing_state() -> bool", op_false_, P}, {"aten::is_autocast_enabled() -> bool", op_false_, P},
    {"aten::is_autocast_cpu_enabled() -> bool", op_false_, P}, {"aten::get_autocast_dtype(str device_type) -> ScalarType", op_autocast_dtype, P},
    {"aten::is_vulkan_available() -> bool", op_false_, P}, {"aten::_nnpack_available() -> bool", op_false_, P},
    {"aten::_use_cudnn_rnn_flatten_weight() -> bool", op_false_, P}, {"aten::_get_cpu_capability() -> str", op_cpu_capability, P},
    {"prim::TimePoint() -> int", op_time_point, E}, {"prim::AddStatValue(str key, int val) -> ()", op_nothing, E},
    {"aten::wait(Future(t) self) -> t", op_wait, E}, {"prim::awaitable_wait(Await(t) self) -> t", op_identity, E},
    {"prim::awaitable_nowait(t self) -> Await(t)", op_identity, E},
    {"aten::grad(Tensor[] outputs, Tensor[] inputs, Tensor?[]? grad_outputs=None, bool? retain_graph=None, bool create_graph=False, bool allow_unused=False) -> Tensor?[]", op_no_gradient, E},
    {"aten::backward(Tensor self, Tensor? gradient=None, bool? retain_graph=None, bool create_graph=False) -> ()", op_no_gradient, E},
    {"aten::backward.TensorList(Tensor[] tensors, Tensor?[]? grad_tensors=None, bool? retain_graph=None, bool create_graph=False) -> ()", op_no_gradient, E},
    {"prim::MMTreeReduce(...) -> Tensor", op_product_tree, P},
    {"aten::_assert_scalar(Scalar self, str assert_msg) -> ()", op_assert_scalar, E},
    {"aten::broadcast_shapes(int[] a, int[] b) -> int[]", op_broadcast_shapes, P | TSR_NOOPT},
    {"aten::_infer_size(int[] a, int[] b) -> int[]", op_broadcast_shapes, P | TSR_NOOPT},
    {"aten::_size_if_not_equal(int[] self_size, int[] other_size) -> int[]?", op_size_if_not_equal, P | TSR_NOOPT},
    {"aten::Size(int[] sizes) -> int[]", op_identity, 0},
    {"aten::promote_types(ScalarType type1, ScalarType type2) -> ScalarType", op_promote_types, P},
    {"aten::can_cast(ScalarType from_, ScalarType to) -> bool", op_can_cast, P},
    {"aten::result_type.Scalar_Scalar(Scalar scalar1, Scalar scalar2) -> ScalarType", op_result_type_scalars, P},
    {"aten::sym_constrain_range(Scalar size, *, int? min=None, int? max=None) -> ()", op_nothing, 0},
    {"aten::sym_constrain_range_for_size(Scalar size, *, int? min=None, int? max=None) -> ()", op_nothing, 0},
    {"profiler::_record_function_enter(str name, str? args=None) -> Tensor", op_record_enter_tensor, E},
    {"profiler::_record_function_enter_new(str name, str? args=None) -> __torch__.torch.classes.profiler._RecordFunction", op_record_enter, E},
    {"profiler::_record_function_exit(Tensor record) -> ()", op_nothing, E},
    {"profiler::_record_function_exit._RecordFunction(__torch__.torch.classes.profiler._RecordFunction record) -> ()", op_nothing, E},
    {"profiler::_call_end_callbacks_on_jit_fut._RecordFunction(__torch__.torch.classes.profiler._RecordFunction x, Future(t) y) -> Future(t)", op_identity, E},
    {0}};
