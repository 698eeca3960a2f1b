/* Running an operator: the context, temporaries, arguments, results, and the generic out= and in-place forms. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include "ops/kernels.h"
#include "ops/layout.h"
#include "ops/native.h"
#include "ops/quant.h"
#include "ops/sparse.h"
#include "ops/random.h"

/* ---- context ---- */

void tsr_ctx_init(tsr_ctx *ctx, tsr_mem *mem, tsr_pool *pool) {
  memset(ctx, 0, sizeof *ctx);
  ctx->mem = mem;
  ctx->pool = pool;
  ctx->kernels = tsr_kernels_best();
}

static void release_temps(tsr_ctx *ctx, size_t mark) {
  while (ctx->temp_count > mark) tsr_release(ctx->temps[--ctx->temp_count]);
}

void tsr_ctx_dispose(tsr_ctx *ctx) {
  release_temps(ctx, 0);
  free(ctx->temps);
  tsr_rng_free(ctx->rng);
  tsr_arena_free(ctx->scratch);
  tsr_errrec_dispose(&ctx->err);
  memset(ctx, 0, sizeof *ctx);
}

tsr_status tsr_ctx_nomem(tsr_ctx *ctx) {
  if (tsr_mem_hit_limit(ctx->mem)) {
    return tsr_fail(&ctx->err, TSR_ELIMIT, "memory limit reached: %llu bytes are in use; raise --max-memory",
                    (unsigned long long)tsr_mem_used(ctx->mem));
  }
  return tsr_fail_nomem(&ctx->err);
}

tsr_status tsr_ctx_poll(tsr_ctx *ctx, uint64_t steps) {
  ctx->steps += steps;
  if (ctx->max_steps != 0 && ctx->steps > ctx->max_steps) {
    return tsr_fail(&ctx->err, TSR_ELIMIT, "step limit of %llu reached", (unsigned long long)ctx->max_steps);
  }
  if (ctx->cancel != NULL && __atomic_load_n(ctx->cancel, __ATOMIC_RELAXED) != 0) {
    return tsr_fail(&ctx->err, TSR_ECANCELLED, "cancelled");
  }
  if (ctx->deadline != 0 && tsr_clock_now() > ctx->deadline) {
    return tsr_fail(&ctx->err, TSR_ELIMIT, "time limit reached");
  }
  return TSR_OK;
}

/* ---- temporaries ---- */

tsr_status tsr_temp(tsr_ctx *ctx, tsr_val v_take) {
  if (ctx->temp_count == ctx->temp_cap) {
    size_t cap = TSR_MAX(ctx->temp_cap * 2, (size_t)64);
    tsr_val *temps = realloc(ctx->temps, cap * sizeof *temps);
    if (temps == NULL) {
      tsr_release(v_take);
      return tsr_fail_nomem(&ctx->err);
    }
    ctx->temps = temps;
    ctx->temp_cap = cap;
  }
  ctx->temps[ctx->temp_count++] = v_take;
  return TSR_OK;
}

void *tsr_scratch(tsr_ctx *ctx, size_t size) {
  if (ctx->scratch == NULL) ctx->scratch = tsr_arena_new();
  void *p = ctx->scratch == NULL ? NULL : tsr_arena_alloc(ctx->scratch, size);
  if (p == NULL) tsr_fail_nomem(&ctx->err);
  return p;
}

void tsr_sizes_print(char *buf, size_t cap, int ndim, const int64_t *size) {
  size_t n = (size_t)snprintf(buf, cap, "[");
  for (int d = 0; d < ndim && n < cap; d++) n += (size_t)snprintf(buf + n, cap - n, "%s%lld", d > 0 ? ", " : "", (long long)size[d]);
  if (n < cap) snprintf(buf + n, cap - n, "]");
}

static tsr_status refuse_sizes(tsr_ctx *ctx, tsr_dtype dtype, int ndim, const int64_t *size) {
  char text[256];
  int64_t numel, bytes;
  tsr_sizes_print(text, sizeof text, ndim, size);
  if (ndim > TSR_MAX_NDIM) return tsr_op_fail(ctx, "tensors of more than %d dimensions are not supported", TSR_MAX_NDIM);
  for (int d = 0; d < ndim; d++) {
    if (size[d] < 0) return tsr_op_fail(ctx, "Trying to create tensor with negative dimension %lld: %s", (long long)size[d], text);
  }
  if (!tsr_numel(ndim, size, &numel) || tsr_mul_overflow(numel, (int64_t)tsr_dtype_size(dtype), &bytes)) {
    return tsr_op_fail(ctx, "Storage size calculation overflowed with sizes=%s", text);
  }
  return tsr_ctx_nomem(ctx);
}

