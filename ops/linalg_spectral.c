/* Orthogonal and spectral decompositions, and what is made of them: QR, SVD, eigenvalues, least squares,
 * pseudo-inverse, rank, condition, matrix norms. */
#include <math.h>

#include "ops/linalg.h"

static tsr_dtype dtype_of(const tsr_call *c, uint32_t i) { return (tsr_dtype)tsr_arg_tensor(c, i)->dtype; }
static int lead(int n) { return TSR_MAX(n, 1); }
static void copy_cols(const tsr_mats *to, const tsr_mats *from, int64_t b, int cols) {
  size_t item = tsr_mats_item(to), rows = (size_t)TSR_MIN(to->m, from->m);
  for (int j = 0; j < cols; j++) {
    memcpy((char *)tsr_mats_at(to, b) + (size_t)j * (size_t)to->m * item, (char *)tsr_mats_at(from, b) + (size_t)j * (size_t)from->m * item, rows * item);
  }
}

/* ---- QR ---- */

static tsr_status empty_tensor(tsr_ctx *ctx, tsr_tensor **out, tsr_dtype dtype) {
  int64_t none = 0;
  return tsr_new(ctx, out, dtype, 1, &none);
}

static tsr_status geqrf(tsr_ctx *ctx, tsr_mats *m, tsr_tensor **tau, tsr_tensor *a, const char *name) {
  TSR_TRY(tsr_mats_load(ctx, m, a, name));
  int k = TSR_MIN(m->m, m->n);
  TSR_TRY(tsr_mats_vector(ctx, tau, a, m->z ? TSR_COMPLEX128 : TSR_FLOAT64, k));
  for (int64_t i = 0; i < m->batch; i++) {
    int info = tsr_lapack_geqrf(ctx, m->z, m->m, m->n, tsr_mats_at(m, i), lead(m->m), (char *)(*tau)->storage->data + (size_t)i * (size_t)k * tsr_mats_item(m));
    TSR_TRY(tsr_mats_info(ctx, a, i, info, name, "%d"));
  }
  return TSR_OK;
}

static tsr_status qr(tsr_call *c, bool want_q, bool complete) {
  tsr_ctx *ctx = c->ctx;
  tsr_tensor *a = tsr_arg_tensor(c, 0), *tau, *out;
  tsr_mats m, q, r;
  tsr_dtype dtype = dtype_of(c, 0);
  TSR_TRY(geqrf(ctx, &m, &tau, a, "linalg.qr"));
  int k = TSR_MIN(m.m, m.n), qn = complete ? m.m : k;
  TSR_TRY(tsr_mats_new(ctx, &r, m.t, m.z, qn, m.n));
  if (r.t->numel > 0) memset(r.t->storage->data, 0, r.t->storage->nbytes);
  for (int64_t i = 0; i < r.batch; i++) copy_cols(&r, &m, i, m.n);
  tsr_mats_keep_triangle(&r, true);
  if (want_q) {
    TSR_TRY(tsr_mats_new(ctx, &q, m.t, m.z, m.m, qn));
    size_t item = tsr_mats_item(&q);
    for (int64_t i = 0; i < q.batch; i++) {
      memset(tsr_mats_at(&q, i), 0, (size_t)q.m * (size_t)q.n * item);
      if (k > 0) copy_cols(&q, &m, i, k);
      for (int j = 0; k == 0 && j < qn; j++) ((double *)tsr_mats_at(&q, i))[((size_t)j * q.m + j) * (item / 8)] = 1;
      if (k > 0) TSR_TRY(tsr_mats_info(ctx, a, i, tsr_lapack_orgqr(ctx, m.z, m.m, qn, k, tsr_mats_at(&q, i), lead(m.m), (char *)tau->storage->data + (size_t)i * (size_t)k * item), "linalg.qr", "%d"));
    }
    TSR_TRY(tsr_mats_store(ctx, &out, &q, dtype));
  } else {
    TSR_TRY(empty_tensor(ctx, &out, dtype));
  }
  TSR_TRY(tsr_ret_tensor(c, 0, out));
  TSR_TRY(tsr_mats_store(ctx, &out, &r, dtype));
  return tsr_ret_tensor(c, 1, out);
}

TSR_KERNEL(linalg_qr) {
  const char *mode = tsr_arg_str(c, 1)->bytes;
  if (strcmp(mode, "reduced") != 0 && strcmp(mode, "complete") != 0 && strcmp(mode, "r") != 0) {
    return tsr_op_fail(c->ctx, "qr received unrecognized mode '%s' but expected one of 'reduced' (default), 'r', or 'complete'", mode);
  }
  return qr(c, mode[0] != 'r' || mode[1] != 0, mode[0] == 'c');
}
TSR_KERNEL(qr) { return qr(c, true, !tsr_arg_bool(c, 1)); }

