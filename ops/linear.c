/* Linear layers: x . w^T with w packed once at the call site, everything after the sum fused. */
#include <stdlib.h>

#include "ops/block.h"
#include "ops/native.h"
#include "ops/product.h"
#include "ops/site.h"

/* Rows of the last dimension of x one stride apart: x itself or a contiguous copy. */
static tsr_status flat_rows(tsr_ctx *ctx, tsr_tensor **out, tsr_tensor *x, int64_t *lda) {
  int n = x->ndim;
  int64_t span = -1;
  bool flat = x->stride[n - 1] == 1 || x->size[n - 1] <= 1;
  *out = x;
  *lda = x->size[n - 1];
  for (int d = n - 2; flat && d >= 0; d--) {
    if (x->size[d] == 1) continue;
    if (span < 0) *lda = x->stride[d];
    else flat = x->stride[d] == span;
    span = x->stride[d] * x->size[d];
  }
  if (flat) return TSR_OK;
  *lda = x->size[n - 1];
  return tsr_contiguous(ctx, out, x);
}

typedef struct linear_site {
  tsr_packed plan;
  tsr_block block;
  struct linear_site *next; /* atomic: what the layer after this one had packed the last time */
} linear_site;

static void site_free(void *data) {
  linear_site *kept = data;
  tsr_block_free(kept->block);
  free(kept);
}

static const char way; /* of packing, for sites that share */

static tsr_status fill(tsr_ctx *ctx, const tsr_packed *p, const tsr_tensor *w) {
  if (w->storage->data == NULL) {
    tsr_supply rows = tsr_supply_of(ctx, w);
    return tsr_packed_fill_rows(ctx, p, &rows, 0, NULL, 1);
  }
  tsr_packed_fill(ctx, p, tsr_tensor_data_ro(w), 0, w->stride[1], w->stride[0]);
  return TSR_OK;
}

/* Another site's, one of the model's store, or a new one. */
static tsr_status get_block(tsr_ctx *ctx, tsr_tensor *w, linear_site *kept) {
  size_t size = (size_t)tsr_packed_floats(&kept->plan) * sizeof(float);
  bool filled;
  kept->plan.data = kept->block.data = tsr_site_shared(ctx, &way, w);
  if (kept->plan.data != NULL) return TSR_OK;
  tsr_block_name name = tsr_block_name_of(ctx, "linear");
  tsr_block_name_tensor(&name, ctx, w);
  kept->block = tsr_block_get(ctx, &name, size, &filled);
  kept->plan.data = kept->block.data;
  if (filled) return TSR_OK;
  if (kept->plan.data == NULL) return tsr_fail_nomem(&ctx->err);
  tsr_status status = fill(ctx, &kept->plan, w);
  if (status != TSR_OK) {
    tsr_block_free(kept->block);
    return status;
  }
  tsr_block_offer(ctx, &name, kept->block, size);
  tsr_site_offer(ctx, &way, w, kept->block.data);
  return TSR_OK;
}

/* The packed weight of the site, made on first use; with no site, packed for this call. */
static tsr_status packed_weight(tsr_ctx *ctx, tsr_site *site, tsr_tensor *w, tsr_packed *out) {
  linear_site *kept = tsr_site_get(site);
  int64_t n = w->size[0], k = w->size[1];
  if (kept != NULL && kept->plan.n == n && kept->plan.c == k) {
    *out = kept->plan;
    return TSR_OK;
  }
  *out = tsr_packed_plan(ctx->kernels->gemm, n, 1, k);
  if (site == NULL || kept != NULL) {
    TSR_TRY(tsr_work(ctx, tsr_packed_floats(out), &out->data));
    return fill(ctx, out, w);
  }
  kept = calloc(1, sizeof *kept);
  if (kept == NULL) return tsr_fail_nomem(&ctx->err);
  kept->plan = *out;
  tsr_status status = get_block(ctx, w, kept);
  if (status != TSR_OK) {
    free(kept);
    return status;
  }
  *out = ((linear_site *)tsr_site_publish(site, kept, site_free))->plan;
  return TSR_OK;
}

