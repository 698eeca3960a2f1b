/* Operators that draw random numbers into new tensors: rand, randint, bernoulli, randperm, multinomial. */
#include <math.h>

#include "ops/create.h"
#include "ops/native.h"
#include "ops/random.h"
#include "ops/shape.h"

/* Where a factory row keeps its arguments: sizes, generator (0: none), options. */
typedef struct place { uint32_t size, gen, opt; } place;
static const place at1 = {0, 0, 1}, gen1 = {0, 1, 2}, at2 = {1, 0, 2}, gen2 = {1, 2, 3}, at3 = {2, 0, 3}, gen3 = {2, 3, 4};

static tsr_status place_rng(tsr_call *c, tsr_rng **r) {
  const place *p = c->op->data;
  return p->gen != 0 ? tsr_rng_arg(c, p->gen, r) : tsr_rng_default(c->ctx, r);
}

static tsr_status sized(tsr_call *c, tsr_dtype dflt, tsr_tensor **y) {
  const place *p = c->op->data;
  int64_t n;
  const int64_t *size;
  TSR_TRY(tsr_ints_arg(c, p->size, &size, &n));
  return tsr_factory_new(c, p->opt, dflt, n, size, y);
}

/* Complex tensors are filled as pairs of reals. */
static tsr_status real_pairs(tsr_ctx *ctx, tsr_tensor **t) {
  return tsr_dtype_is_complex((tsr_dtype)(*t)->dtype) ? tsr_as_real(ctx, t, *t, true, 0) : TSR_OK;
}

static tsr_status want_real(tsr_ctx *ctx, const tsr_tensor *t, const char *what) {
  if (tsr_dtype_is_float((tsr_dtype)t->dtype)) return TSR_OK;
  return tsr_op_fail(ctx, "\"%s\" not implemented for '%s'", what, tsr_dtype_get_info(t->dtype)->cpp_name);
}

static tsr_status fill_uniform(tsr_call *c, tsr_tensor *y) {
  tsr_rng *r = NULL;
  tsr_tensor *t = y;
  TSR_TRY(place_rng(c, &r));
  TSR_TRY(real_pairs(c->ctx, &t));
  TSR_TRY(want_real(c->ctx, t, "check_uniform_bounds"));
  TSR_TRY(tsr_random_uniform(c->ctx, r, t, 0, 1));
  return tsr_ret_tensor(c, 0, y);
}

static tsr_status fill_normal(tsr_call *c, tsr_tensor *y) {
  tsr_rng *r = NULL;
  tsr_tensor *t = y;
  TSR_TRY(place_rng(c, &r));
  TSR_TRY(real_pairs(c->ctx, &t));
  if (y->numel > 0) TSR_TRY(want_real(c->ctx, t, "normal_kernel_cpu"));
  TSR_TRY(tsr_random_normal(c->ctx, r, t, 0, t == y ? 1 : M_SQRT1_2));
  return tsr_ret_tensor(c, 0, y);
}

TSR_KERNEL(rand) {
  tsr_tensor *y = NULL;
  TSR_TRY(sized(c, TSR_FLOAT32, &y));
  return fill_uniform(c, y);
}

TSR_KERNEL(randn) {
  tsr_tensor *y = NULL;
  TSR_TRY(sized(c, TSR_FLOAT32, &y));
  return fill_normal(c, y);
}

/* What X_like fills: a new tensor.  Out arguments get a copy of it, as the drawing follows the memory of self's copy. */
static tsr_status like(tsr_call *c, tsr_tensor **y) {
  const place *p = c->op->data;
  const tsr_tensor *x = tsr_arg_tensor(c, 0), *out = tsr_factory_out(c, p->opt);
  if (out == NULL) return tsr_factory_like(c, p->opt, y);
  int64_t format = tsr_arg_int_or(c, c->nargs - 2, 1), stride[TSR_MAX_NDIM];
  if (format == 1) return tsr_new_like(c->ctx, y, x, (tsr_dtype)out->dtype);
  TSR_TRY(tsr_format_strides(c->ctx, format, x->ndim, x->size, stride));
  return tsr_new_strided(c->ctx, y, (tsr_dtype)out->dtype, x->ndim, x->size, stride);
}

static tsr_status store_like(tsr_call *c) {
  tsr_tensor *out = tsr_factory_out(c, ((const place *)c->op->data)->opt), *y = c->rets[0].t;
  if (out == NULL || out == y) return TSR_OK;
  TSR_TRY(tsr_temp(c->ctx, c->rets[0]));
  c->rets[0] = tsr_none();
  TSR_TRY(tsr_out_store(c->ctx, out, y));
  return tsr_ret_tensor(c, 0, out);
}

