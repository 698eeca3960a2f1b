/* Sampling at arbitrary points: grid_sampler and affine_grid_generator. */
#include <math.h>

#include "ops/native.h"

typedef enum interpolation { BILINEAR, NEAREST, BICUBIC } interpolation;
typedef enum padding { ZEROS, BORDER, REFLECTION } padding;

typedef struct sampler {
  const double *in, *grid;
  double *out;
  int dims;                 /* 2 or 3 spatial */
  int64_t n, c, points;     /* batch, channels, output positions */
  int64_t size[3], plane;   /* input D, H, W (innermost last) */
  interpolation mode;
  padding pad;
  bool corners;
  tsr_dtype dtype;
} sampler;

typedef struct grid_row { int dims; bool fallback; } grid_row; /* of op->data */

/* To the element type: PyTorch computes coordinates, weights and sums in it, step by step, and a rounding moves a pixel. */
static double rnd(const sampler *s, double x) { return s->dtype == TSR_FLOAT32 ? (double)(float)x : s->dtype == TSR_FLOAT64 ? x : tsr_dtype_round(s->dtype, x); }

/* The steps differ in two dimensions (its vector kernel) and three (its plain one). */
static double unnormalise(const sampler *s, double x, int64_t size) {
  double n = rnd(s, (double)size), less = rnd(s, (double)(size - 1));
  x = rnd(s, x + 1);
  if (s->dims == 2) return s->corners ? rnd(s, x * rnd(s, less / 2)) : rnd(s, rnd(s, x * rnd(s, n / 2)) - 0.5);
  return s->corners ? rnd(s, rnd(s, x / 2) * less) : rnd(s, rnd(s, rnd(s, x * n) - 1) / 2);
}

/* Fold x into the picture as at mirrors that stand at the centres of its corner pixels, or at their outer edges. */
static double reflect(const sampler *s, double x, int64_t size) {
  if (s->dims == 2) {
    double low = s->corners ? 0 : -0.5, twice = rnd(s, rnd(s, (double)(s->corners ? size - 1 : size)) * 2);
    if (s->corners && size <= 1) return 0;
    x = fabs(rnd(s, x - low));
    double extra = rnd(s, x - rnd(s, trunc(rnd(s, x / twice)) * twice)), other = rnd(s, twice - extra);
    return rnd(s, (extra != extra || extra < other ? extra : other) + low);
  }
  double low = s->corners ? 0 : -0.5, span = rnd(s, (double)(s->corners ? size - 1 : size));
  if (span == 0) return 0;
  x = fabs(rnd(s, x - low));
  double extra = rnd(s, fmod(x, span)), flips = floor(rnd(s, x / span));
  bool even = !(fabs(flips) < 2147483648.0) || (int64_t)flips % 2 == 0;
  return rnd(s, (even ? extra : rnd(s, span - extra)) + low);
}

/* NaN is the first pixel in two dimensions, the last in three. */
static double clip(const sampler *s, double x, int64_t size) {
  double last = rnd(s, (double)(size - 1));
  if (x != x) return s->dims == 2 ? 0 : last;
  return fmin(last, fmax(x, 0));
}

static double place(const sampler *s, double x, int64_t size) {
  if (s->pad == ZEROS) return x;
  return clip(s, s->pad == REFLECTION ? reflect(s, x, size) : x, size);
}

/* Indices and weights along one axis: up to 4 taps, index -1 outside. */
typedef struct axis { int n; int64_t at[4]; double w[4]; } axis;

static void tap(axis *a, double at, double w, int64_t size) {
  a->at[a->n] = at >= 0 && at < (double)size ? (int64_t)at : -1; /* NaN: outside */
  a->w[a->n++] = w;
}

static double outer_weight(const sampler *s, double x) { /* the cubic filter from 1 to 2 */
  double y = rnd(s, rnd(s, -0.75 * x) + 3.75);
  return rnd(s, rnd(s, rnd(s, rnd(s, y * x) - 6) * x) + 3);
}

static double inner_weight(const sampler *s, double x) { /* from 0 to 1 */
  double y = rnd(s, rnd(s, 1.25 * x) - 2.25);
  return rnd(s, rnd(s, rnd(s, y * x) * x) + 1);
}

static void cubic_axis(const sampler *s, axis *a, double x, int64_t size) {
  double lo = floor(x), f = rnd(s, x - lo);
  double w[4] = {outer_weight(s, rnd(s, f + 1)), inner_weight(s, f), inner_weight(s, rnd(s, 1 - f)), outer_weight(s, rnd(s, 2 - f))};
  for (int k = 0; k < 4; k++) tap(a, trunc(place(s, rnd(s, lo - 1 + k), size)), w[k], size); /* each tap is padded by itself */
}