tsr_status tsr_affine_prepare(tsr_ctx *ctx, tsr_site *site, tsr_tensor *w) {
  tsr_packed plan;
  if (site == NULL || w->dtype != TSR_FLOAT32 || w->ndim != 2 || w->layout != 0 || w->numel == 0) return TSR_OK;
  return packed_weight(ctx, site, w, &plan);
}

tsr_status tsr_affine_prepare_arg(tsr_call *c, tsr_site *site, uint32_t arg) {
  if ((c->constant >> arg & 1) == 0) return TSR_OK;
  TSR_TRY(tsr_affine_prepare(c->ctx, site, tsr_arg_tensor(c, arg)));
  if (site != NULL && tsr_site_get(site) != NULL) c->released |= (uint64_t)1 << arg;
  return TSR_OK;
}

/* The weight that is likely to come next, so that its first panels can be fetched while this one is multiplied with. */
static const tsr_packed *packed_next(tsr_ctx *ctx, tsr_site *site) {
  linear_site *kept = tsr_site_get(site), *before = ctx->last_linear, *next;
  ctx->last_linear = kept;
  if (kept == NULL) return NULL;
  if (before != NULL && __atomic_load_n(&before->next, __ATOMIC_RELAXED) != kept) __atomic_store_n(&before->next, kept, __ATOMIC_RELEASE);
  next = __atomic_load_n(&kept->next, __ATOMIC_ACQUIRE);
  return next == NULL ? NULL : &next->plan;
}

static tsr_status affine_f32(tsr_ctx *ctx, tsr_site *site, tsr_tensor *y, tsr_tensor *x, int64_t lda, tsr_tensor *w, const tsr_epi *epi) {
  int64_t k = w->size[1], n = w->size[0], m = n == 0 ? 0 : y->numel / n;
  void *c;
  TSR_TRY(tsr_data_mut(ctx, y, &c));
  const float *a = tsr_tensor_data_ro(x);
  tsr_epi e = *epi;
  e.c_base = c;
  if (site == NULL) {
    tsr_product p = {m, n, k, 1, {a, lda, 1}, {tsr_tensor_data_ro(w), w->stride[1], w->stride[0]}, c, n, 0, 0, 0, &e};
    return tsr_gemm_product(ctx, &p);
  }
  tsr_packed plan;
  TSR_TRY(packed_weight(ctx, site, w, &plan));
  tsr_gemm g = {.b = &plan, .m = m, .a = a, .lda = lda, .c = c, .ldc = n, .epi = e, .next = packed_next(ctx, site)};
  tsr_gemm_run(ctx, &g);
  return TSR_OK;
}

static const tsr_epi plain;

/* PyTorch expands such a bias to the matrix of all rows; others are added to the result in place. */
static bool is_flat_bias(const tsr_tensor *x, const tsr_tensor *bias) {
  return bias->ndim <= 1 || x->ndim == 2 || (bias->ndim == 2 && bias->size[0] == 1);
}

/* Also where the result has no element. */
static tsr_status check_bias(tsr_ctx *ctx, tsr_tensor *x, tsr_tensor *w, tsr_tensor *bias) {
  int64_t size[2] = {1, w->size[0]};
  if (bias == NULL || (bias->ndim == 1 && bias->size[0] == size[1]) || !is_flat_bias(x, bias)) return TSR_OK;
  for (int d = 0; d + 1 < x->ndim; d++) size[0] *= x->size[d];
  return tsr_expand(ctx, &bias, bias, 2, size);
}

static tsr_status add_bias(tsr_ctx *ctx, tsr_tensor **z, tsr_tensor *bias) {
  tsr_val ret, args[] = {tsr_from_obj(*z), tsr_from_obj(bias), tsr_int(1)};
  return tsr_invoke(ctx, tsr_op_get("aten::add_", "Tensor"), args, 3, &ret, 1);
}

