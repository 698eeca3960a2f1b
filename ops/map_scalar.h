/* Scalar helpers of the formulas.  The HF functions exist for float (f32), double (f64) and, where an
 * integer formula uses them, int64_t (i64). */
#ifndef TSR_OPS_MAP_SCALAR_H
#define TSR_OPS_MAP_SCALAR_H

#include <math.h>

#include "ops/cplx.h"
#include "ops/map.h"
#include "ops/special.h"

#define UI(x) ((uint64_t)(x))
#define WRAP(x) ((int64_t)(x))
#define MAP_FN static inline __attribute__((unused))
typedef double _Complex cplx;

#define REAL_HELPERS(T, S, F)                                                                        \
  MAP_FN T clip_##S(T a, T lo, T hi) { T x = a < lo ? lo : a; return x > hi ? hi : x; }              \
  MAP_FN T clamp3_##S(T a, T lo, T hi) {                                                             \
    if (a != a) return a;                                                                            \
    if (lo != lo) return lo;                                                                         \
    if (hi != hi) return hi;                                                                         \
    return clip_##S(a, lo, hi);                                                                      \
  }                                                                                                  \
  MAP_FN T div_floor_##S(T a, T b) { /* as Python's //, from the exact remainder */                  \
    if (b == 0) return a / b;                                                                        \
    T mod = F(fmod)(a, b), div = (a - mod) / b;                                                      \
    if (mod != 0 && (b < 0) != (mod < 0)) div -= 1;                                                  \
    if (div == 0) return F(copysign)(0, a / b);                                                      \
    T fl = F(floor)(div);                                                                            \
    return div - fl > (T)0.5 ? fl + 1 : fl;                                                          \
  }                                                                                                  \
  MAP_FN T remainder_##S(T a, T b) {                                                                 \
    T mod = F(fmod)(a, b);                                                                           \
    return mod != 0 && (b < 0) != (mod < 0) ? mod + b : mod;                                         \
  }                                                                                                  \
  MAP_FN T lerp_##S(T a, T b, T w) { return F(fabs)(w) < (T)0.5 ? a + w * (b - a) : b - (b - a) * (1 - w); } \
  MAP_FN T logaddexp_##S(T a, T b) {                                                                 \
    if (F(fabs)(a) == (T)INFINITY && a == b) return a;                                               \
    T m = (a > b || a != a) ? a : b;                                                                 \
    return m + F(log1p)(F(exp)(-F(fabs)(a - b)));                                                    \
  }                                                                                                  \
  MAP_FN T logaddexp2_##S(T a, T b) {                                                                \
    if (F(fabs)(a) == (T)INFINITY && a == b) return a;                                               \
    T m = (a > b || a != a) ? a : b;                                                                 \
    return m + F(log1p)(F(exp2)(-F(fabs)(a - b))) * (T)M_LOG2E;                                      \
  }                                                                                                  \
  MAP_FN T logit_eps_##S(T a, T eps) {                                                               \
    T hi = 1 - eps, x = a < eps ? eps : a > hi ? hi : a;                                             \
    return F(log)(x / (1 - x));                                                                      \
  }                                                                                                  \
  MAP_FN T gelu_tanh_##S(T a) {                                                                      \
    T u = (T)0.7978845608028654 * (a + (T)0.044715 * a * a * a);                                     \
    return (T)0.5 * a * (1 + F(tanh)(u));                                                            \
  }                                                                                                  \
  MAP_FN T smooth_l1_##S(T z, T beta) { return z < beta ? (T)0.5 * z * z / beta : z - (T)0.5 * beta; } \
  MAP_FN T huber_##S(T z, T delta) { return z <= delta ? (T)0.5 * z * z : delta * (z - (T)0.5 * delta); } \
  MAP_FN T trigamma_##S(T x) { /* in the type's own precision, as the poles are compared */            \
    T sign = 1, sum = 0;                                                                             \
    if (x < (T)0.5) {                                                                                \
      T s = F(sin)((T)M_PI * x);                                                                     \
      sign = -1;                                                                                     \
      sum = -((T)M_PI * (T)M_PI) / (s * s);                                                          \
      x = 1 - x;                                                                                     \
    }                                                                                                \
    for (int i = 0; i < 6; i++, x += 1) sum += 1 / (x * x);                                          \
    T z = 1 / (x * x);                                                                               \
    return sign * (sum + (1 + 1 / (2 * x) + z * ((T)1 / 6 - z * ((T)1 / 30 - z * ((T)1 / 42 - z / 30)))) / x); \
  }                                                                                                  \
  MAP_FN int isclose_##S(T a, T b, T rtol, T atol, int64_t equal_nan) {                              \
    if (a == b) return 1;                                                                            \
    if (equal_nan && a != a && b != b) return 1;                                                     \
    T d = F(fabs)(a - b);                                                                            \
    return d < (T)INFINITY && d <= atol + F(fabs)(rtol * b);                                         \
  }

