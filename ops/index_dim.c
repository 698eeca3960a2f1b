/* Indexing along one dimension with a vector (index_select, index_add, …) and of the flattened tensor (take, put). */
#include "ops/index_run.h"
#include "ops/pointwise.h"
#include "ops/shape.h"

static const char in_place = 1; /* row data */

/* ---- index_select ---- */

typedef struct select_job { char *out; const char *in; const int64_t *idx; int64_t n; size_t in_row, run; } select_job;

static void select_rows(void *arg, int64_t begin, int64_t end) {
  const select_job *j = arg;
  for (int64_t i = begin; i < end; i++) {
    const char *from = j->in + (size_t)(i / j->n) * j->in_row + (size_t)j->idx[i % j->n] * j->run;
    char *to = j->out + (size_t)i * j->run;
    if (j->run == 4) memcpy(to, from, 4);
    else if (j->run == 8) memcpy(to, from, 8);
    else memcpy(to, from, j->run);
  }
}

/* y = x's slices idx[...] along dim; idx is a checked vector. x of any strides. */
static tsr_status select_slices(tsr_ctx *ctx, tsr_tensor **out, tsr_tensor *x, int64_t dim, const tsr_tensor *idx) {
  int64_t size[TSR_MAX_NDIM], inner = 1, outer = 1;
  TSR_TRY(tsr_contiguous(ctx, &x, x));
  memcpy(size, x->size, x->ndim * sizeof *size);
  if (x->ndim > 0) size[dim] = idx->numel;
  TSR_TRY(tsr_new(ctx, out, (tsr_dtype)x->dtype, x->ndim, size));
  if ((*out)->numel == 0) return TSR_OK;
  for (int d = 0; d < x->ndim; d++) {
    if (d < dim) outer *= x->size[d];
    if (d > dim) inner *= x->size[d];
  }
  void *data;
  TSR_TRY(tsr_data_mut(ctx, *out, &data));
  size_t run = (size_t)inner * tsr_tensor_itemsize(x);
  select_job j = {data, tsr_tensor_data_ro(x), tsr_tensor_data_ro(idx), idx->numel, run * (size_t)(x->ndim > 0 ? x->size[dim] : 1), run};
  tsr_parallel_for(ctx, outer * idx->numel, (int64_t)((1 << 17) / run + 1), select_rows, &j);
  return TSR_OK;
}

TSR_KERNEL(index_select) {
  tsr_tensor *x = tsr_arg_tensor(c, 0), *idx = tsr_arg_tensor(c, 2), *y;
  int64_t dim;
  TSR_TRY(tsr_wrap_dim(c->ctx, tsr_arg_int(c, 1), x->ndim, &dim));
  if (idx->ndim > 1) return tsr_op_fail(c->ctx, "index_select(): Index is supposed to be a vector");
  if (x->ndim == 0 && idx->numel != 1)
    return tsr_op_fail(c->ctx, "index_select(): Index to scalar can have only 1 value, got %lld value(s)", (long long)idx->numel);
  if (idx->dtype != TSR_INT64 && idx->dtype != TSR_INT32) return tsr_op_fail(c->ctx, "index_select(): Expected dtype int32 or int64 for index");
  TSR_TRY(tsr_index_ready(c->ctx, &idx, idx));
  const int64_t *v = tsr_tensor_data_ro(idx);
  int64_t size = x->ndim > 0 ? x->size[dim] : 1;
  if (size == 0 && idx->numel > 0 && x->ndim > 1) return tsr_op_fail(c->ctx, "index_select(): self indexing axis dim should be positive");
  for (int64_t i = 0; i < idx->numel && x->numel > 0; i++) {
    if (v[i] >= 0 && v[i] < size) continue;
    if (dim == 1) return tsr_op_fail(c->ctx, "INDICES element is out of DATA bounds, id=%lld axis_dim=%lld", (long long)v[i], (long long)size);
    return tsr_op_fail(c->ctx, "index out of range in self");
  }
  TSR_TRY(select_slices(c->ctx, &y, x, dim, idx));
  return tsr_ret_tensor(c, 0, y);
}

