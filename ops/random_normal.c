/* normal: means and deviations in tensors or numbers.
 *
 * Standard normals (scaled by a number) are drawn into the result, which is then multiplied and shifted in place, as PyTorch does it: what those
 * steps refuse is refused here, and a result that is given takes part in the broadcasting. */
#include <math.h>

#include "ops/create.h"
#include "ops/native.h"
#include "ops/random.h"
#include "ops/shape.h"

static tsr_status check_std(tsr_ctx *ctx, double std) {
  return std >= 0 ? TSR_OK : tsr_op_fail(ctx, "normal expects std >= 0.0, but found std %g", std);
}

static tsr_status check_stds(tsr_ctx *ctx, tsr_tensor *std) {
  if (tsr_dtype_is_complex((tsr_dtype)std->dtype)) return tsr_op_fail(ctx, "normal expects standard deviation to be non-complex");
  TSR_TRY(tsr_ready(ctx, &std, std, TSR_FLOAT64));
  const double *v = tsr_tensor_data_ro(std);
  for (int64_t i = 0; i < std->numel; i++)
    if (!(v[i] >= 0)) return tsr_op_fail(ctx, "normal expects all elements of std >= 0.0");
  return TSR_OK;
}

static tsr_status draw(tsr_ctx *ctx, tsr_rng *r, tsr_tensor *y, double mean, double std) {
  if (y->numel == 0) return TSR_OK;
  if (tsr_dtype_is_complex((tsr_dtype)y->dtype)) { /* both parts, half of the variance each */
    TSR_TRY(tsr_as_real(ctx, &y, y, true, 0));
    return tsr_random_normal(ctx, r, y, mean, std / sqrt(2.0));
  }
  if (!tsr_dtype_is_float((tsr_dtype)y->dtype)) return tsr_op_fail(ctx, "\"normal_kernel_cpu\" not implemented for '%s'", tsr_dtype_get_info(y->dtype)->cpp_name);
  return tsr_random_normal(ctx, r, y, mean, std);
}

static tsr_status in_place(tsr_ctx *ctx, const char *op, tsr_tensor *y, tsr_tensor *x) {
  tsr_val args[3] = {tsr_from_obj(y), tsr_from_obj(x), tsr_int(1)}, ret;
  return tsr_invoke(ctx, tsr_op_get(op, "Tensor"), args, strcmp(op, "aten::add_") == 0 ? 3 : 2, &ret, 1);
}

/* y grows to the shape that it and x broadcast to (without x: y's own). */
static tsr_status fit(tsr_ctx *ctx, tsr_tensor *y, int an, const int64_t *a, int bn, const int64_t *b) {
  int64_t size[TSR_MAX_NDIM];
  int n;
  TSR_TRY(tsr_broadcast_sizes(ctx, an, a, bn, b, &n, size));
  return n == y->ndim && memcmp(size, y->size, (size_t)n * sizeof *size) == 0 ? TSR_OK : tsr_resize(ctx, y, n, size);
}

/* args: mean, std, generator; out argument last, if the row has one. */
TSR_KERNEL(normal_tensor) {
  tsr_ctx *ctx = c->ctx;
  tsr_tensor *mean = tsr_arg_opt_tensor(c, 0), *std = tsr_arg_opt_tensor(c, 1), *y = c->nargs > 3 ? tsr_arg_tensor(c, 3) : NULL, *like = mean != NULL ? mean : std;
  double scale = std == NULL ? tsr_arg_float(c, 1) : 1;
  int64_t size[TSR_MAX_NDIM];
  int n = like->ndim;
  tsr_rng *r = NULL;
  TSR_TRY(tsr_rng_arg(c, 2, &r));
  TSR_TRY(std == NULL ? check_std(ctx, scale) : check_stds(ctx, std));
  memcpy(size, like->size, (size_t)n * sizeof *size);
  if (mean != NULL && std != NULL) TSR_TRY(tsr_broadcast_sizes(ctx, mean->ndim, mean->size, std->ndim, std->size, &n, size));
  if (y == NULL) TSR_TRY(tsr_new(ctx, &y, (tsr_dtype)like->dtype, n, size));
  if (std == NULL) TSR_TRY(fit(ctx, y, mean->ndim, mean->size, y->ndim, y->size));
  else TSR_TRY(fit(ctx, y, n, size, 0, NULL));
  TSR_TRY(draw(ctx, r, y, 0, scale));
  if (mean == NULL) TSR_TRY(tsr_new_scalar(ctx, &mean, (tsr_dtype)y->dtype, tsr_scalar_float(tsr_arg_float(c, 0))));
  if (std != NULL) TSR_TRY(in_place(ctx, "aten::mul_", y, std));
  TSR_TRY(in_place(ctx, "aten::add_", y, mean));
  return tsr_ret_tensor(c, 0, y);
}

