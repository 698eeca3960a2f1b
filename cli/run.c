/* tsrun [run] MODEL [INPUT…]: load, bind, run, write. */
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cli.h"

/* ---- steps shared with other verbs */

int cli_threads(const cli_options *o, int *threads) {
  char *end = NULL;
  *threads = 0;
  if (o->threads == NULL) return EXIT_OK;
  long n = strtol(o->threads, &end, 10);
  if (end == o->threads || *end != '\0' || n < 1 || n > 4096)
    return cli_fail(EXIT_USAGE, "--threads: \"%s\" is not a number of threads", o->threads);
  *threads = (int)n;
  return EXIT_OK;
}

cli_list cli_inputs(const cli_options *o) {
  cli_list all = {0};
  for (size_t i = 1; i < o->args.count; i++) cli_list_push(&all, o->args.items[i]);
  for (size_t i = 0; i < o->inputs.count; i++) cli_list_push(&all, o->inputs.items[i]);
  return all;
}

int cli_load(const cli_options *o, const char *path, int threads, tsr_model **out) {
  tsr_load_options opt = {
      .struct_size = sizeof opt, .opt_level = cli_opt_level(o), .max_memory = o->max_memory, .threads = threads,
      .lazy = o->lazy, .method = o->method, .no_winograd = o->no_winograd, .strict_device = o->strict_device, .disable_passes = o->disable_passes, .eval = o->eval,
      .cache_dir = o->cache, .cache_limit = o->cache_limit, .note = cli_note};
  tsr_error *err = NULL;
  tsr_weights *w = NULL;
  char what[300];
  int rc = cli_weights_options(o, &opt, &w);
  if (rc != EXIT_OK) return rc;
  snprintf(what, sizeof what, "loading %s", path);
  cli_progress(what);
  tsr_status status = tsr_model_load(path, &opt, out, &err);
  cli_progress(NULL);
  tsr_weights_free(w);
  if (status == TSR_OK) return EXIT_OK;
  const char *message = err == NULL ? "" : tsr_error_message(err);
  return cli_report(status, err, strstr(message, path) == NULL ? path : NULL);
}

static void print_to_stderr(void *user, const char *text, size_t len) {
  (void)user;
  fwrite(text, 1, len, stderr);
}

int cli_session(const cli_options *o, tsr_model *m, const tsr_session_options *more, tsr_session **out) {
  tsr_session_options opt = {0};
  tsr_error *err = NULL;
  if (more != NULL) opt = *more;
  opt.struct_size = sizeof opt;
  opt.max_memory = o->max_memory;
  opt.timeout = o->timeout;
  if (o->has_seed) {
    opt.has_seed = true;
    opt.seed = (uint64_t)o->seed;
  }
  if (o->output != NULL && strcmp(o->output, "-") == 0) opt.print = print_to_stderr; /* stdout carries the result */
  tsr_status status = tsr_session_new(m, &opt, out, &err);
  return status == TSR_OK ? EXIT_OK : cli_report(status, err, NULL);
}

/* ---- output */

typedef struct table {
  tsr_value **keys, **values;
  size_t count;
} table;

static void put(table *t, const char *name, tsr_value *own) {
  t->keys = cli_alloc(t->keys, (t->count + 1) * sizeof *t->keys);
  t->values = cli_alloc(t->values, (t->count + 1) * sizeof *t->values);
  t->keys[t->count] = tsr_value_str(name, strlen(name));
  t->values[t->count++] = own;
}

/* Numbers become tensors without dimensions, as numpy does. */
static tsr_value *as_tensor(const tsr_value *v) {
  int64_t i = tsr_value_get_int(v);
  double d = tsr_value_get_float(v);
  bool b = tsr_value_get_bool(v);
  switch (tsr_value_kind(v)) {
  case TSR_KIND_TENSOR:
    return tsr_value_ref((tsr_value *)v);
  case TSR_KIND_INT:
    return tsr_value_tensor(TSR_INT64, 0, NULL, NULL, &i);
  case TSR_KIND_FLOAT:
    return tsr_value_tensor(TSR_FLOAT64, 0, NULL, NULL, &d);
  case TSR_KIND_BOOL:
    return tsr_value_tensor(TSR_BOOL, 0, NULL, NULL, &b);
  default:
    return NULL;
  }
}

