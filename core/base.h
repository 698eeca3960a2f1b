/* What every file may assume: fixed-width integers, tsr_status, checked arithmetic, TSR_TRY. */
#ifndef TSR_CORE_BASE_H
#define TSR_CORE_BASE_H

#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "tsrun.h"

/* Return from the enclosing function when expr is not TSR_OK.  The only macro that returns. */
#define TSR_TRY(expr)                        \
  do {                                       \
    tsr_status tsr_try_ = (expr);            \
    if (__builtin_expect(tsr_try_ != 0, 0))  \
      return tsr_try_;                       \
  } while (0)

#define TSR_LIKELY(x) __builtin_expect(!!(x), 1)
#define TSR_UNLIKELY(x) __builtin_expect(!!(x), 0)
#define TSR_PRINTF(fmt, args) __attribute__((format(printf, fmt, args)))
#define TSR_COUNT(array) (sizeof(array) / sizeof((array)[0]))
#define TSR_UNUSED(x) ((void)(x))

#define TSR_MIN(a, b) ((a) < (b) ? (a) : (b))
#define TSR_MAX(a, b) ((a) > (b) ? (a) : (b))

#define TSR_MAX_NDIM 64     /* refuse tensors of higher rank */
#define TSR_MAX_DEPTH 1000  /* nesting of source, types, pickles and values */

/* true when the result did not fit */
static inline bool tsr_mul_overflow(int64_t a, int64_t b, int64_t *r) { return __builtin_mul_overflow(a, b, r); }
static inline bool tsr_add_overflow(int64_t a, int64_t b, int64_t *r) { return __builtin_add_overflow(a, b, r); }

#endif
