/* nomem [--cache FOLDER] CASE...: fail the first allocation, then the second, and so on until load and run succeed.  Each failure must be
 * an ordinary error; the run after it must be right.  Linked with --wrap, so that the library's calls come here. */
#include <dirent.h>
#include <unistd.h>

#include "faults.h"

static long countdown = -1; /* allocations until one fails; negative: none does */

void *__real_malloc(size_t n);
void *__real_calloc(size_t n, size_t size);
void *__real_realloc(void *p, size_t n);
void *__wrap_malloc(size_t n);
void *__wrap_calloc(size_t n, size_t size);
void *__wrap_realloc(void *p, size_t n);

static int fails(void) { return countdown > 0 && --countdown == 0; }
void *__wrap_malloc(size_t n) { return fails() ? NULL : __real_malloc(n); }
void *__wrap_calloc(size_t n, size_t size) { return fails() ? NULL : __real_calloc(n, size); }
void *__wrap_realloc(void *p, size_t n) { return fails() ? NULL : __real_realloc(p, n); }

static void empty(const char *folder) {
  char path[1024];
  DIR *d = opendir(folder);
  for (struct dirent *e; d != NULL && (e = readdir(d)) != NULL;) {
    snprintf(path, sizeof path, "%s/%s", folder, e->d_name);
    if (e->d_name[0] != '.') unlink(path);
  }
  if (d != NULL) closedir(d);
}

/* With a cache that is written, then with one that is read: without memory for it, everything is done without. */
static int try_cache(const char *dir, const char *cache, bool filled) {
  char path[1024];
  tsr_value *args[8];
  tsr_error *err = NULL;
  snprintf(path, sizeof path, "%s/inputs.pt", dir);
  size_t n = read_inputs(path, args, 8);
  snprintf(path, sizeof path, "%s/model.pt", dir);
  long nth = 1;
  int bad = 0, left = 0;
  for (; !left && bad <= 10; nth++) {
    if (!filled) empty(cache);
    countdown = nth;
    tsr_status st = load_and_run_cached(path, cache, (bytes){0}, args, n, &err);
    left = countdown > 0;
    countdown = -1;
    tsr_error_free(err);
    if (st != TSR_OK && (left || st != TSR_ENOMEM)) printf("%s: allocation %ld failed, with a cache: status %d\n", dir, nth, st), bad++;
  }
  printf("%s, cache %s: %ld allocations failed in turn, %d wrong\n", dir, filled ? "read" : "written", nth - 2, bad);
  for (size_t i = 0; i < n; i++) tsr_value_free(args[i]);
  return bad;
}

static int try_case(const char *dir) {
  char path[1024];
  bytes file;
  tsr_value *args[8];
  tsr_error *err = NULL;
  snprintf(path, sizeof path, "%s/inputs.pt", dir);
  size_t n = read_inputs(path, args, 8);
  snprintf(path, sizeof path, "%s/model.pt", dir);
  if (!read_file(path, &file)) return 1;
  tsr_status want = load_and_run(file, args, n, &err), st = TSR_OK;
  long nth = 1;
  int bad = 0;
  tsr_error_free(err);
  for (;; nth++) {
    countdown = nth;
    st = load_and_run(file, args, n, &err);
    int left = countdown > 0;
    countdown = -1;
    tsr_error_free(err);
    if (left) break; /* that many allocations do not happen */
    if (st != TSR_ENOMEM && st != want) { /* some are done without: a cache that is not filled */
      printf("%s: allocation %ld failed: status %d, not %d (out of memory)\n", dir, nth, st, TSR_ENOMEM);
      if (++bad > 10) break;
    }
  }
  if (st != want) bad++;
  st = load_and_run(file, args, n, &err);
  if (st != want) bad++;
  tsr_error_free(err);
  printf("%s: %ld allocations failed in turn, %d wrong\n", dir, nth - 1, bad);
  for (size_t i = 0; i < n; i++) tsr_value_free(args[i]);
  free(file.data);
  return bad;
}

int main(int argc, char **argv) {
  int bad = 0;
  bool cached = argc > 2 && strcmp(argv[1], "--cache") == 0;
  for (int i = cached ? 3 : 1; i < argc; i++) bad += cached ? try_cache(argv[i], argv[2], false) + try_cache(argv[i], argv[2], true) : try_case(argv[i]);
  return bad != 0;
}
