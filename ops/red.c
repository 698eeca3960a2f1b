/* Reductions of double, int64 and complex128 elements, and the choice of table. */
#pragma GCC optimize("O3")
#include "ops/red.h"

#include <math.h>

#include "ops/cplx.h"

#define FN(x) x
#define T double
#define A double
#define R double
#define RED(name) f64_##name
#include "ops/red_body.h"
#undef T
#undef A
#undef R
#undef RED
#undef LANES
#undef ACC_D
#undef ACC_F

/* Integers wrap; the formulas that speak of infinity or NaN are written out below. */
#define INT_REDS(X)                                                                                   \
  X(sum, 0, (int64_t)((uint64_t)s + (uint64_t)a), (int64_t)((uint64_t)s + (uint64_t)t))               \
  X(prod, 1, (int64_t)((uint64_t)s * (uint64_t)a), (int64_t)((uint64_t)s * (uint64_t)t))              \
  X(max, INT64_MIN, a > s ? a : s, t > s ? t : s)                                                     \
  X(min, INT64_MAX, a < s ? a : s, t < s ? t : s)                                                     \
  X(any, 0, (s != 0) | (a != 0), (s != 0) | (t != 0))                                                 \
  X(all, 1, (s != 0) & (a != 0), (s != 0) & (t != 0))                                                 \
  X(count, 0, s + (a != 0), s + t)                                                                    \
  X(nansum, 0, (int64_t)((uint64_t)s + (uint64_t)a), (int64_t)((uint64_t)s + (uint64_t)t))            \
  X(nancount, 0, s + 1, s + t)
#define CPX_REDS(X)                                                                                   \
  X(sum, 0, s + a, s + t)                                                                             \
  X(prod, 1, s *a, s *t)                                                                              \
  X(any, 0, s != 0 || a != 0, s != 0 || t != 0)                                                       \
  X(all, 1, s != 0 && a != 0, s != 0 && t != 0)                                                       \
  X(count, 0, s + (a != 0), s + t)                                                                    \
  X(nansum, 0, s + (a != a ? 0 : a), s + t)                                                           \
  X(nancount, 0, s + (a == a), s + t)                                                                 \
  X(sumabs, 0, s + cabs(a), s + t)                                                                    \
  X(sumsq, 0, s + (creal(a) * creal(a) + cimag(a) * cimag(a)), s + t)                                 \
  X(maxabs, 0, (cabs(a) > creal(s) || a != a) ? cabs(a) : s, (creal(t) > creal(s) || t != t) ? t : s) \
  X(minabs, INFINITY, (cabs(a) < creal(s) || a != a) ? cabs(a) : s, (creal(t) < creal(s) || t != t) ? t : s) \
  X(sumpow, 0, s + pow(cabs(a), p), s + t)

#define PLAIN(pre, T, id, first, step, both)                                                         \
  static void pre##_col_##id(void *acc_, const void *x_, int64_t n, const double *m, double p) {      \
    T *acc = acc_;                                                                                    \
    const T *x = x_;                                                                                  \
    for (int64_t i = 0; i < n; i++) {                                                                 \
      const T s = acc[i], a = x[i];                                                                   \
      acc[i] = (step);                                                                                \
      (void)a;                                                                                        \
    }                                                                                                 \
    (void)m, (void)p;                                                                                 \
  }                                                                                                   \
  static void pre##_run_##id(void *acc, const void *x_, int64_t n, double m, double p) {              \
    const T *x = x_;                                                                                  \
    T s = (first);                                                                                    \
    for (int64_t i = 0; i < n; i++) {                                                                 \
      const T a = x[i];                                                                               \
      s = (step);                                                                                     \
      (void)a;                                                                                        \
    }                                                                                                 \
    *(T *)acc = s;                                                                                    \
    (void)m, (void)p;                                                                                 \
  }                                                                                                   \
  static void pre##_join_##id(void *acc_, const void *other_, int64_t n) {                            \
    T *acc = acc_;                                                                                    \
    const T *other = other_;                                                                          \
    for (int64_t i = 0; i < n; i++) {                                                                 \
      const T s = acc[i], t = other[i];                                                               \
      acc[i] = (both);                                                                               \
    }                                                                                                 \
  }                                                                                                   \
  static void pre##_init_##id(void *acc_, int64_t n) {                                                \
    T *acc = acc_;                                                                                    \
    for (int64_t i = 0; i < n; i++) acc[i] = (first);                                                 \
  }
typedef double _Complex cplx;
#define X(id, first, step, both) PLAIN(i64, int64_t, id, first, step, both)
INT_REDS(X)
#undef X
#define X(id, first, step, both) PLAIN(c128, cplx, id, first, step, both)
CPX_REDS(X)
#undef X

static const tsr_red_fns f64_fns[TSR_RED_COUNT] = {
#define X(id, ...) [TSR_RED_##id] = {f64_run_##id, f64_col_##id, f64_join_##id, f64_init_##id},
#include "ops/red_list.h"
#undef X
};
static const tsr_red_fns i64_fns[TSR_RED_COUNT] = {
#define X(id, ...) [TSR_RED_##id] = {i64_run_##id, i64_col_##id, i64_join_##id, i64_init_##id},
    INT_REDS(X)
#undef X
};
static const tsr_red_fns c128_fns[TSR_RED_COUNT] = {
#define X(id, ...) [TSR_RED_##id] = {c128_run_##id, c128_col_##id, c128_join_##id, c128_init_##id},
    CPX_REDS(X)
#undef X
};

const tsr_red_fns *tsr_red_get(tsr_red_id id, tsr_ct ct) {
  const tsr_red_fns *t = i64_fns;
  if (ct == TSR_CT_F64) t = f64_fns;
  else if (ct == TSR_CT_C128) t = c128_fns;
  else if (ct == TSR_CT_F32) {
    static const tsr_red_fns *const by_isa[TSR_ISA_COUNT] = {
        [TSR_ISA_SCALAR] = tsr_red_scalar,
#if defined(__aarch64__)
        [TSR_ISA_NEON] = tsr_red_neon,
#elif defined(__x86_64__)
        [TSR_ISA_AVX2] = tsr_red_avx2,
        [TSR_ISA_AVX512] = tsr_red_avx512,
#endif
    };
    t = by_isa[tsr_cpu_isa()];
  }
  return t[id].run ? &t[id] : NULL;
}
