/* mm, bmm, matmul and the add… family, vector products. */
#include "ops/native.h"
#include "ops/product.h"
#include "ops/shape.h"

static const char *dtype_of(const tsr_tensor *t) { return tsr_dtype_get_info(t->dtype)->cpp_name; }

static tsr_status check_mm(tsr_ctx *ctx, const tsr_tensor *a, const tsr_tensor *b) {
  if (a->size[1] != b->size[0])
    return tsr_op_fail(ctx, "mat1 and mat2 shapes cannot be multiplied (%lldx%lld and %lldx%lld)", (long long)a->size[0],
                       (long long)a->size[1], (long long)b->size[0], (long long)b->size[1]);
  return TSR_OK;
}

static tsr_status mm(tsr_ctx *ctx, tsr_tensor **out, tsr_tensor *a, tsr_tensor *b) {
  TSR_TRY(check_mm(ctx, a, b));
  if (a->dtype != b->dtype)
    return tsr_op_fail(ctx, "expected m1 and m2 to have the same dtype, but got: %s != %s", tsr_dtype_c_name((tsr_dtype)a->dtype),
                       tsr_dtype_c_name((tsr_dtype)b->dtype));
  return tsr_product_any(ctx, out, "addmm_impl_cpu_", -1, a->size[0], b->size[1], a->size[1], tsr_side_of(a), tsr_side_of(b));
}

/* mat1 . mat2 where mat2 may be a constant of the call site. */
static tsr_status mm_site(tsr_call *c, tsr_tensor **out, tsr_tensor *a, uint32_t arg, tsr_tensor *bias, tsr_tensor *residual) {
  tsr_tensor *b = tsr_arg_tensor(c, arg), *bt;
  tsr_epi plain = {0};
  tsr_site *site = (c->constant >> arg & 1) != 0 ? c->site : NULL;
  TSR_TRY(tsr_transpose(c->ctx, &bt, b, 0, 1));
  return tsr_affine(c->ctx, site, out, a, bt, bias, residual, &plain);
}

static tsr_status prepare_mm(tsr_call *c, uint32_t arg) {
  tsr_tensor *bt;
  if ((c->constant >> arg & 1) == 0 || tsr_arg_tensor(c, arg)->ndim != 2) return TSR_OK;
  TSR_TRY(tsr_transpose(c->ctx, &bt, tsr_arg_tensor(c, arg), 0, 1));
  return tsr_affine_prepare(c->ctx, c->site, bt);
}

static tsr_status prepare_second(tsr_call *c) { return prepare_mm(c, 1); }

TSR_KERNEL(mm) {
  tsr_tensor *y, *a = tsr_arg_tensor(c, 0), *b = tsr_arg_tensor(c, 1);
  if (a->ndim != 2) return tsr_op_fail(c->ctx, "self must be a matrix");
  if (b->ndim != 2) return tsr_op_fail(c->ctx, "mat2 must be a matrix");
  if (a->size[1] == b->size[0]) TSR_TRY(tsr_out_same(c, 0, (tsr_dtype)a->dtype));
  if ((c->constant & 2) != 0 && c->site != NULL && a->dtype == b->dtype) {
    TSR_TRY(check_mm(c->ctx, a, b));
    TSR_TRY(mm_site(c, &y, a, 1, NULL, NULL));
  } else {
    TSR_TRY(mm(c->ctx, &y, a, b));
  }
  return tsr_ret_tensor(c, 0, y);
}

/* mm, bmm, addmm, baddbmm with out_dtype: narrow operands, wide result. */
TSR_KERNEL(mm_dtype) {
  tsr_tensor *y, *a = tsr_arg_tensor(c, 0), *b = tsr_arg_tensor(c, 1);
  tsr_dtype d = (tsr_dtype)tsr_arg_int(c, 2);
  if (a->ndim != b->ndim || a->ndim < 2 || a->ndim > 3) return tsr_op_fail(c->ctx, "self must be a matrix");
  TSR_TRY(tsr_to_dtype(c->ctx, &a, a, d));
  TSR_TRY(tsr_to_dtype(c->ctx, &b, b, d));
  TSR_TRY(a->ndim == 2 ? mm(c->ctx, &y, a, b) : tsr_bmm(c->ctx, &y, a, b));
  return tsr_ret_tensor(c, 0, y);
}

static tsr_status check_bmm(tsr_ctx *ctx, const tsr_tensor *a, const tsr_tensor *b) {
  if (a->ndim != 3) return tsr_op_fail(ctx, "batch1 must be a 3D tensor");
  if (b->ndim != 3) return tsr_op_fail(ctx, "batch2 must be a 3D tensor");
  if (b->size[0] != a->size[0] || b->size[1] != a->size[2])
    return tsr_op_fail(ctx, "Expected size for first two dimensions of batch2 tensor to be: [%lld, %lld] but got: [%lld, %lld].",
                       (long long)a->size[0], (long long)a->size[2], (long long)b->size[0], (long long)b->size[1]);
  return TSR_OK;
}

tsr_status tsr_bmm(tsr_ctx *ctx, tsr_tensor **out, tsr_tensor *a, tsr_tensor *b) {
  TSR_TRY(check_bmm(ctx, a, b));
  if (a->dtype != b->dtype) return tsr_op_fail(ctx, "expected scalar type %s but found %s", dtype_of(a), dtype_of(b));
  return tsr_product_any(ctx, out, "bmm", a->size[0], a->size[1], b->size[2], a->size[2], tsr_side_of(a), tsr_side_of(b));
}

