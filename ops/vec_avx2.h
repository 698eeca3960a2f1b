/* vec.h for AVX2 with FMA and F16C: see there. */
#ifndef TSR_OPS_VEC_AVX2_H
#define TSR_OPS_VEC_AVX2_H

#include <immintrin.h>

#define VF_N 8
#define VF_ISA avx2
#define VF_REGS 16
typedef __m256 vf;
typedef __m256i vi;
typedef __m256 vm;

VF_INLINE __m256i vf_mask_(int n) { /* first n lanes all ones */
  static const int32_t ramp[16] = {-1, -1, -1, -1, -1, -1, -1, -1};
  return _mm256_loadu_si256((const __m256i *)(ramp + 8 - n));
}
VF_INLINE vm vm_first(int n) { return _mm256_castsi256_ps(vf_mask_(n)); }
VF_INLINE vf vf_zero(void) { return _mm256_setzero_ps(); }
VF_INLINE vf vf_set(float x) { return _mm256_set1_ps(x); }
VF_INLINE vf vf_load(const float *p) { return _mm256_loadu_ps(p); }
VF_INLINE void vf_store(float *p, vf x) { _mm256_storeu_ps(p, x); }
VF_INLINE vf vf_load_n(const float *p, int n) { return _mm256_maskload_ps(p, vf_mask_(n)); }
VF_INLINE void vf_store_n(float *p, vf x, int n) { _mm256_maskstore_ps(p, vf_mask_(n), x); }
VF_INLINE vf vf_add(vf a, vf b) { return _mm256_add_ps(a, b); }
VF_INLINE vf vf_sub(vf a, vf b) { return _mm256_sub_ps(a, b); }
VF_INLINE vf vf_mul(vf a, vf b) { return _mm256_mul_ps(a, b); }
VF_INLINE vf vf_div(vf a, vf b) { return _mm256_div_ps(a, b); }
VF_INLINE vf vf_rcp(vf x) { return _mm256_div_ps(_mm256_set1_ps(1.0f), x); }
VF_INLINE vf vf_sqrt(vf a) { return _mm256_sqrt_ps(a); }
VF_INLINE vf vf_min(vf a, vf b) { return _mm256_min_ps(a, b); }
VF_INLINE vf vf_max(vf a, vf b) { return _mm256_max_ps(a, b); }
VF_INLINE vf vf_fma(vf a, vf b, vf c) { return _mm256_fmadd_ps(a, b, c); }
VF_INLINE vf vf_fnma(vf a, vf b, vf c) { return _mm256_fnmadd_ps(a, b, c); }
VF_INLINE vf vf_abs(vf a) { return _mm256_andnot_ps(_mm256_set1_ps(-0.0f), a); }
VF_INLINE vf vf_neg(vf a) { return _mm256_xor_ps(a, _mm256_set1_ps(-0.0f)); }
VF_INLINE vf vf_copysign(vf mag, vf sign) { return _mm256_or_ps(mag, _mm256_and_ps(sign, _mm256_set1_ps(-0.0f))); }
VF_INLINE vf vf_rint(vf a) { return _mm256_round_ps(a, _MM_FROUND_TO_NEAREST_INT | _MM_FROUND_NO_EXC); }
VF_INLINE vf vf_floor(vf a) { return _mm256_round_ps(a, _MM_FROUND_TO_NEG_INF | _MM_FROUND_NO_EXC); }
VF_INLINE vf vf_pow2_(__m256i n) { return _mm256_castsi256_ps(_mm256_slli_epi32(_mm256_add_epi32(n, _mm256_set1_epi32(127)), 23)); }
VF_INLINE vf vf_ldexp(vf a, vf n) { /* two steps, so that results may be denormal */
  __m256i i = _mm256_cvtps_epi32(n), h = _mm256_srai_epi32(i, 1);
  return _mm256_mul_ps(_mm256_mul_ps(a, vf_pow2_(h)), vf_pow2_(_mm256_sub_epi32(i, h)));
}
VF_INLINE vm vf_lt(vf a, vf b) { return _mm256_cmp_ps(a, b, _CMP_LT_OQ); }
VF_INLINE vm vf_le(vf a, vf b) { return _mm256_cmp_ps(a, b, _CMP_LE_OQ); }
VF_INLINE vm vf_eq(vf a, vf b) { return _mm256_cmp_ps(a, b, _CMP_EQ_OQ); }
VF_INLINE vm vf_isnan(vf a) { return _mm256_cmp_ps(a, a, _CMP_UNORD_Q); }
VF_INLINE vf vf_select(vm m, vf yes, vf no) { return _mm256_blendv_ps(no, yes, m); }
VF_INLINE bool vm_any(vm m) { return _mm256_movemask_ps(m) != 0; }
VF_INLINE vf vf_gather(const float *p, const int32_t *index) {
  return _mm256_i32gather_ps(p, _mm256_loadu_si256((const __m256i *)index), 4);
}
VF_INLINE vf vf_lanes(vf x, const int32_t *at) { return _mm256_permutevar8x32_ps(x, _mm256_loadu_si256((const __m256i *)at)); }
VF_INLINE vf vf_from_half(const uint16_t *p) { return _mm256_cvtph_ps(_mm_loadu_si128((const __m128i *)p)); }
VF_INLINE void vf_to_half(uint16_t *p, vf x) {
  _mm_storeu_si128((__m128i *)p, _mm256_cvtps_ph(x, _MM_FROUND_TO_NEAREST_INT | _MM_FROUND_NO_EXC));
}
VF_INLINE vf vf_from_bf16(const uint16_t *p) {
  return _mm256_castsi256_ps(_mm256_slli_epi32(_mm256_cvtepu16_epi32(_mm_loadu_si128((const __m128i *)p)), 16));
}

#endif
