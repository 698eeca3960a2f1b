/* mt19937, the distributions, and fills of whole tensors.  Operators are in random_ops.c. */
#include <math.h>
#include <stdlib.h>

#include "ops/native.h"
#include "ops/random.h"
#include "ops/shape.h"

enum { WORDS = 624, SHIFT = 397 };

void tsr_rng_init(tsr_rng *r, uint64_t seed) {
  r->state[0] = (uint32_t)seed;
  for (uint32_t i = 1; i < WORDS; i++) r->state[i] = 1812433253u * (r->state[i - 1] ^ (r->state[i - 1] >> 30)) + i;
  r->next = WORDS;
  r->has_normal = false;
  r->normal = 0;
  r->seed = seed;
}

static void next_block(tsr_rng *r) {
  uint32_t *s = r->state;
  for (int k = 0; k < WORDS; k++) {
    uint32_t y = (s[k] & 0x80000000u) | (s[k + 1 < WORDS ? k + 1 : 0] & 0x7fffffffu);
    s[k] = s[k + SHIFT < WORDS ? k + SHIFT : k + SHIFT - WORDS] ^ (y >> 1) ^ ((y & 1) != 0 ? 0x9908b0dfu : 0);
  }
  r->next = 0;
}

uint32_t tsr_rng_next32(tsr_rng *r) {
  if (r->next >= WORDS) next_block(r);
  uint32_t y = r->state[r->next++];
  y ^= y >> 11;
  y ^= (y << 7) & 0x9d2c5680u;
  y ^= (y << 15) & 0xefc60000u;
  return y ^ (y >> 18);
}

uint64_t tsr_rng_next64(tsr_rng *r) {
  uint64_t high = tsr_rng_next32(r);
  return high << 32 | tsr_rng_next32(r);
}

double tsr_rng_uniform(tsr_rng *r) { return (double)(tsr_rng_next64(r) & ((UINT64_C(1) << 53) - 1)) * 0x1p-53; }
float tsr_rng_uniform_float(tsr_rng *r) { return (float)(tsr_rng_next32(r) & ((1u << 24) - 1)) * 0x1p-24f; }

double tsr_rng_normal(tsr_rng *r, double mean, double std) {
  if (r->has_normal) {
    r->has_normal = false;
    return r->normal * std + mean;
  }
  double u1 = tsr_rng_uniform(r), u2 = tsr_rng_uniform(r);
  double radius = sqrt(-2.0 * log1p(-u2)), theta = 2.0 * M_PI * u1;
  r->normal = radius * sin(theta);
  r->has_normal = true;
  return radius * cos(theta) * std + mean;
}

void tsr_rng_free(tsr_rng *r) { free(r); }

tsr_status tsr_rng_default(tsr_ctx *ctx, tsr_rng **out) {
  if (ctx->rng == NULL) {
    ctx->rng = malloc(sizeof *ctx->rng);
    if (ctx->rng == NULL) return tsr_fail_nomem(&ctx->err);
    tsr_rng_init(ctx->rng, TSR_RNG_DEFAULT_SEED);
  }
  *out = ctx->rng;
  return TSR_OK;
}

/* Generators of programs are capsules. */
static tsr_rng *rng_of(tsr_val v) {
  return v.tag == TSR_V_CAPSULE && strcmp(v.cap->kind, "generator") == 0 ? v.cap->data : NULL;
}

tsr_status tsr_rng_arg(tsr_call *c, uint32_t i, tsr_rng **out) {
  *out = i < c->nargs ? rng_of(c->args[i]) : NULL;
  return *out != NULL ? TSR_OK : tsr_rng_default(c->ctx, out);
}

/* ---- fills ---- */

/* t's elements in memory order as one C-ordered tensor: t's own memory when dense, else a copy target.
 * `finish_fill` brings a copy target back. */
static tsr_status start_fill(tsr_ctx *ctx, tsr_tensor *t, tsr_tensor **linear, void **data) {
  *linear = t;
  if (!tsr_tensor_is_dense(t)) TSR_TRY(tsr_new(ctx, linear, (tsr_dtype)t->dtype, t->ndim, t->size));
  return tsr_data_mut(ctx, *linear, data);
}

static tsr_status finish_fill(tsr_ctx *ctx, tsr_tensor *t, tsr_tensor *linear) { return linear == t ? TSR_OK : tsr_copy_into(ctx, t, linear); }