static tsr_status own_temp(tsr_ctx *ctx, tsr_tensor *t, tsr_tensor **out) {
  TSR_TRY(tsr_temp(ctx, tsr_from_obj(t)));
  *out = t;
  return TSR_OK;
}

tsr_status tsr_new_strided(tsr_ctx *ctx, tsr_tensor **out, tsr_dtype dtype, int ndim, const int64_t *size, const int64_t *stride) {
  tsr_tensor *t = tsr_tensor_new_strided(ctx->mem, dtype, ndim, size, stride);
  return t == NULL ? refuse_sizes(ctx, dtype, ndim, size) : own_temp(ctx, t, out);
}

tsr_status tsr_new(tsr_ctx *ctx, tsr_tensor **out, tsr_dtype dtype, int ndim, const int64_t *size) {
  return tsr_new_strided(ctx, out, dtype, ndim, size, NULL);
}

/* Does dimension a lie outside b?  1: yes, -1: no, 0: the strides do not tell. */
static int lies_outside(const tsr_tensor *t, int a, int b) {
  if (t->stride[a] == 0 || t->stride[b] == 0) return 0;
  if (t->stride[a] != t->stride[b]) return t->stride[a] < t->stride[b] ? -1 : 1;
  return t->size[a] > t->size[b];
}

void tsr_dense_strides(const tsr_tensor *t, int64_t *stride) {
  int perm[TSR_MAX_NDIM];
  for (int i = 0; i < t->ndim; i++) perm[i] = t->ndim - 1 - i;
  for (int i = 1; i < t->ndim; i++) {
    for (int at = i, k = i - 1; k >= 0; k--) {
      int order = lies_outside(t, perm[k], perm[at]), swap = perm[k];
      if (order < 0) break;
      if (order == 0) continue;
      perm[k] = perm[at];
      perm[at] = swap;
      at = k;
    }
  }
  int64_t next = 1;
  for (int i = 0; i < t->ndim; i++) {
    stride[perm[i]] = next;
    next *= TSR_MAX(t->size[perm[i]], 1);
  }
}

tsr_status tsr_new_like(tsr_ctx *ctx, tsr_tensor **out, const tsr_tensor *like, tsr_dtype dtype) {
  int64_t stride[TSR_MAX_NDIM];
  if (like->numel == 0 || like->layout != 0) return tsr_new(ctx, out, dtype, like->ndim, like->size);
  if (tsr_tensor_is_dense(like)) return tsr_new_strided(ctx, out, dtype, like->ndim, like->size, like->stride);
  tsr_dense_strides(like, stride);
  return tsr_new_strided(ctx, out, dtype, like->ndim, like->size, stride);
}

tsr_status tsr_new_scalar(tsr_ctx *ctx, tsr_tensor **out, tsr_dtype dtype, tsr_scalar s) {
  TSR_TRY(tsr_new(ctx, out, dtype, 0, NULL));
  void *p = (*out)->storage->data;
  if (s.tag == TSR_V_INT || s.tag == TSR_V_BOOL) tsr_convert(dtype, p, TSR_INT64, &s.i, 1);
  else if (s.tag == TSR_V_FLOAT) tsr_convert(dtype, p, TSR_FLOAT64, &s.d, 1);
  else tsr_convert(dtype, p, TSR_COMPLEX128, &s.z, 1);
  return TSR_OK;
}

tsr_status tsr_new_view(tsr_ctx *ctx, tsr_tensor **out, const tsr_tensor *t, int64_t offset, int ndim, const int64_t *size, const int64_t *stride) {
  if (!tsr_view_fits(t->storage->nbytes, (tsr_dtype)t->dtype, offset, ndim, size, stride)) {
    char sizes[256], strides[256];
    tsr_sizes_print(sizes, sizeof sizes, ndim, size);
    tsr_sizes_print(strides, sizeof strides, ndim, stride);
    return tsr_op_fail(ctx, "setStorage: sizes %s, strides %s, storage offset %lld, and itemsize %zu are out of bounds for storage of size %zu",
                       sizes, strides, (long long)offset, tsr_tensor_itemsize(t), t->storage->nbytes);
  }
  tsr_tensor *view = tsr_tensor_view(ctx->mem, t->storage, (tsr_dtype)t->dtype, offset, ndim, size, stride);
  if (view == NULL) return refuse_sizes(ctx, (tsr_dtype)t->dtype, ndim, size);
  if (t->quant != NULL) {
    view->quant = tsr_alloc(ctx->mem, sizeof *view->quant);
    if (view->quant != NULL) {
      *view->quant = *t->quant;
      if (t->quant->scales != NULL) tsr_obj_retain(t->quant->scales);
      if (t->quant->zero_points != NULL) tsr_obj_retain(t->quant->zero_points);
    }
  }
  return own_temp(ctx, view, out);
}

