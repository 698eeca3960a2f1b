/* Shape operators that also compute: repeat_interleave, trace, diff, kron, vander, sum_to_size, _chunk_cat, segment_reduce. */
#include <math.h>

#include "ops/index_run.h"
#include "ops/native.h"
#include "ops/shape.h"

/* ---- repeat_interleave ---- */

/* 0 repeated r[0] times, 1 repeated r[1] times, … */
static tsr_status repeated_positions(tsr_ctx *ctx, tsr_tensor *repeats, int64_t expected, tsr_tensor **out) {
  int64_t total = 0;
  void *data;
  if (repeats->dtype != TSR_INT64 && repeats->dtype != TSR_INT32)
    return tsr_op_fail(ctx, "\"repeat_interleave_cpu\" not implemented for '%s'", tsr_dtype_get_info(repeats->dtype)->cpp_name);
  bool negative = false;
  if (repeats->ndim != 1) return tsr_op_fail(ctx, "repeat_interleave only accept 1D vector as repeat");
  TSR_TRY(tsr_index_ready(ctx, &repeats, repeats));
  const int64_t *r = tsr_tensor_data_ro(repeats);
  for (int64_t i = 0; i < repeats->numel; i++) {
    negative = negative || r[i] < 0;
    if (tsr_add_overflow(total, r[i], &total)) return tsr_op_nomem(ctx);
  }
  if (expected >= 0 && expected != total && repeats->numel > 0) return tsr_op_fail(ctx, "allocated size does not match required size");
  if (negative) return tsr_op_fail(ctx, "repeats can not be negative");
  TSR_TRY(tsr_new(ctx, out, TSR_INT64, 1, &total));
  TSR_TRY(tsr_data_mut(ctx, *out, &data));
  for (int64_t i = 0, k = 0; i < repeats->numel; i++)
    for (int64_t j = 0; j < r[i]; j++) ((int64_t *)data)[k++] = i;
  return TSR_OK;
}

TSR_KERNEL(repeat_positions) {
  tsr_tensor *y, *repeats = tsr_arg_tensor(c, 0);
  TSR_TRY(repeated_positions(c->ctx, repeats, tsr_arg_int_or(c, 1, -1), &y));
  TSR_TRY(tsr_to_dtype(c->ctx, &y, y, (tsr_dtype)repeats->dtype));
  return tsr_ret_tensor(c, 0, y);
}

TSR_KERNEL(repeat_interleave) {
  tsr_ctx *ctx = c->ctx;
  tsr_tensor *x = tsr_arg_tensor(c, 0), *repeats = tsr_arg_opt_tensor(c, 1), *at;
  int64_t dim = 0, expected = tsr_arg_int_or(c, 3, -1), flat = x->numel;
  if (tsr_arg_is_none(c, 2)) TSR_TRY(tsr_reshape(ctx, &x, x, 1, &flat));
  else {
    TSR_TRY(tsr_wrap_dim(ctx, tsr_arg_int(c, 2), x->ndim, &dim));
    if (x->ndim == 0 && repeats == NULL) return tsr_op_fail(ctx, "Dimension out of range (expected to be in range of [-1, 0], but got 1)");
    if (x->ndim == 0) return tsr_op_fail(ctx, "Dimension specified as %lld but tensor has no dimensions", (long long)tsr_arg_int(c, 2));
  }
  int64_t have = x->ndim > 0 ? x->size[dim] : 1;
  if (repeats == NULL) {
    int64_t times = tsr_arg_int(c, 1), total;
    void *p;
    if (times < 0) return tsr_op_fail(ctx, "Repeats must be non-negative");
    if (tsr_mul_overflow(times, have, &total)) return tsr_op_nomem(ctx);
    if (expected >= 0 && expected != total && repeats->numel > 0) return tsr_op_fail(ctx, "repeat_interleave: Invalid output_size, expected %lld but got %lld", (long long)total, (long long)expected);
    TSR_TRY(tsr_new(ctx, &at, TSR_INT64, 1, &total));
    TSR_TRY(tsr_data_mut(ctx, at, &p));
    for (int64_t i = 0; i < total; i++) ((int64_t *)p)[i] = i / times;
  } else {
    if (repeats->ndim == 0 || (repeats->ndim == 1 && repeats->numel == 1)) {
      TSR_TRY(tsr_reshape(ctx, &repeats, repeats, 1, (int64_t[]){1}));
      TSR_TRY(tsr_expand(ctx, &repeats, repeats, 1, &have));
    } else if (repeats->ndim != 1) {
      return tsr_op_fail(ctx, "repeats must be 0-dim or 1-dim tensor");
    } else if (repeats->numel != have) {
      return tsr_op_fail(ctx, "repeats must have the same size as input along dim, but got repeats.size(0) = %lld and input.size(%lld) = %lld",
                         (long long)repeats->numel, (long long)tsr_arg_int_or(c, 2, 0), (long long)have);
    }
    TSR_TRY(repeated_positions(ctx, repeats, expected, &at));
  }
  if (x->ndim == 0) TSR_TRY(tsr_unsqueeze(ctx, &x, x, 0));
  tsr_val args[3] = {tsr_from_obj(x), tsr_int(dim), tsr_from_obj(at)}, ret;
  TSR_TRY(tsr_invoke(ctx, tsr_op_get("aten::index_select", ""), args, 3, &ret, 1));
  return tsr_ret(c, 0, ret);
}

