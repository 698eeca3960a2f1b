/* Weight normalisation: v scaled so that each of its slices along dim has the norm that g says.
 *
 * The fused form reads g's first numbers as they lie in memory, whatever its shape and strides say, and gives the norms g's layout. */
#include <math.h>

#include "ops/native.h"

/* Slices of the first or the last dimension. */
typedef struct slices { int64_t count, length, step, next; } slices; /* element i of slice k: k * next + i * step */

static bool slices_of(const tsr_tensor *v, int64_t dim, slices *s) {
  bool first = dim == 0;
  if (v->ndim == 0 || (!first && dim != v->ndim - 1)) return false;
  s->count = v->size[dim];
  s->length = s->count == 0 ? 0 : v->numel / s->count;
  s->step = first ? 1 : s->count;
  s->next = first ? s->length : 1;
  return true;
}

/* w = v * g[k] / |slice k|, contiguous; norms: one for each slice. */
static tsr_status fused(tsr_ctx *ctx, tsr_tensor *v, const tsr_tensor *g, int64_t dim, tsr_tensor **w, double **norms, slices *s) {
  tsr_dtype d = (tsr_dtype)v->dtype;
  tsr_tensor *x, *y;
  void *p;
  if (!tsr_dtype_is_float(d)) return tsr_op_fail(ctx, "\"weight_norm_kernel\" not implemented for '%s'", tsr_dtype_get_info(d)->cpp_name);
  if (!slices_of(v, dim, s)) return tsr_op_fail(ctx, "fused kernels can only be applied for first or last dim");
  if (g->dtype != d) return tsr_op_fail(ctx, "expected scalar type %s but found %s", tsr_dtype_get_info(d)->cpp_name, tsr_dtype_get_info(g->dtype)->cpp_name);
  size_t item = tsr_dtype_size(d);
  if (v->numel > 0 && (g->storage->nbytes / item < (uint64_t)g->offset || g->storage->nbytes / item - (uint64_t)g->offset < (uint64_t)s->count || g->numel == 0))
    return tsr_op_fail(ctx, "weight_norm: %lld slices need as many factors, but g has %lld", (long long)s->count, (long long)g->numel);
  double *factor = tsr_scratch(ctx, (size_t)(2 * s->count + 1) * sizeof *factor);
  if (factor == NULL) return tsr_op_nomem(ctx);
  *norms = factor + s->count;
  TSR_TRY(tsr_ready(ctx, &x, v, TSR_FLOAT64));
  TSR_TRY(tsr_new(ctx, &y, TSR_FLOAT64, v->ndim, v->size));
  TSR_TRY(tsr_data_mut(ctx, y, &p));
  if (v->numel > 0) tsr_convert(TSR_FLOAT64, factor, d, tsr_tensor_data_ro(g), s->count);
  const double *in = tsr_tensor_data_ro(x);
  for (int64_t k = 0; k < s->count; k++) {
    double sum = 0;
    for (int64_t i = 0; i < s->length; i++) sum += in[k * s->next + i * s->step] * in[k * s->next + i * s->step];
    (*norms)[k] = sqrt(sum);
    for (int64_t i = 0; i < s->length; i++) ((double *)p)[k * s->next + i * s->step] = in[k * s->next + i * s->step] * (factor[k] / (*norms)[k]);
  }
  return tsr_to_dtype(ctx, w, y, d);
}

TSR_KERNEL(weight_norm) {
  tsr_ctx *ctx = c->ctx;
  tsr_tensor *v = tsr_arg_tensor(c, 0), *g = tsr_arg_tensor(c, 1), *w;
  int64_t dim = tsr_arg_int(c, 2);
  slices s;
  double *norms;
  if (dim == 0 || dim == v->ndim - 1) {
    TSR_TRY(tsr_contiguous(ctx, &g, g));
    TSR_TRY(fused(ctx, v, g, dim, &w, &norms, &s));
    return tsr_ret_tensor(c, 0, w);
  }
  tsr_val args[3] = {tsr_from_obj(v), tsr_int(2), tsr_int(dim)}, norm;
  TSR_TRY(tsr_invoke(ctx, tsr_op_get("aten::norm_except_dim", ""), args, 3, &norm, 1));
  TSR_TRY(tsr_binary(ctx, &w, "div", g, norm.t));
  TSR_TRY(tsr_binary(ctx, &w, "mul", v, w));
  return tsr_ret_tensor(c, 0, w);
}

/* The weight as it is normalised, and the norms: in float32 for half types. */
TSR_KERNEL(weight_norm_interface) {
  tsr_tensor *v = tsr_arg_tensor(c, 0), *g = tsr_arg_tensor(c, 1), *w, *n;
  tsr_dtype d = tsr_dtype_size((tsr_dtype)g->dtype) < 4 && tsr_dtype_is_float((tsr_dtype)g->dtype) ? TSR_FLOAT32 : (tsr_dtype)g->dtype;
  slices s;
  double *norms;
  void *p;
  TSR_TRY(fused(c->ctx, v, g, tsr_arg_int(c, 2), &w, &norms, &s));
  TSR_TRY(tsr_new_strided(c->ctx, &n, d, g->ndim, g->size, g->stride));
  TSR_TRY(tsr_data_mut(c->ctx, n, &p));
  memset(p, 0, n->storage->nbytes);
  if ((uint64_t)s.count <= n->storage->nbytes / tsr_dtype_size(d)) tsr_convert(d, p, TSR_FLOAT64, norms, s.count);
  TSR_TRY(tsr_ret_tensor(c, 0, w));
  return tsr_ret_tensor(c, 1, n);
}

const tsr_op tsr_ops_norm_weight[] = {
    {"aten::_weight_norm(Tensor v, Tensor g, int dim=0) -> Tensor", op_weight_norm, TSR_PURE},
    {"aten::_weight_norm_interface(Tensor v, Tensor g, int dim=0) -> (Tensor, Tensor)", op_weight_norm_interface, TSR_PURE},
    {"aten::_weight_norm_interface.out(Tensor v, Tensor g, int dim=0, *, Tensor(a!) out0, Tensor(b!) out1) -> (Tensor(a!), Tensor(b!))",
     op_weight_norm_interface, TSR_OUT_NEW},
    {0},
};
