/* Matrices to and from LAPACK's layout; factorisations and solvers: Cholesky, LU, triangular, determinants, LDL. */
#include "ops/blas.h"
#include "ops/linalg.h"

#include <math.h>
#include <stdio.h>

/* What PyTorch says of element types that LAPACK does not have: its own check, or that of the kernel, which does not see matrices without elements. */
typedef struct dtype_rule {
  const char *name, *kernel;
  bool integers; /* are left to the kernel's check too */
  bool empty;    /* without elements there is nothing to refuse */
} dtype_rule;

static const dtype_rule dtype_rules[] = {
    {"linalg.det", "lu_cpu", false, true}, {"linalg.solve", "lu_cpu", false, true}, {"linalg.lu", "lu_cpu", true, true}, {"torch.lu_factor", "lu_cpu", true, true},
    {"torch.linalg.lu_solve", "linalg.lu_solve_cpu", false, true}, {"linalg.solve_triangular", "triangular_solve_cpu", true, false}, {"torch.triangular_solve", "triangular_solve_cpu", true, false},
    {"cholesky", "cholesky_cpu", true, true}, {"linalg.cholesky", "cholesky_cpu", false, true}, {"cholesky_solve", "cholesky_solve_cpu", true, false},
    {"cholesky_inverse", "cholesky_inverse_out_cpu", true, false}, {"linalg.qr", "geqrf_cpu", false, false}, {"torch.geqrf", "geqrf_cpu", true, false},
    {"torch.linalg.householder_product", "orgqr_cpu", true, false}, {"torch.ormqr", "ormqr_cpu", true, false}, {"linalg.svd", "linalg_svd_cpu", false, true},
    {"linalg.eig", "linalg_eig_out_cpu", false, false}, {"linalg.eigvals", "linalg_eig_out_cpu", false, false}, {"linalg.eigh", "linalg_eigh_cpu", true, true},
    {"torch.linalg.ldl_factor_ex", "ldl_factor_kernel_cpu", false, true}, {"torch.linalg.ldl_solve", "ldl_solve_kernel_cpu", false, true}};

tsr_status tsr_mats_check_dtype(tsr_ctx *ctx, const tsr_tensor *t, const char *name) {
  tsr_dtype d = (tsr_dtype)t->dtype;
  if (d == TSR_FLOAT32 || d == TSR_FLOAT64 || d == TSR_COMPLEX64 || d == TSR_COMPLEX128) return TSR_OK;
  const dtype_rule *rule = NULL;
  const char *type = tsr_dtype_get_info(d)->cpp_name;
  for (size_t i = 0; i < TSR_COUNT(dtype_rules); i++) {
    if (strcmp(dtype_rules[i].name, name) == 0) rule = &dtype_rules[i];
  }
  bool integral = tsr_dtype_is_integral(d, true);
  if (integral && (rule == NULL || !rule->integers)) return tsr_op_fail(ctx, "%s: Expected a floating point or complex tensor as input. Got %s", name, type);
  if (rule == NULL) return tsr_op_fail(ctx, "%s: Low precision dtypes not supported. Got %s", name, type);
  return rule->empty && t->numel == 0 ? TSR_OK : tsr_op_fail(ctx, "\"%s\" not implemented for '%s'", rule->kernel, type);
}

tsr_status tsr_mats_load(tsr_ctx *ctx, tsr_mats *out, tsr_tensor *t, const char *name) {
  if (t->ndim < 2) return tsr_op_fail(ctx, "%s: The input tensor A must have at least 2 dimensions.", name);
  if (!tsr_blas_available()) return tsr_fail(&ctx->err, TSR_EUNSUPPORTED, "%s needs OpenBLAS: install libopenblas0 (libopenblas.so.0 could not be loaded)", name);
  TSR_TRY(tsr_mats_check_dtype(ctx, t, name));
  return tsr_mats_copy(ctx, out, t, name);
}

tsr_status tsr_mats_copy(tsr_ctx *ctx, tsr_mats *out, tsr_tensor *t, const char *name) {
  if (t->size[t->ndim - 2] > INT32_MAX / 2 || t->size[t->ndim - 1] > INT32_MAX / 2) return tsr_op_fail(ctx, "%s: matrix too large", name);
  out->z = tsr_dtype_is_complex((tsr_dtype)t->dtype);
  out->m = (int)t->size[t->ndim - 2];
  out->n = (int)t->size[t->ndim - 1];
  tsr_tensor *turned;
  TSR_TRY(tsr_transpose(ctx, &turned, t, -1, -2));
  TSR_TRY(tsr_new(ctx, &out->t, out->z ? TSR_COMPLEX128 : TSR_FLOAT64, turned->ndim, turned->size));
  out->batch = out->t->numel == 0 ? 0 : out->t->numel / ((int64_t)out->m * out->n);
  return tsr_copy_into(ctx, out->t, turned);
}

tsr_status tsr_mats_load_square(tsr_ctx *ctx, tsr_mats *out, tsr_tensor *t, const char *name) {
  if (t->ndim >= 2 && t->size[t->ndim - 1] != t->size[t->ndim - 2]) {
    return tsr_op_fail(ctx, "%s: A must be batches of square matrices, but they are %lld by %lld matrices", name,
                       (long long)t->size[t->ndim - 2], (long long)t->size[t->ndim - 1]);
  }
  return tsr_mats_load(ctx, out, t, name);
}

tsr_status tsr_mats_new(tsr_ctx *ctx, tsr_mats *out, const tsr_tensor *like, bool z, int64_t m, int64_t n) {
  int64_t size[TSR_MAX_NDIM];
  memcpy(size, like->size, like->ndim * sizeof *size);
  size[like->ndim - 2] = n;
  size[like->ndim - 1] = m;
  out->z = z;
  out->m = (int)m;
  out->n = (int)n;
  TSR_TRY(tsr_new(ctx, &out->t, z ? TSR_COMPLEX128 : TSR_FLOAT64, like->ndim, size));
  out->batch = out->t->numel == 0 ? 0 : out->t->numel / (m * n);
  return TSR_OK;
}

tsr_status tsr_mats_store(tsr_ctx *ctx, tsr_tensor **out, const tsr_mats *a, tsr_dtype dtype) {
  TSR_TRY(tsr_to_dtype(ctx, out, a->t, dtype));
  return tsr_transpose(ctx, out, *out, -1, -2);
}

tsr_status tsr_mats_vector(tsr_ctx *ctx, tsr_tensor **out, const tsr_tensor *like, tsr_dtype dtype, int64_t extra) {
  int64_t size[TSR_MAX_NDIM];
  int ndim = like->ndim - 2;
  memcpy(size, like->size, (size_t)ndim * sizeof *size);
  if (extra >= 0) size[ndim++] = extra;
  TSR_TRY(tsr_new(ctx, out, dtype, ndim, size));
  if ((*out)->numel > 0) memset((*out)->storage->data, 0, (*out)->storage->nbytes);
  return TSR_OK;
}

