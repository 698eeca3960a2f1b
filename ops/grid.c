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
} sampler;

static double unnormalise(double x, int64_t size, bool corners) {
  return corners ? (x + 1) / 2 * (double)(size - 1) : ((x + 1) * (double)size - 1) / 2;
}

/* Fold x into [low/2, high/2] as at mirrors. */
static double reflect(double x, int64_t low2, int64_t high2) {
  if (low2 == high2) return 0;
  double lo = (double)low2 / 2, span = (double)(high2 - low2) / 2;
  x = fabs(x - lo);
  double extra = fmod(x, span);
  return (int64_t)floor(x / span) % 2 == 0 ? extra + lo : span - extra + lo;
}

static double clip(double x, int64_t size) { return fmin((double)(size - 1), fmax(x, 0)); }

static double place(const sampler *s, double x, int64_t size) {
  if (s->pad == BORDER) return clip(x, size);
  if (s->pad == REFLECTION) {
    x = s->corners ? reflect(x, 0, 2 * (size - 1)) : reflect(x, -1, 2 * size - 1);
    return clip(x, size);
  }
  return x;
}

/* Indices and weights along one axis: up to 4 taps, weight 0 outside. */
typedef struct axis { int n; int64_t at[4]; double w[4]; } axis;

static bool inside(int64_t i, int64_t size) { return i >= 0 && i < size; }

static void tap(axis *a, double at, double w, int64_t size) {
  bool in = at >= -1e15 && at <= 1e15 && inside((int64_t)at, size); /* NaN and far away: nothing */
  a->at[a->n] = in ? (int64_t)at : 0;
  a->w[a->n++] = in ? w : 0;
}

static void cubic_axis(const sampler *s, axis *a, double x, int64_t size) {
  double lo = floor(x), f = x - lo, A = -0.75;
  double d0 = f + 1, d2 = 1 - f, d3 = 2 - f;
  double w[4] = {((A * d0 - 5 * A) * d0 + 8 * A) * d0 - 4 * A, ((A + 2) * f - (A + 3)) * f * f + 1,
                 ((A + 2) * d2 - (A + 3)) * d2 * d2 + 1, ((A * d3 - 5 * A) * d3 + 8 * A) * d3 - 4 * A};
  for (int k = 0; k < 4; k++) tap(a, place(s, lo - 1 + k, size), w[k], size); /* each tap is padded by itself */
}

static axis axis_of(const sampler *s, double x, int64_t size) {
  axis a = {0};
  x = unnormalise(x, size, s->corners);
  if (s->mode == BICUBIC) {
    cubic_axis(s, &a, x, size);
    return a;
  }
  x = place(s, x, size);
  if (s->mode == NEAREST) {
    tap(&a, nearbyint(x), 1, size);
  } else {
    double lo = floor(x);
    tap(&a, lo, lo + 1 - x, size);
    tap(&a, lo + 1, x - lo, size);
  }
  return a;
}

static void sample_points(void *arg, int64_t begin, int64_t end) {
  const sampler *s = arg;
  for (int64_t i = begin; i < end; i++) {
    int64_t b = i / s->points, at = i % s->points;
    const double *g = s->grid + i * s->dims;
    axis x = axis_of(s, g[0], s->size[2]), y = axis_of(s, g[1], s->size[1]);
    axis z = {1, {0}, {1}};
    if (s->dims == 3) z = axis_of(s, g[2], s->size[0]);
    for (int64_t c = 0; c < s->c; c++) {
      const double *plane = s->in + (b * s->c + c) * s->plane;
      double sum = 0;
      for (int kz = 0; kz < z.n; kz++) {
        for (int ky = 0; ky < y.n; ky++) {
          double wzy = z.w[kz] * y.w[ky];
          if (wzy == 0) continue;
          const double *row = plane + (z.at[kz] * s->size[1] + y.at[ky]) * s->size[2];
          for (int kx = 0; kx < x.n; kx++) {
            if (x.w[kx] != 0) sum += row[x.at[kx]] * (wzy * x.w[kx]);
          }
        }
      }
      s->out[(b * s->c + c) * s->points + at] = sum;
    }
  }
}

static tsr_status check(tsr_ctx *ctx, const tsr_tensor *in, const tsr_tensor *grid, int64_t mode, int64_t pad) {
  char a[128], b[128];
  tsr_sizes_print(a, sizeof a, in->ndim, in->size);
  tsr_sizes_print(b, sizeof b, grid->ndim, grid->size);
  if (in->ndim != 4 && in->ndim != 5) return tsr_op_fail(ctx, "grid_sampler(): expected 4D or 5D input and grid with same number of dimensions, but got input with sizes %s and grid with sizes %s", a, b);
  if (grid->ndim != in->ndim) return tsr_op_fail(ctx, "grid_sampler(): expected 4D or 5D input and grid with same number of dimensions, but got input with sizes %s and grid with sizes %s", a, b);
  if (in->size[0] != grid->size[0]) return tsr_op_fail(ctx, "grid_sampler(): expected grid and input to have same batch size, but got input with sizes %s and grid with sizes %s", a, b);
  if (grid->size[grid->ndim - 1] != in->ndim - 2) return tsr_op_fail(ctx, "grid_sampler(): expected grid to have size %d in last dimension, but got grid with sizes %s", in->ndim - 2, b);
  if (in->dtype != grid->dtype) return tsr_op_fail(ctx, "grid_sampler(): expected input and grid to have same dtype, but input has %s and grid has %s", tsr_dtype_get_info(in->dtype)->name, tsr_dtype_get_info(grid->dtype)->name);
  for (int d = 2; d < in->ndim; d++) {
    if (in->size[d] == 0) return tsr_op_fail(ctx, "grid_sampler(): expected input to have non-empty spatial dimensions, but input has sizes %s with dimension %d being empty", a, d);
  }
  if (mode < 0 || mode > 2 || pad < 0 || pad > 2) return tsr_op_fail(ctx, "grid_sampler(): unknown interpolation mode %lld or padding mode %lld", (long long)mode, (long long)pad);
  if (mode == BICUBIC && in->ndim == 5) return tsr_op_fail(ctx, "grid_sampler(): bicubic interpolation only supports 4D input");
  return TSR_OK;
}