TSR_KERNEL(rand_like) {
  tsr_tensor *y = NULL;
  TSR_TRY(like(c, &y));
  TSR_TRY(fill_uniform(c, y));
  return store_like(c);
}

TSR_KERNEL(randn_like) {
  tsr_tensor *y = NULL;
  TSR_TRY(like(c, &y));
  TSR_TRY(fill_normal(c, y));
  return store_like(c);
}

/* ---- integers ---- */

/* Largest integer the type holds exactly. */
static int64_t largest_int(tsr_dtype dtype) {
  switch (dtype) {
  case TSR_BOOL: return 1;
  case TSR_UINT8: return UINT8_MAX;
  case TSR_INT8: return INT8_MAX;
  case TSR_INT16: return INT16_MAX;
  case TSR_UINT16: return UINT16_MAX;
  case TSR_INT32: return INT32_MAX;
  case TSR_UINT32: return UINT32_MAX;
  case TSR_FLOAT16: return 1 << 11;
  case TSR_BFLOAT16: return 1 << 8;
  case TSR_FLOAT32: return 1 << 24;
  case TSR_FLOAT64: return INT64_C(1) << 53;
  default: return INT64_MAX;
  }
}

static bool is_unsigned(tsr_dtype d) { return d == TSR_BOOL || d == TSR_UINT8 || d == TSR_UINT16 || d == TSR_UINT32 || d == TSR_UINT64; }

static int64_t smallest_int(tsr_dtype dtype) {
  if (is_unsigned(dtype)) return 0;
  return tsr_dtype_is_float(dtype) ? -largest_int(dtype) : -largest_int(dtype) - 1;
}

/* How one integer is drawn: base + draw % range; range 0: all 64 bits. */
typedef struct int_draw { uint64_t range, base; bool wide; } int_draw;

static tsr_status fill_ints(tsr_ctx *ctx, tsr_rng *r, tsr_tensor *t, int_draw how) {
  tsr_tensor *linear = t;
  void *data;
  int64_t part[256];
  if (tsr_dtype_is_complex((tsr_dtype)t->dtype))
    return tsr_op_fail(ctx, "\"random_\" not implemented for '%s'", tsr_dtype_get_info(t->dtype)->cpp_name);
  if (!tsr_tensor_is_dense(t)) TSR_TRY(tsr_new(ctx, &linear, (tsr_dtype)t->dtype, t->ndim, t->size));
  TSR_TRY(tsr_data_mut(ctx, linear, &data));
  for (int64_t at = 0; at < t->numel; at += 256) {
    int64_t n = TSR_MIN(t->numel - at, 256);
    for (int64_t i = 0; i < n; i++) {
      uint64_t draw = how.wide ? tsr_rng_next64(r) : tsr_rng_next32(r);
      part[i] = (int64_t)((how.range != 0 ? draw % how.range : draw) + how.base);
    }
    tsr_convert((tsr_dtype)t->dtype, (char *)data + (size_t)at * tsr_tensor_itemsize(t), TSR_INT64, part, n);
  }
  return linear == t ? TSR_OK : tsr_copy_into(ctx, t, linear);
}

static tsr_status check_bound(tsr_ctx *ctx, const char *name, int64_t v, tsr_dtype dtype) {
  bool exact = tsr_dtype_is_float(dtype); /* any int64 is inside a float's range, half's excepted */
  double limit = dtype == TSR_FLOAT16 ? 65504 : 1e300;
  bool fits = exact ? fabs((double)v) <= limit : v >= smallest_int(dtype) && v <= largest_int(dtype);
  return fits ? TSR_OK : tsr_op_fail(ctx, "%s is out of bounds for %s", name, tsr_dtype_c_name(dtype));
}

/* Integers in [from, to). */
static tsr_status fill_range(tsr_ctx *ctx, tsr_rng *r, tsr_tensor *t, int64_t from, int64_t to) {
  if (from >= to)
    return tsr_op_fail(ctx, "random_ expects 'from' to be less than 'to', but got from=%lld >= to=%lld", (long long)from, (long long)to);
  if (tsr_dtype_is_complex((tsr_dtype)t->dtype)) return tsr_op_fail(ctx, "check_random_bounds handles only integral, floating-point and boolean types");
  TSR_TRY(check_bound(ctx, "from", from, (tsr_dtype)t->dtype));
  TSR_TRY(check_bound(ctx, "to - 1", to - 1, (tsr_dtype)t->dtype));
  uint64_t range = (uint64_t)to - (uint64_t)from;
  return fill_ints(ctx, r, t, (int_draw){range, (uint64_t)from, range >= UINT64_C(1) << 28});
}

