/* Operators of strided tensors that take sparse ones too: found by name when an operand is sparse, before the operator's own
 * kernel is asked.  An in-place form computes anew and gives its first operand the parts of the result. */
#include "ops/shape.h"
#include "ops/sparse.h"

typedef tsr_status (*sparse_fn)(tsr_call *c, tsr_tensor **out);
typedef struct known { const char *name; sparse_fn fn; } known;

static tsr_tensor *arg(const tsr_call *c, uint32_t i) { return i < c->nargs && c->args[i].tag == TSR_V_TENSOR ? c->args[i].t : NULL; }
static bool is_sparse(const tsr_tensor *t) { return t != NULL && t->layout != 0; }

/* The same operator on the values. */
static tsr_status run_on_values(tsr_call *c, tsr_tensor *x, tsr_tensor **values) {
  tsr_val args[16], ret;
  if (c->nargs > TSR_COUNT(args)) return tsr_fail(&c->ctx->err, TSR_EINTERNAL, "%s: too many arguments for sparse values", c->op->schema);
  memcpy(args, c->args, c->nargs * sizeof *args);
  args[0] = tsr_from_obj(x->sparse->values);
  TSR_TRY(tsr_invoke(c->ctx, c->op, args, c->nargs, &ret, 1));
  *values = ret.t;
  return TSR_OK;
}

/* Zero stays zero, and f(a + b) is f(a) + f(b): positions that repeat may stay. */
static tsr_status linear(tsr_call *c, tsr_tensor **out) {
  tsr_tensor *x = arg(c, 0), *values;
  TSR_TRY(run_on_values(c, x, &values));
  return values == x->sparse->values ? (*out = x, TSR_OK) : tsr_sparse_like(c->ctx, out, x, values, x->sparse->coalesced);
}

/* Zero stays zero. */
static tsr_status pointwise(tsr_call *c, tsr_tensor **out) {
  tsr_tensor *x = arg(c, 0), *values;
  if (x->layout == TSR_COO) TSR_TRY(tsr_sparse_coalesce(c->ctx, &x, x));
  TSR_TRY(run_on_values(c, x, &values));
  return tsr_sparse_like(c->ctx, out, x, values, true);
}

static tsr_status power(tsr_call *c, tsr_tensor **out) {
  tsr_scalar e = tsr_arg_scalar(c, 1);
  if (e.z.re == 0 && e.z.im == 0) return tsr_op_fail(c->ctx, "pow: cannot raise to zeroth power on sparse tensor");
  return pointwise(c, out);
}

static tsr_status same(tsr_call *c, tsr_tensor **out) { return *out = arg(c, 0), TSR_OK; }

static tsr_status clone(tsr_call *c, tsr_tensor **out) {
  const tsr_tensor *x = arg(c, 0);
  tsr_tensor *a, *b = NULL, *values;
  TSR_TRY(tsr_clone(c->ctx, &a, x->sparse->a));
  if (x->sparse->b != NULL) TSR_TRY(tsr_clone(c->ctx, &b, x->sparse->b));
  TSR_TRY(tsr_clone(c->ctx, &values, x->sparse->values));
  return tsr_sparse_new(c->ctx, out, x->layout, x->ndim, x->size, a, b, values, x->sparse->coalesced);
}

static tsr_status zeros_like(tsr_call *c, tsr_tensor **out) {
  const tsr_tensor *x = arg(c, 0);
  int64_t size[2] = {tsr_sparse_dims(x), 0}, shape[TSR_MAX_NDIM + 1];
  tsr_tensor *indices, *values;
  TSR_TRY(tsr_sparse_need_coo(c->ctx, x, "zeros_like"));
  TSR_TRY(tsr_new(c->ctx, &indices, TSR_INT64, 2, size));
  memcpy(shape, x->sparse->values->size, x->sparse->values->ndim * sizeof *shape);
  shape[0] = 0;
  TSR_TRY(tsr_new(c->ctx, &values, tsr_arg_dtype_or(c, 1, (tsr_dtype)x->dtype), x->sparse->values->ndim, shape));
  return tsr_sparse_new_coo(c->ctx, out, x->ndim, x->size, indices, values, true);
}

/* ---- two operands ---- */

static tsr_status add_scaled(tsr_call *c, tsr_tensor **out, int sign) {
  tsr_tensor *a = arg(c, 0), *b = arg(c, 1);
  if (b == NULL) return tsr_op_fail(c->ctx, "add(sparse, dense) is not supported. Use add(dense, sparse) instead.");
  tsr_scalar alpha = c->nargs > 2 ? tsr_arg_scalar(c, 2) : tsr_scalar_int(1);
  if (sign < 0) alpha.i = -alpha.i, alpha.d = -alpha.d, alpha.z = (tsr_c128){-alpha.z.re, -alpha.z.im};
  return tsr_sparse_add(c->ctx, out, a, b, alpha);
}

static tsr_status add(tsr_call *c, tsr_tensor **out) { return add_scaled(c, out, 1); }
static tsr_status sub(tsr_call *c, tsr_tensor **out) { return add_scaled(c, out, -1); }

static tsr_status mul(tsr_call *c, tsr_tensor **out) {
  tsr_tensor *a = arg(c, 0), *b = arg(c, 1);
  if (b == NULL || (b->layout == 0 && b->ndim == 0)) return linear(c, out);
  if (a->layout == 0 && a->ndim == 0) {
    tsr_tensor *values;
    TSR_TRY(tsr_binary(c->ctx, &values, "mul", a, b->sparse->values));
    return tsr_sparse_like(c->ctx, out, b, values, b->sparse->coalesced);
  }
  return tsr_sparse_mul(c->ctx, out, a, b);
}