/* Fill from a function that gives one double an element. */
typedef double (*draw_fn)(tsr_rng *r, const double *param);

static tsr_status fill_drawn(tsr_ctx *ctx, tsr_rng *r, tsr_tensor *t, draw_fn draw, const double *param) {
  tsr_tensor *linear;
  void *data;
  double part[256];
  TSR_TRY(start_fill(ctx, t, &linear, &data));
  size_t item = tsr_tensor_itemsize(t);
  for (int64_t at = 0; at < t->numel; at += 256) {
    int64_t n = TSR_MIN(t->numel - at, 256);
    for (int64_t i = 0; i < n; i++) part[i] = draw(r, param);
    tsr_convert((tsr_dtype)t->dtype, (char *)data + (size_t)at * item, TSR_FLOAT64, part, n);
  }
  return finish_fill(ctx, t, linear);
}

static double draw_uniform(tsr_rng *r, const double *p) { return tsr_rng_uniform(r) * (p[1] - p[0]) + p[0]; }
static double draw_uniform_float(tsr_rng *r, const double *p) { return tsr_rng_uniform_float(r) * ((float)p[1] - (float)p[0]) + (float)p[0]; }

/* Half and bfloat16 are drawn as float32 and rounded. */
tsr_status tsr_random_uniform(tsr_ctx *ctx, tsr_rng *r, tsr_tensor *t, double from, double to) {
  double p[2] = {from, to};
  return fill_drawn(ctx, r, t, t->dtype == TSR_FLOAT64 ? draw_uniform : draw_uniform_float, p);
}

static double draw_normal(tsr_rng *r, const double *p) { return tsr_rng_normal(r, p[0], p[1]); }

/* Natural logarithm of x in (0, 1] by the Cephes polynomial, error below 1 ulp; the order of the fused
 * operations is part of the generator: other orders change last bits. */
static float normal_log(float x) {
  static const float p[] = {7.0376836292e-2f,  -1.1514610310e-1f, 1.1676998740e-1f,  -1.2420140846e-1f, 1.4249322787e-1f,
                            -1.6668057665e-1f, 2.0000714765e-1f,  -2.4999993993e-1f, 3.3333331174e-1f};
  uint32_t u;
  memcpy(&u, &x, sizeof u);
  float e = (float)((int)(u >> 23) - 126), y = p[0];
  u = (u & 0x807fffffu) | 0x3f000000u; /* mantissa in [0.5, 1) */
  memcpy(&x, &u, sizeof x);
  if (x < 0.707106781186547524f) {
    e -= 1;
    x = x - 1 + x;
  } else {
    x -= 1;
  }
  float z = x * x;
  for (size_t i = 1; i < TSR_COUNT(p); i++) y = fmaf(y, x, p[i]);
  y *= x;
  y = fmaf(y, z, e * -2.12194440e-4f);
  y = fmaf(-z, 0.5f, y);
  return fmaf(e, 0.693359375f, x + y);
}

/* Sine and cosine of x in [0, 2π), Cephes polynomials after reduction to octants. */
static void normal_sincos(float x, float *sine, float *cosine) {
  int octant = (int)(x * 1.27323954473516f);
  octant = (octant + 1) & ~1;
  float y = (float)octant;
  x = fmaf(y, -0.78515625f, x);
  x = fmaf(y, -2.4187564849853515625e-4f, x);
  x = fmaf(y, -3.77489497744594108e-8f, x);
  float z = x * x, c = 2.443315711809948e-5f, s = -1.9515295891e-4f;
  c = fmaf(c, z, -1.388731625493765e-3f);
  c = fmaf(c, z, 4.166664568298827e-2f);
  c *= z;
  c = fmaf(c, z, -(z * 0.5f)) + 1;
  s = fmaf(s, z, 8.3321608736e-3f);
  s = fmaf(s, z, -1.6666654611e-1f);
  s = fmaf(s * z, x, x);
  bool straight = (octant & 2) == 0;
  *sine = straight ? s : c;
  *cosine = straight ? c : s;
  if ((octant & 4) != 0) *sine = -*sine;
  if (((octant - 2) & 4) == 0) *cosine = -*cosine;
}

