/* Constructors of sparse tensors from their parts. */
#include "ops/shape.h"
#include "ops/sparse.h"

/* Parts that fit each other.  The dtype argument of most is not looked at, as in PyTorch. */
static tsr_status coo_parts(tsr_call *c, tsr_tensor **indices, tsr_tensor **values) {
  tsr_ctx *ctx = c->ctx;
  tsr_tensor *i = *indices, *v = *values;
  if (i->layout != 0 || v->layout != 0) return tsr_op_fail(ctx, "sparse_coo_tensor: indices and values must be strided tensors");
  if (!tsr_dtype_is_integral((tsr_dtype)i->dtype, false)) return tsr_op_fail(ctx, "indices must be an int64 tensor");
  if (i->ndim != 2) {
    char text[256];
    tsr_sizes_print(text, sizeof text, i->ndim, i->size);
    return tsr_op_fail(ctx, "indices must be sparse_dim x nnz, but got: %s", text);
  }
  if (v->ndim == 0) TSR_TRY(tsr_unsqueeze(ctx, &v, v, 0));
  if (i->size[1] != v->size[0])
    return tsr_op_fail(ctx, "indices and values must have same nnz, but got nnz from indices: %lld, nnz from values: %lld", (long long)i->size[1], (long long)v->size[0]);
  TSR_TRY(tsr_to_dtype(ctx, indices, i, TSR_INT64));
  *values = v;
  return TSR_OK;
}

static tsr_status check_dtype(tsr_ctx *ctx, const tsr_tensor *v, tsr_dtype wanted) {
  if (v->dtype == wanted) return TSR_OK;
  return tsr_op_fail(ctx, "dtype of values (%s) must match dtype of sparse tensor (%s)", tsr_dtype_get_info(v->dtype)->cpp_name, tsr_dtype_get_info((int)wanted)->cpp_name);
}

static tsr_status check_coo_size(tsr_ctx *ctx, const tsr_tensor *i, const tsr_tensor *v, int64_t n, const int64_t *size) {
  int64_t sd = i->size[0], dd = v->ndim - 1;
  if (n != sd + dd)
    return tsr_op_fail(ctx, "'len(size) == sparse_dim + dense_dim' is not satisfied: len(size) = %lld, sparse_dim = %lld, dense_dim = %lld", (long long)n, (long long)sd, (long long)dd);
  for (int64_t d = 0; d < n; d++) {
    if (size[d] < 0) return tsr_op_fail(ctx, "Trying to create tensor with negative dimension %lld", (long long)size[d]);
    if (d >= sd && size[d] != v->size[d - sd + 1])
      return tsr_op_fail(ctx, "values has incorrect size, expected size %lld in dimension %lld, got %lld", (long long)size[d], (long long)(d - sd + 1), (long long)v->size[d - sd + 1]);
  }
  int64_t total;
  return tsr_numel((int)n, size, &total) ? tsr_check_ndim(ctx, n) : tsr_op_fail(ctx, "sparse_coo_tensor: the sizes overflow");
}

/* Sizes that hold every index. */
static tsr_status infer_coo_size(tsr_ctx *ctx, const tsr_tensor *i, const tsr_tensor *v, int64_t *size) {
  tsr_tensor *dense;
  TSR_TRY(tsr_check_ndim(ctx, i->size[0] + v->ndim - 1));
  TSR_TRY(tsr_contiguous(ctx, &dense, (tsr_tensor *)(uintptr_t)i));
  const int64_t *x = tsr_tensor_data_ro(dense);
  for (int64_t d = 0; d < i->size[0]; d++) {
    size[d] = 0;
    for (int64_t k = 0; k < i->size[1]; k++) {
      int64_t at = x[d * i->size[1] + k];
      if (at < 0) return tsr_op_fail(ctx, "found negative index %lld for dim %lld", (long long)at, (long long)d);
      if (at >= size[d]) size[d] = at < INT64_MAX ? at + 1 : at;
    }
  }
  for (int d = 1; d < v->ndim; d++) size[i->size[0] + d - 1] = v->size[d];
  return TSR_OK;
}

/* where the arguments stand: indices, values, size (or -1), is_coalesced */
typedef struct coo_args { int indices, values, size, coalesced; } coo_args;
static const coo_args by_indices = {0, 1, -1, 6}, with_size = {0, 1, 2, 7}, with_dims = {3, 4, 2, 9};

