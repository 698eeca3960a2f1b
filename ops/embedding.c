/* Look-up tables: embedding, embedding_bag, embedding_renorm_, one_hot. */
#include <math.h>
#include <stdio.h>

#include "ops/index_run.h"
#include "ops/native.h"
#include "ops/shape.h"

static tsr_status check_index_type(tsr_ctx *ctx, const tsr_tensor *idx, int number, const char *op) {
  char buf[64];
  if (idx->dtype == TSR_INT64 || idx->dtype == TSR_INT32) return TSR_OK;
  return tsr_op_fail(ctx, "Expected tensor for argument #%d 'indices' to have one of the following scalar types: Long, Int; but got %s instead (while checking arguments for %s)",
                     number, tsr_dtype_class_print(buf, sizeof buf, (tsr_dtype)idx->dtype), op);
}

static tsr_status check_rows(tsr_ctx *ctx, const tsr_tensor *idx, int64_t rows) {
  const int64_t *v = tsr_tensor_data_ro(idx);
  bool bad = false;
  for (int64_t i = 0; i < idx->numel; i++) bad |= v[i] < 0 || v[i] >= rows;
  return bad ? tsr_op_fail(ctx, "index out of range in self") : TSR_OK;
}

typedef struct lookup { char *out; const char *table; const int64_t *idx; size_t row; } lookup;

static void copy_rows(void *arg, int64_t begin, int64_t end) {
  const lookup *j = arg;
  for (int64_t i = begin; i < end; i++) memcpy(j->out + (size_t)i * j->row, j->table + (size_t)j->idx[i] * j->row, j->row);
}

TSR_KERNEL(embedding) {
  tsr_ctx *ctx = c->ctx;
  tsr_tensor *w = tsr_arg_tensor(c, 0), *idx = tsr_arg_tensor(c, 1), *y;
  int64_t size[TSR_MAX_NDIM];
  void *out;
  if (w->ndim != 2) return tsr_op_fail(ctx, "'weight' must be 2-D");
  TSR_TRY(check_index_type(ctx, idx, 1, "embedding"));
  TSR_TRY(tsr_check_ndim(ctx, idx->ndim + 1));
  TSR_TRY(tsr_index_ready(ctx, &idx, idx));
  TSR_TRY(check_rows(ctx, idx, w->size[0]));
  TSR_TRY(tsr_contiguous(ctx, &w, w));
  memcpy(size, idx->size, idx->ndim * sizeof *size);
  size[idx->ndim] = w->size[1];
  TSR_TRY(tsr_new(ctx, &y, (tsr_dtype)w->dtype, idx->ndim + 1, size));
  TSR_TRY(tsr_data_mut(ctx, y, &out));
  lookup j = {out, tsr_tensor_data_ro(w), tsr_tensor_data_ro(idx), (size_t)w->size[1] * tsr_tensor_itemsize(w)};
  if (j.row > 0) tsr_parallel_for(ctx, idx->numel, (int64_t)((1 << 17) / j.row + 1), copy_rows, &j);
  return tsr_ret_tensor(c, 0, y);
}

/* PyTorch goes through the indices in order of size; negative ones count from the end. */
static tsr_status check_renorm(tsr_ctx *ctx, const tsr_tensor *w, const tsr_tensor *idx) {
  const int64_t *v = tsr_tensor_data_ro(idx);
  int64_t least = v[0], beyond = INT64_MAX;
  bool high = false;
  for (int64_t i = 0; i < idx->numel; i++) {
    least = TSR_MIN(least, v[i]);
    if (v[i] < w->size[0]) continue;
    high = true;
    beyond = TSR_MIN(beyond, v[i]);
  }
  bool low = least < -w->size[0], whole = !tsr_dtype_is_float((tsr_dtype)w->dtype) && !tsr_dtype_is_complex((tsr_dtype)w->dtype);
  if (!low && whole && least < w->size[0])
    return tsr_op_fail(ctx, "norm(): input dtype should be either floating point or complex. Got %s instead.", tsr_dtype_get_info(w->dtype)->cpp_name);
  if (!low && !high) return TSR_OK;
  return tsr_op_fail(ctx, "select(): index %lld out of range for tensor of size [%lld, %lld] at dimension 0", (long long)(low ? least : beyond),
                     (long long)w->size[0], (long long)w->size[1]);
}