TSR_KERNEL(grid_sampler) {
  tsr_ctx *ctx = c->ctx;
  tsr_tensor *in = tsr_arg_tensor(c, 0), *grid = tsr_arg_tensor(c, 1), *out;
  tsr_dtype dtype = (tsr_dtype)in->dtype;
  TSR_TRY(check(ctx, in, grid, tsr_arg_int(c, 2), tsr_arg_int(c, 3)));
  int64_t size[5] = {in->size[0], in->size[1]};
  for (int d = 2; d < in->ndim; d++) size[d] = grid->size[d - 1];
  sampler s = {.dims = in->ndim - 2, .n = size[0], .c = size[1], .points = 1, .size = {1, 1, 1}, .mode = (interpolation)tsr_arg_int(c, 2),
               .pad = (padding)tsr_arg_int(c, 3), .corners = tsr_arg_bool(c, 4)};
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

static double base_coordinate(int64_t i, int64_t n, bool corners) {
  if (n <= 1) return 0;
  double x = -1 + 2.0 * (double)i / (double)(n - 1);
  return corners ? x : x * (double)(n - 1) / (double)n;
}

TSR_KERNEL(affine_grid) {
  tsr_ctx *ctx = c->ctx;
  tsr_tensor *theta = tsr_arg_tensor(c, 0), *out;
  int64_t n;
  const int64_t *size = tsr_arg_ints(c, 1, &n);
  bool corners = tsr_arg_bool(c, 2);
  tsr_dtype dtype = (tsr_dtype)theta->dtype;
  if (size == NULL) return ctx->err.status;
  if (n != 4 && n != 5) return tsr_op_fail(ctx, "AffineGridGenerator needs 4d (spatial) or 5d (volumetric) inputs.");
  int dims = (int)n - 2;
  if (theta->ndim != 3 || theta->size[0] != size[0] || theta->size[1] != dims || theta->size[2] != dims + 1) {
    char got[128];
    tsr_sizes_print(got, sizeof got, theta->ndim, theta->size);
    return tsr_op_fail(ctx, "Expected a batch of %dD affine matrices of shape Nx%dx%d for size, but got %s", dims, dims, dims + 1, got);
  }
  int64_t shape[5] = {size[0]}, full[3] = {1, 1, 1};
  for (int d = 0; d < dims; d++) {
    shape[d + 1] = size[d + 2];
    full[3 - dims + d] = size[d + 2];
  }
  shape[dims + 1] = dims;
  TSR_TRY(tsr_ready(ctx, &theta, theta, TSR_FLOAT64));
  TSR_TRY(tsr_new(ctx, &out, TSR_FLOAT64, dims + 2, shape));
  const double *m = tsr_tensor_data_ro(theta);
  double *o = out->storage->data;
  for (int64_t b = 0; b < size[0]; b++, m += dims * (dims + 1)) {
    for (int64_t z = 0; z < full[0]; z++) {
      for (int64_t y = 0; y < full[1]; y++) {
        for (int64_t x = 0; x < full[2]; x++) {
          double p[4] = {base_coordinate(x, full[2], corners), base_coordinate(y, full[1], corners), 1, 1};
          if (dims == 3) p[2] = base_coordinate(z, full[0], corners);
          for (int r = 0; r < dims; r++) {
            double sum = 0;
            for (int k = 0; k <= dims; k++) sum += m[r * (dims + 1) + k] * p[k];
            *o++ = sum;
          }
        }
      }
    }
  }
  TSR_TRY(tsr_to_dtype(ctx, &out, out, dtype));
  return tsr_ret_tensor(c, 0, out);
}

#define P TSR_PURE
#define O TSR_OUT
#define ARGS "Tensor input, Tensor grid, int interpolation_mode, int padding_mode, bool align_corners"
const tsr_op tsr_ops_grid[] = {
    {"aten::grid_sampler(" ARGS ") -> Tensor", op_grid_sampler, P}, {"aten::grid_sampler_2d(" ARGS ") -> Tensor", op_grid_sampler, P},
    {"aten::grid_sampler_2d.out(" ARGS ", *, Tensor(a!) out) -> Tensor(a!)", op_grid_sampler, TSR_OUT_NEW}, {"aten::grid_sampler_3d(" ARGS ") -> Tensor", op_grid_sampler, P},
    {"aten::grid_sampler_3d.out(" ARGS ", *, Tensor(a!) out) -> Tensor(a!)", op_grid_sampler, TSR_OUT_NEW},
    {"aten::_grid_sampler_2d_cpu_fallback(" ARGS ") -> Tensor", op_grid_sampler, P},
    {"aten::affine_grid_generator(Tensor theta, SymInt[] size, bool align_corners) -> Tensor", op_affine_grid, P},
    {"aten::affine_grid_generator.out(Tensor theta, SymInt[] size, bool align_corners, *, Tensor(a!) out) -> Tensor(a!)", op_affine_grid, TSR_OUT_NEW},
    {0}};