TSR_KERNEL(bmm) {
  tsr_tensor *y;
  TSR_TRY(check_bmm(c->ctx, tsr_arg_tensor(c, 0), tsr_arg_tensor(c, 1)));
  TSR_TRY(tsr_out_same(c, 0, (tsr_dtype)tsr_arg_tensor(c, 1)->dtype));
  TSR_TRY(tsr_bmm(c->ctx, &y, tsr_arg_tensor(c, 0), tsr_arg_tensor(c, 1)));
  return tsr_ret_tensor(c, 0, y);
}

/* ---- matmul ---- */

static tsr_status dot(tsr_ctx *ctx, tsr_tensor **out, tsr_tensor *a, tsr_tensor *b) {
  if (a->ndim != 1 || b->ndim != 1) return tsr_op_fail(ctx, "1D tensors expected, but got %dD and %dD tensors", a->ndim, b->ndim);
  if (a->dtype != b->dtype)
    return tsr_op_fail(ctx, "dot : expected both vectors to have same dtype, but found %s and %s", dtype_of(a), dtype_of(b));
  if (a->size[0] != b->size[0])
    return tsr_op_fail(ctx, "inconsistent tensor size, expected tensor [%lld] and src [%lld] to have the same number of elements, but got %lld and %lld elements respectively",
                       (long long)a->size[0], (long long)b->size[0], (long long)a->size[0], (long long)b->size[0]);
  tsr_side x = {a, 0, 0, a->stride[0]}, y = {b, 0, b->stride[0], 1};
  TSR_TRY(tsr_product_any(ctx, out, "dot", -1, 1, 1, a->size[0], x, y));
  return tsr_view_as(ctx, out, *out, 0, NULL);
}

static tsr_status mv(tsr_ctx *ctx, tsr_tensor **out, tsr_tensor *a, tsr_tensor *v) {
  if (a->ndim != 2 || v->ndim != 1) return tsr_op_fail(ctx, "vector + matrix @ vector expected, got %d, %d, %d", 1, a->ndim, v->ndim);
  if (a->size[1] != v->size[0])
    return tsr_op_fail(ctx, "size mismatch, got input (%lld), mat (%lldx%lld), vec (%lld)", (long long)a->size[0], (long long)a->size[0],
                       (long long)a->size[1], (long long)v->size[0]);
  if (a->dtype != v->dtype)
    return tsr_op_fail(ctx, "addmv input tensors must have the same dtype, but got %s, %s, and %s", dtype_of(v), dtype_of(a), dtype_of(v));
  tsr_side y = {v, 0, v->stride[0], 1};
  TSR_TRY(tsr_product_any(ctx, out, "addmv_impl_cpu", -1, a->size[0], 1, a->size[1], tsr_side_of(a), y));
  return tsr_view_as(ctx, out, *out, 1, a->size);
}

static int64_t product_of(const int64_t *size, int n) {
  int64_t p = 1;
  for (int d = 0; d < n; d++) p *= size[d];
  return p;
}

/* One matrix against a stack: the stack's rows as one tall matrix. */
static tsr_status fold(tsr_ctx *ctx, tsr_tensor **out, tsr_tensor *a, tsr_tensor *b) {
  int n = a->ndim;
  int64_t rows = product_of(a->size, n - 1);
  TSR_TRY(tsr_reshape(ctx, &a, a, 2, (int64_t[]){rows, a->size[n - 1]}));
  if (b->ndim == 1) return mv(ctx, out, a, b);
  return mm(ctx, out, a, b);
}

/* Leading dimensions as one, without a copy where strides allow; a stack of one repeats with step 0. */
static tsr_status stack_of(tsr_ctx *ctx, tsr_tensor **out, tsr_tensor *t, int nb, const int64_t *batch) {
  int64_t size[TSR_MAX_NDIM], flat[3] = {product_of(batch, nb), t->size[t->ndim - 2], t->size[t->ndim - 1]};
  if (t->ndim == 2 || product_of(t->size, t->ndim - 2) == 1) {
    int64_t stride[3] = {0, t->stride[t->ndim - 2], t->stride[t->ndim - 1]};
    return tsr_new_view(ctx, out, t, t->offset, 3, flat, stride);
  }
  memcpy(size, batch, (size_t)nb * sizeof *size);
  memcpy(size + nb, flat + 1, 2 * sizeof *size);
  TSR_TRY(tsr_expand(ctx, out, t, nb + 2, size));
  return tsr_reshape(ctx, out, *out, 3, flat);
}

