/* Interpolation: every mode is a list of taps (source index, weight) for each output position of each
 * dimension, applied one dimension after the other. */
#include <math.h>
#include <stdio.h>

#include "ops/conv.h"
#include "ops/native.h"
#include "ops/nn.h"

enum { FEW_CHANNELS = 32 };

typedef enum mode { NEAREST, NEAREST_EXACT, LINEAR, CUBIC, LINEAR_AA, CUBIC_AA, LANCZOS_AA } mode;

typedef struct family { /* what a row of the table is */
  const char *name;
  mode mode;
  int dims;      /* spatial */
  bool corners;  /* has an align_corners argument */
} family;

typedef struct taps {
  int64_t count;   /* output positions */
  int width;       /* taps a position; unused ones have weight 0 */
  int64_t *index;
  double *weight;
  float *single; /* the weights once more */
} taps;

/* Coordinates are computed in the element type's own precision: a rounding here moves a pixel. */
typedef struct precision { bool single; } precision;
static double rnd(precision p, double x) { return p.single ? (double)(float)x : x; }

static double scale_of(precision p, int64_t in, int64_t out, bool corners, double factor /* 0: none */) {
  if (corners) return out > 1 ? rnd(p, rnd(p, (double)(in - 1)) / (double)(out - 1)) : 0;
  return factor > 0 ? rnd(p, 1 / factor) : rnd(p, rnd(p, (double)in) / (double)out);
}

static double cubic1(double x, double a) { return ((a + 2) * x - (a + 3)) * x * x + 1; }
static double cubic2(double x, double a) { return ((a * x - 5 * a) * x + 8 * a) * x - 4 * a; }

static double filter(mode m, double x) {
  x = fabs(x);
  if (m == LINEAR_AA) return x < 1 ? 1 - x : 0;
  if (m == CUBIC_AA) return x < 1 ? cubic1(x, -0.5) : x < 2 ? cubic2(x, -0.5) : 0;
  if (x >= 3) return 0;
  if (x == 0) return 1;
  double a = M_PI * x, b = a / 3;
  return sin(a) / a * (sin(b) / b);
}

static void nearest_taps(const taps *t, mode m, precision p, int64_t in, double scale) {
  for (int64_t i = 0; i < t->count; i++) {
    double at = m == NEAREST ? rnd(p, (double)i * scale) : rnd(p, rnd(p, (double)i + 0.5) * scale);
    t->index[i] = TSR_MIN((int64_t)floor(at), in - 1);
    t->weight[i] = 1;
  }
}

static void smooth_taps(const taps *t, mode m, precision p, int64_t in, double scale, bool corners) {
  for (int64_t i = 0; i < t->count; i++) {
    double src = corners ? rnd(p, scale * (double)i) : rnd(p, rnd(p, scale * ((double)i + 0.5)) - 0.5);
    if (m == LINEAR && src < 0) src = 0;
    if (m == LINEAR && t->count == in) src = (double)i;
    int64_t lo = TSR_MIN((int64_t)floor(src), in - 1);
    double f = fmin(fmax(rnd(p, src - (double)lo), 0), 1);
    int64_t *index = t->index + i * t->width;
    double *w = t->weight + i * t->width;
    if (m == LINEAR) {
      index[0] = lo;
      index[1] = TSR_MIN(lo + 1, in - 1);
      w[0] = rnd(p, 1 - f);
      w[1] = f;
      continue;
    }
    double a = -0.75, x[4] = {cubic2(f + 1, a), cubic1(f, a), cubic1(1 - f, a), cubic2(2 - f, a)};
    for (int k = 0; k < 4; k++) {
      index[k] = TSR_MAX(TSR_MIN(lo - 1 + k, in - 1), (int64_t)0);
      w[k] = rnd(p, x[k]);
    }
  }
}

static double support_of(mode m, double scale) {
  double half = m == LINEAR_AA ? 1 : m == CUBIC_AA ? 2 : 3;
  return scale >= 1 ? half * scale : half;
}

