/* torch.gradient: derivatives along dimensions by central differences, one-sided at the ends, as PyTorch's chain of operators:
 * element types, strides and what becomes of infinities follow from them. */
#include "ops/native.h"
#include "ops/shape.h"

/* n elements of x along dim from `at`, counted from the end when negative; n < 0: all but -n. */
static tsr_status part(tsr_ctx *ctx, tsr_tensor **out, tsr_tensor *x, int64_t dim, int64_t at, int64_t n) {
  int64_t size = x->size[dim], start = at < 0 ? at + size : at;
  return tsr_slice(ctx, out, x, dim, TSR_MAX(start, 0), n < 0 ? TSR_MAX(start + size + n, 0) : start + n, 1);
}

/* *sum + factor * x, *sum NULL: factor * x */
static tsr_status add_times(tsr_ctx *ctx, tsr_tensor **sum, tsr_tensor *x, double factor) {
  bool whole = factor == (double)(int64_t)factor;
  if (factor == -1) TSR_TRY(tsr_unary(ctx, &x, "neg", x));
  else if (factor != 1) TSR_TRY(tsr_binary_scalar(ctx, &x, "mul", x, whole ? tsr_scalar_int((int64_t)factor) : tsr_scalar_float(factor)));
  if (*sum != NULL) return tsr_binary(ctx, sum, "add", *sum, x);
  *sum = x;
  return TSR_OK;
}

/* What one place of a dimension is made of: its three samples' weights when the samples are a distance apart, and for samples h1 and h2 apart
 * the factors of both in the numerators over h1 (h1 + h2), h1 h2, h2 (h1 + h2). */
typedef struct place { int64_t at, n; double even[3], h1[3], h2[3]; } place;
static const place inside = {0, -2, {0, 0, 0}, {0, -1, 1}, {-1, 1, 0}}, first = {0, 1, {-1.5, 2, -0.5}, {-2, 1, -1}, {-1, 1, 0}},
                   last = {-3, 1, {0.5, -2, 1.5}, {0, -1, 1}, {1, -1, 2}};

static tsr_status weight(tsr_ctx *ctx, tsr_tensor **w, tsr_tensor *h1, tsr_tensor *h2, const place *p, int k) {
  tsr_tensor *up = NULL, *down, *a = k == 2 ? h2 : h1, *b = h2;
  if (p->h1[k] != 0) TSR_TRY(add_times(ctx, &up, h1, p->h1[k]));
  if (p->h2[k] != 0) TSR_TRY(add_times(ctx, &up, h2, p->h2[k]));
  if (k != 1) TSR_TRY(tsr_binary(ctx, &b, "add", h1, h2));
  TSR_TRY(tsr_binary(ctx, &down, "mul", a, b));
  return tsr_binary(ctx, w, "div", up, down);
}

/* The places of x that p means, from samples h1 and h2 apart (numbers, or vectors along dim). */
static tsr_status uneven(tsr_ctx *ctx, tsr_tensor **out, tsr_tensor *x, int64_t dim, tsr_tensor *h1, tsr_tensor *h2, const place *p) {
  int64_t shape[TSR_MAX_NDIM];
  tsr_tensor *w, *t;
  for (int d = 0; d < x->ndim; d++) shape[d] = d == dim ? -1 : 1;
  *out = NULL;
  for (int k = 0; k < 3; k++) {
    TSR_TRY(weight(ctx, &w, h1, h2, p, k));
    if (p == &inside) TSR_TRY(tsr_reshape(ctx, &w, w, x->ndim, shape));
    TSR_TRY(part(ctx, &t, x, dim, p->at + k, p->n));
    TSR_TRY(tsr_binary(ctx, &t, "mul", w, t));
    TSR_TRY(add_times(ctx, out, t, 1));
  }
  return TSR_OK;
}

/* (x[at + gap, …] - x[at, …]) / distance, a tensor or a number */
static tsr_status slope(tsr_ctx *ctx, tsr_tensor **out, tsr_tensor *x, int64_t dim, int64_t at, int64_t gap, int64_t n, tsr_tensor *h, tsr_scalar dx) {
  tsr_tensor *a, *b;
  TSR_TRY(part(ctx, &a, x, dim, at, n));
  TSR_TRY(part(ctx, &b, x, dim, at + gap, n));
  TSR_TRY(tsr_binary(ctx, &a, "sub", b, a));
  return h != NULL ? tsr_binary(ctx, out, "div", a, h) : tsr_binary_scalar(ctx, out, "div", a, dx);
}