static tsr_status expand_batch(tsr_ctx *ctx, tsr_tensor **t, int n, const int64_t *batch) {
  int64_t size[TSR_MAX_NDIM];
  memcpy(size, batch, (size_t)n * sizeof *size);
  size[n] = (*t)->size[(*t)->ndim - 2];
  size[n + 1] = (*t)->size[(*t)->ndim - 1];
  return tsr_expand(ctx, t, *t, n + 2, size);
}

tsr_status tsr_mats_broadcast(tsr_ctx *ctx, tsr_tensor **a, tsr_tensor **b) {
  int64_t batch[TSR_MAX_NDIM];
  int n;
  if ((*a)->ndim < 2 || (*b)->ndim < 2) return tsr_op_fail(ctx, "linalg: The input tensors must have at least 2 dimensions.");
  TSR_TRY(tsr_broadcast_sizes(ctx, (*a)->ndim - 2, (*a)->size, (*b)->ndim - 2, (*b)->size, &n, batch));
  TSR_TRY(expand_batch(ctx, a, n, batch));
  return expand_batch(ctx, b, n, batch);
}

tsr_status tsr_mats_info(tsr_ctx *ctx, const tsr_tensor *like, int64_t i, int info, const char *name, const char *format) {
  char text[256], where[64] = "";
  if (info == 0) return TSR_OK;
  if (info == TSR_LAPACK_NOMEM) return ctx->err.status;
  if (info < 0) return tsr_fail(&ctx->err, TSR_EINTERNAL, "%s: LAPACK refused argument %d", name, -info);
  if (like->ndim > 2) snprintf(where, sizeof where, "(Batch element %lld): ", (long long)i);
  snprintf(text, sizeof text, format, info);
  return tsr_op_fail(ctx, "%s: %s%s", name, where, text);
}

void tsr_mats_keep_triangle(const tsr_mats *a, bool upper) {
  size_t item = tsr_mats_item(a);
  for (int64_t b = 0; b < a->batch; b++) {
    char *p = tsr_mats_at(a, b);
    for (int j = 0; j < a->n; j++, p += (size_t)a->m * item) {
      int from = upper ? j + 1 : 0, to = upper ? a->m : TSR_MIN(j, a->m);
      if (from < to) memset(p + (size_t)from * item, 0, (size_t)(to - from) * item);
    }
  }
}

static tsr_dtype dtype_of(const tsr_call *c, uint32_t i) { return (tsr_dtype)tsr_arg_tensor(c, i)->dtype; }
static int lead(int n) { return TSR_MAX(n, 1); }

/* ---- Cholesky ---- */

static const char not_positive[] =
    "The factorization could not be completed because the input is not positive-definite (the leading minor of order %d is not positive-definite).";

static tsr_status cholesky(tsr_call *c, const char *name, bool upper, bool check) {
  tsr_tensor *a = tsr_arg_tensor(c, 0), *info, *out;
  tsr_mats m;
  TSR_TRY(tsr_mats_load_square(c->ctx, &m, a, name));
  TSR_TRY(tsr_mats_vector(c->ctx, &info, a, TSR_INT32, -1));
  for (int64_t i = 0; i < m.batch; i++) {
    int *code = (int *)info->storage->data + i;
    *code = tsr_lapack_potrf(m.z, upper ? 'U' : 'L', m.n, tsr_mats_at(&m, i), lead(m.m));
    if (check || *code < 0) TSR_TRY(tsr_mats_info(c->ctx, a, i, *code, name, not_positive));
  }
  tsr_mats_keep_triangle(&m, upper);
  TSR_TRY(tsr_mats_store(c->ctx, &out, &m, dtype_of(c, 0)));
  TSR_TRY(tsr_ret_tensor(c, 0, out));
  return c->nrets > 1 ? tsr_ret_tensor(c, 1, info) : TSR_OK;
}
TSR_KERNEL(linalg_cholesky) { return cholesky(c, "linalg.cholesky", tsr_arg_bool(c, 1), true); }
TSR_KERNEL(cholesky) { /* the old operator looks at nothing when there is nothing */
  tsr_tensor *a = tsr_arg_tensor(c, 0), *out;
  if (a->numel == 0) {
    TSR_TRY(tsr_new(c->ctx, &out, dtype_of(c, 0), a->ndim, a->size));
    return tsr_ret_tensor(c, 0, out);
  }
  return cholesky(c, "cholesky", tsr_arg_bool(c, 1), true); }
TSR_KERNEL(cholesky_ex) { return cholesky(c, "linalg.cholesky", tsr_arg_bool(c, 1), tsr_arg_bool(c, 2)); }

TSR_KERNEL(cholesky_solve) {
  tsr_tensor *b = tsr_arg_tensor(c, 0), *a = tsr_arg_tensor(c, 1), *out;
  char uplo = tsr_arg_bool(c, 2) ? 'U' : 'L';
  tsr_mats ma, mb;
  TSR_TRY(tsr_mats_broadcast(c->ctx, &a, &b));
  TSR_TRY(tsr_mats_load_square(c->ctx, &ma, a, "cholesky_solve"));
  TSR_TRY(tsr_mats_load(c->ctx, &mb, b, "cholesky_solve"));
  if (mb.m != ma.n) return tsr_op_fail(c->ctx, "Incompatible matrix sizes for cholesky_solve: each A matrix is %d by %d but each b matrix is %d by %d", ma.m, ma.n, mb.m, mb.n);
  for (int64_t i = 0; i < mb.batch; i++) {
    TSR_TRY(tsr_mats_info(c->ctx, a, i, tsr_lapack_potrs(ma.z, uplo, ma.n, mb.n, tsr_mats_at(&ma, i), lead(ma.m), tsr_mats_at(&mb, i), lead(mb.m)), "cholesky_solve", "info %d"));
  }
  TSR_TRY(tsr_mats_store(c->ctx, &out, &mb, dtype_of(c, 0)));
  return tsr_ret_tensor(c, 0, out);
}

/* potri fills one triangle: mirror it */
static void mirror(const tsr_mats *a, bool from_upper) {
  for (int64_t b = 0; b < a->batch; b++) {
    double *p = tsr_mats_at(a, b);
    for (int j = 0; j < a->n; j++) {
      for (int i = 0; i < j; i++) {
        size_t up = (size_t)j * a->m + i, low = (size_t)i * a->m + j, to = from_upper ? low : up, from = from_upper ? up : low;
        if (!a->z) p[to] = p[from];
        else p[2 * to] = p[2 * from], p[2 * to + 1] = -p[2 * from + 1];
      }
    }
  }
}

