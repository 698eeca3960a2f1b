/* Kernels of reductions: a run of elements into one partial result, or elementwise into a row of them.
 * Partial results are double for real types, int64 for integers, two doubles for complex numbers. */
#ifndef TSR_OPS_RED_H
#define TSR_OPS_RED_H

#include "ops/cpu.h"
#include "ops/cvt.h"

typedef enum tsr_red_id {
#define X(id, ...) TSR_RED_##id,
#include "ops/red_list.h"
#undef X
  TSR_RED_COUNT
} tsr_red_id;

typedef struct tsr_red_fns {
  void (*run)(void *acc, const void *x, int64_t n, double m, double p);             /* *acc = reduction of x[0..n) */
  void (*col)(void *acc, const void *x, int64_t n, const double *m, double p);      /* acc[j] = step(acc[j], x[j]); m NULL: 0 */
  void (*join)(void *acc, const void *other, int64_t n);                            /* acc[j] = join(acc[j], other[j]) */
  void (*init)(void *acc, int64_t n);
} tsr_red_fns;

extern const tsr_red_fns tsr_red_scalar[TSR_RED_COUNT], tsr_red_avx2[TSR_RED_COUNT], tsr_red_avx512[TSR_RED_COUNT], tsr_red_neon[TSR_RED_COUNT]; /* float32 */
/* NULL when the reduction has no meaning for the compute type. */
const tsr_red_fns *tsr_red_get(tsr_red_id id, tsr_ct ct);
static inline int64_t tsr_red_acc_size(tsr_ct ct) { return ct == TSR_CT_C128 ? 16 : 8; }

#endif
