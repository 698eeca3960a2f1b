/* Elementwise formulas over contiguous blocks, compiled once per instruction set for float32 and once
 * for the other compute types.  map_list.h has one line a formula. */
#ifndef TSR_OPS_MAP_H
#define TSR_OPS_MAP_H

#include "ops/cvt.h"
#include "ops/cpu.h"

/* Numbers a formula takes besides its operands, in every type. */
typedef struct tsr_map_params {
  double d[4];
  int64_t i[4];
  tsr_c128 z[4];
  int bits;   /* width of the common dtype, for shifts */
  int *error; /* set to 1 by a formula that refuses an element (integer division by zero) */
} tsr_map_params;

typedef void (*tsr_map_fn)(void *out, const void *const *in, int64_t n, const tsr_map_params *p);

typedef enum tsr_map_id {
#define X(id, ...) TSR_MAP_##id,
#include "ops/map_list.h"
#undef X
  TSR_MAP_COUNT
} tsr_map_id;

/* What a formula's result is: the operands' type; truth values; the real type of a complex operand; complex. */
enum { TSR_MAP_OUT_S, TSR_MAP_OUT_B, TSR_MAP_OUT_M, TSR_MAP_OUT_Z };

typedef struct tsr_map_kernels {
  tsr_map_fn f32[TSR_MAP_COUNT];
  void (*half_to_f32)(float *y, const uint16_t *x, int64_t n);
  void (*f32_to_half)(uint16_t *y, const float *x, int64_t n);
  void (*bf16_to_f32)(float *y, const uint16_t *x, int64_t n);
  void (*f32_to_bf16)(uint16_t *y, const float *x, int64_t n);
  /* softmax (or its logarithm) of x[0..n); of w adjacent columns with n elements each, `step` apart, w <= 64 */
  void (*softmax_row)(float *y, const float *x, int64_t n, bool log);
  void (*softmax_cols)(float *y, const float *x, int64_t n, int64_t step, int64_t w, bool log);
} tsr_map_kernels;

extern const tsr_map_kernels tsr_map_scalar, tsr_map_avx2, tsr_map_avx512, tsr_map_neon;
const tsr_map_kernels *tsr_map_kernels_best(void); /* of tsr_cpu_isa() */

/* The function for a compute type, NULL when the formula has none. */
tsr_map_fn tsr_map_get(tsr_map_id id, tsr_ct ct);
int tsr_map_out_kind(tsr_map_id id);
int tsr_map_arity(tsr_map_id id);

#endif