bool tsr_arg_moved(const tsr_call *c, uint32_t i) {
  const tsr_tensor *t = tsr_arg_tensor(c, i);
  return (c->moved >> i & 1) != 0 && tsr_obj_is_unique(t) && tsr_obj_is_unique(t->storage) && t->storage->owned && t->quant == NULL &&
         tsr_tensor_is_dense(t);
}

tsr_status tsr_out_like(tsr_call *c, uint32_t i, tsr_tensor **out) {
  tsr_tensor *t = tsr_arg_tensor(c, i);
  if (tsr_arg_moved(c, i)) {
    *out = t;
    return TSR_OK;
  }
  return tsr_new_like(c->ctx, out, t, (tsr_dtype)t->dtype);
}

tsr_status tsr_data_mut(tsr_ctx *ctx, tsr_tensor *t, void **data) {
  *data = tsr_tensor_data_mut(t);
  return *data == NULL && t->numel > 0 ? tsr_ctx_nomem(ctx) : TSR_OK;
}

/* ---- arguments ---- */

const int64_t *tsr_arg_ints(tsr_call *c, uint32_t i, int64_t *n) {
  tsr_val v = c->args[i];
  *n = -1;
  if (v.tag == TSR_V_NONE) return NULL;
  size_t len = v.tag == TSR_V_LIST ? v.l->len : 1;
  int64_t *out = tsr_scratch(c->ctx, (len + 1) * sizeof *out);
  if (out == NULL) return NULL;
  *n = (int64_t)len;
  if (v.tag != TSR_V_LIST) {
    out[0] = v.i;
    return out;
  }
  for (size_t k = 0; k < len; k++) out[k] = v.l->items[k].tag == TSR_V_FLOAT ? (int64_t)v.l->items[k].d : v.l->items[k].i;
  return out;
}

const double *tsr_arg_floats(tsr_call *c, uint32_t i, int64_t *n) {
  tsr_val v = c->args[i];
  *n = -1;
  if (v.tag == TSR_V_NONE) return NULL;
  size_t len = v.tag == TSR_V_LIST ? v.l->len : 1;
  double *out = tsr_scratch(c->ctx, (len + 1) * sizeof *out);
  if (out == NULL) return NULL;
  *n = (int64_t)len;
  for (size_t k = 0; k < len; k++) out[k] = tsr_scalar_of(v.tag == TSR_V_LIST ? v.l->items[k] : v).d;
  return out;
}

tsr_tensor **tsr_arg_tensors(tsr_call *c, uint32_t i, int64_t *n) {
  tsr_val v = c->args[i];
  *n = -1;
  if (v.tag == TSR_V_NONE) return NULL;
  size_t len = v.tag == TSR_V_LIST ? v.l->len : 1;
  tsr_tensor **out = tsr_scratch(c->ctx, (len + 1) * sizeof *out);
  if (out == NULL) return NULL;
  *n = (int64_t)len;
  for (size_t k = 0; k < len; k++) {
    tsr_val item = v.tag == TSR_V_LIST ? v.l->items[k] : v;
    out[k] = item.tag == TSR_V_TENSOR ? item.t : NULL;
  }
  return out;
}

tsr_scalar tsr_scalar_of(tsr_val v) {
  tsr_scalar s = {TSR_V_INT, 0, 0, {0, 0}};
  switch (v.tag) {
    case TSR_V_BOOL:
      s = tsr_scalar_int(v.b);
      s.tag = TSR_V_BOOL;
      break;
    case TSR_V_INT: s = tsr_scalar_int(v.i); break;
    case TSR_V_FLOAT: s = tsr_scalar_float(v.d); break;
    case TSR_V_COMPLEX:
      s = tsr_scalar_float(v.c->z.re);
      s.tag = TSR_V_COMPLEX;
      s.z = v.c->z;
      break;
    default: break;
  }
  return s;
}