/* float32 stacks of one or two dimensions as they lie, whatever their strides. */
static tsr_status stacks_f32(tsr_ctx *ctx, tsr_tensor **out, tsr_tensor *a, tsr_tensor *b, int nb, const int64_t *batch) {
  int64_t size[4] = {batch[0]}, m = a->size[a->ndim - 2], k = a->size[a->ndim - 1], n = b->size[b->ndim - 1];
  int64_t ab[4], bb[4];
  void *c;
  memcpy(size, batch, (size_t)nb * sizeof *size);
  memcpy(ab, size, sizeof ab);
  memcpy(bb, size, sizeof bb);
  ab[nb] = m, ab[nb + 1] = bb[nb] = k, bb[nb + 1] = n;
  TSR_TRY(tsr_expand(ctx, &a, a, nb + 2, ab));
  TSR_TRY(tsr_expand(ctx, &b, b, nb + 2, bb));
  size[nb] = m, size[nb + 1] = n;
  TSR_TRY(tsr_new(ctx, out, TSR_FLOAT32, nb + 2, size));
  TSR_TRY(tsr_data_mut(ctx, *out, &c));
  tsr_product p = {.m = m, .n = n, .k = k, .count = product_of(batch, nb), .a = {tsr_tensor_data_ro(a), a->stride[nb], a->stride[nb + 1]},
                   .b = {tsr_tensor_data_ro(b), b->stride[nb], b->stride[nb + 1]}, .c = c, .ldc = n, .a_step = a->stride[nb - 1],
                   .b_step = b->stride[nb - 1], .c_step = m * n};
  bool even = nb < 2 || (a->stride[0] == batch[1] * a->stride[1] && b->stride[0] == batch[1] * b->stride[1]);
  if (!even) p.inner = batch[1], p.a_outer = a->stride[0], p.b_outer = b->stride[0];
  return tsr_gemm_product(ctx, &p);
}

static tsr_status matmul_stacks(tsr_ctx *ctx, tsr_tensor **out, tsr_tensor *a, tsr_tensor *b, bool a_vector, bool b_vector) {
  int nb;
  int64_t batch[TSR_MAX_NDIM], size[TSR_MAX_NDIM];
  TSR_TRY(tsr_broadcast_sizes(ctx, a->ndim - 2, a->size, b->ndim - 2, b->size, &nb, batch));
  int64_t k = a->size[a->ndim - 1];
  if (a->dtype == TSR_FLOAT32 && b->dtype == TSR_FLOAT32 && nb <= 2 && !a_vector && !b_vector && k > 0 && k == b->size[b->ndim - 2])
    return stacks_f32(ctx, out, a, b, nb, batch);
  TSR_TRY(stack_of(ctx, &a, a, nb, batch));
  TSR_TRY(stack_of(ctx, &b, b, nb, batch));
  TSR_TRY(tsr_bmm(ctx, out, a, b));
  int n = nb;
  memcpy(size, batch, (size_t)nb * sizeof *size);
  if (!a_vector) size[n++] = a->size[1];
  if (!b_vector) size[n++] = b->size[2];
  return tsr_view_as(ctx, out, *out, n, size);
}

tsr_status tsr_matmul(tsr_ctx *ctx, tsr_tensor **out, tsr_tensor *a, tsr_tensor *b) {
  int an = a->ndim, bn = b->ndim;
  if (an == 0 || bn == 0)
    return tsr_op_fail(ctx, "both arguments to matmul need to be at least 1D, but they are %dD and %dD", an, bn);
  if (an == 1 && bn == 1) return dot(ctx, out, a, b);
  if (an == 2 && bn == 1) return mv(ctx, out, a, b);
  if (an == 2 && bn == 2) return mm(ctx, out, a, b);
  if (an == 1 && bn == 2) {
    TSR_TRY(tsr_unsqueeze(ctx, &a, a, 0));
    TSR_TRY(mm(ctx, out, a, b));
    return tsr_view_as(ctx, out, *out, 1, (*out)->size + 1);
  }
  if (bn <= 2) {
    int64_t size[TSR_MAX_NDIM];
    memcpy(size, a->size, (size_t)an * sizeof *size);
    if (bn == 2) size[an - 1] = b->size[1];
    TSR_TRY(fold(ctx, out, a, b));
    return tsr_view_as(ctx, out, *out, bn == 2 ? an : an - 1, size);
  }
  if (an == 1) TSR_TRY(tsr_unsqueeze(ctx, &a, a, 0));
  return matmul_stacks(ctx, out, a, b, an == 1, false);
}

/* The out argument of a dot product has the first operand's type; that of a matrix and a vector, where it may be read as addmv's self, the type of both. */
static tsr_status check_vector_out(tsr_call *c, const tsr_tensor *a, const tsr_tensor *b) {
  tsr_dtype got;
  if (a->ndim > 0 && b->ndim == 2) return a->size[a->ndim - 1] == b->size[0] ? tsr_out_same(c, 0, (tsr_dtype)a->dtype) : TSR_OK;
  if (b->ndim != 1 || a->ndim < 1 || a->ndim > 2 || !tsr_out_dtype(c, 0, &got)) return TSR_OK;
  if (a->ndim == 1) return got == a->dtype ? TSR_OK : tsr_op_fail(c->ctx, "result dtype %s does not match input dtype %s", tsr_dtype_get_info(got)->cpp_name, dtype_of(a));
  const tsr_tensor *y = c->outs[0].t;
  if (a->size[1] != b->size[0] || (a->dtype == b->dtype && got == a->dtype)) return TSR_OK;
  if (y->ndim <= 1 && (y->numel == a->size[0] || y->numel == 1))
    return tsr_op_fail(c->ctx, "addmv input tensors must have the same dtype, but got %s, %s, and %s", dtype_of(y), dtype_of(a), dtype_of(b));
  return a->dtype == b->dtype ? tsr_out_same(c, 0, (tsr_dtype)a->dtype) : TSR_OK;
}

