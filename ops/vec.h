/* Vectors of float32 for kernel bodies that are compiled once per instruction set.
 *
 * The width follows the compiler flags of the including file: 16 lanes (AVX-512), 8 (AVX2 + FMA), 4 on 64-bit
 * ARM, else, or where the file defines VF_PORTABLE, 4 lanes of portable vector code without fused multiply-add.  vf: floats, vi: int32 of the same lane
 * count, vm: one truth value a lane.  Include it only in ops/<name>_<isa>.c files and their bodies.
 * Partial loads and stores touch exactly n lanes, 0 <= n <= VF_N; lanes not loaded are 0.
 * vf_min and vf_max return the second operand when one is NaN.  vf_rcp is 1 / x within 1 ulp where neither x nor 1 / x
 * is near the ends of the range. */
#ifndef TSR_OPS_VEC_H
#define TSR_OPS_VEC_H

#include "core/base.h"

#define VF_INLINE static inline __attribute__((always_inline, unused))
#define VF_CAT_(a, b) a##_##b
#define VF_CAT(a, b) VF_CAT_(a, b)
#define VF_NAME(base) VF_CAT(base, VF_ISA) /* VF_NAME(tsr_gemm) is tsr_gemm_avx2 … */

#if defined(__AVX512F__)
#include "ops/vec_avx512.h"
#elif defined(__AVX2__)
#include "ops/vec_avx2.h"
#elif defined(__aarch64__) && !defined(VF_PORTABLE)
#include "ops/vec_neon.h"
#else
#include "ops/vec_scalar.h"
#endif

#ifndef VF_SMALL
#define VF_SMALL 0
#endif

#if defined(__AVX2__)
/* dst[j][i] = src[i][j] for a block of 8 x 8: half rows are joined on load, which saves the crossing of halves. */
VF_INLINE void vf_transpose8_(float *dst, int64_t ldd, const float *src, int64_t lds) {
#define HALVES_(i, j) _mm256_insertf128_ps(_mm256_castps128_ps256(_mm_loadu_ps(src + (i) * lds + (j))), _mm_loadu_ps(src + ((i) + 4) * lds + (j)), 1)
#pragma GCC unroll 2
  for (int h = 0; h < 8; h += 4) {
    __m256 a = HALVES_(0, h), b = HALVES_(1, h), c = HALVES_(2, h), d = HALVES_(3, h);
    __m256 p = _mm256_unpacklo_ps(a, b), q = _mm256_unpackhi_ps(a, b), r = _mm256_unpacklo_ps(c, d), s = _mm256_unpackhi_ps(c, d);
    _mm256_storeu_ps(dst + h * ldd, _mm256_shuffle_ps(p, r, 0x44));
    _mm256_storeu_ps(dst + (h + 1) * ldd, _mm256_shuffle_ps(p, r, 0xee));
    _mm256_storeu_ps(dst + (h + 2) * ldd, _mm256_shuffle_ps(q, s, 0x44));
    _mm256_storeu_ps(dst + (h + 3) * ldd, _mm256_shuffle_ps(q, s, 0xee));
  }
#undef HALVES_
}
#endif

/* dst[j][i] = src[i][j] for a block of 16 x 16. */
VF_INLINE void vf_transpose16(float *dst, int64_t ldd, const float *src, int64_t lds) {
#if defined(__AVX2__)
  vf_transpose8_(dst, ldd, src, lds);
  vf_transpose8_(dst + 8, ldd, src + 8 * lds, lds);
  vf_transpose8_(dst + 8 * ldd, ldd, src + 8, lds);
  vf_transpose8_(dst + 8 * ldd + 8, ldd, src + 8 * lds + 8, lds);
#else
  typedef float v4 __attribute__((vector_size(16)));
#pragma GCC unroll 4
  for (int j = 0; j < 16; j += 4)
#pragma GCC unroll 4
    for (int i = 0; i < 16; i += 4) {
      v4 r[4];
#pragma GCC unroll 4
      for (int k = 0; k < 4; k++) memcpy(&r[k], src + (i + k) * lds + j, sizeof r[k]);
      v4 a = __builtin_shufflevector(r[0], r[1], 0, 4, 1, 5), b = __builtin_shufflevector(r[2], r[3], 0, 4, 1, 5);
      v4 c = __builtin_shufflevector(r[0], r[1], 2, 6, 3, 7), d = __builtin_shufflevector(r[2], r[3], 2, 6, 3, 7);
      r[0] = __builtin_shufflevector(a, b, 0, 1, 4, 5);
      r[1] = __builtin_shufflevector(a, b, 2, 3, 6, 7);
      r[2] = __builtin_shufflevector(c, d, 0, 1, 4, 5);
      r[3] = __builtin_shufflevector(c, d, 2, 3, 6, 7);
#pragma GCC unroll 4
      for (int k = 0; k < 4; k++) memcpy(dst + (j + k) * ldd + i, &r[k], sizeof r[k]);
    }
#endif
}

/* Sum and maximum over lanes, pairwise, so every width rounds the same way for the same lane count. */
#if defined(__AVX2__)
VF_INLINE float vf_hsum(vf x) {
#if VF_N == 16
  __m256 h = _mm256_add_ps(_mm512_castps512_ps256(x), _mm512_extractf32x8_ps(x, 1));
#else
  __m256 h = x;
#endif
  __m128 q = _mm_add_ps(_mm256_castps256_ps128(h), _mm256_extractf128_ps(h, 1));
  q = _mm_add_ps(q, _mm_movehl_ps(q, q));
  return _mm_cvtss_f32(_mm_add_ss(q, _mm_movehdup_ps(q)));
}
/* The first operand when it is larger or NaN; max_ps gives the second when one is NaN. */
#define VF_MAX_NAN_(p, a, b) p##_blendv_ps(p##_max_ps(a, b), a, p##_cmp_ps(a, a, _CMP_UNORD_Q))
VF_INLINE float vf_hmax(vf x) { /* NaN wins */
#if VF_N == 16
  __m256 low = _mm512_castps512_ps256(x), high = _mm512_extractf32x8_ps(x, 1), h = VF_MAX_NAN_(_mm256, low, high);
#else
  __m256 h = x;
#endif
  __m128 l = _mm256_castps256_ps128(h), u = _mm256_extractf128_ps(h, 1), q = VF_MAX_NAN_(_mm, l, u), r = _mm_movehl_ps(q, q);
  q = VF_MAX_NAN_(_mm, q, r);
  r = _mm_movehdup_ps(q);
  return _mm_cvtss_f32(VF_MAX_NAN_(_mm, q, r));
}
#else
VF_INLINE float vf_hsum(vf x) {
  float t[VF_N];
  vf_store(t, x);
  for (int w = VF_N / 2; w > 0; w /= 2)
    for (int i = 0; i < w; i++) t[i] += t[i + w];
  return t[0];
}
VF_INLINE float vf_hmax(vf x) { /* NaN wins */
  float t[VF_N];
  vf_store(t, x);
  for (int w = VF_N / 2; w > 0; w /= 2)
    for (int i = 0; i < w; i++) t[i] = (t[i] > t[i + w] || t[i] != t[i]) ? t[i] : t[i + w];
  return t[0];
}
#endif

#endif
