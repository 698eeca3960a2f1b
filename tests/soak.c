/* soak [CALLS [THREADS]]: many calls with shapes that vary; memory must not grow, and every thread count from 1 to 8 must
 * give the same bits.  Run in the repository's root.  ctest runs it for a few seconds; a release deserves `soak 100000`.
 * soak shapes [THREADS]: what a thousand different shapes in a row cost beside the same shapes met again; only prints. */
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "tsrun.h"

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define SANITIZED 1 /* their bookkeeping grows with every allocation */
#else
#define SANITIZED 0
#endif

enum { MAX_THREADS = 8, BIG_BATCH = 48 };
static const double slack = 1.0; /* MiB that memory may grow after the first fifth of the calls */

typedef struct net {
  const char *name;
  int64_t batch, length; /* largest; length 0: only the batch varies */
  tsr_model *model;
  tsr_session *session;
  tsr_value *sample;     /* argument 0 as the case has it */
} net;

/* Convolutions, recurrent layers, attention, results in a dictionary. */
static net nets[] = {
    {"nets-lenet", 6, 0}, {"nets-unet", 3, 0}, {"nets-mobilenet", 3, 0}, {"nets-lstm-tagger", 5, 9}, {"nets-gru-classifier", 5, 9},
    {"nets-transformer-encoder", 4, 7},
};
enum { NETS = sizeof nets / sizeof *nets };

__attribute__((noreturn, format(printf, 1, 2))) static void fail(const char *fmt, ...) {
  va_list ap;
  va_start(ap, fmt);
  fputs("soak: ", stderr);
  vfprintf(stderr, fmt, ap);
  fputc('\n', stderr);
  va_end(ap);
  exit(1);
}

static void *check(void *p) {
  if (p == NULL) fail("out of memory");
  return p;
}

static tsr_model *load(const char *name, int threads) {
  char path[256];
  tsr_model *m = NULL;
  tsr_error *err = NULL;
  tsr_load_options o = {.struct_size = sizeof o, .threads = threads};
  snprintf(path, sizeof path, "corpus/%s/model.pt", name);
  if (tsr_model_load(path, &o, &m, &err) != TSR_OK) fail("%s: %s", path, tsr_error_message(err));
  return m;
}

static tsr_value *sample(const char *name) {
  char path[256];
  tsr_value *all = NULL;
  tsr_error *err = NULL;
  snprintf(path, sizeof path, "corpus/%s/inputs.pt", name);
  if (tsr_value_load(path, NULL, &all, &err) != TSR_OK) fail("%s: %s", path, tsr_error_message(err));
  tsr_value *first = check(tsr_value_item(all, 0)), *flat = check(tsr_tensor_contiguous(first));
  tsr_value_free(first);
  tsr_value_free(all);
  return flat;
}

/* The sample's elements, again and again, in another shape. */
static tsr_value *reshaped(const tsr_value *v, int64_t batch, int64_t length) {
  int ndim = tsr_tensor_ndim(v);
  int64_t size[8], numel = 1, have = tsr_tensor_numel(v);
  size_t item = tsr_dtype_size(tsr_tensor_dtype(v));
  memcpy(size, tsr_tensor_sizes(v), (size_t)ndim * sizeof *size);
  size[0] = batch;
  if (length > 0) size[1] = length;
  for (int d = 0; d < ndim; d++) numel *= size[d];
  char *data = check(malloc((size_t)numel * item));
  for (int64_t i = 0; i < numel; i++) memcpy(data + (size_t)i * item, (const char *)tsr_tensor_data(v) + (size_t)(i % have) * item, item);
  tsr_value *out = check(tsr_value_tensor(tsr_tensor_dtype(v), ndim, size, NULL, data));
  free(data);
  return out;
}

static tsr_value *run(tsr_session *s, const char *name, tsr_value *x) {
  tsr_value *out = NULL;
  tsr_error *err = NULL;
  if (tsr_session_run(s, NULL, &x, NULL, 1, &out, &err) != TSR_OK) fail("%s: %s", name, tsr_error_message(err));
  return out;
}

/* ---- the same bits with every number of threads */

static void same_bits(const net *n) {
  tsr_value *x = reshaped(n->sample, BIG_BATCH, n->length), *want = NULL;
  for (int threads = 1; threads <= MAX_THREADS; threads++) {
    tsr_model *m = load(n->name, threads);
    tsr_session *s = NULL;
    bool equal = true;
    char *report = NULL;
    if (tsr_session_new(m, NULL, &s, NULL) != TSR_OK) fail("out of memory");
    tsr_value *got = run(s, n->name, x);
    if (want == NULL) want = tsr_value_ref(got);
    else if (tsr_value_compare(got, want, 0, 0, &equal, NULL, &report, NULL) != TSR_OK || !equal)
      fail("%s with %d threads is not what it is with one: %s", n->name, threads, report == NULL ? "" : report);
    tsr_string_free(report);
    tsr_value_free(got);
    tsr_session_free(s);
    tsr_model_free(m);
  }
  tsr_value_free(want);
  tsr_value_free(x);
}

