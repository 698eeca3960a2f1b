/* Short-time Fourier transform and its inverse. */
#include <complex.h>
#include <math.h>
#include <stdarg.h>
#include <stdio.h>

#include "ops/fft.h"
#include "ops/shape.h"

typedef struct framing { int64_t n_fft, hop, win; tsr_tensor *window; } framing;

static framing read_framing(const tsr_call *c) {
  int64_t n = tsr_arg_int(c, 1);
  return (framing){n, tsr_arg_int_or(c, 2, n >> 2), tsr_arg_int_or(c, 3, n), tsr_arg_opt_tensor(c, 4)};
}

/* An optional flag or number as PyTorch prints it. */
static const char *print_arg(char *text, size_t cap, const tsr_call *c, uint32_t i) {
  if (tsr_arg_is_none(c, i)) return "None";
  snprintf(text, cap, "%lld", c->args[i].tag == TSR_V_BOOL ? (long long)c->args[i].b : (long long)c->args[i].i);
  return text;
}

/* The call as PyTorch prints it, and what is wrong with it.  at: the argument `normalized`, `onesided` follows. */
static tsr_status refuse(tsr_call *c, const framing *f, uint32_t at, const char *format, ...) {
  const tsr_tensor *x = tsr_arg_tensor(c, 0), *w = f->window;
  bool inverse = strstr(c->op->schema, "istft") != NULL;
  char name[32], size[128], window[192] = "None", wname[32], wsize[128], why[256], a[24], b[24], d[24], e[24], center[16] = "", tail[64];
  tsr_sizes_print(size, sizeof size, x->ndim, x->size);
  if (w != NULL) {
    tsr_sizes_print(wsize, sizeof wsize, w->ndim, w->size);
    snprintf(window, sizeof window, "%s{%s}", tsr_dtype_class_print(wname, sizeof wname, (tsr_dtype)w->dtype), wsize);
  }
  va_list args;
  va_start(args, format);
  vsnprintf(why, sizeof why, format, args);
  va_end(args);
  if (inverse) snprintf(center, sizeof center, "center=%d, ", (int)tsr_arg_bool(c, 5));
  snprintf(tail, sizeof tail, inverse ? "length=%s, return_complex=%s" : "return_complex=%s, align_to_window=%s", print_arg(a, sizeof a, c, at + 2), print_arg(b, sizeof b, c, at + 3));
  return tsr_op_fail(c->ctx, "%s(%s%s, n_fft=%lld, hop_length=%lld, win_length=%lld, window=%s, %snormalized=%s, onesided=%s, %s) %s", inverse ? "istft" : "stft",
                     tsr_dtype_class_print(name, sizeof name, (tsr_dtype)x->dtype), size, (long long)f->n_fft, (long long)f->hop, (long long)f->win, window, center,
                     print_arg(d, sizeof d, c, at), print_arg(e, sizeof e, c, at + 1), tail, why);
}

/* x[…, len] with `left` and `right` more samples */
static tsr_status padded(tsr_ctx *ctx, tsr_tensor **out, tsr_tensor *x, int64_t left, int64_t right, const char *mode) {
  tsr_list *sizes = tsr_list_new(ctx->mem, &tsr_type_int, 2);
  tsr_str *how = tsr_str_new(ctx->mem, mode, strlen(mode));
  if (sizes == NULL || how == NULL) {
    tsr_release(sizes != NULL ? tsr_from_obj(sizes) : how != NULL ? tsr_from_obj(how) : tsr_none());
    return tsr_ctx_nomem(ctx);
  }
  tsr_list_push_take(sizes, tsr_int(left));
  tsr_list_push_take(sizes, tsr_int(right));
  tsr_val args[] = {tsr_from_obj(x), tsr_from_obj(sizes), tsr_from_obj(how), tsr_none()}, ret;
  tsr_status status = tsr_invoke(ctx, tsr_op_get("aten::pad", ""), args, TSR_COUNT(args), &ret, 1);
  tsr_release(args[1]);
  tsr_release(args[2]);
  *out = ret.t;
  return status;
}

