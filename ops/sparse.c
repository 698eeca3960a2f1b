/* Sparse tensors made from strided ones, taken apart, turned into each other, and made strided again. */
#include "ops/index_run.h"
#include "ops/shape.h"
#include "ops/sparse.h"

enum { COO = TSR_COO };
#define need_coo tsr_sparse_need_coo
#define new_coo tsr_sparse_new_coo

tsr_status tsr_sparse_need_coo(tsr_ctx *ctx, const tsr_tensor *x, const char *op) {
  if (x->layout == COO) return TSR_OK;
  if (x->layout == 0) return tsr_op_fail(ctx, "%s expected sparse coordinate tensor layout but got Strided", op);
  return tsr_fail(&ctx->err, TSR_EUNSUPPORTED, "%s is only available for sparse coordinate tensors", op);
}

tsr_status tsr_sparse_new(tsr_ctx *ctx, tsr_tensor **out, int layout, int ndim, const int64_t *size, tsr_tensor *a, tsr_tensor *b, tsr_tensor *values, bool coalesced) {
  int64_t none = 0;
  tsr_tensor *empty, *t;
  TSR_TRY(tsr_new(ctx, &empty, (tsr_dtype)values->dtype, 1, &none));
  t = tsr_tensor_view(ctx->mem, empty->storage, (tsr_dtype)values->dtype, 0, ndim, size, NULL);
  if (t == NULL) return tsr_op_nomem(ctx);
  TSR_TRY(tsr_temp(ctx, tsr_from_obj(t)));
  t->sparse = tsr_zalloc(ctx->mem, sizeof *t->sparse);
  if (t->sparse == NULL) return tsr_op_nomem(ctx);
  t->layout = (uint8_t)layout;
  t->sparse->a = a;
  t->sparse->b = b;
  t->sparse->values = values;
  t->sparse->coalesced = coalesced || (layout == COO && values->ndim > 0 && values->size[0] < 2); /* as PyTorch counts */
  tsr_obj_retain(a);
  if (b != NULL) tsr_obj_retain(b);
  tsr_obj_retain(values);
  *out = t;
  return TSR_OK;
}

tsr_status tsr_sparse_like(tsr_ctx *ctx, tsr_tensor **out, const tsr_tensor *x, tsr_tensor *values, bool coalesced) {
  return tsr_sparse_new(ctx, out, x->layout, x->ndim, x->size, x->sparse->a, x->sparse->b, values, coalesced);
}

tsr_status tsr_sparse_unravel(tsr_ctx *ctx, tsr_tensor **indices, tsr_tensor *rows, int64_t dims, const int64_t *size) {
  int64_t shape[2] = {dims, rows->numel};
  void *p;
  TSR_TRY(tsr_new(ctx, indices, TSR_INT64, 2, shape));
  TSR_TRY(tsr_data_mut(ctx, *indices, &p));
  const int64_t *row = tsr_tensor_data_ro(rows);
  for (int64_t i = 0; i < rows->numel; i++) {
    int64_t rest = row[i];
    for (int64_t d = dims - 1; d >= 0; d--) {
      ((int64_t *)p)[d * rows->numel + i] = rest % size[d];
      rest /= size[d];
    }
  }
  return TSR_OK;
}

/* ---- strided to sparse ---- */

tsr_status tsr_sparse_from_dense(tsr_ctx *ctx, tsr_tensor **out, tsr_tensor *x, int64_t sparse_dims) {
  tsr_tensor *dense, *mask, *rows, *indices, *values;
  int64_t size[TSR_MAX_NDIM + 1], inner = 1, outer = 1, count = 0;
  void *p;
  if (sparse_dims == 0 && x->ndim > 0) return tsr_op_fail(ctx, "dense_to_sparse: sparse_dim argument must be in >0 when self.dim()>0");
  if (sparse_dims < 0 || sparse_dims > x->ndim) return tsr_op_fail(ctx, "dense_to_sparse: sparse_dim argument must be in [0,%d] range, but %lld is given", x->ndim, (long long)sparse_dims);
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
  tsr_tensor *found;
  TSR_TRY(tsr_narrow(ctx, &found, rows, 0, 0, count));
  TSR_TRY(tsr_sparse_unravel(ctx, &indices, found, sparse_dims, x->size));
  size[0] = count;
  for (int64_t d = sparse_dims; d < x->ndim; d++) size[d - sparse_dims + 1] = x->size[d];
  TSR_TRY(tsr_new(ctx, &values, (tsr_dtype)x->dtype, (int)(x->ndim - sparse_dims) + 1, size));
  TSR_TRY(tsr_data_mut(ctx, values, &p));
  size_t run = (size_t)inner * tsr_tensor_itemsize(x);
  for (int64_t i = 0; i < count; i++) memcpy((char *)p + (size_t)i * run, (const char *)tsr_tensor_data_ro(dense) + (size_t)row[i] * run, run);
  return new_coo(ctx, out, x->ndim, x->size, indices, values, true);
}