/* self only gives the shape and the element type. */
TSR_KERNEL(normal_like) {
  tsr_tensor *y, *x = tsr_arg_tensor(c, 0);
  tsr_rng *r = NULL;
  double std = tsr_arg_float(c, 2);
  TSR_TRY(tsr_rng_arg(c, 3, &r));
  TSR_TRY(check_std(c->ctx, std));
  TSR_TRY(tsr_new_like(c->ctx, &y, x, (tsr_dtype)x->dtype));
  TSR_TRY(draw(c->ctx, r, y, tsr_arg_float(c, 1), std));
  return tsr_ret_tensor(c, 0, y);
}

TSR_KERNEL(normal_sized) {
  int64_t n;
  const int64_t *size;
  tsr_tensor *y = NULL;
  tsr_rng *r = NULL;
  TSR_TRY(tsr_ints_arg(c, 2, &size, &n));
  TSR_TRY(tsr_rng_arg(c, 3, &r));
  TSR_TRY(tsr_factory_new(c, 4, TSR_FLOAT32, n, size, &y));
  TSR_TRY(check_std(c->ctx, tsr_arg_float(c, 1)));
  TSR_TRY(draw(c->ctx, r, y, tsr_arg_float(c, 0), tsr_arg_float(c, 1)));
  return tsr_ret_tensor(c, 0, y);
}

const tsr_op tsr_ops_random_normal[] = {
    {"aten::normal.Tensor_float(Tensor mean, float std=1., *, Generator? generator=None) -> Tensor",
     op_normal_tensor, TSR_EFFECT},
    {"aten::normal.Tensor_float_out(Tensor mean, float std=1., *, Generator? generator=None, Tensor(a!) out) -> Tensor(a!)",
     op_normal_tensor, TSR_EFFECT},
    {"aten::normal.float_Tensor(float mean, Tensor std, *, Generator? generator=None) -> Tensor",
     op_normal_tensor, TSR_EFFECT},
    {"aten::normal.float_Tensor_out(float mean, Tensor std, *, Generator? generator=None, Tensor(a!) out) -> Tensor(a!)",
     op_normal_tensor, TSR_EFFECT},
    {"aten::normal.Tensor_Tensor(Tensor mean, Tensor std, *, Generator? generator=None) -> Tensor",
     op_normal_tensor, TSR_EFFECT},
    {"aten::normal.Tensor_Tensor_out(Tensor mean, Tensor std, *, Generator? generator=None, Tensor(a!) out) -> Tensor(a!)",
     op_normal_tensor, TSR_EFFECT},
    {"aten::normal.float_float(float mean, float std, SymInt[] size, *, Generator? generator=None, " TSR_FACTORY_OPTIONS ") -> Tensor",
     op_normal_sized, TSR_EFFECT},
    {"aten::normal.float_float_out(float mean, float std, SymInt[] size, *, Generator? generator=None, Tensor(a!) out) -> Tensor(a!)",
     op_normal_sized, 0},
    {"aten::normal.out(Tensor self, float mean=0., float std=1., *, Generator? generator=None, Tensor(a!) out) -> Tensor(a!)",
     op_normal_like, TSR_EFFECT | TSR_OUT_NEW}, /* after the others: out=, and a tensor where those take their mean */
    {0},
};
