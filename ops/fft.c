/* torch.fft: every transform as a sequence of complex transforms along lines, in double precision.
 *
 * Real input becomes complex; half spectra (rfft, ihfft) are cut from the whole, and Hermitian input
 * (irfft, hfft) is completed to the whole before it is transformed. */
#include "ops/fft.h"

#include <math.h>

#include "ops/fft_plan.h"
#include "ops/pointwise.h"

typedef struct lines {
  const tsr_fft_plan *plan;
  const tsr_c128 *in;
  tsr_c128 *out;
  int64_t in_n, n, inner; /* elements along the dimension before and after; stride of the dimension */
  bool forward;
  double scale;
  tsr_c128 *buffers;      /* one set a chunk */
  int64_t set;            /* elements of a set */
  int64_t grain;
} lines;

static void run_lines(void *arg, int64_t begin, int64_t end) {
  const lines *l = arg;
  tsr_c128 *x = l->buffers + begin / l->grain * l->set, *y = x + l->n, *work = y + l->n;
  for (int64_t i = begin; i < end; i++) {
    int64_t outer = i / l->inner, at = i % l->inner;
    const tsr_c128 *src = l->in + outer * l->in_n * l->inner + at;
    tsr_c128 *dst = l->out + outer * l->n * l->inner + at;
    for (int64_t k = 0; k < l->n; k++) x[k] = k < l->in_n ? src[k * l->inner] : (tsr_c128){0, 0};
    tsr_fft_run(l->plan, l->forward, x, y, work);
    for (int64_t k = 0; k < l->n; k++) dst[k * l->inner] = (tsr_c128){y[k].re * l->scale, y[k].im * l->scale};
  }
}

static tsr_status along_dim(tsr_ctx *ctx, tsr_tensor **out, tsr_tensor *x, int64_t dim, int64_t n, bool forward, double scale) {
  int64_t size[TSR_MAX_NDIM];
  memcpy(size, x->size, x->ndim * sizeof *size);
  size[dim] = n;
  TSR_TRY(tsr_new(ctx, out, TSR_COMPLEX128, x->ndim, size));
  if ((*out)->numel == 0) return TSR_OK;
  tsr_fft_plan *plan;
  TSR_TRY(tsr_fft_plan_new(ctx, n, &plan));
  lines l = {.plan = plan, .in = tsr_tensor_data_ro(x), .out = (*out)->storage->data, .in_n = x->size[dim], .n = n, .inner = 1,
             .forward = forward, .scale = scale};
  for (int d = (int)dim + 1; d < x->ndim; d++) l.inner *= size[d];
  int64_t count = (*out)->numel / n;
  l.grain = TSR_MAX((int64_t)1, TSR_MAX(count / 64, 4096 / n));
  l.set = 2 * n + tsr_fft_work_size(plan);
  l.buffers = tsr_scratch(ctx, (size_t)((count + l.grain - 1) / l.grain * l.set) * sizeof *l.buffers);
  if (l.buffers == NULL) return ctx->err.status;
  tsr_parallel_for(ctx, count, l.grain, run_lines, &l);
  return TSR_OK;
}

tsr_status tsr_fft_dims(tsr_ctx *ctx, tsr_tensor **out, tsr_tensor *x, int n, const int64_t *dims, const int64_t *sizes, bool forward, double scale) {
  *out = x;
  for (int i = n - 1; i >= 0; i--) TSR_TRY(along_dim(ctx, out, *out, dims[i], sizes[i], forward, i == 0 ? scale : 1));
  return TSR_OK;
}

/* ---- what a call asks for ---- */

typedef enum fft_kind { C2C, R2C, C2R } fft_kind;
typedef struct fft_spec {
  const char *name;
  fft_kind kind;
  bool forward;   /* the sign of the exponent */
  bool many;      /* s, dim lists instead of n, dim */
} fft_spec;

typedef struct request {
  int n;
  int64_t dims[TSR_MAX_NDIM], sizes[TSR_MAX_NDIM];
  int64_t last;   /* full length of the last transformed dimension */
} request;

