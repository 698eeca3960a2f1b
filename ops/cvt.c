/* See cvt.h.  One loop body a pair of types, written by macro; half precision goes through the
 * processor's own kernels when the run is contiguous. */
#pragma GCC optimize("O3")
#include "ops/cvt.h"

#include "ops/map.h"

tsr_ct tsr_ct_of(tsr_dtype d) {
  switch (d) {
  case TSR_FLOAT16: case TSR_BFLOAT16: case TSR_FLOAT32: return TSR_CT_F32;
  case TSR_FLOAT64: return TSR_CT_F64;
  case TSR_COMPLEX32: case TSR_COMPLEX64: case TSR_COMPLEX128: return TSR_CT_C128;
  default: return TSR_CT_I64;
  }
}

typedef struct h16 { uint16_t b; } h16;  /* half */
typedef struct b16 { uint16_t b; } b16;  /* bfloat16 */
typedef struct c32 { uint16_t re, im; } c32;
typedef uint8_t tbool;

/* Reading: GET_<kind>(T, p) is the element as a number, RE/IM parts for complex. */
#define GET_num(p) (*(p))
#define GET_truth(p) (*(p) != 0)
#define GET_h16(p) tsr_half_to_float((p)->b)
#define GET_b16(p) tsr_bf16_to_float((p)->b)
#define GET_c32(p) tsr_half_to_float((p)->re)
#define GET_cpx(p) ((p)->re)
#define IM_num(p) 0.0
#define IM_truth(p) 0.0
#define IM_h16(p) 0.0
#define IM_b16(p) 0.0
#define IM_c32(p) tsr_half_to_float((p)->im)
#define IM_cpx(p) ((p)->im)

/* Float to int64 as the processor does it: out of range gives the lowest value. */
static inline int64_t f_to_i(double x) {
  return x >= -9223372036854775808.0 && x < 9223372036854775808.0 ? (int64_t)x : INT64_MIN;
}
static inline int32_t f_to_i32(double x) { return x > -2147483649.0 && x < 2147483648.0 ? (int32_t)x : INT32_MIN; }

#define TO_F32(k, p) ((float)GET_##k(p))
#define TO_F64(k, p) ((double)GET_##k(p))
#define TO_I64(k, p) TOI_##k(p)
#define TOI_num(p) _Generic(*(p), float: f_to_i((double)*(p)), double: f_to_i((double)*(p)), default: (int64_t)*(p))
#define TOI_truth(p) (*(p) != 0)
#define TOI_h16(p) f_to_i((double)GET_h16(p))
#define TOI_b16(p) f_to_i((double)GET_b16(p))
#define TOI_c32(p) f_to_i((double)GET_c32(p))
#define TOI_cpx(p) f_to_i((double)GET_cpx(p))
#define TO_C128(k, p) ((tsr_c128){(double)GET_##k(p), (double)IM_##k(p)})
#define TO_U8(k, p) ((uint8_t)(GET_##k(p) != 0 || IM_##k(p) != 0.0))

/* X(dtype, type, kind, suffix) */
#define DTYPES(X)                                                                              \
  X(TSR_UINT8, uint8_t, num, u8) X(TSR_INT8, int8_t, num, i8) X(TSR_INT16, int16_t, num, i16)   \
  X(TSR_INT32, int32_t, num, i32) X(TSR_INT64, int64_t, num, i64) X(TSR_FLOAT16, h16, h16, f16) \
  X(TSR_FLOAT32, float, num, f32) X(TSR_FLOAT64, double, num, f64) X(TSR_COMPLEX32, c32, c32, c32) \
  X(TSR_COMPLEX64, tsr_c64, cpx, c64) X(TSR_COMPLEX128, tsr_c128, cpx, c128) X(TSR_BOOL, tbool, truth, b8) \
  X(TSR_BFLOAT16, b16, b16, bf16) X(TSR_UINT16, uint16_t, num, u16) X(TSR_UINT32, uint32_t, num, u32) \
  X(TSR_UINT64, uint64_t, num, u64)