static axis axis_of(const sampler *s, double x, int64_t size) {
  axis a = {0};
  x = unnormalise(s, x, size);
  if (s->mode == BICUBIC) {
    cubic_axis(s, &a, x, size);
    return a;
  }
  x = place(s, x, size);
  if (s->mode == NEAREST) {
    tap(&a, nearbyint(x), 1, size);
    return a;
  }
  double lo = floor(x), far = rnd(s, x - lo);
  tap(&a, lo, s->dims == 2 ? rnd(s, 1 - far) : rnd(s, rnd(s, lo + 1) - x), size);
  tap(&a, lo + 1, far, size);
  return a;
}

static double pixel(const sampler *s, const double *plane, int64_t y, int64_t x) { return x < 0 || y < 0 ? 0 : plane[y * s->size[2] + x]; }

static double bicubic(const sampler *s, const double *plane, const axis *y, const axis *x) {
  double sum = 0;
  for (int ky = 0; ky < 4; ky++) {
    double row = rnd(s, x->w[0] * pixel(s, plane, y->at[ky], x->at[0]));
    for (int kx = 1; kx < 4; kx++) row = rnd(s, row + rnd(s, x->w[kx] * pixel(s, plane, y->at[ky], x->at[kx])));
    row = rnd(s, y->w[ky] * row);
    sum = ky == 0 ? row : rnd(s, sum + row);
  }
  return sum;
}

/* In two dimensions what lies outside counts as zeros (times a weight that may be NaN), in three it is left out. */
static double blend(const sampler *s, const double *plane, const axis *z, const axis *y, const axis *x) {
  double sum = 0;
  bool first = s->dims == 2;
  if (s->mode == NEAREST) return z->at[0] < 0 ? 0 : pixel(s, plane + z->at[0] * s->size[1] * s->size[2], y->at[0], x->at[0]);
  for (int kz = 0; kz < z->n; kz++)
    for (int ky = 0; ky < 2; ky++)
      for (int kx = 0; kx < 2; kx++) {
        bool out = z->at[kz] < 0 || y->at[ky] < 0 || x->at[kx] < 0;
        if (out && s->dims == 3) continue;
        double w = s->dims == 2 ? rnd(s, y->w[ky] * x->w[kx]) : rnd(s, rnd(s, x->w[kx] * y->w[ky]) * z->w[kz]);
        double v = rnd(s, (out ? 0 : plane[(z->at[kz] * s->size[1] + y->at[ky]) * s->size[2] + x->at[kx]]) * w);
        sum = first ? v : rnd(s, sum + v);
        first = false;
      }
  return sum;
}

static void sample_points(void *arg, int64_t begin, int64_t end) {
  const sampler *s = arg;
  for (int64_t i = begin; i < end; i++) {
    int64_t b = i / s->points, at = i % s->points;
    const double *g = s->grid + i * s->dims;
    axis x = axis_of(s, g[0], s->size[2]), y = axis_of(s, g[1], s->size[1]), z = {1, {0}, {1}};
    if (s->dims == 3) z = axis_of(s, g[2], s->size[0]);
    for (int64_t c = 0; c < s->c; c++) {
      const double *plane = s->in + (b * s->c + c) * s->plane;
      s->out[(b * s->c + c) * s->points + at] = s->mode == BICUBIC ? bicubic(s, plane, &y, &x) : blend(s, plane, &z, &y, &x);
    }
  }
}