static void filter_taps(const taps *t, mode m, int64_t in, double scale) {
  double support = support_of(m, scale), inverse = scale >= 1 ? 1 / scale : 1;
  for (int64_t i = 0; i < t->count; i++) {
    double center = scale * ((double)i + 0.5), total = 0;
    int64_t lo = TSR_MAX((int64_t)(center - support + 0.5), (int64_t)0);
    int64_t hi = TSR_MIN((int64_t)(center + support + 0.5), in);
    int64_t *index = t->index + i * t->width;
    double *w = t->weight + i * t->width;
    for (int k = 0; k < t->width; k++) {
      bool inside = lo + k < hi;
      index[k] = TSR_MIN(lo + k, in - 1);
      w[k] = inside ? filter(m, ((double)(k + lo) - center + 0.5) * inverse) : 0;
      total += w[k];
    }
    for (int k = 0; k < t->width && total != 0; k++) w[k] /= total;
  }
}

static tsr_status make_taps(tsr_ctx *ctx, taps *t, mode m, precision p, int64_t in, int64_t out, bool corners, double factor) {
  double scale = scale_of(p, in, out, corners, factor);
  double width = m <= NEAREST_EXACT ? 1 : m == LINEAR ? 2 : m == CUBIC ? 4 : ceil(support_of(m, scale)) * 2 + 1;
  if (width > (double)in + 4 && m >= LINEAR_AA) width = (double)in;
  t->count = out;
  t->width = (int)width;
  t->index = tsr_scratch(ctx, (size_t)out * (size_t)t->width * sizeof *t->index);
  t->weight = tsr_scratch(ctx, (size_t)out * (size_t)t->width * sizeof *t->weight);
  t->single = tsr_scratch(ctx, (size_t)out * (size_t)t->width * sizeof *t->single);
  if (t->index == NULL || t->weight == NULL || t->single == NULL) return ctx->err.status;
  if (m <= NEAREST_EXACT) nearest_taps(t, m, p, in, scale);
  else if (m <= CUBIC) smooth_taps(t, m, p, in, scale, corners);
  else filter_taps(t, m, in, scale);
  for (int64_t i = 0; i < out * t->width; i++) t->single[i] = (float)t->weight[i];
  return TSR_OK;
}

/* ---- applying taps along one dimension of [outer, in, inner] ---- */

typedef struct pass {
  const tsr_nn_fns *nn;
  const taps *t;
  const char *src;
  char *dst;
  int64_t in, inner;
  size_t item;
  tsr_dtype dtype;
  int bits;        /* of uint8 weights */
} pass;

static void blend_f32(const pass *p, int64_t outer, int64_t i) {
  const taps *t = p->t;
  p->nn->mix((float *)p->dst + (outer * t->count + i) * p->inner, (const float *)p->src + outer * p->in * p->inner, t->index + i * t->width,
               t->single + i * t->width, t->width, p->inner);
}

static void blend_f32_row(const pass *p, int64_t outer) { /* inner is 1: a whole row at once */
  const taps *t = p->t;
  const float *s = (const float *)p->src + outer * p->in, *w = t->single;
  const int64_t *index = t->index;
  float *d = (float *)p->dst + outer * t->count;
  if (t->width == 2) {
    for (int64_t i = 0; i < t->count; i++) d[i] = s[index[2 * i]] * w[2 * i] + s[index[2 * i + 1]] * w[2 * i + 1];
    return;
  }
  for (int64_t i = 0; i < t->count; i++, index += t->width, w += t->width) {
    float sum = 0;
    for (int k = 0; k < t->width; k++) sum += s[index[k]] * w[k];
    d[i] = sum;
  }
}

static void blend_f64(const pass *p, int64_t outer, int64_t i) {
  const taps *t = p->t;
  const int64_t *index = t->index + i * t->width;
  const double *w = t->weight + i * t->width, *base = (const double *)p->src + outer * p->in * p->inner;
  double *d = (double *)p->dst + (outer * t->count + i) * p->inner;
  for (int64_t x = 0; x < p->inner; x++) d[x] = base[index[0] * p->inner + x] * w[0];
  for (int k = 1; k < t->width; k++) {
    const double *s = base + index[k] * p->inner;
    for (int64_t x = 0; x < p->inner && w[k] != 0; x++) d[x] += s[x] * w[k];
  }
}

/* uint8 pixels: weights of 15 bits, rounded after every dimension, as PyTorch and Pillow do. */
static int weight_bits(const taps *t) {
  double largest = 0;
  int bits = 0;
  for (int64_t i = 0; i < t->count * t->width; i++) largest = fmax(largest, t->weight[i]);
  while (bits < 22 && (int)(0.5 + largest * (double)(1 << (bits + 1))) < 1 << 15) bits++;
  return bits;
}

