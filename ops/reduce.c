/* Reductions that give one number an output: sums, products, extremes, truth, counts, means, norms,
 * variances, log-sum-exp.  Those with indices are in reduce_index.c. */
#include <math.h>
#include <stdio.h>

#include "ops/pointwise.h"
#include "ops/reduce.h"

static const char *cpp_name(int dtype) { return tsr_dtype_get_info(dtype)->cpp_name; }

/* ---- the simple ones ---- */

typedef enum out_rule { OUT_SAME, OUT_SUM, OUT_FLOAT, OUT_TRUTH, OUT_COUNT } out_rule;

typedef struct red_kind {
  const char *name;
  tsr_red_id id;
  out_rule rule;
  bool mean;       /* divide by the number of elements */
  bool nonempty;   /* no result for an empty dimension */
  const char *no_complex;
} red_kind;

static const red_kind kinds[] = {
    {"sum", TSR_RED_sum, OUT_SUM, false, false, NULL},
    {"nansum", TSR_RED_nansum, OUT_SUM, false, false, "nansum on CPU does not support complex inputs"},
    {"prod", TSR_RED_prod, OUT_SUM, false, false, NULL},
    {"mean", TSR_RED_sum, OUT_FLOAT, true, false, NULL},
    {"amax", TSR_RED_max, OUT_SAME, false, true, "\"max_values_cpu\" not implemented for '%s'"},
    {"amin", TSR_RED_min, OUT_SAME, false, true, "\"min_values_cpu\" not implemented for '%s'"},
    {"any", TSR_RED_any, OUT_TRUTH, false, false, NULL},
    {"all", TSR_RED_all, OUT_TRUTH, false, false, NULL},
    {"count_nonzero", TSR_RED_count, OUT_COUNT, false, false, NULL},
};

static const red_kind *find_kind(const char *name) {
  for (size_t i = 0; i < TSR_COUNT(kinds); i++)
    if (strcmp(kinds[i].name, name) == 0) return &kinds[i];
  return NULL;
}

/* Result dtype, and the type the elements are taken in. */
static tsr_status choose_types(tsr_ctx *ctx, const red_kind *k, const tsr_tensor *x, int dtype, tsr_dtype *out, tsr_dtype *in) {
  tsr_dtype d = (tsr_dtype)x->dtype;
  *in = dtype >= 0 ? (tsr_dtype)dtype : d;
  switch (k->rule) {
  case OUT_SUM: *out = *in = dtype >= 0 ? (tsr_dtype)dtype : tsr_dtype_is_integral(d, true) ? TSR_INT64 : d; break;
  case OUT_FLOAT:
    *out = *in;
    if (!tsr_dtype_is_float(*in) && !tsr_dtype_is_complex(*in))
      return tsr_op_fail(ctx, "%s(): could not infer output dtype. %s dtype must be either a floating point or complex dtype. Got: %s", k->name,
                         dtype >= 0 ? "Optional" : "Input", cpp_name((int)*in));
    break;
  case OUT_TRUTH: *out = d == TSR_UINT8 ? TSR_UINT8 : TSR_BOOL; break;
  case OUT_COUNT: *out = TSR_INT64; break;
  default: *out = *in; break;
  }
  if (k->no_complex && tsr_dtype_is_complex(*in)) {
    char text[96];
    snprintf(text, sizeof text, k->no_complex, cpp_name((int)*in));
    return tsr_op_fail(ctx, "%s", text);
  }
  return TSR_OK;
}

static void divide(void *acc, tsr_ct ct, int64_t nout, int64_t count) {
  double *a = acc;
  int64_t n = ct == TSR_CT_C128 ? 2 * nout : nout;
  for (int64_t i = 0; i < n; i++) a[i] /= (double)count;
}

static tsr_status reduce_kind(tsr_ctx *ctx, tsr_tensor **out, const red_kind *k, tsr_tensor *x, const bool *mask, bool keepdim, int dtype) {
  tsr_reduction r = {.x = x, .id = k->id};
  tsr_dtype od, id;
  int64_t size[TSR_MAX_NDIM];
  void *acc;
  TSR_TRY(choose_types(ctx, k, x, dtype, &od, &id));
  if (k->nonempty) TSR_TRY(tsr_reduce_nonempty(ctx, x, mask, k->name));
  memcpy(r.dims, mask, sizeof r.dims);
  r.ct = tsr_ct_of(id);
  TSR_TRY(tsr_reduce_run(ctx, &r, &acc));
  int n = tsr_reduce_shape(x, mask, keepdim, size);
  int64_t nout;
  tsr_numel(n, size, &nout);
  if (k->mean) divide(acc, r.ct, nout, tsr_reduce_count(x, mask));
  return tsr_reduce_store(ctx, out, od, n, size, r.ct, acc);
}

tsr_status tsr_reduce(tsr_ctx *ctx, tsr_tensor **out, const char *op, tsr_tensor *x, int ndims, const int64_t *dims, bool keepdim, int dtype) {
  const red_kind *k = find_kind(op);
  bool mask[TSR_MAX_NDIM];
  if (k == NULL) return tsr_fail(&ctx->err, TSR_EINTERNAL, "no reduction %s", op);
  TSR_TRY(tsr_reduce_dims(ctx, x, dims, ndims, mask));
  return reduce_kind(ctx, out, k, x, mask, keepdim, dtype);
}

/* Where a row's arguments are; 0: absent. */
typedef struct red_args { const char *name; int dim, keepdim, dtype; bool empty_is_none; } red_args;

static bool has(const tsr_call *c, int i) { return i > 0 && (uint32_t)i < c->nargs && !tsr_arg_is_none(c, (uint32_t)i); }

