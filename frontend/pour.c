/* See pour.h. */
#include "frontend/pour.h"

#include <stdlib.h>

#include "frontend/pickle_vm.h"
#include "frontend/raw.h"
#include "frontend/text.h"

enum { BLOCK = 1 << 20, FORGET = 1 << 22 };

struct tsr_pour {
  const tsr_file_env *env;
  tsr_storage *s; /* the tensor's, or its inflated copy */
  tsr_dtype dtype;
  size_t item;
  const char *base;      /* first element */
  uint64_t total, at;    /* bytes, and how many were handed out */
  uint64_t forgotten;    /* of these, in order: their pages were given back */
  bool swap, bools;      /* what has to be put right on the way */
  bool plain;            /* the bytes lie in the file as they are wanted */
  int ndim;              /* 0: the elements are in order; else dimensions that cannot be joined */
  int64_t size[TSR_MAX_NDIM], stride[TSR_MAX_NDIM], index[TSR_MAX_NDIM];
  char *block;
  size_t block_len, block_at;
};

/* Dimensions of one element left out, neighbours joined where they are one run. */
static void set_dims(tsr_pour *p, int ndim, const int64_t *size, const int64_t *stride) {
  for (int d = 0; d < ndim; d++) {
    int last = p->ndim - 1;
    if (size[d] == 1) continue;
    if (last >= 0 && p->stride[last] == size[d] * stride[d]) {
      p->size[last] *= size[d];
      p->stride[last] = stride[d];
      continue;
    }
    p->size[p->ndim] = size[d];
    p->stride[p->ndim++] = stride[d];
  }
  if (p->ndim == 1 && p->stride[0] == 1) p->ndim = 0;
}

static tsr_status open_pour(const tsr_file_env *env, tsr_storage *s, tsr_dtype dtype, int64_t offset, uint64_t total, tsr_pour **out) {
  tsr_pour *p = *out = calloc(1, sizeof *p);
  if (p == NULL) return tsr_fail_nomem(env->e);
  *p = (tsr_pour){.env = env, .dtype = dtype, .item = tsr_dtype_size(dtype), .total = total};
  bool packed = (s->raw & TSR_RAW_DEFLATED) != 0;
  tsr_status st = TSR_OK;
  if (packed) st = tsr_storage_cook(env->mem, env->e, s, dtype, &p->s);
  else tsr_obj_retain(p->s = s);
  if (st != TSR_OK) {
    free(p);
    *out = NULL;
    return st;
  }
  p->swap = !packed && (s->raw & TSR_RAW_SWAP) != 0 && p->item > 1;
  p->bools = !packed && (s->raw & TSR_RAW_BOOL) != 0 && dtype == TSR_BOOL;
  if (p->s->data != NULL) p->base = (const char *)p->s->data + offset * (int64_t)p->item;
  return TSR_OK;
}

static tsr_status finish_open(tsr_pour *p, tsr_pour **out) {
  p->plain = p->ndim == 0 && !p->swap && !p->bools;
  if (p->plain || p->total == 0) return TSR_OK;
  p->block = malloc(BLOCK);
  if (p->block != NULL) return TSR_OK;
  tsr_status st = tsr_fail_nomem(p->env->e);
  tsr_pour_close(p);
  *out = NULL;
  return st;
}

tsr_status tsr_pour_tensor(const tsr_file_env *env, const tsr_tensor *t, tsr_pour **out) {
  int64_t bytes;
  *out = NULL;
  if (t->layout != 0) return tsr_fail(env->e, TSR_EUNSUPPORTED, "the bytes of a sparse tensor");
  if (tsr_mul_overflow(t->numel, (int64_t)tsr_tensor_itemsize(t), &bytes)) return tsr_fail(env->e, TSR_ELIMIT, "a tensor of more than 2^63 bytes");
  if ((uint64_t)bytes > t->storage->nbytes && bytes > (int64_t)1 << 34) /* strides of 0 cost a file nothing */
    return tsr_fail(env->e, TSR_ELIMIT, "a tensor that repeats its %zu bytes would be %s", t->storage->nbytes, tsr_show_bytes((uint64_t)bytes).text);
  TSR_TRY(open_pour(env, t->storage, (tsr_dtype)t->dtype, t->offset, (uint64_t)bytes, out));
  if (bytes > 0) set_dims(*out, t->ndim, t->size, t->stride);
  return finish_open(*out, out);
}