static tsr_status divide(tsr_call *c, tsr_tensor **out) {
  const tsr_tensor *x = arg(c, 0), *d = arg(c, 1);
  if (!is_sparse(x) || is_sparse(d)) return tsr_op_fail(c->ctx, "Sparse division requires a dense divisor and a sparse dividend");
  if (d != NULL && d->ndim > 0) {
    char text[256];
    tsr_sizes_print(text, sizeof text, d->ndim, d->size);
    return tsr_op_fail(c->ctx, "Sparse division requires a scalar or zero-dim dense tensor divisor (got shape %s for divisor)", text);
  }
  if (x->layout != TSR_COO && strncmp(c->op->schema, "aten::div", 9) == 0 && strchr("(._", c->op->schema[9]) != NULL && d != NULL)
    return tsr_op_fail(c->ctx, "unsupported tensor layout: SparseCsr");
  bool rounds = strstr(c->op->schema, "floor_divide") != NULL || strstr(c->op->schema, "_mode") != NULL; /* then sums must be whole first */
  return rounds ? pointwise(c, out) : linear(c, out);
}

/* ---- products of matrices ---- */

static tsr_status by_vector(tsr_ctx *ctx, tsr_tensor **out, tsr_tensor *a, tsr_tensor *v) {
  TSR_TRY(tsr_unsqueeze(ctx, &v, v, 1));
  TSR_TRY(tsr_sparse_mm(ctx, out, a, v));
  return tsr_squeeze_dim(ctx, out, *out, 1);
}

static tsr_status batched(tsr_ctx *ctx, tsr_tensor **out, tsr_tensor *a, tsr_tensor *b) {
  if (a->layout != TSR_COO || b->layout != 0 || a->ndim != 3 || b->ndim != 3 || a->size[0] != b->size[0])
    return tsr_fail(&ctx->err, TSR_EUNSUPPORTED, "bmm of sparse tensors: only a coordinate tensor by a strided one of as many matrices");
  tsr_tensor **each;
  TSR_TRY(tsr_workspace(ctx, a->size[0] + 1, sizeof *each, &each));
  for (int64_t i = 0; i < a->size[0]; i++) {
    tsr_val args[3] = {tsr_from_obj(a), tsr_int(0), tsr_int(i)}, ret;
    tsr_tensor *m;
    TSR_TRY(tsr_invoke(ctx, tsr_op_get("aten::select", "int"), args, 3, &ret, 1));
    TSR_TRY(tsr_select(ctx, &m, b, 0, i));
    TSR_TRY(tsr_sparse_mm(ctx, &each[i], ret.t, m));
  }
  return tsr_stack(ctx, out, each, a->size[0], 0);
}

static tsr_status matmul(tsr_call *c, tsr_tensor **out) {
  tsr_tensor *a = arg(c, 0), *b = arg(c, 1);
  if (a->ndim == 3 && b->ndim == 3) return batched(c->ctx, out, a, b);
  if (a->ndim == 2 && b->ndim == 1) return by_vector(c->ctx, out, a, b);
  if (a->layout == 0 && a->ndim != 2) { /* rows of a strided tensor */
    int64_t flat[2] = {-1, a->ndim > 0 ? a->size[a->ndim - 1] : 1}, size[TSR_MAX_NDIM];
    memcpy(size, a->size, a->ndim * sizeof *size);
    TSR_TRY(tsr_reshape(c->ctx, &a, a, 2, flat));
    TSR_TRY(tsr_sparse_mm(c->ctx, out, a, b));
    int n = arg(c, 0)->ndim;
    size[n - 1] = b->size[1];
    return tsr_reshape(c->ctx, out, *out, n, size);
  }
  return tsr_sparse_mm(c->ctx, out, a, b);
}

static tsr_status flip(tsr_ctx *ctx, tsr_tensor **out, tsr_tensor *x) {
  tsr_val args[1] = {tsr_from_obj(x)}, ret;
  TSR_TRY(tsr_invoke(ctx, tsr_op_get("aten::t", ""), args, 1, &ret, 1));
  *out = ret.t;
  return TSR_OK;
}

static tsr_status linear_layer(tsr_call *c, tsr_tensor **out) {
  tsr_tensor *w = arg(c, 1), *bias = arg(c, 2);
  tsr_val args[2] = {c->args[0]}, ret;
  TSR_TRY(flip(c->ctx, &w, w));
  args[1] = tsr_from_obj(w);
  TSR_TRY(tsr_invoke(c->ctx, tsr_op_get("aten::matmul", ""), args, 2, &ret, 1));
  *out = ret.t;
  return bias != NULL ? tsr_binary(c->ctx, out, "add", ret.t, bias) : TSR_OK;
}

/* beta * self + alpha * (mat1 @ mat2); scalars at argument 3 and 4 */
static tsr_status addmm(tsr_call *c, tsr_tensor **out) {
  tsr_tensor *self = arg(c, 0), *y;
  tsr_scalar beta = tsr_arg_scalar(c, 3);
  TSR_TRY(tsr_sparse_mm(c->ctx, &y, arg(c, 1), arg(c, 2)));
  if (y->layout == 0 && self->layout == 0) TSR_TRY(tsr_expand(c->ctx, &self, self, y->ndim, y->size));
  if (self->layout == 0) {
    TSR_TRY(tsr_binary_scalar(c->ctx, &self, "mul", self, beta));
  } else {
    tsr_val args[2] = {tsr_from_obj(self), c->args[3]}, ret;
    TSR_TRY(tsr_invoke(c->ctx, tsr_op_get("aten::mul", "Scalar"), args, 2, &ret, 1));
    self = ret.t;
  }
  tsr_val args[3] = {tsr_from_obj(self), tsr_from_obj(y), c->args[4]}, ret;
  TSR_TRY(tsr_invoke(c->ctx, tsr_op_get("aten::add", "Tensor"), args, 3, &ret, 1));
  *out = ret.t;
  return TSR_OK;
}