/* dims: spatial ones that the operator wants, 0: those of the input. */
static tsr_status check(tsr_ctx *ctx, const tsr_tensor *in, const tsr_tensor *grid, int dims, int64_t mode, int64_t pad) {
  char a[128], b[128];
  tsr_sizes_print(a, sizeof a, in->ndim, in->size);
  tsr_sizes_print(b, sizeof b, grid->ndim, grid->size);
  if (in->ndim < 1 || grid->ndim < 1) return tsr_op_fail(ctx, "grid_sampler(): input with sizes %s and grid with sizes %s need a batch dimension", a, b);
  if (in->size[0] != grid->size[0]) return tsr_op_fail(ctx, "grid_sampler(): expected grid and input to have same batch size, but got input with sizes %s and grid with sizes %s", a, b);
  if (grid->size[grid->ndim - 1] != in->ndim - 2) return tsr_op_fail(ctx, "grid_sampler(): expected grid to have size %d in last dimension, but got grid with sizes %s", in->ndim - 2, b);
  for (int d = 2; d < in->ndim; d++) {
    if (in->size[d] == 0) return tsr_op_fail(ctx, "grid_sampler(): expected input to have non-empty spatial dimensions, but input has sizes %s with dimension %d being empty", a, d);
  }
  const char *form = dims == 2 ? "4D" : dims == 3 ? "5D" : "4D or 5D";
  if ((dims > 0 ? in->ndim != dims + 2 : in->ndim != 4 && in->ndim != 5) || grid->ndim != in->ndim)
    return tsr_op_fail(ctx, "grid_sampler(): expected %s input and grid with same number of dimensions, but got input with sizes %s and grid with sizes %s", form, a, b);
  if (mode == BICUBIC && in->ndim == 5) return tsr_op_fail(ctx, "grid_sampler(): bicubic interpolation only supports 4D input");
  if (mode < 0 || mode > 2 || (in->ndim == 4 && (pad < 0 || pad > 2)))
    return tsr_op_fail(ctx, "grid_sampler(): unknown interpolation mode %lld or padding mode %lld", (long long)mode, (long long)pad);
  return TSR_OK;
}

static tsr_status check_types(tsr_ctx *ctx, const tsr_tensor *in, const tsr_tensor *grid, bool fallback) {
  const char *xs = tsr_dtype_get_info(in->dtype)->cpp_name, *gs = tsr_dtype_get_info(grid->dtype)->cpp_name;
  if (fallback) { /* PyTorch's is for float32 only */
    if (in->dtype != TSR_FLOAT32 || grid->dtype != TSR_FLOAT32) return tsr_op_fail(ctx, "expected scalar type Float but found %s", in->dtype != TSR_FLOAT32 ? xs : gs);
    return TSR_OK;
  }
  if (in->ndim == 4 && in->size[1] == 0) return TSR_OK; /* nothing is computed */
  if (!tsr_dtype_is_float((tsr_dtype)in->dtype)) return tsr_op_fail(ctx, "\"%s\" not implemented for '%s'", in->ndim == 4 ? "grid_sampler_2d_cpu_kernel_impl" : "grid_sampler3d_cpu", xs);
  return in->dtype == grid->dtype ? TSR_OK : tsr_op_fail(ctx, "expected scalar type %s but found %s", xs, gs);
}

TSR_KERNEL(grid_sampler) {
  tsr_ctx *ctx = c->ctx;
  tsr_tensor *in = tsr_arg_tensor(c, 0), *grid = tsr_arg_tensor(c, 1), *out;
  tsr_dtype dtype = (tsr_dtype)in->dtype;
  const grid_row *r = c->op->data;
  TSR_TRY(check(ctx, in, grid, r->dims, tsr_arg_int(c, 2), tsr_arg_int(c, 3)));
  TSR_TRY(check_types(ctx, in, grid, r->fallback));
  int64_t size[5] = {in->size[0], in->size[1]};
  for (int d = 2; d < in->ndim; d++) size[d] = grid->size[d - 1];
  sampler s = {.dims = in->ndim - 2, .n = size[0], .c = size[1], .points = 1, .size = {1, 1, 1}, .mode = (interpolation)tsr_arg_int(c, 2),
               .pad = (padding)(tsr_arg_int(c, 3) >= 0 && tsr_arg_int(c, 3) <= 2 ? tsr_arg_int(c, 3) : ZEROS), .corners = tsr_arg_bool(c, 4), .dtype = dtype};
  for (int d = 0; d < s.dims; d++) {
    s.points *= size[d + 2];
    s.size[3 - s.dims + d] = in->size[d + 2];
  }
  s.plane = s.size[0] * s.size[1] * s.size[2];
  TSR_TRY(tsr_ready(ctx, &in, in, TSR_FLOAT64));
  TSR_TRY(tsr_ready(ctx, &grid, grid, TSR_FLOAT64));
  TSR_TRY(tsr_new(ctx, &out, TSR_FLOAT64, in->ndim, size));
  s.in = tsr_tensor_data_ro(in);
  s.grid = tsr_tensor_data_ro(grid);
  s.out = out->storage->data;
  tsr_parallel_for(ctx, s.n * s.points, 1024, sample_points, &s);
  TSR_TRY(tsr_to_dtype(ctx, &out, out, dtype));
  return tsr_ret_tensor(c, 0, out);
}

/* ---- theta [N, dims, dims+1] times the base grid ---- */

