/* Typed runs, index checks and working copies behind the indexing operators. */
#include <math.h>

#include "ops/index_run.h"
#include "ops/native.h"

/* ---- runs ---- */

#pragma GCC push_options
#pragma GCC optimize("O3") /* -O2 does not vectorize loops of unknown length */

/* Contiguous runs are the common case and vectorize. */
#define RUN(name, type, expr)                                                                        \
  static void name(char *dst, ptrdiff_t dstep, const char *src, ptrdiff_t sstep, int64_t n) {        \
    if (dstep == (ptrdiff_t)sizeof(type) && sstep == (ptrdiff_t)sizeof(type)) {                      \
      type *to = (type *)(void *)dst;                                                                \
      const type *from = (const type *)(const void *)src;                                            \
      for (int64_t i = 0; i < n; i++) {                                                              \
        type a = to[i], b = from[i];                                                                 \
        to[i] = (expr);                                                                              \
      }                                                                                              \
      return;                                                                                        \
    }                                                                                                \
    for (int64_t i = 0; i < n; i++, dst += dstep, src += sstep) {                                    \
      type a = *(const type *)dst, b = *(const type *)src;                                           \
      *(type *)dst = (expr);                                                                         \
    }                                                                                                \
  }

#define SET_RUN(name, type)                                                                          \
  static void name(char *dst, ptrdiff_t dstep, const char *src, ptrdiff_t sstep, int64_t n) {        \
    if (dstep == (ptrdiff_t)sizeof(type) && sstep == (ptrdiff_t)sizeof(type)) {                      \
      memmove(dst, src, (size_t)n * sizeof(type));                                                   \
      return;                                                                                        \
    }                                                                                                \
    for (int64_t i = 0; i < n; i++, dst += dstep, src += sstep) *(type *)dst = *(const type *)src;   \
  }

SET_RUN(set_1, uint8_t)
SET_RUN(set_2, uint16_t)
SET_RUN(set_4, uint32_t)
SET_RUN(set_8, uint64_t)
SET_RUN(set_16, tsr_c128)