/* ---- reductions ---- */

static tsr_status sum(tsr_call *c, tsr_tensor **out) {
  int64_t n = -1;
  bool by_dim = strstr(c->op->schema, " dim") != NULL;
  const int64_t *dims = by_dim ? tsr_arg_ints(c, 1, &n) : NULL;
  uint32_t dtype_at = by_dim ? 3 : 1;
  return tsr_sparse_sum(c->ctx, out, arg(c, 0), n, dims, by_dim && tsr_arg_bool(c, 2), (int)tsr_arg_int_or(c, dtype_at, -1));
}

/* Of the stored values alone: zeros would not change it. */
static tsr_status of_values(tsr_call *c, tsr_tensor **out) {
  tsr_tensor *x = arg(c, 0);
  if (x->layout == TSR_COO) TSR_TRY(tsr_sparse_coalesce(c->ctx, &x, x));
  return run_on_values(c, x, out);
}

static tsr_status softmax(tsr_call *c, tsr_tensor **out) {
  tsr_tensor *x = arg(c, 0), *values;
  TSR_TRY(tsr_sparse_need_coo(c->ctx, x, "softmax"));
  if (!tsr_arg_is_none(c, 2)) {
    TSR_TRY(tsr_to_dtype(c->ctx, &values, x->sparse->values, (tsr_dtype)tsr_arg_int(c, 2)));
    TSR_TRY(tsr_sparse_like(c->ctx, &x, x, values, x->sparse->coalesced));
  }
  return tsr_sparse_softmax(c->ctx, out, x, tsr_arg_int(c, 1), strstr(c->op->schema, "log_softmax") != NULL);
}

/* ---- shapes ---- */

/* Batches among themselves, or rows for columns: then the same parts are those of the other layout. */
static tsr_status turn_compressed(tsr_ctx *ctx, tsr_tensor **out, tsr_tensor *x, const int64_t *perm) {
  int64_t nb = tsr_sparse_batch_dims(x), size[TSR_MAX_NDIM], inner[TSR_MAX_NDIM + 1];
  tsr_tensor *part[3] = {x->sparse->a, x->sparse->b, x->sparse->values};
  if (part[2]->ndim > nb + 1) return tsr_op_fail(ctx, "transpose(): hybrid sparse compressed tensors with dense dimensions are not supported");
  for (int64_t d = 0; d < x->ndim; d++) {
    if ((d < nb) != (perm[d] < nb))
      return tsr_op_fail(ctx, "transpose(): can only transpose dimensions of the same type (Batch, Sparse, Dense), got %lld(%s) and %lld(%s)", (long long)d, d < nb ? "Batch" : "Sparse", (long long)perm[d], d < nb ? "Sparse" : "Batch");
    size[d] = x->size[perm[d]];
    inner[d] = d < nb ? perm[d] : d;
  }
  for (int i = 0; i < 3 && nb > 0; i++) TSR_TRY(tsr_permute(ctx, &part[i], part[i], inner));
  int layout = perm[nb] == nb ? x->layout : x->layout == TSR_CSR ? TSR_CSC : TSR_CSR;
  return tsr_sparse_new(ctx, out, layout, x->ndim, size, part[0], part[1], part[2], false);
}

static tsr_status exchange(tsr_ctx *ctx, tsr_tensor **out, tsr_tensor *x, const int64_t *perm) {
  int64_t size[TSR_MAX_NDIM], sd = tsr_sparse_dims(x);
  tsr_tensor *rows[TSR_MAX_NDIM], *indices, *values = x->sparse->values;
  if (x->layout != TSR_COO) {
    return turn_compressed(ctx, out, x, perm);
  }
  bool moved = false;
  int64_t inner[TSR_MAX_NDIM + 1] = {0};
  for (int d = 0; d < x->ndim; d++) {
    size[d] = x->size[perm[d]];
    moved = moved || perm[d] != d;
    if ((perm[d] < sd) != (d < sd)) return tsr_op_fail(ctx, "permute: transpositions between sparse and dense dimensions are not allowed");
    if (d < sd) TSR_TRY(tsr_select(ctx, &rows[d], x->sparse->a, 0, perm[d]));
    else inner[d - sd + 1] = perm[d] - sd + 1;
  }
  TSR_TRY(tsr_stack(ctx, &indices, rows, sd, 0));
  TSR_TRY(tsr_permute(ctx, &values, values, inner));
  return tsr_sparse_new_coo(ctx, out, x->ndim, size, indices, values, x->sparse->coalesced && !moved);
}

static tsr_status transpose_dims(tsr_ctx *ctx, tsr_tensor **out, tsr_tensor *x, int64_t d0, int64_t d1) {
  int64_t perm[TSR_MAX_NDIM];
  TSR_TRY(tsr_wrap_dim(ctx, d0, x->ndim, &d0));
  TSR_TRY(tsr_wrap_dim(ctx, d1, x->ndim, &d1));
  for (int d = 0; d < x->ndim; d++) perm[d] = d == d0 ? d1 : d == d1 ? d0 : d;
  return exchange(ctx, out, x, perm);
}

