/* Searching and counting: searchsorted, bucketize, isin, bincount. */
#include <math.h>

#include "ops/native.h"
#include "ops/select.h"
#include "ops/shape.h"

/* Values in the type they are compared in: int64 for integers, double for the rest. */
typedef struct column { bool exact; const int64_t *i; const double *d; } column;

static tsr_status open_column(tsr_ctx *ctx, tsr_tensor *t, tsr_dtype common, column *out) {
  out->exact = tsr_dtype_is_integral(common, true);
  TSR_TRY(tsr_to_dtype(ctx, &t, t, common));
  TSR_TRY(tsr_ready(ctx, &t, t, out->exact ? TSR_INT64 : TSR_FLOAT64));
  out->i = tsr_tensor_data_ro(t);
  out->d = tsr_tensor_data_ro(t);
  return TSR_OK;
}

/* The tensor argument i, or its Scalar as a wrapped number. */
static tsr_status number_arg(tsr_call *c, uint32_t i, tsr_tensor **out) {
  *out = tsr_arg_opt_tensor(c, i);
  if (*out != NULL) return TSR_OK;
  tsr_scalar s = tsr_arg_scalar(c, i);
  tsr_dtype dtype = s.tag == TSR_V_INT ? TSR_INT64 : s.tag == TSR_V_BOOL ? TSR_BOOL : s.tag == TSR_V_FLOAT ? TSR_FLOAT64 : TSR_COMPLEX128;
  TSR_TRY(tsr_new_scalar(c->ctx, out, dtype, s));
  (*out)->wrapped_number = 1;
  return TSR_OK;
}

/* ---- searchsorted ---- */

typedef struct search { column edges, values; const int64_t *order; bool right; } search;

/* First position of edges[begin, end) whose edge is >= (right: >) value; not-a-number goes to the end. */
static int64_t find_edge(const search *s, int64_t begin, int64_t end, int64_t at) {
  int64_t lo = begin, hi = end;
  while (lo < hi) {
    int64_t mid = lo + (hi - lo) / 2, e = s->order != NULL ? begin + s->order[mid] : mid;
    bool past;
    if (s->edges.exact) past = s->right ? s->edges.i[e] > s->values.i[at] : s->edges.i[e] >= s->values.i[at];
    else past = s->right ? s->edges.d[e] > s->values.d[at] : s->edges.d[e] >= s->values.d[at];
    if (past) hi = mid;
    else lo = mid + 1;
  }
  return lo - begin;
}

/* out= forms say the width of their results twice, and both must agree. */
static tsr_status check_width(tsr_ctx *ctx, const tsr_call *c, bool out_int32) {
  tsr_dtype d;
  if ((c->op->flags & TSR_OUT_NEW) == TSR_OUT_NEW) return TSR_OK; /* copied from a result of the right type */
  if (!tsr_out_dtype(c, 0, &d) || d == (out_int32 ? TSR_INT32 : TSR_INT64)) return TSR_OK;
  return tsr_op_fail(ctx, "torch.searchsorted(): output tensor's dtype is wrong, it can only be Int(int32) or Long(int64) depending on whether out_int32 flag is True, but we got output tensor's dtype %s and out_int32 flag is %s",
                     tsr_dtype_get_info(d)->cpp_name, out_int32 ? "True" : "False");
}

static tsr_status search_tensor(tsr_call *c, tsr_tensor *edges, tsr_tensor *values, tsr_tensor *sorter, bool right, bool out_int32) {
  tsr_ctx *ctx = c->ctx;
  tsr_tensor *pair[2] = {edges, values}, *y;
  tsr_dtype common = edges->dtype == values->dtype ? (tsr_dtype)edges->dtype : tsr_result_type(pair, 2);
  search s = {.right = right};
  void *out;
  TSR_TRY(check_width(ctx, c, out_int32));
  if (values->numel > 0 && (tsr_dtype_is_complex(common) || common == TSR_BOOL))
    return tsr_op_fail(ctx, "\"searchsorted_out_cpu\" not implemented for '%s'", tsr_dtype_get_info(common)->cpp_name);
  if (values->numel > 0) {
    TSR_TRY(open_column(ctx, edges, common, &s.edges));
    TSR_TRY(open_column(ctx, values, common, &s.values));
  }
  if (sorter != NULL) {
    TSR_TRY(tsr_ready(ctx, &sorter, sorter, TSR_INT64));
    s.order = tsr_tensor_data_ro(sorter);
  }
  TSR_TRY(tsr_new(ctx, &y, out_int32 ? TSR_INT32 : TSR_INT64, values->ndim, values->size));
  TSR_TRY(tsr_data_mut(ctx, y, &out));
  int64_t n = edges->size[edges->ndim - 1], row = values->ndim > 0 ? values->size[values->ndim - 1] : 1;
  for (int64_t i = 0; i < values->numel; i++) {
    int64_t begin = edges->ndim == 1 ? 0 : i / row * n, at;
    if (s.order != NULL) { /* the sorter's row is addressed like the edges' */
      search one = s;
      one.order = s.order + begin;
      one.edges.i += begin;
      one.edges.d += begin;
      at = find_edge(&one, 0, n, i);
    } else {
      at = find_edge(&s, begin, begin + n, i);
    }
    if (out_int32) ((int32_t *)out)[i] = (int32_t)at;
    else ((int64_t *)out)[i] = at;
  }
  return tsr_ret_tensor(c, 0, y);
}

