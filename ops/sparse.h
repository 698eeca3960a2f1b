/* Sparse tensors: coordinate (COO) and compressed rows or columns (CSR, CSC).
 *
 * COO: indices [sparse dims, nnz], values [nnz, dense dims…].  CSR and CSC: pointers [batches…, rows or columns + 1], the other
 * index [batches…, nnz], values [batches…, nnz, dense dims…].  Programs can write into all of them, so they are checked whenever they are used.  What computes
 * turns compressed tensors into COO ones and back. */
#ifndef TSR_OPS_SPARSE_H
#define TSR_OPS_SPARSE_H

#include "ops/native.h"

enum { TSR_COO = 1, TSR_CSR = 2, TSR_CSC = 4 }; /* codes of layouts */

tsr_status tsr_sparse_new(tsr_ctx *ctx, tsr_tensor **out, int layout, int ndim, const int64_t *size, tsr_tensor *a, tsr_tensor *b, tsr_tensor *values, bool coalesced);
static inline tsr_status tsr_sparse_new_coo(tsr_ctx *ctx, tsr_tensor **out, int ndim, const int64_t *size, tsr_tensor *indices, tsr_tensor *values, bool coalesced) {
  return tsr_sparse_new(ctx, out, TSR_COO, ndim, size, indices, NULL, values, coalesced);
}
tsr_status tsr_sparse_like(tsr_ctx *ctx, tsr_tensor **out, const tsr_tensor *x, tsr_tensor *values, bool coalesced); /* the same positions, other values */
tsr_status tsr_sparse_need_coo(tsr_ctx *ctx, const tsr_tensor *x, const char *op);
tsr_status tsr_sparse_rows(tsr_ctx *ctx, const tsr_tensor *coo, tsr_tensor **out); /* number of each entry's position among the sparse dimensions, checked */
tsr_status tsr_sparse_unravel(tsr_ctx *ctx, tsr_tensor **indices, tsr_tensor *rows, int64_t dims, const int64_t *size); /* its inverse */
tsr_status tsr_sparse_coalesce(tsr_ctx *ctx, tsr_tensor **out, tsr_tensor *coo);
tsr_status tsr_sparse_dense(tsr_ctx *ctx, tsr_tensor **out, tsr_tensor *x);                    /* x itself when strided */
tsr_status tsr_sparse_from_dense(tsr_ctx *ctx, tsr_tensor **out, tsr_tensor *x, int64_t sparse_dims);
tsr_status tsr_sparse_to(tsr_ctx *ctx, tsr_tensor **out, tsr_tensor *x, int64_t layout);       /* any layout to another; strided to compressed too */
tsr_status tsr_sparse_compress(tsr_ctx *ctx, tsr_tensor **out, tsr_tensor *coo, int64_t layout); /* the last two sparse dimensions; those before are batches */
/* Do the parts of a compressed tensor fit each other and the sizes?  In PyTorch's words; indices are looked at when they are used. */
tsr_status tsr_sparse_check(tsr_ctx *ctx, int layout, const tsr_tensor *ptr, const tsr_tensor *at, const tsr_tensor *values, int64_t n, const int64_t *size);
static inline int64_t tsr_sparse_batch_dims(const tsr_tensor *x) { return x->layout == TSR_COO ? 0 : x->sparse->b->ndim - 1; }
static inline int64_t tsr_sparse_dims(const tsr_tensor *x) { return x->layout == TSR_COO ? x->ndim + 1 - x->sparse->values->ndim : 2; }

/* Operators of strided tensors that also take sparse ones (sparse_call.c). */
tsr_status tsr_sparse_call(tsr_call *c, bool *handled);
/* sparse_math.c: each is the kernel of one name, whatever mixture of layouts comes. */
tsr_status tsr_sparse_mm(tsr_ctx *ctx, tsr_tensor **out, tsr_tensor *a, tsr_tensor *b); /* 2-D by 2-D, one of them sparse */
tsr_status tsr_sparse_add(tsr_ctx *ctx, tsr_tensor **out, tsr_tensor *a, tsr_tensor *b, tsr_scalar alpha);
tsr_status tsr_sparse_mul(tsr_ctx *ctx, tsr_tensor **out, tsr_tensor *a, tsr_tensor *b);
tsr_status tsr_sparse_sum(tsr_ctx *ctx, tsr_tensor **out, tsr_tensor *x, int64_t n, const int64_t *dims, bool keepdim, int dtype);
tsr_status tsr_sparse_softmax(tsr_ctx *ctx, tsr_tensor **out, tsr_tensor *x, int64_t dim, bool log);
tsr_status tsr_sparse_pick(tsr_ctx *ctx, tsr_tensor **out, tsr_tensor *x, tsr_tensor *at); /* x[at] along dimension 0 */

#endif