static tsr_status dims_arg(tsr_call *c, const tsr_tensor *x, int i, bool empty_is_none, bool *mask) {
  int64_t n = -1;
  const int64_t *dims = has(c, i) ? tsr_arg_ints(c, (uint32_t)i, &n) : NULL;
  if (has(c, i) && dims == NULL) return tsr_ctx_nomem(c->ctx);
  TSR_TRY(tsr_reduce_dims(c->ctx, x, dims, n, mask));
  if (n == 0 && empty_is_none) memset(mask, 0, TSR_MAX_NDIM * sizeof *mask);
  return TSR_OK;
}

TSR_KERNEL(reduce) {
  const red_args *a = c->op->data;
  tsr_tensor *x = tsr_arg_tensor(c, 0), *y;
  bool mask[TSR_MAX_NDIM];
  const red_kind *k = find_kind(a->name);
  tsr_dtype result, taken; /* types are refused before dimensions */
  if (k->rule == OUT_FLOAT) TSR_TRY(choose_types(c->ctx, k, x, has(c, a->dtype) ? (int)tsr_arg_int(c, (uint32_t)a->dtype) : -1, &result, &taken));
  TSR_TRY(dims_arg(c, x, a->dim, a->empty_is_none, mask));
  if (k->nonempty && x->numel == 0) {
    int64_t n = -1;
    if (has(c, a->dim)) tsr_arg_ints(c, (uint32_t)a->dim, &n);
    if (n <= 0)
      return tsr_op_fail(c->ctx, "%s(): Expected reduction dim to be specified for input.numel() == 0. Specify the reduction dim with the 'dim' argument.", a->name);
  }
  TSR_TRY(reduce_kind(c->ctx, &y, k, x, mask, has(c, a->keepdim) && tsr_arg_bool(c, (uint32_t)a->keepdim), has(c, a->dtype) ? (int)tsr_arg_int(c, (uint32_t)a->dtype) : -1));
  return tsr_ret_tensor(c, 0, y);
}

/* The largest of no numbers is the least there is, and the other way round. */
static tsr_scalar extreme_of_nothing(tsr_dtype d, bool largest) {
  if (tsr_dtype_is_float(d)) return tsr_scalar_float(largest ? -INFINITY : INFINITY);
  int64_t top = tsr_dtype_max(d) < 0x1p63 ? (int64_t)tsr_dtype_max(d) : INT64_MAX;
  return tsr_scalar_int(!largest ? top : d == TSR_BOOL || d == TSR_UINT8 ? 0 : -top - 1);
}

/* max and min of a whole tensor */
TSR_KERNEL(extreme_all) {
  const char *name = c->op->data; /* "max" or "min" */
  char kernel[16];
  tsr_tensor *x = tsr_arg_tensor(c, 0), *y;
  bool mask[TSR_MAX_NDIM];
  if (x->numel == 0 && c->outs == NULL)
    return tsr_op_fail(c->ctx, "%s(): Expected reduction dim to be specified for input.numel() == 0. Specify the reduction dim with the 'dim' argument.", name);
  snprintf(kernel, sizeof kernel, "%s_all", name);
  if (tsr_dtype_is_complex((tsr_dtype)x->dtype)) return tsr_not_implemented(c->ctx, kernel, (tsr_dtype)x->dtype);
  bool largest = strcmp(name, "max") == 0;
  if (x->numel == 0) {
    TSR_TRY(tsr_new_scalar(c->ctx, &y, (tsr_dtype)x->dtype, extreme_of_nothing((tsr_dtype)x->dtype, largest)));
    return tsr_ret_tensor(c, 0, y);
  }
  TSR_TRY(tsr_reduce_dims(c->ctx, x, NULL, -1, mask));
  TSR_TRY(reduce_kind(c->ctx, &y, find_kind(largest ? "amax" : "amin"), x, mask, false, -1));
  return tsr_ret_tensor(c, 0, y);
}

TSR_KERNEL(nanmean) {
  tsr_tensor *x = tsr_arg_tensor(c, 0), *y;
  tsr_reduction r = {.x = x, .id = TSR_RED_nansum};
  int64_t size[TSR_MAX_NDIM];
  void *sum, *count;
  if (!tsr_dtype_is_float((tsr_dtype)x->dtype) && !tsr_dtype_is_complex((tsr_dtype)x->dtype))
    return tsr_op_fail(c->ctx, "nanmean(): expected input to have floating point or complex dtype but got %s", cpp_name(x->dtype));
  if (tsr_dtype_is_complex((tsr_dtype)x->dtype)) return tsr_op_fail(c->ctx, "nansum on CPU does not support complex inputs");
  tsr_dtype d = tsr_arg_dtype_or(c, 3, (tsr_dtype)x->dtype);
  if (!tsr_dtype_is_float(d))
    return tsr_op_fail(c->ctx, "nanmean(): could not infer output dtype. Optional dtype must be either a floating point or complex dtype. Got: %s", cpp_name((int)d));
  TSR_TRY(dims_arg(c, x, 1, false, r.dims));
  r.ct = tsr_ct_of(d);
  TSR_TRY(tsr_reduce_run(c->ctx, &r, &sum));
  r.id = TSR_RED_nancount;
  TSR_TRY(tsr_reduce_run(c->ctx, &r, &count));
  int n = tsr_reduce_shape(x, r.dims, tsr_arg_bool(c, 2), size);
  int64_t nout;
  tsr_numel(n, size, &nout);
  for (int64_t i = 0; i < nout; i++) ((double *)sum)[i] /= ((double *)count)[i];
  TSR_TRY(tsr_reduce_store(c->ctx, &y, d, n, size, r.ct, sum));
  return tsr_ret_tensor(c, 0, y);
}