#define LOAD_FN(CT, C, T, kind, sfx)                                                \
  static void load_##CT##_##sfx(void *dst, const char *src, int64_t step, int64_t n) { \
    C *y = dst;                                                                     \
    if (step == (int64_t)sizeof(T)) {                                               \
      const T *x = (const T *)(const void *)src;                                    \
      for (int64_t i = 0; i < n; i++) y[i] = TO_##CT(kind, x + i);                  \
    } else if (step == 0) {                                                         \
      C v = TO_##CT(kind, (const T *)(const void *)src);                            \
      for (int64_t i = 0; i < n; i++) y[i] = v;                                     \
    } else {                                                                        \
      for (int64_t i = 0; i < n; i++) y[i] = TO_##CT(kind, (const T *)(const void *)(src + i * step)); \
    }                                                                               \
  }
#define LOADS(d, T, kind, sfx)                                                                         \
  LOAD_FN(F32, float, T, kind, sfx) LOAD_FN(F64, double, T, kind, sfx) LOAD_FN(I64, int64_t, T, kind, sfx) \
  LOAD_FN(C128, tsr_c128, T, kind, sfx) LOAD_FN(U8, uint8_t, T, kind, sfx)
DTYPES(LOADS)

/* Writing: FROM_<compute type>_<sfx>(x) is the element. */
static inline h16 mk_h16(float f) { return (h16){tsr_float_to_half(f)}; }
static inline b16 mk_b16(float f) { return (b16){tsr_float_to_bf16(f)}; }
static inline c32 mk_c32(double re, double im) { return (c32){tsr_float_to_half((float)re), tsr_float_to_half((float)im)}; }
static inline tsr_c64 mk_c64(double re, double im) { return (tsr_c64){(float)re, (float)im}; }
static inline tsr_c128 mk_c128(double re, double im) { return (tsr_c128){re, im}; }

#define INT_F(x) f_to_i((double)(x))
#define FROM_REAL(CT, TOINT)                                                                                       \
  STORE_FN(CT, u8, uint8_t, (uint8_t)TOINT(x)) STORE_FN(CT, i8, int8_t, (int8_t)TOINT(x))                          \
  STORE_FN(CT, i16, int16_t, (int16_t)TOINT(x)) STORE_FN(CT, u16, uint16_t, (uint16_t)TOINT(x))                    \
  STORE_FN(CT, u32, uint32_t, (uint32_t)TOINT(x)) STORE_FN(CT, u64, uint64_t, (uint64_t)TOINT(x))                  \
  STORE_FN(CT, i64, int64_t, TOINT(x)) STORE_FN(CT, f16, h16, mk_h16((float)x)) STORE_FN(CT, bf16, b16, mk_b16((float)x)) \
  STORE_FN(CT, f32, float, (float)x) STORE_FN(CT, f64, double, (double)x) STORE_FN(CT, c32, c32, mk_c32((double)x, 0)) \
  STORE_FN(CT, c64, tsr_c64, mk_c64((double)x, 0)) STORE_FN(CT, c128, tsr_c128, mk_c128((double)x, 0)) STORE_FN(CT, b8, tbool, x != 0)
