/* Products that are left to BLAS: float64 and complex.  Single-threaded: callers divide the work. */
#ifndef TSR_OPS_BLAS_H
#define TSR_OPS_BLAS_H

#include "core/dtype.h"

/* c[m,n] = a[m,k] . b[k,n], c row-major with ldc.  a is row-major with lda, or when at is set stored as
 * [k,m]; b likewise.  dtype: float32, float64, complex64 or complex128.  Sizes and strides that BLAS
 * cannot take (over 2^31 - 1) are refused, and everything where OpenBLAS is not installed: false. */
bool tsr_blas_gemm(tsr_dtype dtype, int64_t m, int64_t n, int64_t k, const void *a, int64_t lda, bool at, const void *b,
                   int64_t ldb, bool bt, void *c, int64_t ldc);
bool tsr_blas_available(void);            /* loads it; false: it is not installed */
void *tsr_blas_symbol(const char *name);   /* of OpenBLAS, LAPACK's included; NULL: not there */
const char *tsr_blas_name(void); /* borrow: for build information */

#endif