/* ---- variance ---- */

typedef struct var_args { const char *name; int dim, unbiased, correction, keepdim; bool std, mean; } var_args;

/* Sums of squared distances from the mean (two passes), over real numbers; complex ones are the sum of
 * the variances of their parts. */
static tsr_status deviations(tsr_ctx *ctx, tsr_reduction *r, int64_t nout, int64_t count, double **mean, double **dev) {
  void *acc;
  r->id = TSR_RED_sum;
  r->m = NULL;
  TSR_TRY(tsr_reduce_run(ctx, r, &acc));
  divide(acc, r->ct, nout, count);
  *mean = acc;
  r->id = TSR_RED_sumdev;
  r->m = acc;
  TSR_TRY(tsr_reduce_run(ctx, r, &acc));
  *dev = acc;
  return TSR_OK;
}

static tsr_status part_of(tsr_ctx *ctx, tsr_tensor **out, tsr_tensor *x, const char *which) {
  tsr_val v = tsr_from_obj(x), ret;
  TSR_TRY(tsr_invoke(ctx, tsr_op_get(which, ""), &v, 1, &ret, 1));
  *out = ret.t;
  return TSR_OK;
}

static tsr_status complex_deviations(tsr_ctx *ctx, tsr_reduction *r, tsr_tensor *x, int64_t nout, int64_t count, double **mean, double **dev) {
  tsr_tensor *part;
  double *m[2], *d[2];
  static const char *const parts[2] = {"aten::real", "aten::imag"};
  r->ct = TSR_CT_F64;
  for (int k = 0; k < 2; k++) {
    TSR_TRY(part_of(ctx, &part, x, parts[k]));
    r->x = part;
    TSR_TRY(deviations(ctx, r, nout, count, &m[k], &d[k]));
  }
  *mean = tsr_scratch(ctx, (size_t)nout * 16 + 16);
  if (*mean == NULL) return tsr_ctx_nomem(ctx);
  for (int64_t i = 0; i < nout; i++) {
    (*mean)[2 * i] = m[0][i];
    (*mean)[2 * i + 1] = m[1][i];
    d[0][i] += d[1][i];
  }
  *dev = d[0];
  return TSR_OK;
}

TSR_KERNEL(variance) {
  const var_args *a = c->op->data;
  tsr_tensor *x = tsr_arg_tensor(c, 0), *y;
  tsr_reduction r = {.x = x, .ct = tsr_ct_of((tsr_dtype)x->dtype)};
  int64_t size[TSR_MAX_NDIM], nout;
  double *mean, *dev, correction = 1;
  tsr_dtype d = (tsr_dtype)x->dtype;
  if (!tsr_dtype_is_float(d) && !tsr_dtype_is_complex(d))
    return a->mean ? tsr_op_fail(c->ctx, "%s only support floating point and complex dtypes", a->name)
                   : tsr_op_fail(c->ctx, "std and var only support floating point and complex dtypes");
  TSR_TRY(dims_arg(c, x, a->dim, false, r.dims));
  if (has(c, a->correction)) correction = tsr_arg_scalar(c, (uint32_t)a->correction).d;
  else if (has(c, a->unbiased)) correction = tsr_arg_bool(c, (uint32_t)a->unbiased) ? 1 : 0;
  int n = tsr_reduce_shape(x, r.dims, has(c, a->keepdim) && tsr_arg_bool(c, (uint32_t)a->keepdim), size);
  tsr_numel(n, size, &nout);
  int64_t count = tsr_reduce_count(x, r.dims);
  bool z = tsr_dtype_is_complex(d);
  TSR_TRY(z ? complex_deviations(c->ctx, &r, x, nout, count, &mean, &dev) : deviations(c->ctx, &r, nout, count, &mean, &dev));
  double divisor = fmax((double)count - correction, 0);
  for (int64_t i = 0; i < nout; i++) dev[i] = a->std ? sqrt(dev[i] / divisor) : dev[i] / divisor;
  TSR_TRY(tsr_reduce_store(c->ctx, &y, tsr_dtype_real_of(d), n, size, TSR_CT_F64, dev));
  TSR_TRY(tsr_ret_tensor(c, 0, y));
  if (!a->mean) return TSR_OK;
  TSR_TRY(tsr_reduce_store(c->ctx, &y, d, n, size, z ? TSR_CT_C128 : TSR_CT_F64, mean));
  return tsr_ret_tensor(c, 1, y);
}

/* ---- norms ---- */

static tsr_red_id norm_id(double p) {
  return p == 0 ? TSR_RED_count : p == 1 ? TSR_RED_sumabs : p == 2 ? TSR_RED_sumsq : p == INFINITY ? TSR_RED_maxabs : p == -INFINITY ? TSR_RED_minabs : TSR_RED_sumpow;
}

static tsr_status norm_of_nothing(tsr_ctx *ctx, const tsr_tensor *x, const bool *mask, double p, bool all) {
  if (x->numel > 0 || !(p < 0 || p == INFINITY)) return TSR_OK;
  if (all) {
    char num[32];
    snprintf(num, sizeof num, "%g", p);
    return tsr_op_fail(ctx, "linalg.vector_norm cannot compute the %s norm on an empty tensor because the operation does not have an identity", num);
  }
  for (int i = 0; i < x->ndim; i++)
    if (mask[i] && x->size[i] == 0)
      return tsr_op_fail(ctx, "linalg.vector_norm cannot compute the %g norm on the dimension %dbecause this dimension is empty and the operation does not have an identity", p, i);
  return TSR_OK;
}

