/* tsrun bench: loading, the first run, then the distribution of the following ones. */
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>

#include "cli.h"

enum { MIN_RUNS = 5, MAX_RUNS = 1000000 };

typedef struct timing {
  int threads;
  double load, first, min, median, p90;
  size_t runs;
  double peak_rss; /* MiB */
} timing;

typedef struct samples {
  double *seconds;
  size_t count, cap;
} samples;

static int by_size(const void *a, const void *b) {
  double x = *(const double *)a, y = *(const double *)b;
  return x < y ? -1 : x > y;
}

static int run_once(tsr_session *s, const cli_options *o, const cli_call *c, double *seconds) {
  tsr_value *result = NULL;
  tsr_error *err = NULL;
  double start = cli_now();
  tsr_status status = tsr_session_run(s, o->method, c->values, c->names, c->count, &result, &err);
  *seconds = cli_now() - start;
  tsr_value_free(result);
  return status == TSR_OK ? EXIT_OK : cli_signals_exit(cli_report(status, err, NULL));
}

static int measure(tsr_session *s, const cli_options *o, const cli_call *c, timing *t) {
  samples all = {0};
  double seconds, total = 0;
  int rc = run_once(s, o, c, &t->first);
  for (int64_t i = 0; i < o->warmup && rc == EXIT_OK; i++) rc = run_once(s, o, c, &seconds);
  while (rc == EXIT_OK && all.count < MAX_RUNS && (all.count < MIN_RUNS || total < o->min_time)) {
    rc = run_once(s, o, c, &seconds);
    if (all.count == all.cap) {
      all.cap = all.cap * 2 + 64;
      all.seconds = cli_alloc(all.seconds, all.cap * sizeof *all.seconds);
    }
    all.seconds[all.count++] = seconds;
    total += seconds;
  }
  if (rc == EXIT_OK) {
    struct rusage usage;
    size_t n = all.count;
    qsort(all.seconds, n, sizeof *all.seconds, by_size);
    getrusage(RUSAGE_SELF, &usage);
    t->runs = n;
    t->min = all.seconds[0];
    t->median = n % 2 ? all.seconds[n / 2] : (all.seconds[n / 2 - 1] + all.seconds[n / 2]) / 2;
    t->p90 = all.seconds[(n * 9 + 9) / 10 - 1];
    t->peak_rss = (double)usage.ru_maxrss / 1024;
  }
  free(all.seconds);
  return rc;
}

static int bench_one(const cli_options *o, const cli_list *inputs, timing *t) {
  tsr_model *m = NULL;
  tsr_session *s = NULL;
  cli_call call;
  double start = cli_now();
  int rc = cli_load(o, o->args.items[0], t->threads, &m);
  t->load = cli_now() - start;
  if (rc != EXIT_OK) return rc;
  t->threads = tsr_model_threads(m);
  rc = cli_call_make(&call, m, o->method, inputs->items, inputs->count);
  if (rc == EXIT_OK) {
    rc = cli_session(o, m, NULL, &s);
    if (rc == EXIT_OK) {
      cli_progress("measuring");
      cli_signals_watch(s);
      rc = measure(s, o, &call, t);
      cli_signals_watch(NULL);
      cli_progress(NULL);
    }
    cli_call_dispose(&call);
  }
  tsr_session_free(s);
  tsr_model_free(m);
  return rc;
}

/* ---- reports */

static void print_json(const timing *t, size_t count) {
  for (size_t i = 0; i < count; i++)
    printf("%s{\"load_ms\": %.3f, \"first_ms\": %.4f, \"min_ms\": %.4f, \"median_ms\": %.4f, \"p90_ms\": %.4f, "
           "\"peak_rss_mb\": %.1f, \"threads\": %d, \"runs\": %zu}%s",
           i == 0 ? (count > 1 ? "[" : "") : ",\n ", t[i].load * 1e3, t[i].first * 1e3, t[i].min * 1e3,
           t[i].median * 1e3, t[i].p90 * 1e3, t[i].peak_rss, t[i].threads, t[i].runs,
           i + 1 < count ? ""
           : count > 1   ? "]\n"
                         : "\n");
}

static void print_rows(const timing *t, size_t count, bool markdown) {
  const char *bar = markdown ? "| " : "", *mid = markdown ? " | " : "  ", *end = markdown ? " |" : "";
  printf("%s%8s%s%9s%s%9s%s%9s%s%9s%s%9s%s%8s%s%6s%s\n", bar, "threads", mid, "load ms", mid, "first ms", mid, "min ms",
         mid, "median ms", mid, "p90 ms", mid, "peak MB", mid, "runs", end);
  if (markdown) printf("|---:|---:|---:|---:|---:|---:|---:|---:|\n");
  for (size_t i = 0; i < count; i++) {
    printf("%s%8d%s%9.2f%s%9.4f%s%9.4f%s%9.4f%s%9.4f%s%8.1f%s%6zu%s\n", bar, t[i].threads, mid, t[i].load * 1e3, mid,
           t[i].first * 1e3, mid, t[i].min * 1e3, mid, t[i].median * 1e3, mid, t[i].p90 * 1e3, mid, t[i].peak_rss, mid,
           t[i].runs, end);
  }
}

/* "1,2,4" into timings; none: one with the default. */
static int parse_threads(const char *text, timing **out, size_t *count) {
  *count = 0;
  *out = NULL;
  do {
    char *end = NULL;
    long n = text == NULL ? 0 : strtol(text, &end, 10);
    if (text != NULL && (end == text || n < 1 || n > 4096 || (*end != ',' && *end != '\0')))
      return cli_fail(EXIT_USAGE, "--threads: \"%s\" is not a list of numbers of threads", text);
    *out = cli_alloc(*out, (*count + 1) * sizeof **out);
    (*out)[(*count)++] = (timing){.threads = (int)n};
    text = end == NULL || *end == '\0' ? NULL : end + 1;
  } while (text != NULL);
  return EXIT_OK;
}

int cli_bench(const cli_options *o) {
  const char *format = o->json ? "json" : o->format == NULL ? "text" : o->format;
  bool markdown = strcmp(format, "md") == 0 || strcmp(format, "markdown") == 0;
  cli_list inputs = {0};
  timing *t = NULL;
  size_t count = 0;
  if (o->args.count == 0) return cli_fail(EXIT_USAGE, "no model given (tsrun bench MODEL [INPUT...])");
  if (!markdown && strcmp(format, "text") != 0 && strcmp(format, "json") != 0)
    return cli_fail(EXIT_USAGE, "--format: \"%s\" is not one of text|json|md", format);
  int rc = parse_threads(o->threads, &t, &count);
  for (size_t i = 1; i < o->args.count; i++) cli_list_push(&inputs, o->args.items[i]);
  for (size_t i = 0; i < o->inputs.count; i++) cli_list_push(&inputs, o->inputs.items[i]);
  for (size_t i = 0; i < count && rc == EXIT_OK; i++) rc = bench_one(o, &inputs, &t[i]);
  if (rc == EXIT_OK && strcmp(format, "json") == 0)
    print_json(t, count);
  else if (rc == EXIT_OK)
    print_rows(t, count, markdown);
  free(inputs.items);
  free(t);
  return rc;
}