static void blend_u8(const pass *p, int64_t outer, int64_t i) {
  const taps *t = p->t;
  const int64_t *index = t->index + i * t->width;
  const double *w = t->weight + i * t->width;
  const uint8_t *base = (const uint8_t *)p->src + outer * p->in * p->inner;
  uint8_t *d = (uint8_t *)p->dst + (outer * t->count + i) * p->inner;
  for (int64_t x = 0; x < p->inner; x++) {
    int32_t sum = p->bits > 0 ? 1 << (p->bits - 1) : 0;
    for (int k = 0; k < t->width; k++) {
      double scaled = w[k] * (double)(1 << p->bits);
      sum += (int32_t)(scaled < 0 ? scaled - 0.5 : scaled + 0.5) * base[index[k] * p->inner + x];
    }
    sum >>= p->bits;
    d[x] = (uint8_t)TSR_MAX(TSR_MIN(sum, 255), 0);
  }
}

static void copy_nearest(const pass *p, int64_t outer, int64_t i) {
  size_t run = (size_t)p->inner * p->item;
  memcpy(p->dst + (size_t)(outer * p->t->count + i) * run, p->src + (size_t)(outer * p->in + p->t->index[i]) * run, run);
}

/* Tasks: positions of [outer][count], or outer where a row is done at once. */
static void run_pass(void *arg, int64_t begin, int64_t end) {
  const pass *p = arg;
  for (int64_t k = begin; k < end; k++) {
    int64_t o = k / p->t->count, i = k % p->t->count;
    if (p->t->width == 1) copy_nearest(p, o, i);
    else if (p->dtype == TSR_UINT8) blend_u8(p, o, i);
    else if (p->dtype == TSR_FLOAT32) blend_f32(p, o, i);
    else blend_f64(p, o, i);
  }
}

static void run_rows(void *arg, int64_t begin, int64_t end) {
  for (int64_t o = begin; o < end; o++) blend_f32_row(arg, o);
}

/* x is contiguous, or (4 dimensions) channels last and so is the result. */
static tsr_status along(tsr_ctx *ctx, tsr_tensor **out, tsr_tensor *x, int dim, const taps *t, bool last) {
  int64_t size[TSR_MAX_NDIM], stride[TSR_MAX_NDIM], outer = 1;
  memcpy(size, x->size, x->ndim * sizeof *size);
  size[dim] = t->count;
  if (last) tsr_strides_channels_last(x->ndim, size, stride);
  else tsr_strides_contiguous(x->ndim, size, stride);
  TSR_TRY(tsr_new_strided(ctx, out, (tsr_dtype)x->dtype, x->ndim, size, stride));
  pass p = {ctx->kernels->nn, t, tsr_tensor_data_ro(x), (*out)->storage->data, x->size[dim], 1, tsr_tensor_itemsize(x), (tsr_dtype)x->dtype, 0};
  for (int d = 0; d < dim; d++) outer *= last && d == 1 ? 1 : size[d];
  for (int d = dim + 1; d < x->ndim; d++) p.inner *= size[d];
  if (last) p.inner *= size[1];
  if ((*out)->numel == 0) return TSR_OK;
  if (p.dtype == TSR_UINT8 && t->width > 1) p.bits = weight_bits(t);
  if (p.dtype == TSR_FLOAT32 && t->width > 1 && p.inner == 1) tsr_parallel_for(ctx, outer, TSR_MAX((int64_t)1, 8192 / t->count), run_rows, &p);
  else tsr_parallel_for(ctx, outer * t->count, TSR_MAX((int64_t)1, 16384 / p.inner), run_pass, &p);
  return TSR_OK;
}

/* ---- the operator on sizes already known ---- */

