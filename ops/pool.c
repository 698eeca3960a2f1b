/* Pooling operators: windows from their arguments, PyTorch's checks, layouts. */
#include "ops/pool.h"

#include <math.h>
#include <stdio.h>

#include "ops/native.h"

typedef struct pool_row { int nd; const char *name; bool indices; } pool_row; /* of op->data */

static const char *const counts[] = {"", "one int", "two ints", "three ints"};

static bool is_narrow(const tsr_tensor *t) { return t->dtype == TSR_FLOAT16 || t->dtype == TSR_BFLOAT16; }

/* kernel_size and friends: one number or nd of them. */
static tsr_status spread(tsr_ctx *ctx, const pool_row *r, const char *what, const int64_t *xs, int64_t n, const int64_t *dflt, int64_t *out) {
  bool omitted = n == 0 && dflt != NULL;
  if (!omitted && n != 1 && n != r->nd) {
    const char *form = dflt != NULL ? "must either be omitted, a single int, or a tuple of" : strcmp(what, "dilation") == 0
                           ? "must be either a single int, or a tuple of" : "must either be a single int, or a tuple of";
    return tsr_op_fail(ctx, "%s: %s %s %s", r->name, what, form, counts[r->nd]);
  }
  for (int d = 0; d < 3; d++) {
    int i = d - (3 - r->nd);
    out[d] = i < 0 ? strcmp(what, "padding") != 0 : omitted ? dflt[d] : xs[n == 1 ? 0 : i];
  }
  return TSR_OK;
}

static int64_t floor_div(int64_t a, int64_t b) { return a / b - (a % b != 0 && (a < 0) != (b < 0)); }

static tsr_status out_size(tsr_ctx *ctx, int64_t in, int64_t k, int64_t s, int64_t p, int64_t d, bool ceil_mode, int64_t *out) {
  int64_t reach, span;
  if (tsr_mul_overflow(d, k - 1, &reach) || tsr_mul_overflow(p, 2, &span) || tsr_add_overflow(span, in - 1, &span) ||
      tsr_add_overflow(span, -reach, &span) || tsr_add_overflow(span, ceil_mode ? s - 1 : 0, &span))
    return tsr_op_fail(ctx, "pooling sizes overflow");
  *out = floor_div(span, s) + 1;
  if (ceil_mode && (*out - 1) * s >= in + p) --*out;
  return TSR_OK;
}

typedef struct window { int64_t k[3], s[3], p[3], d[3]; bool ceil_mode; } window;

static tsr_status bad_sizes(tsr_ctx *ctx, const pool_row *r, const char *what, char letter, const int64_t *v) {
  long long t = v[0], h = v[1], w = v[2];
  if (r->nd == 1) return tsr_op_fail(ctx, "%s should be greater than zero, but got %lld", what, w);
  if (r->nd == 2) return tsr_op_fail(ctx, "%s should be greater than zero, but got %cH: %lld %cW: %lld", what, letter, h, letter, w);
  return tsr_op_fail(ctx, "%s should be greater than zero, but got %cT: %lld %cH: %lld %cW: %lld", what, letter, t, letter, h, letter, w);
}

static tsr_status check_window(tsr_ctx *ctx, const pool_row *r, const window *w, bool dilated) {
  for (int i = 3 - r->nd; i < 3; i++) {
    if (w->k[i] <= 0 && w->s[i] > 0 && w->k[i] != w->s[i]) return bad_sizes(ctx, r, "kernel size", 'k', w->k);
    if (w->s[i] == 0) return tsr_op_fail(ctx, "stride should not be zero");
    if (w->p[i] < 0) return tsr_op_fail(ctx, "pad must be non-negative, but got pad: %lld", (long long)w->p[i]);
  }
  for (int i = 3 - r->nd; dilated && i < 3; i++) {
    if (w->d[i] > 0) continue;
    if (r->nd == 3)
      return tsr_op_fail(ctx, "dilation should be greater than zero, but got dilationT: %lld dilationH: %lld dilationW: %lld", (long long)w->d[0],
                         (long long)w->d[1], (long long)w->d[2]);
    return tsr_op_fail(ctx, "dilation should be greater than zero, but got dilationH: %lld dilationW: %lld", (long long)w->d[1], (long long)w->d[2]);
  }
  for (int i = 3 - r->nd; i < 3; i++) {
    if (w->k[i] <= 0) return bad_sizes(ctx, r, "kernel size", 'k', w->k);
    if (w->s[i] < 0) return bad_sizes(ctx, r, "stride", 'd', w->s);
    int64_t reach; /* a window that no integer holds is wide enough for any padding; out_size refuses it */
    if (!tsr_mul_overflow(w->k[i] - 1, w->d[i], &reach) && w->p[i] > reach / 2 + reach % 2)
      return tsr_op_fail(ctx, "pad should be at most half of effective kernel size, but got pad=%lld, kernel_size=%lld and dilation=%lld",
                         (long long)w->p[i], (long long)w->k[i], (long long)w->d[i]);
  }
  return TSR_OK;
}

