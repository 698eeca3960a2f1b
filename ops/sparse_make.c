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
    if (size[d] < 0) return tsr_op_fail(ctx, "numel: integer multiplication overflow");
    if (d >= sd && size[d] != v->size[d - sd + 1])
      return tsr_op_fail(ctx, "values has incorrect size, expected size %lld in dimension %lld, got %lld", (long long)size[d], (long long)(d - sd + 1), (long long)v->size[d - sd + 1]);
  }
  int64_t total;
  return tsr_numel((int)n, size, &total) ? tsr_check_ndim(ctx, n) : tsr_op_fail(ctx, "numel: integer multiplication overflow");
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

static tsr_status check_dims(tsr_ctx *ctx, int layout, const tsr_tensor *ptr, const tsr_tensor *at, const tsr_tensor *v) {
  bool rows = layout == TSR_CSR;
  if (ptr->ndim < 1) return tsr_op_fail(ctx, "%s must have dimensionality >= 1 but got 0", rows ? "crow_indices" : "ccol_indices");
  if (ptr->ndim != at->ndim)
    return tsr_op_fail(ctx, "%s dimensionalities must be equal but got %d and %d, respectively", rows ? "crow_indices and col_indices" : "ccol_indices and row_indices", ptr->ndim, at->ndim);
  if (v->ndim < ptr->ndim) return tsr_op_fail(ctx, "values must have dimensionality > sum of batch and block dimensionalities (=%d + 0) but got %d", ptr->ndim - 1, v->ndim);
  return TSR_OK;
}

tsr_status tsr_sparse_check(tsr_ctx *ctx, int layout, const tsr_tensor *ptr, const tsr_tensor *at, const tsr_tensor *v, int64_t n, const int64_t *size) {
  bool rows = layout == TSR_CSR;
  const char *a = rows ? "crow_indices" : "ccol_indices", *b = rows ? "col_indices" : "row_indices";
  TSR_TRY(check_dims(ctx, layout, ptr, at, v));
  int nb = ptr->ndim - 1, dense = v->ndim - nb - 1;
  if (n != nb + 2 + dense)
    return tsr_op_fail(ctx, "tensor dimensionality must be sum of batch, base, and dense dimensionalities (=%d + 2 + %d) but got %lld", nb, dense, (long long)n);
  const size_t batch = (size_t)nb * sizeof *size;
  if (memcmp(ptr->size, size, batch) != 0 || memcmp(at->size, size, batch) != 0 || memcmp(v->size, size, batch) != 0) {
    char text[4][256];
    const int64_t *sizes[] = {ptr->size, at->size, v->size, size};
    for (int i = 0; i < 4; i++) tsr_sizes_print(text[i], sizeof text[i], nb, sizes[i]);
    return tsr_op_fail(ctx, "all batch dimensions of %s (=%s), %s (=%s), and values (=%s) must be equal to tensor batch dimensions (=%s)", a, text[0], b, text[1], text[2], text[3]);
  }
  if (at->size[nb] != v->size[nb])
    return tsr_op_fail(ctx, "%s.shape[-1] must be equal to nnz (=%lld) as defined by values.shape[%d], but got %lld", b, (long long)v->size[nb], nb, (long long)at->size[nb]);
  for (int d = 0; d < dense; d++)
    if (v->size[nb + 1 + d] != size[nb + 2 + d])
      return tsr_op_fail(ctx, "values has incorrect size, expected size %lld in dimension %d, got %lld", (long long)size[nb + 2 + d], nb + 1 + d, (long long)v->size[nb + 1 + d]);
  int64_t lines = size[nb + !rows];
  if (ptr->size[nb] != lines + 1)
    return tsr_op_fail(ctx, "%s.shape[-1] must be equal to the number of %s + 1 (=%lld), but got %lld", a, rows ? "rows" : "columns", (long long)lines + 1, (long long)ptr->size[nb]);
  const char *one = tsr_dtype_get_info(ptr->dtype)->cpp_name, *two = tsr_dtype_get_info(at->dtype)->cpp_name;
  if (ptr->dtype != at->dtype) return tsr_op_fail(ctx, "%s and %s must have the same dtype, bot got %s and %s, respectively", a, b, one, two);
  if (ptr->dtype != TSR_INT64 && ptr->dtype != TSR_INT32) return tsr_op_fail(ctx, "%s and %s dtype must be Int or Long, but got %s", a, b, one);
  return TSR_OK;
}

