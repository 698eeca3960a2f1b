/* Unpooling and fractional pooling. */
#include "ops/conv.h"
#include "ops/native.h"
#include "ops/pool.h"

/* ---- max_unpool: each value goes to where its maximum was ---- */

typedef struct unpool { const void *x; const int64_t *index; void *y; size_t item; int64_t planes, in, out, cs, image; int64_t *bad; } unpool; /* *bad: position of the last index in memory's order that is out of range, or -1 */

/* Element e of plane: contiguous planes, or interleaved with cs channels. */
static void unpool_task(void *arg, int64_t begin, int64_t end) {
  const unpool *u = arg;
  for (int64_t plane = begin; plane < end; plane++) {
    int64_t n = plane / u->image, c = plane % u->image; /* image: planes an image */
    int64_t xbase = u->cs == 1 ? plane * u->in : n * u->image * u->in + c, ybase = u->cs == 1 ? plane * u->out : n * u->image * u->out + c;
    for (int64_t e = 0; e < u->in; e++) {
      int64_t at = u->index[xbase + e * u->cs];
      if (at < 0 || at >= u->out) {
        int64_t seen = __atomic_load_n(u->bad, __ATOMIC_RELAXED), here = xbase + e * u->cs;
        while (seen < here && !__atomic_compare_exchange_n(u->bad, &seen, here, false, __ATOMIC_RELAXED, __ATOMIC_RELAXED)) continue;
        continue;
      }
      memcpy((char *)u->y + (size_t)(ybase + at * u->cs) * u->item, (const char *)u->x + (size_t)(xbase + e * u->cs) * u->item, u->item);
    }
  }
}

static tsr_status bad_index(tsr_ctx *ctx, int nd, int64_t bad, const int64_t *out) {
  if (nd == 2)
    return tsr_op_fail(ctx, "Found an invalid max index: %lld (output volumes are of size %lldx%lld)", (long long)bad, (long long)out[0], (long long)out[1]);
  return tsr_op_fail(ctx, "Found an invalid max index: %lld (output volumes are of size %lldx%lldx%lld)", (long long)bad, (long long)out[0],
                     (long long)out[1], (long long)out[2]);
}

static tsr_status unpool_sizes(tsr_ctx *ctx, int nd, const tsr_tensor *x, const int64_t *out, int64_t *size, int64_t *volume) {
  char text[96];
  *volume = 1;
  memcpy(size, x->size, x->ndim * sizeof *size);
  memcpy(size + x->ndim - nd, out, (size_t)nd * sizeof *size);
  for (int i = 0; i < nd; i++) {
    if (out[i] < 0) {
      tsr_sizes_print(text, sizeof text, nd, out);
      text[0] = '(';
      text[strlen(text) - 1] = ')';
      return tsr_op_fail(ctx, "max_unpooling%dd(): output_size must contain non-negative spatial dimensions, but got output_size=%s", nd, text);
    }
    if (tsr_mul_overflow(*volume, out[i], volume)) return tsr_op_nomem(ctx);
  }
  return TSR_OK;
}

