/* The only user of LAPACK: its Fortran entry points, declared here because OpenBLAS ships them without
 * a C header.  Single precision is computed in double: one set of routines, and better results. */
#include "ops/lapack.h"

#include <math.h>

#include "ops/blas.h"

typedef const int *ci;
typedef const char *cc;
#define BOTH(name, ...) extern void d##name##_(__VA_ARGS__); extern void z##name##_(__VA_ARGS__)
BOTH(getrf, ci m, ci n, void *a, ci lda, int *ipiv, int *info);
BOTH(getrs, cc trans, ci n, ci nrhs, const void *a, ci lda, ci ipiv, void *b, ci ldb, int *info, size_t);
BOTH(potrf, cc uplo, ci n, void *a, ci lda, int *info, size_t);
BOTH(potrs, cc uplo, ci n, ci nrhs, const void *a, ci lda, void *b, ci ldb, int *info, size_t);
BOTH(potri, cc uplo, ci n, void *a, ci lda, int *info, size_t);
BOTH(trsm, cc side, cc uplo, cc trans, cc diag, ci n, ci nrhs, const void *alpha, const void *a, ci lda, void *b, ci ldb, size_t, size_t, size_t, size_t);
BOTH(geqrf, ci m, ci n, void *a, ci lda, void *tau, void *work, ci lwork, int *info);
BOTH(sytrf, cc uplo, ci n, void *a, ci lda, int *ipiv, void *work, ci lwork, int *info, size_t);
BOTH(sytrs, cc uplo, ci n, ci nrhs, const void *a, ci lda, ci ipiv, void *b, ci ldb, int *info, size_t);
extern void zhetrf_(cc uplo, ci n, void *a, ci lda, int *ipiv, void *work, ci lwork, int *info, size_t);
extern void zhetrs_(cc uplo, ci n, ci nrhs, const void *a, ci lda, ci ipiv, void *b, ci ldb, int *info, size_t);
extern void dorgqr_(ci m, ci n, ci k, void *a, ci lda, const void *tau, void *work, ci lwork, int *info);
extern void zungqr_(ci m, ci n, ci k, void *a, ci lda, const void *tau, void *work, ci lwork, int *info);
extern void dormqr_(cc side, cc trans, ci m, ci n, ci k, const void *a, ci lda, const void *tau, void *c, ci ldc, void *work, ci lwork, int *info, size_t, size_t);
extern void zunmqr_(cc side, cc trans, ci m, ci n, ci k, const void *a, ci lda, const void *tau, void *c, ci ldc, void *work, ci lwork, int *info, size_t, size_t);
extern void dgesdd_(cc job, ci m, ci n, void *a, ci lda, double *s, void *u, ci ldu, void *vt, ci ldvt, void *work, ci lwork, int *iwork, int *info, size_t);
extern void zgesdd_(cc job, ci m, ci n, void *a, ci lda, double *s, void *u, ci ldu, void *vt, ci ldvt, void *work, ci lwork, double *rwork, int *iwork, int *info, size_t);
extern void dsyevd_(cc job, cc uplo, ci n, void *a, ci lda, double *w, void *work, ci lwork, int *iwork, ci liwork, int *info, size_t, size_t);
extern void zheevd_(cc job, cc uplo, ci n, void *a, ci lda, double *w, void *work, ci lwork, double *rwork, ci lrwork, int *iwork, ci liwork, int *info, size_t, size_t);
extern void dgeev_(cc jl, cc jr, ci n, void *a, ci lda, double *wr, double *wi, void *vl, ci ldvl, void *vr, ci ldvr, void *work, ci lwork, int *info, size_t, size_t);
extern void zgeev_(cc jl, cc jr, ci n, void *a, ci lda, void *w, void *vl, ci ldvl, void *vr, ci ldvr, void *work, ci lwork, double *rwork, int *info, size_t, size_t);
BOTH(gels, cc trans, ci m, ci n, ci nrhs, void *a, ci lda, void *b, ci ldb, void *work, ci lwork, int *info, size_t);
extern void dgelsy_(ci m, ci n, ci nrhs, void *a, ci lda, void *b, ci ldb, int *jpvt, const double *rcond, int *rank, void *work, ci lwork, int *info);
extern void zgelsy_(ci m, ci n, ci nrhs, void *a, ci lda, void *b, ci ldb, int *jpvt, const double *rcond, int *rank, void *work, ci lwork, double *rwork, int *info);
extern void dgelsd_(ci m, ci n, ci nrhs, void *a, ci lda, void *b, ci ldb, double *s, const double *rcond, int *rank, void *work, ci lwork, int *iwork, int *info);
extern void zgelsd_(ci m, ci n, ci nrhs, void *a, ci lda, void *b, ci ldb, double *s, const double *rcond, int *rank, void *work, ci lwork, double *rwork, int *iwork, int *info);
#undef BOTH

