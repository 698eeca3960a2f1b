/* Rearrangements that copy: repeat, tile, roll, flip, rot90, tril/triu, diag and friends, meshgrid.
 * Data movement is by element size; runs are memcpy. */
#include "ops/conv.h"
#include "ops/native.h"
#include "ops/shape.h"

enum { GRAIN_BYTES = 1 << 17 };

/* ---- repeat ---- */

typedef struct repeat_plan {
  int ndim;
  const int64_t *size, *times;     /* of the padded source */
  const size_t *in_step, *out_step;/* bytes */
} repeat_plan;

/* Write the part of the output below dimension d once: copy the source along d, then replicate. */
static void repeat_dim(const repeat_plan *p, int d, char *out, const char *in) {
  size_t block = (size_t)p->size[d] * p->out_step[d];
  bool plain = true; /* nothing repeats below d: the rows are one run */
  for (int k = d + 1; k < p->ndim; k++) plain = plain && p->times[k] == 1;
  if (plain) memcpy(out, in, block);
  else
    for (int64_t i = 0; i < p->size[d]; i++) repeat_dim(p, d + 1, out + (size_t)i * p->out_step[d], in + (size_t)i * p->in_step[d]);
  size_t total = block * (size_t)p->times[d];
  for (size_t done = block; done < total;) { /* doubling */
    size_t len = TSR_MIN(done, total - done);
    memcpy(out + done, out, len);
    done += len;
  }
}

static tsr_status repeat(tsr_call *c, int64_t n, const int64_t *times) {
  tsr_ctx *ctx = c->ctx;
  tsr_tensor *y, *x = tsr_arg_tensor(c, 0);
  int64_t size[TSR_MAX_NDIM], padded[TSR_MAX_NDIM];
  size_t in_step[TSR_MAX_NDIM], out_step[TSR_MAX_NDIM], item = tsr_tensor_itemsize(x);
  int lead = (int)n - x->ndim;
  if (n < x->ndim) return tsr_op_fail(ctx, "Number of dimensions of repeat dims can not be smaller than number of dimensions of tensor");
  TSR_TRY(tsr_check_ndim(ctx, n));
  for (int d = 0; d < n; d++) {
    padded[d] = d < lead ? 1 : x->size[d - lead];
    if (tsr_mul_overflow(padded[d], times[d], &size[d])) return tsr_op_nomem(ctx);
  }
  TSR_TRY(tsr_new(ctx, &y, (tsr_dtype)x->dtype, (int)n, size));
  void *out;
  TSR_TRY(tsr_data_mut(ctx, y, &out));
  TSR_TRY(tsr_contiguous(ctx, &x, x));
  if (y->numel > 0 && n == 0) memcpy(out, tsr_tensor_data_ro(x), item);
  if (y->numel > 0 && n > 0) {
    size_t in_run = item, out_run = item;
    for (int d = (int)n - 1; d >= 0; d--) {
      in_step[d] = in_run;
      out_step[d] = out_run;
      in_run *= (size_t)padded[d];
      out_run *= (size_t)size[d];
    }
    repeat_plan p = {(int)n, padded, times, in_step, out_step};
    repeat_dim(&p, 0, out, tsr_tensor_data_ro(x));
  }
  return tsr_ret_tensor(c, 0, y);
}

TSR_KERNEL(repeat) {
  int64_t n;
  const int64_t *times;
  TSR_TRY(tsr_ints_arg(c, 1, &times, &n));
  return repeat(c, n, times);
}

TSR_KERNEL(tile) {
  int64_t n, padded[TSR_MAX_NDIM];
  const int64_t *times;
  int ndim = tsr_arg_tensor(c, 0)->ndim;
  TSR_TRY(tsr_ints_arg(c, 1, &times, &n));
  if (n >= ndim) return repeat(c, n, times);
  for (int d = 0; d < ndim; d++) padded[d] = d < ndim - n ? 1 : times[d - (ndim - n)];
  return repeat(c, ndim, padded);
}

/* ---- roll ---- */

typedef struct roll_job {
  char *out;
  const char *in;
  int last;              /* last rolled dimension; the ones below are one run of `run` bytes */
  size_t run;
  const int64_t *size, *shift; /* shift in [0, size) */
} roll_job;

