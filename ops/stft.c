/* Short-time Fourier transform and its inverse. */
#include <math.h>

#include "ops/fft.h"

typedef struct framing {
  int64_t n_fft, hop, win;
  double *window;       /* n_fft values, the user's window in the middle */
  double *window_im;    /* NULL for a real window */
  bool complex_window;
} framing;

static tsr_status read_framing(tsr_call *c, framing *f) {
  f->n_fft = tsr_arg_int(c, 1);
  f->hop = tsr_arg_int_or(c, 2, f->n_fft / 4);
  f->win = tsr_arg_int_or(c, 3, f->n_fft);
  tsr_tensor *w = tsr_arg_opt_tensor(c, 4);
  if (f->n_fft <= 0 || f->n_fft > (int64_t)1 << 32) return tsr_op_fail(c->ctx, "stft: expected 0 < n_fft, but got n_fft=%lld", (long long)f->n_fft);
  if (f->hop <= 0) return tsr_op_fail(c->ctx, "expected hop_length > 0, but got hop_length=%lld", (long long)f->hop);
  if (f->win <= 0 || f->win > f->n_fft) {
    return tsr_op_fail(c->ctx, "expected 0 < win_length <= n_fft, but got win_length=%lld", (long long)f->win);
  }
  if (w != NULL && (w->ndim != 1 || w->size[0] != f->win)) {
    char got[128];
    tsr_sizes_print(got, sizeof got, w->ndim, w->size);
    return tsr_op_fail(c->ctx, "expected a 1D window tensor of size equal to win_length=%lld, but got window with size %s", (long long)f->win, got);
  }
  f->window = tsr_scratch(c->ctx, (size_t)f->n_fft * sizeof *f->window);
  f->window_im = tsr_scratch(c->ctx, (size_t)f->n_fft * sizeof *f->window_im);
  if (f->window == NULL || f->window_im == NULL) return c->ctx->err.status;
  f->complex_window = w != NULL && tsr_dtype_is_complex((tsr_dtype)w->dtype);
  int64_t left = (f->n_fft - f->win) / 2;
  const tsr_c128 *values = NULL;
  if (w != NULL) {
    TSR_TRY(tsr_ready(c->ctx, &w, w, TSR_COMPLEX128));
    values = tsr_tensor_data_ro(w);
  }
  for (int64_t i = 0; i < f->win; i++) {
    f->window[left + i] = values != NULL ? values[i].re : 1;
    f->window_im[left + i] = values != NULL ? values[i].im : 0;
  }
  return TSR_OK;
}

/* Where position i of a padded signal of n samples comes from; -1: a zero. */
static int64_t pad_source(const char *mode, int64_t i, int64_t n) {
  if (i >= 0 && i < n) return i;
  if (strcmp(mode, "constant") == 0) return -1;
  if (strcmp(mode, "replicate") == 0) return i < 0 ? 0 : n - 1;
  if (strcmp(mode, "circular") == 0) return i < 0 ? i + n : i - n;
  return i < 0 ? -i : 2 * (n - 1) - i; /* reflect */
}

/* Frames of x[batch, len] times the window: [batch, frames, n_fft] complex128. */
static tsr_status cut_frames(tsr_ctx *ctx, tsr_tensor **out, tsr_tensor *x, const framing *f, int64_t pad, const char *mode) {
  int64_t batch = x->size[0], len = x->size[1], frames = (len + 2 * pad - f->n_fft) / f->hop + 1;
  int64_t size[] = {batch, frames, f->n_fft};
  TSR_TRY(tsr_new(ctx, out, TSR_COMPLEX128, 3, size));
  const tsr_c128 *src = tsr_tensor_data_ro(x);
  tsr_c128 *dst = (*out)->storage->data;
  for (int64_t b = 0; b < batch; b++, src += len) {
    for (int64_t t = 0; t < frames; t++) {
      for (int64_t k = 0; k < f->n_fft; k++, dst++) {
        int64_t from = pad_source(mode, t * f->hop + k - pad, len);
        tsr_c128 z = from < 0 ? (tsr_c128){0, 0} : src[from];
        *dst = (tsr_c128){z.re * f->window[k] - z.im * f->window_im[k], z.re * f->window_im[k] + z.im * f->window[k]};
      }
    }
  }
  return TSR_OK;
}

