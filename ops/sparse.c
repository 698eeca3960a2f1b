/* Sparse COO tensors: made from strided ones, taken apart, and made strided again.
 *
 * A sparse tensor holds indices [sparse dims, nnz] and values [nnz, dense dims…].  Programs can write
 * into the indices, so they are checked whenever they are used. */
#include "ops/index_run.h"
#include "ops/native.h"
#include "ops/shape.h"

enum { COO = 1 };

static tsr_status need_coo(tsr_ctx *ctx, const tsr_tensor *x, const char *op) {
  if (x->layout == COO) return TSR_OK;
  if (x->layout == 0) return tsr_op_fail(ctx, "%s expected sparse coordinate tensor layout but got Strided", op);
  return tsr_fail(&ctx->err, TSR_EUNSUPPORTED, "%s is only available for sparse coordinate tensors", op);
}

static tsr_status new_coo(tsr_ctx *ctx, tsr_tensor **out, int ndim, const int64_t *size, tsr_tensor *indices, tsr_tensor *values, bool coalesced) {
  int64_t none = 0;
  tsr_tensor *empty, *t;
  TSR_TRY(tsr_new(ctx, &empty, (tsr_dtype)values->dtype, 1, &none));
  t = tsr_tensor_view(ctx->mem, empty->storage, (tsr_dtype)values->dtype, 0, ndim, size, NULL);
  if (t == NULL) return tsr_op_nomem(ctx);
  TSR_TRY(tsr_temp(ctx, tsr_from_obj(t)));
  t->sparse = tsr_zalloc(ctx->mem, sizeof *t->sparse);
  if (t->sparse == NULL) return tsr_op_nomem(ctx);
  t->layout = COO;
  t->sparse->a = indices;
  t->sparse->values = values;
  t->sparse->coalesced = coalesced;
  tsr_obj_retain(indices);
  tsr_obj_retain(values);
  *out = t;
  return TSR_OK;
}

/* ---- strided to sparse ---- */

static tsr_status to_sparse(tsr_call *c, int64_t sparse_dims) {
  tsr_ctx *ctx = c->ctx;
  tsr_tensor *x = tsr_arg_tensor(c, 0), *dense, *mask, *rows, *indices, *values, *y;
  int64_t size[TSR_MAX_NDIM + 1], inner = 1, outer = 1, count = 0;
  void *p;
  if (x->layout != 0) return x->layout == COO ? tsr_ret_tensor(c, 0, x) : need_coo(ctx, x, "to_sparse");
  if (sparse_dims < 0 || sparse_dims > x->ndim || (sparse_dims == 0 && x->ndim > 0))
    return tsr_op_fail(ctx, "sparse_dim argument must be in >0 when given a nonzero-dim tensor and at most %d, but got %lld", x->ndim, (long long)sparse_dims);
  for (int d = 0; d < x->ndim; d++) *(d < sparse_dims ? &outer : &inner) *= x->size[d];
  TSR_TRY(tsr_contiguous(ctx, &dense, x));
  TSR_TRY(tsr_ready(ctx, &mask, dense, TSR_BOOL));
  TSR_TRY(tsr_new(ctx, &rows, TSR_INT64, 1, &outer));
  TSR_TRY(tsr_data_mut(ctx, rows, &p));
  const uint8_t *m = tsr_tensor_data_ro(mask);
  for (int64_t i = 0; i < outer; i++) {
    bool any = false;
    for (int64_t k = 0; k < inner; k++) any = any || m[i * inner + k] != 0;
    if (any) ((int64_t *)p)[count++] = i;
  }
  const int64_t *row = tsr_tensor_data_ro(rows);
  size[0] = sparse_dims;
  size[1] = count;
  TSR_TRY(tsr_new(ctx, &indices, TSR_INT64, 2, size));
  TSR_TRY(tsr_data_mut(ctx, indices, &p));
  for (int64_t i = 0; i < count; i++) {
    int64_t rest = row[i];
    for (int64_t d = sparse_dims - 1; d >= 0; d--) {
      ((int64_t *)p)[d * count + i] = rest % x->size[d];
      rest /= x->size[d];
    }
  }
  size[0] = count;
  for (int64_t d = sparse_dims; d < x->ndim; d++) size[d - sparse_dims + 1] = x->size[d];
  TSR_TRY(tsr_new(ctx, &values, (tsr_dtype)x->dtype, (int)(x->ndim - sparse_dims) + 1, size));
  TSR_TRY(tsr_data_mut(ctx, values, &p));
  size_t run = (size_t)inner * tsr_tensor_itemsize(x);
  for (int64_t i = 0; i < count; i++) memcpy((char *)p + (size_t)i * run, (const char *)tsr_tensor_data_ro(dense) + (size_t)row[i] * run, run);
  TSR_TRY(new_coo(ctx, &y, x->ndim, x->size, indices, values, true));
  return tsr_ret_tensor(c, 0, y);
}