/* Any dtype, step by step, rounding where PyTorch rounds: half and bfloat16 once, after the bias. */
static tsr_status affine_any(tsr_ctx *ctx, tsr_tensor *y, tsr_tensor *x, tsr_tensor *w, tsr_tensor *bias) {
  int64_t n = w->size[0], k = w->size[1], rows = 1;
  for (int i = 0; i + 1 < x->ndim; i++) rows *= x->size[i];
  bool narrow = x->dtype == TSR_FLOAT16 || x->dtype == TSR_BFLOAT16;
  tsr_dtype d = narrow ? TSR_FLOAT32 : (tsr_dtype)x->dtype;
  TSR_TRY(tsr_ready(ctx, &x, x, d));
  TSR_TRY(tsr_view_as(ctx, &x, x, 2, (int64_t[]){rows, k}));
  TSR_TRY(tsr_to_dtype(ctx, &w, w, d));
  tsr_tensor *z;
  TSR_TRY(tsr_product_any(ctx, &z, "addmm_impl_cpu_", -1, rows, n, k, tsr_side_of(x), tsr_side_flip(tsr_side_of(w))));
  TSR_TRY(tsr_view_as(ctx, &z, z, y->ndim, y->size));
  if (bias != NULL) {
    TSR_TRY(tsr_to_dtype(ctx, &bias, bias, d));
    TSR_TRY(add_bias(ctx, &z, bias));
  }
  return tsr_copy_into(ctx, y, z);
}

static bool fusable_bias(const tsr_tensor *b, int64_t n) {
  return b == NULL || (b->dtype == TSR_FLOAT32 && b->ndim == 1 && b->size[0] == n && (n == 1 || b->stride[0] == 1));
}

static bool fusable_residual(const tsr_tensor *r, const tsr_tensor *y) {
  return r == NULL || (r->dtype == TSR_FLOAT32 && tsr_tensor_same_size(r, y) &&
                       tsr_tensor_is_contiguous(r));
}

static tsr_status check_operands(tsr_ctx *ctx, tsr_tensor *x, tsr_tensor *w, tsr_tensor *bias) {
  int64_t rows = 1;
  for (int d = 0; d + 1 < x->ndim; d++) rows *= x->size[d];
  if (x->size[x->ndim - 1] != w->size[1])
    return tsr_op_fail(ctx, "mat1 and mat2 shapes cannot be multiplied (%lldx%lld and %lldx%lld)", (long long)rows,
                       (long long)x->size[x->ndim - 1], (long long)w->size[1], (long long)w->size[0]);
  if (bias != NULL && bias->dtype != w->dtype)
    return tsr_op_fail(ctx, "self and mat2 must have the same dtype, but got %s and %s", tsr_dtype_get_info(bias->dtype)->cpp_name,
                       tsr_dtype_get_info(w->dtype)->cpp_name);
  if (x->dtype != w->dtype && bias != NULL)
    return tsr_op_fail(ctx, "mat1 and mat2 must have the same dtype, but got %s and %s", tsr_dtype_get_info(x->dtype)->cpp_name,
                       tsr_dtype_get_info(w->dtype)->cpp_name);
  if (x->dtype != w->dtype)
    return tsr_op_fail(ctx, "expected m1 and m2 to have the same dtype, but got: %s != %s", tsr_dtype_c_name((tsr_dtype)x->dtype),
                       tsr_dtype_c_name((tsr_dtype)w->dtype));
  return TSR_OK;
}

