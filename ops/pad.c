/* Padding: constant, reflect, replicate and circular, of any rank; pad_sequence.
 *
 * Every mode is a map from output to source positions along each dimension (-1: the fill value), so
 * one copier serves all: it walks the output in memory order, copies the unpadded middle of the last
 * padded dimension in one run and the borders element by element. */
#include "ops/conv.h"
#include "ops/native.h"
#include "ops/shape.h"

typedef enum pad_mode { PAD_REFLECT, PAD_REPLICATE, PAD_CIRCULAR, PAD_CONSTANT } pad_mode;

/* Source position of output position i. */
static int64_t source_of(pad_mode mode, int64_t i, int64_t before, int64_t after, int64_t size) {
  int64_t at = i - before, crop = TSR_MAX(-before, 0), kept = size - crop - TSR_MAX(-after, 0);
  switch (mode) {
  case PAD_CONSTANT: return at < 0 || at >= size ? -1 : at;
  case PAD_REPLICATE: return at < 0 ? 0 : at >= size ? size - 1 : at;
  case PAD_CIRCULAR: /* what negative padding cuts off takes no part in the wrapping */
    at = (i - TSR_MAX(before, 0)) % kept;
    return crop + (at < 0 ? at + kept : at);
  default:
    if (at < 0) at = -at;
    return at >= size ? 2 * (size - 1) - at : at;
  }
}

/* A piece of a row: `count` positions from `from` in the source (-1: filled) at `at`. */
typedef struct pad_piece { int64_t at, from, count; } pad_piece;

typedef struct pad_job {
  char *out;
  const char *in, *fill;
  int last;                        /* last padded dimension, in memory order */
  size_t item, run;                /* run: bytes of one position of dimension `last` */
  const int64_t *size, *in_size;   /* in memory order */
  int64_t *const *map;
  const pad_piece *pieces;         /* of dimension `last` */
  int64_t piece_count;
} pad_job;

static void fill_bytes(char *out, const char *fill, size_t item, size_t bytes) {
  if (bytes == 0) return;
  memcpy(out, fill, item);
  for (size_t done = item; done < bytes;) {
    size_t len = TSR_MIN(done, bytes - done);
    memcpy(out + done, out, len);
    done += len;
  }
}

/* Positions that follow each other in the source are one piece, and so are filled neighbours. */
static int64_t cut_pieces(const int64_t *map, int64_t n, pad_piece *out) {
  int64_t count = 0;
  for (int64_t i = 0; i < n; i++) {
    pad_piece *last = count > 0 ? &out[count - 1] : NULL;
    bool grows = last != NULL && (map[i] < 0 ? last->from < 0 : last->from >= 0 && map[i] == last->from + last->count);
    if (grows) last->count++;
    else out[count++] = (pad_piece){i, map[i], 1};
  }
  return count;
}

static void pad_row(const pad_job *j, char *out, const char *in) {
  for (const pad_piece *p = j->pieces; p < j->pieces + j->piece_count; p++) {
    char *to = out + (size_t)p->at * j->run;
    size_t bytes = (size_t)p->count * j->run;
    if (j->run == 4 && p->count == 1) memcpy(to, p->from < 0 ? j->fill : in + (size_t)p->from * 4, 4);
    else if (p->from < 0) fill_bytes(to, j->fill, j->item, bytes);
    else memcpy(to, in + (size_t)p->from * j->run, bytes);
  }
}

static void pad_rows(void *arg, int64_t begin, int64_t end) {
  const pad_job *j = arg;
  size_t out_row = (size_t)j->size[j->last] * j->run, in_row = (size_t)j->in_size[j->last] * j->run;
  for (int64_t r = begin; r < end; r++) {
    int64_t rest = r, from = 0, unit = 1;
    bool outside = false;
    for (int d = j->last - 1; d >= 0; d--) {
      int64_t at = j->map[d][rest % j->size[d]];
      outside = outside || at < 0;
      from += at * unit;
      unit *= j->in_size[d];
      rest /= j->size[d];
    }
    char *out = j->out + (size_t)r * out_row;
    if (outside) fill_bytes(out, j->fill, j->item, out_row);
    else pad_row(j, out, j->in + (size_t)from * in_row);
  }
}