/* [n, c] and spatial sizes of x, whose last nd dimensions are pooled. */
static void describe(const tsr_tensor *x, int nd, tsr_pool_plan *p) {
  p->nd = nd;
  p->n = x->ndim == nd + 2 ? x->size[0] : 1;
  p->c = x->ndim >= nd + 1 ? x->size[x->ndim - nd - 1] : 1;
  for (int d = 0; d < 3; d++) {
    p->in[d] = d < 3 - nd ? 1 : x->size[x->ndim - 3 + d];
    p->out[d] = 1;
    p->step[d] = 1;
  }
}

static tsr_status check_input(tsr_ctx *ctx, const pool_row *r, const tsr_tensor *x) {
  char text[256];
  tsr_sizes_print(text, sizeof text, x->ndim, x->size);
  int nd = r->nd;
  if (x->ndim != nd + 1 && x->ndim != nd + 2) return tsr_op_fail(ctx, "non-empty %dD or %dD (batch mode) tensor expected for input", nd + 1, nd + 2);
  int first = x->ndim - nd - 1;
  for (int d = first; d < x->ndim; d++) {
    if (x->size[d] != 0) continue;
    if (nd == 3)
      return tsr_op_fail(ctx, "%s(): Expected input's non-batch dimensions to have positive length, but input has a shape of %s and non-batch dimension %d has length zero!",
                         r->indices || strstr(r->name, "max") ? "max_pool3d_with_indices_out_cpu_template" : "avg_pool3d_out_frame", text, d - first - 1);
    return tsr_op_fail(ctx, "Expected %dD or %dD (batch mode) tensor with optional 0 dim batch size for input, but got:%s", nd + 1, nd + 2, text);
  }
  return TSR_OK;
}

static tsr_status fill_windows(tsr_ctx *ctx, tsr_pool_plan *p, const window *w, bool include_pad) {
  char in[96], out[96];
  bool small = false;
  for (int d = 3 - p->nd; d < 3; d++) {
    TSR_TRY(out_size(ctx, p->in[d], w->k[d], w->s[d], w->p[d], w->d[d], w->ceil_mode, &p->out[d]));
    small = small || p->out[d] < 1;
    p->step[d] = w->d[d];
  }
  if (small && p->nd == 3) {
    snprintf(in, sizeof in, "%lldx%lldx%lldx%lld", (long long)p->c, (long long)p->in[0], (long long)p->in[1], (long long)p->in[2]);
    snprintf(out, sizeof out, "%lldx%lldx%lldx%lld", (long long)p->c, (long long)p->out[0], (long long)p->out[1], (long long)p->out[2]);
  } else if (small) {
    snprintf(in, sizeof in, "%lldx%lldx%lld", (long long)p->c, (long long)p->in[1], (long long)p->in[2]);
    snprintf(out, sizeof out, "%lldx%lldx%lld", (long long)p->c, (long long)p->out[1], (long long)p->out[2]);
  }
  if (small) return tsr_op_fail(ctx, "Given input size: (%s). Calculated output size: (%s). Output size is too small", in, out);
  TSR_TRY(tsr_pool_tables(ctx, p));
  for (int d = 3 - p->nd; d < 3; d++)
    for (int64_t o = 0; o < p->out[d]; o++) {
      int64_t lo = o * w->s[d] - w->p[d], reach = (w->k[d] - 1) * w->d[d] + 1, hi = TSR_MIN(lo + reach, p->in[d] + w->p[d]);
      p->count[d][o] = hi - lo;
      if (lo < 0) lo += (-lo + w->d[d] - 1) / w->d[d] * w->d[d];
      p->lo[d][o] = lo;
      p->hi[d][o] = TSR_MIN(hi, p->in[d]);
      if (!include_pad) p->count[d][o] = p->hi[d][o] - lo;
    }
  return TSR_OK;
}