/* Unsigned arithmetic wraps without undefined behaviour; the stored bits are the same. */
#define INT_RUNS(id, type, wrap)                          \
  RUN(add_##id, type, (type)((wrap)a + (wrap)b))          \
  RUN(mul_##id, type, (type)((wrap)a * (wrap)b))          \
  RUN(amax_##id, type, a > b ? a : b)                     \
  RUN(amin_##id, type, a < b ? a : b)

INT_RUNS(u8, uint8_t, uint32_t)
INT_RUNS(i8, int8_t, uint32_t)
INT_RUNS(i16, int16_t, uint32_t)
INT_RUNS(i32, int32_t, uint32_t)
INT_RUNS(i64, int64_t, uint64_t)
INT_RUNS(u16, uint16_t, uint32_t)
INT_RUNS(u32, uint32_t, uint32_t)
INT_RUNS(u64, uint64_t, uint64_t)

#define FLOAT_RUNS(id, type)                              \
  RUN(add_##id, type, a + b)                              \
  RUN(mul_##id, type, a * b)                              \
  RUN(amax_##id, type, a != a || a > b ? a : b)           \
  RUN(amin_##id, type, a != a || a < b ? a : b)

FLOAT_RUNS(f32, float)
FLOAT_RUNS(f64, double)

RUN(or_bool, uint8_t, a != 0 || b != 0)
RUN(and_bool, uint8_t, a != 0 && b != 0)

#define SHORT_RUNS(id, up, down)                                                  \
  RUN(add_##id, uint16_t, down(up(a) + up(b)))                                    \
  RUN(mul_##id, uint16_t, down(up(a) * up(b)))                                    \
  RUN(amax_##id, uint16_t, isnan(up(a)) || up(a) > up(b) ? a : b)                 \
  RUN(amin_##id, uint16_t, isnan(up(a)) || up(a) < up(b) ? a : b)

SHORT_RUNS(f16, tsr_half_to_float, tsr_float_to_half)
SHORT_RUNS(bf16, tsr_bf16_to_float, tsr_float_to_bf16)

#define COMPLEX_RUNS(id, type)                                                                        \
  RUN(add_##id, type, ((type){a.re + b.re, a.im + b.im}))                                             \
  RUN(mul_##id, type, ((type){a.re * b.re - a.im * b.im, a.re * b.im + a.im * b.re}))

COMPLEX_RUNS(c64, tsr_c64)
COMPLEX_RUNS(c128, tsr_c128)

#pragma GCC pop_options

#define REAL_ROW(dtype, id) [dtype] = {[TSR_ADD] = add_##id, [TSR_MUL] = mul_##id, [TSR_AMAX] = amax_##id, [TSR_AMIN] = amin_##id}
static const tsr_run_fn runs[64][5] = {
    REAL_ROW(TSR_UINT8, u8), REAL_ROW(TSR_INT8, i8), REAL_ROW(TSR_INT16, i16), REAL_ROW(TSR_INT32, i32), REAL_ROW(TSR_INT64, i64),
    REAL_ROW(TSR_UINT16, u16), REAL_ROW(TSR_UINT32, u32), REAL_ROW(TSR_UINT64, u64),
    REAL_ROW(TSR_FLOAT16, f16), REAL_ROW(TSR_BFLOAT16, bf16), REAL_ROW(TSR_FLOAT32, f32), REAL_ROW(TSR_FLOAT64, f64),
    [TSR_BOOL] = {[TSR_ADD] = or_bool, [TSR_MUL] = and_bool, [TSR_AMAX] = or_bool, [TSR_AMIN] = and_bool},
    [TSR_COMPLEX64] = {[TSR_ADD] = add_c64, [TSR_MUL] = mul_c64},
    [TSR_COMPLEX128] = {[TSR_ADD] = add_c128, [TSR_MUL] = mul_c128},
};

tsr_run_fn tsr_combine_run(tsr_combine how, tsr_dtype dtype) {
  if (how != TSR_SET) return runs[dtype & 63][how];
  switch (tsr_dtype_size(dtype)) {
  case 1: return set_1;
  case 2: return set_2;
  case 4: return set_4;
  case 8: return set_8;
  case 16: return set_16;
  default: return NULL;
  }
}

bool tsr_combine_parse(const char *word, tsr_combine *how, bool *mean) {
  static const struct { const char *word; tsr_combine how; } words[] = {
      {"sum", TSR_ADD}, {"add", TSR_ADD}, {"mean", TSR_ADD}, {"prod", TSR_MUL}, {"multiply", TSR_MUL}, {"amax", TSR_AMAX}, {"amin", TSR_AMIN}};
  for (size_t i = 0; i < TSR_COUNT(words); i++) {
    if (strcmp(words[i].word, word) != 0) continue;
    *how = words[i].how;
    *mean = i == 2;
    return true;
  }
  return false;
}

tsr_scalar tsr_combine_identity(tsr_combine how, tsr_dtype dtype) {
  if (how == TSR_ADD) return tsr_scalar_int(0);
  if (how == TSR_MUL) return tsr_scalar_int(1);
  bool low = how == TSR_AMAX;
  if (tsr_dtype_is_float(dtype)) return tsr_scalar_float(low ? -__builtin_inf() : __builtin_inf());
  switch (dtype) {
  case TSR_BOOL: return tsr_scalar_int(!low);
  case TSR_UINT8: return tsr_scalar_int(low ? 0 : UINT8_MAX);
  case TSR_INT8: return tsr_scalar_int(low ? INT8_MIN : INT8_MAX);
  case TSR_INT16: return tsr_scalar_int(low ? INT16_MIN : INT16_MAX);
  case TSR_INT32: return tsr_scalar_int(low ? INT32_MIN : INT32_MAX);
  default: return tsr_scalar_int(low ? INT64_MIN : INT64_MAX);
  }
}

/* ---- indices ---- */

tsr_status tsr_index_ready(tsr_ctx *ctx, tsr_tensor **out, tsr_tensor *idx) { return tsr_ready(ctx, out, idx, TSR_INT64); }

tsr_status tsr_index_check(tsr_ctx *ctx, tsr_tensor *idx, int64_t size, int64_t dim) {
  const int64_t *v = tsr_tensor_data_ro(idx);
  int64_t bad = 0; /* negative when some v or size - 1 - v is */
  for (int64_t i = 0; i < idx->numel; i++) bad |= v[i] | (int64_t)((uint64_t)(size - 1) - (uint64_t)v[i]);
  for (int64_t i = 0; bad < 0 && i < idx->numel; i++)
    if (v[i] < 0 || v[i] >= size)
      return tsr_op_fail(ctx, "index %lld is out of bounds for dimension %lld with size %lld", (long long)v[i], (long long)dim, (long long)size);
  return TSR_OK;
}

/* ---- updates ---- */

tsr_status tsr_update_begin(tsr_call *c, bool in_place, tsr_update *u) {
  *u = (tsr_update){.self = tsr_arg_tensor(c, 0), .in_place = in_place};
  if (in_place && tsr_tensor_is_contiguous(u->self)) {
    u->work = u->self;
    return TSR_OK;
  }
  TSR_TRY(tsr_new(c->ctx, &u->work, (tsr_dtype)u->self->dtype, u->self->ndim, u->self->size));
  return tsr_copy_into(c->ctx, u->work, u->self);
}

tsr_status tsr_update_end(tsr_call *c, tsr_update *u) {
  if (u->in_place) {
    if (u->work != u->self) TSR_TRY(tsr_copy_into(c->ctx, u->self, u->work));
    return tsr_ret_tensor(c, 0, u->self);
  }
  if (!u->keeps_order || tsr_tensor_is_contiguous(u->self)) return tsr_ret_tensor(c, 0, u->work);
  tsr_tensor *y;
  TSR_TRY(tsr_new_like(c->ctx, &y, u->self, (tsr_dtype)u->self->dtype));
  TSR_TRY(tsr_copy_into(c->ctx, y, u->work));
  return tsr_ret_tensor(c, 0, y);
}