static tsr_status check_norm_types(tsr_ctx *ctx, tsr_dtype d, tsr_dtype in, const char *refusal) {
  if (!tsr_dtype_is_float(d) && !tsr_dtype_is_complex(d)) return tsr_op_fail(ctx, refusal, cpp_name((int)d));
  if (!tsr_dtype_is_float(in) && !tsr_dtype_is_complex(in))
    return tsr_op_fail(ctx, "linalg.vector_norm: dtype should be floating point or complex, but got %s", cpp_name((int)in));
  if (tsr_dtype_is_complex(d) != tsr_dtype_is_complex(in))
    return tsr_op_fail(ctx, "linalg.vector_norm: dtype should be %s for %s inputs, but got %s", tsr_dtype_is_complex(d) ? "complex" : "real",
                       tsr_dtype_is_complex(d) ? "complex" : "real", cpp_name((int)in));
  if (tsr_dtype_promote(d, in) != in)
    return tsr_op_fail(ctx, "linalg.vector_norm: the dtype of the input (%s) should be convertible without narrowing to the specified dtype (%s)",
                       cpp_name((int)d), cpp_name((int)in));
  return TSR_OK;
}

static tsr_status vector_norm(tsr_call *c, double p, const bool *mask, bool all, bool keepdim, int dtype, const char *refusal, bool root) {
  tsr_tensor *x = tsr_arg_tensor(c, 0), *y;
  tsr_dtype d = (tsr_dtype)x->dtype, in = dtype >= 0 ? (tsr_dtype)dtype : d;
  int64_t size[TSR_MAX_NDIM], nout;
  void *acc;
  TSR_TRY(check_norm_types(c->ctx, d, in, refusal));
  TSR_TRY(norm_of_nothing(c->ctx, x, mask, p, all));
  tsr_reduction r = {.x = x, .id = norm_id(p), .ct = tsr_ct_of(in), .p = p};
  memcpy(r.dims, mask, sizeof r.dims);
  TSR_TRY(tsr_reduce_run(c->ctx, &r, &acc));
  int n = tsr_reduce_shape(x, mask, keepdim, size);
  tsr_numel(n, size, &nout);
  int64_t step = r.ct == TSR_CT_C128 ? 2 : 1;
  double *a = acc;
  for (int64_t i = 0; i < nout; i++) {
    double v = a[i * step];
    if (root && r.id == TSR_RED_sumsq) v = sqrt(v);
    else if (root && r.id == TSR_RED_sumpow) v = pow(v, 1 / p);
    a[i] = v;
  }
  TSR_TRY(tsr_reduce_store(c->ctx, &y, tsr_dtype_real_of(in), n, size, TSR_CT_F64, acc));
  return tsr_ret_tensor(c, 0, y);
}

#define VECTOR_NORM_TEXT "linalg.vector_norm: Expected a floating point or complex tensor as input. Got %s"
#define NORM_TEXT "norm(): input dtype should be either floating point or complex. Got %s instead."

static double order_arg(const tsr_call *c, int i) { return has(c, i) ? tsr_arg_scalar(c, (uint32_t)i).d : 2; }

TSR_KERNEL(linalg_vector_norm) {
  bool mask[TSR_MAX_NDIM];
  int64_t n = -1;
  tsr_dtype d = (tsr_dtype)tsr_arg_tensor(c, 0)->dtype;
  if (c->op->data != NULL && !has(c, 4) && tsr_dtype_is_integral(d, true)) { /* a sum, of integers: but there is no kernel, except for none */
    tsr_tensor *y;
    if (tsr_arg_tensor(c, 0)->numel > 0) return tsr_op_fail(c->ctx, "\"powsum_cpu\" not implemented for 'Long'");
    const int64_t *dims = has(c, 2) ? tsr_arg_ints(c, 2, &n) : NULL;
    TSR_TRY(tsr_reduce(c->ctx, &y, "sum", tsr_arg_tensor(c, 0), n > 0 ? (int)n : -1, dims, tsr_arg_bool(c, 3), TSR_INT64));
    return tsr_ret_tensor(c, 0, y);
  }
  TSR_TRY(check_norm_types(c->ctx, d, tsr_arg_dtype_or(c, 4, d), VECTOR_NORM_TEXT));
  if (c->args[1].tag == TSR_V_COMPLEX) return tsr_op_fail(c->ctx, "linalg.vector_norm: Expected a non-complex scalar as the order of norm.");
  TSR_TRY(dims_arg(c, tsr_arg_tensor(c, 0), 2, false, mask));
  if (has(c, 2)) tsr_arg_ints(c, 2, &n);
  return vector_norm(c, order_arg(c, 1), mask, n <= 0, tsr_arg_bool(c, 3), has(c, 4) ? (int)tsr_arg_int(c, 4) : -1, VECTOR_NORM_TEXT, c->op->data == NULL);
}

/* norm(self, p, dim, keepdim, dtype): where the arguments are */
typedef struct norm_args { int p, dim, keepdim, dtype; } norm_args;

