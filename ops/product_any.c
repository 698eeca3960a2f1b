/* Products of any dtype: float32 by our own tiles, float64 and complex by BLAS, integers by plain loops,
 * half and bfloat16 through float32. */
#include "ops/product.h"

#include "ops/blas.h"
#include "ops/native.h"
#include "ops/site.h"

tsr_side tsr_side_of(tsr_tensor *t) {
  int n = t->ndim;
  return (tsr_side){t, n > 2 ? t->stride[n - 3] : 0, t->stride[n - 2], t->stride[n - 1]};
}

typedef struct any_job {
  tsr_dtype dtype;
  int64_t m, n, k, rows_part, parts;
  size_t item;
  const char *a, *b;
  char *c;
  int64_t a_step, a_rs, a_cs, b_step, b_rs, b_cs;
} any_job;

/* ---- integers: sums wrap as two's complement ---- */

#define INT_ROWS(T)                                                                                   \
  static void rows_##T(const any_job *j, const char *a_, const char *b_, char *c_, int64_t m) {       \
    const T *a = (const T *)(const void *)a_, *b = (const T *)(const void *)b_;                       \
    T *c = (T *)(void *)c_;                                                                           \
    for (int64_t i = 0; i < m; i++, c += j->n) {                                                      \
      for (int64_t n = 0; n < j->n; n++) c[n] = 0;                                                    \
      for (int64_t k = 0; k < j->k; k++) {                                                            \
        uint64_t x = (uint64_t)a[i * j->a_rs + k * j->a_cs];                                          \
        for (int64_t n = 0; n < j->n; n++)                                                            \
          c[n] = (T)((uint64_t)c[n] + x * (uint64_t)b[k * j->b_rs + n * j->b_cs]);                    \
      }                                                                                               \
    }                                                                                                 \
  }
INT_ROWS(uint8_t)
INT_ROWS(int8_t)
INT_ROWS(int16_t)
INT_ROWS(int32_t)
INT_ROWS(int64_t)

static void int_rows(const any_job *j, const char *a, const char *b, char *c, int64_t m) {
  switch (j->dtype) {
  case TSR_UINT8: rows_uint8_t(j, a, b, c, m); break;
  case TSR_INT8: rows_int8_t(j, a, b, c, m); break;
  case TSR_INT16: rows_int16_t(j, a, b, c, m); break;
  case TSR_INT32: rows_int32_t(j, a, b, c, m); break;
  default: rows_int64_t(j, a, b, c, m); break;
  }
}

static void any_task(void *arg, int64_t begin, int64_t end) {
  const any_job *j = arg;
  for (int64_t task = begin; task < end; task++) {
    int64_t i = task / j->parts, r = task % j->parts * j->rows_part, m = TSR_MIN(j->rows_part, j->m - r);
    const char *a = j->a + (i * j->a_step + r * j->a_rs) * (int64_t)j->item;
    const char *b = j->b + i * j->b_step * (int64_t)j->item;
    char *c = j->c + (i * j->m + r) * j->n * (int64_t)j->item;
    if (tsr_dtype_is_integral(j->dtype, false)) {
      int_rows(j, a, b, c, m);
      continue;
    }
    bool at = j->a_cs != 1, bt = j->b_cs != 1;
    tsr_blas_gemm(j->dtype, m, j->n, j->k, a, at ? j->a_cs : j->a_rs, at, b, bt ? j->b_cs : j->b_rs, bt, c, j->n);
  }
}

/* BLAS wants one unit stride and the other at least the length of what it skips. */
static bool fits_blas(int64_t rows, int64_t cols, int64_t *rs, int64_t *cs) {
  if (rows <= 1) *rs = TSR_MAX(*rs, TSR_MAX(1, cols));
  if (cols <= 1) *cs = 1;
  if (*cs == 1 && *rs >= TSR_MAX(1, cols)) return true;
  return *rs == 1 && *cs >= TSR_MAX(1, rows);
}

/* A contiguous [count, rows, cols] copy of a side, in that dtype. */
static tsr_status settle(tsr_ctx *ctx, tsr_side *s, tsr_dtype dtype, int64_t count, int64_t rows, int64_t cols) {
  int64_t size[3] = {s->step == 0 ? 1 : count, rows, cols}, stride[3] = {s->step, s->rs, s->cs};
  tsr_tensor *t;
  TSR_TRY(tsr_new_view(ctx, &t, s->t, s->t->offset, 3, size, stride));
  TSR_TRY(tsr_ready(ctx, &t, t, dtype));
  *s = (tsr_side){t, s->step == 0 ? 0 : rows * cols, cols, 1};
  return TSR_OK;
}

static const char *data_of(tsr_side s) { return tsr_tensor_data_ro(s.t); }