static void roll_rows(void *arg, int64_t begin, int64_t end) {
  const roll_job *j = arg;
  size_t row = (size_t)j->size[j->last] * j->run, head = (size_t)j->shift[j->last] * j->run;
  for (int64_t i = begin; i < end; i++) {
    int64_t rest = i, from = 0, unit = 1;
    for (int d = j->last - 1; d >= 0; d--) {
      int64_t at = rest % j->size[d] - j->shift[d];
      from += (at < 0 ? at + j->size[d] : at) * unit;
      unit *= j->size[d];
      rest /= j->size[d];
    }
    char *out = j->out + (size_t)i * row;
    const char *in = j->in + (size_t)from * row;
    memcpy(out, in + row - head, head);
    memcpy(out + head, in, row - head);
  }
}

static tsr_status roll(tsr_ctx *ctx, tsr_tensor **out, tsr_tensor *x, int64_t n, const int64_t *shifts, const int64_t *dims) {
  int64_t shift[TSR_MAX_NDIM] = {0};
  int last = 0;
  tsr_tensor *y;
  for (int64_t i = 0; i < n; i++) {
    int64_t d;
    TSR_TRY(tsr_wrap_dim(ctx, dims[i], x->ndim, &d));
    if (x->ndim == 0 || x->size[d] == 0) continue;
    int64_t s = shifts[i] % x->size[d];
    shift[d] = (shift[d] + (s < 0 ? s + x->size[d] : s)) % x->size[d];
  }
  TSR_TRY(tsr_contiguous(ctx, &x, x));
  TSR_TRY(tsr_new(ctx, &y, (tsr_dtype)x->dtype, x->ndim, x->size));
  *out = y;
  if (x->numel == 0) return TSR_OK;
  void *p;
  TSR_TRY(tsr_data_mut(ctx, y, &p));
  if (x->ndim == 0) {
    memcpy(p, tsr_tensor_data_ro(x), tsr_tensor_itemsize(x));
    return TSR_OK;
  }
  for (int d = 0; d < x->ndim; d++)
    if (shift[d] != 0) last = d;
  roll_job j = {p, tsr_tensor_data_ro(x), last, tsr_tensor_itemsize(x) * (size_t)x->stride[last], x->size, shift};
  j.run = tsr_tensor_itemsize(x);
  int64_t rows = 1;
  for (int d = 0; d < x->ndim; d++) {
    if (d < last) rows *= x->size[d];
    if (d > last) j.run *= (size_t)x->size[d];
  }
  size_t row = j.run * (size_t)x->size[last];
  tsr_parallel_for(ctx, rows, (int64_t)(GRAIN_BYTES / row + 1), roll_rows, &j);
  return TSR_OK;
}

TSR_KERNEL(roll) {
  int64_t n, m, all = -1, flat_dim = 0;
  const int64_t *shifts, *dims;
  tsr_tensor *y, *x = tsr_arg_tensor(c, 0);
  TSR_TRY(tsr_ints_arg(c, 1, &shifts, &n));
  TSR_TRY(tsr_ints_arg(c, 2, &dims, &m));
  if (n == 0) return tsr_op_fail(c->ctx, "`shifts` required");
  if (m == 0 && n == 1) {
    TSR_TRY(tsr_contiguous(c->ctx, &y, x));
    TSR_TRY(tsr_view_as(c->ctx, &y, y, 1, x->numel == 0 ? &flat_dim : &all));
    TSR_TRY(roll(c->ctx, &y, y, 1, shifts, &flat_dim));
    TSR_TRY(tsr_view_as(c->ctx, &y, y, x->ndim, x->size));
    return tsr_ret_tensor(c, 0, y);
  }
  if (n != m) return tsr_op_fail(c->ctx, "shifts and dimensions must align. shifts: %lld, dims:%lld", (long long)n, (long long)m);
  if (x->ndim == 0) return tsr_op_fail(c->ctx, "Dimension specified as %lld but tensor has no dimensions", (long long)dims[0]);
  TSR_TRY(roll(c->ctx, &y, x, n, shifts, dims));
  if (!x->hidden && tsr_conv_suggests_last(x->ndim, x->size, x->stride)) TSR_TRY(tsr_channels_last(c->ctx, &y, y)); /* two parts joined */
  return tsr_ret_tensor(c, 0, y);
}