static tsr_status stft(tsr_call *c, bool center, const char *mode, uint32_t at) {
  tsr_ctx *ctx = c->ctx;
  tsr_tensor *x = tsr_arg_tensor(c, 0), *y;
  framing f = {0};
  bool normalized = tsr_arg_bool(c, at), complex_in = tsr_dtype_is_complex((tsr_dtype)x->dtype);
  if (tsr_dtype_is_integral((tsr_dtype)x->dtype, true) || x->ndim < 1 || x->ndim > 2) {
    char got[128];
    tsr_sizes_print(got, sizeof got, x->ndim, x->size);
    return tsr_op_fail(ctx, "stft(torch.CPU%sType%s): expected a 1D or 2D tensor of floating types", tsr_dtype_get_info(x->dtype)->cpp_name, got);
  }
  TSR_TRY(read_framing(c, &f));
  bool wide = x->dtype == TSR_FLOAT64 || x->dtype == TSR_COMPLEX128, one = x->ndim == 1;
  bool onesided = tsr_arg_is_none(c, at + 1) ? !complex_in && !f.complex_window : tsr_arg_bool(c, at + 1);
  bool as_complex = tsr_arg_is_none(c, at + 2) ? complex_in || f.complex_window : tsr_arg_bool(c, at + 2);
  if (onesided && (complex_in || f.complex_window)) return tsr_op_fail(ctx, "Cannot have onesided output if window or input is complex");
  if (one) TSR_TRY(tsr_unsqueeze(ctx, &x, x, 0));
  int64_t pad = center ? f.n_fft / 2 : 0, len = x->size[1];
  if (center && strcmp(mode, "reflect") == 0 && pad >= len) {
    return tsr_op_fail(ctx, "Padding size should be less than the corresponding input dimension, but got: padding (%lld, %lld) at dimension 2 of input %lld",
                       (long long)pad, (long long)pad, (long long)len);
  }
  if (f.n_fft > len + 2 * pad) return tsr_op_fail(ctx, "stft: expected 0 < n_fft < %lld, but got n_fft=%lld", (long long)(len + 2 * pad), (long long)f.n_fft);
  TSR_TRY(tsr_ready(ctx, &x, x, TSR_COMPLEX128));
  TSR_TRY(cut_frames(ctx, &y, x, &f, pad, mode));
  int64_t dim = 2, n = f.n_fft;
  TSR_TRY(tsr_fft_dims(ctx, &y, y, 1, &dim, &n, true, normalized ? 1 / sqrt((double)f.n_fft) : 1));
  if (onesided) TSR_TRY(tsr_narrow(ctx, &y, y, 2, 0, f.n_fft / 2 + 1));
  TSR_TRY(tsr_contiguous(ctx, &y, y));
  TSR_TRY(tsr_to_dtype(ctx, &y, y, wide ? TSR_COMPLEX128 : TSR_COMPLEX64));
  TSR_TRY(tsr_transpose(ctx, &y, y, 1, 2));
  if (one) TSR_TRY(tsr_select(ctx, &y, y, 0, 0));
  if (as_complex) return tsr_ret_tensor(c, 0, y);
  tsr_val arg = tsr_from_obj(y), pairs;
  TSR_TRY(tsr_invoke(ctx, tsr_op_get("aten::view_as_real", ""), &arg, 1, &pairs, 1));
  return tsr_ret(c, 0, pairs);
}
TSR_KERNEL(stft) { return stft(c, false, "reflect", 5); }
TSR_KERNEL(stft_center) { return stft(c, tsr_arg_bool(c, 5), tsr_arg_str(c, 6)->bytes, 7); }