TSR_KERNEL(randint) {
  const place *p = c->op->data;
  tsr_tensor *y = NULL;
  tsr_rng *r = NULL;
  TSR_TRY(place_rng(c, &r));
  TSR_TRY(sized(c, TSR_INT64, &y));
  TSR_TRY(fill_range(c->ctx, r, y, p->size == 2 ? tsr_arg_int(c, 0) : 0, tsr_arg_int(c, p->size - 1)));
  return tsr_ret_tensor(c, 0, y);
}

TSR_KERNEL(randint_like) {
  const place *p = c->op->data;
  tsr_tensor *y = NULL;
  tsr_rng *r = NULL;
  int64_t high;
  TSR_TRY(place_rng(c, &r));
  TSR_TRY(like(c, &y));
  const tsr_tensor *bound = tsr_arg_opt_tensor(c, p->size);
  if (bound == NULL) {
    high = tsr_arg_int(c, p->size);
  } else {
    if (bound->ndim != 0) return tsr_op_fail(c->ctx, "high must be a scalar tensor and on CPU");
    high = tsr_scalar_of(tsr_tensor_get(c->ctx->mem, bound, 0)).i;
  }
  TSR_TRY(fill_range(c->ctx, r, y, p->size == 2 ? tsr_arg_int(c, 1) : 0, high));
  TSR_TRY(tsr_ret_tensor(c, 0, y));
  return store_like(c);
}

static tsr_status random_full(tsr_ctx *ctx, tsr_rng *r, tsr_tensor *t) {
  tsr_dtype dtype = (tsr_dtype)t->dtype;
  uint64_t range = (uint64_t)largest_int(dtype) + 1;
  return fill_ints(ctx, r, t, (int_draw){range, 0, dtype == TSR_FLOAT64 || dtype == TSR_INT64 || dtype == TSR_UINT64});
}

static tsr_status random_from(tsr_ctx *ctx, tsr_rng *r, tsr_tensor *t, int64_t from) {
  int64_t top = largest_int((tsr_dtype)t->dtype);
  if (from != INT64_MIN && tsr_dtype_is_complex((tsr_dtype)t->dtype))
    return tsr_op_fail(ctx, "random_from_to_impl handles only integral, floating-point and boolean types");
  if (from == INT64_MIN) return fill_ints(ctx, r, t, (int_draw){0, 0, true});
  TSR_TRY(check_bound(ctx, "from", from, (tsr_dtype)t->dtype));
  if (from > top) return tsr_op_fail(ctx, "from is out of bounds for %s", tsr_dtype_c_name((tsr_dtype)t->dtype));
  uint64_t range = (uint64_t)top - (uint64_t)from + 1;
  return fill_ints(ctx, r, t, (int_draw){range, (uint64_t)from, range >= UINT64_C(1) << 28});
}

/* random_: from and to are arguments 1 and 2 as far as the row has them. */
typedef enum random_form { FULL, UPTO, FROM_TO } random_form;
static const random_form form_full = FULL, form_upto = UPTO, form_from = FROM_TO;

static tsr_status random_into(tsr_call *c, tsr_tensor *t) {
  random_form form = *(const random_form *)c->op->data;
  tsr_rng *r = NULL;
  TSR_TRY(tsr_rng_arg(c, 1 + (uint32_t)form, &r));
  if (form == FULL) TSR_TRY(random_full(c->ctx, r, t));
  else if (form == UPTO) TSR_TRY(fill_range(c->ctx, r, t, 0, tsr_arg_int(c, 1)));
  else if (tsr_arg_is_none(c, 2)) TSR_TRY(random_from(c->ctx, r, t, tsr_arg_int(c, 1)));
  else TSR_TRY(fill_range(c->ctx, r, t, tsr_arg_int(c, 1), tsr_arg_int(c, 2)));
  return tsr_ret_tensor(c, 0, t);
}

TSR_KERNEL(random_inplace) { return random_into(c, tsr_arg_tensor(c, 0)); }

TSR_KERNEL(random) {
  tsr_tensor *y, *x = tsr_arg_tensor(c, 0);
  TSR_TRY(tsr_new_like(c->ctx, &y, x, (tsr_dtype)x->dtype));
  return random_into(c, y);
}