/* Nested results become names: "boxes", "0", "0.hidden"; a lone tensor is "output". */
static bool flatten(table *t, const char *name, const tsr_value *v, int depth) {
  tsr_kind kind = tsr_value_kind(v);
  tsr_value *tensor = as_tensor(v);
  if (tensor != NULL) {
    put(t, name[0] == '\0' ? "output" : name, tensor);
    return true;
  }
  if (depth > 20 || (kind != TSR_KIND_LIST && kind != TSR_KIND_TUPLE && kind != TSR_KIND_DICT)) return false;
  for (size_t i = 0; i < tsr_value_count(v); i++) {
    char path[512];
    tsr_value *key = tsr_value_key(v, i), *item = tsr_value_item(v, i);
    const char *text = key != NULL && tsr_value_kind(key) == TSR_KIND_STR ? tsr_value_get_str(key, NULL) : NULL;
    int n = text != NULL
                ? snprintf(path, sizeof path, "%s%s%s", name, name[0] == '\0' ? "" : ".", text)
                : snprintf(path, sizeof path, "%s%s%lld", name, name[0] == '\0' ? "" : ".",
                           key != NULL && tsr_value_kind(key) == TSR_KIND_INT ? (long long)tsr_value_get_int(key)
                                                                              : (long long)i);
    bool ok = n > 0 && (size_t)n < sizeof path && item != NULL && flatten(t, path, item, depth + 1);
    tsr_value_free(key);
    tsr_value_free(item);
    if (!ok) return false;
  }
  return true;
}

tsr_value *cli_flatten(const tsr_value *v) {
  table t = {0};
  tsr_value *dict = flatten(&t, "", v, 0) ? tsr_value_dict(t.keys, t.values, t.count) : NULL;
  for (size_t i = 0; i < t.count; i++) {
    tsr_value_free(t.keys[i]);
    tsr_value_free(t.values[i]);
  }
  free(t.keys);
  free(t.values);
  return dict;
}

static const char *format_of(const cli_options *o, const tsr_value *v) {
  const char *dot = strrchr(o->output, '.');
  if (o->format != NULL) return o->format;
  if (strcmp(o->output, "-") == 0) return tsr_value_kind(v) == TSR_KIND_TENSOR ? "npy" : "json";
  return dot == NULL || strchr(dot, '/') != NULL ? NULL : strcmp(dot, ".pth") == 0 ? "pt" : dot + 1;
}

static bool is_format(const char *format) {
  static const char *const known[] = {"npy", "npz", "pt", "safetensors", "json"};
  for (size_t i = 0; i < sizeof known / sizeof *known; i++)
    if (strcmp(format, known[i]) == 0) return true;
  return false;
}

/* Refused before anything is loaded or run. */
static int check_output(const cli_options *o) {
  const char *format = o->output == NULL ? NULL : o->format;
  if (o->output == NULL) return EXIT_OK;
  if (strcmp(o->output, "-") != 0 && format == NULL) format = format_of(o, NULL);
  if (strcmp(o->output, "-") == 0 && format == NULL) return EXIT_OK;
  if (format == NULL || !is_format(format))
    return cli_fail(EXIT_USAGE, "%s: unknown form \"%s\" (npy, npz, pt, safetensors and json can be written)",
                    o->output, format == NULL ? "" : format);
  return EXIT_OK;
}

static int save(const cli_options *o, tsr_value *v) {
  const char *format = format_of(o, v);
  tsr_value *shaped = NULL;
  tsr_error *err = NULL;
  if (strcmp(format, "npy") == 0) {
    shaped = as_tensor(v);
    if (shaped == NULL)
      return cli_fail(EXIT_USAGE, "%s: the result is a %s, and .npy holds one tensor (.npz, .json or .pt can hold it)",
                      o->output, tsr_value_type_name(v));
  } else if (strcmp(format, "npz") == 0 || strcmp(format, "safetensors") == 0) {
    shaped = cli_flatten(v);
    if (shaped == NULL)
      return cli_fail(EXIT_USAGE, "%s: the result holds more than tensors and numbers (.json or .pt can hold it)",
                      o->output);
  }
  fflush(stdout);
  cli_signals_hold(true);
  tsr_status status = tsr_value_save(shaped != NULL ? shaped : v, o->output, format, &err);
  cli_signals_hold(false);
  tsr_value_free(shaped);
  if (status == TSR_OK) return EXIT_OK;
  const char *message = err == NULL ? "" : tsr_error_message(err);
  return cli_report(status, err, strstr(message, o->output) == NULL ? o->output : NULL);
}

