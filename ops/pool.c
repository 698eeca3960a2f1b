/* Pooling operators: windows from their arguments, PyTorch's checks, layouts. */
#include "ops/pool.h"

#include "ops/conv.h"

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

static tsr_status bad_sizes(tsr_ctx *ctx, int nd, const char *what, char letter, const int64_t *v) {
  long long t = v[0], h = v[1], w = v[2];
  if (nd == 2) return tsr_op_fail(ctx, "%s should be greater than zero, but got %cH: %lld %cW: %lld", what, letter, h, letter, w);
  return tsr_op_fail(ctx, "%s should be greater than zero, but got %cT: %lld %cH: %lld %cW: %lld", what, letter, t, letter, h, letter, w);
}

tsr_status tsr_pool_check_steps(tsr_ctx *ctx, int nd, const tsr_pool_window *w) {
  for (int i = 3 - nd; i < 3; i++) {
    if (w->s[i] == 0) return tsr_op_fail(ctx, "stride should not be zero");
    if (w->p[i] < 0) return tsr_op_fail(ctx, "pad must be non-negative, but got pad: %lld", (long long)w->p[i]);
    int64_t reach; /* a window that no integer holds is wide enough for any padding; out_size refuses it */
    if (!tsr_mul_overflow(w->k[i] - 1, w->d[i], &reach) && !tsr_add_overflow(reach, 1, &reach) && w->p[i] > reach / 2)
      return tsr_op_fail(ctx, "pad should be at most half of effective kernel size, but got pad=%lld, kernel_size=%lld and dilation=%lld",
                         (long long)w->p[i], (long long)w->k[i], (long long)w->d[i]);
  }
  return TSR_OK;
}

static bool all_positive(int nd, const int64_t *xs) {
  for (int i = 3 - nd; i < 3; i++)
    if (xs[i] <= 0) return false;
  return true;
}

tsr_status tsr_pool_check_positive(tsr_ctx *ctx, int nd, const tsr_pool_window *w) {
  if (!all_positive(nd, w->k)) return bad_sizes(ctx, nd, "kernel size", 'k', w->k);
  if (!all_positive(nd, w->s)) return bad_sizes(ctx, nd, "stride", 'd', w->s);
  if (all_positive(nd, w->d)) return TSR_OK;
  if (nd == 3)
    return tsr_op_fail(ctx, "dilation should be greater than zero, but got dilationT: %lld dilationH: %lld dilationW: %lld", (long long)w->d[0],
                       (long long)w->d[1], (long long)w->d[2]);
  return tsr_op_fail(ctx, "dilation should be greater than zero, but got dilationH: %lld dilationW: %lld", (long long)w->d[1], (long long)w->d[2]);
}

static tsr_status check_window(tsr_ctx *ctx, int nd, const tsr_pool_window *w) {
  TSR_TRY(tsr_pool_check_steps(ctx, nd, w));
  return tsr_pool_check_positive(ctx, nd, w);
}

tsr_status tsr_pool_check_padding(tsr_ctx *ctx, int nd, const tsr_pool_window *w) {
  bool wide = false;
  for (int i = 3 - nd; i < 3; i++) wide = wide || w->p[i] > w->k[i] / 2;
  if (!wide) return TSR_OK;
  if (nd == 3)
    return tsr_op_fail(ctx, "pad should be smaller than or equal to half of kernel size, but got kT: %lld kW: %lld kH: %lld padT: %lld padW: %lld padH: %lld",
                       (long long)w->k[0], (long long)w->k[2], (long long)w->k[1], (long long)w->p[0], (long long)w->p[2], (long long)w->p[1]);
  return tsr_op_fail(ctx, "pad should be smaller than or equal to half of kernel size, but got padW = %lld, padH = %lld, kW = %lld, kH = %lld",
                     (long long)w->p[2], (long long)w->p[1], (long long)w->k[2], (long long)w->k[1]);
}