tsr_status tsr_matmul_out_row(tsr_call *c, const tsr_tensor *a, const tsr_tensor *b, const tsr_tensor *y) {
  if (c->outs == NULL || a->ndim != 1 || b->ndim != 2 || c->outs[0].t->dtype != y->dtype) return TSR_OK;
  int64_t size[] = {1, y->size[0]}, step = 1;
  tsr_tensor *out = c->outs[0].t;
  TSR_TRY(tsr_resize(c->ctx, out, 2, size));
  return tsr_tensor_set_dims(out, 1, y->size, &step) ? TSR_OK : tsr_ctx_nomem(c->ctx);
}

TSR_KERNEL(matmul) {
  tsr_tensor *y, *a = tsr_arg_tensor(c, 0), *b = tsr_arg_tensor(c, 1);
  TSR_TRY(check_vector_out(c, a, b));
  if ((c->constant & 2) != 0 && c->site != NULL && b->ndim == 2 && a->ndim >= 2 && a->dtype == b->dtype) TSR_TRY(mm_site(c, &y, a, 1, NULL, NULL));
  else TSR_TRY(tsr_matmul(c->ctx, &y, a, b));
  TSR_TRY(tsr_matmul_out_row(c, a, b, y));
  return tsr_ret_tensor(c, 0, y);
}

TSR_KERNEL(dot) {
  tsr_tensor *y;
  TSR_TRY(check_vector_out(c, tsr_arg_tensor(c, 0), tsr_arg_tensor(c, 1)));
  TSR_TRY(dot(c->ctx, &y, tsr_arg_tensor(c, 0), tsr_arg_tensor(c, 1)));
  return tsr_ret_tensor(c, 0, y);
}

TSR_KERNEL(vdot) {
  tsr_tensor *y, *a = tsr_arg_tensor(c, 0), *b = tsr_arg_tensor(c, 1);
  TSR_TRY(check_vector_out(c, a, b));
  if (tsr_dtype_is_complex((tsr_dtype)a->dtype) && a->dtype == b->dtype) TSR_TRY(tsr_unary(c->ctx, &a, "conj_physical", a));
  TSR_TRY(dot(c->ctx, &y, a, b));
  return tsr_ret_tensor(c, 0, y);
}

TSR_KERNEL(mv) {
  tsr_tensor *y;
  if (tsr_arg_tensor(c, 0)->ndim == 2) TSR_TRY(check_vector_out(c, tsr_arg_tensor(c, 0), tsr_arg_tensor(c, 1)));
  TSR_TRY(mv(c->ctx, &y, tsr_arg_tensor(c, 0), tsr_arg_tensor(c, 1)));
  return tsr_ret_tensor(c, 0, y);
}

TSR_KERNEL(inner) {
  tsr_tensor *y, *a = tsr_arg_tensor(c, 0), *b = tsr_arg_tensor(c, 1);
  if (a->ndim == 0 || b->ndim == 0) {
    TSR_TRY(tsr_binary(c->ctx, &y, "mul", a, b));
    return tsr_ret_tensor(c, 0, y);
  }
  if (a->size[a->ndim - 1] != b->size[b->ndim - 1]) {
    char as[256], bs[256];
    tsr_sizes_print(as, sizeof as, a->ndim, a->size);
    tsr_sizes_print(bs, sizeof bs, b->ndim, b->size);
    return tsr_op_fail(c->ctx, "inner() the last dimension must match on both input tensors but got shapes %s and %s", as, bs);
  }
  tsr_list *last = tsr_list_new(c->ctx->mem, &tsr_type_int, 1);
  if (last == NULL) return tsr_ctx_nomem(c->ctx);
  tsr_list_push_take(last, tsr_int(-1));
  TSR_TRY(tsr_temp(c->ctx, tsr_from_obj(last)));
  tsr_val args[] = {c->args[0], c->args[1], tsr_from_obj(last), tsr_from_obj(last)}, ret;
  TSR_TRY(tsr_invoke_for(c->ctx, tsr_op_get("aten::tensordot", ""), args, 4, &ret, 1, c->outs));
  return tsr_ret_tensor(c, 0, ret.t);
}

/* outer, ger: every product of two vectors. */
static tsr_status outer(tsr_ctx *ctx, tsr_tensor **out, tsr_tensor *a, tsr_tensor *b) {
  TSR_TRY(tsr_unsqueeze(ctx, &a, a, 1));
  return tsr_binary(ctx, out, "mul", a, b);
}

TSR_KERNEL(outer) {
  tsr_tensor *y, *a = tsr_arg_tensor(c, 0), *b = tsr_arg_tensor(c, 1);
  if (a->ndim != 1) return tsr_op_fail(c->ctx, "outer: Expected 1-D argument self, but got %d-D", a->ndim);
  if (b->ndim != 1) return tsr_op_fail(c->ctx, "outer: Expected 1-D argument vec2, but got %d-D", b->ndim);
  TSR_TRY(outer(c->ctx, &y, a, b));
  return tsr_ret_tensor(c, 0, y);
}

/* ---- beta * self + alpha * product ---- */