static tsr_status check(tsr_ctx *ctx, const family *f, const tsr_tensor *x, const int64_t *size) {
  static const char *const axes[] = {"(W: %lld)", "(H: %lld, W: %lld)", "(D: %lld, H: %lld, W: %lld)"};
  char in[96], out[96];
  if (x->ndim != f->dims + 2) return tsr_op_fail(ctx, "It is expected input_size equals to %d, but got size %d", f->dims + 2, x->ndim);
  bool ok = true;
  for (int d = 0; d < f->dims; d++) ok &= size[d] > 0 && x->size[d + 2] > 0;
  const int64_t *s = x->size + 2;
#define L(v) (long long)(v)
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wformat-nonliteral"
#pragma GCC diagnostic ignored "-Wformat-extra-args"
  snprintf(in, sizeof in, axes[f->dims - 1], L(s[0]), f->dims > 1 ? L(s[1]) : 0LL, f->dims > 2 ? L(s[2]) : 0LL);
  snprintf(out, sizeof out, axes[f->dims - 1], L(size[0]), f->dims > 1 ? L(size[1]) : 0LL, f->dims > 2 ? L(size[2]) : 0LL);
#pragma GCC diagnostic pop
#undef L
  if (!ok) return tsr_op_fail(ctx, "Input and output sizes should be greater than 0, but got input %s %soutput %s", in, f->dims == 1 ? "and " : "", out);
  if (x->size[1] > 0) return TSR_OK;
  tsr_sizes_print(in, sizeof in, x->ndim, x->size);
  return tsr_op_fail(ctx, "Non-empty %dD data tensor expected but got a tensor with sizes %s", x->ndim, in);
}

/* What PyTorch calls the kernel that knows no such element type: on small pictures, and on those with many channels that lie
 * innermost, nearest and linear have one of their own. */
static const char *kernel_name(const family *f, const tsr_tensor *x, const int64_t *size) {
  static const char *const generic[] = {[NEAREST] = "compute_indices_weights_nearest", [NEAREST_EXACT] = "compute_indices_weights_nearest",
                                        [LINEAR] = "compute_indices_weights_linear", [CUBIC] = "compute_indices_weights_cubic"};
  if (f->mode >= LINEAR_AA) return "compute_index_ranges_weights";
  bool own = f->dims == 2 && f->mode != CUBIC && ((tsr_tensor_is_channels_last(x) && x->size[1] > 3) || size[0] + size[1] <= 128);
  return !own ? generic[f->mode] : f->mode == LINEAR ? "upsample_bilinear2d_channels_last" : "upsample_nearest2d_channels_last";
}

static tsr_status check_type(tsr_call *c, const family *f, const tsr_tensor *x, const int64_t *size) {
  tsr_dtype d = (tsr_dtype)x->dtype;
  TSR_TRY(tsr_out_expect(c, 0, d));
  bool bytes = d == TSR_UINT8 && !(f->mode == LINEAR && f->dims != 2);
  if (tsr_dtype_is_float(d) || bytes) return TSR_OK;
  return tsr_op_fail(c->ctx, "\"%s\" not implemented for '%s'", kernel_name(f, x, size), tsr_dtype_get_info(d)->cpp_name);
}

/* Where channels that lie innermost in memory stay there.  Of a hidden tensor with few, as the maps of classes are, the rows
 * are longer, and mostly it is a result that nothing but the program sees. */
static bool stays_last(const family *f, const tsr_tensor *x) {
  return f->dims == 2 && tsr_conv_suggests_last(x->ndim, x->size, x->stride) && !(x->hidden && x->size[1] < FEW_CHANNELS);
}

/* Half types are computed in float32. */
static tsr_status interpolate(tsr_call *c, tsr_tensor **out, const family *f, tsr_tensor *x, const int64_t *size, bool corners, const double *factors) {
  tsr_ctx *ctx = c->ctx;
  tsr_dtype dtype = (tsr_dtype)x->dtype;
  bool nearest = f->mode <= NEAREST_EXACT, last;
  TSR_TRY(check(ctx, f, x, size));
  TSR_TRY(check_type(c, f, x, size));
  precision p = {dtype != TSR_FLOAT64 && (nearest || dtype != TSR_UINT8)};
  tsr_tensor *y = x;
  last = stays_last(f, x);
  if (!nearest && dtype != TSR_UINT8) TSR_TRY(tsr_to_dtype(ctx, &y, y, p.single ? TSR_FLOAT32 : TSR_FLOAT64));
  TSR_TRY(last ? tsr_channels_last(ctx, &y, y) : tsr_contiguous(ctx, &y, y));
  for (int d = f->dims - 1; d >= 0; d--) {
    taps t;
    TSR_TRY(make_taps(ctx, &t, f->mode, p, x->size[d + 2], size[d], corners, factors[d]));
    TSR_TRY(along(ctx, &y, y, d + 2, &t, last));
  }
  TSR_TRY(tsr_to_dtype(ctx, &y, y, dtype));
  if (f->dims > 1 && !x->hidden && !last && tsr_conv_suggests_last(x->ndim, x->size, x->stride)) TSR_TRY(tsr_channels_last(ctx, &y, y));
  *out = y;
  return TSR_OK;
}

