/* Questions about tensors (size, dtype, is_contiguous, …), numbers out of tensors (item, Int, Bool, …)
 * and tensors out of numbers and lists (tensor, as_tensor, NumToTensor). */
#include <math.h>

#include "ops/create.h"
#include "ops/conv.h"
#include "ops/native.h"
#include "ops/shape.h"

TSR_KERNEL(size) { return tsr_ret_ints(c, 0, tsr_arg_tensor(c, 0)->size, tsr_arg_tensor(c, 0)->ndim); }
TSR_KERNEL(stride) { return tsr_ret_ints(c, 0, tsr_arg_tensor(c, 0)->stride, tsr_arg_tensor(c, 0)->ndim); }

/* Dimension of a tensor that must have dimensions. */
static tsr_status real_dim(tsr_call *c, int64_t dim, int64_t *out) {
  const tsr_tensor *x = tsr_arg_tensor(c, 0);
  if (x->ndim == 0) return tsr_op_fail(c->ctx, "Dimension specified as %lld but tensor has no dimensions", (long long)dim);
  return tsr_wrap_dim(c->ctx, dim, x->ndim, out);
}

TSR_KERNEL(size_int) {
  int64_t d;
  TSR_TRY(real_dim(c, tsr_arg_int(c, 1), &d));
  return tsr_ret_int(c, tsr_arg_tensor(c, 0)->size[d]);
}

TSR_KERNEL(stride_int) {
  int64_t d;
  TSR_TRY(real_dim(c, tsr_arg_int(c, 1), &d));
  return tsr_ret_int(c, tsr_arg_tensor(c, 0)->stride[d]);
}

TSR_KERNEL(len) {
  if (tsr_arg_tensor(c, 0)->ndim == 0) return tsr_op_fail(c->ctx, "len() of a 0-d tensor");
  return tsr_ret_int(c, tsr_arg_tensor(c, 0)->size[0]);
}

TSR_KERNEL(dim) { return tsr_ret_int(c, tsr_arg_tensor(c, 0)->ndim); }
TSR_KERNEL(numel) { return tsr_ret_int(c, tsr_arg_tensor(c, 0)->numel); }
TSR_KERNEL(storage_offset) { return tsr_ret_int(c, tsr_arg_tensor(c, 0)->offset); }
TSR_KERNEL(element_size) { return tsr_ret_int(c, (int64_t)tsr_tensor_itemsize(tsr_arg_tensor(c, 0))); }
TSR_KERNEL(nbytes) { return tsr_ret_int(c, (int64_t)tsr_tensor_itemsize(tsr_arg_tensor(c, 0)) * tsr_arg_tensor(c, 0)->numel); }
TSR_KERNEL(is_floating_point) { return tsr_ret_bool(c, tsr_dtype_is_float((tsr_dtype)tsr_arg_tensor(c, 0)->dtype)); }
TSR_KERNEL(is_complex) { return tsr_ret_bool(c, tsr_dtype_is_complex((tsr_dtype)tsr_arg_tensor(c, 0)->dtype)); }

TSR_KERNEL(is_signed) {
  int dt = tsr_arg_tensor(c, 0)->dtype;
  bool is_unsigned = dt == TSR_UINT8 || dt == TSR_BOOL || dt == TSR_UINT16 || dt == TSR_UINT32 || dt == TSR_UINT64 || dt == TSR_QUINT8;
  return tsr_ret_bool(c, !is_unsigned);
}

TSR_KERNEL(is_same_size) { return tsr_ret_bool(c, tsr_tensor_same_size(tsr_arg_tensor(c, 0), tsr_arg_tensor(c, 1))); }

TSR_KERNEL(is_set_to) {
  const tsr_tensor *a = tsr_arg_tensor(c, 0), *b = tsr_arg_tensor(c, 1);
  return tsr_ret_bool(c, a->storage == b->storage && a->offset == b->offset && tsr_tensor_same_size(a, b) &&
                             memcmp(a->stride, b->stride, a->ndim * sizeof *a->stride) == 0);
}

/* Strides in the order of channels last, not necessarily dense. */
TSR_KERNEL(is_strides_like) {
  const tsr_tensor *x = tsr_arg_tensor(c, 0);
  int64_t format = tsr_arg_int(c, 1);
  return tsr_ret_bool(c, (format == 2 || format == 3) && x->ndim == format + 2 && x->layout == 0 && tsr_conv_suggests_last(x->ndim, x->size, x->stride));
}