/* The input in a layout and dtype the loops take, and a result of the same layout. */
static tsr_status prepare(tsr_ctx *ctx, tsr_pool_plan *p, tsr_tensor **x, tsr_tensor **y, tsr_tensor **index, bool keep_last) {
  tsr_tensor *t = *x;
  int64_t size[5], stride[5];
  p->last = keep_last && t->ndim == p->nd + 2 && t->ndim >= 4 && tsr_tensor_is_channels_last(t) && !tsr_tensor_is_contiguous(t);
  tsr_dtype d = is_narrow(t) ? TSR_FLOAT32 : (tsr_dtype)t->dtype;
  if (p->last) TSR_TRY(tsr_to_dtype(ctx, x, t, d));
  else TSR_TRY(tsr_ready(ctx, x, t, d));
  int lead = t->ndim - p->nd;
  for (int i = 0; i < lead; i++) size[i] = t->size[i];
  for (int i = 0; i < p->nd; i++) size[lead + i] = p->out[3 - p->nd + i];
  if (p->last) tsr_strides_channels_last(t->ndim, size, stride);
  else tsr_strides_contiguous(t->ndim, size, stride);
  TSR_TRY(tsr_new_strided(ctx, y, d, t->ndim, size, stride));
  if (index != NULL) TSR_TRY(tsr_new_strided(ctx, index, TSR_INT64, t->ndim, size, stride));
  return TSR_OK;
}

/* Types a kernel exists for; name is what the message calls it. */
static tsr_status check_dtype(tsr_ctx *ctx, const tsr_tensor *x, const char *name, bool integers, bool int64) {
  tsr_dtype d = (tsr_dtype)x->dtype;
  if (d == TSR_FLOAT32 || d == TSR_FLOAT64 || is_narrow(x) || (integers && tsr_dtype_is_integral(d, false) && d <= TSR_INT64) ||
      (int64 && d == TSR_INT64))
    return TSR_OK;
  return tsr_op_fail(ctx, "\"%s\" not implemented for '%s'", name, tsr_dtype_get_info(d)->cpp_name);
}

static tsr_status max_pool(tsr_call *c, tsr_tensor *x, const pool_row *r, const window *w) {
  tsr_ctx *ctx = c->ctx;
  tsr_tensor *y, *index;
  tsr_pool_plan p = {0};
  tsr_dtype d = (tsr_dtype)x->dtype;
  TSR_TRY(check_input(ctx, r, x));
  TSR_TRY(check_dtype(ctx, x, r->nd == 3 ? "max_pool3d" : "max_pool2d", true, true));
  describe(x, r->nd, &p);
  TSR_TRY(fill_windows(ctx, &p, w, true));
  TSR_TRY(prepare(ctx, &p, &x, &y, r->indices ? &index : NULL, true));
  TSR_TRY(tsr_pool_max(ctx, &p, y, r->indices ? index : NULL, x));
  if (r->indices) TSR_TRY(tsr_ret_tensor(c, 1, index));
  TSR_TRY(tsr_to_dtype(ctx, &y, y, d));
  return tsr_ret_tensor(c, 0, y);
}

/* self, kernel_size, stride, padding, dilation, ceil_mode */
static tsr_status read_window(tsr_call *c, const pool_row *r, bool dilated, window *w) {
  int64_t n;
  const int64_t one = 1;
  const int64_t *k = tsr_arg_ints(c, 1, &n);
  TSR_TRY(spread(c->ctx, r, "kernel_size", k, n, NULL, w->k));
  const int64_t *s = tsr_arg_ints(c, 2, &n);
  TSR_TRY(spread(c->ctx, r, "stride", s, n, w->k, w->s));
  const int64_t *p = tsr_arg_ints(c, 3, &n);
  TSR_TRY(spread(c->ctx, r, "padding", p, n, NULL, w->p));
  n = 1;
  const int64_t *d = dilated ? tsr_arg_ints(c, 4, &n) : &one;
  TSR_TRY(spread(c->ctx, r, "dilation", d, n, NULL, w->d));
  w->ceil_mode = tsr_arg_bool(c, dilated ? 5 : 4);
  return TSR_OK;
}

/* out= arguments of max_pool3d_with_indices, whose text is not the others' */
static tsr_status check_outs_3d(const tsr_call *c, const pool_row *r) {
  tsr_dtype out, want = (tsr_dtype)tsr_arg_tensor(c, 0)->dtype;
  for (uint32_t i = 0; i < 2 && r->nd == 3; i++, want = TSR_INT64) {
    if (tsr_out_dtype(c, i, &out) && out != want) return tsr_op_fail(c->ctx, "expected scalar type %s but found %s", tsr_dtype_get_info(want)->cpp_name, tsr_dtype_get_info(out)->cpp_name);
  }
  return TSR_OK;
}

TSR_KERNEL(max_pool) {
  const pool_row *r = c->op->data;
  window w;
  tsr_tensor *x = tsr_arg_tensor(c, 0);
  TSR_TRY(read_window(c, r, true, &w));
  TSR_TRY(check_outs_3d(c, r));
  if (r->nd == 3 || x->ndim == 3 || x->ndim == 4) TSR_TRY(check_window(c->ctx, r, &w, true));
  return max_pool(c, x, r, &w);
}