static bool is_one(tsr_scalar s) { return s.tag == TSR_V_COMPLEX ? s.z.re == 1 && s.z.im == 0 : s.d == 1; }
static bool is_zero(tsr_scalar s) { return s.tag == TSR_V_COMPLEX ? s.z.re == 0 && s.z.im == 0 : s.d == 0; }
static bool is_narrow(tsr_tensor *t) { return t->dtype == TSR_FLOAT16 || t->dtype == TSR_BFLOAT16; }

/* Integer tensors take integer factors: 0.5 counts as 0. */
static tsr_scalar factor_for(tsr_tensor *t, tsr_scalar s) {
  return tsr_dtype_is_integral((tsr_dtype)t->dtype, true) ? tsr_scalar_int(s.i) : s;
}

/* self is expanded to the product's shape; with beta 0 it is not read (its NaN do not count). */
static tsr_status blend(tsr_ctx *ctx, tsr_tensor **out, tsr_tensor *self, tsr_tensor *prod, tsr_scalar beta, tsr_scalar alpha) {
  tsr_dtype d = (tsr_dtype)self->dtype;
  beta = factor_for(self, beta);
  alpha = factor_for(self, alpha);
  TSR_TRY(tsr_expand(ctx, &self, self, prod->ndim, prod->size));
  if (is_narrow(self)) {
    TSR_TRY(tsr_to_dtype(ctx, &self, self, TSR_FLOAT32));
    TSR_TRY(tsr_to_dtype(ctx, &prod, prod, TSR_FLOAT32));
  }
  *out = prod;
  if (!is_one(alpha)) TSR_TRY(tsr_binary_scalar(ctx, out, "mul", *out, alpha));
  if (!is_zero(beta)) {
    if (!is_one(beta)) TSR_TRY(tsr_binary_scalar(ctx, &self, "mul", self, beta));
    TSR_TRY(tsr_binary(ctx, out, "add", *out, self));
  }
  return tsr_to_dtype(ctx, out, *out, d);
}

/* BLAS does not multiply with a factor of 0: neither NaN nor infinities of the product count.  PyTorch's own loops do. */
static tsr_status forget(tsr_ctx *ctx, tsr_tensor *prod, tsr_scalar alpha, bool complex) {
  if (!is_zero(alpha) || !(prod->dtype == TSR_FLOAT32 || prod->dtype == TSR_FLOAT64 || (complex && tsr_dtype_is_complex((tsr_dtype)prod->dtype)))) return TSR_OK;
  return tsr_fill(ctx, prod, tsr_scalar_int(0));
}

static tsr_status widen(tsr_ctx *ctx, tsr_tensor **a, tsr_tensor **b) {
  if (!is_narrow(*a)) return TSR_OK;
  TSR_TRY(tsr_to_dtype(ctx, a, *a, TSR_FLOAT32));
  return tsr_to_dtype(ctx, b, *b, TSR_FLOAT32);
}

TSR_KERNEL(addmm) {
  tsr_ctx *ctx = c->ctx;
  tsr_tensor *y, *self = tsr_arg_tensor(c, 0), *a = tsr_arg_tensor(c, 1), *b = tsr_arg_tensor(c, 2);
  tsr_scalar beta = tsr_arg_scalar(c, 3), alpha = tsr_arg_scalar(c, 4);
  if (a->ndim != 2) return tsr_op_fail(ctx, "mat1 must be a matrix, got %d-D tensor", a->ndim);
  if (b->ndim != 2) return tsr_op_fail(ctx, "mat2 must be a matrix, got %d-D tensor", b->ndim);
  TSR_TRY(check_mm(ctx, a, b));
  if (self->dtype != b->dtype) return tsr_op_fail(ctx, "self and mat2 must have the same dtype, but got %s and %s", dtype_of(self), dtype_of(b));
  if (a->dtype != b->dtype) return tsr_op_fail(ctx, "mat1 and mat2 must have the same dtype, but got %s and %s", dtype_of(a), dtype_of(b));
  if ((c->op->flags & TSR_INPLACE) == 0 && self->ndim == 2 && self->size[0] == 1 && self->size[1] == b->size[1]) TSR_TRY(tsr_squeeze_dim(ctx, &self, self, 0));
  bool row = self->ndim == 1 && self->size[0] == b->size[1];
  bool whole = self->ndim == 2 && self->size[0] == a->size[0] && self->size[1] == b->size[1];
  if (is_one(beta) && is_one(alpha) && self->dtype == TSR_FLOAT32 && (row || whole) && (c->op->flags & TSR_INPLACE) == 0) {
    TSR_TRY(mm_site(c, &y, a, 2, row ? self : NULL, row ? NULL : self));
  } else {
    tsr_tensor *self_wide, *like;
    int64_t size[2] = {a->size[0], b->size[1]};
    if ((c->op->flags & TSR_INPLACE) != 0 && !whole) {
      char have[256], want[64];
      tsr_sizes_print(have, sizeof have, tsr_arg_tensor(c, 0)->ndim, tsr_arg_tensor(c, 0)->size);
      tsr_sizes_print(want, sizeof want, 2, size);
      return tsr_op_fail(ctx, "Bad in-place call: input tensor size %s and output tensor size %s should match", have, want);
    }
    TSR_TRY(tsr_out_same(c, 0, (tsr_dtype)a->dtype));
    TSR_TRY(tsr_expand(ctx, &self_wide, self, 2, size));
    like = self_wide;
    TSR_TRY(widen(ctx, &a, &b));
    TSR_TRY(mm(ctx, &y, a, b));
    if (!is_narrow(self)) TSR_TRY(forget(ctx, y, alpha, true));
    TSR_TRY(blend(ctx, &y, like, y, beta, alpha));
  }
  return tsr_ret_tensor(c, 0, y);
}