/* (input, output_size, [align_corners], scale...) */
TSR_KERNEL(sized) {
  const family *f = c->op->data;
  tsr_tensor *out;
  int64_t n;
  double factors[3] = {0};
  const int64_t *size = tsr_arg_ints(c, 1, &n);
  uint32_t at = f->corners ? 3 : 2;
  if (size == NULL) return c->ctx->err.status;
  if (n != f->dims) return tsr_op_fail(c->ctx, "It is expected output_size equals to %d, but got size %lld", f->dims, (long long)n);
  for (int d = 0; d < f->dims; d++) factors[d] = tsr_arg_is_none(c, at + (uint32_t)d) ? 0 : tsr_arg_float(c, at + (uint32_t)d);
  TSR_TRY(interpolate(c, &out, f, tsr_arg_tensor(c, 0), size, f->corners && tsr_arg_bool(c, 2), factors));
  return tsr_ret_tensor(c, 0, out);
}

/* Output size from either a size or scale factors; factors: 0 where a size decides. */
static tsr_status target(tsr_ctx *ctx, const tsr_tensor *x, int dims, const int64_t *size, int64_t ns, const double *scale, int64_t nf, int64_t *out, double *factors) {
  if ((size == NULL) == (scale == NULL)) return tsr_op_fail(ctx, "Must specify exactly one of output_size and scale_factors");
  if (x->ndim != dims + 2) return tsr_op_fail(ctx, "It is expected input_size equals to %d, but got size %d", dims + 2, x->ndim);
  if ((size != NULL ? ns : nf) != dims) return tsr_op_fail(ctx, "It is expected %s equals to %d, but got size %lld", size != NULL ? "output_size" : "scale_factors", dims, (long long)(size != NULL ? ns : nf));
  for (int d = 0; d < dims; d++) {
    double want = size != NULL ? 0 : (double)x->size[d + 2] * scale[d];
    if (want > 1e15 || want < -1e15 || isnan(want)) return tsr_op_fail(ctx, "scale factor %g is out of range", scale[d]);
    out[d] = size != NULL ? size[d] : (int64_t)want;
    factors[d] = size != NULL ? 0 : scale[d];
  }
  return TSR_OK;
}

/* (input, output_size?, [align_corners], scale_factors?) */
TSR_KERNEL(vec) {
  const family *f = c->op->data;
  tsr_tensor *x = tsr_arg_tensor(c, 0), *out;
  int64_t ns, nf, size[3];
  double factors[3];
  const int64_t *given = tsr_arg_ints(c, 1, &ns);
  const double *scale = tsr_arg_floats(c, f->corners ? 3 : 2, &nf);
  if (c->ctx->err.status != TSR_OK) return c->ctx->err.status;
  TSR_TRY(target(c->ctx, x, f->dims, given, ns, scale, nf, size, factors));
  TSR_TRY(interpolate(c, &out, f, x, size, f->corners && tsr_arg_bool(c, 2), factors));
  return tsr_ret_tensor(c, 0, out);
}

static const family families[] = {
    {"upsample_nearest1d", NEAREST, 1, false},        {"upsample_nearest2d", NEAREST, 2, false},
    {"upsample_nearest3d", NEAREST, 3, false},        {"_upsample_nearest_exact1d", NEAREST_EXACT, 1, false},
    {"_upsample_nearest_exact2d", NEAREST_EXACT, 2, false}, {"_upsample_nearest_exact3d", NEAREST_EXACT, 3, false},
    {"upsample_linear1d", LINEAR, 1, true},           {"upsample_bilinear2d", LINEAR, 2, true},
    {"upsample_trilinear3d", LINEAR, 3, true},        {"upsample_bicubic2d", CUBIC, 2, true},
    {"_upsample_bilinear2d_aa", LINEAR_AA, 2, true},  {"_upsample_bicubic2d_aa", CUBIC_AA, 2, true},
    {"_upsample_lanczos2d_aa", LANCZOS_AA, 2, true}};