/* before/after: padding of each dimension of x. */
static tsr_status pad_tensor(tsr_ctx *ctx, tsr_tensor **out, tsr_tensor *x, pad_mode mode, const int64_t *before, const int64_t *after, const void *fill) {
  int64_t size[TSR_MAX_NDIM], stride[TSR_MAX_NDIM], order[TSR_MAX_NDIM], osize[TSR_MAX_NDIM], *map[TSR_MAX_NDIM];
  int n = x->ndim, last = 0;
  bool channels_last = mode != PAD_CIRCULAR && tsr_conv_suggests_last(x->ndim, x->size, x->stride);
  for (int d = 0; d < n; d++) size[d] = x->size[d] + before[d] + after[d];
  if (channels_last) {
    tsr_strides_channels_last(n, size, stride);
    TSR_TRY(tsr_new_strided(ctx, out, (tsr_dtype)x->dtype, n, size, stride));
  } else {
    TSR_TRY(tsr_new(ctx, out, (tsr_dtype)x->dtype, n, size));
  }
  if ((*out)->numel == 0) return TSR_OK;
  for (int d = 0; d < n; d++) order[d] = !channels_last || d == 0 ? d : d == n - 1 ? 1 : d + 1;
  TSR_TRY(tsr_permute(ctx, &x, x, order));
  TSR_TRY(tsr_contiguous(ctx, &x, x));
  for (int k = 0; k < n; k++) {
    int64_t d = order[k];
    osize[k] = size[d];
    if (before[d] != 0 || after[d] != 0) last = k;
    map[k] = tsr_scratch(ctx, (size_t)osize[k] * sizeof **map);
    if (map[k] == NULL) return tsr_op_nomem(ctx);
    for (int64_t i = 0; i < osize[k]; i++) map[k][i] = source_of(mode, i, before[d], after[d], x->size[k]);
  }
  void *data;
  TSR_TRY(tsr_data_mut(ctx, *out, &data));
  size_t item = tsr_tensor_itemsize(x), run = item;
  int64_t rows = 1;
  for (int k = 0; k < n; k++) {
    if (k < last) rows *= osize[k];
    if (k > last) run *= (size_t)osize[k];
  }
  pad_piece *pieces = tsr_scratch(ctx, (size_t)osize[last] * sizeof *pieces);
  if (pieces == NULL) return tsr_op_nomem(ctx);
  pad_job j = {data, tsr_tensor_data_ro(x), fill, last, item, run, osize, x->size, map, pieces, cut_pieces(map[last], osize[last], pieces)};
  tsr_parallel_for(ctx, rows, (int64_t)((1 << 17) / (run * (size_t)osize[last]) + 1), pad_rows, &j);
  return TSR_OK;
}

/* Pairs (before, after) from the last dimension on become one pair a dimension. */
static void spread_pairs(const tsr_tensor *x, int64_t n, const int64_t *pad, int64_t *before, int64_t *after) {
  memset(before, 0, x->ndim * sizeof *before);
  memset(after, 0, x->ndim * sizeof *after);
  for (int64_t i = 0; i < n / 2; i++) {
    before[x->ndim - 1 - i] = pad[2 * i];
    after[x->ndim - 1 - i] = pad[2 * i + 1];
  }
}

