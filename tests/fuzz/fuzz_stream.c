/* Fuzz target: files of torch.save before 1.6 and before 0.2, past their magic numbers.  The first byte chooses: 0 the
 * stream (the rest follows its first two pickles), 1 the tar (the rest is cut into its three members by two lengths).
 * What loads as values is also tried as a whole module. */
#include <stdint.h>
#include <stdio.h>

#include "frontend/describe.h"
#include "frontend/pickle.h"
#include "touch.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const char head[] = "\x80\x02\x8a\x0a\x6c\xfc\x9c\x46\xf9\x20\x6a\xa8\x50\x19.\x80\x02M\xe9\x03.";

static uint8_t *make_stream(const uint8_t *data, size_t size, size_t *len) {
  uint8_t *out = malloc(sizeof head - 1 + size);
  if (out == NULL) return NULL;
  memcpy(out, head, sizeof head - 1);
  if (size > 0) memcpy(out + sizeof head - 1, data, size);
  *len = sizeof head - 1 + size;
  return out;
}

static size_t put_member(uint8_t *out, const char *name, const uint8_t *data, size_t size) {
  unsigned sum = 0;
  memset(out, 0, 512);
  snprintf((char *)out, 100, "%s", name);
  snprintf((char *)out + 124, 12, "%011o", (unsigned)size);
  out[156] = '0';
  memcpy(out + 257, "ustar", 6);
  memset(out + 148, ' ', 8);
  for (int i = 0; i < 512; i++) sum += out[i];
  snprintf((char *)out + 148, 8, "%06o", sum);
  if (size > 0) memcpy(out + 512, data, size);
  return 512 + (size + 511) / 512 * 512;
}

static uint8_t *make_tar(const uint8_t *data, size_t size, size_t *len) {
  static const char *const names[] = {"storages", "tensors", "pickle"};
  uint8_t *out = calloc(1, size + 8192);
  if (out == NULL) return NULL;
  size_t at = 0, lens[3] = {size > 4 ? (size_t)(data[0] | data[1] << 8) : 0, size > 4 ? (size_t)(data[2] | data[3] << 8) : 0, 0};
  if (size >= 4) data += 4, size -= 4;
  for (int i = 0; i < 3; i++) {
    size_t n = i == 2 ? size : TSR_MIN(lens[i], size);
    at += put_member(out + at, names[i], data, n);
    data += n, size -= n;
  }
  *len = at + 1024;
  return out;
}

static void ignore(void *user, const char *text, size_t len) { (void)user, (void)text, (void)len; }

static void as_values(const uint8_t *bytes, size_t len) {
  tsr_errrec e = {0};
  tsr_archive *a = NULL;
  tsr_val v;
  if (tsr_archive_open_memory(bytes, len, &e, &a) == TSR_OK) {
    tsr_mem *mem = tsr_mem_new(32 << 20);
    tsr_types *types = tsr_types_new();
    if (tsr_torch_load(a, mem, types, &e, &v) == TSR_OK) {
      touch_all(mem, v);
      tsr_release(v);
    } else if (e.status == TSR_OK) {
      abort();
    }
    tsr_errrec_dispose(&e);
    tsr_describe_file(a, mem, types, &e, false, ignore, NULL);
    tsr_types_release(types);
    if (tsr_mem_used(mem) != 0) abort(); /* a leak: something came to contain itself */
    tsr_mem_close(mem);
    tsr_archive_release(a);
  }
  tsr_errrec_dispose(&e);
}

static void as_model(const uint8_t *bytes, size_t len) {
  tsr_load_options opt = {.struct_size = sizeof opt, .max_memory = 32 << 20, .threads = 1, .lazy = true};
  tsr_model *m = NULL;
  tsr_error *err = NULL;
  if (tsr_model_load_memory(bytes, len, &opt, &m, &err) != TSR_OK && err == NULL) abort();
  tsr_error_free(err);
  tsr_model_free(m);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  if (size == 0) return 0;
  size_t len = 0;
  uint8_t *bytes = data[0] & 1 ? make_tar(data + 1, size - 1, &len) : make_stream(data + 1, size - 1, &len);
  if (bytes == NULL) return 0;
  as_values(bytes, len);
  as_model(bytes, len);
  free(bytes);
  return 0;
}
