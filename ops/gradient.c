/* torch.gradient: derivatives along dimensions by central differences, one-sided at the ends. */
#include "ops/op.h"
#include "ops/native.h"

/* The derivative at every sample of x[lines][n][inner], in real or complex numbers.  at: coordinates of the samples, or
 * NULL: dx apart; edge: order of the one-sided differences, 1 or 2. */
#define GRADIENT(NUM, suffix)                                                                                              \
  static void weights_##suffix(NUM h1, NUM h2, int where, NUM w[3]) { /* of three samples, h1 and h2 apart */              \
    NUM s = h1 + h2;                                                                                                       \
    if (where == 0) w[0] = -(2 * h1 + h2) / (h1 * s), w[1] = s / (h1 * h2), w[2] = -h1 / (h2 * s);                         \
    else if (where == 1) w[0] = -h2 / (h1 * s), w[1] = (h2 - h1) / (h1 * h2), w[2] = h1 / (h2 * s);                        \
    else w[0] = h2 / (h1 * s), w[1] = -s / (h1 * h2), w[2] = (2 * h2 + h1) / (h2 * s);                                     \
  }                                                                                                                        \
  static NUM gap_##suffix(const NUM *at, NUM dx, int64_t i) { return at ? at[i + 1] - at[i] : dx; }                        \
  static void gradient_##suffix(const NUM *x, NUM *y, int64_t lines, int64_t n, int64_t inner, const NUM *at, NUM dx, int edge) { \
    for (int64_t u = 0; u < lines; u++) {                                                                                  \
      int64_t o = u / inner * n * inner + u % inner;                                                                       \
      for (int64_t i = 0; i < n; i++) {                                                                                    \
        bool first = i == 0, last = i == n - 1;                                                                            \
        int64_t mid = first ? 1 : last ? n - 2 : i, a = first ? 0 : n - 2;                                                 \
        NUM w[3];                                                                                                          \
        if ((first || last) && edge == 1) {                                                                                \
          y[o + i * inner] = (x[o + (a + 1) * inner] - x[o + a * inner]) / gap_##suffix(at, dx, a);                        \
          continue;                                                                                                        \
        }                                                                                                                  \
        weights_##suffix(gap_##suffix(at, dx, mid - 1), gap_##suffix(at, dx, mid), first ? 0 : last ? 2 : 1, w);           \
        y[o + i * inner] = w[0] * x[o + (mid - 1) * inner] + w[1] * x[o + mid * inner] + w[2] * x[o + (mid + 1) * inner];  \
      }                                                                                                                    \
    }                                                                                                                      \
  }
GRADIENT(double, real)
GRADIENT(double _Complex, complex)

static tsr_status along(tsr_ctx *ctx, tsr_tensor **out, tsr_tensor *x, int64_t dim, tsr_scalar dx, tsr_tensor *at, int edge) {
  int64_t n = x->size[dim], inner = 1;
  tsr_tensor *in, *y, *coords = NULL;
  bool z = tsr_dtype_is_complex((tsr_dtype)x->dtype) || (at && tsr_dtype_is_complex((tsr_dtype)at->dtype)) || dx.tag == TSR_V_COMPLEX;
  tsr_dtype d = tsr_dtype_is_float((tsr_dtype)x->dtype) || tsr_dtype_is_complex((tsr_dtype)x->dtype) ? (tsr_dtype)x->dtype : TSR_FLOAT32, work = z ? TSR_COMPLEX128 : TSR_FLOAT64;
  if (z && !tsr_dtype_is_complex(d)) d = d == TSR_FLOAT64 ? TSR_COMPLEX128 : TSR_COMPLEX64;
  if (n < edge + 1) return tsr_op_fail(ctx, "torch.gradient expected each dimension size to be at least edge_order+1");
  if (at) {
    if (at->ndim != 1) return tsr_op_fail(ctx, "torch.gradient expected each element of spacing to have one dimension, but got an element with %d dimensions!", at->ndim);
    if (at->numel != n) return tsr_op_fail(ctx, "torch.gradient expected as many coordinates as samples");
    TSR_TRY(tsr_ready(ctx, &coords, at, work));
  }
  for (int k = (int)dim + 1; k < x->ndim; k++) inner *= x->size[k];
  TSR_TRY(tsr_ready(ctx, &in, x, work));
  TSR_TRY(tsr_new(ctx, &y, work, x->ndim, x->size));
  const void *p = tsr_tensor_data_ro(in), *c = coords != NULL ? tsr_tensor_data_ro(coords) : NULL;
  double _Complex step;
  memcpy(&step, &dx.z, sizeof step);
  if (z) gradient_complex(p, y->storage->data, x->numel / n, n, inner, c, step, edge);
  else gradient_real(p, y->storage->data, x->numel / n, n, inner, c, dx.d, edge);
  return tsr_to_dtype(ctx, out, y, d);
}

/* Where a row's arguments are; 0: absent. */
typedef struct grad_args { int spacing, dim, edge; } grad_args;
static const grad_args spaced = {1, 2, 3}, unspaced = {0, 1, 2};

/* The spacing of the k-th dimension: a number for all, a list of numbers, or a list of coordinate tensors. */
static tsr_status spacing_of(tsr_call *c, int arg, int64_t k, int64_t count, tsr_scalar *dx, tsr_tensor **at) {
  *dx = tsr_scalar_int(1);
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
  else *dx = tsr_scalar_of(v);
  return TSR_OK;
}

TSR_KERNEL(gradient) {
  const grad_args *a = c->op->data;
  tsr_tensor *x = tsr_arg_tensor(c, 0), *out[TSR_MAX_NDIM], *at;
  int64_t n = -1, dim, all[TSR_MAX_NDIM], edge = tsr_arg_int(c, (uint32_t)a->edge);
  tsr_scalar dx;
  bool seen[TSR_MAX_NDIM] = {false};
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
    if (seen[dim]) return tsr_op_fail(c->ctx, "dim %lld appears multiple times in the list of dims", (long long)dim);
    seen[dim] = true;
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
