/* Fuzz target: npy files, and what is written of what was read. */
#include <stdint.h>
#include <unistd.h>

#include "frontend/formats.h"
#include "touch.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  uint8_t *copy = malloc(size + (size == 0));
  if (copy == NULL) return 0;
  if (size != 0) memcpy(copy, data, size);
  tsr_mem *mem = tsr_mem_new(64 << 20);
  tsr_types *types = tsr_types_new();
  tsr_errrec e = {0};
  tsr_file_env env = {mem, types, &e};
  tsr_archive *a;
  tsr_val v;
  if (tsr_archive_open_memory(copy, size, &e, &a) == TSR_OK) {
    tsr_file_kind k = tsr_archive_kind(a);
    if ((k == TSR_FILE_NPZ ? tsr_npz_load : tsr_npy_load)(&env, a, &v) == TSR_OK) {
      touch_all(mem, v);
      tsr_buf b = {0};
      tsr_json_write(&env, v, &b);
      tsr_buf_dispose(&b);
      tsr_release(v);
    }
    tsr_archive_release(a);
  }
  tsr_errrec_dispose(&e);
  tsr_types_release(types);
  if (tsr_mem_used(mem) != 0) abort();
  tsr_mem_close(mem);
  free(copy);
  return 0;
}
