/* See iter.h. */
#include "ops/iter.h"

void tsr_iter_init(tsr_iter *it, tsr_ctx *ctx) {
  it->ctx = ctx;
  it->count = it->nout = 0;
  it->ndim = 0;
  it->numel = 0;
  it->fixed_out = it->overlap_ok = false;
  it->offers = 0;
  it->promoted = -1;
}

static tsr_iter_operand *add(tsr_iter *it) {
  tsr_iter_operand *o = &it->op[it->count++];
  o->t = NULL;
  o->data = NULL;
  o->out = o->wrapped = false;
  return o;
}

void tsr_iter_add_out(tsr_iter *it, tsr_tensor *t, tsr_dtype dtype) {
  tsr_iter_operand *o = add(it);
  o->t = t;
  o->out = true;
  o->dtype = t ? (tsr_dtype)t->dtype : dtype;
  it->nout++;
}

void tsr_iter_add_in(tsr_iter *it, const tsr_tensor *t) {
  tsr_iter_operand *o = add(it);
  o->t = (tsr_tensor *)(uintptr_t)t;
  o->dtype = (tsr_dtype)t->dtype;
  o->wrapped = t->wrapped_number;
}

void tsr_iter_add_scalar(tsr_iter *it, tsr_scalar s) {
  tsr_iter_operand *o = add(it);
  o->wrapped = true;
  o->data = NULL; /* points into the operand itself; set by plan, as iterators may be copied before */
  if (s.tag == TSR_V_BOOL) {
    o->dtype = TSR_BOOL;
    o->value[0] = s.i != 0;
  } else if (s.tag == TSR_V_INT) {
    o->dtype = TSR_INT64;
    memcpy(o->value, &s.i, sizeof s.i);
  } else if (s.tag == TSR_V_COMPLEX) {
    o->dtype = TSR_COMPLEX128;
    memcpy(o->value, &s.z, sizeof s.z);
  } else {
    o->dtype = TSR_FLOAT64;
    memcpy(o->value, &s.d, sizeof s.d);
  }
}

/* ---- result shape ---- */

static bool same_sizes(int an, const int64_t *a, int bn, const int64_t *b) {
  return an == bn && memcmp(a, b, (size_t)an * sizeof *a) == 0;
}

static tsr_status broadcast(tsr_iter *it, const tsr_tensor *t) {
  int n = TSR_MAX(it->shape_ndim, t->ndim);
  int64_t r[TSR_MAX_NDIM];
  for (int i = n - 1; i >= 0; i--) {
    int ia = it->shape_ndim - (n - i), ib = t->ndim - (n - i);
    int64_t a = ia >= 0 ? it->shape[ia] : 1, b = ib >= 0 ? t->size[ib] : 1;
    if (a != b && a != 1 && b != 1)
      return tsr_op_fail(it->ctx, "The size of tensor a (%lld) must match the size of tensor b (%lld) at non-singleton dimension %d",
                         (long long)a, (long long)b, i);
    r[i] = a == 1 ? b : a;
  }
  it->shape_ndim = n;
  memcpy(it->shape, r, (size_t)n * sizeof *r);
  return TSR_OK;
}

/* *same: every tensor input has the result's sizes. */
static tsr_status find_shape(tsr_iter *it, bool *same) {
  bool first = true;
  *same = true;
  it->shape_ndim = 0;
  for (int k = it->fixed_out ? 0 : it->nout; k < it->count; k++) {
    tsr_tensor *t = it->op[k].t;
    if (t == NULL) continue;
    if (first) {
      it->shape_ndim = t->ndim;
      memcpy(it->shape, t->size, t->ndim * sizeof *it->shape);
      first = false;
    } else if (!same_sizes(it->shape_ndim, it->shape, t->ndim, t->size)) {
      *same = false;
      TSR_TRY(broadcast(it, t));
    }
  }
  if (!tsr_numel(it->shape_ndim, it->shape, &it->numel))
    return tsr_op_fail(it->ctx, "the broadcast shape has too many elements");
  return TSR_OK;
}

static tsr_status check_overlap(const tsr_iter *it) {
  for (int k = 0; k < it->nout; k++) {
    const tsr_tensor *t = it->op[k].t;
    if (t == NULL) continue;
    if (!it->overlap_ok) TSR_TRY(tsr_check_no_internal_overlap(it->ctx, t));
    for (int i = it->nout; i < it->count; i++)
      if (it->op[i].t) TSR_TRY(tsr_check_no_partial_overlap(it->ctx, t, it->op[i].t));
  }
  return TSR_OK;
}