/* 16 uniforms become 16 normals: lanes j and j + 8 are the polar pair. */
static void normal_16_f32(float *x, float mean, float std) {
  for (int j = 0; j < 8; j++) {
    float radius = sqrtf(-2 * normal_log(1 - x[j])), sine, cosine;
    normal_sincos((float)(2.0 * M_PI) * x[j + 8], &sine, &cosine);
    x[j] = fmaf(radius * cosine, std, mean);
    x[j + 8] = fmaf(radius * sine, std, mean);
  }
}

static void normal_16_f64(double *x, double mean, double std) {
  for (int j = 0; j < 8; j++) {
    double radius = sqrt(-2 * log(1 - x[j])), theta = 2.0 * M_PI * x[j + 8];
    x[j] = radius * cos(theta) * std + mean;
    x[j + 8] = radius * sin(theta) * std + mean;
  }
}

/* n >= 16 elements: all uniforms are drawn first (those of a ragged end not for half and bfloat16); a
 * ragged end redraws the last 16. */
static void normal_fill_f32(tsr_rng *r, float *x, int64_t n, float mean, float std, bool short_type) {
  for (int64_t i = 0; i < (short_type ? n / 16 * 16 : n); i++) x[i] = tsr_rng_uniform_float(r);
  for (int64_t i = 0; i + 16 <= n; i += 16) normal_16_f32(x + i, mean, std);
  if (n % 16 == 0) return;
  x += n - 16;
  for (int i = 0; i < 16; i++) x[i] = tsr_rng_uniform_float(r);
  normal_16_f32(x, mean, std);
}

static void normal_fill_f64(tsr_rng *r, double *x, int64_t n, double mean, double std) {
  for (int64_t i = 0; i < n; i++) x[i] = tsr_rng_uniform(r);
  for (int64_t i = 0; i + 16 <= n; i += 16) normal_16_f64(x + i, mean, std);
  if (n % 16 == 0) return;
  x += n - 16;
  for (int i = 0; i < 16; i++) x[i] = tsr_rng_uniform(r);
  normal_16_f64(x, mean, std);
}

tsr_status tsr_random_normal(tsr_ctx *ctx, tsr_rng *r, tsr_tensor *t, double mean, double std) {
  double p[2] = {mean, std};
  void *data;
  tsr_dtype dtype = (tsr_dtype)t->dtype;
  if (t->numel < 16 || !tsr_tensor_is_contiguous(t)) return fill_drawn(ctx, r, t, draw_normal, p);
  TSR_TRY(tsr_data_mut(ctx, t, &data));
  if (dtype == TSR_FLOAT32) {
    normal_fill_f32(r, data, t->numel, (float)mean, (float)std, false);
  } else if (dtype == TSR_FLOAT64) {
    normal_fill_f64(r, data, t->numel, mean, std);
  } else {
    tsr_tensor *wide;
    void *x;
    TSR_TRY(tsr_new(ctx, &wide, TSR_FLOAT32, t->ndim, t->size));
    TSR_TRY(tsr_data_mut(ctx, wide, &x));
    normal_fill_f32(r, x, t->numel, (float)mean, (float)std, true);
    tsr_convert(dtype, data, TSR_FLOAT32, x, t->numel);
  }
  return TSR_OK;
}

static double draw_bernoulli(tsr_rng *r, const double *p) { return tsr_rng_uniform(r) < p[0]; }
static double draw_exponential(tsr_rng *r, const double *p) { return -1.0 / p[0] * log1p(-tsr_rng_uniform(r)); }
static double draw_geometric(tsr_rng *r, const double *p) { return ceil(log(tsr_rng_uniform(r)) / log1p(-p[0])); }
static double draw_log_normal(tsr_rng *r, const double *p) { return exp(tsr_rng_normal(r, p[0], p[1])); }

static double draw_cauchy(tsr_rng *r, const double *p) {
  const double eps = 0x1p-52;
  double u = tsr_rng_uniform(r);
  u = TSR_MAX(TSR_MIN(u, 1 - eps), eps);
  return p[0] + p[1] * tan(M_PI * (u - 0.5));
}

tsr_status tsr_random_bernoulli(tsr_ctx *ctx, tsr_rng *r, tsr_tensor *t, double p) { return fill_drawn(ctx, r, t, draw_bernoulli, &p); }