static tsr_status transpose(tsr_call *c, tsr_tensor **out) { return transpose_dims(c->ctx, out, arg(c, 0), tsr_arg_int(c, 1), tsr_arg_int(c, 2)); }

static tsr_status turn(tsr_call *c, tsr_tensor **out) {
  tsr_tensor *x = arg(c, 0);
  if (x->ndim < 2) return *out = x, TSR_OK;
  if (x->ndim > 2) return tsr_op_fail(c->ctx, "t() expects a tensor with <= 2 sparse and 0 dense dimensions, but got %lld sparse and %lld dense dimensions", (long long)tsr_sparse_dims(x), (long long)(x->ndim - tsr_sparse_dims(x)));
  return transpose_dims(c->ctx, out, x, 0, 1);
}

static tsr_status permute(tsr_call *c, tsr_tensor **out) {
  tsr_tensor *x = arg(c, 0);
  int64_t n, perm[TSR_MAX_NDIM];
  bool seen[TSR_MAX_NDIM] = {0};
  const int64_t *dims = tsr_arg_ints(c, 1, &n);
  if (n != x->ndim) return tsr_op_fail(c->ctx, "permute(sparse_coo): number of dimensions in the tensor input does not match the length of the desired ordering of dimensions i.e. input.dim() = %d is not equal to len(dims) = %lld", x->ndim, (long long)n);
  TSR_TRY(tsr_wrap_dims(c->ctx, n, dims, n, perm));
  for (int64_t i = 0; i < n; i++) {
    if (seen[perm[i]]) return tsr_op_fail(c->ctx, "permute(): duplicate dims are not allowed.");
    seen[perm[i]] = true;
  }
  return exchange(c->ctx, out, x, perm);
}

static tsr_status unsqueeze(tsr_call *c, tsr_tensor **out) {
  tsr_tensor *x = arg(c, 0), *rows[TSR_MAX_NDIM], *indices = x->sparse->a, *values = x->sparse->values, *zero;
  int64_t dim, sd = tsr_sparse_dims(x), size[TSR_MAX_NDIM + 1], nnz = values->size[0];
  TSR_TRY(tsr_sparse_need_coo(c->ctx, x, "unsqueeze"));
  TSR_TRY(tsr_wrap_dim(c->ctx, tsr_arg_int(c, 1), x->ndim + 1, &dim));
  TSR_TRY(tsr_check_ndim(c->ctx, x->ndim + 1));
  for (int d = 0; d <= x->ndim; d++) size[d] = d == dim ? 1 : x->size[d > dim ? d - 1 : d];
  if (dim <= sd) {
    TSR_TRY(tsr_new(c->ctx, &zero, TSR_INT64, 1, &nnz));
    TSR_TRY(tsr_fill(c->ctx, zero, tsr_scalar_int(0)));
    for (int64_t d = 0; d <= sd; d++) {
      if (d == dim) rows[d] = zero;
      else TSR_TRY(tsr_select(c->ctx, &rows[d], x->sparse->a, 0, d > dim ? d - 1 : d));
    }
    TSR_TRY(tsr_stack(c->ctx, &indices, rows, sd + 1, 0));
  } else TSR_TRY(tsr_unsqueeze(c->ctx, &values, values, dim - sd + 1));
  return tsr_sparse_new_coo(c->ctx, out, x->ndim + 1, size, indices, values, false);
}

/* Entries at one place of a sparse dimension; a dense one is selected in the values. */
static tsr_status select_one(tsr_call *c, tsr_tensor **out) {
  tsr_ctx *ctx = c->ctx;
  tsr_tensor *x = arg(c, 0), *values, *rows[TSR_MAX_NDIM], *indices, *where, *mask;
  int64_t dim, at = tsr_arg_int(c, 2), size[TSR_MAX_NDIM];
  bool compressed = x->layout != TSR_COO;
  TSR_TRY(tsr_wrap_dim(ctx, tsr_arg_int(c, 1), x->ndim, &dim));
  if (at < -x->size[dim] || at >= x->size[dim])
    return tsr_op_fail(ctx, "select(): index %lld out of range for tensor of size with dimension %lld of size %lld", (long long)at, (long long)dim, (long long)x->size[dim]);
  if (at < 0) at += x->size[dim];
  int64_t nb = tsr_sparse_batch_dims(x);
  if (compressed && (dim < nb || dim > nb + 1)) { /* in the parts */
    for (int d = 0; d < x->ndim - 1; d++) size[d] = x->size[d < dim ? d : d + 1];
    TSR_TRY(tsr_select(ctx, &values, x->sparse->values, dim < nb ? dim : dim - 1, at));
    indices = x->sparse->a;
    where = x->sparse->b;
    if (dim < nb) TSR_TRY(tsr_select(ctx, &indices, indices, dim, at));
    if (dim < nb) TSR_TRY(tsr_select(ctx, &where, where, dim, at));
    return tsr_sparse_new(ctx, out, x->layout, x->ndim - 1, size, indices, where, values, false);
  }
  if (nb > 0) return tsr_op_fail(ctx, "select(): selecting sparse dimensions is not supported for batched sparse compressed tensors.");
  if (compressed) TSR_TRY(tsr_sparse_to(ctx, &x, x, TSR_COO));
  int64_t sd = tsr_sparse_dims(x);
  for (int d = 0; d < x->ndim - 1; d++) size[d] = x->size[d < dim ? d : d + 1];
  if (dim >= sd) {
    TSR_TRY(tsr_select(ctx, &values, x->sparse->values, dim - sd + 1, at));
    return tsr_sparse_new_coo(ctx, out, x->ndim - 1, size, x->sparse->a, values, x->sparse->coalesced);
  }
  TSR_TRY(tsr_select(ctx, &where, x->sparse->a, 0, dim));
  TSR_TRY(tsr_binary_scalar(ctx, &mask, "eq", where, tsr_scalar_int(at)));
  tsr_val args[2] = {tsr_from_obj(mask)}, ret;
  TSR_TRY(tsr_invoke(ctx, tsr_op_get("aten::nonzero", ""), args, 1, &ret, 1));
  TSR_TRY(tsr_select(ctx, &where, ret.t, 1, 0));
  tsr_val pick[3] = {tsr_from_obj(x->sparse->values), tsr_int(0), tsr_from_obj(where)};
  TSR_TRY(tsr_invoke(ctx, tsr_op_get("aten::index_select", ""), pick, 3, &ret, 1));
  values = ret.t;
  if (sd == 1) { /* nothing sparse is left */
    if (values->size[0] == 1) return tsr_select(ctx, out, values, 0, 0);
    int64_t zero = 0;
    return tsr_reduce(ctx, out, "sum", values, 1, &zero, false, values->dtype);
  }
  pick[0] = tsr_from_obj(x->sparse->a);
  pick[1] = tsr_int(1);
  TSR_TRY(tsr_invoke(ctx, tsr_op_get("aten::index_select", ""), pick, 3, &ret, 1));
  for (int64_t d = 0, k = 0; d < sd; d++)
    if (d != dim) TSR_TRY(tsr_select(ctx, &rows[k++], ret.t, 0, d));
  TSR_TRY(tsr_stack(ctx, &indices, rows, sd - 1, 0));
  return tsr_sparse_new_coo(ctx, out, x->ndim - 1, size, indices, values, compressed);
}

