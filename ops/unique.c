/* Distinct values: unique (sorted), unique_consecutive, and both along a dimension. */
#include <math.h>

#include "ops/native.h"
#include "ops/select.h"
#include "ops/shape.h"

/* What each element or row became: its group, the groups' representatives and sizes. */
typedef struct groups { int64_t n, count; int64_t *of, *first, *size; } groups;

static tsr_status open_groups(tsr_ctx *ctx, int64_t n, groups *g) {
  *g = (groups){.n = n};
  TSR_TRY(tsr_workspace(ctx, n, sizeof *g->of, &g->of));
  TSR_TRY(tsr_workspace(ctx, n, sizeof *g->first, &g->first));
  return tsr_workspace(ctx, n, sizeof *g->size, &g->size);
}

static void add_member(groups *g, int64_t member, bool opens) {
  if (opens) {
    g->first[g->count] = member;
    g->size[g->count++] = 0;
  }
  g->of[member] = g->count - 1;
  g->size[g->count - 1]++;
}

static tsr_status ret_list(tsr_call *c, uint32_t i, bool wanted, const int64_t *values, int ndim, const int64_t *size) {
  tsr_tensor *y;
  void *p;
  int64_t none = 0;
  TSR_TRY(tsr_new(c->ctx, &y, TSR_INT64, wanted ? ndim : 1, wanted ? size : &none));
  TSR_TRY(tsr_data_mut(c->ctx, y, &p));
  if (wanted && y->numel > 0) memcpy(p, values, (size_t)y->numel * sizeof *values);
  return tsr_ret_tensor(c, i, y);
}

/* Results: x's rows `first`, then the inverse (shaped like `inverse_size`) and the counts as asked for. */
static tsr_status ret_groups(tsr_call *c, const groups *g, tsr_tensor *values, bool inverse, bool counts, int ndim, const int64_t *inverse_size) {
  TSR_TRY(tsr_ret_tensor(c, 0, values));
  TSR_TRY(ret_list(c, 1, inverse, g->of, ndim, inverse_size));
  return c->nrets > 2 ? ret_list(c, 2, counts, g->size, 1, &g->count) : TSR_OK;
}

/* The representatives of a C-ordered tensor of rows, `bytes` each. */
static tsr_status pick_rows(tsr_ctx *ctx, const tsr_tensor *x, const groups *g, size_t bytes, int ndim, const int64_t *size, tsr_tensor **out) {
  void *p;
  TSR_TRY(tsr_new(ctx, out, (tsr_dtype)x->dtype, ndim, size));
  TSR_TRY(tsr_data_mut(ctx, *out, &p));
  for (int64_t i = 0; i < g->count && bytes > 0; i++)
    memcpy((char *)p + (size_t)i * bytes, (const char *)tsr_tensor_data_ro(x) + (size_t)g->first[i] * bytes, bytes);
  return TSR_OK;
}

static tsr_status refuse_dtype(tsr_ctx *ctx, const tsr_tensor *x) {
  return tsr_op_fail(ctx, "\"unique\" not implemented for '%s'", tsr_dtype_get_info(x->dtype)->cpp_name);
}

/* Is the element not-a-number?  Those are never equal, not even to themselves. */
static bool is_nan_key(tsr_dtype dtype, uint64_t key) { return dtype == TSR_FLOAT64 ? key == UINT64_MAX : tsr_dtype_is_float(dtype) && key == UINT32_MAX; }

/* Groups of equal elements of a flat tensor, in value order or in runs. */
static tsr_status group_elements(tsr_ctx *ctx, const tsr_tensor *x, bool sorted, groups *g) {
  int64_t n = x->numel;
  TSR_TRY(open_groups(ctx, n, g));
  tsr_pair *p;
  TSR_TRY(tsr_workspace(ctx, n + 1, 2 * sizeof *p, &p));
  if (!tsr_pair_fill(p, (tsr_dtype)x->dtype, n > 0 ? tsr_tensor_data_ro(x) : "", (ptrdiff_t)tsr_tensor_itemsize(x), n, false)) return refuse_dtype(ctx, x);
  if (sorted) tsr_pair_sort_stable(p, p + n + 1, n);
  for (int64_t i = 0; i < n; i++) add_member(g, p[i].idx, i == 0 || p[i].key != p[i - 1].key || is_nan_key((tsr_dtype)x->dtype, p[i].key));
  return TSR_OK;
}