TSR_KERNEL(geqrf) {
  tsr_mats m;
  tsr_tensor *tau, *out;
  TSR_TRY(geqrf(c->ctx, &m, &tau, tsr_arg_tensor(c, 0), "geqrf"));
  TSR_TRY(tsr_mats_store(c->ctx, &out, &m, dtype_of(c, 0)));
  TSR_TRY(tsr_ret_tensor(c, 0, out));
  TSR_TRY(tsr_to_dtype(c->ctx, &out, tau, dtype_of(c, 0)));
  return tsr_ret_tensor(c, 1, out);
}

static tsr_status load_tau(tsr_ctx *ctx, tsr_tensor **out, tsr_tensor *tau, const tsr_mats *m) {
  TSR_TRY(tsr_ready(ctx, out, tau, m->z ? TSR_COMPLEX128 : TSR_FLOAT64));
  int64_t k = tau->ndim > 0 ? tau->size[tau->ndim - 1] : 0;
  if (tau->ndim < 1 || k > m->n || k > m->m || (*out)->numel != m->batch * k) return tsr_op_fail(ctx, "torch.linalg.householder_product: input.shape[-1] must be greater than or equal to tau.shape[-1]");
  return TSR_OK;
}

TSR_KERNEL(householder_product) {
  tsr_tensor *a = tsr_arg_tensor(c, 0), *tau, *out;
  tsr_mats m;
  TSR_TRY(tsr_mats_load(c->ctx, &m, a, "torch.linalg.householder_product"));
  if (m.m < m.n) return tsr_op_fail(c->ctx, "torch.linalg.householder_product: input.shape[-2] must be greater than or equal to input.shape[-1]");
  TSR_TRY(load_tau(c->ctx, &tau, tsr_arg_tensor(c, 1), &m));
  int k = m.batch > 0 ? (int)(tau->numel / m.batch) : 0;
  for (int64_t i = 0; i < m.batch; i++) {
    int info = tsr_lapack_orgqr(c->ctx, m.z, m.m, m.n, k, tsr_mats_at(&m, i), lead(m.m), (const char *)tsr_tensor_data_ro(tau) + (size_t)i * (size_t)k * tsr_mats_item(&m));
    TSR_TRY(tsr_mats_info(c->ctx, a, i, info, "torch.linalg.householder_product", "%d"));
  }
  TSR_TRY(tsr_mats_store(c->ctx, &out, &m, dtype_of(c, 0)));
  return tsr_ret_tensor(c, 0, out);
}

TSR_KERNEL(ormqr) {
  tsr_tensor *a = tsr_arg_tensor(c, 0), *other = tsr_arg_tensor(c, 2), *tau, *out;
  bool left = tsr_arg_bool(c, 3), trans = tsr_arg_bool(c, 4);
  tsr_mats m, o;
  TSR_TRY(tsr_mats_load(c->ctx, &m, a, "ormqr"));
  TSR_TRY(tsr_mats_load(c->ctx, &o, other, "ormqr"));
  TSR_TRY(load_tau(c->ctx, &tau, tsr_arg_tensor(c, 1), &m));
  int k = m.batch > 0 ? (int)(tau->numel / m.batch) : 0;
  if (m.m != (left ? o.m : o.n) || (o.batch != m.batch && o.batch > 0)) return tsr_op_fail(c->ctx, "torch.ormqr: other.shape[%d] must be equal to input.shape[-2]", left ? -2 : -1);
  for (int64_t i = 0; i < o.batch; i++) {
    int info = tsr_lapack_ormqr(c->ctx, m.z, left ? 'L' : 'R', trans ? (m.z ? 'C' : 'T') : 'N', o.m, o.n, k, tsr_mats_at(&m, i), lead(m.m),
                                (const char *)tsr_tensor_data_ro(tau) + (size_t)i * (size_t)k * tsr_mats_item(&m), tsr_mats_at(&o, i), lead(o.m));
    TSR_TRY(tsr_mats_info(c->ctx, a, i, info, "ormqr", "%d"));
  }
  TSR_TRY(tsr_mats_store(c->ctx, &out, &o, dtype_of(c, 2)));
  return tsr_ret_tensor(c, 0, out);
}

/* ---- SVD ---- */

typedef struct svd { tsr_mats u, vh; tsr_tensor *s; /* float64 [batch, k] */ } svd;