void tsr_pool_describe(const tsr_tensor *x, int nd, tsr_pool_plan *p) {
  p->nd = nd;
  p->n = x->ndim == nd + 2 ? x->size[0] : 1;
  p->c = x->ndim >= nd + 1 ? x->size[x->ndim - nd - 1] : 1;
  for (int d = 0; d < 3; d++) {
    p->in[d] = d < 3 - nd ? 1 : x->size[x->ndim - 3 + d];
    p->out[d] = 1;
    p->step[d] = 1;
  }
}

tsr_status tsr_pool_check_input(tsr_ctx *ctx, int nd, const char *name3, const tsr_tensor *x) {
  char text[256];
  tsr_sizes_print(text, sizeof text, x->ndim, x->size);
  if (x->ndim != nd + 1 && x->ndim != nd + 2) return tsr_op_fail(ctx, "non-empty %dD or %dD (batch mode) tensor expected for input", nd + 1, nd + 2);
  for (int d = x->ndim - nd - 1; d < x->ndim; d++) {
    if (x->size[d] != 0) continue;
    if (nd == 3) /* the last number is the size, not the dimension */
      return tsr_op_fail(ctx, "%s(): Expected input's non-batch dimensions to have positive length, but input has a shape of %s and non-batch dimension 0 has length zero!",
                         name3, text);
    return tsr_op_fail(ctx, "Expected %dD or %dD (batch mode) tensor with optional 0 dim batch size for input, but got:%s", nd + 1, nd + 2, text);
  }
  return TSR_OK;
}

tsr_status tsr_pool_sizes(tsr_ctx *ctx, tsr_pool_plan *p, const tsr_pool_window *w) {
  char in[96], out[96];
  bool small = false;
  TSR_TRY(tsr_pool_check_padding(ctx, p->nd, w));
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
  return small ? tsr_op_fail(ctx, "Given input size: (%s). Calculated output size: (%s). Output size is too small", in, out) : TSR_OK;
}