static tsr_status index_select(tsr_call *c, tsr_tensor **out) {
  tsr_tensor *x = arg(c, 0), *at = arg(c, 2);
  int64_t dim;
  TSR_TRY(tsr_sparse_need_coo(c->ctx, x, "index_select"));
  if (is_sparse(at)) return tsr_op_fail(c->ctx, "index_select(): the index must be strided");
  TSR_TRY(tsr_wrap_dim(c->ctx, tsr_arg_int(c, 1), x->ndim, &dim));
  int64_t sd = tsr_sparse_dims(x);
  if (dim >= sd) {
    tsr_val args[3] = {tsr_from_obj(x->sparse->values), tsr_int(dim - sd + 1), c->args[2]}, ret;
    int64_t size[TSR_MAX_NDIM];
    TSR_TRY(tsr_invoke(c->ctx, tsr_op_get("aten::index_select", ""), args, 3, &ret, 1));
    memcpy(size, x->size, x->ndim * sizeof *size);
    size[dim] = at->numel;
    return tsr_sparse_new_coo(c->ctx, out, x->ndim, size, x->sparse->a, ret.t, x->sparse->coalesced);
  }
  TSR_TRY(transpose_dims(c->ctx, &x, x, 0, dim));
  TSR_TRY(tsr_sparse_pick(c->ctx, out, x, at));
  return transpose_dims(c->ctx, out, *out, 0, dim);
}

/* Joined along a sparse dimension: indices are shifted; along a dense one the values are. */
static tsr_status cat_along(tsr_ctx *ctx, tsr_tensor **out, tsr_tensor **xs, int64_t n, int64_t dim) {
  tsr_tensor **indices, **values, *a, *v;
  int64_t size[TSR_MAX_NDIM], sd = tsr_sparse_dims(xs[0]), total = 0;
  TSR_TRY(tsr_workspace(ctx, n, sizeof *indices, &indices));
  TSR_TRY(tsr_workspace(ctx, n, sizeof *values, &values));
  memcpy(size, xs[0]->size, xs[0]->ndim * sizeof *size);
  for (int64_t i = 0; i < n; i++) {
    tsr_tensor *x = xs[i], *row;
    if (!is_sparse(x) || x->layout != TSR_COO || x->ndim != xs[0]->ndim || tsr_sparse_dims(x) != sd)
      return tsr_op_fail(ctx, "torch.cat: all tensors must be sparse coordinate tensors with the same number of sparse and dense dimensions, but tensor %lld is not", (long long)i);
    for (int d = 0; d < x->ndim; d++)
      if (d != dim && x->size[d] != size[d]) return tsr_op_fail(ctx, "torch.cat: sizes of tensors must match except in dimension %lld, but tensor %lld differs in dimension %d", (long long)dim, (long long)i, d);
    if (dim >= sd && n > 1) return tsr_fail(&ctx->err, TSR_EUNSUPPORTED, "torch.cat of sparse tensors along a dense dimension");
    TSR_TRY(tsr_clone(ctx, &indices[i], x->sparse->a));
    TSR_TRY(tsr_select(ctx, &row, indices[i], 0, dim));
    TSR_TRY(tsr_binary_scalar(ctx, &a, "add", row, tsr_scalar_int(total)));
    TSR_TRY(tsr_copy_into(ctx, row, a));
    values[i] = x->sparse->values;
    total += x->size[dim];
  }
  size[dim] = total;
  TSR_TRY(tsr_cat(ctx, &a, indices, n, 1));
  TSR_TRY(tsr_cat(ctx, &v, values, n, 0));
  return tsr_sparse_new_coo(ctx, out, xs[0]->ndim, size, a, v, false);
}