/* ---- updates of slices ---- */

/* The dimension cut in outer × n × inner, in bytes where it counts. */
typedef struct slices { int64_t dim, outer, n, inner; } slices;

static slices cut_at(const tsr_tensor *t, int64_t dim) {
  slices s = {dim, 1, t->ndim > 0 ? t->size[dim] : 1, 1};
  for (int d = 0; d < t->ndim; d++) {
    if (d < dim) s.outer *= t->size[d];
    if (d > dim) s.inner *= t->size[d];
  }
  return s;
}

/* self[…, idx[k], …] ∘= source[…, k, …], both C-ordered. */
static void combine_slices(tsr_run_fn run, size_t item, char *self, slices to, const char *source, int64_t n, const int64_t *idx) {
  size_t row = (size_t)to.inner * item;
  for (int64_t o = 0; o < to.outer; o++)
    for (int64_t k = 0; k < n; k++)
      run(self + ((size_t)o * (size_t)to.n + (size_t)idx[k]) * row, (ptrdiff_t)item, source + ((size_t)o * (size_t)n + (size_t)k) * row,
          (ptrdiff_t)item, to.inner);
}

static tsr_status ready_vector(tsr_call *c, const char *op, tsr_tensor **idx) {
  *idx = tsr_arg_tensor(c, 2);
  if ((*idx)->ndim > 1) {
    char size[256];
    tsr_sizes_print(size, sizeof size, (*idx)->ndim, (*idx)->size);
    return tsr_op_fail(c->ctx, "%s(): Index is supposed to be a vector, but got dim: %d with type: %s and size: %s", op, (*idx)->ndim, tsr_dtype_get_info((*idx)->dtype)->cpp_name, size);
  }
  if ((*idx)->dtype != TSR_INT64 && (*idx)->dtype != TSR_INT32)
    return tsr_op_fail(c->ctx, "%s(): Expected dtype int32/int64 for index but got: %s", op, tsr_dtype_get_info((*idx)->dtype)->cpp_name);
  return tsr_index_ready(c->ctx, idx, *idx);
}

static tsr_status refuse_slices(tsr_ctx *ctx, const tsr_tensor *x, const tsr_tensor *source, int64_t dim, const char *op) {
  char a[256], b[256];
  int64_t dst[TSR_MAX_NDIM], src[TSR_MAX_NDIM];
  int n = 0, m = 0;
  for (int d = 0; d < x->ndim; d++) if (d != dim) dst[n++] = x->size[d];
  for (int d = 0; d < source->ndim; d++) if (d != dim) src[m++] = source->size[d];
  if (strcmp(op, "index_copy_") == 0) {
    tsr_sizes_print(a, sizeof a, n, dst);
    tsr_sizes_print(b, sizeof b, m, src);
    a[strlen(a) - 1] = b[strlen(b) - 1] = 0;
    for (char *p = a, *q; (q = strchr(p, ',')) != NULL; p = q) memmove(q, q + 1, strlen(q)); /* "3 1" */
    for (char *p = b, *q; (q = strchr(p, ',')) != NULL; p = q) memmove(q, q + 1, strlen(q));
    return tsr_op_fail(ctx, "index_copy_(): Source/destination tensor must have same slice shapes. Destination slice shape: %s at dimension %lld and source slice shape: %s at dimension 0.",
                       a + 1, (long long)dim, b + 1);
  }
  tsr_sizes_print(a, sizeof a, x->ndim, x->size);
  tsr_sizes_print(b, sizeof b, source->ndim, source->size);
  return tsr_op_fail(ctx, "source tensor shape must match self tensor shape, excluding the specified dimension. Got self.shape = %s source.shape = %s", a, b);
}

/* Slices along dim must have one shape; a scalar's slice has none, or (to index_add and index_reduce) a scalar goes with a scalar alone. */
static tsr_status check_slices(tsr_ctx *ctx, const tsr_tensor *x, const tsr_tensor *source, int64_t dim, const char *op) {
  bool scalar = x->ndim == 0 || source->ndim == 0, same = x->ndim == source->ndim;
  if (scalar && strcmp(op, "index_copy_") == 0) same = x->ndim <= 1 && source->ndim <= 1;
  for (int d = 0; d < x->ndim && same && !scalar; d++) same = d == dim || x->size[d] == source->size[d];
  return same ? TSR_OK : refuse_slices(ctx, x, source, dim, op);
}