#define LIBM_F32(x) x##f
#define LIBM_F64(x) x
REAL_HELPERS(float, f32, LIBM_F32)
REAL_HELPERS(double, f64, LIBM_F64)
MAP_FN int64_t clip_i64(int64_t a, int64_t lo, int64_t hi) { int64_t x = a < lo ? lo : a; return x > hi ? hi : x; }

/* ---- integers: division by zero is reported, INT64_MIN / -1 wraps ---- */
MAP_FN int64_t i_div_trunc(int64_t a, int64_t b, int *err) {
  if (b == 0) return *err = 1, 0;
  return b == -1 ? WRAP(-UI(a)) : a / b;
}
MAP_FN int64_t i_mod_trunc(int64_t a, int64_t b, int *err) {
  if (b == 0) return *err = 1, 0;
  return b == -1 ? 0 : a % b;
}
MAP_FN int64_t i_mod_floor(int64_t a, int64_t b, int *err) {
  int64_t m = i_mod_trunc(a, b, err);
  return m != 0 && (m < 0) != (b < 0) ? m + b : m;
}
MAP_FN int64_t i_div_floor(int64_t a, int64_t b, int *err) {
  int64_t q = i_div_trunc(a, b, err);
  return b != 0 && b != -1 && a % b != 0 && (a < 0) != (b < 0) ? q - 1 : q;
}
MAP_FN int64_t i_pow(int64_t a, int64_t b) {
  if (b < 0) return a == 1 ? 1 : a == -1 ? (b % 2 ? -1 : 1) : 0;
  uint64_t r = 1, x = UI(a);
  for (uint64_t e = UI(b); e; e >>= 1, x *= x)
    if (e & 1) r *= x;
  return WRAP(r);
}
MAP_FN int64_t i_gcd(int64_t a, int64_t b) {
  uint64_t x = a < 0 ? -UI(a) : UI(a), y = b < 0 ? -UI(b) : UI(b);
  while (y) {
    uint64_t t = x % y;
    x = y;
    y = t;
  }
  return WRAP(x);
}
MAP_FN int64_t i_lcm(int64_t a, int64_t b) {
  int64_t g = i_gcd(a, b);
  if (g == 0) return 0;
  int64_t r = WRAP(UI(g == -1 ? WRAP(-UI(a)) : a / g) * UI(b));
  return r < 0 ? WRAP(-UI(r)) : r;
}
MAP_FN int i_isclose(int64_t a, int64_t b, const tsr_map_params *p) {
  if (a == b) return 1;
  return fabs((double)WRAP(UI(a) - UI(b))) <= p->d[1] + fabs(p->d[0] * (double)b);
}

/* ---- complex ---- */
MAP_FN cplx c_div(cplx a, cplx b) { return a / b; }
MAP_FN cplx c_pow(cplx a, cplx b) { return cpow(a, b); }
MAP_FN cplx c_sgn(cplx a) { return a == 0 ? 0 : a / cabs(a); }
MAP_FN cplx c_lerp(cplx a, cplx b, cplx w) { return cabs(w) < 0.5 ? a + w * (b - a) : b - (b - a) * (1 - w); }
MAP_FN double nan_to_num_1(double x, double nan, double pos, double neg) {
  return x != x ? nan : x == INFINITY ? pos : x == -INFINITY ? neg : x;
}
MAP_FN cplx c_nan_to_num(cplx a, cplx nan, cplx pos, cplx neg) {
  double n = creal(nan), hi = creal(pos), lo = creal(neg);
  return CMPLX(nan_to_num_1(creal(a), n, hi, lo), nan_to_num_1(cimag(a), n, hi, lo));
}
MAP_FN cplx c_expm1(cplx a) {
  double x = creal(a), y = cimag(a), s = sin(y / 2), e = exp(x);
  return CMPLX(expm1(x) * cos(y) - 2 * s * s, e * sin(y));
}
MAP_FN cplx c_log1p(cplx a) { return CMPLX(log(hypot(1 + creal(a), cimag(a))), atan2(cimag(a), 1 + creal(a))); }
MAP_FN cplx c_logaddexp(cplx a, cplx b) {
  cplx hi = creal(a) > creal(b) ? a : b, lo = creal(a) > creal(b) ? b : a;
  return hi + c_log1p(cexp(lo - hi));
}
MAP_FN int c_isclose(cplx a, cplx b, const tsr_map_params *p) {
  if (a == b) return 1;
  if (p->i[0] && (isnan(creal(a)) || isnan(cimag(a))) && (isnan(creal(b)) || isnan(cimag(b)))) return 1;
  double d = cabs(a - b);
  return d < INFINITY && d <= p->d[1] + cabs(p->d[0] * b);
}

#endif