static tsr_status one_int(tsr_call *c, uint32_t i, const char *what, bool optional, int64_t dflt, int64_t *out) {
  int64_t n;
  const int64_t *xs = tsr_arg_ints(c, i, &n);
  if (n != 1 && !(n == 0 && optional))
    return tsr_op_fail(c->ctx, "max_pool1d() %s must be an int, list of ints or tuple of ints of size 1 but got size %lld", what, (long long)n);
  *out = n == 0 ? dflt : xs[0];
  return TSR_OK;
}

/* [c, l] and [n, c, l] as rows of height 1. */
TSR_KERNEL(max_pool1d) {
  const pool_row *r = c->op->data;
  static const pool_row as1 = {1, "max_pool1d", false}, as1i = {1, "max_pool1d", true};
  tsr_ctx *ctx = c->ctx;
  tsr_tensor *x = tsr_arg_tensor(c, 0);
  int64_t k = 0, s = 0, p = 0, d = 0, out;
  char text[256];
  tsr_sizes_print(text, sizeof text, x->ndim, x->size);
  bool empty = (x->ndim == 2 || x->ndim == 3) && (x->size[x->ndim - 1] == 0 || x->size[x->ndim - 2] == 0);
  if ((x->ndim != 2 && x->ndim != 3) || empty)
    return tsr_op_fail(ctx, "max_pool1d: Expected 2D or 3D (batch mode) tensor with optional 0 dim batch size for input, but got:%s", text);
  TSR_TRY(one_int(c, 1, "kernel_size", false, 0, &k));
  TSR_TRY(one_int(c, 2, "stride", true, k, &s));
  TSR_TRY(one_int(c, 3, "padding", false, 0, &p));
  TSR_TRY(one_int(c, 4, "dilation", false, 1, &d));
  if (k <= 0) return tsr_op_fail(ctx, "max_pool1d() kernel_size must be greater than zero, but got %lld", (long long)k);
  if (s <= 0) return tsr_op_fail(ctx, "max_pool1d() stride must be greater than zero, but got %lld", (long long)s);
  if (p < 0) return tsr_op_fail(ctx, "max_pool1d() padding must be non-negative, but got %lld", (long long)p);
  if (p > k / 2)
    return tsr_op_fail(ctx, "max_pool1d() padding should be at most half of kernel size, but got padding=%lld and kernel_size=%lld", (long long)p, (long long)k);
  if (d <= 0) return tsr_op_fail(ctx, "max_pool1d() dilation must be greater than zero, but got %lld", (long long)d);
  window w = {{1, 1, k}, {1, 1, s}, {0, 0, p}, {1, 1, d}, tsr_arg_bool(c, 5)};
  TSR_TRY(out_size(ctx, x->size[x->ndim - 1], k, s, p, d, w.ceil_mode, &out));
  if (out <= 0) return tsr_op_fail(ctx, "max_pool1d() Invalid computed output size: %lld", (long long)out);
  if (!r->indices) TSR_TRY(check_dtype(ctx, x, "max_pool1d_impl", false, false));
  return max_pool(c, x, r->indices ? &as1i : &as1, &w);
}

static tsr_status avg_pool(tsr_call *c, tsr_tensor *x, const pool_row *r, const window *w, bool include_pad, int64_t divisor) {
  tsr_ctx *ctx = c->ctx;
  tsr_tensor *y;
  tsr_pool_plan p = {0};
  tsr_dtype d = (tsr_dtype)x->dtype;
  describe(x, r->nd, &p);
  if (r->nd == 3) {
    for (int i = 0; i < 3; i++)
      if (p.in[i] + 2 * w->p[i] < w->k[i])
        return tsr_op_fail(ctx, "input image (T: %lld H: %lld W: %lld) smaller than kernel size (kT: %lld kH: %lld kW: %lld)", (long long)p.in[0],
                           (long long)p.in[1], (long long)p.in[2], (long long)w->k[0], (long long)w->k[1], (long long)w->k[2]);
  }
  TSR_TRY(fill_windows(ctx, &p, w, include_pad));
  p.divisor = divisor;
  TSR_TRY(check_dtype(ctx, x, r->nd == 3 ? "avg_pool3d_out_frame" : "avg_pool2d", false, true));
  TSR_TRY(prepare(ctx, &p, &x, &y, NULL, r->nd == 2));
  TSR_TRY(tsr_pool_avg(ctx, &p, y, x));
  TSR_TRY(tsr_to_dtype(ctx, &y, y, d));
  return tsr_ret_tensor(c, 0, y);
}