static tsr_status prepare_addmm(tsr_call *c) {
  bool plain = (c->constant & 0x18) == 0x18 && is_one(tsr_arg_scalar(c, 3)) && is_one(tsr_arg_scalar(c, 4));
  return plain ? prepare_mm(c, 2) : TSR_OK;
}

TSR_KERNEL(addmm_activation) {
  tsr_epi epi = {.act = tsr_arg_bool(c, 5) ? TSR_ACT_GELU : TSR_ACT_RELU};
  TSR_TRY(op_addmm(c));
  tsr_tensor *y = c->rets[0].t;
  TSR_TRY(tsr_temp(c->ctx, c->rets[0]));
  c->rets[0] = tsr_none();
  TSR_TRY(tsr_act_apply(c->ctx, &y, y, &epi));
  return tsr_ret_tensor(c, 0, y);
}

TSR_KERNEL(addmv) {
  tsr_ctx *ctx = c->ctx;
  tsr_tensor *y, *self = tsr_arg_tensor(c, 0), *a = tsr_arg_tensor(c, 1), *v = tsr_arg_tensor(c, 2);
  if (self->ndim > 1 || a->ndim != 2 || v->ndim != 1)
    return tsr_op_fail(ctx, "vector + matrix @ vector expected, got %d, %d, %d", self->ndim, a->ndim, v->ndim);
  if (a->size[1] != v->size[0] || (self->ndim == 1 && self->size[0] != 1 && self->size[0] != a->size[0]))
    return tsr_op_fail(ctx, "size mismatch, got input (%lld), mat (%lldx%lld), vec (%lld)", self->ndim == 1 ? (long long)self->size[0] : (long long)a->size[0],
                       (long long)a->size[0], (long long)a->size[1], (long long)v->size[0]);
  if (self->dtype != a->dtype || a->dtype != v->dtype)
    return tsr_op_fail(ctx, "addmv input tensors must have the same dtype, but got %s, %s, and %s", dtype_of(self), dtype_of(a), dtype_of(v));
  TSR_TRY(widen(ctx, &a, &v));
  TSR_TRY(mv(ctx, &y, a, v));
  if (!is_narrow(self)) TSR_TRY(forget(ctx, y, tsr_arg_scalar(c, 4), false));
  TSR_TRY(blend(ctx, &y, self, y, tsr_arg_scalar(c, 3), tsr_arg_scalar(c, 4)));
  return tsr_ret_tensor(c, 0, y);
}

TSR_KERNEL(baddbmm) {
  tsr_ctx *ctx = c->ctx;
  tsr_tensor *y, *self = tsr_arg_tensor(c, 0), *a = tsr_arg_tensor(c, 1), *b = tsr_arg_tensor(c, 2);
  tsr_tensor *wide = NULL;
  if (a->ndim == 3 && b->ndim == 3) {
    int64_t size[3] = {a->size[0], a->size[1], b->size[2]};
    TSR_TRY(tsr_expand(ctx, &wide, self, 3, size));
    if (self->dtype != a->dtype)
      return tsr_op_fail(ctx, "Input dtypes must be the same, got: input %s, batch1: %s, batch2: %s", tsr_dtype_c_name((tsr_dtype)self->dtype),
                         tsr_dtype_c_name((tsr_dtype)a->dtype), tsr_dtype_c_name((tsr_dtype)b->dtype));
  }
  TSR_TRY(check_bmm(ctx, a, b));
  TSR_TRY(tsr_out_same(c, 0, (tsr_dtype)b->dtype));
  if ((c->op->flags & TSR_INPLACE) != 0 && self->dtype != b->dtype)
    return tsr_op_fail(ctx, "Bad in-place call: input tensor dtype %s and output tensor dtype %s should match", tsr_dtype_c_name((tsr_dtype)self->dtype), tsr_dtype_c_name((tsr_dtype)b->dtype));
  if (a->dtype != b->dtype) return tsr_op_fail(ctx, "expected scalar type %s but found %s", dtype_of(a), dtype_of(b));
  TSR_TRY(widen(ctx, &a, &b));
  TSR_TRY(tsr_bmm(ctx, &y, a, b));
  TSR_TRY(blend(ctx, &y, wide, y, tsr_arg_scalar(c, 3), tsr_arg_scalar(c, 4)));
  return tsr_ret_tensor(c, 0, y);
}