tsr_scalar tsr_arg_scalar(const tsr_call *c, uint32_t i) { return tsr_scalar_of(c->args[i]); }

/* ---- results ---- */

tsr_status tsr_ret(tsr_call *c, uint32_t i, tsr_val v) {
  c->rets[i] = tsr_retain(v);
  return TSR_OK;
}

/* The newest temporary of this call gives up its reference instead of another being counted and dropped. */
tsr_status tsr_ret_tensor(tsr_call *c, uint32_t i, tsr_tensor *t) {
  tsr_ctx *ctx = c->ctx;
  if (ctx->temp_count > ctx->temp_mark && ctx->temps[ctx->temp_count - 1].o == &t->h) ctx->temp_count--;
  else tsr_obj_retain(t);
  c->rets[i] = tsr_from_obj(t);
  return TSR_OK;
}

static tsr_status ret_take(tsr_call *c, uint32_t i, void *object) {
  if (object == NULL) return tsr_ctx_nomem(c->ctx);
  c->rets[i] = tsr_from_obj(object);
  return TSR_OK;
}

tsr_status tsr_ret_complex(tsr_call *c, double re, double im) { return ret_take(c, 0, tsr_complex_new(c->ctx->mem, re, im)); }
tsr_status tsr_ret_str(tsr_call *c, const char *bytes, size_t len) { return ret_take(c, 0, tsr_str_new(c->ctx->mem, bytes, len)); }

tsr_status tsr_ret_tensors(tsr_call *c, uint32_t i, tsr_tensor **ts, int64_t n) {
  tsr_list *l = tsr_list_new(c->ctx->mem, &tsr_type_tensor, (size_t)n);
  if (l == NULL) return tsr_ctx_nomem(c->ctx);
  for (int64_t k = 0; k < n; k++) {
    tsr_obj_retain(ts[k]);
    tsr_list_push_take(l, tsr_from_obj(ts[k]));
  }
  return ret_take(c, i, l);
}

tsr_status tsr_ret_ints(tsr_call *c, uint32_t i, const int64_t *xs, int64_t n) {
  tsr_list *l = tsr_list_new(c->ctx->mem, &tsr_type_int, (size_t)n);
  if (l == NULL) return tsr_ctx_nomem(c->ctx);
  for (int64_t k = 0; k < n; k++) tsr_list_push_take(l, tsr_int(xs[k]));
  return ret_take(c, i, l);
}

tsr_status tsr_wrap_dim(tsr_ctx *ctx, int64_t dim, int64_t ndim, int64_t *out) {
  int64_t n = ndim == 0 ? 1 : ndim;
  if (dim < -n || dim >= n) {
    return tsr_op_fail(ctx, "Dimension out of range (expected to be in range of [%lld, %lld], but got %lld)", (long long)-n,
                       (long long)(n - 1), (long long)dim);
  }
  *out = dim < 0 ? dim + n : dim;
  return TSR_OK;
}

/* ---- threads ---- */

typedef struct split {
  void (*fn)(void *, int64_t, int64_t);
  void *arg;
  int64_t n, grain;
} split;

static void run_chunk(void *arg, int64_t task, int worker) {
  const split *s = arg;
  TSR_UNUSED(worker);
  int64_t begin = task * s->grain;
  s->fn(s->arg, begin, TSR_MIN(begin + s->grain, s->n));
}

void tsr_parallel_for(tsr_ctx *ctx, int64_t n, int64_t grain, void (*fn)(void *arg, int64_t begin, int64_t end), void *arg) {
  if (n <= 0) return;
  if (grain < 1) grain = 1;
  split s = {fn, arg, n, grain};
  tsr_pool_run(ctx->pool, ctx->max_threads, (n + grain - 1) / grain, run_chunk, &s);
}

/* ---- calls ---- */

enum { MAX_ARGS = 64 };