static tsr_status pad_constant(tsr_ctx *ctx, tsr_tensor **out, tsr_tensor *x, int64_t n, const int64_t *pad, tsr_scalar value) {
  int64_t before[TSR_MAX_NDIM], after[TSR_MAX_NDIM];
  tsr_tensor *fill;
  if (n % 2 != 0) return tsr_op_fail(ctx, "Length of pad must be even but instead it equals %lld", (long long)n);
  if (n > 2 * x->ndim)
    return tsr_op_fail(ctx, "Length of pad should be no more than twice the number of dimensions of the input. Pad length is %lldwhile the input has %ddimensions.",
                       (long long)n, x->ndim);
  spread_pairs(x, n, pad, before, after);
  for (int d = x->ndim - 1; d >= 0; d--) {
    int64_t kept;
    bool overflow = tsr_add_overflow(x->size[d], before[d], &kept) || tsr_add_overflow(kept, after[d], &kept);
    if (overflow) return tsr_op_nomem(ctx);
    if (x->size[d] + TSR_MIN(before[d], 0) + TSR_MIN(after[d], 0) < 0) return tsr_op_fail(ctx, "narrow(): length must be non-negative.");
    if (kept < 0)
      return tsr_op_fail(ctx, "The input size %lld, plus negative padding %lld and %lld resulted in a negative output size, which is invalid. Check dimension %d of your input.",
                         (long long)x->size[d], (long long)before[d], (long long)after[d], d);
  }
  bool crops = true;
  for (int64_t i = 0; i < n; i++) crops = crops && pad[i] <= 0;
  for (int d = 0; crops && d < x->ndim; d++) TSR_TRY(tsr_narrow(ctx, &x, x, d, -before[d], x->size[d] + before[d] + after[d]));
  if (crops) return tsr_clone(ctx, out, x);
  TSR_TRY(tsr_new_scalar(ctx, &fill, (tsr_dtype)x->dtype, value));
  return pad_tensor(ctx, out, x, PAD_CONSTANT, before, after, tsr_tensor_data_ro(fill));
}

/* Ranks and sizes that reflection and replication pads of `dims` dimensions take. */
static tsr_status check_rank(tsr_ctx *ctx, const tsr_tensor *x, int dims) {
  char text[256];
  bool fits = x->ndim == dims + 1 || x->ndim == dims + 2;
  for (int d = x->ndim == dims + 2 ? 1 : 0; fits && d < x->ndim; d++) fits = x->size[d] != 0;
  if (fits) return TSR_OK;
  tsr_sizes_print(text, sizeof text, x->ndim, x->size);
  return tsr_op_fail(ctx, "Expected %dD or %dD (batch mode) tensor with possibly 0 batch size and other non-zero dimensions for input, but got: %s", dims + 1,
                     dims + 2, text);
}

static tsr_status check_reflection(tsr_ctx *ctx, const tsr_tensor *x, int dims, const int64_t *before, const int64_t *after) {
  char text[256];
  tsr_sizes_print(text, sizeof text, x->ndim, x->size);
  for (int i = 0; i < dims; i++) {
    int d = x->ndim - 1 - i;
    if (before[d] >= x->size[d] || after[d] >= x->size[d])
      return tsr_op_fail(ctx, "Argument #%d: Padding size should be less than the corresponding input dimension, but got: padding (%lld, %lld) at dimension %d of input %s",
                         4 + 2 * i, (long long)before[d], (long long)after[d], d, text);
  }
  return TSR_OK;
}

static tsr_status too_small(tsr_ctx *ctx, const tsr_tensor *x, int dims, const int64_t *before, const int64_t *after) {
  int64_t out[3] = {1, 1, 1}, have[3] = {0, 0, 0};
  for (int i = 0; i < dims; i++) {
    int d = x->ndim - 1 - i;
    have[i] = x->size[d];
    out[i] = x->size[d] + before[d] + after[d];
  }
  if (out[0] >= 1 && out[1] >= 1 && out[2] >= 1) return TSR_OK;
  if (dims == 1) return tsr_op_fail(ctx, "input (W: %lld) is too small. Calculated output W: %lld", (long long)have[0], (long long)out[0]);
  if (dims == 2)
    return tsr_op_fail(ctx, "input (H: %lld, W: %lld) is too small. Calculated output H: %lld W: %lld", (long long)have[1], (long long)have[0],
                       (long long)out[1], (long long)out[0]);
  return tsr_op_fail(ctx, "input (D: %lld H: %lld, W: %lld) is too small. Calculated output D: %lld H: %lld W: %lld", (long long)have[2],
                     (long long)have[1], (long long)have[0], (long long)out[2], (long long)out[1], (long long)out[0]);
}

/* Bounds on each padding number, so that sums of them and sizes cannot overflow. */
static tsr_status check_amounts(tsr_ctx *ctx, int64_t n, const int64_t *pad) {
  for (int64_t i = 0; i < n; i++)
    if (pad[i] > INT64_C(1) << 50 || pad[i] < -(INT64_C(1) << 50)) return tsr_op_nomem(ctx);
  return TSR_OK;
}