/* What index_add and index_reduce check alike. */
static tsr_status check_update(tsr_ctx *ctx, const tsr_tensor *x, const tsr_tensor *idx, const tsr_tensor *source, int64_t dim, const char *op) {
  if (x->dtype != source->dtype)
    return tsr_op_fail(ctx, "%s(): self (%s) and source (%s) must have the same scalar type", op, tsr_dtype_get_info(x->dtype)->cpp_name, tsr_dtype_get_info(source->dtype)->cpp_name);
  if (dim != 0 && dim >= source->ndim) return tsr_op_fail(ctx, "%s(): Indexing dim %lld is out of bounds of the source tensor with dim %d", op, (long long)dim, source->ndim);
  int64_t have = source->ndim > 0 ? source->size[dim] : 1;
  if (idx->numel != have && source->ndim == 0) return tsr_op_fail(ctx, "Dimension specified as %lld but tensor has no dimensions", (long long)dim);
  if (idx->numel != have)
    return tsr_op_fail(ctx, "%s(): Number of indices (%lld) should be equal to source.size(dim): (%lld), for dim: %lld", op, (long long)idx->numel, (long long)have, (long long)dim);
  return check_slices(ctx, x, source, dim, op);
}

/* Vectors have an error of their own. */
static tsr_status check_vector(tsr_ctx *ctx, const tsr_tensor *idx, int64_t n) {
  const int64_t *v = tsr_tensor_data_ro(idx);
  for (int64_t i = 0; i < idx->numel; i++) {
    if (v[i] < 0 || v[i] >= n) return tsr_op_fail(ctx, "index out of range in self");
  }
  return TSR_OK;
}

TSR_KERNEL(index_add) {
  tsr_ctx *ctx = c->ctx;
  tsr_tensor *x = tsr_arg_tensor(c, 0), *idx, *source = tsr_arg_tensor(c, 3);
  int64_t dim;
  tsr_update u;
  tsr_scalar alpha = tsr_arg_scalar(c, 4);
  void *data;
  TSR_TRY(tsr_wrap_dim(ctx, tsr_arg_int(c, 1), x->ndim, &dim));
  TSR_TRY(ready_vector(c, "index_add_", &idx));
  TSR_TRY(check_update(ctx, x, idx, source, dim, "index_add_"));
  if (x->ndim <= 1) TSR_TRY(check_vector(ctx, idx, x->ndim > 0 ? x->size[0] : 1));
  TSR_TRY(tsr_index_check(ctx, idx, x->ndim > 0 ? x->size[dim] : 1, dim));
  if (!(alpha.tag == TSR_V_INT && alpha.i == 1)) {
    tsr_tensor *factor;
    TSR_TRY(tsr_new_scalar(ctx, &factor, (tsr_dtype)source->dtype, alpha));
    TSR_TRY(tsr_binary(ctx, &source, "mul", source, factor));
  }
  if (source->storage == x->storage) TSR_TRY(tsr_clone(ctx, &source, source));
  TSR_TRY(tsr_contiguous(ctx, &source, source));
  TSR_TRY(tsr_update_begin(c, c->op->data == &in_place, &u));
  TSR_TRY(tsr_data_mut(ctx, u.work, &data));
  tsr_run_fn run = tsr_combine_run(TSR_ADD, (tsr_dtype)x->dtype);
  if (run == NULL) return tsr_op_fail(ctx, "\"index_add_cpu_\" not implemented for '%s'", tsr_dtype_get_info(x->dtype)->cpp_name);
  if (source->numel > 0) combine_slices(run, tsr_tensor_itemsize(x), data, cut_at(x, dim), tsr_tensor_data_ro(source), idx->numel, tsr_tensor_data_ro(idx));
  return tsr_update_end(c, &u);
}