TSR_KERNEL(norm) {
  const norm_args *a = c->op->data;
  bool mask[TSR_MAX_NDIM];
  tsr_dtype d = (tsr_dtype)tsr_arg_tensor(c, 0)->dtype;
  if (has(c, a->dtype)) { /* goes on to linalg.vector_norm */
    tsr_dtype want = (tsr_dtype)tsr_arg_int(c, (uint32_t)a->dtype);
    if (!tsr_dtype_is_float(want) && !tsr_dtype_is_complex(want))
      return tsr_op_fail(c->ctx, "norm(): the desired output dtype should be either floating point or complex. Got %s instead.", cpp_name((int)want));
  }
  if (!tsr_dtype_is_float(d) && !tsr_dtype_is_complex(d)) return has(c, a->dtype) ? tsr_op_fail(c->ctx, VECTOR_NORM_TEXT, cpp_name((int)d)) : tsr_op_fail(c->ctx, NORM_TEXT, cpp_name((int)d));
  TSR_TRY(dims_arg(c, tsr_arg_tensor(c, 0), a->dim, false, mask));
  return vector_norm(c, order_arg(c, a->p), mask, a->dim == 0, has(c, a->keepdim) && tsr_arg_bool(c, (uint32_t)a->keepdim),
                     has(c, a->dtype) ? (int)tsr_arg_int(c, (uint32_t)a->dtype) : -1, NORM_TEXT, true);
}

/* ---- log-sum-exp ---- */

/* The largest real part is taken out before the exponentials. */
static tsr_status complex_logsumexp(tsr_call *c, tsr_tensor *x, const bool *mask) {
  tsr_ctx *ctx = c->ctx;
  tsr_tensor *m, *y, *inf, *zero;
  int64_t dims[TSR_MAX_NDIM];
  int n = 0;
  for (int d = 0; d < x->ndim; d++)
    if (mask[d]) dims[n++] = d;
  if (n == 0) dims[0] = 0;
  bool keepdim = tsr_arg_bool(c, 2);
  TSR_TRY(part_of(ctx, &m, x, "aten::real"));
  if (x->ndim && x->numel) TSR_TRY(tsr_reduce(ctx, &m, "amax", m, n, dims, true, -1));
  TSR_TRY(tsr_unary(ctx, &inf, "isinf", m));
  TSR_TRY(tsr_new_scalar(ctx, &zero, (tsr_dtype)m->dtype, tsr_scalar_int(0)));
  TSR_TRY(tsr_where(ctx, &m, inf, zero, m));
  TSR_TRY(tsr_binary(ctx, &y, "sub", x, m));
  TSR_TRY(tsr_unary(ctx, &y, "exp", y));
  TSR_TRY(tsr_reduce(ctx, &y, "sum", y, n, dims, keepdim, -1));
  TSR_TRY(tsr_unary(ctx, &y, "log", y));
  TSR_TRY(tsr_reshape(ctx, &m, m, y->ndim, y->size));
  TSR_TRY(tsr_binary(ctx, &y, "add", y, m));
  return tsr_ret_tensor(c, 0, y);
}

TSR_KERNEL(logsumexp) {
  tsr_tensor *x = tsr_arg_tensor(c, 0), *y;
  tsr_dtype d = tsr_dtype_is_integral((tsr_dtype)x->dtype, true) ? TSR_FLOAT32 : (tsr_dtype)x->dtype, into;
  int64_t size[TSR_MAX_NDIM], nout;
  void *acc;
  if (tsr_out_dtype(c, 0, &into) && tsr_dtype_is_integral(into, true)) return tsr_op_fail(c->ctx, "logsumexp(): Expected floating point type for result tensor, but got: %s", cpp_name(into));
  tsr_reduction r = {.x = x, .id = TSR_RED_max, .ct = tsr_ct_of(d)};
  TSR_TRY(dims_arg(c, x, 1, false, r.dims));
  if (r.ct == TSR_CT_C128 && x->numel > 0) return complex_logsumexp(c, x, r.dims);
  if (r.ct == TSR_CT_C128) r.ct = TSR_CT_F64; /* nothing to add up: -inf */
  int n = tsr_reduce_shape(x, r.dims, tsr_arg_bool(c, 2), size);
  tsr_numel(n, size, &nout);
  TSR_TRY(tsr_reduce_run(c->ctx, &r, &acc));
  double *m = acc, *sum;
  for (int64_t i = 0; i < nout; i++)
    if (isinf(m[i])) m[i] = 0;
  r.id = TSR_RED_sumexp;
  r.m = m;
  TSR_TRY(tsr_reduce_run(c->ctx, &r, &acc));
  sum = acc;
  for (int64_t i = 0; i < nout; i++) sum[i] = log(sum[i]) + m[i];
  TSR_TRY(tsr_reduce_store(c->ctx, &y, d, n, size, TSR_CT_F64, sum));
  return tsr_ret_tensor(c, 0, y);
}

TSR_KERNEL(is_true) {
  tsr_tensor *x = tsr_arg_tensor(c, 0), *y;
  if (x->dtype != TSR_BOOL) return tsr_op_fail(c->ctx, "Expected a bool tensor");
  TSR_TRY(tsr_reduce(c->ctx, &y, c->op->data, x, -1, NULL, false, -1));
  return tsr_ret_tensor(c, 0, y);
}

static const red_args sum_all = {"sum", 0, 0, 1, false}, sum_dim = {"sum", 1, 2, 3, false}, nansum_dim = {"nansum", 1, 2, 3, false},
                      mean_all = {"mean", 0, 0, 1, false}, mean_dim = {"mean", 1, 2, 3, false}, prod_all = {"prod", 0, 0, 1, false},
                      prod_dim = {"prod", 1, 2, 3, false}, amax_dim = {"amax", 1, 2, 0, false}, amin_dim = {"amin", 1, 2, 0, false},
                      any_all = {"any", 0, 0, 0, false}, any_dim = {"any", 1, 2, 0, true}, all_all = {"all", 0, 0, 0, false},
                      all_dim = {"all", 1, 2, 0, true}, count_dim = {"count_nonzero", 1, 0, 0, false};