/* ---- flip ---- */

typedef struct flip_job { char *out; const char *in; int ndim; const int64_t *size; const bool *flipped; size_t item; } flip_job;

typedef uint32_t four __attribute__((vector_size(16), aligned(4), may_alias));

/* Words back to front, four at a time. */
static void reverse_words(uint32_t *out, const uint32_t *in, int64_t n) {
  typedef uint32_t words __attribute__((vector_size(16)));
  int64_t i = 0;
  for (; i + 4 <= n; i += 4) {
    words v = *(const four *)(in + n - 4 - i);
    *(four *)(out + i) = __builtin_shufflevector(v, v, 3, 2, 1, 0);
  }
  for (; i < n; i++) out[i] = in[n - 1 - i];
}

static void reverse_row(char *out, const char *in, int64_t n, size_t item) {
#define REVERSE(type) for (int64_t i = 0; i < n; i++) ((type *)out)[i] = ((const type *)in)[n - 1 - i]
  switch (item) {
  case 1: REVERSE(uint8_t); break;
  case 2: REVERSE(uint16_t); break;
  case 4: reverse_words((uint32_t *)(void *)out, (const uint32_t *)(const void *)in, n); break;
  case 8: REVERSE(uint64_t); break;
  default: REVERSE(tsr_c128); break;
  }
#undef REVERSE
}

static void flip_rows(void *arg, int64_t begin, int64_t end) {
  const flip_job *j = arg;
  int last = j->ndim - 1;
  size_t row = (size_t)j->size[last] * j->item;
  for (int64_t i = begin; i < end; i++) {
    int64_t rest = i, from = 0, unit = 1;
    for (int d = last - 1; d >= 0; d--) {
      int64_t at = rest % j->size[d];
      from += (j->flipped[d] ? j->size[d] - 1 - at : at) * unit;
      unit *= j->size[d];
      rest /= j->size[d];
    }
    if (j->flipped[last]) reverse_row(j->out + (size_t)i * row, j->in + (size_t)from * row, j->size[last], j->item);
    else memcpy(j->out + (size_t)i * row, j->in + (size_t)from * row, row);
  }
}

/* Order of dimensions by falling stride, so that a dense tensor is C-ordered in it. */
static void memory_order(const tsr_tensor *t, int64_t *order) {
  for (int d = 0; d < t->ndim; d++) {
    int k = d;
    while (k > 0 && (t->stride[order[k - 1]] < t->stride[d] ||
                     (t->stride[order[k - 1]] == t->stride[d] && t->size[order[k - 1]] == 1 && t->size[d] != 1))) {
      order[k] = order[k - 1];
      k--;
    }
    order[k] = d;
  }
}

static tsr_status flip(tsr_ctx *ctx, tsr_tensor **out, tsr_tensor *x, const bool *flipped) {
  int64_t order[TSR_MAX_NDIM];
  bool moved[TSR_MAX_NDIM];
  tsr_tensor *y, *in;
  TSR_TRY(tsr_new_like(ctx, &y, x, (tsr_dtype)x->dtype));
  *out = y;
  if (x->numel == 0) return TSR_OK;
  if (x->ndim == 0) return tsr_copy_into(ctx, y, x);
  memory_order(y, order);
  TSR_TRY(tsr_permute(ctx, &in, x, order));
  TSR_TRY(tsr_contiguous(ctx, &in, in));
  for (int d = 0; d < x->ndim; d++) moved[d] = flipped[order[d]];
  void *p;
  TSR_TRY(tsr_data_mut(ctx, y, &p));
  flip_job j = {p, tsr_tensor_data_ro(in), in->ndim, in->size, moved, tsr_tensor_itemsize(x)};
  int64_t row = in->size[in->ndim - 1];
  tsr_parallel_for(ctx, in->numel / row, GRAIN_BYTES / (row * (int64_t)j.item) + 1, flip_rows, &j);
  return TSR_OK;
}