static tsr_status fill_windows(tsr_ctx *ctx, tsr_pool_plan *p, const tsr_pool_window *w, bool include_pad) {
  TSR_TRY(tsr_pool_sizes(ctx, p, w));
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
  p->last = keep_last && t->ndim == p->nd + 2 && tsr_conv_suggests_last(t->ndim, t->size, t->stride);
  tsr_dtype d = is_narrow(t) ? TSR_FLOAT32 : (tsr_dtype)t->dtype;
  if (p->last) {
    TSR_TRY(tsr_channels_last(ctx, x, t));
    TSR_TRY(tsr_to_dtype(ctx, x, *x, d));
  }
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

/* out= arguments of max_pool3d_with_indices, whose text is not the others' */
static tsr_status check_outs_3d(const tsr_call *c, const pool_row *r) {
  for (uint32_t i = 0; i < 2 && r->nd == 3; i++) TSR_TRY(tsr_out_check(c, i, i == 0 ? (tsr_dtype)tsr_arg_tensor(c, 0)->dtype : TSR_INT64, TSR_OUT_ACCESS));
  return TSR_OK;
}

static tsr_status max_pool(tsr_call *c, tsr_tensor *x, const pool_row *r, const tsr_pool_window *w) {
  tsr_ctx *ctx = c->ctx;
  tsr_tensor *y, *index;
  tsr_pool_plan p = {0};
  tsr_dtype d = (tsr_dtype)x->dtype;
  TSR_TRY(tsr_pool_check_input(ctx, r->nd, "max_pool3d_with_indices_out_cpu_template", x));
  tsr_pool_describe(x, r->nd, &p);
  TSR_TRY(fill_windows(ctx, &p, w, true));
  for (uint32_t i = 0; i < 2 && r->nd == 2; i++) TSR_TRY(tsr_out_expect(c, i, i == 0 ? d : TSR_INT64));
  TSR_TRY(check_dtype(ctx, x, r->nd == 3 ? "max_pool3d" : "max_pool2d", true, true));
  TSR_TRY(check_outs_3d(c, r));
  TSR_TRY(prepare(ctx, &p, &x, &y, r->indices ? &index : NULL, true));
  TSR_TRY(tsr_pool_max(ctx, &p, y, r->indices ? index : NULL, x));
  if (r->indices) TSR_TRY(tsr_ret_tensor(c, 1, index));
  TSR_TRY(tsr_to_dtype(ctx, &y, y, d));
  return tsr_ret_tensor(c, 0, y);
}

tsr_status tsr_pool_read_window(tsr_call *c, uint32_t first, int nd, const char *name, bool dilated, tsr_pool_window *w) {
  const pool_row r = {nd, name, false};
  int64_t n;
  const int64_t one = 1;
  const int64_t *k = tsr_arg_ints(c, first, &n);
  TSR_TRY(spread(c->ctx, &r, "kernel_size", k, n, NULL, w->k));
  const int64_t *s = tsr_arg_ints(c, first + 1, &n);
  TSR_TRY(spread(c->ctx, &r, "stride", s, n, w->k, w->s));
  const int64_t *p = tsr_arg_ints(c, first + 2, &n);
  TSR_TRY(spread(c->ctx, &r, "padding", p, n, NULL, w->p));
  n = 1;
  const int64_t *d = dilated ? tsr_arg_ints(c, first + 3, &n) : &one;
  TSR_TRY(spread(c->ctx, &r, "dilation", d, n, NULL, w->d));
  w->ceil_mode = tsr_arg_bool(c, first + (dilated ? 4 : 3));
  return TSR_OK;
}

TSR_KERNEL(max_pool) {
  const pool_row *r = c->op->data;
  tsr_pool_window w;
  tsr_tensor *x = tsr_arg_tensor(c, 0);
  TSR_TRY(tsr_pool_read_window(c, 1, r->nd, r->name, true, &w));
  if (x->ndim == r->nd + 1 || x->ndim == r->nd + 2) TSR_TRY(check_window(c->ctx, r->nd, &w));
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

/* The result of a call whose input got a row of height 1, without it. */
static tsr_status squeeze_ret(tsr_call *c, uint32_t i) {
  tsr_tensor *y = c->rets[i].t;
  TSR_TRY(tsr_temp(c->ctx, c->rets[i]));
  c->rets[i] = tsr_none();
  TSR_TRY(tsr_squeeze_dim(c->ctx, &y, y, y->ndim - 2));
  return tsr_ret_tensor(c, i, y);
}

/* [c, l] and [n, c, l] as rows of height 1. */
TSR_KERNEL(max_pool1d) {
  static const pool_row as1 = {1, "max_pool1d", false};
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
  tsr_pool_window w = {{1, 1, k}, {1, 1, s}, {0, 0, p}, {1, 1, d}, tsr_arg_bool(c, 5)};
  TSR_TRY(out_size(ctx, x->size[x->ndim - 1], k, s, p, d, w.ceil_mode, &out));
  if (out <= 0) return tsr_op_fail(ctx, "max_pool1d() Invalid computed output size: %lld", (long long)out);
  TSR_TRY(check_dtype(ctx, x, "max_pool1d_impl", false, false));
  return max_pool(c, x, &as1, &w);
}

/* Arguments of PyTorch's operators of one dimension that call those of two: [..., 1, l], a window of height 1. */
static tsr_status read_row(tsr_call *c, const char *name, bool dilated, tsr_tensor **x, tsr_pool_window *w) {
  static const char *const names[] = {"", "kernel_size", "stride", "padding", "dilation"};
  tsr_tensor *t = tsr_arg_tensor(c, 0);
  int64_t one[5] = {1, 1, 1, 0, 1}, n;
  if (t->ndim != 2 && t->ndim != 3)
    return tsr_op_fail(c->ctx, "Expected 2 to 3 dimensions, but got %d-dimensional tensor for argument #1 'self' (while checking arguments for %s)", t->ndim, name);
  for (uint32_t i = 1; i < (dilated ? 5 : 4); i++) {
    const int64_t *xs = tsr_arg_ints(c, i, &n);
    if (n == 1) one[i] = xs[0];
    else if (n == 0 && i == 2) one[i] = one[1];
    else return tsr_op_fail(c->ctx, "%s() argument '%s' should contain one int (got %lld)", name, names[i], (long long)n);
  }
  *w = (tsr_pool_window){{1, 1, one[1]}, {1, 1, one[2]}, {0, 0, one[3]}, {1, 1, one[4]}, tsr_arg_bool(c, dilated ? 5 : 4)};
  return tsr_unsqueeze(c->ctx, x, t, t->ndim - 1);
}

TSR_KERNEL(max_pool1d_indices) {
  static const pool_row as2 = {2, "max_pool2d", true};
  tsr_tensor *x;
  tsr_pool_window w;
  TSR_TRY(read_row(c, "max_pool1d", true, &x, &w));
  TSR_TRY(check_window(c->ctx, 2, &w));
  TSR_TRY(max_pool(c, x, &as2, &w));
  TSR_TRY(squeeze_ret(c, 1));
  return squeeze_ret(c, 0);
}

static tsr_status avg_pool(tsr_call *c, tsr_tensor *x, const pool_row *r, const tsr_pool_window *w, bool include_pad, int64_t divisor) {
  tsr_ctx *ctx = c->ctx;
  tsr_tensor *y;
  tsr_pool_plan p = {0};
  tsr_dtype d = (tsr_dtype)x->dtype;
  tsr_pool_describe(x, r->nd, &p);
  if (r->nd == 3) {
    for (int i = 0; i < 3; i++)
      if (p.in[i] < w->k[i])
        return tsr_op_fail(ctx, "input image (T: %lld H: %lld W: %lld) smaller than kernel size (kT: %lld kH: %lld kW: %lld)", (long long)p.in[0],
                           (long long)p.in[1], (long long)p.in[2], (long long)w->k[0], (long long)w->k[1], (long long)w->k[2]);
  }
  TSR_TRY(fill_windows(ctx, &p, w, include_pad));
  p.divisor = divisor;
  TSR_TRY(tsr_out_expect(c, 0, d));
  TSR_TRY(check_dtype(ctx, x, r->nd == 3 ? "avg_pool3d_out_frame" : "avg_pool2d", false, true));
  TSR_TRY(prepare(ctx, &p, &x, &y, NULL, r->nd == 2));
  TSR_TRY(tsr_pool_avg(ctx, &p, y, x));
  TSR_TRY(tsr_to_dtype(ctx, &y, y, d));
  return tsr_ret_tensor(c, 0, y);
}

TSR_KERNEL(avg_pool) { /* self, kernel_size, stride, padding, ceil_mode, count_include_pad, divisor_override */
  const pool_row *r = c->op->data;
  tsr_tensor *x = tsr_arg_tensor(c, 0);
  tsr_pool_window w;
  TSR_TRY(tsr_pool_read_window(c, 1, r->nd, r->name, false, &w));
  if (!tsr_arg_is_none(c, 6) && tsr_arg_int(c, 6) == 0) return tsr_op_fail(c->ctx, "divisor must be not zero");
  if (r->nd == 2 && x->ndim < 3) {
    int64_t dim;
    return tsr_wrap_dim(c->ctx, -3, x->ndim, &dim);
  }
  if (r->nd == 3 && x->ndim != 4 && x->ndim != 5) return tsr_op_fail(c->ctx, "non-empty 4D or 5D (batch mode) tensor expected for input");
  TSR_TRY(check_window(c->ctx, r->nd, &w));
  TSR_TRY(tsr_pool_check_input(c->ctx, r->nd, "avg_pool3d", x));
  return avg_pool(c, x, r, &w, tsr_arg_bool(c, 5), tsr_arg_int_or(c, 6, 0));
}

TSR_KERNEL(avg_pool1d) { /* self, kernel_size, stride, padding, ceil_mode, count_include_pad */
  static const pool_row as2 = {2, "avg_pool2d", false};
  tsr_tensor *x;
  tsr_pool_window w;
  TSR_TRY(read_row(c, "avg_pool1d", false, &x, &w));
  TSR_TRY(check_window(c->ctx, 2, &w));
  TSR_TRY(tsr_pool_check_input(c->ctx, 2, NULL, x));
  TSR_TRY(avg_pool(c, x, &as2, &w, tsr_arg_bool(c, 5), 0));
  return squeeze_ret(c, 0);
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

static tsr_status average(tsr_ctx *ctx, tsr_tensor **y, tsr_tensor *x, int nd, const int64_t *out) {
  tsr_pool_plan p = {.nd = nd};
  tsr_dtype d = (tsr_dtype)x->dtype;
  tsr_pool_describe(x, nd, &p);
  TSR_TRY(adaptive_windows(ctx, &p, out));
  TSR_TRY(prepare(ctx, &p, &x, y, NULL, nd == 2));
  TSR_TRY(tsr_pool_avg(ctx, &p, *y, x));
  return tsr_to_dtype(ctx, y, *y, d);
}

/* Averages over everything: PyTorch takes the mean, whose strides for channels last are [c, 1, c, c]. */
static tsr_status global_avg(tsr_call *c, tsr_tensor *x, const pool_row *r) {
  static const int64_t dims[] = {-1, -2, -3}, ones[] = {1, 1, 1};
  tsr_tensor *y;
  bool usual = (x->dtype == TSR_FLOAT32 || x->dtype == TSR_FLOAT64 || is_narrow(x)) && (x->ndim == r->nd + 1 || x->ndim == r->nd + 2) && x->numel > 0;
  if (usual) TSR_TRY(average(c->ctx, &y, x, r->nd, ones));
  else TSR_TRY(tsr_reduce(c->ctx, &y, "mean", x, r->nd, dims, true, -1));
  if (x->ndim == r->nd + 2 && x->ndim == 4 && tsr_conv_suggests_last(4, x->size, x->stride)) {
    int64_t channels = x->size[1], stride[4] = {channels, 1, channels, channels};
    TSR_TRY(tsr_new_view(c->ctx, &y, y, y->offset, 4, y->size, stride));
  }
  return tsr_ret_tensor(c, 0, y);
}

/* Sizes of a result as PyTorch's resize_ counts them: a negative one overflows. */
static tsr_status check_resize(tsr_ctx *ctx, int nd, const int64_t *out) {
  for (int i = 0; i < nd; i++)
    if (out[i] < 0) return tsr_op_fail(ctx, "numel: integer multiplication overflow");
  return TSR_OK;
}

static tsr_status adaptive_avg(tsr_call *c, tsr_tensor *x, const pool_row *r, const int64_t *out) {
  tsr_ctx *ctx = c->ctx;
  tsr_tensor *y;
  tsr_dtype d = (tsr_dtype)x->dtype, od;
  char text[256];
  tsr_sizes_print(text, sizeof text, x->ndim, x->size);
  if (r->nd == 3) TSR_TRY(check_nonzero(ctx, r->name, x, 1));
  if (x->ndim != r->nd + 1 && x->ndim != r->nd + 2)
    return tsr_op_fail(ctx, "%s(): Expected %dD or %dD tensor, but got %s", r->name, r->nd + 1, r->nd + 2, text);
  if (r->nd == 2) TSR_TRY(check_nonzero(ctx, r->name, x, x->ndim - 2));
  if (tsr_out_dtype(c, 0, &od) && od != d)
    return tsr_op_fail(ctx, "expected dtype %s for `output` but got dtype %s", tsr_dtype_c_name(d), tsr_dtype_c_name(od));
  TSR_TRY(check_resize(ctx, r->nd, out));
  if (r->nd == 3) TSR_TRY(check_dtype(ctx, x, "adaptive_avg_pool3d_cpu", false, false)); /* also of nothing */
  int64_t size[5], count = x->numel;
  memcpy(size, x->size, x->ndim * sizeof *size);
  memcpy(size + x->ndim - r->nd, out, (size_t)r->nd * sizeof *size);
  for (int i = 0; i < r->nd; i++) count = count == 0 ? 0 : out[i];
  if (count == 0) { /* any element type: nothing is computed */
    TSR_TRY(tsr_new(ctx, &y, d, x->ndim, size));
    return tsr_ret_tensor(c, 0, y);
  }
  TSR_TRY(check_dtype(ctx, x, r->nd == 3 ? "adaptive_avg_pool3d_cpu" : "adaptive_avg_pool2d", false, false));
  TSR_TRY(average(ctx, &y, x, r->nd, out));
  return tsr_ret_tensor(c, 0, y);
}

static bool is_global(const pool_row *r, const int64_t *out) {
  for (int i = 0; i < r->nd; i++)
    if (out[i] != 1) return false;
  return true;
}

/* "adaptive_avg_pool3d: elements of output_size must be …": the third number has no space before it. */
static tsr_status check_given(tsr_ctx *ctx, const pool_row *r, const int64_t *out) {
  char list[96];
  size_t n = 0;
  bool fine = true;
  for (int i = 0; i < r->nd; i++) {
    fine = fine && out[i] >= 0;
    n += (size_t)snprintf(list + n, sizeof list - n, "%s%lld", i == 0 ? "" : i == 1 ? ", " : ",", (long long)out[i]);
  }
  return fine ? TSR_OK : tsr_op_fail(ctx, "%s: elements of output_size must be greater than or equal to 0 but received {%s}", r->name, list);
}

TSR_KERNEL(adaptive_avg_pool) {
  const pool_row *r = c->op->data;
  int64_t n;
  const int64_t *out = tsr_arg_ints(c, 1, &n);
  if (n != r->nd) return tsr_op_fail(c->ctx, "%s: output_size must be %d", r->name, r->nd);
  TSR_TRY(check_given(c->ctx, r, out));
  return is_global(r, out) ? global_avg(c, tsr_arg_tensor(c, 0), r) : adaptive_avg(c, tsr_arg_tensor(c, 0), r, out);
}

/* The step inside of it, and its out= forms. */
TSR_KERNEL(adaptive_avg_pool_step) {
  const pool_row *r = c->op->data;
  int64_t n;
  const int64_t *out = tsr_arg_ints(c, 1, &n);
  if (n != r->nd) return tsr_op_fail(c->ctx, "%s: output_size must be %d", r->name, r->nd);
  return adaptive_avg(c, tsr_arg_tensor(c, 0), r, out);
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

TSR_KERNEL(adaptive_avg_pool1d) {
  static const pool_row as2 = {2, "adaptive_avg_pool2d", false};
  tsr_tensor *x = tsr_arg_tensor(c, 0);
  int64_t out[2] = {1, 1};
  TSR_TRY(check_1d(c, "adaptive_avg_pool1d", &out[1]));
  if (out[1] < 0)
    return tsr_op_fail(c->ctx, "adaptive_avg_pool2d: elements of output_size must be greater than or equal to 0 but received {1, %lld}", (long long)out[1]);
  TSR_TRY(tsr_unsqueeze(c->ctx, &x, x, x->ndim - 1));
  TSR_TRY(out[1] == 1 ? global_avg(c, x, &as2) : adaptive_avg(c, x, &as2, out));
  return squeeze_ret(c, 0);
}

/* A result of its own or an out argument cannot have a negative size. */
static tsr_status check_out_sizes(tsr_call *c, const tsr_tensor *x, int nd, const int64_t *out) {
  char text[256];
  int64_t size[5];
  memcpy(size, x->size, x->ndim * sizeof *size);
  memcpy(size + x->ndim - nd, out, (size_t)nd * sizeof *size);
  tsr_sizes_print(text, sizeof text, x->ndim, size);
  for (int i = 0; i < nd; i++)
    if (out[i] < 0)
      return c->outs != NULL ? tsr_op_fail(c->ctx, "numel: integer multiplication overflow")
                             : tsr_op_fail(c->ctx, "Trying to create tensor with negative dimension %lld: %s", (long long)out[i], text);
  return TSR_OK;
}

static tsr_status adaptive_max(tsr_call *c, tsr_tensor *x, const pool_row *r, const int64_t *out) {
  tsr_ctx *ctx = c->ctx;
  tsr_tensor *y, *index;
  tsr_pool_plan p = {0};
  tsr_dtype d = (tsr_dtype)x->dtype;
  TSR_TRY(check_out_sizes(c, x, r->nd, out));
  for (uint32_t i = 0; i < 2; i++) TSR_TRY(tsr_out_expect(c, i, i == 0 ? d : TSR_INT64));
  TSR_TRY(check_dtype(ctx, x, r->nd == 3 ? "adaptive_max_pool3d_cpu" : "adaptive_max_pool2d", false, false));
  tsr_pool_describe(x, r->nd, &p);
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
  TSR_TRY(check_nonzero(c->ctx, r->name, x, 1));
  if (n != r->nd) return tsr_op_fail(c->ctx, "%s(): internal error: output_size.size() must be %d", r->name, r->nd);
  return adaptive_max(c, x, r, out);
}

TSR_KERNEL(adaptive_max_pool1d) {
  static const pool_row as2 = {2, "adaptive_max_pool2d", true};
  tsr_tensor *x = tsr_arg_tensor(c, 0);
  int64_t out[2] = {1, 1};
  TSR_TRY(check_1d(c, "adaptive_max_pool1d", &out[1]));
  TSR_TRY(check_nonzero(c->ctx, "adaptive_max_pool1d", x, 1));
  TSR_TRY(tsr_unsqueeze(c->ctx, &x, x, x->ndim - 1));
  TSR_TRY(adaptive_max(c, x, &as2, out));
  TSR_TRY(squeeze_ret(c, 1));
  return squeeze_ret(c, 0);
}

static const pool_row max2 = {2, "max_pool2d", false}, max3 = {3, "max_pool3d", false};
static const pool_row max2i = {2, "max_pool2d", true}, max3i = {3, "max_pool3d", true};
static const pool_row avg2 = {2, "avg_pool2d", false}, avg3 = {3, "avg_pool3d", false};
static const pool_row aavg2 = {2, "adaptive_avg_pool2d", false}, aavg3 = {3, "adaptive_avg_pool3d", false};
static const pool_row amax2 = {2, "adaptive_max_pool2d", true}, amax3 = {3, "adaptive_max_pool3d", true};

#define MAX_ARGS(n, pad, dil) "(Tensor self, int[" n "] kernel_size, int[" n "] stride=[], int[" n "] padding=" pad ", int[" n "] dilation=" dil ", bool ceil_mode=False"
#define AVG_ARGS(n) "(Tensor self, int[" n "] kernel_size, int[" n "] stride=[], int[" n "] padding=0, bool ceil_mode=False, bool count_include_pad=True, int? divisor_override=None"
#define OUT2 ", *, Tensor(a!) out, Tensor(b!) indices) -> (Tensor(a!), Tensor(b!))"
#define OUT1 ", *, Tensor(a!) out) -> Tensor(a!)"

const tsr_op tsr_ops_pool[] = {
    {"aten::max_pool1d" MAX_ARGS("1", "[0]", "[1]") ") -> Tensor", op_max_pool1d, TSR_PURE},
    {"aten::max_pool2d" MAX_ARGS("2", "0", "1") ") -> Tensor", op_max_pool, TSR_PURE | TSR_ANY_ORDER, &max2},
    {"aten::max_pool3d" MAX_ARGS("3", "0", "1") ") -> Tensor", op_max_pool, TSR_PURE, &max3},
    {"aten::max_pool1d_with_indices" MAX_ARGS("1", "[0]", "[1]") ") -> (Tensor, Tensor)", op_max_pool1d_indices, TSR_PURE},
    {"aten::max_pool2d_with_indices" MAX_ARGS("2", "0", "1") ") -> (Tensor, Tensor)", op_max_pool, TSR_PURE, &max2i},
    {"aten::max_pool2d_with_indices.out" MAX_ARGS("2", "0", "1") OUT2, op_max_pool, TSR_OUT_SAME, &max2i},
    {"aten::max_pool3d_with_indices" MAX_ARGS("3", "0", "1") ") -> (Tensor, Tensor)", op_max_pool, TSR_PURE, &max3i},
    {"aten::max_pool3d_with_indices.out" MAX_ARGS("3", "0", "1") OUT2, op_max_pool, TSR_OUT | TSR_OUT_ANEW5, &max3i},
    {"aten::avg_pool1d(Tensor self, int[1] kernel_size, int[1] stride=[], int[1] padding=[0], bool ceil_mode=False, bool count_include_pad=True) -> Tensor",
     op_avg_pool1d, TSR_PURE},
    {"aten::avg_pool2d" AVG_ARGS("2") ") -> Tensor", op_avg_pool, TSR_PURE | TSR_ANY_ORDER, &avg2},
    {"aten::avg_pool2d.out" AVG_ARGS("2") OUT1, op_avg_pool, TSR_OUT_SAME, &avg2},
    {"aten::avg_pool3d" AVG_ARGS("3") ") -> Tensor", op_avg_pool, TSR_PURE, &avg3},
    {"aten::avg_pool3d.out" AVG_ARGS("3") OUT1, op_avg_pool, TSR_OUT_SAME, &avg3},
    {"aten::adaptive_avg_pool1d(Tensor self, int[1] output_size) -> Tensor", op_adaptive_avg_pool1d, TSR_PURE},
    {"aten::adaptive_avg_pool2d(Tensor self, SymInt[2] output_size) -> Tensor", op_adaptive_avg_pool, TSR_PURE | TSR_ANY_ORDER, &aavg2},
    {"aten::adaptive_avg_pool2d.out(Tensor self, SymInt[2] output_size" OUT1, op_adaptive_avg_pool_step, TSR_OUT | TSR_OUT_ANEW4, &aavg2},
    {"aten::_adaptive_avg_pool2d(Tensor self, SymInt[2] output_size) -> Tensor", op_adaptive_avg_pool_step, TSR_PURE, &aavg2},
    {"aten::adaptive_avg_pool3d(Tensor self, SymInt[3] output_size) -> Tensor", op_adaptive_avg_pool, TSR_PURE, &aavg3},
    {"aten::adaptive_avg_pool3d.out(Tensor self, SymInt[3] output_size" OUT1, op_adaptive_avg_pool_step, TSR_OUT, &aavg3},
    {"aten::_adaptive_avg_pool3d(Tensor self, SymInt[3] output_size) -> Tensor", op_adaptive_avg_pool_step, TSR_PURE, &aavg3},
    {"aten::adaptive_max_pool1d(Tensor self, int[1] output_size) -> (Tensor, Tensor)", op_adaptive_max_pool1d, TSR_PURE},
    {"aten::adaptive_max_pool2d(Tensor self, int[2] output_size) -> (Tensor, Tensor)", op_adaptive_max_pool, TSR_PURE, &amax2},
    {"aten::adaptive_max_pool2d.out(Tensor self, int[2] output_size" OUT2, op_adaptive_max_pool, TSR_OUT_SAME, &amax2},
    {"aten::adaptive_max_pool3d(Tensor self, int[3] output_size) -> (Tensor, Tensor)", op_adaptive_max_pool, TSR_PURE, &amax3},
    {"aten::adaptive_max_pool3d.out(Tensor self, int[3] output_size" OUT2, op_adaptive_max_pool, TSR_OUT_SAME, &amax3},
    {0},
};
