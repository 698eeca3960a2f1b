/* Copies between tensors of any layout and type: what other families call.  The operators are in cast.c. */
#pragma GCC optimize("O3")
#include <math.h>

#include "ops/pointwise.h"

#define GRAIN_BYTES (128 << 10)
#define TILE 16 /* elements a side: two tiles of 8-byte elements stay in the first-level cache */

typedef struct copy_job {
  tsr_iter *it;
  int64_t item;
  int across;       /* transposed copies: the dimension along which the source is adjacent */
  int64_t dim[2];   /* sizes of the tile plane: dims 0 and `across` */
} copy_job;

/* ---- same type: bytes ---- */

#define COPY_STRIDED(T)                                                                        \
  for (int64_t i = 0; i < n; i++) *(T *)(void *)(d + i * ds) = *(const T *)(const void *)(s + i * ss); \
  break;
static void copy_strided(char *d, int64_t ds, const char *s, int64_t ss, int64_t item, int64_t n) {
  if (ds == item && ss == item) {
    memcpy(d, s, (size_t)(n * item));
    return;
  }
  switch (item) {
  case 1: COPY_STRIDED(uint8_t)
  case 2: COPY_STRIDED(uint16_t)
  case 4: COPY_STRIDED(uint32_t)
  case 8: COPY_STRIDED(uint64_t)
  default: COPY_STRIDED(tsr_c128)
  }
}

static void copy_row(void *arg, char *const *ptr, int64_t n) {
  const copy_job *j = arg;
  copy_strided(ptr[0], j->it->op[0].step[0], ptr[1], j->it->op[1].step[0], j->item, n);
}

static void copy_range(void *arg, int64_t begin, int64_t end) {
  const copy_job *j = arg;
  tsr_iter_rows(j->it, begin, end, copy_row, arg);
}

#define TILE_LOOP(T)                                                                            \
  for (int64_t r = 0; r < rows; r++)                                                            \
    for (int64_t c = 0; c < cols; c++)                                                          \
      *(T *)(void *)(d + r * dr + c * dc) = *(const T *)(const void *)(s + r * sr + c * sc);    \
  break;
static void copy_tile(char *d, int64_t dr, int64_t dc, const char *s, int64_t sr, int64_t sc, int64_t item, int64_t rows, int64_t cols) {
  switch (item) {
  case 1: TILE_LOOP(uint8_t)
  case 2: TILE_LOOP(uint16_t)
  case 4: TILE_LOOP(uint32_t)
  case 8: TILE_LOOP(uint64_t)
  default: TILE_LOOP(tsr_c128)
  }
}

/* One plane (dims 0 and across) by tiles, rows [r0, r1) of `across`. */
static void copy_plane(const copy_job *j, char *d, const char *s, int64_t r0, int64_t r1) {
  const tsr_iter_operand *o = &j->it->op[0], *i = &j->it->op[1];
  int a = j->across;
  for (int64_t r = r0; r < r1; r += TILE)
    for (int64_t c = 0; c < j->dim[0]; c += TILE)
      copy_tile(d + r * o->step[a] + c * o->step[0], o->step[a], o->step[0], s + r * i->step[a] + c * i->step[0], i->step[a], i->step[0],
                j->item, TSR_MIN(TILE, r1 - r), TSR_MIN(TILE, j->dim[0] - c));
}

/* Linear range over (outer dims, strips of TILE rows). */
static void transpose_range(void *arg, int64_t begin, int64_t end) {
  const copy_job *j = arg;
  const tsr_iter *it = j->it;
  int64_t strips = (j->dim[1] + TILE - 1) / TILE;
  for (int64_t t = begin; t < end; t++) {
    int64_t outer = t / strips, r0 = t % strips * TILE;
    char *d = it->op[0].data;
    const char *s = it->op[1].data;
    for (int k = 1; k < it->ndim; k++) {
      if (k == j->across) continue;
      d += outer % it->size[k] * it->op[0].step[k];
      s += outer % it->size[k] * it->op[1].step[k];
      outer /= it->size[k];
    }
    copy_plane(j, d, s, r0, TSR_MIN(r0 + TILE, j->dim[1]));
  }
}

static int find_across(const tsr_iter *it, int64_t item) {
  if (it->op[0].step[0] != item || it->op[1].step[0] == item || it->op[1].step[0] == 0 || it->size[0] < 4) return 0;
  for (int k = 1; k < it->ndim; k++)
    if (it->op[1].step[k] == item && it->size[k] >= 4) return k;
  return 0;
}