static const var_args var_all = {"var", 0, 1, 0, 0, false, false}, var_dim = {"var", 1, 2, 0, 3, false, false}, var_corr = {"var", 1, 0, 2, 3, false, false},
                      std_all = {"std", 0, 1, 0, 0, true, false}, std_dim = {"std", 1, 2, 0, 3, true, false}, std_corr = {"std", 1, 0, 2, 3, true, false},
                      vm_all = {"var_mean", 0, 1, 0, 0, false, true}, vm_dim = {"var_mean", 1, 2, 0, 3, false, true}, vm_corr = {"var_mean", 1, 0, 2, 3, false, true},
                      sm_all = {"std_mean", 0, 1, 0, 0, true, true}, sm_dim = {"std_mean", 1, 2, 0, 3, true, true}, sm_corr = {"std_mean", 1, 0, 2, 3, true, true};
static const norm_args norm_p = {1, 0, 0, 0}, norm_dim = {1, 2, 3, 0}, norm_dim_dtype = {1, 2, 3, 4}, norm_dtype = {1, 0, 0, 2}, frobenius = {0, 1, 2, 0};

/* amax and amin compare their out argument before anything else. */
TSR_KERNEL(amax_out) {
  const tsr_tensor *x = tsr_arg_tensor(c, 0);
  tsr_dtype out;
  if (tsr_out_dtype(c, 0, &out) && out != (tsr_dtype)x->dtype) {
    return tsr_op_fail(c->ctx, "Expected the dtype for input and out to match, but got %s for input's dtype and %s for out's dtype.", tsr_dtype_get_info(x->dtype)->cpp_name, tsr_dtype_get_info(out)->cpp_name);
  }
  return op_reduce(c);
}