static tsr_status flip_dims(tsr_ctx *ctx, tsr_tensor **out, tsr_tensor *x, int64_t n, const int64_t *dims) {
  bool flipped[TSR_MAX_NDIM] = {false};
  for (int64_t i = 0; i < n; i++) {
    int64_t d;
    TSR_TRY(tsr_wrap_dim(ctx, dims[i], x->ndim, &d));
    if (flipped[d]) return tsr_op_fail(ctx, "dim %lld appears multiple times in the list of dims", (long long)d);
    flipped[d] = true;
  }
  return flip(ctx, out, x, flipped);
}

TSR_KERNEL(flip) {
  int64_t n;
  const int64_t *dims;
  tsr_tensor *y;
  TSR_TRY(tsr_ints_arg(c, 1, &dims, &n));
  TSR_TRY(flip_dims(c->ctx, &y, tsr_arg_tensor(c, 0), n, dims));
  return tsr_ret_tensor(c, 0, y);
}

static const int64_t axis_up = 0, axis_right = 1;

TSR_KERNEL(flip_axis) {
  const int64_t *axis = c->op->data;
  tsr_tensor *y, *x = tsr_arg_tensor(c, 0);
  if (x->ndim <= *axis) return tsr_op_fail(c->ctx, "Input must be >= %lld-d.", (long long)*axis + 1);
  TSR_TRY(flip_dims(c->ctx, &y, x, 1, axis));
  return tsr_ret_tensor(c, 0, y);
}

TSR_KERNEL(rot90) {
  int64_t n, k = tsr_arg_int(c, 1) % 4, d[2];
  const int64_t *dims;
  tsr_tensor *y, *x = tsr_arg_tensor(c, 0);
  TSR_TRY(tsr_ints_arg(c, 2, &dims, &n));
  if (n != 2) return tsr_op_fail(c->ctx, "expected total rotation dims == 2, but got dims = %lld", (long long)n);
  if (x->ndim < 2) return tsr_op_fail(c->ctx, "expected total dims >= 2, but got total dims = %d", x->ndim);
  int64_t apart = 0;
  if (__builtin_sub_overflow(dims[0], dims[1], &apart)) apart = INT64_MAX;
  if (apart == 0 || apart == x->ndim || apart == -x->ndim)
    return tsr_op_fail(c->ctx, "expected rotation dims to be different, but got dim0 = %lld and dim1 = %lld", (long long)dims[0], (long long)dims[1]);
  TSR_TRY(tsr_wrap_dims(c->ctx, 2, dims, x->ndim, d));
  if (k < 0) k += 4;
  if (k == 0) {
    TSR_TRY(tsr_new(c->ctx, &y, (tsr_dtype)x->dtype, x->ndim, x->size));
    TSR_TRY(tsr_copy_into(c->ctx, y, x));
    return tsr_ret_tensor(c, 0, y);
  }
  if (k == 2) TSR_TRY(flip_dims(c->ctx, &y, x, 2, d));
  else TSR_TRY(flip_dims(c->ctx, &y, x, 1, k == 1 ? &d[1] : &d[0]));
  if (k != 2) TSR_TRY(tsr_transpose(c->ctx, &y, y, d[0], d[1]));
  return tsr_ret_tensor(c, 0, y);
}

/* ---- triangles and diagonals ---- */

static const char lower = 1, upper = 2;

