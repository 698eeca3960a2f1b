/* Fuzz target: a pickle, with storages of 64 bytes behind every key.  The first byte chooses whether
 * objects of TorchScript classes are made by hooks (as a model does) or stay opaque. */
#include <stdint.h>

#include "touch.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static tsr_status make_object(void *user, tsr_errrec *e, const char *name, size_t len, tsr_val state, tsr_val *out) {
  (void)user, (void)e, (void)name, (void)len;
  *out = tsr_retain(state);
  return TSR_OK;
}

static tsr_status make_enum(void *user, tsr_errrec *e, const char *name, size_t len, tsr_val value, tsr_val *out) {
  (void)name, (void)len, (void)user;
  if (value.tag != TSR_V_INT) return tsr_fail(e, TSR_EFORMAT, "an enum of ints");
  *out = tsr_retain(value);
  return TSR_OK;
}

static tsr_status persistent(tsr_pvm *v, tsr_val id, tsr_val *out) {
  tsr_pstorage p;
  TSR_TRY(tsr_pvm_parse_storage_id(v, id, &p));
  if (p.nbytes > 64) return tsr_pvm_fail(v, TSR_EFORMAT, "too large");
  tsr_storage *s = tsr_storage_new(v->mem, p.nbytes);
  if (s == NULL) return tsr_pvm_nomem(v);
  if (p.nbytes != 0) memset(s->data, 1, p.nbytes);
  tsr_status st = tsr_pvm_storage_token(v, s, p.dtype, 0, p.numel, out);
  tsr_obj_release(s);
  return st;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  if (size == 0) return 0;
  uint8_t *copy = malloc(size);
  tsr_mem *mem = tsr_mem_new(64 << 20);
  tsr_types *types = tsr_types_new();
  memcpy(copy, data + 1, size - 1);
  const tsr_pickle_hooks hooks = {NULL, make_object, make_enum};
  tsr_pickle_options opt = {
      .mem = mem, .types = types, .hooks = data[0] & 1 ? &hooks : NULL, .prefix = "data", .what = "data.pkl"};
  tsr_errrec e = {0};
  tsr_pvm v;
  tsr_val out;
  size_t used = 0;
  tsr_pvm_init(&v, &opt, &e);
  v.persistent = persistent;
  if (tsr_pvm_run(&v, copy, size - 1, &used, &out) == TSR_OK) {
    touch_all(mem, out);
    tsr_release(out);
    if (tsr_pickle_extent(copy, size - 1) != used) abort();
  } else if (e.status == TSR_OK) {
    abort();
  }
  tsr_pvm_dispose(&v);
  tsr_errrec_dispose(&e);
  tsr_types_release(types);
  if (tsr_mem_used(mem) != 0) abort(); /* a leak: something came to contain itself */
  tsr_mem_close(mem);
  free(copy);
  return 0;
}
