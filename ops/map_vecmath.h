/* More elementary functions on vectors of float32, beside vecmath.h's.  Errors quoted are against the
 * exact function over the whole range, with fused multiply-add. */
#ifndef TSR_OPS_MAP_VECMATH_H
#define TSR_OPS_MAP_VECMATH_H

#include <math.h>

#include "ops/vecmath.h"

/* The same register as lanes of the compiler's own vector type, for shifts and comparisons. */
typedef int32_t vlane __attribute__((vector_size(4 * VF_N)));
typedef uint32_t vulane __attribute__((vector_size(4 * VF_N))); /* wraps where bits of negative floats take part */
typedef uint32_t vulane __attribute__((vector_size(4 * VF_N)));
typedef float vflane __attribute__((vector_size(4 * VF_N)));

VF_INLINE vf vf_pick(vlane mask, vf yes, vf no) { return (vf)(((vlane)yes & mask) | ((vlane)no & ~mask)); }
VF_INLINE vf vf_call(float (*fn)(float), vf x) {
  float t[VF_N];
  vf_store(t, x);
  for (int i = 0; i < VF_N; i++) t[i] = fn(t[i]);
  return vf_load(t);
}

/* log(m * 2^k) = k ln 2 + log m for m in [sqrt 1/2, sqrt 2); log(1 + f) = f - s (f - R(s^2)), s = f / (2 + f),
 * R the series of atanh, cut at 2e-9.  1 ulp. */
VF_INLINE vf vf_log(vf x) {
  vlane tiny = (vflane)x < 1.17549435e-38f;
  vf y = vf_pick(tiny, vf_mul(x, vf_set(8388608.0f)), x);
  vlane ix = (vlane)((vulane)y - 0x3f3504f3u);
  vlane k = (ix >> 23) - (tiny & 23);
  vf m = (vf)((vulane)(ix & 0x007fffff) + 0x3f3504f3u);
  vf f = vf_sub(m, vf_set(1.0f));
  vf s = vf_div(f, vf_add(f, vf_set(2.0f))), z = vf_mul(s, s);
  vf r = vf_set(0.22222222f);
  r = vf_fma(r, z, vf_set(0.28571429f));
  r = vf_fma(r, z, vf_set(0.4f));
  r = vf_fma(r, z, vf_set(0.66666667f));
  r = vf_mul(r, z);
  vf kf = (vf)__builtin_convertvector(k, vflane);
  vf lo = vf_fma(kf, vf_set(9.0580006e-6f), vf_neg(vf_mul(s, vf_sub(f, r)))); /* ln 2 in two parts */
  vf v = vf_add(vf_fma(kf, vf_set(0.693138123f), f), lo);
  vlane bad = (vflane)x < 0.0f, zero = (vflane)x == 0.0f, big = ~((vflane)x < INFINITY); /* big: inf or NaN */
  v = vf_pick(zero, vf_set(-INFINITY), v);
  v = vf_pick(bad, vf_set(NAN), v);
  return vf_pick(big, x, v);
}

/* log(1 + x) through the rounded sum u and its error: 2 ulp. */
VF_INLINE vf vf_log1p(vf x) {
  vf u = vf_add(vf_set(1.0f), x);
  vf d = vf_sub(vf_sub(u, vf_set(1.0f)), x);
  vf v = vf_sub(vf_log(u), vf_div(d, u));
  vlane same = (vflane)u == 1.0f, edge = ((vflane)u == 0.0f) | ((vflane)x == INFINITY);
  v = vf_pick(edge, vf_log(u), v);
  return vf_pick(same, x, v);
}

/* e^x - 1: Taylor series below 0.5 (cut at 1e-9), e^x - 1 above.  2 ulp. */
VF_INLINE vf vf_expm1(vf x) {
  vf p = vf_set(2.4801587e-5f);
  p = vf_fma(p, x, vf_set(1.9841270e-4f));
  p = vf_fma(p, x, vf_set(1.3888889e-3f));
  p = vf_fma(p, x, vf_set(8.3333333e-3f));
  p = vf_fma(p, x, vf_set(4.1666667e-2f));
  p = vf_fma(p, x, vf_set(1.6666667e-1f));
  p = vf_fma(p, x, vf_set(0.5f));
  vf small = vf_fma(vf_mul(x, x), p, x);
  return vf_select(vf_lt(vf_abs(x), vf_set(0.5f)), small, vf_sub(vf_exp(x), vf_set(1.0f)));
}