static tsr_status unique_flat(tsr_call *c, bool sorted, bool inverse, bool counts) {
  tsr_ctx *ctx = c->ctx;
  tsr_tensor *x = tsr_arg_tensor(c, 0), *flat, *values;
  groups g;
  TSR_TRY(tsr_contiguous(ctx, &flat, x));
  TSR_TRY(group_elements(ctx, flat, sorted, &g));
  TSR_TRY(pick_rows(ctx, flat, &g, tsr_tensor_itemsize(x), 1, &g.count, &values));
  return ret_groups(c, &g, values, inverse, counts, x->ndim, x->size);
}

TSR_KERNEL(unique) { return unique_flat(c, true, tsr_arg_bool(c, 2), c->nargs > 3 && tsr_arg_bool(c, 3)); }

/* ---- along a dimension ---- */

/* Keys of all rows: row i's width keys from keys[i * width]. */
typedef struct row_keys { const tsr_pair *keys; int64_t width; tsr_dtype dtype; } row_keys;

/* Is row a less than row b?  NaN is neither less nor greater than anything: the next elements decide. */
static bool row_less(const row_keys *r, int64_t a, int64_t b) {
  for (int64_t k = 0; k < r->width; k++) {
    uint64_t x = r->keys[a * r->width + k].key, y = r->keys[b * r->width + k].key;
    if (x != y && !is_nan_key(r->dtype, x) && !is_nan_key(r->dtype, y)) return x < y;
  }
  return false;
}

static bool rows_equal(const row_keys *r, int64_t a, int64_t b) {
  for (int64_t k = 0; k < r->width; k++) {
    uint64_t x = r->keys[a * r->width + k].key, y = r->keys[b * r->width + k].key;
    if (x != y || is_nan_key(r->dtype, x)) return false;
  }
  return true;
}

/* With NaN the order of rows is no order, and the result is that of the steps: few rows are inserted one by one, as C++'s sort does. */
static void insert_rows(const row_keys *r, int64_t *order, int64_t n) {
  for (int64_t i = 1; i < n; i++) {
    int64_t row = order[i], k = i;
    if (row_less(r, row, order[0])) k = 0;
    else while (row_less(r, row, order[k - 1])) k--;
    memmove(order + k + 1, order + k, (size_t)(i - k) * sizeof *order);
    order[k] = row;
  }
}

/* Merge sort of row numbers: stable, and the comparison needs the keys. */
static void sort_rows(const row_keys *r, int64_t *order, int64_t *spare, int64_t n) {
  if (n <= 16) {
    insert_rows(r, order, n);
    return;
  }
  for (int64_t run = 1; run < n; run *= 2) {
    for (int64_t at = 0; at < n; at += 2 * run) {
      int64_t mid = TSR_MIN(at + run, n), end = TSR_MIN(at + 2 * run, n), a = at, b = mid;
      for (int64_t k = at; k < end; k++) spare[k] = b >= end || (a < mid && !row_less(r, order[b], order[a])) ? order[a++] : order[b++];
    }
    memcpy(order, spare, (size_t)n * sizeof *order);
  }
}

/* PyTorch gives the inverse and the counts whether asked or not. */
static tsr_status unique_along(tsr_call *c, int64_t dim, bool sorted) {
  tsr_ctx *ctx = c->ctx;
  tsr_tensor *x = tsr_arg_tensor(c, 0), *rows, *values;
  int64_t order[TSR_MAX_NDIM], back[TSR_MAX_NDIM], size[TSR_MAX_NDIM];
  groups g;
  if (x->ndim == 0 && dim >= -1 && dim < 1) return tsr_op_fail(ctx, "Dimension specified as %lld but tensor has no dimensions", (long long)dim);
  TSR_TRY(tsr_wrap_dim(ctx, dim, x->ndim, &dim));
  for (int d = 0; d < x->ndim && x->ndim > 0; d++)
    if (d != dim && x->size[d] == 0) return tsr_op_fail(ctx, "There are 0 sized dimensions, and they aren't selected, so unique cannot be applied");
  for (int d = 0; d < x->ndim; d++) order[d] = d == 0 ? dim : d <= dim ? d - 1 : d;
  for (int d = 0; d < x->ndim; d++) back[order[d]] = d;
  TSR_TRY(tsr_permute(ctx, &rows, x, order));
  TSR_TRY(tsr_contiguous(ctx, &rows, rows));
  int64_t n = x->ndim > 0 ? x->size[dim] : 1, width = n > 0 ? x->numel / n : 0;
  TSR_TRY(open_groups(ctx, n, &g));
  tsr_pair *keys;
  int64_t *list;
  TSR_TRY(tsr_workspace(ctx, x->numel, sizeof *keys, &keys));
  TSR_TRY(tsr_workspace(ctx, n + 1, 2 * sizeof *list, &list));
  if (!tsr_pair_fill(keys, (tsr_dtype)x->dtype, x->numel > 0 ? tsr_tensor_data_ro(rows) : "", (ptrdiff_t)tsr_tensor_itemsize(x), x->numel, false)) return refuse_dtype(ctx, x);
  for (int64_t i = 0; i < n; i++) list[i] = i;
  row_keys r = {keys, width, (tsr_dtype)x->dtype};
  if (sorted) sort_rows(&r, list, list + n + 1, n);
  for (int64_t i = 0; i < n; i++) add_member(&g, list[i], i == 0 || !rows_equal(&r, list[i], list[i - 1]));
  for (int d = 0; d < x->ndim; d++) size[d] = d == 0 ? g.count : rows->size[d];
  TSR_TRY(pick_rows(ctx, rows, &g, (size_t)width * tsr_tensor_itemsize(x), x->ndim, size, &values));
  TSR_TRY(tsr_permute(ctx, &values, values, back));
  return ret_groups(c, &g, values, true, true, 1, &n);
}