TSR_KERNEL(randperm) {
  const place *p = c->op->data;
  int64_t n = tsr_arg_int(c, 0);
  tsr_tensor *y = NULL, *wide;
  tsr_rng *r = NULL;
  void *data;
  TSR_TRY(place_rng(c, &r));
  if (n < 0 && tsr_factory_out(c, p->opt) != NULL) return tsr_op_fail(c->ctx, "n must be non-negative, got%lld", (long long)n);
  TSR_TRY(tsr_new(c->ctx, &wide, TSR_INT64, 1, &n));
  TSR_TRY(tsr_factory_new(c, p->opt, TSR_INT64, 1, &n, &y));
  TSR_TRY(tsr_scalar_check(c->ctx, tsr_scalar_int(n), (tsr_dtype)y->dtype));
  if (y->dtype == TSR_FLOAT16 && n > 2049) return tsr_op_fail(c->ctx, "n cannot be greater than 2049 for Half type.");
  if (y->dtype == TSR_FLOAT32 && n > (1 << 24) + 1) return tsr_op_fail(c->ctx, "n cannot be greater than 2^24+1 for Float type.");
  TSR_TRY(tsr_data_mut(c->ctx, wide, &data));
  int64_t *v = data;
  bool small = n < (int64_t)(UINT32_MAX / 20); /* larger ones draw 64 bits against modulo bias */
  for (int64_t i = 0; i < n; i++) v[i] = i;
  for (int64_t i = 0; i + 1 < n; i++) {
    uint64_t draw = small ? tsr_rng_next32(r) : tsr_rng_next64(r);
    int64_t k = i + (int64_t)(draw % (uint64_t)(n - i)), t = v[i];
    v[i] = v[k];
    v[k] = t;
  }
  TSR_TRY(tsr_copy_into(c->ctx, y, wide));
  return tsr_ret_tensor(c, 0, y);
}

/* ---- bernoulli ---- */

/* Both with t's dimensions from the slowest to the fastest in memory: the order elements are drawn in. */
static tsr_status memory_order(tsr_ctx *ctx, tsr_tensor **t, tsr_tensor **p) {
  int64_t order[TSR_MAX_NDIM];
  const int64_t *stride = (*t)->stride;
  for (int d = 0; d < (*t)->ndim; d++) {
    int k = d;
    for (; k > 0 && stride[order[k - 1]] < stride[d]; k--) order[k] = order[k - 1];
    order[k] = d;
  }
  TSR_TRY(tsr_permute(ctx, t, *t, order));
  return tsr_permute(ctx, p, *p, order);
}

/* t[i] = uniform < p[i]; p of any float type, broadcast to t. */
static tsr_status bernoulli_tensor(tsr_ctx *ctx, tsr_rng *r, tsr_tensor *t, tsr_tensor *p) {
  bool wide = p->dtype == TSR_FLOAT64;
  tsr_tensor *dense;
  void *out;
  if (!tsr_dtype_is_float((tsr_dtype)p->dtype))
    return tsr_op_fail(ctx, "\"bernoulli_tensor_cpu_p_\" not implemented for '%s'", tsr_dtype_get_info(p->dtype)->cpp_name);
  TSR_TRY(tsr_expand(ctx, &p, p, t->ndim, t->size));
  TSR_TRY(memory_order(ctx, &t, &p));
  TSR_TRY(tsr_ready(ctx, &p, p, TSR_FLOAT64));
  TSR_TRY(tsr_new(ctx, &dense, TSR_BOOL, t->ndim, t->size));
  TSR_TRY(tsr_data_mut(ctx, dense, &out));
  const double *at = tsr_tensor_data_ro(p);
  for (int64_t i = 0; i < t->numel; i++) {
    if (!(at[i] >= 0 && at[i] <= 1))
      return tsr_op_fail(ctx, "Expected p_in >= 0 && p_in <= 1 to be true, but got false.  (Could this error message be improved?  "
                              "If so, please report an enhancement request to PyTorch.)");
    ((uint8_t *)out)[i] = wide ? tsr_rng_uniform(r) < at[i] : tsr_rng_uniform_float(r) < (float)at[i];
  }
  return tsr_copy_into(ctx, t, dense);
}

static tsr_status bernoulli_into(tsr_call *c, tsr_tensor *t, uint32_t p_arg) {
  tsr_rng *r = NULL;
  TSR_TRY(tsr_rng_arg(c, p_arg + 1, &r));
  if (c->args[p_arg].tag == TSR_V_TENSOR) {
    TSR_TRY(bernoulli_tensor(c->ctx, r, t, tsr_arg_tensor(c, p_arg)));
  } else {
    double p = tsr_arg_float(c, p_arg);
    if (!(p >= 0 && p <= 1)) return tsr_op_fail(c->ctx, "bernoulli_ expects p to be in [0, 1], but got p=%g", p);
    TSR_TRY(tsr_random_bernoulli(c->ctx, r, t, p));
  }
  return tsr_ret_tensor(c, 0, t);
}

TSR_KERNEL(bernoulli_inplace) {
  if (tsr_arg_tensor(c, 0)->numel == 0 && c->args[1].tag == TSR_V_TENSOR) return tsr_ret_tensor(c, 0, tsr_arg_tensor(c, 0));
  return bernoulli_into(c, tsr_arg_tensor(c, 0), 1);
}

