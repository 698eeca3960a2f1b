/* gather and the scatter family: an index tensor says, along one dimension, where each element comes from or goes to. */
#include "ops/index_run.h"
#include "ops/native.h"
#include "ops/shape.h"

static const char in_place = 1; /* row data of the forms that write self */

/* Loops over the index tensor's positions: rows along its last dimension.  Strides in elements;
 * self's stride of the indexed dimension is kept apart, its place in self_step holds 0. */
typedef struct walk {
  int ndim;
  int64_t dim, self_dim_step;
  const int64_t *size;                        /* of the index */
  int64_t self_step[TSR_MAX_NDIM], other_step[TSR_MAX_NDIM];
  const int64_t *idx;                         /* C order */
  int64_t rows, row;                          /* row: length of the last dimension */
} walk;

static walk make_walk(const tsr_tensor *self, const tsr_tensor *idx, const tsr_tensor *other, int64_t dim) {
  walk w = {.ndim = idx->ndim, .dim = dim, .size = idx->size, .idx = tsr_tensor_data_ro(idx)};
  w.self_dim_step = self->ndim > 0 ? self->stride[dim] : 1;
  for (int d = 0; d < idx->ndim; d++) {
    w.self_step[d] = d == dim || self->ndim == 0 ? 0 : self->stride[d];
    w.other_step[d] = other == NULL || other->ndim == 0 ? 0 : other->stride[d];
  }
  w.row = idx->ndim > 0 ? idx->size[idx->ndim - 1] : 1;
  w.rows = w.row > 0 ? idx->numel / w.row : 0;
  return w;
}

static void row_offsets(const walk *w, int64_t i, int64_t *self_at, int64_t *other_at) {
  *self_at = *other_at = 0;
  for (int d = w->ndim - 2; d >= 0; d--) {
    int64_t k = i % w->size[d];
    *self_at += k * w->self_step[d];
    *other_at += k * w->other_step[d];
    i /= w->size[d];
  }
}

/* ---- gather ---- */

typedef struct gather_job {
  walk w;
  char *out;
  const char *in;
  size_t item;
  uint64_t bound;  /* size of the indexed dimension */
  int *outside;    /* set when some index was not below it */
} gather_job;

static void gather_rows(void *arg, int64_t begin, int64_t end) {
  const gather_job *j = arg;
  const walk *w = &j->w;
  bool outside = false;
  int64_t step = w->ndim > 0 ? w->self_step[w->ndim - 1] : 0, by = w->self_dim_step, n = w->row;
#define GATHER(type)                                                                   \
  do {                                                                                 \
    const type *in = (const type *)(const void *)j->in + self_at;                      \
    type *out = (type *)(void *)j->out + i * n;                                        \
    for (int64_t k = 0; k < n; k++) {                                                  \
      bool bad = (uint64_t)idx[k] >= j->bound;                                         \
      outside |= bad;                                                                  \
      out[k] = in[k * step + (bad ? 0 : idx[k]) * by];                                 \
    }                                                                                  \
  } while (0)
  for (int64_t i = begin; i < end; i++) {
    int64_t self_at, unused;
    row_offsets(w, i, &self_at, &unused);
    const int64_t *idx = w->idx + i * n;
    switch (j->item) {
    case 1: GATHER(uint8_t); break;
    case 2: GATHER(uint16_t); break;
    case 4: GATHER(uint32_t); break;
    case 8: GATHER(uint64_t); break;
    default: GATHER(tsr_c128); break;
    }
  }
#undef GATHER
  if (outside) __atomic_store_n(j->outside, 1, __ATOMIC_RELAXED);
}

static tsr_status check_index_dtype(tsr_ctx *ctx, const char *op, const tsr_tensor *idx) {
  if (idx->dtype == TSR_INT64 || idx->dtype == TSR_INT32 || idx->numel == 0) return TSR_OK;
  return tsr_op_fail(ctx, "%s(): Expected dtype int32/int64 for index", op);
}

static int64_t rank_of(const tsr_tensor *t) { return t->ndim == 0 ? 1 : t->ndim; }