static tsr_status bad_points(tsr_ctx *ctx, int64_t n) { return tsr_op_fail(ctx, "Invalid number of data points (%lld) specified", (long long)n); }

static tsr_status request_one(tsr_call *c, const fft_spec *spec, const tsr_tensor *x, request *r) {
  r->n = 1;
  TSR_TRY(tsr_wrap_dim(c->ctx, tsr_arg_int(c, 2), x->ndim, &r->dims[0]));
  int64_t size = x->ndim == 0 ? 1 : x->size[r->dims[0]];
  r->last = tsr_arg_int_or(c, 1, spec->kind == C2R ? 2 * (size - 1) : size);
  return r->last < 1 ? bad_points(c->ctx, r->last) : TSR_OK;
}

static tsr_status request_many(tsr_call *c, const fft_spec *spec, const tsr_tensor *x, request *r) {
  int64_t ns, nd;
  const int64_t *s = tsr_arg_ints(c, 1, &ns), *dim = tsr_arg_ints(c, 2, &nd);
  if (c->ctx->err.status != TSR_OK) return c->ctx->err.status;
  if (ns > x->ndim && nd < 0) {
    return tsr_op_fail(c->ctx, "Got shape with %lld values but input tensor only has %d dimensions.", (long long)ns, x->ndim);
  }
  if (ns >= 0 && nd >= 0 && ns != nd) return tsr_op_fail(c->ctx, "When given, dim and shape arguments must have the same length");
  int64_t n = nd >= 0 ? nd : ns >= 0 ? ns : x->ndim;
  if (n > TSR_MAX_NDIM) return tsr_op_fail(c->ctx, "too many dimensions");
  r->n = (int)n;
  for (int i = 0; i < r->n; i++) {
    if (nd >= 0) TSR_TRY(tsr_wrap_dim(c->ctx, dim[i], x->ndim, &r->dims[i]));
    else r->dims[i] = x->ndim - n + i;
    for (int k = 0; k < i; k++) {
      if (r->dims[k] == r->dims[i]) return tsr_op_fail(c->ctx, "FFT dims must be unique");
    }
    r->sizes[i] = s != NULL && s[i] != -1 ? s[i] : x->size[r->dims[i]];
    if (r->sizes[i] < 1 && (i < r->n - 1 || spec->kind != C2R || (s != NULL && s[i] != -1))) return bad_points(c->ctx, r->sizes[i]);
  }
  if (n == 0 && spec->kind != C2C) return tsr_op_fail(c->ctx, "%s must transform at least one axis", spec->name);
  if (n == 0) return TSR_OK;
  bool given = s != NULL && s[n - 1] != -1;
  r->last = given ? s[n - 1] : spec->kind == C2R ? 2 * (x->size[r->dims[n - 1]] - 1) : x->size[r->dims[n - 1]];
  return r->last < 1 ? bad_points(c->ctx, r->last) : TSR_OK;
}

/* The factor of norm=None|"backward", "ortho", "forward" for a signal of n points. */
static tsr_status norm_scale(tsr_call *c, uint32_t arg, bool forward, double n, double *scale) {
  *scale = forward ? 1 : 1 / n;
  if (tsr_arg_is_none(c, arg)) return TSR_OK;
  const char *norm = tsr_arg_str(c, arg)->bytes;
  if (strcmp(norm, "ortho") == 0) *scale = 1 / sqrt(n);
  else if (strcmp(norm, "forward") == 0) *scale = forward ? 1 / n : 1;
  else if (strcmp(norm, "backward") != 0) return tsr_op_fail(c->ctx, "Invalid normalization mode: \"%s\"", norm);
  return TSR_OK;
}