static tsr_status check_out_shape(const tsr_iter *it) {
  for (int k = 0; k < it->nout; k++) {
    const tsr_tensor *t = it->op[k].t;
    if (t == NULL || same_sizes(it->shape_ndim, it->shape, t->ndim, t->size)) continue;
    char a[256], b[256];
    tsr_sizes_print(a, sizeof a, t->ndim, t->size);
    tsr_sizes_print(b, sizeof b, it->shape_ndim, it->shape);
    return tsr_op_fail(it->ctx, "output with shape %s doesn't match the broadcast shape %s", a, b);
  }
  return TSR_OK;
}

static tsr_status check(tsr_iter *it, bool *same) {
  TSR_TRY(check_overlap(it));
  TSR_TRY(find_shape(it, same));
  return check_out_shape(it);
}

tsr_status tsr_iter_check(tsr_iter *it) {
  bool same;
  return check(it, &same);
}

/* Take over an offered buffer.  The first tensor operand decides the layout, so it may have any; others
 * must be contiguous like everything else. */
static void take_offer(tsr_iter *it, bool contiguous) {
  for (int i = 0; i < it->offers && it->op[0].t == NULL; i++) {
    tsr_tensor *t = it->op[it->offer[i]].t;
    if (t == NULL || t->dtype != it->op[0].dtype || !same_sizes(it->shape_ndim, it->shape, t->ndim, t->size)) continue;
    bool first = true;
    for (int k = it->nout; k < it->offer[i]; k++) first = first && it->op[k].t == NULL;
    if (contiguous || first) it->op[0].t = t;
  }
}

/* ---- layout ---- */

/* All operands have one shape and one dense layout: then the walk is a single row, whatever the layout. */
static bool plan_flat(tsr_iter *it, const tsr_tensor **layout) {
  bool contiguous = true, channels_last = true, dense = true;
  const tsr_tensor *first = NULL;
  for (int k = 0; k < it->count; k++) {
    const tsr_tensor *t = it->op[k].t;
    if (t == NULL) continue;
    contiguous = contiguous && tsr_tensor_is_contiguous(t);
    if (contiguous) {
      if (first == NULL) first = t;
      continue;
    }
    channels_last = channels_last && (t->ndim == 4 || t->ndim == 5) && tsr_tensor_is_channels_last(t);
    dense = dense && tsr_tensor_is_dense(t);
    if (first == NULL) first = t;
    if (!dense && !channels_last) return false;
  }
  if (first == NULL) return false;
  if (!contiguous) { /* earlier operands may have been contiguous only */
    for (int k = 0; k < it->count; k++) {
      const tsr_tensor *t = it->op[k].t;
      if (t == NULL) continue;
      channels_last = channels_last && tsr_tensor_is_channels_last(t);
      dense = dense && same_sizes(t->ndim, t->stride, first->ndim, first->stride);
    }
    if (!channels_last && !dense) return false;
  }
  *layout = contiguous ? NULL : first;
  return true;
}

static tsr_status finish_flat(tsr_iter *it, const tsr_tensor *layout) {
  for (int k = 0; k < it->count; k++) {
    tsr_iter_operand *o = &it->op[k];
    if (o->out && o->t == NULL) {
      if (layout == NULL) TSR_TRY(tsr_new(it->ctx, &o->t, o->dtype, it->shape_ndim, it->shape));
      else {
        int64_t st[TSR_MAX_NDIM];
        if (tsr_tensor_is_channels_last(layout)) tsr_strides_channels_last(it->shape_ndim, it->shape, st);
        else memcpy(st, layout->stride, layout->ndim * sizeof *st);
        TSR_TRY(tsr_new_strided(it->ctx, &o->t, o->dtype, it->shape_ndim, it->shape, st));
      }
    }
    o->step[0] = o->t ? (int64_t)tsr_dtype_size(o->dtype) : 0;
  }
  it->ndim = 1;
  it->size[0] = it->numel;
  return TSR_OK;
}

/* Steps in the program's dimension order; operands without tensor are filled later. */
static void set_steps(tsr_iter *it) {
  int n = it->shape_ndim;
  for (int k = 0; k < it->count; k++) {
    tsr_iter_operand *o = &it->op[k];
    int lead = o->t ? n - o->t->ndim : n;
    int64_t item = (int64_t)tsr_dtype_size(o->dtype);
    for (int i = 0; i < n; i++)
      o->step[i] = i < lead || (o->t->size[i - lead] == 1 && it->shape[i] != 1) ? 0
                   : (int64_t)((uint64_t)o->t->stride[i - lead] * (uint64_t)item); /* may wrap where the size is 1: never used */
  }
}