static tsr_status check_gather(tsr_ctx *ctx, const tsr_tensor *x, const tsr_tensor *idx, int64_t dim) {
  char a[256], b[256];
  TSR_TRY(check_index_dtype(ctx, "gather", idx));
  if (idx->numel == 0) return TSR_OK;
  if (rank_of(x) != rank_of(idx)) return tsr_op_fail(ctx, "Index tensor must have the same number of dimensions as input tensor");
  for (int d = 0; d < idx->ndim && x->ndim > 0; d++)
    if (d != dim && idx->size[d] > x->size[d]) {
      tsr_sizes_print(a, sizeof a, idx->ndim, idx->size);
      tsr_sizes_print(b, sizeof b, x->ndim, x->size);
      return tsr_op_fail(ctx, "Size does not match at dimension %d expected index %s to be no larger than self %s apart from dimension %lld", d, a, b, (long long)dim);
    }
  return TSR_OK;
}

static tsr_status gather(tsr_ctx *ctx, tsr_tensor **out, const tsr_tensor *x, tsr_tensor *idx, int64_t dim) {
  void *data;
  TSR_TRY(check_gather(ctx, x, idx, dim));
  TSR_TRY(tsr_new(ctx, out, (tsr_dtype)x->dtype, idx->ndim, idx->size));
  if (idx->numel == 0) return TSR_OK;
  TSR_TRY(tsr_index_ready(ctx, &idx, idx));
  int64_t bound = x->ndim > 0 ? x->size[dim] : 1;
  if (bound == 0) return tsr_index_check(ctx, idx, bound, dim);
  TSR_TRY(tsr_data_mut(ctx, *out, &data));
  int outside = 0;
  gather_job j = {make_walk(x, idx, NULL, dim), data, tsr_tensor_data_ro(x), tsr_tensor_itemsize(x), (uint64_t)bound, &outside};
  tsr_parallel_for(ctx, j.w.rows, (1 << 15) / j.w.row + 1, gather_rows, &j);
  return outside ? tsr_index_check(ctx, idx, bound, dim) : TSR_OK;
}

TSR_KERNEL(gather) {
  tsr_tensor *x = tsr_arg_tensor(c, 0), *y;
  int64_t dim;
  TSR_TRY(tsr_wrap_dim(c->ctx, tsr_arg_int(c, 1), x->ndim, &dim));
  TSR_TRY(gather(c->ctx, &y, x, tsr_arg_tensor(c, 2), dim));
  return tsr_ret_tensor(c, 0, y);
}

/* Indices modulo the size: negative ones count from the end. */
static tsr_status wrap_indices(tsr_ctx *ctx, tsr_tensor **idx, int64_t size) {
  tsr_tensor *dense;
  void *p;
  TSR_TRY(tsr_index_ready(ctx, &dense, *idx));
  TSR_TRY(tsr_new(ctx, idx, TSR_INT64, dense->ndim, dense->size));
  TSR_TRY(tsr_data_mut(ctx, *idx, &p));
  const int64_t *v = tsr_tensor_data_ro(dense);
  if (size == 0 && dense->numel > 0) return tsr_op_fail(ctx, "ZeroDivisionError");
  for (int64_t i = 0; i < dense->numel; i++) {
    int64_t rest = v[i] % size;
    ((int64_t *)p)[i] = rest < 0 ? rest + size : rest;
  }
  return TSR_OK;
}