/* Rows named by indices are scaled down to max_norm, each once. */
TSR_KERNEL(embedding_renorm) {
  tsr_ctx *ctx = c->ctx;
  tsr_tensor *w = tsr_arg_tensor(c, 0), *idx = tsr_arg_tensor(c, 1), *wide;
  double max_norm = tsr_arg_float(c, 2), p = tsr_arg_float(c, 3);
  void *data;
  if (w->ndim != 2) return tsr_op_fail(ctx, "Expected 2-dimensional tensor, but got %d-dimensional tensor for argument #1 'self' (while checking arguments for embedding_renorm_)", w->ndim);
  TSR_TRY(check_index_type(ctx, idx, 2, "embedding_renorm_"));
  TSR_TRY(tsr_index_ready(ctx, &idx, idx));
  if (idx->numel == 0) return tsr_ret_tensor(c, 0, w);
  TSR_TRY(check_renorm(ctx, w, idx));
  if (tsr_dtype_is_complex((tsr_dtype)w->dtype)) return tsr_fail(&ctx->err, TSR_EUNSUPPORTED, "embedding_renorm_ of complex rows");
  TSR_TRY(tsr_ready(ctx, &wide, w, TSR_FLOAT64));
  if (wide == w) TSR_TRY(tsr_clone(ctx, &wide, w));
  TSR_TRY(tsr_data_mut(ctx, wide, &data));
  const int64_t *v = tsr_tensor_data_ro(idx);
  uint8_t *done = tsr_scratch(ctx, (size_t)w->size[0] + 1);
  if (done == NULL) return tsr_op_nomem(ctx);
  for (int64_t i = 0; i < idx->numel; i++) {
    int64_t at = v[i] < 0 ? v[i] + w->size[0] : v[i];
    double *row = (double *)data + at * w->size[1], norm = 0;
    if (done[at]++) continue;
    for (int64_t k = 0; k < w->size[1]; k++) {
      double a = fabs(row[k]);
      norm = isinf(p) ? fmax(norm, a) : norm + (p == 0 ? a != 0 : pow(a, p)); /* 0: how many are not zero */
    }
    if (!isinf(p) && p != 0) norm = pow(norm, 1 / p);
    if (!(norm > max_norm)) continue;
    double scale = max_norm / (norm + 1e-7);
    for (int64_t k = 0; k < w->size[1]; k++) row[k] *= scale;
  }
  TSR_TRY(tsr_copy_into(ctx, w, wide));
  return tsr_ret_tensor(c, 0, w);
}

/* ---- embedding_bag ---- */

typedef enum bag_mode { BAG_SUM, BAG_MEAN, BAG_MAX } bag_mode;

typedef struct bags {
  bag_mode mode;
  tsr_tensor *w, *idx, *offsets, *weights; /* weights of the samples, or NULL */
  int64_t padding, count, width, rows;
  bool last;                               /* the last offset only ends a bag */
  bool fast;                               /* PyTorch has a kernel that reads bags by their offsets; others read all indices */
} bags;

typedef struct bag_kind { bool wraps_padding, trains; } bag_kind; /* of a row: negative padding_idx counts from the end; sizes are those for a gradient */
static const bag_kind checked_bags = {true, false}, training_bags = {false, true}, plain_bags = {false, false};

static tsr_status check_ends(tsr_ctx *ctx, const bags *b) {
  tsr_tensor *o = b->offsets;
  int64_t n = o->numel, length = b->idx->size[0];
  const int64_t *v = tsr_tensor_data_ro(o);
  if (n == 0) return TSR_OK;
  if (v[0] != 0) return tsr_op_fail(ctx, "offsets[0] has to be 0, i.e., the first sequence in the mini-batch has to start from position 0. However, got %lld", (long long)v[0]);
  if (v[n - 1] > length)
    return tsr_op_fail(ctx, "offsets[-1] can not be greater than input's length %lld but got offsets[-1] of %lld", (long long)length, (long long)v[n - 1]);
  return TSR_OK;
}

static tsr_status check_weights(tsr_ctx *ctx, const bags *b, int64_t mode) {
  char mine[64], theirs[64];
  if (b->weights == NULL) return TSR_OK;
  if (mode != BAG_SUM) return tsr_op_fail(ctx, "embedding_bag: per_sample_weights only supported with mode='sum'");
  if (b->weights->dtype != b->w->dtype)
    return tsr_op_fail(ctx, "Expected tensor for argument #1 'weight' to have the same type as tensor for argument #1 'per_sample_weights'; but type %s does not equal %s (while checking arguments for embedding_bag)",
                       tsr_dtype_class_print(mine, sizeof mine, (tsr_dtype)b->w->dtype), tsr_dtype_class_print(theirs, sizeof theirs, (tsr_dtype)b->weights->dtype));
  if (b->weights->ndim != 1 || b->weights->numel != b->idx->numel)
    return tsr_op_fail(ctx, "expected per_sample_weights to be the same shape as input, but got %lld and %lld elements", (long long)b->weights->numel, (long long)b->idx->numel);
  return TSR_OK;
}