static tsr_status check_searchsorted(tsr_ctx *ctx, const tsr_tensor *edges, const tsr_tensor *values, bool is_scalar) {
  char a[256], b[256];
  if (is_scalar && edges->ndim != 1)
    return tsr_op_fail(ctx, "torch.searchsorted(): input value can be a scalar only when boundaries tensor dimension is 1, but we got boundaries tensor dim(%d) and input value's dim(%d) numel(%lld)",
                       edges->ndim, values->ndim, (long long)values->numel);
  if (edges->ndim == 0) return tsr_op_fail(ctx, "torch.searchsorted(): boundaries tensor should have positive dimension, but got 0 dimension");
  bool match = edges->ndim == 1 || edges->ndim == values->ndim;
  for (int d = 0; match && edges->ndim > 1 && d < edges->ndim - 1; d++) match = edges->size[d] == values->size[d];
  if (match) return TSR_OK;
  tsr_sizes_print(a, sizeof a, edges->ndim, edges->size);
  tsr_sizes_print(b, sizeof b, values->ndim, values->size);
  return tsr_op_fail(ctx, "torch.searchsorted(): boundaries tensor should be 1 dimension or the first N-1 dimensions of boundaries tensor and input value tensor must match, but we got boundaries tensor %s and input value tensor %s",
                     a, b);
}

static tsr_status check_sorter(tsr_ctx *ctx, tsr_tensor *sorter, const tsr_tensor *edges) {
  if (sorter == NULL) return TSR_OK;
  if (!tsr_tensor_same_size(sorter, edges)) {
    char a[256], b[256];
    tsr_sizes_print(a, sizeof a, edges->ndim, edges->size);
    tsr_sizes_print(b, sizeof b, sorter->ndim, sorter->size);
    return tsr_op_fail(ctx, "torch.searchsorted(): boundary and sorter must have the same size, but got boundary tensor %sand got sorter tensor %s", a, b);
  }
  if (sorter->dtype != TSR_INT64)
    return tsr_op_fail(ctx, "torch.searchsorted(): sorter must be a tensor of long dtype but got dtype %s", tsr_dtype_get_info(sorter->dtype)->cpp_name);
  TSR_TRY(tsr_contiguous(ctx, &sorter, sorter));
  const int64_t *v = tsr_tensor_data_ro(sorter);
  for (int64_t i = 0; i < sorter->numel; i++)
    if (v[i] < 0 || v[i] >= sorter->size[sorter->ndim - 1]) return tsr_op_fail(ctx, "torch.searchsorted(): sorter index out of range");
  return TSR_OK;
}

TSR_KERNEL(searchsorted) {
  tsr_ctx *ctx = c->ctx;
  tsr_tensor *edges = tsr_arg_tensor(c, 0), *values, *sorter = tsr_arg_opt_tensor(c, 5);
  bool right = tsr_arg_bool(c, 3);
  TSR_TRY(number_arg(c, 1, &values));
  if (!tsr_arg_is_none(c, 4)) {
    const char *side = tsr_arg_str(c, 4)->bytes;
    bool to_right = strcmp(side, "right") == 0;
    if (!to_right && strcmp(side, "left") != 0) return tsr_op_fail(ctx, "torch.searchsorted(): side can only be 'left' or 'right' but got %s", side);
    if (right && !to_right)
      return tsr_op_fail(ctx, "torch.searchsorted(): side and right can't be set to opposites, got side of %s while right was True", side);
    right = to_right;
  }
  TSR_TRY(check_sorter(ctx, sorter, edges));
  TSR_TRY(check_searchsorted(ctx, edges, values, values->ndim == 0 && values->numel == 1));
  return search_tensor(c, edges, values, sorter, right, tsr_arg_bool(c, 2));
}

