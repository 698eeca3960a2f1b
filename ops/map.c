/* Formulas in the compute types other than float32, and the choice of table. */
#pragma GCC optimize("O3")
#include "ops/map.h"

#include "ops/map_scalar.h"

#pragma GCC diagnostic ignored "-Wunused-variable"

#define COMMON                                                                                     \
  const int64_t i0 = p->i[0];                                                                      \
  const int bits = p->bits;                                                                        \
  int *err = p->error;

#define PARAMS_f64 const double P0 = p->d[0], P1 = p->d[1], P2 = p->d[2], P3 = p->d[3];
#define PARAMS_i64 const int64_t P0 = p->i[0], P1 = p->i[1], P2 = p->i[2], P3 = p->i[3];
#define PARAMS_c128                                                                                \
  const cplx P0 = CMPLX(p->z[0].re, p->z[0].im), P1 = CMPLX(p->z[1].re, p->z[1].im), P2 = CMPLX(p->z[2].re, p->z[2].im);
#define OUT_S_f64 double
#define OUT_S_i64 int64_t
#define OUT_S_c128 cplx
#define OUT_M_f64 double
#define OUT_M_i64 int64_t
#define OUT_M_c128 double
#define OUT_B_f64 uint8_t
#define OUT_B_i64 uint8_t
#define OUT_B_c128 uint8_t
#define OUT_Z_f64 cplx
#define OUT_Z_i64 cplx
#define OUT_Z_c128 cplx

#define DEF_N(ct, CTYPE, id, out, expr)
#define DEF_Y(ct, CTYPE, id, out, expr)                                                            \
  static void ct##_##id(void *y_, const void *const *in, int64_t n, const tsr_map_params *p) {     \
    OUT_##out##_##ct *y = y_;                                                                      \
    const CTYPE *pa = in[0], *pb = in[1], *pc = in[2];                                             \
    PARAMS_##ct COMMON                                                                             \
    for (int64_t i = 0; i < n; i++) {                                                              \
      const CTYPE a = pa[i], b = pb[i], c = pc[i];                                                 \
      y[i] = (OUT_##out##_##ct)(expr);                                                             \
    }                                                                                              \
  }

#define T double
#define FN(x) x
#define HF(x) x##_f64
#define X(id, nin, out, V, vexpr, F, fexpr, I, iexpr, C, cexpr) DEF_##F(f64, double, id, out, fexpr)
#include "ops/map_list.h"
#undef X
#undef T
#undef HF
#define T int64_t
#define HF(x) x##_i64
#define X(id, nin, out, V, vexpr, F, fexpr, I, iexpr, C, cexpr) DEF_##I(i64, int64_t, id, out, iexpr)
#include "ops/map_list.h"
#undef X
#define X(id, nin, out, V, vexpr, F, fexpr, I, iexpr, C, cexpr) DEF_##C(c128, cplx, id, out, cexpr)
#include "ops/map_list.h"
#undef X

/* Truth values, one byte each. */
#define TRUTH(id, expr)                                                                            \
  static void u8_##id(void *y_, const void *const *in, int64_t n, const tsr_map_params *p) {       \
    uint8_t *y = y_;                                                                               \
    const uint8_t *pa = in[0], *pb = in[1];                                                        \
    TSR_UNUSED(p);                                                                                 \
    for (int64_t i = 0; i < n; i++) {                                                              \
      const unsigned a = pa[i], b = pb[i];                                                         \
      y[i] = (uint8_t)(expr);                                                                      \
    }                                                                                              \
  }
#define TRUTHS(X)                                                                                          \
  X(copy, a) X(bitwise_and, a & b) X(bitwise_or, a | b) X(bitwise_xor, a ^ b) X(bitwise_not, a ^ 1) X(eq, a == b) X(ne, a != b) \
  X(logical_and, a & b) X(logical_or, a | b) X(logical_xor, a ^ b) X(logical_not, a ^ 1) X(mul, a & b) X(maximum, a | b) X(minimum, a & b)
TRUTHS(TRUTH)

/* where: the first operand is truth values, the others have one size. */
#define WHERE(ct, CTYPE)                                                                           \
  static void where_##ct(void *y_, const void *const *in, int64_t n, const tsr_map_params *p) {    \
    CTYPE *y = y_;                                                                                 \
    const uint8_t *m = in[0];                                                                      \
    const CTYPE *a = in[1], *b = in[2];                                                            \
    TSR_UNUSED(p);                                                                                 \
    for (int64_t i = 0; i < n; i++) y[i] = m[i] ? a[i] : b[i];                                     \
  }
WHERE(f64, uint64_t)
WHERE(c128, tsr_c128)
WHERE(u8, uint8_t)

#define FN_N(ct, CT, id)
#define FN_Y(ct, CT, id) [CT][TSR_MAP_##id] = ct##_##id,
static const tsr_map_fn fns[TSR_CT_COUNT][TSR_MAP_COUNT] = {
#define X(id, nin, out, V, vexpr, F, fexpr, I, iexpr, C, cexpr) \
  FN_##F(f64, TSR_CT_F64, id) FN_##I(i64, TSR_CT_I64, id) FN_##C(c128, TSR_CT_C128, id)
#include "ops/map_list.h"
#undef X
#define X(id, expr) [TSR_CT_U8][TSR_MAP_##id] = u8_##id,
    TRUTHS(X)
#undef X
    [TSR_CT_F64][TSR_MAP_where] = where_f64, [TSR_CT_I64][TSR_MAP_where] = where_f64,
    [TSR_CT_C128][TSR_MAP_where] = where_c128, [TSR_CT_U8][TSR_MAP_where] = where_u8,
};

static const struct { uint8_t arity, out; } infos[TSR_MAP_COUNT] = {
#define X(id, nin, kind, ...) [TSR_MAP_##id] = {nin, TSR_MAP_OUT_##kind},
#include "ops/map_list.h"
#undef X
};

const tsr_map_kernels *tsr_map_kernels_best(void) {
  static const tsr_map_kernels *const by_isa[TSR_ISA_COUNT] = {
      [TSR_ISA_SCALAR] = &tsr_map_scalar,
#if defined(__aarch64__)
      [TSR_ISA_NEON] = &tsr_map_neon,
#elif defined(__x86_64__)
      [TSR_ISA_AVX2] = &tsr_map_avx2,
      [TSR_ISA_AVX512] = &tsr_map_avx512,
#endif
  };
  return by_isa[tsr_cpu_isa()];
}

tsr_map_fn tsr_map_get(tsr_map_id id, tsr_ct ct) {
  if (ct == TSR_CT_F32) return tsr_map_kernels_best()->f32[id];
  return fns[ct][id];
}
int tsr_map_out_kind(tsr_map_id id) { return infos[id].out; }
int tsr_map_arity(tsr_map_id id) { return infos[id].arity; }