const tsr_op tsr_ops_reduce[] = {
    {"aten::sum.dim_IntList(Tensor self, int[1]? dim, bool keepdim=False, *, ScalarType? dtype=None) -> Tensor",
     op_reduce, TSR_PURE, &sum_dim},
    {"aten::sum(Tensor self, *, ScalarType? dtype=None) -> Tensor", op_reduce, TSR_PURE, &sum_all},
    {"aten::sum.IntList_out(Tensor self, int[1]? dim, bool keepdim=False, *, ScalarType? dtype=None, Tensor(a!) out) -> Tensor(a!)",
     op_reduce, TSR_OUT, &sum_dim},
    {"aten::sum.out(Tensor self, *, ScalarType? dtype=None, Tensor(a!) out) -> Tensor(a!)", op_reduce, TSR_OUT_NEW, &sum_all},
    {"aten::nansum(Tensor self, int[1]? dim=None, bool keepdim=False, *, ScalarType? dtype=None) -> Tensor",
     op_reduce, TSR_PURE, &nansum_dim},
    {"aten::nansum.out(Tensor self, int[1]? dim=None, bool keepdim=False, *, ScalarType? dtype=None, Tensor(a!) out) -> Tensor(a!)",
     op_reduce, TSR_OUT, &nansum_dim},
    {"aten::mean(Tensor self, *, ScalarType? dtype=None) -> Tensor", op_reduce, TSR_PURE, &mean_all},
    {"aten::mean.dim(Tensor self, int[1]? dim, bool keepdim=False, *, ScalarType? dtype=None) -> Tensor", op_reduce, TSR_PURE | TSR_ANY_ORDER, &mean_dim},
    {"aten::mean.out(Tensor self, int[1]? dim, bool keepdim=False, *, ScalarType? dtype=None, Tensor(a!) out) -> Tensor(a!)",
     op_reduce, TSR_OUT, &mean_dim},
    {"aten::mean.dtype_out(Tensor self, *, ScalarType? dtype=None, Tensor(a!) out) -> Tensor(a!)", op_reduce, TSR_OUT, &mean_all},
    {"aten::nanmean(Tensor self, int[1]? dim=None, bool keepdim=False, *, ScalarType? dtype=None) -> Tensor", op_nanmean, TSR_PURE},
    {"aten::nanmean.out(Tensor self, int[1]? dim=None, bool keepdim=False, *, ScalarType? dtype=None, Tensor(a!) out) -> Tensor(a!)",
     op_nanmean, TSR_OUT},
    {"aten::prod(Tensor self, *, ScalarType? dtype=None) -> Tensor", op_reduce, TSR_PURE, &prod_all},
    {"aten::prod.dim_int(Tensor self, int dim, bool keepdim=False, *, ScalarType? dtype=None) -> Tensor", op_reduce, TSR_PURE, &prod_dim},
    {"aten::prod.int_out(Tensor self, int dim, bool keepdim=False, *, ScalarType? dtype=None, Tensor(a!) out) -> Tensor(a!)",
     op_reduce, TSR_OUT, &prod_dim},
    {"aten::prod.out(Tensor self, *, ScalarType? dtype=None, Tensor(a!) out) -> Tensor(a!)", op_reduce, TSR_OUT_NEW, &prod_all},
    {"aten::amax(Tensor self, int[1] dim=[], bool keepdim=False) -> Tensor", op_reduce, TSR_PURE, &amax_dim},
    {"aten::amax.out(Tensor self, int[1] dim=[], bool keepdim=False, *, Tensor(a!) out) -> Tensor(a!)", op_amax_out, TSR_OUT, &amax_dim},
    {"aten::amin(Tensor self, int[1] dim=[], bool keepdim=False) -> Tensor", op_reduce, TSR_PURE, &amin_dim},
    {"aten::amin.out(Tensor self, int[1] dim=[], bool keepdim=False, *, Tensor(a!) out) -> Tensor(a!)", op_amax_out, TSR_OUT, &amin_dim},
    {"aten::any(Tensor self) -> Tensor", op_reduce, TSR_PURE, &any_all},
    {"aten::any.dim(Tensor self, int dim, bool keepdim=False) -> Tensor", op_reduce, TSR_PURE, &any_dim},
    {"aten::any.dims(Tensor self, int[]? dim=None, bool keepdim=False) -> Tensor", op_reduce, TSR_PURE, &any_dim},
    {"aten::any.out(Tensor self, int dim, bool keepdim=False, *, Tensor(a!) out) -> Tensor(a!)", op_reduce, TSR_OUT_TRUTH, &any_dim},
    {"aten::any.dims_out(Tensor self, int[]? dim=None, bool keepdim=False, *, Tensor(a!) out) -> Tensor(a!)", op_reduce, TSR_OUT_TRUTH, &any_dim},
    {"aten::any.all_out(Tensor self, *, Tensor(a!) out) -> Tensor(a!)", op_reduce, TSR_OUT_TRUTH, &any_all},
    {"aten::all(Tensor self) -> Tensor", op_reduce, TSR_PURE, &all_all},
    {"aten::all.dim(Tensor self, int dim, bool keepdim=False) -> Tensor", op_reduce, TSR_PURE, &all_dim},
    {"aten::all.dims(Tensor self, int[]? dim=None, bool keepdim=False) -> Tensor", op_reduce, TSR_PURE, &all_dim},
    {"aten::all.out(Tensor self, int dim, bool keepdim=False, *, Tensor(a!) out) -> Tensor(a!)", op_reduce, TSR_OUT_TRUTH, &all_dim},
    {"aten::all.dims_out(Tensor self, int[]? dim=None, bool keepdim=False, *, Tensor(a!) out) -> Tensor(a!)", op_reduce, TSR_OUT_TRUTH, &all_dim},
    {"aten::all.all_out(Tensor self, *, Tensor(a!) out) -> Tensor(a!)", op_reduce, TSR_OUT_TRUTH, &all_all},
    {"aten::count_nonzero(Tensor self, int? dim=None) -> Tensor", op_reduce, TSR_PURE, &count_dim},
    {"aten::count_nonzero.dim_IntList(Tensor self, int[] dim) -> Tensor", op_reduce, TSR_PURE, &count_dim},
    {"aten::count_nonzero.dim_IntList_out(Tensor self, int[] dim, *, Tensor(a!) out) -> Tensor(a!)", op_reduce, TSR_OUT_NEW, &count_dim},
    {"aten::count_nonzero.out(Tensor self, int? dim=None, *, Tensor(a!) out) -> Tensor(a!)", op_reduce, TSR_OUT_NEW, &count_dim},
    {"aten::max(Tensor self) -> Tensor", op_extreme_all, TSR_PURE, "max"},
    {"aten::max.unary_out(Tensor self, *, Tensor(a!) out) -> Tensor(a!)", op_extreme_all, TSR_OUT, "max"},
    {"aten::min(Tensor self) -> Tensor", op_extreme_all, TSR_PURE, "min"},
    {"aten::min.unary_out(Tensor self, *, Tensor(a!) out) -> Tensor(a!)", op_extreme_all, TSR_OUT, "min"},
    {"aten::var(Tensor self, bool unbiased=True) -> Tensor", op_variance, TSR_PURE, &var_all},
    {"aten::var.dim(Tensor self, int[1]? dim, bool unbiased=True, bool keepdim=False) -> Tensor", op_variance, TSR_PURE, &var_dim},
    {"aten::var.correction(Tensor self, int[1]? dim=None, *, Scalar? correction=None, bool keepdim=False) -> Tensor",
     op_variance, TSR_PURE, &var_corr},
    {"aten::var.correction_out(Tensor self, int[1]? dim=None, *, Scalar? correction=None, bool keepdim=False, Tensor(a!) out) -> Tensor(a!)",
     op_variance, TSR_OUT, &var_corr},
    {"aten::var.out(Tensor self, int[1]? dim, bool unbiased=True, bool keepdim=False, *, Tensor(a!) out) -> Tensor(a!)",
     op_variance, TSR_OUT, &var_dim},
    {"aten::std(Tensor self, bool unbiased=True) -> Tensor", op_variance, TSR_PURE, &std_all},
    {"aten::std.dim(Tensor self, int[1]? dim, bool unbiased=True, bool keepdim=False) -> Tensor", op_variance, TSR_PURE, &std_dim},
    {"aten::std.correction(Tensor self, int[1]? dim=None, *, Scalar? correction=None, bool keepdim=False) -> Tensor",
     op_variance, TSR_PURE, &std_corr},
    {"aten::std.correction_out(Tensor self, int[1]? dim=None, *, Scalar? correction=None, bool keepdim=False, Tensor(a!) out) -> Tensor(a!)",
     op_variance, TSR_OUT, &std_corr},
    {"aten::std.out(Tensor self, int[1]? dim, bool unbiased=True, bool keepdim=False, *, Tensor(a!) out) -> Tensor(a!)",
     op_variance, TSR_OUT, &std_dim},
    {"aten::var_mean(Tensor self, bool unbiased=True) -> (Tensor, Tensor)", op_variance, TSR_PURE, &vm_all},
    {"aten::var_mean.dim(Tensor self, int[1]? dim, bool unbiased=True, bool keepdim=False) -> (Tensor, Tensor)",
     op_variance, TSR_PURE, &vm_dim},
    {"aten::var_mean.correction(Tensor self, int[1]? dim=None, *, Scalar? correction=None, bool keepdim=False) -> (Tensor, Tensor)",
     op_variance, TSR_PURE, &vm_corr},
    {"aten::var_mean.correction_out(Tensor self, int[1]? dim=None, *, Scalar? correction=None, bool keepdim=False, Tensor(a!) out0, Tensor(b!) out1) -> (Tensor(a!), Tensor(b!))",
     op_variance, TSR_OUT_NEW, &vm_corr},
    {"aten::std_mean(Tensor self, bool unbiased=True) -> (Tensor, Tensor)", op_variance, TSR_PURE, &sm_all},
    {"aten::std_mean.dim(Tensor self, int[1]? dim, bool unbiased=True, bool keepdim=False) -> (Tensor, Tensor)",
     op_variance, TSR_PURE, &sm_dim},
    {"aten::std_mean.correction(Tensor self, int[1]? dim=None, *, Scalar? correction=None, bool keepdim=False) -> (Tensor, Tensor)",
     op_variance, TSR_PURE, &sm_corr},
    {"aten::std_mean.correction_out(Tensor self, int[1]? dim=None, *, Scalar? correction=None, bool keepdim=False, Tensor(a!) out0, Tensor(b!) out1) -> (Tensor(a!), Tensor(b!))",
     op_variance, TSR_OUT_NEW, &sm_corr},
    {"aten::norm.Scalar(Tensor self, Scalar p=2) -> Tensor", op_norm, TSR_PURE, &norm_p},
    {"aten::norm.ScalarOpt_dim(Tensor self, Scalar? p, int[1] dim, bool keepdim=False) -> Tensor", op_norm, TSR_PURE, &norm_dim},
    {"aten::norm.ScalarOpt_dim_dtype(Tensor self, Scalar? p, int[1] dim, bool keepdim, *, ScalarType dtype) -> Tensor",
     op_norm, TSR_PURE, &norm_dim_dtype},
    {"aten::norm.dtype_out(Tensor self, Scalar? p, int[1] dim, bool keepdim, *, ScalarType dtype, Tensor(a!) out) -> Tensor(a!)",
     op_norm, TSR_OUT_SAME, &norm_dim_dtype},
    {"aten::norm.out(Tensor self, Scalar? p, int[1] dim, bool keepdim=False, *, Tensor(a!) out) -> Tensor(a!)",
     op_norm, TSR_OUT_SAME, &norm_dim},
    {"aten::norm.ScalarOpt_dtype(Tensor self, Scalar? p, *, ScalarType dtype) -> Tensor", op_norm, TSR_PURE, &norm_dtype},
    {"aten::norm.ScalarOpt_dtype_out(Tensor self, Scalar? p, *, ScalarType dtype, Tensor(a!) out) -> Tensor(a!)",
     op_norm, TSR_OUT_NEW, &norm_dtype},
    {"aten::norm.Scalar_out(Tensor self, Scalar p=2, *, Tensor(a!) out) -> Tensor(a!)", op_norm, TSR_OUT_NEW, &norm_p},
    {"aten::native_norm.out(Tensor self, Scalar p=2, *, Tensor(a!) out) -> Tensor(a!)", op_norm, TSR_OUT_NEW, &norm_p},
    {"aten::native_norm.ScalarOpt_dim_dtype_out(Tensor self, Scalar? p, int[1] dim, bool keepdim, ScalarType? dtype, *, Tensor(a!) out) -> Tensor(a!)",
     op_norm, TSR_OUT_NEW, &norm_dim_dtype},
    {"aten::native_norm(Tensor self, Scalar p=2) -> Tensor", op_norm, TSR_PURE, &norm_p},
    {"aten::native_norm.ScalarOpt_dim_dtype(Tensor self, Scalar? p, int[1] dim, bool keepdim, ScalarType? dtype) -> Tensor",
     op_norm, TSR_PURE, &norm_dim_dtype},
    {"aten::frobenius_norm.dim(Tensor self, int[1] dim, bool keepdim=False) -> Tensor", op_norm, TSR_PURE, &frobenius},
    {"aten::frobenius_norm.out(Tensor self, int[1] dim, bool keepdim=False, *, Tensor(a!) out) -> Tensor(a!)",
     op_norm, TSR_OUT_SAME, &frobenius},
    {"aten::linalg_vector_norm(Tensor self, Scalar ord=2, int[1]? dim=None, bool keepdim=False, *, ScalarType? dtype=None) -> Tensor",
     op_linalg_vector_norm, TSR_PURE},
    {"aten::linalg_vector_norm.out(Tensor self, Scalar ord=2, int[1]? dim=None, bool keepdim=False, *, ScalarType? dtype=None, Tensor(a!) out) -> Tensor(a!)",
     op_linalg_vector_norm, TSR_OUT_SAME},
    {"aten::linalg__powsum(Tensor self, Scalar ord=2, int[1]? dim=None, bool keepdim=False, *, ScalarType? dtype=None) -> Tensor",
     op_linalg_vector_norm, TSR_PURE, "no root"},
    {"aten::logsumexp(Tensor self, int[1] dim, bool keepdim=False) -> Tensor", op_logsumexp, TSR_PURE},
    {"aten::logsumexp.out(Tensor self, int[1] dim, bool keepdim=False, *, Tensor(a!) out) -> Tensor(a!)", op_logsumexp, TSR_OUT},
    {"aten::special_logsumexp(Tensor self, int[1] dim, bool keepdim=False) -> Tensor", op_logsumexp, TSR_PURE},
    {"aten::special_logsumexp.out(Tensor self, int[1] dim, bool keepdim=False, *, Tensor(a!) out) -> Tensor(a!)", op_logsumexp, TSR_OUT},
    {"aten::_is_all_true(Tensor self) -> Tensor", op_is_true, TSR_PURE, "all"},
    {"aten::_is_any_true(Tensor self) -> Tensor", op_is_true, TSR_PURE, "any"},
    {0},
};