static tsr_status pad_edges(tsr_ctx *ctx, tsr_tensor **out, tsr_tensor *x, pad_mode mode, int64_t n, const int64_t *pad, int dims) {
  int64_t before[TSR_MAX_NDIM], after[TSR_MAX_NDIM];
  if (n != 2 * dims) return tsr_op_fail(ctx, "padding size is expected to be %d, but got: %lld", 2 * dims, (long long)n);
  TSR_TRY(check_rank(ctx, x, dims));
  if (x->dtype == TSR_BOOL) return tsr_op_fail(ctx, "\"%s_pad%dd\" not implemented for 'Bool'", mode == PAD_REFLECT ? "reflection" : "replication", dims);
  TSR_TRY(check_amounts(ctx, n, pad));
  spread_pairs(x, n, pad, before, after);
  if (mode == PAD_REFLECT) TSR_TRY(check_reflection(ctx, x, dims, before, after));
  TSR_TRY(too_small(ctx, x, dims, before, after));
  return pad_tensor(ctx, out, x, mode, before, after, NULL);
}

static tsr_status pad_circular(tsr_ctx *ctx, tsr_tensor **out, tsr_tensor *x, int64_t n, const int64_t *pad) {
  int64_t before[TSR_MAX_NDIM], after[TSR_MAX_NDIM], dims = n / 2;
  if (dims + 2 < x->ndim || dims > x->ndim)
    return tsr_op_fail(ctx, "Invalid padding size, expected %d but got %lld", (x->ndim - 2) * 2, (long long)n);
  TSR_TRY(check_amounts(ctx, n, pad));
  spread_pairs(x, n, pad, before, after);
  for (int d = 0; d < x->ndim; d++) {
    if (before[d] > x->size[d] || after[d] > x->size[d]) return tsr_op_fail(ctx, "Padding value causes wrapping around more than once.");
    int64_t kept = x->size[d] + TSR_MIN(before[d], 0) + TSR_MIN(after[d], 0), total = x->size[d] + before[d] + after[d];
    if (total < 0 || (kept <= 0 && total > 0)) return tsr_op_fail(ctx, "Negative padding value is resulting in an empty dimension");
  }
  return pad_tensor(ctx, out, x, PAD_CIRCULAR, before, after, NULL);
}

static tsr_status pad_by_mode(tsr_call *c, int64_t mode, const char *name, uint32_t value_at) {
  tsr_ctx *ctx = c->ctx;
  tsr_tensor *x = tsr_arg_tensor(c, 0), *y;
  int64_t n;
  const int64_t *pad;
  TSR_TRY(tsr_ints_arg(c, 1, &pad, &n));
  if (n % 2 != 0) return tsr_op_fail(ctx, "Padding length must be divisible by 2");
  if (n > 2 * x->ndim)
    return tsr_op_fail(ctx, "Padding length should be less than or equal to two times the input dimension but got padding length %lld and input of dimension %d",
                       (long long)n, x->ndim);
  if (mode == PAD_CONSTANT) {
    TSR_TRY(check_amounts(ctx, n, pad));
    TSR_TRY(pad_constant(ctx, &y, x, n, pad, tsr_scalar_float(tsr_arg_is_none(c, value_at) ? 0 : tsr_arg_float(c, value_at))));
    return tsr_ret_tensor(c, 0, y);
  }
  if (!tsr_arg_is_none(c, value_at) && tsr_arg_float(c, value_at) != 0)
    return tsr_op_fail(ctx, "Padding mode \"%s\" doesn't take in value argument", name);
  bool fits = (n == 2 && (x->ndim == 2 || x->ndim == 3)) || (n == 4 && (x->ndim == 3 || x->ndim == 4)) || (n == 6 && (x->ndim == 4 || x->ndim == 5));
  if (!fits || mode < 0 || mode > PAD_CONSTANT)
    return tsr_op_fail(ctx, "Padding size %lld is not supported for %dD input tensor.\nOnly 2D, 3D, 4D, 5D padding with non-constant padding are supported for now",
                       (long long)n, x->ndim);
  if (mode == PAD_CIRCULAR) TSR_TRY(pad_circular(ctx, &y, x, n, pad));
  else TSR_TRY(pad_edges(ctx, &y, x, (pad_mode)mode, n, pad, (int)(n / 2)));
  return tsr_ret_tensor(c, 0, y);
}