TSR_KERNEL(triangle) {
  bool low = c->op->data == &lower;
  tsr_tensor *y, *x = tsr_arg_tensor(c, 0);
  int64_t k = tsr_arg_int(c, 1);
  if (x->ndim < 2) return tsr_op_fail(c->ctx, "%s: input tensor must have at least 2 dimensions", low ? "tril" : "triu");
  TSR_TRY(tsr_contiguous(c->ctx, &x, x));
  TSR_TRY(tsr_new(c->ctx, &y, (tsr_dtype)x->dtype, x->ndim, x->size));
  if (x->numel == 0) return tsr_ret_tensor(c, 0, y);
  void *p;
  TSR_TRY(tsr_data_mut(c->ctx, y, &p));
  size_t item = tsr_tensor_itemsize(x);
  int64_t rows = x->size[x->ndim - 2], cols = x->size[x->ndim - 1];
  k = TSR_MIN(TSR_MAX(k, -rows - 1), cols + 1);
  char *out = p;
  const char *in = tsr_tensor_data_ro(x);
  for (int64_t r = 0; r < x->numel / cols; r++) {
    int64_t i = r % rows, edge = low ? i + k + 1 : i + k;
    size_t split = (size_t)TSR_MIN(TSR_MAX(edge, 0), cols) * item, row = (size_t)cols * item;
    if (low) {
      memcpy(out, in, split);
      memset(out + split, 0, row - split);
    } else {
      memset(out, 0, split);
      memcpy(out + split, in + split, row - split);
    }
    out += row;
    in += row;
  }
  return tsr_ret_tensor(c, 0, y);
}

/* Zeros with x on the diagonal: x's last dimension becomes two, at dims d1 and d2 of the result. */
static tsr_status diag_embed(tsr_ctx *ctx, tsr_tensor **out, tsr_tensor *x, int64_t offset, int64_t dim1, int64_t dim2) {
  int64_t d1, d2, size[TSR_MAX_NDIM], edge, shift = offset == INT64_MIN ? -1 : offset < 0 ? -offset : offset;
  tsr_tensor *y, *diagonal;
  int n = x->ndim + 1;
  TSR_TRY(tsr_check_ndim(ctx, n));
  TSR_TRY(tsr_wrap_dim(ctx, dim1, n, &d1));
  TSR_TRY(tsr_wrap_dim(ctx, dim2, n, &d2));
  if (d1 == d2) return tsr_op_fail(ctx, "diagonal dimensions cannot be identical %lld, %lld", (long long)dim1, (long long)dim2);
  if (x->ndim == 0) return tsr_op_fail(ctx, "Dimension specified as -1 but tensor has no dimensions");
  if (shift < 0 || tsr_add_overflow(x->size[x->ndim - 1], shift, &edge)) return tsr_op_nomem(ctx);
  for (int d = 0, k = 0; d < n; d++) size[d] = d == d1 || d == d2 ? edge : x->size[k++];
  TSR_TRY(tsr_new(ctx, &y, (tsr_dtype)x->dtype, n, size));
  TSR_TRY(tsr_fill(ctx, y, tsr_scalar_int(0)));
  TSR_TRY(tsr_diagonal(ctx, &diagonal, y, offset, d1, d2));
  *out = y;
  return tsr_copy_into(ctx, diagonal, x);
}

TSR_KERNEL(diag_embed) {
  tsr_tensor *y;
  TSR_TRY(diag_embed(c->ctx, &y, tsr_arg_tensor(c, 0), tsr_arg_int(c, 1), tsr_arg_int(c, 2), tsr_arg_int(c, 3)));
  return tsr_ret_tensor(c, 0, y);
}

TSR_KERNEL(diag) {
  tsr_tensor *y, *x = tsr_arg_tensor(c, 0);
  int64_t offset = tsr_arg_int(c, 1);
  if (x->ndim != 1 && x->ndim != 2) return tsr_op_fail(c->ctx, "%sSupports 1D or 2D tensors. Got %dD", c->outs ? "" : "diag(): ", x->ndim);
  if (x->ndim == 1) TSR_TRY(tsr_out_cast(c, 0, (tsr_dtype)x->dtype, "diag: result type %s can't be cast to the desired out= type %s"));
  if (x->ndim == 1) {
    TSR_TRY(diag_embed(c->ctx, &y, x, offset, 0, 1));
  } else {
    TSR_TRY(tsr_diagonal(c->ctx, &x, x, offset, 0, 1));
    TSR_TRY(tsr_new(c->ctx, &y, (tsr_dtype)x->dtype, 1, x->size));
    TSR_TRY(tsr_copy_into(c->ctx, y, x));
  }
  return tsr_ret_tensor(c, 0, y);
}