static tsr_status svd_of(tsr_ctx *ctx, svd *out, tsr_tensor *a, bool full, bool vectors, const char *name) {
  tsr_mats m;
  TSR_TRY(tsr_mats_load(ctx, &m, a, name));
  int k = TSR_MIN(m.m, m.n), un = full ? m.m : k, vm = full ? m.n : k;
  TSR_TRY(tsr_mats_vector(ctx, &out->s, a, TSR_FLOAT64, k));
  if (vectors) {
    TSR_TRY(tsr_mats_new(ctx, &out->u, m.t, m.z, m.m, un));
    TSR_TRY(tsr_mats_new(ctx, &out->vh, m.t, m.z, vm, m.n));
    for (int side = 0; side < 2 && k == 0; side++) { /* nothing to decompose: identities */
      tsr_mats *e = side == 0 ? &out->u : &out->vh;
      if (e->t->numel > 0) memset(e->t->storage->data, 0, e->t->storage->nbytes);
      for (int64_t b = 0; b < e->batch; b++) {
        for (int i = 0; i < TSR_MIN(e->m, e->n); i++) ((double *)tsr_mats_at(e, b))[((size_t)i * e->m + i) * (e->z ? 2 : 1)] = 1;
      }
    }
  }
  const double *values = tsr_tensor_data_ro(m.t);
  for (int64_t i = 0; i < m.t->numel * (m.z ? 2 : 1); i++) {
    if (!isfinite(values[i])) return tsr_op_fail(ctx, "%s: The algorithm failed to converge because the input matrix contained non-finite values.", name);
  }
  for (int64_t i = 0; i < m.batch; i++) {
    char job = !vectors ? 'N' : full ? 'A' : 'S';
    int info = tsr_lapack_gesdd(ctx, m.z, job, m.m, m.n, tsr_mats_at(&m, i), lead(m.m), (double *)out->s->storage->data + i * k,
                                vectors ? tsr_mats_at(&out->u, i) : NULL, lead(m.m), vectors ? tsr_mats_at(&out->vh, i) : NULL, vectors ? lead(vm) : 1);
    TSR_TRY(tsr_mats_info(ctx, a, i, info, name, "The algorithm failed to converge because the input matrix is ill-conditioned or has too many repeated singular values (error code: %d)."));
  }
  return TSR_OK;
}

static tsr_status conjugate_transpose(tsr_ctx *ctx, tsr_tensor **out, tsr_tensor *t) {
  TSR_TRY(tsr_transpose(ctx, out, t, -1, -2));
  return tsr_dtype_is_complex((tsr_dtype)t->dtype) ? tsr_unary(ctx, out, "conj_physical", *out) : TSR_OK;
}

static tsr_status ret_svd(tsr_call *c, bool full, bool vectors, bool v_not_h, const char *name) {
  tsr_ctx *ctx = c->ctx;
  svd d;
  tsr_tensor *out;
  tsr_dtype dtype = dtype_of(c, 0);
  TSR_TRY(svd_of(ctx, &d, tsr_arg_tensor(c, 0), full, vectors, name));
  if (vectors) TSR_TRY(tsr_mats_store(ctx, &out, &d.u, dtype));
  else TSR_TRY(empty_tensor(ctx, &out, dtype));
  TSR_TRY(tsr_ret_tensor(c, 0, out));
  TSR_TRY(tsr_to_dtype(ctx, &out, d.s, tsr_dtype_real_of(dtype)));
  TSR_TRY(tsr_ret_tensor(c, 1, out));
  if (vectors) TSR_TRY(tsr_mats_store(ctx, &out, &d.vh, dtype));
  else TSR_TRY(empty_tensor(ctx, &out, dtype));
  if (v_not_h && vectors) TSR_TRY(conjugate_transpose(ctx, &out, out));
  return tsr_ret_tensor(c, 2, out);
}
TSR_KERNEL(linalg_svd) { return ret_svd(c, tsr_arg_bool(c, 1), true, false, "linalg.svd"); }
TSR_KERNEL(_linalg_svd) { return ret_svd(c, tsr_arg_bool(c, 1), tsr_arg_bool(c, 2), false, "linalg.svd"); }
TSR_KERNEL(svd) { /* without vectors the old operator returns zeros of their shapes */
  TSR_TRY(ret_svd(c, !tsr_arg_bool(c, 1), true, true, "linalg.svd"));
  for (uint32_t i = 0; i < 3 && !tsr_arg_bool(c, 2); i += 2) TSR_TRY(tsr_fill(c->ctx, c->rets[i].t, tsr_scalar_int(0)));
  return TSR_OK;
}
static tsr_status svdvals(tsr_ctx *ctx, tsr_tensor **out, tsr_tensor *a) {
  svd d;
  TSR_TRY(svd_of(ctx, &d, a, false, false, "linalg.svdvals"));
  *out = d.s;
  return TSR_OK;
}
TSR_KERNEL(svdvals) {
  tsr_tensor *s;
  TSR_TRY(svdvals(c->ctx, &s, tsr_arg_tensor(c, 0)));
  TSR_TRY(tsr_to_dtype(c->ctx, &s, s, tsr_dtype_real_of(dtype_of(c, 0))));
  return tsr_ret_tensor(c, 0, s);
}

/* ---- eigenvalues ---- */