TSR_KERNEL(to_sparse_dim) { return to_sparse(c, tsr_arg_int(c, 1)); }

TSR_KERNEL(to_sparse) {
  int64_t layout = tsr_arg_int_or(c, 1, COO);
  if (layout != COO || !tsr_arg_is_none(c, 2))
    return tsr_fail(&c->ctx->err, TSR_EUNSUPPORTED, "to_sparse to layout %lld is not supported", (long long)layout);
  return to_sparse(c, tsr_arg_tensor(c, 0)->ndim - tsr_arg_int_or(c, 3, 0));
}

/* ---- sparse to strided ---- */

/* Row number of each entry among the sparse dimensions, checked. */
static tsr_status entry_rows(tsr_ctx *ctx, const tsr_tensor *x, tsr_tensor **out) {
  tsr_tensor *indices;
  void *p;
  TSR_TRY(tsr_index_ready(ctx, &indices, x->sparse->a));
  int64_t dims = indices->ndim == 2 ? indices->size[0] : -1, nnz = indices->ndim == 2 ? indices->size[1] : 0;
  if (dims < 0 || dims > x->ndim || x->sparse->values->ndim != x->ndim - dims + 1 || x->sparse->values->size[0] != nnz)
    return tsr_op_fail(ctx, "sparse tensor: indices and values do not match");
  for (int64_t d = dims; d < x->ndim; d++)
    if (x->sparse->values->size[d - dims + 1] != x->size[d]) return tsr_op_fail(ctx, "sparse tensor: indices and values do not match");
  TSR_TRY(tsr_new(ctx, out, TSR_INT64, 1, &nnz));
  TSR_TRY(tsr_data_mut(ctx, *out, &p));
  const int64_t *v = tsr_tensor_data_ro(indices);
  for (int64_t i = 0; i < nnz; i++) {
    int64_t row = 0;
    for (int64_t d = 0; d < dims; d++) {
      int64_t at = v[d * nnz + i];
      if (at < 0 || at >= x->size[d])
        return tsr_op_fail(ctx, "size is inconsistent with indices: for dim %lld, size is %lld but found index %lld", (long long)d, (long long)x->size[d], (long long)at);
      row = row * x->size[d] + at;
    }
    ((int64_t *)p)[i] = row;
  }
  return TSR_OK;
}

static tsr_status to_dense(tsr_ctx *ctx, const tsr_tensor *x, tsr_tensor **out) {
  tsr_tensor *rows, *values;
  void *p;
  TSR_TRY(entry_rows(ctx, x, &rows));
  TSR_TRY(tsr_contiguous(ctx, &values, x->sparse->values));
  TSR_TRY(tsr_new(ctx, out, (tsr_dtype)x->dtype, x->ndim, x->size));
  TSR_TRY(tsr_fill(ctx, *out, tsr_scalar_int(0)));
  TSR_TRY(tsr_data_mut(ctx, *out, &p));
  tsr_run_fn add = tsr_combine_run(TSR_ADD, (tsr_dtype)values->dtype);
  if (add == NULL || values->dtype != x->dtype)
    return tsr_op_fail(ctx, "\"to_dense\" not implemented for '%s'", tsr_dtype_get_info(values->dtype)->cpp_name);
  int64_t nnz = rows->numel, inner = nnz > 0 ? values->numel / nnz : 0;
  size_t item = tsr_tensor_itemsize(values);
  const int64_t *row = tsr_tensor_data_ro(rows);
  for (int64_t i = 0; i < nnz && inner > 0; i++)
    add((char *)p + (size_t)(row[i] * inner) * item, (ptrdiff_t)item, (const char *)tsr_tensor_data_ro(values) + (size_t)(i * inner) * item, (ptrdiff_t)item, inner);
  return TSR_OK;
}