#define STORE_FN(CT, sfx, T, expr)                                                        \
  static void store_##CT##_##sfx(char *dst, int64_t step, const void *src, int64_t n) {   \
    const CTYPE_##CT *s = src;                                                            \
    if (step == (int64_t)sizeof(T)) {                                                     \
      T *y = (T *)(void *)dst;                                                            \
      for (int64_t i = 0; i < n; i++) { const CTYPE_##CT x = s[i]; y[i] = (expr); }       \
    } else {                                                                              \
      for (int64_t i = 0; i < n; i++) { const CTYPE_##CT x = s[i]; *(T *)(void *)(dst + i * step) = (expr); } \
    }                                                                                     \
  }
#define CTYPE_F32 float
#define CTYPE_F64 double
#define CTYPE_I64 int64_t
#define CTYPE_U8 uint8_t
#define CTYPE_C128 tsr_c128
#define INT_I(x) (x)
FROM_REAL(F32, INT_F) FROM_REAL(F64, INT_F) FROM_REAL(I64, INT_I) FROM_REAL(U8, INT_I)
STORE_FN(F32, i32, int32_t, f_to_i32((double)x)) STORE_FN(F64, i32, int32_t, f_to_i32(x))
STORE_FN(I64, i32, int32_t, (int32_t)x) STORE_FN(U8, i32, int32_t, x)
STORE_FN(C128, u8, uint8_t, (uint8_t)INT_F(x.re)) STORE_FN(C128, i8, int8_t, (int8_t)INT_F(x.re))
STORE_FN(C128, i16, int16_t, (int16_t)INT_F(x.re)) STORE_FN(C128, u16, uint16_t, (uint16_t)INT_F(x.re))
STORE_FN(C128, i32, int32_t, f_to_i32(x.re)) STORE_FN(C128, u32, uint32_t, (uint32_t)INT_F(x.re))
STORE_FN(C128, i64, int64_t, INT_F(x.re)) STORE_FN(C128, u64, uint64_t, (uint64_t)INT_F(x.re))
STORE_FN(C128, f16, h16, mk_h16((float)x.re)) STORE_FN(C128, bf16, b16, mk_b16((float)x.re))
STORE_FN(C128, f32, float, (float)x.re) STORE_FN(C128, f64, double, x.re) STORE_FN(C128, c32, c32, mk_c32(x.re, x.im))
STORE_FN(C128, c64, tsr_c64, mk_c64(x.re, x.im)) STORE_FN(C128, c128, tsr_c128, x)
STORE_FN(C128, b8, tbool, x.re != 0 || x.im != 0)

#define DTYPE_SLOTS 32 /* codes of DTYPES are below */
static const tsr_load_fn loads[TSR_CT_COUNT][DTYPE_SLOTS] = {
#define X(d, T, kind, sfx) [TSR_CT_F32][d] = load_F32_##sfx, [TSR_CT_F64][d] = load_F64_##sfx, [TSR_CT_I64][d] = load_I64_##sfx, \
                           [TSR_CT_C128][d] = load_C128_##sfx, [TSR_CT_U8][d] = load_U8_##sfx,
    DTYPES(X)
#undef X
};
static const tsr_store_fn stores[TSR_CT_COUNT][DTYPE_SLOTS] = {
#define X(d, T, kind, sfx) [TSR_CT_F32][d] = store_F32_##sfx, [TSR_CT_F64][d] = store_F64_##sfx, [TSR_CT_I64][d] = store_I64_##sfx, \
                           [TSR_CT_C128][d] = store_C128_##sfx, [TSR_CT_U8][d] = store_U8_##sfx,
    DTYPES(X)
#undef X
};

/* Contiguous half and bfloat16 at the processor's speed. */
#define FAST16(name, sfx)                                                                       \
  static void fast_load_##sfx(void *dst, const char *src, int64_t step, int64_t n) {             \
    if (step == 2) tsr_map_kernels_best()->name##_to_f32(dst, (const uint16_t *)(const void *)src, n); \
    else load_F32_##sfx(dst, src, step, n);                                                     \
  }                                                                                             \
  static void fast_store_##sfx(char *dst, int64_t step, const void *src, int64_t n) {            \
    if (step == 2) tsr_map_kernels_best()->f32_to_##name((uint16_t *)(void *)dst, src, n);       \
    else store_F32_##sfx(dst, step, src, n);                                                    \
  }
FAST16(half, f16)
FAST16(bf16, bf16)

tsr_load_fn tsr_cvt_load(tsr_ct ct, tsr_dtype from) {
  if (ct == TSR_CT_F32 && from == TSR_FLOAT16) return fast_load_f16;
  if (ct == TSR_CT_F32 && from == TSR_BFLOAT16) return fast_load_bf16;
  return (unsigned)from < DTYPE_SLOTS ? loads[ct][from] : NULL;
}

tsr_store_fn tsr_cvt_store(tsr_ct ct, tsr_dtype to) {
  if (ct == TSR_CT_F32 && to == TSR_FLOAT16) return fast_store_f16;
  if (ct == TSR_CT_F32 && to == TSR_BFLOAT16) return fast_store_bf16;
  return (unsigned)to < DTYPE_SLOTS ? stores[ct][to] : NULL;
}

void tsr_cvt_round(tsr_ct ct, tsr_dtype d, void *x, int64_t n) {
  if (tsr_ct_is_native(ct, d)) return;
  _Alignas(16) char tmp[256 * 16];
  int64_t item = (int64_t)tsr_dtype_size(d);
  tsr_store_fn store = tsr_cvt_store(ct, d);
  tsr_load_fn load = tsr_cvt_load(ct, d);
  if (store == NULL || load == NULL) return;
  for (int64_t i = 0; i < n; i += 256) {
    int64_t m = TSR_MIN(n - i, 256);
    char *p = (char *)x + i * tsr_ct_size(ct);
    store(tmp, item, p, m);
    load(p, tmp, item, m);
  }
}