static tsr_status eigh_of(tsr_ctx *ctx, tsr_mats *m, tsr_tensor **w, tsr_tensor *a, char uplo, bool vectors) {
  TSR_TRY(tsr_mats_load_square(ctx, m, a, "linalg.eigh"));
  TSR_TRY(tsr_mats_vector(ctx, w, a, TSR_FLOAT64, m->n));
  for (int64_t i = 0; i < m->batch; i++) {
    int info = tsr_lapack_heevd(ctx, m->z, vectors ? 'V' : 'N', uplo, m->n, tsr_mats_at(m, i), lead(m->m), (double *)(*w)->storage->data + i * m->n);
    TSR_TRY(tsr_mats_info(ctx, a, i, info, "linalg.eigh", "The algorithm failed to converge because the input matrix is ill-conditioned or has too many repeated eigenvalues (error code: %d)."));
  }
  return TSR_OK;
}

static tsr_status eigh(tsr_call *c, bool vectors, bool two) {
  const char *uplo = tsr_arg_str(c, 1)->bytes;
  tsr_mats m;
  tsr_tensor *w, *out;
  if (uplo[0] == 0 || strchr("ULul", uplo[0]) == NULL) return tsr_op_fail(c->ctx, "Expected UPLO argument to be 'L' or 'U', but got %s", uplo);
  TSR_TRY(eigh_of(c->ctx, &m, &w, tsr_arg_tensor(c, 0), (char)(uplo[0] & ~32), vectors));
  TSR_TRY(tsr_to_dtype(c->ctx, &w, w, tsr_dtype_real_of(dtype_of(c, 0))));
  TSR_TRY(tsr_ret_tensor(c, 0, w));
  if (!two) return TSR_OK;
  if (vectors) TSR_TRY(tsr_mats_store(c->ctx, &out, &m, dtype_of(c, 0)));
  else TSR_TRY(empty_tensor(c->ctx, &out, dtype_of(c, 0)));
  return tsr_ret_tensor(c, 1, out);
}
TSR_KERNEL(eigh) { return eigh(c, true, true); }
TSR_KERNEL(eigvalsh) { return eigh(c, false, false); }
TSR_KERNEL(_eigh) { return eigh(c, tsr_arg_bool(c, 2), true); }

static tsr_status eig(tsr_call *c, bool vectors) {
  tsr_tensor *a = tsr_arg_tensor(c, 0), *w, *out;
  tsr_mats m, v;
  tsr_dtype dtype = tsr_dtype_complex_of(tsr_dtype_real_of(dtype_of(c, 0)));
  TSR_TRY(tsr_mats_load_square(c->ctx, &m, a, "linalg.eig"));
  TSR_TRY(tsr_mats_vector(c->ctx, &w, a, TSR_COMPLEX128, m.n));
  TSR_TRY(tsr_mats_new(c->ctx, &v, m.t, true, m.n, m.n));
  for (int64_t i = 0; i < m.batch; i++) {
    int info = tsr_lapack_geev(c->ctx, m.z, m.n, tsr_mats_at(&m, i), lead(m.m), (tsr_c128 *)w->storage->data + i * m.n, vectors ? tsr_mats_at(&v, i) : NULL);
    TSR_TRY(tsr_mats_info(c->ctx, a, i, info, "linalg.eig", "The algorithm failed to converge because the input matrix is ill-conditioned (error code: %d)."));
  }
  TSR_TRY(tsr_to_dtype(c->ctx, &w, w, dtype));
  TSR_TRY(tsr_ret_tensor(c, 0, w));
  if (!vectors) return TSR_OK;
  TSR_TRY(tsr_mats_store(c->ctx, &out, &v, dtype));
  return tsr_ret_tensor(c, 1, out);
}
TSR_KERNEL(eig) { return eig(c, true); }
TSR_KERNEL(eigvals) { return eig(c, false); }

/* ---- tolerances: rank and pseudo-inverse ---- */

static double epsilon(tsr_dtype d) { return tsr_dtype_real_of(d) == TSR_FLOAT64 ? 0x1p-52 : 0x1p-23; }

typedef struct tolerance { /* per matrix, or one for all (NULL arrays) */
  double atol, rtol;
  const double *atols, *rtols;
} tolerance;

static double cutoff(const tolerance *t, int64_t i, double largest) {
  double a = t->atols != NULL ? t->atols[i] : t->atol, r = t->rtols != NULL ? t->rtols[i] : t->rtol;
  return fmax(a, r * largest);
}

/* An optional tensor tolerance, expanded to one value a matrix. */
static tsr_status tensor_tolerance(tsr_ctx *ctx, const double **out, tsr_tensor *t, const tsr_tensor *a) {
  if (t == NULL) return TSR_OK;
  TSR_TRY(tsr_expand(ctx, &t, t, a->ndim - 2, a->size));
  TSR_TRY(tsr_ready(ctx, &t, t, TSR_FLOAT64));
  *out = tsr_tensor_data_ro(t);
  return TSR_OK;
}