/* ---- trace, diff, kron, vander ---- */

TSR_KERNEL(trace) {
  tsr_tensor *x = tsr_arg_tensor(c, 0), *y;
  if (x->dtype == TSR_BOOL) return tsr_op_fail(c->ctx, "\"trace\" not implemented for 'Bool'");
  if (x->ndim != 2) return tsr_op_fail(c->ctx, "trace: expected a matrix, but got tensor with dim %d", x->ndim);
  TSR_TRY(tsr_diagonal(c->ctx, &y, x, 0, 0, 1));
  TSR_TRY(tsr_reduce(c->ctx, &y, "sum", y, -1, NULL, false, -1));
  return tsr_ret_tensor(c, 0, y);
}

/* What is joined to x before differences along argument 2 are taken. */
static tsr_status check_joined(tsr_call *c, const tsr_tensor *x, const tsr_tensor *t) {
  int64_t dim;
  if (t == NULL) return TSR_OK;
  TSR_TRY(tsr_wrap_dim(c->ctx, tsr_arg_int(c, 2), x->ndim, &dim));
  if (t->ndim != x->ndim) return tsr_op_fail(c->ctx, "diff expects prepend or append to be the same dimension as input");
  for (int d = 0; d < x->ndim; d++)
    if (d != dim && t->size[d] != x->size[d])
      return tsr_op_fail(c->ctx, "diff expects the shape of tensor to prepend or append to match that of input except along the differencing dimension; input.size(%d) = %lld, but got tensor.size(%d) = %lld",
                         d, (long long)x->size[d], d, (long long)t->size[d]);
  return TSR_OK;
}

TSR_KERNEL(diff) {
  tsr_ctx *ctx = c->ctx;
  tsr_tensor *x = tsr_arg_tensor(c, 0), *parts[3], *a, *b;
  int64_t times = tsr_arg_int(c, 1), dim = 0, n = 0;
  if (x->ndim < 1) return tsr_op_fail(ctx, "diff expects input to be at least one-dimensional");
  if (times < 0) return tsr_op_fail(ctx, "order must be non-negative but got %lld", (long long)times);
  for (uint32_t i = 3; i <= 4; i++) TSR_TRY(check_joined(c, x, tsr_arg_opt_tensor(c, i)));
  if (times > 0) TSR_TRY(tsr_wrap_dim(ctx, tsr_arg_int(c, 2), x->ndim, &dim));
  if (times == 0) { /* the dimension is not looked at */
    TSR_TRY(tsr_out_access(c, 0, (tsr_dtype)x->dtype));
    TSR_TRY(tsr_clone(ctx, &x, x));
    return tsr_ret_tensor(c, 0, x);
  }
  if (tsr_arg_opt_tensor(c, 3) != NULL) parts[n++] = tsr_arg_tensor(c, 3);
  parts[n++] = x;
  if (tsr_arg_opt_tensor(c, 4) != NULL) parts[n++] = tsr_arg_tensor(c, 4);
  if (n > 1) TSR_TRY(tsr_cat(ctx, &x, parts, n, dim));
  times = TSR_MIN(times, x->size[dim]);
  if (x->size[dim] == 0 && tsr_arg_int(c, 1) > 0) TSR_TRY(tsr_clone(ctx, &x, x));
  for (int64_t i = 0; i < times; i++) {
    int64_t width = TSR_MAX(x->size[dim] - 1, 0);
    TSR_TRY(tsr_narrow(ctx, &a, x, dim, TSR_MIN(1, x->size[dim]), width));
    TSR_TRY(tsr_narrow(ctx, &b, x, dim, 0, width));
    TSR_TRY(tsr_binary(ctx, &x, x->dtype == TSR_BOOL ? "logical_xor" : "sub", a, b));
  }
  return tsr_ret_tensor(c, 0, x);
}

