/* tsrun bench: loading, packing, the first run, then the distribution of the following ones. */
#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/utsname.h>
#include <unistd.h>

#include "cli.h"

enum { MIN_RUNS = 10, MAX_RUNS = 1000000 };

typedef struct timing {
  int threads;
  double load, pack; /* load: all of it, packing included */
  double first, min, mean, stddev, median, p90, p95, p99, max;
  size_t runs;
  double peak_rss, anonymous, base; /* MiB: most ever resident, most that is not of a file, resident before loading */
} timing;

typedef struct samples {
  double *seconds;
  size_t count, cap;
} samples;

typedef struct environment {
  char cpu[128], build[256], system[160];
  double load;
} environment;

/* ---- memory */

/* A figure of /proc/self/status in MiB, -1 when there is none.  getrusage's peak would be the parent's where that was larger. */
static double status_mb(const char *key) {
  char line[256];
  double kb = -1024;
  FILE *f = fopen("/proc/self/status", "re");
  size_t n = strlen(key);
  while (f != NULL && fgets(line, sizeof line, f) != NULL)
    if (strncmp(line, key, n) == 0 && line[n] == ':') kb = strtod(line + n + 1, NULL);
  if (f != NULL) fclose(f);
  return kb / 1024;
}

static double peak_mb(void) {
  struct rusage usage;
  double peak = status_mb("VmHWM");
  if (peak >= 0) return peak;
  getrusage(RUSAGE_SELF, &usage);
  return (double)usage.ru_maxrss / 1024;
}

static void see_memory(timing *t) {
  t->anonymous = fmax(t->anonymous, status_mb("RssAnon"));
  t->peak_rss = peak_mb();
}

/* ---- measuring */

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

/* The smallest value that `share` of the sorted samples do not exceed. */
static double percentile(const samples *s, double share) {
  size_t rank = (size_t)ceil(share * (double)s->count);
  return s->seconds[rank > 0 ? rank - 1 : 0];
}

static void summarise(samples *s, timing *t) {
  size_t n = s->count;
  double sum = 0, squares = 0;
  qsort(s->seconds, n, sizeof *s->seconds, by_size);
  for (size_t i = 0; i < n; i++) sum += s->seconds[i];
  t->mean = sum / (double)n;
  for (size_t i = 0; i < n; i++) squares += (s->seconds[i] - t->mean) * (s->seconds[i] - t->mean);
  t->stddev = n > 1 ? sqrt(squares / (double)(n - 1)) : 0;
  t->runs = n;
  t->min = s->seconds[0];
  t->max = s->seconds[n - 1];
  t->median = n % 2 ? s->seconds[n / 2] : (s->seconds[n / 2 - 1] + s->seconds[n / 2]) / 2;
  t->p90 = percentile(s, 0.90);
  t->p95 = percentile(s, 0.95);
  t->p99 = percentile(s, 0.99);
}

static bool goes_on(const cli_options *o, const samples *s, double total) {
  if (o->runs >= 0) return s->count < (size_t)(o->runs > 0 ? o->runs : 1);
  size_t least = o->min_runs > 0 ? (size_t)o->min_runs : o->min_runs == 0 ? 1 : MIN_RUNS;
  return s->count < MAX_RUNS && (s->count < least || total < o->min_time);
}

static int measure(tsr_session *s, const cli_options *o, const cli_call *c, timing *t) {
  samples all = {0};
  double seconds, total = 0;
  int rc = run_once(s, o, c, &t->first);
  see_memory(t);
  for (int64_t i = 0; i < o->warmup && rc == EXIT_OK; i++) rc = run_once(s, o, c, &seconds);
  while (rc == EXIT_OK && goes_on(o, &all, total)) {
    rc = run_once(s, o, c, &seconds);
    if (all.count == all.cap) {
      all.cap = all.cap * 2 + 64;
      all.seconds = cli_alloc(all.seconds, all.cap * sizeof *all.seconds);
    }
    all.seconds[all.count++] = seconds;
    total += seconds;
  }
  see_memory(t);
  if (rc == EXIT_OK) summarise(&all, t);
  free(all.seconds);
  return rc;
}

