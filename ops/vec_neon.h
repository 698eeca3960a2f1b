/* vec.h for 64-bit ARM: four lanes with fused multiply-add, 32 registers.  See there. */
#ifndef TSR_OPS_VEC_NEON_H
#define TSR_OPS_VEC_NEON_H

#include <arm_neon.h>

#define VF_N 4
#define VF_ISA neon
#define VF_REGS 32
typedef float32x4_t vf;
typedef int32x4_t vi;
typedef int32x4_t vm; /* all ones or 0 */

VF_INLINE vm vm_first(int n) { return (vi){0, 1, 2, 3} < vdupq_n_s32(n); }
VF_INLINE vf vf_set(float x) { return vdupq_n_f32(x); }
VF_INLINE vf vf_zero(void) { return vdupq_n_f32(0); }
VF_INLINE vf vf_load(const float *p) { return vld1q_f32(p); }
VF_INLINE void vf_store(float *p, vf x) { vst1q_f32(p, x); }
VF_INLINE vf vf_load_n(const float *p, int n) {
  if (n >= 4) return vf_load(p);
  vf r = vf_zero();
  if (n > 0) r = vld1q_lane_f32(p, r, 0);
  if (n > 1) r = vld1q_lane_f32(p + 1, r, 1);
  if (n > 2) r = vld1q_lane_f32(p + 2, r, 2);
  return r;
}
VF_INLINE void vf_store_n(float *p, vf x, int n) {
  if (n >= 4) vf_store(p, x);
  else {
    if (n > 0) vst1q_lane_f32(p, x, 0);
    if (n > 1) vst1q_lane_f32(p + 1, x, 1);
    if (n > 2) vst1q_lane_f32(p + 2, x, 2);
  }
}
VF_INLINE vf vf_add(vf a, vf b) { return vaddq_f32(a, b); }
VF_INLINE vf vf_sub(vf a, vf b) { return vsubq_f32(a, b); }
VF_INLINE vf vf_mul(vf a, vf b) { return vmulq_f32(a, b); }
VF_INLINE vf vf_div(vf a, vf b) { return vdivq_f32(a, b); }
VF_INLINE vf vf_rcp(vf x) { return vdivq_f32(vf_set(1.0f), x); }
VF_INLINE vf vf_sqrt(vf a) { return vsqrtq_f32(a); }
VF_INLINE vf vf_select(vm m, vf yes, vf no) { return vbslq_f32(vreinterpretq_u32_s32(m), yes, no); }
VF_INLINE vf vf_min(vf a, vf b) { return vf_select(a < b, a, b); } /* fmin would return NaN for either operand */
VF_INLINE vf vf_max(vf a, vf b) { return vf_select(a > b, a, b); }
VF_INLINE vf vf_fma(vf a, vf b, vf c) { return vfmaq_f32(c, a, b); }
VF_INLINE vf vf_fnma(vf a, vf b, vf c) { return vfmsq_f32(c, a, b); }
VF_INLINE vf vf_abs(vf a) { return vabsq_f32(a); }
VF_INLINE vf vf_neg(vf a) { return vnegq_f32(a); }
VF_INLINE vf vf_copysign(vf mag, vf sign) { return vbslq_f32(vdupq_n_u32(0x80000000u), sign, mag); }
VF_INLINE vf vf_rint(vf a) { return vrndnq_f32(a); }
VF_INLINE vf vf_floor(vf a) { return vrndmq_f32(a); }
VF_INLINE vf vf_pow2_(vi n) { return vreinterpretq_f32_s32(vshlq_n_s32(vaddq_s32(n, vdupq_n_s32(127)), 23)); }
VF_INLINE vf vf_ldexp(vf a, vf n) { /* two steps, so that results may be denormal */
  vi i = vcvtnq_s32_f32(n), h = vshrq_n_s32(i, 1);
  return vmulq_f32(vmulq_f32(a, vf_pow2_(h)), vf_pow2_(vsubq_s32(i, h)));
}
VF_INLINE vm vf_lt(vf a, vf b) { return a < b; }
VF_INLINE vm vf_le(vf a, vf b) { return a <= b; }
VF_INLINE vm vf_eq(vf a, vf b) { return a == b; }
VF_INLINE vm vf_isnan(vf a) { return a != a; }
VF_INLINE bool vm_any(vm m) { return vmaxvq_u32(vreinterpretq_u32_s32(m)) != 0; }
VF_INLINE vf vf_lanes(vf x, const int32_t *at) {
  vi bytes = vld1q_s32(at) * 0x04040404 + 0x03020100;
  return vreinterpretq_f32_u8(vqtbl1q_u8(vreinterpretq_u8_f32(x), vreinterpretq_u8_s32(bytes)));
}
VF_INLINE vf vf_gather(const float *p, const int32_t *index) { return (vf){p[index[0]], p[index[1]], p[index[2]], p[index[3]]}; }
VF_INLINE vf vf_from_half(const uint16_t *p) { return vcvt_f32_f16(vreinterpret_f16_u16(vld1_u16(p))); }
VF_INLINE void vf_to_half(uint16_t *p, vf x) { vst1_u16(p, vreinterpret_u16_f16(vcvt_f16_f32(x))); }
VF_INLINE vf vf_from_bf16(const uint16_t *p) { return vreinterpretq_f32_u32(vshll_n_u16(vld1_u16(p), 16)); }

#endif
