/* tsrun profile: where the time of a run goes, by operator, module and line, against what the machine can do. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cli.h"

enum { DEFAULT_RUNS = 3, DEFAULT_ROWS = 20, MAX_RUNS = 100000 };

typedef struct sums {
  double seconds, flops, bytes;
  uint64_t calls;
} sums;

typedef struct row {
  char *name;
  sums now, best; /* of the run that goes on, of the fastest one */
} row;

typedef struct table {
  const char *key, *title; /* JSON key, heading */
  row *rows;
  size_t count, cap;
  size_t *slots, nslots; /* open addressing: row + 1 */
  double seconds;
} table;

typedef struct event { /* of the run that is traced */
  char *op, *module, *source;
  double start, seconds, flops, bytes;
  uint64_t memory;
} event;

typedef struct profiler {
  const cli_options *o;
  table tables[3];
  event *events;
  size_t count, cap;
  bool keep; /* events of this run */
  double plain, profiled; /* shortest run without and with the profiler */
  double flops, bandwidth;
  int64_t runs;
  int threads;
} profiler;

/* ---- collecting */

static uint64_t hash_of(const char *s) {
  uint64_t h = 1469598103934665603u;
  for (; *s != '\0'; s++) h = (h ^ (unsigned char)*s) * 1099511628211u;
  return h;
}

static void grow_slots(table *t) {
  t->nslots = t->nslots == 0 ? 256 : t->nslots * 2;
  free(t->slots);
  t->slots = memset(cli_alloc(NULL, t->nslots * sizeof *t->slots), 0, t->nslots * sizeof *t->slots);
  for (size_t i = 0; i < t->count; i++) {
    size_t at = hash_of(t->rows[i].name) & (t->nslots - 1);
    while (t->slots[at] != 0) at = (at + 1) & (t->nslots - 1);
    t->slots[at] = i + 1;
  }
}

static char *copy(const char *s) { return strcpy(cli_alloc(NULL, strlen(s) + 1), s); }

static row *row_of(table *t, const char *name) {
  if (2 * (t->count + 1) > t->nslots) grow_slots(t);
  size_t at = hash_of(name) & (t->nslots - 1);
  for (; t->slots[at] != 0; at = (at + 1) & (t->nslots - 1))
    if (strcmp(t->rows[t->slots[at] - 1].name, name) == 0) return &t->rows[t->slots[at] - 1];
  if (t->count == t->cap) {
    t->cap = t->cap * 2 + 64;
    t->rows = cli_alloc(t->rows, t->cap * sizeof *t->rows);
  }
  t->rows[t->count] = (row){.name = copy(name)};
  t->slots[at] = ++t->count;
  return &t->rows[t->count - 1];
}

static void add(table *t, const char *name, const tsr_profile_event *e) {
  row *r = row_of(t, name);
  r->now.calls++;
  r->now.seconds += e->seconds;
  r->now.flops += e->flops;
  r->now.bytes += e->bytes;
}

/* A run is over; best: it was the fastest so far, and its sums are what the tables show. */
static void close_run(profiler *p, bool best) {
  for (int i = 0; i < 3; i++) {
    table *t = &p->tables[i];
    if (best) t->seconds = 0;
    for (size_t k = 0; k < t->count; k++) {
      if (best) t->rows[k].best = t->rows[k].now;
      if (best) t->seconds += t->rows[k].best.seconds;
      t->rows[k].now = (sums){0};
    }
  }
}

static void keep_event(profiler *p, const tsr_profile_event *e, const char *source) {
  if (p->count == p->cap) {
    p->cap = p->cap * 2 + 256;
    p->events = cli_alloc(p->events, p->cap * sizeof *p->events);
  }
  p->events[p->count++] = (event){copy(e->op), copy(e->module), copy(source), e->start, e->seconds, e->flops, e->bytes, e->memory};
}

static void on_event(void *user, const tsr_profile_event *e) {
  profiler *p = user;
  char source[512];
  if (e->line > 0) snprintf(source, sizeof source, "%s:%d", e->file, e->line);
  else snprintf(source, sizeof source, "(unknown)");
  add(&p->tables[0], e->op, e);
  add(&p->tables[1], e->module[0] == '\0' ? "(model)" : e->module, e);
  add(&p->tables[2], source, e);
  if (p->keep) keep_event(p, e, source);
}

/* ---- running */

static int run_once(profiler *p, tsr_session *s, const cli_call *c, double *shortest) {
  tsr_value *result = NULL;
  tsr_error *err = NULL;
  double start = cli_now();
  tsr_status status = tsr_session_run(s, p->o->method, c->values, c->names, c->count, &result, &err);
  double seconds = cli_now() - start;
  if (*shortest == 0 || seconds < *shortest) *shortest = seconds;
  tsr_value_free(result);
  return status == TSR_OK ? EXIT_OK : cli_signals_exit(cli_report(status, err, NULL));
}