TSR_KERNEL(bucketize) {
  tsr_tensor *values, *edges = tsr_arg_tensor(c, 1);
  TSR_TRY(number_arg(c, 0, &values));
  if (edges->ndim != 1) return tsr_op_fail(c->ctx, "boundaries tensor must be 1 dimension, but got dim(%d)", edges->ndim);
  return search_tensor(c, edges, values, NULL, tsr_arg_bool(c, 3), tsr_arg_bool(c, 2));
}

/* ---- isin ---- */

TSR_KERNEL(isin) {
  tsr_ctx *ctx = c->ctx;
  tsr_tensor *pair[2], *y;
  bool invert = tsr_arg_bool(c, 3);
  void *out;
  TSR_TRY(number_arg(c, 0, &pair[0]));
  TSR_TRY(number_arg(c, 1, &pair[1]));
  tsr_dtype common = tsr_result_type(pair, 2);
  for (int i = 0; i < 2; i++)
    if (tsr_dtype_is_complex((tsr_dtype)pair[i]->dtype) || pair[i]->dtype == TSR_BOOL) return tsr_op_fail(ctx, "Unsupported input type encountered for isin(): %s", tsr_dtype_get_info(pair[i]->dtype)->cpp_name);
  /* PyTorch compares few with each by a view of them, which not every layout permits */
  if ((double)pair[1]->numel < 10 * pow((double)pair[0]->numel, 0.145)) {
    int64_t flat = pair[1]->numel;
    tsr_tensor *line;
    TSR_TRY(tsr_view_as(ctx, &line, pair[1], 1, &flat));
  }
  column x, set;
  TSR_TRY(open_column(ctx, pair[0], common, &x));
  TSR_TRY(open_column(ctx, pair[1], common, &set));
  tsr_dtype wide = x.exact ? TSR_INT64 : TSR_FLOAT64;
  int64_t n = pair[1]->numel;
  tsr_pair *sorted, probe;
  TSR_TRY(tsr_workspace(ctx, n + 1, 2 * sizeof *sorted, &sorted));
  if (n > 0) tsr_pair_fill(sorted, wide, (const char *)set.i, 8, n, false);
  tsr_pair_sort_stable(sorted, sorted + n, n);
  TSR_TRY(tsr_new(ctx, &y, TSR_BOOL, pair[0]->ndim, pair[0]->size));
  TSR_TRY(tsr_data_mut(ctx, y, &out));
  for (int64_t i = 0; i < y->numel; i++) {
    int64_t lo = 0, hi = n;
    tsr_pair_fill(&probe, wide, (const char *)(x.i + i), 8, 1, false);
    while (lo < hi) {
      int64_t mid = lo + (hi - lo) / 2;
      if (sorted[mid].key < probe.key) lo = mid + 1;
      else hi = mid;
    }
    bool found = lo < n && sorted[lo].key == probe.key && (x.exact || !isnan(x.d[i]));
    ((uint8_t *)out)[i] = found != invert;
  }
  return tsr_ret_tensor(c, 0, y);
}

/* ---- bincount ---- */

TSR_KERNEL(bincount) {
  tsr_ctx *ctx = c->ctx;
  tsr_tensor *x = tsr_arg_tensor(c, 0), *weights = tsr_arg_opt_tensor(c, 1), *y;
  int64_t bins = tsr_arg_int(c, 2);
  void *out;
  if (!tsr_dtype_is_integral((tsr_dtype)x->dtype, false)) return tsr_op_fail(ctx, "\"bincount_cpu\" not implemented for '%s'", tsr_dtype_get_info(x->dtype)->cpp_name);
  if (bins < 0) return tsr_op_fail(ctx, "minlength should be >= 0");
  if (x->ndim == 1 && x->numel == 0) {
    TSR_TRY(tsr_new(ctx, &y, TSR_INT64, 1, &bins));
    TSR_TRY(tsr_fill(ctx, y, tsr_scalar_int(0)));
    return tsr_ret_tensor(c, 0, y);
  }
  TSR_TRY(tsr_ready(ctx, &x, x, TSR_INT64));
  const int64_t *v = tsr_tensor_data_ro(x);
  bool refused = x->ndim != 1;
  for (int64_t i = 0; i < x->numel; i++) {
    refused = refused || v[i] < 0;
    bins = TSR_MAX(bins, v[i] == INT64_MAX ? v[i] : v[i] + 1);
  }
  if (refused) return tsr_op_fail(ctx, "bincount only supports 1-d non-negative integral inputs.");
  if (weights != NULL && (weights->ndim != 1 || weights->numel != x->numel)) return tsr_op_fail(ctx, "weights should be 1-d and have the same length as input");
  bool single = weights != NULL && weights->dtype == TSR_FLOAT32;
  TSR_TRY(tsr_new(ctx, &y, weights == NULL ? TSR_INT64 : single ? TSR_FLOAT32 : TSR_FLOAT64, 1, &bins));
  TSR_TRY(tsr_fill(ctx, y, tsr_scalar_int(0)));
  TSR_TRY(tsr_data_mut(ctx, y, &out));
  if (weights != NULL) TSR_TRY(tsr_ready(ctx, &weights, weights, single ? TSR_FLOAT32 : TSR_FLOAT64));
  for (int64_t i = 0; i < x->numel; i++) {
    if (weights == NULL) ((int64_t *)out)[v[i]]++;
    else if (single) ((float *)out)[v[i]] += ((const float *)tsr_tensor_data_ro(weights))[i];
    else ((double *)out)[v[i]] += ((const double *)tsr_tensor_data_ro(weights))[i];
  }
  return tsr_ret_tensor(c, 0, y);
}

