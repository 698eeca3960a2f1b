/* Rearrangements of images: sliding windows to columns and back, pixels to channels and back. */
#include <stdio.h>

#include "ops/conv.h"
#include "ops/native.h"

typedef struct windows { /* of a [n, c, h, w] image */
  int64_t n, c, h, w;
  int64_t kernel[2], dilation[2], padding[2], stride[2], count[2];
  const char *src;
  char *dst;
  size_t item;
} windows;

static tsr_status pair(tsr_call *c, uint32_t i, const char *name, int64_t *out) {
  int64_t n;
  const int64_t *v = tsr_arg_ints(c, i, &n);
  if (v == NULL) return c->ctx->err.status;
  if (n != 2) return tsr_op_fail(c->ctx, "It is expected %s equals to 2, but got size %lld", name, (long long)n);
  memcpy(out, v, 2 * sizeof *v);
  return TSR_OK;
}

/* kernel, dilation, padding, stride from argument `at` on */
static tsr_status read_windows(tsr_call *c, uint32_t at, windows *g) {
  TSR_TRY(pair(c, at, "kernel_size", g->kernel));
  TSR_TRY(pair(c, at + 1, "dilation", g->dilation));
  TSR_TRY(pair(c, at + 2, "padding", g->padding));
  return pair(c, at + 3, "stride", g->stride);
}

static tsr_status least(tsr_ctx *ctx, const char *what, const char *form, const char *each, int64_t from, const int64_t *v) {
  if (v[0] >= from && v[1] >= from) return TSR_OK;
  return tsr_op_fail(ctx, "%s should be %s, but got %s_height: %lld %s_width: %lld", what, form, each, (long long)v[0], each, (long long)v[1]);
}

/* The two operators look at the stride last and second. */
static tsr_status check_windows(tsr_ctx *ctx, const windows *g, bool columns) {
  TSR_TRY(least(ctx, "kernel size", "greater than zero", "kernel", 1, g->kernel));
  if (!columns) TSR_TRY(least(ctx, "stride", "greater than zero", "stride", 1, g->stride));
  TSR_TRY(least(ctx, "dilation", "greater than zero", "dilation", 1, g->dilation));
  TSR_TRY(least(ctx, "padding", "non-negative", "pad", 0, g->padding));
  return columns ? least(ctx, "stride", "greater than zero", "stride", 1, g->stride) : TSR_OK;
}

static tsr_status count_windows(tsr_ctx *ctx, windows *g) {
  int64_t size[2] = {g->h, g->w};
  for (int d = 0; d < 2; d++) {
    int64_t span, room, wide;
    if (tsr_mul_overflow(g->dilation[d], g->kernel[d] - 1, &span) || tsr_mul_overflow(g->padding[d], 2, &wide) || tsr_add_overflow(size[d] - 1, wide, &room) ||
        tsr_add_overflow(room, -span, &room))
      return tsr_op_fail(ctx, "sizes of sliding blocks overflow");
    g->count[d] = (room - (room < 0 ? g->stride[d] - 1 : 0)) / g->stride[d] + 1; /* rounded down */
  }
  return TSR_OK;
}

static void to_columns(void *arg, int64_t begin, int64_t end) { /* one task a (n, c) plane */
  const windows *g = arg;
  int64_t area = g->count[0] * g->count[1];
  for (int64_t p = begin; p < end; p++) {
    const char *plane = g->src + (size_t)(p * g->h * g->w) * g->item;
    char *d = g->dst + (size_t)(p * g->kernel[0] * g->kernel[1] * area) * g->item;
    for (int64_t ky = 0; ky < g->kernel[0]; ky++) {
      for (int64_t kx = 0; kx < g->kernel[1]; kx++) {
        for (int64_t oy = 0; oy < g->count[0]; oy++) {
          int64_t y = oy * g->stride[0] - g->padding[0] + ky * g->dilation[0];
          for (int64_t ox = 0; ox < g->count[1]; ox++, d += g->item) {
            int64_t x = ox * g->stride[1] - g->padding[1] + kx * g->dilation[1];
            bool in = y >= 0 && y < g->h && x >= 0 && x < g->w;
            if (in) memcpy(d, plane + (size_t)(y * g->w + x) * g->item, g->item);
            else memset(d, 0, g->item);
          }
        }
      }
    }
  }
}