/* ---- sparse to strided ---- */

tsr_status tsr_sparse_rows(tsr_ctx *ctx, const tsr_tensor *x, tsr_tensor **out) {
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

tsr_status tsr_sparse_dense(tsr_ctx *ctx, tsr_tensor **out, tsr_tensor *x) {
  tsr_tensor *rows, *values;
  void *p;
  *out = x;
  if (x->layout == 0) return TSR_OK;
  TSR_TRY(tsr_sparse_to(ctx, &x, x, COO));
  TSR_TRY(tsr_sparse_rows(ctx, x, &rows));
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
  TSR_TRY(tsr_sparse_dense(c->ctx, &y, x));
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
  if (tsr_arg_tensor(c, 0)->layout > COO) return tsr_ret_tensor(c, 0, tsr_arg_tensor(c, 0)->sparse->values);
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
  if (tsr_arg_tensor(c, 0)->layout == 0) return need_coo(c->ctx, tsr_arg_tensor(c, 0), "_nnz");
  return tsr_ret_int(c, tsr_arg_tensor(c, 0)->sparse->values->size[tsr_sparse_batch_dims(tsr_arg_tensor(c, 0))]);
}

TSR_KERNEL(is_coalesced) {
  TSR_TRY(need_coo(c->ctx, tsr_arg_tensor(c, 0), "is_coalesced"));
  return tsr_ret_bool(c, tsr_arg_tensor(c, 0)->sparse->coalesced);
}

TSR_KERNEL(sparse_dim) {
  const tsr_tensor *x = tsr_arg_tensor(c, 0);
  return tsr_ret_int(c, x->layout == 0 ? 0 : tsr_sparse_dims(x));
}

TSR_KERNEL(dense_dim) {
  const tsr_tensor *x = tsr_arg_tensor(c, 0);
  return tsr_ret_int(c, x->layout == 0 ? x->ndim : x->ndim - tsr_sparse_dims(x) - tsr_sparse_batch_dims(x));
}

/* Entries of one position become their sum, in the order of positions. */
tsr_status tsr_sparse_coalesce(tsr_ctx *ctx, tsr_tensor **out, tsr_tensor *x) {
  tsr_tensor *rows, *indices, *values;
  *out = x;
  TSR_TRY(need_coo(ctx, x, "coalesce"));
  if (x->sparse->coalesced) return TSR_OK;
  TSR_TRY(tsr_sparse_rows(ctx, x, &rows));
  tsr_val args[5] = {tsr_from_obj(rows), tsr_bool(true), tsr_bool(true), tsr_bool(false)}, groups[3];
  TSR_TRY(tsr_invoke(ctx, tsr_op_get("aten::_unique2", ""), args, 4, groups, 3));
  int64_t size[TSR_MAX_NDIM + 1];
  memcpy(size, x->sparse->values->size, x->sparse->values->ndim * sizeof *size);
  size[0] = groups[0].t->numel;
  TSR_TRY(tsr_new(ctx, &values, (tsr_dtype)x->sparse->values->dtype, x->sparse->values->ndim, size));
  TSR_TRY(tsr_fill(ctx, values, tsr_scalar_int(0)));
  tsr_val add[5] = {tsr_from_obj(values), tsr_int(0), groups[1], tsr_from_obj(x->sparse->values), tsr_int(1)}, sum;
  TSR_TRY(tsr_invoke(ctx, tsr_op_get("aten::index_add", ""), add, 5, &sum, 1));
  TSR_TRY(tsr_sparse_unravel(ctx, &indices, groups[0].t, tsr_sparse_dims(x), x->size));
  return new_coo(ctx, out, x->ndim, x->size, indices, sum.t, true);
}

TSR_KERNEL(coalesce) {
  tsr_tensor *y;
  TSR_TRY(tsr_sparse_coalesce(c->ctx, &y, tsr_arg_tensor(c, 0)));
  return tsr_ret_tensor(c, 0, y);
}

/* ---- compressed to coordinates and back ---- */

static int64_t product(const int64_t *size, int64_t n) {
  int64_t y = 1;
  for (int64_t d = 0; d < n; d++)
    if (tsr_mul_overflow(y, size[d], &y)) return INT64_MAX;
  return y;
}

static tsr_status compressed_to_coo(tsr_ctx *ctx, tsr_tensor **out, const tsr_tensor *x) {
  if (x->layout != TSR_CSR && x->layout != TSR_CSC) return tsr_fail(&ctx->err, TSR_EUNSUPPORTED, "sparse tensors of blocks (layout %d) cannot be computed with", x->layout);
  TSR_TRY(tsr_sparse_check(ctx, x->layout, x->sparse->a, x->sparse->b, x->sparse->values, x->ndim, x->size));
  int64_t nb = tsr_sparse_batch_dims(x), batches = product(x->size, nb), nnz = x->sparse->b->size[nb], total = batches * nnz, size[TSR_MAX_NDIM + 1] = {total};
  bool rows = x->layout == TSR_CSR;
  int64_t lines = x->size[nb + !rows], shape[2] = {nb + 2, total};
  tsr_tensor *ptr, *at, *indices, *values;
  void *data;
  TSR_TRY(tsr_index_ready(ctx, &ptr, x->sparse->a));
  TSR_TRY(tsr_index_ready(ctx, &at, x->sparse->b));
  TSR_TRY(tsr_index_check(ctx, at, x->size[nb + rows], 1));
  TSR_TRY(tsr_new(ctx, &indices, TSR_INT64, 2, shape));
  TSR_TRY(tsr_data_mut(ctx, indices, &data));
  const int64_t *v = tsr_tensor_data_ro(ptr), *other = tsr_tensor_data_ro(at);
  int64_t *p = data;
  for (int64_t i = 0; i < batches; i++, v += lines + 1) {
    if (v[0] != 0 || v[lines] != nnz) return tsr_op_fail(ctx, "`%s[..., %s` is not satisfied.", rows ? "crow_indices" : "ccol_indices", v[0] != 0 ? "0] == 0" : "-1] == nnz");
    for (int64_t line = 0; line < lines; line++) {
      if (v[line + 1] < v[line] || v[line + 1] > nnz) return tsr_op_fail(ctx, "`0 <= compressed_indices[..., 1:] - compressed_indices[..., :-1] <= plain_dim` is not satisfied.");
      for (int64_t e = i * nnz + v[line]; e < i * nnz + v[line + 1]; e++) {
        for (int64_t d = nb - 1, rest = i; d >= 0; rest /= x->size[d], d--) p[d * total + e] = rest % x->size[d];
        p[(nb + !rows) * total + e] = line;
        p[(nb + rows) * total + e] = other[e];
      }
    }
  }
  for (int64_t d = nb + 2; d < x->ndim; d++) size[d - nb - 1] = x->size[d];
  TSR_TRY(tsr_reshape(ctx, &values, x->sparse->values, (int)(x->ndim - nb) - 1, size));
  return new_coo(ctx, out, x->ndim, x->size, indices, values, rows);
}

/* The last two of the sparse dimensions are rows and columns, those before number matrices that all have as many entries. */
static tsr_status coo_to_rows(tsr_ctx *ctx, tsr_tensor **out, tsr_tensor *x) {
  int64_t nb = tsr_sparse_dims(x) - 2, batches = product(x->size, nb), lines = x->size[nb], across = x->size[nb + 1], size[TSR_MAX_NDIM + 1], *count;
  tsr_tensor *rows, *at, *ptr, *values = x->sparse->values;
  void *p;
  TSR_TRY(tsr_sparse_rows(ctx, x, &rows));
  if (batches == 0) return tsr_op_fail(ctx, "to_sparse_csr: Expected product of batch dimensions to be non-zero.");
  memcpy(size, x->size, (size_t)nb * sizeof *size);
  size[nb] = lines + 1;
  TSR_TRY(tsr_new(ctx, &ptr, TSR_INT64, (int)nb + 1, size));
  TSR_TRY(tsr_fill(ctx, ptr, tsr_scalar_int(0)));
  TSR_TRY(tsr_data_mut(ctx, ptr, &p));
  count = p;
  const int64_t *v = tsr_tensor_data_ro(rows);
  for (int64_t i = 0; i < rows->numel; i++) count[v[i] / across / lines * (lines + 1) + v[i] / across % lines + 1]++;
  for (int64_t i = 0; i < batches; i++, count += lines + 1) {
    for (int64_t k = 0; k < lines; k++) count[k + 1] += count[k];
    if (count[lines] * batches != rows->numel) return tsr_op_fail(ctx, "Expect the same number of specified elements per batch.");
  }
  TSR_TRY(tsr_select(ctx, &at, x->sparse->a, 0, nb + 1));
  TSR_TRY(tsr_clone(ctx, &at, at));
  size[nb] = rows->numel / batches;
  TSR_TRY(tsr_reshape(ctx, &at, at, (int)nb + 1, size));
  for (int64_t d = nb + 2; d < x->ndim; d++) size[d - 1] = x->size[d];
  TSR_TRY(tsr_reshape(ctx, &values, values, x->ndim - 1, size));
  return tsr_sparse_new(ctx, out, TSR_CSR, x->ndim, x->size, ptr, at, values, false);
}

/* Coordinates with rows and columns exchanged, in the order of the new ones. */
static tsr_status turned(tsr_ctx *ctx, tsr_tensor **out, tsr_tensor *x) {
  tsr_tensor *row[TSR_MAX_NDIM], *indices;
  int64_t sd = tsr_sparse_dims(x), size[TSR_MAX_NDIM];
  for (int64_t d = 0; d < x->ndim; d++) {
    int64_t from = d == sd - 2 ? d + 1 : d == sd - 1 ? d - 1 : d;
    size[d] = x->size[from];
    if (d < sd) TSR_TRY(tsr_select(ctx, &row[d], x->sparse->a, 0, from));
  }
  TSR_TRY(tsr_stack(ctx, &indices, row, sd, 0));
  TSR_TRY(new_coo(ctx, out, x->ndim, size, indices, x->sparse->values, false));
  return tsr_sparse_coalesce(ctx, out, *out);
}

tsr_status tsr_sparse_compress(tsr_ctx *ctx, tsr_tensor **out, tsr_tensor *x, int64_t layout) {
  int ndim = x->ndim;
  const int64_t *size = x->size;
  TSR_TRY(tsr_sparse_coalesce(ctx, &x, x));
  if (layout == TSR_CSR) return coo_to_rows(ctx, out, x);
  TSR_TRY(turned(ctx, &x, x));
  TSR_TRY(coo_to_rows(ctx, &x, x));
  return tsr_sparse_new(ctx, out, TSR_CSC, ndim, size, x->sparse->a, x->sparse->b, x->sparse->values, false);
}

tsr_status tsr_sparse_to(tsr_ctx *ctx, tsr_tensor **out, tsr_tensor *x, int64_t layout) {
  *out = x;
  if (x->layout == layout) return TSR_OK;
  if (layout != COO && x->layout == COO && tsr_sparse_dims(x) != 2) {
    const char *name = layout == TSR_CSR ? "Csr" : "Csc";
    return tsr_op_fail(ctx, "coo_to_sparse_%s: conversion from Sparse to Sparse%s for input tensors with sparse_dim()!=2 is not supported", layout == TSR_CSR ? "csr" : "csc", name);
  }
  if (x->layout == 0) TSR_TRY(tsr_sparse_from_dense(ctx, &x, x, x->ndim));
  if (x->layout > COO) TSR_TRY(compressed_to_coo(ctx, &x, x));
  return layout == COO ? tsr_sparse_coalesce(ctx, out, x) : tsr_sparse_compress(ctx, out, x, layout);
}

/* to_sparse_csr and its like: a strided tensor of matrices, whose elements have dense dimensions */
static tsr_status compressed(tsr_call *c, int64_t layout, uint32_t dense_at) {
  tsr_tensor *x = tsr_arg_tensor(c, 0), *y;
  int64_t dense = tsr_arg_int_or(c, dense_at, 0);
  const char *low = layout == TSR_CSR ? "csr" : "csc", *name = layout == TSR_CSR ? "Csr" : "Csc";
  if (x->layout != 0 && !tsr_arg_is_none(c, dense_at))
    return tsr_op_fail(c->ctx, "coo_to_sparse_%s: conversion from Sparse to Sparse%s with dense_dim argument given is not supported", low, name);
  if (x->layout == 0 && x->ndim >= 2 && (dense < 0 || dense > x->ndim - 2))
    return tsr_op_fail(c->ctx, "dense_to_sparse_%s: dense_dim argument must be in [0,%d] range, but %lld is given", low, x->ndim - 2, (long long)dense);
  if (x->layout == 0 && x->ndim < 2) { /* in the words of what PyTorch runs into */
    if (layout == TSR_CSC) TSR_TRY(tsr_wrap_dim(c->ctx, 1, x->ndim, &dense));
    TSR_TRY(tsr_sparse_from_dense(c->ctx, &y, x, x->ndim));
    return tsr_op_fail(c->ctx, "select(): index 1 out of range for tensor of size [%lld, %d] at dimension 1", (long long)y->sparse->values->size[0], x->ndim);
  }
  if (x->layout == 0 && product(x->size, x->ndim - 2 - dense) == 0) return tsr_op_fail(c->ctx, "to_sparse_%s: Expected product of batch dimensions to be non-zero.", low);
  if (x->layout == 0) {
    TSR_TRY(tsr_sparse_from_dense(c->ctx, &y, x, x->ndim - dense));
    TSR_TRY(tsr_sparse_compress(c->ctx, &y, y, layout));
  } else TSR_TRY(tsr_sparse_to(c->ctx, &y, x, layout));
  return tsr_ret_tensor(c, 0, y);
}

TSR_KERNEL(to_compressed) { return compressed(c, *(const int *)c->op->data, 1); }

static tsr_status to_sparse(tsr_call *c, int64_t sparse_dims) {
  tsr_tensor *x = tsr_arg_tensor(c, 0);
  if (x->layout == 0) TSR_TRY(tsr_sparse_from_dense(c->ctx, &x, x, sparse_dims));
  if (x->layout > COO && sparse_dims != 2)
    return tsr_op_fail(c->ctx, "sparse_compressed_to_sparse: conversion from Sparse%s to Sparse with sparse_dim argument !=2 is not supported", x->layout == TSR_CSR ? "Csr" : "Csc");
  if (x->layout > COO) TSR_TRY(compressed_to_coo(c->ctx, &x, x));
  return tsr_ret_tensor(c, 0, x);
}

TSR_KERNEL(to_sparse_dim) { return to_sparse(c, tsr_arg_int(c, 1)); }

TSR_KERNEL(to_sparse) {
  int64_t layout = tsr_arg_int_or(c, 1, COO);
  tsr_tensor *x = tsr_arg_tensor(c, 0), *y;
  if ((layout != COO && layout != TSR_CSR && layout != TSR_CSC) || !tsr_arg_is_none(c, 2))
    return tsr_fail(&c->ctx->err, TSR_EUNSUPPORTED, "to_sparse to layout %lld is not supported", (long long)layout);
  if (layout != COO && x->layout != layout) return compressed(c, layout, 3);
  int64_t dense = tsr_arg_int_or(c, 3, 0);
  if (x->layout == 0 && dense == x->ndim && dense > 0) return tsr_op_fail(c->ctx, "dense_to_sparse: dense_dim argument must be !=self.dim() when self.dim()>0");
  if (x->layout == 0 && (dense < 0 || dense > x->ndim)) return tsr_op_fail(c->ctx, "dense_to_sparse: dense_dim argument must be in [0,%d] range, but %lld is given", x->ndim, (long long)dense);
  if (layout == COO) return to_sparse(c, x->layout == 0 ? x->ndim - dense : 2);
  TSR_TRY(tsr_sparse_to(c->ctx, &y, x, layout));
  return tsr_ret_tensor(c, 0, y);
}

static const int csr = TSR_CSR, csc = TSR_CSC;

/* crow_indices and its like: which layout has them, and which of its parts they are. */
typedef struct part { int layout; bool second; const char *name; } part;
static const part crow = {TSR_CSR, false, "crow_indices"}, col = {TSR_CSR, true, "col_indices"}, ccol = {TSR_CSC, false, "ccol_indices"}, row = {TSR_CSC, true, "row_indices"};

TSR_KERNEL(part) {
  const part *p = c->op->data;
  const tsr_tensor *x = tsr_arg_tensor(c, 0);
  if (x->layout != p->layout)
    return tsr_op_fail(c->ctx, "%s expected sparse %s tensor layout but got another one (layout %d)", p->name, p->layout == TSR_CSR ? "row compressed" : "column compressed", x->layout);
  return tsr_ret_tensor(c, 0, p->second ? x->sparse->b : x->sparse->a);
}

const tsr_op tsr_ops_sparse[] = {
    {"aten::to_sparse.sparse_dim(Tensor self, int sparse_dim) -> Tensor",
     op_to_sparse_dim, TSR_PURE | TSR_ANY_LAYOUT},
    {"aten::to_sparse(Tensor self, *, Layout? layout=None, int[2]? blocksize=None, int? dense_dim=None) -> Tensor",
     op_to_sparse, TSR_PURE | TSR_ANY_LAYOUT},
    {"aten::to_dense(Tensor self, ScalarType? dtype=None, *, bool? masked_grad=None) -> Tensor",
     op_to_dense, TSR_PURE | TSR_ANY_LAYOUT},
    {"aten::_to_dense.out(Tensor self, ScalarType? dtype=None, bool? masked_grad=None, *, Tensor(a!) out) -> Tensor(a!)",
     op_to_dense, TSR_ANY_LAYOUT | TSR_OUT_NEW},
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
     op_coalesce, TSR_ANY_LAYOUT | TSR_OUT_NEW},
    {"aten::_coalesce(Tensor self) -> Tensor",
     op_coalesce, TSR_PURE | TSR_ANY_LAYOUT},
    {"aten::sparse_dim(Tensor self) -> int",
     op_sparse_dim, TSR_PURE | TSR_ANY_LAYOUT},
    {"aten::dense_dim(Tensor self) -> int",
     op_dense_dim, TSR_PURE | TSR_ANY_LAYOUT},
    {"aten::crow_indices(Tensor(a) self) -> Tensor(a)", op_part, TSR_PURE | TSR_ANY_LAYOUT, &crow},
    {"aten::col_indices(Tensor(a) self) -> Tensor(a)", op_part, TSR_PURE | TSR_ANY_LAYOUT, &col},
    {"aten::ccol_indices(Tensor(a) self) -> Tensor(a)", op_part, TSR_PURE | TSR_ANY_LAYOUT, &ccol},
    {"aten::row_indices(Tensor(a) self) -> Tensor(a)", op_part, TSR_PURE | TSR_ANY_LAYOUT, &row},
    {"aten::to_sparse_csr(Tensor self, int? dense_dim=None) -> Tensor", op_to_compressed, TSR_PURE | TSR_ANY_LAYOUT, &csr},
    {"aten::to_sparse_csc(Tensor self, int? dense_dim=None) -> Tensor", op_to_compressed, TSR_PURE | TSR_ANY_LAYOUT, &csc},
    {"aten::_to_sparse_csr(Tensor self, int? dense_dim=None) -> Tensor", op_to_compressed, TSR_PURE | TSR_ANY_LAYOUT, &csr},
    {"aten::_to_sparse_csc(Tensor self, int? dense_dim=None) -> Tensor", op_to_compressed, TSR_PURE | TSR_ANY_LAYOUT, &csc},
    {"aten::_to_sparse.sparse_dim(Tensor self, int sparse_dim) -> Tensor", op_to_sparse_dim, TSR_PURE | TSR_ANY_LAYOUT},
    {"aten::_to_sparse(Tensor self, *, Layout? layout=None, int[2]? blocksize=None, int? dense_dim=None) -> Tensor", op_to_sparse, TSR_PURE | TSR_ANY_LAYOUT},
    {"aten::_dimI(Tensor self) -> int", op_sparse_dim, TSR_PURE | TSR_ANY_LAYOUT},
    {"aten::_dimV(Tensor self) -> int", op_dense_dim, TSR_PURE | TSR_ANY_LAYOUT},
    {0},
};
