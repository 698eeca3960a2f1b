/* Factories with given or copied shapes: empty, zeros, ones, full, their new_ and _like forms, resize_. */
#include <float.h>
#include <math.h>

#include "ops/create.h"
#include "ops/native.h"
#include "ops/shape.h"

tsr_tensor *tsr_factory_out(const tsr_call *c, uint32_t opt) {
  return c->nargs > opt && c->args[c->nargs - 1].tag == TSR_V_TENSOR ? c->args[c->nargs - 1].t : NULL;
}

tsr_status tsr_dtype_arg(tsr_call *c, uint32_t i, tsr_dtype dflt, tsr_dtype *out) {
  int64_t code = tsr_arg_int_or(c, i, dflt);
  *out = dflt;
  if (!tsr_dtype_is_known(code) || tsr_dtype_size((tsr_dtype)code) == 0 || tsr_dtype_is_quantized((tsr_dtype)code))
    return tsr_fail(&c->ctx->err, TSR_EUNSUPPORTED, "creating tensors of dtype code %lld is not supported", (long long)code);
  *out = (tsr_dtype)code;
  return TSR_OK;
}

tsr_status tsr_factory_dtype(tsr_call *c, uint32_t opt, tsr_dtype dflt, tsr_dtype *out) {
  *out = dflt;
  const tsr_tensor *into = tsr_factory_out(c, opt);
  if (into != NULL) {
    *out = (tsr_dtype)into->dtype;
    return TSR_OK;
  }
  if (opt + 1 >= c->nargs) {
    tsr_out_dtype(c, 0, out); /* what is created to be copied into an out argument has its element type */
    return TSR_OK;
  }
  if (c->args[opt + 1].tag == TSR_V_INT && c->args[opt + 1].i != 0)
    return tsr_fail(&c->ctx->err, TSR_EUNSUPPORTED, "creating tensors of layout %lld is not supported", (long long)c->args[opt + 1].i);
  return tsr_dtype_arg(c, opt, dflt, out);
}

static bool same_shape(const tsr_tensor *t, int64_t ndim, const int64_t *size) {
  return t->ndim == ndim && memcmp(t->size, size, (size_t)ndim * sizeof *size) == 0;
}

tsr_status tsr_factory_new(tsr_call *c, uint32_t opt, tsr_dtype dflt, int64_t ndim, const int64_t *size, tsr_tensor **out) {
  tsr_dtype dtype;
  TSR_TRY(tsr_check_ndim(c->ctx, ndim));
  TSR_TRY(tsr_factory_dtype(c, opt, dflt, &dtype));
  *out = tsr_factory_out(c, opt);
  if (*out == NULL) return tsr_new(c->ctx, out, dtype, (int)ndim, size);
  if (same_shape(*out, ndim, size)) return TSR_OK;
  for (int64_t d = 0; d < ndim; d++)
    if (size[d] < 0) return tsr_op_fail(c->ctx, "numel: integer multiplication overflow"); /* what a resize to it says */
  return tsr_resize(c->ctx, *out, (int)ndim, size);
}

tsr_status tsr_format_strides(tsr_ctx *ctx, int64_t format, int ndim, const int64_t *size, int64_t *stride) {
  switch (format) {
  case 0: tsr_strides_contiguous(ndim, size, stride); return TSR_OK;
  case 2:
    if (ndim != 4) return tsr_op_fail(ctx, "required rank 4 tensor to use channels_last format");
    break;
  case 3:
    if (ndim != 5) return tsr_op_fail(ctx, "required rank 5 tensor to use channels_last_3d format");
    break;
  default: return tsr_op_fail(ctx, "unsupported memory format Preserve");
  }
  tsr_strides_channels_last(ndim, size, stride);
  return TSR_OK;
}

/* Memory format argument right after the four options, or right before out=. */
static int64_t format_arg(const tsr_call *c, uint32_t opt, int64_t dflt) {
  uint32_t at = c->outs != NULL ? opt : tsr_factory_out(c, opt) != NULL ? c->nargs - 2 : opt + 4;
  return at < c->nargs && at >= opt && c->args[at].tag == TSR_V_INT ? c->args[at].i : dflt;
}