static void copy_same_type(tsr_iter *it) {
  copy_job j = {.it = it, .item = (int64_t)tsr_dtype_size(it->op[0].dtype)};
  j.across = find_across(it, j.item);
  int64_t grain = TSR_MAX(GRAIN_BYTES / j.item, 1);
  if (j.across == 0) {
    if (it->numel <= grain) copy_range(&j, 0, it->numel);
    else tsr_parallel_for(it->ctx, it->numel, grain, copy_range, &j);
    return;
  }
  j.dim[0] = it->size[0];
  j.dim[1] = it->size[j.across];
  int64_t strips = (j.dim[1] + TILE - 1) / TILE, tasks = it->numel / (j.dim[0] * j.dim[1]) * strips;
  tsr_parallel_for(it->ctx, tasks, TSR_MAX(grain / (TILE * j.dim[0]), 1), transpose_range, &j);
}

/* Types the block converters do not know (float8): through contiguous buffers. */
static tsr_status copy_odd(tsr_ctx *ctx, tsr_tensor *dst, const tsr_tensor *src) {
  tsr_tensor *s, *d;
  void *p;
  const tsr_tensor *odd = tsr_dtype_is_opaque((tsr_dtype)src->dtype) ? src : dst;
  if (tsr_dtype_is_opaque((tsr_dtype)odd->dtype))
    return tsr_op_fail(ctx, "\"copy_\" not implemented for '%s'", tsr_dtype_get_info(odd->dtype)->cpp_name);
  TSR_TRY(tsr_new(ctx, &s, (tsr_dtype)src->dtype, src->ndim, src->size));
  TSR_TRY(tsr_copy_into(ctx, s, src));
  TSR_TRY(tsr_new(ctx, &d, (tsr_dtype)dst->dtype, src->ndim, src->size));
  TSR_TRY(tsr_data_mut(ctx, d, &p));
  tsr_convert((tsr_dtype)d->dtype, p, (tsr_dtype)s->dtype, tsr_tensor_data_ro(s), s->numel);
  return tsr_copy_into(ctx, dst, d);
}

/* A type to convert through that holds every value of `from` and rounds no more than once: floats are
 * faster than 64-bit integers. */
static tsr_dtype middle(tsr_dtype from, tsr_dtype to) {
  bool narrow = from == TSR_UINT8 || from == TSR_INT8 || from == TSR_INT16 || from == TSR_BOOL;
  if (narrow && (to == TSR_FLOAT32 || to == TSR_FLOAT16 || to == TSR_BFLOAT16)) return TSR_FLOAT32;
  if ((narrow || from == TSR_INT32) && (to == TSR_FLOAT32 || to == TSR_FLOAT64)) return TSR_FLOAT64;
  return from;
}

tsr_status tsr_copy_into(tsr_ctx *ctx, tsr_tensor *dst, const tsr_tensor *src) {
  tsr_iter it;
  if (tsr_may_overlap(dst, src)) {
    tsr_tensor *own;
    TSR_TRY(tsr_clone(ctx, &own, (tsr_tensor *)(uintptr_t)src));
    src = own;
  }
  tsr_dtype from = (tsr_dtype)src->dtype, to = (tsr_dtype)dst->dtype;
  if (from != to && src->numel > 0 && (!tsr_cvt_load(TSR_CT_F32, from) || !tsr_cvt_load(TSR_CT_F32, to))) return copy_odd(ctx, dst, src);
  tsr_iter_init(&it, ctx);
  it.fixed_out = true;
  tsr_iter_add_out(&it, dst, to);
  tsr_iter_add_in(&it, src);
  TSR_TRY(tsr_iter_plan(&it));
  if (it.numel == 0) return TSR_OK;
  if (from != to) return tsr_map_run(&it, TSR_MAP_copy, middle(from, to), NULL);
  copy_same_type(&it);
  return TSR_OK;
}

tsr_status tsr_fill(tsr_ctx *ctx, tsr_tensor *dst, tsr_scalar s) {
  tsr_iter it;
  void *p;
  if (dst->numel == 0) return TSR_OK;
  if (s.d == 0 && s.i == 0 && s.z.re == 0 && s.z.im == 0 && !signbit(s.d) && tsr_tensor_is_dense(dst)) {
    TSR_TRY(tsr_data_mut(ctx, dst, &p));
    memset(p, 0, (size_t)dst->numel * tsr_tensor_itemsize(dst));
    return TSR_OK;
  }
  if (tsr_cvt_load(TSR_CT_F32, (tsr_dtype)dst->dtype) == NULL) {
    tsr_tensor *one;
    TSR_TRY(tsr_new_scalar(ctx, &one, (tsr_dtype)dst->dtype, s));
    return tsr_copy_into(ctx, dst, one);
  }
  tsr_iter_init(&it, ctx);
  it.fixed_out = it.overlap_ok = true;
  tsr_iter_add_out(&it, dst, (tsr_dtype)dst->dtype);
  tsr_iter_add_scalar(&it, s);
  TSR_TRY(tsr_iter_plan(&it));
  return tsr_map_run(&it, TSR_MAP_copy, (tsr_dtype)dst->dtype, NULL);
}