TSR_KERNEL(unique_dim) { return unique_along(c, tsr_arg_int(c, 1), true); }
TSR_KERNEL(unique_dim_consecutive) { return unique_along(c, tsr_arg_int(c, 1), false); }

TSR_KERNEL(unique_consecutive) {
  bool inverse = tsr_arg_bool(c, 1), counts = tsr_arg_bool(c, 2);
  return tsr_arg_is_none(c, 3) ? unique_flat(c, false, inverse, counts) : unique_along(c, tsr_arg_int(c, 3), false);
}

const tsr_op tsr_ops_unique[] = {
    {"aten::_unique(Tensor self, bool sorted=True, bool return_inverse=False) -> (Tensor, Tensor)",
     op_unique, TSR_PURE},
    {"aten::_unique.out(Tensor self, bool sorted=True, bool return_inverse=False, *, Tensor(a!) out0, Tensor(b!) out1) -> (Tensor(a!), Tensor(b!))",
     op_unique, TSR_OUT_NEW},
    {"aten::_unique2(Tensor self, bool sorted=True, bool return_inverse=False, bool return_counts=False) -> (Tensor, Tensor, Tensor)",
     op_unique, TSR_PURE},
    {"aten::_unique2.out(Tensor self, bool sorted=True, bool return_inverse=False, bool return_counts=False, *, Tensor(a!) out0, Tensor(b!) out1, Tensor(c!) out2) -> (Tensor(a!), Tensor(b!), Tensor(c!))",
     op_unique, TSR_OUT_NEW},
    {"aten::unique_dim(Tensor self, int dim, bool sorted=True, bool return_inverse=False, bool return_counts=False) -> (Tensor, Tensor, Tensor)",
     op_unique_dim, TSR_PURE},
    {"aten::unique_dim.out(Tensor self, int dim, bool sorted=True, bool return_inverse=False, bool return_counts=False, *, Tensor(a!) out0, Tensor(b!) out1, Tensor(c!) out2) -> (Tensor(a!), Tensor(b!), Tensor(c!))",
     op_unique_dim, TSR_OUT_NEW},
    {"aten::unique_dim_consecutive(Tensor self, int dim, bool return_inverse=False, bool return_counts=False) -> (Tensor, Tensor, Tensor)",
     op_unique_dim_consecutive, TSR_PURE},
    {"aten::unique_dim_consecutive.out(Tensor self, int dim, bool return_inverse=False, bool return_counts=False, *, Tensor(a!) out0, Tensor(b!) out1, Tensor(c!) out2) -> (Tensor(a!), Tensor(b!), Tensor(c!))",
     op_unique_dim_consecutive, TSR_OUT_NEW},
    {"aten::unique_consecutive(Tensor self, bool return_inverse=False, bool return_counts=False, int? dim=None) -> (Tensor, Tensor, Tensor)",
     op_unique_consecutive, TSR_PURE},
    {"aten::unique_consecutive.out(Tensor self, bool return_inverse=False, bool return_counts=False, int? dim=None, *, Tensor(a!) out0, Tensor(b!) out1, Tensor(c!) out2) -> (Tensor(a!), Tensor(b!), Tensor(c!))",
     op_unique_consecutive, TSR_OUT_NEW},
    {0},
};