/* An input that PyTorch would convert before it looks at layouts: its copy has no gaps and no repetitions.  True: there is one. */
static bool set_promoted_steps(tsr_iter *it) {
  bool any = false;
  for (int k = it->nout; k < it->count && it->promoted >= 0; k++) {
    tsr_iter_operand *o = &it->op[k];
    int64_t stride[TSR_MAX_NDIM];
    if (o->t == NULL || (int)o->dtype == it->promoted || tsr_tensor_is_dense(o->t)) continue;
    any = true;
    tsr_dense_strides(o->t, stride);
    for (int i = 0, lead = it->shape_ndim - o->t->ndim; i < o->t->ndim; i++)
      if (o->step[i + lead] != 0 || o->t->size[i] == it->shape[i + lead]) o->step[i + lead] = stride[i];
  }
  return any;
}

/* Should dimension a be farther out than b?  1: swap them, -1: no, 0: undecided. */
static int order_dims(const tsr_iter *it, int a, int b) {
  for (int k = 0; k < it->count; k++) {
    const tsr_iter_operand *o = &it->op[k];
    if (o->t == NULL) continue;
    int64_t sa = o->step[a], sb = o->step[b];
    if (sa == 0 || sb == 0) continue;
    if (sa != sb) return sa < sb ? -1 : 1;
    if (it->shape[a] > it->shape[b]) return 1;
  }
  return 0;
}

static void sort_dims(const tsr_iter *it, int *perm) {
  int n = it->shape_ndim;
  for (int i = 0; i < n; i++) perm[i] = n - 1 - i;
  for (int i = 1; i < n; i++) {
    int d1 = i;
    for (int d0 = i - 1; d0 >= 0; d0--) {
      int c = order_dims(it, perm[d0], perm[d1]);
      if (c > 0) {
        int t = perm[d0];
        perm[d0] = perm[d1];
        perm[d1] = t;
        d1 = d0;
      } else if (c < 0) break;
    }
  }
}

static tsr_status make_outs(tsr_iter *it, const int *perm) {
  int n = it->shape_ndim;
  bool plain = true;
  for (int i = 0; i < n; i++) plain = plain && perm[i] == n - 1 - i;
  for (int k = 0; k < it->nout; k++) {
    tsr_iter_operand *o = &it->op[k];
    if (o->t) continue;
    int64_t st[TSR_MAX_NDIM], next = 1;
    for (int i = 0; i < n; i++) {
      st[perm[i]] = next;
      next *= it->shape[perm[i]];
    }
    if (plain) TSR_TRY(tsr_new(it->ctx, &o->t, o->dtype, n, it->shape));
    else TSR_TRY(tsr_new_strided(it->ctx, &o->t, o->dtype, n, it->shape, st));
    for (int i = 0; i < n; i++) o->step[i] = o->t->stride[i] * (int64_t)tsr_dtype_size(o->dtype);
  }
  return TSR_OK;
}

static bool can_merge(const tsr_iter *it, int into, int d) {
  if (it->size[into] == 1 || it->size[d] == 1) return true;
  for (int k = 0; k < it->count; k++)
    if (it->op[k].step[into] * it->size[into] != it->op[k].step[d]) return false;
  return true;
}

/* Reorder by perm, then merge neighbours that are one run in every operand. */
static void merge_dims(tsr_iter *it, const int *perm) {
  int n = it->shape_ndim;
  for (int i = 0; i < n; i++) it->size[i] = it->shape[perm[i]];
  for (int k = 0; k < it->count; k++) {
    int64_t old[TSR_MAX_NDIM];
    memcpy(old, it->op[k].step, (size_t)n * sizeof *old);
    for (int i = 0; i < n; i++) it->op[k].step[i] = old[perm[i]];
  }
  if (n == 0) {
    it->ndim = 1;
    it->size[0] = 1;
    for (int k = 0; k < it->count; k++) it->op[k].step[0] = 0;
    return;
  }
  int at = 0;
  for (int d = 1; d < n; d++) {
    if (can_merge(it, at, d)) {
      for (int k = 0; k < it->count; k++)
        if (it->size[at] == 1) it->op[k].step[at] = it->op[k].step[d];
      it->size[at] *= it->size[d];
      continue;
    }
    at++;
    it->size[at] = it->size[d];
    for (int k = 0; k < it->count; k++) it->op[k].step[at] = it->op[k].step[d];
  }
  it->ndim = at + 1;
}

static tsr_status set_data(tsr_iter *it) {
  for (int k = 0; k < it->count; k++) {
    tsr_iter_operand *o = &it->op[k];
    if (o->t == NULL) o->data = (char *)o->value;
    else if (o->out) {
      void *p = NULL;
      TSR_TRY(tsr_data_mut(it->ctx, o->t, &p));
      o->data = p;
    }
  }
  /* after the outputs: a first write may have moved storage that an input shares */
  for (int k = it->nout; k < it->count; k++)
    if (it->op[k].t) it->op[k].data = (char *)(uintptr_t)tsr_tensor_data_ro(it->op[k].t);
  return TSR_OK;
}

