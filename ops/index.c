/* Advanced indexing: index and index_put with any mix of integer tensors, masks and gaps.
 *
 * Masks become integer indices, the indices are broadcast together, and their product with the
 * strides gives one offset a broadcast element.  A result element is then at
 * prefix(p) + offset[b] + suffix(s), where prefix and suffix are the dimensions not indexed: before
 * and after the indexed block when that is adjacent, else all of them after it. */
#include "ops/index_run.h"
#include "ops/native.h"
#include "ops/shape.h"

typedef struct index_plan {
  int np, nb, ns;                          /* prefix, broadcast and suffix dimensions */
  int64_t psize[TSR_MAX_NDIM], pstride[TSR_MAX_NDIM];
  int64_t bsize[TSR_MAX_NDIM];
  int64_t ssize[TSR_MAX_NDIM], sstride[TSR_MAX_NDIM];
  int64_t pcount, bcount, scount;
  int64_t *offset;                         /* bcount element offsets */
  int64_t run;                             /* trailing suffix elements that are contiguous in self */
  int ndim; int64_t size[TSR_MAX_NDIM];    /* of the result */
} index_plan;

typedef struct indices { tsr_tensor *at[TSR_MAX_NDIM]; int count; } indices; /* one a dimension, NULL: not indexed */

static tsr_status mask_mismatch(tsr_ctx *ctx, const tsr_tensor *mask, int64_t i, const tsr_tensor *x, int d) {
  char a[256], b[256];
  tsr_sizes_print(a, sizeof a, mask->ndim, mask->size);
  tsr_sizes_print(b, sizeof b, x->ndim, x->size);
  return tsr_op_fail(ctx, "The shape of the mask %s at index %lld does not match the shape of the indexed tensor %s at index %d", a,
                     (long long)i, b, d);
}

/* A mask reaches past the last dimension. */
static tsr_status past_end(tsr_ctx *ctx, const tsr_tensor *x, int d) {
  return tsr_op_fail(ctx, "Dimension out of range (expected to be in range of [%d, %d], but got %d)", -TSR_MAX(x->ndim, 1), TSR_MAX(x->ndim, 1) - 1, d);
}

static tsr_status too_many(tsr_ctx *ctx, const tsr_tensor *x, int64_t got) {
  return tsr_op_fail(ctx, "too many indices for tensor of dimension %d (got %lld)", x->ndim, (long long)got);
}

/* A mask over `ndim` dimensions becomes that many index vectors. */
static tsr_status expand_mask(tsr_ctx *ctx, tsr_tensor *mask, indices *out) {
  tsr_tensor *dense, *v[TSR_MAX_NDIM];
  TSR_TRY(tsr_ready(ctx, &dense, mask, TSR_BOOL));
  const uint8_t *m = tsr_tensor_data_ro(dense);
  int64_t count = 0, pos[TSR_MAX_NDIM] = {0};
  for (int64_t i = 0; i < dense->numel; i++) count += m[i] != 0;
  int64_t *to[TSR_MAX_NDIM];
  for (int d = 0; d < mask->ndim; d++) {
    void *p;
    TSR_TRY(tsr_new(ctx, &v[d], TSR_INT64, 1, &count));
    TSR_TRY(tsr_data_mut(ctx, v[d], &p));
    to[d] = p;
    out->at[out->count++] = v[d];
  }
  for (int64_t i = 0, k = 0; i < dense->numel && mask->ndim > 0; i++) {
    if (m[i] != 0) {
      for (int d = 0; d < mask->ndim; d++) to[d][k] = pos[d];
      k++;
    }
    for (int d = mask->ndim - 1; d >= 0 && ++pos[d] == mask->size[d]; d--) pos[d] = 0;
  }
  return TSR_OK;
}