TSR_KERNEL(cholesky_inverse) {
  tsr_tensor *a = tsr_arg_tensor(c, 0), *out;
  bool upper = tsr_arg_bool(c, 1);
  tsr_mats m;
  TSR_TRY(tsr_mats_load_square(c->ctx, &m, a, "cholesky_inverse"));
  for (int64_t i = 0; i < m.batch; i++) {
    int info = tsr_lapack_potri(m.z, upper ? 'U' : 'L', m.n, tsr_mats_at(&m, i), lead(m.m));
    TSR_TRY(tsr_mats_info(c->ctx, a, i, info, "cholesky_inverse", "The diagonal element %d is zero, the inversion could not be completed because the input matrix is singular."));
  }
  mirror(&m, upper);
  TSR_TRY(tsr_mats_store(c->ctx, &out, &m, dtype_of(c, 0)));
  return tsr_ret_tensor(c, 0, out);
}

/* ---- LU ---- */

typedef struct lu { tsr_mats m; tsr_tensor *pivots, *info; } lu;

static tsr_status factor(tsr_ctx *ctx, lu *out, tsr_tensor *a, const char *name, bool pivot) {
  if (a->ndim < 2 && strstr(name, "lu") != NULL) { /* these two words are theirs alone */
    char sizes[64];
    tsr_sizes_print(sizes, sizeof sizes, a->ndim, a->size);
    return tsr_op_fail(ctx, "%s: Expected tensor with 2 or more dimensions. Got size: %s instead", name, sizes);
  }
  TSR_TRY(tsr_mats_load(ctx, &out->m, a, name));
  if (!pivot && a->numel > 0) return tsr_op_fail(ctx, "linalg.lu_factor: LU without pivoting is not implemented on the CPU");
  int k = TSR_MIN(out->m.m, out->m.n);
  TSR_TRY(tsr_mats_vector(ctx, &out->pivots, a, TSR_INT32, k));
  TSR_TRY(tsr_mats_vector(ctx, &out->info, a, TSR_INT32, -1));
  int *pivots = out->pivots->storage->data, *info = out->info->storage->data;
  for (int64_t i = 0; i < out->m.batch; i++, pivots += k) {
    void *p = tsr_mats_at(&out->m, i);
    info[i] = tsr_lapack_getrf(out->m.z, out->m.m, out->m.n, p, lead(out->m.m), pivots);
    if (info[i] < 0) return tsr_mats_info(ctx, a, i, info[i], name, "%d");
  }
  return TSR_OK;
}

static tsr_status check_infos(tsr_ctx *ctx, const tsr_tensor *like, const tsr_tensor *info, const char *name, const char *format) {
  for (int64_t i = 0; i < info->numel; i++) TSR_TRY(tsr_mats_info(ctx, like, i, ((const int *)tsr_tensor_data_ro(info))[i], name, format));
  return TSR_OK;
}

static tsr_status lu_factor(tsr_call *c, const char *name, bool pivot, bool check) {
  lu f;
  tsr_tensor *out;
  TSR_TRY(factor(c->ctx, &f, tsr_arg_tensor(c, 0), name, pivot));
  for (int64_t i = 0; check && i < f.info->numel; i++) {
    int info = ((const int *)f.info->storage->data)[i];
    if (info > 0) return tsr_op_fail(c->ctx, "torch.linalg.lu_factor: U[%d,%d] is zero and using it on lu_solve would result in a division by zero. If you still want to perform the factorization, consider calling linalg.lu(A, pivot) or linalg.lu_factor_ex(A, pivot)", info, info);
  }
  TSR_TRY(tsr_mats_store(c->ctx, &out, &f.m, dtype_of(c, 0)));
  TSR_TRY(tsr_ret_tensor(c, 0, out));
  TSR_TRY(tsr_ret_tensor(c, 1, f.pivots));
  return c->nrets > 2 ? tsr_ret_tensor(c, 2, f.info) : TSR_OK;
}
TSR_KERNEL(lu_factor) { return lu_factor(c, "torch.lu_factor", tsr_arg_bool(c, 1), true); }
TSR_KERNEL(lu_factor_ex) { return lu_factor(c, "torch.lu_factor", tsr_arg_bool(c, 1), tsr_arg_bool(c, 2)); }

/* P (m x m), L (m x k), U (k x n) of a packed factorisation; only those asked for */
static tsr_status unpack_lu(tsr_call *c, const tsr_mats *m, const tsr_tensor *pivots, tsr_dtype dtype, bool data, bool perm) {
  int k = TSR_MIN(m->m, m->n);
  size_t item = tsr_mats_item(m);
  tsr_mats p, l, u;
  tsr_tensor *out[3];
  TSR_TRY(tsr_mats_new(c->ctx, &p, m->t, false, m->m, m->m));
  TSR_TRY(tsr_mats_new(c->ctx, &l, m->t, m->z, m->m, k));
  TSR_TRY(tsr_mats_new(c->ctx, &u, m->t, m->z, k, m->n));
  int *order = tsr_scratch(c->ctx, ((size_t)m->m + 1) * sizeof *order);
  if (order == NULL) return c->ctx->err.status;
  const int *piv = tsr_tensor_data_ro(pivots);
  for (int64_t b = 0; b < m->batch; b++, piv += k) {
    const char *src = tsr_mats_at(m, b);
    memset(tsr_mats_at(&p, b), 0, (size_t)m->m * (size_t)m->m * 8);
    for (int i = 0; i < m->m; i++) order[i] = i;
    for (int i = 0; i < k; i++) {
      if (piv[i] < 1 || piv[i] > m->m) return tsr_op_fail(c->ctx, "pivots passed to lu_unpack must be between 1 and LU.size(-2) inclusive.Did you properly pass the result of lu_factor?");
      int t = order[i];
      order[i] = order[piv[i] - 1];
      order[piv[i] - 1] = t;
    }
    for (int i = 0; i < m->m; i++) ((double *)tsr_mats_at(&p, b))[(size_t)i * m->m + order[i]] = 1;
    for (int j = 0; j < k; j++) memcpy((char *)tsr_mats_at(&l, b) + (size_t)j * m->m * item, src + (size_t)j * m->m * item, (size_t)m->m * item);
    for (int j = 0; j < m->n; j++) memcpy((char *)tsr_mats_at(&u, b) + (size_t)j * k * item, src + (size_t)j * m->m * item, (size_t)k * item);
    for (int j = 0; j < k; j++) {
      double *d = (double *)tsr_mats_at(&l, b) + ((size_t)j * m->m + j) * (item / 8);
      d[0] = 1;
      if (m->z) d[1] = 0;
    }
  }
  tsr_mats_keep_triangle(&u, true);
  for (int64_t b = 0; b < l.batch; b++) { /* strictly above the diagonal of L: zeros */
    for (int j = 1; j < k; j++) memset((char *)tsr_mats_at(&l, b) + (size_t)j * m->m * item, 0, (size_t)TSR_MIN(j, m->m) * item);
  }
  TSR_TRY(tsr_mats_store(c->ctx, &out[0], &p, dtype));
  TSR_TRY(tsr_mats_store(c->ctx, &out[1], &l, dtype));
  TSR_TRY(tsr_mats_store(c->ctx, &out[2], &u, dtype));
  int64_t none = 0;
  for (uint32_t i = 0; i < 3; i++) {
    if (i == 0 ? !perm : !data) TSR_TRY(tsr_new(c->ctx, &out[i], dtype, 1, &none));
    else TSR_TRY(tsr_contiguous(c->ctx, &out[i], out[i]));
    TSR_TRY(tsr_ret_tensor(c, i, out[i]));
  }
  return TSR_OK;
}

