/* Strided runs of any element type to and from the few types that formulas compute in. */
#ifndef TSR_OPS_CVT_H
#define TSR_OPS_CVT_H

#include "core/dtype.h"

/* Compute types.  Half and bfloat16 compute in float32, integers in int64 (wrapping on the way back),
 * complex64 in complex128.  U8 holds truth values 0 and 1. */
typedef enum tsr_ct { TSR_CT_F32, TSR_CT_F64, TSR_CT_I64, TSR_CT_C128, TSR_CT_U8, TSR_CT_COUNT } tsr_ct;

static inline int64_t tsr_ct_size(tsr_ct ct) { return ct == TSR_CT_U8 ? 1 : ct == TSR_CT_F32 ? 4 : ct == TSR_CT_C128 ? 16 : 8; }
tsr_ct tsr_ct_of(tsr_dtype d);         /* BOOL: I64 */
/* d's elements are exactly ct's */
static inline bool tsr_ct_is_native(tsr_ct ct, tsr_dtype d) {
  return (ct == TSR_CT_F32 && d == TSR_FLOAT32) || (ct == TSR_CT_F64 && d == TSR_FLOAT64) ||
         (ct == TSR_CT_I64 && d == TSR_INT64) || (ct == TSR_CT_C128 && d == TSR_COMPLEX128) || (ct == TSR_CT_U8 && d == TSR_BOOL);
}
/* NULL for dtypes without arithmetic (quantized, float8).  step in bytes. */
typedef void (*tsr_load_fn)(void *dst, const char *src, int64_t step, int64_t n);
typedef void (*tsr_store_fn)(char *dst, int64_t step, const void *src, int64_t n);
tsr_load_fn tsr_cvt_load(tsr_ct ct, tsr_dtype from);
tsr_store_fn tsr_cvt_store(tsr_ct ct, tsr_dtype to);
/* x[i] = what it becomes when stored as d and read back */
void tsr_cvt_round(tsr_ct ct, tsr_dtype d, void *x, int64_t n);

#endif
