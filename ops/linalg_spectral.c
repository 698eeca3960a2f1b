/* Orthogonal and spectral decompositions, and what is made of them: QR, SVD, eigenvalues, least squares,
 * pseudo-inverse, rank, condition, matrix norms. */
#include <math.h>
#include <stdio.h>

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
  if (a->ndim >= 2 && !tsr_dtype_is_integral(dtype, true)) {
    for (uint32_t i = 0; i < 2; i++) TSR_TRY(tsr_out_same(c, i, dtype));
  }
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
  if (tsr_arg_tensor(c, 0)->ndim < 2) return tsr_op_fail(c->ctx, "linalg.qr: The input tensor A must have at least 2 dimensions.");
  if (strcmp(mode, "reduced") != 0 && strcmp(mode, "complete") != 0 && strcmp(mode, "r") != 0) {
    return tsr_op_fail(c->ctx, "qr received unrecognized mode '%s' but expected one of 'reduced' (default), 'r', or 'complete'", mode);
  }
  return qr(c, mode[0] != 'r' || mode[1] != 0, mode[0] == 'c');
}
TSR_KERNEL(qr) { return qr(c, true, !tsr_arg_bool(c, 1)); }

TSR_KERNEL(geqrf) {
  tsr_mats m;
  tsr_tensor *tau, *out;
  if (tsr_arg_tensor(c, 0)->ndim < 2) return tsr_op_fail(c->ctx, "torch.geqrf: input must have at least 2 dimensions.");
  for (uint32_t i = 0; i < 2; i++) TSR_TRY(tsr_out_castable(c, i, dtype_of(c, 0), "torch.geqrf", i == 0 ? "a" : "tau"));
  TSR_TRY(geqrf(c->ctx, &m, &tau, tsr_arg_tensor(c, 0), "torch.geqrf"));
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
  const tsr_tensor *t = tsr_arg_tensor(c, 1);
  if (a->ndim < 2) return tsr_op_fail(c->ctx, "torch.linalg.householder_product: input must have at least 2 dimensions.");
  if (a->size[a->ndim - 2] < a->size[a->ndim - 1]) return tsr_op_fail(c->ctx, "torch.linalg.householder_product: input.shape[-2] must be greater than or equal to input.shape[-1]");
  if (t->ndim < 1 || a->size[a->ndim - 1] < t->size[t->ndim - 1]) return tsr_op_fail(c->ctx, "torch.linalg.householder_product: input.shape[-1] must be greater than or equal to tau.shape[-1]");
  if (a->ndim - t->ndim != 1) {
    return tsr_op_fail(c->ctx, "torch.linalg.householder_product: Expected tau to have one dimension less than input, but got tau.ndim equal to %d and input.ndim is equal to %d", t->ndim, a->ndim);
  }
  if (memcmp(t->size, a->size, (size_t)(a->ndim - 2) * sizeof *a->size) != 0) {
    char sizes[256];
    tsr_sizes_print(sizes, sizeof sizes, t->ndim - 1, t->size);
    return tsr_op_fail(c->ctx, "torch.linalg.householder_product: Expected batch dimensions of tau to be equal to input.shape[:-2], but got %s", sizes);
  }
  if (t->dtype != a->dtype) {
    return tsr_op_fail(c->ctx, "torch.linalg.householder_product: tau dtype %s does not match input dtype %s", tsr_dtype_get_info(t->dtype)->cpp_name, tsr_dtype_get_info(a->dtype)->cpp_name);
  }
  TSR_TRY(tsr_out_castable(c, 0, dtype_of(c, 0), "torch.linalg.householder_product", "result"));
  TSR_TRY(tsr_mats_load(c->ctx, &m, a, "torch.linalg.householder_product"));
  TSR_TRY(load_tau(c->ctx, &tau, tsr_arg_tensor(c, 1), &m));
  int k = m.batch > 0 ? (int)(tau->numel / m.batch) : 0;
  for (int64_t i = 0; i < m.batch; i++) {
    int info = tsr_lapack_orgqr(c->ctx, m.z, m.m, m.n, k, tsr_mats_at(&m, i), lead(m.m), (const char *)tsr_tensor_data_ro(tau) + (size_t)i * (size_t)k * tsr_mats_item(&m));
    TSR_TRY(tsr_mats_info(c->ctx, a, i, info, "torch.linalg.householder_product", "%d"));
  }
  TSR_TRY(tsr_mats_store(c->ctx, &out, &m, dtype_of(c, 0)));
  return tsr_ret_tensor(c, 0, out);
}