TSR_KERNEL(linalg_lu) {
  lu f;
  bool pivot = tsr_arg_bool(c, 1);
  TSR_TRY(factor(c->ctx, &f, tsr_arg_tensor(c, 0), "linalg.lu", pivot));
  return unpack_lu(c, &f.m, f.pivots, dtype_of(c, 0), true, pivot);
}

TSR_KERNEL(lu_unpack) {
  tsr_mats m;
  tsr_tensor *pivots;
  tsr_tensor *a = tsr_arg_tensor(c, 0);
  if (a->ndim < 2) {
    char sizes[64];
    tsr_sizes_print(sizes, sizeof sizes, a->ndim, a->size);
    return tsr_op_fail(c->ctx, "torch.lu_unpack: Expected tensor with 2 or more dimensions. Got size: %s instead", sizes);
  }
  TSR_TRY(tsr_mats_copy(c->ctx, &m, a, "lu_unpack"));
  TSR_TRY(tsr_ready(c->ctx, &pivots, tsr_arg_tensor(c, 1), TSR_INT32));
  if (pivots->numel != m.batch * TSR_MIN(m.m, m.n)) return tsr_op_fail(c->ctx, "lu_unpack: LU_pivots and LU_data do not belong together");
  return unpack_lu(c, &m, pivots, dtype_of(c, 0), tsr_arg_bool(c, 2), tsr_arg_bool(c, 3));
}

/* X of op(A) X = B (left) or X op(A) = B, given A's factors; b is [..., n, k] */
static tsr_status solve_factored(tsr_ctx *ctx, tsr_tensor **out, const tsr_mats *f, const int *pivots, tsr_tensor *b, bool left, bool adjoint, tsr_dtype dtype) {
  tsr_mats mb;
  if (!left) TSR_TRY(tsr_transpose(ctx, &b, b, -1, -2));
  TSR_TRY(tsr_mats_copy(ctx, &mb, b, "linalg.solve"));
  if (mb.m != f->n) return tsr_op_fail(ctx, "linalg.solve: Incompatible shapes of A and B for the equation %s (%dx%d and %dx%d)", left ? "AX = B" : "XA = B", f->m, f->n, left ? mb.m : mb.n, left ? mb.n : mb.m);
  /* X A = B is transposed: A^T X^T = B^T; with the adjoint, conj(A) X^T = B^T: conjugate around it */
  char trans = left ? (adjoint ? 'C' : 'N') : (adjoint ? 'N' : 'T');
  bool conj = !left && adjoint && mb.z;
  for (int64_t i = 0; i < mb.batch; i++) {
    double *p = tsr_mats_at(&mb, i);
    size_t count = (size_t)mb.m * (size_t)mb.n;
    for (size_t k = 0; conj && k < count; k++) p[2 * k + 1] = -p[2 * k + 1];
    tsr_lapack_getrs(f->z, trans, f->n, mb.n, tsr_mats_at(f, i), lead(f->m), pivots + i * f->n, p, lead(mb.m));
    for (size_t k = 0; conj && k < count; k++) p[2 * k + 1] = -p[2 * k + 1];
  }
  TSR_TRY(tsr_mats_store(ctx, out, &mb, dtype));
  return left ? TSR_OK : tsr_transpose(ctx, out, *out, -1, -2);
}

/* PyTorch's rule for a right side that is a batch of vectors */
static bool is_vector_rhs(const tsr_tensor *a, const tsr_tensor *b) {
  if (b->ndim == 1) return true;
  return a->ndim - 1 == b->ndim && memcmp(a->size, b->size, b->ndim * sizeof *b->size) == 0;
}

static tsr_status solve(tsr_call *c, const char *name, bool check, bool with_lu) {
  tsr_ctx *ctx = c->ctx;
  tsr_tensor *a = tsr_arg_tensor(c, 0), *b = tsr_arg_tensor(c, 1), *out;
  bool left = tsr_arg_bool(c, 2);
  lu f;
  if (tsr_dtype_is_integral((tsr_dtype)a->dtype, true)) TSR_TRY(tsr_mats_check_dtype(ctx, a, name));
  if (a->ndim < 2) return tsr_op_fail(ctx, "%s: The input tensor A must have at least 2 dimensions.", name);
  if (a->size[a->ndim - 1] != a->size[a->ndim - 2]) return tsr_op_fail(ctx, "%s: A must be batches of square matrices, but they are %lld by %lld matrices", name, (long long)a->size[a->ndim - 2], (long long)a->size[a->ndim - 1]);
  bool vector = is_vector_rhs(a, b);
  if (vector && !left) return tsr_op_fail(ctx, "linalg.solve: Vector broadcasting of the left hand side is not supported for left=False. In this case linalg.solve is equivalent to B / A.squeeze(-1)");
  if (vector) TSR_TRY(tsr_unsqueeze(ctx, &b, b, -1));
  TSR_TRY(tsr_mats_broadcast(ctx, &a, &b));
  TSR_TRY(factor(ctx, &f, a, name, true));
  if (check) TSR_TRY(check_infos(ctx, a, f.info, name, "The solver failed because the input matrix is singular."));
  TSR_TRY(solve_factored(ctx, &out, &f.m, f.pivots->storage->data, b, left, false, dtype_of(c, 0)));
  if (vector) TSR_TRY(tsr_squeeze_dim(ctx, &out, out, -1));
  TSR_TRY(tsr_ret_tensor(c, 0, out));
  if (with_lu) {
    TSR_TRY(tsr_mats_store(ctx, &out, &f.m, dtype_of(c, 0)));
    TSR_TRY(tsr_ret_tensor(c, 1, out));
    TSR_TRY(tsr_ret_tensor(c, 2, f.pivots));
    return tsr_ret_tensor(c, 3, f.info);
  }
  return c->nrets > 1 ? tsr_ret_tensor(c, 1, f.info) : TSR_OK;
}
TSR_KERNEL(linalg_solve) { return solve(c, "linalg.solve", true, false); }
TSR_KERNEL(solve_ex) { return solve(c, "linalg.solve", tsr_arg_bool(c, 3), false); }
TSR_KERNEL(_solve_ex) { return solve(c, "linalg.solve", tsr_arg_bool(c, 3), true); }