const tsr_op tsr_ops_search[] = {
    {"aten::searchsorted.Tensor(Tensor sorted_sequence, Tensor self, *, bool out_int32=False, bool right=False, str? side=None, Tensor? sorter=None) -> Tensor",
     op_searchsorted, TSR_PURE},
    {"aten::searchsorted.Tensor_out(Tensor sorted_sequence, Tensor self, *, bool out_int32=False, bool right=False, str? side=None, Tensor? sorter=None, Tensor(a!) out) -> Tensor(a!)",
     op_searchsorted, TSR_OUT},
    {"aten::searchsorted.Scalar(Tensor sorted_sequence, Scalar self, *, bool out_int32=False, bool right=False, str? side=None, Tensor? sorter=None) -> Tensor",
     op_searchsorted, TSR_PURE},
    {"aten::searchsorted.Scalar_out(Tensor sorted_sequence, Scalar self, *, bool out_int32=False, bool right=False, str? side=None, Tensor? sorter=None, Tensor(a!) out) -> Tensor(a!)",
     op_searchsorted, TSR_OUT},
    {"aten::bucketize.Tensor(Tensor self, Tensor boundaries, *, bool out_int32=False, bool right=False) -> Tensor",
     op_bucketize, TSR_PURE},
    {"aten::bucketize.Scalar(Scalar self, Tensor boundaries, *, bool out_int32=False, bool right=False) -> Tensor",
     op_bucketize, TSR_PURE},
    {"aten::bucketize.Tensor_out(Tensor self, Tensor boundaries, *, bool out_int32=False, bool right=False, Tensor(a!) out) -> Tensor(a!)",
     op_bucketize, TSR_OUT},
    {"aten::bucketize.Scalar_out(Scalar self, Tensor boundaries, *, bool out_int32=False, bool right=False, Tensor(a!) out) -> Tensor(a!)",
     op_bucketize, TSR_OUT_NEW},
    {"aten::isin.Tensor_Tensor(Tensor elements, Tensor test_elements, *, bool assume_unique=False, bool invert=False) -> Tensor",
     op_isin, TSR_PURE},
    {"aten::isin.Tensor_Tensor_out(Tensor elements, Tensor test_elements, *, bool assume_unique=False, bool invert=False, Tensor(a!) out) -> Tensor(a!)",
     op_isin, TSR_OUT_SAME},
    {"aten::isin.Tensor_Scalar(Tensor elements, Scalar test_element, *, bool assume_unique=False, bool invert=False) -> Tensor",
     op_isin, TSR_PURE},
    {"aten::isin.Tensor_Scalar_out(Tensor elements, Scalar test_element, *, bool assume_unique=False, bool invert=False, Tensor(a!) out) -> Tensor(a!)",
     op_isin, TSR_OUT_SAME},
    {"aten::isin.Scalar_Tensor(Scalar element, Tensor test_elements, *, bool assume_unique=False, bool invert=False) -> Tensor",
     op_isin, TSR_PURE},
    {"aten::isin.Scalar_Tensor_out(Scalar element, Tensor test_elements, *, bool assume_unique=False, bool invert=False, Tensor(a!) out) -> Tensor(a!)",
     op_isin, TSR_OUT_SAME},
    {"aten::bincount(Tensor self, Tensor? weights=None, SymInt minlength=0) -> Tensor",
     op_bincount, TSR_PURE},
    {"aten::bincount.out(Tensor self, Tensor? weights=None, SymInt minlength=0, *, Tensor(a!) out) -> Tensor(a!)",
     op_bincount, TSR_OUT_NEW},
    {0},
};