static tsr_status join(tsr_call *c, tsr_tensor **out) {
  tsr_tensor **xs;
  int64_t n, dim;
  TSR_TRY(tsr_tensors_arg(c, 0, &xs, &n));
  bool stacks = strncmp(c->op->schema, "aten::stack", 11) == 0;
  if (n < 1 || !is_sparse(xs[0])) return tsr_op_fail(c->ctx, "torch.cat: a strided tensor first, and sparse ones among the others");
  TSR_TRY(tsr_wrap_dim(c->ctx, tsr_arg_int(c, 1), xs[0]->ndim + stacks, &dim));
  for (int64_t i = 0; i < n && stacks; i++) {
    tsr_val args[2] = {tsr_from_obj(xs[i]), tsr_int(dim)}, ret;
    TSR_TRY(tsr_invoke(c->ctx, tsr_op_get("aten::unsqueeze", ""), args, 2, &ret, 1));
    xs[i] = ret.t;
  }
  return cat_along(c->ctx, out, xs, n, dim);
}

#define ON(name, fn) {"aten::" name, fn}, {"aten::" name "_", fn}
static const known table[] = {
    ON("abs", pointwise), ON("asin", pointwise), ON("asinh", pointwise), ON("atan", pointwise), ON("atanh", pointwise), ON("ceil", pointwise),
    ON("deg2rad", pointwise), ON("erf", pointwise), ON("erfinv", pointwise), ON("expm1", pointwise), ON("floor", pointwise), ON("frac", pointwise),
    ON("isinf", pointwise), ON("isnan", pointwise), ON("isneginf", pointwise), ON("isposinf", pointwise), ON("log1p", pointwise), ON("rad2deg", pointwise),
    ON("relu", pointwise), ON("round", pointwise), ON("sgn", pointwise), ON("sign", pointwise), ON("signbit", pointwise), ON("sin", pointwise),
    ON("sinh", pointwise), ON("sqrt", pointwise), ON("tan", pointwise), ON("tanh", pointwise), ON("trunc", pointwise), ON("nan_to_num", pointwise),
    ON("square", power), ON("pow", power), ON("neg", linear), ON("negative", linear), {"aten::conj_physical", linear}, {"aten::_conj_physical", linear}, {"aten::real", linear},
    {"aten::to", linear}, {"aten::_to_copy", linear}, {"aten::type_as", linear}, {"aten::clone", clone}, {"aten::detach", same}, {"aten::alias", same},
    {"aten::resolve_conj", same}, {"aten::resolve_neg", same}, {"aten::conj", linear}, {"aten::contiguous", same}, {"aten::lift_fresh", same}, {"aten::zeros_like", zeros_like}, {"aten::empty_like", zeros_like},
    ON("add", add), ON("sub", sub), ON("subtract", sub), ON("mul", mul), ON("multiply", mul), ON("div", divide), ON("divide", divide), ON("true_divide", divide), ON("floor_divide", divide),
    {"aten::mm", matmul}, {"aten::matmul", matmul}, {"aten::mv", matmul}, {"aten::bmm", matmul}, {"aten::linear", linear_layer}, ON("addmm", addmm),
    {"aten::sum", sum}, {"aten::norm", of_values}, {"aten::native_norm", of_values}, {"aten::any", of_values}, {"aten::softmax", softmax}, {"aten::log_softmax", softmax},
    {"aten::t", turn}, {"aten::numpy_T", turn}, {"aten::transpose", transpose}, {"aten::swapaxes", transpose}, {"aten::swapdims", transpose}, {"aten::permute", permute}, {"aten::unsqueeze", unsqueeze},
    {"aten::select", select_one}, {"aten::index_select", index_select}, {"aten::cat", join}, {"aten::concat", join}, {"aten::stack", join},
};

/* In place: the operand is what was computed, whoever else holds it. */
static tsr_status become(tsr_ctx *ctx, tsr_tensor *x, tsr_tensor *y) {
  if (x == y) return TSR_OK;
  if (x->layout == 0) return tsr_copy_into(ctx, x, y);
  if (x->dtype != y->dtype || !tsr_tensor_same_size(x, y))
    return tsr_op_fail(ctx, "result type %s can't be cast to the desired output type %s", tsr_dtype_get_info(y->dtype)->cpp_name, tsr_dtype_get_info(x->dtype)->cpp_name);
  if (x->layout != y->layout) TSR_TRY(tsr_sparse_to(ctx, &y, y, x->layout));
  tsr_sparse mine = *x->sparse, *theirs = y->sparse;
  tsr_obj_retain(theirs->a);
  if (theirs->b != NULL) tsr_obj_retain(theirs->b);
  tsr_obj_retain(theirs->values);
  *x->sparse = *theirs;
  tsr_release(tsr_from_obj(mine.a));
  if (mine.b != NULL) tsr_release(tsr_from_obj(mine.b));
  tsr_release(tsr_from_obj(mine.values));
  return TSR_OK;
}