TSR_KERNEL(kron) {
  tsr_ctx *ctx = c->ctx;
  tsr_tensor *a = tsr_arg_tensor(c, 0), *b = tsr_arg_tensor(c, 1), *y;
  int rank = TSR_MAX(a->ndim, b->ndim);
  int64_t as[2 * TSR_MAX_NDIM], bs[2 * TSR_MAX_NDIM], size[TSR_MAX_NDIM];
  TSR_TRY(tsr_check_ndim(ctx, 2 * rank));
  for (int d = 0; d < rank; d++) {
    int ad = d - (rank - a->ndim), bd = d - (rank - b->ndim);
    as[2 * d] = ad >= 0 ? a->size[ad] : 1;
    bs[2 * d + 1] = bd >= 0 ? b->size[bd] : 1;
    as[2 * d + 1] = bs[2 * d] = 1;
    if (tsr_mul_overflow(as[2 * d], bs[2 * d + 1], &size[d])) return tsr_op_nomem(ctx);
  }
  TSR_TRY(tsr_reshape(ctx, &a, a, 2 * rank, as));
  TSR_TRY(tsr_reshape(ctx, &b, b, 2 * rank, bs));
  TSR_TRY(tsr_binary(ctx, &y, "mul", a, b));
  /* as in PyTorch a view, which some layouts do not permit; out= forms compute into a tensor of the right layout */
  if (c->outs != NULL) TSR_TRY(tsr_reshape(ctx, &y, y, rank, size));
  else TSR_TRY(tsr_view_as(ctx, &y, y, rank, size));
  return tsr_ret_tensor(c, 0, y);
}

/* Powers 0 … n-1 of x along a new last dimension. */
static tsr_status powers(tsr_ctx *ctx, tsr_tensor *x, int64_t n, bool falling, tsr_tensor **out) {
  if (n > INT64_C(1) << 24) return tsr_op_nomem(ctx);
  tsr_tensor **columns = tsr_scratch(ctx, (size_t)(n + 1) * sizeof *columns), *power;
  if (columns == NULL) return tsr_op_nomem(ctx);
  TSR_TRY(tsr_new(ctx, &power, (tsr_dtype)x->dtype, x->ndim, x->size));
  TSR_TRY(tsr_fill(ctx, power, tsr_scalar_int(1)));
  for (int64_t k = 0; k < n; k++) {
    if (k > 0) TSR_TRY(tsr_binary(ctx, &power, "mul", power, x));
    columns[falling ? n - 1 - k : k] = power;
  }
  if (n > 0) return tsr_stack(ctx, out, columns, n, -1);
  int64_t size[TSR_MAX_NDIM + 1];
  TSR_TRY(tsr_check_ndim(ctx, x->ndim + 1));
  memcpy(size, x->size, x->ndim * sizeof *size);
  size[x->ndim] = 0;
  return tsr_new(ctx, out, (tsr_dtype)x->dtype, x->ndim + 1, size);
}

static tsr_status widen_ints(tsr_ctx *ctx, tsr_tensor **x) {
  return tsr_dtype_is_integral((tsr_dtype)(*x)->dtype, true) ? tsr_to_dtype(ctx, x, *x, TSR_INT64) : TSR_OK;
}