static const char *const mode_names[] = {"reflect", "replicate", "circular", "constant"};

TSR_KERNEL(pad) {
  const char *name = tsr_arg_str(c, 2)->bytes;
  for (int i = 0; i < 4; i++)
    if (strcmp(name, mode_names[i]) == 0) return pad_by_mode(c, i, name, 3);
  return tsr_op_fail(c->ctx, "Unrecognised padding mode %s", name);
}

TSR_KERNEL(pad_enum) {
  int64_t mode = tsr_arg_int(c, 2);
  return pad_by_mode(c, mode, mode >= 0 && mode < 4 ? mode_names[mode] : "", 3);
}

TSR_KERNEL(pad_constant) {
  int64_t n;
  const int64_t *pad;
  tsr_tensor *y;
  TSR_TRY(tsr_ints_arg(c, 1, &pad, &n));
  TSR_TRY(check_amounts(c->ctx, n, pad));
  TSR_TRY(pad_constant(c->ctx, &y, tsr_arg_tensor(c, 0), n, pad, tsr_arg_scalar(c, 2)));
  return tsr_ret_tensor(c, 0, y);
}

TSR_KERNEL(pad_circular) {
  int64_t n;
  const int64_t *pad;
  tsr_tensor *y;
  TSR_TRY(tsr_ints_arg(c, 1, &pad, &n));
  TSR_TRY(pad_circular(c->ctx, &y, tsr_arg_tensor(c, 0), n, pad));
  return tsr_ret_tensor(c, 0, y);
}

typedef struct edge_pad { pad_mode mode; int dims; } edge_pad;
static const edge_pad reflect1 = {PAD_REFLECT, 1}, reflect2 = {PAD_REFLECT, 2}, reflect3 = {PAD_REFLECT, 3},
                      replicate1 = {PAD_REPLICATE, 1}, replicate2 = {PAD_REPLICATE, 2}, replicate3 = {PAD_REPLICATE, 3};

TSR_KERNEL(pad_edges) {
  const edge_pad *how = c->op->data;
  int64_t n;
  const int64_t *pad;
  tsr_tensor *y;
  TSR_TRY(tsr_ints_arg(c, 1, &pad, &n));
  TSR_TRY(pad_edges(c->ctx, &y, tsr_arg_tensor(c, 0), how->mode, n, pad, how->dims));
  return tsr_ret_tensor(c, 0, y);
}

TSR_KERNEL(pad_sequence) {
  tsr_ctx *ctx = c->ctx;
  int64_t n, longest = 0, size[TSR_MAX_NDIM];
  tsr_tensor **ts, *y, *part;
  bool batch_first = tsr_arg_bool(c, 1);
  const char *side = tsr_arg_str(c, 3)->bytes;
  TSR_TRY(tsr_tensors_arg(c, 0, &ts, &n));
  if (n == 0) return tsr_op_fail(ctx, "received an empty list of sequences");
  bool left = strcmp(side, "left") == 0;
  if (!left && strcmp(side, "right") != 0) return tsr_op_fail(ctx, "Expected padding_side to be one of left or right, but got %s.", side);
  if (ts[0]->ndim == 0) return tsr_op_fail(ctx, "Dimension specified as 0 but tensor has no dimensions");
  TSR_TRY(tsr_check_ndim(ctx, ts[0]->ndim + 1));
  for (int64_t i = 0; i < n; i++) {
    if (ts[i]->ndim == 0) return tsr_op_fail(ctx, "Dimension specified as 0 but tensor has no dimensions");
    longest = TSR_MAX(longest, ts[i]->size[0]);
  }
  size[batch_first ? 0 : 1] = n;
  size[batch_first ? 1 : 0] = longest;
  for (int d = 1; d < ts[0]->ndim; d++) size[d + 1] = ts[0]->size[d];
  TSR_TRY(tsr_new(ctx, &y, (tsr_dtype)ts[0]->dtype, ts[0]->ndim + 1, size));
  TSR_TRY(tsr_fill(ctx, y, tsr_scalar_float(tsr_arg_float(c, 2))));
  for (int64_t i = 0; i < n; i++) {
    TSR_TRY(tsr_select(ctx, &part, y, batch_first ? 0 : 1, i));
    TSR_TRY(tsr_narrow(ctx, &part, part, 0, left ? longest - ts[i]->size[0] : 0, ts[i]->size[0]));
    TSR_TRY(tsr_copy_into(ctx, part, ts[i]));
  }
  return tsr_ret_tensor(c, 0, y);
}