tsr_status tsr_random_exponential(tsr_ctx *ctx, tsr_rng *r, tsr_tensor *t, double lambda) {
  return fill_drawn(ctx, r, t, draw_exponential, &lambda);
}

/* ---- in-place operators on floats: one parameter check and one fill each ---- */

typedef tsr_status (*fill_fn)(tsr_ctx *ctx, tsr_rng *r, tsr_tensor *t, const double *p);
typedef struct sampler { const char *name; uint32_t params; bool any_dtype; fill_fn fill; } sampler;

static bool is_float_or_complex(const tsr_tensor *t) {
  return tsr_dtype_is_float((tsr_dtype)t->dtype) || tsr_dtype_is_complex((tsr_dtype)t->dtype);
}

static tsr_status sample_uniform(tsr_ctx *ctx, tsr_rng *r, tsr_tensor *t, const double *p) {
  if (tsr_dtype_is_complex((tsr_dtype)t->dtype) && t->numel == 0) return TSR_OK;
  if (tsr_dtype_is_complex((tsr_dtype)t->dtype)) TSR_TRY(tsr_as_real(ctx, &t, t, true, 0)); /* both parts */
  double limit = tsr_dtype_max((tsr_dtype)t->dtype);
  if (!tsr_dtype_is_float((tsr_dtype)t->dtype)) return tsr_op_fail(ctx, "\"check_uniform_bounds\" not implemented for '%s'", tsr_dtype_get_info(t->dtype)->cpp_name);
  if (!(p[0] >= -limit && p[0] <= limit)) return tsr_op_fail(ctx, "from is out of bounds for %s", tsr_dtype_c_name((tsr_dtype)t->dtype));
  if (!(p[1] >= -limit && p[1] <= limit)) return tsr_op_fail(ctx, "to is out of bounds for %s", tsr_dtype_c_name((tsr_dtype)t->dtype));
  if (!(p[0] <= p[1])) return tsr_op_fail(ctx, "uniform_ expects to return a [from, to) range, but found from=%g > to=%g", p[0], p[1]);
  if (!(p[1] - p[0] <= limit))
    return tsr_op_fail(ctx, "uniform_ expects to-from <= std::numeric_limits<%s>::max(), but found to=%g and from=%g which result in to-from to exceed the limit",
                       tsr_dtype_get_info(t->dtype)->cpp_name, p[1], p[0]);
  return tsr_random_uniform(ctx, r, t, p[0], p[1]);
}

static tsr_status sample_normal(tsr_ctx *ctx, tsr_rng *r, tsr_tensor *t, const double *p) {
  if (!(p[1] >= 0)) return tsr_op_fail(ctx, "normal expects std >= 0.0, but found std %g", p[1]);
  if (tsr_dtype_is_complex((tsr_dtype)t->dtype)) {
    tsr_tensor *pairs;
    TSR_TRY(tsr_as_real(ctx, &pairs, t, true, 0));
    return tsr_random_normal(ctx, r, pairs, p[0], p[1] / sqrt(2.0)); /* the mean is real in every use */
  }
  if (!is_float_or_complex(t)) return tsr_op_fail(ctx, "\"normal_kernel_cpu\" not implemented for '%s'", tsr_dtype_get_info(t->dtype)->cpp_name);
  return tsr_random_normal(ctx, r, t, p[0], p[1]);
}

static tsr_status sample_exponential(tsr_ctx *ctx, tsr_rng *r, tsr_tensor *t, const double *p) {
  if (!(p[0] > 0)) return tsr_op_fail(ctx, "exponential_ expects lambda > 0.0, but found lambda=%g", p[0]);
  if (!tsr_dtype_is_float((tsr_dtype)t->dtype))
    return tsr_op_fail(ctx, "Exponential distribution is a continuous probability distribution. dtype must be a floating point but you specified %s",
                       tsr_dtype_get_info(t->dtype)->cpp_name);
  return tsr_random_exponential(ctx, r, t, p[0]);
}

static tsr_status sample_geometric(tsr_ctx *ctx, tsr_rng *r, tsr_tensor *t, const double *p) {
  if (!(p[0] > 0 && p[0] < 1)) return tsr_op_fail(ctx, "geometric_ expects p to be in (0, 1), but got p=%g", p[0]);
  if (t->dtype == TSR_BOOL || tsr_dtype_is_complex((tsr_dtype)t->dtype))
    return tsr_op_fail(ctx, "\"geometric_cpu\" not implemented for '%s'", tsr_dtype_get_info(t->dtype)->cpp_name);
  return fill_drawn(ctx, r, t, draw_geometric, p);
}