/* ---- memory */

static double resident(void) { /* MiB */
  long pages = 0;
  FILE *f = fopen("/proc/self/statm", "re");
  if (f == NULL || fscanf(f, "%*s %ld", &pages) != 1) pages = 0;
  if (f != NULL) fclose(f);
  return (double)pages * (double)sysconf(_SC_PAGESIZE) / 1048576;
}

static void soak(long calls) {
  double before = 0;
  uint32_t random = 1;
  for (long i = 0; i < calls; i++) {
    net *n = &nets[i % NETS];
    random = random * 1664525u + 1013904223u;
    int64_t batch = 1 + (int64_t)(random >> 8) % n->batch, length = n->length > 0 ? 1 + (int64_t)(random >> 20) % n->length : 0;
    tsr_value *x = reshaped(n->sample, batch, length);
    tsr_value_free(run(n->session, n->name, x));
    tsr_value_free(x);
    if (i == calls / 5) before = resident();
  }
  double after = resident();
  printf("%ld calls: %.2f MiB resident after a fifth of them, %.2f MiB at the end\n", calls, before, after);
  if (!SANITIZED && after - before > slack) fail("memory grew by %.2f MiB", after - before);
}

/* ---- shapes never met before */

enum { SHAPES = 1000, LENGTHS = 50, BATCHES = 100 };

static double now(void) {
  struct timespec t;
  clock_gettime(CLOCK_MONOTONIC, &t);
  return (double)t.tv_sec + (double)t.tv_nsec * 1e-9;
}

static double timed(tsr_session *s, const char *name, tsr_value *x) {
  double start = now();
  tsr_value_free(run(s, name, x));
  return now() - start;
}

/* The i-th shape of a network: batches and lengths, or batches only. */
static tsr_value *shape_at(const net *n, int i) {
  return n->length > 0 ? reshaped(n->sample, 1 + i / LENGTHS, 1 + i % LENGTHS) : reshaped(n->sample, 1 + i, 0);
}

static int by_value(const void *a, const void *b) { return (*(const double *)a > *(const double *)b) - (*(const double *)a < *(const double *)b); }

/* Each shape once, in an order that jumps, then at once again.  The median of the quotients: what else the machine
 * does meets one call or the other. */
static void new_shapes(const net *n) {
  static double quotient[SHAPES];
  int count = n->length > 0 ? SHAPES : BATCHES;
  double first = 0, again = 0, before = 0;
  tsr_value *x = reshaped(n->sample, 1, n->length);
  for (int i = 0; i < 20; i++) tsr_value_free(run(n->session, n->name, x));
  tsr_value_free(x);
  for (int i = 0; i < count; i++) {
    x = shape_at(n, (int)((long)i * 617 % count));
    double a = timed(n->session, n->name, x), b = timed(n->session, n->name, x);
    first += a;
    again += b;
    quotient[i] = a / b;
    tsr_value_free(x);
    if (i == count / 5) before = resident();
  }
  qsort(quotient, (size_t)count, sizeof *quotient, by_value);
  printf("%-24s %4d shapes: %8.1f us at first, %8.1f us again, median of the quotients %.2f; %+.2f MiB after the first fifth\n", n->name, count,
         first / count * 1e6, again / count * 1e6, quotient[count / 2], resident() - before);
}

int main(int argc, char **argv) {
  bool shapes = argc > 1 && strcmp(argv[1], "shapes") == 0;
  if (shapes) argv++, argc--;
  long calls = !shapes && argc > 1 ? atol(argv[1]) : 3000;
  int threads = shapes ? (argc > 1 ? atoi(argv[1]) : 1) : argc > 2 ? atoi(argv[2]) : 2;
  if (calls < 1 || threads < 1) fail("usage: soak [CALLS [THREADS]] or soak shapes [THREADS]");
  for (size_t i = 0; i < NETS; i++) {
    nets[i].sample = sample(nets[i].name);
    if (!shapes) same_bits(&nets[i]);
    nets[i].model = load(nets[i].name, threads);
    if (tsr_session_new(nets[i].model, NULL, &nets[i].session, NULL) != TSR_OK) fail("out of memory");
  }
  if (shapes) {
    for (size_t i = 0; i < NETS; i++) new_shapes(&nets[i]);
  } else {
    printf("1 to %d threads: the same bits\n", MAX_THREADS);
    soak(calls);
  }
  for (size_t i = 0; i < NETS; i++) {
    tsr_value_free(nets[i].sample);
    tsr_session_free(nets[i].session);
    tsr_model_free(nets[i].model);
  }
  return 0;
}