tsr_status tsr_affine(tsr_ctx *ctx, tsr_site *site, tsr_tensor **out, tsr_tensor *x, tsr_tensor *w, tsr_tensor *bias,
                      tsr_tensor *residual, const tsr_epi *epi) {
  int64_t size[TSR_MAX_NDIM], lda, n = w->size[0];
  TSR_TRY(check_operands(ctx, x, w, bias));
  TSR_TRY(check_bias(ctx, x, w, bias));
  memcpy(size, x->size, x->ndim * sizeof *size);
  size[x->ndim - 1] = n;
  TSR_TRY(tsr_new(ctx, out, (tsr_dtype)x->dtype, x->ndim, size));
  if ((*out)->numel == 0) return bias == NULL || is_flat_bias(x, bias) ? TSR_OK : add_bias(ctx, out, bias);
  bool own_bias = fusable_bias(bias, n), whole = own_bias && fusable_residual(residual, *out);
  if (x->dtype == TSR_FLOAT32) { /* a site that is packed need not have the weight's numbers any more */
    tsr_epi e = whole ? *epi : plain;
    e.bias = bias == NULL || !own_bias ? NULL : tsr_tensor_data_ro(bias);
    e.residual = residual == NULL || !whole ? NULL : tsr_tensor_data_ro(residual);
    TSR_TRY(flat_rows(ctx, &x, x, &lda));
    TSR_TRY(affine_f32(ctx, site, *out, x, lda, w, &e));
    if (whole) return TSR_OK;
    if (!own_bias) TSR_TRY(add_bias(ctx, out, bias));
  } else {
    TSR_TRY(affine_any(ctx, *out, x, w, bias));
  }
  if (residual != NULL) TSR_TRY(tsr_binary(ctx, out, "add", *out, residual));
  return tsr_act_apply(ctx, out, *out, epi);
}

/* ---- two layers ---- */

#define PAIR_BYTES (1280 << 10) /* of both weights: they and the rows between them stay in L2 */
#define PAIR_ROWS 112           /* rows at a time: whole tiles */

typedef struct pair_job {
  const tsr_gemm_fns *f;
  tsr_gemm a, b;
  float *between;
  int64_t rows, width, parts;
} pair_job;

static void pair_task(void *arg, int64_t task, int worker) {
  const pair_job *j = arg;
  int64_t r0 = task * j->rows / j->parts, rows = (task + 1) * j->rows / j->parts - r0;
  tsr_gemm a = j->a, b = j->b;
  a.m = b.m = rows;
  a.a += r0 * a.lda;
  a.c = j->between + (int64_t)worker * (PAIR_ROWS + 1) * j->width;
  a.epi.c_base = b.a = a.c;
  b.c += r0 * b.ldc;
  tsr_gemm_part(j->f, &a, 0, tsr_gemm_tiles(&a), 0, a.b->panels);
  tsr_gemm_part(j->f, &b, 0, tsr_gemm_tiles(&b), 0, b.b->panels);
}

static bool fits_pair(const tsr_tensor *x, const tsr_layer *a, const tsr_layer *b) {
  int64_t bytes = (a->w->numel + b->w->numel) * 4;
  return a->site != NULL && b->site != NULL && x->dtype == TSR_FLOAT32 && a->w->dtype == TSR_FLOAT32 && b->w->dtype == TSR_FLOAT32 &&
         x->size[x->ndim - 1] == a->w->size[1] && a->w->size[0] == b->w->size[1] && bytes <= PAIR_BYTES && bytes > 0 &&
         x->numel >= 2 * PAIR_ROWS * a->w->size[1] && fusable_bias(a->bias, a->w->size[0]) && fusable_bias(b->bias, b->w->size[0]);
}

static tsr_status run_pair(tsr_ctx *ctx, tsr_tensor *y, tsr_tensor *x, const tsr_layer *a, const tsr_layer *b) {
  tsr_packed pa, pb;
  int64_t lda, width = a->w->size[0], n = b->w->size[0], threads = tsr_gemm_threads(ctx);
  void *c;
  TSR_TRY(flat_rows(ctx, &x, x, &lda));
  TSR_TRY(packed_weight(ctx, a->site, a->w, &pa));
  TSR_TRY(packed_weight(ctx, b->site, b->w, &pb));
  TSR_TRY(tsr_data_mut(ctx, y, &c));
  pair_job j = {.f = ctx->kernels->gemm, .rows = y->numel / n, .width = width};
  j.a = (tsr_gemm){.b = &pa, .a = tsr_tensor_data_ro(x), .lda = lda, .ldc = width, .epi = a->epi};
  j.b = (tsr_gemm){.b = &pb, .lda = width, .c = c, .ldc = n, .epi = b->epi};
  j.a.epi.bias = a->bias == NULL ? NULL : tsr_tensor_data_ro(a->bias);
  j.b.epi.bias = b->bias == NULL ? NULL : tsr_tensor_data_ro(b->bias);
  j.b.epi.residual = b->residual == NULL ? NULL : tsr_tensor_data_ro(b->residual);
  j.b.epi.c_base = c;
  j.parts = (j.rows + PAIR_ROWS - 1) / PAIR_ROWS;
  if (j.parts < 8 * threads) j.parts = (j.parts + threads - 1) / threads * threads;
  TSR_TRY(tsr_work(ctx, threads * (PAIR_ROWS + 1) * width, &j.between));
  tsr_pool_run(ctx->pool, ctx->max_threads, j.parts, pair_task, &j);
  return TSR_OK;
}