TSR_KERNEL(coo) {
  const coo_args *at = c->op->data;
  tsr_tensor *i = tsr_arg_tensor(c, (uint32_t)at->indices), *v = tsr_arg_tensor(c, (uint32_t)at->values), *y;
  int64_t n, inferred[TSR_MAX_NDIM + 1];
  const int64_t *size = inferred;
  int64_t nnz = i->ndim == 2 ? i->size[1] : 0;
  TSR_TRY(coo_parts(c, &i, &v));
  if (at == &with_dims) TSR_TRY(check_dtype(c->ctx, v, tsr_arg_dtype_or(c, 5, (tsr_dtype)v->dtype)));
  n = i->size[0] + v->ndim - 1;
  if (at->size >= 0) TSR_TRY(tsr_ints_arg(c, (uint32_t)at->size, &size, &n));
  else TSR_TRY(infer_coo_size(c->ctx, i, v, inferred));
  TSR_TRY(check_coo_size(c->ctx, i, v, n, size));
  bool coalesced = tsr_arg_is_none(c, (uint32_t)at->coalesced) ? nnz < 2 : tsr_arg_bool(c, (uint32_t)at->coalesced);
  TSR_TRY(tsr_sparse_new_coo(c->ctx, &y, (int)n, size, i, v, coalesced));
  return tsr_ret_tensor(c, 0, y);
}

/* No entries: sizes at argument `at`, the first `sd` of them sparse. */
static tsr_status coo_empty(tsr_call *c, uint32_t at, int64_t sd, uint32_t dtype_at) {
  int64_t n, shape[2] = {sd, 0}, inner[TSR_MAX_NDIM + 1] = {0};
  const int64_t *size;
  tsr_tensor *i, *v, *y;
  TSR_TRY(tsr_ints_arg(c, at, &size, &n));
  TSR_TRY(tsr_check_ndim(c->ctx, n));
  if (sd < 0) sd = shape[0] = n;
  if (sd > n) return tsr_op_fail(c->ctx, "number of dimensions must be sparse_dim (%lld) + dense_dim, but got %lld", (long long)sd, (long long)n);
  memcpy(inner + 1, size + sd, (size_t)(n - sd) * sizeof *inner);
  TSR_TRY(tsr_new(c->ctx, &i, TSR_INT64, 2, shape));
  TSR_TRY(tsr_new(c->ctx, &v, tsr_arg_dtype_or(c, dtype_at, TSR_FLOAT32), (int)(n - sd) + 1, inner));
  TSR_TRY(check_coo_size(c->ctx, i, v, n, size));
  TSR_TRY(tsr_sparse_new_coo(c->ctx, &y, (int)n, size, i, v, true));
  return tsr_ret_tensor(c, 0, y);
}

TSR_KERNEL(coo_empty) { return coo_empty(c, 0, -1, 1); }

TSR_KERNEL(coo_with_dims) {
  int64_t sd = tsr_arg_int(c, 0);
  if (sd < 0) return tsr_op_fail(c->ctx, "sparse_dim must be non-negative, but got %lld", (long long)sd);
  return coo_empty(c, 2, sd, 3);
}

/* ---- compressed ---- */

static tsr_status check_compressed(tsr_ctx *ctx, int64_t layout, const tsr_tensor *ptr, const tsr_tensor *at, const tsr_tensor *v, int64_t n, const int64_t *size) {
  if (layout != TSR_CSR && layout != TSR_CSC) return tsr_fail(&ctx->err, TSR_EUNSUPPORTED, "compressed sparse tensors of layout %lld", (long long)layout);
  if (ptr->ndim != 1 || at->ndim != 1 || v->ndim != 1 || n != 2) return tsr_fail(&ctx->err, TSR_EUNSUPPORTED, "compressed sparse tensors of batches, or with dense dimensions");
  if (ptr->dtype != at->dtype || (ptr->dtype != TSR_INT64 && ptr->dtype != TSR_INT32))
    return tsr_op_fail(ctx, "compressed_indices and plain_indices must have the same dtype, bound to int32 or int64, but got %s and %s",
                       tsr_dtype_get_info(ptr->dtype)->cpp_name, tsr_dtype_get_info(at->dtype)->cpp_name);
  if (at->numel != v->numel) return tsr_op_fail(ctx, "plain_indices and values must have the same number of elements, but got %lld and %lld", (long long)at->numel, (long long)v->numel);
  int64_t lines = size[layout == TSR_CSR ? 0 : 1];
  if (ptr->numel != lines + 1)
    return tsr_op_fail(ctx, "compressed_indices.shape[-1] must be equal to the number of compressed_indices_names + 1 (%lld), but got %lld", (long long)lines + 1, (long long)ptr->numel);
  return TSR_OK;
}

/* The largest index, plus one: the size that PyTorch infers. */
static tsr_status plain_size(tsr_ctx *ctx, tsr_tensor *at, int64_t *size) {
  tsr_tensor *wide;
  TSR_TRY(tsr_ready(ctx, &wide, at, TSR_INT64));
  const int64_t *x = tsr_tensor_data_ro(wide);
  *size = 0;
  for (int64_t i = 0; i < wide->numel; i++)
    if (x[i] >= *size && x[i] < INT64_MAX) *size = x[i] + 1;
  return TSR_OK;
}