static tsr_status unpool_run(tsr_call *c, int nd, const int64_t *out, const char *name) {
  tsr_ctx *ctx = c->ctx;
  tsr_tensor *x = tsr_arg_tensor(c, 0), *index = tsr_arg_tensor(c, 1), *y;
  int64_t size[5], stride[5], in = 1, volume, bad = -1;
  bool last = x->ndim == 4 && nd == 2 && tsr_conv_suggests_last(4, x->size, x->stride);
  tsr_dtype d = (tsr_dtype)x->dtype;
  TSR_TRY(unpool_sizes(ctx, nd, x, out, size, &volume));
  for (int i = x->ndim - nd; i < x->ndim; i++) in *= x->size[i];
  if (last) {
    TSR_TRY(tsr_channels_last(ctx, &x, x));
    TSR_TRY(tsr_channels_last(ctx, &index, index));
    tsr_strides_channels_last(4, size, stride);
  } else {
    TSR_TRY(tsr_contiguous(ctx, &x, x));
    TSR_TRY(tsr_contiguous(ctx, &index, index));
    tsr_strides_contiguous(x->ndim, size, stride);
  }
  TSR_TRY(tsr_new_strided(ctx, &y, d, x->ndim, size, stride));
  if (y->numel == 0) return tsr_ret_tensor(c, 0, y);
  if (d != TSR_FLOAT32 && d != TSR_FLOAT64 && d != TSR_FLOAT16 && d != TSR_BFLOAT16)
    return tsr_op_fail(ctx, "\"%s\" not implemented for '%s'", name, tsr_dtype_get_info(d)->cpp_name);
  TSR_TRY(tsr_fill(ctx, y, tsr_scalar_int(0)));
  unpool u = {tsr_tensor_data_ro(x), tsr_tensor_data_ro(index), NULL, tsr_tensor_itemsize(x), 0, in, volume, 1, 0, &bad};
  TSR_TRY(tsr_data_mut(ctx, y, &u.y));
  if (x->numel > 0) {
    u.planes = x->numel / in;
    u.image = last ? x->size[1] : u.planes;
    u.cs = last ? x->size[1] : 1;
    tsr_parallel_for(ctx, u.planes, TSR_MAX(1, 4096 / in), unpool_task, &u);
  }
  return bad >= 0 ? bad_index(ctx, nd, u.index[bad], out) : tsr_ret_tensor(c, 0, y);
}

static tsr_status check_indices(tsr_ctx *ctx, const tsr_tensor *index, int nd) {
  if (index->dtype != TSR_INT64 && nd == 3) return tsr_op_fail(ctx, "elements in indices should be type int64");
  if (index->dtype != TSR_INT64)
    return tsr_op_fail(ctx, "elements in indices should be type int64 but got: %s", tsr_dtype_get_info(index->dtype)->cpp_name);
  return TSR_OK;
}

static tsr_status check_same(tsr_ctx *ctx, const tsr_tensor *x, const tsr_tensor *index) {
  char xs[256], is[256];
  if (tsr_tensor_same_size(x, index)) return TSR_OK;
  tsr_sizes_print(xs, sizeof xs, x->ndim, x->size);
  tsr_sizes_print(is, sizeof is, index->ndim, index->size);
  return tsr_op_fail(ctx, "Expected shape of indices to be same as that of the input tensor (%s) but got indices tensor with shape: %s", xs, is);
}

static tsr_status check_filled(tsr_ctx *ctx, int nd, const tsr_tensor *x) {
  char text[256];
  tsr_sizes_print(text, sizeof text, x->ndim, x->size);
  for (int d = 1; d < x->ndim; d++)
    if (x->size[d] == 0)
      return tsr_op_fail(ctx, "max_unpooling%dd_forward_out_cpu(): Expected input to have non-zero size for non-batch dimensions, but got %s with dimension %d being empty.",
                         nd, text, d);
  return TSR_OK;
}

TSR_KERNEL(max_unpool2d) { /* self, indices, output_size */
  tsr_ctx *ctx = c->ctx;
  tsr_tensor *x = tsr_arg_tensor(c, 0), *index = tsr_arg_tensor(c, 1);
  int64_t n;
  const int64_t *out = tsr_arg_ints(c, 2, &n);
  TSR_TRY(check_indices(ctx, index, 2));
  if (n != 2) return tsr_op_fail(ctx, "There should be exactly two elements (height, width) in output_size, but got %lld elements.", (long long)n);
  if (x->ndim != 3 && x->ndim != 4)
    return tsr_op_fail(ctx, "Input to max_unpooling2d should be a 3d or 4d Tensor, but got a tensor with %d dimensions.", x->ndim);
  TSR_TRY(check_same(ctx, x, index));
  TSR_TRY(check_filled(ctx, 2, x));
  return unpool_run(c, 2, out, "max_unpool2d");
}