/* Arguments (atol, rtol) from position at, floats or tensors; PyTorch's defaults where absent. */
static tsr_status read_tolerance(tsr_call *c, tolerance *t, const tsr_tensor *a, uint32_t at) {
  double eps = epsilon((tsr_dtype)a->dtype) * (double)TSR_MAX(a->size[a->ndim - 1], a->size[a->ndim - 2]);
  bool atol_given = !tsr_arg_is_none(c, at);
  *t = (tolerance){.atol = 0, .rtol = eps};
  if (c->args[at].tag == TSR_V_TENSOR) TSR_TRY(tensor_tolerance(c->ctx, &t->atols, tsr_arg_tensor(c, at), a));
  else if (atol_given) t->atol = tsr_arg_float(c, at);
  if (c->args[at + 1].tag == TSR_V_TENSOR) return tensor_tolerance(c->ctx, &t->rtols, tsr_arg_tensor(c, at + 1), a);
  if (!tsr_arg_is_none(c, at + 1)) t->rtol = tsr_arg_float(c, at + 1);
  else if (t->atols == NULL && atol_given && t->atol > 0) t->rtol = 0;
  return TSR_OK;
}

static tsr_status need_matrix(tsr_ctx *ctx, const tsr_tensor *a, const char *name) {
  return a->ndim < 2 ? tsr_op_fail(ctx, "%s: The input tensor A must have at least 2 dimensions.", name) : TSR_OK;
}

static tsr_status matrix_rank(tsr_call *c, const tolerance *t, bool hermitian) {
  tsr_tensor *a = tsr_arg_tensor(c, 0), *s, *out;
  tsr_mats m;
  if (hermitian) TSR_TRY(eigh_of(c->ctx, &m, &s, a, 'L', false));
  else TSR_TRY(svdvals(c->ctx, &s, a));
  int64_t k = s->size[s->ndim - 1];
  TSR_TRY(tsr_mats_vector(c->ctx, &out, a, TSR_INT64, -1));
  const double *p = tsr_tensor_data_ro(s);
  for (int64_t i = 0; i < out->numel; i++, p += k) {
    double largest = 0;
    for (int64_t j = 0; j < k; j++) largest = fmax(largest, fabs(p[j]));
    for (int64_t j = 0; j < k; j++) ((int64_t *)out->storage->data)[i] += fabs(p[j]) > cutoff(t, i, largest);
  }
  return tsr_ret_tensor(c, 0, out);
}
TSR_KERNEL(matrix_rank) {
  tolerance t;
  TSR_TRY(need_matrix(c->ctx, tsr_arg_tensor(c, 0), "linalg.matrix_rank"));
  TSR_TRY(read_tolerance(c, &t, tsr_arg_tensor(c, 0), 1));
  return matrix_rank(c, &t, tsr_arg_bool(c, 3));
}
TSR_KERNEL(matrix_rank_tol) { /* one absolute tolerance */
  tsr_tensor *a = tsr_arg_tensor(c, 0);
  tolerance t = {0};
  TSR_TRY(need_matrix(c->ctx, a, "linalg.matrix_rank"));
  if (c->args[1].tag == TSR_V_TENSOR) TSR_TRY(tensor_tolerance(c->ctx, &t.atols, tsr_arg_tensor(c, 1), a));
  else t.atol = tsr_arg_float(c, 1);
  return matrix_rank(c, &t, tsr_arg_bool(c, 2));
}