static tsr_status expand_indices(tsr_ctx *ctx, const tsr_tensor *x, tsr_tensor *const *given, int64_t n, indices *out) {
  out->count = 0;
  int64_t total = 0;
  if (n > x->ndim) return too_many(ctx, x, n);
  for (int64_t i = 0; i < n; i++) {
    bool mask = given[i] != NULL && (given[i]->dtype == TSR_BOOL || given[i]->dtype == TSR_UINT8);
    total += mask ? given[i]->ndim : 1;
  }
  for (int64_t i = 0; i < n; i++) {
    tsr_tensor *t = given[i];
    if (t == NULL) {
      if (out->count >= x->ndim) return too_many(ctx, x, total);
      out->at[out->count++] = NULL;
      continue;
    }
    if (t->dtype == TSR_BOOL || t->dtype == TSR_UINT8) {
      for (int d = 0; d < t->ndim; d++) {
        if (out->count + d >= x->ndim) return past_end(ctx, x, out->count + d);
        if (t->size[d] != x->size[out->count + d]) return mask_mismatch(ctx, t, d, x, out->count + d);
      }
      TSR_TRY(expand_mask(ctx, t, out));
      continue;
    }
    if (t->dtype != TSR_INT64 && t->dtype != TSR_INT32)
      return tsr_op_fail(ctx, "tensors used as indices must be long, int, byte or bool tensors");
    if (out->count >= x->ndim) return too_many(ctx, x, total);
    out->at[out->count++] = t;
  }
  while (out->count < x->ndim) out->at[out->count++] = NULL;
  return TSR_OK;
}

static tsr_status cannot_broadcast(tsr_ctx *ctx, const indices *ix) {
  tsr_buf text = {0};
  char one[256];
  for (int d = 0; d < ix->count; d++) {
    if (ix->at[d] == NULL) continue;
    tsr_sizes_print(one, sizeof one, ix->at[d]->ndim, ix->at[d]->size);
    tsr_buf_printf(&text, "%s%s", text.len > 0 ? ", " : "", one);
  }
  tsr_status st = tsr_op_fail(ctx, "shape mismatch: indexing tensors could not be broadcast together with shapes %s", text.data != NULL ? text.data : "");
  tsr_buf_dispose(&text);
  return st;
}

static tsr_status broadcast_indices(tsr_ctx *ctx, indices *ix, index_plan *p) {
  p->nb = 0;
  for (int k = 0; k < ix->count; k++) {
    const tsr_tensor *t = ix->at[k];
    if (t == NULL) continue;
    int rank = TSR_MAX(p->nb, t->ndim);
    int64_t size[TSR_MAX_NDIM];
    for (int d = 0; d < rank; d++) { /* from the last dimension */
      int64_t a = d < p->nb ? p->bsize[p->nb - 1 - d] : 1, b = d < t->ndim ? t->size[t->ndim - 1 - d] : 1;
      if (a != b && a != 1 && b != 1) return cannot_broadcast(ctx, ix);
      size[rank - 1 - d] = a == 1 ? b : a;
    }
    p->nb = rank;
    memcpy(p->bsize, size, (size_t)rank * sizeof *size);
  }
  return TSR_OK;
}

/* offset += index * stride over the broadcast elements, with bounds checked and negatives wrapped.
 * nth: which of the index tensors this is, as messages count them. */
static tsr_status add_offsets(tsr_ctx *ctx, index_plan *p, tsr_tensor *idx, int64_t size, int64_t stride, int nth) {
  if (idx->ndim != p->nb || memcmp(idx->size, p->bsize, (size_t)p->nb * sizeof *p->bsize) != 0)
    TSR_TRY(tsr_expand(ctx, &idx, idx, p->nb, p->bsize));
  TSR_TRY(tsr_index_ready(ctx, &idx, idx));
  const int64_t *v = tsr_tensor_data_ro(idx);
  for (int64_t i = 0; i < p->bcount; i++) {
    int64_t at = v[i] < 0 ? v[i] + size : v[i];
    if (at < 0 || at >= size)
      return tsr_op_fail(ctx, "index %lld is out of bounds for dimension %d with size %lld", (long long)v[i], nth, (long long)size);
    p->offset[i] += at * stride;
  }
  return TSR_OK;
}

static tsr_status result_size(tsr_ctx *ctx, index_plan *p) {
  TSR_TRY(tsr_check_ndim(ctx, p->np + p->nb + p->ns));
  p->ndim = 0;
  for (int d = 0; d < p->np; d++) p->size[p->ndim++] = p->psize[d];
  for (int d = 0; d < p->nb; d++) p->size[p->ndim++] = p->bsize[d];
  for (int d = 0; d < p->ns; d++) p->size[p->ndim++] = p->ssize[d];
  if (!tsr_numel(p->np, p->psize, &p->pcount) || !tsr_numel(p->nb, p->bsize, &p->bcount) || !tsr_numel(p->ns, p->ssize, &p->scount))
    return tsr_op_nomem(ctx);
  return TSR_OK;
}