/* Complete half a Hermitian spectrum along dim to n points. */
static tsr_status complete(tsr_ctx *ctx, tsr_tensor **out, tsr_tensor *x, int64_t dim, int64_t n) {
  int64_t size[TSR_MAX_NDIM], inner = 1, have = x->size[dim];
  memcpy(size, x->size, x->ndim * sizeof *size);
  size[dim] = n;
  TSR_TRY(tsr_new(ctx, out, TSR_COMPLEX128, x->ndim, size));
  for (int d = (int)dim + 1; d < x->ndim; d++) inner *= size[d];
  const tsr_c128 *src = tsr_tensor_data_ro(x);
  tsr_c128 *dst = (*out)->storage->data;
  int64_t outer = (*out)->numel == 0 ? 0 : (*out)->numel / (n * inner);
  for (int64_t o = 0; o < outer; o++) {
    for (int64_t k = 0; k < n; k++) {
      int64_t from = k <= n / 2 ? k : n - k;
      for (int64_t i = 0; i < inner; i++) {
        tsr_c128 z = from < have ? src[(o * have + from) * inner + i] : (tsr_c128){0, 0};
        if (k > n / 2) z.im = -z.im;
        if (k == 0 || 2 * k == n) z.im = 0; /* real by symmetry: what the input has there is ignored */
        dst[(o * n + k) * inner + i] = z;
      }
    }
  }
  return TSR_OK;
}

/* The transform itself; x is contiguous complex128. */
static tsr_status transform(tsr_ctx *ctx, tsr_tensor **out, tsr_tensor *x, const fft_spec *spec, request *r, double scale) {
  int last = r->n - 1;
  if (spec->kind == C2C) return tsr_fft_dims(ctx, out, x, r->n, r->dims, r->sizes, spec->forward, scale);
  if (spec->kind == R2C) {
    TSR_TRY(tsr_fft_dims(ctx, &x, x, r->n, r->dims, r->sizes, spec->forward, scale));
    TSR_TRY(tsr_narrow(ctx, out, x, r->dims[last], 0, r->last / 2 + 1));
    return TSR_OK;
  }
  /* C2R: the other dimensions first, then the completed last one */
  TSR_TRY(tsr_fft_dims(ctx, &x, x, last, r->dims, r->sizes, spec->forward, scale));
  TSR_TRY(complete(ctx, &x, x, r->dims[last], r->last));
  return tsr_fft_dims(ctx, out, x, 1, &r->dims[last], &r->last, spec->forward, last == 0 ? scale : 1);
}

/* ---- the order of the results in memory ---- */

/* PyTorch hands its library batches in the order of the operand's strides and leaves the result as the library wrote it: the dimensions that are
 * not transformed outermost, larger strides first, then those that are, in the order given. */
static void exec_order(int ndim, int64_t *stride, const int64_t *size, int n, const int64_t *dims) {
  int order[TSR_MAX_NDIM], first = 0, last = ndim;
  bool transformed[TSR_MAX_NDIM] = {false};
  for (int i = 0; i < ndim; i++) order[i] = i;
  for (int i = 0; i < n; i++) transformed[dims[i]] = true;
  for (;;) { /* the partition that is not stable: it decides between equal strides */
    while (first < last && !transformed[order[first]]) first++;
    while (first < last && transformed[order[last - 1]]) last--;
    if (first >= last) break;
    int t = order[first];
    order[first++] = order[--last];
    order[last] = t;
  }
  for (int i = 1; i < ndim - n; i++) {
    for (int k = i; k > 0 && stride[order[k]] > stride[order[k - 1]]; k--) {
      int t = order[k];
      order[k] = order[k - 1];
      order[k - 1] = t;
    }
  }
  for (int i = 0; i < n; i++) order[ndim - n + i] = (int)dims[i];
  int64_t step = 1;
  for (int i = ndim - 1; i >= 0; i--) {
    stride[order[i]] = step;
    step *= TSR_MAX(size[order[i]], (int64_t)1);
  }
}

/* dims by falling stride */
static void sort_dims(int64_t *out, const int64_t *dims, int n, const int64_t *stride) {
  for (int i = 0; i < n; i++) {
    int k = i;
    for (; k > 0 && stride[dims[i]] > stride[out[k - 1]]; k--) out[k] = out[k - 1];
    out[k] = dims[i];
  }
}