TSR_KERNEL(vander) {
  tsr_tensor *x = tsr_arg_tensor(c, 0), *y;
  if (x->ndim != 1) return tsr_op_fail(c->ctx, "x must be a one-dimensional tensor.");
  int64_t n = tsr_arg_int_or(c, 1, x->size[0]);
  if (n < 0) return tsr_op_fail(c->ctx, "N must be non-negative.");
  TSR_TRY(widen_ints(c->ctx, &x));
  TSR_TRY(powers(c->ctx, x, n, !tsr_arg_bool(c, 2), &y));
  return tsr_ret_tensor(c, 0, y);
}

TSR_KERNEL(linalg_vander) {
  tsr_tensor *x = tsr_arg_tensor(c, 0), *y;
  int64_t n = tsr_arg_int_or(c, 1, x->ndim > 0 ? x->size[x->ndim - 1] : 1);
  tsr_dtype d = (tsr_dtype)x->dtype;
  if (d == TSR_BOOL || (tsr_dtype_is_float(d) && d != TSR_FLOAT32 && d != TSR_FLOAT64))
    return tsr_op_fail(c->ctx, "linalg.vander supports floating point, complex, and integer tensors, but got %s", tsr_dtype_get_info(d)->cpp_name);
  if (n <= 1) return tsr_op_fail(c->ctx, "N must be greater than 1.");
  if (x->ndim == 0) TSR_TRY(tsr_unsqueeze(c->ctx, &x, x, 0));
  TSR_TRY(widen_ints(c->ctx, &x));
  TSR_TRY(powers(c->ctx, x, n, false, &y));
  return tsr_ret_tensor(c, 0, y);
}

/* ---- sum_to_size ---- */

TSR_KERNEL(sum_to_size) {
  tsr_ctx *ctx = c->ctx;
  tsr_tensor *x = tsr_arg_tensor(c, 0), *y;
  int64_t n, dims[TSR_MAX_NDIM], count = 0;
  const int64_t *size;
  char a[256], b[256];
  TSR_TRY(tsr_ints_arg(c, 1, &size, &n));
  bool fits = n <= x->ndim;
  int lead = x->ndim - (int)TSR_MIN(n, x->ndim);
  for (int d = 0; d < x->ndim && fits; d++) {
    int64_t want = d < lead ? 1 : size[d - lead];
    fits = d < lead || want == x->size[d] || want == 1;
    if (d < lead || (want == 1 && x->size[d] != 1)) dims[count++] = d;
  }
  if (!fits) {
    tsr_sizes_print(a, sizeof a, (int)TSR_MIN(n, 64), size);
    tsr_sizes_print(b, sizeof b, x->ndim, x->size);
    return tsr_op_fail(ctx, "size {%s} is not expandable to size {%s}.", a, b);
  }
  if (n > 0 && count == 0) return tsr_ret_tensor(c, 0, x);
  TSR_TRY(tsr_reduce(ctx, &y, "sum", x, n > 0 ? (int)count : -1, dims, true, -1)); /* also when nothing is summed: small integers widen */
  TSR_TRY(tsr_view_as(ctx, &y, y, (int)n, size));
  return tsr_ret_tensor(c, 0, y);
}

/* ---- _chunk_cat ---- */

/* The checks of the operands; *dim: the dimension, counted from the front. */
static tsr_status chunk_dim(tsr_ctx *ctx, tsr_tensor **ts, int64_t n, int64_t *dim) {
  bool alike = true;
  for (int64_t i = 0; i < n; i++) {
    if (ts[i]->numel == 0) return tsr_op_fail(ctx, "_chunk_cat expects non-empty tensor");
    if (ts[i]->dtype != ts[0]->dtype) return tsr_op_fail(ctx, "_chunk_cat expects all input tensors with the same dtype");
    alike = alike && ts[i]->ndim == ts[0]->ndim;
  }
  if (alike) TSR_TRY(tsr_wrap_dim(ctx, *dim, ts[0]->ndim, dim));
  else if (*dim < 0) return tsr_op_fail(ctx, "_chunk_cat expects non-negative dim when input tensors have different ndims");
  for (int64_t i = 0; i < n; i++)
    if (*dim >= ts[i]->ndim) return tsr_op_fail(ctx, "_chunk_cat expects dim < ndim for all input tensors");
  for (int64_t i = 0; i < n; i++)
    if (memcmp(ts[i]->size, ts[0]->size, (size_t)*dim * sizeof *ts[i]->size) != 0) return tsr_op_fail(ctx, "_chunk_cat expects same sizes of 0,...,dim-1 dimensions for all tensors");
  return TSR_OK;
}