static int bench_one(const cli_options *o, const cli_list *inputs, timing *t) {
  tsr_model *m = NULL;
  tsr_session *s = NULL;
  tsr_load_stats stats = {.struct_size = sizeof stats};
  cli_call call;
  t->base = status_mb("VmRSS");
  double start = cli_now();
  int rc = cli_load(o, o->args.items[0], t->threads, &m);
  t->load = cli_now() - start;
  if (rc != EXIT_OK) return rc;
  see_memory(t);
  tsr_model_load_stats(m, &stats);
  t->pack = stats.pack_seconds;
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

/* ---- where it was measured */

static void append(void *user, const char *text, size_t len) {
  environment *e = user;
  size_t n = strlen(e->build);
  if (len > 0 && text[len - 1] == '\n') len--;
  if (len > sizeof e->build - 1 - n) len = sizeof e->build - 1 - n;
  memcpy(e->build + n, text, len);
  e->build[n + len] = '\0';
}

static environment look_around(void) {
  environment e = {.cpu = "unknown processor", .load = -1};
  struct utsname u;
  char line[256];
  FILE *f = fopen("/proc/cpuinfo", "re");
  while (f != NULL && fgets(line, sizeof line, f) != NULL) {
    const char *colon = strchr(line, ':');
    if (strncmp(line, "model name", 10) != 0 || colon == NULL || colon[1] == '\0') continue;
    snprintf(e.cpu, sizeof e.cpu, "%.*s", (int)strcspn(colon + 2, "\n"), colon + 2);
    break;
  }
  if (f != NULL) fclose(f);
  if (uname(&u) == 0) snprintf(e.system, sizeof e.system, "%.40s %.60s %.20s, %ld processors", u.sysname, u.release, u.machine, sysconf(_SC_NPROCESSORS_ONLN));
  if (getloadavg(&e.load, 1) != 1) e.load = -1;
  tsr_build_info(append, &e);
  return e;
}

/* ---- reports */

static void put_json(FILE *out, const timing *t, size_t count, const environment *e) {
  for (size_t i = 0; i < count; i++) {
    fprintf(out,
            "%s{\"load_ms\": %.3f, \"pack_ms\": %.3f, \"first_ms\": %.4f, \"min_ms\": %.4f, \"mean_ms\": %.4f, \"stddev_ms\": %.4f, "
            "\"median_ms\": %.4f, \"p90_ms\": %.4f, \"p95_ms\": %.4f, \"p99_ms\": %.4f, \"max_ms\": %.4f, "
            "\"peak_rss_mb\": %.1f, \"anonymous_mb\": %.1f, \"base_rss_mb\": %.1f, \"threads\": %d, \"runs\": %zu, \"environment\": {\"cpu\": ",
            i == 0 ? (count > 1 ? "[" : "") : ",\n ", t[i].load * 1e3, t[i].pack * 1e3, t[i].first * 1e3, t[i].min * 1e3, t[i].mean * 1e3,
            t[i].stddev * 1e3, t[i].median * 1e3, t[i].p90 * 1e3, t[i].p95 * 1e3, t[i].p99 * 1e3, t[i].max * 1e3, t[i].peak_rss, t[i].anonymous, t[i].base,
            t[i].threads, t[i].runs);
    cli_json_string(out, e->cpu);
    fprintf(out, ", \"system\": ");
    cli_json_string(out, e->system);
    fprintf(out, ", \"build\": ");
    cli_json_string(out, e->build);
    fprintf(out, ", \"load_average\": %.2f}}", e->load);
  }
  fprintf(out, count > 1 ? "]\n" : "\n");
}

static void put_csv(FILE *out, const timing *t, size_t count) {
  fprintf(out, "threads,load_ms,pack_ms,first_ms,min_ms,mean_ms,stddev_ms,median_ms,p90_ms,p95_ms,p99_ms,max_ms,peak_rss_mb,runs\n");
  for (size_t i = 0; i < count; i++)
    fprintf(out, "%d,%.3f,%.3f,%.4f,%.4f,%.4f,%.4f,%.4f,%.4f,%.4f,%.4f,%.4f,%.1f,%zu\n", t[i].threads, t[i].load * 1e3, t[i].pack * 1e3,
            t[i].first * 1e3, t[i].min * 1e3, t[i].mean * 1e3, t[i].stddev * 1e3, t[i].median * 1e3, t[i].p90 * 1e3, t[i].p95 * 1e3,
            t[i].p99 * 1e3, t[i].max * 1e3, t[i].peak_rss, t[i].runs);
}

static void put_rows(FILE *out, const timing *t, size_t count, const environment *e, bool markdown) {
  static const char *const heads[] = {"threads", "load ms", "pack ms", "first ms", "min ms", "median ms", "p90 ms", "p99 ms", "mean ms", "± ms", "peak MB", "runs"};
  enum { COLUMNS = sizeof heads / sizeof *heads };
  const char *bar = markdown ? "| " : "", *mid = markdown ? " | " : "  ", *end = markdown ? " |" : "";
  fprintf(out, "%s; %s\n%s; load average %.2f\n%s", e->cpu, e->system, e->build, e->load, markdown ? "\n" : "");
  for (int i = 0; i < COLUMNS; i++) fprintf(out, "%s%*s", i == 0 ? bar : mid, i == COLUMNS - 2 - 1 ? 10 : 9, heads[i]);
  fprintf(out, "%s\n", end);
  for (int i = 0; i < COLUMNS && markdown; i++) fprintf(out, "|---:%s", i + 1 < COLUMNS ? "" : "|\n");
  for (size_t i = 0; i < count; i++) {
    const double ms[] = {t[i].load, t[i].pack, t[i].first, t[i].min, t[i].median, t[i].p90, t[i].p99, t[i].mean, t[i].stddev};
    fprintf(out, "%s%9d", bar, t[i].threads);
    for (size_t k = 0; k < sizeof ms / sizeof *ms; k++) fprintf(out, k < 2 ? "%s%9.2f" : "%s%9.4f", mid, ms[k] * 1e3);
    fprintf(out, "%s%9.1f%s%9zu%s\n", mid, t[i].peak_rss, mid, t[i].runs, end);
  }
}

static bool put_report(FILE *out, const char *format, const timing *t, size_t count, const environment *e) {
  if (strcmp(format, "json") == 0) put_json(out, t, count, e);
  else if (strcmp(format, "csv") == 0) put_csv(out, t, count);
  else if (strcmp(format, "md") == 0 || strcmp(format, "markdown") == 0) put_rows(out, t, count, e, true);
  else if (strcmp(format, "text") == 0) put_rows(out, t, count, e, false);
  else return false;
  return true;
}

static const char *form_of(const char *path) {
  const char *dot = strrchr(path, '.');
  return dot != NULL && (strcmp(dot, ".json") == 0 || strcmp(dot, ".md") == 0 || strcmp(dot, ".csv") == 0) ? dot + 1 : NULL;
}

typedef struct exported {
  const char *path;
  const timing *t;
  size_t count;
  const environment *e;
} exported;

static void put_exported(FILE *f, void *user) {
  const exported *x = user;
  put_report(f, form_of(x->path), x->t, x->count, x->e);
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

static int check_forms(const cli_options *o, const char *format) {
  static const char *const forms[] = {"text", "json", "md", "markdown", "csv"};
  size_t i = 0;
  while (i < sizeof forms / sizeof *forms && strcmp(format, forms[i]) != 0) i++;
  if (i == sizeof forms / sizeof *forms) return cli_fail(EXIT_USAGE, "--format: \"%s\" is not one of text|json|md|csv", format);
  if (o->export_to != NULL && form_of(o->export_to) == NULL)
    return cli_fail(EXIT_USAGE, "--export: \"%s\" does not end in .json, .md or .csv", o->export_to);
  return EXIT_OK;
}

int cli_bench(const cli_options *o) {
  const char *format = o->json ? "json" : o->format == NULL ? "text" : o->format;
  timing *t = NULL;
  size_t count = 0;
  if (o->args.count == 0) return cli_fail(EXIT_USAGE, "no model given (tsrun bench MODEL [INPUT...])");
  int rc = check_forms(o, format);
  if (rc == EXIT_OK) rc = parse_threads(o->threads, &t, &count);
  environment e = look_around();
  cli_list inputs = cli_inputs(o);
  for (size_t i = 0; i < count && rc == EXIT_OK; i++) rc = bench_one(o, &inputs, &t[i]);
  if (rc == EXIT_OK) {
    put_report(stdout, format, t, count, &e);
    if (o->export_to != NULL) rc = cli_write_whole(o->export_to, put_exported, &(exported){o->export_to, t, count, &e});
  }
  free(inputs.items);
  free(t);
  return rc;
}