static tsr_status check_type(tsr_ctx *ctx, const tsr_tensor *x, const char *name) {
  tsr_dtype d = (tsr_dtype)x->dtype;
  return tsr_dtype_is_integral(d, false) ? tsr_op_fail(ctx, "\"%s\" not implemented for '%s'", name, tsr_dtype_get_info(d)->cpp_name) : TSR_OK;
}

static tsr_status check_image(tsr_ctx *ctx, const tsr_tensor *x) {
  char got[128];
  int64_t dim;
  if (x->ndim < 3) return tsr_wrap_dim(ctx, x->ndim == 2 ? 2 : 1, x->ndim, &dim);
  bool filled = x->ndim == 3 || x->ndim == 4;
  for (int d = x->ndim == 3 ? 0 : 1; d < x->ndim; d++) filled = filled && x->size[d] != 0;
  tsr_sizes_print(got, sizeof got, x->ndim, x->size);
  return filled ? TSR_OK : tsr_op_fail(ctx, "Expected 3D or 4D (batch mode) tensor with possibly 0 batch size and other non-zero dimensions for input, but got: %s", got);
}

TSR_KERNEL(im2col) {
  tsr_ctx *ctx = c->ctx;
  tsr_tensor *x = tsr_arg_tensor(c, 0), *out;
  windows g = {0};
  TSR_TRY(read_windows(c, 1, &g));
  TSR_TRY(check_windows(ctx, &g, true));
  TSR_TRY(check_image(ctx, x));
  bool single = x->ndim == 3;
  if (single) TSR_TRY(tsr_unsqueeze(ctx, &x, x, 0));
  TSR_TRY(tsr_contiguous(ctx, &x, x));
  g.n = x->size[0], g.c = x->size[1], g.h = x->size[2], g.w = x->size[3];
  TSR_TRY(count_windows(ctx, &g));
  if (g.count[0] < 1 || g.count[1] < 1)
    return tsr_op_fail(ctx, "Given input with spatial size (%lld, %lld), kernel_size=(%lld, %lld), dilation=(%lld, %lld), padding=(%lld, %lld), calculated shape of the array of sliding blocks as (%lld, %lld), but its components must be at least one.",
                       (long long)g.h, (long long)g.w, (long long)g.kernel[0], (long long)g.kernel[1], (long long)g.dilation[0], (long long)g.dilation[1],
                       (long long)g.padding[0], (long long)g.padding[1], (long long)g.count[0], (long long)g.count[1]);
  TSR_TRY(check_type(ctx, x, "im2col_out_cpu"));
  int64_t size[] = {g.n, g.c * g.kernel[0] * g.kernel[1], g.count[0] * g.count[1]};
  tsr_dtype d = (tsr_dtype)x->dtype, od;
  if (g.n == 0 && tsr_out_dtype(c, 0, &od)) d = od; /* nothing is written: PyTorch does not look at the type */
  TSR_TRY(tsr_new(ctx, &out, d, 3, size));
  g.src = tsr_tensor_data_ro(x);
  g.dst = out->storage->data;
  g.item = tsr_tensor_itemsize(x);
  tsr_parallel_for(ctx, g.n * g.c, 1, to_columns, &g);
  if (single) TSR_TRY(tsr_select(ctx, &out, out, 0, 0));
  return tsr_ret_tensor(c, 0, out);
}