/* The window in the middle of n_fft zeros; without one, of ones in x's type, and NULL when there is nothing to multiply with. */
static tsr_status whole_window(tsr_ctx *ctx, tsr_tensor **out, const framing *f, const tsr_tensor *x) {
  int64_t left = (f->n_fft - f->win) / 2;
  *out = f->window;
  if (f->win == f->n_fft) return TSR_OK;
  if (*out == NULL) {
    TSR_TRY(tsr_new(ctx, out, (tsr_dtype)x->dtype, 1, &f->win));
    TSR_TRY(tsr_fill(ctx, *out, tsr_scalar_int(1)));
  }
  return padded(ctx, out, *out, left, f->n_fft - f->win - left, "constant");
}

static tsr_status check_framing(tsr_call *c, const framing *f, uint32_t at, int64_t len) {
  if (f->n_fft <= 0 || f->n_fft > len) return refuse(c, f, at, ": expected 0 < n_fft < %lld, but got n_fft=%lld", (long long)len, (long long)f->win);
  if (f->hop <= 0) return refuse(c, f, at, ": expected hop_length > 0, but got hop_length=%lld", (long long)f->hop);
  if (f->win <= 0 || f->win > f->n_fft) return refuse(c, f, at, ": expected 0 < win_length <= n_fft, but got win_length=%lld", (long long)f->win);
  if (f->window == NULL || (f->window->ndim == 1 && f->window->size[0] == f->win)) return TSR_OK;
  char got[128];
  tsr_sizes_print(got, sizeof got, f->window->ndim, f->window->size);
  return refuse(c, f, at, ": expected a 1D window tensor of size equal to win_length=%lld, but got window with size %s", (long long)f->win, got);
}

static tsr_status stft(tsr_call *c, bool center, const char *mode, uint32_t at) {
  tsr_ctx *ctx = c->ctx;
  tsr_tensor *x = tsr_arg_tensor(c, 0), *y, *w;
  tsr_dtype d = (tsr_dtype)x->dtype;
  framing f = read_framing(c);
  bool z = tsr_dtype_is_complex(d) || (f.window != NULL && tsr_dtype_is_complex((tsr_dtype)f.window->dtype)), one = x->ndim == 1;
  bool as_complex = tsr_arg_is_none(c, at + 2) ? z : tsr_arg_bool(c, at + 2); /* None for real numbers: what PyTorch once gave */
  bool align = !tsr_arg_is_none(c, at + 3) && tsr_arg_bool(c, at + 3);
  if (center && !tsr_arg_is_none(c, at + 3)) return tsr_op_fail(ctx, "stft align_to_window should only be set when center = false.");
  if (!tsr_dtype_is_float(d) && !tsr_dtype_is_complex(d)) return refuse(c, &f, at, ": expected a tensor of floating point or complex values");
  if (x->ndim < 1 || x->ndim > 2) return refuse(c, &f, at, ": expected a 1D or 2D tensor");
  if (one) TSR_TRY(tsr_unsqueeze(ctx, &x, x, 0));
  if (center) {
    TSR_TRY(tsr_unsqueeze(ctx, &x, x, 0));
    TSR_TRY(padded(ctx, &x, x, f.n_fft / 2, f.n_fft / 2, mode));
    TSR_TRY(tsr_select(ctx, &x, x, 0, 0));
  }
  int64_t len = x->size[1];
  TSR_TRY(check_framing(c, &f, at, len));
  TSR_TRY(whole_window(ctx, &w, &f, x));
  if (align) TSR_TRY(padded(ctx, &x, x, (f.n_fft - f.win) / 2, (f.n_fft - f.win) / 2, "constant"));
  int64_t frames = 1 + (len - (align ? f.win : f.n_fft)) / f.hop, size[] = {x->size[0], frames, f.n_fft}, step, dims[] = {0, 2, 1};
  if (tsr_mul_overflow(f.hop, x->stride[1], &step)) step = 0; /* one frame */
  TSR_TRY(tsr_as_strided(ctx, &y, x, 3, size, 3, (int64_t[]){x->stride[0], step, x->stride[1]}, x->offset));
  if (w != NULL) TSR_TRY(tsr_binary(ctx, &y, "mul", y, w));
  z = tsr_dtype_is_complex((tsr_dtype)y->dtype);
  bool onesided = tsr_arg_is_none(c, at + 1) ? !z : tsr_arg_bool(c, at + 1);
  if (onesided && z) return tsr_op_fail(ctx, "Cannot have onesided output if window or input is complex");
  TSR_TRY(tsr_fft_last(ctx, &y, y, onesided, tsr_arg_bool(c, at) ? 1 / sqrt((double)f.n_fft) : 1));
  TSR_TRY(tsr_permute(ctx, &y, y, dims));
  if (one) TSR_TRY(tsr_select(ctx, &y, y, 0, 0));
  if (as_complex) return tsr_ret_tensor(c, 0, y);
  tsr_val arg = tsr_from_obj(y), pairs;
  TSR_TRY(tsr_invoke(ctx, tsr_op_get("aten::view_as_real", ""), &arg, 1, &pairs, 1));
  return tsr_ret(c, 0, pairs);
}
TSR_KERNEL(stft) { return stft(c, false, "constant", 5); }
TSR_KERNEL(stft_center) { return stft(c, tsr_arg_bool(c, 5), tsr_arg_str(c, 6)->bytes, 7); }