/* The element type as C++ spells it: what PyTorch's text of this error has. */
const char *tsr_dtype_c_name(tsr_dtype d) {
  switch (d) {
    case TSR_UINT8: return "unsigned char";
    case TSR_INT8: return "signed char";
    case TSR_INT16: return "short int";
    case TSR_INT32: return "int";
    case TSR_INT64: return "long int";
    case TSR_FLOAT32: return "float";
    case TSR_FLOAT64: return "double";
    case TSR_BOOL: return "bool";
    case TSR_FLOAT16: return "c10::Half";
    case TSR_BFLOAT16: return "c10::BFloat16";
    case TSR_COMPLEX32: return "c10::complex<c10::Half>";
    case TSR_COMPLEX64: return "c10::complex<float>";
    case TSR_COMPLEX128: return "c10::complex<double>";
    default: return tsr_dtype_get_info(d)->cpp_name;
  }
}

const char *tsr_dtype_class_print(char *buf, size_t cap, tsr_dtype d) {
  bool old = (tsr_dtype_is_integral(d, false) && d <= TSR_INT64) || d == TSR_FLOAT16 || d == TSR_FLOAT32 || d == TSR_FLOAT64;
  snprintf(buf, cap, old ? "torch.%sTensor" : "CPU%sType", tsr_dtype_get_info(d)->cpp_name);
  return buf;
}

static const char *c_name(const tsr_tensor *t) { return tsr_dtype_c_name((tsr_dtype)t->dtype); }

/* What PyTorch says, by the row's flag, of an out argument of type %2$s where %1$s is expected. */
static const struct { uint32_t flag; const char *format; } out_words[] = {
    {TSR_OUT_ACCESS, "expected scalar type %1$s but found %2$s"},
    {TSR_OUT_FOUND, "Found dtype %2$s but expected %1$s"},
    {TSR_OUT_OBJECT, "Expected object of scalar type %1$s but got scalar type %2$s for argument 'out'"},
};

/* An out argument of type got for a result of type want. */
static tsr_status check_out_dtype(const tsr_call *c, uint32_t flags, tsr_dtype want, tsr_dtype got) {
  if (want == got) return TSR_OK;
  const char *wanted = tsr_dtype_get_info(want)->cpp_name, *found = tsr_dtype_get_info(got)->cpp_name;
  if ((flags & TSR_OUT_TRUTH) == TSR_OUT_TRUTH) {
    if (got == TSR_BOOL || got == TSR_UINT8) return TSR_OK;
    int name = (int)strcspn(c->op->schema + 6, ".(");
    return tsr_op_fail(c->ctx, "%.*s only supports bool tensor for result, got: %s", name, c->op->schema + 6, found);
  }
  if ((flags & TSR_OUT_SAME) == TSR_OUT_SAME)
    return tsr_op_fail(c->ctx, "Expected out tensor to have dtype %s, but got %s instead", tsr_dtype_c_name(want), tsr_dtype_c_name(got));
  for (size_t i = 0; i < TSR_COUNT(out_words); i++)
    if ((flags & out_words[i].flag) == out_words[i].flag) return tsr_op_fail(c->ctx, out_words[i].format, wanted, found);
  if (tsr_dtype_can_cast(want, got)) return TSR_OK;
  return tsr_op_fail(c->ctx, "result type %s can't be cast to the desired output type %s", wanted, found);
}

bool tsr_out_dtype(const tsr_call *c, uint32_t i, tsr_dtype *dtype) {
  if (c->outs == NULL || i >= c->nrets || c->outs[i].tag != TSR_V_TENSOR) return false;
  *dtype = (tsr_dtype)c->outs[i].t->dtype;
  return true;
}

tsr_status tsr_out_check(const tsr_call *c, uint32_t i, tsr_dtype dtype, uint32_t words) {
  tsr_dtype out;
  if (words == 0) {
    words = c->op->flags;
    if ((words & TSR_OUT) == 0 || (words & TSR_OUT_PLAIN) == TSR_OUT_PLAIN) return TSR_OK; /* plain: the whole result comes first */
  }
  return tsr_out_dtype(c, i, &out) ? check_out_dtype(c, words, dtype, out) : TSR_OK;
}

tsr_status tsr_out_cast(const tsr_call *c, uint32_t i, tsr_dtype dtype, const char *format) {
  tsr_dtype got;
  if (!tsr_out_dtype(c, i, &got) || tsr_dtype_can_cast(dtype, got)) return TSR_OK;
  return tsr_op_fail(c->ctx, format, tsr_dtype_get_info(dtype)->cpp_name, tsr_dtype_get_info(got)->cpp_name);
}