/* ---- torch.nn.functional.interpolate of old archives, by the name of its mode ---- */

static const family *find_family(const char *mode_name, int dims, bool antialias) {
  mode m = strcmp(mode_name, "nearest") == 0 ? NEAREST : strcmp(mode_name, "nearest-exact") == 0 ? NEAREST_EXACT : strcmp(mode_name, "bicubic") == 0 ? CUBIC : LINEAR;
  if (antialias) m = m == CUBIC ? CUBIC_AA : LINEAR_AA;
  for (size_t i = 0; i < TSR_COUNT(families); i++) {
    if (families[i].mode == m && families[i].dims == dims) return &families[i];
  }
  return NULL;
}

static tsr_status area(tsr_call *c, tsr_tensor *x, int dims, const int64_t *size) {
  static const char *const names[] = {"aten::adaptive_avg_pool1d", "aten::adaptive_avg_pool2d", "aten::adaptive_avg_pool3d"};
  tsr_list *l = tsr_list_new(c->ctx->mem, &tsr_type_int, (size_t)dims);
  if (l == NULL) return tsr_ctx_nomem(c->ctx);
  for (int d = 0; d < dims; d++) tsr_list_push_take(l, tsr_int(size[d]));
  TSR_TRY(tsr_temp(c->ctx, tsr_from_obj(l)));
  tsr_val args[] = {tsr_from_obj(x), tsr_from_obj(l)}, ret;
  TSR_TRY(tsr_invoke(c->ctx, tsr_op_get(names[dims - 1], ""), args, 2, &ret, 1));
  return tsr_ret(c, 0, ret);
}

static tsr_status by_mode(tsr_call *c, uint32_t size_at, uint32_t scale_at, const char *mode_name, bool corners, bool recompute, bool antialias) {
  tsr_tensor *x = tsr_arg_tensor(c, 0), *out;
  int dims = x->ndim - 2;
  int64_t ns, nf, sizes[3], want[3];
  double scales[3], factors[3];
  const int64_t *size = tsr_arg_ints(c, size_at, &ns);
  const double *scale = tsr_arg_floats(c, scale_at, &nf);
  if (c->ctx->err.status != TSR_OK) return c->ctx->err.status;
  if (dims < 1 || dims > 3) return tsr_op_fail(c->ctx, "Input Error: Only 3D, 4D and 5D input Tensors supported (got %dD) for the modes: nearest | linear | bilinear | bicubic | trilinear | area | nearest-exact (got %s)", x->ndim, mode_name);
  for (int d = 0; d < dims; d++) { /* one number stands for all dimensions */
    if (size != NULL) sizes[d] = size[ns == 1 ? 0 : d];
    if (scale != NULL) scales[d] = scale[nf == 1 ? 0 : d];
  }
  if ((size != NULL && ns != 1 && ns != dims) || (scale != NULL && nf != 1 && nf != dims)) return tsr_op_fail(c->ctx, "Input and output must have the same number of spatial dimensions, but got input with spatial dimensions of %d", dims);
  TSR_TRY(target(c->ctx, x, dims, size != NULL ? sizes : NULL, dims, scale != NULL ? scales : NULL, dims, want, factors));
  if (strcmp(mode_name, "area") == 0) return area(c, x, dims, want);
  const family *f = find_family(mode_name, dims, antialias);
  if (f == NULL) return tsr_op_fail(c->ctx, "Got %dD input, but %s mode needs another number of dimensions", x->ndim, mode_name);
  if (recompute) memset(factors, 0, sizeof factors);
  TSR_TRY(interpolate(c, &out, f, x, want, f->corners && corners, factors));
  return tsr_ret_tensor(c, 0, out);
}

static bool flag(const tsr_call *c, uint32_t i) { return c->args[i].tag == TSR_V_BOOL && c->args[i].b; }
TSR_KERNEL(interpolate) { return by_mode(c, 1, 2, tsr_arg_str(c, 3)->bytes, flag(c, 4), flag(c, 5), flag(c, 6)); }
TSR_KERNEL(upsample) { return by_mode(c, 1, 2, tsr_arg_str(c, 3)->bytes, flag(c, 4), false, false); }
TSR_KERNEL(upsample_nearest) { return by_mode(c, 1, 2, "nearest", false, false, false); }
TSR_KERNEL(upsample_bilinear) { return by_mode(c, 1, 2, "bilinear", true, false, false); }