/* Shapes only; plan_offsets looks at the indices' values. */
static tsr_status make_plan(tsr_ctx *ctx, const tsr_tensor *x, tsr_tensor *const *given, int64_t n, index_plan *p, indices *ix) {
  TSR_TRY(expand_indices(ctx, x, given, n, ix));
  TSR_TRY(broadcast_indices(ctx, ix, p));
  int first = -1, last = -1, used = 0;
  bool zero_indexed = false;
  for (int d = 0; d < x->ndim; d++) {
    if (ix->at[d] == NULL) continue;
    if (first < 0) first = d;
    last = d;
    used++;
    zero_indexed = zero_indexed || x->size[d] == 0;
  }
  bool adjacent = used > 0 && last - first + 1 == used;
  p->np = p->ns = 0;
  for (int d = 0; d < x->ndim; d++) {
    if (ix->at[d] != NULL) continue;
    bool before = used == 0 || (adjacent && d < first);
    int64_t *size = before ? p->psize : p->ssize, *stride = before ? p->pstride : p->sstride;
    int *k = before ? &p->np : &p->ns;
    size[*k] = x->size[d];
    stride[(*k)++] = x->stride[d];
  }
  TSR_TRY(result_size(ctx, p));
  if (zero_indexed && p->bcount > 0) return tsr_op_fail(ctx, "index is out of bounds for dimension with size 0");
  p->run = 1;
  for (int d = p->ns - 1; d >= 0 && (p->sstride[d] == p->run || p->ssize[d] == 1); d--) p->run *= p->ssize[d];
  return TSR_OK;
}

static tsr_status plan_offsets(tsr_ctx *ctx, const tsr_tensor *x, const indices *ix, index_plan *p) {
  int nth = 0;
  TSR_TRY(tsr_workspace(ctx, p->bcount, sizeof *p->offset, &p->offset));
  if (p->bcount > 0) memset(p->offset, 0, (size_t)p->bcount * sizeof *p->offset);
  for (int d = 0; d < x->ndim; d++)
    if (ix->at[d] != NULL) TSR_TRY(add_offsets(ctx, p, ix->at[d], x->size[d], x->stride[d], nth++));
  return TSR_OK;
}

/* Element offset of linear position i over dimensions size/stride. */
static int64_t offset_of(int n, const int64_t *size, const int64_t *stride, int64_t i) {
  int64_t at = 0;
  for (int d = n - 1; d >= 0; d--) {
    at += i % size[d] * stride[d];
    i /= size[d];
  }
  return at;
}

typedef struct index_job { const index_plan *p; char *out; const char *in; size_t item; } index_job;

/* Copy `n` elements whose source distance is 1. */
static inline void copy_run(char *out, const char *in, size_t bytes) {
  switch (bytes) {
  case 1: *out = *in; break;
  case 2: memcpy(out, in, 2); break;
  case 4: memcpy(out, in, 4); break;
  case 8: memcpy(out, in, 8); break;
  default: memcpy(out, in, bytes); break;
  }
}

/* Rows of one element: a gather over the broadcast elements [from, to) of one prefix. */
static void gather_elements(const index_plan *p, char *out, const char *in, size_t item, int64_t from, int64_t to) {
#define GATHER(type) for (int64_t b = from; b < to; b++) ((type *)(void *)out)[b - from] = ((const type *)(const void *)in)[p->offset[b]]
  switch (item) {
  case 1: GATHER(uint8_t); break;
  case 2: GATHER(uint16_t); break;
  case 4: GATHER(uint32_t); break;
  case 8: GATHER(uint64_t); break;
  default: GATHER(tsr_c128); break;
  }
#undef GATHER
}

