/* Copies of views (permute_copy, …) and scatters into views (slice_scatter, …).
 *
 * Both run the plain view operator, found by its name: "aten::X_copy.ov" copies what "aten::X.ov"
 * gives, "aten::X_scatter" writes its source through the view of a clone. */
#include <stdio.h>

#include "ops/native.h"
#include "ops/shape.h"

/* The row of the view operator behind this one: name without `suffix`, overload without its "out". */
static const tsr_op *base_row(const tsr_op *op, const char *suffix) {
  char name[64], overload[64] = "";
  size_t len = strcspn(op->schema, "(");
  const char *dot = memchr(op->schema, '.', len);
  size_t name_len = dot != NULL ? (size_t)(dot - op->schema) : len;
  if (name_len <= strlen(suffix) || name_len >= sizeof name || len - name_len >= sizeof overload) return NULL;
  snprintf(name, sizeof name, "%.*s", (int)(name_len - strlen(suffix)), op->schema);
  if (dot != NULL) snprintf(overload, sizeof overload, "%.*s", (int)(len - name_len - 1), dot + 1);
  size_t n = strlen(overload);
  if (n >= 3 && strcmp(overload + n - 3, "out") == 0) overload[n - 3] = 0;
  n = strlen(overload);
  if (n > 0 && overload[n - 1] == '_') overload[n - 1] = 0;
  if (strcmp(name, "aten::view") == 0 && overload[0] == 0) return tsr_op_get("aten::reshape", ""); /* a copy needs no fitting strides */
  return tsr_op_get(name, overload);
}

static tsr_status copy_of(tsr_ctx *ctx, tsr_tensor **out, const tsr_tensor *view) {
  TSR_TRY(tsr_new(ctx, out, (tsr_dtype)view->dtype, view->ndim, view->size));
  return tsr_copy_into(ctx, *out, view);
}

TSR_KERNEL(view_copy) {
  const tsr_op *base = base_row(c->op, "_copy");
  if (base == NULL) return tsr_fail(&c->ctx->err, TSR_EINTERNAL, "no view operator behind %s", c->op->schema);
  if (strncmp(base->schema, "aten::narrow(", 13) == 0 && tsr_arg_int(c, 3) < 0) { /* not PyTorch's own view, which says something else of a negative length */
    const tsr_tensor *x = tsr_arg_tensor(c, 0);
    int64_t dim, start = tsr_arg_int(c, 2);
    TSR_TRY(tsr_wrap_dim(c->ctx, tsr_arg_int(c, 1), x->ndim, &dim));
    int64_t n = x->ndim > 0 ? x->size[dim] : 0;
    if (x->ndim > 0 && start >= -n && start <= n)
      return tsr_op_fail(c->ctx, "start (%lld) + length (%lld) exceeds dimension size (%lld).", (long long)(start < 0 ? start + n : start), (long long)tsr_arg_int(c, 3), (long long)n);
  }
  tsr_val view = tsr_none();
  TSR_TRY(tsr_invoke(c->ctx, base, c->args, c->nargs, &view, 1));
  tsr_tensor *y;
  if (view.tag == TSR_V_TENSOR) {
    TSR_TRY(copy_of(c->ctx, &y, view.t));
    return tsr_ret_tensor(c, 0, y);
  }
  size_t n = view.l->len;
  tsr_tensor **ys = tsr_scratch(c->ctx, (n + 1) * sizeof *ys);
  if (ys == NULL) return tsr_op_nomem(c->ctx);
  for (size_t i = 0; i < n; i++) TSR_TRY(copy_of(c->ctx, &ys[i], view.l->items[i].t));
  return tsr_ret_tensors(c, 0, ys, (int64_t)n);
}

