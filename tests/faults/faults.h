/* What the programs of this folder share: a model and its inputs, loaded from memory and run once. */
#ifndef TSR_TESTS_FAULTS_H
#define TSR_TESTS_FAULTS_H

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tsrun.h"

typedef struct bytes { unsigned char *data; size_t len; } bytes;

static inline bool read_file(const char *path, bytes *out) {
  FILE *f = fopen(path, "rb");
  if (f == NULL) return false;
  fseek(f, 0, SEEK_END);
  out->len = (size_t)ftell(f);
  rewind(f);
  out->data = malloc(out->len + 1);
  bool ok = out->data != NULL && fread(out->data, 1, out->len, f) == out->len;
  fclose(f);
  return ok;
}

/* Arguments of a case: the items of the tuple in inputs.pt. */
static inline size_t read_inputs(const char *path, tsr_value **args, size_t most) {
  tsr_value *tuple = NULL;
  size_t n = 0;
  if (tsr_value_load(path, NULL, &tuple, NULL) != TSR_OK) return 0;
  for (; n < tsr_value_count(tuple) && n < most; n++) args[n] = tsr_value_item(tuple, n);
  tsr_value_free(tuple);
  return n;
}

static inline void ignore_text(void *user, const char *text, size_t len) { (void)user, (void)text, (void)len; }

/* Load (from memory, or from path with a cache of prepared weights) and run; the status of what failed first.  err: the
 * error, to be freed, or NULL. */
static inline tsr_status load_and_run_cached(const char *path, const char *cache, bytes file, tsr_value *const *args, size_t nargs, tsr_error **err) {
  tsr_load_options load = {.struct_size = sizeof load, .max_memory = 64u << 20, .threads = 1, .cache_dir = cache};
  tsr_session_options run = {.struct_size = sizeof run, .max_memory = 64u << 20, .max_steps = 1000000, .timeout = 5, .threads = 1, .print = ignore_text, .warn = ignore_text};
  tsr_model *m = NULL;
  tsr_session *s = NULL;
  tsr_value *out = NULL;
  *err = NULL;
  tsr_status st = path != NULL ? tsr_model_load(path, &load, &m, err) : tsr_model_load_memory(file.data, file.len, &load, &m, err);
  if (st == TSR_OK) st = tsr_session_new(m, &run, &s, err);
  if (st == TSR_OK) st = tsr_session_run(s, NULL, args, NULL, nargs, &out, err);
  tsr_value_free(out);
  tsr_session_free(s);
  tsr_model_free(m);
  return st;
}

static inline tsr_status load_and_run(bytes file, tsr_value *const *args, size_t nargs, tsr_error **err) {
  return load_and_run_cached(NULL, NULL, file, args, nargs, err);
}

#endif