TSR_KERNEL(max_unpool3d) { /* self, indices, output_size, stride, padding */
  tsr_ctx *ctx = c->ctx;
  tsr_tensor *x = tsr_arg_tensor(c, 0), *index = tsr_arg_tensor(c, 1);
  int64_t n, sn, pn;
  char text[256];
  const int64_t *out = tsr_arg_ints(c, 2, &n), *stride = tsr_arg_ints(c, 3, &sn);
  tsr_arg_ints(c, 4, &pn);
  if (c->outs != NULL && c->outs[0].tag == TSR_V_TENSOR && !tsr_tensor_is_contiguous(c->outs[0].t)) return tsr_op_fail(ctx, "output must be contiguous");
  TSR_TRY(check_indices(ctx, index, 3));
  if (x->ndim != 4 && x->ndim != 5)
    return tsr_op_fail(ctx, "Input to max_unpooling3d should be a 4d or 5d Tensor, but got a tensor with %d dimensions.", x->ndim);
  if (n != 3) return tsr_op_fail(ctx, "There should be exactly three elements (depth, height, width) in output_size, but got %lld elements.", (long long)n);
  if (sn != 3) return tsr_op_fail(ctx, "There should be exactly three elements (depth, height, width) in stride, but got: %lld elements.", (long long)sn);
  if (pn != 3) return tsr_op_fail(ctx, "There should be exactly three elements (depth, height, width) in padding, but got: %lld elements.", (long long)pn);
  TSR_TRY(check_same(ctx, x, index));
  TSR_TRY(check_filled(ctx, 3, x));
  tsr_sizes_print(text, sizeof text, 3, stride);
  if (stride[0] <= 0 || stride[1] <= 0 || stride[2] <= 0) return tsr_op_fail(ctx, "strides should be greater than zero, but got stride: %s", text);
  return unpool_run(c, 3, out, "max_unpool3d");
}

/* ---- fractional max pooling: window starts from one random number a plane and dimension ---- */

/* Every step is rounded to the input's type, as PyTorch does. */
static int64_t start_at(tsr_dtype d, double sample, int64_t i, int64_t in, int64_t out, int64_t k) {
  if (i == out - 1) return in - k;
  double alpha = out > 1 ? tsr_dtype_round(d, tsr_dtype_round(d, (double)(in - k)) / tsr_dtype_round(d, (double)(out - 1))) : 0;
  double from = tsr_dtype_round(d, tsr_dtype_round(d, tsr_dtype_round(d, (double)i) + sample) * alpha);
  return (int64_t)from - (int64_t)tsr_dtype_round(d, sample * alpha);
}

typedef struct frac { int nd; int64_t c, in[3], out[3], k[3]; const double *x, *samples; double *y; int64_t *index; tsr_dtype dtype; } frac;

static int64_t start_of(const frac *f, double sample, int d, int64_t i) {
  return start_at(f->dtype, sample, i, f->in[d], f->out[d], f->k[d]);
}

static void frac_task(void *arg, int64_t begin, int64_t end) { /* tasks: planes; the last number drawn belongs to the first dimension */
  const frac *f = arg;
  int64_t in = f->in[0] * f->in[1] * f->in[2], out = f->out[0] * f->out[1] * f->out[2];
  for (int64_t plane = begin; plane < end; plane++) {
    const double *x = f->x + plane * in, *s = f->samples + plane * f->nd;
    for (int64_t o = 0; o < out; o++) {
      int64_t at[3] = {o / (f->out[1] * f->out[2]), o / f->out[2] % f->out[1], o % f->out[2]}, lo[3], best;
      /* 2-D draws (width, height), 3-D draws (depth, height, width) */
      for (int d = 0; d < 3; d++) lo[d] = d < 3 - f->nd ? 0 : start_of(f, f->nd == 2 ? s[2 - d] : s[d], d, at[d]);
      best = (lo[0] * f->in[1] + lo[1]) * f->in[2] + lo[2];
      double m = -__builtin_inf();
      for (int64_t i = lo[0]; i < lo[0] + f->k[0]; i++)
        for (int64_t h = lo[1]; h < lo[1] + f->k[1]; h++)
          for (int64_t w = lo[2]; w < lo[2] + f->k[2]; w++) {
            if (i < 0 || i >= f->in[0] || h < 0 || h >= f->in[1] || w < 0 || w >= f->in[2]) continue;
            int64_t e = (i * f->in[1] + h) * f->in[2] + w;
            if (x[e] > m || x[e] != x[e]) {
              m = x[e];
              best = e;
            }
          }
      f->y[plane * out + o] = m;
      f->index[plane * out + o] = best;
    }
  }
}