tsr_status tsr_factory_like(tsr_call *c, uint32_t opt, tsr_tensor **out) {
  const tsr_tensor *x = tsr_arg_tensor(c, 0);
  int64_t format = format_arg(c, opt, 1), stride[TSR_MAX_NDIM];
  tsr_dtype dtype;
  TSR_TRY(tsr_factory_dtype(c, opt, (tsr_dtype)x->dtype, &dtype));
  if (tsr_factory_out(c, opt) != NULL) return tsr_factory_new(c, opt, dtype, x->ndim, x->size, out);
  if (format == 1) return tsr_new_like(c->ctx, out, x, dtype);
  TSR_TRY(tsr_format_strides(c->ctx, format, x->ndim, x->size, stride));
  return tsr_new_strided(c->ctx, out, dtype, x->ndim, x->size, stride);
}

/* PyTorch leaves these tensors uninitialised; zeros make every run the same and give away no old data. */
static tsr_status clear(tsr_ctx *ctx, tsr_tensor *y) {
  void *p;
  TSR_TRY(tsr_data_mut(ctx, y, &p));
  if (y->numel > 0 && tsr_obj_is_unique(y->storage)) memset(y->storage->data, 0, y->storage->nbytes);
  return TSR_OK;
}

TSR_KERNEL(empty) {
  int64_t n, stride[TSR_MAX_NDIM];
  const int64_t *size;
  tsr_tensor *y;
  TSR_TRY(tsr_ints_arg(c, 0, &size, &n));
  TSR_TRY(tsr_check_ndim(c->ctx, n));
  for (int64_t d = 0; d < n; d++)
    if (size[d] < 0 && tsr_factory_out(c, 1) != NULL) return tsr_new(c->ctx, &y, TSR_FLOAT32, (int)n, size); /* refuses it before there is a resize */
  TSR_TRY(tsr_factory_new(c, 1, TSR_FLOAT32, n, size, &y));
  TSR_TRY(clear(c->ctx, y));
  int64_t format = format_arg(c, 1, 0);
  if (format != 0) {
    TSR_TRY(tsr_format_strides(c->ctx, format, y->ndim, y->size, stride));
    if (!tsr_tensor_set_dims(y, y->ndim, size, stride)) return tsr_op_nomem(c->ctx);
  }
  return tsr_ret_tensor(c, 0, y);
}

/* Row data of the constant factories: the value, or NULL for a Scalar argument. */
static const int64_t value_zero = 0, value_one = 1, value_nothing = 0; /* the last: of _efficientzerotensor */

/* PyTorch's names of the C types in conversion errors. */
static const char *c_name(tsr_dtype dtype) {
  switch (dtype) {
  case TSR_UINT8: return "uint8_t";
  case TSR_INT8: return "int8_t";
  case TSR_INT16: return "int16_t";
  case TSR_INT32: return "int";
  case TSR_INT64: return "int64_t";
  case TSR_FLOAT16: return "c10::Half";
  case TSR_BFLOAT16: return "c10::BFloat16";
  case TSR_FLOAT32: return "float";
  case TSR_FLOAT64: return "double";
  default: return tsr_dtype_name(dtype);
  }
}

tsr_status tsr_scalar_check(tsr_ctx *ctx, tsr_scalar s, tsr_dtype dtype) {
  bool fits = true, integral = tsr_dtype_is_integral(dtype, false);
  double v = s.z.re, top = tsr_dtype_max(dtype);
  if (dtype == TSR_COMPLEX64 && ((isfinite(v) && fabs(v) > FLT_MAX) || (isfinite(s.z.im) && fabs(s.z.im) > FLT_MAX))) {
    return tsr_op_fail(ctx, "value cannot be converted to type c10::complex<float> without overflow");
  }
  if (dtype == TSR_BOOL || tsr_dtype_is_complex(dtype)) return TSR_OK;
  if (s.tag == TSR_V_COMPLEX && s.z.im != 0) fits = false;
  else if (!integral) fits = isnan(v) || isinf(v) || fabs(v) <= top;
  else if (s.tag == TSR_V_INT || s.tag == TSR_V_BOOL) fits = dtype == TSR_INT64 || (v <= top && v >= (dtype == TSR_UINT8 ? -top : -top - 1));
  else fits = dtype == TSR_INT64 ? v >= -top && v < top : v <= top && v >= (dtype == TSR_UINT8 ? -top : -top - 1);
  return fits ? TSR_OK : tsr_op_fail(ctx, "value cannot be converted to type %s without overflow", c_name(dtype));
}