static int run_all(profiler *p, tsr_session *s, const cli_call *c) {
  const cli_options *o = p->o;
  int64_t least = o->runs >= 0 ? o->runs : o->min_runs >= 0 ? o->min_runs : DEFAULT_RUNS;
  double ignored = 0;
  int rc = run_once(p, s, c, &ignored);
  for (int64_t i = 0; i < o->warmup && rc == EXIT_OK; i++) rc = run_once(p, s, c, &ignored);
  for (int64_t i = 0; i < least && rc == EXIT_OK; i++) rc = run_once(p, s, c, &p->plain);
  double end = cli_now() + o->min_time;
  tsr_session_profile(s, on_event, p);
  p->keep = o->trace != NULL;
  while (rc == EXIT_OK && p->runs < MAX_RUNS && (p->runs < (least < 1 ? 1 : least) || (o->runs < 0 && cli_now() < end))) {
    double before = p->profiled;
    rc = run_once(p, s, c, &p->profiled);
    close_run(p, before == 0 || p->profiled < before);
    p->keep = false;
    p->runs++;
  }
  tsr_session_profile(s, NULL, NULL);
  return rc;
}

/* ---- tables */

static const char *sort_key;

static double value_of(const row *r) {
  if (strcmp(sort_key, "flops") == 0) return r->best.flops;
  if (strcmp(sort_key, "bytes") == 0) return r->best.bytes;
  if (strcmp(sort_key, "calls") == 0) return (double)r->best.calls;
  return r->best.seconds;
}

static int by_value(const void *a, const void *b) {
  double x = value_of(a), y = value_of(b);
  return x != y ? (x < y) - (x > y) : strcmp(((const row *)a)->name, ((const row *)b)->name);
}

static void put_table(const profiler *p, const table *t, size_t rows) {
  printf("\n%s\n%10s %6s %7s %9s %9s %6s %9s %8s %6s  %s\n", t->title, "time ms", "share", "calls", "MFLOP", "GFLOP/s", "peak", "MB",
         "GB/s", "peak", "name");
  for (size_t i = 0; i < t->count && i < rows; i++) {
    const sums *r = &t->rows[i].best;
    double s = r->seconds > 0 ? r->seconds : 1e-9;
    printf("%10.4f %5.1f%% %7llu %9.2f %9.2f %5.1f%% %9.3f %8.2f %5.1f%%  ", r->seconds * 1e3, 100 * r->seconds / (t->seconds > 0 ? t->seconds : 1),
           (unsigned long long)r->calls, r->flops * 1e-6, r->flops / s * 1e-9, 100 * r->flops / s / p->flops, r->bytes * 1e-6,
           r->bytes / s * 1e-9, 100 * r->bytes / s / p->bandwidth);
    cli_print_safe(stdout, t->rows[i].name, strlen(t->rows[i].name), false);
    putchar('\n');
  }
  if (t->count > rows) printf("%10s and %zu more (--top N)\n", "...", t->count - rows);
}

static void put_text(const profiler *p, bool (*wanted)(const profiler *, int)) {
  size_t rows = p->o->top >= 0 ? (size_t)p->o->top : DEFAULT_ROWS;
  double flops = 0;
  for (size_t i = 0; i < p->tables[0].count; i++) flops += p->tables[0].rows[i].best.flops;
  printf("run        %.4f ms at best; the fastest of %lld profiled ones took %.4f ms, %.4f ms of it in operators (%d threads)\n", p->plain * 1e3,
         (long long)p->runs, p->profiled * 1e3, p->tables[0].seconds * 1e3, p->threads);
  printf("arithmetic %.3f GFLOP, %.1f GFLOP/s = %.1f%% of the peak of %.1f GFLOP/s; memory reads %.1f GB/s (both measured now)\n", flops * 1e-9,
         flops / p->plain * 1e-9, 100 * flops / p->plain / p->flops, p->flops * 1e-9, p->bandwidth * 1e-9);
  for (int i = 0; i < 3; i++)
    if (wanted(p, i)) put_table(p, &p->tables[i], rows);
}

static void put_json(const profiler *p) {
  printf("{\"runs\": %lld, \"threads\": %d, \"run_ms\": %.4f, \"profiled_run_ms\": %.4f, \"operators_ms\": %.4f, \"peak_gflops\": %.2f, \"peak_gbytes\": %.2f",
         (long long)p->runs, p->threads, p->plain * 1e3, p->profiled * 1e3, p->tables[0].seconds * 1e3, p->flops * 1e-9, p->bandwidth * 1e-9);
  for (int k = 0; k < 3; k++) {
    const table *t = &p->tables[k];
    printf(",\n \"%s\": [", t->key);
    for (size_t i = 0; i < t->count; i++) {
      const sums *r = &t->rows[i].best;
      printf("%s{\"name\": ", i > 0 ? ",\n  " : "\n  ");
      cli_json_string(stdout, t->rows[i].name);
      printf(", \"ms\": %.5f, \"share\": %.5f, \"calls\": %llu, \"flops\": %.0f, \"bytes\": %.0f}", r->seconds * 1e3,
             r->seconds / (t->seconds > 0 ? t->seconds : 1), (unsigned long long)r->calls, r->flops, r->bytes);
    }
    printf("]");
  }
  printf("}\n");
}