TSR_KERNEL(chunk_cat) {
  tsr_ctx *ctx = c->ctx;
  tsr_tensor **ts, *y;
  int64_t n, dim = tsr_arg_int(c, 1), chunks = tsr_arg_int(c, 2), size[TSR_MAX_NDIM];
  TSR_TRY(tsr_tensors_arg(c, 0, &ts, &n));
  if (chunks < 1) return tsr_op_fail(ctx, "_chunk_cat expects positive num_chunks");
  if (n == 0) return tsr_op_fail(ctx, "_chunk_cat expects a non-empty input tensor list");
  TSR_TRY(chunk_dim(ctx, ts, n, &dim));
  for (int64_t i = 0; i < n; i++) {
    tsr_tensor *x = ts[i], *padded, *part;
    int64_t width = x->size[dim] / chunks + (x->size[dim] % chunks != 0), rest = 1;
    memcpy(size, x->size, x->ndim * sizeof *size);
    size[dim] = width * chunks;
    TSR_TRY(tsr_new(ctx, &padded, (tsr_dtype)x->dtype, x->ndim, size));
    TSR_TRY(tsr_fill(ctx, padded, tsr_scalar_int(0)));
    TSR_TRY(tsr_narrow(ctx, &part, padded, dim, 0, x->size[dim]));
    TSR_TRY(tsr_copy_into(ctx, part, x));
    for (int d = (int)dim + 1; d < x->ndim; d++) rest *= size[d];
    size[dim] = chunks;
    size[dim + 1] = width * rest;
    TSR_TRY(tsr_view_as(ctx, &ts[i], padded, (int)dim + 2, size));
  }
  TSR_TRY(tsr_cat_check_out(c, ts, n, dim + 1));
  TSR_TRY(tsr_cat(ctx, &y, ts, n, dim + 1));
  return tsr_ret_tensor(c, 0, y);
}

TSR_KERNEL(native_dropout_backward) {
  tsr_tensor *g = tsr_arg_tensor(c, 0), *mask = tsr_arg_tensor(c, 1), *y;
  TSR_TRY(tsr_to_dtype(c->ctx, &mask, mask, (tsr_dtype)g->dtype));
  TSR_TRY(tsr_binary_scalar(c->ctx, &mask, "mul", mask, tsr_scalar_float(tsr_arg_float(c, 2))));
  TSR_TRY(tsr_binary(c->ctx, &y, "mul", g, mask));
  return tsr_ret_tensor(c, 0, y);
}

/* ---- segment_reduce ---- */

typedef enum segment_how { SEG_SUM, SEG_MEAN, SEG_MAX, SEG_MIN, SEG_PROD } segment_how;

static double reduce_segment(segment_how how, const double *v, int64_t step, int64_t n, bool has_initial, double y) {
  for (int64_t i = 0; i < n; i++) {
    double e = v[i * step];
    switch (how) {
    case SEG_MAX: y = isnan(e) || e > y ? e : y; break;
    case SEG_MIN: y = isnan(e) || e < y ? e : y; break;
    case SEG_PROD: y *= e; break;
    default: y += e; break;
    }
  }
  if (how == SEG_MEAN && n == 0 && !has_initial) return NAN;
  return how == SEG_MEAN && n > 0 && !isnan(y) ? y / (double)n : y;
}