static tsr_status ret_filled(tsr_call *c, tsr_tensor *y, uint32_t scalar_arg) {
  const int64_t *fixed = c->op->data;
  if (fixed == NULL) TSR_TRY(tsr_scalar_check(c->ctx, tsr_arg_scalar(c, scalar_arg), (tsr_dtype)y->dtype));
  TSR_TRY(tsr_fill(c->ctx, y, fixed != NULL ? tsr_scalar_int(*fixed) : tsr_arg_scalar(c, scalar_arg)));
  return tsr_ret_tensor(c, 0, y);
}

TSR_KERNEL(constant) {
  int64_t n;
  const int64_t *size;
  tsr_tensor *y;
  TSR_TRY(tsr_ints_arg(c, 0, &size, &n));
  for (int64_t d = 0; d < n; d++)
    if (size[d] < 0 && c->op->data == &value_zero && c->outs == NULL && tsr_factory_out(c, 1) == NULL) return tsr_op_fail(c->ctx, "zeros: Dimension size must be non-negative.");
  TSR_TRY(tsr_factory_new(c, 1, TSR_FLOAT32, n, size, &y));
  return ret_filled(c, y, 0);
}

static tsr_dtype scalar_dtype(tsr_scalar s) {
  switch (s.tag) {
  case TSR_V_BOOL: return TSR_BOOL;
  case TSR_V_INT: return TSR_INT64;
  case TSR_V_COMPLEX: return TSR_COMPLEX64;
  default: return TSR_FLOAT32;
  }
}

TSR_KERNEL(full) {
  int64_t n;
  const int64_t *size;
  tsr_tensor *y;
  TSR_TRY(tsr_ints_arg(c, 0, &size, &n));
  TSR_TRY(tsr_factory_new(c, 2, scalar_dtype(tsr_arg_scalar(c, 1)), n, size, &y));
  return ret_filled(c, y, 1);
}

TSR_KERNEL(empty_like) {
  tsr_tensor *y;
  TSR_TRY(tsr_factory_like(c, 1, &y));
  TSR_TRY(clear(c->ctx, y));
  return tsr_ret_tensor(c, 0, y);
}

TSR_KERNEL(constant_like) {
  tsr_tensor *y;
  TSR_TRY(tsr_factory_like(c, 1, &y));
  return ret_filled(c, y, 0);
}

TSR_KERNEL(full_like) {
  tsr_tensor *y;
  TSR_TRY(tsr_factory_like(c, 2, &y));
  return ret_filled(c, y, 1);
}

static tsr_status new_sized(tsr_call *c, uint32_t opt, tsr_tensor **y) {
  int64_t n;
  const int64_t *size;
  TSR_TRY(tsr_ints_arg(c, 1, &size, &n));
  return tsr_factory_new(c, opt, (tsr_dtype)tsr_arg_tensor(c, 0)->dtype, n, size, y);
}

TSR_KERNEL(new_empty) {
  tsr_tensor *y;
  TSR_TRY(new_sized(c, 2, &y));
  TSR_TRY(clear(c->ctx, y));
  return tsr_ret_tensor(c, 0, y);
}

TSR_KERNEL(new_constant) {
  tsr_tensor *y;
  TSR_TRY(new_sized(c, 2, &y));
  return ret_filled(c, y, 0);
}

TSR_KERNEL(new_full) {
  tsr_tensor *y;
  TSR_TRY(new_sized(c, 3, &y));
  return ret_filled(c, y, 2);
}

static tsr_status empty_strided(tsr_call *c, uint32_t at, tsr_dtype dflt) {
  int64_t n, m, numel;
  const int64_t *size, *stride;
  char a[512], b[512];
  tsr_tensor *y;
  TSR_TRY(tsr_ints_arg(c, at, &size, &n));
  TSR_TRY(tsr_ints_arg(c, at + 1, &stride, &m));
  if (n != m)
    return tsr_op_fail(c->ctx, "dimensionality of sizes (%lld) must match dimensionality of strides (%lld)", (long long)n, (long long)m);
  tsr_dtype dtype;
  TSR_TRY(tsr_check_ndim(c->ctx, n));
  TSR_TRY(tsr_factory_dtype(c, at + 2, dflt, &dtype));
  for (int64_t d = 0; d < n; d++)
    if (size[d] < 0) return tsr_new(c->ctx, &y, dtype, (int)n, size);
  bool fits = tsr_numel((int)n, size, &numel);
  int64_t own[TSR_MAX_NDIM];
  for (int64_t d = n - 1; d >= 0; d--) { /* one that reaches nothing may be negative: it becomes what order in memory would give */
    bool reaches = size[d] > 1 && numel != 0;
    own[d] = stride[d] >= 0 || reaches ? stride[d] : d == n - 1 ? 1 : (int64_t)((uint64_t)TSR_MAX(size[d + 1], (int64_t)1) * (uint64_t)own[d + 1]);
  }
  stride = own;
  for (int64_t d = 0; d < n && fits; d++) {
    int64_t span;
    fits = stride[d] >= 0 && (numel == 0 || !tsr_mul_overflow(size[d], stride[d], &span));
  }
  if (!fits) {
    tsr_sizes_print(a, sizeof a, (int)n, size);
    tsr_sizes_print(b, sizeof b, (int)n, stride);
    return tsr_op_fail(c->ctx, "Storage size calculation overflowed with sizes=%s and strides=%s", a, b);
  }
  TSR_TRY(tsr_new_strided(c->ctx, &y, dtype, (int)n, size, stride));
  TSR_TRY(clear(c->ctx, y));
  return tsr_ret_tensor(c, 0, y);
}