/* Sums in complex128 or float64: overlapping windows add up. */
static void add_columns(const windows *g, int parts) {
  const double *s = (const double *)g->src;
  for (int64_t p = 0; p < g->n * g->c; p++) {
    double *plane = (double *)g->dst + p * g->h * g->w * parts;
    for (int64_t ky = 0; ky < g->kernel[0]; ky++) {
      for (int64_t kx = 0; kx < g->kernel[1]; kx++) {
        for (int64_t oy = 0; oy < g->count[0]; oy++) {
          int64_t y = oy * g->stride[0] - g->padding[0] + ky * g->dilation[0];
          for (int64_t ox = 0; ox < g->count[1]; ox++, s += parts) {
            int64_t x = ox * g->stride[1] - g->padding[1] + kx * g->dilation[1];
            if (y < 0 || y >= g->h || x < 0 || x >= g->w) continue;
            for (int k = 0; k < parts; k++) plane[(y * g->w + x) * parts + k] += s[k];
          }
        }
      }
    }
  }
}

static tsr_status check_columns(tsr_ctx *ctx, const tsr_tensor *x, windows *g) {
  char text[320];
  bool filled = x->ndim == 2 || x->ndim == 3;
  for (int d = x->ndim == 2 ? 0 : 1; d < x->ndim; d++) filled = filled && x->size[d] != 0;
  tsr_sizes_print(text, sizeof text, x->ndim, x->size);
  if (!filled)
    return tsr_op_fail(ctx, "Expected 2D or 3D (batch mode) tensor for input with possibly 0 batch size and non-zero dimensions for input, but got: %s", text);
  int64_t rows = x->size[x->ndim - 2], length = x->size[x->ndim - 1], area;
  if (tsr_mul_overflow(g->kernel[0], g->kernel[1], &area)) area = INT64_MAX;
  if (rows % area != 0)
    return tsr_op_fail(ctx, "Expected size of input's dimension 1 to be divisible by the product of kernel_size, but got input.size(1)=%lld and kernel_size=(%lld, %lld).",
                       (long long)rows, (long long)g->kernel[0], (long long)g->kernel[1]);
  TSR_TRY(count_windows(ctx, g));
  snprintf(text, sizeof text, "Given output_size=(%lld, %lld), kernel_size=(%lld, %lld), dilation=(%lld, %lld), padding=(%lld, %lld), stride=(%lld, %lld)", (long long)g->h,
           (long long)g->w, (long long)g->kernel[0], (long long)g->kernel[1], (long long)g->dilation[0], (long long)g->dilation[1], (long long)g->padding[0],
           (long long)g->padding[1], (long long)g->stride[0], (long long)g->stride[1]);
  if (tsr_mul_overflow(g->count[0], g->count[1], &area)) return tsr_op_fail(ctx, "sizes of sliding blocks overflow");
  if (length != area)
    return tsr_op_fail(ctx, "%s, expected size of input's dimension 2 to match the calculated number of sliding blocks %lld * %lld = %lld, but got input.size(2)=%lld.", text,
                       (long long)g->count[0], (long long)g->count[1], (long long)area, (long long)length);
  if (g->count[0] >= 1 && g->h >= 1 && g->w >= 1) return TSR_OK;
  return tsr_op_fail(ctx, "%s, calculated shape of the array of sliding blocks as (%lld, %lld), which is too small (non-positive)", text, (long long)g->count[0],
                     (long long)g->count[1]);
}

TSR_KERNEL(col2im) {
  tsr_ctx *ctx = c->ctx;
  tsr_tensor *x = tsr_arg_tensor(c, 0), *out;
  tsr_dtype dtype = (tsr_dtype)x->dtype, wide = tsr_dtype_is_complex(dtype) ? TSR_COMPLEX128 : TSR_FLOAT64;
  windows g = {0};
  int64_t target[2];
  TSR_TRY(pair(c, 1, "output_size", target));
  TSR_TRY(read_windows(c, 2, &g));
  g.h = target[0], g.w = target[1];
  TSR_TRY(check_windows(ctx, &g, false));
  TSR_TRY(check_columns(ctx, x, &g));
  TSR_TRY(check_type(ctx, x, "col2im_out_cpu"));
  bool single = x->ndim == 2;
  if (single) TSR_TRY(tsr_unsqueeze(ctx, &x, x, 0));
  g.n = x->size[0];
  g.c = x->size[1] / (g.kernel[0] * g.kernel[1]);
  TSR_TRY(tsr_ready(ctx, &x, x, wide));
  int64_t size[] = {g.n, g.c, g.h, g.w};
  TSR_TRY(tsr_new(ctx, &out, wide, 4, size));
  if (out->numel > 0) memset(out->storage->data, 0, out->storage->nbytes);
  g.src = tsr_tensor_data_ro(x);
  g.dst = out->storage->data;
  add_columns(&g, wide == TSR_COMPLEX128 ? 2 : 1);
  TSR_TRY(tsr_to_dtype(ctx, &out, out, dtype));
  if (single) TSR_TRY(tsr_select(ctx, &out, out, 0, 0));
  return tsr_ret_tensor(c, 0, out);
}