TSR_KERNEL(to_dense) {
  tsr_tensor *x = tsr_arg_tensor(c, 0), *y = x;
  if (x->layout != 0) {
    TSR_TRY(need_coo(c->ctx, x, "to_dense"));
    TSR_TRY(to_dense(c->ctx, x, &y));
  }
  TSR_TRY(tsr_to_dtype(c->ctx, &y, y, tsr_arg_dtype_or(c, 1, (tsr_dtype)y->dtype)));
  return tsr_ret_tensor(c, 0, y);
}

/* ---- parts ---- */

static tsr_status need_coalesced(tsr_ctx *ctx, const tsr_tensor *x, const char *what) {
  TSR_TRY(need_coo(ctx, x, what));
  if (x->sparse->coalesced) return TSR_OK;
  return tsr_op_fail(ctx, "Cannot get %s on an uncoalesced tensor, please call .coalesce() first", what);
}

TSR_KERNEL(indices) {
  TSR_TRY(need_coalesced(c->ctx, tsr_arg_tensor(c, 0), "indices"));
  return tsr_ret_tensor(c, 0, tsr_arg_tensor(c, 0)->sparse->a);
}

TSR_KERNEL(values) {
  TSR_TRY(need_coalesced(c->ctx, tsr_arg_tensor(c, 0), "values"));
  return tsr_ret_tensor(c, 0, tsr_arg_tensor(c, 0)->sparse->values);
}

TSR_KERNEL(raw_indices) {
  TSR_TRY(need_coo(c->ctx, tsr_arg_tensor(c, 0), "_indices"));
  return tsr_ret_tensor(c, 0, tsr_arg_tensor(c, 0)->sparse->a);
}

TSR_KERNEL(raw_values) {
  TSR_TRY(need_coo(c->ctx, tsr_arg_tensor(c, 0), "_values"));
  return tsr_ret_tensor(c, 0, tsr_arg_tensor(c, 0)->sparse->values);
}

TSR_KERNEL(nnz) {
  TSR_TRY(need_coo(c->ctx, tsr_arg_tensor(c, 0), "_nnz"));
  return tsr_ret_int(c, tsr_arg_tensor(c, 0)->sparse->values->size[0]);
}

TSR_KERNEL(is_coalesced) {
  TSR_TRY(need_coo(c->ctx, tsr_arg_tensor(c, 0), "is_coalesced"));
  return tsr_ret_bool(c, tsr_arg_tensor(c, 0)->sparse->coalesced);
}

TSR_KERNEL(sparse_dim) {
  const tsr_tensor *x = tsr_arg_tensor(c, 0);
  if (x->layout > COO) return need_coo(c->ctx, x, "sparse_dim");
  return tsr_ret_int(c, x->layout == 0 ? 0 : x->ndim + 1 - x->sparse->values->ndim);
}

TSR_KERNEL(dense_dim) {
  const tsr_tensor *x = tsr_arg_tensor(c, 0);
  if (x->layout > COO) return need_coo(c->ctx, x, "dense_dim");
  return tsr_ret_int(c, x->layout == 0 ? x->ndim : x->sparse->values->ndim - 1);
}