/* Declarations above serve for their types only: the functions are looked up when they are called. */
#define FN(name) ((__typeof__(&name))tsr_blas_symbol(#name))

/* LAPACK is asked for its work size first (lwork = -1): the answer is the real part of work[0]. */
static int work_size(const tsr_c128 *answer) { return (int)fmin(fmax(answer->re, 1), 1e9); }
static void *work_space(tsr_ctx *ctx, bool z, int lwork) { return tsr_scratch(ctx, (size_t)lwork * (z ? 16 : 8)); }

int tsr_lapack_getrf(bool z, int m, int n, void *a, int lda, int *pivots) {
  int info = 0;
  (z ? FN(zgetrf_) : FN(dgetrf_))(&m, &n, a, &lda, pivots, &info);
  return info;
}

int tsr_lapack_getrs(bool z, char trans, int n, int nrhs, const void *lu, int lda, const int *pivots, void *b, int ldb) {
  int info = 0;
  (z ? FN(zgetrs_) : FN(dgetrs_))(&trans, &n, &nrhs, lu, &lda, pivots, b, &ldb, &info, 1);
  return info;
}

int tsr_lapack_potrf(bool z, char uplo, int n, void *a, int lda) {
  int info = 0;
  (z ? FN(zpotrf_) : FN(dpotrf_))(&uplo, &n, a, &lda, &info, 1);
  for (int i = 0; info == 0 && i < n; i++) { /* OpenBLAS goes on with a NaN, LAPACK stops there */
    if (isnan(((const double *)a)[(size_t)i * ((size_t)lda + 1) * (z ? 2 : 1)])) info = i + 1;
  }
  return info;
}

int tsr_lapack_potrs(bool z, char uplo, int n, int nrhs, const void *a, int lda, void *b, int ldb) {
  int info = 0;
  (z ? FN(zpotrs_) : FN(dpotrs_))(&uplo, &n, &nrhs, a, &lda, b, &ldb, &info, 1);
  return info;
}

int tsr_lapack_potri(bool z, char uplo, int n, void *a, int lda) {
  int info = 0;
  (z ? FN(zpotri_) : FN(dpotri_))(&uplo, &n, a, &lda, &info, 1);
  return info;
}

void tsr_lapack_trsm(bool z, char uplo, char trans, char diag, int n, int nrhs, const void *a, int lda, void *b, int ldb) {
  const tsr_c128 one = {1, 0};
  (z ? FN(ztrsm_) : FN(dtrsm_))("L", &uplo, &trans, &diag, &n, &nrhs, &one, a, &lda, b, &ldb, 1, 1, 1, 1);
}

int tsr_lapack_geqrf(tsr_ctx *ctx, bool z, int m, int n, void *a, int lda, void *tau) {
  int info = 0, lwork = -1;
  tsr_c128 ask;
  (z ? FN(zgeqrf_) : FN(dgeqrf_))(&m, &n, a, &lda, tau, &ask, &lwork, &info);
  lwork = work_size(&ask);
  void *work = work_space(ctx, z, lwork);
  if (work == NULL) return TSR_LAPACK_NOMEM;
  (z ? FN(zgeqrf_) : FN(dgeqrf_))(&m, &n, a, &lda, tau, work, &lwork, &info);
  return info;
}