TSR_KERNEL(avg_pool) { /* self, kernel_size, stride, padding, ceil_mode, count_include_pad, divisor_override */
  const pool_row *r = c->op->data;
  tsr_tensor *x = tsr_arg_tensor(c, 0);
  window w;
  TSR_TRY(read_window(c, r, false, &w));
  if (!tsr_arg_is_none(c, 6) && tsr_arg_int(c, 6) == 0) return tsr_op_fail(c->ctx, "divisor must be not zero");
  if (r->nd == 2 && x->ndim < 3) {
    int64_t dim;
    return tsr_wrap_dim(c->ctx, -3, x->ndim, &dim);
  }
  if (r->nd == 3 && x->ndim != 4 && x->ndim != 5) return tsr_op_fail(c->ctx, "non-empty 4D or 5D (batch mode) tensor expected for input");
  TSR_TRY(check_window(c->ctx, r, &w, true));
  TSR_TRY(check_input(c->ctx, r, x));
  return avg_pool(c, x, r, &w, tsr_arg_bool(c, 5), tsr_arg_int_or(c, 6, 0));
}

TSR_KERNEL(avg_pool1d) { /* self, kernel_size, stride, padding, ceil_mode, count_include_pad */
  static const pool_row as2 = {2, "avg_pool2d", false};
  tsr_tensor *x = tsr_arg_tensor(c, 0), *y;
  window w;
  int64_t n;
  if (x->ndim != 2 && x->ndim != 3)
    return tsr_op_fail(c->ctx, "Expected 2 to 3 dimensions, but got %d-dimensional tensor for argument #1 'self' (while checking arguments for avg_pool1d)", x->ndim);
  const pool_row one = {1, "avg_pool1d", false};
  for (uint32_t i = 1; i < 4; i++) {
    static const char *const names[] = {"", "kernel_size", "stride", "padding"};
    tsr_arg_ints(c, i, &n);
    if (n > 1) return tsr_op_fail(c->ctx, "avg_pool1d() argument '%s' should contain one int (got %lld)", names[i], (long long)n);
  }
  TSR_TRY(read_window(c, &one, false, &w));
  TSR_TRY(check_window(c->ctx, &one, &w, false));
  TSR_TRY(tsr_unsqueeze(c->ctx, &x, x, x->ndim - 1));
  TSR_TRY(check_input(c->ctx, &as2, x));
  TSR_TRY(avg_pool(c, x, &as2, &w, tsr_arg_bool(c, 5), 0));
  y = c->rets[0].t;
  TSR_TRY(tsr_temp(c->ctx, c->rets[0]));
  c->rets[0] = tsr_none();
  TSR_TRY(tsr_squeeze_dim(c->ctx, &y, y, y->ndim - 2));
  return tsr_ret_tensor(c, 0, y);
}

/* ---- adaptive ---- */

static tsr_status adaptive_windows(tsr_ctx *ctx, tsr_pool_plan *p, const int64_t *out) {
  for (int d = 3 - p->nd; d < 3; d++) p->out[d] = out[d - (3 - p->nd)];
  TSR_TRY(tsr_pool_tables(ctx, p));
  for (int d = 3 - p->nd; d < 3; d++)
    for (int64_t o = 0; o < p->out[d]; o++) {
      p->lo[d][o] = o / p->out[d] * p->in[d] + o % p->out[d] * p->in[d] / p->out[d];
      p->hi[d][o] = 1 + ((o + 1) * p->in[d] - 1) / p->out[d];
      p->count[d][o] = p->hi[d][o] - p->lo[d][o];
    }
  return TSR_OK;
}

static tsr_status check_nonzero(tsr_ctx *ctx, const char *name, const tsr_tensor *x, int from) {
  char text[256];
  tsr_sizes_print(text, sizeof text, x->ndim, x->size);
  for (int d = from; d < x->ndim; d++)
    if (x->size[d] == 0)
      return tsr_op_fail(ctx, "%s(): Expected input to have non-zero size for non-batch dimensions, but input has sizes %s with dimension %d being empty", name,
                         text, d);
  return TSR_OK;
}

/* Global average of 2-D or 3-D: PyTorch takes the mean, whose strides for channels last are [c, 1, c, c]. */
static tsr_status global_strides(tsr_ctx *ctx, tsr_tensor **y, const tsr_tensor *x, bool last) {
  if (!last || x->ndim != 4) return TSR_OK;
  int64_t c = x->size[1], stride[4] = {c, 1, c, c};
  return tsr_new_view(ctx, y, *y, (*y)->offset, 4, (*y)->size, stride);
}