/* The same for [begin, end) of all (prefix, broadcast) pairs. */
static void gather_singles(void *arg, int64_t begin, int64_t end) {
  const index_job *j = arg;
  const index_plan *p = j->p;
  for (int64_t i = begin; i < end;) {
    int64_t from = i % p->bcount, to = TSR_MIN(p->bcount, from + end - i);
    int64_t base = offset_of(p->np, p->psize, p->pstride, i / p->bcount);
    gather_elements(p, j->out + (size_t)i * j->item, j->in + base * (int64_t)j->item, j->item, from, to);
    i += to - from;
  }
}

/* Rows of the result: one (prefix, broadcast) pair each. */
static void gather_rows(void *arg, int64_t begin, int64_t end) {
  const index_job *j = arg;
  const index_plan *p = j->p;
  int64_t runs = p->scount / TSR_MAX(p->run, 1);
  size_t run_bytes = (size_t)p->run * j->item;
  char *out = j->out + (size_t)begin * (size_t)p->scount * j->item;
  int outer = p->ns;
  for (int64_t left = p->run; outer > 0 && left > 1; outer--) left /= p->ssize[outer - 1];
  while (outer > 0 && p->ssize[outer - 1] == 1) outer--;
  for (int64_t i = begin; i < end; i++) {
    int64_t base = offset_of(p->np, p->psize, p->pstride, i / p->bcount) + p->offset[i % p->bcount];
    const char *in = j->in + base * (int64_t)j->item;
    for (int64_t s = 0; s < runs; s++, out += run_bytes) {
      int64_t at = runs == 1 ? 0 : offset_of(outer, p->ssize, p->sstride, s);
      copy_run(out, in + at * (int64_t)j->item, run_bytes);
    }
  }
}

/* How dimension a of the result compares with b in the memory order of the operands: the source,
 * where indexed dimensions count as broadcast, then the index tensors.  > 0: a is the slower one. */
static int compare_dims(const index_plan *p, const indices *ix, const int64_t *src, int a, int b) {
  for (int k = -1; k < ix->count; k++) {
    int64_t sa, sb;
    if (k < 0) {
      sa = src[a];
      sb = src[b];
    } else {
      const tsr_tensor *t = ix->at[k];
      if (t == NULL) continue;
      int at = a - (p->np + p->nb - t->ndim), bt = b - (p->np + p->nb - t->ndim); /* its own dimensions */
      bool has_a = at >= 0 && at < t->ndim && (t->size[at] != 1 || p->size[a] == 1);
      bool has_b = bt >= 0 && bt < t->ndim && (t->size[bt] != 1 || p->size[b] == 1);
      sa = has_a ? t->stride[at] : 0;
      sb = has_b ? t->stride[bt] : 0;
    }
    if (sa == 0 || sb == 0) continue;
    if (sa != sb) return sa < sb ? -1 : 1;
    if (p->size[a] > p->size[b]) return 1;
  }
  return 0;
}

/* Strides PyTorch gives the result: its dimensions keep the operands' memory order. */
static void result_strides(const index_plan *p, const indices *ix, int64_t *stride) {
  int64_t src[TSR_MAX_NDIM];
  int order[TSR_MAX_NDIM]; /* fastest first */
  for (int d = 0; d < p->ndim; d++) {
    bool pre = d < p->np, mid = !pre && d < p->np + p->nb;
    src[d] = pre ? p->pstride[d] : mid ? 0 : p->sstride[d - p->np - p->nb];
    order[d] = p->ndim - 1 - d;
  }
  for (int i = 1; i < p->ndim; i++) {
    int at = i;
    for (int k = i - 1; k >= 0; k--) {
      int a = order[k], b = order[at], cmp = compare_dims(p, ix, src, a, b);
      if (cmp < 0) break;
      if (cmp > 0) {
        order[k] = b;
        order[at] = a;
        at = k;
      }
    }
  }
  int64_t step = 1;
  for (int i = 0; i < p->ndim; i++) {
    stride[order[i]] = step;
    step *= TSR_MAX(p->size[order[i]], 1);
  }
}