TSR_KERNEL(is_contiguous) {
  const tsr_tensor *x = tsr_arg_tensor(c, 0);
  int64_t format = c->nargs > 1 ? tsr_arg_int(c, 1) : 0;
  switch (format) {
  case 0: return tsr_ret_bool(c, tsr_tensor_is_contiguous(x));
  case 2: return tsr_ret_bool(c, x->ndim == 4 && tsr_tensor_is_channels_last(x));
  case 3: return tsr_ret_bool(c, x->ndim == 5 && tsr_tensor_is_channels_last(x));
  default: return tsr_op_fail(c->ctx, "preserve memory format is unsupported by the contiguous operator");
  }
}

TSR_KERNEL(is_dense) { return tsr_ret_bool(c, tsr_tensor_is_dense(tsr_arg_tensor(c, 0))); }

TSR_KERNEL(dtype) { return tsr_ret_int(c, tsr_arg_tensor(c, 0)->dtype); }
TSR_KERNEL(layout) { return tsr_ret_int(c, tsr_arg_tensor(c, 0)->layout); }

TSR_KERNEL(device) {
  tsr_device cpu = {0, -1};
  return tsr_ret(c, 0, tsr_device_val(cpu));
}

TSR_KERNEL(requires_grad) { return tsr_ret_bool(c, tsr_arg_tensor(c, 0)->requires_grad); }
TSR_KERNEL(is_quantized) { return tsr_ret_bool(c, tsr_dtype_is_quantized((tsr_dtype)tsr_arg_tensor(c, 0)->dtype)); }
TSR_KERNEL(is_sparse) { return tsr_ret_bool(c, tsr_arg_tensor(c, 0)->layout == 1); }
TSR_KERNEL(is_sparse_csr) { return tsr_ret_bool(c, tsr_arg_tensor(c, 0)->layout == 2); }
TSR_KERNEL(yes) { return tsr_ret_bool(c, true); }
TSR_KERNEL(no) { return tsr_ret_bool(c, false); }
TSR_KERNEL(zero) { return tsr_ret_int(c, 0); }
TSR_KERNEL(minus_one) { return tsr_ret_int(c, -1); }
TSR_KERNEL(none) { return tsr_ret(c, 0, tsr_none()); }

TSR_KERNEL(data) {
  tsr_tensor *y, *x = tsr_arg_tensor(c, 0);
  TSR_TRY(tsr_new_view(c->ctx, &y, x, x->offset, x->ndim, x->size, x->stride));
  y->requires_grad = 0;
  return tsr_ret_tensor(c, 0, y);
}

static tsr_status set_requires_grad(tsr_call *c, tsr_tensor *x, bool on) {
  tsr_category cat = tsr_dtype_category((tsr_dtype)x->dtype);
  if (on && cat != TSR_CAT_FLOAT && cat != TSR_CAT_COMPLEX)
    return tsr_op_fail(c->ctx, "Only Tensors of floating point and complex dtype can require gradients");
  x->requires_grad = on;
  return TSR_OK;
}

TSR_KERNEL(requires_grad_set) {
  TSR_TRY(set_requires_grad(c, tsr_arg_tensor(c, 0), tsr_arg_bool(c, 1)));
  return tsr_ret_tensor(c, 0, tsr_arg_tensor(c, 0));
}

/* ---- numbers out of tensors ---- */

/* The only element; what: the wording of the refusal. */
static tsr_status only_element(tsr_call *c, tsr_val *out) {
  const tsr_tensor *x = tsr_arg_tensor(c, 0);
  if (x->numel != 1)
    return tsr_op_fail(c->ctx, "a Tensor with %lld elements cannot be converted to Scalar", (long long)x->numel);
  *out = tsr_tensor_get(c->ctx->mem, x, 0);
  if (out->tag == TSR_V_NONE) return tsr_op_nomem(c->ctx);
  return tsr_temp(c->ctx, *out);
}

/* The first element, however many there are. */
TSR_KERNEL(first_item) {
  const tsr_tensor *x = tsr_arg_tensor(c, 0);
  if (x->numel == 0) return tsr_op_fail(c->ctx, "_local_scalar_dense: Empty tensor not supported");
  tsr_val v = tsr_tensor_get(c->ctx->mem, x, 0);
  return v.tag == TSR_V_NONE ? tsr_op_nomem(c->ctx) : tsr_ret(c, 0, v);
}

TSR_KERNEL(item) {
  tsr_val v;
  TSR_TRY(only_element(c, &v));
  return tsr_ret(c, 0, v);
}

static tsr_status refuse_value(tsr_call *c, const char *type) {
  return tsr_op_fail(c->ctx, "value cannot be converted to type %s without overflow", type);
}