int tsr_lapack_orgqr(tsr_ctx *ctx, bool z, int m, int n, int k, void *a, int lda, const void *tau) {
  int info = 0, lwork = -1;
  tsr_c128 ask;
  (z ? FN(zungqr_) : FN(dorgqr_))(&m, &n, &k, a, &lda, tau, &ask, &lwork, &info);
  lwork = work_size(&ask);
  void *work = work_space(ctx, z, lwork);
  if (work == NULL) return TSR_LAPACK_NOMEM;
  (z ? FN(zungqr_) : FN(dorgqr_))(&m, &n, &k, a, &lda, tau, work, &lwork, &info);
  return info;
}

int tsr_lapack_ormqr(tsr_ctx *ctx, bool z, char side, char trans, int m, int n, int k, const void *a, int lda, const void *tau, void *c, int ldc) {
  int info = 0, lwork = -1;
  tsr_c128 ask;
  (z ? FN(zunmqr_) : FN(dormqr_))(&side, &trans, &m, &n, &k, a, &lda, tau, c, &ldc, &ask, &lwork, &info, 1, 1);
  lwork = work_size(&ask);
  void *work = work_space(ctx, z, lwork);
  if (work == NULL) return TSR_LAPACK_NOMEM;
  (z ? FN(zunmqr_) : FN(dormqr_))(&side, &trans, &m, &n, &k, a, &lda, tau, c, &ldc, work, &lwork, &info, 1, 1);
  return info;
}

int tsr_lapack_gesdd(tsr_ctx *ctx, bool z, char job, int m, int n, void *a, int lda, double *s, void *u, int ldu, void *vt, int ldvt) {
  int info = 0, lwork = -1;
  size_t small = (size_t)TSR_MIN(m, n), large = (size_t)TSR_MAX(m, n);
  tsr_c128 ask;
  int *iwork = tsr_scratch(ctx, 8 * small * sizeof *iwork + 1);
  double *rwork = z ? tsr_scratch(ctx, (TSR_MAX(5 * small * small + 5 * small, 2 * large * small + 2 * small * small + small) + 1) * sizeof *rwork) : NULL;
  if (iwork == NULL || (z && rwork == NULL)) return TSR_LAPACK_NOMEM;
  if (z) FN(zgesdd_)(&job, &m, &n, a, &lda, s, u, &ldu, vt, &ldvt, &ask, &lwork, rwork, iwork, &info, 1);
  else FN(dgesdd_)(&job, &m, &n, a, &lda, s, u, &ldu, vt, &ldvt, &ask, &lwork, iwork, &info, 1);
  lwork = work_size(&ask);
  void *work = work_space(ctx, z, lwork);
  if (work == NULL) return TSR_LAPACK_NOMEM;
  if (z) FN(zgesdd_)(&job, &m, &n, a, &lda, s, u, &ldu, vt, &ldvt, work, &lwork, rwork, iwork, &info, 1);
  else FN(dgesdd_)(&job, &m, &n, a, &lda, s, u, &ldu, vt, &ldvt, work, &lwork, iwork, &info, 1);
  return info;
}