/* ---- pixels and channels: a reshape, a permutation, a reshape ---- */

static tsr_status shuffle(tsr_call *c, tsr_tensor *x, int split_n, const int64_t *split, const int64_t *order, int out_n, const int64_t *out_size, bool volumes) {
  bool last = (out_n == 4 || (out_n == 5 && volumes)) && tsr_conv_suggests_last(x->ndim, x->size, x->stride);
  TSR_TRY(tsr_reshape(c->ctx, &x, x, split_n, split));
  TSR_TRY(tsr_permute(c->ctx, &x, x, order));
  TSR_TRY(tsr_clone(c->ctx, &x, x));
  TSR_TRY(tsr_contiguous(c->ctx, &x, x));
  TSR_TRY(tsr_view_as(c->ctx, &x, x, out_n, out_size));
  if (last) TSR_TRY(tsr_channels_last(c->ctx, &x, x));
  return tsr_ret_tensor(c, 0, x);
}

static int64_t batch_of(const tsr_tensor *x) {
  int64_t n = 1;
  for (int d = 0; d < x->ndim - 3; d++) n *= x->size[d];
  return n;
}

TSR_KERNEL(pixel_shuffle) {
  tsr_tensor *x = tsr_arg_tensor(c, 0);
  int64_t r = tsr_arg_int(c, 1), out[TSR_MAX_NDIM];
  if (x->ndim < 3) return tsr_op_fail(c->ctx, "pixel_shuffle expects input to have at least 3 dimensions, but got input with %d dimension(s)", x->ndim);
  if (r <= 0) return tsr_op_fail(c->ctx, "pixel_shuffle expects a positive upscale_factor, but got %lld", (long long)r);
  int64_t *s = x->size + x->ndim - 3;
  if (r > 1 << 20 || s[0] % (r * r) != 0) return tsr_op_fail(c->ctx, "pixel_shuffle expects its input's 'channel' dimension to be divisible by the square of upscale_factor, but input.size(-3)=%lld is not divisible by %lld", (long long)s[0], (long long)(r * r));
  int64_t split[] = {batch_of(x), s[0] / (r * r), r, r, s[1], s[2]}, order[] = {0, 1, 4, 2, 5, 3};
  memcpy(out, x->size, x->ndim * sizeof *out);
  out[x->ndim - 3] = s[0] / (r * r), out[x->ndim - 2] = s[1] * r, out[x->ndim - 1] = s[2] * r;
  return shuffle(c, x, 6, split, order, x->ndim, out, false);
}

