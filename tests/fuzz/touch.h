/* Visit everything a value holds, each container once, and read the outermost elements of every tensor:
 * geometry that reaches outside a storage is seen by the address sanitizer. */
#ifndef TSR_TESTS_FUZZ_TOUCH_H
#define TSR_TESTS_FUZZ_TOUCH_H

#include <stdlib.h>

#include "frontend/pickle_vm.h"

typedef struct toucher { tsr_umap seen; tsr_mem *mem; int depth; } toucher;

static void touch_tensor(toucher *t, const tsr_tensor *x) {
  if (x->layout != 0) {
    if (x->sparse == NULL) abort();
    touch_tensor(t, x->sparse->a);
    if (x->sparse->b != NULL) touch_tensor(t, x->sparse->b);
    touch_tensor(t, x->sparse->values);
    return;
  }
  if (tsr_dtype_is_quantized((tsr_dtype)x->dtype) && x->quant == NULL) abort();
  if (x->numel == 0) return;
  int64_t last = 0, first = 0;
  for (int d = 0; d < x->ndim; d++) {
    int64_t span = (x->size[d] - 1) * x->stride[d];
    if (span < 0) first += span;
    else last += span;
  }
  size_t item = tsr_tensor_itemsize(x);
  const volatile unsigned char *p = tsr_tensor_data_ro(x);
  if (p == NULL) abort();
  unsigned char sum = (unsigned char)(p[first * (int64_t)item] + p[last * (int64_t)item + (int64_t)item - 1]);
  if (x->dtype == TSR_BOOL && p[last] > 1) abort();
  tsr_release(tsr_tensor_get(t->mem, x, x->numel - 1));
  (void)sum;
}

static void touch(toucher *t, tsr_val v) {
  if (!tsr_is_boxed(v) || tsr_umap_get(&t->seen, (uint64_t)(uintptr_t)v.o) != NULL) return;
  if (t->depth > 2 * TSR_MAX_DEPTH) abort(); /* the promise of the unpickler */
  if (!tsr_umap_set(&t->seen, (uint64_t)(uintptr_t)v.o, 1)) return;
  t->depth++;
  switch (v.tag) {
  case TSR_V_TENSOR: touch_tensor(t, v.t); break;
  case TSR_V_LIST: for (size_t i = 0; i < v.l->len; i++) touch(t, v.l->items[i]); break;
  case TSR_V_TUPLE: for (size_t i = 0; i < v.u->len; i++) touch(t, v.u->items[i]); break;
  case TSR_V_OBJECT: for (uint32_t i = 0; i < v.obj->count; i++) touch(t, v.obj->slots[i]); break;
  case TSR_V_DICT: for (size_t i = tsr_dict_next(v.m, 0); i < v.m->used; i = tsr_dict_next(v.m, i + 1)) touch(t, v.m->entries[i].value); break;
  default: break;
  }
  t->depth--;
}

static void touch_all(tsr_mem *mem, tsr_val v) {
  toucher t = {.mem = mem};
  touch(&t, v);
  tsr_umap_dispose(&t.seen);
}

#endif
