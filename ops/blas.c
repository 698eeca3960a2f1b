/* The only user of cblas.h, and the loader of OpenBLAS.
 *
 * OpenBLAS starts its threads, which spin for a while, as soon as it is loaded, and brings four more
 * libraries along.  float32 networks never need it, so it is loaded when float64 products, complex ones
 * or decompositions first ask. */
#include "ops/blas.h"

#include <cblas.h>
#include <dlfcn.h>
#include <limits.h>

static void *the_library; /* published once, kept for the life of the process */

static void *load_library(void) {
  void *lib = __atomic_load_n(&the_library, __ATOMIC_ACQUIRE);
  if (lib != NULL) return lib;
  lib = dlopen("libopenblas.so.0", RTLD_NOW | RTLD_LOCAL);
  if (lib == NULL) return NULL;
  void (*set_threads)(int) = (void (*)(int))dlsym(lib, "openblas_set_num_threads");
  if (set_threads != NULL) set_threads(1);
  void *expected = NULL;
  if (__atomic_compare_exchange_n(&the_library, &expected, lib, false, __ATOMIC_ACQ_REL, __ATOMIC_ACQUIRE)) return lib;
  dlclose(lib); /* another thread was faster: the system counts both loads */
  return expected;
}

bool tsr_blas_available(void) { return load_library() != NULL; }

void *tsr_blas_symbol(const char *name) {
  void *lib = load_library();
  return lib == NULL ? NULL : dlsym(lib, name);
}

const char *tsr_blas_name(void) {
  void *lib = __atomic_load_n(&the_library, __ATOMIC_ACQUIRE);
  char *(*config)(void) = lib == NULL ? NULL : (char *(*)(void))dlsym(lib, "openblas_get_config");
  return config == NULL ? "OpenBLAS, loaded when first needed" : config();
}

#define BLAS(name) ((__typeof__(&name))tsr_blas_symbol(#name))

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
  if (!tsr_blas_available()) return false;
  CBLAS_TRANSPOSE ta = at ? CblasTrans : CblasNoTrans, tb = bt ? CblasTrans : CblasNoTrans;
  const tsr_c64 one_f = {1, 0}, zero_f = {0, 0};
  const tsr_c128 one_d = {1, 0}, zero_d = {0, 0};
#define DIMS CblasRowMajor, ta, tb, (blasint)m, (blasint)n, (blasint)k
  switch (dtype) {
  case TSR_FLOAT32: BLAS(cblas_sgemm)(DIMS, 1, a, (blasint)lda, b, (blasint)ldb, 0, c, (blasint)ldc); return true;
  case TSR_FLOAT64: BLAS(cblas_dgemm)(DIMS, 1, a, (blasint)lda, b, (blasint)ldb, 0, c, (blasint)ldc); return true;
  case TSR_COMPLEX64: BLAS(cblas_cgemm)(DIMS, &one_f, a, (blasint)lda, b, (blasint)ldb, &zero_f, c, (blasint)ldc); return true;
  case TSR_COMPLEX128: BLAS(cblas_zgemm)(DIMS, &one_d, a, (blasint)lda, b, (blasint)ldb, &zero_d, c, (blasint)ldc); return true;
  default: return false;
  }
#undef DIMS
}