/* Indices that may count from the end. */
static tsr_status check_wrapping(tsr_ctx *ctx, const tsr_tensor *idx, slices s) {
  const int64_t *v = tsr_tensor_data_ro(idx);
  for (int64_t i = 0; i < idx->numel; i++)
    if (v[i] < -s.n || v[i] >= s.n)
      return tsr_op_fail(ctx, "index %lld is out of bounds for dimension %lld with size %lld", (long long)v[i], (long long)s.dim, (long long)s.n);
  return TSR_OK;
}

/* PyTorch looks at a dimension of size 0 through a view that repeats it once for each index, and such a view has no memory. */
static tsr_status check_no_elements(tsr_ctx *ctx, tsr_tensor *x, int64_t dim, int64_t count) {
  int64_t size[TSR_MAX_NDIM], stride[TSR_MAX_NDIM];
  tsr_tensor *view;
  if (x->numel > 0 || x->size[dim] > 0) return TSR_OK;
  memcpy(size, x->size, (size_t)x->ndim * sizeof *size);
  memcpy(stride, x->stride, (size_t)x->ndim * sizeof *stride);
  size[dim] = count;
  stride[dim] = 0;
  return tsr_as_strided(ctx, &view, x, x->ndim, size, x->ndim, stride, x->offset);
}

TSR_KERNEL(index_copy) {
  tsr_ctx *ctx = c->ctx;
  tsr_tensor *x = tsr_arg_tensor(c, 0), *idx = tsr_arg_tensor(c, 2), *source = tsr_arg_tensor(c, 3);
  int64_t dim;
  tsr_update u;
  void *data;
  TSR_TRY(tsr_wrap_dim(ctx, tsr_arg_int(c, 1), x->ndim, &dim));
  TSR_TRY(tsr_out_same(c, 0, (tsr_dtype)x->dtype));
  if (idx->ndim > 1) return tsr_op_fail(ctx, "index_copy_(): Index should have dimension 1 or 0 (got %d)", idx->ndim);
  if (source->ndim == 0 && idx->numel != 1)
    return tsr_op_fail(ctx, "index_copy_(): When source is scalar, index should have one element (got %lld)", (long long)idx->numel);
  if (source->ndim != x->ndim && source->ndim > 0 && x->ndim > 0)
    return tsr_op_fail(ctx, "index_copy_(): When source and destination are not scalars, their dimensionality must match. Source dimensionality (%d), destination dimensionality (%d)",
                       source->ndim, x->ndim);
  if (idx->dtype != TSR_INT64) return tsr_op_fail(ctx, "index_copy_(): Expected a long tensor for index, but got %s", tsr_dtype_get_info(idx->dtype)->cpp_name);
  if (x->dtype != source->dtype)
    return tsr_op_fail(ctx, "index_copy_(): self and source expected to have the same dtype, but got (self) %s and (source) %s",
                       tsr_dtype_get_info(x->dtype)->cpp_name, tsr_dtype_get_info(source->dtype)->cpp_name);
  TSR_TRY(check_slices(ctx, x, source, dim, "index_copy_"));
  if (source->ndim > 0 && idx->numel != source->size[dim])
    return tsr_op_fail(ctx, "index_copy_(): Number of indices (%lld) should be equal to source.size(dim) (%lld)", (long long)idx->numel, (long long)source->size[dim]);
  TSR_TRY(tsr_index_ready(ctx, &idx, idx));
  const int64_t *v = tsr_tensor_data_ro(idx);
  int64_t size = x->ndim > 0 ? x->size[dim] : 1;
  TSR_TRY(check_no_elements(ctx, x, dim, idx->numel));
  for (int64_t i = 0; i < idx->numel; i++)
    if (v[i] < 0 || v[i] >= size)
      return tsr_op_fail(ctx, "index_copy_(): index %lld is out of bounds for dimension %lld with size %lld", (long long)v[i], (long long)dim, (long long)size);
  if (source->storage == x->storage) TSR_TRY(tsr_clone(ctx, &source, source));
  TSR_TRY(tsr_contiguous(ctx, &source, source));
  TSR_TRY(tsr_update_begin(c, c->op->data == &in_place, &u));
  TSR_TRY(tsr_data_mut(ctx, u.work, &data));
  size_t item = tsr_tensor_itemsize(x);
  if (source->numel > 0) combine_slices(tsr_combine_run(TSR_SET, (tsr_dtype)x->dtype), item, data, cut_at(x, dim), tsr_tensor_data_ro(source), idx->numel, v);
  return tsr_update_end(c, &u);
}

