/* vec.h for any processor: four lanes of the compiler's vector type, no fused multiply-add.  See there. */
#ifndef TSR_OPS_VEC_SCALAR_H
#define TSR_OPS_VEC_SCALAR_H

#include "core/dtype.h"

#include <math.h>

#define VF_N 4
#define VF_ISA scalar
#define VF_REGS 16
typedef float vf __attribute__((vector_size(16)));
typedef int32_t vi __attribute__((vector_size(16)));
typedef vi vm;

/* Where other vectors are the rule, small rather than fast: one copy of what takes a loop, fewer special cases in the bodies. */
#if defined(__x86_64__)
#define VF_SMALL 1
#define VF_LOOP static __attribute__((noinline, unused))
#else
#define VF_LOOP VF_INLINE
#endif

#define VF_EACH_(expr)                     \
  vf r;                                    \
  for (int i = 0; i < VF_N; i++) r[i] = (expr); \
  return r

VF_INLINE vm vm_first(int n) { return (vi){0, 1, 2, 3} < (vi){n, n, n, n}; }
VF_INLINE vf vf_set(float x) { return (vf){x, x, x, x}; }
VF_INLINE vf vf_zero(void) { return vf_set(0); }
VF_INLINE vf vf_load(const float *p) { vf r; memcpy(&r, p, sizeof r); return r; }
VF_INLINE void vf_store(float *p, vf x) { memcpy(p, &x, sizeof x); }
VF_LOOP vf vf_load_n(const float *p, int n) { VF_EACH_(i < n ? p[i] : 0); }
VF_LOOP void vf_store_n(float *p, vf x, int n) { for (int i = 0; i < n; i++) p[i] = x[i]; }
VF_INLINE vf vf_add(vf a, vf b) { return a + b; }
VF_INLINE vf vf_sub(vf a, vf b) { return a - b; }
VF_INLINE vf vf_mul(vf a, vf b) { return a * b; }
VF_INLINE vf vf_div(vf a, vf b) { return a / b; }
VF_INLINE vf vf_rcp(vf x) { return 1.0f / x; }
VF_LOOP vf vf_sqrt(vf a) { VF_EACH_(sqrtf(a[i])); }
VF_INLINE vf vf_select(vm m, vf yes, vf no) { return (vf)((m & (vi)yes) | (~m & (vi)no)); }
#if defined(__x86_64__)
VF_INLINE vf vf_min(vf a, vf b) { return __builtin_ia32_minps(a, b); }
VF_INLINE vf vf_max(vf a, vf b) { return __builtin_ia32_maxps(a, b); }
#else
VF_INLINE vf vf_min(vf a, vf b) { return vf_select(a < b, a, b); }
VF_INLINE vf vf_max(vf a, vf b) { return vf_select(a > b, a, b); }
#endif
VF_INLINE vf vf_fma(vf a, vf b, vf c) { return a * b + c; }
VF_INLINE vf vf_fnma(vf a, vf b, vf c) { return c - a * b; }
VF_INLINE vf vf_abs(vf a) { return (vf)((vi)a & 0x7fffffff); }
VF_INLINE vf vf_neg(vf a) { return -a; }
VF_INLINE vf vf_copysign(vf mag, vf sign) { return (vf)((vi)mag | ((vi)sign & (int32_t)0x80000000)); }
VF_LOOP vf vf_rint(vf a) { VF_EACH_(rintf(a[i])); }
VF_LOOP vf vf_floor(vf a) { VF_EACH_(floorf(a[i])); }
VF_LOOP vf vf_ldexp(vf a, vf n) { VF_EACH_(ldexpf(a[i], (int)n[i])); }
VF_INLINE vm vf_lt(vf a, vf b) { return a < b; }
VF_INLINE vm vf_le(vf a, vf b) { return a <= b; }
VF_INLINE vm vf_eq(vf a, vf b) { return a == b; }
VF_INLINE vm vf_isnan(vf a) { return a != a; }
VF_INLINE bool vm_any(vm m) { return (m[0] | m[1] | m[2] | m[3]) != 0; }
VF_LOOP vf vf_gather(const float *p, const int32_t *index) { VF_EACH_(p[index[i]]); }
VF_LOOP vf vf_lanes(vf x, const int32_t *at) { VF_EACH_(x[at[i]]); }
VF_LOOP vf vf_from_half(const uint16_t *p) { VF_EACH_(tsr_half_to_float(p[i])); }
VF_LOOP void vf_to_half(uint16_t *p, vf x) { for (int i = 0; i < VF_N; i++) p[i] = tsr_float_to_half(x[i]); }
VF_LOOP vf vf_from_bf16(const uint16_t *p) { VF_EACH_(tsr_bf16_to_float(p[i])); }

#endif
