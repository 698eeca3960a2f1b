/* Fuzz target: safetensors files; JSON text when the first byte is 'J'. */
#include <stdint.h>

#include "frontend/formats.h"
#include "touch.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void load_tensors(const tsr_file_env *env, const uint8_t *data, size_t size) {
  tsr_archive *a;
  tsr_val v;
  if (tsr_archive_open_memory(data, size, env->e, &a) != TSR_OK) return;
  if (tsr_safetensors_load(env, a, &v) == TSR_OK) {
    touch_all(env->mem, v);
    tsr_release(v);
  }
  tsr_archive_release(a);
}

/* What was written of what was read reads back as the same text. */
static void load_json(const tsr_file_env *env, const char *text, size_t len) {
  tsr_val v;
  if (tsr_json_parse(env, text, len, &v) != TSR_OK) return;
  tsr_buf one = {0}, two = {0};
  if (tsr_json_write(env, v, &one) != TSR_OK) abort();
  tsr_release(v);
  if (tsr_json_parse(env, one.data, one.len, &v) != TSR_OK || tsr_json_write(env, v, &two) != TSR_OK) abort();
  if (one.len != two.len || memcmp(one.data, two.data, one.len) != 0) abort();
  tsr_release(v);
  tsr_buf_dispose(&one);
  tsr_buf_dispose(&two);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  if (size == 0) return 0;
  uint8_t *copy = malloc(size);
  if (copy == NULL) return 0;
  memcpy(copy, data, size);
  tsr_mem *mem = tsr_mem_new(64 << 20);
  tsr_types *types = tsr_types_new();
  tsr_errrec e = {0};
  tsr_file_env env = {mem, types, &e};
  if (copy[0] == 'J')
    load_json(&env, (const char *)copy + 1, size - 1);
  else
    load_tensors(&env, copy, size);
  tsr_errrec_dispose(&e);
  tsr_types_release(types);
  if (tsr_mem_used(mem) != 0) abort();
  tsr_mem_close(mem);
  free(copy);
  return 0;
}
