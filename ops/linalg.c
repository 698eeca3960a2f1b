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
    {"torch.linalg.lstsq", "linalg_lstsq_cpu", true, false},
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

tsr_status tsr_mats_check_square(tsr_ctx *ctx, const tsr_tensor *t, const char *name) {
  if (t->ndim < 2) return tsr_op_fail(ctx, "%s: The input tensor A must have at least 2 dimensions.", name);
  int64_t m = t->size[t->ndim - 2], n = t->size[t->ndim - 1];
  return m == n ? TSR_OK : tsr_op_fail(ctx, "%s: A must be batches of square matrices, but they are %lld by %lld matrices", name, (long long)m, (long long)n);
}

tsr_status tsr_mats_load_square(tsr_ctx *ctx, tsr_mats *out, tsr_tensor *t, const char *name) {
  TSR_TRY(tsr_mats_check_square(ctx, t, name));
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

/* What the older solvers ask of A X = b, in their words. */
static tsr_status check_solve_operands(tsr_ctx *ctx, const tsr_tensor *a, const tsr_tensor *b, const char *name) {
  if (a->dtype != b->dtype) {
    return tsr_op_fail(ctx, "Expected b and A to have the same dtype, but found b of type %s and A of type %s instead.", tsr_dtype_get_info((tsr_dtype)b->dtype)->cpp_name, tsr_dtype_get_info((tsr_dtype)a->dtype)->cpp_name);
  }
  int64_t m = a->size[a->ndim - 2], n = a->size[a->ndim - 1], rows = b->size[b->ndim - 2];
  if (m != n) return tsr_op_fail(ctx, "A must be batches of square matrices, but they are %lld by %lld matrices", (long long)m, (long long)n);
  if (rows == n) return TSR_OK;
  return tsr_op_fail(ctx, "Incompatible matrix sizes for %s: each A matrix is %lld by %lld but each b matrix is %lld by %lld", name, (long long)m, (long long)n, (long long)rows, (long long)b->size[b->ndim - 1]);
}

/* … and its newer ones; left: A X = B. */
static tsr_status check_solver(tsr_ctx *ctx, const tsr_tensor *a, const tsr_tensor *b, bool left, const char *name) {
  TSR_TRY(tsr_mats_check_square(ctx, a, name));
  if (b->ndim < 2) return tsr_op_fail(ctx, "%s: The input tensor B must have at least 2 dimensions.", name);
  if (b->size[b->ndim - (left ? 2 : 1)] == a->size[a->ndim - 1]) return TSR_OK;
  return tsr_op_fail(ctx, "%s: Incompatible shapes of A and B for the equation %s (%lldx%lld and %lldx%lld)", name, left ? "AX = B" : "XA = B", (long long)a->size[a->ndim - 2],
                     (long long)a->size[a->ndim - 1], (long long)b->size[b->ndim - 2], (long long)b->size[b->ndim - 1]);
}

/* Batches stretched to each other; the error tells b's sizes first, as PyTorch's does. */
static tsr_status broadcast_pair(tsr_ctx *ctx, tsr_tensor **b, tsr_tensor **a) { return tsr_mats_broadcast(ctx, b, a); }

static const char not_positive[] =
    "The factorization could not be completed because the input is not positive-definite (the leading minor of order %d is not positive-definite).";

static tsr_status cholesky(tsr_call *c, const char *name, bool upper, bool check) {
  tsr_tensor *a = tsr_arg_tensor(c, 0), *info, *out;
  bool old = strcmp(name, "cholesky") == 0; /* whose own checks all carry its name */
  tsr_mats m;
  TSR_TRY(tsr_mats_check_square(c->ctx, a, old ? name : "linalg.cholesky"));
  if (!old && tsr_dtype_is_integral(dtype_of(c, 0), true)) TSR_TRY(tsr_mats_check_dtype(c->ctx, a, "linalg.cholesky"));
  if (!old) TSR_TRY(tsr_out_same(c, 0, dtype_of(c, 0)));
  if (!old) TSR_TRY(tsr_out_same(c, 1, TSR_INT32));
  TSR_TRY(tsr_mats_load_square(c->ctx, &m, a, old ? name : "linalg.cholesky"));
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
  TSR_TRY(tsr_out_castable(c, 0, dtype_of(c, 0), "cholesky", "result"));
  if (a->numel == 0) {
    TSR_TRY(tsr_new(c->ctx, &out, dtype_of(c, 0), a->ndim, a->size));
    return tsr_ret_tensor(c, 0, out);
  }
  return cholesky(c, "cholesky", tsr_arg_bool(c, 1), true);
}
TSR_KERNEL(cholesky_ex) { return cholesky(c, "linalg.cholesky_ex", tsr_arg_bool(c, 1), tsr_arg_bool(c, 2)); }

TSR_KERNEL(cholesky_solve) {
  tsr_tensor *b = tsr_arg_tensor(c, 0), *a = tsr_arg_tensor(c, 1), *out;
  char uplo = tsr_arg_bool(c, 2) ? 'U' : 'L';
  tsr_mats ma, mb;
  TSR_TRY(tsr_out_castable(c, 0, dtype_of(c, 0), "cholesky_solve", "result"));
  if (b->ndim < 2) return tsr_op_fail(c->ctx, "b should have at least 2 dimensions, but has %d dimensions instead", b->ndim);
  if (a->ndim < 2) return tsr_op_fail(c->ctx, "u should have at least 2 dimensions, but has %d dimensions instead", a->ndim);
  TSR_TRY(check_solve_operands(c->ctx, a, b, "cholesky_solve"));
  TSR_TRY(broadcast_pair(c->ctx, &b, &a));
  TSR_TRY(tsr_mats_load_square(c->ctx, &ma, a, "cholesky_solve"));
  TSR_TRY(tsr_mats_load(c->ctx, &mb, b, "cholesky_solve"));
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
  TSR_TRY(tsr_mats_check_square(c->ctx, a, "cholesky_inverse"));
  TSR_TRY(tsr_out_castable(c, 0, dtype_of(c, 0), "cholesky_inverse", "result"));
  TSR_TRY(tsr_mats_load(c->ctx, &m, a, "cholesky_inverse"));
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

static tsr_status need_matrix(tsr_ctx *ctx, const tsr_tensor *a, const char *name) {
  char sizes[64];
  if (a->ndim >= 2) return TSR_OK;
  tsr_sizes_print(sizes, sizeof sizes, a->ndim, a->size);
  return tsr_op_fail(ctx, "%s: Expected tensor with 2 or more dimensions. Got size: %s instead", name, sizes);
}

static tsr_status factor(tsr_ctx *ctx, lu *out, tsr_tensor *a, const char *name, bool pivot) {
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

/* errors: what names the call when a pivot is zero, or NULL */
static tsr_status lu_factor(tsr_call *c, bool pivot, const char *errors) {
  static const char *const name = "torch.lu_factor";
  lu f;
  tsr_tensor *out;
  TSR_TRY(need_matrix(c->ctx, tsr_arg_tensor(c, 0), name));
  TSR_TRY(tsr_out_same(c, 0, dtype_of(c, 0)));
  for (uint32_t i = 1; i < c->nrets; i++) TSR_TRY(tsr_out_same(c, i, TSR_INT32));
  TSR_TRY(factor(c->ctx, &f, tsr_arg_tensor(c, 0), name, pivot));
  for (int64_t i = 0; errors != NULL && i < f.info->numel; i++) {
    int info = ((const int *)f.info->storage->data)[i];
    if (info > 0) return tsr_op_fail(c->ctx, "%s: U[%d,%d] is zero and using it on lu_solve would result in a division by zero. If you still want to perform the factorization, consider calling linalg.lu(A, pivot) or linalg.lu_factor_ex(A, pivot)", errors, info, info);
  }
  TSR_TRY(tsr_mats_store(c->ctx, &out, &f.m, dtype_of(c, 0)));
  TSR_TRY(tsr_ret_tensor(c, 0, out));
  TSR_TRY(tsr_ret_tensor(c, 1, f.pivots));
  return c->nrets > 2 ? tsr_ret_tensor(c, 2, f.info) : TSR_OK;
}
TSR_KERNEL(lu_factor) { return lu_factor(c, tsr_arg_bool(c, 1), "torch.linalg.lu_factor"); }
TSR_KERNEL(lu_factor_ex) { return lu_factor(c, tsr_arg_bool(c, 1), tsr_arg_bool(c, 2) ? "torch.linalg.lu_factor_ex" : NULL); }
TSR_KERNEL(lu_with_info) { return lu_factor(c, tsr_arg_bool(c, 1), NULL); } /* whose check_errors PyTorch does not look at */

/* The first pivots of each row, as many as the matrices have; PyTorch reads past the rows' end when there are fewer. */
static tsr_status check_pivots(tsr_ctx *ctx, tsr_tensor **pivots, const tsr_mats *m) {
  int64_t k = TSR_MIN(m->m, m->n), need = m->batch * k;
  if ((*pivots)->ndim > 0 && (*pivots)->size[(*pivots)->ndim - 1] > k) TSR_TRY(tsr_narrow(ctx, pivots, *pivots, -1, 0, k));
  TSR_TRY(tsr_ready(ctx, pivots, *pivots, TSR_INT32));
  const int *p = tsr_tensor_data_ro(*pivots);
  for (int64_t i = 0; i < (*pivots)->numel; i++) {
    if (p[i] < 1 || p[i] > m->m) return tsr_op_fail(ctx, "pivots passed to lu_unpack must be between 1 and LU.size(-2) inclusive.Did you properly pass the result of lu_factor?");
  }
  if ((*pivots)->numel == need || need == 0) return TSR_OK;
  return tsr_op_fail(ctx, "lu_unpack: LU_pivots has %lld numbers for LU_data that needs %lld", (long long)(*pivots)->numel, (long long)need);
}

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
  const int *piv = perm ? tsr_tensor_data_ro(pivots) : NULL;
  for (int64_t b = 0; b < p.batch; b++) { /* of a matrix without columns: the identity */
    memset(tsr_mats_at(&p, b), 0, (size_t)m->m * (size_t)m->m * 8);
    for (int i = 0; i < m->m; i++) order[i] = i;
    for (int i = 0; perm && i < k; i++) {
      int t = order[i], with = piv[b * k + i] - 1;
      order[i] = order[with];
      order[with] = t;
    }
    for (int i = 0; i < m->m; i++) ((double *)tsr_mats_at(&p, b))[(size_t)i * m->m + order[i]] = 1;
  }
  for (int64_t b = 0; b < m->batch; b++) {
    const char *src = tsr_mats_at(m, b);
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
  TSR_TRY(need_matrix(c->ctx, tsr_arg_tensor(c, 0), "linalg.lu"));
  for (uint32_t i = 0; i < 3; i++) TSR_TRY(tsr_out_same(c, i, dtype_of(c, 0)));
  TSR_TRY(factor(c->ctx, &f, tsr_arg_tensor(c, 0), "linalg.lu", pivot));
  return unpack_lu(c, &f.m, f.pivots, dtype_of(c, 0), true, pivot);
}

TSR_KERNEL(lu_unpack) {
  tsr_mats m;
  tsr_tensor *a = tsr_arg_tensor(c, 0), *pivots = tsr_arg_tensor(c, 1);
  bool perm = tsr_arg_bool(c, 3);
  TSR_TRY(need_matrix(c->ctx, a, "torch.lu_unpack"));
  if (perm && pivots->dtype != TSR_INT32) return tsr_op_fail(c->ctx, "torch.lu_unpack: LU_pivots is expected to be a contiguous tensor of torch.int32 dtype.\nNote: this function is intended to be used with the output produced by torch.linalg.lu_factor");
  for (uint32_t i = 0; i < 3; i++) TSR_TRY(tsr_out_same(c, i, dtype_of(c, 0)));
  TSR_TRY(tsr_mats_copy(c->ctx, &m, a, "lu_unpack"));
  if (!perm) return unpack_lu(c, &m, NULL, dtype_of(c, 0), tsr_arg_bool(c, 2), false);
  TSR_TRY(check_pivots(c->ctx, &pivots, &m));
  return unpack_lu(c, &m, pivots, dtype_of(c, 0), tsr_arg_bool(c, 2), true);
}

/* X of op(A) X = B (left) or X op(A) = B, given the factors f of A's matrices before they were stretched to the batches of a and b; b is [..., n, k] */
static tsr_status solve_factored(tsr_ctx *ctx, tsr_tensor **out, const lu *f, const tsr_tensor *a, tsr_tensor *b, bool left, bool adjoint, tsr_dtype dtype) {
  tsr_mats mb;
  tsr_tensor *which; /* of the factors, for each matrix of the result */
  int64_t batch[TSR_MAX_NDIM];
  if (!left) TSR_TRY(tsr_transpose(ctx, &b, b, -1, -2));
  TSR_TRY(tsr_mats_copy(ctx, &mb, b, "linalg.solve"));
  memcpy(batch, f->m.t->size, (size_t)(f->m.t->ndim - 2) * sizeof *batch);
  TSR_TRY(tsr_new(ctx, &which, TSR_INT64, f->m.t->ndim - 2, batch));
  for (int64_t i = 0; i < which->numel; i++) ((int64_t *)which->storage->data)[i] = i;
  TSR_TRY(tsr_expand(ctx, &which, which, a->ndim - 2, a->size));
  TSR_TRY(tsr_contiguous(ctx, &which, which));
  const int64_t *at = tsr_tensor_data_ro(which);
  const int *pivots = tsr_tensor_data_ro(f->pivots);
  int n = f->m.n;
  /* X A = B is transposed: A^T X^T = B^T; with the adjoint, conj(A) X^T = B^T: conjugate around it */
  char trans = left ? (adjoint ? 'C' : 'N') : (adjoint ? 'N' : 'T');
  bool conj = !left && adjoint && mb.z;
  for (int64_t i = 0; i < mb.batch; i++) {
    double *p = tsr_mats_at(&mb, i);
    size_t count = (size_t)mb.m * (size_t)mb.n;
    for (size_t k = 0; conj && k < count; k++) p[2 * k + 1] = -p[2 * k + 1];
    tsr_lapack_getrs(f->m.z, trans, n, mb.n, tsr_mats_at(&f->m, at[i]), lead(f->m.m), pivots + at[i] * n, p, lead(mb.m));
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

static const char singular[] = "The solver failed because the input matrix is singular.";

/* errors: what names the call when a pivot is zero, or NULL */
static tsr_status solve(tsr_call *c, const char *errors, bool with_lu) {
  tsr_ctx *ctx = c->ctx;
  tsr_tensor *a = tsr_arg_tensor(c, 0), *b = tsr_arg_tensor(c, 1), *out, *lu_of;
  bool left = tsr_arg_bool(c, 2);
  lu f;
  if (tsr_dtype_is_integral((tsr_dtype)a->dtype, true)) TSR_TRY(tsr_mats_check_dtype(ctx, a, "linalg.solve"));
  if (a->dtype != b->dtype) {
    return tsr_op_fail(ctx, "linalg.solve: Expected A and B to have the same dtype, but found A of type %s and B of type %s instead", tsr_dtype_get_info((tsr_dtype)a->dtype)->cpp_name,
                       tsr_dtype_get_info((tsr_dtype)b->dtype)->cpp_name);
  }
  bool vector = a->ndim > 0 && is_vector_rhs(a, b);
  if (vector) TSR_TRY(tsr_unsqueeze(ctx, &b, b, -1));
  TSR_TRY(check_solver(ctx, a, b, left, "linalg.solve"));
  lu_of = a;
  TSR_TRY(broadcast_pair(ctx, &b, &a));
  if (vector && !left) return tsr_op_fail(ctx, "linalg.solve: Vector broadcasting of the left hand side is not supported for left=False. In this case linalg.solve is equivalent to B / A.squeeze(-1)");
  for (uint32_t i = 0; i < c->nrets; i++) TSR_TRY(tsr_out_same(c, i, i == 0 || (with_lu && i == 1) ? dtype_of(c, 0) : TSR_INT32));
  TSR_TRY(factor(ctx, &f, lu_of, "linalg.solve", true));
  if (errors != NULL) TSR_TRY(check_infos(ctx, lu_of, f.info, errors, singular));
  TSR_TRY(solve_factored(ctx, &out, &f, a, b, left, false, dtype_of(c, 0)));
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
TSR_KERNEL(linalg_solve) { return solve(c, "torch.linalg.solve", false); }
TSR_KERNEL(solve_ex) { return solve(c, tsr_arg_bool(c, 3) ? "torch.linalg.solve_ex" : NULL, false); }
TSR_KERNEL(_solve_ex) { return solve(c, tsr_arg_bool(c, 3) ? "torch.linalg.solve_ex" : NULL, true); }

static tsr_status lu_solve(tsr_call *c, tsr_tensor *a, tsr_tensor *piv, tsr_tensor *b, bool left, bool adjoint) {
  lu f = {.pivots = piv};
  tsr_ctx *ctx = c->ctx;
  tsr_tensor *out;
  if (tsr_dtype_is_integral((tsr_dtype)a->dtype, true)) TSR_TRY(tsr_mats_check_dtype(ctx, a, "torch.linalg.lu_solve"));
  if (a->dtype != b->dtype) {
    return tsr_op_fail(ctx, "linalg.lu_solve: Expected LU and B to have the same dtype, but found LU of type %s and B of type %s instead", tsr_dtype_get_info((tsr_dtype)a->dtype)->cpp_name,
                       tsr_dtype_get_info((tsr_dtype)b->dtype)->cpp_name);
  }
  if (piv->dtype != TSR_INT32) return tsr_op_fail(ctx, "linalg.lu_solve: pivots should be a Tensor of scalar type torch.int32");
  TSR_TRY(tsr_mats_check_square(ctx, a, "torch.linalg.lu_solve"));
  TSR_TRY(check_solver(ctx, a, b, left, "linalg.lu_solve"));
  if (piv->ndim < 1) return tsr_op_fail(ctx, "Dimension specified as -1 but tensor has no dimensions");
  if (piv->size[piv->ndim - 1] != a->size[a->ndim - 1]) return tsr_op_fail(ctx, "linalg.lu_solve: Number of pivots per batch should be same as the dimension of the matrix");
  if (piv->ndim != a->ndim - 1 || memcmp(piv->size, a->size, piv->ndim * sizeof *a->size) != 0) {
    char sizes[256];
    tsr_sizes_print(sizes, sizeof sizes, piv->ndim, piv->size);
    return tsr_op_fail(ctx, "linalg.lu_solve: Expected LU.shape[:-1] and pivots.shape to be the same, but got pivots with shape %s instead", sizes);
  }
  tsr_tensor *factors = a;
  TSR_TRY(broadcast_pair(ctx, &b, &a));
  TSR_TRY(tsr_out_same(c, 0, dtype_of(c, 0)));
  TSR_TRY(tsr_mats_copy(ctx, &f.m, factors, "linalg.lu_solve"));
  TSR_TRY(tsr_ready(ctx, &f.pivots, piv, TSR_INT32));
  const int *p = tsr_tensor_data_ro(f.pivots);
  for (int64_t i = 0; b->numel > 0 && i < 2 * piv->numel; i++) {
    if (i < piv->numel && p[i] < 1) return tsr_op_fail(ctx, "Pivots given to lu_solve must all be greater or equal to 1. Did you properly pass the result of lu_factor?");
    if (i >= piv->numel && p[i - piv->numel] > f.m.n) return tsr_op_fail(ctx, "Pivots given to lu_solve must all be smaller or equal to LU.size(-2). Did you properly pass the result of lu_factor?");
  }
  if (b->numel > 0) TSR_TRY(tsr_mats_check_dtype(ctx, a, "torch.linalg.lu_solve"));
  TSR_TRY(solve_factored(ctx, &out, &f, a, b, left, adjoint, (tsr_dtype)b->dtype));
  return tsr_ret_tensor(c, 0, out);
}
TSR_KERNEL(linalg_lu_solve) { return lu_solve(c, tsr_arg_tensor(c, 0), tsr_arg_tensor(c, 1), tsr_arg_tensor(c, 2), tsr_arg_bool(c, 3), tsr_arg_bool(c, 4)); }
TSR_KERNEL(lu_solve) { return lu_solve(c, tsr_arg_tensor(c, 1), tsr_arg_tensor(c, 2), tsr_arg_tensor(c, 0), true, false); }

static const char not_invertible[] = "The diagonal element %d is zero, the inversion could not be completed because the input matrix is singular.";

static tsr_status inverse(tsr_call *c, const char *errors) {
  tsr_tensor *a = tsr_arg_tensor(c, 0), *out;
  lu f;
  tsr_mats eye;
  TSR_TRY(tsr_mats_check_square(c->ctx, a, "linalg.inv"));
  TSR_TRY(tsr_mats_check_dtype(c->ctx, a, "linalg.inv"));
  TSR_TRY(tsr_out_same(c, 0, dtype_of(c, 0)));
  TSR_TRY(tsr_out_same(c, 1, TSR_INT32));
  TSR_TRY(factor(c->ctx, &f, a, "linalg.inv", true));
  if (errors != NULL) TSR_TRY(check_infos(c->ctx, a, f.info, errors, not_invertible));
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
TSR_KERNEL(linalg_inv) { return inverse(c, c->op->data != NULL ? c->op->data : "linalg.inv"); }
TSR_KERNEL(inv_ex) { return inverse(c, tsr_arg_bool(c, 1) ? "linalg.inv_ex" : NULL); }

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
  TSR_TRY(tsr_mats_check_square(c->ctx, a, name));
  if (kind != DET || tsr_dtype_is_integral(dtype, true)) TSR_TRY(tsr_mats_check_dtype(c->ctx, a, name));
  TSR_TRY(tsr_out_same(c, 0, dtype));
  if (kind == SLOGDET) TSR_TRY(tsr_out_same(c, 1, real));
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
  tsr_dtype dtype = (tsr_dtype)a->dtype;
  TSR_TRY(check_solver(ctx, a, b, left, "linalg.solve_triangular"));
  TSR_TRY(broadcast_pair(ctx, &b, &a));
  if (!left) TSR_TRY(tsr_transpose(ctx, &b, b, -1, -2));
  TSR_TRY(tsr_mats_load(ctx, &ma, a, "linalg.solve_triangular"));
  TSR_TRY(tsr_to_dtype(ctx, &b, b, dtype)); /* PyTorch copies B into a result of A's type */
  TSR_TRY(tsr_mats_copy(ctx, &mb, b, "linalg.solve_triangular"));
  for (int64_t i = 0; i < mb.batch; i++)
    tsr_lapack_trsm(ma.z, upper ? 'U' : 'L', left ? trans : 'T', unit ? 'U' : 'N', ma.n, mb.n, tsr_mats_at(&ma, i), lead(ma.m), tsr_mats_at(&mb, i), lead(mb.m));
  TSR_TRY(tsr_mats_store(ctx, out, &mb, dtype));
  if (left) return TSR_OK;
  TSR_TRY(tsr_contiguous(ctx, out, *out));
  return tsr_transpose(ctx, out, *out, -1, -2);
}

TSR_KERNEL(solve_triangular) {
  tsr_tensor *out;
  TSR_TRY(solve_triangular(c->ctx, &out, tsr_arg_tensor(c, 0), tsr_arg_tensor(c, 1), tsr_arg_bool(c, 2), tsr_arg_bool(c, 3), tsr_arg_bool(c, 4), 'N'));
  TSR_TRY(tsr_out_check(c, 0, dtype_of(c, 0), TSR_OUT_ACCESS));
  return tsr_ret_tensor(c, 0, out);
}

TSR_KERNEL(triangular_solve) {
  tsr_tensor *b = tsr_arg_tensor(c, 0), *a = tsr_arg_tensor(c, 1), *out;
  for (int i = 0; i < 2; i++) {
    const tsr_tensor *t = i == 0 ? b : a;
    if (t->ndim < 2) return tsr_op_fail(c->ctx, "torch.triangular_solve: Expected %s to have at least 2 dimensions, but it has %d dimensions instead", i == 0 ? "b" : "A", t->ndim);
  }
  TSR_TRY(check_solve_operands(c->ctx, a, b, "triangular_solve"));
  TSR_TRY(tsr_mats_broadcast(c->ctx, &b, &a));
  TSR_TRY(solve_triangular(c->ctx, &out, a, b, tsr_arg_bool(c, 2), true, tsr_arg_bool(c, 4), tsr_arg_bool(c, 3) ? 'T' : 'N'));
  TSR_TRY(tsr_ret_tensor(c, 0, out));
  TSR_TRY(tsr_transpose(c->ctx, &out, a, -1, -2)); /* a copy in LAPACK's order */
  TSR_TRY(tsr_contiguous(c->ctx, &out, out));
  TSR_TRY(tsr_clone(c->ctx, &out, out));
  TSR_TRY(tsr_transpose(c->ctx, &out, out, -1, -2));
  return tsr_ret_tensor(c, 1, out);
}

/* ---- LDL ---- */

static tsr_status ldl_factor(tsr_call *c, const char *errors) {
  tsr_tensor *a = tsr_arg_tensor(c, 0), *pivots, *info, *out;
  bool hermitian = tsr_arg_bool(c, 1);
  tsr_mats m;
  TSR_TRY(tsr_mats_check_square(c->ctx, a, "torch.linalg.ldl_factor_ex"));
  if (tsr_dtype_is_integral(dtype_of(c, 0), true)) TSR_TRY(tsr_mats_check_dtype(c->ctx, a, "torch.linalg.ldl_factor_ex"));
  for (uint32_t i = 0; i < c->nrets; i++) TSR_TRY(tsr_out_same(c, i, i == 0 ? dtype_of(c, 0) : TSR_INT32));
  TSR_TRY(tsr_mats_load_square(c->ctx, &m, a, "torch.linalg.ldl_factor_ex"));
  TSR_TRY(tsr_mats_vector(c->ctx, &pivots, a, TSR_INT32, m.n));
  TSR_TRY(tsr_mats_vector(c->ctx, &info, a, TSR_INT32, -1));
  tsr_mats_keep_triangle(&m, false);
  for (int64_t i = 0; i < m.batch; i++) {
    int *code = (int *)info->storage->data + i;
    *code = tsr_lapack_sytrf(c->ctx, m.z, hermitian, m.n, tsr_mats_at(&m, i), lead(m.m), (int *)pivots->storage->data + i * m.n);
    if (errors != NULL || *code < 0) TSR_TRY(tsr_mats_info(c->ctx, a, i, *code, errors != NULL ? errors : "torch.linalg.ldl_factor_ex", "The factorization could not be completed because the input is singular (D[%d] is zero)."));
  }
  TSR_TRY(tsr_mats_store(c->ctx, &out, &m, dtype_of(c, 0)));
  TSR_TRY(tsr_ret_tensor(c, 0, out));
  TSR_TRY(tsr_ret_tensor(c, 1, pivots));
  return c->nrets > 2 ? tsr_ret_tensor(c, 2, info) : TSR_OK;
}
TSR_KERNEL(ldl_factor) { return ldl_factor(c, "torch.linalg.ldl_factor"); }
TSR_KERNEL(ldl_factor_ex) { return ldl_factor(c, tsr_arg_bool(c, 2) ? "torch.linalg.ldl_factor_ex" : NULL); }

static const char *const ldl_name = "torch.linalg.ldl_solve";

/* Shapes and types, in PyTorch's order. */
static tsr_status check_ldl(tsr_ctx *ctx, const tsr_tensor *a, const tsr_tensor *piv, const tsr_tensor *b) {
  TSR_TRY(tsr_mats_check_square(ctx, a, ldl_name));
  if (tsr_dtype_is_integral((tsr_dtype)a->dtype, true)) TSR_TRY(tsr_mats_check_dtype(ctx, a, ldl_name));
  if (b->ndim < 2) return tsr_op_fail(ctx, "%s: Expected B to have at least 2 dimensions, but it has %d dimensions instead", ldl_name, b->ndim);
  TSR_TRY(check_solve_operands(ctx, a, b, ldl_name));
  if (piv->ndim != a->ndim - 1 || memcmp(piv->size, a->size, piv->ndim * sizeof *a->size) != 0) {
    char sizes[256];
    tsr_sizes_print(sizes, sizeof sizes, piv->ndim, piv->size);
    return tsr_op_fail(ctx, "%s: Expected LD.shape[:-1] and pivots.shape to be the same, but got pivots with shape %s instead", ldl_name, sizes);
  }
  if (tsr_dtype_is_integral((tsr_dtype)piv->dtype, false)) return TSR_OK;
  return tsr_op_fail(ctx, "%s: Expected pivots to be integers. Got %s", ldl_name, tsr_dtype_get_info((tsr_dtype)piv->dtype)->cpp_name);
}

TSR_KERNEL(ldl_solve) {
  tsr_tensor *a = tsr_arg_tensor(c, 0), *piv = tsr_arg_tensor(c, 1), *b = tsr_arg_tensor(c, 2), *out;
  tsr_mats ma, mb;
  TSR_TRY(check_ldl(c->ctx, a, piv, b));
  TSR_TRY(broadcast_pair(c->ctx, &b, &a));
  TSR_TRY(tsr_out_same(c, 0, dtype_of(c, 0)));
  TSR_TRY(tsr_mats_copy(c->ctx, &ma, a, ldl_name));
  TSR_TRY(tsr_mats_copy(c->ctx, &mb, b, ldl_name));
  TSR_TRY(tsr_expand(c->ctx, &piv, piv, a->ndim - 1, a->size));
  TSR_TRY(tsr_ready(c->ctx, &piv, piv, TSR_INT32));
  const int *p = tsr_tensor_data_ro(piv);
  for (int64_t i = 0; i < 2 * piv->numel; i++) {
    int k = p[i % piv->numel];
    if (i < piv->numel && k == 0) return tsr_op_fail(c->ctx, "Pivots given to ldl_solve must all satisfy |pivot| >= 1. Did you properly pass the result of ldl_factor?");
    if (i >= piv->numel && (k > ma.n || k < -ma.n)) return tsr_op_fail(c->ctx, "Pivots given to ldl_solve must all satisfy |pivot| <= LD.size(-2). Did you properly pass the result of ldl_factor?");
  }
  TSR_TRY(tsr_mats_check_dtype(c->ctx, a, ldl_name));
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
    {"aten::cholesky(Tensor self, bool upper=False) -> Tensor", op_cholesky, P}, {"aten::cholesky.out(Tensor self, bool upper=False, *, Tensor(a!) out) -> Tensor(a!)", op_cholesky, TSR_OUT_PLAIN},
    {"aten::cholesky_solve(Tensor self, Tensor input2, bool upper=False) -> Tensor", op_cholesky_solve, P},
    {"aten::cholesky_solve.out(Tensor self, Tensor input2, bool upper=False, *, Tensor(a!) out) -> Tensor(a!)", op_cholesky_solve, TSR_OUT_PLAIN},
    {"aten::cholesky_inverse(Tensor self, bool upper=False) -> Tensor", op_cholesky_inverse, P},
    {"aten::cholesky_inverse.out(Tensor self, bool upper=False, *, Tensor(a!) out) -> Tensor(a!)", op_cholesky_inverse, TSR_OUT_LAPACK},
    {"aten::linalg_lu(Tensor A, *, bool pivot=True) -> (Tensor P, Tensor L, Tensor U)", op_linalg_lu, P},
    {"aten::linalg_lu.out(Tensor A, *, bool pivot=True, Tensor(a!) P, Tensor(b!) L, Tensor(c!) U) -> (Tensor(a!) P, Tensor(b!) L, Tensor(c!) U)", op_linalg_lu, TSR_OUT_SAME},
    {"aten::linalg_lu_factor(Tensor A, *, bool pivot=True) -> (Tensor LU, Tensor pivots)", op_lu_factor, P},
    {"aten::linalg_lu_factor.out(Tensor A, *, bool pivot=True, Tensor(a!) LU, Tensor(b!) pivots) -> (Tensor(a!) LU, Tensor(b!) pivots)", op_lu_factor, TSR_OUT_SAME},
    {"aten::linalg_lu_factor_ex(Tensor A, *, bool pivot=True, bool check_errors=False) -> (Tensor LU, Tensor pivots, Tensor info)", op_lu_factor_ex, P},
    {"aten::linalg_lu_factor_ex.out(Tensor A, *, bool pivot=True, bool check_errors=False, Tensor(a!) LU, Tensor(b!) pivots, Tensor(c!) info) -> (Tensor(a!) LU, Tensor(b!) pivots, Tensor(c!) info)", op_lu_factor_ex, TSR_OUT_SAME},
    {"aten::_lu_with_info(Tensor self, bool pivot=True, bool check_errors=True) -> (Tensor LU, Tensor pivots, Tensor info)", op_lu_with_info, P},
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