static tsr_status lu_solve(tsr_call *c, tsr_tensor *a, tsr_tensor *piv, tsr_tensor *b, bool left, bool adjoint) {
  tsr_mats m;
  tsr_tensor *out;
  int64_t size[TSR_MAX_NDIM];
  if (tsr_dtype_is_integral((tsr_dtype)a->dtype, true)) TSR_TRY(tsr_mats_check_dtype(c->ctx, a, "torch.linalg.lu_solve"));
  if (a->dtype != b->dtype) {
    return tsr_op_fail(c->ctx, "linalg.lu_solve: Expected LU and B to have the same dtype, but found LU of type %s and B of type %s instead", tsr_dtype_get_info((tsr_dtype)a->dtype)->cpp_name,
                       tsr_dtype_get_info((tsr_dtype)b->dtype)->cpp_name);
  }
  if (piv->dtype != TSR_INT32) return tsr_op_fail(c->ctx, "linalg.lu_solve: pivots should be a Tensor of scalar type torch.int32");
  if (a->ndim < 2) return tsr_op_fail(c->ctx, "torch.linalg.lu_solve: The input tensor A must have at least 2 dimensions.");
  if (a->size[a->ndim - 1] != a->size[a->ndim - 2]) return tsr_mats_load_square(c->ctx, &m, a, "torch.linalg.lu_solve");
  if (b->ndim < 2) return tsr_op_fail(c->ctx, "torch.linalg.lu_solve: The input tensor B must have at least 2 dimensions.");
  if (b->size[b->ndim - (left ? 2 : 1)] != a->size[a->ndim - 1]) {
    return tsr_op_fail(c->ctx, "linalg.lu_solve: Incompatible shapes of A and B for the equation %s (%lldx%lld and %lldx%lld)", left ? "AX = B" : "XA = B", (long long)a->size[a->ndim - 2],
                       (long long)a->size[a->ndim - 1], (long long)b->size[b->ndim - 2], (long long)b->size[b->ndim - 1]);
  }
  if (piv->ndim < 1 || piv->size[piv->ndim - 1] != a->size[a->ndim - 1]) return tsr_op_fail(c->ctx, "linalg.lu_solve: Number of pivots per batch should be same as the dimension of the matrix");
  if (piv->ndim != a->ndim - 1 || memcmp(piv->size, a->size, piv->ndim * sizeof *a->size) != 0) {
    char sizes[256];
    tsr_sizes_print(sizes, sizeof sizes, piv->ndim, piv->size);
    return tsr_op_fail(c->ctx, "linalg.lu_solve: Expected LU.shape[:-1] and pivots.shape to be the same, but got pivots with shape %s instead", sizes);
  }
  TSR_TRY(tsr_mats_broadcast(c->ctx, &a, &b));
  TSR_TRY(tsr_mats_load_square(c->ctx, &m, a, "torch.linalg.lu_solve"));
  memcpy(size, a->size, (size_t)(a->ndim - 1) * sizeof *size);
  TSR_TRY(tsr_expand(c->ctx, &piv, piv, a->ndim - 1, size));
  TSR_TRY(tsr_ready(c->ctx, &piv, piv, TSR_INT32));
  const int *p = tsr_tensor_data_ro(piv);
  for (int64_t i = 0; i < piv->numel; i++) {
    if (p[i] < 1 || p[i] > m.n) return tsr_op_fail(c->ctx, "Pivots given to lu_solve must all be greater or equal to 1. Did you properly pass the result of lu_factor?");
  }
  TSR_TRY(solve_factored(c->ctx, &out, &m, p, b, left, adjoint, (tsr_dtype)b->dtype));
  return tsr_ret_tensor(c, 0, out);
}
TSR_KERNEL(linalg_lu_solve) { return lu_solve(c, tsr_arg_tensor(c, 0), tsr_arg_tensor(c, 1), tsr_arg_tensor(c, 2), tsr_arg_bool(c, 3), tsr_arg_bool(c, 4)); }
TSR_KERNEL(lu_solve) { return lu_solve(c, tsr_arg_tensor(c, 1), tsr_arg_tensor(c, 2), tsr_arg_tensor(c, 0), true, false); }

static const char not_invertible[] = "The diagonal element %d is zero, the inversion could not be completed because the input matrix is singular.";

static tsr_status inverse(tsr_call *c, const char *name, bool check) {
  tsr_tensor *a = tsr_arg_tensor(c, 0), *out;
  lu f;
  tsr_mats eye;
  if (a->ndim >= 2 && a->size[a->ndim - 1] != a->size[a->ndim - 2]) return tsr_mats_load_square(c->ctx, &eye, a, name);
  TSR_TRY(factor(c->ctx, &f, a, name, true));
  if (check) TSR_TRY(check_infos(c->ctx, a, f.info, name, not_invertible));
  TSR_TRY(tsr_mats_new(c->ctx, &eye, f.m.t, f.m.z, f.m.n, f.m.n));
  if (eye.t->numel > 0) memset(eye.t->storage->data, 0, eye.t->storage->nbytes);
  for (int64_t i = 0; i < eye.batch; i++) {
    for (int k = 0; k < eye.n; k++) ((double *)tsr_mats_at(&eye, i))[((size_t)k * eye.n + k) * (eye.z ? 2 : 1)] = 1;
    tsr_lapack_getrs(eye.z, 'N', eye.n, eye.n, tsr_mats_at(&f.m, i), lead(eye.n), (int *)f.pivots->storage->data + i * eye.n, tsr_mats_at(&eye, i), lead(eye.n));
  }
  TSR_TRY(tsr_mats_store(c->ctx, &out, &eye, dtype_of(c, 0)));
  TSR_TRY(tsr_ret_tensor(c, 0, out));
  return c->nrets > 1 ? tsr_ret_tensor(c, 1, f.info) : TSR_OK;
}
TSR_KERNEL(linalg_inv) { return inverse(c, "linalg.inv", true); }
TSR_KERNEL(inv_ex) { return inverse(c, "linalg.inv", tsr_arg_bool(c, 1)); }

/* ---- determinants: the product of U's diagonal, with the sign of the permutation ---- */

typedef struct det { tsr_c128 sign; double log_abs; tsr_c128 value; } det;

static det determinant(const lu *f, int64_t b) {
  det d = {{1, 0}, 0, {1, 0}};
  const double *p = tsr_mats_at(&f->m, b);
  const int *piv = (const int *)f->pivots->storage->data + b * f->m.n;
  for (int k = 0; k < f->m.n; k++) {
    size_t at = ((size_t)k * f->m.m + k) * (f->m.z ? 2 : 1);
    tsr_c128 u = {p[at], f->m.z ? p[at + 1] : 0};
    if (piv[k] != k + 1) u = (tsr_c128){-u.re, -u.im};
    double abs = hypot(u.re, u.im);
    tsr_c128 unit = !f->m.z ? (tsr_c128){isnan(u.re) || u.re == 0 ? 0 : u.re < 0 ? -1 : 1, 0} : abs == 0 ? (tsr_c128){0, 0} : (tsr_c128){u.re / abs, u.im / abs};
    d.value = (tsr_c128){d.value.re * u.re - d.value.im * u.im, d.value.re * u.im + d.value.im * u.re};
    d.sign = (tsr_c128){d.sign.re * unit.re - d.sign.im * unit.im, d.sign.re * unit.im + d.sign.im * unit.re};
    d.log_abs += log(abs);
  }
  return d;
}

