/* Look-up tables: embedding, embedding_bag, embedding_renorm_, one_hot. */
#include <math.h>

#include "ops/index_run.h"
#include "ops/native.h"
#include "ops/shape.h"

static tsr_status check_index_type(tsr_ctx *ctx, const tsr_tensor *idx, const char *op) {
  if (idx->dtype == TSR_INT64 || idx->dtype == TSR_INT32) return TSR_OK;
  return tsr_op_fail(ctx, "Expected tensor for argument #1 'indices' to have one of the following scalar types: Long, Int; but got torch.%sTensor instead (while checking arguments for %s)",
                     tsr_dtype_get_info(idx->dtype)->cpp_name, op);
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
  TSR_TRY(check_index_type(ctx, idx, "embedding"));
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

/* Rows named by indices are scaled down to max_norm, each once. */
TSR_KERNEL(embedding_renorm) {
  tsr_ctx *ctx = c->ctx;
  tsr_tensor *w = tsr_arg_tensor(c, 0), *idx = tsr_arg_tensor(c, 1), *wide;
  double max_norm = tsr_arg_float(c, 2), p = tsr_arg_float(c, 3);
  void *data;
  if (w->ndim != 2) return tsr_op_fail(ctx, "Expected 2-dimensional tensor, but got %d-dimensional tensor for argument #1 'self' (while checking arguments for embedding_renorm_)", w->ndim);
  TSR_TRY(check_index_type(ctx, idx, "embedding_renorm_"));
  TSR_TRY(tsr_index_ready(ctx, &idx, idx));
  TSR_TRY(check_rows(ctx, idx, w->size[0]));
  TSR_TRY(tsr_ready(ctx, &wide, w, TSR_FLOAT64));
  if (wide == w) TSR_TRY(tsr_clone(ctx, &wide, w));
  TSR_TRY(tsr_data_mut(ctx, wide, &data));
  const int64_t *v = tsr_tensor_data_ro(idx);
  uint8_t *done = tsr_scratch(ctx, (size_t)w->size[0] + 1);
  if (done == NULL) return tsr_op_nomem(ctx);
  for (int64_t i = 0; i < idx->numel; i++) {
    double *row = (double *)data + v[i] * w->size[1], norm = 0;
    if (done[v[i]]++) continue;
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
  tsr_dtype index_dtype;
} bags;

static tsr_status check_offsets(tsr_ctx *ctx, const bags *b, bool last) {
  const int64_t *o = tsr_tensor_data_ro(b->offsets);
  if (b->offsets->numel == 0) return last ? tsr_op_fail(ctx, "include_last_offset: number of offset should be at least 1") : TSR_OK;
  if (o[0] != 0) return tsr_op_fail(ctx, "offsets[0] has to be 0, i.e., the first sequence in the mini-batch has to start from position 0. However, got %lld", (long long)o[0]);
  for (int64_t i = 0; i < b->offsets->numel; i++)
    if (i > 0 && o[i] < o[i - 1]) return tsr_op_fail(ctx, "embedding_bag: offsets must not fall, but offsets[%lld] is %lld after %lld", (long long)i, (long long)o[i], (long long)o[i - 1]);
    else if (o[i] < 0 || o[i] > b->idx->numel)
      return tsr_op_fail(ctx, "offsets[-1] can not be greater than input's length %lld but got offsets[-1] of %lld", (long long)b->idx->numel, (long long)o[i]);
  return TSR_OK;
}

static const char wraps_padding = 1; /* row data: a negative padding_idx counts from the end; else it means none */

static tsr_status open_bags(tsr_call *c, bags *b) {
  tsr_ctx *ctx = c->ctx;
  *b = (bags){.w = tsr_arg_tensor(c, 0), .idx = tsr_arg_tensor(c, 1), .offsets = tsr_arg_tensor(c, 2), .weights = tsr_arg_opt_tensor(c, 6)};
  int64_t mode = tsr_arg_int(c, 4);
  bool last = tsr_arg_bool(c, 7);
  b->padding = c->nargs > 8 && !tsr_arg_is_none(c, 8) ? tsr_arg_int(c, 8) : -1;
  if (b->weights != NULL && mode != BAG_SUM) return tsr_op_fail(ctx, "embedding_bag: per_sample_weights only supported with mode='sum'");
  if (mode < BAG_SUM || mode > BAG_MAX) return tsr_op_fail(ctx, "mode has to be one of sum, mean or max");
  b->mode = (bag_mode)mode;
  if (b->w->ndim != 2) return tsr_op_fail(ctx, "weight has to be a 2D Tensor, but got Tensor of dimension %d", b->w->ndim);
  if (b->idx->ndim != 1) return tsr_op_fail(ctx, "input has to be a 1D Tensor, but got Tensor of dimension %d", b->idx->ndim);
  if (b->offsets->ndim != 1) return tsr_op_fail(ctx, "offsets has to be a 1D Tensor, but got Tensor of dimension %d", b->offsets->ndim);
  TSR_TRY(check_index_type(ctx, b->idx, "embedding_bag"));
  TSR_TRY(check_index_type(ctx, b->offsets, "embedding_bag"));
  if (b->weights != NULL && b->mode != BAG_SUM)
    return tsr_op_fail(ctx, "embedding_bag: per_sample_weights was not None. per_sample_weights is only supported for mode='sum' (got mode='%s'). Please open a feature request on GitHub.",
                       b->mode == BAG_MEAN ? "mean" : "max");
  if (b->weights != NULL && b->weights->numel != b->idx->numel)
    return tsr_op_fail(ctx, "expected per_sample_weights to be the same shape as input, but got %lld and %lld elements", (long long)b->weights->numel, (long long)b->idx->numel);
  b->index_dtype = (tsr_dtype)b->idx->dtype;
  if (b->padding < 0 && c->op->data == &wraps_padding && !tsr_arg_is_none(c, 8)) b->padding += b->w->size[0];
  TSR_TRY(tsr_index_ready(ctx, &b->idx, b->idx));
  TSR_TRY(tsr_index_ready(ctx, &b->offsets, b->offsets));
  TSR_TRY(check_offsets(ctx, b, last));
  b->rows = b->w->size[0];
  b->width = b->w->size[1];
  b->count = b->offsets->numel - (last ? 1 : 0);
  const int64_t *v = tsr_tensor_data_ro(b->idx);
  for (int64_t i = 0; i < b->idx->numel; i++)
    if (v[i] < 0 || v[i] >= b->rows)
      return tsr_op_fail(ctx, "embedding_bag: Expected idx >= 0 && idx < num_embeddings but found idx to be %lld", (long long)v[i]);
  return TSR_OK;
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

TSR_KERNEL(embedding_bag) {
  tsr_ctx *ctx = c->ctx;
  bags b;
  tsr_tensor *y, *bag_of, *sizes, *maxima, *w = NULL, *scale = NULL;
  int64_t *bag_of_v, *sizes_v, *maxima_v, unused;
  void *out;
  TSR_TRY(open_bags(c, &b));
  tsr_dtype dtype = (tsr_dtype)b.w->dtype;
  bool single = dtype == TSR_FLOAT32 && b.mode != BAG_MAX, short_float = dtype == TSR_FLOAT32 || dtype == TSR_FLOAT16 || dtype == TSR_BFLOAT16;
  bool listed = b.mode != BAG_SUM || !short_float || b.padding >= 0; /* does PyTorch report the bag of each index? */
  int64_t size[2] = {TSR_MAX(b.count, 0), b.width};
  TSR_TRY(tsr_ready(ctx, &w, b.w, single ? TSR_FLOAT32 : TSR_FLOAT64));
  if (b.weights != NULL) TSR_TRY(tsr_ready(ctx, &scale, b.weights, single ? TSR_FLOAT32 : TSR_FLOAT64));
  TSR_TRY(tsr_new(ctx, &y, single ? TSR_FLOAT32 : TSR_FLOAT64, 2, size));
  TSR_TRY(tsr_data_mut(ctx, y, &out));
  TSR_TRY(new_ints(ctx, &bag_of, &bag_of_v, 1, listed ? b.idx->numel : 0, 0));
  TSR_TRY(new_ints(ctx, &sizes, &sizes_v, 1, b.offsets->numel, 0));
  TSR_TRY(new_ints(ctx, &maxima, &maxima_v, b.mode == BAG_MAX ? 2 : 1, b.mode == BAG_MAX ? size[0] : b.offsets->numel, b.width));
  const int64_t *idx = tsr_tensor_data_ro(b.idx), *offsets = tsr_tensor_data_ro(b.offsets);
  for (int64_t i = 0; i < b.count; i++) {
    int64_t begin = offsets[i], end = i + 1 < b.offsets->numel ? offsets[i + 1] : b.idx->numel;
    if (single) reduce_bag_f32(&b, tsr_tensor_data_ro(w), scale != NULL ? tsr_tensor_data_ro(scale) : NULL, idx, begin, end, (float *)out + i * b.width, b.mode == BAG_SUM ? &unused : &sizes_v[i]);
    else reduce_bag(&b, tsr_tensor_data_ro(w), scale != NULL ? tsr_tensor_data_ro(scale) : NULL, idx, begin, end, (double *)out + i * b.width,
                    b.mode == BAG_SUM ? &unused : &sizes_v[i], b.mode == BAG_MAX ? maxima_v + i * b.width : NULL);
    for (int64_t k = begin; listed && k < end; k++) bag_of_v[k] = i;
    if (b.mode == BAG_MEAN) maxima_v[i] = sizes_v[i];
  }
  TSR_TRY(tsr_to_dtype(ctx, &y, y, dtype));
  tsr_tensor *ints[3] = {bag_of, sizes, maxima};
  TSR_TRY(tsr_ret_tensor(c, 0, y));
  for (uint32_t i = 0; i < 3; i++) {
    TSR_TRY(tsr_to_dtype(ctx, &ints[i], ints[i], b.index_dtype));
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
    {"aten::embedding_bag.padding_idx(Tensor weight, Tensor indices, Tensor offsets, bool scale_grad_by_freq, int mode, bool sparse, Tensor? per_sample_weights, bool include_last_offset, int? padding_idx) -> (Tensor, Tensor, Tensor, Tensor)",
     op_embedding_bag, TSR_PURE, &wraps_padding},
    {"aten::embedding_bag(Tensor weight, Tensor indices, Tensor offsets, bool scale_grad_by_freq=False, int mode=0, bool sparse=False, Tensor? per_sample_weights=None, bool include_last_offset=False) -> (Tensor, Tensor, Tensor, Tensor)",
     op_embedding_bag, TSR_PURE},
    {"aten::_embedding_bag(Tensor weight, Tensor indices, Tensor offsets, bool scale_grad_by_freq=False, int mode=0, bool sparse=False, Tensor? per_sample_weights=None, bool include_last_offset=False, int padding_idx=-1) -> (Tensor, Tensor, Tensor, Tensor)",
     op_embedding_bag, TSR_PURE},
    {"aten::_embedding_bag.out(Tensor weight, Tensor indices, Tensor offsets, bool scale_grad_by_freq=False, int mode=0, bool sparse=False, Tensor? per_sample_weights=None, bool include_last_offset=False, int padding_idx=-1, *, Tensor(a!) out0, Tensor(b!) out1, Tensor(c!) out2, Tensor(d!) out3) -> (Tensor(a!), Tensor(b!), Tensor(c!), Tensor(d!))",
     op_embedding_bag, TSR_OUT_NEW},
    {"aten::_embedding_bag_forward_only(Tensor weight, Tensor indices, Tensor offsets, bool scale_grad_by_freq=False, int mode=0, bool sparse=False, Tensor? per_sample_weights=None, bool include_last_offset=False, int padding_idx=-1) -> (Tensor, Tensor, Tensor, Tensor)",
     op_embedding_bag, TSR_PURE},
    {"aten::_embedding_bag_forward_only.out(Tensor weight, Tensor indices, Tensor offsets, bool scale_grad_by_freq=False, int mode=0, bool sparse=False, Tensor? per_sample_weights=None, bool include_last_offset=False, int padding_idx=-1, *, Tensor(a!) out0, Tensor(b!) out1, Tensor(c!) out2, Tensor(d!) out3) -> (Tensor(a!), Tensor(b!), Tensor(c!), Tensor(d!))",
     op_embedding_bag, TSR_OUT_NEW},
    {"aten::one_hot(Tensor self, int num_classes=-1) -> Tensor",
     op_one_hot, TSR_PURE},
    {0},
};