static tsr_status ret_as_int(tsr_call *c, tsr_val v) {
  tsr_scalar s = tsr_scalar_of(v);
  if (v.tag == TSR_V_COMPLEX && s.z.im != 0) return refuse_value(c, "int64_t");
  if ((v.tag == TSR_V_COMPLEX || v.tag == TSR_V_FLOAT) && !(s.z.re >= -0x1p63 && s.z.re < 0x1p63)) return refuse_value(c, "int64_t");
  return tsr_ret_int(c, v.tag == TSR_V_COMPLEX || v.tag == TSR_V_FLOAT ? (int64_t)s.z.re : s.i);
}

static tsr_status ret_as_float(tsr_call *c, tsr_val v) {
  tsr_scalar s = tsr_scalar_of(v);
  if (v.tag == TSR_V_COMPLEX && s.z.im != 0) return refuse_value(c, "double");
  return tsr_ret_float(c, s.z.re);
}

TSR_KERNEL(int_tensor) {
  tsr_val v;
  TSR_TRY(only_element(c, &v));
  return ret_as_int(c, v);
}

TSR_KERNEL(float_tensor) {
  tsr_val v;
  TSR_TRY(only_element(c, &v));
  return ret_as_float(c, v);
}

TSR_KERNEL(bool_tensor) {
  const tsr_tensor *x = tsr_arg_tensor(c, 0);
  tsr_val v;
  if (x->numel == 0) return tsr_op_fail(c->ctx, "Boolean value of Tensor with no values is ambiguous");
  if (x->numel > 1) return tsr_op_fail(c->ctx, "Boolean value of Tensor with more than one value is ambiguous");
  TSR_TRY(only_element(c, &v));
  tsr_scalar s = tsr_scalar_of(v);
  if (v.tag == TSR_V_INT || v.tag == TSR_V_BOOL) return tsr_ret_bool(c, s.i != 0);
  return tsr_ret_bool(c, s.z.re != 0 || s.z.im != 0);
}

/* The conversions that overload matching inserts by itself are stricter. */
static tsr_status implicit_element(tsr_call *c, bool integral, tsr_val *out) {
  const tsr_tensor *x = tsr_arg_tensor(c, 0);
  if (x->requires_grad) return tsr_op_fail(c->ctx, "Cannot input a tensor that requires grad as a scalar argument");
  if (x->ndim != 0) return tsr_op_fail(c->ctx, "Cannot input a tensor of dimension other than 0 as a scalar argument");
  if (integral && !tsr_dtype_is_integral((tsr_dtype)x->dtype, false))
    return tsr_op_fail(c->ctx, "Cannot input a tensor of type %s as an integral argument", tsr_dtype_get_info(x->dtype)->cpp_name);
  return only_element(c, out);
}

TSR_KERNEL(int_implicit) {
  tsr_val v;
  TSR_TRY(implicit_element(c, true, &v));
  return ret_as_int(c, v);
}

TSR_KERNEL(float_implicit) {
  tsr_val v;
  TSR_TRY(implicit_element(c, false, &v));
  return ret_as_float(c, v);
}

TSR_KERNEL(complex_implicit) {
  tsr_val v;
  TSR_TRY(implicit_element(c, false, &v));
  tsr_scalar s = tsr_scalar_of(v);
  return tsr_ret_complex(c, s.z.re, s.z.im);
}

TSR_KERNEL(scalar_implicit) {
  tsr_val v;
  TSR_TRY(implicit_element(c, false, &v));
  return tsr_ret(c, 0, v);
}

/* ---- tensors out of numbers ---- */

static tsr_dtype number_dtype(tsr_tag tag, bool wide) {
  switch (tag) {
  case TSR_V_BOOL: return TSR_BOOL;
  case TSR_V_INT: return TSR_INT64;
  case TSR_V_FLOAT: return wide ? TSR_FLOAT64 : TSR_FLOAT32;
  default: return wide ? TSR_COMPLEX128 : TSR_COMPLEX64;
  }
}

TSR_KERNEL(num_to_tensor) {
  tsr_tensor *y;
  tsr_scalar s = tsr_arg_scalar(c, 0);
  TSR_TRY(tsr_new_scalar(c->ctx, &y, number_dtype(s.tag, true), s));
  return tsr_ret_tensor(c, 0, y);
}