tsr_status tsr_sparse_call(tsr_call *c, bool *handled) {
  size_t n = strcspn(c->op->schema, ".("), i = 0;
  *handled = false;
  if ((c->op->flags & TSR_OUT) != 0) return TSR_OK;
  while (i < TSR_COUNT(table) && (strncmp(table[i].name, c->op->schema, n) != 0 || table[i].name[n] != 0)) i++;
  if (i == TSR_COUNT(table)) return TSR_OK;
  bool in_place = c->op->schema[n - 1] == '_';
  tsr_tensor *first = arg(c, 0), *y = NULL;
  if (first == NULL && c->args[0].tag != TSR_V_LIST) return TSR_OK;
  if ((table[i].fn == pointwise || table[i].fn == linear || table[i].fn == power) && !is_sparse(first)) return TSR_OK; /* type_as(strided, sparse) */
  *handled = true;
  tsr_call plain = *c;
  if (in_place) { /* the functional form computes */
    char name[64];
    if (n - 1 >= sizeof name) return tsr_fail(&c->ctx->err, TSR_EINTERNAL, "%s: name too long", c->op->schema);
    memcpy(name, c->op->schema, n - 1);
    name[n - 1] = 0;
    const char *dot = c->op->schema + n, *end = dot + strcspn(dot, "(");
    char overload[64] = "";
    if (*dot == '.' && (size_t)(end - dot) < sizeof overload) memcpy(overload, dot + 1, (size_t)(end - dot - 1));
    plain.op = tsr_op_get(name, overload);
    if (plain.op == NULL) return *handled = false, TSR_OK;
  }
  TSR_TRY(table[i].fn(&plain, &y));
  if (!in_place) return tsr_ret_tensor(c, 0, y);
  TSR_TRY(become(c->ctx, first, y));
  if (is_sparse(first) && table[i].fn == mul && !is_sparse(arg(c, 1)) && first->sparse->values->size[0] > 1) first->sparse->coalesced = false; /* PyTorch forgets it here */
  return tsr_ret_tensor(c, 0, first);
}

/* ---- operators of sparse tensors alone ---- */

static tsr_status ret(tsr_call *c, sparse_fn fn) {
  tsr_tensor *y;
  TSR_TRY(fn(c, &y));
  return tsr_ret_tensor(c, 0, y);
}

TSR_KERNEL(sparse_softmax) {
  tsr_tensor *y;
  if (c->args[2].tag != TSR_V_BOOL) return ret(c, softmax);
  TSR_TRY(tsr_sparse_softmax(c->ctx, &y, arg(c, 0), tsr_arg_int(c, 1), strstr(c->op->schema, "log_softmax") != NULL)); /* half_to_float: on the GPU */
  return tsr_ret_tensor(c, 0, y);
}

/* Of two strided matrices PyTorch computes the transposed product, and turns it back as a view. */
static tsr_status strided_mm(tsr_call *c, tsr_tensor *a, tsr_tensor *b) {
  tsr_tensor *y;
  tsr_val zero, ret;
  TSR_TRY(tsr_new_scalar(c->ctx, &y, (tsr_dtype)a->dtype, tsr_scalar_int(0)));
  zero = tsr_from_obj(y);
  TSR_TRY(tsr_transpose(c->ctx, &a, a, 0, 1));
  TSR_TRY(tsr_transpose(c->ctx, &b, b, 0, 1));
  tsr_val args[] = {zero, tsr_from_obj(b), tsr_from_obj(a), tsr_int(0), tsr_int(1)};
  TSR_TRY(tsr_invoke(c->ctx, tsr_op_get("aten::addmm", ""), args, 5, &ret, 1));
  TSR_TRY(tsr_transpose(c->ctx, &y, ret.t, 0, 1));
  return tsr_ret_tensor(c, 0, y);
}

TSR_KERNEL(sparse_mm) {
  tsr_tensor *a = arg(c, 0), *b = arg(c, 1), *y;
  if (a->layout == 0 && b->layout == 0 && a->ndim == 2 && b->ndim == 2 && strstr(c->op->schema, "_sparse_mm") != NULL) return strided_mm(c, a, b);
  TSR_TRY(tsr_sparse_mm(c->ctx, &y, a, b));
  return tsr_ret_tensor(c, 0, y);
}

TSR_KERNEL(sparse_addmm) {
  tsr_val y;
  if (is_sparse(arg(c, 0)) || is_sparse(arg(c, 1)) || is_sparse(arg(c, 2))) return ret(c, addmm);
  TSR_TRY(tsr_invoke(c->ctx, tsr_op_get("aten::addmm", ""), c->args, 5, &y, 1));
  return tsr_ret(c, 0, y);
}

TSR_KERNEL(smm) { /* a sparse tensor of every element of the product */
  tsr_tensor *y, *mask, *indices;
  TSR_TRY(tsr_sparse_need_coo(c->ctx, arg(c, 0), "smm"));
  TSR_TRY(tsr_sparse_mm(c->ctx, &y, arg(c, 0), arg(c, 1)));
  if (y->layout != 0) return tsr_ret_tensor(c, 0, y);
  tsr_val args[3] = {tsr_from_obj(y), tsr_int(1)}, found;
  TSR_TRY(tsr_invoke(c->ctx, tsr_op_get("aten::full_like", ""), (tsr_val[]){tsr_from_obj(y), tsr_int(1), tsr_none(), tsr_none(), tsr_none(), tsr_none(), tsr_none()}, 7, &found, 1));
  mask = found.t;
  args[0] = tsr_from_obj(mask);
  TSR_TRY(tsr_invoke(c->ctx, tsr_op_get("aten::nonzero", ""), args, 1, &found, 1));
  TSR_TRY(tsr_transpose(c->ctx, &indices, found.t, 0, 1));
  TSR_TRY(tsr_contiguous(c->ctx, &indices, indices));
  int64_t flat = -1, size[2] = {y->size[0], y->size[1]};
  TSR_TRY(tsr_reshape(c->ctx, &y, y, 1, &flat));
  TSR_TRY(tsr_sparse_new_coo(c->ctx, &y, 2, size, indices, y, false));
  return tsr_ret_tensor(c, 0, y);
}