/* The sizes that hold every index. */
static tsr_status infer_size(tsr_ctx *ctx, int layout, const tsr_tensor *ptr, tsr_tensor *at, const tsr_tensor *v, int64_t *n, int64_t *size) {
  tsr_tensor *wide;
  bool rows = layout == TSR_CSR;
  TSR_TRY(check_dims(ctx, layout, ptr, at, v));
  int nb = ptr->ndim - 1;
  if (!tsr_dtype_is_integral((tsr_dtype)at->dtype, false)) return tsr_op_fail(ctx, "\"estimate_sparse_compressed_tensor_size\" not implemented for '%s'", tsr_dtype_get_info(at->dtype)->cpp_name);
  TSR_TRY(tsr_check_ndim(ctx, v->ndim + 1));
  TSR_TRY(tsr_ready(ctx, &wide, at, TSR_INT64));
  const int64_t *x = tsr_tensor_data_ro(wide);
  int64_t across = 0;
  for (int64_t i = 0; i < wide->numel; i++)
    if (i == 0 || x[i] >= across) across = (int64_t)((uint64_t)x[i] + 1);
  if (across < -(INT64_C(1) << 62)) return tsr_op_fail(ctx, "IntArrayRef contains an int that cannot be represented as a SymInt: %lld", (long long)across);
  *n = v->ndim + 1;
  for (int d = 0; d < *n; d++) size[d] = d < nb ? ptr->size[d] : d < nb + 2 ? across : v->size[d - 1];
  size[nb + !rows] = TSR_MAX(ptr->size[nb] - 1, 0);
  return TSR_OK;
}

typedef struct compressed_args { int layout; bool size; } compressed_args; /* layout 0: an argument says it */
static const compressed_args csr = {TSR_CSR, false}, csr_size = {TSR_CSR, true}, csc = {TSR_CSC, false}, csc_size = {TSR_CSC, true}, any = {0, false}, any_size = {0, true};

static const char *layout_name(int64_t layout) {
  static const char *const names[] = {"Strided", "Sparse", "SparseCsr", "Mkldnn", "SparseCsc", "SparseBsr", "SparseBsc", "Jagged"};
  return layout >= 0 && layout < (int64_t)TSR_COUNT(names) ? names[layout] : "another one";
}

TSR_KERNEL(compressed) {
  const compressed_args *k = c->op->data;
  tsr_tensor *ptr = tsr_arg_tensor(c, 0), *at = tsr_arg_tensor(c, 1), *v = tsr_arg_tensor(c, 2), *y;
  uint32_t options = k->size ? 4 : 3;
  int64_t layout = tsr_arg_int_or(c, options + 1, k->layout), n, total, inferred[TSR_MAX_NDIM + 1];
  const int64_t *size = inferred;
  if (ptr->layout != 0 || at->layout != 0 || v->layout != 0) return tsr_op_fail(c->ctx, "the parts of a compressed sparse tensor must be strided tensors");
  if (k->layout != 0 && layout != k->layout)
    return tsr_op_fail(c->ctx, k->layout == TSR_CSR ? "sparse csr layout must be SparseCsr but got %s" : "sparse csc layout must be SparseCsc but got %s", layout_name(layout));
  if (layout == 0) return tsr_op_fail(c->ctx, "sparse_compressed_tensor expected sparse compressed tensor layout but got %s", tsr_arg_is_none(c, options + 1) ? "none" : "Strided");
  if (layout != TSR_CSR && layout != TSR_CSC) return tsr_fail(&c->ctx->err, TSR_EUNSUPPORTED, "compressed sparse tensors of layout %s", layout_name(layout));
  if (k->size) TSR_TRY(tsr_ints_arg(c, 3, &size, &n));
  else TSR_TRY(infer_size(c->ctx, (int)layout, ptr, at, v, &n, inferred));
  TSR_TRY(check_dtype(c->ctx, v, tsr_arg_dtype_or(c, options, TSR_FLOAT32)));
  TSR_TRY(tsr_check_ndim(c->ctx, n));
  if (!tsr_numel((int)n, size, &total)) return tsr_op_fail(c->ctx, "numel: integer multiplication overflow");
  TSR_TRY(tsr_sparse_check(c->ctx, (int)layout, ptr, at, v, n, size)); /* PyTorch does so where it is told to check invariants */
  TSR_TRY(tsr_sparse_new(c->ctx, &y, (int)layout, (int)n, size, ptr, at, v, false));
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
