/* Copying, converting and filling operators. */
#include "ops/conv.h"
#include "ops/iter.h"
#include "ops/pointwise.h"

enum { CONTIGUOUS, PRESERVE, CHANNELS_LAST, CHANNELS_LAST_3D }; /* MemoryFormat codes */

static int64_t format_arg(const tsr_call *c, uint32_t i) { return i < c->nargs ? tsr_arg_int_or(c, i, PRESERVE) : PRESERVE; }

static tsr_status check_format(tsr_ctx *ctx, const tsr_tensor *t, int64_t format) {
  if (format == CHANNELS_LAST && t->ndim != 4) return tsr_op_fail(ctx, "required rank 4 tensor to use channels_last format");
  if (format == CHANNELS_LAST_3D && t->ndim != 5) return tsr_op_fail(ctx, "required rank 5 tensor to use channels_last_3d format");
  if (format < CONTIGUOUS || format > CHANNELS_LAST_3D) return tsr_op_fail(ctx, "Unsupported memory format %lld", (long long)format);
  return TSR_OK;
}

static bool has_format(const tsr_tensor *t, int64_t format) {
  if (format == CONTIGUOUS) return tsr_tensor_is_contiguous(t);
  if (format == PRESERVE) return true;
  return tsr_tensor_is_channels_last(t);
}

/* A new tensor of t's shape; strides by format. */
static tsr_status new_in_format(tsr_ctx *ctx, tsr_tensor **out, const tsr_tensor *t, tsr_dtype dtype, int64_t format) {
  int64_t stride[TSR_MAX_NDIM];
  TSR_TRY(check_format(ctx, t, format));
  if (format == CONTIGUOUS) return tsr_new(ctx, out, dtype, t->ndim, t->size);
  if (format == PRESERVE) return tsr_new_like(ctx, out, t, dtype);
  tsr_strides_channels_last(t->ndim, t->size, stride);
  return tsr_new_strided(ctx, out, dtype, t->ndim, t->size, stride);
}

TSR_KERNEL(contiguous) {
  tsr_tensor *t = tsr_arg_tensor(c, 0), *y;
  int64_t format = tsr_arg_int(c, 1);
  if (format == PRESERVE) return tsr_op_fail(c->ctx, "preserve memory format is unsupported by the contiguous operator");
  TSR_TRY(check_format(c->ctx, t, format));
  if (has_format(t, format)) return tsr_ret_tensor(c, 0, t);
  TSR_TRY(new_in_format(c->ctx, &y, t, (tsr_dtype)t->dtype, format));
  TSR_TRY(tsr_copy_into(c->ctx, y, t));
  return tsr_ret_tensor(c, 0, y);
}

/* Nobody else can see t: a copy of it may be t itself. */
static bool is_last_use(const tsr_call *c, uint32_t i) {
  const tsr_tensor *t = c->args[i].t;
  return (c->moved >> i & 1) != 0 && tsr_obj_is_unique(t) && tsr_obj_is_unique(t->storage) && t->storage->owned &&
         !t->requires_grad && !t->wrapped_number;
}

TSR_KERNEL(clone) {
  tsr_tensor *t = tsr_arg_tensor(c, 0), *y;
  int64_t format = format_arg(c, 1);
  TSR_TRY(check_format(c->ctx, t, format));
  if (is_last_use(c, 0) && has_format(t, format) && tsr_tensor_is_dense(t)) return tsr_ret_tensor(c, 0, t);
  if (format == PRESERVE) TSR_TRY(tsr_clone(c->ctx, &y, t));
  else {
    TSR_TRY(new_in_format(c->ctx, &y, t, (tsr_dtype)t->dtype, format));
    TSR_TRY(tsr_copy_into(c->ctx, y, t));
  }
  return tsr_ret_tensor(c, 0, y);
}

/* to() leaves alone what already has the format by PyTorch's suggest_memory_format(): contiguous is all that is not channels last. */
static bool suggests(const tsr_tensor *t, int64_t format) {
  return format == CONTIGUOUS ? !((t->ndim == 4 || t->ndim == 5) && tsr_conv_suggests_last(t->ndim, t->size, t->stride)) : has_format(t, format);
}

