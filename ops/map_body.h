/* The float32 formulas for one instruction set; included by map_<isa>.c with VF_ISA from vec.h. */
#include "ops/map_scalar.h"
#include "ops/map_vecmath.h"

#pragma GCC diagnostic ignored "-Wunused-variable"

#define T float
#define FN(x) x##f
#define HF(x) x##_f32
#define ARG_SETUP                                                                                     \
  const float *pa = in[0], *pb = in[1], *pc = in[2];                                                  \
  const float P0 = (float)p->d[0], P1 = (float)p->d[1], P2 = (float)p->d[2], P3 = (float)p->d[3];     \
  const vf Q0 = vf_set(P0), Q1 = vf_set(P1), Q2 = vf_set(P2);                                         \
  const int64_t i0 = p->i[0];
#define OUT_S float
#define OUT_M float
#define OUT_B uint8_t
#define OUT_Z float

/* in[] always has three valid entries; those a formula does not have repeat the first. */
#define DEF_N_N(id, out, vexpr, fexpr)
#define DEF_N_Y(id, out, vexpr, fexpr)                                              \
  static void m_##id(void *y_, const void *const *in, int64_t n, const tsr_map_params *p) { \
    OUT_##out *y = y_;                                                              \
    ARG_SETUP                                                                       \
    _Pragma("GCC ivdep") for (int64_t i = 0; i < n; i++) {                          \
      const float a = pa[i], b = pb[i], c = pc[i];                                  \
      y[i] = (OUT_##out)(fexpr);                                                    \
    }                                                                               \
  }
#define DEF_Y_Y(id, out, vexpr, fexpr)                                              \
  static void m_##id(void *y_, const void *const *in, int64_t n, const tsr_map_params *p) { \
    float *y = y_;                                                                  \
    ARG_SETUP                                                                       \
    int64_t i = 0;                                                                  \
    for (; i + VF_N <= n; i += VF_N) {                                              \
      const vf a = vf_load(pa + i), b = vf_load(pb + i);                            \
      vf_store(y + i, vexpr);                                                       \
    }                                                                               \
    if (i < n) {                                                                    \
      int r = (int)(n - i);                                                         \
      const vf a = vf_load_n(pa + i, r), b = vf_load_n(pb + i, r);                  \
      vf_store_n(y + i, vexpr, r);                                                  \
    }                                                                               \
  }
/* complex results are made by the double precision formulas */
#define SKIP_S(...) __VA_ARGS__
#define SKIP_M(...) __VA_ARGS__
#define SKIP_B(...) __VA_ARGS__
#define SKIP_Z(...)

#define X(id, nin, out, V, vexpr, F, fexpr, I, iexpr, C, cexpr) SKIP_##out(DEF_##V##_##F(id, out, vexpr, fexpr))
#include "ops/map_list.h"
#undef X

static void half_to_f32(float *y, const uint16_t *x, int64_t n) {
  int64_t i = 0;
  for (; i + VF_N <= n; i += VF_N) vf_store(y + i, vf_from_half(x + i));
  for (; i < n; i++) y[i] = tsr_half_to_float(x[i]);
}
static void f32_to_half(uint16_t *y, const float *x, int64_t n) {
  int64_t i = 0;
  for (; i + VF_N <= n; i += VF_N) vf_to_half(y + i, vf_load(x + i));
  for (; i < n; i++) y[i] = tsr_float_to_half(x[i]);
}
static void bf16_to_f32(float *y, const uint16_t *x, int64_t n) {
  for (int64_t i = 0; i < n; i++) {
    uint32_t u = (uint32_t)x[i] << 16;
    memcpy(y + i, &u, 4);
  }
}
static void f32_to_bf16(uint16_t *y, const float *x, int64_t n) {
  for (int64_t i = 0; i < n; i++) {
    uint32_t u;
    memcpy(&u, x + i, 4);
    uint32_t r = (u + 0x7fffu + ((u >> 16) & 1u)) >> 16;
    y[i] = (uint16_t)((u & 0x7fffffffu) > 0x7f800000u ? 0x7fc0u : r);
  }
}

/* Operand 0 is truth values. */
static void where_lanes(void *y_, const void *const *in, int64_t n, const tsr_map_params *p) {
  uint32_t *y = y_;
  const uint8_t *m = in[0];
  const uint32_t *a = in[1], *b = in[2];
  (void)p;
  _Pragma("GCC ivdep") for (int64_t i = 0; i < n; i++) {
    uint32_t mask = 0u - (m[i] != 0);
    y[i] = (a[i] & mask) | (b[i] & ~mask);
  }
}

#include "ops/softmax_body.h"

#define FN_N(id, ...)
#define FN_Y(id, ...) .f32[TSR_MAP_##id] = m_##id,
const tsr_map_kernels VF_NAME(tsr_map) = {
#define X(id, nin, out, V, vexpr, F, fexpr, I, iexpr, C, cexpr) SKIP_##out(FN_##F(id))
#include "ops/map_list.h"
#undef X
    .f32[TSR_MAP_where] = where_lanes,
    .half_to_f32 = half_to_f32,
    .f32_to_half = f32_to_half,
    .bf16_to_f32 = bf16_to_f32,
    .f32_to_bf16 = f32_to_bf16,
    .softmax_row = softmax_row,
    .softmax_cols = softmax_cols,
};
