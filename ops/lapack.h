/* LAPACK (inside OpenBLAS): column-major matrices of float64, or of complex128 when z is set.  Every
 * function returns LAPACK's info: 0 fine, > 0 the factorisation's own trouble; work space comes from
 * ctx's scratch memory, whose exhaustion is NOMEM_INFO. */
#ifndef TSR_OPS_LAPACK_H
#define TSR_OPS_LAPACK_H

#include "ops/op.h"

enum { TSR_LAPACK_NOMEM = -1000000 };

int tsr_lapack_getrf(bool z, int m, int n, void *a, int lda, int *pivots);
int tsr_lapack_getrs(bool z, char trans, int n, int nrhs, const void *lu, int lda, const int *pivots, void *b, int ldb);
int tsr_lapack_potrf(bool z, char uplo, int n, void *a, int lda);
int tsr_lapack_potrs(bool z, char uplo, int n, int nrhs, const void *a, int lda, void *b, int ldb);
int tsr_lapack_potri(bool z, char uplo, int n, void *a, int lda);
/* Divides by zeros on the diagonal. */
void tsr_lapack_trsm(bool z, char uplo, char trans, char diag, int n, int nrhs, const void *a, int lda, void *b, int ldb);
int tsr_lapack_geqrf(tsr_ctx *ctx, bool z, int m, int n, void *a, int lda, void *tau);
int tsr_lapack_orgqr(tsr_ctx *ctx, bool z, int m, int n, int k, void *a, int lda, const void *tau);
int tsr_lapack_ormqr(tsr_ctx *ctx, bool z, char side, char trans, int m, int n, int k, const void *a, int lda, const void *tau, void *c, int ldc);
int tsr_lapack_gesdd(tsr_ctx *ctx, bool z, char job, int m, int n, void *a, int lda, double *s, void *u, int ldu, void *vt, int ldvt);
int tsr_lapack_heevd(tsr_ctx *ctx, bool z, char job, char uplo, int n, void *a, int lda, double *w);
/* w: n complex eigenvalues, v: n x n complex eigenvectors or NULL, also for real a */
int tsr_lapack_geev(tsr_ctx *ctx, bool z, int n, void *a, int lda, tsr_c128 *w, tsr_c128 *v);
int tsr_lapack_gelsy(tsr_ctx *ctx, bool z, int m, int n, int nrhs, void *a, int lda, void *b, int ldb, double rcond, int *rank);
int tsr_lapack_gels(tsr_ctx *ctx, bool z, int m, int n, int nrhs, void *a, int lda, void *b, int ldb);
int tsr_lapack_gelsd(tsr_ctx *ctx, bool z, int m, int n, int nrhs, void *a, int lda, void *b, int ldb, double *s, double rcond, int *rank);
int tsr_lapack_sytrf(tsr_ctx *ctx, bool z, bool hermitian, int n, void *a, int lda, int *pivots);
int tsr_lapack_sytrs(bool z, bool hermitian, int n, int nrhs, const void *a, int lda, const int *pivots, void *b, int ldb);

#endif