static tsr_status adaptive_avg(tsr_call *c, tsr_tensor *x, const pool_row *r, const int64_t *out) {
  tsr_ctx *ctx = c->ctx;
  tsr_tensor *y;
  tsr_pool_plan p = {0};
  tsr_dtype d = (tsr_dtype)x->dtype;
  bool global = true;
  for (int i = 0; i < r->nd; i++) global = global && out[i] == 1;
  if (!global) TSR_TRY(check_nonzero(ctx, r->name, x, x->ndim - r->nd));
  if (!global && r->nd == 2 && x->numel == 0) { /* any element type: nothing is computed */
    int64_t size[5];
    memcpy(size, x->size, x->ndim * sizeof *size);
    memcpy(size + x->ndim - 2, out, 2 * sizeof *size);
    TSR_TRY(tsr_new(ctx, &y, d, x->ndim, size));
    return tsr_ret_tensor(c, 0, y);
  }
  if (global && tsr_dtype_is_integral(d, true))
    return tsr_op_fail(ctx, "mean(): could not infer output dtype. Input dtype must be either a floating point or complex dtype. Got: %s",
                       tsr_dtype_get_info(d)->cpp_name);
  TSR_TRY(check_dtype(ctx, x, r->nd == 3 ? "adaptive_avg_pool3d_cpu" : "adaptive_avg_pool2d", false, false));
  describe(x, r->nd, &p);
  TSR_TRY(adaptive_windows(ctx, &p, out));
  TSR_TRY(prepare(ctx, &p, &x, &y, NULL, r->nd == 2));
  TSR_TRY(tsr_pool_avg(ctx, &p, y, x));
  if (p.in[0] * p.in[1] * p.in[2] == 0) TSR_TRY(tsr_fill(ctx, y, tsr_scalar_float(NAN)));
  TSR_TRY(tsr_to_dtype(ctx, &y, y, d));
  if (global) TSR_TRY(global_strides(ctx, &y, x, p.last));
  return tsr_ret_tensor(c, 0, y);
}

TSR_KERNEL(adaptive_avg_pool) {
  const pool_row *r = c->op->data;
  tsr_tensor *x = tsr_arg_tensor(c, 0);
  int64_t n;
  char text[256];
  const int64_t *out = tsr_arg_ints(c, 1, &n);
  tsr_sizes_print(text, sizeof text, x->ndim, x->size);
  if (n != r->nd) return tsr_op_fail(c->ctx, "%s: output_size must be %d", r->name, r->nd);
  for (int i = 0; i < r->nd; i++)
    if (out[i] < 0) {
      char list[96];
      tsr_sizes_print(list, sizeof list, r->nd, out);
      list[0] = '{';
      list[strlen(list) - 1] = '}';
      return tsr_op_fail(c->ctx, "%s: elements of output_size must be greater than or equal to 0 but received %s", r->name, list);
    }
  if (x->ndim != r->nd + 1 && x->ndim != r->nd + 2)
    return tsr_op_fail(c->ctx, "%s(): Expected %dD or %dD tensor, but got %s", r->name, r->nd + 1, r->nd + 2, text);
  return adaptive_avg(c, x, r, out);
}

static tsr_status check_1d(tsr_call *c, const char *name, int64_t *out) {
  tsr_tensor *x = tsr_arg_tensor(c, 0);
  int64_t n;
  const int64_t *xs = tsr_arg_ints(c, 1, &n);
  if (x->ndim != 2 && x->ndim != 3)
    return tsr_op_fail(c->ctx, "Expected 2 to 3 dimensions, but got %d-dimensional tensor for argument #1 'self' (while checking arguments for %s)", x->ndim, name);
  if (n != 1) return tsr_op_fail(c->ctx, "%s() argument 'output_size' should contain one int (got %lld)", name, (long long)n);
  *out = xs[0];
  return TSR_OK;
}

static tsr_status squeeze_ret(tsr_call *c, uint32_t i) {
  tsr_tensor *y = c->rets[i].t;
  TSR_TRY(tsr_temp(c->ctx, c->rets[i]));
  c->rets[i] = tsr_none();
  TSR_TRY(tsr_squeeze_dim(c->ctx, &y, y, y->ndim - 2));
  return tsr_ret_tensor(c, i, y);
}