/* erf: odd polynomial below 1, 1 - erfc above.  3 ulp. */
VF_INLINE vf vf_erf(vf x) {
  vf s = vf_mul(x, x), a = vf_abs(x);
  vf p = vf_set(-9.673593922e-06f);
  p = vf_fma(p, s, vf_set(1.126825809e-04f));
  p = vf_fma(p, s, vf_set(-8.484397549e-04f));
  p = vf_fma(p, s, vf_set(5.221053492e-03f));
  p = vf_fma(p, s, vf_set(-2.686543763e-02f));
  p = vf_fma(p, s, vf_set(1.128378287e-01f));
  p = vf_fma(p, s, vf_set(-3.761263788e-01f));
  p = vf_fma(p, s, vf_set(1.128379226e+00f));
  vf big = vf_copysign(vf_sub(vf_set(1.0f), vf_erfc_pos(a)), x);
  return vf_select(vf_lt(a, vf_set(1.0f)), vf_mul(x, p), vf_select(vf_isnan(x), x, big));
}

/* erfc: from the tail form where x > 0.5, 1 - erf elsewhere.  4 ulp but for the far tail, where the rounding of x^2 shows. */
VF_INLINE vf vf_erfc(vf x) {
  return vf_select(vf_lt(vf_set(0.5f), x), vf_erfc_pos(x), vf_sub(vf_set(1.0f), vf_erf(x)));
}

/* sin and cos: quadrant by pi/2 in three parts (exact products up to |x| = 8192), Taylor polynomials on
 * [-pi/4, pi/4].  2 ulp of 1; larger arguments go to libm. */
VF_INLINE vf vf_sincos_poly(vf x, int32_t shift) {
  vf n = vf_rint(vf_mul(x, vf_set(0.636619772f)));
  vf r = vf_fnma(n, vf_set(1.5703125f), x);
  r = vf_fnma(n, vf_set(4.837512969970703e-4f), r);
  r = vf_fnma(n, vf_set(7.549789948768648e-8f), r);
  vlane q = (vlane)((vulane)__builtin_convertvector((vflane)n, vlane) + (uint32_t)shift);
  vf z = vf_mul(r, r);
  vf s = vf_set(2.7557319e-6f);
  s = vf_fma(s, z, vf_set(-1.9841270e-4f));
  s = vf_fma(s, z, vf_set(8.3333333e-3f));
  s = vf_fma(s, z, vf_set(-1.6666667e-1f));
  s = vf_fma(vf_mul(s, z), r, r);
  vf c = vf_set(-2.7557319e-7f);
  c = vf_fma(c, z, vf_set(2.4801587e-5f));
  c = vf_fma(c, z, vf_set(-1.3888889e-3f));
  c = vf_fma(c, z, vf_set(4.1666667e-2f));
  c = vf_fma(c, z, vf_set(-0.5f));
  c = vf_fma(c, z, vf_set(1.0f));
  vf v = vf_pick((q & 1) == 0, s, c);
  return (vf)((vulane)v ^ (((vulane)q & 2u) << 30));
}
VF_INLINE bool vf_trig_large(vf x) { return vm_any(vf_lt(vf_set(8192.0f), vf_abs(x))); }
VF_INLINE vf vf_sin(vf x) { return TSR_UNLIKELY(vf_trig_large(x)) ? vf_call(sinf, x) : vf_sincos_poly(x, 0); }
VF_INLINE vf vf_cos(vf x) { return TSR_UNLIKELY(vf_trig_large(x)) ? vf_call(cosf, x) : vf_sincos_poly(x, 1); }

/* log(1 + e^x) without overflow: max(x, 0) + log1p(e^-|x|). */
VF_INLINE vf vf_softplus(vf x) { return vf_add(vf_max(x, vf_zero()), vf_log1p(vf_exp(vf_neg(vf_abs(x))))); }
VF_INLINE vf vf_silu(vf x) { return vf_mul(x, vf_gate(x)); }

#endif