/* x[mask] with a mask over the leading dimensions of a C-ordered tensor: the rows where it is true. */
static tsr_status select_masked(tsr_ctx *ctx, tsr_tensor **out, const tsr_tensor *x, const tsr_tensor *mask) {
  const uint8_t *m = tsr_tensor_data_ro(mask);
  int64_t size[TSR_MAX_NDIM], count = 0, n = mask->numel;
  void *data;
  for (int64_t i = 0; i < n; i++) count += m[i] != 0;
  size[0] = count;
  for (int d = mask->ndim; d < x->ndim; d++) size[d - mask->ndim + 1] = x->size[d];
  TSR_TRY(tsr_new(ctx, out, (tsr_dtype)x->dtype, x->ndim - mask->ndim + 1, size));
  TSR_TRY(tsr_data_mut(ctx, *out, &data));
  size_t run = n > 0 ? (size_t)(x->numel / n) * tsr_tensor_itemsize(x) : 0;
  const char *in = tsr_tensor_data_ro(x);
  char *to = data, *end = to + (size_t)count * run;
  if (run == 4) { /* without branches: the slot is overwritten until an element stays */
    for (int64_t i = 0; to < end; i++) {
      memcpy(to, in + 4 * i, 4);
      to += 4 * (m[i] != 0);
    }
    return TSR_OK;
  }
  for (int64_t i = 0; to < end; i++) {
    if (m[i] == 0) continue;
    memcpy(to, in + (size_t)i * run, run);
    to += run;
  }
  return TSR_OK;
}

static bool is_leading_mask(const tsr_tensor *x, const tsr_tensor *mask) {
  if (mask == NULL || mask->dtype != TSR_BOOL || mask->ndim == 0 || mask->ndim > x->ndim) return false;
  return memcmp(mask->size, x->size, mask->ndim * sizeof *x->size) == 0 && tsr_tensor_is_contiguous(mask) && tsr_tensor_is_contiguous(x);
}

static tsr_status index_tensor(tsr_ctx *ctx, tsr_tensor **out, const tsr_tensor *x, tsr_tensor *const *given, int64_t n) {
  index_plan p;
  indices ix;
  int64_t stride[TSR_MAX_NDIM];
  tsr_tensor *y;
  void *data;
  TSR_TRY(make_plan(ctx, x, given, n, &p, &ix));
  TSR_TRY(tsr_new(ctx, &y, (tsr_dtype)x->dtype, p.ndim, p.size));
  TSR_TRY(tsr_data_mut(ctx, y, &data));
  *out = y;
  if (y->numel == 0) return TSR_OK; /* indices are not looked at then */
  TSR_TRY(plan_offsets(ctx, x, &ix, &p));
  index_job j = {&p, data, tsr_tensor_data_ro(x), tsr_tensor_itemsize(x)};
  tsr_parallel_for(ctx, p.pcount * p.bcount, (1 << 17) / (p.scount * (int64_t)j.item) + 1, p.scount == 1 ? gather_singles : gather_rows, &j);
  result_strides(&p, &ix, stride);
  bool same = true;
  for (int d = 0; d < p.ndim; d++) same = same && (p.size[d] == 1 || stride[d] == y->stride[d]);
  if (same) return tsr_tensor_set_dims(y, p.ndim, p.size, stride) ? TSR_OK : tsr_op_nomem(ctx);
  TSR_TRY(tsr_new_strided(ctx, out, (tsr_dtype)x->dtype, p.ndim, p.size, stride));
  return tsr_copy_into(ctx, *out, y);
}

TSR_KERNEL(index) {
  int64_t n;
  tsr_tensor **given, *y;
  TSR_TRY(tsr_tensors_arg(c, 1, &given, &n));
  if (n == 0) return tsr_op_fail(c->ctx, "at least one index must be provided");
  tsr_tensor *x = tsr_arg_tensor(c, 0);
  tsr_dtype into;
  if (tsr_out_dtype(c, 0, &into) && into != (tsr_dtype)x->dtype)
    return tsr_op_fail(c->ctx, "index_out: self (%s) and result (%s) must have the same scalar type", tsr_dtype_get_info(x->dtype)->cpp_name, tsr_dtype_get_info(into)->cpp_name);
  if (n == 1 && is_leading_mask(x, given[0])) TSR_TRY(select_masked(c->ctx, &y, x, given[0]));
  else TSR_TRY(index_tensor(c->ctx, &y, x, given, n));
  return tsr_ret_tensor(c, 0, y);
}

/* ---- index_put ---- */