TSR_KERNEL(index_fill) {
  tsr_ctx *ctx = c->ctx;
  tsr_tensor *x = tsr_arg_tensor(c, 0), *idx = tsr_arg_tensor(c, 2), *value = tsr_arg_opt_tensor(c, 3);
  int64_t dim;
  tsr_update u;
  void *data;
  if (value != NULL && value->ndim != 0)
    return tsr_op_fail(ctx, "index_fill_ only supports a 0-dimensional value tensor, but got tensor with %d dimension(s).", value->ndim);
  TSR_TRY(tsr_wrap_dim(ctx, tsr_arg_int(c, 1), x->ndim, &dim));
  if (idx->dtype != TSR_INT64) return tsr_op_fail(ctx, "index_fill_(): Expected dtype int64 for index.");
  if (idx->ndim > 1) return tsr_op_fail(ctx, "Index has to be a vector/scalar");
  bool complex_value = value != NULL ? tsr_dtype_is_complex((tsr_dtype)value->dtype) : c->args[3].tag == TSR_V_COMPLEX;
  if (complex_value && !tsr_dtype_is_complex((tsr_dtype)x->dtype))
    return tsr_op_fail(ctx, "index_fill_(): Converting complex Scalar to non-complex type is not supported");
  TSR_TRY(tsr_index_ready(ctx, &idx, idx));
  const int64_t *v = tsr_tensor_data_ro(idx);
  slices s = cut_at(x, dim);
  TSR_TRY(check_no_elements(ctx, x, dim, idx->numel));
  if (x->numel > 0) TSR_TRY(check_wrapping(ctx, idx, s));
  tsr_val fill = value != NULL ? tsr_tensor_get(ctx->mem, value, 0) : c->args[3];
  if (value != NULL) TSR_TRY(tsr_temp(ctx, fill));
  TSR_TRY(tsr_check_scalar_fits(ctx, tsr_scalar_of(fill), (tsr_dtype)x->dtype));
  TSR_TRY(tsr_new_scalar(ctx, &value, (tsr_dtype)x->dtype, tsr_scalar_of(fill)));
  TSR_TRY(tsr_update_begin(c, c->op->data == &in_place, &u));
  u.keeps_order = true;
  TSR_TRY(tsr_data_mut(ctx, u.work, &data));
  tsr_run_fn run = tsr_combine_run(TSR_SET, (tsr_dtype)x->dtype);
  size_t item = tsr_tensor_itemsize(x), row = (size_t)s.inner * item;
  for (int64_t o = 0; o < s.outer && x->numel > 0; o++)
    for (int64_t k = 0; k < idx->numel; k++)
      run((char *)data + ((size_t)o * (size_t)s.n + (size_t)(v[k] < 0 ? v[k] + s.n : v[k])) * row, (ptrdiff_t)item, tsr_tensor_data_ro(value), 0, s.inner);
  return tsr_update_end(c, &u);
}

/* ---- index_reduce ---- */