/* Lengths or offsets as C-ordered int64 [batch, segments (+ 1)], checked to lie inside `n`. */
static tsr_status check_segments(tsr_ctx *ctx, const int64_t *v, int64_t batch, int64_t segments, bool lengths, int64_t n, bool unsafe) {
  for (int64_t b = 0; b < batch; b++) {
    int64_t total = 0;
    for (int64_t s = 0; s < segments; s++) {
      int64_t len = lengths ? v[b * segments + s] : v[b * (segments + 1) + s + 1] - v[b * (segments + 1) + s];
      if (!lengths && (v[b * (segments + 1) + s] < 0 || v[b * (segments + 1) + s + 1] > n)) return tsr_op_fail(ctx, "segment_reduce(): offsets out of range");
      if (len < 0) return tsr_op_fail(ctx, "lengths contains negative value!");
      if (len > n - total) return tsr_op_fail(ctx, "segment_reduce(): Expected all rows of lengths along axis to sum to data.size(lengths.dim()-1) when !unsafe.");
      total += len;
    }
    if (lengths && !unsafe && total != n) return tsr_op_fail(ctx, "segment_reduce(): Expected all rows of lengths along axis to sum to data.size(lengths.dim()-1) when !unsafe.");
  }
  return TSR_OK;
}

TSR_KERNEL(segment_reduce) {
  static const struct { const char *word; double start; } words[] = {{"sum", 0}, {"mean", 0}, {"max", -INFINITY}, {"min", INFINITY}, {"prod", 1}};
  tsr_ctx *ctx = c->ctx;
  tsr_tensor *x = tsr_arg_tensor(c, 0), *lengths = tsr_arg_opt_tensor(c, 2), *offsets = tsr_arg_opt_tensor(c, 4), *wide, *marks, *y;
  const char *word = tsr_arg_str(c, 1)->bytes;
  int64_t axis, size[TSR_MAX_NDIM];
  int how = 0;
  void *p;
  while (how < 5 && strcmp(words[how].word, word) != 0) how++;
  if (how == 5) return tsr_op_fail(ctx, "unsupported reduction given! %s", word);
  TSR_TRY(tsr_wrap_dim(ctx, tsr_arg_int(c, 5), x->ndim, &axis));
  if (x->numel == 0 || x->ndim == 0) return tsr_op_fail(ctx, "segment_reduce(): expected non-empty data");
  if (!tsr_dtype_is_float((tsr_dtype)x->dtype)) return tsr_op_fail(ctx, "\"_segment_reduce_cpu\" not implemented for '%s'", tsr_dtype_get_info(x->dtype)->cpp_name);
  marks = offsets != NULL ? offsets : lengths;
  if (marks == NULL) return tsr_op_fail(ctx, "segment_reduce(): Either lengths or offsets must be defined.");
  if (marks->ndim != axis + 1) return tsr_op_fail(ctx, "segment_reduce(): Expected axis to be the last dimension of lengths or offsets");
  if (marks->dtype != TSR_INT64 && marks->dtype != TSR_INT32)
    return tsr_op_fail(ctx, "\"_segment_reduce_%s_cpu_kernel1\" not implemented for '%s'", offsets != NULL ? "offsets" : "lengths", tsr_dtype_get_info(marks->dtype)->cpp_name);
  TSR_TRY(tsr_index_ready(ctx, &marks, marks));
  int64_t segments = marks->size[axis] - (offsets != NULL), batch = 1, inner = 1, n = x->size[axis];
  if (segments < 0) return tsr_op_fail(ctx, "segment_reduce(): offsets must have at least one element");
  for (int d = 0; d < x->ndim; d++) {
    size[d] = d == axis ? segments : x->size[d];
    if (d < axis && marks->size[d] != x->size[d]) return tsr_op_fail(ctx, "segment_reduce(): batch dimensions of data and segments differ");
    if (d < axis) batch *= x->size[d];
    if (d > axis) inner *= x->size[d];
  }
  const int64_t *v = tsr_tensor_data_ro(marks);
  TSR_TRY(check_segments(ctx, v, batch, segments, offsets == NULL, n, tsr_arg_bool(c, 6)));
  TSR_TRY(tsr_ready(ctx, &wide, x, TSR_FLOAT64));
  TSR_TRY(tsr_new(ctx, &y, TSR_FLOAT64, x->ndim, size));
  TSR_TRY(tsr_data_mut(ctx, y, &p));
  bool has_initial = !tsr_arg_is_none(c, 7);
  double start = has_initial ? tsr_arg_scalar(c, 7).z.re : words[how].start;
  for (int64_t b = 0; b < batch; b++) {
    int64_t at = 0;
    for (int64_t s = 0; s < segments; s++) {
      int64_t begin = offsets != NULL ? v[b * (segments + 1) + s] : at, len = offsets != NULL ? v[b * (segments + 1) + s + 1] - begin : v[b * segments + s];
      for (int64_t k = 0; k < inner; k++)
        ((double *)p)[(b * segments + s) * inner + k] =
            reduce_segment((segment_how)how, (const double *)tsr_tensor_data_ro(wide) + (b * n + begin) * inner + k, inner, len, has_initial, start);
      at += len;
    }
  }
  TSR_TRY(tsr_to_dtype(ctx, &y, y, (tsr_dtype)x->dtype));
  return tsr_ret_tensor(c, 0, y);
}