/* Row data: the argument that holds p. */
static const uint32_t p_is_self = 0, p_is_arg = 1;
TSR_KERNEL(bernoulli) {
  tsr_tensor *y, *x = tsr_arg_tensor(c, 0);
  tsr_dtype dtype = (tsr_dtype)x->dtype;
  if ((c->op->flags & TSR_OUT_NEW) == TSR_OUT) tsr_out_dtype(c, 0, &dtype); /* of any type: PyTorch draws into it */
  uint32_t p = *(const uint32_t *)c->op->data;
  if (p == p_is_arg && c->args[p].tag == TSR_V_TENSOR && c->outs == NULL) TSR_TRY(tsr_new_like(c->ctx, &y, x, dtype));
  else TSR_TRY(tsr_new(c->ctx, &y, dtype, x->ndim, x->size));
  if (y->numel == 0 && c->args[p].tag == TSR_V_TENSOR) return tsr_ret_tensor(c, 0, y); /* nothing to draw: the probabilities are not looked at */
  return bernoulli_into(c, y, p);
}

/* ---- multinomial ---- */

/* Drawn with replacement, rows are looked at one after the other; else all elements, then the sums. */
static tsr_status check_distribution(tsr_ctx *ctx, const double *p, int64_t rows, int64_t n, bool by_row) {
  for (int sums = by_row; sums < 2; sums++)
    for (int64_t i = 0; i < rows; i++) {
      double sum = 0;
      for (int64_t k = 0; k < n; k++) {
        double v = p[i * n + k];
        sum += v;
        if (v >= 0 && !isinf(v)) continue;
        return tsr_op_fail(ctx, !by_row ? "probability tensor contains either `inf`, `nan` or element < 0"
                                : v >= 0 ? "invalid multinomial distribution (encountering probability entry = infinity or NaN)"
                                         : "invalid multinomial distribution (encountering probability entry < 0)");
      }
      if (sums == 1 && !(sum > 0)) return tsr_op_fail(ctx, "invalid multinomial distribution (sum of probabilities <= 0)");
    }
  return TSR_OK;
}

/* The index each sample falls on in the cumulative distribution. */
static void sample_rows(tsr_rng *r, const double *p, double *cum, int64_t *out, int64_t rows, int64_t n, int64_t samples, bool single) {
  for (int64_t i = 0; i < rows; i++) {
    double sum = 0;
    for (int64_t k = 0; k < n; k++) {
      sum = single ? (double)((float)sum + (float)p[i * n + k]) : sum + p[i * n + k];
      cum[k] = sum;
    }
    for (int64_t k = 0; k < n; k++) cum[k] = single ? (double)((float)cum[k] / (float)sum) : cum[k] / sum;
    cum[n - 1] = 1;
    for (int64_t s = 0; s < samples; s++) {
      double u = tsr_rng_uniform(r);
      int64_t lo = 0, hi = n;
      while (lo < hi) {
        int64_t mid = lo + (hi - lo) / 2;
        if (cum[mid] < u) lo = mid + 1;
        else hi = mid;
      }
      out[i * samples + s] = TSR_MIN(lo, n - 1);
    }
  }
}

/* Without replacement: the largest p / e for exponential e. */
static tsr_status sample_distinct(tsr_ctx *ctx, tsr_rng *r, tsr_tensor *x, tsr_tensor **out, int64_t samples) {
  tsr_tensor *q;
  tsr_val args[5], rets[2];
  TSR_TRY(tsr_new_like(ctx, &q, x, (tsr_dtype)x->dtype));
  TSR_TRY(tsr_random_exponential(ctx, r, q, 1));
  TSR_TRY(tsr_binary(ctx, &q, "div", x, q));
  args[0] = tsr_from_obj(q);
  args[1] = tsr_int(samples);
  args[2] = tsr_int(-1);
  args[3] = args[4] = tsr_bool(true);
  TSR_TRY(tsr_invoke(ctx, tsr_op_get("aten::topk", ""), args, 5, rets, 2));
  *out = rets[1].t;
  return TSR_OK;
}