tsr_status tsr_pour_storage(const tsr_file_env *env, tsr_storage *s, tsr_dtype dtype, tsr_pour **out) {
  TSR_TRY(open_pour(env, s, dtype, 0, s->nbytes, out));
  return finish_open(*out, out);
}

/* n elements, stride elements apart. */
static void copy_run(char *dst, const char *src, int64_t n, int64_t stride, size_t item) {
#define RUN(bytes) \
  case bytes:      \
    for (int64_t i = 0; i < n; i++) memcpy(dst + i * bytes, src + i * stride * bytes, bytes); \
    break
  if (stride == 1) {
    memcpy(dst, src, (size_t)n * item);
    return;
  }
  switch (item) {
    RUN(1);
    RUN(2);
    RUN(4);
    RUN(8);
    RUN(16);
    default:
      for (int64_t i = 0; i < n; i++) memcpy(dst + (size_t)i * item, src + i * stride * (int64_t)item, item);
  }
#undef RUN
}

static void gather(tsr_pour *p, char *dst, int64_t n) {
  int last = p->ndim - 1;
  while (n > 0) {
    int64_t at = 0, run = TSR_MIN(n, p->size[last] - p->index[last]);
    for (int d = 0; d <= last; d++) at += p->index[d] * p->stride[d];
    copy_run(dst, p->base + at * (int64_t)p->item, run, p->stride[last], p->item);
    dst += (size_t)run * p->item;
    n -= run;
    p->index[last] += run;
    for (int d = last; d > 0 && p->index[d] == p->size[d]; d--) {
      p->index[d] = 0;
      p->index[d - 1]++;
    }
  }
}

static void fill(tsr_pour *p) {
  p->block_len = (size_t)TSR_MIN((uint64_t)(BLOCK / p->item * p->item), p->total - p->at);
  p->block_at = 0;
  if (p->ndim == 0) memcpy(p->block, p->base + p->at, p->block_len);
  else gather(p, p->block, (int64_t)(p->block_len / p->item));
  if (p->swap) tsr_swap_bytes(p->block, p->block_len, p->dtype);
  for (size_t i = 0; p->bools && i < p->block_len; i++) p->block[i] = p->block[i] != 0;
}

/* Pages of what was used go, unless the elements lie about: other blocks need the same pages. */
static void forget_used(tsr_pour *p) {
  if (p->ndim > 0 || p->at - p->forgotten < FORGET) return;
  tsr_storage_forget_part(p->s, (size_t)(p->base - (const char *)p->s->data) + p->forgotten, (size_t)(p->at - p->forgotten));
  p->forgotten = p->at;
}

size_t tsr_pour_next(tsr_pour *p, size_t max, const void **data) {
  size_t n = (size_t)TSR_MIN((uint64_t)TSR_MIN(max, (size_t)FORGET), p->total - p->at);
  forget_used(p);
  *data = "";
  if (n == 0) return 0;
  if (p->plain) {
    *data = p->base + p->at;
  } else {
    if (p->block_at == p->block_len) fill(p);
    n = TSR_MIN(n, p->block_len - p->block_at);
    *data = p->block + p->block_at;
    p->block_at += n;
  }
  p->at += n;
  return n;
}

void tsr_pour_close(tsr_pour *p) {
  if (p == NULL) return;
  tsr_storage_forget(p->s);
  tsr_obj_release(p->s);
  tsr_mem_trim(p->env->mem);
  free(p->block);
  free(p);
}

tsr_status tsr_pour_into(const tsr_file_env *env, tsr_outfile *o, const tsr_tensor *t) {
  tsr_pour *p;
  const void *data;
  TSR_TRY(tsr_pour_tensor(env, t, &p));
  tsr_status st = TSR_OK;
  for (size_t n; st == TSR_OK && (n = tsr_pour_next(p, SIZE_MAX, &data)) > 0;) st = tsr_outfile_write(o, env->e, data, n);
  tsr_pour_close(p);
  return st;
}