static tsr_status convert(tsr_call *c, tsr_dtype dtype, bool copy, int64_t format) {
  tsr_tensor *t = tsr_arg_tensor(c, 0), *y;
  if (!tsr_dtype_is_known(dtype) || tsr_dtype_is_quantized(dtype))
    return tsr_fail(&c->ctx->err, TSR_EUNSUPPORTED, "conversion to dtype code %d is not available", (int)dtype);
  if (t->dtype == dtype && !copy && suggests(t, format)) return tsr_ret_tensor(c, 0, t);
  if (t->layout != 0 || t->quant != NULL) return tsr_fail(&c->ctx->err, TSR_EUNSUPPORTED, "conversion of sparse or quantized tensors is not available");
  TSR_TRY(new_in_format(c->ctx, &y, t, dtype, format));
  TSR_TRY(tsr_copy_into(c->ctx, y, t));
  return tsr_ret_tensor(c, 0, y);
}

static tsr_dtype own_dtype(const tsr_call *c) { return (tsr_dtype)c->args[0].t->dtype; }
static bool flag_arg(const tsr_call *c, uint32_t i) { return i < c->nargs && !tsr_arg_is_none(c, i) && tsr_arg_bool(c, i); }

/* Devices name where data lives; here it is always this machine's memory. */
TSR_KERNEL(to_device) { return convert(c, tsr_arg_dtype_or(c, 2, own_dtype(c)), flag_arg(c, 4), format_arg(c, 5)); }
TSR_KERNEL(to_dtype) { return convert(c, tsr_arg_dtype_or(c, 1, own_dtype(c)), flag_arg(c, 3), format_arg(c, 4)); }
TSR_KERNEL(to_other) { return convert(c, (tsr_dtype)tsr_arg_tensor(c, 1)->dtype, flag_arg(c, 3), format_arg(c, 4)); }
TSR_KERNEL(to_dtype_layout) { return convert(c, tsr_arg_dtype_or(c, 1, own_dtype(c)), flag_arg(c, 6), format_arg(c, 7)); }
TSR_KERNEL(to_prim_device) { return convert(c, tsr_arg_dtype_or(c, 2, own_dtype(c)), flag_arg(c, 4), PRESERVE); }
TSR_KERNEL(to_prim_dtype) { return convert(c, tsr_arg_dtype_or(c, 1, own_dtype(c)), flag_arg(c, 3), PRESERVE); }
TSR_KERNEL(to_prim_other) { return convert(c, own_dtype(c), flag_arg(c, 2), PRESERVE); }
TSR_KERNEL(to_copy) { return convert(c, tsr_arg_dtype_or(c, 1, own_dtype(c)), true, format_arg(c, 6)); }
TSR_KERNEL(to_copy_out) {
  tsr_dtype d = own_dtype(c);
  tsr_out_dtype(c, 0, &d);
  return convert(c, d, true, format_arg(c, 2));
}
TSR_KERNEL(type_as) { return convert(c, (tsr_dtype)tsr_arg_tensor(c, 1)->dtype, false, PRESERVE); }
TSR_KERNEL(self) { return tsr_ret_tensor(c, 0, tsr_arg_tensor(c, 0)); }
TSR_KERNEL(cast) { return convert(c, *(const tsr_dtype *)c->op->data, false, c->nargs > 1 && c->args[1].tag == TSR_V_INT ? format_arg(c, 1) : PRESERVE); }

TSR_KERNEL(autocast_full) {
  tsr_dtype d = own_dtype(c);
  bool half = d == TSR_FLOAT16 || d == TSR_BFLOAT16;
  return convert(c, tsr_arg_bool(c, 2) && half ? TSR_FLOAT32 : d, false, PRESERVE);
}
TSR_KERNEL(autocast_reduced) {
  tsr_dtype d = own_dtype(c);
  return convert(c, tsr_arg_bool(c, 2) && d == TSR_FLOAT32 ? (tsr_dtype)tsr_arg_int(c, 4) : d, false, PRESERVE);
}

/* ---- writes ---- */

TSR_KERNEL(copy_) {
  tsr_tensor *dst = tsr_arg_tensor(c, 0);
  if (c->args[1].tag != TSR_V_TENSOR) TSR_TRY(tsr_fill(c->ctx, dst, tsr_arg_scalar(c, 1)));
  else if (c->args[1].t != dst) {
    TSR_TRY(tsr_check_no_partial_overlap(c->ctx, dst, tsr_arg_tensor(c, 1)));
    TSR_TRY(tsr_copy_into(c->ctx, dst, tsr_arg_tensor(c, 1)));
  }
  return tsr_ret_tensor(c, 0, dst);
}

/* The source in self's type, shape and layout. */
TSR_KERNEL(copy) {
  tsr_tensor *self = tsr_arg_tensor(c, 0), *y;
  TSR_TRY(tsr_clone_strided(c->ctx, &y, self));
  TSR_TRY(tsr_copy_into(c->ctx, y, tsr_arg_tensor(c, 1)));
  return tsr_ret_tensor(c, 0, y);
}