static tsr_status frac_check_input(tsr_ctx *ctx, int nd, const tsr_tensor *x, int64_t kn, int64_t on) {
  const char *name = nd == 2 ? "fractional_max_pool2d" : "fractional_max_pool3d", *tail = nd == 2 ? "" : "_out", *form = nd == 2 ? "" : "three ";
  char text[256];
  tsr_sizes_print(text, sizeof text, x->ndim, x->size);
  if (kn != nd) return tsr_op_fail(ctx, "%s: kernel_size must either be a single Int or tuple of %sInts", name, form);
  if (on != nd) return tsr_op_fail(ctx, "%s: output_size must either be a single Int or tuple of %sInts", name, form);
  if (x->ndim != nd + 1 && x->ndim != nd + 2) return tsr_op_fail(ctx, "%s%s(): Expected %dD or %dD tensor, but got: %s", name, tail, nd + 1, nd + 2, text);
  for (int d = 1; d < x->ndim; d++)
    if (x->size[d] == 0)
      return tsr_op_fail(ctx, "%s%s(): Expected input to have non-zero size for non-batch dimensions, but got%s with dimension %d being empty.", name, tail, text, d);
  return TSR_OK;
}

/* In three dimensions PyTorch wants one element more, and looks at the width before the height. */
static tsr_status frac_check_sizes(tsr_call *c, int nd, const frac *f, int ndim, const int64_t *size) {
  static const char *const letters[] = {"time", "height", "width"};
  static const int order[2][3] = {{1, 2, -1}, {0, 2, 1}};
  char text[256];
  for (int i = 0; i < nd; i++) {
    int d = order[nd - 2][i];
    int64_t reach;
    if (tsr_add_overflow(f->out[d] - 1, f->k[d], &reach) || reach > f->in[d] - (nd == 3))
      return tsr_op_fail(c->ctx, "fractional_max_pool%dd%s(): pool %s %lld too large relative to input %s %lld", nd, nd == 2 ? "" : "_out", letters[d],
                         (long long)f->k[d], letters[d], (long long)f->in[d]);
  }
  tsr_sizes_print(text, sizeof text, ndim, size);
  for (int d = 0; d < ndim; d++)
    if (size[d] < 0)
      return c->outs != NULL ? tsr_op_fail(c->ctx, "numel: integer multiplication overflow")
                             : tsr_op_fail(c->ctx, "Trying to create tensor with negative dimension %lld: %s", (long long)size[d], text);
  return TSR_OK;
}

static tsr_status frac_check_samples(tsr_ctx *ctx, int nd, const tsr_tensor *x, const frac *f, const tsr_tensor *s, int64_t n) {
  if (s->dtype != x->dtype) return tsr_op_fail(ctx, "Expect _random_samples to have the same dtype as input");
  if (s->ndim != 3) return tsr_op_fail(ctx, "Expect _random_samples to have 3 dimensions, got %d", s->ndim);
  if (s->size[0] < n) return tsr_op_fail(ctx, "Expect _random_samples.size(0) no less then input batch size.");
  if (s->size[1] != f->c) return tsr_op_fail(ctx, "Expect _random_samples.size(1) equals to input channel size.");
  if (s->size[2] != nd) return tsr_op_fail(ctx, "Expect _random_samples.size(2) equals to %d; got %lld.", nd, (long long)s->size[2]);
  return TSR_OK;
}