/* Whole spectra of real numbers: only fft, ifft and _fft_r2c come from a transform of real numbers. */
static bool is_r2c(const fft_spec *spec) { return !spec->many || spec->name[0] == '_'; }

/* Strides that PyTorch's result of these transforms has; stride and size: the operand's, after its conversion. */
static void result_order(const tsr_tensor *x, const tsr_tensor *y, const fft_spec *spec, const request *r, bool real, int64_t *stride) {
  int ndim = x->ndim, n = r->n;
  int64_t size[TSR_MAX_NDIM], dims[TSR_MAX_NDIM], last = r->dims[n - 1];
  bool pad = false;
  memcpy(size, x->size, (size_t)ndim * sizeof *size);
  for (int i = 0; i < n; i++) {
    int64_t want = spec->kind == C2R && i == n - 1 ? r->last / 2 + 1 : r->sizes[i];
    pad = pad || size[r->dims[i]] < want;
    size[r->dims[i]] = want;
  }
  for (int i = ndim - 1, step = 0; pad && i >= 0; i--, step++) stride[i] = step == 0 ? 1 : stride[i + 1] * TSR_MAX(size[i + 1], (int64_t)1);
  if (spec->kind == C2C && real && is_r2c(spec)) {
    sort_dims(dims, r->dims, n - 1, stride);
    dims[n - 1] = last;
    return exec_order(ndim, stride, size, n, dims);
  }
  if (spec->kind == C2C) {
    sort_dims(dims, r->dims, n, stride);
    return exec_order(ndim, stride, size, n, dims);
  }
  bool split = spec->kind == C2R || !spec->forward; /* the last dimension is transformed by itself */
  if (spec->kind == R2C) {
    size[last] = y->size[last];
    sort_dims(dims, r->dims, n - 1, stride);
    dims[n - 1] = last;
    exec_order(ndim, stride, size, split ? 1 : n, split ? &last : dims);
  }
  if (split && n > 1) {
    sort_dims(dims, r->dims, n - 1, stride);
    exec_order(ndim, stride, size, n - 1, dims);
  }
  if (spec->kind == C2R) exec_order(ndim, stride, y->size, 1, &last);
}

/* y in the order that PyTorch's result has; x is the operand, converted what PyTorch makes of it where the transform wants another element type. */
static tsr_status lay_out(tsr_ctx *ctx, tsr_tensor **y, const tsr_tensor *x, const tsr_tensor *converted, const fft_spec *spec, const request *r) {
  tsr_dtype d = (tsr_dtype)x->dtype;
  bool real = !tsr_dtype_is_complex(d), keeps = !real || (tsr_dtype_is_float(d) && (spec->kind == R2C || (spec->kind == C2C && is_r2c(spec))));
  const tsr_tensor *from = keeps ? x : converted;
  int64_t stride[TSR_MAX_NDIM];
  memcpy(stride, from->stride, (size_t)x->ndim * sizeof *stride);
  if (r->n == 0 || (*y)->numel == 0 || x->ndim != (*y)->ndim) return TSR_OK;
  result_order(x, *y, spec, r, real, stride);
  return tsr_lay_out(ctx, y, *y, stride);
}

/* ---- element types ---- */

static const char *type_name(tsr_dtype d) { return tsr_dtype_get_info(d)->cpp_name; }
static tsr_dtype real_of(tsr_dtype d) { return d == TSR_FLOAT64 || d == TSR_COMPLEX128 ? TSR_FLOAT64 : TSR_FLOAT32; }
static bool is_half(tsr_dtype d) { return d == TSR_FLOAT16 || d == TSR_BFLOAT16; }

static tsr_status no_halves(tsr_ctx *ctx, tsr_dtype d) { return is_half(d) ? tsr_op_fail(ctx, "Unsupported dtype %s", type_name(d)) : TSR_OK; }