/* Offsets between the first and the last, and the indices in the bags. */
static tsr_status check_contents(tsr_ctx *ctx, const bags *b) {
  const int64_t *o = tsr_tensor_data_ro(b->offsets), *v = tsr_tensor_data_ro(b->idx);
  int64_t n = b->idx->numel, end = b->fast && b->last ? o[b->count] : n;
  for (int64_t i = 0; i < b->offsets->numel; i++)
    if ((o[i] < 0 || o[i] > n) && !b->fast && i < b->count) return tsr_op_fail(ctx, "index out of range in self");
    else if (i > 0 && o[i] < o[i - 1])
      return tsr_op_fail(ctx, "embedding_bag: offsets must not fall, but offsets[%lld] is %lld after %lld", (long long)i, (long long)o[i], (long long)o[i - 1]);
  for (int64_t i = 0; i < end && b->count > 0; i++) {
    if (v[i] >= 0 && v[i] < b->rows) continue;
    if (b->fast) return tsr_op_fail(ctx, "Index %lld of input takes value %lld which is not in the valid range [0, %lld)", (long long)i, (long long)v[i], (long long)b->rows);
    return tsr_op_fail(ctx, "embedding_bag: Expected idx >= 0 && idx < num_embeddings but found idx to be %lld", (long long)v[i]);
  }
  return TSR_OK;
}

static tsr_status check_shapes(tsr_ctx *ctx, const bags *b) {
  if (b->w->ndim != 2) return tsr_op_fail(ctx, "weight has to be a 2D Tensor, but got Tensor of dimension %d", b->w->ndim);
  if (b->idx->ndim < 1 || b->idx->ndim > 2) return tsr_op_fail(ctx, "input has to be a 1D or 2D Tensor, but got Tensor of dimension %d", b->idx->ndim);
  if (b->offsets->ndim != 1) return tsr_op_fail(ctx, "offsets has to be a 1D Tensor, but got Tensor of dimension %d", b->offsets->ndim);
  return TSR_OK;
}

static tsr_status read_padding(tsr_call *c, bags *b) {
  bool wraps = ((const bag_kind *)c->op->data)->wraps_padding;
  b->padding = c->nargs > 8 && !tsr_arg_is_none(c, 8) ? tsr_arg_int(c, 8) : -1;
  if (!wraps || tsr_arg_is_none(c, 8) || b->w->ndim == 0) return TSR_OK;
  if (b->padding < -b->w->size[0] || b->padding >= b->w->size[0])
    return tsr_op_fail(c->ctx, "padding_idx must be within the number of embeddings, %lld through %lld, but got %lld", (long long)-b->w->size[0],
                       (long long)b->w->size[0] - 1, (long long)b->padding);
  if (b->padding < 0) b->padding += b->w->size[0];
  return TSR_OK;
}