TSR_KERNEL(multinomial) {
  tsr_ctx *ctx = c->ctx;
  tsr_tensor *x = tsr_arg_tensor(c, 0), *wide, *y;
  int64_t samples = tsr_arg_int(c, 1);
  bool replace = tsr_arg_bool(c, 2);
  tsr_rng *r = NULL;
  TSR_TRY(tsr_rng_arg(c, 3, &r));
  if (x->ndim != 1 && x->ndim != 2) return tsr_op_fail(ctx, "prob_dist must be 1 or 2 dim");
  if (!tsr_dtype_is_float((tsr_dtype)x->dtype))
    return tsr_op_fail(ctx, "multinomial only supports floating-point dtypes for input, got: %s", tsr_dtype_get_info(x->dtype)->cpp_name);
  tsr_dtype into;
  if (tsr_out_dtype(c, 0, &into) && into != TSR_INT64) return tsr_op_fail(c->ctx, "multinomial expects Long tensor out, got: %s", tsr_dtype_get_info(into)->cpp_name);
  int64_t n = x->size[x->ndim - 1], rows = x->ndim == 2 ? x->size[0] : 1, size[2] = {rows, samples};
  if (samples <= 0) return tsr_op_fail(ctx, "cannot sample n_sample <= 0 samples");
  if (!replace && samples > n) return tsr_op_fail(ctx, "cannot sample n_sample > prob_dist.size(-1) samples without replacement");
  if (n > 1 << 24) return tsr_op_fail(ctx, "number of categories cannot exceed 2^24");
  if (n == 0 && rows > 0) return tsr_op_fail(ctx, "invalid multinomial distribution (sum of probabilities <= 0)");
  TSR_TRY(tsr_ready(ctx, &wide, x, TSR_FLOAT64));
  const double *p = tsr_tensor_data_ro(wide);
  TSR_TRY(check_distribution(ctx, p, rows, n, replace && samples > 1));
  if (!replace || samples == 1) {
    TSR_TRY(sample_distinct(ctx, r, x, &y, samples));
    return tsr_ret_tensor(c, 0, y);
  }
  void *data;
  double *cum;
  TSR_TRY(tsr_workspace(ctx, n, sizeof *cum, &cum));
  TSR_TRY(tsr_new(ctx, &y, TSR_INT64, x->ndim, x->ndim == 2 ? size : size + 1));
  TSR_TRY(tsr_data_mut(ctx, y, &data));
  sample_rows(r, p, cum, data, rows, n, samples, x->dtype != TSR_FLOAT64);
  return tsr_ret_tensor(c, 0, y);
}