/* ---- conversions that give the tensor itself when nothing is to be done ---- */

tsr_status tsr_clone(tsr_ctx *ctx, tsr_tensor **out, tsr_tensor *t) {
  TSR_TRY(tsr_new_like(ctx, out, t, (tsr_dtype)t->dtype));
  return tsr_copy_into(ctx, *out, t);
}

tsr_status tsr_to_dtype(tsr_ctx *ctx, tsr_tensor **out, tsr_tensor *t, tsr_dtype dtype) {
  if (t->dtype == dtype) {
    *out = t;
    return TSR_OK;
  }
  TSR_TRY(tsr_new_like(ctx, out, t, dtype));
  return tsr_copy_into(ctx, *out, t);
}

tsr_status tsr_contiguous(tsr_ctx *ctx, tsr_tensor **out, tsr_tensor *t) {
  if (tsr_tensor_is_contiguous(t)) {
    *out = t;
    return TSR_OK;
  }
  TSR_TRY(tsr_new(ctx, out, (tsr_dtype)t->dtype, t->ndim, t->size));
  return tsr_copy_into(ctx, *out, t);
}

tsr_status tsr_channels_last(tsr_ctx *ctx, tsr_tensor **out, tsr_tensor *t) {
  int64_t stride[TSR_MAX_NDIM];
  if (t->ndim != 4 && t->ndim != 5) return tsr_op_fail(ctx, "required rank 4 tensor to use channels_last format");
  if (tsr_tensor_is_channels_last(t)) {
    *out = t;
    return TSR_OK;
  }
  tsr_strides_channels_last(t->ndim, t->size, stride);
  return tsr_lay_out(ctx, out, t, stride);
}

tsr_status tsr_lay_out(tsr_ctx *ctx, tsr_tensor **out, tsr_tensor *t, const int64_t *stride) {
  if (memcmp(stride, t->stride, (size_t)t->ndim * sizeof *stride) == 0) {
    *out = t;
    return TSR_OK;
  }
  TSR_TRY(tsr_new_strided(ctx, out, (tsr_dtype)t->dtype, t->ndim, t->size, stride));
  return tsr_copy_into(ctx, *out, t);
}

tsr_status tsr_ready(tsr_ctx *ctx, tsr_tensor **out, tsr_tensor *t, tsr_dtype dtype) {
  if (t->dtype == dtype) return tsr_contiguous(ctx, out, t);
  TSR_TRY(tsr_new(ctx, out, dtype, t->ndim, t->size));
  return tsr_copy_into(ctx, *out, t);
}

tsr_status tsr_storage_grow(tsr_ctx *ctx, tsr_tensor *t, size_t nbytes) {
  tsr_storage *s = t->storage;
  tsr_mem *mem = s->h.mem;
  if (s->nbytes > 0 && tsr_tensor_data_mut(t) == NULL) return tsr_ctx_nomem(ctx);
  void *p = tsr_buf_alloc(mem, nbytes);
  if (p == NULL) return tsr_ctx_nomem(ctx);
  if (s->nbytes > 0) {
    memcpy(p, s->data, s->nbytes);
    tsr_buf_free(mem, s->data, s->nbytes);
  }
  s->data = p;
  s->nbytes = nbytes;
  s->owned = true;
  s->cow = false;
  return TSR_OK;
}

tsr_status tsr_resize(tsr_ctx *ctx, tsr_tensor *t, int ndim, const int64_t *size) {
  int64_t numel, end, bytes;
  if (!tsr_numel(ndim, size, &numel) || tsr_add_overflow(t->offset, numel, &end) || tsr_mul_overflow(end, (int64_t)tsr_tensor_itemsize(t), &bytes)) {
    char text[256];
    tsr_sizes_print(text, sizeof text, ndim, size);
    return tsr_op_fail(ctx, "Storage size calculation overflowed with sizes=%s", text);
  }
  if (numel > 0 && (uint64_t)bytes > t->storage->nbytes) TSR_TRY(tsr_storage_grow(ctx, t, (size_t)bytes));
  return tsr_tensor_set_dims(t, ndim, size, NULL) ? TSR_OK : tsr_ctx_nomem(ctx);
}