/* What the library itself is handed. */
static tsr_status check_library(tsr_ctx *ctx, fft_kind kind, tsr_dtype d) {
  bool complex = tsr_dtype_is_complex(d);
  if (kind == R2C && !tsr_dtype_is_float(d)) return tsr_op_fail(ctx, "Only supports floating-point dtypes, but found: %s", type_name(d));
  if (kind != R2C && !complex) return tsr_op_fail(ctx, "Only supports complex dtypes, but found: %s", type_name(d));
  return TSR_OK;
}
static tsr_status check_precision(tsr_ctx *ctx, tsr_dtype d) {
  return is_half(d) || d == TSR_COMPLEX32 ? tsr_op_fail(ctx, "MKL FFT doesn't support tensors of type: %s", d == TSR_BFLOAT16 ? "BFloat16" : "Half") : TSR_OK;
}

/* The out argument of the named functions. */
static tsr_status check_out(const tsr_call *c, const fft_spec *spec) {
  tsr_dtype d;
  if (!tsr_out_dtype(c, 0, &d) || (spec->kind == C2R ? tsr_dtype_is_float(d) : tsr_dtype_is_complex(d))) return TSR_OK;
  return tsr_op_fail(c->ctx, "%s expects a %s output tensor, but got %s", spec->kind == C2C && spec->many ? "fftn" : spec->name, spec->kind == C2R ? "floating point" : "complex", type_name(d));
}

/* y into the out argument, if there is one.  mirrored: the other half of a spectrum is completed there; found: a pointwise operator writes it. */
static tsr_status give(tsr_call *c, tsr_tensor *y, bool mirrored, bool found) {
  tsr_dtype d;
  if (!tsr_out_dtype(c, 0, &d)) {
    if (y == tsr_arg_tensor(c, 0)) TSR_TRY(tsr_clone(c->ctx, &y, y));
    return tsr_ret_tensor(c, 0, y);
  }
  tsr_tensor *out = c->outs[0].t;
  if (found) TSR_TRY(tsr_out_check(c, 0, (tsr_dtype)y->dtype, TSR_OUT_FOUND));
  bool fits = tsr_tensor_same_size(out, y);
  if (!fits) TSR_TRY(tsr_resize(c->ctx, out, y->ndim, y->size));
  if (!fits && found && !tsr_tensor_set_dims(out, y->ndim, y->size, y->stride)) return tsr_ctx_nomem(c->ctx);
  if (mirrored && d != TSR_COMPLEX64 && d != TSR_COMPLEX128) return tsr_op_fail(c->ctx, "\"_fft_fill_with_conjugate_symmetry\" not implemented for '%s'", type_name(d));
  TSR_TRY(tsr_copy_into(c->ctx, out, y));
  return tsr_ret_tensor(c, 0, out);
}

/* The transform of x in the type and order of PyTorch's result. */
static tsr_status run_fft(tsr_ctx *ctx, tsr_tensor **y, tsr_tensor *x, const fft_spec *spec, request *r, double scale) {
  tsr_tensor *operand = x, *converted;
  tsr_dtype real = real_of((tsr_dtype)x->dtype);
  TSR_TRY(tsr_to_dtype(ctx, &converted, x, TSR_COMPLEX128));
  TSR_TRY(tsr_contiguous(ctx, &x, converted));
  TSR_TRY(transform(ctx, y, x, spec, r, scale));
  TSR_TRY(tsr_to_dtype(ctx, y, *y, spec->kind == C2R ? real : tsr_dtype_complex_of(real)));
  TSR_TRY(tsr_contiguous(ctx, y, *y));
  return lay_out(ctx, y, operand, converted, spec, r);
}