const tsr_op tsr_ops_random_ops[] = {
    {"aten::rand(SymInt[] size, *, " TSR_FACTORY_OPTIONS ") -> Tensor",
     op_rand, TSR_EFFECT, &at1},
    {"aten::rand.generator(SymInt[] size, *, Generator? generator, " TSR_FACTORY_OPTIONS ") -> Tensor",
     op_rand, TSR_EFFECT, &gen1},
    {"aten::rand.out(SymInt[] size, *, Tensor(a!) out) -> Tensor(a!)",
     op_rand, 0, &at1},
    {"aten::rand.generator_out(SymInt[] size, *, Generator? generator, Tensor(a!) out) -> Tensor(a!)",
     op_rand, 0, &gen1},
    {"aten::randn(SymInt[] size, *, " TSR_FACTORY_OPTIONS ") -> Tensor",
     op_randn, TSR_EFFECT, &at1},
    {"aten::randn.generator(SymInt[] size, *, Generator? generator, " TSR_FACTORY_OPTIONS ") -> Tensor",
     op_randn, TSR_EFFECT, &gen1},
    {"aten::randn.out(SymInt[] size, *, Tensor(a!) out) -> Tensor(a!)",
     op_randn, 0, &at1},
    {"aten::randn.generator_out(SymInt[] size, *, Generator? generator, Tensor(a!) out) -> Tensor(a!)",
     op_randn, 0, &gen1},
    {"aten::rand_like(Tensor self, *, " TSR_FACTORY_OPTIONS ", MemoryFormat? memory_format=None) -> Tensor",
     op_rand_like, TSR_EFFECT, &at1},
    {"aten::rand_like.generator(Tensor self, *, Generator? generator, " TSR_FACTORY_OPTIONS ", MemoryFormat? memory_format=None) -> Tensor",
     op_rand_like, TSR_EFFECT, &gen1},
    {"aten::rand_like.out(Tensor self, *, MemoryFormat? memory_format=None, Tensor(a!) out) -> Tensor(a!)",
     op_rand_like, 0, &at1},
    {"aten::rand_like.generator_out(Tensor self, *, Generator? generator, MemoryFormat? memory_format=None, Tensor(a!) out) -> Tensor(a!)",
     op_rand_like, 0, &gen1},
    {"aten::randn_like(Tensor self, *, " TSR_FACTORY_OPTIONS ", MemoryFormat? memory_format=None) -> Tensor",
     op_randn_like, TSR_EFFECT, &at1},
    {"aten::randn_like.generator(Tensor self, *, Generator? generator, " TSR_FACTORY_OPTIONS ", MemoryFormat? memory_format=None) -> Tensor",
     op_randn_like, TSR_EFFECT, &gen1},
    {"aten::randn_like.out(Tensor self, *, MemoryFormat? memory_format=None, Tensor(a!) out) -> Tensor(a!)",
     op_randn_like, 0, &at1},
    {"aten::randn_like.generator_out(Tensor self, *, Generator? generator, MemoryFormat? memory_format=None, Tensor(a!) out) -> Tensor(a!)",
     op_randn_like, 0, &gen1},
    {"aten::randint(SymInt high, SymInt[] size, *, ScalarType? dtype=4, Layout? layout=None, Device? device=None, bool? pin_memory=None) -> Tensor",
     op_randint, TSR_EFFECT, &at2},
    {"aten::randint.generator(SymInt high, SymInt[] size, *, Generator? generator, ScalarType? dtype=4, Layout? layout=None, Device? device=None, bool? pin_memory=None) -> Tensor",
     op_randint, TSR_EFFECT, &gen2},
    {"aten::randint.low(SymInt low, SymInt high, SymInt[] size, *, ScalarType? dtype=4, Layout? layout=None, Device? device=None, bool? pin_memory=None) -> Tensor",
     op_randint, TSR_EFFECT, &at3},
    {"aten::randint.low_generator(SymInt low, SymInt high, SymInt[] size, *, Generator? generator, ScalarType? dtype=4, Layout? layout=None, Device? device=None, bool? pin_memory=None) -> Tensor",
     op_randint, TSR_EFFECT, &gen3},
    {"aten::randint.out(SymInt high, SymInt[] size, *, Tensor(a!) out) -> Tensor(a!)",
     op_randint, 0, &at2},
    {"aten::randint.generator_out(SymInt high, SymInt[] size, *, Generator? generator, Tensor(a!) out) -> Tensor(a!)",
     op_randint, 0, &gen2},
    {"aten::randint.low_out(SymInt low, SymInt high, SymInt[] size, *, Tensor(a!) out) -> Tensor(a!)",
     op_randint, 0, &at3},
    {"aten::randint.low_generator_out(SymInt low, SymInt high, SymInt[] size, *, Generator? generator, Tensor(a!) out) -> Tensor(a!)",
     op_randint, 0, &gen3},
    {"aten::randint_like(Tensor self, SymInt high, *, " TSR_FACTORY_OPTIONS ", MemoryFormat? memory_format=None) -> Tensor",
     op_randint_like, TSR_EFFECT, &at2},
    {"aten::randint_like.Tensor(Tensor self, Tensor high, *, " TSR_FACTORY_OPTIONS ", MemoryFormat? memory_format=None) -> Tensor",
     op_randint_like, TSR_EFFECT, &at2},
    {"aten::randint_like.low_dtype(Tensor self, SymInt low, SymInt high, *, " TSR_FACTORY_OPTIONS ", MemoryFormat? memory_format=None) -> Tensor",
     op_randint_like, TSR_EFFECT, &at3},
    {"aten::randint_like.generator(Tensor self, SymInt high, *, Generator? generator, " TSR_FACTORY_OPTIONS ", MemoryFormat? memory_format=None) -> Tensor",
     op_randint_like, TSR_EFFECT, &gen2},
    {"aten::randint_like.Tensor_generator(Tensor self, Tensor high, *, Generator? generator, " TSR_FACTORY_OPTIONS ", MemoryFormat? memory_format=None) -> Tensor",
     op_randint_like, TSR_EFFECT, &gen2},
    {"aten::randint_like.low_generator_dtype(Tensor self, SymInt low, SymInt high, *, Generator? generator, " TSR_FACTORY_OPTIONS ", MemoryFormat? memory_format=None) -> Tensor",
     op_randint_like, TSR_EFFECT, &gen3},
    {"aten::randint_like.out(Tensor self, SymInt high, *, MemoryFormat? memory_format=None, Tensor(a!) out) -> Tensor(a!)",
     op_randint_like, 0, &at2},
    {"aten::randint_like.generator_out(Tensor self, SymInt high, *, Generator? generator, MemoryFormat? memory_format=None, Tensor(a!) out) -> Tensor(a!)",
     op_randint_like, 0, &gen2},
    {"aten::randint_like.low_dtype_out(Tensor self, SymInt low, SymInt high, *, MemoryFormat? memory_format=None, Tensor(a!) out) -> Tensor(a!)",
     op_randint_like, 0, &at3},
    {"aten::randint_like.low_generator_dtype_out(Tensor self, SymInt low, SymInt high, *, Generator? generator, MemoryFormat? memory_format=None, Tensor(a!) out) -> Tensor(a!)",
     op_randint_like, 0, &gen3},
    {"aten::random_.from(Tensor(a!) self, int from, int? to, *, Generator? generator=None) -> Tensor(a!)",
     op_random_inplace, TSR_EFFECT, &form_from},
    {"aten::random_.to(Tensor(a!) self, int to, *, Generator? generator=None) -> Tensor(a!)",
     op_random_inplace, TSR_EFFECT, &form_upto},
    {"aten::random_(Tensor(a!) self, *, Generator? generator=None) -> Tensor(a!)",
     op_random_inplace, TSR_EFFECT, &form_full},
    {"aten::random.from(Tensor self, int from, int? to, *, Generator? generator=None) -> Tensor",
     op_random, TSR_EFFECT, &form_from},
    {"aten::random.from_out(Tensor self, int from, int? to, *, Generator? generator=None, Tensor(a!) out) -> Tensor(a!)",
     op_random, TSR_EFFECT | TSR_OUT_NEW, &form_from},
    {"aten::random.to(Tensor self, int to, *, Generator? generator=None) -> Tensor",
     op_random, TSR_EFFECT, &form_upto},
    {"aten::randperm(SymInt n, *, ScalarType? dtype=4, Layout? layout=None, Device? device=None, bool? pin_memory=None) -> Tensor",
     op_randperm, TSR_EFFECT, &at1},
    {"aten::randperm.generator(SymInt n, *, Generator? generator, ScalarType? dtype=4, Layout? layout=None, Device? device=None, bool? pin_memory=None) -> Tensor",
     op_randperm, TSR_EFFECT, &gen1},
    {"aten::randperm.out(SymInt n, *, Tensor(a!) out) -> Tensor(a!)",
     op_randperm, 0, &at1},
    {"aten::randperm.generator_out(SymInt n, *, Generator? generator, Tensor(a!) out) -> Tensor(a!)",
     op_randperm, 0, &gen1},
    {"aten::bernoulli(Tensor self, *, Generator? generator=None) -> Tensor",
     op_bernoulli, TSR_EFFECT, &p_is_self},
    {"aten::bernoulli.out(Tensor self, *, Generator? generator=None, Tensor(a!) out) -> Tensor(a!)",
     op_bernoulli, TSR_EFFECT | TSR_OUT, &p_is_self},
    {"aten::bernoulli.p(Tensor self, float p, *, Generator? generator=None) -> Tensor",
     op_bernoulli, TSR_EFFECT, &p_is_arg},
    {"aten::bernoulli.Tensor(Tensor self, Tensor p, *, Generator? generator=None) -> Tensor",
     op_bernoulli, TSR_EFFECT, &p_is_arg},
    {"aten::bernoulli.Tensor_out(Tensor self, Tensor p, *, Generator? generator=None, Tensor(a!) out) -> Tensor(a!)",
     op_bernoulli, TSR_EFFECT | TSR_OUT_NEW, &p_is_arg},
    {"aten::bernoulli.float_out(Tensor self, float p=0.5, *, Generator? generator=None, Tensor(a!) out) -> Tensor(a!)",
     op_bernoulli, TSR_EFFECT | TSR_OUT_NEW, &p_is_arg},
    {"aten::bernoulli_.Tensor(Tensor(a!) self, Tensor p, *, Generator? generator=None) -> Tensor(a!)",
     op_bernoulli_inplace, TSR_EFFECT},
    {"aten::bernoulli_.float(Tensor(a!) self, float p=0.5, *, Generator? generator=None) -> Tensor(a!)",
     op_bernoulli_inplace, TSR_EFFECT},
    {"aten::multinomial(Tensor self, SymInt num_samples, bool replacement=False, *, Generator? generator=None) -> Tensor",
     op_multinomial, TSR_EFFECT},
    {"aten::multinomial.out(Tensor self, SymInt num_samples, bool replacement=False, *, Generator? generator=None, Tensor(a!) out) -> Tensor(a!)",
     op_multinomial, TSR_EFFECT | TSR_OUT},
    {"aten::random.to_out(Tensor self, int to, *, Generator? generator=None, Tensor(a!) out) -> Tensor(a!)",
     op_random, TSR_EFFECT | TSR_OUT_NEW, &form_upto},
    {"aten::random(Tensor self, *, Generator? generator=None) -> Tensor",
     op_random, TSR_EFFECT, &form_full},
    {"aten::random.out(Tensor self, *, Generator? generator=None, Tensor(a!) out) -> Tensor(a!)",
     op_random, TSR_EFFECT | TSR_OUT_NEW, &form_full},
    {"aten::randint_like.Tensor_out(Tensor self, Tensor high, *, MemoryFormat? memory_format=None, Tensor(a!) out) -> Tensor(a!)",
     op_randint_like, 0, &at2},
    {"aten::randint_like.Tensor_generator_out(Tensor self, Tensor high, *, Generator? generator, MemoryFormat? memory_format=None, Tensor(a!) out) -> Tensor(a!)",
     op_randint_like, 0, &gen2},
    {0},
};