tsr_status tsr_out_access(const tsr_call *c, uint32_t i, tsr_dtype dtype) {
  tsr_dtype got;
  if (!tsr_out_dtype(c, i, &got) || got == dtype) return TSR_OK;
  return tsr_op_fail(c->ctx, "expected scalar_type %s but found %s", tsr_dtype_get_info(dtype)->cpp_name, tsr_dtype_get_info(got)->cpp_name);
}

tsr_status tsr_out_castable(const tsr_call *c, uint32_t i, tsr_dtype dtype, const char *function, const char *name) {
  char format[160];
  snprintf(format, sizeof format, "%s: Expected %s to be safely castable from %%s dtype, but got %s with dtype %%s", function, name, name);
  return tsr_out_cast(c, i, dtype, format);
}

tsr_status tsr_out_store(tsr_ctx *ctx, tsr_tensor *dst, tsr_tensor *src) {
  if (src->dtype != dst->dtype) return tsr_op_fail(ctx, "Expected out tensor to have dtype %s, but got %s instead", c_name(src), c_name(dst));
  if (!tsr_tensor_same_size(dst, src)) TSR_TRY(tsr_resize(ctx, dst, src->ndim, src->size));
  return dst == src ? TSR_OK : tsr_copy_into(ctx, dst, src);
}

/* Does PyTorch copy fresh results into the out arguments?  Then those that are resized are contiguous.  LAPACK's are looked at together; a row with data: each by itself. */
static bool copies_results(const tsr_call *c, const tsr_call *inner, uint32_t at) {
  if ((c->op->flags & TSR_OUT_LAPACK) != TSR_OUT_LAPACK) return (c->op->flags & TSR_OUT_PLAIN) == TSR_OUT_PLAIN;
  for (uint32_t i = 0; i < c->nrets; i++) {
    if (c->op->data != NULL && i != at) continue;
    const tsr_tensor *dst = inner->outs[i].t, *src = inner->rets[i].t;
    if (dst->dtype != src->dtype || (dst->numel > 0 && (!tsr_tensor_same_size(dst, src) || memcmp(dst->stride, src->stride, src->ndim * sizeof *src->stride) != 0))) return true;
  }
  return false;
}

/* out(...): the functional kernel, then each result is copied into its out argument, resized when the shape differs. */
static tsr_status store_outs(tsr_call *c, tsr_call *inner) {
  bool copies[8];
  for (uint32_t i = 0; i < c->nrets; i++) copies[i] = copies_results(c, inner, i);
  for (uint32_t i = 0; i < c->nrets; i++) {
    tsr_val out = c->args[c->nargs - c->nrets + i];
    if (out.tag != TSR_V_TENSOR || inner->rets[i].tag != TSR_V_TENSOR) {
      tsr_release(inner->rets[i]);
      inner->rets[i] = tsr_none();
      continue;
    }
    tsr_tensor *dst = out.t, *src = inner->rets[i].t;
    TSR_TRY(tsr_temp(c->ctx, inner->rets[i]));
    inner->rets[i] = tsr_none();
    TSR_TRY(check_out_dtype(c, c->op->flags, (tsr_dtype)src->dtype, (tsr_dtype)dst->dtype));
    bool fits = tsr_tensor_same_size(dst, src), copied = copies[i];
    bool anew = (c->op->flags & (src->ndim == 4 ? TSR_OUT_ANEW4 : src->ndim == 5 ? TSR_OUT_ANEW5 : 0)) != 0 && memcmp(dst->stride, src->stride, src->ndim * sizeof *src->stride) != 0;
    if (!copied && !fits && src->numel > 0 && !tsr_tensor_is_dense(src) && (c->op->flags & TSR_OUT_LAPACK) == TSR_OUT_LAPACK) { /* a part of LAPACK's rows */
      int64_t extent = 1;
      for (int d = 0; d < src->ndim; d++) extent += (src->size[d] - 1) * src->stride[d];
      TSR_TRY(tsr_resize(c->ctx, dst, 1, &extent));
      if (!tsr_tensor_set_dims(dst, src->ndim, src->size, src->stride)) return tsr_ctx_nomem(c->ctx);
    } else if (!fits || anew) {
      TSR_TRY(tsr_resize(c->ctx, dst, src->ndim, src->size));
      /* a resized result is laid out as a fresh one would be */
      if (!copied && src->numel > 0 && tsr_tensor_is_dense(src) && !tsr_tensor_set_dims(dst, src->ndim, src->size, src->stride)) return tsr_ctx_nomem(c->ctx);
    }
    TSR_TRY(tsr_copy_into(c->ctx, dst, src));
    TSR_TRY(tsr_ret_tensor(c, i, dst));
  }
  return TSR_OK;
}

