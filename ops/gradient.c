/* torch.gradient: derivatives along dimensions by central differences, one-sided at the ends. */
#include "ops/op.h"
#include "ops/native.h"

typedef struct grad_job {
  int64_t n, inner, lines;
  int edge;             /* order of the one-sided differences: 1 or 2 */
  const double *x, *at; /* at: coordinates of the samples, or NULL: dx apart */
  double *y, dx;
} grad_job;

/* Weights of three samples h1 and h2 apart, for the derivative at the first, second or third. */
static void weights(double h1, double h2, int where, double w[3]) {
  double s = h1 + h2;
  if (where == 0) w[0] = -(2 * h1 + h2) / (h1 * s), w[1] = s / (h1 * h2), w[2] = -h1 / (h2 * s);
  else if (where == 1) w[0] = -h2 / (h1 * s), w[1] = (h2 - h1) / (h1 * h2), w[2] = h1 / (h2 * s);
  else w[0] = h2 / (h1 * s), w[1] = -s / (h1 * h2), w[2] = (2 * h2 + h1) / (h2 * s);
}

static double gap(const grad_job *j, int64_t i) { return j->at ? j->at[i + 1] - j->at[i] : j->dx; }

static double sample(const grad_job *j, const double *x, int64_t i) {
  int64_t last = j->n - 1, mid = i == 0 ? 1 : i == last ? last - 1 : i;
  if ((i == 0 || i == last) && j->edge == 1) {
    int64_t a = i == 0 ? 0 : last - 1;
    return (x[(a + 1) * j->inner] - x[a * j->inner]) / gap(j, a);
  }
  double w[3];
  weights(gap(j, mid - 1), gap(j, mid), i == 0 ? 0 : i == last ? 2 : 1, w);
  return w[0] * x[(mid - 1) * j->inner] + w[1] * x[mid * j->inner] + w[2] * x[(mid + 1) * j->inner];
}

static tsr_status along(tsr_ctx *ctx, tsr_tensor **out, tsr_tensor *x, int64_t dim, double dx, tsr_tensor *at, int edge) {
  grad_job j = {.n = x->size[dim], .inner = 1, .edge = edge, .dx = dx};
  tsr_tensor *in, *y, *coords = NULL;
  tsr_dtype d = tsr_dtype_is_float((tsr_dtype)x->dtype) ? (tsr_dtype)x->dtype : TSR_FLOAT32;
  if (tsr_dtype_is_complex((tsr_dtype)x->dtype)) return tsr_fail(&ctx->err, TSR_EUNSUPPORTED, "gradient of complex tensors is not available");
  if (j.n < edge + 1) return tsr_op_fail(ctx, "torch.gradient expected each dimension size to be at least edge_order+1");
  if (at) {
    if (at->ndim != 1) return tsr_op_fail(ctx, "torch.gradient expected each element of spacing to have one dimension, but got an element with %d dimensions!", at->ndim);
    if (at->numel != j.n) return tsr_op_fail(ctx, "torch.gradient expected as many coordinates as samples");
    TSR_TRY(tsr_ready(ctx, &coords, at, TSR_FLOAT64));
    j.at = tsr_tensor_data_ro(coords);
  }
  for (int k = (int)dim + 1; k < x->ndim; k++) j.inner *= x->size[k];
  TSR_TRY(tsr_ready(ctx, &in, x, TSR_FLOAT64));
  TSR_TRY(tsr_new(ctx, &y, TSR_FLOAT64, x->ndim, x->size));
  j.x = tsr_tensor_data_ro(in);
  j.y = y->storage->data;
  for (int64_t u = 0; u < x->numel / j.n; u++) {
    int64_t o = u / j.inner * j.n * j.inner + u % j.inner;
    for (int64_t i = 0; i < j.n; i++) j.y[o + i * j.inner] = sample(&j, j.x + o, i);
  }
  return tsr_to_dtype(ctx, out, y, d);
}

/* Where a row's arguments are; 0: absent. */
typedef struct grad_args { int spacing, dim, edge; } grad_args;
static const grad_args spaced = {1, 2, 3}, unspaced = {0, 1, 2};

/* The spacing of the k-th dimension: a number for all, a list of numbers, or a list of coordinate tensors. */
static tsr_status spacing_of(tsr_call *c, int arg, int64_t k, int64_t count, double *dx, tsr_tensor **at) {
  *dx = 1;
  *at = NULL;
  if (arg == 0 || tsr_arg_is_none(c, (uint32_t)arg)) return TSR_OK;
  tsr_val v = c->args[arg];
  if (v.tag == TSR_V_LIST) {
    if ((int64_t)v.l->len != count)
      return tsr_op_fail(c->ctx, "torch.gradient expected spacing to be unspecified, a scalar, or it's spacing and dim arguments to have the same length, but got a spacing argument of length %zu and a dim argument of length %lld.",
                         v.l->len, (long long)count);
    v = v.l->items[k];
  }
  if (v.tag == TSR_V_TENSOR) *at = v.t;
  else *dx = tsr_scalar_of(v).d;
  return TSR_OK;
}

TSR_KERNEL(gradient) {
  const grad_args *a = c->op->data;
  tsr_tensor *x = tsr_arg_tensor(c, 0), *out[TSR_MAX_NDIM], *at;
  int64_t n = -1, dim, all[TSR_MAX_NDIM], edge = tsr_arg_int(c, (uint32_t)a->edge);
  double dx;
  const int64_t *dims = tsr_arg_is_none(c, (uint32_t)a->dim) ? NULL : tsr_arg_ints(c, (uint32_t)a->dim, &n);
  if (edge != 1 && edge != 2) return tsr_op_fail(c->ctx, "torch.gradient only supports edge_order=1 and edge_order=2.");
  if (dims == NULL) {
    for (int d = 0; d < x->ndim; d++) all[d] = d;
    dims = all;
    n = x->ndim;
  }
  if (n > x->ndim) return tsr_op_fail(c->ctx, "torch.gradient got more dims than the input has");
  for (int64_t k = 0; k < n; k++) {
    TSR_TRY(tsr_wrap_dim(c->ctx, dims[k], x->ndim, &dim));
    TSR_TRY(spacing_of(c, a->spacing, k, n, &dx, &at));
    TSR_TRY(along(c->ctx, &out[k], x, dim, dx, at, (int)edge));
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