/* Complex input of istft: complex tensors as they are, real ones as pairs in the last dimension. */
static tsr_status spectrum(tsr_ctx *ctx, tsr_tensor **out, tsr_tensor *x, bool *wide) {
  *wide = x->dtype == TSR_FLOAT64 || x->dtype == TSR_COMPLEX128;
  if (tsr_dtype_is_complex((tsr_dtype)x->dtype)) return tsr_ready(ctx, out, x, TSR_COMPLEX128);
  if (x->ndim < 1 || x->size[x->ndim - 1] != 2) {
    return tsr_op_fail(ctx, "istft requires a complex-valued input tensor matching the output from stft with return_complex=True.");
  }
  TSR_TRY(tsr_ready(ctx, &x, x, TSR_FLOAT64));
  TSR_TRY(tsr_new(ctx, out, TSR_COMPLEX128, x->ndim - 1, x->size));
  if (x->numel > 0) memcpy((*out)->storage->data, tsr_tensor_data_ro(x), (size_t)x->numel * sizeof(double));
  return TSR_OK;
}

/* Add the frames up where they overlap and divide by the window's own sum of squares. */
static tsr_status overlap_add(tsr_ctx *ctx, tsr_tensor **out, const tsr_tensor *frames, const framing *f, int64_t start, int64_t end, bool complex_out) {
  int64_t batch = frames->size[0], count = frames->size[1], n = f->n_fft, total = n + f->hop * (count - 1);
  int64_t size[] = {batch, end - start};
  double *envelope = tsr_scratch(ctx, (size_t)total * sizeof *envelope);
  tsr_c128 *sum = tsr_scratch(ctx, (size_t)total * sizeof *sum);
  if (envelope == NULL || sum == NULL) return ctx->err.status;
  for (int64_t t = 0; t < count; t++) {
    for (int64_t k = 0; k < n; k++) envelope[t * f->hop + k] += f->window[k] * f->window[k] + f->window_im[k] * f->window_im[k];
  }
  double least = INFINITY;
  for (int64_t i = start; i < TSR_MIN(end, total); i++) least = fmin(least, fabs(envelope[i]));
  if (least <= 1e-11) return tsr_op_fail(ctx, "window overlap add min: 1");
  TSR_TRY(tsr_new(ctx, out, TSR_COMPLEX128, 2, size));
  const tsr_c128 *src = tsr_tensor_data_ro(frames);
  tsr_c128 *dst = (*out)->storage->data;
  for (int64_t b = 0; b < batch; b++, src += count * n) {
    memset(sum, 0, (size_t)total * sizeof *sum);
    for (int64_t t = 0; t < count; t++) {
      for (int64_t k = 0; k < n; k++) {
        tsr_c128 z = src[t * n + k];
        double im = complex_out ? z.im : 0;
        sum[t * f->hop + k].re += z.re * f->window[k] - im * f->window_im[k];
        sum[t * f->hop + k].im += im * f->window[k] + z.re * f->window_im[k];
      }
    }
    for (int64_t i = start; i < end; i++, dst++) {
      *dst = i < total ? (tsr_c128){sum[i].re / envelope[i], sum[i].im / envelope[i]} : (tsr_c128){0, 0};
    }
  }
  return TSR_OK;
}

/* [batch, frames, n_fft] complex, the second half made from the first when it is one-sided */
static tsr_status whole_spectrum(tsr_ctx *ctx, tsr_tensor **out, tsr_tensor *y, int64_t n, bool onesided) {
  int64_t have = y->size[2], size[] = {y->size[0], y->size[1], n};
  TSR_TRY(tsr_new(ctx, out, TSR_COMPLEX128, 3, size));
  const tsr_c128 *src = tsr_tensor_data_ro(y);
  tsr_c128 *dst = (*out)->storage->data;
  for (int64_t r = 0; r < size[0] * size[1]; r++, src += have, dst += n) {
    for (int64_t k = 0; k < n; k++) {
      dst[k] = !onesided || k <= n / 2 ? src[k] : (tsr_c128){src[n - k].re, -src[n - k].im};
      if (onesided && (k == 0 || 2 * k == n)) dst[k].im = 0;
    }
  }
  return TSR_OK;
}