/* work /= how many sources reached each slice (plus self where it counts). */
static tsr_status divide_counts(tsr_ctx *ctx, tsr_tensor *work, slices s, tsr_tensor *idx, bool include_self) {
  tsr_tensor *counts, *y;
  void *p;
  const int64_t *v = tsr_tensor_data_ro(idx);
  int64_t size[TSR_MAX_NDIM];
  for (int d = 0; d < work->ndim; d++) size[d] = d == s.dim ? s.n : 1;
  TSR_TRY(tsr_new(ctx, &counts, (tsr_dtype)work->dtype, work->ndim, size));
  tsr_tensor *wide;
  TSR_TRY(tsr_new(ctx, &wide, TSR_INT64, work->ndim, size));
  TSR_TRY(tsr_data_mut(ctx, wide, &p));
  for (int64_t i = 0; i < s.n; i++) ((int64_t *)p)[i] = include_self;
  for (int64_t i = 0; i < idx->numel; i++) ((int64_t *)p)[v[i]]++;
  for (int64_t i = 0; i < s.n; i++) ((int64_t *)p)[i] = TSR_MAX(((int64_t *)p)[i], 1);
  TSR_TRY(tsr_copy_into(ctx, counts, wide));
  bool exact = tsr_dtype_is_integral((tsr_dtype)work->dtype, true);
  TSR_TRY(tsr_binary(ctx, &y, exact ? "floor_divide" : "div", work, counts));
  return tsr_copy_into(ctx, work, y);
}

TSR_KERNEL(index_reduce) {
  tsr_ctx *ctx = c->ctx;
  tsr_tensor *x = tsr_arg_tensor(c, 0), *idx, *source = tsr_arg_tensor(c, 3), *neutral;
  const char *word = tsr_arg_str(c, 4)->bytes;
  bool include_self = tsr_arg_bool(c, 5), mean = false;
  tsr_combine how = TSR_ADD;
  int64_t dim;
  tsr_update u;
  void *data;
  if (strcmp(word, "prod") != 0 && strcmp(word, "mean") != 0 && strcmp(word, "amax") != 0 && strcmp(word, "amin") != 0)
    return tsr_op_fail(ctx, "index_reduce(): Expected reduce to be one of prod, mean, amax or amin but got %s.", word);
  tsr_combine_parse(word, &how, &mean);
  TSR_TRY(tsr_wrap_dim(ctx, tsr_arg_int(c, 1), x->ndim, &dim));
  TSR_TRY(ready_vector(c, "index_reduce_", &idx));
  TSR_TRY(check_update(ctx, x, idx, source, dim, "index_reduce_"));
  slices s = cut_at(x, dim);
  if (!include_self) TSR_TRY(check_no_elements(ctx, x, dim, idx->numel));
  if (!include_self) TSR_TRY(check_wrapping(ctx, idx, s)); /* those slices are filled first */
  TSR_TRY(check_vector(ctx, idx, s.n));
  tsr_run_fn run = tsr_combine_run(how, (tsr_dtype)x->dtype), set = tsr_combine_run(TSR_SET, (tsr_dtype)x->dtype);
  if (run == NULL) return tsr_op_fail(ctx, "\"index_reduce\" not implemented for '%s'", tsr_dtype_get_info(x->dtype)->cpp_name);
  TSR_TRY(tsr_contiguous(ctx, &source, source));
  TSR_TRY(tsr_update_begin(c, c->op->data == &in_place, &u));
  TSR_TRY(tsr_data_mut(ctx, u.work, &data));
  size_t item = tsr_tensor_itemsize(x), row = (size_t)s.inner * item;
  const int64_t *v = tsr_tensor_data_ro(idx);
  TSR_TRY(tsr_new_scalar(ctx, &neutral, (tsr_dtype)x->dtype, tsr_combine_identity(how, (tsr_dtype)x->dtype)));
  for (int64_t o = 0; o < s.outer && !include_self; o++)
    for (int64_t k = 0; k < idx->numel; k++)
      set((char *)data + ((size_t)o * (size_t)s.n + (size_t)v[k]) * row, (ptrdiff_t)item, tsr_tensor_data_ro(neutral), 0, s.inner);
  if (source->numel > 0) combine_slices(run, item, data, s, tsr_tensor_data_ro(source), idx->numel, v);
  if (mean) TSR_TRY(divide_counts(ctx, u.work, s, idx, include_self));
  return tsr_update_end(c, &u);
}

/* ---- take, put ---- */