TSR_KERNEL(fractional_max_pool) { /* self, kernel_size, output_size, random_samples */
  tsr_ctx *ctx = c->ctx;
  tsr_tensor *x = tsr_arg_tensor(c, 0), *s = tsr_arg_tensor(c, 3), *y, *index, *wide;
  int nd = c->op->data != NULL ? 3 : 2;
  int64_t kn, on, size[5];
  const int64_t *k = tsr_arg_ints(c, 1, &kn), *out = tsr_arg_ints(c, 2, &on);
  TSR_TRY(frac_check_input(ctx, nd, x, kn, on));
  tsr_dtype dt = (tsr_dtype)x->dtype;
  frac f = {.nd = nd, .c = x->size[x->ndim - nd - 1], .dtype = dt};
  int64_t n = x->ndim == nd + 2 ? x->size[0] : 1;
  for (int d = 0; d < x->ndim - nd; d++) size[d] = x->size[d];
  for (int d = 0; d < 3; d++) {
    int i = d - (3 - nd);
    f.in[d] = i < 0 ? 1 : x->size[x->ndim - nd + i];
    f.out[d] = i < 0 ? 1 : out[i];
    f.k[d] = i < 0 ? 1 : k[i];
    if (i >= 0) size[x->ndim - nd + i] = f.out[d];
  }
  TSR_TRY(frac_check_sizes(c, nd, &f, x->ndim, size));
  for (uint32_t i = 0; i < 2; i++) TSR_TRY(tsr_out_expect(c, i, i == 0 ? dt : TSR_INT64));
  TSR_TRY(frac_check_samples(ctx, nd, x, &f, s, n));
  if (!tsr_dtype_is_float(dt) || dt > TSR_BFLOAT16)
    return tsr_op_fail(ctx, "\"fractional_max_pool%dd_out_frame\" not implemented for '%s'", nd, tsr_dtype_get_info(dt)->cpp_name);
  TSR_TRY(tsr_ready(ctx, &x, x, TSR_FLOAT64));
  TSR_TRY(tsr_ready(ctx, &s, s, TSR_FLOAT64));
  TSR_TRY(tsr_new(ctx, &wide, TSR_FLOAT64, x->ndim, size));
  TSR_TRY(tsr_new(ctx, &index, TSR_INT64, x->ndim, size));
  f.x = tsr_tensor_data_ro(x);
  f.samples = tsr_tensor_data_ro(s);
  void *p;
  TSR_TRY(tsr_data_mut(ctx, wide, &p));
  f.y = p;
  TSR_TRY(tsr_data_mut(ctx, index, &p));
  f.index = p;
  if (wide->numel > 0) tsr_parallel_for(ctx, n * f.c, 1, frac_task, &f);
  TSR_TRY(tsr_to_dtype(ctx, &y, wide, dt));
  TSR_TRY(tsr_ret_tensor(c, 1, index));
  return tsr_ret_tensor(c, 0, y);
}

/* ---- gradients of max pooling: each goes back to where its maximum was ---- */

typedef struct back { const void *g; const int64_t *index; void *y; bool f64; int64_t in, out; int64_t *bad; } back;

static void back_task(void *arg, int64_t begin, int64_t end) {
  const back *b = arg;
  for (int64_t plane = begin; plane < end; plane++)
    for (int64_t i = plane * b->out; i < (plane + 1) * b->out; i++) {
      int64_t at = b->index[i];
      if (at < 0 || at >= b->in) __atomic_store_n(b->bad, 1, __ATOMIC_RELAXED);
      else if (b->f64) ((double *)b->y)[plane * b->in + at] += ((const double *)b->g)[i];
      else ((float *)b->y)[plane * b->in + at] += ((const float *)b->g)[i];
    }
}

