/* From bytes of a file to bytes that tensors can work on. */
#include "frontend/raw.h"

#include <stdlib.h>

#include "frontend/pickle_vm.h"

static void drop_archive(void *user, const void *data) {
  TSR_UNUSED(data);
  tsr_archive_release(user);
}

tsr_storage *tsr_storage_mapped(tsr_mem *mem, tsr_archive *a, const void *data, size_t nbytes) {
  tsr_storage *s = tsr_storage_borrow(mem, data, nbytes, drop_archive, a);
  if (s != NULL) tsr_archive_retain(a);
  return s;
}

void tsr_storage_map(tsr_storage *s, tsr_archive *a, const void *data) {
  s->data = (void *)(uintptr_t)data;
  s->cow = true;
  s->release = drop_archive;
  s->user = a;
  tsr_archive_retain(a);
}

tsr_storage *tsr_storage_raw(tsr_mem *mem, tsr_archive *a, const void *data, size_t nbytes, uint8_t raw) {
  tsr_storage *s = tsr_storage_mapped(mem, a, data, nbytes);
  if (s == NULL) return NULL;
  s->raw = raw | ((uintptr_t)data % 16 != 0 ? TSR_RAW_MISALIGNED : 0);
  return s;
}

/* ---- compressed entries ---- */

typedef struct packed {
  tsr_archive *a;
  size_t entry, skip;
} packed;

static void drop_packed(void *user, const void *data) {
  packed *p = user;
  TSR_UNUSED(data);
  tsr_archive_release(p->a);
  free(p);
}

tsr_storage *tsr_storage_deflated(tsr_mem *mem, tsr_archive *a, size_t entry, size_t skip, uint8_t raw) {
  tsr_entry_info info;
  tsr_archive_entry(a, entry, &info);
  packed *p = malloc(sizeof *p);
  tsr_storage *s = p != NULL ? tsr_storage_borrow(mem, NULL, info.size - skip, drop_packed, p) : NULL;
  if (s == NULL) {
    free(p);
    return NULL;
  }
  *p = (packed){a, entry, skip};
  tsr_archive_retain(a);
  s->raw = raw | TSR_RAW_DEFLATED;
  return s;
}

static void free_block(void *user, const void *data) {
  TSR_UNUSED(data);
  free(user);
}

/* *out: bytes of its own. */
static tsr_status inflate(tsr_mem *mem, tsr_errrec *e, const tsr_storage *s, tsr_storage **out) {
  const packed *p = s->user;
  size_t size = s->nbytes + p->skip;
  char *block = malloc(size + 1);
  if (block == NULL) return tsr_fail_nomem(e);
  tsr_status st = tsr_archive_read_into(p->a, p->entry, e, block, size);
  if (st == TSR_OK) {
    *out = tsr_storage_borrow(mem, block + p->skip, s->nbytes, free_block, block);
    if (*out == NULL) st = tsr_fail_nomem(e);
  }
  if (st != TSR_OK) {
    free(block);
    return st;
  }
  (*out)->cow = false; /* a block of its own */
  if (p->skip % 16 != 0) (*out)->data = memmove(block, block + p->skip, s->nbytes);
  return TSR_OK;
}

void tsr_storage_forget_part(const tsr_storage *s, size_t from, size_t len) {
  const char *data = s->data;
  while (s->base != NULL) s = s->base;
  if (s->release == drop_archive && data != NULL) tsr_archive_forget(s->user, data + from, len);
}

/* Block by block, so that the file's pages need not all be in memory beside the copy. */
static tsr_status copy(tsr_mem *mem, tsr_errrec *e, const tsr_storage *s, tsr_storage **out) {
  enum { BLOCK = 1 << 22 };
  *out = tsr_storage_new(mem, s->nbytes);
  if (*out == NULL) return tsr_mem_hit_limit(mem) ? tsr_fail(e, TSR_ELIMIT, "the memory limit is reached") : tsr_fail_nomem(e);
  for (size_t at = 0; at < s->nbytes; at += BLOCK) {
    size_t n = TSR_MIN(s->nbytes - at, (size_t)BLOCK);
    memcpy((char *)(*out)->data + at, (const char *)s->data + at, n);
    tsr_storage_forget_part(s, at, n);
  }
  return TSR_OK;
}

/* ---- cooking ---- */

tsr_status tsr_storage_cook(tsr_mem *mem, tsr_errrec *e, tsr_storage *s, tsr_dtype dtype, tsr_storage **out) {
  size_t align = TSR_MIN(tsr_dtype_size(dtype), (size_t)16);
  bool packed_bytes = (s->raw & TSR_RAW_DEFLATED) != 0, swap = (s->raw & TSR_RAW_SWAP) != 0 && tsr_dtype_size(dtype) > 1;
  bool crooked = align > 0 && (uintptr_t)s->data % align != 0;
  bool unclean = dtype == TSR_BOOL && (s->raw & TSR_RAW_BOOL) != 0 && !packed_bytes && !tsr_bools_are_clean(s->data, s->nbytes);
  if (s->raw == 0) {
    tsr_obj_retain(s);
    *out = s;
    return TSR_OK;
  }
  if (packed_bytes) {
    TSR_TRY(inflate(mem, e, s, out));
    unclean = dtype == TSR_BOOL;
  } else if (crooked || swap || unclean) {
    TSR_TRY(copy(mem, e, s, out));
  } else {
    *out = tsr_storage_cow(mem, s);
    if (*out == NULL) return tsr_fail_nomem(e);
  }
  if (swap) tsr_swap_bytes((*out)->data, s->nbytes, dtype);
  for (size_t i = 0; unclean && i < s->nbytes; i++) ((uint8_t *)(*out)->data)[i] = ((uint8_t *)(*out)->data)[i] != 0;
  (*out)->entry = s->entry;
  (*out)->saved_on = s->saved_on;
  return TSR_OK;
}

static tsr_status cook_part(tsr_mem *mem, tsr_errrec *e, tsr_tensor **part) {
  tsr_tensor *cooked;
  if (*part == NULL) return TSR_OK;
  TSR_TRY(tsr_tensor_cook(mem, e, *part, &cooked));
  tsr_obj_release(*part);
  *part = cooked;
  return TSR_OK;
}

tsr_status tsr_tensor_cook(tsr_mem *mem, tsr_errrec *e, tsr_tensor *t, tsr_tensor **out) {
  if (t->layout != 0 || t->storage->raw == 0) { /* sparse tensors are made of cooked ones */
    tsr_obj_retain(t);
    *out = t;
    if (t->quant != NULL) {
      TSR_TRY(cook_part(mem, e, &t->quant->scales));
      TSR_TRY(cook_part(mem, e, &t->quant->zero_points));
    }
    return TSR_OK;
  }
  tsr_storage *s = NULL;
  TSR_TRY(tsr_storage_cook(mem, e, t->storage, (tsr_dtype)t->dtype, &s));
  tsr_tensor *made = tsr_tensor_alias(mem, t);
  if (made == NULL) {
    tsr_obj_release(s);
    return tsr_fail_nomem(e);
  }
  tsr_obj_release(made->storage);
  made->storage = s;
  *out = made;
  if (made->quant == NULL) return TSR_OK;
  tsr_status st = cook_part(mem, e, &made->quant->scales);
  if (st == TSR_OK) st = cook_part(mem, e, &made->quant->zero_points);
  if (st != TSR_OK) tsr_obj_release(made);
  return st;
}

void tsr_storage_forget(const tsr_storage *s) { tsr_storage_forget_part(s, 0, s->nbytes); }