static tsr_status by_number(tsr_ctx *ctx, tsr_tensor *parts[3], tsr_tensor *x, int64_t dim, tsr_scalar dx, int64_t edge) {
  TSR_TRY(slope(ctx, &parts[1], x, dim, 0, 2, -2, NULL, dx));
  for (int i = 0; i < 3; i += 2) {
    const place *p = i == 0 ? &first : &last;
    parts[i] = NULL;
    for (int k = 0; k < 3 && edge == 2; k++) {
      tsr_tensor *t;
      TSR_TRY(part(ctx, &t, x, dim, p->at + k, 1));
      TSR_TRY(add_times(ctx, &parts[i], t, p->even[k]));
    }
    if (edge == 2) TSR_TRY(tsr_binary_scalar(ctx, &parts[i], "div", parts[i], dx));
    else TSR_TRY(slope(ctx, &parts[i], x, dim, i == 0 ? 0 : -2, 1, 1, NULL, dx));
  }
  return tsr_binary_scalar(ctx, &parts[1], "div", parts[1], tsr_scalar_int(2));
}

static tsr_status by_coordinates(tsr_ctx *ctx, tsr_tensor *parts[3], tsr_tensor *x, int64_t dim, tsr_tensor *at, int64_t edge) {
  tsr_tensor *h1, *h2;
  tsr_val args[] = {tsr_from_obj(at), tsr_int(1), tsr_int(0), tsr_none(), tsr_none()}, gaps;
  if (at->ndim != 1) return tsr_op_fail(ctx, "torch.gradient expected each element of spacing to have one dimension, but got an element with %d dimensions!", at->ndim);
  TSR_TRY(tsr_invoke(ctx, tsr_op_get("aten::diff", ""), args, TSR_COUNT(args), &gaps, 1));
  TSR_TRY(part(ctx, &h1, gaps.t, 0, 0, -1));
  TSR_TRY(part(ctx, &h2, gaps.t, 0, 1, -1));
  TSR_TRY(uneven(ctx, &parts[1], x, dim, h1, h2, &inside));
  for (int i = 0; i < 3; i += 2) {
    TSR_TRY(tsr_select(ctx, &h1, gaps.t, 0, i == 0 ? 0 : -edge));
    if (edge == 1) {
      TSR_TRY(slope(ctx, &parts[i], x, dim, i == 0 ? 0 : -2, 1, 1, h1, (tsr_scalar){0}));
      continue;
    }
    TSR_TRY(tsr_select(ctx, &h2, gaps.t, 0, i == 0 ? 1 : -1));
    TSR_TRY(uneven(ctx, &parts[i], x, dim, h1, h2, i == 0 ? &first : &last));
  }
  return TSR_OK;
}

/* Where a row's arguments are; 0: absent. */
typedef struct grad_args { int spacing, dim, edge; } grad_args;
static const grad_args spaced = {1, 2, 3}, unspaced = {0, 1, 2};