/* A copy's negative length is found where it ends; a view's is refused first. */
TSR_KERNEL(narrow_copy) {
  tsr_tensor *x = tsr_arg_tensor(c, 0), *nothing;
  int64_t start = tsr_arg_int(c, 2), length = tsr_arg_int(c, 3), dim;
  if (length >= 0) return op_view_copy(c);
  TSR_TRY(tsr_narrow(c->ctx, &nothing, x, tsr_arg_int(c, 1), start, 0));
  TSR_TRY(tsr_wrap_dim(c->ctx, tsr_arg_int(c, 1), x->ndim, &dim));
  return tsr_op_fail(c->ctx, "start (%lld) + length (%lld) exceeds dimension size (%lld).", (long long)(start < 0 ? start + x->size[dim] : start), (long long)length, (long long)x->size[dim]);
}

tsr_status tsr_clone_strided(tsr_ctx *ctx, tsr_tensor **out, tsr_tensor *x) {
  int64_t span = (int64_t)(x->storage->nbytes / tsr_tensor_itemsize(x)), one = 1;
  tsr_tensor *flat, *copy;
  bool overlaps = false;
  for (int d = 0; d < x->ndim; d++) overlaps = overlaps || (x->stride[d] == 0 && x->size[d] > 1);
  if (overlaps || tsr_tensor_is_dense(x) || span < x->numel) return tsr_clone(ctx, out, x);
  TSR_TRY(tsr_new_view(ctx, &flat, x, 0, 1, &span, &one));
  TSR_TRY(copy_of(ctx, &copy, flat));
  return tsr_new_view(ctx, out, copy, x->offset, x->ndim, x->size, x->stride);
}

/* args: self, src, the view's own arguments. */
TSR_KERNEL(view_scatter) {
  char overload[16] = "", name[64], got[512], want[512];
  size_t len = strcspn(c->op->schema, ".(") - strlen("_scatter");
  snprintf(name, sizeof name, "%.*s", (int)TSR_MIN(len, 60), c->op->schema);
  if (c->op->data != NULL) snprintf(overload, sizeof overload, "%s", (const char *)c->op->data);
  const tsr_op *base = tsr_op_get(name, overload);
  if (base == NULL || c->nargs > 8) return tsr_fail(&c->ctx->err, TSR_EINTERNAL, "no view operator behind %s", c->op->schema);
  tsr_val args[8], view = tsr_none();
  tsr_tensor *y, *x = tsr_arg_tensor(c, 0), *src = tsr_arg_tensor(c, 1);
  TSR_TRY(tsr_clone_strided(c->ctx, &y, x));
  args[0] = tsr_from_obj(y);
  for (uint32_t i = 2; i < c->nargs; i++) args[i - 1] = c->args[i];
  TSR_TRY(tsr_invoke(c->ctx, base, args, c->nargs - 1, &view, 1));
  if (!tsr_tensor_same_size(view.t, src)) {
    tsr_sizes_print(got, sizeof got, src->ndim, src->size);
    tsr_sizes_print(want, sizeof want, view.t->ndim, view.t->size);
    return tsr_op_fail(c->ctx, "expected src to have a size equal to the slice of self. src size = %s, slice size = %s", got, want);
  }
  TSR_TRY(tsr_copy_into(c->ctx, view.t, src));
  return tsr_ret_tensor(c, 0, y);
}

/* out= forms that fill a list: run the form without out, then copy each result. */
typedef struct list_out_form {
  const char *overload, *words; /* of the form without out; of PyTorch's text about another number of out arguments */
  bool as_is;                   /* each keeps its shape and element type */
} list_out_form;
static const list_out_form out_plain = {"", NULL, false}, out_tensor = {"Tensor", NULL, false}, out_split_copy = {"Tensor", "split_copy_Tensor_out()", true},
                           out_unbind_copy = {"int", "unbind_copy_int_out", false}, out_sizes_copy = {"", "split_with_sizes_copy_out", false};