TSR_KERNEL(empty_strided) { return empty_strided(c, 0, TSR_FLOAT32); }
TSR_KERNEL(new_empty_strided) { return empty_strided(c, 1, (tsr_dtype)tsr_arg_tensor(c, 0)->dtype); }

TSR_KERNEL(empty_permuted) {
  int64_t n, m, physical[TSR_MAX_NDIM], stride[TSR_MAX_NDIM];
  const int64_t *size, *order;
  bool seen[TSR_MAX_NDIM] = {false};
  tsr_dtype dtype;
  tsr_tensor *y;
  TSR_TRY(tsr_ints_arg(c, 0, &size, &n));
  TSR_TRY(tsr_ints_arg(c, 1, &order, &m));
  TSR_TRY(tsr_check_ndim(c->ctx, n));
  if (n != m)
    return tsr_op_fail(c->ctx, "Number of dimensions in size does not match the length of the physical_layout; i.e. len(size) = %lld is not equal to len(physical_layout) = %lld",
                       (long long)n, (long long)m);
  for (int64_t i = 0; i < n; i++) {
    if (order[i] < 0 || order[i] >= n)
      return tsr_op_fail(c->ctx, "Dimension out of range (expected to be between 0 and %lld, but got %lld at index %lld).  NB: negative dims not currently supported; file an issue if you want it.",
                         (long long)n - 1, (long long)order[i], (long long)i);
    if (seen[order[i]]) return tsr_op_fail(c->ctx, "Duplicate dim not allowed");
    seen[order[i]] = true;
    physical[i] = size[order[i]];
  }
  TSR_TRY(tsr_factory_dtype(c, 2, TSR_FLOAT32, &dtype));
  TSR_TRY(tsr_new(c->ctx, &y, dtype, (int)n, physical));
  TSR_TRY(clear(c->ctx, y));
  for (int64_t i = 0; i < n; i++) stride[order[i]] = y->stride[i];
  TSR_TRY(tsr_new_view(c->ctx, &y, y, 0, (int)n, size, stride));
  return tsr_ret_tensor(c, 0, y);
}

/* ---- resizing ---- */

static tsr_status resize_to(tsr_call *c, tsr_tensor *x, int64_t n, const int64_t *size, int64_t format) {
  int64_t numel, stride[TSR_MAX_NDIM];
  TSR_TRY(tsr_check_ndim(c->ctx, n));
  if (!tsr_numel((int)n, size, &numel)) return tsr_op_fail(c->ctx, "numel: integer multiplication overflow");
  TSR_TRY(tsr_resize(c->ctx, x, (int)n, size));
  if (format != 0) {
    TSR_TRY(tsr_format_strides(c->ctx, format, (int)n, size, stride));
    if (!tsr_tensor_set_dims(x, (int)n, size, stride)) return tsr_op_nomem(c->ctx);
  }
  return tsr_ret_tensor(c, 0, x);
}

TSR_KERNEL(resize_inplace) {
  int64_t n;
  const int64_t *size;
  TSR_TRY(tsr_ints_arg(c, 1, &size, &n));
  return resize_to(c, tsr_arg_tensor(c, 0), n, size, tsr_arg_int_or(c, 2, 0));
}