TSR_KERNEL(scalar_tensor) {
  tsr_tensor *y;
  tsr_scalar s = tsr_arg_scalar(c, 0);
  tsr_dtype dflt = s.tag == TSR_V_COMPLEX ? TSR_COMPLEX64 : TSR_FLOAT32;
  TSR_TRY(tsr_factory_dtype(c, 1, dflt, &dflt));
  TSR_TRY(tsr_scalar_check(c->ctx, s, dflt));
  TSR_TRY(tsr_new_scalar(c->ctx, &y, dflt, s));
  return tsr_ret_tensor(c, 0, y);
}

/* Convert to the dtype argument (1), and apply requires_grad (3) where the row has one. */
static tsr_status ret_created(tsr_call *c, tsr_tensor *y) {
  tsr_dtype dtype;
  TSR_TRY(tsr_dtype_arg(c, 1, (tsr_dtype)y->dtype, &dtype));
  TSR_TRY(tsr_to_dtype(c->ctx, &y, y, dtype));
  if (c->nargs > 3) TSR_TRY(set_requires_grad(c, y, tsr_arg_bool(c, 3)));
  return tsr_ret_tensor(c, 0, y);
}

/* Numbers pass through the default dtype first: tensor(0.1, dtype=float64) holds float32's 0.1. */
TSR_KERNEL(tensor_number) {
  tsr_tensor *y;
  tsr_scalar s = tsr_arg_scalar(c, 0);
  tsr_dtype dtype = number_dtype(s.tag, false);
  TSR_TRY(tsr_scalar_check(c->ctx, s, dtype));
  TSR_TRY(tsr_new_scalar(c->ctx, &y, dtype, s));
  return ret_created(c, y);
}

static tsr_status bad_element(tsr_ctx *ctx, const tsr_type *elem, bool empty) {
  tsr_buf b = {0};
  if (elem != NULL) tsr_type_print(elem, &b);
  tsr_status st = tsr_op_fail(ctx, "Input must be of ints, floats, or bools, got %s%s", b.data != NULL ? b.data : "values",
                              !empty ? ""
                                     : "\nEmpty lists default to List[Tensor]. Add a variable annotation to the assignment to "
                                       "create an empty list of another type (torch.jit.annotate(List[T, []]) where T is the type "
                                       "of elements in the list for Python 2)");
  tsr_buf_dispose(&b);
  return st;
}

/* Sizes along first elements, and the innermost declared element type. */
static tsr_status list_shape(tsr_ctx *ctx, const tsr_list *l, int *ndim, int64_t *size, const tsr_type **elem) {
  *ndim = 0;
  *elem = l->elem;
  bool open = true;
  for (;;) {
    if (*ndim == TSR_MAX_NDIM) return tsr_check_ndim(ctx, TSR_MAX_NDIM + 1);
    if (open) size[(*ndim)++] = (int64_t)l->len;
    *elem = l->elem;
    if (l->len == 0 || l->items[0].tag != TSR_V_LIST) break;
    l = l->items[0].l;
  }
  while (*elem != NULL && (*elem)->kind == TSR_T_LIST) *elem = (*elem)->args[0];
  return TSR_OK;
}

static bool element_dtype(const tsr_type *t, tsr_val first, tsr_dtype *out) {
  tsr_tag tag = (tsr_tag)first.tag;
  if (t != NULL && t->kind == TSR_T_INT) tag = TSR_V_INT;
  else if (t != NULL && t->kind == TSR_T_FLOAT) tag = TSR_V_FLOAT;
  else if (t != NULL && t->kind == TSR_T_BOOL) tag = TSR_V_BOOL;
  else if (t != NULL && t->kind == TSR_T_COMPLEX) tag = TSR_V_COMPLEX;
  if (tag != TSR_V_INT && tag != TSR_V_FLOAT && tag != TSR_V_BOOL && tag != TSR_V_COMPLEX) return false;
  *out = number_dtype(tag, false);
  return true;
}

static bool store_number(tsr_dtype dtype, void *data, int64_t at, tsr_val v) {
  switch (dtype) {
  case TSR_BOOL: ((uint8_t *)data)[at] = v.tag == TSR_V_BOOL && v.b; return v.tag == TSR_V_BOOL;
  case TSR_INT64: ((int64_t *)data)[at] = v.i; return v.tag == TSR_V_INT;
  case TSR_FLOAT32: ((float *)data)[at] = v.tag == TSR_V_INT ? (float)v.i : (float)v.d; return v.tag == TSR_V_FLOAT || v.tag == TSR_V_INT;
  default: break;
  }
  if (v.tag != TSR_V_COMPLEX) return false;
  ((tsr_c64 *)data)[at] = (tsr_c64){(float)v.c->z.re, (float)v.c->z.im};
  return true;
}

