/* The reductions over elements of type T with partial results of type R; A is the type of sums.  The
 * including file sets RED(name) for the functions' names. */
#define LANES 16

#define ACC_D A
#define ACC_F T
#define X(id, lane, first, step, both)                                                                  \
  static __attribute__((unused)) void RED(run_##id)(void *acc, const void *x_, int64_t n, double m, double p) {                  \
    const T *x = x_;                                                                                     \
    ACC_##lane lanes[LANES];                                                                             \
    for (int k = 0; k < LANES; k++) lanes[k] = (ACC_##lane)(first);                                      \
    int64_t i = 0;                                                                                       \
    for (; i + LANES <= n; i += LANES)                                                                   \
      for (int k = 0; k < LANES; k++) {                                                                  \
        const T a = x[i + k];                                                                            \
        const ACC_##lane s = lanes[k];                                                                   \
        lanes[k] = (ACC_##lane)(step);                                                                   \
      }                                                                                                  \
    for (int k = 0; i < n; i++, k++) {                                                                   \
      const T a = x[i];                                                                                  \
      const ACC_##lane s = lanes[k];                                                                     \
      lanes[k] = (ACC_##lane)(step);                                                                     \
    }                                                                                                    \
    for (int w = LANES / 2; w > 0; w /= 2)                                                               \
      for (int k = 0; k < w; k++) {                                                                      \
        const ACC_##lane s = lanes[k], t = lanes[k + w];                                                 \
        lanes[k] = (ACC_##lane)(both);                                                                  \
      }                                                                                                  \
    *(R *)acc = (R)lanes[0];                                                                             \
    (void)m, (void)p;                                                                                    \
  }                                                                                                      \
  static void RED(col_##id)(void *acc_, const void *x_, int64_t n, const double *m_, double p) {         \
    R *restrict acc = acc_;                                                                              \
    const T *restrict x = x_;                                                                            \
    if (m_) {                                                                                            \
      for (int64_t i = 0; i < n; i++) {                                                                  \
        const T a = x[i];                                                                                \
        const double m = m_[i];                                                                          \
        const ACC_##lane s = (ACC_##lane)acc[i];                                                         \
        acc[i] = (R)(ACC_##lane)(step);                                                                  \
        (void)m;                                                                                         \
      }                                                                                                  \
    } else {                                                                                             \
      const double m = 0;                                                                                \
      for (int64_t i = 0; i < n; i++) {                                                                  \
        const T a = x[i];                                                                                \
        const ACC_##lane s = (ACC_##lane)acc[i];                                                         \
        acc[i] = (R)(ACC_##lane)(step);                                                                  \
      }                                                                                                  \
      (void)m;                                                                                           \
    }                                                                                                    \
    (void)p;                                                                                             \
  }                                                                                                      \
  static void RED(join_##id)(void *acc_, const void *other_, int64_t n) {                                \
    R *acc = acc_;                                                                                       \
    const R *other = other_;                                                                             \
    for (int64_t i = 0; i < n; i++) {                                                                    \
      const R s = acc[i], t = other[i];                                                                  \
      acc[i] = (R)(both);                                                                               \
    }                                                                                                    \
  }                                                                                                      \
  static void RED(init_##id)(void *acc_, int64_t n) {                                                    \
    R *acc = acc_;                                                                                       \
    for (int64_t i = 0; i < n; i++) acc[i] = (R)(ACC_##lane)(first);                                     \
  }
#include "ops/red_list.h"
#undef X