tsr_status tsr_affine_pair(tsr_ctx *ctx, tsr_tensor **out, tsr_tensor *x, const tsr_layer *a, const tsr_layer *b) {
  if (fits_pair(x, a, b)) {
    int64_t size[TSR_MAX_NDIM];
    memcpy(size, x->size, x->ndim * sizeof *size);
    size[x->ndim - 1] = b->w->size[0];
    TSR_TRY(tsr_new(ctx, out, TSR_FLOAT32, x->ndim, size));
    if (fusable_residual(b->residual, *out)) return run_pair(ctx, *out, x, a, b);
  }
  TSR_TRY(tsr_affine(ctx, a->site, &x, x, a->w, a->bias, NULL, &a->epi));
  return tsr_affine(ctx, b->site, out, x, b->w, b->bias, b->residual, &b->epi);
}

tsr_status tsr_linear(tsr_ctx *ctx, tsr_tensor **out, tsr_tensor *x, tsr_tensor *w, tsr_tensor *bias) {
  return tsr_affine(ctx, NULL, out, x, w, bias, NULL, &plain);
}

TSR_KERNEL(linear) {
  tsr_tensor *y, *x = tsr_arg_tensor(c, 0), *w = tsr_arg_tensor(c, 1), *bias = tsr_arg_opt_tensor(c, 2);
  if (x->ndim == 0 || w->ndim == 0)
    return tsr_op_fail(c->ctx, "both arguments to linear need to be at least 1D, but they are %dD and %dD", x->ndim, w->ndim);
  if (w->ndim > 2) return tsr_op_fail(c->ctx, "t() expects a tensor with <= 2 dimensions, but self is %dD", w->ndim);
  if (w->ndim == 1) {
    if (bias != NULL) return tsr_op_fail(c->ctx, "mat2 must be a matrix, got 1-D tensor");
    TSR_TRY(tsr_matmul(c->ctx, &y, x, w));
    return tsr_ret_tensor(c, 0, y);
  }
  tsr_site *site = (c->constant & 2) != 0 ? c->site : NULL;
  if (TSR_UNLIKELY(c->outs != NULL) && x->size[x->ndim - 1] == w->size[1]) { /* a product into it, then the bias is added */
    TSR_TRY(tsr_out_same(c, 0, (tsr_dtype)x->dtype));
    if (bias != NULL && x->ndim != 2 && bias->ndim == 1 && bias->size[0] != 1 && bias->size[0] != w->size[0])
      return tsr_op_fail(c->ctx, "The size of tensor a (%lld) must match the size of tensor b (%lld) at non-singleton dimension %d", (long long)w->size[0], (long long)bias->size[0], x->ndim - 1);
  }
  TSR_TRY(tsr_affine(c->ctx, site, &y, x, w, bias, NULL, &plain));
  TSR_TRY(tsr_matmul_out_row(c, x, w, y));
  return tsr_ret_tensor(c, 0, y);
}

tsr_status tsr_linear_prepare(tsr_call *c) { return tsr_affine_prepare_arg(c, c->site, 1); }

