/* sort, argsort, msort, topk, kthvalue. */
#include "ops/native.h"
#include "ops/select.h"
#include "ops/shape.h"

/* Rows along one dimension of a C-ordered operand whose dimension was moved last. */
typedef struct rows { int64_t dim, n, count; tsr_tensor *moved; tsr_pair *pairs, *spare; } rows;

/* The caller makes room for the pairs. */
static tsr_status open_rows(tsr_ctx *ctx, tsr_tensor *x, int64_t dim, rows *r) {
  r->dim = dim;
  r->moved = x;
  if (x->ndim > 0) TSR_TRY(tsr_transpose(ctx, &r->moved, x, dim, -1));
  TSR_TRY(tsr_contiguous(ctx, &r->moved, r->moved));
  r->n = x->ndim > 0 ? x->size[dim] : 1;
  r->count = r->n > 0 ? x->numel / r->n : 0;
  return TSR_OK;
}

static const char *row_at(const rows *r, int64_t i) {
  return (const char *)tsr_tensor_data_ro(r->moved) + (size_t)(i * r->n) * tsr_tensor_itemsize(r->moved);
}

static bool fill_row(const rows *r, int64_t i, bool descending) {
  size_t item = tsr_tensor_itemsize(r->moved);
  return tsr_pair_fill(r->pairs, (tsr_dtype)r->moved->dtype, row_at(r, i), (ptrdiff_t)item, r->n, descending);
}

/* Results with `width` entries a row: values and indices, the dimension last. */
typedef struct picked { tsr_tensor *values, *indices; char *v; int64_t *i; int64_t width; } picked;

static tsr_status new_picked(tsr_ctx *ctx, const rows *r, int64_t width, picked *p) {
  int64_t size[TSR_MAX_NDIM];
  void *v, *i;
  memcpy(size, r->moved->size, r->moved->ndim * sizeof *size);
  if (r->moved->ndim > 0) size[r->moved->ndim - 1] = width;
  TSR_TRY(tsr_new(ctx, &p->values, (tsr_dtype)r->moved->dtype, r->moved->ndim, size));
  TSR_TRY(tsr_new(ctx, &p->indices, TSR_INT64, r->moved->ndim, size));
  TSR_TRY(tsr_data_mut(ctx, p->values, &v));
  TSR_TRY(tsr_data_mut(ctx, p->indices, &i));
  p->v = v;
  p->i = i;
  p->width = width;
  return TSR_OK;
}

/* Row i of the results: the first `width` pairs. */
static void store_row(const rows *r, picked *p, int64_t i, const tsr_pair *from) {
  size_t item = tsr_tensor_itemsize(r->moved);
  const char *row = row_at(r, i);
  for (int64_t k = 0; k < p->width; k++) {
    memcpy(p->v + (size_t)(i * p->width + k) * item, row + (size_t)from[k].idx * item, item);
    p->i[i * p->width + k] = from[k].idx;
  }
}

/* Bring the dimension back; with `like` the results get its dense strides, else C order. */
static tsr_status ret_picked(tsr_call *c, const rows *r, picked *p, const tsr_tensor *like) {
  tsr_tensor *pair[2] = {p->values, p->indices};
  for (uint32_t k = 0; k < 2; k++) {
    tsr_tensor *y = pair[k], *view;
    if (like != NULL && like->numel > 0) TSR_TRY(tsr_new_like(c->ctx, &y, like, (tsr_dtype)pair[k]->dtype));
    else if (r->dim != y->ndim - 1 && y->ndim > 0) {
      TSR_TRY(tsr_transpose(c->ctx, &view, pair[k], r->dim, -1));
      TSR_TRY(tsr_new(c->ctx, &y, (tsr_dtype)pair[k]->dtype, view->ndim, view->size));
    }
    if (y != pair[k]) {
      view = pair[k];
      if (view->ndim > 0) TSR_TRY(tsr_transpose(c->ctx, &view, view, r->dim, -1));
      TSR_TRY(tsr_copy_into(c->ctx, y, view));
    }
    TSR_TRY(tsr_ret_tensor(c, k, y));
  }
  return TSR_OK;
}

static tsr_status check_sortable(tsr_ctx *ctx, const tsr_tensor *x) {
  if (!tsr_dtype_is_complex((tsr_dtype)x->dtype)) return TSR_OK;
  return tsr_op_fail(ctx, " Sort does not support complex dtypes on CPU");
}

/* ---- sort ---- */