static tsr_status fill_with(tsr_call *c, tsr_tensor *dst, uint32_t i) {
  if (c->args[i].tag != TSR_V_TENSOR) {
    tsr_scalar s = tsr_arg_scalar(c, i);
    TSR_TRY(tsr_check_scalar_fits(c->ctx, s, (tsr_dtype)dst->dtype));
    return tsr_fill(c->ctx, dst, s);
  }
  if (c->args[i].t->ndim != 0)
    return tsr_op_fail(c->ctx, "fill_ only supports 0-dimension value tensor but got tensor with %d dimensions.", c->args[i].t->ndim);
  return tsr_copy_into(c->ctx, dst, c->args[i].t);
}

TSR_KERNEL(fill_) {
  tsr_tensor *t = tsr_arg_tensor(c, 0);
  TSR_TRY(fill_with(c, t, 1));
  return tsr_ret_tensor(c, 0, t);
}

TSR_KERNEL(fill) {
  tsr_tensor *t = tsr_arg_tensor(c, 0), *y;
  TSR_TRY(tsr_new_like(c->ctx, &y, t, (tsr_dtype)t->dtype));
  TSR_TRY(fill_with(c, y, 1));
  return tsr_ret_tensor(c, 0, y);
}

TSR_KERNEL(zero_) {
  tsr_tensor *t = tsr_arg_tensor(c, 0);
  TSR_TRY(tsr_fill(c->ctx, t, tsr_scalar_int(0)));
  return tsr_ret_tensor(c, 0, t);
}

TSR_KERNEL(zero) {
  tsr_tensor *t = tsr_arg_tensor(c, 0), *y;
  TSR_TRY(tsr_new_like(c->ctx, &y, t, (tsr_dtype)t->dtype));
  TSR_TRY(tsr_fill(c->ctx, y, tsr_scalar_int(0)));
  return tsr_ret_tensor(c, 0, y);
}

static const tsr_dtype byte_ = TSR_UINT8, char_ = TSR_INT8, short_ = TSR_INT16, int_ = TSR_INT32, long_ = TSR_INT64, half_ = TSR_FLOAT16,
                       float_ = TSR_FLOAT32, double_ = TSR_FLOAT64, chalf_ = TSR_COMPLEX32;