TSR_KERNEL(istft) {
  tsr_ctx *ctx = c->ctx;
  tsr_tensor *x = tsr_arg_tensor(c, 0), *y;
  framing f = {0};
  bool center = tsr_arg_bool(c, 5), normalized = tsr_arg_bool(c, 6), complex_out = tsr_arg_bool(c, 9), wide;
  TSR_TRY(spectrum(ctx, &x, x, &wide));
  TSR_TRY(read_framing(c, &f));
  bool one = x->ndim == 2;
  if (x->ndim != 2 && x->ndim != 3) return tsr_op_fail(ctx, "istft: expected a tensor with 3 or 4 dimensions (as pairs), but got %d", x->ndim + 1);
  if (one) TSR_TRY(tsr_unsqueeze(ctx, &x, x, 0));
  int64_t freqs = x->size[1], frames = x->size[2], n = f.n_fft, dim = 2;
  bool onesided = tsr_arg_is_none(c, 7) ? freqs != n : tsr_arg_bool(c, 7);
  if (x->numel == 0) return tsr_op_fail(ctx, "istft: expected a non-empty tensor");
  if (freqs != (onesided ? n / 2 + 1 : n)) {
    return tsr_op_fail(ctx, "istft: expected the frequency dimension (3rd to the last) of the input tensor to match n_fft%s when onesided=%s, but got %lld",
                       onesided ? " / 2 + 1" : "", onesided ? "True" : "False", (long long)freqs);
  }
  TSR_TRY(tsr_transpose(ctx, &y, x, 1, 2));
  TSR_TRY(tsr_contiguous(ctx, &y, y));
  TSR_TRY(whole_spectrum(ctx, &y, y, n, onesided || !complex_out)); /* a real result needs one half only */
  TSR_TRY(tsr_fft_dims(ctx, &y, y, 1, &dim, &n, false, normalized ? 1 / sqrt((double)n) : 1 / (double)n));
  int64_t total = n + f.hop * (frames - 1), start = center ? n / 2 : 0;
  int64_t end = !tsr_arg_is_none(c, 8) ? start + tsr_arg_int(c, 8) : center ? total - n / 2 : total;
  if (end < start) end = start;
  TSR_TRY(overlap_add(ctx, &y, y, &f, start, end, complex_out));
  tsr_dtype dtype = complex_out ? (wide ? TSR_COMPLEX128 : TSR_COMPLEX64) : wide ? TSR_FLOAT64 : TSR_FLOAT32;
  TSR_TRY(tsr_to_dtype(ctx, &y, y, dtype));
  if (one) TSR_TRY(tsr_select(ctx, &y, y, 0, 0));
  return tsr_ret_tensor(c, 0, y);
}

const tsr_op tsr_ops_stft[] = {
    {"aten::stft(Tensor self, int n_fft, int? hop_length=None, int? win_length=None, Tensor? window=None, bool normalized=False, "
     "bool? onesided=None, bool? return_complex=None, bool? align_to_window=None) -> Tensor", op_stft, TSR_PURE},
    {"aten::stft.center(Tensor self, int n_fft, int? hop_length=None, int? win_length=None, Tensor? window=None, bool center=True, "
     "str pad_mode=\"reflect\", bool normalized=False, bool? onesided=None, bool? return_complex=None, bool? align_to_window=None) -> Tensor",
     op_stft_center, TSR_PURE},
    {"aten::istft(Tensor self, int n_fft, int? hop_length=None, int? win_length=None, Tensor? window=None, bool center=True, "
     "bool normalized=False, bool? onesided=None, int? length=None, bool return_complex=False) -> Tensor", op_istft, TSR_PURE},
    {0}};