TSR_KERNEL(take_along_dim) {
  tsr_ctx *ctx = c->ctx;
  tsr_tensor *x = tsr_arg_tensor(c, 0), *idx = tsr_arg_tensor(c, 1), *y;
  int64_t dim, xs[TSR_MAX_NDIM], is[TSR_MAX_NDIM], size[TSR_MAX_NDIM];
  int n;
  if (tsr_arg_is_none(c, 2)) {
    TSR_TRY(check_index_dtype(ctx, "gather", idx));
    TSR_TRY(tsr_view_as(ctx, &x, x, 1, &x->numel));
    TSR_TRY(tsr_reshape(ctx, &idx, idx, 1, &idx->numel));
    TSR_TRY(gather(ctx, &y, x, idx, 0));
    return tsr_ret_tensor(c, 0, y);
  }
  if (x->ndim != idx->ndim)
    return tsr_op_fail(ctx, "torch.take_along_dim(): input and indices should have the same number of dimensions, but got %d dimensions for input, and %d dimensions for indices",
                       x->ndim, idx->ndim);
  if (idx->dtype != TSR_INT64) return tsr_op_fail(ctx, "torch.take_along_dim(): dtype of indices should be Long but got %s", tsr_dtype_get_info(idx->dtype)->cpp_name);
  TSR_TRY(tsr_wrap_dim(ctx, tsr_arg_int(c, 2), x->ndim, &dim));
  if (x->ndim == 0) return tsr_op_fail(ctx, "Dimension specified as %lld but tensor has no dimensions", (long long)tsr_arg_int(c, 2));
  TSR_TRY(wrap_indices(ctx, &idx, x->ndim > 0 ? x->size[dim] : 1));
  memcpy(xs, x->size, x->ndim * sizeof *xs);
  memcpy(is, idx->size, idx->ndim * sizeof *is);
  if (x->ndim > 0) xs[dim] = is[dim];
  TSR_TRY(tsr_broadcast_sizes(ctx, x->ndim, xs, idx->ndim, is, &n, size));
  TSR_TRY(tsr_expand(ctx, &idx, idx, n, size));
  if (x->ndim > 0) size[dim] = x->size[dim];
  TSR_TRY(tsr_expand(ctx, &x, x, n, size));
  TSR_TRY(gather(ctx, &y, x, idx, dim));
  return tsr_ret_tensor(c, 0, y);
}

/* ---- scatter ---- */

static tsr_status check_scatter(tsr_ctx *ctx, const tsr_tensor *x, const tsr_tensor *idx, const tsr_tensor *src, int64_t dim) {
  char a[256], b[256], s[256];
  TSR_TRY(check_index_dtype(ctx, "scatter", idx));
  if (idx->numel == 0) return TSR_OK;
  if (rank_of(x) != rank_of(idx)) return tsr_op_fail(ctx, "Index tensor must have the same number of dimensions as self tensor");
  if (src != NULL && rank_of(src) != rank_of(idx)) return tsr_op_fail(ctx, "Index tensor must have the same number of dimensions as src tensor");
  bool wrong = false;
  for (int d = 0; d < idx->ndim; d++) {
    wrong = wrong || (d != dim && idx->size[d] > (x->ndim > 0 ? x->size[d] : 1));
    wrong = wrong || (src != NULL && idx->size[d] > (src->ndim > 0 ? src->size[d] : 1));
  }
  if (!wrong) return TSR_OK;
  tsr_sizes_print(a, sizeof a, idx->ndim, idx->size);
  tsr_sizes_print(b, sizeof b, x->ndim, x->size);
  if (src == NULL) return tsr_op_fail(ctx, "Expected index %s to be no larger than self %s apart from dimension %lld", a, b, (long long)dim);
  tsr_sizes_print(s, sizeof s, src->ndim, src->size);
  return tsr_op_fail(ctx, "Expected index %s to be no larger than self %s apart from dimension %lld and to be no larger size than src %s", a, b, (long long)dim, s);
}

/* The common cases of one row without a call an element. */
#define SCATTER_ROW(name, type, op)                                                                                                \
  static void name(char *self, int64_t self_step, const int64_t *idx, int64_t by, const char *src, int64_t src_step, int64_t n) {  \
    type *to = (type *)(void *)self;                                                                                               \
    const type *from = (const type *)(const void *)src;                                                                            \
    for (int64_t k = 0; k < n; k++) to[k * self_step + idx[k] * by] op from[k * src_step];                                         \
  }
SCATTER_ROW(set_row_4, uint32_t, =)
SCATTER_ROW(set_row_8, uint64_t, =)
SCATTER_ROW(add_row_f32, float, +=)
SCATTER_ROW(add_row_f64, double, +=)
typedef void (*scatter_row_fn)(char *, int64_t, const int64_t *, int64_t, const char *, int64_t, int64_t);

static scatter_row_fn scatter_row(tsr_combine how, tsr_dtype dtype) {
  size_t item = tsr_dtype_size(dtype);
  if (how == TSR_SET) return item == 4 ? set_row_4 : item == 8 ? set_row_8 : NULL;
  if (how == TSR_ADD) return dtype == TSR_FLOAT32 ? add_row_f32 : dtype == TSR_FLOAT64 ? add_row_f64 : NULL;
  return NULL;
}