int tsr_lapack_heevd(tsr_ctx *ctx, bool z, char job, char uplo, int n, void *a, int lda, double *w) {
  int info = 0, lwork = -1, lrwork = -1, liwork = -1, iask = 1;
  tsr_c128 ask;
  double rask = 1;
  if (z) FN(zheevd_)(&job, &uplo, &n, a, &lda, w, &ask, &lwork, &rask, &lrwork, &iask, &liwork, &info, 1, 1);
  else FN(dsyevd_)(&job, &uplo, &n, a, &lda, w, &ask, &lwork, &iask, &liwork, &info, 1, 1);
  lwork = work_size(&ask);
  lrwork = (int)fmax(rask, 1);
  liwork = TSR_MAX(iask, 1);
  void *work = work_space(ctx, z, lwork);
  double *rwork = tsr_scratch(ctx, (size_t)lrwork * sizeof *rwork);
  int *iwork = tsr_scratch(ctx, (size_t)liwork * sizeof *iwork);
  if (work == NULL || rwork == NULL || iwork == NULL) return TSR_LAPACK_NOMEM;
  if (z) FN(zheevd_)(&job, &uplo, &n, a, &lda, w, work, &lwork, rwork, &lrwork, iwork, &liwork, &info, 1, 1);
  else FN(dsyevd_)(&job, &uplo, &n, a, &lda, w, work, &lwork, iwork, &liwork, &info, 1, 1);
  return info;
}

/* Real eigenvectors come as pairs of columns for conjugate pairs of eigenvalues. */
static void unpack_pairs(int n, const double *wr, const double *wi, const double *vr, tsr_c128 *w, tsr_c128 *v) {
  for (int j = 0; j < n; j++) w[j] = (tsr_c128){wr[j], wi[j]};
  for (int j = 0; v != NULL && j < n; j++) {
    bool pair = wi[j] != 0 && j + 1 < n;
    for (int i = 0; i < n; i++) {
      double re = vr[(size_t)j * n + i], im = pair ? vr[(size_t)(j + 1) * n + i] : 0;
      v[(size_t)j * n + i] = (tsr_c128){re, im};
      if (pair) v[(size_t)(j + 1) * n + i] = (tsr_c128){re, -im};
    }
    if (pair) j++;
  }
}

int tsr_lapack_geev(tsr_ctx *ctx, bool z, int n, void *a, int lda, tsr_c128 *w, tsr_c128 *v) {
  int info = 0, lwork = -1, one = 1, ldv = TSR_MAX(n, 1);
  char none = 'N', right = v != NULL ? 'V' : 'N';
  tsr_c128 ask;
  double *wr = tsr_scratch(ctx, (size_t)ldv * 16), *vr = tsr_scratch(ctx, (size_t)ldv * ldv * 8 + 16), *wi = wr == NULL ? NULL : wr + ldv;
  if (wr == NULL || vr == NULL) return TSR_LAPACK_NOMEM;
  if (z) FN(zgeev_)(&none, &right, &n, a, &lda, w, NULL, &one, v, &ldv, &ask, &lwork, wr, &info, 1, 1);
  else FN(dgeev_)(&none, &right, &n, a, &lda, wr, wi, NULL, &one, vr, &ldv, &ask, &lwork, &info, 1, 1);
  lwork = work_size(&ask);
  void *work = work_space(ctx, z, lwork);
  if (work == NULL) return TSR_LAPACK_NOMEM;
  if (z) {
    FN(zgeev_)(&none, &right, &n, a, &lda, w, NULL, &one, v, &ldv, work, &lwork, wr, &info, 1, 1);
  } else {
    FN(dgeev_)(&none, &right, &n, a, &lda, wr, wi, NULL, &one, vr, &ldv, work, &lwork, &info, 1, 1);
    unpack_pairs(n, wr, wi, vr, w, v);
  }
  return info;
}

int tsr_lapack_gels(tsr_ctx *ctx, bool z, int m, int n, int nrhs, void *a, int lda, void *b, int ldb) {
  int info = 0, lwork = -1;
  tsr_c128 ask;
  (z ? FN(zgels_) : FN(dgels_))("N", &m, &n, &nrhs, a, &lda, b, &ldb, &ask, &lwork, &info, 1);
  lwork = work_size(&ask);
  void *work = work_space(ctx, z, lwork);
  if (work == NULL) return TSR_LAPACK_NOMEM;
  (z ? FN(zgels_) : FN(dgels_))("N", &m, &n, &nrhs, a, &lda, b, &ldb, work, &lwork, &info, 1);
  return info;
}