/* Everything is checked in PyTorch's order; indices and offsets become int64. */
static tsr_status open_bags(tsr_call *c, bags *b, tsr_dtype *index_dtype) {
  tsr_ctx *ctx = c->ctx;
  char buf[64];
  *b = (bags){.w = tsr_arg_tensor(c, 0), .idx = tsr_arg_tensor(c, 1), .offsets = tsr_arg_tensor(c, 2), .weights = tsr_arg_opt_tensor(c, 6), .last = tsr_arg_bool(c, 7)};
  int64_t mode = tsr_arg_int(c, 4);
  bool half = b->w->dtype == TSR_FLOAT16 || b->w->dtype == TSR_BFLOAT16;
  TSR_TRY(read_padding(c, b));
  TSR_TRY(check_shapes(ctx, b));
  *index_dtype = tsr_dtype_promote((tsr_dtype)b->offsets->dtype, (tsr_dtype)b->idx->dtype);
  tsr_tensor kind = {.dtype = (uint8_t)*index_dtype};
  TSR_TRY(check_index_type(ctx, &kind, 1, "embedding_bag"));
  if (!half && b->w->dtype != TSR_FLOAT32 && b->w->dtype != TSR_FLOAT64)
    return tsr_op_fail(ctx, "Expected tensor for argument #1 'weight' to have one of the following scalar types: Half, BFloat16, Float, Double; but got %s instead (while checking arguments for embedding_bag)",
                       tsr_dtype_class_print(buf, sizeof buf, (tsr_dtype)b->w->dtype));
  TSR_TRY(tsr_ready(ctx, &b->idx, b->idx, TSR_INT64));
  TSR_TRY(tsr_ready(ctx, &b->offsets, b->offsets, TSR_INT64));
  TSR_TRY(check_ends(ctx, b));
  TSR_TRY(check_weights(ctx, b, mode));
  if (b->last && b->offsets->numel == 0) return tsr_op_fail(ctx, "include_last_offset: number of offset should be at least 1");
  if (mode < BAG_SUM || mode > BAG_MAX) return tsr_op_fail(ctx, "`mode` must be sum, mean, or max.");
  if (b->idx->ndim != 1) return tsr_op_fail(ctx, "input has to be a 1D Tensor, but got Tensor of dimension %d", b->idx->ndim);
  b->mode = (bag_mode)mode;
  b->rows = b->w->size[0];
  b->width = b->w->size[1];
  b->count = b->offsets->numel - (b->last ? 1 : 0);
  b->fast = mode != BAG_MAX && b->w->dtype != TSR_FLOAT64 && b->padding < 0 && b->w->stride[1] == 1 && (b->weights == NULL || b->weights->stride[0] == 1);
  return check_contents(ctx, b);
}

/* One bag: rows idx[begin, end) combined into y (double), and the sizes and maxima that are reported. */
static void reduce_bag(const bags *b, const double *w, const double *scale, const int64_t *idx, int64_t begin, int64_t end, double *y, int64_t *size, int64_t *maxima) {
  *size = 0;
  for (int64_t k = 0; k < b->width; k++) y[k] = 0;
  for (int64_t i = begin; i < end; i++) {
    if (idx[i] == b->padding) continue;
    const double *row = w + idx[i] * b->width;
    for (int64_t k = 0; k < b->width; k++) {
      if (b->mode != BAG_MAX) y[k] += scale != NULL ? row[k] * scale[i] : row[k];
      else if (*size == 0 || row[k] > y[k] || isnan(row[k])) {
        y[k] = row[k];
        maxima[k] = idx[i];
      }
    }
    (*size)++;
  }
  for (int64_t k = 0; b->mode == BAG_MEAN && *size > 0 && k < b->width; k++) y[k] /= (double)*size;
}

static void reduce_bag_f32(const bags *b, const float *w, const float *scale, const int64_t *idx, int64_t begin, int64_t end, float *y, int64_t *size) {
  *size = 0;
  memset(y, 0, (size_t)b->width * sizeof *y);
  for (int64_t i = begin; i < end; i++) {
    if (idx[i] == b->padding) continue;
    const float *row = w + idx[i] * b->width, s = scale != NULL ? scale[i] : 1;
    for (int64_t k = 0; k < b->width; k++) y[k] += row[k] * s;
    (*size)++;
  }
  for (int64_t k = 0; b->mode == BAG_MEAN && *size > 0 && k < b->width; k++) y[k] /= (float)*size;
}

static tsr_status new_ints(tsr_ctx *ctx, tsr_tensor **t, int64_t **data, int ndim, int64_t n, int64_t m) {
  int64_t size[2] = {n, m};
  void *p;
  TSR_TRY(tsr_new(ctx, t, TSR_INT64, ndim, size));
  TSR_TRY(tsr_fill(ctx, *t, tsr_scalar_int(0)));
  TSR_TRY(tsr_data_mut(ctx, *t, &p));
  *data = p;
  return TSR_OK;
}

/* PyTorch's fast kernel leaves indices after the last offset out of a bag's sum, but not out of the number that its mean is divided by. */
static tsr_status divide_by_whole(tsr_ctx *ctx, tsr_tensor *y, int64_t row, int64_t *size, int64_t whole) {
  tsr_tensor *t, *scaled;
  double factor = (double)*size / (double)whole;
  *size = whole;
  TSR_TRY(tsr_select(ctx, &t, y, 0, row));
  TSR_TRY(tsr_binary_scalar(ctx, &scaled, "mul", t, tsr_scalar_float(factor)));
  return tsr_copy_into(ctx, t, scaled);
}