tsr_status tsr_iter_plan(tsr_iter *it) {
  bool same;
  const tsr_tensor *layout = NULL;
  TSR_TRY(check(it, &same));
  bool scalars = false;
  for (int k = it->nout; k < it->count; k++) scalars = scalars || it->op[k].t == NULL;
  bool flat = same && plan_flat(it, &layout) && !(scalars && layout != NULL);
  if (it->offers) take_offer(it, flat && layout == NULL);
  if (flat) TSR_TRY(finish_flat(it, layout));
  else {
    int perm[TSR_MAX_NDIM];
    set_steps(it);
    bool changed = set_promoted_steps(it);
    sort_dims(it, perm);
    if (changed) set_steps(it);
    TSR_TRY(make_outs(it, perm));
    merge_dims(it, perm);
  }
  return set_data(it);
}

/* ---- walking ---- */

void tsr_iter_rows(const tsr_iter *it, int64_t begin, int64_t end, tsr_iter_row_fn fn, void *arg) {
  char *row[TSR_ITER_MAX], *ptr[TSR_ITER_MAX]; /* row: start of the current row */
  int64_t at[TSR_MAX_NDIM], rest = begin;
  if (begin >= end) return;
  for (int d = 0; d < it->ndim; d++) {
    at[d] = rest % it->size[d];
    rest /= it->size[d];
  }
  for (int k = 0; k < it->count; k++) {
    row[k] = it->op[k].data;
    for (int d = 1; d < it->ndim; d++) row[k] += at[d] * it->op[k].step[d];
    ptr[k] = row[k] + at[0] * it->op[k].step[0];
  }
  for (int64_t col = at[0]; begin < end; col = 0) {
    int64_t n = TSR_MIN(end - begin, it->size[0] - col);
    fn(arg, ptr, n);
    begin += n;
    for (int d = 1; d < it->ndim; d++) { /* to the next row, carrying outwards */
      bool carry = ++at[d] == it->size[d];
      for (int k = 0; k < it->count; k++) row[k] += carry ? (1 - at[d]) * it->op[k].step[d] : it->op[k].step[d];
      if (!carry) break;
      at[d] = 0;
    }
    memcpy(ptr, row, sizeof ptr);
  }
}

/* ---- overlap ---- */

tsr_status tsr_check_no_internal_overlap(tsr_ctx *ctx, const tsr_tensor *t) {
  if (t->numel <= 1 || tsr_tensor_is_dense(t)) return TSR_OK;
  for (int i = 0; i < t->ndim; i++)
    if (t->size[i] > 1 && t->stride[i] == 0)
      return tsr_op_fail(ctx, "unsupported operation: more than one element of the written-to tensor refers to a single memory location. Please clone() the tensor before performing the operation.");
  return TSR_OK;
}

/* Byte range [*lo, *hi) of a non-empty tensor. */
static void extent(const tsr_tensor *t, int64_t *lo, int64_t *hi) {
  int64_t item = (int64_t)tsr_tensor_itemsize(t), a = t->offset, b = t->offset;
  for (int i = 0; i < t->ndim; i++) {
    int64_t far = (t->size[i] - 1) * t->stride[i];
    if (far < 0) a += far;
    else b += far;
  }
  *lo = a * item;
  *hi = (b + 1) * item;
}

static bool intersects(const tsr_tensor *a, const tsr_tensor *b) {
  if (a->storage != b->storage || a->numel == 0 || b->numel == 0) return false;
  int64_t alo, ahi, blo, bhi;
  extent(a, &alo, &ahi);
  extent(b, &blo, &bhi);
  return alo < bhi && blo < ahi;
}

static bool same_geometry(const tsr_tensor *a, const tsr_tensor *b) {
  return a->dtype == b->dtype && a->offset == b->offset && same_sizes(a->ndim, a->size, b->ndim, b->size) &&
         same_sizes(a->ndim, a->stride, b->ndim, b->stride);
}

bool tsr_may_overlap(const tsr_tensor *a, const tsr_tensor *b) { return intersects(a, b) && !same_geometry(a, b); }

tsr_status tsr_check_no_partial_overlap(tsr_ctx *ctx, const tsr_tensor *out, const tsr_tensor *in) {
  return out == in || same_geometry(out, in) ? TSR_OK : tsr_check_no_overlap(ctx, out, in);
}

tsr_status tsr_check_no_overlap(tsr_ctx *ctx, const tsr_tensor *out, const tsr_tensor *in) {
  if (!intersects(out, in) || !tsr_tensor_is_dense(out) || !tsr_tensor_is_dense(in)) return TSR_OK;
  return tsr_op_fail(ctx, "unsupported operation: some elements of the input tensor and the written-to tensor refer to a single memory location. Please clone() the tensor before performing the operation.");
}