static tsr_status check_values(tsr_ctx *ctx, const tsr_tensor *x, tsr_tensor **values, const index_plan *p) {
  tsr_tensor *v = *values;
  char a[256], b[256];
  if (v->dtype != x->dtype)
    return tsr_op_fail(ctx, "Index put requires the source and destination dtypes match, got %s for the destination and %s for the source.",
                       tsr_dtype_get_info(x->dtype)->cpp_name, tsr_dtype_get_info(v->dtype)->cpp_name);
  bool fits = v->ndim <= p->ndim;
  for (int d = 0; d < v->ndim && fits; d++) {
    int64_t want = p->size[p->ndim - v->ndim + d];
    fits = v->size[d] == want || v->size[d] == 1;
  }
  if (fits) return tsr_expand(ctx, values, v, p->ndim, p->size);
  tsr_sizes_print(a, sizeof a, v->ndim, v->size);
  tsr_sizes_print(b, sizeof b, p->ndim, p->size);
  return tsr_op_fail(ctx, "shape mismatch: value tensor of shape %s cannot be broadcast to indexing result of shape %s", a, b);
}

static tsr_status put_values(tsr_ctx *ctx, tsr_tensor *x, tsr_tensor *values, const index_plan *p, bool accumulate) {
  tsr_run_fn run = tsr_combine_run(accumulate ? TSR_ADD : TSR_SET, (tsr_dtype)x->dtype);
  void *data;
  if (run == NULL) return tsr_op_fail(ctx, "\"index_put\" not implemented for '%s'", tsr_dtype_get_info(x->dtype)->cpp_name);
  TSR_TRY(tsr_data_mut(ctx, x, &data));
  ptrdiff_t item = (ptrdiff_t)tsr_tensor_itemsize(x);
  const char *src = tsr_tensor_data_ro(values);
  int64_t n = p->ns > 0 ? p->ssize[p->ns - 1] : 1, outer = p->scount / TSR_MAX(n, 1);
  ptrdiff_t dstep = p->ns > 0 ? p->sstride[p->ns - 1] * item : item, sstep = p->ns > 0 ? values->stride[p->ndim - 1] * item : item;
  int lead = p->np + p->nb;
  for (int64_t i = 0; i < p->pcount * p->bcount; i++) {
    int64_t to = offset_of(p->np, p->psize, p->pstride, i / p->bcount) + p->offset[i % p->bcount];
    int64_t from = offset_of(lead, p->size, values->stride, i);
    for (int64_t s = 0; s < outer; s++) {
      int64_t to_s = to + offset_of(p->ns - 1, p->ssize, p->sstride, s), from_s = from + offset_of(p->ns - 1, p->ssize, values->stride + lead, s);
      run((char *)data + to_s * item, dstep, src + from_s * item, sstep, n);
    }
  }
  return TSR_OK;
}

static tsr_status index_put(tsr_ctx *ctx, tsr_tensor *x, tsr_tensor *const *given, int64_t n, tsr_tensor *values, bool accumulate) {
  index_plan p;
  indices ix;
  TSR_TRY(make_plan(ctx, x, given, n, &p, &ix));
  if (values->storage == x->storage) TSR_TRY(tsr_clone(ctx, &values, values));
  const tsr_tensor *mask = NULL;
  int64_t count = 0;
  for (int64_t i = 0; i < n; i++)
    if (given[i] != NULL) mask = given[i], count++;
  if (!accumulate && values->numel == 1 && count == 1 && mask->dtype == TSR_UINT8) /* one number behind a mask is filled in */
    return tsr_op_fail(ctx, "masked_fill_ only supports boolean masks, but got mask with dtype %s", tsr_dtype_c_name(TSR_UINT8));
  TSR_TRY(check_values(ctx, x, &values, &p));
  int64_t numel;
  if (!tsr_numel(p.ndim, p.size, &numel)) return tsr_op_nomem(ctx);
  if (numel == 0) return TSR_OK;
  TSR_TRY(plan_offsets(ctx, x, &ix, &p));
  return put_values(ctx, x, values, &p, accumulate);
}

static const char in_place = 1; /* row data */