/* self[…idx…] ∘= src[…] element by element in C order of the index; src step 0: one value. */
static void scatter_walk(const walk *w, tsr_run_fn run, scatter_row_fn row, char *self, const char *src, size_t item) {
  int64_t self_step = w->ndim > 0 ? w->self_step[w->ndim - 1] : 0, src_step = w->ndim > 0 ? w->other_step[w->ndim - 1] : 0;
  for (int64_t i = 0; i < w->rows; i++) {
    int64_t to, from;
    row_offsets(w, i, &to, &from);
    const int64_t *idx = w->idx + i * w->row;
    if (row != NULL) {
      row(self + (size_t)to * item, self_step, idx, w->self_dim_step, src + (size_t)from * item, src_step, w->row);
      continue;
    }
    for (int64_t k = 0; k < w->row; k++)
      run(self + (size_t)(to + k * self_step + idx[k] * w->self_dim_step) * item, 0, src + (size_t)(from + k * src_step) * item, 0, 1);
  }
}

/* Where the index repeats for a whole run (an expanded vector along dim), copy whole runs at once:
 * the last dimension of idx must have stride 0 and not be `dim`. */
static bool repeated_rows(const tsr_tensor *idx, int64_t dim) {
  int last = idx->ndim - 1;
  return last > 0 && dim != last && idx->stride[last] == 0 && idx->size[last] > 1;
}

static void scatter_runs(const walk *w, tsr_run_fn run, char *self, const char *src, size_t item) {
  int64_t self_step = w->self_step[w->ndim - 1], src_step = w->other_step[w->ndim - 1];
  for (int64_t i = 0; i < w->rows; i++) {
    int64_t to, from;
    row_offsets(w, i, &to, &from);
    run(self + (size_t)(to + w->idx[i * w->row] * w->self_dim_step) * item, self_step * (ptrdiff_t)item, src + (size_t)from * item,
        src_step * (ptrdiff_t)item, w->row);
  }
}

static tsr_status scatter_into(tsr_ctx *ctx, tsr_tensor *work, tsr_tensor *idx, const tsr_tensor *src, int64_t dim, tsr_combine how) {
  tsr_run_fn run = tsr_combine_run(how, (tsr_dtype)work->dtype);
  bool runs = repeated_rows(idx, dim);
  void *data;
  if (run == NULL) {
    static const char *const kernel[] = {"", "_reduce_add", "_reduce_multiply", "_reduce_amax", "_reduce_amin"};
    return tsr_op_fail(ctx, "\"scatter_gather_tensor_cpu%s\" not implemented for '%s'", kernel[how], tsr_dtype_get_info(work->dtype)->cpp_name);
  }
  if (idx->numel == 0) return TSR_OK;
  TSR_TRY(tsr_index_ready(ctx, &idx, idx));
  TSR_TRY(tsr_index_check(ctx, idx, work->ndim > 0 ? work->size[dim] : 1, dim));
  TSR_TRY(tsr_data_mut(ctx, work, &data));
  walk w = make_walk(work, idx, src, dim);
  if (runs) scatter_runs(&w, run, data, tsr_tensor_data_ro(src), tsr_tensor_itemsize(work));
  else scatter_walk(&w, run, scatter_row(how, (tsr_dtype)work->dtype), data, tsr_tensor_data_ro(src), tsr_tensor_itemsize(work));
  return TSR_OK;
}

/* Source tensor of argument 3: checked, or a 0-dim one holding the Scalar; `*checked` is what sizes are compared with. */
static tsr_status source_arg(tsr_call *c, const tsr_tensor *x, tsr_tensor **src, const tsr_tensor **checked) {
  *src = tsr_arg_opt_tensor(c, 3);
  *checked = *src;
  if (*src == NULL) return tsr_new_scalar(c->ctx, src, (tsr_dtype)x->dtype, tsr_arg_scalar(c, 3));
  if ((*src)->dtype != x->dtype) return tsr_op_fail(c->ctx, "scatter(): Expected self.dtype to be equal to src.dtype");
  return (*src)->storage == x->storage ? tsr_clone(c->ctx, src, *src) : TSR_OK;
}