/* V diag(1/s) U^H with small s dropped; for Hermitian input from its eigenvectors. */
static tsr_status pinv(tsr_call *c, const tolerance *t, bool hermitian) {
  tsr_ctx *ctx = c->ctx;
  tsr_tensor *a = tsr_arg_tensor(c, 0), *s, *u, *v, *out;
  tsr_dtype dtype = dtype_of(c, 0);
  svd d;
  if (a->numel == 0) {
    TSR_TRY(tsr_transpose(ctx, &out, a, -1, -2));
    TSR_TRY(tsr_clone(ctx, &out, out));
    return tsr_ret_tensor(c, 0, out);
  }
  if (hermitian) {
    TSR_TRY(eigh_of(ctx, &d.u, &s, a, 'L', true));
    d.vh = d.u;
  } else {
    TSR_TRY(svd_of(ctx, &d, a, false, true, "linalg.pinv"));
    s = d.s;
  }
  int64_t k = s->size[s->ndim - 1];
  double *p = s->storage->data;
  for (int64_t i = 0; i < d.u.batch; i++, p += k) {
    double largest = 0;
    for (int64_t j = 0; j < k; j++) largest = fmax(largest, fabs(p[j]));
    double limit = cutoff(t, i, largest);
    for (int64_t j = 0; j < k; j++) p[j] = fabs(p[j]) > limit ? 1 / p[j] : 0;
  }
  tsr_dtype wide = d.u.z ? TSR_COMPLEX128 : TSR_FLOAT64;
  TSR_TRY(tsr_mats_store(ctx, &u, &d.u, wide));
  if (hermitian) v = u;
  else {
    TSR_TRY(tsr_mats_store(ctx, &v, &d.vh, wide));
    TSR_TRY(conjugate_transpose(ctx, &v, v));
  }
  TSR_TRY(tsr_unsqueeze(ctx, &s, s, -2));
  TSR_TRY(tsr_to_dtype(ctx, &s, s, wide));
  TSR_TRY(tsr_binary(ctx, &v, "mul", v, s));
  TSR_TRY(conjugate_transpose(ctx, &u, u));
  TSR_TRY(tsr_matmul(ctx, &out, v, u));
  TSR_TRY(tsr_to_dtype(ctx, &out, out, dtype));
  return tsr_ret_tensor(c, 0, out);
}
TSR_KERNEL(pinv) {
  tolerance t;
  TSR_TRY(need_matrix(c->ctx, tsr_arg_tensor(c, 0), "linalg.pinv"));
  TSR_TRY(read_tolerance(c, &t, tsr_arg_tensor(c, 0), 1));
  return pinv(c, &t, tsr_arg_bool(c, 3));
}
TSR_KERNEL(pinv_rcond) { /* one relative tolerance; pinverse has no third argument */
  tsr_tensor *a = tsr_arg_tensor(c, 0);
  tolerance t = {0};
  TSR_TRY(need_matrix(c->ctx, a, "linalg.pinv"));
  if (c->args[1].tag == TSR_V_TENSOR) TSR_TRY(tensor_tolerance(c->ctx, &t.rtols, tsr_arg_tensor(c, 1), a));
  else t.rtol = tsr_arg_float(c, 1);
  return pinv(c, &t, c->nargs > 2 && c->args[2].tag == TSR_V_BOOL && tsr_arg_bool(c, 2));
}

/* ---- least squares ---- */