typedef enum det_kind { DET, SLOGDET, LOGDET } det_kind;

static tsr_status determinants(tsr_call *c, det_kind kind, const char *name) {
  tsr_tensor *a = tsr_arg_tensor(c, 0), *out[2];
  tsr_dtype dtype = dtype_of(c, 0), real = tsr_dtype_real_of(dtype);
  lu f;
  tsr_mats square;
  TSR_TRY(tsr_mats_load_square(c->ctx, &square, a, name));
  /* PyTorch factors the transpose of C-ordered real matrices: seen where the factors are results too */
  if (c->nrets > (kind == SLOGDET ? 2 : 1) && tsr_tensor_is_contiguous(a) && !tsr_dtype_is_complex(dtype)) TSR_TRY(tsr_transpose(c->ctx, &a, a, -1, -2));
  TSR_TRY(factor(c->ctx, &f, a, name, true));
  TSR_TRY(tsr_mats_vector(c->ctx, &out[0], a, TSR_COMPLEX128, -1));
  TSR_TRY(tsr_mats_vector(c->ctx, &out[1], a, TSR_FLOAT64, -1));
  for (int64_t i = 0; i < out[0]->numel; i++) { /* matrices of no elements have determinant 1 */
    det d = f.m.batch > 0 ? determinant(&f, i) : (det){{1, 0}, 0, {1, 0}};
    if (kind == LOGDET) {
      d.value = f.m.z ? (tsr_c128){d.log_abs, atan2(d.sign.im, d.sign.re)} : (tsr_c128){d.sign.re < 0 ? NAN : d.log_abs, 0};
    }
    ((tsr_c128 *)out[0]->storage->data)[i] = kind == SLOGDET ? d.sign : d.value;
    ((double *)out[1]->storage->data)[i] = d.log_abs;
  }
  TSR_TRY(tsr_to_dtype(c->ctx, &out[0], out[0], dtype));
  TSR_TRY(tsr_to_dtype(c->ctx, &out[1], out[1], real));
  uint32_t r = 0;
  TSR_TRY(tsr_ret_tensor(c, r++, out[0]));
  if (kind == SLOGDET) TSR_TRY(tsr_ret_tensor(c, r++, out[1]));
  if (c->nrets <= r) return TSR_OK;
  TSR_TRY(tsr_mats_store(c->ctx, &out[0], &f.m, dtype));
  TSR_TRY(tsr_ret_tensor(c, r++, out[0]));
  return tsr_ret_tensor(c, r, f.pivots);
}
TSR_KERNEL(det) { return determinants(c, DET, "linalg.det"); }
TSR_KERNEL(slogdet) { return determinants(c, SLOGDET, "linalg.slogdet"); }
TSR_KERNEL(logdet) { return determinants(c, LOGDET, "logdet"); }

/* ---- triangular ---- */

static tsr_status solve_triangular(tsr_ctx *ctx, tsr_tensor **out, tsr_tensor *a, tsr_tensor *b, bool upper, bool left, bool unit, char trans) {
  tsr_mats ma, mb;
  tsr_dtype dtype = (tsr_dtype)b->dtype;
  TSR_TRY(tsr_mats_broadcast(ctx, &a, &b));
  if (!left) TSR_TRY(tsr_transpose(ctx, &b, b, -1, -2));
  TSR_TRY(tsr_mats_load_square(ctx, &ma, a, "linalg.solve_triangular"));
  TSR_TRY(tsr_mats_load(ctx, &mb, b, "linalg.solve_triangular"));
  if (mb.m != ma.n) return tsr_op_fail(ctx, "linalg.solve_triangular: Incompatible shapes of A and B for the equation %s (%dx%d and %dx%d)", left ? "AX = B" : "XA = B", ma.m, ma.n, left ? mb.m : mb.n, left ? mb.n : mb.m);
  for (int64_t i = 0; i < mb.batch; i++) {
    int info = tsr_lapack_trtrs(ma.z, upper ? 'U' : 'L', left ? trans : 'T', unit ? 'U' : 'N', ma.n, mb.n, tsr_mats_at(&ma, i), lead(ma.m), tsr_mats_at(&mb, i), lead(mb.m));
    if (info > 0) { /* singular: PyTorch returns what division by zero gives */
      double *p = tsr_mats_at(&mb, i);
      for (size_t k = 0; k < (size_t)mb.m * (size_t)mb.n * (mb.z ? 2 : 1); k++) p[k] = p[k] == 0 ? NAN : p[k] * INFINITY;
    }
  }
  TSR_TRY(tsr_mats_store(ctx, out, &mb, dtype));
  return left ? TSR_OK : tsr_transpose(ctx, out, *out, -1, -2);
}

TSR_KERNEL(solve_triangular) {
  tsr_tensor *out;
  TSR_TRY(solve_triangular(c->ctx, &out, tsr_arg_tensor(c, 0), tsr_arg_tensor(c, 1), tsr_arg_bool(c, 2), tsr_arg_bool(c, 3), tsr_arg_bool(c, 4), 'N'));
  return tsr_ret_tensor(c, 0, out);
}

TSR_KERNEL(triangular_solve) {
  tsr_tensor *b = tsr_arg_tensor(c, 0), *a = tsr_arg_tensor(c, 1), *out;
  if (a->dtype != b->dtype) {
    return tsr_op_fail(c->ctx, "Expected b and A to have the same dtype, but found b of type %s and A of type %s instead.", tsr_dtype_get_info((tsr_dtype)b->dtype)->cpp_name, tsr_dtype_get_info((tsr_dtype)a->dtype)->cpp_name);
  }
  for (int i = 0; i < 2; i++) {
    const tsr_tensor *t = i == 0 ? b : a;
    if (t->ndim < 2) return tsr_op_fail(c->ctx, "torch.triangular_solve: Expected %s to have at least 2 dimensions, but it has %d dimensions instead", i == 0 ? "b" : "A", t->ndim);
  }
  int64_t m = a->size[a->ndim - 2], n = a->size[a->ndim - 1];
  if (m != n) return tsr_op_fail(c->ctx, "A must be batches of square matrices, but they are %lld by %lld matrices", (long long)m, (long long)n);
  if (b->size[b->ndim - 2] != n) {
    return tsr_op_fail(c->ctx, "Incompatible matrix sizes for triangular_solve: each A matrix is %lld by %lld but each b matrix is %lld by %lld", (long long)m, (long long)n, (long long)b->size[b->ndim - 2], (long long)b->size[b->ndim - 1]);
  }
  TSR_TRY(tsr_mats_broadcast(c->ctx, &a, &b));
  TSR_TRY(solve_triangular(c->ctx, &out, a, b, tsr_arg_bool(c, 2), true, tsr_arg_bool(c, 4), tsr_arg_bool(c, 3) ? 'T' : 'N'));
  TSR_TRY(tsr_ret_tensor(c, 0, out));
  TSR_TRY(tsr_transpose(c->ctx, &out, a, -1, -2)); /* a copy in LAPACK's order */
  TSR_TRY(tsr_contiguous(c->ctx, &out, out));
  TSR_TRY(tsr_clone(c->ctx, &out, out));
  TSR_TRY(tsr_transpose(c->ctx, &out, out, -1, -2));
  return tsr_ret_tensor(c, 1, out);
}