TSR_KERNEL(pixel_unshuffle) {
  tsr_tensor *x = tsr_arg_tensor(c, 0);
  int64_t r = tsr_arg_int(c, 1), out[TSR_MAX_NDIM];
  if (x->ndim < 3) return tsr_op_fail(c->ctx, "pixel_unshuffle expects input to have at least 3 dimensions, but got input with %d dimension(s)", x->ndim);
  if (r <= 0) return tsr_op_fail(c->ctx, "pixel_unshuffle expects a positive downscale_factor, but got %lld", (long long)r);
  int64_t *s = x->size + x->ndim - 3;
  if (s[1] % r != 0 || s[2] % r != 0) return tsr_op_fail(c->ctx, "pixel_unshuffle expects %s to be divisible by downscale_factor, but input.size(%d)=%lld is not divisible by %lld", s[1] % r != 0 ? "height" : "width", s[1] % r != 0 ? -2 : -1, (long long)(s[1] % r != 0 ? s[1] : s[2]), (long long)r);
  if (x->numel == 0) { /* PyTorch leaves it as it is */
    TSR_TRY(tsr_clone(c->ctx, &x, x));
    return tsr_ret_tensor(c, 0, x);
  }
  int64_t split[] = {batch_of(x), s[0], s[1] / r, r, s[2] / r, r}, order[] = {0, 1, 3, 5, 2, 4};
  memcpy(out, x->size, x->ndim * sizeof *out);
  out[x->ndim - 3] = s[0] * r * r, out[x->ndim - 2] = s[1] / r, out[x->ndim - 1] = s[2] / r;
  return shuffle(c, x, 6, split, order, x->ndim, out, false);
}

TSR_KERNEL(channel_shuffle) {
  tsr_tensor *x = tsr_arg_tensor(c, 0);
  int64_t groups = tsr_arg_int(c, 1), inner = 1;
  if (x->ndim < 3) {
    char got[128];
    tsr_sizes_print(got, sizeof got, x->ndim, x->size);
    return tsr_op_fail(c->ctx, "channel_shuffle expects input with > 2 dims, but got input with sizes %s", got);
  }
  if (groups <= 0) return tsr_op_fail(c->ctx, "Number of groups to divide channels in must be positive. Value of groups:%lld", (long long)groups);
  if (x->size[1] % groups != 0) return tsr_op_fail(c->ctx, "Number of channels must be divisible by groups. Got %lld channels and %lld groups.", (long long)x->size[1], (long long)groups);
  for (int d = 2; d < x->ndim; d++) inner *= x->size[d];
  int64_t split[] = {x->size[0], groups, x->size[1] / groups, inner}, order[] = {0, 2, 1, 3};
  return shuffle(c, x, 4, split, order, x->ndim, x->size, true);
}

#define P TSR_PURE
#define O TSR_OUT_ACCESS
#define WINDOW "int[2] kernel_size, int[2] dilation, int[2] padding, int[2] stride"
const tsr_op tsr_ops_fold[] = {
    {"aten::im2col(Tensor self, " WINDOW ") -> Tensor", op_im2col, P}, {"aten::im2col.out(Tensor self, " WINDOW ", *, Tensor(a!) out) -> Tensor(a!)", op_im2col, O},
    {"aten::col2im(Tensor self, SymInt[2] output_size, " WINDOW ") -> Tensor", op_col2im, P},
    {"aten::col2im.out(Tensor self, SymInt[2] output_size, " WINDOW ", *, Tensor(a!) out) -> Tensor(a!)", op_col2im, O},
    {"aten::pixel_shuffle(Tensor self, int upscale_factor) -> Tensor", op_pixel_shuffle, P},
    {"aten::pixel_shuffle.out(Tensor self, int upscale_factor, *, Tensor(a!) out) -> Tensor(a!)", op_pixel_shuffle, TSR_OUT_NEW},
    {"aten::pixel_unshuffle(Tensor self, int downscale_factor) -> Tensor", op_pixel_unshuffle, P},
    {"aten::pixel_unshuffle.out(Tensor self, int downscale_factor, *, Tensor(a!) out) -> Tensor(a!)", op_pixel_unshuffle, TSR_OUT_NEW},
    {"aten::channel_shuffle(Tensor self, SymInt groups) -> Tensor", op_channel_shuffle, P},
    {"aten::channel_shuffle.out(Tensor self, SymInt groups, *, Tensor(a!) out) -> Tensor(a!)", op_channel_shuffle, TSR_OUT_NEW},
    {"aten::native_channel_shuffle(Tensor self, SymInt groups) -> Tensor", op_channel_shuffle, P},
    {0}};