TSR_KERNEL(diagflat) {
  tsr_tensor *y, *x = tsr_arg_tensor(c, 0);
  TSR_TRY(tsr_reshape(c->ctx, &x, x, 1, &x->numel));
  TSR_TRY(diag_embed(c->ctx, &y, x, tsr_arg_int(c, 1), 0, 1));
  return tsr_ret_tensor(c, 0, y);
}

TSR_KERNEL(fill_diagonal) {
  tsr_tensor *x = tsr_arg_tensor(c, 0), *line;
  if (x->ndim < 2) return tsr_op_fail(c->ctx, "dimensions must larger than 1");
  int64_t step = 0, least = x->size[0], length, height = x->size[0], width = x->size[1];
  for (int d = 0; d < x->ndim; d++) {
    if (x->ndim > 2 && x->size[d] != height) return tsr_op_fail(c->ctx, "all dimensions of input must be of equal length");
    least = TSR_MIN(least, x->size[d]);
    step += x->stride[d];
  }
  length = least;
  TSR_TRY(tsr_as_strided(c->ctx, &line, x, 1, &length, 1, &step, x->offset));
  TSR_TRY(tsr_fill(c->ctx, line, tsr_arg_scalar(c, 1)));
  if (tsr_arg_bool(c, 2) && x->ndim == 2 && height > width + 1) { /* tall: the diagonal starts again below */
    int64_t period = width + 1;
    for (int64_t start = period; start < height; start += period) {
      length = TSR_MIN(width, height - start);
      TSR_TRY(tsr_as_strided(c->ctx, &line, x, 1, &length, 1, &step, x->offset + start * x->stride[0]));
      TSR_TRY(tsr_fill(c->ctx, line, tsr_arg_scalar(c, 1)));
    }
  }
  return tsr_ret_tensor(c, 0, x);
}

/* ---- grids and combinations ---- */

static tsr_status refuse_grid(tsr_ctx *ctx, const tsr_tensor *t) {
  tsr_buf text = {0};
  tsr_tensor_print(t, &text);
  tsr_status st = tsr_op_fail(ctx, "torch.meshgrid: Expected 0D or 1D tensor in the tensor list but got: %s", text.data != NULL ? text.data : "");
  tsr_buf_dispose(&text);
  return st;
}

static tsr_status meshgrid(tsr_ctx *ctx, tsr_tensor **ts, int64_t n, bool swap) {
  int64_t size[TSR_MAX_NDIM], shape[TSR_MAX_NDIM];
  TSR_TRY(tsr_check_ndim(ctx, n));
  for (int64_t i = 0; i < n; i++) {
    if (ts[i]->dtype != ts[0]->dtype) return tsr_op_fail(ctx, "meshgrid expects all tensors to have the same dtype");
  }
  swap = swap && n >= 2;
  for (int64_t i = 0; i < n; i++) {
    const tsr_tensor *t = ts[swap && i < 2 ? 1 - i : i];
    if (t->ndim > 1) return refuse_grid(ctx, t);
  }
  for (int64_t i = 0; i < n; i++) size[swap && i < 2 ? 1 - i : i] = ts[i]->numel;
  for (int64_t i = 0; i < n; i++) {
    int64_t at = swap && i < 2 ? 1 - i : i;
    for (int64_t d = 0; d < n; d++) shape[d] = d == at ? ts[i]->numel : 1;
    TSR_TRY(tsr_reshape(ctx, &ts[i], ts[i], (int)n, shape));
    TSR_TRY(tsr_expand(ctx, &ts[i], ts[i], (int)n, size));
  }
  return TSR_OK;
}

TSR_KERNEL(meshgrid) {
  int64_t n;
  tsr_tensor **ts;
  bool swap = false;
  TSR_TRY(tsr_tensors_arg(c, 0, &ts, &n));
  if (c->nargs > 1) {
    const char *how = tsr_arg_str(c, 1)->bytes;
    swap = strcmp(how, "xy") == 0;
    if (!swap && strcmp(how, "ij") != 0)
      return tsr_op_fail(c->ctx, "torch.meshgrid: indexing must be one of \"xy\" or \"ij\", but received: %s", how);
  }
  if (n == 0) return tsr_op_fail(c->ctx, "meshgrid expects a non-empty TensorList");
  TSR_TRY(meshgrid(c->ctx, ts, n, swap));
  return tsr_ret_tensors(c, 0, ts, n);
}

