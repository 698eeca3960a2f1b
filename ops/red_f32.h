/* Float32 reductions for one instruction set; the including file defines RED_TABLE. */
#include <math.h>

#include "ops/red.h"
#include "ops/vec.h"

#define T float
#define A double
#define R double
#define FN(x) x##f
#define RED(name) name
#include "ops/red_body.h"

/* The compiler leaves these conditional lanes alone, so they are written in vectors.  A NaN replaces
 * whatever was found before it, and nothing replaces a NaN: better() keeps its second operand then. */
#define EXTREME(name, better, prepare, first)                                              \
  static void name(void *acc, const void *x_, int64_t n, double m, double p) {             \
    const float *x = x_;                                                                   \
    vf s[4];                                                                               \
    float t[4 * VF_N], r = (first);                                                        \
    int64_t i = 0;                                                                         \
    for (int k = 0; k < 4; k++) s[k] = vf_set(first);                                      \
    for (; i + 4 * VF_N <= n; i += 4 * VF_N)                                               \
      for (int k = 0; k < 4; k++) {                                                        \
        vf a = prepare(vf_load(x + i + k * VF_N));                                         \
        s[k] = vf_select(vf_isnan(a), a, better(a, s[k]));                                 \
      }                                                                                    \
    for (; i + VF_N <= n; i += VF_N) {                                                     \
      vf a = prepare(vf_load(x + i));                                                      \
      s[0] = vf_select(vf_isnan(a), a, better(a, s[0]));                                   \
    }                                                                                      \
    for (int k = 1; k < 4; k++) s[0] = vf_select(vf_isnan(s[k]), s[k], better(s[k], s[0])); \
    vf_store(t, s[0]);                                                                     \
    for (int k = 0; k < VF_N; k++) name##_1(&r, t[k]);                                     \
    for (; i < n; i++) name##_1(&r, x[i]);                                                 \
    *(double *)acc = (double)r;                                                            \
    (void)m, (void)p;                                                                      \
  }
static inline void vec_max_1(float *r, float a) { *r = (a > *r || a != a) ? a : *r; }
static inline void vec_min_1(float *r, float a) { *r = (a < *r || a != a) ? a : *r; }
static inline void vec_maxabs_1(float *r, float a) { vec_max_1(r, fabsf(a)); }
#define SAME(x) (x)
EXTREME(vec_max, vf_max, SAME, -INFINITY)
EXTREME(vec_min, vf_min, SAME, INFINITY)
EXTREME(vec_maxabs, vf_max, vf_abs, 0)
#define run_max vec_max
#define run_min vec_min
#define run_maxabs vec_maxabs

const tsr_red_fns RED_TABLE[TSR_RED_COUNT] = {
#define X(id, ...) [TSR_RED_##id] = {run_##id, col_##id, join_##id, init_##id},
#include "ops/red_list.h"
#undef X
};
