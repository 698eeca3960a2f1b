/* The only user of cblas.h. */
#include "ops/blas.h"

#include <cblas.h>
#include <limits.h>

static void single_thread(void) {
  static int done;
  if (__atomic_load_n(&done, __ATOMIC_ACQUIRE)) return;
  openblas_set_num_threads(1);
  __atomic_store_n(&done, 1, __ATOMIC_RELEASE);
}

const char *tsr_blas_name(void) { return openblas_get_config(); }

bool tsr_blas_gemm(tsr_dtype dtype, int64_t m, int64_t n, int64_t k, const void *a, int64_t lda, bool at, const void *b,
                   int64_t ldb, bool bt, void *c, int64_t ldc) {
  const int64_t all[] = {m, n, k, lda, ldb, ldc};
  for (size_t i = 0; i < TSR_COUNT(all); i++)
    if (all[i] > INT_MAX) return false;
  if (m == 0 || n == 0) return true;
  if (k == 0) {
    for (int64_t i = 0; i < m; i++)
      memset((char *)c + (size_t)(i * ldc) * tsr_dtype_size(dtype), 0, (size_t)n * tsr_dtype_size(dtype));
    return true;
  }
  single_thread();
  CBLAS_TRANSPOSE ta = at ? CblasTrans : CblasNoTrans, tb = bt ? CblasTrans : CblasNoTrans;
  const tsr_c64 one_f = {1, 0}, zero_f = {0, 0};
  const tsr_c128 one_d = {1, 0}, zero_d = {0, 0};
#define DIMS CblasRowMajor, ta, tb, (blasint)m, (blasint)n, (blasint)k
  switch (dtype) {
  case TSR_FLOAT32: cblas_sgemm(DIMS, 1, a, (blasint)lda, b, (blasint)ldb, 0, c, (blasint)ldc); return true;
  case TSR_FLOAT64: cblas_dgemm(DIMS, 1, a, (blasint)lda, b, (blasint)ldb, 0, c, (blasint)ldc); return true;
  case TSR_COMPLEX64: cblas_cgemm(DIMS, &one_f, a, (blasint)lda, b, (blasint)ldb, &zero_f, c, (blasint)ldc); return true;
  case TSR_COMPLEX128: cblas_zgemm(DIMS, &one_d, a, (blasint)lda, b, (blasint)ldb, &zero_d, c, (blasint)ldc); return true;
  default: return false;
  }
#undef DIMS
}