/* Fill from nested lists; at: next linear position. */
static tsr_status store_list(tsr_ctx *ctx, const tsr_tensor *y, void *data, const tsr_list *l, int d, int64_t *at) {
  if ((int64_t)l->len != y->size[d])
    return tsr_op_fail(ctx, "Expected sequence of length %lld at dim %d (got %zu)", (long long)y->size[d], d, l->len);
  for (size_t i = 0; i < l->len; i++) {
    tsr_val v = l->items[i];
    if (d + 1 < y->ndim) {
      if (v.tag != TSR_V_LIST) return bad_element(ctx, l->elem, false);
      TSR_TRY(store_list(ctx, y, data, v.l, d + 1, at));
    } else if (!store_number((tsr_dtype)y->dtype, data, (*at)++, v)) {
      return bad_element(ctx, l->elem, false);
    }
  }
  return TSR_OK;
}

TSR_KERNEL(tensor_list) {
  const tsr_list *l = tsr_arg_list(c, 0);
  int ndim;
  int64_t size[TSR_MAX_NDIM], at = 0;
  const tsr_type *elem;
  TSR_TRY(list_shape(c->ctx, l, &ndim, size, &elem));
  const tsr_list *inner = l;
  while (inner->len > 0 && inner->items[0].tag == TSR_V_LIST) inner = inner->items[0].l;
  if (elem->kind == TSR_T_COMPLEX) return tsr_op_fail(c->ctx, "Add new condition, expected Float, Complex, Int, or Bool but gotcomplex");
  tsr_dtype dtype;
  if (!element_dtype(elem, inner->len > 0 ? inner->items[0] : tsr_none(), &dtype)) return bad_element(c->ctx, elem, ndim == 1 && size[0] == 0);
  tsr_tensor *y;
  void *data;
  TSR_TRY(tsr_new(c->ctx, &y, dtype, ndim, size));
  TSR_TRY(tsr_data_mut(c->ctx, y, &data));
  if (y->numel > 0) TSR_TRY(store_list(c->ctx, y, data, l, 0, &at));
  return ret_created(c, y);
}

TSR_KERNEL(as_tensor) {
  tsr_tensor *y = tsr_arg_tensor(c, 0);
  tsr_dtype dtype;
  TSR_TRY(tsr_dtype_arg(c, 1, (tsr_dtype)y->dtype, &dtype));
  TSR_TRY(tsr_to_dtype(c->ctx, &y, y, dtype));
  return tsr_ret_tensor(c, 0, y);
}

/* An operand of result_type: a tensor, or a number as a wrapped tensor. */
static tsr_status typed_operand(tsr_call *c, uint32_t i, tsr_tensor **out) {
  *out = tsr_arg_opt_tensor(c, i);
  if (*out != NULL) return TSR_OK;
  tsr_scalar s = tsr_arg_scalar(c, i);
  TSR_TRY(tsr_new_scalar(c->ctx, out, number_dtype(s.tag, true), s));
  (*out)->wrapped_number = 1;
  return TSR_OK;
}

TSR_KERNEL(result_type) {
  tsr_tensor *pair[2];
  TSR_TRY(typed_operand(c, 0, &pair[0]));
  TSR_TRY(typed_operand(c, 1, &pair[1]));
  return tsr_ret_int(c, tsr_result_type(pair, 2));
}

TSR_KERNEL(same_storage_numel) {
  const tsr_tensor *a = tsr_arg_tensor(c, 0), *b = tsr_arg_tensor(c, 1);
  return tsr_ret_bool(c, a->storage->nbytes / tsr_tensor_itemsize(a) == b->storage->nbytes / tsr_tensor_itemsize(b));
}

TSR_KERNEL(ints_to_tensor) {
  int64_t n;
  const int64_t *xs;
  tsr_tensor *y;
  void *p;
  TSR_TRY(tsr_ints_arg(c, 0, &xs, &n));
  TSR_TRY(tsr_new(c->ctx, &y, TSR_INT32, 1, &n));
  TSR_TRY(tsr_data_mut(c->ctx, y, &p));
  tsr_convert(TSR_INT32, p, TSR_INT64, xs, n);
  return tsr_ret_tensor(c, 0, y);
}

TSR_KERNEL(tensor_to_ints) {
  tsr_tensor *x = tsr_arg_tensor(c, 0);
  if (x->dtype != TSR_INT32) return tsr_op_fail(c->ctx, "expected scalar type Int but found %s", tsr_dtype_get_info(x->dtype)->cpp_name);
  TSR_TRY(tsr_ready(c->ctx, &x, x, TSR_INT64));
  return tsr_ret_ints(c, 0, tsr_tensor_data_ro(x), x->numel);
}