/* Shapes and types, in PyTorch's order. */
static tsr_status check_ormqr(tsr_call *c, const tsr_tensor *a, const tsr_tensor *t, const tsr_tensor *other, int dim) {
  tsr_ctx *ctx = c->ctx;
  tsr_dtype out = (tsr_dtype)a->dtype;
  int64_t rows = other->size[other->ndim + dim], cols = a->size[a->ndim - 1];
  char sizes[256];
  if (rows != a->size[a->ndim - 2]) return tsr_op_fail(ctx, "torch.ormqr: other.shape[%d] must be equal to input.shape[-2]", dim);
  if (t->ndim < 1) return tsr_op_fail(ctx, "Dimension specified as -1 but tensor has no dimensions");
  if (t->size[t->ndim - 1] != TSR_MIN(rows, cols)) return tsr_op_fail(ctx, "torch.ormqr: tau.shape[-1] must be equal to min(other.shape[%d], input.shape[-1])", dim);
  if (a->ndim - t->ndim != 1) return tsr_op_fail(ctx, "torch.ormqr: Expected tau to have one dimension less than input, but got tau.ndim equal to %d and input.ndim is equal to %d", t->ndim, a->ndim);
  if (a->ndim != other->ndim) return tsr_op_fail(ctx, "torch.ormqr: Expected other to have the same number of dimensions as input, but got other.ndim equal to %d and input.ndim is equal to %d", other->ndim, a->ndim);
  for (int k = 0; k < 2; k++) {
    const tsr_tensor *x = k == 0 ? t : other;
    if (memcmp(x->size, a->size, (size_t)(a->ndim - 2) * sizeof *a->size) == 0) continue;
    tsr_sizes_print(sizes, sizeof sizes, a->ndim - 2, x->size);
    return tsr_op_fail(ctx, "torch.ormqr: Expected batch dimensions of %s to be equal to input.shape[:-2], but got %s", k == 0 ? "tau" : "other", sizes);
  }
  tsr_out_dtype(c, 0, &out);
  for (int k = 0; k < 3; k++) {
    tsr_dtype d = k == 0 ? (tsr_dtype)t->dtype : k == 1 ? (tsr_dtype)other->dtype : out;
    const char *name = k == 0 ? "tau" : k == 1 ? "other" : "result", *own = tsr_dtype_get_info(a->dtype)->cpp_name;
    if (d != a->dtype) return tsr_op_fail(ctx, "torch.ormqr: Expected input and %s to have the same dtype, but input has dtype%s and %s has dtype %s", name, own, name, tsr_dtype_get_info(d)->cpp_name);
  }
  return TSR_OK;
}