static tsr_status run_plain(tsr_ctx *ctx, tsr_tensor *out, int64_t count, int64_t m, int64_t n, int64_t k, tsr_side a, tsr_side b) {
  void *c;
  tsr_dtype d = (tsr_dtype)out->dtype;
  bool blas = !tsr_dtype_is_integral(d, false);
  if (blas && !tsr_blas_available()) {
    return tsr_fail(&ctx->err, TSR_EUNSUPPORTED, "products of %s need OpenBLAS: install libopenblas0 (libopenblas.so.0 could not be loaded)", tsr_dtype_name(d));
  }
  if (blas && !fits_blas(m, k, &a.rs, &a.cs)) TSR_TRY(settle(ctx, &a, d, count, m, k));
  if (blas && !fits_blas(k, n, &b.rs, &b.cs)) TSR_TRY(settle(ctx, &b, d, count, k, n));
  if (blas) { /* settle leaves single rows with stride cols */
    fits_blas(m, k, &a.rs, &a.cs);
    fits_blas(k, n, &b.rs, &b.cs);
    if (TSR_MAX(m, TSR_MAX(n, k)) > INT32_MAX || TSR_MAX(TSR_MAX(a.rs, a.cs), TSR_MAX(b.rs, b.cs)) > INT32_MAX)
      return tsr_fail(&ctx->err, TSR_EUNSUPPORTED, "matrix products of 2^31 or more rows or columns are not supported for this type");
  }
  TSR_TRY(tsr_data_mut(ctx, out, &c));
  int64_t part = TSR_MAX(16, TSR_MIN(128, 4000000 / TSR_MAX(1, n * k)));
  any_job j = {d, m, n, k, part, (m + part - 1) / part, tsr_dtype_size(d), data_of(a), data_of(b), c,
               a.step, a.rs, a.cs, b.step, b.rs, b.cs};
  tsr_parallel_for(ctx, count * j.parts, TSR_MAX(1, 100000 / TSR_MAX(1, part * n * k)), any_task, &j);
  return TSR_OK;
}

static tsr_status run_f32(tsr_ctx *ctx, tsr_tensor *out, int64_t count, int64_t m, int64_t n, int64_t k, tsr_side a, tsr_side b) {
  void *c;
  TSR_TRY(tsr_data_mut(ctx, out, &c));
  const float *ap = tsr_tensor_data_ro(a.t), *bp = tsr_tensor_data_ro(b.t);
  tsr_product p = {m, n, k, count, {ap, a.rs, a.cs}, {bp, b.rs, b.cs}, c, n, a.step, b.step, m * n, NULL};
  return tsr_gemm_product(ctx, &p);
}

static tsr_status run_narrow(tsr_ctx *ctx, tsr_tensor **out, int64_t count, int64_t m, int64_t n, int64_t k, tsr_side a, tsr_side b) {
  tsr_tensor *wide;
  tsr_dtype d = (tsr_dtype)(*out)->dtype;
  TSR_TRY(settle(ctx, &a, TSR_FLOAT32, count, m, k));
  TSR_TRY(settle(ctx, &b, TSR_FLOAT32, count, k, n));
  TSR_TRY(tsr_new(ctx, &wide, TSR_FLOAT32, (*out)->ndim, (*out)->size));
  TSR_TRY(run_f32(ctx, wide, count, m, n, k, a, b));
  return tsr_to_dtype(ctx, out, wide, d);
}

tsr_status tsr_product_any(tsr_ctx *ctx, tsr_tensor **out, const char *name, int64_t count, int64_t m, int64_t n, int64_t k,
                           tsr_side a, tsr_side b) {
  int64_t size[3] = {count, m, n};
  tsr_dtype d = (tsr_dtype)a.t->dtype;
  if (count < 0) TSR_TRY(tsr_new(ctx, out, d, 2, size + 1));
  else TSR_TRY(tsr_new(ctx, out, d, 3, size));
  if ((*out)->numel == 0) return TSR_OK;
  if (k == 0) return tsr_fill(ctx, *out, tsr_scalar_int(0));
  if (count < 0) count = 1;
  switch (d) {
  case TSR_FLOAT32: return run_f32(ctx, *out, count, m, n, k, a, b);
  case TSR_FLOAT16: case TSR_BFLOAT16: return run_narrow(ctx, out, count, m, n, k, a, b);
  case TSR_FLOAT64: case TSR_COMPLEX64: case TSR_COMPLEX128:
  case TSR_UINT8: case TSR_INT8: case TSR_INT16: case TSR_INT32: case TSR_INT64:
    return run_plain(ctx, *out, count, m, n, k, a, b);
  default: return tsr_op_fail(ctx, "\"%s\" not implemented for '%s'", name, tsr_dtype_get_info(d)->cpp_name);
  }
}