/* The rows of mat1 that hold something, times mat2: dense rows at sparse places. */
TSR_KERNEL(hspmm) {
  tsr_tensor *x = arg(c, 0), *y, *row, *values;
  TSR_TRY(tsr_sparse_need_coo(c->ctx, x, "hspmm"));
  TSR_TRY(tsr_sparse_coalesce(c->ctx, &x, x));
  if (is_sparse(arg(c, 1))) return tsr_op_fail(c->ctx, "hspmm: Argument #2: matrix expected to be strided");
  TSR_TRY(tsr_sparse_mm(c->ctx, &y, x, arg(c, 1)));
  TSR_TRY(tsr_select(c->ctx, &row, x->sparse->a, 0, 0));
  tsr_val args[4] = {tsr_from_obj(row), tsr_bool(true), tsr_bool(false), tsr_bool(false)}, found[3];
  TSR_TRY(tsr_invoke(c->ctx, tsr_op_get("aten::_unique2", ""), args, 4, found, 3));
  tsr_val pick[3] = {tsr_from_obj(y), tsr_int(0), found[0]}, got;
  TSR_TRY(tsr_invoke(c->ctx, tsr_op_get("aten::index_select", ""), pick, 3, &got, 1));
  values = got.t;
  TSR_TRY(tsr_unsqueeze(c->ctx, &row, found[0].t, 0));
  TSR_TRY(tsr_sparse_new_coo(c->ctx, &y, 2, y->size, row, values, false));
  return tsr_ret_tensor(c, 0, y);
}

TSR_KERNEL(sparse_sum) {
  int64_t n = -1;
  bool by_dim = strstr(c->op->schema, "] dim") != NULL;
  const int64_t *dims = by_dim ? tsr_arg_ints(c, 1, &n) : NULL;
  uint32_t at = by_dim ? 2 : 1;
  tsr_tensor *y;
  if (!is_sparse(arg(c, 0))) return tsr_sparse_need_coo(c->ctx, arg(c, 0), "_sparse_sum");
  TSR_TRY(tsr_sparse_sum(c->ctx, &y, arg(c, 0), n, dims, false, at < c->nargs ? (int)tsr_arg_int(c, at) : -1));
  return tsr_ret_tensor(c, 0, y);
}

/* Values of self at the places of mask. */
TSR_KERNEL(sparse_mask) {
  tsr_tensor *x = arg(c, 0), *mask = arg(c, 1), *ones, *values, *y;
  if (!is_sparse(mask)) return tsr_sparse_need_coo(c->ctx, mask, "sparse_mask");
  if (!tsr_tensor_same_size(x, mask))
    return tsr_op_fail(c->ctx, "sparse_mask(): operands have incompatible sizes; self and mask differ");
  if (is_sparse(x)) TSR_TRY(tsr_sparse_dense(c->ctx, &x, x));
  TSR_TRY(tsr_clone(c->ctx, &ones, mask->sparse->values));
  TSR_TRY(tsr_fill(c->ctx, ones, tsr_scalar_int(1)));
  TSR_TRY(tsr_to_dtype(c->ctx, &values, ones, (tsr_dtype)x->dtype));
  TSR_TRY(tsr_sparse_like(c->ctx, &y, mask, values, mask->sparse->coalesced));
  TSR_TRY(tsr_sparse_mul(c->ctx, &y, y, x));
  return tsr_ret_tensor(c, 0, y);
}

#define PL (TSR_PURE | TSR_ANY_LAYOUT)
const tsr_op tsr_ops_sparse_call[] = {
    {"aten::_sparse_softmax.int(Tensor self, int dim, ScalarType? dtype=None) -> Tensor", op_sparse_softmax, PL},
    {"aten::_sparse_softmax(Tensor self, int dim, bool half_to_float) -> Tensor", op_sparse_softmax, PL},
    {"aten::_sparse_log_softmax.int(Tensor self, int dim, ScalarType? dtype=None) -> Tensor", op_sparse_softmax, PL},
    {"aten::_sparse_log_softmax(Tensor self, int dim, bool half_to_float) -> Tensor", op_sparse_softmax, PL},
    {"aten::_sparse_mm(Tensor sparse, Tensor dense) -> Tensor", op_sparse_mm, PL},
    {"aten::_sparse_sparse_matmul(Tensor self, Tensor other) -> Tensor", op_sparse_mm, PL},
    {"aten::_sparse_addmm(Tensor self, Tensor mat1, Tensor mat2, *, Scalar beta=1, Scalar alpha=1) -> Tensor", op_sparse_addmm, PL},
    {"aten::smm(Tensor self, Tensor mat2) -> Tensor", op_smm, PL},
    {"aten::hspmm(Tensor mat1, Tensor mat2) -> Tensor", op_hspmm, PL},
    {"aten::_sparse_sum.dim(Tensor self, int[1] dim) -> Tensor", op_sparse_sum, PL},
    {"aten::_sparse_sum(Tensor self) -> Tensor", op_sparse_sum, PL},
    {"aten::_sparse_sum.dtype(Tensor self, *, ScalarType dtype) -> Tensor", op_sparse_sum, PL},
    {"aten::_sparse_sum.dim_dtype(Tensor self, int[1] dim, *, ScalarType dtype) -> Tensor", op_sparse_sum, PL},
    {"aten::sparse_mask(Tensor self, Tensor mask) -> Tensor", op_sparse_mask, PL},
    {0},
};
