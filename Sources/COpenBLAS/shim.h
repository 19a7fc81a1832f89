#ifndef COPENBLAS_SHIM_H
#define COPENBLAS_SHIM_H

#include <cblas.h>
#include <stddef.h>

/* LAPACK by its Fortran symbols: Debian's OpenBLAS comes without LAPACKE. The trailing sizes are the lengths
   of the character arguments, which Fortran compilers pass after all others; integers are 32 bits wide. */

#ifdef __cplusplus
extern "C" {
#endif

/* Cholesky factorisation of a symmetric positive definite matrix. */
void dpotrf_(const char *uplo, const int *n, double *a, const int *lda, int *info, size_t uplo_length);

/* Solves a system by its Cholesky factor. */
void dpotrs_(const char *uplo, const int *n, const int *nrhs, const double *a, const int *lda, double *b,
             const int *ldb, int *info, size_t uplo_length);

/* Reciprocal condition number of a matrix, from its Cholesky factor and its 1-norm. */
void dpocon_(const char *uplo, const int *n, const double *a, const int *lda, const double *anorm,
             double *rcond, double *work, int *iwork, int *info, size_t uplo_length);

/* QR factorisation. */
void dgeqrf_(const int *m, const int *n, double *a, const int *lda, double *tau, double *work,
             const int *lwork, int *info);

/* Singular value decomposition, by divide and conquer. */
void dgesdd_(const char *jobz, const int *m, const int *n, double *a, const int *lda, double *s, double *u,
             const int *ldu, double *vt, const int *ldvt, double *work, const int *lwork, int *iwork,
             int *info, size_t jobz_length);

/* Eigenvalues and eigenvectors of a symmetric matrix, by divide and conquer. */
void dsyevd_(const char *jobz, const char *uplo, const int *n, double *a, const int *lda, double *w,
             double *work, const int *lwork, int *iwork, const int *liwork, int *info, size_t jobz_length,
             size_t uplo_length);

#ifdef __cplusplus
}
#endif

#endif