/* What was not asked to be stable has the order of std::sort among equal elements: PyTorch's results show it. */
static tsr_status sort_rows(tsr_ctx *ctx, tsr_tensor *x, int64_t dim, bool descending, bool stable, rows *r, picked *p) {
  TSR_TRY(tsr_wrap_dim(ctx, dim, x->ndim, &dim));
  TSR_TRY(check_sortable(ctx, x));
  TSR_TRY(open_rows(ctx, x, dim, r));
  TSR_TRY(tsr_workspace(ctx, r->n, sizeof(tsr_pair), &r->pairs));
  TSR_TRY(tsr_workspace(ctx, r->n, sizeof(tsr_pair), &r->spare));
  TSR_TRY(new_picked(ctx, r, r->n, p));
  for (int64_t i = 0; i < r->count; i++) {
    if (!fill_row(r, i, descending)) return tsr_op_fail(ctx, "\"sort_stable\" not implemented for '%s'", tsr_dtype_get_info(x->dtype)->cpp_name);
    if (stable) tsr_pair_sort_stable(r->pairs, r->spare, r->n);
    else tsr_pair_sort(r->pairs, r->n);
    store_row(r, p, i, r->pairs);
  }
  return TSR_OK;
}

/* Row data: the first of (dim, descending); where that is 2, argument 1 is `stable`. */
static const uint32_t dim_at_1 = 1, dim_at_2 = 2;

static bool is_stable(const tsr_call *c, uint32_t at) { return at == 2 && !tsr_arg_is_none(c, 1) && tsr_arg_bool(c, 1); }

TSR_KERNEL(sort) {
  uint32_t at = *(const uint32_t *)c->op->data;
  tsr_tensor *x = tsr_arg_tensor(c, 0);
  rows r;
  picked p;
  TSR_TRY(sort_rows(c->ctx, x, tsr_arg_int(c, at), tsr_arg_bool(c, at + 1), is_stable(c, at), &r, &p));
  return ret_picked(c, &r, &p, x);
}

/* Values or indices alone: through a call whose two results are both kept as temps. */
static tsr_status sort_one(tsr_call *c, tsr_tensor *x, int64_t dim, bool descending, bool stable, uint32_t which) {
  rows r;
  picked p;
  tsr_val rets[2] = {tsr_none(), tsr_none()};
  TSR_TRY(sort_rows(c->ctx, x, dim, descending, stable, &r, &p));
  tsr_call inner = *c;
  inner.rets = rets;
  inner.nrets = 2;
  tsr_status st = ret_picked(&inner, &r, &p, x);
  tsr_release(rets[1 - which]);
  if (st == TSR_OK) c->rets[0] = rets[which];
  else tsr_release(rets[which]);
  return st;
}

TSR_KERNEL(argsort) {
  uint32_t at = *(const uint32_t *)c->op->data;
  return sort_one(c, tsr_arg_tensor(c, 0), tsr_arg_int(c, at), tsr_arg_bool(c, at + 1), is_stable(c, at), 1);
}

TSR_KERNEL(msort) { return sort_one(c, tsr_arg_tensor(c, 0), 0, false, false, 0); }

/* ---- topk, kthvalue ---- */

/* Half of topk's results depend on which equal element wins: the same two strategies at the same sizes. */
static bool top_pairs(const rows *r, int64_t i, int64_t k, bool largest, bool sorted) {
  if (k * 64 <= r->n)
    return tsr_pair_top(r->pairs, k, (tsr_dtype)r->moved->dtype, row_at(r, i), (ptrdiff_t)tsr_tensor_itemsize(r->moved), r->n, largest);
  if (!fill_row(r, i, largest)) return false;
  tsr_pair_nth_element(r->pairs, k - 1, r->n);
  if (sorted) tsr_pair_sort(r->pairs, k - 1);
  return true;
}

TSR_KERNEL(topk) {
  tsr_ctx *ctx = c->ctx;
  tsr_tensor *x = tsr_arg_tensor(c, 0);
  int64_t k = tsr_arg_int(c, 1), dim;
  bool largest = tsr_arg_bool(c, 3), sorted = tsr_arg_bool(c, 4);
  rows r;
  picked p;
  TSR_TRY(tsr_wrap_dim(ctx, tsr_arg_int(c, 2), x->ndim, &dim));
  if (k < 0 || k > (x->ndim > 0 ? x->size[dim] : 1)) return tsr_op_fail(ctx, "selected index k out of range");
  if (tsr_dtype_is_complex((tsr_dtype)x->dtype)) return tsr_op_fail(ctx, " topk does not support complex dtypes on CPU");
  if (x->dtype == TSR_BOOL) return tsr_op_fail(ctx, "topk does not support bool dtypes on CPU");
  TSR_TRY(open_rows(ctx, x, dim, &r));
  TSR_TRY(new_picked(ctx, &r, x->ndim > 0 ? k : 1, &p));
  TSR_TRY(tsr_workspace(ctx, p.width * 64 <= r.n ? p.width : r.n, sizeof(tsr_pair), &r.pairs));
  for (int64_t i = 0; i < r.count && p.width > 0; i++) {
    if (!top_pairs(&r, i, p.width, largest, sorted))
      return tsr_op_fail(ctx, "\"topk_cpu\" not implemented for '%s'", tsr_dtype_get_info(x->dtype)->cpp_name);
    store_row(&r, &p, i, r.pairs);
  }
  return ret_picked(c, &r, &p, NULL);
}

