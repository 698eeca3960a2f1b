/* Binary cross entropy of probabilities.
 *
 * PyTorch computes it without dimensions of one element, into a view of the result without them; where the operands broadcast to another shape
 * it is the view that grows, and the result keeps its shape and shows what lies first in the memory they share. */
#include <math.h>

#include "ops/loss.h"
#include "ops/pointwise.h"

static tsr_status squeezed(tsr_ctx *ctx, tsr_tensor **out, const tsr_tensor *t) {
  int64_t size[TSR_MAX_NDIM], stride[TSR_MAX_NDIM];
  int n = 0;
  for (int d = 0; d < t->ndim; d++) {
    if (t->size[d] == 1) continue;
    size[n] = t->size[d];
    stride[n++] = t->stride[d];
  }
  return tsr_new_view(ctx, out, t, t->offset, n, size, stride);
}

static tsr_status same_type(tsr_ctx *ctx, const tsr_tensor *t, const tsr_tensor *x) {
  if (t->dtype == x->dtype) return TSR_OK;
  return tsr_op_fail(ctx, "Found dtype %s but expected %s", tsr_dtype_get_info(t->dtype)->cpp_name, tsr_dtype_get_info(x->dtype)->cpp_name);
}

/* t in double, broadcast to y's shape, in the order of y's memory. */
static tsr_status in_order(tsr_ctx *ctx, const double **out, tsr_tensor *t, const tsr_tensor *y) {
  int64_t order[TSR_MAX_NDIM];
  for (int d = 0; d < y->ndim; d++) {
    int k = d;
    for (; k > 0 && y->stride[order[k - 1]] < y->stride[d]; k--) order[k] = order[k - 1];
    order[k] = d;
  }
  TSR_TRY(tsr_expand(ctx, &t, t, y->ndim, y->size));
  TSR_TRY(tsr_permute(ctx, &t, t, order));
  TSR_TRY(tsr_ready(ctx, &t, t, TSR_FLOAT64));
  *out = tsr_tensor_data_ro(t);
  return TSR_OK;
}

static tsr_status check_probabilities(tsr_ctx *ctx, tsr_tensor *x, tsr_tensor *t, const tsr_tensor *y) {
  const double *p, *q;
  TSR_TRY(in_order(ctx, &p, x, y));
  TSR_TRY(in_order(ctx, &q, t, y));
  for (int64_t i = 0; i < y->numel; i++) {
    if (!(p[i] >= 0 && p[i] <= 1)) return tsr_op_fail(ctx, "all elements of input should be between 0 and 1");
    if (!(q[i] >= 0 && q[i] <= 1)) return tsr_op_fail(ctx, "all elements of target should be between 0 and 1");
  }
  return TSR_OK;
}

/* Losses in the shape that the operands broadcast to. */
static tsr_status losses(tsr_ctx *ctx, tsr_tensor **out, tsr_tensor *x, tsr_tensor *t, const tsr_tensor *into) {
  int64_t size[TSR_MAX_NDIM];
  int n;
  tsr_pw_state s;
  TSR_TRY(squeezed(ctx, &x, x));
  TSR_TRY(squeezed(ctx, &t, t));
  TSR_TRY(tsr_broadcast_sizes(ctx, x->ndim, x->size, t->ndim, t->size, &n, size));
  TSR_TRY(same_type(ctx, into, x));
  TSR_TRY(same_type(ctx, t, x));
  if (!tsr_dtype_is_float((tsr_dtype)x->dtype)) return tsr_not_implemented(ctx, "binary_cross_entropy", (tsr_dtype)x->dtype);
  tsr_pw_begin(&s, ctx, NULL);
  tsr_iter_add_in(&s.it, x);
  tsr_iter_add_in(&s.it, t);
  s.id = TSR_MAP_binary_cross_entropy;
  s.common = (tsr_dtype)x->dtype;
  TSR_TRY(tsr_pw_finish(&s));
  *out = tsr_iter_out(&s.it, 0);
  return check_probabilities(ctx, x, t, *out);
}

static tsr_status binary_cross_entropy(tsr_call *c, tsr_tensor *loss) {
  tsr_ctx *ctx = c->ctx;
  tsr_tensor *w = tsr_arg_opt_tensor(c, 2), *view, *y;
  tsr_val args[2] = {tsr_from_obj(loss), tsr_none()}, ret;
  TSR_TRY(losses(ctx, &y, tsr_arg_tensor(c, 0), tsr_arg_tensor(c, 1), loss));
  TSR_TRY(squeezed(ctx, &view, loss));
  if (!tsr_tensor_same_size(view, y)) {
    TSR_TRY(tsr_resize(ctx, view, y->ndim, y->size));
    if (y->numel > 0 && tsr_tensor_is_dense(y) && !tsr_tensor_set_dims(view, y->ndim, y->size, y->stride)) return tsr_op_nomem(ctx);
  }
  TSR_TRY(tsr_copy_into(ctx, view, y));
  if (w != NULL) {
    args[1] = tsr_from_obj(w);
    TSR_TRY(tsr_invoke(ctx, tsr_op_get("aten::mul_", "Tensor"), args, 2, &ret, 1));
  }
  y = tsr_x_reduce(ctx, loss, tsr_arg_int(c, 3));
  if (y == NULL) return tsr_x_ret(c, 0, NULL);
  if (y != loss) {
    TSR_TRY(tsr_resize(ctx, loss, y->ndim, y->size));
    TSR_TRY(tsr_copy_into(ctx, loss, y));
  }
  return tsr_ret_tensor(c, 0, loss);
}

TSR_KERNEL(binary_cross_entropy) {
  tsr_tensor *x = tsr_arg_tensor(c, 0), *loss;
  TSR_TRY(tsr_new_like(c->ctx, &loss, x, (tsr_dtype)x->dtype));
  TSR_TRY(tsr_fill(c->ctx, loss, tsr_scalar_int(0))); /* more of it may show than is written */
  return binary_cross_entropy(c, loss);
}

TSR_KERNEL(binary_cross_entropy_out) { return binary_cross_entropy(c, tsr_arg_tensor(c, 4)); }

const tsr_op tsr_ops_loss_bce[] = {
    {"aten::binary_cross_entropy(Tensor self, Tensor target, Tensor? weight=None, int reduction=1) -> Tensor",
     op_binary_cross_entropy, TSR_PURE},
    {"aten::binary_cross_entropy.out(Tensor self, Tensor target, Tensor? weight=None, int reduction=1, *, Tensor(a!) out) -> Tensor(a!)",
     op_binary_cross_entropy_out, 0},
    {0},
};