/* scatter, scatter_add: how from the row's or the reduce argument. */
static tsr_status scatter(tsr_call *c, tsr_combine how) {
  tsr_tensor *x = tsr_arg_tensor(c, 0), *idx = tsr_arg_tensor(c, 2), *src;
  const tsr_tensor *checked;
  int64_t dim;
  tsr_update u;
  TSR_TRY(tsr_wrap_dim(c->ctx, tsr_arg_int(c, 1), x->ndim, &dim));
  TSR_TRY(source_arg(c, x, &src, &checked));
  TSR_TRY(check_scatter(c->ctx, x, idx, checked, dim));
  TSR_TRY(tsr_update_begin(c, c->op->data == &in_place, &u));
  TSR_TRY(scatter_into(c->ctx, u.work, idx, src, dim, how));
  return tsr_update_end(c, &u);
}

TSR_KERNEL(scatter) { return scatter(c, TSR_SET); }
TSR_KERNEL(scatter_add) { return scatter(c, TSR_ADD); }

TSR_KERNEL(scatter_old_reduce) {
  const char *word = tsr_arg_str(c, 4)->bytes;
  if (strcmp(word, "add") == 0) return scatter(c, TSR_ADD);
  if (strcmp(word, "multiply") == 0) return scatter(c, TSR_MUL);
  return tsr_op_fail(c->ctx, "reduce argument must be either add or multiply.");
}

/* ---- scatter_reduce ---- */

/* work /= number of sources that reached each element (plus self where it counts, at least 1). */
static tsr_status divide_counts(tsr_ctx *ctx, tsr_tensor *work, tsr_tensor *idx, int64_t dim, bool include_self) {
  tsr_tensor *counts, *one, *typed, *y;
  void *p;
  TSR_TRY(tsr_new(ctx, &counts, TSR_INT64, work->ndim, work->size));
  TSR_TRY(tsr_fill(ctx, counts, tsr_scalar_int(include_self)));
  TSR_TRY(tsr_new_scalar(ctx, &one, TSR_INT64, tsr_scalar_int(1)));
  TSR_TRY(scatter_into(ctx, counts, idx, one, dim, TSR_ADD));
  TSR_TRY(tsr_data_mut(ctx, counts, &p));
  for (int64_t i = 0; i < counts->numel; i++) ((int64_t *)p)[i] = TSR_MAX(((int64_t *)p)[i], 1);
  TSR_TRY(tsr_to_dtype(ctx, &typed, counts, (tsr_dtype)work->dtype));
  bool exact = tsr_dtype_is_integral((tsr_dtype)work->dtype, true);
  TSR_TRY(tsr_binary(ctx, &y, exact ? "floor_divide" : "div", work, typed));
  return tsr_copy_into(ctx, work, y);
}

TSR_KERNEL(scatter_reduce) {
  tsr_ctx *ctx = c->ctx;
  tsr_tensor *x = tsr_arg_tensor(c, 0), *idx = tsr_arg_tensor(c, 2), *src, *neutral;
  const tsr_tensor *checked;
  const char *word = tsr_arg_str(c, 4)->bytes;
  bool include_self = tsr_arg_bool(c, 5), mean = false;
  tsr_combine how = TSR_ADD;
  int64_t dim;
  tsr_update u;
  if (!tsr_combine_parse(word, &how, &mean) || strcmp(word, "add") == 0 || strcmp(word, "multiply") == 0)
    return tsr_op_fail(ctx, "reduce argument must be either sum, prod, mean, amax or amin, got %s", word);
  TSR_TRY(tsr_wrap_dim(ctx, tsr_arg_int(c, 1), x->ndim, &dim));
  TSR_TRY(source_arg(c, x, &src, &checked));
  TSR_TRY(check_scatter(ctx, x, idx, checked, dim));
  if (mean && x->dtype == TSR_BOOL) return tsr_op_fail(ctx, "\"scatter_gather_tensor_cpu_reduce_mean\" not implemented for 'Bool'");
  TSR_TRY(tsr_update_begin(c, c->op->data == &in_place, &u));
  if (!include_self) {
    TSR_TRY(tsr_new_scalar(ctx, &neutral, (tsr_dtype)x->dtype, tsr_combine_identity(how, (tsr_dtype)x->dtype)));
    TSR_TRY(scatter_into(ctx, u.work, idx, neutral, dim, TSR_SET));
  }
  TSR_TRY(scatter_into(ctx, u.work, idx, src, dim, how));
  if (mean) TSR_TRY(divide_counts(ctx, u.work, idx, dim, include_self));
  return tsr_update_end(c, &u);
}