TSR_KERNEL(index_put) {
  int64_t n;
  tsr_tensor **given, *y = tsr_arg_tensor(c, 0);
  TSR_TRY(tsr_tensors_arg(c, 1, &given, &n));
  if (n == 0) return tsr_op_fail(c->ctx, "at least one index must be provided");
  if (c->op->data != &in_place) TSR_TRY(tsr_clone(c->ctx, &y, y));
  TSR_TRY(index_put(c->ctx, y, given, n, tsr_arg_tensor(c, 2), tsr_arg_bool(c, 3)));
  return tsr_ret_tensor(c, 0, y);
}

/* Indices clamped into range: masked positions may point anywhere. */
static tsr_status clamp_indices(tsr_ctx *ctx, const tsr_tensor *x, tsr_tensor **given, int64_t n) {
  for (int64_t i = 0; i < n; i++) {
    tsr_tensor *wide, *y;
    void *p;
    if (given[i] == NULL || i >= x->ndim) continue;
    TSR_TRY(tsr_index_ready(ctx, &wide, given[i]));
    TSR_TRY(tsr_new(ctx, &y, TSR_INT64, wide->ndim, wide->size));
    TSR_TRY(tsr_data_mut(ctx, y, &p));
    const int64_t *v = tsr_tensor_data_ro(wide);
    for (int64_t k = 0; k < y->numel; k++) ((int64_t *)p)[k] = TSR_MAX(TSR_MIN(v[k], x->size[i] - 1), -x->size[i]);
    given[i] = y;
  }
  return TSR_OK;
}

/* What the "unsafe" forms take as an index. */
static tsr_status check_unsafe(tsr_ctx *ctx, const char *op, tsr_tensor *const *given, int64_t n) {
  for (int64_t i = 0; i < n; i++)
    if (given[i] != NULL && given[i]->dtype != TSR_INT64 && given[i]->dtype != TSR_INT32)
      return tsr_op_fail(ctx, "%s found unexpected index type %s", op, tsr_dtype_get_info(given[i]->dtype)->cpp_name);
  return TSR_OK;
}

TSR_KERNEL(unsafe_index) {
  int64_t n;
  tsr_tensor **given;
  TSR_TRY(tsr_tensors_arg(c, 1, &given, &n));
  TSR_TRY(check_unsafe(c->ctx, "_unsafe_index", given, n));
  return op_index(c);
}

TSR_KERNEL(masked_index) {
  int64_t n;
  tsr_tensor **given, *y, *mask = tsr_arg_tensor(c, 1), *x = tsr_arg_tensor(c, 0), *fill;
  TSR_TRY(tsr_tensors_arg(c, 2, &given, &n));
  TSR_TRY(check_unsafe(c->ctx, "_unsafe_masked_index", given, n));
  TSR_TRY(tsr_new_scalar(c->ctx, &fill, (tsr_dtype)x->dtype, tsr_arg_scalar(c, 3)));
  if (x->numel == 0) {
    int64_t size[TSR_MAX_NDIM];
    int rank = 0;
    for (int64_t i = 0; i < n; i++)
      if (given[i] != NULL) TSR_TRY(tsr_broadcast_sizes(c->ctx, rank, memcpy((int64_t[TSR_MAX_NDIM]){0}, size, (size_t)rank * sizeof *size), given[i]->ndim, given[i]->size, &rank, size));
    TSR_TRY(tsr_new(c->ctx, &y, (tsr_dtype)x->dtype, rank, size));
    TSR_TRY(tsr_copy_into(c->ctx, y, fill));
    return tsr_ret_tensor(c, 0, y);
  }
  TSR_TRY(clamp_indices(c->ctx, x, given, n));
  TSR_TRY(index_tensor(c->ctx, &y, x, given, n));
  TSR_TRY(tsr_to_dtype(c->ctx, &mask, mask, TSR_BOOL));
  TSR_TRY(tsr_where(c->ctx, &y, mask, y, fill));
  TSR_TRY(tsr_contiguous(c->ctx, &y, y));
  return tsr_ret_tensor(c, 0, y);
}