const tsr_op tsr_ops_cast[] = {
    {"aten::contiguous(Tensor(a) self, *, MemoryFormat memory_format=0) -> Tensor(a)", op_contiguous, TSR_PURE},
    {"aten::clone(Tensor self, *, MemoryFormat? memory_format=None) -> Tensor", op_clone, TSR_PURE},
    {"aten::clone.out(Tensor self, *, MemoryFormat? memory_format=None, Tensor(a!) out) -> Tensor(a!)", op_clone, TSR_OUT_NEW},
    {"aten::to.device(Tensor(a) self, Device device, ScalarType dtype, bool non_blocking=False, bool copy=False, MemoryFormat? memory_format=None) -> Tensor(a)",
     op_to_device, TSR_PURE},
    {"aten::to.dtype(Tensor(a) self, ScalarType dtype, bool non_blocking=False, bool copy=False, MemoryFormat? memory_format=None) -> Tensor(a)",
     op_to_dtype, TSR_PURE},
    {"aten::to.other(Tensor(a) self, Tensor other, bool non_blocking=False, bool copy=False, MemoryFormat? memory_format=None) -> Tensor(a)",
     op_to_other, TSR_PURE},
    {"aten::to.dtype_layout(Tensor(a) self, *, ScalarType? dtype=None, Layout? layout=None, Device? device=None, bool? pin_memory=None, bool non_blocking=False, bool copy=False, MemoryFormat? memory_format=None) -> Tensor(a)",
     op_to_dtype_layout, TSR_PURE},
    {"aten::to.prim_Device(Tensor(a) self, Device? device, int? dtype=None, bool non_blocking=False, bool copy=False) -> Tensor(b|a)",
     op_to_prim_device, TSR_PURE},
    {"aten::to.prim_dtype(Tensor(a) self, int? dtype=None, bool non_blocking=False, bool copy=False) -> Tensor(b|a)", op_to_prim_dtype, TSR_PURE},
    {"aten::to.prim_other(Tensor(a) self, bool non_blocking=False, bool copy=False) -> Tensor(b|a)", op_to_prim_other, TSR_PURE},
    {"aten::_to_copy(Tensor self, *, ScalarType? dtype=None, Layout? layout=None, Device? device=None, bool? pin_memory=None, bool non_blocking=False, MemoryFormat? memory_format=None) -> Tensor",
     op_to_copy, TSR_PURE},
    {"aten::_to_copy.out(Tensor self, *, bool non_blocking=False, MemoryFormat? memory_format=None, Tensor(a!) out) -> Tensor(a!)", op_to_copy_out, TSR_OUT_NEW},
    {"aten::type_as(Tensor self, Tensor other) -> Tensor", op_type_as, TSR_PURE},
    {"aten::cpu(Tensor(a) self) -> Tensor(b|a)", op_self, TSR_PURE},
    {"aten::cuda(Tensor(a) self) -> Tensor(b|a)", op_self, TSR_PURE},
    {"aten::pin_memory(Tensor(a) self, Device? device=None) -> Tensor(a)", op_self, TSR_PURE},
    {"aten::chalf(Tensor self, *, MemoryFormat? memory_format=None) -> Tensor", op_cast, TSR_PURE, &chalf_},
    {"aten::_cast_Byte(Tensor self, bool non_blocking=False) -> Tensor", op_cast, TSR_PURE, &byte_},
    {"aten::_cast_Char(Tensor self, bool non_blocking=False) -> Tensor", op_cast, TSR_PURE, &char_},
    {"aten::_cast_Double(Tensor self, bool non_blocking=False) -> Tensor", op_cast, TSR_PURE, &double_},
    {"aten::_cast_Float(Tensor self, bool non_blocking=False) -> Tensor", op_cast, TSR_PURE, &float_},
    {"aten::_cast_Half(Tensor self, bool non_blocking=False) -> Tensor", op_cast, TSR_PURE, &half_},
    {"aten::_cast_Int(Tensor self, bool non_blocking=False) -> Tensor", op_cast, TSR_PURE, &int_},
    {"aten::_cast_Long(Tensor self, bool non_blocking=False) -> Tensor", op_cast, TSR_PURE, &long_},
    {"aten::_cast_Short(Tensor self, bool non_blocking=False) -> Tensor", op_cast, TSR_PURE, &short_},
    {"aten::_autocast_to_full_precision(Tensor(a) self, bool cuda_enabled, bool cpu_enabled) -> Tensor(a)", op_autocast_full, TSR_PURE},
    {"aten::_autocast_to_reduced_precision(Tensor(a) self, bool cuda_enabled, bool cpu_enabled, ScalarType cuda_dtype, ScalarType cpu_dtype) -> Tensor(a)",
     op_autocast_reduced, TSR_PURE},
    {"aten::copy_(Tensor(a!) self, Tensor src, bool non_blocking=False) -> Tensor(a!)", op_copy_, 0},
    {"aten::copy_.Tensor(Tensor(a!) self, Tensor other) -> Tensor(a!)", op_copy_, 0},
    {"aten::copy_.int(Tensor(a!) self, int other) -> Tensor(a!)", op_copy_, 0},
    {"aten::copy_.float(Tensor(a!) self, float other) -> Tensor(a!)", op_copy_, 0},
    {"aten::copy(Tensor self, Tensor src, bool non_blocking=False) -> Tensor", op_copy, TSR_PURE},
    {"aten::copy.out(Tensor self, Tensor src, bool non_blocking=False, *, Tensor(a!) out) -> Tensor(a!)", op_copy, TSR_OUT_NEW},
    {"aten::fill.Scalar(Tensor self, Scalar value) -> Tensor", op_fill, TSR_PURE},
    {"aten::fill.Scalar_out(Tensor self, Scalar value, *, Tensor(a!) out) -> Tensor(a!)", op_fill, TSR_OUT_NEW},
    {"aten::fill.Tensor(Tensor self, Tensor value) -> Tensor", op_fill, TSR_PURE},
    {"aten::fill.Tensor_out(Tensor self, Tensor value, *, Tensor(a!) out) -> Tensor(a!)", op_fill, TSR_OUT_NEW},
    {"aten::fill_.Scalar(Tensor(a!) self, Scalar value) -> Tensor(a!)", op_fill_, 0},
    {"aten::fill_.Tensor(Tensor(a!) self, Tensor value) -> Tensor(a!)", op_fill_, 0},
    {"aten::zero(Tensor self) -> Tensor", op_zero, TSR_PURE},
    {"aten::zero.out(Tensor self, *, Tensor(a!) out) -> Tensor(a!)", op_zero, TSR_OUT_NEW},
    {"aten::zero_(Tensor(a!) self) -> Tensor(a!)", op_zero_, 0},
    {0},
};