TSR_KERNEL(fft) {
  const fft_spec *spec = c->op->data;
  tsr_tensor *x = tsr_arg_tensor(c, 0), *y;
  tsr_dtype d = (tsr_dtype)x->dtype;
  request r = {0};
  bool complex = tsr_dtype_is_complex(d), r2c = !spec->many && (spec->kind == R2C || (spec->kind == C2C && !complex)), early = r2c || (!spec->many && spec->kind == C2R);
  if (spec->kind == R2C && complex && (!spec->many || spec->forward)) return tsr_op_fail(c->ctx, "%s expects a real%s input tensor, but got %s", spec->name, spec->many ? "-valued" : "", type_name(d));
  if (early) TSR_TRY(check_out(c, spec));
  if (!spec->many) TSR_TRY(no_halves(c->ctx, d));
  if (x->ndim == 0 && !spec->many) { /* a scalar is a signal of one point */
    int64_t one = 1;
    TSR_TRY(tsr_view_as(c->ctx, &x, x, 1, &one));
  }
  if (spec->many) TSR_TRY(request_many(c, spec, x, &r));
  else TSR_TRY(request_one(c, spec, x, &r));
  TSR_TRY(no_halves(c->ctx, d));
  if (!spec->many) r.sizes[0] = r.last;
  double points = 1, scale;
  if (r.n > 0) r.sizes[r.n - 1] = r.last;
  for (int i = 0; i < r.n; i++) points *= (double)r.sizes[i];
  TSR_TRY(norm_scale(c, 3, spec->forward, points, &scale));
  if (spec->kind == R2C && complex) return check_library(c->ctx, R2C, d);
  if (!early) TSR_TRY(check_out(c, spec));
  TSR_TRY(check_precision(c->ctx, d));
  TSR_TRY(run_fft(c->ctx, &y, x, spec, &r, scale));
  return give(c, y, r2c && spec->kind == C2C && spec->forward, r2c && !spec->forward);
}

/* aten::_fft_*: normalisation 0 none, 1 by root n, others by n; sizes as they are */
static double code_scale(int64_t code, double n) { return code == 0 ? 1 : code == 1 ? 1 / sqrt(n) : 1 / n; }

static tsr_status internal(tsr_call *c, fft_kind kind, bool forward, int64_t last, bool onesided) {
  fft_spec spec = {"_fft", kind, forward, true};
  tsr_tensor *x = tsr_arg_tensor(c, 0), *y;
  request r = {0};
  int64_t n;
  const int64_t *dims = tsr_arg_ints(c, 1, &n);
  if (dims == NULL) return c->ctx->err.status;
  if (n > TSR_MAX_NDIM || (n == 0 && kind != C2C)) return tsr_op_fail(c->ctx, "_fft: %lld dimensions", (long long)n);
  TSR_TRY(check_library(c->ctx, kind, (tsr_dtype)x->dtype));
  if (n > 0) TSR_TRY(check_precision(c->ctx, (tsr_dtype)x->dtype));
  r.n = (int)n;
  double points = 1;
  for (int i = 0; i < r.n; i++) {
    TSR_TRY(tsr_wrap_dim(c->ctx, dims[i], x->ndim, &r.dims[i]));
    r.sizes[i] = i == r.n - 1 && kind == C2R ? last : x->ndim == 0 ? 1 : x->size[r.dims[i]];
    points *= (double)r.sizes[i];
  }
  r.last = r.n > 0 ? r.sizes[r.n - 1] : 0;
  if (kind == C2R && last == 0) return bad_points(c->ctx, last);
  if (kind == C2R && last < 0) { /* the error of a tensor of this size */
    int64_t size[TSR_MAX_NDIM];
    memcpy(size, x->size, (size_t)x->ndim * sizeof *size);
    size[r.dims[n - 1]] = last;
    return tsr_new(c->ctx, &y, TSR_FLOAT32, x->ndim, size);
  }
  for (int i = 0; i < r.n; i++)
    if (r.sizes[i] == 0) return tsr_op_fail(c->ctx, "cannot reshape tensor of 0 elements into shape [-1, 0] because the unspecified dimension size -1 can be any value and is ambiguous");
  if (kind == R2C && !onesided) spec.kind = C2C;
  TSR_TRY(run_fft(c->ctx, &y, x, &spec, &r, code_scale(tsr_arg_int(c, 2), points)));
  return give(c, y, kind == R2C && !onesided, false);
}