TSR_KERNEL(lstsq) {
  tsr_ctx *ctx = c->ctx;
  tsr_tensor *a = tsr_arg_tensor(c, 0), *b = tsr_arg_tensor(c, 1), *out, *residuals, *rank, *s;
  const char *driver = tsr_arg_is_none(c, 3) ? "gelsy" : tsr_arg_str(c, 3)->bytes;
  tsr_dtype dtype = dtype_of(c, 0);
  if (a->ndim < 2) return tsr_op_fail(ctx, "torch.linalg.lstsq: input must have at least 2 dimensions.");
  if (b->ndim < 1) return tsr_op_fail(ctx, "torch.linalg.lstsq: other must have at least 1 dimension.");
  if (strcmp(driver, "gels") != 0 && strcmp(driver, "gelsy") != 0 && strcmp(driver, "gelsd") != 0 && strcmp(driver, "gelss") != 0) {
    return tsr_op_fail(ctx, "torch.linalg.lstsq: parameter `driver` should be one of (gels, gelsy, gelsd, gelss)");
  }
  bool vector = b->ndim == 1 || (a->ndim - 1 == b->ndim && memcmp(a->size, b->size, b->ndim * sizeof *b->size) == 0);
  if (vector) TSR_TRY(tsr_unsqueeze(ctx, &b, b, -1));
  TSR_TRY(tsr_mats_broadcast(ctx, &a, &b));
  tsr_mats m, rhs, x;
  TSR_TRY(tsr_mats_load(ctx, &m, a, "torch.linalg.lstsq"));
  TSR_TRY(tsr_mats_load(ctx, &rhs, b, "torch.linalg.lstsq"));
  if (rhs.m != m.m) return tsr_op_fail(ctx, "torch.linalg.lstsq: input.size(-2) should match other.size(-%d)", vector ? 1 : 2);
  bool singular = strcmp(driver, "gelsd") == 0 || strcmp(driver, "gelss") == 0, ranked = strcmp(driver, "gels") != 0;
  int k = TSR_MIN(m.m, m.n), rows = TSR_MAX(m.m, m.n);
  double rcond = tsr_arg_is_none(c, 2) ? epsilon(dtype) * (double)rows : tsr_arg_float(c, 2);
  TSR_TRY(tsr_mats_vector(ctx, &rank, a, TSR_INT64, -1));
  TSR_TRY(tsr_mats_vector(ctx, &s, a, TSR_FLOAT64, k));
  TSR_TRY(tsr_mats_new(ctx, &x, rhs.t, m.z, rows, rhs.n));
  tsr_mats sol;
  TSR_TRY(tsr_mats_new(ctx, &sol, rhs.t, m.z, m.n, rhs.n));
  TSR_TRY(tsr_mats_vector(ctx, &residuals, a, TSR_FLOAT64, rhs.n));
  bool full_rank = true;
  for (int64_t i = 0; i < x.batch && m.batch > 0; i++) {
    int r = 0;
    size_t item = tsr_mats_item(&x);
    memset(tsr_mats_at(&x, i), 0, (size_t)x.m * (size_t)x.n * item);
    copy_cols(&x, &rhs, i, rhs.n);
    int info = singular ? tsr_lapack_gelsd(ctx, m.z, m.m, m.n, rhs.n, tsr_mats_at(&m, i), lead(m.m), tsr_mats_at(&x, i), lead(x.m), (double *)s->storage->data + i * k, rcond, &r)
                        : tsr_lapack_gelsy(ctx, m.z, m.m, m.n, rhs.n, tsr_mats_at(&m, i), lead(m.m), tsr_mats_at(&x, i), lead(x.m), rcond, &r);
    TSR_TRY(tsr_mats_info(ctx, a, i, info, "torch.linalg.lstsq", "The least squares solution could not be computed because the input matrix does not have full rank (error code: %d)."));
    ((int64_t *)rank->storage->data)[i] = r;
    full_rank &= r == m.n;
    copy_cols(&sol, &x, i, rhs.n);
  }
  TSR_TRY(tsr_mats_store(ctx, &out, &sol, dtype));
  tsr_tensor *result = out;
  if (m.m > m.n && full_rank && strcmp(driver, "gelsy") != 0) { /* PyTorch gives no residuals with gelsy */
    tsr_tensor *diff;
    TSR_TRY(tsr_matmul(ctx, &diff, a, out));
    TSR_TRY(tsr_binary(ctx, &diff, "sub", diff, b));
    TSR_TRY(tsr_unary(ctx, &diff, "abs", diff));
    TSR_TRY(tsr_binary(ctx, &diff, "mul", diff, diff));
    int64_t dim = -2;
    TSR_TRY(tsr_reduce(ctx, &residuals, "sum", diff, 1, &dim, false, -1));
  } else {
    TSR_TRY(empty_tensor(ctx, &residuals, tsr_dtype_real_of(dtype)));
  }
  if (vector) TSR_TRY(tsr_squeeze_dim(ctx, &result, result, -1));
  TSR_TRY(tsr_ret_tensor(c, 0, result));
  TSR_TRY(tsr_ret_tensor(c, 1, residuals));
  if (!ranked) TSR_TRY(empty_tensor(ctx, &rank, TSR_INT64));
  TSR_TRY(tsr_ret_tensor(c, 2, rank));
  if (singular) TSR_TRY(tsr_to_dtype(ctx, &s, s, tsr_dtype_real_of(dtype)));
  else TSR_TRY(empty_tensor(ctx, &s, tsr_dtype_real_of(dtype)));
  return tsr_ret_tensor(c, 3, s);
}

