/* Elementary functions on vectors of float32 (see vec.h).  Polynomials are minimax fits made for the
 * purpose; the errors quoted are of the whole function with fused multiply-add. */
#ifndef TSR_OPS_VECMATH_H
#define TSR_OPS_VECMATH_H

#include "ops/vec.h"

/* e^x for -104 <= x <= 89. */
VF_INLINE vf vf_exp_near(vf x) {
  vf n = vf_rint(vf_mul(x, vf_set(1.44269504f)));
  vf r = vf_fnma(n, vf_set(0.693359375f), x); /* ln 2 in two parts: n * high part is exact */
  r = vf_fnma(n, vf_set(-2.12194440e-4f), r);
  vf p = vf_set(1.3814615788e-3f); /* (e^r - 1 - r) / r^2, relative error 3e-9 of e^r */
  p = vf_fma(p, r, vf_set(8.3687133629e-3f));
  p = vf_fma(p, r, vf_set(4.1668387580e-2f));
  p = vf_fma(p, r, vf_set(1.6666520661e-1f));
  p = vf_fma(p, r, vf_set(4.9999993450e-1f));
  return vf_ldexp(vf_add(vf_fma(vf_mul(r, r), p, r), vf_set(1.0f)), n);
}

/* e^x: 1.2 ulp; overflows to inf above 88.73, underflows gradually to 0; NaN stays. */
VF_INLINE vf vf_exp(vf x) { return vf_exp_near(vf_min(vf_set(89.0f), vf_max(vf_set(-104.0f), x))); }

/* 1 / (1 + e^-x): 2 ulp. */
VF_INLINE vf vf_sigmoid(vf x) { return vf_div(vf_set(1.0f), vf_add(vf_set(1.0f), vf_exp(vf_neg(x)))); }

/* 2^t for t <= 126 (0 where it would be far below the range): relative error 1.6e-7.  Without an instruction for what is above
 * the integer below, the exponent is rounded by adding 1.5 * 2^23. */
VF_INLINE vf vf_exp2_near(vf t) {
#if VF_N == 16
  vf f = vf_fraction(t), p = vf_set(1.86713005e-3f), n = t; /* vf_ldexp takes the floor */
  p = vf_fma(p, f, vf_set(9.01703071e-3f));
  p = vf_fma(p, f, vf_set(5.57999127e-2f));
  p = vf_fma(p, f, vf_set(2.40164444e-1f));
  p = vf_fma(p, f, vf_set(6.93151295e-1f));
#else
  const vf big = vf_set(12582912.0f);
  t = vf_max(vf_set(-126.0f), t);
  vf n = vf_sub(vf_add(t, big), big), f = vf_sub(t, n), p = vf_set(1.32764725e-3f);
  p = vf_fma(p, f, vf_set(9.67554096e-3f));
  p = vf_fma(p, f, vf_set(5.55071309e-2f));
  p = vf_fma(p, f, vf_set(2.40221202e-1f));
  p = vf_fma(p, f, vf_set(6.93146944e-1f));
#endif
  return vf_ldexp(vf_fma(p, f, vf_set(1.0f)), n);
}

/* 1 / (1 + e^-x) in a third of the time, as a factor: relative error 4e-7 where it is above 1e-2, 4e-6 anywhere, 0 where it
 * would be below 1.7e-38. */
VF_INLINE vf vf_gate(vf x) {
  vf e = vf_exp2_near(vf_min(vf_set(126.0f), vf_mul(x, vf_set(-1.44269504f))));
  return vf_select(vf_lt(x, vf_set(-87.0f)), vf_zero(), vf_rcp(vf_add(vf_set(1.0f), e)));
}