int tsr_lapack_gelsy(tsr_ctx *ctx, bool z, int m, int n, int nrhs, void *a, int lda, void *b, int ldb, double rcond, int *rank) {
  int info = 0, lwork = -1;
  tsr_c128 ask;
  int *jpvt = tsr_scratch(ctx, ((size_t)n + 1) * sizeof *jpvt);
  double *rwork = tsr_scratch(ctx, ((size_t)n * 2 + 1) * sizeof *rwork);
  if (jpvt == NULL || rwork == NULL) return TSR_LAPACK_NOMEM;
  if (z) FN(zgelsy_)(&m, &n, &nrhs, a, &lda, b, &ldb, jpvt, &rcond, rank, &ask, &lwork, rwork, &info);
  else FN(dgelsy_)(&m, &n, &nrhs, a, &lda, b, &ldb, jpvt, &rcond, rank, &ask, &lwork, &info);
  lwork = work_size(&ask);
  void *work = work_space(ctx, z, lwork);
  if (work == NULL) return TSR_LAPACK_NOMEM;
  if (z) FN(zgelsy_)(&m, &n, &nrhs, a, &lda, b, &ldb, jpvt, &rcond, rank, work, &lwork, rwork, &info);
  else FN(dgelsy_)(&m, &n, &nrhs, a, &lda, b, &ldb, jpvt, &rcond, rank, work, &lwork, &info);
  return info;
}

int tsr_lapack_gelsd(tsr_ctx *ctx, bool z, int m, int n, int nrhs, void *a, int lda, void *b, int ldb, double *s, double rcond, int *rank) {
  int info = 0, lwork = -1, iask = 1;
  double rask = 1;
  tsr_c128 ask;
  if (z) FN(zgelsd_)(&m, &n, &nrhs, a, &lda, b, &ldb, s, &rcond, rank, &ask, &lwork, &rask, &iask, &info);
  else FN(dgelsd_)(&m, &n, &nrhs, a, &lda, b, &ldb, s, &rcond, rank, &ask, &lwork, &iask, &info);
  lwork = work_size(&ask);
  void *work = work_space(ctx, z, lwork);
  double *rwork = tsr_scratch(ctx, (size_t)fmax(rask, 1) * sizeof *rwork);
  int *iwork = tsr_scratch(ctx, (size_t)TSR_MAX(iask, 1) * sizeof *iwork);
  if (work == NULL || rwork == NULL || iwork == NULL) return TSR_LAPACK_NOMEM;
  if (z) FN(zgelsd_)(&m, &n, &nrhs, a, &lda, b, &ldb, s, &rcond, rank, work, &lwork, rwork, iwork, &info);
  else FN(dgelsd_)(&m, &n, &nrhs, a, &lda, b, &ldb, s, &rcond, rank, work, &lwork, iwork, &info);
  return info;
}

int tsr_lapack_sytrf(tsr_ctx *ctx, bool z, bool hermitian, int n, void *a, int lda, int *pivots) {
  int info = 0, lwork = TSR_MAX(n, 1) * 64;
  char lower = 'L';
  void *work = work_space(ctx, z, lwork);
  if (work == NULL) return TSR_LAPACK_NOMEM;
  (z ? hermitian ? FN(zhetrf_) : FN(zsytrf_) : FN(dsytrf_))(&lower, &n, a, &lda, pivots, work, &lwork, &info, 1);
  return info;
}

int tsr_lapack_sytrs(bool z, bool hermitian, int n, int nrhs, const void *a, int lda, const int *pivots, void *b, int ldb) {
  int info = 0;
  char lower = 'L';
  (z ? hermitian ? FN(zhetrs_) : FN(zsytrs_) : FN(dsytrs_))(&lower, &n, &nrhs, a, &lda, pivots, b, &ldb, &info, 1);
  return info;
}