/* From -1 to 1 in n steps, in the type of the matrices: PyTorch's own steps, whose roundings (of integers above all) one sees. */
static tsr_status base_axis(tsr_ctx *ctx, tsr_tensor **out, tsr_dtype dtype, int64_t n, bool corners) {
  if (n <= 1) return tsr_new_scalar(ctx, out, dtype, tsr_scalar_int(0));
  tsr_val args[7] = {tsr_int(-1), tsr_int(1), tsr_int(n), tsr_int(dtype), tsr_none(), tsr_none(), tsr_none()}, ret;
  TSR_TRY(tsr_invoke(ctx, tsr_op_get("aten::linspace", ""), args, 7, &ret, 1));
  *out = ret.t;
  if (corners) return TSR_OK;
  TSR_TRY(tsr_binary_scalar(ctx, out, "mul", *out, tsr_scalar_int(n - 1)));
  return tsr_binary_scalar(ctx, out, "div", *out, tsr_scalar_int(n));
}

TSR_KERNEL(affine_grid) {
  tsr_ctx *ctx = c->ctx;
  tsr_tensor *theta = tsr_arg_tensor(c, 0), *base, *column, *line, *out;
  int64_t n, shape[5], points = 1;
  const int64_t *size = tsr_arg_ints(c, 1, &n);
  tsr_dtype dtype = (tsr_dtype)theta->dtype;
  if (size == NULL) return ctx->err.status;
  if (n != 4 && n != 5) return tsr_op_fail(ctx, "AffineGridGenerator needs 4d (spatial) or 5d (volumetric) inputs.");
  int dims = (int)n - 2;
  shape[0] = size[0];
  for (int d = 0; d < dims; d++) shape[d + 1] = size[d + 2];
  shape[dims + 1] = dims + 1;
  TSR_TRY(tsr_new(ctx, &base, dtype, dims + 2, shape));
  for (int k = 0; k <= dims; k++) { /* width, height, depth, ones */
    TSR_TRY(tsr_select(ctx, &column, base, dims + 1, k));
    if (k == dims) {
      TSR_TRY(tsr_fill(ctx, column, tsr_scalar_int(1)));
      continue;
    }
    TSR_TRY(base_axis(ctx, &line, dtype, size[n - 1 - k], tsr_arg_bool(c, 2)));
    for (int i = 0; i < k; i++) TSR_TRY(tsr_unsqueeze(ctx, &line, line, -1));
    TSR_TRY(tsr_copy_into(ctx, column, line));
    points *= size[n - 1 - k];
  }
  TSR_TRY(tsr_view_as(ctx, &base, base, 3, (int64_t[]){size[0], points, dims + 1}));
  TSR_TRY(tsr_transpose(ctx, &theta, theta, 1, 2));
  TSR_TRY(tsr_bmm(ctx, &out, base, theta));
  shape[dims + 1] = dims;
  TSR_TRY(tsr_view_as(ctx, &out, out, dims + 2, shape));
  return tsr_ret_tensor(c, 0, out);
}

static const grid_row any = {0, false}, two = {2, false}, three = {3, false}, slow = {2, true};

#define P TSR_PURE
#define O TSR_OUT
#define ARGS "Tensor input, Tensor grid, int interpolation_mode, int padding_mode, bool align_corners"
const tsr_op tsr_ops_grid[] = {
    {"aten::grid_sampler(" ARGS ") -> Tensor", op_grid_sampler, P, &any}, {"aten::grid_sampler_2d(" ARGS ") -> Tensor", op_grid_sampler, P, &two},
    {"aten::grid_sampler_2d.out(" ARGS ", *, Tensor(a!) out) -> Tensor(a!)", op_grid_sampler, TSR_OUT_NEW, &two}, {"aten::grid_sampler_3d(" ARGS ") -> Tensor", op_grid_sampler, P, &three},
    {"aten::grid_sampler_3d.out(" ARGS ", *, Tensor(a!) out) -> Tensor(a!)", op_grid_sampler, TSR_OUT_NEW, &three},
    {"aten::_grid_sampler_2d_cpu_fallback(" ARGS ") -> Tensor", op_grid_sampler, P, &slow},
    {"aten::affine_grid_generator(Tensor theta, SymInt[] size, bool align_corners) -> Tensor", op_affine_grid, P},
    {"aten::affine_grid_generator.out(Tensor theta, SymInt[] size, bool align_corners, *, Tensor(a!) out) -> Tensor(a!)", op_affine_grid, TSR_OUT_NEW},
    {0}};