static tsr_status want_vector(tsr_ctx *ctx, const tsr_tensor *t) {
  char text[512];
  if (t->ndim == 1) return TSR_OK;
  tsr_sizes_print(text, sizeof text, t->ndim, t->size);
  return tsr_op_fail(ctx, "Expect a 1D vector, but got shape %s", text);
}

TSR_KERNEL(cartesian_prod) {
  int64_t n;
  tsr_tensor **ts, *y;
  TSR_TRY(tsr_tensors_arg(c, 0, &ts, &n));
  if (n == 0) return tsr_op_fail(c->ctx, "meshgrid expects a non-empty TensorList");
  for (int64_t i = 0; i < n; i++) TSR_TRY(want_vector(c->ctx, ts[i]));
  if (n == 1) return tsr_ret_tensor(c, 0, ts[0]);
  TSR_TRY(meshgrid(c->ctx, ts, n, false));
  for (int64_t i = 0; i < n; i++) TSR_TRY(tsr_flatten(c->ctx, &ts[i], ts[i], 0, -1));
  TSR_TRY(tsr_stack(c->ctx, &y, ts, n, 1));
  return tsr_ret_tensor(c, 0, y);
}

/* Next r-subset of [0, n) in lexicographic order; false: there is none. */
static bool next_subset(int64_t *pick, int64_t r, int64_t n, bool replace) {
  int64_t i = r - 1;
  while (i >= 0 && pick[i] == (replace ? n - 1 : n - r + i)) i--;
  if (i < 0) return false;
  pick[i]++;
  for (int64_t k = i + 1; k < r; k++) pick[k] = replace ? pick[i] : pick[k - 1] + 1;
  return true;
}

/* Binomial coefficient; false: too large to hold in memory anyway. */
static bool subset_count(int64_t n, int64_t r, bool replace, int64_t *out) {
  double total = 1;
  if (replace) n += r - 1;
  if (n < r) {
    *out = 0;
    return true;
  }
  int64_t exact = 1;
  for (int64_t k = 1; k <= r; k++) {
    total = total * (double)(n - r + k) / (double)k;
    if (total > 1e12 || r > 1 << 20) return false;
    exact = (int64_t)(((__int128)exact * (n - r + k)) / k);
  }
  *out = exact;
  return true;
}

TSR_KERNEL(combinations) {
  tsr_tensor *y, *x = tsr_arg_tensor(c, 0);
  int64_t r = tsr_arg_int(c, 1), count = 0;
  bool replace = tsr_arg_bool(c, 2);
  TSR_TRY(want_vector(c->ctx, x));
  if (r < 0) return tsr_op_fail(c->ctx, "Expect a non-negative number, but got %lld", (long long)r);
  if (r == 0) {
    TSR_TRY(tsr_new(c->ctx, &y, (tsr_dtype)x->dtype, 1, &count));
    return tsr_ret_tensor(c, 0, y);
  }
  if (!subset_count(x->numel, r, replace, &count)) return tsr_op_nomem(c->ctx);
  int64_t size[2] = {count, r}, *pick;
  TSR_TRY(tsr_workspace(c->ctx, count > 0 ? r : 0, sizeof *pick, &pick));
  TSR_TRY(tsr_contiguous(c->ctx, &x, x));
  TSR_TRY(tsr_new(c->ctx, &y, (tsr_dtype)x->dtype, 2, size));
  void *p;
  TSR_TRY(tsr_data_mut(c->ctx, y, &p));
  size_t item = tsr_tensor_itemsize(x);
  char *out = p;
  for (int64_t k = 0; k < r && count > 0; k++) pick[k] = replace ? 0 : k;
  for (int64_t i = 0; i < count; i++) {
    for (int64_t k = 0; k < r; k++, out += item) memcpy(out, (const char *)tsr_tensor_data_ro(x) + (size_t)pick[k] * item, item);
    next_subset(pick, r, x->numel, replace);
  }
  return tsr_ret_tensor(c, 0, y);
}