TSR_KERNEL(ormqr) {
  tsr_tensor *a = tsr_arg_tensor(c, 0), *other = tsr_arg_tensor(c, 2), *tau, *out;
  bool left = tsr_arg_bool(c, 3), trans = tsr_arg_bool(c, 4);
  tsr_mats m, o;
  const tsr_tensor *t = tsr_arg_tensor(c, 1);
  if (a->ndim < 2) return tsr_op_fail(c->ctx, "torch.ormqr: input must have at least 2 dimensions.");
  if (other->ndim < 2) return tsr_op_fail(c->ctx, "torch.ormqr: other must have at least 2 dimensions.");
  TSR_TRY(check_ormqr(c, a, t, other, left ? -2 : -1));
  TSR_TRY(tsr_mats_load(c->ctx, &m, a, "torch.ormqr"));
  TSR_TRY(tsr_mats_load(c->ctx, &o, other, "torch.ormqr"));
  TSR_TRY(load_tau(c->ctx, &tau, tsr_arg_tensor(c, 1), &m));
  int k = m.batch > 0 ? (int)(tau->numel / m.batch) : 0;
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

static bool all_finite(const tsr_mats *m, int64_t i) {
  const double *p = tsr_mats_at(m, i);
  for (int64_t k = 0; k < (int64_t)m->m * m->n * (m->z ? 2 : 1); k++) {
    if (!isfinite(p[k])) return false;
  }
  return true;
}

static void fill_nan(double *p, int64_t count, int64_t i) {
  for (int64_t k = 0; k < count; k++) p[i * count + k] = NAN;
}

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
  /* LAPACK notices NaN; infinities become NaN in it, and it need not end */
  double *values = m.t->storage->data;
  bool infinite = false;
  for (int64_t i = 0; i < m.t->numel * (m.z ? 2 : 1); i++) {
    if (isnan(values[i])) {
      char where[64] = "";
      if (a->ndim > 2) snprintf(where, sizeof where, "(Batch element %lld): ", (long long)(i / (m.t->numel * (m.z ? 2 : 1) / m.batch)));
      return tsr_op_fail(ctx, "%s: %sThe algorithm failed to converge because the input matrix contained non-finite values.", name, where);
    }
    infinite = infinite || isinf(values[i]);
  }
  for (int64_t i = 0; i < m.batch; i++) {
    if (infinite && !all_finite(&m, i)) {
      fill_nan(out->s->storage->data, k, i);
      if (vectors) {
        fill_nan(out->u.t->storage->data, (int64_t)out->u.m * out->u.n * (m.z ? 2 : 1), i);
        fill_nan(out->vh.t->storage->data, (int64_t)out->vh.m * out->vh.n * (m.z ? 2 : 1), i);
      }
      continue;
    }
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
  tsr_dtype dtype = dtype_of(c, 0), real = tsr_dtype_real_of(dtype);
  if (tsr_arg_tensor(c, 0)->ndim >= 2 && !tsr_dtype_is_integral(dtype, true)) {
    for (uint32_t i = 0; i < 3; i++) TSR_TRY(tsr_out_same(c, 2 * i % 3, i == 2 ? real : dtype)); /* the values last */
  }
  TSR_TRY(svd_of(ctx, &d, tsr_arg_tensor(c, 0), full, vectors, name));
  if (vectors) TSR_TRY(tsr_mats_store(ctx, &out, &d.u, dtype));
  else TSR_TRY(empty_tensor(ctx, &out, dtype));
  TSR_TRY(tsr_ret_tensor(c, 0, out));
  TSR_TRY(tsr_to_dtype(ctx, &out, d.s, real));
  TSR_TRY(tsr_ret_tensor(c, 1, out));
  if (vectors) TSR_TRY(tsr_mats_store(ctx, &out, &d.vh, dtype));
  else TSR_TRY(empty_tensor(ctx, &out, dtype));
  if (v_not_h && vectors) TSR_TRY(conjugate_transpose(ctx, &out, out));
  return tsr_ret_tensor(c, 2, out);
}
TSR_KERNEL(linalg_svd) { return ret_svd(c, tsr_arg_bool(c, 1), true, false, "linalg.svd"); }
TSR_KERNEL(_linalg_svd) { return ret_svd(c, tsr_arg_bool(c, 1), tsr_arg_bool(c, 2), false, "linalg.svd"); }
static tsr_status zeros(tsr_ctx *ctx, tsr_tensor **out, const tsr_tensor *like, int64_t n) {
  int64_t size[TSR_MAX_NDIM];
  memcpy(size, like->size, like->ndim * sizeof *size);
  size[like->ndim - 2] = size[like->ndim - 1] = n;
  TSR_TRY(tsr_new(ctx, out, (tsr_dtype)like->dtype, like->ndim, size));
  return tsr_fill(ctx, *out, tsr_scalar_int(0));
}
TSR_KERNEL(svd) { /* without vectors the old operator returns zeros, of square matrices */
  tsr_tensor *a = tsr_arg_tensor(c, 0), *v[2];
  if (a->ndim < 2) return tsr_op_fail(c->ctx, "linalg.svd: input should have at least 2 dimensions, but has %d dimensions instead", a->ndim);
  bool vectors = tsr_arg_bool(c, 2);
  for (uint32_t i = 0; i < 3 && !vectors; i++) {
    tsr_dtype want = i == 0 ? tsr_dtype_real_of(dtype_of(c, 0)) : dtype_of(c, 0), got;
    if (i == 0) TSR_TRY(tsr_out_same(c, 1, want));
    else if (tsr_out_dtype(c, 2 * i - 2, &got) && got != want) return tsr_op_fail(c->ctx, "torch.svd: Expected out tensor to have dtype %s but got %s instead", tsr_dtype_get_info(want)->cpp_name, tsr_dtype_get_info(got)->cpp_name);
  }
  TSR_TRY(ret_svd(c, !tsr_arg_bool(c, 1), vectors, true, "linalg.svd"));
  if (vectors) return TSR_OK;
  for (int i = 0; i < 2; i++) {
    TSR_TRY(zeros(c->ctx, &v[i], a, a->size[a->ndim - 2 + i]));
    if (i == 1 && c->outs == NULL) TSR_TRY(tsr_transpose(c->ctx, &v[i], v[i], -1, -2));
    tsr_release(c->rets[2 * i]);
    c->rets[2 * i] = tsr_none();
    TSR_TRY(tsr_ret_tensor(c, 2 * (uint32_t)i, v[i]));
  }
  return TSR_OK;
}
static tsr_status svdvals(tsr_ctx *ctx, tsr_tensor **out, tsr_tensor *a) {
  svd d;
  TSR_TRY(svd_of(ctx, &d, a, false, false, "linalg.svd"));
  *out = d.s;
  return TSR_OK;
}
TSR_KERNEL(svdvals) {
  tsr_tensor *s;
  if (tsr_arg_tensor(c, 0)->ndim >= 2 && !tsr_dtype_is_integral(dtype_of(c, 0), true)) TSR_TRY(tsr_out_same(c, 0, tsr_dtype_real_of(dtype_of(c, 0))));
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
  TSR_TRY(tsr_mats_check_square(c->ctx, tsr_arg_tensor(c, 0), "linalg.eigh"));
  if (uplo[0] == 0 || strchr("ULul", uplo[0]) == NULL) return tsr_op_fail(c->ctx, "Expected UPLO argument to be 'L' or 'U', but got %s", uplo);
  if (two) TSR_TRY(tsr_out_same(c, 1, dtype_of(c, 0)));
  TSR_TRY(tsr_out_same(c, 0, tsr_dtype_real_of(dtype_of(c, 0))));
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
  const char *name = vectors ? "linalg.eig" : "linalg.eigvals";
  if (tsr_dtype_is_integral((tsr_dtype)a->dtype, true)) return tsr_op_fail(c->ctx, "Unknown Complex ScalarType for %s", tsr_dtype_get_info((tsr_dtype)a->dtype)->cpp_name);
  TSR_TRY(tsr_mats_check_square(c->ctx, a, name));
  for (uint32_t i = 0; i < c->nrets; i++) TSR_TRY(tsr_out_castable(c, i, dtype, vectors ? "torch.linalg.eig" : "torch.linalg.eigvals", i == 0 ? "eigenvalues" : "eigenvectors"));
  TSR_TRY(tsr_mats_load(c->ctx, &m, a, name));
  for (int64_t i = 0; i < m.batch && vectors; i++) {
    if (!all_finite(&m, i)) return tsr_op_fail(c->ctx, "torch.linalg.eig: input tensor should not contain infs or NaNs.");
  }
  TSR_TRY(tsr_mats_vector(c->ctx, &w, a, TSR_COMPLEX128, m.n));
  TSR_TRY(tsr_mats_new(c->ctx, &v, m.t, true, m.n, m.n));
  for (int64_t i = 0; i < m.batch; i++) {
    if (!all_finite(&m, i)) { /* what LAPACK makes of these is not defined, and need not end */
      fill_nan(w->storage->data, 2 * (int64_t)m.n, i);
      continue;
    }
    int info = tsr_lapack_geev(c->ctx, m.z, m.n, tsr_mats_at(&m, i), lead(m.m), (tsr_c128 *)w->storage->data + i * m.n, vectors ? tsr_mats_at(&v, i) : NULL);
    TSR_TRY(tsr_mats_info(c->ctx, a, i, info, name, "The algorithm failed to converge because the input matrix is ill-conditioned (error code: %d)."));
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

typedef struct tolerance { /* float64, one number or one for each matrix, of a shape that the matrices' may be stretched to */
  tsr_tensor *atol, *rtol;
} tolerance;

/* Argument at: a number, a tensor, or none (*out stays NULL). */
static tsr_status read_tolerance(tsr_call *c, tsr_tensor **out, uint32_t at, const char *function, const char *name) {
  if (tsr_arg_is_none(c, at)) return TSR_OK;
  if (c->args[at].tag != TSR_V_TENSOR) return tsr_new_scalar(c->ctx, out, TSR_FLOAT64, tsr_scalar_float(tsr_arg_float(c, at)));
  *out = tsr_arg_tensor(c, at);
  if (tsr_dtype_is_complex((tsr_dtype)(*out)->dtype)) {
    return tsr_op_fail(c->ctx, "%s: %s tensor of complex type is not supported. Got %s", function, name, tsr_dtype_get_info((tsr_dtype)(*out)->dtype)->cpp_name);
  }
  return tsr_to_dtype(c->ctx, out, *out, TSR_FLOAT64);
}

/* Arguments (atol, rtol) from position at, floats or tensors; PyTorch's defaults where absent: rtol is 0 where an atol above 0 is given. */
static tsr_status read_tolerances(tsr_call *c, tolerance *t, const tsr_tensor *a, uint32_t at, const char *function) {
  tsr_ctx *ctx = c->ctx;
  tsr_dtype real = tsr_dtype_real_of((tsr_dtype)a->dtype);
  *t = (tolerance){0};
  TSR_TRY(read_tolerance(c, &t->atol, at, function, "atol"));
  TSR_TRY(read_tolerance(c, &t->rtol, at + 1, function, "rtol"));
  if (t->rtol == NULL) {
    if (real != TSR_FLOAT32 && real != TSR_FLOAT64) return tsr_op_fail(ctx, "This function doesn't handle types other than float and double");
    TSR_TRY(tsr_new_scalar(ctx, &t->rtol, TSR_FLOAT64, tsr_scalar_float(epsilon(real) * (double)TSR_MAX(a->size[a->ndim - 1], a->size[a->ndim - 2]))));
    if (t->atol != NULL) {
      tsr_tensor *none, *off;
      TSR_TRY(tsr_new_scalar(ctx, &none, TSR_FLOAT64, tsr_scalar_float(0)));
      TSR_TRY(tsr_binary(ctx, &off, "le", t->atol, none));
      TSR_TRY(tsr_binary(ctx, &t->rtol, "mul", t->rtol, off));
    }
  }
  return t->atol != NULL ? TSR_OK : tsr_new_scalar(ctx, &t->atol, TSR_FLOAT64, tsr_scalar_float(0));
}

/* s [batch..., k] against max(atol, rtol * the largest): which are above, of the shape that batch and tolerances stretch to. */
static tsr_status above(tsr_ctx *ctx, tsr_tensor **out, tsr_tensor *s, const tolerance *t) {
  tsr_tensor *largest, *limit, *atol;
  int64_t last = -1;
  TSR_TRY(tsr_reduce(ctx, &largest, "amax", s, 1, &last, true, -1));
  TSR_TRY(tsr_unsqueeze(ctx, &limit, t->rtol, -1));
  TSR_TRY(tsr_binary(ctx, &limit, "mul", limit, largest));
  TSR_TRY(tsr_unsqueeze(ctx, &atol, t->atol, -1));
  TSR_TRY(tsr_binary(ctx, &limit, "maximum", atol, limit));
  return tsr_binary(ctx, out, "gt", s, limit);
}

static const char rank_name[] = "torch.linalg.matrix_rank", pinv_name[] = "torch.linalg.pinv";

static tsr_status matrix_rank(tsr_call *c, const tolerance *t, bool hermitian) {
  tsr_ctx *ctx = c->ctx;
  tsr_tensor *a = tsr_arg_tensor(c, 0), *s, *out;
  tsr_mats m;
  int64_t last = -1;
  TSR_TRY(tsr_out_castable(c, 0, TSR_INT64, rank_name, "result"));
  if (a->numel == 0) { /* of no elements: rank 0, and the tolerances are not looked at */
    TSR_TRY(tsr_mats_vector(ctx, &out, a, TSR_INT64, -1));
    return tsr_ret_tensor(c, 0, out);
  }
  if (hermitian) {
    TSR_TRY(eigh_of(ctx, &m, &s, a, 'L', false));
    TSR_TRY(tsr_unary(ctx, &s, "abs", s));
  } else {
    TSR_TRY(svdvals(ctx, &s, a));
  }
  TSR_TRY(above(ctx, &out, s, t));
  TSR_TRY(tsr_reduce(ctx, &out, "sum", out, 1, &last, false, -1));
  return tsr_ret_tensor(c, 0, out);
}

static tsr_status need_matrix(tsr_ctx *ctx, const tsr_tensor *a) {
  return a->ndim < 2 ? tsr_op_fail(ctx, "%s: The input tensor input must have at least 2 dimensions.", rank_name) : TSR_OK;
}
TSR_KERNEL(matrix_rank) {
  tolerance t;
  TSR_TRY(need_matrix(c->ctx, tsr_arg_tensor(c, 0)));
  TSR_TRY(read_tolerances(c, &t, tsr_arg_tensor(c, 0), 1, rank_name));
  return matrix_rank(c, &t, tsr_arg_bool(c, 3));
}
TSR_KERNEL(matrix_rank_tol) { /* one absolute tolerance */
  tolerance t = {0};
  TSR_TRY(need_matrix(c->ctx, tsr_arg_tensor(c, 0)));
  TSR_TRY(read_tolerance(c, &t.atol, 1, rank_name, "atol"));
  TSR_TRY(tsr_new_scalar(c->ctx, &t.rtol, TSR_FLOAT64, tsr_scalar_float(0)));
  return matrix_rank(c, &t, tsr_arg_bool(c, 2));
}

static tsr_status check_pinv(tsr_ctx *ctx, const tsr_tensor *a) {
  tsr_dtype real = tsr_dtype_real_of((tsr_dtype)a->dtype);
  if (a->ndim >= 2 && (real == TSR_FLOAT32 || real == TSR_FLOAT64)) return TSR_OK;
  char sizes[256];
  tsr_sizes_print(sizes, sizeof sizes, a->ndim, a->size);
  return tsr_op_fail(ctx, "linalg.pinv(%s{%s}): expected a tensor with 2 or more dimensions of float, double, cfloat or cdouble types", tsr_dtype_get_info((tsr_dtype)a->dtype)->cpp_name, sizes);
}

/* V diag(1/s) U^H with small s dropped; for Hermitian input from its eigenvectors. */
static tsr_status pinv(tsr_call *c, const tolerance *t, bool hermitian) {
  tsr_ctx *ctx = c->ctx;
  tsr_tensor *a = tsr_arg_tensor(c, 0), *s, *sizes, *keep, *none, *u, *v, *out;
  tsr_dtype dtype = dtype_of(c, 0);
  svd d;
  if (a->numel == 0) {
    TSR_TRY(tsr_transpose(ctx, &out, a, -1, -2));
    TSR_TRY(tsr_clone(ctx, &out, out));
    return tsr_ret_tensor(c, 0, out);
  }
  if (hermitian) {
    TSR_TRY(eigh_of(ctx, &d.u, &s, a, 'L', true));
    TSR_TRY(tsr_unary(ctx, &sizes, "abs", s));
    d.vh = d.u;
  } else {
    TSR_TRY(svd_of(ctx, &d, a, false, true, "linalg.svd"));
    sizes = s = d.s;
  }
  TSR_TRY(above(ctx, &keep, sizes, t));
  tsr_dtype wide = d.u.z ? TSR_COMPLEX128 : TSR_FLOAT64;
  TSR_TRY(tsr_unary(ctx, &s, "reciprocal", s));
  TSR_TRY(tsr_new_scalar(ctx, &none, TSR_FLOAT64, tsr_scalar_float(0)));
  TSR_TRY(tsr_where(ctx, &s, keep, s, none));
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
  bool numbers = strstr(c->op->schema, "float? rtol") != NULL; /* whose default is computed before the matrix is looked at */
  tsr_tensor *a = tsr_arg_tensor(c, 0);
  TSR_TRY(tsr_out_castable(c, 0, dtype_of(c, 0), "linalg.pinv", "result"));
  if (!numbers || a->ndim < 2) TSR_TRY(check_pinv(c->ctx, a));
  TSR_TRY(read_tolerances(c, &t, a, 1, pinv_name));
  TSR_TRY(check_pinv(c->ctx, a));
  return pinv(c, &t, tsr_arg_bool(c, 3));
}
TSR_KERNEL(pinv_rcond) { /* one relative tolerance; pinverse has no third argument */
  tolerance t = {0};
  TSR_TRY(tsr_out_castable(c, 0, dtype_of(c, 0), "linalg.pinv", "result"));
  TSR_TRY(check_pinv(c->ctx, tsr_arg_tensor(c, 0)));
  TSR_TRY(tsr_new_scalar(c->ctx, &t.atol, TSR_FLOAT64, tsr_scalar_float(0)));
  TSR_TRY(read_tolerance(c, &t.rtol, 1, pinv_name, "rtol"));
  return pinv(c, &t, c->nargs > 2 && c->args[2].tag == TSR_V_BOOL && tsr_arg_bool(c, 2));
}

/* ---- least squares ---- */

static const char lstsq_name[] = "torch.linalg.lstsq";

static tsr_status check_lstsq(tsr_call *c, const tsr_tensor *a, const tsr_tensor *b, bool vector) {
  static const char *const names[] = {"solution", "solution", "rank", "singular_values"}; /* what PyTorch calls them */
  tsr_ctx *ctx = c->ctx;
  if (a->ndim < b->ndim || a->ndim > b->ndim + 1) return tsr_op_fail(ctx, "%s: input.dim() must be greater or equal to other.dim() and (input.dim() - other.dim()) <= 1", lstsq_name);
  if (a->size[a->ndim - 2] != b->size[b->ndim - (vector ? 1 : 2)]) return tsr_op_fail(ctx, "%s: input.size(-2) should match other.size(-%d)", lstsq_name, vector ? 1 : 2);
  for (uint32_t i = 0; i < 4; i++) TSR_TRY(tsr_out_castable(c, i, i == 0 ? (tsr_dtype)a->dtype : i == 2 ? TSR_INT64 : tsr_dtype_real_of((tsr_dtype)a->dtype), lstsq_name, names[i]));
  return TSR_OK;
}

TSR_KERNEL(lstsq) {
  tsr_ctx *ctx = c->ctx;
  tsr_tensor *a = tsr_arg_tensor(c, 0), *b = tsr_arg_tensor(c, 1), *out, *residuals, *rank, *s;
  const char *driver = tsr_arg_is_none(c, 3) ? "gelsy" : tsr_arg_str(c, 3)->bytes;
  tsr_dtype dtype = dtype_of(c, 0), real = tsr_dtype_real_of(dtype);
  if (a->ndim < 2) return tsr_op_fail(ctx, "%s: input must have at least 2 dimensions.", lstsq_name);
  if (b->ndim < 1) return tsr_op_fail(ctx, "%s: other must have at least 1 dimension.", lstsq_name);
  if (a->dtype != b->dtype) {
    return tsr_op_fail(ctx, "%s: Expected input and other to have the same dtype, but got input's dtype %s and other's dtype %s", lstsq_name, tsr_dtype_get_info((tsr_dtype)a->dtype)->cpp_name,
                       tsr_dtype_get_info((tsr_dtype)b->dtype)->cpp_name);
  }
  bool vector = b->ndim == 1 || (a->ndim - 1 == b->ndim && memcmp(a->size, b->size, b->ndim * sizeof *b->size) == 0);
  TSR_TRY(check_lstsq(c, a, b, vector));
  if (strcmp(driver, "gels") != 0 && strcmp(driver, "gelsy") != 0 && strcmp(driver, "gelsd") != 0 && strcmp(driver, "gelss") != 0) {
    return tsr_op_fail(ctx, "%s: parameter `driver` should be one of (gels, gelsy, gelsd, gelss)", lstsq_name);
  }
  if (vector) TSR_TRY(tsr_unsqueeze(ctx, &b, b, -1));
  if (tsr_arg_is_none(c, 2) && real != TSR_FLOAT32 && real != TSR_FLOAT64) return tsr_op_fail(ctx, "This function doesn't handle types other than float and double"); /* there is no default of rcond */
  tsr_tensor *own = a;
  tsr_mats m, rhs, x;
  int64_t batch[TSR_MAX_NDIM];
  int nb;
  TSR_TRY(tsr_broadcast_sizes(ctx, a->ndim - 2, a->size, a->ndim - 2, b->size, &nb, batch)); /* the leading ones of both, as PyTorch looks at them */
  TSR_TRY(tsr_mats_broadcast(ctx, &a, &b));
  TSR_TRY(tsr_mats_load(ctx, &m, a, lstsq_name));
  TSR_TRY(tsr_mats_load(ctx, &rhs, b, lstsq_name));
  bool singular = strcmp(driver, "gelsd") == 0 || strcmp(driver, "gelss") == 0, ranked = strcmp(driver, "gels") != 0;
  int k = TSR_MIN(m.m, m.n), rows = TSR_MAX(m.m, m.n);
  double rcond = tsr_arg_is_none(c, 2) ? epsilon(dtype) * (double)rows : tsr_arg_float(c, 2);
  TSR_TRY(tsr_mats_vector(ctx, &rank, own, TSR_INT64, -1)); /* one for each matrix that was given */
  TSR_TRY(tsr_mats_vector(ctx, &s, own, TSR_FLOAT64, k));
  TSR_TRY(tsr_mats_new(ctx, &x, rhs.t, m.z, rows, rhs.n));
  bool full_rank = true;
  for (int64_t i = 0; i < x.batch; i++) {
    int r = 0, info = 0;
    int64_t at = i % TSR_MAX(rank->numel, (int64_t)1);
    memset(tsr_mats_at(&x, i), 0, (size_t)x.m * (size_t)x.n * tsr_mats_item(&x));
    if (m.m > 0 && (ranked || m.n > 0)) copy_cols(&x, &rhs, i, rhs.n);
    if (m.batch == 0) continue;
    bool finite = all_finite(&m, i), solvable = finite && all_finite(&x, i);
    if (finite && !solvable) memset(tsr_mats_at(&x, i), 0, (size_t)x.m * (size_t)x.n * tsr_mats_item(&x)); /* the matrix still has its rank */
    if (!finite) info = -1; /* LAPACK complains, or does not end */
    else if (singular) info = tsr_lapack_gelsd(ctx, m.z, m.m, m.n, rhs.n, tsr_mats_at(&m, i), lead(m.m), tsr_mats_at(&x, i), lead(x.m), (double *)s->storage->data + at * k, rcond, &r);
    else if (ranked) info = tsr_lapack_gelsy(ctx, m.z, m.m, m.n, rhs.n, tsr_mats_at(&m, i), lead(m.m), tsr_mats_at(&x, i), lead(x.m), rcond, &r);
    else info = tsr_lapack_gels(ctx, m.z, m.m, m.n, rhs.n, tsr_mats_at(&m, i), lead(m.m), tsr_mats_at(&x, i), lead(x.m));
    if (!solvable && info != TSR_LAPACK_NOMEM) {
      fill_nan(x.t->storage->data, (int64_t)x.m * x.n * (m.z ? 2 : 1), i);
      if (!finite) fill_nan(s->storage->data, k, at);
      info = finite ? info : 0;
    }
    TSR_TRY(tsr_mats_info(ctx, a, i, info, lstsq_name, "The least squares solution could not be computed because the input matrix does not have full rank (error code: %d)."));
    ((int64_t *)rank->storage->data)[at] = r;
    full_rank &= r == m.n || !ranked;
  }
  TSR_TRY(tsr_mats_store(ctx, &out, &x, dtype));
  TSR_TRY(tsr_narrow(ctx, &out, out, -2, 0, m.n)); /* the rest of LAPACK's rows holds no solution */
  if (m.m > m.n && full_rank && strcmp(driver, "gelsy") != 0) { /* PyTorch gives no residuals with gelsy */
    int64_t dim = -2;
    TSR_TRY(tsr_mats_store(ctx, &residuals, &x, m.z ? TSR_COMPLEX128 : TSR_FLOAT64));
    TSR_TRY(tsr_narrow(ctx, &residuals, residuals, -2, m.n, m.m - m.n));
    TSR_TRY(tsr_unary(ctx, &residuals, "abs", residuals));
    TSR_TRY(tsr_binary(ctx, &residuals, "mul", residuals, residuals));
    TSR_TRY(tsr_reduce(ctx, &residuals, "sum", residuals, 1, &dim, false, -1));
    TSR_TRY(tsr_to_dtype(ctx, &residuals, residuals, real));
  } else {
    TSR_TRY(empty_tensor(ctx, &residuals, real));
  }
  if (vector) TSR_TRY(tsr_squeeze_dim(ctx, &out, out, -1));
  TSR_TRY(tsr_ret_tensor(c, 0, out));
  TSR_TRY(tsr_ret_tensor(c, 1, residuals));
  if (!ranked) TSR_TRY(empty_tensor(ctx, &rank, TSR_INT64));
  TSR_TRY(tsr_ret_tensor(c, 2, rank));
  if (singular) TSR_TRY(tsr_to_dtype(ctx, &s, s, real));
  else TSR_TRY(empty_tensor(ctx, &s, real));
  return tsr_ret_tensor(c, 3, s);
}

#define P TSR_PURE
#define O TSR_OUT
const tsr_op tsr_ops_linalg_spectral[] = {
    {"aten::linalg_qr(Tensor A, str mode=\"reduced\") -> (Tensor Q, Tensor R)", op_linalg_qr, P},
    {"aten::linalg_qr.out(Tensor A, str mode=\"reduced\", *, Tensor(a!) Q, Tensor(b!) R) -> (Tensor(a!) Q, Tensor(b!) R)", op_linalg_qr, TSR_OUT_SAME},
    {"aten::qr(Tensor self, bool some=True) -> (Tensor Q, Tensor R)", op_qr, P},
    {"aten::qr.Q(Tensor self, bool some=True, *, Tensor(a!) Q, Tensor(b!) R) -> (Tensor(a!) Q, Tensor(b!) R)", op_qr, TSR_OUT_SAME},
    {"aten::geqrf(Tensor self) -> (Tensor a, Tensor tau)", op_geqrf, P}, {"aten::geqrf.a(Tensor self, *, Tensor(a!) a, Tensor(b!) tau) -> (Tensor(a!) a, Tensor(b!) tau)", op_geqrf, TSR_OUT_LAPACK},
    {"aten::linalg_householder_product(Tensor input, Tensor tau) -> Tensor", op_householder_product, P},
    {"aten::linalg_householder_product.out(Tensor input, Tensor tau, *, Tensor(a!) out) -> Tensor(a!)", op_householder_product, TSR_OUT_LAPACK},
    {"aten::orgqr(Tensor self, Tensor input2) -> Tensor", op_householder_product, P}, {"aten::orgqr.out(Tensor self, Tensor input2, *, Tensor(a!) out) -> Tensor(a!)", op_householder_product, TSR_OUT_LAPACK},
    {"aten::ormqr(Tensor self, Tensor input2, Tensor input3, bool left=True, bool transpose=False) -> Tensor", op_ormqr, P},
    {"aten::ormqr.out(Tensor self, Tensor input2, Tensor input3, bool left=True, bool transpose=False, *, Tensor(a!) out) -> Tensor(a!)", op_ormqr, TSR_OUT_LAPACK},
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
    {"aten::linalg_eig.out(Tensor self, *, Tensor(a!) eigenvalues, Tensor(b!) eigenvectors) -> (Tensor(a!) eigenvalues, Tensor(b!) eigenvectors)", op_eig, TSR_OUT_LAPACK, "each"},
    {"aten::linalg_eigvals(Tensor self) -> Tensor", op_eigvals, P}, {"aten::linalg_eigvals.out(Tensor self, *, Tensor(a!) out) -> Tensor(a!)", op_eigvals, TSR_OUT_LAPACK},
    {"aten::_linalg_eigvals(Tensor self) -> Tensor", op_eigvals, P},
    /* overloads that fit the same call stand in PyTorch's order */
    {"aten::linalg_matrix_rank(Tensor self, float tol, bool hermitian=False) -> Tensor", op_matrix_rank_tol, P},
    {"aten::linalg_matrix_rank.tol_tensor(Tensor input, Tensor tol, bool hermitian=False) -> Tensor", op_matrix_rank_tol, P},
    {"aten::linalg_matrix_rank.atol_rtol_tensor(Tensor input, *, Tensor? atol=None, Tensor? rtol=None, bool hermitian=False) -> Tensor", op_matrix_rank, P},
    {"aten::linalg_matrix_rank.atol_rtol_float(Tensor self, *, float? atol=None, float? rtol=None, bool hermitian=False) -> Tensor", op_matrix_rank, P},
    {"aten::linalg_pinv(Tensor self, float rcond, bool hermitian=False) -> Tensor", op_pinv_rcond, P},
    {"aten::linalg_pinv.atol_rtol_float(Tensor self, *, float? atol=None, float? rtol=None, bool hermitian=False) -> Tensor", op_pinv, P},
    {"aten::linalg_pinv.atol_rtol_tensor(Tensor self, *, Tensor? atol=None, Tensor? rtol=None, bool hermitian=False) -> Tensor", op_pinv, P},
    {"aten::linalg_pinv.rcond_tensor(Tensor self, Tensor rcond, bool hermitian=False) -> Tensor", op_pinv_rcond, P},
    {"aten::pinverse(Tensor self, float rcond=1.0000000000000001e-15) -> Tensor", op_pinv_rcond, P},
    {"aten::linalg_lstsq(Tensor self, Tensor b, float? rcond=None, *, str? driver=None) -> (Tensor solution, Tensor residuals, Tensor rank, Tensor singular_values)", op_lstsq, P},
    {"aten::linalg_lstsq.out(Tensor self, Tensor b, float? rcond=None, *, str? driver=None, Tensor(a!) solution, Tensor(b!) residuals, Tensor(c!) rank, Tensor(d!) singular_values) -> (Tensor(a!) solution, Tensor(b!) residuals, Tensor(c!) rank, Tensor(d!) singular_values)", op_lstsq, TSR_OUT_LAPACK},
    {"aten::svd.U(Tensor self, bool some=True, bool compute_uv=True, *, Tensor(a!) U, Tensor(b!) S, Tensor(c!) V) -> (Tensor(a!) U, Tensor(b!) S, Tensor(c!) V)", op_svd, TSR_OUT_SAME},
    {0}};