const tsr_op tsr_ops_shape_math[] = {
    {"aten::repeat_interleave.Tensor(Tensor repeats, *, SymInt? output_size=None) -> Tensor",
     op_repeat_positions, TSR_PURE},
    {"aten::repeat_interleave.Tensor_out(Tensor repeats, *, SymInt? output_size=None, Tensor(a!) out) -> Tensor(a!)",
     op_repeat_positions, TSR_OUT_NEW},
    {"aten::repeat_interleave.self_Tensor(Tensor self, Tensor repeats, int? dim=None, *, SymInt? output_size=None) -> Tensor",
     op_repeat_interleave, TSR_PURE},
    {"aten::repeat_interleave.self_int(Tensor self, SymInt repeats, int? dim=None, *, SymInt? output_size=None) -> Tensor",
     op_repeat_interleave, TSR_PURE},
    {"aten::trace(Tensor self) -> Tensor",
     op_trace, TSR_PURE},
    {"aten::trace.out(Tensor self, *, Tensor(a!) out) -> Tensor(a!)",
     op_trace, TSR_OUT_NEW},
    {"aten::diff(Tensor self, int n=1, int dim=-1, Tensor? prepend=None, Tensor? append=None) -> Tensor",
     op_diff, TSR_PURE},
    {"aten::diff.out(Tensor self, int n=1, int dim=-1, Tensor? prepend=None, Tensor? append=None, *, Tensor(a!) out) -> Tensor(a!)",
     op_diff, TSR_OUT},
    {"aten::kron(Tensor self, Tensor other) -> Tensor",
     op_kron, TSR_PURE},
    {"aten::kron.out(Tensor self, Tensor other, *, Tensor(a!) out) -> Tensor(a!)",
     op_kron, TSR_OUT_PLAIN},
    {"aten::vander(Tensor x, int? N=None, bool increasing=False) -> Tensor",
     op_vander, TSR_PURE},
    {"aten::linalg_vander(Tensor x, *, SymInt? N=None) -> Tensor",
     op_linalg_vander, TSR_PURE},
    {"aten::sum_to_size(Tensor self, SymInt[] size) -> Tensor",
     op_sum_to_size, TSR_PURE},
    {"aten::_chunk_cat(Tensor[] tensors, int dim, int num_chunks) -> Tensor",
     op_chunk_cat, TSR_PURE},
    {"aten::_chunk_cat.out(Tensor[] tensors, int dim, int num_chunks, *, Tensor(a!) out) -> Tensor(a!)",
     op_chunk_cat, TSR_OUT},
    {"aten::native_dropout_backward(Tensor grad_output, Tensor mask, float scale) -> Tensor",
     op_native_dropout_backward, TSR_PURE},
    {"aten::native_dropout_backward.out(Tensor grad_output, Tensor mask, float scale, *, Tensor(a!) out) -> Tensor(a!)",
     op_native_dropout_backward, TSR_OUT_NEW},
    {"aten::segment_reduce(Tensor data, str reduce, *, Tensor? lengths=None, Tensor? indices=None, Tensor? offsets=None, int axis=0, bool unsafe=False, Scalar? initial=None) -> Tensor",
     op_segment_reduce, TSR_PURE},
    {"aten::segment_reduce.out(Tensor data, str reduce, *, Tensor? lengths=None, Tensor? indices=None, Tensor? offsets=None, int axis=0, bool unsafe=False, Scalar? initial=None, Tensor(a!) out) -> Tensor(a!)",
     op_segment_reduce, TSR_OUT_NEW},
    {0},
};