TSR_KERNEL(retain_grad) {
  if (tsr_arg_tensor(c, 0)->requires_grad) return TSR_OK;
  return tsr_op_fail(c->ctx, "can't retain_grad on Tensor that has requires_grad=False");
}

const tsr_op tsr_ops_attrs[] = {
    {"aten::size.int(Tensor self, int dim) -> int", op_size_int, TSR_PURE | TSR_ANY_LAYOUT | TSR_ANY_ORDER},
    {"aten::size(Tensor self) -> int[]", op_size, TSR_PURE | TSR_ANY_LAYOUT | TSR_ANY_ORDER},
    {"aten::sym_size.int(Tensor self, int dim) -> SymInt", op_size_int, TSR_PURE | TSR_ANY_LAYOUT},
    {"aten::sym_size(Tensor self) -> SymInt[]", op_size, TSR_PURE | TSR_ANY_LAYOUT},
    {"aten::stride.int(Tensor self, int dim) -> int", op_stride_int, TSR_PURE | TSR_ANY_LAYOUT},
    {"aten::stride(Tensor self) -> int[]", op_stride, TSR_PURE | TSR_ANY_LAYOUT},
    {"aten::sym_stride.int(Tensor self, int dim) -> SymInt", op_stride_int, TSR_PURE | TSR_ANY_LAYOUT},
    {"aten::sym_stride(Tensor self) -> SymInt[]", op_stride, TSR_PURE | TSR_ANY_LAYOUT},
    {"aten::len.Tensor(Tensor t) -> int", op_len, TSR_PURE | TSR_ANY_LAYOUT | TSR_ANY_ORDER},
    {"aten::dim(Tensor self) -> int", op_dim, TSR_PURE | TSR_ANY_LAYOUT | TSR_ANY_ORDER},
    {"aten::numel(Tensor self) -> int", op_numel, TSR_PURE | TSR_ANY_LAYOUT | TSR_ANY_ORDER},
    {"aten::sym_numel(Tensor self) -> SymInt", op_numel, TSR_PURE | TSR_ANY_LAYOUT},
    {"aten::storage_offset(Tensor self) -> int", op_storage_offset, TSR_PURE | TSR_ANY_LAYOUT},
    {"aten::sym_storage_offset(Tensor self) -> SymInt", op_storage_offset, TSR_PURE | TSR_ANY_LAYOUT},
    {"aten::element_size(Tensor self) -> int", op_element_size, TSR_PURE | TSR_ANY_LAYOUT},
    {"prim::itemsize(Tensor a) -> int", op_element_size, TSR_PURE | TSR_ANY_LAYOUT},
    {"prim::nbytes(Tensor a) -> int", op_nbytes, TSR_PURE | TSR_ANY_LAYOUT},
    {"aten::is_floating_point(Tensor self) -> bool", op_is_floating_point, TSR_PURE | TSR_ANY_LAYOUT},
    {"aten::is_complex(Tensor self) -> bool", op_is_complex, TSR_PURE | TSR_ANY_LAYOUT},
    {"aten::is_signed(Tensor self) -> bool", op_is_signed, TSR_PURE | TSR_ANY_LAYOUT},
    {"aten::is_same_size(Tensor self, Tensor other) -> bool", op_is_same_size, TSR_PURE | TSR_ANY_LAYOUT},
    {"aten::is_set_to(Tensor self, Tensor tensor) -> bool", op_is_set_to, TSR_PURE | TSR_ANY_LAYOUT},
    {"aten::is_contiguous(Tensor self) -> bool", op_is_contiguous, TSR_PURE | TSR_ANY_LAYOUT},
    {"aten::is_contiguous.memory_format(Tensor self, MemoryFormat memory_format) -> bool", op_is_contiguous, TSR_PURE | TSR_ANY_LAYOUT},
    {"aten::sym_is_contiguous(Tensor self, MemoryFormat memory_format=0) -> SymBool", op_is_contiguous, TSR_PURE | TSR_ANY_LAYOUT},
    {"aten::is_strides_like_format(Tensor self, MemoryFormat memory_format) -> bool", op_is_strides_like, TSR_PURE | TSR_ANY_LAYOUT},
    {"aten::is_non_overlapping_and_dense(Tensor self) -> bool", op_is_dense, TSR_PURE | TSR_ANY_LAYOUT},
    {"aten::is_inference(Tensor self) -> bool", op_no, TSR_PURE | TSR_ANY_LAYOUT},
    {"aten::is_conj(Tensor self) -> bool", op_no, TSR_PURE | TSR_ANY_LAYOUT},
    {"aten::is_neg(Tensor self) -> bool", op_no, TSR_PURE | TSR_ANY_LAYOUT},
    {"aten::is_distributed(Tensor self) -> bool", op_no, TSR_PURE | TSR_ANY_LAYOUT},
    {"aten::is_pinned(Tensor self, Device? device=None) -> bool", op_no, TSR_PURE | TSR_ANY_LAYOUT},
    {"aten::is_leaf(Tensor self) -> bool", op_yes, TSR_PURE | TSR_ANY_LAYOUT},
    {"aten::output_nr(Tensor self) -> int", op_zero, TSR_PURE | TSR_ANY_LAYOUT},
    {"aten::_version(Tensor self) -> int", op_zero, TSR_PURE | TSR_ANY_LAYOUT},
    {"aten::get_device(Tensor self) -> int", op_minus_one, TSR_PURE | TSR_ANY_LAYOUT},
    {"aten::retain_grad(Tensor(a!) self) -> ()", op_retain_grad, TSR_ANY_LAYOUT},
    {"aten::data(Tensor self) -> Tensor", op_data, TSR_PURE | TSR_ANY_LAYOUT},
    {"prim::data(Tensor(a) a) -> Tensor(a)", op_data, TSR_PURE | TSR_ANY_LAYOUT},
    {"aten::requires_grad_(Tensor(a!) self, bool requires_grad=True) -> Tensor(a!)", op_requires_grad_set, TSR_ANY_LAYOUT},
    {"prim::dtype(Tensor a) -> int", op_dtype, TSR_PURE | TSR_ANY_LAYOUT},
    {"prim::layout(Tensor a) -> Layout", op_layout, TSR_PURE | TSR_ANY_LAYOUT},
    {"prim::device(Tensor a) -> Device", op_device, TSR_PURE | TSR_ANY_LAYOUT},
    {"prim::requires_grad(Tensor a) -> bool", op_requires_grad, TSR_ANY_LAYOUT},
    {"prim::grad(Tensor a) -> Tensor(*)", op_none, TSR_PURE | TSR_ANY_LAYOUT},
    {"prim::name(Tensor a) -> str?", op_none, TSR_PURE | TSR_ANY_LAYOUT},
    {"prim::is_cpu(Tensor a) -> bool", op_yes, TSR_PURE | TSR_ANY_LAYOUT},
    {"prim::is_cuda(Tensor a) -> bool", op_no, TSR_PURE | TSR_ANY_LAYOUT},
    {"prim::is_meta(Tensor a) -> bool", op_no, TSR_PURE | TSR_ANY_LAYOUT},
    {"prim::is_maia(Tensor a) -> bool", op_no, TSR_PURE | TSR_ANY_LAYOUT},
    {"prim::is_mtia(Tensor a) -> bool", op_no, TSR_PURE | TSR_ANY_LAYOUT},
    {"prim::is_ipu(Tensor a) -> bool", op_no, TSR_PURE | TSR_ANY_LAYOUT},
    {"prim::is_vulkan(Tensor a) -> bool", op_no, TSR_PURE | TSR_ANY_LAYOUT},
    {"prim::is_mps(Tensor a) -> bool", op_no, TSR_PURE | TSR_ANY_LAYOUT},
    {"prim::is_mkldnn(Tensor a) -> bool", op_no, TSR_PURE | TSR_ANY_LAYOUT},
    {"prim::is_xpu(Tensor a) -> bool", op_no, TSR_PURE | TSR_ANY_LAYOUT},
    {"prim::is_xla(Tensor a) -> bool", op_no, TSR_PURE | TSR_ANY_LAYOUT},
    {"prim::is_quantized(Tensor a) -> bool", op_is_quantized, TSR_PURE | TSR_ANY_LAYOUT},
    {"prim::is_sparse(Tensor a) -> bool", op_is_sparse, TSR_PURE | TSR_ANY_LAYOUT},
    {"prim::is_sparse_csr(Tensor a) -> bool", op_is_sparse_csr, TSR_PURE | TSR_ANY_LAYOUT},
    {"aten::item(Tensor self) -> Scalar", op_item, TSR_PURE},
    {"aten::_local_scalar_dense(Tensor self) -> Scalar", op_first_item, TSR_PURE},
    {"aten::Int.Tensor(Tensor a) -> int", op_int_tensor, TSR_PURE},
    {"aten::Float.Tensor(Tensor a) -> float", op_float_tensor, TSR_PURE},
    {"aten::Bool.Tensor(Tensor a) -> bool", op_bool_tensor, TSR_PURE},
    {"aten::is_nonzero(Tensor self) -> bool", op_bool_tensor, TSR_PURE},
    {"aten::IntImplicit(Tensor a) -> int", op_int_implicit, TSR_PURE},
    {"aten::FloatImplicit(Tensor a) -> float", op_float_implicit, TSR_PURE},
    {"aten::ComplexImplicit(Tensor a) -> complex", op_complex_implicit, TSR_PURE},
    {"aten::ScalarImplicit(Tensor a) -> Scalar", op_scalar_implicit, TSR_PURE},
    {"prim::NumToTensor.Scalar(Scalar a) -> Tensor", op_num_to_tensor, TSR_PURE},
    {"prim::NumToTensor.bool(bool a) -> Tensor", op_num_to_tensor, TSR_PURE},
    {"aten::scalar_tensor(Scalar s, *, ScalarType? dtype=None, Layout? layout=None, Device? device=None, bool? pin_memory=None) -> Tensor",
     op_scalar_tensor, TSR_PURE},
    {"aten::scalar_tensor.out(Scalar s, *, Tensor(a!) out) -> Tensor(a!)", op_scalar_tensor, TSR_OUT_PLAIN},
    {"aten::tensor.bool(bool t, *, ScalarType? dtype=None, Device? device=None, bool requires_grad=False) -> Tensor",
     op_tensor_number, TSR_PURE|TSR_NOOPT},
    {"aten::tensor.float(float t, *, ScalarType? dtype=None, Device? device=None, bool requires_grad=False) -> Tensor",
     op_tensor_number, TSR_PURE|TSR_NOOPT},
    {"aten::tensor.int(int t, *, ScalarType? dtype=None, Device? device=None, bool requires_grad=False) -> Tensor",
     op_tensor_number, TSR_PURE|TSR_NOOPT},
    {"aten::tensor.complex(complex t, *, ScalarType? dtype=None, Device? device=None, bool requires_grad=False) -> Tensor",
     op_tensor_number, TSR_PURE|TSR_NOOPT},
    {"aten::tensor(t[] data, *, ScalarType? dtype=None, Device? device=None, bool requires_grad=False) -> Tensor",
     op_tensor_list, TSR_PURE|TSR_NOOPT},
    {"aten::as_tensor.bool(bool t, *, ScalarType? dtype=None, Device? device=None) -> Tensor",
     op_tensor_number, TSR_PURE|TSR_NOOPT},
    {"aten::as_tensor.float(float t, *, ScalarType? dtype=None, Device? device=None) -> Tensor",
     op_tensor_number, TSR_PURE|TSR_NOOPT},
    {"aten::as_tensor.int(int t, *, ScalarType? dtype=None, Device? device=None) -> Tensor", op_tensor_number, TSR_PURE|TSR_NOOPT},
    {"aten::as_tensor.complex(complex t, *, ScalarType? dtype=None, Device? device=None) -> Tensor",
     op_tensor_number, TSR_PURE|TSR_NOOPT},
    {"aten::as_tensor(Tensor(a) data, *, ScalarType? dtype=None, Device? device=None) -> Tensor(b|a)", op_as_tensor, TSR_PURE},
    {"aten::as_tensor.list(t[] data, *, ScalarType? dtype=None, Device? device=None) -> Tensor",
     op_tensor_list, TSR_PURE|TSR_NOOPT},
    {"aten::result_type.Tensor(Tensor tensor, Tensor other) -> ScalarType",
     op_result_type, TSR_PURE},
    {"aten::result_type.Scalar(Tensor tensor, Scalar other) -> ScalarType",
     op_result_type, TSR_PURE},
    {"aten::result_type.Scalar_Tensor(Scalar scalar, Tensor tensor) -> ScalarType",
     op_result_type, TSR_PURE},
    {"aten::_has_same_storage_numel(Tensor self, Tensor other) -> bool",
     op_same_storage_numel, TSR_PURE},
    {"aten::_is_zerotensor(Tensor self) -> bool",
     op_no, TSR_PURE},
    {"aten::retains_grad(Tensor self) -> bool",
     op_no, TSR_PURE},
    {"aten::_list_to_tensor(int[] self) -> Tensor",
     op_ints_to_tensor, TSR_PURE},
    {"aten::_tensor_to_list(Tensor self) -> int[]",
     op_tensor_to_ints, TSR_PURE},
    {0},
};