#define P TSR_PURE
#define O TSR_OUT
const tsr_op tsr_ops_linalg_spectral[] = {
    {"aten::linalg_qr(Tensor A, str mode=\"reduced\") -> (Tensor Q, Tensor R)", op_linalg_qr, P},
    {"aten::linalg_qr.out(Tensor A, str mode=\"reduced\", *, Tensor(a!) Q, Tensor(b!) R) -> (Tensor(a!) Q, Tensor(b!) R)", op_linalg_qr, TSR_OUT_SAME},
    {"aten::qr(Tensor self, bool some=True) -> (Tensor Q, Tensor R)", op_qr, P},
    {"aten::qr.Q(Tensor self, bool some=True, *, Tensor(a!) Q, Tensor(b!) R) -> (Tensor(a!) Q, Tensor(b!) R)", op_qr, TSR_OUT_SAME},
    {"aten::geqrf(Tensor self) -> (Tensor a, Tensor tau)", op_geqrf, P}, {"aten::geqrf.a(Tensor self, *, Tensor(a!) a, Tensor(b!) tau) -> (Tensor(a!) a, Tensor(b!) tau)", op_geqrf, O},
    {"aten::linalg_householder_product(Tensor input, Tensor tau) -> Tensor", op_householder_product, P},
    {"aten::linalg_householder_product.out(Tensor input, Tensor tau, *, Tensor(a!) out) -> Tensor(a!)", op_householder_product, O},
    {"aten::orgqr(Tensor self, Tensor input2) -> Tensor", op_householder_product, P}, {"aten::orgqr.out(Tensor self, Tensor input2, *, Tensor(a!) out) -> Tensor(a!)", op_householder_product, O},
    {"aten::ormqr(Tensor self, Tensor input2, Tensor input3, bool left=True, bool transpose=False) -> Tensor", op_ormqr, P},
    {"aten::ormqr.out(Tensor self, Tensor input2, Tensor input3, bool left=True, bool transpose=False, *, Tensor(a!) out) -> Tensor(a!)", op_ormqr, O},
    {"aten::linalg_svd(Tensor A, bool full_matrices=True, *, str? driver=None) -> (Tensor U, Tensor S, Tensor Vh)", op_linalg_svd, P},
    {"aten::linalg_svd.U(Tensor A, bool full_matrices=True, *, str? driver=None, Tensor(a!) U, Tensor(b!) S, Tensor(c!) Vh) -> (Tensor(a!) U, Tensor(b!) S, Tensor(c!) Vh)", op_linalg_svd, TSR_OUT_SAME},
    {"aten::_linalg_svd(Tensor A, bool full_matrices=False, bool compute_uv=True, *, str? driver=None) -> (Tensor U, Tensor S, Tensor Vh)", op__linalg_svd, P},
    {"aten::svd(Tensor self, bool some=True, bool compute_uv=True) -> (Tensor U, Tensor S, Tensor V)", op_svd, P},
    {"aten::linalg_svdvals(Tensor A, *, str? driver=None) -> Tensor", op_svdvals, P},
    {"aten::linalg_svdvals.out(Tensor A, *, str? driver=None, Tensor(a!) out) -> Tensor(a!)", op_svdvals, TSR_OUT_SAME},
    {"aten::linalg_eigh(Tensor self, str UPLO=\"L\") -> (Tensor eigenvalues, Tensor eigenvectors)", op_eigh, P},
    {"aten::linalg_eigh.eigvals(Tensor self, str UPLO=\"L\", *, Tensor(a!) eigvals, Tensor(b!) eigvecs) -> (Tensor(a!) eigenvalues, Tensor(b!) eigenvectors)", op_eigh, TSR_OUT_SAME},
    {"aten::linalg_eigvalsh(Tensor self, str UPLO=\"L\") -> Tensor", op_eigvalsh, P},
    {"aten::linalg_eigvalsh.out(Tensor self, str UPLO=\"L\", *, Tensor(a!) out) -> Tensor(a!)", op_eigvalsh, TSR_OUT_SAME},
    {"aten::_linalg_eigh(Tensor A, str UPLO=\"L\", bool compute_v=True) -> (Tensor eigenvalues, Tensor eigenvectors)", op__eigh, P},
    {"aten::linalg_eig(Tensor self) -> (Tensor eigenvalues, Tensor eigenvectors)", op_eig, P},
    {"aten::linalg_eig.out(Tensor self, *, Tensor(a!) eigenvalues, Tensor(b!) eigenvectors) -> (Tensor(a!) eigenvalues, Tensor(b!) eigenvectors)", op_eig, O},
    {"aten::linalg_eigvals(Tensor self) -> Tensor", op_eigvals, P}, {"aten::linalg_eigvals.out(Tensor self, *, Tensor(a!) out) -> Tensor(a!)", op_eigvals, O},
    {"aten::_linalg_eigvals(Tensor self) -> Tensor", op_eigvals, P},
    {"aten::linalg_matrix_rank.atol_rtol_tensor(Tensor input, *, Tensor? atol=None, Tensor? rtol=None, bool hermitian=False) -> Tensor", op_matrix_rank, P},
    {"aten::linalg_matrix_rank.atol_rtol_float(Tensor self, *, float? atol=None, float? rtol=None, bool hermitian=False) -> Tensor", op_matrix_rank, P},
    {"aten::linalg_matrix_rank(Tensor self, float tol, bool hermitian=False) -> Tensor", op_matrix_rank_tol, P},
    {"aten::linalg_matrix_rank.tol_tensor(Tensor input, Tensor tol, bool hermitian=False) -> Tensor", op_matrix_rank_tol, P},
    {"aten::linalg_pinv.atol_rtol_tensor(Tensor self, *, Tensor? atol=None, Tensor? rtol=None, bool hermitian=False) -> Tensor", op_pinv, P},
    {"aten::linalg_pinv.atol_rtol_float(Tensor self, *, float? atol=None, float? rtol=None, bool hermitian=False) -> Tensor", op_pinv, P},
    {"aten::linalg_pinv(Tensor self, float rcond, bool hermitian=False) -> Tensor", op_pinv_rcond, P},
    {"aten::linalg_pinv.rcond_tensor(Tensor self, Tensor rcond, bool hermitian=False) -> Tensor", op_pinv_rcond, P},
    {"aten::pinverse(Tensor self, float rcond=1.0000000000000001e-15) -> Tensor", op_pinv_rcond, P},
    {"aten::linalg_lstsq(Tensor self, Tensor b, float? rcond=None, *, str? driver=None) -> (Tensor solution, Tensor residuals, Tensor rank, Tensor singular_values)", op_lstsq, P},
    {0}};