const tsr_op tsr_ops_scatter[] = {
    {"aten::gather(Tensor self, int dim, Tensor index, *, bool sparse_grad=False) -> Tensor",
     op_gather, TSR_PURE},
    {"aten::gather.out(Tensor self, int dim, Tensor index, *, bool sparse_grad=False, Tensor(a!) out) -> Tensor(a!)",
     op_gather, TSR_OUT},
    {"aten::take_along_dim(Tensor self, Tensor indices, int? dim=None) -> Tensor",
     op_take_along_dim, TSR_PURE},
    {"aten::take_along_dim.out(Tensor self, Tensor indices, int? dim=None, *, Tensor(a!) out) -> Tensor(a!)",
     op_take_along_dim, TSR_OUT_SAME},
    {"aten::scatter.value(Tensor self, int dim, Tensor index, Scalar value) -> Tensor",
     op_scatter, TSR_PURE},
    {"aten::scatter.src(Tensor self, int dim, Tensor index, Tensor src) -> Tensor",
     op_scatter, TSR_PURE},
    {"aten::scatter.reduce(Tensor self, int dim, Tensor index, Tensor src, *, str reduce) -> Tensor",
     op_scatter_old_reduce, TSR_PURE},
    {"aten::scatter.value_reduce(Tensor self, int dim, Tensor index, Scalar value, *, str reduce) -> Tensor",
     op_scatter_old_reduce, TSR_PURE},
    {"aten::scatter.src_out(Tensor self, int dim, Tensor index, Tensor src, *, Tensor(a!) out) -> Tensor(a!)",
     op_scatter, TSR_OUT_SAME},
    {"aten::scatter.value_out(Tensor self, int dim, Tensor index, Scalar value, *, Tensor(a!) out) -> Tensor(a!)",
     op_scatter, TSR_OUT_SAME},
    {"aten::scatter.reduce_out(Tensor self, int dim, Tensor index, Tensor src, *, str reduce, Tensor(a!) out) -> Tensor(a!)",
     op_scatter_old_reduce, TSR_OUT_SAME},
    {"aten::scatter.value_reduce_out(Tensor self, int dim, Tensor index, Scalar value, *, str reduce, Tensor(a!) out) -> Tensor(a!)",
     op_scatter_old_reduce, TSR_OUT_SAME},
    {"aten::scatter_.src(Tensor(a!) self, int dim, Tensor index, Tensor src) -> Tensor(a!)",
     op_scatter, 0, &in_place},
    {"aten::scatter_.value(Tensor(a!) self, int dim, Tensor index, Scalar value) -> Tensor(a!)",
     op_scatter, 0, &in_place},
    {"aten::scatter_.reduce(Tensor(a!) self, int dim, Tensor index, Tensor src, *, str reduce) -> Tensor(a!)",
     op_scatter_old_reduce, 0, &in_place},
    {"aten::scatter_.value_reduce(Tensor(a!) self, int dim, Tensor index, Scalar value, *, str reduce) -> Tensor(a!)",
     op_scatter_old_reduce, 0, &in_place},
    {"aten::scatter_add(Tensor self, int dim, Tensor index, Tensor src) -> Tensor",
     op_scatter_add, TSR_PURE},
    {"aten::scatter_add.out(Tensor self, int dim, Tensor index, Tensor src, *, Tensor(a!) out) -> Tensor(a!)",
     op_scatter_add, TSR_OUT_SAME},
    {"aten::scatter_add_(Tensor(a!) self, int dim, Tensor index, Tensor src) -> Tensor(a!)",
     op_scatter_add, 0, &in_place},
    {"aten::scatter_reduce.two(Tensor self, int dim, Tensor index, Tensor src, str reduce, *, bool include_self=True) -> Tensor",
     op_scatter_reduce, TSR_PURE},
    {"aten::scatter_reduce.two_out(Tensor self, int dim, Tensor index, Tensor src, str reduce, *, bool include_self=True, Tensor(a!) out) -> Tensor(a!)",
     op_scatter_reduce, TSR_OUT_SAME},
    {"aten::scatter_reduce_.two(Tensor(a!) self, int dim, Tensor index, Tensor src, str reduce, *, bool include_self=True) -> Tensor(a!)",
     op_scatter_reduce, 0, &in_place},
    {0},
};