/* ---- the timeline */

static void write_events(FILE *f, void *user) {
  const profiler *p = user;
  double zero = p->count > 0 ? p->events[0].start : 0;
  fprintf(f, "{\"displayTimeUnit\": \"ms\", \"traceEvents\": [\n"
             "{\"ph\": \"M\", \"name\": \"process_name\", \"pid\": 1, \"tid\": 1, \"args\": {\"name\": \"tsrun\"}},\n"
             "{\"ph\": \"M\", \"name\": \"thread_name\", \"pid\": 1, \"tid\": 1, \"args\": {\"name\": \"operators\"}}");
  for (size_t i = 0; i < p->count; i++) {
    const event *e = &p->events[i];
    double at = (e->start - zero) * 1e6, s = e->seconds > 0 ? e->seconds : 1e-9;
    fprintf(f, ",\n{\"ph\": \"X\", \"pid\": 1, \"tid\": 1, \"ts\": %.3f, \"dur\": %.3f, \"name\": ", at, e->seconds * 1e6);
    cli_json_string(f, e->op);
    fprintf(f, ", \"args\": {\"module\": ");
    cli_json_string(f, e->module);
    fprintf(f, ", \"source\": ");
    cli_json_string(f, e->source);
    fprintf(f, ", \"MFLOP\": %.4f, \"GFLOP/s\": %.3f, \"MB\": %.4f}}", e->flops * 1e-6, e->flops / s * 1e-9, e->bytes * 1e-6);
    fprintf(f, ",\n{\"ph\": \"C\", \"pid\": 1, \"ts\": %.3f, \"name\": \"memory of values\", \"args\": {\"MB\": %.4f}}", at + e->seconds * 1e6,
            (double)e->memory * 1e-6);
  }
  fprintf(f, "\n]}\n");
}

/* ---- entry */

static bool is_wanted(const profiler *p, int which) {
  static const char *const names[] = {"op", "module", "line"};
  return p->o->by == NULL || strcmp(p->o->by, "all") == 0 || strcmp(p->o->by, names[which]) == 0;
}

static int report(profiler *p, bool json) {
  sort_key = p->o->sort != NULL ? p->o->sort : "time";
  for (int i = 0; i < 3; i++)
    if (p->tables[i].count > 0) qsort(p->tables[i].rows, p->tables[i].count, sizeof(row), by_value);
  if (json) put_json(p);
  else put_text(p, is_wanted);
  return p->o->trace != NULL ? cli_write_whole(p->o->trace, write_events, p) : EXIT_OK;
}

static int measure(profiler *p, tsr_model *m, const cli_list *inputs) {
  tsr_session *s = NULL;
  cli_call call;
  int rc = cli_call_make(&call, m, p->o->method, inputs->items, inputs->count);
  if (rc != EXIT_OK) return rc;
  rc = cli_session(p->o, m, NULL, &s);
  if (rc == EXIT_OK) {
    cli_progress("profiling");
    cli_signals_watch(s);
    rc = run_all(p, s, &call);
    cli_signals_watch(NULL);
    cli_progress(NULL);
  }
  if (rc == EXIT_OK && tsr_model_measure_machine(m, &p->flops, &p->bandwidth) != TSR_OK) rc = cli_fail(EXIT_LIMIT, "out of memory");
  p->threads = tsr_model_threads(m);
  cli_call_dispose(&call);
  tsr_session_free(s);
  return rc;
}

static void dispose(profiler *p) {
  for (int i = 0; i < 3; i++) {
    for (size_t k = 0; k < p->tables[i].count; k++) free(p->tables[i].rows[k].name);
    free(p->tables[i].rows);
    free(p->tables[i].slots);
  }
  for (size_t i = 0; i < p->count; i++) {
    free(p->events[i].op);
    free(p->events[i].module);
    free(p->events[i].source);
  }
  free(p->events);
}

int cli_profile(const cli_options *o) {
  profiler p = {.o = o, .tables = {{.key = "by_op", .title = "operators"}, {.key = "by_module", .title = "modules"}, {.key = "by_line", .title = "lines"}}};
  const char *format = o->json ? "json" : o->format == NULL ? "text" : o->format;
  tsr_model *m = NULL;
  int threads;
  if (o->args.count == 0) return cli_fail(EXIT_USAGE, "no model given (tsrun profile MODEL [INPUT...])");
  if (strcmp(format, "text") != 0 && strcmp(format, "json") != 0) return cli_fail(EXIT_USAGE, "--format: \"%s\" is not one of text|json", format);
  int rc = cli_threads(o, &threads);
  if (rc == EXIT_OK) rc = cli_load(o, o->args.items[0], threads, &m);
  if (rc != EXIT_OK) return rc;
  cli_list inputs = cli_inputs(o);
  rc = measure(&p, m, &inputs);
  if (rc == EXIT_OK) rc = report(&p, strcmp(format, "json") == 0);
  free(inputs.items);
  tsr_model_free(m);
  dispose(&p);
  return rc;
}