tsr_status tsr_fft_last(tsr_ctx *ctx, tsr_tensor **out, tsr_tensor *x, bool onesided, double scale) {
  fft_spec spec = {"_fft", tsr_dtype_is_complex((tsr_dtype)x->dtype) || !onesided ? C2C : R2C, true, true};
  int last = x->ndim - 1;
  request r = {1, {last}, {x->size[last]}, x->size[last]};
  TSR_TRY(check_precision(ctx, (tsr_dtype)x->dtype));
  return run_fft(ctx, out, x, &spec, &r, scale);
}

TSR_KERNEL(c2c) { return internal(c, C2C, tsr_arg_bool(c, 3), 0, false); }
TSR_KERNEL(r2c) { return internal(c, R2C, true, 0, tsr_arg_bool(c, 3)); }
TSR_KERNEL(c2r) { return internal(c, C2R, false, tsr_arg_int(c, 3), false); }

/* ---- frequencies and shifts ---- */

static tsr_status frequencies(tsr_call *c, bool half) {
  int64_t n = tsr_arg_int(c, 0);
  double d = tsr_arg_float(c, 1);
  tsr_dtype dtype = tsr_arg_dtype_or(c, 2, TSR_FLOAT32);
  int64_t count = half ? n / 2 + 1 : n;
  bool out = tsr_out_dtype(c, 0, &dtype);
  tsr_tensor *t;
  if (!out) TSR_TRY(tsr_new(c->ctx, &t, dtype, 1, &count));
  if (tsr_dtype_is_integral(dtype, true)) return tsr_op_fail(c->ctx, "%s requires a floating point or complex dtype", half ? "rfftfreq" : "fftfreq");
  if (tsr_dtype_is_complex(dtype)) return tsr_not_implemented(c->ctx, "arange_cpu", dtype);
  if (count < 0) return tsr_op_fail(c->ctx, "upper bound and lower bound inconsistent with step sign");
  if (out) TSR_TRY(tsr_new(c->ctx, &t, dtype, 1, &count));
  double unit = 1.0 / ((double)n * d);
  for (int64_t i = 0; i < count; i++) {
    double f = (double)(half || i < (n + 1) / 2 ? i : i - n) * unit;
    tsr_convert(dtype, (char *)t->storage->data + (size_t)i * tsr_tensor_itemsize(t), TSR_FLOAT64, &f, 1);
  }
  return tsr_ret_tensor(c, 0, t);
}
TSR_KERNEL(fftfreq) { return frequencies(c, false); }
TSR_KERNEL(rfftfreq) { return frequencies(c, true); }

static tsr_status shift(tsr_call *c, bool inverse) {
  tsr_tensor *x = tsr_arg_tensor(c, 0);
  int64_t n, all[TSR_MAX_NDIM];
  const int64_t *dims = tsr_arg_ints(c, 1, &n);
  if (c->ctx->err.status != TSR_OK) return c->ctx->err.status;
  if (n < 0) {
    for (n = 0; n < x->ndim; n++) all[n] = n;
    dims = all;
  }
  for (int64_t i = 0; i < n; i++) {
    int64_t d;
    TSR_TRY(tsr_wrap_dim(c->ctx, dims[i], x->ndim, &d));
    if (x->ndim == 0 || x->size[d] < 2) continue;
    int64_t len = x->size[d], by = inverse ? len / 2 : (len + 1) / 2; /* elements that move to the end */
    tsr_tensor *parts[2];
    TSR_TRY(tsr_narrow(c->ctx, &parts[0], x, d, by, len - by));
    TSR_TRY(tsr_narrow(c->ctx, &parts[1], x, d, 0, by));
    TSR_TRY(tsr_cat(c->ctx, &x, parts, 2, d));
  }
  if (x == tsr_arg_tensor(c, 0)) TSR_TRY(tsr_clone(c->ctx, &x, x));
  return tsr_ret_tensor(c, 0, x);
}
TSR_KERNEL(fftshift) { return shift(c, false); }
TSR_KERNEL(ifftshift) { return shift(c, true); }