TSR_KERNEL(embedding_bag) {
  tsr_ctx *ctx = c->ctx;
  bags b;
  tsr_tensor *y, *bag_of, *sizes, *maxima, *w = NULL, *scale = NULL;
  int64_t *bag_of_v, *sizes_v, *maxima_v, unused;
  void *out;
  tsr_dtype index_dtype, dtype;
  TSR_TRY(open_bags(c, &b, &index_dtype));
  dtype = (tsr_dtype)b.w->dtype;
  bool single = dtype == TSR_FLOAT32 && b.mode != BAG_MAX, listed = b.mode != BAG_SUM || !b.fast; /* does PyTorch report the bag of each index? */
  int64_t sizes_count = b.mode != BAG_SUM || ((const bag_kind *)c->op->data)->trains ? b.count : b.offsets->numel;
  int64_t size[2] = {TSR_MAX(b.count, 0), b.width};
  TSR_TRY(tsr_ready(ctx, &w, b.w, single ? TSR_FLOAT32 : TSR_FLOAT64));
  if (b.weights != NULL) TSR_TRY(tsr_ready(ctx, &scale, b.weights, single ? TSR_FLOAT32 : TSR_FLOAT64));
  TSR_TRY(tsr_new(ctx, &y, single ? TSR_FLOAT32 : TSR_FLOAT64, 2, size));
  TSR_TRY(tsr_data_mut(ctx, y, &out));
  TSR_TRY(new_ints(ctx, &bag_of, &bag_of_v, 1, listed ? b.idx->numel : 0, 0));
  TSR_TRY(new_ints(ctx, &sizes, &sizes_v, 1, sizes_count, 0));
  TSR_TRY(new_ints(ctx, &maxima, &maxima_v, b.mode == BAG_MAX ? 2 : 1, b.mode == BAG_MAX ? size[0] : sizes_count, b.width));
  const int64_t *idx = tsr_tensor_data_ro(b.idx), *offsets = tsr_tensor_data_ro(b.offsets);
  for (int64_t i = 0; i < b.count; i++) {
    int64_t begin = offsets[i], whole = i + 1 < b.count ? offsets[i + 1] : b.idx->numel; /* the last bag has what is left */
    int64_t end = b.fast && i + 1 < b.offsets->numel ? offsets[i + 1] : whole;
    if (single) reduce_bag_f32(&b, tsr_tensor_data_ro(w), scale != NULL ? tsr_tensor_data_ro(scale) : NULL, idx, begin, end, (float *)out + i * b.width, b.mode == BAG_SUM ? &unused : &sizes_v[i]);
    else reduce_bag(&b, tsr_tensor_data_ro(w), scale != NULL ? tsr_tensor_data_ro(scale) : NULL, idx, begin, end, (double *)out + i * b.width,
                    b.mode == BAG_SUM ? &unused : &sizes_v[i], b.mode == BAG_MAX ? maxima_v + i * b.width : NULL);
    for (int64_t k = begin; listed && k < whole; k++) bag_of_v[k] = i;
    if (b.mode == BAG_MEAN && end != whole) TSR_TRY(divide_by_whole(ctx, y, i, &sizes_v[i], whole - begin));
    if (b.mode == BAG_MEAN) maxima_v[i] = sizes_v[i];
  }
  TSR_TRY(tsr_to_dtype(ctx, &y, y, dtype));
  tsr_tensor *ints[3] = {bag_of, sizes, maxima};
  TSR_TRY(tsr_ret_tensor(c, 0, y));
  for (uint32_t i = 0; i < 3; i++) {
    TSR_TRY(tsr_to_dtype(ctx, &ints[i], ints[i], index_dtype));
    TSR_TRY(tsr_ret_tensor(c, i + 1, ints[i]));
  }
  return TSR_OK;
}

/* ---- one_hot ---- */