TSR_KERNEL(adaptive_avg_pool1d) {
  static const pool_row as2 = {2, "adaptive_avg_pool2d", false};
  tsr_tensor *x = tsr_arg_tensor(c, 0);
  int64_t out[2] = {1, 1};
  TSR_TRY(check_1d(c, "adaptive_avg_pool1d", &out[1]));
  if (out[1] < 0)
    return tsr_op_fail(c->ctx, "adaptive_avg_pool2d: elements of output_size must be greater than or equal to 0 but received {1, %lld}", (long long)out[1]);
  TSR_TRY(tsr_unsqueeze(c->ctx, &x, x, x->ndim - 1));
  TSR_TRY(adaptive_avg(c, x, &as2, out));
  return squeeze_ret(c, 0);
}

static tsr_status adaptive_max(tsr_call *c, tsr_tensor *x, const pool_row *r, const int64_t *out) {
  tsr_ctx *ctx = c->ctx;
  tsr_tensor *y, *index;
  tsr_pool_plan p = {0};
  tsr_dtype d = (tsr_dtype)x->dtype;
  TSR_TRY(check_dtype(ctx, x, r->nd == 3 ? "adaptive_max_pool3d_cpu" : "adaptive_max_pool2d", false, false));
  describe(x, r->nd, &p);
  TSR_TRY(adaptive_windows(ctx, &p, out));
  TSR_TRY(prepare(ctx, &p, &x, &y, &index, r->nd == 2));
  TSR_TRY(tsr_pool_max(ctx, &p, y, index, x));
  TSR_TRY(tsr_to_dtype(ctx, &y, y, d));
  TSR_TRY(tsr_ret_tensor(c, 1, index));
  return tsr_ret_tensor(c, 0, y);
}

TSR_KERNEL(adaptive_max_pool) {
  const pool_row *r = c->op->data;
  tsr_tensor *x = tsr_arg_tensor(c, 0);
  int64_t n;
  char text[256];
  const int64_t *out = tsr_arg_ints(c, 1, &n);
  tsr_sizes_print(text, sizeof text, x->ndim, x->size);
  if (x->ndim != r->nd + 1 && x->ndim != r->nd + 2)
    return tsr_op_fail(c->ctx, "%s(): Expected %dD or %dD tensor, but got: %s", r->name, r->nd + 1, r->nd + 2, text);
  TSR_TRY(check_nonzero(c->ctx, r->name, x, x->ndim - r->nd));
  if (n != r->nd) return tsr_op_fail(c->ctx, "%s(): internal error: output_size.size() must be %d", r->name, r->nd);
  for (int i = 0; i < r->nd; i++)
    if (out[i] < 0) return tsr_op_fail(c->ctx, "Trying to create tensor with negative dimension %lld: [%lld]", (long long)out[i], (long long)out[i]);
  return adaptive_max(c, x, r, out);
}

TSR_KERNEL(adaptive_max_pool1d) {
  static const pool_row as2 = {2, "adaptive_max_pool2d", true};
  tsr_tensor *x = tsr_arg_tensor(c, 0);
  int64_t out[2] = {1, 1};
  TSR_TRY(check_1d(c, "adaptive_max_pool1d", &out[1]));
  TSR_TRY(check_nonzero(c->ctx, "adaptive_max_pool1d", x, x->ndim - 1));
  if (out[1] < 0) return tsr_op_fail(c->ctx, "Trying to create tensor with negative dimension %lld: [%lld]", (long long)out[1], (long long)out[1]);
  TSR_TRY(tsr_unsqueeze(c->ctx, &x, x, x->ndim - 1));
  TSR_TRY(adaptive_max(c, x, &as2, out));
  TSR_TRY(squeeze_ret(c, 1));
  return squeeze_ret(c, 0);
}

static const pool_row max1 = {1, "max_pool1d", false}, max2 = {2, "max_pool2d", false}, max3 = {3, "max_pool3d", false};
static const pool_row max1i = {1, "max_pool1d", true}, max2i = {2, "max_pool2d", true}, max3i = {3, "max_pool3d", true};
static const pool_row avg2 = {2, "avg_pool2d", false}, avg3 = {3, "avg_pool3d", false};
static const pool_row aavg2 = {2, "adaptive_avg_pool2d", false}, aavg3 = {3, "adaptive_avg_pool3d", false};
static const pool_row amax2 = {2, "adaptive_max_pool2d", true}, amax3 = {3, "adaptive_max_pool3d", true};

#define MAX_ARGS(n, pad, dil) "(Tensor self, int[" n "] kernel_size, int[" n "] stride=[], int[" n "] padding=" pad ", int[" n "] dilation=" dil ", bool ceil_mode=False"
#define AVG_ARGS(n) "(Tensor self, int[" n "] kernel_size, int[" n "] stride=[], int[" n "] padding=0, bool ceil_mode=False, bool count_include_pad=True, int? divisor_override=None"
#define OUT2 ", *, Tensor(a!) out, Tensor(b!) indices) -> (Tensor(a!), Tensor(b!))"
#define OUT1 ", *, Tensor(a!) out) -> Tensor(a!)"