/* What PyTorch asks first; spacings: how many, -1 when they are left out. */
static tsr_status check(tsr_ctx *ctx, const tsr_tensor *x, int64_t spacings, int64_t n, const int64_t *dims, bool given, int64_t edge) {
  bool seen[TSR_MAX_NDIM] = {false};
  int64_t dim;
  if (x->dtype == TSR_UINT8) return tsr_op_fail(ctx, "torch.gradient does not support uint8 input.");
  if (spacings >= 0 && !given && spacings != x->ndim)
    return tsr_op_fail(ctx, "torch.gradient expected spacing to be unspecified, a scalar, or a list of length equal to 'self.dim() = %d', since dim argument was not given, but got a list of length %lld", x->ndim,
                       (long long)spacings);
  if (spacings >= 0 && given && spacings != n)
    return tsr_op_fail(ctx, "torch.gradient expected spacing to be unspecified, a scalar or it's spacing and dim arguments to have the same length, but got a spacing argument of length %lld and a dim argument of length %lld.",
                       (long long)spacings, (long long)n);
  if (edge != 1 && edge != 2) return tsr_op_fail(ctx, "torch.gradient only supports edge_order=1 and edge_order=2.");
  for (int64_t k = 0; k < n; k++) {
    TSR_TRY(tsr_wrap_dim(ctx, dims[k], x->ndim, &dim));
    if (seen[dim]) return tsr_op_fail(ctx, "dim %lld appears multiple times in the list of dims", (long long)dim);
    seen[dim] = true;
  }
  for (int64_t k = 0; k < n; k++) {
    if (x->ndim == 0) return tsr_op_fail(ctx, "Dimension specified as %lld but tensor has no dimensions", (long long)dims[k]);
    if (x->size[dims[k] < 0 ? dims[k] + x->ndim : dims[k]] < edge + 1) return tsr_op_fail(ctx, "torch.gradient expected each dimension size to be at least edge_order+1");
  }
  return TSR_OK;
}

TSR_KERNEL(gradient) {
  const grad_args *a = c->op->data;
  tsr_tensor *x = tsr_arg_tensor(c, 0), *out[TSR_MAX_NDIM], *parts[3];
  int64_t n = -1, dim, all[TSR_MAX_NDIM], edge = tsr_arg_int(c, (uint32_t)a->edge);
  tsr_val spacing = a->spacing != 0 ? c->args[a->spacing] : tsr_none();
  bool given = !tsr_arg_is_none(c, (uint32_t)a->dim), list = spacing.tag == TSR_V_LIST;
  const int64_t *dims = given ? tsr_arg_ints(c, (uint32_t)a->dim, &n) : NULL;
  if (dims == NULL) {
    for (int d = 0; d < x->ndim; d++) all[d] = d;
    dims = all;
    n = x->ndim;
  }
  TSR_TRY(check(c->ctx, x, list ? (int64_t)spacing.l->len : -1, n, dims, given, edge));
  for (int64_t k = 0; k < n; k++) {
    tsr_val h = list ? spacing.l->items[k] : spacing;
    TSR_TRY(tsr_wrap_dim(c->ctx, dims[k], x->ndim, &dim));
    if (h.tag == TSR_V_TENSOR) TSR_TRY(by_coordinates(c->ctx, parts, x, dim, h.t, edge));
    else TSR_TRY(by_number(c->ctx, parts, x, dim, h.tag == TSR_V_NONE ? tsr_scalar_float(1) : tsr_scalar_of(h), edge));
    TSR_TRY(tsr_cat(c->ctx, &out[k], parts, 3, dim));
  }
  return tsr_ret_tensors(c, 0, out, n);
}

const tsr_op tsr_ops_gradient[] = {
    {"aten::gradient.scalarint(Tensor self, *, Scalar? spacing=None, int? dim=None, int edge_order=1) -> Tensor[]",
     op_gradient, TSR_PURE, &spaced},
    {"aten::gradient.scalararray(Tensor self, *, Scalar spacing, int[] dim, int edge_order=1) -> Tensor[]",
     op_gradient, TSR_PURE, &spaced},
    {"aten::gradient.array(Tensor self, *, int[] dim, int edge_order=1) -> Tensor[]",
     op_gradient, TSR_PURE, &unspaced},
    {"aten::gradient.scalarrayint(Tensor self, *, Scalar[] spacing, int? dim=None, int edge_order=1) -> Tensor[]",
     op_gradient, TSR_PURE, &spaced},
    {"aten::gradient.scalarrayarray(Tensor self, *, Scalar[] spacing, int[] dim, int edge_order=1) -> Tensor[]",
     op_gradient, TSR_PURE, &spaced},
    {"aten::gradient.tensorarrayint(Tensor self, *, Tensor[] spacing, int? dim=None, int edge_order=1) -> Tensor[]",
     op_gradient, TSR_PURE, &spaced},
    {"aten::gradient.tensorarray(Tensor self, *, Tensor[] spacing, int[] dim, int edge_order=1) -> Tensor[]",
     op_gradient, TSR_PURE, &spaced},
    {0},
};