/* ---- LDL ---- */

static tsr_status ldl_factor(tsr_call *c, bool check) {
  tsr_tensor *a = tsr_arg_tensor(c, 0), *pivots, *info, *out;
  bool hermitian = tsr_arg_bool(c, 1);
  tsr_mats m;
  TSR_TRY(tsr_mats_load_square(c->ctx, &m, a, "torch.linalg.ldl_factor_ex"));
  TSR_TRY(tsr_mats_vector(c->ctx, &pivots, a, TSR_INT32, m.n));
  TSR_TRY(tsr_mats_vector(c->ctx, &info, a, TSR_INT32, -1));
  tsr_mats_keep_triangle(&m, false);
  for (int64_t i = 0; i < m.batch; i++) {
    int *code = (int *)info->storage->data + i;
    *code = tsr_lapack_sytrf(c->ctx, m.z, hermitian, m.n, tsr_mats_at(&m, i), lead(m.m), (int *)pivots->storage->data + i * m.n);
    if (check || *code < 0) TSR_TRY(tsr_mats_info(c->ctx, a, i, *code, "torch.linalg.ldl_factor_ex", "The factorization could not be completed because the input is singular (D[%d] is zero)."));
  }
  TSR_TRY(tsr_mats_store(c->ctx, &out, &m, dtype_of(c, 0)));
  TSR_TRY(tsr_ret_tensor(c, 0, out));
  TSR_TRY(tsr_ret_tensor(c, 1, pivots));
  return c->nrets > 2 ? tsr_ret_tensor(c, 2, info) : TSR_OK;
}
TSR_KERNEL(ldl_factor) { return ldl_factor(c, true); }
TSR_KERNEL(ldl_factor_ex) { return ldl_factor(c, tsr_arg_bool(c, 2)); }

TSR_KERNEL(ldl_solve) {
  tsr_tensor *a = tsr_arg_tensor(c, 0), *piv = tsr_arg_tensor(c, 1), *b = tsr_arg_tensor(c, 2), *out;
  tsr_mats ma, mb;
  TSR_TRY(tsr_mats_broadcast(c->ctx, &a, &b));
  TSR_TRY(tsr_mats_load_square(c->ctx, &ma, a, "torch.linalg.ldl_solve"));
  TSR_TRY(tsr_mats_load(c->ctx, &mb, b, "torch.linalg.ldl_solve"));
  TSR_TRY(tsr_expand(c->ctx, &piv, piv, a->ndim - 1, a->size));
  TSR_TRY(tsr_ready(c->ctx, &piv, piv, TSR_INT32));
  const int *p = tsr_tensor_data_ro(piv);
  for (int64_t i = 0; i < piv->numel; i++) {
    if (p[i] == 0 || p[i] > ma.n || p[i] < -ma.n) return tsr_op_fail(c->ctx, "torch.linalg.ldl_solve: pivot %d is outside the matrix of %d rows", p[i], ma.n);
  }
  if (mb.m != ma.n) return tsr_op_fail(c->ctx, "torch.linalg.ldl_solve: Expected LD.size(-2) == B.size(-2)");
  for (int64_t i = 0; i < mb.batch; i++) tsr_lapack_sytrs(ma.z, tsr_arg_bool(c, 3), ma.n, mb.n, tsr_mats_at(&ma, i), lead(ma.m), p + i * ma.n, tsr_mats_at(&mb, i), lead(mb.m));
  TSR_TRY(tsr_mats_store(c->ctx, &out, &mb, dtype_of(c, 2)));
  return tsr_ret_tensor(c, 0, out);
}