TSR_KERNEL(one_hot) {
  tsr_ctx *ctx = c->ctx;
  tsr_tensor *idx = tsr_arg_tensor(c, 0), *y;
  int64_t classes = tsr_arg_int(c, 1), size[TSR_MAX_NDIM], most = -1;
  void *data;
  if (idx->dtype != TSR_INT64) return tsr_op_fail(ctx, "one_hot is only applicable to index tensor of type LongTensor.");
  if (idx->numel == 0 && classes <= 0) return tsr_op_fail(ctx, "Can not infer total number of classes from empty tensor.");
  TSR_TRY(tsr_check_ndim(ctx, idx->ndim + 1));
  TSR_TRY(tsr_index_ready(ctx, &idx, idx));
  const int64_t *v = tsr_tensor_data_ro(idx);
  for (int64_t i = 0; i < idx->numel; i++) {
    if (v[i] < 0) return tsr_op_fail(ctx, "Class values must be non-negative.");
    most = TSR_MAX(most, v[i]);
  }
  if (classes == -1) classes = most + 1;
  else if (idx->numel > 0 && most >= classes) return tsr_op_fail(ctx, "Class values must be smaller than num_classes.");
  memcpy(size, idx->size, idx->ndim * sizeof *size);
  size[idx->ndim] = classes;
  TSR_TRY(tsr_new(ctx, &y, TSR_INT64, idx->ndim + 1, size));
  TSR_TRY(tsr_fill(ctx, y, tsr_scalar_int(0)));
  TSR_TRY(tsr_data_mut(ctx, y, &data));
  for (int64_t i = 0; i < idx->numel; i++) ((int64_t *)data)[i * classes + v[i]] = 1;
  return tsr_ret_tensor(c, 0, y);
}

const tsr_op tsr_ops_embedding[] = {
    {"aten::embedding(Tensor weight, Tensor indices, SymInt padding_idx=-1, bool scale_grad_by_freq=False, bool sparse=False) -> Tensor",
     op_embedding, TSR_PURE},
    {"aten::embedding.out(Tensor weight, Tensor indices, SymInt padding_idx=-1, bool scale_grad_by_freq=False, bool sparse=False, *, Tensor(a!) out) -> Tensor(a!)",
     op_embedding, TSR_OUT_NEW},
    {"aten::embedding_renorm_(Tensor(a!) self, Tensor indices, float max_norm, float norm_type) -> Tensor(a!)",
     op_embedding_renorm, 0},
    {"aten::embedding_bag(Tensor weight, Tensor indices, Tensor offsets, bool scale_grad_by_freq=False, int mode=0, bool sparse=False, Tensor? per_sample_weights=None, bool include_last_offset=False) -> (Tensor, Tensor, Tensor, Tensor)",
     op_embedding_bag, TSR_PURE, &plain_bags},
    {"aten::embedding_bag.padding_idx(Tensor weight, Tensor indices, Tensor offsets, bool scale_grad_by_freq, int mode, bool sparse, Tensor? per_sample_weights, bool include_last_offset, int? padding_idx) -> (Tensor, Tensor, Tensor, Tensor)",
     op_embedding_bag, TSR_PURE, &checked_bags},
    {"aten::_embedding_bag(Tensor weight, Tensor indices, Tensor offsets, bool scale_grad_by_freq=False, int mode=0, bool sparse=False, Tensor? per_sample_weights=None, bool include_last_offset=False, int padding_idx=-1) -> (Tensor, Tensor, Tensor, Tensor)",
     op_embedding_bag, TSR_PURE, &training_bags},
    {"aten::_embedding_bag.out(Tensor weight, Tensor indices, Tensor offsets, bool scale_grad_by_freq=False, int mode=0, bool sparse=False, Tensor? per_sample_weights=None, bool include_last_offset=False, int padding_idx=-1, *, Tensor(a!) out0, Tensor(b!) out1, Tensor(c!) out2, Tensor(d!) out3) -> (Tensor(a!), Tensor(b!), Tensor(c!), Tensor(d!))",
     op_embedding_bag, TSR_OUT_NEW, &training_bags},
    {"aten::_embedding_bag_forward_only(Tensor weight, Tensor indices, Tensor offsets, bool scale_grad_by_freq=False, int mode=0, bool sparse=False, Tensor? per_sample_weights=None, bool include_last_offset=False, int padding_idx=-1) -> (Tensor, Tensor, Tensor, Tensor)",
     op_embedding_bag, TSR_PURE, &plain_bags},
    {"aten::_embedding_bag_forward_only.out(Tensor weight, Tensor indices, Tensor offsets, bool scale_grad_by_freq=False, int mode=0, bool sparse=False, Tensor? per_sample_weights=None, bool include_last_offset=False, int padding_idx=-1, *, Tensor(a!) out0, Tensor(b!) out1, Tensor(c!) out2, Tensor(d!) out3) -> (Tensor(a!), Tensor(b!), Tensor(c!), Tensor(d!))",
     op_embedding_bag, TSR_OUT_NEW, &plain_bags},
    {"aten::one_hot(Tensor self, int num_classes=-1) -> Tensor",
     op_one_hot, TSR_PURE},
    {0},
};