static tsr_status sample_log_normal(tsr_ctx *ctx, tsr_rng *r, tsr_tensor *t, const double *p) {
  if (!(p[1] > 0)) return tsr_op_fail(ctx, "log_normal_ expects std > 0.0, but found std=%g", p[1]);
  if (!tsr_dtype_is_float((tsr_dtype)t->dtype)) return tsr_op_fail(ctx, "\"log_normal_cpu\" not implemented for '%s'", tsr_dtype_get_info(t->dtype)->cpp_name);
  return fill_drawn(ctx, r, t, draw_log_normal, p);
}

static tsr_status sample_cauchy(tsr_ctx *ctx, tsr_rng *r, tsr_tensor *t, const double *p) {
  if (!(p[1] > 0)) return tsr_op_fail(ctx, "cauchy_ expects sigma > 0.0, but found sigma=%g", p[1]);
  if (!tsr_dtype_is_float((tsr_dtype)t->dtype))
    return tsr_op_fail(ctx, "Cauchy distribution is a continuous probability distribution. dtype must be a floating point but you specified %s",
                       tsr_dtype_c_name((tsr_dtype)t->dtype));
  return fill_drawn(ctx, r, t, draw_cauchy, p);
}

static const sampler uniform = {"uniform_", 2, false, sample_uniform}, normal = {"normal_", 2, false, sample_normal},
                     exponential = {"exponential_", 1, false, sample_exponential}, geometric = {"geometric_", 1, true, sample_geometric},
                     log_normal = {"log_normal_", 2, false, sample_log_normal}, cauchy = {"cauchy_", 2, false, sample_cauchy};

static tsr_status run_sampler(tsr_call *c, tsr_tensor *t) {
  const sampler *s = c->op->data;
  double p[2] = {tsr_arg_float(c, 1), s->params > 1 ? tsr_arg_float(c, 2) : 0};
  tsr_rng *r = NULL;
  TSR_TRY(tsr_rng_arg(c, 1 + s->params, &r));
  TSR_TRY(s->fill(c->ctx, r, t, p));
  return tsr_ret_tensor(c, 0, t);
}

TSR_KERNEL(sample_inplace) { return run_sampler(c, tsr_arg_tensor(c, 0)); }

TSR_KERNEL(sample) {
  tsr_tensor *y, *x = tsr_arg_tensor(c, 0);
  TSR_TRY(tsr_new_like(c->ctx, &y, x, (tsr_dtype)x->dtype));
  return run_sampler(c, y);
}

/* ---- generators ---- */

TSR_KERNEL(manual_seed) {
  tsr_rng *r = NULL;
  TSR_TRY(tsr_rng_default(c->ctx, &r));
  tsr_rng_init(r, (uint64_t)tsr_arg_int(c, 0));
  return TSR_OK;
}

TSR_KERNEL(manual_seed_generator) {
  tsr_rng *r = NULL;
  TSR_TRY(tsr_rng_arg(c, 0, &r));
  tsr_rng_init(r, (uint64_t)tsr_arg_int(c, 1));
  return tsr_ret(c, 0, c->args[0]);
}

TSR_KERNEL(initial_seed) {
  tsr_rng *r = NULL;
  TSR_TRY(tsr_rng_arg(c, 0, &r));
  return tsr_ret_int(c, (int64_t)r->seed);
}

/* seed(): PyTorch asks the system for entropy; here the seed follows from the generator's own stream,
 * so that a run can be repeated. */
TSR_KERNEL(seed) {
  tsr_rng *r = NULL;
  TSR_TRY(tsr_rng_arg(c, 0, &r));
  tsr_rng_init(r, tsr_rng_next64(r) & ((UINT64_C(1) << 53) - 1));
  return tsr_ret_int(c, (int64_t)r->seed);
}

TSR_KERNEL(generator) {
  tsr_rng *r = malloc(sizeof *r);
  if (r == NULL) return tsr_fail_nomem(&c->ctx->err);
  tsr_rng_init(r, (uint64_t)tsr_arg_int_or(c, 1, (int64_t)TSR_RNG_DEFAULT_SEED));
  tsr_capsule *cap = tsr_capsule_new(c->ctx->mem, "generator", r, free);
  if (cap == NULL) {
    free(r);
    return tsr_op_nomem(c->ctx);
  }
  c->rets[0] = tsr_from_obj(cap);
  return TSR_OK;
}