/* Half types: PyTorch adds one product of the stack after the other, rounding each time. */
static tsr_status addbmm_narrow(tsr_call *c, tsr_tensor *y, tsr_tensor *a, tsr_tensor *b) {
  tsr_ctx *ctx = c->ctx;
  tsr_scalar beta = tsr_arg_scalar(c, 3), alpha = tsr_arg_scalar(c, 4);
  if (a->size[0] == 0) {
    tsr_tensor *zero;
    TSR_TRY(tsr_new(ctx, &zero, (tsr_dtype)a->dtype, 2, y->size));
    TSR_TRY(tsr_fill(ctx, zero, tsr_scalar_int(0)));
    TSR_TRY(blend(ctx, &y, y, zero, beta, alpha));
  }
  for (int64_t i = 0; i < a->size[0]; i++) {
    tsr_tensor *ai, *bi, *p;
    TSR_TRY(tsr_select(ctx, &ai, a, 0, i));
    TSR_TRY(tsr_select(ctx, &bi, b, 0, i));
    TSR_TRY(widen(ctx, &ai, &bi));
    TSR_TRY(mm(ctx, &p, ai, bi));
    TSR_TRY(blend(ctx, &y, y, p, i == 0 ? beta : tsr_scalar_int(1), alpha));
  }
  return tsr_ret_tensor(c, 0, y);
}

/* self + the sum over the stack: one product of [n, b*k] and [b*k, m]. */
TSR_KERNEL(addbmm) {
  tsr_ctx *ctx = c->ctx;
  tsr_tensor *y, *self = tsr_arg_tensor(c, 0), *a = tsr_arg_tensor(c, 1), *b = tsr_arg_tensor(c, 2), *wide;
  if (a->ndim != 3) return tsr_op_fail(ctx, "batch1 must be a 3D tensor");
  if (b->ndim != 3) return tsr_op_fail(ctx, "batch2 must be a 3D tensor");
  if (a->size[0] != b->size[0])
    return tsr_op_fail(ctx, "batch1 and batch2 must have same number of batches, got %lld and %lld", (long long)a->size[0], (long long)b->size[0]);
  if (a->size[2] != b->size[1])
    return tsr_op_fail(ctx, "Incompatible matrix sizes for bmm (%lldx%lld and %lldx%lld)", (long long)a->size[1], (long long)a->size[2],
                       (long long)b->size[1], (long long)b->size[2]);
  int64_t size[2] = {a->size[1], b->size[2]}, k = a->size[0] * a->size[2];
  TSR_TRY(tsr_expand(ctx, &wide, self, 2, size));
  tsr_dtype d = (tsr_dtype)self->dtype;
  tsr_out_dtype(c, 0, &d); /* PyTorch copies self into the result first */
  if (d != b->dtype) return tsr_op_fail(ctx, "self and mat2 must have the same dtype, but got %s and %s", tsr_dtype_get_info(d)->cpp_name, dtype_of(b));
  TSR_TRY(tsr_to_dtype(ctx, &wide, wide, d));
  if (a->dtype != b->dtype) return tsr_op_fail(ctx, "mat1 and mat2 must have the same dtype, but got %s and %s", dtype_of(a), dtype_of(b));
  if (is_narrow(a)) return addbmm_narrow(c, wide, a, b);
  TSR_TRY(tsr_permute(ctx, &a, a, (int64_t[]){1, 0, 2}));
  TSR_TRY(tsr_reshape(ctx, &a, a, 2, (int64_t[]){size[0], k}));
  TSR_TRY(tsr_reshape(ctx, &b, b, 2, (int64_t[]){k, size[1]}));
  TSR_TRY(mm(ctx, &y, a, b));
  TSR_TRY(forget(ctx, y, tsr_arg_scalar(c, 4), true));
  TSR_TRY(blend(ctx, &y, wide, y, tsr_arg_scalar(c, 3), tsr_arg_scalar(c, 4)));
  return tsr_ret_tensor(c, 0, y);
}

/* addbmm_ takes the shape of the result. */
TSR_KERNEL(addbmm_inplace) {
  tsr_tensor *self = tsr_arg_tensor(c, 0), *y;
  TSR_TRY(op_addbmm(c));
  y = c->rets[0].t;
  TSR_TRY(tsr_temp(c->ctx, c->rets[0]));
  c->rets[0] = tsr_none();
  if (self->ndim != 2 || memcmp(self->size, y->size, sizeof *y->size * 2) != 0) TSR_TRY(tsr_resize(c->ctx, self, 2, y->size));
  TSR_TRY(tsr_copy_into(c->ctx, self, y));
  return tsr_ret_tensor(c, 0, self);
}