/* tanh: 2 ulp; odd polynomial below 0.625, 1 - 2 / (e^2|x| + 1) above. */
VF_INLINE vf vf_tanh(vf x) {
  vf a = vf_abs(x), s = vf_mul(x, x);
  vf p = vf_set(-5.7049597e-3f);
  p = vf_fma(p, s, vf_set(2.06390638e-2f));
  p = vf_fma(p, s, vf_set(-5.37397082e-2f));
  p = vf_fma(p, s, vf_set(1.33314421e-1f));
  p = vf_fma(p, s, vf_set(-3.33332819e-1f));
  vf small = vf_fma(vf_mul(p, s), x, x);
  vf e = vf_exp(vf_add(a, a));
  vf big = vf_sub(vf_set(1.0f), vf_div(vf_set(2.0f), vf_add(e, vf_set(1.0f))));
  return vf_select(vf_lt(a, vf_set(0.625f)), small, vf_copysign(big, x));
}

/* erfc(z) for z >= 0 as e^(-z^2) t Q(t), t = 1 / (1 + 0.35 z): relative error 1e-8 of the fit for z <= 11,
 * then the rounding of z^2 in the exponent dominates. */
VF_INLINE vf vf_erfc_pos(vf z) {
  z = vf_min(vf_set(1e9f), z);
  vf t = vf_rcp(vf_fma(z, vf_set(0.35f), vf_set(1.0f)));
  vf q = vf_set(0.0396676197f);
  q = vf_fma(q, t, vf_set(-0.165984524f));
  q = vf_fma(q, t, vf_set(0.198523754f));
  q = vf_fma(q, t, vf_set(-0.0511670866f));
  q = vf_fma(q, t, vf_set(0.10719729f));
  q = vf_fma(q, t, vf_set(0.134806098f));
  q = vf_fma(q, t, vf_set(0.155229339f));
  q = vf_fma(q, t, vf_set(0.186997388f));
  q = vf_fma(q, t, vf_set(0.197252531f));
  q = vf_fma(q, t, vf_set(0.1974776f));
  return vf_mul(vf_exp(vf_neg(vf_mul(z, z))), vf_mul(t, q));
}

/* x * Phi(x), PyTorch's default gelu: absolute error 3e-7, and relative accuracy kept in the left tail. */
VF_INLINE vf vf_gelu(vf x) {
  vf half = vf_mul(vf_set(0.5f), vf_erfc_pos(vf_mul(vf_abs(x), vf_set(0.70710678f))));
  return vf_mul(x, vf_select(vf_lt(x, vf_zero()), half, vf_sub(vf_set(1.0f), half)));
}

/* The same in half the time without the accuracy of the tail: error 2e-7 * max(1, |x|), never above 0 for negative x,
 * 0 below -5.6 (where it is 6e-8).
 * Phi(x) - 1/2 is x times a quotient of polynomials in x^2. */
VF_INLINE vf vf_gelu_near(vf x) {
  const vf far = vf_set(5.6f), low = vf_set(-5.6f);
  vf c = vf_min(far, vf_max(low, x)), t = vf_mul(c, c);
  vf p = vf_set(2.209029317e-8f), q = vf_set(1.181786443e-6f);
  p = vf_fma(p, t, vf_set(6.398488575e-6f));
  q = vf_fma(q, t, vf_set(7.610450820e-5f));
  p = vf_fma(p, t, vf_set(1.765654930e-4f));
  q = vf_fma(q, t, vf_set(1.927910866e-3f));
  p = vf_fma(p, t, vf_set(4.723462184e-3f));
  q = vf_fma(q, t, vf_set(2.908252270e-2f));
  p = vf_fma(p, t, vf_set(3.461829502e-2f));
  q = vf_fma(q, t, vf_set(2.534402767e-1f));
  p = vf_fma(p, t, vf_set(3.989421458e-1f));
  q = vf_fma(q, t, vf_set(1.0f));
  vf phi = vf_fma(c, vf_mul(p, vf_rcp(q)), vf_set(0.5f));
  return vf_mul(x, vf_select(vf_lt(x, low), vf_zero(), vf_max(vf_zero(), phi)));
}

/* The tanh form of gelu. */
VF_INLINE vf vf_gelu_tanh(vf x) {
  vf u = vf_mul(vf_set(0.79788456f), vf_fma(vf_mul(vf_mul(vf_set(0.044715f), x), x), x, x));
  vf half = vf_mul(vf_set(0.5f), x);
  return vf_fma(half, vf_tanh(u), half);
}

#endif