static tsr_status run_out(tsr_call *c) {
  tsr_val args[MAX_ARGS + 8];
  tsr_val rets[8];
  if (c->nargs > MAX_ARGS || c->nrets > TSR_COUNT(rets) || c->nargs < c->nrets) {
    return tsr_fail(&c->ctx->err, TSR_EINTERNAL, "%s: malformed out= row", c->op->schema);
  }
  /* Kernels may read the trailing factory arguments (dtype, layout, …) that out= forms lack: None. */
  for (uint32_t i = 0; i < TSR_COUNT(args); i++) args[i] = i < c->nargs - c->nrets ? c->args[i] : tsr_none();
  for (uint32_t i = 0; i < TSR_COUNT(rets); i++) rets[i] = tsr_none();
  tsr_call inner = *c;
  inner.args = args;
  inner.nargs = c->nargs - c->nrets;
  inner.rets = rets;
  inner.moved = 0;
  inner.outs = c->args + inner.nargs;
  tsr_status status = c->op->kernel(&inner);
  if (status == TSR_OK) status = store_outs(c, &inner);
  for (uint32_t i = 0; i < c->nrets; i++) tsr_release(rets[i]);
  return status;
}

static tsr_status run_inplace(tsr_call *c) {
  uint64_t moved = c->moved;
  c->moved = 0;
  tsr_status status = c->op->kernel(c);
  c->moved = moved;
  if (status != TSR_OK) return status;
  tsr_tensor *self = c->args[0].t, *result = c->rets[0].t;
  if (c->rets[0].tag != TSR_V_TENSOR || result == self) return TSR_OK;
  TSR_TRY(tsr_temp(c->ctx, c->rets[0]));
  c->rets[0] = tsr_none();
  if (!tsr_dtype_can_cast((tsr_dtype)result->dtype, (tsr_dtype)self->dtype)) {
    return tsr_op_fail(c->ctx, "result type %s can't be cast to the desired output type %s",
                       tsr_dtype_get_info(result->dtype)->cpp_name, tsr_dtype_get_info(self->dtype)->cpp_name);
  }
  if (!tsr_tensor_same_size(result, self)) {
    char want[256], got[256];
    tsr_sizes_print(got, sizeof got, self->ndim, self->size);
    tsr_sizes_print(want, sizeof want, result->ndim, result->size);
    return tsr_op_fail(c->ctx, (c->op->flags & TSR_STRUCTURED) != 0 ? "Bad in-place call: input tensor size %s and output tensor size %s should match"
                                                                    : "output with shape %s doesn't match the broadcast shape %s", got, want);
  }
  TSR_TRY(tsr_copy_into(c->ctx, self, result));
  return tsr_ret_tensor(c, 0, self);
}

/* What a call cost: one step, and one for each 1,024 elements it returned. */
static uint64_t steps_of(const tsr_call *c) {
  uint64_t steps = 1;
  for (uint32_t i = 0; i < c->nrets; i++) {
    if (c->rets[i].tag == TSR_V_TENSOR) steps += (uint64_t)c->rets[i].t->numel >> 10;
  }
  return steps;
}

/* Quantized operands show in the first argument, or in the list it is. */
static bool sees_quantized(const tsr_call *c) {
  if (c->nargs == 0) return false;
  tsr_val v = c->args[0];
  if (v.tag == TSR_V_LIST && v.l->len > 0) v = v.l->items[0];
  return v.tag == TSR_V_TENSOR && v.t->quant != NULL;
}

enum { SPARSE = 1, HIDDEN = 2 }; /* operands of another make */

static int make_of(tsr_val v) { return v.tag != TSR_V_TENSOR ? 0 : (v.t->layout != 0 ? SPARSE : 0) | (v.t->hidden ? HIDDEN : 0); }

static int makes_seen(const tsr_call *c) {
  int seen = 0;
  for (uint32_t i = 0; i < c->nargs; i++) {
    tsr_val v = c->args[i];
    seen |= make_of(v);
    if (v.tag != TSR_V_LIST || v.l->len == 0 || v.l->items[0].tag != TSR_V_TENSOR) continue;
    for (size_t k = 0; k < v.l->len; k++) seen |= make_of(v.l->items[k]);
  }
  return seen;
}

