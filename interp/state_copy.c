/* One weight into one tensor of a model: by sharing the file's bytes where nothing has to change. */
#include <stdio.h>
#include <stdlib.h>

#include "frontend/formats.h"
#include "frontend/raw.h"
#include "interp/state.h"

/* The tensor is all of its storage, in some order of dimensions. */
static bool covers(const tsr_tensor *t) {
  return t->offset == 0 && tsr_tensor_is_dense(t) && (size_t)t->numel * tsr_tensor_itemsize(t) == t->storage->nbytes;
}

/* Both visit their elements in the same order. */
static bool same_order(const tsr_tensor *a, const tsr_tensor *b) {
  if (a->ndim != b->ndim) return tsr_tensor_is_contiguous(a) && tsr_tensor_is_contiguous(b);
  for (int d = 0; d < a->ndim; d++)
    if (a->size[d] > 1 && a->stride[d] != b->stride[d]) return false;
  return true;
}

static void scatter(const tsr_tensor *t, int d, char *dst, const char **src) {
  size_t item = tsr_tensor_itemsize(t);
  if (d == t->ndim) {
    memcpy(dst, *src, item);
    *src += item;
    return;
  }
  for (int64_t i = 0; i < t->size[d]; i++) scatter(t, d + 1, dst + i * t->stride[d] * (int64_t)item, src);
}

static tsr_status nomem(tsr_program *p, tsr_errrec *e) {
  return tsr_mem_hit_limit(p->mem) ? tsr_fail(e, TSR_ELIMIT, "the memory limit is reached") : tsr_fail_nomem(e);
}

/* Bytes of its own for a tensor that is all of its storage: what it held is not needed. */
static tsr_status refresh(tsr_program *p, tsr_errrec *e, tsr_tensor *t) {
  tsr_storage *fresh = tsr_storage_new(p->mem, t->storage->nbytes);
  if (fresh == NULL) return nomem(p, e);
  tsr_storage_exchange(t->storage, fresh);
  tsr_obj_release(fresh);
  return TSR_OK;
}

static tsr_status copy_elements(tsr_program *p, tsr_errrec *e, tsr_tensor *t, tsr_tensor *in) {
  tsr_file_env env = {p->mem, p->types, e, false};
  const void *packed = NULL;
  void *owned = NULL, *converted = NULL;
  size_t nbytes, wanted = (size_t)t->numel * tsr_tensor_itemsize(t);
  TSR_TRY(tsr_tensor_pack(&env, in, &packed, &nbytes, &owned));
  tsr_status st = covers(t) ? refresh(p, e, t) : TSR_OK;
  char *dst = st == TSR_OK && t->numel > 0 ? tsr_tensor_data_mut(t) : NULL;
  if (st == TSR_OK && t->numel > 0 && dst == NULL) st = nomem(p, e);
  bool dense = tsr_tensor_is_contiguous(t);
  if (st == TSR_OK && !dense) converted = malloc(wanted + 1);
  if (st == TSR_OK && !dense && converted == NULL) st = tsr_fail_nomem(e);
  if (st == TSR_OK && t->numel > 0) {
    tsr_convert((tsr_dtype)t->dtype, dense ? (void *)dst : converted, (tsr_dtype)in->dtype, packed, t->numel);
    const char *src = converted;
    if (!dense) scatter(t, 0, dst, &src);
  }
  free(owned);
  free(converted);
  return st;
}

/* Why copy_ would refuse, in its words where it has some; NULL: it would not.  text: room for them. */
static const char *refusal(const tsr_tensor *t, const tsr_tensor *x, char *text, size_t size) {
  if (t->layout != 0 || x->layout != 0) {
    snprintf(text, size, "copy_() between dense and sparse Tensors is not implemented! Found self type = torch.%s%sTensor and src type = torch.%s%sTensor",
             t->layout != 0 ? "sparse." : "", tsr_dtype_get_info(t->dtype)->cpp_name, x->layout != 0 ? "sparse." : "", tsr_dtype_get_info(x->dtype)->cpp_name);
    return text;
  }
  bool quantized = tsr_dtype_is_quantized((tsr_dtype)t->dtype), from = tsr_dtype_is_quantized((tsr_dtype)x->dtype);
  if (from && !quantized)
    return "Copying from quantized Tensor to non-quantized Tensor is not allowed, please use dequantize to get a float Tensor from a quantized Tensor";
  if (quantized && !from) return "a plain tensor is not copied into a quantized one: its scale would be a guess";
  if (t->dtype != x->dtype && (tsr_dtype_is_opaque((tsr_dtype)t->dtype) || tsr_dtype_is_opaque((tsr_dtype)x->dtype)))
    return "bits and packed float4 are not converted";
  if (!quantized) return NULL;
  bool alike = t->dtype == x->dtype && t->quant != NULL && x->quant != NULL && t->quant->scheme == x->quant->scheme && t->quant->scales == NULL && x->quant->scales == NULL;
  return alike ? NULL : "quantized tensors of different schemes are not copied";
}

/* A parameter that was saved without data gets room for it. */
static tsr_status give_data(tsr_program *p, tsr_errrec *e, tsr_tensor *t) {
  tsr_storage *s = tsr_storage_new(p->mem, (size_t)t->numel * tsr_tensor_itemsize(t));
  if (s == NULL || !tsr_tensor_set_dims(t, t->ndim, t->size, NULL)) {
    if (s != NULL) tsr_obj_release(s);
    return nomem(p, e);
  }
  tsr_obj_release(t->storage);
  t->storage = s;
  return TSR_OK;
}

tsr_status tsr_state_copy(tsr_program *p, tsr_errrec *e, tsr_tensor *t, const tsr_weight *x, tsr_why *why) {
  tsr_tensor *in = NULL;
  why->why = refusal(t, x->t, why->text, sizeof why->text);
  if (why->why != NULL) return TSR_OK;
  if (t->storage->absent) TSR_TRY(give_data(p, e, t));
  TSR_TRY(tsr_tensor_cook(p->mem, e, x->t, &in));
  tsr_status st = TSR_OK;
  if (t->dtype == in->dtype && covers(t) && same_order(t, in)) {
    tsr_storage_redirect(t->storage, in->storage, (size_t)in->offset * tsr_tensor_itemsize(in));
    if (t->quant != NULL) *t->quant = *in->quant; /* copy_ takes the scale along */
  } else if (t->quant != NULL) {
    why->why = "a quantized tensor of another layout is not copied";
  } else {
    st = copy_elements(p, e, t, in);
  }
  tsr_obj_release(in);
  return st;
}