typedef struct compressed_args { int layout; bool size; } compressed_args; /* layout 0: an argument says it */
static const compressed_args csr = {TSR_CSR, false}, csr_size = {TSR_CSR, true}, csc = {TSR_CSC, false}, csc_size = {TSR_CSC, true}, any = {0, false}, any_size = {0, true};

TSR_KERNEL(compressed) {
  const compressed_args *k = c->op->data;
  tsr_tensor *ptr = tsr_arg_tensor(c, 0), *at = tsr_arg_tensor(c, 1), *v = tsr_arg_tensor(c, 2), *y;
  uint32_t options = k->size ? 4 : 3;
  int64_t layout = tsr_arg_int_or(c, options + 1, k->layout), n = 2, inferred[2];
  const int64_t *size = inferred;
  if (ptr->layout != 0 || at->layout != 0 || v->layout != 0) return tsr_op_fail(c->ctx, "the parts of a compressed sparse tensor must be strided tensors");
  if (k->layout != 0 && layout != k->layout) return tsr_op_fail(c->ctx, "layout must be %s but got another one", k->layout == TSR_CSR ? "SparseCsr" : "SparseCsc");
  if (layout == 0) return tsr_op_fail(c->ctx, "sparse_compressed_tensor expected sparse compressed tensor layout but got none");
  if (k->size) {
    TSR_TRY(tsr_ints_arg(c, 3, &size, &n));
  } else {
    bool rows = layout == TSR_CSR;
    TSR_TRY(plain_size(c->ctx, at, &inferred[rows ? 1 : 0]));
    inferred[rows ? 0 : 1] = ptr->numel - 1;
  }
  TSR_TRY(check_compressed(c->ctx, layout, ptr, at, v, n, size));
  TSR_TRY(check_dtype(c->ctx, v, tsr_arg_dtype_or(c, options, (tsr_dtype)v->dtype)));
  TSR_TRY(tsr_sparse_new(c->ctx, &y, (int)layout, 2, size, ptr, at, v, false));
  return tsr_ret_tensor(c, 0, y);
}

#define PL (TSR_PURE | TSR_ANY_LAYOUT)
#define OPTIONS "ScalarType? dtype=None, Layout? layout=None, Device? device=None, bool? pin_memory="
#define COMPRESSED(name, overload, args, data) {"aten::" name overload "(" args ", *, " OPTIONS "False) -> Tensor", op_compressed, PL, data}
const tsr_op tsr_ops_sparse_make[] = {
    {"aten::sparse_coo_tensor.size(int[] size, *, " OPTIONS "False) -> Tensor", op_coo_empty, PL},
    {"aten::sparse_coo_tensor.indices(Tensor indices, Tensor values, *, " OPTIONS "None, bool? is_coalesced=None) -> Tensor", op_coo, PL, &by_indices},
    {"aten::sparse_coo_tensor.indices_size(Tensor indices, Tensor values, int[] size, *, " OPTIONS "None, bool? is_coalesced=None) -> Tensor", op_coo, PL, &with_size},
    {"aten::_sparse_coo_tensor_unsafe(Tensor indices, Tensor values, SymInt[] size, *, " OPTIONS "None, bool? is_coalesced=None) -> Tensor", op_coo, PL, &with_size},
    {"aten::_sparse_coo_tensor_with_dims(int sparse_dim, int dense_dim, int[] size, *, " OPTIONS "False) -> Tensor", op_coo_with_dims, PL},
    {"aten::_sparse_coo_tensor_with_dims_and_tensors(int sparse_dim, int dense_dim, SymInt[] size, Tensor indices, Tensor values, *, " OPTIONS "False, bool? is_coalesced=None) -> Tensor", op_coo, PL, &with_dims},
    COMPRESSED("sparse_csr_tensor", ".crow_col_value_size", "Tensor crow_indices, Tensor col_indices, Tensor values, int[] size", &csr_size),
    COMPRESSED("sparse_csr_tensor", ".crow_col_value", "Tensor crow_indices, Tensor col_indices, Tensor values", &csr),
    COMPRESSED("sparse_csc_tensor", ".ccol_row_value_size", "Tensor ccol_indices, Tensor row_indices, Tensor values, int[] size", &csc_size),
    COMPRESSED("sparse_csc_tensor", ".ccol_row_value", "Tensor ccol_indices, Tensor row_indices, Tensor values", &csc),
    COMPRESSED("sparse_compressed_tensor", ".comp_plain_value_size", "Tensor compressed_indices, Tensor plain_indices, Tensor values, SymInt[] size", &any_size),
    COMPRESSED("sparse_compressed_tensor", ".comp_plain_value", "Tensor compressed_indices, Tensor plain_indices, Tensor values", &any),
    {0},
};