const tsr_op tsr_ops_random[] = {
    {"aten::uniform_(Tensor(a!) self, float from=0., float to=1., *, Generator? generator=None) -> Tensor(a!)",
     op_sample_inplace, TSR_EFFECT, &uniform},
    {"aten::uniform(Tensor self, float from=0., float to=1., *, Generator? generator=None) -> Tensor",
     op_sample, TSR_EFFECT, &uniform},
    {"aten::uniform.out(Tensor self, float from=0., float to=1., *, Generator? generator=None, Tensor(a!) out) -> Tensor(a!)",
     op_sample, TSR_EFFECT | TSR_OUT_NEW, &uniform},
    {"aten::normal_(Tensor(a!) self, float mean=0., float std=1., *, Generator? generator=None) -> Tensor(a!)",
     op_sample_inplace, TSR_EFFECT, &normal},
    {"aten::normal_functional(Tensor self, float mean=0., float std=1., *, Generator? generator=None) -> Tensor",
     op_sample, TSR_EFFECT, &normal},
    {"aten::exponential_(Tensor(a!) self, float lambd=1., *, Generator? generator=None) -> Tensor(a!)",
     op_sample_inplace, TSR_EFFECT, &exponential},
    {"aten::exponential(Tensor self, float lambd=1., *, Generator? generator=None) -> Tensor",
     op_sample, TSR_EFFECT, &exponential},
    {"aten::exponential.out(Tensor self, float lambd=1., *, Generator? generator=None, Tensor(a!) out) -> Tensor(a!)",
     op_sample, TSR_EFFECT | TSR_OUT_NEW, &exponential},
    {"aten::geometric_(Tensor(a!) self, float p, *, Generator? generator=None) -> Tensor(a!)",
     op_sample_inplace, TSR_EFFECT, &geometric},
    {"aten::geometric(Tensor self, float p, *, Generator? generator=None) -> Tensor",
     op_sample, TSR_EFFECT, &geometric},
    {"aten::geometric.out(Tensor self, float p, *, Generator? generator=None, Tensor(a!) out) -> Tensor(a!)",
     op_sample, TSR_EFFECT | TSR_OUT_NEW, &geometric},
    {"aten::log_normal_(Tensor(a!) self, float mean=1., float std=2., *, Generator? generator=None) -> Tensor(a!)",
     op_sample_inplace, TSR_EFFECT, &log_normal},
    {"aten::log_normal(Tensor self, float mean=1., float std=2., *, Generator? generator=None) -> Tensor",
     op_sample, TSR_EFFECT, &log_normal},
    {"aten::log_normal.out(Tensor self, float mean=1., float std=2., *, Generator? generator=None, Tensor(a!) out) -> Tensor(a!)",
     op_sample, TSR_EFFECT | TSR_OUT_NEW, &log_normal},
    {"aten::cauchy_(Tensor(a!) self, float median=0., float sigma=1., *, Generator? generator=None) -> Tensor(a!)",
     op_sample_inplace, TSR_EFFECT, &cauchy},
    {"aten::cauchy(Tensor self, float median=0., float sigma=1., *, Generator? generator=None) -> Tensor",
     op_sample, TSR_EFFECT, &cauchy},
    {"aten::cauchy.out(Tensor self, float median=0., float sigma=1., *, Generator? generator=None, Tensor(a!) out) -> Tensor(a!)",
     op_sample, TSR_EFFECT | TSR_OUT_NEW, &cauchy},
    {"aten::manual_seed(int seed) -> ()",
     op_manual_seed, TSR_EFFECT},
    {"aten::manual_seed.generator(Generator(a!) self, int seed) -> Generator(a!)",
     op_manual_seed_generator, TSR_EFFECT},
    {"aten::initial_seed(Generator self) -> int",
     op_initial_seed, TSR_EFFECT},
    {"aten::seed(Generator(a!) self) -> int",
     op_seed, TSR_EFFECT},
    {"aten::Generator(*, Device? device=None, int? seed=None) -> Generator",
     op_generator, TSR_EFFECT},
    {0},
};