/* Sparse tensors have no elements of their own to read: only operators that say so may see one.  Rows
 * about values of any type (lists, identity) do not look inside.  Others may have a sparse form. */
static tsr_status run_sparse(tsr_call *c, bool *handled) {
  *handled = false;
  if ((c->op->flags & TSR_ANY_LAYOUT) != 0 || strstr(c->op->schema, "Tensor") == NULL) return TSR_OK;
  TSR_TRY(tsr_sparse_call(c, handled));
  if (*handled) return TSR_OK;
  int n = (int)strcspn(c->op->schema, "(");
  return tsr_fail(&c->ctx->err, TSR_EUNSUPPORTED, "%.*s is not available for sparse tensors", n, c->op->schema);
}

static tsr_status run_form(tsr_call *c) {
  if (TSR_UNLIKELY((c->op->flags & TSR_OUT) != 0)) return run_out(c);
  if (TSR_UNLIKELY((c->op->flags & TSR_INPLACE) != 0)) return run_inplace(c);
  return c->op->kernel(c);
}

static tsr_status run_kernel(tsr_call *c) {
  int seen = makes_seen(c);
  bool handled;
  if (TSR_UNLIKELY((seen & SPARSE) != 0)) {
    TSR_TRY(run_sparse(c, &handled));
    if (handled) return TSR_OK;
  }
  if (TSR_UNLIKELY(sees_quantized(c))) {
    TSR_TRY(tsr_quant_call(c, &handled));
    if (handled) return TSR_OK;
  }
  return TSR_UNLIKELY((seen & HIDDEN) != 0) ? tsr_layout_call(c, run_form) : run_form(c);
}

tsr_status tsr_call_run(tsr_call *c) {
  tsr_ctx *ctx = c->ctx;
  size_t mark = ctx->temp_count, outer_mark = ctx->temp_mark;
  if (ctx->depth >= 64) return tsr_fail(&ctx->err, TSR_EINTERNAL, "%s: operators nested too deeply", c->op->schema);
  ctx->depth++;
  ctx->temp_mark = mark;
  tsr_status status = run_kernel(c);
  ctx->temp_mark = outer_mark;
  ctx->depth--;
  if (status == TSR_OK && ctx->depth == 0) status = tsr_ctx_poll(ctx, steps_of(c));
  if (TSR_UNLIKELY(status != TSR_OK)) {
    for (uint32_t i = 0; i < c->nrets; i++) {
      tsr_release(c->rets[i]);
      c->rets[i] = tsr_none();
    }
  }
  release_temps(ctx, mark);
  if (ctx->depth == 0 && ctx->scratch != NULL && tsr_arena_used(ctx->scratch) > 0) tsr_arena_reset(ctx->scratch);
  return status;
}

tsr_status tsr_call_prepare(tsr_call *c) {
  tsr_ctx *ctx = c->ctx;
  if (c->op->prepare == NULL) return TSR_OK;
  ctx->depth++;
  tsr_status status = c->op->prepare(c);
  ctx->depth--;
  release_temps(ctx, 0);
  if (ctx->scratch != NULL) tsr_arena_reset(ctx->scratch);
  return status;
}

tsr_status tsr_invoke(tsr_ctx *ctx, const tsr_op *op, tsr_val *args, uint32_t nargs, tsr_val *rets, uint32_t nrets) {
  return tsr_invoke_for(ctx, op, args, nargs, rets, nrets, NULL);
}

tsr_status tsr_invoke_for(tsr_ctx *ctx, const tsr_op *op, tsr_val *args, uint32_t nargs, tsr_val *rets, uint32_t nrets, const tsr_val *outs) {
  if (op == NULL) return tsr_fail(&ctx->err, TSR_EINTERNAL, "an operator that another needs is missing");
  for (uint32_t i = 0; i < nrets; i++) rets[i] = tsr_none();
  tsr_call c = {.ctx = ctx, .op = op, .args = args, .nargs = nargs, .rets = rets, .nrets = nrets, .outs = outs};
  ctx->depth++; /* scratch memory of the outer operator stays */
  tsr_status status = tsr_call_run(&c);
  ctx->depth--;
  for (uint32_t i = 0; i < nrets && status == TSR_OK; i++) {
    if (tsr_is_boxed(rets[i])) status = tsr_temp(ctx, rets[i]);
  }
  return status;
}