TSR_KERNEL(list_out) {
  char name[64];
  const list_out_form *form = c->op->data;
  size_t len = strcspn(c->op->schema, ".(");
  snprintf(name, sizeof name, "%.*s", (int)TSR_MIN(len, sizeof name - 1), c->op->schema);
  const tsr_op *base = tsr_op_get(name, form->overload);
  tsr_val results = tsr_none();
  TSR_TRY(tsr_invoke(c->ctx, base, c->args, c->nargs - 1, &results, 1));
  int64_t n;
  tsr_tensor **outs;
  TSR_TRY(tsr_tensors_arg(c, c->nargs - 1, &outs, &n));
  if ((size_t)n != results.l->len) {
    if (form->words != NULL) return tsr_op_fail(c->ctx, "%s expected an out= argument of size %zu, got size %lld", form->words, results.l->len, (long long)n);
    return tsr_op_fail(c->ctx, "%s() expected an out= list of size %zu, got size %lld", name, results.l->len, (long long)n);
  }
  for (int64_t i = 0; i < n; i++) {
    tsr_tensor *y = results.l->items[i].t;
    TSR_TRY(form->as_is ? tsr_copy_into(c->ctx, outs[i], y) : tsr_out_store(c->ctx, outs[i], y));
  }
  return TSR_OK;
}