/* hfft is the forward transform of a Hermitian signal, ihfft the inverse of a real one. */
#define SPEC(id, kind, forward)                                                                            \
  static const fft_spec s_##id = {#id, kind, forward, false}, s_##id##n = {#id "n", kind, forward, true}
SPEC(fft, C2C, true);
SPEC(ifft, C2C, false);
SPEC(rfft, R2C, true);
SPEC(irfft, C2R, false);
SPEC(hfft, C2R, true);
SPEC(ihfft, R2C, false);

#define P TSR_PURE
#define PO (TSR_OUT_PLAIN)
#define ROWS(id)                                                                                                                   \
  {"aten::fft_" #id "(Tensor self, SymInt? n=None, int dim=-1, str? norm=None) -> Tensor", op_fft, P, &s_##id},                    \
      {"aten::fft_" #id ".out(Tensor self, SymInt? n=None, int dim=-1, str? norm=None, *, Tensor(a!) out) -> Tensor(a!)", op_fft, PO, &s_##id}, \
      {"aten::fft_" #id "2(Tensor self, SymInt[1]? s=None, int[1] dim=[-2, -1], str? norm=None) -> Tensor", op_fft, P, &s_##id##n}, \
      {"aten::fft_" #id "2.out(Tensor self, SymInt[1]? s=None, int[1] dim=[-2, -1], str? norm=None, *, Tensor(a!) out) -> Tensor(a!)", op_fft, PO, &s_##id##n}, \
      {"aten::fft_" #id "n(Tensor self, SymInt[1]? s=None, int[1]? dim=None, str? norm=None) -> Tensor", op_fft, P, &s_##id##n},    \
      {"aten::fft_" #id "n.out(Tensor self, SymInt[1]? s=None, int[1]? dim=None, str? norm=None, *, Tensor(a!) out) -> Tensor(a!)", op_fft, PO, &s_##id##n}
#define FACTORY "*, ScalarType? dtype=None, Layout? layout=None, Device? device=None, bool? pin_memory=None) -> Tensor"

const tsr_op tsr_ops_fft[] = {
    ROWS(fft), ROWS(ifft), ROWS(rfft), ROWS(irfft), ROWS(hfft), ROWS(ihfft),
    {"aten::_fft_r2c(Tensor self, int[] dim, int normalization, bool onesided) -> Tensor", op_r2c, P},
    {"aten::_fft_r2c.out(Tensor self, int[] dim, int normalization, bool onesided, *, Tensor(a!) out) -> Tensor(a!)", op_r2c, PO},
    {"aten::_fft_c2c(Tensor self, SymInt[] dim, int normalization, bool forward) -> Tensor", op_c2c, P},
    {"aten::_fft_c2c.out(Tensor self, SymInt[] dim, int normalization, bool forward, *, Tensor(a!) out) -> Tensor(a!)", op_c2c, PO},
    {"aten::_fft_c2r(Tensor self, int[] dim, int normalization, SymInt last_dim_size) -> Tensor", op_c2r, P},
    {"aten::_fft_c2r.out(Tensor self, int[] dim, int normalization, SymInt last_dim_size, *, Tensor(a!) out) -> Tensor(a!)", op_c2r, PO},
    {"aten::fft_fftfreq(int n, float d=1., " FACTORY, op_fftfreq, P}, {"aten::fft_fftfreq.out(int n, float d=1., *, Tensor(a!) out) -> Tensor(a!)", op_fftfreq, PO},
    {"aten::fft_rfftfreq(int n, float d=1., " FACTORY, op_rfftfreq, P}, {"aten::fft_rfftfreq.out(int n, float d=1., *, Tensor(a!) out) -> Tensor(a!)", op_rfftfreq, PO},
    {"aten::fft_fftshift(Tensor self, int[1]? dim=None) -> Tensor", op_fftshift, P}, {"aten::fft_ifftshift(Tensor self, int[1]? dim=None) -> Tensor", op_ifftshift, P},
    {0}};