const tsr_op tsr_ops_pool[] = {
    {"aten::max_pool1d" MAX_ARGS("1", "[0]", "[1]") ") -> Tensor", op_max_pool1d, TSR_PURE, &max1},
    {"aten::max_pool2d" MAX_ARGS("2", "0", "1") ") -> Tensor", op_max_pool, TSR_PURE | TSR_ANY_ORDER, &max2},
    {"aten::max_pool3d" MAX_ARGS("3", "0", "1") ") -> Tensor", op_max_pool, TSR_PURE, &max3},
    {"aten::max_pool1d_with_indices" MAX_ARGS("1", "[0]", "[1]") ") -> (Tensor, Tensor)", op_max_pool1d, TSR_PURE, &max1i},
    {"aten::max_pool2d_with_indices" MAX_ARGS("2", "0", "1") ") -> (Tensor, Tensor)", op_max_pool, TSR_PURE, &max2i},
    {"aten::max_pool2d_with_indices.out" MAX_ARGS("2", "0", "1") OUT2, op_max_pool, TSR_OUT_SAME, &max2i},
    {"aten::max_pool3d_with_indices" MAX_ARGS("3", "0", "1") ") -> (Tensor, Tensor)", op_max_pool, TSR_PURE, &max3i},
    {"aten::max_pool3d_with_indices.out" MAX_ARGS("3", "0", "1") OUT2, op_max_pool, TSR_OUT, &max3i},
    {"aten::avg_pool1d(Tensor self, int[1] kernel_size, int[1] stride=[], int[1] padding=[0], bool ceil_mode=False, bool count_include_pad=True) -> Tensor",
     op_avg_pool1d, TSR_PURE},
    {"aten::avg_pool2d" AVG_ARGS("2") ") -> Tensor", op_avg_pool, TSR_PURE | TSR_ANY_ORDER, &avg2},
    {"aten::avg_pool2d.out" AVG_ARGS("2") OUT1, op_avg_pool, TSR_OUT_SAME, &avg2},
    {"aten::avg_pool3d" AVG_ARGS("3") ") -> Tensor", op_avg_pool, TSR_PURE, &avg3},
    {"aten::avg_pool3d.out" AVG_ARGS("3") OUT1, op_avg_pool, TSR_OUT_SAME, &avg3},
    {"aten::adaptive_avg_pool1d(Tensor self, int[1] output_size) -> Tensor", op_adaptive_avg_pool1d, TSR_PURE},
    {"aten::adaptive_avg_pool2d(Tensor self, SymInt[2] output_size) -> Tensor", op_adaptive_avg_pool, TSR_PURE | TSR_ANY_ORDER, &aavg2},
    {"aten::adaptive_avg_pool2d.out(Tensor self, SymInt[2] output_size" OUT1, op_adaptive_avg_pool, TSR_OUT, &aavg2},
    {"aten::_adaptive_avg_pool2d(Tensor self, SymInt[2] output_size) -> Tensor", op_adaptive_avg_pool, TSR_PURE, &aavg2},
    {"aten::adaptive_avg_pool3d(Tensor self, SymInt[3] output_size) -> Tensor", op_adaptive_avg_pool, TSR_PURE, &aavg3},
    {"aten::adaptive_avg_pool3d.out(Tensor self, SymInt[3] output_size" OUT1, op_adaptive_avg_pool, TSR_OUT, &aavg3},
    {"aten::_adaptive_avg_pool3d(Tensor self, SymInt[3] output_size) -> Tensor", op_adaptive_avg_pool, TSR_PURE, &aavg3},
    {"aten::adaptive_max_pool1d(Tensor self, int[1] output_size) -> (Tensor, Tensor)", op_adaptive_max_pool1d, TSR_PURE},
    {"aten::adaptive_max_pool2d(Tensor self, int[2] output_size) -> (Tensor, Tensor)", op_adaptive_max_pool, TSR_PURE, &amax2},
    {"aten::adaptive_max_pool2d.out(Tensor self, int[2] output_size" OUT2, op_adaptive_max_pool, TSR_OUT_SAME, &amax2},
    {"aten::adaptive_max_pool3d(Tensor self, int[3] output_size) -> (Tensor, Tensor)", op_adaptive_max_pool, TSR_PURE, &amax3},
    {"aten::adaptive_max_pool3d.out(Tensor self, int[3] output_size" OUT2, op_adaptive_max_pool, TSR_OUT_SAME, &amax3},
    {0},
};