static tsr_status back_size(tsr_ctx *ctx, const tsr_tensor *t, int ndim, int d, int64_t size) {
  if (t->ndim == ndim && t->size[d] == size) return TSR_OK;
  return tsr_op_fail(ctx, "Expected a tensor of dimension %d and tensor.size[%d] == %lld but got: dimension %d and tensor.size[%d] = %lld", ndim, d,
                     (long long)size, t->ndim, d, (long long)(d < t->ndim ? t->size[d] : 1));
}

/* PyTorch's checks of a pool's gradient: the window, the input, the sizes of gradient and indices. */
static tsr_status back_check(tsr_call *c, int nd, const tsr_tensor *g, const tsr_tensor *x, const tsr_tensor *index) {
  tsr_ctx *ctx = c->ctx;
  tsr_pool_window w;
  tsr_pool_plan p = {0};
  TSR_TRY(tsr_pool_read_window(c, 2, nd, nd == 2 ? "max_pool2d" : "max_pool3d", true, &w));
  if (g->dtype != x->dtype)
    return tsr_op_fail(ctx, "expected dtype %s for `gradOutput` but got dtype %s", tsr_dtype_c_name((tsr_dtype)x->dtype), tsr_dtype_c_name((tsr_dtype)g->dtype));
  bool fits = x->ndim == nd + 1 || x->ndim == nd + 2;
  if (fits && nd == 2) TSR_TRY(tsr_pool_check_steps(ctx, nd, &w));
  if (fits) TSR_TRY(tsr_pool_check_positive(ctx, nd, &w));
  TSR_TRY(tsr_pool_check_input(ctx, nd, "max_pool3d_with_indices_backward_out_cpu_template", x));
  tsr_pool_describe(x, nd, &p);
  if (nd == 2) TSR_TRY(tsr_pool_sizes(ctx, &p, &w));
  else TSR_TRY(tsr_pool_check_padding(ctx, nd, &w));
  for (int i = 0; i < nd && nd == 3; i++) p.out[i] = g->ndim == x->ndim ? g->size[g->ndim - nd + i] : 0; /* taken from the gradient itself */
  const tsr_tensor *const both[] = {g, index};
  for (int k = 0; k < 2; k++) {
    for (int d = 0; d < x->ndim - nd; d++) TSR_TRY(back_size(ctx, both[k], x->ndim, d, x->size[d]));
    for (int i = 0; i < nd; i++) TSR_TRY(back_size(ctx, both[k], x->ndim, x->ndim - nd + i, p.out[3 - nd + i]));
  }
  return TSR_OK;
}