/* Entries of one position become their sum, in the order of positions. */
TSR_KERNEL(coalesce) {
  tsr_ctx *ctx = c->ctx;
  tsr_tensor *x = tsr_arg_tensor(c, 0), *rows, *indices, *values, *y;
  TSR_TRY(need_coo(ctx, x, "coalesce"));
  if (x->sparse->coalesced) return tsr_ret_tensor(c, 0, x);
  TSR_TRY(entry_rows(ctx, x, &rows));
  tsr_val args[5] = {tsr_from_obj(rows), tsr_bool(true), tsr_bool(true), tsr_bool(false)}, groups[3];
  TSR_TRY(tsr_invoke(ctx, tsr_op_get("aten::_unique2", ""), args, 4, groups, 3));
  int64_t count = groups[0].t->numel, dims = x->sparse->a->size[0], size[TSR_MAX_NDIM];
  void *p;
  memcpy(size, x->sparse->values->size, x->sparse->values->ndim * sizeof *size);
  size[0] = count;
  TSR_TRY(tsr_new(ctx, &values, (tsr_dtype)x->sparse->values->dtype, x->sparse->values->ndim, size));
  TSR_TRY(tsr_fill(ctx, values, tsr_scalar_int(0)));
  tsr_val add[5] = {tsr_from_obj(values), tsr_int(0), groups[1], tsr_from_obj(x->sparse->values), tsr_int(1)}, sum;
  TSR_TRY(tsr_invoke(ctx, tsr_op_get("aten::index_add", ""), add, 5, &sum, 1));
  size[0] = dims;
  size[1] = count;
  TSR_TRY(tsr_new(ctx, &indices, TSR_INT64, 2, size));
  TSR_TRY(tsr_data_mut(ctx, indices, &p));
  const int64_t *row = tsr_tensor_data_ro(groups[0].t);
  for (int64_t i = 0; i < count; i++) {
    int64_t rest = row[i];
    for (int64_t d = dims - 1; d >= 0; d--) {
      ((int64_t *)p)[d * count + i] = rest % x->size[d];
      rest /= x->size[d];
    }
  }
  TSR_TRY(new_coo(ctx, &y, x->ndim, x->size, indices, sum.t, true));
  return tsr_ret_tensor(c, 0, y);
}

const tsr_op tsr_ops_sparse[] = {
    {"aten::to_sparse.sparse_dim(Tensor self, int sparse_dim) -> Tensor",
     op_to_sparse_dim, TSR_PURE | TSR_ANY_LAYOUT},
    {"aten::to_sparse(Tensor self, *, Layout? layout=None, int[2]? blocksize=None, int? dense_dim=None) -> Tensor",
     op_to_sparse, TSR_PURE | TSR_ANY_LAYOUT},
    {"aten::to_dense(Tensor self, ScalarType? dtype=None, *, bool? masked_grad=None) -> Tensor",
     op_to_dense, TSR_PURE | TSR_ANY_LAYOUT},
    {"aten::_to_dense.out(Tensor self, ScalarType? dtype=None, bool? masked_grad=None, *, Tensor(a!) out) -> Tensor(a!)",
     op_to_dense, TSR_ANY_LAYOUT | TSR_OUT},
    {"aten::_to_dense(Tensor self, ScalarType? dtype=None, bool? masked_grad=None) -> Tensor",
     op_to_dense, TSR_PURE | TSR_ANY_LAYOUT},
    {"aten::indices(Tensor(a) self) -> Tensor(a)",
     op_indices, TSR_PURE | TSR_ANY_LAYOUT},
    {"aten::_indices(Tensor(a) self) -> Tensor(a)",
     op_raw_indices, TSR_PURE | TSR_ANY_LAYOUT},
    {"aten::values(Tensor(a) self) -> Tensor(a)",
     op_values, TSR_PURE | TSR_ANY_LAYOUT},
    {"aten::_values(Tensor(a) self) -> Tensor(a)",
     op_raw_values, TSR_PURE | TSR_ANY_LAYOUT},
    {"aten::_nnz(Tensor self) -> int",
     op_nnz, TSR_PURE | TSR_ANY_LAYOUT},
    {"aten::is_coalesced(Tensor self) -> bool",
     op_is_coalesced, TSR_PURE | TSR_ANY_LAYOUT},
    {"aten::coalesce(Tensor(a) self) -> Tensor(a)",
     op_coalesce, TSR_PURE | TSR_ANY_LAYOUT},
    {"aten::_coalesce.out(Tensor self, *, Tensor(a!) out) -> Tensor(a!)",
     op_coalesce, TSR_ANY_LAYOUT | TSR_OUT},
    {"aten::_coalesce(Tensor self) -> Tensor",
     op_coalesce, TSR_PURE | TSR_ANY_LAYOUT},
    {"aten::sparse_dim(Tensor self) -> int",
     op_sparse_dim, TSR_PURE | TSR_ANY_LAYOUT},
    {"aten::dense_dim(Tensor self) -> int",
     op_dense_dim, TSR_PURE | TSR_ANY_LAYOUT},
    {0},
};