TSR_KERNEL(masked_index_put) {
  int64_t n;
  tsr_tensor **given, *y, *mask = tsr_arg_tensor(c, 1), *x = tsr_arg_tensor(c, 0), *values = tsr_arg_tensor(c, 3), *zero;
  TSR_TRY(tsr_tensors_arg(c, 2, &given, &n));
  TSR_TRY(tsr_clone(c->ctx, &y, x));
  if (x->numel == 0) return tsr_ret_tensor(c, 0, y);
  TSR_TRY(check_unsafe(c->ctx, "_unsafe_masked_index", given, n));
  TSR_TRY(clamp_indices(c->ctx, x, given, n));
  TSR_TRY(tsr_new_scalar(c->ctx, &zero, (tsr_dtype)values->dtype, tsr_scalar_int(0)));
  TSR_TRY(tsr_to_dtype(c->ctx, &mask, mask, TSR_BOOL));
  TSR_TRY(tsr_where(c->ctx, &values, mask, values, zero));
  TSR_TRY(index_put(c->ctx, y, given, n, values, true));
  return tsr_ret_tensor(c, 0, y);
}

const tsr_op tsr_ops_index[] = {
    {"aten::index.Tensor(Tensor self, Tensor?[] indices) -> Tensor",
     op_index, TSR_PURE},
    {"aten::index.Tensor_out(Tensor self, Tensor?[] indices, *, Tensor(a!) out) -> Tensor(a!)",
     op_index, TSR_OUT},
    {"aten::index.Tensor_hacked_twin(Tensor self, Tensor[] indices) -> Tensor",
     op_index, TSR_PURE},
    {"aten::_unsafe_index.Tensor(Tensor self, Tensor?[] indices) -> Tensor",
     op_unsafe_index, TSR_PURE},
    {"aten::_unsafe_index.Tensor_hacked_twin(Tensor self, Tensor[] indices) -> Tensor",
     op_unsafe_index, TSR_PURE},
    {"aten::index_put(Tensor self, Tensor?[] indices, Tensor values, bool accumulate=False) -> Tensor",
     op_index_put, TSR_PURE},
    {"aten::index_put.out(Tensor self, Tensor?[] indices, Tensor values, bool accumulate=False, *, Tensor(a!) out) -> Tensor(a!)",
     op_index_put, TSR_OUT_NEW},
    {"aten::index_put.hacked_twin(Tensor self, Tensor[] indices, Tensor values, bool accumulate=False) -> Tensor",
     op_index_put, TSR_PURE},
    {"aten::index_put_(Tensor(a!) self, Tensor?[] indices, Tensor values, bool accumulate=False) -> Tensor(a!)",
     op_index_put, 0, &in_place},
    {"aten::index_put_.hacked_twin(Tensor(a!) self, Tensor[] indices, Tensor values, bool accumulate=False) -> Tensor(a!)",
     op_index_put, 0, &in_place},
    {"aten::_unsafe_index_put(Tensor self, Tensor?[] indices, Tensor values, bool accumulate=False) -> Tensor",
     op_index_put, TSR_PURE},
    {"aten::_unsafe_index_put.hacked_twin(Tensor self, Tensor[] indices, Tensor values, bool accumulate=False) -> Tensor",
     op_index_put, TSR_PURE},
    {"aten::_index_put_impl(Tensor self, Tensor?[] indices, Tensor values, bool accumulate=False, bool unsafe=False) -> Tensor",
     op_index_put, TSR_PURE},
    {"aten::_index_put_impl.out(Tensor self, Tensor?[] indices, Tensor values, bool accumulate=False, bool unsafe=False, *, Tensor(a!) out) -> Tensor(a!)",
     op_index_put, TSR_OUT_NEW},
    {"aten::_index_put_impl_(Tensor(a!) self, Tensor?[] indices, Tensor values, bool accumulate=False, bool unsafe=False) -> Tensor(a!)",
     op_index_put, 0, &in_place},
    {"aten::_index_put_impl_.hacked_twin(Tensor(a!) self, Tensor[] indices, Tensor values, bool accumulate=False, bool unsafe=False) -> Tensor(a!)",
     op_index_put, 0, &in_place},
    {"aten::_unsafe_masked_index(Tensor self, Tensor mask, Tensor?[] indices, Scalar fill) -> Tensor",
     op_masked_index, TSR_PURE},
    {"aten::_unsafe_masked_index_put_accumulate(Tensor self, Tensor mask, Tensor?[] indices, Tensor values) -> Tensor",
     op_masked_index_put, TSR_PURE},
    {0},
};