#define P TSR_PURE
#define O TSR_OUT
const tsr_op tsr_ops_linalg[] = {
    {"aten::linalg_cholesky(Tensor self, *, bool upper=False) -> Tensor", op_linalg_cholesky, P},
    {"aten::linalg_cholesky.out(Tensor self, *, bool upper=False, Tensor(a!) out) -> Tensor(a!)", op_linalg_cholesky, TSR_OUT_SAME},
    {"aten::linalg_cholesky_ex(Tensor self, *, bool upper=False, bool check_errors=False) -> (Tensor L, Tensor info)", op_cholesky_ex, P},
    {"aten::linalg_cholesky_ex.L(Tensor self, *, bool upper=False, bool check_errors=False, Tensor(a!) L, Tensor(b!) info) -> (Tensor(a!) L, Tensor(b!) info)", op_cholesky_ex, TSR_OUT_SAME},
    {"aten::cholesky(Tensor self, bool upper=False) -> Tensor", op_cholesky, P}, {"aten::cholesky.out(Tensor self, bool upper=False, *, Tensor(a!) out) -> Tensor(a!)", op_cholesky, O},
    {"aten::cholesky_solve(Tensor self, Tensor input2, bool upper=False) -> Tensor", op_cholesky_solve, P},
    {"aten::cholesky_solve.out(Tensor self, Tensor input2, bool upper=False, *, Tensor(a!) out) -> Tensor(a!)", op_cholesky_solve, O},
    {"aten::cholesky_inverse(Tensor self, bool upper=False) -> Tensor", op_cholesky_inverse, P},
    {"aten::cholesky_inverse.out(Tensor self, bool upper=False, *, Tensor(a!) out) -> Tensor(a!)", op_cholesky_inverse, O},
    {"aten::linalg_lu(Tensor A, *, bool pivot=True) -> (Tensor P, Tensor L, Tensor U)", op_linalg_lu, P},
    {"aten::linalg_lu.out(Tensor A, *, bool pivot=True, Tensor(a!) P, Tensor(b!) L, Tensor(c!) U) -> (Tensor(a!) P, Tensor(b!) L, Tensor(c!) U)", op_linalg_lu, TSR_OUT_SAME},
    {"aten::linalg_lu_factor(Tensor A, *, bool pivot=True) -> (Tensor LU, Tensor pivots)", op_lu_factor, P},
    {"aten::linalg_lu_factor.out(Tensor A, *, bool pivot=True, Tensor(a!) LU, Tensor(b!) pivots) -> (Tensor(a!) LU, Tensor(b!) pivots)", op_lu_factor, TSR_OUT_SAME},
    {"aten::linalg_lu_factor_ex(Tensor A, *, bool pivot=True, bool check_errors=False) -> (Tensor LU, Tensor pivots, Tensor info)", op_lu_factor_ex, P},
    {"aten::linalg_lu_factor_ex.out(Tensor A, *, bool pivot=True, bool check_errors=False, Tensor(a!) LU, Tensor(b!) pivots, Tensor(c!) info) -> (Tensor(a!) LU, Tensor(b!) pivots, Tensor(c!) info)", op_lu_factor_ex, TSR_OUT_SAME},
    {"aten::_lu_with_info(Tensor self, bool pivot=True, bool check_errors=True) -> (Tensor LU, Tensor pivots, Tensor info)", op_lu_factor_ex, P},
    {"aten::lu_unpack(Tensor LU_data, Tensor LU_pivots, bool unpack_data=True, bool unpack_pivots=True) -> (Tensor P, Tensor L, Tensor U)", op_lu_unpack, P},
    {"aten::lu_unpack.out(Tensor LU_data, Tensor LU_pivots, bool unpack_data=True, bool unpack_pivots=True, *, Tensor(a!) P, Tensor(b!) L, Tensor(c!) U) -> (Tensor(a!) P, Tensor(b!) L, Tensor(c!) U)", op_lu_unpack, TSR_OUT_SAME},
    {"aten::linalg_lu_solve(Tensor LU, Tensor pivots, Tensor B, *, bool left=True, bool adjoint=False) -> Tensor", op_linalg_lu_solve, P},
    {"aten::linalg_lu_solve.out(Tensor LU, Tensor pivots, Tensor B, *, bool left=True, bool adjoint=False, Tensor(a!) out) -> Tensor(a!)", op_linalg_lu_solve, TSR_OUT_SAME},
    {"aten::lu_solve(Tensor self, Tensor LU_data, Tensor LU_pivots) -> Tensor", op_lu_solve, P},
    {"aten::lu_solve.out(Tensor self, Tensor LU_data, Tensor LU_pivots, *, Tensor(a!) out) -> Tensor(a!)", op_lu_solve, TSR_OUT_SAME},
    {"aten::linalg_solve(Tensor A, Tensor B, *, bool left=True) -> Tensor", op_linalg_solve, P},
    {"aten::linalg_solve.out(Tensor A, Tensor B, *, bool left=True, Tensor(a!) out) -> Tensor(a!)", op_linalg_solve, TSR_OUT_SAME},
    {"aten::linalg_solve_ex(Tensor A, Tensor B, *, bool left=True, bool check_errors=False) -> (Tensor result, Tensor info)", op_solve_ex, P},
    {"aten::linalg_solve_ex.out(Tensor A, Tensor B, *, bool left=True, bool check_errors=False, Tensor(a!) result, Tensor(b!) info) -> (Tensor(a!) result, Tensor(b!) info)", op_solve_ex, TSR_OUT_SAME},
    {"aten::_linalg_solve_ex(Tensor A, Tensor B, *, bool left=True, bool check_errors=False) -> (Tensor result, Tensor LU, Tensor pivots, Tensor info)", op__solve_ex, P},
    {"aten::linalg_inv(Tensor A) -> Tensor", op_linalg_inv, P}, {"aten::linalg_inv.out(Tensor A, *, Tensor(a!) out) -> Tensor(a!)", op_linalg_inv, TSR_OUT_SAME},
    {"aten::inverse(Tensor self) -> Tensor", op_linalg_inv, P}, {"aten::inverse.out(Tensor self, *, Tensor(a!) out) -> Tensor(a!)", op_linalg_inv, TSR_OUT_SAME},
    {"aten::linalg_inv_ex(Tensor A, *, bool check_errors=False) -> (Tensor inverse, Tensor info)", op_inv_ex, P},
    {"aten::linalg_inv_ex.inverse(Tensor A, *, bool check_errors=False, Tensor(a!) inverse, Tensor(b!) info) -> (Tensor(a!) inverse, Tensor(b!) info)", op_inv_ex, TSR_OUT_SAME},
    {"aten::det(Tensor self) -> Tensor", op_det, P}, {"aten::linalg_det(Tensor A) -> Tensor", op_det, P},
    {"aten::linalg_det.out(Tensor A, *, Tensor(a!) out) -> Tensor(a!)", op_det, TSR_OUT_SAME}, {"aten::_linalg_det(Tensor A) -> (Tensor result, Tensor LU, Tensor pivots)", op_det, P},
    {"aten::linalg_slogdet(Tensor A) -> (Tensor sign, Tensor logabsdet)", op_slogdet, P}, {"aten::slogdet(Tensor self) -> (Tensor sign, Tensor logabsdet)", op_slogdet, P},
    {"aten::linalg_slogdet.out(Tensor A, *, Tensor(a!) sign, Tensor(b!) logabsdet) -> (Tensor(a!) sign, Tensor(b!) logabsdet)", op_slogdet, TSR_OUT_SAME},
    {"aten::slogdet.out(Tensor self, *, Tensor(a!) sign, Tensor(b!) logabsdet) -> (Tensor(a!) sign, Tensor(b!) logabsdet)", op_slogdet, TSR_OUT_SAME},
    {"aten::_linalg_slogdet(Tensor A) -> (Tensor sign, Tensor logabsdet, Tensor LU, Tensor pivots)", op_slogdet, P},
    {"aten::logdet(Tensor self) -> Tensor", op_logdet, P},
    {"aten::linalg_solve_triangular(Tensor self, Tensor B, *, bool upper, bool left=True, bool unitriangular=False) -> Tensor", op_solve_triangular, P},
    {"aten::linalg_solve_triangular.out(Tensor self, Tensor B, *, bool upper, bool left=True, bool unitriangular=False, Tensor(a!) out) -> Tensor(a!)", op_solve_triangular, O},
    {"aten::triangular_solve(Tensor self, Tensor A, bool upper=True, bool transpose=False, bool unitriangular=False) -> (Tensor solution, Tensor cloned_coefficient)", op_triangular_solve, P},
    {"aten::linalg_ldl_factor(Tensor self, *, bool hermitian=False) -> (Tensor LD, Tensor pivots)", op_ldl_factor, P},
    {"aten::linalg_ldl_factor_ex(Tensor self, *, bool hermitian=False, bool check_errors=False) -> (Tensor LD, Tensor pivots, Tensor info)", op_ldl_factor_ex, P},
    {"aten::linalg_ldl_solve(Tensor LD, Tensor pivots, Tensor B, *, bool hermitian=False) -> Tensor", op_ldl_solve, P},
    {"aten::linalg_ldl_solve.out(Tensor LD, Tensor pivots, Tensor B, *, bool hermitian=False, Tensor(a!) out) -> Tensor(a!)", op_ldl_solve, TSR_OUT_SAME},
    {0}};