TSR_KERNEL(kthvalue) {
  tsr_ctx *ctx = c->ctx;
  tsr_tensor *x = tsr_arg_tensor(c, 0);
  int64_t k = tsr_arg_int(c, 1), dim;
  bool keepdim = tsr_arg_bool(c, 3);
  rows r;
  picked p;
  TSR_TRY(tsr_wrap_dim(ctx, tsr_arg_int(c, 2), x->ndim, &dim));
  if (x->ndim > 0 && x->size[dim] == 0) return tsr_op_fail(ctx, "kthvalue(): Expected reduction dim %lld to have non-zero size.", (long long)dim);
  if (k < 1 || k > (x->ndim > 0 ? x->size[dim] : 1))
    return tsr_op_fail(ctx, "kthvalue(): selected number k out of range for dimension %lld", (long long)dim);
  tsr_dtype out;
  if (tsr_out_dtype(c, 0, &out) && out != (tsr_dtype)x->dtype) return tsr_op_fail(ctx, "output values must be of same type as input");
  if (tsr_out_dtype(c, 1, &out) && out != TSR_INT64) return tsr_op_fail(ctx, "output indices must be of scalar type Long");
  if (x->dtype == TSR_BOOL) return tsr_op_fail(ctx, "\"kthvalue_cpu\" not implemented for 'Bool'");
  TSR_TRY(open_rows(ctx, x, dim, &r));
  TSR_TRY(new_picked(ctx, &r, 1, &p));
  TSR_TRY(tsr_workspace(ctx, r.n, sizeof(tsr_pair), &r.pairs));
  for (int64_t i = 0; i < r.count; i++) {
    if (!fill_row(&r, i, false)) return tsr_op_fail(ctx, "\"kthvalue_cpu\" not implemented for '%s'", tsr_dtype_get_info(x->dtype)->cpp_name);
    tsr_pair_quick_select(r.pairs, k - 1, r.n);
    store_row(&r, &p, i, r.pairs + k - 1);
  }
  TSR_TRY(ret_picked(c, &r, &p, NULL));
  for (uint32_t i = 0; i < 2 && !keepdim && x->ndim > 0; i++) {
    tsr_tensor *y;
    TSR_TRY(tsr_squeeze_dim(ctx, &y, c->rets[i].t, dim));
    tsr_release(c->rets[i]);
    TSR_TRY(tsr_ret_tensor(c, i, y));
  }
  return TSR_OK;
}

const tsr_op tsr_ops_sort[] = {
    {"aten::sort(Tensor self, int dim=-1, bool descending=False) -> (Tensor values, Tensor indices)",
     op_sort, TSR_PURE, &dim_at_1},
    {"aten::sort.stable(Tensor self, *, bool? stable, int dim=-1, bool descending=False) -> (Tensor values, Tensor indices)",
     op_sort, TSR_PURE, &dim_at_2},
    {"aten::sort.values_stable(Tensor self, *, bool? stable, int dim=-1, bool descending=False, Tensor(a!) values, Tensor(b!) indices) -> (Tensor(a!) values, Tensor(b!) indices)",
     op_sort, TSR_OUT_SAME, &dim_at_2},
    {"aten::sort.values(Tensor self, int dim=-1, bool descending=False, *, Tensor(a!) values, Tensor(b!) indices) -> (Tensor(a!) values, Tensor(b!) indices)",
     op_sort, TSR_OUT_SAME, &dim_at_1},
    {"aten::argsort(Tensor self, int dim=-1, bool descending=False) -> Tensor",
     op_argsort, TSR_PURE, &dim_at_1},
    {"aten::argsort.stable(Tensor self, *, bool stable, int dim=-1, bool descending=False) -> Tensor",
     op_argsort, TSR_PURE, &dim_at_2},
    {"aten::argsort.stable_out(Tensor self, *, bool stable, int dim=-1, bool descending=False, Tensor(a!) out) -> Tensor(a!)",
     op_argsort, TSR_OUT_SAME, &dim_at_2},
    {"aten::msort(Tensor self) -> Tensor",
     op_msort, TSR_PURE},
    {"aten::msort.out(Tensor self, *, Tensor(a!) out) -> Tensor(a!)",
     op_msort, TSR_OUT_SAME},
    {"aten::topk(Tensor self, SymInt k, int dim=-1, bool largest=True, bool sorted=True) -> (Tensor values, Tensor indices)",
     op_topk, TSR_PURE},
    {"aten::topk.values(Tensor self, SymInt k, int dim=-1, bool largest=True, bool sorted=True, *, Tensor(a!) values, Tensor(b!) indices) -> (Tensor(a!) values, Tensor(b!) indices)",
     op_topk, TSR_OUT_SAME},
    {"aten::kthvalue(Tensor self, SymInt k, int dim=-1, bool keepdim=False) -> (Tensor values, Tensor indices)",
     op_kthvalue, TSR_PURE},
    {"aten::kthvalue.values(Tensor self, SymInt k, int dim=-1, bool keepdim=False, *, Tensor(a!) values, Tensor(b!) indices) -> (Tensor(a!) values, Tensor(b!) indices)",
     op_kthvalue, TSR_OUT},
    {0},
};