TSR_KERNEL(addr) {
  tsr_ctx *ctx = c->ctx;
  tsr_tensor *y, *self = tsr_arg_tensor(c, 0), *a = tsr_arg_tensor(c, 1), *b = tsr_arg_tensor(c, 2), *wide;
  tsr_scalar beta = tsr_arg_scalar(c, 3), alpha = tsr_arg_scalar(c, 4);
  if (a->ndim != 1) return tsr_op_fail(ctx, "addr: Expected 1-D argument vec1, but got %d-D", a->ndim);
  if (b->ndim != 1) return tsr_op_fail(ctx, "addr: Expected 1-D argument vec2, but got %d-D", b->ndim);
  int64_t size[2] = {a->size[0], b->size[0]};
  if ((c->op->flags & TSR_INPLACE) != 0 && self->ndim != 2) return tsr_op_fail(ctx, "2D tensor expected, got %dD tensor for input", self->ndim);
  if ((c->op->flags & TSR_INPLACE) != 0 && memcmp(self->size, size, sizeof size) != 0)
    return tsr_op_fail(ctx, "size mismatch, input: [%lld, %lld], v1: [%lld], v2: [%lld]", (long long)self->size[0], (long long)self->size[1], (long long)size[0], (long long)size[1]);
  TSR_TRY(tsr_expand(ctx, &wide, self, 2, size));
  tsr_dtype d = tsr_result_type((tsr_tensor *[]){self, a, b}, 3);
  bool logical = d == TSR_BOOL;
  TSR_TRY(outer(ctx, &y, a, b));
  if (self->ndim == 2 && tsr_tensor_is_dense(wide) && wide->numel > 0) { /* laid out like self */
    tsr_tensor *like;
    TSR_TRY(tsr_new_like(ctx, &like, wide, (tsr_dtype)y->dtype));
    TSR_TRY(tsr_copy_into(ctx, like, y));
    y = like;
  }
  TSR_TRY(tsr_to_dtype(ctx, &y, y, d));
  TSR_TRY(tsr_to_dtype(ctx, &wide, wide, d));
  if (logical) {
    if (is_zero(alpha)) TSR_TRY(tsr_fill(ctx, y, tsr_scalar_int(0)));
    if (!is_zero(beta)) TSR_TRY(tsr_binary(ctx, &y, "logical_or", y, wide));
  } else {
    TSR_TRY(blend(ctx, &y, wide, y, beta, alpha));
  }
  return tsr_ret_tensor(c, 0, y);
}

#define TAIL "*, Scalar beta=1, Scalar alpha=1"
#define OUT "Tensor(a!) out) -> Tensor(a!)"

/* The functional row, the in-place one and the out= one. */
#define STRICT (TSR_INPLACE | TSR_STRUCTURED)
#define ADD_ROWS(name, kernel, inplace, flags, args, ...)                                           \
  {"aten::" name "(Tensor self, " args ", " TAIL ") -> Tensor", kernel, TSR_PURE, __VA_ARGS__},     \
  {"aten::" name "_(Tensor(a!) self, " args ", " TAIL ") -> Tensor(a!)", inplace, flags},            \
  {"aten::" name ".out(Tensor self, " args ", " TAIL ", " OUT, kernel, TSR_OUT_SAME}
#define ROWS(name, kernel, args, ...)                                                               \
  {"aten::" name "(" args ") -> Tensor", kernel, TSR_PURE, __VA_ARGS__},                            \
  {"aten::" name ".out(" args ", *, " OUT, kernel, TSR_OUT_SAME}

const tsr_op tsr_ops_matmul[] = {
    ROWS("mm", op_mm, "Tensor self, Tensor mat2", .prepare = prepare_second),
    {"aten::mm.dtype(Tensor self, Tensor mat2, ScalarType out_dtype) -> Tensor", op_mm_dtype, TSR_PURE},
    ROWS("bmm", op_bmm, "Tensor self, Tensor mat2"),
    {"aten::bmm.dtype(Tensor self, Tensor mat2, ScalarType out_dtype) -> Tensor", op_mm_dtype, TSR_PURE},
    ROWS("matmul", op_matmul, "Tensor self, Tensor other", .prepare = prepare_second),
    ROWS("linalg_matmul", op_matmul, "Tensor self, Tensor other", .prepare = prepare_second),
    ROWS("dot", op_dot, "Tensor self, Tensor tensor"),
    ROWS("vdot", op_vdot, "Tensor self, Tensor other"),
    ROWS("mv", op_mv, "Tensor self, Tensor vec"),
    {"aten::inner(Tensor self, Tensor other) -> Tensor", op_inner, TSR_PURE}, {"aten::inner.out(Tensor self, Tensor other, *, " OUT, op_inner, TSR_OUT},
    {"aten::outer(Tensor self, Tensor vec2) -> Tensor", op_outer, TSR_PURE}, {"aten::outer.out(Tensor self, Tensor vec2, *, " OUT, op_outer, TSR_OUT},
    {"aten::ger(Tensor self, Tensor vec2) -> Tensor", op_outer, TSR_PURE}, {"aten::ger.out(Tensor self, Tensor vec2, *, " OUT, op_outer, TSR_OUT},
    ADD_ROWS("addmm", op_addmm, op_addmm, STRICT, "Tensor mat1, Tensor mat2", .prepare = prepare_addmm),
    ADD_ROWS("addmv", op_addmv, op_addmv, STRICT, "Tensor mat, Tensor vec"),
    ADD_ROWS("baddbmm", op_baddbmm, op_baddbmm, STRICT, "Tensor batch1, Tensor batch2"),
    ADD_ROWS("addbmm", op_addbmm, op_addbmm_inplace, 0, "Tensor batch1, Tensor batch2"),
    {"aten::addr(Tensor self, Tensor vec1, Tensor vec2, " TAIL ") -> Tensor", op_addr, TSR_PURE}, {"aten::addr_(Tensor(a!) self, Tensor vec1, Tensor vec2, " TAIL ") -> Tensor(a!)", op_addr, TSR_INPLACE},
    {"aten::addr.out(Tensor self, Tensor vec1, Tensor vec2, " TAIL ", " OUT, op_addr, TSR_OUT},
    {"aten::_addmm_activation(Tensor self, Tensor mat1, Tensor mat2, *, Scalar beta=1, Scalar alpha=1, bool use_gelu=False) -> Tensor",
     op_addmm_activation, TSR_PURE, .prepare = prepare_addmm},
    {0},
};