#define P TSR_PURE
#define O TSR_OUT_SAME
#define Q (TSR_PURE | TSR_ANY_ORDER)
#define ROWS(i, name, n, mid, scales)                                                                                        \
  {"aten::" name "(Tensor self, SymInt[" n "] output_size, " mid scales ") -> Tensor", op_sized, Q, &families[i]},           \
      {"aten::" name ".out(Tensor self, SymInt[" n "] output_size, " mid scales ", *, Tensor(a!) out) -> Tensor(a!)", op_sized, O, &families[i]}, \
      {"aten::" name ".vec(Tensor input, SymInt[]? output_size, " mid "float[]? scale_factors) -> Tensor", op_vec, Q, &families[i]}, \
      {"aten::" name ".vec_out(Tensor input, SymInt[]? output_size, " mid "float[]? scale_factors, *, Tensor(a!) out) -> Tensor(a!)", op_vec, TSR_OUT_NEW, &families[i]}
#define C "bool align_corners, "
#define S1 "float? scales=None"
#define S2 "float? scales_h=None, float? scales_w=None"
#define S3 "float? scales_d=None, " S2
#define INTERP(over, size, scale) \
  {"aten::__interpolate" over "(Tensor input, " size " size=None, " scale " scale_factor=None, str mode=\"nearest\", bool? align_corners=None, bool? recompute_scale_factor=None, bool antialias=False) -> Tensor", op_interpolate, P}

const tsr_op tsr_ops_upsample[] = {
    ROWS(0, "upsample_nearest1d", "1", "", S1), ROWS(1, "upsample_nearest2d", "2", "", S2), ROWS(2, "upsample_nearest3d", "3", "", S3),
    ROWS(3, "_upsample_nearest_exact1d", "1", "", S1), ROWS(4, "_upsample_nearest_exact2d", "2", "", S2), ROWS(5, "_upsample_nearest_exact3d", "3", "", S3),
    ROWS(6, "upsample_linear1d", "1", C, S1), ROWS(7, "upsample_bilinear2d", "2", C, S2), ROWS(8, "upsample_trilinear3d", "3", C, S3),
    ROWS(9, "upsample_bicubic2d", "2", C, S2), ROWS(10, "_upsample_bilinear2d_aa", "2", C, S2), ROWS(11, "_upsample_bicubic2d_aa", "2", C, S2),
    ROWS(12, "_upsample_lanczos2d_aa", "2", C, S2),
    INTERP(".scale_list", "int?", "float[]?"), INTERP(".size_list_scale_list", "int[]?", "float[]?"), INTERP("", "int?", "float?"), INTERP(".size_list", "int[]?", "float?"),
    {"aten::__upsample(Tensor input, int? size=None, int? scale_factor=None, str mode=\"nearest\", bool? align_corners=None) -> Tensor", op_upsample, P},
    {"aten::__upsample.size_list(Tensor input, int[]? size=None, int? scale_factor=None, str mode=\"nearest\", bool? align_corners=None) -> Tensor", op_upsample, P},
    {"aten::__upsample_nearest(Tensor input, int? size=None, int? scale_factor=None) -> Tensor", op_upsample_nearest, P},
    {"aten::__upsample_nearest.size_list(Tensor input, int[]? size=None, int? scale_factor=None) -> Tensor", op_upsample_nearest, P},
    {"aten::__upsample_bilinear(Tensor input, int? size=None, int? scale_factor=None) -> Tensor", op_upsample_bilinear, P},
    {"aten::__upsample_bilinear.size_list(Tensor input, int[]? size=None, int? scale_factor=None) -> Tensor", op_upsample_bilinear, P},
    {"aten::__upsample_bilinear.scale_list(Tensor input, int? size=None, int[]? scale_factor=None) -> Tensor", op_upsample_bilinear, P},
    {"aten::__upsample_bilinear.size_list_scale_list(Tensor input, int[]? size=None, int[]? scale_factor=None) -> Tensor", op_upsample_bilinear, P},
    {0}};