const tsr_op tsr_ops_pad[] = {
    {"aten::pad(Tensor self, SymInt[] pad, str mode=\"constant\", float? value=None) -> Tensor",
     op_pad, TSR_PURE | TSR_ANY_ORDER},
    {"aten::_pad_enum(Tensor self, SymInt[] pad, int mode, float? value=None) -> Tensor",
     op_pad_enum, TSR_PURE},
    {"aten::constant_pad_nd(Tensor self, SymInt[] pad, Scalar value=0) -> Tensor",
     op_pad_constant, TSR_PURE | TSR_ANY_ORDER},
    {"aten::constant_pad_nd.out(Tensor self, SymInt[] pad, Scalar value=0, *, Tensor(a!) out) -> Tensor(a!)",
     op_pad_constant, TSR_OUT_NEW},
    {"aten::_pad_circular(Tensor self, SymInt[] pad) -> Tensor",
     op_pad_circular, TSR_PURE},
    {"aten::reflection_pad1d(Tensor self, SymInt[2] padding) -> Tensor",
     op_pad_edges, TSR_PURE, &reflect1},
    {"aten::reflection_pad1d.out(Tensor self, SymInt[2] padding, *, Tensor(a!) out) -> Tensor(a!)",
     op_pad_edges, TSR_OUT_SAME, &reflect1},
    {"aten::reflection_pad2d(Tensor self, SymInt[4] padding) -> Tensor",
     op_pad_edges, TSR_PURE | TSR_ANY_ORDER, &reflect2},
    {"aten::reflection_pad2d.out(Tensor self, SymInt[4] padding, *, Tensor(a!) out) -> Tensor(a!)",
     op_pad_edges, TSR_OUT_ACCESS, &reflect2},
    {"aten::reflection_pad3d(Tensor self, SymInt[6] padding) -> Tensor",
     op_pad_edges, TSR_PURE, &reflect3},
    {"aten::reflection_pad3d.out(Tensor self, SymInt[6] padding, *, Tensor(a!) out) -> Tensor(a!)",
     op_pad_edges, TSR_OUT_SAME, &reflect3},
    {"aten::replication_pad1d(Tensor self, SymInt[2] padding) -> Tensor",
     op_pad_edges, TSR_PURE, &replicate1},
    {"aten::replication_pad1d.out(Tensor self, SymInt[2] padding, *, Tensor(a!) out) -> Tensor(a!)",
     op_pad_edges, TSR_OUT_SAME, &replicate1},
    {"aten::replication_pad2d(Tensor self, SymInt[4] padding) -> Tensor",
     op_pad_edges, TSR_PURE | TSR_ANY_ORDER, &replicate2},
    {"aten::replication_pad2d.out(Tensor self, SymInt[4] padding, *, Tensor(a!) out) -> Tensor(a!)",
     op_pad_edges, TSR_OUT_SAME, &replicate2},
    {"aten::replication_pad3d(Tensor self, SymInt[6] padding) -> Tensor",
     op_pad_edges, TSR_PURE, &replicate3},
    {"aten::replication_pad3d.out(Tensor self, SymInt[6] padding, *, Tensor(a!) out) -> Tensor(a!)",
     op_pad_edges, TSR_OUT_SAME, &replicate3},
    {"aten::pad_sequence(Tensor[] sequences, bool batch_first=False, float padding_value=0., str padding_side=\"right\") -> Tensor",
     op_pad_sequence, TSR_PURE},
    {0},
};