TSR_KERNEL(max_pool_backward) { /* grad_output, self, kernel_size, stride, padding, dilation, ceil_mode, indices */
  tsr_ctx *ctx = c->ctx;
  tsr_tensor *g = tsr_arg_tensor(c, 0), *x = tsr_arg_tensor(c, 1), *index = tsr_arg_tensor(c, 7), *wide, *y;
  int nd = c->op->data != NULL ? 3 : 2;
  tsr_dtype d = (tsr_dtype)x->dtype, compute = d == TSR_FLOAT64 ? TSR_FLOAT64 : TSR_FLOAT32;
  int64_t in = 1, out = 1, bad = 0, stride[5];
  TSR_TRY(back_check(c, nd, g, x, index));
  if (!tsr_dtype_is_float(d) || d > TSR_BFLOAT16) return tsr_op_fail(ctx, "\"max_pool%dd_backward\" not implemented for '%s'", nd, tsr_dtype_get_info(d)->cpp_name);
  if (index->dtype != TSR_INT64) return tsr_op_fail(ctx, "expected scalar type Long but found %s", tsr_dtype_get_info(index->dtype)->cpp_name);
  bool last = x->ndim == nd + 2 && tsr_conv_suggests_last(x->ndim, x->size, x->stride);
  for (int i = x->ndim - nd; i < x->ndim; i++) {
    in *= x->size[i];
    out *= g->size[i];
  }
  TSR_TRY(tsr_ready(ctx, &g, g, compute));
  TSR_TRY(tsr_contiguous(ctx, &index, index));
  TSR_TRY(tsr_new(ctx, &wide, compute, x->ndim, x->size));
  TSR_TRY(tsr_fill(ctx, wide, tsr_scalar_int(0)));
  back b = {tsr_tensor_data_ro(g), tsr_tensor_data_ro(index), NULL, compute == TSR_FLOAT64, in, out, &bad};
  TSR_TRY(tsr_data_mut(ctx, wide, &b.y));
  if (x->numel > 0 && out > 0) tsr_parallel_for(ctx, x->numel / in, TSR_MAX(1, 4096 / in), back_task, &b);
  if (bad != 0) return tsr_op_fail(ctx, "indices of max_pool%dd are outside its input", nd);
  if (last) tsr_strides_channels_last(x->ndim, x->size, stride);
  TSR_TRY(last ? tsr_new_strided(ctx, &y, d, x->ndim, x->size, stride) : tsr_new(ctx, &y, d, x->ndim, x->size));
  TSR_TRY(tsr_copy_into(ctx, y, wide));
  return tsr_ret_tensor(c, 0, y);
}

const tsr_op tsr_ops_pool_un[] = {
    {"aten::max_unpool2d(Tensor self, Tensor indices, SymInt[2] output_size) -> Tensor", op_max_unpool2d, TSR_PURE},
    {"aten::max_unpool2d.out(Tensor self, Tensor indices, SymInt[2] output_size, *, Tensor(a!) out) -> Tensor(a!)", op_max_unpool2d, TSR_OUT_ACCESS | TSR_OUT_ANEW4},
    {"aten::max_unpool3d(Tensor self, Tensor indices, SymInt[3] output_size, int[3] stride, int[3] padding) -> Tensor", op_max_unpool3d, TSR_PURE},
    {"aten::max_unpool3d.out(Tensor self, Tensor indices, SymInt[3] output_size, int[3] stride, int[3] padding, *, Tensor(a!) out) -> Tensor(a!)",
     op_max_unpool3d, TSR_OUT_ACCESS},
    {"aten::fractional_max_pool2d(Tensor self, int[2] kernel_size, int[2] output_size, Tensor random_samples) -> (Tensor, Tensor)",
     op_fractional_max_pool, TSR_PURE},
    {"aten::fractional_max_pool3d(Tensor self, int[3] kernel_size, int[3] output_size, Tensor random_samples) -> (Tensor, Tensor)",
     op_fractional_max_pool, TSR_PURE, "3d"},
    {"aten::fractional_max_pool2d.output(Tensor self, int[2] kernel_size, int[2] output_size, Tensor random_samples, *, Tensor(a!) output, Tensor(b!) indices) -> (Tensor(a!), Tensor(b!))",
     op_fractional_max_pool, TSR_OUT_SAME},
    {"aten::fractional_max_pool3d.output(Tensor self, int[3] kernel_size, int[3] output_size, Tensor random_samples, *, Tensor(a!) output, Tensor(b!) indices) -> (Tensor(a!), Tensor(b!))",
     op_fractional_max_pool, TSR_OUT_SAME, "3d"},
    {"aten::max_pool2d_with_indices_backward(Tensor grad_output, Tensor self, int[2] kernel_size, int[2] stride, int[2] padding, int[2] dilation, "
     "bool ceil_mode, Tensor indices) -> Tensor", op_max_pool_backward, TSR_PURE},
    {"aten::max_pool3d_with_indices_backward(Tensor grad_output, Tensor self, int[3] kernel_size, int[3] stride, int[3] padding, int[3] dilation, "
     "bool ceil_mode, Tensor indices) -> Tensor", op_max_pool_backward, TSR_PURE, "3d"},
    {0},
};