/* y[b,o] = sum_ij x1[b,i] w[o,i,j] x2[b,j] + bias[o]: first t[b,o,j] = x1 . w, then a sum over j. */
TSR_KERNEL(bilinear) {
  tsr_ctx *ctx = c->ctx;
  tsr_tensor *a = tsr_arg_tensor(c, 0), *b = tsr_arg_tensor(c, 1), *w = tsr_arg_tensor(c, 2), *bias = tsr_arg_opt_tensor(c, 3), *t;
  tsr_tensor *checked[4] = {a, b, w, bias};
  for (int i = 0; i < 4; i++) {
    if (checked[i] == NULL || checked[i]->dtype == checked[0]->dtype) continue;
    return tsr_op_fail(ctx, "All tensors must have the same dtype, got input1: %s, input2: %s, weight: %s, bias: %s", tsr_dtype_c_name((tsr_dtype)checked[0]->dtype), tsr_dtype_c_name((tsr_dtype)checked[1]->dtype),
                       tsr_dtype_c_name((tsr_dtype)checked[2]->dtype), checked[3] == NULL ? "N/A" : tsr_dtype_c_name((tsr_dtype)checked[3]->dtype));
  }
  if (a->ndim == 0 || b->ndim != a->ndim)
    return tsr_op_fail(ctx, "bilinear(): input dimensions do not match: got %d and %d", a->ndim, b->ndim);
  for (int d = 0; d + 1 < a->ndim; d++)
    if (a->size[d] != b->size[d])
      return tsr_op_fail(ctx, "bilinear(): input batch dimensions do not match at dim %d: got %lld and %lld", d,
                         (long long)a->size[d], (long long)b->size[d]);
  if (w->ndim != 3) return tsr_op_fail(ctx, "bilinear(): weight must be 3-D, got %d-D", w->ndim);
  int64_t i = a->size[a->ndim - 1], j = b->size[b->ndim - 1], o = w->size[0], rows = 1;
  if (i != w->size[1])
    return tsr_op_fail(ctx, "bilinear(): input1 size does not match weight size: got %lld but expected %lld", (long long)i, (long long)w->size[1]);
  if (j != w->size[2])
    return tsr_op_fail(ctx, "bilinear(): input2 size does not match weight size: got %lld but expected %lld", (long long)j, (long long)w->size[2]);
  if (bias != NULL && bias->size[0] != o)
    return tsr_op_fail(ctx, "bilinear(): bias size does not match weight size: got %lld but expected %lld", (long long)bias->size[0], (long long)o);
  int64_t size[TSR_MAX_NDIM];
  for (int d = 0; d + 1 < a->ndim; d++) rows *= a->size[d];
  memcpy(size, a->size, a->ndim * sizeof *size);
  size[a->ndim - 1] = o;
  TSR_TRY(tsr_reshape(ctx, &a, a, 2, (int64_t[]){rows, i}));
  TSR_TRY(tsr_reshape(ctx, &b, b, 3, (int64_t[]){rows, j, 1}));
  TSR_TRY(tsr_permute(ctx, &w, w, (int64_t[]){1, 0, 2}));
  TSR_TRY(tsr_reshape(ctx, &w, w, 2, (int64_t[]){i, o * j}));
  TSR_TRY(tsr_matmul(ctx, &t, a, w));
  TSR_TRY(tsr_view_as(ctx, &t, t, 3, (int64_t[]){rows, o, j}));
  TSR_TRY(tsr_bmm(ctx, &t, t, b));
  TSR_TRY(tsr_view_as(ctx, &t, t, tsr_arg_tensor(c, 0)->ndim, size));
  if (bias != NULL) TSR_TRY(tsr_binary(ctx, &t, "add", t, bias));
  return tsr_ret_tensor(c, 0, t);
}

const tsr_op tsr_ops_linear[] = {
    {"aten::linear(Tensor input, Tensor weight, Tensor? bias=None) -> Tensor", op_linear, TSR_PURE | TSR_MAKES, .prepare = tsr_linear_prepare},
    {"aten::linear.out(Tensor input, Tensor weight, Tensor? bias=None, *, Tensor(a!) out) -> Tensor(a!)", op_linear, TSR_OUT_SAME},
    {"aten::bilinear(Tensor input1, Tensor input2, Tensor weight, Tensor? bias=None) -> Tensor", op_bilinear, TSR_PURE},
    {0},
};
