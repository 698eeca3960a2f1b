/* Products of groups of rows or columns that lie one after the other in a matrix (mixtures of experts). */
#include "ops/native.h"
#include "ops/product.h"
#include "ops/shape.h"

/* One of the last two dimensions is dense, the other steps by whole 16 bytes. */
static tsr_status check_strides(tsr_ctx *ctx, const tsr_tensor *t) {
  int last = t->ndim - 1;
  int64_t align = 16 / (int64_t)tsr_tensor_itemsize(t), inner = t->stride[last], outer = t->stride[last - 1];
  if (outer == 1 && inner >= TSR_MAX(1, t->size[last - 1])) {
    if (inner % align == 0) return TSR_OK;
  } else if (inner == 1 && outer >= TSR_MAX(1, t->size[last])) {
    if (outer % align == 0) return TSR_OK;
  } else {
    char strides[256], sizes[256];
    tsr_sizes_print(strides, sizeof strides, t->ndim, t->stride);
    tsr_sizes_print(sizes, sizeof sizes, t->ndim, t->size);
    return tsr_op_fail(ctx, "Invalid strides/sizes, got %s for strides and %s for sizes.", strides, sizes);
  }
  return tsr_op_fail(ctx, "strides should be multiple of 16 bytes");
}

static tsr_status check_operands(tsr_call *c, const tsr_tensor *a, const tsr_tensor *b, const tsr_tensor *offs) {
  tsr_ctx *ctx = c->ctx;
  if (a->dtype != TSR_FLOAT32 && a->dtype != TSR_BFLOAT16 && a->dtype != TSR_FLOAT16)
    return tsr_op_fail(ctx, "Expected mat_a to be Float32, BFloat16 or Float16 matrix, got %s", tsr_dtype_get_info((tsr_dtype)a->dtype)->cpp_name);
  if (b->dtype != TSR_FLOAT32 && b->dtype != TSR_BFLOAT16 && b->dtype != TSR_FLOAT16)
    return tsr_op_fail(ctx, "Expected mat_b to be Float32, BFloat16 or Float16 matrix, got %s", tsr_dtype_get_info((tsr_dtype)b->dtype)->cpp_name);
  if (a->ndim != 2 && a->ndim != 3) return tsr_op_fail(ctx, "mat_a has to be 2 or 3d");
  if (b->ndim != 2 && b->ndim != 3) return tsr_op_fail(ctx, "mat_b has to be 2 or 3d");
  if ((a->ndim == 3 || b->ndim == 3) && a->size[a->ndim - 1] != b->size[b->ndim - 2])
    return tsr_op_fail(ctx, "contraction dimension of mat_a and mat_b must match");
  TSR_TRY(check_strides(ctx, a));
  TSR_TRY(check_strides(ctx, b));
  if ((offs != NULL) != (a->ndim == 2 || b->ndim == 2))
    return tsr_op_fail(ctx, "Have to provide offsets if there is a 2d matrix, or no offset if both matrices are 3d");
  if (offs != NULL && offs->ndim != 1) return tsr_op_fail(ctx, "offs has to be 1D");
  if (offs != NULL && offs->dtype != TSR_INT32) return tsr_op_fail(ctx, "Offsets have to be int32");
  if (!tsr_arg_is_none(c, 3)) return tsr_op_fail(ctx, "Bias not supported yet");
  if (tsr_arg_dtype_or(c, 4, (tsr_dtype)a->dtype) != (tsr_dtype)a->dtype) return tsr_op_fail(ctx, "Grouped gemm output dtype must match `mat_a` dtype");
  if (a->dtype != b->dtype)
    return tsr_op_fail(ctx, "expected m1 and m2 to have the same dtype, but got: %s != %s", tsr_dtype_c_name((tsr_dtype)a->dtype), tsr_dtype_c_name((tsr_dtype)b->dtype));
  return TSR_OK;
}

/* Which dimension the groups divide; -1: the operand has one matrix a group. */
typedef struct split { int a, b, out; } split;

static tsr_status part(tsr_ctx *ctx, tsr_tensor **out, tsr_tensor *t, int dim, int64_t group, int64_t begin, int64_t end) {
  return dim < 0 ? tsr_select(ctx, out, t, 0, group) : tsr_slice(ctx, out, t, dim, begin, end, 1);
}

static tsr_status run_groups(tsr_ctx *ctx, tsr_tensor *y, tsr_tensor *a, tsr_tensor *b, const tsr_tensor *offs, split s) {
  for (int64_t g = 0, begin = 0, end; g < offs->size[0]; g++, begin = end) {
    tsr_tensor *ag, *bg, *yg, *p;
    end = ((const int32_t *)tsr_tensor_data_ro(offs))[g * offs->stride[0]];
    TSR_TRY(part(ctx, &ag, a, s.a, g, begin, end));
    TSR_TRY(part(ctx, &bg, b, s.b, g, begin, end));
    TSR_TRY(part(ctx, &yg, y, s.out, g, begin, end));
    TSR_TRY(tsr_product_any(ctx, &p, "_grouped_mm", -1, ag->size[0], bg->size[1], ag->size[1], tsr_side_of(ag), tsr_side_of(bg)));
    TSR_TRY(tsr_copy_into(ctx, yg, p));
  }
  return TSR_OK;
}

TSR_KERNEL(grouped_mm) { /* self, mat2, offs, bias, out_dtype */
  tsr_ctx *ctx = c->ctx;
  tsr_tensor *y, *a = tsr_arg_tensor(c, 0), *b = tsr_arg_tensor(c, 1), *offs = tsr_arg_opt_tensor(c, 2);
  TSR_TRY(check_operands(c, a, b, offs));
  if (offs == NULL) {
    if (a->size[0] != b->size[0]) return tsr_op_fail(ctx, "batched dimension has to match");
    TSR_TRY(tsr_product_any(ctx, &y, "bmm", a->size[0], a->size[1], b->size[2], a->size[2], tsr_side_of(a), tsr_side_of(b)));
    return tsr_ret_tensor(c, 0, y);
  }
  int64_t groups = offs->size[0], rows = a->size[a->ndim - 2], columns = b->size[b->ndim - 1];
  if ((a->ndim == 3 && a->size[0] != groups) || (b->ndim == 3 && b->size[0] != groups)) return tsr_op_fail(ctx, "matrix batch sizes have to match");
  bool shared = a->ndim == 2 && b->ndim == 2; /* the sum is divided, each group has its result */
  int64_t size[3] = {groups, rows, columns};
  TSR_TRY(tsr_new(ctx, &y, (tsr_dtype)a->dtype, shared ? 3 : 2, shared ? size : size + 1));
  TSR_TRY(tsr_fill(ctx, y, tsr_scalar_int(0))); /* rows after the last group */
  split s = shared ? (split){1, 0, -1} : a->ndim == 2 ? (split){0, -1, 0} : (split){-1, 1, 1};
  TSR_TRY(run_groups(ctx, y, a, b, offs, s));
  return tsr_ret_tensor(c, 0, y);
}

const tsr_op tsr_ops_grouped_mm[] = {
    {"aten::_grouped_mm(Tensor self, Tensor mat2, Tensor? offs=None, Tensor? bias=None, ScalarType? out_dtype=None) -> Tensor", op_grouped_mm, TSR_PURE},
    {0},
};
