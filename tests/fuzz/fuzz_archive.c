/* Fuzz target: bytes of a whole file, through detection, the zip directory, every entry, the loader of
 * torch.save files and the description. */
#include <stdint.h>
#include <sys/mman.h>
#include <unistd.h>

#include "frontend/describe.h"
#include "frontend/formats.h"
#include "frontend/pickle.h"
#include "touch.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void read_entries(tsr_archive *a) {
  uint64_t total = 0;
  for (size_t i = 0; i < tsr_archive_entry_count(a); i++) {
    tsr_errrec e = {0};
    tsr_entry_info info;
    const void *bytes;
    size_t len, index;
    tsr_archive_entry(a, i, &info);
    char *name = strndup(info.name, info.name_len);
    if (name != NULL && !info.outside && (!tsr_archive_find(a, name, &index) || index != i)) abort();
    free(name);
    if ((total += info.size) < 1 << 24 && tsr_archive_read(a, i, &e, &bytes, &len) == TSR_OK && len > 0) {
      volatile uint8_t sum = (uint8_t)(((const uint8_t *)bytes)[0] + ((const uint8_t *)bytes)[len - 1]);
      (void)sum;
    }
    tsr_errrec_dispose(&e);
  }
}

static void ignore(void *user, const char *text, size_t len) { (void)user, (void)text, (void)len; }

/* What could be loaded and can be saved, loads again. */
static void save_and_load(tsr_mem *mem, tsr_types *types, tsr_val v) {
  tsr_errrec e = {0};
  tsr_file_env env = {mem, types, &e};
  char name[] = "fuzz";
  tsr_outfile o = {.fd = memfd_create(name, MFD_CLOEXEC), .path = name};
  tsr_archive *a = NULL;
  tsr_val again;
  if (tsr_torch_save(&env, &o, v) == TSR_OK && tsr_archive_open_fd(o.fd, true, &e, &a) == TSR_OK &&
      tsr_torch_load(a, mem, types, &e, &again) == TSR_OK) {
    if (again.tag != v.tag) abort();
    touch_all(mem, again);
    tsr_release(again);
  }
  if (e.status != TSR_OK && e.status != TSR_EUNSUPPORTED && e.status != TSR_ELIMIT) abort();
  tsr_archive_release(a);
  tsr_errrec_dispose(&e);
  close(o.fd);
}

static void load(tsr_archive *a, tsr_mem *mem, tsr_types *types) {
  tsr_errrec e = {0};
  tsr_val v;
  if (tsr_torch_load(a, mem, types, &e, &v) == TSR_OK) {
    touch_all(mem, v);
    save_and_load(mem, types, v);
    tsr_release(v);
  } else if (e.status == TSR_OK) {
    abort();
  }
  tsr_errrec_dispose(&e);
  tsr_describe_file(a, mem, types, &e, true, ignore, NULL);
  tsr_errrec_dispose(&e);
  tsr_describe_file(a, mem, types, &e, false, ignore, NULL);
  tsr_errrec_dispose(&e);
  tsr_archive_fail_kind(a, &e);
  tsr_errrec_dispose(&e);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  uint8_t *copy = malloc(size + (size == 0));
  if (copy == NULL) return 0;
  if (size != 0) memcpy(copy, data, size);
  tsr_errrec e = {0};
  tsr_archive *a;
  if (tsr_archive_open_memory(copy, size, &e, &a) == TSR_OK) {
    tsr_mem *mem = tsr_mem_new(32 << 20);
    tsr_types *types = tsr_types_new();
    read_entries(a);
    load(a, mem, types);
    tsr_types_release(types);
    if (tsr_mem_used(mem) != 0) abort();
    tsr_mem_close(mem);
    tsr_archive_release(a);
  }
  tsr_errrec_dispose(&e);
  free(copy);
  return 0;
}