static int output(const cli_options *o, tsr_value *v) {
  const char *print = o->print != NULL ? o->print : o->output != NULL ? "none" : "summary";
  int rc = o->output != NULL ? save(o, v) : EXIT_OK;
  if (rc != EXIT_OK || strcmp(print, "none") == 0) return rc;
  FILE *out = o->output != NULL && strcmp(o->output, "-") == 0 ? stderr : stdout;
  return cli_show(out, v, strcmp(print, "all") == 0, o->top >= 0 ? o->top : 5, o->labels);
}

/* ---- the verb */

static void tell_start(const cli_options *o, tsr_model *m, double load) {
  if (o->verbose) {
    fputs("tsrun: ", stderr);
    tsr_build_info(cli_write, stderr);
    fprintf(stderr, "tsrun: loaded in %.1f ms, %d threads\n", load * 1e3, tsr_model_threads(m));
    tsr_load_stats stats = {.struct_size = sizeof stats};
    tsr_model_load_stats(m, &stats);
    if (o->cache != NULL)
      fprintf(stderr, "tsrun: %llu of %llu bytes of prepared weights are in the cache\n", (unsigned long long)stats.cached_bytes, (unsigned long long)stats.packed_bytes);
  }
  if (tsr_model_is_training(m) && (o->verbose || isatty(STDERR_FILENO)))
    fputs("tsrun: warning: the model was saved in training mode (dropout and batch norm behave as in training; --eval turns that off)\n",
          stderr);
}

static int run_session(const cli_options *o, tsr_session *s, const cli_call *c, tsr_value **out) {
  tsr_error *err = NULL;
  double start = cli_now();
  cli_progress("running");
  cli_signals_watch(s);
  tsr_status status = tsr_session_run(s, o->method, c->values, c->names, c->count, out, &err);
  cli_signals_watch(NULL);
  cli_progress(NULL);
  if (status != TSR_OK) return cli_signals_exit(cli_report(status, err, NULL));
  uint64_t peak = 0;
  tsr_session_memory(s, &peak);
  if (o->verbose)
    fprintf(stderr, "tsrun: ran in %.1f ms, at most %.1f MiB of values\n", (cli_now() - start) * 1e3,
            (double)peak / 1048576);
  return EXIT_OK;
}

static int run_model(const cli_options *o, tsr_model *m, const char *const *inputs, size_t count) {
  cli_call call;
  tsr_session *s = NULL;
  tsr_value *result = NULL;
  int rc = cli_call_make(&call, m, o->method, inputs, count);
  if (rc != EXIT_OK) return rc;
  rc = cli_session(o, m, NULL, &s);
  if (rc == EXIT_OK) rc = run_session(o, s, &call, &result);
  if (rc == EXIT_OK) rc = output(o, result);
  tsr_value_free(result);
  cli_call_dispose(&call);
  tsr_session_free(s);
  return rc;
}

int cli_run(const cli_options *o) {
  tsr_model *m = NULL;
  int threads;
  if (o->args.count == 0)
    return cli_fail(EXIT_USAGE, "no model given (tsrun MODEL [INPUT...]; tsrun --help tells more)");
  int rc = check_output(o);
  if (rc == EXIT_OK) rc = cli_threads(o, &threads);
  double start = cli_now();
  if (rc == EXIT_OK) rc = cli_load(o, o->args.items[0], threads, &m);
  if (rc != EXIT_OK) return rc;
  tell_start(o, m, cli_now() - start);
  cli_list inputs = cli_inputs(o);
  rc = run_model(o, m, inputs.items, inputs.count);
  free(inputs.items);
  tsr_model_free(m);
  return rc;
}