static tsr_status check_flat(tsr_ctx *ctx, const char *op, const tsr_tensor *x, tsr_tensor **idx) {
  if ((*idx)->dtype != TSR_INT64) return tsr_op_fail(ctx, "%s(): Expected a long tensor for index, but got %s", op, tsr_dtype_get_info((*idx)->dtype)->cpp_name);
  if (x->numel == 0 && (*idx)->numel > 0) return tsr_op_fail(ctx, "%s(): tried to take from an empty tensor", op);
  TSR_TRY(tsr_index_ready(ctx, idx, *idx));
  const int64_t *v = tsr_tensor_data_ro(*idx);
  for (int64_t i = 0; i < (*idx)->numel; i++)
    if (v[i] < -x->numel || v[i] >= x->numel)
      return tsr_op_fail(ctx, "out of range: tried to access index %lld on a tensor of %lld elements.", (long long)v[i], (long long)x->numel);
  return TSR_OK;
}

TSR_KERNEL(take) {
  tsr_tensor *x = tsr_arg_tensor(c, 0), *idx = tsr_arg_tensor(c, 1), *y;
  void *data;
  TSR_TRY(check_flat(c->ctx, "take", x, &idx));
  TSR_TRY(tsr_contiguous(c->ctx, &x, x));
  TSR_TRY(tsr_new(c->ctx, &y, (tsr_dtype)x->dtype, idx->ndim, idx->size));
  TSR_TRY(tsr_data_mut(c->ctx, y, &data));
  const int64_t *v = tsr_tensor_data_ro(idx);
  const char *in = tsr_tensor_data_ro(x);
  size_t item = tsr_tensor_itemsize(x);
  for (int64_t i = 0; i < y->numel; i++) memcpy((char *)data + (size_t)i * item, in + (size_t)(v[i] < 0 ? v[i] + x->numel : v[i]) * item, item);
  return tsr_ret_tensor(c, 0, y);
}

TSR_KERNEL(put) {
  tsr_ctx *ctx = c->ctx;
  tsr_tensor *x = tsr_arg_tensor(c, 0), *idx = tsr_arg_tensor(c, 1), *source = tsr_arg_tensor(c, 2);
  tsr_update u;
  void *data;
  if (idx->dtype != TSR_INT64) return tsr_op_fail(ctx, "put_(): Expected a long tensor for index, but got %s", tsr_dtype_get_info(idx->dtype)->cpp_name);
  if (source->dtype != x->dtype)
    return tsr_op_fail(ctx, "put_(): self and source expected to have the same dtype, but got self.dtype = %s and source.dtype = %s",
                       tsr_dtype_get_info(x->dtype)->cpp_name, tsr_dtype_get_info(source->dtype)->cpp_name);
  if (source->numel != idx->numel)
    return tsr_op_fail(ctx, "put_(): Expected source and index to have the same number of elements, but got source.numel() = %lld, index.numel() = %lld",
                       (long long)source->numel, (long long)idx->numel);
  if (x->numel == 0 && idx->numel > 0) return tsr_op_fail(ctx, "put_(): Tried to put elements into an empty tensor");
  TSR_TRY(check_flat(ctx, "put_", x, &idx));
  tsr_run_fn run = tsr_combine_run(tsr_arg_bool(c, 3) ? TSR_ADD : TSR_SET, (tsr_dtype)x->dtype);
  if (run == NULL) return tsr_op_fail(ctx, "\"take_put_cpu\" not implemented for '%s'", tsr_dtype_get_info(x->dtype)->cpp_name);
  if (source->storage == x->storage) TSR_TRY(tsr_clone(ctx, &source, source));
  TSR_TRY(tsr_contiguous(ctx, &source, source));
  TSR_TRY(tsr_update_begin(c, c->op->data == &in_place, &u));
  u.keeps_order = true;
  TSR_TRY(tsr_data_mut(ctx, u.work, &data));
  const int64_t *v = tsr_tensor_data_ro(idx);
  const char *src = tsr_tensor_data_ro(source);
  size_t item = tsr_tensor_itemsize(x);
  for (int64_t i = 0; i < idx->numel; i++)
    run((char *)data + (size_t)(v[i] < 0 ? v[i] + x->numel : v[i]) * item, 0, src + (size_t)i * item, 0, 1);
  return tsr_update_end(c, &u);
}