TSR_KERNEL(resize_as) {
  const tsr_tensor *like = tsr_arg_tensor(c, 1);
  int64_t format = tsr_arg_int_or(c, 2, 0);
  if (format == 1) format = tsr_tensor_is_channels_last(like) && !tsr_tensor_is_contiguous(like) ? (like->ndim == 4 ? 2 : 3) : 0;
  return resize_to(c, tsr_arg_tensor(c, 0), like->ndim, like->size, format);
}

TSR_KERNEL(resize) {
  int64_t n;
  const int64_t *size;
  tsr_tensor *y;
  TSR_TRY(tsr_ints_arg(c, 1, &size, &n));
  TSR_TRY(tsr_clone(c->ctx, &y, tsr_arg_tensor(c, 0)));
  return resize_to(c, y, n, size, tsr_arg_int_or(c, 2, 0));
}

TSR_KERNEL(resize_as_copy) {
  const tsr_tensor *like = tsr_arg_tensor(c, 1);
  tsr_tensor *y;
  TSR_TRY(tsr_clone(c->ctx, &y, tsr_arg_tensor(c, 0)));
  return resize_to(c, y, like->ndim, like->size, 0);
}

const tsr_op tsr_ops_create[] = {
    {"aten::empty.memory_format(SymInt[] size, *, " TSR_FACTORY_OPTIONS ", MemoryFormat? memory_format=None) -> Tensor",
     op_empty, TSR_NOOPT},
    {"aten::empty.out(SymInt[] size, *, MemoryFormat? memory_format=None, Tensor(a!) out) -> Tensor(a!)",
     op_empty, 0},
    {"aten::empty_like(Tensor self, *, " TSR_FACTORY_OPTIONS ", MemoryFormat? memory_format=None) -> Tensor",
     op_empty_like, TSR_NOOPT},
    {"aten::empty_like.out(Tensor self, *, MemoryFormat? memory_format=None, Tensor(a!) out) -> Tensor(a!)",
     op_empty_like, TSR_NOOPT | TSR_OUT_NEW},
    {"aten::empty_strided(SymInt[] size, SymInt[] stride, *, " TSR_FACTORY_OPTIONS ") -> Tensor",
     op_empty_strided, TSR_NOOPT},
    {"aten::empty_strided.out(SymInt[] size, SymInt[] stride, *, Tensor(a!) out) -> Tensor(a!)",
     op_empty_strided, TSR_NOOPT | TSR_OUT_NEW},
    {"aten::empty_permuted(SymInt[] size, int[] physical_layout, *, " TSR_FACTORY_OPTIONS ") -> Tensor",
     op_empty_permuted, TSR_NOOPT},
    {"aten::empty_permuted.out(SymInt[] size, int[] physical_layout, *, Tensor(a!) out) -> Tensor(a!)",
     op_empty_permuted, TSR_NOOPT | TSR_OUT_NEW},
    {"aten::new_empty(Tensor self, SymInt[] size, *, " TSR_FACTORY_OPTIONS ") -> Tensor",
     op_new_empty, TSR_NOOPT},
    {"aten::new_empty.out(Tensor self, SymInt[] size, *, Tensor(a!) out) -> Tensor(a!)",
     op_new_empty, TSR_NOOPT | TSR_OUT_NEW},
    {"aten::new_empty_strided(Tensor self, SymInt[] size, SymInt[] stride, *, " TSR_FACTORY_OPTIONS ") -> Tensor",
     op_new_empty_strided, TSR_NOOPT},
    {"aten::new_empty_strided.out(Tensor self, SymInt[] size, SymInt[] stride, *, Tensor(a!) out) -> Tensor(a!)",
     op_new_empty_strided, TSR_NOOPT | TSR_OUT_NEW},
    {"aten::zeros(SymInt[] size, *, " TSR_FACTORY_OPTIONS ") -> Tensor",
     op_constant, TSR_PURE | TSR_NOOPT, &value_zero},
    {"aten::zeros.out(SymInt[] size, *, Tensor(a!) out) -> Tensor(a!)",
     op_constant, 0, &value_zero},
    {"aten::_efficientzerotensor(SymInt[] size, *, " TSR_FACTORY_OPTIONS ") -> Tensor",
     op_constant, TSR_PURE | TSR_NOOPT, &value_nothing},
    {"aten::_efficientzerotensor.out(SymInt[] size, *, Tensor(a!) out) -> Tensor(a!)",
     op_constant, TSR_NOOPT | TSR_OUT_NEW, &value_nothing},
    {"aten::ones(SymInt[] size, *, " TSR_FACTORY_OPTIONS ") -> Tensor",
     op_constant, TSR_PURE | TSR_NOOPT, &value_one},
    {"aten::ones.out(SymInt[] size, *, Tensor(a!) out) -> Tensor(a!)",
     op_constant, 0, &value_one},
    {"aten::full(SymInt[] size, Scalar fill_value, *, " TSR_FACTORY_OPTIONS ") -> Tensor",
     op_full, TSR_PURE | TSR_NOOPT},
    {"aten::full.out(SymInt[] size, Scalar fill_value, *, Tensor(a!) out) -> Tensor(a!)",
     op_full, 0},
    {"aten::zeros_like(Tensor self, *, " TSR_FACTORY_OPTIONS ", MemoryFormat? memory_format=None) -> Tensor",
     op_constant_like, TSR_PURE | TSR_NOOPT, &value_zero},
    {"aten::zeros_like.out(Tensor self, *, MemoryFormat? memory_format=None, Tensor(a!) out) -> Tensor(a!)",
     op_constant_like, TSR_NOOPT | TSR_OUT_NEW, &value_zero},
    {"aten::ones_like(Tensor self, *, " TSR_FACTORY_OPTIONS ", MemoryFormat? memory_format=None) -> Tensor",
     op_constant_like, TSR_PURE | TSR_NOOPT, &value_one},
    {"aten::ones_like.out(Tensor self, *, MemoryFormat? memory_format=None, Tensor(a!) out) -> Tensor(a!)",
     op_constant_like, TSR_NOOPT | TSR_OUT_NEW, &value_one},
    {"aten::full_like(Tensor self, Scalar fill_value, *, " TSR_FACTORY_OPTIONS ", MemoryFormat? memory_format=None) -> Tensor",
     op_full_like, TSR_PURE | TSR_NOOPT},
    {"aten::full_like.out(Tensor self, Scalar fill_value, *, MemoryFormat? memory_format=None, Tensor(a!) out) -> Tensor(a!)",
     op_full_like, TSR_NOOPT | TSR_OUT_NEW},
    {"aten::new_zeros(Tensor self, SymInt[] size, *, " TSR_FACTORY_OPTIONS ") -> Tensor",
     op_new_constant, TSR_PURE | TSR_NOOPT, &value_zero},
    {"aten::new_zeros.out(Tensor self, SymInt[] size, *, Tensor(a!) out) -> Tensor(a!)",
     op_new_constant, TSR_NOOPT | TSR_OUT_NEW, &value_zero},
    {"aten::new_ones(Tensor self, SymInt[] size, *, " TSR_FACTORY_OPTIONS ") -> Tensor",
     op_new_constant, TSR_PURE | TSR_NOOPT, &value_one},
    {"aten::new_ones.out(Tensor self, SymInt[] size, *, Tensor(a!) out) -> Tensor(a!)",
     op_new_constant, TSR_NOOPT | TSR_OUT_NEW, &value_one},
    {"aten::new_full(Tensor self, SymInt[] size, Scalar fill_value, *, " TSR_FACTORY_OPTIONS ") -> Tensor",
     op_new_full, TSR_PURE | TSR_NOOPT},
    {"aten::new_full.out(Tensor self, SymInt[] size, Scalar fill_value, *, Tensor(a!) out) -> Tensor(a!)",
     op_new_full, TSR_NOOPT | TSR_OUT_NEW},
    {"aten::resize_(Tensor(a!) self, SymInt[] size, *, MemoryFormat? memory_format=None) -> Tensor(a!)",
     op_resize_inplace, 0},
    {"aten::resize_as_(Tensor(a!) self, Tensor the_template, *, MemoryFormat? memory_format=None) -> Tensor(a!)",
     op_resize_as, 0},
    {"aten::resize(Tensor self, SymInt[] size, *, MemoryFormat? memory_format=None) -> Tensor",
     op_resize, TSR_PURE},
    {"aten::resize.out(Tensor self, SymInt[] size, *, MemoryFormat? memory_format=None, Tensor(a!) out) -> Tensor(a!)",
     op_resize, TSR_OUT_NEW},
    {"aten::resize_as(Tensor self, Tensor the_template, *, MemoryFormat? memory_format=None) -> Tensor",
     op_resize_as_copy, TSR_PURE},
    {"aten::resize_as.out(Tensor self, Tensor the_template, *, MemoryFormat? memory_format=None, Tensor(a!) out) -> Tensor(a!)",
     op_resize_as_copy, TSR_OUT_NEW},
    {0},
};