const tsr_op tsr_ops_shape_move[] = {
    {"aten::repeat(Tensor self, SymInt[] repeats) -> Tensor",
     op_repeat, TSR_PURE},
    {"aten::repeat.out(Tensor self, SymInt[] repeats, *, Tensor(a!) out) -> Tensor(a!)",
     op_repeat, TSR_OUT_NEW},
    {"aten::tile(Tensor self, SymInt[] dims) -> Tensor",
     op_tile, TSR_PURE},
    {"aten::roll(Tensor self, SymInt[1] shifts, int[1] dims=[]) -> Tensor",
     op_roll, TSR_PURE},
    {"aten::roll.out(Tensor self, SymInt[1] shifts, int[1] dims=[], *, Tensor(a!) out) -> Tensor(a!)",
     op_roll, TSR_OUT_NEW},
    {"aten::flip(Tensor self, int[] dims) -> Tensor",
     op_flip, TSR_PURE},
    {"aten::flip.out(Tensor self, int[] dims, *, Tensor(a!) out) -> Tensor(a!)",
     op_flip, TSR_OUT_NEW},
    {"aten::fliplr(Tensor self) -> Tensor",
     op_flip_axis, TSR_PURE, &axis_right},
    {"aten::flipud(Tensor self) -> Tensor",
     op_flip_axis, TSR_PURE, &axis_up},
    {"aten::rot90(Tensor self, int k=1, int[] dims=[0, 1]) -> Tensor",
     op_rot90, TSR_PURE},
    {"aten::rot90.out(Tensor self, int k=1, int[] dims=[0, 1], *, Tensor(a!) out) -> Tensor(a!)",
     op_rot90, TSR_OUT_NEW},
    {"aten::tril(Tensor self, SymInt diagonal=0) -> Tensor",
     op_triangle, TSR_PURE, &lower},
    {"aten::tril.out(Tensor self, SymInt diagonal=0, *, Tensor(a!) out) -> Tensor(a!)",
     op_triangle, TSR_OUT_SAME, &lower},
    {"aten::triu(Tensor self, SymInt diagonal=0) -> Tensor",
     op_triangle, TSR_PURE, &upper},
    {"aten::triu.out(Tensor self, SymInt diagonal=0, *, Tensor(a!) out) -> Tensor(a!)",
     op_triangle, TSR_OUT_SAME, &upper},
    {"aten::tril_(Tensor(a!) self, SymInt diagonal=0) -> Tensor(a!)",
     op_triangle, TSR_INPLACE, &lower},
    {"aten::triu_(Tensor(a!) self, SymInt diagonal=0) -> Tensor(a!)",
     op_triangle, TSR_INPLACE, &upper},
    {"aten::diag(Tensor self, int diagonal=0) -> Tensor",
     op_diag, TSR_PURE},
    {"aten::diag.out(Tensor self, int diagonal=0, *, Tensor(a!) out) -> Tensor(a!)",
     op_diag, TSR_OUT_SAME},
    {"aten::diag_embed(Tensor self, int offset=0, int dim1=-2, int dim2=-1) -> Tensor",
     op_diag_embed, TSR_PURE},
    {"aten::diag_embed.out(Tensor self, int offset=0, int dim1=-2, int dim2=-1, *, Tensor(a!) out) -> Tensor(a!)",
     op_diag_embed, TSR_OUT_NEW},
    {"aten::diagflat(Tensor self, int offset=0) -> Tensor",
     op_diagflat, TSR_PURE},
    {"aten::fill_diagonal_(Tensor(a!) self, Scalar fill_value, bool wrap=False) -> Tensor(a!)",
     op_fill_diagonal, 0},
    {"aten::meshgrid(Tensor[] tensors) -> Tensor[]",
     op_meshgrid, TSR_PURE},
    {"aten::meshgrid.indexing(Tensor[] tensors, *, str indexing) -> Tensor[]",
     op_meshgrid, TSR_PURE},
    {"aten::cartesian_prod(Tensor[] tensors) -> Tensor",
     op_cartesian_prod, TSR_PURE},
    {"aten::combinations(Tensor self, int r=2, bool with_replacement=False) -> Tensor",
     op_combinations, TSR_PURE},
    {0},
};