const tsr_op tsr_ops_index_dim[] = {
    {"aten::index_select(Tensor self, int dim, Tensor index) -> Tensor",
     op_index_select, TSR_PURE},
    {"aten::index_select.out(Tensor self, int dim, Tensor index, *, Tensor(a!) out) -> Tensor(a!)",
     op_index_select, TSR_OUT},
    {"aten::index_add(Tensor self, int dim, Tensor index, Tensor source, *, Scalar alpha=1) -> Tensor",
     op_index_add, TSR_PURE},
    {"aten::index_add.out(Tensor self, int dim, Tensor index, Tensor source, *, Scalar alpha=1, Tensor(a!) out) -> Tensor(a!)",
     op_index_add, TSR_OUT_SAME},
    {"aten::index_add_(Tensor(a!) self, int dim, Tensor index, Tensor source, *, Scalar alpha=1) -> Tensor(a!)",
     op_index_add, 0, &in_place},
    {"aten::index_copy(Tensor self, int dim, Tensor index, Tensor source) -> Tensor",
     op_index_copy, TSR_PURE},
    {"aten::index_copy.out(Tensor self, int dim, Tensor index, Tensor source, *, Tensor(a!) out) -> Tensor(a!)",
     op_index_copy, TSR_OUT_SAME},
    {"aten::index_copy_(Tensor(a!) self, int dim, Tensor index, Tensor source) -> Tensor(a!)",
     op_index_copy, 0, &in_place},
    {"aten::index_fill.int_Tensor(Tensor self, int dim, Tensor index, Tensor value) -> Tensor",
     op_index_fill, TSR_PURE},
    {"aten::index_fill.int_Scalar(Tensor self, int dim, Tensor index, Scalar value) -> Tensor",
     op_index_fill, TSR_PURE},
    {"aten::index_fill.int_Scalar_out(Tensor self, int dim, Tensor index, Scalar value, *, Tensor(a!) out) -> Tensor(a!)",
     op_index_fill, TSR_OUT_NEW},
    {"aten::index_fill.int_Tensor_out(Tensor self, int dim, Tensor index, Tensor value, *, Tensor(a!) out) -> Tensor(a!)",
     op_index_fill, TSR_OUT_NEW},
    {"aten::index_fill_.int_Tensor(Tensor(a!) self, int dim, Tensor index, Tensor value) -> Tensor(a!)",
     op_index_fill, 0, &in_place},
    {"aten::index_fill_.int_Scalar(Tensor(a!) self, int dim, Tensor index, Scalar value) -> Tensor(a!)",
     op_index_fill, 0, &in_place},
    {"aten::index_reduce(Tensor self, int dim, Tensor index, Tensor source, str reduce, *, bool include_self=True) -> Tensor",
     op_index_reduce, TSR_PURE},
    {"aten::index_reduce.out(Tensor self, int dim, Tensor index, Tensor source, str reduce, *, bool include_self=True, Tensor(a!) out) -> Tensor(a!)",
     op_index_reduce, TSR_OUT_SAME},
    {"aten::index_reduce_(Tensor(a!) self, int dim, Tensor index, Tensor source, str reduce, *, bool include_self=True) -> Tensor(a!)",
     op_index_reduce, 0, &in_place},
    {"aten::take(Tensor self, Tensor index) -> Tensor",
     op_take, TSR_PURE},
    {"aten::take.out(Tensor self, Tensor index, *, Tensor(a!) out) -> Tensor(a!)",
     op_take, TSR_OUT},
    {"aten::put(Tensor self, Tensor index, Tensor source, bool accumulate=False) -> Tensor",
     op_put, TSR_PURE},
    {"aten::put.out(Tensor self, Tensor index, Tensor source, bool accumulate=False, *, Tensor(a!) out) -> Tensor(a!)",
     op_put, TSR_OUT_NEW},
    {"aten::put_(Tensor(a!) self, Tensor index, Tensor source, bool accumulate=False) -> Tensor(a!)",
     op_put, 0, &in_place},
    {0},
};