/* The operand of istft: complex numbers as they are; pairs in the last dimension, which PyTorch once took. */
static tsr_status spectrum(tsr_ctx *ctx, tsr_tensor **out, tsr_tensor *x) {
  if (tsr_dtype_is_complex((tsr_dtype)x->dtype)) {
    if (x->ndim < 2) {
      int64_t dim;
      return tsr_wrap_dim(ctx, -2 - x->ndim, x->ndim + 1, &dim);
    }
    return tsr_ready(ctx, out, x, TSR_COMPLEX128);
  }
  if (!tsr_dtype_is_float((tsr_dtype)x->dtype) || x->ndim < 3 || x->size[x->ndim - 1] != 2) {
    return tsr_op_fail(ctx, "istft requires a complex-valued input tensor matching the output from stft with return_complex=True.");
  }
  TSR_TRY(tsr_ready(ctx, &x, x, TSR_FLOAT64));
  TSR_TRY(tsr_new(ctx, out, TSR_COMPLEX128, x->ndim - 1, x->size));
  if (x->numel > 0) memcpy((*out)->storage->data, tsr_tensor_data_ro(x), (size_t)x->numel * sizeof(double));
  return TSR_OK;
}

/* The frames times the window, added up where they overlap, over the window's own squares: samples from start to end, beyond what there is zeros. */
static tsr_status overlap_add(tsr_call *c, tsr_tensor **out, const tsr_tensor *frames, const framing *f, tsr_tensor *window, int64_t start, int64_t end) {
  tsr_ctx *ctx = c->ctx;
  int64_t batch = frames->size[0], count = frames->size[1], n = f->n_fft, total = n + f->hop * (count - 1), stop = TSR_MIN(TSR_MAX(end < 0 ? end + total : end, 0), total);
  double complex *squares = tsr_scratch(ctx, (size_t)total * sizeof *squares), *sum = tsr_scratch(ctx, (size_t)total * sizeof *sum), *w = tsr_scratch(ctx, (size_t)n * sizeof *w);
  if (squares == NULL || sum == NULL || w == NULL) return ctx->err.status;
  if (window != NULL) TSR_TRY(tsr_ready(ctx, &window, window, TSR_COMPLEX128));
  for (int64_t k = 0; k < n; k++) w[k] = window != NULL ? ((const double complex *)tsr_tensor_data_ro(window))[k] : 1;
  for (int64_t t = 0; t < count; t++)
    for (int64_t k = 0; k < n; k++) squares[t * f->hop + k] += w[k] * w[k];
  if (start >= stop) return tsr_op_fail(ctx, "min(): Expected reduction dim to be specified for input.numel() == 0. Specify the reduction dim with the 'dim' argument.");
  double least = INFINITY;
  for (int64_t i = start; i < stop; i++) least = cabs(squares[i]) < least || squares[i] != squares[i] ? cabs(squares[i]) : least;
  if (least < 1e-11) return refuse(c, f, 6, "window overlap add min: 1");
  TSR_TRY(tsr_new(ctx, out, TSR_COMPLEX128, 2, (int64_t[]){batch, TSR_MAX(stop, end) - start}));
  const double complex *src = tsr_tensor_data_ro(frames);
  double complex *dst = (*out)->storage->data;
  for (int64_t b = 0; b < batch; b++, src += count * n) {
    memset(sum, 0, (size_t)total * sizeof *sum);
    for (int64_t t = 0; t < count; t++)
      for (int64_t k = 0; k < n; k++) sum[t * f->hop + k] += src[t * n + k] * w[k];
    for (int64_t i = start; i < TSR_MAX(stop, end); i++, dst++) *dst = i < total ? sum[i] / squares[i] : 0;
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

static tsr_status check_inverse(tsr_call *c, const framing *f, const tsr_tensor *x, bool onesided) {
  int64_t freqs = x->ndim > 1 ? x->size[x->ndim - 2] : 0;
  if (x->numel == 0) return refuse(c, f, 6, ": input tensor cannot be empty.");
  if (x->ndim != 2 && x->ndim != 3) return refuse(c, f, 6, ": expected a tensor with 3 or 4 dimensions, but got %d", x->ndim + 1);
  if (freqs != (onesided ? f->n_fft / 2 + 1 : f->n_fft)) {
    return refuse(c, f, 6, ": expected the frequency dimension (3rd to the last) of the input tensor to match n_fft%s when onesided=%s, but got %lld", onesided ? " / 2 + 1" : "",
                  onesided ? "True" : "False", (long long)freqs);
  }
  if (f->hop <= 0 || f->hop > f->win) return refuse(c, f, 6, ": expected 0 < hop_length <= win_length");
  if (f->win <= 0 || f->win > f->n_fft) return refuse(c, f, 6, ": expected 0 < win_length <= n_fft");
  if (f->window != NULL && (f->window->ndim != 1 || f->window->size[0] != f->win)) return refuse(c, f, 6, ": Invalid window shape. window has to be 1D and length of `win_length`");
  if (tsr_arg_bool(c, 9) && onesided) return tsr_op_fail(c->ctx, "Cannot have onesided output if window or input is complex");
  if (!tsr_arg_bool(c, 9) && f->window != NULL && tsr_dtype_is_complex((tsr_dtype)f->window->dtype)) return tsr_op_fail(c->ctx, "Complex windows are incompatible with return_complex=False");
  return c->args[0].t->dtype == TSR_COMPLEX32 ? tsr_op_fail(c->ctx, "MKL FFT doesn't support tensors of type: Half") : TSR_OK;
}

TSR_KERNEL(istft) {
  tsr_ctx *ctx = c->ctx;
  tsr_tensor *given = tsr_arg_tensor(c, 0), *x, *y, *w;
  framing f = read_framing(c);
  bool center = tsr_arg_bool(c, 5), normalized = tsr_arg_bool(c, 6), complex_out = tsr_arg_bool(c, 9);
  TSR_TRY(spectrum(ctx, &x, given));
  int64_t n = f.n_fft, dim = 2, start = center ? n / 2 : 0, end;
  bool one = x->ndim == 2, onesided = tsr_arg_is_none(c, 7) ? x->ndim > 1 && x->size[x->ndim - 2] != n : tsr_arg_bool(c, 7);
  TSR_TRY(check_inverse(c, &f, x, onesided));
  if (one) TSR_TRY(tsr_unsqueeze(ctx, &x, x, 0));
  end = !tsr_arg_is_none(c, 8) ? start + tsr_arg_int(c, 8) : center ? -(n / 2) : n + f.hop * (x->size[2] - 1);
  TSR_TRY(tsr_transpose(ctx, &y, x, 1, 2));
  TSR_TRY(tsr_contiguous(ctx, &y, y));
  TSR_TRY(whole_spectrum(ctx, &y, y, n, !complex_out)); /* a real result needs one half only */
  TSR_TRY(tsr_fft_dims(ctx, &y, y, 1, &dim, &n, false, normalized ? 1 / sqrt((double)n) : 1 / (double)n));
  TSR_TRY(whole_window(ctx, &w, &f, y));
  TSR_TRY(overlap_add(c, &y, y, &f, w, start, end));
  bool wide = given->dtype == TSR_FLOAT64 || given->dtype == TSR_COMPLEX128 || (f.window != NULL && (f.window->dtype == TSR_FLOAT64 || f.window->dtype == TSR_COMPLEX128));
  TSR_TRY(tsr_to_dtype(ctx, &y, y, complex_out ? (wide ? TSR_COMPLEX128 : TSR_COMPLEX64) : wide ? TSR_FLOAT64 : TSR_FLOAT32));
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