const tsr_op tsr_ops_view_copy[] = {
    {"aten::view_copy(Tensor self, SymInt[] size) -> Tensor", op_view_copy, TSR_PURE},
    {"aten::view_copy.dtype(Tensor self, ScalarType dtype) -> Tensor", op_view_copy, TSR_PURE},
    {"aten::view_copy.out(Tensor self, SymInt[] size, *, Tensor(a!) out) -> Tensor(a!)", op_view_copy, TSR_OUT_NEW},
    {"aten::view_copy.dtype_out(Tensor self, ScalarType dtype, *, Tensor(a!) out) -> Tensor(a!)", op_view_copy, TSR_OUT_NEW},
    {"aten::unsqueeze_copy(Tensor self, int dim) -> Tensor", op_view_copy, TSR_PURE},
    {"aten::unsqueeze_copy.out(Tensor self, int dim, *, Tensor(a!) out) -> Tensor(a!)", op_view_copy, TSR_OUT_NEW},
    {"aten::transpose_copy.int(Tensor self, int dim0, int dim1) -> Tensor", op_view_copy, TSR_PURE},
    {"aten::transpose_copy.int_out(Tensor self, int dim0, int dim1, *, Tensor(a!) out) -> Tensor(a!)", op_view_copy, TSR_OUT_NEW},
    {"aten::t_copy(Tensor self) -> Tensor", op_view_copy, TSR_PURE},
    {"aten::t_copy.out(Tensor self, *, Tensor(a!) out) -> Tensor(a!)", op_view_copy, TSR_OUT_NEW},
    {"aten::squeeze_copy(Tensor self) -> Tensor", op_view_copy, TSR_PURE},
    {"aten::squeeze_copy.dim(Tensor self, int dim) -> Tensor", op_view_copy, TSR_PURE},
    {"aten::squeeze_copy.dims(Tensor self, int[] dim) -> Tensor", op_view_copy, TSR_PURE},
    {"aten::squeeze_copy.out(Tensor self, *, Tensor(a!) out) -> Tensor(a!)", op_view_copy, TSR_OUT_NEW},
    {"aten::squeeze_copy.dim_out(Tensor self, int dim, *, Tensor(a!) out) -> Tensor(a!)", op_view_copy, TSR_OUT_NEW},
    {"aten::squeeze_copy.dims_out(Tensor self, int[] dim, *, Tensor(a!) out) -> Tensor(a!)", op_view_copy, TSR_OUT_NEW},
    {"aten::split_copy.Tensor(Tensor self, SymInt split_size, int dim=0) -> Tensor[]", op_view_copy, TSR_PURE},
    {"aten::split_with_sizes_copy(Tensor self, SymInt[] split_sizes, int dim=0) -> Tensor[]", op_view_copy, TSR_PURE},
    {"aten::slice_copy.Tensor(Tensor self, int dim=0, SymInt? start=None, SymInt? end=None, SymInt step=1) -> Tensor",
     op_view_copy, TSR_PURE},
    {"aten::slice_copy.Tensor_out(Tensor self, int dim=0, SymInt? start=None, SymInt? end=None, SymInt step=1, *, Tensor(a!) out) -> Tensor(a!)",
     op_view_copy, TSR_OUT_NEW},
    {"aten::select_copy.int(Tensor self, int dim, SymInt index) -> Tensor", op_view_copy, TSR_PURE},
    {"aten::select_copy.int_out(Tensor self, int dim, SymInt index, *, Tensor(a!) out) -> Tensor(a!)", op_view_copy, TSR_OUT_NEW},
    {"aten::_reshape_alias_copy(Tensor self, SymInt[] size, SymInt[] stride) -> Tensor", op_view_copy, TSR_PURE},
    {"aten::_reshape_alias_copy.out(Tensor self, SymInt[] size, SymInt[] stride, *, Tensor(a!) out) -> Tensor(a!)",
     op_view_copy, TSR_OUT_NEW},
    {"aten::permute_copy(Tensor self, int[] dims) -> Tensor", op_view_copy, TSR_PURE},
    {"aten::permute_copy.out(Tensor self, int[] dims, *, Tensor(a!) out) -> Tensor(a!)", op_view_copy, TSR_OUT_NEW},
    {"aten::view_as_complex_copy(Tensor self) -> Tensor", op_view_copy, TSR_PURE},
    {"aten::view_as_complex_copy.out(Tensor self, *, Tensor(a!) out) -> Tensor(a!)", op_view_copy, TSR_OUT_NEW},
    {"aten::view_as_real_copy(Tensor self) -> Tensor", op_view_copy, TSR_PURE},
    {"aten::view_as_real_copy.out(Tensor self, *, Tensor(a!) out) -> Tensor(a!)", op_view_copy, TSR_OUT_NEW},
    {"aten::diagonal_copy(Tensor self, int offset=0, int dim1=0, int dim2=1) -> Tensor", op_view_copy, TSR_PURE},
    {"aten::diagonal_copy.out(Tensor self, int offset=0, int dim1=0, int dim2=1, *, Tensor(a!) out) -> Tensor(a!)",
     op_view_copy, TSR_OUT_NEW},
    {"aten::as_strided_copy(Tensor self, SymInt[] size, SymInt[] stride, SymInt? storage_offset=None) -> Tensor",
     op_view_copy, TSR_PURE},
    {"aten::as_strided_copy.out(Tensor self, SymInt[] size, SymInt[] stride, SymInt? storage_offset=None, *, Tensor(a!) out) -> Tensor(a!)",
     op_view_copy, TSR_OUT_NEW},
    {"aten::unfold_copy(Tensor self, int dimension, int size, int step) -> Tensor", op_view_copy, TSR_PURE},
    {"aten::unfold_copy.out(Tensor self, int dimension, int size, int step, *, Tensor(a!) out) -> Tensor(a!)",
     op_view_copy, TSR_OUT_NEW},
    {"aten::unbind_copy.int(Tensor self, int dim=0) -> Tensor[]", op_view_copy, TSR_PURE},
    {"aten::expand_copy(Tensor self, SymInt[] size, *, bool implicit=False) -> Tensor", op_view_copy, TSR_PURE},
    {"aten::expand_copy.out(Tensor self, SymInt[] size, *, bool implicit=False, Tensor(a!) out) -> Tensor(a!)",
     op_view_copy, TSR_OUT_NEW},
    {"aten::narrow_copy(Tensor self, int dim, SymInt start, SymInt length) -> Tensor", op_narrow_copy, TSR_PURE},
    {"aten::narrow_copy.out(Tensor self, int dim, SymInt start, SymInt length, *, Tensor(a!) out) -> Tensor(a!)",
     op_narrow_copy, TSR_OUT},
    {"aten::_neg_view_copy(Tensor self) -> Tensor", op_view_copy, TSR_PURE},
    {"aten::_neg_view_copy.out(Tensor self, *, Tensor(a!) out) -> Tensor(a!)", op_view_copy, TSR_OUT_NEW},
    {"aten::alias_copy(Tensor self) -> Tensor", op_view_copy, TSR_PURE},
    {"aten::alias_copy.out(Tensor self, *, Tensor(a!) out) -> Tensor(a!)", op_view_copy, TSR_OUT_NEW},
    {"aten::detach_copy(Tensor self) -> Tensor", op_view_copy, TSR_PURE},
    {"aten::detach_copy.out(Tensor self, *, Tensor(a!) out) -> Tensor(a!)", op_view_copy, TSR_OUT_NEW},
    {"aten::lift_fresh_copy(Tensor self) -> Tensor", op_view_copy, TSR_PURE},
    {"aten::lift_fresh_copy.out(Tensor self, *, Tensor(a!) out) -> Tensor(a!)", op_view_copy, TSR_OUT_NEW},
    {"aten::select_scatter(Tensor self, Tensor src, int dim, SymInt index) -> Tensor", op_view_scatter, TSR_PURE, "int"},
    {"aten::select_scatter.out(Tensor self, Tensor src, int dim, SymInt index, *, Tensor(a!) out) -> Tensor(a!)",
     op_view_scatter, TSR_OUT_NEW, "int"},
    {"aten::slice_scatter(Tensor self, Tensor src, int dim=0, SymInt? start=None, SymInt? end=None, SymInt step=1) -> Tensor",
     op_view_scatter, TSR_PURE, "Tensor"},
    {"aten::slice_scatter.out(Tensor self, Tensor src, int dim=0, SymInt? start=None, SymInt? end=None, SymInt step=1, *, Tensor(a!) out) -> Tensor(a!)",
     op_view_scatter, TSR_OUT_NEW, "Tensor"},
    {"aten::diagonal_scatter(Tensor self, Tensor src, int offset=0, int dim1=0, int dim2=1) -> Tensor", op_view_scatter, TSR_PURE},
    {"aten::diagonal_scatter.out(Tensor self, Tensor src, int offset=0, int dim1=0, int dim2=1, *, Tensor(a!) out) -> Tensor(a!)",
     op_view_scatter, TSR_OUT_NEW},
    {"aten::as_strided_scatter(Tensor self, Tensor src, SymInt[] size, SymInt[] stride, SymInt? storage_offset=None) -> Tensor",
     op_view_scatter, TSR_PURE},
    {"aten::as_strided_scatter.out(Tensor self, Tensor src, SymInt[] size, SymInt[] stride, SymInt? storage_offset=None, *, Tensor(a!) out) -> Tensor(a!)",
     op_view_scatter, TSR_OUT_NEW},
    {"aten::unsafe_split_with_sizes.out(Tensor self, SymInt[] split_sizes, int dim=0, *, Tensor(a!)[] out) -> ()",
     op_list_out, 0, &out_plain},
    {"aten::split_copy.Tensor_out(Tensor self, SymInt split_size, int dim=0, *, Tensor(a!)[] out) -> ()",
     op_list_out, 0, &out_split_copy},
    {"aten::unsafe_split.Tensor_out(Tensor self, SymInt split_size, int dim=0, *, Tensor(a!)[] out) -> ()",
     op_list_out, 0, &out_tensor},
    {"aten::unbind_copy.int_out(Tensor self, int dim=0, *, Tensor(a!)[] out) -> ()",
     op_list_out, 0, &out_unbind_copy},
    {"aten::split_with_sizes_copy.out(Tensor self, SymInt[] split_sizes, int dim=0, *, Tensor(a!)[] out) -> ()",
     op_list_out, 0, &out_sizes_copy},
    {"aten::_histogramdd_bin_edges.out(Tensor self, int[] bins, *, float[]? range=None, Tensor? weight=None, bool density=False, Tensor(a!)[] out) -> ()",
     op_list_out, 0, &out_plain},
    {0},
};
